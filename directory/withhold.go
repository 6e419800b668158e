package directory

import (
	"bytes"
	"regexp"
	"strings"
)

// Some things are never given away, whatever holds them: Social Security numbers, DEA numbers and birth
// dates. Importers keep them out; what a person typed into a note, or what stands in a page that was kept
// as evidence, may hold one all the same. Exports and audit packs say where something was withheld.

// Withheld stands in place of what is not given away.
const Withheld string = "[withheld]"

// What was withheld, as an export names it.
const (
	WithheldSSN       = "ssn"
	WithheldDEA       = "dea_number"
	WithheldBirth     = "birth_date"
	WithheldWithdrawn = "withdrawn"  // the evidence speaks only of somebody who was withdrawn
	WithheldNotText   = "not_text"   // the evidence is not text
	WithheldNumber    = "dea_record" // the number of a DEA registration's claim or event
)

var (
	// Three, two and four digits, with any character that prints as a hyphen between them.
	ssnAnywhere = regexp.MustCompile(`(^|[^\d\-])(\d{3}[-‐‑‒–—−﹣－]\d{2}[-‐‑‒–—−﹣－]\d{4})($|[^\d\-])`)
	deaShaped   = regexp.MustCompile(`(?i)(^|[^a-z0-9])([a-z][a-z9]\d{7})($|[^a-z0-9])`)
	aDate       = `(?:\d{4}[-/.]?\d{2}[-/.]?\d{2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2} [A-Za-z]{3,9}\.? \d{4}|[A-Za-z]{3,9}\.? \d{1,2},? \d{4})`
	birthKey    = regexp.MustCompile(`(?i)(\\?"(?:dob|[a-z _]*birth[a-z _]*)\\?"\s*:\s*)(\\?")?([^"\\,}]+)`)
	birthWords  = regexp.MustCompile(`(?i)(\b(?:d\.?o\.?b\.?|born|birth ?da(?:te|y)|date of birth)\b[^0-9A-Za-z]{0,6}(?:(?:on|is|was)[^0-9A-Za-z]{1,3})?)(` + aDate + `)`)
)

// withholdSSN replaces whatever has the shape of a Social Security number. It may be given a whole line of
// JSON, in which such a thing stands in text alone.
func withholdSSN(b []byte) ([]byte, bool) {
	if !mayHoldSSN(b) {
		return b, false
	}
	found := false
	for {
		out := ssnAnywhere.ReplaceAll(b, []byte("${1}"+Withheld+"${3}"))
		if bytes.Equal(out, b) {
			return out, found
		}
		b, found = out, true // once more: what lies between two of them belongs to one match alone
	}
}

// mayHoldSSN looks for three digits, something, two digits, which few lines have.
func mayHoldSSN(b []byte) bool {
	digit := func(i int) bool { return i >= 0 && i < len(b) && b[i] >= '0' && b[i] <= '9' }
	for i := 3; i < len(b); i++ {
		dash := 0
		switch {
		case b[i] == '-':
			dash = 1
		case b[i] >= 0xe2:
			dash = 3
		}
		if dash > 0 && digit(i-1) && digit(i-2) && digit(i-3) && digit(i+dash) && digit(i+dash+1) {
			return true
		}
	}
	return false
}

// IsDEANumber reports a number with the shape and the check digit of a DEA registration.
func IsDEANumber(s string) bool {
	if len(s) != 9 {
		return false
	}
	d := make([]int, 7)
	for i := range d {
		c := s[2+i]
		if c < '0' || c > '9' {
			return false
		}
		d[i] = int(c - '0')
	}
	first, second := s[0]|0x20, s[1]|0x20
	if first < 'a' || first > 'z' || (second < 'a' || second > 'z') && s[1] != '9' {
		return false
	}
	return ((d[0]+d[2]+d[4])+2*(d[1]+d[3]+d[5]))%10 == d[6]
}

// withhold replaces what must not be given away in free text, and names what it was. keep holds numbers
// that look like a DEA number and are a licence's.
func withhold(text string, keep map[string]bool) (string, []string) {
	var what []string
	note := func(kind, out string) string {
		if out != text {
			what = append(what, kind)
		}
		return out
	}
	if b, found := withholdSSN([]byte(text)); found {
		text = note(WithheldSSN, string(b))
	}
	text = note(WithheldDEA, deaShaped.ReplaceAllStringFunc(text, func(m string) string {
		parts := deaShaped.FindStringSubmatch(m)
		if !IsDEANumber(parts[2]) || keep[strings.ToUpper(parts[2])] {
			return m
		}
		return parts[1] + Withheld + parts[3]
	}))
	out := birthKey.ReplaceAllStringFunc(text, func(m string) string {
		parts := birthKey.FindStringSubmatch(m)
		if parts[2] == "" { // a bare number: the replacement is text
			return parts[1] + `"` + Withheld + `"`
		}
		return parts[1] + parts[2] + Withheld
	})
	text = note(WithheldBirth, birthWords.ReplaceAllString(out, "${1}"+Withheld))
	return text, what
}

// Withhold replaces in free text what is never given away.
func Withhold(text string) string {
	text, _ = withhold(text, nil)
	return text
}

package crawler

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"kapdir/directory"
)

// ssnReason is all that is ever said of a value shaped like a Social Security number.
const ssnReason = "holds a number shaped like a Social Security number; the value was not kept"

var (
	slotSSN  = regexp.MustCompile(`^\s*\d{3}[-. ]\d{2}[-. ]\d{4}\s*$`)
	nearSSN  = regexp.MustCompile(`(^|[^0-9.-])[0-9]{3}[. ][0-9]{2}[. ][0-9]{4}($|[^0-9.-])`)
	nineRun  = regexp.MustCompile(`(^|[^0-9])[0-9]{9}($|[^0-9])`)
	longRuns = regexp.MustCompile(`[0-9]{6,}`)
)

// holdsSSN is directory.LooksLikeSSN. Every row is asked, so it looks at the hyphens only.
func holdsSSN(s string) bool {
	plain := directory.PlainDigits(s)
	return hyphensSSN(plain) || plain != s && hyphensSSN(directory.PartedDigits(s))
}

// hyphensSSN is holdsSSN of a value that is plainly written.
func hyphensSSN(s string) bool {
	for i := 0; ; {
		at := strings.IndexByte(s[i:], '-')
		if at < 0 {
			return false
		}
		i += at + 1 // behind the first hyphen
		if i >= 4 && i+7 <= len(s) && s[i+2] == '-' && allDigits(s[i-4:i-1]) && allDigits(s[i:i+2]) && allDigits(s[i+3:i+7]) &&
			(i == 4 || !digitOrHyphen(s[i-5])) && (i+7 == len(s) || !digitOrHyphen(s[i+7])) {
			return true
		}
	}
}

func digitOrHyphen(c byte) bool { return c == '-' || c >= '0' && c <= '9' }

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// recordHoldsSSN looks at all of a record as it would be written.
func recordHoldsSSN(r directory.Record) bool {
	b, err := json.Marshal(r)
	return err != nil || holdsSSN(string(b))
}

// textHoldsSSN is holdsSSN for what a person wrote freely, where the number may also stand with blanks or dots,
// or, in a name, as nine digits in a row.
func textHoldsSSN(s string, name bool) bool {
	if holdsSSN(s) {
		return true
	}
	for _, s := range []string{directory.PlainDigits(s), directory.PartedDigits(s)} {
		if nearSSN.MatchString(s) || name && nineRun.MatchString(s) {
			return true
		}
	}
	return false
}

// slotHoldsSSN looks at a place where a licence number belongs: there nine bare digits count too,
// unless the state itself issues such numbers.
func slotHoldsSSN(slot string, state directory.State) bool {
	if holdsSSN(slot) {
		return true
	}
	slot = directory.PlainDigits(slot)
	return slotSSN.MatchString(slot) || directory.LooksLikeBareSSN(slot) && !issuesNineDigits(state, strings.TrimSpace(slot))
}

// illinoisTypes are the first three digits of Illinois' nine-digit licence numbers, which say the
// licence type (domain.md §3.1). A roster pads to nine digits too, but a roster is the issuer's own and
// is not asked here.
var illinoisTypes = map[string]bool{"036": true, "041": true, "071": true, "085": true, "125": true, "149": true, "150": true, "166": true,
	"178": true, "180": true, "209": true, "277": true}

func issuesNineDigits(state directory.State, number string) bool {
	return state == "IL" && illinoisTypes[number[:3]]
}

// fieldsHoldSSN returns the first column, in order of names, that holds what must not be held.
func fieldsHoldSSN(fields map[string]string) (string, bool) {
	var names []string
	for k, v := range fields {
		if holdsSSN(v) {
			names = append(names, k)
		}
	}
	if len(names) == 0 {
		return "", false
	}
	sort.Strings(names)
	return names[0], true
}

// scrubText makes what a quarantined row may keep of itself: its beginning without control characters,
// and nothing at all if any part of it could be a Social Security number.
func scrubText(s string) string {
	if p := directory.PlainDigits(s); s == "" || holdsSSN(s) || slotSSN.MatchString(p) || nineRun.MatchString(p) {
		return ""
	}
	return shorten(cleanText(s), 200)
}

// scrubReason keeps a value out of a reason that quotes it.
func scrubReason(s string) string {
	if p := directory.PlainDigits(s); holdsSSN(s) || nineRun.MatchString(p) {
		s = longRuns.ReplaceAllString(ssnDigits.ReplaceAllString(p, "#"), "#")
	}
	return shorten(s, 500)
}

var ssnDigits = regexp.MustCompile(`\d{3}-\d{2}-\d{4}`)

// rowText is what the quarantine keeps of a whole row: its beginning, where names and types stand. The
// rest may hold a mailing address or a birth date, which we do not hold.
func rowText(line []byte) string {
	if holdsSSN(string(line)) {
		return ""
	}
	return shorten(string(line), 60)
}

// cleanText makes one line of a stranger's text: composed, without control characters, zero-width
// characters and changes of direction, one blank for many.
func cleanText(s string) string {
	if isClean(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u00a0':
			return ' '
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(norm.NFC.String(s)), " ")
}

// isClean reports plain text on which cleanText has nothing to do, which most values of a register are.
func isClean(s string) bool {
	blank := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && blank {
			return false
		}
		blank = c == ' '
	}
	return !blank || s == ""
}

// mixesScripts reports a name in which Latin letters stand beside Greek or Cyrillic ones that look like
// them: a person reads it.
func mixesScripts(s string) bool {
	latin, other := false, false
	for _, r := range s {
		latin = latin || unicode.Is(unicode.Latin, r)
		other = other || unicode.Is(unicode.Greek, r) || unicode.Is(unicode.Cyrillic, r)
	}
	return latin && other
}

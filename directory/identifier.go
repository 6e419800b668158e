package directory

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NPI is a National Provider Identifier whose check digit is right. A right check digit proves
// typing, not existence: Luhn cannot see 09 written for 90 (45 CFR 162.406; CMS check-digit note).
type NPI string

// ParseNPI reads ten digits that begin with 1 or 2 and pass the Luhn check over 80840 and the number.
func ParseNPI(s string) (NPI, error) {
	s = strings.TrimSpace(s)
	if len(s) != 10 || strings.Trim(s, "0123456789") != "" {
		return "", Errorf(Invalid, "npi", "%q is not an NPI: ten digits are needed", s)
	}
	if s[0] != '1' && s[0] != '2' {
		return "", Errorf(Invalid, "npi", "%s is not an NPI: the first digit must be 1 or 2", s)
	}
	if npiCheck(s[:9]) != s[9] {
		return "", Errorf(Invalid, "npi", "%s is not an NPI: its check digit is wrong, one digit may be mistyped", s)
	}
	return NPI(s), nil
}

// npiCheck returns the check digit for the first nine digits; 24 stands for the prefix 80840.
func npiCheck(nine string) byte {
	sum := 24
	for i := range 9 {
		d := int(nine[i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// LicenceNumber is a licence number as a source wrote it, as we show it, and as we compare it.
type LicenceNumber struct {
	Raw   string `json:"raw"`             // the source's own characters
	Shown string `json:"shown,omitempty"` // trimmed, one space for many
	Key   string `json:"key,omitempty"`   // upper case, no punctuation, no leading zeros after its letters; "" if no digit is in it
}

// ParseLicenceNumber never fails: a number that cannot be compared has an empty Key.
// A number is unique only within (state, board, licence type); see LicenceKey.
func ParseLicenceNumber(raw string) LicenceNumber {
	n := LicenceNumber{Raw: raw, Shown: raw}
	signs := raw
	if strings.Trim(raw, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" { // most have digits and capitals alone
		n.Shown = strings.Join(strings.Fields(norm.NFKC.String(raw)), " ")
		signs = strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
				return r
			}
			return -1
		}, strings.ToUpper(n.Shown))
	}
	prefix, digits := splitPrefix(signs)
	trimmed := strings.TrimLeft(digits, "0")
	if trimmed == "" { // "000000" is how New York writes that there is no licence
		return n
	}
	n.Key = prefix + trimmed
	return n
}

// Digits returns the key without its leading letters, which some sources leave out.
func (n LicenceNumber) Digits() string {
	_, d := splitPrefix(n.Key)
	return d
}

// Prefix returns the letters before the digits, "" if there are none.
func (n LicenceNumber) Prefix() string {
	p, _ := splitPrefix(n.Key)
	return p
}

func splitPrefix(s string) (prefix, rest string) {
	i := strings.IndexAny(s, "0123456789")
	if i < 0 {
		return s, ""
	}
	// WA writes MD.MD.60441019 for MD60441019: a prefix said twice is said once.
	p := s[:i]
	if h := len(p) / 2; len(p) > 1 && len(p)%2 == 0 && p[:h] == p[h:] {
		p = p[:h]
	}
	return p, s[i:]
}

var (
	ssnDashed = regexp.MustCompile(`(^|[^\d-])\d{3}-\d{2}-\d{4}($|[^\d-])`)
	ssnBare   = regexp.MustCompile(`^\s*\d{9}\s*$`)
)

// LooksLikeSSN reports whether text holds a number in the shape of a Social Security number
// (three, two and four digits with hyphens), also when it is written with wide digits, other dashes or characters between
// them that do not print. What does is quarantined before any write and never logged.
func LooksLikeSSN(text string) bool {
	plain := PlainDigits(text)
	return ssnDashed.MatchString(plain) || plain != text && ssnDashed.MatchString(PartedDigits(text))
}

// dashes are the characters that print as a hyphen; a number written with them is the same number.
var dashes = strings.NewReplacer("‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "−", "-", "﹣", "-", "－", "-")

// PlainDigits writes compatibility forms and dashes plainly, and drops what does not print or cannot be stored, so that no
// number that was looked for in it comes together later.
func PlainDigits(s string) string { return plainly(s, -1) }

// PartedDigits is PlainDigits with a blank for each character that it drops: at the end of a page, such a one parts a
// number from the digits that follow.
func PartedDigits(s string) string { return plainly(s, ' ') }

func plainly(s string, unprinted rune) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			s = strings.Map(func(r rune) rune {
				switch {
				case r == '\n' || r == '\t' || r == '\r':
					return ' '
				case unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) || r == unicode.ReplacementChar:
					return unprinted
				}
				return r
			}, norm.NFKC.String(strings.ToValidUTF8(s, string(unicode.ReplacementChar))))
			return dashes.Replace(s)
		}
	}
	return s
}

// LooksLikeBareSSN reports nine digits and nothing else, which counts as an SSN in a licence slot of a
// state that issues no nine-digit numbers: CMS leaked such values from provider records in 2026.
func LooksLikeBareSSN(slot string) bool { return ssnBare.MatchString(slot) }

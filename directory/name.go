package directory

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Name is a person's name in parts, as its source gave it. Credentials are the tokens of the suffix
// lexicon found behind it, in canonical spelling; what was not recognised stays in Other.
type Name struct {
	Given       string   `json:"given,omitempty"`
	Middle      string   `json:"middle,omitempty"`
	Family      string   `json:"family,omitempty"`
	Suffix      string   `json:"suffix,omitempty"` // generational: Jr, Sr, II, III, IV
	Credentials []string `json:"credentials,omitempty"`
	Other       string   `json:"other,omitempty"` // text behind the name that is no known credential; kept, never guessed
}

// IsZero reports whether no part of the name is known.
func (n Name) IsZero() bool { return n.Given == "" && n.Family == "" && n.Middle == "" }

// String writes the name as a page shows it, without credentials: Ana María O'Neil-Ruiz Jr.
func (n Name) String() string {
	return strings.Join(strings.Fields(n.Given+" "+n.Middle+" "+n.Family+" "+n.Suffix), " ")
}

// ParseName reads "Given Middle Family, Jr, PhD, LCSW" or "Family, Given Middle". Titles of address
// (Dr., Mr.) are dropped, particles (de, van, la …) stay with the family name.
func ParseName(s string) Name {
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	head, tail, comma := strings.Cut(s, ",")
	var n Name
	if comma && !strings.Contains(strings.TrimSpace(head), " ") && !startsWithCredential(tail) {
		// "Ruiz, Ana María, LCSW": one word, a comma, and no credential behind it.
		given, rest, _ := strings.Cut(tail, ",")
		n = splitGiven(strings.Fields(given))
		n.Family = strings.TrimSpace(head)
		tail = rest
	} else {
		words := strings.Fields(head)
		// Credentials without a comma, "Ana Ruiz LCSW": capitals or dots at the end that the lexicon knows.
		var creds []string
		for len(words) > 2 && looksAbbreviated(words[len(words)-1]) && isCredential(words[len(words)-1]) && !isFamily(words) {
			creds = append([]string{words[len(words)-1]}, creds...)
			words = words[:len(words)-1]
		}
		n = splitName(words)
		if len(creds) > 0 {
			tail = strings.Join(creds, ", ") + "," + tail
		}
	}
	suffix, credentials, other := ParseCredentials(tail)
	if suffix != "" {
		n.Suffix = suffix
	}
	n.Credentials, n.Other = credentials, other
	return n
}

// ParseCredentials splits the text behind a name at commas, then blanks, slashes and semicolons, and
// takes the longest entry of the suffix lexicon each time ("PMHNP BC" is PMHNP-BC, "L.C.S.W." is LCSW).
// It stops at the first word that is no credential; from there on everything is kept as other. PA and MD
// behind another licence are kept as other too: "LCSW, PA" is a Professional Association or Pennsylvania
// as well as a physician assistant, and position does not tell.
func ParseCredentials(s string) (suffix string, credentials []string, other string) {
	lex := lexicon()
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '/' || unicode.IsSpace(r) })
	seen := map[string]bool{}
	var unclear []string
	for len(words) > 0 {
		n, token := 0, ""
		for k := min(3, len(words)); k > 0 && n == 0; k-- {
			if t, ok := lex.find(words[:k]); ok {
				n, token = k, t
			}
		}
		if n == 0 {
			break
		}
		word := strings.Join(words[:n], " ")
		words = words[n:]
		switch {
		case lex.generational[token]:
			suffix = generationalForm(token)
		case !seen[token] && lex.unclear(token, credentials):
			unclear = append(unclear, word)
		case !seen[token]:
			seen[token] = true
			credentials = append(credentials, token)
		}
	}
	return suffix, credentials, strings.Join(append(unclear, words...), " ")
}

// isFamily tells a surname in capitals, "LINH T DO", from the degree it looks like: behind an initial
// stands a name.
func isFamily(words []string) bool {
	switch canonicalToken(words[len(words)-1]) {
	case "DO", "MA", "LAC", "MAC":
		return len(canonicalToken(words[len(words)-2])) == 1
	}
	return false
}

func startsWithCredential(tail string) bool {
	words := strings.FieldsFunc(tail, func(r rune) bool { return r == ',' || r == ';' || r == '/' || unicode.IsSpace(r) })
	return len(words) == 0 || isCredential(words[0])
}

func isCredential(w string) bool {
	_, ok := lexicon().find([]string{w})
	return ok
}

// looksAbbreviated keeps a surname such as Do or Ma from being read as a degree: only capitals and dots count.
func looksAbbreviated(w string) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, w)
	return len(letters) > 1 && (strings.ToUpper(letters) == letters || letters == "PhD" || letters == "PsyD" || letters == "EdD" || letters == "MEd")
}

var (
	addressTitles = map[string]bool{"dr": true, "mr": true, "mrs": true, "ms": true, "mx": true, "prof": true, "rev": true}
	particles     = map[string]bool{"de": true, "del": true, "della": true, "di": true, "da": true, "dos": true, "du": true, "la": true, "le": true,
		"van": true, "von": true, "der": true, "den": true, "ter": true, "al": true, "el": true, "bin": true, "ibn": true, "st.": true, "san": true, "santa": true}
)

func splitName(words []string) Name {
	for len(words) > 1 && addressTitles[strings.ToLower(strings.TrimRight(words[0], "."))] {
		words = words[1:]
	}
	var n Name
	if len(words) > 2 {
		if g := generationalForm(canonicalToken(words[len(words)-1])); g != "" {
			n.Suffix, words = g, words[:len(words)-1]
		}
	}
	if len(words) == 0 {
		return n
	}
	from := len(words) - 1
	for from > 1 && particles[strings.ToLower(words[from-1])] {
		from--
	}
	given := splitGiven(words[:from])
	n.Given, n.Middle = given.Given, given.Middle
	n.Family = strings.Join(words[from:], " ")
	return n
}

func splitGiven(words []string) Name {
	if len(words) == 0 {
		return Name{}
	}
	return Name{Given: words[0], Middle: strings.Join(words[1:], " ")}
}

func generationalForm(token string) string {
	switch token {
	case "JR", "JUNIOR":
		return "Jr"
	case "SR", "SENIOR":
		return "Sr"
	case "II", "III", "IV":
		return token
	case "2ND":
		return "II"
	case "3RD":
		return "III"
	}
	return ""
}

// NameInCapitals turns NPPES's and the boards' capitals into a name as people write it. Mixed case is left as it is.
func NameInCapitals(s string) string {
	if out, ok := plainCapitals(s); ok {
		return out
	}
	return capitals(s)
}

func capitals(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if s != strings.ToUpper(s) {
		return s
	}
	start := true
	runes := []rune(strings.ToLower(s))
	for i, r := range runes {
		if start {
			runes[i] = unicode.ToUpper(r)
		}
		start = !unicode.IsLetter(r)
	}
	out := string(runes)
	words := strings.Fields(out)
	for i, w := range words {
		if strings.HasPrefix(w, "Mc") && len(w) > 3 {
			words[i] = "Mc" + strings.ToUpper(w[2:3]) + w[3:]
		}
		if g := generationalForm(strings.ToUpper(w)); g != "" && i > 0 {
			words[i] = g
		}
	}
	return strings.Join(words, " ")
}

// plainCapitals is NameInCapitals of what most names are: letters of ASCII, one blank between words, and no word that
// is written otherwise than by its letters. ok is false for any other.
func plainCapitals(s string) (out string, ok bool) {
	var buf [64]byte
	b := buf[:0]
	if len(s) > len(buf) {
		return "", false
	}
	word, letter := 0, false // where the word begins; whether a letter stands before
	for i := range len(s) {
		c := s[i]
		upper := c >= 'A' && c <= 'Z'
		switch {
		case c >= 0x80 || c < ' ' || c >= 'a' && c <= 'z':
			return "", false
		case c == ' ':
			if i == word || word > 0 && generationalForm(s[word:i]) != "" {
				return "", false
			}
			word = i + 1
		case upper && letter:
			c += 'a' - 'A'
		}
		letter = upper
		b = append(b, c)
	}
	if word == len(s) && s != "" || word > 0 && generationalForm(s[word:]) != "" || strings.Contains(s, "MC") {
		return "", false
	}
	return string(b), true
}

// Fold returns the comparison form of a name part: decomposed, marks and apostrophes dropped, lower
// case, hyphens and other signs as blanks.
func Fold(s string) string {
	if ascii(s) {
		return foldASCII(s)
	}
	var b strings.Builder
	space := false
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’', r == '‘', r == '`', r == '.':
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteString(foldRune(r))
		default:
			space = true
		}
	}
	return b.String()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// foldASCII does the same without decomposing, as matching folds every name it meets.
func foldASCII(s string) string {
	var buf [64]byte
	b := buf[:0]
	space := false
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '\'', c == '`', c == '.':
			continue
		default:
			space = true
			continue
		}
		if space && len(b) > 0 {
			b = append(b, ' ')
		}
		space = false
		b = append(b, c)
	}
	if string(b) == s {
		return s
	}
	return string(b)
}

// foldRune lowers a letter and spells out those that do not decompose.
func foldRune(r rune) string {
	switch r = unicode.ToLower(r); r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'ø':
		return "o"
	case 'ł':
		return "l"
	case 'đ', 'ð':
		return "d"
	case 'þ':
		return "th"
	case 'ı':
		return "i"
	}
	return string(r)
}

// NameTokens returns the words of a folded name part and, for a compound, the joined form as well:
// "O'Neil-Ruiz" gives oneil, ruiz and oneilruiz. Sorted, without repeats.
func NameTokens(s string) []string {
	words := strings.Fields(Fold(s))
	if len(words) > 1 {
		words = append(words, strings.Join(words, ""))
	}
	sort.Strings(words)
	out := words[:0]
	for i, w := range words {
		if i == 0 || w != words[i-1] {
			out = append(out, w)
		}
	}
	return out
}

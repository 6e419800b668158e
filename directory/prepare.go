package directory

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Prepared is a subject made ready for comparison: every name folded, taken apart and given its other
// forms once. It does not change and may be compared from several goroutines.
type Prepared struct {
	kind          ProviderKind
	names         []preparedName
	generations   uint8 // a bit for each generational suffix that a name has
	organisations []preparedOrganisation
	npi           NPI
	birth         Date
	licences      []preparedLicence
	phones        []string // ten digits
	streets       []string // ZIP and street
	areas         []string // the first three digits of each ZIP
	states        []State
}

// preparedName is one name of a person. Words are folded.
type preparedName struct {
	family  string   // its letters without blanks
	parts   []string // the words of the family name that may stand for it alone
	sound   string   // NYSIIS of family
	initial string   // the given name when it is one letter only
	given   string   // its first word
	joined  string   // the letters of the given name without blanks
	forms   []string // given and joined, and the formal names that they may be short for
	middle  []string
	second  string // the middle name, if one of the person's names writes it out
	cut     bool   // the family name is as long as the exclusion list's column
	short   bool   // the given name is
}

type preparedOrganisation struct {
	folded string
	cut    bool // it is as long as the exclusion list's column
	long   bool // it could be cut and still be told from others
}

// preparedLicence is a licence number with what is known of its type.
type preparedLicence struct {
	state      State
	digits     string
	code       string // the board's code of the licence, if the table knows the type
	profession string // of the code, or of the taxonomy beside the number
	word       string // the type as it was written, when no table explains it
}

// The widths of the exclusion list's columns. A name as long as its column, or shorter by a blank, may
// have been cut.
const (
	familyWidth       = 20
	givenWidth        = 15
	organisationWidth = 30
)

// maybeCut reports a value that fills its column.
func maybeCut(s string, width int) bool {
	n := utf8.RuneCountInString(s)
	return n == width || n == width-1
}

// Prepare makes a subject ready for comparison.
func Prepare(s Subject) *Prepared {
	p := &Prepared{kind: s.Kind, npi: s.NPI, birth: s.Birth}
	for _, st := range s.States {
		if st != "" && !slices.Contains(p.states, st) {
			p.states = append(p.states, st)
		}
	}
	if len(s.Names) > 0 {
		p.names = make([]preparedName, 0, len(s.Names))
	}
	for _, n := range s.Names {
		x, generation := prepareName(n)
		p.generations |= generation
		if x.family != "" || x.given != "" {
			p.names = append(p.names, x)
		}
	}
	for i := range p.names { // what one source says of the middle name holds for the others
		for j := 0; j < len(p.names) && p.names[i].second == ""; j++ {
			if x := &p.names[j]; len(x.middle) > 0 && len(x.middle[0]) > 2 && x.given == p.names[i].given {
				p.names[i].second = x.middle[0]
			}
		}
	}
	for _, o := range s.Organisations {
		if f := foldOrganisation(o); f != "" {
			p.organisations = append(p.organisations, preparedOrganisation{f, maybeCut(strings.TrimSpace(o), organisationWidth), utf8.RuneCountInString(f) >= organisationBlock})
		}
	}
	for _, l := range s.Licences {
		if x, ok := prepareLicence(l); ok {
			p.licences = append(p.licences, x)
		}
	}
	for _, x := range s.Phones {
		if d := digits(x); len(d) >= 10 {
			p.phones = append(p.phones, d)
		}
	}
	for _, a := range s.Addresses {
		zip := a.ZIP5()
		if zip == "" {
			continue
		}
		p.areas = appendNew(p.areas, zip[:3])
		if a.Line1 != "" {
			p.streets = append(p.streets, zip+" "+foldStreet(a.Line1))
		}
	}
	return p
}

// generations are the bits of a suffix. Jr and II both name the second of a name, and sources use one for
// the other; they do not contradict each other.
var generations = map[string]uint8{"Sr": 1, "Jr": 2, "II": 2, "III": 4, "IV": 8}

func prepareName(n Name) (preparedName, uint8) {
	family, suffix := n.Family, n.Suffix
	if i := strings.LastIndexAny(family, " ,"); i > 0 && suffix == "" { // "MOORE III" in the column of the family name
		if g := generationalForm(canonicalToken(family[i+1:])); g != "" {
			family, suffix = strings.TrimRight(family[:i], " ,"), g
		}
	}
	x := preparedName{short: maybeCut(n.Given, givenWidth)}
	x.family, x.parts = familyParts(family)
	x.cut = maybeCut(n.Family, familyWidth) && utf8.RuneCountInString(x.family) >= familyBlock
	x.sound = soundOf(x.family)
	folded := Fold(n.Given)
	x.given, _, _ = strings.Cut(folded, " ")
	x.joined = strings.ReplaceAll(folded, " ", "")
	if m := Fold(n.Middle); m != "" {
		if x.middle = strings.Fields(m); len(x.middle[0]) > 2 {
			x.second = x.middle[0]
		}
	}
	if utf8.RuneCountInString(x.joined) == 1 {
		x.initial = x.joined
	}
	if x.given != "" {
		more := nicknames()[x.given]
		x.forms = make([]string, 0, len(more)+2)
		x.forms = append(append(x.forms, x.given), more...)
		if x.joined != x.given {
			x.forms = append(append(x.forms, x.joined), nicknames()[x.joined]...)
		}
	}
	return x, generations[suffix]
}

// familyParts returns a folded family name without its blanks, and the words that may stand for it alone:
// what stands between hyphens, and each word of more than one letter that is no particle. So Garcia and
// Marquez are parts of "García-Márquez", Cruz is one of "de la Cruz", and "de" is none.
func familyParts(family string) (whole string, parts []string) {
	for _, half := range strings.FieldsFunc(family, hyphen) {
		f := Fold(half)
		if f == "" {
			continue
		}
		whole += strings.ReplaceAll(f, " ", "")
		words := strings.Fields(f)
		for _, w := range words {
			if len(words) > 1 && (len(w) == 1 || particles[w] || w == "st") {
				continue
			}
			parts = append(parts, w)
		}
		if len(words) > 1 {
			parts = append(parts, strings.Join(words, ""))
		}
	}
	if len(parts) > 1 {
		slices.Sort(parts)
		parts = slices.Compact(parts)
	}
	return whole, parts
}

func hyphen(r rune) bool { return r == '-' || r == '/' || r >= '\u2010' && r <= '\u2014' }

func prepareLicence(l LicenceKey) (preparedLicence, bool) {
	x := preparedLicence{state: l.State, digits: l.Number.Digits()}
	if x.state == "" || x.digits == "" {
		return x, false
	}
	if t, ok := l.title(); ok {
		x.code, x.profession = t.Licence(), t.Profession
	} else if p, ok := professionOf(l.Type); ok {
		x.profession = p
	} else {
		x.word = canonicalToken(l.Type)
	}
	return x, true
}

// taxonomyProfessions are the professions of data/titles.csv by the beginning of the taxonomy code.
var taxonomyProfessions = []struct{ code, profession string }{
	{"101Y", "counselling"}, {"1041", "clinical_social_work"}, {"106H", "marriage_family"}, {"103T", "psychologist"},
	{"207", "physician"}, {"208", "physician"}, {"363A", "physician_assistant"}, {"363L", "nurse_practitioner"}, {"364S", "nurse_practitioner"},
}

func professionOf(taxonomy string) (string, bool) {
	if len(taxonomy) != 10 {
		return "", false
	}
	for _, x := range taxonomyProfessions {
		if strings.HasPrefix(taxonomy, x.code) {
			return x.profession, true
		}
	}
	return "", false
}

// What a block holds of a name that may have been cut: what is left of a full column when the hyphens,
// blanks and signs have gone.
const (
	familyBlock       = 18
	organisationBlock = 22
)

// cutTo returns the first n letters.
func cutTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// Blocks returns the keys under which the subject is looked up: two descriptions that share none are
// never compared, and any two that Match does not call another person's share one. Sorted, without repeats.
//
//	npi: the NPI
//	lic: a licence number within its state
//	nam: a family name, whole and each part, with the initial of a given name, of each formal name it may
//	     be short for, and of a middle name that is written out; with every letter if no given name is known
//	snd: the sound of the family name with the initial of the given name, within a state
//	org: the folded name of an organisation; cut: as much of it as the exclusion list's column holds
//
// The other keys of domain.md §3.3 find nothing that Match does not call another person's: (nickname class,
// family token) is part of nam, and (family token, ZIP3) adds only given names that contradict each other,
// which Screen alone asks for (ScreenBlocks).
func (p *Prepared) Blocks() []string {
	var out []string
	if p.npi != "" {
		out = append(out, "npi:"+string(p.npi))
	}
	for i := range p.licences {
		out = append(out, "lic:"+string(p.licences[i].state)+":"+p.licences[i].digits)
	}
	for i := range p.names {
		n := &p.names[i]
		if n.family == "" {
			continue
		}
		var first [8]string
		initials := first[:0]
		for _, f := range n.forms {
			initials = appendNew(initials, initialOf(f))
		}
		if n.second != "" {
			initials = appendNew(initials, initialOf(n.second))
		}
		if len(n.forms) == 0 {
			initials = alphabet
		}
		for j, in := range initials {
			whole := cutTo(n.family, familyBlock)
			out = append(out, "nam:"+whole+":"+in)
			for _, part := range n.parts {
				if part = cutTo(part, familyBlock); part != whole {
					out = append(out, "nam:"+part+":"+in)
				}
			}
			if j == 0 && n.sound != "" && n.given != "" && n.initial == "" {
				for _, s := range p.states {
					out = append(out, "snd:"+n.sound+":"+in+":"+string(s))
				}
			}
		}
	}
	for _, o := range p.organisations {
		out = append(out, "org:"+o.folded)
		if p.kind == Organisation && o.long {
			out = append(out, "cut:"+cutTo(o.folded, organisationBlock))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ScreenBlocks returns the keys under which an exclusion list is searched: those of Blocks, and
//
//	area: a family name, whole and each part, within the first three digits of a ZIP
//
// Any two that Screen does not call another person's share one. Sorted, without repeats.
func (p *Prepared) ScreenBlocks() []string {
	out := p.Blocks()
	for i := range p.names {
		n := &p.names[i]
		if n.family == "" || n.given == "" {
			continue
		}
		for _, area := range p.areas {
			whole := cutTo(n.family, familyBlock)
			out = append(out, "area:"+whole+":"+area)
			for _, part := range n.parts {
				if part = cutTo(part, familyBlock); part != whole {
					out = append(out, "area:"+part+":"+area)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// alphabet are all the initials that there are.
var alphabet = strings.Split("abcdefghijklmnopqrstuvwxyz*", "")

func appendNew(to []string, s string) []string {
	if slices.Contains(to, s) {
		return to
	}
	return append(to, s)
}

// initialOf returns the first letter of a folded word that is not empty; a star stands for all that are
// not Latin.
func initialOf(s string) string {
	if s[0] >= 'a' && s[0] <= 'z' {
		return s[:1]
	}
	return "*"
}

package directory

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Tier says what a licence type allows. The same letters are different tiers in different states, so it
// is a function of (state, licence type) and never of the suffix.
type Tier string

// The tiers of data/titles.csv.
const (
	Independent    Tier = "independent"
	Supervised     Tier = "supervised"
	DegreeOnly     Tier = "degree_only"
	NotMH          Tier = "not_mh"
	PrescriberTier Tier = "prescriber" // may fill the medical role; no mental-health licence
)

// Title is a licence type of a state: data/titles.csv. An unconfirmed row decides nothing.
type Title struct {
	State         State
	BoardType     string // the board's own code or word
	Profession    string
	Name          string
	Abbreviations []string
	Tier          Tier
	Confirmed     bool
	SourceURL     string
	Checked       Date
}

// Eligible reports a confirmed, independent mental-health licence.
func (t Title) Eligible() bool { return t.Confirmed && t.Tier == Independent }

// Licence returns the board's code of the licence itself: a row such as APN+PMH is the licence APN with
// the psychiatric population, and has its number.
func (t Title) Licence() string {
	code, _, _ := strings.Cut(t.BoardType, "+")
	return code
}

// MayPrescribe reports whether the licence can fill the medical-oversight role: a physician, a nurse
// practitioner or a physician assistant.
func (t Title) MayPrescribe() bool {
	switch t.Profession {
	case "physician", "psychiatrist", "nurse_practitioner", "psych_np", "physician_assistant":
		return true
	}
	return false
}

// Title finds the licence type by the board's code, its name or an abbreviation, in that order.
// An abbreviation that means two types in the state finds neither: unknown is never guessed.
func (t *ReferenceTables) Title(s State, word string) (Title, bool) {
	of := t.titles[s]
	w := canonicalToken(word)
	if of == nil || w == "" {
		return Title{}, false
	}
	if r, ok := of.byBoardType[w]; ok {
		return r, true
	}
	if r, ok := of.byName[Fold(word)]; ok {
		return r, true
	}
	if rs := of.byAbbreviation[w]; len(rs) == 1 {
		return rs[0], true
	}
	return Title{}, false
}

// stateTitles are the licence types of one state by each of the words that name them.
type stateTitles struct {
	byBoardType, byName map[string]Title
	byAbbreviation      map[string][]Title
}

func (of *stateTitles) add(r Title) {
	of.byBoardType[canonicalToken(r.BoardType)] = r
	of.byName[Fold(r.Name)] = r
	for _, a := range r.Abbreviations {
		if w := canonicalToken(a); !slices.ContainsFunc(of.byAbbreviation[w], func(x Title) bool { return x.BoardType == r.BoardType }) {
			of.byAbbreviation[w] = append(of.byAbbreviation[w], r)
		}
	}
}

// Zone returns the zone in which the state's licences end their day: where a state has several, the
// earliest. An unknown state counts in UTC.
func (s State) Zone() *time.Location {
	if z, ok := zones.Load(s); ok {
		return z.(*time.Location)
	}
	z, err := time.LoadLocation(Tables().states[s].zone)
	if err != nil {
		z = time.UTC
	}
	zones.Store(s, z)
	return z
}

var zones sync.Map

// Programme is a recognised KAP training programme: data/programmes.csv.
type Programme struct {
	ID, Name, Issuer string
	Synonyms         []string
	Not              []string // look-alikes that are another thing
	Register         string   // its public register of graduates, if it has one

	folded, foldedNot []string
}

// Programme recognises a training programme in a source's words by the longest synonym that stands in
// them as whole words; a look-alike name in the same words wins over it and recognises nothing.
func (t *ReferenceTables) Programme(words string) (Programme, bool) {
	text := " " + Fold(words) + " "
	best, length := Programme{}, 0
	for _, p := range t.programmes {
		for _, s := range p.folded {
			if len(s) > length && strings.Contains(text, s) {
				best, length = p, len(s)
			}
		}
	}
	for _, p := range t.programmes {
		for _, n := range p.foldedNot {
			if length > 0 && len(n) >= length && strings.Contains(text, n) {
				return Programme{}, false
			}
		}
	}
	return best, length > 0
}

// foldWords folds each of the words and sets it between blanks, as whole words are looked for.
func foldWords(words ...string) []string {
	var out []string
	for _, w := range words {
		out = append(out, " "+Fold(w)+" ")
	}
	return out
}

// Programmes returns the recognised programmes in the table's order.
func (t *ReferenceTables) Programmes() []Programme { return t.programmes }

// suffixLexicon recognises credentials behind a name: data/suffixes.csv.
type suffixLexicon struct {
	tokens       map[string]string // canonical form → spelling of the table
	generational map[string]bool
	licence      map[string]bool
}

var lexicon = sync.OnceValue(func() *suffixLexicon {
	l := &suffixLexicon{map[string]string{}, map[string]bool{}, map[string]bool{}}
	for _, r := range readTable("suffixes.csv") {
		l.tokens[canonicalToken(r["token"])] = r["token"]
		switch r["kind"] {
		case "generational":
			l.generational[r["token"]] = true
		case "licence":
			l.licence[r["token"]] = true
		}
	}
	for _, g := range []string{"JR", "SR", "II", "III", "IV"} {
		l.tokens[g] = g
		l.generational[g] = true
	}
	return l
})

// find looks up the words as one token: "PMHNP BC" and "PMHNP-BC" are the same.
func (l *suffixLexicon) find(words []string) (string, bool) {
	t, ok := l.tokens[canonicalToken(strings.Join(words, ""))]
	return t, ok
}

// unclear reports letters that mean something else as well, a state or a kind of company, when they stand
// behind a licence: "LCSW, PA", "LCSW-C, MD". First behind the name, or behind degrees, they are credentials.
func (l *suffixLexicon) unclear(token string, before []string) bool {
	switch token {
	case "PA":
		return slices.ContainsFunc(before, func(b string) bool { return l.licence[b] || b == "PhD" || b == "PsyD" })
	case "MD":
		return slices.ContainsFunc(before, func(b string) bool { return l.licence[b] })
	}
	return false
}

// canonicalToken drops everything but letters and digits and raises the case: L.C.S.W. is LCSW.
func canonicalToken(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 32
		case r >= 'A' && r <= 'Z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

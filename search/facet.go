package search

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"kapdir/directory"
)

// facet numbers the ways to divide providers, in the order in which a page shows them.
type facet int

const (
	facetState facet = iota
	facetCare
	facetCheck
	facetAccepting
	facetFocus
	facetFramework
	facetPopulation
	facetRoute
	facetSetting
	facetVideo
	facetPayment
	facetAccess
	facetFormat
	facetLanguage
	facetLicence
	facetProgramme
	facets
)

var facetNames = [facets]string{"state", "care", "check", "accepting", "focus", "framework", "population", "route", "setting", "video", "payment", "access", "format",
	"language", "licence", "programme"}

var facetByName = func() map[string]facet {
	m := map[string]facet{}
	for f, n := range facetNames {
		m[n] = facet(f)
	}
	return m
}()

// FilterNames lists the names a Query's filters may have. The state is a field of the Query itself.
var FilterNames = facetNames[1:]

// The values of the facet accepting.
const (
	acceptingYes      = "yes"
	acceptingWaitlist = "waitlist"
	acceptingNo       = "no"
	acceptingUnknown  = "unknown"
)

var acceptingValues = []string{acceptingYes, acceptingWaitlist, acceptingNo, acceptingUnknown}

// The values of the facets video and payment. That nobody states something is no value of theirs: silence is
// neither yes nor no.
var (
	videoValues   = []string{"yes", "no"}
	paymentValues = []string{"sliding_scale", "superbill"}
)

// vocabulary returns the values a facet may have, in the order in which a page shows them; nil for one
// whose values come from the records.
func (f facet) vocabulary() []string {
	switch f {
	case facetCare:
		var out []string
		for _, c := range directory.CareTypes {
			out = append(out, string(c))
		}
		return out
	case facetCheck:
		return checkValues
	case facetAccepting:
		return acceptingValues
	case facetVideo:
		return videoValues
	case facetPayment:
		return paymentValues
	case facetFocus, facetFramework, facetPopulation, facetRoute, facetSetting, facetAccess, facetFormat:
		return directory.Vocabulary[facetNames[f]]
	case facetProgramme:
		var out []string
		for _, p := range directory.Tables().Programmes() {
			out = append(out, p.ID)
		}
		return out
	}
	return nil
}

// accepts reports whether v could be a value of the facet. A language or licence that nobody has is one.
func (f facet) accepts(v string) bool {
	if words := f.vocabulary(); words != nil {
		return slices.Contains(words, v)
	}
	return v != "" && len(v) <= 60 && strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) < 0
}

// checkValues lists the values of the facet check: "license:confirmed" and so on, the best result first.
var checkValues = func() []string {
	var out []string
	for _, c := range directory.CheckNames {
		for i := len(directory.CheckResults) - 1; i >= 0; i-- {
			out = append(out, string(c)+":"+string(directory.CheckResults[i]))
		}
	}
	return out
}()

// checkValue returns the place in checkValues of a check's result, both by their place in
// directory.CheckNames and directory.CheckResults.
func checkValue(check int, result uint8) int {
	n := len(directory.CheckResults)
	return check*n + n - 1 - int(result)
}

// lexicon gives each value of a facet a small number, so that counting is adding to an array. It only
// grows, and holds no more than the values met in documents.
type lexicon struct {
	mu     sync.RWMutex
	number [facets]map[string]int32
	words  [facets][]string
}

func newLexicon() *lexicon {
	l := &lexicon{}
	for f := range facets {
		l.number[f] = map[string]int32{}
		for _, v := range f.vocabulary() {
			l.add(f, v)
		}
	}
	return l
}

// add returns the number of the value, a new one if it has none.
func (l *lexicon) add(f facet, v string) int32 {
	l.mu.RLock()
	n, ok := l.number[f][v]
	l.mu.RUnlock()
	if ok {
		return n
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, ok := l.number[f][v]; ok {
		return n
	}
	n = int32(len(l.words[f]))
	l.words[f] = append(l.words[f], v)
	l.number[f][v] = n
	return n
}

// find returns the number of the value, or -1.
func (l *lexicon) find(f facet, v string) int32 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if n, ok := l.number[f][v]; ok {
		return n
	}
	return -1
}

// all returns the values of a facet by their numbers. The caller must not change them.
func (l *lexicon) all(f facet) []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.words[f][:len(l.words[f]):len(l.words[f])]
}

// present makes the public form of one facet from its counts. A chosen value stands even with none.
func present(f facet, words []string, counts []int, chosen []string) Facet {
	out := Facet{Name: facetNames[f], Label: FacetLabel(facetNames[f])}
	seen := map[string]bool{}
	for n, w := range words {
		selected := slices.Contains(chosen, w)
		count := 0
		if n < len(counts) {
			count = counts[n]
		}
		seen[w] = true
		if count == 0 && !selected || f == facetLicence && !selected && !isProfession(w) {
			continue // letters such as LCSW can be asked for; the list shows professions
		}
		out.Values = append(out.Values, FacetValue{Value: w, Label: Label(facetNames[f], w), Count: count, Selected: selected})
	}
	for _, v := range chosen {
		if !seen[v] {
			seen[v] = true
			out.Values = append(out.Values, FacetValue{Value: v, Label: Label(facetNames[f], v), Selected: true})
		}
	}
	switch vocabulary := f.vocabulary(); {
	case f == facetState:
		slices.SortFunc(out.Values, func(a, b FacetValue) int { return cmp.Compare(a.Label, b.Label) })
	case vocabulary == nil || f == facetProgramme:
		slices.SortFunc(out.Values, func(a, b FacetValue) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value))
		})
	}
	return out
}

// spell returns the values of the numbers.
func (l *lexicon) spell(f facet, numbers []int32) []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = l.words[f][n]
	}
	return out
}

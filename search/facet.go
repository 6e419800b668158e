package search

import (
	"cmp"
	"encoding/json"
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

var facetLabels = func() (labels [facets]string) {
	for f, n := range facetNames {
		labels[f] = FacetLabel(n)
	}
	return labels
}()

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

// lexicon gives each value of a facet a number. It only grows, and holds no more than the values met in
// documents. The numbers below 64 are for the values of short lists and the next 64 for states, so that
// what a document has of them is one bit each of two words; any other number stands in a list.
type lexicon struct {
	mu     sync.RWMutex
	number [facets]map[string]int32
	values [facets][]int32 // the numbers of a facet, in the order in which they came
	names  []*FacetName    // by number; nil is no value
	next   [3]int32        // the next free number of each kind: short lists, states, others
}

const (
	firstState = 64
	firstOther = 128
)

// firstCheck is the number of the first of checkValues.
const firstCheck = firstOther

func newLexicon() *lexicon {
	l := &lexicon{names: make([]*FacetName, firstOther), next: [3]int32{0, firstState, firstOther}}
	for f := range facets {
		l.number[f] = map[string]int32{}
	}
	for _, v := range checkValues { // first of the others: see firstCheck
		l.add(facetCheck, v)
	}
	for f := range facets {
		for _, v := range f.vocabulary() {
			l.add(f, v)
		}
	}
	states := slices.Clone(directory.Tables().States())
	slices.SortFunc(states, func(a, b directory.State) int {
		return cmp.Compare(Label("state", string(a)), Label("state", string(b)))
	}) // as they are shown
	for _, s := range states {
		l.add(facetState, string(s))
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
	kind := 2
	switch {
	case f == facetState:
		kind = 1
	case f != facetLanguage && f != facetLicence && f != facetProgramme && f != facetCheck:
		kind = 0
	}
	if kind < 2 && l.next[kind] == int32(kind+1)*64 { // its bits are taken
		kind = 2
	}
	n = l.next[kind]
	l.next[kind]++
	names := slices.Clone(l.names) // whoever reads the old ones goes on reading them
	if int(n) == len(names) {
		names = append(names, nil)
	}
	names[n] = newFacetName(f, v)
	l.names = names
	l.number[f][v] = n
	l.values[f] = append(l.values[f], n)
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

func newFacetName(f facet, v string) *FacetName {
	n := &FacetName{Value: v, Label: Label(facetNames[f], v)}
	var b strings.Builder
	for i, s := range [...]string{n.Value, n.Label} {
		b.WriteString([...]string{`"value":`, `,"label":`}[i])
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.Encode(s) // a string, into memory
	}
	n.JSON = strings.ReplaceAll(b.String(), "\n", "") // which an encoder ends with, and no string has as it is
	return n
}

// all returns the numbers of a facet's values, and the names of all numbers. The caller must not change them.
func (l *lexicon) all(f facet) (numbers []int32, names []*FacetName) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.values[f][:len(l.values[f]):len(l.values[f])], l.names
}

// size is one more than the highest number.
func (l *lexicon) size() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.names)
}

// countedOf tells how many of the counts are any.
func countedOf(counts []int32) (n int) {
	for _, c := range counts {
		if c > 0 {
			n++
		}
	}
	return n
}

// present makes the public form of one facet from the counts by number, with its values behind those of others. A
// chosen value stands even with none.
func (l *lexicon) present(f facet, counts []int32, chosen []string, all []FacetValue) (Facet, []FacetValue) {
	numbers, names := l.all(f)
	start := len(all)
	for _, n := range numbers {
		count := 0
		if int(n) < len(counts) {
			count = int(counts[n])
		}
		if count == 0 && len(chosen) == 0 {
			continue
		}
		selected := slices.Contains(chosen, names[n].Value)
		if count == 0 && !selected || f == facetLicence && !selected && !isProfession(names[n].Value) {
			continue // letters such as LCSW can be asked for; the list shows professions
		}
		all = append(all, FacetValue{names[n], count, selected})
	}
	for _, v := range chosen {
		if !slices.ContainsFunc(all[start:], func(x FacetValue) bool { return x.Value == v }) {
			all = append(all, FacetValue{newFacetName(f, v), 0, true})
		}
	}
	out := Facet{Name: facetNames[f], Label: facetLabels[f]}
	if len(all) > start {
		out.Values = slices.Clip(all[start:])
	}
	switch f {
	case facetLanguage, facetLicence, facetProgramme:
		slices.SortFunc(out.Values, func(a, b FacetValue) int {
			if a.Count != b.Count {
				return b.Count - a.Count
			}
			return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value))
		})
	}
	return out, all
}

// spell returns the values of the numbers.
func (l *lexicon) spell(numbers []int32) []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = l.names[n].Value
	}
	return out
}

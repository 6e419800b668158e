package search

import (
	"slices"
	"strings"
	"sync"

	"kapdir/directory"
)

// Held is what the index holds of one provider, so that another engine can be measured on the same.
type Held struct {
	Name   string
	Text   string              // the words by which the provider is found, each once
	Values map[string][]string // of the facets, by their names, the checks aside
	Price  int64               // the lowest of a medicine session in cents; -1 is not stated
	Points []directory.Point   // of the sites
}

var heldLexicon = sync.OnceValue(newLexicon)

// HeldOf works out what an index with these policies would hold of a provider at the moment.
func HeldOf(policies directory.Policies, c directory.Change, at directory.Instant) Held {
	l := heldLexicon()
	d := maker{policies, l}.document(c, at)
	words := slices.Concat(d.text[:]...)
	slices.Sort(words)
	h := Held{Name: d.display, Text: strings.Join(slices.Compact(words), " "), Values: map[string][]string{}, Price: d.price, Points: d.points}
	for f := range facets {
		h.Values[facetNames[f]] = l.spell(d.values[f])
	}
	return h
}

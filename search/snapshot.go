package search

import (
	"context"
	"slices"
	"strings"
	"sync"

	"kapdir/directory"
)

// snapshot holds the documents of one moment in memory. It does not change: applying changes makes
// another. Filters, facets, distances and order are worked out on it; only the words are the matcher's.
type snapshot struct {
	seq  int64       // all changes up to this number are in it
	docs []*document // by id
	next int64       // when the first document's checks change by themselves, in Unix milliseconds; 0 is never

	once      sync.Once
	completed *completions
}

// completions are worked out when first asked for.
func (s *snapshot) completions(l *lexicon) *completions {
	s.once.Do(func() { s.completed = newCompletions(s, l) })
	return s.completed
}

func newSnapshot(docs []*document, seq int64) *snapshot {
	s := &snapshot{seq: seq, docs: docs}
	for _, d := range docs {
		if d.until != 0 && (s.next == 0 || d.until < s.next) {
			s.next = d.until
		}
	}
	return s
}

func byID(d *document, id directory.ID) int { return strings.Compare(string(d.id), string(id)) }

// find returns the place of a provider among the documents.
func (s *snapshot) find(id directory.ID) (int, bool) {
	return slices.BinarySearchFunc(s.docs, id, byID)
}

// with returns the snapshot with the documents put in or replaced and the dropped ones left out.
func (s *snapshot) with(puts []*document, drops []directory.ID, seq int64) *snapshot {
	gone := make(map[directory.ID]bool, len(puts)+len(drops))
	for _, d := range puts {
		gone[d.id] = true
	}
	for _, id := range drops {
		gone[id] = true
	}
	docs := make([]*document, 0, len(s.docs)+len(puts))
	for _, d := range s.docs {
		if !gone[d.id] {
			docs = append(docs, d)
		}
	}
	docs = append(docs, puts...)
	slices.SortFunc(docs, func(a, b *document) int { return strings.Compare(string(a.id), string(b.id)) })
	return newSnapshot(docs, seq)
}

// matcher says which documents hold the words of a query. There are two: the index, and a plain reading
// of every document, which answers while there is no index and is what the index is tested against.
type matcher interface {
	// match returns what each document of the snapshot holds of the terms, by its place; the zero match
	// for one that does not hold them all.
	match(ctx context.Context, terms []term) ([]match, error)
}

// match says how a document holds the terms: how near the worst of them, and how weighty in all.
type match struct {
	class class
	score float64
	in    uint16 // the fields, as bits
}

// class says how near a word is to the one asked for. A nearer class stands first whatever else holds,
// but for a problem on record.
type class uint8

const (
	absent class = iota
	misspelt
	begins
	exact
)

// tally adds up the matches of the terms one after another. Both matchers use it, so that they differ
// only in how they find words.
type tally struct {
	hits []match
	term []match // of the term at hand
	any  bool
}

func newTally(n int) *tally { return &tally{hits: make([]match, n), term: make([]match, n)} }

// saw notes that the document holds the term at hand in the field. Of several ways to hold it the
// nearest counts, and of its fields the weightiest.
func (t *tally) saw(doc int, c class, f field) {
	m := &t.term[doc]
	switch {
	case c > m.class:
		*m = match{class: c, in: 1 << f}
	case c == m.class:
		m.in |= 1 << f
	}
}

// next ends the term at hand.
func (t *tally) next() {
	for i := range t.term {
		m, h := &t.term[i], &t.hits[i]
		switch {
		case m.class == absent:
			*h = match{}
		case !t.any:
			*h = match{m.class, m.weight(), m.in}
		case h.class != absent:
			*h = match{min(h.class, m.class), h.score + m.weight(), h.in | m.in}
		}
		*m = match{}
	}
	t.any = true
}

func (m *match) weight() float64 {
	w := 0.0
	for f := range fields {
		if m.in&(1<<f) != 0 {
			w = max(w, fieldWeights[f])
		}
	}
	switch m.class {
	case begins:
		w *= 0.75
	case misspelt:
		w *= 0.5
	}
	return w
}

// closeSpelling is said of a match by words that were not spelt as in the query.
const closeSpelling = "close spelling"

// why names the places in which the words stand. That a former name matched is told as a name: which
// other name somebody had is theirs to tell.
func (m match) why() []string {
	var out []string
	for f := range fields {
		if m.in&(1<<f) == 0 {
			continue
		}
		name := fieldNames[f]
		if f == fieldFormer {
			name = fieldNames[fieldName]
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if m.class == misspelt {
		out = append(out, closeSpelling)
	}
	return out
}

package search

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	index "github.com/blevesearch/bleve_index_api"

	"kapdir/directory"
)

// wordIndex matches words by the index, at the state it had when the reader was taken. It is the only
// way the words of a query reach bleve: no query syntax, no expression, no disjunction is built, and at
// most three misspelt words and one beginning are looked up in the dictionary, so the work is bounded by
// the size of the index and not by what was typed.
type wordIndex struct {
	reader index.IndexReader
	places []int32 // place in the snapshot by the index's own number; -1 is none
	size   int

	partial bool // the snapshot leaves out some of what the index holds, which is passed over
}

// passed is the place of a document that a partial snapshot leaves out.
const passed = -2

// newWordIndex takes a reader and finds each document of the snapshot in it. It fails unless the two
// hold the same providers.
func newWordIndex(store index.Index, s *snapshot) (*wordIndex, error) {
	reader, err := store.Reader()
	if err != nil {
		return nil, err
	}
	w := &wordIndex{reader: reader, size: len(s.docs)}
	if err := w.place(s); err != nil {
		reader.Close()
		return nil, err
	}
	return w, nil
}

func (w *wordIndex) place(s *snapshot) error {
	ids, err := w.reader.DocIDReaderAll()
	if err != nil {
		return err
	}
	defer ids.Close()
	n := 0
	for {
		internal, err := ids.Next()
		if err != nil {
			return err
		}
		if internal == nil {
			break
		}
		id, err := w.reader.ExternalID(internal)
		if err != nil {
			return err
		}
		at, ok := s.find(directory.ID(id))
		if !ok && !w.partial {
			return fmt.Errorf("the index holds %q, which the feed does not", id)
		}
		number := int(internal.Value())
		if number > 8*len(s.docs)+1<<20 {
			return fmt.Errorf("the index numbers a document %d", number)
		}
		for len(w.places) <= number {
			w.places = append(w.places, -1)
		}
		if !ok {
			w.places[number] = passed
			continue
		}
		w.places[number] = int32(at)
		n++
	}
	if n != len(s.docs) {
		return fmt.Errorf("the index holds %d documents, the feed %d", n, len(s.docs))
	}
	return nil
}

func (w *wordIndex) match(ctx context.Context, terms []term) ([]match, error) {
	t := newTally(w.size)
	for _, x := range terms {
		near, err := w.near(ctx, x)
		if err != nil {
			return nil, err
		}
		for word, c := range near {
			for f := range fields {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				if err := w.each(ctx, f.indexed(), word, func(doc int) { t.saw(doc, c, f) }); err != nil {
					return nil, err
				}
			}
		}
		t.next()
	}
	return t.hits, nil
}

// near returns the words of the index that the term stands for, and how near each is. They are looked up
// in the field that holds the words of all: to make an automaton of a word costs more than to use it.
func (w *wordIndex) near(ctx context.Context, x term) (map[string]class, error) {
	near := map[string]class{x.text: exact}
	take := func(dict index.FieldDict, err error, c class) error {
		if err != nil {
			return err
		}
		defer dict.Close()
		for {
			e, err := dict.Next()
			if err != nil || e == nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			near[e.Term] = max(near[e.Term], c)
		}
	}
	if x.prefix {
		dict, err := w.reader.FieldDictPrefix(indexAny, []byte(x.text))
		if err := take(dict, err, begins); err != nil {
			return nil, err
		}
	}
	if x.edits > 0 {
		fuzzy, ok := w.reader.(index.IndexReaderFuzzy)
		if !ok {
			return nil, fmt.Errorf("the index cannot look up misspelt words")
		}
		_, first := utf8.DecodeRuneInString(x.text)
		dict, err := fuzzy.FieldDictFuzzy(indexAny, x.text, x.edits, x.text[:first])
		if err := take(dict, err, misspelt); err != nil {
			return nil, err
		}
	}
	return near, nil
}

// each calls found for every document that holds the word in the field.
func (w *wordIndex) each(ctx context.Context, name, word string, found func(doc int)) error {
	postings, err := w.reader.TermFieldReader(ctx, []byte(word), name, false, false, false)
	if err != nil {
		return err
	}
	defer postings.Close()
	var doc index.TermFieldDoc
	for {
		d, err := postings.Next(doc.Reset())
		if err != nil || d == nil {
			return err
		}
		number := int(d.ID.Value())
		if w.partial && number < len(w.places) && w.places[number] == passed {
			continue
		}
		if number >= len(w.places) || w.places[number] < 0 {
			return fmt.Errorf("the index names a document %d that it does not hold", number)
		}
		found(int(w.places[number]))
	}
}

// stored calls f with what the index stores of each document.
func stored(reader index.IndexReader, f func(id directory.ID, version string) error) error {
	ids, err := reader.DocIDReaderAll()
	if err != nil {
		return err
	}
	defer ids.Close()
	for {
		internal, err := ids.Next()
		if err != nil || internal == nil {
			return err
		}
		id, err := reader.ExternalID(internal)
		if err != nil {
			return err
		}
		doc, err := reader.Document(id)
		if err != nil {
			return err
		}
		if doc == nil {
			return fmt.Errorf("the index lists %q and does not hold it", id)
		}
		version := ""
		doc.VisitFields(func(f index.Field) {
			if f.Name() == indexVersion {
				version = string(f.Value())
			}
		})
		if err := f(directory.ID(id), version); err != nil {
			return err
		}
	}
}

// verify compares every word of the text fields and every keyword with the documents of the snapshot:
// nothing more stands in the index, and nothing less. Damage inside a segment raises no error of its own.
func (w *wordIndex) verify(ctx context.Context, s *snapshot, l *lexicon) error {
	for f := range fields {
		if err := w.verifyField(ctx, f.indexed(), s, func(d *document) []string { return d.text[f] }); err != nil {
			return err
		}
	}
	if err := w.verifyField(ctx, indexAny, s, (*document).words); err != nil {
		return err
	}
	for f := range facets {
		if err := w.verifyField(ctx, facetNames[f], s, func(d *document) []string { return d.keywords(f, l) }); err != nil {
			return err
		}
	}
	return w.verifyField(ctx, indexTelehealth, s, func(d *document) []string { return stateWords(d.telehealth) })
}

func (w *wordIndex) verifyField(ctx context.Context, name string, s *snapshot, words func(*document) []string) error {
	expected := map[string][]int32{}
	for i, d := range s.docs {
		for _, word := range words(d) {
			expected[word] = append(expected[word], int32(i))
		}
	}
	dict, err := w.reader.FieldDict(name)
	if err != nil {
		return err
	}
	defer dict.Close()
	var got []int32
	for {
		e, err := dict.Next()
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		got = got[:0]
		if err := w.each(ctx, name, e.Term, func(doc int) { got = append(got, int32(doc)) }); err != nil {
			return err
		}
		slices.Sort(got)
		if !slices.Equal(got, slices.Compact(expected[e.Term])) {
			return fmt.Errorf("the index holds a word of the field %s for other providers than the feed", name)
		}
		delete(expected, e.Term)
	}
	if len(expected) > 0 {
		return fmt.Errorf("the index has lost %d words of the field %s", len(expected), name)
	}
	return nil
}

// epoch is what searches answer from: documents, and the index of their words at the same moment; words
// is nil while there is none. An epoch closes its reader when the last search on it ends.
type epoch struct {
	docs  *snapshot
	words *wordIndex
	seq   atomic.Int64 // all changes up to this number are in it; it may be past docs.seq
	users atomic.Int64
	idle  chan struct{} // closed when it is no longer serving and nobody uses it
}

func newEpoch(docs *snapshot, words *wordIndex) *epoch {
	e := &epoch{docs: docs, words: words, idle: make(chan struct{})}
	e.seq.Store(docs.seq)
	e.users.Store(1)
	return e
}

func (e *epoch) release() {
	if e.users.Add(-1) == 0 {
		if e.words != nil {
			e.words.reader.Close()
		}
		close(e.idle)
	}
}

func (e *epoch) matcher() matcher {
	if e.words != nil {
		return e.words
	}
	return plain{e.docs}
}

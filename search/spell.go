package search

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	index "github.com/blevesearch/bleve_index_api"

	"kapdir/directory"
)

// spelt are the fields whose words may be offered as another spelling. What somebody was called before is
// never among them.
var spelt = []field{fieldName, fieldOrg, fieldPlace, fieldProgramme, fieldWords}

// mostSpellings bounds the words that are offered for one.
const mostSpellings = 4

// Known reports a word of the name of some person in the directory, as it is shown. The words of a practice's
// name are not known: healing, center and for would be somebody.
func (x *Index) Known(word string) bool {
	e, err := x.current()
	if err != nil {
		return false
	}
	defer e.release()
	person := false
	look := func(d *document) {
		if _, practice := slices.BinarySearch(d.text[fieldWords], wordOfPractices); !practice {
			person = true
		}
	}
	if e.words == nil {
		for _, d := range e.docs.docs {
			if _, ok := slices.BinarySearch(d.text[fieldName], word); ok {
				look(d)
			}
		}
		return person
	}
	err = safely(func() error {
		return e.words.each(context.Background(), fieldName.indexed(), word, func(doc int) { look(e.docs.docs[doc]) })
	})
	return err == nil && person
}

// holds tells how many documents have the word in the field; what cannot be told is 0.
func (e *epoch) holds(word string, f field) (n int) {
	if e.words == nil {
		for _, d := range e.docs.docs {
			if _, ok := slices.BinarySearch(d.text[f], word); ok {
				n++
			}
		}
		return n
	}
	err := safely(func() error {
		p, err := e.words.reader.TermFieldReader(context.Background(), []byte(word), f.indexed(), false, false, false)
		if err != nil {
			return err
		}
		n = int(p.Count())
		return p.Close()
	})
	if err != nil {
		return 0
	}
	return n
}

// Spellings returns words of the directory near to the word: with few letters wrong, and of names those that
// sound the same; the nearest first, of equals those that more providers have. A word that the directory
// has, or a number, has none.
func (x *Index) Spellings(ctx context.Context, word string) []string {
	if !mayBeMisspelt(word) {
		return nil
	}
	e, err := x.current()
	if err != nil {
		return nil
	}
	defer e.release()
	type candidate struct{ far, n int }
	found := map[string]candidate{}
	runes := []rune(word)
	most := 1
	if len(runes) >= 6 {
		most = 2
	}
	for _, f := range spelt {
		if e.holds(word, f) > 0 {
			return nil
		}
		near, err := e.near(ctx, f, word, most)
		if err != nil {
			return nil
		}
		for w, n := range near {
			found[w] = candidate{editDistance(runes, []rune(w), most), found[w].n + n}
		}
	}
	for _, w := range x.sounding(e)[directory.SoundOf(word)] {
		if _, ok := found[w]; !ok {
			found[w] = candidate{most + 1, e.holds(w, fieldName)}
		}
	}
	var out []string
	for w := range found {
		out = append(out, w)
	}
	slices.SortFunc(out, func(a, b string) int {
		return cmp.Or(cmp.Compare(found[a].far, found[b].far), cmp.Compare(found[b].n, found[a].n), cmp.Compare(a, b))
	})
	return out[:min(len(out), mostSpellings)]
}

// near returns the words of a field that differ by few letters, with how many documents have each.
func (e *epoch) near(ctx context.Context, f field, word string, most int) (map[string]int, error) {
	out := map[string]int{}
	if e.words == nil {
		runes := []rune(word)
		for i, d := range e.docs.docs {
			if i%256 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			for _, w := range d.text[f] {
				if editDistance(runes, []rune(w), most) <= most && !isNumber(w) {
					out[w]++
				}
			}
		}
		return out, nil
	}
	err := safely(func() error {
		fuzzy, ok := e.words.reader.(index.IndexReaderFuzzy)
		if !ok {
			return nil
		}
		_, first := utf8.DecodeRuneInString(word)
		dict, err := fuzzy.FieldDictFuzzy(f.indexed(), word, most, word[:first])
		if err != nil {
			return err
		}
		defer dict.Close()
		for {
			entry, err := dict.Next()
			if err != nil || entry == nil {
				return err
			}
			out[entry.Term] = int(entry.Count)
		}
	})
	return out, err
}

// sounds are the words of names by how they sound. They are worked out when first needed and then kept for
// some minutes: a name that came since is offered a little later, and one that went finds nobody.
type sounds struct {
	mu   sync.Mutex
	at   time.Time
	from *epoch
	of   map[string][]string
}

const soundsLast = 5 * time.Minute

func (x *Index) sounding(e *epoch) map[string][]string {
	s := &x.sounds
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != nil && (s.from == e || time.Since(s.at) < soundsLast) {
		return s.of
	}
	of := map[string][]string{}
	add := func(w string) {
		if code := directory.SoundOf(w); code != "" {
			of[code] = append(of[code], w)
		}
	}
	if e.words == nil {
		seen := map[string]bool{}
		for _, d := range e.docs.docs {
			for _, w := range d.text[fieldName] {
				if !seen[w] {
					seen[w] = true
					add(w)
				}
			}
		}
	} else if err := safely(func() error {
		dict, err := e.words.reader.FieldDict(fieldName.indexed())
		if err != nil {
			return err
		}
		defer dict.Close()
		for {
			entry, err := dict.Next()
			if err != nil || entry == nil {
				return err
			}
			add(entry.Term)
		}
	}); err != nil {
		return nil
	}
	s.of, s.at, s.from = of, time.Now(), e
	return of
}

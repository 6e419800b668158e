package search

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"kapdir/directory"
)

// spelt are the fields whose words may be offered as another spelling. What somebody was called before is
// never among them.
var spelt = []field{fieldName, fieldOrg, fieldPlace, fieldProgramme, fieldWords}

// mostSpellings bounds the words that are offered for one.
const mostSpellings = 4

// Known reports a word of the name of some person in the directory, as it is shown. The words of a practice's
// name are not known: healing, center and for would be somebody. A word that the time of ctx did not allow to look
// for is not known.
func (x *Index) Known(ctx context.Context, word string) bool {
	e, err := x.current()
	if err != nil {
		return false
	}
	defer e.release()
	if known, ok := e.known.Load(word); ok { // of words that somebody has; of others it would grow without end
		return known.(bool)
	}
	if e.holds(word, fieldName) == 0 {
		return false
	}
	var hits []hit
	err = safely(func() (err error) {
		hits, err = e.matcher().match(ctx, []term{{text: word}}, new(hitRoom))
		return err
	})
	if err != nil {
		return false
	}
	s := e.docs
	practice := map[uint32]bool{} // the terms of a practice
	if at, ok := slices.BinarySearch(s.words.words, wordOfPractices); ok {
		for i := s.words.starts[at]; i < s.words.starts[at+1]; i++ {
			practice[s.words.numbers[i]] = s.words.in[i]&(1<<fieldWords) != 0
		}
	}
	known := slices.ContainsFunc(hits, func(h hit) bool {
		person := h.in&(1<<fieldName) != 0
		eachTerm(s.terms.of(h.doc), func(n uint32) { person = person && !practice[n] }, func([]byte) {})
		return person
	})
	e.known.Store(word, known)
	return known
}

// holds tells how many documents have the word in the field.
func (e *epoch) holds(word string, f field) int {
	l := e.docs.words
	at, ok := slices.BinarySearch(l.words, word)
	if !ok {
		return 0
	}
	return e.docs.holders(at, f)
}

// holders tells how many documents have a word of the list in the field. A word that came since is nobody's.
func (s *snapshot) holders(word int, f field) (n int) {
	l := s.words
	for i := l.starts[word]; i < l.starts[word+1]; i++ {
		if l.in[i]&(1<<f) != 0 && int(l.numbers[i]) < len(s.uses) {
			n += int(s.uses[l.numbers[i]])
		}
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
		for _, v := range e.docs.words.find(term{text: word, edits: most}) {
			if n := e.docs.holders(v.word, f); n > 0 {
				w := e.docs.words.words[v.word]
				found[w] = candidate{editDistance(runes, []rune(w), most), found[w].n + n}
			}
		}
	}
	for _, w := range x.sounding(e)[directory.SoundOf(word)] { // of words of three letters or more
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

// sounds are the words of names by how they sound. They are worked out when first needed and then kept for
// some minutes: a name that came since is offered a little later, and one that went finds nobody.
type sounds struct {
	mu   sync.Mutex
	at   time.Time
	from *epoch
	of   map[string][]string
}

// leastSound is the length from which a word is offered for its sound: Li sounds like Lee, Leigh and Lau.
const leastSound = 3

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
	for i, w := range e.docs.words.words {
		if len(w) >= leastSound && e.docs.holders(i, fieldName) > 0 {
			add(w)
		}
	}
	s.of, s.at, s.from = of, time.Now(), e
	return of
}

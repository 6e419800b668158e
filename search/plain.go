package search

import (
	"context"
	"strings"
	"unicode/utf8"
)

// plain matches words by reading every document. It is slow and has nothing that can break.
type plain struct{ docs *snapshot }

func (p plain) match(ctx context.Context, terms []term, room *hitRoom) ([]hit, error) {
	s := p.docs
	known := s.table.all()
	near := make([][]class, len(terms)) // of each term of the index, for each of the query
	for i, x := range terms {
		near[i] = make([]class, len(known))
		runes := []rune(x.text)
		for n, t := range known {
			if n%4096 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			word, _ := cutTerm(t)
			near[i][n] = x.nearest(runes, word)
		}
	}
	hits := room.hits[:0]
	for i, doc := range s.byID {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var classes [maxTerms]class
		var ins [maxTerms]uint8
		saw := func(i int, c class, in uint8) {
			switch {
			case c == absent || c < classes[i]:
			case c > classes[i]:
				classes[i], ins[i] = c, in
			default:
				ins[i] |= in
			}
		}
		eachTerm(s.terms.of(doc), func(n uint32) {
			for i := range near {
				if c := near[i][n]; c != absent {
					_, in := cutTerm(known[n])
					saw(i, c, in)
				}
			}
		}, func(t []byte) {
			word, in := cutTerm(string(t))
			for i, x := range terms {
				saw(i, x.nearest(nil, word), in)
			}
		})
		h := hit{doc: doc}
		all := true
		for i := range terms {
			if all = all && classes[i] != absent; all {
				h.and(classes[i], ins[i])
			}
		}
		if all {
			hits = append(hits, h)
		}
	}
	room.hits = hits
	return hits, nil
}

// nearest returns how near a word comes to the term. A word with a digit is a number: only one with a digit
// is the beginning of it, and it is never misspelt.
func (t term) nearest(runes []rune, w string) class {
	number := hasDigit(w)
	switch {
	case w == t.text:
		return exact
	case t.prefix && strings.HasPrefix(w, t.text) && (!number || hasDigit(t.text) && utf8.RuneCountInString(t.text) >= minNumber):
		return begins
	case t.edits > 0 && !number && t.misspells(runes, w):
		return misspelt
	}
	return absent
}

// misspells reports a word that has the same first letter and differs by no more letters than allowed.
func (t term) misspells(runes []rune, w string) bool {
	if d := len(w) - len(t.text); d > 4*t.edits || -d > 4*t.edits || !strings.HasPrefix(w, string(runes[0])) {
		return false
	}
	return editDistance(runes, []rune(w), t.edits) <= t.edits
}

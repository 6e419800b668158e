package search

import (
	"context"
	"slices"
	"strings"
)

// plain matches words by reading every document. It is slow and has nothing that can break.
type plain struct{ docs *snapshot }

func (p plain) match(ctx context.Context, terms []term) ([]match, error) {
	t := newTally(len(p.docs.docs))
	for _, term := range terms {
		runes := []rune(term.text)
		for i, d := range p.docs.docs {
			if i%256 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			for f := range fields {
				if c := term.nearest(runes, d.text[f]); c != absent {
					t.saw(i, c, f)
				}
			}
		}
		t.next()
	}
	return t.hits, nil
}

// nearest returns how near the nearest of the sorted words comes to the term.
func (t term) nearest(runes []rune, words []string) class {
	at, ok := slices.BinarySearch(words, t.text)
	if ok {
		return exact
	}
	if t.prefix && at < len(words) && strings.HasPrefix(words[at], t.text) {
		return begins
	}
	if t.edits > 0 {
		for _, w := range words {
			if t.misspells(runes, w) {
				return misspelt
			}
		}
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

package crawler

import (
	"slices"
	"strings"

	"kapdir/directory"
)

// Standing reads the status of a licence, or of an NPI, as a person copied it from a source's own page, by the table
// that reads the source's file: the same words mean the same. Where the file has the status in several columns, the
// words may stand beside one another with commas, strokes or bars between them. on is the day on which the person
// looked.
//
// What no table knows is indeterminate, and so is an active licence whose last day had passed by then: both are for a
// person (contracts.md §4). A source without a table knows no words.
func Standing(source, words string, expires, on directory.Date) directory.Observed {
	if source == "nppes" || source == "npi-api" {
		switch directory.Fold(words) {
		case "active", "a":
			return directory.SeenActive
		case "deactivated", "d":
			return directory.SeenInactive
		}
		return directory.SeenIndeterminate
	}
	i := slices.IndexFunc(rosters, func(t roster) bool { return t.source == source })
	if i < 0 {
		return directory.SeenIndeterminate
	}
	seen, known := rosters[i].spoken([]string{words})
	if !known {
		seen, known = rosters[i].spoken(strings.FieldsFunc(words, func(r rune) bool { return strings.ContainsRune(",;/|", r) }))
	}
	switch {
	case !known, seen == silent:
		return directory.SeenIndeterminate
	case seen == directory.SeenActive && expires != "" && on != "" && expires < on:
		return directory.SeenIndeterminate
	}
	return seen
}

// spoken joins words as the columns of the register's file are joined; known is false if one of them is in no column's
// table.
func (t *roster) spoken(parts []string) (seen directory.Observed, known bool) {
	left := make([]string, 0, len(parts))
	for _, p := range parts {
		if p = directory.Fold(p); p != "" {
			left = append(left, p)
		}
	}
	if len(left) == 0 {
		return silent, false
	}
	read := make([]bool, len(left))
	for _, s := range t.says {
		if s.quiet {
			continue // its words stand on no page
		}
		for i, p := range left {
			o, ok := s.words[p]
			if !ok {
				continue
			}
			read[i] = true
			if !s.fills || seen == silent {
				seen = together(seen, o)
			}
		}
	}
	return seen, !slices.Contains(read, false)
}

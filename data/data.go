// Package data carries the reference tables that ship inside the program:
// sources, states, licence titles, training programmes, compacts, rules of law,
// what states ask of nurse practitioners, taxonomy codes, the credential lexicon, nicknames, family names, ZIP places, policies, page recipes and the
// demonstration, the studies that the guide names, and the text of the guide pages.
//
// The tables are facts with a source and a date, kept as files that a person
// can read, sort and correct; README.md in this folder describes each column.
// Package data only carries them: whoever uses a table parses it, and a table
// that does not parse fails the start. data_test.go reads every row, so a bad
// row is found before it is shipped.
package data

import "embed"

// FS holds every table, by its path within this folder: "titles.csv",
// "places/zips.csv.gz", "demo/manifest.json". It is read-only and safe for
// concurrent use.
//
//go:embed *.csv README.md NOTICE.md map places policies recipes demo guide
var FS embed.FS

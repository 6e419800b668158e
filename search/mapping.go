package search

import (
	"fmt"
	"strings"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/keyword"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/registry"
	"github.com/blevesearch/bleve/v2/search/searcher"

	"kapdir/directory"
)

// mappingVersion names what documents look like in the index. Raise it with every change to this file,
// to document.go or to synonym.go: an index of another version is built anew.
const mappingVersion = 3

// The internal keys of an index, written in the same batch as the documents they speak of.
var (
	keyMapping = []byte("kapdir:mapping")
	keyCursor  = []byte("kapdir:cursor")
)

// The fields of the index beside the text fields and the facets.
const (
	indexAny        = "text_any"   // the words of all text fields
	indexTelehealth = "telehealth" // state codes
	indexPrice      = "price"      // lowest of a medicine session, cents
	indexSeq        = "seq"
	indexUntil      = "valid_until" // Unix milliseconds: when the first check changes by itself
	indexVersion    = "version"     // stored: number, hash, end and moment of the document
)

// indexPoints are the fields of the sites' points, a field each: of a field with several points bleve's
// distance query looks at one only (search/searcher/search_geopointdistance.go, buildDistFilter), and
// whoever has two offices would be missed at one of them. A ninth site is known in memory alone.
var indexPoints = [8]string{"point_1", "point_2", "point_3", "point_4", "point_5", "point_6", "point_7", "point_8"}

// wordAnalyzer splits at blanks only: documents come folded, by the function that folds queries.
const wordAnalyzer = "kapdir_words"

func init() {
	err := registry.RegisterAnalyzer(wordAnalyzer, func(map[string]any, *registry.Cache) (analysis.Analyzer, error) { return words{}, nil })
	if err != nil {
		panic(err)
	}
	searcher.DisjunctionMaxClauseCount = 256 // unlimited by default; no query of ours comes near it
}

type words struct{}

// Analyze returns the words between blanks.
func (words) Analyze(text []byte) analysis.TokenStream {
	var out analysis.TokenStream
	at := 0
	for w := range strings.SplitSeq(string(text), " ") {
		if w != "" {
			out = append(out, &analysis.Token{Term: []byte(w), Start: at, End: at + len(w), Position: len(out) + 1})
		}
		at += len(w) + 1
	}
	return out
}

// newMapping is the whole of what the index holds: nothing is found out from documents.
func newMapping() mapping.IndexMapping {
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = keyword.Name
	m.StoreDynamic, m.IndexDynamic, m.DocValuesDynamic = false, false, false
	doc := bleve.NewDocumentStaticMapping()
	text := func(name, analyzer string, store bool) {
		f := bleve.NewTextFieldMapping()
		f.Analyzer, f.Store, f.Index = analyzer, store, !store
		f.IncludeTermVectors, f.IncludeInAll, f.DocValues, f.SkipFreqNorm = false, false, false, true
		doc.AddFieldMappingsAt(name, f)
	}
	for f := range fields {
		text(f.indexed(), wordAnalyzer, false)
	}
	text(indexAny, wordAnalyzer, false)
	for _, n := range facetNames {
		text(n, keyword.Name, false)
	}
	text(indexTelehealth, keyword.Name, false)
	text(indexVersion, keyword.Name, true)
	for _, n := range []string{indexPrice, indexSeq, indexUntil} {
		f := bleve.NewNumericFieldMapping()
		f.Store, f.IncludeInAll, f.DocValues = false, false, false
		doc.AddFieldMappingsAt(n, f)
	}
	point := bleve.NewGeoPointFieldMapping()
	point.Store, point.IncludeInAll, point.DocValues = false, false, true // the geo search checks candidates by their values
	for _, n := range indexPoints {
		doc.AddFieldMappingsAt(n, point)
	}
	m.DefaultMapping = doc
	return m
}

// indexed is the name of the text field in the index.
func (f field) indexed() string { return indexedNames[f] }

var indexedNames = func() (names [fields]string) {
	for f, n := range fieldNames {
		names[f] = "text_" + n
	}
	return names
}()

// indexed is the document as bleve takes it, by field name.
func (d *document) indexed(l *lexicon) map[string]any {
	m := map[string]any{indexSeq: float64(d.seq), indexVersion: d.version()}
	for f := range fields {
		if len(d.text[f]) > 0 {
			m[f.indexed()] = strings.Join(d.text[f], " ")
		}
	}
	if words := d.words(); len(words) > 0 {
		m[indexAny] = strings.Join(words, " ")
	}
	for f := range facets {
		if words := d.keywords(f, l); len(words) > 0 {
			m[facetNames[f]] = words
		}
	}
	if len(d.telehealth) > 0 {
		m[indexTelehealth] = stateWords(d.telehealth)
	}
	for i, p := range d.points[:min(len(d.points), len(indexPoints))] {
		m[indexPoints[i]] = map[string]any{"lat": p.Lat, "lon": p.Lon}
	}
	if d.price >= 0 {
		m[indexPrice] = float64(d.price)
	}
	if d.until != 0 {
		m[indexUntil] = float64(d.until)
	}
	return m
}

// keywords returns the values of a facet as the index holds them. A check is "CO|license|confirmed", or
// "~|license|confirmed" for the provider's home, and with it stands the moment until which it is good,
// so that whoever filters by it can leave out what has lapsed.
func (d *document) keywords(f facet, l *lexicon) []string {
	if f != facetCheck {
		return l.spell(f, d.values[f])
	}
	var out []string
	for _, c := range d.checks {
		for i, r := range c.results {
			out = append(out, fmt.Sprintf("%s|%s|%s", c.state, directory.CheckNames[i], directory.CheckResults[r]))
			if u := c.until[i]; u != 0 {
				out = append(out, fmt.Sprintf("%s|%s|until|%d", c.state, directory.CheckNames[i], u))
			}
		}
	}
	return out
}

func stateWords(states []directory.State) []string {
	out := make([]string, len(states))
	for i, s := range states {
		out[i] = string(s)
	}
	return out
}

// mark is by which a document is compared with the feed: its number, and what it holds. The moment it was
// worked out for is no part of it.
func (d *document) mark() string { return fmt.Sprintf("%d %s %d", d.seq, d.hash, d.until) }

// version is what the index stores of a document: its mark, and the moment, for which the feed can be
// asked again.
func (d *document) version() string { return d.mark() + " " + string(d.at) }

// version is what the index stores of a document, read.
type version struct {
	seq   int64
	hash  string
	until int64
	at    directory.Instant
}

// parseVersion reads what document.version wrote.
func parseVersion(s string) (v version, err error) {
	_, err = fmt.Sscanf(s, "%d %s %d %s", &v.seq, &v.hash, &v.until, &v.at)
	return v, err
}

// mark is that of the document.
func (v version) mark() string { return fmt.Sprintf("%d %s %d", v.seq, v.hash, v.until) }

package search

import (
	"bytes"
	"fmt"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis"
	bleveDocument "github.com/blevesearch/bleve/v2/document"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/registry"
	"github.com/blevesearch/bleve/v2/search/searcher"
	index "github.com/blevesearch/bleve_index_api"

	"kapdir/directory"
)

// mappingVersion names what documents look like in the index. Raise it with every change to this file,
// to document.go or to synonym.go: an index of another version is built anew.
const mappingVersion = 6

// The internal keys of an index, written in the same batch as the documents they speak of.
var (
	keyMapping = []byte("kapdir:mapping")
	keyCursor  = []byte("kapdir:cursor")
)

// The fields of the index: it holds words and nothing else. What can be filtered, counted or sorted by is held
// by snapshots, which do it faster and exactly.
const (
	indexText    = "text"    // terms as indexTerm writes them
	indexVersion = "version" // stored: number, hash, end and moment of the document
)

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
	n := bytes.Count(text, []byte{' '}) + 1
	tokens, out := make([]analysis.Token, n), make(analysis.TokenStream, 0, n)
	for start := 0; start < len(text); {
		end := start
		for end < len(text) && text[end] != ' ' {
			end++
		}
		if end > start {
			t := &tokens[len(out)]
			t.Term, t.Start, t.End, t.Position = text[start:end:end], start, end, len(out)+1
			out = append(out, t)
		}
		start = end + 1
	}
	return out
}

// newMapping is the whole of what the index holds: nothing is found out from documents.
func newMapping() mapping.IndexMapping {
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = wordAnalyzer
	m.StoreDynamic, m.IndexDynamic, m.DocValuesDynamic = false, false, false
	doc := bleve.NewDocumentStaticMapping()
	for _, name := range []string{indexText, indexVersion} {
		f := bleve.NewTextFieldMapping()
		f.Analyzer, f.Store, f.Index = wordAnalyzer, name == indexVersion, name == indexText
		f.IncludeTermVectors, f.IncludeInAll, f.DocValues, f.SkipFreqNorm = false, false, false, true
		doc.AddFieldMappingsAt(name, f)
	}
	m.DefaultMapping = doc
	return m
}

// indexed is a document of the snapshot as bleve takes it; terms are those of its table.
func (s *snapshot) indexed(doc uint32, terms []string) *bleveDocument.Document {
	var text []byte
	eachIndexTerm(s.terms.of(doc), terms, func(t []byte) { text = append(append(text, t...), ' ') })
	d := bleveDocument.NewDocument(string(s.ids[doc]))
	d.AddField(bleveDocument.NewTextFieldCustom(indexText, nil, text, index.IndexField|index.SkipFreqNorm, words{}))
	d.AddField(bleveDocument.NewTextFieldCustom(indexVersion, nil, []byte(s.version(doc).String()), index.StoreField, nil))
	return d
}

// mark is by which a document is compared with the feed: its number, and what it holds. The moment it was
// worked out for is no part of it.
func (d *document) mark() string { return version{d.seq, d.hash, d.until, d.at}.mark() }

// version is what the index stores of a document: its mark, and the moment, for which the feed can be
// asked again.
type version struct {
	seq   int64
	hash  string
	until int64
	at    directory.Instant
}

func (v version) String() string { return v.mark() + " " + string(v.at) }

// parseVersion reads what version.String wrote.
func parseVersion(s string) (v version, err error) {
	_, err = fmt.Sscanf(s, "%d %s %d %s", &v.seq, &v.hash, &v.until, &v.at)
	return v, err
}

// mark is that of the document.
func (v version) mark() string { return fmt.Sprintf("%d %s %d", v.seq, v.hash, v.until) }

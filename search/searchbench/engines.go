package searchbench

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/keyword"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/simple"
	"github.com/blevesearch/bleve/v2/mapping"
	bleveSearch "github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"

	"kapdir/directory"
	"kapdir/search"
)

// Ours is the search under measurement.
type Ours struct {
	Index   *search.Index
	Feed    *Feed
	cursors map[string]string // of pages far in, found before anything is measured
}

// NewOurs opens an index over the corpus in a folder; Build makes it.
func NewOurs(ctx context.Context, c *Corpus, dir string) (*Ours, error) {
	o := &Ours{Feed: NewFeed(c), cursors: map[string]string{}}
	var err error
	o.Index, err = search.Open(ctx, search.Config{Dir: dir, Feed: o.Feed, Policies: directory.StandardPolicies(), Now: func() time.Time { return Noon }, Log: slog.New(slog.DiscardHandler)})
	return o, err
}

// Query is the question as the search takes it.
func (q Question) Query() search.Query {
	out := search.Query{Text: strings.Join(q.Words, " "), Whole: len(q.Words) > 0, PriceMaxCents: q.Price, Filters: map[string][]string{}, Facets: []string{}}
	switch {
	case q.Prefix != "":
		out.Text = q.Prefix
	case q.Typo != "":
		out.Text = q.Typo
	}
	if q.Framework != "" {
		out.Filters["framework"] = []string{q.Framework}
	}
	if q.Accepting != "" {
		out.Filters["accepting"] = []string{q.Accepting}
	}
	if q.Miles > 0 {
		out.Near, out.Miles = &directory.Place{Point: directory.Point{Lat: q.Lat, Lon: q.Lon}}, q.Miles
	}
	if q.Distance {
		out.Sort = search.Distance
	}
	if q.Facets {
		out.Facets = FacetNames
	}
	return out
}

// Prepare finds the cursor of a page far in.
func (o *Ours) Prepare(ctx context.Context, q Question) error {
	s := q.Query()
	if _, ok := o.cursors[s.String()]; ok || q.Offset == 0 {
		return nil
	}
	s.Limit = 20
	for range q.Offset / 20 {
		r, err := o.Index.Search(ctx, s)
		if err != nil {
			return err
		}
		s.Cursor = r.Next
	}
	o.cursors[s.String()] = s.Cursor
	return nil
}

// Ask answers the question.
func (o *Ours) Ask(ctx context.Context, q Question) (Answer, error) {
	if q.Begin != "" {
		found, err := o.Index.Suggest(ctx, q.Begin, 10)
		a := Answer{Total: -1, IDs: make([]string, 0, len(found))}
		for _, s := range found {
			a.IDs = append(a.IDs, s.Value)
		}
		return a, err
	}
	s := q.Query()
	if q.Offset > 0 {
		s.Cursor = o.cursors[s.String()]
	}
	r, err := o.Index.Search(ctx, s)
	if err != nil {
		return Answer{}, err
	}
	if r.Plain {
		return Answer{}, fmt.Errorf("the index did not answer")
	}
	a := Answer{Total: r.Total, IDs: make([]string, 0, len(r.Hits))}
	for _, h := range r.Hits {
		a.IDs = append(a.IDs, string(h.ID))
	}
	if q.Facets {
		a.Facets = make(map[string]map[string]int, len(r.Facets))
		for _, f := range r.Facets {
			m := make(map[string]int, len(f.Values))
			for _, v := range f.Values {
				m[v.Value] = v.Count
			}
			a.Facets[f.Name] = m
		}
	}
	return a, nil
}

// Bleve is bleve by itself: its own ranges, distances, facets and order.
type Bleve struct {
	index bleve.Index
	tuned bool
}

// NewBleve makes an empty index: with bleve's default mapping, or with one in which nothing is kept that no
// question needs.
func NewBleve(path string, tuned bool) (*Bleve, error) {
	var m mapping.IndexMapping = bleve.NewIndexMapping()
	if tuned {
		m = tunedMapping()
	}
	x, err := bleve.New(path, m)
	return &Bleve{x, tuned}, err
}

func tunedMapping() mapping.IndexMapping {
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer = keyword.Name
	doc := bleve.NewDocumentStaticMapping()
	for _, name := range []string{"text", "name"} {
		f := bleve.NewTextFieldMapping()
		f.Analyzer, f.Store, f.IncludeTermVectors, f.IncludeInAll, f.DocValues, f.SkipFreqNorm = simple.Name, false, false, false, false, true
		doc.AddFieldMappingsAt(name, f)
	}
	for _, name := range FacetNames {
		f := bleve.NewKeywordFieldMapping()
		f.Store, f.IncludeTermVectors, f.IncludeInAll, f.DocValues, f.SkipFreqNorm = false, false, false, true, true
		doc.AddFieldMappingsAt(name, f)
	}
	price := bleve.NewNumericFieldMapping()
	price.Store, price.IncludeInAll, price.DocValues = false, false, false
	doc.AddFieldMappingsAt("price", price)
	point := bleve.NewGeoPointFieldMapping()
	point.Store, point.IncludeInAll, point.DocValues = false, false, true
	doc.AddFieldMappingsAt("point", point)
	m.DefaultMapping = doc
	return m
}

// Add puts rows in as one batch, in place of those of the same ids.
func (b *Bleve) Add(rows []Row) error {
	batch := b.index.NewBatch()
	for _, r := range rows {
		doc := map[string]any{"text": r.Text, "name": r.Name, "state": r.State, "care": r.Care, "accepting": r.Accepting, "focus": r.Focus, "framework": r.Framework, "route": r.Route,
			"point": map[string]any{"lat": r.Lat, "lon": r.Lon}}
		if r.Price >= 0 {
			doc["price"] = float64(r.Price)
		}
		if err := batch.Index(r.ID, doc); err != nil {
			return err
		}
	}
	return b.index.Batch(batch)
}

// Ask answers the question.
func (b *Bleve) Ask(ctx context.Context, q Question) (Answer, error) {
	var parts []query.Query
	add := func(p query.FieldableQuery, field string) {
		p.SetField(field)
		parts = append(parts, p)
	}
	if len(q.Words) > 0 {
		m := bleve.NewMatchQuery(strings.Join(q.Words, " "))
		m.SetOperator(query.MatchQueryOperatorAnd)
		add(m, "text")
	}
	if q.Prefix != "" {
		add(bleve.NewPrefixQuery(q.Prefix), "text")
	}
	if q.Begin != "" {
		add(bleve.NewPrefixQuery(q.Begin), "name")
	}
	if q.Typo != "" {
		f := bleve.NewFuzzyQuery(q.Typo)
		f.SetFuzziness(1)
		f.SetPrefix(1)
		add(f, "text")
	}
	if q.Framework != "" {
		add(bleve.NewTermQuery(q.Framework), "framework")
	}
	if q.Accepting != "" {
		add(bleve.NewTermQuery(q.Accepting), "accepting")
	}
	if q.Price > 0 {
		low, high, yes := 0.0, float64(q.Price), true
		add(bleve.NewNumericRangeInclusiveQuery(&low, &high, &yes, &yes), "price")
	}
	if q.Miles > 0 {
		add(bleve.NewGeoDistanceQuery(q.Lon, q.Lat, fmt.Sprintf("%gmi", q.Miles)), "point")
	}
	var all query.Query = bleve.NewMatchAllQuery()
	switch len(parts) {
	case 0:
	case 1:
		all = parts[0]
	default:
		all = bleve.NewConjunctionQuery(parts...)
	}
	req := bleve.NewSearchRequestOptions(all, 20, q.Offset, false)
	if q.Distance {
		s, err := bleveSearch.NewSortGeoDistance("point", "mi", q.Lon, q.Lat, false)
		if err != nil {
			return Answer{}, err
		}
		req.SortByCustom(bleveSearch.SortOrder{s})
	}
	if q.Facets {
		for _, name := range FacetNames {
			req.AddFacet(name, bleve.NewFacetRequest(name, 100))
		}
	}
	r, err := b.index.SearchInContext(ctx, req)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Total: int(r.Total), IDs: make([]string, 0, len(r.Hits))}
	for _, h := range r.Hits {
		a.IDs = append(a.IDs, h.ID)
	}
	if q.Facets {
		a.Facets = map[string]map[string]int{}
		for name, f := range r.Facets {
			m := map[string]int{}
			for _, t := range f.Terms.Terms() {
				m[t.Term] = t.Count
			}
			a.Facets[name] = m
		}
	}
	return a, nil
}

// Close closes the index.
func (b *Bleve) Close() error { return b.index.Close() }

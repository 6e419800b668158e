package search

import (
	"cmp"
	"container/heap"
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"

	"kapdir/directory"
)

// evaluation is a query made ready to be held against documents.
type evaluation struct {
	q        Query
	words    request
	now      int64
	y        directory.State
	filters  []filter
	checks   [5][]bool // by result; nil is no filter on the check
	rankCare bool      // full KAP stands first
	after    *sortKey

	past map[directory.ID]*stateChecks // of a query about the past: the checks at that moment; nil is now
}

// filter is a facet with the values chosen in it, by the lexicon; -1 is a value nobody has.
type filter struct {
	facet  facet
	values []int32
}

func evaluate(q Query, words request, l *lexicon, now int64) *evaluation {
	e := &evaluation{q: q, words: words, now: now, y: cmp.Or(q.CanSee, q.State)}
	if e.y == "" && q.Near != nil {
		e.y = q.Near.State
	}
	if q.State != "" {
		e.filters = append(e.filters, filter{facetState, []int32{l.find(facetState, string(q.State))}})
	}
	for _, name := range sortedKeys(q.Filters) {
		values := q.Filters[name]
		if len(values) == 0 {
			continue
		}
		f := facetByName[name]
		if f == facetCheck {
			for _, v := range values {
				n := slices.Index(checkValues, v)
				per := len(directory.CheckResults)
				check := n / per
				if e.checks[check] == nil {
					e.checks[check] = make([]bool, per)
				}
				e.checks[check][per-1-n%per] = true
			}
			continue
		}
		x := filter{facet: f}
		for _, v := range values {
			x.values = append(x.values, l.find(f, v))
		}
		e.filters = append(e.filters, x)
	}
	e.rankCare = len(q.Filters["care"]) == 0 && !words.infusion
	return e
}

func (f filter) passes(d *document) bool {
	for _, v := range d.values[f.facet] {
		if slices.Contains(f.values, v) {
			return true
		}
	}
	return false
}

// sortKey is what the order of results is worked out from, and what a cursor holds. It is all of one
// document and the query: no other document and no statistic moves it, so that pages hold together while
// documents come and go.
type sortKey struct {
	Problem  bool         `json:"p,omitempty"` // a check says problem on record
	Class    class        `json:"c,omitempty"`
	Care     int          `json:"k,omitempty"`
	Score    float64      `json:"s,omitempty"`
	Complete int          `json:"n,omitempty"`
	Miles    float64      `json:"m"` // to the nearest site; negative is not known
	ID       directory.ID `json:"i"`
}

// compare orders by relevance: a problem on record last, the nearest words first, then the kind of care,
// the weight of the words, how much is confirmed, distance, and id. By distance, that comes first.
func (e *evaluation) compare(a, b *sortKey) int {
	if e.q.Sort == Distance {
		if c := compareMiles(a.Miles, b.Miles); c != 0 {
			return c
		}
	}
	return cmp.Or(
		compareBool(a.Problem, b.Problem),
		cmp.Compare(b.Class, a.Class),
		cmp.Compare(a.Care, b.Care),
		cmp.Compare(b.Score, a.Score),
		cmp.Compare(b.Complete, a.Complete),
		compareMiles(a.Miles, b.Miles),
		cmp.Compare(a.ID, b.ID),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// compareMiles puts a distance nobody knows last.
func compareMiles(a, b float64) int {
	switch {
	case a < 0 && b < 0:
		return 0
	case a < 0:
		return 1
	case b < 0:
		return -1
	}
	return cmp.Compare(a, b)
}

// careOrder puts full KAP first and infusion alone last; what nobody stated stands between.
var careOrder = map[directory.CareType]int{directory.CareFullKAP: 0, directory.CareInfusionCheckIns: 1, directory.CareUnknown: 2, directory.CareInfusionOnly: 3}

// resultWeight says how much a check's result adds to completeness.
var resultWeight = func() []int {
	w := make([]int, len(directory.CheckResults))
	w[directory.Confirmed.Rank()], w[directory.ShownByDocument.Rank()] = 4, 3
	w[directory.StatedByProvider.Rank()], w[directory.StatedInListing.Rank()] = 2, 1
	return w
}()

func (e *evaluation) key(d *document, m match, miles float64) sortKey {
	k := sortKey{Class: m.class, Score: m.score, Miles: miles, ID: d.id}
	if e.rankCare {
		k.Care = careOrder[d.care]
	}
	checks, _ := e.answers(d)
	for i := range checks.results {
		// A problem that has lapsed weighs until the feed brings what follows it.
		if checks.results[i] == uint8(directory.ProblemOnRecord.Rank()) {
			k.Problem = true
		}
		if r, ok := checks.result(i, e.now); ok {
			k.Complete += resultWeight[r]
		}
	}
	return k
}

// miles returns the distance to the document's nearest site, -1 if it is not known.
func (e *evaluation) miles(d *document) float64 {
	if e.q.Near == nil || len(d.points) == 0 {
		return -1
	}
	best := math.Inf(1)
	for _, p := range d.points {
		best = min(best, e.q.Near.Point.Miles(p))
	}
	return best
}

// answers returns the document's checks for the patients asked about, at the moment asked about; ok is false
// when they are not known, because the provider went meanwhile.
func (e *evaluation) answers(d *document) (c *stateChecks, ok bool) {
	if e.past != nil {
		c, ok = e.past[d.id]
		return c, ok
	}
	return d.in(e.y), true
}

// fits holds a document against all of the query but the words and the checks. A document that
// fails one facet only still counts in that one, and failures says how many it fails.
func (e *evaluation) fits(d *document) (miles float64, failed facet, failures int, ok bool) {
	miles, failed = e.miles(d), -1
	if e.q.Near != nil && e.q.Miles > 0 && (miles < 0 || miles > e.q.Miles) {
		return miles, failed, 0, false
	}
	if e.q.Telehealth != "" && !slices.Contains(d.telehealth, e.q.Telehealth) {
		return miles, failed, 0, false
	}
	if e.q.PriceMaxCents > 0 && (d.price < 0 || d.price > e.q.PriceMaxCents) {
		return miles, failed, 0, false
	}
	for _, f := range e.filters {
		if !f.passes(d) {
			failed = f.facet
			failures++
		}
	}
	return miles, failed, failures, failures <= 1
}

// answer is what an evaluation finds on a snapshot.
type answer struct {
	hits   []found // of the page, in order
	more   bool    // others follow
	total  int
	counts [facets][]int
}

type found struct {
	key   sortKey
	match match
}

// on holds the query against every document; matches is nil for a query without words.
func (e *evaluation) on(s *snapshot, matches []match, l *lexicon) answer {
	var a answer
	for f := range facets {
		n := len(l.all(f))
		if f == facetCheck {
			n = len(checkValues)
		}
		a.counts[f] = make([]int, n)
	}
	page := &worstFirst{e: e}
	limit := e.q.limit()
	for i, d := range s.docs {
		var m match
		if matches != nil {
			if m = matches[i]; m.class == absent {
				continue
			}
		}
		// A document that fails one facet only still counts in that one: its values are what choosing
		// otherwise there would give.
		failedCheck := -1
		miles, failed, failures, ok := e.fits(d)
		if !ok {
			continue
		}
		checks, ok := e.answers(d)
		if !ok || e.q.CanSee != "" && !maySee(checks, e.now) {
			continue
		}
		for c, wanted := range e.checks {
			if wanted == nil {
				continue
			}
			if r, ok := checks.result(c, e.now); !ok || !wanted[r] {
				failed, failedCheck = facetCheck, c
				failures++
			}
		}
		if failures > 1 {
			continue
		}
		for f := range facets {
			if failures == 1 && f != failed {
				continue
			}
			if f != facetCheck {
				for _, v := range d.values[f] {
					a.counts[f][v]++
				}
				continue
			}
			for c := range checks.results {
				if r, ok := checks.result(c, e.now); ok && (failedCheck < 0 || c == failedCheck) {
					a.counts[f][checkValue(c, r)]++
				}
			}
		}
		if failures == 1 {
			continue
		}
		a.total++
		k := e.key(d, m, miles)
		if e.after != nil && e.compare(&k, e.after) <= 0 {
			continue
		}
		switch {
		case page.Len() <= limit:
			heap.Push(page, found{k, m})
		case e.compare(&k, &page.found[0].key) < 0:
			page.found[0] = found{k, m}
			heap.Fix(page, 0)
		}
	}
	a.hits = page.found
	slices.SortFunc(a.hits, func(x, y found) int { return e.compare(&x.key, &y.key) })
	if len(a.hits) > limit {
		a.hits, a.more = a.hits[:limit], true
	}
	return a
}

// worstFirst is a heap of the best found so far, the worst of them at its top.
type worstFirst struct {
	e     *evaluation
	found []found
}

func (w *worstFirst) Len() int           { return len(w.found) }
func (w *worstFirst) Less(i, j int) bool { return w.e.compare(&w.found[i].key, &w.found[j].key) > 0 }
func (w *worstFirst) Swap(i, j int)      { w.found[i], w.found[j] = w.found[j], w.found[i] }
func (w *worstFirst) Push(x any)         { w.found = append(w.found, x.(found)) }
func (w *worstFirst) Pop() any {
	last := w.found[len(w.found)-1]
	w.found = w.found[:len(w.found)-1]
	return last
}

// cursor is the last result of a page, with the fingerprint of its query.
type cursor struct {
	Query string  `json:"q"`
	Key   sortKey `json:"k"`
}

func writeCursor(q Query, k sortKey) string {
	b, err := json.Marshal(cursor{q.fingerprint(), k})
	if err != nil {
		return "" // no key holds what JSON cannot write
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// readCursor returns where the page before ended. A cursor of another query would skip at random, so it
// is refused.
func readCursor(q Query) (*sortKey, error) {
	if q.Cursor == "" {
		return nil, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return nil, directory.Errorf(directory.Invalid, "cursor", "this is not a cursor of ours")
	}
	var c cursor
	if err := json.Unmarshal(b, &c); err != nil || c.Key.ID == "" {
		return nil, directory.Errorf(directory.Invalid, "cursor", "this is not a cursor of ours")
	}
	if c.Query != q.fingerprint() {
		return nil, directory.Errorf(directory.Invalid, "cursor", "the cursor belongs to another search: start that from its first page")
	}
	return &c.Key, nil
}

package search

import (
	"cmp"
	"math"
	"slices"

	"kapdir/directory"
)

// evaluation is a query made ready to be held against a snapshot.
type evaluation struct {
	q        Query
	words    request
	now      int64
	y        directory.State
	state    uint8 // y as checksEntry numbers it
	filters  []filter
	checks   [5]uint16 // the results allowed, as bits; 0 is no filter on the check
	rankCare bool      // full KAP stands first
	needs    int       // how many were chosen, where they are several: see addUp
	distant  uint64    // telehealth, as the snapshot's column has it
	from     *from
	inside   float64 // squares of a straight line: surely within the miles asked for, or not surely outside
	outside  float64
	after    *sortKey
	count    facetSet // which facets to count

	past map[uint32]*checksEntry // of a query about the past: the checks at that moment; nil is now
}

// filter is a facet with the values chosen in it: by the lexicon, and as the snapshot's columns have them.
type filter struct {
	facet  facet
	addsUp bool // its values are needs
	bits   [2]uint64
	others []uint32
	values []int32
}

func evaluate(q Query, words request, l *lexicon, now int64) *evaluation {
	e := &evaluation{q: q, words: words, now: now, y: cmp.Or(q.CanSee, q.State), state: homeState}
	if e.y == "" && q.Near != nil {
		e.y = q.Near.State
	}
	if e.y != "" {
		e.state = uint8(l.find(facetState, string(e.y)) - firstState)
	}
	if q.Near != nil {
		f := newFrom(q.Near.Point)
		reach := chordOf(q.Miles)
		e.from, e.inside, e.outside = &f, square(reach-slack), square(reach+slack)
	}
	if q.Telehealth != "" {
		e.distant = 1 << (l.find(facetState, string(q.Telehealth)) - firstState)
	}
	add := func(f facet, values []string) {
		x := filter{facet: f}
		for i, v := range values {
			n := l.find(f, v)
			switch {
			case slices.Contains(values[:i], v):
				continue
			case n < 0: // nobody has it
				continue
			case n < firstOther:
				x.bits[n/64] |= 1 << (n % 64)
			default:
				x.others = append(x.others, uint32(n))
			}
			x.values = append(x.values, n)
		}
		if n := distinct(values); n > 1 && addUp&(1<<f) != 0 && !slices.Contains(q.Either, facetNames[f]) {
			x.addsUp = true
			e.needs += n
		}
		e.filters = append(e.filters, x)
	}
	if q.State != "" {
		add(facetState, []string{string(q.State)})
	}
	for _, name := range sortedKeys(q.Filters) {
		values := q.Filters[name]
		if len(values) == 0 {
			continue
		}
		f := facetByName[name]
		if f != facetCheck {
			add(f, values)
			continue
		}
		for _, v := range values {
			n := slices.Index(checkValues, v)
			per := len(directory.CheckResults)
			e.checks[n/per] |= 1 << (per - 1 - n%per)
		}
	}
	if e.count = 1<<facets - 1; q.Facets != nil {
		e.count = 0
		for _, name := range q.Facets {
			e.count |= only(facetByName[name])
		}
	}
	e.rankCare = len(q.Filters["care"]) == 0 && !words.infusion
	return e
}

func distinct(values []string) (n int) {
	for i, v := range values {
		n += boolInt(!slices.Contains(values[:i], v))
	}
	return n
}

func (f *filter) passes(s *snapshot, doc uint32) bool {
	b := &s.bits[doc]
	if b[0]&f.bits[0] != 0 || b[1]&f.bits[1] != 0 {
		return true
	}
	if len(f.others) > 0 {
		for _, v := range s.others.of(doc) {
			if slices.Contains(f.others, v) {
				return true
			}
		}
	}
	return false
}

// entry returns the document's checks for the patients asked about, at the moment asked about; nil when they
// are not known, because the provider went meanwhile.
func (e *evaluation) entry(s *snapshot, doc uint32) *checksEntry {
	if e.past != nil {
		return e.past[doc]
	}
	return s.checksFor(doc, e.state)
}

// result returns a check's result now. One whose time has passed has none until the feed brings it anew: a
// lapsed confirmation is never shown as one, and neither is a guess at what follows it.
func (e *evaluation) result(s *snapshot, c *checksEntry, check int) (uint8, bool) {
	if c.lapse != 0 {
		if u := s.lapses[c.lapse][check]; u != 0 && u <= e.now {
			return 0, false
		}
	}
	return c.result(check), true
}

// complete says how much of an entry is confirmed now.
func (e *evaluation) complete(s *snapshot, c *checksEntry) int {
	if c.lapse == 0 || s.next == 0 || e.now < s.next {
		return int(c.merit)
	}
	n := 0
	for i := range len(directory.CheckNames) {
		if r, ok := e.result(s, c, i); ok {
			n += resultWeight[r]
		}
	}
	return n
}

// miles returns the distance to the document's nearest site, -1 if it is not known.
func (e *evaluation) miles(s *snapshot, doc uint32) float64 {
	sites := s.hasSites(doc)
	if e.from == nil || len(sites) == 0 {
		return -1
	}
	best := math.Inf(1)
	for i := range sites {
		best = min(best, e.from.point.Miles(sites[i].point))
	}
	return best
}

// square is that of the straight line to the nearest site; -1 if it is not known.
func (e *evaluation) square(s *snapshot, doc uint32) float64 {
	sites := s.hasSites(doc)
	if e.from == nil || len(sites) == 0 {
		return -1
	}
	best := math.Inf(1)
	for i := range sites {
		best = min(best, e.from.square(sites[i].x, sites[i].y, sites[i].z))
	}
	return best
}

// fits holds a document against the distance, the telehealth, the price and the facets of the query, the
// checks aside. One that fails one facet only still counts in that one, and failures says how many it fails.
func (e *evaluation) fits(s *snapshot, doc uint32) (failed facet, failures int, ok bool) {
	failed = -1
	if e.distant != 0 && s.distant[doc]&e.distant == 0 {
		return failed, 0, false
	}
	if m := e.q.PriceMaxCents; m > 0 && (s.price[doc] < 0 || int64(s.price[doc]) > m) {
		return failed, 0, false
	}
	for i := range e.filters {
		if f := &e.filters[i]; !f.passes(s, doc) {
			if failures++; failures > 1 {
				return failed, failures, false
			}
			failed = f.facet
		}
	}
	return failed, failures, true
}

// inReach reports a site within the miles asked for.
func (e *evaluation) inReach(s *snapshot, doc uint32) bool {
	if e.from == nil || e.q.Miles == 0 {
		return true
	}
	switch square := e.square(s, doc); {
	case square < 0 || square > e.outside:
		return false
	case square < e.inside:
		return true
	}
	return e.miles(s, doc) <= e.q.Miles
}

// answer is what an evaluation finds on a snapshot.
type answer struct {
	hits   []found // of the page, in order; they and the counts are good until the answer leaves
	more   bool    // others follow
	total  int
	counts []int32 // by number of the value; of checks by that of firstCheck and checkValue
	page   *page
}

func (a *answer) leave() { pages.Put(a.page) }

type found struct {
	doc   uint32
	key   sortKey // its ID is filled in at the end
	match match
}

// Shares of all documents below which it is cheaper to look at each: at what each of a set has than to cut the set
// with all who have a value, for each value; and at each that was found than to cut sets at all, which costs more where
// they are not kept as plain bits. A test changes them.
var fewOf, fewFound, fewFoundOfMany = 16, 512, 64

// on holds the query against the snapshot. Hits are those of the words; a query without words has none and
// searches everybody.
func (e *evaluation) on(s *snapshot, hits []hit, l *lexicon) answer {
	p := e.page(s, l.size())
	a := answer{counts: p.counts, page: p}
	words, nearby := len(e.words.terms) > 0, e.from != nil && e.q.Miles > 0
	sets := e.past == nil && (s.next == 0 || e.now < s.next)               // else who has a value is not who has it now
	circle := nearby && (!words || sets && len(hits) > s.n/fewFoundOfMany) // else each that has the words is held against the distance
	if circle {
		p.circle = s.nearby(e.from, e.q.Miles, p.circle)
	}
	few := s.n / fewFound
	if s.n > mostDense {
		few = s.n / fewFoundOfMany
	}
	switch {
	case words:
		sets = sets && len(hits) > few && circle == nearby
	case nearby:
		sets = sets && s.n <= mostDense && len(p.circle) > few && (len(e.filters) > 0 || e.count != 0 || e.q.PriceMaxCents > 0)
	}
	if sets {
		a.total = e.sets(s, p, l, hits)
	} else {
		t := e.scan(s, p)
		switch {
		case words:
			for i := range hits {
				if e.inReach(s, hits[i].doc) {
					t.see(nearDoc{hits[i].doc, -1}, hits[i].match)
				}
			}
		case nearby:
			for _, x := range p.circle {
				t.see(x, match{})
			}
		default:
			for _, doc := range s.byID {
				t.see(nearDoc{doc, -1}, match{})
			}
		}
		a.total = t.done()
	}
	a.hits, a.more = p.done()
	return a
}

// scan holds documents against the query one by one, which is the way for few of them: of a word, of a
// circle.
type scan struct {
	e       *evaluation
	s       *snapshot
	page    *page
	total   int  // of those that fit all; if anything is counted, page.docs are they
	checked bool // some check is filtered
	checks  bool // the checks of each document are needed to say whether it fits
}

func (e *evaluation) scan(s *snapshot, p *page) *scan {
	checked := e.checks != [5]uint16{}
	return &scan{e: e, s: s, page: p, checked: checked, checks: checked || e.q.CanSee != "" || e.past != nil}
}

// see holds one document against all but the words and the distance, which it is known to fit.
func (t *scan) see(x nearDoc, m match) {
	e, s, doc := t.e, t.s, x.doc
	failed, failures, ok := e.fits(s, doc)
	if !ok {
		return
	}
	var c *checksEntry
	failedCheck := -1
	if t.checks {
		if c = e.entry(s, doc); c == nil || e.q.CanSee != "" && !e.maySee(s, c) {
			return
		}
		for i, wanted := range e.checks {
			if wanted == 0 {
				continue
			}
			if r, ok := e.result(s, c, i); !ok || wanted&(1<<r) == 0 {
				failed, failedCheck = facetCheck, i
				if failures++; failures > 1 {
					return
				}
			}
		}
	}
	if failures == 0 {
		if t.total++; e.count != 0 {
			t.page.docs = append(t.page.docs, doc)
		}
		t.page.see(x, m)
		return
	}
	// A document that fails one facet only still counts in that one: its values are what choosing otherwise there
	// would give.
	switch {
	case !e.count.has(failed):
	case failed == facetCheck:
		if r, ok := e.result(s, c, failedCheck); ok {
			t.page.counts[firstCheck+checkValue(failedCheck, r)]++
		}
	default:
		s.eachOf(doc, only(failed), func(v int) { t.page.counts[v]++ })
	}
}

// done counts what fits all, and returns how many that are.
func (t *scan) done() int {
	e, p := t.e, t.page
	if e.count != 0 {
		t.s.countValues(p.docs, e.count, p.counts)
	}
	if e.count.has(facetCheck) {
		e.countResults(t.s, p.docs, func(int) bool { return true }, p.counts)
	}
	return t.total
}

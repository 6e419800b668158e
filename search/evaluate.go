package search

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

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
		for _, v := range values {
			n := l.find(f, v)
			switch {
			case n < 0: // nobody has it
				continue
			case n < firstOther:
				x.bits[n/64] |= 1 << (n % 64)
			default:
				x.others = append(x.others, uint32(n))
			}
			x.values = append(x.values, n)
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
	circle := nearby && (!words || len(hits) > s.n/fewFoundOfMany) // else each that has the words is held against the distance
	if circle {
		p.circle = s.nearby(e.from, e.q.Miles, p.circle)
	}
	few := s.n / fewFound
	if s.n > mostDense {
		few = s.n / fewFoundOfMany
	}
	sets := e.past == nil && (s.next == 0 || e.now < s.next) // else who has a value is not who has it now
	switch {
	case words:
		sets = sets && len(hits) > few && circle == nearby
	case nearby:
		sets = sets && s.n <= mostDense && len(p.circle) > few
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

// sets answers a query by sets of documents: whoever has one of the values chosen is known beforehand. It is about the
// hits of the words, those of the page's circle, those of both, or everybody. The total is returned.
func (e *evaluation) sets(s *snapshot, p *page, l *lexicon, hits []hit) int {
	room := newRoom(s, 8+2*(len(e.filters)+len(e.checks)))
	defer room.leave()
	base := room.set()
	nearby := e.from != nil && e.q.Miles > 0
	if nearby {
		for i := range p.circle {
			base.add(p.circle[i].doc)
		}
	}
	switch {
	case len(hits) > 0:
		having := room.set()
		for i := range hits {
			having.add(hits[i].doc)
		}
		if nearby {
			base.and(having)
		} else {
			base = having
		}
	case !nearby:
		s.everybody(base)
	}
	if e.distant != 0 {
		remote := room.set()
		if who := s.remote[l.find(facetState, string(e.q.Telehealth))-firstState]; who != nil {
			who.WriteDenseTo(remote)
		}
		base.and(remote)
	}
	if most := e.q.PriceMaxCents; most > 0 {
		if s.n <= mostDense {
			base.and(room.cheaper(most))
		} else {
			base.keep(func(doc uint32) bool { return s.price[doc] >= 0 && int64(s.price[doc]) <= most })
		}
	}
	if e.q.CanSee != "" {
		base.keep(func(doc uint32) bool { return e.maySee(s, s.checksFor(doc, e.state)) })
	}
	type part struct {
		facet facet
		check int // of facetCheck
		set   denseSet
	}
	parts := make([]part, 0, 8)
	for i := range e.filters {
		f := &e.filters[i]
		parts = append(parts, part{f.facet, -1, room.anyOf(f.values)})
	}
	for i, wanted := range e.checks {
		if wanted == 0 {
			continue
		}
		x := part{facetCheck, i, nil}
		if e.state == homeState {
			var values []int32
			for r := range len(directory.CheckResults) {
				if wanted&(1<<r) != 0 {
					values = append(values, firstCheck+int32(checkValue(i, uint8(r))))
				}
			}
			x.set = room.anyOf(values)
		} else {
			x.set = room.set()
			copy(x.set, base)
			x.set.keep(func(doc uint32) bool { return wanted&(1<<s.checksFor(doc, e.state).result(i)) != 0 })
		}
		parts = append(parts, x)
	}
	without := func(set denseSet, skip int) (total int) {
		copy(set, base)
		for i, x := range parts {
			if i != skip {
				set.and(x.set)
			}
		}
		return set.size()
	}
	all, lifted := room.set(), room.set()
	total := without(all, -1)

	// Every facet without a choice in it is counted over all that fit, every other with its own choice lifted.
	rest, restOfChecks := e.count, [5]bool{}
	for i, x := range parts {
		switch {
		case !e.count.has(x.facet):
		case x.facet == facetCheck:
			restOfChecks[x.check] = true
			e.countChecks(s, p, lifted, without(lifted, i), func(check int) bool { return check == x.check })
		default:
			rest &^= only(x.facet)
			e.countSet(s, p, lifted, without(lifted, i), only(x.facet))
		}
	}
	e.countSet(s, p, all, total, rest)
	if e.count.has(facetCheck) {
		e.countChecks(s, p, all, total, func(check int) bool { return !restOfChecks[check] })
	}
	switch {
	case slices.ContainsFunc(hits, func(h hit) bool { return h.match != hits[0].match }):
		for i := range hits {
			if all.has(hits[i].doc) {
				p.see(nearDoc{hits[i].doc, -1}, hits[i].match)
			}
		}
	case len(hits) > 0: // the words order none of them before another
		e.pageOf(s, all, total, p, hits[0].match)
	case nearby:
		for _, x := range p.circle {
			if all.has(x.doc) {
				p.see(x, match{})
			}
		}
	default:
		e.pageOf(s, all, total, p, match{})
	}
	return total
}

// denseSet has a bit for each document; one that is shorter has none of the others.
type denseSet []uint64

func (d denseSet) has(doc uint32) bool { return d[doc/64]&(1<<(doc%64)) != 0 }

func (d denseSet) add(doc uint32) { d[doc/64] |= 1 << (doc % 64) }

func (d denseSet) and(other denseSet) {
	n := min(len(d), len(other))
	clear(d[n:])
	d, other = d[:n], other[:n]
	for i := range d {
		d[i] &= other[i]
	}
}

func (d denseSet) or(other denseSet) {
	for i, w := range other[:min(len(d), len(other))] {
		d[i] |= w
	}
}

func (d denseSet) size() (n int) {
	for _, w := range d {
		n += bits.OnesCount64(w)
	}
	return n
}

// list adds the documents of the set to a list.
func (d denseSet) list(to []uint32) []uint32 {
	for i, w := range d {
		for ; w != 0; w &= w - 1 {
			to = append(to, uint32(i*64+bits.TrailingZeros64(w)))
		}
	}
	return to
}

func (d denseSet) each(f func(doc uint32)) {
	for i, w := range d {
		for ; w != 0; w &= w - 1 {
			f(uint32(i*64 + bits.TrailingZeros64(w)))
		}
	}
}

// keep leaves those for which f holds.
func (d denseSet) keep(f func(doc uint32) bool) {
	d.each(func(doc uint32) {
		if !f(doc) {
			d[doc/64] &^= 1 << (doc % 64)
		}
	})
}

// room is memory for the sets of one evaluation, which the next uses again.
type room struct {
	s     *snapshot
	size  int // words of a set
	words []uint64
	used  int
}

var rooms = sync.Pool{New: func() any { return new(room) }}

func newRoom(s *snapshot, sets int) *room {
	r := rooms.Get().(*room)
	r.s, r.size, r.used = s, s.n/64+1, 0
	if len(r.words) < sets*r.size {
		r.words = make([]uint64, sets*r.size)
	}
	return r
}

func (r *room) leave() {
	r.s = nil
	rooms.Put(r)
}

// set returns an empty set for the snapshot.
func (r *room) set() denseSet {
	set := denseSet(r.words[r.used : r.used+r.size : r.used+r.size])
	r.used += r.size
	clear(set)
	return set
}

// anyOf returns who has one of the values, dead ones it may be among them.
func (r *room) anyOf(values []int32) denseSet {
	s, known := r.s, r.s.dense()
	if len(values) == 1 && known != nil && int(values[0]) < len(known) {
		return known[values[0]]
	}
	set := r.set()
	var one denseSet
	for _, v := range values {
		switch {
		case int(v) >= len(s.values) || s.values[v] == nil: // nobody has it
		case known != nil:
			set.or(known[v])
		default:
			if one == nil {
				one = r.set()
			}
			clear(one)
			s.values[v].WriteDenseTo(one)
			set.or(one)
		}
	}
	return set
}

// cheaper returns who states a price of no more than so much, of a snapshot with dense sets.
func (r *room) cheaper(most int64) denseSet {
	s, set := r.s, r.set()
	order := s.orders[homeOrderOf[Price]] // who states none comes last
	n := sort.Search(len(order), func(i int) bool { p := s.price[order[i]]; return p < 0 || int64(p) > most })
	s.dense()
	start, step := 0, len(order)/priceSteps+1
	if n >= step {
		copy(set, s.priceSets[n/step-1])
		start = n / step * step
	}
	for _, doc := range order[start:n] {
		set.add(doc)
	}
	return set
}

// priceSteps are the parts of the order by price at whose ends a snapshot with dense sets has the set of all before.
const priceSteps = 16

// everybody fills an empty set with the living.
func (s *snapshot) everybody(set denseSet) {
	if s.alive != nil {
		copy(set, s.alive)
		return
	}
	for i := range s.n / 64 {
		set[i] = math.MaxUint64
	}
	set[s.n/64] = 1<<(s.n%64) - 1
}

// mostDense bounds the documents of a snapshot of which sets are kept as plain bits beside the bitmaps: a set of
// some thousands among tens of thousands is an array there, and cutting two arrays costs by their members.
// A test lowers it.
var mostDense = 1 << 17

// dense returns who has each value as plain bits; nil for a snapshot of too many.
func (s *snapshot) dense() []denseSet {
	if s.n > mostDense {
		return nil
	}
	s.denseOnce.Do(func() {
		s.denseSets = make([]denseSet, len(s.values))
		for v, has := range s.values {
			if has != nil && s.facetOf[v] >= 0 && s.counts[v] > 0 {
				s.denseSets[v] = has.ToDense()
			}
		}
		order, set := s.orders[homeOrderOf[Price]], make(denseSet, s.n/64+1)
		step := len(order)/priceSteps + 1
		for i, doc := range order {
			if set.add(doc); i%step == step-1 {
				s.priceSets = append(s.priceSets, slices.Clone(set))
			}
		}
	})
	return s.denseSets
}

// countSet counts the values of some facets, but for the results of checks, over a set of so many documents.
func (e *evaluation) countSet(s *snapshot, p *page, set denseSet, total int, which facetSet) {
	which &^= only(facetCheck)
	values := func(f func(v int32)) {
		for x := which; x != 0; x &= x - 1 {
			for _, v := range s.facetValues[bits.TrailingZeros32(uint32(x))] {
				f(v)
			}
		}
	}
	switch {
	case which == 0:
	case total == len(s.byID):
		values(func(v int32) { p.counts[v] = s.counts[v] })
	case total < s.n/fewOf:
		p.docs = set.list(p.docs[:0])
		s.countValues(p.docs, which, p.counts)
	case s.n <= mostDense:
		values(func(v int32) { p.counts[v] = s.countOf(set, v) })
	default:
		who := roaring.FromDense(set, false)
		values(func(v int32) {
			if has := s.values[v]; has != nil {
				p.counts[v] = int32(who.AndCardinality(has))
			}
		})
	}
}

// countChecks counts the results of some checks over a set of so many documents.
func (e *evaluation) countChecks(s *snapshot, p *page, set denseSet, total int, counted func(check int) bool) {
	everybody := total == len(s.byID)
	if e.state != homeState || !everybody && total < s.n/fewOf {
		p.docs = set.list(p.docs[:0])
		e.countResults(s, p.docs, counted, p.counts)
		return
	}
	var who *roaring.Bitmap
	if !everybody && s.n > mostDense {
		who = roaring.FromDense(set, false)
	}
	for i := range checkValues {
		v := firstCheck + int32(i)
		switch {
		case !counted(i/len(directory.CheckResults)) || int(v) >= len(s.values) || s.values[v] == nil: // of nobody there are no values yet
		case everybody:
			p.counts[v] = s.counts[v]
		case who == nil:
			p.counts[v] = s.countOf(set, v)
		default:
			p.counts[v] = int32(who.AndCardinality(s.values[v]))
		}
	}
}

// countOf tells how many of a set have the value, of a snapshot with dense sets.
func (s *snapshot) countOf(set denseSet, v int32) int32 {
	has, n := s.dense()[v], 0
	for i, w := range has[:min(len(has), len(set))] {
		n += bits.OnesCount64(w & set[i])
	}
	return int32(n)
}

// pageOf finds the page in a set: along the order that the snapshot keeps, if the query asks for one of
// those and the set is no small part of everybody; else by looking at each.
func (e *evaluation) pageOf(s *snapshot, set denseSet, total int, p *page, m match) {
	o, ok := homeOrderOf[e.q.Sort]
	if !ok || e.from != nil || e.state != homeState || !e.rankCare || total*total < s.n*(p.limit+1)/4 {
		p.docs = set.list(p.docs[:0])
		for _, doc := range p.docs {
			p.see(nearDoc{doc, -1}, m)
		}
		return
	}
	order := s.orders[o]
	if e.after != nil {
		at := sort.Search(len(order), func(i int) bool {
			k := homeOrders[o](s, order[i])
			return cmp.Or(cmp.Compare(k.first, e.after.First), cmp.Compare(atHome(k.rank, m, true, 0), e.after.Rank), strings.Compare(string(s.ids[order[i]]), string(e.after.ID))) > 0
		})
		order = order[at:]
	}
	for _, doc := range order {
		if len(p.found) > p.limit {
			return
		}
		if set.has(doc) {
			p.see(nearDoc{doc, -1}, m)
		}
	}
}

// page keeps the best of what it sees, one more than fit on it. The next evaluation uses its lists again.
type page struct {
	e     *evaluation
	s     *snapshot
	limit int
	found []found // in order
	home  bool    // the ranks kept by the snapshot are those of this query

	counts []int32  // by number of the value
	docs   []uint32 // whatever is counted now
	circle []nearDoc

	// By distance the straight line tells who may be on the page, and only of those is anything dearer worked out.
	seen  []nearFound
	near  []uint64 // above the place in seen the bits of the square of the line, which order as the square does
	full  int      // so many are gathered before the farthest are left out
	least float64  // the square of the line below which everybody was on a page before
	most  float64  // and of that beyond which nobody is on this one
	after float64  // the line to where the page before ended
}

var pages = sync.Pool{New: func() any { return new(page) }}

type nearFound struct {
	doc   uint32
	match match
}

func (e *evaluation) page(s *snapshot, values int) *page {
	p := pages.Get().(*page)
	*p = page{e: e, s: s, limit: e.q.limit(), found: p.found[:0], counts: slices.Grow(p.counts[:0], values)[:values], docs: p.docs[:0], circle: p.circle, seen: p.seen[:0], near: p.near[:0], most: math.Inf(1), after: -1}
	clear(p.counts)
	p.home = e.state == homeState && e.past == nil && (s.next == 0 || e.now < s.next)
	switch {
	case e.after == nil:
	case e.after.Miles < 0: // all whose distance is known were before
		p.least = math.Inf(1)
	default:
		p.after = chordOf(e.after.Miles)
		p.least = square(p.after - slack)
	}
	p.full = 2 * (p.limit + 1)
	return p
}

// see takes a document of the answer into account.
func (p *page) see(x nearDoc, m match) {
	if p.e.q.Sort == Distance {
		if x.square < 0 {
			x.square = float32(p.e.square(p.s, x.doc))
		}
		if x.square >= 0 {
			if float64(x.square) < p.least || float64(x.square) > p.most {
				return
			}
			p.near = append(p.near, uint64(math.Float32bits(x.square))<<32|uint64(len(p.seen)))
			if p.seen = append(p.seen, nearFound{x.doc, m}); len(p.near) >= p.full {
				p.nearest()
			}
			return
		}
		if p.most < math.Inf(1) { // those with a distance fill the page
			return
		}
	}
	p.put(x.doc, m)
}

// nearest leaves out of those near whoever is farther than a full page of others, the nearest first.
func (p *page) nearest() {
	slices.Sort(p.near)
	square32 := func(i int) float64 { return float64(math.Float32frombits(uint32(p.near[i] >> 32))) }
	first := 0
	for p.after >= 0 && first < len(p.near) && square32(first) <= square(p.after+slack) { // may have been before
		first++
	}
	if last := first + p.limit; last < len(p.near) {
		p.most = square(math.Sqrt(square32(last)) + 2*slack)
		for last < len(p.near) && square32(last) <= p.most {
			last++
		}
		p.near = p.near[:last]
	}
	p.full = max(p.full, 2*len(p.near))
}

// put works out where a document stands.
func (p *page) put(doc uint32, m match) {
	e, s := p.e, p.s
	k := sortKey{Miles: -1}
	near := 0
	if e.from != nil {
		k.Miles = e.miles(s, doc)
		near = nearness(k.Miles)
	}
	k.First = s.first(doc, e.q.Sort)
	if p.home {
		k.Rank = atHome(s.homeRank[doc], m, e.rankCare, near)
	} else {
		c, care := e.entry(s, doc), uint8(0)
		if e.rankCare {
			care = s.care[doc]
		}
		k.Rank = rank(c.problem, m, care, e.complete(s, c)+near, s.checked[doc])
	}
	full := len(p.found) > p.limit
	before := func(i int) bool {
		f := &p.found[i]
		c := e.compare(&k, &f.key)
		return c < 0 || c == 0 && s.place[doc] < s.place[f.doc]
	}
	if full && !before(p.limit) {
		return
	}
	if e.after != nil && cmp.Or(e.compare(&k, e.after), strings.Compare(string(s.ids[doc]), string(e.after.ID))) <= 0 {
		return
	}
	if !full {
		p.found = append(p.found, found{})
	}
	i := len(p.found) - 1
	for ; i > 0 && before(i-1); i-- {
		p.found[i] = p.found[i-1]
	}
	p.found[i] = found{doc, k, m}
}

// done returns the page in order, and whether others follow. Nothing may be seen afterwards.
func (p *page) done() ([]found, bool) {
	p.nearest()
	for _, x := range p.near {
		f := &p.seen[uint32(x)]
		p.put(f.doc, f.match)
	}
	for i := range p.found {
		p.found[i].key.ID = p.s.ids[p.found[i].doc]
	}
	p.e, p.s = nil, nil
	if len(p.found) > p.limit {
		return p.found[:p.limit], true
	}
	return p.found, false
}

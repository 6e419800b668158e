package search

import (
	"math"
	"math/bits"
	"slices"
	"sort"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"kapdir/directory"
)

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

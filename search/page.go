package search

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
)

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
	near  []uint64    // above the place in seen the bits of the square of the line, which order as the square does; in order
	early []nearFound // who may have been on the page before
	least float64     // the square of the line below which everybody was there
	later float64     // and of that beyond which nobody was
	most  float64     // and beyond which nobody is on this one
}

var pages = sync.Pool{New: func() any { return new(page) }}

type nearFound struct {
	doc   uint32
	match match
}

func (e *evaluation) page(s *snapshot, values int) *page {
	p := pages.Get().(*page)
	*p = page{e: e, s: s, limit: e.q.limit(), found: p.found[:0], counts: slices.Grow(p.counts[:0], values)[:values], docs: p.docs[:0], circle: p.circle, seen: p.seen[:0], near: p.near[:0], early: p.early[:0], later: -1, most: math.Inf(1)}
	clear(p.counts)
	p.home = e.state == homeState && e.past == nil && (s.next == 0 || e.now < s.next)
	switch {
	case e.after == nil:
	case e.after.Miles < 0: // all whose distance is known were before
		p.least = math.Inf(1)
	default:
		line := chordOf(e.after.Miles)
		p.least, p.later = square(line-slack), square(line+slack)
	}
	return p
}

// see takes a document of the answer into account.
func (p *page) see(x nearDoc, m match) {
	if p.e.q.Sort == Distance {
		if x.square < 0 {
			x.square = float32(p.e.square(p.s, x.doc))
		}
		if x.square >= 0 {
			p.seeNear(x, m)
			return
		}
		if p.most < math.Inf(1) { // those with a distance fill the page
			return
		}
	}
	p.put(x.doc, m)
}

// seeNear keeps who is not farther than a full page of others.
func (p *page) seeNear(x nearDoc, m match) {
	switch far := float64(x.square); {
	case far < p.least || far > p.most:
		return
	case far <= p.later:
		p.early = append(p.early, nearFound{x.doc, m})
		return
	}
	key := uint64(math.Float32bits(x.square))<<32 | uint64(len(p.seen))
	p.seen = append(p.seen, nearFound{x.doc, m})
	i, _ := slices.BinarySearch(p.near, key)
	if p.near = slices.Insert(p.near, i, key); len(p.near) <= p.limit {
		return
	}
	far := func(i int) float64 { return float64(math.Float32frombits(uint32(p.near[i] >> 32))) }
	p.most = square(math.Sqrt(far(p.limit)) + 2*slack)
	n := len(p.near)
	for far(n-1) > p.most {
		n--
	}
	p.near = p.near[:n]
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
	missing := 0
	if e.needs > 0 {
		missing = e.needs - e.needsStated(s, doc)
	}
	if p.home {
		k.Rank = atHome(s.homeRank[doc], m, e.rankCare, missing, near)
	} else {
		c, care := e.entry(s, doc), uint8(0)
		if e.rankCare {
			care = s.care[doc]
		}
		k.Rank = rank(c.problem, m, care, missing, e.complete(s, c)+near, s.checked[doc])
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
	for _, f := range p.early {
		p.put(f.doc, f.match)
	}
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

// pageOf finds the page in a set: along the order that the snapshot keeps, if the query asks for one of
// those and the set is no small part of everybody; else by looking at each.
func (e *evaluation) pageOf(s *snapshot, set denseSet, total int, p *page, m match) {
	o, ok := homeOrderOf[e.q.Sort]
	if !ok || e.from != nil || e.state != homeState || !e.rankCare || e.needs > 0 || total*total < s.n*(p.limit+1)/4 {
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
			return cmp.Or(cmp.Compare(k.first, e.after.First), cmp.Compare(atHome(k.rank, m, true, 0, 0), e.after.Rank), strings.Compare(string(s.ids[order[i]]), string(e.after.ID))) > 0
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

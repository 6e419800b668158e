package search

import (
	"cmp"
	"context"
	"encoding/hex"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"kapdir/directory"
)

// snapshot holds the documents of one moment in memory, in columns by number. It does not change: applying
// changes makes another, which shares the columns. A document that changes takes a new number at the end, so
// that the columns only grow, and its old number is dead; when too many are, the columns are written anew.
// Filters, facets, distances and order are worked out on it; only the words are the matcher's.
type snapshot struct {
	seq   int64 // all changes up to this number are in it
	next  int64 // when the first document's checks change by themselves, in Unix milliseconds; 0 is never
	n     int   // numbers, the dead included
	live  *roaring.Bitmap
	alive denseSet // the same; nil while nobody is dead
	columns

	byID   []uint32            // the living, by id
	place  []uint32            // of each of them in byID
	values []*roaring.Bitmap   // by number of the value: who has it, the dead included; of checks, those at home
	counts []int32             // by number of the value: how many of the living have it
	remote [64]*roaring.Bitmap // by state: who offers telehealth there, the dead included
	orders [3][]uint32         // the living in the orders of homeOrders
	sites  []site
	grid   *grid
	names  *nameList
	lead   []int32 // by place of what the tables suggest: of a town, sites of the living there; of a value, how many have it
	words  *wordList
	uses   []int32 // by number of the term: how many of the living hold it

	facetOf     []facet // by number of the value; -1 is none
	facetBits   [facets][2]uint64
	facetValues [facets][]int32
	denseOnce   sync.Once
	denseSets   []denseSet // by number of the value, the dead included
	priceSets   []denseSet // see room.cheaper
	once        sync.Once
	around      []atomic.Int32 // by place of the town as in lead: one more than the providers within 50 miles; 0 is not counted yet
	kept        sync.Map       // of two or three letters typed: the suggestions
	keeps       atomic.Int32   // how many
}

// columns are shared by the snapshots of one origin; each sees of them what is before its own n.
type columns struct {
	tip   *int // numbers written: of a snapshot that is not at the tip the columns are copied before anything is added
	table *termTable

	ids      []directory.ID
	seqs     []int64
	at       []int64 // for which moment the checks were worked out, Unix milliseconds
	until    []int64
	hash     [][16]byte
	price    []int32     // cents; -1 is not stated, and the highest is that or more
	checked  []int32     // the newest day of a check, in days since 1970; 0 is never
	bits     [][2]uint64 // values below 64, and below 128: see lexicon
	distant  []uint64    // telehealth, a bit for each state as in bits
	homeRank []uint64    // as homeRanked works it out
	care     []uint8
	others   list[uint32]      // values from 128 on
	checks   list[checksEntry] // one for each state that matters, and for home and elsewhere
	lapses   [][5]int64        // until when the five checks of an entry are good; the first is for good
	lapseOf  map[[5]int64]uint32
	ends     []uint32 // of each document's sites
	town     list[uint32]
	terms    list[byte] // as packTerms writes them
	folded   list[byte] // the words of display as they are searched, with a blank between
	display  list[byte]
}

// list holds a few of something for each number, one after another.
type list[T any] struct {
	all  []T
	ends []uint32
}

func (l *list[T]) of(doc uint32) []T {
	start := uint32(0)
	if doc > 0 {
		start = l.ends[doc-1]
	}
	return l.all[start:l.ends[doc]]
}

func (l *list[T]) end() { l.ends = append(l.ends, uint32(len(l.all))) }

// checksEntry holds the results of the five checks for patients of one state.
type checksEntry struct {
	results uint32 // four bits each, in the order of directory.CheckNames
	lapse   uint32 // place in lapses
	state   uint8  // number of the state in the lexicon less firstState, homeState or elsewhereState
	merit   uint8  // how much is confirmed, of maxComplete
	problem bool
}

const (
	homeState      = 254
	elsewhereState = 255
)

func (c *checksEntry) result(check int) uint8 { return uint8(c.results>>(4*check)) & 15 }

// entry packs the results, which are good for ever.
func (c *stateChecks) entry() *checksEntry {
	e := &checksEntry{merit: uint8(c.complete()), problem: c.problem()}
	for i, r := range c.results {
		e.results |= uint32(r) << (4 * i)
	}
	return e
}

func newSnapshot() *snapshot {
	c := columns{tip: new(int), table: newTermTable(), lapses: make([][5]int64, 1), lapseOf: map[[5]int64]uint32{{}: 0}}
	return &snapshot{live: roaring.New(), columns: c, grid: &grid{}, names: &nameList{}, words: c.table.sorted()}
}

// size is how many documents there are.
func (s *snapshot) size() int { return len(s.byID) }

// find returns the number of a provider's document.
func (s *snapshot) find(id directory.ID) (uint32, bool) {
	at, ok := slices.BinarySearchFunc(s.byID, id, func(doc uint32, id directory.ID) int { return strings.Compare(string(s.ids[doc]), string(id)) })
	if !ok {
		return 0, false
	}
	return s.byID[at], true
}

func (s *snapshot) hasSites(doc uint32) []site {
	start := uint32(0)
	if doc > 0 {
		start = s.ends[doc-1]
	}
	return s.sites[start:s.ends[doc]]
}

// version is what the index stores of a document.
func (s *snapshot) version(doc uint32) version {
	return version{s.seqs[doc], hex.EncodeToString(s.hash[doc][:]), s.until[doc], s.instant(doc)}
}

func (s *snapshot) mark(doc uint32) string { return s.version(doc).mark() }

func (s *snapshot) instant(doc uint32) directory.Instant {
	return directory.At(time.UnixMilli(s.at[doc]))
}

// checksFor returns a document's checks for patients of a state, as checksEntry numbers it.
func (c *columns) checksFor(doc uint32, y uint8) *checksEntry {
	entries := c.checks.of(doc)
	for i := range entries {
		if entries[i].state == y {
			return &entries[i]
		}
	}
	return &entries[len(entries)-1] // elsewhere is the last
}

// growth makes the next snapshot of one.
type growth struct {
	s       *snapshot
	c       columns
	l       *lexicon
	sites   []site
	dropped map[directory.ID]uint32 // with the number from which on it was put in again
}

// grow begins another snapshot. One at a time may be grown of all that share columns.
func (s *snapshot) grow(l *lexicon) *growth {
	g := &growth{s: s, c: s.columns, l: l, sites: s.sites, dropped: map[directory.ID]uint32{}}
	if *s.tip != s.n {
		g.c, g.sites = s.cut(), slices.Clip(s.sites)
	}
	return g
}

// cut returns columns of their own that end with the snapshot: somebody else's went on.
func (s *snapshot) cut() columns {
	c := &s.columns
	out := *c
	n := s.n
	out.tip = &n
	out.lapses, out.lapseOf = slices.Clone(c.lapses), map[[5]int64]uint32{}
	for i, u := range out.lapses {
		out.lapseOf[u] = uint32(i)
	}
	out.ids, out.seqs, out.at, out.until = slices.Clone(c.ids[:n]), slices.Clone(c.seqs[:n]), slices.Clone(c.at[:n]), slices.Clone(c.until[:n])
	out.hash, out.price, out.checked, out.care = slices.Clone(c.hash[:n]), slices.Clone(c.price[:n]), slices.Clone(c.checked[:n]), slices.Clone(c.care[:n])
	out.homeRank = slices.Clone(c.homeRank[:n])
	out.bits, out.distant, out.ends = slices.Clone(c.bits[:n]), slices.Clone(c.distant[:n]), slices.Clone(c.ends[:n])
	out.others, out.checks, out.town = c.others.cut(n), c.checks.cut(n), c.town.cut(n)
	out.terms, out.display, out.folded = c.terms.cut(n), c.display.cut(n), c.folded.cut(n)
	return out
}

func (l *list[T]) cut(n int) list[T] {
	if n == 0 {
		return list[T]{}
	}
	return list[T]{slices.Clone(l.all[:l.ends[n-1]]), slices.Clone(l.ends[:n])}
}

// put adds a document, in place of one of the same id if there is one.
func (g *growth) put(d *document) {
	c := &g.c
	doc := uint32(len(c.ids))
	c.ids, c.seqs, c.until, c.price = append(c.ids, d.id), append(c.seqs, d.seq), append(c.until, d.until), append(c.price, int32(min(d.price, math.MaxInt32)))
	c.at = append(c.at, d.at.Time().UnixMilli())
	c.checked = append(c.checked, d.checked)
	var hash [16]byte
	hex.Decode(hash[:], []byte(d.hash))
	c.hash = append(c.hash, hash)
	var bits [2]uint64
	for f := range facets {
		for _, v := range d.values[f] {
			if v < firstOther {
				bits[v/64] |= 1 << (v % 64)
			} else {
				c.others.all = append(c.others.all, uint32(v))
			}
		}
	}
	c.others.end()
	c.bits = append(c.bits, bits)
	distant := uint64(0)
	for _, st := range d.telehealth {
		if n := g.l.find(facetState, string(st)); n >= firstState && n < firstOther {
			distant |= 1 << (n - firstState)
		}
	}
	c.distant = append(c.distant, distant)
	c.care = append(c.care, uint8(careOrder[d.care]))
	for i := range d.checks {
		k := &d.checks[i]
		e := *k.entry()
		switch k.state {
		case home:
			e.state = homeState
		case elsewhere:
			e.state = elsewhereState
		default:
			n := g.l.find(facetState, string(k.state))
			if n < firstState || n >= firstOther {
				continue // no state that can be asked for
			}
			e.state = uint8(n - firstState)
		}
		lapse, ok := c.lapseOf[k.until]
		if !ok {
			lapse = uint32(len(c.lapses))
			c.lapses = append(c.lapses, k.until)
			c.lapseOf[k.until] = lapse
		}
		e.lapse = lapse
		c.checks.all = append(c.checks.all, e)
	}
	c.checks.end()
	c.homeRank = append(c.homeRank, c.homeRanked(doc))
	for _, p := range d.points {
		g.sites = append(g.sites, newSite(p, doc))
	}
	c.ends = append(c.ends, uint32(len(g.sites)))
	for _, t := range d.towns {
		if n, ok := suggests().towns[t]; ok {
			c.town.all = append(c.town.all, n)
		}
	}
	c.town.end()
	c.terms.all = c.table.packTerms(c.terms.all, &d.text)
	c.terms.end()
	c.display.all = append(c.display.all, d.display...)
	c.display.end()
	c.folded.all = append(c.folded.all, strings.Join(tokens(d.display), " ")...)
	c.folded.end()
	*c.tip = len(c.ids)
}

// drop takes a provider out, who may be put in again.
func (g *growth) drop(id directory.ID) { g.dropped[id] = uint32(len(g.c.ids)) }

// done returns the next snapshot. Nothing may be put into the growth afterwards.
func (g *growth) done(seq int64) *snapshot {
	old, c := g.s, &g.c
	s := &snapshot{seq: seq, n: len(c.ids), columns: g.c, sites: g.sites}
	fresh := make([]uint32, 0, s.n-old.n)
	for doc := old.n; doc < s.n; doc++ {
		fresh = append(fresh, uint32(doc))
	}
	slices.SortFunc(fresh, func(a, b uint32) int {
		if x := strings.Compare(string(c.ids[a]), string(c.ids[b])); x != 0 {
			return x
		}
		return int(a) - int(b)
	})
	kept := fresh[:0]
	for i, doc := range fresh { // of several of one id the last
		if i+1 < len(fresh) && c.ids[fresh[i+1]] == c.ids[doc] {
			continue
		}
		if until, ok := g.dropped[c.ids[doc]]; ok && doc < until {
			continue
		}
		kept = append(kept, doc)
	}
	fresh = slices.Clip(kept)

	var dead []uint32
	was := func(id directory.ID) {
		if doc, ok := old.find(id); ok {
			dead = append(dead, doc)
		}
	}
	for _, doc := range fresh {
		was(c.ids[doc])
	}
	for id := range g.dropped {
		if _, ok := slices.BinarySearchFunc(fresh, id, func(doc uint32, id directory.ID) int { return strings.Compare(string(c.ids[doc]), string(id)) }); !ok {
			was(id)
		}
	}
	slices.Sort(dead)
	byID := func(a, b uint32) int { return strings.Compare(string(c.ids[a]), string(c.ids[b])) }
	gone := slices.SortedFunc(slices.Values(dead), byID)
	place := func(doc uint32) int {
		at, _ := slices.BinarySearchFunc(old.byID, doc, byID)
		return at
	}
	s.byID = splice(old.byID, gone, fresh, place, func(doc uint32) uint32 { return doc })
	s.place = make([]uint32, s.n)
	for i, doc := range s.byID {
		s.place[doc] = uint32(i)
	}
	s.live = old.live.Clone()
	for _, doc := range dead {
		s.live.Remove(doc)
	}
	added := slices.Clone(fresh)
	slices.Sort(added)
	for _, doc := range added {
		s.live.Add(doc)
	}
	if len(s.byID) < s.n {
		s.alive = make(denseSet, s.n/64+1)
		s.live.WriteDenseTo(s.alive)
	}
	s.count(old, dead, added, g.l)
	s.grid = old.grid.grown(s.sites)
	for doc, u := range s.until {
		if u != 0 && (s.next == 0 || u < s.next) && s.live.Contains(uint32(doc)) {
			s.next = u
		}
	}
	for o := range s.orders {
		s.orders[o] = s.extend(old.orders[o], dead, added, homeOrders[o])
	}
	s.names = old.names.with(s, dead, added)
	s.words = c.table.sorted()
	if n := s.n - len(s.byID); n > 1024 && n > len(s.byID)/4 {
		return s.rewritten(g.l)
	}
	return s
}

// count brings the counts of values and the lists of who has them up to the changes.
func (s *snapshot) count(old *snapshot, dead, added []uint32, l *lexicon) {
	size := l.size()
	s.counts = append(make([]int32, 0, size), old.counts...)
	s.counts = append(s.counts, make([]int32, size-len(old.counts))...)
	s.values = append(make([]*roaring.Bitmap, 0, size), old.values...)
	s.values = append(s.values, make([]*roaring.Bitmap, size-len(old.values))...)
	s.remote = old.remote
	if s.lead = slices.Clone(old.lead); s.lead == nil {
		s.lead = make([]int32, len(suggests().all))
	}
	s.facetOf = make([]facet, size)
	for i := range s.facetOf {
		s.facetOf[i] = -1
	}
	for f := range facets {
		numbers, _ := l.all(f)
		for _, n := range numbers {
			if int(n) < size {
				s.facetOf[n] = f
				s.facetValues[f] = append(s.facetValues[f], n)
			}
			if n < firstOther {
				s.facetBits[f][n/64] |= 1 << (n % 64)
			}
		}
	}
	s.uses = append(make([]int32, 0, len(s.table.all())), old.uses...)
	s.uses = s.uses[:cap(s.uses)]
	own := make([]bool, size)
	has := func(doc uint32) func(v int32) {
		return func(v int32) {
			if !own[v] {
				own[v] = true
				if s.values[v] == nil {
					s.values[v] = roaring.New()
				} else {
					s.values[v] = s.values[v].Clone()
				}
			}
			s.values[v].Add(doc)
			s.counts[v]++
		}
	}
	for _, doc := range dead {
		s.eachValue(doc, func(v int32) { s.counts[v]-- })
		eachTerm(s.terms.of(doc), func(n uint32) { s.uses[n]-- }, func([]byte) {})
		for _, t := range s.town.of(doc) {
			s.lead[t]--
		}
	}
	var ownRemote [64]bool
	for _, doc := range added {
		s.eachValue(doc, has(doc))
		eachTerm(s.terms.of(doc), func(n uint32) { s.uses[n]++ }, func([]byte) {})
		for _, t := range s.town.of(doc) {
			s.lead[t]++
		}
		eachBit(s.distant[doc], func(b int) {
			if !ownRemote[b] {
				ownRemote[b] = true
				if s.remote[b] == nil {
					s.remote[b] = roaring.New()
				} else {
					s.remote[b] = s.remote[b].Clone()
				}
			}
			s.remote[b].Add(doc)
		})
	}
	for i, x := range suggests().all {
		if x.kind != placeOfPlace {
			s.lead[i] = s.counts[x.number]
		}
	}
}

// eachValue calls f with the number of every value the document has; of checks those at home.
func (s *snapshot) eachValue(doc uint32, f func(v int32)) {
	eachBit(s.bits[doc][0], func(b int) { f(int32(b)) })
	eachBit(s.bits[doc][1], func(b int) { f(int32(firstState + b)) })
	for _, v := range s.others.of(doc) {
		f(int32(v))
	}
	c := s.checksFor(doc, homeState)
	for i := range len(directory.CheckNames) {
		f(firstCheck + int32(checkValue(i, c.result(i))))
	}
}

// extend takes documents out of one of the orders and puts others in.
func (s *snapshot) extend(old, dead, added []uint32, order func(s *snapshot, doc uint32) orderKey) []uint32 {
	type keyed struct {
		key orderKey
		doc uint32
	}
	compare := func(a, b keyed) int {
		if c := a.key.compare(b.key); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(string(s.ids[a.doc]), string(s.ids[b.doc])), cmp.Compare(a.doc, b.doc))
	}
	keys := func(docs []uint32) []keyed {
		out := make([]keyed, len(docs))
		for i, doc := range docs {
			out[i] = keyed{order(s, doc), doc}
		}
		slices.SortFunc(out, compare)
		return out
	}
	place := func(k keyed) int {
		at, _ := slices.BinarySearchFunc(old, k, func(doc uint32, k keyed) int { return compare(keyed{order(s, doc), doc}, k) })
		return at
	}
	return splice(old, keys(dead), keys(added), place, func(k keyed) uint32 { return k.doc })
}

// rewritten returns the same snapshot in columns without the dead. The words of the dead go with them.
func (s *snapshot) rewritten(l *lexicon) *snapshot {
	g := newSnapshot().grow(l)
	terms := s.table.all()
	alive := slices.Clone(s.byID)
	slices.Sort(alive)
	for _, doc := range alive {
		g.copy(s, doc, terms)
	}
	return g.done(s.seq)
}

// copy adds a document of another snapshot.
func (g *growth) copy(s *snapshot, doc uint32, terms []string) {
	c := &g.c
	c.ids, c.seqs, c.at, c.until = append(c.ids, s.ids[doc]), append(c.seqs, s.seqs[doc]), append(c.at, s.at[doc]), append(c.until, s.until[doc])
	c.hash, c.price, c.checked, c.care = append(c.hash, s.hash[doc]), append(c.price, s.price[doc]), append(c.checked, s.checked[doc]), append(c.care, s.care[doc])
	c.bits, c.distant = append(c.bits, s.bits[doc]), append(c.distant, s.distant[doc])
	c.others.all = append(c.others.all, s.others.of(doc)...)
	c.others.end()
	for _, e := range s.checks.of(doc) {
		until := s.lapses[e.lapse]
		lapse, ok := c.lapseOf[until]
		if !ok {
			lapse = uint32(len(c.lapses))
			c.lapses = append(c.lapses, until)
			c.lapseOf[until] = lapse
		}
		e.lapse = lapse
		c.checks.all = append(c.checks.all, e)
	}
	c.checks.end()
	c.homeRank = append(c.homeRank, s.homeRank[doc])
	for _, p := range s.hasSites(doc) {
		p.doc = uint32(len(c.ids) - 1)
		g.sites = append(g.sites, p)
	}
	c.ends = append(c.ends, uint32(len(g.sites)))
	c.town.all = append(c.town.all, s.town.of(doc)...)
	c.town.end()
	var text [fields][]string
	eachIndexTerm(s.terms.of(doc), terms, func(t []byte) {
		word, in := cutTerm(string(t))
		eachBit(uint64(in), func(f int) { text[f] = append(text[f], word) })
	})
	c.terms.all = c.table.packTerms(c.terms.all, &text)
	c.terms.end()
	c.display.all = append(c.display.all, s.display.of(doc)...)
	c.display.end()
	c.folded.all = append(c.folded.all, s.folded.of(doc)...)
	c.folded.end()
	*c.tip = len(c.ids)
}

// eachIndexTerm reads the terms of a document as the index holds them.
func eachIndexTerm(packed []byte, terms []string, f func(t []byte)) {
	eachTerm(packed, func(n uint32) { f([]byte(terms[n])) }, f)
}

func eachBit(m uint64, f func(b int)) {
	for ; m != 0; m &= m - 1 {
		f(bits.TrailingZeros64(m))
	}
}

// with returns the snapshot with the documents put in or replaced and the dropped ones left out.
func (s *snapshot) with(puts []*document, drops []directory.ID, seq int64, l *lexicon) *snapshot {
	g := s.grow(l)
	for _, id := range drops {
		g.drop(id)
	}
	for _, d := range puts {
		g.put(d)
	}
	return g.done(seq)
}

// matcher says which documents hold the words of a query. There are two: the index, and a plain reading
// of every document, which answers while there is no index and is what the index is tested against.
type matcher interface {
	// match returns the documents of the snapshot that hold all the terms, each once, in no order. They stand in the
	// room, and are good until it is used again.
	match(ctx context.Context, terms []term, room *hitRoom) ([]hit, error)
}

// hitRoom is memory for the hits of one search, which the next uses again: of a word that everybody has they are many.
type hitRoom struct {
	hits []hit
	docs []uint32 // of a segment, by its numbers
	at   []uint32 // where each of them stands in docs; see place
	near []nearest
}

// nearest is how near a document's words come to a term, and in which fields.
type nearest struct {
	class class
	in    uint8
}

var hitRooms = sync.Pool{New: func() any { return new(hitRoom) }}

// hit is a document that holds the terms.
type hit struct {
	doc uint32
	match
}

// match says how a document holds the terms: how near the worst of them, and how weighty in all.
type match struct {
	class class
	in    uint8 // the fields, as bits
	score float32
}

// class says how near a word is to the one asked for. A nearer class stands first whatever else holds,
// but for a problem on record.
type class uint8

const (
	absent class = iota
	misspelt
	begins
	exact
)

// and adds that a document holds one more term, in these fields. Both matchers use it, so that they differ
// only in how they find words.
func (m *match) and(c class, in uint8) {
	w := fieldsWeight[in]
	switch c {
	case begins:
		w *= 0.75
	case misspelt:
		w *= 0.5
	}
	if m.class == absent {
		*m = match{c, in, w}
		return
	}
	m.class, m.in, m.score = min(m.class, c), m.in|in, m.score+w
}

// fieldsWeight is the weight of the weightiest of some fields, by their bits.
var fieldsWeight = func() (w [1 << fields]float32) {
	for in := range w {
		for f := range fields {
			if in&(1<<f) != 0 {
				w[in] = max(w[in], float32(fieldWeights[f]))
			}
		}
	}
	return w
}()

// closeSpelling is said of a match by words that were not spelt as in the query.
const closeSpelling = "close spelling"

// why names the places in which the words stand. That a former name matched is told as a name: which
// other name somebody had is theirs to tell. The list must not be changed.
func (m match) why() []string { return whys[boolInt(m.class == misspelt)][m.in] }

var whys = func() (all [2][1 << fields][]string) {
	for in := range 1 << fields {
		var out []string
		for f := range fields {
			name := fieldNames[f]
			if f == fieldFormer {
				name = fieldNames[fieldName]
			}
			if in&(1<<f) != 0 && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
		all[0][in], all[1][in] = slices.Clip(out), slices.Clip(append(slices.Clip(out), closeSpelling))
	}
	return all
}()

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/bits"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"kapdir/directory"
)

// held is what an import knows of one row: some 40 bytes, so that the rows of a whole register stay in memory.
type held struct {
	key, content uint64
	print        [16]byte
	line         uint32
	run          uint16 // place in holdings.runs
	part         uint16 // place in holdings.parts, and above it the marks
}

// The marks of a row.
const (
	inForce  uint16 = 1 << 15 // in the release before the run
	cameNow  uint16 = 1 << 14 // in the run
	replaced uint16 = 1 << 13 // the run has another row of its key
	spoken   uint16 = 1 << 12 // somebody stands under one of its blocks, so that it is compared again
	partMask uint16 = 1<<12 - 1
)

// heldPage says where the rows of a page stand among all.
type heldPage struct {
	number int64
	first  int
	n      int
	anew   bool // its rows are written again when they come
	orphan bool // a run that died has left it: none of its rows stands in an index
	stands bool // the release has rows of it
}

// holdings are the packed rows of a source in the hands of an open run: those in force, what a dead run has
// left, and what came.
type holdings struct {
	mu      sync.Mutex
	source  string
	run     int64  // the number of the open run
	reading uint64 // of this program
	rows    heldRows
	pages   []heldPage // in order of numbers
	runs    []int64
	parts   []string
	byKey   table
	byPrint table
	near    [4]int // behind the places that were last found by their bytes: a newer release mostly keeps the order
	asked   bool   // spoken is marked
	again   bool   // the release is read once more: whatever is held is written anew
	lost    bool   // some of what was held cannot be read
	carried int    // rows taken by Carried that no Put has told of yet

	next    int64 // number of the next page
	full    []*pageBuilder
	open    *pageBuilder
	size    int // rows of a page
	entries []indexEntry
	cut     int     // segments written so far
	spans   []int64 // that the run has written
	copies  map[string]bool
	read    map[int64]*packedPage // a few, whose keys were asked for
}

// heldRows grows without being copied.
type heldRows struct {
	chunks [][]held
	n      int
}

const heldChunk = 1 << 14

func (r *heldRows) at(place int) *held { return &r.chunks[place/heldChunk][place%heldChunk] }

func (r *heldRows) add(x held) {
	if r.n%heldChunk == 0 {
		r.chunks = append(r.chunks, make([]held, 0, heldChunk))
	}
	last := &r.chunks[len(r.chunks)-1]
	*last = append(*last, x)
	r.n++
}

// table finds rows by a hash of theirs: places, in open addressing.
type table struct {
	slots []int32 // place + 1
	n     int
}

func (t *table) each(hash uint64, f func(place int) bool) {
	if len(t.slots) == 0 {
		return
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash * 0x9e3779b97f4a7c15 >> 20 & mask; t.slots[i] != 0; i = (i + 1) & mask {
		if !f(int(t.slots[i] - 1)) {
			return
		}
	}
}

func (t *table) add(place int, hash func(place int) uint64) {
	if t.n*4 >= len(t.slots)*3 {
		old := t.slots
		t.slots = make([]int32, max(1024, 2*len(old)))
		for _, s := range old {
			if s != 0 {
				t.put(int(s-1), hash(int(s-1)))
			}
		}
	}
	t.put(place, hash(place))
	t.n++
}

// room makes it as large as n places need.
func (t *table) room(n int) {
	if size := 1 << bits.Len(uint(max(767, n+n/3))); t.n == 0 && size > len(t.slots) {
		t.slots = make([]int32, size)
	}
}

func (t *table) put(place int, hash uint64) {
	mask := uint64(len(t.slots) - 1)
	i := hash * 0x9e3779b97f4a7c15 >> 20 & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = int32(place + 1)
}

func (h *holdings) keyOf(place int) uint64 { return h.rows.at(place).key }
func (h *holdings) printOf(place int) uint64 {
	return binary.LittleEndian.Uint64(h.rows.at(place).print[:])
}

// find makes a row known under its key and its bytes.
func (h *holdings) find(place int) {
	h.byKey.add(place, h.keyOf)
	if h.rows.at(place).print != [16]byte{} {
		h.byPrint.add(place, h.printOf)
	}
}

// pageAt returns the page of a row.
func (h *holdings) pageAt(place int) *heldPage {
	i, _ := slices.BinarySearchFunc(h.pages, place+1, func(p heldPage, at int) int { return p.first - at })
	return &h.pages[i-1] // the last that begins there: one that could not be read has no rows
}

func (p *heldPage) ordinal(place int) uint32 { return uint32(p.number*pageRows + int64(place-p.first)) }

// number returns the place of a value in a list of few, adding it.
func number[T comparable](list *[]T, v T) int {
	i := len(*list) - 1
	for ; i >= 0 && (*list)[i] != v; i-- { // the newest is the likeliest
	}
	if i < 0 {
		i = len(*list)
		*list = append(*list, v)
	}
	return i
}

func (h *holdings) partNumber(part string) (uint16, error) {
	i := number(&h.parts, part)
	if i > int(partMask) {
		return 0, directory.Errorf(directory.Invalid, "board_type", "%s has more than %d licence types: its column is another", h.source, partMask)
	}
	return uint16(i), nil
}

func (h *holdings) runNumber(run int64) (uint16, error) {
	i := number(&h.runs, run)
	if i > 1<<16-1 {
		return 0, directory.Errorf(directory.Conflict, "release", "too many releases of changes stand on one whole release of %s: import a whole one", h.source)
	}
	return uint16(i), nil
}

// reading names how this program reads the same bytes: another build, or other rules, may read them better.
func (s *Store) reading() uint64 {
	h := sha256.New()
	fmt.Fprintln(h, s.config.Tool.ID, s.config.Tool.Version)
	if b, ok := debug.ReadBuildInfo(); ok {
		fmt.Fprintln(h, b)
	}
	if path, err := os.Executable(); err == nil {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintln(h, info.Size(), info.ModTime().UnixNano())
		}
	}
	rules := s.config.Rules
	if rules == nil {
		rules = directory.StandardRules()
	}
	for _, name := range rules.Names() {
		fmt.Fprintln(h, name, digest(rules[name]))
	}
	return binary.LittleEndian.Uint64(h.Sum(nil))
}

// holdings reads what is held of the source of a run that begins. Only a whole release that is read again goes on
// where something cannot be read: it writes everything anew.
func (s *Store) holdings(ctx context.Context, op string, run directory.Run, info directory.SourceInfo) (*holdings, error) {
	h := &holdings{source: info.ID, run: run.Number, reading: s.reading(), size: min(pageRows, s.most), next: 1, copies: map[string]bool{}, read: map[int64]*packedPage{}, again: run.Release.Again}
	whole := replaces(info) && !run.Release.Partial
	err := s.read(ctx, op, func(t *tx) error {
		live := map[uint32]entered{}
		spans := map[int64]bool{}
		var last int64
		err := t.each(`SELECT number, heads FROM reference_page WHERE source = $1 ORDER BY number`, []any{info.ID}, func(r *sql.Rows) error {
			var number int64
			var sealed []byte
			if err := r.Scan(&number, &sealed); err != nil {
				return err
			}
			last = number
			reading, heads, err := readHeads(sealed)
			if err != nil {
				if !whole || !h.again {
					return damaged("page", info.ID, number, err)
				}
				h.lost = true
			}
			h.pages = append(h.pages, heldPage{number: number, first: h.rows.n, n: len(heads), anew: h.again || reading != h.reading, orphan: true})
			for _, x := range heads {
				part, err := h.partNumber(x.part)
				if err != nil {
					return err
				}
				h.rows.add(held{key: x.key, content: x.content, print: x.print, part: part})
			}
			spans[number/spanPages] = true
			return nil
		})
		if err != nil {
			return err
		}
		h.next = last + 1
		n := 0
		for i := range h.pages {
			p := &h.pages[i]
			if span := p.number / spanPages; spans[span] {
				delete(spans, span)
				clear(live)
				rows, err := t.span(info.ID, span)
				if err != nil && whole && h.again && directory.KindOf(err) == directory.Internal {
					h.lost, err = true, nil
				}
				if err != nil {
					return err
				}
				for _, r := range rows {
					live[r.ordinal] = r
				}
			}
			for place := p.first; place < p.first+p.n; place++ {
				r, ok := live[p.ordinal(place)]
				if !ok {
					continue
				}
				p.orphan = false
				x := h.rows.at(place)
				x.part |= inForce
				x.line = r.line
				if x.run, err = h.runNumber(r.run); err != nil {
					return err
				}
				n++
			}
		}
		h.byKey.room(n)
		h.byPrint.room(n)
		sparse := whole && len(h.pages)*pageRows > 2*n+4*pageRows // more than half of the room is dead
		for i := range h.pages {
			p := &h.pages[i]
			lives := 0
			for place := p.first; place < p.first+p.n; place++ {
				if h.rows.at(place).part&inForce != 0 {
					lives++
				}
			}
			p.anew = p.anew || sparse && lives < pageRows/2
			for place := p.first; place < p.first+p.n; place++ {
				if h.rows.at(place).part&inForce != 0 || p.orphan && !p.anew {
					h.find(place)
				}
			}
		}
		return t.each(`SELECT key FROM source_record WHERE source = $1 AND kind <> 'listing'`, []any{info.ID}, func(r *sql.Rows) error {
			var key string
			err := r.Scan(&key)
			h.copies[key] = true
			return err
		})
	})
	return h, err
}

// same returns the place of a row of the same key and content that is in force, has come, or was left; -1 is none.
func (h *holdings) same(key, content uint64) int {
	found := -1
	h.byKey.each(key, func(place int) bool {
		x := h.rows.at(place)
		if x.key != key || x.content != content {
			return true
		}
		if x.part&cameNow != 0 || found < 0 || x.part&inForce != 0 {
			found = place
		}
		return x.part&cameNow == 0
	})
	return found
}

// live returns the place of the row in force with a hash of its key, -1 if there is none. It is for counting: two
// keys may have one hash.
func (h *holdings) live(key string) int {
	found, hash := -1, hash64(keyName(key))
	h.byKey.each(hash, func(place int) bool {
		if x := h.rows.at(place); x.key == hash && x.part&inForce != 0 {
			found = place
		}
		return found < 0
	})
	return found
}

// settled reports a row that says nothing new and of nobody: it needs no comparison.
func (h *holdings) settled(key, content uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	place := h.same(key, content)
	return place >= 0 && h.quiet(place)
}

// quiet reports a row that is in force as this program reads it, and under whose blocks nobody stands.
func (h *holdings) quiet(place int) bool {
	x := h.rows.at(place)
	return h.asked && x.part&inForce != 0 && x.part&(spoken|replaced) == 0 && !h.pageAt(place).anew
}

// carry takes a row by the bytes from which it was read, and reports that it did.
func (h *holdings) carry(print [16]byte, line int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := h.findPrint(print)
	if found < 0 {
		return false
	}
	alone := true // a key that stands here again is looked at
	h.byKey.each(h.rows.at(found).key, func(place int) bool {
		x := h.rows.at(place)
		alone = alone && (place == found || x.key != h.rows.at(found).key || x.part&cameNow == 0)
		return alone
	})
	number, err := h.runNumber(h.run)
	if !alone || err != nil {
		return false
	}
	x := h.rows.at(found)
	if x.part&cameNow == 0 {
		x.part |= cameNow
		x.line, x.run = uint32(line), number
	}
	h.carried++
	return true
}

// findPrint returns the place of a quiet row that was read from the bytes, -1 if there is none.
func (h *holdings) findPrint(print [16]byte) int {
	is := func(place int) bool { return h.rows.at(place).print == print && h.quiet(place) }
	for i, place := range h.near {
		if place < h.rows.n && is(place) {
			h.near[i]++
			return place
		}
	}
	found := -1
	h.byPrint.each(binary.LittleEndian.Uint64(print[:]), func(place int) bool {
		if is(place) {
			found = place
		}
		return found < 0
	})
	if found >= 0 {
		copy(h.near[1:], h.near[:3])
		h.near[0] = found + 1
	}
	return found
}

// takeCarried returns what carried rows count for and no Put has told of.
func (h *holdings) takeCarried() (c directory.Counts) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.Read, c.Unchanged = h.carried, h.carried
	h.carried = 0
	return c
}

// giveBack keeps what was not told after all.
func (h *holdings) giveBack(c directory.Counts) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.carried += c.Unchanged
}

func (h *holdings) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rows.n == 0
}

func (h *holdings) isAsked() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

// sorted is what becomes of rows that are put.
type sorted struct {
	counts  directory.Counts
	came    []cameRow // that stand in the release
	compare []*row    // that may speak of somebody
	twice   []directory.Reject
}

type cameRow struct {
	r     *row
	place int // of the same row; -1 is a new one
	old   int // of another row of its key that it replaces; -1 is none
	index bool
}

// sort says what becomes of rows whose keys differ, and changes nothing.
func (h *holdings) sort(s *Store, ctx context.Context, op string, rows []*row, file string) (out sorted, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range rows {
		out.counts.Read++
		key := r.name
		same := h.same(key, r.content)
		if same >= 0 && h.rows.at(same).part&cameNow != 0 {
			out.counts.Unchanged++ // it stands in the file twice
			continue
		}
		var others []int // of the same hash
		h.byKey.each(key, func(place int) bool {
			if x := h.rows.at(place); x.key == key && place != same && x.part&(cameNow|inForce) != 0 {
				others = append(others, place)
			}
			return true
		})
		old, again := -1, -1
		for _, place := range others {
			name, err := h.name(s, ctx, op, place)
			if err != nil && h.again {
				name, err = r.key, nil // what is damaged is likely the same, and is replaced all the same
			}
			switch {
			case err != nil:
				return out, err
			case name != r.key:
			case h.rows.at(place).part&cameNow != 0:
				again = place
			default:
				old = place
			}
		}
		if again >= 0 && h.rows.at(again).part&inForce != 0 && int(h.rows.at(again).line) > r.line {
			// It was carried before this row, which stands above it, was put: the first in the file counts.
			out.twice = append(out.twice, directory.Reject{File: file, Line: int(h.rows.at(again).line), Reason: fmt.Sprintf("the key of line %d stands here again", r.line), Text: r.key})
			out.counts.Unchanged, out.counts.Rejected = out.counts.Unchanged-1, out.counts.Rejected+1
			old, again = again, -1
		}
		if again >= 0 {
			out.counts.Rejected++
			out.twice = append(out.twice, directory.Reject{File: file, Line: r.line, Reason: fmt.Sprintf("the key of line %d stands here again", h.rows.at(again).line), Text: r.key})
			continue
		}
		c := cameRow{r: r, place: same, old: old}
		switch {
		case same >= 0 && h.rows.at(same).part&inForce != 0:
			out.counts.Unchanged++
			if h.pageAt(same).anew {
				c.place, c.old, c.index = -1, same, true
			}
		case old >= 0:
			out.counts.Changed++
			c.index = true
		default:
			out.counts.Added++
			c.index = true
		}
		if c.index || same < 0 || !h.quiet(same) {
			r.ready()
		}
		out.came = append(out.came, c)
		if same < 0 || !h.quiet(same) {
			out.compare = append(out.compare, r)
		}
	}
	return out, nil
}

// name returns the key of a row.
func (h *holdings) name(s *Store, ctx context.Context, op string, place int) (string, error) {
	at := h.pageAt(place)
	for _, p := range append(slices.Clone(h.full), h.open) {
		if p != nil && p.number == at.number {
			c := cursor{b: p.rows}
			for range place - at.first {
				c.bytes()
			}
			row := cursor{b: c.bytes()}
			return string(row.bytes()), nil
		}
	}
	p := h.read[at.number]
	if p == nil {
		err := s.read(ctx, op, func(t *tx) (err error) {
			p, err = t.page(h.source, at.number)
			return err
		})
		if err != nil {
			return "", err
		}
		if len(h.read) >= mostCached {
			clear(h.read)
		}
		h.read[at.number] = p
	}
	key, err := p.key(place - at.first)
	if err != nil {
		return "", damaged("page", h.source, at.number, err)
	}
	return key, nil
}

// take makes the rows part of the run. New ones are packed, and written with a later transaction.
func (h *holdings) take(rows []cameRow) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	number, err := h.runNumber(h.run)
	if err != nil {
		return err
	}
	for _, c := range rows {
		place := c.place
		if place < 0 {
			part, err := h.partNumber(c.r.kind + "/" + c.r.part)
			if err != nil {
				return err
			}
			if h.open == nil {
				h.open = &pageBuilder{number: h.next}
				h.pages = append(h.pages, heldPage{number: h.next, first: h.rows.n})
				h.next++
			}
			h.open.add(c.r)
			place = h.rows.n
			x := h.open.heads[len(h.open.heads)-1]
			h.rows.add(held{key: x.key, content: x.content, print: x.print, part: part})
			h.pages[len(h.pages)-1].n++
			h.find(place)
			if len(h.open.heads) >= h.size {
				h.full, h.open = append(h.full, h.open), nil
			}
		}
		x := h.rows.at(place)
		x.part |= cameNow
		x.line, x.run = uint32(c.r.line), number
		if c.old >= 0 {
			old := h.rows.at(c.old)
			old.part = old.part&^cameNow | replaced
		}
		if c.index {
			o := h.pageAt(place).ordinal(place)
			h.entries = append(h.entries, indexEntry{c.r.name, o})
			for _, hash := range c.r.under {
				h.entries = append(h.entries, indexEntry{hash, o})
			}
		}
	}
	return nil
}

// fullPages are written in one transaction: some 8,000 rows, a megabyte, in ten milliseconds.
const fullPages = 64

// due reports that enough pages are packed for a transaction.
func (h *holdings) due() bool {
	return len(h.full) > 0 && (len(h.full) >= fullPages || h.size < pageRows)
}

// writePages writes the pages that are full; with all, the open one too.
func (w *work) writePages(h *holdings, all bool) error {
	list := h.full
	if all && h.open != nil {
		list = append(slices.Clone(list), h.open)
	}
	rows := make([][]any, len(list))
	for i, p := range list {
		rows[i] = []any{h.source, p.number, appendHeads(h.reading, p.heads), p.body()}
	}
	return w.insert(`INSERT INTO reference_page (source, number, heads, body)`, rows, "")
}

// wrote lets go of what writePages has written.
func (h *holdings) wrote(all bool) {
	if h.full = nil; all {
		h.open = nil
	}
}

// surroundings holds the blocks of every provider in memory for the length of the run, and marks the rows
// held under whose blocks somebody stands: only these are compared again when they come unchanged.
func (s *Store) surroundings(ctx context.Context, op string, o *openRun) error {
	if o.info.Kind == "exclusion" { // the screening of the completed run compares them all
		o.known.mu.Lock()
		defer o.known.mu.Unlock()
		o.known.asked = true
		return nil
	}
	if o.near == nil {
		near, err := s.vicinity(ctx, op)
		if err != nil {
			return err
		}
		o.near = near
	}
	if o.known.asked || o.known.again { // all of one that is read again is compared
		return nil
	}
	names := make(map[uint64]bool, len(o.near.byBlock))
	for b := range o.near.byBlock {
		names[hash64(b)] = true
		if npi, ok := strings.CutPrefix(b, "npi:"); ok {
			names[hash64(keyName(npi))] = true
		}
	}
	var marked []uint32
	err := s.read(ctx, op, func(t *tx) error {
		list, err := t.segmentsOf(o.info.ID)
		if err != nil {
			return err
		}
		for _, g := range list {
			err := t.eachEntries(g, func(list indexPage) error {
				for i := range list.len() {
					if e := list.at(i); names[e.hash] {
						marked = append(marked, e.ordinal)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	h := o.known
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, ordinal := range marked {
		if place, ok := h.placeOf(ordinal); ok {
			h.rows.at(place).part |= spoken
		}
	}
	for key := range h.copies {
		hash := hash64(keyName(key))
		h.byKey.each(hash, func(place int) bool {
			if x := h.rows.at(place); x.key == hash {
				x.part |= spoken
			}
			return true
		})
	}
	h.asked = true
	return nil
}

// placeOf finds the row of an ordinal.
func (h *holdings) placeOf(ordinal uint32) (int, bool) {
	i, ok := slices.BinarySearchFunc(h.pages, int64(ordinal/pageRows), func(p heldPage, number int64) int { return int(p.number - number) })
	if !ok || int(ordinal%pageRows) >= h.pages[i].n {
		return 0, false
	}
	return h.pages[i].first + int(ordinal%pageRows), true
}

// eachEntries reads a segment of an index in order of hashes.
func (t *tx) eachEntries(g segment, f func(indexPage) error) error {
	n := 0
	err := t.each(`SELECT body FROM reference_index WHERE segment = $1 ORDER BY first`, []any{g.number}, func(r *sql.Rows) error {
		var body sql.RawBytes
		if err := r.Scan(&body); err != nil {
			return err
		}
		list, err := readEntries(body)
		if err != nil {
			return damaged("the index, segment", g.source, g.number, err)
		}
		n += list.len()
		return f(list)
	})
	if err == nil && n != g.entries { // a page that is missing would find nobody
		err = damaged("the index, segment", g.source, g.number, errDamaged)
	}
	return err
}

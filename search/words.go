package search

import (
	"context"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"kapdir/directory"
)

// wordIndex matches words by the index, at the state it had when the reader was taken. It reads the postings
// of single terms from bleve's segments as the sets they are, and cuts and joins those: no query syntax, no
// expression, no disjunction is built. Which words a term stands for is the snapshot's to say, so the work is
// bounded by the words there are and not by what was typed.
type wordIndex struct {
	reader   index.IndexReader
	docs     *snapshot
	segments []segmentDocs

	partial bool // the snapshot leaves out some of what the index holds, which is passed over
}

// segmentDocs is a segment of the index with the snapshot's numbers by its own, and with the sets that searches read of it.
type segmentDocs struct {
	*scorch.SegmentSnapshot
	numbers []uint32
	sets    *keptSets
}

// keptSets are sets of a segment by their term. They lie in the segment's own memory, so that what is kept is little. A
// segment never changes; when it goes they go with it.
type keptSets struct {
	mu     sync.RWMutex
	byTerm map[fieldTerm]*roaring.Bitmap // nil is nobody
}

// fieldTerm is a term of the index.
type fieldTerm struct {
	word string
	in   uint8
}

const mostKeptSets = 4096 // of a segment

// noDoc is the number of a document that the snapshot does not hold.
const noDoc = math.MaxUint32

// newWordIndex takes a reader and finds each document of the snapshot in it. It fails unless the two
// hold the same providers. Of segments that the index of before knew, what it knew is taken over.
func newWordIndex(store index.Index, s *snapshot, before *wordIndex) (*wordIndex, error) {
	reader, err := store.Reader()
	if err != nil {
		return nil, err
	}
	w := &wordIndex{reader: reader, docs: s}
	if err := w.place(before); err != nil {
		reader.Close()
		return nil, err
	}
	return w, nil
}

func (w *wordIndex) place(before *wordIndex) error {
	r, ok := w.reader.(*scorch.IndexSnapshot)
	if !ok {
		return fmt.Errorf("the index is of another kind: %T", w.reader)
	}
	s := w.docs
	known := map[uint64]segmentDocs{}
	if before != nil && before.docs.tip == s.tip { // else the numbers are others
		for _, seg := range before.segments {
			known[seg.Id()] = seg
		}
	}
	n := uint64(0)
	for _, seg := range r.Segments() {
		g := segmentDocs{seg, known[seg.Id()].numbers, known[seg.Id()].sets}
		if g.sets == nil || uint64(len(g.numbers)) != seg.Segment().Count() {
			numbers, err := w.numbersOf(seg)
			if err != nil {
				return err
			}
			g.numbers, g.sets = numbers, &keptSets{byTerm: map[fieldTerm]*roaring.Bitmap{}}
		}
		w.segments = append(w.segments, g)
		n += seg.Count()
	}
	if !w.partial && n != uint64(s.size()) {
		return fmt.Errorf("the index holds %d documents, the feed %d", n, s.size())
	}
	return nil
}

// numbersOf finds each living document of a segment in the snapshot. They mostly follow one another.
func (w *wordIndex) numbersOf(seg *scorch.SegmentSnapshot) ([]uint32, error) {
	s := w.docs
	numbers := make([]uint32, seg.Segment().Count())
	deleted := seg.Deleted()
	next := uint32(0)
	for i := range numbers {
		numbers[i] = noDoc
		if deleted != nil && deleted.Contains(uint32(i)) {
			continue
		}
		id, err := seg.DocID(uint64(i))
		if err != nil {
			return nil, err
		}
		doc, ok := next, int(next) < s.n && string(s.ids[next]) == string(id) && s.live.Contains(next)
		if !ok {
			doc, ok = s.find(directory.ID(id))
		}
		if !ok {
			if !w.partial {
				return nil, fmt.Errorf("the index holds %q, which the feed does not", id)
			}
			continue
		}
		numbers[i], next = doc, doc+1
	}
	return numbers, nil
}

// posting is a term of the index for which a term of a query stands.
type posting struct {
	fieldTerm
	class class
}

func (w *wordIndex) match(ctx context.Context, terms []term, room *hitRoom) ([]hit, error) {
	postings := make([][]posting, len(terms))
	for i, x := range terms {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if hasDigit(x.text) {
			continue // they are in the segments alone
		}
		l := w.docs.words
		for _, v := range l.find(x) {
			for _, in := range l.in[l.starts[v.word]:l.starts[v.word+1]] {
				postings[i] = append(postings[i], posting{fieldTerm{l.words[v.word], in}, v.class})
			}
		}
	}
	room.hits = room.hits[:0]
	for i := range w.segments {
		if err := w.segments[i].match(ctx, room, terms, postings); err != nil {
			return nil, err
		}
	}
	return room.hits, nil
}

// held is what a segment holds of one posting.
type held struct {
	posting
	set *roaring.Bitmap
}

func (g *segmentDocs) match(ctx context.Context, room *hitRoom, terms []term, postings [][]posting) error {
	keep := len(g.numbers) <= mostDense
	holds := make([][]held, len(terms))
	var all *roaring.Bitmap // who holds every term so far
	for i, x := range terms {
		of := postings[i]
		if hasDigit(x.text) {
			dict, err := g.Segment().Dictionary(indexText)
			if err != nil {
				return err
			}
			if of, err = numbersLike(dict, x); err != nil {
				return err
			}
		}
		for _, p := range of {
			if err := ctx.Err(); err != nil {
				return err
			}
			set, err := g.set(p.fieldTerm, keep && !hasDigit(x.text))
			if err != nil {
				return err
			}
			if set != nil {
				holds[i] = append(holds[i], held{p, set})
			}
		}
		var who *roaring.Bitmap
		switch len(holds[i]) {
		case 0:
			return nil
		case 1:
			who = holds[i][0].set
		default:
			sets := make([]*roaring.Bitmap, len(holds[i]))
			for j, h := range holds[i] {
				sets[j] = h.set
			}
			who = roaring.FastOr(sets...)
		}
		if all == nil {
			all = who
		} else {
			all = roaring.And(all, who)
		}
		if all.IsEmpty() {
			return nil
		}
	}
	if d := g.Deleted(); d != nil && !d.IsEmpty() {
		all = roaring.AndNot(all, d)
	}
	size := int(all.GetCardinality())
	room.docs = slices.Grow(room.docs[:0], size)[:size]
	docs := room.docs[:all.ManyIterator().NextMany(room.docs)]
	start := len(room.hits)
	room.hits = slices.Grow(room.hits, len(docs))
	for _, d := range docs {
		if int(d) >= len(g.numbers) || g.numbers[d] == noDoc {
			return fmt.Errorf("the index names a document %d that it does not hold", d)
		}
		room.hits = append(room.hits, hit{doc: g.numbers[d]})
	}
	found := room.hits[start:]
	placed := false
	for _, hs := range holds {
		if len(hs) == 1 {
			for i := range found {
				found[i].and(hs[0].class, hs[0].in)
			}
			continue
		}
		if !placed {
			room.place(docs, len(g.numbers))
			placed = true
		}
		room.near = slices.Grow(room.near[:0], size)[:size]
		clear(room.near)
		for _, h := range hs { // of several ways to hold a term the nearest counts, with all fields that have it so
			room.eachIn(h.set, docs, func(i int) {
				switch n := &room.near[i]; {
				case h.class > n.class:
					n.class, n.in = h.class, h.in
				case h.class == n.class:
					n.in |= h.in
				}
			})
		}
		for i := range found {
			found[i].and(room.near[i].class, room.near[i].in)
		}
	}
	return nil
}

// place notes where each document of a list stands in it.
func (r *hitRoom) place(docs []uint32, of int) {
	r.at = slices.Grow(r.at[:0], of)[:of]
	for i, d := range docs {
		r.at[d] = uint32(i)
	}
}

// eachIn calls f with the places of those of the documents, which were placed, that are in the set.
func (r *hitRoom) eachIn(set *roaring.Bitmap, docs []uint32, f func(i int)) {
	if set.GetCardinality() > 4*uint64(len(docs)) {
		for i, d := range docs {
			if set.Contains(d) {
				f(i)
			}
		}
		return
	}
	var some [256]uint32
	for it := set.ManyIterator(); ; {
		n := it.NextMany(some[:])
		if n == 0 {
			return
		}
		for _, d := range some[:n] {
			if i := r.at[d]; int(i) < len(docs) && docs[i] == d { // what was not placed is of an older list
				f(int(i))
			}
		}
	}
}

// set returns who of the segment holds a term; nil is nobody. It must not be changed.
func (g *segmentDocs) set(t fieldTerm, keep bool) (*roaring.Bitmap, error) {
	if keep {
		g.sets.mu.RLock()
		set, ok := g.sets.byTerm[t]
		g.sets.mu.RUnlock()
		if ok {
			return set, nil
		}
	}
	dict, err := g.Segment().Dictionary(indexText)
	if err != nil {
		return nil, err
	}
	set, err := postingsOf(dict, []byte(indexTerm(t.word, t.in)))
	if err == nil && keep {
		g.sets.mu.Lock()
		if len(g.sets.byTerm) < mostKeptSets {
			g.sets.byTerm[t] = set
		}
		g.sets.mu.Unlock()
	}
	return set, err
}

// postingsOf reads who holds a term: nil is nobody. The set belongs to the index and must not be changed.
func postingsOf(dict segment.TermDictionary, term []byte) (*roaring.Bitmap, error) {
	list, err := dict.PostingsList(term, nil, nil)
	if err != nil {
		return nil, err
	}
	it := list.Iterator(false, false, false, nil)
	if known, ok := it.(segment.OptimizablePostingsIterator); ok {
		if d, ok := known.DocNum1Hit(); ok {
			return roaring.BitmapOf(uint32(d)), nil
		}
		if set := known.ActualBitmap(); set != nil {
			return set, nil
		}
	}
	var docs []uint32
	for {
		p, err := it.Next()
		if err != nil {
			return nil, err
		}
		if p == nil {
			break
		}
		docs = append(docs, uint32(p.Number()))
	}
	if len(docs) == 0 {
		return nil, nil
	}
	return roaring.BitmapOf(docs...), nil
}

// numbersLike looks up in a segment the words with digits for which the term stands.
func numbersLike(dict segment.TermDictionary, x term) ([]posting, error) {
	start := []byte(x.text)
	longer := x.prefix && utf8.RuneCountInString(x.text) >= minNumber
	if !longer {
		start = append(start, 0x80)
	}
	var out []posting
	it := dict.AutomatonIterator(nil, start, []byte(x.text+"\xff\xff"))
	for {
		e, err := it.Next()
		if err != nil || e == nil {
			return out, err
		}
		switch word, in := cutTerm(e.Term); {
		case word == x.text:
			out = append(out, posting{fieldTerm{word, in}, exact})
		case longer:
			out = append(out, posting{fieldTerm{word, in}, begins})
		}
	}
}

// stored calls f with what the index stores of each document.
func stored(reader index.IndexReader, f func(id directory.ID, version string) error) error {
	r, ok := reader.(*scorch.IndexSnapshot)
	if !ok {
		return fmt.Errorf("the index is of another kind: %T", reader)
	}
	for _, seg := range r.Segments() {
		deleted := seg.Deleted()
		for i := range seg.Segment().Count() {
			if deleted != nil && deleted.Contains(uint32(i)) {
				continue
			}
			var id, version string
			err := seg.VisitDocument(i, func(field string, _ byte, value []byte, _ []uint64) bool {
				switch field {
				case "_id":
					id = string(value)
				case indexVersion:
					version = string(value)
				}
				return true
			})
			if err != nil {
				return err
			}
			if err := f(directory.ID(id), version); err != nil {
				return err
			}
		}
	}
	return nil
}

// verify compares every term of the index with the documents of the snapshot: nothing more stands in the
// index, and nothing less. Damage inside a segment raises no error of its own. Of each document the terms'
// hashes are added up on both sides, with a seed of the moment. It reads all that is mapped, and searches read little
// of it, so the rest is let go.
func (w *wordIndex) verify(ctx context.Context) error {
	s := w.docs
	defer func() {
		for _, g := range w.segments {
			if file, ok := g.Segment().(interface{ Data() []byte }); ok {
				letGo(file.Data())
			}
		}
	}()
	seed := maphash.MakeSeed()
	sums := make([]uint64, s.n)
	for i := range w.segments {
		g := &w.segments[i]
		dict, err := g.Segment().Dictionary(indexText)
		if err != nil {
			return err
		}
		deleted := g.Deleted()
		it := dict.AutomatonIterator(nil, nil, nil)
		for {
			e, err := it.Next()
			if err != nil {
				return err
			}
			if e == nil {
				break
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			set, err := postingsOf(dict, []byte(e.Term))
			if err != nil {
				return err
			}
			if set == nil {
				continue
			}
			h := maphash.String(seed, e.Term)
			for docs := set.Iterator(); docs.HasNext(); {
				d := docs.Next()
				if int(d) >= len(g.numbers) {
					return fmt.Errorf("the index names a document %d that it does not hold", d)
				}
				if doc := g.numbers[d]; doc != noDoc && (deleted == nil || !deleted.Contains(d)) {
					sums[doc] += h
				}
			}
		}
	}
	terms := s.table.all()
	hashes := make([]uint64, len(terms))
	for n, t := range terms {
		hashes[n] = maphash.String(seed, t)
	}
	wrong := 0
	for _, doc := range s.byID {
		eachTerm(s.terms.of(doc), func(n uint32) { sums[doc] -= hashes[n] }, func(t []byte) { sums[doc] -= maphash.Bytes(seed, t) })
		if sums[doc] != 0 {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("the index holds other words of %d providers than the feed", wrong)
	}
	return nil
}

// epoch is what searches answer from: documents, and the index of their words at the same moment; words
// is nil while there is none. An epoch closes its reader when the last search on it ends.
type epoch struct {
	docs  *snapshot
	words *wordIndex
	seq   atomic.Int64 // all changes up to this number are in it; it may be past docs.seq
	users atomic.Int64
	known sync.Map      // words of names by whether they are some person's, as Known found
	idle  chan struct{} // closed when it is no longer serving and nobody uses it
}

func newEpoch(docs *snapshot, words *wordIndex) *epoch {
	e := &epoch{docs: docs, words: words, idle: make(chan struct{})}
	e.seq.Store(docs.seq)
	e.users.Store(1)
	return e
}

func (e *epoch) release() {
	if e.users.Add(-1) == 0 {
		if e.words != nil {
			e.words.reader.Close()
		}
		close(e.idle)
	}
}

func (e *epoch) matcher() matcher {
	if e.words != nil {
		return e.words
	}
	return plain{e.docs}
}

package search

import "math/bits"

// facetSet is some of the facets, a bit for each.
type facetSet uint32

func only(f facet) facetSet { return 1 << f }

func (x facetSet) has(f facet) bool { return x&only(f) != 0 }

// bitsOf are the values of some facets that stand in the bits of a document, and whether some have others.
func (s *snapshot) bitsOf(which facetSet) (low, high uint64, others bool) {
	for f := range facets {
		if which.has(f) {
			low |= s.facetBits[f][0]
			high |= s.facetBits[f][1]
			others = others || len(s.facetValues[f]) > bits.OnesCount64(s.facetBits[f][0])+bits.OnesCount64(s.facetBits[f][1])
		}
	}
	return low, high, others
}

// eachOf calls f with the number of every value that the document has of some facets, but for the results of checks.
func (s *snapshot) eachOf(doc uint32, which facetSet, f func(v int)) {
	low, high, others := s.bitsOf(which)
	eachBit(s.bits[doc][0]&low, f)
	eachBit(s.bits[doc][1]&high, func(b int) { f(64 + b) })
	if !others {
		return
	}
	for _, v := range s.others.of(doc) {
		if which.has(s.facetOf[v]) {
			f(int(v))
		}
	}
}

// countValues counts the values of some facets, but for the results of checks, that documents have.
func (s *snapshot) countValues(docs []uint32, which facetSet, counts []int32) {
	low, high, others := s.bitsOf(which)
	var lows, highs tally
	for _, doc := range docs {
		b := &s.bits[doc]
		lows.add(b[0] & low)
		highs.add(b[1] & high)
	}
	lows.into(counts)
	highs.into(counts[64:])
	if !others {
		return
	}
	for _, doc := range docs {
		for _, v := range s.others.of(doc) {
			if which.has(s.facetOf[v]) {
				counts[v]++
			}
		}
	}
}

// countResults counts the results of some checks that documents have. The results of all checks fit into one word, as
// a test holds.
func (e *evaluation) countResults(s *snapshot, docs []uint32, counted func(check int) bool, counts []int32) {
	var which [5]bool
	for i := range which {
		which[i] = counted(i)
	}
	var t tally
	for _, doc := range docs {
		c, w := e.entry(s, doc), uint64(0)
		for i, yes := range which {
			if r, ok := e.result(s, c, i); ok && yes {
				w |= 1 << checkValue(i, r)
			}
		}
		t.add(w)
	}
	t.into(counts[firstCheck:])
}

// tally counts in how many words each bit is set. It adds them as a circuit would, bit by bit of all 64 counts at once:
// planes[i] has bit i of each count, and eight words together cost a few steps. (Harley and Seal's carry-save adder.)
type tally struct {
	planes [32]uint64
	held   [8]uint64
	n      int
}

func (t *tally) add(w uint64) {
	t.held[t.n%8] = w
	if t.n++; t.n%8 == 0 {
		t.fold()
	}
}

// fold adds the eight words held.
func (t *tally) fold() {
	h := &t.held
	one, two, four := t.planes[0], t.planes[1], t.planes[2]
	one, a := addBits(one, h[0], h[1])
	one, b := addBits(one, h[2], h[3])
	two, c := addBits(two, a, b)
	one, a = addBits(one, h[4], h[5])
	one, b = addBits(one, h[6], h[7])
	two, d := addBits(two, a, b)
	four, carry := addBits(four, c, d)
	t.planes[0], t.planes[1], t.planes[2] = one, two, four
	for i := 3; carry != 0; i++ {
		t.planes[i], carry = t.planes[i]^carry, t.planes[i]&carry
	}
}

// addBits adds three bits in each of 64 places.
func addBits(a, b, c uint64) (sum, carry uint64) {
	x := a ^ b
	return x ^ c, a&b | x&c
}

// into adds the counts to a list.
func (t *tally) into(counts []int32) {
	for i := range t.n % 8 {
		eachBit(t.held[i], func(b int) { counts[b]++ })
	}
	for i := range bits.Len(uint(t.n)) {
		eachBit(t.planes[i], func(b int) { counts[b] += 1 << i })
	}
}

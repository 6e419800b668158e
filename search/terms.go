package search

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// term of the index: a word with the fields in which a document holds it, as bits. The index holds it as
// the word and one more byte, which is no part of UTF-8, so that one posting says both who and where.
func indexTerm(word string, in uint8) string { return word + string([]byte{0x80 | in}) }

// cutTerm undoes indexTerm.
func cutTerm(t string) (word string, in uint8) { return t[:len(t)-1], t[len(t)-1] &^ 0x80 }

// hasDigit reports a word with a digit: a number, or a licence's. There are as many as providers, so they
// stand in the index alone, are never misspelt, and a term is the beginning of one only from four characters on.
func hasDigit(w string) bool { return strings.IndexFunc(w, unicode.IsDigit) >= 0 }

// minNumber is the length from which a term with a digit also stands for longer words.
const minNumber = 4

// termTable numbers the words of documents that have no digit, each with its fields. It only grows: a
// snapshot read anew begins another.
type termTable struct {
	mu     sync.RWMutex
	number map[string]uint32 // by indexTerm
	terms  []string          // by number
	list   *wordList
}

func newTermTable() *termTable {
	return &termTable{number: map[string]uint32{}, list: &wordList{starts: []uint32{0}}}
}

// add returns the number of the term.
func (v *termTable) add(term []byte) uint32 {
	v.mu.RLock()
	n, ok := v.number[string(term)]
	v.mu.RUnlock()
	if ok {
		return n
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if n, ok = v.number[string(term)]; !ok {
		n = uint32(len(v.terms))
		t := string(term)
		v.number[t] = n
		v.terms = append(v.terms, t)
	}
	return n
}

// all returns the terms by number. The caller must not change them.
func (v *termTable) all() []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.terms[:len(v.terms):len(v.terms)]
}

// sorted returns the list of all words so far.
func (v *termTable) sorted() *wordList {
	v.mu.Lock()
	defer v.mu.Unlock()
	if fresh := v.terms[len(v.list.numbers):]; len(fresh) > 0 {
		v.list = v.list.with(fresh, uint32(len(v.list.numbers)))
	}
	return v.list
}

// wordList holds words in order, each with the terms that hold it. It does not change.
type wordList struct {
	words   []string
	letters []uint32 // of each word: which letters are in it, a bit for each of 32 kinds
	lengths []uint8  // in runes
	starts  []uint32 // of each word's terms, and the end of the last
	in      []uint8  // of each term, in order of words
	numbers []uint32
}

// with returns the list with the terms put in; their numbers go on from the first.
func (l *wordList) with(terms []string, first uint32) *wordList {
	order := make([]uint32, len(terms))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { // by the word: its last byte would put it after longer ones
		v, _ := cutTerm(terms[a])
		w, _ := cutTerm(terms[b])
		if c := strings.Compare(v, w); c != 0 {
			return c
		}
		return strings.Compare(terms[a], terms[b])
	})
	out := &wordList{
		words: make([]string, 0, len(l.words)+len(terms)), letters: make([]uint32, 0, len(l.words)+len(terms)), lengths: make([]uint8, 0, len(l.words)+len(terms)),
		starts: make([]uint32, 0, len(l.words)+len(terms)+1), in: make([]uint8, 0, len(l.in)+len(terms)), numbers: make([]uint32, 0, len(l.in)+len(terms)),
	}
	word := func(w string, letters uint32, length uint8) {
		out.words, out.letters, out.lengths = append(out.words, w), append(out.letters, letters), append(out.lengths, length)
		out.starts = append(out.starts, uint32(len(out.in)))
	}
	at := 0
	keep := func(i int) {
		word(l.words[i], l.letters[i], l.lengths[i])
		out.in = append(out.in, l.in[l.starts[i]:l.starts[i+1]]...)
		out.numbers = append(out.numbers, l.numbers[l.starts[i]:l.starts[i+1]]...)
	}
	for _, n := range order {
		w, in := cutTerm(terms[n])
		for at < len(l.words) && l.words[at] <= w {
			keep(at)
			at++
		}
		if len(out.words) == 0 || out.words[len(out.words)-1] != w {
			word(w, lettersOf(w), uint8(utf8.RuneCountInString(w)))
		}
		out.in, out.numbers = append(out.in, in), append(out.numbers, first+n)
	}
	for ; at < len(l.words); at++ {
		keep(at)
	}
	out.starts = append(out.starts, uint32(len(out.in)))
	return out
}

func lettersOf(w string) (m uint32) {
	for _, r := range w {
		m |= 1 << (uint32(r) & 31)
	}
	return m
}

// variant is a word of the list for which a term of a query stands, and how near it is.
type variant struct {
	word  int // place in the list
	class class
}

// find returns the words of the list for which the term stands, each once as the nearest it is.
func (l *wordList) find(x term) []variant {
	var out []variant
	at, ok := slices.BinarySearch(l.words, x.text)
	end := at
	if ok {
		out = append(out, variant{at, exact})
		end++
	}
	if x.prefix {
		for ; end < len(l.words) && strings.HasPrefix(l.words[end], x.text); end++ {
			out = append(out, variant{end, begins})
		}
	}
	if x.edits == 0 {
		return out
	}
	// Only what begins with the same letter may be a misspelling. A letter put in, left out or changed moves
	// at most two of the bits, so most words are passed over unread.
	runes := []rune(x.text)
	_, size := utf8.DecodeRuneInString(x.text)
	head, letters := x.text[:size], lettersOf(x.text)
	from, _ := slices.BinarySearch(l.words, head)
	to := from + sort.Search(len(l.words)-from, func(i int) bool { return !strings.HasPrefix(l.words[from+i], head) })
	for i := from; i < to; i++ {
		if d := int(l.lengths[i]) - len(runes); d > x.edits || -d > x.edits || bits.OnesCount32(l.letters[i]^letters) > 2*x.edits || i >= at && i < end {
			continue
		}
		if editDistance(runes, []rune(l.words[i]), x.edits) <= x.edits {
			out = append(out, variant{i, misspelt})
		}
	}
	return out
}

// packTerms writes what a document holds: the numbers of its terms, and its words with digits as they are.
func (v *termTable) packTerms(out []byte, text *[fields][]string) []byte {
	in := map[string]uint8{}
	for f := range fields {
		for _, w := range text[f] {
			in[w] |= 1 << f
		}
	}
	numbers := make([]uint32, 0, len(in))
	var others []string
	var term []byte
	for w, fs := range in {
		if hasDigit(w) {
			others = append(others, indexTerm(w, fs))
		} else {
			term = append(append(term[:0], w...), 0x80|fs)
			numbers = append(numbers, v.add(term))
		}
	}
	slices.Sort(numbers)
	slices.Sort(others)
	out = binary.AppendUvarint(out, uint64(len(numbers)))
	last := uint32(0)
	for _, n := range numbers {
		out = binary.AppendUvarint(out, uint64(n-last))
		last = n
	}
	for _, t := range others {
		out = append(binary.AppendUvarint(out, uint64(len(t))), t...)
	}
	return out
}

// eachTerm reads what packTerms wrote: known is called with each number, other with each term that has a digit.
func eachTerm(packed []byte, known func(n uint32), other func(t []byte)) {
	count, n := binary.Uvarint(packed)
	packed = packed[n:]
	last := uint32(0)
	for range count {
		d := uint64(packed[0])
		n := 1
		if d >= 0x80 {
			d, n = binary.Uvarint(packed)
		}
		packed = packed[n:]
		last += uint32(d)
		known(last)
	}
	for len(packed) > 0 {
		size, n := binary.Uvarint(packed)
		other(packed[n : n+int(size)])
		packed = packed[n+int(size):]
	}
}

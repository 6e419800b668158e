package search

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"kapdir/directory"
)

// The kinds of suggestion, the most useful first when nothing else tells them apart.
const (
	KindState     = "state"
	KindFocus     = "focus"
	KindPlace     = "place"
	KindName      = "name"
	KindFramework = "framework"
	KindProgramme = "programme"
)

var kindOrder = [...]string{KindState, KindFocus, KindPlace, KindName, KindFramework, KindProgramme}

var (
	placeOfPlace = slices.Index(kindOrder[:], KindPlace)
	placeOfName  = slices.Index(kindOrder[:], KindName)
)

const (
	maxSuggestions = 10
	eachKind       = 4 // no kind fills the list while others wait
	suggestMiles   = 50
)

// suggestible is a town, or a value of a facet.
type suggestible struct {
	kind        int // place in kindOrder
	text, value string
	number      int32           // of a value, in every lexicon
	point       directory.Point // of a town
}

// suggestibles are all that the tables hold, by kind and text, and the beginnings of the words of what they are called.
// They are the same for every snapshot.
type suggestibles struct {
	all   []suggestible
	towns map[string]uint32 // by how they are written: place in all
	from  []string          // the folded text from a word on, in order
	what  []uint32          // of each: place in all, kind, and the two bits
}

const (
	firstWord = 1 << iota // it is of the first word
	firstToo              // so is another of the same thing that begins with all of this one
	kindBit   = iota
	placeBit  = kindBit + 3
)

var suggests = sync.OnceValue(func() *suggestibles {
	s := &suggestibles{towns: map[string]uint32{}}
	type thing struct {
		suggestible
		called []string
	}
	var things []thing
	directory.Tables().EachTown(func(p directory.Place) {
		things = append(things, thing{suggestible{kind: placeOfPlace, text: p.String(), value: p.String(), point: p.Point}, []string{p.City}})
	})
	l := newLexicon()
	add := func(f facet, kind, value string, called ...string) {
		x := suggestible{kind: slices.Index(kindOrder[:], kind), text: Label(facetNames[f], value), value: value, number: l.find(f, value)}
		things = append(things, thing{x, append(called, x.text)})
	}
	for _, st := range directory.Tables().States() {
		add(facetState, KindState, string(st), string(st))
	}
	for _, v := range facetFocus.vocabulary() {
		if v != "other" {
			add(facetFocus, KindFocus, v, synonyms["focus"][v])
		}
	}
	for _, v := range facetFramework.vocabulary() {
		if v != "other" {
			add(facetFramework, KindFramework, v, strings.ReplaceAll(v, "_", " "), synonyms["framework"][v])
		}
	}
	for _, p := range directory.Tables().Programmes() {
		add(facetProgramme, KindProgramme, p.ID, append(slices.Clone(p.Synonyms), p.ID, p.Issuer)...)
	}
	slices.SortFunc(things, func(a, b thing) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.text, b.text), strings.Compare(a.value, b.value))
	})
	type completion struct {
		from string
		what uint32
	}
	var all []completion
	for i, x := range things {
		s.all = append(s.all, x.suggestible)
		if x.kind == placeOfPlace {
			s.towns[x.value] = uint32(i)
		}
		what, mine := uint32(i)<<placeBit|uint32(x.kind)<<kindBit, len(all)
		for _, text := range x.called {
			text = strings.Join(tokens(text), " ")
			for at := range len(text) {
				switch {
				case at == 0:
					all = append(all, completion{text, what | firstWord})
				case text[at-1] == ' ':
					all = append(all, completion{text[at:], what})
				}
			}
		}
		for j := range all[mine:] {
			c := &all[mine+j]
			if slices.ContainsFunc(all[mine:], func(x completion) bool { return x.what&firstWord != 0 && strings.HasPrefix(x.from, c.from) }) {
				c.what |= firstToo
			}
		}
	}
	slices.SortFunc(all, func(a, b completion) int { return cmp.Or(strings.Compare(a.from, b.from), cmp.Compare(a.what, b.what)) })
	s.from, s.what = make([]string, len(all)), make([]uint32, len(all))
	for i, x := range all {
		s.from[i], s.what[i] = x.from, x.what
	}
	return s
})

// nameList holds where the words of names begin, in order of the folded text from there on: first the names'
// beginnings, and apart from them all later words.
type nameList struct {
	first, later []nameAt
}

type nameAt struct {
	doc uint32
	at  uint32 // where in the folded name
}

// from is the folded text of a name from a word on.
func (a nameAt) from(s *snapshot) []byte { return s.folded.of(a.doc)[a.at:] }

// with returns the list without the dead and with the names of those added.
func (l *nameList) with(s *snapshot, dead, added []uint32) *nameList {
	gather := func(docs []uint32) (first, later []nameAt) {
		for _, doc := range docs {
			name := s.folded.of(doc)
			if len(name) > 0 {
				first = append(first, nameAt{doc, 0})
			}
			for i, c := range name {
				if c == ' ' {
					later = append(later, nameAt{doc, uint32(i + 1)})
				}
			}
		}
		return first, later
	}
	compare := func(a, b nameAt) int {
		if c := bytes.Compare(a.from(s), b.from(s)); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(string(s.ids[a.doc]), string(s.ids[b.doc])), cmp.Compare(a.at, b.at), cmp.Compare(a.doc, b.doc))
	}
	merge := func(old, gone, fresh []nameAt) []nameAt {
		slices.SortFunc(gone, compare)
		slices.SortFunc(fresh, compare)
		find := func(k nameAt) int {
			at, _ := slices.BinarySearchFunc(old, k, compare)
			return at
		}
		return splice(old, gone, fresh, find, func(k nameAt) nameAt { return k })
	}
	goneFirst, goneLater := gather(dead)
	freshFirst, freshLater := gather(added)
	return &nameList{merge(l.first, goneFirst, freshFirst), merge(l.later, goneLater, freshLater)}
}

// splice returns a sorted list without some and with others, both sorted; find gives the place of one.
func splice[T, K any](old []T, gone, fresh []K, find func(K) int, value func(K) T) []T {
	out := make([]T, 0, max(0, len(old)-len(gone))+len(fresh))
	at, g := 0, 0
	until := func(end int) { // copies what stands before the place and is not gone
		for g < len(gone) {
			place := find(gone[g])
			if place >= end {
				break
			}
			out = append(out, old[at:place]...)
			at = place + 1
			g++
		}
		out = append(out, old[at:end]...)
		at = end
	}
	for _, k := range fresh {
		if len(old) > 0 {
			until(find(k))
		}
		out = append(out, value(k))
	}
	until(len(old))
	return out
}

// Suggest returns at most limit ways, and at most ten, to complete the text: names, places, conditions,
// approaches and trainings of which a word begins as the text does. The most useful come first: what
// begins with the text before what has it further in, what leads to providers before what leads to none.
// A former name is never suggested.
func (x *Index) Suggest(ctx context.Context, text string, limit int) ([]Suggestion, error) {
	if !utf8.ValidString(text) {
		return nil, directory.Errorf(directory.Invalid, "q", "the text is not UTF-8")
	}
	if n := utf8.RuneCountInString(text); n > maxText {
		return nil, directory.Errorf(directory.Invalid, "q", "the text has %d characters; at most %d can be completed", n, maxText)
	}
	if limit < 0 {
		return nil, directory.Errorf(directory.Invalid, "limit", "a number of suggestions is not negative")
	}
	if limit == 0 || limit > maxSuggestions {
		limit = maxSuggestions
	}
	e, err := x.current()
	if err != nil {
		return nil, err
	}
	defer e.release()
	typed := strings.Join(tokens(text), " ")
	if utf8.RuneCountInString(typed) < 2 {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, late(err)
	}
	found := e.docs.complete(typed) // bounded by the tables, not by the text
	return found[:min(limit, len(found))], nil
}

// A rank tells which of one kind to suggest first: the higher. Below what makes it useful stand how many it
// leads to and, so that what is the same so far stands by its text, how far from the end of the alphabet it is.
const (
	rankLeads  = 8 << 58 // to providers
	rankBegins = 4 << 58 // the text is its beginning, not that of a later word
	rankWhole  = 2 << 58 // and all of it
	rankUseful = rankLeads | rankBegins | rankWhole

	countBit = 28
	rankLast = 1<<countBit - 1
)

// best are the ranks of the best of a kind, the best first.
type best struct {
	n     int
	ranks [maxSuggestions]uint64
}

// see takes another into account; of the same thing the higher rank stands.
func (b *best) see(rank uint64) {
	if b.n == len(b.ranks) && rank <= b.ranks[b.n-1] {
		return
	}
	at := 0
	for at < b.n && (b.ranks[at]^rank)&rankLast != 0 {
		at++
	}
	switch {
	case at < b.n && rank <= b.ranks[at]:
		return
	case at == len(b.ranks):
		at--
	case at == b.n:
		b.n++
	}
	for ; at > 0 && b.ranks[at-1] < rank; at-- {
		b.ranks[at] = b.ranks[at-1]
	}
	b.ranks[at] = rank
}

// see holds all that begin as typed against each other, each kind by itself. To how many each leads is given by its place.
func (x *suggestibles) see(all *[len(kindOrder)]best, typed string, lead []int32) {
	at, _ := slices.BinarySearch(x.from, typed)
	end := at + sort.Search(len(x.from)-at, func(i int) bool { return !strings.HasPrefix(x.from[at+i], typed) })
	for ; at < end; at++ {
		what := x.what[at]
		place := what >> placeBit
		rank := uint64(rankLast - place)
		if what&firstWord != 0 {
			rank |= rankBegins
		}
		if int(place) < len(lead) && lead[place] > 0 { // it is empty before the first document
			rank |= rankLeads | uint64(lead[place])<<countBit
		}
		if len(x.from[at]) == len(typed) {
			if rank |= rankWhole; what&firstToo != 0 {
				rank |= rankBegins
			}
		}
		all[what>>kindBit&(1<<(placeBit-kindBit)-1)].see(rank)
	}
}

// nameFound is somebody whose name begins as typed, from a word on.
type nameFound struct {
	doc    uint32
	useful uint64
}

// begin appends those of a list whose names begin as typed, each once: the first ten by their folded text, in the order
// in which they are shown.
func (s *snapshot) begin(found []nameFound, list []nameAt, typed string, use uint64) []nameFound {
	at := sort.Search(len(list), func(i int) bool { return string(list[i].from(s)) >= typed })
	from := len(found)
	for ; at < len(list) && len(found)-from < maxSuggestions; at++ {
		name := list[at].from(s)
		if len(name) < len(typed) || string(name[:len(typed)]) != typed {
			break
		}
		x := nameFound{list[at].doc, use}
		if slices.ContainsFunc(found, func(f nameFound) bool { return f.doc == x.doc }) {
			continue
		}
		if len(name) == len(typed) {
			x.useful |= rankWhole
		}
		found = append(found, x)
		for i := len(found) - 1; i > from && s.before(x, found[i-1]); i-- {
			found[i-1], found[i] = x, found[i-1]
		}
	}
	return found
}

func (s *snapshot) before(a, b nameFound) bool {
	if a.useful != b.useful {
		return a.useful > b.useful
	}
	if c := bytes.Compare(s.display.of(a.doc), s.display.of(b.doc)); c != 0 {
		return c < 0
	}
	return s.ids[a.doc] < s.ids[b.doc]
}

// mostKept bounds the suggestions that a snapshot keeps, which are about a kilobyte each.
const mostKept = 4096

// complete returns what the typed text may be the beginning of, the most useful first. Whoever types goes through two
// and three letters, which many words begin with and of which there are few: what was found for those is kept.
func (s *snapshot) complete(typed string) []Suggestion {
	if len(typed) > 3 {
		return s.completeAnew(typed)
	}
	if known, ok := s.kept.Load(typed); ok {
		return slices.Clone(known.([]Suggestion))
	}
	found := s.completeAnew(typed)
	if s.keeps.Add(1) <= mostKept {
		s.kept.Store(strings.Clone(typed), slices.Clone(found)) // whoever asked may write into the answer
	}
	return found
}

func (s *snapshot) completeAnew(typed string) []Suggestion {
	var room [2 * maxSuggestions]nameFound
	names := s.begin(room[:0], s.names.first, typed, rankLeads|rankBegins)
	if len(names) < maxSuggestions { // later words stand behind them all
		names = s.begin(names, s.names.later, typed, rankLeads)
	}
	var all [len(kindOrder)]best
	for i, x := range names[:min(len(names), maxSuggestions)] {
		all[placeOfName].see(x.useful | uint64(rankLast-i))
	}
	things := suggests()
	things.see(&all, typed, s.lead)

	type pick struct{ kind, what int }
	var out, rest [maxSuggestions]pick
	outs, rests := 0, 0
	var taken [len(kindOrder)]int
	for outs < maxSuggestions {
		kind := -1
		for k := range all {
			if taken[k] < all[k].n && (kind < 0 || all[k].ranks[taken[k]]&rankUseful > all[kind].ranks[taken[kind]]&rankUseful) {
				kind = k
			}
		}
		if kind < 0 {
			break
		}
		p := pick{kind, rankLast - int(all[kind].ranks[taken[kind]]&rankLast)}
		if taken[kind]++; taken[kind] <= eachKind {
			out[outs] = p
			outs++
		} else if outs+rests < maxSuggestions {
			rest[rests] = p
			rests++
		}
	}
	outs += copy(out[outs:], rest[:rests])
	if outs == 0 {
		return nil
	}
	list := make([]Suggestion, outs)
	var shown strings.Builder // the names: one piece of memory
	size := 0
	for _, p := range out[:outs] {
		if p.kind == placeOfName {
			size += len(s.display.of(names[p.what].doc))
		}
	}
	shown.Grow(size)
	for i, p := range out[:outs] {
		x := &list[i]
		x.Kind = kindOrder[p.kind]
		if p.kind == placeOfName {
			doc := names[p.what].doc
			at, _ := shown.Write(s.display.of(doc))
			x.Text, x.Value, x.Count = shown.String()[shown.Len()-at:], string(s.ids[doc]), 1
			continue
		}
		t := &things.all[p.what]
		x.Text, x.Value = t.text, t.value
		switch {
		case p.kind == placeOfPlace:
			x.Count = s.aroundTown(p.what)
		case p.what < len(s.lead):
			x.Count = int(s.lead[p.what])
		}
	}
	return list
}

// aroundTown tells how many providers have a site within 50 miles of a town. That is worked out once for each.
func (s *snapshot) aroundTown(place int) int {
	s.once.Do(func() { s.around = make([]atomic.Int32, len(suggests().all)) })
	if n := s.around[place].Load(); n > 0 {
		return int(n - 1)
	}
	f := newFrom(suggests().all[place].point)
	p := pages.Get().(*page) // for its list: many live around a large town
	p.circle = s.nearby(&f, suggestMiles, p.circle)
	n := len(p.circle)
	pages.Put(p)
	s.around[place].Store(int32(n + 1))
	return n
}

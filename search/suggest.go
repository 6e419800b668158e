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

var kindOrder = []string{KindState, KindFocus, KindPlace, KindName, KindFramework, KindProgramme}

const (
	maxSuggestions = 10
	eachKind       = 4 // no kind fills the list while others wait
	suggestMiles   = 50
)

// completion is something of the tables that can be suggested, under the beginning of one of its words.
type completion struct {
	from  string // the folded text from that word on
	first bool   // it is the first word
	of    *suggestible
}

type suggestible struct {
	Suggestion
	facet facet           // of a value
	town  int32           // of a town: its number
	point directory.Point // of a town
}

// gazetteer is what the tables say of towns: completions, and numbers by how a town is written.
type gazetteer struct {
	completions []completion
	numbers     map[string]int32
}

// towns are the same for every snapshot.
var towns = sync.OnceValue(func() *gazetteer {
	g := &gazetteer{numbers: map[string]int32{}}
	directory.Tables().EachTown(func(p directory.Place) {
		s := &suggestible{Suggestion: Suggestion{Kind: KindPlace, Text: p.String(), Value: p.String()}, town: int32(len(g.numbers)), point: p.Point}
		g.numbers[s.Value] = s.town
		g.completions = complete(g.completions, s, p.City)
	})
	sortCompletions(g.completions)
	return g
})

// valueCompletions are those of the facets' values.
var valueCompletions = sync.OnceValue(func() []completion {
	var out []completion
	add := func(f facet, kind, value string, more ...string) {
		s := &suggestible{Suggestion: Suggestion{Kind: kind, Text: Label(facetNames[f], value), Value: value}, facet: f}
		for _, text := range append([]string{s.Text}, more...) {
			out = complete(out, s, text)
		}
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
	sortCompletions(out)
	return out
})

func complete(list []completion, s *suggestible, text string) []completion {
	words := tokens(text)
	for i := range words {
		list = append(list, completion{strings.Join(words[i:], " "), i == 0, s})
	}
	return list
}

func sortCompletions(list []completion) {
	slices.SortFunc(list, func(a, b completion) int {
		return cmp.Or(strings.Compare(a.from, b.from), strings.Compare(a.of.Text, b.of.Text), strings.Compare(a.of.Value, b.of.Value))
	})
}

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

// begin appends the names of which the text from a word on begins as typed, at most so many.
func (s *snapshot) begin(out []candidate, list []nameAt, first bool, typed string, most int) []candidate {
	text := []byte(typed)
	at := sort.Search(len(list), func(i int) bool { return bytes.Compare(list[i].from(s), text) >= 0 })
	for ; at < len(list) && most > 0; at++ {
		from := list[at].from(s)
		if !bytes.HasPrefix(from, text) {
			break
		}
		doc := list[at].doc
		if slices.ContainsFunc(out, func(c candidate) bool { return c.Kind == KindName && c.Value == string(s.ids[doc]) }) {
			continue
		}
		out = append(out, candidate{Suggestion: Suggestion{Kind: KindName, Text: string(s.display.of(doc)), Value: string(s.ids[doc]), Count: 1}, first: first, whole: len(from) == len(typed)})
		most--
	}
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
	found := e.docs.complete(typed, x.maker.lexicon) // bounded by the tables, not by the text
	return found[:min(limit, len(found))], nil
}

// candidate is a suggestion in the running.
type candidate struct {
	Suggestion
	of           *suggestible // nil for a name
	sites        int32        // of a town: sites in it
	first, whole bool
}

func (c *candidate) useful() int {
	n := 0
	if c.first {
		n += 4
	}
	if c.whole {
		n += 2
	}
	if c.Count > 0 || c.sites > 0 {
		n += 8
	}
	return n
}

func (c *candidate) compare(b *candidate) int {
	if x := cmp.Compare(b.useful(), c.useful()); x != 0 {
		return x
	}
	if c.Kind != b.Kind {
		return cmp.Compare(slices.Index(kindOrder, c.Kind), slices.Index(kindOrder, b.Kind))
	}
	if c.Kind == KindName && c.Text == b.Text {
		return strings.Compare(c.Value, b.Value)
	}
	return cmp.Or(cmp.Compare(b.sites, c.sites), cmp.Compare(b.Count, c.Count), strings.Compare(c.Text, b.Text), strings.Compare(c.Value, b.Value))
}

// complete returns what the typed text may be the beginning of, the most useful first.
func (s *snapshot) complete(typed string, l *lexicon) []Suggestion {
	all := s.begin(nil, s.names.first, true, typed, maxSuggestions)
	all = s.begin(all, s.names.later, false, typed, maxSuggestions)
	var best []candidate // of the kind at hand
	take := func(list []completion, make func(of *suggestible) candidate) {
		at, _ := slices.BinarySearchFunc(list, typed, func(c completion, t string) int { return strings.Compare(c.from, t) })
		for ; at < len(list) && strings.HasPrefix(list[at].from, typed); at++ {
			x := make(list[at].of)
			x.first, x.whole = list[at].first, list[at].from == typed
			if len(best) == maxSuggestions && best[len(best)-1].compare(&x) < 0 {
				continue
			}
			if i := slices.IndexFunc(best, func(c candidate) bool { return c.of == x.of }); i >= 0 {
				x.first, x.whole = x.first || best[i].first, x.whole || best[i].whole
				best = slices.Delete(best, i, i+1)
			}
			i, _ := slices.BinarySearchFunc(best, x, func(a, b candidate) int { return a.compare(&b) })
			if i < maxSuggestions {
				best = slices.Insert(best[:min(len(best), maxSuggestions-1)], i, x)
			}
		}
		all, best = append(all, best...), best[:0]
	}
	best = make([]candidate, 0, maxSuggestions+1)
	values := valueCompletions()
	for _, kind := range []facet{facetState, facetFocus, facetFramework, facetProgramme} {
		at, _ := slices.BinarySearchFunc(values, typed, func(c completion, t string) int { return strings.Compare(c.from, t) })
		end := at
		for end < len(values) && strings.HasPrefix(values[end].from, typed) {
			end++
		}
		var of []completion
		for _, c := range values[at:end] {
			if c.of.facet == kind {
				of = append(of, c)
			}
		}
		take(of, func(of *suggestible) candidate {
			c := candidate{Suggestion: of.Suggestion, of: of}
			if n := l.find(of.facet, of.Value); n >= 0 && int(n) < len(s.counts) {
				c.Count = int(s.counts[n])
			}
			return c
		})
	}
	take(towns().completions, func(of *suggestible) candidate {
		c := candidate{Suggestion: of.Suggestion, of: of}
		if int(of.town) < len(s.towns) {
			c.sites = s.towns[of.town]
		}
		return c
	})
	slices.SortFunc(all, func(a, b candidate) int { return a.compare(&b) })
	var out, rest []Suggestion
	kinds := map[string]int{}
	for i := range all {
		if len(out) == maxSuggestions {
			break
		}
		if kinds[all[i].Kind]++; kinds[all[i].Kind] > eachKind {
			if len(out)+len(rest) < maxSuggestions {
				rest = append(rest, s.counted(&all[i]))
			}
			continue
		}
		out = append(out, s.counted(&all[i]))
	}
	return append(out, rest[:min(len(rest), maxSuggestions-len(out))]...)
}

// counted tells of a town how many providers have a site within 50 miles. That is worked out once for each.
func (s *snapshot) counted(c *candidate) Suggestion {
	if c.Kind != KindPlace {
		return c.Suggestion
	}
	s.once.Do(func() { s.around = make([]atomic.Int32, len(towns().numbers)) })
	if n := s.around[c.of.town].Load(); n > 0 {
		c.Count = int(n - 1)
		return c.Suggestion
	}
	f := newFrom(c.of.point)
	n := 0
	var twice []uint32 // who may come twice
	s.within(&f, suggestMiles, func(doc uint32, several bool) {
		switch {
		case s.alive != nil && !s.alive.has(doc):
		case several:
			twice = append(twice, doc)
		default:
			n++
		}
	})
	slices.Sort(twice)
	n += len(slices.Compact(twice))
	s.around[c.of.town].Store(int32(n + 1))
	c.Count = n
	return c.Suggestion
}

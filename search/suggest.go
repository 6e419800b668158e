package search

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"sync"
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
	suggestMiles   = 50
)

// completion is something that can be suggested, under the beginning of one of its words.
type completion struct {
	from  string // the folded text from that word on
	first bool   // it is the first word
	of    *suggestible
}

type suggestible struct {
	Suggestion
	sites int             // of a town: sites in it
	point directory.Point // of a town
}

// completions are sorted by from, so that what begins with a text stands together.
type completions struct {
	own  []completion // of the snapshot: names, and values with how many providers have them
	docs *snapshot
	site map[string]int // sites by town
}

// towns are the same for every snapshot.
var towns = sync.OnceValue(func() []completion {
	var out []completion
	directory.Tables().EachTown(func(p directory.Place) {
		out = complete(out, &suggestible{Suggestion: Suggestion{Kind: KindPlace, Text: p.String(), Value: p.String()}, point: p.Point}, p.City)
	})
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

// newCompletions gathers what the documents can suggest.
func newCompletions(s *snapshot, l *lexicon) *completions {
	c := &completions{docs: s, site: map[string]int{}}
	var counts [facets]map[string]int
	for f := range facets {
		counts[f] = map[string]int{}
	}
	var out []completion
	for _, d := range c.docs.docs {
		if d.display != "" {
			out = complete(out, &suggestible{Suggestion: Suggestion{Kind: KindName, Text: d.display, Value: string(d.id), Count: 1}}, d.display)
		}
		for _, t := range d.towns {
			c.site[t]++
		}
		for _, f := range []facet{facetState, facetFocus, facetFramework, facetProgramme} {
			for _, v := range l.spell(f, d.values[f]) {
				counts[f][v]++
			}
		}
	}
	add := func(f facet, kind, value string, more ...string) {
		s := &suggestible{Suggestion: Suggestion{Kind: kind, Text: Label(facetNames[f], value), Value: value, Count: counts[f][value]}}
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
	c.own = out
	return c
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
	found := e.docs.completions(x.maker.lexicon).complete(typed) // bounded by the tables and the documents, not by the text
	return found[:min(limit, len(found))], nil
}

// complete returns what the typed text may be the beginning of, the most useful first.
func (c *completions) complete(typed string) []Suggestion {
	type candidate struct {
		completion
		whole bool
	}
	best := map[*suggestible]candidate{}
	take := func(list []completion) {
		at, _ := slices.BinarySearchFunc(list, typed, func(c completion, t string) int { return strings.Compare(c.from, t) })
		for ; at < len(list) && strings.HasPrefix(list[at].from, typed); at++ {
			x := candidate{list[at], list[at].from == typed}
			if old, ok := best[x.of]; !ok || x.first && !old.first || x.whole && !old.whole {
				x.first, x.whole = x.first || old.first, x.whole || old.whole
				best[x.of] = x
			}
		}
	}
	take(c.own)
	take(towns())
	all := make([]candidate, 0, len(best))
	for _, x := range best {
		if x.of.Kind == KindPlace {
			of := *x.of
			of.sites = c.site[of.Value]
			x.of = &of
		}
		all = append(all, x)
	}
	useful := func(x candidate) int {
		n := 0
		if x.first {
			n += 4
		}
		if x.whole {
			n += 2
		}
		if x.of.Count > 0 || x.of.sites > 0 {
			n += 8
		}
		return n
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(
			cmp.Compare(useful(b), useful(a)),
			cmp.Compare(slices.Index(kindOrder, a.of.Kind), slices.Index(kindOrder, b.of.Kind)),
			cmp.Compare(b.of.sites, a.of.sites),
			cmp.Compare(b.of.Count, a.of.Count),
			strings.Compare(a.of.Text, b.of.Text),
			strings.Compare(a.of.Value, b.of.Value),
		)
	})
	// No kind fills the list while others wait.
	const each = 4
	var out, rest []Suggestion
	kinds := map[string]int{}
	for _, x := range all {
		if len(out) == maxSuggestions {
			break
		}
		s := x.of.Suggestion
		if kinds[s.Kind]++; kinds[s.Kind] > each {
			if len(rest) < maxSuggestions {
				rest = append(rest, c.counted(x.of))
			}
			continue
		}
		out = append(out, c.counted(x.of))
	}
	return append(out, rest[:min(len(rest), maxSuggestions-len(out))]...)
}

// counted tells of a town how many providers have a site within 50 miles.
func (c *completions) counted(s *suggestible) Suggestion {
	if s.Kind != KindPlace {
		return s.Suggestion
	}
	n := 0
	for _, d := range c.docs.docs {
		for _, p := range d.points {
			if math.Abs(p.Lat-s.point.Lat) < 0.75 && s.point.Miles(p) <= suggestMiles { // 50 miles are 0.72 degrees of latitude
				n++
				break
			}
		}
	}
	out := s.Suggestion
	out.Count = n
	return out
}

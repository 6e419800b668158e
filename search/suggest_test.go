package search

import (
	order "cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kapdir/directory"
)

func TestSuggest(t *testing.T) {
	b := newBench(t,
		someone(1, "Ana Boulanger", in("Boulder", "CO"), focus("trauma")),
		someone(2, "Bo Tran", in("Denver", "CO"), focus("trauma", "depression")),
		someone(3, "José Trauma", in("Taos", "NM"), trained("Polaris")),
		someone(4, "Di Moss", former("Di Zebrowski"), in("Boulder", "CO")),
	)
	for _, c := range []struct {
		text string
		want []Suggestion // the first of them
	}{
		{"boul", []Suggestion{
			{"place", "Boulder, CO", "Boulder, CO", 3}, // Denver is within 50 miles
			{"name", "Ana Boulanger", string(pid(1)), 1},
			{"place", "Boulder City, NV", "Boulder City, NV", 0},
		}},
		{"trau", []Suggestion{{"focus", "Trauma and PTSD", "trauma", 2}, {"name", "José Trauma", string(pid(3)), 1}}},
		{"ptsd", []Suggestion{{"focus", "Trauma and PTSD", "trauma", 2}}},
		{"jose", []Suggestion{{"name", "José Trauma", string(pid(3)), 1}}},
		{"JOSÉ t", []Suggestion{{"name", "José Trauma", string(pid(3)), 1}}},
		{"colo", []Suggestion{{"state", "Colorado", "CO", 3}}},
		{"new mex", []Suggestion{{"state", "New Mexico", "NM", 1}}},
		{"pola", []Suggestion{{"programme", "Polaris/Rainfall KAP Practitioner Training Certificate", "polaris", 1}}},
		{"rainfall", []Suggestion{{"programme", "Polaris/Rainfall KAP Practitioner Training Certificate", "polaris", 1}}},
		{"internal fam", []Suggestion{{"framework", "Internal Family Systems (IFS)", "ifs", 0}}},
		{"zebrow", nil}, // a former name is never suggested
		{"b", nil},
		{"", nil},
		{"!!", nil},
	} {
		got, err := b.x.Suggest(context.Background(), c.text, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 10 {
			t.Errorf("%q: %d suggestions", c.text, len(got))
		}
		if d := cmp.Diff(c.want, got[:min(len(c.want), len(got))]); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, d)
		}
		if c.want == nil && len(got) > 0 {
			t.Errorf("%q: %v", c.text, got)
		}
	}
	if got, err := b.x.Suggest(context.Background(), "sa", 3); err != nil || len(got) != 3 {
		t.Errorf("three were asked for: %v, %v", got, err)
	}
	for text, field := range map[string]string{strings.Repeat("a", 201): "q", "\xff": "q"} {
		var e *directory.Error
		if _, err := b.x.Suggest(context.Background(), text, 3); !errors.As(err, &e) || e.Kind != directory.Invalid || e.Field != field {
			t.Errorf("%.5q: %v", text, err)
		}
	}
}

// offer is a suggestion in the running, with all that orders it.
type offer struct {
	Suggestion
	words        [][]string // what it is called
	sites        int
	first, whole bool
	point        directory.Point
}

// begin reports whether a word of the texts begins the typed text.
func (x *offer) begin(typed string) bool {
	found := false
	for _, words := range x.words {
		for i := range words {
			if from := strings.Join(words[i:], " "); strings.HasPrefix(from, typed) {
				found, x.first, x.whole = true, x.first || i == 0, x.whole || from == typed
			}
		}
	}
	return found
}

// offers are all that can be suggested but names, counted by reading every document.
func (o oracle) offers() (all []offer) {
	sites := map[string]int{}
	for _, d := range o.docs {
		for _, t := range d.towns {
			sites[t]++
		}
	}
	directory.Tables().EachTown(func(p directory.Place) {
		x := offer{Suggestion: Suggestion{Kind: KindPlace, Text: p.String(), Value: p.String()}, words: [][]string{tokens(p.City)}, point: p.Point}
		x.sites = sites[x.Value]
		all = append(all, x)
	})
	for kind, f := range map[string]facet{KindState: facetState, KindFocus: facetFocus, KindFramework: facetFramework, KindProgramme: facetProgramme} {
		texts := map[string][]string{}
		for _, v := range f.vocabulary() {
			if v != "other" {
				texts[v] = []string{synonyms[kind][v]}
				if kind == KindFramework {
					texts[v] = append(texts[v], strings.ReplaceAll(v, "_", " "))
				}
			}
		}
		switch kind {
		case KindState:
			for _, st := range directory.Tables().States() {
				texts[string(st)] = []string{string(st)}
			}
		case KindProgramme:
			for _, p := range directory.Tables().Programmes() {
				texts[p.ID] = append(slices.Clone(p.Synonyms), p.ID, p.Issuer)
			}
		}
		for v, called := range texts {
			x := offer{Suggestion: Suggestion{Kind: kind, Text: Label(facetNames[f], v), Value: v}}
			for _, text := range append(called, x.Text) {
				x.words = append(x.words, tokens(text))
			}
			for _, file := range o.files {
				if slices.Contains(o.values(Query{}, file, facetNames[f]), v) {
					x.Count++
				}
			}
			all = append(all, x)
		}
	}
	return all
}

// suggest answers by holding the typed text against everything there is, and sorting all that fits.
func (o oracle) suggest(things []offer, typed string) []Suggestion {
	var fit []offer
	for _, x := range things {
		if x.begin(typed) {
			fit = append(fit, x)
		}
	}
	type at struct {
		from string
		id   directory.ID
	}
	var lists [2][]at // first words, later words
	for id, d := range o.docs {
		words := tokens(d.display)
		for i := range words {
			list := &lists[min(i, 1)]
			*list = append(*list, at{strings.Join(words[i:], " "), id})
		}
	}
	for i, list := range lists {
		slices.SortFunc(list, func(a, b at) int { return order.Or(strings.Compare(a.from, b.from), order.Compare(a.id, b.id)) })
		n := 0
		for _, a := range list {
			known := slices.ContainsFunc(fit, func(x offer) bool { return x.Kind == KindName && x.Value == string(a.id) })
			if strings.HasPrefix(a.from, typed) && !known && n < 10 {
				n++
				fit = append(fit, offer{Suggestion: Suggestion{Kind: KindName, Text: o.docs[a.id].display, Value: string(a.id), Count: 1}, first: i == 0, whole: a.from == typed})
			}
		}
	}
	kinds := []string{KindState, KindFocus, KindPlace, KindName, KindFramework, KindProgramme}
	slices.SortFunc(fit, func(a, b offer) int {
		no := func(x bool) int { return 1 - boolInt(x) }
		return order.Or(no(a.Count+a.sites > 0)-no(b.Count+b.sites > 0), no(a.first)-no(b.first), no(a.whole)-no(b.whole),
			slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind), b.sites-a.sites, b.Count-a.Count, strings.Compare(a.Text, b.Text), strings.Compare(a.Value, b.Value))
	})
	var out, rest []Suggestion
	taken := map[string]int{}
	for _, x := range fit {
		if x.Kind == KindPlace && len(out)+len(rest) < 20 {
			for _, d := range o.docs {
				x.Count += boolInt(slices.ContainsFunc(d.points, func(p directory.Point) bool { return x.point.Miles(p) <= 50 }))
			}
		}
		if taken[x.Kind]++; taken[x.Kind] <= 4 {
			out = append(out, x.Suggestion)
		} else {
			rest = append(rest, x.Suggestion)
		}
	}
	if len(out) < 10 {
		out = append(out, rest...)
	}
	return out[:min(10, len(out))]
}

// TestSuggestIsWhatReadingEverythingGives holds suggestions, while providers change, to the plain way of finding them.
func TestSuggestIsWhatReadingEverythingGives(t *testing.T) {
	b := newBench(t, corpus(31, 250)...)
	r := rand.New(rand.NewPCG(31, 31))
	for range 3 {
		o := b.oracle()
		things := o.offers()
		var texts []string
		for _, x := range things {
			if x.Kind == KindPlace && x.sites == 0 && r.IntN(40) > 0 {
				continue // there are very many
			}
			for _, words := range x.words {
				for i := range words {
					texts = append(texts, strings.Join(words[i:], " "))
				}
			}
		}
		for _, d := range o.docs {
			words := tokens(d.display)
			texts = append(texts, strings.Join(words, " "), strings.Join(words[len(words)-1:], " "))
		}
		slices.Sort(texts)
		typed := []string{"sa", "san", "city", "st", "park", "walla", "new", "co", "zz"} // very many, a name twice, and none
		for range 120 {
			text := []rune(texts[r.IntN(len(texts))])
			if n := 2 + r.IntN(8); n < len(text) {
				text = text[:n]
			}
			typed = append(typed, strings.TrimSpace(string(text)))
		}
		for _, text := range typed {
			if len([]rune(text)) < 2 {
				continue
			}
			want := o.suggest(things, text)
			for range 2 { // worked out, and then kept
				got, err := b.x.Suggest(context.Background(), text, 10)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
					t.Fatalf("%q (-want +got):\n%s", text, d)
				}
				if len(got) > 0 {
					got[0].Text = "whoever asked may write into the answer" // as the Spanish page does
				}
			}
		}
		for k := range 40 {
			if k%3 == 0 {
				b.feed.drop(pid(1 + r.IntN(250)))
			} else {
				b.feed.put(randomFile(r, 1+r.IntN(300)))
			}
		}
		b.sync()
	}
}

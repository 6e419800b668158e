package crawler

import (
	"slices"
	"strings"
	"testing"

	"kapdir/data"
	"kapdir/directory"
)

// TestRecipe holds every recipe to the program and to the vocabulary: each site has a word for each of ours.
func TestRecipe(t *testing.T) {
	files, err := data.FS.ReadDir("recipes")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		id, ok := strings.CutSuffix(f.Name(), ".yaml")
		if !ok {
			continue
		}
		n++
		r, err := loadRecipe(id)
		if err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		info, ok := directory.Tables().Source(id)
		if !ok || info.Kind != "listing" || info.Terms == "forbidden" {
			t.Errorf("%s: the site is not a listing that may be read: %+v", id, info)
		}
		for table, vocabulary := range directory.Vocabulary {
			var have []string
			for _, ours := range r.Words[table] {
				have = append(have, ours)
			}
			for _, w := range vocabulary {
				if !slices.Contains(have, w) {
					t.Errorf("%s: no word of the site for %s %q", id, table, w)
				}
			}
		}
		if r.Format == "markup" {
			for _, field := range append(slices.Clone(structural), practiceFields...) {
				if r.Fields[field] == nil && field != "accepting_as_of" && field != "waitlist" {
					t.Errorf("%s: no selector for %s", id, field)
				}
			}
		}
	}
	if n < 2 {
		t.Errorf("%d recipes", n)
	}
	if _, err := loadRecipe("no-such-site"); directory.KindOf(err) != directory.NotFound {
		t.Errorf("no recipe: %v", err)
	}
}

// TestRecipeFaults names what is wrong in a recipe that a person wrote.
func TestRecipeFaults(t *testing.T) {
	good := "source: x\nformat: markup\nstart: https://x.example/\nlisting: div.card\nfields:\n  kind: {css: p.kind, words: kind}\n  name: {css: h1}\nwords:\n  kind: {Therapist: person kap}\n"
	known := directory.SourceInfo{ID: "x", Kind: "listing", Terms: "manual_only"}
	if _, err := parseRecipe("recipes/x.yaml", "x", known, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"another source", "source: x", "source: y", "source"},
		{"a mistyped key", "listing:", "listings:", "listings"},
		{"a mistyped field", "  name: {css: h1}", "  name: {css: h1}\n  wesbite: {css: a}", "wesbite"},
		{"no selector", "{css: h1}", "{attr: x}", "no css"},
		{"a bad selector", "{css: h1}", "{css: 'h1[['}", "CSS"},
		{"a bad listing", "div.card", "'div.card['", "listing"},
		{"a bad expression", "{css: h1}", "{css: h1, match: '('}", "regular expression"},
		{"an unknown table", "words: kind}", "words: kinds}", "kinds"},
		{"a word that is not ours", "person kap", "person cap", "person cap"},
		{"a table that is not ours", "words:\n", "words:\n  colour: {red: blue}\n", "colour"},
		{"two meanings", "{Therapist: person kap}", "{Therapist: person kap, THERAPIST: person prescriber}", "two meanings"},
		{"no format", "format: markup\n", "", "format"},
		{"no name", "  name: {css: h1}\n", "", "fields.name"},
		{"parts missing", "  name: {css: h1}", "  name: {css: h1}\n  sites: {css: address}", "parts"},
		{"a part that is none", "  name: {css: h1}", "  name: {css: h1}\n  sites: {css: address, parts: {planet: {css: b}}}", "planet"},
		{"two documents", good, good + "---\nsource: z\n", "one document"},
		{"no YAML", good, "\t{", "yaml"},
	} {
		_, err := parseRecipe("recipes/x.yaml", "x", known, []byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "recipes/x.yaml") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

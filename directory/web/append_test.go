package web

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is written by hand is what encoding/json writes.
func TestSearchAnswerIsJSON(t *testing.T) {
	s := demoServer(t)
	for _, q := range append([]string{
		"q=i+want+to+die", "q=near+me", "state=CO&focus=trauma&focus=depression&care=full_kap&telehealth=CO&price_max=900", "near=Springfield", "near=Denver,+CO&radius=20",
		"q=walk+ins+boulder+purple&state=CO", "q=kapp+thraupist&limit=1", "facets=none", "facets=state&facets=care",
	}, searches...) {
		r := get(t, s, "/api/v1/providers?"+q)
		again, err := encodeJSON(decode[searchAnswer](t, r))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(again), r.body); d != "" {
			t.Errorf("%s (-encoding/json +ours):\n%s", q, d)
		}
	}
}

// Who asks for some facets has those, and the same providers; so does who goes on from there.
func TestFacetsAskedFor(t *testing.T) {
	s := demoServer(t)
	all := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q=trauma&limit=2"))
	if names := slices.Sorted(maps.Keys(all.Facets)); !slices.Equal(names, facetsByName) {
		t.Errorf("all facets: %v", names)
	}
	for asked, want := range map[string][]string{"facets=none": nil, "facets=care": {"care"}, "facets=state&facets=care&facets=care": {"care", "state"}} {
		r := get(t, s, "/api/v1/providers?q=trauma&limit=2&"+asked)
		a := decode[searchAnswer](t, r)
		if names := slices.Sorted(maps.Keys(a.Facets)); !slices.Equal(names, want) {
			t.Errorf("%s: %v", asked, names)
		}
		for name, values := range a.Facets {
			if d := cmp.Diff(all.Facets[name], values); d != "" {
				t.Errorf("%s: %s (-all +asked):\n%s", asked, name, d)
			}
		}
		if a.Total != all.Total || a.Next == nil || *a.Next != *all.Next {
			t.Errorf("%s: %d found, next %v", asked, a.Total, a.Next)
		}
		if link := r.Header.Get("Link"); strings.Count(link, asked[:len("facets=")+4]) != 2 {
			t.Errorf("%s: %s", asked, link)
		}
	}
}

package web

import (
	"net/url"
	"strings"
	"testing"

	"kapdir/directory"
)

// The place of a result is that of the site from which its miles are counted.
func TestPlaceIsTheNearest(t *testing.T) {
	w, s := demoWorld(t), demoServer(t)
	others := 0
	for _, near := range []string{"Denver, CO", "Boulder, CO", "Fort Collins, CO", "Austin, TX", "Dallas, TX"} {
		a := decode[searchAnswer](t, get(t, s, "/api/v1/providers?limit=50&radius=100&near="+url.QueryEscape(near)))
		if len(a.Results) == 0 {
			t.Fatalf("nobody near %s", near)
		}
		city, state, _ := strings.Cut(near, ", ")
		place, _, ok := directory.Tables().PlaceOfTown(city, directory.State(state))
		if !ok {
			t.Fatal(near)
		}
		for _, r := range a.Results {
			f, err := w.store.File(t.Context(), r.ID)
			if err != nil {
				t.Fatal(err)
			}
			nearest := siteShown(f.Provider.Sites, &place, "")
			for i, x := range f.Provider.Sites {
				if x.Point != nil && x.Point == nearest {
					if want := siteOf(x); *want != *r.Place {
						t.Errorf("near %s, %s is said to be in %+v, and the nearest is in %+v", near, r.Name, *r.Place, *want)
					}
					if i > 0 {
						others++
					}
				}
			}
		}
	}
	if others == 0 {
		t.Error("everybody is nearest at the first site: the test tests nothing")
	}
}

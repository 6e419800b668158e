package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// faces are how many providers and moments the faces are compared for.
const faces, instants = 300, 20

// Page, API, search and its filters say the same of everybody at any time, and it is what Derive says: as time passes,
// and with nothing else that happens.
func TestFacesAgreeAsTimePasses(t *testing.T) {
	w, set, err := loadDemo(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.index.Close(); w.store.Close() })
	policies := directory.StandardPolicies()
	now := w.now
	s, err := New(Config{Reader: w.store, Search: w.index, Policies: policies, BaseURL: "https://kapdir.example", Now: func() time.Time { return now.Time() },
		Contact: "corrections@kapdir.example", Log: quiet(), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	files := map[directory.ID]*directory.CredentialFile{}
	var ids []directory.ID
	if err := w.store.EachFile(t.Context(), func(f *directory.CredentialFile) error {
		files[f.Provider.ID], ids = f, append(ids, f.Provider.ID)
		return nil
	}); err != nil || len(ids) < faces {
		t.Fatalf("%d providers, %v", len(ids), err)
	}
	said := map[directory.ID]string{}
	changed := 0
	for i, at := range passing(t, w, files) {
		now = at
		set(at)
		for {
			n, err := w.store.TouchDue(t.Context(), at, 500)
			if err != nil {
				t.Fatal(err)
			}
			if n < 500 {
				break
			}
		}
		if _, err := w.index.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		head, err := w.store.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := everyResult(t, s, "")
		if len(found) != len(ids) {
			t.Errorf("%s: %d results of %d", at, len(found), len(ids))
		}
		holds := map[string][]directory.ID{} // by check and result
		for _, id := range ids {
			for _, c := range found[id].Checks {
				key := string(c.Check) + ":" + string(c.Result)
				holds[key] = append(holds[key], id)
			}
		}
		for k := range faces { // others each time, so that all are seen
			id := ids[(k+i*37)%len(ids)]
			want := Published(files[id], "", at, max(at, head.RecordedAt), policies)
			got := decode[provider](t, get(t, s, api(id)))
			if d := gocmp.Diff(want.Checks, got.Checks) + gocmp.Diff(want.Claims, got.Claims, gocmp.AllowUnexported(claim{}), ignoreResult); d != "" {
				t.Fatalf("%s at %s (-derived +API):\n%s", id, at, d)
			}
			r, shown := found[id], dom(t, get(t, s, pageOf(id)))
			sum := ""
			for j, c := range got.Checks {
				if f := r.Checks[j]; f.Result != c.Result || f.Sentence != c.Sentence || gocmp.Diff(f.Sources, c.Sources) != "" || gocmp.Diff(f.AsOf, c.AsOf) != "" {
					t.Errorf("%s at %s: the search says %+v and the API %+v", id, at, f, c)
				}
				part := shown.Find("#c-" + string(c.Check))
				told := text(part.Text())
				for _, need := range append([]string{c.Label, c.Sentence}, sourceNames(c)...) {
					if !strings.Contains(told, text(need)) {
						t.Errorf("%s at %s: the page does not say %q under %s: %s", id, at, need, c.Check, told)
					}
				}
				if c.AsOf != nil && !strings.Contains(told, english.date(*c.AsOf)) {
					t.Errorf("%s at %s: the page lacks the date %s under %s", id, at, *c.AsOf, c.Check)
				}
				sum += string(c.Result) + " "
			}
			if before, ok := said[id]; ok && before != sum {
				changed++
			}
			said[id] = sum
		}
		for _, name := range directory.CheckNames {
			for _, result := range []directory.CheckResult{directory.Confirmed, directory.ProblemOnRecord} {
				key := string(name) + ":" + string(result)
				var filtered []directory.ID
				for id := range everyResult(t, s, "&check="+key) {
					filtered = append(filtered, id)
				}
				slices.Sort(filtered)
				slices.Sort(holds[key])
				if !slices.Equal(filtered, holds[key]) {
					t.Errorf("%s: the filter %s finds %d, and %d have it", at, key, len(filtered), len(holds[key]))
				}
			}
		}
	}
	if changed < faces {
		t.Errorf("%d answers changed: the test tests little", changed)
	}
}

// passing returns moments from the demonstration's now on: just when answers change, just before, and some of no meaning.
func passing(t *testing.T, w world, files map[directory.ID]*directory.CredentialFile) []directory.Instant {
	head, err := w.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ends := map[directory.Instant]bool{}
	for _, f := range files {
		for _, h := range f.Claims {
			if u := directory.Derive(h, w.now, max(w.now, head.RecordedAt), directory.StandardPolicies()).ValidUntil; u != "" {
				ends[u] = true
			}
		}
	}
	var all []directory.Instant
	for u := range ends {
		all = append(all, u)
	}
	slices.Sort(all)
	out := []directory.Instant{w.now}
	for i := range 8 {
		u := all[i*len(all)/8]
		out = append(out, u.Add(-time.Millisecond), u)
	}
	for len(out) < instants {
		out = append(out, w.now.AddDays(len(out)*len(out)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// everyResult follows a search to its end.
func everyResult(t *testing.T, s *Server, query string) map[directory.ID]result {
	t.Helper()
	out := map[directory.ID]result{}
	for next := ""; ; {
		target := "/api/v1/providers?limit=50" + query + next
		r := get(t, s, target)
		if r.StatusCode != 200 {
			t.Fatalf("%s: %d %s", target, r.StatusCode, r.body)
		}
		a := decode[searchAnswer](t, r)
		for _, r := range a.Results {
			out[r.ID] = r
		}
		if a.Next == nil {
			if len(out) != a.Total {
				t.Errorf("%q: %d of %d results", query, len(out), a.Total)
			}
			return out
		}
		next = "&cursor=" + url.QueryEscape(*a.Next)
	}
}

func sourceNames(c check) (names []string) {
	for _, x := range c.Sources {
		names = append(names, x.Name)
	}
	return names
}

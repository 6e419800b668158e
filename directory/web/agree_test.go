package web

import (
	"encoding/json"
	"encoding/xml"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kapdir/directory"
)

// faces are how many providers and moments the faces are compared for.
const faces, instants = 300, 20

// Page, API, search and its filters, JSON-LD and sitemap say the same of everybody at any time, and it is what Derive
// says: as time passes, and with nothing else that happens.
func TestFacesAgreeAsTimePasses(t *testing.T) {
	w, set, err := loadDemo(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.index.Close(); w.store.Close() })
	policies := directory.StandardPolicies()
	now := w.now
	s, err := New(Config{AnonymousPerMinute: 1 << 30, Reader: w.store, Search: w.index, Policies: policies, BaseURL: "https://kapdir.example", Now: func() time.Time { return now.Time() },
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
	changed, credentials, lost := 0, 0, 0
	held := map[directory.ID][]string{} // what JSON-LD said at the moment before
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
		if mapped := sitemapped(t, s); !slices.Equal(mapped, slices.Sorted(slices.Values(ids))) {
			t.Errorf("%s: the sitemap names %d of %d", at, len(mapped), len(ids))
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
			if d := gocmp.Diff(want.Checks, got.Checks, asWritten) + gocmp.Diff(want.Claims, got.Claims, asWritten); d != "" {
				t.Fatalf("%s at %s (-derived +API):\n%s", id, at, d)
			}
			r, shown := found[id], dom(t, get(t, s, pageOf(id)))
			sum := ""
			for j, c := range got.Checks {
				if f := r.Checks[j]; f.Result != c.Result || f.Sentence != c.Sentence || gocmp.Diff(f.Sources, c.Sources, asWritten) != "" || gocmp.Diff(f.AsOf, c.AsOf) != "" {
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
			should, does := confirmedCredentials(want), linkedCredentials(t, shown)
			if d := gocmp.Diff(should, does, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("%s at %s: JSON-LD (-derived +page):\n%s", id, at, d)
			}
			credentials += len(does)
			if before, ok := held[id]; ok && len(does) < len(before) {
				lost++
			}
			held[id] = does
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
	if changed < faces || credentials < faces || lost < 20 {
		t.Errorf("%d answers changed, JSON-LD named %d credentials and stopped naming them of %d people: the test tests little", changed, credentials, lost)
	}
}

// confirmedCredentials are what JSON-LD may name of a statement: who a register confirms, and, where no problem is
// on record, what. Each is written with all that is said of it.
func confirmedCredentials(x Statement) (out []string) {
	problem := slices.ContainsFunc(x.Checks, func(c check) bool { return c.Result == directory.ProblemOnRecord })
	for _, c := range x.Claims {
		switch good := c.Status == directory.StatusVerified || c.Status == directory.StatusExpiring; {
		case !good:
		case c.Kind == directory.IdentityNPI:
			out = append(out, "NPI "+c.Number)
		case !problem && (c.Kind == directory.License || c.Kind == directory.BoardCert || c.Kind == directory.TrainingCert):
			place := ""
			if c.Jurisdiction != "" {
				place = c.Jurisdiction.Name()
			}
			out = append(out, strings.Join([]string{c.KindLabel, c.Title, c.Number, c.Issuer, place}, "|"))
		}
	}
	slices.Sort(out)
	return out
}

// linkedCredentials are those that the JSON-LD of a page names, written likewise.
func linkedCredentials(t *testing.T, d *goquery.Document) (out []string) {
	t.Helper()
	var n ldNode
	if err := json.Unmarshal([]byte(d.Find("script[type='application/ld+json']").Text()), &n); err != nil {
		t.Fatal(err)
	}
	if n.Identifier != nil {
		out = append(out, n.Identifier.Name+" "+n.Identifier.Value)
	}
	for _, x := range n.Credential {
		number, issuer, place := "", "", ""
		if x.Identifier != nil {
			number = x.Identifier.Value
		}
		if x.By != nil {
			issuer = x.By.Name
		}
		if x.In != nil {
			place = x.In.Name
		}
		out = append(out, strings.Join([]string{x.Category, x.Name, number, issuer, place}, "|"))
	}
	slices.Sort(out)
	return out
}

// sitemapped are the providers whose page in each language the sitemap names.
func sitemapped(t *testing.T, s *Server) (out []directory.ID) {
	t.Helper()
	var m siteMap
	if err := xml.Unmarshal([]byte(get(t, s, "/sitemap.xml").body), &m); err != nil {
		t.Fatal(err)
	}
	named := map[directory.ID]int{}
	for _, u := range m.URLs {
		if _, id, ok := strings.Cut(u.Loc, "/providers/"); ok {
			if named[directory.ID(id)]++; named[directory.ID(id)] == len(languages) {
				out = append(out, directory.ID(id))
			}
		}
	}
	slices.Sort(out)
	return out
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

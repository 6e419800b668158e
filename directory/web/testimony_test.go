package web

import (
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// The credentials of everybody are the claims of their own JSON, each with who says what: one that decides, with its
// words and the hash of what we hold, and none where a person is looking. Now and at a moment that has passed.
func TestCredentialsTellWhoSaysWhat(t *testing.T) {
	w, s := demoWorld(t), demoServer(t, keyed)
	words, looked, several, dated := 0, 0, 0, 0
	for i, id := range everybody(t) {
		for _, query := range []string{"", "?at=" + string(w.now.AddDays(-3).Date())} {
			if query != "" && i%15 != 0 {
				continue
			}
			p, c := decode[provider](t, get(t, s, api(id)+query)), decode[credentialsAnswer](t, kget(t, s, api(id)+"/credentials"+query))
			var claims []claim
			for _, x := range c.Credentials {
				claims = append(claims, x.claim)
			}
			if d := gocmp.Diff(p.Claims, append([]claim{}, claims...), asWritten); d != "" || c.ID != id || c.AsOf != p.AsOf || c.Head != p.Head || value(c.At) != value(p.At) {
				t.Fatalf("%s%s: the claims of the JSON are others:\n%s", id, query, d)
			}
			f, err := w.store.File(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range c.Credentials {
				if x.Status == directory.StatusUnderReview || x.Status == directory.StatusCouldNotCheck {
					looked++
					if len(x.Testimony) > 0 && x.Status == directory.StatusUnderReview {
						t.Errorf("%s: %s is under review and tells %+v", id, x.ID, x.Testimony)
					}
					continue
				}
				if len(x.Testimony) == 0 || !x.Testimony[0].Decides || len(x.Evidence) > 0 && !slices.Contains(x.Testimony[0].Evidence, x.Evidence[0].SHA256) || x.Testimony[0].AsOf == "" || x.Testimony[0].SeenOn == "" || x.Testimony[0].By == "" {
					t.Errorf("%s: %s %s: %+v", id, x.ID, x.Kind, x.Testimony)
					continue
				}
				several += len(x.Testimony) - 1
				for _, o := range x.Testimony[1:] {
					if o.Decides || o.Words != "" || o.Issued != "" || o.Expires != "" {
						t.Errorf("%s: %s: told of one that does not decide: %+v", id, x.ID, o)
					}
				}
				h := f.Claims[slices.IndexFunc(f.Claims, func(h directory.History) bool { return h.Claim.ID == x.ID })]
				first := x.Testimony[0]
				if !slices.ContainsFunc(h.Events, func(e directory.Event) bool {
					return e.Body.Source == first.Source && e.Body.SourceWords == first.Words && e.Body.Expires == first.Expires && e.PerformedAt.Date() == first.SeenOn
				}) {
					t.Errorf("%s: %s: nobody said %+v", id, x.ID, first)
				}
				if first.Words != "" {
					words++
				}
				if first.Expires != "" {
					dated++
				}
			}
		}
	}
	if words < 100 || looked < 5 || several < 20 || dated < 20 {
		t.Errorf("%d with words, %d looked at, %d said by several, %d with an end: the test tests too little", words, looked, several, dated)
	}
}

// The statistics are the numbers of the accuracy page, and may be asked for again with their tag.
func TestStatisticsAreThoseOfThePage(t *testing.T) {
	s := hasCounted(t, demoServer(t))
	r := get(t, s, "/api/v1/statistics")
	if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	a := decode[accuracy](t, r)
	counted, err := s.count.get()
	if err != nil {
		t.Fatal(err)
	}
	if d := gocmp.Diff(*counted, a); d != "" || a.Providers < 500 || a.Statements < 1000 || len(a.Checks) != len(directory.CheckNames) {
		t.Errorf("-page +API:\n%s", d)
	}
	if again := get(t, s, "/api/v1/statistics", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 || again.body != "" {
		t.Errorf("with its tag: %d", again.StatusCode)
	}
}

// hasCounted waits until the server has counted once, which takes longer than a request waits where much else runs.
func hasCounted(t *testing.T, s *Server) *Server {
	t.Helper()
	for range 60 {
		if a, err := s.count.get(); err != nil {
			t.Fatal(err)
		} else if a != nil {
			break
		}
	}
	return s
}

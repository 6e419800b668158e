package web

import (
	"cmp"
	"context"
	"maps"
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

// fakeKeys knows one key.
type fakeKeys struct{ err error }

const (
	goodKey = "key_00000000000000000000000001.s3cret"
	deadKey = "key_00000000000000000000000002.s3cret"
)

func (k fakeKeys) StaffKey(_ context.Context, id directory.ID, secret string) (string, bool, error) {
	return "Imani", id == "key_00000000000000000000000001" && secret == "s3cret", k.err
}

func withKeys(c *Config) { c.Keys = fakeKeys{} }

// moments are some at which the demonstration's answers differ: before anything, in between, and now.
func moments(w world) []directory.Instant {
	return []directory.Instant{"1999-12-31T23:59:59.000Z", w.now.AddDays(-30), w.now.AddDays(-7), w.now.AddDays(-1), w.now}
}

// What the API says of a moment is what Derive says of it, and the page says the same.
func TestAnswersForThePast(t *testing.T) {
	w := demoWorld(t)
	s, doc := demoServer(t), document(t)
	policies := directory.StandardPolicies()
	head, err := w.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known := max(w.now, head.RecordedAt)
	changed := 0
	for i, id := range everybody(t) {
		if i%27 != 0 {
			continue
		}
		f, err := w.store.File(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		today := decode[provider](t, get(t, s, api(id)))
		for j, at := range moments(w) {
			target := api(id) + "?at=" + url.QueryEscape(string(at))
			r := get(t, s, target)
			if r.StatusCode != 200 {
				t.Fatalf("%s: %d %s", target, r.StatusCode, r.body)
			}
			if i%54 == 0 && j == 1 {
				conforms(t, doc, "/api/v1/providers/:id", target, r)
			}
			got := decode[provider](t, r)
			if got.At == nil || *got.At != at || got.AsOf != at || got.Staff != nil {
				t.Errorf("%s: at %v, as of %s", target, got.At, got.AsOf)
			}
			want := Published(f.WithoutCleared(known, policies), "", at, known, policies)
			if d := gocmp.Diff(want.Checks, got.Checks, asWritten) + gocmp.Diff(want.Claims, got.Claims, asWritten); d != "" {
				t.Fatalf("%s (-derived +answered):\n%s", target, d)
			}
			if !slices.EqualFunc(got.Checks, today.Checks, func(a, b check) bool { return a.Result == b.Result }) {
				changed++
			}
			if at == w.now && gocmp.Diff(got.Checks, today.Checks, asWritten) != "" {
				t.Errorf("%s: asked for now, it answers otherwise than without at", target)
			}
			main := text(dom(t, get(t, s, pageOf(id)+"?at="+url.QueryEscape(string(at)))).Find("main").Text())
			for _, c := range got.Checks {
				if !strings.Contains(main, text(c.Sentence)) {
					t.Errorf("%s: the page lacks %q", target, c.Sentence)
				}
			}
		}
	}
	if changed == 0 {
		t.Error("nothing of the demonstration was ever otherwise than now: the test tests nothing")
	}
}

// asWritten compares what the API writes.
var asWritten = cmpopts.IgnoreUnexported(check{}, claim{}, checkSource{}, part{})

// The page of a moment says so before all else, is left out of search engines, and leads to today.
func TestPageOfThePast(t *testing.T) {
	s := demoServer(t, func(c *Config) { c.Demo = nil })
	amara := idOf(t, "Amara Whitcomb")
	r := get(t, s, pageOf(amara)+"?state=TX&at=2026-11-01")
	d := dom(t, r)
	banner := text(d.Find("main .asof").Text())
	if !strings.HasPrefix(banner, "As of 1 Nov 2026, 00:00 UTC: this is what we now know was true then. See today’s answer.") {
		t.Errorf("the banner reads %q", banner)
	}
	if got := d.Find(".asof a").AttrOr("href", ""); got != pageOf(amara)+"?state=TX" {
		t.Errorf("today's answer is at %q", got)
	}
	if d.Find(`meta[name=robots][content=noindex]`).Length() != 1 || r.Header.Get("X-Robots-Tag") != "noindex" || d.Find("link[rel=canonical]").Length() != 0 ||
		d.Find(`script[type="application/ld+json"]`).Length() != 0 {
		t.Error("it may be indexed")
	}
	for _, gone := range []string{"#h-where", "#h-cost", "#h-practice", "#h-works"} {
		if d.Find(gone).Length() != 0 {
			t.Errorf("%s is not kept by date and stands there", gone)
		}
	}
	if d.Find(`.statepick input[name=at][value="2026-11-01"]`).Length() != 1 {
		t.Error("another patient's state would lose the moment")
	}
	d.Find(".columns a[href^='/providers/'], .rest a[href^='/api/']").Each(func(_ int, a *goquery.Selection) {
		if href := a.AttrOr("href", ""); !strings.Contains(href, "at=2026-11-01") {
			t.Errorf("%s leads to today without saying so", href)
		}
	})
	today := dom(t, get(t, s, pageOf(amara)))
	if day := today.Find("#f-at").AttrOr("value", ""); today.Find(".asof").Length() != 0 || today.Find("#h-cost").Length() != 1 || day != string(demoWorld(t).now.Date()) {
		t.Errorf("today's page has a banner, or lacks something; its day is %q", day)
	}
}

// An answer for the past depends on what is known now: it is kept no longer than today's, and its tag is its own.
func TestCachingThePast(t *testing.T) {
	s := demoServer(t)
	amara := idOf(t, "Amara Whitcomb")
	for _, path := range []string{api(amara), pageOf(amara)} {
		seen := map[string]string{}
		for _, query := range []string{"", "?at=2026-11-01", "?at=2026-11-01T00:00:00.001Z", "?at=2026-11-02", "?at=2026-11-01&state=TX"} {
			r := get(t, s, path+query)
			tag := r.Header.Get("ETag")
			if other, ok := seen[tag]; ok || tag == "" {
				t.Errorf("%s%s has the tag %s of %q", path, query, tag, other)
			}
			seen[tag] = query
			if got := r.Header.Get("Cache-Control"); got != "public, max-age=60" {
				t.Errorf("%s%s: %s", path, query, got)
			}
			if again := get(t, s, path+query, "If-None-Match", tag); again.StatusCode != 304 {
				t.Errorf("%s%s: %d with its tag", path, query, again.StatusCode)
			}
		}
		same := get(t, s, path+"?at=2026-11-01T00:00:00Z").Header.Get("ETag")
		if seen[same] != "?at=2026-11-01" {
			t.Error("one moment in two spellings has two tags")
		}
	}
	if r := get(t, s, "/api/v1/providers?at=2026-11-01"); r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a search: %s", r.Header.Get("Cache-Control"))
	}
}

func TestMomentsRefused(t *testing.T) {
	s := demoServer(t, withKeys)
	amara := idOf(t, "Amara Whitcomb")
	future := "2026-11-24"
	for _, x := range []struct{ query, parameter, says string }{
		{"at=" + future, "at", "future"}, {"at=9999-12-31", "at", "future"}, {"at=2026-13-01", "at", "first moment in UTC"}, {"at=yesterday", "at", "2026-03-03"},
		{"at=2026-02-30", "at", "2026-03-03"}, {"at=20261101", "at", "2026-03-03"}, {"at=2026-11-01T09:00:00", "at", "2026-03-03"}, {"at=0001-01-01", "at", "1900"},
		{"at=0000-01-01T00:00:00%2B23:59", "at", "1900"}, {"at=9999-12-31T23:59:59-01:00", "at", "1900"}, {"at=1899-12-31", "at", "1900"},
		{"at=", "at", "empty"}, {"at=2026-11-01&at=2026-11-02", "at", "once"}, {"ad=2026-11-01", "ad", "Did you mean at?"},
		{"known=" + future, "known", "future"}, {"known=now", "known", "2026-03-03"}, {"known=", "known", "empty"},
	} {
		r := get(t, s, api(amara)+"?"+x.query, "Authorization", "Bearer "+goodKey)
		p := decode[problem](t, r)
		if r.StatusCode != 400 || len(p.Errors) != 1 || p.Errors[0].Parameter != x.parameter || !strings.Contains(p.Errors[0].Detail, x.says) {
			t.Errorf("%s: %d %+v", x.query, r.StatusCode, p)
		}
		if x.parameter != "at" || x.query == "at=" { // a form sends empty fields
			continue
		}
		if r := get(t, s, pageOf(amara)+"?"+x.query); r.StatusCode != 400 || !strings.Contains(text(r.body), x.says) {
			t.Errorf("page, %s: %d", x.query, r.StatusCode)
		}
		if r := get(t, s, "/?"+x.query); r.StatusCode != 400 || !strings.Contains(text(r.body), x.says) {
			t.Errorf("search page, %s: %d", x.query, r.StatusCode)
		}
		if r := get(t, s, "/api/v1/providers?"+x.query); r.StatusCode != 400 || decode[problem](t, r).Errors[0].Parameter != "at" {
			t.Errorf("search, %s: %d %s", x.query, r.StatusCode, r.body)
		}
	}
}

// What was known at an earlier moment is for staff, who have a key; nobody else hears of it, and nothing
// that staff hear is kept by a cache.
func TestStaffAnswers(t *testing.T) {
	amara := idOf(t, "Amara Whitcomb")
	keys, none, down := demoServer(t, withKeys), demoServer(t), demoServer(t, func(c *Config) { c.Keys = fakeKeys{errDisk} })
	const then = "?known=2026-11-01"
	doc := document(t)
	for _, x := range []struct {
		name   string
		s      *Server
		target string
		auth   string
		status int
	}{
		{"no key", keys, api(amara) + then, "", 401},
		{"another scheme", keys, api(amara) + then, "Basic aW1hbmk6eA==", 401},
		{"a wrong secret", keys, api(amara) + then, "Bearer key_00000000000000000000000001.wrong", 401},
		{"a key that is none", keys, api(amara) + then, "Bearer " + deadKey, 401},
		{"no secret", keys, api(amara) + then, "Bearer key_00000000000000000000000001", 401},
		{"rubbish", keys, api(amara) + then, "Bearer x.y", 401},
		{"a wrong key and nothing that needs one", keys, api(amara), "Bearer " + deadKey, 401},
		{"another scheme and nothing that needs one", keys, api(amara), "Basic aW1hbmk6eA==", 200},
		{"a server without keys", none, api(amara) + then, "", 403},
		{"a server without keys, a key", none, api(amara) + then, "Bearer " + goodKey, 403},
		{"keys cannot be looked at", down, api(amara) + then, "Bearer " + goodKey, 503},
		{"the page, no key", keys, pageOf(amara) + then, "", 401},
		{"the page, a key", keys, pageOf(amara) + then, "Bearer " + goodKey, 401},
		{"the page of a server without keys", none, pageOf(amara) + then, "", 403},
		{"a search", keys, "/api/v1/providers" + then, "Bearer " + goodKey, 400},
		{"a key", keys, api(amara) + then, "Bearer " + goodKey, 200},
		{"a key, written small", keys, api(amara) + then, "bearer " + goodKey, 200},
	} {
		var headers []string
		if x.auth != "" {
			headers = []string{"Authorization", x.auth}
		}
		r := get(t, x.s, x.target, headers...)
		if r.StatusCode != x.status {
			t.Errorf("%s: %d %.200s", x.name, r.StatusCode, r.body)
			continue
		}
		if strings.HasPrefix(x.target, api(amara)) {
			conforms(t, doc, "/api/v1/providers/:id", x.target, r)
			if !strings.Contains(r.Header.Get("Vary"), "Authorization") && r.StatusCode == 200 {
				t.Errorf("%s: Vary is %q", x.name, r.Header.Get("Vary"))
			}
		}
		if r.StatusCode == 401 && (!strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") || !strings.Contains(r.body, "it is for staff") && (x.auth != "Bearer x.y" || !strings.Contains(r.body, "This key is not good"))) {
			t.Errorf("%s: %v %s", x.name, r.Header, r.body)
		}
		if r.StatusCode == 403 && !strings.Contains(r.body, "is for staff") {
			t.Errorf("%s: %s", x.name, r.body)
		}
		if r.StatusCode != 200 && strings.Contains(r.body, "s3cret") {
			t.Errorf("%s: the key is repeated", x.name)
		}
	}
	for _, query := range []string{"", "?at=2026-11-01", then, then + "&at=2026-11-01"} {
		r := get(t, keys, api(amara)+query, "Authorization", "Bearer "+goodKey)
		p := decode[provider](t, r)
		if p.Staff == nil || p.Staff.Key != "Imani" || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("ETag") != "" {
			t.Fatalf("%s: %+v %v", query, p.Staff, r.Header)
		}
		if pub := get(t, keys, api(amara)); strings.Contains(pub.body, `"staff"`) || strings.Contains(pub.body, `"because"`) {
			t.Error("the public is told what staff are")
		}
		if strings.Contains(query, "known") && p.Staff.Known != "2026-11-01T00:00:00.000Z" {
			t.Errorf("%s: known is %s", query, p.Staff.Known)
		}
	}
	// All that is known, and what was known before anything was.
	w := demoWorld(t)
	f, err := w.store.File(t.Context(), amara)
	if err != nil {
		t.Fatal(err)
	}
	all := decode[provider](t, get(t, keys, api(amara), "Authorization", "Bearer "+goodKey))
	n := 0
	for _, of := range append(slices.Collect(maps.Values(f.Linked)), f) {
		for _, h := range of.Claims {
			if len(h.Events) > 0 {
				n++
			}
		}
	}
	if len(all.Staff.Claims) != n || len(all.Staff.Checks) != 5 {
		t.Errorf("%d claims, want %d", len(all.Staff.Claims), n)
	}
	for _, c := range all.Staff.Claims {
		if c.Sentence != "" && len(c.Because) == 0 {
			t.Errorf("%s %s: %q rests on nothing", c.Kind, c.ID, c.Sentence)
		}
	}
	nothing := decode[provider](t, get(t, keys, api(amara)+"?known=1990-01-01", "Authorization", "Bearer "+goodKey))
	if len(nothing.Staff.Claims) != 0 || len(nothing.Claims) != 0 || slices.ContainsFunc(nothing.Checks, func(c check) bool { return c.Result != directory.NotChecked }) {
		t.Errorf("in 1990 we knew %+v", nothing.Staff)
	}
}

// A search for the past finds whom today's finds, with the checks of that moment: in the results, in
// filters and in facets.
func TestSearchThePast(t *testing.T) {
	w := demoWorld(t)
	s, doc := demoServer(t), document(t)
	everyone := func(query string) (out []result, first searchAnswer) {
		for next := ""; ; {
			target := "/api/v1/providers?limit=50" + query
			if next != "" {
				target += "&cursor=" + next
			}
			r := get(t, s, target)
			if r.StatusCode != 200 {
				t.Fatalf("%s: %d %s", target, r.StatusCode, r.body)
			}
			a := decode[searchAnswer](t, r)
			if next == "" {
				first = a
				conforms(t, doc, "/api/v1/providers", target, r)
			}
			out = append(out, a.Results...)
			if a.Next == nil {
				return out, first
			}
			next = *a.Next
		}
	}
	byID := func(a, b result) int { return cmp.Compare(a.ID, b.ID) }
	for _, at := range []directory.Instant{"1999-12-31T23:59:59.000Z", w.now.AddDays(-7), w.now} {
		query := "&at=" + url.QueryEscape(string(at))
		list, first := everyone(query)
		now, _ := everyone("")
		if len(list) != len(now) || first.Total != len(list) || first.AsOf != at || first.Query.At == nil || *first.Query.At != at {
			t.Fatalf("at %s: %d of %d, total %d, as of %s", at, len(list), len(now), first.Total, first.AsOf)
		}
		counts := map[string]int{}
		for i, r := range list {
			for _, c := range r.Checks {
				counts[string(c.Check)+":"+string(c.Result)]++
			}
			if i%40 == 0 {
				one := decode[provider](t, get(t, s, api(r.ID)+"?at="+url.QueryEscape(string(at))))
				for j, c := range one.Checks {
					if c.Result != r.Checks[j].Result || c.Sentence != r.Checks[j].Sentence {
						t.Errorf("at %s: the list says %s of %s, its page %s", at, r.Checks[j].Result, r.Name, c.Result)
					}
				}
			}
		}
		for _, v := range first.Facets["check"] {
			if counts[v.Value] != v.Count {
				t.Errorf("at %s: facet %s counts %d, the results show %d", at, v.Value, v.Count, counts[v.Value])
			}
			delete(counts, v.Value)
			if at != w.now.AddDays(-7) {
				continue
			}
			filtered, _ := everyone(query + "&check=" + v.Value)
			if len(filtered) != v.Count {
				t.Errorf("at %s: %s finds %d of %d", at, v.Value, len(filtered), v.Count)
			}
		}
		for v, n := range counts {
			t.Errorf("at %s: no facet counts the %d of %s", at, n, v)
		}
		if at == w.now {
			slices.SortFunc(list, byID)
			slices.SortFunc(now, byID)
			if d := gocmp.Diff(now, list, gocmp.AllowUnexported(result{}, accepting{}), asWritten); d != "" {
				t.Errorf("asked for now it answers otherwise (-now +at):\n%s", d)
			}
		}
	}
	d := dom(t, get(t, s, "/?at=2026-11-01&state=CO"))
	if !strings.HasPrefix(text(d.Find(".asof").Text()), "Checks as of 1 Nov 2026, 00:00 UTC: this is what we now know was true then.") ||
		d.Find(`#search input[name=at][value="2026-11-01"]`).Length() != 1 {
		t.Error("the search page does not say of when it is")
	}
	if href := d.Find(".cards h3 a").First().AttrOr("href", ""); !strings.HasSuffix(href, "?state=CO&at=2026-11-01") {
		t.Errorf("a result leads to %s", href)
	}
	if href := d.Find(".asof a").AttrOr("href", ""); href != "/?state=CO" {
		t.Errorf("today's answer is at %s", href)
	}
}

// A wrong person's hit that was cleared shows at no moment, on no face; the same public bytes come with and without it.
func TestClearedShowsAtNoMoment(t *testing.T) {
	w := demoWorld(t)
	amara := idOf(t, "Amara Whitcomb")
	hit, cleared := w.now.AddDays(-10), w.now.AddDays(-5)
	plant := func(withHit bool) *Server {
		return demoServer(t, func(c *Config) {
			real := c.Reader
			c.Reader = altered{Reader: real, file: func(id directory.ID) (*directory.CredentialFile, error) {
				f, err := real.File(context.Background(), id)
				if err != nil || !withHit {
					return f, err
				}
				for i, h := range f.Claims {
					if h.Claim.Kind != directory.License || len(h.Events) == 0 {
						continue
					}
					source := ""
					for _, e := range h.Events {
						if e.Type == directory.Observe {
							source = e.Body.Source
						}
					}
					seq := int64(1_000_000 + 2*i)
					f.Claims[i].Events = append(slices.Clone(h.Events),
						directory.Event{V: 1, Seq: seq, Type: directory.Observe, PerformedAt: hit, RecordedAt: hit, Actor: directory.Actor{Kind: directory.Tool, ID: "kapdir"}, Evidence: []string{"e"},
							Body: directory.Body{State: directory.SeenSuspended, Source: source, SourceWords: "Suspended", Match: directory.M5, By: []string{"licence", "family"}}},
						directory.Event{V: 1, Seq: seq + 1, Type: directory.Review, PerformedAt: cleared, RecordedAt: cleared, Actor: directory.Actor{Kind: directory.Staff, ID: "staff-imani"},
							Body: directory.Body{Of: seq, Decision: "clear", Field: "birth"}})
				}
				return f, nil
			}}
			c.Keys = fakeKeys{}
		})
	}
	clean, hidden := plant(false), plant(true)
	seen := false
	for day := -14; day <= 0; day++ {
		at := url.QueryEscape(string(w.now.AddDays(day).Add(-time.Hour)))
		for _, path := range []string{api(amara), pageOf(amara)} {
			if a, b := get(t, clean, path+"?at="+at), get(t, hidden, path+"?at="+at); a.body != b.body || a.Header.Get("ETag") != b.Header.Get("ETag") {
				t.Errorf("%s at %s: %s", path, at, gocmp.Diff(a.body, b.body))
			}
		}
		then := decode[provider](t, get(t, hidden, api(amara)+"?at="+at+"&known="+at, "Authorization", "Bearer "+goodKey))
		seen = seen || slices.ContainsFunc(then.Checks, func(c check) bool { return c.Result == directory.BeingChecked })
	}
	if !seen {
		t.Error("as known then nothing was being checked: the test tests nothing")
	}
}

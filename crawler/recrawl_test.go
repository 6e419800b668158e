package crawler

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kapdir/directory"
)

// bigSite is KAP Commons with ten more people on its second list page.
func bigSite(t *testing.T) (*site, func(at time.Time, edit ...func(*Options)) (*memory, Report, error), string) {
	t.Helper()
	s, client := newSite(t)
	s.etag = true
	list := `<link rel="canonical" href="https://kap-commons.example/therapists/?page=2"><div class="results-row">`
	for i := range 10 {
		path := fmt.Sprintf("/profile/p%d", i)
		list += `<a class="profile-title" href="` + path + `">x</a>`
		s.pages[path] = strings.ReplaceAll(strings.ReplaceAll(profile("", ""), "/profile/ana-ruiz", path), "#46111", fmt.Sprint("#4611", i))
	}
	s.pages["/therapists/?page=2"] = list + `</div>`
	dir := t.TempDir()
	return s, func(at time.Time, edit ...func(*Options)) (*memory, Report, error) {
		clear(s.asked)
		clear(s.sent)
		return crawlSite(client, startPage, append([]func(*Options){func(o *Options) {
			o.Now = func() time.Time { return at }
			o.Cache = OpenCache(dir, o.Now)
		}}, edit...)...)
	}, dir
}

// fateOf is what a report says of a page or a listing.
func fateOf(rep Report, key string) string {
	var out []string
	for _, f := range rep.Fates {
		if f.Listing == key || f.Listing == "" && strings.HasSuffix(f.Page, key) {
			out = append(out, f.What)
		}
	}
	return strings.Join(out, " ")
}

func dayAfter(n int) time.Time { return day().AddDate(0, 0, n) }

// TestNotModified asks for what is new alone, and reads of the rest what it read before.
func TestNotModified(t *testing.T) {
	s, crawl, dir := bigSite(t)
	first, rep, err := crawl(day())
	if err != nil || len(first.records) != 14 || len(rep.Fates) != 0 {
		t.Fatalf("%v, %d listings, fates %+v", err, len(first.records), rep.Fates)
	}
	s.pages["/profile/p3"] = strings.Replace(s.pages["/profile/p3"], "Lozenge", "IV infusion", 1)
	again, rep, err := crawl(dayAfter(7))
	if err != nil || len(again.records) != 14 || len(s.sent) != 1 || s.sent["/profile/p3"] != 1 || s.asked["/profile/p4"] != 1 {
		t.Fatalf("%v, %d listings, sent %v", err, len(again.records), s.sent)
	}
	for _, r := range first.records {
		got := again.record(r.Key)
		if (r.Key == "/profile/p3") == (got.Hash() == r.Hash()) {
			t.Errorf("%s: the same %v", r.Key, got.Hash() == r.Hash())
		}
	}
	if len(rep.Fates) != 0 || len(again.gone) != 0 {
		t.Errorf("fates %+v, gone %v", rep.Fates, again.gone)
	}
	if again.rel.SHA256 == first.rel.SHA256 {
		t.Error("a page changed, and the release's hash did not")
	}

	// The same bytes are the same release, whether sent or said to be the same.
	if third, _, err := crawl(dayAfter(8)); err != nil || third.rel.SHA256 != again.rel.SHA256 || len(s.sent) != 0 {
		t.Errorf("nothing new: %v, sent %v", err, s.sent)
	}
	// A dry run asks in the same way and changes nothing of what is kept.
	before := tree(t, dir)
	if _, _, err := crawl(dayAfter(9), func(o *Options) { o.Cache = o.Cache.Looking() }); err != nil || tree(t, dir) != before {
		t.Errorf("a dry run changed what is kept: %v", err)
	}
	// Whole pages are kept for 30 days from when they came, however often they are said to be the same.
	if _, _, err := crawl(dayAfter(29)); err != nil || len(s.sent) != 0 {
		t.Errorf("after 29 days: %v, sent %v", err, s.sent)
	}
	if _, _, err := crawl(dayAfter(30)); err != nil || len(s.sent) != 15 {
		t.Errorf("after 30 days: %v, %d sent", err, len(s.sent))
	}
	if err := OpenCache(dir, func() time.Time { return dayAfter(61) }).Sweep(); err != nil {
		t.Fatal(err)
	}
	for _, f := range strings.Fields(tree(t, dir)) { // files written just now may belong to an import that is going on
		old := time.Now().Add(-2 * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, f), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := OpenCache(dir, func() time.Time { return dayAfter(61) }).Sweep(); err != nil || tree(t, dir) != "kap-commons/pages.json" {
		t.Errorf("after 61 days: %v, %s", err, tree(t, dir))
	}
}

// tree lists the files under a directory.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	err := filepath.Walk(dir, func(p string, st os.FileInfo, err error) error {
		if err == nil && !st.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			out = append(out, rel)
			if st.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", rel, st.Mode())
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

// TestRecrawl tells apart what can become of a listing.
func TestRecrawl(t *testing.T) {
	list := "/therapists/?page=2"
	for _, c := range []struct {
		name string
		edit func(*site)
		key  string
		fate string
		in   bool // the listing is in the release still
		gone string
	}{
		{"nothing", func(*site) {}, "/profile/p1", "", true, ""},
		{"gone: 404", func(s *site) { delete(s.pages, "/profile/p1") }, "/profile/p1", "gone", false, "page"},
		{"gone: 410", func(s *site) { s.status["/profile/p1"] = 410 }, "/profile/p1", "gone", false, "page"},
		{"gone: it leads to the list", func(s *site) { s.pages["/profile/p1"] = "redirect /therapists/" }, "/profile/p1", "gone", false, "page"},
		{"gone: no longer linked", func(s *site) { s.pages[list] = strings.Replace(s.pages[list], `href="/profile/p1"`, "", 1) }, "/profile/p1", "unlinked", false, "link"},
		{"its page names another", func(s *site) {
			s.pages["/profile/p1"] = strings.Replace(s.pages["/profile/p1"], `<main class="profile"`, `<main class="profile" id="bo"><p class="profile-kind">Therapist</p><h1 class="profile-title">Bo Lee</h1></main><main class="profile" id="cy"`, 1)
		}, "/profile/p1", "left", false, "listing"},
		{"lost: 503", func(s *site) { s.status["/profile/p1"] = 503 }, "/profile/p1", "lost", true, ""},
		{"lost: 403", func(s *site) { s.status["/profile/p1"] = 403 }, "/profile/p1", "lost", true, ""},
		{"lost: a list page", func(s *site) { s.status[list] = 500 }, "/profile/p1", "", true, ""},
		{"refused by robots.txt", func(s *site) { s.robots = "User-agent: *\nDisallow: /profile/p1\n" }, "/profile/p1", "refused", false, ""},
		{"changed: not found and says 200", func(s *site) { s.pages["/profile/p1"] = "<h1>Sorry, not here</h1>" }, "/profile/p1", "changed", true, ""},
		{"changed: too deep to parse", func(s *site) { s.pages["/profile/p1"] = strings.Repeat("<div>", 700) }, "/profile/p1", "changed", true, ""},
		{"fewer fields", func(s *site) {
			s.pages["/profile/p1"] = strings.Replace(s.pages["/profile/p1"], `class="route-list"`, `class="routes"`, 1)
		}, "/profile/p1", "fewer", true, ""},
		{"renamed", func(s *site) {
			s.pages["/profile/p1"] = strings.Replace(s.pages["/profile/p1"], "Ana Ruiz", "Ana Ode", 1)
		}, "/profile/p1", "renamed", true, ""},
		{"another credential", func(s *site) {
			s.pages["/profile/p1"] = strings.Replace(s.pages["/profile/p1"], ">LMFT<", ">LMFT, PhD<", 1)
		}, "/profile/p1", "credentials", true, ""},
		{"another licence number", func(s *site) { s.pages["/profile/p1"] = strings.Replace(s.pages["/profile/p1"], "#46111", "#99", 1) }, "/profile/p1", "credentials", true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, crawl, _ := bigSite(t)
			if _, _, err := crawl(day()); err != nil {
				t.Fatal(err)
			}
			c.edit(s)
			m, rep, err := crawl(dayAfter(7))
			if err != nil {
				t.Fatal(err)
			}
			if got := fateOf(rep, c.key); got != c.fate {
				t.Errorf("fate %q, want %q: %+v", got, c.fate, rep.Fates)
			}
			if r := m.record(c.key); (r != nil) != c.in {
				t.Errorf("in the release: %v", r != nil)
			} else if c.fate == "lost" || c.fate == "changed" {
				if r.Listing.Origin.AsOf != "2026-10-30" || r.Listing.Name.Family != "Ruiz" { // the page's own date
					t.Errorf("%s", asJSON(r.Listing))
				}
			}
			want := []directory.Departure(nil)
			if c.gone != "" {
				want = []directory.Departure{{Key: c.key, URL: "http://kap-commons.example/profile/p1", Why: c.gone}}
			}
			if !slices.Equal(m.gone, want) {
				t.Errorf("gone %+v, want %+v", m.gone, want)
			}
			if c.fate == "" && c.in || c.fate == "gone" || c.fate == "unlinked" || c.fate == "left" {
				return
			}
			s.pages["/profile/p1"], s.robots = profile("", ""), "" // what was lost is still known when it comes back, or is taken away
			delete(s.pages, "/profile/p1")
			clear(s.status)
			if m, _, err = crawl(dayAfter(8)); err != nil || len(m.gone) != 1 || m.gone[0].Key != "/profile/p1" {
				t.Errorf("then taken away: %v, gone %+v", err, m.gone)
			}
		})
	}
}

// TestMarkupChange refuses a site that has changed, names the field, and keeps what is known of it.
func TestMarkupChange(t *testing.T) {
	for _, c := range []struct {
		name, want string
		edit       func(*site, int)
	}{
		{"a field lost", "route: 9 of the 13 listings", func(s *site, i int) {
			p := fmt.Sprintf("/profile/p%d", i)
			s.pages[p] = strings.Replace(s.pages[p], `class="route-list"`, `class="routes"`, 1)
		}},
		{"no listing found", "listing: 9 of the 14 listings", func(s *site, i int) {
			p := fmt.Sprintf("/profile/p%d", i)
			s.pages[p] = strings.Replace(s.pages[p], `class="profile"`, `class="bio"`, 1)
		}},
		{"all gone at once", "follow: 9 of the 14 listings", func(s *site, i int) { delete(s.pages, fmt.Sprintf("/profile/p%d", i)) }},
		{"no longer linked", "follow: 9 of the 14 listings", func(s *site, i int) {
			l := "/therapists/?page=2"
			s.pages[l] = strings.Replace(s.pages[l], fmt.Sprintf(`href="/profile/p%d"`, i), "", 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, crawl, dir := bigSite(t)
			if _, _, err := crawl(day()); err != nil {
				t.Fatal(err)
			}
			was, err := os.ReadFile(filepath.Join(dir, "kap-commons", "pages.json"))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 9 {
				c.edit(s, i)
			}
			m, rep, err := crawl(dayAfter(7))
			if err == nil || m.begun != 1 || m.failure == nil || len(m.records) != 0 || len(m.gone) != 0 || !strings.Contains(err.Error(), c.want) || len(rep.Fates) < 9 {
				t.Fatalf("%v, begun %d, %d records, gone %d, fates %d", err, m.begun, len(m.records), len(m.gone), len(rep.Fates))
			}
			if now, err := os.ReadFile(filepath.Join(dir, "kap-commons", "pages.json")); err != nil || string(now) != string(was) {
				t.Errorf("a refused import changed what is remembered: %v", err)
			}
			// A person who looked at it may take it.
			if m, _, err = crawl(dayAfter(7), func(o *Options) { o.AcceptChanged = true }); err != nil || len(m.records) == 0 {
				t.Errorf("accepted: %v", err)
			}
			if m, _, err = crawl(dayAfter(8)); err != nil || len(m.gone) != 0 {
				t.Errorf("and then it is what is known: %v, gone %d", err, len(m.gone))
			}
		})
	}

	// Two of fourteen are people and not the markup.
	s, crawl, _ := bigSite(t)
	if _, _, err := crawl(day()); err != nil {
		t.Fatal(err)
	}
	delete(s.pages, "/profile/p1")
	delete(s.pages, "/profile/p2")
	if m, _, err := crawl(dayAfter(7)); err != nil || len(m.gone) != 2 {
		t.Errorf("two of fourteen: %v, gone %d", err, len(m.gone))
	}
}

// TestSavedAgain compares saved pages too; a page that nobody saved this time is not gone.
func TestSavedAgain(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	put := func(i int, text string) {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.html", i)), []byte(strings.ReplaceAll(text, "/profile/ana-ruiz", fmt.Sprint("/profile/p", i))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := func() (*memory, Report, error) {
		return importFile(t, "kap-commons", dir, func(o *Options) { o.Cache = OpenCache(cache, day) })
	}
	for i := range 6 {
		put(i, profile("", ""))
	}
	if _, rep, err := load(); err != nil || rep.Yield.Listings != 6 || rep.Before.Listings != 0 {
		t.Fatalf("%v, %+v", err, rep.Yield)
	}
	if got := tree(t, cache); got != "kap-commons/pages.json" {
		t.Errorf("kept: %s", got)
	}
	if err := os.Remove(filepath.Join(dir, "5.html")); err != nil {
		t.Fatal(err)
	}
	put(0, profile("Ana Ruiz", "Ana Ode"))
	m, rep, err := load()
	if err != nil || len(m.gone) != 0 || fateOf(rep, "/profile/p0") != "renamed" || fateOf(rep, "/profile/p5") != "" || rep.Before.Listings != 6 {
		t.Fatalf("%v, gone %v, fates %+v", err, m.gone, rep.Fates)
	}
	for i := range 3 {
		put(i, profile("license-list", "licences"))
	}
	if _, _, err = load(); err == nil || !strings.Contains(err.Error(), "licences: 3 of the") {
		t.Errorf("licences lost: %v", err)
	}
	for i := range 3 {
		put(i, profile(`main class="profile"`, "main"))
	}
	if _, _, err = load(); err == nil || !strings.Contains(err.Error(), "listing: 3 of the 5") {
		t.Errorf("listings lost: %v", err)
	}
	src, _ := Find("kap-commons")
	x, err := Check(context.Background(), src, Input{Path: dir}, Options{Now: day, Cache: OpenCache(cache, day)})
	if err != nil || x.Before.Listings != 5 || x.Yield.Listings != 2 || !slices.ContainsFunc(x.Warnings, func(w string) bool { return strings.Contains(w, "licences: found in 2 listings, and in 5") }) {
		t.Errorf("the check warns: %v, %+v, %q", err, x.Yield, x.Warnings)
	}

	// An accepted removal leaves nothing of the listing behind.
	c := OpenCache(cache, day)
	if err := c.Forget("kap-commons", "/profile/p0"); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(cache, "kap-commons", "pages.json")); err != nil || strings.Contains(string(b), "p0") || !strings.Contains(string(b), "p1") {
		t.Errorf("forgotten: %v %s", err, b)
	}
}

// TestPatience waits where a site asks for that, and no longer than an import may.
func TestPatience(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer []string
		waits  []time.Duration
		lost   bool
	}{
		{"seconds", []string{"7"}, []time.Duration{7 * time.Second}, false},
		{"a date", []string{"Mon, 23 Nov 2026 09:00:30 GMT"}, []time.Duration{30 * time.Second}, false},
		{"a date of yesterday", []string{"Sun, 22 Nov 2026 09:00:30 GMT"}, []time.Duration{0}, false},
		{"twice", []string{"1", "2"}, []time.Duration{time.Second, 2 * time.Second}, false},
		{"nothing that can be read", []string{"soon", "-5"}, []time.Duration{firstBackOff, 2 * firstBackOff}, false},
		{"too often", []string{"1", "1", "1"}, []time.Duration{time.Second, time.Second}, true},
		{"an hour", []string{"3600"}, nil, true},
		{"for ever", []string{"99999999999999999999"}, nil, true},
		{"next year", []string{"Tue, 23 Nov 2027 09:00:30 GMT"}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, client := newSite(t)
			s.retry["/profile/jonah-reyes"] = c.answer
			var waits []time.Duration
			_, _, err := crawlSite(client, startPage, func(o *Options) {
				o.sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
			})
			if (err != nil) != c.lost || !slices.Equal(waits, c.waits) {
				t.Errorf("%v, waited %v, want %v", err, waits, c.waits)
			}
		})
	}
	// A site that asks for an hour is not asked for anything more.
	s, client := newSite(t)
	s.retry["/therapists/?page=2"] = []string{"3600"}
	if _, _, err := crawlSite(client, startPage); err == nil || s.asked["/profile/ana-ruiz"] != 0 {
		t.Errorf("%v, asked %v", err, s.asked)
	}
	// Nor is one of which page after page cannot be had.
	s, crawl, _ := bigSite(t)
	for i := range 10 {
		s.status[fmt.Sprintf("/profile/p%d", i)] = 500
	}
	_, _, err := crawl(day())
	if n := s.asked["/profile/p4"] + s.asked["/profile/p5"] + s.asked["/profile/p9"]; err == nil || n != maxTries {
		t.Errorf("%v, asked %v", err, s.asked)
	}
}

// TestCrawlDelay keeps the pace that robots.txt asks for, up to a minute.
func TestCrawlDelay(t *testing.T) {
	for text, want := range map[string]time.Duration{"User-agent: *\nCrawl-delay: 5\n": 5 * time.Second, "User-agent: kapdir\nCrawl-delay: 0.5\nAllow: /\nUser-agent: *\nCrawl-delay: 9\n": 500 * time.Millisecond,
		"User-agent: kapdir\nCrawl-delay: 0.5\nUser-agent: *\nCrawl-delay: 9\n": 9 * time.Second, // only a rule ends a group, so this is one of two agents
		"User-agent: *\nCrawl-delay: -1\n":                                      0, "User-agent: *\nCrawl-delay: soon\n": 0, "User-agent: *\nCrawl-delay: NaN\n": 0, "User-agent: other\nCrawl-delay: 5\n": 0, "Crawl-delay: 5\n": 0,
		"User-agent: *\nCrawl-delay: 1e300\n": 1e6 * time.Second} {
		if got := ParseRobots([]byte(text), "kapdir/1.0").Delay; got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	s, client := newSite(t)
	s.robots = "User-agent: *\nCrawl-delay: 90\n"
	if _, _, err := crawlSite(client, startPage); directory.KindOf(err) != directory.Refused || s.asked["/therapists/"] != 0 {
		t.Errorf("a delay beyond a minute: %v", err)
	}
	src, _ := Find("kap-commons")
	s.robots = "User-agent: *\nCrawl-delay: 20\n"
	f, _, err := newFetcher(context.Background(), &material{source: "kap-commons", recipe: src.recipe, info: src.Info()}, Input{URL: startPage, Client: client}, Options{Now: day}.complete())
	if err != nil || f.pace.Limit() != 1.0/20 {
		t.Errorf("pace %v, %v", f.pace.Limit(), err)
	}
}

// TestCacheDamage: whatever becomes of the files kept, an import reads the site.
func TestCacheDamage(t *testing.T) {
	s, crawl, dir := bigSite(t)
	if _, _, err := crawl(day()); err != nil {
		t.Fatal(err)
	}
	files := strings.Fields(tree(t, dir))
	whole := map[string][]byte{}
	for _, f := range files {
		whole[f], _ = os.ReadFile(filepath.Join(dir, f))
	}
	rapid.Check(t, func(r *rapid.T) {
		for _, f := range files {
			b := slices.Clone(whole[f])
			switch rapid.IntRange(0, 3).Draw(r, "damage") {
			case 1:
				b[rapid.IntRange(0, len(b)-1).Draw(r, "at")] ^= 0x55
			case 2:
				b = b[:rapid.IntRange(0, len(b)).Draw(r, "cut")]
			}
			_ = os.WriteFile(filepath.Join(dir, f), b, 0o600)
		}
		s.mu.Lock()
		clear(s.asked)
		s.mu.Unlock()
		m, _, err := crawl(dayAfter(1), func(o *Options) { o.Cache = o.Cache.Looking(); o.AcceptChanged = true })
		if err != nil || len(m.records) != 14 {
			r.Fatalf("%v, %d listings", err, len(m.records))
		}
	})
}

package crawler

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// site serves the pages of testdata under the addresses they name, and counts what is asked for.
type site struct {
	mu     sync.Mutex
	asked  map[string]int
	robots string
	status map[string]int    // of single pages
	pages  map[string]string // over those of testdata
	agent  string
	etag   bool                // pages have validators
	sent   map[string]int      // whole pages sent
	retry  map[string][]string // Retry-After of the next answers of 429, by page
}

func newSite(t *testing.T) (*site, *safehttp.Client) {
	s := &site{asked: map[string]int{}, sent: map[string]int{}, retry: map[string][]string{}, status: map[string]int{}, pages: map[string]string{}}
	for path, file := range map[string]string{"/therapists/": "therapists", "/profile/maya-okafor": "maya-okafor", "/profile/jonah-reyes": "jonah-reyes",
		"/profile/elena-roth": "elena-roth", "/clinic/front-range-ketamine": "front-range-ketamine"} {
		b, err := os.ReadFile("testdata/kap-commons/" + file + ".html")
		if err != nil {
			t.Fatal(err)
		}
		s.pages[path] = string(b)
	}
	s.pages["/therapists/?page=2"] = `<link rel="canonical" href="https://kap-commons.example/therapists/?page=2"><div class="results-row">
<a class="profile-title" href="/profile/ana-ruiz#top">x</a><a class="profile-title" href="https://elsewhere.example/profile/z">x</a><a class="profile-title" href="/private/z">x</a></div>
<div class="pagination-controls-end"><a class="page-btn" rel="next" href="/therapists/">back to the first</a></div>`
	s.pages["/profile/ana-ruiz"] = profile("", "")
	s.pages["/private/z"] = profile("ana-ruiz", "z")
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	client, _ := testClient(t, srv)
	return s, client
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agent = r.UserAgent()
	key := r.URL.RequestURI()
	s.asked[key]++
	if key == "/robots.txt" {
		if s.robots == "" {
			w.WriteHeader(404)
			return
		}
		fmt.Fprint(w, s.robots)
		return
	}
	if to, ok := strings.CutPrefix(s.pages[key], "redirect "); ok {
		http.Redirect(w, r, to, http.StatusFound)
		return
	}
	if r := s.retry[key]; len(r) > 0 {
		s.retry[key] = r[1:]
		w.Header().Set("Retry-After", r[0])
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if st := s.status[key]; st != 0 {
		w.WriteHeader(st)
		return
	}
	if s.pages[key] == "" {
		w.WriteHeader(404)
		return
	}
	if s.etag {
		tag := fmt.Sprintf("%q", bodyName([]byte(s.pages[key]))[:16])
		w.Header().Set("ETag", tag)
		w.Header().Set("Last-Modified", "Sun, 01 Nov 2026 10:00:00 GMT")
		if r.Header.Get("If-None-Match") == tag && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	s.sent[key]++
	fmt.Fprint(w, s.pages[key])
}

func crawlSite(client *safehttp.Client, url string, edit ...func(*Options)) (*memory, Report, error) {
	src, _ := Find("kap-commons")
	m := &memory{}
	var rep Report
	o := Options{Now: day, Pace: rate.Inf, Report: &rep, sleep: func(context.Context, time.Duration) error { return nil }}
	for _, f := range edit {
		f(&o)
	}
	_, err := Run(context.Background(), src, InputAt(url, client), m, o)
	return m, rep, err
}

const startPage = "http://kap-commons.example/therapists/"

func TestCrawl(t *testing.T) {
	s, client := newSite(t)
	s.robots = "User-agent: kapdir\nDisallow: /private/\n"
	m, rep, err := crawlSite(client, startPage)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.records) != 5 || rep.Pages != 7 || m.rel.URL != startPage || len(m.rel.SHA256) != 64 || m.rel.File != "kap-commons.example" {
		t.Errorf("%d records of %d pages, release %+v, rejects %+v", len(m.records), rep.Pages, m.rel, m.rejects)
	}
	for path, n := range s.asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
	if s.asked["/private/z"] != 0 || len(rep.Refused) != 1 || rep.Refused[0] != "/private/z" || s.asked["/profile/z"] != 0 {
		t.Errorf("what robots.txt forbids: asked %v, refused %v", s.asked, rep.Refused)
	}
	if s.agent != "kapdir/test (+https://kapdir.example/)" {
		t.Errorf("agent %q", s.agent)
	}
	local, _, err := importFile(t, "kap-commons", "testdata/kap-commons")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range local.records {
		if got := m.record(r.Key); got == nil || got.Hash() != r.Hash() {
			t.Errorf("%s reads differently over the network", r.Key)
		}
	}
}

func TestCrawlManners(t *testing.T) {
	refused := func(name, url string, kind directory.ErrorKind, edit func(*site)) {
		t.Helper()
		s, client := newSite(t)
		if edit != nil {
			edit(s)
		}
		m, _, err := crawlSite(client, url)
		if directory.KindOf(err) != kind || m.begun != 0 {
			t.Errorf("%s: %v (%s), begun %d, want %s", name, err, directory.KindOf(err), m.begun, kind)
		}
		for path := range s.asked {
			if path != "/robots.txt" && kind != directory.NotFound {
				t.Errorf("%s: %s was read", name, path)
			}
		}
	}
	refused("forbidden by robots.txt", startPage, directory.Refused, func(s *site) { s.robots = "User-agent: *\nDisallow: /therapists\n" })
	refused("another site", "http://elsewhere.example/", directory.Refused, nil)
	refused("another port", "http://kap-commons.example:8080/", directory.Refused, nil)
	refused("a password", "http://u:p@kap-commons.example/", directory.Refused, nil)
	refused("no such page", "http://kap-commons.example/none", directory.NotFound, nil)

	// A page that cannot be had keeps the release from coming into force; one that is gone does not.
	s, client := newSite(t)
	s.status["/profile/jonah-reyes"] = 503
	m, _, err := crawlSite(client, startPage)
	if err == nil || m.begun != 1 || m.failure == nil || !strings.Contains(err.Error(), "/profile/jonah-reyes") || len(m.records) == 0 || s.asked["/profile/jonah-reyes"] != maxTries {
		t.Errorf("a failing page: %v, begun %d, failure %v, asked %d times", err, m.begun, m.failure, s.asked["/profile/jonah-reyes"])
	}
	s, client = newSite(t)
	s.status["/profile/jonah-reyes"] = 410
	if m, _, err = crawlSite(client, startPage); err != nil || m.record("/profile/jonah-reyes") != nil || m.record("/profile/maya-okafor") == nil {
		t.Errorf("a page that is gone: %v", err)
	}
	s, client = newSite(t)
	s.pages["/profile/jonah-reyes"] = "redirect http://elsewhere.example/x"
	s.pages["/profile/elena-roth"] = "redirect /private/z"
	s.robots = "User-agent: *\nDisallow: /private/\n"
	if m, _, err = crawlSite(client, startPage); err != nil || s.asked["/private/z"] != 0 || m.record("/profile/elena-roth") != nil {
		t.Errorf("redirects away: %v, asked %v", err, s.asked)
	}
	s, client = newSite(t)
	for i := range 60 { // a trap: every page has a next one
		s.pages[fmt.Sprintf("/therapists/?page=%d", i+2)] = fmt.Sprintf(`<div class="pagination-controls-end"><a class="page-btn" rel="next" href="/therapists/?page=%d">n</a></div>`, i+3)
	}
	if m, _, err = crawlSite(client, startPage, func(o *Options) { o.MaxPages = 20 }); err == nil || m.failure == nil || !strings.Contains(err.Error(), "20 pages") {
		t.Errorf("an endless site: %v", err)
	}
	s, client = newSite(t)
	s.pages["/therapists/"] = strings.Repeat("<div>", 700)
	if m, _, err = crawlSite(client, startPage); err == nil || m.begun != 0 {
		t.Errorf("a start page that cannot be parsed: %v", err)
	}
}

// TestPace asks for no more than one page a second of a host.
func TestPace(t *testing.T) {
	if o := (Options{}).complete(); o.Pace != 1 || o.MaxPages != 2000 {
		t.Errorf("pace %v, %d pages", o.Pace, o.MaxPages)
	}
	_, client := newSite(t)
	ctx, cancel := context.WithCancel(context.Background())
	src, _ := Find("kap-commons")
	pages := 0
	o := Options{Now: day, Pace: rate.Limit(0.001), Progress: func(p Progress) {
		if pages++; pages == 2 {
			cancel() // the second page waits for its turn
		}
	}}
	m := &memory{}
	if _, err := Run(ctx, src, InputAt(startPage, client), m, o); directory.KindOf(err) != directory.Unavailable || m.begun != 0 {
		t.Errorf("stopped while waiting: %v, begun %d", err, m.begun)
	}
}

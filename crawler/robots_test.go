package crawler

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"kapdir/crawler/safehttp"
)

// TestRobots is RFC 9309 case by case, those in which a common library is wrong among them.
func TestRobots(t *testing.T) {
	const agent = "KapBot/1.0 (+https://kapdir.example)"
	for _, c := range []struct {
		name, body, path string
		want             bool
	}{
		{"an empty rule forbids nothing", "User-agent: *\nDisallow:\n", "/x", true},
		{"the longer rule wins", "User-agent: *\nDisallow: /a/\nAllow: /a/b\n", "/a/b/c", true},
		{"of two as long, the one that allows", "User-agent: *\nDisallow: /a\nAllow: /a\n", "/a", true},
		{"the order does not matter", "User-agent: *\nAllow: /a\nDisallow: /a\n", "/a", true},
		{"star and end", "User-agent: *\nDisallow: /*.pdf$\n", "/x/y.pdf", false},
		{"the end is behind the query", "User-agent: *\nDisallow: /*.pdf$\n", "/x/y.pdf?a", true},
		{"a star makes a rule longer", "User-agent: *\nAllow: /p\nDisallow: /p*/secret\n", "/px/secret", false},
		{"the named group wins", "User-agent: *\nDisallow: /\n\nUser-agent: kapbot\nDisallow: /private\n", "/ok", true},
		{"the named group forbids too", "User-agent: *\nAllow: /\n\nUser-agent: kapbot\nDisallow: /private\n", "/private", false},
		{"repeated groups are one, first", "User-agent: kapbot\nDisallow: /a\n\nUser-agent: kapbot\nDisallow: /b\n", "/a", false},
		{"repeated groups are one, second", "User-agent: kapbot\nDisallow: /a\n\nUser-agent: kapbot\nDisallow: /b\n", "/b", false},
		{"a group of two agents", "User-agent: foo\nUser-agent: kapbot\nDisallow: /a\n", "/a", false},
		{"the beginning of our name is not our name", "User-agent: kap\nDisallow: /\n\nUser-agent: *\nAllow: /\n", "/x", true},
		{"a version behind the name", "User-agent: KapBot/2.1\nDisallow: /\n", "/x", false},
		{"an escaped letter is the letter", "User-agent: *\nDisallow: /foo/%62ar\n", "/foo/bar", false},
		{"beyond ASCII", "User-agent: *\nDisallow: /foo/ツ\n", "/foo/%E3%83%84", false},
		{"escapes in small letters", "User-agent: *\nDisallow: /foo/%e3%83%84\n", "/foo/%E3%83%84", false},
		{"an escaped slash is no slash", "User-agent: *\nDisallow: /a%2Fb\n", "/a/b", true},
		{"the query counts", "User-agent: *\nDisallow: /*?q=\n", "/find?q=1", false},
		{"a byte-order mark", "\xef\xbb\xbfUser-agent: *\nDisallow: /\n", "/x", false},
		{"carriage returns alone", "User-agent: *\rDisallow: /\r", "/x", false},
		{"comments", "User-agent: * # all\nDisallow: /x # y\n", "/x", false},
		{"a sitemap between", "User-agent: kapbot\nSitemap: http://x/s.xml\nDisallow: /x\n", "/x", false},
		{"an unknown line between", "User-agent: kapbot\nFoo: bar\nDisallow: /x\n", "/x", false},
		{"a delay between", "User-agent: *\nCrawl-delay: 5\nDisallow: /x\n", "/x", false},
		{"capitals", "USER-AGENT: *\nDISALLOW: /x\n", "/x", false},
		{"rules of nobody", "Disallow: /\nUser-agent: foo\nDisallow: /\n", "/x", true},
		{"robots.txt itself", "User-agent: *\nDisallow: /\n", "/robots.txt", true},
		{"a page of HTML", "<!DOCTYPE html><html><body>Not found</body></html>", "/x", true},
		{"several stars", "User-agent: *\nDisallow: /*a*b*c$\n", "/xxaxxbxxbxxc", false},
		{"several stars, no", "User-agent: *\nDisallow: /*a*b*c$\n", "/xxaxxbxxbxxcd", true},
		{"a dollar inside is a dollar", "User-agent: *\nDisallow: /a$b\n", "/a$b", false},
		{"blank around the colon", "User-agent : *\n Disallow : /x\n", "/x", false},
		{"nothing", "", "/x", true},
		{"beyond 500 KiB nothing is read", "User-agent: *\n" + strings.Repeat("# "+strings.Repeat("x", 98)+"\n", 6000) + "Disallow: /x\n", "/x", true},
	} {
		if got := ParseRobots([]byte(c.body), agent).Allowed(c.path); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if DenyAll.Allowed("/x") || !DenyAll.Allowed("/robots.txt") || !AllowAll.Allowed("/x") {
		t.Error("the answers without a file")
	}
	start := time.Now()
	ParseRobots([]byte("User-agent: *\nDisallow: /"+strings.Repeat("*a", 1000)+"b\n"), agent).Allowed("/" + strings.Repeat("a", 3000))
	if d := time.Since(start); d > time.Second {
		t.Errorf("a hostile rule took %s", d)
	}
}

// TestFetchRobots: a client error means no rules, a failing server that nothing may be read.
func TestFetchRobots(t *testing.T) {
	status := 0
	hops := 0
	var location string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hops > 0 {
			hops--
			http.Redirect(w, r, "/robots.txt?"+strconv.Itoa(hops), http.StatusFound)
			return
		}
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
		if status == 200 {
			_, _ = w.Write([]byte("User-agent: kapdir\nDisallow: /x\n" + strings.Repeat("#\n", 2<<20)))
		}
	}))
	defer srv.Close()
	client, u := testClient(t, srv)
	for _, c := range []struct {
		status, hops int
		x, y         bool
	}{{200, 0, false, true}, {200, 5, false, true}, {200, 6, false, false}, {401, 0, true, true}, {403, 0, true, true}, {404, 0, true, true}, {429, 0, true, true}, {500, 0, false, false}, {503, 0, false, false}, {302, 0, false, false}} {
		status, hops = c.status, c.hops
		r := fetchRobots(context.Background(), client, u)
		if r.Allowed("/x") != c.x || r.Allowed("/y") != c.y {
			t.Errorf("status %d after %d redirects: /x %v, /y %v", c.status, c.hops, r.Allowed("/x"), r.Allowed("/y"))
		}
	}
	srv.Close()
	if fetchRobots(context.Background(), client, u).Allowed("/y") {
		t.Error("a server that does not answer was taken for one without rules")
	}
}

// testClient opens the guard for a test's own server, which it finds under the name of KAP Commons.
func testClient(t *testing.T, srv *httptest.Server) (*safehttp.Client, *url.URL) {
	t.Helper()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	site := &url.URL{Scheme: "http", Host: "kap-commons.example"}
	return safehttp.New(safehttp.Config{Version: "test", Contact: "https://kapdir.example/", AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AllowPorts: []uint16{uint16(port)}, Dial: map[string]string{"kap-commons.example": u.Host}, TotalTimeout: 5 * time.Second}), site
}

// countingClient reaches a server that counts what is asked of it.
func countingClient(t *testing.T, asked *int) *safehttp.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { *asked++ }))
	t.Cleanup(srv.Close)
	u, _ := url.Parse(srv.URL)
	port, _ := strconv.ParseUint(u.Port(), 10, 16)
	return safehttp.New(safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowPorts: []uint16{uint16(port)}, Dial: map[string]string{"therapist-cards.example": u.Host}})
}

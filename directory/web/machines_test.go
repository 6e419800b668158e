package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

// public serves the demonstration's people as a directory that is none.
func public(c *Config) { c.Demo = nil }

func TestSitemap(t *testing.T) {
	s := demoServer(t, public)
	r := get(t, s, "/sitemap.xml")
	var m siteMap
	if err := xml.Unmarshal([]byte(r.body), &m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(get(t, s, "/robots.txt").body, "Sitemap: https://kapdir.example/sitemap.xml\n") {
		t.Error("robots.txt names no sitemap")
	}
	if strings.Contains(get(t, demoServer(t), "/robots.txt").body, "Sitemap") {
		t.Error("a demonstration leads crawlers in")
	}
	seen := map[string]bool{}
	for i, u := range m.URLs {
		path, ok := strings.CutPrefix(u.Loc, "https://kapdir.example")
		if !ok || seen[path] {
			t.Errorf("%s", u.Loc)
		}
		seen[path] = true
		if strings.Contains(path, "/providers/") && i%17 != 0 {
			continue
		}
		d := dom(t, get(t, s, path))
		if got := d.Find("link[rel=canonical]").AttrOr("href", ""); got != u.Loc {
			t.Errorf("%s is canonical as %q", u.Loc, got)
		}
	}
	ids, err := demoWorld(t).store.Listed(t.Context())
	if err != nil || len(ids) < 400 || !slices.IsSorted(ids) {
		t.Fatalf("%d listed, %v", len(ids), err)
	}
	if total := decode[searchAnswer](t, get(t, s, "/api/v1/providers")).Total; total != len(ids) {
		t.Errorf("%d are listed, %d are found", len(ids), total)
	}
	for _, id := range ids {
		if !seen[providerURL(id)] || !seen["/es"+providerURL(id)] {
			t.Errorf("%s is missing", id)
		}
	}
	// More than one file may name.
	many := make([]directory.ID, 2*mapSize+1)
	for i := range many {
		many[i] = directory.ID(fmt.Sprintf("prv_%026d", i))
	}
	big := with(t, altered{listed: many})
	var index siteIndex
	if err := xml.Unmarshal([]byte(get(t, big, "/sitemap.xml").body), &index); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, part := range index.Maps {
		u, _ := url.Parse(part.Loc)
		r := get(t, big, u.Path)
		var m siteMap
		if err := xml.Unmarshal([]byte(r.body), &m); err != nil || len(m.URLs) == 0 || len(m.URLs) > 50_000 || len(r.body) > 50<<20 {
			t.Errorf("%s: %d addresses, %d bytes, %v", part.Loc, len(m.URLs), len(r.body), err)
		}
		for _, u := range m.URLs {
			if strings.Contains(u.Loc, "/providers/") {
				n++
			}
		}
	}
	if len(index.Maps) != 4 || n != 2*len(many) {
		t.Errorf("%d files name %d pages of providers, want %d", len(index.Maps), n, 2*len(many))
	}
	for _, bad := range []string{"/sitemaps/4", "/sitemaps/-1", "/sitemaps/01", "/sitemaps/x", "/sitemaps/99999999999999999999"} {
		if r := get(t, big, bad); r.StatusCode != 404 {
			t.Errorf("%s: %d", bad, r.StatusCode)
		}
	}
}

// JSON-LD says what the page says: every string of it stands on the page or in its address, and a credential
// only if the page says of it that a register confirmed it.
func TestLinkedData(t *testing.T) {
	s := demoServer(t, public)
	ids, err := demoWorld(t).store.Listed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	credentials, without := 0, 0
	for i, id := range ids {
		if i%2 == 1 && testing.Short() {
			continue
		}
		d := dom(t, get(t, s, providerURL(id)))
		p := decode[provider](t, get(t, s, "/api/v1"+providerURL(id)))
		raw := d.Find("script[type='application/ld+json']").Text()
		var n ldNode
		dec := json.NewDecoder(strings.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&n); err != nil {
			t.Fatalf("%s: %v: %s", id, err, raw)
		}
		if n.URL != d.Find("link[rel=canonical]").AttrOr("href", "") || n.Name != p.Name {
			t.Errorf("%s is %s, %s", id, n.URL, n.Name)
		}
		words := strings.Join(strings.Fields(d.Find("main").Text()), " ")
		d.Find("main a[href]").Each(func(_ int, e *goquery.Selection) { words += " " + e.AttrOr("href", "") })
		said := func(v string) {
			if v != "" && !strings.Contains(words, strings.Join(strings.Fields(v), " ")) {
				t.Errorf("%s: the page does not say %q", id, v)
			}
		}
		said(n.Name)
		said(n.SameAs)
		if n.Identifier != nil {
			said(n.Identifier.Value)
		}
		for _, place := range slices.Concat(n.WorksAt, n.Locations) {
			said(place.Name)
			said(place.Telephone)
			said(place.Address.City)
			said(place.Address.ZIP)
		}
		problem := slices.ContainsFunc(p.Checks, func(c check) bool { return c.Result == directory.ProblemOnRecord })
		if problem && len(n.Credential) > 0 {
			t.Errorf("%s has a problem on record and %d credentials", id, len(n.Credential))
		}
		for _, x := range n.Credential {
			credentials++
			said(x.Name)
			ok := false
			for _, c := range p.Claims {
				number := ""
				if x.Identifier != nil {
					number = x.Identifier.Value
				}
				ok = ok || c.Title == x.Name && c.Number == number && statusResult[c.Status] == directory.Confirmed
			}
			if !ok {
				t.Errorf("%s: nothing confirms %+v", id, x)
			}
		}
		if len(n.Credential) == 0 {
			without++
		}
		for _, word := range []string{"rating", "Rating", "review", "aggregate"} {
			if strings.Contains(raw, word) {
				t.Errorf("%s: %s", id, raw)
			}
		}
	}
	if credentials < 20 || without < 20 {
		t.Errorf("%d credentials, %d people without: the test sees too little", credentials, without)
	}
	if d := dom(t, get(t, s, pageOf(idOf(t, "Amara Whitcomb"))+"?at=2026-11-01")); d.Find("script[type='application/ld+json']").Length() != 0 {
		t.Error("a page of the past speaks to machines of today")
	}
}

// What is passed on leads to the provider and says nothing of a search.
func TestShare(t *testing.T) {
	for _, l := range languages {
		s := demoServer(t, public)
		page := l.To(pageOf(idOf(t, "Amara Whitcomb")))
		d := dom(t, get(t, s, page+"?state=TX"))
		want := "https://kapdir.example" + page
		if got := d.Find("#share-url").AttrOr("value", ""); got != want {
			t.Errorf("the address is %s", got)
		}
		links := d.Find(".share-to a")
		if links.Length() != 4 {
			t.Errorf("%d links", links.Length())
		}
		links.Each(func(_ int, e *goquery.Selection) {
			href := e.AttrOr("href", "")
			u, err := url.Parse(href)
			if err != nil || !strings.Contains(strings.ToLower(href), strings.ToLower(url.QueryEscape(want))) || strings.Contains(href, "TX") {
				t.Errorf("%s, %v", href, err)
			}
			if u.Scheme != "mailto" && (u.Scheme != "https" || !strings.Contains(e.AttrOr("rel", ""), "noreferrer")) {
				t.Errorf("%s", href)
			}
		})
		if d.Find(".share button:not([hidden])").Length() != 0 {
			t.Error("a button shows that needs a script")
		}
		for property, want := range map[string]string{"og:url": want, "og:title": text(d.Find("h1").Contents().First().Text()), "og:image": "https://kapdir.example" + s.assets.paths["card.png"]} {
			if got := d.Find("meta[property='"+property+"']").AttrOr("content", ""); got != want {
				t.Errorf("%s is %q, want %q", property, got, want)
			}
		}
		if r := get(t, s, s.assets.paths["card.png"]); r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/png" {
			t.Errorf("the picture: %d %s", r.StatusCode, r.Header.Get("Content-Type"))
		}
		if n := dom(t, get(t, s, l.To("/?q=trauma"))).Find("meta[property^='og:'], .share").Length(); n != 0 {
			t.Error("a search can be passed on")
		}
	}
}

func TestOpenSearch(t *testing.T) {
	s := demoServer(t, public)
	for _, l := range languages {
		d := dom(t, get(t, s, l.To("/")))
		to := d.Find("link[rel=search]").AttrOr("href", "")
		r := get(t, s, to)
		var o struct {
			XMLName                          xml.Name `xml:"http://a9.com/-/spec/opensearch/1.1/ OpenSearchDescription"`
			ShortName, Description, Language string
			URL                              struct {
				Type     string `xml:"type,attr"`
				Template string `xml:"template,attr"`
			} `xml:"Url"`
		}
		if err := xml.Unmarshal([]byte(r.body), &o); err != nil || r.Header.Get("Content-Type") != openSearchType {
			t.Fatalf("%s: %v, %s", to, err, r.Header.Get("Content-Type"))
		}
		if o.Language != l.Code || len(o.ShortName) > 16 || o.Description != l.t("search.title") {
			t.Errorf("%+v", o)
		}
		target := strings.ReplaceAll(strings.TrimPrefix(o.URL.Template, "https://kapdir.example"), "{searchTerms}", "trauma")
		if r := get(t, s, target); r.StatusCode != 200 || dom(t, r).Find("#f-q").AttrOr("value", "") != "trauma" {
			t.Errorf("%s: %d", target, r.StatusCode)
		}
	}
}

// observatory scores a page by the rules of MDN's HTTP Observatory as its repository mdn/mdn-http-observatory
// publishes them (src/grader/charts.js and src/analyzer/tests, read in version 1.4.8 on 2026-11-29). Two tests
// need more than an answer: that HTTP leads to HTTPS is the proxy's part and counts nothing when it does, and
// being preloaded in browsers (+5) is not counted.
func observatory(r reply, d *goquery.Document) (score int, parts []string) {
	extra := 0
	add := func(what string, n int) {
		parts = append(parts, fmt.Sprintf("%s %+d", what, n))
		if n > 0 {
			extra += n
		} else {
			score += n
		}
	}
	score = 100
	csp := map[string][]string{}
	for _, directive := range strings.Split(r.Header.Get("Content-Security-Policy"), ";") {
		if f := strings.Fields(directive); len(f) > 0 {
			csp[f[0]] = f[1:]
		}
	}
	of := func(name string) []string {
		if v, ok := csp[name]; ok {
			return v
		}
		if v, ok := csp["default-src"]; ok && strings.HasSuffix(name, "-src") {
			return v
		}
		return []string{"*"}
	}
	has := func(list []string, bad ...string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(bad, s) })
	}
	broad := []string{"ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"}
	inline := append(slices.Clone(broad), "'unsafe-inline'", "data:")
	insecure := func(list []string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(s, "http:") || strings.HasPrefix(s, "ftp:") })
	}
	var active []string
	for name, list := range csp {
		if name != "img-src" && name != "media-src" {
			active = append(active, list...)
		}
	}
	switch {
	case len(csp) == 0:
		add("no CSP", -25)
	case has(of("script-src"), inline...) || has(of("object-src"), broad...):
		add("CSP with unsafe scripts", -20)
	case insecure(active):
		add("CSP with insecure schemes", -20)
	case has(of("script-src"), "'unsafe-eval'") || has(of("style-src"), "'unsafe-eval'"):
		add("CSP with eval", -10)
	case insecure(of("img-src")) || insecure(of("media-src")):
		add("CSP with insecure pictures", -10)
	case has(of("style-src"), inline...):
		add("CSP with unsafe styles", 0)
	case len(csp["default-src"]) == 1 && csp["default-src"][0] == "'none'":
		add("CSP from nothing", 10)
	default:
		add("CSP", 5)
	}
	if len(r.Header.Values("Set-Cookie")) > 0 {
		add("cookies, which are not scored here", -40)
	}
	if r.Header.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Access-Control-Allow-Credentials") == "true" {
		add("CORS", -50)
	}
	switch v := r.Header.Get("Referrer-Policy"); {
	case slices.Contains([]string{"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}, v):
		add("referrer policy", 5)
	case v != "":
		add("referrer policy", -5)
	}
	var age int
	switch n, _ := fmt.Sscanf(r.Header.Get("Strict-Transport-Security"), "max-age=%d", &age); {
	case n == 0:
		add("no HSTS", -20)
	case age < 15768000:
		add("short HSTS", -10)
	}
	scripts, signed, foreign := 0, false, false
	d.Find("script").Each(func(_ int, e *goquery.Selection) {
		scripts++
		src, integrity := e.AttrOr("src", ""), e.AttrOr("integrity", "")
		foreign = foreign || strings.Contains(src, "//")
		signed = signed || src != "" && integrity != ""
	})
	switch {
	case foreign:
		add("scripts of others", -50)
	case signed:
		add("integrity of scripts", 5)
	}
	if r.Header.Get("X-Content-Type-Options") != "nosniff" {
		add("no nosniff", -5)
	}
	switch v := strings.ToLower(r.Header.Get("X-Frame-Options")); {
	case csp["frame-ancestors"] != nil:
		add("frames by CSP", 5)
	case v != "deny" && v != "sameorigin":
		add("frames", -20)
	}
	switch v := r.Header.Get("Cross-Origin-Resource-Policy"); v {
	case "same-origin", "same-site":
		add("CORP", 10)
	case "", "cross-origin":
	default:
		add("CORP", -5)
	}
	if score >= 90 {
		score += extra
	}
	return max(score, 0), parts
}

func TestObservatory(t *testing.T) {
	s := demoServer(t, public)
	for _, target := range []string{"/", "/es/?q=trauma", pageOf(idOf(t, "Amara Whitcomb")), "/sources", "/about/how-we-check", "/no/such/page", "/?near=nowhere"} {
		r := get(t, s, target)
		score, parts := observatory(r, dom(t, r))
		if score < 125 { // 100 is A+
			t.Errorf("%s scores %d: %v", target, score, parts)
		}
		t.Logf("%s scores %d: %v", target, score, parts)
	}
	bare := reply{Response: &http.Response{Header: http.Header{}}, body: "<p>"}
	if score, parts := observatory(bare, dom(t, bare)); score != 30 { // what the scanner gave such a page, see reliability.md §8
		t.Errorf("a bare page scores %d: %v", score, parts)
	}
}

// The first view of the search page is light: the page, its sheet, its script, its icon, with the map in the page.
func TestFirstViewIsLight(t *testing.T) {
	s := demoServer(t)
	address := regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`)
	for _, target := range []string{"/", "/es/", "/?near=Denver,+CO", "/?q=trauma&limit=50"} {
		r := get(t, s, target, "Accept-Encoding", "gzip")
		sum := len(r.body)
		z, err := gzip.NewReader(bytes.NewReader([]byte(r.body)))
		if err != nil {
			t.Fatal(err)
		}
		var page bytes.Buffer
		if _, err := page.ReadFrom(z); err != nil {
			t.Fatal(err)
		}
		sizes := []int{sum}
		for _, m := range address.FindAllStringSubmatch(page.String(), -1) {
			n := len(get(t, s, m[1], "Accept-Encoding", "gzip").body)
			sizes = append(sizes, n)
			sum += n
		}
		if len(sizes) != 4 || sum > 60_000 {
			t.Errorf("%s: %d bytes: %v", target, sum, sizes)
		}
		t.Logf("%s: %d bytes: %v", target, sum, sizes)
	}
}

package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/search"
)

// embedTrial is a demonstration of its own with partners and embeds in its store, whose time only the test moves.
type embedTrial struct {
	*Server
	store *store.Store
	index *search.Index
	t     testing.TB
	began directory.Instant
	at    atomic.Pointer[directory.Instant]
}

const shopOrigin = directory.WebOrigin("https://shop.example")

func newEmbeds(t testing.TB, change ...func(*Config)) *embedTrial {
	t.Helper()
	w := &embedTrial{t: t}
	now, err := deskDemo()
	if err != nil {
		t.Fatal(err)
	}
	w.began = now
	w.set(now)
	clock := func() time.Time { return w.clock().Time() }
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(deskDir)); err != nil {
		t.Fatal(err)
	}
	if w.store, err = store.Open(t.Context(), store.Config{Dir: filepath.Join(dir, "state"), Now: clock}); err != nil {
		t.Fatal(err)
	}
	if w.index, err = search.Open(t.Context(), search.Config{Dir: filepath.Join(dir, "index"), Feed: w.store, Files: w.store.Files, Now: clock, Log: quiet()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.index.Close(); w.store.Close() })
	w.Server = demoServer(t, append([]func(*Config){func(c *Config) {
		c.Reader, c.Search, c.Integrators, c.Now, c.StaffNow = w.store, w.index, w.store, clock, clock
	}}, change...)...)
	return w
}

func (w *embedTrial) clock() directory.Instant { return *w.at.Load() }
func (w *embedTrial) set(at directory.Instant) { w.at.Store(&at) }

func (w *embedTrial) partner(id directory.IntegratorID, origins ...directory.WebOrigin) {
	w.t.Helper()
	if _, err := w.store.AddIntegrator(context.Background(), directory.Integrator{ID: id, Name: string(id), Origins: origins}, "test", w.clock()); err != nil {
		w.t.Fatal(err)
	}
}

// shown makes an embed: of results for what begins with no prv_.
func (w *embedTrial) shown(of directory.IntegratorID, what, language string) directory.ID {
	w.t.Helper()
	e := directory.Embed{Name: "test", Kind: directory.EmbedResults, Doc: directory.EmbedDoc{Query: what, Language: language}}
	if strings.HasPrefix(what, directory.ProviderPrefix) {
		e.Kind, e.Doc.Query, e.Doc.Provider = directory.EmbedProvider, "", directory.ID(what)
	}
	e, err := w.store.AddEmbed(context.Background(), of, e, "test", w.clock())
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

// who finds somebody of this demonstration: each has ids of its own.
func (w *embedTrial) who(name string) (id directory.ID) {
	w.t.Helper()
	if err := w.store.EachFile(context.Background(), func(f *directory.CredentialFile) error {
		if f.Provider.DisplayName() == name {
			id = f.Provider.ID
		}
		return nil
	}); err != nil || id == "" {
		w.t.Fatalf("nobody is called %s: %v", name, err)
	}
	return id
}

func framed(id directory.ID) string { return "/embed/" + string(id) }

func (w *embedTrial) json(id directory.ID) embedAnswer {
	w.t.Helper()
	return decode[embedAnswer](w.t, get(w.t, w.Server, framed(id)+".json"))
}

// policyOfFrame is who may frame an answer.
func policyOfFrame(r reply) string {
	_, after, _ := strings.Cut(r.Header.Get("Content-Security-Policy"), "frame-ancestors ")
	return after
}

// Every route of the program but one may be framed by nobody: its answers, its mistakes and its redirects. The desk shows
// a document in a frame of its own.
func TestOnlyEmbedsMayBeFramed(t *testing.T) {
	w := newEmbeds(t, func(c *Config) { c.SignIn = oneSession{} })
	w.partner("shop", shopOrigin, "http://localhost:3000")
	w.partner("bare")
	id, bare := w.shown("shop", "state=CO", "en"), w.shown("bare", "state=CO", "en")
	amara := string(w.who("Amara Whitcomb"))
	looked := 0
	for _, pattern := range patternsOf(w.Server, http.MethodGet, http.MethodPost) {
		if pattern == "/embed/:id" {
			continue
		}
		looked++
		for _, x := range []string{amara, string(id), "zzz"} {
			target := strings.NewReplacer(":id", x, ":page", "evidence", ":name", strings.TrimPrefix(w.assets.paths["embed.css"], "/assets/"), ":part", "0", ":sha", strings.Repeat("a", 64)).Replace(pattern)
			for _, method := range []string{"GET", "HEAD", "POST"} {
				r := do(t, w.Server, method, target, "Origin", string(shopOrigin))
				if policyOfFrame(r) != "'none'" || r.Header.Get("X-Frame-Options") != "DENY" {
					t.Errorf("%s %s, %d: %q, %q", method, target, r.StatusCode, r.Header.Get("Content-Security-Policy"), r.Header.Get("X-Frame-Options"))
				}
				if (r.Header.Get("Cross-Origin-Resource-Policy") == "cross-origin") != (r.StatusCode == 200 && (target == "/embed.js" || strings.HasPrefix(target, "/assets/embed."))) {
					t.Errorf("%s %s: %d, Cross-Origin-Resource-Policy %q", method, target, r.StatusCode, r.Header.Get("Cross-Origin-Resource-Policy"))
				}
			}
		}
	}
	if looked < 60 {
		t.Errorf("only %d routes", looked)
	}
	for target, want := range map[string]string{framed(id): "https://shop.example http://localhost:3000", framed(id) + "?theme=dark&lang=es": "https://shop.example http://localhost:3000", framed(bare): "'none'"} {
		r := get(t, w.Server, target)
		if r.StatusCode != 200 || r.Header.Get("Content-Security-Policy") != "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "+want || r.Header.Values("X-Frame-Options") != nil ||
			r.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || r.Header.Get("X-Robots-Tag") != "noindex" || r.Header.Get("Access-Control-Allow-Origin") != "" || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", target, r.StatusCode, r.Header)
		}
	}
	for _, target := range []string{framed("emb_00000000000000000000000009"), "/embed/zzz", framed(id) + "?theme=pink", framed(id) + "?q=x"} {
		if r := get(t, w.Server, target); r.StatusCode < 400 || policyOfFrame(r) != "'none'" || r.Header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: %d %v", target, r.StatusCode, r.Header)
		}
	}
}

// The script's answer may be read by pages of the partner's own sites, and by no page of anybody else.
func TestEmbedOrigins(t *testing.T) {
	w, doc := newEmbeds(t), document(t)
	w.partner("shop", shopOrigin)
	w.partner("other", "https://other.example")
	id := w.shown("shop", "state=CO", "en")
	for origin, ok := range map[string]bool{string(shopOrigin): true, "https://other.example": false, "https://evil.example": false, "null": false, "http://shop.example": false, "https://shop.example:8443": false, "https://shop.example.evil.example": false, "https://SHOP.example": false} {
		r := get(t, w.Server, framed(id)+".json", "Origin", origin)
		allowed := r.Header.Get("Access-Control-Allow-Origin")
		if ok && (r.StatusCode != 200 || allowed != origin) || !ok && (r.StatusCode != 403 || allowed != "" || strings.Contains(r.body, "providers")) {
			t.Errorf("%s: %d, allowed %q", origin, r.StatusCode, allowed)
		}
		if !strings.Contains(r.Header.Get("Vary"), "Origin") || r.Header.Get("Access-Control-Allow-Credentials") != "" || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", origin, r.Header)
		}
		conforms(t, doc, "/embed/:id.json", framed(id)+".json", r)
	}
	if r := get(t, w.Server, framed(id)+".json"); r.StatusCode != 200 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a program: %d %v", r.StatusCode, r.Header)
	}
	// A site that is taken away, and an embed that ends, are refused with the next request.
	if _, err := w.store.SetOrigins(t.Context(), "shop", []directory.WebOrigin{"https://new.example"}, "test", w.clock()); err != nil {
		t.Fatal(err)
	}
	if r := get(t, w.Server, framed(id)+".json", "Origin", string(shopOrigin)); r.StatusCode != 403 {
		t.Errorf("a site that was taken away: %d", r.StatusCode)
	}
	if got := policyOfFrame(get(t, w.Server, framed(id))); got != "https://new.example" {
		t.Errorf("frames of %s", got)
	}
	if err := w.store.EndEmbed(t.Context(), "shop", id, "test", w.clock()); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{framed(id), framed(id) + ".json", "/oembed?url=" + url.QueryEscape("https://kapdir.example"+framed(id))} {
		if r := get(t, w.Server, target); r.StatusCode != 410 || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s, ended: %d", target, r.StatusCode)
		}
	}
	gone := w.shown("other", "state=CO", "en")
	if _, err := w.store.EndIntegrator(t.Context(), "other", "test", w.clock()); err != nil {
		t.Fatal(err)
	}
	if r := get(t, w.Server, framed(gone)); r.StatusCode != 410 {
		t.Errorf("of a partner that ended: %d", r.StatusCode)
	}
	// As often as suggestions may be asked for.
	few := newEmbeds(t, func(c *Config) { c.AnonymousPerMinute = 1 })
	few.partner("shop", shopOrigin)
	id = few.shown("shop", "limit=1", "en")
	for i := range 6 {
		r := get(t, few.Server, framed(id)+".json")
		if (r.StatusCode == 200) != (i < 5) || r.Header.Get("RateLimit-Policy") != `"embed";q=5;w=60` {
			t.Errorf("request %d: %d %q", i, r.StatusCode, r.Header.Get("RateLimit-Policy"))
		}
		conforms(t, doc, "/embed/:id.json", framed(id)+".json", r)
	}
}

// Both forms say the sentences of our pages, in the language of the embed, with the date of each check, its sources, the
// terms and as of when. The framed form has nothing that runs.
func TestEmbedsSayWhatPagesSay(t *testing.T) {
	w, doc := newEmbeds(t), document(t)
	w.partner("shop", shopOrigin)
	dated := 0
	for _, name := range []string{"Amara Whitcomb", "Garrick Thole", "Wren Abernathy"} {
		who := w.who(name)
		for _, l := range languages {
			id := w.shown("shop", string(who), l.Code)
			r := get(t, w.Server, framed(id)+".json")
			conforms(t, doc, "/embed/:id.json", framed(id)+".json", r)
			a := decode[embedAnswer](t, r)
			page := dom(t, get(t, w.Server, l.To(pageOf(who))))
			whole := text(page.Find("main").Text())
			d := dom(t, get(t, w.Server, framed(id)))
			if got := d.Find("html").AttrOr("lang", ""); got != l.Code || d.Find("section.ke[lang="+l.Code+"]").Length() != 1 {
				t.Errorf("%s in %s: lang %q", name, l.Code, got)
			}
			if n := d.Find("script, style, [style], iframe, form, img, base").Length(); n != 0 {
				t.Errorf("%s: %d things that have no place in the frame", name, n)
			}
			if len(a.Providers) != 1 || len(a.Providers[0].Checks) != 5 {
				t.Fatalf("%s: %+v", name, a)
			}
			for _, x := range a.Providers[0].Checks {
				for what, words := range map[string]string{"title": x.Title, "label": x.Label, "sentence": x.Sentence} {
					if words == "" || !strings.Contains(whole, text(words)) {
						t.Errorf("%s in %s: the page does not say the %s of %s: %q", name, l.Code, what, x.Check, words)
					}
					if !strings.Contains(text(d.Find("section.ke").Text()), text(words)) {
						t.Errorf("%s in %s: the frame lacks the %s of %s", name, l.Code, what, x.Check)
					}
				}
				if x.ValidUntil != nil {
					dated++
					if !strings.Contains(x.Dated, l.moment(*x.ValidUntil)) || !strings.Contains(text(d.Find("section.ke").Text()), x.Dated) {
						t.Errorf("%s: %s is dated %q", name, x.Check, x.Dated)
					}
					if x.Result == directory.Confirmed && !regexp.MustCompile(`(?i)^(confirmed until|confirmado hasta)`).MatchString(x.Dated) {
						t.Errorf("%s: %s is dated %q", name, x.Check, x.Dated)
					}
				}
				for _, src := range x.Sources {
					if !strings.Contains(text(d.Find("section.ke").Text()), src.Name) {
						t.Errorf("%s: %s is without its source %s", name, x.Check, src.Name)
					}
				}
			}
			said := text(d.Find("section.ke").Text())
			for _, need := range []string{l.t("embed.terms"), l.moment(w.clock()), map[*lang]string{english: "invented", spanish: "inventadas"}[l]} {
				if !strings.Contains(said, need) || !strings.Contains(r.body, need) {
					t.Errorf("%s in %s lacks %q", name, l.Code, need)
				}
			}
			d.Find("a").Each(func(_ int, e *goquery.Selection) {
				href := e.AttrOr("href", "")
				if e.AttrOr("target", "") != "_blank" || !strings.Contains(e.AttrOr("rel", ""), "noopener") || !strings.Contains(e.AttrOr("rel", ""), "noreferrer") || !strings.HasPrefix(href, "http") {
					t.Errorf("%s: a link to %q with rel %q", name, href, e.AttrOr("rel", ""))
				}
			})
			if got := d.Find("link[rel=alternate][type='application/json+oembed']").AttrOr("href", ""); got != "https://kapdir.example/oembed?format=json&url="+url.QueryEscape("https://kapdir.example"+framed(id)) {
				t.Errorf("oEmbed is at %q", got)
			}
		}
	}
	if dated < 6 {
		t.Errorf("only %d checks have a date", dated)
	}
	// The words of a question call for the notice, in both languages.
	for l, first := range map[string]string{"en": "en", "es": "es"} {
		id := w.shown("shop", "q=suicide", l)
		d := dom(t, get(t, w.Server, framed(id)))
		if d.Find("section.ke > p[lang]").Length() != 2 || d.Find("section.ke > p[lang]").First().AttrOr("lang", "") != first || !strings.Contains(d.Text(), "988") {
			t.Errorf("no notice in %s", l)
		}
		if r := get(t, w.Server, framed(id)); r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("kept: %q", r.Header.Get("Cache-Control"))
		}
	}
}

// No cache may keep either form for longer than a minute, or past the date of anything in it; past it another thing is said.
func TestEmbedsAreNeverStale(t *testing.T) {
	w := newEmbeds(t)
	w.partner("shop", shopOrigin)
	amara := w.who("Amara Whitcomb")
	for _, what := range []string{string(amara), "state=CO&limit=50"} {
		id := w.shown("shop", what, "en")
		w.set(w.began)
		until := w.json(id).Until
		if until == nil || *until <= w.began {
			t.Fatalf("%s holds until %v", what, until)
		}
		var said []string
		for _, x := range []struct {
			before time.Duration
			want   string
			again  string // an open frame asks by itself
		}{{72 * time.Hour, "", "86400"}, {time.Hour, "public, max-age=60, must-revalidate", "3601"}, {60 * time.Second, "public, max-age=60, must-revalidate", "61"}, {17 * time.Second, "public, max-age=17, must-revalidate", "18"}, {1500 * time.Millisecond, "public, max-age=1, must-revalidate", "2"},
			{400 * time.Millisecond, "no-store", "2"}, {0, "", ""}} {
			w.set(until.Add(-x.before))
			if *w.json(id).Until > *until && x.before > 0 {
				t.Errorf("%s: another date %s before it", what, x.before)
			}
			for _, target := range []string{framed(id), framed(id) + ".json"} {
				r := get(t, w.Server, target)
				if got := r.Header.Get("Cache-Control"); r.StatusCode != 200 || x.want != "" && got != x.want {
					t.Errorf("%s, %s before: %d %q, want %q", target, x.before, r.StatusCode, got, x.want)
				}
				if got := r.Header.Get("Refresh"); target == framed(id) && x.again != "" && got != x.again {
					t.Errorf("%s, %s before: it asks again after %q, want %q", target, x.before, got, x.again)
				}
			}
			checks, _ := json.Marshal(w.json(id).Providers)
			said = append(said, string(checks))
		}
		if said[len(said)-2] == said[len(said)-1] {
			t.Errorf("%s says the same past its date", what)
		}
		if next := w.json(id).Until; next != nil && *next <= w.clock() {
			t.Errorf("%s holds until %s, at %s", what, *next, w.clock())
		}
	}
}

// A provider who goes is gone from embeds: the frame says so on the partner's page, in place of what it showed.
func TestEmbedOfSomebodyWhoIsGone(t *testing.T) {
	w := newEmbeds(t)
	w.partner("shop", shopOrigin)
	id := w.shown("shop", string(w.who("Amara Whitcomb")), "es")
	s := demoServer(t, func(c *Config) {
		c.Integrators = w.store
		c.Reader = altered{Reader: w.store, file: func(directory.ID) (*directory.CredentialFile, error) {
			return nil, directory.Errorf(directory.Gone, "id", "withdrawn")
		}}
	})
	r := get(t, s, framed(id))
	if r.StatusCode != 410 || policyOfFrame(r) != string(shopOrigin) || r.Header.Get("X-Frame-Options") != "" || r.Header.Get("Cache-Control") != "no-store" || !strings.Contains(r.body, spanish.t("problem.410")) || strings.Contains(r.body, "Amara") {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
	r = get(t, s, framed(id)+".json", "Origin", string(shopOrigin))
	if r.StatusCode != 410 || r.Header.Get("Access-Control-Allow-Origin") != string(shopOrigin) || decode[problem](t, r).Title != spanish.t("problem.410") {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
	down := demoServer(t, func(c *Config) { c.Integrators, c.Reader = w.store, altered{Reader: w.store, err: errDisk} })
	r = get(t, down, framed(id))
	if r.StatusCode != 503 || policyOfFrame(r) != string(shopOrigin) || r.Header.Get("Retry-After") == "" || r.Header.Get("Refresh") != "10" || !strings.Contains(r.body, spanish.t("problem.503")) {
		t.Errorf("while we cannot look: %d %v %s", r.StatusCode, r.Header, r.body)
	}
	if a := dom(t, r).Find("a"); a.AttrOr("href", "x") != "" || a.Text() != spanish.t("embed.retry") {
		t.Errorf("nothing asks again: %s", r.body)
	}
}

// Results, order and statuses are the same for everybody: on the page, without a key, with the key of one partner and of
// another, and in the embeds of both; and each states by what it is ordered.
func TestEverybodyGetsTheSame(t *testing.T) {
	w := newEmbeds(t)
	keys := []string{""}
	for _, p := range []directory.IntegratorID{"shop", "mart"} {
		w.partner(p, shopOrigin)
		key, _, err := w.store.AddAPIKey(t.Context(), p, directory.APIKey{Name: "test", Scopes: []directory.Scope{directory.ScopeRead}, Expires: w.clock().AddDays(9)}, "test", w.clock())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	type seen struct {
		ID     directory.ID
		Checks []string
	}
	found := 0
	for _, q := range []string{"", "state=CO&limit=50", "q=trauma&near=80302&radius=100&sort=distance", "care=full_kap&check=license:confirmed&limit=30", "q=emdr+in+texas", "sort=price", "state=TX&sort=checked&limit=50", "q=zzzzqqqq"} {
		var want []seen
		ranking, total := "", 0
		for i, key := range keys {
			var h []string
			if key != "" {
				h = bearing(key)
			}
			r := get(t, w.Server, "/api/v1/providers?"+q, h...)
			a := decode[searchAnswer](t, r)
			var got []seen
			for _, p := range a.Results {
				x := seen{ID: p.ID}
				for _, c := range p.Checks {
					x.Checks = append(x.Checks, fmt.Sprintf("%s %s %s", c.Title, c.Result, c.Label))
				}
				got = append(got, x)
			}
			if i == 0 {
				want, ranking, total = got, a.Ranking, a.Total
				found += len(got)
			}
			if d := cmp.Diff(want, got); d != "" || a.Ranking != ranking || ranking == "" || a.Total != total {
				t.Errorf("?%s with key %d (-without a key +with):\n%s", q, i, d)
			}
		}
		for _, p := range []directory.IntegratorID{"shop", "mart"} {
			id := w.shown(p, q, "en")
			a := w.json(id)
			var got []seen
			for _, p := range a.Providers {
				x := seen{ID: p.ID}
				for _, c := range p.Checks {
					x.Checks = append(x.Checks, fmt.Sprintf("%s %s %s", c.Title, c.Result, c.Label))
				}
				got = append(got, x)
			}
			if d := cmp.Diff(want, got); d != "" || a.Ranking != ranking || *a.Total != total {
				t.Errorf("?%s in the embed of %s (-API +embed):\n%s", q, p, d)
			}
			frame := dom(t, get(t, w.Server, framed(id)))
			if !strings.Contains(text(frame.Text()), text(ranking)) {
				t.Errorf("?%s: the frame does not say by what it is ordered", q)
			}
			if d := cmp.Diff(want, seenOn(frame, ".people > li", "h3 a", ".checks > li", "strong", ".tag", func(id directory.ID, checks []string) seen { return seen{id, checks} }, want, func(s seen) []string { return s.Checks })); d != "" {
				t.Errorf("?%s in the frame of %s (-API +frame):\n%s", q, p, d)
			}
		}
		page := dom(t, get(t, w.Server, "/?"+q))
		if !strings.Contains(text(page.Find("main").Text()), text(ranking)) {
			t.Errorf("?%s: the page does not say by what it is ordered", q)
		}
		if d := cmp.Diff(want, seenOn(page, "#list > li", "h3 a", ".checks > li", "strong", ".verdict", func(id directory.ID, checks []string) seen { return seen{id, checks} }, want, func(s seen) []string { return s.Checks })); d != "" {
			t.Errorf("?%s on the page (-API +page):\n%s", q, d)
		}
	}
	if found < 100 {
		t.Errorf("only %d results were compared", found)
	}
}

// seenOn reads the results of a list in HTML. A result has its shape there and not its name, so the names are those of
// what is wanted; title and label are read.
func seenOn[S any](d *goquery.Document, item, name, check, title, label string, of func(directory.ID, []string) S, want []S, checks func(S) []string) (out []S) {
	d.Find(item).Each(func(i int, e *goquery.Selection) {
		href := e.Find(name).First().AttrOr("href", "")
		_, id, _ := strings.Cut(href, "/providers/")
		id, _, _ = strings.Cut(id, "?")
		var list []string
		e.Find(check).Each(func(j int, x *goquery.Selection) {
			result := ""
			if i < len(want) && j < len(checks(want[i])) {
				fields := strings.TrimPrefix(checks(want[i])[j], text(x.Find(title).First().Text())+" ")
				result, _, _ = strings.Cut(fields, " ")
			}
			list = append(list, fmt.Sprintf("%s %s %s", text(x.Find(title).First().Text()), result, text(x.Find(label).First().Text())))
		})
		out = append(out, of(directory.ID(id), list))
	})
	return out
}

// The script is small as it is served, the same for everybody, and uses nothing that keeps, tracks or evaluates.
func TestEmbedScript(t *testing.T) {
	s := demoServer(t)
	r := get(t, s, "/embed.js")
	if r.StatusCode != 200 || len(r.body) >= 10_000 || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || r.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || r.Header.Get("Cache-Control") != "public, max-age=3600" || r.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d, %d bytes, %v", r.StatusCode, len(r.body), r.Header)
	}
	t.Logf("%d bytes, %d gzipped", len(r.body), len(get(t, s, "/embed.js", "Accept-Encoding", "gzip").body))
	if bad := regexp.MustCompile(`cookie|localStorage|sessionStorage|indexedDB|\beval\b|Function\(|innerHTML|outerHTML|insertAdjacent|document\.write|sendBeacon|navigator\.|\.style\b|setAttribute\("style|@import|https?://`).FindAllString(r.body, -1); bad != nil {
		t.Errorf("it has %v", bad)
	}
	if n := strings.Count(r.body, "fetch("); n != 1 || !strings.Contains(r.body, `credentials: "omit", referrerPolicy: "no-referrer"`) {
		t.Errorf("it asks in %d places", n)
	}
	if r := get(t, s, "/embed.js", "If-None-Match", r.Header.Get("ETag")); r.StatusCode != 304 {
		t.Errorf("the same again: %d", r.StatusCode)
	}
	css, err := staticFiles.ReadFile("static/embed.css")
	if err != nil {
		t.Fatal(err)
	}
	// Each rule is beneath .ke, and the colours can be read, by day and by night.
	for _, m := range regexp.MustCompile(`(?m)^([^@}/\s][^{]*)\{`).FindAllStringSubmatch(string(css), -1) {
		for _, one := range strings.Split(m[1], ",") {
			if !strings.HasPrefix(strings.TrimSpace(one), ".ke") {
				t.Errorf("%q reaches beyond an embed", one)
			}
		}
	}
	for _, block := range regexp.MustCompile(`\.ke[.a-z]* \{ --paper[^}]*\}`).FindAllString(string(css), -1) {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z]+): (?:var\([a-z-]+, )?#([0-9a-f]{6})`).FindAllStringSubmatch(block, -1) {
			colours[m[1]] = m[2]
		}
		for _, name := range []string{"ink", "soft", "good", "some", "care", "bad", "none", "accent"} {
			if got := contrast(colours[name], colours["paper"]); got < 4.5 {
				t.Errorf("--%s has %.2f to 1 in %.60s", name, got, block)
			}
		}
	}
}

func TestOEmbed(t *testing.T) {
	w, doc := newEmbeds(t), document(t)
	w.partner("shop", shopOrigin)
	id := w.shown("shop", "state=CO", "es")
	address := "https://kapdir.example" + framed(id)
	for _, x := range []struct {
		query  string
		status int
		width  string
	}{
		{"url=" + url.QueryEscape(address), 200, "600"},
		{"url=" + url.QueryEscape(address) + "&format=json&maxwidth=320&maxheight=300", 200, "320"},
		{"url=" + url.QueryEscape(address+"?theme=dark&lang=en"), 200, "600"},
		{"url=" + url.QueryEscape(address) + "&format=xml", 501, ""},
		{"url=" + url.QueryEscape(address) + "&maxwidth=1", 400, ""},
		{"url=" + url.QueryEscape(address+"?theme=pink"), 400, ""},
		{"url=" + url.QueryEscape(address+"/"), 404, ""},
		{"url=" + url.QueryEscape("https://evil.example"+framed(id)), 404, ""},
		{"url=" + url.QueryEscape("https://kapdir.example.evil.example"+framed(id)), 404, ""},
		{"url=" + url.QueryEscape("https://kapdir.example/providers/"+string(w.who("Amara Whitcomb"))), 404, ""},
		{"url=" + url.QueryEscape("https://kapdir.example"+framed("emb_00000000000000000000000009")), 404, ""},
		{"", 400, ""}, {"format=json", 400, ""}, {"url=x&callback=y", 400, ""},
	} {
		r := get(t, w.Server, "/oembed?"+x.query)
		if r.StatusCode != x.status {
			t.Errorf("%s: %d, want %d", x.query, r.StatusCode, x.status)
		}
		conforms(t, doc, "/oembed", "/oembed?"+x.query, r)
		if r.StatusCode == 400 || r.StatusCode == 404 && !strings.Contains(x.query, "emb_00000000000000000000000009") { // each says which parameter it is
			if p := decode[problem](t, r); len(p.Errors) == 0 || p.Errors[0].Parameter == "" || p.Errors[0].Detail == "" {
				t.Errorf("%s: %+v", x.query, p)
			}
		}
		if x.status != 200 || r.StatusCode != 200 {
			continue
		}
		a := decode[oEmbedAnswer](t, r)
		f := dom(t, reply{r.Response, a.HTML}).Find("iframe")
		src := strings.TrimPrefix(f.AttrOr("src", ""), "https://kapdir.example")
		if f.Length() != 1 || !strings.HasPrefix(src, framed(id)) || f.AttrOr("sandbox", "") != "allow-popups allow-popups-to-escape-sandbox" || f.AttrOr("referrerpolicy", "") != "no-referrer" || f.AttrOr("title", "") != a.Title || f.AttrOr("width", "") != x.width || a.Version != "1.0" || a.Type != "rich" {
			t.Errorf("%s: %+v", x.query, a)
		}
		if strings.Contains(x.query, "dark") != strings.Contains(src, "theme=dark") {
			t.Errorf("%s: framed as %s", x.query, src)
		}
		if r := get(t, w.Server, src); r.StatusCode != 200 {
			t.Errorf("%s: what it names is %d", x.query, r.StatusCode)
		}
	}
}

// Whatever the address of an embed is said to be, it names one of ours or is refused, and what is framed then is what it named.
func FuzzEmbedAddress(f *testing.F) {
	const base, id = "https://kapdir.example", "emb_01jd8m3x7k9p2q4r6s8t0v1w2y"
	for _, a := range []string{base + "/embed/" + id, base + "/embed/" + id + "?theme=dark&lang=es", base + "/embed/" + id + "?theme=dark&theme=light", base + "/embed/" + id + "?x=%zz", base + "/embed/" + id + "/", base + "/embed/" + id + "#x",
		base + "/embed/" + id + ".json", base + "/embed/../embed/" + id, base + "@evil.example/embed/" + id, "HTTPS://kapdir.example/embed/" + id, base + "//embed/" + id, "", "?", "\x00", base + "/embed/emb_" + strings.Repeat("z", 26), base + "/embed/emB_" + strings.Repeat("O", 26)} {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, address string) {
		id, look, err := embedAddress(base, address)
		if err != nil {
			var none elsewhere
			var bad badParams
			if !errors.As(err, &none) && !errors.As(err, &bad) || id != "" {
				t.Fatalf("%q: %v", address, err)
			}
			return
		}
		x := (&Server{base: base}).snippetOf(embedAsked{Embed: directory.Embed{ID: id, Doc: directory.EmbedDoc{Language: "en"}}}, look.Theme, look.Lang, "")
		frame, err := goquery.NewDocumentFromReader(strings.NewReader(x.frame("")))
		if err != nil {
			t.Fatal(err)
		}
		src := frame.Find("iframe").AttrOr("src", "")
		path, _, _ := strings.Cut(address, "?")
		name, ours := strings.CutPrefix(path, base+"/embed/")
		if named, err := directory.ParseID(directory.EmbedPrefix, name); !ours || err != nil || named != id || frame.Find("body > *").Length() != 1 {
			t.Fatalf("%q is framed as %s", address, x.frame(""))
		}
		if again, seen, err := embedAddress(base, src); err != nil || again != id || seen.Theme != look.Theme || seen.Lang != look.Lang {
			t.Fatalf("%q is framed as %s: %v", address, src, err)
		}
	})
}

// The builder writes both forms and shows the embed, without JavaScript; it says of each field what is wrong with it.
func TestEmbedBuilder(t *testing.T) {
	w := newEmbeds(t)
	w.partner("shop", shopOrigin)
	id := w.shown("shop", "state=CO&limit=3", "en")
	for _, l := range languages {
		for _, target := range []string{"/partners", "/partners/embed", "/partners/embed?embed=" + string(id), "/partners/embed?embed=" + string(id) + "&theme=dark&lang=es&accent=%230B5A60", "/partners/embed?embed=zzz&theme=pink&accent=red"} {
			r := get(t, w.Server, l.To(target))
			wellMade(t, l.To(target), dom(t, r))
			if want := 200; (r.StatusCode == want) == strings.Contains(target, "zzz") {
				t.Errorf("%s: %d", l.To(target), r.StatusCode)
			}
		}
	}
	d := dom(t, get(t, w.Server, "/partners/embed?embed="+string(id)+"&theme=dark&lang=es&accent=%230B5A60"))
	both := dom(t, reply{body: d.Find("#snippet").Text(), Response: &http.Response{}})
	f, s := both.Find("iframe"), both.Find("script")
	if f.AttrOr("src", "") != "https://kapdir.example"+framed(id)+"?lang=es&theme=dark" || f.AttrOr("data-kapdir", "") != string(id) || f.AttrOr("title", "") == "" {
		t.Errorf("the frame: %s", d.Find("#snippet").Text())
	}
	if s.AttrOr("src", "") != "https://kapdir.example/embed.js" || s.AttrOr("data-embed", "") != string(id) || s.AttrOr("data-theme", "") != "dark" || s.AttrOr("data-lang", "") != "es" || s.AttrOr("data-accent", "") != "#0b5a60" {
		t.Errorf("the script: %s", d.Find("#snippet").Text())
	}
	if p := d.Find("[data-kapdir] section.ke.dark[lang=es]"); p.Find(".people > li").Length() != 3 || !strings.Contains(p.Text(), "No es consejo médico") {
		t.Errorf("the preview: %s", text(p.Text()))
	}
	d = dom(t, get(t, w.Server, "/partners/embed?embed=zzz&theme=pink&accent=red"))
	for _, need := range []string{"#e-embed", "#e-accent"} {
		if d.Find(need).Length() != 1 {
			t.Errorf("%s is not told", need)
		}
	}
	if r := get(t, w.Server, "/partners/embed?embed=emb_00000000000000000000000009"); r.StatusCode != 400 || dom(t, r).Find("#e-embed").Length() != 1 {
		t.Errorf("an embed that there is not: %d", r.StatusCode)
	}
	if strings.Contains(get(t, w.Server, "/partners/embed?embed="+string(id)).body, "shop") {
		t.Error("the builder tells whose the embed is")
	}
	// The page for developers has what it promises, and its links lead somewhere.
	page := dom(t, get(t, w.Server, "/partners"))
	for _, id := range []string{"start", "keys", "embeds", "webhooks", "csp", "oembed", "samples", "changes", "errors", "fair", "terms", "deprecation", "sample-curl", "sample-go", "sample-python", "sample-javascript"} {
		if page.Find("#"+id).Length() != 1 {
			t.Errorf("/partners has no #%s", id)
		}
	}
	page.Find("main a[href^='/']").Each(func(_ int, e *goquery.Selection) {
		if r := get(t, w.Server, e.AttrOr("href", "")); r.StatusCode != 200 {
			t.Errorf("/partners leads to %s: %d", e.AttrOr("href", ""), r.StatusCode)
		}
	})
	if here, elsewhere := page.Find("pre#file-demo").Length(), dom(t, get(t, demoServer(t, public), "/partners")).Find("pre#file-demo").Length(); here != 1 || elsewhere != 0 {
		t.Errorf("how to give oneself a key stands %d times in a demonstration, and %d times where nobody can", here, elsewhere)
	}
	if strings.Contains(page.Text(), "%BASE%") || strings.Contains(page.Text(), "%ANYBODY%") || !strings.Contains(page.Text(), "https://kapdir.example/embed.js") {
		t.Error("/partners does not name our address")
	}
}

// An embed whose question cannot be asked is refused when it is made, and one about another day.
func TestEmbedQuery(t *testing.T) {
	for q, ok := range map[string]bool{"": true, "state=CO&care=full_kap": true, "near=80302&radius=50&sort=distance": true, "stat=CO": false, "care=best": false, "at=2026-01-01": false, "cursor=abc": false, "explain=true": false} {
		if err := CheckEmbedQuery(q); (err == nil) != ok {
			t.Errorf("%q: %v", q, err)
		}
	}
}

func TestWellKnown(t *testing.T) {
	s, doc := demoServer(t), document(t)
	r := get(t, s, "/.well-known/api-catalog")
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != `application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"` || r.Header.Get("Link") != `<https://kapdir.example/.well-known/api-catalog>; rel="api-catalog"` {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if head := do(t, s, "HEAD", "/.well-known/api-catalog"); head.StatusCode != 200 || head.Header.Get("Link") != r.Header.Get("Link") {
		t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
	}
	var set struct {
		Linkset []map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(r.body), &set); err != nil || len(set.Linkset) != 2 {
		t.Fatalf("%v: %s", err, r.body)
	}
	links := 0
	for _, context := range set.Linkset {
		for rel, raw := range context {
			if rel == "anchor" {
				continue
			}
			var list []link
			if err := json.Unmarshal(raw, &list); err != nil {
				t.Fatal(err)
			}
			for _, l := range list {
				links++
				path, fragment, _ := strings.Cut(strings.TrimPrefix(l.Href, "https://kapdir.example"), "#")
				if rel == "item" { // the address before every route of the API
					path = "/api/v1/sources"
				}
				x := get(t, s, path)
				if x.StatusCode != 200 || l.Type != "" && !strings.HasPrefix(x.Header.Get("Content-Type"), l.Type) {
					t.Errorf("%s %s: %d %s", rel, l.Href, x.StatusCode, x.Header.Get("Content-Type"))
				}
				if fragment != "" && dom(t, x).Find("#"+fragment).Length() != 1 {
					t.Errorf("%s has no #%s", path, fragment)
				}
			}
		}
	}
	if links != 7 {
		t.Errorf("%d links", links)
	}

	at := directory.Instant("2026-11-20T09:00:00.000Z")
	s = demoServer(t, func(c *Config) { c.StaffNow = func() time.Time { return at.Time() } })
	fields := func() map[string]string {
		r := get(t, s, "/.well-known/security.txt")
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Fatalf("%d %v", r.StatusCode, r.Header)
		}
		conforms(t, doc, "/.well-known/security.txt", "/.well-known/security.txt", r)
		out := map[string]string{}
		for _, line := range strings.Split(strings.TrimSpace(r.body), "\n") {
			name, value, ok := strings.Cut(line, ": ")
			if _, twice := out[name]; !ok || twice {
				t.Errorf("the line %q", line)
			}
			out[name] = value
		}
		return out
	}
	want := map[string]string{"Contact": "mailto:corrections@kapdir.example", "Expires": "2027-05-19T00:00:00Z", "Preferred-Languages": "en, es", "Canonical": "https://kapdir.example/.well-known/security.txt"}
	if d := cmp.Diff(want, fields()); d != "" {
		t.Error(d)
	}
	at = at.AddDays(400) // it is worked out anew, and never over
	expires, err := time.Parse(time.RFC3339, fields()["Expires"])
	if err != nil || !expires.After(at.Time()) || expires.Sub(at.Time()) > 365*24*time.Hour {
		t.Errorf("%v, %v", expires, err)
	}
	if r := get(t, demoServer(t, func(c *Config) { c.Contact = "" }), "/.well-known/security.txt"); r.StatusCode != 404 {
		t.Errorf("with nobody to write to: %d", r.StatusCode)
	}
}

// A key lists the embeds of its own partner, and no key another's.
func TestOwnEmbeds(t *testing.T) {
	w, doc := newEmbeds(t), document(t)
	amara := w.who("Amara Whitcomb")
	own, keys := map[directory.IntegratorID][]directory.ID{}, map[directory.IntegratorID]string{}
	for _, p := range []directory.IntegratorID{"shop", "mart"} {
		w.partner(p, shopOrigin)
		for _, what := range []string{"state=CO", string(amara)} {
			own[p] = append(own[p], w.shown(p, what, "es"))
			w.set(w.clock().Add(time.Second))
		}
		for scope, want := range map[directory.Scope]int{directory.ScopeEmbeds: 200, directory.ScopeRead: 403, directory.ScopeHooks: 403} {
			key, _, err := w.store.AddAPIKey(t.Context(), p, directory.APIKey{Name: "test", Scopes: []directory.Scope{scope}}, "test", w.clock())
			if err != nil {
				t.Fatal(err)
			}
			if scope == directory.ScopeEmbeds {
				keys[p] = key
			}
			r := get(t, w.Server, "/api/v1/embeds", bearing(key)...)
			if r.StatusCode != want || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s with %s: %d", p, scope, r.StatusCode)
			}
			conforms(t, doc, "/api/v1/embeds", "/api/v1/embeds", r)
		}
	}
	if r := get(t, w.Server, "/api/v1/embeds"); r.StatusCode != 401 {
		t.Errorf("without a key: %d", r.StatusCode)
	}
	if r := get(t, w.Server, "/api/v1/embeds?partner=mart", bearing(keys["shop"])...); r.StatusCode != 400 {
		t.Errorf("for another: %d", r.StatusCode)
	}
	if err := w.store.EndEmbed(t.Context(), "shop", own["shop"][0], "test", w.clock()); err != nil {
		t.Fatal(err)
	}
	for p, key := range keys {
		a := decode[struct{ Embeds []ownEmbed }](t, get(t, w.Server, "/api/v1/embeds", bearing(key)...))
		var got []directory.ID
		for i, e := range a.Embeds {
			got = append(got, e.ID)
			if (e.Kind == directory.EmbedResults) != (e.Query != nil && *e.Query == "state=CO" && e.Provider == nil) || (e.Ended != nil) != (p == "shop" && i == 0) || e.URL != "https://kapdir.example"+framed(e.ID) {
				t.Errorf("%s: %+v", p, e)
			}
		}
		if !slices.Equal(got, own[p]) {
			t.Errorf("%s has %v, and is told of %v", p, own[p], got)
		}
	}
}

// The samples that need nothing but a shell and curl do what they say, with a key and without.
func TestCurlSamples(t *testing.T) {
	for _, need := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(need); err != nil {
			if os.Getenv("KAPDIR_REQUIRE") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	w := newEmbeds(t)
	w.partner("shop")
	key, _, err := w.store.AddAPIKey(t.Context(), "shop", directory.APIKey{Name: "test", Scopes: []directory.Scope{directory.ScopeRead}}, "test", w.clock())
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Serve(ctx, l) }()
	defer func() { stop(); <-ended }()
	want := decode[searchAnswer](t, get(t, w.Server, "/api/v1/providers?state=CO&care=full_kap&limit=5"))
	for _, k := range []string{"", key} {
		cmd := exec.Command("sh", filepath.Join("partners", "samples", "curl", "search.sh"))
		cmd.Env = append(os.Environ(), "KAPDIR_SERVER=http://"+l.Addr().String(), "KAPDIR_KEY="+k)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var got searchAnswer
		if err := json.Unmarshal(out, &got); err != nil || len(got.Results) != 5 || got.Results[0].ID != want.Results[0].ID || got.Total != want.Total {
			t.Errorf("%v: %s", err, out)
		}
	}
}

// numberIn is the first number of a text, for tests of what pages say.
func numberIn(s string) int {
	n, _ := strconv.Atoi(regexp.MustCompile(`\d+`).FindString(s))
	return n
}

// An embed that shows fewer than there are says how many, and leads to the rest.
func TestEmbedSaysHowMany(t *testing.T) {
	w := newEmbeds(t)
	w.partner("shop", shopOrigin)
	a := w.json(w.shown("shop", "state=CO&limit=2", "en"))
	if len(a.Providers) != 2 || *a.Total <= 2 || numberIn(a.Found) != *a.Total || !strings.Contains(a.Found, "the first 2") || a.URL != "https://kapdir.example/?state=CO&limit=2" {
		t.Errorf("%d of %d: %q at %s", len(a.Providers), *a.Total, a.Found, a.URL)
	}
	if r := get(t, w.Server, strings.TrimPrefix(a.URL, "https://kapdir.example")); r.StatusCode != 200 {
		t.Errorf("%s: %d", a.URL, r.StatusCode)
	}
	if !slices.Equal(w.json(w.shown("shop", "", "en")).Providers[0].Checks[0].Reasons, decode[searchAnswer](t, get(t, w.Server, "/api/v1/providers?limit=1")).Results[0].Checks[0].Reasons) {
		t.Error("a check of an embed has other reasons")
	}
}

package web

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	tree "github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	scripts "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"kapdir/directory"
)

// shopTrial is a partner's site on another origin than ours, and a reader's browser. Ours can go away, and what it is
// asked is written down.
type shopTrial struct {
	*embedTrial
	ours  string
	host  string // of the partner's site
	other string // of somebody else's, with the same pages
	gone  atomic.Bool
	mu    sync.Mutex
	asked []*http.Request // of ours
	pages map[string]hostPage
	ctx   context.Context
}

type hostPage struct{ policy, body string }

// onLocalhost serves a site at http://localhost, at a port that is free.
func onLocalhost(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: h}}
	s.Start()
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "http://localhost:" + port
}

func newShop(t *testing.T) *shopTrial {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("KAPDIR_REQUIRE") != "" {
			t.Fatal("Chromium is needed: install the package chromium")
		}
		t.Skip("Chromium is not here")
	}
	x := &shopTrial{pages: map[string]hostPage{}}
	ours := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.mu.Lock()
		x.asked = append(x.asked, r)
		x.mu.Unlock()
		if x.gone.Load() {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				c.Close()
			}
			return
		}
		req := httptest.NewRequest(r.Method, r.URL.RequestURI(), nil)
		req.Header = r.Header.Clone()
		res, err := x.App().Test(req, 20_000)
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		for k, v := range res.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	t.Cleanup(ours.Close)
	x.ours = ours.URL
	x.embedTrial = newEmbeds(t, func(c *Config) { c.BaseURL = x.ours })
	site := func(w http.ResponseWriter, r *http.Request) {
		p, ok := x.pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if p.policy != "" {
			w.Header().Set("Content-Security-Policy", p.policy)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title></head><body><main><h1>Shop</h1>%s</main></body></html>`, p.body)
	}
	x.host, x.other = onLocalhost(t, site), onLocalhost(t, site)
	x.partner("shop", directory.WebOrigin(x.host))
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-features", "SitePerProcess,IsolateOrigins,IsolateSandboxedIframes,Translate,BlinkGenPropertyTrees"), chromedp.Flag("disable-site-isolation-trials", true), // so that text reads what stands in frames
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	x.ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	x.do(chromedp.EmulateViewport(900, 1400))
	// What the page's policy refuses is gathered, and the reader's clock can be moved; neither is subject to the policy.
	devtools(x, scripts.AddScriptToEvaluateOnNewDocument, scripts.AddScriptToEvaluateOnNewDocumentParams{Source: `window.refused = []; document.addEventListener("securitypolicyviolation", (e) => refused.push(e.effectiveDirective + " " + e.blockedURI));
		{ const clock = Date.now.bind(Date); window.later = 0; Date.now = () => clock() + window.later; }`})
	return x
}

func devtools[P, R any](x *shopTrial, command cdp.Command[P, R], params P) R {
	x.t.Helper()
	r, err := chromedp.Call(x.ctx, command, params)
	if err != nil {
		x.t.Fatal(err)
	}
	return r
}

func (x *shopTrial) do(steps ...chromedp.Action[chromedp.Void]) {
	x.t.Helper()
	if err := chromedp.Do(x.ctx, steps...); err != nil {
		x.t.Fatal(err)
	}
}

func inPage[T any](x *shopTrial, expression string) T {
	x.t.Helper()
	v, err := chromedp.Run(x.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		x.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (x *shopTrial) until(expression string) {
	x.t.Helper()
	for range 300 {
		if ok, err := chromedp.Run(x.ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		time.Sleep(30 * time.Millisecond)
	}
	x.t.Fatalf("never true: %s\n%s", expression, x.text())
}

// text is all that stands in the page, in its shadow roots and in its frames.
func (x *shopTrial) text() string {
	x.t.Helper()
	depth, pierce := int64(-1), true
	doc := devtools(x, tree.GetDocument, tree.GetDocumentParams{Depth: &depth, Pierce: &pierce})
	var b strings.Builder
	var walk func(n *cdp.Node)
	walk = func(n *cdp.Node) {
		if n == nil || n.NodeName == "SCRIPT" || n.NodeName == "STYLE" {
			return
		}
		if n.NodeName == "#text" {
			b.WriteString(n.NodeValue + " ")
		}
		for _, c := range slices.Concat(n.ShadowRoots, n.Children) {
			walk(c)
		}
		walk(n.ContentDocument)
	}
	walk(doc.Root)
	return text(b.String())
}

func (x *shopTrial) untilText(want string) string {
	x.t.Helper()
	got := ""
	for range 200 {
		if got = x.text(); strings.Contains(got, want) {
			return got
		}
		time.Sleep(30 * time.Millisecond)
	}
	x.t.Fatalf("never said %q: %s", want, got)
	return ""
}

func (x *shopTrial) requests() []*http.Request {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.asked)
}

// snippetFor is what the builder writes, which is what partners paste.
func (x *shopTrial) snippetFor(id directory.ID, more string) (both, frame string) {
	x.t.Helper()
	d := dom(x.t, get(x.t, x.Server, "/partners/embed?embed="+string(id)+more))
	return d.Find("#snippet").Text(), d.Find("#frame").Text()
}

// drawnBox is the box in the shadow root.
const drawnBox = `document.querySelector(".kapdir-embed")?.shadowRoot.querySelector(".ke")`

// strict is the policy that /partners asks of a host page, and nothing besides.
func (x *shopTrial) strict() string {
	return fmt.Sprintf("default-src 'none'; script-src %[1]s; connect-src %[1]s; frame-src %[1]s; style-src 'self'; base-uri 'none'; require-trusted-types-for 'script'", x.ours)
}

func axe(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", ".ci", "out", "axe", "package", "axe.min.js"))
	if err != nil {
		if os.Getenv("KAPDIR_REQUIRE") != "" {
			t.Fatal("axe-core is needed: .ci/run fetches it")
		}
		return ""
	}
	return string(raw)
}

// accessible reports what axe-core finds with its rules of WCAG 2.2, levels A and AA, within shadow roots as well.
func (x *shopTrial) accessible(t *testing.T, where string, shadow bool) {
	t.Helper()
	source := axe(t)
	if source == "" {
		return
	}
	inPage[bool](x, source+"; true")
	got := inPage[[]string](x, `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}).then((r) => [
		r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join("; ")).join("\n"),
		r.passes.some((p) => p.nodes.some((n) => Array.isArray(n.target[0]))) ? "within" : ""])`)
	if got[0] != "" {
		t.Errorf("%s:\n%s", where, got[0])
	}
	if got[1] == "" && shadow {
		t.Errorf("%s: axe-core did not look into the shadow root", where)
	}
}

func (x *shopTrial) photo(name string) {
	if png, err := chromedp.Run(x.ctx, chromedp.FullScreenshot(100)); err == nil {
		if dir := filepath.Join("..", "..", ".ci", "out"); exists(dir) {
			_ = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
		}
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (x *shopTrial) scheme(s string) {
	devtools(x, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s}}})
}

// Embeds on a page of another origin, in Chromium: with a strict policy, by day and by night, with scripts blocked, with
// our server gone, past a date, and on a site that is not registered.
func TestBrowserEmbeds(t *testing.T) {
	x := newShop(t)
	amara := x.who("Amara Whitcomb")
	results, one, spanishOne := x.shown("shop", "state=CO&limit=5", "en"), x.shown("shop", string(amara), "en"), x.shown("shop", string(amara), "es")
	must := func(id directory.ID, more string) string { both, _ := x.snippetFor(id, more); return both }
	_, frame := x.snippetFor(one, "")
	resultsBoth, oneBoth, spanishBoth := must(results, ""), must(one, "&accent=%23a02318"), must(spanishOne, "")
	noScripts := fmt.Sprintf("default-src 'none'; script-src 'none'; frame-src %s", x.ours)
	x.pages = map[string]hostPage{
		"/strict":  {x.strict(), resultsBoth + oneBoth},
		"/plain":   {"", resultsBoth + oneBoth},
		"/one":     {x.strict(), oneBoth},
		"/es":      {x.strict(), spanishBoth},
		"/blocked": {noScripts, oneBoth},
		"/frame":   {noScripts, frame},
		"/again":   {noScripts, strings.Replace(frame, `" title=`, `?theme=auto" title=`, 1)}, // not what the browser holds already
		"/dark":    {x.strict(), must(one, "&theme=dark")},
		"/bad":     {x.strict(), strings.Replace(oneBoth, `data-embed="`, `data-embed="javascript:`, 1)},
	}
	x.scheme("light")
	ok := false

	ok = t.Run("strict policy", func(t *testing.T) {
		x.t = t
		x.do(chromedp.Navigate(x.host + "/strict"))
		x.until(`[...document.querySelectorAll(".kapdir-embed")].length === 2 && [...document.querySelectorAll(".kapdir-embed")].every((h) => h.shadowRoot.querySelector(".checks"))`)
		if refused := inPage[[]string](x, `refused`); len(refused) > 0 {
			t.Errorf("the page's policy refused %v", refused)
		}
		if n := inPage[int](x, `document.querySelectorAll("iframe").length`); n != 0 {
			t.Errorf("%d frames are left beside what the script drew", n)
		}
		if kept := inPage[string](x, `JSON.stringify([document.cookie, Object.keys(localStorage), Object.keys(sessionStorage), [...document.querySelectorAll("style, [style]"), ...[...document.querySelectorAll(".kapdir-embed")].flatMap((h) => [...h.shadowRoot.querySelectorAll("style, [style]")])].length])`); kept != `["",[],[],0]` {
			t.Errorf("it left behind %s", kept)
		}
		// It says what the API says, in its order.
		var want []string
		for _, p := range decode[searchAnswer](t, get(t, x.Server, "/api/v1/providers?state=CO&limit=5")).Results {
			want = append(want, p.Name)
			for _, c := range p.Checks {
				want = append(want, c.Title+" "+c.Label)
			}
		}
		got := inPage[[]string](x, `[...document.querySelectorAll(".kapdir-embed")].map((h) => h.shadowRoot).find((r) => r.querySelector("ol")).querySelectorAll("ol > li").values().flatMap((p) => [p.querySelector("h3 a").firstChild.data, ...[...p.querySelectorAll(".line")].map((l) => l.textContent)]).toArray()`)
		if !slices.Equal(got, want) {
			t.Errorf("it says %q\nthe API %q", got, want)
		}
		one := x.json(one)
		all := x.text()
		for _, c := range one.Providers[0].Checks {
			if !strings.Contains(all, text(c.Sentence)) || !strings.Contains(all, c.Dated) {
				t.Errorf("it lacks %q, %q", c.Sentence, c.Dated)
			}
		}
		for _, need := range []string{english.t("embed.terms"), one.Dated, "Nobody can pay for a place", "invented"} {
			if !strings.Contains(all, need) {
				t.Errorf("it lacks %q", need)
			}
		}
		if bad := inPage[[]string](x, `[...document.querySelectorAll(".kapdir-embed")].flatMap((h) => [...h.shadowRoot.querySelectorAll("a")]).filter((a) => a.target !== "_blank" || !/noopener/.test(a.rel) || !/noreferrer/.test(a.rel) || a.referrerPolicy !== "no-referrer" || !a.href.startsWith("http") || !a.textContent.includes("new tab")).map((a) => a.outerHTML)`); len(bad) > 0 {
			t.Errorf("links: %v", bad)
		}
		if got := inPage[string](x, `[...document.querySelectorAll(".kapdir-embed")].map((h) => h.shadowRoot.mode + " " + h.shadowRoot.querySelector(".ke").lang + " " + [...h.shadowRoot.querySelectorAll("h2, h3, ol, ul, section[aria-labelledby], [role=status]")].map((e) => e.localName).slice(0, 6).join(",")).join(" ")`); !strings.Contains(got, "open en section,h2,ol,h3,ul") {
			t.Errorf("its parts: %s", got)
		}
		x.accessible(t, "light", true)
		x.photo("embed-light")
		day := inPage[string](x, `getComputedStyle(`+drawnBox+`).backgroundColor`)
		x.scheme("dark")
		night := inPage[string](x, `getComputedStyle(`+drawnBox+`).backgroundColor`)
		if day != "rgb(255, 255, 255)" || night != "rgb(25, 33, 35)" {
			t.Errorf("its ground is %s by day and %s by night", day, night)
		}
		x.accessible(t, "dark", true)
		x.photo("embed-dark")
		// The accent can be read by day and not by night: there ours stays.
		accents := `(() => { const a = [...document.querySelectorAll(".kapdir-embed")].map((h) => h.shadowRoot).find((r) => !r.querySelector("ol")).querySelector("a"); return getComputedStyle(a).color })()`
		if got := inPage[string](x, accents); got != "rgb(130, 207, 201)" {
			t.Errorf("links by night are %s", got)
		}
		x.scheme("light")
		if got := inPage[string](x, accents); got != "rgb(160, 35, 24)" {
			t.Errorf("links by day are %s", got)
		}
		x.do(chromedp.Navigate(x.host + "/dark"))
		x.until(`!!` + drawnBox + `?.querySelector(".checks")`)
		if got := inPage[string](x, `getComputedStyle(`+drawnBox+`).backgroundColor`); got != "rgb(25, 33, 35)" {
			t.Errorf("a dark embed has the ground %s by day", got)
		}
		x.do(chromedp.Navigate(x.host + "/es"))
		x.until(`!!` + drawnBox + `?.querySelector(".checks")`)
		if got := x.text(); !strings.Contains(got, spanish.t("embed.terms")) || !strings.Contains(got, "Confirmado hasta el") || inPage[string](x, drawnBox+`.lang`) != "es" {
			t.Errorf("in Spanish: %s", got)
		}
		// A keyboard reaches the links, and the one that has the focus shows it.
		x.do(chromedp.KeyEvent("\t"))
		if got := inPage[string](x, `(() => { const a = document.activeElement.shadowRoot?.activeElement; return a ? a.localName + " " + getComputedStyle(a).outlineStyle : "" })()`); got != "a solid" {
			t.Errorf("with the first Tab: %q", got)
		}
		for _, r := range x.requests() {
			if r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" || r.Method != "GET" {
				t.Errorf("%s %s: Referer %q, Cookie %q", r.Method, r.URL.Path, r.Header.Get("Referer"), r.Header.Get("Cookie"))
			}
			if p := r.URL.Path; p != "/embed.js" && !strings.HasPrefix(p, "/embed/emb_") && !strings.HasPrefix(p, "/assets/embed.") {
				t.Errorf("it asked for %s", p)
			}
		}
		x.do(chromedp.Navigate(x.host + "/bad"))
		if n := inPage[int](x, `document.querySelectorAll("iframe").length`); n != 1 {
			t.Errorf("an id that is none took the frame away")
		}
	})

	t.Run("without a policy", func(t *testing.T) {
		x.t = t
		x.do(chromedp.Navigate(x.host + "/plain"))
		x.until(`[...document.querySelectorAll(".kapdir-embed")].length === 2`)
	})

	t.Run("scripts blocked", func(t *testing.T) {
		x.t = t
		whole := func(where string) {
			t.Helper()
			got := x.untilText(english.t("embed.terms"))
			for _, c := range x.json(one).Providers[0].Checks {
				if !strings.Contains(got, text(c.Sentence)) || !strings.Contains(got, c.Dated) {
					t.Errorf("%s lacks %q, %q", where, c.Sentence, c.Dated)
				}
			}
			if !strings.Contains(got, "Confirmed until") {
				t.Errorf("%s: %s", where, got)
			}
		}
		x.do(chromedp.Navigate(x.host + "/blocked"))
		whole("by the page's policy")
		if refused := inPage[[]string](x, `refused`); len(refused) != 1 || !strings.HasPrefix(refused[0], "script-src") {
			t.Errorf("refused: %v", refused)
		}
		x.photo("embed-frame")
		x.do(chromedp.Navigate(x.host + "/frame"))
		whole("the frame alone")
		devtools(x, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		x.do(chromedp.Navigate(x.host + "/strict"))
		whole("by the reader")
		devtools(x, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
		for _, theme := range []string{"light", "dark"} { // the framed form by itself, where axe-core can look
			x.do(chromedp.Navigate(x.ours + framed(results) + "?theme=" + theme))
			x.until(`getComputedStyle(document.querySelector(".ke")).backgroundColor === "` + map[string]string{"light": "rgb(255, 255, 255)", "dark": "rgb(25, 33, 35)"}[theme] + `"`)
			x.accessible(t, theme+" frame", false)
		}
		x.do(chromedp.Navigate(x.host + "/frame"))
		x.untilText(english.t("embed.terms"))
	})

	t.Run("site not registered", func(t *testing.T) {
		x.t = t
		for _, path := range []string{"/strict", "/plain"} {
			x.do(chromedp.Navigate(x.other + path))
			x.untilText("Kapdir could not be reached, or may not be shown on this page")
			if got := x.text(); strings.Contains(got, "Amara") || strings.Contains(got, english.t("embed.terms")) {
				t.Errorf("%s shows %s", path, got)
			}
		}
		before := len(x.requests())
		x.do(chromedp.Navigate(x.other + "/again"))
		for range 100 {
			if len(x.requests()) > before {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if len(x.requests()) == before {
			t.Fatal("the frame was never asked for")
		}
		time.Sleep(200 * time.Millisecond)
		if got := x.text(); strings.Contains(got, "Amara") || strings.Contains(got, "Confirmed until") {
			t.Errorf("the frame shows %s", got)
		}
	})

	t.Run("past its date", func(t *testing.T) {
		x.t = t
		a := x.json(one)
		var falls []embedCheck
		for _, c := range a.Providers[0].Checks {
			if c.ValidUntil != nil && *c.ValidUntil == *a.Until {
				falls = append(falls, c)
			}
		}
		x.do(chromedp.Navigate(x.host + "/one"))
		x.until(`!!` + drawnBox + `?.querySelector(".checks")`)
		before := len(x.requests())
		left := a.Until.Time().Sub(a.AsOf.Time())
		move := func(d time.Duration) string { // of the reader's clock, as after a night's sleep; and what is shown in the same moment
			return inPage[string](x, fmt.Sprintf(`(() => { window.later = %d; document.dispatchEvent(new Event("visibilitychange")); return %s.textContent })()`, d.Milliseconds(), drawnBox))
		}
		x.gone.Store(true) // so that nothing new can come
		if got := move(min(left-time.Minute, 50*time.Second)); strings.Contains(got, english.t("result.out_of_date")+"Look") || !strings.Contains(text(got), text(falls[0].Dated)) {
			t.Errorf("before its date: %s", got)
		}
		if n := len(x.requests()); n != before {
			t.Errorf("%d requests before its date", n-before)
		}
		got := move(left + time.Millisecond)
		if n := len(x.requests()); n != before {
			t.Errorf("%d requests in the moment", n-before)
		}
		for _, c := range falls {
			if strings.Contains(got, c.Dated) || strings.Contains(text(got), text(c.Sentence)) || !strings.Contains(got, c.Title+" "+english.t("result.out_of_date")) {
				t.Errorf("past its date it still says %q", got)
			}
		}
		if n := strings.Count(got, english.t("embed.again")); n != len(falls) || !strings.Contains(got, english.t("embed.fell")) {
			t.Errorf("%d of %d say where to look: %s", n, len(falls), got)
		}
		x.accessible(t, "past its date", true)
		x.untilText(english.t("embed.down")) // it has asked, in vain, and says so
		if got := x.text(); strings.Contains(got, falls[0].Dated) {
			t.Errorf("what is past its date came back: %s", got)
		}
		x.photo("embed-past")
		// Ours is there again, and tells what is so now.
		x.gone.Store(false)
		x.set(a.Until.Add(time.Second))
		inPage[bool](x, `document.dispatchEvent(new Event("visibilitychange")); true`)
		now := x.json(one)
		x.untilText(now.Dated)
		if got := x.text(); strings.Contains(got, english.t("embed.down")) || strings.Contains(got, english.t("embed.fell")) || strings.Contains(got, english.t("embed.again")) {
			t.Errorf("it still says what it said while we were gone: %s", got)
		}
		// A frame that is open then loads itself anew, in its sandbox and without a script.
		devtools(x, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}) // it holds one of this minute, and by the test's clock weeks have passed
		x.set(a.Until.Add(-2 * time.Second))
		x.do(chromedp.Navigate(x.host + "/frame"))
		x.untilText(falls[0].Dated)
		x.set(a.Until.Add(time.Second))
		if got := x.untilText(now.Dated); strings.Contains(got, falls[0].Dated) {
			t.Errorf("an open frame past its date: %s", got)
		}
		devtools(x, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: false})
		x.set(x.began)
	})

	t.Run("server gone", func(t *testing.T) {
		x.t = t
		x.gone.Store(true)
		defer x.gone.Store(false)
		x.do(chromedp.Navigate("about:blank"))
		devtools(x, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: false})
		x.do(chromedp.Navigate(x.host + "/one")) // the script is in the reader's cache, for an hour
		x.until(`!!` + drawnBox)
		got := x.untilText("Kapdir could not be reached")
		if strings.Contains(got, "Confirmed") || inPage[int](x, drawnBox+`.querySelectorAll("a").length`) != 1 || inPage[string](x, drawnBox+`.querySelector("[role=status]").textContent`) == "" {
			t.Errorf("%s", got)
		}
		x.accessible(t, "server gone", true)
		// All is over for good once the embed has ended: it says so, and shows nothing more.
		x.gone.Store(false)
		x.do(chromedp.Navigate(x.host + "/one"))
		x.until(`!!` + drawnBox + `?.querySelector(".checks")`)
	})
	if !ok {
		return
	}

	t.Run("builder", func(t *testing.T) {
		x.t = t
		x.do(chromedp.Navigate(x.ours + "/partners/embed?embed=" + url.QueryEscape(string(results))))
		x.until(`document.querySelector(".kapdir-embed")?.shadowRoot.querySelectorAll("ol > li").length === 5 && !document.querySelector("[data-kapdir]")`)
		if refused := inPage[[]string](x, `refused`); len(refused) > 0 {
			t.Errorf("our own policy refused %v", refused)
		}
		x.accessible(t, "builder", true)
		for _, width := range []int64{360, 1280} {
			x.do(chromedp.EmulateViewport(width, 900))
			if inPage[bool](x, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
				t.Errorf("the builder scrolls sideways at %d px", width)
			}
			x.photo(fmt.Sprintf("builder-%d", width))
			x.do(chromedp.Navigate(x.ours + "/partners"))
			if inPage[bool](x, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
				t.Errorf("/partners scrolls sideways at %d px", width)
			}
			x.accessible(t, "the page for developers", false)
			x.do(chromedp.Navigate(x.ours + "/docs/api"))
			if inPage[bool](x, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
				t.Errorf("the reference scrolls sideways at %d px", width)
			}
			if width == 360 {
				x.accessible(t, "the reference", false)
			}
			x.do(chromedp.Navigate(x.ours + "/partners"))
			x.photo(fmt.Sprintf("partners-%d", width))
			x.do(chromedp.Navigate(x.ours + "/partners/embed?embed=" + url.QueryEscape(string(results))))
			x.until(`!!document.querySelector(".kapdir-embed")`)
		}
	})
}

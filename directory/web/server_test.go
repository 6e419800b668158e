package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
	"kapdir/search"
)

// everyTarget is one request for each route, and some that match none.
func everyTarget(t testing.TB, s *Server) []string {
	amara := idOf(t, "Amara Whitcomb")
	targets := []string{"/", "/?q=trauma", pageOf(amara), pageOf(amara) + "/report", pageOf(amara) + ".vcf", pageOf(amara) + "/cost", "/cost", "/compare", "/compare?ids=" + string(amara), "/about/how-we-check", "/about/accuracy", "/guide", "/guide/evidence", "/sources", "/api/v1/providers", api(amara), "/api/v1/suggest?q=den", "/api/v1/sources", api(amara) + "/credentials", "/api/v1/statistics", "/api/v1/changes?limit=2", "/openapi.yaml",
		"/livez", "/readyz", "/robots.txt", "/sitemap.xml", "/sitemaps/0", "/opensearch.xml", "/opensearch.es.xml", "/partners", "/partners/embed", "/oembed", "/.well-known/api-catalog", "/.well-known/security.txt", s.assets.paths["kapdir.css"], s.assets.paths["kapdir.js"], s.assets.paths["icon.svg"],
		"/nothing", "/api/v1/nothing", "/assets/kapdir.css", "/assets/.env", "/?nonsense=1", "/api/v1/providers?nonsense=1", "/providers/prv_00000000000000000000000000"}
	return targets
}

func TestHeadersOnEveryRoute(t *testing.T) {
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"Referrer-Policy":         "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Permissions-Policy":         "geolocation=(), camera=(), microphone=(), payment=(), usb=(), browsing-topics=()",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Strict-Transport-Security": "max-age=63072000; includeSubDomains",
	}
	s := demoServer(t)
	plain := demoServer(t, func(c *Config) { c.BaseURL = "http://localhost:8080/" })
	check := func(name string, r reply, https bool) {
		t.Helper()
		for h, v := range want {
			if h == "Strict-Transport-Security" && !https {
				v = ""
			}
			if got := r.Header.Get(h); got != v {
				t.Errorf("%s: %s is %q", name, h, got)
			}
		}
		for _, h := range []string{"Set-Cookie", "Server", "X-Powered-By", "Access-Control-Allow-Origin"} {
			if v := r.Header.Values(h); len(v) > 0 {
				t.Errorf("%s: %s: %v", name, h, v)
			}
		}
		if r.Header.Get("Cache-Control") == "" {
			t.Errorf("%s: no Cache-Control", name)
		}
		if r.body != "" && !strings.Contains(r.Header.Get("Content-Type"), "/") {
			t.Errorf("%s: no Content-Type", name)
		}
	}
	for _, target := range everyTarget(t, s) {
		check("GET "+target, get(t, s, target), true)
		check("GET "+target, get(t, plain, target), false)
		check("HEAD "+target, do(t, s, http.MethodHead, target), true)
		check("POST "+target, do(t, s, http.MethodPost, target), true)
		check("BREW "+target, do(t, s, "BREW", target), true)
		check("GET coded "+target, get(t, s, target, "Content-Encoding", "gzip"), true)
	}
}

func TestMethods(t *testing.T) {
	s := demoServer(t)
	for _, m := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"} {
		for target, kind := range map[string]string{"/": "text/html", "/api/v1/providers": "application/problem+json", "/livez": "application/problem+json", "/none": "text/html"} {
			r := do(t, s, m, target)
			if r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", m, target, r.StatusCode, r.Header.Get("Allow"))
			}
			if got := r.Header.Get("Content-Type"); !strings.HasPrefix(got, kind) {
				t.Errorf("%s %s: %s", m, target, got)
			}
		}
	}
	get200, head := get(t, s, "/sources"), do(t, s, "HEAD", "/sources")
	if head.StatusCode != 200 || head.body != "" || head.Header.Get("Content-Length") != get200.Header.Get("Content-Length") {
		t.Errorf("HEAD: %d, %d bytes, length %s and %s", head.StatusCode, len(head.body), head.Header.Get("Content-Length"), get200.Header.Get("Content-Length"))
	}
	if r := get(t, s, "/", "Content-Encoding", "gzip"); r.StatusCode != 415 {
		t.Errorf("a compressed request: %d", r.StatusCode)
	}
}

func TestRoutingIsExact(t *testing.T) {
	s := demoServer(t)
	for _, target := range []string{"/SOURCES", "/sources/", "/Livez", "//", "/assets/", "/assets/../server.go", "/assets/%2e%2e/server.go", "/assets/kapdir.css", "/static/kapdir.css",
		"/.env", "/api/v1", "/api/v1/providers/", "/providers", "/providers/prv_0", "/providers/..%2f", "/index.html", "/api/"} {
		if r := get(t, s, target); r.StatusCode != 404 {
			t.Errorf("%s: %d", target, r.StatusCode)
		}
	}
	if r := get(t, s, "/zqxjkv%3Cb%3E?zqxjkv"); strings.Contains(r.body, "zqxjkv") || strings.Contains(r.body, "Cannot GET") {
		t.Errorf("the answer repeats the address: %s", r.body)
	}
}

func TestProblems(t *testing.T) {
	amara := idOf(t, "Amara Whitcomb")
	gone := with(t, altered{file: func(directory.ID) (*directory.CredentialFile, error) {
		return nil, directory.Errorf(directory.Gone, "id", "was withdrawn for a secret reason")
	}})
	merged := with(t, altered{file: func(id directory.ID) (*directory.CredentialFile, error) {
		return &directory.CredentialFile{Provider: directory.Provider{ID: id, MergedInto: amara}}, directory.Errorf(directory.Gone, "id", "merged")
	}})
	evil := with(t, altered{file: func(id directory.ID) (*directory.CredentialFile, error) {
		return &directory.CredentialFile{Provider: directory.Provider{ID: id, MergedInto: "//evil.test\r\nX-Evil: 1"}}, directory.Errorf(directory.Gone, "id", "merged")
	}})
	down := with(t, altered{err: errDisk})
	slow := with(t, altered{wait: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }})
	broken := with(t, altered{file: func(directory.ID) (*directory.CredentialFile, error) { panic("the secret value of somebody") }})
	other := "prv_00000000000000000000000000"
	for _, x := range []struct {
		name   string
		s      *Server
		target string
		status int
		words  string
	}{
		{"withdrawn", gone, "/providers/" + other, 410, "withdrawn"},
		{"withdrawn, JSON", gone, "/api/v1/providers/" + other, 410, "withdrawn"},
		{"store down, page", down, "/", 503, "says nothing about any provider"},
		{"store down, search", down, "/api/v1/providers", 503, "could not look"},
		{"store down, provider", down, api(amara), 503, "could not look"},
		{"store down, sources", down, "/sources", 503, "could not look"},
		{"slow", slow, api(amara), 503, "could not look"},
		{"panic", broken, api(amara), 500, "went wrong on our side"},
		{"panic, page", broken, pageOf(amara), 500, "went wrong on our side"},
		{"a bad survivor", evil, api(amara), 500, "went wrong"},
	} {
		r := get(t, x.s, x.target)
		if r.StatusCode != x.status || !strings.Contains(r.body, x.words) {
			t.Errorf("%s: %d %s", x.name, r.StatusCode, r.body)
		}
		for _, leak := range []string{"secret", "disk I/O", "goroutine", ".go:", "runtime error", "evil.test", "/var/lib"} {
			if strings.Contains(r.body, leak) {
				t.Errorf("%s: the answer holds %q: %s", x.name, leak, r.body)
			}
		}
		if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("ETag") != "" || r.Header.Get("X-Evil") != "" || r.Header.Get("Location") != "" {
			t.Errorf("%s: headers %v", x.name, r.Header)
		}
		if x.status == 503 && r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", x.name)
		}
		if strings.HasPrefix(x.target, "/api/") {
			p := decode[problem](t, r)
			if p.Status != x.status || len(p.RequestID) != 16 || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: %+v %s", x.name, p, r.Header.Get("Content-Type"))
			}
			conforms(t, document(t), strings.Replace(patternOf(x.target), "//", "/", 1), x.target, r)
		}
	}
	r := get(t, merged, "/api/v1/providers/"+other+"?state=CO")
	if r.StatusCode != 308 || r.Header.Get("Location") != api(amara)+"?state=CO" || !strings.Contains(r.body, `"merged_into":"`+string(amara)+`"`) {
		t.Errorf("merged: %d %v %s", r.StatusCode, r.Header, r.body)
	}
	r = get(t, merged, "/providers/"+other)
	if r.StatusCode != 308 || r.Header.Get("Location") != pageOf(amara) || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("merged page: %d %v", r.StatusCode, r.Header)
	}
}

func patternOf(target string) string {
	switch {
	case strings.HasPrefix(target, "/api/v1/providers/"):
		return "/api/v1/providers/:id"
	case strings.HasPrefix(target, "/api/v1/providers"):
		return "/api/v1/providers"
	}
	return target
}

func TestParameterProblem(t *testing.T) {
	s := demoServer(t)
	r := get(t, s, "/api/v1/providers?stat=CO&q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&care=%3Cscript%3E")
	p := decode[problem](t, r)
	var names []string
	for _, e := range p.Errors {
		names = append(names, e.Parameter)
	}
	if r.StatusCode != 400 || !slices.Equal(names, []string{"stat", "care"}) || p.Type != "https://kapdir.example/openapi.yaml#bad-parameters" {
		t.Errorf("%d %+v", r.StatusCode, p)
	}
	if strings.Contains(r.body, "script") {
		t.Errorf("a value is repeated: %s", r.body)
	}
	many := "/api/v1/providers?q=alpha+bravo+charlie+delta+echo+foxtrot+golf+hotel+india+juliett+kilo+lima+mike+november&words=all"
	if p := decode[problem](t, get(t, s, many)); p.Status != 400 || len(p.Errors) != 1 || p.Errors[0].Parameter != "q" {
		t.Errorf("too many words: %+v", p)
	}
	for _, target := range []string{"/api/v1/providers?radius=9", "/api/v1/providers?q=trauma&radius=9"} { // q may name a place
		if p := decode[problem](t, get(t, s, target)); p.Status != 400 || len(p.Errors) != 1 || p.Errors[0].Parameter != "radius" {
			t.Errorf("%s: %+v", target, p)
		}
	}
	if r := get(t, s, "/api/v1/providers?q=near+boulder&radius=9&sort=distance"); r.StatusCode != 200 {
		t.Errorf("a place in the text: %d", r.StatusCode)
	}
}

// What is not escaped would run: every text of a provider and of a visitor is shown as text.
func TestNothingRuns(t *testing.T) {
	const bad = `"><script src=//evil.test></script><img src=x onerror=alert(1)>`
	amara := idOf(t, "Amara Whitcomb")
	s := with(t, altered{file: func(id directory.ID) (*directory.CredentialFile, error) {
		f, err := demoWorld(t).store.File(context.Background(), id)
		if err != nil {
			return nil, err
		}
		f.Provider.Name = directory.Name{Given: bad, Family: bad, Credentials: []string{bad}}
		f.Provider.Website = "javascript:alert(1)"
		f.Provider.Sites[0].Name, f.Provider.Sites[0].Phone, f.Provider.Sites[0].Origin.URL = bad, bad, "javascript:alert(1)"
		f.Provider.Practice.Languages = []string{bad}
		for i := range f.Claims {
			for j := range f.Claims[i].Events {
				f.Claims[i].Events[j].Body.Link = "javascript:alert(1)"
				f.Claims[i].Events[j].Body.SourceWords = bad
			}
		}
		return f, nil
	}})
	for _, target := range []string{pageOf(amara), "/?q=" + "%22%3E%3Cscript%20src%3D%2F%2Fevil.test%3E"} {
		r := get(t, s, target)
		d := dom(t, r)
		if d.Find("script:not([integrity])").Length() > 0 || d.Find("[onerror]").Length() > 0 || d.Find("img").Length() > 0 {
			t.Errorf("%s: markup came through", target)
		}
		if strings.Contains(r.body, `href="javascript:`) {
			t.Errorf("%s: a script address came through", target)
		}
	}
	if r := get(t, s, api(amara)); strings.Contains(r.body, "javascript:") {
		t.Error("the API hands a script address on")
	}
}

func TestCaching(t *testing.T) {
	amara := idOf(t, "Amara Whitcomb")
	s := demoServer(t)
	later := demoServer(t, func(c *Config) {
		now := c.Now().Add(2 * time.Hour)
		c.Now = func() time.Time { return now }
	})
	for _, target := range []string{pageOf(amara), api(amara)} {
		r := get(t, s, target)
		tag := r.Header.Get("ETag")
		if !strings.HasPrefix(tag, `W/"`) || r.Header.Get("Cache-Control") != "public, max-age=60" || !strings.Contains(r.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: %v", target, r.Header)
		}
		if again := get(t, s, target, "If-None-Match", `"x", `+tag); again.StatusCode != 304 || again.body != "" || again.Header.Get("ETag") != tag {
			t.Errorf("%s: %d with the tag", target, again.StatusCode)
		}
		if again := get(t, s, target, "If-None-Match", `"other"`); again.StatusCode != 200 {
			t.Errorf("%s: %d with another tag", target, again.StatusCode)
		}
		if again := get(t, later, target); again.Header.Get("ETag") != tag {
			t.Errorf("%s: the tag moved with nothing but the clock", target)
		}
		if other := get(t, s, target+"?state=TX"); other.Header.Get("ETag") == tag {
			t.Errorf("%s: the checks for Texas have the same tag", target)
		}
		if page, json := get(t, s, pageOf(amara)).Header.Get("ETag"), get(t, s, api(amara)).Header.Get("ETag"); page == json {
			t.Error("page and JSON have one tag")
		}
	}
	p := decode[provider](t, get(t, s, api(amara)))
	if p.ValidUntil == nil {
		t.Fatal("nothing about Amara ever changes")
	}
	near := demoServer(t, func(c *Config) {
		now := p.ValidUntil.Time().Add(-10 * time.Second)
		c.Now = func() time.Time { return now }
	})
	if got := get(t, near, api(amara)).Header.Get("Cache-Control"); got != "public, max-age=10" && got != "public, max-age=9" {
		t.Errorf("ten seconds before it changes: %s", got)
	}
	for _, target := range []string{"/", "/?q=a", "/api/v1/providers", "/api/v1/suggest?q=de", "/livez", "/readyz"} {
		if r := get(t, s, target); r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("ETag") != "" {
			t.Errorf("%s: %v", target, r.Header)
		}
	}
	css := s.assets.paths["kapdir.css"]
	r := get(t, s, css)
	if r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s: %v", css, r.Header)
	}
	if again := get(t, s, css, "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("%s: %d with its tag", css, again.StatusCode)
	}
}

func TestGzip(t *testing.T) {
	s := demoServer(t)
	for _, target := range []string{"/", "/api/v1/providers", s.assets.paths["kapdir.css"], api(idOf(t, "Amara Whitcomb"))} {
		plain, packed := get(t, s, target), get(t, s, target, "Accept-Encoding", "br, gzip;q=0.5")
		if packed.Header.Get("Content-Encoding") != "gzip" || !strings.Contains(packed.Header.Get("Vary"), "Accept-Encoding") || len(packed.body) >= len(plain.body) {
			t.Errorf("%s: %v", target, packed.Header)
			continue
		}
		z, err := gzip.NewReader(strings.NewReader(packed.body))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil || string(b) != plain.body {
			t.Errorf("%s: unpacked it is another (%v)", target, err)
		}
		if r := get(t, s, target, "Accept-Encoding", "gzip;q=0"); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: gzip was sent to who refuses it", target)
		}
	}
}

// recorder keeps what is logged.
type recorder struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(p)
}

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

// Nothing of a question, an address or a visitor stands in any log, whatever becomes of the request.
func TestLogHoldsNothing(t *testing.T) {
	const token = "zqxjkvtoken"
	log := &recorder{}
	use := func(c *Config) {
		c.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	amara := idOf(t, "Amara Whitcomb")
	servers := []*Server{demoServer(t, use)}
	for _, a := range []altered{{err: fmt.Errorf("query %q failed: %w", token, errDisk)},
		{file: func(directory.ID) (*directory.CredentialFile, error) { panic("value " + token) }},
		{file: func(id directory.ID) (*directory.CredentialFile, error) {
			return nil, &directory.Error{Kind: directory.Internal, Op: "store.File " + string(id), Detail: token, Cause: errors.New(token)}
		}}} {
		servers = append(servers, demoServer(t, use, func(c *Config) { a.Reader = c.Reader; c.Reader = a }))
	}
	servers = append(servers, demoServer(t, use, func(c *Config) {
		c.Search = finder{Searcher: c.Search, search: func(_ context.Context, q search.Query) (search.Result, error) {
			return search.Result{}, fmt.Errorf("cannot parse %s", q.Text)
		}}
	}))
	for _, s := range servers {
		for _, target := range []string{"/?q=" + token, "/?near=" + token, "/?" + token + "=1", "/?language=" + token, "/?cursor=" + token, "/" + token, "/providers/" + token, pageOf(amara) + "?state=" + token,
			"/api/v1/providers?q=" + token, "/api/v1/providers?near=" + token, "/api/v1/providers?" + token, "/api/v1/providers/" + token, "/api/v1/suggest?q=" + token,
			pageOf(amara), api(amara), "/assets/" + token, "/?q=suicide+" + token} {
			for _, m := range []string{"GET", "HEAD", "POST", token} {
				do(t, s, m, target, "User-Agent", token, "Referer", "https://"+token+".test/", "X-Forwarded-For", "203.0.113.77", "Cookie", token+"=1", "X-Forwarded-Host", token+".test")
			}
		}
	}
	addr := running(t, servers[0]) // what cannot be read is logged as well
	for _, raw := range []string{"GET /?q=" + strings.Repeat(token, headLimit/len(token)+1), "GET /?q=" + token + " HTTP/1.1\r\nHost: a\r\nHost: " + token + "\r\n\r\n"} {
		if a := send(t, addr, raw); len(statusesOf(a)) == 0 || strings.Contains(a, token) {
			t.Errorf("%.80q", a)
		}
	}
	for _, s := range servers {
		s.requests.write()
	}
	got := log.String()
	for _, leak := range []string{token, "203.0.113", string(amara), "suicide", "0.0.0.0", "127.0.0.1"} {
		if strings.Contains(strings.ToLower(got), strings.ToLower(leak)) {
			i := strings.Index(strings.ToLower(got), strings.ToLower(leak))
			t.Errorf("the log holds %q: %s", leak, got[max(0, i-300):min(len(got), i+100)])
		}
	}
	allowed := map[string]bool{"time": true, "level": true, "msg": true, "route": true, "method": true, "status": true, "took": true, "count": true}
	lines := 0
	for _, line := range strings.Split(strings.TrimSpace(got), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m["msg"] != "requests" {
			continue
		}
		lines += int(m["count"].(float64))
		for k := range m {
			if !allowed[k] {
				t.Errorf("the access log has %s: %s", k, line)
			}
		}
	}
	if lines < 100 {
		t.Errorf("%d requests were logged", lines)
	}
	if !strings.Contains(got, `"route":"(unread)"`) || !strings.Contains(got, `"route":"/api/v1/providers/:id"`) || !strings.Contains(got, `"took":"<`) {
		t.Error("the access log lacks pattern or step")
	}
	// Nothing was written beside the log either.
	_ = filepath.WalkDir(loadDir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, []byte(token)) {
				t.Errorf("%s holds the token", path)
			}
		}
		return nil
	})
}

func TestReadiness(t *testing.T) {
	building := demoServer(t, func(c *Config) {
		c.Search = finder{Searcher: c.Search, status: &search.Status{State: "building", Plain: true}}
	})
	down := with(t, altered{err: errDisk})
	for _, x := range []struct {
		s      *Server
		status int
		want   readiness
	}{
		{demoServer(t), 200, readiness{"ready", "reachable", "ready", false, "test"}},
		{building, 200, readiness{"ready", "reachable", "building", true, "test"}},
		{down, 503, readiness{"unavailable", "unreachable", "ready", false, "test"}},
	} {
		r := get(t, x.s, "/readyz")
		if got := decode[readiness](t, r); r.StatusCode != x.status || got != x.want {
			t.Errorf("%d %+v, want %d %+v", r.StatusCode, got, x.status, x.want)
		}
		conforms(t, document(t), "/readyz", "/readyz", r)
		if r := get(t, x.s, "/livez"); r.StatusCode != 200 {
			t.Errorf("livez %d", r.StatusCode)
		}
	}
}

// Heavy questions do not hold up cheap ones; each waits a bounded time; health waits for nobody.
func TestLanes(t *testing.T) {
	hold := make(chan struct{})
	var once sync.Once
	release := func() { once.Do(func() { close(hold) }) }
	defer release()
	started := make(chan struct{}, 64)
	s := demoServer(t, func(c *Config) {
		c.Search = finder{Searcher: c.Search, search: func(ctx context.Context, q search.Query) (search.Result, error) {
			if strings.Contains(q.Text, "hold") {
				started <- struct{}{}
				<-hold
			}
			return search.Result{}, nil
		}}
	})
	heavy := "/api/v1/providers?q=hold+b+c+d+e+f+g+h"
	var wg sync.WaitGroup
	wg.Go(func() { get(t, s, heavy) })
	<-started
	begin := time.Now()
	if r := get(t, s, heavy); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("a second heavy question: %d", r.StatusCode)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("it waited %s", took)
	}
	if r := get(t, s, "/api/v1/providers?q=one"); r.StatusCode != 200 {
		t.Errorf("a cheap question beside a heavy one: %d", r.StatusCode)
	}
	// One address may not take every cheap slot.
	for range perClient - 1 {
		wg.Go(func() { get(t, s, "/api/v1/providers?q=hold") })
		<-started
	}
	if r := get(t, s, "/api/v1/providers?q=one"); r.StatusCode != 503 {
		t.Errorf("one more search of one address: %d", r.StatusCode)
	}
	for _, target := range []string{"/livez", "/readyz", pageOf(idOf(t, "Amara Whitcomb"))} {
		if r := get(t, s, target); r.StatusCode != 200 {
			t.Errorf("%s while the lanes are full: %d", target, r.StatusCode)
		}
	}
	release()
	wg.Wait()
	s.lanes.mu.Lock()
	defer s.lanes.mu.Unlock()
	if len(s.lanes.clients) != 0 || len(s.lanes.cheap) != 0 || len(s.lanes.heavy) != 0 {
		t.Errorf("slots were not given back: %v", s.lanes.clients)
	}
}

func TestLaneWait(t *testing.T) {
	l := newLanes()
	var leave []func()
	for i := range cheapSlots {
		f, err := l.take(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), false)
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, f)
	}
	if _, err := l.take(netip.MustParseAddr("10.0.1.1"), false); !errors.Is(err, directory.Unavailable) {
		t.Errorf("a full lane gives %v", err)
	}
	freed := make(chan struct{})
	time.AfterFunc(20*time.Millisecond, func() { leave[0](); close(freed) })
	f, err := l.take(netip.MustParseAddr("10.0.1.1"), false)
	if err != nil {
		t.Errorf("a slot came free and was not taken: %v", err)
	} else {
		f()
	}
	<-freed
	for _, f := range leave[1:] {
		f()
	}
	if len(l.clients) != 0 {
		t.Errorf("addresses are remembered: %v", l.clients)
	}
}

func TestClientAddress(t *testing.T) {
	for _, x := range []struct {
		name    string
		proxies []string
		xff     []string
		want    string
	}{
		{"no proxy: headers are ignored", nil, []string{"203.0.113.9"}, "0.0.0.0"},
		{"the rightmost untrusted hop", []string{"0.0.0.0"}, []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"behind two proxies", []string{"0.0.0.0", "10.0.0.0/8"}, []string{"1.1.1.1, 203.0.113.9, 10.1.2.3"}, "203.0.113.9"},
		{"in two lines", []string{"0.0.0.0"}, []string{"1.1.1.1", "203.0.113.9"}, "203.0.113.9"},
		{"nonsense", []string{"0.0.0.0"}, []string{"203.0.113.9, unknown"}, "0.0.0.0"},
		{"no header", []string{"0.0.0.0"}, nil, "0.0.0.0"},
		{"IPv6 by its network", []string{"0.0.0.0"}, []string{"2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::"},
	} {
		s := demoServer(t, func(c *Config) { c.TrustedProxies = x.proxies })
		var got netip.Addr
		s.app.Get("/who", func(c *fiber.Ctx) error { got = s.clientAddress(c.Context()); return fiber.ErrNotFound })
		req, _ := http.NewRequest("GET", "/who", nil)
		req.Host = "kapdir.example"
		for _, h := range x.xff {
			req.Header.Add("X-Forwarded-For", h)
		}
		if _, err := s.app.Test(req); err != nil {
			t.Fatal(err)
		}
		if got.String() != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("an empty configuration was taken")
	}
	if _, err := parseProxies([]string{"proxy.internal"}); err == nil {
		t.Error("a name was taken as a proxy's address")
	}
}

func TestConfigRefused(t *testing.T) {
	w := demoWorld(t)
	good := Config{Reader: w.store, Search: w.index, Policies: directory.StandardPolicies(), BaseURL: "https://kapdir.example"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func(*Config){
		"no reader": func(c *Config) { c.Reader = nil }, "no search": func(c *Config) { c.Search = nil }, "no policies": func(c *Config) { c.Policies = nil },
		"no base": func(c *Config) { c.BaseURL = "" }, "a path for a base": func(c *Config) { c.BaseURL = "/x" }, "another scheme": func(c *Config) { c.BaseURL = "ftp://x" },
		"a query in the base": func(c *Config) { c.BaseURL = "https://x/?a=1" },
	} {
		c := good
		f(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

// The host of a request changes nothing that is answered.
func TestHostIsNotBelieved(t *testing.T) {
	s := demoServer(t, func(c *Config) { c.Demo = nil })
	amara := idOf(t, "Amara Whitcomb")
	for _, target := range []string{"/", pageOf(amara), api(amara), "/nothing"} {
		r := get(t, s, target, "X-Forwarded-Host", "evil.test", "X-Forwarded-Proto", "http", "X-Forwarded-For", "evil.test", "Forwarded", "host=evil.test", "X-Original-URL", "/evil.test", "X-Host", "evil.test")
		if strings.Contains(r.body, "evil.test") || strings.Contains(fmt.Sprint(r.Header), "evil.test") {
			t.Errorf("%s believes a header", target)
		}
	}
}

func TestMemoryOfARequestIsNotKept(t *testing.T) {
	s := demoServer(t)
	var texts []string
	s.cfg.Search = finder{Searcher: s.cfg.Search, search: func(_ context.Context, q search.Query) (search.Result, error) {
		q.Filters["language"] = append(q.Filters["language"], q.Text)
		texts = append(texts, q.Filters["language"]...)
		return search.Result{Total: 1, Hits: []search.Hit{{}}}, nil
	}}
	for i := range 50 {
		get(t, s, fmt.Sprintf("/api/v1/providers?q=word%02d&language=lang%02d", i, i))
	}
	for i := range 50 {
		if texts[2*i] != fmt.Sprintf("lang%02d", i) || texts[2*i+1] != fmt.Sprintf("word%02d", i) {
			t.Fatalf("request %d is remembered as %q", i, texts[2*i:2*i+2])
		}
	}
}

func BenchmarkSearchPage(b *testing.B) { benchmark(b, "/?q=trauma&state=CO") }

func BenchmarkSearchJSON(b *testing.B) { benchmark(b, "/api/v1/providers?q=trauma&state=CO") }

func BenchmarkProviderPage(b *testing.B) { benchmark(b, pageOf(idOf(b, "Amara Whitcomb"))) }

func BenchmarkProviderJSON(b *testing.B) { benchmark(b, api(idOf(b, "Amara Whitcomb"))) }

func benchmark(b *testing.B, target string) {
	s := demoServer(b)
	b.ReportAllocs()
	for b.Loop() {
		if r := get(b, s, target); r.StatusCode != 200 {
			b.Fatal(r.StatusCode)
		}
	}
}

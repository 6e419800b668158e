package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
	"kapdir/directory/store"
)

// partnersWorld is the demonstration's API with partners in a store of their own, whose time only the test moves.
type partnersWorld struct {
	t     testing.TB
	store *store.Store
	at    directory.Instant
	amara directory.ID
	*Server
}

func newPartners(t testing.TB, change ...func(*Config)) *partnersWorld {
	t.Helper()
	w := &partnersWorld{t: t, at: "2026-11-20T09:00:00.000Z", amara: idOf(t, "Amara Whitcomb")}
	now := func() time.Time { return w.at.Time() }
	var err error
	if w.store, err = store.Open(context.Background(), store.Config{Dir: t.TempDir(), Now: now, KeepRules: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	w.Server = demoServer(t, append([]func(*Config){func(c *Config) {
		c.Integrators, c.StaffNow, c.Keys, c.TrustedProxies = w.store, now, w.store, []string{"0.0.0.0"}
	}}, change...)...)
	return w
}

func (w *partnersWorld) partner(id directory.IntegratorID, origins ...directory.WebOrigin) {
	w.t.Helper()
	if _, err := w.store.AddIntegrator(context.Background(), directory.Integrator{ID: id, Name: string(id), Origins: origins}, "test", w.at); err != nil {
		w.t.Fatal(err)
	}
}

func (w *partnersWorld) key(of directory.IntegratorID, perMinute int, scopes ...directory.Scope) (text string, k directory.APIKey) {
	w.t.Helper()
	text, k, err := w.store.AddAPIKey(context.Background(), of, directory.APIKey{Name: "test", Scopes: scopes, PerMinute: perMinute, Expires: w.at.AddDays(30)}, "test", w.at)
	if err != nil {
		w.t.Fatal(err)
	}
	return text, k
}

// from asks as somebody of the address.
func from(address string, headers ...string) []string {
	return append([]string{"X-Forwarded-For", address}, headers...)
}

func bearing(key string, headers ...string) []string {
	return append([]string{"Authorization", "Bearer " + key}, headers...)
}

// anybodyRoutes are those that can be asked for without a key, with a question that each answers.
var anybodyRoutes = map[string]string{"/api/v1/providers": "?limit=1", "/api/v1/providers/:id": "", "/api/v1/suggest": "?q=bou", "/api/v1/sources": ""}

func (w *partnersWorld) target(pattern string) string {
	return strings.Replace(pattern, ":id", string(w.amara), 1) + anybodyRoutes[pattern]
}

// Anybody may ask a little for what needs no key, by address; suggestions have a limit of their own, and pages none.
func TestAnonymousLimit(t *testing.T) {
	w, doc := newPartners(t, func(c *Config) { c.AnonymousPerMinute = 4 }), document(t)
	for i, pattern := range []string{"/api/v1/providers", "/api/v1/providers/:id", "/api/v1/sources", "/api/v1/providers", "/api/v1/providers", "/api/v1/sources"} {
		r := get(t, w.Server, w.target(pattern), from("203.0.113.7")...)
		want := 200
		if i >= 4 {
			want = 429
		}
		if r.StatusCode != want || r.Header.Get("RateLimit-Policy") != `"anonymous";q=4;w=60` || !strings.HasPrefix(r.Header.Get("RateLimit"), fmt.Sprintf(`"anonymous";r=%d;t=`, max(0, 3-i))) {
			t.Errorf("request %d: %d, %q, %q", i, r.StatusCode, r.Header.Get("RateLimit-Policy"), r.Header.Get("RateLimit"))
		}
		if after := r.Header.Get("Retry-After"); (after != "") != (want == 429) || want == 429 && (after == "0" || r.Header.Get("RateLimit") != `"anonymous";r=0;t=`+after || r.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("request %d: Retry-After %q beside %q", i, after, r.Header.Get("RateLimit"))
		}
		conforms(t, doc, pattern, w.target(pattern), r)
	}
	if r := get(t, w.Server, "/api/v1/sources", from("203.0.113.8")...); r.StatusCode != 200 {
		t.Errorf("another address: %d", r.StatusCode)
	}
	for i := range 21 {
		r := get(t, w.Server, w.target("/api/v1/suggest"), from("203.0.113.7")...)
		if (r.StatusCode == 200) != (i < 20) || r.Header.Get("RateLimit-Policy") != `"suggest";q=20;w=60` {
			t.Errorf("suggestion %d: %d", i, r.StatusCode)
		}
	}
	for _, page := range []string{"/", pageOf(w.amara), "/sources", "/openapi.yaml"} {
		if r := get(t, w.Server, page, from("203.0.113.7")...); r.StatusCode != 200 || r.Header.Get("RateLimit") != "" {
			t.Errorf("%s: %d, %q", page, r.StatusCode, r.Header.Get("RateLimit"))
		}
	}
	// A key has a limit of its own, whatever its address has asked; one that is none has the address's.
	w.partner("acme")
	key, _ := w.key("acme", 2, directory.ScopeRead)
	for i, want := range []int{200, 200, 429} {
		r := get(t, w.Server, "/api/v1/sources", from("203.0.113.7", bearing(key)...)...)
		if r.StatusCode != want || r.Header.Get("RateLimit-Policy") != `"key";q=2;w=60` || !strings.HasPrefix(r.Header.Get("RateLimit"), fmt.Sprintf(`"key";r=%d;t=`, max(0, 1-i))) {
			t.Errorf("with a key, request %d: %d, %q", i, r.StatusCode, r.Header.Get("RateLimit"))
		}
	}
	if r := get(t, w.Server, "/api/v1/sources", from("203.0.113.7", bearing("kap_live_x")...)...); r.StatusCode != 429 || r.Header.Get("RateLimit-Policy") != `"anonymous";q=4;w=60` {
		t.Errorf("with a key that is none: %d", r.StatusCode)
	}
}

// Whoever asks with a key that is not good, or for what it has no right to, gets a problem that says which; a good one
// gets the bytes that everybody gets.
func TestKeysOfPartners(t *testing.T) {
	ctx := context.Background()
	w, doc := newPartners(t), document(t)
	w.partner("acme")
	w.partner("gone")
	good, k := w.key("acme", 0, directory.ScopeRead)
	other, _ := w.key("acme", 0, directory.ScopeRead)
	narrow, _ := w.key("acme", 0, directory.ScopeHooks, directory.ScopeExport)
	ended, endedKey := w.key("acme", 0, directory.ScopeRead)
	over, _ := w.key("gone", 0, directory.ScopeRead)
	old, oldKey := w.key("acme", 0, directory.ScopeRead)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.store.EndAPIKey(ctx, "acme", endedKey.ID, "test", w.at)
	must(err)
	_, err = w.store.EndIntegrator(ctx, "gone", "test", w.at)
	must(err)
	next, _, err := w.store.RotateAPIKey(ctx, "acme", oldKey.ID, directory.KeyOverlap, "test", w.at)
	must(err)
	check := func(what, key string, want int) {
		t.Helper()
		for pattern := range anybodyRoutes {
			r := get(t, w.Server, w.target(pattern), bearing(key)...)
			challenge := map[int]string{200: "", 401: `Bearer realm="kapdir", error="invalid_token"`, 403: `Bearer realm="kapdir", error="insufficient_scope", scope="read"`}[want]
			if r.StatusCode != want || r.Header.Get("WWW-Authenticate") != challenge {
				t.Errorf("%s, %s: %d, want %d; %q", what, pattern, r.StatusCode, want, r.Header.Get("WWW-Authenticate"))
			}
			if want != 200 && (r.Header.Get("Content-Type") != "application/problem+json" || r.Header.Get("Cache-Control") != "no-store" || strings.Contains(r.body, key)) {
				t.Errorf("%s, %s: %s %s", what, pattern, r.Header.Get("Content-Type"), r.body)
			}
			if got := r.Header.Get("Vary"); !strings.Contains(got, "Origin") || !strings.Contains(got, "Authorization") || !strings.Contains(got, "Accept-Encoding") {
				t.Errorf("%s, %s: Vary %q", what, pattern, got)
			}
			conforms(t, doc, pattern, w.target(pattern), r)
		}
	}
	check("a good key", good, 200)
	check("a key in its overlap", old, 200)
	check("the key in its place", next, 200)
	check("another right", narrow, 403)
	check("an ended key", ended, 401)
	check("a key of a partner that ended", over, 401)
	check("the id of one and the secret of another", good[:len("kap_live_")+27]+other[len("kap_live_")+27:], 401)
	check("a secret of another length", good+"0", 401)
	check("no key at all", "nothing-of-ours", 401)
	check("a key that nobody has", directory.KeyText("key_00000000000000000000000009", directory.NewKeySecret()), 401)
	w.at = w.at.AddDays(7)
	check("a key after its overlap", old, 401)
	w.at = w.at.AddDays(23)
	check("a key that ran out", good, 401)
	w.at = w.at.AddDays(-30)

	// The same to everybody, with a key and without.
	for pattern := range anybodyRoutes {
		a, b := get(t, w.Server, w.target(pattern)), get(t, w.Server, w.target(pattern), bearing(good)...)
		if d := cmp.Diff(a.body, b.body); d != "" {
			t.Errorf("%s: a partner is told another thing (-public +partner):\n%s", pattern, d)
		}
	}
	// A partner's key is no staff key, and what was known before stays for staff.
	if r := get(t, w.Server, w.target("/api/v1/providers/:id")+"?known=2026-11-01", bearing(good)...); r.StatusCode != 401 {
		t.Errorf("what was known then, with a partner's key: %d", r.StatusCode)
	}
	if r := get(t, w.Server, w.target("/api/v1/providers/:id"), "Authorization", "Basic QTpC"); r.StatusCode != 200 {
		t.Errorf("what a proxy may have sent: %d", r.StatusCode)
	}
	if r := get(t, w.Server, "/", bearing("kap_live_x")...); r.StatusCode != 200 {
		t.Errorf("a page, with a key that is none: %d", r.StatusCode)
	}

	// One that is ended is refused within a second, though it was good a moment ago; at once where it was ended here.
	check("a good key", good, 200)
	_, err = w.store.EndAPIKey(ctx, "acme", k.ID, "test", w.at)
	must(err)
	for deadline := time.Now().Add(keyFor + 5*time.Second); get(t, w.Server, "/api/v1/sources", bearing(good)...).StatusCode != 401; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a key that was ended is good for longer")
		}
	}
	w.door.ring.forget()
	check("an ended key", good, 401)
}

// Without anybody who knows keys there is none that is good, and anybody may ask as before.
func TestNoIntegrators(t *testing.T) {
	s := demoServer(t)
	if r := get(t, s, "/api/v1/sources", bearing(directory.KeyText("key_00000000000000000000000009", directory.NewKeySecret()))...); r.StatusCode != 401 {
		t.Errorf("with a key: %d", r.StatusCode)
	}
	if r := get(t, s, "/api/v1/sources", "Origin", "https://acme.example"); r.StatusCode != 200 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %q", r.StatusCode, r.Header.Get("Access-Control-Allow-Origin"))
	}
	if err := s.WriteUsage(context.Background()); err != nil {
		t.Error(err)
	}
}

// A page elsewhere may ask if an active partner registered its origin; with a key, if that partner did. Nothing is
// allowed to everybody, and no cookie.
func TestOriginsOfPartners(t *testing.T) {
	w := newPartners(t)
	w.partner("acme", "https://acme.example", "http://localhost:8000")
	w.partner("beta", "https://beta.example:8443")
	w.partner("gone", "https://gone.example")
	if _, err := w.store.EndIntegrator(context.Background(), "gone", "test", w.at); err != nil {
		t.Fatal(err)
	}
	acme, _ := w.key("acme", 0, directory.ScopeRead)
	for _, x := range []struct {
		origin            string
		anybody, withAcme bool
	}{
		{"https://acme.example", true, true},
		{"http://localhost:8000", true, true},
		{"https://beta.example:8443", true, false},
		{"https://beta.example", false, false},
		{"https://gone.example", false, false},
		{"http://acme.example", false, false},
		{"https://acme.example:443", false, false}, // no browser writes it so
		{"https://acme.example.evil.example", false, false},
		{"https://evil.example", false, false},
		{"HTTPS://ACME.EXAMPLE", false, false},
		{"null", false, false},
		{"*", false, false},
	} {
		for pattern := range anybodyRoutes {
			look := func(what string, want bool, r reply) {
				t.Helper()
				got := r.Header.Get("Access-Control-Allow-Origin")
				if (got == x.origin) != want || got != "" && !want || r.Header.Get("Access-Control-Allow-Credentials") != "" || len(r.Header.Values("Access-Control-Allow-Origin")) > 1 {
					t.Errorf("%s, %s, %s: %q", x.origin, pattern, what, got)
				}
				if want && !strings.Contains(r.Header.Get("Access-Control-Expose-Headers"), "RateLimit") {
					t.Errorf("%s, %s, %s: a page may not read the limits", x.origin, pattern, what)
				}
				if !strings.Contains(r.Header.Get("Vary"), "Origin") {
					t.Errorf("%s, %s, %s: Vary %q", x.origin, pattern, what, r.Header.Get("Vary"))
				}
			}
			look("without a key", x.anybody, get(t, w.Server, w.target(pattern), "Origin", x.origin))
			look("with a key", x.withAcme, get(t, w.Server, w.target(pattern), bearing(acme, "Origin", x.origin)...))
			look("with a key that is none", x.anybody, get(t, w.Server, w.target(pattern), bearing("kap_live_x", "Origin", x.origin)...))
		}
		if r := get(t, w.Server, "/", "Origin", x.origin); r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: a page for people: %q", x.origin, r.Header.Get("Access-Control-Allow-Origin"))
		}
	}
}

// What a browser asks before it sends a key is answered for registered origins and routes of the API, and for nothing
// else: there OPTIONS stays a method that we do not know.
func TestPreflight(t *testing.T) {
	w := newPartners(t)
	w.partner("acme", "https://acme.example")
	client := &http.Client{Timeout: 10 * time.Second}
	addr := running(t, w.Server)
	for _, x := range []struct {
		name, target string
		headers      []string
		want         int
	}{
		{"a registered origin", "/api/v1/providers", []string{"Origin", "https://acme.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization"}, 204},
		{"one provider", w.target("/api/v1/providers/:id"), []string{"Origin", "https://acme.example", "Access-Control-Request-Method", "GET"}, 204},
		{"to write", "/api/v1/providers", []string{"Origin", "https://acme.example", "Access-Control-Request-Method", "DELETE"}, 204},
		{"another origin", "/api/v1/providers", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "GET"}, 405},
		{"no origin", "/api/v1/providers", []string{"Access-Control-Request-Method", "GET"}, 405},
		{"no preflight", "/api/v1/providers", []string{"Origin", "https://acme.example"}, 405},
		{"a page", "/", []string{"Origin", "https://acme.example", "Access-Control-Request-Method", "GET"}, 405},
		{"the desk", "/staff", []string{"Origin", "https://acme.example", "Access-Control-Request-Method", "GET"}, 405},
		{"no route", "/api/v1/nothing", []string{"Origin", "https://acme.example", "Access-Control-Request-Method", "GET"}, 405},
		{"another spelling", "/API/v1/providers", []string{"Origin", "https://acme.example", "Access-Control-Request-Method", "GET"}, 405},
	} {
		req, err := http.NewRequest(http.MethodOptions, "http://"+addr+x.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(x.headers); i += 2 {
			req.Header.Set(x.headers[i], x.headers[i+1])
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		r := read(t, res)
		allowed := ""
		if x.want == 204 {
			allowed = "https://acme.example"
		}
		if r.StatusCode != x.want || r.Header.Get("Access-Control-Allow-Origin") != allowed || r.Header.Get("Access-Control-Allow-Credentials") != "" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", x.name, r.StatusCode, r.Header)
		}
		if x.want == 204 && (r.Header.Get("Access-Control-Allow-Methods") != "GET" || r.Header.Get("Access-Control-Allow-Headers") != "Authorization, If-None-Match" || r.body != "") {
			t.Errorf("%s: %v %q", x.name, r.Header, r.body)
		}
	}
}

// flaky cannot write for a while.
type flaky struct {
	Integrators
	fails bool
}

func (f *flaky) AddKeyUsage(ctx context.Context, list []directory.KeyUsage) error {
	if f.fails {
		return errors.New("not now")
	}
	return f.Integrators.AddKeyUsage(ctx, list)
}

// What keys ask for is counted by day and route, refused requests too, and nothing is lost while it cannot be written.
// Of whoever asks without a key nothing is counted.
func TestUsageOfKeys(t *testing.T) {
	ctx := context.Background()
	f := &flaky{fails: true}
	w := newPartners(t, func(c *Config) {
		f.Integrators = c.Integrators
		c.Integrators = f
	})
	w.partner("acme")
	key, k := w.key("acme", 5, directory.ScopeRead)
	narrow, n := w.key("acme", 0, directory.ScopeExport)
	for range 3 {
		get(t, w.Server, "/api/v1/providers?q=zqxjkvtoken", bearing(key)...)
	}
	get(t, w.Server, w.target("/api/v1/providers/:id"), bearing(key)...)
	get(t, w.Server, w.target("/api/v1/providers/:id"), bearing(narrow)...)
	get(t, w.Server, "/api/v1/sources")
	if err := w.WriteUsage(ctx); err == nil {
		t.Error("what could not be written is not told")
	}
	f.fails = false
	get(t, w.Server, "/api/v1/sources", bearing(key)...)
	get(t, w.Server, "/api/v1/sources", bearing(key)...) // the one too many
	for range 2 {
		if err := w.WriteUsage(ctx); err != nil {
			t.Fatal(err)
		}
	}
	w.at = w.at.AddDays(1)
	get(t, w.Server, "/api/v1/sources", bearing(narrow)...)
	if err := w.WriteUsage(ctx); err != nil {
		t.Fatal(err)
	}
	got, err := w.store.KeyUsage(ctx, "acme", "2026-11-01", "2026-11-30")
	if err != nil {
		t.Fatal(err)
	}
	want := []directory.KeyUsage{{Key: n.ID, Day: "2026-11-21", Route: "/api/v1/sources", Count: 1, Refused: 1}, {Key: k.ID, Day: "2026-11-20", Route: "/api/v1/providers", Count: 3},
		{Key: k.ID, Day: "2026-11-20", Route: "/api/v1/providers/:id", Count: 1}, {Key: k.ID, Day: "2026-11-20", Route: "/api/v1/sources", Count: 2, Refused: 1},
		{Key: n.ID, Day: "2026-11-20", Route: "/api/v1/providers/:id", Count: 1, Refused: 1}}
	if n.ID < k.ID { // made in one millisecond
		want = []directory.KeyUsage{want[0], want[4], want[1], want[2], want[3]}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Every route of the API is registered with a right, and says its limits also where nothing is there.
func TestEveryAPIRouteHasADoor(t *testing.T) {
	s := demoServer(t)
	for _, p := range patternsOf(s, http.MethodGet, http.MethodPost) {
		if strings.HasPrefix(p, "/api/") {
			target, method := strings.ReplaceAll(p, ":id", "nobody"), http.MethodGet
			if slices.Contains(deeds, p) {
				method = http.MethodPost
			}
			if r := do(t, s, method, target); r.Header.Get("RateLimit") == "" || r.Header.Get("RateLimit-Policy") == "" || !strings.Contains(r.Header.Get("Vary"), "Origin") {
				t.Errorf("%s has no door: %d %v", p, r.StatusCode, r.Header)
			}
		}
	}
}

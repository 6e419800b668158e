package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
	"kapdir/directory/store"
)

// gateWorld is a desk with a store of its own, whose time only the test moves.
type gateWorld struct {
	t     testing.TB
	store *store.Store
	at    directory.Instant
	*Server
}

// newGate serves the demonstration's public pages beside a desk with somebody of each role: view, verify, approve
// and admin.
func newGate(t testing.TB, change ...func(*Config)) *gateWorld {
	t.Helper()
	w := &gateWorld{t: t, at: "2026-11-20T09:00:00.000Z"}
	var err error
	if w.store, err = store.Open(context.Background(), store.Config{Dir: t.TempDir(), Now: func() time.Time { return w.at.Time() }, KeepRules: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.store.Close() })
	for name, role := range map[string]directory.Role{"view": directory.Viewer, "verify": directory.Verifier, "approve": directory.Approver, "admin": directory.Admin} {
		w.hire(name, role)
	}
	w.Server = demoServer(t, append([]func(*Config){func(c *Config) {
		c.SignIn, c.StaffNow = w.store, func() time.Time { return w.at.Time() }
	}}, change...)...)
	return w
}

func (w *gateWorld) hire(name string, role directory.Role) {
	w.t.Helper()
	if _, err := w.store.ChangeStaff(context.Background(), directory.StaffChange{Name: name, Do: "add", Role: role, By: "test", Auth: "test"}); err != nil {
		w.t.Fatal(err)
	}
}

// session signs somebody in and returns the secret.
func (w *gateWorld) session(name string) string {
	w.t.Helper()
	secret, _, err := w.store.StartSession(context.Background(), name, "test", w.at)
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

// identity is who a request of the matrix says it is.
type identity struct {
	name   string
	secret string
	role   directory.Role // "" where nobody must be let in
	recent bool
}

// identities are everybody, and everybody who is nobody any more. All of them are made before the time moves, but for
// those who must be live at the end of it.
func (w *gateWorld) identities() []identity {
	ctx := context.Background()
	must := func(err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
	out := []identity{{name: "anonymous"}, {name: "garbage", secret: "x"}, {name: "empty token", secret: strings.Repeat("A", 43)}}
	for _, name := range []string{"spent", "gone", "lowered", "renewed"} {
		w.hire(name, directory.Admin)
	}
	out = append(out, identity{name: "absolute end", secret: w.session("admin")})
	for range 48 { // for eight hours somebody does something every ten minutes
		w.at = w.at.Add(10 * time.Minute)
		if _, ok, err := w.store.Session(ctx, out[len(out)-1].secret, w.at); err != nil || ok != (w.at < "2026-11-20T17:00:00.000Z") {
			w.t.Fatalf("at %s: %v %v", w.at, ok, err)
		}
	}
	out = append(out, identity{name: "idle", secret: w.session("admin")})
	w.at = w.at.Add(directory.SessionIdle)
	for _, m := range []struct {
		name string
		role directory.Role
	}{{"view", directory.Viewer}, {"verify", directory.Verifier}, {"approve", directory.Approver}, {"admin", directory.Admin}} {
		out = append(out, identity{name: m.name + " of a while ago", secret: w.session(m.name), role: m.role})
	}
	revoked := w.session("spent")
	_, err := w.store.EndSessions(ctx, "spent", "", "admin", w.at)
	must(err)
	old := w.session("renewed")
	w.at = w.at.Add(directory.SessionProof)
	young, _, err := w.store.RenewSession(ctx, old, "test", w.at)
	must(err)
	for _, name := range []string{"view", "verify", "approve", "admin"} {
		i := slices.IndexFunc(out, func(x identity) bool { return x.name == name+" of a while ago" })
		out = append(out, identity{name: name, secret: w.session(name), role: out[i].role, recent: true})
	}
	disabled, lowered := w.session("gone"), w.session("lowered")
	_, err = w.store.ChangeStaff(ctx, directory.StaffChange{Name: "gone", Do: "disable", By: "test", Auth: "test"})
	must(err)
	w.hire("lowered", directory.Viewer)
	return append(out, identity{name: "revoked", secret: revoked}, identity{name: "disabled", secret: disabled}, identity{name: "secret before a proof", secret: old},
		identity{name: "after a proof", secret: young, role: directory.Admin, recent: true}, identity{name: "now a viewer", secret: lowered, role: directory.Viewer, recent: true})
}

// cameFrom is what a browser, or something else, says about where a request comes from.
type cameFrom struct {
	name    string
	headers []string
	foreign bool
}

var origins = []cameFrom{
	{"own page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://kapdir.example"}, false},
	{"own page, no Sec-Fetch-Site", []string{"Origin", "https://kapdir.example"}, false},
	{"typed", []string{"Sec-Fetch-Site", "none"}, false},
	{"no browser", nil, false},
	{"another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, true},
	{"a neighbour", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://www.kapdir.example"}, true},
	{"another site, no Sec-Fetch-Site", []string{"Origin", "https://evil.example"}, true},
	{"a sandbox, no Sec-Fetch-Site", []string{"Origin", "null"}, true},
	{"another port, no Sec-Fetch-Site", []string{"Origin", "https://kapdir.example:8443"}, true},
	{"another site that says it is ours", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://kapdir.example"}, true},
}

var everyMethod = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW"}

// send sends one request past the network, with the path as it is, and returns the status.
func (w *gateWorld) send(method, target, secret, form string, headers ...string) int {
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.Header.SetHost("kapdir.example")
	req.SetRequestURI(target)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if secret != "" {
		req.Header.Set("Cookie", sessionCookie+"="+secret)
	}
	if method == "POST" {
		req.Header.Set("Content-Type", fiber.MIMEApplicationForm)
		req.SetBodyString(form)
	}
	var rc fasthttp.RequestCtx
	rc.Init(&req, nil, nil)
	w.App().Server().Handler(&rc)
	if got := string(rc.Response.Header.Peek("Cache-Control")); got != "no-store" {
		w.t.Errorf("%s %s: Cache-Control %q", method, target, got)
	}
	return rc.Response.StatusCode()
}

// probed is the desk of the table with every handler replaced by one that notes that it was reached: what passes is
// what the table and its guards let pass, whatever handlers do.
func probed(t testing.TB) (w *gateWorld, reached func() string) {
	w = newGate(t, func(c *Config) { c.SignIn = nil })
	w.cfg.SignIn = w.store
	var last string
	rows := slices.Clone(staffRoutes)
	for i, r := range rows {
		rows[i].do = func(_ *Server, c *fiber.Ctx, who *staffSession) error {
			last = r.method + " " + r.pattern
			return c.SendStatus(http.StatusNoContent)
		}
	}
	if err := w.staff(rows); err != nil {
		t.Fatal(err)
	}
	w.App().Handler() // sorts in what came after New
	return w, func() string { defer func() { last = "" }(); return last }
}

// pathOf is an address of the pattern.
func pathOf(pattern string) string {
	parts := strings.Split(pattern, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = "cas_0t4226zr07h84yxqc6vjzhw56g"
		}
	}
	return strings.Join(parts, "/")
}

// Every route of the desk, with every method, for everybody and everybody who is nobody any more, from everywhere:
// what the table does not let pass does not pass, and what it does, does.
func TestDeskMatrix(t *testing.T) {
	w, reached := probed(t)
	people := w.identities()
	other := tokenOf(w.session("admin"))
	passed, refused := 0, 0
	for _, pattern := range patternsOfDesk() {
		for _, method := range everyMethod {
			row := rowOf(method, pattern)
			from, tokens := origins, 1
			switch method {
			case "POST":
				tokens = 3
			case "GET", "HEAD":
			default:
				from = origins[:1]
			}
			for _, from := range from {
				for _, p := range people {
					for _, token := range []string{tokenOf(p.secret), "", other}[:tokens] {
						may := row != nil && (p.role != "" && slices.Contains(row.may, p.role) || row.needs&open != 0) &&
							(row.needs&recent == 0 || p.recent) && !(from.foreign && (method == "POST" || row.needs&open == 0)) &&
							(method != "POST" || p.role == "" || token == tokenOf(p.secret))
						status := w.send(method, pathOf(pattern), p.secret, "token="+token, from.headers...)
						got := reached()
						if (got != "") != may {
							t.Errorf("%s %s as %s, %s, token %q: reached %q, status %d; may %v", method, pattern, p.name, from.name, token, got, status, may)
						}
						if may {
							passed++
						} else if refused++; status < 300 || status >= 500 {
							t.Errorf("%s %s as %s, %s: refused with %d", method, pattern, p.name, from.name, status)
						}
					}
				}
			}
		}
	}
	t.Logf("%d passed, %d refused", passed, refused)
	if passed < 1000 || refused < 3*passed {
		t.Errorf("%d passed and %d were refused: that is no matrix", passed, refused)
	}
}

// However a path is spelt, it is that of the table or none.
func TestDeskSpellings(t *testing.T) {
	w, reached := probed(t)
	people := w.identities()
	tried := 0
	for _, pattern := range patternsOfDesk() {
		for _, method := range []string{"GET", "POST"} {
			for _, p := range people {
				if !slices.Contains([]string{"anonymous", "view", "admin", "idle"}, p.name) {
					continue
				}
				for _, target := range spellings(pathOf(pattern)) {
					w.send(method, target, p.secret, "token="+tokenOf(p.secret), "Sec-Fetch-Site", "same-origin")
					if got := reached(); got != "" {
						path, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(target, "http://kapdir.example"), "http://evil.example"), "?") // a whole address is the path in it
						path, _, _ = strings.Cut(path, "#")
						_, taken, _ := strings.Cut(got, " ")
						row := rowOf(method, taken)
						if !spelt(path, taken) || row == nil || row.needs&open == 0 && !slices.Contains(row.may, p.role) || row.needs&recent != 0 && !p.recent {
							t.Errorf("%s %s as %s reached %s", method, target, p.name, got)
						}
					}
					tried++
				}
			}
		}
	}
	if tried < 5_000 {
		t.Errorf("only %d spellings were tried", tried)
	}
}

// spelt reports that a path is the pattern letter by letter; where the pattern has a parameter, whatever stands between
// two slashes.
func spelt(path, pattern string) bool {
	a, b := strings.Split(path, "/"), strings.Split(pattern, "/")
	for i := range b {
		if len(a) != len(b) || a[i] != b[i] && !strings.HasPrefix(b[i], ":") || a[i] == "" && b[i] != "" {
			return false
		}
	}
	return true
}

// spellings are other ways to write a path that something between the browser and us may take for the same.
func spellings(path string) []string {
	out := []string{path + "?x=1", path + "#x", path + "/", path + "//", path + "/.", path + "/..", path + "/../" + path[1:], path + "%2f", path + "/%2e", path + "%00", path + "%20", path + ".", path + ";x=1", path + ".html", path + "\\",
		"/" + path, "//" + path, "/." + path, "/x/.." + path, "/%2e" + path, "/x/%2e%2e" + path, "/x/%2e%2e%2f" + path[1:], "/es" + path, "/api/v1" + path, "\\" + path[1:],
		strings.ToUpper(path), "/S" + path[2:], strings.ReplaceAll(path, "/", "//"), strings.ReplaceAll(path, "/", "/./"), strings.ReplaceAll(path, "/", "\\"), strings.ReplaceAll(path, "/", "%2f"), strings.ReplaceAll(path, "/", "%5c"),
		strings.Replace(path, "s", "ſ", 1), strings.Replace(path, "a", "а", 1), "http://kapdir.example" + path, "http://evil.example" + path, path[1:]}
	for i := 1; i < len(path); i++ {
		if path[i] != '/' {
			out = append(out, path[:i]+fmt.Sprintf("%%%02x", path[i])+path[i+1:], path[:i]+fmt.Sprintf("%%25%02x", path[i])+path[i+1:])
		}
	}
	return append(out, url.PathEscape(path))
}

func patternsOfDesk() (out []string) {
	for _, r := range staffRoutes {
		if !slices.Contains(out, r.pattern) {
			out = append(out, r.pattern)
		}
	}
	return out
}

func rowOf(method, pattern string) *staffRoute {
	if method == "HEAD" {
		method = "GET"
	}
	for _, r := range staffRoutes {
		if r.method == method && r.pattern == pattern {
			return &r
		}
	}
	return nil
}

// strays are the registered routes that could answer for a path beneath /staff and are not of the table.
func strays(s *Server) (out []string) {
	for _, r := range s.App().GetRoutes() { // those of Use as well
		if rowOf(r.Method, r.Path) != nil {
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
		takes := strings.Contains(strings.ToLower(r.Path), "/staff") || strings.ContainsAny(first, ":*+")
		if takes {
			out = append(out, r.Method+" "+r.Path)
		}
	}
	return out
}

// Nothing answers beneath /staff but what is in the table, and all of the table does; each row says who may.
func TestDeskIsItsTable(t *testing.T) {
	w := newGate(t)
	if got := strays(w.Server); len(got) > 0 {
		t.Errorf("not of the table: %v", got)
	}
	for _, add := range []func(){
		func() { w.App().Get("/staff/secret", w.livez) },
		func() { w.App().Post("/:any/thing", w.livez) },
		func() { w.App().Get("/es/staff/*", w.livez) },
		func() { w.App().Group("/staff").Get("/more", w.livez) },
	} {
		before := len(strays(w.Server))
		if add(); len(strays(w.Server)) == before {
			t.Error("a route beneath /staff that is not of the table was not noticed")
		}
	}
	w = newGate(t)
	registered := map[string]bool{}
	for _, r := range w.App().GetRoutes(true) {
		registered[r.Method+" "+r.Path] = true
	}
	seen := map[string]bool{}
	for _, r := range staffRoutes {
		key := r.method + " " + r.pattern
		if !registered[key] || seen[key] || r.do == nil || r.method != "GET" && r.method != "POST" {
			t.Errorf("%s: registered %v, twice %v, or it has no handler or another method", key, registered[key], seen[key])
		}
		seen[key] = true
		for _, m := range r.may {
			if _, err := directory.ParseRole(string(m)); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	}
	for _, bad := range []staffRoute{
		{"GET", "/staff/nobody", nil, 0, (*Server).staffIndex, ""},
		{"GET", "/staff/both", everyRole, open, (*Server).staffIndex, ""},
		{"GET", "/elsewhere", everyRole, 0, (*Server).staffIndex, ""},
		{"GET", "/staffing", everyRole, 0, (*Server).staffIndex, ""},
	} {
		s := demoServer(t)
		s.cfg.SignIn = w.store
		if err := s.staff([]staffRoute{bad}); err == nil {
			t.Errorf("%s %s was registered", bad.method, bad.pattern)
		}
	}
	if r := get(t, demoServer(t), "/staff"); r.StatusCode != 404 {
		t.Errorf("a server without a desk: %d", r.StatusCode)
	}
}

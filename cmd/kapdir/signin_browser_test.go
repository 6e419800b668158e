package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/web"
	"kapdir/search"
)

// deskServer serves an empty directory with a desk, whose time only the test moves, at the name localhost without
// https, as a newcomer does.
type deskServer struct {
	url   string
	store *store.Store
	at    atomic.Pointer[time.Time]
}

func (s *deskServer) now() time.Time             { return *s.at.Load() }
func (s *deskServer) later(d time.Duration)      { t := s.now().Add(d); s.at.Store(&t) }
func (s *deskServer) instant() directory.Instant { return directory.At(s.now()) }

func serveDesk(t *testing.T, addr string) *deskServer {
	t.Helper()
	s := &deskServer{}
	begun := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	s.at.Store(&begun)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var err error
	if s.store, err = store.Open(ctx, store.Config{Dir: dir, Now: s.now}); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	index, err := search.Open(ctx, search.Config{Dir: dir + "/index", Feed: s.store, Files: s.store.Files, Policies: s.store.Policies(), Now: s.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := web.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ := net.SplitHostPort(addr)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	s.url = "http://" + net.JoinHostPort(host, port)
	srv, err := web.New(web.Config{Reader: s.store, Search: index, Policies: s.store.Policies(), SignIn: s.store, Desk: s.store, Integrators: s.store, StaffNow: s.now, BaseURL: s.url, Now: s.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		index.Close()
		s.store.Close()
	})
	for name, role := range map[string]directory.Role{"rowan": directory.Verifier, "noor": directory.Admin} {
		if _, err := s.store.ChangeStaff(ctx, directory.StaffChange{Name: name, Do: "add", Role: role, By: "test", Auth: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *deskServer) invite(t *testing.T, name string) string {
	t.Helper()
	code, _, err := s.store.Invite(t.Context(), name, false, "test", s.instant())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// looks checks the page by axe-core and that it does not scroll sideways, on a phone by day and at a desk by night.
func (v *visitor) looks(source string) {
	v.t.Helper()
	at := js[string](v, `location.pathname`)
	for _, look := range []struct {
		width  int64
		scheme string
	}{{360, "light"}, {1280, "dark"}} {
		v.do(chromedp.EmulateViewport(look.width, 900))
		call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
		js[bool](v, source+`; true`)
		if found := js[string](v, axeRun); found != "" {
			v.t.Errorf("%s, %d px, %s:\n%s", at, look.width, look.scheme, found)
		}
		if js[bool](v, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
			v.t.Errorf("%s scrolls sideways at %d px", at, look.width)
		}
		if png, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(90)); err == nil {
			keep(v.t, fmt.Sprintf("desk%s-%d.png", strings.ReplaceAll(at, "/", "-"), look.width), png)
		}
	}
}

func (v *visitor) fill(selector, text string) {
	v.t.Helper()
	v.do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.SetValue(chromedp.CSS(selector), text))
}

func (v *visitor) at(path string) {
	v.t.Helper()
	v.until(`location.pathname === "` + path + `" && document.readyState === "complete"`)
}

// In a real browser, at localhost without https: a person enrols with an app for codes, signs out and in, is signed
// out when idle, and no public page knows of it.
func TestBrowserSignIn(t *testing.T) {
	axe := axeSource(t)
	s := serveDesk(t, "localhost:0")
	v := visit(t, s.url, 1280, true)
	v.do(chromedp.Navigate(s.url + "/staff"))
	v.at("/staff/sign-in")
	v.looks(axe)
	v.do(chromedp.Navigate(s.url + "/staff/enrol#" + s.invite(t, "rowan")))
	v.at("/staff/enrol")
	v.looks(axe)
	if at := js[string](v, `location.href`); strings.Contains(at, "#") {
		t.Errorf("the code stays in the address: %s", at)
	}
	v.do(chromedp.Click(chromedp.CSS("main button")))
	v.until(`!!document.querySelector("#secret")`)
	v.looks(axe)
	secret := v.text("#secret")
	code := func() string {
		t.Helper()
		c, err := totp.GenerateCode(secret, s.now())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const password = "four grey herons at noon"
	v.fill("#new", password)
	v.fill("#again", password)
	v.fill("#code", code())
	v.do(chromedp.Submit(chromedp.CSS("#code")))
	v.at("/staff")
	if said := v.text("header"); !strings.Contains(said, "rowan, verifier") {
		t.Errorf("the header says %q", said)
	}
	v.looks(axe)
	if got := js[string](v, `document.cookie`); got != "" {
		t.Errorf("a script sees cookies: %s", got)
	}
	cookies, err := chromedp.Call(v.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, k := range cookies.Cookies {
		names[k.Name] = k.Secure && k.HTTPOnly && k.Path == "/" && string(k.SameSite) == "Strict"
	}
	if !names["__Host-kapdir-staff"] || !names["__Host-kapdir-device"] || len(names) != 2 {
		t.Errorf("cookies %v", names)
	}
	v.do(chromedp.Navigate(s.url + "/"))
	if page := js[string](v, `document.documentElement.outerHTML`); strings.Contains(page, "rowan") || strings.Contains(page, "/staff") {
		t.Error("a public page knows who is signed in")
	}

	for _, path := range []string{"/staff/account", "/staff/account/sign-in"} {
		v.do(chromedp.Navigate(s.url + path))
		v.at(path)
		v.looks(axe)
	}
	s.later(directory.SessionProof)
	v.do(chromedp.Navigate(s.url + "/staff/account"))
	v.at("/staff/prove")
	v.looks(axe)
	v.fill("#password", password)
	v.fill("#code", code())
	v.do(chromedp.Submit(chromedp.CSS("#code")))
	v.at("/staff/account")

	v.do(chromedp.Click(chromedp.CSS(`form[action="/staff/sign-out"] button`)))
	v.at("/staff/sign-in")
	v.do(chromedp.Navigate(s.url + "/staff"))
	v.at("/staff/sign-in")
	s.later(time.Minute)
	signIn := func() {
		t.Helper()
		v.fill("#name", "rowan")
		v.fill("#password", password)
		v.fill("#code", code())
		v.do(chromedp.Submit(chromedp.CSS("#code")))
	}
	signIn()
	v.at("/staff")
	s.later(directory.SessionIdle)
	v.do(chromedp.Navigate(s.url + "/staff"))
	v.at("/staff/sign-in")
	signIn()
	v.at("/staff")
	s.later(time.Minute)
	v.do(chromedp.Navigate(s.url + "/staff/people"))
	v.until(`document.body.innerText.includes("That is not for the role verifier")`)
	v.looks(axe)
	v.alone()
}

// In a real browser: a person enrols with a passkey, signs in with it, adds another and proves with it who they are;
// an admin's page stands the same tests.
func TestBrowserPasskey(t *testing.T) {
	axe := axeSource(t)
	s := serveDesk(t, "localhost:0")
	v := visit(t, s.url, 1280, true)
	v.do(chromedp.Navigate(s.url + "/staff/enrol"))
	if _, err := chromedp.Call(v.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	key, err := chromedp.Call(v.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		t.Fatal(err)
	}
	v.fill("#invite", s.invite(t, "noor"))
	v.do(chromedp.Click(chromedp.CSS("main button")))
	v.until(`!!document.querySelector("[data-passkey=create]:not([hidden])")`)
	v.do(chromedp.Click(chromedp.CSS("[data-passkey=create] button")))
	v.at("/staff")
	v.do(chromedp.Click(chromedp.CSS(`form[action="/staff/sign-out"] button`)))
	v.at("/staff/sign-in")
	v.do(chromedp.Click(chromedp.CSS("[data-passkey=get] button")))
	v.at("/staff")
	if said := v.text("header"); !strings.Contains(said, "noor, admin") {
		t.Errorf("the header says %q", said)
	}
	s.later(directory.SessionProof)
	v.do(chromedp.Navigate(s.url + "/staff/people"))
	v.at("/staff/prove")
	v.do(chromedp.Click(chromedp.CSS("[data-passkey=get] button")))
	v.at("/staff/people")
	v.looks(axe)
	v.do(chromedp.Click(chromedp.CSS(`button[value="invite"]`)))
	v.until(`!!document.querySelector("#invite")`)
	v.looks(axe)
	if code := v.text("#invite"); !regexp.MustCompile(`^([0-9a-z]{4}-){5}[0-9a-z]{4}$`).MatchString(code) {
		t.Errorf("the code is %q", code)
	}
	s.partners(t, v, axe)
	// Without a finger or a PIN it is one factor, and lets nobody in.
	call(v, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: key.AuthenticatorID, IsUserVerified: false})
	v.do(chromedp.Click(chromedp.CSS(`form[action="/staff/sign-out"] button`)))
	v.at("/staff/sign-in")
	v.do(chromedp.Click(chromedp.CSS("[data-passkey=get] button")))
	v.until(`document.querySelector("[data-passkey=get] [role=status]").textContent !== ""`)
	v.do(chromedp.Navigate(s.url + "/staff"))
	v.at("/staff/sign-in")
	v.alone()
}

// partners adds a partner and makes them a key, as an admin does who proved who they are.
func (s *deskServer) partners(t *testing.T, v *visitor, axe string) {
	t.Helper()
	v.do(chromedp.Click(chromedp.CSS(`nav a[href="/staff/partners"]`)))
	v.at("/staff/partners")
	v.fill("#name", "Acme Health")
	v.fill("#id", "acme")
	v.fill("#origins", "https://acme.example")
	v.do(chromedp.Click(chromedp.CSS("main form button")))
	v.at("/staff/partners/acme")
	v.do(chromedp.Click(chromedp.CSS("main details summary")), chromedp.WaitVisible(chromedp.CSS("#key-name")))
	v.fill("#key-name", "their site")
	v.do(chromedp.Click(chromedp.CSS("label[for=scope-export]")), chromedp.Click(chromedp.CSS(`button[value="key"]`)))
	v.until(`!!document.querySelector("#key")`)
	id, secret, err := directory.ParseKeyText(v.text("#key"))
	if err != nil {
		t.Fatal(err)
	}
	k, _, ok, err := s.store.APIKey(t.Context(), id, secret, s.instant())
	if err != nil || !ok || directory.JoinScopes(k.Scopes) != "read export" || k.CreatedBy != "noor" {
		t.Errorf("%+v %v %v", k, ok, err)
	}
	if _, err := s.store.AddEmbed(t.Context(), "acme", directory.Embed{Name: "near you", Kind: directory.EmbedResults, Doc: directory.EmbedDoc{Query: "state=CA&care=full_kap"}}, "noor", s.instant()); err != nil {
		t.Fatal(err)
	}
	if err := s.store.AddKeyUsage(t.Context(), []directory.KeyUsage{{Key: id, Day: s.instant().Date(), Route: "/api/v1/providers", Count: 1234, Refused: 5}}); err != nil {
		t.Fatal(err)
	}
	v.looks(axe) // with the key
	v.do(chromedp.Navigate(s.url + "/staff/partners/acme"))
	v.until(`!document.querySelector("#key")`)
	js[bool](v, `for (const d of document.querySelectorAll("details")) d.open = true; true`)
	v.looks(axe)
	v.fill("#url", "https://acme.example/kapdir/with/a/path/that/is/rather/long")
	v.do(chromedp.Click(chromedp.CSS(`button[value="hook"]`)))
	v.until(`!!document.querySelector("#secret")`)
	hooks, err := s.store.Hooks(t.Context(), "acme")
	if err != nil || len(hooks) != 1 || !strings.HasPrefix(v.text("#secret"), "whsec_") {
		t.Fatalf("%+v %v", hooks, err)
	}
	for i := range 12 {
		n := directory.Notice{ID: directory.NewID(directory.NoticePrefix, s.instant()), Number: hooks[0].Cursor + 1, Type: directory.NoticeStatus}
		if err := s.store.Delivered(t.Context(), directory.Dispatch{Hook: hooks[0].ID, After: hooks[0].Cursor, Attempt: i + 1, Notice: n}, directory.Delivery{At: s.instant(), Outcome: directory.OutcomeFailed, Why: "no answer in 10s"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	v.looks(axe) // with the secret
	v.do(chromedp.Navigate(s.url + "/staff/partners/acme/hooks/" + string(hooks[0].ID)))
	v.until(`!document.querySelector("#secret") && document.querySelectorAll("main tbody tr").length == 12`)
	js[bool](v, `for (const d of document.querySelectorAll("details")) d.open = true; true`)
	v.looks(axe)
	v.do(chromedp.Navigate(s.url + "/staff/partners"))
	v.until(`!!document.querySelector("main tbody")`)
	v.looks(axe)
	s.elsewhere(t, directory.KeyText(id, secret))
}

// elsewhere asks from a page on another origin, as a partner's own page does: it reads nothing until the partner has
// registered the origin, and then with the key too.
func (s *deskServer) elsewhere(t *testing.T, key string) {
	t.Helper()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>A partner's page</title>")
	}))
	defer page.Close()
	origin := strings.Replace(page.URL, "127.0.0.1", "localhost", 1)
	v := visit(t, origin, 1280, true)
	v.do(chromedp.Navigate(origin))
	ask := func(headers string) string {
		return js[string](v, `fetch("`+s.url+`/api/v1/sources", {headers: `+headers+`}).then(async (r) => r.status + " " + r.headers.get("RateLimit-Policy") + " " + !!(await r.json()), () => "not readable")`)
	}
	bearing := `{Authorization: "Bearer ` + key + `"}`
	for _, headers := range []string{`{}`, bearing} {
		if got := ask(headers); got != "not readable" {
			t.Errorf("a page that nobody registered reads %q", got)
		}
	}
	if _, err := s.store.SetOrigins(t.Context(), "acme", []directory.WebOrigin{directory.WebOrigin(origin)}, "noor", s.instant()); err != nil {
		t.Fatal(err)
	}
	for headers, want := range map[string]string{`{}`: `200 "anonymous";q=60;w=60 true`, bearing: `200 "key";q=600;w=60 true`} {
		got := ask(headers)
		for end := time.Now().Add(5 * time.Second); got != want && time.Now().Before(end); got = ask(headers) { // a server hears of it within a second
			time.Sleep(100 * time.Millisecond)
		}
		if got != want {
			t.Errorf("a registered page reads %q, want %q", got, want)
		}
	}
}

// At an address that is a number a browser keeps the session too; it knows no passkeys there, and none are offered.
func TestBrowserSignInAtANumber(t *testing.T) {
	s := serveDesk(t, "127.0.0.1:0")
	v := visit(t, s.url, 1280, true)
	v.do(chromedp.Navigate(s.url + "/staff/enrol"))
	v.fill("#invite", s.invite(t, "rowan"))
	v.do(chromedp.Click(chromedp.CSS("main button")))
	v.until(`!!document.querySelector("#secret")`)
	code, err := totp.GenerateCode(v.text("#secret"), s.now())
	if err != nil {
		t.Fatal(err)
	}
	v.fill("#new", "four grey herons at noon")
	v.fill("#again", "four grey herons at noon")
	v.fill("#code", code)
	v.do(chromedp.Submit(chromedp.CSS("#code")))
	v.at("/staff")
	v.do(chromedp.Navigate(s.url + "/staff/account/sign-in"))
	v.at("/staff/account/sign-in")
	if js[bool](v, `!!document.querySelector("[data-passkey]")`) {
		t.Error("passkeys are offered where there can be none")
	}
}

// The demonstration prints an address for each of its staff, with which a newcomer is at the desk in one click.
func TestBrowserDemoDesk(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	for _, name := range []string{"staff-imani", "staff-rowan"} {
		m := regexp.MustCompile(`the desk as ` + name + `: (http://localhost:\d+/staff/sign-in#\S+)`).FindStringSubmatch(s.log.String())
		if m == nil {
			t.Fatalf("no address for %s:\n%s", name, s.log)
		}
		v := visit(t, s.url, 1280, true)
		v.do(chromedp.Navigate(m[1]))
		v.at("/staff/sign-in")
		v.do(chromedp.Click(chromedp.CSS("main button")))
		v.at("/staff")
		if said := v.text("header"); !strings.Contains(said, name) {
			t.Errorf("the header says %q", said)
		}
	}
}

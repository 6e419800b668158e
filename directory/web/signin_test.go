package web

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"kapdir/directory"
)

const goodPassword = "four grey herons at noon"

// person is a browser with its cookies, and what its person knows.
type person struct {
	w       *gateWorld
	name    string
	secret  string // of their codes
	cookies map[string]string
}

func (w *gateWorld) person(name string) *person {
	return &person{w: w, name: name, cookies: map[string]string{}}
}

// ask sends a request as the browser's own page would, and keeps the cookies of the answer.
func (p *person) ask(method, path string, form url.Values, headers ...string) (reply, *goquery.Document) {
	p.w.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	for n, v := range p.cookies {
		req.AddCookie(&http.Cookie{Name: n, Value: v})
	}
	res, err := p.w.App().Test(req, 20_000)
	if err != nil {
		p.w.t.Fatalf("%s %s: %v", method, path, err)
	}
	for _, k := range res.Cookies() {
		if k.MaxAge < 0 {
			delete(p.cookies, k.Name)
		} else {
			p.cookies[k.Name] = k.Value
		}
	}
	r := read(p.w.t, res)
	d, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	if err != nil {
		p.w.t.Fatal(err)
	}
	return r, d
}

func (p *person) get(path string) (reply, *goquery.Document) {
	p.w.t.Helper()
	return p.ask(http.MethodGet, path, nil)
}

// post sends a form with the token of the person's session.
func (p *person) post(path string, fields ...string) (reply, *goquery.Document) {
	p.w.t.Helper()
	form := url.Values{}
	if s := p.cookies[sessionCookie]; s != "" {
		form.Set("token", tokenOf(s))
	}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return p.ask(http.MethodPost, path, form)
}

// code is what the person's app shows now.
func (p *person) code() string {
	code, err := hotp.GenerateCodeCustom(p.secret, uint64(p.w.at.Time().Unix()/30), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		p.w.t.Fatal(err)
	}
	return code
}

// enrol lets the person say what they sign in with; they are signed in then.
func (p *person) enrol() {
	p.w.t.Helper()
	invite, _, err := p.w.store.Invite(context.Background(), p.name, false, "test", p.w.at)
	if err != nil {
		p.w.t.Fatal(err)
	}
	r, d := p.post("/staff/enrol", "invite", invite)
	if p.secret = d.Find("#secret").Text(); r.StatusCode != 200 || len(p.secret) != 32 {
		p.w.t.Fatalf("%d, secret %q\n%s", r.StatusCode, p.secret, r.body)
	}
	r, _ = p.post("/staff/enrol/finish", "invite", invite, "secret", d.Find("[name=secret]").AttrOr("value", ""), "new", goodPassword, "again", goodPassword, "code", p.code())
	if r.StatusCode != 303 || r.Header.Get("Location") != "/staff" {
		p.w.t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	p.later(time.Minute)
}

func (p *person) later(d time.Duration) { p.w.at = p.w.at.Add(d) }

func (p *person) signIn(password, code string) reply {
	p.w.t.Helper()
	r, _ := p.post("/staff/sign-in", "name", p.name, "password", password, "code", code)
	return r
}

func (p *person) isIn() bool {
	p.w.t.Helper()
	r, _ := p.get("/staff")
	return r.StatusCode == 200
}

// A person enrols with a code, once; signs in with password and code, each code once; signs out, and the session is
// nobody's then.
func TestEnrolAndSignIn(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	p.enrol()
	if !p.isIn() {
		t.Fatal("enrolling does not sign in")
	}
	first := p.cookies[sessionCookie]
	r, _ := p.post("/staff/sign-out")
	if r.StatusCode != 303 || p.cookies[sessionCookie] != "" || !strings.Contains(r.Header.Get("Clear-Site-Data"), "cache") {
		t.Errorf("signing out: %d %v", r.StatusCode, p.cookies)
	}
	p.cookies[sessionCookie] = first
	if p.isIn() {
		t.Error("a session is good after signing out")
	}
	delete(p.cookies, sessionCookie)
	p.later(time.Minute)
	code := p.code()
	if r := p.signIn(goodPassword, code); r.StatusCode != 303 || !p.isIn() {
		t.Errorf("signing in: %d", r.StatusCode)
	}
	second := p.cookies[sessionCookie]
	if second == first || len(second) < 43 {
		t.Error("the secret of a session is not new, or short")
	}
	q := w.person("verify")
	q.secret = p.secret
	if r := q.signIn(goodPassword, code); r.StatusCode != 403 || q.isIn() {
		t.Errorf("a code was good twice: %d", r.StatusCode)
	}
	// Whoever had to sign in on the way goes on to where they went.
	p.later(directory.SessionIdle)
	r, _ = p.get("/staff/cases/cas_0t4226zr07h84yxqc6vjzhw56g?x=1")
	if r.Header.Get("Location") != "/staff/sign-in?for=%2Fstaff%2Fcases%2Fcas_0t4226zr07h84yxqc6vjzhw56g" {
		t.Errorf("led to %s", r.Header.Get("Location"))
	}
	_, d := p.get(r.Header.Get("Location"))
	if r, _ = p.post("/staff/sign-in", "name", "verify", "password", goodPassword, "code", p.code(), "for", d.Find("[name=for]").AttrOr("value", "")); r.Header.Get("Location") != "/staff/cases/cas_0t4226zr07h84yxqc6vjzhw56g" {
		t.Errorf("went on to %s", r.Header.Get("Location"))
	}
	second = p.cookies[sessionCookie]
	// Signing in again from the same browser ends the session that was.
	p.later(time.Minute)
	if r := p.signIn(goodPassword, p.code()); r.StatusCode != 303 || p.cookies[sessionCookie] == second {
		t.Errorf("signing in again: %d", r.StatusCode)
	}
	q.cookies[sessionCookie] = second
	if q.isIn() {
		t.Error("the session from before is good")
	}
	for _, k := range []string{sessionCookie, deviceCookie} {
		if !strings.HasPrefix(k, "__Host-") {
			t.Error(k)
		}
	}
}

// The cookies are ours alone: Secure, HttpOnly, of the whole host and no other, and the session's ends with the browser.
func TestStaffCookies(t *testing.T) {
	w := newGate(t)
	p := w.person("view")
	p.enrol()
	p.post("/staff/sign-out")
	p.later(time.Minute)
	r := p.signIn(goodPassword, p.code())
	var got []string
	for _, k := range r.Cookies() {
		got = append(got, k.Name)
		if !k.Secure || !k.HttpOnly || k.Path != "/" || k.Domain != "" || k.SameSite != http.SameSiteStrictMode {
			t.Errorf("%s", k)
		}
		if (k.MaxAge == 0 && k.Expires.IsZero()) != (k.Name == sessionCookie) {
			t.Errorf("%s ends: %d %s", k.Name, k.MaxAge, k.Expires)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{deviceCookie, sessionCookie}) {
		t.Errorf("cookies %v", got)
	}
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}

// A wrong name, password and code are one answer, and take about as long; whoever has no password costs as much.
func TestOneAnswerForWhoeverIsNotLetIn(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	p.enrol()
	var bodies []string
	var took []time.Duration
	for i, x := range [][3]string{{"verify", "wrong password of somebody", "000000"}, {"verify", goodPassword, "000000"}, {"verify", "wrong password of somebody", p.code()}, {"nobody", goodPassword, p.code()},
		{"approve", goodPassword, p.code()}, {"NOT A NAME'--", goodPassword, p.code()}, {"", "", ""}} {
		q := w.person(x[0])
		w.at = w.at.Add(guessWindow) // so that nothing is slowed down
		code := x[2]
		if len(code) == 6 && code != "000000" {
			code = p.code()
		}
		begun := time.Now()
		r, d := q.post("/staff/sign-in", "name", x[0], "password", x[1], "code", code)
		took = append(took, time.Since(begun))
		d.Find("#name").SetAttr("value", "")
		html, _ := d.Html()
		if bodies = append(bodies, html); r.StatusCode != 403 || bodies[i] != bodies[0] || len(r.Cookies()) > 0 {
			t.Errorf("%q: %d, another answer than the first: %v, cookies %v", x[0], r.StatusCode, bodies[i] != bodies[0], r.Cookies())
		}
	}
	least := slices.Min(took)
	if least < 5*time.Millisecond { // a hash takes tens of them
		t.Errorf("somebody was refused without a hash: %v", took)
	}
	var told []string
	for _, a := range must(w.store.StaffAudit(context.Background(), "", 100)) {
		if a.Act == "sign-in failed" {
			told = append(told, a.Name)
		}
	}
	slices.Sort(told)
	if !slices.Equal(told, []string{"", "", "", "approve", "verify", "verify", "verify"}) {
		t.Errorf("the audit was told of %q", told)
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// Who was idle for a quarter of an hour signs in again; so does who has been there for eight hours.
func TestDeskEndsSessions(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	p.enrol()
	p.isIn()
	p.later(directory.SessionIdle - time.Minute)
	if !p.isIn() {
		t.Error("a session ends early")
	}
	p.later(directory.SessionIdle)
	if p.isIn() {
		t.Error("an idle session does not end")
	}
	if r := p.signIn(goodPassword, p.code()); r.StatusCode != 303 {
		t.Fatal(r.StatusCode)
	}
	begun := w.at
	for p.isIn() {
		p.later(10 * time.Minute)
	}
	if lasted := w.at.Time().Sub(begun.Time()); lasted != directory.SessionMost {
		t.Errorf("a session that is used lasts %s", lasted)
	}
}

// Guesses slow down whoever guesses and nobody who was here before; counted by address, person and both, and
// forgotten with the window.
func TestGuesses(t *testing.T) {
	at := directory.Instant("2026-11-20T09:00:00.000Z")
	address := func(i int) netip.Addr {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(0x0a000000+i))
		return netip.AddrFrom4(b)
	}
	t.Run("one address, one person", func(t *testing.T) {
		var g guesses
		x := trier{source: address(1), name: "rowan"}
		var waits []int
		now := at
		for range 9 {
			left := g.wait(x, now)
			waits = append(waits, int(left/time.Second))
			now = now.Add(left)
			g.failed(x, now)
		}
		if fmt.Sprint(waits) != "[0 0 0 0 15 30 60 120 240]" {
			t.Errorf("waits of %v seconds", waits)
		}
		if g.wait(trier{source: address(1), name: "imani"}, now) != 0 {
			t.Error("another person has to wait for the guesses about rowan")
		}
		if g.wait(trier{source: address(2), name: "rowan"}, now) != 0 {
			t.Error("rowan has to wait elsewhere")
		}
		if g.wait(x, now.Add(guessWindow)) != 0 {
			t.Error("a guess is remembered for longer than its window")
		}
	})
	t.Run("one address, many people", func(t *testing.T) {
		var g guesses
		for i := range guessesSource {
			x := trier{source: address(1), name: fmt.Sprint("name", i)}
			if g.wait(x, at) != 0 {
				t.Fatalf("guess %d waits", i)
			}
			g.failed(x, at)
		}
		if g.wait(trier{source: address(1), name: "another"}, at) == 0 {
			t.Error("an address guesses without end")
		}
		if g.wait(trier{source: address(1), name: "rowan", device: "d"}, at) != 0 {
			t.Error("whoever shares the address is kept out of a browser from which they signed in before")
		}
	})
	t.Run("many addresses, one person", func(t *testing.T) {
		var g guesses
		n := 0
		for ; n < 1000 && g.wait(trier{source: address(n), name: "rowan"}, at) == 0; n++ {
			g.failed(trier{source: address(n), name: "rowan"}, at)
		}
		if n != guessesAccount {
			t.Errorf("%d guesses from as many addresses", n)
		}
		if g.wait(trier{source: address(5000), name: "rowan", device: "d"}, at) != 0 {
			t.Error("rowan is locked out by others")
		}
		if g.wait(trier{source: address(5000), name: "imani"}, at) != 0 {
			t.Error("imani is locked out by guesses about rowan")
		}
		if g.wait(trier{source: address(5000)}, at) != 0 {
			t.Error("nobody can enrol")
		}
	})
	t.Run("a known device", func(t *testing.T) {
		var g guesses
		x := trier{source: address(1), name: "rowan", device: "d"}
		for range 8 {
			g.failed(x, at)
		}
		if g.wait(x, at) == 0 || g.wait(trier{source: address(1), name: "rowan", device: "e"}, at) != 0 {
			t.Error("a device is not counted, or for another")
		}
	})
	t.Run("no more is held than there is room for, and the audit is not filled", func(t *testing.T) {
		var g guesses
		told := 0
		for i := range guessesHeld {
			if g.failed(trier{source: address(i), name: fmt.Sprint("n", i)}, at) {
				told++
			}
			if g.wait(trier{source: address(i + 1), name: "rowan"}, at) > 0 {
				break
			}
		}
		if len(g.held) > guessesHeld+3 || told > 200 {
			t.Errorf("%d counters, %d told", len(g.held), told)
		}
		if g.wait(trier{source: address(1), name: "rowan", device: "d"}, at) != 0 {
			t.Error("a known device is kept out when the counters are full")
		}
		for key := range g.held {
			if a := address(1).AsSlice(); strings.Contains(string(key[:]), string(a)) {
				t.Error("an address lies open")
			}
			break
		}
	})
}

// Somebody who guesses waits; whoever signed in from a browser before gets in from it all the while.
func TestNobodyIsLockedOutByOthers(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	p.enrol()
	p.post("/staff/sign-out")
	mallory := w.person("verify")
	last := 0
	for range guessesFree + 1 {
		last = mallory.signIn("one of the usual guesses", "123456").StatusCode
	}
	if last != 429 {
		t.Errorf("after %d guesses: %d", guessesFree+1, last)
	}
	if r := mallory.signIn(goodPassword, p.code()); r.StatusCode != 429 || r.Header.Get("Retry-After") == "" {
		t.Errorf("the right words, without waiting: %d", r.StatusCode)
	}
	if r := p.signIn(goodPassword, p.code()); r.StatusCode != 303 { // from the same address
		t.Errorf("from a browser that is known: %d", r.StatusCode)
	}
	// The note of the browser is for its person, and cannot be made.
	for name, note := range map[string]string{"approve": p.cookies[deviceCookie], "verify": "AAAA" + p.cookies[deviceCookie]} {
		q := w.person(name)
		q.cookies[deviceCookie] = note
		for range guessesFree + 1 {
			last = q.signIn("one of the usual guesses", "123456").StatusCode
		}
		if last != 429 {
			t.Errorf("with the note of another: %d", last)
		}
	}
}

// What is a password, by NIST 800-63B and ASVS: any signs, twelve to 256 of them, not what many people have.
func TestPasswords(t *testing.T) {
	for password, good := range map[string]bool{
		goodPassword: true, "correct horse battery staple": true, "ありがとうございました。またね": true, strings.Repeat("abcdefg7!x", 8): true, "            x y z w v u t": true, "αβγ δεζ ηθι κλμ": true,
		"short": false, "elevenchars": false, strings.Repeat("ab3$ké", 50): false, "password1234": false, "Password1234!": false, "qwertyuiop12": false, "iloveyou2026!!": false, "123456789012": false,
		"aaaaaaaaaaaa": false, "abcabcabcabc": false, "abcdefghijklm": false, "kapdir2026!!": false, "ketamine-therapy-desk": false, "rowanrowan2026": false, "trustno1trustno1": false, "123qweasdzxc": false,
		"a\x00bcdefghijkl": false, "\xff\xfeabcdefghijk": false, "sunshine!!!!!": false,
	} {
		if got := badPassword(password, "rowan"); (got == "") != good {
			t.Errorf("%q: %q", password, got)
		}
	}
	if n := len(commonHashes) / 5; n < 7000 || len(commonHashes)%5 != 0 {
		t.Errorf("%d common passwords", n)
	}
	if len(strings.Repeat("w", passwordMost)) < 64 || passwordLeast < 8 {
		t.Error("limits that the standard does not allow")
	}
}

// A password counts as it was typed, and is held as argon2id with OWASP's parameters.
func TestPasswordsAreHeldAsHashes(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	p.enrol()
	l := must(w.store.Login(context.Background(), "verify"))
	if !strings.HasPrefix(l.Password, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(l.Password, goodPassword) {
		t.Errorf("held as %q", l.Password)
	}
	for _, other := range []string{strings.ToUpper(goodPassword), goodPassword + " ", " " + goodPassword, goodPassword[:len(goodPassword)-1], goodPassword + "\x00"} {
		p.later(guessWindow)
		if r := p.signIn(other, p.code()); r.StatusCode != 403 {
			t.Errorf("%q: %d", other, r.StatusCode)
		}
	}
}

// Codes are those of RFC 6238, good for the step before and after.
func TestCodes(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // of the RFC's appendix B
	for unix, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		at := directory.At(time.Unix(unix, 0))
		step, ok := codeStep(secret, code, at)
		if !ok || step != unix/30 {
			t.Errorf("%d: %v %d", unix, ok, step)
		}
		for d, want := range map[int]bool{-60: false, -30: true, 30: true, 60: false} {
			if _, ok := codeStep(secret, code, at.Add(time.Duration(d)*time.Second)); ok != want && unix > 60 {
				t.Errorf("%d, %d s away: %v", unix, d, ok)
			}
		}
		for _, other := range []string{"", "000000", code[:5], code + "0", " "} {
			if _, ok := codeStep(secret, other, at); ok {
				t.Errorf("%q is a code", other)
			}
		}
		if _, ok := codeStep(secret, code[:3]+" "+code[3:], at); !ok {
			t.Error("a code with a blank is none")
		}
	}
	seen := map[string]bool{}
	for range 100 {
		s := newTOTP()
		if seen[s] || len(s) != 32 {
			t.Errorf("secret %q", s)
		}
		seen[s] = true
	}
	a := totpAddress("rowan", secret, "kapdir.example")
	if u, err := url.Parse(a); err != nil || u.Query().Get("secret") != secret || u.Query().Get("issuer") != "Kapdir kapdir.example" || u.Path != "/Kapdir kapdir.example:rowan" || strings.Contains(a, "+") {
		t.Errorf("%s", a)
	}
	q := must(newQR(a))
	if q.Side < 30 || !strings.HasPrefix(q.Path, "M4 4h7v1h-7z") {
		t.Errorf("the picture begins %.40s", q.Path)
	}
}

// What is wrong with an enrolment is said, with the same picture, and the code stays good until it is used.
func TestEnrolmentIsHeldToTheRules(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	if r, _ := p.post("/staff/enrol", "invite", "0000-0000-0000-0000-0000-0000"); r.StatusCode != 403 {
		t.Errorf("a code of nobody: %d", r.StatusCode)
	}
	invite, until, _ := w.store.Invite(context.Background(), "verify", false, "test", w.at)
	_, d := p.post("/staff/enrol", "invite", strings.ToUpper(invite))
	signed := d.Find("[name=secret]").AttrOr("value", "")
	p.secret = d.Find("#secret").Text()
	finish := func(fields ...string) (reply, *goquery.Document) {
		form := []string{"invite", invite, "secret", signed, "new", goodPassword, "again", goodPassword, "code", p.code()}
		for i := 0; i+1 < len(fields); i += 2 {
			form[slices.Index(form, fields[i])+1] = fields[i+1]
		}
		return p.post("/staff/enrol/finish", form...)
	}
	invite = strings.ToUpper(invite)
	for _, x := range []struct {
		fields []string
		status int
	}{{[]string{"new", "short", "again", "short"}, 400}, {[]string{"again", "another password"}, 400}, {[]string{"code", "000000"}, 400}, {[]string{"secret", "x"}, 403}, {[]string{"secret", signed[:len(signed)-2] + "AA"}, 403},
		{[]string{"invite", "0000-0000-0000-0000-0000-0000"}, 403}} {
		r, d := finish(x.fields...)
		if r.StatusCode != x.status || p.cookies[sessionCookie] != "" {
			t.Errorf("%v: %d", x.fields, r.StatusCode)
		}
		if x.status == 400 && d.Find("#secret").Text() != p.secret {
			t.Errorf("%v: another secret", x.fields)
		}
		if strings.Contains(r.body, goodPassword) {
			t.Errorf("%v: the password is sent back", x.fields)
		}
	}
	w.at = until
	if r, _ := finish(); r.StatusCode != 403 {
		t.Errorf("after its end: %d", r.StatusCode)
	}
	w.at = until.Add(-time.Minute)
	if r, _ := finish(); r.StatusCode != 403 { // the picture is of three days ago
		t.Errorf("with an old picture: %d", r.StatusCode)
	}
	_, d = p.post("/staff/enrol", "invite", invite)
	signed, p.secret = d.Find("[name=secret]").AttrOr("value", ""), d.Find("#secret").Text()
	if r, _ := finish(); r.StatusCode != 303 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	p.post("/staff/sign-out")
	if r, _ := finish(); r.StatusCode != 403 {
		t.Errorf("the code is good twice: %d", r.StatusCode)
	}
}

// What is sensitive asks to be proved anew; a password is changed by whoever knows it, and ends the other sessions;
// the proof gives the session another secret.
func TestStepUp(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	p.enrol()
	elsewhere := w.session("verify")
	p.later(directory.SessionProof)
	for _, path := range []string{"/staff/account", "/staff/account/sign-in"} {
		if r, _ := p.get(path); r.StatusCode != 303 || r.Header.Get("Location") != "/staff/prove?for="+url.QueryEscape(path) {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.Header.Get("Location"))
		}
		if r, _ := p.post("/staff/account/sign-in", "do", "password"); r.StatusCode != 403 {
			t.Errorf("a change without a proof: %d", r.StatusCode)
		}
	}
	before := p.cookies[sessionCookie]
	for _, x := range []struct {
		where string
		to    string
	}{{"/staff/account", "/staff/account"}, {"//evil.example", "/staff"}, {"https://evil.example/", "/staff"}, {"/staff/cases/cas_0t4226zr07h84yxqc6vjzhw56g", "/staff/cases/cas_0t4226zr07h84yxqc6vjzhw56g"}, {"/staff/cases/..", "/staff"},
		{"/staff/cases/%2e%2e", "/staff"}, {"/staff/cases/x\r\nSet-Cookie: x=1", "/staff"}, {"/staff//evil.example", "/staff"}, {"\\\\evil.example", "/staff"}, {"/staff/sign-out", "/staff"}, {"/", "/staff"}, {"", "/staff"}} {
		p.later(time.Minute)
		if r, _ := p.post("/staff/prove", "password", goodPassword, "code", p.code(), "for", x.where); r.StatusCode != 303 || r.Header.Get("Location") != x.to {
			t.Errorf("for %q: %d %s", x.where, r.StatusCode, r.Header.Get("Location"))
		}
	}
	if p.cookies[sessionCookie] == before {
		t.Error("a proof gives no new secret")
	}
	q := w.person("verify")
	q.cookies[sessionCookie] = before
	if q.isIn() {
		t.Error("the secret from before is good")
	}
	p.later(time.Minute)
	if r, _ := p.post("/staff/prove", "password", "another one of mine", "code", p.code()); r.StatusCode != 403 {
		t.Errorf("a wrong proof: %d", r.StatusCode)
	}
	const next = "five pale owls by moonlight"
	for _, x := range []struct {
		current, again string
		status         int
	}{{"another one of mine", next, 400}, {"", next, 400}, {goodPassword, "another one of mine", 400}, {goodPassword, next, 200}} {
		if r, _ := p.post("/staff/account/sign-in", "do", "password", "current", x.current, "new", next, "again", x.again); r.StatusCode != x.status {
			t.Errorf("%+v: %d", x, r.StatusCode)
		}
	}
	q.cookies[sessionCookie] = elsewhere
	if q.isIn() || !p.isIn() {
		t.Error("after a change of password the other session lives, or this one does not")
	}
	p.post("/staff/sign-out")
	p.later(time.Minute)
	if r := p.signIn(goodPassword, p.code()); r.StatusCode != 403 {
		t.Errorf("the old password: %d", r.StatusCode)
	}
	if r := p.signIn(next, p.code()); r.StatusCode != 303 {
		t.Errorf("the new password: %d", r.StatusCode)
	}
	// Where else they are signed in: seen, and ended.
	w.session("verify")
	_, d := p.get("/staff/account")
	if n := d.Find("main tbody tr").Length(); n != 2 {
		t.Errorf("%d sessions are shown", n)
	}
	r, _ := p.post("/staff/account/sessions", "id", d.Find("main tbody [name=id]").AttrOr("value", ""))
	if list := must(w.store.Sessions(context.Background(), "verify", w.at)); r.StatusCode != 303 || len(list) != 1 {
		t.Errorf("%d, %d sessions are left", r.StatusCode, len(list))
	}
}

// An admin lets people in and shows them out, of whom nobody is the admin; nobody else may.
func TestPeople(t *testing.T) {
	w := newGate(t)
	p := w.person("admin")
	p.enrol()
	do := func(status int, fields ...string) *goquery.Document {
		t.Helper()
		r, d := p.post("/staff/people", fields...)
		if r.StatusCode != status {
			t.Errorf("%v: %d %s", fields, r.StatusCode, d.Find("main").Text())
		}
		return d
	}
	do(200, "do", "add", "name", "rowan", "role", "verifier")
	do(400, "do", "add", "name", "Rowan!", "role", "verifier")
	do(400, "do", "add", "name", "rowan", "role", "emperor")
	do(400, "do", "burn", "name", "rowan")
	for _, act := range []string{"add", "disable", "invite", "reset", "end"} {
		do(403, "do", act, "name", "admin", "role", "viewer")
	}
	invite := do(200, "do", "invite", "name", "rowan").Find("#invite").Text()
	if name, ok, _ := w.store.Invited(context.Background(), invite, w.at); !ok || name != "rowan" {
		t.Errorf("the code %q is %q's", invite, name)
	}
	rowan := w.person("rowan")
	rowan.enrol()
	for _, hidden := range []string{"argon2id", rowan.secret, rowan.cookies[sessionCookie]} {
		if r, _ := p.get("/staff/people"); strings.Contains(r.body, hidden) {
			t.Errorf("an admin reads what is rowan's alone: %s", hidden)
		}
	}
	do(200, "do", "end", "name", "rowan")
	if rowan.isIn() {
		t.Error("rowan's session was not ended")
	}
	if r := rowan.signIn(goodPassword, rowan.code()); r.StatusCode != 303 {
		t.Fatal(r.StatusCode)
	}
	do(200, "do", "reset", "name", "rowan")
	rowan.later(time.Minute)
	if rowan.isIn() || rowan.signIn(goodPassword, rowan.code()).StatusCode != 403 {
		t.Error("after a reset rowan is in, or comes in")
	}
	rowan.enrol()
	do(200, "do", "disable", "name", "rowan")
	if rowan.isIn() || rowan.signIn(goodPassword, rowan.code()).StatusCode == 303 {
		t.Error("disabled, rowan is in, or comes in")
	}
}

// A wrong token, another session's, and none refuse what a form asks.
func TestFormTokens(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	p.enrol()
	for _, token := range []string{"", "x", tokenOf(w.session("verify")), tokenOf("")} {
		if r, _ := p.ask(http.MethodPost, "/staff/sign-out", url.Values{"token": {token}}); r.StatusCode != 403 {
			t.Errorf("token %q: %d", token, r.StatusCode)
		}
	}
	if r, _ := p.ask(http.MethodPost, "/staff/sign-out", url.Values{"token": {tokenOf(p.cookies[sessionCookie])}}, "Content-Type", "text/plain"); r.StatusCode != 403 {
		t.Errorf("as plain text: %d", r.StatusCode)
	}
	if strings.Contains(p.cookies[sessionCookie], tokenOf(p.cookies[sessionCookie])) || !p.isIn() {
		t.Error("the token tells the secret, or a refused form ended the session")
	}
	body := "--x\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n" + tokenOf(p.cookies[sessionCookie]) + "\r\n--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\nabc\r\n--x--\r\n"
	for _, b := range []string{body, strings.Replace(body, "name=\"token\"", "name=\"other\"", 1)} {
		req := httptest.NewRequest(http.MethodPost, "/staff/sign-out", strings.NewReader(b))
		req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.AddCookie(&http.Cookie{Name: sessionCookie, Value: p.cookies[sessionCookie]})
		res := must(w.App().Test(req))
		if want := map[bool]int{true: 303, false: 403}[b == body]; res.StatusCode != want && b != body {
			t.Errorf("a form with files: %d", res.StatusCode)
		}
		if b == body && p.isIn() {
			t.Error("a form with files and the token was not taken")
		}
		p.cookies[sessionCookie] = w.session("verify")
	}
}

// Public pages are the same with the cookies of staff and without, set none, and no code but the desk's reads one.
func TestNoSessionOnPublicPages(t *testing.T) {
	w := newGate(t)
	p := w.person("admin")
	p.enrol()
	cookie := sessionCookie + "=" + p.cookies[sessionCookie] + "; " + deviceCookie + "=" + p.cookies[deviceCookie]
	number := regexp.MustCompile(`<code>[0-9a-f]{16}</code>|"request_id":"[0-9a-f]{16}"|name="token" value="[^"]*"`)
	for deadline := time.Now().Add(20 * time.Second); get(t, w.Server, "/api/v1/statistics").StatusCode == http.StatusServiceUnavailable; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the count for /about/accuracy does not end")
		}
	}
	for _, target := range everyTarget(t, w.Server) {
		plain, as := get(t, w.Server, target), get(t, w.Server, target, "Cookie", cookie)
		if number.ReplaceAllString(plain.body, "") != number.ReplaceAllString(as.body, "") || plain.StatusCode != as.StatusCode {
			t.Errorf("%s: another answer for staff", target)
		}
		if len(as.Header.Values("Set-Cookie")) > 0 || strings.Contains(as.Header.Get("Vary"), "Cookie") {
			t.Errorf("%s: %v", target, as.Header)
		}
		if strings.Contains(plain.body, "/staff") {
			t.Errorf("%s leads to the desk", target)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "_test.go") || f == "staffroutes.go" || f == "signin.go" {
			continue
		}
		if regexp.MustCompile(`\.Cookies?\(|HeaderCookie|HeaderSetCookie|"Cookie"|"Set-Cookie"`).Match(raw) {
			t.Errorf("%s reads or sets a cookie", f)
		}
	}
}

// Codes that sign in without a password are for a demonstration, and a server that is none does not start with them.
func TestDemoStaff(t *testing.T) {
	w := newGate(t, func(c *Config) { c.DemoStaff = map[string]string{"THE-CODE": "verify"} })
	p := w.person("verify")
	for code, in := range map[string]bool{"": false, "the-code": false, "THE-CODE2": false, "verify": false, "THE-CODE": true} {
		if r, _ := p.post("/staff/sign-in", "demo", code); (r.StatusCode == 303) != in {
			t.Errorf("%q: %d", code, r.StatusCode)
		}
	}
	if list := must(w.store.Sessions(context.Background(), "verify", w.at)); len(list) != 1 || list[0].How != byDemo {
		t.Errorf("%+v", list)
	}
	if _, err := New(Config{Reader: w.cfg.Reader, Search: w.cfg.Search, Policies: w.cfg.Policies, BaseURL: "https://kapdir.example", DemoStaff: map[string]string{"x": "verify"}}); err == nil {
		t.Error("a server that is no demonstration starts with codes of one")
	}
	q := newGate(t).person("verify")
	if r, _ := q.post("/staff/sign-in", "demo", ""); r.StatusCode != 403 {
		t.Errorf("a demonstration without codes: %d", r.StatusCode)
	}
}

// Pages of the desk are for no search engine and no store of a browser, run no script of others, mask passwords and
// let them be pasted; each for whoever is signed in has a way out.
func TestDeskPages(t *testing.T) {
	w := newGate(t)
	p := w.person("admin")
	p.enrol()
	for _, r := range staffRoutes {
		if r.method != http.MethodGet || strings.Contains(r.pattern, ":") {
			continue
		}
		res, d := p.get(r.pattern)
		if res.StatusCode != 200 {
			t.Errorf("%s: %d", r.pattern, res.StatusCode)
			continue
		}
		if res.Header.Get("X-Robots-Tag") != "noindex" || res.Header.Get("Cache-Control") != "no-store" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "script-src 'self'") || res.Header.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: %v", r.pattern, res.Header)
		}
		if len(res.Cookies()) > 0 {
			t.Errorf("%s, only looked at, sets %v", r.pattern, res.Cookies())
		}
		if d.Find(`form[action="/staff/sign-out"] button`).Length() != 1 || d.Find("h1").Length() != 1 || d.Find("html").AttrOr("lang", "") != "en" {
			t.Errorf("%s: no way out, or no title", r.pattern)
		}
		d.Find("script").Each(func(_ int, e *goquery.Selection) {
			if e.AttrOr("src", "") == "" || e.Text() != "" {
				t.Errorf("%s has a script of its own", r.pattern)
			}
		})
		if d.Find("[style], [onclick], [onsubmit], style").Length() > 0 {
			t.Errorf("%s has a style or a handler of its own", r.pattern)
		}
		d.Find(`form[method="post"]`).Each(func(_ int, e *goquery.Selection) {
			if got := e.Find(`[name="token"]`).AttrOr("value", ""); got != tokenOf(p.cookies[sessionCookie]) {
				t.Errorf("%s: the form to %s has the token %q", r.pattern, e.AttrOr("action", ""), got)
			}
			if to := e.AttrOr("action", ""); rowOf("POST", to) == nil && !strings.Contains(to, "/cas_") {
				t.Errorf("%s: a form goes to %q", r.pattern, to)
			}
		})
		d.Find(`[name="password"], [name="new"], [name="again"], [name="current"]`).Each(func(_ int, e *goquery.Selection) {
			if e.AttrOr("type", "") != "password" || !strings.Contains(e.AttrOr("autocomplete", ""), "password") || e.AttrOr("maxlength", "") != "" {
				html, _ := goquery.OuterHtml(e)
				t.Errorf("%s: %s", r.pattern, html)
			}
		})
	}
	js, err := io.ReadAll(must(staticFiles.Open("static/staff.js")))
	if err != nil || strings.Contains(string(js), "paste") {
		t.Error("a script meddles with what is pasted")
	}
}

// A password is good for as long as its person keeps it.
func TestPasswordsStay(t *testing.T) {
	w := newGate(t)
	p := w.person("verify")
	p.enrol()
	p.later(3 * 365 * 24 * time.Hour)
	if r := p.signIn(goodPassword, p.code()); r.StatusCode != 303 {
		t.Errorf("after three years: %d", r.StatusCode)
	}
}

// A directory begins with nobody who could sign in.
func TestNoDefaultAccounts(t *testing.T) {
	w := newGate(t)
	for _, m := range must(w.store.Staff(context.Background())) {
		if l := must(w.store.Login(context.Background(), m.Name)); l.Name != "" {
			t.Errorf("%s signs in without having enrolled", m.Name)
		}
	}
	for _, name := range []string{"root", "sa", "administrator", "admin"} {
		for _, password := range []string{"", "admin", name} {
			w.at = w.at.Add(guessWindow)
			if r := w.person(name).signIn(password, "000000"); r.StatusCode != 403 {
				t.Errorf("%s: %d", name, r.StatusCode)
			}
		}
	}
}

// Whatever is sent in whatever field of whatever form, it is taken or refused; nothing fails, and nobody comes in or
// changes but as the table says.
func TestDeskFormsTakeAnything(t *testing.T) {
	w := newGate(t)
	fields := []string{"name", "password", "code", "invite", "secret", "new", "again", "current", "do", "role", "id", "label", "state", "passkey", "for", "demo", "nonsense"}
	values := []string{strings.Repeat("A", 5000), "\xff\xfe\x00", "' OR 1=1 --", "<script>alert(1)</script>", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, "ses_0t4226zr07h84yxqc6vjzhw56g", "%0d%0aSet-Cookie: x=1", "disable"}
	staff := fmt.Sprint(must(w.store.Staff(context.Background())))
	tried := 0
	for _, r := range staffRoutes {
		if r.method != http.MethodPost || strings.Contains(r.pattern, ":") || r.pattern == "/staff/sign-out" {
			continue
		}
		p := w.person("admin")
		values := values
		if r.pattern == "/staff/sign-in" || r.pattern == "/staff/prove" {
			values = values[:3] // each costs a hash
		}
		for _, f := range fields {
			for _, v := range values {
				p.cookies = map[string]string{sessionCookie: w.session("admin")}
				res, d := p.post(r.pattern, f, v)
				if tried++; res.StatusCode >= 500 {
					t.Errorf("%s, %s=%q: %d", r.pattern, f, v, res.StatusCode)
				}
				for _, k := range res.Cookies() {
					t.Errorf("%s, %s=%q sets %s", r.pattern, f, v, k)
				}
				if res.Header.Get("X") != "" || d.Find("main script").Length() > 0 {
					t.Errorf("%s, %s=%q: it came back as more than text", r.pattern, f, v)
				}
				w.at = w.at.Add(guessWindow)
			}
		}
		for _, kind := range []string{"", "text/plain", "application/json", "multipart/form-data", "multipart/form-data; boundary=", ";;;"} {
			res, _ := p.ask(http.MethodPost, r.pattern, url.Values{"token": {tokenOf(p.cookies[sessionCookie])}, "do": {"disable"}, "name": {"view"}}, "Content-Type", kind)
			if res.StatusCode < 400 && r.pattern != "/staff/sign-in/passkey" || res.StatusCode >= 500 { // that one reads nothing
				t.Errorf("%s as %q: %d", r.pattern, kind, res.StatusCode)
			}
		}
	}
	if got := fmt.Sprint(must(w.store.Staff(context.Background()))); got != staff || tried < 1000 {
		t.Errorf("%d tried; staff are %s, were %s", tried, got, staff)
	}
}

package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Signing in, proving anew who one is, signing out, and enrolling with a code. A wrong name, a wrong password and
// a wrong code are one answer, in about the same time.

// How somebody proved who they are, as sessions and the audit call it.
const (
	byCode    = "password and code"
	byPasskey = "passkey"
	byDemo    = "demo"
)

// deviceCookie says of which names somebody has signed in from this browser: whoever has it is not kept out by
// guesses from elsewhere. It lets nobody in.
const deviceCookie = "__Host-kapdir-device"

const deviceLife = 90 * 24 * time.Hour

// signInView is the page on which to sign in, or to prove anew who one is.
type signInView struct {
	staffPage
	Name     string
	Error    string
	Passkeys bool
	ByDemo   bool   // a code of the demonstration signs in
	For      string // where to go afterwards
	Plain    bool   // there is no https, and the browser will keep nobody signed in
}

// signInPage answers GET /staff/sign-in.
func (s *Server) signInPage(c *fiber.Ctx, who *staffSession) error {
	v := s.signInView(c, who)
	v.For = s.returnTo(c.Query("for"))
	return s.sendStaff(c, "signin", v)
}

func (s *Server) signInView(c *fiber.Ctx, who *staffSession) signInView {
	return signInView{staffPage: s.staffPage(c, who, "Sign in"), Passkeys: s.desk.passkeys != nil, ByDemo: len(s.cfg.DemoStaff) > 0, Plain: !s.https && !local(s.desk.host)}
}

// local reports an address at which browsers keep our cookies without https.
func local(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || err == nil && addr.IsLoopback()
}

// takeSignIn answers POST /staff/sign-in.
func (s *Server) takeSignIn(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	v := s.signInView(c, who)
	v.Name, v.For = strings.ToLower(strings.TrimSpace(form.Get("name"))), s.returnTo(form.Get("for"))
	ctx, cancel := s.deadline(pageDeadline + hashWait)
	defer cancel()
	name, how, wrong, err := s.prove(ctx, c, form, v.Name)
	if err != nil {
		return err
	}
	if wrong != "" {
		v.Error = wrong
		return s.sendStaff(c, "signin", v)
	}
	return s.letIn(ctx, c, who, name, how, v.For)
}

// prove finds out who sends the form. wrong is what to say to whoever is not let in; the status is set then. name is
// whom they say they are; of a passkey and a code of the demonstration the name comes from these.
func (s *Server) prove(ctx context.Context, c *fiber.Ctx, form url.Values, name string) (who, how, wrong string, err error) {
	at, ok := s.staffNow(), false
	if !staffName.MatchString(name) {
		name = "" // it is nobody's, and costs as much to try
	}
	t := trier{source: s.clientAddress(c.Context()), name: name}
	switch {
	case form.Has("demo"):
		if who, ok = s.demoStaff(form.Get("demo")); ok {
			return who, byDemo, "", nil
		}
		how, t.name = byDemo, ""
	case form.Has("passkey"):
		how = byPasskey
		if who, ok, err = s.provenByPasskey(ctx, "sign in", form.Get("state"), form.Get("passkey")); ok || err != nil {
			return who, how, "", err
		}
		t.name = ""
	default:
		how, t.device = byCode, s.knownDevice(c, name, at)
		if left := s.desk.guesses.wait(t, at); left > 0 {
			c.Status(http.StatusTooManyRequests)
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(left/time.Second)+1))
			return "", how, "There were too many tries. Wait " + patience(left) + ", then try again; with a passkey you need not wait.", nil
		}
		if ok, err = s.provenByCode(ctx, name, form.Get("password"), form.Get("code"), t.device != ""); err != nil {
			return "", how, "", err
		}
		if ok {
			return name, how, "", nil
		}
	}
	if s.desk.guesses.failed(t, at) {
		a := directory.StaffAct{At: at, Act: "sign-in failed", Detail: how}
		if how == byCode {
			if a.Name, err = s.memberName(ctx, name); err != nil {
				return "", how, "", err
			}
		}
		if err := s.cfg.SignIn.Audit(ctx, a); err != nil {
			return "", how, "", err
		}
	}
	c.Status(http.StatusForbidden)
	if how == byCode {
		return "", how, "Name, password and code do not go together. A code is good once, and for a minute: wait for the next one before you try again.", nil
	}
	return "", how, "That did not sign you in. Try again, or use another way.", nil
}

// staffName is what a name of staff looks like (directory.StaffChange).
var staffName = regexp.MustCompile(`^[a-z][a-z0-9._-]{1,39}$`)

// memberName returns the name if somebody has it: the audit holds no name that nobody has, for it may be a password.
func (s *Server) memberName(ctx context.Context, name string) (string, error) {
	all, err := s.cfg.SignIn.Staff(ctx)
	for _, m := range all {
		if m.Name == name {
			return name, err
		}
	}
	return "", err
}

func patience(d time.Duration) string {
	if n := int(d/time.Minute) + 1; n > 1 {
		return strconv.Itoa(n) + " minutes"
	}
	return strconv.Itoa(int(d/time.Second)+1) + " seconds"
}

// demoStaff returns whom a code of the demonstration signs in. Outside of one there are none.
func (s *Server) demoStaff(code string) (name string, ok bool) {
	given := sha256.Sum256([]byte(code))
	for good, of := range s.cfg.DemoStaff {
		sum := sha256.Sum256([]byte(good))
		if subtle.ConstantTimeCompare(given[:], sum[:]) == 1 && s.cfg.Demo != nil {
			name, ok = of, true
		}
	}
	return name, ok
}

// letIn begins a session, says in cookies which, and goes on to a page. A session that there was ends.
func (s *Server) letIn(ctx context.Context, c *fiber.Ctx, before *staffSession, name, how, to string) error {
	at := s.staffNow()
	if before != nil {
		if err := s.cfg.SignIn.EndSession(ctx, before.Name, before.ID, before.Name, at); err != nil && !errors.Is(err, directory.NotFound) {
			return err
		}
	}
	secret, _, err := s.cfg.SignIn.StartSession(ctx, name, how, at)
	if err != nil {
		return err
	}
	s.setSession(c, secret)
	if how != byDemo {
		if err := s.rememberDevice(c, name, at); err != nil {
			return err
		}
	}
	return seeOther(c, to)
}

// setSession sends the cookie of a session; it ends with the browser, and "" ends it at once.
func (s *Server) setSession(c *fiber.Ctx, secret string) {
	k := &fiber.Cookie{Name: sessionCookie, Value: secret, Path: "/", Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, SessionOnly: true}
	if secret == "" {
		k.SessionOnly, k.MaxAge = false, -1
	}
	c.Cookie(k)
}

// rememberDevice notes in a cookie that the person has signed in from here. Several people may share a browser.
func (s *Server) rememberDevice(c *fiber.Ctx, name string, at directory.Instant) error {
	id := make([]byte, 12)
	_, _ = rand.Read(id) // never fails: crypto/rand ends the program instead
	note, err := s.desk.sign("device "+name, id, at)
	if err != nil {
		return err
	}
	notes := []string{note}
	for _, other := range strings.Split(strings.Clone(c.Cookies(deviceCookie)), ".") {
		if _, err := s.desk.signed("device "+name, other, at, deviceLife); err != nil && other != "" && len(other) < 200 && len(notes) < 4 {
			notes = append(notes, other)
		}
	}
	c.Cookie(&fiber.Cookie{Name: deviceCookie, Value: strings.Join(notes, "."), Path: "/", Secure: true, HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, MaxAge: int(deviceLife / time.Second)})
	return nil
}

// knownDevice returns what names the browser, if the person signed in from it before; else "".
func (s *Server) knownDevice(c *fiber.Ctx, name string, at directory.Instant) string {
	for _, note := range strings.Split(strings.Clone(c.Cookies(deviceCookie)), ".") {
		if id, err := s.desk.signed("device "+name, note, at, deviceLife); err == nil && name != "" && note != "" {
			return base64.RawURLEncoding.EncodeToString(id)
		}
	}
	return ""
}

// askSignIn answers POST /staff/sign-in/passkey with what a browser's passkey is to sign.
func (s *Server) askSignIn(c *fiber.Ctx, _ *staffSession) error {
	x, err := s.askPasskey("sign in")
	if err != nil {
		return err
	}
	return s.sendCeremony(c, x)
}

func (s *Server) sendCeremony(c *fiber.Ctx, x *ceremony) error {
	raw, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return s.send(c, fiber.MIMEApplicationJSON, raw)
}

// provePage answers GET /staff/prove: before what is sensitive, whoever is signed in proves anew who they are.
func (s *Server) provePage(c *fiber.Ctx, who *staffSession) error {
	v := s.signInView(c, who)
	v.Title, v.Name, v.For = "Prove who you are", who.Name, s.returnTo(c.Query("for"))
	return s.sendStaff(c, "prove", v)
}

// takeProof answers POST /staff/prove. The session gets another secret.
func (s *Server) takeProof(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	v := s.signInView(c, who)
	v.Title, v.Name, v.For = "Prove who you are", who.Name, s.returnTo(form.Get("for"))
	ctx, cancel := s.deadline(pageDeadline + hashWait)
	defer cancel()
	name, how, wrong, err := s.prove(ctx, c, form, who.Name)
	if err != nil {
		return err
	}
	if wrong == "" && name != who.Name {
		c.Status(http.StatusForbidden)
		wrong = "That is " + name + ", and you are signed in as " + who.Name + "."
	}
	if wrong != "" {
		v.Error = wrong
		return s.sendStaff(c, "prove", v)
	}
	secret, ok, err := s.cfg.SignIn.RenewSession(ctx, who.secret, how, s.staffNow())
	if err != nil {
		return err
	}
	if !ok {
		return notStaff{}
	}
	s.setSession(c, secret)
	return seeOther(c, v.For)
}

// takeSignOut answers POST /staff/sign-out.
func (s *Server) takeSignOut(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	if err := s.cfg.SignIn.EndSession(ctx, who.Name, who.ID, who.Name, s.staffNow()); err != nil && !errors.Is(err, directory.NotFound) {
		return err
	}
	s.setSession(c, "")
	c.Set("Clear-Site-Data", `"cache", "storage"`)
	return seeOther(c, "/staff/sign-in")
}

// enrolView is the page on which somebody who was given a code says what they will sign in with.
type enrolView struct {
	staffPage
	Code     string // that they gave, if it is good
	Name     string // whose it is
	Error    string
	Secret   string // of their codes, as an app takes it
	Signed   string // the same, to come back
	Picture  qrCode
	Passkeys bool
	Least    int
}

// enrolPage answers GET /staff/enrol.
func (s *Server) enrolPage(c *fiber.Ctx, who *staffSession) error {
	return s.sendStaff(c, "enrol", enrolView{staffPage: s.staffPage(c, who, "Enrol")})
}

// takeEnrol answers POST /staff/enrol, with a code: what to sign in with is asked next.
func (s *Server) takeEnrol(c *fiber.Ctx, who *staffSession) error {
	v, _, err := s.enrolling(c, who)
	if err != nil {
		return err
	}
	if v.Error != "" {
		return s.sendStaff(c, "enrol", v)
	}
	return s.sendEnrol(c, v, newTOTP())
}

// enrolling reads the form of an enrolment and looks up its code.
func (s *Server) enrolling(c *fiber.Ctx, who *staffSession) (v enrolView, form url.Values, err error) {
	if form, err = staffForm(c); err != nil {
		return v, nil, err
	}
	v = enrolView{staffPage: s.staffPage(c, who, "Enrol"), Passkeys: s.desk.passkeys != nil, Least: passwordLeast}
	at, t := s.staffNow(), trier{source: s.clientAddress(c.Context())}
	if left := s.desk.guesses.wait(t, at); left > 0 {
		c.Status(http.StatusTooManyRequests)
		v.Error = "There were too many tries. Wait " + patience(left) + ", then try again."
		return v, form, nil
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	name, ok, err := s.cfg.SignIn.Invited(ctx, form.Get("invite"), at)
	if err != nil {
		return v, nil, err
	}
	if !ok {
		s.desk.guesses.failed(t, at)
		c.Status(http.StatusForbidden)
		v.Error = "This code is not good, or not any more. Ask whoever gave it to you for another."
		return v, form, nil
	}
	v.Code, v.Name = form.Get("invite"), name
	return v, form, nil
}

func (s *Server) sendEnrol(c *fiber.Ctx, v enrolView, secret string) (err error) {
	base, err := url.Parse(s.base)
	if err != nil {
		return err
	}
	if v.Signed, err = s.desk.sign("codes "+v.Code, []byte(secret), s.staffNow()); err != nil {
		return err
	}
	v.Secret = secret
	if v.Picture, err = newQR(totpAddress(v.Name, secret, base.Host)); err != nil {
		return err
	}
	return s.sendStaff(c, "enrol", v)
}

// askEnrol answers POST /staff/enrol/passkey with what a browser is to make a passkey of.
func (s *Server) askEnrol(c *fiber.Ctx, who *staffSession) error {
	v, _, err := s.enrolling(c, who)
	if err != nil {
		return err
	}
	if v.Error != "" {
		return directory.Errorf(directory.Refused, "", "the code is not good")
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	x, err := s.beginPasskey(ctx, v.Name, "enrol "+v.Code)
	if err != nil {
		return err
	}
	return s.sendCeremony(c, x)
}

// finishEnrol answers POST /staff/enrol/finish: with a passkey, or a password and a code of the app. It signs in.
func (s *Server) finishEnrol(c *fiber.Ctx, who *staffSession) error {
	v, form, err := s.enrolling(c, who)
	if err != nil {
		return err
	}
	if v.Error != "" {
		return s.sendStaff(c, "enrol", v)
	}
	var l directory.StaffLogin
	at, how := s.staffNow(), byCode
	if form.Get("passkey") != "" {
		how = byPasskey
		k, err := s.newPasskey(v.Name, "enrol "+v.Code, form.Get("state"), form.Get("passkey"), "the first passkey")
		if err != nil {
			return err
		}
		l.Passkeys = []directory.Passkey{k}
	} else {
		secret, err := s.desk.signed("codes "+v.Code, form.Get("secret"), at, time.Hour)
		if err != nil {
			return err
		}
		step, good := codeStep(string(secret), form.Get("code"), at)
		v.Error = badPassword(form.Get("new"), v.Name)
		switch {
		case v.Error != "":
		case form.Get("new") != form.Get("again"):
			v.Error = "The two passwords differ."
		case !good:
			v.Error = "The code does not go with the picture. Take the one that your app shows now; and see that the clock of your telephone is right."
		}
		if v.Error != "" {
			c.Status(http.StatusBadRequest)
			return s.sendEnrol(c, v, string(secret))
		}
		l.TOTP, l.Step = string(secret), step
		if l.Password, err = s.hashPassword(form.Get("new")); err != nil {
			return err
		}
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	if err := s.cfg.SignIn.Enrol(ctx, v.Code, l, at); err != nil {
		return err
	}
	return s.letIn(ctx, c, nil, v.Name, how, "/staff")
}

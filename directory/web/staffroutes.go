package web

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
)

// The desk of staff. Everything beneath /staff is a row of one table, from which it is registered: who may ask for
// it, and what must be true besides. Each route has its guard of its own, made from its row; nothing ever compares
// a path to find out whether it is guarded. A path that is in no row is not there, for anybody.

// SignIn is the power to know who is signed in at the desk, and to sign people in and out.
type SignIn interface {
	Session(ctx context.Context, secret string, at directory.Instant) (directory.StaffSession, bool, error)
	StartSession(ctx context.Context, name, how string, at directory.Instant) (secret string, x directory.StaffSession, err error)
	RenewSession(ctx context.Context, old, how string, at directory.Instant) (secret string, ok bool, err error)
	Sessions(ctx context.Context, name string, at directory.Instant) ([]directory.StaffSession, error)
	EndSession(ctx context.Context, name string, id directory.ID, by string, at directory.Instant) error
	EndSessions(ctx context.Context, name string, except directory.ID, by string, at directory.Instant) (int64, error)

	Login(ctx context.Context, name string) (directory.StaffLogin, error)
	PasskeyOwner(ctx context.Context, id string) (name string, err error)
	UseCode(ctx context.Context, name string, step int64) (ok bool, err error)
	UsePasskey(ctx context.Context, id, doc, challenge string, at directory.Instant) (ok bool, err error)
	Invited(ctx context.Context, code string, at directory.Instant) (name string, ok bool, err error)
	Enrol(ctx context.Context, code string, l directory.StaffLogin, at directory.Instant) error
	SetPassword(ctx context.Context, name, hash string, session directory.ID, at directory.Instant) error
	AddPasskey(ctx context.Context, name string, k directory.Passkey, session directory.ID, at directory.Instant) error
	RemovePasskey(ctx context.Context, name, id string, session directory.ID, at directory.Instant) error

	Staff(ctx context.Context) ([]directory.StaffMember, error)
	ChangeStaff(ctx context.Context, c directory.StaffChange) (directory.StaffMember, error)
	Invite(ctx context.Context, name string, reset bool, by string, at directory.Instant) (code string, expires directory.Instant, err error)

	Audit(ctx context.Context, a directory.StaffAct) error
	StaffAudit(ctx context.Context, name string, limit int) ([]directory.StaffAct, error)
	StaffSecret(purpose string) ([]byte, error) // the same in each process that serves the directory
}

// need is what a route asks for beyond a role.
type need int

const (
	open   need = 1 << iota // it is for people who are not signed in as well
	recent                  // they proved a short while ago who they are
)

// staffRoute is one thing that can be asked for at the desk.
type staffRoute struct {
	method  string
	pattern string
	may     []directory.Role // whose role may ask for it; nobody's where open
	needs   need
	do      func(s *Server, c *fiber.Ctx, who *staffSession) error // who is nil where open and nobody is signed in
	nav     string                                                 // how the header of the desk calls it; "" leaves it out
}

// Who may ask for what. An admin decides nothing, so that nobody can give themself a second person.
var (
	everyRole = []directory.Role{directory.Viewer, directory.Verifier, directory.Approver, directory.Admin}
	deciders  = []directory.Role{directory.Verifier, directory.Approver}
	admins    = []directory.Role{directory.Admin}
)

// staffRoutes is everything beneath /staff. A POST from somebody signed in always needs the token of their session
// in its form (the field "token"), and always comes from a page of ours.
var staffRoutes = []staffRoute{
	{"GET", "/staff", everyRole, 0, (*Server).staffIndex, "Desk"},
	{"GET", "/staff/cases", everyRole, 0, (*Server).staffCases, "Cases"},
	{"GET", "/staff/cases/:id", everyRole, 0, (*Server).staffCase, ""},
	{"POST", "/staff/cases/:id", deciders, 0, (*Server).staffDecide, ""},
	{"POST", "/staff/cases/:id/hold", deciders, 0, (*Server).staffHold, ""},
	{"POST", "/staff/cases/:id/papers", deciders, 0, (*Server).staffPapers, ""},
	{"POST", "/staff/cases/:id/contact", deciders, 0, (*Server).staffContact, ""},
	{"GET", "/staff/providers/:id", everyRole, 0, (*Server).staffProvider, ""},
	{"POST", "/staff/providers/:id", deciders, 0, (*Server).staffProviderAct, ""},
	{"GET", "/staff/papers/:sha", everyRole, 0, (*Server).staffPaper, ""},
	{"GET", "/staff/papers/:sha/shown", everyRole, 0, (*Server).staffPaperShown, ""},
	{"GET", "/staff/papers/:sha/file", everyRole, 0, (*Server).staffPaperFile, ""},
	{"GET", "/staff/worksheets", everyRole, 0, (*Server).staffWorksheets, "Worksheets"},
	{"POST", "/staff/worksheets", deciders, 0, (*Server).staffBringIn, ""},
	{"GET", "/staff/worksheets/:source", everyRole, 0, (*Server).staffWorksheet, ""},
	{"POST", "/staff/next", deciders, 0, (*Server).staffNext, ""},
	{"GET", "/staff/audit", everyRole, 0, (*Server).staffAudit, "Audit"},
	{"GET", "/staff/audit/provider", everyRole, 0, (*Server).staffAuditProvider, ""},
	{"GET", "/staff/audit/monitoring", everyRole, 0, (*Server).staffAuditMonitoring, ""},
	{"GET", "/staff/audit/integrity", everyRole, 0, (*Server).staffAuditIntegrity, ""},
	{"GET", "/staff/audit/member", everyRole, 0, (*Server).staffAuditMember, ""},
	{"GET", "/staff/metrics", everyRole, 0, (*Server).staffMetrics, "Metrics"},
	{"GET", "/staff/partners", everyRole, 0, (*Server).staffPartners, "Partners"},
	{"POST", "/staff/partners", admins, recent, (*Server).takePartner, ""},
	{"GET", "/staff/partners/:id", everyRole, 0, (*Server).staffPartner, ""},
	{"POST", "/staff/partners/:id", admins, recent, (*Server).takePartnerChange, ""},
	{"GET", "/staff/partners/:id/hooks/:hook", everyRole, 0, (*Server).staffHook, ""},
	{"POST", "/staff/partners/:id/hooks/:hook", admins, recent, (*Server).takeHookChange, ""},
	{"POST", "/staff/views", everyRole, 0, (*Server).staffViews, ""},

	{"GET", "/staff/sign-in", nil, open, (*Server).signInPage, ""},
	{"POST", "/staff/sign-in", nil, open, (*Server).takeSignIn, ""},
	{"POST", "/staff/sign-in/passkey", nil, open, (*Server).askSignIn, ""},
	{"GET", "/staff/enrol", nil, open, (*Server).enrolPage, ""},
	{"POST", "/staff/enrol", nil, open, (*Server).takeEnrol, ""},
	{"POST", "/staff/enrol/passkey", nil, open, (*Server).askEnrol, ""},
	{"POST", "/staff/enrol/finish", nil, open, (*Server).finishEnrol, ""},
	{"GET", "/staff/prove", everyRole, 0, (*Server).provePage, ""},
	{"POST", "/staff/prove", everyRole, 0, (*Server).takeProof, ""},
	{"POST", "/staff/sign-out", everyRole, 0, (*Server).takeSignOut, ""},

	{"GET", "/staff/people", admins, recent, (*Server).peoplePage, "People"},
	{"POST", "/staff/people", admins, recent, (*Server).takePeople, ""},
	{"GET", "/staff/account", everyRole, recent, (*Server).accountPage, "Account"},
	{"POST", "/staff/account/sessions", everyRole, recent, (*Server).endSessions, ""},
	{"GET", "/staff/account/sign-in", everyRole, recent, (*Server).changesPage, ""},
	{"POST", "/staff/account/sign-in", everyRole, recent, (*Server).takeChanges, ""},
	{"POST", "/staff/account/passkey", everyRole, recent, (*Server).askAccount, ""},
}

// staffSession is who asks.
type staffSession struct {
	directory.StaffSession
	Token  string // for the forms of this session
	Recent bool   // they proved a short while ago who they are
	secret string
}

// May reports that their role may ask for the route: for links in templates.
func (w *staffSession) may(r staffRoute) bool { return w != nil && slices.Contains(r.may, w.Role) }

// sessionCookie holds the secret of a session. With this beginning of its name a browser takes it from us alone,
// over https alone, and sends it to no other host. It has no end of its own: the store says when it is over.
const sessionCookie = "__Host-kapdir-staff"

// bearsSession reports that a request has the cookie of a session, whether or not there is such a session.
func bearsSession(h *fasthttp.RequestHeader) bool { return len(h.Cookie(sessionCookie)) > 0 }

// deskParts are what the desk is made of.
type deskParts struct {
	routes   []staffRoute
	pages    map[string]*template.Template
	host     string             // of our address: what a request says is ours may be anything
	passkeys *webauthn.WebAuthn // nil at an address for which there are none
	guesses  guesses
	hashing  hashing
	key      func() ([]byte, error) // signs what goes to a browser and comes back
}

// parseStaffPages are the parsed templates of the desk, which is in English alone. Every file of templates/staff but
// the layout, and the form of a deed, is a page by its name.
func parseStaffPages(a *assets) (map[string]*template.Template, error) {
	files, err := fs.Glob(templateFiles, "templates/staff/*.html")
	if err != nil {
		return nil, err
	}
	out := map[string]*template.Template{}
	for _, f := range files {
		name := strings.TrimSuffix(path.Base(f), ".html")
		if name == "layout" || name == "deed" {
			continue
		}
		t, err := template.New("layout.html").Option("missingkey=error").Funcs(functions(a, english)).Funcs(deskFunctions).ParseFS(templateFiles, "templates/staff/layout.html", "templates/staff/deed.html", f)
		if err != nil {
			return nil, fmt.Errorf("web: staff page %s: %w", name, err)
		}
		if t.Lookup("main") == nil {
			return nil, fmt.Errorf("web: staff page %s defines no main", name)
		}
		out[name] = t
	}
	return out, nil
}

// staff registers the routes of the desk.
func (s *Server) staff(routes []staffRoute) error {
	base, err := url.Parse(s.base)
	if err != nil {
		return err
	}
	if s.desk.passkeys, err = newPasskeys(base); err != nil {
		return err
	}
	s.desk.host = base.Host
	s.desk.routes, s.desk.hashing = routes, newHashing()
	s.desk.key = func() ([]byte, error) { return s.cfg.SignIn.StaffSecret("notes") }
	for _, r := range routes {
		if r.pattern != "/staff" && !strings.HasPrefix(r.pattern, "/staff/") || (len(r.may) == 0) != (r.needs&open != 0) {
			return fmt.Errorf("web: the route %s %s of the desk is for nobody or for everybody", r.method, r.pattern)
		}
		if r.method == http.MethodPost {
			s.posts = append(s.posts, r.pattern)
		}
		s.app.Add(r.method, r.pattern, s.guarded(r))
		if r.method == http.MethodGet {
			s.app.Head(r.pattern, s.guarded(r))
		}
	}
	return nil
}

// guarded is the handler of a route with everything that its row asks for before it.
func (s *Server) guarded(r staffRoute) fiber.Handler {
	return func(c *fiber.Ctx) error {
		v := visitOf(c)
		v.route, v.kind, v.set, v.lang = r.pattern, desk, true, english
		staffHeaders(c)
		foreign := s.fromElsewhere(c)
		if foreign && r.method != http.MethodGet {
			return directory.Errorf(directory.Refused, "", "this was sent by a page of another site, or by a browser that does not say where it comes from")
		}
		ctx, cancel := s.deadline(pageDeadline)
		defer cancel()
		var who *staffSession
		if !foreign { // another site may lead here, but not as anybody
			var err error
			if who, err = s.signedIn(ctx, c); err != nil {
				return err
			}
		}
		v.who = who
		if r.needs&open == 0 {
			switch {
			case who == nil && r.method == http.MethodGet:
				return seeOther(c, "/staff/sign-in"+s.goOn(c))
			case who == nil:
				return notStaff{}
			case !who.may(r):
				return directory.Errorf(directory.Refused, "", "that is not for the role %s", who.Role)
			}
		}
		if r.needs&recent != 0 && !who.Recent {
			if r.method == http.MethodGet {
				return seeOther(c, "/staff/prove"+s.goOn(c))
			}
			return directory.Errorf(directory.Refused, "", "this asks that you prove anew who you are: do so, and send the form again")
		}
		if r.method == http.MethodPost && who != nil && !hmac.Equal([]byte(formToken(c)), []byte(who.Token)) {
			return directory.Errorf(directory.Refused, "", "the form is of another session: load its page again, and send it from there")
		}
		if r.method == http.MethodPost {
			defer s.heads.forget()
		}
		return r.do(s, c, who)
	}
}

// goOn is the question that leads back to the page that was asked for, once the person has said who they are.
func (s *Server) goOn(c *fiber.Ctx) string {
	if to := s.returnTo(c.Path()); to != "/staff" {
		return "?for=" + url.QueryEscape(to)
	}
	return ""
}

// returnTo is a page of the desk to go on to: what was asked if it is one of the table, else the first.
func (s *Server) returnTo(asked string) string {
	for _, r := range s.desk.routes {
		if r.method == http.MethodGet && plainPath.MatchString(asked) && fiber.RoutePatternMatch(asked, r.pattern, fiber.Config{StrictRouting: true, CaseSensitive: true}) {
			return strings.Clone(asked)
		}
	}
	return "/staff"
}

// plainPath is a path that nothing reads as anything else.
var plainPath = regexp.MustCompile(`^(/[a-z0-9_-]+)+$`)

// staffHeaders are those of the desk beside those of every answer. Our own forms say which page sent them.
func staffHeaders(c *fiber.Ctx) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Robots-Tag", "noindex")
	c.Set("Referrer-Policy", "same-origin")
}

var crossOrigin = http.NewCrossOriginProtection()

// fromElsewhere reports that a page of another origin made the browser send the request, or may have, by net/http's
// rule. That one lets pass whatever changes nothing; here a page of the desk that is only looked at is held to it too.
func (s *Server) fromElsewhere(c *fiber.Ctx) bool {
	header := http.Header{}
	for _, name := range []string{"Sec-Fetch-Site", "Origin"} {
		if v := c.Get(name); v != "" {
			header.Set(name, strings.Clone(v))
		}
	}
	return crossOrigin.Check(&http.Request{Method: http.MethodPost, Header: header, Host: s.desk.host, URL: &url.URL{}}) != nil
}

// signedIn returns who is signed in, nil if nobody is. It is the one place at which a cookie of a session is read.
func (s *Server) signedIn(ctx context.Context, c *fiber.Ctx) (*staffSession, error) {
	secret := strings.Clone(c.Cookies(sessionCookie))
	if secret == "" {
		return nil, nil
	}
	at := s.staffNow()
	x, ok, err := s.cfg.SignIn.Session(ctx, secret, at)
	if err != nil || !ok {
		return nil, err
	}
	return &staffSession{StaffSession: x, Token: tokenOf(secret), Recent: x.Recent(at), secret: secret}, nil
}

// staffNow is the time by which people are signed in. In a demonstration, whose clock stands, it is the real one.
func (s *Server) staffNow() directory.Instant { return directory.At(s.cfg.StaffNow()) }

// tokenOf is the token of a session's forms: whoever has it has seen a page of that session, and it does not tell
// the secret.
func tokenOf(secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("form"))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:16])
}

// formToken returns the token that was sent: the field "token", which a form with files has first.
func formToken(c *fiber.Ctx) string {
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	switch {
	case err != nil:
		return ""
	case kind == fiber.MIMEMultipartForm:
		part, err := multipart.NewReader(strings.NewReader(string(c.Body())), params["boundary"]).NextPart()
		if err != nil || part.FormName() != "token" || part.FileName() != "" {
			return ""
		}
		b := make([]byte, 64)
		n, _ := part.Read(b)
		return string(b[:n])
	}
	form, err := staffForm(c)
	if err != nil {
		return ""
	}
	return form.Get("token")
}

// staffForm reads the form that was sent, without files.
func staffForm(c *fiber.Ctx) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); err != nil || kind != fiber.MIMEApplicationForm {
		return nil, fiber.ErrUnsupportedMediaType
	}
	form, err := url.ParseQuery(string(c.Body())) // a copy
	if err != nil {
		return nil, directory.Invalid
	}
	return form, nil
}

// seeOther sends the browser to a page of ours.
func seeOther(c *fiber.Ctx, to string) error {
	c.Set(fiber.HeaderLocation, to)
	c.Status(http.StatusSeeOther)
	return nil
}

// staffPage is what every page of the desk has around its own content: embed it.
type staffPage struct {
	Title string
	Who   *staffSession // nil where nobody is signed in
	Nav   []staffLink
	Demo  *demo
	Base  string
}

// Token is the token that every form of the page carries.
func (p staffPage) Token() string {
	if p.Who == nil {
		return ""
	}
	return p.Who.Token
}

type staffLink struct {
	Href, Label string
	Here        bool
}

// staffPage fills in what is around a page.
func (s *Server) staffPage(c *fiber.Ctx, who *staffSession, title string) staffPage {
	p := staffPage{Title: title, Who: who, Demo: s.demo(), Base: s.base}
	for _, r := range s.desk.routes {
		if r.nav != "" && who.may(r) {
			p.Nav = append(p.Nav, staffLink{r.pattern, r.nav, r.pattern == visitOf(c).route})
		}
	}
	return p
}

// sendStaff renders the page of the desk that templates/staff holds under the name. A status that was set stays.
func (s *Server) sendStaff(c *fiber.Ctx, name string, data any) error {
	t := s.desk.pages[name]
	if t == nil {
		return fmt.Errorf("web: there is no staff page %s", name)
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return fmt.Errorf("staff page %s: %w", name, err)
	}
	return s.send(c, fiber.MIMETextHTMLCharsetUTF8, []byte(b.String()))
}

// staffProblem is the page of something that failed at the desk.
type staffProblem struct {
	staffPage
	P problem
}

// staffProblemPage tells staff what went wrong: what a store says to them in its own words, which the public never
// reads, too.
func (s *Server) staffProblemPage(c *fiber.Ctx, p problem, err error) error {
	var de *directory.Error
	if errors.As(err, &de) && de.Detail != "" && p.Status < 500 {
		p.Detail = capital(de.Detail) + "."
	}
	staffHeaders(c)
	v := staffProblem{s.staffPage(c, visitOf(c).who, p.Title), p}
	return s.sendStaff(c, "problem", v)
}

// staffIndex answers GET /staff.
func (s *Server) staffIndex(c *fiber.Ctx, who *staffSession) error {
	p := indexPage{staffPage: s.staffPage(c, who, "Desk")}
	if s.cfg.Desk == nil {
		return s.sendStaff(c, "index", p)
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	list, err := s.cfg.Desk.List(ctx, directory.CaseFilter{Limit: 1}, true)
	if err != nil {
		return err
	}
	of := func(by, value string) (n int) {
		for _, x := range list.Counts {
			if x.By == by && x.Value == value {
				n = x.N
			}
		}
		return n
	}
	add := func(label, query string, n int) {
		p.Waits = append(p.Waits, indexCount{label, "/staff/cases?" + query, n})
	}
	p.Total = list.Total
	add("late", "late=1", of("late", "1"))
	add("mine", "holder="+url.QueryEscape(who.Name), of("holder", who.Name))
	add("free", "holder="+directory.Nobody, of("holder", directory.Nobody))
	add("need a second person", "work=second", of("work", string(directory.WorkSecond)))
	add("returned", "work=returned", of("work", string(directory.WorkReturned)))
	add("for an approver", "needs=approver", of("needs", string(directory.Approver)))
	for _, k := range directory.CaseKinds {
		if n := of("kind", string(k.Kind)); n > 0 {
			p.Kinds = append(p.Kinds, indexCount{spaced(string(k.Kind)), "/staff/cases?kind=" + string(k.Kind), n})
		}
	}
	if p.Hidden, err = s.cfg.Desk.Hidden(ctx); err != nil {
		return err
	}
	return s.sendStaff(c, "index", p)
}

// indexPage is the first page of the desk.
type indexPage struct {
	staffPage
	Total        int
	Waits, Kinds []indexCount
	Hidden       []directory.Other // whom the desk took off every public face
}

type indexCount struct {
	Label, Href string
	N           int
}

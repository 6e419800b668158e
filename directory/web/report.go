package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Anybody may say that a page is wrong or should go, without an account (contracts.md §6). What is sent is
// acknowledged at once and changes nothing: staff decide. No cookie says who sends it, so a page elsewhere that
// makes a visitor's browser send the form gains nothing it could not do itself; it is refused all the same.

// Limits of a request.
const (
	maxWordsOfReport = 2000 // characters
	maxContact       = 200
	tokenLife        = 24 * time.Hour
	reportWindow     = 10 * time.Minute
	reportsEach      = 5   // from one address in a window
	reportsAll       = 200 // from everybody in a window
)

// reportView is the page on which to say that something is wrong.
type reportView struct {
	page
	P        *provider
	Open     bool // a form stands there
	About    string
	Words    string
	ReplyTo  string // where the answer goes
	Token    string
	Errors   []fieldError
	Wrong    map[string]bool
	Received *directory.Removal
}

// fieldError is a mistake beside the field that it is in; "" is of the form as a whole.
type fieldError struct{ Field, Label, Detail string }

// reportPage answers GET /providers/:id/report.
func (s *Server) reportPage(c *fiber.Ctx) error {
	v, err := s.reportView(c)
	if v == nil || err != nil {
		return err
	}
	if about, err := directory.ParseID(directory.ClaimPrefix, strings.Clone(c.Query("claim"))); err == nil {
		v.About = string(about)
	}
	return s.sendPage(c, "report", v)
}

// reportView is the page for the provider of the path; nil after a redirect to where the provider went.
func (s *Server) reportView(c *fiber.Ctx) (*reportView, error) {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Robots-Tag", "noindex")
	id, err := directory.ParseID(directory.ProviderPrefix, strings.Clone(c.Params("id")))
	if err != nil {
		return nil, directory.NotFound
	}
	p, err := s.providerAsked(c, id, ask{})
	var moved *mergedInto
	if errors.As(err, &moved) {
		c.Set(fiber.HeaderLocation, moved.location(langOf(c).To("/providers/"), "")+"/report")
		c.Status(http.StatusSeeOther)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l := langOf(c)
	return &reportView{page: s.page(c, l.t("report.title", "Name", p.Name), p.URL+"/report"), P: p, Open: s.cfg.Requests != nil,
		Token: s.forms.token(p.ID, s.cfg.Now()), Wrong: map[string]bool{}}, nil
}

// takeReport answers POST /providers/:id/report.
func (s *Server) takeReport(c *fiber.Ctx) error {
	if !s.ownForm(c) {
		return directory.Refused
	}
	if kind, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";"); !strings.EqualFold(strings.TrimSpace(kind), fiber.MIMEApplicationForm) {
		return fiber.ErrUnsupportedMediaType
	}
	form, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return directory.Invalid
	}
	v, err := s.reportView(c)
	if v == nil || err != nil {
		return err
	}
	l := langOf(c)
	q := directory.Removal{Provider: v.P.ID, Kind: "removal"}
	v.About, v.Words, v.ReplyTo = form.Get("about"), strings.TrimSpace(form.Get("words")), strings.TrimSpace(form.Get("contact"))
	wrong := func(field, label, key string, args ...any) {
		if label != "" {
			label = l.t(label)
		}
		v.Errors, v.Wrong[field] = append(v.Errors, fieldError{field, label, l.t(key, args...)}), true
	}
	if !utf8.ValidString(v.About + v.Words + v.ReplyTo) {
		return directory.Invalid
	}
	switch {
	case v.About == "removal":
	case v.named(v.About):
		q.Kind, q.Claim = "correction", directory.ID(v.About)
		if v.Words == "" {
			wrong("words", "report.words", "report.bad.words")
		}
	default:
		v.About = ""
		wrong("about", "report.about", "report.bad.about")
	}
	v.Words, v.ReplyTo = plainLines(v.Words), strings.Join(strings.Fields(plainLines(v.ReplyTo)), " ")
	if utf8.RuneCountInString(v.Words) > maxWordsOfReport || len(v.Words) > 2*maxWordsOfReport {
		wrong("words", "report.words", "report.bad.long", "Most", maxWordsOfReport)
	}
	if len(v.ReplyTo) > maxContact {
		wrong("contact", "report.contact", "report.bad.long", "Most", maxContact)
	}
	if holdsSSN(v.Words) { // and it is not sent back either
		v.Words = ""
		wrong("words", "report.words", "report.bad.ssn")
	}
	if holdsSSN(v.ReplyTo) {
		v.ReplyTo = ""
		wrong("contact", "report.contact", "report.bad.ssn")
	}
	if form.Get("website") != "" {
		wrong("website", "report.trap", "report.bad.trap")
	}
	if len(v.Errors) == 0 && !s.forms.good(form.Get("token"), v.P.ID, s.cfg.Now()) {
		wrong("", "", "report.bad.token")
	}
	c.Status(http.StatusBadRequest)
	if len(v.Errors) == 0 && !s.forms.admit(s.clientAddress(c.Context())) {
		c.Status(http.StatusTooManyRequests)
		c.Set(fiber.HeaderRetryAfter, "600")
		wrong("", "", "report.bad.many")
	}
	if len(v.Errors) > 0 {
		v.Title = l.t("report.mend")
		return s.sendPage(c, "report", v)
	}
	q.Words, q.Contact = strings.Clone(v.Words), strings.Clone(v.ReplyTo)
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	got, err := s.cfg.Requests.RequestRemoval(ctx, q)
	if err != nil {
		return err
	}
	c.Status(http.StatusOK)
	v.Received, v.Title = &got, l.t("report.received")
	return s.sendPage(c, "report", v)
}

// named reports a claim that the page shows.
func (v *reportView) named(id string) bool {
	for _, x := range v.P.Claims {
		if string(x.ID) == id {
			return true
		}
	}
	return false
}

// ownForm reports that a page of ours sent the form, as far as the browser tells. Our pages say that no referrer
// is to be sent, for which a browser writes "null" as the origin of its own forms as well; one that knows
// Sec-Fetch-Site says there what it was.
func (s *Server) ownForm(c *fiber.Ctx) bool {
	if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" || origin == "null" {
		return true
	}
	ours, err := url.Parse(s.base)
	return err == nil && strings.EqualFold(origin, ours.Scheme+"://"+ours.Host)
}

// forms signs the forms that are given out, and counts what comes back.
type forms struct {
	secret    [32]byte // of this process: a form from before a restart is given out again
	each, all *tally
}

func newForms() *forms {
	f := &forms{each: newTally(reportWindow), all: newTally(reportWindow)}
	_, _ = rand.Read(f.secret[:]) // never fails: crypto/rand ends the program instead
	return f
}

// token says that we gave out the form about this provider, and when.
func (f *forms) token(id directory.ID, at time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, f.sign(b, id)...))
}

func (f *forms) sign(at []byte, id directory.ID) []byte {
	m := hmac.New(sha256.New, f.secret[:])
	m.Write([]byte("report\x00" + id + "\x00"))
	m.Write(at)
	return m.Sum(nil)[:16]
}

// good reports a token of ours for that provider, of the last day.
func (f *forms) good(token string, id directory.ID, now time.Time) bool {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 24 || !hmac.Equal(b[8:], f.sign(b[:8], id)) {
		return false
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(b)), 0))
	return age >= -time.Second && age <= tokenLife
}

// admit counts a request of an address, and reports that it is within the limits.
func (f *forms) admit(client netip.Addr) bool {
	return take(f.each, client, reportsEach).ok && take(f.all, struct{}{}, reportsAll).ok
}

// plainLines takes out what could move a reader's screen: nothing but line breaks and signs that show is left.
func plainLines(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\r':
			return -1
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return ' '
		}
		return r
	}, s)
}

// otherSSN are Social Security numbers as people write them into a form besides with hyphens.
var otherSSN = regexp.MustCompile(`(?i)\b(\d{3} \d{2} \d{4}|\d{3}\.\d{2}\.\d{4})\b|(ssn|social security|seguro social)\D{0,30}\d{9}\b`)

func holdsSSN(s string) bool { return directory.LooksLikeSSN(s) || otherSSN.MatchString(s) }

package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Partners at the desk: everybody on staff sees who uses the API, with what rights and how often; an admin who proved
// a short while ago who they are changes it. The secret of a key is on the one page that answers the form that made it.

// IntegratorDesk is what the desk looks at and changes of whoever uses our API. What is one integrator's is asked for with
// whose it is.
type IntegratorDesk interface {
	Integrators(ctx context.Context) ([]directory.Integrator, error)
	Integrator(ctx context.Context, id directory.IntegratorID) (directory.Integrator, error)
	AddIntegrator(ctx context.Context, x directory.Integrator, by string, at directory.Instant) (directory.Integrator, error)
	SetOrigins(ctx context.Context, id directory.IntegratorID, origins []directory.WebOrigin, by string, at directory.Instant) (directory.Integrator, error)
	EndIntegrator(ctx context.Context, id directory.IntegratorID, by string, at directory.Instant) (directory.Integrator, error)
	APIKeys(ctx context.Context, id directory.IntegratorID) ([]directory.APIKey, error)
	AddAPIKey(ctx context.Context, id directory.IntegratorID, k directory.APIKey, by string, at directory.Instant) (text string, out directory.APIKey, err error)
	RotateAPIKey(ctx context.Context, integrator directory.IntegratorID, id directory.ID, overlap time.Duration, by string, at directory.Instant) (text string, out directory.APIKey, err error)
	EndAPIKey(ctx context.Context, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant) (directory.APIKey, error)
	KeyUsage(ctx context.Context, id directory.IntegratorID, from, to directory.Date) ([]directory.KeyUsage, error)
	Embeds(ctx context.Context, id directory.IntegratorID) ([]directory.Embed, error)
	AddEmbed(ctx context.Context, id directory.IntegratorID, e directory.Embed, by string, at directory.Instant) (directory.Embed, error)
	EndEmbed(ctx context.Context, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant) error
	HookDesk
}

// usageDays is for how many days the page of a partner says how often keys asked.
const usageDays = 14

// partnersView is the page of all partners.
type partnersView struct {
	staffPage
	Partners []directory.Integrator
	Changes  bool // the forms stand there
	Form     url.Values
	Error    string
}

// staffPartners answers GET /staff/partners.
func (s *Server) staffPartners(c *fiber.Ctx, who *staffSession) error {
	return s.sendPartners(c, who, nil, "")
}

// mayChangePartners reports that the forms that change a partner are for them, now.
func mayChangePartners(who *staffSession) bool { return who.Role == directory.Admin && who.Recent }

func (s *Server) sendPartners(c *fiber.Ctx, who *staffSession, form url.Values, wrong string) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	v := partnersView{staffPage: s.staffPage(c, who, "Partners"), Changes: mayChangePartners(who), Form: form, Error: wrong}
	var err error
	if v.Partners, err = s.cfg.Desk.Integrators(ctx); err != nil {
		return err
	}
	if wrong != "" {
		c.Status(http.StatusBadRequest)
	}
	return s.sendStaff(c, "partners", v)
}

// mend returns what an admin can mend in a form, as a sentence; ok is false for any other error.
func mend(err error) (sentence string, ok bool) {
	var e *directory.Error
	if errors.As(err, &e) && e.Detail != "" && (e.Kind == directory.Invalid || e.Kind == directory.Conflict || e.Kind == directory.NotFound && e.Field != "partner") {
		return capital(e.Detail) + ".", true
	}
	return "", false
}

// takePartner answers POST /staff/partners: a new one.
func (s *Server) takePartner(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	x := directory.Integrator{ID: directory.IntegratorID(strings.TrimSpace(form.Get("id"))), Name: strings.TrimSpace(form.Get("name")), Contact: strings.TrimSpace(form.Get("contact"))}
	if x.Origins, err = readOrigins(form.Get("origins")); err == nil {
		x, err = s.cfg.Desk.AddIntegrator(ctx, x, who.Name, s.staffNow())
	}
	if wrong, ok := mend(err); ok {
		return s.sendPartners(c, who, form, wrong)
	}
	if err != nil {
		return err
	}
	return seeOther(c, "/staff/partners/"+string(x.ID))
}

// readOrigins reads one origin a line.
func readOrigins(text string) (out []directory.WebOrigin, err error) {
	for _, line := range strings.Fields(text) {
		o, err := directory.ParseWebOrigin(line)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out, nil
}

// partnerView is the page of one partner.
type partnerView struct {
	staffPage
	P       directory.Integrator
	Changes bool // the forms stand there
	Keys    []keyRow
	Scopes  []scopeRow
	Embeds  []embedRow
	Hooks   []directory.Hook
	Notices []noticeRow
	Usage   []usageOfDay
	Acts    []directory.StaffAct
	Form    url.Values // what was sent and cannot be taken
	Error   string
	Done    string
	Key     string // just made, shown this once
	For     directory.APIKey
	Lines   string // the origins as their form has them
	Limits  struct{ PerMinute, MostPerMinute, Days, MostDays, Overlap, MostOverlap, UsageDays int }
	Themes  []string
	Speaks  []string
}

type keyRow struct {
	directory.APIKey
	State string
	Live  bool
	Until directory.Instant
}

// ScopesText is what the key has the right to, in words of the table of scopes.
func (k keyRow) ScopesText() string { return directory.JoinScopes(k.Scopes) }

type scopeRow struct {
	Scope   directory.Scope
	May     string
	Checked bool
}

// noticeRow says when a webhook is called.
type noticeRow struct {
	Type directory.NoticeType
	When string
}

var noticeRows = []noticeRow{{directory.NoticeListed, "a provider is listed"}, {directory.NoticeRemoved, "a provider is listed no more"}, {directory.NoticeStatus, "a check has another result"}}

type embedRow struct{ directory.Embed }

// Shows is what the embed shows, in a line.
func (e embedRow) Shows() string { return e.String() }

// usageOfDay is how often a key asked on a day.
type usageOfDay struct {
	Day            directory.Date
	Key            string
	Count, Refused int64
	Routes         string
}

// staffPartner answers GET /staff/partners/:id.
func (s *Server) staffPartner(c *fiber.Ctx, who *staffSession) error {
	v, err := s.partnerView(c, who)
	if err != nil {
		return err
	}
	return s.sendStaff(c, "partner", v)
}

func (s *Server) partnerOfPath(c *fiber.Ctx) (directory.IntegratorID, error) {
	id, err := directory.ParseIntegratorID(strings.Clone(c.Params("id")))
	if err != nil {
		return "", directory.NotFound
	}
	return id, nil
}

func (s *Server) partnerView(c *fiber.Ctx, who *staffSession) (*partnerView, error) {
	id, err := s.partnerOfPath(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	v := &partnerView{Form: url.Values{}, Themes: directory.EmbedThemes, Speaks: directory.EmbedLanguages}
	if v.P, err = s.cfg.Desk.Integrator(ctx, id); err != nil {
		return nil, err
	}
	v.staffPage, v.Changes = s.staffPage(c, who, v.P.Name), mayChangePartners(who) && v.P.State == directory.IntegratorActive
	at := s.staffNow()
	keys, err := s.cfg.Desk.APIKeys(ctx, id)
	if err != nil {
		return nil, err
	}
	names := map[directory.ID]string{}
	for _, k := range slices.Backward(keys) {
		names[k.ID] = k.Name
		v.Keys = append(v.Keys, keyRow{k, k.State(at), k.Live(at), k.Until()})
	}
	slices.SortStableFunc(v.Keys, func(a, b keyRow) int { return int(truthOf(b.Live) - truthOf(a.Live)) })
	embeds, err := s.cfg.Desk.Embeds(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(embeds) {
		v.Embeds = append(v.Embeds, embedRow{e})
	}
	v.Notices = noticeRows
	if v.Hooks, err = s.cfg.Desk.Hooks(ctx, id); err != nil {
		return nil, err
	}
	usage, err := s.cfg.Desk.KeyUsage(ctx, id, at.AddDays(1-usageDays).Date(), at.Date())
	if err != nil {
		return nil, err
	}
	for _, u := range usage { // by day, then by key
		last := len(v.Usage) - 1
		if last < 0 || v.Usage[last].Day != u.Day || v.Usage[last].Key != names[u.Key]+" "+string(u.Key) {
			v.Usage = append(v.Usage, usageOfDay{Day: u.Day, Key: names[u.Key] + " " + string(u.Key)})
			last++
		}
		d := &v.Usage[last]
		d.Count, d.Refused = d.Count+u.Count, d.Refused+u.Refused
		if d.Routes != "" {
			d.Routes += ", "
		}
		d.Routes += u.Route + " " + strconv.FormatInt(u.Count, 10)
	}
	if v.Acts, err = s.cfg.SignIn.StaffAudit(ctx, id.About(), 50); err != nil {
		return nil, err
	}
	for _, x := range directory.Scopes {
		v.Scopes = append(v.Scopes, scopeRow{x.Scope, x.May, x.Scope == directory.ScopeRead})
	}
	var lines []string
	for _, o := range v.P.Origins {
		lines = append(lines, string(o))
	}
	v.Lines = strings.Join(lines, "\n")
	v.Limits.PerMinute, v.Limits.MostPerMinute = directory.KeyPerMinute, directory.MostPerMinute
	v.Limits.Days, v.Limits.MostDays = inDays(directory.KeyLife), inDays(directory.MostKeyLife)
	v.Limits.Overlap, v.Limits.MostOverlap, v.Limits.UsageDays = inDays(directory.KeyOverlap), inDays(directory.MostKeyOverlap), usageDays
	return v, nil
}

func inDays(d time.Duration) int { return int(d / (24 * time.Hour)) }

func truthOf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// takePartnerChange answers POST /staff/partners/:id.
func (s *Server) takePartnerChange(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	id, err := s.partnerOfPath(c)
	if err != nil {
		return err
	}
	var key, done string
	var made directory.APIKey
	if form.Get("do") == "hook" { // whose secret its own page shows
		if err = s.addHook(c, who, id, form); err == nil {
			return nil
		}
	} else {
		key, made, done, err = s.changePartner(id, form, who)
		s.door.forget()
	}
	wrong, mendable := mend(err)
	if err != nil && !mendable {
		return err
	}
	v, err := s.partnerView(c, who)
	if err != nil {
		return err
	}
	v.Key, v.For, v.Done, v.Error = key, made, done, wrong
	if wrong != "" {
		v.Form = form
		for i, x := range v.Scopes {
			v.Scopes[i].Checked = slices.Contains(form["scope"], string(x.Scope))
		}
		if form.Get("do") == "origins" {
			v.Lines = form.Get("origins")
		}
		c.Status(http.StatusBadRequest)
	}
	return s.sendStaff(c, "partner", v)
}

// changePartner does what the form says, and returns what the page tells of it: the text of a key that was made.
func (s *Server) changePartner(id directory.IntegratorID, form url.Values, who *staffSession) (key string, made directory.APIKey, done string, err error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	desk, by, at := s.cfg.Desk, who.Name, s.staffNow()
	number := func(field string) (int, error) {
		n, err := strconv.Atoi(strings.TrimSpace(form.Get(field)))
		if err != nil {
			return 0, directory.Errorf(directory.Invalid, field, "write a whole number for %s", strings.ReplaceAll(field, "_", " "))
		}
		return n, nil
	}
	of := func(prefix string) (directory.ID, error) { return directory.ParseID(prefix, form.Get("id")) }
	switch form.Get("do") {
	case "origins":
		origins, err := readOrigins(form.Get("origins"))
		if err != nil {
			return "", made, "", err
		}
		_, err = desk.SetOrigins(ctx, id, origins, by, at)
		return "", made, "The sites are changed.", err
	case "end":
		if form.Get("confirm") != string(id) {
			return "", made, "", directory.Errorf(directory.Invalid, "confirm", "write %s into the field, so that it is no slip: nothing brings a partner back", id)
		}
		_, err := desk.EndIntegrator(ctx, id, by, at)
		return "", made, "It is ended: no key is good, no embed shows anything, and no webhook is called.", err
	case "key":
		perMinute, err := number("per_minute")
		if err != nil {
			return "", made, "", err
		}
		if perMinute == 0 { // which the store takes for what is usual
			perMinute = -1
		}
		days, err := number("days")
		if err != nil {
			return "", made, "", err
		}
		if days < 1 || days > inDays(directory.MostKeyLife) {
			return "", made, "", directory.Errorf(directory.Invalid, "days", "a key is good for 1 to %d days", inDays(directory.MostKeyLife))
		}
		scopes, err := directory.ParseScopes(strings.Join(form["scope"], " "))
		if err != nil {
			return "", made, "", err
		}
		key, made, err = desk.AddAPIKey(ctx, id, directory.APIKey{Name: strings.TrimSpace(form.Get("name")), Scopes: scopes, PerMinute: perMinute, Expires: at.AddDays(days)}, by, at)
		return key, made, "", err
	case "rotate":
		old, err := of(directory.KeyPrefix)
		if err != nil {
			return "", made, "", err
		}
		overlap, err := number("overlap")
		if err != nil {
			return "", made, "", err
		}
		if overlap < 0 || overlap > inDays(directory.MostKeyOverlap) {
			return "", made, "", directory.Errorf(directory.Invalid, "overlap", "the old key stays good for 0 to %d days", inDays(directory.MostKeyOverlap))
		}
		key, made, err = desk.RotateAPIKey(ctx, id, old, time.Duration(overlap)*24*time.Hour, by, at)
		return key, made, "", err
	case "end-key":
		old, err := of(directory.KeyPrefix)
		if err != nil {
			return "", made, "", err
		}
		_, err = desk.EndAPIKey(ctx, id, old, by, at)
		return "", made, "The key " + string(old) + " is ended.", err
	case "embed":
		e := directory.Embed{Name: strings.TrimSpace(form.Get("name")), Kind: directory.EmbedResults,
			Doc: directory.EmbedDoc{Query: strings.TrimPrefix(strings.TrimSpace(form.Get("query")), "?"), Theme: form.Get("theme"), Language: form.Get("language")}}
		if p := strings.TrimSpace(form.Get("provider")); p != "" {
			if e.Doc.Provider, err = directory.ParseID(directory.ProviderPrefix, p); err != nil {
				return "", made, "", err
			}
			e.Kind = directory.EmbedProvider
		}
		if err := CheckEmbedQuery(e.Doc.Query); err != nil {
			return "", made, "", err
		}
		e, err = desk.AddEmbed(ctx, id, e, by, at)
		return "", made, "The embed " + string(e.ID) + " is there.", err
	case "end-embed":
		old, err := of(directory.EmbedPrefix)
		if err != nil {
			return "", made, "", err
		}
		return "", made, "The embed " + string(old) + " shows nothing any more.", desk.EndEmbed(ctx, id, old, by, at)
	}
	return "", made, "", directory.Errorf(directory.Refused, "do", "what is to be done is missing")
}

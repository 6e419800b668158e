package web

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
	"kapdir/search"
)

// page is what every page has around its own content.
type page struct {
	Title     string
	Canonical string // absolute; "" for a page that search engines should leave out
	Demo      *demo
	Contact   string
	Path      string
	Notice    *notice
	Legend    []legendRow // the shapes that the page uses
}

type legendRow struct {
	Result  directory.CheckResult
	Label   string
	Meaning string
}

func (s *Server) page(title, path string) page {
	return page{Title: title, Demo: s.demo(), Contact: s.cfg.Contact, Path: path}
}

// sendPage renders a page and sends it.
func (s *Server) sendPage(c *fiber.Ctx, name string, data any) error {
	body, err := s.pages.render(name, data)
	if err != nil {
		return err
	}
	return s.send(c, fiber.MIMETextHTMLCharsetUTF8, body)
}

// searchView is the search page: one form, and the answer of the API beneath it.
type searchView struct {
	page
	Ask      ask
	Asked    bool
	Errors   []formError
	Wrong    map[string]string // by parameter
	States   []stateOption
	Radii    []int
	Answer   *searchAnswer
	Read     readView
	Groups   []facetGroup
	Chosen   []choice
	Next     string
	First    string
	Easier   []choice
	Filtered int
	Plainly  string // the search without its filters
	At       string // the moment asked for, as a parameter; "" is now
	Today    string // the same search of today
}

// formError is a mistake with the words that stand beside its field.
type formError struct {
	paramError
	Label string
}

// fieldLabels are the words beside the fields of the form; facets have their own.
var fieldLabels = map[string]string{"q": "Name, need or approach", "near": "Near", "radius": "Within", "state": "Patient’s state", "telehealth": "By video for a patient in", "can_see": "Shown to be licensed in",
	"lift": "What was taken away", "words": "What is searched for as words",
	"price_max": "Medicine session, at most", "sort": "Order", "at": "As of", "query": "The address"}

type stateOption struct {
	Code  directory.State
	Name  string
	Count int
}

type facetGroup struct {
	Name   string
	Label  string
	Open   bool
	Values []groupValue
}

// groupValue is a value to tick; or one that the words ask for, with the search without them.
type groupValue struct {
	search.FacetValue
	Remove string
}

// choice is something chosen, with the search that goes without it, or something to try.
type choice struct{ Label, Href string }

var radii = []int{5, 10, 25, 50, 100, 250, 500}

// searchPage answers GET /.
func (s *Server) searchPage(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	raw := rawQuery(c)
	key := strings.Clone(c.Path()) + "?" + raw
	if kept := s.kept(key); kept != nil {
		return s.sendKept(c, kept)
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	a, bad := parse(raw, searchParams, true)
	v := searchView{page: s.page("Find ketamine-assisted psychotherapy", "/"), Ask: a, Asked: a.asked(), Radii: radii, Wrong: map[string]string{}}
	if v.Asked {
		v.Title = "Search results"
	} else if len(bad) == 0 {
		v.Canonical = s.base + "/"
	}
	if inDanger(a.Text) {
		v.Notice = &crisisNotice
	}
	if len(bad) == 0 {
		answer, err := s.search(ctx, c, a)
		var invalid *directory.Error
		if a.Sort == distance && errors.As(err, &invalid) && invalid.Field == "sort" { // the text names no place any more
			a.Sort = relevance
			v.Ask = a
			answer, err = s.search(ctx, c, a)
		}
		switch {
		case err == nil:
			v.Answer = answer
			answer.fill()
		case directory.KindOf(err) == directory.Invalid:
			bad = s.problemOf(err, "").Errors
		}
		if err != nil && len(bad) == 0 {
			return err
		}
	}
	if v.Asked || len(bad) > 0 {
		c.Set("X-Robots-Tag", "noindex")
	}
	if len(bad) > 0 {
		c.Status(http.StatusBadRequest)
		v.Title = "Something to mend in your search"
		for _, e := range bad {
			v.Wrong[e.Parameter] = e.Detail
			words := cmp.Or(fieldLabels[e.Parameter], search.FacetLabel(e.Parameter), e.Parameter)
			v.Errors = append(v.Errors, formError{e, words})
		}
	}
	v.fill()
	if v.Answer == nil {
		return s.sendPage(c, "search", v)
	}
	body, err := s.pages.render("search", v)
	if err != nil {
		return err
	}
	kept := &keptAnswer{span: v.Answer.span, head: v.Answer.Head, contentType: fiber.MIMETextHTMLCharsetUTF8, body: body, noindex: v.Asked}
	s.answers.put(key, kept)
	return s.sendKept(c, kept)
}

// fill makes the results whole, as the page shows them.
func (a *searchAnswer) fill() {
	for _, r := range a.rows {
		a.Results = append(a.Results, r.whole())
	}
}

// fill makes of the answer what the form and the links around it need.
func (v *searchView) fill() {
	counts := map[string]int{}
	if v.Answer != nil {
		for _, f := range v.Answer.facets {
			if f.Name == "state" {
				for _, x := range f.Values {
					counts[x.Value] = x.Count
				}
			}
		}
		v.readWords()
		v.Groups = v.groups()
		if v.Answer.Next != nil {
			next := v.Ask
			next.Cursor = *v.Answer.Next
			v.Next = "/?" + next.encode()
		}
	}
	for _, st := range directory.Tables().States() {
		v.States = append(v.States, stateOption{st, st.Name(), counts[string(st)]})
	}
	slices.SortFunc(v.States, func(a, b stateOption) int { return cmp.Compare(a.Name, b.Name) })
	if v.Ask.Cursor != "" {
		first := v.Ask
		first.Cursor = ""
		v.First = "/?" + first.encode()
	}
	drop := func(label, name, value string) {
		v.Chosen = append(v.Chosen, choice{label, "/?" + v.Ask.without(name, value).encode()})
	}
	if v.Ask.Telehealth != "" {
		drop("By video in "+v.Ask.Telehealth.Name(), "telehealth", "")
	}
	if v.Ask.CanSee != "" {
		drop("Therapist and prescriber shown to be licensed in "+v.Ask.CanSee.Name(), "can_see", "")
	}
	for _, f := range facetParams {
		for _, x := range v.Ask.Filters[f.name] {
			drop(valueLabel(f.name, x, true), f.name, x)
		}
	}
	if v.Ask.PriceMax > 0 {
		drop("Medicine session up to "+money(int64(v.Ask.PriceMax)*100), "price_max", "")
	}
	v.Filtered = len(v.Chosen)
	if v.Ask.At != "" {
		drop("As of "+v.Ask.At.Date().String(), "at", "")
		v.At, v.Today = writeMoment(v.Ask.At), v.Chosen[len(v.Chosen)-1].Href
	}
	plain := v.Ask
	plain.Filters, plain.Telehealth, plain.CanSee, plain.PriceMax, plain.Cursor = nil, "", "", 0, ""
	v.Plainly = plain.encode()
	if v.Answer != nil && v.Answer.Total == 0 {
		v.Easier = v.easier()
	}
}

// easier lists searches that may find somebody where this one did not.
func (v *searchView) easier() []choice {
	var out []choice
	a := v.Ask
	a.Cursor = ""
	if v.Filtered > 0 {
		all := a
		all.Filters, all.Telehealth, all.CanSee, all.PriceMax = nil, "", "", 0
		out = append(out, choice{"Search without the filters", "/?" + all.encode()})
	}
	if a.Near != nil && a.Miles < maxMiles {
		wider := a
		wider.Miles = maxMiles
		for _, r := range radii {
			if r >= 4*a.Miles {
				wider.Miles = r
				break
			}
		}
		out = append(out, choice{"Look within " + plainNumber(wider.Miles) + " miles of " + a.Near.String(), "/?" + wider.encode()})
		if a.Near.State != "" && a.Telehealth == "" {
			video := a.without("near", "")
			video.Telehealth = a.Near.State
			out = append(out, choice{"Look for sessions by video in " + a.Near.State.Name(), "/?" + video.encode()})
		}
	}
	if a.Text != "" && (a.Near != nil || a.State != "" || len(a.Filters) > 0) {
		out = append(out, choice{"Search without the words", "/?" + a.without("q", "").encode()})
	}
	return append(out, choice{"See every provider", "/"})
}

func plainNumber(n int) string { return thousands(n) }

// groups arranges facets for the page: the five checks become five groups.
func (v *searchView) groups() []facetGroup {
	facets := v.Answer.facets
	var out []facetGroup
	values := func(name string, list []search.FacetValue) []groupValue {
		var out []groupValue
		for _, x := range list {
			g := groupValue{FacetValue: x}
			for _, c := range v.Read.Chips {
				if c.Kind == name && slices.Contains(c.Values, x.Value) && !slices.Contains(v.Ask.Filters[name], x.Value) {
					g.Remove = c.Remove
				}
			}
			out = append(out, g)
		}
		return out
	}
	for _, p := range facetParams {
		i := slices.IndexFunc(facets, func(f search.Facet) bool { return f.Name == p.name })
		if i < 0 || len(facets[i].Values) == 0 {
			continue
		}
		f := facets[i]
		if f.Name != "check" {
			out = append(out, newGroup(f.Name, search.FacetLabel(f.Name), values(f.Name, f.Values)))
			continue
		}
		for _, name := range directory.CheckNames {
			var list []search.FacetValue
			for _, x := range f.Values {
				if strings.HasPrefix(x.Value, string(name)+":") {
					x.Label = valueLabel("check", x.Value, false)
					list = append(list, x)
				}
			}
			if len(list) > 0 {
				out = append(out, newGroup("check", "Check: "+checkTitles[name], values("check", list)))
			}
		}
	}
	return out
}

func newGroup(name, label string, values []groupValue) facetGroup {
	g := facetGroup{Name: name, Label: label, Values: values, Open: name == "care" || name == "accepting" || name == "focus"}
	for _, v := range values {
		g.Open = g.Open || v.Selected
	}
	return g
}

// valueLabel names a facet's value; whole names the check it belongs to as well.
func valueLabel(facet, value string, whole bool) string {
	if facet != "check" {
		l := search.Label(facet, value)
		if whole && (facet == "accepting" || facet == "video" || value == "unknown" || value == "other") {
			l = search.FacetLabel(facet) + ": " + l
		}
		return l
	}
	name, result, _ := strings.Cut(value, ":")
	l := labelOf(directory.CheckName(name), directory.CheckResult(result))
	if whole {
		return checkTitles[directory.CheckName(name)] + ": " + l
	}
	return l
}

// providerView is a provider's page: the API's answer, with its claims in groups.
type providerView struct {
	page
	P        *provider
	Problems []check // of the checks, those with a problem on record
	Groups   []claimGroup
	States   []stateOption
	Stale    bool   // the contact facts are too old to count
	At       string // the moment asked for, as a parameter; "" is now
	Today    string // of a page for the past: where today's answer is
	Day      string // what the form for another day starts from
	JSON     string // where the same is as JSON
}

type claimGroup struct {
	Title  string
	Claims []claim
}

// providerPage answers GET /providers/:id.
func (s *Server) providerPage(c *fiber.Ctx) error {
	p, err := s.provider(c)
	var moved *mergedInto
	if errors.As(err, &moved) {
		c.Set(fiber.HeaderLocation, moved.location("/providers/", moved.query))
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Status(http.StatusPermanentRedirect)
		return nil
	}
	if err != nil {
		return err
	}
	if p.At != nil {
		c.Set("X-Robots-Tag", "noindex")
	}
	return s.sendCached(c, fiber.MIMETextHTMLCharsetUTF8, p, func() ([]byte, error) {
		v := providerView{page: s.page(p.Name, p.URL), P: p, Stale: p.contactStale, Groups: claimGroups(p.Claims), Day: string(s.now().Date()), JSON: "/api/v1" + p.URL}
		v.Canonical = s.base + p.URL
		if p.At != nil { // left out of search engines: it must be found by nobody who looks for today
			v.Canonical, v.At, v.Today, v.Day = "", writeMoment(*p.At), p.URL, string(p.At.Date())
			v.Title += ", as of " + p.At.Date().String()
			if p.ChecksFor != nil {
				v.Today += "?state=" + string(*p.ChecksFor)
			}
			v.JSON += "?" + ask{At: *p.At}.encode()
		}
		for _, st := range directory.Tables().States() {
			v.States = append(v.States, stateOption{Code: st, Name: st.Name()})
		}
		slices.SortFunc(v.States, func(a, b stateOption) int { return cmp.Compare(a.Name, b.Name) })
		seen := map[directory.CheckResult]bool{}
		for _, x := range p.Checks {
			if x.Result == directory.ProblemOnRecord {
				v.Problems = append(v.Problems, x)
			}
			if !seen[x.Result] {
				seen[x.Result] = true
				v.Legend = append(v.Legend, legendRow{x.Result, resultLabels[x.Result], meanings[x.Result]})
			}
		}
		return s.pages.render("provider", v)
	})
}

// claimGroups sorts the claims of a page under a few headings. Contact facts stand beside what they
// speak of instead.
func claimGroups(claims []claim) []claimGroup {
	headings := []struct {
		title string
		kinds []directory.ClaimKind
	}{
		{"Licences and certifications", []directory.ClaimKind{directory.License, directory.CompactPrivilege, directory.BoardCert, directory.REMSSite}},
		{"Training in ketamine-assisted psychotherapy", []directory.ClaimKind{directory.TrainingCert, directory.Pledge}},
		{"Prescribing and monitoring", []directory.ClaimKind{directory.OversightLink, directory.PracticeAgreement, directory.DEARegistration}},
		{"How sessions are run", []directory.ClaimKind{directory.ProtocolClaim}},
		{"Board actions and exclusion lists", []directory.ClaimKind{directory.DisciplineScreen, directory.ExclusionScreen}},
		{"Identity", []directory.ClaimKind{directory.IdentityNPI}},
	}
	var out []claimGroup
	for _, h := range headings {
		g := claimGroup{Title: h.title}
		for _, c := range claims {
			if slices.Contains(h.kinds, c.Kind) {
				g.Claims = append(g.Claims, c)
			}
		}
		if len(g.Claims) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// howView is the page on how a check is earned.
type howView struct {
	page
	Checks []howCheck
	Policy directory.Policy
	Kinds  []howKind
}

type howCheck struct{ Title, Asks string }

type howKind struct {
	Label string
	directory.KindPolicy
}

// howPage answers GET /about/how-we-check.
func (s *Server) howPage(c *fiber.Ctx) error {
	v := howView{page: s.page("How we check", "/about/how-we-check"), Policy: s.cfg.Policies.InForce(s.now(), s.now())}
	v.Canonical = s.base + v.Path
	for _, n := range directory.CheckNames {
		v.Checks = append(v.Checks, howCheck{checkTitles[n], checkAsks[n]})
	}
	for i := len(directory.CheckResults) - 1; i >= 0; i-- {
		r := directory.CheckResults[i]
		v.Legend = append(v.Legend, legendRow{r, resultLabels[r], meanings[r]})
	}
	for _, k := range []directory.ClaimKind{directory.License, directory.DisciplineScreen, directory.ExclusionScreen, directory.OversightLink,
		directory.ProtocolClaim, directory.TrainingCert, directory.ContactClaim} {
		v.Kinds = append(v.Kinds, howKind{kindLabels[k], v.Policy.Kinds[k]})
	}
	now := s.now() // the page tells the policy in force, which may change by its own date
	age := longestCache
	if next := s.cfg.Policies.Boundary(now, now); next != "" {
		age = min(age, next.Time().Sub(now.Time()))
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age="+strconv.Itoa(int(age/time.Second)))
	return s.sendPage(c, "how", v)
}

// robots answers GET /robots.txt. A demonstration asks to be left out of every index: its people are invented.
func (s *Server) robots(c *fiber.Ctx) error {
	body := "User-agent: *\nDisallow: /api/\nDisallow: /*?\n"
	if s.cfg.Demo != nil {
		body = "User-agent: *\nDisallow: /\n"
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	return s.send(c, fiber.MIMETextPlainCharsetUTF8, []byte(body))
}

// problemView is the page of an error.
type problemView struct {
	page
	P problem
}

func (s *Server) problemPage(c *fiber.Ctx, p problem) error {
	return s.sendPage(c, "problem", problemView{s.page(p.Title, ""), p})
}

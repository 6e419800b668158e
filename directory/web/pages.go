package web

import (
	"cmp"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
	"kapdir/search"
)

// page is what every page has around its own content.
type page struct {
	Title       string
	Description string // in a sentence or two, for search engines; "" for none
	Base        string // before a path, where an address must be absolute
	Canonical   string // the path in English; "" for a page that search engines should leave out
	Demo        *demo
	Contact     string
	Path        string // in English, of a page that the header names
	Here        string // path in English and question, for the link to the other language
	Notice      *notice
	Legend      []legendRow // the shapes that the page uses
	Share       string      // the address to pass on, without what was searched for; "" where nothing is to be shared
	Data        *ldNode     // what the page says, for machines; nil for none
}

type legendRow struct {
	Result  directory.CheckResult
	Label   string
	Meaning string
}

// legend explains a shape.
func (l *lang) legend(r directory.CheckResult) legendRow {
	return legendRow{r, l.t("result." + string(r)), l.t("means." + string(r))}
}

func (s *Server) page(c *fiber.Ctx, title, path string) page {
	p := page{Title: title, Base: s.base, Demo: s.demo(), Contact: s.cfg.Contact, Path: path, Here: path}
	if q := rawQuery(c); q != "" {
		p.Here += "?" + q
	}
	if p.Demo != nil {
		p.Demo.Note = langOf(c).named("table."+p.Demo.Note, p.Demo.Note)
	}
	return p
}

// sendPage renders a page and sends it.
func (s *Server) sendPage(c *fiber.Ctx, name string, data any) error {
	body, err := s.pages.render(langOf(c), name, data)
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
	States   stateOptions
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
	Map      *mapView
}

// formError is a mistake with the words that stand beside its field.
type formError struct {
	paramError
	Label string
}

type stateOption struct {
	Code  directory.State
	Name  string
	Count int
}

type stateOptions []stateOption

// Options are the choices of a form, with one chosen. They stand on a page three times, and a template takes twenty times as
// long to write them.
func (list stateOptions) Options(chosen directory.State) template.HTML {
	return list.html(chosen, false)
}

// Counted is Options with the counts.
func (list stateOptions) Counted(chosen directory.State) template.HTML {
	return list.html(chosen, true)
}

func (list stateOptions) html(chosen directory.State, counted bool) template.HTML {
	b := make([]byte, 0, 48*len(list))
	for _, o := range list {
		b = append(append(b, `<option value="`...), template.HTMLEscapeString(string(o.Code))...)
		b = append(b, '"')
		if o.Code == chosen {
			b = append(b, " selected"...)
		}
		b = append(append(b, '>'), template.HTMLEscapeString(o.Name)...)
		if counted && o.Count > 0 {
			b = append(strconv.AppendInt(append(b, " ("...), int64(o.Count), 10), ')')
		}
		b = append(b, "</option>"...)
	}
	return template.HTML(b) // #nosec G203: code and name are escaped
}

// states lists the states by their names, with a count beside each.
func (l *lang) states(counts map[string]int) stateOptions {
	var out stateOptions
	for _, st := range directory.Tables().States() {
		out = append(out, stateOption{st, l.state(st), counts[string(st)]})
	}
	slices.SortFunc(out, func(a, b stateOption) int { return cmp.Compare(a.Name, b.Name) })
	return out
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
	Label  string // in the page's language
	Remove string
}

// choice is something chosen, with the search that goes without it, or something to try.
type choice struct{ Label, Href string }

var radii = []int{5, 10, 25, 50, 100, 250, 500}

// searchPage answers GET /.
func (s *Server) searchPage(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	raw := rawQuery(c)
	key := keyOf(c)
	if kept := s.kept(key); kept != nil {
		return s.sendKept(c.Context(), kept)
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	a, bad := parse(raw, searchParams, true)
	l := langOf(c)
	v := searchView{page: s.page(c, l.t("search.title"), "/"), Ask: a, Asked: a.asked(), Radii: radii, Wrong: map[string]string{}}
	if v.Asked {
		v.Title = l.t("search.title.results")
	} else if len(bad) == 0 {
		v.Canonical, v.Description = "/", l.t("search.lead")
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
			bad = s.problemOf(err, "", l).Errors
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
		v.Title = l.t("search.title.mend")
		for _, e := range bad {
			v.Wrong[e.Parameter] = e.Detail
			v.Errors = append(v.Errors, formError{e.in(l), l.named("field."+e.Parameter, cmp.Or(l.facet(e.Parameter), e.Parameter))})
		}
	}
	v.fill(l)
	if v.Answer == nil {
		return s.sendPage(c, "search", v)
	}
	body, err := s.pages.render(l, "search", v)
	if err != nil {
		return err
	}
	kept := &keptAnswer{span: v.Answer.span, head: v.Answer.Head, contentType: fiber.MIMETextHTMLCharsetUTF8, body: body, noindex: v.Asked, route: visitOf(c).route}
	s.answers.put(key, kept)
	return s.sendKept(c.Context(), kept)
}

// fill makes the results whole, as the page shows them.
func (a *searchAnswer) fill() {
	for _, r := range a.rows {
		a.Results = append(a.Results, r.whole())
	}
}

// spanishHome answers GET /es, which lacks its slash.
func (s *Server) spanishHome(c *fiber.Ctx) error {
	to := spanish.To("/")
	if q := rawQuery(c); q != "" {
		to += "?" + q
	}
	c.Set(fiber.HeaderLocation, to)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(http.StatusPermanentRedirect)
	return nil
}

// fill makes of the answer what the form and the links around it need.
func (v *searchView) fill(l *lang) {
	counts := map[string]int{}
	if v.Answer != nil {
		for _, f := range v.Answer.facets {
			if f.Name == "state" {
				for _, x := range f.Values {
					counts[x.Value] = x.Count
				}
			}
		}
		v.readWords(l)
		v.Groups = v.groups(l)
		if v.Answer.Next != nil {
			next := v.Ask
			next.Cursor = *v.Answer.Next
			v.Next = "/?" + next.encode()
		}
	}
	v.States = l.states(counts)
	switch {
	case v.Answer == nil:
	case v.Answer.near == nil && v.Answer.Query.State == "":
		v.Map = v.countryMap(l, counts)
	default:
		v.Map = v.placeMap(l)
	}
	if v.Ask.Cursor != "" {
		first := v.Ask
		first.Cursor = ""
		v.First = "/?" + first.encode()
	}
	drop := func(label, name, value string) {
		v.Chosen = append(v.Chosen, choice{label, "/?" + v.Ask.without(name, value).encode()})
	}
	if v.Ask.Telehealth != "" {
		drop(l.t("chosen.telehealth", "State", v.Ask.Telehealth), "telehealth", "")
	}
	if v.Ask.CanSee != "" {
		drop(l.t("chosen.can_see", "State", v.Ask.CanSee), "can_see", "")
	}
	for _, f := range facetParams {
		for _, x := range v.Ask.Filters[f.name] {
			drop(l.facetValue(f.name, x, true), f.name, x)
		}
	}
	if v.Ask.PriceMax > 0 {
		drop(l.t("chosen.price_max", "Price", money(int64(v.Ask.PriceMax)*100)), "price_max", "")
	}
	v.Filtered = len(v.Chosen)
	if v.Ask.At != "" {
		drop(l.t("chosen.at", "Date", v.Ask.At.Date()), "at", "")
		v.At, v.Today = writeMoment(v.Ask.At), v.Chosen[len(v.Chosen)-1].Href
	}
	plain := v.Ask
	plain.Filters, plain.Telehealth, plain.CanSee, plain.PriceMax, plain.Cursor = nil, "", "", 0, ""
	v.Plainly = "/?" + plain.encode()
	if v.Answer != nil && v.Answer.Total == 0 {
		v.Easier = v.easier(l)
	}
}

// easier lists searches that may find somebody where this one did not.
func (v *searchView) easier(l *lang) []choice {
	var out []choice
	a := v.Ask
	a.Cursor = ""
	if v.Filtered > 0 {
		all := a
		all.Filters, all.Telehealth, all.CanSee, all.PriceMax = nil, "", "", 0
		out = append(out, choice{l.t("easier.filters"), "/?" + all.encode()})
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
		out = append(out, choice{l.t("easier.wider", "Miles", wider.Miles, "Place", a.Near.String()), "/?" + wider.encode()})
		if a.Near.State != "" && a.Telehealth == "" {
			video := a.without("near", "")
			video.Telehealth = a.Near.State
			out = append(out, choice{l.t("easier.video", "State", a.Near.State), "/?" + video.encode()})
		}
	}
	if a.Text != "" && (a.Near != nil || a.State != "" || len(a.Filters) > 0) {
		out = append(out, choice{l.t("easier.words"), "/?" + a.without("q", "").encode()})
	}
	return append(out, choice{l.t("easier.all"), "/"})
}

// groups arranges facets for the page: the five checks become five groups.
func (v *searchView) groups(l *lang) []facetGroup {
	facets := v.Answer.facets
	var out []facetGroup
	values := func(name string, list []search.FacetValue) []groupValue {
		var out []groupValue
		for _, x := range list {
			g := groupValue{FacetValue: x, Label: l.facetValue(name, x.Value, false)}
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
			out = append(out, newGroup(f.Name, l.facet(f.Name), values(f.Name, f.Values)))
			continue
		}
		for _, name := range directory.CheckNames {
			var list []search.FacetValue
			for _, x := range f.Values {
				if strings.HasPrefix(x.Value, string(name)+":") {
					list = append(list, x)
				}
			}
			if len(list) > 0 {
				out = append(out, newGroup("check", l.t("filters.check", "Check", l.t("check."+string(name))), values("check", list)))
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

// facet names a facet of the index.
func (l *lang) facet(name string) string { return l.named("facet."+name, search.FacetLabel(name)) }

// facetValue names a facet's value; whole names the facet or the check that it belongs to as well.
func (l *lang) facetValue(facet, value string, whole bool) string {
	of, words := l.facet(facet), l.value(facet, value)
	if facet == "check" {
		name, result, _ := strings.Cut(value, ":")
		of, words = l.t("check."+name), l.labelOf(directory.CheckName(name), directory.CheckResult(result))
	} else {
		whole = whole && (facet == "accepting" || facet == "video" || value == "unknown" || value == "other")
	}
	if whole {
		return of + ": " + words
	}
	return words
}

// providerView is a provider's page: the API's answer, with its claims in groups.
type providerView struct {
	page
	P        *provider
	Problems []check // of the checks, those with a problem on record
	Groups   []claimGroup
	State    directory.State // the patient's; "" if it is not known
	States   stateOptions
	Stale    bool   // the contact facts are too old to count
	At       string // the moment asked for, as a parameter; "" is now
	Today    string // of a page for the past: where today's answer is
	Day      string // what the form for another day starts from
	JSON     string // where the same is as JSON
	Glance   []glance
	Open     []openQuestion
	Team     *teamPicture
	Reach    bool // a telephone or a website is shown
	Form     bool // a request can be made on a form
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
		c.Set(fiber.HeaderLocation, moved.location(langOf(c).To("/providers/"), moved.query))
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
		l := langOf(c)
		v := providerView{page: s.page(c, p.Name, p.URL), P: p, Stale: p.contactStale, Groups: l.claimGroups(p.Claims), Day: string(s.now().Date()), JSON: "/api/v1" + p.URL}
		v.Canonical, v.Share = p.URL, s.base+l.To(p.URL)
		v.Data = linkedData(p, v.Share)
		if p.At != nil { // left out of search engines: it must be found by nobody who looks for today
			v.Canonical, v.At, v.Today, v.Day = "", writeMoment(*p.At), p.URL, string(p.At.Date())
			v.Data = nil
			v.Title = l.t("provider.title.past", "Name", p.Name, "Date", p.At.Date())
			if p.ChecksFor != nil {
				v.Today += "?state=" + string(*p.ChecksFor)
			}
		}
		same := ask{}
		if p.At != nil {
			same.At = *p.At
		}
		if p.ChecksFor != nil {
			same.State = *p.ChecksFor
		}
		if q := same.encode(); q != "" {
			v.JSON += "?" + q
		}
		v.Open = l.open(p)
		v.Glance, v.Team, v.Form = l.glances(p, v.Open), l.team(p), s.cfg.Requests != nil
		v.Reach = p.Facts.Website != nil || slices.ContainsFunc(p.Facts.Sites, func(x site) bool { return x.Phone != "" })
		v.States = l.states(nil)
		if p.ChecksFor != nil {
			v.State = *p.ChecksFor
		}
		seen := map[directory.CheckResult]bool{}
		for _, x := range p.Checks {
			if x.Result == directory.ProblemOnRecord {
				v.Problems = append(v.Problems, x)
			}
			if !seen[x.Result] {
				seen[x.Result] = true
				v.Legend = append(v.Legend, l.legend(x.Result))
			}
		}
		return s.pages.render(l, "provider", v)
	})
}

// claimGroups sorts the claims of a page under a few headings. Contact facts stand beside what they
// speak of instead.
func (l *lang) claimGroups(claims []claim) []claimGroup {
	headings := []struct {
		title string
		kinds []directory.ClaimKind
	}{
		{"licences", []directory.ClaimKind{directory.License, directory.CompactPrivilege, directory.BoardCert, directory.REMSSite}},
		{"training", []directory.ClaimKind{directory.TrainingCert, directory.Pledge}},
		{"prescribing", []directory.ClaimKind{directory.OversightLink, directory.PracticeAgreement, directory.DEARegistration}},
		{"sessions", []directory.ClaimKind{directory.ProtocolClaim}},
		{"screens", []directory.ClaimKind{directory.DisciplineScreen, directory.ExclusionScreen}},
		{"identity", []directory.ClaimKind{directory.IdentityNPI}},
	}
	var out []claimGroup
	for _, h := range headings {
		g := claimGroup{Title: l.t("claims." + h.title)}
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

// problemView is the page of an error.
type problemView struct {
	page
	P problem
}

func (s *Server) problemPage(c *fiber.Ctx, p problem) error {
	v := problemView{s.page(c, p.Title, ""), p}
	v.Here = "/"
	return s.sendPage(c, "problem", v)
}

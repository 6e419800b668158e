package web

import (
	"cmp"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"kapdir/directory"
	"kapdir/search"
)

// The shapes of this file are the public answers: the API writes them as JSON, and the pages render
// the same values. openapi.yaml describes each. null stands for what is not known.

// searchAnswer is the answer to a search.
type searchAnswer struct {
	Query queryEcho `json:"query"`
	reading
	Total     int                     `json:"total"`
	Results   []result                `json:"results"`
	Facets    map[string][]facetValue `json:"facets"`
	Next      *string                 `json:"next"`
	AsOf      directory.Instant       `json:"as_of"`
	Head      int64                   `json:"head"`
	ChecksFor *directory.State        `json:"checks_for"`
	Ranking   string                  `json:"ranking"`
	Demo      *demo                   `json:"demo"`
	Plain     bool                    `json:"plain,omitempty"`
	Notice    *notice                 `json:"notice,omitempty"`

	facets []search.Facet   // in order, for the page
	near   *directory.Place // where the search starts from, for its map
	rows   []row            // the results as they are kept; Results holds them for a page
	span                    // how long all of it holds
}

type queryEcho struct {
	At         *directory.Instant  `json:"at,omitempty"`
	Q          string              `json:"q,omitempty"`
	State      directory.State     `json:"state,omitempty"`
	Near       *placeEcho          `json:"near,omitempty"`
	Radius     int                 `json:"radius,omitempty"`
	Telehealth directory.State     `json:"telehealth,omitempty"`
	CanSee     directory.State     `json:"can_see,omitempty"`
	Filters    map[string][]string `json:"filters,omitempty"`
	PriceMax   int                 `json:"price_max,omitempty"`
	Sort       string              `json:"sort"`
	Limit      int                 `json:"limit"`
}

// placeEcho is the place a search counted from.
type placeEcho struct {
	Place  string          `json:"place"`
	ZIP    string          `json:"zip,omitempty"`
	City   string          `json:"city,omitempty"`
	State  directory.State `json:"state,omitempty"`
	Exact  bool            `json:"exact"`            // false: the middle of the ZIP code's area
	Others int             `json:"others,omitempty"` // other states with a town of this name
}

type facetValue struct {
	Value string `json:"value"`
	Label string `json:"label"`
	Count int    `json:"count"`
}

type demo struct {
	Now  directory.Instant `json:"now"`
	Note string            `json:"note"`
}

// notice is what stands above everything else, when words of the question call for it.
type notice struct {
	Kind    string `json:"kind"`
	English string `json:"en"`
	Spanish string `json:"es"`
}

// labelled is a word of a vocabulary with the words for people.
type labelled struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// origin says which source stated a fact, where and as of when.
type origin struct {
	Source string         `json:"source"`
	Name   string         `json:"name"`
	URL    string         `json:"url,omitempty"`
	AsOf   directory.Date `json:"as_of,omitempty"`
}

// fact is a value with its origin.
type fact[T any] struct {
	Value  T       `json:"value"`
	Origin *origin `json:"origin"`
}

// result is one provider in a list.
type result struct {
	ID          directory.ID           `json:"id"`
	Name        string                 `json:"name"`
	Kind        directory.ProviderKind `json:"kind"`
	ListedAs    directory.ListedAs     `json:"listed_as"`
	Credentials []string               `json:"credentials"`
	URL         string                 `json:"url"`
	Claimed     bool                   `json:"claimed"`
	Place       *place                 `json:"place"`
	Miles       *float64               `json:"miles"`
	Care        labelled               `json:"care"`
	Price       *priceRange            `json:"price"`
	Accepting   *accepting             `json:"accepting"`
	Telehealth  *telehealth            `json:"telehealth"`
	Why         []string               `json:"why"`
	Explain     []reason               `json:"explain,omitempty"`
	ChecksFor   *directory.State       `json:"checks_for"`
	Checks      []check                `json:"checks"`

	careDiffers bool // see practice.CareDiffers

	needs, ofNeeds int // stated of those that were chosen; ofNeeds is 0 where they are not several

	sites     []directory.Site              // for the map of the page
	checkList func() (template.HTML, error) // the checks as the page shows them, made once
}

// CareDiffers reports that sources state different things of a part by which the kind of care goes.
func (r result) CareDiffers() bool { return r.careDiffers }

// CheckList is the card's list of checks, which is the same in every search of one state and the largest part of it.
func (r result) CheckList() (template.HTML, error) { return r.checkList() }

// reason is one part of why a result stands where it does.
type reason struct {
	Part   string   `json:"part"` // order, record, words, care, needs, checks, near, checked
	Words  string   `json:"words"`
	Points *float64 `json:"points,omitempty"` // of the part
	Of     *float64 `json:"of,omitempty"`     // at most
}

type place struct {
	Name  string          `json:"name,omitempty"`
	City  string          `json:"city,omitempty"`
	State directory.State `json:"state,omitempty"`
	ZIP   string          `json:"zip,omitempty"`
}

// priceRange is the price of one medicine session.
type priceRange struct {
	MinCents int64          `json:"min_cents"`
	MaxCents int64          `json:"max_cents"`
	Currency string         `json:"currency"`
	AsOf     directory.Date `json:"as_of,omitempty"`
	Source   string         `json:"source,omitempty"`
}

type accepting struct {
	Value  string         `json:"value"` // yes, no, waitlist
	Label  string         `json:"label"`
	AsOf   directory.Date `json:"as_of,omitempty"`
	Origin *origin        `json:"origin"`
	aging
}

// aging is whether a statement was made too long ago to count, and from which day on, in UTC, it is.
type aging struct {
	OutDated bool           `json:"-"`
	Said     *bool          `json:"out_of_date,omitempty"` // OutDated; nil where an answer has to last
	From     directory.Date `json:"out_of_date_from,omitempty"`
}

// aging works out whether a statement of the day is too old, which it is after so many days; 0 is never.
func (m moment) aging(asOf directory.Date, days int) (a aging) {
	if days > 0 && asOf != "" {
		from := asOf.Midnight().AddDays(days)
		a.OutDated, a.From = from <= m.now, from.Date()
	}
	if !m.lasting {
		a.Said = &a.OutDated
	}
	return a
}

type telehealth struct {
	Value  directory.Answer  `json:"value"`
	States []directory.State `json:"states"`
	Origin *origin           `json:"origin"`
}

// check is one of the five checks as everybody may see it.
type check struct {
	Check      directory.CheckName   `json:"check"`
	Title      string                `json:"title"`
	Result     directory.CheckResult `json:"result"`
	Label      string                `json:"label"`
	Sentence   string                `json:"sentence"`
	Meaning    string                `json:"meaning"`
	Reasons    []string              `json:"reasons"`
	AsOf       *directory.Date       `json:"as_of"`
	ValidUntil *directory.Instant    `json:"valid_until"`
	NextDue    *directory.Instant    `json:"next_due"`
	Sources    []checkSource         `json:"sources"`
	Parts      []part                `json:"parts,omitempty"`

	against string // what a list says of it beside the result; see teller.against
}

// Against is what stands against the provider in the check, in few words; "" without.
func (c check) Against() string { return c.against }

type checkSource struct {
	Name string         `json:"name"`
	URL  string         `json:"url,omitempty"`
	AsOf directory.Date `json:"as_of,omitempty"`

	id string
}

// part is one thing that a check rests on.
type part struct {
	Kind     directory.ClaimKind   `json:"kind"`
	Title    string                `json:"title"`
	Result   directory.CheckResult `json:"result"`
	Label    string                `json:"label"`
	Sentence string                `json:"sentence"`

	source string // that decides it
}

// provider is all that the public may see of one provider.
type provider struct {
	ID           directory.ID           `json:"id"`
	Name         string                 `json:"name"`
	Kind         directory.ProviderKind `json:"kind"`
	ListedAs     directory.ListedAs     `json:"listed_as"`
	Credentials  []string               `json:"credentials"`
	URL          string                 `json:"url"`
	Claimed      bool                   `json:"claimed"`
	Standing     string                 `json:"standing"` // that the provider has joined the directory, or not
	Facts        facts                  `json:"facts"`
	Practice     practice               `json:"practice"`
	ChecksFor    *directory.State       `json:"checks_for"`
	Checks       []check                `json:"checks"`
	Claims       []claim                `json:"claims"`
	Prescribers  []linked               `json:"prescribers"`
	Self         bool                   `json:"self_prescribing"` // somebody states that the provider prescribes
	Licensed     *directory.Date        `json:"licensed_since"`   // of the licence that confirms check 1, if its register states it
	Changes      []change               `json:"changes"`
	ValidUntil   *directory.Instant     `json:"valid_until"`
	AsOf         directory.Instant      `json:"as_of"`
	At           *directory.Instant     `json:"at,omitempty"` // the moment asked for; absent when it is now
	Head         int64                  `json:"head"`
	Demo         *demo                  `json:"demo"`
	Staff        *staffView             `json:"staff,omitempty"`
	contactStale bool
}

type facts struct {
	Name         *fact[string]     `json:"name,omitempty"`
	Organisation *fact[string]     `json:"organisation,omitempty"`
	NPI          *fact[string]     `json:"npi,omitempty"`
	Website      *fact[string]     `json:"website,omitempty"`
	Sites        []site            `json:"sites"`
	Affiliations []affiliation     `json:"affiliations"`
	Languages    *fact[[]labelled] `json:"languages,omitempty"`
	Access       *fact[[]labelled] `json:"access,omitempty"`
	Accepting    *accepting        `json:"accepting,omitempty"`
	Telehealth   *telehealth       `json:"telehealth,omitempty"`
	Prices       []price           `json:"prices"`
	Superbill    *fact[yesNo]      `json:"superbill,omitempty"`
	SlidingScale *fact[yesNo]      `json:"sliding_scale,omitempty"`
}

type yesNo = directory.Answer

type site struct {
	Name   string          `json:"name,omitempty"`
	Line1  string          `json:"line1,omitempty"`
	Line2  string          `json:"line2,omitempty"`
	City   string          `json:"city,omitempty"`
	State  directory.State `json:"state,omitempty"`
	ZIP    string          `json:"zip,omitempty"`
	Phone  string          `json:"phone,omitempty"`
	Origin *origin         `json:"origin"`
	// PhoneOrigin is who stated the telephone, if it is another source.
	PhoneOrigin *origin `json:"phone_origin,omitempty"`
}

type affiliation struct {
	ID     directory.ID `json:"id,omitempty"`
	Name   string       `json:"name"`
	Role   string       `json:"role,omitempty"`
	Origin *origin      `json:"origin"`
}

type price struct {
	Component labelled `json:"component"`
	MinCents  int64    `json:"min_cents"`
	MaxCents  int64    `json:"max_cents"`
	Currency  string   `json:"currency"`
	Origin    *origin  `json:"origin"`
}

// practice is how the provider does KAP. A field that is absent was not stated, which is never no.
type practice struct {
	Care          labelled          `json:"care"`
	Preparation   *fact[phase]      `json:"preparation,omitempty"`
	Medicine      *fact[phase]      `json:"medicine,omitempty"`
	Integration   *fact[phase]      `json:"integration,omitempty"`
	Routes        *fact[[]labelled] `json:"routes,omitempty"`
	Settings      *fact[[]labelled] `json:"settings,omitempty"`
	Model         *fact[labelled]   `json:"model,omitempty"`
	Presence      *fact[labelled]   `json:"presence,omitempty"`
	Monitoring    *fact[[]labelled] `json:"monitoring,omitempty"`
	VitalSigns    *fact[yesNo]      `json:"vital_signs,omitempty"`
	EmergencyPlan *fact[yesNo]      `json:"emergency_plan,omitempty"`
	Escort        *fact[yesNo]      `json:"escort,omitempty"`
	Screening     *fact[[]labelled] `json:"screening,omitempty"`
	Frameworks    *fact[[]labelled] `json:"frameworks,omitempty"`
	Focus         *fact[[]labelled] `json:"focus,omitempty"`
	Populations   *fact[[]labelled] `json:"populations,omitempty"`
	Formats       *fact[[]labelled] `json:"formats,omitempty"`
	Also          []partStated      `json:"also"` // what is stated beside these fields
}

type phase struct {
	Offered     directory.Answer `json:"offered"`
	SessionsMin int              `json:"sessions_min,omitempty"`
	SessionsMax int              `json:"sessions_max,omitempty"`
	MinutesMin  int              `json:"minutes_min,omitempty"`
	MinutesMax  int              `json:"minutes_max,omitempty"`
}

// claim is one credential, screen or statement with what it is worth.
type claim struct {
	ID           directory.ID        `json:"id"`
	Kind         directory.ClaimKind `json:"kind"`
	KindLabel    string              `json:"kind_label"`
	Jurisdiction directory.State     `json:"jurisdiction,omitempty"`
	Title        string              `json:"title,omitempty"`
	Number       string              `json:"number,omitempty"`
	Issuer       string              `json:"issuer,omitempty"`
	Status       directory.Status    `json:"status"`
	Label        string              `json:"label"`
	Sentence     string              `json:"sentence"`
	Reasons      []string            `json:"reasons"`
	CheckedAt    *directory.Date     `json:"checked_at"`
	AsOf         *directory.Date     `json:"as_of"`
	NextDue      *directory.Instant  `json:"next_due"`
	ValidUntil   *directory.Instant  `json:"valid_until"`
	Evidence     []evidence          `json:"evidence"`
	StatedBy     []origin            `json:"stated_by"` // who states it, each source once

	result directory.CheckResult // whose shape stands beside it
	basis  *directory.Event      // what it rests on; nil where that is not shown
}

// evidence names what a claim rests on; the bytes themselves are never served.
type evidence struct {
	SHA256     string         `json:"sha256"`
	Source     string         `json:"source"`
	Name       string         `json:"name"`
	URL        string         `json:"url,omitempty"`
	Release    string         `json:"release,omitempty"`
	SeenOn     directory.Date `json:"seen_on"`
	SourceAsOf directory.Date `json:"source_as_of,omitempty"`
}

// linked is a prescriber with a page of their own.
type linked struct {
	ID          directory.ID `json:"id"`
	Name        string       `json:"name"`
	Credentials []string     `json:"credentials"`
	URL         string       `json:"url"`

	Result   directory.CheckResult `json:"result"` // of the check on medical oversight, if this link were the only one
	Label    string                `json:"label"`
	Licences []linkedLicence       `json:"licences"`
}

// maybe returns nil for the zero value, so that what is not known is null.
func maybe[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// webAddress returns an http or https address as it may be linked, "" for anything else.
func webAddress(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

func (l *lang) originOf(o directory.Origin) *origin {
	if o.Source == "" {
		return nil
	}
	return &origin{Source: o.Source, Name: l.sourceName(o.Source), URL: webAddress(o.URL), AsOf: o.AsOf}
}

// value names a value of a vocabulary.
func (l *lang) value(list, value string) string {
	return l.named("value."+list+"."+value, search.Label(list, value))
}

func (l *lang) label(list, value string) labelled { return labelled{value, l.value(list, value)} }

func (l *lang) labels(list string, values []string) []labelled {
	out := make([]labelled, 0, len(values))
	for _, v := range values {
		out = append(out, l.label(list, v))
	}
	return out
}

func (s *Server) demo() *demo {
	if s.cfg.Demo == nil {
		return nil
	}
	return &demo{s.cfg.Demo.Now, s.cfg.Demo.Note}
}

// moment is the instant a request is answered for, the knowledge it is answered with, and the language.
type moment struct {
	at    directory.Instant // T
	known directory.Instant // K: everything recorded, also what was recorded within the same instant
	now   directory.Instant // facts, which are not kept by date, are those of now
	head  int64
	asked bool // somebody asked for T
	lang  *lang
	// lasting leaves out what is said differently on another day though nothing changed, such as how many days are left.
	lasting bool
}

// moment is the one a question asks for, else now. A moment that has not come, and knowledge that nobody
// has yet, are refused.
func (s *Server) moment(h directory.Head, a ask, l *lang) (moment, error) {
	now := s.now()
	m := moment{at: now, known: max(now, h.RecordedAt), now: now, head: h.Public, asked: a.At != "", lang: l}
	var bad badParams
	if a.At > m.at {
		bad = append(bad, wrong("at", "bad.future"))
	}
	if a.Known > m.known {
		bad = append(bad, wrong("known", "bad.future.known"))
	}
	if len(bad) > 0 {
		return m, bad
	}
	if m.asked {
		m.at = a.At
	}
	if a.Known != "" {
		m.known = a.Known
	}
	return m, nil
}

// public returns the file as a public face may use it at the moment: see directory.WithoutCleared.
func (m moment) public(f *directory.CredentialFile, policies directory.Policies) *directory.CredentialFile {
	if !m.asked {
		return f
	}
	return f.WithoutCleared(m.known, policies)
}

// patientState is Y: the state the answer is for, or the provider's own.
func patientState(y directory.State, f *directory.CredentialFile) directory.State {
	if y != "" {
		return y
	}
	return f.Provider.HomeState()
}

// checksOf tells the five checks of the file, a problem on record first.
func checksOf(f *directory.CredentialFile, y directory.State, m moment, policies directory.Policies, withParts bool) []check {
	out, _ := checksAndIssue(f, y, m, policies, withParts)
	return out
}

// checksAndIssue tells besides when the licence was issued that confirms check 1, if its register states it.
func checksAndIssue(f *directory.CredentialFile, y directory.State, m moment, policies directory.Policies, withParts bool) (out []check, issued directory.Date) {
	t := newTeller(f, y, m, policies)
	out = make([]check, 0, len(directory.CheckNames))
	for _, c := range directory.ProblemsFirst(directory.Checks(f, y, m.at, m.known, policies)) {
		w := check{Check: c.Check, Title: t.t("check." + string(c.Check)), Result: c.Result, Label: t.checkLabel(c), Sentence: t.check(c).text,
			Meaning: t.meaningOf(c), Reasons: onlyPublic(c.Reasons), ValidUntil: maybe(c.ValidUntil), Sources: []checkSource{}}
		asOf, due := c.ShownDates()
		for _, p := range c.Parts {
			if issued == "" && c.Check == directory.CheckLicense && p.Result == directory.Confirmed && p.Standing.Shown() && p.Standing.Class == directory.ClassSource {
				issued = p.Standing.Basis.Body.Issued
			}
			if p.Standing.Shown() { // what a person is looking at gives no source away
				w.Sources = t.addSource(w.Sources, p.Standing)
			}
			if withParts {
				title := t.t("kind." + string(p.What))
				if p.List != "" {
					title = t.sourceName(p.List)
				} else if p.Claim != nil && (p.What == directory.License || p.What == directory.DisciplineScreen) && p.Claim.Jurisdiction != "" {
					title += ", " + t.lang.state(p.Claim.Jurisdiction)
				}
				if p.What == directory.License && t.whose(p.Provider).prescriber { // else it reads as the provider's own
					title = t.t("part.of_prescriber", "Part", title)
				}
				w.Parts = append(w.Parts, part{p.What, title, p.Result, t.labelOf(c.Check, p.Result), t.part(p).text, sourceOf(p.Standing)})
			}
		}
		w.AsOf, w.NextDue, w.against = maybe(asOf), maybe(due), t.against(c, w.Sentence)
		out = append(out, w)
	}
	return out, issued
}

// addSource adds the source of a standing, once for each address and with the older of two dates. Where no
// source could be asked, none is named.
func (t teller) addSource(list []checkSource, s directory.Standing) []checkSource {
	b := s.Basis.Body
	if b.State == directory.SeenUnavailable {
		return list
	}
	src := checkSource{Name: t.sourceName(b.Source), URL: t.sourceLink(b), AsOf: s.AsOf, id: b.Source}
	for i, have := range list {
		if have.Name == src.Name && have.URL == src.URL {
			list[i].AsOf = min(have.AsOf, src.AsOf)
			return list
		}
	}
	return append(list, src)
}

// sourceOf is the source of what a standing rests on, "" where that is not shown.
func sourceOf(s directory.Standing) string {
	if !s.Shown() {
		return ""
	}
	return s.Basis.Body.Source
}

// sourceLink is where a visitor may look for themselves: the record's own page, else the source's search.
func (t teller) sourceLink(b directory.Body) string {
	if u := webAddress(b.Link); u != "" {
		return u
	}
	row, ok := t.policy.Tables().Source(b.Source)
	if !ok {
		return ""
	}
	if u := webAddress(row.LookupURL); u != "" {
		return u
	}
	return webAddress(row.URL)
}

// providerURL is the path of a provider's page.
func providerURL(id directory.ID) string { return "/providers/" + string(id) }

// resultOf tells one provider for a list, without what is of one search.
func (s *Server) resultOf(f *directory.CredentialFile, y directory.State, m moment) result {
	p := &f.Provider
	y = patientState(y, f)
	r := result{ID: p.ID, Name: p.DisplayName(), Kind: p.Kind, ListedAs: p.ListedAs, Credentials: credentials(p), URL: providerURL(p.ID),
		Claimed: p.Claimed, Care: m.lang.label("care", string(p.Practice.CareType())), Why: []string{}, ChecksFor: maybe(y),
		Checks: checksOf(f, y, m, s.cfg.Policies, false), Accepting: s.accepting(f, m), Telehealth: m.lang.telehealth(p), sites: p.Sites}
	if r.Care.Value != string(directory.CareUnknown) && slices.ContainsFunc(f.Claims, func(h directory.History) bool { return h.Claim.Kind == directory.ProtocolClaim }) {
		w := m.lang.practice(p)
		s.also(&w, f, m)
		r.careDiffers = w.CareDiffers()
	}
	if len(p.Sites) > 0 {
		r.Place = siteOf(p.Sites[0])
	}
	if low, high, ok := p.Practice.SessionPrice(); ok {
		r.Price = &priceRange{MinCents: low, MaxCents: high, Currency: "USD"}
		for _, it := range p.Practice.Prices {
			if it.Component == "medicine_session" {
				r.Price.Currency, r.Price.AsOf = it.Currency, it.Origin.AsOf
				if o := m.lang.originOf(it.Origin); o != nil {
					r.Price.Source = o.Name
				}
			}
		}
	}
	return r
}

// siteOf tells a place without its street, so that it may be anybody's.
func siteOf(s directory.Site) *place {
	return &place{Name: s.Name, City: s.Address.City, State: s.Address.State, ZIP: s.Address.ZIP5()}
}

func credentials(p *directory.Provider) []string { return append([]string{}, p.Name.Credentials...) }

// accepting tells whether new patients are taken, and whether that was said too long ago to count.
func (s *Server) accepting(f *directory.CredentialFile, m moment) *accepting {
	pr := &f.Provider.Practice
	out := accepting{AsOf: pr.AcceptingAsOf, Origin: m.lang.originOf(f.Provider.Origins["practice.accepting"])}
	switch {
	case pr.Accepting == directory.Yes:
		out.Value = "yes"
	case pr.Waitlist == directory.Yes:
		out.Value = "waitlist"
	case pr.Accepting == directory.No:
		out.Value = "no"
	default:
		return nil
	}
	out.Label = m.lang.t("accepting." + out.Value)
	if out.AsOf == "" && out.Origin != nil {
		out.AsOf = out.Origin.AsOf
	}
	out.aging = m.aging(out.AsOf, s.cfg.Policies.InForce(m.now, m.now).Kinds[directory.Availability].Stale)
	return &out
}

func (l *lang) telehealth(p *directory.Provider) *telehealth {
	pr := &p.Practice
	if pr.Telehealth == directory.Unknown && len(pr.TelehealthIn) == 0 {
		return nil
	}
	out := &telehealth{Value: pr.Telehealth, States: append([]directory.State{}, pr.TelehealthIn...), Origin: l.originOf(p.Origins["practice.telehealth"])}
	if out.Value == directory.Unknown {
		out.Value = directory.Yes
	}
	if out.Origin == nil {
		out.Origin = l.originOf(p.Origins["practice.telehealth_in"])
	}
	return out
}

// providerOf tells all that the public may see of the file.
func (s *Server) providerOf(f *directory.CredentialFile, y directory.State, m moment) provider {
	p := &f.Provider
	y = patientState(y, f)
	w := provider{ID: p.ID, Name: p.DisplayName(), Kind: p.Kind, ListedAs: p.ListedAs, Credentials: credentials(p), URL: providerURL(p.ID),
		Claimed: p.Claimed, Standing: m.lang.t("standing.joined"), ChecksFor: maybe(y), Prescribers: []linked{},
		AsOf: m.at, Head: m.head, Demo: s.demo()}
	if m.asked {
		w.At = &m.at
	}
	switch {
	case p.Claimed:
	case p.Kind == directory.Organisation:
		w.Standing = m.lang.t("standing.organisation")
	default:
		w.Standing = m.lang.t("standing.person")
	}
	w.Facts, w.Practice = s.factsOf(f, m), m.lang.practice(p)
	s.also(&w.Practice, f, m)
	var issued directory.Date
	w.Checks, issued = checksAndIssue(f, y, m, s.cfg.Policies, true)
	w.Claims, w.Licensed = claimsOf(f, y, m, s.cfg.Policies), maybe(issued)
	var until directory.Instant
	soonest := func(i *directory.Instant) {
		if i != nil && (until == "" || *i < until) {
			until = *i
		}
	}
	for _, c := range w.Checks {
		soonest(c.ValidUntil)
	}
	for _, c := range w.Claims {
		soonest(c.ValidUntil)
		if c.Kind == directory.ContactClaim {
			w.contactStale = c.Status == directory.StatusStale
		}
	}
	for _, h := range f.Claims {
		other := f.Linked[h.Claim.Other]
		w.Self = w.Self || h.Claim.Self() && slices.ContainsFunc(w.Claims, func(c claim) bool { return c.ID == h.Claim.ID && c.Status != directory.StatusUnderReview })
		if h.Claim.Kind != directory.OversightLink || h.Claim.Self() || other == nil || other.Provider.Withdrawn ||
			!slices.ContainsFunc(w.Claims, func(c claim) bool { return c.ID == h.Claim.ID }) || // nobody says so at that moment
			slices.ContainsFunc(w.Prescribers, func(l linked) bool { return l.ID == h.Claim.Other }) {
			continue
		}
		x := linked{ID: other.Provider.ID, Name: other.Provider.DisplayName(), Credentials: credentials(&other.Provider), URL: providerURL(other.Provider.ID), Licences: []linkedLicence{}}
		t := newTeller(other, y, m, s.cfg.Policies)
		for _, held := range other.Claims {
			if held.Claim.Kind != directory.License {
				continue
			}
			if c, ok := t.claim(held.Claim, directory.Derive(held, m.at, m.known, s.cfg.Policies)); ok {
				x.Licences = append(x.Licences, linkedLicence{c.Jurisdiction, c.Title, c.Label, c.result})
				soonest(c.ValidUntil)
			}
		}
		x.Licences = onePerState(x.Licences)
		x.Result, x.Label = s.linkAlone(f, h.Claim.ID, y, m)
		w.Prescribers = append(w.Prescribers, x)
	}
	w.Changes = changesOf(f, w.Claims, y, m, s.cfg.Policies)
	w.ValidUntil = maybe(until)
	return w
}

// linkAlone is what the check on medical oversight would say if the provider had this link alone: the check itself is
// of the best of them.
func (s *Server) linkAlone(f *directory.CredentialFile, link directory.ID, y directory.State, m moment) (directory.CheckResult, string) {
	alone := *f
	alone.Claims = slices.DeleteFunc(slices.Clone(f.Claims), func(h directory.History) bool { return h.Claim.Kind == directory.OversightLink && h.Claim.ID != link })
	for _, c := range directory.Checks(&alone, y, m.at, m.known, s.cfg.Policies) {
		if c.Check == directory.CheckOversight {
			return c.Result, newTeller(&alone, y, m, s.cfg.Policies).checkLabel(c)
		}
	}
	return "", ""
}

// claimsOf tells every claim of the file that has a public answer, in the order of a page.
func claimsOf(f *directory.CredentialFile, y directory.State, m moment, policies directory.Policies) []claim {
	t := newTeller(f, y, m, policies)
	out := []claim{}
	for _, h := range f.Claims {
		if c, ok := t.claim(h.Claim, directory.Derive(h, m.at, m.known, policies)); ok {
			c.StatedBy = []origin{}
			for _, e := range h.StatedBy(m.at, m.known) {
				o := origin{Source: e.Body.Source, Name: t.sourceName(e.Body.Source), URL: webAddress(e.Body.Link), AsOf: cmp.Or(e.Body.SourceAsOf, e.PerformedAt.Date())}
				if !slices.ContainsFunc(c.StatedBy, func(have origin) bool { return have.Source == o.Source }) {
					c.StatedBy = append(c.StatedBy, o)
				}
			}
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b claim) int {
		return slices.Index(directory.ClaimKinds, a.Kind) - slices.Index(directory.ClaimKinds, b.Kind)
	})
	return out
}

// Statement is what the public faces say of one provider to a patient of one state, true at a moment, as
// known at another: the checks and claims exactly as the API writes them.
type Statement struct {
	Provider  directory.ID      `json:"provider"`
	ChecksFor *directory.State  `json:"checks_for"`
	At        directory.Instant `json:"at"`
	Known     directory.Instant `json:"known"`
	Checks    []check           `json:"checks"`
	Claims    []claim           `json:"claims"`
}

// Published returns what is said of the file to a patient of state y; with y "", of the provider's own
// state. It is a pure function of its arguments, names of sources, titles and programmes included, which are
// those of the tables recorded with the policies; so an export says the same again.
func Published(f *directory.CredentialFile, y directory.State, at, known directory.Instant, policies directory.Policies) Statement {
	y = patientState(y, f)
	m := moment{at: at, known: known, lang: english}
	f = f.WithoutCleared(known, policies) // as the API does: a wrong person's material is on no public face for any moment
	return Statement{f.Provider.ID, maybe(y), at, known, checksOf(f, y, m, policies, true), claimsOf(f, y, m, policies)}
}

// claim tells one claim; ok is false for what has no public answer: the whole file, what was withdrawn,
// and what rests on nothing that counts, a name-only candidate among it.
func (t teller) claim(c directory.Claim, s directory.Standing) (claim, bool) {
	if c.Kind == directory.FileClaim || s.Status == directory.StatusWithdrawn || s.Status == directory.StatusNone {
		return claim{}, false
	}
	w := claim{ID: c.ID, Kind: c.Kind, KindLabel: t.t("kind." + string(c.Kind)), Jurisdiction: c.Jurisdiction, Title: c.Title, Number: c.Number.Shown, Issuer: c.Issuer,
		Status: s.Status, Label: t.statusLabel(c, s), Sentence: t.standing(c, s, subject{}).text, Reasons: onlyPublic(s.Reasons),
		ValidUntil: maybe(s.ValidUntil), Evidence: []evidence{}, result: statusResult[s.Status]}
	switch c.Kind {
	case directory.License, directory.CompactPrivilege, directory.DisciplineScreen:
		w.Title = t.titleOf(c)
	case directory.DEARegistration:
		w.Number = ""
	case directory.ExclusionScreen:
		w.Title = t.sourceName(c.Issuer)
	}
	if s.Status == directory.StatusUnderReview {
		w.Reasons = []string{directory.ReasonReviewPending}
		w.ValidUntil = nil
		return w, true
	}
	if !s.Shown() {
		return claim{}, false
	}
	b := s.Basis.Body
	w.basis = s.Basis
	if c.Kind == directory.ExclusionScreen || c.Kind == directory.DisciplineScreen { // a search that found nobody matched nobody
		w.Reasons = slices.DeleteFunc(w.Reasons, func(r string) bool { return r == directory.ReasonExactID })
	}
	w.CheckedAt, w.AsOf, w.NextDue = maybe(s.CheckedAt.Date()), maybe(s.AsOf), maybe(s.NextDue)
	for _, sum := range s.Basis.Evidence {
		w.Evidence = append(w.Evidence, evidence{SHA256: sum, Source: b.Source, Name: t.sourceName(b.Source), URL: t.sourceLink(b), Release: b.Release,
			SeenOn: s.CheckedAt.Date(), SourceAsOf: b.SourceAsOf})
	}
	return w, true
}

func (s *Server) factsOf(f *directory.CredentialFile, m moment) facts {
	p := &f.Provider
	l := m.lang
	from := func(field string) *origin { return l.originOf(p.Origins[field]) }
	w := facts{Sites: []site{}, Affiliations: []affiliation{}, Prices: []price{}, Accepting: s.accepting(f, m), Telehealth: l.telehealth(p)}
	if !p.Name.IsZero() {
		w.Name = &fact[string]{p.Name.String(), from("name")}
	}
	if p.Organisation != "" {
		w.Organisation = &fact[string]{p.Organisation, from("organisation")}
	}
	if p.NPI != "" {
		w.NPI = &fact[string]{string(p.NPI), from("npi")}
	}
	if u := webAddress(p.Website); u != "" {
		w.Website = &fact[string]{u, l.originOf(p.WebOrigin)}
	}
	for _, x := range p.Sites {
		a := p.PublicAddress(x)
		w.Sites = append(w.Sites, site{x.Name, a.Line1, a.Line2, a.City, a.State, a.ZIP, x.Phone, l.originOf(x.Origin), l.originOf(x.PhoneOrigin)})
	}
	for _, h := range f.Claims { // a correction took the contact off every face
		if h.Claim.Kind == directory.ContactClaim && directory.Derive(h, m.now, m.known, s.cfg.Policies).Status == directory.StatusWithdrawn {
			w.Website = nil
			for i := range w.Sites {
				w.Sites[i].Phone, w.Sites[i].PhoneOrigin = "", nil
			}
		}
	}
	for _, a := range p.Affiliations {
		w.Affiliations = append(w.Affiliations, affiliation{a.Provider, a.Name, a.Role, l.originOf(a.Origin)})
	}
	pr := &p.Practice
	w.Languages, w.Access = l.list(p, "language", "languages", pr.Languages), l.list(p, "access", "access", pr.Access)
	w.Superbill, w.SlidingScale = l.stated(p, "superbill", pr.Superbill), l.stated(p, "sliding_scale", pr.SlidingScale)
	for _, it := range pr.Prices {
		w.Prices = append(w.Prices, price{l.label("price", it.Component), it.MinCents, it.MaxCents, it.Currency, l.originOf(it.Origin)})
	}
	return w
}

func (l *lang) list(p *directory.Provider, vocabulary, field string, values []string) *fact[[]labelled] {
	if len(values) == 0 {
		return nil
	}
	return &fact[[]labelled]{l.labels(vocabulary, values), l.originOf(p.Origins["practice."+field])}
}

func (l *lang) stated(p *directory.Provider, field string, a directory.Answer) *fact[yesNo] {
	if a == directory.Unknown {
		return nil
	}
	return &fact[yesNo]{a, l.originOf(p.Origins["practice."+field])}
}

func (l *lang) practice(p *directory.Provider) practice {
	pr := &p.Practice
	phaseOf := func(field string, x directory.Phase) *fact[phase] {
		if x == (directory.Phase{}) {
			return nil
		}
		return &fact[phase]{phase(x), l.originOf(p.Origins["practice."+field])}
	}
	one := func(vocabulary, field, value string) *fact[labelled] {
		if value == "" {
			return nil
		}
		return &fact[labelled]{l.label(vocabulary, value), l.originOf(p.Origins["practice."+field])}
	}
	return practice{Care: l.label("care", string(pr.CareType())),
		Preparation: phaseOf("preparation", pr.Preparation), Medicine: phaseOf("medicine", pr.Medicine), Integration: phaseOf("integration", pr.Integration),
		Routes: l.list(p, "route", "routes", pr.Routes), Settings: l.list(p, "setting", "settings", pr.Settings),
		Model: one("model", "model", pr.Model), Presence: one("presence", "presence", string(pr.Presence)),
		Monitoring: l.list(p, "monitoring", "monitoring", pr.Monitoring), VitalSigns: l.stated(p, "vital_signs", pr.VitalSigns),
		EmergencyPlan: l.stated(p, "emergency_plan", pr.EmergencyPlan), Escort: l.stated(p, "escort", pr.Escort),
		Screening: l.list(p, "screening", "screening", pr.Screening), Frameworks: l.list(p, "framework", "frameworks", pr.Frameworks),
		Focus: l.list(p, "focus", "focus", pr.Focus), Populations: l.list(p, "population", "populations", pr.Populations),
		Formats: l.list(p, "format", "formats", pr.Formats)}
}

package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Desk is the power of staff: to look at cases and to decide them. Its rules are the store's, the same as for the
// command line; a page says beforehand what they will say.
type Desk interface {
	IntegratorDesk
	Sheets
	List(ctx context.Context, f directory.CaseFilter, counts bool) (directory.CaseList, error)
	Dossier(ctx context.Context, id directory.ID, as string) (directory.Dossier, error)
	AtDesk(ctx context.Context, id directory.ID, as string) (directory.Dossier, error)
	Hidden(ctx context.Context) ([]directory.Other, error)
	Foresee(ctx context.Context, x directory.Wish) (directory.Foreseen, error)
	Take(ctx context.Context, id directory.ID, staff string, over bool) (directory.Hold, error)
	Next(ctx context.Context, f directory.CaseFilter, staff string, skip directory.ID) (directory.ID, error)
	Assign(ctx context.Context, id directory.ID, staff, to, note string) (directory.Hold, error)
	Release(ctx context.Context, id directory.ID, staff string) error
	Views(ctx context.Context, staff string) ([]directory.View, error)
	SaveView(ctx context.Context, staff string, v directory.View) error
	Decide(ctx context.Context, d directory.Decision) (directory.Event, error)
	Act(ctx context.Context, a directory.Act) (directory.Event, error)
	DecideRemoval(ctx context.Context, d directory.RemovalDecision) (directory.Removal, error)
	FilePaper(ctx context.Context, id directory.ID, staff, note string, raw []byte) (directory.Filed, error)
	Contact(ctx context.Context, x directory.ContactCheck) (directory.Filed, error)
	Paper(ctx context.Context, sha256 string) (directory.Paper, []byte, error)
	Staff(ctx context.Context) ([]directory.StaffMember, error)
	Past(ctx context.Context, id directory.ID, known directory.Instant) (directory.Past, error)
	Recorded(ctx context.Context, from, to directory.Instant, f func(e directory.Event, provider directory.ID, kind directory.ClaimKind) error) error
	DeskActs(ctx context.Context, from, to directory.Instant, staff string) ([]directory.DeskAct, error)
	Runs(ctx context.Context, limit int) ([]directory.Run, error)
	Metrics(ctx context.Context, since directory.Instant) (directory.DeskMetrics, error)
}

// casesOnPage is how many cases a page of the list has.
const casesOnPage = 50

// The filters of the list, as an address names them, in the order of the page.
var caseFilters = []struct {
	name, label string
	set         func(*directory.CaseFilter, string)
	words       func(value, me string) string
}{
	{"kind", "Kind", func(f *directory.CaseFilter, v string) { f.Kind = directory.CaseKind(v) }, func(v, _ string) string { return spaced(v) }},
	{"holder", "Whose", func(f *directory.CaseFilter, v string) { f.Holder = v }, func(v, me string) string {
		switch v {
		case directory.Nobody:
			return "free"
		case me:
			return "mine"
		}
		return v
	}},
	{"late", "Time", func(f *directory.CaseFilter, v string) { f.Late = v == "1" }, func(string, string) string { return "late" }},
	{"work", "Work", func(f *directory.CaseFilter, v string) { f.Work = directory.Work(v) }, func(v, _ string) string {
		return map[string]string{"new": "new", "returned": "returned", "second": "needs a second person"}[v]
	}},
	{"needs", "Decided by", func(f *directory.CaseFilter, v string) { f.Needs = directory.Role(v) }, func(v, _ string) string { return v }},
	{"source", "Source", func(f *directory.CaseFilter, v string) { f.Source = v }, func(v, _ string) string { return capital(english.source(directory.Tables(), v)) }},
	{"state", "State", func(f *directory.CaseFilter, v string) { f.State = directory.State(v) }, func(v, _ string) string {
		if v == "" {
			return "no state"
		}
		return directory.State(v).Name()
	}},
}

func spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }

// caseQuery reads the filters of a list out of an address, and writes them back in one form.
func caseQuery(q url.Values) (f directory.CaseFilter, kept url.Values) {
	kept = url.Values{}
	for _, x := range caseFilters {
		if v := q.Get(x.name); v != "" && len(v) <= 60 {
			x.set(&f, v)
			kept.Set(x.name, v)
		}
	}
	if id, err := directory.ParseID(directory.ProviderPrefix, q.Get("provider")); err == nil {
		f.Provider = id
		kept.Set("provider", string(id))
	}
	return f, kept
}

// queryOf is what follows the ? of the request's address.
func queryOf(c *fiber.Ctx) url.Values {
	q, _ := url.ParseQuery(string(c.Request().URI().QueryString())) // a copy; what cannot be read is left out
	return q
}

type casesPage struct {
	staffPage
	List    directory.CaseList
	Facets  []caseFacet
	Views   []savedView
	Query   string // of the list, without its page
	First   string // address of the first page, "" when this is it
	More    string // of the next
	Told    string
	Was     directory.ID // the case that it is told of
	Decides bool
}

type caseFacet struct {
	Label  string
	Values []caseFacetValue
}

type caseFacetValue struct {
	Label, Href string
	N           int
	On          bool
}

type savedView struct{ Name, Href string }

// staffCases answers GET /staff/cases: what waits for a person.
func (s *Server) staffCases(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	q := queryOf(c)
	f, kept := caseQuery(q)
	f.After, f.Limit = q.Get("after"), casesOnPage
	list, err := s.cfg.Desk.List(ctx, f, true)
	if err != nil {
		return err
	}
	views, err := s.cfg.Desk.Views(ctx, who.Name)
	if err != nil {
		return err
	}
	for i, q := range list.Cases {
		if q.About != nil {
			list.Cases[i].What = s.claimWords(*q.About)
		}
	}
	p := casesPage{staffPage: s.staffPage(c, who, "Cases"), List: list, Query: kept.Encode(), Decides: slices.Contains(deciders, who.Role)}
	with := func(change func(url.Values)) string {
		v := url.Values{}
		for k, x := range kept {
			v[k] = x
		}
		change(v)
		if len(v) == 0 {
			return "/staff/cases"
		}
		return "/staff/cases?" + v.Encode()
	}
	for _, x := range caseFilters {
		facet := caseFacet{Label: x.label}
		for _, n := range list.Counts {
			if n.By != x.name || n.Value == "" {
				continue
			}
			v := caseFacetValue{Label: x.words(n.Value, who.Name), N: n.N, On: kept.Get(x.name) == n.Value}
			v.Href = with(func(q url.Values) {
				if q.Set(x.name, n.Value); v.On {
					q.Del(x.name)
				}
			})
			facet.Values = append(facet.Values, v)
		}
		if on := kept.Get(x.name); on != "" && !slices.ContainsFunc(facet.Values, func(v caseFacetValue) bool { return v.On }) {
			facet.Values = append(facet.Values, caseFacetValue{Label: cmp.Or(x.words(on, who.Name), on), On: true, Href: with(func(q url.Values) { q.Del(x.name) })})
		}
		if len(facet.Values) > 0 {
			p.Facets = append(p.Facets, facet)
		}
	}
	for _, v := range views {
		p.Views = append(p.Views, savedView{v.Name, "/staff/cases?" + v.Query})
	}
	if f.After != "" {
		p.First = with(func(url.Values) {})
	}
	if list.Next != "" {
		p.More = with(func(q url.Values) { q.Set("after", list.Next) })
	}
	if p.Told, p.Was = toldBefore(q); p.Told != "" {
		p.Told += "."
	}
	switch {
	case q.Get("none") == "1":
		p.Told = strings.TrimSpace(p.Told + " Nothing more here waits that is free.")
	case q.Get("told") == "saved":
		p.Told = "The view is saved."
	}
	return s.sendStaff(c, "cases", p)
}

// staffNext answers POST /staff/next: the first case of the list that is free, taken.
func (s *Server) staffNext(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	skip, _ := directory.ParseID(directory.CasePrefix, form.Get("skip"))
	return s.nextCase(c, who, form.Get("from"), skip, done{})
}

// done is what was done about a case, and how it stands since: "" is nothing.
type done struct {
	told, left string
	was        directory.ID
}

func (d done) into(q url.Values) {
	if d.told != "" {
		q.Set("told", d.told)
		q.Set("left", d.left)
		q.Set("was", string(d.was))
	}
}

// nextCase leads to the next case of the list, and says there what was done about the one before.
func (s *Server) nextCase(c *fiber.Ctx, who *staffSession, from string, skip directory.ID, before done) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	q, _ := url.ParseQuery(from)
	f, kept := caseQuery(q)
	id, err := s.cfg.Desk.Next(ctx, f, who.Name, skip)
	if err != nil {
		return err
	}
	if id == "" {
		q := url.Values{"none": {"1"}}
		for k, v := range kept {
			q[k] = v
		}
		before.into(q)
		return seeOther(c, "/staff/cases?"+q.Encode())
	}
	return seeOther(c, caseURL(id, kept.Encode(), before))
}

// caseURL is the address of a case's page; from is the list that it was opened from.
func caseURL(id directory.ID, from string, before done) string {
	q := url.Values{}
	if from != "" {
		q.Set("from", from)
	}
	before.into(q)
	if len(q) == 0 {
		return "/staff/cases/" + string(id)
	}
	return "/staff/cases/" + string(id) + "?" + q.Encode()
}

// staffViews answers POST /staff/views: a list of cases gets a name, or loses it.
func (s *Server) staffViews(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	q, _ := url.ParseQuery(form.Get("query"))
	_, kept := caseQuery(q)
	v := directory.View{Name: form.Get("name"), Query: kept.Encode()}
	if form.Get("do") == "forget" {
		v.Query = ""
	} else if v.Query == "" {
		return directory.Errorf(directory.Invalid, "query", "choose filters first: the whole list needs no name")
	}
	if err := s.cfg.Desk.SaveView(ctx, who.Name, v); err != nil {
		return err
	}
	kept.Set("told", "saved")
	return seeOther(c, "/staff/cases?"+kept.Encode())
}

// A deed is a way to decide a case, as its page offers it.
type deedForm struct {
	Do, Key, Label, Effect, Refused string
	Of                              int64
	Note, Field, Contact            bool // what it asks for
	Agrees                          bool // the field is an identifier that agrees, not one that differs
	Optional                        bool // a note is welcome
	Fixed                           bool // a correction: what is right
	Look                            bool // what a register says now
	Wrong                           bool // a dispute: what is wrong
	Danger                          bool
	Seen                            int64
	Claim                           directory.ID // of a merge: in which the decision stands
	Preview                         preview
	Second                          bool       // what the preview tells takes a second person
	Open                            bool       // somebody asked for its preview
	Sent                            url.Values // what they had filled in
}

type casePage struct {
	staffPage
	D        directory.Dossier
	Kind     string
	Public   []publicLine
	Deeds    []deedForm
	More     []deedForm // what is done more rarely
	Fields   []string   // that a clearing can name
	From     string
	Rows     []sourceField
	Text     string // of a source, which has no fields
	About    string // what the claim is about
	Why      string // why the case needs a person
	Lookups  []lookupLink
	Sheet    string   // of what time has ended: the worksheet of its source
	Reaches  []string // how the provider can be asked
	Members  []string // to whom the case can be given
	Mine     bool
	Theirs   bool // somebody else works it
	Decides  bool
	Since    []directory.Told // what came since the person looked
	Wrong    string
	Note     string // as it was sent, so that it is not typed twice
	Told     string
	Was      directory.ID
	Event    int64
	Today    directory.Date
	Late     bool
	Readable []directory.Observed
	Cases    []directory.Queued // of a provider's page
	Action   string             // where its forms go
	Here     bool               // and they lead back to this page

	Asked    string // whose preview somebody asked for
	AskedOf  int64
	Foreseen preview
	Sent     url.Values
}

type sourceField struct{ Name, Value string }

// deedWords say what each deed is called on a page, its key, and what is told once it is done.
var deedWords = map[string]struct{ label, key, told string }{
	"confirm":          {"Confirm", "c", "Confirmed"},
	"clear":            {"Clear: it is somebody else", "x", "Cleared: it is about somebody else"},
	"return":           {"Return for another look", "r", "Returned for another look"},
	"ask":              {"Ask the provider", "p", "Returned: the provider is to be asked"},
	"could_not":        {"Could not check", "u", "Returned: it could not be checked"},
	"distinct":         {"Two different people", "d", "Said to be two different people"},
	"same":             {"One and the same", "m", "Said to be one and the same"},
	"keep":             {"Keep what is shown", "k", "What is shown stays"},
	"take":             {"Show what this page says", "y", "What this page says is shown now"},
	"accept":           {"Accept the dispute", "a", "The dispute is accepted"},
	"decline":          {"Decline the dispute", "d", "The dispute is declined"},
	"close":            {"Close the dispute", "z", "The dispute is closed"},
	"prove":            {"Hide: proven by a contact on record", "b", "Hidden, as was asked"},
	"accept_request":   {"Hide: accepted by an approver", "h", "Hidden, as was asked"},
	"decline_request":  {"Decline the request", "d", "The request is declined"},
	"correct":          {"Correct what it says", "e", "Corrected: somebody else confirms it"},
	"void":             {"Void: entered in error", "v", "Voided"},
	"withdraw":         {"Hide this claim", "w", "The claim is hidden"},
	"withdraw_file":    {"Hide the whole provider", "W", "The whole provider is hidden"},
	"restore_file":     {"Show the whole provider again", "W", "The whole provider is shown again"},
	"dispute":          {"Open a dispute: something of it is wrong", "D", "A dispute is opened"},
	"dispute_identity": {"Open a dispute: it is about somebody else", "I", "A dispute is opened"},
	"unmerge":          {"Take the merge back", "M", "The merge is taken back"},
	"filed":            {"", "", "The evidence is filed"},
	"look_up":          {"Write down what the register says now", "a", "What the register says is on record"},
	"could_not_look":   {"Could not check", "u", "On record that it could not be checked"},
}

// How a case stands after a deed, as an address says it.
var leftWords = map[string]string{"closed": "the case is closed", "second": "it needs a second person now", "approver": "it needs an approver now", "open": "the case still waits", "": ""}

// toldBefore is what a page says of the deed before, which its address names: what was done, and how that case stands.
func toldBefore(q url.Values) (told string, was directory.ID) {
	if told = deedWords[q.Get("told")].told; told == "" {
		return "", ""
	}
	if left := leftWords[q.Get("left")]; left != "" {
		told += "; " + left
	}
	was, _ = directory.ParseID(directory.CasePrefix, q.Get("was"))
	return told, was
}

// left says how a case stands.
func left(d directory.Dossier) string {
	switch {
	case d.Case.Closed != "" || !d.Waits:
		return "closed"
	case d.Need.Approver && len(d.Need.Given) > 0:
		return "approver"
	case len(d.Need.Given) > 0:
		return "second"
	}
	return "open"
}

// staffCase answers GET /staff/cases/:id.
func (s *Server) staffCase(c *fiber.Ctx, who *staffSession) error {
	id, err := directory.ParseID(directory.CasePrefix, strings.Clone(c.Params("id")))
	if err != nil {
		return directory.NotFound
	}
	q := queryOf(c)
	p := casePage{From: q.Get("from")}
	if p.Told, p.Was = toldBefore(q); p.Was == id {
		p.Was = ""
	}
	return s.showCase(c, who, id, p)
}

// showCase renders a case's page; p brings what is particular to the occasion.
func (s *Server) showCase(c *fiber.Ctx, who *staffSession, id directory.ID, p casePage) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	d, err := s.cfg.Desk.Dossier(ctx, id, who.Name)
	if err != nil {
		return err
	}
	q, _ := url.ParseQuery(p.From)
	_, kept := caseQuery(q)
	p.From = kept.Encode()
	p.staffPage = s.staffPage(c, who, d.Provider.DisplayName()+": "+spaced(string(d.Case.Kind)))
	p.D, p.Kind, p.Event, p.Readable = d, spaced(string(d.Case.Kind)), d.Case.Event, directory.Readable
	p.Today = d.At.Date()
	p.Late = d.Waits && d.Due != "" && d.Due < p.Today
	p.Decides = slices.Contains(deciders, who.Role)
	p.Mine, p.Theirs = d.Hold != nil && d.Hold.Staff == who.Name, d.Hold != nil && d.Hold.Staff != who.Name
	p.Action = "/staff/cases/" + string(id)
	p.deeds(ctx, s, d, who.Name)
	for _, x := range d.Compared {
		if x.Agree == "differs" {
			p.Fields = append(p.Fields, x.Field)
		}
	}
	for _, known := range []string{"name", "npi", "licence", "birth"} { // which may have been found to differ elsewhere
		if !slices.Contains(p.Fields, known) {
			p.Fields = append(p.Fields, known)
		}
	}
	if d.Row != nil {
		for k, v := range d.Row.Fields {
			if v != "" {
				p.Rows = append(p.Rows, sourceField{k, v})
			}
		}
		slices.SortFunc(p.Rows, func(a, b sourceField) int { return strings.Compare(a.Name, b.Name) })
		if fields, ok := fieldsOf(d.Row.Text); ok {
			p.Rows = append(p.Rows, fields...)
		} else {
			p.Text = d.Row.Text
		}
	}
	if d.Claim != nil {
		p.About = WordsOf(d.File, d.At, d.Known, s.cfg.Policies).Claim(*d.Claim)
	}
	p.Why = d.Case.Kind.Words()
	if d.Why != "" {
		p.Why = d.Why
	}
	p.Lookups = lookups(d)
	if d.Ends != nil && slices.ContainsFunc(d.Choices, func(x directory.Choice) bool { return x.Decision == directory.LookAnew && x.Refused == "" }) {
		p.Sheet = "/staff/worksheets/" + d.Ends.Source
	}
	for _, x := range d.Provider.Sites {
		if x.Phone != "" && !slices.Contains(p.Reaches, x.Phone) {
			p.Reaches = append(p.Reaches, x.Phone)
		}
	}
	if w := webAddress(d.Provider.Website); w != "" {
		p.Reaches = append(p.Reaches, w)
	}
	members, err := s.cfg.Desk.Staff(ctx)
	if err != nil {
		return err
	}
	for _, m := range members {
		if m.Disabled == "" && slices.Contains(deciders, m.Role) && m.Name != who.Name {
			p.Members = append(p.Members, m.Name)
		}
	}
	return s.sendStaff(c, "case", p)
}

// lookupLink is an address at which the source itself can be asked.
type lookupLink struct{ Label, URL string }

// lookups are where the source answers about the case: its own page of the record, as its row gives it; an address that
// takes the number, where one is known (number_url in data/sources.csv); and the register's front door.
func lookups(d directory.Dossier) (out []lookupLink) {
	info, _ := directory.Tables().Source(d.Case.Source)
	number := ""
	if d.Row != nil {
		number = d.Row.Number
		if u := webAddress(d.Row.Link); u != "" {
			out = append(out, lookupLink{"The source’s own page of this record", u})
		}
	}
	if number == "" && d.Claim != nil && d.Claim.Kind != directory.ExclusionScreen {
		number = d.Claim.Number.Shown
	}
	if info.Kind == "identity" {
		if _, err := directory.ParseNPI(number); err != nil {
			number = string(d.Provider.NPI)
		}
	}
	if number != "" && info.NumberURL != "" {
		if u := webAddress(strings.ReplaceAll(info.NumberURL, "{number}", url.QueryEscape(number))); u != "" {
			out = append(out, lookupLink{"What the register publishes under " + number, u})
		}
	}
	if u := webAddress(info.LookupURL); u != "" {
		label := "The register’s look-up"
		if number != "" && info.Kind != "exclusion" {
			label += ": the number is " + number
		}
		out = append(out, lookupLink{label, u})
	}
	return out
}

// deeds fills in what can be done about the case, and what public pages would say after each.
func (p *casePage) deeds(ctx context.Context, s *Server, d directory.Dossier, who string) {
	look := &previewer{s: s, ctx: ctx, d: d, who: who, rests: map[directory.ID][]publicLine{}}
	if d.File != nil {
		for _, x := range s.lines(d.File, d.At, d.Known) {
			if of := directory.CheckName(x.Key); slices.Contains(directory.CheckNames, of) || d.Claim != nil && x.Key == string(d.Claim.ID) {
				p.Public = append(p.Public, x)
			}
		}
	}
	form := func(x directory.Choice) deedForm {
		w := deedWords[x.Decision]
		f := deedForm{Do: x.Decision, Key: w.key, Label: w.label, Effect: effectWords(x.Effect), Refused: x.Refused, Of: x.Of, Seen: d.Seen, Optional: true, Sent: url.Values{}}
		for _, a := range directory.Deed(x.Decision).Asks() {
			f.Note, f.Field = f.Note || a == "note", f.Field || a == "field"
		}
		if p.Decides {
			f.Preview = look.of(x)
		}
		if p.Asked == x.Decision && (p.AskedOf == 0 || p.AskedOf == x.Of) {
			f.Preview, f.Open, f.Sent = p.Foreseen, true, p.Sent
		}
		return f
	}
	for _, x := range d.Choices {
		f := form(x)
		switch {
		case x.Decision == directory.LookAnew:
			f.Look, f.Note = true, false
		case x.Decision == "same" && d.Case.Kind != directory.CaseDuplicate && d.Case.Kind != directory.CaseRemoved:
			f.Label, f.Field, f.Agrees, f.Danger, f.Optional = "It is about them", true, true, d.Case.Kind == directory.CaseAdverse, false
		case x.Decision == "same" && d.Need.Approvals == 2:
			f.Second = true
		case x.Decision == "same" && d.Case.Kind == directory.CaseDuplicate && d.Need.Approvals == 1 && len(d.Need.Given) == 0:
			f.Label = "The row is about them"
		case x.Decision == "distinct" && d.Case.Kind != directory.CaseDuplicate && d.Case.Kind != directory.CaseDocument:
			f.Label = "It is about somebody else"
			if d.Row == nil {
				f.Label = "The row has gone: close the case"
			}
		case d.Case.Kind == directory.CaseDocument:
			f.Field = false
			switch x.Decision {
			case "keep":
				f.Label = "The document rightly stands in both files"
			case "clear":
				f.Label = "The document is theirs after all"
			default:
				f.Label = "The document is not theirs"
			}
		case x.Decision == "confirm" && (d.Case.Kind == directory.CaseAdverse || d.Case.Kind == directory.CaseExclusion):
			f.Label, f.Danger = "Confirm what stands against them", true
			if d.Need.Approvals > 1 {
				f.Label += " (first of two people)"
			} else if len(d.Need.Given) > 0 {
				f.Label += " (second person, after " + directory.AllOf(d.Need.Given) + ")"
			}
		}
		p.Deeds = append(p.Deeds, f)
		if x.Decision == "return" && x.Refused == "" {
			for _, also := range []string{"ask", "could_not"} {
				y := f
				y.Do, y.Key, y.Label = also, deedWords[also].key, deedWords[also].label
				p.Deeds = append(p.Deeds, y)
			}
		}
	}
	for _, x := range d.Acts {
		f := form(x)
		f.Note, f.Optional = true, false
		switch x.Decision {
		case "correct":
			f.Fixed = true
		case "dispute":
			f.Wrong = true
		case "void", "withdraw", "withdraw_file", "restore_file", "accept_request":
			f.Danger = true
		case "prove":
			f.Contact, f.Danger = true, true
		}
		if d.Removal != nil && slices.Contains([]string{"prove", "accept_request", "decline_request"}, x.Decision) {
			p.Deeds = append(p.Deeds, f)
		} else {
			p.More = append(p.More, f)
		}
	}
	for _, m := range d.Merged {
		f := form(directory.Choice{Decision: "unmerge", Effect: string(m.ID) + " gets their own page back", Of: m.Event})
		f.Seen, f.Claim, f.Note, f.Danger, f.Optional = m.Seen, m.Claim, true, true, false
		p.More = append(p.More, f)
	}
}

// effectWords say what a deed does to the case; what public pages say then stands in its preview.
func effectWords(effect string) string {
	return capital(strings.TrimRight(strings.TrimSuffix(plainWords(effect), "No public face changes."), ". ")) + "."
}

// caseForm reads a form about the case of the address.
func caseForm(c *fiber.Ctx) (directory.ID, url.Values, error) {
	id, err := directory.ParseID(directory.CasePrefix, strings.Clone(c.Params("id")))
	if err != nil {
		return "", nil, directory.NotFound
	}
	form, err := staffForm(c)
	return id, form, err
}

// staffDecide answers POST /staff/cases/:id: something is decided about the case, or done about its claim. What has
// moved on since the page was made is refused with what happened; the page is shown anew with it.
func (s *Server) staffDecide(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	id, form, err := caseForm(c)
	if err != nil {
		return err
	}
	var seen, of int64
	_, _ = fmt.Sscan(form.Get("seen"), &seen)
	_, _ = fmt.Sscan(form.Get("of"), &of)
	do, note, auth := form.Get("do"), strings.TrimSpace(form.Get("note")), "session by "+who.How
	if ask := form.Get("preview"); ask != "" {
		return s.askPreview(ctx, c, who, id, ask, of, form)
	}
	err = s.decide(ctx, who, id, do, seen, of, note, auth, form)
	var de *directory.Error
	switch {
	case err == nil:
		before := done{told: do, was: id}
		if d, err := s.cfg.Desk.Dossier(ctx, id, ""); err == nil { // of whom nothing is held any more there is no case
			before.left = left(d)
		}
		if form.Get("then") == "stay" {
			return seeOther(c, caseURL(id, form.Get("from"), before))
		}
		return s.nextCase(c, who, form.Get("from"), id, before)
	case !errors.As(err, &de) || statuses[de.Kind] >= 500 || de.Kind == directory.NotFound:
		return err
	}
	p := casePage{From: form.Get("from"), Wrong: capital(de.Detail) + ".", Note: note}
	if de.Kind == directory.Conflict && seen > 0 {
		d, err := s.cfg.Desk.Dossier(ctx, id, who.Name)
		if err != nil {
			return err
		}
		for _, e := range d.History {
			if e.Seq > seen {
				p.Since = append(p.Since, e)
			}
		}
	}
	c.Status(statuses[de.Kind])
	return s.showCase(c, who, id, p)
}

// askPreview shows the case with what public pages would say after the deed, as it is filled in. Nothing is done.
func (s *Server) askPreview(ctx context.Context, c *fiber.Ctx, who *staffSession, id directory.ID, do string, of int64, form url.Values) error {
	p := casePage{From: form.Get("from"), Note: form.Get("note"), Asked: do, AskedOf: of, Sent: form}
	x := directory.Wish{Case: id, Do: do, Of: of, Staff: who.Name, Field: form.Get("field")}
	d, err := s.cfg.Desk.Dossier(ctx, id, who.Name)
	if err != nil {
		return err
	}
	if do == "correct" {
		if x.To, err = fixedOf(form); err == nil && x.To.Text == "" { // what it rests on changes no sentence
			x.To.Text = "-"
		}
		if x.To != nil && x.To.Method == "web" && x.To.URL == "" {
			x.To.Method = "phone"
		}
	}
	if do == directory.LookAnew {
		var l directory.LookUp
		l, err = s.lookUp(d, do, form)
		x.Look = &l
	}
	var f directory.Foreseen
	if err == nil {
		f, err = s.cfg.Desk.Foresee(ctx, x)
	}
	var de *directory.Error
	switch {
	case err == nil:
		p.Foreseen = s.foreseen(f, d.Provider.ID, d.At, d.Known)
	case !errors.As(err, &de) || statuses[de.Kind] >= 500 && de.Kind != directory.Unavailable || de.Kind == directory.NotFound:
		return err
	default:
		p.Wrong = capital(de.Detail) + "."
		c.Status(statuses[de.Kind])
	}
	return s.showCase(c, who, id, p)
}

const mostNote = 2000 // characters, as the forms say

// decide hands what was chosen to the store, which says whether it may be.
func (s *Server) decide(ctx context.Context, who *staffSession, id directory.ID, do string, seen, of int64, note, auth string, form url.Values) error {
	deed := directory.Deed(do)
	why := strings.TrimSpace(form.Get("note"))
	if utf8.RuneCountInString(note) > mostNote {
		return directory.Errorf(directory.Invalid, "note", "the reason has more than %d characters", mostNote)
	}
	switch do { // these two are a return with a reason of their own
	case "ask":
		deed, note = directory.Return, "Asked the provider: "+note
	case "could_not":
		deed, note = directory.Return, "Could not check: "+note
	}
	if why == "" && do != directory.LookAnew && slices.Contains(deed.Asks(), "note") {
		return directory.Errorf(directory.Invalid, "note", "say why: it stays with the record, and no public face shows it")
	}
	switch do {
	case "confirm", "clear", "return", "ask", "could_not", "distinct", "same", "keep", "take":
		_, err := s.cfg.Desk.Decide(ctx, directory.Decision{Case: id, Seen: seen, Staff: who.Name, Auth: auth, Decision: string(deed), Field: form.Get("field"), Note: note})
		return err
	case "prove", "accept_request", "decline_request":
		d := directory.RemovalDecision{ID: id, Do: strings.TrimSuffix(do, "_request"), Staff: who.Name, Auth: auth, Note: note, Contact: form.Get("contact")}
		if do == "prove" {
			d.Auth = "telephone_callback"
			if strings.Contains(d.Contact, "@") {
				d.Auth = "email_link"
			}
		}
		_, err := s.cfg.Desk.DecideRemoval(ctx, d)
		return err
	}
	d, err := s.cfg.Desk.Dossier(ctx, id, who.Name)
	if err != nil {
		return err
	}
	if do == directory.LookAnew || do == directory.CouldNotLook {
		l, err := s.lookUp(d, do, form)
		if err != nil {
			return err
		}
		out, err := s.cfg.Desk.BringIn(ctx, who.Name, auth, []directory.LookUp{l}, false)
		if err != nil {
			return err
		}
		return out[0].Refused()
	}
	a := directory.Act{Do: deed, Staff: who.Name, Auth: auth, Of: of, Seen: seen, Note: note}
	if d.Claim != nil {
		a.Claim = d.Claim.ID
	}
	if slices.Contains(fileDeeds, do) {
		return s.actOnFile(ctx, a, d, do, form)
	}
	switch do {
	case "accept", "decline", "close":
		a.Of = d.Case.Event
	case "void", "withdraw":
	case "dispute":
		a.Field = form.Get("field")
	case "dispute_identity":
		a.Do, a.Identity = directory.OpenDispute, true
	case "correct":
		if a.To, err = fixedOf(form); err != nil {
			return err
		}
	default:
		return directory.Errorf(directory.Invalid, "do", "that is nothing that can be done about a case")
	}
	_, err = s.cfg.Desk.Act(ctx, a)
	return err
}

// lookUp reads what somebody found at the register, or that they could not look.
func (s *Server) lookUp(d directory.Dossier, do string, form url.Values) (directory.LookUp, error) {
	var seen int64
	_, _ = fmt.Sscan(form.Get("seen"), &seen)
	cells := map[string]string{"looked_at": string(s.now()), "found": "could_not_look", "note": form.Get("note")}
	if at := strings.TrimSpace(form.Get("looked_at")); at != "" {
		cells["looked_at"] = at + "Z"
	}
	if do == directory.LookAnew {
		for _, name := range []string{"found", "status_words", "number", "name_shown", "expires", "restrictions", "source_as_of"} {
			cells[name] = form.Get(name)
		}
	}
	return d.LookUp(seen, cells)
}

// fileDeeds are what can be done about a whole provider.
var fileDeeds = []string{"withdraw_file", "restore_file", "unmerge"}

// actOnFile does something about the whole of a provider.
func (s *Server) actOnFile(ctx context.Context, a directory.Act, d directory.Dossier, do string, form url.Values) error {
	switch do {
	case "unmerge":
		claim, err := directory.ParseID(directory.ClaimPrefix, form.Get("claim"))
		if err != nil {
			return directory.Errorf(directory.Invalid, "claim", "that is no claim")
		}
		a.Do, a.Claim = directory.Voiding, claim
	default:
		a.Do, a.Claim, a.Provider, a.Seen = directory.Withdrawal, "", d.Provider.ID, 0
		if do == "restore_file" {
			a.Do = directory.Voiding
		}
		for _, h := range d.File.Claims {
			if h.Claim.Kind == directory.FileClaim {
				a.Seen = h.Newest()
			}
		}
	}
	_, err := s.cfg.Desk.Act(ctx, a)
	return err
}

// fixedOf reads what a corrected statement says.
func fixedOf(form url.Values) (*directory.Fixed, error) {
	to := &directory.Fixed{State: directory.Observed(form.Get("state")), SourceWords: form.Get("words"), Number: form.Get("number"), Name: form.Get("name"),
		Method: form.Get("method"), URL: form.Get("url"), Text: form.Get("text")}
	for name, dst := range map[string]**directory.Date{"issued": &to.Issued, "expires": &to.Expires} {
		if v := form.Get(name); v != "" {
			day, err := directory.ParseDate(v)
			if err != nil {
				return nil, directory.Errorf(directory.Invalid, name, "%q is no day: write it as 2027-08-31", v)
			}
			*dst = &day
		}
	}
	if by := form.Get("by"); by != "" {
		to.By = []string{by}
	}
	return to, nil
}

// staffHold answers POST /staff/cases/:id/hold: the case is taken, taken over, given to somebody or given back.
func (s *Server) staffHold(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	id, form, err := caseForm(c)
	if err != nil {
		return err
	}
	switch do := form.Get("do"); do {
	case "take", "take_over":
		_, err = s.cfg.Desk.Take(ctx, id, who.Name, do == "take_over")
	case "assign":
		_, err = s.cfg.Desk.Assign(ctx, id, who.Name, form.Get("to"), form.Get("note"))
	case "release":
		err = s.cfg.Desk.Release(ctx, id, who.Name)
	default:
		err = directory.Errorf(directory.Invalid, "do", "a case is taken, taken over, given to somebody or given back")
	}
	var de *directory.Error
	if errors.As(err, &de) && statuses[de.Kind] < 500 && de.Kind != directory.NotFound {
		c.Status(statuses[de.Kind])
		return s.showCase(c, who, id, casePage{From: form.Get("from"), Wrong: capital(de.Detail) + "."})
	}
	if err != nil {
		return err
	}
	return seeOther(c, caseURL(id, form.Get("from"), done{}))
}

// deskFunctions are what the templates of the desk use beside those of the public pages.
var deskFunctions = template.FuncMap{
	"day": func(i any) string {
		if d, ok := i.(directory.Date); ok {
			return english.date(d)
		}
		return english.date(instant(i).Date())
	},
	"list":      func(all ...string) []string { return all },
	"label":     func(k directory.CaseKind) string { return spaced(string(k)) },
	"iso":       func(d directory.Date) string { return string(d) },
	"needWords": needWords,
	"handing":   handingWords,
	"plain":     plainWords,
	"source":    sourceWords,
	"told":      eventWords,
	"match":     matchWords,
	"spaced":    func(v any) string { return spaced(fmt.Sprint(v)) },
	"query":     func(s string) template.URL { return template.URL(s) }, // of caseQuery, which writes it anew
}

// needWords says what a case still asks for.
func needWords(n directory.Need) string {
	switch {
	case n.Withdrawn:
		return "Withdrawn"
	case n.Approvals == 0:
		return ""
	case n.Approver && len(n.Given) > 0:
		return "An approver, after " + directory.AllOf(n.Given)
	case len(n.Given) > 0:
		return "A second person, after " + directory.AllOf(n.Given)
	case n.Returned != "":
		return "Another look, returned by " + n.Returned
	case n.Approvals > 1:
		return "Two people"
	}
	return "One person"
}

func handingWords(h directory.Handing) string {
	return directory.DeskAct{Do: h.Do, From: h.From, To: h.To, Note: h.Note}.Words()
}

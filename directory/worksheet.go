package directory

import (
	"cmp"
	"slices"
	"strings"
)

// Worksheet is, for one source, what falls due by policy and a person looks up there: in one visit, for many providers.
type Worksheet struct {
	Source       string     `json:"source"`
	Name         string     `json:"name"`
	Jurisdiction State      `json:"jurisdiction,omitempty"`
	Terms        string     `json:"terms"`
	Completeness string     `json:"completeness"`
	URL          string     `json:"url,omitempty"` // where the source is looked up
	Counts       SheetCount `json:"counts"`
	Rows         []SheetRow `json:"rows,omitempty"`   // the first that is due first
	Total        int        `json:"total,omitempty"`  // of the rows that were asked for, also where not all are returned
	States       []State    `json:"states,omitempty"` // of all rows
}

// SheetAsk asks for worksheets.
type SheetAsk struct {
	Until  Instant // when what is asked for is due at the latest
	Source string  // whose rows are asked for; "" is nobody's
	State  State   // of the rows; "" is every state
	Most   int     // rows; 0 is all
}

// SheetCount counts what is due: by now, and within days from now, each of them counting those before it.
type SheetCount struct {
	Overdue int `json:"overdue"`
	In7     int `json:"in_7"`
	In30    int `json:"in_30"`
	In90    int `json:"in_90"`
}

// sheetEnds are the moments up to which a SheetCount counts.
type sheetEnds [4]Instant

func sheetEndsFrom(now Instant) sheetEnds {
	return sheetEnds{now, now.AddDays(7), now.AddDays(30), now.AddDays(90)}
}

// add counts something that is due at a moment. What is due later than in 90 days is counted nowhere.
func (c *SheetCount) add(due Instant, ends *sheetEnds) {
	for i, n := range [...]*int{&c.Overdue, &c.In7, &c.In30, &c.In90} {
		if due <= ends[i] {
			*n++
		}
	}
}

// SheetRow is one look-up: a claim of a provider at a source.
type SheetRow struct {
	Provider     ID        `json:"provider"`
	Name         string    `json:"name"`
	Claim        ID        `json:"claim,omitempty"` // "" of a list that was never searched for them
	Kind         ClaimKind `json:"kind"`
	Title        string    `json:"title,omitempty"`
	Number       string    `json:"number,omitempty"`
	Jurisdiction State     `json:"jurisdiction,omitempty"`
	SearchFor    []string  `json:"search_for"` // every name and identifier that a search must try
	Status       Status    `json:"status,omitempty"`
	Said         Observed  `json:"said,omitempty"` // what the source said last
	Words        string    `json:"words,omitempty"`
	SaidAt       Date      `json:"said_at,omitempty"`
	Due          Instant   `json:"due"`
	Why          LookWhy   `json:"why"`
	Revision     int64     `json:"revision"` // the newest event of the claim: a row whose claim has gone on is stale
	URL          string    `json:"url,omitempty"`
	Case         ID        `json:"case,omitempty"` // that is open about the claim
	Holder       string    `json:"holder,omitempty"`
}

// ProgramReads is a source that the program reads: nobody needs to visit it.
type ProgramReads struct {
	Source  string     `json:"source"`
	Name    string     `json:"name"`
	Why     string     `json:"why"` // loaded, importing, or import: it waits for a release
	Release string     `json:"release,omitempty"`
	AsOf    Date       `json:"as_of,omitempty"`
	Renew   Instant    `json:"renew_at,omitempty"` // when a newer release is wanted
	Counts  SheetCount `json:"counts"`
}

// SheetLeft counts what is due and stands on no worksheet.
type SheetLeft struct {
	Why    string     `json:"why"` // no_number, no_source, desk, actions_only, asked, whole_file
	Kind   ClaimKind  `json:"kind"`
	Counts SheetCount `json:"counts"`
}

// Worksheets is all that falls due until a moment: what a person looks up, what the program reads, and what stands on
// neither, with why. Sources are in order of their ids.
type Worksheets struct {
	At      Instant        `json:"at"`
	Until   Instant        `json:"until"`
	Policy  string         `json:"policy"`
	Sheets  []Worksheet    `json:"sheets"`
	Program []ProgramReads `json:"program"`
	Left    []SheetLeft    `json:"left"`
}

// SourceReads is how a source is read at a moment.
type SourceReads struct {
	Info    SourceInfo
	How     string // loaded, importing; "" is neither
	Release Release
	Titles  []string // of a roster that is loaded: the board's codes of the licence types that the release carries
}

// reads reports that the program can answer about the claim from what is loaded.
func (r SourceReads) reads(c Claim) bool {
	if r.How != "loaded" || r.Info.Kind != "roster" {
		return r.How == "loaded"
	}
	t, ok := Tables().Title(c.Jurisdiction, c.Title)
	if !ok {
		t, ok = Tables().Title(c.Jurisdiction, c.Number.Prefix())
	}
	return !ok || slices.Contains(r.Titles, t.Licence())
}

// SheetMaker gathers worksheets from the files of providers.
type SheetMaker struct {
	out      *Worksheets
	known    Instant
	policies Policies
	policy   Policy
	sources  []SourceReads
	sheets   map[string]*Worksheet
	program  map[[2]string]*ProgramReads
	left     map[[2]string]*SheetLeft
	ends     sheetEnds
}

// NewSheetMaker begins worksheets of what falls due from now until a moment, as known at k. sources says how every
// source is read.
func NewSheetMaker(now, until, k Instant, policies Policies, sources []SourceReads) *SheetMaker {
	p := policies.InForce(now, k)
	return &SheetMaker{out: &Worksheets{At: now, Until: until, Policy: p.Version, Sheets: []Worksheet{}, Program: []ProgramReads{}, Left: []SheetLeft{}}, known: k,
		policies: policies, policy: p, sources: sources, sheets: map[string]*Worksheet{}, program: map[[2]string]*ProgramReads{}, left: map[[2]string]*SheetLeft{}, ends: sheetEndsFrom(now)}
}

// SheetLook is one look that falls due, and where it stands: on a worksheet, with the program, or on neither. What it is
// of lies in the provider's file.
type SheetLook struct {
	on     sheetPlace
	source string // "" on neither
	why    string
	kind   ClaimKind
	state  State
	claim  ID
	due    Instant
}

type sheetPlace byte

const (
	onSheet sheetPlace = iota
	withProgram
	onNeither
)

// Looks returns what falls due of a provider at any time, and until when that is so without a new event; "" is for ever.
func (m *SheetMaker) Looks(f *CredentialFile) (out []SheetLook, until Instant) {
	until = m.each(f, func(x SheetLook, _ ClaimLook, _ SourceReads) { out = append(out, x) })
	return out, until
}

// Rows makes the rows of a provider that are asked for.
func (m *SheetMaker) Rows(f *CredentialFile, ask SheetAsk) {
	var looks []SheetLook
	m.each(f, func(x SheetLook, l ClaimLook, s SourceReads) {
		if looks = append(looks, x); m.asked(looks, len(looks)-1, ask) {
			w := m.sheet(x.source)
			w.Rows = append(w.Rows, m.row(s, f, l))
		}
	})
}

// On returns those looks of a provider that are rows of the worksheet that is asked for, and counts them there, with
// their states.
func (m *SheetMaker) On(looks []SheetLook, ask SheetAsk) (out []SheetLook) {
	for i, x := range looks {
		if !m.asked(looks, i, SheetAsk{Source: ask.Source}) {
			continue
		}
		w := m.sheet(x.source)
		if x.state != "" && !slices.Contains(w.States, x.state) {
			w.States = append(w.States, x.state)
		}
		if m.asked(looks, i, ask) {
			w.Total++
			if x.claim == "" { // what was never searched is due at once, whenever that is
				x.due = m.out.At
			}
			out = append(out, x)
		}
	}
	return out
}

// Before compares by when they are due.
func (x SheetLook) Before(y SheetLook) int { return cmp.Compare(x.due, y.due) }

// asked reports that the i-th look is a row that is asked for.
func (m *SheetMaker) asked(looks []SheetLook, i int, ask SheetAsk) bool {
	x := looks[i]
	return x.on == onSheet && x.source == ask.Source && (ask.State == "" || x.state == ask.State) && m.counts(looks, i)
}

// Count counts what Looks returned of a provider.
func (m *SheetMaker) Count(looks []SheetLook) {
	for i, x := range looks {
		if m.counts(looks, i) {
			m.count(x)
		}
	}
}

// counts reports that the i-th look is due until then. A board action stands on its licence's page: both are one look.
func (m *SheetMaker) counts(looks []SheetLook, i int) bool {
	x := looks[i]
	return x.due <= m.out.Until && !(x.on == onSheet && slices.ContainsFunc(looks[:i], func(y SheetLook) bool {
		return y.on == onSheet && y.source == x.source && y.claim == x.claim && y.kind == x.kind && y.due <= m.out.Until
	}))
}

// each calls do for every look of a provider, with the source of one that stands on a worksheet.
func (m *SheetMaker) each(f *CredentialFile, do func(SheetLook, ClaimLook, SourceReads)) (until Instant) {
	looks, until := f.looksUntil(m.out.At, m.known, m.policies)
	for _, l := range looks {
		c := l.History.Claim
		returned := l.By == ByPerson && l.Why == WhyReturned && slices.Contains(m.policy.LookedUp, c.Kind)
		var s SourceReads
		on, why := onNeither, "asked"
		switch {
		case returned, l.By == ByProgram:
			on, s, why, l = m.place(f, l, returned)
		case l.Why == WhyNoNumber:
			why = "no_number"
		case l.Why == WhyReview, l.Why == WhyReturned, l.Why == WhyDispute, l.Why == WhyConflict:
			why = "desk"
		case l.Why == WhyFile:
			why = "whole_file"
		}
		c = l.History.Claim
		do(SheetLook{on, s.Info.ID, why, c.Kind, c.Jurisdiction, c.ID, l.At}, l, s)
	}
	return until
}

// place puts a look on the worksheet of a source, unless the program reads it or nobody can. The look it returns is of the
// licence where that is the page to look at.
func (m *SheetMaker) place(f *CredentialFile, l ClaimLook, returned bool) (on sheetPlace, s SourceReads, why string, _ ClaimLook) {
	c := l.History.Claim
	var approved []SourceReads
	for _, a := range m.policy.Approved {
		i := slices.IndexFunc(m.sources, func(s SourceReads) bool { return s.Info.ID == a.Source })
		if i < 0 || !m.policy.Approves(a.Source, c.Kind, c.Jurisdiction) || c.Kind == ExclusionScreen && c.Issuer != a.Source ||
			slices.ContainsFunc(approved, func(s SourceReads) bool { return s.Info.ID == a.Source }) {
			continue
		}
		approved = append(approved, m.sources[i])
	}
	if len(approved) == 0 {
		return onNeither, s, "no_source", l
	}
	for _, s := range approved {
		if s.reads(c) && !returned {
			return withProgram, s, "loaded", l
		}
	}
	for _, s := range approved {
		switch {
		case s.How == "importing" && !returned:
			return withProgram, s, "importing", l
		case s.Info.Terms == "allowed_automated" && !returned:
			continue
		}
		if c.Kind == DisciplineScreen { // stands on the page of its licence
			i := slices.IndexFunc(f.Claims, func(h History) bool {
				x := h.Claim
				return x.Kind == License && x.Jurisdiction == c.Jurisdiction && x.Title == c.Title && x.Number.Digits() == c.Number.Digits()
			})
			if i < 0 || !m.policy.Approves(s.Info.ID, License, c.Jurisdiction) {
				return onNeither, SourceReads{}, "actions_only", l
			}
			l.History, l.Standing = f.Claims[i], Derive(f.Claims[i], m.out.At, m.known, m.policies)
		}
		return onSheet, s, "", l
	}
	s = approved[0]
	for _, x := range approved {
		if x.How == "" { // one that was never loaded before one whose release does not carry the type
			s = x
			break
		}
	}
	return withProgram, s, "import", l
}

// count adds a look to the counts of where it stands.
func (m *SheetMaker) count(x SheetLook) {
	switch x.on {
	case onSheet:
		m.sheet(x.source).Counts.add(x.due, &m.ends)
	case withProgram:
		key := [2]string{x.source, x.why}
		if m.program[key] == nil {
			s := m.info(x.source)
			p := &ProgramReads{Source: s.Info.ID, Name: s.Info.Name, Why: x.why}
			if s.How == "loaded" {
				p.Release, p.AsOf = s.Release.Name, s.Release.AsOf
				p.Renew, _ = m.policy.ReleaseDue(s.Info.ID, s.Release.AsOf)
			}
			m.program[key] = p
		}
		m.program[key].Counts.add(x.due, &m.ends)
	default:
		key := [2]string{x.why, string(x.kind)}
		if m.left[key] == nil {
			m.left[key] = &SheetLeft{Why: x.why, Kind: x.kind}
		}
		m.left[key].Counts.add(x.due, &m.ends)
	}
}

func (m *SheetMaker) sheet(source string) *Worksheet {
	w := m.sheets[source]
	if w == nil {
		i := m.info(source).Info
		w = &Worksheet{Source: i.ID, Name: i.Name, Jurisdiction: i.Jurisdiction, Terms: i.Terms, Completeness: i.Completeness, URL: i.LookupURL}
		m.sheets[source] = w
	}
	return w
}

func (m *SheetMaker) info(source string) SourceReads {
	return m.sources[slices.IndexFunc(m.sources, func(s SourceReads) bool { return s.Info.ID == source })]
}

// row makes the row of a look at a source.
func (m *SheetMaker) row(s SourceReads, f *CredentialFile, l ClaimLook) SheetRow {
	h, c := l.History, l.History.Claim
	r := SheetRow{Provider: f.Provider.ID, Name: f.Provider.DisplayName(), Claim: c.ID, Kind: c.Kind, Title: c.Title, Number: c.Number.Shown, Jurisdiction: c.Jurisdiction,
		SearchFor: SearchFor(f, c), Status: l.Standing.Status, Due: l.At, Why: l.Why, Revision: h.Newest(), URL: LookUpPage(s.Info, c, f.Provider.NPI)}
	for _, e := range slices.Backward(h.InEffect(m.out.At, m.known)) {
		if e.Type == Observe && e.Body.Source == s.Info.ID {
			r.Said, r.Words, r.SaidAt = e.Body.State, e.Body.SourceWords, e.PerformedAt.Date()
			break
		}
	}
	return r
}

// Done returns the worksheets of all that was added.
func (m *SheetMaker) Done() Worksheets {
	for _, w := range m.sheets {
		slices.SortFunc(w.Rows, func(a, b SheetRow) int {
			return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Claim, b.Claim))
		})
		slices.Sort(w.States)
		m.out.Sheets = append(m.out.Sheets, *w)
	}
	for _, p := range m.program {
		m.out.Program = append(m.out.Program, *p)
	}
	for _, l := range m.left {
		m.out.Left = append(m.out.Left, *l)
	}
	slices.SortFunc(m.out.Sheets, func(a, b Worksheet) int { return cmp.Compare(a.Source, b.Source) })
	slices.SortFunc(m.out.Program, func(a, b ProgramReads) int { return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Why, b.Why)) })
	slices.SortFunc(m.out.Left, func(a, b SheetLeft) int {
		return cmp.Or(cmp.Compare(a.Why, b.Why), cmp.Compare(slices.Index(ClaimKinds, a.Kind), slices.Index(ClaimKinds, b.Kind)))
	})
	return *m.out
}

// SearchFor lists all that a search for the claim must try: the number that it is known by, then every name of the
// provider (domain.md §5.2, contracts.md §4).
func SearchFor(f *CredentialFile, c Claim) []string {
	var out []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	add(c.Number.Shown)
	s := f.Subject()
	if c.Kind == ExclusionScreen {
		add(string(s.NPI))
	}
	for _, n := range s.Names {
		add(n.String())
	}
	for _, o := range s.Organisations {
		add(o)
	}
	return out
}

// LookUpPage is where a source is asked about the claim, with the number in the address where the source takes one;
// "" if it has no such page.
func LookUpPage(info SourceInfo, c Claim, npi NPI) string {
	if info.ID == "nppes" || info.ID == "npi-api" {
		if c.Kind == IdentityNPI {
			npi = NPI(c.Number.Shown)
		}
		if _, err := ParseNPI(string(npi)); err == nil {
			return "https://npiregistry.cms.hhs.gov/provider-view/" + string(npi)
		}
	}
	return info.LookupURL
}

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
	Rows         []SheetRow `json:"rows,omitempty"` // the first that is due first
}

// SheetCount counts what is due: by now, and within days from now, each of them counting those before it.
type SheetCount struct {
	Overdue int `json:"overdue"`
	In7     int `json:"in_7"`
	In30    int `json:"in_30"`
	In90    int `json:"in_90"`
}

// Add counts something that is due at a moment, as of now. What is due later than in 90 days is counted nowhere.
func (c *SheetCount) Add(due, now Instant) {
	for _, x := range []struct {
		n    *int
		days int
	}{{&c.Overdue, 0}, {&c.In7, 7}, {&c.In30, 30}, {&c.In90, 90}} {
		if due <= now.AddDays(x.days) {
			*x.n++
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
	only     string
	sheets   map[string]*Worksheet
	program  map[string]*ProgramReads
	left     map[[2]string]*SheetLeft
}

// NewSheetMaker begins worksheets of what falls due from now until a moment, as known at k. sources says how every
// source is read. Rows are made for the source only, with "*" for every source, with "" for none.
func NewSheetMaker(now, until, k Instant, policies Policies, sources []SourceReads, only string) *SheetMaker {
	p := policies.InForce(now, k)
	return &SheetMaker{out: &Worksheets{At: now, Until: until, Policy: p.Version, Sheets: []Worksheet{}, Program: []ProgramReads{}, Left: []SheetLeft{}}, known: k,
		policies: policies, policy: p, sources: sources, only: only, sheets: map[string]*Worksheet{}, program: map[string]*ProgramReads{}, left: map[[2]string]*SheetLeft{}}
}

// Add adds what falls due of a provider.
func (m *SheetMaker) Add(f *CredentialFile) {
	looks := f.Looks(m.out.At, m.known, m.policies)
	done := map[string]bool{} // a board action stands on its licence's page: both are one look
	for _, l := range looks {
		if l.At > m.out.Until {
			continue
		}
		c := l.History.Claim
		returned := l.By == ByPerson && l.Why == WhyReturned && slices.Contains(m.policy.LookedUp, c.Kind)
		switch {
		case returned, l.By == ByProgram:
			m.place(f, l, returned, done)
		case l.Why == WhyNoNumber:
			m.leave("no_number", l)
		case l.Why == WhyReview, l.Why == WhyReturned, l.Why == WhyDispute, l.Why == WhyConflict:
			m.leave("desk", l)
		case l.Why == WhyFile:
			m.leave("whole_file", l)
		default:
			m.leave("asked", l)
		}
	}
}

// place puts a look on the worksheet of a source, unless the program reads it or nobody can.
func (m *SheetMaker) place(f *CredentialFile, l ClaimLook, returned bool, done map[string]bool) {
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
		m.leave("no_source", l)
		return
	}
	for _, s := range approved {
		if s.reads(c) && !returned {
			m.read(s, "loaded", l)
			return
		}
	}
	for _, s := range approved {
		switch {
		case s.How == "importing" && !returned:
			m.read(s, "importing", l)
			return
		case s.Info.Terms == "allowed_automated" && !returned:
			continue
		}
		if c.Kind == DisciplineScreen { // stands on the page of its licence
			i := slices.IndexFunc(f.Claims, func(h History) bool {
				x := h.Claim
				return x.Kind == License && x.Jurisdiction == c.Jurisdiction && x.Title == c.Title && x.Number.Digits() == c.Number.Digits()
			})
			if i < 0 || !m.policy.Approves(s.Info.ID, License, c.Jurisdiction) {
				m.leave("actions_only", l)
				return
			}
			l.History, l.Standing = f.Claims[i], Derive(f.Claims[i], m.out.At, m.known, m.policies)
		}
		key := s.Info.ID + " " + string(l.History.Claim.ID) + " " + string(l.History.Claim.Kind)
		if !done[key] {
			done[key] = true
			m.row(s, f, l)
		}
		return
	}
	s := approved[0]
	for _, x := range approved {
		if x.How == "" { // one that was never loaded before one whose release does not carry the type
			s = x
			break
		}
	}
	m.read(s, "import", l)
}

func (m *SheetMaker) leave(why string, l ClaimLook) {
	key := [2]string{why, string(l.History.Claim.Kind)}
	if m.left[key] == nil {
		m.left[key] = &SheetLeft{Why: why, Kind: l.History.Claim.Kind}
	}
	m.left[key].Counts.Add(l.At, m.out.At)
}

func (m *SheetMaker) read(s SourceReads, why string, l ClaimLook) {
	key := s.Info.ID + " " + why
	if m.program[key] == nil {
		p := &ProgramReads{Source: s.Info.ID, Name: s.Info.Name, Why: why}
		if s.How == "loaded" {
			p.Release, p.AsOf = s.Release.Name, s.Release.AsOf
			p.Renew, _ = m.policy.ReleaseDue(s.Info.ID, s.Release.AsOf)
		}
		m.program[key] = p
	}
	m.program[key].Counts.Add(l.At, m.out.At)
}

func (m *SheetMaker) row(s SourceReads, f *CredentialFile, l ClaimLook) {
	w := m.sheets[s.Info.ID]
	if w == nil {
		i := s.Info
		w = &Worksheet{Source: i.ID, Name: i.Name, Jurisdiction: i.Jurisdiction, Terms: i.Terms, Completeness: i.Completeness, URL: i.LookupURL}
		m.sheets[i.ID] = w
	}
	w.Counts.Add(l.At, m.out.At)
	if m.only != "*" && m.only != s.Info.ID {
		return
	}
	h, c := l.History, l.History.Claim
	r := SheetRow{Provider: f.Provider.ID, Name: f.Provider.DisplayName(), Claim: c.ID, Kind: c.Kind, Title: c.Title, Number: c.Number.Shown, Jurisdiction: c.Jurisdiction,
		SearchFor: SearchFor(f, c), Status: l.Standing.Status, Due: l.At, Why: l.Why, Revision: h.Newest(), URL: LookUpPage(s.Info, c, f.Provider.NPI)}
	for _, e := range slices.Backward(h.InEffect(m.out.At, m.known)) {
		if e.Type == Observe && e.Body.Source == s.Info.ID {
			r.Said, r.Words, r.SaidAt = e.Body.State, e.Body.SourceWords, e.PerformedAt.Date()
			break
		}
	}
	w.Rows = append(w.Rows, r)
}

// Done returns the worksheets of all that was added.
func (m *SheetMaker) Done() Worksheets {
	for _, w := range m.sheets {
		slices.SortFunc(w.Rows, func(a, b SheetRow) int {
			return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Claim, b.Claim))
		})
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

package directory

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Export is an audit export that was read.
type Export struct {
	Header   ExportHeader
	Policies Policies          // of every release of the rules in it; the standard ones if it has none
	Files    []*CredentialFile // by id, with their linked prescribers; a claim whose provider has no line makes a bare one
	Runs     []Run
	Rules    []ExportRules // without their text
	Changes  []Event       // of the rules: those that speak of no claim
	newest   Instant       // of what was recorded
	public   map[ID]bool
	linked   map[ID]bool
	stated   bool // the export has provider lines
}

// Public reports whether the provider has a public page. Who has no line in an export without any has one.
func (x *Export) Public(id ID) bool { return !x.stated || x.public[id] }

// Linked reports that the export holds the provider only because others' claims name them.
func (x *Export) Linked(id ID) bool { return x.linked[id] }

// File returns the file of the provider, nil if there is none.
func (x *Export) File(id ID) *CredentialFile {
	i, ok := slices.BinarySearchFunc(x.Files, id, func(f *CredentialFile, id ID) int { return strings.Compare(string(f.Provider.ID), string(id)) })
	if !ok {
		return nil
	}
	return x.Files[i]
}

// Moment is when the export was made, and what was known then: the moment that answers are for unless
// another is asked for. Of an export that does not say, it is when its newest event was recorded.
func (x *Export) Moment() (at, known Instant) {
	at = x.Header.ExportedAt
	if at == "" {
		at = x.newest
	}
	return at, max(at, x.Header.Head.RecordedAt)
}

// mostExportLine bounds a line: the largest are tables of the rules.
const mostExportLine = 16 << 20

// ReadExport reads an audit export. An error names the line, and the field where it is one: nothing is
// guessed and nothing is skipped. Evidence is compared with its hash and handed to evidence, which may be
// nil; all else is held in memory.
func ReadExport(r io.Reader, evidence func(ExportEvidence) error) (*Export, error) {
	x := &exportReader{claims: map[ID]*History{}, files: map[ID]*CredentialFile{}, rules: map[Instant]RuleFiles{}, seen: map[int64]bool{},
		evidence: map[string]bool{}, take: evidence, out: &Export{public: map[ID]bool{}, linked: map[ID]bool{}}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), mostExportLine)
	for lines.Scan() {
		x.n++
		raw := lines.Bytes()
		if x.n == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
		}
		if raw = bytes.TrimSpace(raw); len(raw) > 0 {
			if err := x.line(raw); err != nil {
				return nil, x.at(err)
			}
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, Errorf(Invalid, "", "line %d is longer than %d MB", x.n+1, mostExportLine>>20)
	} else if err != nil {
		return nil, Errorf(Unavailable, "", "after line %d: %w", x.n, err)
	}
	return x.finish()
}

// at says in which line an error lies. Whatever it is, the export is at fault.
func (x *exportReader) at(err error) error {
	out := Error{Kind: Invalid, Op: "export, line " + strconv.Itoa(x.n), Detail: err.Error()}
	var e *Error
	if errors.As(err, &e) {
		out.Field, out.Detail = e.Field, e.Detail
		if e.Kind == Unavailable || e.Kind == Internal { // of whoever takes the evidence
			out.Kind = e.Kind
		}
	}
	return &out
}

type exportReader struct {
	n        int // of the line
	out      *Export
	claims   map[ID]*History
	files    map[ID]*CredentialFile
	order    []*History
	events   []numberedEvent
	rules    map[Instant]RuleFiles
	seen     map[int64]bool
	evidence map[string]bool
	take     func(ExportEvidence) error
	headed   bool
}

// numberedEvent remembers in which line an event stood.
type numberedEvent struct {
	Event
	line int
}

// The lines as they are read: a few fields may be written more plainly than an export writes them.
type (
	readLine struct {
		Record   string          `json:"record"`
		Export   *ExportHeader   `json:"export"`
		Rules    *ExportRules    `json:"rules"`
		Provider *readProvider   `json:"provider"`
		Claim    *readClaim      `json:"claim"`
		Evidence *ExportEvidence `json:"evidence"`
		Run      *Run            `json:"run"`
	}
	readProvider struct {
		Provider
		Name   readName `json:"name"`
		Public *bool    `json:"public"` // yes unless it says no
		Linked bool     `json:"linked"`
	}
	readClaim struct {
		Claim
		Number readNumber `json:"number"`
	}
	readNumber struct{ LicenceNumber } // text, or the three forms of it
	readName   struct{ Name }          // text, or its parts
)

func (n *readNumber) UnmarshalJSON(raw []byte) error {
	var text string
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		n.LicenceNumber = ParseLicenceNumber(text)
		return nil
	}
	if err := strictly(raw, &n.LicenceNumber); err != nil {
		return err
	}
	if n.Raw == "" {
		n.Raw = n.Shown
	}
	if n.Raw != "" && (n.Shown == "" || n.Key == "") {
		n.LicenceNumber = ParseLicenceNumber(n.Raw)
	}
	return nil
}

func (n *readName) UnmarshalJSON(raw []byte) error {
	var text string
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		n.Name = ParseName(text)
		return nil
	}
	return strictly(raw, &n.Name)
}

// strictly reads one JSON value whose every field is known.
func strictly(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		return nil
	}
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return Errorf(Invalid, wrong.Field, "a %s cannot stand here", wrong.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return Errorf(Invalid, strings.Trim(name, `"`), "there is no field of this name here")
	}
	return Errorf(Invalid, "", "%w", err)
}

// oddKey returns a key that stands twice in one object, or that is not written in small letters: a JSON
// reader would take the last of two, and SEQ for seq. raw is valid JSON.
func oddKey(raw []byte) (key, why string) {
	type object struct {
		keys []string
		list bool
	}
	var open []object
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '{', '[':
			open = append(open, object{list: raw[i] == '['})
		case '}', ']':
			open = open[:len(open)-1]
		case '"':
			end := i + 1
			for raw[end] != '"' {
				if raw[end] == '\\' {
					end++
				}
				end++
			}
			text := raw[i+1 : end]
			i = end
			next := end + 1
			for next < len(raw) && (raw[next] == ' ' || raw[next] == '\t') {
				next++
			}
			if next >= len(raw) || raw[next] != ':' || len(open) == 0 || open[len(open)-1].list {
				continue
			}
			top := &open[len(open)-1]
			k := string(text)
			switch {
			case slices.Contains(top.keys, k):
				return k, "it stands twice in one object"
			case strings.ToLower(k) != k, strings.Contains(k, `\`):
				return k, "there is no field of this name here"
			case len(top.keys) > 200:
				return k, "the object has too many fields"
			}
			top.keys = append(top.keys, k)
		}
	}
	return "", ""
}

func (x *exportReader) line(raw []byte) error {
	var kind struct {
		Record *string `json:"record"`
	}
	if !utf8.Valid(raw) {
		return Errorf(Invalid, "", "it is not UTF-8")
	}
	if err := json.Unmarshal(raw, &kind); err != nil || raw[0] != '{' {
		return Errorf(Invalid, "", "it is not a JSON object")
	}
	if key, why := oddKey(raw); why != "" {
		return Errorf(Invalid, key, "%s", why)
	}
	if kind.Record == nil {
		return x.event(raw)
	}
	var l readLine
	if err := strictly(raw, &l); err != nil {
		return err
	}
	for _, part := range []struct {
		name  string
		there bool
	}{{"export", l.Export != nil}, {"rules", l.Rules != nil}, {"provider", l.Provider != nil}, {"claim", l.Claim != nil}, {"evidence", l.Evidence != nil}, {"run", l.Run != nil}} {
		if part.there && part.name != l.Record {
			return Errorf(Invalid, part.name, "a line of the record %q holds only that", l.Record)
		}
	}
	switch {
	case l.Record == "export" && l.Export != nil:
		return x.header(*l.Export)
	case l.Record == "rules" && l.Rules != nil:
		return x.ruleFile(*l.Rules)
	case l.Record == "provider" && l.Provider != nil:
		return x.provider(*l.Provider)
	case l.Record == "claim" && l.Claim != nil:
		return x.claim(*l.Claim)
	case l.Record == "evidence" && l.Evidence != nil:
		return x.piece(*l.Evidence)
	case l.Record == "run" && l.Run != nil:
		x.out.Runs = append(x.out.Runs, *l.Run)
		return nil
	}
	return Errorf(Invalid, "record", "%q is no kind of line, or the line does not hold it under that name", l.Record)
}

func (x *exportReader) header(h ExportHeader) error {
	switch {
	case x.headed:
		return Errorf(Invalid, "export", "the header stands here twice")
	case h.Schema != ExportSchema:
		return Errorf(Invalid, "export.schema", "the export has the schema %q; this program reads %q", h.Schema, ExportSchema)
	}
	x.headed, x.out.Header = true, h
	if err := validInstant("export.exported_at", h.ExportedAt, true); err != nil {
		return err
	}
	return validInstant("export.head.recorded_at", h.Head.RecordedAt, true)
}

func (x *exportReader) ruleFile(r ExportRules) error {
	if err := validInstant("rules.recorded_at", r.RecordedAt, true); err != nil {
		return err
	}
	switch {
	case r.File == "":
		return Errorf(Invalid, "rules.file", "a file of the rules has a name")
	case r.SHA256 != "" && r.SHA256 != hexSum(r.Text):
		return Errorf(Invalid, "rules.sha256", "%s has another hash", r.File)
	case x.rules[r.RecordedAt] == nil:
		x.rules[r.RecordedAt] = RuleFiles{}
	case x.rules[r.RecordedAt][r.File] != nil:
		return Errorf(Invalid, "rules.file", "%s stands twice in one release", r.File)
	}
	x.rules[r.RecordedAt][r.File] = []byte(r.Text)
	r.Text = ""
	x.out.Rules = append(x.out.Rules, r)
	return nil
}

func (x *exportReader) provider(p readProvider) error {
	if err := validID("provider.id", p.ID); err != nil {
		return err
	}
	p.Provider.Name = p.Name.Name
	if p.Kind == "" {
		p.Kind = Person
	}
	switch {
	case p.Kind != Person && p.Kind != Organisation:
		return Errorf(Invalid, "provider.kind", "%q is neither person nor organisation", p.Kind)
	case x.files[p.ID] != nil && x.files[p.ID].Provider.Kind != "":
		return Errorf(Invalid, "provider.id", "%s stands here twice", p.ID)
	}
	x.file(p.ID).Provider = p.Provider
	x.out.stated = true
	x.out.public[p.ID] = (p.Public == nil || *p.Public) && !p.Withdrawn && p.MergedInto == ""
	if p.Linked {
		x.out.linked[p.ID] = true
	}
	return nil
}

func (x *exportReader) file(id ID) *CredentialFile {
	if x.files[id] == nil {
		x.files[id] = &CredentialFile{Provider: Provider{ID: id}}
	}
	return x.files[id]
}

func (x *exportReader) claim(r readClaim) error {
	c := r.Claim
	c.Number = r.Number.LicenceNumber
	if err := validID("claim.id", c.ID); err != nil {
		return err
	}
	if err := validID("claim.provider", c.Provider); err != nil {
		return err
	}
	switch {
	case x.claims[c.ID] != nil:
		return Errorf(Invalid, "claim.id", "%s stands here twice", c.ID)
	case !slices.Contains(ClaimKinds, c.Kind):
		return Errorf(Invalid, "claim.kind", "%q is not a kind of claim", c.Kind)
	case !stateShaped.MatchString(string(c.Jurisdiction)):
		return Errorf(Invalid, "claim.jurisdiction", "%q is not the code of a state", c.Jurisdiction)
	}
	if c.Other != "" {
		if err := validID("claim.other", c.Other); err != nil {
			return err
		}
	}
	if err := validInstant("claim.created", c.Created, true); err != nil {
		return err
	}
	x.claims[c.ID] = &History{Claim: c}
	x.order = append(x.order, x.claims[c.ID])
	return nil
}

func (x *exportReader) piece(e ExportEvidence) error {
	switch {
	case e.SHA256 == "":
		return Errorf(Invalid, "evidence.sha256", "a piece of evidence is named by its hash")
	case e.Body != nil:
		return Errorf(Invalid, "evidence.body", "the text of evidence stands in text")
	case x.evidence[e.SHA256]:
		return Errorf(Invalid, "evidence.sha256", "%s stands here twice", e.SHA256)
	case e.Text != "" && len(e.Withheld) == 0 && e.SHA256 != hexSum(e.Text):
		return Errorf(Invalid, "evidence.sha256", "the text has another hash than %s: it is not the evidence of that name", e.SHA256)
	}
	x.evidence[e.SHA256] = true
	if x.take != nil {
		return x.take(e)
	}
	return nil
}

func (x *exportReader) event(raw []byte) error {
	var e Event
	if err := strictly(raw, &e); err != nil {
		return err
	}
	if err := e.Validate(); err != nil {
		return err
	}
	if err := validInstant("recorded_at", e.RecordedAt, false); err != nil {
		return err
	}
	if err := validInstant("performed_at", e.PerformedAt, false); err != nil {
		return err
	}
	if err := e.Body.validWords(); err != nil {
		return err
	}
	switch {
	case e.Seq < 1 || x.seen[e.Seq]:
		return Errorf(Invalid, "seq", "the number %d is none, or stands here twice", e.Seq)
	case !slices.Contains([]ActorKind{Tool, Staff, ByProvider, ByIssuer}, e.Actor.Kind):
		return Errorf(Invalid, "actor.kind", "%q is no kind of actor", e.Actor.Kind)
	case e.Supersedes < 0:
		return Errorf(Invalid, "supersedes", "%d is no number of an event", e.Supersedes)
	}
	for _, r := range e.Reason {
		if !reasonShaped.MatchString(r) {
			return Errorf(Invalid, "reason", "%q is not a reason code", r)
		}
	}
	x.seen[e.Seq] = true
	x.events = append(x.events, numberedEvent{e, x.n})
	x.out.newest = max(x.out.newest, e.RecordedAt)
	return nil
}

var (
	stateShaped  = regexp.MustCompile(`^([A-Z]{2})?$`)
	reasonShaped = regexp.MustCompile(`^[A-Z][A-Z0-9_]*(\([a-z_]+\))?$`)
	idShaped     = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)
)

// validID takes any plain word: who writes a history by hand has no identifiers of ours.
func validID(field string, id ID) error {
	if !idShaped.MatchString(string(id)) {
		return Errorf(Invalid, field, "%q is not an identifier: letters, digits and _ . : - are", id)
	}
	return nil
}

func validInstant(field string, i Instant, optional bool) error {
	if i == "" && optional {
		return nil
	}
	if p, err := ParseInstant(string(i)); err != nil || p != i {
		return Errorf(Invalid, field, "%q is not a moment as the ledger writes it, such as 2026-11-23T09:00:00.000Z", i)
	}
	return nil
}

// validWords checks the words and dates of a body, of which a misspelt one would be taken for another.
func (b Body) validWords() error {
	oneOf := func(field, value string, words ...string) error {
		if value != "" && !slices.Contains(words, value) {
			return Errorf(Invalid, "body."+field, "%q is none of %s", value, strings.Join(words, ", "))
		}
		return nil
	}
	for _, err := range []error{
		oneOf("match", string(b.Match), "M0", "M1", "M2", "M3", "M4", "M5"),
		oneOf("state", string(b.State), observedWords...),
		oneOf("class", string(b.Class), string(ClassSelf), string(ClassListing), string(ClassDocument), string(ClassSource)),
		oneOf("level", b.Level, "attended", "modules_complete", "certificate", "in_programme_register"),
		oneOf("side", b.Side, "provider", "prescriber"),
		oneOf("decision", b.Decision, "confirm", "clear", "return", "accept", "decline", "identity", string(Distinct), string(Same), string(Keep), string(Take)),
	} {
		if err != nil {
			return err
		}
	}
	for _, a := range []struct {
		field  string
		answer Answer
	}{{"preparation", b.Preparation}, {"presence", b.Presence}, {"monitoring", b.Monitoring}, {"emergency", b.Emergency}, {"integration", b.Integration}} {
		if err := oneOf(a.field, string(a.answer), string(Yes), string(No)); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		field string
		date  Date
	}{{"source_as_of", b.SourceAsOf}, {"issued", b.Issued}, {"expires", b.Expires}, {"action_date", b.ActionDate}, {"completed", b.Completed}, {"from", b.From}, {"to", b.To}} {
		if _, err := ParseDate(string(d.date)); d.date != "" && err != nil {
			return Errorf(Invalid, "body."+d.field, "%q is not a date such as 2026-11-23", d.date)
		}
	}
	if b.Of < 0 {
		return Errorf(Invalid, "body.of", "%d is no number of an event", b.Of)
	}
	return nil
}

var observedWords = []string{string(SeenActive), string(SeenRestricted), string(SeenProbation), string(SeenSuspended), string(SeenRevoked), string(SeenSurrendered),
	string(SeenInactive), string(SeenRetired), string(SeenExpired), string(SeenPending), string(SeenNotFound), string(SeenUnavailable), string(SeenClear),
	string(SeenPossible), string(SeenExcluded), string(SeenReinstated), string(SeenIndeterminate)}

func hexSum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

// finish puts events to claims, claims to providers, and links prescribers.
func (x *exportReader) finish() (*Export, error) {
	sort.Slice(x.events, func(i, j int) bool { return x.events[i].Seq < x.events[j].Seq })
	for _, e := range x.events {
		if e.Claim == "" {
			x.out.Changes = append(x.out.Changes, e.Event)
			continue
		}
		h := x.claims[e.Claim]
		if h == nil {
			x.n = e.line
			return nil, x.at(Errorf(Invalid, "claim", "event %d speaks of the claim %q, which has no line", e.Seq, e.Claim))
		}
		h.Events = append(h.Events, e.Event)
	}
	for _, h := range x.order {
		f := x.file(h.Claim.Provider)
		f.Claims = append(f.Claims, *h)
	}
	for _, f := range x.files {
		if f.Provider.Kind == "" {
			f.Provider.Kind = Person
		}
		f.Claims = Unify(f.Claims)
		x.out.Files = append(x.out.Files, f)
	}
	slices.SortFunc(x.out.Files, func(a, b *CredentialFile) int { return strings.Compare(string(a.Provider.ID), string(b.Provider.ID)) })
	for _, f := range x.out.Files {
		f.Link(func(id ID) *CredentialFile {
			for range len(x.files) { // to the survivor of whoever was merged
				if f := x.files[id]; f == nil || f.Provider.MergedInto == "" {
					break
				}
				id = x.files[id].Provider.MergedInto
			}
			if !x.out.Public(id) {
				return nil
			}
			return x.files[id]
		})
	}
	recorded := make([]Instant, 0, len(x.rules))
	for at := range x.rules {
		recorded = append(recorded, at)
	}
	slices.Sort(recorded)
	for _, at := range recorded {
		ps, err := ParseRules(x.rules[at], at)
		if err != nil {
			return nil, Errorf(Invalid, "rules", "the release recorded at %q: %w", at, err)
		}
		x.out.Policies = append(x.out.Policies, ps...)
	}
	if len(x.out.Policies) == 0 {
		x.out.Policies = StandardPolicies()
	}
	return x.out, nil
}

package directory

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"sort"
	"strings"
)

// ExportSchema names the form of an audit export. A change that an older reader would misread takes
// another number.
const ExportSchema = "kapdir.export/1"

// An audit export is JSON lines: everything from which what was shown on any day can be computed again.
// testdata/export.schema.json describes each line. A line without "record" is an event, in the exact form
// of event.schema.json; every other line says in "record" what it holds, under a key of that name. Only
// claims and events are needed: who writes a history by hand may leave all else out, and then the rules
// that ship with the program hold since ever.

// ExportHeader is the first line of an export.
type ExportHeader struct {
	Schema     string  `json:"schema"`
	ExportedAt Instant `json:"exported_at,omitempty"`
	Head       Head    `json:"head,omitzero"`
	Program    string  `json:"program,omitempty"`
}

// ExportRules is one file of a release of the rules; the files of a release have one RecordedAt.
type ExportRules struct {
	RecordedAt Instant `json:"recorded_at"`
	File       string  `json:"file"`
	SHA256     string  `json:"sha256,omitempty"`
	Text       string  `json:"text"`
}

// ExportProvider is a provider's facts as they are now: they are not kept by date.
type ExportProvider struct {
	Provider
	Public bool `json:"public"` // has a public page
}

// ExportEvidence is a piece of evidence with its text, whose SHA-256 is its name.
type ExportEvidence struct {
	Evidence
	Text string `json:"text,omitempty"`
}

// exportLine is any line but an event.
type exportLine struct {
	Record   string          `json:"record"`
	Export   *ExportHeader   `json:"export,omitempty"`
	Rules    *ExportRules    `json:"rules,omitempty"`
	Provider *ExportProvider `json:"provider,omitempty"`
	Claim    *Claim          `json:"claim,omitempty"`
	Evidence *ExportEvidence `json:"evidence,omitempty"`
}

// ExportWriter writes an audit export. Its methods may be called in any order, the header first; Flush ends
// it. The first error stays.
type ExportWriter struct {
	w   *bufio.Writer
	err error
}

// NewExportWriter writes to w.
func NewExportWriter(w io.Writer) *ExportWriter {
	return &ExportWriter{w: bufio.NewWriterSize(w, 1<<16)}
}

func (x *ExportWriter) line(v any) {
	if x.err != nil {
		return
	}
	raw, err := json.Marshal(v)
	if err != nil {
		x.err = err
		return
	}
	_, x.err = x.w.Write(append(raw, '\n'))
}

// Header writes the first line.
func (x *ExportWriter) Header(h ExportHeader) {
	h.Schema = ExportSchema
	x.line(exportLine{Record: "export", Export: &h})
}

// Rules writes the files of one release of the rules, by name.
func (x *ExportWriter) Rules(recordedAt Instant, files RuleFiles, sums map[string]string) {
	for _, name := range files.Names() {
		x.line(exportLine{Record: "rules", Rules: &ExportRules{RecordedAt: recordedAt, File: name, SHA256: sums[name], Text: string(files[name])}})
	}
}

// Provider writes a provider's facts.
func (x *ExportWriter) Provider(p Provider, public bool) {
	x.line(exportLine{Record: "provider", Provider: &ExportProvider{Provider: p, Public: public}})
}

// Claim writes a claim.
func (x *ExportWriter) Claim(c Claim) { x.line(exportLine{Record: "claim", Claim: &c}) }

// Evidence writes a piece of evidence with its text.
func (x *ExportWriter) Evidence(e Evidence) {
	text := string(e.Body)
	e.Body = nil
	x.line(exportLine{Record: "evidence", Evidence: &ExportEvidence{Evidence: e, Text: text}})
}

// Event writes an event as the ledger holds it.
func (x *ExportWriter) Event(e Event) { x.line(e) }

// Flush writes what is buffered and returns the first error.
func (x *ExportWriter) Flush() error {
	if x.err != nil {
		return x.err
	}
	return x.w.Flush()
}

// Export is an audit export that was read.
type Export struct {
	Header   ExportHeader
	Policies Policies          // of every release of the rules in it; the standard ones if it has none
	Files    []*CredentialFile // by id, with their linked prescribers; a claim whose provider has no line makes a bare one
	Evidence map[string]Evidence
	public   map[ID]bool
	stated   bool // the export has provider lines
}

// Public reports whether the provider has a public page. Who has no line in an export without any has one.
func (x *Export) Public(id ID) bool { return !x.stated || x.public[id] }

// mostExportLine bounds a line: the largest are tables of the rules.
const mostExportLine = 64 << 20

// ReadExport reads an audit export. An error names the line, and the field where it is one: nothing is
// guessed and nothing is skipped.
func ReadExport(r io.Reader) (*Export, error) {
	x := &exportReader{claims: map[ID]*History{}, files: map[ID]*CredentialFile{}, rules: map[Instant]RuleFiles{}, seen: map[int64]bool{}}
	x.out = &Export{Evidence: map[string]Evidence{}, public: map[ID]bool{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), mostExportLine)
	n := 0
	for lines.Scan() {
		n++
		if raw := bytes.TrimSpace(lines.Bytes()); len(raw) > 0 {
			if err := x.line(raw); err != nil {
				return nil, Errorf(Invalid, fieldOf(err), "line %d: %w", n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, Errorf(Invalid, "", "after line %d: %w", n, err)
	}
	return x.finish()
}

func fieldOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Field
	}
	return ""
}

type exportReader struct {
	out    *Export
	claims map[ID]*History
	files  map[ID]*CredentialFile
	order  []*History
	events []Event
	rules  map[Instant]RuleFiles
	seen   map[int64]bool
}

func strictly(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

func (x *exportReader) line(raw []byte) error {
	var kind struct {
		Record *string `json:"record"`
	}
	if err := json.Unmarshal(raw, &kind); err != nil {
		return Errorf(Invalid, "", "it is not JSON: %w", err)
	}
	if kind.Record == nil {
		return x.event(raw)
	}
	var l exportLine
	if err := strictly(raw, &l); err != nil {
		return err
	}
	switch {
	case l.Record == "export" && l.Export != nil:
		if l.Export.Schema != ExportSchema {
			return Errorf(Invalid, "schema", "the export has the schema %q; this program reads %q", l.Export.Schema, ExportSchema)
		}
		x.out.Header = *l.Export
	case l.Record == "rules" && l.Rules != nil:
		at := l.Rules.RecordedAt
		if x.rules[at] == nil {
			x.rules[at] = RuleFiles{}
		}
		x.rules[at][l.Rules.File] = []byte(l.Rules.Text)
	case l.Record == "provider" && l.Provider != nil:
		p := l.Provider
		if p.ID == "" || x.files[p.ID] != nil && x.files[p.ID].Provider.Kind != "" {
			return Errorf(Invalid, "provider.id", "the provider has no id, or stands here twice: %q", p.ID)
		}
		x.file(p.ID).Provider = p.Provider
		x.out.stated, x.out.public[p.ID] = true, p.Public
	case l.Record == "claim" && l.Claim != nil:
		return x.claim(*l.Claim)
	case l.Record == "evidence" && l.Evidence != nil:
		e := l.Evidence.Evidence
		e.Body = []byte(l.Evidence.Text)
		x.out.Evidence[e.SHA256] = e
	default:
		return Errorf(Invalid, "record", "%q is no kind of line, or the line does not hold it under that name", l.Record)
	}
	return nil
}

func (x *exportReader) file(id ID) *CredentialFile {
	if x.files[id] == nil {
		x.files[id] = &CredentialFile{Provider: Provider{ID: id}}
	}
	return x.files[id]
}

func (x *exportReader) claim(c Claim) error {
	switch {
	case c.ID == "" || x.claims[c.ID] != nil:
		return Errorf(Invalid, "claim.id", "the claim has no id, or stands here twice: %q", c.ID)
	case c.Provider == "":
		return Errorf(Invalid, "claim.provider", "a claim says whose it is")
	case !slices.Contains(ClaimKinds, c.Kind):
		return Errorf(Invalid, "claim.kind", "%q is not a kind of claim", c.Kind)
	}
	if c.Number.Key == "" && c.Number.Raw != "" {
		c.Number = ParseLicenceNumber(c.Number.Raw)
	}
	x.claims[c.ID] = &History{Claim: c}
	x.order = append(x.order, x.claims[c.ID])
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
	for _, at := range []struct {
		field string
		at    Instant
	}{{"recorded_at", e.RecordedAt}, {"performed_at", e.PerformedAt}} {
		if p, err := ParseInstant(string(at.at)); err != nil || p != at.at {
			return Errorf(Invalid, at.field, "%q is not a moment as the ledger writes it: %s", at.at, InstantFormat)
		}
	}
	if e.Seq < 1 || x.seen[e.Seq] {
		return Errorf(Invalid, "seq", "the number %d is none, or stands here twice", e.Seq)
	}
	x.seen[e.Seq] = true
	x.events = append(x.events, e)
	return nil
}

// finish puts events to claims, claims to providers, and links prescribers.
func (x *exportReader) finish() (*Export, error) {
	sort.Slice(x.events, func(i, j int) bool { return x.events[i].Seq < x.events[j].Seq })
	for _, e := range x.events {
		if e.Claim == "" {
			continue
		}
		h := x.claims[e.Claim]
		if h == nil {
			return nil, Errorf(Invalid, "claim", "event %d speaks of the claim %s, which has no line", e.Seq, e.Claim)
		}
		h.Events = append(h.Events, e)
	}
	for _, h := range x.order {
		f := x.file(h.Claim.Provider)
		f.Claims = append(f.Claims, *h)
	}
	for _, f := range x.files {
		SortClaims(f.Claims)
		x.out.Files = append(x.out.Files, f)
	}
	slices.SortFunc(x.out.Files, func(a, b *CredentialFile) int { return strings.Compare(string(a.Provider.ID), string(b.Provider.ID)) })
	for _, f := range x.out.Files {
		f.Link(func(id ID) *CredentialFile {
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
			return nil, err
		}
		x.out.Policies = append(x.out.Policies, ps...)
	}
	if len(x.out.Policies) == 0 {
		x.out.Policies = StandardPolicies()
	}
	return x.out, nil
}

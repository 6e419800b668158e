package directory

import (
	"bufio"
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// ExportSchema names the form of an audit export. A change that an older reader would misread takes
// another number.
const ExportSchema = "kapdir.export/1"

// The two schemas of an audit export, as JSON Schema 2020-12: of an event, and of every line.
var (
	//go:embed testdata/event.schema.json
	EventSchemaJSON []byte
	//go:embed testdata/export.schema.json
	ExportSchemaJSON []byte
)

// An audit export is JSON lines: everything from which what was shown on any day can be computed again.
// testdata/export.schema.json describes each line. A line without "record" is an event, in the exact form
// of event.schema.json; every other line says in "record" what it holds, under a key of that name. Only
// claims and events are needed: who writes a history by hand may leave all else out, and then the rules
// that ship with the program hold since ever, and everybody whom a claim is about has a page.
//
// It is for staff and auditors alone, and holds no more than the answers need: no former names, of an
// address that looks like a home only city and ZIP, nothing of somebody who was withdrawn but their claims
// and events, and never a Social Security number, a DEA number or a birth date (see withhold.go).

// ExportHeader is the first line of an export.
type ExportHeader struct {
	Schema     string  `json:"schema"`
	ExportedAt Instant `json:"exported_at,omitempty"`
	Head       Head    `json:"head,omitzero"`
	Program    string  `json:"program,omitempty"`
	Part       string  `json:"part,omitempty"` // what part of the store it is; "" is all of it
}

// ExportRules is one file of a release of the rules; the files of a release have one RecordedAt. A release
// is whole: a table that has no file in it is empty. RecordedAt "" is since ever.
type ExportRules struct {
	RecordedAt Instant `json:"recorded_at,omitempty"`
	File       string  `json:"file"`
	SHA256     string  `json:"sha256,omitempty"`
	Text       string  `json:"text"`
}

// ExportProvider is a provider's facts as they are now: they are not kept by date.
type ExportProvider struct {
	Provider
	Public bool `json:"public"` // has a public page
	// Linked: the export is a part of the store, and the provider is in it only because the claims of
	// others name them. It does not hold all that a statement about them would rest on, so there is none.
	Linked bool `json:"linked,omitempty"`
}

// ExportEvidence is a piece of evidence with its text, whose SHA-256 is its name unless something in it was
// withheld.
type ExportEvidence struct {
	Evidence
	Text     string   `json:"text,omitempty"`
	Withheld []string `json:"withheld,omitempty"`
}

// exportLine is any line but an event.
type exportLine struct {
	Record   string          `json:"record"`
	Export   *ExportHeader   `json:"export,omitempty"`
	Rules    *ExportRules    `json:"rules,omitempty"`
	Provider *ExportProvider `json:"provider,omitempty"`
	Claim    *Claim          `json:"claim,omitempty"`
	Evidence *ExportEvidence `json:"evidence,omitempty"`
	Run      *Run            `json:"run,omitempty"`
}

// ExportWriter writes an audit export: the header first, claims before their events, and events before
// evidence; Flush ends it. It leaves out what an export does not give away. The first error stays.
type ExportWriter struct {
	w        *bufio.Writer
	err      error
	licences map[string]bool // licence numbers that look like DEA numbers
	withheld map[string]int
}

// NewExportWriter writes to w.
func NewExportWriter(w io.Writer) *ExportWriter {
	return &ExportWriter{w: bufio.NewWriterSize(w, 1<<16), licences: map[string]bool{}, withheld: map[string]int{}}
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
	x.raw(raw)
}

func (x *ExportWriter) raw(line []byte) {
	if x.err != nil {
		return
	}
	line, found := withholdSSN(line)
	if found {
		x.withheld[WithheldSSN]++
	}
	if _, x.err = x.w.Write(line); x.err == nil {
		x.err = x.w.WriteByte('\n')
	}
}

func (x *ExportWriter) note(what ...string) {
	for _, w := range what {
		x.withheld[w]++
	}
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

// Provider writes a provider's facts; see ExportProvider.
func (x *ExportWriter) Provider(p ExportProvider) {
	if p.Withdrawn {
		p = ExportProvider{Provider: Provider{ID: p.ID, Kind: p.Kind, Withdrawn: true, MergedInto: p.MergedInto, Seq: p.Seq}}
	}
	p.Former = nil
	p.Sites = slices.Clone(p.Sites)
	for i, s := range p.Sites {
		p.Sites[i].Address = p.PublicAddress(s)
	}
	x.line(exportLine{Record: "provider", Provider: &p})
}

// Claim writes a claim.
func (x *ExportWriter) Claim(c Claim) {
	switch n := strings.ToUpper(c.Number.Shown); {
	case c.Kind == DEARegistration:
		if c.Number != (LicenceNumber{}) {
			c.Number = LicenceNumber{}
			x.note(WithheldNumber)
		}
	case IsDEANumber(n):
		x.licences[n] = true
	}
	x.line(exportLine{Record: "claim", Claim: &c})
}

// Run writes an import of a source: which release it brought, and what it did.
func (x *ExportWriter) Run(r Run) { x.line(exportLine{Record: "run", Run: &r}) }

// Evidence writes a piece of evidence with its text. why, if it is not empty, says why the text is left out.
// It returns what was written.
func (x *ExportWriter) Evidence(e Evidence, why string) ExportEvidence {
	out := ExportEvidence{Evidence: e}
	switch {
	case why != "":
		out.Withheld = []string{why}
	case !utf8.Valid(e.Body):
		out.Withheld = []string{WithheldNotText}
	default:
		out.Text, out.Withheld = withhold(string(e.Body), x.licences)
	}
	out.Body = nil
	x.note(out.Withheld...)
	x.line(exportLine{Record: "evidence", Evidence: &out})
	return out
}

// Event writes an event of a claim of the kind, in the bytes that the ledger holds unless something in them
// is withheld: the number of a DEA registration, and what a note must not say.
func (x *ExportWriter) Event(payload []byte, kind ClaimKind) {
	if kind == DEARegistration || bytes.Contains(payload, []byte(`"note":`)) || oddAuth.Match(payload) {
		var e Event
		if err := json.Unmarshal(payload, &e); err != nil {
			x.err = cmp.Or(x.err, err)
			return
		}
		var what, more []string
		e.Body.Note, what = withhold(e.Body.Note, x.licences)
		e.Actor.Auth, more = withhold(e.Actor.Auth, nil)
		what = append(what, more...)
		if kind == DEARegistration {
			b := &e.Body
			if b.Number != "" {
				b.Number = ""
				what = append(what, WithheldNumber)
			}
			for _, text := range []*string{&b.SourceWords, &b.Name} {
				*text, more = withhold(*text, nil)
				what = append(what, more...)
			}
			b.Restrictions = slices.Clone(b.Restrictions)
			for i := range b.Restrictions {
				b.Restrictions[i], more = withhold(b.Restrictions[i], nil)
				what = append(what, more...)
			}
		}
		if len(what) > 0 {
			x.note(what...)
			x.line(e)
			return
		}
	}
	x.raw(payload)
}

// oddAuth finds a proof of identity that is more than a word of ours.
var oddAuth = regexp.MustCompile(`"auth":"[a-z_]*[^a-z_"]`)

// Withheld says how often each kind of thing was left out.
func (x *ExportWriter) Withheld() map[string]int { return x.withheld }

// Flush writes what is buffered and returns the first error.
func (x *ExportWriter) Flush() error {
	if x.err != nil {
		return x.err
	}
	return x.w.Flush()
}

// ClaimStanding is the whole answer of Derive about one claim, as kapdir audit derive writes it: a line of
// JSON. It is for staff: it tells what waits for a person, which no public face does. Status "" means that
// nothing that counts is known. null stands for what there is none of.
type ClaimStanding struct {
	Record     string    `json:"record"` // standing
	Claim      ID        `json:"claim"`
	Provider   ID        `json:"provider"`
	Kind       ClaimKind `json:"kind"`
	At         Instant   `json:"at"`
	Known      Instant   `json:"known"`
	Status     Status    `json:"status"`
	Reasons    []string  `json:"reasons"`
	Because    []int64   `json:"because"` // numbers of the events it rests on
	ValidUntil *Instant  `json:"valid_until"`
	NextDue    *Instant  `json:"next_due"`
	AsOf       *Date     `json:"as_of"`
	CheckedAt  *Instant  `json:"checked_at"`
	Pending    []int64   `json:"pending"` // observations that wait for a review
}

// StandingOf derives a claim and writes the answer as a line of JSON.
func StandingOf(h History, t, k Instant, policies Policies) ClaimStanding {
	s := Derive(h, t, k, policies)
	return ClaimStanding{Record: "standing", Claim: h.Claim.ID, Provider: h.Claim.Provider, Kind: h.Claim.Kind, At: t, Known: k, Status: s.Status,
		Reasons: append([]string{}, s.Reasons...), Because: append([]int64{}, s.Because...), ValidUntil: known(s.ValidUntil), NextDue: known(s.NextDue),
		AsOf: known(s.AsOf), CheckedAt: known(s.CheckedAt), Pending: append([]int64{}, s.Pending...)}
}

// known is nil for the zero value.
func known[T ~string](v T) *T {
	if v == "" {
		return nil
	}
	return &v
}

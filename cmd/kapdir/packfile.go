package main

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"kapdir/directory"
	"kapdir/directory/web"
)

// A dossier is what an auditor reads about one provider (domain.md §1.6). All of it follows from an export.
type dossier struct {
	Provider   directory.Provider
	Name       string
	Listed     string
	Sites      []string
	At, Known  directory.Instant
	From, To   directory.Instant // the period of changes, monitoring and decisions; "" is open
	Policy     directory.Policy
	Statements []web.Statement
	Here       *web.Statement // the one for the provider's own state
	Elements   []element
	Decisions  []decision
	Changes    []change
	Monitoring []monitored
	Adverse    []adverseItem
	Timeline   timeline
	Whole      wholeFile
	Linked     []string
}

// element is a claim as it stood at the moment of the pack.
type element struct {
	Claim      directory.ID
	Kind       directory.ClaimKind
	Name       string
	Source     string
	SourceAsOf directory.Date
	Release    string
	Checked    directory.Instant // when we looked, or when it was said
	Verifier   string
	Method     string
	Found      string
	Expires    directory.Date
	Status     string
	Decided    directory.Instant
	By         string
	Age        string // days between the older of the two dates and the decision
	AgeNow     string
	Limit      int
	Verdict    string
	Why        string
	Evidence   []string
	Events     []int64
}

// The verdicts on an element.
const (
	pass       = "pass"                // from the issuer, decided, and not older than policy allows at the decision
	fail       = "fail"                // older than policy allows at the decision
	waiting    = "waiting"             // an observation waits for a person
	unverified = "not from the issuer" // a listing, the provider or a document says so
	uncheck    = "could not be checked"
	nothing    = "nothing held"
)

type decision struct {
	Seq       int64
	Performed directory.Instant
	By        string
	Element   string
	Of        int64
	Decision  string
	Why       string
	Previous  directory.Instant
	Gap       string // in days
}

// wholeFile is when the file as a whole was decided about last, and the gap before that.
type wholeFile struct {
	Last, Previous *decision
	Gap            string
	Limit          int
	Verdict        string
}

type change struct {
	Seq                 int64
	Recorded, Performed directory.Instant
	Claim               directory.ID
	Element             string
	What                string
	Who                 string
	Why                 string
	Changed             string
	Before, After       string
	Supersedes          int64
	Evidence            []string
}

type monitored struct {
	Seq        int64
	Performed  directory.Instant
	Source     string
	Release    string
	SourceAsOf directory.Date
	Run        int64
	Rows       int
	Element    string
	Result     string
	Found      string
	Evidence   []string
}

type adverseItem struct {
	Seq       int64
	Element   string
	Source    string
	Seen      directory.Instant
	Action    directory.Date
	Words     string
	Match     string
	Decisions string
	Now       string
}

// noNotice is said of every adverse item: no such thing is recorded by this program yet.
const noNotice = "not recorded"

// dossierOf works out everything about a file at a moment. evidence is that of the export, by name.
func dossierOf(x *directory.Export, f *directory.CredentialFile, evidence map[string]directory.ExportEvidence, at, known, from, to directory.Instant) *dossier {
	d := &dossier{Provider: f.Provider, Name: f.Provider.DisplayName(), At: at, Known: known, From: from, To: to, Policy: x.Policies.InForce(at, known)}
	d.Listed = map[directory.ListedAs]string{directory.AsKAP: "offers ketamine-assisted psychotherapy", directory.AsPrescriber: "prescriber of somebody who does", directory.AsClinic: "clinic of somebody who does"}[f.Provider.ListedAs]
	for _, s := range f.Provider.Sites {
		a := s.Address
		d.Sites = append(d.Sites, strings.Join(slices.DeleteFunc([]string{s.Name, a.Line1, a.Line2, a.City, string(a.State) + " " + a.ZIP, s.Phone}, func(p string) bool { return strings.TrimSpace(p) == "" }), ", "))
	}
	d.Statements = web.Statements(f, nil, at, known, x.Policies)
	for i, s := range d.Statements {
		if home := f.Provider.HomeState(); s.ChecksFor == nil && home == "" || s.ChecksFor != nil && *s.ChecksFor == home {
			d.Here = &d.Statements[i]
		}
	}
	words := naming{web.WordsOf(f, at, known, x.Policies), speakersOf(f)}
	seen := func(i directory.Instant) bool { return i >= from && (to == "" || i <= to) }
	for _, id := range f.Others() {
		if l := f.Linked[id]; l != nil {
			d.Linked = append(d.Linked, l.Provider.DisplayName()+" ("+string(id)+")")
		}
	}
	for _, h := range f.Claims {
		h.Events = slices.DeleteFunc(slices.Clone(h.Events), func(e directory.Event) bool { return e.RecordedAt > known })
		name := words.Claim(h.Claim)
		if h.Claim.Kind != directory.FileClaim {
			d.Elements = append(d.Elements, elementOf(h, name, words, d.Policy, evidence, at, known, x.Policies))
		}
		d.Timeline.add(h, name, words, at, x.Policies)
		var last *decision
		for i, e := range h.Events {
			if e.Type == directory.Review || e.Type == directory.Decide {
				c := decision{Seq: e.Seq, Performed: e.PerformedAt, By: words.who(e.Actor), Element: name, Of: e.Body.Of, Decision: e.Body.Decision, Why: why(e)}
				if last != nil {
					c.Previous, c.Gap = last.Performed, daysBetween(last.Performed, c.Performed)
				}
				last = &c
				if h.Claim.Kind == directory.FileClaim && e.Type == directory.Decide {
					d.Whole.Previous, d.Whole.Last = d.Whole.Last, &c
				}
				if seen(e.RecordedAt) {
					d.Decisions = append(d.Decisions, c)
				}
			}
			if seen(e.RecordedAt) {
				d.Changes = append(d.Changes, changeOf(h, i, name, words, x.Policies))
			}
			if e.Type == directory.Observe && seen(e.PerformedAt) {
				d.Monitoring = append(d.Monitoring, monitoredOf(e, name, words, x.Runs))
			}
			if s := e.Body.State; e.Type == directory.Observe && (s.Adverse() || s == directory.SeenPossible || s == directory.SeenIndeterminate) {
				d.Adverse = append(d.Adverse, adverseOf(h, e, name, words, at, known, x.Policies))
			}
		}
	}
	d.Whole.Limit = d.Policy.Kinds[directory.FileClaim].Stale
	switch w := &d.Whole; {
	case w.Last == nil:
		w.Verdict = "no decision about the whole file is recorded"
	case w.Previous == nil:
		w.Verdict = "one decision is recorded, with none before it"
	default:
		w.Gap = daysBetween(w.Previous.Performed, w.Last.Performed)
		w.Verdict = pass
		if n, _ := strconv.Atoi(w.Gap); w.Limit > 0 && n > w.Limit {
			w.Verdict = fail
		}
	}
	bySeq(d.Decisions, func(x decision) int64 { return x.Seq })
	bySeq(d.Changes, func(x change) int64 { return x.Seq })
	bySeq(d.Monitoring, func(x monitored) int64 { return x.Seq })
	bySeq(d.Adverse, func(x adverseItem) int64 { return x.Seq })
	d.Timeline.finish(at)
	return d
}

func bySeq[T any](list []T, seq func(T) int64) {
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(seq(a), seq(b)) })
}

// freshFrom is the older of when we looked and how old the source's own data were.
func freshFrom(e directory.Event) directory.Instant {
	if d := e.Body.SourceAsOf.Midnight(); d != "" && d < e.PerformedAt {
		return d
	}
	return e.PerformedAt
}

func elementOf(h directory.History, name string, words naming, policy directory.Policy, evidence map[string]directory.ExportEvidence, at, known directory.Instant, policies directory.Policies) element {
	s := directory.Derive(h, at, known, policies)
	limit := policy.Kinds[h.Claim.Kind].Stale
	x := element{Claim: h.Claim.ID, Kind: h.Claim.Kind, Name: name, Status: words.Status(h.Claim, s), Limit: limit, Events: s.Because}
	if s.Basis == nil {
		x.Verdict = nothing
		if len(s.Pending) > 0 {
			x.Verdict, x.Why = waiting, "an observation waits for a person"
		}
		return x
	}
	e := *s.Basis
	b := e.Body
	x.Source, x.SourceAsOf, x.Release, x.Checked, x.Verifier = words.Source(b.Source), b.SourceAsOf, b.Release, e.PerformedAt, words.who(e.Actor)
	x.Found, x.Expires, x.Evidence = found(b), cmp.Or(b.Expires, b.To), e.Evidence
	for _, sum := range e.Evidence {
		x.Method = cmp.Or(x.Method, evidence[sum].Method)
	}
	x.AgeNow = daysBetween(freshFrom(e), at)
	switch {
	case s.Status == directory.StatusUnderReview:
		x.Verdict, x.Why = waiting, "what was observed waits for a person"
		return x
	case s.Status == directory.StatusCouldNotCheck:
		x.Verdict, x.Why = uncheck, strings.Join(s.Reasons, ", ")
		return x
	case s.Class != directory.ClassSource:
		x.Verdict = unverified
		x.Why = map[directory.SourceClass]string{directory.ClassListing: "a listing says so", directory.ClassSelf: "the provider says so", directory.ClassDocument: "a document was shown"}[s.Class]
		return x
	}
	var by []string
	for _, r := range h.Events {
		if r.Type == directory.Review && slices.Contains(s.Because, r.Seq) && r.Body.Of == e.Seq {
			by = append(by, words.who(r.Actor))
			x.Decided = max(x.Decided, r.PerformedAt)
		}
	}
	x.By = strings.Join(by, " and ")
	if x.Decided == "" { // by rule, at once
		x.Decided, x.By = e.PerformedAt, "rule: it repeats what a person has approved"
		if slices.Contains(policy.ByRun, h.Claim.Kind) {
			x.By = "rule: the completed run settles it"
		}
	}
	x.Age = daysBetween(freshFrom(e), x.Decided)
	x.Verdict = pass
	if n, _ := strconv.Atoi(x.Age); limit > 0 && n > limit {
		x.Verdict, x.Why = fail, fmt.Sprintf("decided on an answer %d days old, of which policy allows %d", n, limit)
	}
	return x
}

// found is what was found, in the words of whoever says it.
func found(b directory.Body) string {
	var out []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	add(string(b.State))
	if b.SourceWords != "" {
		add("“" + b.SourceWords + "”")
	}
	add(b.Number)
	add(b.Programme)
	add(b.Level)
	if b.Completed != "" {
		add("completed " + b.Completed.String())
	}
	if b.Issued != "" {
		add("issued " + b.Issued.String())
	}
	if b.ActionDate != "" {
		add("action " + b.ActionDate.String())
	}
	for _, r := range b.Restrictions {
		add("“" + r + "”")
	}
	for _, p := range []struct {
		word   string
		answer directory.Answer
	}{{"preparation", b.Preparation}, {"presence", b.Presence}, {"monitoring", b.Monitoring}, {"emergency plan", b.Emergency}, {"integration", b.Integration}} {
		if p.answer != directory.Unknown {
			add(p.word + ": " + string(p.answer))
		}
	}
	return strings.Join(out, "; ")
}

// naming names what stands in a file, and who acted.
type naming struct {
	web.Words
	speakers
}

// speakers are the names of those who speak for themselves in a file, by identifier.
type speakers map[string]string

func speakersOf(f *directory.CredentialFile) speakers {
	out := speakers{string(f.Provider.ID): "the provider"}
	for id, l := range f.Linked {
		out[string(id)] = l.Provider.DisplayName()
	}
	return out
}

// who names an actor of a file.
func (s speakers) who(a directory.Actor) string {
	if name := s[a.ID]; name != "" && a.Kind == directory.ByProvider {
		a.ID = name
		return strings.TrimPrefix(who(a), string(directory.ByProvider)+" ")
	}
	return who(a)
}

// who names an actor and how they proved who they are.
func who(a directory.Actor) string {
	out := string(a.Kind) + " " + a.ID
	if a.Version != "" {
		out += " " + a.Version
	}
	if a.Auth != "" {
		out += " (" + a.Auth + ")"
	}
	return out
}

func why(e directory.Event) string {
	var out []string
	out = append(out, e.Reason...)
	if e.Body.Field != "" {
		out = append(out, "differs: "+e.Body.Field)
	}
	if e.Body.Note != "" {
		out = append(out, e.Body.Note)
	}
	return strings.Join(out, "; ")
}

func daysBetween(a, b directory.Instant) string {
	if a == "" || b == "" {
		return ""
	}
	return strconv.Itoa(int(math.Floor(b.Time().Sub(a.Time()).Hours() / 24)))
}

// changeOf tells one event: what it says, what differs from the one before, and what it made of the claim.
func changeOf(h directory.History, i int, name string, words naming, policies directory.Policies) change {
	e := h.Events[i]
	c := change{Seq: e.Seq, Recorded: e.RecordedAt, Performed: e.PerformedAt, Claim: h.Claim.ID, Element: name, Who: words.who(e.Actor), Why: why(e),
		Supersedes: e.Supersedes, Evidence: e.Evidence}
	c.Before = words.Status(h.Claim, directory.Derive(h, e.RecordedAt, e.RecordedAt.Add(-time.Millisecond), policies))
	c.After = words.Status(h.Claim, directory.Derive(h, e.RecordedAt, e.RecordedAt, policies))
	b := e.Body
	switch e.Type {
	case directory.Assert:
		c.What = words.Source(b.Source) + " states"
	case directory.Observe:
		c.What = words.Source(b.Source) + " answers"
	case directory.Review:
		c.What = fmt.Sprintf("review of event %d: %s", b.Of, b.Decision)
	case directory.Decide:
		c.What = "decision: " + b.Decision
	case directory.Correct:
		c.What = fmt.Sprintf("corrects event %d", e.Supersedes)
	case directory.Void:
		c.What = fmt.Sprintf("event %d was entered in error", e.Supersedes)
	default:
		c.What = strings.ReplaceAll(string(e.Type), "_", " ")
	}
	if f := found(b); f != "" && (e.Type == directory.Assert || e.Type == directory.Observe || e.Type == directory.Correct) {
		c.What += ": " + f
	}
	for _, was := range slices.Backward(h.Events[:i]) {
		if e.Type == directory.Correct && was.Seq == e.Supersedes || was.Type == e.Type && was.Body.Source == b.Source && was.Body.Class == b.Class && (e.Type == directory.Assert || e.Type == directory.Observe) {
			c.Changed = differences(was.Body, b)
			break
		}
	}
	return c
}

// differences names the fields in which two bodies differ. That a newer release says the same is none.
func differences(a, b directory.Body) string {
	fields := func(b directory.Body) (m map[string]any) {
		b.Match, b.By, b.Against, b.SourceAsOf, b.Release, b.Link = "", nil, nil, "", "", ""
		raw, _ := json.Marshal(b)
		_ = json.Unmarshal(raw, &m)
		return m
	}
	x, y := fields(a), fields(b)
	all := map[string]bool{}
	for k := range x {
		all[k] = true
	}
	for k := range y {
		all[k] = true
	}
	var out []string
	text := func(v any) string {
		if v == nil {
			return "nothing"
		}
		return fmt.Sprint(v)
	}
	for _, k := range keys(all) {
		if text(x[k]) != text(y[k]) {
			out = append(out, k+": "+text(x[k])+" → "+text(y[k]))
		}
	}
	return strings.Join(out, "; ")
}

func monitoredOf(e directory.Event, name string, words naming, runs []directory.Run) monitored {
	b := e.Body
	m := monitored{Seq: e.Seq, Performed: e.PerformedAt, Source: words.Source(b.Source), Release: b.Release, SourceAsOf: b.SourceAsOf, Element: name,
		Result: strings.ReplaceAll(string(b.State), "_", " "), Found: found(b), Evidence: e.Evidence}
	for _, r := range runs { // the newest run of that release that had begun
		if r.Release.Source == b.Source && r.Release.Name == b.Release && r.Started <= e.RecordedAt {
			m.Run, m.Rows = r.Number, r.Counts.Read
		}
	}
	return m
}

func adverseOf(h directory.History, e directory.Event, name string, words naming, at, known directory.Instant, policies directory.Policies) adverseItem {
	x := adverseItem{Seq: e.Seq, Element: name, Source: words.Source(e.Body.Source), Seen: e.PerformedAt, Action: e.Body.ActionDate, Words: found(e.Body),
		Match: string(e.Body.Match) + " by " + strings.Join(e.Body.By, ", "), Now: words.Status(h.Claim, directory.Derive(h, at, known, policies))}
	var said []string
	for _, r := range h.Events {
		switch {
		case r.Type == directory.Review && r.Body.Of == e.Seq:
			said = append(said, r.Body.Decision+" by "+words.who(r.Actor)+" on "+r.PerformedAt.Date().String())
		case (r.Type == directory.Void || r.Type == directory.Correct) && r.Supersedes == e.Seq:
			said = append(said, string(r.Type)+" by "+words.who(r.Actor)+" on "+r.PerformedAt.Date().String())
		}
	}
	x.Decisions = cmp.Or(strings.Join(said, "; "), "no decision yet")
	return x
}

// timeline is what each claim was worth from day to day, as it was shown then: T = K.
type timeline struct {
	Rows          []timeRow
	Ticks         []tick
	Width, Height int
	from          directory.Instant
}

type timeRow struct {
	Name, Short string
	Y, TextY    int
	Bars        []bar
	Marks       []mark
	spans       []span
	events      []directory.Event
}

type span struct {
	from, to directory.Instant
	class    string
	label    string
}

type bar struct {
	X, W         string
	Class, Label string
	Title        string
}

type mark struct{ X, Title string }

type tick struct{ X, Label, Anchor string }

// shades are the six looks of a bar; each differs in lightness and outline too, for print.
var shades = map[directory.Status]string{directory.StatusVerified: "good", directory.StatusExpiring: "soon", directory.StatusAdverse: "bad",
	directory.StatusUnderReview: "wait", directory.StatusExpired: "old", directory.StatusStale: "old", directory.StatusInactive: "old",
	directory.StatusNotFound: "old", directory.StatusCouldNotCheck: "old", directory.StatusDocumented: "said", directory.StatusSelfReported: "said", directory.StatusListed: "said"}

const mostSpans = 400

func (tl *timeline) add(h directory.History, name string, words naming, at directory.Instant, policies directory.Policies) {
	if len(h.Events) == 0 || h.Events[0].RecordedAt > at {
		return
	}
	row := timeRow{Name: name, Short: shorten(name, 52)}
	t := h.Events[0].RecordedAt
	for range mostSpans {
		s := directory.Derive(h, t, t, policies)
		next := at
		if s.ValidUntil != "" && s.ValidUntil < next {
			next = s.ValidUntil
		}
		for _, e := range h.Events {
			if e.RecordedAt > t && e.RecordedAt < next {
				next = e.RecordedAt
			}
		}
		class := cmp.Or(shades[s.Status], "none")
		if n := len(row.spans); n > 0 && row.spans[n-1].class == class && row.spans[n-1].label == words.Status(h.Claim, s) {
			row.spans[n-1].to = next
		} else {
			row.spans = append(row.spans, span{t, next, class, words.Status(h.Claim, s)})
		}
		if next <= t || next >= at {
			break
		}
		t = next
	}
	for _, e := range h.Events {
		if e.RecordedAt <= at && e.Type != directory.Assert && e.Type != directory.Observe {
			row.events = append(row.events, e)
		}
	}
	if tl.from == "" || row.spans[0].from < tl.from {
		tl.from = row.spans[0].from
	}
	tl.Rows = append(tl.Rows, row)
}

// finish lays the picture out: labels to the left, time to the right, a tick for each month or year.
func (tl *timeline) finish(at directory.Instant) {
	const left, right, rowHeight, top = 300, 640, 20, 24
	tl.Width, tl.Height = left+right+10, top+rowHeight*len(tl.Rows)+6
	if len(tl.Rows) == 0 {
		return
	}
	begin, end := tl.from.Time(), at.Time()
	if end.Sub(begin) < 24*time.Hour {
		begin = end.Add(-24 * time.Hour)
	}
	x := func(i directory.Instant) float64 {
		return left + right*float64(i.Time().Sub(begin))/float64(end.Sub(begin))
	}
	num := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	for i := range tl.Rows {
		r := &tl.Rows[i]
		r.Y = top + i*rowHeight
		r.TextY = r.Y + 13
		for _, s := range r.spans {
			a, b := x(s.from), x(s.to)
			out := bar{X: num(a), W: num(max(b-a, 1)), Class: s.class, Title: s.label + ", " + s.from.Date().String() + " to " + s.to.Date().String()}
			if float64(len(s.label))*5.6 < b-a-6 {
				out.Label = s.label
			}
			r.Bars = append(r.Bars, out)
		}
		for _, e := range r.events {
			r.Marks = append(r.Marks, mark{num(x(e.RecordedAt)), fmt.Sprintf("event %d: %s by %s on %s", e.Seq, e.Type, who(e.Actor), e.RecordedAt.Date())})
		}
	}
	step, format := 1, "Jan 2006"
	switch months := end.Sub(begin).Hours() / 24 / 30; {
	case months > 48:
		step, format = 12, "2006"
	case months > 12:
		step = 3
	}
	first := time.Date(begin.Year(), begin.Month(), 1, 0, 0, 0, 0, time.UTC)
	if step == 12 {
		first = time.Date(begin.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for m := first; !m.After(end); m = m.AddDate(0, step, 0) {
		if !m.Before(begin) {
			tl.Ticks = append(tl.Ticks, tick{num(x(directory.At(m))), m.Format(format), "start"})
		}
	}
	if len(tl.Ticks) < 2 {
		tl.Ticks = []tick{{num(left), begin.Format("2 Jan 2006"), "start"}, {num(left + right), end.Format("2 Jan 2006"), "end"}}
	}
}

func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

//go:embed pack.html
var packPage string

var packTemplate = template.Must(template.New("file").Funcs(template.FuncMap{
	"day": func(i directory.Instant) string { return i.Date().String() },
	"minute": func(i directory.Instant) string {
		if i == "" {
			return ""
		}
		return i.Time().Format("2 Jan 2006, 15:04 UTC")
	},
	"date":   func(d directory.Date) string { return d.String() },
	"short":  func(sum string) string { return sum[:min(12, len(sum))] },
	"join":   strings.Join,
	"notice": func() string { return noNotice },
	"class":  func(verdict string) string { return strings.ReplaceAll(verdict, " ", "-") },
}).Parse(packPage))

// Summary says in two sentences what the dossier holds.
func (d *dossier) Summary() string {
	count := map[string]int{}
	for _, e := range d.Elements {
		count[e.Verdict]++
	}
	var parts []string
	for _, x := range []struct{ verdict, words string }{{fail, "decided on an answer older than policy allows"}, {waiting, "waiting for a person"}, {pass, "from the issuer and decided in time"},
		{unverified, "not from the issuer"}, {uncheck, "that could not be checked"}, {nothing, "of which nothing is held"}} {
		if n := count[x.verdict]; n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+x.words)
		}
	}
	plural := func(n int, one, many string) string {
		switch n {
		case 0:
			return "no " + many
		case 1:
			return "1 " + one
		}
		return strconv.Itoa(n) + " " + many
	}
	out := plural(len(d.Elements), "element", "elements")
	if len(parts) > 0 {
		out += ": " + strings.Join(parts, ", ")
	}
	return capitalised(out) + ". " + capitalised(plural(len(d.Adverse), "adverse or possible adverse item", "adverse or possible adverse items")) + ", " +
		plural(len(d.Decisions), "decision of a person", "decisions of people") + ", " + plural(len(d.Monitoring), "answer of a source", "answers of sources") + ", " +
		plural(len(d.Changes), "change", "changes") + "."
}

func capitalised(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// page writes the dossier for a person to read and print.
func (d *dossier) page(w io.Writer) error { return packTemplate.Execute(w, d) }

// The tables of a dossier for a program to read.

func (d *dossier) elements() [][]string {
	rows := [][]string{{"claim", "kind", "element", "status", "source", "source_as_of", "release", "checked_at", "verifier", "method", "found", "expires",
		"decided_at", "decided_by", "age_at_decision_days", "limit_days", "verdict", "why", "age_now_days", "events", "evidence"}}
	for _, e := range d.Elements {
		rows = append(rows, []string{string(e.Claim), string(e.Kind), e.Name, e.Status, e.Source, string(e.SourceAsOf), e.Release, string(e.Checked), e.Verifier, e.Method, e.Found,
			string(e.Expires), string(e.Decided), e.By, e.Age, limitOf(e.Limit), e.Verdict, e.Why, e.AgeNow, seqTexts(e.Events), strings.Join(e.Evidence, " ")})
	}
	return rows
}

func (d *dossier) decisions() [][]string {
	rows := [][]string{{"event", "decided_at", "decided_by", "element", "of_event", "decision", "why", "previous_at", "gap_days"}}
	for _, x := range d.Decisions {
		rows = append(rows, []string{seqText(x.Seq), string(x.Performed), x.By, x.Element, seqText(x.Of), x.Decision, x.Why, string(x.Previous), x.Gap})
	}
	return rows
}

func (d *dossier) changes() [][]string {
	rows := [][]string{{"event", "recorded_at", "performed_at", "claim", "element", "what", "changed", "who", "why", "supersedes", "status_before", "status_after", "evidence"}}
	for _, x := range d.Changes {
		rows = append(rows, []string{seqText(x.Seq), string(x.Recorded), string(x.Performed), string(x.Claim), x.Element, x.What, x.Changed, x.Who, x.Why, seqText(x.Supersedes),
			x.Before, x.After, strings.Join(x.Evidence, " ")})
	}
	return rows
}

func (d *dossier) monitoring() [][]string {
	rows := [][]string{{"event", "performed_at", "source", "release", "source_as_of", "run", "rows_in_release", "element", "result", "found", "evidence"}}
	for _, x := range d.Monitoring {
		run, read := "", ""
		if x.Run > 0 {
			run, read = seqText(x.Run), strconv.Itoa(x.Rows)
		}
		rows = append(rows, []string{seqText(x.Seq), string(x.Performed), x.Source, x.Release, string(x.SourceAsOf), run, read, x.Element, x.Result, x.Found, strings.Join(x.Evidence, " ")})
	}
	return rows
}

func (d *dossier) adverse() [][]string {
	rows := [][]string{{"event", "element", "source", "seen_at", "action_date", "words", "match", "decisions", "status_now", "notice_given"}}
	for _, x := range d.Adverse {
		rows = append(rows, []string{seqText(x.Seq), x.Element, x.Source, string(x.Seen), string(x.Action), x.Words, x.Match, x.Decisions, x.Now, noNotice})
	}
	return rows
}

func limitOf(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func seqText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func seqTexts(list []int64) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(out, " ")
}

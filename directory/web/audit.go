package web

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// auditDeadline bounds the pages that read the whole ledger.
const auditDeadline = 9 * time.Second

// report is a page of tables for an auditor. Each table is also a CSV file, by its number in the address.
type report struct {
	staffPage
	Intro  []string
	Forms  bool
	Tables []reportTable
	Query  string
	File   string // begins the names of its CSV files

	Provider directory.ID // whom it is about, if it is about one
	Today    directory.Date
	Month    string
}

type reportTable struct {
	Title string
	Name  string // in the names of files
	Note  string
	Head  []string
	Rows  [][]string
	CSV   string // its address
}

// sendReport renders a report, or the table that the address asks for as CSV.
func (s *Server) sendReport(c *fiber.Ctx, r report) error {
	q := queryOf(c)
	if n, err := strconv.Atoi(q.Get("csv")); err == nil && n >= 1 && n <= len(r.Tables) {
		var b strings.Builder
		w := csv.NewWriter(&b)
		for _, row := range append([][]string{r.Tables[n-1].Head}, r.Tables[n-1].Rows...) {
			if err := w.Write(directory.PlainCells(row)); err != nil {
				return err
			}
		}
		w.Flush()
		c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s.csv"`, fileName("kapdir", r.File, r.Tables[n-1].Name)))
		return s.send(c, "text/csv; charset=utf-8", []byte(b.String()))
	}
	for i := range r.Tables {
		q.Set("csv", strconv.Itoa(i+1))
		r.Tables[i].CSV = "?" + q.Encode()
	}
	r.Today = s.now().Date()
	r.Month = string(r.Today)[:7]
	return s.sendStaff(c, "report", r)
}

var notInNames = regexp.MustCompile(`[^a-z0-9._]+`)

// fileName makes the name of a file of its parts.
func fileName(parts ...string) string {
	return strings.Trim(notInNames.ReplaceAllString(strings.ToLower(strings.Join(parts, "-")), "-"), "-.")
}

// spanName names a period in a file's name.
func spanName(from, to directory.Instant) string {
	return string(from.Date()) + "-" + string(to.Date())
}

// staffAudit answers GET /staff/audit: what an auditor can ask.
func (s *Server) staffAudit(c *fiber.Ctx, who *staffSession) error {
	return s.sendReport(c, report{staffPage: s.staffPage(c, who, "Audit"), Forms: true})
}

// dayEnd is the last moment of a day that has passed, and now of today. A day that has not come is refused: nobody knows
// of it.
func (s *Server) dayEnd(day string) (directory.Instant, error) {
	now := s.now()
	if day == "" {
		return now, nil
	}
	d, err := directory.ParseDate(day)
	if err != nil {
		return "", directory.Errorf(directory.Invalid, "at", "%q is no day: write it as 2026-11-23", day)
	}
	if d > now.Date() {
		return "", directory.Errorf(directory.Invalid, "at", "%s has not come yet: it is %s", english.date(d), english.date(now.Date()))
	}
	return min(now, directory.Instant(string(d)+"T23:59:59.999Z")), nil
}

// period reads from and to, both ends included; a month stands for all of its days.
func (s *Server) period(ctx context.Context, q map[string][]string) (from, to directory.Instant, err error) {
	get := func(k string) string {
		if v := q[k]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	if month := get("month"); month != "" {
		t, err := time.Parse("2006-01", month)
		if err != nil {
			return "", "", directory.Errorf(directory.Invalid, "month", "%q is no month: write it as 2026-11", month)
		}
		if directory.At(t) > s.now() {
			return "", "", directory.Errorf(directory.Invalid, "month", "%s has not come yet", month)
		}
		return directory.At(t), directory.At(t.AddDate(0, 1, 0).Add(-time.Millisecond)), nil
	}
	if to, err = s.dayEnd(get("to")); err != nil {
		return "", "", err
	}
	if get("to") == "" { // a clock that stands may be behind what was recorded
		head, err := s.cfg.Reader.Head(ctx)
		if err != nil {
			return "", "", err
		}
		to = max(to, head.RecordedAt)
	}
	if v := get("from"); v != "" {
		d, err := directory.ParseDate(v)
		if err != nil {
			return "", "", directory.Errorf(directory.Invalid, "from", "%q is no day: write it as 2026-11-01", v)
		}
		return directory.Instant(string(d) + "T00:00:00.000Z"), to, nil
	}
	return to.Add(-90 * 24 * time.Hour), to, nil
}

func actorWords(a directory.Actor) string {
	switch a.Kind {
	case directory.ByProvider:
		return "the provider (" + a.Auth + ")"
	case directory.Staff:
		return a.ID
	}
	return strings.TrimSpace(a.ID + " " + a.Version)
}

func numbers(list []int64) string {
	var out []string
	for _, n := range list {
		out = append(out, strconv.FormatInt(n, 10))
	}
	return strings.Join(out, " ")
}

// staffAuditProvider answers GET /staff/audit/provider: who confirmed what of a provider, against what, and what the
// public read on a day, as it was known on that day.
func (s *Server) staffAuditProvider(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	q := queryOf(c)
	if !q.Has("who") { // nothing was asked yet
		return s.staffAudit(c, who)
	}
	id, err := directory.ParseID(directory.ProviderPrefix, strings.TrimSpace(q.Get("who")))
	if err != nil {
		return directory.Errorf(directory.Invalid, "who", "name the provider by their id, prv_…")
	}
	at, err := s.dayEnd(q.Get("at"))
	if err != nil {
		return err
	}
	policies := s.cfg.Policies
	known, when := at, "at the end of "+english.date(at.Date())+" UTC, as it was known then"
	if q.Get("at") == "" || at == s.now() { // a clock that stands may be behind what was recorded
		head, err := s.cfg.Reader.Head(ctx)
		if err != nil {
			return err
		}
		known, when = max(at, head.RecordedAt), "at this moment"
	}
	p, err := s.cfg.Desk.Past(ctx, id, known)
	if err != nil {
		return err
	}
	f := p.File
	r := report{staffPage: s.staffPage(c, who, "Audit of "+f.Provider.DisplayName()+", "+english.date(at.Date())), Provider: id, File: "audit-" + string(id) + "-" + string(at.Date())}
	r.Intro = append(r.Intro, fmt.Sprintf("%s, %s, %s. Policy %s.", f.Provider.DisplayName(), id, when, policies.InForce(at, known).Version))
	sentences := map[directory.ID]string{}
	switch {
	case p.Destroyed:
		r.Intro = append(r.Intro, "What was held of them was destroyed on request: what the public read on a day before can be told no more.")
	case p.MergedInto != "":
		r.Intro = append(r.Intro, "They had no page of their own: it led to that of "+string(p.MergedInto)+", with whom they were one. The claims below are those that were made for them.")
	case p.Listed && Stated(f, at, known, policies):
		said := Published(f, "", at, known, policies)
		t := reportTable{Title: "What the public read", Name: "public", Head: []string{"Check", "Result", "Sentence"}}
		for _, x := range said.Checks {
			t.Rows = append(t.Rows, []string{x.Title, x.Label, x.Sentence})
		}
		for _, x := range said.Claims {
			sentences[x.ID] = x.Label + ". " + x.Sentence
		}
		r.Tables = append(r.Tables, t)
	case !p.Listed:
		r.Intro = append(r.Intro, "No listing speaks of them today, so they have no page. On which days one did is in the events: what a listing states, and that it states it no longer.")
	default:
		r.Intro = append(r.Intro, "There was no public page on that day.")
	}
	if len(p.Parts) > 0 {
		var parts []string
		for _, x := range p.Parts {
			parts = append(parts, string(x))
		}
		r.Intro = append(r.Intro, "They stood for "+directory.AllOf(parts)+" too, whose pages led to theirs.")
	}
	r.Intro = append(r.Intro, "Material of a wrong person that was cleared by that day is left out of what the public read, as the pages left it out.")
	t := reportTable{Title: "Claims: who confirmed them, against what", Name: "claims", Head: []string{"Claim", "Status", "Confirmed by", "Against", "Evidence", "Because of events", "What the public read of it"}}
	events := reportTable{Title: "Every event that was known", Name: "events", Head: []string{"Event", "Performed", "Recorded", "By", "How they were known", "Claim", "What", "Evidence"}}
	for _, h := range f.Claims {
		if h.Claim.Created > known {
			continue
		}
		st := directory.Derive(h, at, known, policies)
		row := []string{s.claimWords(h.Claim), plainWords(st.Words()), "", "", "", numbers(st.Because), sentences[h.Claim.ID]}
		if b := st.Basis; b != nil {
			var people []string
			if b.Type == directory.Observe && b.Actor.Kind == directory.Staff {
				people = append(people, actorWords(b.Actor)+" read it out of the source")
			}
			for _, e := range h.InEffect(at, known) { // of this answer, or of the first that said the same
				if e.Type == directory.Review && e.Body.Decision == "confirm" && slices.Contains(st.Because, e.Seq) {
					people = append(people, fmt.Sprintf("%s on %s (event %d)", actorWords(e.Actor), english.date(e.PerformedAt.Date()), e.Seq))
				}
			}
			if len(people) == 0 && b.Type == directory.Observe && slices.Contains(policies.InForce(at, known).ByRun, h.Claim.Kind) {
				people = append(people, "the completed search itself ("+actorWords(b.Actor)+")")
			}
			row[2] = strings.Join(people, "; ")
			row[3] = eventWords(*b)
			row[4] = strings.Join(b.Evidence, " ")
		}
		t.Rows = append(t.Rows, row)
		for _, e := range h.Events {
			if e.RecordedAt <= known {
				events.Rows = append(events.Rows, []string{strconv.FormatInt(e.Seq, 10), string(e.PerformedAt), string(e.RecordedAt), actorWords(e.Actor), e.Actor.Auth, s.claimWords(h.Claim), eventWords(e), strings.Join(e.Evidence, " ")})
			}
		}
	}
	r.Tables = append(r.Tables, t, events)
	return s.sendReport(c, r)
}

// modified reports an event by which somebody changed what was said or what it is worth: whatever a person did, and what
// takes back or replaces. What programs read out of sources is not among them.
func modified(e directory.Event) bool {
	return e.Actor.Kind != directory.Tool || e.Type != directory.Observe && e.Type != directory.Assert && e.Type != directory.PolicyChange
}

// actsTable tells what was done at the desk besides events.
func actsTable(acts []directory.DeskAct) reportTable {
	t := reportTable{Title: "Cases worked, documents and contacts filed, requests answered", Name: "acts", Head: []string{"At", "By", "What", "Case", "Kind", "Provider", "Evidence"}}
	for _, a := range acts {
		t.Rows = append(t.Rows, []string{string(a.At), a.Staff, a.Words(), string(a.Case), spaced(string(a.Kind)), string(a.Provider), a.Evidence})
	}
	return t
}

var eventHead = []string{"Event", "Recorded", "Performed", "By", "How they were known", "Provider", "Claim", "Kind", "Type", "What"}

func eventRow(e directory.Event, provider directory.ID, kind directory.ClaimKind) []string {
	return []string{strconv.FormatInt(e.Seq, 10), string(e.RecordedAt), string(e.PerformedAt), actorWords(e.Actor), e.Actor.Auth, string(provider), string(e.Claim), kindWords(kind), spaced(string(e.Type)), eventWords(e)}
}

// staffAuditIntegrity answers GET /staff/audit/integrity: a sample drawn by a seed, and every modification of the period.
func (s *Server) staffAuditIntegrity(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(auditDeadline)
	defer cancel()
	q := queryOf(c)
	if !q.Has("seed") { // nothing was asked yet
		return s.staffAudit(c, who)
	}
	from, to, err := s.period(ctx, q)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(q.Get("sample"))
	n = max(1, min(n, 500))
	seed := strings.TrimSpace(q.Get("seed"))
	if seed == "" || len(seed) > 100 {
		return directory.Errorf(directory.Invalid, "seed", "give a seed, such as 2026-Q4: whoever has it draws the same sample")
	}
	changes := reportTable{Title: "Every modification", Name: "modifications", Note: "Reviews, corrections, voids, withdrawals, disputes, decisions, and what people themselves stated or read out of a source. What programs read is in the monitoring report.", Head: eventHead}
	type counted struct{ events, reviews, changed int }
	all := map[directory.ID]*counted{}
	var universe []directory.ID
	err = s.cfg.Desk.Recorded(ctx, from, to, func(e directory.Event, provider directory.ID, kind directory.ClaimKind) error {
		if provider == "" {
			return nil
		}
		x := all[provider]
		if x == nil {
			x = &counted{}
			all[provider] = x
			universe = append(universe, provider)
		}
		x.events++
		if modified(e) {
			x.changed++
			changes.Rows = append(changes.Rows, eventRow(e, provider, kind))
		}
		if e.Type == directory.Review {
			x.reviews++
		}
		return nil
	})
	if err != nil {
		return err
	}
	r := report{staffPage: s.staffPage(c, who, "Information-integrity audit"), File: "integrity-" + seed + "-" + spanName(from, to)}
	sample := reportTable{Title: "Sample", Name: "sample", Note: fmt.Sprintf("Drawn from the %d providers of whom something was recorded, by %s with the seed %s.", len(universe), directory.SampleMethod, seed),
		Head: []string{"Provider", "Events", "Reviews", "Modifications", "Audit page"}}
	for _, id := range directory.Draw(universe, seed, n) {
		x := all[id]
		sample.Rows = append(sample.Rows, []string{string(id), strconv.Itoa(x.events), strconv.Itoa(x.reviews), strconv.Itoa(x.changed), "/staff/audit/provider?who=" + string(id) + "&at=" + string(to.Date())})
	}
	r.Intro = []string{fmt.Sprintf("Recorded from %s to %s. The files of a sample, with their evidence, are written by kapdir audit pack with the same seed.", english.moment(from), english.moment(to))}
	acts, err := s.cfg.Desk.DeskActs(ctx, from, to, "")
	if err != nil {
		return err
	}
	r.Tables = []reportTable{sample, changes, actsTable(acts)}
	return s.sendReport(c, r)
}

// staffAuditMonitoring answers GET /staff/audit/monitoring: what was searched in a month, and what was found.
func (s *Server) staffAuditMonitoring(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(auditDeadline)
	defer cancel()
	q := queryOf(c)
	if q.Get("month") == "" {
		q.Set("month", string(s.now().Date())[:7])
	}
	from, to, err := s.period(ctx, q)
	if err != nil {
		return err
	}
	runs, err := s.cfg.Desk.Runs(ctx, 10_000)
	if err != nil {
		return err
	}
	read := reportTable{Title: "Releases that were read", Name: "releases", Head: []string{"Run", "Source", "Release", "Data of", "Started", "Outcome", "Rows read", "Rejected", "Events"}}
	for _, x := range slices.Backward(runs) {
		if x.Started >= from && x.Started <= to {
			read.Rows = append(read.Rows, []string{strconv.FormatInt(x.Number, 10), sourceWords(x.Release.Source), x.Release.Name, string(x.Release.AsOf), string(x.Started), x.Outcome,
				strconv.Itoa(x.Counts.Read), strconv.Itoa(x.Counts.Rejected), strconv.Itoa(x.Events)})
		}
	}
	type answer struct {
		source string
		kind   directory.ClaimKind
		state  directory.Observed
	}
	answers := map[answer]int{}
	findings := reportTable{Title: "What stands, or may stand, against somebody", Name: "findings", Head: eventHead}
	decided := reportTable{Title: "What was decided about it", Name: "decided", Head: eventHead}
	against := map[int64]bool{}
	err = s.cfg.Desk.Recorded(ctx, "", to, func(e directory.Event, provider directory.ID, kind directory.ClaimKind) error {
		is := e.Type == directory.Observe || e.Type == directory.Correct && e.Body.State != ""
		if is && (e.Body.State.Adverse() || e.Body.State == directory.SeenPossible || e.Body.State == directory.SeenIndeterminate) {
			against[e.Seq] = true
			if e.RecordedAt >= from {
				findings.Rows = append(findings.Rows, eventRow(e, provider, kind))
			}
		}
		if e.RecordedAt < from {
			return nil
		}
		if e.Type == directory.Observe {
			answers[answer{e.Body.Source, kind, e.Body.State}]++
		}
		if e.Type == directory.Review && against[e.Body.Of] {
			decided.Rows = append(decided.Rows, eventRow(e, provider, kind))
		}
		return nil
	})
	if err != nil {
		return err
	}
	counts := reportTable{Title: "What sources answered", Name: "answers", Head: []string{"Source", "Kind", "Answer", "How often"}}
	for k, n := range answers {
		counts.Rows = append(counts.Rows, []string{sourceWords(k.source), kindWords(k.kind), spaced(string(k.state)), strconv.Itoa(n)})
	}
	slices.SortFunc(counts.Rows, func(a, b []string) int { return slices.Compare(a[:3], b[:3]) })
	r := report{staffPage: s.staffPage(c, who, "Monitoring report, "+q.Get("month")), File: "monitoring-" + q.Get("month")}
	r.Intro = []string{"Sanctions, exclusions and licence expiry of everybody in the directory, as NCQA asks for each month. A release that is not here was not searched; that nothing was found is said only of what was."}
	r.Tables = []reportTable{read, counts, findings, decided}
	return s.sendReport(c, r)
}

// staffAuditMember answers GET /staff/audit/member: everything that one staff member did.
func (s *Server) staffAuditMember(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(auditDeadline)
	defer cancel()
	q := queryOf(c)
	if !q.Has("name") { // nothing was asked yet
		return s.staffAudit(c, who)
	}
	from, to, err := s.period(ctx, q)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(q.Get("name"))
	members, err := s.cfg.Desk.Staff(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(members, func(m directory.StaffMember) bool { return m.Name == name }) {
		return directory.Errorf(directory.NotFound, "name", "there is no staff member of that name")
	}
	t := reportTable{Title: "Decisions and acts", Name: "decisions", Head: eventHead}
	err = s.cfg.Desk.Recorded(ctx, from, to, func(e directory.Event, provider directory.ID, kind directory.ClaimKind) error {
		if e.Actor.Kind == directory.Staff && e.Actor.ID == name {
			t.Rows = append(t.Rows, eventRow(e, provider, kind))
		}
		return nil
	})
	if err != nil {
		return err
	}
	acts, err := s.cfg.Desk.DeskActs(ctx, from, to, name)
	if err != nil {
		return err
	}
	r := report{staffPage: s.staffPage(c, who, "What "+name+" did"), File: "member-" + name + "-" + spanName(from, to)}
	r.Intro = []string{fmt.Sprintf("Recorded from %s to %s: %d decisions and acts in the ledger, and %d steps beside it.", english.moment(from), english.moment(to), len(t.Rows), len(acts))}
	r.Tables = []reportTable{t, actsTable(acts)}
	return s.sendReport(c, r)
}

// staffMetrics answers GET /staff/metrics: how old the queue is, how fast it moves, and how much of what is claimed
// was looked at as often as the policy asks.
func (s *Server) staffMetrics(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(auditDeadline)
	defer cancel()
	now := s.now()
	m, err := s.cfg.Desk.Metrics(ctx, now.Add(-90*24*time.Hour))
	if err != nil {
		return err
	}
	open := reportTable{Title: "Open cases", Name: "open", Head: []string{"Kind", "Open", "Late", "Oldest", "To 2 days", "To 7", "To 30", "Older"}}
	done := reportTable{Title: "Closed in the last 90 days", Name: "closed", Head: []string{"Kind", "Closed", "In time", "Median days", "Nine of ten within days"}}
	for _, k := range m.Kinds {
		if k.Open > 0 {
			row := []string{spaced(string(k.Kind)), strconv.Itoa(k.Open), strconv.Itoa(k.Late), string(k.Oldest)}
			for _, n := range k.Ages {
				row = append(row, strconv.Itoa(n))
			}
			open.Rows = append(open.Rows, row)
		}
		if k.Closed > 0 {
			done.Rows = append(done.Rows, []string{spaced(string(k.Kind)), strconv.Itoa(k.Closed), fmt.Sprintf("%d%%", 100*k.InTime/k.Closed), strconv.Itoa(k.Median), strconv.Itoa(k.Slow)})
		}
	}
	r := report{staffPage: s.staffPage(c, who, "Metrics"), File: "metrics-" + string(now.Date())}
	r.Tables = []reportTable{open, done}
	within, err := s.withinPolicy(ctx, now)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		r.Intro = append(r.Intro, "How much was checked within policy could not be counted in the time there is: kapdir due counts it.")
	case err != nil:
		return err
	default:
		r.Tables = append(r.Tables, within)
	}
	return s.sendReport(c, r)
}

// withinPolicy counts the claims of public providers that have to be looked at again, and those whose day has not come.
func (s *Server) withinPolicy(ctx context.Context, now directory.Instant) (reportTable, error) {
	type share struct{ all, good int }
	by := map[directory.ClaimKind]*share{}
	head, err := s.cfg.Reader.Head(ctx)
	if err != nil {
		return reportTable{}, err
	}
	known := max(now, head.RecordedAt)
	err = s.cfg.Reader.EachFile(ctx, func(f *directory.CredentialFile) error {
		for _, h := range f.Claims {
			st := directory.Derive(h, now, known, s.cfg.Policies)
			if st.NextDue == "" {
				continue
			}
			x := by[h.Claim.Kind]
			if x == nil {
				x = &share{}
				by[h.Claim.Kind] = x
			}
			if x.all++; st.NextDue > now {
				x.good++
			}
		}
		return ctx.Err()
	})
	t := reportTable{Title: "Checked within policy", Name: "within-policy", Note: "Of the claims on public pages that are looked at again and again, those whose next day has not passed.", Head: []string{"Kind", "Claims", "Within policy", "Share"}}
	for _, k := range directory.ClaimKinds {
		if x := by[k]; x != nil {
			t.Rows = append(t.Rows, []string{spaced(string(k)), strconv.Itoa(x.all), strconv.Itoa(x.good), fmt.Sprintf("%d%%", 100*x.good/x.all)})
		}
	}
	return t, err
}

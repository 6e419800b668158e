package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// VerifyOptions says what a verification looks at.
type VerifyOptions struct {
	Provider directory.ID // this one alone; "" is every public provider
	All      bool         // what is not due is looked up too
	DryRun   bool         // say what would be done, and write nothing
	Progress func(done, total int)
}

// VerifyReport is what a verification did, with what is not kept of it.
type VerifyReport struct {
	directory.Verification
	Items []VerifyItem // what was looked up and only a person can tell, at most mostItems
}

// VerifyItem is a claim that was looked up and that only a person can tell about.
type VerifyItem struct {
	Provider directory.ID    `json:"provider"`
	Name     string          `json:"name"`
	Claim    directory.Claim `json:"claim"`
	Why      string          `json:"why"`
	Source   string          `json:"source,omitempty"`
	Key      string          `json:"key,omitempty"` // of the record that may be theirs
}

const mostItems = 1000

// Why a claim that was looked up is for a person.
const (
	forOtherNumber = "other_number"   // the register has the name under another number of that type
	forUnread      = "unread_row"     // a row of the release that could not be read may be theirs
	forTitle       = "unknown_title"  // which licence type it is is not known, so silence says nothing
	forContradict  = "contradicted"   // the record's identifiers contradict the provider's own
	skipDocumented = "documented"     // that a source cannot be asked does not lower what a document shows
	skipImporting  = "importing"      // the source is being imported at this moment
	skipPending    = "review_pending" // a record was observed and waits for a reviewer
	skipToday      = "searched_today" // two searches count only on different days
	skipSame       = "same_release"   // and only in different releases
	skipLicence    = "with_licence"   // a discipline screen is part of its licence's own record
)

// Verify looks up what is due by policy in the sources that are loaded, and appends what it finds: a
// record that was not observed yet, a screen that was not made yet, that a search by number and every name
// found no record, or that a source could not be asked. It never says more than an import could, and
// silence is never bad news by itself: a claim that a record confirmed goes to a person.
//
// It works in small transactions. What was committed before an error stays, and the next run does the
// rest; a second run on the same day appends nothing. Only one goes on at a time: another is a Conflict.
func (s *Store) Verify(ctx context.Context, o VerifyOptions) (VerifyReport, error) {
	const op = "store.Verify"
	if !o.DryRun {
		release, ok, err := s.dialect.lock(ctx, s.writer, "verify")
		if err != nil {
			return VerifyReport{}, s.fault(op, err)
		}
		if !ok {
			return VerifyReport{}, s.fault(op, directory.Errorf(directory.Conflict, "", "a verification is going on already"))
		}
		defer release()
	}
	v := &verifying{s: s, o: o, op: op}
	if err := v.begin(ctx); err != nil {
		return v.report, err
	}
	err := v.run(ctx)
	return v.report, v.end(ctx, err)
}

// Verifications returns the newest runs of Verify first.
func (s *Store) Verifications(ctx context.Context, limit int) ([]directory.Verification, error) {
	var out []directory.Verification
	err := s.read(ctx, "store.Verifications", func(t *tx) error {
		return t.each(`SELECT id, number, started, ended, policy, scope, outcome, error, counts FROM verification ORDER BY number DESC LIMIT $1`, []any{limit},
			func(r *sql.Rows) error {
				var v directory.Verification
				var scope, counts string
				if err := r.Scan(&v.ID, &v.Number, &v.Started, &v.Ended, &v.Policy, &scope, &v.Outcome, &v.Error, &counts); err != nil {
					return err
				}
				if err := decode(scope, &v); err != nil {
					return err
				}
				if err := decode(counts, &v.VerifyCounts); err != nil {
					return err
				}
				out = append(out, v)
				return nil
			})
	})
	return out, err
}

// verifying is a verification under way.
type verifying struct {
	s      *Store
	o      VerifyOptions
	op     string
	report VerifyReport

	runs    int64 // the newest run when the sources were read; another makes them be read again
	sources map[string]*sourceNow
}

// begin writes the row of the run. What a dead process left behind becomes interrupted.
func (v *verifying) begin(ctx context.Context) error {
	now := v.s.now()
	v.report.Verification = directory.Verification{ID: directory.NewID(directory.RunPrefix, now), Started: now, Outcome: "running",
		Policy: v.s.config.Policies.InForce(now, now).Version, Provider: v.o.Provider, All: v.o.All}
	if v.o.DryRun {
		return nil
	}
	return v.s.writeBehind(ctx, v.op, func(w *work) error {
		if _, err := w.exec(`UPDATE verification SET outcome = 'interrupted', ended = $1 WHERE outcome = 'running'`, w.now); err != nil {
			return err
		}
		x := &v.report.Verification
		if _, err := w.one(`SELECT coalesce(max(number), 0) + 1 FROM verification`, nil, &x.Number); err != nil {
			return err
		}
		scope, err := json.Marshal(struct {
			Provider directory.ID `json:"provider,omitempty"`
			All      bool         `json:"all,omitempty"`
		}{x.Provider, x.All})
		if err != nil {
			return err
		}
		return w.insert(`INSERT INTO verification (id, number, started, ended, policy, scope, outcome, error, counts)`,
			[][]any{{x.ID, x.Number, x.Started, "", x.Policy, string(scope), x.Outcome, "", `{}`}}, "")
	})
}

// end writes what became of the run, even when the caller has given up.
func (v *verifying) end(ctx context.Context, failure error) error {
	x := &v.report.Verification
	x.Outcome = "done"
	if failure != nil {
		x.Outcome, x.Error = "failed", failure.Error()
	}
	if x.Ended = v.s.now(); v.o.DryRun {
		return failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := v.s.writeBehind(ctx, v.op, func(w *work) error {
		x.Ended = w.now
		return w.updateVerification(*x)
	})
	return cmp.Or(failure, err)
}

func (t *tx) updateVerification(x directory.Verification) error {
	counts, err := json.Marshal(x.VerifyCounts)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE verification SET ended = $2, outcome = $3, error = $4, counts = $5 WHERE id = $1`, x.ID, x.Ended, x.Outcome, clean(x.Error), string(counts))
	return err
}

// run reads the public providers in pages, which makes nobody wait, and writes for those alone of whom
// something is due.
func (v *verifying) run(ctx context.Context) error {
	total, err := v.total(ctx)
	if err != nil {
		return err
	}
	after, size := "", v.s.start()
	for {
		var due []directory.ID
		var counts directory.VerifyCounts
		last := after
		err := v.s.read(ctx, v.op, func(t *tx) error {
			if err := v.readSources(t); err != nil {
				return err
			}
			due, last, counts, err = v.page(t, after)
			return err
		})
		if err != nil {
			return err
		}
		v.report.Add(counts)
		for len(due) > 0 {
			n := 0
			start := time.Now() // only to keep transactions short
			n, err := v.write(ctx, due[:min(size, len(due))])
			if err != nil {
				return err
			}
			size = v.s.adapt(size, n, time.Since(start))
			due = due[n:]
			v.s.committed()
		}
		if v.o.Progress != nil {
			v.o.Progress(v.report.Providers, total)
		}
		if last == after || v.o.Provider != "" {
			return nil
		}
		after = last
	}
}

// total counts whom the verification looks at. A provider who was named and has no public page is NotFound.
func (v *verifying) total(ctx context.Context) (n int, err error) {
	err = v.s.read(ctx, v.op, func(t *tx) error {
		_, err := t.one(`SELECT count(*) FROM provider WHERE listed = 1 AND withdrawn = 0 AND merged_into = '' AND ($1 = '' OR id = $1)`, []any{v.o.Provider}, &n)
		if err == nil && n == 0 && v.o.Provider != "" {
			err = directory.Errorf(directory.NotFound, "provider", "there is no provider %s with a public page", v.o.Provider)
		}
		return err
	})
	return n, err
}

// page reads the next providers and says of whom the program has something to look up.
func (v *verifying) page(t *tx, after string) (due []directory.ID, last string, counts directory.VerifyCounts, err error) {
	last = after
	var ids []directory.ID
	err = t.each(`SELECT id FROM provider WHERE id > $1 AND ($2 = '' OR id = $2) ORDER BY id LIMIT 200`, []any{after, v.o.Provider}, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		ids, last = append(ids, id), string(id)
		return err
	})
	if err != nil {
		return nil, last, counts, err
	}
	head, err := t.head()
	if err != nil {
		return nil, last, counts, err
	}
	held, err := t.load(ids)
	if err != nil {
		return nil, last, counts, err
	}
	now := v.s.now()
	counts.Waiting = map[string]int{}
	for _, id := range ids {
		h := held[id]
		if h == nil || !h.public() {
			continue
		}
		counts.Providers++
		for _, l := range h.file.Looks(now, max(now, head.RecordedAt), v.s.config.Policies) {
			switch {
			case l.By == directory.ByPerson && l.At <= now:
				counts.Waiting[string(l.History.Claim.Kind)]++
			case l.By == directory.ByProgram && (v.o.All || l.At <= now) && (len(due) == 0 || due[len(due)-1] != id):
				due = append(due, id)
			}
		}
	}
	return due, last, counts, nil
}

// write looks up what is due of the providers, in one transaction, and returns how many of them it did:
// all, or as many as a transaction may hold.
func (v *verifying) write(ctx context.Context, ids []directory.ID) (n int, err error) {
	var counts directory.VerifyCounts
	var items []VerifyItem
	worked := false
	err = v.s.writeBehind(ctx, v.op, func(w *work) error {
		if err := v.readSources(w.tx); err != nil {
			return err
		}
		held, err := w.hold(ids)
		if err != nil {
			return err
		}
		head, err := w.head()
		if err != nil {
			return err
		}
		for _, id := range ids {
			h := held[id]
			if h == nil || !h.public() { // withdrawn since the page was read
				n++
				continue
			}
			p := &looking{work: w, v: v, h: h, known: max(w.now, head.RecordedAt), policy: v.s.config.Policies.InForce(w.now, w.now)}
			looks := p.due()
			if n > 0 && len(w.events)+len(looks) > v.s.most {
				break
			}
			n++
			for _, l := range looks {
				if err := p.look(l); err != nil {
					return err
				}
			}
			counts.Add(p.counts)
			items = append(items, p.items...)
		}
		if err := w.settle(); err != nil {
			return err
		}
		counts.Events = len(w.events)
		worked = true
		if v.o.DryRun {
			return errDryRun
		}
		sum := v.report.Verification
		sum.VerifyCounts = directory.VerifyCounts{}
		sum.Add(v.report.VerifyCounts)
		sum.Add(counts)
		return w.updateVerification(sum)
	})
	if err != nil && !(v.o.DryRun && worked && directory.KindOf(err) == directory.Refused) {
		return 0, err
	}
	v.report.Add(counts)
	v.report.Items = append(v.report.Items, items[:min(len(items), mostItems-len(v.report.Items))]...)
	return n, nil
}

// errDryRun ends the transaction of a dry run, which is thus undone.
var errDryRun = directory.Errorf(directory.Refused, "", "a dry run writes nothing")

// sourceNow is what a source can answer at this moment.
type sourceNow struct {
	info   directory.SourceInfo
	run    directory.Run            // in force
	loaded bool                     // there is one
	newest directory.Run            // of any outcome
	parts  map[string]directory.Run // of a roster: the newest completed run that carried the licence type, by the board's code
}

// quiet reports a source that can be asked: its newest import was completed. After one that failed, some of
// its rows are of no release.
func (x *sourceNow) quiet() bool { return x.loaded && x.newest.Outcome == "done" }

// importing reports that the newest import is going on.
func (x *sourceNow) importing() bool { return x.newest.Outcome == "running" }

// readSources reads what the sources can answer, unless no import has begun or ended since.
func (v *verifying) readSources(t *tx) error {
	var newest, done int64
	if _, err := t.one(`SELECT coalesce(max(number), 0), (SELECT count(*) FROM run WHERE outcome <> 'running') FROM run`, nil, &newest, &done); err != nil {
		return err
	}
	if state := newest<<20 + done; v.sources == nil || v.runs != state {
		v.runs = state
	} else {
		return nil
	}
	v.sources = map[string]*sourceNow{}
	for _, info := range directory.Tables().Sources() {
		x := &sourceNow{info: info, parts: map[string]directory.Run{}}
		var err error
		if x.run, x.loaded, err = t.inForce(info.ID); err != nil {
			return err
		}
		if x.newest, _, err = t.runOne(`WHERE source = $1 ORDER BY number DESC LIMIT 1`, info.ID); err != nil {
			return err
		}
		if x.importing() { // a process that died has left its lock, and not its row
			release, free, err := v.s.dialect.lock(t.ctx, v.s.writer, "import-"+info.ID)
			if err != nil {
				return err
			}
			if free {
				release()
				x.newest.Outcome = "interrupted"
			}
		}
		if info.Kind == "roster" && x.quiet() {
			if err := t.readParts(x); err != nil {
				return err
			}
		}
		v.sources[info.ID] = x
	}
	return nil
}

// readParts finds of which release the rows of each licence type of a roster are. A type whose newest rows
// are of an import that failed is left out.
func (t *tx) readParts(x *sourceNow) error {
	newest := map[string]int64{}
	e, err := t.edition(x.info.ID)
	if err != nil {
		return err
	}
	err = t.each(`SELECT part, newest FROM reference_part WHERE source = $1 AND run = $2`, []any{x.info.ID, e.to}, func(r *sql.Rows) error {
		var part string
		var run int64
		err := r.Scan(&part, &run)
		part, licence := strings.CutPrefix(part, "licence/")
		if !licence {
			return err
		}
		part, _, _ = strings.Cut(part, "+") // APN+PMH are licences of the type APN
		newest[part] = max(newest[part], run)
		return err
	})
	if err != nil {
		return err
	}
	for part, number := range newest {
		run, found, err := t.runOne(`WHERE number = $1`, number)
		if err != nil {
			return err
		}
		if found && run.Outcome == "done" {
			x.parts[part] = run
		}
	}
	return nil
}

// looking is one provider in the hands of a verification.
type looking struct {
	*work
	v      *verifying
	h      *holding
	known  directory.Instant
	policy directory.Policy
	rows   []*row // that share a block with the provider; see found
	read   bool
	counts directory.VerifyCounts
	items  []VerifyItem
}

// due returns what the program has to look up, the licences before their discipline screens.
func (p *looking) due() []directory.ClaimLook {
	looks := p.h.file.Looks(p.now, p.known, p.s.config.Policies)
	return slices.DeleteFunc(looks, func(l directory.ClaimLook) bool {
		return l.By != directory.ByProgram || !p.v.o.All && l.At > p.now
	})
}

// look looks up one claim and counts what became of it.
func (p *looking) look(l directory.ClaimLook) error {
	p.counts.Due++
	c := l.History.Claim
	approved, ask := p.approved(c)
	switch {
	case len(ask) > 0 && c.Kind == directory.ExclusionScreen:
		return p.screenNow(l, ask[0])
	case len(ask) > 0:
		return p.searchNow(l, ask)
	}
	for _, x := range approved {
		if x.importing() {
			p.skip(skipImporting)
			return nil
		}
	}
	source, reason, release := p.whyNot(c, approved)
	return p.unavailable(l, source, reason, release)
}

func (p *looking) skip(why string) { p.counts.Skipped = count(p.counts.Skipped, why) }

func (p *looking) forPerson(l directory.ClaimLook, why string, r *row) {
	p.counts.ForPerson = count(p.counts.ForPerson, why)
	x := VerifyItem{Provider: p.h.id(), Name: p.h.file.Provider.DisplayName(), Claim: l.History.Claim, Why: why}
	if r != nil {
		x.Source, x.Key = r.source, r.key
	}
	p.items = append(p.items, x)
}

func count(m map[string]int, what string) map[string]int {
	if m == nil {
		m = map[string]int{}
	}
	m[what]++
	return m
}

// approved returns the sources whose answer counts for the claim, in the order of the policy, and those of
// them that can be asked now.
func (p *looking) approved(c directory.Claim) (all, ask []*sourceNow) {
	for _, a := range p.policy.Approved {
		x := p.v.sources[a.Source]
		if x == nil || slices.Contains(all, x) || !p.policy.Approves(a.Source, c.Kind, c.Jurisdiction) || c.Kind == directory.ExclusionScreen && c.Issuer != a.Source {
			continue
		}
		all = append(all, x)
		if x.quiet() {
			ask = append(ask, x)
		}
	}
	return all, ask
}

// programSource is the source of what the program alone says: that there is no register to ask.
const programSource = rulesSource

// whyNot says why nobody can be asked about a claim, of which source, and which release failed to come in.
func (p *looking) whyNot(c directory.Claim, approved []*sourceNow) (source, reason, release string) {
	for _, x := range approved {
		if x.newest.Number > 0 {
			return x.info.ID, directory.ReasonUnavailable, x.newest.Release.Name
		}
	}
	for _, x := range approved {
		if x.info.Terms != "forbidden" {
			return x.info.ID, directory.ReasonUnavailable, ""
		}
	}
	for _, x := range approved {
		return x.info.ID, directory.ReasonTermsForbid, ""
	}
	for _, info := range p.policy.Tables().Sources() { // one that nobody has approved
		known := false
		switch c.Kind {
		case directory.License, directory.DisciplineScreen, directory.CompactPrivilege:
			known = info.Kind == "roster" && info.Jurisdiction == c.Jurisdiction && c.Kind != directory.CompactPrivilege
		case directory.ExclusionScreen:
			known = info.ID == c.Issuer
		case directory.IdentityNPI:
			known = info.Kind == "identity"
		}
		switch {
		case known && info.Terms == "forbidden":
			return info.ID, directory.ReasonTermsForbid, ""
		case known:
			return info.ID, directory.ReasonNotApproved, ""
		}
	}
	return programSource, directory.ReasonNoRegister, ""
}

// unavailable appends that a claim could not be looked up, at most once a day and, while it stays the same
// answer for the same reason, once in the recheck interval. It lowers nothing that a document shows, and
// nothing that waits for a reviewer.
func (p *looking) unavailable(l directory.ClaimLook, source, reason, release string) error {
	c, st := l.History.Claim, l.Standing
	switch {
	case st.Class == directory.ClassDocument:
		p.skip(skipDocumented)
		return nil
	case len(st.Pending) > 0 && st.Class != directory.ClassSource && c.Kind != directory.ExclusionScreen:
		p.skip(skipPending)
		return nil
	}
	p.counts.CouldNotCheck = count(p.counts.CouldNotCheck, reason)
	body := directory.Body{State: directory.SeenUnavailable, Source: source, Release: release}
	if p.saidAlready(l.History.Events, body, reason, p.policy.Kinds[c.Kind].Recheck) {
		return nil
	}
	say := func(c directory.Claim) {
		p.append(p.h, p.claim(p.h, c), directory.Event{Type: directory.Observe, PerformedAt: p.now, Actor: p.s.config.Tool, Reason: []string{reason}, Body: body}, true)
	}
	say(c)
	screen := directory.Claim{Kind: directory.DisciplineScreen, Jurisdiction: c.Jurisdiction, Title: c.Title, Number: c.Number}
	if reason != directory.ReasonNoRegister {
		screen.Issuer = source // the claim that the source's own records will speak of
	}
	if c.Kind == directory.License && !p.screened(c) {
		say(screen) // who cannot ask about the licence cannot ask about board actions on it: the check names both
	}
	return nil
}

// screened reports that there is a discipline screen of the licence.
func (p *looking) screened(c directory.Claim) bool {
	return slices.ContainsFunc(p.h.file.Claims, func(h directory.History) bool {
		d := h.Claim
		return d.Kind == directory.DisciplineScreen && d.Jurisdiction == c.Jurisdiction && d.Title == c.Title && d.Number.Digits() == c.Number.Digits()
	})
}

// saidAlready reports that the newest answer is the same and not older than the recheck interval, or that
// one of the day is that nothing could be asked.
func (p *looking) saidAlready(events []directory.Event, b directory.Body, reason string, recheck int) bool {
	newest := true
	for _, e := range slices.Backward(events) {
		if e.Type != directory.Observe {
			continue
		}
		if e.Body.State == directory.SeenUnavailable {
			same := e.Body.Source == b.Source && e.Body.Release == b.Release && slices.Equal(e.Reason, []string{reason})
			if e.PerformedAt.Date() == p.now.Date() || newest && same && (recheck == 0 || p.now < e.PerformedAt.AddDays(recheck)) {
				return true
			}
		}
		newest = false
	}
	return false
}

// screenNow compares the provider with a list in force, unless that was done.
func (p *looking) screenNow(l directory.ClaimLook, x *sourceNow) error {
	before := len(p.events)
	rows, err := p.found(l.History.Claim)
	if err != nil {
		return err
	}
	of := make([]*row, 0, len(rows))
	for _, r := range rows {
		if r.source == x.info.ID {
			of = append(of, r)
		}
	}
	if err := p.screen(p.h, x.run, of); err != nil {
		return err
	}
	i := p.h.find(directory.ScreenClear(x.run.Release).Claim)
	answered := i >= 0 && slices.ContainsFunc(p.h.file.Claims[i].Events, func(e directory.Event) bool {
		return e.Type == directory.Observe && e.Body.Source == x.info.ID && e.Body.Release == x.run.Release.Name && e.Body.State != directory.SeenUnavailable
	})
	switch {
	case len(p.events) > before:
		p.counts.Observed++
	case answered:
		p.counts.Current++
	default:
		p.forPerson(l, forUnread, nil)
	}
	return nil
}

// found reads the loaded rows that share a block with the provider or with the claim.
func (p *looking) found(c directory.Claim) ([]*row, error) {
	if !p.read {
		p.read = true
		var err error
		if p.rows, err = p.rowsOf(p.h.ready().ScreenBlocks(), ""); err != nil {
			return nil, err
		}
	}
	own := claimSubject(c).Blocks()
	if len(own) == 0 || slices.ContainsFunc(p.h.subject().Blocks(), func(b string) bool { return slices.Contains(own, b) }) {
		return p.rows, nil
	}
	more, err := p.rowsOf(own, "")
	return append(more, p.rows...), err
}

// claimSubject is what a claim alone is looked up by.
func claimSubject(c directory.Claim) directory.Subject {
	switch c.Kind {
	case directory.License, directory.DisciplineScreen, directory.CompactPrivilege:
		return directory.Subject{Licences: []directory.LicenceKey{{State: c.Jurisdiction, Type: c.Title, Number: c.Number}}}
	case directory.IdentityNPI:
		return directory.Subject{NPI: directory.NPI(c.Number.Key)}
	}
	return directory.Subject{}
}

// searchNow searches the sources for a licence, a discipline screen or an NPI.
func (p *looking) searchNow(l directory.ClaimLook, ask []*sourceNow) error {
	c := l.History.Claim
	rows, err := p.found(c)
	if err != nil {
		return err
	}
	var maybe *row
	var silent *sourceNow
	var release directory.Run
	for _, x := range ask {
		for _, r := range rows {
			if r.source != x.info.ID {
				continue
			}
			switch p.speaks(r, c) {
			case itself:
				return p.recordFound(l, r)
			case perhaps:
				maybe = r
			}
		}
		if run, ok := x.silence(c); ok && silent == nil {
			silent, release = x, run
		}
	}
	title, typed := titleOf(c)
	switch {
	case c.Kind == directory.DisciplineScreen && (silent != nil || maybe != nil):
		p.skip(skipLicence)
		return nil
	case maybe != nil:
		p.forPerson(l, forOtherNumber, maybe)
		return nil
	case c.Kind == directory.License && !typed:
		p.forPerson(l, forTitle, nil)
		return nil
	case silent == nil:
		return p.unavailable(l, ask[0].info.ID, directory.ReasonUnavailable, "")
	}
	unread, err := p.unreadOf(release)
	if err != nil {
		return err
	}
	if unread.mayHold(p.h.subject()) || unread.number(c.Number) {
		p.forPerson(l, forUnread, nil)
		return nil
	}
	return p.notFound(l, release, title)
}

// How a row speaks of a claim.
type speech int

const (
	other   speech = iota // of somebody or something else
	perhaps               // the provider's full name stands there under another number of the type
	itself                // of the claim
)

// speaks says whether a row is the record of the claim. Another's record, joined to them for sure, is not.
func (p *looking) speaks(r *row, c directory.Claim) speech {
	switch {
	case c.Kind == directory.IdentityNPI && r.record.Identity != nil:
		if string(r.record.Identity.NPI) == c.Number.Key {
			return itself
		}
		return other
	case c.Kind == directory.IdentityNPI || r.record.Licence == nil:
		return other
	}
	x := r.record.Licence
	of := directory.Claim{Kind: directory.License, Jurisdiction: x.State, Title: x.BoardType, Number: x.Number}
	same, number := sameLicence(of, c)
	if same || number && r.provider == p.h.id() {
		return itself
	}
	title, ok := titleOf(c)
	code, _, _ := strings.Cut(r.part, "+")
	if !number && ok && code != title || r.provider != "" && r.provider != p.h.id() {
		return other
	}
	if m := directory.MatchSubjects(r.record.Subject(), p.h.subject()); m.Rung >= directory.M2 {
		return perhaps
	}
	return other
}

// titleOf is the board's code of the licence itself that the claim is of.
func titleOf(c directory.Claim) (code string, ok bool) {
	t, ok := directory.Tables().Title(c.Jurisdiction, c.Title)
	if !ok {
		t, ok = directory.Tables().Title(c.Jurisdiction, c.Number.Prefix())
	}
	return t.Licence(), ok
}

// silence says whether it means something that the source has no record for the claim, and of which
// release it then speaks: a roster that carries the licence type, or the whole of a national file. Rows of
// types that an import left out are no silence.
func (x *sourceNow) silence(c directory.Claim) (directory.Run, bool) {
	switch {
	case !replaces(x.info):
		return directory.Run{}, false
	case x.info.Kind == "identity":
		return x.run, x.run.Release.All || x.run.Counts.Outside == 0
	}
	title, _ := titleOf(c)
	run, ok := x.parts[title]
	return run, ok && x.info.Completeness != "n/a" && !run.Release.Unconfirmed
}

// number reports that a row that could not be read may be of the licence number.
func (u *unread) number(n directory.LicenceNumber) bool {
	for word := range u.words {
		if d := directory.ParseLicenceNumber(word).Digits(); d != "" && d == n.Digits() {
			return true
		}
	}
	return false
}

// recordFound observes the record as an import does, unless that was done.
func (p *looking) recordFound(l directory.ClaimLook, r *row) error {
	before := len(p.events)
	run, err := p.runNumber(r.run)
	if err != nil {
		return err
	}
	m := directory.MatchSubjects(r.record.Subject(), p.h.subject())
	if m.Rung == directory.M0 {
		p.forPerson(l, forContradict, r)
		return nil
	}
	if p.unseen(r, run.Release, m) {
		subject := r.record.Subject()
		known, err := p.neighbours(cleaned(subject.Blocks()), true)
		if err != nil {
			return err
		}
		was := *r
		if err := p.relate(r, run.Release, p.candidates(subject, known, true)); err != nil {
			return err
		}
		if r.provider != was.provider || r.rung != was.rung || r.evidence != was.evidence {
			if err := p.relink(r); err != nil {
				return err
			}
			if r.kind == "identity" {
				if err := p.recompose(p.h); err != nil {
					return err
				}
			}
		}
	}
	if len(p.events) > before {
		p.counts.Observed++
	} else {
		p.counts.Current++
	}
	return nil
}

// unseen reports that the record says something of the provider that was not observed yet.
func (p *looking) unseen(r *row, rel directory.Release, m directory.Match) bool {
	if m.Rung != directory.M5 && m.Rung != directory.M4 && !m.Identified() {
		return false // an import observes nothing of it either
	}
	of := -1
	for _, st := range r.record.Observations(rel, m) {
		c := st.Claim
		if c.Kind == directory.DisciplineScreen && of >= 0 {
			licence := p.h.file.Claims[of].Claim
			c.Title, c.Number = licence.Title, licence.Number
		}
		i := p.h.find(c)
		if c.Kind == directory.License {
			of = i
		}
		if m.Rung == directory.M4 && !joins(st) {
			continue // never joined by itself
		}
		if i < 0 || !said(p.h.file.Claims[i].Events, st) {
			return true
		}
	}
	return false
}

func cleaned(blocks []string) []string {
	for i := range blocks {
		blocks[i] = clean(blocks[i])
	}
	return blocks
}

// notFound appends that a search by number and every name found no record in a release. It is never more
// than that: a licence that left a register of current licences was not thereby revoked.
func (p *looking) notFound(l directory.ClaimLook, run directory.Run, part string) error {
	c, rel := l.History.Claim, run.Release
	searched := func(why func(directory.Event) bool) bool {
		return slices.ContainsFunc(l.History.Events, func(e directory.Event) bool {
			return e.Type == directory.Observe && e.Body.State == directory.SeenNotFound && why(e)
		})
	}
	switch {
	case searched(func(e directory.Event) bool { return e.PerformedAt.Date() == p.now.Date() }):
		p.skip(skipToday)
		return nil
	case searched(func(e directory.Event) bool {
		return e.Body.Source == rel.Source && e.Body.Release == rel.Name && e.Body.SourceAsOf == rel.AsOf
	}):
		p.skip(skipSame) // the same bytes asked again are no second search
		return nil
	}
	p.counts.NotFound++
	by := []string{"licence"}
	if c.Kind == directory.IdentityNPI {
		by = []string{"npi"}
	}
	if s := p.h.subject(); len(s.Names)+len(s.Organisations) > 0 {
		by = append(by, "name")
	}
	e := directory.Event{Type: directory.Observe, PerformedAt: p.now, Actor: p.s.config.Tool, Evidence: []string{p.keep(p.searchEvidence(run, part))},
		Reason: []string{directory.ReasonNoRecord}, Body: directory.Body{State: directory.SeenNotFound, By: by, Source: rel.Source, SourceAsOf: rel.AsOf,
			Release: rel.Name, Number: c.Number.Shown}}
	n := p.append(p.h, p.claim(p.h, c), e, true)
	n.source, n.judge = rel.Source, true
	return nil
}

// searchEvidence is what a search that found nothing rests on: one for each release and licence type. Of a
// register of current licences it says so, since absence from one means less.
func (w *work) searchEvidence(run directory.Run, part string) directory.Evidence {
	rel, n := run.Release, run.Counts
	info, _ := directory.Tables().Source(rel.Source)
	return w.evidenceOf(rel, struct {
		Source       string         `json:"source"`
		Release      string         `json:"release"`
		AsOf         directory.Date `json:"as_of"`
		FileSHA256   string         `json:"file_sha256"`
		Searched     int            `json:"rows_searched"`
		Part         string         `json:"licence_type,omitempty"`
		Completeness string         `json:"completeness"`
	}{rel.Source, rel.Name, rel.AsOf, rel.SHA256, n.Added + n.Changed + n.Unchanged, part, info.Completeness})
}

// CaseAge is how many cases of a kind are open, and since when the oldest.
type CaseAge struct {
	Kind   directory.CaseKind `json:"kind"`
	Open   int                `json:"open"`
	Oldest directory.Instant  `json:"oldest"`
}

// CaseAges counts the open cases of each kind, the kind of the oldest first.
func (s *Store) CaseAges(ctx context.Context) ([]CaseAge, error) {
	var out []CaseAge
	err := s.read(ctx, "store.CaseAges", func(t *tx) error {
		return t.each(`SELECT kind, count(*), min(opened) FROM cases WHERE closed = '' GROUP BY kind ORDER BY min(opened), kind`, nil, func(r *sql.Rows) error {
			var c CaseAge
			err := r.Scan(&c.Kind, &c.Open, &c.Oldest)
			out = append(out, c)
			return err
		})
	})
	return out, err
}

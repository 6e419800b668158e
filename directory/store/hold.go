package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"kapdir/directory"
)

// Queue returns what waits for a person, the most harmful kind first and the one due first within it, with
// what each still needs; total counts those beyond the limit too.
func (s *Store) Queue(ctx context.Context, f CaseFilter) (out []directory.Queued, total int, err error) {
	l, err := s.List(ctx, f, false)
	return l.Cases, l.Total, err
}

// List returns a page of the list of cases as Queue orders it; with counts, how many cases each value of each
// filter would leave.
func (s *Store) List(ctx context.Context, f CaseFilter, counts bool) (out directory.CaseList, err error) {
	err = s.read(ctx, "store.List", func(t *tx) error {
		now := s.now()
		if counts {
			if out.Counts, out.Total, err = t.countCases(f, now); err != nil {
				return err
			}
		} else {
			all := f
			all.After = ""
			which := where(all, now)
			if _, err := t.one(`SELECT count(*) FROM cases c WHERE `+which.where, which.args, &out.Total); err != nil {
				return err
			}
		}
		if out.Total == 0 {
			return nil
		}
		lines, err := t.casesOf(where(f, now), f.Limit+1)
		if err != nil {
			return err
		}
		if len(lines) > f.Limit {
			lines = lines[:f.Limit]
			out.Next = lines[f.Limit-1].cursor()
		}
		out.Cases, err = s.queued(t, lines)
		return err
	})
	return out, err
}

// queued tells the lines of the list what they need.
func (s *Store) queued(t *tx, lines []line) (out []directory.Queued, err error) {
	var ids, claims, paired []directory.ID
	var cases []string
	for _, c := range lines {
		ids, claims, cases = append(ids, c.Provider), append(claims, c.Claim), append(cases, string(c.ID))
		if c.Kind == directory.CaseDuplicate && c.work == directory.WorkSecond { // who has said so stands in the file
			paired = append(paired, c.Provider)
		}
	}
	err = t.claims(paired, `AND kind = 'credential_file'`, nil, func(c directory.Claim) { claims = append(claims, c.ID) })
	if err != nil {
		return nil, err
	}
	held, err := t.loadClaims(ids, claims)
	if err != nil {
		return nil, err
	}
	desk, err := s.desk(t)
	if err != nil {
		return nil, err
	}
	holds := map[directory.ID]*directory.Hold{}
	err = t.eachIn(`SELECT id, staff, giver, since, until FROM case_hold WHERE until > $1 AND id IN (%s)`, []any{desk.now}, cases, func(r *sql.Rows) error {
		var h directory.Hold
		err := r.Scan(&h.Case, &h.Staff, &h.By, &h.Since, &h.Until)
		holds[h.Case] = &h
		return err
	})
	if err != nil {
		return nil, err
	}
	var about []directory.Case
	for _, l := range lines {
		about = append(about, l.Case)
	}
	pairs, err := t.pairsOf(about, func(id directory.ID) *holding {
		if h := held[id]; h != nil {
			return &holding{stored: *h}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	today := desk.now.Date()
	for _, l := range lines {
		c := l.Case
		h := held[c.Provider]
		if h == nil {
			return nil, directory.Errorf(directory.Internal, "", "the provider of case %s is missing: run kapdir fsck", c.ID)
		}
		q := directory.Queued{Case: c, Name: h.file.Provider.DisplayName(), What: "row " + c.Key, Due: l.due, State: l.state, Hold: holds[c.ID]}
		hist := desk.historyOf(h, c)
		if hist != nil {
			q.What, q.About = hist.Claim.Words(), &hist.Claim
			if e := desk.event(hist, c); e != nil {
				q.Why = hist.Missing(*e, desk.now, desk.known)
			}
		}
		q.Waits = desk.waits(h, c, hist)
		if q.Need = desk.need(h, c, hist, pairs[c.ID]); q.Waits {
			q.Work, q.Late = l.work, l.due != "" && l.due < today
		}
		out = append(out, q)
	}
	return out, nil
}

// loadClaims reads providers with no more of their claims than those named, but whole those of whom somebody was
// merged into them: their claims may be parts of one.
func (t *tx) loadClaims(ids, claims []directory.ID) (map[directory.ID]*stored, error) {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	out, err := t.providers(ids)
	if err != nil || len(out) == 0 {
		return out, err
	}
	var merged []directory.ID
	err = t.eachIn(`SELECT DISTINCT provider FROM claim WHERE home <> provider AND provider IN (%s)`, nil, texts(ids), func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		merged = append(merged, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	owner := map[directory.ID]*directory.History{}
	var read []string
	err = t.eachIn(`SELECT `+claimColumns+` FROM claim WHERE id IN (%s)`, nil, texts(claims), func(r *sql.Rows) error {
		c, err := scanClaim(r)
		if h := out[c.Provider]; h != nil && !slices.Contains(merged, c.Provider) {
			h.file.Claims = append(h.file.Claims, directory.History{Claim: c})
			read = append(read, string(c.ID))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, h := range out {
		for i := range h.file.Claims {
			owner[h.file.Claims[i].Claim.ID] = &h.file.Claims[i]
		}
	}
	if err := t.events(read, func(claim directory.ID) *directory.History { return owner[claim] }); err != nil || len(merged) == 0 {
		return out, err
	}
	all, err := t.load(merged)
	if err != nil {
		return nil, err
	}
	for id, h := range all {
		out[id] = h
	}
	return out, nil
}

// countCases counts what waits by every value that it can be filtered by.
func (t *tx) countCases(f CaseFilter, now directory.Instant) (out []directory.Count, total int, err error) {
	by := []string{"kind", "work", "holder", "late", "source", "state", "needs"}
	want := []string{string(f.Kind), string(f.Work), f.Holder, "", f.Source, string(f.State), string(f.Needs)}
	if f.Late {
		want[3] = "1"
	}
	counts := map[string]map[string]int{}
	for _, b := range by {
		counts[b] = map[string]int{}
	}
	add := func(have []string, n int) {
		misses, at := 0, 0
		for i := range by {
			if want[i] != "" && want[i] != have[i] {
				misses, at = misses+1, i
			}
		}
		switch misses {
		case 0:
			total += n
			for i, b := range by {
				counts[b][have[i]] += n
			}
		case 1:
			counts[by[at]][have[at]] += n
		}
	}
	scan := func(held bool) func(*sql.Rows) error {
		return func(r *sql.Rows) error {
			have := make([]string, len(by))
			var due string
			var n int
			if err := r.Scan(&have[0], &have[1], &have[2], &due, &have[4], &have[5], &have[6], &n); err != nil {
				return err
			}
			if have[3] = "0"; due < string(now.Date()) {
				have[3] = "1"
			}
			add(have, n)
			if held { // it was counted among those that are free
				have[2] = directory.Nobody
				add(have, -n)
			}
			return nil
		}
	}
	const columns, group = `c.kind, c.work, %s, c.due, c.source, c.state, c.needs`, ` GROUP BY c.kind, c.work, c.due, c.source, c.state, c.needs`
	all := `SELECT ` + fmt.Sprintf(columns, `'-'`) + `, c.n FROM case_count c`
	var args []any
	provider := ""
	if f.Provider != "" {
		provider, args = ` AND c.provider = $1`, []any{f.Provider}
		all = `SELECT ` + fmt.Sprintf(columns, `'-'`) + `, count(*) FROM cases c WHERE ` + waiting + provider + group
	}
	if err := t.each(all, args, scan(false)); err != nil {
		return nil, 0, err
	}
	err = t.each(`SELECT `+fmt.Sprintf(columns, `h.staff`)+`, count(*) FROM case_hold h JOIN cases c ON c.id = h.id WHERE `+waiting+provider+
		fmt.Sprintf(` AND h.until > $%d`, len(args)+1)+group+`, h.staff`, append(args, now), scan(true))
	if err != nil {
		return nil, 0, err
	}
	for _, b := range by {
		var values []string
		for v := range counts[b] {
			values = append(values, v)
		}
		slices.SortFunc(values, func(x, y string) int {
			if b == "kind" {
				return harmOf(directory.CaseKind(x)) - harmOf(directory.CaseKind(y))
			}
			return strings.Compare(x, y)
		})
		for _, v := range values {
			if b == "late" && v == "0" || counts[b][v] == 0 {
				continue
			}
			out = append(out, directory.Count{By: b, Value: v, N: counts[b][v]})
		}
	}
	return out, total, nil
}

// untilGivenBack is until when a case is whose it was given to: until they give it back.
const untilGivenBack = directory.Instant("9999-12-31T23:59:59.999Z")

// Take makes a case the staff member's for directory.HoldTime; taking it again holds it for longer. A case that
// is somebody else's is Conflict, unless it is taken over, which stays on record.
func (s *Store) Take(ctx context.Context, id directory.ID, staff string, over bool) (out directory.Hold, err error) {
	err = s.write(ctx, "store.Take "+string(id), func(w *work) error {
		if err := w.handable(id, staff); err != nil {
			return err
		}
		out, err = w.take1(id, staff, over)
		return err
	})
	return out, err
}

// Next makes the first case of the list the member's that is free, or their own, and does not wait for others alone; it
// returns its id, "" when there is none. Two who ask at once are given two different ones. The case skip is not given:
// while it waits the list is gone on with after it, and from its beginning only once nothing is left there.
func (s *Store) Next(ctx context.Context, f CaseFilter, staff string, skip directory.ID) (id directory.ID, err error) {
	f.All, f.After = false, ""
	for range nextTries {
		if id, err = s.free(ctx, f, staff, skip); err != nil || id == "" {
			return "", err
		}
		if _, err = s.Take(ctx, id, staff, false); directory.KindOf(err) != directory.Conflict { // somebody was quicker
			break
		}
	}
	if err != nil {
		return "", err
	}
	return id, nil
}

// nextTries is how often somebody may be slower than others before Next gives up.
const nextTries = 50

// free finds what Next gives.
func (s *Store) free(ctx context.Context, f CaseFilter, staff string, skip directory.ID) (id directory.ID, err error) {
	err = s.read(ctx, "store.Next", func(t *tx) error {
		desk, err := s.desk(t)
		if err != nil {
			return err
		}
		if err := desk.office.decider(staff); err != nil {
			return err
		}
		member, err := desk.office.member(staff)
		if err != nil {
			return err
		}
		starts := []string{""}
		if skip != "" {
			switch l, err := t.lineOf(skip); {
			case err == nil && l.Closed == "":
				starts = []string{l.cursor(), ""}
			case err != nil && directory.KindOf(err) != directory.NotFound:
				return err
			}
		}
		for _, f.After = range starts {
			for some := 1; ; some = min(4*some, 64) { // nearly always the first will do
				which := where(f, desk.now)
				n := len(which.args)
				which.where += fmt.Sprintf(` AND c.id <> $%d AND NOT EXISTS (SELECT 1 FROM case_hold h WHERE h.id = c.id AND h.staff <> $%d AND h.until > $%d)`, n+1, n+2, n+3)
				which.args = append(which.args, skip, staff, desk.now)
				lines, err := t.casesOf(which, some)
				if err != nil {
					return err
				}
				if id, err = desk.firstFor(t, lines, member); err != nil || id != "" {
					return err
				}
				if len(lines) < some {
					break
				}
				f.After = lines[some-1].cursor()
			}
		}
		return nil
	})
	return id, err
}

// firstFor returns the first of the cases that does not wait for others than the member, "" if there is none. What they
// said their part about does, what needs an approver now if they are none, and what they read at the register themself.
func (d desk) firstFor(t *tx, lines []line, m directory.StaffMember) (directory.ID, error) {
	var of []directory.ID
	for _, l := range lines {
		of = append(of, l.Provider)
	}
	held, err := t.load(of)
	if err != nil {
		return "", err
	}
	for _, l := range lines {
		h := held[l.Provider]
		if h == nil {
			return "", directory.Errorf(directory.Internal, "", "the provider of case %s is missing: run kapdir fsck", l.ID)
		}
		hist := d.historyOf(h, l.Case)
		var e *directory.Event
		if hist != nil {
			e = d.event(hist, l.Case)
		}
		mine := e != nil && e.Actor.Kind == directory.Staff && e.Actor.ID == m.Name
		if l.work != directory.WorkSecond && !mine { // if nothing else, it can be corrected
			return l.ID, nil
		}
		p, err := t.pairOf(l.Case, &holding{stored: *h})
		if err != nil {
			return "", err
		}
		need := d.need(h, l.Case, hist, p)
		if l.work == directory.WorkSecond && (slices.Contains(need.Given, m.Name) || need.Approver && m.Role != directory.Approver) {
			continue
		}
		all := d.choices(h, l.Case, hist, e, m, p)
		if !mine || slices.ContainsFunc(all, func(x directory.Choice) bool { return x.Refused == "" }) {
			return l.ID, nil
		}
	}
	return "", nil
}

// Assign gives a case to a staff member, until they give it back or somebody takes it over.
func (s *Store) Assign(ctx context.Context, id directory.ID, staff, to, note string) (out directory.Hold, err error) {
	err = s.write(ctx, "store.Assign "+string(id), func(w *work) error {
		if err := w.handable(id, staff); err != nil {
			return err
		}
		o, err := w.office()
		if err != nil {
			return err
		}
		if err := o.decider(to); err != nil {
			return err
		}
		if directory.LooksLikeSSN(note) {
			return directory.Errorf(directory.Refused, "note", "what looks like a Social Security number must not be held")
		}
		from := ""
		if h, err := w.holdOf(id, w.now); err != nil {
			return err
		} else if h != nil {
			if from = h.Staff; from != staff {
				return directory.Errorf(directory.Conflict, "", "this case is %s's: take it over before you give it to somebody", from)
			}
		}
		out = directory.Hold{Case: id, Staff: to, By: staff, Since: w.now, Until: untilGivenBack}
		if to == staff {
			out.Until = w.now.Add(directory.HoldTime)
		}
		return w.hand(out, directory.Handing{Do: "assign", Staff: staff, To: to, From: from, Note: clean(note)})
	})
	return out, err
}

// Release gives a case back, so that anybody may take it. Only whose it is can.
func (s *Store) Release(ctx context.Context, id directory.ID, staff string) error {
	return s.write(ctx, "store.Release "+string(id), func(w *work) error {
		h, err := w.holdOf(id, w.now)
		switch {
		case err != nil:
			return err
		case h == nil:
			return directory.Errorf(directory.Conflict, "case", "the case is nobody's: there is nothing to give back")
		case h.Staff != staff:
			return directory.Errorf(directory.Conflict, "case", "the case is %s's, not yours: take it over first", h.Staff)
		}
		if _, err := w.exec(`DELETE FROM case_hold WHERE id = $1`, id); err != nil {
			return err
		}
		return w.handed(directory.Handing{Case: id, Do: "release", Staff: staff})
	})
}

// handable refuses to hand a case around that does not wait, or by somebody who decides nothing.
func (w *work) handable(id directory.ID, staff string) error {
	o, err := w.office()
	if err != nil {
		return err
	}
	if err := o.decider(staff); err != nil {
		return err
	}
	l, err := w.lineOf(id)
	if err == nil && (l.Closed != "" || l.hidden == 2) {
		err = directory.Errorf(directory.Conflict, "case", "the case waits for nobody any more")
	}
	return err
}

// decider refuses whoever may decide nothing: they have no use for a case.
func (o office) decider(name string) error {
	m, err := o.member(name)
	if err == nil && !m.Role.May(directory.Return, directory.Ordinary) {
		err = directory.Errorf(directory.Refused, "staff", "%s is %s and decides no cases: %s can", name, m.Role, directory.OneOf(o.with(directory.Verifier, directory.Approver)))
	}
	return err
}

func (w *work) take1(id directory.ID, staff string, over bool) (directory.Hold, error) {
	out := directory.Hold{Case: id, Staff: staff, By: staff, Since: w.now, Until: w.now.Add(directory.HoldTime)}
	w.s.desks.now.Store(true) // an import of this process need not look it up
	h, err := w.holdOf(id, w.now)
	step := directory.Handing{Do: "take", Staff: staff, To: staff}
	switch {
	case err != nil:
		return out, err
	case h != nil && h.Staff == staff:
		if h.Until < out.Until {
			h.Until = out.Until
			_, err = w.exec(`UPDATE case_hold SET until = $2 WHERE id = $1`, id, h.Until)
		}
		return *h, err
	case h != nil && !over:
		return out, taken(*h)
	case h != nil:
		step.Do, step.From = "take_over", h.Staff
	}
	return out, w.hand(out, step)
}

func taken(h directory.Hold) error {
	if h.Given() {
		return directory.Errorf(directory.Conflict, "case", "this case is %s's: %s gave it to them on %s. Take it over on purpose, or leave it to them", h.Staff, h.By, h.Since.Date())
	}
	return directory.Errorf(directory.Conflict, "case", "this case is %s's until %s, and longer if they go on. Take it over on purpose, or leave it to them",
		h.Staff, h.Until.Time().Format("15:04 MST on 2 Jan"))
}

func (w *work) hand(h directory.Hold, step directory.Handing) error {
	if _, err := w.exec(`INSERT INTO case_hold (id, staff, giver, since, until) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET staff = excluded.staff, giver = excluded.giver, since = excluded.since, until = excluded.until`, h.Case, h.Staff, h.By, h.Since, h.Until); err != nil {
		return err
	}
	step.Case = h.Case
	return w.handed(step)
}

// handed keeps the step for those who look later.
func (w *work) handed(step directory.Handing) error {
	_, err := w.exec(`INSERT INTO case_handing (number, at, id, act, staff, to_whom, from_whom, note)
		SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM case_handing`, w.now, step.Case, step.Do, step.Staff, step.To, step.From, step.Note)
	return err
}

// holdOf returns whose the case is at the moment, nil when it is nobody's.
func (t *tx) holdOf(id directory.ID, now directory.Instant) (*directory.Hold, error) {
	var h directory.Hold
	found, err := t.one(`SELECT id, staff, giver, since, until FROM case_hold WHERE id = $1 AND until > $2`, []any{id, now}, &h.Case, &h.Staff, &h.By, &h.Since, &h.Until)
	if err != nil || !found {
		return nil, err
	}
	return &h, nil
}

func (t *tx) handings(id directory.ID) (out []directory.Handing, err error) {
	err = t.each(`SELECT number, at, id, act, staff, to_whom, from_whom, note FROM case_handing WHERE id = $1 ORDER BY number`, []any{id}, func(r *sql.Rows) error {
		var x directory.Handing
		err := r.Scan(&x.Number, &x.At, &x.Case, &x.Do, &x.Staff, &x.To, &x.From, &x.Note)
		out = append(out, x)
		return err
	})
	return out, err
}

// leftTo refuses to decide what somebody else works: the case, or of what names none the open cases about the
// claim or, without one, the provider. Whose own it is keeps it for longer.
func (w *work) leftTo(staff string, id, claim, provider directory.ID) error {
	if w.trial { // nothing is done
		return nil
	}
	query, arg := `c.id = $1`, id
	switch {
	case id != "":
	case claim != "":
		query, arg = `c.claim = $1`, claim
	default:
		query, arg = `c.provider = $1`, provider
	}
	var holds []directory.Hold
	err := w.each(`SELECT h.id, h.staff, h.giver, h.since, h.until FROM case_hold h JOIN cases c ON c.id = h.id WHERE `+query+` AND c.closed = '' AND h.until > $2 ORDER BY h.id`,
		[]any{arg, w.now}, func(r *sql.Rows) error {
			var h directory.Hold
			err := r.Scan(&h.Case, &h.Staff, &h.By, &h.Since, &h.Until)
			holds = append(holds, h)
			return err
		})
	if err != nil {
		return err
	}
	for _, h := range holds {
		if h.Staff != staff {
			return taken(h)
		}
		if until := w.now.Add(directory.HoldTime); h.Until < until {
			if _, err := w.exec(`UPDATE case_hold SET until = $2 WHERE id = $1`, h.Case, until); err != nil {
				return err
			}
		}
	}
	return nil
}

// Views returns the lists of cases that the staff member has given names, by name.
func (s *Store) Views(ctx context.Context, staff string) (out []directory.View, err error) {
	err = s.read(ctx, "store.Views", func(t *tx) error {
		return t.each(`SELECT name, query FROM saved_view WHERE staff = $1 ORDER BY name`, []any{staff}, func(r *sql.Rows) error {
			var v directory.View
			err := r.Scan(&v.Name, &v.Query)
			out = append(out, v)
			return err
		})
	})
	return out, err
}

// SaveView gives a list of cases a name, in place of the one that had it; without a query the name is forgotten.
func (s *Store) SaveView(ctx context.Context, staff string, v directory.View) error {
	return s.write(ctx, "store.SaveView", func(w *work) error {
		v.Name = strings.TrimSpace(clean(v.Name))
		switch {
		case v.Name == "" || len(v.Name) > 60:
			return directory.Errorf(directory.Invalid, "name", "a view has a name of at most 60 characters")
		case len(v.Query) > 500:
			return directory.Errorf(directory.Invalid, "query", "that is too long for a view")
		}
		if v.Query == "" {
			_, err := w.exec(`DELETE FROM saved_view WHERE staff = $1 AND name = $2`, staff, v.Name)
			return err
		}
		_, err := w.exec(`INSERT INTO saved_view (staff, name, query) VALUES ($1, $2, $3) ON CONFLICT (staff, name) DO UPDATE SET query = excluded.query`, staff, v.Name, clean(v.Query))
		return err
	})
}

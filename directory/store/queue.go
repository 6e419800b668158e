package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// CaseFilter says which cases Queue lists.
type CaseFilter = directory.CaseFilter

// Cases returns what waits for a person, the most harmful kind first and the one due first within it; with
// openOnly false, closed cases too. What is about a provider who is on no public face waits for nobody.
func (s *Store) Cases(ctx context.Context, openOnly bool, limit int) (out []directory.Case, err error) {
	err = s.read(ctx, "store.Cases", func(t *tx) error {
		lines, err := t.casesOf(where(CaseFilter{All: !openOnly}, s.now()), limit)
		for _, l := range lines {
			out = append(out, l.Case)
		}
		return err
	})
	return out, err
}

const caseColumns = `c.id, c.kind, c.provider, c.claim, c.source, c.key, c.event, c.revision, c.agreed, c.opened, c.closed, c.decided, c.hidden, c.harm, c.due, c.work, c.state`

// filter is a condition on cases with its arguments, and their order.
type filter struct {
	where string
	args  []any
	order string
}

// waiting is the condition on cases that wait for somebody.
const waiting = `c.closed = '' AND c.hidden < 2`

// where writes the filter for a moment.
func where(f CaseFilter, now directory.Instant) filter {
	out := filter{where: waiting, order: `c.hidden, c.harm, c.due, c.id`}
	if f.All {
		out.where, out.order = `c.harm >= 0`, `c.harm, c.due, c.id`
	}
	and := func(condition string, args ...any) {
		for _, a := range args {
			out.args = append(out.args, a)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(out.args)), 1)
		}
		out.where += " AND " + condition
	}
	for _, x := range []struct{ column, value string }{
		{"kind", string(f.Kind)}, {"provider", string(f.Provider)}, {"source", f.Source}, {"state", string(f.State)}, {"work", string(f.Work)}, {"needs", string(f.Needs)},
	} {
		if x.value != "" {
			and(`c.`+x.column+` = ?`, x.value)
		}
	}
	if f.Late {
		and(`c.due < ?`, string(now.Date()))
	}
	switch f.Holder {
	case "":
	case directory.Nobody:
		and(`NOT EXISTS (SELECT 1 FROM case_hold h WHERE h.id = c.id AND h.until > ?)`, now)
	default:
		and(`EXISTS (SELECT 1 FROM case_hold h WHERE h.id = c.id AND h.staff = ? AND h.until > ?)`, f.Holder, now)
	}
	var hidden, harm int64
	if rest, id, ok := cut(f.After); ok && !f.All {
		if rest, due, ok := cut(rest); ok {
			if _, err := fmt.Sscanf(rest, "%d.%d", &hidden, &harm); err == nil {
				and(`(c.hidden, c.harm, c.due, c.id) > (?, ?, ?, ?)`, hidden, harm, due, id)
			}
		}
	}
	return out
}

func cut(s string) (before, after string, ok bool) {
	i := strings.LastIndex(s, ".")
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// line is a case with what the list of cases is ordered and filtered by.
type line struct {
	directory.Case
	hidden, harm int64
	due          directory.Date
	work         directory.Work
	state        directory.State
}

// cursor names the line, so that the list goes on after it.
func (l line) cursor() string {
	return fmt.Sprintf("%d.%d.%s.%s", l.hidden, l.harm, string(l.due), l.ID)
}

// casesOf reads cases in the order in which a person looks at them.
func (t *tx) casesOf(f filter, limit int) ([]line, error) {
	var out []line
	n := len(f.args) + 1
	if f.order == "" {
		f.order = `c.id`
	}
	err := t.each(fmt.Sprintf(`SELECT %s FROM cases c WHERE %s ORDER BY %s LIMIT $%d`, caseColumns, f.where, f.order, n), append(slices.Clip(f.args), limit), func(r *sql.Rows) error {
		var l line
		var agreed string
		if err := r.Scan(&l.ID, &l.Kind, &l.Provider, &l.Claim, &l.Source, &l.Key, &l.Event, &l.Revision, &agreed, &l.Opened, &l.Closed, &l.Decided,
			&l.hidden, &l.harm, &l.due, &l.work, &l.state); err != nil {
			return err
		}
		out = append(out, l)
		return json.Unmarshal([]byte(agreed), &out[len(out)-1].Match)
	})
	return out, err
}

// caseOf reads one case.
func (t *tx) caseOf(id directory.ID) (directory.Case, error) {
	l, err := t.lineOf(id)
	return l.Case, err
}

func (t *tx) lineOf(id directory.ID) (line, error) {
	found, err := once(t, "case "+string(id), func() ([]line, error) { return t.casesOf(filter{where: `c.id = $1`, args: []any{id}}, 1) })
	if err == nil && len(found) == 0 {
		err = directory.Errorf(directory.NotFound, "case", "there is no case %s", id).Try("kapdir cases list shows what waits")
	}
	if err != nil {
		return line{}, err
	}
	return found[0], nil
}

// TouchDue writes a numbered change for every provider whose answer has changed by time alone since it
// was last computed, at most limit of them, and for those linked to them by oversight. n counts the
// providers that were due; with n equal to limit there may be more.
func (s *Store) TouchDue(ctx context.Context, now directory.Instant, limit int) (n int, err error) {
	err = s.write(ctx, "store.TouchDue", func(w *work) error {
		var due []directory.ID
		err := w.each(`SELECT id FROM provider WHERE valid_until > '' AND valid_until <= $1 AND listed = 1 AND withdrawn = 0 AND merged_into = ''
			ORDER BY valid_until, id LIMIT $2`, []any{now, limit}, func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			due = append(due, id)
			return err
		})
		if err != nil {
			return err
		}
		w.now = max(w.now, now)
		held, err := w.briefs(due, "", w.now)
		if err != nil {
			return err
		}
		w.holdBriefs(held)
		for _, h := range held {
			h.change("due")
		}
		n = len(due)
		return nil
	})
	return n, err
}

// AcquireLease takes or renews the lease of a name for the holder; it reports whether the holder has it
// now. A lease that has run out can be taken by anybody.
func (s *Store) AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	return s.AcquireLeaseAt(ctx, name, holder, s.now(), ttl)
}

// AcquireLeaseAt is AcquireLease by another clock than the store's, which stands still in a demonstration.
func (s *Store) AcquireLeaseAt(ctx context.Context, name, holder string, at directory.Instant, ttl time.Duration) (ok bool, err error) {
	err = s.write(ctx, "store.AcquireLease "+name, func(w *work) error {
		n, err := w.exec(`INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE
			SET holder = excluded.holder, until = excluded.until WHERE lease.holder = excluded.holder OR lease.until <= $4`,
			name, holder, at.Add(ttl), at)
		ok = n == 1
		return err
	})
	return ok, err
}

// ReleaseLease gives up the lease of a name, if the holder has it.
func (s *Store) ReleaseLease(ctx context.Context, name, holder string) error {
	return s.write(ctx, "store.ReleaseLease "+name, func(w *work) error {
		_, err := w.exec(`DELETE FROM lease WHERE name = $1 AND holder = $2`, name, holder)
		return err
	})
}

// RequestRebuild asks running servers to rebuild their index.
func (s *Store) RequestRebuild(ctx context.Context) error { return s.request(ctx, "rebuild") }

// RebuildRequested returns how often a rebuild was asked for. A server remembers the answer it started
// with, and rebuilds when it has grown: several servers each see each request.
func (s *Store) RebuildRequested(ctx context.Context) (int64, error) {
	return s.requested(ctx, "rebuild")
}

// RequestExport asks running servers to write a snapshot of what is public.
func (s *Store) RequestExport(ctx context.Context) error { return s.request(ctx, "export") }

// ExportRequested returns how often a snapshot was asked for, as RebuildRequested does.
func (s *Store) ExportRequested(ctx context.Context) (int64, error) {
	return s.requested(ctx, "export")
}

func (s *Store) request(ctx context.Context, what string) error {
	return s.write(ctx, "store.request "+what, func(w *work) error {
		_, err := w.exec(`INSERT INTO request (name, count) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET count = request.count + 1`, what)
		return err
	})
}

func (s *Store) requested(ctx context.Context, what string) (int64, error) {
	var n int64
	err := s.glance(ctx, "store.requested "+what, func(t *tx) error {
		_, err := t.one(`SELECT count FROM request WHERE name = $1`, []any{what}, &n)
		return err
	})
	return n, err
}

// newCase is a case to be opened when the work is written.
type newCase struct {
	directory.Case
	event *newEvent // whose number it takes; nil when no event was appended
	about string    // a hash of what a case without an event is about, where that is not the row alone
}

// openCase asks for a case; one that is open already stays as it is.
func (w *work) openCase(c directory.Case, e *newEvent) { w.cases = append(w.cases, newCase{c, e, ""}) }

// writeCases opens the cases asked for, and closes those whose claims need nobody any more. A case that was
// closed opens again for a newer event; one without an event, when the row that it is about has changed.
func (w *work) writeCases() error {
	type identity struct{ kind, provider, claim, source, key string }
	place := map[identity]int{}
	var rows [][]any
	for _, c := range w.cases {
		hash := c.about
		if c.event != nil {
			c.Event = c.event.event().Seq
		} else if hash != "" {
		} else {
			var err error
			if hash, err = w.rowHash(c.Source, clean(c.Key)); err != nil {
				return err
			}
		}
		agreed, err := json.Marshal(c.Match)
		if err != nil {
			return err
		}
		row, err := w.caseRow(c.Case, string(agreed), hash)
		if err != nil {
			return err
		}
		id := identity{string(c.Kind), string(c.Provider), string(c.Claim), c.Source, clean(c.Key)}
		switch i, again := place[id]; {
		case !again:
			place[id] = len(rows)
			rows = append(rows, row)
		case c.Event > rows[i][6].(int64):
			rows[i] = row
		}
	}
	err := w.insertCases(rows)
	if err != nil {
		return err
	}
	w.undated = w.undated || len(rows) > 0
	if err := w.settleCases(); err != nil {
		return err
	}
	return w.dateCases()
}

// caseRow writes a case to be opened as a row of the table. Whose provider is at hand, such as in a screening of everybody,
// stands in its place at once.
func (w *work) caseRow(c directory.Case, agreed, hash string) ([]any, error) {
	at := casePlace{harm: 99, work: directory.WorkNew, needs: directory.Verifier}
	if h := w.held[c.Provider]; h != nil {
		at = placeOf(c, w.now, h, jurisdictionIn(h, c.Claim))
		if err := at.stage(w, c, historyIn(h, c.Claim), pair{}); err != nil {
			return nil, err
		}
		if c.Kind.ByTime() && at.state == "" && h.brief != nil {
			at.due = "" // where they are is not held: see dateCases
		}
	}
	return []any{directory.NewID(directory.CasePrefix, w.now), c.Kind, c.Provider, c.Claim, c.Source, clean(c.Key), c.Event, agreed, w.now, "", 1, hash, 0,
		at.hidden, at.harm, at.due, string(at.work), string(at.needs), string(at.state)}, nil
}

// insertCases opens cases. One of the same kind, claim and row is the one there is.
func (w *work) insertCases(rows [][]any) error {
	return w.insert(`INSERT INTO cases (id, kind, provider, claim, source, key, event, agreed, opened, closed, revision, row_hash, decided,
		hidden, harm, due, work, needs, state)`, rows,
		`ON CONFLICT (kind, provider, claim, source, key) DO UPDATE SET event = excluded.event, agreed = excluded.agreed, row_hash = excluded.row_hash,
			opened = CASE WHEN cases.closed = '' THEN cases.opened ELSE excluded.opened END, due = CASE WHEN cases.closed = '' THEN cases.due ELSE '' END,
			work = CASE WHEN excluded.event > cases.event THEN excluded.work ELSE cases.work END, needs = CASE WHEN excluded.event > cases.event THEN excluded.needs ELSE cases.needs END,
			closed = '', revision = cases.revision + 1, decided = 0
		WHERE excluded.event > cases.event
			OR excluded.event = 0 AND (excluded.row_hash <> cases.row_hash OR cases.closed = '' AND excluded.agreed <> cases.agreed)`)
}

// settleCases closes the cases of the claims that the work has written to whose events no longer wait for
// anybody, and opens again those whose events do: what settled them was voided. A case goes by its newest
// observation; when that is decided and an earlier one still waits, the case goes on with it.
func (w *work) settleCases() error {
	hists := map[directory.ID]*directory.History{}
	var claims []string
	for _, n := range w.events {
		h := n.history()
		if n.event().Type != directory.Assert && len(h.Events) > 1 && hists[h.Claim.ID] == nil { // a first event settles nothing
			for _, id := range append([]directory.ID{h.Claim.ID}, h.Also...) {
				hists[id] = h
				claims = append(claims, string(id))
			}
		}
	}
	for _, x := range w.stands {
		if (len(x.hist.Events) > 1 || x.Ends() != "") && hists[x.hist.Claim.ID] == nil {
			for _, id := range append([]directory.ID{x.hist.Claim.ID}, x.hist.Also...) {
				hists[id] = x.hist
				claims = append(claims, string(id))
			}
		}
	}
	if len(claims) == 0 {
		return nil
	}
	byTime := map[directory.ID][]directory.Case{}
	cases := map[directory.ID][]directory.Case{}
	var order []directory.ID
	err := w.eachIn(`SELECT id, kind, claim, source, event, closed FROM cases WHERE claim IN (%s) ORDER BY claim, event DESC, id`, nil, claims, func(r *sql.Rows) error {
		var c directory.Case
		err := r.Scan(&c.ID, &c.Kind, &c.Claim, &c.Source, &c.Event, &c.Closed)
		c.Claim = hists[c.Claim].Claim.ID // cases about claims that are one since a merge are about one
		if c.Kind.ByTime() {
			byTime[c.Claim] = append(byTime[c.Claim], c)
			return err
		}
		if cases[c.Claim] == nil {
			order = append(order, c.Claim)
		}
		cases[c.Claim] = append(cases[c.Claim], c)
		return err
	})
	if err != nil || len(order)+len(w.stands) == 0 {
		return err
	}
	known, err := w.known()
	if err != nil {
		return err
	}
	var done, again []string
	var office *office // who decides; read when somebody has
	for _, claim := range order {
		hist := hists[claim]
		left := directory.Derive(*hist, w.now, known, w.s.config.Policies).Pending // and no open case is about it
		var free []directory.Case
		for _, c := range cases[claim] {
			switch waits := w.s.waits(c, hist, w.now, known); {
			case waits:
				left = slices.DeleteFunc(left, func(n int64) bool { return n == c.Event })
				if c.Closed != "" {
					again = append(again, string(c.ID))
				} else if last := hist.LastReview(c.Event, w.now, known); last != nil {
					if office == nil {
						o, err := w.office()
						if err != nil {
							return err
						}
						office = &o
					}
					if err := w.reviewed(c, hist, *office, known); err != nil {
						return err
					}
				}
			case c.Kind != directory.CaseDispute && c.Kind != directory.CaseDocument:
				free = append(free, c)
			case c.Closed == "":
				done = append(done, string(c.ID))
			}
		}
		if len(left) > 0 && len(free) > 0 {
			of := left[len(left)-1]
			i := max(0, slices.IndexFunc(free, func(c directory.Case) bool { return c.Source == hist.Event(of).Body.Source }))
			if err := w.goOn(free[i], *hist.Event(of)); err != nil {
				return err
			}
			free = slices.Delete(free, i, i+1)
		}
		for _, c := range free {
			if c.Closed == "" {
				done = append(done, string(c.ID))
			}
		}
	}
	gone, back, err := w.casesByTime(byTime, &office, known)
	if err != nil {
		return err
	}
	done, again = append(done, gone...), append(again, back...)
	if err := w.execIn(`UPDATE cases SET closed = $1 WHERE id IN (%s)`, []any{w.now}, done); err != nil {
		return err
	}
	w.undated = w.undated || len(again) > 0
	return w.execIn(`UPDATE cases SET closed = '', due = '', opened = $1 WHERE id IN (%s)`, []any{w.now}, again)
}

// casesByTime makes the cases that time opens agree with how their claims stand: one is open about what has ended, or one
// about what is about to, and goes by the newest look at the register. It opens those that lack, and returns those to be
// closed and those to be opened again.
func (w *work) casesByTime(held map[directory.ID][]directory.Case, o **office, known directory.Instant) (done, again []string, err error) {
	var rows, moved [][]any
	for _, x := range w.stands {
		want, of := x.Ends(), held[x.hist.Claim.ID]
		var open, closed *directory.Case
		for i := range of {
			switch c := &of[i]; {
			case c.Closed == "" && (c.Kind != want || open != nil):
				done = append(done, string(c.ID))
			case c.Closed == "":
				open = c
			case c.Kind == want && c.Source == x.Basis.Body.Source && closed == nil:
				closed = c
			}
		}
		c := directory.Case{Kind: want, Provider: x.h.id(), Claim: x.hist.Claim.ID, Opened: w.now}
		if want != "" {
			c.Source, c.Event, c.Match = x.Basis.Body.Source, x.Basis.Seq, matchOf(x.Basis.Body)
		}
		switch {
		case want == "":
		case open == nil && closed == nil:
			agreed, err := json.Marshal(c.Match)
			if err != nil {
				return nil, nil, err
			}
			row, err := w.caseRow(c, string(agreed), "")
			if err != nil {
				return nil, nil, err
			}
			rows = append(rows, row)
			w.undated = true
		case open == nil:
			again = append(again, string(closed.ID))
			moved = append(moved, []any{closed.ID, c.Event, string(directory.WorkNew), ""})
		case open.Event != c.Event: // somebody looked, and it says what it said: the time to look again runs anew
			moved = append(moved, []any{open.ID, c.Event, string(directory.WorkNew), string(want.Due(w.now.Date()))})
		case tried(x.hist, c.Event, w.now, known) != nil:
			if *o == nil {
				staff, err := w.office()
				if err != nil {
					return nil, nil, err
				}
				*o = &staff
			}
			if err := w.reviewed(*open, x.hist, **o, known); err != nil {
				return nil, nil, err
			}
		}
	}
	if err := w.insertCases(rows); err != nil {
		return nil, nil, err
	}
	return done, again, w.update("cases", "id", []string{"event BIGINT", "work TEXT", "due TEXT"}, moved)
}

// tried returns the newest attempt of a person to look the claim up since the observation of that number, where no
// source answered; nil if there is none.
func tried(hist *directory.History, since int64, now, known directory.Instant) *directory.Event {
	for _, e := range slices.Backward(hist.InEffect(now, known)) {
		switch {
		case e.Seq == since:
			return nil
		case e.Type == directory.Observe && e.Body.State == directory.SeenUnavailable && e.Actor.Kind == directory.Staff:
			return &e
		}
	}
	return nil
}

// reviewed notes how far a case is that somebody has looked at and that waits on: one that was returned is due anew.
func (w *work) reviewed(c directory.Case, hist *directory.History, o office, known directory.Instant) error {
	need := desk{s: w.s, office: o, now: w.now, known: known}.needOf(c, hist, pair{})
	work, role := need.Work()
	_, err := w.exec(`UPDATE cases SET work = $2, needs = $3, due = CASE WHEN $4 = '' THEN due ELSE $4 END WHERE id = $1`, c.ID, work, role, string(need.Due))
	return err
}

// casePlace is where a case stands in the list.
type casePlace struct {
	hidden, harm int
	due          string
	work         directory.Work
	needs        directory.Role
	state        directory.State
}

// stage says how far the case is and whose turn it is, as its page will.
func (at *casePlace) stage(w *work, c directory.Case, hist *directory.History, p pair) error {
	if c.Kind.ByTime() { // nobody has had a hand in it yet
		return nil
	}
	known, err := w.known()
	if err != nil {
		return err
	}
	d := desk{s: w.s, now: w.now, known: known}
	if hist != nil { // what no person has had a hand in yet asks nobody who they are
		if e := hist.Event(c.Event); e != nil && (e.Actor.Kind == directory.Staff || hist.LastReview(c.Event, w.now, known) != nil) {
			if d.office, err = w.office(); err != nil {
				return err
			}
		}
	} else if len(p.given) > 0 {
		if d.office, err = w.office(); err != nil {
			return err
		}
	}
	need := d.needOf(c, hist, p)
	at.work, at.needs = need.Work()
	if need.Due != "" {
		at.due = string(need.Due)
	}
	return nil
}

// placeOf returns the place of a case about a provider, nil when there is none. The state is that of the claim, else of
// the provider's first site.
func placeOf(c directory.Case, opened directory.Instant, h *holding, state directory.State) casePlace {
	at := casePlace{hidden: 2, harm: harmOf(c.Kind), due: string(c.Kind.Due(opened.Date())), work: directory.WorkNew, needs: directory.Verifier, state: state}
	if h == nil {
		return at
	}
	switch p := h.file.Provider; {
	case c.Kind == directory.CaseRemoved:
		at.hidden = 0
	case p.Withdrawn || p.MergedInto != "":
	case !h.listed && c.Kind.ByTime(): // no page says it
	case !h.listed:
		at.hidden = 1
	default:
		at.hidden = 0
	}
	if at.state != "" {
		return at
	}
	for _, a := range h.subject().Addresses { // of whom only a part is held, this is at hand too
		if at.state = a.State; at.state != "" {
			break
		}
	}
	return at
}

// historyIn returns a claim of those that are held, nil when it is none of them.
func historyIn(h *holding, claim directory.ID) *directory.History {
	for i := range h.file.Claims {
		if claim != "" && h.file.Claims[i].Holds(claim) {
			return &h.file.Claims[i]
		}
	}
	return nil
}

// jurisdictionIn returns the state of a claim of those that are held.
func jurisdictionIn(h *holding, claim directory.ID) directory.State {
	if hist := historyIn(h, claim); hist != nil {
		return hist.Claim.Jurisdiction
	}
	return ""
}

// dateCases gives the cases that were opened their place in the list: by whom they are seen, when they are due.
func (w *work) dateCases() error {
	if !w.undated {
		return nil
	}
	w.undated = false
	var rows [][]any
	var ids []string
	var providers []directory.ID
	var opened []directory.Case
	states := map[directory.ID]directory.State{} // of claims
	var claims []directory.ID
	err := w.each(`SELECT c.id, c.kind, c.provider, c.claim, c.source, c.key, c.event, c.opened, coalesce(l.jurisdiction, '') FROM cases c LEFT JOIN claim l ON l.id = c.claim
		WHERE c.due = '' AND c.closed = ''`, nil, func(r *sql.Rows) error {
		var c directory.Case
		var state directory.State
		err := r.Scan(&c.ID, &c.Kind, &c.Provider, &c.Claim, &c.Source, &c.Key, &c.Event, &c.Opened, &state)
		opened, claims = append(opened, c), append(claims, c.Claim)
		states[c.Claim] = state
		ids = append(ids, string(c.ID))
		providers = append(providers, c.Provider)
		return err
	})
	if err != nil || len(opened) == 0 {
		return err
	}
	var paired []directory.ID // who has said of two that they are one stands in the file
	for _, c := range opened {
		if c.Kind == directory.CaseDuplicate {
			paired = append(paired, c.Provider)
		}
	}
	if err := w.claims(paired, `AND kind = 'credential_file'`, nil, func(c directory.Claim) { claims = append(claims, c.ID) }); err != nil {
		return err
	}
	found, err := w.loadClaims(providers, claims) // their events stand in the tables by now
	if err != nil {
		return err
	}
	for _, c := range opened {
		h := w.held[c.Provider]
		if known := found[c.Provider]; known != nil && (h == nil || h.brief != nil) { // of whom a part is held there may be no address
			h = &holding{stored: *known}
		}
		at := placeOf(c, c.Opened, h, states[c.Claim])
		if known := found[c.Provider]; known != nil {
			p, err := w.pairOf(c, &holding{stored: *known})
			if err != nil {
				return err
			}
			if err := at.stage(w, c, historyIn(&holding{stored: *known}, c.Claim), p); err != nil {
				return err
			}
		}
		rows = append(rows, []any{c.ID, at.hidden, at.harm, at.due, string(at.work), string(at.needs), string(at.state)})
	}
	err = w.update("cases", "id", []string{"hidden BIGINT", "harm BIGINT", "due TEXT", "work TEXT", "needs TEXT", "state TEXT"}, rows)
	if err != nil {
		return err
	}
	if w.keeps {
		return nil
	}
	return w.execIn(`DELETE FROM case_hold WHERE id IN (%s)`, nil, ids)
}

// placeCases gives the cases of a store from before there were places theirs.
func (s *Store) placeCases(ctx context.Context) error {
	var n int
	err := s.read(ctx, "store.placeCases", func(t *tx) error {
		_, err := t.one(`SELECT count(*) FROM cases WHERE due = '' AND closed = ''`, nil, &n)
		return err
	})
	if err != nil || n == 0 {
		return err
	}
	return s.write(ctx, "store.placeCases", func(w *work) error {
		w.undated, w.keeps = true, true
		return nil
	})
}

// harmOf is the place of a kind among the kinds.
func harmOf(k directory.CaseKind) int {
	for i, x := range directory.CaseKinds {
		if x.Kind == k {
			return i
		}
	}
	return 99
}

// goOn makes a case be about another observation of its claim.
func (w *work) goOn(c directory.Case, e directory.Event) error {
	agreed, err := json.Marshal(matchOf(e.Body))
	if err != nil {
		return err
	}
	w.undated = true
	_, err = w.exec(`UPDATE cases SET event = $2, agreed = $3, closed = '', opened = CASE WHEN closed = '' THEN opened ELSE $4 END, due = '', revision = revision + 1 WHERE id = $1`,
		c.ID, e.Seq, string(agreed), w.now)
	return err
}

// waits reports that the event of a case about a claim waits for a person.
func (s *Store) waits(c directory.Case, hist *directory.History, now, known directory.Instant) bool {
	if hist == nil {
		return c.Closed == ""
	}
	is := func(e directory.Event) bool { return e.Seq == c.Event }
	switch c.Kind {
	case directory.CaseExpired, directory.CaseExpiring:
		return directory.Derive(*hist, now, known, s.config.Policies).Ends() == c.Kind
	case directory.CaseDispute:
		return slices.ContainsFunc(hist.Disputed(now, known), is)
	case directory.CaseDocument:
		return slices.ContainsFunc(hist.InEffect(now, known), is) && hist.LastReview(c.Event, now, known) == nil
	}
	return slices.Contains(directory.Derive(*hist, now, known, s.config.Policies).Pending, c.Event)
}

// known is the moment of knowledge that takes in everything written so far.
func (w *work) known() (directory.Instant, error) {
	head, err := w.head()
	return max(w.now, head.RecordedAt), err
}

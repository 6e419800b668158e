package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// sourceReads says how each source is read now.
func (s *Store) sourceReads(t *tx) ([]directory.SourceReads, error) {
	v := &verifying{s: s}
	if err := v.readSources(t); err != nil {
		return nil, err
	}
	var out []directory.SourceReads
	for _, id := range slices.Sorted(maps.Keys(v.sources)) {
		x := v.sources[id]
		r := directory.SourceReads{Info: x.info, Release: x.run.Release, Titles: slices.Sorted(maps.Keys(x.parts))}
		switch {
		case x.importing():
			r.How = "importing"
		case x.quiet():
			r.How = "loaded"
		}
		out = append(out, r)
	}
	return out, nil
}

// openCasesOf fills in which case is open about the claim of each row, and whose it is.
func (t *tx) openCasesOf(rows []directory.SheetRow, now directory.Instant) error {
	at := map[directory.ID][]int{}
	var claims []directory.ID
	for i, r := range rows {
		if r.Claim != "" {
			at[r.Claim] = append(at[r.Claim], i)
			claims = append(claims, r.Claim)
		}
	}
	for some := range slices.Chunk(claims, 500) {
		err := t.eachIn(`SELECT c.claim, c.id, coalesce(h.staff, '') FROM cases c LEFT JOIN case_hold h ON h.id = c.id AND h.until > $1 WHERE c.claim IN (%s) AND c.closed = '' AND c.hidden < 2 ORDER BY c.id`,
			[]any{now}, texts(some), func(r *sql.Rows) error {
				var claim, id directory.ID
				var holder string
				err := r.Scan(&claim, &id, &holder)
				for _, i := range at[claim] {
					if rows[i].Case == "" || rows[i].Holder == "" && holder != "" {
						rows[i].Case, rows[i].Holder = id, holder
					}
				}
				return err
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// BringIn appends what people found when they looked claims up by hand, each in a transaction of its own: an observation
// by a person, whose actor is the staff member. It goes by the rules of an import: the record is compared with the
// provider and the match has a rung, status words go by the source's table (Config.Standing), bad news lowers at once,
// good news waits for a review by somebody else, that nothing was found counts once a day, and that nobody could look
// proves nothing. What was brought in before is appended no second time; a row whose claim has gone on since the
// worksheet was written is not taken. With dryRun nothing is written, and the outcomes say what would be.
//
// Whoever looked up and has an account brings it in themself: the ledger knows who may not confirm it by the actor.
func (s *Store) BringIn(ctx context.Context, staff, auth string, rows []directory.LookUp, dryRun bool) ([]directory.LookUpOutcome, error) {
	const op = "store.BringIn"
	var o office
	err := s.read(ctx, op, func(t *tx) error {
		var err error
		if o, err = t.office(); err != nil {
			return err
		}
		m, err := o.member(staff)
		if err != nil {
			return err
		}
		if auth == "" {
			return directory.Errorf(directory.Invalid, "auth", "who brings something in says how they proved who they are")
		}
		return o.may(m, directory.Return, directory.Ordinary) // whoever may say what a source says
	})
	if err != nil {
		return nil, err
	}
	out := make([]directory.LookUpOutcome, 0, len(rows))
	for _, row := range rows {
		b := &brought{LookUp: row, staff: staff, auth: auth, office: o, dry: dryRun,
			out: directory.LookUpOutcome{Line: row.Line, Provider: row.Provider, Claim: row.Claim, Found: row.Found, Kind: row.Kind}}
		if dryRun {
			err = s.read(ctx, op, func(t *tx) error { b.work = newWork(s, t); return b.take() })
		} else {
			err = s.write(ctx, op, func(w *work) error {
				b.work = w
				if err := b.take(); err != nil {
					return err
				}
				return w.settle()
			})
		}
		var de *directory.Error
		switch kind := directory.KindOf(err); {
		case err == nil:
		case errors.As(err, &de) && (kind == directory.Invalid || kind == directory.Refused || kind == directory.Conflict || kind == directory.NotFound):
			b.out.Became, b.out.Field, b.out.Reason = directory.BecameWrong, de.Field, de.Detail
			if b.out.Field == "seen" {
				b.out.Field = "revision" // as the column is called
			}
		default:
			return out, err
		}
		out = append(out, b.out)
	}
	return out, nil
}

// brought is a look-up in the hands of a transaction.
type brought struct {
	directory.LookUp
	*work
	staff, auth string
	office      office
	dry         bool
	out         directory.LookUpOutcome

	info    directory.SourceInfo
	h       *holding
	i       int // the claim's place; -1 of a list that was never searched for them
	about   directory.Claim
	added   []string // evidence that was filed with the case
	policy  directory.Policy
	asKnown directory.Instant
}

func wrong(field, format string, args ...any) error {
	return directory.Errorf(directory.Invalid, field, format, args...)
}

// take checks a look-up and appends what follows from it.
func (b *brought) take() error {
	if err := b.find(); err != nil {
		return err
	}
	evidence := b.evidence()
	sum := digest(evidence.Body)
	hist := directory.History{Claim: b.about}
	if b.i >= 0 {
		hist = b.h.file.Claims[b.i]
	}
	for _, e := range hist.Events {
		if slices.Contains(e.Evidence, sum) {
			b.out.Became, b.out.Event = directory.BecameAlready, e.Seq
			return nil
		}
	}
	if hist.Newest() != b.Revision {
		if err := fresh(hist, b.Revision, "kapdir worksheets export "+b.Source); b.Revision > 0 && err != nil {
			return err
		}
		return directory.Errorf(directory.Conflict, "revision", "since the worksheet was written, the claim has got %d events; export it anew", len(hist.Events))
	}
	if err := b.free(); err != nil {
		return err
	}
	switch b.Found {
	case "could_not_look":
		return b.unavailable(hist, evidence)
	case "no":
		return b.nothing(hist, evidence)
	case "yes":
		return b.record(hist, evidence)
	}
	return wrong("found", "%q is neither yes nor no nor could_not_look", b.Found)
}

// lookedUp are the kinds of claim that a look-up by hand is about.
var lookedUp = []directory.ClaimKind{directory.License, directory.ExclusionScreen, directory.IdentityNPI}

// find finds the claim that the row names, and refuses a row that cannot be about it.
func (b *brought) find() error {
	var ok bool
	if b.info, ok = directory.Tables().Source(b.Source); !ok {
		return wrong("source", "there is no source %q", b.Source)
	}
	if b.At == "" || b.At > b.now.Add(5*time.Minute) {
		return wrong("looked_at", "%s is not yet: say when the source was looked at, with the time zone", b.LookedAt)
	}
	if who := strings.ToLower(strings.TrimSpace(b.By)); who != "" && who != b.staff &&
		slices.ContainsFunc(b.office.staff, func(m directory.StaffMember) bool { return m.Name == who }) {
		return directory.Errorf(directory.Refused, "looked_by", "%s has an account and brings in themself what they looked up: whoever looked must not be the one who confirms it", who)
	}
	var err error
	if b.asKnown, err = b.known(); err != nil {
		return err
	}
	b.policy = b.s.config.Policies.InForce(b.now, b.now)
	held, err := b.hold([]directory.ID{b.Provider})
	if err != nil {
		return err
	}
	if b.h = held[b.Provider]; b.h == nil || !b.h.public() {
		return directory.Errorf(directory.NotFound, "provider", "there is no provider %s with a public page any more", b.Provider)
	}
	b.out.Name = b.h.file.Provider.DisplayName()
	switch b.i = b.h.index(b.Claim); {
	case b.Claim == "" && b.Kind == directory.ExclusionScreen:
		b.about = directory.Claim{Kind: directory.ExclusionScreen, Issuer: b.Source, Provider: b.Provider}
		if b.i = b.h.find(b.about); b.i >= 0 {
			b.about = b.h.file.Claims[b.i].Claim
		}
	case b.Claim == "" || b.i < 0:
		return directory.Errorf(directory.NotFound, "claim", "the provider has no such claim: leave the column as it was exported")
	default:
		b.about = b.h.file.Claims[b.i].Claim
	}
	b.out.Claim, b.out.What = b.about.ID, b.about.Words()
	switch {
	case b.about.Kind != b.Kind || b.Kind == directory.ExclusionScreen && b.about.Issuer != b.Source:
		return wrong("kind", "the claim is a %s: leave the column as it was exported", b.about.Words())
	case !slices.Contains(lookedUp, b.Kind):
		return wrong("kind", "a %s is not looked up by a worksheet", b.Kind)
	case !b.policy.Approves(b.Source, b.Kind, b.about.Jurisdiction):
		return directory.Errorf(directory.Refused, "source", "no policy approves %s for it: what it says would prove nothing", b.Source)
	case b.Number != "" && directory.LooksLikeBareSSN(b.Number) && !directory.LooksLikeBareSSN(b.about.Number.Shown):
		return directory.Errorf(directory.Refused, "number", "what looks like a Social Security number must not be held")
	}
	if b.Case == "" {
		return nil
	}
	c, err := b.caseOf(b.Case)
	switch {
	case err != nil:
		return err
	case c.Claim == "" || b.i < 0 || !b.h.file.Claims[b.i].Holds(c.Claim):
		return directory.Errorf(directory.Invalid, "case", "the case is about something else")
	}
	b.added, err = b.addedTo(b.Case)
	return err
}

// free refuses what somebody else works at the desk.
func (b *brought) free() error {
	if b.about.ID == "" {
		return nil
	}
	if !b.dry {
		return b.leftTo(b.staff, "", b.about.ID, b.h.id())
	}
	var holds []directory.Hold // a preview writes nothing, and leftTo keeps one's own hold alive
	err := b.each(`SELECT h.id, h.staff, h.giver, h.since, h.until FROM case_hold h JOIN cases c ON c.id = h.id WHERE c.claim = $1 AND c.closed = '' AND h.until > $2 ORDER BY h.id`,
		[]any{b.about.ID, b.now}, func(r *sql.Rows) error {
			var h directory.Hold
			err := r.Scan(&h.Case, &h.Staff, &h.By, &h.Since, &h.Until)
			holds = append(holds, h)
			return err
		})
	for _, h := range holds {
		if h.Staff != b.staff {
			return taken(h)
		}
	}
	return err
}

// key names the record of a look-up among the records of its source.
func (b *brought) key() string { return "worksheet " + string(b.Provider) }

// evidence is what the observation rests on: what was copied, of which page, when and by whom. It is the same whoever
// brings it in, so that the same row is known again.
func (b *brought) evidence() directory.Evidence {
	fields := map[string]string{}
	for name, v := range map[string]string{"found": b.Found, "looked_at": b.LookedAt, "looked_by": b.By, "status_words": b.Words, "number": b.Number, "name_shown": b.Name,
		"expires": string(b.Expires), "issued": string(b.Issued), "restrictions": b.Restrictions, "source_as_of": string(b.SourceAsOf), "note": b.Note} {
		if v = clean(v); v != "" {
			fields[name] = v
		}
	}
	claim := b.about
	if b.i < 0 {
		claim = directory.Claim{Kind: directory.ExclusionScreen, Issuer: b.Source}
	}
	body, _ := json.Marshal(struct { // strings always marshal
		Source   string            `json:"source"`
		Key      string            `json:"key"`
		Provider directory.ID      `json:"provider"`
		Claim    string            `json:"claim"`
		Fields   map[string]string `json:"fields"`
	}{b.Source, b.key(), b.Provider, claim.Words(), fields})
	return directory.Evidence{MediaType: "application/json", Source: b.Source, Class: b.info.Class, Method: "manual", URL: directory.LookUpPage(b.info, claim, b.h.file.Provider.NPI),
		RetrievedAt: b.At, RetrievedBy: cmp.Or(clean(b.By), b.staff), SourceAsOf: b.SourceAsOf, Body: body}
}

// observe appends an observation by whoever brings it in.
func (b *brought) observe(i int, body directory.Body, reason []string, evidence directory.Evidence, visible bool) *newEvent {
	e := directory.Event{Type: directory.Observe, PerformedAt: b.At, Actor: directory.Actor{Kind: directory.Staff, ID: b.staff, Auth: b.auth}, Reason: reason,
		Evidence: append([]string{b.keep(evidence)}, b.added...), Body: body}
	n := b.work.append(b.h, i, e, visible)
	n.source, n.key = b.Source, b.key()
	return n
}

// place is the place of the claim, which is made if there is none.
func (b *brought) place() int {
	if b.i < 0 {
		b.i = b.claim(b.h, directory.Claim{Kind: directory.ExclusionScreen, Issuer: b.Source})
		b.about = b.h.file.Claims[b.i].Claim
		b.out.Claim = b.about.ID
	}
	return b.i
}

// foresee says in the outcome how the claim would stand with the event.
func (b *brought) foresee(hist directory.History, e directory.Event) directory.Standing {
	policies := b.s.config.Policies
	after := hist.Foresee(e, b.now, b.asKnown, policies)
	b.out.Before, b.out.After = directory.Derive(hist, b.now, b.asKnown, policies).Words(), after.Words()
	b.out.Waits = slices.Contains(after.Pending, hist.Newest()+1)
	b.out.Says, b.out.Match, b.out.Became = e.Body.State, matchOf(e.Body), directory.BecameRecorded
	return after
}

// told fills in which event and which case came of it, once they have their numbers.
func (b *brought) told(n *newEvent) {
	b.then = func() error {
		b.out.Event = n.event().Seq
		_, err := b.one(`SELECT id FROM cases WHERE claim = $1 AND event = $2 AND closed = '' AND kind NOT IN ('expired', 'expiring') ORDER BY id LIMIT 1`, []any{n.history().Claim.ID, n.event().Seq}, &b.out.Case)
		return err
	}
}

func (b *brought) left(reason string) error {
	b.out.Became, b.out.Reason = directory.BecameLeft, reason
	return nil
}

// unavailable appends that the source could not be asked, as a verification does: not where a document shows the claim
// or something waits for a reviewer. What is public stays as it is: where the answer would move, nothing is appended.
func (b *brought) unavailable(hist directory.History, evidence directory.Evidence) error {
	st := directory.Derive(hist, b.now, b.asKnown, b.s.config.Policies)
	e := directory.Event{Type: directory.Observe, PerformedAt: b.At, Actor: directory.Actor{Kind: directory.Staff, ID: b.staff}, Reason: []string{directory.ReasonUnavailable},
		Body: directory.Body{State: directory.SeenUnavailable, Source: b.Source, SourceAsOf: b.SourceAsOf}}
	after := hist.Foresee(e, b.now, b.asKnown, b.s.config.Policies)
	if after.Status != st.Status || !slices.Equal(after.Reasons, st.Reasons) || (after.Basis == nil) != (st.Basis == nil) || after.Basis != nil && after.Basis.Seq != st.Basis.Seq {
		return b.left("nothing follows from it: the claim stays as it is, and due")
	}
	b.foresee(hist, e)
	b.out.Waits = false
	b.told(b.observe(b.place(), e.Body, e.Reason, evidence, false))
	return nil
}

// nothing appends that a search by number and every name found no record: of a list, that it has nobody of the name.
func (b *brought) nothing(hist directory.History, evidence directory.Evidence) error {
	if b.info.Completeness == "n/a" {
		return directory.Errorf(directory.Refused, "found", "that %s has no record means nothing: it does not hold everybody", b.info.Short)
	}
	var body directory.Body
	var reason []string
	if b.Kind == directory.ExclusionScreen {
		body = directory.ScreenClear(directory.Release{Source: b.Source, AsOf: b.SourceAsOf}).Body
	} else {
		by := []string{"licence"}
		if b.Kind == directory.IdentityNPI {
			by = []string{"npi"}
		}
		if s := b.h.subject(); len(s.Names)+len(s.Organisations) > 0 {
			by = append(by, "name")
		}
		body, reason = directory.Body{State: directory.SeenNotFound, By: by, Source: b.Source, SourceAsOf: b.SourceAsOf, Number: b.about.Number.Shown}, []string{directory.ReasonNoRecord}
		for _, e := range hist.Events { // two searches count only on different days, and in different data
			switch {
			case e.Type != directory.Observe || e.Body.State != directory.SeenNotFound:
			case e.PerformedAt.Date() == b.At.Date():
				return b.left("it was searched on that day already: two searches count on different days")
			case e.Body.Source == b.Source && b.SourceAsOf != "" && e.Body.SourceAsOf == b.SourceAsOf:
				return b.left("it was searched in the data of that day already: the same data asked again are no second search")
			}
		}
	}
	b.foresee(hist, directory.Event{Type: directory.Observe, PerformedAt: b.At, Actor: directory.Actor{Kind: directory.Staff, ID: b.staff}, Body: body})
	n := b.observe(b.place(), body, reason, evidence, true)
	n.judge = true
	b.told(n)
	return nil
}

// record appends what a record says that was found: of a licence what its page says of board actions too.
func (b *brought) record(hist directory.History, evidence directory.Evidence) error {
	rec, err := b.read()
	if err != nil {
		return err
	}
	list := b.Kind == directory.ExclusionScreen
	compare := directory.Prepare(rec.Subject()).Match
	if list {
		compare = directory.Prepare(rec.Subject()).Screen
	}
	m := compare(b.h.ready())
	if m.Rung == directory.M0 {
		return wrong("name_shown", "the record contradicts what is known of the provider (%s): if it is somebody else's, found is no", m.Words())
	}
	said := rec.Observations(directory.Release{Source: b.Source, AsOf: b.SourceAsOf}, m)
	body := &said[0].Body
	switch {
	case b.Kind == directory.IdentityNPI:
		body.State, body.SourceWords = b.standing(), clean(b.Words)
	case b.Kind == directory.License && len(body.Restrictions) == 0 && !b.noActions():
		body.Restrictions = []string{clean(b.Restrictions)}
	case list && cleared(hist.Events, *body):
		return b.left("a person has cleared just that already")
	}
	visible := m.Rung == directory.M5 || m.Identified() || m.Rung == directory.M4 && !list // a name on a list is nobody's answer
	b.foresee(hist, directory.Event{Type: directory.Observe, PerformedAt: b.At, Actor: directory.Actor{Kind: directory.Staff, ID: b.staff}, Body: *body})
	n := b.observe(b.place(), *body, nil, evidence, visible)
	if n.judge = visible && !list; list {
		b.out.Waits = true
		b.openCase(directory.Case{Kind: directory.CaseExclusion, Provider: b.h.id(), Claim: b.about.ID, Source: b.Source, Key: n.key, Match: m}, n)
	}
	for _, st := range said[1:] { // board actions, of the licence that the record is of
		c := st.Claim
		c.Title, c.Number = b.about.Title, b.about.Number
		b.observe(b.claim(b.h, c), st.Body, nil, evidence, visible).judge = visible
	}
	b.told(n)
	return nil
}

// standing is what the status words mean.
func (b *brought) standing() directory.Observed {
	if b.s.config.Standing == nil {
		return directory.SeenIndeterminate
	}
	return b.s.config.Standing(b.Source, b.Words, b.Expires, b.At.Date())
}

// noActions reports that no board action was copied: the cell is empty, or says that there is none.
func (b *brought) noActions() bool {
	return b.Restrictions == "" || slices.Contains([]string{"none", "no"}, directory.Fold(b.Restrictions))
}

// read makes a record of what was copied, as one of a file of the source would be.
func (b *brought) read() (directory.Record, error) {
	rec := directory.Record{Source: b.Source, Key: b.key()}
	whose, person := b.h.file.Provider, directory.ParseName(clean(b.Name))
	switch b.Kind {
	case directory.IdentityNPI:
		npi, err := directory.ParseNPI(b.Number)
		if err != nil || string(npi) != b.about.Number.Key {
			return rec, wrong("number", "%q is not the NPI that was looked up, %s", b.Number, b.about.Number.Shown)
		}
		rec.Identity = &directory.IdentityRecord{NPI: npi, Kind: whose.Kind, Name: person}
		if whose.Kind == directory.Organisation {
			rec.Identity.Name, rec.Identity.Organisation = directory.Name{}, clean(b.Name)
		}
	case directory.ExclusionScreen:
		x := &directory.ExclusionRecord{Name: person, Authority: clean(b.Words), Excluded: b.Issued}
		if whose.Kind == directory.Organisation {
			x.Name, x.Organisation = directory.Name{}, clean(b.Name)
		}
		if npi, err := directory.ParseNPI(b.Number); err == nil {
			x.NPI = npi
		} else if b.Number != "" && b.info.Jurisdiction != "US" {
			x.Licence, x.LicenceState = directory.ParseLicenceNumber(clean(b.Number)), b.info.Jurisdiction
		}
		rec.Exclusion = x
	case directory.License:
		l := &directory.LicenceRecord{State: b.about.Jurisdiction, BoardType: b.about.Title, Number: directory.ParseLicenceNumber(clean(b.Number)), Name: person, Words: clean(b.Words),
			Standing: b.standing(), Issued: b.Issued, Expires: b.Expires, Discipline: directory.DisciplineUnsaid}
		rec.Licence = l
		same, number := sameLicence(directory.Claim{Kind: directory.License, Jurisdiction: l.State, Title: l.BoardType, Number: l.Number}, b.about)
		screened := b.policy.Approves(b.Source, directory.DisciplineScreen, l.State)
		switch {
		case !same && !number && l.Number.Key != b.about.Number.Key:
			return rec, wrong("number", "%q is not the number that was looked up, %s: if the register has no such number, found is no", b.Number, b.about.Number.Shown)
		case l.Issued > b.At.Date():
			return rec, wrong("issued", "%s lies behind the day of the look-up", l.Issued)
		case !b.noActions() && screened:
			l.Discipline, l.Actions = directory.DisciplineShown, []directory.BoardAction{{Action: clean(b.Restrictions)}}
		case !b.noActions() && l.Standing == directory.SeenActive: // active, and yet there is something: for a person
			l.Standing = directory.SeenIndeterminate
		case screened && (b.Restrictions != "" || l.Standing.Adverse()):
			l.Discipline = directory.DisciplineShown
		}
	}
	return rec, nil
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kapdir/directory"
)

// Dossier returns a case with everything a person needs to decide it. With as, the choices say what that
// staff member may not do. A case that does not exist is NotFound; a closed one is returned like any other.
func (s *Store) Dossier(ctx context.Context, id directory.ID, as string) (directory.Dossier, error) {
	var d directory.Dossier
	err := s.readOnce(ctx, "store.Dossier "+string(id), func(t *tx) error {
		l, err := t.lineOf(id)
		if err != nil {
			return err
		}
		c := l.Case
		held, err := t.load([]directory.ID{c.Provider})
		if err != nil {
			return err
		}
		h := held[c.Provider]
		if h == nil {
			return directory.Errorf(directory.Internal, "", "the provider of case %s is missing: run kapdir fsck", c.ID)
		}
		desk, err := s.desk(t)
		if err != nil {
			return err
		}
		var member directory.StaffMember
		if as != "" {
			if member, err = desk.office.member(as); err != nil {
				return err
			}
		}
		d = directory.Dossier{Case: c, Seen: c.Revision, Provider: h.file.Provider, History: []directory.Told{}, Compared: []directory.Compared{}}
		hist := desk.historyOf(h, c)
		var body, shown *directory.Body
		var of *directory.Event
		if hist != nil {
			claim := hist.Claim
			st := directory.Derive(*hist, desk.now, desk.known, s.config.Policies)
			d.Claim, d.Seen, d.Status, d.Now, d.History = &claim, hist.Newest(), st.Status, st.Words(), hist.Tell(desk.now, desk.known)
			if of = desk.event(hist, c); of != nil && (of.Type == directory.Observe || of.Type == directory.Assert) {
				body = &of.Body
			}
			if shown = desk.shownBefore(hist, of); of != nil {
				d.Why = hist.Missing(*of, desk.now, desk.known)
			}
			if c.Kind.ByTime() && c.Closed == "" {
				d.Ends = hist.EndedAt(desk.now, desk.known, s.config.Policies)
			}
		}
		p, err := t.pairOf(c, &holding{stored: *h})
		if err != nil {
			return err
		}
		d.Waits, d.Need = desk.waits(h, c, hist), desk.need(h, c, hist, p)
		var rec *directory.Record
		if d.Row, rec, err = t.rowOf(c, of); err != nil {
			return err
		}
		p.gone = hist == nil && d.Row == nil
		if body != nil && body.State == directory.SeenIndeterminate {
			d.Why = directory.Unclear(*body, rec)
		}
		if d.Row != nil {
			switch {
			case rec != nil && rec.Licence != nil:
				d.Row.Number, d.Row.Link = rec.Licence.Number.Shown, rec.Licence.Link
			case body != nil:
				d.Row.Number, d.Row.Link = body.Number, body.Link
			}
		}
		d.Compared = directory.Compare(&h.file, d.Claim, shown, body, rec)
		if d.Others, err = t.othersOf(c); err != nil {
			return err
		}
		d.Choices = desk.choices(h, c, hist, of, member, p)
		d.Due = l.due
		if d.Filed, err = t.filed(`WHERE e.id = $1`, c.ID); err != nil {
			return err
		}
		if c.Kind == directory.CaseRemoval {
			found, err := t.removals(`WHERE id = $1`, c.ID)
			if err != nil {
				return err
			}
			for _, q := range found {
				d.Removal = &q
				d.Acts = append(d.Acts, desk.answers(q, member)...)
			}
		}
		d.Acts = append(d.Acts, desk.acts(h, hist, of, member)...)
		if err := t.whole(desk, h, member, &d); err != nil {
			return err
		}
		for i := range d.Choices {
			if x := &d.Choices[i]; as != "" && x.Refused == "" && (x.Event == nil || hist == nil) && x.Rehearsed(c.Kind) {
				wish := directory.Wish{Case: c.ID, Provider: c.Provider, Do: x.Decision, Of: x.Of, Staff: as, Field: "licence"}
				if out, err := t.foreseen(s, wish); err == nil {
					x.Foreseen = &out
				} // else what is foreseen elsewhere says why
			}
		}
		if d.Hold, err = t.holdOf(c.ID, desk.now); err != nil {
			return err
		}
		if d.Handed, err = t.handings(c.ID); err != nil {
			return err
		}
		if c.Kind == directory.CaseFacts && d.Waits {
			differ, err := t.differencesOf(&holding{stored: *h}, c)
			if err != nil {
				return err
			}
			d.Differs = differ
		}
		return nil
	})
	return d, err
}

// AtDesk returns a dossier without a case: of a provider, whoever is on no public face too, with what can be done about
// the whole of them. With as, the acts say what that staff member may not do.
func (s *Store) AtDesk(ctx context.Context, id directory.ID, as string) (d directory.Dossier, err error) {
	err = s.readOnce(ctx, "store.AtDesk "+string(id), func(t *tx) error {
		held, err := t.load([]directory.ID{id})
		if err != nil {
			return err
		}
		h := held[id]
		if h == nil {
			return notFoundOr(nil, "provider", id)
		}
		desk, err := s.desk(t)
		if err != nil {
			return err
		}
		var member directory.StaffMember
		if as != "" {
			if member, err = desk.office.member(as); err != nil {
				return err
			}
		}
		d = directory.Dossier{Case: directory.Case{Provider: id}, Provider: h.file.Provider}
		return t.whole(desk, h, member, &d)
	})
	return d, err
}

// Hidden returns whom the desk took off every public face, and what was held of whom is held still, by name.
func (s *Store) Hidden(ctx context.Context) (out []directory.Other, err error) {
	err = s.read(ctx, "store.Hidden", func(t *tx) error {
		var ids []directory.ID
		err := t.each(`SELECT id FROM provider WHERE withdrawn = 1 AND merged_into = '' AND NOT EXISTS
			(SELECT 1 FROM removal r WHERE r.provider = provider.id AND r.kind = 'removal' AND r.state IN ('proven', 'accepted')) ORDER BY id`, nil, func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil {
			return err
		}
		held, err := t.providers(slices.Clone(ids))
		for _, id := range ids {
			if h := held[id]; h != nil {
				out = append(out, directory.Other{ID: id, Name: h.file.Provider.DisplayName()})
			}
		}
		slices.SortStableFunc(out, func(a, b directory.Other) int { return strings.Compare(a.Name, b.Name) })
		return err
	})
	return out, err
}

// whole fills in what a dossier says of the whole provider: the file, whom else it concerns, and what can be done about
// it.
func (t *tx) whole(desk desk, h *stored, member directory.StaffMember, d *directory.Dossier) (err error) {
	if d.Linked, err = t.linkedOf(h); err != nil {
		return err
	}
	if d.Merged, err = t.mergedInto(h); err != nil {
		return err
	}
	d.File, d.At, d.Known = &h.file, desk.now, desk.known
	if err := t.link([]*directory.CredentialFile{d.File}); err != nil {
		return err
	}
	if d.Rest, d.Resting, err = t.resting([]directory.ID{h.file.Provider.ID}); err != nil {
		return err
	}
	p := h.file.Provider
	if p.MergedInto != "" {
		return nil
	}
	x := directory.Choice{Decision: "withdraw_file", Effect: "the provider leaves every public face; it can be taken back"}
	deed, on := directory.Withdrawal, directory.Ordinary
	if p.Withdrawn {
		x = directory.Choice{Decision: "restore_file", Effect: "the provider has a public page again, once compared with everything that was loaded meanwhile"}
		deed, on = directory.Voiding, directory.TakenDown
		for _, hist := range h.file.Claims {
			if hist.Claim.Kind != directory.FileClaim {
				continue
			}
			for _, e := range hist.InEffect(desk.now, desk.known) {
				if e.Type == directory.Takedown {
					x.Of = e.Seq
				}
			}
		}
		var n int
		if _, err := t.one(`SELECT count(*) FROM removal WHERE event = $1`, []any{x.Of}, &n); err != nil {
			return err
		}
		if n > 0 {
			x.Refused, x.Try = detail(destroyed())
		}
	}
	if err := desk.office.may(member, deed, on); member.Name != "" && x.Refused == "" && err != nil {
		x.Refused, x.Try = detail(err)
	}
	d.Acts = append(d.Acts, x)
	return nil
}

// linkedOf returns the prescribers of a provider, and those who name them as theirs.
func (t *tx) linkedOf(h *stored) (out []directory.Other, err error) {
	var ids []directory.ID
	as := map[directory.ID]string{}
	for _, hist := range h.file.Claims {
		if c := hist.Claim; c.Kind == directory.OversightLink && c.Other != "" && !c.Self() && as[c.Other] == "" {
			ids, as[c.Other] = append(ids, c.Other), "prescriber"
		}
	}
	err = t.each(`SELECT DISTINCT provider FROM claim WHERE kind = $1 AND other = $2 AND other <> '' AND provider <> $2 ORDER BY provider`, []any{directory.OversightLink, h.file.Provider.ID}, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		if as[id] == "" {
			ids, as[id] = append(ids, id), "therapist"
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	held, err := t.providers(ids)
	for _, id := range ids {
		if other := held[id]; other != nil {
			if as[id] == "therapist" && other.file.Provider.Kind == directory.Organisation {
				as[id] = "practice"
			}
			out = append(out, directory.Other{ID: id, Name: other.file.Provider.DisplayName(), As: as[id]})
		}
	}
	return out, err
}

// mergedInto returns who is one with the provider, with the decisions that made them so.
func (t *tx) mergedInto(h *stored) (out []directory.Merge, err error) {
	err = t.each(`SELECT merged, event FROM merge_record WHERE survivor = $1 ORDER BY merged`, []any{h.file.Provider.ID}, func(r *sql.Rows) error {
		var m directory.Merge
		err := r.Scan(&m.ID, &m.Event)
		for _, hist := range h.file.Claims {
			if hist.Claim.Kind == directory.FileClaim && hist.Event(m.Event) != nil {
				m.Claim, m.Seen = hist.Claim.ID, hist.Newest()
			}
		}
		out = append(out, m)
		return err
	})
	return out, err
}

// answers says how a request can be answered.
func (d desk) answers(q directory.Removal, m directory.StaffMember) (out []directory.Choice) {
	if q.State != "open" {
		return nil
	}
	effect := "the whole listing leaves every public face, and what was held about them is destroyed"
	if q.Kind == "correction" {
		effect = "the statement leaves every public face, until what is right is stated anew"
	}
	may := func(deed directory.Deed) (refused string) {
		if m.Name != "" {
			if err := d.office.may(m, deed, directory.Ordinary); err != nil {
				refused, _ = detail(err)
			}
		}
		return refused
	}
	return []directory.Choice{
		{Decision: "prove", Effect: "it is they who ask, through a contact on record: " + effect, Refused: may(directory.Return)},
		{Decision: "accept_request", Effect: "without that proof: " + effect, Refused: may(directory.Withdrawal)},
		{Decision: "decline_request", Effect: "nothing changes, and the case is closed", Refused: may(directory.Return)},
	}
}

// acts says what else can be done about the claim of the case.
func (d desk) acts(h *stored, hist *directory.History, of *directory.Event, m directory.StaffMember) (out []directory.Choice) {
	if p := h.file.Provider; p.Withdrawn || p.MergedInto != "" {
		return nil
	}
	policies := d.s.config.Policies
	actor := directory.Actor{Kind: directory.Staff, ID: m.Name}
	add := func(deed directory.Deed, on directory.Occasion, effect string, e *directory.Event) {
		x := directory.Choice{Decision: string(deed), Effect: effect, Event: e}
		if e != nil {
			x.Of = e.Supersedes
			e.Actor = actor
			before, after := directory.Derive(*hist, d.now, d.known, policies), hist.Foresee(*e, d.now, d.known, policies)
			x.Effect, x.After = change(before, after), after.Status
		}
		if m.Name != "" {
			if err := d.office.may(m, deed, on); err != nil {
				x.Refused, x.Try = detail(err)
			}
		}
		out = append(out, x)
	}
	if hist != nil && of != nil {
		on := hist.OccasionOf(of.Seq, d.now, d.known, policies)
		if _, gone := hist.Superseded(d.known)[of.Seq]; !gone {
			if of.Type == directory.Observe || of.Type == directory.Assert || of.Type == directory.Correct {
				add(directory.Correction, on, "another statement takes its place, and somebody else confirms it", nil)
				out[len(out)-1].Of = of.Seq
			}
			add(directory.Voiding, on, "", &directory.Event{Type: directory.Void, Supersedes: of.Seq})
		}
		if hist.Claim.Kind != directory.FileClaim {
			add(directory.Withdrawal, directory.Ordinary, "", &directory.Event{Type: directory.Takedown})
			add(directory.OpenDispute, directory.Ordinary, "", &directory.Event{Type: directory.DisputeOpen})
			add(directory.OpenDispute, directory.Ordinary, "", &directory.Event{Type: directory.DisputeOpen, Body: directory.Body{Decision: "identity"}})
			out[len(out)-1].Decision = "dispute_identity"
		}
	}
	return out
}

// ClaimFiles returns a claim as staff see it, by its id, or all claims of a provider by theirs, of whoever
// is withdrawn too.
func (s *Store) ClaimFiles(ctx context.Context, id directory.ID) ([]directory.ClaimFile, error) {
	var out []directory.ClaimFile
	err := s.read(ctx, "store.ClaimFiles "+string(id), func(t *tx) error {
		provider := id
		if strings.HasPrefix(string(id), directory.ClaimPrefix) {
			if found, err := t.one(`SELECT provider FROM claim WHERE id = $1`, []any{id}, &provider); err != nil || !found {
				return notFoundOr(err, "claim", id)
			}
		}
		held, err := t.load([]directory.ID{provider})
		if err != nil {
			return err
		}
		h := held[provider]
		if h == nil {
			return notFoundOr(nil, "provider", id)
		}
		desk, err := s.desk(t)
		if err != nil {
			return err
		}
		for _, hist := range h.file.Claims {
			if provider != id && !hist.Holds(id) {
				continue
			}
			st := directory.Derive(hist, desk.now, desk.known, s.config.Policies)
			f := directory.ClaimFile{Claim: hist.Claim, Provider: h.file.Provider.DisplayName(), Withdrawn: h.file.Provider.Withdrawn, Seen: hist.Newest(),
				Status: st.Status, Now: st.Words(), Pending: st.Pending, History: hist.Tell(desk.now, desk.known)}
			for _, e := range hist.Disputed(desk.now, desk.known) {
				f.Disputes = append(f.Disputes, e.Seq)
			}
			out = append(out, f)
		}
		return nil
	})
	return out, err
}

func notFoundOr(err error, what string, id directory.ID) error {
	if err != nil {
		return err
	}
	return directory.Errorf(directory.NotFound, what, "there is no %s %s", what, id)
}

// desk is what looking at cases needs: who decides, and the moment.
type desk struct {
	s          *Store
	office     office
	now, known directory.Instant
}

func (s *Store) desk(t *tx) (desk, error) {
	d := desk{s: s, now: s.now()}
	head, err := t.head()
	if err == nil {
		d.known = max(d.now, head.RecordedAt)
		d.office, err = t.office()
	}
	return d, err
}

// historyOf returns the claim that the case is about, nil when it is about none.
func (d desk) historyOf(h *stored, c directory.Case) *directory.History {
	for i := range h.file.Claims {
		if c.Claim != "" && h.file.Claims[i].Holds(c.Claim) {
			return &h.file.Claims[i]
		}
	}
	return nil
}

// event returns what the case is about as it stands in effect, or as it was when it does not any more.
func (d desk) event(hist *directory.History, c directory.Case) *directory.Event {
	for _, e := range hist.InEffect(d.now, d.known) {
		if e.Seq == c.Event {
			return &e
		}
	}
	return hist.Event(c.Event)
}

// waits reports that the case is for somebody to decide.
func (d desk) waits(h *stored, c directory.Case, hist *directory.History) bool {
	if c.Kind == directory.CaseRemoved { // its provider is the one who was removed
		return c.Closed == ""
	}
	if c.Kind.ByTime() && !h.listed {
		return false
	}
	return c.Closed == "" && !h.file.Provider.Withdrawn && h.file.Provider.MergedInto == "" && d.s.waits(c, hist, d.now, d.known)
}

// shownBefore is what the claim's answer would rest on without the event.
func (d desk) shownBefore(hist *directory.History, of *directory.Event) *directory.Body {
	without := *hist
	without.Events = slices.DeleteFunc(slices.Clone(hist.Events), func(e directory.Event) bool { return of != nil && e.Seq == of.Seq })
	if st := directory.Derive(without, d.now, d.known, d.s.config.Policies); st.Basis != nil {
		return &st.Basis.Body
	}
	return nil
}

// need is what the case still asks for.
func (d desk) need(h *stored, c directory.Case, hist *directory.History, p pair) directory.Need {
	if p := h.file.Provider; (p.Withdrawn || p.MergedInto != "") && c.Kind != directory.CaseRemoved {
		return directory.Need{Withdrawn: true}
	}
	if !d.waits(h, c, hist) {
		return directory.Need{}
	}
	return d.needOf(c, hist, p)
}

// needOf is what a case that waits still asks for: on its page, in the list and in the filters of the list. p is of a
// case about two descriptions.
func (d desk) needOf(c directory.Case, hist *directory.History, p pair) directory.Need {
	switch {
	case c.Kind == directory.CaseRemoval:
		return directory.Need{Approvals: 1, Approver: true, From: d.office.with(directory.Approver), Due: c.Kind.Due(c.Opened.Date())}
	case hist == nil && c.Kind == directory.CaseDuplicate && p.other != "": // two to join them; to part them, one is enough
		n := directory.Need{Approvals: 2 - min(1, len(p.given)), Given: p.given, From: d.office.without(p.given, directory.Verifier, directory.Approver)}
		if len(p.given) > 0 && !d.office.anyOf(p.given, directory.Approver) {
			n.Approver, n.From = true, d.office.without(p.given, directory.Approver)
		}
		return n
	case hist != nil && c.Kind.ByTime():
		n := directory.Need{Approvals: 1, From: d.office.with(directory.Verifier, directory.Approver)}
		if e := tried(hist, c.Event, d.now, d.known); e != nil {
			n.Returned = e.Actor.ID
			n.Due = e.PerformedAt.Date().AddBusinessDays(d.s.config.Policies.InForce(d.now, d.known).ReturnDays)
		}
		return n
	case hist == nil || c.Kind == directory.CaseDispute || c.Kind == directory.CaseDocument:
		return directory.Need{Approvals: 1, From: d.office.with(directory.Verifier, directory.Approver)}
	}
	e := d.event(hist, c)
	if e == nil {
		return directory.Need{}
	}
	policies := d.s.config.Policies
	var n directory.Need
	if confirmable(hist, *e, d.now, d.known, policies) == nil {
		total, given := hist.Approvals(c.Event, d.now, d.known, policies)
		n = directory.Need{Approvals: max(0, total-len(given)), Given: given, From: d.office.next(total, given, *e, hist)}
		n.Approver = total > 1 && n.Approvals == 1 && !d.office.approved(given, c.Event, hist, directory.Confirm)
	} else { // one person says what it means, or that it is about somebody else
		on := hist.OccasionOf(e.Seq, d.now, d.known, policies)
		roles := append(slices.Clone(directory.WhoMay(directory.Clear, on)), directory.WhoMay(directory.Correction, on)...)
		n = directory.Need{Approvals: 1, From: d.office.with(roles...), Approver: !slices.Contains(roles, directory.Verifier)}
	}
	if last := hist.LastReview(c.Event, d.now, d.known); last != nil && last.Body.Decision == "return" {
		n.Returned = last.Actor.ID
		n.Due = last.PerformedAt.Date().AddBusinessDays(d.s.config.Policies.InForce(d.now, d.known).ReturnDays)
	}
	return n
}

// rowOf returns what the source says, from the evidence of the event or the row that is loaded; rec is what
// was read out of it, nil when the row that is loaded has become another.
func (t *tx) rowOf(c directory.Case, of *directory.Event) (*directory.SourceRow, *directory.Record, error) {
	var rec *directory.Record
	rows, err := t.recordsOf(c.Source, []string{c.Key})
	if err != nil {
		return nil, nil, err
	}
	if of == nil || len(of.Evidence) == 0 {
		if len(rows) == 0 {
			return nil, nil, nil
		}
		r := rows[0]
		return &directory.SourceRow{Source: r.source, Release: r.release, Key: r.key, Line: r.line, Fields: r.record.Fields}, &r.record, nil
	}
	out := &directory.SourceRow{Source: c.Source, Key: c.Key}
	for _, sum := range of.Evidence { // the row of the case among those it rests on, or the first
		var text string
		found, err := t.one(`SELECT body FROM evidence WHERE sha256 = $1`, []any{sum}, &text)
		if err != nil {
			return nil, nil, err
		}
		var body struct {
			Source, Release, Key string
			Line                 int
			Fields               map[string]string
			Record               *directory.Record
		}
		if !found || out.Evidence != "" && !strings.Contains(text, c.Key) {
			continue
		}
		out.Evidence, out.Text = sum, text
		if decode(text, &body) == nil && (body.Key == c.Key || c.Key == "") {
			out.Key = body.Key
			out.Release, out.Line, out.Fields, out.Text = body.Release, body.Line, body.Fields, ""
			switch {
			case body.Record != nil:
				rec = body.Record
			case len(rows) > 0 && maps.Equal(rows[0].record.Fields, body.Fields):
				rec = &rows[0].record
			}
			if len(body.Fields) == 0 {
				out.Text = text
			}
			break
		}
	}
	return out, rec, nil
}

// othersOf returns whom the row of the case speaks of besides the case's provider, or may.
func (t *tx) othersOf(c directory.Case) ([]directory.Other, error) {
	var ids []directory.ID
	if c.Kind.ByTime() { // it is about no row
		return nil, nil
	}
	scan := func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		if id != c.Provider && id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		return err
	}
	if c.Kind == directory.CaseDocument {
		if err := t.each(`SELECT provider FROM document WHERE sha256 = $1 ORDER BY at`, []any{c.Key}, scan); err != nil {
			return nil, err
		}
	} else {
		if err := t.each(`SELECT provider FROM source_record WHERE source = $1 AND key = $2`, []any{c.Source, c.Key}, scan); err != nil {
			return nil, err
		}
		if err := t.each(`SELECT provider FROM cases WHERE source = $1 AND key = $2 ORDER BY provider`, []any{c.Source, c.Key}, scan); err != nil {
			return nil, err
		}
	}
	held, err := t.providers(ids)
	var out []directory.Other
	for _, id := range ids {
		if h := held[id]; h != nil {
			out = append(out, directory.Other{ID: id, Name: h.file.Provider.DisplayName()})
		}
	}
	return out, err
}

// choices says what each decision would do at this moment.
func (d desk) choices(h *stored, c directory.Case, hist *directory.History, of *directory.Event, m directory.StaffMember, p pair) []directory.Choice {
	var out []directory.Choice
	var next *directory.Event // what the choice would append
	add := func(deed directory.Deed, effect string, after directory.Status, err error) {
		x := directory.Choice{Decision: string(deed), Effect: effect, After: after, Event: next}
		next = nil
		if err != nil {
			x.Refused, x.Try = detail(err)
		}
		out = append(out, x)
	}
	if !d.waits(h, c, hist) {
		return []directory.Choice{}
	}
	if hist == nil {
		const closes, nobody = "closes the case; it opens again only if the row changes. ", "No public face changes."
		offer := func(deed directory.Deed, effect string) { add(deed, effect, "", d.office.candidate(m, c, deed, p)) }
		switch c.Kind {
		case directory.CaseRemoval: // see answers
		case directory.CaseRemoved:
			offer(directory.Distinct, "it is somebody else: the page is listed at once")
			offer(directory.Same, "it is whoever was removed: the page is dropped, and by its numbers and address not asked about again")
		case directory.CaseDocument:
			offer(directory.Keep, "the paper rightly stands in both files. "+nobody)
			offer(directory.Distinct, "the paper is not theirs. "+nobody)
		case directory.CaseFacts:
			offer(directory.Keep, "what is shown stays. "+nobody)
			offer(directory.Take, "what this page says is shown from now on, with its source")
		default:
			offer(directory.Distinct, closes+nobody)
			switch {
			case c.Kind == directory.CaseDuplicate && p.alone:
				offer(directory.Same, "the row is about them, and joins as far as such a match carries: what it says for them waits for a first look, what it says against them becomes a case")
			case c.Kind == directory.CaseDuplicate:
				offer(directory.Same, "the older of the two stands for both, once two people have said so, one of them an approver; the other's page leads there. It can be taken back")
			default:
				offer(directory.Same, "the row is about them: what it says is on record with you as whoever read it, and shows as being checked until somebody else confirms it, one of the two an approver")
			}
		}
		if out == nil {
			return []directory.Choice{}
		}
		return out
	}
	if of == nil {
		return []directory.Choice{}
	}
	policies := d.s.config.Policies
	before := directory.Derive(*hist, d.now, d.known, policies)
	if c.Kind.ByTime() {
		could := d.lookable(m, c, hist.Claim)
		add(directory.LookAnew, "what the register says now is on record with you as whoever read it: bad news lowers the answer at once, good news waits for somebody else to confirm it", "", could)
		add(directory.CouldNotLook, fmt.Sprintf("nothing that the public reads changes; to be looked at again by %s",
			d.now.Date().AddBusinessDays(policies.InForce(d.now, d.known).ReturnDays)), before.Status, could)
		return out
	}
	foresee := func(e directory.Event) directory.Standing {
		e.Actor = directory.Actor{Kind: directory.Staff, ID: m.Name}
		if m.Name == "" {
			e.Actor.ID = "?" // nobody's name
		}
		next = &e
		return hist.Foresee(e, d.now, d.known, policies)
	}
	switch c.Kind {
	case directory.CaseDispute:
		if of.Body.Decision == "identity" {
			for deed, effect := range map[directory.Deed]string{directory.AcceptDispute: "the dispute counts as plausible", directory.DeclineDispute: "the dispute counts as not plausible"} {
				after := foresee(directory.Event{Type: directory.Decide, Body: directory.Body{Of: of.Seq, Decision: string(deed)}})
				err := error(nil)
				if m.Name != "" {
					err = d.office.may(m, deed, directory.Ordinary)
				}
				for _, e := range hist.InEffect(d.now, d.known) {
					if e.Type == directory.Decide && e.Body.Of == of.Seq && e.Body.Decision == string(deed) {
						err = directory.Errorf(directory.Conflict, "of", "%s (event %d)", e.Words(), e.Seq)
					}
				}
				if deed == directory.AcceptDispute && m.Name != "" && of.Actor.Kind == directory.Staff && of.Actor.ID == m.Name {
					err = directory.Errorf(directory.Refused, "staff", "%s opened the dispute: somebody else must accept it", m.Name)
				}
				add(deed, effect+"; "+change(before, after)+"; it stays open until it is closed", after.Status, err)
			}
			slices.SortFunc(out, func(a, b directory.Choice) int { return strings.Compare(a.Decision, b.Decision) })
		}
		after := foresee(directory.Event{Type: directory.DisputeClose, Body: directory.Body{Of: of.Seq}})
		add(directory.CloseDispute, change(before, after), after.Status, nil)
		return out
	case directory.CaseDocument:
		next = nil
		add(directory.Confirm, "the document is not theirs: it shows nothing, and "+change(before, before), before.Status, d.office.review(m, hist, *of, directory.Confirm, d.now, d.known, policies))
		fixed := *of
		fixed.Type, fixed.Supersedes, fixed.PerformedAt = directory.Correct, of.Seq, d.now
		fixed.Reason = slices.DeleteFunc(slices.Clone(of.Reason), func(r string) bool { return r == reusedHash })
		after := foresee(fixed)
		add(directory.Clear, "the document is theirs after all: "+change(before, after), after.Status, d.office.review(m, hist, *of, directory.Clear, d.now, d.known, policies))
		return out
	}
	need, given := hist.Approvals(of.Seq, d.now, d.known, policies)
	for _, deed := range []directory.Deed{directory.Confirm, directory.Clear, directory.Return} {
		after := foresee(directory.Event{Type: directory.Review, Body: directory.Body{Of: of.Seq, Decision: string(deed), Field: "?"}})
		effect := change(before, after)
		switch {
		case deed == directory.Confirm && len(given)+1 < need:
			who := "somebody else"
			if m.Name != "" && m.Role != directory.Approver {
				who = "an approver"
			}
			effect += fmt.Sprintf("; it then needs a second person: %s", who)
			if left := d.office.without([]string{m.Name}, directory.Approver); m.Name != "" && m.Role != directory.Approver {
				effect += " (" + directory.OneOf(left) + ")"
			} else if m.Name == "" {
				effect += ", one of the two an approver (" + directory.OneOf(d.office.with(directory.Approver)) + ")"
			}
		case deed == directory.Clear && hist.Claim.Kind == directory.ExclusionScreen:
			effect, next = "it is about somebody else, and the release in force is searched again at once: what that finds is shown", nil
		case deed == directory.Return:
			effect += fmt.Sprintf("; to be looked at again by %s, and then voided or observed anew",
				d.now.Date().AddBusinessDays(policies.InForce(d.now, d.known).ReturnDays))
		}
		add(deed, effect, after.Status, d.office.review(m, hist, *of, deed, d.now, d.known, policies))
	}
	return out
}

// lookable refuses to look a claim up where no register is asked about it by hand.
func (d desk) lookable(m directory.StaffMember, c directory.Case, claim directory.Claim) error {
	policy := d.s.config.Policies.InForce(d.now, d.known)
	if !slices.Contains(lookedUp, claim.Kind) || !policy.Approves(c.Source, claim.Kind, claim.Jurisdiction) {
		return directory.Errorf(directory.Refused, "decision", "no register is looked up for it: ask the provider, file what they send, and correct what it says")
	}
	if m.Name == "" {
		return nil
	}
	return d.office.may(m, directory.Return, directory.Ordinary)
}

// change says how an answer would move.
func change(before, after directory.Standing) string {
	if before.Words() == after.Words() {
		return "the claim stays " + after.Words()
	}
	return "the claim becomes " + after.Words()
}

// detail is what a person is told of an error, and the command with which somebody at a terminal goes on.
func detail(err error) (said, hint string) {
	if e, ok := err.(*directory.Error); ok {
		return e.Detail, e.Hint
	}
	return err.Error(), ""
}

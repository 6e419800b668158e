package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"kapdir/directory"
)

// hurry is how long a rehearsal waits for another writer before a page does without it: the page is to be there
// within 50 ms.
const hurry = 15 * time.Millisecond

// Foresee says what would be known if a wish were done: of the provider of the case, of whoever is joined to them or
// parted from them, and of others whose checks rest on theirs. What is more than one event is done and undone again in
// one transaction, by the rules that would do it, as if nobody had the case and for as many people as it takes. The
// error is the rule's that would refuse it; Unavailable in a hurry is that somebody else was writing.
func (s *Store) Foresee(ctx context.Context, x directory.Wish) (out directory.Foreseen, err error) {
	op := "store.Foresee " + x.Do
	err = s.readOnce(ctx, op, func(t *tx) (err error) { out, err = t.foreseen(s, x); return err })
	if !errors.Is(err, errWrites) {
		return out, err
	}
	wait := patience
	if x.Hurry {
		wait = hurry
	}
	t, err := s.begin(ctx, false, wait)
	if err != nil {
		return out, s.fault(op, err)
	}
	defer t.Rollback()
	w := newWork(s, s.in(ctx, t, s.often))
	w.trial = true
	out = directory.Foreseen{}
	return out, s.fault(op, w.foresee(x, &out))
}

// errWrites says that a wish reads again what it has written, so that it can only be rehearsed by writing.
var errWrites = errors.New("it can only be foreseen by writing")

// foreseen foresees without writing; errWrites is that it cannot.
func (t *tx) foreseen(s *Store, x directory.Wish) (directory.Foreseen, error) {
	switch x.Do {
	case "correct", "withdraw_file", "prove", "accept_request":
		return t.foreseeOne(s, x)
	}
	return t.rehearse(s, x)
}

// rehearse foresees on the snapshot what is decided about one provider's file: whatever would be written is left out, and
// what would be read of it is in the hands of the work. For all else it returns errWrites.
func (t *tx) rehearse(s *Store, x directory.Wish) (out directory.Foreseen, err error) {
	dry := *t
	dry.dry = true
	w := newWork(s, &dry)
	w.trial = true
	return out, w.foresee(x, &out)
}

// wished reads the case of a wish and whom it is about.
func (t *tx) wished(x directory.Wish) (c directory.Case, provider directory.ID, err error) {
	if x.Case == "" {
		return c, x.Provider, nil
	}
	c, err = t.caseOf(x.Case)
	return c, c.Provider, err
}

// foreseeOne foresees what is one event, or the end of a public page, without writing.
func (t *tx) foreseeOne(s *Store, x directory.Wish) (out directory.Foreseen, err error) {
	c, id, err := t.wished(x)
	if err != nil {
		return out, err
	}
	desk, err := s.desk(t)
	if err != nil {
		return out, err
	}
	out.At, out.Known = desk.now, desk.known
	now, err := t.publicFiles([]directory.ID{id})
	if err != nil || len(now) == 0 {
		return out, err
	}
	after := now[0]
	switch {
	case x.Do == "correct":
		i := slices.IndexFunc(after.Claims, func(h directory.History) bool { return h.Holds(c.Claim) })
		if i < 0 {
			return out, directory.Errorf(directory.NotFound, "claim", "the case is about no claim")
		}
		for _, e := range after.Claims[i].InEffect(desk.now, desk.known) {
			if e.Seq != x.Of || x.To == nil {
				continue
			}
			body, err := fix(e, *x.To)
			if err != nil {
				return out, err
			}
			after = after.With(c.Claim, directory.Event{Type: directory.Correct, Supersedes: e.Seq, Evidence: e.Evidence, Body: body,
				Actor: directory.Actor{Kind: directory.Staff, ID: x.Staff}}, desk.now, desk.known)
		}
	case x.Do == "withdraw_file":
		after = nil
	default:
		found, err := t.removals(`WHERE id = $1`, c.ID)
		if err != nil || len(found) == 0 {
			return out, err
		}
		if found[0].Kind == "correction" {
			after = after.With(found[0].Claim, directory.Event{Type: directory.Takedown}, desk.now, desk.known)
		} else {
			after = nil
		}
	}
	out.People = []directory.ForeseenFile{{ID: id, Now: now[0], After: after}}
	rest, n, err := t.resting([]directory.ID{id})
	for _, f := range rest {
		out.People = append(out.People, directory.ForeseenFile{ID: f.Provider.ID, Now: f, After: f.Resting(id, after)})
	}
	out.More = n - len(rest)
	return out, err
}

// resting reads the public files of others whose checks rest on the providers, the first of them, and counts them all.
func (t *tx) resting(on []directory.ID) (files []*directory.CredentialFile, n int, err error) {
	ids, err := t.linkedTo(on)
	if err != nil || len(ids) == 0 {
		return nil, 0, err
	}
	files, err = t.publicFiles(ids[:min(len(ids), directory.MostResting)])
	return files, len(ids), err
}

// foresee does what is wished and looks at what came of it. The caller undoes it.
func (w *work) foresee(x directory.Wish, out *directory.Foreseen) error {
	c, id, err := w.wished(x)
	if err != nil {
		return err
	}
	about := []directory.ID{id}
	var pair pair
	switch x.Do {
	case "same":
		h, err := w.holdOne(id)
		if err != nil {
			return err
		}
		if pair, err = w.pairOf(c, h); err != nil {
			return err
		}
		if pair.other != "" {
			about = append(about, pair.other)
		}
	case "unmerge":
		merged, _, err := w.mergedBy(x.Of)
		if err != nil {
			return err
		}
		if merged != "" {
			about = append(about, merged)
		}
	}
	if w.dry && (c.Kind == directory.CaseRemoved || x.Look != nil || pair.other != "" || x.Do == "unmerge" || x.Do == "restore_file") {
		return errWrites
	}
	if c.Kind == directory.CaseRemoved { // there is no page yet, and whose it will be nobody knows
		about = nil
	}
	resting, err := w.linkedTo(about)
	if err != nil {
		return err
	}
	all := append(slices.Clone(about), resting[:min(len(resting), directory.MostResting)]...)
	now, err := w.publicFiles(all)
	if err != nil {
		return err
	}
	var done directory.Event
	switch {
	case x.Look != nil:
		o, err := w.office()
		if err != nil {
			return err
		}
		b := &brought{LookUp: *x.Look, staff: x.Staff, auth: "-", office: o, dry: true, work: w}
		if err := b.take(); err != nil {
			return err
		}
		if err := w.settle(); err != nil {
			return err
		}
	case x.Do == "same" && pair.other != "":
		if _, err = w.merge(id, pair.other, nil); err == nil {
			err = w.settle()
		}
	case x.Do == "unmerge" || x.Do == "restore_file":
		a := directory.Act{Do: directory.Voiding, Staff: x.Staff, Auth: "-", Of: x.Of, Note: "-"}
		if _, err := w.one(`SELECT claim FROM event_payload WHERE seq = $1`, []any{x.Of}, &a.Claim); err != nil {
			return err
		}
		h, err := w.holdOne(id)
		if err != nil {
			return err
		}
		if i := h.index(a.Claim); i >= 0 {
			a.Claim, a.Seen = h.file.Claims[i].Claim.ID, h.file.Claims[i].Newest()
		}
		w.held, w.order = map[directory.ID]*holding{}, nil // nobody may be held when two are parted
		if err := w.act(a, &done); err != nil {
			return err
		}
	default:
		d := directory.Decision{Case: c.ID, Seen: c.Revision, Staff: x.Staff, Auth: "-", Decision: x.Do, Field: x.Field, Note: "-"}
		if c.Claim != "" {
			held, err := w.load([]directory.ID{id})
			if err != nil {
				return err
			}
			if hist := historyIn(&holding{stored: *held[id]}, c.Claim); hist != nil {
				d.Seen = hist.Newest()
			}
		}
		err = w.decide(d, &done)
	}
	if err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	if w.dry {
		return w.unwritten(id, now, resting, out)
	}
	head, err := w.head()
	if err != nil {
		return err
	}
	out.At, out.Known = w.now, max(w.now, head.RecordedAt)
	if c.Kind == directory.CaseRemoved {
		if _, err := w.one(`SELECT provider FROM source_record WHERE source = $1 AND key = $2`, []any{c.Source, c.Key}, &id); err != nil || id == "" {
			return err
		}
		all = []directory.ID{id}
	}
	then, err := w.publicFiles(all)
	if err != nil {
		return err
	}
	of := func(files []*directory.CredentialFile, id directory.ID) *directory.CredentialFile {
		for _, f := range files {
			if f.Provider.ID == id {
				return f
			}
		}
		return nil
	}
	for _, id := range all {
		f := directory.ForeseenFile{ID: id, Now: of(now, id), After: of(then, id)}
		if f.After == nil {
			if f.MergedAfter, err = w.survivor(id); err != nil {
				return err
			}
			if f.MergedAfter == id {
				f.MergedAfter = ""
			}
		}
		out.People = append(out.People, f)
	}
	out.More = max(0, len(resting)-directory.MostResting)
	return nil
}

// unwritten says what came of a work that wrote nothing: of the one whose file it changed, and of those whose checks
// rest on theirs.
func (w *work) unwritten(id directory.ID, now []*directory.CredentialFile, resting []directory.ID, out *directory.Foreseen) error {
	for _, h := range w.order {
		if h.why != "" && h.file.Provider.ID != id {
			return errWrites
		}
	}
	head, err := w.head()
	if err != nil {
		return err
	}
	out.At, out.Known = w.now, max(w.now, head.RecordedAt, w.recorded)
	var own, after *directory.CredentialFile
	for _, f := range now {
		if f.Provider.ID == id {
			own, after = f, f
		}
	}
	if h := w.held[id]; h != nil {
		after = nil
		if h.public() {
			after = &h.file
			after.Claims = directory.Unify(after.Claims)
			if err := w.link([]*directory.CredentialFile{after}); err != nil {
				return err
			}
		}
	}
	out.People = append(out.People, directory.ForeseenFile{ID: id, Now: own, After: after})
	for _, r := range resting[:min(len(resting), directory.MostResting)] {
		f := directory.ForeseenFile{ID: r}
		for _, n := range now {
			if n.Provider.ID == r {
				f.Now, f.After = n, n.Resting(id, after)
			}
		}
		out.People = append(out.People, f)
	}
	out.More = max(0, len(resting)-directory.MostResting)
	return nil
}

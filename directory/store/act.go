package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// The reasons of acts.
const (
	enteredInError = "ENTERED_IN_ERROR"
	takenDown      = "TAKEDOWN"
)

// Act appends what a person does about a claim besides reviewing it: a dispute opened, accepted, declined
// or closed; a statement corrected or voided; a claim or the whole file withdrawn. It refuses who is no
// staff member or may not (directory.Permits), and whoever has not seen the newest event of the claim. A
// provider may open a dispute about their own claim and nothing else. What public faces show changes with
// it: the provider is numbered. The same again, with the same moment given, returns the event there is.
func (s *Store) Act(ctx context.Context, a directory.Act) (directory.Event, error) {
	var out directory.Event
	err := s.write(ctx, "store.Act "+string(a.Do), func(w *work) error { return w.act(a, &out) })
	return out, err
}

// act is Act in a transaction.
func (w *work) act(a directory.Act, out *directory.Event) error {
	given := a.At != "" // an act without a moment is a new one, even where the clock stands
	if !given {
		a.At = w.now
	}
	a.Field, a.Note = clean(a.Field), clean(a.Note)
	if err := checkAct(a, w.now); err != nil {
		return err
	}
	h, i, err := w.acted(a)
	if err != nil {
		return err
	}
	hist := &h.file.Claims[i]
	actor := directory.Actor{Kind: directory.Staff, ID: a.Staff, Auth: a.Auth}
	if a.Staff == "" {
		actor = directory.Actor{Kind: directory.ByProvider, ID: string(h.id()), Auth: a.Auth}
	}
	for _, e := range hist.Events {
		if given && e.Actor == actor && e.PerformedAt == a.At && eventTypes[a.Do] == e.Type && e.Body.Note == a.Note && (a.Of == 0 || a.Of == e.Body.Of || a.Of == e.Supersedes) &&
			(e.Type != directory.Decide || e.Body.Decision == string(a.Do)) &&
			(e.Type != directory.DisputeOpen || e.Body.Field == a.Field && (e.Body.Decision == "identity") == a.Identity) {
			*out = e
			return nil
		}
	}
	if whole := hist.Claim.Kind == directory.FileClaim; h.file.Provider.Withdrawn && !(whole && (a.Do == directory.Voiding || a.Do == directory.Withdrawal)) {
		return directory.Errorf(directory.Refused, "provider", "%s is withdrawn: void the withdrawal first", h.id()).Try("kapdir claims show %s names it", h.id())
	}
	x := act{Act: a, work: w, h: h, i: i, actor: actor}
	if x.known, err = w.known(); err != nil {
		return err
	}
	if a.Staff != "" {
		if x.office, err = w.office(); err != nil {
			return err
		}
		if x.member, err = x.office.member(a.Staff); err != nil {
			return err
		}
		if err := w.leftTo(a.Staff, "", a.Claim, h.id()); err != nil {
			return err
		}
		if err := fresh(*hist, a.Seen, "kapdir claims show "+string(hist.Claim.ID)); err != nil {
			return err
		}
	}
	n, err := x.do()
	if err != nil {
		return err
	}
	w.then = func() error { *out = *n.event(); return nil }
	return w.settle()
}

// eventTypes says which event a deed appends.
var eventTypes = map[directory.Deed]directory.EventType{
	directory.OpenDispute:    directory.DisputeOpen,
	directory.AcceptDispute:  directory.Decide,
	directory.DeclineDispute: directory.Decide,
	directory.CloseDispute:   directory.DisputeClose,
	directory.Correction:     directory.Correct,
	directory.Voiding:        directory.Void,
	directory.Withdrawal:     directory.Takedown,
}

func checkAct(a directory.Act, now directory.Instant) error {
	_, known := eventTypes[a.Do]
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	switch {
	case !known:
		return directory.Errorf(directory.Invalid, "do", "%q is no act about a claim", a.Do)
	case a.Auth == "":
		return directory.Errorf(directory.Invalid, "auth", "an act says how its maker proved who they are")
	case a.Staff == "" && a.Do != directory.OpenDispute:
		return directory.Errorf(directory.Refused, "staff", "only staff %s; a provider opens a dispute", a.Do)
	case (a.Claim == "") == (a.Provider == ""):
		return directory.Errorf(directory.Invalid, "claim", "name a claim, or the provider for the whole file")
	case a.Note == "":
		return directory.Errorf(directory.Invalid, "note", "say why: it stays with the record, and no public face shows it")
	case a.Of == 0 && a.Do != directory.OpenDispute && a.Do != directory.Withdrawal:
		return directory.Errorf(directory.Invalid, "of", "say which event by its number").Try("kapdir claims show lists them")
	case (a.To != nil) != (a.Do == directory.Correction):
		return directory.Errorf(directory.Invalid, "to", "a correction, and nothing else, says what is right")
	case a.At > now.Add(5*time.Minute):
		return directory.Errorf(directory.Invalid, "at", "an act cannot be made in the future")
	case directory.LooksLikeSSN(string(raw)):
		return directory.Errorf(directory.Refused, "note", "what looks like a Social Security number must not be held")
	}
	return nil
}

// acted finds the claim that an act is about, of a withdrawn provider too. The claim about the whole file
// is made for a withdrawal.
func (w *work) acted(a directory.Act) (*holding, int, error) {
	id := a.Provider
	if a.Claim != "" {
		found, err := w.one(`SELECT provider FROM claim WHERE id = $1`, []any{a.Claim}, &id)
		if err == nil && !found {
			err = directory.Errorf(directory.NotFound, "claim", "there is no claim %s", a.Claim)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	held, err := w.hold([]directory.ID{id})
	if err != nil {
		return nil, 0, err
	}
	h := held[id]
	if h == nil {
		return nil, 0, directory.Errorf(directory.NotFound, "provider", "there is no provider %s", id)
	}
	i := h.index(a.Claim)
	if a.Claim == "" {
		i = h.find(directory.Claim{Kind: directory.FileClaim})
	}
	if i < 0 && a.Do == directory.Withdrawal {
		i = w.claim(h, directory.Claim{Kind: directory.FileClaim})
	}
	whole := i >= 0 && h.file.Claims[i].Claim.Kind == directory.FileClaim
	switch p := h.file.Provider; {
	case i < 0:
		return nil, 0, directory.Errorf(directory.NotFound, "provider", "nothing was ever decided about the whole file of %s", id)
	case p.MergedInto != "":
		return nil, 0, directory.Errorf(directory.Refused, "provider", "%s was merged into %s: act there", id, p.MergedInto)
	case whole && a.Do != directory.Voiding && a.Do != directory.Withdrawal:
		return nil, 0, directory.Errorf(directory.Invalid, "claim", "only a withdrawal is about the whole file: name the claim that is meant")
	}
	return h, i, nil
}

// act is an act that is being done.
type act struct {
	directory.Act
	*work
	h      *holding
	i      int
	actor  directory.Actor
	office office
	member directory.StaffMember
	known  directory.Instant
}

func (x *act) hist() *directory.History { return &x.h.file.Claims[x.i] }

// may refuses what the role may not do; a provider has been let through for what they may.
func (x *act) may(on directory.Occasion) error {
	if x.Staff == "" {
		return nil
	}
	return x.office.may(x.member, x.Do, on)
}

// append adds the event of the act.
func (x *act) append(e directory.Event, visible bool) *newEvent {
	e.Type, e.PerformedAt, e.Actor = eventTypes[x.Do], x.At, x.actor
	e.Body.Note = x.Note
	return x.work.append(x.h, x.i, e, visible)
}

func (x *act) do() (*newEvent, error) {
	switch x.Do {
	case directory.OpenDispute:
		return x.open()
	case directory.AcceptDispute, directory.DeclineDispute, directory.CloseDispute:
		return x.dispute()
	case directory.Correction:
		return x.correct()
	case directory.Voiding:
		return x.void()
	}
	return x.withdraw()
}

// open opens a dispute, and a case about it. One of a kind is enough.
func (x *act) open() (*newEvent, error) {
	kind := ""
	if x.Identity {
		kind = "identity"
	}
	for _, e := range x.hist().Disputed(x.now, x.known) {
		if e.Body.Decision == kind && e.Body.Field == x.Field {
			return nil, directory.Errorf(directory.Conflict, "claim", "it is disputed already (event %d)", e.Seq)
		}
	}
	if err := x.may(directory.Ordinary); err != nil {
		return nil, err
	}
	n := x.append(directory.Event{Body: directory.Body{Decision: kind, Field: x.Field}}, true)
	c := x.hist().Claim
	key := kind
	if key == "" {
		key = "accuracy"
	}
	x.openCase(directory.Case{Kind: directory.CaseDispute, Provider: x.h.id(), Claim: c.ID, Source: statedSource, Key: key + " " + x.Field}, n)
	return n, nil
}

// dispute accepts, declines or closes an open dispute.
func (x *act) dispute() (*newEvent, error) {
	hist := x.hist()
	open := hist.Disputed(x.now, x.known)
	k := slices.IndexFunc(open, func(e directory.Event) bool { return e.Seq == x.Of })
	if k < 0 {
		return nil, directory.Errorf(directory.Conflict, "of", "event %d is no open dispute of the claim", x.Of)
	}
	of := open[k]
	if err := x.may(directory.Ordinary); err != nil {
		return nil, err
	}
	if x.Do == directory.CloseDispute {
		return x.append(directory.Event{Body: directory.Body{Of: of.Seq}}, true), nil
	}
	for _, e := range hist.InEffect(x.now, x.known) {
		if e.Type == directory.Decide && e.Body.Of == of.Seq && e.Body.Decision == string(x.Do) {
			return nil, directory.Errorf(directory.Conflict, "of", "%s (event %d)", e.Words(), e.Seq)
		}
	}
	switch {
	case of.Body.Decision != "identity":
		return nil, directory.Errorf(directory.Invalid, "of", "only a dispute about identity is accepted or declined: correct or void what is wrong, then close the dispute")
	case x.Do == directory.AcceptDispute && of.Actor.Kind == directory.Staff && of.Actor.ID == x.Staff:
		return nil, directory.Errorf(directory.Refused, "staff", "%s opened the dispute: somebody else must accept it: %s", x.Staff,
			directory.OneOf(x.office.without([]string{x.Staff}, directory.WhoMay(x.Do, directory.Ordinary)...)))
	}
	return x.append(directory.Event{Body: directory.Body{Of: of.Seq, Decision: string(x.Do)}}, true), nil
}

// correct puts another statement in the place of one. It counts from the time of what it corrects, and an
// observation needs its reviews anew, by others than whoever corrected it.
func (x *act) correct() (*newEvent, error) {
	hist := x.hist()
	var old *directory.Event
	for _, e := range hist.InEffect(x.now, x.known) {
		if e.Seq == x.Of && (e.Type == directory.Observe || e.Type == directory.Assert) {
			old = &e
		}
	}
	if old == nil {
		return nil, x.notThere("corrected: only what a source, a listing or the provider says is")
	}
	if err := x.may(hist.OccasionOf(old.Seq, x.now, x.known, x.s.config.Policies)); err != nil {
		return nil, err
	}
	body, err := fix(*old, *x.To)
	if err != nil {
		return nil, err
	}
	class := body.Class
	if old.Type == directory.Observe {
		class = directory.ClassSource
	}
	raw, err := json.Marshal(struct {
		Corrects int64  `json:"corrects"`
		Source   string `json:"source"`
		Seen     string `json:"seen"`
		URL      string `json:"url,omitempty"`
		By       string `json:"by"`
	}{old.Seq, body.Source, clean(x.To.Text), clean(x.To.URL), x.Staff})
	if err != nil {
		return nil, err
	}
	evidence := x.keep(directory.Evidence{MediaType: "application/json", Source: body.Source, Class: class, Method: x.To.Method, URL: clean(x.To.URL),
		RetrievedAt: x.At, RetrievedBy: x.Staff, SourceAsOf: body.SourceAsOf, Body: raw})
	was := old.Type == directory.Observe && !old.Identifies()
	n := x.append(directory.Event{Supersedes: old.Seq, Evidence: append(slices.Clone(old.Evidence), evidence), Body: body}, !was || body.Match == directory.M5)
	if old.Type == directory.Observe { // the case goes on under the row's own key
		n.judge, n.source = true, body.Source
		_, err = x.one(`SELECT source, key FROM cases WHERE claim = $1 AND event = $2 AND kind NOT IN ('expired', 'expiring') ORDER BY id LIMIT 1`, []any{hist.Claim.ID, old.Seq}, &n.source, &n.key)
	}
	return n, err
}

// fix applies a correction to what was said.
func fix(old directory.Event, to directory.Fixed) (directory.Body, error) {
	b := old.Body
	text := func(dst *string, v string) {
		if v != "" {
			*dst = clean(v)
		}
	}
	date := func(dst *directory.Date, v *directory.Date, field string) error {
		if v == nil {
			return nil
		}
		if *v != "" {
			if _, err := directory.ParseDate(string(*v)); err != nil {
				return directory.Errorf(directory.Invalid, "to."+field, "%w", err)
			}
		}
		*dst = *v
		return nil
	}
	if to.State != "" {
		if old.Type != directory.Observe || !slices.Contains(directory.Readable, to.State) {
			return b, directory.Errorf(directory.Invalid, "to.state", "%q is not what a source can say of such a claim", to.State)
		}
		b.State = to.State
	}
	text(&b.SourceWords, to.SourceWords)
	text(&b.Number, to.Number)
	text(&b.Name, to.Name)
	text(&b.Level, to.Level)
	for _, d := range []struct {
		dst   *directory.Date
		v     *directory.Date
		field string
	}{{&b.Issued, to.Issued, "issued"}, {&b.Expires, to.Expires, "expires"}, {&b.Completed, to.Completed, "completed"}} {
		if err := date(d.dst, d.v, d.field); err != nil {
			return b, err
		}
	}
	if len(to.By) > 0 {
		if old.Type != directory.Observe || !(directory.Match{By: to.By}).Identified() {
			return b, directory.Errorf(directory.Invalid, "to.by", "what agrees must hold an NPI or a licence: npi, licence")
		}
		b.Match, b.By, b.Against = directory.M5, to.By, nil
	}
	if sameBody(b, old.Body) && matchOf(b).Rung == matchOf(old.Body).Rung {
		return b, directory.Errorf(directory.Invalid, "to", "it says the same: nothing to correct")
	}
	switch {
	case to.Text == "":
		return b, directory.Errorf(directory.Invalid, "to.text", "a correction rests on evidence: give what was seen, in the source's words")
	case !slices.Contains([]string{"web", "phone", "mail", "upload"}, to.Method):
		return b, directory.Errorf(directory.Invalid, "to.method", "it was seen by web, phone, mail or upload, not by %q", to.Method)
	case to.URL != "" && !strings.HasPrefix(to.URL, "https://") && !strings.HasPrefix(to.URL, "http://"):
		return b, directory.Errorf(directory.Invalid, "to.url", "%q is no address of a page", to.URL)
	case to.Method == "web" && to.URL == "":
		return b, directory.Errorf(directory.Invalid, "to.url", "what was seen on the web has an address")
	}
	return b, nil
}

// void takes an event out that was entered in error. What it had replaced or settled stands as before.
func (x *act) void() (*newEvent, error) {
	hist := x.hist()
	old := hist.Event(x.Of)
	if old == nil {
		return nil, x.notThere("voided")
	}
	if by, gone := hist.Superseded(x.known)[x.Of]; gone {
		return nil, directory.Errorf(directory.Conflict, "of", "event %d does not count any more: %s (event %d)", x.Of, hist.Event(by).Words(), by)
	}
	if err := x.may(hist.OccasionOf(x.Of, x.now, x.known, x.s.config.Policies)); err != nil {
		return nil, err
	}
	if err := x.mayVoid(old); err != nil {
		return nil, err
	}
	last := x.Of
	var err error
	if old.Type == directory.Decide && old.Body.Decision == string(directory.Same) {
		if last, err = x.part(*old); err != nil {
			return nil, err
		}
		hist = x.hist()
	}
	e := directory.Event{Supersedes: x.Of, Reason: []string{enteredInError}}
	n := x.append(e, !hidden(hist, x.Of))
	if old.Type == directory.Decide && hist.Claim.Kind == directory.FileClaim { // the case waits again
		if err := x.recompose(x.h); err != nil {
			return nil, err
		}
		x.undated = true
		if _, err := x.exec(`UPDATE cases SET closed = '', due = '', decided = 0 WHERE claim = '' AND decided <> 0 AND decided IN ($1, $2)`, x.Of, last); err != nil {
			return nil, err
		}
	}
	if hist.Claim.Kind == directory.FileClaim {
		x.standing()
	}
	return n, nil
}

// mayVoid refuses to void what voiding cannot bring back.
func (x *act) mayVoid(old *directory.Event) error {
	switch old.Type {
	case directory.Void:
		if of := x.hist().Event(old.Supersedes); of != nil && of.Type == directory.Decide && of.Body.Decision == string(directory.Same) {
			return directory.Errorf(directory.Refused, "of", "two providers are not joined by a void: two people say so of their case")
		}
	case directory.Takedown:
		var n int
		if _, err := x.one(`SELECT count(*) FROM removal WHERE event = $1`, []any{old.Seq}, &n); err != nil {
			return err
		}
		if n > 0 && x.hist().Claim.Kind == directory.FileClaim {
			return destroyed()
		}
	}
	return nil
}

// destroyed is why nobody is shown again whose removal took effect.
func destroyed() *directory.Error {
	return directory.Errorf(directory.Refused, "of", "what was held was destroyed on request: a new import lists them once the removal was lifted").Try("kapdir removal lift")
}

// part takes a merge back that the decision made, before anything is appended, and returns the last decision
// about it.
func (x *act) part(old directory.Event) (last int64, err error) {
	merged, last, err := x.mergedBy(old.Seq)
	if err != nil {
		return 0, err
	}
	if merged != "" {
		if _, err := x.unmerge(merged); err != nil {
			return 0, err
		}
	}
	var owner directory.ID
	if _, err := x.one(`SELECT provider FROM claim WHERE id = $1`, []any{old.Claim}, &owner); err != nil {
		return 0, err
	}
	h, err := x.holdOne(owner)
	if err != nil {
		return 0, err
	}
	x.h, x.i = h, h.index(old.Claim)
	return last, nil
}

// hidden reports an event that no public face shows a trace of: a candidate by name alone, a decision about
// one, or that two are different people.
func hidden(hist *directory.History, seq int64) bool {
	e := hist.Event(seq)
	switch {
	case e == nil:
		return false
	case e.Supersedes != 0 && e.Type == directory.Void:
		return hidden(hist, e.Supersedes)
	case e.Type == directory.Review:
		return hidden(hist, e.Body.Of)
	}
	return e.Type == directory.Observe && !e.Identifies() || e.Type == directory.Decide && hist.Claim.Kind == directory.FileClaim
}

// withdraw takes a claim, or with the claim about the file the provider, off every public face for every moment.
func (x *act) withdraw() (*newEvent, error) {
	hist := x.hist()
	for _, e := range hist.InEffect(x.now, x.known) {
		if e.Type == directory.Takedown {
			return nil, directory.Errorf(directory.Conflict, "claim", "it is withdrawn already: %s (event %d)", e.Words(), e.Seq)
		}
	}
	if err := x.may(directory.Ordinary); err != nil {
		return nil, err
	}
	n := x.append(directory.Event{Reason: []string{takenDown}}, true)
	if hist.Claim.Kind == directory.FileClaim {
		x.standing()
	}
	return n, nil
}

// standing makes the provider public or not, by what the events about the whole file say. Who comes back is
// compared with everything that was loaded meanwhile.
func (x *act) standing() {
	hist := *x.hist()
	last := len(hist.Events) - 1
	next := hist.Events[last]
	hist.Events = hist.Events[:last]
	withdrawn := hist.Foresee(next, x.now, x.known, x.s.config.Policies).Status == directory.StatusWithdrawn
	if x.h.file.Provider.Withdrawn && !withdrawn {
		x.h.matched = ""
	}
	x.h.file.Provider.Withdrawn = withdrawn
}

// notThere says why the event an act names cannot be acted on.
func (x *act) notThere(what string) error {
	hist := x.hist()
	if by, gone := hist.Superseded(x.known)[x.Of]; gone {
		return directory.Errorf(directory.Conflict, "of", "event %d does not count any more: %s (event %d)", x.Of, hist.Event(by).Words(), by)
	}
	if hist.Event(x.Of) == nil {
		return directory.Errorf(directory.NotFound, "of", "the claim has no event %d", x.Of)
	}
	return directory.Errorf(directory.Invalid, "of", "event %d cannot be %s", x.Of, what)
}

package directory

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Status is what a claim is worth at a moment. It is never stored as truth: Derive computes it.
type Status string

// The statuses of domain.md §5.2, in the order in which the first that holds wins, except that a
// settled adverse observation is never replaced by under_review (contracts.md §4).
const (
	StatusWithdrawn     Status = "withdrawn"
	StatusUnderReview   Status = "under_review"
	StatusAdverse       Status = "adverse"
	StatusExpired       Status = "expired"
	StatusInactive      Status = "inactive"
	StatusStale         Status = "stale"
	StatusExpiring      Status = "expiring"
	StatusVerified      Status = "verified"
	StatusNotFound      Status = "not_found"
	StatusCouldNotCheck Status = "could_not_check"
	StatusDocumented    Status = "documented"
	StatusListed        Status = "listed"
	StatusSelfReported  Status = "self_reported"
	StatusNone          Status = "" // nothing that counts is known
)

// Reason codes of domain.md §5.5 that the derivation gives.
const (
	ReasonTakedown          = "TAKEDOWN"
	ReasonReviewPending     = "REV_PENDING"
	ReasonReviewReturned    = "REV_RETURNED"
	ReasonDisputeOpen       = "DISPUTE_OPEN"
	ReasonConflict          = "SRC_CONFLICT"
	ReasonNoRecord          = "SRC_NO_RECORD"
	ReasonUnavailable       = "SRC_UNAVAILABLE"
	ReasonNotApproved       = "SRC_NOT_APPROVED"
	ReasonNoRegister        = "SRC_NO_REGISTER"
	ReasonRestricted        = "SRC_RESTRICTED"
	ReasonTermsForbid       = "SRC_TERMS_FORBID"
	ReasonTooOld            = "PSV_TOO_OLD"
	ReasonExpiresSoon       = "EXP_SOON"
	ReasonExpired           = "EXP_PASSED"
	ReasonExactID           = "MATCH_EXACT_ID"
	ReasonCorroborated      = "MATCH_CORROBORATED"
	ReasonExclusionPossible = "EXCL_POSSIBLE"
	ReasonExcluded          = "EXCL_CONFIRMED"
	ReasonReinstated        = "EXCL_REINSTATED"
)

// Standing is the answer of Derive: a status with its reasons, the events it rests on, and the first
// moment at which the answer changes with no new event.
type Standing struct {
	Status     Status
	Reasons    []string
	Because    []int64     // numbers of the events it rests on, ascending
	ValidUntil Instant     // "" : never changes by itself
	NextDue    Instant     // when policy asks for another look; "" if it does not
	Basis      *Event      // the observation or assertion it rests on; nil when there is none
	Class      SourceClass // of the basis
	CheckedAt  Instant     // when we looked: the basis's performed_at
	AsOf       Date        // how old the answer is: the older of that day and the source's own date
	Sides      []string    // of an oversight link: who attested it themself, provider and prescriber
	Tried      Instant     // when a source was last asked, whatever it answered; "" never
	Held       bool        // something in effect may be spoken of: an assertion, or an observation that is more than a name
	Answer     *Event      // its newest answer, but for a name-only candidate; nil when there is none
	Searches   int         // days on which sources were searched and held no record, since the newest settled one
	Candidate  bool        // a name-only candidate waits for a person: for staff, on no public face
	Pending    []int64     // observations that wait for a review
	Disputant  ActorKind   // who disputes it, with ReasonDisputeOpen: the provider, if they are among several

	Appears Instant // when Held changes, if that is before ValidUntil: of an answer about the past
}

// Derive computes what a claim is worth at t, from the events recorded by k, under the policy in force
// at t. It is pure: no clock, no store, and the order of h.Events does not matter.
//
// The rules are those of domain.md §5.2 as amended by contracts.md §4. Unreviewed bad news lowers at
// once; unreviewed good news neither lifts nor lowers; what has no identifier agreeing changes nothing.
func Derive(h History, t, k Instant, policies Policies) Standing {
	events := inEffect(h.Events, k)
	s := deriveAt(h.Claim, events, t, policies.InForce(t, k))
	for _, at := range boundaries(h.Claim, events, s, t, k, policies) {
		next := deriveAt(h.Claim, events, at, policies.InForce(at, k))
		if !sameAnswer(s, next) {
			s.ValidUntil = at
			break
		}
		if next.Held != s.Held && s.Appears == "" {
			s.Appears = at
		}
	}
	return s
}

// Ends says which kind of case time opens about the answer: what a source or a document showed ended by its own date, or
// is about to; "" is none. What the source itself called expired is none: somebody looked, and it has no other date.
func (s Standing) Ends() CaseKind {
	switch {
	case s.Class != ClassSource && s.Class != ClassDocument:
		return ""
	case s.Status == StatusExpired && slices.Contains(s.Reasons, ReasonExpired):
		return CaseExpired
	case s.Status == StatusExpiring:
		return CaseExpiring
	}
	return ""
}

func sameAnswer(a, b Standing) bool {
	return a.Status == b.Status && slices.Equal(a.Reasons, b.Reasons) && slices.Equal(a.Because, b.Because) && slices.Equal(a.Sides, b.Sides)
}

// boundaries returns, in order, the moments after t at which the answer s could change by itself.
func boundaries(c Claim, events []*Event, s Standing, t, k Instant, policies Policies) []Instant {
	var out []Instant
	add := func(at Instant) {
		if at > t {
			out = append(out, at)
		}
	}
	kinds := []KindPolicy{policies.InForce(t, k).Kinds[c.Kind]} // the intervals of today, and those to come
	for at := policies.nextPolicy(t, k); at != ""; at = policies.nextPolicy(at, k) {
		add(at)
		kinds = append(kinds, policies.InForce(at, k).Kinds[c.Kind])
	}
	byItself := func(e *Event) { // an answer that rests on e ends, is about to end, or goes out of date
		end, fresh := expiryEnd(c, e), freshFrom(e)
		add(end)
		for _, kind := range kinds {
			if kind.Expiring > 0 {
				add(end.AddDays(-kind.Expiring))
			}
			if kind.Stale > 0 {
				add(fresh.AddDays(kind.Stale).Add(time.Millisecond))
			}
		}
	}
	lately := t.AddDays(-2).Date() // a day before it has ended by t in every zone
	for _, e := range events {
		add(e.PerformedAt)
		if e.Type == Observe && e.Body.Expires >= lately && mayEndSooner(e, s) {
			add(expiryEnd(c, e))
		}
		if e.Type == Assert && e.Body.Side != "" {
			byItself(e)
		}
	}
	if s.Basis != nil {
		byItself(s.Basis)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// expiryEnd is the first moment after the basis's last good day, by the issuer's clock.
func expiryEnd(c Claim, e *Event) Instant {
	day := e.Body.Expires
	if day == "" {
		day = e.Body.To
	}
	return day.EndIn(c.Jurisdiction.Zone())
}

// freshFrom is when freshness starts to count: the older of when we looked and how old the source's data were.
func freshFrom(e *Event) Instant {
	at := e.PerformedAt
	if d := e.Body.SourceAsOf.Midnight(); d != "" && d < at {
		at = d
	}
	return at
}

// observation is an observe event with what reviews made of it.
type observation struct {
	*Event
	visible  bool // an identifier agrees, or it is corroborated
	settled  bool
	cleared  bool
	returned bool
	readBy   []Actor // the person who read it out of the source, where that makes them one of the two
	confirms []Actor // with whoever read it
	clears   []Actor
	root     *observation // of one that says what the newest approved one said: the one that a person approved
}

func newObservation(e *Event) observation {
	m := Match{Rung: e.Body.Match, By: e.Body.By}
	o := observation{Event: e, visible: m.Rung == M5 || m.Rung == M4 || m.Identified()}
	switch e.Body.State {
	case SeenNotFound, SeenUnavailable: // speak of a search, not of a record
		o.visible = true
	case SeenPossible:
		o.visible = m.Identified()
	}
	return o
}

func (o observation) exact() bool { return o.Body.Match == M5 }

// bad reports news that lowers: everything but a good state, no answer, and no record.
func (o observation) bad() bool {
	s := o.Body.State
	return !s.Good() && s != SeenUnavailable && s != SeenNotFound
}

// adverse reports an answer that stands against the person once it is settled. A possible hit that people
// confirmed is one.
func (o *observation) adverse() bool { return o.Body.State.Adverse() || o.Body.State == SeenPossible }

// hear lets a review count; need is how many people settle the observation. Nobody confirms what they
// performed themself. What enough people found against somebody, no fewer take back: a return does not,
// and clearing it asks for as many as found it.
func (o *observation) hear(review *Event, need int) {
	against := o.adverse() && o.exact() && len(o.confirms) >= need
	switch review.Body.Decision {
	case "confirm":
		if review.Actor.same(o.Actor) {
			return
		}
		o.confirms = appendActor(o.confirms, review.Actor)
		o.cleared, o.returned, o.clears = false, false, nil
	case "clear":
		o.clears = appendActor(o.clears, review.Actor)
		if !against || len(o.clears) >= need {
			o.cleared, o.confirms = true, o.readBy
		}
	case "return":
		if !against {
			o.returned, o.confirms = true, o.readBy
		}
	}
}

// hearAll lets all that staff decided about the observation count, and returns how many people settle it. Where
// that is two, a person who read it out of the source is one of them: a second confirms it.
func (o *observation) hearAll(events []*Event, kind ClaimKind, policy Policy) (need int) {
	need = 1
	if o.adverse() && policy.Needs(kind, "adverse") {
		if need = 2; o.Actor.Kind == Staff {
			o.readBy = []Actor{o.Actor}
			o.confirms = o.readBy
		}
	}
	for _, e := range events {
		if e.Type == Review && e.Body.Of == o.Seq && e.Actor.Kind == Staff {
			o.hear(e, need)
		}
	}
	return need
}

// heardCleared reports whether staff found that the observation, new, speaks of somebody else.
func (o *observation) heardCleared(events []*Event, kind ClaimKind, policy Policy) bool {
	o.hearAll(events, kind, policy)
	return o.cleared
}

func appendActor(list []Actor, a Actor) []Actor {
	for _, b := range list {
		if a.same(b) {
			return list
		}
	}
	return append(slices.Clip(list), a)
}

// deriveAt computes the answer at one moment from the events in effect under the policy in force.
func deriveAt(c Claim, known []*Event, t Instant, policy Policy) Standing {
	kind := policy.Kinds[c.Kind]
	events := countsAt(known, t)
	var s Standing

	for _, e := range events {
		if e.Type == Takedown {
			return Standing{Status: StatusWithdrawn, Reasons: []string{ReasonTakedown}, Because: []int64{e.Seq}}
		}
	}

	var made []observation
	var asserts, disputes []*Event
	for _, e := range events {
		switch e.Type {
		case Observe:
			// That nobody could be asked is the program's own word, and often says that no source is approved.
			if !(e.Body.State == SeenUnavailable && e.Actor.Kind == Tool) && !policy.Approves(e.Body.Source, c.Kind, c.Jurisdiction) {
				if o := newObservation(e); !o.heardCleared(events, c.Kind, policy) {
					s.Reasons = appendOnce(s.Reasons, ReasonNotApproved)
				}
				continue
			}
			made = append(made, newObservation(e))
		case Assert:
			asserts = append(asserts, e)
		case DisputeOpen:
			if !closed(events, e) {
				disputes = append(disputes, e)
			}
		}
	}
	asserts = stillSaid(asserts)
	seen := make([]*observation, len(made))
	for i := range made {
		seen[i] = &made[i]
	}
	slices.SortFunc(seen, func(a, b *observation) int {
		return cmp.Or(cmp.Compare(a.PerformedAt, b.PerformedAt), cmp.Compare(a.Seq, b.Seq))
	})
	settle(seen, events, c, policy)
	s.Held = len(asserts) > 0 || slices.ContainsFunc(seen, func(o *observation) bool { return o.visible && !o.cleared })
	if len(seen) > 0 {
		s.Tried = seen[len(seen)-1].PerformedAt
		for _, o := range slices.Backward(seen) {
			if o.visible {
				s.Answer = o.Event
				break
			}
		}
	}

	// The newest settled record, and what came after it: what waits for a person, and searches that found
	// nothing or got no answer.
	var last, gone *observation
	var pending, badPending, noRecord, unavailable []*observation
	for _, o := range seen {
		switch {
		case o.cleared:
		case !o.visible:
			if !o.settled {
				s.Candidate = true
				s.Pending = append(s.Pending, o.Seq)
			}
		case o.Body.State == SeenUnavailable:
			unavailable = append(unavailable, o)
		case o.Body.State == SeenNotFound:
			noRecord = append(noRecord, o)
			if o.settled {
				gone = o
			}
		case o.settled && (o.exact() || !o.Body.State.Good() && !o.adverse() && !adverse(last)):
			last, gone, pending, badPending, noRecord, unavailable = o, nil, nil, nil, nil, nil
		case o.settled && o.Body.State.Good():
			// Corroborated, not exact: a person has looked, so it waits for nobody; and it proves nothing (I5).
			s.Reasons = appendOnce(s.Reasons, ReasonCorroborated)
		default:
			pending = append(pending, o)
			if o.bad() {
				badPending = append(badPending, o)
			}
		}
	}
	for _, o := range pending {
		s.Pending = append(s.Pending, o.Seq)
	}
	if last != nil {
		for _, o := range pending {
			if end := endsSooner(c, o, last); end != "" && end <= t {
				badPending = append(badPending, o)
			}
		}
	}

	documented := bestAssertion(asserts, ClassDocument, "")
	dropped := last != nil || documented != nil // a search that finds nothing contradicts what was held
	if dropped && !adverse(last) {
		for _, o := range noRecord {
			if gone == nil {
				s.Pending = append(s.Pending, o.Seq)
			}
		}
	}
	slices.Sort(s.Pending)
	s.Searches = differentDays(noRecord)
	searched := s.Searches >= max(1, policy.NotFoundRuns)
	dispute, plausible := disputed(disputes, events)

	rest := func(status Status, o *observation, reasons ...string) Standing {
		s.Status, s.Basis, s.Class = status, o.Event, ClassSource
		s.Because = append(appendSeq(s.Because, o.Seq), reviewsOf(events, o.Seq)...)
		if o.root != nil {
			s.Because = append(appendSeq(s.Because, o.root.Seq), reviewsOf(events, o.root.Seq)...)
		}
		s.Reasons = append(reasons, s.Reasons...)
		return finish(s, kind, disputes)
	}
	review := func(because []*observation, reasons ...string) Standing {
		s.Status, s.Reasons = StatusUnderReview, append([]string{ReasonReviewPending}, reasons...)
		for _, o := range because {
			s.Because = appendSeq(s.Because, o.Seq)
			s.Basis, s.Class = o.Event, ClassSource
		}
		return finish(s, kind, disputes)
	}

	if adverse(last) && !(plausible && !last.exact()) {
		return rest(StatusAdverse, last, stateReason(last.Body.State))
	}
	conflict := inConflict(seen, events, policy.ConflictDays)
	switch {
	case len(badPending) > 0 && slices.ContainsFunc(badPending, func(o *observation) bool { return o.returned }):
		return review(badPending, ReasonReviewReturned)
	case len(badPending) > 0:
		return review(badPending)
	case dispute != nil:
		s.Because = appendSeq(s.Because, dispute.Seq)
		return review(nil, ReasonDisputeOpen)
	case conflict != nil:
		return review(conflict, ReasonConflict)
	case dropped && len(noRecord) > 0 && (gone == nil || !searched):
		return review(noRecord, ReasonNoRecord)
	case searched && (gone != nil || last == nil):
		for _, o := range noRecord { // it takes them all
			s.Because = append(append(s.Because, o.Seq), reviewsOf(events, o.Seq)...)
		}
		return rest(StatusNotFound, noRecord[len(noRecord)-1], ReasonNoRecord)
	case last != nil:
		return fromRecord(rest, c, last, kind, t)
	case len(unavailable) > 0:
		o := unavailable[len(unavailable)-1]
		why := []string{ReasonUnavailable}
		if len(o.Reason) > 0 {
			why = slices.Clone(o.Reason)
		}
		return rest(StatusCouldNotCheck, o, why...)
	}
	return fromAssertions(s, c, asserts, kind, t, disputes)
}

// endsSooner returns the end that an answer gives which nobody has reviewed, if it is good like the settled
// one and ends before it; else "". Once that end has passed it is bad news, and lowers like any other.
func endsSooner(c Claim, waiting, settled *observation) Instant {
	if !settled.Body.State.Good() || !waiting.Body.State.Good() || waiting.Body.Expires == settled.Body.Expires {
		return ""
	}
	end, until := expiryEnd(c, waiting.Event), expiryEnd(c, settled.Event)
	if until != "" && end >= until {
		return ""
	}
	return end
}

// mayEndSooner reports an observation whose end may lower the answer s before its own basis does.
func mayEndSooner(e *Event, s Standing) bool {
	switch s.Status {
	case StatusVerified, StatusExpiring, StatusStale:
		return s.Class == ClassSource && e.Body.State.Good() && (s.Basis.Body.Expires == "" || e.Body.Expires < s.Basis.Body.Expires)
	case StatusUnderReview, StatusNotFound: // which may rest on something other than the settled record
		return e.Body.State.Good()
	}
	return false
}

// fromRecord gives the standing of a settled record that is not adverse.
func fromRecord(rest func(Status, *observation, ...string) Standing, c Claim, o *observation, kind KindPolicy, t Instant) Standing {
	end := expiryEnd(c, o.Event)
	switch state := o.Body.State; {
	case state == SeenExpired:
		return rest(StatusExpired, o, "LIC_EXPIRED")
	case end != "" && end <= t:
		return rest(StatusExpired, o, ReasonExpired)
	case !state.Good():
		return rest(StatusInactive, o, stateReason(state))
	case isStale(o.Event, kind, t):
		return rest(StatusStale, o, ReasonTooOld)
	case end != "" && kind.Expiring > 0 && end.AddDays(-kind.Expiring) <= t:
		return rest(StatusExpiring, o, ReasonExactID, ReasonExpiresSoon)
	case state == SeenReinstated:
		return rest(StatusVerified, o, ReasonExactID, ReasonReinstated)
	}
	return rest(StatusVerified, o, ReasonExactID)
}

// later orders events by when they were performed and then by number.
func later(a, b *Event) bool {
	return a.PerformedAt > b.PerformedAt || a.PerformedAt == b.PerformedAt && a.Seq > b.Seq
}

func adverse(o *observation) bool { return o != nil && o.adverse() }

// fromAssertions gives the standing that stands on no register: a document, the provider's own word, or
// a listing. These too go out of date, and a document's own end date ends it.
func fromAssertions(s Standing, c Claim, asserts []*Event, kind KindPolicy, t Instant, disputes []*Event) Standing {
	var sides []*Event
	for _, side := range []string{"prescriber", "provider"} {
		e := bestAssertion(asserts, ClassSelf, side)
		if e == nil {
			continue
		}
		sides = append(sides, e)
		if end := expiryEnd(c, e); !isStale(e, kind, t) && (end == "" || t < end) { // what was said too long ago counts for nobody
			s.Sides = append(s.Sides, side)
		}
	}
	for _, class := range []SourceClass{ClassDocument, ClassSelf, ClassListing} {
		e := bestAssertion(asserts, class, "")
		if e == nil {
			continue
		}
		s.Basis, s.Class, s.Because = e, class, appendSeq(s.Because, e.Seq)
		if class != e.Body.Class {
			s.Reasons = append(s.Reasons, faults(e)...)
		}
		switch end := expiryEnd(c, e); {
		case end != "" && end <= t:
			s.Status, s.Reasons = StatusExpired, append(s.Reasons, ReasonExpired)
		case isStale(e, kind, t):
			s.Status, s.Reasons = StatusStale, append(s.Reasons, ReasonTooOld)
		default:
			s.Status = map[SourceClass]Status{ClassDocument: StatusDocumented, ClassSelf: StatusSelfReported, ClassListing: StatusListed}[class]
		}
		if class == ClassSelf {
			for _, o := range sides { // both sides of a link count
				s.Because = appendSeq(s.Because, o.Seq)
			}
		}
		break
	}
	s = finish(s, kind, disputes)
	for _, e := range sides { // a link that both sides carry is as old as the older word
		if s.Class == ClassSelf && slices.Contains(s.Sides, e.Body.Side) && s.Status == StatusSelfReported {
			s.AsOf = min(s.AsOf, freshFrom(e).Date())
			if kind.Recheck > 0 {
				s.NextDue = earliest(s.NextDue, freshFrom(e).AddDays(kind.Recheck))
			}
		}
	}
	return s
}

// finish fills what every answer carries.
func finish(s Standing, kind KindPolicy, disputes []*Event) Standing {
	for _, d := range disputes {
		s.Reasons = appendOnce(s.Reasons, ReasonDisputeOpen)
		s.Because = append(s.Because, d.Seq)
		if s.Disputant != ByProvider {
			s.Disputant = d.Actor.Kind
		}
	}
	slices.Sort(s.Because)
	s.Because = slices.Compact(s.Because)
	if s.Basis != nil {
		s.CheckedAt = s.Basis.PerformedAt
		s.AsOf = freshFrom(s.Basis).Date()
		if kind.Recheck > 0 {
			s.NextDue = freshFrom(s.Basis).AddDays(kind.Recheck)
		}
	}
	return s
}

// inEffect returns the events that count as known at k, in order of their numbers: voided and corrected ones
// are gone for every t, and a correction stands at the time of what it corrects. When each of them counts is
// another question: see countsAt.
//
// A void takes back the event it names. Of the corrections of an event, and of corrections of those, the
// newest that nobody voided stands in its place; with all of them voided the event itself counts again: the
// correction was the error then.
func inEffect(all []Event, k Instant) []*Event {
	known := make([]*Event, 0, len(all))
	for i := range all {
		if all[i].RecordedAt <= k {
			known = append(known, &all[i])
		}
	}
	if !slices.IsSortedFunc(known, bySeq) {
		slices.SortFunc(known, bySeq)
	}
	if !slices.ContainsFunc(known, func(e *Event) bool { return e.Type == Void || e.Type == Correct }) {
		return known
	}
	voided, fixed := map[int64]bool{}, map[int64]*Event{} // fixed: by the number of what was first made
	for i := len(known) - 1; i >= 0; i-- {                // newest first: what takes back may itself be taken back
		switch e := known[i]; {
		case voided[e.Seq]:
		case e.Type == Void:
			voided[e.Supersedes] = true
		case e.Type == Correct:
			origin := originOf(all, e)
			if fixed[origin.Seq] == nil {
				stands := *e
				stands.Type, stands.PerformedAt = origin.Type, origin.PerformedAt
				fixed[origin.Seq] = &stands
			}
		}
	}
	out := known[:0]
	for _, e := range known {
		if e.Type == Correct {
			if stands := fixed[originOf(all, e).Seq]; stands != nil && stands.Seq == e.Seq {
				out = append(out, stands)
			}
		} else if !voided[e.Seq] && e.Type != Void && fixed[e.Seq] == nil {
			out = append(out, e)
		}
	}
	return out
}

func bySeq(a, b *Event) int { return cmp.Compare(a.Seq, b.Seq) }

// countsAt leaves of the events in effect those performed by t. A takedown holds for every t once it is known.
func countsAt(events []*Event, t Instant) []*Event {
	early := func(e *Event) bool { return e.PerformedAt > t && e.Type != Takedown }
	if !slices.ContainsFunc(events, early) {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), early)
}

func find(all []Event, seq int64) *Event {
	if i := slices.IndexFunc(all, func(e Event) bool { return e.Seq == seq }); i >= 0 {
		return &all[i]
	}
	return nil
}

// originOf follows corrections back to the event first made.
func originOf(all []Event, e *Event) *Event {
	for e.Type == Correct {
		of := find(all, e.Supersedes)
		if of == nil || of.Seq >= e.Seq {
			return e
		}
		e = of
	}
	return e
}

// settle decides for each observation, oldest first, whether it is settled: by review(confirm) of a
// person who did not perform it, twice where it stands against somebody and policy asks for two; by a
// completed run, where policy says so and nothing stands against the person; or because it says just
// what the newest approved one said.
func settle(seen []*observation, events []*Event, c Claim, policy Policy) {
	var approved *observation
	var lapse Instant // when what the newest ones say, and nobody has reviewed, will have ended; "" if it does not
	open := false     // bad news, or that the record is gone, waits for a person
	for _, o := range seen {
		need := o.hearAll(events, c.Kind, policy)
		if o.cleared || !o.visible {
			continue
		}
		open = open || lapse != "" && lapse <= o.PerformedAt
		switch {
		case o.Body.State == SeenUnavailable, o.Body.State == SeenIndeterminate: // an answer that nobody can confirm
		case len(o.confirms) >= need:
			o.settled = true
		case o.returned, o.Body.State == SeenNotFound:
		case (o.Body.State == SeenClear || c.Kind == IdentityNPI && o.Body.State == SeenActive) && o.exact() && o.Actor.Kind == Tool && !open &&
			slices.Contains(policy.ByRun, c.Kind) && (approved == nil || approved.Body.State.Good()):
			o.settled = true
		case approved != nil && !open && o.exact() && approved.exact() && o.Body.State == approved.Body.State && o.Body.Expires == approved.Body.Expires:
			o.settled, o.root = true, approved
			if approved.root != nil {
				o.root = approved.root
			}
		}
		switch {
		case o.settled && !o.exact() && o.Body.State.Good(): // proves nothing, and closes nothing
		case o.settled:
			approved, open, lapse = o, false, ""
		case o.bad(), o.Body.State == SeenNotFound && approved != nil:
			open = true
		case approved != nil:
			if end := endsSooner(c, o, approved); end != "" && (lapse == "" || end < lapse) {
				lapse = end
			}
		}
	}
}

// disputed returns the open dispute about identity, if there is one, and whether a staff member found it plausible.
func disputed(disputes, events []*Event) (open *Event, plausible bool) {
	for _, d := range disputes {
		if d.Body.Decision != "identity" {
			continue
		}
		open = d
		for _, e := range events {
			if e.Type == Decide && e.Body.Of == d.Seq && e.Body.Decision == "accept" {
				plausible = true
			}
		}
	}
	return open, plausible
}

func closed(events []*Event, dispute *Event) bool {
	return slices.ContainsFunc(events, func(e *Event) bool { return e.Type == DisputeClose && e.Body.Of == dispute.Seq })
}

// answer is what a source has said without a change: when first, and last of all.
type answer struct {
	first, last *observation
	of          []int64 // every observation that said so
}

// inConflict returns the newest answers of two sources that differ and were given within so many days of
// each other, unless a person who could see both has decided about one of them. That a source repeats what
// it said opens nothing again.
func inConflict(seen []*observation, events []*Event, days int) []*observation {
	if !slices.ContainsFunc(seen, func(o *observation) bool { return o.Body.Source != seen[0].Body.Source }) {
		return nil
	}
	var answers []answer // of each source, in order of the newest
	for _, o := range seen {
		if !o.visible || o.cleared || o.Body.State == SeenUnavailable || o.Body.State == SeenNotFound {
			continue
		}
		now := answer{first: o, last: o}
		if i := slices.IndexFunc(answers, func(a answer) bool { return a.last.Body.Source == o.Body.Source }); i >= 0 {
			if was := answers[i]; was.last.Body.State == o.Body.State && was.last.Body.Expires == o.Body.Expires {
				now.first, now.of = was.first, was.of
			}
			answers = slices.Delete(answers, i, i+1)
		}
		now.of = append(now.of, o.Seq)
		answers = append(answers, now)
	}
	for i, a := range answers {
		for _, b := range answers[i+1:] {
			x, y := a.last.Body, b.last.Body
			differ := x.State != y.State || x.Expires != "" && y.Expires != "" && x.Expires != y.Expires
			if differ && b.last.PerformedAt <= a.last.PerformedAt.AddDays(days) && !slices.ContainsFunc(events, func(e *Event) bool {
				return e.Type == Review && e.Body.Decision == "confirm" && later(e, a.first.Event) && later(e, b.first.Event) &&
					(slices.Contains(a.of, e.Body.Of) || slices.Contains(b.of, e.Body.Of))
			}) {
				return []*observation{a.last, b.last}
			}
		}
	}
	return nil
}

func differentDays(os []*observation) int {
	days := map[Date]bool{}
	for _, o := range os {
		days[o.PerformedAt.Date()] = true
	}
	return len(days)
}

func isStale(e *Event, kind KindPolicy, t Instant) bool {
	return kind.Stale > 0 && t > freshFrom(e).AddDays(kind.Stale)
}

// bestAssertion returns the newest assertion of the class, by when it was made and then by number, and of
// an oversight link the newest of a side.
func bestAssertion(asserts []*Event, class SourceClass, side string) *Event {
	var best *Event
	for _, e := range asserts {
		if classOf(e) == class && (side == "" || e.Body.Side == side) && (best == nil || later(e, best)) {
			best = e
		}
	}
	return best
}

// stillSaid leaves out what its speaker has taken back since: an assertion with the state not_found says that
// the source states it no longer.
func stillSaid(asserts []*Event) []*Event {
	takenBack := func(e *Event) bool { return e.Body.State == SeenNotFound }
	if !slices.ContainsFunc(asserts, takenBack) {
		return asserts
	}
	var out []*Event
	for _, e := range asserts {
		if !takenBack(e) && !slices.ContainsFunc(asserts, func(w *Event) bool {
			return takenBack(w) && w.Body.Source == e.Body.Source && w.Body.Class == e.Body.Class && later(w, e)
		}) {
			out = append(out, e)
		}
	}
	return out
}

// StatedBy returns who states the claim at t, as known at k: of each source the newest statement that it has
// not taken back, in order of class, the best first, and source.
func (h History) StatedBy(t, k Instant) []Event {
	var said []*Event
	for _, e := range h.inEffect(t, k) {
		if e.Type == Assert {
			said = append(said, e)
		}
	}
	var out []Event
	for _, e := range stillSaid(said) {
		i := slices.IndexFunc(out, func(o Event) bool {
			return o.Body.Source == e.Body.Source && o.Body.Class == e.Body.Class && o.Body.Side == e.Body.Side
		})
		switch {
		case i < 0:
			out = append(out, *e)
		case later(e, &out[i]):
			out[i] = *e
		}
	}
	slices.SortFunc(out, func(a, b Event) int {
		return cmp.Or(cmp.Compare(b.Body.Class.rank(), a.Body.Class.rank()), cmp.Compare(a.Body.Source, b.Body.Source), cmp.Compare(a.Body.Side, b.Body.Side))
	})
	return out
}

// classOf is what an assertion's word can carry. A document with a fault shows nothing: what remains is
// that the provider says so.
func classOf(e *Event) SourceClass {
	if e.Body.Class == ClassDocument && len(faults(e)) > 0 {
		return ClassSelf
	}
	return e.Body.Class
}

// Carries is the class that an assertion's word has: its own, but for a document that shows nothing, which is
// only what the provider says.
func (e Event) Carries() SourceClass { return classOf(&e) }

// faults are the reasons why a document shows nothing: it cannot be read, names somebody or something else,
// gives a date after it was sent, or was sent in by somebody else before.
func faults(e *Event) []string {
	var out []string
	for _, r := range e.Reason {
		if documentFaults[r] {
			out = appendOnce(out, r)
		}
	}
	if sent := e.PerformedAt.Date(); e.Body.Completed > sent || e.Body.Issued > sent {
		out = appendOnce(out, "DOC_FUTURE_DATE")
	}
	return out
}

// documentFaults are the reason codes of domain.md §5.5 with which a document shows nothing.
var documentFaults = map[string]bool{"DOC_UNREADABLE": true, "DOC_NAME_MISMATCH": true, "DOC_TITLE_MISMATCH": true, "DOC_FUTURE_DATE": true, "DOC_REUSED_HASH": true}

func reviewsOf(events []*Event, seq int64) []int64 {
	var out []int64
	for _, e := range events {
		if e.Type == Review && e.Body.Of == seq && e.Body.Decision == "confirm" {
			out = append(out, e.Seq)
		}
	}
	return out
}

// stateReason is the reason code of a state that is not good.
func stateReason(s Observed) string {
	switch s {
	case SeenExcluded, SeenPossible: // possible, until people confirmed it
		return ReasonExcluded
	case SeenRetired:
		return "LIC_INACTIVE"
	}
	return "LIC_" + strings.ToUpper(string(s))
}

func appendOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func appendSeq(list []int64, n int64) []int64 {
	if slices.Contains(list, n) {
		return list
	}
	return append(list, n)
}

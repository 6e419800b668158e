package directory

import (
	"slices"
	"sort"
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
	Candidate  bool        // a name-only candidate waits for a person: for staff, on no public face
	Pending    []int64     // observations that wait for a review
}

// Derive computes what a claim is worth at t, from the events recorded by k, under the policy in force
// at t. It is pure: no clock, no store, and the order of h.Events does not matter.
//
// The rules are those of domain.md §5.2 as amended by contracts.md §4. Unreviewed bad news lowers at
// once; unreviewed good news neither lifts nor lowers; what has no identifier agreeing changes nothing.
func Derive(h History, t, k Instant, policies Policies) Standing {
	s := deriveAt(h, t, k, policies)
	for _, at := range boundaries(h, s, t, k, policies) {
		if next := deriveAt(h, at, k, policies); !sameAnswer(s, next) {
			s.ValidUntil = at
			break
		}
	}
	return s
}

func sameAnswer(a, b Standing) bool {
	return a.Status == b.Status && slices.Equal(a.Reasons, b.Reasons) && slices.Equal(a.Because, b.Because)
}

// boundaries returns, in order, the moments after t at which the answer s could change by itself.
func boundaries(h History, s Standing, t, k Instant, policies Policies) []Instant {
	var out []Instant
	add := func(at Instant) {
		if at > t {
			out = append(out, at)
		}
	}
	for at := policies.Boundary(t); at != ""; at = policies.Boundary(at) {
		add(at)
	}
	for i := range h.Events {
		if e := &h.Events[i]; e.RecordedAt <= k {
			add(e.PerformedAt)
		}
	}
	if s.Basis != nil {
		policy := policies.InForce(t).Kinds[h.Claim.Kind]
		end := expiryEnd(h.Claim, s.Basis)
		add(end)
		if end != "" {
			add(end.AddDays(-policy.Expiring))
		}
		if policy.Stale > 0 {
			add(freshFrom(s.Basis).AddDays(policy.Stale).Add(time.Millisecond))
		}
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
	seq      int64 // of the event itself
	visible  bool  // an identifier agrees, or it is corroborated
	settled  bool
	cleared  bool
	returned bool
	affirmed bool // settled by being the same as the approved one before it
	confirms []Actor
}

func (o observation) exact() bool { return o.Body.Match == M5 }

// bad reports news that lowers: everything but a good state, no answer, and no record.
func (o observation) bad() bool {
	s := o.Body.State
	return !s.Good() && s != SeenUnavailable && s != SeenNotFound
}

func deriveAt(h History, t, k Instant, policies Policies) Standing {
	policy := policies.InForce(t)
	kind := policy.Kinds[h.Claim.Kind]
	events := inEffect(h.Events, t, k)
	var s Standing

	for _, e := range events {
		if e.Type == Takedown {
			return Standing{Status: StatusWithdrawn, Reasons: []string{ReasonTakedown}, Because: []int64{e.Seq}}
		}
	}

	var seen []*observation
	var asserts []*Event
	var disputes []*Event
	for _, e := range events {
		switch e.Type {
		case Observe, Correct:
			if e.Body.Class != "" && e.Body.Class != ClassSource { // a corrected assertion
				asserts = append(asserts, e)
				continue
			}
			if !policy.Approves(e.Body.Source, h.Claim.Kind, h.Claim.Jurisdiction) {
				s.Reasons = appendOnce(s.Reasons, ReasonNotApproved)
				continue
			}
			o := &observation{Event: e, seq: e.Seq}
			m := Match{Rung: e.Body.Match, By: e.Body.By}
			o.visible = m.Rung == M5 || m.Rung == M4 || m.Identified() || e.Body.State == SeenNotFound || e.Body.State == SeenUnavailable
			if e.Body.State == SeenPossible && !m.Identified() {
				o.visible = false
			}
			seen = append(seen, o)
		case Assert:
			asserts = append(asserts, e)
		case DisputeOpen:
			if !closed(events, e) {
				disputes = append(disputes, e)
			}
		}
	}
	sort.SliceStable(seen, func(i, j int) bool {
		if seen[i].PerformedAt != seen[j].PerformedAt {
			return seen[i].PerformedAt < seen[j].PerformedAt
		}
		return seen[i].seq < seen[j].seq
	})
	settle(seen, events, h.Claim.Kind, policy)

	// The newest settled observation, and what came after it and waits for a person.
	var last *observation
	var pending, badPending []*observation
	var noRecord, unavailable []*observation
	for _, o := range seen {
		switch {
		case o.cleared:
		case !o.visible:
			if !o.settled {
				s.Candidate = true
				s.Pending = append(s.Pending, o.seq)
			}
		case o.Body.State == SeenUnavailable:
			unavailable = append(unavailable, o)
		case o.Body.State == SeenNotFound:
			noRecord = append(noRecord, o)
			if o.settled && (last == nil || !last.Body.State.Adverse()) {
				last, pending, badPending = o, nil, nil
			}
		case o.settled && (o.exact() || !o.Body.State.Good() && !o.Body.State.Adverse()):
			last, pending, badPending, noRecord = o, nil, nil, nil
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
		s.Pending = append(s.Pending, o.seq)
	}
	slices.Sort(s.Pending)
	for _, o := range seen { // what came after the newest answer that counts
		if last != nil && o.Body.State == SeenUnavailable && o.PerformedAt <= last.PerformedAt {
			unavailable = slices.DeleteFunc(unavailable, func(u *observation) bool { return u == o })
		}
	}

	documented := bestAssertion(asserts, ClassDocument)
	identityDispute, plausible := disputed(disputes, events)
	conflict := inConflict(seen, policy.ConflictDays)

	rest := func(status Status, o *observation, reasons ...string) Standing {
		s.Status, s.Basis, s.Class = status, o.Event, ClassSource
		s.Because = appendSeq(s.Because, o.seq)
		s.Because = append(s.Because, reviewsOf(events, o.seq)...)
		s.Reasons = append(reasons, s.Reasons...)
		return finish(s, kind, disputes)
	}
	review := func(because []*observation, reasons ...string) Standing {
		s.Status, s.Reasons = StatusUnderReview, append([]string{ReasonReviewPending}, reasons...)
		for _, o := range because {
			s.Because = appendSeq(s.Because, o.seq)
			s.Basis, s.Class = o.Event, ClassSource
		}
		return finish(s, kind, disputes)
	}

	if last != nil && last.Body.State.Adverse() && !(plausible && !last.exact()) {
		return rest(StatusAdverse, last, adverseReason(last.Body.State))
	}
	switch {
	case len(badPending) > 0:
		why := ReasonReviewPending
		for _, o := range badPending {
			if o.returned {
				why = ReasonReviewReturned
			}
		}
		if why == ReasonReviewPending {
			return review(badPending)
		}
		return review(badPending, why)
	case identityDispute != nil:
		s.Because = appendSeq(s.Because, identityDispute.Seq)
		return review(nil, ReasonDisputeOpen)
	case conflict != nil:
		return review(conflict, ReasonConflict)
	case last != nil && last.Body.State != SeenNotFound && len(noRecord) > 0 && last.Body.State.Good():
		return review(noRecord, ReasonNoRecord)
	case last == nil && documented != nil && len(noRecord) > 0:
		return review(noRecord, ReasonNoRecord)
	}

	if last != nil && last.Body.State == SeenNotFound {
		return rest(StatusNotFound, last, ReasonNoRecord)
	}
	if last != nil {
		end := expiryEnd(h.Claim, last.Event)
		switch {
		case last.Body.State == SeenExpired, end != "" && end <= t:
			return rest(StatusExpired, last, ReasonExpired)
		case !last.Body.State.Good():
			return rest(StatusInactive, last, "LIC_INACTIVE")
		case isStale(last.Event, kind, t):
			return rest(StatusStale, last, ReasonTooOld)
		case end != "" && kind.Expiring > 0 && end.AddDays(-kind.Expiring) <= t:
			return rest(StatusExpiring, last, ReasonExactID, ReasonExpiresSoon)
		}
		why := []string{ReasonExactID}
		if last.Body.State == SeenReinstated {
			why = append(why, ReasonReinstated)
		}
		return rest(StatusVerified, last, why...)
	}

	if days := differentDays(noRecord); days >= max(1, policy.NotFoundRuns) {
		return rest(StatusNotFound, noRecord[len(noRecord)-1], ReasonNoRecord)
	}
	if len(unavailable) > 0 {
		o := unavailable[len(unavailable)-1]
		why := []string{ReasonUnavailable}
		if len(o.Reason) > 0 {
			why = slices.Clone(o.Reason)
		}
		return rest(StatusCouldNotCheck, o, why...)
	}
	return fromAssertions(s, h.Claim, asserts, kind, t, disputes)
}

// fromAssertions gives the standing that stands on no register: a document, the provider's own word, or
// a listing. These too go out of date, and a document's own end date ends it.
func fromAssertions(s Standing, c Claim, asserts []*Event, kind KindPolicy, t Instant, disputes []*Event) Standing {
	for _, e := range asserts {
		if e.Body.Class == ClassSelf && e.Body.Side != "" {
			s.Sides = appendOnce(s.Sides, e.Body.Side)
		}
	}
	slices.Sort(s.Sides)
	for _, class := range []SourceClass{ClassDocument, ClassSelf, ClassListing} {
		e := bestAssertion(asserts, class)
		if e == nil {
			continue
		}
		s.Basis, s.Class, s.Because = e, class, appendSeq(s.Because, e.Seq)
		switch end := expiryEnd(c, e); {
		case end != "" && end <= t:
			s.Status, s.Reasons = StatusExpired, append(s.Reasons, ReasonExpired)
		case isStale(e, kind, t):
			s.Status, s.Reasons = StatusStale, append(s.Reasons, ReasonTooOld)
		default:
			s.Status = map[SourceClass]Status{ClassDocument: StatusDocumented, ClassSelf: StatusSelfReported, ClassListing: StatusListed}[class]
		}
		for _, o := range asserts { // the other side of a link counts too
			if o != e && o.Body.Class == class && o.Body.Side != "" && o.Body.Side != e.Body.Side {
				s.Because = appendSeq(s.Because, o.Seq)
			}
		}
		break
	}
	return finish(s, kind, disputes)
}

// finish fills what every answer carries.
func finish(s Standing, kind KindPolicy, disputes []*Event) Standing {
	slices.Sort(s.Because)
	s.Because = slices.Compact(s.Because)
	for _, d := range disputes {
		if !slices.Contains(s.Reasons, ReasonDisputeOpen) {
			s.Reasons = append(s.Reasons, ReasonDisputeOpen)
		}
		s.Because = appendSeq(s.Because, d.Seq)
	}
	if s.Basis != nil {
		s.CheckedAt = s.Basis.PerformedAt
		s.AsOf = freshFrom(s.Basis).Date()
		if kind.Recheck > 0 {
			s.NextDue = freshFrom(s.Basis).AddDays(kind.Recheck)
		}
	}
	return s
}

// inEffect returns the events that count at (t, k): voided and corrected ones are gone for every t, a
// correction stands at the time of what it corrects, and a takedown holds for every t once it is known.
func inEffect(all []Event, t, k Instant) []*Event {
	known := make([]*Event, 0, len(all))
	for i := range all {
		if all[i].RecordedAt <= k {
			known = append(known, &all[i])
		}
	}
	sort.Slice(known, func(i, j int) bool { return known[i].Seq < known[j].Seq })
	var gone map[int64]bool
	for i := len(known) - 1; i >= 0; i-- { // newest first: what voids may itself be voided
		if e := known[i]; (e.Type == Void || e.Type == Correct) && !gone[e.Seq] {
			if gone == nil {
				gone = map[int64]bool{}
			}
			gone[e.Supersedes] = true
		}
	}
	out := known[:0:0]
	for _, e := range known {
		if gone[e.Seq] || e.Type == Void {
			continue
		}
		if e.Type == Correct {
			fixed := *e
			fixed.PerformedAt = originOf(all, e).PerformedAt
			e = &fixed
		}
		if e.PerformedAt <= t || e.Type == Takedown {
			out = append(out, e)
		}
	}
	return out
}

// originOf follows corrections back to the event first made.
func originOf(all []Event, e *Event) *Event {
	for e.Type == Correct {
		i := slices.IndexFunc(all, func(o Event) bool { return o.Seq == e.Supersedes })
		if i < 0 || all[i].Seq >= e.Seq {
			return e
		}
		e = &all[i]
	}
	return e
}

// settle decides for each observation, oldest first, whether it is settled: by review(confirm) of a
// person who did not perform it, twice where it stands against somebody and policy asks for two; by a
// completed run, where policy says so and nothing stands against the person; or because it says just
// what the newest approved one said.
func settle(seen []*observation, events []*Event, kind ClaimKind, policy Policy) {
	var approved *observation
	open := false // bad news waits for a person
	for _, o := range seen {
		for _, e := range events {
			if e.Type != Review || e.Body.Of != o.seq {
				continue
			}
			switch e.Body.Decision {
			case "confirm":
				if !e.Actor.same(o.Actor) && !slices.ContainsFunc(o.confirms, e.Actor.same) {
					o.confirms = append(o.confirms, e.Actor)
				}
				o.cleared, o.returned = false, false
			case "clear":
				o.cleared, o.confirms = true, nil
			case "return":
				o.returned, o.confirms = true, nil
			}
		}
		if o.cleared || !o.visible {
			continue
		}
		need := 1
		if o.Body.State.Adverse() && policy.Needs(kind, "adverse") {
			need = 2
		}
		switch {
		case len(o.confirms) >= need:
			o.settled = true
		case o.returned, o.Body.State == SeenUnavailable, o.Body.State == SeenNotFound:
		case approved != nil && !open && o.exact() && approved.exact() && o.Body.State == approved.Body.State && o.Body.Expires == approved.Body.Expires:
			o.settled, o.affirmed = true, true
		case (o.Body.State == SeenClear || kind == IdentityNPI && o.Body.State == SeenActive) && o.exact() && o.Actor.Kind == Tool && !open &&
			slices.Contains(policy.ByRun, kind) && (approved == nil || approved.Body.State.Good()):
			o.settled = true
		}
		switch {
		case o.settled:
			approved, open = o, false
		case o.bad():
			open = true
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

// inConflict returns the newest answers of two sources that differ within the window, unless a person
// has settled one of them since.
func inConflict(seen []*observation, days int) []*observation {
	newest := map[string]*observation{}
	for _, o := range seen {
		if o.visible && !o.cleared && o.Body.State != SeenUnavailable && o.Body.State != SeenNotFound {
			newest[o.Body.Source] = o
		}
	}
	if len(newest) < 2 {
		return nil
	}
	all := make([]*observation, 0, len(newest))
	for _, o := range newest {
		all = append(all, o)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].seq < all[j].seq })
	for i, a := range all {
		for _, b := range all[i+1:] {
			apart := b.PerformedAt.Time().Sub(a.PerformedAt.Time()).Abs()
			differ := a.Body.State != b.Body.State || a.Body.Expires != "" && b.Body.Expires != "" && a.Body.Expires != b.Body.Expires
			decided := len(a.confirms) > 0 && a.settled != b.settled || len(b.confirms) > 0 && a.settled != b.settled
			if differ && apart <= time.Duration(days)*24*time.Hour && !decided {
				return []*observation{a, b}
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

// bestAssertion returns the newest assertion of the class, by when it was made and then by number.
func bestAssertion(asserts []*Event, class SourceClass) *Event {
	var best *Event
	for _, e := range asserts {
		if e.Body.Class == class && (best == nil || e.PerformedAt > best.PerformedAt || e.PerformedAt == best.PerformedAt && e.Seq > best.Seq) {
			best = e
		}
	}
	return best
}

func reviewsOf(events []*Event, seq int64) []int64 {
	var out []int64
	for _, e := range events {
		if e.Type == Review && e.Body.Of == seq && e.Body.Decision == "confirm" {
			out = append(out, e.Seq)
		}
	}
	return out
}

func adverseReason(s Observed) string {
	switch s {
	case SeenRestricted:
		return "LIC_RESTRICTED"
	case SeenProbation:
		return "LIC_PROBATION"
	case SeenSuspended:
		return "LIC_SUSPENDED"
	case SeenRevoked:
		return "LIC_REVOKED"
	case SeenSurrendered:
		return "LIC_SURRENDERED"
	}
	return ReasonExcluded
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

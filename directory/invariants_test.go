package directory

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The invariants of domain.md §5.4 over random histories: several sources, conflicts, disputes, corrections,
// voids, takedowns, releases of the rules, backdated evidence, and the zones in which licences end. Each
// history is drawn from a dice, so that a test can shrink it and a benchmark can make a million of them.

// dice returns a number from 0 to n-1; name is for whoever reads a failure.
type dice func(name string, n int) int

func pick[T any](d dice, name string, of ...T) T { return of[d(name, len(of))] }

// rapidDice is a dice that rapid can shrink.
func rapidDice(t *rapid.T) dice {
	return func(name string, n int) int { return rapid.IntRange(0, n-1).Draw(t, name) }
}

// drawnClaim is a claim that histories are drawn of, with the sources that may speak of it and the states
// they report.
type drawnClaim struct {
	kind   ClaimKind
	in     State
	states []Observed
}

var licenceStates = []Observed{SeenActive, SeenActive, SeenActive, SeenActive, SeenActive, SeenActive, SeenActive, SeenActive, SeenSuspended, SeenProbation, SeenRevoked, SeenExpired, SeenInactive,
	SeenPending, SeenNotFound, SeenNotFound, SeenUnavailable, SeenIndeterminate}

var drawnClaims = []drawnClaim{
	{License, "CO", licenceStates},
	{License, "HI", licenceStates},
	{License, "GU", licenceStates},
	{License, "TN", licenceStates}, // two zones, and summer time
	{ExclusionScreen, "", []Observed{SeenClear, SeenClear, SeenClear, SeenPossible, SeenExcluded, SeenReinstated, SeenUnavailable}},
	{DisciplineScreen, "CO", []Observed{SeenClear, SeenClear, SeenClear, SeenRestricted, SeenReinstated, SeenNotFound, SeenUnavailable}},
	{TrainingCert, "", []Observed{SeenActive, SeenNotFound, SeenNotFound, SeenUnavailable, SeenRevoked}},
	{OversightLink, "", []Observed{SeenActive, SeenInactive, SeenNotFound, SeenUnavailable}},
	{ProtocolClaim, "", []Observed{SeenActive, SeenUnavailable}},
	{DEARegistration, "CO", []Observed{SeenActive, SeenUnavailable, SeenSurrendered}},
	{IdentityNPI, "", []Observed{SeenActive, SeenActive, SeenInactive, SeenNotFound, SeenUnavailable}},
}

var (
	june  = Actor{Kind: Staff, ID: "staff-june", Auth: "test"}
	staff = []Actor{rowan, imani, june}
)

// rulesOfATest are two releases of the rules. Every source named main or second is approved for
// everything; from July the second is not, and answers go out of date sooner. The release of September
// says that they never did before October.
var rulesOfATest = sync.OnceValue(func() Policies {
	base := StandardPolicies()[0]
	make := func(version string, from, recorded Instant, sources []string, change func(KindPolicy) KindPolicy) Policy {
		p := base
		p.Version, p.ValidFrom, p.recordedAt, p.Kinds, p.Approved = version, from, recorded, map[ClaimKind]KindPolicy{}, nil
		for kind, k := range base.Kinds {
			p.Kinds[kind] = change(k)
		}
		for _, s := range sources {
			p.Approved = append(p.Approved, ApprovedSource{Source: s, Kinds: ClaimKinds})
		}
		return p
	}
	same := func(k KindPolicy) KindPolicy { return k }
	sooner := func(k KindPolicy) KindPolicy {
		k.Stale, k.Recheck = k.Stale/2, k.Recheck/2
		if k.Expiring > 0 {
			k.Expiring += 30
		}
		return k
	}
	both := []string{"main", "second"}
	return Policies{
		make("a", "2026-01-01T00:00:00.000Z", "", both, same),
		make("b", "2026-07-01T00:00:00.000Z", "", both[:1], sooner),
		make("a", "2026-01-01T00:00:00.000Z", "2026-09-01T00:00:00.000Z", both, same),
		make("c", "2026-10-01T00:00:00.000Z", "2026-09-01T00:00:00.000Z", both, sooner),
	}
})

// lastPolicy is when no policy of rulesOfATest comes any more.
const lastPolicy = Instant("2026-10-01T00:00:00.000Z")

var endDays = []Date{"", "2026-03-08", "2026-06-30", "2026-11-01", "2027-02-28", "2027-08-31", "2028-02-29"}

// drawObservation makes an observation: mostly exact, sometimes corroborated, or a name alone.
func drawObservation(d dice, s drawnClaim, at Instant) Event {
	rung := pick(d, "rung", M5, M5, M5, M5, M5, M5, M5, M4, M3, M2)
	by := []string{"family", "given"}
	if rung == M5 || rung == M3 && d("identified", 2) == 0 {
		by = []string{"licence", "family"}
	}
	source := pick(d, "source", "main", "main", "main", "second", "stranger")
	actor := machine
	if d("by hand", 6) == 0 {
		actor = pick(d, "performer", staff...)
	}
	return Event{Type: Observe, Actor: actor, Evidence: []string{"e"}, Body: Body{State: pick(d, "state", s.states...), Match: rung, By: by, Source: source,
		Expires: pick(d, "expires", "2027-08-31", "2027-08-31", "2027-08-31", pick(d, "other end", endDays...)), SourceAsOf: at.AddDays(-pick(d, "old", 0, 1, 20, 60)).Date()}}
}

func drawAssertion(d dice) Event {
	e := Event{Type: Assert, Actor: Actor{Kind: ByProvider, ID: "prv_1"}, Body: Body{Class: pick(d, "class", ClassListing, ClassSelf, ClassSelf, ClassDocument),
		Side: pick(d, "side", "", "provider", "prescriber"), To: pick(d, "to", "", "", Date("2026-08-15"))}}
	if e.Body.Class == ClassDocument {
		e.Body.Expires = pick(d, "document ends", endDays...)
		e.Body.Completed = pick(d, "completed", "", "2025-05-05", Date("2029-01-01"))
	}
	return e
}

// drawHistory makes a history of up to most events over some eighteen months.
func drawHistory(d dice, most int) (History, drawnClaim) {
	s := pick(d, "claim", drawnClaims...)
	return drawEvents(d, Claim{ID: "clm_1", Provider: "prv_1", Kind: s.kind, Jurisdiction: s.in, Other: "prv_2"}, s, most), s
}

func drawEvents(d dice, c Claim, s drawnClaim, most int) History {
	h := History{Claim: c}
	at := Instant("2026-01-01T08:00:00.000Z")
	var observed, disputes []int64
	for range 1 + d("events", most) {
		at = at.Add(time.Duration(d("hours", 40*24)) * time.Hour / time.Duration(pick(d, "pace", 1, 1, 4, 40)))
		at = at.Add(time.Millisecond)
		var e Event
		of := func(list []int64) int64 {
			if len(list) == 0 {
				return 1
			}
			return list[max(0, len(list)-1-d("of", 3))]
		}
		performed := at
		if d("backdated", 6) == 0 {
			performed = at.AddDays(-d("days before", 60))
		}
		switch d("what", 20) {
		default:
			e = drawObservation(d, s, performed)
			observed = append(observed, int64(len(h.Events)+1))
		case 0, 1, 2:
			e = Event{Type: Review, Actor: pick(d, "reviewer", staff...), Body: Body{Of: of(observed), Decision: pick(d, "decision", "confirm", "confirm", "confirm", "confirm", "clear", "return"), Field: "birth"}}
		case 3, 4:
			e = drawAssertion(d)
		case 5:
			e = Event{Type: DisputeOpen, Actor: Actor{Kind: ByProvider, ID: "prv_1"}, Body: Body{Decision: pick(d, "dispute", "identity", "", "")}}
			disputes = append(disputes, int64(len(h.Events)+1))
		case 6:
			e = Event{Type: Decide, Actor: pick(d, "decider", staff...), Body: Body{Of: of(disputes), Decision: pick(d, "verdict", "accept", "decline")}}
		case 7:
			e = Event{Type: DisputeClose, Actor: rowan, Body: Body{Of: of(disputes)}}
		case 8:
			e = drawObservation(d, s, performed)
			e.Type, e.Supersedes = Correct, 1+int64(d("corrects", max(1, len(h.Events))))
			if d("a review is corrected", 4) == 0 {
				e.Actor, e.Body = pick(d, "corrector", staff...), Body{Of: of(observed), Decision: "confirm"}
			}
			observed = append(observed, int64(len(h.Events)+1))
		case 9:
			e = Event{Type: Void, Actor: rowan, Supersedes: 1 + int64(d("voids", max(1, len(h.Events))))}
		case 10:
			if d("taken down", 8) == 0 {
				e = Event{Type: Takedown, Actor: rowan}
			} else {
				e = drawAssertion(d)
			}
		}
		h.Events = append(h.Events, numbered(e, len(h.Events)+1, at, performed))
		if e.Type == Observe && d("looked at", 3) > 0 { // mostly somebody looks soon, and at bad news a second person
			people := []Actor{rowan, imani}
			for _, who := range people[:1+d("by two", 2)] {
				at = at.Add(time.Duration(1+d("after", 50)) * time.Hour)
				h.Events = append(h.Events, numbered(Event{Type: Review, Actor: who, Body: Body{Of: observed[len(observed)-1], Decision: "confirm"}}, len(h.Events)+1, at, at))
			}
		}
	}
	return h
}

func numbered(e Event, seq int, recorded, performed Instant) Event {
	e.V, e.Seq, e.Claim, e.RecordedAt, e.PerformedAt = EventVersion, int64(seq), "clm_1", recorded, performed
	return e
}

// drawMoment is a moment of those three years, often one at which something happened.
func drawMoment(d dice, h History, name string) Instant {
	if d(name+" at an event", 3) == 0 {
		return h.Events[d(name, len(h.Events))].RecordedAt
	}
	return Instant("2025-12-20T00:00:00.000Z").Add(time.Duration(d(name, 26_000)) * time.Hour)
}

// sameStanding compares all that anybody is told.
func sameStanding(a, b Standing) bool {
	return sameAnswer(a, b) && a.ValidUntil == b.ValidUntil && a.NextDue == b.NextDue && a.AsOf == b.AsOf && a.CheckedAt == b.CheckedAt &&
		a.Class == b.Class && a.Tried == b.Tried && a.Candidate == b.Candidate && a.Held == b.Held && slices.Equal(a.Pending, b.Pending)
}

// invariants draws a history and a question and returns the answer, or what is wrong with it.
func invariants(d dice) (Standing, error) {
	h, s := drawHistory(d, 16)
	ps := rulesOfATest()
	t, k := drawMoment(d, h, "t"), drawMoment(d, h, "k")
	if d("now", 3) > 0 { // what everybody asks: now, with all that is known
		t = h.Events[len(h.Events)-1].RecordedAt.Add(time.Duration(d("later", 60*24)) * time.Hour)
		k = t
	}
	got := Derive(h, t, k, ps)
	for _, holds := range []func() error{
		func() error { return appendsChangeNothing(h, t, k, ps, got) },
		func() error { return orderIsIrrelevant(d, h, t, k, ps, got) },
		func() error { return restsOnWhatItCites(h, t, k, ps, got) },
		func() error { return validUntilIsExact(d, h, t, k, ps, got) },
		func() error { return timeOnlyLowers(h, t, k, ps, got) },
		func() error { return weakEvidence(d, h, s, t, k, ps, got) },
	} {
		if err := holds(); err != nil {
			return got, fmt.Errorf("%w\nat %s, known %s: %s %v because %v until %s\n%s", err, t, k, got.Status, got.Reasons, got.Because, got.ValidUntil, told(h))
		}
	}
	return got, nil
}

// told writes a history so that a failure can be read.
func told(h History) string {
	out := fmt.Sprintf("%s %s\n", h.Claim.Kind, h.Claim.Jurisdiction)
	for _, e := range h.Events {
		b := e.Body
		out += fmt.Sprintf("%3d %s %s %s by %s", e.Seq, e.RecordedAt, e.PerformedAt, e.Type, e.Actor.ID)
		switch e.Type {
		case Observe, Correct:
			out += fmt.Sprintf(" %s %s %s %v as of %s expires %s", b.Source, b.State, b.Match, b.By, b.SourceAsOf, b.Expires)
		case Assert:
			out += fmt.Sprintf(" %s %s to %s expires %s", b.Class, b.Side, b.To, b.Expires)
		}
		if b.Of+e.Supersedes > 0 || b.Decision != "" {
			out += fmt.Sprintf(" of %d %s, supersedes %d", b.Of, b.Decision, e.Supersedes)
		}
		out += "\n"
	}
	return out
}

// I1: what is recorded later never changes an answer at fixed (T, K).
func appendsChangeNothing(h History, t, k Instant, ps Policies, got Standing) error {
	known := History{Claim: h.Claim, Events: nil}
	for _, e := range h.Events {
		if e.RecordedAt <= k {
			known.Events = append(known.Events, e)
		}
	}
	if s := Derive(known, t, k, ps); !sameStanding(s, got) {
		return fmt.Errorf("I1: without what came later it was %s %v", s.Status, s.Because)
	}
	return nil
}

// I4: the order of insertion is irrelevant.
func orderIsIrrelevant(d dice, h History, t, k Instant, ps Policies, got Standing) error {
	mixed := History{Claim: h.Claim, Events: slices.Clone(h.Events)}
	for i := len(mixed.Events) - 1; i > 0; i-- {
		j := d("order", i+1)
		mixed.Events[i], mixed.Events[j] = mixed.Events[j], mixed.Events[i]
	}
	if s := Derive(mixed, t, k, ps); !sameStanding(s, got) {
		return fmt.Errorf("I4: in another order it is %s %v until %s", s.Status, s.Because, s.ValidUntil)
	}
	return nil
}

// origin returns the event first made, as a reader of the ledger would find it.
func origin(h History, e *Event) *Event {
	for e.Type == Correct {
		of := find(h.Events, e.Supersedes)
		if of == nil || of.Seq >= e.Seq {
			return e
		}
		e = of
	}
	return e
}

// voidedBy reports that a void known at k, and not itself voided, names the event.
func voidedBy(h History, seq int64, k Instant) bool {
	for _, e := range h.Events {
		if e.Type == Void && e.RecordedAt <= k && e.Supersedes == seq && e.Seq > seq && !voidedBy(h, e.Seq, k) {
			return true
		}
	}
	return false
}

// Because names events of the claim that are in effect at (T, K), in order; and I5: every verified and
// every adverse answer rests on an exact match of an approved source, with a second person's approval, and
// two people behind it where it stands against somebody, its own or that of the first that said the same; or on a
// completed run, where policy says so.
func restsOnWhatItCites(h History, t, k Instant, ps Policies, got Standing) error {
	if !slices.IsSorted(got.Because) || len(slices.Compact(slices.Clone(got.Because))) != len(got.Because) {
		return fmt.Errorf("because is out of order")
	}
	if got.Status != StatusNone && len(got.Because) == 0 {
		return fmt.Errorf("I6: an answer cites what it rests on")
	}
	approvals := map[int64][]Actor{}
	cited := map[int64]*Event{}
	for _, seq := range got.Because {
		e := find(h.Events, seq)
		if e == nil || e.RecordedAt > k {
			return fmt.Errorf("because names %d, which is not known", seq)
		}
		first := origin(h, e)
		if first.PerformedAt > t && first.Type != Takedown {
			return fmt.Errorf("because names %d, which had not happened", seq)
		}
		if voidedBy(h, seq, k) || first.Type == Void {
			return fmt.Errorf("because names %d, which was voided", seq)
		}
		for _, c := range h.Events {
			if c.Type == Correct && c.Supersedes == seq && c.RecordedAt <= k && c.Seq > seq && !voidedBy(h, c.Seq, k) {
				return fmt.Errorf("because names %d, which %d corrected", seq, c.Seq)
			}
		}
		cited[seq] = e
		if first.Type == Review && e.Body.Decision == "confirm" {
			approvals[e.Body.Of] = append(approvals[e.Body.Of], e.Actor)
		}
	}
	switch got.Status {
	case StatusVerified, StatusExpiring, StatusAdverse:
	default:
		return nil
	}
	policy := ps.InForce(t, k)
	b := got.Basis
	if b == nil || b.Body.Match != M5 || got.Class != ClassSource || !policy.Approves(b.Body.Source, h.Claim.Kind, h.Claim.Jurisdiction) || cited[b.Seq] == nil {
		return fmt.Errorf("I5: it rests on %+v", b)
	}
	need := 1
	if got.Status == StatusAdverse && policy.Needs(h.Claim.Kind, "adverse") {
		need = 2
	}
	for seq, e := range cited { // the basis, or the first that said the same
		if first := origin(h, e); first.Type != Observe || e.Body.Match != M5 || e.Body.State != b.Body.State || e.Body.Expires != b.Body.Expires && seq != b.Seq {
			continue
		}
		people := map[string]bool{}
		if need == 2 && e.Actor.Kind == Staff { // who read it out of the source is one of the two
			people[e.Actor.ID] = true
		}
		for _, a := range approvals[seq] {
			if a.Kind == Staff && a.ID != e.Actor.ID {
				people[a.ID] = true
			}
		}
		byRun := slices.Contains(policy.ByRun, h.Claim.Kind) && e.Actor.Kind == Tool && (e.Body.State == SeenClear || e.Body.State == SeenActive)
		if len(people) >= need || byRun && got.Status != StatusAdverse {
			return nil
		}
	}
	return fmt.Errorf("I5: nobody approved it")
}

// validUntilIsExact: the same answer up to it, another at it. It looks at moments of its own list and at
// some between.
func validUntilIsExact(d dice, h History, t, k Instant, ps Policies, got Standing) error {
	end := got.ValidUntil
	if end != "" {
		if end <= t {
			return fmt.Errorf("valid until %s, which is over", end)
		}
		if s := Derive(h, end, k, ps); sameAnswer(s, got) {
			return fmt.Errorf("the answer did not change at valid_until")
		}
	}
	last := end
	if last == "" {
		last = "2032-01-01T00:00:00.000Z"
	}
	var moments []Instant
	add := func(at Instant) {
		if at >= t && at <= last {
			moments = append(moments, at)
		}
	}
	add(last)
	for _, p := range ps {
		add(p.ValidFrom)
	}
	for _, e := range h.Events {
		add(e.PerformedAt)
		for _, day := range []Date{e.Body.Expires, e.Body.To} {
			ends := day.EndIn(h.Claim.Jurisdiction.Zone())
			add(ends)
			for _, p := range ps {
				add(ends.AddDays(-p.Kinds[h.Claim.Kind].Expiring))
			}
		}
		for _, p := range ps {
			add(e.PerformedAt.AddDays(p.Kinds[h.Claim.Kind].Stale))
			add(e.Body.SourceAsOf.Midnight().AddDays(p.Kinds[h.Claim.Kind].Stale))
		}
	}
	for range 3 {
		m := t.Add(time.Duration(1+d("between", 1_000_000)) * time.Duration(last.Time().Sub(t.Time())/1_000_000))
		if len(moments) > 0 && d("boundary", 4) > 0 {
			m = moments[d("moment", len(moments))].Add(time.Duration(d("beside", 3)-1) * time.Millisecond)
		}
		if m <= t || m >= last {
			continue
		}
		if s := Derive(h, m, k, ps); !sameAnswer(s, got) || s.ValidUntil != end {
			return fmt.Errorf("at %s, before valid_until, it is %s %v because %v until %s", m, s.Status, s.Reasons, s.Because, s.ValidUntil)
		}
	}
	return nil
}

// I3: with no new events, time only lowers, and adverse never decays. What is under review stays so; more may come to
// speak against it, such as an unreviewed answer whose own end passes.
func timeOnlyLowers(h History, t, k Instant, ps Policies, got Standing) error {
	for _, e := range h.Events {
		if e.PerformedAt > t {
			return nil
		}
	}
	if t < lastPolicy {
		return nil
	}
	was := got
	for range 6 + len(h.Events) {
		if was.ValidUntil == "" {
			return nil
		}
		next := Derive(h, was.ValidUntil, k, ps)
		if next.result().Rank() > was.result().Rank() || was.Status == StatusAdverse || was.Status == StatusWithdrawn ||
			was.Status == StatusUnderReview && (next.Status != StatusUnderReview || !isSubset(was.Because, next.Because)) {
			return fmt.Errorf("I3: %s became %s by time alone at %s", was.Status, next.Status, was.ValidUntil)
		}
		was = next
	}
	return fmt.Errorf("I3: it changes for ever")
}

func isSubset(part, whole []int64) bool {
	return !slices.ContainsFunc(part, func(n int64) bool { return !slices.Contains(whole, n) })
}

// weakEvidence adds one more event to what is known, and looks at what it must not do, or must.
func weakEvidence(d dice, h History, s drawnClaim, t, k Instant, ps Policies, got Standing) error {
	add := func(e Event, performed Instant) Standing {
		e = numbered(e, len(h.Events)+1, k, min(performed, t))
		return Derive(History{Claim: h.Claim, Events: append(slices.Clip(h.Events), e)}, t, k, ps)
	}
	e := drawObservation(d, s, t)
	e.Actor = machine
	when := min(drawMoment(d, h, "weak"), t)
	switch d("weak", 9) {
	case 0: // a name-only candidate changes nothing at all but what staff see
		e.Body.Match, e.Body.By, e.Body.Source = M2, []string{"family", "given"}, "main"
		if e.Body.State == SeenNotFound || e.Body.State == SeenUnavailable {
			e.Body.State = SeenSuspended
		}
		next := add(e, when)
		next.Tried, next.Candidate, next.Pending = got.Tried, got.Candidate, got.Pending
		if !sameStanding(next, got) {
			return fmt.Errorf("a name-only candidate made it %s %v until %s", next.Status, next.Because, next.ValidUntil)
		}
	case 1: // a source that is not approved changes nothing but says so
		e.Body.Source = "stranger"
		if e.Body.State == SeenUnavailable && d("by hand", 2) == 0 {
			e.Actor = rowan // only the program says that there is nobody to ask
		} else if e.Body.State == SeenUnavailable {
			e.Body.State = SeenActive
		}
		next := add(e, when)
		next.Reasons = slices.DeleteFunc(slices.Clone(next.Reasons), func(r string) bool { return r == ReasonNotApproved })
		was := got
		was.Reasons = slices.DeleteFunc(slices.Clone(got.Reasons), func(r string) bool { return r == ReasonNotApproved })
		next.ValidUntil, was.ValidUntil = "", "" // of an answer under another policy the source may count
		if !sameStanding(next, was) {
			return fmt.Errorf("a source that is not approved made it %s %v", next.Status, next.Because)
		}
	case 2: // I2: what somebody says neither verifies nor clears
		e = drawAssertion(d)
		next := add(e, when)
		strong := func(s Status) bool { return s == StatusVerified || s == StatusExpiring || s == StatusAdverse }
		if strong(next.Status) != strong(got.Status) || next.Status == StatusVerified && got.Status != StatusVerified {
			if !(got.Status != StatusUnderReview && next.Status == StatusUnderReview) {
				return fmt.Errorf("I2: an assertion made it %s", next.Status)
			}
		}
	case 3: // I2: unreviewed good news of any rung never clears adverse, and verifies nothing but what was verified before
		e.Body.State = pick(d, "good", SeenActive, SeenClear, SeenReinstated)
		e.Actor = rowan // not a run's
		next := add(e, when)
		if got.Status == StatusAdverse && next.Status != StatusAdverse {
			return fmt.Errorf("I2: unreviewed good news cleared it: %s", next.Status)
		}
		lifted := next.Status == StatusVerified || next.Status == StatusExpiring
		switch got.Status {
		case StatusVerified, StatusExpiring, StatusStale:
		default:
			// Unless it repeats what a person approved, which ends a conflict, or the policy no longer hears the other source.
			if lifted && !slices.Contains(got.Reasons, ReasonConflict) {
				return fmt.Errorf("I2: unreviewed good news lifted it to %s", next.Status)
			}
		}
	case 4: // one bad answer lowers at once
		e.Body.State, e.Body.Match, e.Body.By, e.Body.Source = SeenSuspended, M5, []string{"licence"}, "main"
		next := add(e, t)
		if want := StatusUnderReview; next.Status != want && got.Status != StatusAdverse && got.Status != StatusWithdrawn || got.Status == StatusAdverse && next.Status != StatusAdverse {
			return fmt.Errorf("unreviewed bad news of that very moment made it %s", next.Status)
		}
	case 5: // an identity dispute that staff find plausible leaves an exact adverse finding
		open := numbered(Event{Type: DisputeOpen, Actor: rowan, Body: Body{Decision: "identity"}}, len(h.Events)+1, k, t)
		accept := numbered(Event{Type: Decide, Actor: rowan, Body: Body{Of: open.Seq, Decision: "accept"}}, len(h.Events)+2, k, t)
		next := Derive(History{Claim: h.Claim, Events: append(slices.Clip(h.Events), open, accept)}, t, k, ps)
		want := StatusUnderReview
		if got.Status == StatusAdverse || got.Status == StatusWithdrawn {
			want = got.Status
		}
		if next.Status != want {
			return fmt.Errorf("an identity dispute made it %s, want %s", next.Status, want)
		}
	case 6: // one person alone takes back no adverse finding
		if got.Status == StatusAdverse && ps.InForce(t, k).Needs(h.Claim.Kind, "adverse") {
			next := add(Event{Type: Review, Actor: pick(d, "alone", staff...), Body: Body{Of: got.Basis.Seq, Decision: pick(d, "takes back", "clear", "return"), Field: "birth"}}, t)
			if next.Status != StatusAdverse && len(reviewsBy(h, got.Basis.Seq, "clear", k)) == 0 {
				return fmt.Errorf("one person made it %s", next.Status)
			}
		}
	case 7: // what was good once and is repeated, by a run too, clears nothing that stands open or against the person
		for i := len(h.Events) - 1; i >= 0; i-- {
			if was := h.Events[i]; was.Type == Observe && was.Body.State.Good() && was.Body.Match == M5 && was.Body.Source == "main" {
				was.Actor, was.Body.SourceAsOf = machine, t.Date()
				next := add(was, t)
				open := got.Status == StatusUnderReview && !slices.Contains(got.Reasons, ReasonConflict) && !slices.Contains(got.Reasons, ReasonNoRecord)
				if (open || got.Status == StatusAdverse) && next.Status != got.Status {
					return fmt.Errorf("that the source repeats what it said on %s made it %s", was.PerformedAt, next.Status)
				}
				break
			}
		}
	case 8: // a takedown withdraws for every T, and its void gives all back
		down := numbered(Event{Type: Takedown, Actor: rowan}, len(h.Events)+1, k, k)
		if next := Derive(History{Claim: h.Claim, Events: append(slices.Clip(h.Events), down)}, t, k, ps); next.Status != StatusWithdrawn || next.ValidUntil != "" {
			return fmt.Errorf("taken down, it is %s until %s", next.Status, next.ValidUntil)
		}
		back := numbered(Event{Type: Void, Actor: rowan, Supersedes: down.Seq}, len(h.Events)+2, k, k)
		if next := Derive(History{Claim: h.Claim, Events: append(slices.Clip(h.Events), down, back)}, t, k, ps); !sameStanding(next, got) {
			return fmt.Errorf("with the takedown voided it is %s", next.Status)
		}
	}
	return nil
}

func reviewsBy(h History, of int64, decision string, k Instant) (out []int64) {
	for _, e := range h.Events {
		if (e.Type == Review || e.Type == Correct) && e.Body.Of == of && e.Body.Decision == decision && e.RecordedAt <= k {
			out = append(out, e.Seq)
		}
	}
	return out
}

// checks sets how often rapid looks, for one test.
func checks(t *testing.T, n int) {
	f := flag.Lookup("rapid.checks")
	was := f.Value.String()
	if was != f.DefValue { // somebody asks for a number of their own
		return
	}
	if err := f.Value.Set(fmt.Sprint(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(was) })
}

func TestInvariants(t *testing.T) {
	checks(t, 10_000)
	rapid.Check(t, func(t *rapid.T) {
		if _, err := invariants(rapidDice(t)); err != nil {
			t.Fatal(err)
		}
	})
}

// BenchmarkHistories holds the invariants over b.N random histories and counts their answers:
//
//	go test ./directory -run '^$' -bench Histories -benchtime 1000000x
func BenchmarkHistories(b *testing.B) {
	counts := map[Status]int{}
	for i := range b.N {
		dice := rand.New(rand.NewPCG(1, uint64(i)))
		s, err := invariants(func(_ string, n int) int { return dice.IntN(n) })
		if err != nil {
			b.Fatalf("history %d: %v", i, err)
		}
		counts[s.Status]++
	}
	out := ""
	for _, s := range slices.Sorted(maps.Keys(counts)) {
		out += fmt.Sprintf(" %s %d", cmp.Or(string(s), "nothing"), counts[s])
	}
	b.Logf("%d histories:%s", b.N, out)
}

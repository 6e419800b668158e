package directory

import (
	"slices"
	"testing"
	"time"
)

// ledger builds a history for a test: each call appends one event, numbered and recorded in order.
type ledger struct {
	h  History
	at Instant
}

func newLedger(kind ClaimKind, state State) *ledger {
	return &ledger{h: History{Claim: Claim{ID: "clm_1", Kind: kind, Jurisdiction: state, Title: "CSW", Number: ParseLicenceNumber("9923456")}}}
}

var (
	machine = Actor{Kind: Tool, ID: "kapdir", Version: "test"}
	rowan   = Actor{Kind: Staff, ID: "staff-rowan", Auth: "test"}
	imani   = Actor{Kind: Staff, ID: "staff-imani", Auth: "test"}
)

// on sets the day on which the following events are performed and recorded.
func (l *ledger) on(day string) *ledger {
	l.at = Date(day).Midnight().Add(15 * time.Hour)
	return l
}

func (l *ledger) add(e Event) int64 {
	e.V, e.Seq, e.Claim = EventVersion, int64(len(l.h.Events)+1), l.h.Claim.ID
	if e.PerformedAt == "" {
		e.PerformedAt = l.at
	}
	e.RecordedAt = l.at
	l.h.Events = append(l.h.Events, e)
	return e.Seq
}

func (l *ledger) observe(state Observed, expires Date) int64 {
	return l.observeFrom("co-dora", state, expires, M5, "licence", "family", "given")
}

func (l *ledger) observeFrom(source string, state Observed, expires Date, rung Rung, by ...string) int64 {
	return l.add(Event{Type: Observe, Actor: machine, Evidence: []string{"e"}, Body: Body{State: state, Expires: expires, Match: rung, By: by,
		Source: source, SourceAsOf: l.at.Date(), Release: string(l.at.Date())}})
}

func (l *ledger) assert(class SourceClass, b Body) int64 {
	b.Class = class
	return l.add(Event{Type: Assert, Actor: machine, Body: b})
}

func (l *ledger) review(who Actor, of int64, decision string) int64 {
	return l.add(Event{Type: Review, Actor: who, Body: Body{Of: of, Decision: decision, Field: "birth"}})
}

// is derives at noon UTC of the day, knowing everything, and checks the status.
func (l *ledger) is(t *testing.T, day string, want Status) Standing {
	t.Helper()
	s := Derive(l.h, Date(day).Midnight().Add(20*time.Hour), "9999-01-01T00:00:00.000Z", StandardPolicies())
	if s.Status != want {
		t.Errorf("on %s: %q %v, want %q", day, s.Status, s.Reasons, want)
	}
	return s
}

func TestUnreviewedNews(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	l.assert(ClassListing, Body{Source: "kap-commons"})
	l.is(t, "2026-10-01", StatusListed)
	first := l.observe(SeenActive, "2027-08-31")
	l.is(t, "2026-10-01", StatusListed) // good news that nobody reviewed lifts nothing
	l.review(rowan, first, "confirm")
	s := l.is(t, "2026-10-01", StatusVerified)
	if !slices.Equal(s.Because, []int64{2, 3}) {
		t.Errorf("because %v, want the observation and its review", s.Because)
	}
	bad := l.on("2026-10-20").observe(SeenSuspended, "2027-08-31")
	s = l.is(t, "2026-10-20", StatusUnderReview) // bad news lowers at once
	if s.Reasons[0] != ReasonReviewPending {
		t.Errorf("reasons %v", s.Reasons)
	}
	l.on("2026-10-21").observe(SeenActive, "2027-08-31")
	l.is(t, "2026-10-21", StatusUnderReview) // and newer good news does not undo it
	l.review(rowan, bad, "confirm")
	l.is(t, "2026-10-21", StatusUnderReview) // an adverse finding needs two people
	l.review(rowan, bad, "confirm")
	l.is(t, "2026-10-21", StatusUnderReview) // and the same person twice is one
	l.review(imani, bad, "confirm")
	l.is(t, "2026-10-21", StatusAdverse)
	l.is(t, "2031-10-21", StatusAdverse) // time never clears it
	back := l.on("2026-12-01").observe(SeenActive, "2027-08-31")
	l.is(t, "2026-12-01", StatusAdverse)
	l.review(rowan, back, "confirm")
	l.is(t, "2026-12-01", StatusVerified) // a later settled observation does
}

func TestBadNewsOfEachKindLowers(t *testing.T) {
	for _, state := range []Observed{SeenRestricted, SeenProbation, SeenSuspended, SeenRevoked, SeenSurrendered, SeenInactive, SeenRetired, SeenExpired, SeenPending, SeenIndeterminate} {
		l := newLedger(License, "CO").on("2026-10-01")
		l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
		l.on("2026-10-10").observe(state, "2027-08-31")
		l.is(t, "2026-10-10", StatusUnderReview)
	}
}

func TestTimeLowers(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2026-12-10"), "confirm")
	s := l.is(t, "2026-10-01", StatusVerified)
	// The expiring window opens 45 days before the licence's last day ends in Denver: 26 Oct, 07:00 UTC less the hour of summer time kept by counting days of 24 hours.
	if want := Date("2026-12-10").EndIn(State("CO").Zone()).AddDays(-45); s.ValidUntil != want {
		t.Errorf("valid until %s, want %s", s.ValidUntil, want)
	}
	l.is(t, "2026-10-30", StatusExpiring)
	// Good through the end of 10 Dec in Colorado, which is 07:00 on the 11th in UTC.
	k, ps := Instant("9999-01-01T00:00:00.000Z"), StandardPolicies()
	if s := Derive(l.h, "2026-12-11T06:59:59.999Z", k, ps); s.Status != StatusExpiring || s.ValidUntil != "2026-12-11T07:00:00.000Z" {
		t.Errorf("last millisecond: %s until %s", s.Status, s.ValidUntil)
	}
	if s := Derive(l.h, "2026-12-11T07:00:00.000Z", k, ps); s.Status != StatusExpired || s.ValidUntil != "" {
		t.Errorf("first millisecond after: %s until %s", s.Status, s.ValidUntil)
	}
}

func TestFreshnessCountsFromTheOlderClock(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	n := l.add(Event{Type: Observe, Actor: machine, Evidence: []string{"e"}, Body: Body{State: SeenActive, Match: M5, By: []string{"licence"}, Source: "co-dora",
		SourceAsOf: "2026-08-01", Expires: "2028-01-01"}})
	l.review(rowan, n, "confirm")
	s := l.is(t, "2026-10-02", StatusVerified)
	if s.AsOf != "2026-08-01" || s.ValidUntil != "2026-10-30T00:00:00.001Z" {
		t.Errorf("as of %s, valid until %s", s.AsOf, s.ValidUntil)
	}
	l.is(t, "2026-10-31", StatusStale)
}

func TestAutoAffirm(t *testing.T) {
	l := newLedger(License, "CO").on("2026-07-01")
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	l.on("2026-09-20").observe(SeenActive, "2027-08-31")
	l.is(t, "2026-11-01", StatusVerified) // the same answer again keeps it fresh without a person
	l.on("2026-11-01").observe(SeenActive, "2029-08-31")
	s := l.is(t, "2026-11-02", StatusVerified) // a renewal is a change and waits
	if s.Basis.Body.Expires != "2027-08-31" || len(s.Pending) != 1 {
		t.Errorf("basis expires %s, pending %v", s.Basis.Body.Expires, s.Pending)
	}
}

func TestScreens(t *testing.T) {
	l := newLedger(ExclusionScreen, "").on("2026-10-10")
	l.observeFrom("leie", SeenClear, "", M5)
	l.is(t, "2026-10-11", StatusVerified) // settled by the completed run
	before := l.is(t, "2026-10-12", StatusVerified)
	l.on("2026-10-12").observeFrom("leie", SeenPossible, "", M2, "family", "given")
	after := l.is(t, "2026-10-12", StatusVerified)
	if !sameAnswer(before, after) || before.ValidUntil != after.ValidUntil || !after.Candidate {
		t.Errorf("a name-only candidate moved the answer: %+v, then %+v", before, after)
	}
	hit := l.on("2026-10-13").observeFrom("leie", SeenExcluded, "", M5, "npi")
	l.is(t, "2026-10-13", StatusUnderReview)
	l.review(rowan, hit, "confirm")
	l.review(imani, hit, "confirm")
	l.is(t, "2026-10-13", StatusAdverse)
	l.on("2026-11-10").observeFrom("leie", SeenClear, "", M5)
	l.is(t, "2026-11-10", StatusAdverse) // vanishing from the list is good news, and lifts nothing by itself
}

func TestNameOnlyCandidateGivesTheAnswerOfAScreenNotFinished(t *testing.T) {
	l := newLedger(ExclusionScreen, "").on("2026-10-10")
	l.observeFrom("leie", SeenPossible, "", M2, "family", "given")
	s := l.is(t, "2026-10-10", StatusNone)
	if len(s.Reasons) != 0 || len(s.Because) != 0 || s.Basis != nil || s.ValidUntil != "" {
		t.Errorf("something shows: %+v", s)
	}
}

func TestNotFound(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	l.assert(ClassListing, Body{})
	l.observe(SeenNotFound, "")
	l.is(t, "2026-10-01", StatusListed) // one search is not enough
	l.observe(SeenNotFound, "")
	l.is(t, "2026-10-01", StatusListed) // nor two on one day
	l.on("2026-10-02").observe(SeenNotFound, "")
	l.is(t, "2026-10-02", StatusNotFound)

	l = newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	n := l.on("2026-10-20").observe(SeenNotFound, "")
	l.is(t, "2026-10-20", StatusUnderReview) // dropping out after a confirmed record goes to a person
	l.review(rowan, n, "confirm")
	l.is(t, "2026-10-20", StatusUnderReview) // one search is not enough, whoever confirms it
	l.on("2026-10-21").observe(SeenNotFound, "")
	l.is(t, "2026-10-21", StatusNotFound)
}

func TestUnavailableProvesNothing(t *testing.T) {
	l := newLedger(License, "CO").on("2026-08-01")
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	l.on("2026-10-29").observe(SeenUnavailable, "")
	l.is(t, "2026-10-29", StatusVerified)
	l.is(t, "2026-10-31", StatusStale) // and resets no clock
}

func TestCorrectVoidTakedown(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	n := l.observe(SeenActive, "2027-08-31")
	l.review(rowan, n, "confirm")
	l.on("2026-10-05")
	fixed := l.add(Event{Type: Correct, Actor: rowan, Supersedes: n, Evidence: []string{"e"}, Body: Body{State: SeenActive, Match: M5, By: []string{"licence"}, Source: "co-dora", Expires: "2027-09-30"}})
	l.is(t, "2026-10-05", StatusNone) // the correction needs its own review
	l.review(imani, fixed, "confirm")
	l.is(t, "2026-10-02", StatusNone) // on that day its review had not happened
	if s := l.is(t, "2026-10-05", StatusVerified); s.Basis.Body.Expires != "2027-09-30" || s.CheckedAt.Date() != "2026-10-01" {
		t.Errorf("corrected: %s, checked %s", s.Basis.Body.Expires, s.CheckedAt)
	}
	l.on("2026-10-06").add(Event{Type: Void, Actor: rowan, Supersedes: fixed})
	if s := l.is(t, "2026-10-05", StatusVerified); s.Basis.Body.Expires != "2027-08-31" {
		t.Errorf("the correction was the error, so the first entry stands again: %s", s.Basis.Body.Expires)
	}
	then := Derive(l.h, "2026-10-05T20:00:00.000Z", "2026-10-05T20:00:00.000Z", StandardPolicies())
	if then.Status != StatusVerified || then.Basis.Body.Expires != "2027-09-30" {
		t.Errorf("what we showed then: %s", then.Status)
	}
	l.add(Event{Type: Void, Actor: rowan, Supersedes: n})
	l.is(t, "2026-10-05", StatusNone) // gone for every day
	l.on("2026-10-07").add(Event{Type: Takedown, Actor: rowan})
	l.is(t, "2026-09-01", StatusWithdrawn)
}

func TestASourceThatIsNotApprovedDecidesNothing(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	n := l.on("2026-10-05").observeFrom("unknown-site", SeenRevoked, "", M5, "licence")
	l.review(rowan, n, "confirm")
	l.review(imani, n, "confirm")
	l.is(t, "2026-10-06", StatusVerified)
	l = newLedger(License, "TX").on("2026-10-01") // co-dora says nothing of Texas
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	l.is(t, "2026-10-06", StatusNone)
}

func TestCorroboratedGoodNewsProvesNothingAndWaitsForNobody(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	l.assert(ClassListing, Body{})
	n := l.observeFrom("co-dora", SeenActive, "2027-08-31", M4, "licence_number", "phone", "family", "given")
	if s := l.is(t, "2026-10-01", StatusListed); len(s.Pending) != 1 {
		t.Errorf("pending %v", s.Pending)
	}
	l.review(rowan, n, "confirm")
	if s := l.is(t, "2026-10-01", StatusListed); len(s.Pending) != 0 || !slices.Contains(s.Reasons, ReasonCorroborated) {
		t.Errorf("pending %v, reasons %v", s.Pending, s.Reasons)
	}
}

// correct replaces the event of that number by an observation of the state.
func (l *ledger) correct(of int64, state Observed, expires Date) int64 {
	return l.add(Event{Type: Correct, Actor: rowan, Supersedes: of, Evidence: []string{"e"}, Body: Body{State: state, Match: M5, By: []string{"licence"}, Source: "co-dora",
		SourceAsOf: l.at.Date(), Expires: expires}})
}

func (l *ledger) void(of int64) int64 { return l.add(Event{Type: Void, Actor: rowan, Supersedes: of}) }

func TestCorrectionOfACorrection(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	first := l.observe(SeenActive, "2027-08-31")
	l.review(imani, first, "confirm")
	second := l.on("2026-10-02").correct(first, SeenActive, "2028-08-31")
	third := l.on("2026-10-03").correct(second, SeenActive, "2029-08-31")
	l.is(t, "2026-10-03", StatusNone) // the first entry does not come back because its correction was corrected
	l.review(imani, third, "confirm")
	if s := l.is(t, "2026-10-03", StatusVerified); s.Basis.Body.Expires != "2029-08-31" {
		t.Errorf("expires %s", s.Basis.Body.Expires)
	}
	l.on("2026-10-04").void(third)
	l.is(t, "2026-10-04", StatusNone) // the second, which nobody reviewed, stands again, and not the first
	l.on("2026-10-05").void(second)
	if s := l.is(t, "2026-10-05", StatusVerified); s.Basis.Body.Expires != "2027-08-31" {
		t.Errorf("with both corrections voided the first entry stands, not the one that expires %s", s.Basis.Body.Expires)
	}

	// Of two corrections of one event the newer stands, alone.
	l = newLedger(License, "CO").on("2026-10-01")
	first = l.observe(SeenActive, "2027-08-31")
	l.on("2026-10-02").correct(first, SeenSuspended, "2027-08-31")
	l.is(t, "2026-10-02", StatusUnderReview)
	l.review(imani, l.on("2026-10-03").correct(first, SeenActive, "2027-07-31"), "confirm")
	l.is(t, "2026-10-03", StatusVerified)

	// Whoever corrects the note of a void does not undo it.
	l = newLedger(License, "CO").on("2026-10-01")
	first = l.observe(SeenActive, "2027-08-31")
	l.review(imani, first, "confirm")
	l.add(Event{Type: Correct, Actor: rowan, Supersedes: l.void(first), Body: Body{Note: "another file"}})
	l.is(t, "2026-10-01", StatusNone)
}

func TestValidUntilOfACorrectedAttestation(t *testing.T) {
	l := newLedger(OversightLink, "").on("2026-01-10")
	l.assert(ClassSelf, Body{Side: "provider"})
	theirs := l.assert(ClassSelf, Body{Side: "prescriber"})
	l.on("2026-03-01").assert(ClassSelf, Body{Side: "provider"})
	l.add(Event{Type: Correct, Actor: rowan, Supersedes: theirs, Body: Body{Class: ClassSelf, Side: "prescriber"}})
	// The prescriber spoke on 10 Jan, whenever the entry was corrected: 180 days on, one side remains.
	if s := l.is(t, "2026-03-02", StatusSelfReported); s.ValidUntil != "2026-07-09T15:00:00.001Z" {
		t.Errorf("valid until %s", s.ValidUntil)
	}
}

// policiesOf returns the first standard policy and, from the day, one that differs.
func policiesOf(day Date, change func(*Policy)) Policies {
	was := StandardPolicies()[0]
	is := was
	is.Version, is.ValidFrom, is.Kinds = "next", day.Midnight(), map[ClaimKind]KindPolicy{}
	for kind, p := range was.Kinds {
		is.Kinds[kind] = p
	}
	is.Approved = slices.Clone(was.Approved)
	change(&is)
	return Policies{was, is}
}

func TestValidUntilUnderThePolicyToCome(t *testing.T) {
	ps := policiesOf("2026-10-15", func(p *Policy) { p.Kinds[License] = KindPolicy{Stale: 30, SecondPerson: []string{"adverse"}} })
	l := newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, ""), "confirm")
	if s := Derive(l.h, "2026-10-02T00:00:00.000Z", forever, ps); s.Status != StatusVerified || s.ValidUntil != "2026-10-31T00:00:00.001Z" {
		t.Errorf("%s until %s: nothing changes on the day the policy comes, but 30 days are over sooner than 90", s.Status, s.ValidUntil)
	}
}

func TestWhatAReviewCannotDo(t *testing.T) {
	suspended := func() (*ledger, int64) { // verified, then suspended as two people confirmed
		l := newLedger(License, "CO").on("2026-10-01")
		l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
		bad := l.on("2026-10-10").observe(SeenSuspended, "2027-08-31")
		l.review(rowan, bad, "confirm")
		l.review(imani, bad, "confirm")
		l.is(t, "2026-10-10", StatusAdverse)
		return l, bad
	}
	l, bad := suspended()
	l.review(rowan, bad, "return")
	l.is(t, "2026-10-10", StatusAdverse) // what two found, one does not take back
	l.review(rowan, bad, "clear")
	l.is(t, "2026-10-10", StatusAdverse)
	l.review(rowan, bad, "clear")
	l.is(t, "2026-10-10", StatusAdverse)
	l.review(imani, bad, "clear")
	l.is(t, "2026-10-10", StatusVerified) // two do

	// A good answer that was confirmed is returned by one.
	l = newLedger(License, "CO").on("2026-10-01")
	n := l.observe(SeenActive, "2027-08-31")
	l.review(rowan, n, "confirm")
	l.review(imani, n, "return")
	l.is(t, "2026-10-01", StatusNone)

	// Whoever performed an observation neither confirms it nor undoes what somebody else said of it.
	l = newLedger(License, "CO").on("2026-10-01")
	n = l.add(Event{Type: Observe, Actor: rowan, Evidence: []string{"e"}, Body: Body{State: SeenSuspended, Match: M5, By: []string{"licence"}, Source: "co-dora"}})
	l.is(t, "2026-10-01", StatusUnderReview)
	l.review(imani, n, "clear")
	l.is(t, "2026-10-01", StatusNone)
	l.review(rowan, n, "confirm")
	l.is(t, "2026-10-01", StatusNone)

	// A program reviews nothing, even as the correction of a review.
	l = newLedger(License, "CO").on("2026-10-01")
	n = l.observe(SeenActive, "2027-08-31")
	of := l.review(rowan, n, "return")
	l.add(Event{Type: Correct, Actor: machine, Supersedes: of, Body: Body{Of: n, Decision: "confirm"}})
	l.is(t, "2026-10-01", StatusNone)
}

func TestWhatNobodyCanConfirm(t *testing.T) {
	// That a source gave no answer: it proves nothing, and does not end the chain to the last approval.
	l := newLedger(License, "CO").on("2026-09-01")
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	l.review(rowan, l.on("2026-10-01").observe(SeenUnavailable, ""), "confirm")
	l.on("2026-10-20").observe(SeenActive, "2027-08-31")
	if s := l.is(t, "2026-12-20", StatusVerified); s.CheckedAt.Date() != "2026-10-20" {
		t.Errorf("checked %s", s.CheckedAt)
	}

	// Words that no table explains: somebody has to say what they mean, in a correction.
	l = newLedger(License, "CO").on("2026-10-01")
	n := l.observe(SeenIndeterminate, "2027-08-31")
	l.review(rowan, n, "confirm")
	l.is(t, "2026-10-01", StatusUnderReview)
	l.review(imani, l.correct(n, SeenInactive, "2027-08-31"), "confirm")
	l.is(t, "2026-10-01", StatusInactive)

	// Corroborated good news closes nothing that stands open against the person.
	l = newLedger(ExclusionScreen, "").on("2026-10-01")
	l.observeFrom("leie", SeenExcluded, "", M5, "npi")
	l.review(rowan, l.on("2026-10-02").observeFrom("leie", SeenClear, "", M4, "phone"), "confirm")
	l.on("2026-10-03").observeFrom("leie", SeenClear, "", M5)
	l.is(t, "2026-10-03", StatusUnderReview)
}

func TestPossibleExclusion(t *testing.T) {
	l := newLedger(ExclusionScreen, "").on("2026-10-01")
	hit := l.observeFrom("leie", SeenPossible, "", M5, "npi", "family")
	l.is(t, "2026-10-01", StatusUnderReview)
	l.review(rowan, hit, "confirm")
	l.is(t, "2026-10-01", StatusUnderReview) // any hit needs two
	l.review(imani, hit, "confirm")
	if s := l.is(t, "2026-10-01", StatusAdverse); s.Reasons[0] != ReasonExcluded {
		t.Errorf("reasons %v", s.Reasons)
	}
	back := l.on("2026-11-01").observeFrom("leie", SeenReinstated, "", M5, "npi", "family")
	l.is(t, "2026-11-01", StatusAdverse)
	l.review(rowan, back, "confirm")
	if s := l.is(t, "2026-11-01", StatusVerified); !slices.Contains(s.Reasons, ReasonReinstated) {
		t.Errorf("reasons %v", s.Reasons)
	}

	// An identifier agrees and the name does not: not exact, so it never stands as a finding.
	l = newLedger(ExclusionScreen, "").on("2026-10-01")
	hit = l.observeFrom("leie", SeenPossible, "", M3, "npi")
	l.review(rowan, hit, "confirm")
	l.review(imani, hit, "confirm")
	l.is(t, "2026-10-01", StatusUnderReview)
	l.review(imani, hit, "clear")
	l.is(t, "2026-10-01", StatusNone)
}

func TestBecauseIsInOrder(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	l.add(Event{Type: DisputeOpen, Actor: Actor{Kind: ByProvider, ID: "prv_1"}, Body: Body{Note: "the expiry is wrong"}})
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	if s := l.is(t, "2026-10-01", StatusVerified); !slices.Equal(s.Because, []int64{1, 2, 3}) {
		t.Errorf("because %v", s.Because)
	}
}

// twoSources are policies under which a second source is approved for licences of Colorado.
func twoSources() Policies {
	ps := slices.Clone(StandardPolicies())
	ps[0].Approved = append(slices.Clone(ps[0].Approved), ApprovedSource{Source: "second", Kinds: []ClaimKind{License}, Jurisdiction: "CO"})
	return ps
}

func TestConflictOfTwoSources(t *testing.T) {
	ps := twoSources()
	is := func(l *ledger, day string, want Status) Standing {
		t.Helper()
		s := Derive(l.h, Date(day).Midnight().Add(20*time.Hour), forever, ps)
		if s.Status != want {
			t.Errorf("on %s: %q %v, want %q", day, s.Status, s.Reasons, want)
		}
		return s
	}
	second := func(l *ledger, expires Date) int64 {
		return l.observeFrom("second", SeenActive, expires, M5, "licence")
	}
	l := newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	other := second(l.on("2026-10-08"), "2027-01-31") // seven days later to the hour
	if s := is(l, "2026-10-08", StatusUnderReview); !slices.Contains(s.Reasons, ReasonConflict) || !slices.Equal(s.Because, []int64{1, other}) {
		t.Errorf("reasons %v, because %v", s.Reasons, s.Because)
	}
	is(l, "2026-12-20", StatusUnderReview) // time ends no conflict
	l.review(imani, l.on("2026-10-09").observe(SeenActive, "2027-08-31"), "confirm")
	is(l, "2026-10-09", StatusVerified) // a person who could see both does
	second(l.on("2026-10-11"), "2027-01-31")
	l.on("2026-10-12").observe(SeenActive, "2027-08-31")
	is(l, "2026-10-12", StatusVerified) // and that each repeats what it said opens nothing
	second(l.on("2026-10-13"), "2027-03-31")
	is(l, "2026-10-13", StatusUnderReview) // a new answer does

	l = newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	l.review(imani, second(l.on("2026-10-03"), "2027-01-31"), "confirm")
	if s := is(l, "2026-10-03", StatusVerified); s.Basis.Body.Expires != "2027-01-31" {
		t.Errorf("expires %s, want what the person confirmed", s.Basis.Body.Expires)
	}

	for _, c := range []struct {
		name string
		then func(*ledger, int64)
	}{
		{"cleared", func(l *ledger, n int64) { l.review(imani, n, "clear") }},
		{"agreed", func(l *ledger, n int64) { second(l, "2027-08-31") }},
		{"answered again later", func(l *ledger, n int64) { l.on("2026-10-20").observe(SeenActive, "2027-08-31") }},
		{"no date stated", func(l *ledger, n int64) { second(l, "") }},
	} {
		l = newLedger(License, "CO").on("2026-10-01")
		l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
		n := second(l.on("2026-10-03"), "2027-01-31")
		is(l, "2026-10-03", StatusUnderReview)
		c.then(l, n)
		if s := is(l, "2026-10-20", StatusVerified); t.Failed() {
			t.Fatalf("%s: %v", c.name, s.Reasons)
		}
	}

	// A settled adverse answer is never replaced by under_review, whatever another source says.
	l = newLedger(License, "CO").on("2026-10-01")
	bad := l.observe(SeenRevoked, "")
	l.review(rowan, bad, "confirm")
	l.review(imani, bad, "confirm")
	second(l.on("2026-10-02"), "2027-01-31")
	is(l, "2026-10-02", StatusAdverse)
	l.observe(SeenSuspended, "")
	is(l, "2026-10-02", StatusAdverse)
}

func TestALinkIsAsOldAsItsOlderSide(t *testing.T) {
	l := newLedger(OversightLink, "").on("2026-06-01")
	l.assert(ClassSelf, Body{Side: "prescriber"})
	l.on("2026-08-01").assert(ClassSelf, Body{Side: "provider"})
	s := l.is(t, "2026-08-02", StatusSelfReported)
	if s.AsOf != "2026-06-01" || s.NextDue != "2026-08-30T15:00:00.000Z" || s.CheckedAt.Date() != "2026-08-01" {
		t.Errorf("as of %s, next due %s, checked %s", s.AsOf, s.NextDue, s.CheckedAt)
	}
	if s := l.is(t, "2026-12-01", StatusSelfReported); s.AsOf != "2026-08-01" || !slices.Equal(s.Sides, []string{"provider"}) {
		t.Errorf("once the prescriber's word is too old: as of %s, sides %v", s.AsOf, s.Sides)
	}
}

// That the register now gives an earlier end waits for a person like any change. Once that day is over, the
// newest word of the register is that the licence has run out: bad news, which lowers before anybody has looked.
func TestAnEarlierEndLowersWhenItHasPassed(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	short := l.on("2026-10-10").observe(SeenActive, "2026-10-20")
	end := Date("2026-10-20").EndIn(State("CO").Zone())
	if s := l.is(t, "2026-10-15", StatusVerified); s.ValidUntil != end {
		t.Errorf("valid until %s, want %s", s.ValidUntil, end)
	}
	if s := l.is(t, "2026-10-25", StatusUnderReview); !slices.Equal(s.Because, []int64{short}) || s.Reasons[0] != ReasonReviewPending {
		t.Errorf("%v because %v", s.Reasons, s.Because)
	}
	l.is(t, "2028-01-01", StatusUnderReview)                      // time lifts nothing
	again := l.on("2026-10-26").observe(SeenActive, "2027-08-31") // nor does the register's old word, until a person has seen why
	l.is(t, "2026-10-26", StatusUnderReview)
	l.review(rowan, again, "confirm")
	l.is(t, "2026-10-27", StatusVerified)
	l.review(imani, l.on("2026-10-28").observe(SeenActive, "2026-10-20"), "confirm")
	l.is(t, "2026-10-28", StatusExpired)
	// A renewal that nobody has reviewed is good news still.
	l = newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2026-10-20"), "confirm")
	l.on("2026-10-10").observe(SeenActive, "2026-12-31")
	l.is(t, "2027-01-15", StatusExpired)
}

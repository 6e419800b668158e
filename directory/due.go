package directory

import (
	"cmp"
	"slices"
	"time"
)

// Looker says who has to look at a claim again.
type Looker string

// The program looks up what the policy's LookedUp names, in the sources that are loaded. All else needs a
// person: the provider states it again, an issuer or a programme is asked, a staff member decides.
const (
	ByProgram Looker = "program"
	ByPerson  Looker = "person"
)

// LookWhy says why a claim has to be looked at.
type LookWhy string

// The reasons, those of the program first.
const (
	WhyNever    LookWhy = "never_looked_up" // no source was ever asked
	WhySecond   LookWhy = "second_search"   // no record is said only after searches on different days
	WhyNoAnswer LookWhy = "no_answer"       // the source could not be asked the last time
	WhyRecheck  LookWhy = "recheck"         // the interval of the policy has passed
	WhyNoNumber LookWhy = "no_number"       // nothing to look it up by: the provider has to state it
	WhyReview   LookWhy = "review"          // an observation waits for a staff member
	WhyReturned LookWhy = "returned"        // a reviewer sent it back
	WhyDispute  LookWhy = "dispute"         // the provider disputes it
	WhyConflict LookWhy = "conflict"        // two sources differ
	WhyFile     LookWhy = "whole_file"      // the whole file is decided about again (36 months, NCQA 2025)
)

// Look is when a claim has to be looked at again, by whom and why.
type Look struct {
	At  Instant `json:"at"` // from then on it is due
	By  Looker  `json:"by"`
	Why LookWhy `json:"why"`
}

// Permanent reports a reason for which a source cannot be asked and that asking again tomorrow does not
// change: there is no register, it is closed, or its terms forbid it.
func Permanent(reason string) bool {
	switch reason {
	case ReasonNoRegister, ReasonRestricted, ReasonTermsForbid, ReasonNotApproved:
		return true
	}
	return false
}

// NextLooks returns when the claim has to be looked at again, as of its standing s at t: at most one look
// by the program and one by a person, the earlier first. The intervals are those of domain.md §5.3.
//
// Both may stand together: a search that found nothing waits for a reviewer and is made a second time. The
// program's clock is that of the newest answer of a source, a person's that of what the claim rests on.
func NextLooks(h History, s Standing, t, k Instant, policies Policies) []Look {
	if s.Status == StatusWithdrawn {
		return nil
	}
	p := policies.InForce(t, k)
	kind := p.Kinds[h.Claim.Kind]
	var out []Look
	add := func(at Instant, by Looker, why LookWhy) {
		if at != "" {
			out = append(out, Look{at, by, why})
		}
	}
	switch {
	case h.Claim.Kind == FileClaim:
		if kind.Stale > 0 {
			add(fileSince(h, t, k).AddDays(kind.Stale), ByPerson, WhyFile)
		}
	case slices.Contains(p.LookedUp, h.Claim.Kind) && h.Claim.unnumbered():
		add(h.Claim.Created, ByPerson, WhyNoNumber)
	case slices.Contains(p.LookedUp, h.Claim.Kind):
		at, why := nextSearch(h.Claim, s, kind, p.NotFoundRuns)
		add(at, ByProgram, why)
	case kind.Recheck > 0 && s.Basis == nil:
		add(h.Claim.Created, ByPerson, WhyNever)
	case kind.Recheck > 0:
		add(freshFrom(s.Basis).AddDays(kind.Recheck), ByPerson, WhyRecheck)
	}
	if at, why := waitsSince(h, s, t, k, p.ReturnDays); at != "" {
		out = slices.DeleteFunc(out, func(l Look) bool { return l.By == ByPerson && l.At >= at })
		if !slices.ContainsFunc(out, func(l Look) bool { return l.By == ByPerson }) {
			add(at, ByPerson, why)
		}
	}
	slices.SortFunc(out, func(a, b Look) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(b.By, a.By)) })
	return out
}

// unnumbered reports a claim that is known by a number and has none: a search by name alone is no search
// (domain.md §5.2 asks for the number and every name).
func (c Claim) unnumbered() bool {
	switch c.Kind {
	case License, DisciplineScreen, IdentityNPI:
		return c.Number.Digits() == ""
	}
	return false
}

// nextSearch is when the program asks the sources again, by their newest answer.
func nextSearch(c Claim, s Standing, kind KindPolicy, runs int) (Instant, LookWhy) {
	again := func(from Instant) Instant {
		if kind.Recheck == 0 {
			return ""
		}
		return from.AddDays(kind.Recheck)
	}
	switch e := s.Answer; {
	case e == nil:
		return c.Created, WhyNever
	case e.Body.State == SeenNotFound && s.Searches < max(1, runs):
		return nextDay(e.PerformedAt), WhySecond
	case e.Body.State == SeenNotFound:
		return again(e.PerformedAt), WhyRecheck
	case e.Body.State == SeenUnavailable && len(e.Reason) > 0 && Permanent(e.Reason[0]):
		return again(e.PerformedAt), WhyRecheck
	case e.Body.State == SeenUnavailable:
		return nextDay(e.PerformedAt), WhyNoAnswer
	default:
		return again(freshFrom(e)), WhyRecheck
	}
}

// nextDay is the first moment of the next day in UTC.
func nextDay(at Instant) Instant { return at.Date().Midnight().AddDays(1) }

// waitsSince is since when something about the claim waits for a staff member, and why; "" is nothing. What
// a reviewer returned waits for the end of the time that the policy gives, unless a newer observation came.
func waitsSince(h History, s Standing, t, k Instant, returnDays int) (at Instant, why LookWhy) {
	disputed, conflict := slices.Contains(s.Reasons, ReasonDisputeOpen), slices.Contains(s.Reasons, ReasonConflict)
	if len(s.Pending) == 0 && !disputed && !conflict {
		return "", ""
	}
	sooner := func(x Instant, because LookWhy) {
		if x != "" && (at == "" || x < at) {
			at, why = x, because
		}
	}
	events := countsAt(inEffect(h.Events, k), t)
	for _, o := range events {
		switch {
		case o.Type == DisputeOpen && disputed && !closed(events, o):
			sooner(o.PerformedAt, WhyDispute)
		case slices.Contains(s.Pending, o.Seq):
			back := returnedAt(events, o.Seq)
			switch {
			case back == "":
				sooner(o.PerformedAt, WhyReview)
			case !slices.ContainsFunc(events, func(e *Event) bool { return e.Type == Observe && e.PerformedAt > back }):
				sooner(addBusinessDays(back, returnDays), WhyReturned)
			}
		}
	}
	if conflict && s.Basis != nil {
		sooner(s.Basis.PerformedAt, WhyConflict)
	}
	return at, why
}

// returnedAt is when the newest review of an observation sent it back; "" when it did not.
func returnedAt(events []*Event, of int64) (at Instant) {
	for _, e := range events {
		if e.Type == Review && e.Body.Of == of {
			if at = ""; e.Body.Decision == "return" {
				at = e.PerformedAt
			}
		}
	}
	return at
}

// addBusinessDays returns the moment n days from Monday to Friday later, at the same time of day in UTC.
func addBusinessDays(at Instant, n int) Instant {
	return Instant(string(at.Date().AddBusinessDays(n)) + string(at[len(time.DateOnly):]))
}

// fileSince is when the whole file was decided about last, or when the claim was made.
func fileSince(h History, t, k Instant) Instant {
	at := h.Claim.Created
	for _, e := range countsAt(inEffect(h.Events, k), t) {
		if e.Type == Decide && e.Body.Decision != string(Distinct) { // that a row is about somebody else decides nothing of the file
			at = max(at, e.PerformedAt)
		}
	}
	return at
}

// ClaimLook is a look that a claim of a file needs. Of a screen that policy asks for and that is no claim
// yet, the claim has no ID and its Created is the moment asked about.
type ClaimLook struct {
	History  History
	Standing Standing
	Look
}

// Looks returns what the claims of the file need, in their order: nothing that policy does not ask for, so
// that an exclusion list of another state is left out. A claim may come twice, by program and by person.
func (f *CredentialFile) Looks(t, k Instant, policies Policies) []ClaimLook {
	out, _ := f.looksUntil(t, k, policies)
	return out
}

// looksUntil is Looks, and until when they are the same without a new event; "" is for ever.
func (f *CredentialFile) looksUntil(t, k Instant, policies Policies) (out []ClaimLook, until Instant) {
	p := policies.InForce(t, k)
	lists := p.ScreensFor(f.states())
	until = policies.Boundary(t, k)
	add := func(h History) {
		s := Derive(h, t, k, policies)
		until = earliest(until, s.ValidUntil)
		for _, e := range h.Events {
			if e.PerformedAt > t { // it counts from then on
				until = earliest(until, e.PerformedAt)
			}
		}
		for _, l := range NextLooks(h, s, t, k, policies) {
			out = append(out, ClaimLook{h, s, l})
		}
	}
	for _, h := range f.Claims {
		if h.Claim.Kind != ExclusionScreen || slices.Contains(lists, h.Claim.Issuer) {
			add(h)
		}
	}
	for _, list := range lists {
		if !slices.ContainsFunc(f.Claims, func(h History) bool { return h.Claim.Kind == ExclusionScreen && h.Claim.Issuer == list }) {
			add(History{Claim: Claim{Provider: f.Provider.ID, Kind: ExclusionScreen, Issuer: list, Created: t}})
		}
	}
	return out, until
}

// ReleaseDue says, of a release of a source whose data are as old as asOf, when a newer one is wanted and
// when the first answers that rest on it go out of date: by the shortest intervals of the kinds that the
// source proves. "" is never.
func (p Policy) ReleaseDue(source string, asOf Date) (renew, stale Instant) {
	for _, a := range p.Approved {
		if a.Source != source {
			continue
		}
		for _, kind := range a.Kinds {
			if n := p.Kinds[kind].Recheck; n > 0 {
				renew = earliest(renew, asOf.Midnight().AddDays(n))
			}
			if n := p.Kinds[kind].Stale; n > 0 {
				stale = earliest(stale, asOf.Midnight().AddDays(n).Add(time.Millisecond))
			}
		}
	}
	return renew, stale
}

// TurnWhy says what makes an answer change by itself.
type TurnWhy string

// The reasons.
const (
	TurnExpires  TurnWhy = "expires"     // the last good day ends, by the issuer's clock
	TurnExpiring TurnWhy = "expiring"    // the window before the last day opens
	TurnStale    TurnWhy = "goes_stale"  // the last look is too long ago
	TurnSide     TurnWhy = "side_ends"   // of an oversight link: what one side stated counts no longer
	TurnPolicy   TurnWhy = "policy"      // another policy comes into force
	TurnLaw      TurnWhy = "law"         // a dated rule of law begins or ends to hold
	TurnAhead    TurnWhy = "dated_ahead" // something recorded already takes effect
)

// Turn is a change of an answer that comes by itself, with no new event: of a claim, or of one of the five
// checks for the home state.
type Turn struct {
	At    Instant
	Claim *Claim    // nil of a check
	Check CheckName // "" of a claim
	From  string    // a Status or a CheckResult
	To    string
	Why   TurnWhy
}

// Falls reports, of a check, that its result gets worse.
func (t Turn) Falls() bool {
	return t.Check != "" && CheckResult(t.To).Rank() < CheckResult(t.From).Rank()
}

// ClaimTurns returns how the claim's status changes by itself after t up to and at until, in order of time.
// What changes without the status, such as a reason, is left out, but for the sides of an oversight link.
func ClaimTurns(h History, s Standing, t, until, k Instant, policies Policies) []Turn {
	var out []Turn
	for s.ValidUntil != "" && s.ValidUntil <= until {
		at := s.ValidUntil
		next := Derive(h, at, k, policies)
		if next.Status != s.Status || !slices.Equal(next.Sides, s.Sides) {
			out = append(out, Turn{At: at, Claim: &h.Claim, From: string(s.Status), To: string(next.Status), Why: turnOf(s, next, at, k, policies)})
		}
		s = next
	}
	return out
}

// turnOf names what made an answer change at a moment.
func turnOf(before, after Standing, at, k Instant, policies Policies) TurnWhy {
	fresh := func(reason string) bool {
		return slices.Contains(after.Reasons, reason) && !slices.Contains(before.Reasons, reason)
	}
	switch {
	case policies.InForce(at, k).Version != policies.InForce(at.Add(-time.Millisecond), k).Version:
		return TurnPolicy
	case fresh(ReasonExpired):
		return TurnExpires
	case after.Status == StatusUnderReview && after.Basis != nil && after.Basis.Type == Observe && after.Basis.PerformedAt < at && after.Basis.Body.State.Good():
		return TurnExpires // by the newest answer, which nobody has reviewed
	case fresh(ReasonTooOld):
		return TurnStale
	case fresh(ReasonExpiresSoon):
		return TurnExpiring
	case before.Status == after.Status:
		return TurnSide
	}
	return TurnAhead
}

// CheckTurns returns how the results of the five checks for the provider's home state change by themselves
// after t up to and at until, in order of time. A reason of law that joins a result which stays is told too.
func CheckTurns(f *CredentialFile, t, until, k Instant, policies Policies) []Turn {
	var out []Turn
	home := f.Provider.HomeState()
	before := Checks(f, home, t, k, policies)
	for {
		var at Instant
		for _, c := range before {
			at = earliest(at, c.ValidUntil)
		}
		if at == "" || at > until {
			return out
		}
		after := Checks(f, home, at, k, policies)
		for i, c := range after {
			b := before[i]
			lapsed := slices.Contains(c.Reasons, ReasonRuleLapsed) != slices.Contains(b.Reasons, ReasonRuleLapsed)
			if c.Result != b.Result || lapsed {
				out = append(out, Turn{At: at, Check: c.Check, From: string(b.Result), To: string(c.Result), Why: checkTurnOf(b, c, lapsed, at, k, policies)})
			}
		}
		before = after
	}
}

func checkTurnOf(before, after Check, lapsed bool, at, k Instant, policies Policies) TurnWhy {
	if lapsed {
		return TurnLaw
	}
	why := turnOf(Standing{Status: "before", Reasons: before.Reasons}, Standing{Reasons: after.Reasons}, at, k, policies)
	if why == TurnAhead && policies.Boundary(at.Add(-time.Millisecond), k) == at {
		return TurnLaw
	}
	return why
}

// Verification is one run of kapdir verify and what became of it: every claim whose look by the program was
// due is counted once, and those that wait for a person beside them. A run leaves a row even when it fails.
type Verification struct {
	ID       ID      `json:"id"`
	Number   int64   `json:"number"` // counts up from 1
	Started  Instant `json:"started"`
	Ended    Instant `json:"ended,omitempty"`
	Policy   string  `json:"policy"`             // in force when it started
	Provider ID      `json:"provider,omitempty"` // the only one looked at
	All      bool    `json:"all,omitempty"`      // what was not due was looked up too
	Outcome  string  `json:"outcome"`            // running, done, failed, interrupted
	Error    string  `json:"error,omitempty"`
	VerifyCounts
}

// VerifyCounts is what a verification did.
// Due = Current + Observed + NotFound + the sums of CouldNotCheck, ForPerson and Skipped.
type VerifyCounts struct {
	Providers     int            `json:"providers"`                 // read
	Due           int            `json:"due"`                       // claims that the program had to look up
	Current       int            `json:"current"`                   // the newest loaded release says what was observed already
	Observed      int            `json:"observed"`                  // a record that was not observed yet, or a screen that was not made yet
	NotFound      int            `json:"not_found"`                 // searched by number and every name: no record
	CouldNotCheck map[string]int `json:"could_not_check,omitempty"` // by reason code
	ForPerson     map[string]int `json:"for_person,omitempty"`      // looked up, and only a person can tell: by why
	Skipped       map[string]int `json:"skipped,omitempty"`         // by why
	Waiting       map[string]int `json:"waiting,omitempty"`         // claims that are due with a person, by kind; nothing is looked up
	Events        int            `json:"events"`                    // appended
}

// Add adds the counts of d.
func (c *VerifyCounts) Add(d VerifyCounts) {
	c.Providers += d.Providers
	c.Due += d.Due
	c.Current += d.Current
	c.Observed += d.Observed
	c.NotFound += d.NotFound
	c.Events += d.Events
	for _, m := range []struct {
		to   *map[string]int
		from map[string]int
	}{{&c.CouldNotCheck, d.CouldNotCheck}, {&c.ForPerson, d.ForPerson}, {&c.Skipped, d.Skipped}, {&c.Waiting, d.Waiting}} {
		for k, n := range m.from {
			if *m.to == nil {
				*m.to = map[string]int{}
			}
			(*m.to)[k] += n
		}
	}
}

// LookedUp is the sum of what became of the claims that were due; it equals Due.
func (c VerifyCounts) LookedUp() int {
	n := c.Current + c.Observed + c.NotFound
	for _, m := range []map[string]int{c.CouldNotCheck, c.ForPerson, c.Skipped} {
		for _, x := range m {
			n += x
		}
	}
	return n
}

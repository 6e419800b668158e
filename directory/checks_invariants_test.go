package directory

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What must hold of the five checks over random files: a therapist with licences in two states, a
// privilege, screens, training, a protocol and a link to a prescriber, who has a file as random.

// drawFile makes a file; every claim is there or not, with a history of its own.
func drawFile(d dice) *CredentialFile {
	f := &CredentialFile{Provider: Provider{ID: "prv_1", Kind: Person}}
	doc := &CredentialFile{Provider: Provider{ID: "prv_2", Kind: Person}}
	if d("by video", 2) == 0 {
		f.Provider.Practice.Telehealth = Yes
	}
	like := func(kind ClaimKind) []Observed {
		i := slices.IndexFunc(drawnClaims, func(s drawnClaim) bool { return s.kind == kind })
		if i < 0 {
			return licenceStates
		}
		return drawnClaims[i].states
	}
	add := func(f *CredentialFile, c Claim) {
		if d("claims "+string(c.Kind), 6) == 0 {
			return
		}
		c.ID, c.Provider = ID(fmt.Sprint("clm_", f.Provider.ID, len(f.Claims))), f.Provider.ID
		h := drawEvents(d, c, drawnClaim{c.Kind, c.Jurisdiction, like(c.Kind)}, 6)
		for i := range h.Events {
			if b := &h.Events[i].Body; c.Kind == ProtocolClaim {
				b.Preparation, b.Presence, b.Monitoring, b.Emergency, b.Integration = Yes, pick(d, "presence", Yes, Yes, No, Unknown), Yes, pick(d, "emergency", Yes, Yes, No), Yes
			}
		}
		f.Claims = append(f.Claims, h)
	}
	number := ParseLicenceNumber("77")
	add(f, Claim{Kind: License, Jurisdiction: "CO", Title: pick(d, "title", "CSW", "CSW", "LPCC", "DR", "XYZ"), Number: number})
	add(f, Claim{Kind: License, Jurisdiction: "OH", Title: "LPCC", Number: number})
	add(f, Claim{Kind: CompactPrivilege, Issuer: "counseling", Jurisdiction: "AZ"})
	add(f, Claim{Kind: BoardCert, Title: "Psychiatry (ABPN)"})
	add(f, Claim{Kind: DisciplineScreen, Jurisdiction: "CO", Title: "CSW", Number: number})
	add(f, Claim{Kind: TrainingCert, Issuer: "fluence", Title: "Fluence"})
	add(f, Claim{Kind: OversightLink, Other: "prv_2"})
	add(f, Claim{Kind: ProtocolClaim})
	add(f, Claim{Kind: ExclusionScreen, Issuer: "leie"})
	add(f, Claim{Kind: ExclusionScreen, Issuer: "sam"})
	add(doc, Claim{Kind: License, Jurisdiction: "CO", Title: pick(d, "prescriber", "DR", "PA", "APN"), Number: number})
	add(doc, Claim{Kind: License, Jurisdiction: "CO", Title: "DR", Number: ParseLicenceNumber("78")})
	add(doc, Claim{Kind: DEARegistration, Jurisdiction: "CO"})
	add(doc, Claim{Kind: PracticeAgreement, Jurisdiction: "CO", Other: "prv_1"})
	add(doc, Claim{Kind: ExclusionScreen, Issuer: "leie"})
	SortClaims(f.Claims)
	f.Linked = map[ID]*CredentialFile{"prv_2": doc}
	return f
}

// with returns the file with more events for one claim, of its own or of the prescriber's.
func with(f *CredentialFile, of *CredentialFile, claim int, events ...Event) *CredentialFile {
	changed := &CredentialFile{Provider: of.Provider, Claims: slices.Clone(of.Claims), Linked: of.Linked}
	h := &changed.Claims[claim]
	h.Events = slices.Clip(h.Events)
	for _, e := range events {
		recorded, performed := e.RecordedAt, e.PerformedAt
		e = numbered(e, len(h.Events)+1, recorded, performed)
		if e.Type == Review {
			e.Body.Of = e.Seq - e.Body.Of
		}
		h.Events = append(h.Events, e)
	}
	if of == f {
		return changed
	}
	return &CredentialFile{Provider: f.Provider, Claims: f.Claims, Linked: map[ID]*CredentialFile{of.Provider.ID: changed}}
}

func checkInvariants(d dice) error {
	f := drawFile(d)
	ps := rulesOfATest()
	y := pick[State](d, "state", "CO", "CO", "CO", "AZ", "TX")
	t := Instant("2026-01-01T00:00:00.000Z").Add(time.Duration(d("t", 900*24)) * time.Hour)
	k := t
	if d("known", 3) == 0 {
		k = "2030-01-01T00:00:00.000Z"
	}
	got := Checks(f, y, t, k, ps)
	fail := func(c Check, format string, args ...any) error {
		return fmt.Errorf("%s: "+format+"\nat %s, known %s, for %s: %s %v until %s", append(append([]any{c.Check}, args...), t, k, y, c.Result, c.Reasons, c.ValidUntil)...)
	}
	for i, c := range got {
		// The weakest link, the oldest date, the earliest next look; and every part cites what it rests on.
		worst, oldest, next := Confirmed, Date(""), Instant("")
		for _, p := range c.Parts {
			if p.Result.Rank() < worst.Rank() {
				worst = p.Result
			}
			if p.Standing.AsOf != "" && (oldest == "" || p.Standing.AsOf < oldest) {
				oldest = p.Standing.AsOf
			}
			next = earliest(next, p.Standing.NextDue)
			if p.Standing.Status != StatusNone && len(p.Standing.Because) == 0 {
				return fail(c, "the part %s cites nothing", p.What)
			}
		}
		if len(c.Parts) == 0 || c.Result != worst || c.AsOf != oldest || c.NextDue != next {
			return fail(c, "worst %s, oldest %s, next %s of its parts; it has %s, %s, %s", worst, oldest, next, c.Result, c.AsOf, c.NextDue)
		}
		// valid_until is exact.
		last := c.ValidUntil
		if last != "" {
			if last <= t || sameCheck(Checks(f, y, last, k, ps)[i], c) {
				return fail(c, "it does not change at valid_until")
			}
		} else {
			last = "2032-01-01T00:00:00.000Z"
		}
		for _, m := range []Instant{last.Add(-time.Millisecond), t.Add(time.Duration(1+d("between", 1000)) * time.Duration(last.Time().Sub(t.Time())/1001))} {
			if m > t {
				if then := Checks(f, y, m, k, ps)[i]; !sameCheck(then, c) {
					return fail(c, "before that, at %s, it is %s %v", m, then.Result, then.Reasons)
				}
			}
		}
		// With no new events time only lowers.
		if c.ValidUntil != "" && t >= lastPolicy && t >= "2026-11-01T00:00:00.000Z" && k == t {
			if then := Checks(f, y, c.ValidUntil, k, ps)[i]; then.Result.Rank() > c.Result.Rank() {
				return fail(c, "time alone made it %s at %s", then.Result, c.ValidUntil)
			}
		}
	}
	// One more thing is said of one claim.
	of := f
	if doc := f.Linked["prv_2"]; len(doc.Claims) > 0 && (len(f.Claims) == 0 || d("of the prescriber", 3) == 0) {
		of = doc
	}
	if len(of.Claims) == 0 {
		return nil
	}
	i := d("of claim", len(of.Claims))
	say := func(state Observed, rung Rung, by ...string) Event {
		return Event{Type: Observe, Actor: machine, RecordedAt: k, PerformedAt: t, Evidence: []string{"e"}, Body: Body{State: state, Match: rung, By: by, Source: "main", SourceAsOf: t.Date()}}
	}
	agree := func(who Actor, back int64) Event {
		return Event{Type: Review, Actor: who, RecordedAt: k, PerformedAt: t, Body: Body{Of: back, Decision: "confirm"}}
	}
	// A name-only candidate changes nothing.
	same := Checks(with(f, of, i, say(pick(d, "candidate", SeenSuspended, SeenPossible, SeenActive), M2, "family", "given")), y, t, k, ps)
	for j, c := range got {
		if !sameCheck(c, same[j]) || c.ValidUntil != same[j].ValidUntil || c.AsOf != same[j].AsOf || c.NextDue != same[j].NextDue {
			return fail(c, "a name-only candidate of %s made it %s %v until %s", of.Claims[i].Claim.Kind, same[j].Result, same[j].Reasons, same[j].ValidUntil)
		}
	}
	// Making one part worse never makes a check better.
	worse := pick(d, "worse", []Event{say(SeenSuspended, M5, "licence")}, []Event{say(SeenExpired, M5, "licence"), agree(rowan, 1)},
		[]Event{say(SeenRevoked, M5, "licence"), agree(rowan, 1), agree(imani, 2)}, []Event{say(SeenNotFound, M5)}, []Event{say(SeenUnavailable, M5)})
	changed := with(f, of, i, worse...)
	before := Derive(of.Claims[i], t, k, ps)
	now := changed
	if of != f {
		now = changed.Linked["prv_2"]
	}
	after := Derive(now.Claims[i], t, k, ps)
	silent := of.Claims[i].Claim.Kind == ProtocolClaim && (after.Status == StatusCouldNotCheck || after.Status == StatusNotFound) // no statement, no recorded no
	if !before.Held || after.result().Rank() > before.result().Rank() || silent {
		return nil
	}
	for j, c := range Checks(changed, y, t, k, ps) {
		if c.Result.Rank() > got[j].Result.Rank() {
			return fail(got[j], "%s went from %s to %s, and the check to %s", of.Claims[i].Claim.Kind, before.Status, after.Status, c.Result)
		}
	}
	return nil
}

func TestInvariantsOfChecks(t *testing.T) {
	checks(t, 1_000)
	rapid.Check(t, func(t *rapid.T) {
		if err := checkInvariants(rapidDice(t)); err != nil {
			t.Fatal(err)
		}
	})
}

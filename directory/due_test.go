package directory

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ever = Instant("9999-01-01T00:00:00.000Z")

// looks asks at a moment what the ledger's claim needs.
func (l *ledger) looks(at Instant) []Look {
	return NextLooks(l.h, Derive(l.h, at, ever, StandardPolicies()), at, ever, StandardPolicies())
}

func TestNextLooks(t *testing.T) {
	licence := func() *ledger {
		l := newLedger(License, "CO").on("2026-10-01")
		l.h.Claim.Created = l.at
		l.assert(ClassListing, Body{Source: "kap-commons"})
		return l
	}
	unavailable := func(l *ledger, reason string) {
		l.add(Event{Type: Observe, Actor: machine, Reason: []string{reason}, Body: Body{State: SeenUnavailable, Source: "kapdir"}})
	}
	program := func(at Instant, why LookWhy) Look { return Look{at, ByProgram, why} }
	person := func(at Instant, why LookWhy) Look { return Look{at, ByPerson, why} }
	for _, x := range []struct {
		name string
		make func() *ledger
		want []Look
	}{
		{"nobody was asked", licence, []Look{program("2026-10-01T15:00:00.000Z", WhyNever)}},
		{"observed, not reviewed", func() *ledger {
			l := licence()
			l.on("2026-10-05").observe(SeenActive, "2027-08-31")
			return l
		}, []Look{person("2026-10-05T15:00:00.000Z", WhyReview), program("2026-11-04T00:00:00.000Z", WhyRecheck)}},
		{"verified", func() *ledger {
			l := licence()
			l.review(rowan, l.on("2026-10-05").observe(SeenActive, "2027-08-31"), "confirm")
			return l
		}, []Look{program("2026-11-04T00:00:00.000Z", WhyRecheck)}},
		{"verified from old data", func() *ledger {
			l := licence()
			n := l.on("2026-10-05").add(Event{Type: Observe, Actor: machine, Evidence: []string{"e"}, Body: Body{State: SeenActive, Match: M5, By: []string{"licence"},
				Source: "co-dora", SourceAsOf: "2026-09-20"}})
			l.review(rowan, n, "confirm")
			return l
		}, []Look{program("2026-10-20T00:00:00.000Z", WhyRecheck)}},
		{"no record, once", func() *ledger {
			l := licence()
			l.on("2026-10-05").observe(SeenNotFound, "")
			return l
		}, []Look{program("2026-10-06T00:00:00.000Z", WhySecond)}},
		{"no record, twice on a day", func() *ledger {
			l := licence()
			l.on("2026-10-05").observe(SeenNotFound, "")
			l.observe(SeenNotFound, "")
			return l
		}, []Look{program("2026-10-06T00:00:00.000Z", WhySecond)}},
		{"no record, on two days", func() *ledger {
			l := licence()
			l.on("2026-10-05").observe(SeenNotFound, "")
			l.on("2026-10-06").observe(SeenNotFound, "")
			return l
		}, []Look{program("2026-11-05T15:00:00.000Z", WhyRecheck)}},
		{"gone after a record", func() *ledger {
			l := licence()
			l.review(rowan, l.on("2026-08-05").observe(SeenActive, "2027-08-31"), "confirm")
			l.on("2026-10-05").observe(SeenNotFound, "")
			return l
		}, []Look{person("2026-10-05T15:00:00.000Z", WhyReview), program("2026-10-06T00:00:00.000Z", WhySecond)}},
		{"no register", func() *ledger {
			l := licence()
			unavailable(l.on("2026-10-05"), ReasonNoRegister)
			return l
		}, []Look{program("2026-11-04T15:00:00.000Z", WhyRecheck)}},
		{"terms forbid it", func() *ledger {
			l := licence()
			unavailable(l.on("2026-10-05"), ReasonTermsForbid)
			return l
		}, []Look{program("2026-11-04T15:00:00.000Z", WhyRecheck)}},
		{"no answer", func() *ledger {
			l := licence()
			unavailable(l.on("2026-10-05"), ReasonUnavailable)
			return l
		}, []Look{program("2026-10-06T00:00:00.000Z", WhyNoAnswer)}},
		{"no answer for no reason given", func() *ledger {
			l := licence()
			l.on("2026-10-05").observe(SeenUnavailable, "")
			return l
		}, []Look{program("2026-10-06T00:00:00.000Z", WhyNoAnswer)}},
		{"no number", func() *ledger {
			l := licence()
			l.h.Claim.Number = ParseLicenceNumber("pending")
			return l
		}, []Look{person("2026-10-01T15:00:00.000Z", WhyNoNumber)}},
		{"returned on a Thursday, with Columbus Day between", func() *ledger {
			l := licence()
			n := l.on("2026-10-05").observe(SeenSuspended, "")
			l.on("2026-10-08").review(rowan, n, "return") // a Thursday: five business days end the next Thursday
			return l
		}, []Look{person("2026-10-16T15:00:00.000Z", WhyReturned), program("2026-11-04T00:00:00.000Z", WhyRecheck)}},
		{"returned, and observed anew", func() *ledger {
			l := licence()
			n := l.on("2026-10-05").observe(SeenSuspended, "")
			l.on("2026-10-08").review(rowan, n, "return")
			l.on("2026-10-09").observe(SeenSuspended, "")
			return l
		}, []Look{person("2026-10-09T15:00:00.000Z", WhyReview), program("2026-11-08T00:00:00.000Z", WhyRecheck)}},
		{"disputed", func() *ledger {
			l := licence()
			l.review(rowan, l.on("2026-10-05").observe(SeenActive, "2027-08-31"), "confirm")
			l.on("2026-10-07").add(Event{Type: DisputeOpen, Actor: rowan, Body: Body{Decision: "identity"}})
			return l
		}, []Look{person("2026-10-07T15:00:00.000Z", WhyDispute), program("2026-11-04T00:00:00.000Z", WhyRecheck)}},
		{"withdrawn", func() *ledger {
			l := licence()
			l.on("2026-10-05").add(Event{Type: Takedown, Actor: rowan})
			return l
		}, nil},
		{"a voided answer was none", func() *ledger {
			l := licence()
			n := l.on("2026-10-05").observe(SeenNotFound, "")
			l.on("2026-10-06").add(Event{Type: Void, Actor: rowan, Supersedes: n})
			return l
		}, []Look{program("2026-10-01T15:00:00.000Z", WhyNever)}},
		{"a name-only candidate is looked for like anybody", func() *ledger {
			l := newLedger(ExclusionScreen, "").on("2026-10-01")
			l.h.Claim.Created = l.at
			l.on("2026-10-10").observeFrom("leie", SeenPossible, "", M2, "family", "given")
			return l
		}, []Look{program("2026-10-01T15:00:00.000Z", WhyNever), person("2026-10-10T15:00:00.000Z", WhyReview)}},
		{"stated by the provider", func() *ledger {
			l := newLedger(ProtocolClaim, "").on("2026-10-01")
			l.assert(ClassSelf, Body{Source: "provider"})
			return l
		}, []Look{person("2027-03-30T15:00:00.000Z", WhyRecheck)}},
		{"training is proven once", func() *ledger {
			l := newLedger(TrainingCert, "").on("2026-10-01")
			l.assert(ClassDocument, Body{Source: "certificate"})
			return l
		}, nil},
		{"the whole file, 36 months after the decision", func() *ledger {
			l := newLedger(FileClaim, "").on("2026-10-01")
			l.h.Claim.Created = l.at
			l.on("2026-10-10").add(Event{Type: Decide, Actor: rowan, Body: Body{Decision: "accept"}})
			return l
		}, []Look{person("2029-10-09T15:00:00.000Z", WhyFile)}},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := x.make().looks("2026-10-20T12:00:00.000Z"); !slices.Equal(got, x.want) {
				t.Errorf("got  %v\nwant %v", got, x.want)
			}
		})
	}
}

func TestBusinessDaysKeepTheHour(t *testing.T) {
	for _, x := range []struct {
		from string
		n    int
		want Instant
	}{
		{"2026-11-16", 5, "2026-11-23T09:30:00.000Z"}, // Monday to Monday
		{"2026-11-20", 1, "2026-11-23T09:30:00.000Z"}, // Friday
		{"2026-11-21", 1, "2026-11-23T09:30:00.000Z"}, // Saturday
		{"2026-11-22", 5, "2026-11-30T09:30:00.000Z"}, // Sunday; Thanksgiving Day is on the 26th
		{"2026-11-18", 0, "2026-11-18T09:30:00.000Z"},
	} {
		if got := addBusinessDays(Instant(x.from+"T09:30:00.000Z"), x.n); got != x.want {
			t.Errorf("%s and %d: %s, want %s", x.from, x.n, got, x.want)
		}
	}
}

func TestClaimTurns(t *testing.T) {
	l := newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2026-12-10"), "confirm")
	from := Instant("2026-10-02T00:00:00.000Z")
	var got []string
	for _, x := range ClaimTurns(l.h, Derive(l.h, from, ever, StandardPolicies()), from, from.AddDays(365), ever, StandardPolicies()) {
		got = append(got, fmt.Sprint(x.At, " ", x.From, " ", x.To, " ", x.Why))
	}
	// The window opens 45 days before the last day ends in Colorado, which is at 07:00 UTC.
	want := []string{"2026-10-27T07:00:00.000Z verified expiring expiring", "2026-12-11T07:00:00.000Z expiring expired expires"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	l = newLedger(License, "CO").on("2026-10-01")
	l.review(rowan, l.observe(SeenActive, "2027-12-10"), "confirm")
	if x := ClaimTurns(l.h, Derive(l.h, from, ever, StandardPolicies()), from, "2026-12-30T00:00:00.000Z", ever, StandardPolicies()); len(x) != 0 {
		t.Errorf("turns %+v, a millisecond past the end", x)
	}
	if x := ClaimTurns(l.h, Derive(l.h, from, ever, StandardPolicies()), from, "2026-12-30T00:00:00.001Z", ever, StandardPolicies()); len(x) != 1 || x[0].Why != TurnStale {
		t.Errorf("turns %+v", x)
	}
	// Another policy makes an answer stale that the one before did not.
	strict := StandardPolicies()[0]
	strict.Version, strict.ValidFrom, strict.Kinds = "v2", "2026-11-01T00:00:00.000Z", map[ClaimKind]KindPolicy{License: {Stale: 10}}
	ps := Policies{StandardPolicies()[0], strict}
	if x := ClaimTurns(l.h, Derive(l.h, from, ever, ps), from, from.AddDays(60), ever, ps); len(x) != 1 || x[0].Why != TurnPolicy || x[0].At != strict.ValidFrom {
		t.Errorf("turns %+v", x)
	}
}

// Walking from one valid_until to the next tells every change of a status, and none that is not.
func TestClaimTurnsAreAllThereAre(t *testing.T) {
	ps := rulesOfATest()
	rapid.Check(t, func(t *rapid.T) {
		h, _ := drawHistory(rapidDice(t), 14)
		from := drawMoment(rapidDice(t), h, "from")
		until := from.AddDays(rapid.IntRange(0, 500).Draw(t, "days"))
		at := max(from, min(until, drawMoment(rapidDice(t), h, "at")))
		now := Derive(h, from, ever, ps)
		want := string(now.Status)
		last := from
		for _, x := range ClaimTurns(h, now, from, until, ever, ps) {
			if x.At <= last || x.At > until || x.From == x.To && x.Why != TurnSide {
				t.Fatalf("turn %+v after %s", x, last)
			}
			if before := Derive(h, x.At.Add(-time.Millisecond), ever, ps); string(before.Status) != x.From {
				t.Fatalf("just before %s: %q, the turn says %q", x.At, before.Status, x.From)
			}
			if last = x.At; x.At <= at {
				want = x.To
			}
		}
		if got := Derive(h, at, ever, ps); string(got.Status) != want {
			t.Fatalf("at %s: %q, the turns say %q", at, got.Status, want)
		}
	})
}

// A look is never asked for before what it follows from, and what is answered is not due again at once.
func TestNextLooksFollow(t *testing.T) {
	ps := rulesOfATest()
	rapid.Check(t, func(t *rapid.T) {
		h, _ := drawHistory(rapidDice(t), 14)
		at := drawMoment(rapidDice(t), h, "at")
		s := Derive(h, at, ever, ps)
		looks := NextLooks(h, s, at, ever, ps)
		seen := map[Looker]bool{}
		for _, l := range looks {
			if seen[l.By] || l.At == "" {
				t.Fatalf("looks %v", looks)
			}
			seen[l.By] = true
			if l.By == ByProgram && s.Answer != nil && l.At.Date() <= s.Answer.Body.SourceAsOf && s.Answer.Body.SourceAsOf != "" {
				t.Fatalf("%v is due by an answer of %s", l, s.Answer.Body.SourceAsOf)
			}
		}
		// What was returned and observed anew since waits for nobody by itself.
		waits := slices.ContainsFunc(s.Pending, func(seq int64) bool {
			return !slices.ContainsFunc(h.Events, func(e Event) bool { return e.Type == Review && e.Body.Of == seq && e.Body.Decision == "return" })
		})
		if waits && s.Status != StatusWithdrawn && !seen[ByPerson] {
			t.Fatalf("%v waits, and nobody has to look: %v", s.Pending, looks)
		}
		mixed := History{Claim: h.Claim, Events: rapid.Permutation(h.Events).Draw(t, "order")}
		if other := NextLooks(mixed, Derive(mixed, at, ever, ps), at, ever, ps); !slices.Equal(looks, other) {
			t.Fatalf("in another order: %v, then %v", looks, other)
		}
	})
}

// outlookFile is a provider with the claims that a listed therapist usually has.
func outlookFile(i int) *CredentialFile {
	id := ID(fmt.Sprintf("prv_%026d", i))
	f := &CredentialFile{Provider: Provider{ID: id, Kind: Person, ListedAs: AsKAP, Name: ParseName("Ana Ruiz"), Sites: []Site{{Address: Address{State: "CO"}}}}}
	day := time.Date(2026, 8, 1, 15, 0, 0, 0, time.UTC).Add(time.Duration(i%100) * 24 * time.Hour)
	add := func(kind ClaimKind, issuer string, in State, events func(*ledger)) {
		l := &ledger{h: History{Claim: Claim{ID: ID(fmt.Sprintf("clm_%d_%s_%s", i, kind, issuer)), Provider: id, Kind: kind, Issuer: issuer, Jurisdiction: in, Title: "CSW",
			Number: ParseLicenceNumber(fmt.Sprint(i + 1)), Created: At(day)}}, at: At(day)}
		events(l)
		f.Claims = append(f.Claims, l.h)
	}
	add(License, "", "CO", func(l *ledger) {
		l.assert(ClassListing, Body{})
		l.review(rowan, l.observe(SeenActive, At(day).AddDays(120).Date()), "confirm")
	})
	add(DisciplineScreen, "co-dora", "CO", func(l *ledger) { l.observe(SeenClear, "") })
	for _, list := range []string{"leie", "sam"} {
		add(ExclusionScreen, list, "", func(l *ledger) { l.observeFrom(list, SeenClear, "", M5) })
	}
	add(TrainingCert, "polaris", "", func(l *ledger) { l.assert(ClassListing, Body{}) })
	add(ContactClaim, "", "", func(l *ledger) { l.assert(ClassListing, Body{}) })
	add(ProtocolClaim, "", "", func(l *ledger) { l.assert(ClassSelf, Body{Preparation: Yes}) })
	return f
}

// BenchmarkOutlook measures what kapdir due computes of one provider for 30 days.
func BenchmarkOutlook(b *testing.B) {
	files := make([]*CredentialFile, 1000)
	for i := range files {
		files[i] = outlookFile(i)
	}
	now := Instant("2026-11-10T12:00:00.000Z")
	until := now.AddDays(30)
	ps := StandardPolicies()
	looks, turns := 0, 0
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		f := files[i%len(files)]
		looks += len(f.Looks(now, ever, ps))
		for _, h := range f.Claims {
			turns += len(ClaimTurns(h, Derive(h, now, ever, ps), now, until, ever, ps))
		}
		turns += len(CheckTurns(f, now, until, ever, ps))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "providers/s")
	if looks == 0 || turns == 0 {
		b.Fatal("nothing was computed")
	}
}

package directory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// A wrong person's hit shows at no moment once it is cleared, also not in between; what was said on a day,
// as known on that day, stays what it was.
func TestWithoutCleared(t *testing.T) {
	l := newLedger(License, "CO")
	good := l.on("2026-01-10").observe(SeenActive, "2027-08-31")
	l.on("2026-01-11").review(rowan, good, "confirm")
	bad := l.on("2026-02-01").observe(SeenSuspended, "2027-08-31")
	l.on("2026-02-05").review(rowan, bad, "clear")
	file := &CredentialFile{Claims: []History{l.h}, Linked: map[ID]*CredentialFile{"prv_x": {Claims: []History{l.h}}}}
	policies := StandardPolicies()
	between, after := Instant("2026-02-03T12:00:00.000Z"), Instant("2026-02-20T12:00:00.000Z")
	if got := Derive(l.h, between, between, policies).Status; got != StatusUnderReview {
		t.Fatalf("before anybody looked it is %s: the test tests nothing", got)
	}
	less := file.WithoutCleared(after, policies)
	for _, h := range []History{less.Claims[0], less.Linked["prv_x"].Claims[0]} {
		if got := Derive(h, between, after, policies).Status; got != StatusVerified {
			t.Errorf("between the hit and its review: %s", got)
		}
	}
	if len(file.Claims[0].Events) != 4 || len(file.Linked["prv_x"].Claims[0].Events) != 4 {
		t.Error("the file itself was changed")
	}
	if then := file.WithoutCleared(between, policies); then != file {
		t.Error("as known before the review something is left out")
	}
}

// What two people found against somebody stays on every face until two people clear it.
func TestWithoutClearedByOne(t *testing.T) {
	l := newLedger(License, "CO")
	bad := l.on("2026-02-01").observe(SeenSuspended, "2027-08-31")
	l.on("2026-02-02").review(rowan, bad, "confirm")
	l.on("2026-02-03").review(imani, bad, "confirm")
	l.on("2026-02-05").review(rowan, bad, "clear")
	l.on("2026-02-06").review(imani, bad, "clear")
	f, policies := &CredentialFile{Claims: []History{l.h}}, StandardPolicies()
	for _, c := range []struct {
		known Instant
		left  int
	}{{"2026-02-04T23:00:00.000Z", 5}, {"2026-02-05T23:00:00.000Z", 5}, {"2026-02-06T23:00:00.000Z", 0}} {
		if got := f.WithoutCleared(c.known, policies).Claims[0].Events; len(got) != c.left {
			t.Errorf("known %s: %d events, not %d", c.known, len(got), c.left)
		}
	}
}

// From the review on, leaving out what was cleared changes no answer.
func TestWithoutClearedChangesNoLaterAnswer(t *testing.T) {
	policies := rulesOfATest()
	rapid.Check(t, func(t *rapid.T) {
		h, _ := drawHistory(rapidDice(t), 14)
		k := drawMoment(rapidDice(t), h, "k")
		at := k
		for _, e := range h.Events {
			if e.RecordedAt <= k && e.PerformedAt > at {
				at = e.PerformedAt
			}
		}
		f := &CredentialFile{Claims: []History{h}}
		want, got := Derive(h, at, k, policies), Derive(f.WithoutCleared(k, policies).Claims[0], at, k, policies)
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Standing{}, "Tried", "Answer")); d != "" {
			t.Fatalf("at %s, known %s (-with +without):\n%s", at, k, d)
		}
	})
}

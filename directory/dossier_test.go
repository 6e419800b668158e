package directory

import (
	"slices"
	"strings"
	"testing"
)

// Whoever may do something as a verifier may do it as an approver, and nothing stands in the table twice.
func TestPermits(t *testing.T) {
	for i, p := range Permits {
		if !slices.Contains(p.Roles, Approver) {
			t.Errorf("an approver may not %s on %s", p.Deed, p.On)
		}
		for _, o := range Permits[:i] {
			if o.Deed == p.Deed && o.On == p.On {
				t.Errorf("%s on %s stands there twice", p.Deed, p.On)
			}
		}
	}
	if Role("").May(Confirm, Ordinary) || Verifier.May(Voiding, TakenDown) || WhoMay("burn", Ordinary) != nil {
		t.Error("somebody may what nobody allowed")
	}
}

// Approvals counts as Derive does: whoever observed it, whoever confirmed before and whoever confirmed before
// a return count for nothing.
func TestApprovals(t *testing.T) {
	h := History{Claim: Claim{ID: NewID(ClaimPrefix, noon), Kind: License, Jurisdiction: "CO"}}
	add := func(typ EventType, who Actor, b Body, supersedes int64) int64 {
		n := int64(len(h.Events) + 1)
		h.Events = append(h.Events, Event{V: 1, Seq: n, RecordedAt: noon, PerformedAt: noon, Type: typ, Actor: who, Body: b, Supersedes: supersedes})
		return n
	}
	revoked := add(Observe, machine, Body{State: SeenRevoked, Source: "co-dora", Match: M5, By: []string{"licence"}}, 0)
	confirm := Body{Of: revoked, Decision: "confirm"}
	check := func(step string, need int, given ...string) {
		t.Helper()
		n, got := h.Approvals(revoked, noon, noon, StandardPolicies())
		if n != need || !slices.Equal(got, given) {
			t.Errorf("%s: %d needed, given by %v, want %d and %v", step, n, got, need, given)
		}
	}
	check("nobody yet", 2)
	first := add(Review, rowan, confirm, 0)
	check("one", 2, "staff-rowan")
	add(Review, rowan, confirm, 0)
	check("the same person again", 2, "staff-rowan")
	add(Review, imani, Body{Of: revoked, Decision: "return"}, 0)
	check("returned", 2)
	second := add(Review, imani, confirm, 0)
	check("after the return", 2, "staff-imani")
	void := add(Void, rowan, Body{}, second)
	check("voided", 2)
	add(Void, rowan, Body{}, void)
	check("the void voided", 2, "staff-imani")
	if on := h.OccasionOf(second, noon, noon, StandardPolicies()); on != Against {
		t.Errorf("a review of a revocation: %s", on)
	}
	if by := h.Superseded(noon); by[second] != 0 || by[void] == 0 {
		t.Errorf("superseded %v", by)
	}
	if h.LastReview(revoked, noon, noon).Seq != second || h.Newest() != int64(len(h.Events)) {
		t.Error("the newest review or event is another")
	}
	_ = first
	// Whoever read it out of the source is one of the two, whatever is said of it then.
	read := add(Correct, imani, Body{State: SeenSuspended, Source: "co-dora", Match: M5, By: []string{"licence"}}, revoked)
	revoked = read
	check("read by a person", 2, "staff-imani")
	add(Review, imani, Body{Of: read, Decision: "confirm"}, 0)
	add(Review, rowan, Body{Of: read, Decision: "return"}, 0)
	check("their own word and a return", 2, "staff-imani")
	if Derive(h, noon, noon, StandardPolicies()).Status != StatusUnderReview {
		t.Error("one person's word settled it")
	}
	add(Review, rowan, Body{Of: read, Decision: "confirm"}, 0)
	check("a second person", 2, "staff-imani", "staff-rowan")
	if Derive(h, noon, noon, StandardPolicies()).Status != StatusAdverse {
		t.Error("two people settled nothing")
	}
}

// Settles tells what confirming can settle: what stands against somebody by an exact match alone.
func TestSettles(t *testing.T) {
	for _, x := range []struct {
		state Observed
		match Rung
		after Observed // confirmed before, exactly
		want  bool
	}{
		{SeenRevoked, M5, "", true}, {SeenRevoked, M4, "", false}, {SeenRevoked, M3, "", false}, {SeenActive, M4, "", true}, {SeenExpired, M4, "", true},
		{SeenExpired, M4, SeenRevoked, false}, {SeenExpired, M5, SeenRevoked, true}, {SeenExpired, M4, SeenActive, true}, {SeenNotFound, M4, SeenActive, true},
	} {
		h := History{Claim: Claim{Kind: License, Jurisdiction: "CO"}}
		add := func(e Event) int64 {
			e.V, e.Seq, e.RecordedAt, e.PerformedAt = 1, int64(len(h.Events)+1), noon, noon
			h.Events = append(h.Events, e)
			return e.Seq
		}
		if x.after != "" {
			n := add(Event{Type: Observe, Actor: machine, Body: Body{State: x.after, Source: "co-dora", Match: M5, By: []string{"licence"}}})
			add(Event{Type: Review, Actor: rowan, Body: Body{Of: n, Decision: "confirm"}})
			add(Event{Type: Review, Actor: imani, Body: Body{Of: n, Decision: "confirm"}})
		}
		n := add(Event{Type: Observe, Actor: machine, Body: Body{State: x.state, Source: "co-dora", Match: x.match, By: []string{"licence", "family"}}})
		if got := h.Settles(n, noon, noon, StandardPolicies()); got != x.want {
			t.Errorf("%s by %s after %q: %v", x.state, x.match, x.after, got)
		}
	}
}

// Every event is told in words that name who did it, and what is gone is marked.
func TestTell(t *testing.T) {
	h := History{Claim: Claim{Kind: License}}
	for i, e := range []Event{
		{Type: Assert, Actor: machine, Body: Body{Class: ClassListing, Source: "kap-commons", Number: "CSW.1", SourceWords: "LCSW"}},
		{Type: Observe, Actor: machine, Body: Body{State: SeenActive, Source: "co-dora", Release: "r1", SourceAsOf: "2026-11-01", Expires: "2027-08-31", Match: M5, By: []string{"licence"}}},
		{Type: Review, Actor: rowan, Body: Body{Of: 2, Decision: "confirm"}},
		{Type: Review, Actor: imani, Body: Body{Of: 2, Decision: "clear", Field: "birth", Note: "another day"}},
		{Type: DisputeOpen, Actor: Actor{Kind: ByProvider, ID: "prv_x", Auth: "email_link"}, Body: Body{Decision: "identity"}},
		{Type: Decide, Actor: imani, Body: Body{Of: 5, Decision: "accept"}},
		{Type: DisputeClose, Actor: rowan, Body: Body{Of: 5}},
		{Type: Correct, Actor: rowan, Supersedes: 2, Body: Body{State: SeenProbation, Source: "co-dora", SourceWords: "On probation"}},
		{Type: Void, Actor: imani, Supersedes: 8},
		{Type: Takedown, Actor: imani, Body: Body{Note: "asked"}},
	} {
		e.V, e.Seq, e.PerformedAt, e.RecordedAt = 1, int64(i+1), noon, noon
		h.Events = append(h.Events, e)
	}
	want := []string{
		`kap-commons (listing) states "LCSW", number CSW.1`,
		`co-dora (r1, data of 1 Nov 2026) says active, expires 31 Aug 2027; match M5 by licence`,
		`staff-rowan confirmed event 2`,
		`staff-imani cleared event 2 (birth differs): another day`,
		`the provider or prescriber (email_link) says that it is about somebody else`,
		`staff-imani accepted the dispute of event 5 as plausible`,
		`staff-rowan closed the dispute of event 5`,
		`staff-rowan corrected event 2: it says probation, in its words "On probation"`,
		`staff-imani voided event 8, entered in error`,
		`staff-imani withdrew it from every public face: asked`,
	}
	told := h.Tell(noon, noon)
	for i, x := range told {
		if x.Words != want[i] {
			t.Errorf("event %d: %q, want %q", i+1, x.Words, want[i])
		}
		if x.Gone != (i == 7) { // the correction was voided, so what it corrected counts again
			t.Errorf("event %d gone: %v", i+1, x.Gone)
		}
	}
	if !strings.Contains(OneOf([]string{"a", "b", "c"}), "a, b or c") || AllOf(nil) != "nobody" {
		t.Error("lists of people")
	}
}

// Two sides of a field agree, agree in part or differ; where one says nothing that can be compared, nothing is said.
func TestCompared(t *testing.T) {
	number := ParseLicenceNumber
	for _, x := range []struct {
		mine, theirs []LicenceKey
		want         string
	}{
		{[]LicenceKey{{"CO", "LPC", number("LPC.0012345")}}, []LicenceKey{{"CO", "LPC", number("12345")}}, "same"},
		{[]LicenceKey{{"CO", "LPC", number("LPC.0012345")}}, []LicenceKey{{"CO", "101YP2500X", number("LPC0012345")}}, "same"}, // the number itself says its type
		{[]LicenceKey{{"CO", "LPC", number("LPC.0012345")}}, []LicenceKey{{"CO", "101YP2500X", number("0012345")}}, "in part"}, // what NPPES has beside it is a taxonomy
		{[]LicenceKey{{"CO", "LPC", number("LPC.0012345")}}, []LicenceKey{{"CO", "101YP2500X", number("777")}}, "differs"},
		{[]LicenceKey{{"CO", "LPC", number("LPC.0012345")}}, []LicenceKey{{"CO", "LPC", number("777")}}, "differs"},
		{[]LicenceKey{{"CO", "LPC", number("LPC.0012345")}}, []LicenceKey{{"TX", "LPC", number("777")}}, ""}, // of another state
		{[]LicenceKey{{"CO", "LPC", number("1")}, {"CO", "LPC", number("12345")}}, []LicenceKey{{"CO", "LPC", number("12345")}}, "same"},
		{nil, []LicenceKey{{"CO", "LPC", number("777")}}, ""},
	} {
		if got := sameLicences(x.mine, x.theirs); got != x.want {
			t.Errorf("%v and %v: %q, want %q", x.mine, x.theirs, got, x.want)
		}
	}
	denver := Address{Line1: "1 A St", City: "Denver", State: "CO", ZIP: "80202-1111"}
	for _, x := range []struct {
		here, there []Address
		want        string
	}{
		{[]Address{denver}, []Address{{City: "DENVER", State: "CO", ZIP: "80202"}}, "same"},
		{[]Address{denver}, []Address{{City: "Denver", State: "CO"}}, "same"},
		{[]Address{denver}, []Address{{City: "Denver", State: "CO", ZIP: "80205"}}, "in part"},
		{[]Address{denver}, []Address{{State: "CO"}}, "in part"},
		{[]Address{denver}, []Address{{City: "Den", State: "CO"}}, "differs"}, // a part of a word is another word
		{[]Address{denver}, []Address{{City: "Boulder", State: "CO", ZIP: "80302"}}, "differs"},
		{[]Address{denver, {City: "Austin", State: "TX"}}, []Address{{City: "Boulder", State: "CO"}, {City: "Austin", State: "TX"}}, "same"},
		{[]Address{denver}, nil, ""},
	} {
		if got := sameTowns(x.here, x.there); got != x.want {
			t.Errorf("%v and %v: %q, want %q", x.here, x.there, got, x.want)
		}
	}
}

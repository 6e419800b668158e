package directory

import (
	"slices"
	"testing"
	"time"
)

const (
	noon    = Instant("2026-11-16T15:00:00.000Z")
	forever = Instant("9999-01-01T00:00:00.000Z")
)

// person builds a credential file for a test; its events are numbered across claims.
type person struct {
	file *CredentialFile
	seq  int64
}

func newPerson(id ID) *person {
	return &person{file: &CredentialFile{Provider: Provider{ID: id, Kind: Person}, Linked: map[ID]*CredentialFile{}}}
}

// claim adds a claim with its events, which may leave their numbers, times and actors out.
func (p *person) claim(c Claim, events ...Event) *person {
	c.Provider = p.file.Provider.ID
	c.ID = NewID(ClaimPrefix, noon)
	for i := range events {
		p.seq++
		e := &events[i]
		e.V, e.Seq, e.Claim, e.RecordedAt = EventVersion, p.seq, c.ID, "2026-11-10T12:00:00.000Z"
		if e.PerformedAt == "" {
			e.PerformedAt = e.RecordedAt
		}
		if e.Actor.ID == "" {
			e.Actor = machine
		}
		if e.Type == Review { // of the event just before
			e.Actor = rowan
			if e.Body.Note == "second" {
				e.Actor = imani
			}
			for j := i - 1; j >= 0; j-- {
				if events[j].Type == Observe {
					e.Body.Of = events[j].Seq
					break
				}
			}
		}
	}
	p.file.Claims = append(p.file.Claims, History{Claim: c, Events: events})
	return p
}

func seen(source string, state Observed, expires Date) Event {
	return Event{Type: Observe, Evidence: []string{"e"}, Body: Body{State: state, Expires: expires, Match: M5, By: []string{"licence", "family"}, Source: source, SourceAsOf: "2026-11-09"}}
}

var (
	confirm = Event{Type: Review, Body: Body{Decision: "confirm"}}
	second  = Event{Type: Review, Body: Body{Decision: "confirm", Note: "second"}}
)

func said(class SourceClass, b Body) Event {
	b.Class = class
	return Event{Type: Assert, Body: b}
}

func coLicence(title, number string) Claim {
	return Claim{Kind: License, Jurisdiction: "CO", Title: title, Number: ParseLicenceNumber(number)}
}

func result(t *testing.T, f *CredentialFile, y State, name CheckName) Check {
	t.Helper()
	for _, c := range Checks(f, y, noon, forever, StandardPolicies()) {
		if c.Check == name {
			return c
		}
	}
	t.Fatal("no check " + name)
	return Check{}
}

func TestLicenseCheck(t *testing.T) {
	active := []Event{seen("co-dora", SeenActive, "2028-08-31"), confirm}
	for _, c := range []struct {
		name   string
		person *person
		y      State
		want   CheckResult
		reason string
	}{
		{"no licence", newPerson("prv_a"), "CO", NotChecked, ""},
		{"confirmed", newPerson("prv_a").claim(coLicence("CSW", "9923456"), active...), "CO", Confirmed, ReasonExactID},
		{"confirmed under the suffix people write", newPerson("prv_a").claim(coLicence("LCSW", "9923456"), active...), "CO", Confirmed, ReasonExactID},
		{"another state", newPerson("prv_a").claim(coLicence("CSW", "9923456"), active...), "TX", NotChecked, ReasonJurisdiction},
		{"nobody reviewed it", newPerson("prv_a").claim(coLicence("CSW", "9923456"), said(ClassListing, Body{Source: "kap-commons"}), active[0]), "CO", StatedInListing, ""},
		{"candidate", newPerson("prv_a").claim(coLicence("LPCC", "12"), active...), "CO", NotMet, ReasonSupervised},
		{"unconfirmed type", newPerson("prv_a").claim(coLicence("LPP", "12"), active...), "CO", BeingChecked, ReasonTitleUnknown},
		{"unknown type", newPerson("prv_a").claim(coLicence("XYZ", "12"), active...), "CO", BeingChecked, ReasonTitleUnknown},
		{"physician", newPerson("prv_a").claim(coLicence("DR", "12"), active...), "CO", NotChecked, ReasonNotMH},
		{"expired", newPerson("prv_a").claim(coLicence("CSW", "1"), seen("co-dora", SeenExpired, "2025-08-31"), confirm), "CO", NotMet, "LIC_EXPIRED"},
		{"suspended, nobody reviewed it", newPerson("prv_a").claim(coLicence("CSW", "1"), seen("co-dora", SeenSuspended, "2027-08-31")), "CO", BeingChecked, ReasonReviewPending},
		{"suspended", newPerson("prv_a").claim(coLicence("CSW", "1"), seen("co-dora", SeenSuspended, "2027-08-31"), confirm, second), "CO", ProblemOnRecord, "LIC_SUSPENDED"},
		{"suspended in another state", newPerson("prv_a").claim(coLicence("CSW", "1"), seen("co-dora", SeenSuspended, "2027-08-31"), confirm, second).
			claim(Claim{Kind: License, Jurisdiction: "TX", Title: "LCSW", Number: ParseLicenceNumber("2")}, seen("tx-bhec", SeenActive, "2028-01-31"), confirm), "TX", ProblemOnRecord, "LIC_SUSPENDED"},
		{"the best of two", newPerson("prv_a").claim(coLicence("LPCC", "12"), active...).claim(coLicence("CSW", "13"), active...), "CO", Confirmed, ReasonExactID},
	} {
		got := result(t, c.person.file, c.y, CheckLicense)
		if got.Result != c.want || c.reason != "" && !slices.Contains(got.Reasons, c.reason) {
			t.Errorf("%s: %s %v, want %s %s", c.name, got.Result, got.Reasons, c.want, c.reason)
		}
	}
}

func TestTrainingCheck(t *testing.T) {
	for _, c := range []struct {
		words string
		event Event
		want  CheckResult
	}{
		{"Polaris Insight Center, Modules 1-5", said(ClassListing, Body{}), StatedInListing},
		{"KTC", said(ClassSelf, Body{}), StatedByProvider},
		{"Fluence", said(ClassDocument, Body{Level: "certificate"}), ShownByDocument},
		{"Ketamine Research Institute", said(ClassListing, Body{}), NotChecked}, // a look-alike of the Ketamine Research Foundation
		{"Uncle Bob's Weekend Intensive", said(ClassDocument, Body{}), NotChecked},
	} {
		claim := TrainingClaim(c.words)
		if got := result(t, newPerson("prv_a").claim(claim, c.event).file, "CO", CheckTraining); got.Result != c.want {
			t.Errorf("%s (%s): %s %v, want %s", c.words, claim.Issuer, got.Result, got.Reasons, c.want)
		}
	}
}

// prescriber returns a Colorado physician with the licence state, and a DEA document if asked.
func prescriber(state Observed, dea bool, reviews ...Event) *person {
	p := newPerson("prv_doc").claim(coLicence("DR", "55"), append([]Event{seen("co-dora", state, "2027-04-30")}, reviews...)...)
	if dea {
		p.claim(Claim{Kind: DEARegistration, Jurisdiction: "CO"}, said(ClassDocument, Body{Expires: "2027-06-30"}))
	}
	return p
}

func TestOversightCheck(t *testing.T) {
	link := Claim{Kind: OversightLink, Other: "prv_doc"}
	listed := said(ClassListing, Body{Side: "provider"})
	mine, theirs := said(ClassSelf, Body{Side: "provider"}), said(ClassSelf, Body{Side: "prescriber"})
	for _, c := range []struct {
		name   string
		doc    *person
		says   []Event
		y      State
		want   CheckResult
		reason string
	}{
		{"listing only", prescriber(SeenActive, true, confirm), []Event{listed}, "CO", StatedInListing, ""},
		{"one side", prescriber(SeenActive, true, confirm), []Event{listed, mine}, "CO", StatedByProvider, ReasonOneSided},
		{"both sides, no DEA document", prescriber(SeenActive, false, confirm), []Event{mine, theirs}, "CO", StatedByProvider, ReasonDEAUnseen},
		{"both sides and DEA document", prescriber(SeenActive, true, confirm), []Event{mine, theirs}, "CO", ShownByDocument, ""},
		{"licence not reviewed", prescriber(SeenActive, true), []Event{mine, theirs}, "CO", NotChecked, ""},
		{"prescriber expired", prescriber(SeenExpired, true, confirm), []Event{mine, theirs}, "CO", NotMet, ReasonPrescriberLapsed},
		{"prescriber suspended, not reviewed", prescriber(SeenSuspended, true), []Event{mine, theirs}, "CO", BeingChecked, ReasonReviewPending},
		{"prescriber suspended", prescriber(SeenSuspended, true, confirm, second), []Event{mine, theirs}, "CO", ProblemOnRecord, "LIC_SUSPENDED"},
		{"no licence in the patient's state", prescriber(SeenActive, true, confirm), []Event{mine, theirs}, "TX", NotChecked, ReasonStateGap},
		{"unknown prescriber", nil, []Event{listed}, "CO", NotChecked, ReasonPrescriberUnseen},
	} {
		p := newPerson("prv_a").claim(link, c.says...)
		if c.doc != nil {
			p.file.Linked["prv_doc"] = c.doc.file
		}
		got := result(t, p.file, c.y, CheckOversight)
		if got.Result != c.want || c.reason != "" && !slices.Contains(got.Reasons, c.reason) {
			t.Errorf("%s: %s %v, want %s %s", c.name, got.Result, got.Reasons, c.want, c.reason)
		}
	}
	self := prescriber(SeenActive, true, confirm).claim(Claim{Kind: OversightLink, Other: "prv_doc"}, said(ClassSelf, Body{Side: "provider"}))
	if got := result(t, self.file, "CO", CheckOversight); got.Result != ShownByDocument {
		t.Errorf("one person in both roles: %s %v", got.Result, got.Reasons)
	}
}

func TestOversightFallsWithThePrescriber(t *testing.T) {
	p := newPerson("prv_a").claim(Claim{Kind: OversightLink, Other: "prv_doc"}, said(ClassSelf, Body{Side: "provider"}), said(ClassSelf, Body{Side: "prescriber"}))
	p.file.Linked["prv_doc"] = prescriber(SeenActive, true, confirm).file
	c := result(t, p.file, "CO", CheckOversight)
	if c.ValidUntil == "" {
		t.Fatal("it never changes by itself")
	}
	at := c.ValidUntil
	for range 10 { // follow the answers that time alone gives
		for _, n := range Checks(p.file, "CO", at, forever, StandardPolicies()) {
			if n.Check == CheckOversight {
				c = n
			}
		}
		if c.ValidUntil == "" {
			break
		}
		at = c.ValidUntil
	}
	if c.Result.Rank() > OutOfDate.Rank() {
		t.Errorf("in the end: %s at %s", c.Result, at)
	}
}

func TestProtocolCheck(t *testing.T) {
	all := Body{Preparation: Yes, Presence: Yes, Monitoring: Yes, Emergency: Yes, Integration: Yes}
	without := func(f func(*Body)) Body { b := all; f(&b); return b }
	for _, c := range []struct {
		name   string
		event  Event
		want   CheckResult
		reason string
	}{
		{"attested", said(ClassSelf, all), StatedByProvider, ""},
		{"listed", said(ClassListing, all), StatedInListing, ""},
		{"document on file", said(ClassDocument, all), ShownByDocument, ""},
		{"no emergency plan", said(ClassSelf, without(func(b *Body) { b.Emergency = No })), NotMet, ReasonNoEmergency},
		{"infusion alone", said(ClassListing, without(func(b *Body) { b.Preparation, b.Integration = No, No })), NotMet, ReasonNoIntegration},
		{"presence not stated", said(ClassSelf, without(func(b *Body) { b.Presence = Unknown })), NotChecked, ""},
		{"attested a year and more ago", func() Event { e := said(ClassSelf, all); e.PerformedAt = "2025-06-01T00:00:00.000Z"; return e }(), OutOfDate, ReasonTooOld},
	} {
		got := result(t, newPerson("prv_a").claim(Claim{Kind: ProtocolClaim}, c.event).file, "CO", CheckProtocol)
		if got.Result != c.want || c.reason != "" && !slices.Contains(got.Reasons, c.reason) {
			t.Errorf("%s: %s %v, want %s %s", c.name, got.Result, got.Reasons, c.want, c.reason)
		}
	}
}

func TestRecordCheckNamesWhatIsMissing(t *testing.T) {
	p := newPerson("prv_a").
		claim(coLicence("CSW", "9923456"), seen("co-dora", SeenActive, "2028-08-31"), confirm).
		claim(Claim{Kind: DisciplineScreen, Issuer: "co-dora", Jurisdiction: "CO", Title: "CSW", Number: ParseLicenceNumber("9923456")}, seen("co-dora", SeenClear, "")).
		claim(TrainingClaim("Fluence"), said(ClassDocument, Body{})).
		claim(Claim{Kind: ExclusionScreen, Issuer: "leie"}, seen("leie", SeenClear, ""))
	c := result(t, p.file, "CO", CheckRecord)
	if c.Result != NotChecked || len(c.Parts) == 0 || c.Parts[0].List != "sam" {
		t.Errorf("%s, first part %+v, want the SAM list named as not searched", c.Result, c.Parts[0])
	}
	p.claim(Claim{Kind: ExclusionScreen, Issuer: "sam"}, said(ClassListing, Body{}))
	if c := result(t, p.file, "CO", CheckRecord); c.Result != StatedInListing {
		t.Errorf("the weakest link: %s", c.Result)
	}
	hit := newPerson("prv_a").claim(Claim{Kind: ExclusionScreen, Issuer: "leie"}, seen("leie", SeenExcluded, ""), confirm, second)
	if c := result(t, hit.file, "CO", CheckRecord); c.Result != ProblemOnRecord {
		t.Errorf("excluded: %s", c.Result)
	}
}

// trustingBoard is the standard policy with one more approved source, for every kind and place.
func trustingBoard() Policies {
	p := StandardPolicies()[0]
	p.Approved = append(slices.Clone(p.Approved), ApprovedSource{Source: "board", Kinds: ClaimKinds})
	return Policies{p}
}

// exactly follows a check through time and fails where valid_until is not the first moment of a change:
// it looks at every moment at which a claim, a table or a policy could change anything.
func exactly(t *testing.T, f *CredentialFile, y State, name CheckName, from, to Instant) (answers []Check) {
	t.Helper()
	ps := trustingBoard()
	at := func(m Instant) Check {
		for _, c := range Checks(f, y, m, forever, ps) {
			if c.Check == name {
				return c
			}
		}
		panic("no such check")
	}
	c := at(from)
	answers = []Check{c}
	for m := from; m < to; m = m.Add(6 * time.Hour) {
		if c.ValidUntil != "" && m >= c.ValidUntil {
			if before := at(c.ValidUntil.Add(-time.Millisecond)); !sameCheck(c, before) {
				t.Errorf("%s: %s until %s, but something else a millisecond before", m, c.Result, c.ValidUntil)
			}
			next := at(c.ValidUntil)
			if sameCheck(c, next) {
				t.Errorf("%s: %s until %s, but the same then", m, c.Result, c.ValidUntil)
			}
			c = next
			answers = append(answers, c)
		}
		if now := at(m); !sameCheck(c, now) {
			t.Fatalf("%s: %s %v before valid until %s, when it was %s %v", m, now.Result, now.Reasons, c.ValidUntil, c.Result, c.Reasons)
		}
	}
	return answers
}

func results(checks []Check) (out []CheckResult) {
	for _, c := range checks {
		out = append(out, c.Result)
	}
	return slices.Compact(out)
}

func TestChecksChangeWithWhatTheyRestOn(t *testing.T) {
	year := noon.AddDays(500)
	// The DEA document ends before anything else of the link.
	link := newPerson("prv_a").claim(Claim{Kind: OversightLink, Other: "prv_doc"}, said(ClassSelf, Body{Side: "provider"}), said(ClassSelf, Body{Side: "prescriber"}))
	doc := prescriber(SeenActive, false, confirm).claim(Claim{Kind: DEARegistration, Jurisdiction: "CO"}, said(ClassDocument, Body{Expires: "2026-12-01"}))
	link.file.Linked["prv_doc"] = doc.file
	got := exactly(t, link.file, "CO", CheckOversight, noon, year)
	if want := []CheckResult{ShownByDocument, StatedByProvider, OutOfDate, NotMet}; !slices.Equal(results(got), want) || got[0].ValidUntil != Date("2026-12-01").EndIn(State("CO").Zone()) {
		t.Errorf("with a DEA document that ends: %v, first until %s", results(got), got[0].ValidUntil)
	}

	// A psychiatrist's board certification goes out of date before the licence does.
	psychiatrist := newPerson("prv_a").claim(coLicence("DR", "12"), seen("co-dora", SeenActive, "2028-08-31"), confirm).
		claim(Claim{Kind: BoardCert, Title: "Psychiatry (ABPN)"}, said(ClassDocument, Body{Expires: "2026-11-20"}))
	got = exactly(t, psychiatrist.file, "CO", CheckLicense, noon, year)
	if got[0].ValidUntil != "2026-11-21T00:00:00.000Z" || len(got[0].Parts) != 2 {
		t.Errorf("psychiatrist: until %s, parts %d", got[0].ValidUntil, len(got[0].Parts))
	}

	// A compact privilege stands only while the home licence does, and is as old as the older of the two.
	privilege := newPerson("prv_a").
		claim(Claim{Kind: License, Jurisdiction: "OH", Title: "LPCC", Number: ParseLicenceNumber("E.1")}, seen("board", SeenActive, "2026-12-31"), confirm).
		claim(Claim{Kind: CompactPrivilege, Issuer: "counseling", Jurisdiction: "AZ", Number: ParseLicenceNumber("77")}, seen("board", SeenActive, "2027-12-31"), confirm)
	got = exactly(t, privilege.file, "AZ", CheckLicense, noon, year)
	if want := []CheckResult{Confirmed, NotMet}; !slices.Equal(results(got), want) || len(got[0].Parts) != 2 {
		t.Errorf("privilege: %v, first %+v", results(got), got[0])
	}
}

func TestWorseScreensAreNeverHidden(t *testing.T) {
	licensed := func() *person {
		return newPerson("prv_a").claim(coLicence("CSW", "1"), seen("co-dora", SeenActive, "2028-08-31"), confirm)
	}
	screen := func(issuer, title string) Claim {
		return Claim{Kind: DisciplineScreen, Issuer: issuer, Jurisdiction: "CO", Title: title, Number: ParseLicenceNumber("1")}
	}
	bad := []Event{seen("board", SeenRestricted, ""), confirm, second}
	clear := []Event{seen("board", SeenClear, "")}
	for _, c := range []struct {
		name string
		p    *person
	}{
		{"two screens of one licence, the worse first", licensed().claim(screen("one", "CSW"), bad...).claim(screen("two", "CSW"), clear...)},
		{"two screens of one licence, the worse last", licensed().claim(screen("one", "CSW"), clear...).claim(screen("two", "CSW"), bad...)},
		{"a screen of a licence that nobody claims", licensed().claim(screen("one", "LPC"), bad...)},
		{"a list that is not asked for", licensed().claim(Claim{Kind: ExclusionScreen, Issuer: "other-list"}, seen("board", SeenExcluded, ""), confirm, second)},
		{"a compact privilege", licensed().claim(Claim{Kind: CompactPrivilege, Issuer: "counseling", Jurisdiction: "CO"}, bad...)},
	} {
		if got := Checks(c.p.file, "CO", noon, forever, trustingBoard())[4]; got.Result != ProblemOnRecord {
			t.Errorf("%s: %s %v", c.name, got.Result, got.Reasons)
		}
	}
}

func TestWhatWasWithdrawnIsNotThere(t *testing.T) {
	base := func() *person {
		return newPerson("prv_a").claim(coLicence("CSW", "1"), seen("co-dora", SeenActive, "2028-08-31"), confirm)
	}
	alone := result(t, base().file, "CO", CheckRecord)
	for _, c := range []struct {
		name  string
		other []Event
	}{
		{"taken down", []Event{seen("co-dora", SeenSuspended, ""), confirm, second, {Type: Takedown, Actor: rowan}}},
		{"a name-only candidate", []Event{{Type: Observe, Evidence: []string{"e"}, Body: Body{State: SeenSuspended, Match: M2, By: []string{"family", "given"}, Source: "co-dora"}}}},
	} {
		p := base().claim(coLicence("LPC", "77"), c.other...)
		if got := result(t, p.file, "CO", CheckRecord); !sameParts(got, alone) {
			t.Errorf("%s: %s with %d parts, without it %s with %d", c.name, got.Result, len(got.Parts), alone.Result, len(alone.Parts))
		}
	}
	p := base().claim(coLicence("LPC", "77"), seen("co-dora", SeenSuspended, ""), confirm, second)
	h := &p.file.Claims[1]
	h.Events = append(h.Events, Event{V: 1, Seq: 99, RecordedAt: "2026-11-11T00:00:00.000Z", PerformedAt: "2026-11-11T00:00:00.000Z", Type: Void, Actor: rowan, Supersedes: h.Events[0].Seq})
	if got := result(t, p.file, "CO", CheckRecord); !sameParts(got, alone) {
		t.Errorf("voided: %s with %d parts", got.Result, len(got.Parts))
	}
}

func sameParts(a, b Check) bool {
	return a.Result == b.Result && slices.Equal(a.Reasons, b.Reasons) && len(a.Parts) == len(b.Parts) && a.ValidUntil == b.ValidUntil && a.NextDue == b.NextDue
}

func TestAPrivilegeThatNobodyCheckedAsksForTheHomeLicenceToo(t *testing.T) {
	privilege := Claim{Kind: CompactPrivilege, Issuer: "counseling", Jurisdiction: "AZ", Number: ParseLicenceNumber("77")}
	for _, c := range []struct {
		name string
		p    *person
		want CheckResult
	}{
		{"listed, no home licence", newPerson("prv_a").claim(privilege, said(ClassListing, Body{})), NotChecked},
		{"a document, no home licence", newPerson("prv_a").claim(privilege, said(ClassDocument, Body{})), NotChecked},
		{"a document, a home licence that is listed", newPerson("prv_a").claim(privilege, said(ClassDocument, Body{})).
			claim(Claim{Kind: License, Jurisdiction: "OH", Title: "LPCC", Number: ParseLicenceNumber("1")}, said(ClassListing, Body{})), StatedInListing},
		{"a document, a home licence in a state that issues nothing", newPerson("prv_a").claim(privilege, said(ClassDocument, Body{})).
			claim(Claim{Kind: License, Jurisdiction: "NM", Title: "LPCC", Number: ParseLicenceNumber("1")}, seen("board", SeenActive, ""), confirm), NotChecked},
		{"confirmed, and the type of the home licence is not", newPerson("prv_a").claim(privilege, seen("board", SeenActive, ""), confirm).
			claim(Claim{Kind: License, Jurisdiction: "MN", Title: "LPCC", Number: ParseLicenceNumber("1")}, seen("board", SeenActive, ""), confirm), NotChecked},
	} {
		if got := Checks(c.p.file, "AZ", noon, forever, trustingBoard())[0]; got.Result != c.want {
			t.Errorf("%s: %s %v, want %s", c.name, got.Result, got.Reasons, c.want)
		}
	}
}

func TestOversightOfNursePractitioners(t *testing.T) {
	np := func() *person {
		return newPerson("prv_doc").claim(Claim{Kind: License, Jurisdiction: "TX", Title: "APRN", Number: ParseLicenceNumber("AP1")}, seen("board", SeenActive, "2027-08-31"), confirm)
	}
	md := newPerson("prv_md").claim(Claim{Kind: License, Jurisdiction: "TX", Title: "PHYSICIAN LICENSE", Number: ParseLicenceNumber("M1")}, seen("board", SeenActive, "2027-08-31"), confirm)
	other := newPerson("prv_md").claim(Claim{Kind: License, Jurisdiction: "TX", Title: "APRN", Number: ParseLicenceNumber("AP2")}, seen("board", SeenActive, "2027-08-31"), confirm)
	agreement := Claim{Kind: PracticeAgreement, Jurisdiction: "TX", Other: "prv_md"}
	for _, c := range []struct {
		name   string
		doc    *person
		md     *person
		want   CheckResult
		reason string
	}{
		{"no agreement", np(), nil, NotChecked, ReasonAgreementMissing},
		{"an agreement with nobody we know", np().claim(agreement, said(ClassDocument, Body{})), nil, NotChecked, ReasonPrescriberUnseen},
		{"an agreement with a physician", np().claim(agreement, said(ClassDocument, Body{})), md, ShownByDocument, ""},
		{"an agreement with another nurse practitioner", np().claim(agreement, said(ClassDocument, Body{})), other, NotChecked, ReasonStateGap},
		{"a physician's licence that is only listed beside it", np().claim(Claim{Kind: License, Jurisdiction: "TX", Title: "PHYSICIAN LICENSE", Number: ParseLicenceNumber("M2")}, said(ClassListing, Body{})), nil, StatedInListing, ""},
	} {
		p := newPerson("prv_a").claim(Claim{Kind: OversightLink, Other: "prv_doc"}, seen("board", SeenActive, ""), confirm)
		p.file.Linked["prv_doc"] = c.doc.file
		if c.md != nil {
			p.file.Linked["prv_md"] = c.md.file
		}
		if got := Checks(p.file, "TX", noon, forever, trustingBoard())[2]; got.Result != c.want || c.reason != "" && !slices.Contains(got.Reasons, c.reason) {
			t.Errorf("%s: %s %v, want %s %s", c.name, got.Result, got.Reasons, c.want, c.reason)
		}
	}
}

func TestADocumentOfALinkIsOneSidesWord(t *testing.T) {
	link := Claim{Kind: OversightLink, Other: "prv_doc"}
	p := newPerson("prv_a").claim(link, said(ClassDocument, Body{Side: "provider"}))
	p.file.Linked["prv_doc"] = prescriber(SeenActive, true, confirm).file
	if got := result(t, p.file, "CO", CheckOversight); got.Result != StatedByProvider || !slices.Contains(got.Reasons, ReasonOneSided) {
		t.Errorf("%s %v", got.Result, got.Reasons)
	}
}

func TestARecordedNoDoesNotBecomeBetterByAge(t *testing.T) {
	e := said(ClassSelf, Body{Preparation: Yes, Presence: Yes, Monitoring: Yes, Emergency: No, Integration: Yes})
	e.PerformedAt = "2025-06-01T00:00:00.000Z"
	if got := result(t, newPerson("prv_a").claim(Claim{Kind: ProtocolClaim}, e).file, "CO", CheckProtocol); got.Result != NotMet {
		t.Errorf("%s %v", got.Result, got.Reasons)
	}
}

func TestOnlyProgrammesOfTheTableAreRecognised(t *testing.T) {
	p := newPerson("prv_a").claim(Claim{Kind: TrainingCert, Issuer: "weekend-academy", Title: "Weekend Academy"}, said(ClassDocument, Body{Level: "certificate"}))
	if got := result(t, p.file, "CO", CheckTraining); got.Result != NotChecked || !slices.Contains(got.Reasons, ReasonProgramUnknown) {
		t.Errorf("%s %v", got.Result, got.Reasons)
	}
}

func TestLapsed(t *testing.T) {
	tables := &ReferenceTables{rules: []Rule{
		{ID: "r", Title: "first", dated: dated{"2026-01-01", "2026-06-30", true}},
		{ID: "r", Title: "second", dated: dated{"2026-09-01", "2026-12-31", true}},
		{ID: "r", Title: "nobody confirmed it", dated: dated{"2026-01-01", "", false}},
	}}
	for _, c := range []struct {
		at   Instant
		want string
	}{
		{"2025-12-31T00:00:00.000Z", ""}, // not yet
		{"2026-06-30T12:00:00.000Z", ""},
		{"2026-07-01T03:59:59.999Z", ""},
		{"2026-07-01T04:00:00.000Z", "first"}, // the end of the day in New York
		{"2026-10-01T00:00:00.000Z", ""},
		{"2027-01-01T05:00:00.000Z", "second"},
	} {
		if got, ok := tables.Lapsed("r", c.at); got.Title != c.want || ok != (c.want != "") {
			t.Errorf("at %s: %q", c.at, got.Title)
		}
	}
}

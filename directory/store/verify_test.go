package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

// TestVerify holds both databases to one suite.
func TestVerify(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testVerify(t, func(t testing.TB) Config { return Config{Dir: t.TempDir()} }) })
	t.Run("postgres", func(t *testing.T) {
		storetest.Postgres(t) // skips the whole when there is no server
		testVerify(t, func(t testing.TB) Config { return Config{DSN: storetest.Postgres(t)} })
	})
}

func testVerify(t *testing.T, fresh func(testing.TB) Config) {
	for _, x := range []struct {
		name string
		test func(*testing.T, *Store, *clock)
	}{
		{"no record", testVerifyNoRecord},
		{"gone after a record", testVerifyGone},
		{"nobody can be asked", testVerifyNoRegister},
		{"outage", testVerifyOutage},
		{"not observed yet", testVerifyUnobserved},
		{"for a person", testVerifyPerson},
		{"national registry", testVerifyIdentity},
		{"screens", testVerifyScreens},
		{"name-only candidate is invisible", testVerifyNameOnly},
		{"dry run, one provider, one at a time", testVerifyScope},
	} {
		t.Run(x.name, func(t *testing.T) {
			clk := newClock()
			c := fresh(t)
			c.Now = clk.now
			s := open(t, c)
			hire(t, s)
			x.test(t, s, clk)
		})
	}
	t.Run("crashes", func(t *testing.T) { testVerifyCrashes(t, fresh) })
}

// verify runs what is due, checks that each claim is counted once, and that a second run appends nothing.
func verify(t testing.TB, s *Store, o VerifyOptions) VerifyReport {
	t.Helper()
	r, err := s.Verify(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.LookedUp() != r.Due || r.Outcome != "done" || r.Ended == "" {
		t.Fatalf("%d due and %d counted: %+v", r.Due, r.LookedUp(), r.Verification)
	}
	if o.DryRun {
		return r
	}
	before := rowCounts(t, s)
	again, err := s.Verify(ctx, o)
	if err != nil || again.Events != 0 {
		t.Fatalf("again on the same day: %+v, %v", again.Verification, err)
	}
	if d := cmp.Diff(before, rowCounts(t, s)); d != "" {
		t.Fatalf("again on the same day:\n%s", d)
	}
	return r
}

// days moves the clock.
func (c *clock) days(n int) { c.set(c.now().AddDate(0, 0, n)) }

// licenceOf returns the history and the standing of somebody's licence in the state.
func licenceOf(t testing.TB, s *Store, who string, in directory.State) (directory.History, directory.Standing) {
	t.Helper()
	return claimOf(t, s, who, func(c directory.Claim) bool { return c.Kind == directory.License && c.Jurisdiction == in })
}

func claimOf(t testing.TB, s *Store, who string, is func(directory.Claim) bool) (directory.History, directory.Standing) {
	t.Helper()
	for _, h := range find(t, s, who).Claims {
		if is(h.Claim) {
			return h, directory.Derive(h, s.now(), knownAt(t, s), s.config.Policies)
		}
	}
	t.Fatalf("%s has no such claim", who)
	return directory.History{}, directory.Standing{}
}

func screenOf(list string) func(directory.Claim) bool {
	return func(c directory.Claim) bool { return c.Kind == directory.ExclusionScreen && c.Issuer == list }
}

func stranger(n int, words string) directory.Record {
	return roster("LPC", fmt.Sprint(7000+n), given(n)+" "+family(n+40), words, directory.SeenActive, "2027-08-31")
}

func testVerifyNoRecord(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben())
	load(t, s, edition("co-dora", "2026-11-20", "2026-11-20"), stranger(1, "Active"))
	if r := verify(t, s, VerifyOptions{}); r.NotFound != 1 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	h, st := licenceOf(t, s, "Ben Carter", "CO")
	if st.Status != directory.StatusListed || st.Searches != 1 {
		t.Errorf("after one search: %q, %d searches", st.Status, st.Searches)
	}
	e := h.Events[len(h.Events)-1]
	if e.Body.State != directory.SeenNotFound || !slices.Equal(e.Body.By, []string{"licence", "name"}) || e.Body.Release != "2026-11-20" || e.Body.Match != "" {
		t.Errorf("%+v", e)
	}
	var body, meta string
	if err := s.reader.QueryRow(`SELECT body, meta FROM evidence WHERE sha256 = '`+e.Evidence[0]+`'`).Scan(&body, &meta); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"release":"2026-11-20"`, `"rows_searched":1`, `"licence_type":"LPC"`, `"completeness":"full_history"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the evidence lacks %s: %s", want, body)
		}
	}
	before, _ := s.Head(ctx)
	clk.days(1)
	if r := verify(t, s, VerifyOptions{}); r.NotFound != 0 || r.Skipped["same_release"] != 1 {
		t.Errorf("the same file was searched again: %+v", r.VerifyCounts)
	}
	load(t, s, edition("co-dora", "2026-11-24", "2026-11-24"), stranger(1, "Active"))
	if r := verify(t, s, VerifyOptions{}); r.NotFound != 1 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	if _, st := licenceOf(t, s, "Ben Carter", "CO"); st.Status != directory.StatusNotFound {
		t.Errorf("after searches on two days: %q", st.Status)
	}
	if after, _ := s.Head(ctx); after.Public <= before.Public {
		t.Error("public faces do not hear of it")
	}
	clk.days(1)
	if r := verify(t, s, VerifyOptions{}); r.NotFound != 0 {
		t.Errorf("searched again before its time: %+v", r.VerifyCounts)
	}
	clk.days(30)
	load(t, s, edition("co-dora", "2026-12-20", "2026-12-20"), stranger(1, "Active"))
	if r := verify(t, s, VerifyOptions{}); r.NotFound != 1 {
		t.Errorf("not searched again: %+v", r.VerifyCounts)
	}
	// A record that comes later is good news that waits for a person, and lifts nothing.
	load(t, s, edition("co-dora", "2026-12-24", "2026-12-24"), stranger(1, "Active"), roster("LPC", "5551", "Ben Carter", "Active", directory.SeenActive, "2027-08-31"))
	if _, st := licenceOf(t, s, "Ben Carter", "CO"); st.Status != directory.StatusNotFound || len(st.Pending) != 1 {
		t.Errorf("%q, pending %v", st.Status, st.Pending)
	}
	list := must(s.Verifications(ctx, 3))
	if len(list) != 3 || list[0].Number != list[1].Number+1 || list[1].NotFound != 1 || list[1].Outcome != "done" || list[1].Policy != "v1" || list[1].Ended == "" {
		t.Errorf("history %+v", list)
	}
	whole(t, s)
}

func testVerifyGone(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben())
	load(t, s, edition("co-dora", "2026-11-20", "2026-11-20"), stranger(1, "Active"), roster("LPC", "5551", "Ben Carter", "Active", directory.SeenActive, "2027-08-31"))
	decide := func(staff string) {
		t.Helper()
		if _, err := s.Decide(ctx, directory.Decision{Staff: staff, Auth: "password", Provider: directory.ProviderRef{ID: find(t, s, "Ben Carter").Provider.ID},
			Kind: directory.License, State: "CO", Decision: "confirm"}); err != nil {
			t.Fatal(err)
		}
	}
	decide("kim")
	clk.days(1)
	if r := verify(t, s, VerifyOptions{}); r.NotFound != 0 || r.Observed != 0 {
		t.Errorf("nothing is due of it: %+v", r.VerifyCounts)
	}
	if _, st := licenceOf(t, s, "Ben Carter", "CO"); st.Status != directory.StatusVerified {
		t.Fatalf("%q", st.Status)
	}
	load(t, s, edition("co-dora", "2026-11-21", "2026-11-21"), stranger(1, "Active"), stranger(2, "Active")) // without them
	clk.days(29)
	verify(t, s, VerifyOptions{})
	_, st := licenceOf(t, s, "Ben Carter", "CO")
	if st.Status != directory.StatusUnderReview || st.Reasons[0] != directory.ReasonReviewPending {
		t.Errorf("gone after a record: %q %v", st.Status, st.Reasons)
	}
	cases := must(s.Cases(ctx, true, 10))
	if len(cases) != 1 || cases[0].Kind != directory.CaseChange || !slices.Contains(st.Pending, cases[0].Event) {
		t.Errorf("cases %+v, pending %v", cases, st.Pending)
	}
	if ages := must(s.CaseAges(ctx)); len(ages) != 1 || ages[0] != (CaseAge{directory.CaseChange, 1, cases[0].Opened}) {
		t.Errorf("ages %+v", ages)
	}
	clk.days(1)
	load(t, s, edition("co-dora", "2026-12-22", "2026-12-22"), stranger(1, "Active"), stranger(2, "Active"))
	if r := verify(t, s, VerifyOptions{}); r.NotFound != 1 || r.Waiting["license"] != 1 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	if _, st := licenceOf(t, s, "Ben Carter", "CO"); st.Status != directory.StatusUnderReview {
		t.Errorf("time alone made it %q", st.Status)
	}
	decide("kim")
	if _, st := licenceOf(t, s, "Ben Carter", "CO"); st.Status != directory.StatusNotFound {
		t.Errorf("after two searches and a person: %q", st.Status)
	}
	if cases := must(s.Cases(ctx, true, 10)); len(cases) != 0 {
		t.Errorf("still open: %+v", cases)
	}
	whole(t, s)
}

func testVerifyNoRegister(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), listing("wyo", "Wyatt Ode, LPC", func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("WY", "LPC", "LPC-101"), licence("CO", "LPC", "LPC.0005551"), licence("TX", "LPC", "77101")}
	}))
	load(t, s, edition("tx-bhec", "2026-11-20", "2026-11-20"), directory.Record{Key: "PSY-1", Fields: map[string]string{"n": "1"}, Licence: &directory.LicenceRecord{
		State: "TX", BoardType: "PSY", Number: directory.ParseLicenceNumber("1"), Name: name("Some One"), Words: "Active", Standing: directory.SeenActive}})
	lists := len(s.Policies().InForce(s.now(), s.now()).ScreensFor([]directory.State{"CO", "TX", "WY"}))
	r := verify(t, s, VerifyOptions{})
	if want := map[string]int{directory.ReasonNoRegister: 1, directory.ReasonUnavailable: 2 + lists}; !maps.Equal(r.CouldNotCheck, want) { // CO and TX, and no list
		t.Errorf("could not check %v, want %v", r.CouldNotCheck, want)
	}
	for _, x := range []struct {
		in     directory.State
		source string
		reason string
	}{{"WY", "kapdir", directory.ReasonNoRegister}, {"CO", "co-dora", directory.ReasonUnavailable}, {"TX", "tx-bhec", directory.ReasonUnavailable}} { // TX: not of this type
		h, st := licenceOf(t, s, "Wyatt Ode", x.in)
		if e := h.Events[len(h.Events)-1]; st.Status != directory.StatusCouldNotCheck || !slices.Equal(st.Reasons, []string{x.reason}) || e.Body.Source != x.source || len(e.Evidence) != 0 {
			t.Errorf("%s: %q %v %+v", x.in, st.Status, st.Reasons, e)
		}
		_, st = claimOf(t, s, "Wyatt Ode", func(c directory.Claim) bool { return c.Kind == directory.DisciplineScreen && c.Jurisdiction == x.in })
		if st.Status != directory.StatusCouldNotCheck {
			t.Errorf("%s: the screen of the licence is %q", x.in, st.Status)
		}
	}
	// The same answer for the same reason is looked at each day, and appended once in 30.
	clk.days(1)
	if r := verify(t, s, VerifyOptions{}); r.Events != 0 || r.CouldNotCheck[directory.ReasonNoRegister] != 0 || r.CouldNotCheck[directory.ReasonUnavailable] != 4+lists {
		t.Errorf("%+v", r.VerifyCounts)
	}
	clk.days(29)
	if r := verify(t, s, VerifyOptions{}); r.Events != 6+lists || r.CouldNotCheck[directory.ReasonNoRegister] != 2 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	// What a document shows stays shown.
	err := s.write(ctx, "test", func(w *work) error {
		h, err := w.holdOne(find(t, s, "Wyatt Ode").Provider.ID)
		if err != nil {
			return err
		}
		i := w.claim(h, directory.Claim{Kind: directory.License, Jurisdiction: "ID", Title: "LCPC", Number: directory.ParseLicenceNumber("LCPC-5")})
		w.append(h, i, directory.Event{Type: directory.Assert, PerformedAt: w.now, Actor: directory.Actor{Kind: directory.ByProvider, ID: "x", Auth: "email_link"},
			Evidence: []string{w.keep(directory.Evidence{Source: "certificate", Class: directory.ClassDocument, Body: []byte("a copy of the licence")})},
			Body:     directory.Body{Class: directory.ClassDocument, Source: "certificate"}}, true)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := verify(t, s, VerifyOptions{}); r.Skipped[skipDocumented] != 1 || r.Events != 0 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	if _, st := licenceOf(t, s, "Wyatt Ode", "ID"); st.Status != directory.StatusDocumented {
		t.Errorf("documented became %q", st.Status)
	}
	whole(t, s)
}

// A failed import leaves the release before in force; the claim says so once, and keeps its answer.
func testVerifyOutage(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben(), cara())
	load(t, s, edition("co-dora", "2026-11-20", "2026-11-20"), stranger(1, "Active"), roster("LPC", "5551", "Ben Carter", "Active", directory.SeenActive, "2027-08-31"))
	fail := func(release string, asOf directory.Date) {
		t.Helper()
		run, err := s.Begin(ctx, edition("co-dora", release, asOf))
		if err != nil {
			t.Fatal(err)
		}
		if r := verify(t, s, VerifyOptions{}); r.Skipped[skipImporting] != r.Due-r.CouldNotCheck[directory.ReasonUnavailable] {
			t.Errorf("during an import: %+v", r.VerifyCounts)
		}
		if _, err := s.End(ctx, run.ID, errors.New("half the usual size")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Decide(ctx, directory.Decision{Staff: "kim", Auth: "password", Provider: directory.ProviderRef{ID: find(t, s, "Ben Carter").Provider.ID},
		Kind: directory.License, Decision: "confirm"}); err != nil {
		t.Fatal(err)
	}
	clk.days(35)
	fail("2026-12-28", "2026-12-28")
	verify(t, s, VerifyOptions{})
	h, st := licenceOf(t, s, "Ben Carter", "CO")
	e := h.Events[len(h.Events)-1]
	if st.Status != directory.StatusVerified || e.Body.State != directory.SeenUnavailable || e.Body.Release != "2026-12-28" || st.Basis.Body.Release != "2026-11-20" {
		t.Errorf("%q on %+v, last %+v", st.Status, st.Basis, e)
	}
	fail("2026-12-28 again", "2026-12-28")
	verify(t, s, VerifyOptions{All: true})
	if again, _ := licenceOf(t, s, "Ben Carter", "CO"); len(again.Events) != len(h.Events) {
		t.Error("told twice on a day")
	}
	clk.days(1)
	verify(t, s, VerifyOptions{})
	h, _ = licenceOf(t, s, "Ben Carter", "CO")
	n := len(h.Events)
	clk.days(1)
	if r := verify(t, s, VerifyOptions{}); r.CouldNotCheck[directory.ReasonUnavailable] == 0 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	if h, _ := licenceOf(t, s, "Ben Carter", "CO"); len(h.Events) != n {
		t.Error("the same failed import is told twice")
	}
	clk.days(1)
	fail("2026-12-30", "2026-12-30")
	verify(t, s, VerifyOptions{})
	if h, _ := licenceOf(t, s, "Ben Carter", "CO"); len(h.Events) != n+1 {
		t.Error("another failed import is not told")
	}
	clk.days(60)
	if _, st := licenceOf(t, s, "Ben Carter", "CO"); st.Status != directory.StatusStale {
		t.Errorf("an outage of three months leaves it %q", st.Status)
	}
	load(t, s, edition("co-dora", "2027-02-27", "2027-02-27"), stranger(1, "Active"), roster("LPC", "5551", "Ben Carter", "Active", directory.SeenActive, "2027-08-31"))
	verify(t, s, VerifyOptions{})
	if _, st := licenceOf(t, s, "Ben Carter", "CO"); st.Status != directory.StatusVerified {
		t.Errorf("after the outage: %q", st.Status)
	}
	whole(t, s)
}

func testVerifyUnobserved(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben())
	run := load(t, s, edition("co-dora", "2026-11-20", "2026-11-20"), stranger(1, "Active"))
	rec := roster("LPC", "5551", "Ben Carter", "Active", directory.SeenActive, "2027-08-31")
	rec.Source = "co-dora"
	run.Release.SHA256 = digest([]byte("again"))
	begun := must(s.Begin(ctx, run.Release))
	r := must(prepare(rec, run.Release, begun.Number))
	r.ready()
	// A row that came by another way than Put.
	if err := s.open[begun.ID].known.take([]cameRow{{r: r, place: -1, old: -1, index: true}}); err != nil {
		t.Fatal(err)
	}
	must(s.End(ctx, begun.ID, nil))
	if r := verify(t, s, VerifyOptions{}); r.Observed != 1 || r.NotFound != 0 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	h, st := licenceOf(t, s, "Ben Carter", "CO")
	if e := h.Events[len(h.Events)-1]; e.Body.State != directory.SeenActive || e.Body.Match != directory.M5 || st.Status != directory.StatusListed || len(st.Pending) != 1 {
		t.Errorf("%q %+v", st.Status, e)
	}
	if cases := must(s.Cases(ctx, true, 10)); len(cases) != 1 || cases[0].Kind != directory.CaseFirst {
		t.Errorf("cases %+v", cases)
	}
	whole(t, s)
	clk.days(1)
	if r := verify(t, s, VerifyOptions{All: true}); r.Current != 2 { // the licence and its discipline screen
		t.Errorf("%+v", r.VerifyCounts)
	}
}

// What a machine cannot tell apart from no record is for a person.
func testVerifyPerson(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben(), cara(),
		listing("numberless", "Nora Moss, LPC", func(l *directory.Listing) {
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "pending")}
		}),
		listing("typeless", "Tess Holm", func(l *directory.Listing) {
			l.Licences = []directory.ListedLicence{licence("CO", "", "4455667")}
		}),
		listing("unread", "Una Voss, LPC", func(l *directory.Listing) {
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.0003131")}
		}))
	run, err := s.Begin(ctx, edition("co-dora", "2026-11-20", "2026-11-20"))
	if err != nil {
		t.Fatal(err)
	}
	rec := roster("LPC", "5515", "Ben Carter", "Active", directory.SeenActive, "2027-08-31") // two digits changed places
	rec.Source, rec.Line = "co-dora", 1
	if _, err := s.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{rec}, Rejects: []directory.Reject{{File: "x", Line: 2, Reason: "short row", Text: "LPC,3131"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(ctx, run.ID, nil); err != nil {
		t.Fatal(err)
	}
	r := verify(t, s, VerifyOptions{})
	if want := map[string]int{forOtherNumber: 1, forTitle: 1, forUnread: 1}; !maps.Equal(r.ForPerson, want) || r.NotFound != 0 || len(r.Items) != 3 {
		t.Errorf("for a person %v, want %v; %+v", r.ForPerson, want, r.VerifyCounts)
	}
	if r.Waiting["license"] != 1 { // the one without a number
		t.Errorf("waiting %v", r.Waiting)
	}
	for _, x := range r.Items {
		if x.Why == forOtherNumber && (x.Name != "Ben Carter" || x.Key != rec.Key) {
			t.Errorf("%+v", x)
		}
	}
	for _, who := range []string{"Ben Carter", "Nora Moss", "Tess Holm", "Una Voss"} {
		if h, _ := licenceOf(t, s, who, "CO"); len(h.Events) != 1 {
			t.Errorf("%s: %d events", who, len(h.Events))
		}
	}
}

func testVerifyIdentity(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), dan())
	isNPI := func(c directory.Claim) bool { return c.Kind == directory.IdentityNPI }
	verify(t, s, VerifyOptions{})
	if _, st := claimOf(t, s, "Dan Poole", isNPI); st.Status != directory.StatusCouldNotCheck {
		t.Errorf("not loaded: %q", st.Status)
	}
	// A file of which only the covered types were taken is silent about the rest.
	run, err := s.Begin(ctx, edition("nppes", "a", "2026-11-20"))
	if err != nil {
		t.Fatal(err)
	}
	rec := identity(anaNPI, "Ana Ruiz")
	rec.Source, rec.Line = "nppes", 1
	if _, err := s.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{rec}, Outside: 3}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(ctx, run.ID, nil); err != nil {
		t.Fatal(err)
	}
	clk.days(1)
	if r := verify(t, s, VerifyOptions{}); r.NotFound != 0 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	clk.days(1)
	for i := range 2 {
		load(t, s, edition("nppes", fmt.Sprint("b", i), "2026-11-25"), identity(anaNPI, "Ana Ruiz"))
		if r := verify(t, s, VerifyOptions{}); r.NotFound != 1 {
			t.Errorf("%+v", r.VerifyCounts)
		}
		clk.days(1)
	}
	h, st := claimOf(t, s, "Dan Poole", isNPI)
	if e := h.Events[len(h.Events)-1]; st.Status != directory.StatusNotFound || !slices.Equal(e.Body.By, []string{"npi", "name"}) {
		t.Errorf("%q %+v", st.Status, e)
	}
	whole(t, s)
}

func testVerifyScreens(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("1", "Some One", ""))
	run, err := s.Begin(ctx, edition("leie", "2026-11", "2026-11-20"))
	if err != nil {
		t.Fatal(err)
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara()) // nobody is screened while an import goes on
	if _, err := s.End(ctx, run.ID, errors.New("half the usual size")); err != nil {
		t.Fatal(err)
	}
	verify(t, s, VerifyOptions{})
	h, st := claimOf(t, s, "Cara Smith", screenOf("leie"))
	if e := h.Events[len(h.Events)-1]; st.Status != directory.StatusCouldNotCheck || e.Body.Release != "2026-11" {
		t.Errorf("after a failed import: %q %+v", st.Status, e)
	}
	if _, st := claimOf(t, s, "Cara Smith", screenOf("sam")); st.Status != directory.StatusCouldNotCheck {
		t.Errorf("not loaded: %q", st.Status)
	}
	if _, err := s.writer.Exec(`DELETE FROM run WHERE outcome = 'failed'`); err != nil { // as if it had never begun
		t.Fatal(err)
	}
	clk.days(1)
	if r := verify(t, s, VerifyOptions{}); r.Observed != 1 {
		t.Errorf("%+v", r.VerifyCounts)
	}
	h, st = claimOf(t, s, "Cara Smith", screenOf("leie"))
	if st.Status != directory.StatusVerified || st.Basis.Body.Release != "2026-10" || len(st.Basis.Evidence) != 1 {
		t.Errorf("screened now: %q %+v", st.Status, st.Basis)
	}
	clk.days(10)
	if r := verify(t, s, VerifyOptions{}); r.Current != 1 || r.Observed != 0 { // more than 30 days old, and there is no newer release
		t.Errorf("%+v", r.VerifyCounts)
	}
	whole(t, s)
}

// A candidate by name alone is exactly as public as a screen that could not be finished, whatever is
// verified and whenever.
func testVerifyNameOnly(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara(),
		listing("una", "Una Voss", func(l *directory.Listing) { l.Sites = []directory.Site{denver("(303) 555-0198")} }))
	same := func(when string) {
		t.Helper()
		a, b := publicChecks(t, s, find(t, s, "Cara Smith")), publicChecks(t, s, find(t, s, "Una Voss"))
		if a != b {
			t.Errorf("%s, a name alone shows (-unfinished +got):\n%s", when, cmp.Diff(b, a))
		}
	}
	bring := func(release string, failure error) {
		t.Helper()
		run, err := s.Begin(ctx, edition("leie", release, "2026-11-20"))
		if err != nil {
			t.Fatal(err)
		}
		row := exclusion("c", "Cara Smith", "")
		row.Source, row.Line = "leie", 1
		reject := directory.Reject{File: "x", Line: 2, Reason: "short row", Text: "VOSS,UNA"} // so that her screen does not finish
		if _, err := s.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{row}, Rejects: []directory.Reject{reject}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.End(ctx, run.ID, failure); err != nil {
			t.Fatal(err)
		}
	}
	bring("2026-10", nil)
	if _, st := claimOf(t, s, "Cara Smith", screenOf("leie")); !st.Candidate {
		t.Fatal("no candidate")
	}
	same("after the import")
	verify(t, s, VerifyOptions{})
	same("verified")
	clk.days(1)
	bring("2026-11", errors.New("half the usual size"))
	verify(t, s, VerifyOptions{})
	same("verified after an outage")
	clk.days(1)
	verify(t, s, VerifyOptions{All: true})
	same("all verified")
	clk.days(40)
	verify(t, s, VerifyOptions{})
	same("later")
	bring("2026-12", nil)
	verify(t, s, VerifyOptions{})
	same("loaded again")
}

func testVerifyScope(t *testing.T, s *Store, clk *clock) {
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben(), cara())
	load(t, s, edition("co-dora", "2026-11-20", "2026-11-20"), stranger(1, "Active"), roster("CSW", "1", "Some One", "Active", directory.SeenActive, ""))
	before := rowCounts(t, s)
	dry := verify(t, s, VerifyOptions{DryRun: true})
	if d := cmp.Diff(before, rowCounts(t, s)); d != "" || dry.Events == 0 || len(must(s.Verifications(ctx, 10))) != 0 {
		t.Errorf("a dry run wrote:\n%s", d)
	}
	if _, err := s.Verify(ctx, VerifyOptions{Provider: "prv_unknown"}); !errors.Is(err, directory.NotFound) {
		t.Errorf("an unknown provider: %v", err)
	}
	release, ok, err := s.dialect.lock(ctx, s.writer, "verify")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, err := s.Verify(ctx, VerifyOptions{}); !errors.Is(err, directory.Conflict) {
		t.Errorf("two at a time: %v", err)
	}
	release()
	one := verify(t, s, VerifyOptions{Provider: find(t, s, "Ben Carter").Provider.ID})
	if one.Providers != 1 || one.NotFound != 1 {
		t.Errorf("%+v", one.VerifyCounts)
	}
	if h, _ := licenceOf(t, s, "Ana Ruiz", "CO"); len(h.Events) != 1 {
		t.Error("another provider was looked up")
	}
	rest := verify(t, s, VerifyOptions{})
	if one.Events+rest.Events != dry.Events || one.NotFound+rest.NotFound != dry.NotFound {
		t.Errorf("a dry run counted %+v; in fact %+v and %+v", dry.VerifyCounts, one.VerifyCounts, rest.VerifyCounts)
	}
	failed := must(s.Verifications(ctx, 10))
	if x := failed[len(failed)-1]; x.Outcome != "failed" || x.Error == "" { // the unknown provider
		t.Errorf("%+v", x)
	}
	var back directory.Verification
	raw, err := json.Marshal(rest.Verification)
	if err != nil || json.Unmarshal(raw, &back) != nil || back.Due != rest.Due {
		t.Errorf("%s, %v", raw, err)
	}
	whole(t, s)
}

// A run that is killed after any of its transactions loses nothing: the next one finishes it.
func testVerifyCrashes(t *testing.T, fresh func(testing.TB) Config) {
	ready := func() *Store {
		s := open(t, fresh(t))
		s.first, s.most = 2, 4
		load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben(), cara(), dan())
		load(t, s, edition("co-dora", "2026-11-20", "2026-11-20"), stranger(1, "Active"))
		return s
	}
	s := ready()
	commits := 0
	s.afterCommit = func() { commits++ }
	verify(t, s, VerifyOptions{})
	want := dump(t, s)
	if commits < 3 {
		t.Errorf("only %d transactions", commits)
	}
	for k := 1; k <= min(commits, 3); k++ {
		s := ready()
		n := 0
		s.afterCommit = func() {
			if n++; n == k {
				panic("killed")
			}
		}
		func() {
			defer func() {
				if r := recover(); r != "killed" {
					t.Errorf("not killed: %v", r)
				}
			}()
			_, _ = s.Verify(ctx, VerifyOptions{})
		}()
		s.afterCommit = nil
		whole(t, s)
		if x := must(s.Verifications(ctx, 1)); x[0].Outcome != "running" || x[0].Due == 0 {
			t.Errorf("killed: %+v", x[0])
		}
		verify(t, s, VerifyOptions{})
		if got := dump(t, s); got != want {
			t.Errorf("killed after transaction %d (-without +with):\n%s", k, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
		}
		if x := must(s.Verifications(ctx, 10)); x[len(x)-1].Outcome != "interrupted" {
			t.Errorf("killed, and run again: %+v", x[len(x)-1])
		}
		whole(t, s)
	}
}

// Whatever was imported, failed and decided before: a verification lifts nothing, clears nothing, and a
// second one on the same day appends nothing.
func TestVerifyLiftsNothing(t *testing.T) {
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		if runs++; runs > 25 && !testing.Verbose() || runs > 200 { // each is a database of its own
			return
		}
		clk := newClock()
		s, err := Open(ctx, Config{Dir: t.TempDir(), Now: clk.now})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		hire(t, s)
		load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben(), cara(), dan())
		states := []directory.Observed{"", directory.SeenActive, directory.SeenActive, directory.SeenSuspended, directory.SeenExpired, directory.SeenIndeterminate}
		n := 0
		bring := func(source string, fail bool, records ...directory.Record) {
			n++
			run, err := s.Begin(ctx, edition(source, fmt.Sprint(n), directory.At(clk.now()).Date()))
			if err != nil {
				t.Fatal(err)
			}
			for i := range records {
				records[i].Source, records[i].Line = source, i+1
			}
			if _, err := s.Put(ctx, run.ID, directory.Batch{Records: records}); err != nil {
				t.Fatal(err)
			}
			var failure error
			if fail {
				failure = errors.New("it failed")
			}
			if _, err := s.End(ctx, run.ID, failure); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(2, 8).Draw(r, "steps") {
			fail := rapid.IntRange(0, 4).Draw(r, "fails") == 0
			switch rapid.IntRange(0, 6).Draw(r, "what") {
			case 0, 1:
				records := []directory.Record{stranger(1, "Active"), roster("CSW", "99", "Some One", "Active", directory.SeenActive, "")}
				for i, who := range []struct{ kind, number, name string }{{"CSW", "12345", "Ana Ruiz"}, {"LPC", "5551", "Ben Carter"}} {
					if st := rapid.SampledFrom(states).Draw(r, fmt.Sprint("state", i)); st != "" {
						records = append(records, roster(who.kind, who.number, who.name, string(st), st, rapid.SampledFrom([]directory.Date{"2027-01-15", "2028-08-31"}).Draw(r, "expires")))
					}
				}
				bring("co-dora", fail, records...)
			case 2:
				bring("leie", fail, exclusion("1", rapid.SampledFrom([]string{"Cara Smith", "Some One"}).Draw(r, "named"), ""), exclusion("2", "Dan Poole", rapid.SampledFrom([]directory.NPI{"", danNPI}).Draw(r, "npi")))
			case 3:
				bring("nppes", fail, identity(rapid.SampledFrom([]directory.NPI{danNPI, anaNPI}).Draw(r, "who"), "Dan Poole"))
			case 4:
				decideAnything(r, s)
			case 5:
				clk.days(rapid.IntRange(1, 50).Draw(r, "days"))
			}
			verifyHolds(r, t, s, rapid.Bool().Draw(r, "all"))
		}
		whole(t, s)
	})
}

// decideAnything reviews what waits, if anything does.
func decideAnything(r *rapid.T, s *Store) {
	cases, _ := s.Cases(ctx, true, 20)
	if len(cases) == 0 {
		return
	}
	c := rapid.SampledFrom(cases).Draw(r, "case")
	file, err := s.File(ctx, c.Provider)
	if err != nil {
		return
	}
	for _, h := range file.Claims {
		if h.Claim.ID == c.Claim {
			_, _ = s.Decide(ctx, directory.Decision{Staff: rapid.SampledFrom([]string{"kim", "lee"}).Draw(r, "staff"), Auth: "password", Provider: directory.ProviderRef{ID: c.Provider},
				Kind: h.Claim.Kind, Issuer: h.Claim.Issuer, State: h.Claim.Jurisdiction, Number: h.Claim.Number.Shown,
				Decision: rapid.SampledFrom([]string{"confirm", "confirm", "clear", "return"}).Draw(r, "decision"), Field: "birth"})
		}
	}
}

func verifyHolds(r *rapid.T, t *testing.T, s *Store, all bool) {
	type answer struct {
		directory.Standing
		events int
		result directory.CheckResult
	}
	look := func() (claims map[directory.ID]answer, open map[directory.ID]bool) {
		claims, open = map[directory.ID]answer{}, map[directory.ID]bool{}
		err := s.EachFile(ctx, func(f *directory.CredentialFile) error {
			for _, h := range f.Claims {
				st := directory.Derive(h, s.now(), knownAt(t, s), s.config.Policies)
				claims[h.Claim.ID] = answer{st, len(h.Events), results[st.Status]}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range must(s.Cases(ctx, true, 1000)) {
			open[c.ID] = !c.Kind.ByTime() // those go as the answer goes: see testEndedWalk
		}
		return claims, open
	}
	before, open := look()
	first, err := s.Verify(ctx, VerifyOptions{All: all})
	if err != nil {
		t.Fatal(err)
	}
	after, still := look()
	added := 0
	for id, a := range after {
		b := before[id]
		added += a.events - b.events
		if a.events == b.events {
			if a.Status != b.Status {
				r.Fatalf("%s became %s with no event", b.Status, a.Status)
			}
			continue
		}
		// What a release says is told as an import tells it; all else says only that nothing is known.
		if a.Answer != nil && a.Answer.PerformedAt == s.now() && a.Answer.Body.State != directory.SeenNotFound && a.Answer.Body.State != directory.SeenUnavailable {
			continue
		}
		most := max(b.result.Rank(), 0)
		if b.Class != directory.ClassSource || b.Status == directory.StatusCouldNotCheck {
			most = max(most, directory.CouldNotCheck.Rank())
		}
		if a.result.Rank() > most {
			r.Fatalf("%q %v was lifted to %q %v", b.Status, b.Reasons, a.Status, a.Reasons)
		}
		if b.Status == directory.StatusAdverse && a.Status != directory.StatusAdverse {
			r.Fatalf("adverse became %q", a.Status)
		}
		for _, seq := range b.Pending {
			if !slices.Contains(a.Pending, seq) {
				r.Fatalf("%d waits no more: %v", seq, a.Pending)
			}
		}
	}
	for id, decided := range open {
		if decided && !still[id] {
			r.Fatalf("case %s was closed", id)
		}
	}
	if added != first.Events || first.LookedUp() != first.Due {
		r.Fatalf("%d events added: %+v", added, first.Verification)
	}
	if again, err := s.Verify(ctx, VerifyOptions{All: all}); err != nil || again.Events != 0 {
		r.Fatalf("again on the same day: %+v, %v", again.Verification, err)
	}
	if again, err := s.Verify(ctx, VerifyOptions{All: true}); err != nil || again.Events != 0 && all {
		r.Fatalf("all of it on the same day: %+v, %v", again.Verification, err)
	}
}

// results is how good each status is, as contracts.md §4 maps it.
var results = map[directory.Status]directory.CheckResult{directory.StatusVerified: directory.Confirmed, directory.StatusExpiring: directory.Confirmed,
	directory.StatusDocumented: directory.ShownByDocument, directory.StatusSelfReported: directory.StatedByProvider, directory.StatusListed: directory.StatedInListing,
	directory.StatusAdverse: directory.ProblemOnRecord, directory.StatusUnderReview: directory.BeingChecked, directory.StatusExpired: directory.NotMet,
	directory.StatusInactive: directory.NotMet, directory.StatusStale: directory.OutOfDate, directory.StatusNotFound: directory.NoRecordFound,
	directory.StatusCouldNotCheck: directory.CouldNotCheck, directory.StatusNone: directory.NotChecked, directory.StatusWithdrawn: directory.NotChecked}

// BenchmarkVerify measures providers a second: the first run, in which nobody was ever looked up, and one
// in which nothing is due.
func BenchmarkVerify(b *testing.B) {
	benchStores(b, func(b *testing.B, s *Store) {
		const n = 2000
		put(b, s, edition("kap-commons", "1", "2026-11-20"), people(n))
		put(b, s, edition("co-dora", "1", "2026-11-20"), []directory.Record{stranger(1, "Active")})
		for i := 0; b.Loop(); i++ {
			start := time.Now()
			first := must(s.Verify(ctx, VerifyOptions{}))
			took := time.Since(start)
			start = time.Now()
			if again := must(s.Verify(ctx, VerifyOptions{})); again.Events != 0 {
				b.Fatalf("%+v", again.VerifyCounts)
			}
			if i == 0 {
				b.ReportMetric(n/took.Seconds(), "providers/s")
				b.ReportMetric(float64(first.Events)/took.Seconds(), "events/s")
			}
			b.ReportMetric(n/time.Since(start).Seconds(), "idle-providers/s")
		}
	})
}

// BenchmarkAhead measures providers a second of what kapdir due does: every file is read, and 30 days are
// walked for each claim and check.
func BenchmarkAhead(b *testing.B) {
	benchStores(b, func(b *testing.B, s *Store) {
		const n = 5000
		put(b, s, edition("kap-commons", "1", "2026-11-20"), people(n))
		rows := make([]directory.Record, n)
		for i := range rows {
			rows[i] = roster("LPC", fmt.Sprint(i+1), given(i)+" "+family(i), "Active", directory.SeenActive, directory.Date(fmt.Sprintf("2026-12-%02d", i%28+1)))
		}
		put(b, s, edition("co-dora", "1", "2026-11-20"), rows)
		put(b, s, edition("leie", "1", "2026-11-20"), []directory.Record{exclusion("1", "Some One", "")})
		now, known := s.now(), knownAt(b, s)
		ps := s.Policies()
		b.ResetTimer()
		for b.Loop() {
			start := time.Now()
			looks, turns := 0, 0
			err := s.EachFile(ctx, func(f *directory.CredentialFile) error {
				looks += len(f.Looks(now, known, ps))
				for _, h := range f.Claims {
					turns += len(directory.ClaimTurns(h, directory.Derive(h, now, known, ps), now, now.AddDays(30), known, ps))
				}
				turns += len(directory.CheckTurns(f, now, now.AddDays(30), known, ps))
				return nil
			})
			if err != nil || looks == 0 {
				b.Fatal(looks, err)
			}
			b.ReportMetric(n/time.Since(start).Seconds(), "providers/s")
		}
	})
}

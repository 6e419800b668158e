package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

// TestStore holds both databases to one suite.
func TestStore(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		queries := hear(t)
		testStore(t, func(t testing.TB) Config { return Config{Dir: t.TempDir()} })
		t.Run("plans", func(t *testing.T) { testPlans(t, open(t, Config{Dir: t.TempDir()}), queries()) })
	})
	t.Run("postgres", func(t *testing.T) {
		storetest.Postgres(t) // skips the whole when there is no server
		testStore(t, func(t testing.TB) Config { return Config{DSN: storetest.Postgres(t)} })
	})
}

func testStore(t *testing.T, fresh func(testing.TB) Config) {
	for _, x := range []struct {
		name string
		test func(*testing.T, Config)
	}{
		{"empty", testEmpty},
		{"newer database refused", testNewerRefused},
		{"append only", testAppendOnly},
		{"listings", testListings},
		{"removal of a practice", testRemovalOfPractice},
		{"facts of several sources", testFacts},
		{"merged and unmerged", testMerge},
		{"pages read again", testReread},
		{"listings that their site took away", testDeparted},
		{"dry run of listings", testPreviewOfListings},
		{"removal", testRemoval},
		{"already imported", testAlready},
		{"same rows, newer release", testNewerRelease},
		{"failed run", testFailedRun},
		{"one import of a source", testOneImport},
		{"roster", testRoster},
		{"exclusion list", testExclusions},
		{"changes to a list", testPartial},
		{"delegation", testDelegation},
		{"a format nobody has seen", testUnconfirmed},
		{"a list of actions alone", testActionsAlone},
		{"reinstatements", testReinstatements},
		{"what is in force", testHeld},
		{"name-only candidate is invisible", testNameOnly},
		{"a middle name that nobody writes out", testMiddleName},
		{"candidate cleared", testCleared},
		{"late arrivals", testLate},
		{"arrivals meanwhile", testMeanwhile},
		{"changes meanwhile", testChangesMeanwhile},
		{"another policy", testAnotherPolicy},
		{"migrated", testMigrated},
		{"former names", testFormerNames},
		{"life of a number", testLifeOfNumber},
		{"withdrawn and merged", testGone},
		{"replaced rows", testReplaced},
		{"duplicates", testDuplicates},
		{"oversight numbers", testOversightNumbers},
		{"time passes", testTouchDue},
		{"what time ends", testEnded},
		{"a day on which many end", testEndTogether},
		{"cases in another order", testReordered},
		{"pages of changes", testChangePage},
		{"copies of what was taken back", testUnfitCopy},
		{"attest", testAttest},
		{"decide", testDecide},
		{"staff", testStaff},
		{"who may do what", testPermits},
		{"stale decisions", testStale},
		{"every case can be closed", testClosable},
		{"a long job lets people in", testTurn},
		{"what is foreseen comes", testForesee},
		{"days that have passed", testPast},
		{"cases filed anew", testStages},
		{"candidates without an observation", testCandidates},
		{"disputes", testDisputes},
		{"corrections and voids", testCorrections},
		{"withdrawals", testWithdrawals},
		{"dossiers", testDossier},
		{"documents sent twice", testReused},
		{"practice agreements", testAgreement},
		{"two decide at once", testTwoAtOnce},
		{"the list of cases", testQueue},
		{"whose a case is", testHolds},
		{"the next case", testNext},
		{"evidence that staff file", testPapers},
		{"NPPES alone lists nobody", testNPPESAlone},
		{"rules", testRules},
		{"quarantine", testQuarantine},
		{"preview", testPreview},
		{"preview agrees with the import", testPreviewAgrees},
		{"what an import would change", testDiff},
		{"reading again", testAgain},
		{"partners", testPartners},
		{"leases and requests", testLeases},
		{"head under concurrent writers", testHead},
		{"a common name", testCommonName},
		{"alike", testAlike},
		{"arrivals in a long import", testArrivals},
		{"asked-for blocks", testBlocks},
		{"tampering", testTampering},
		{"tampering anywhere", testTamperingAnywhere},
		{"removed", testRemoved},
		{"what is announced", testAnnounce},
		{"announced and taken back", testTakenBack},
		{"a name alone is not announced", testNameOnlyNotices},
		{"webhooks", testHooks},
		{"a receiver that takes nothing", testFailingHook},
		{"whose webhook it is", testHookMatrix},
	} {
		t.Run(x.name, func(t *testing.T) { x.test(t, fresh(t)) })
	}
	t.Run("order of sources", func(t *testing.T) { testFactOrder(t, fresh) })
	t.Run("time and evidence at random", func(t *testing.T) { testEndedWalk(t, fresh) })
	t.Run("merges at random", func(t *testing.T) { testMergeSequences(t, fresh) })
	t.Run("crashes", func(t *testing.T) { testCrashes(t, fresh) })
	t.Run("any order", func(t *testing.T) { testAnyOrder(t, fresh) })
	t.Run("two staff", func(t *testing.T) { testTwoStaff(t, fresh) })
}

var ctx = context.Background()

func testEmpty(t *testing.T, c Config) {
	s := open(t, c)
	h, err := s.Head(ctx)
	if err != nil || h.Seq != 1 || h.Public != 0 { // the rules were recorded, of which nobody outside hears
		t.Errorf("Head() = %+v, %v", h, err)
	}
	if _, err := s.File(ctx, directory.NewID(directory.ProviderPrefix, s.now())); !errors.Is(err, directory.NotFound) {
		t.Errorf("File of an unknown id: %v, want not found", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.File(cancelled, "prv_x"); !errors.Is(err, directory.Unavailable) {
		t.Errorf("File that could not look: %v, want unavailable", err)
	}
	if c.Dir != "" { // what stands in a path is never a setting
		odd := open(t, Config{Dir: filepath.Join(c.Dir, "a b?c#d%41:e")})
		whole(t, odd)
		if _, err := os.Stat(filepath.Join(odd.config.Dir, "kapdir.db")); err != nil {
			t.Error(err)
		}
		odd.Close()
	}
	sources, err := s.Sources(ctx)
	if err != nil || len(sources) != len(directory.Tables().Sources()) {
		t.Errorf("Sources() = %d, %v", len(sources), err)
	}
	whole(t, s)
	s.Close()
	if _, err := s.Head(ctx); !errors.Is(err, directory.Unavailable) {
		t.Errorf("Head of a closed store: %v, want unavailable", err)
	}
	again := open(t, c)
	whole(t, again)
	if c.Dir == "" {
		return
	}
	for _, name := range []string{"", "kapdir.db", "kapdir.db-wal", "kapdir.db-shm"} {
		info, err := os.Stat(filepath.Join(c.Dir, name))
		if err == nil && info.Mode().Perm()&0o077 != 0 && name != "" {
			t.Errorf("%s is open to others: %v", name, info.Mode())
		}
	}
}

func testNewerRefused(t *testing.T, c Config) {
	s := open(t, c)
	if _, err := s.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, $1)`, true); err != nil {
		t.Fatal(err)
	}
	s.Close()
	c.Now = newClock().now
	_, err := Open(ctx, c)
	if !errors.Is(err, directory.Refused) || !strings.Contains(err.Error(), "newer kapdir") {
		t.Errorf("Open of a newer database: %v", err)
	}
}

func testAppendOnly(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana())
	for _, q := range []string{
		`UPDATE event SET hash = 'x'`, `DELETE FROM event`, `UPDATE event_payload SET payload = 'x'`,
		`UPDATE evidence SET body = 'x'`, `DELETE FROM evidence`,
	} {
		if _, err := s.writer.Exec(q); err == nil {
			t.Errorf("%s was not refused", q)
		} else if k := s.dialect.kind(err); k != directory.Conflict {
			t.Errorf("%s: kind %q", q, k)
		}
	}
	whole(t, s)
}

func testListings(t *testing.T, c Config) {
	s := open(t, c)
	run := load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben(), clinic())
	if run.Outcome != "done" || run.Number != 1 || run.Counts != (directory.Counts{Read: 3, Added: 3}) || run.Matched != 3 {
		t.Errorf("run %+v", run)
	}
	f := find(t, s, "Ana Ruiz")
	p := f.Provider
	if p.NPI != anaNPI || p.ListedAs != directory.AsKAP || p.Sites[0].Point == nil || p.Claimed {
		t.Errorf("provider %+v", p)
	}
	if len(p.Affiliations) != 1 || p.Affiliations[0].Name != "Boulder Ketamine Clinic, LLC" || p.Affiliations[0].Provider != find(t, s, "Boulder Ketamine Clinic, LLC").Provider.ID {
		t.Errorf("affiliations %+v", p.Affiliations)
	}
	m := find(t, s, "Maria Lopez")
	if m.Provider.ListedAs != directory.AsPrescriber || m.Provider.NPI != mariaNPI || f.Linked[m.Provider.ID] == nil {
		t.Errorf("prescriber %+v, linked %v", m.Provider, f.Linked)
	}
	kinds := map[directory.ClaimKind]int{}
	for _, h := range f.Claims {
		kinds[h.Claim.Kind]++
	}
	want := map[directory.ClaimKind]int{directory.IdentityNPI: 1, directory.License: 1, directory.TrainingCert: 1, directory.OversightLink: 1,
		directory.ProtocolClaim: 1, directory.ContactClaim: 1, directory.ExclusionScreen: 3}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Errorf("claims (-want +got):\n%s", d)
	}
	if st := standing(t, s, f, directory.License, ""); st.Status != directory.StatusListed {
		t.Errorf("the licence is %q", st.Status)
	}
	// Her own page joins what the therapist said of her.
	load(t, s, edition("open-clinics", "1", "2026-11-21"), maria())
	m2 := find(t, s, "Maria Lopez")
	if m2.Provider.ID != m.Provider.ID || m2.Provider.ListedAs != directory.AsKAP || len(m2.Provider.Sites) != 1 {
		t.Errorf("Maria after her own page: %+v", m2.Provider)
	}
	files, err := s.Files(ctx, []directory.ID{m.Provider.ID, "prv_none", p.ID})
	if err != nil || len(files) != 2 || files[0].Provider.ID != m.Provider.ID || files[1].Provider.ID != p.ID {
		t.Errorf("Files: %v, %v", files, err)
	}
	changes, err := s.Changes(ctx, 0, 100)
	if err != nil || len(changes) != 4 || !slices.IsSortedFunc(changes, func(a, b directory.Change) int { return int(a.Seq - b.Seq) }) {
		t.Errorf("Changes: %+v, %v", changes, err)
	}
	rest, err := s.Changes(ctx, changes[1].Seq, 1)
	if err != nil || len(rest) != 1 || rest[0].Provider != changes[2].Provider {
		t.Errorf("Changes after: %+v, %v", rest, err)
	}
	// A page changes: what it says anew is asserted, what it still says is not.
	before := rowCounts(t, s)["event"]
	changed := ana()
	l := *changed.Listing
	l.Website = "https://ana.example/"
	l.Training = append(slices.Clone(l.Training), directory.ListedTraining{Programme: "Fluence", Level: "attended"})
	l.Origin.AsOf = "2026-11-22"
	changed.Listing, changed.Fields = &l, map[string]string{"page": "2"}
	load(t, s, edition("kap-commons", "2", "2026-11-22"), changed, ben(), clinic())
	if n := rowCounts(t, s)["event"] - before; n != 1 {
		t.Errorf("a page with one new statement appended %d events", n)
	}
	// A page that shows somebody else no longer speaks of her.
	other := listing("ana", "Zed Quill", nil)
	load(t, s, edition("kap-commons", "3", "2026-11-23"), other)
	if z := find(t, s, "Zed Quill"); z.Provider.ID == p.ID {
		t.Error("a page that shows somebody else was joined to the provider it showed before")
	}
	if lookup(t, s, "Ana Ruiz") != nil {
		t.Error("nobody lists her any more, and she has a public page")
	}
	whole(t, s)
}

func testAlready(t *testing.T, c Config) {
	s := open(t, c)
	rel := edition("co-dora", "1", "2026-11-01")
	first := load(t, s, rel, roster("CSW", "1", "Ann Lee", "Active", directory.SeenActive, "2027-08-31"))
	h, _ := s.Head(ctx)
	again := load(t, s, rel)
	if !again.Already || again.Number != first.Number {
		t.Errorf("the same bytes again: %+v", again)
	}
	if h2, _ := s.Head(ctx); h2 != h {
		t.Errorf("head moved from %+v to %+v", h, h2)
	}
	all := rel
	all.All = true
	if run := load(t, s, all); run.Already {
		t.Error("another option is another import")
	}
	load(t, s, edition("co-dora", "2", "2026-11-08"))
	if run := load(t, s, rel); !run.Already {
		t.Error("an old file undid a newer one")
	}
	back := rel
	back.Name, back.AsOf = "3", "2026-11-15"
	if run := load(t, s, back); run.Already {
		t.Error("a newer edition with an older content is a new import")
	}
	runs, err := s.Runs(ctx, 2)
	if err != nil || len(runs) != 2 || runs[0].Number != 4 {
		t.Errorf("Runs: %+v, %v", runs, err)
	}
	if _, err := s.Begin(ctx, directory.Release{Source: "nowhere", Name: "1", SHA256: "x"}); !errors.Is(err, directory.Invalid) {
		t.Errorf("an unknown source: %v", err)
	}
}

func testNewerRelease(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben())
	row := roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31")
	other := roster("CSW", "777", "Nobody Here", "Active", directory.SeenActive, "2027-08-31")
	run := load(t, s, edition("co-dora", "1", "2026-11-01"), row, other)
	if run.Matched != 1 || run.Events != 2 || run.Counts.Added != 2 {
		t.Errorf("run %+v", run)
	}
	run = load(t, s, edition("co-dora", "2", "2026-11-08"), row, other)
	if run.Counts != (directory.Counts{Read: 2, Unchanged: 2}) || run.Events != 2 || run.Matched != 1 {
		t.Errorf("the same rows of a newer release: %+v", run)
	}
	before := rowCounts(t, s)
	h, _ := s.Head(ctx)
	run = load(t, s, edition("co-dora", "2", "2026-11-08", "other bytes"), row, other)
	if run.Counts != (directory.Counts{Read: 2, Unchanged: 2}) || run.Events != 0 {
		t.Errorf("the same rows of the same release: %+v", run)
	}
	if h2, _ := s.Head(ctx); h2.Seq != h.Seq {
		t.Error("the same release again took numbers")
	}
	if d := cmp.Diff(before, rowCounts(t, s)); d != "" {
		t.Errorf("the same release again wrote rows:\n%s", d)
	}
	whole(t, s)
}

func testFailedRun(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben())
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("1", "Some One", ""), exclusion("2", "Other One", ""))
	screen := publicChecks(t, s, find(t, s, "Ana Ruiz"))
	h, _ := s.Head(ctx)
	run, err := s.Begin(ctx, edition("leie", "2026-11", "2026-11-20"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{{Source: "leie", Key: "1", Line: 1, Fields: exclusion("1", "Some One", "").Fields,
		Exclusion: exclusion("1", "Some One", "").Exclusion}}, Rejects: []directory.Reject{{File: "x", Line: 2, Reason: "short row", Text: "a,b"}}}); err != nil {
		t.Fatal(err)
	}
	ended, err := s.End(ctx, run.ID, errors.New("half the usual size"))
	if err != nil || ended.Outcome != "failed" || ended.Error != "half the usual size" || ended.Counts.Rejected != 1 {
		t.Errorf("End of a failed run: %+v, %v", ended, err)
	}
	if h2, _ := s.Head(ctx); h2.Public != h.Public {
		t.Error("a failed run moved the public number")
	}
	if got := publicChecks(t, s, find(t, s, "Ana Ruiz")); got != screen {
		t.Errorf("a failed run changed an answer:\n%s", cmp.Diff(screen, got))
	}
	for _, src := range must(s.Sources(ctx)) {
		if src.Source.ID == "leie" && (src.Run.Release.Name != "2026-10" || src.Held != 2) {
			t.Errorf("in force: %+v", src)
		}
	}
	if r := must(s.Rejects(ctx, run.ID, 10)); len(r) != 1 || r[0].Text != "a,b" {
		t.Errorf("rejects %+v", r)
	}
	if _, err := s.Put(ctx, run.ID, directory.Batch{}); !errors.Is(err, directory.Conflict) {
		t.Errorf("Put after End: %v", err)
	}
	// Nobody who comes now is screened against half a list.
	load(t, s, edition("open-clinics", "1", "2026-11-21"), from("open-clinics", dan()))
	if st := standing(t, s, find(t, s, "Dan Poole"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusNone {
		t.Errorf("screened against a failed run: %q", st.Status)
	}
	whole(t, s)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func testOneImport(t *testing.T, c Config) {
	s := open(t, c)
	run, err := s.Begin(ctx, edition("leie", "1", "2026-10-31"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(ctx, edition("leie", "2", "2026-11-30")); !errors.Is(err, directory.Conflict) {
		t.Errorf("a second import in the same process: %v", err)
	}
	other := open(t, c)
	if _, err := other.Begin(ctx, edition("leie", "2", "2026-11-30")); !errors.Is(err, directory.Conflict) {
		t.Errorf("a second import in another process: %v", err)
	}
	if r, err := other.Begin(ctx, edition("co-dora", "2", "2026-11-30")); err != nil {
		t.Errorf("an import of another source: %v", err)
	} else if _, err := other.End(ctx, r.ID, errors.New("given up")); err != nil {
		t.Error(err)
	}
	s.Close() // as if the process had died
	if _, err := other.Begin(ctx, edition("leie", "1", "2026-10-31")); err != nil {
		t.Errorf("after the first has died: %v", err)
	}
	for _, r := range must(other.Runs(ctx, 10)) {
		if r.ID == run.ID && r.Outcome != "interrupted" {
			t.Errorf("the dead run is %q", r.Outcome)
		}
	}
}

func testRoster(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben())
	load(t, s, edition("co-dora", "1", "2026-11-01"),
		roster("CSW", "12345", "Ruiz, Ana", "Active", directory.SeenActive, "2027-08-31"),
		roster("LPC", "5551", "Somebody Else", "Active", directory.SeenActive, "2027-08-31"), // Ben's number under another name
		roster("DR", "45678", "Maria Lopez", "Suspended", directory.SeenSuspended, "2027-04-30"),
		roster("PSY", "9", "Ben Carter", "Revoked", directory.SeenRevoked, "")) // a namesake
	f := find(t, s, "Ana Ruiz")
	st := standing(t, s, f, directory.License, "")
	if st.Status != directory.StatusListed || len(st.Pending) != 1 {
		t.Errorf("unreviewed good news: %q, pending %v", st.Status, st.Pending)
	}
	if st := standing(t, s, f, directory.DisciplineScreen, "co-dora"); st.Status != directory.StatusVerified {
		t.Errorf("the discipline screen of a completed run: %q", st.Status)
	}
	b := find(t, s, "Ben Carter")
	for _, h := range b.Claims {
		if h.Claim.Kind == directory.License && h.Claim.Title == "PSY" {
			t.Error("a namesake's licence was joined")
		}
	}
	if st := standing(t, s, find(t, s, "Maria Lopez"), directory.License, ""); st.Status != directory.StatusUnderReview {
		t.Errorf("unreviewed bad news: %q", st.Status)
	}
	if r := directory.Checks(f, "CO", s.now(), knownAt(t, s), s.config.Policies)[2].Result; r != directory.BeingChecked {
		t.Errorf("the oversight of a suspended prescriber: %s", r)
	}
	kinds := map[string]int{}
	for _, x := range must(s.Cases(ctx, true, 100)) {
		kinds[string(x.Kind)+" "+x.Source+" "+x.Key]++
		if x.Opened == "" || x.Provider == "" || x.Match.Rung == "" {
			t.Errorf("case %+v", x)
		}
	}
	want := map[string]int{"first_verification co-dora CSW-12345": 1, "adverse co-dora DR-45678": 2, "adverse co-dora PSY-9": 1, "conflict co-dora LPC-5551": 1}
	if d := cmp.Diff(want, kinds); d != "" {
		t.Errorf("cases (-want +got):\n%s", d)
	}
	whole(t, s)
}

func testExclusions(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), dan())
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("a", "Daniel Poole", danNPI), exclusion("b", "Far Away", ""))
	if st := standing(t, s, find(t, s, "Ana Ruiz"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusVerified || st.AsOf != "2026-10-31" {
		t.Errorf("Ana: %q as of %s", st.Status, st.AsOf)
	}
	if st := standing(t, s, find(t, s, "Dan Poole"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusUnderReview {
		t.Errorf("Dan: %q", st.Status)
	}
	for _, f := range []string{"Ana Ruiz", "Dan Poole"} {
		for _, h := range find(t, s, f).Claims {
			if h.Claim.Kind == directory.ExclusionScreen && h.Claim.Issuer == "leie" && len(h.Events) != 1 {
				t.Errorf("%s has %d observations of one release", f, len(h.Events))
			}
		}
	}
	// A corrected file of the same release adds only what is new: Dan's row has gone.
	run := load(t, s, edition("leie", "2026-10", "2026-10-31", "corrected"), exclusion("b", "Far Away", ""))
	if run.Events != 1 || run.Counts.Removed != 1 {
		t.Errorf("a corrected file: %+v", run)
	}
	if st := standing(t, s, find(t, s, "Dan Poole"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusUnderReview {
		t.Errorf("a row that has gone clears nobody by itself: %q", st.Status)
	}
	// An identifier with another name goes to a person.
	load(t, s, edition("leie", "2026-11", "2026-11-20"), exclusion("a", "Quite Different", anaNPI))
	if st := standing(t, s, find(t, s, "Ana Ruiz"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusUnderReview {
		t.Errorf("her NPI under another name: %q", st.Status)
	}
	whole(t, s)
}

// testMiddleName: a row of a list under another given name, of the provider's family and area, is a candidate
// for a person, whichever of the two comes first, and no public face shows it.
func testMiddleName(t *testing.T, c Config) {
	row := exclusion("m", "Mona Smith", "")
	row.Exclusion.ZIP = "80299"
	for _, first := range []string{"listing", "list"} {
		c.Dir = t.TempDir()
		s := open(t, c)
		if first == "list" {
			load(t, s, edition("leie", "2026-10", "2026-10-31", first), row)
		}
		load(t, s, edition("kap-commons", "1", "2026-11-20", first), cara(), ana())
		if first == "listing" {
			load(t, s, edition("leie", "2026-10", "2026-10-31", first), row)
		}
		if st := standing(t, s, find(t, s, "Cara Smith"), directory.ExclusionScreen, "leie"); !st.Candidate || st.Status != "" {
			t.Errorf("the %s first: candidate %v, status %q", first, st.Candidate, st.Status)
		}
		if st := standing(t, s, find(t, s, "Ana Ruiz"), directory.ExclusionScreen, "leie"); st.Candidate {
			t.Errorf("the %s first: somebody else is a candidate", first)
		}
		whole(t, s)
		if c.DSN != "" {
			break // one database for the test
		}
	}
}

func testNameOnly(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara(), ana())
	run, err := s.Begin(ctx, edition("leie", "2026-10", "2026-10-31"))
	if err != nil {
		t.Fatal(err)
	}
	unfinished := publicChecks(t, s, find(t, s, "Cara Smith")) // what a screen that has not finished shows
	claims := len(find(t, s, "Cara Smith").Claims)
	seq := find(t, s, "Cara Smith").Provider.Seq
	row := exclusion("c", "Cara Smith", "")
	row.Source, row.Line = "leie", 1
	if _, err := s.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{row}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(ctx, run.ID, nil); err != nil {
		t.Fatal(err)
	}
	f := find(t, s, "Cara Smith")
	if got := publicChecks(t, s, f); got != unfinished {
		t.Errorf("a name alone shows (-unfinished +got):\n%s", cmp.Diff(unfinished, got))
	}
	if len(f.Claims) != claims || f.Provider.Seq != seq {
		t.Errorf("claims %d, number %d; before %d, %d", len(f.Claims), f.Provider.Seq, claims, seq)
	}
	st := standing(t, s, f, directory.ExclusionScreen, "leie")
	if !st.Candidate {
		t.Error("staff do not see the candidate")
	}
	cases := must(s.Cases(ctx, true, 10))
	if len(cases) != 1 || cases[0].Kind != directory.CaseExclusion || cases[0].Provider != f.Provider.ID || cases[0].Event == 0 {
		t.Errorf("cases %+v", cases)
	}
	// With nobody else to clear, the public number does not move at all.
	h, _ := s.Head(ctx)
	if ch := must(s.Changes(ctx, seq, 10)); len(ch) > 0 && slices.ContainsFunc(ch, func(c directory.Change) bool { return c.Provider == f.Provider.ID }) {
		t.Error("followers hear of a name alone")
	}
	load(t, s, edition("leie", "2026-10", "2026-10-31", "again"), exclusion("c", "Cara Smith", ""))
	h2, _ := s.Head(ctx)
	if h2 != h {
		t.Errorf("the same again: head %+v, was %+v", h2, h)
	}
	whole(t, s)
}

func testCleared(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara())
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("c", "Cara Smith", ""))
	id := find(t, s, "Cara Smith").Provider.ID
	d := directory.Decision{At: s.now(), Staff: "kim", Auth: "password", Provider: directory.ProviderRef{ID: id}, Kind: directory.ExclusionScreen, Issuer: "leie"}
	d.Decision = "confirm"
	if _, err := s.Decide(ctx, d); !errors.Is(err, directory.Refused) {
		t.Errorf("confirming a name alone: %v", err)
	}
	h, _ := s.Head(ctx)
	d.Decision, d.Field = "clear", "birth"
	if _, err := s.Decide(ctx, d); err != nil {
		t.Fatal(err)
	}
	if st := standing(t, s, find(t, s, "Cara Smith"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusVerified {
		t.Errorf("with the only candidate cleared: %q %v", st.Status, st.Reasons)
	}
	if h2, _ := s.Head(ctx); h2.Public == h.Public {
		t.Error("followers do not hear of a screen that has become clear")
	}
	if open := must(s.Cases(ctx, true, 10)); len(open) != 0 {
		t.Errorf("open cases %+v", open)
	}
	// The same row next month is not raised again; another one is.
	clk.set(noon.AddDate(0, 0, 10))
	load(t, s, edition("leie", "2026-11", "2026-11-30"), exclusion("c", "Cara Smith", ""))
	st := standing(t, s, find(t, s, "Cara Smith"), directory.ExclusionScreen, "leie")
	if st.Status != directory.StatusVerified || st.AsOf != "2026-11-30" || len(must(s.Cases(ctx, true, 10))) != 0 {
		t.Errorf("the same row next month: %q as of %s", st.Status, st.AsOf)
	}
	row := exclusion("d", "Cara Smith", "")
	row.Exclusion.Excluded = "2026-12-01"
	load(t, s, edition("leie", "2026-12", "2026-12-31"), exclusion("c", "Cara Smith", ""), row)
	if !standing(t, s, find(t, s, "Cara Smith"), directory.ExclusionScreen, "leie").Candidate || len(must(s.Cases(ctx, true, 10))) != 1 {
		t.Error("another row of the same name was not raised")
	}
	whole(t, s)
}

func testLate(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("nppes", "2026-11", "2026-11-08"), identity(anaNPI, "Ana Ruiz"), identity(danNPI, "Dan Poole"))
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31"))
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("a", "Dan Poole", danNPI))
	if h, _ := s.Head(ctx); h.Seq != 1 {
		t.Errorf("sources without a listed provider took %d numbers", h.Seq)
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), dan())
	f := find(t, s, "Ana Ruiz")
	if st := standing(t, s, f, directory.ExclusionScreen, "leie"); st.Status != directory.StatusVerified {
		t.Errorf("screen %q", st.Status)
	}
	if st := standing(t, s, f, directory.IdentityNPI, ""); st.Status != directory.StatusVerified {
		t.Errorf("identity %q", st.Status)
	}
	if st := standing(t, s, f, directory.License, ""); len(st.Pending) != 1 {
		t.Errorf("licence %+v", st)
	}
	if st := standing(t, s, find(t, s, "Dan Poole"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusUnderReview {
		t.Errorf("Dan %q", st.Status)
	}
	// A newer release appends one observation each, as for anybody.
	run := load(t, s, edition("co-dora", "2", "2026-11-08"), roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31"))
	if run.Events != 2 || run.Matched != 1 {
		t.Errorf("run %+v", run)
	}
	whole(t, s)
}

// testMeanwhile lets a provider arrive while an exclusion list is being compared with the others.
func testMeanwhile(t *testing.T, c Config) {
	s, other := open(t, c), open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana())
	commits := 0
	s.afterCommit = func() {
		if commits++; commits == 2 { // the first is Put's, the second the screening of those who are there
			load(t, other, edition("open-clinics", "1", "2026-11-21"), from("open-clinics", dan()))
		}
	}
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("a", "Dan Poole", danNPI))
	if commits < 3 {
		t.Fatalf("%d transactions", commits)
	}
	if st := standing(t, s, find(t, s, "Dan Poole"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusUnderReview {
		t.Errorf("who came meanwhile was not compared: %q", st.Status)
	}
	whole(t, s)
}

// testChangesMeanwhile lets a provider be known by another name, another be withdrawn and a candidate be
// cleared, after each transaction of a screening in turn: what was read ahead of the writer must not count.
func testChangesMeanwhile(t *testing.T, c Config) {
	small := func(c Config) *Store {
		s := open(t, c)
		s.first, s.most = 2, 2
		return s
	}
	clk := newClock()
	c.Now = clk.now
	s, other := small(c), small(c)
	hire(t, s)
	records := []directory.Record{ana(), cara()}
	for i := range 8 {
		records = append(records, listing(fmt.Sprint("p", i), "Pat "+letters(i, "Mar", "Ric"), nil))
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), records...)
	clk.set(noon.Add(time.Second)) // Dan comes last
	load(t, s, edition("open-clinics", "1", "2026-11-20"), from("open-clinics", dan()))
	load(t, s, edition("leie", "2026-09", "2026-09-30"), exclusion("c", "Cara Smith", "")) // a candidate
	commits, at := 0, 0
	meanwhile := func() {}
	s.afterCommit = func() {
		if commits++; commits == at {
			meanwhile()
		}
	}
	d := directory.Decision{At: s.now(), Staff: "kim", Auth: "password", Provider: directory.ProviderRef{ID: find(t, s, "Cara Smith").Provider.ID},
		Kind: directory.ExclusionScreen, Issuer: "leie", Decision: "clear", Field: "birth"}
	known := int64(0) // the number of the news of Dan
	for at = 1; at <= 9; at++ {
		commits = 0
		meanwhile = func() {
			// The registry tells of another name of Dan's, a new one each time; the list below has it.
			load(t, other, edition("nppes", fmt.Sprint(at), "2026-11-08"), identity(danNPI, "Dan Poole", "Dan "+letters(at, "Sol", "Ton")))
			known = find(t, other, "Dan Poole").Provider.Seq
			if at == 3 {
				if _, err := other.Decide(ctx, d); err != nil {
					t.Error(err)
				}
			}
		}
		run := load(t, s, edition("leie", fmt.Sprint("2026-10-", at), "2026-10-31"), exclusion("c", "Cara Smith", ""),
			exclusion("d", "Dan "+letters(at, "Sol", "Ton"), ""), exclusion("x", "Far Away", ""))
		if commits < 5 {
			t.Fatalf("%d transactions", commits)
		}
		if st := standing(t, s, find(t, s, "Dan Poole"), directory.ExclusionScreen, "leie"); !st.Candidate {
			t.Errorf("after transaction %d, of %d events: the name that came meanwhile was not compared", at, run.Events)
		}
		for _, h := range find(t, s, "Dan Poole").Claims {
			for _, e := range h.Events {
				if h.Claim.Issuer == "leie" && e.Seq > known && e.Body.State == directory.SeenClear {
					t.Errorf("after transaction %d: number %d says that nothing is known of the name that came as %d", at, e.Seq, known)
				}
			}
		}
		if st := standing(t, s, find(t, s, "Cara Smith"), directory.ExclusionScreen, "leie"); (st.Status == directory.StatusVerified) != (at >= 3) {
			t.Errorf("after transaction %d Cara is %q", at, st.Status)
		}
		whole(t, s)
	}
}

// testAnotherPolicy opens a store with a policy that asks for fresher answers: everybody is due, once.
func testAnotherPolicy(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), cara())
	load(t, s, edition("leie", "2026-11", "2026-11-20"), exclusion("x", "Far Away", ""))
	before := find(t, s, "Cara Smith").Provider.Seq
	s.Close()
	c.Rules = rulesWith(t, "policies/v1.yaml", "exclusion_screen:        {recheck: 30,  stale: 45,", "exclusion_screen:        {recheck: 30,  stale: 5, ")
	for i := range 2 {
		s := open(t, c)
		want := 3 * (1 - i)
		if due := must(s.Counts(ctx)).Due; due != want {
			t.Errorf("opened %d times: %d are due, want %d", i+1, due, want)
		}
		for n := 1; n > 0; {
			n = must(s.TouchDue(ctx, s.now(), 2))
		}
		whole(t, s)
		if f := find(t, s, "Cara Smith"); f.Provider.Seq == before {
			t.Error("followers do not hear of another policy")
		}
		var until directory.Instant
		if err := s.reader.QueryRow(`SELECT valid_until FROM provider WHERE id = $1`, find(t, s, "Cara Smith").Provider.ID).Scan(&until); err != nil || until.Date() != "2026-11-25" {
			t.Errorf("the answer lasts until %q, %v", until, err)
		}
		s.Close()
	}
}

// testMigrated takes a store back to what the first two migrations made, and opens it.
func testMigrated(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), cara())
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("x", "Far Away", ""))
	answers := func() string {
		return publicChecks(t, s, find(t, s, "Ana Ruiz")) + publicChecks(t, s, find(t, s, "Cara Smith"))
	}
	want := answers()
	if c.DSN == "" { // SQLite looks at what triggers name
		for _, q := range []string{`DROP TRIGGER evidence_no_delete`, `CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'never'); END`} {
			if _, err := s.writer.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
	}
	undo := []string{`DROP TRIGGER case_counted_in`, `DROP TRIGGER case_counted_out`, `DROP TRIGGER case_counted_anew`, `DROP TRIGGER provider_hides_cases`}
	if c.DSN != "" {
		undo = []string{`DROP FUNCTION count_case CASCADE`, `DROP FUNCTION hide_cases CASCADE`}
	}
	undo = append(undo, `DROP INDEX cases_queue`, `DROP INDEX cases_state`, `DROP INDEX provider_hidden`, `DROP INDEX cases_undated`, `DROP INDEX cases_row`, `DROP TABLE case_count`, `DROP TABLE case_hold`, `DROP TABLE case_handing`, `DROP TABLE saved_view`, `DROP TABLE paper`, `DROP TABLE case_evidence`,
		`DROP TABLE notice`, `DROP TABLE announced`, `DROP TABLE follower`, `DROP TABLE hook`, `DROP TABLE delivery`, `DROP TABLE embed`, `DROP TABLE api_usage`, `DROP TABLE api_key`, `DROP TABLE integrator`,
		`DROP TABLE IF EXISTS staff_session`, `DROP TABLE IF EXISTS staff_login`, `DROP TABLE IF EXISTS staff_passkey`, `DROP TABLE IF EXISTS staff_code`, `DROP TABLE IF EXISTS staff_audit`)
	for _, column := range []string{"hidden", "harm", "due", "work", "needs", "state"} {
		undo = append(undo, `ALTER TABLE cases DROP COLUMN `+column)
	}
	for _, q := range append(undo, `ALTER TABLE claim RENAME TO claim_was`,
		`CREATE TABLE claim AS SELECT id, provider, kind, issuer, jurisdiction, title, number_raw, number_shown, number_key, other, created FROM claim_was`, `DROP TABLE claim_was`,
		`ALTER TABLE provider ADD COLUMN doc TEXT NOT NULL DEFAULT ''`, `UPDATE provider SET doc = (SELECT doc FROM provider_facts f WHERE f.id = provider.id)`, `DROP TABLE provider_facts`,
		`DROP TABLE merge_record`, `DROP TABLE page`, `DROP TABLE removal`, `DROP TABLE suppression`, `ALTER TABLE head DROP COLUMN last_hash`, `ALTER TABLE provider DROP COLUMN moments`,
		`DROP TABLE removed`, `DROP TABLE verification`, `DROP TABLE staff_key`,
		`DROP TABLE staff`, `DROP TABLE staff_change`, `DROP TABLE document`, `DROP INDEX cases_provider`, `ALTER TABLE cases DROP COLUMN revision`,
		`ALTER TABLE cases DROP COLUMN row_hash`, `ALTER TABLE run DROP COLUMN base`, `DROP TABLE partner`, `ALTER TABLE cases DROP COLUMN decided`, `DROP TABLE removed_evidence`,
		`DROP TABLE reference_page`, `DROP TABLE reference_span`, `DROP TABLE reference_part`, `DROP TABLE reference_segment`, `DROP TABLE reference_index`, `DROP INDEX source_record_copy`,
		`INSERT INTO source_record (source, key, kind, part, release, run, row_hash, line, evidence, provider, rung, doc)
			SELECT source, 'x', 'exclusion', '', release, number, '', 1, '', '', '', '{}' FROM run WHERE source = 'leie'`,
		`INSERT INTO source_block (block, source, key) VALUES ('npi:1', 'leie', 'x')`, `DELETE FROM goose_db_version WHERE version_id >= 3`) {
		if _, err := s.writer.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	s = open(t, c)
	whole(t, s)
	if got := answers(); got != want {
		t.Errorf("(-before +after):\n%s", cmp.Diff(want, got))
	}
	// What was loaded in the former shape is in force no more, and its bytes are read again.
	if n := rowCounts(t, s); n["source_record"] != 3 {
		t.Errorf("rows %v", n)
	}
	for _, x := range must(s.Sources(ctx)) {
		if x.Run.Number > 0 != (x.Source.ID == "kap-commons") {
			t.Errorf("%s: run %d is in force", x.Source.ID, x.Run.Number)
		}
	}
	load(t, s, edition("open-clinics", "1", "2026-11-21"), from("open-clinics", dan()))
	if st := standing(t, s, find(t, s, "Dan Poole"), directory.ExclusionScreen, "leie"); st.Status == directory.StatusVerified {
		t.Error("a list that is not loaded says that somebody is clear")
	}
	if run := load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("x", "Far Away", "")); run.Counts.Added != 1 {
		t.Errorf("the same bytes again: %+v", run)
	}
	load(t, s, edition("leie", "2026-11", "2026-11-20"), exclusion("x", "Far Away", ""))
	whole(t, s)
	var left int
	if err := s.reader.QueryRow(`SELECT count(*) FROM provider WHERE moments = '?'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d providers without moments, %v", left, err)
	}
}

func testGone(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben())
	a, b, m := find(t, s, "Ana Ruiz").Provider.ID, find(t, s, "Ben Carter").Provider.ID, find(t, s, "Maria Lopez").Provider.ID
	if _, err := s.writer.Exec(`UPDATE provider SET withdrawn = 1 WHERE id = $1`, m); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec(`UPDATE provider SET merged_into = $2 WHERE id = $1`, b, a); err != nil {
		t.Fatal(err)
	}
	if f, err := s.File(ctx, m); !errors.Is(err, directory.Gone) || f != nil {
		t.Errorf("a withdrawn provider: %v, %v", f, err)
	}
	if f, err := s.File(ctx, b); !errors.Is(err, directory.Gone) || f == nil || f.Provider.MergedInto != a || len(f.Claims) != 0 {
		t.Errorf("a merged provider: %+v, %v", f, err)
	}
	if f, err := s.File(ctx, a); err != nil || len(f.Linked) != 0 {
		t.Errorf("a provider with a withdrawn prescriber: %+v, %v", f, err)
	}
	if fs := must(s.Files(ctx, []directory.ID{m, b, a, a})); len(fs) != 1 {
		t.Errorf("Files: %d", len(fs))
	}
	for _, ch := range must(s.Changes(ctx, 0, 10)) {
		if (ch.File == nil) != (ch.Provider != a) {
			t.Errorf("change of %s: file %v", ch.Provider, ch.File)
		}
	}
	// A new page about a withdrawn person brings nobody back.
	load(t, s, edition("open-clinics", "1", "2026-11-21"), maria())
	if lookup(t, s, "Maria Lopez") != nil {
		t.Error("a withdrawn provider came back")
	}
}

func testFormerNames(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana())
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31"))
	load(t, s, edition("leie", "2026-09", "2026-09-30"), exclusion("x", "Far Away", ""))
	before := rowCounts(t, s)["event"]
	load(t, s, edition("nppes", "2026-11", "2026-11-08"), identity(anaNPI, "Ana Ruiz", "Ana Gomez"))
	if n := rowCounts(t, s)["event"] - before; n != 1 {
		t.Errorf("learning a name appended %d events", n)
	}
	f := find(t, s, "Ana Ruiz")
	if len(f.Provider.Former) != 1 || f.Provider.Former[0].Family != "Gomez" {
		t.Fatalf("former names %+v", f.Provider.Former)
	}
	// The list knows her by the name she had.
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("g", "Ana Gomez", anaNPI))
	if st := standing(t, s, find(t, s, "Ana Ruiz"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusUnderReview {
		t.Errorf("screen %q", st.Status)
	}
	// The record leaves NPPES; the name is not forgotten.
	load(t, s, edition("nppes", "2026-12", "2026-12-08"), identity(danNPI, "Dan Poole"))
	if f := find(t, s, "Ana Ruiz"); len(f.Provider.Former) != 1 {
		t.Errorf("former names %+v", f.Provider.Former)
	}
	whole(t, s)
}

func testReplaced(t *testing.T, c Config) {
	s := open(t, c)
	active := func(kind, n string) directory.Record {
		return roster(kind, n, "Somebody "+n, "Active", directory.SeenActive, "2027-01-01")
	}
	load(t, s, edition("tx-bhec", "LPC 1", "2026-11-01"), active("LPC", "1"), active("LPC", "2"))
	run := load(t, s, edition("tx-bhec", "SW 1", "2026-11-02"), active("LCSW", "3"))
	if run.Counts.Removed != 0 {
		t.Errorf("one file of a board took away another's rows: %+v", run.Counts)
	}
	run = load(t, s, edition("tx-bhec", "LPC 2", "2026-11-03"), active("LPC", "2"))
	if run.Counts.Removed != 1 {
		t.Errorf("removed %d", run.Counts.Removed)
	}
	if n := must(s.Counts(ctx)).Records; n != 2 {
		t.Errorf("%d rows", n)
	}
	if n := rowCounts(t, s); n["source_record"] != 0 {
		t.Errorf("copies of rows that speak of nobody: %v", n)
	}
	var orphans int
	if err := s.reader.QueryRow(`SELECT count(*) FROM source_block b WHERE NOT EXISTS (SELECT 1 FROM source_record r WHERE r.source = b.source AND r.key = b.key)`).Scan(&orphans); err != nil || orphans != 0 {
		t.Errorf("%d blocks without a record, %v", orphans, err)
	}
	load(t, s, edition("npi-api", "1", "2026-11-03"), identity(anaNPI, "Ana Ruiz"))
	if run := load(t, s, edition("npi-api", "2", "2026-11-03"), identity(danNPI, "Dan Poole")); run.Counts.Removed != 0 {
		t.Error("a single answer replaced another")
	}
}

func testDuplicates(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara())
	other := from("open-clinics", listing("x", "Cara Smith", func(l *directory.Listing) { l.Sites = []directory.Site{{Address: directory.Address{State: "CO"}}} }))
	load(t, s, edition("open-clinics", "1", "2026-11-20"), other)
	cases := must(s.Cases(ctx, true, 10))
	if len(cases) != 1 || cases[0].Kind != directory.CaseDuplicate || cases[0].Source != "open-clinics" || cases[0].Key != "x" {
		t.Errorf("cases %+v", cases)
	}
	// The same NPI is the same person.
	load(t, s, edition("kap-commons", "2", "2026-11-21"), cara(), dan())
	twin := from("open-clinics", listing("dan2", "Daniel Poole", func(l *directory.Listing) { l.NPI, l.Website = danNPI, "https://dan.example/" }))
	load(t, s, edition("open-clinics", "2", "2026-11-21"), other, twin)
	if p := find(t, s, "Dan Poole").Provider; p.Website != "https://dan.example/" {
		t.Errorf("Dan %+v", p)
	}
	// A key that stands twice in a file is told, and the first row counts.
	run := load(t, s, edition("leie", "1", "2026-10-31"), exclusion("k", "One Person", ""), exclusion("k", "Other Person", ""))
	if run.Counts.Rejected != 1 || run.Counts.Added != 1 || run.Counts.Read != 2 {
		t.Errorf("counts %+v", run.Counts)
	}
	whole(t, s)
}

func testOversightNumbers(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben())
	anaSeq, benSeq := find(t, s, "Ana Ruiz").Provider.Seq, find(t, s, "Ben Carter").Provider.Seq
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("DR", "45678", "Maria Lopez", "Active", directory.SeenActive, "2027-04-30"))
	if f := find(t, s, "Ana Ruiz"); f.Provider.Seq <= anaSeq {
		t.Error("news of the prescriber did not number her therapist")
	}
	if f := find(t, s, "Ben Carter"); f.Provider.Seq != benSeq {
		t.Error("news of the prescriber numbered somebody else")
	}
	h, _ := s.Head(ctx)
	if ch := must(s.Changes(ctx, 0, 100)); ch[len(ch)-1].Seq != h.Public {
		t.Errorf("public number %d, newest change %d", h.Public, ch[len(ch)-1].Seq)
	}
	whole(t, s)
}

func testTouchDue(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), cara())
	n, err := s.TouchDue(ctx, s.now(), 100)
	if err != nil || n != 0 {
		t.Errorf("nothing is due: %d, %v", n, err)
	}
	h, _ := s.Head(ctx)
	// Contact facts go stale after 120 days: listed becomes stale.
	clk.set(noon.AddDate(0, 0, 130))
	if due := must(s.Counts(ctx)).Due; due != 3 {
		t.Errorf("due %d", due)
	}
	n, err = s.TouchDue(ctx, s.now(), 1)
	if err != nil || n != 1 {
		t.Errorf("TouchDue, one at a time: %d, %v", n, err)
	}
	for n > 0 {
		if n, err = s.TouchDue(ctx, s.now(), 100); err != nil {
			t.Fatal(err)
		}
	}
	changed := must(s.Changes(ctx, h.Public, 100))
	if len(changed) != 3 {
		t.Errorf("changes %+v", changed)
	}
	for _, ch := range changed {
		if ch.File == nil || ch.File.Provider.Seq != ch.Seq {
			t.Errorf("change %+v", ch)
		}
	}
	if before := rowCounts(t, s)["event"]; before != rowCounts(t, s)["event"] {
		t.Error("time wrote an event")
	}
	whole(t, s)
}

func testAttest(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana())
	hash := strings.Repeat("ab", 32)
	at := directory.At(noon.Add(-time.Hour))
	byNPI, prescriber := directory.ProviderRef{NPI: anaNPI}, directory.ProviderRef{NPI: mariaNPI}
	oversight := &directory.OversightStatement{Prescriber: prescriber, From: "2026-01-01"}
	statements := []directory.Attestation{
		{At: at, Provider: byNPI, By: "provider", Auth: "email_link", Oversight: oversight},
		{At: at, Provider: directory.ProviderRef{Source: "kap-commons", Key: "ana"}, By: "prescriber", Auth: "telephone_callback", Oversight: oversight},
		{At: at, Provider: byNPI, By: "provider", Auth: "email_link", Protocol: &directory.ProtocolStatement{Preparation: directory.Yes, Presence: directory.Yes,
			Monitoring: directory.Yes, Emergency: directory.Yes, Integration: directory.Yes, SHA256: hash}},
		{At: at, Provider: byNPI, By: "provider", Auth: "email_link", Certificate: &directory.CertificateStatement{Programme: "Polaris Insight Center", Level: "certificate",
			Completed: "2024-05-01", SHA256: hash}},
		{At: at, Provider: prescriber, By: "prescriber", Auth: "email_link", DEA: &directory.DocumentStatement{State: "CO", Expires: "2028-01-31", SHA256: strings.Repeat("cd", 32)}},
	}
	for i, a := range statements {
		want := 1
		if a.Protocol != nil {
			want = 2
		}
		if n, err := s.Attest(ctx, a); err != nil || n != want {
			t.Errorf("statement %d: %d events, %v", i, n, err)
		}
		h, _ := s.Head(ctx)
		if n, err := s.Attest(ctx, a); err != nil || n != 0 {
			t.Errorf("statement %d again: %d events, %v", i, n, err)
		}
		if h2, _ := s.Head(ctx); h2 != h {
			t.Errorf("statement %d again moved the head", i)
		}
	}
	f := find(t, s, "Ana Ruiz")
	if st := standing(t, s, f, directory.OversightLink, ""); !slices.Equal(st.Sides, []string{"prescriber", "provider"}) {
		t.Errorf("sides %v", st.Sides)
	}
	if st := standing(t, s, f, directory.ProtocolClaim, ""); st.Status != directory.StatusDocumented {
		t.Errorf("protocol %q", st.Status)
	}
	var training directory.Standing
	for _, h := range f.Claims {
		if h.Claim.Kind == directory.TrainingCert {
			training = directory.Derive(h, s.now(), knownAt(t, s), s.config.Policies)
		}
	}
	if training.Status != directory.StatusDocumented || training.Basis.Body.Completed != "2024-05-01" {
		t.Errorf("training %q", training.Status)
	}
	if st := standing(t, s, find(t, s, "Maria Lopez"), directory.DEARegistration, ""); st.Status != directory.StatusDocumented {
		t.Errorf("DEA %q", st.Status)
	}
	for i, x := range []struct {
		a    directory.Attestation
		kind directory.ErrorKind
	}{
		{directory.Attestation{Provider: byNPI, By: "provider", Auth: "x"}, directory.Invalid},
		{directory.Attestation{Provider: byNPI, By: "staff", Auth: "x", Oversight: oversight}, directory.Invalid},
		{directory.Attestation{Provider: byNPI, By: "provider", Oversight: oversight}, directory.Invalid},
		{directory.Attestation{Provider: directory.ProviderRef{NPI: "1999999999"}, By: "provider", Auth: "x", Oversight: oversight}, directory.NotFound},
		{directory.Attestation{Provider: byNPI, By: "provider", Auth: "x", Oversight: &directory.OversightStatement{Prescriber: byNPI}}, directory.Invalid},
		{directory.Attestation{Provider: byNPI, By: "provider", Auth: "x", At: directory.At(noon.AddDate(0, 0, 1)), Oversight: oversight}, directory.Invalid},
		{directory.Attestation{Provider: byNPI, By: "provider", Auth: "x", Certificate: &directory.CertificateStatement{Programme: "P", SHA256: "zz"}}, directory.Invalid},
		{directory.Attestation{Provider: byNPI, By: "provider", Auth: "x", Certificate: &directory.CertificateStatement{Programme: "123-45-6789"}}, directory.Refused},
	} {
		if _, err := s.Attest(ctx, x.a); directory.KindOf(err) != x.kind {
			t.Errorf("bad statement %d: %v, want %s", i, err, x.kind)
		}
	}
	whole(t, s)
}

func testDecide(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana())
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31"))
	at := s.now()
	d := directory.Decision{At: at, Staff: "kim", Auth: "password", Provider: directory.ProviderRef{NPI: anaNPI}, Kind: directory.License, State: "CO",
		Number: "csw 12345", Decision: "confirm", Note: "read the register"}
	e, err := s.Decide(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	if e.Type != directory.Review || e.Seq == 0 || e.Body.Of == 0 || len(e.Evidence) == 0 || e.Policy != "v1" {
		t.Errorf("review %+v", e)
	}
	if st := standing(t, s, find(t, s, "Ana Ruiz"), directory.License, ""); st.Status != directory.StatusVerified {
		t.Errorf("the licence is %q", st.Status)
	}
	if cases := must(s.Cases(ctx, true, 10)); len(cases) != 0 {
		t.Errorf("cases still open: %+v", cases)
	}
	if closed := must(s.Cases(ctx, false, 10)); len(closed) != 1 || closed[0].Closed == "" {
		t.Errorf("closed cases: %+v", closed)
	}
	h, _ := s.Head(ctx)
	if again, err := s.Decide(ctx, d); err != nil || again.Seq != e.Seq {
		t.Errorf("the same decision again: %+v, %v", again, err)
	}
	if h2, _ := s.Head(ctx); h2 != h {
		t.Error("the same decision again moved the head")
	}
	// Bad news: two persons, and neither twice.
	clk.set(noon.Add(time.Hour))
	run := load(t, s, edition("co-dora", "2", "2026-11-08"), roster("CSW", "12345", "Ana Ruiz", "Revoked", directory.SeenRevoked, "2027-08-31"))
	if run.Counts.Changed != 1 {
		t.Errorf("counts %+v", run.Counts)
	}
	change := func(f func(*directory.Decision)) directory.Decision {
		x := d
		x.At = s.now()
		f(&x)
		return x
	}
	for i, x := range []struct {
		d    directory.Decision
		kind directory.ErrorKind
	}{
		{change(func(d *directory.Decision) { d.Number = "999" }), directory.NotFound},
		{change(func(d *directory.Decision) { d.Of = 9999 }), directory.NotFound},
		{change(func(d *directory.Decision) { d.Decision = "clear" }), directory.Invalid},
		{change(func(d *directory.Decision) { d.Decision = "approve" }), directory.Invalid},
		{change(func(d *directory.Decision) { d.Staff = "" }), directory.Invalid},
		{change(func(d *directory.Decision) { d.Kind = directory.TrainingCert; d.Number, d.State = "", "" }), directory.Conflict},
		{change(func(d *directory.Decision) { d.Provider = directory.ProviderRef{ID: "prv_none"} }), directory.NotFound},
		{change(func(d *directory.Decision) {}), ""},
		{change(func(d *directory.Decision) { d.At = d.At.Add(time.Minute) }), directory.Conflict}, // kim again
	} {
		if _, err := s.Decide(ctx, x.d); directory.KindOf(err) != x.kind {
			t.Errorf("decision %d: %v, want %q", i, err, x.kind)
		}
	}
	if st := standing(t, s, find(t, s, "Ana Ruiz"), directory.License, ""); st.Status != directory.StatusUnderReview {
		t.Errorf("confirmed by one: %q", st.Status)
	}
	if _, err := s.Decide(ctx, change(func(d *directory.Decision) { d.Staff = "lee" })); err != nil {
		t.Fatal(err)
	}
	if st := standing(t, s, find(t, s, "Ana Ruiz"), directory.License, ""); st.Status != directory.StatusAdverse {
		t.Errorf("confirmed by two: %q", st.Status)
	}
	// Whoever made an observation cannot review it.
	err = s.write(ctx, "by hand", func(w *work) error {
		h, err := w.resolve(directory.ProviderRef{NPI: mariaNPI}, "")
		if err != nil {
			return err
		}
		name := w.keep(directory.Evidence{Source: "co-dora", Class: directory.ClassSource, Method: "phone", Body: []byte("asked the board")})
		i := w.claim(h, directory.Claim{Kind: directory.License, Jurisdiction: "CO", Title: "DR", Number: directory.ParseLicenceNumber("DR.0045678")})
		n := w.append(h, i, directory.Event{Type: directory.Observe, PerformedAt: w.now, Actor: directory.Actor{Kind: directory.Staff, ID: "kim"}, Evidence: []string{name},
			Body: directory.Body{State: directory.SeenActive, Source: "co-dora", Match: directory.M5, By: []string{"licence"}}}, true)
		n.judge, n.source = true, "co-dora"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	own := change(func(d *directory.Decision) { d.Provider, d.Number = directory.ProviderRef{NPI: mariaNPI}, "" })
	if _, err := s.Decide(ctx, own); !errors.Is(err, directory.Refused) {
		t.Errorf("reviewing one's own observation: %v", err)
	}
	own.Staff = "lee"
	if _, err := s.Decide(ctx, own); err != nil {
		t.Error(err)
	}
	whole(t, s)
}

func testNPPESAlone(t *testing.T, c Config) {
	s := open(t, c)
	var rows []directory.Record
	for i := range 1000 {
		rows = append(rows, identity(directory.NPI(fmt.Sprintf("1%09d", i)), fmt.Sprintf("Given%d Family%d", i, i%100)))
	}
	run := load(t, s, edition("nppes", "2026-11", "2026-11-08"), rows...)
	if run.Counts.Added != 1000 || run.Matched != 0 || run.Events != 0 {
		t.Errorf("run %+v", run)
	}
	if err := s.EachFile(ctx, func(f *directory.CredentialFile) error { return fmt.Errorf("a page of %s", f.Provider.DisplayName()) }); err != nil {
		t.Error(err)
	}
	if ch := must(s.Changes(ctx, 0, 10)); len(ch) != 0 {
		t.Errorf("changes %+v", ch)
	}
	if n := must(s.Counts(ctx)); n.Providers != 0 || n.Records != 1000 || n.Head.Seq != 1 {
		t.Errorf("counts %+v", n)
	}
}

func testQuarantine(t *testing.T, c Config) {
	const planted = "219-09-9999"
	s := open(t, c)
	bad := exclusion("x", "Bad Row", "")
	bad.Fields["note"] = "ssn " + planted
	worse := listing("y", "Pat "+planted, nil)
	worse.Fields = nil
	run := load(t, s, edition("leie", "1", "2026-10-31"), bad, exclusion("z", "Good Row", ""))
	if run.Counts.Rejected != 1 || run.Counts.Added != 1 {
		t.Errorf("counts %+v", run.Counts)
	}
	if r := must(s.Rejects(ctx, run.ID, 10)); len(r) != 1 || r[0].Field != "note" || r[0].Text != "" {
		t.Errorf("rejects %+v", r)
	}
	r2, err := s.Begin(ctx, edition("kap-commons", "1", "2026-11-20"))
	if err != nil {
		t.Fatal(err)
	}
	worse.Source = "kap-commons"
	if _, err := s.Put(ctx, r2.ID, directory.Batch{Records: []directory.Record{worse}, Rejects: []directory.Reject{{File: "f", Line: 3, Reason: "odd", Text: planted}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(ctx, r2.ID, errors.New("gave up at "+planted)); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"reject", "run", "source_record", "source_block", "evidence", "event_payload", "provider"} {
		rows, err := s.reader.Query(`SELECT * FROM ` + table)
		if err != nil {
			t.Fatal(err)
		}
		cols, _ := rows.Columns()
		for rows.Next() {
			vals := make([]any, len(cols))
			for i := range vals {
				vals[i] = new(any)
			}
			if err := rows.Scan(vals...); err != nil {
				t.Fatal(err)
			}
			for i, v := range vals {
				if strings.Contains(fmt.Sprint(*v.(*any)), planted) {
					t.Errorf("%s.%s holds the planted number", table, cols[i])
				}
			}
		}
		rows.Close()
	}
	if c.Dir != "" {
		files, _ := filepath.Glob(filepath.Join(c.Dir, "*"))
		for _, f := range files {
			if b, _ := os.ReadFile(f); strings.Contains(string(b), planted) {
				t.Errorf("%s holds the planted number", f)
			}
		}
	}
}

func testPreview(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("leie", "1", "2026-10-31"), exclusion("a", "One Person", ""), exclusion("b", "Other Person", ""))
	before := rowCounts(t, s)
	p := s.Preview()
	rel := edition("leie", "2", "2026-11-30")
	run, err := p.Begin(ctx, rel)
	if err != nil || run.Already {
		t.Fatal(run, err)
	}
	changed := exclusion("b", "Other Human", "")
	for _, r := range []*directory.Record{&changed} {
		r.Source, r.Line = "leie", 1
	}
	fresh := exclusion("n", "New Human", "")
	fresh.Source, fresh.Line = "leie", 2
	if _, err := p.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{changed, fresh}, Outside: 3}); err != nil {
		t.Fatal(err)
	}
	run, err = p.End(ctx, run.ID, nil)
	want := directory.Counts{Read: 5, Added: 1, Changed: 1, Outside: 3, Removed: 1}
	if err != nil || run.Counts != want {
		t.Errorf("preview %+v, %v, want %+v", run.Counts, err, want)
	}
	if d := cmp.Diff(before, rowCounts(t, s)); d != "" || len(must(s.Runs(ctx, 10))) != 1 {
		t.Errorf("a preview wrote:\n%s", d)
	}
	real := load(t, s, rel, exclusion("b", "Other Human", ""), exclusion("n", "New Human", ""))
	if real.Counts.Added != 1 || real.Counts.Changed != 1 || real.Counts.Removed != 1 {
		t.Errorf("the import itself %+v", real.Counts)
	}
	if run, err := p.Begin(ctx, rel); err != nil || !run.Already {
		t.Errorf("preview of an imported release: %+v, %v", run, err)
	}
}

func testLeases(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	take := func(holder string) bool { return must(s.AcquireLease(ctx, "due", holder, time.Minute)) }
	if !take("a") || take("b") || !take("a") {
		t.Error("a lease is one holder's until it runs out")
	}
	clk.set(noon.Add(2 * time.Minute))
	if !take("b") || take("a") {
		t.Error("a lease that has run out is free")
	}
	if n := must(s.RebuildRequested(ctx)); n != 0 {
		t.Errorf("requests %d", n)
	}
	for range 2 {
		if err := s.RequestRebuild(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n := must(s.RebuildRequested(ctx)); n != 2 {
		t.Errorf("requests %d", n)
	}
}

func testHead(t *testing.T, c Config) {
	s := open(t, c)
	other := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben(), cara())
	start, _ := s.Head(ctx)
	id := find(t, s, "Ana Ruiz").Provider.ID
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for w := range 4 {
		store := s
		if w%2 == 1 {
			store = other
		}
		wg.Go(func() {
			for i := range 10 {
				_, err := store.Attest(ctx, directory.Attestation{At: directory.At(noon.Add(-time.Duration(w*100+i+1) * time.Second)), Provider: directory.ProviderRef{ID: id},
					By: "provider", Auth: "email_link", Protocol: &directory.ProtocolStatement{Preparation: directory.Yes}})
				errs <- err
			}
		})
	}
	// A follower that reads by number misses nothing.
	stop := make(chan struct{})
	followed := make(chan error, 1)
	go func() {
		last := directory.Head{}
		for {
			h, err := s.Head(ctx)
			if err == nil && (h.Seq < last.Seq || h.Public < last.Public || h.Seq > last.Seq && h.RecordedAt <= last.RecordedAt) {
				err = fmt.Errorf("the head went from %+v to %+v", last, h)
			}
			if err != nil {
				followed <- err
				return
			}
			last = h
			select {
			case <-stop:
				followed <- nil
				return
			default:
			}
		}
	}()
	wg.Wait()
	close(stop)
	if err := <-followed; err != nil {
		t.Error(err)
	}
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	end, _ := s.Head(ctx)
	if end.Seq != start.Seq+80 || end.Public != end.Seq { // an event and a change each
		t.Errorf("head %+v after %+v", end, start)
	}
	whole(t, s)
}

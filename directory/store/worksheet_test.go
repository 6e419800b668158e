package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

// sheetWords is a table of status words, in place of that of a register.
func sheetWords(_, words string, expires, on directory.Date) directory.Observed {
	seen, known := map[string]directory.Observed{"current": directory.SeenActive, "active": directory.SeenActive, "revoked": directory.SeenRevoked, "delinquent": directory.SeenExpired}[directory.Fold(words)]
	if !known || seen == directory.SeenActive && expires != "" && expires < on {
		return directory.SeenIndeterminate
	}
	return seen
}

// TestWorksheets holds both databases to one suite.
func TestWorksheets(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testWorksheets(t, func(t testing.TB) Config { return Config{Dir: t.TempDir()} }) })
	t.Run("postgres", func(t *testing.T) {
		storetest.Postgres(t) // skips the whole when there is no server
		testWorksheets(t, func(t testing.TB) Config { return Config{DSN: storetest.Postgres(t)} })
	})
}

func testWorksheets(t *testing.T, fresh func(testing.TB) Config) {
	for _, x := range []struct {
		name string
		test func(*sheetTrial)
	}{
		{"what stands where", testSheetGroups},
		{"good news waits", testSheetGood},
		{"bad news lowers at once", testSheetBad},
		{"not found needs two days", testSheetNotFound},
		{"could not look", testSheetCouldNot},
		{"unknown words", testSheetUnknown},
		{"another name or number", testSheetMatch},
		{"board actions", testSheetActions},
		{"a list", testSheetList},
		{"an NPI", testSheetNPI},
		{"stale, twice, not theirs", testSheetRefused},
		{"what is kept", testSheetBook},
	} {
		t.Run(x.name, func(t *testing.T) {
			clk := newClock()
			c := fresh(t)
			c.Now, c.Standing = clk.now, sheetWords
			s := open(t, c)
			hire(t, s)
			x.test(&sheetTrial{t, s, clk})
		})
	}
}

type sheetTrial struct {
	*testing.T
	s   *Store
	clk *clock
}

func dora() directory.Record {
	return listing("dora", "Dora Lane, LMFT", func(l *directory.Listing) {
		l.NPI = anaNPI
		l.Licences = []directory.ListedLicence{licence("CA", "LMFT", "LMFT 0012345")}
	})
}

// row is the row of somebody on the worksheet of the source.
func (x *sheetTrial) row(source, who string) directory.SheetRow {
	x.Helper()
	w := x.sheets(directory.SheetAsk{Until: x.s.now().AddDays(90), Source: source})
	for _, sheet := range w.Sheets {
		for _, r := range sheet.Rows {
			if sheet.Source == source && r.Name == who {
				return r
			}
		}
	}
	x.Fatalf("%s is not on the worksheet of %s: %+v", who, source, w)
	return directory.SheetRow{}
}

// sheets returns worksheets, which are those that reading every file gives.
func (x *sheetTrial) sheets(ask directory.SheetAsk) directory.Worksheets {
	x.Helper()
	got, err := x.s.Worksheets(ctx, ask)
	if err != nil {
		x.Fatal(err)
	}
	anew := &sheetBook{}
	m, err := x.s.openBook(ctx, "test", anew, ask)
	if err != nil {
		x.Fatal(err)
	}
	err = x.s.EachFile(ctx, func(f *directory.CredentialFile) error {
		looks, _ := m.Looks(f)
		m.Count(looks)
		m.On(looks, ask)
		m.Rows(f, ask)
		return nil
	})
	want := m.Done()
	if err == nil {
		err = x.s.read(ctx, "test", func(t *tx) error {
			for i := range want.Sheets {
				if err := t.openCasesOf(want.Sheets[i].Rows, want.At); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if ask.Most > 0 {
		for i := range want.Sheets {
			want.Sheets[i].Rows = want.Sheets[i].Rows[:min(len(want.Sheets[i].Rows), ask.Most)]
		}
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		x.Errorf("%v; what is kept differs from what is read anew (-anew +kept):\n%s", err, d)
	}
	return got
}

// found is the row filled in with a record that fits.
func (x *sheetTrial) found(source string, r directory.SheetRow, change func(*directory.LookUp)) directory.LookUp {
	l := directory.LookUp{Line: 2, Source: source, Provider: r.Provider, Claim: r.Claim, Kind: r.Kind, Revision: r.Revision, At: x.s.now(), LookedAt: string(x.s.now()),
		Found: "yes", Words: "Current", Number: r.Number, Name: r.Name, Expires: "2027-08-31"}
	if change != nil {
		change(&l)
	}
	return l
}

func (x *sheetTrial) in(who string, l directory.LookUp) directory.LookUpOutcome {
	x.Helper()
	before := rowCounts(x.T, x.s)
	dry, err := x.s.BringIn(ctx, who, "test", []directory.LookUp{l}, true)
	if err != nil {
		x.Fatal(err)
	}
	if got := rowCounts(x.T, x.s); fmt.Sprint(got) != fmt.Sprint(before) {
		x.Fatalf("a preview wrote something: %v, before %v", got, before)
	}
	out, err := x.s.BringIn(ctx, who, "test", []directory.LookUp{l}, false)
	if err != nil || len(out) != 1 {
		x.Fatal(out, err)
	}
	a, b := dry[0], out[0]
	a.Event, a.Case, a.Claim = b.Event, b.Case, b.Claim // which have no number before
	if fmt.Sprint(a) != fmt.Sprint(b) {
		x.Errorf("foretold %+v\nand it was %+v", a, b)
	}
	if b.Became == directory.BecameRecorded {
		after := rowCounts(x.T, x.s)
		again, err := x.s.BringIn(ctx, "lee", "test", []directory.LookUp{l}, false)
		if err != nil || again[0].Became != directory.BecameAlready || again[0].Event != b.Event || fmt.Sprint(rowCounts(x.T, x.s)) != fmt.Sprint(after) {
			x.Errorf("again: %+v %v", again, err)
		}
	}
	return b
}

func (x *sheetTrial) lmft() (directory.History, directory.Standing) {
	x.Helper()
	return licenceOf(x.T, x.s, "Dora Lane", "CA")
}

func (x *sheetTrial) decide(who, decision string, o directory.LookUpOutcome, field string) error {
	d, err := x.s.Dossier(ctx, o.Case, who)
	if err != nil {
		x.Fatal(err)
	}
	_, err = x.s.Decide(ctx, directory.Decision{Case: o.Case, Seen: d.Seen, Staff: who, Auth: "test", Decision: decision, Field: field})
	return err
}

func testSheetGroups(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora(), ben(), listing("noel", "Noel Page, LMFT", func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("OR", "LMFT", "T100"), licence("WA", "LMFT", "LF00001"), licence("CA", "LMFT", "")}
	}))
	load(x.T, x.s, edition("co-dora", "1", "2026-11-20"), roster("LPC", "0005551", "Ben Carter", "Active", directory.SeenActive, "2027-08-31"))
	w := x.sheets(directory.SheetAsk{Until: x.s.now().AddDays(90), Source: "sam"})
	w.Sheets[slices.IndexFunc(w.Sheets, func(s directory.Worksheet) bool { return s.Source == "ca-dca" })].Rows = x.sheets(directory.SheetAsk{Until: x.s.now().AddDays(90), Source: "ca-dca"}).Sheets[0].Rows
	sheets, program, left := map[string]int{}, map[string]int{}, map[string]int{}
	for _, s := range w.Sheets {
		sheets[s.Source] = len(s.Rows)
		if s.Counts.In90 != len(s.Rows) || s.Counts.Overdue > s.Counts.In7 {
			x.Errorf("%s: %d rows, %+v", s.Source, len(s.Rows), s.Counts)
		}
	}
	for _, p := range w.Program {
		program[p.Source+" "+p.Why] += p.Counts.In90
	}
	for _, l := range w.Left {
		left[l.Why+" "+string(l.Kind)] += l.Counts.In90
	}
	if sheets["ca-dca"] != 1 || sheets["sam"] != 3 || len(sheets) != 2 {
		x.Errorf("sheets %v", sheets)
	}
	if program["co-dora loaded"] == 0 || program["wa-doh import"] != 1 || program["leie import"] != 3 || program["nppes import"] != 1 {
		x.Errorf("program %v", program)
	}
	if left["no_source license"] != 1 || left["no_number license"] != 1 || left["desk license"] != 1 {
		x.Errorf("left %v", left)
	}
	r := x.row("ca-dca", "Dora Lane")
	if r.Why != directory.WhyNever || r.Number != "LMFT 0012345" || r.Said != "" || r.URL != "https://search.dca.ca.gov/" || !slices.Equal(r.SearchFor, []string{"LMFT 0012345", "Dora Lane"}) || r.Revision == 0 {
		x.Errorf("%+v", r)
	}
	if w = x.sheets(directory.SheetAsk{Until: x.s.now(), Source: "sam"}); len(w.Sheets) != 2 || len(w.Sheets[0].Rows) != 0 || w.Sheets[1].Source != "sam" || w.Sheets[1].Total != 3 {
		x.Errorf("only one has rows: %+v", w)
	}
	if some := x.sheets(directory.SheetAsk{Until: x.s.now(), Source: "sam", Most: 2}).Sheets[1]; some.Total != 3 || cmp.Diff(w.Sheets[1].Rows[:2], some.Rows) != "" {
		x.Errorf("two of the rows: %+v", some)
	}
	if ca := x.sheets(directory.SheetAsk{Until: x.s.now(), Source: "ca-dca", State: "OR"}).Sheets[0]; ca.Total != 0 || len(ca.Rows) != 0 || !slices.Equal(ca.States, []directory.State{"CA"}) {
		x.Errorf("of another state: %+v", ca)
	}
	if _, err := x.s.Worksheets(ctx, directory.SheetAsk{Until: x.s.now(), Source: "nowhere"}); !errors.Is(err, directory.NotFound) {
		x.Errorf("a source that is not there: %v", err)
	}
}

// What is kept of everybody goes on with what is recorded, with what is written of them elsewhere, and with time.
func testSheetBook(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora(), ben())
	b := &x.s.sheets
	for range 3 {
		if more, err := x.s.gatherSheets(ctx, 1); more || err != nil || len(b.of) > 0 {
			x.Errorf("of more than are gathered %d were read: %v %v", len(b.of), more, err)
		}
	}
	for more, n := true, 0; more; n++ {
		var err error
		if more, err = x.s.GatherSheets(ctx); err != nil || n > 3 {
			x.Fatal(n, err)
		}
	}
	if more, err := x.s.GatherSheets(ctx); more || err != nil {
		x.Errorf("nothing is new: %v %v", more, err)
	}
	b.turn <- struct{}{}
	if more, err := x.s.GatherSheets(ctx); more || err != nil {
		x.Errorf("somebody looks at it: %v %v", more, err)
	}
	<-b.turn
	if len(b.of) != 2 || len(b.waits) > 0 {
		x.Fatalf("%d are kept, %d wait", len(b.of), len(b.waits))
	}
	x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), nil))
	if x.sheets(directory.SheetAsk{Until: x.s.now(), Source: "sam"}); len(b.of) != 2 {
		x.Errorf("%d are kept", len(b.of))
	}
	dated := func() (n int) {
		for _, e := range b.of {
			if e.until != "" {
				n++
			}
			if e.until != "" && e.until <= x.s.now() {
				x.Errorf("%s is kept at %s until %s", e.name, x.s.now(), e.until)
			}
		}
		return n
	}
	x.clk.set(noon.Add(2 * time.Hour))
	load(x.T, x.s, edition("kap-commons", "2", "2026-11-20"), listing("abel", "Abel Aster, LMFT", func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("CA", "LMFT", "LMFT 0077777")}
	}))
	x.clk.set(noon.Add(3 * time.Hour)) // whoever came last stands last
	x.sheets(directory.SheetAsk{Until: x.s.now(), Source: "sam", Most: 1})
	if dated() == 0 {
		x.Error("of nobody time will change anything")
	}
	x.clk.days(400)
	x.sheets(directory.SheetAsk{Until: x.s.now(), Source: "sam"})
	dated()
	id := x.row("sam", "Dora Lane").Provider // hidden, which is no news of any claim that is looked up
	must(x.s.Act(ctx, directory.Act{Do: directory.Withdrawal, Staff: "lee", Auth: "test", Provider: id, Note: "n"}))
	if x.sheets(directory.SheetAsk{Until: x.s.now(), Source: "sam"}); len(b.of) != 2 {
		x.Errorf("%d are kept, one of three hidden", len(b.of))
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := x.s.Worksheets(stopped, directory.SheetAsk{}); err == nil {
		x.Error("it was not told that there was no time")
	}
	x.sheets(directory.SheetAsk{Until: x.s.now(), Source: "sam"})
}

func testSheetGood(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora())
	o := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.By, l.Note = "An assistant", "Third page." }))
	if o.Became != directory.BecameRecorded || o.Says != directory.SeenActive || o.Match.Rung != directory.M5 || !o.Waits || o.Case == "" {
		x.Fatalf("%+v", o)
	}
	h, st := x.lmft()
	e := h.Event(o.Event)
	if st.Status != directory.StatusListed || e.Actor != (directory.Actor{Kind: directory.Staff, ID: "kim", Auth: "test"}) || e.Body.Source != "ca-dca" || e.Body.SourceWords != "Current" || e.Body.Expires != "2027-08-31" {
		x.Errorf("good news that nobody reviewed: %s, %+v", st.Words(), e)
	}
	var meta, body string
	if err := x.s.reader.QueryRow(`SELECT meta, body FROM evidence WHERE sha256 = '`+e.Evidence[0]+`'`).Scan(&meta, &body); err != nil {
		x.Fatal(err)
	}
	if !strings.Contains(meta, `"method":"manual"`) || !strings.Contains(meta, "An assistant") || !strings.Contains(body, `"note":"Third page."`) {
		x.Errorf("evidence %s %s", meta, body)
	}
	if d, err := x.s.Dossier(ctx, o.Case, "lee"); err != nil || d.Case.Kind != directory.CaseFirst || d.Row == nil || d.Row.Fields["status_words"] != "Current" {
		x.Errorf("the case: %+v %v", d, err)
	}
	if r := x.row("ca-dca", "Dora Lane"); r.Case != o.Case || r.Said != directory.SeenActive || r.Due < x.s.now().AddDays(29) {
		x.Errorf("on the worksheet afterwards: %+v", r)
	}
	if err := x.decide("kim", "confirm", o, ""); !errors.Is(err, directory.Refused) {
		x.Errorf("who brought it in confirms it: %v", err)
	}
	if err := x.decide("pat", "confirm", o, ""); err != nil {
		x.Error(err)
	}
	if _, st = x.lmft(); st.Status != directory.StatusVerified {
		x.Errorf("reviewed: %s", st.Words())
	}
	// A month later it is the same: nobody needs to look, as with a release that says what was approved.
	x.clk.days(31)
	o = x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), nil))
	if _, st = x.lmft(); o.Waits || o.Case != "" || st.Status != directory.StatusVerified || st.CheckedAt != x.s.now() {
		x.Errorf("the same again: %+v %s", o, st.Words())
	}
}

func testSheetBad(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora())
	o := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Words = "Revoked" }))
	if _, st := x.lmft(); st.Status != directory.StatusUnderReview || !o.Waits || o.Says != directory.SeenRevoked {
		x.Fatalf("%s %+v", st.Words(), o)
	}
	d, err := x.s.Dossier(ctx, o.Case, "pat")
	if err != nil || d.Case.Kind != directory.CaseAdverse || d.Need.Approvals != 1 || !slices.Equal(d.Need.Given, []string{"kim"}) || !d.Need.Approver {
		x.Errorf("the case needs %+v %v", d.Need, err)
	}
	if err := x.decide("pat", "confirm", o, ""); !errors.Is(err, directory.Refused) {
		x.Errorf("two verifiers: %v", err)
	}
	if err := x.decide("lee", "confirm", o, ""); err != nil {
		x.Error(err)
	}
	if _, st := x.lmft(); st.Status != directory.StatusAdverse {
		x.Errorf("by two: %s", st.Words())
	}
}

func testSheetNotFound(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora())
	none := func() directory.LookUpOutcome {
		return x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) {
			l.Found, l.Words, l.Number, l.Name, l.Expires = "no", "", "", "", ""
		}))
	}
	if o := none(); o.Became != directory.BecameRecorded || o.Says != directory.SeenNotFound || o.Waits {
		x.Fatalf("%+v", o)
	}
	if _, st := x.lmft(); st.Status != directory.StatusListed || st.Searches != 1 {
		x.Errorf("after one search: %s", st.Words())
	}
	if r := x.row("ca-dca", "Dora Lane"); r.Why != directory.WhySecond {
		x.Errorf("then it is due: %+v", r)
	}
	x.clk.set(noon.Add(3600e9))
	if o := none(); o.Became != directory.BecameLeft {
		x.Errorf("twice on a day: %+v", o)
	}
	x.clk.days(1)
	none()
	if _, st := x.lmft(); st.Status != directory.StatusNotFound || st.Searches != 2 {
		x.Errorf("after two: %s", st.Words())
	}
	x.clk.days(31)
	o := x.in("kim", x.found("ny-opmc", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Found = "no" }))
	if o.Became != directory.BecameWrong || o.Field != "source" {
		x.Errorf("a source that proves nothing: %+v", o)
	}
}

func testSheetCouldNot(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora())
	could := func() directory.LookUpOutcome {
		return x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) {
			l.Found, l.Words, l.Number, l.Name, l.Expires, l.Note = "could_not_look", "", "", "", "", "It was down."
		}))
	}
	before, _ := x.s.Head(ctx)
	if o := could(); o.Became != directory.BecameLeft {
		x.Errorf("%+v", o)
	}
	o := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), nil))
	if err := x.decide("pat", "confirm", o, ""); err != nil {
		x.Fatal(err)
	}
	x.clk.days(35)
	_, was := x.lmft()
	mid, _ := x.s.Head(ctx)
	if o := could(); o.Became != directory.BecameRecorded || o.Waits || o.Before != o.After {
		x.Errorf("%+v", o)
	}
	after, _ := x.s.Head(ctx)
	if _, st := x.lmft(); st.Status != was.Status || st.CheckedAt != was.CheckedAt || st.ValidUntil != was.ValidUntil || after.Public != mid.Public || mid.Public == before.Public {
		x.Errorf("it changed %s to %s; public %d to %d", was.Words(), st.Words(), mid.Public, after.Public)
	}
	x.clk.days(1)
	if r := x.row("ca-dca", "Dora Lane"); r.Why != directory.WhyNoAnswer || r.Due > x.s.now() {
		x.Errorf("then it is due: %+v", r)
	}
}

func testSheetUnknown(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora())
	o := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Words = "On a long walk" }))
	_, st := x.lmft()
	d, err := x.s.Dossier(ctx, o.Case, "lee")
	if err != nil || o.Says != directory.SeenIndeterminate || st.Status != directory.StatusUnderReview || d.Case.Kind != directory.CaseIndeterminate {
		x.Errorf("%+v %s %v %v", o, st.Words(), d.Case, err)
	}
	x.s.config.Standing = nil
	if o := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Name = "Dora M. Lane" })); o.Says != directory.SeenIndeterminate {
		x.Errorf("without any table: %+v", o)
	}
}

func testSheetMatch(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora())
	o := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Number = "LMFT 54321" }))
	if o.Became != directory.BecameWrong || o.Field != "number" {
		x.Errorf("another number: %+v", o)
	}
	o = x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Number = "12345" })) // as a spreadsheet leaves it
	if o.Became != directory.BecameRecorded || !o.Match.Identified() {
		x.Errorf("without letters and zeros: %+v", o)
	}
	o = x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Name = "Peter Fox" }))
	d, err := x.s.Dossier(ctx, o.Case, "lee")
	if err != nil || o.Match.Rung != directory.M3 || d.Case.Kind != directory.CaseConflict {
		x.Errorf("another name: %+v %+v %v", o, d.Case, err)
	}
	if _, st := x.lmft(); st.Status != directory.StatusListed {
		x.Errorf("good news of another name: %s", st.Words())
	}
}

func testSheetActions(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora(), listing("flo", "Flo Reed, LMHC", func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("FL", "LMHC", "MH0777")}
	}))
	// California's register is approved for licences alone: an active licence with an action is for a person.
	o := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Restrictions = "Public letter of reproval" }))
	h, _ := x.lmft()
	if e := h.Event(o.Event); o.Says != directory.SeenIndeterminate || !slices.Equal(e.Body.Restrictions, []string{"Public letter of reproval"}) {
		x.Errorf("%+v %+v", o, e)
	}
	// Florida's is approved for board actions as well, each a screen of its own.
	screen := func() directory.Standing {
		_, st := claimOf(x.T, x.s, "Flo Reed", func(c directory.Claim) bool { return c.Kind == directory.DisciplineScreen })
		return st
	}
	o = x.in("kim", x.found("fl-mqa", x.row("fl-mqa", "Flo Reed"), func(l *directory.LookUp) { l.Restrictions = "Reprimand 2024-11" }))
	if st := screen(); st.Status != directory.StatusUnderReview || o.Says != directory.SeenActive {
		x.Errorf("an action: %s %+v", st.Words(), o)
	}
	x.clk.days(31)
	x.in("kim", x.found("fl-mqa", x.row("fl-mqa", "Flo Reed"), func(l *directory.LookUp) { l.Restrictions = "none" }))
	cases, err := x.s.Cases(ctx, true, 50)
	waits := 0
	for _, c := range cases {
		if c.Source == "fl-mqa" {
			waits++
		}
	}
	if err != nil || waits < 2 || screen().Status != directory.StatusUnderReview {
		x.Errorf("good news lifts nothing: %s, %d cases, %v", screen().Words(), waits, err)
	}
}

func testSheetList(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora(), ben())
	screen := func(who string) directory.Standing {
		_, st := claimOf(x.T, x.s, who, screenOf("sam"))
		return st
	}
	r := x.row("sam", "Dora Lane")
	if r.Revision != 0 || !slices.Contains(r.SearchFor, string(anaNPI)) {
		x.Errorf("never searched: %+v", r)
	}
	none := func(l *directory.LookUp) {
		l.Found, l.Words, l.Number, l.Name, l.Expires, l.SourceAsOf = "no", "", "", "", "", "2026-11-22"
	}
	o := x.in("kim", x.found("sam", r, none))
	if d, err := x.s.Dossier(ctx, o.Case, "pat"); err != nil || d.Case.Kind != directory.CaseFirst || screen("Dora Lane").Status != directory.StatusNone {
		x.Errorf("a person's search: %+v %v %s", d.Case, err, screen("Dora Lane").Words())
	}
	if err := x.decide("kim", "confirm", o, ""); !errors.Is(err, directory.Refused) {
		x.Errorf("by whoever searched: %v", err)
	}
	if err := x.decide("pat", "confirm", o, ""); err != nil || screen("Dora Lane").Status != directory.StatusVerified {
		x.Errorf("reviewed: %v %s", err, screen("Dora Lane").Words())
	}
	// A name alone is nobody's answer; with the NPI it is, and a person says so.
	o = x.in("kim", x.found("sam", x.row("sam", "Ben Carter"), func(l *directory.LookUp) { l.Words, l.Number, l.Expires, l.Issued = "1128b4", "", "", "2020-05-01" }))
	d, err := x.s.Dossier(ctx, o.Case, "pat")
	if err != nil || d.Case.Kind != directory.CaseExclusion || o.Says != directory.SeenPossible || screen("Ben Carter").Held {
		x.Errorf("a name: %+v %+v %v %s", o, d.Case, err, screen("Ben Carter").Words())
	}
	x.clk.days(31)
	o = x.in("kim", x.found("sam", x.row("sam", "Dora Lane"), func(l *directory.LookUp) {
		l.Words, l.Number, l.Expires, l.Issued = "1128b4", string(anaNPI), "", "2020-05-01"
	}))
	if o.Says != directory.SeenExcluded || screen("Dora Lane").Status != directory.StatusUnderReview {
		x.Errorf("by the NPI: %+v %s", o, screen("Dora Lane").Words())
	}
}

func testSheetNPI(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora())
	h, _ := claimOf(x.T, x.s, "Dora Lane", func(c directory.Claim) bool { return c.Kind == directory.IdentityNPI })
	l := directory.LookUp{Source: "npi-api", Provider: h.Claim.Provider, Claim: h.Claim.ID, Kind: h.Claim.Kind, Revision: h.Newest(), At: x.s.now(), LookedAt: "now", Found: "yes", Words: "Active", Number: string(anaNPI), Name: "Dora Lane"}
	other := l
	other.Number = string(mariaNPI)
	if o := x.in("kim", other); o.Became != directory.BecameWrong || o.Field != "number" {
		x.Errorf("another's: %+v", o)
	}
	if o := x.in("kim", l); o.Says != directory.SeenActive || o.Match.Rung != directory.M5 || !o.Waits {
		x.Errorf("%+v", o)
	}
}

func testSheetRefused(x *sheetTrial) {
	load(x.T, x.s, edition("kap-commons", "1", "2026-11-20"), dora(), ben())
	r := x.row("ca-dca", "Dora Lane")
	for field, change := range map[string]func(*directory.LookUp){
		"looked_at": func(l *directory.LookUp) { l.At = l.At.AddDays(1) },
		"looked_by": func(l *directory.LookUp) { l.By = "Pat" },
		"provider":  func(l *directory.LookUp) { l.Provider = directory.NewID(directory.ProviderPrefix, l.At) },
		"claim":     func(l *directory.LookUp) { l.Claim = directory.NewID(directory.ClaimPrefix, l.At) },
		"kind":      func(l *directory.LookUp) { l.Kind = directory.IdentityNPI },
		"source":    func(l *directory.LookUp) { l.Source = "co-dora" },
		"number":    func(l *directory.LookUp) { l.Number = "123456789" },
		"issued":    func(l *directory.LookUp) { l.Issued = "2027-01-01" },
		"revision":  func(l *directory.LookUp) { l.Revision++ },
	} {
		if o := x.in("kim", x.found("ca-dca", r, change)); o.Became != directory.BecameWrong || o.Field != field || o.Reason == "" {
			x.Errorf("%s: %+v", field, o)
		}
	}
	if _, err := x.s.ChangeStaff(ctx, directory.StaffChange{Name: "vera", Do: "add", Role: directory.Viewer, By: "test", Auth: "test"}); err != nil {
		x.Fatal(err)
	}
	for _, who := range []string{"vera", "nobody", ""} {
		if _, err := x.s.BringIn(ctx, who, "test", []directory.LookUp{x.found("ca-dca", r, nil)}, true); !errors.Is(err, directory.Refused) {
			x.Errorf("%q brings in: %v", who, err)
		}
	}
	o := x.in("kim", x.found("ca-dca", r, nil))
	stale := x.in("pat", x.found("ca-dca", r, func(l *directory.LookUp) { l.Words = "Revoked" }))
	if stale.Became != directory.BecameWrong || !strings.Contains(stale.Reason, "since you looked") {
		x.Errorf("stale: %+v", stale)
	}
	if _, err := x.s.Take(ctx, o.Case, "pat", false); err != nil {
		x.Fatal(err)
	}
	if again := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), nil)); again.Became != directory.BecameAlready || again.Event != o.Event {
		x.Errorf("the same look of another worksheet: %+v", again)
	}
	if o := x.in("kim", x.found("ca-dca", x.row("ca-dca", "Dora Lane"), func(l *directory.LookUp) { l.Note = "Another look." })); o.Became != directory.BecameWrong || !strings.Contains(o.Reason, "pat") {
		x.Errorf("what pat works: %+v", o)
	}
}

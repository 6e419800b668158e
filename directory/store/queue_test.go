package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kapdir/directory"
)

// testQueue holds the list of cases to what it says: its order, its pages, its filters with their counts, and when
// each case is due, through everything that moves a case.
func testQueue(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	var people []directory.ID
	for i := range 7 {
		provider, _ := x.person([]directory.Observed{directory.SeenActive, directory.SeenRevoked}[i%2], false)
		people = append(people, provider)
	}
	all := must(s.List(ctx, CaseFilter{Limit: 100}, true))
	if all.Total != 10 || len(all.Cases) != 10 || // of each of three who are revoked, the licence and the screen for discipline
		all.Next != "" {
		t.Fatalf("%d cases of %d, next %q", len(all.Cases), all.Total, all.Next)
	}
	for i, q := range all.Cases {
		if want := directory.CaseAdverse; i < 6 && q.Kind != want || i >= 6 && q.Kind != directory.CaseFirst {
			t.Errorf("case %d is %s", i, q.Kind)
		}
		// Ten business days from Monday 23 November 2026, of which the 26th is Thanksgiving.
		if q.Due != "2026-12-08" || q.Late || q.State != "CO" || q.Work != directory.WorkNew || q.Hold != nil {
			t.Errorf("case %d: %+v", i, q)
		}
	}
	// Pages of two are the whole, in its order.
	var pages []directory.ID
	for f := (CaseFilter{Limit: 2}); ; {
		page := must(s.List(ctx, f, false))
		for _, q := range page.Cases {
			pages = append(pages, q.ID)
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	var whole1 []directory.ID
	for _, q := range all.Cases {
		whole1 = append(whole1, q.ID)
	}
	if !slices.Equal(pages, whole1) {
		t.Errorf("pages %v, whole %v", pages, whole1)
	}
	// One is taken, one is decided by one of two, one returned: each is found by what it is.
	if _, err := s.Take(ctx, all.Cases[7].ID, "kim", false); err != nil {
		t.Fatal(err)
	}
	adverse, first := all.Cases[slices.IndexFunc(all.Cases, func(q directory.Queued) bool { return !strings.Contains(q.What, "screen") })], all.Cases[6]
	x.must(x.decide("pat", "confirm", adverse.Case, must(s.Dossier(ctx, adverse.ID, "")).Seen))
	x.must(x.decide("pat", "return", first.Case, must(s.Dossier(ctx, first.ID, "")).Seen))
	count := func(f CaseFilter) int {
		t.Helper()
		f.Limit = 100
		plain := must(s.List(ctx, f, false))
		counted := must(s.List(ctx, f, true))
		if plain.Total != len(plain.Cases) || counted.Total != plain.Total {
			t.Errorf("%+v: %d cases, total %d, counted %d", f, len(plain.Cases), plain.Total, counted.Total)
		}
		return plain.Total
	}
	for i, c := range []struct {
		f    CaseFilter
		want int
	}{
		{CaseFilter{Kind: directory.CaseAdverse}, 6},
		{CaseFilter{Source: "co-dora"}, 10},
		{CaseFilter{Source: "leie"}, 0},
		{CaseFilter{State: "CO", Kind: directory.CaseFirst}, 4},
		{CaseFilter{State: "TX"}, 0},
		{CaseFilter{Work: directory.WorkSecond}, 1},
		{CaseFilter{Work: directory.WorkReturned}, 1},
		{CaseFilter{Work: directory.WorkNew}, 8},
		{CaseFilter{Needs: directory.Approver}, 1},
		{CaseFilter{Holder: "kim"}, 1},
		{CaseFilter{Holder: directory.Nobody}, 9},
		{CaseFilter{Late: true}, 0},
	} {
		if got := count(c.f); got != c.want {
			t.Errorf("filter %d: %d cases, want %d", i, got, c.want)
		}
	}
	byWork := map[string]int{}
	for _, n := range must(s.List(ctx, CaseFilter{Work: directory.WorkSecond, Limit: 1}, true)).Counts {
		byWork[n.By+" "+n.Value] = n.N
	}
	if byWork["work new"] != 8 || byWork["work returned"] != 1 || byWork["kind adverse"] != 1 || byWork["kind first_verification"] != 0 {
		t.Errorf("counts under a filter: %v", byWork)
	}
	// A returned case is due five business days after that.
	if q := x.queued(first.Provider); q.Due != "2026-12-01" || q.Work != directory.WorkReturned {
		t.Errorf("returned: %+v", q)
	}
	clk.set(noon.AddDate(0, 0, 9)) // 2 December
	if got := count(CaseFilter{Late: true}); got != 1 {
		t.Errorf("%d are late on 2 December", got)
	}
	clk.set(noon.AddDate(0, 0, 16)) // 9 December
	if got := count(CaseFilter{Late: true}); got != 10 {
		t.Errorf("%d are late on 9 December", got)
	}
	// Who is on no public face waits for nobody, and waits again when they come back.
	e, err := s.Act(ctx, directory.Act{Do: directory.Withdrawal, Staff: "lee", Auth: "test", Provider: people[1], Note: "asked"})
	if err != nil {
		t.Fatal(err)
	}
	if got := count(CaseFilter{}); got != 8 {
		t.Errorf("%d wait after a withdrawal", got)
	}
	if _, err := s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: people[1], Of: e.Seq, Seen: e.Seq, Note: "in error"}); err != nil {
		t.Fatal(err)
	}
	if got := count(CaseFilter{}); got != 10 {
		t.Errorf("%d wait after the withdrawal was taken back", got)
	}
	// A request has two business days and an approver.
	q, err := s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: people[2], Words: "please", Contact: "x@y.example"})
	if err != nil {
		t.Fatal(err)
	}
	if got := x.caseOf(people[2], directory.CaseRemoval); got.ID != q.ID || got.Due != "2026-12-11" || count(CaseFilter{Needs: directory.Approver, Kind: directory.CaseRemoval}) != 1 {
		t.Errorf("a request: %+v", got)
	}
	whole(t, s)
}

// testNext asks for one case after the other: each leaving goes on in the list, and nobody is given what they may do
// nothing about, so that it is free for whoever may.
func testNext(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	for range 3 {
		x.person(directory.SeenRevoked, false)
	}
	x.person(directory.SeenActive, false)
	unclear, _ := x.person(directory.SeenIndeterminate, false)
	list := must(s.List(ctx, CaseFilter{Limit: 100}, false)).Cases
	next := func(who string, skip directory.ID) directory.ID {
		t.Helper()
		id, err := s.Next(ctx, CaseFilter{}, who, skip)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	var walked []directory.ID
	at := next("kim", "")
	for range len(list) + 1 {
		walked = append(walked, at)
		at = next("kim", at)
	}
	var want []directory.ID
	for _, q := range list {
		want = append(want, q.ID)
	}
	if want = append(want, list[0].ID); !slices.Equal(walked, want) {
		t.Errorf("leaving each case leads to\n%v, the list is\n%v", walked, want)
	}
	clk.set(noon.Add(time.Hour)) // kim holds none any more
	var said []directory.ID
	for _, q := range list {
		if q.Kind == directory.CaseAdverse && q.Claim != "" {
			x.must(x.decide("kim", "confirm", q.Case, x.claim(q.Claim).Seen))
			said = append(said, q.ID)
		}
	}
	if len(said) < 3 {
		t.Fatalf("%d adverse cases", len(said))
	}
	for _, skip := range append([]directory.ID{""}, said...) {
		if got := next("kim", skip); slices.Contains(said, got) || got == "" {
			t.Errorf("kim, who said their part, gets %q after %q", got, skip)
		}
	}
	if got := next("lee", ""); got != said[0] {
		t.Errorf("the second person gets %s, not %s", got, said[0])
	}
	if id, err := s.Next(ctx, CaseFilter{Work: directory.WorkSecond}, "kim", ""); id != "" || err != nil {
		t.Errorf("where nothing is left for kim they get %q, %v", id, err)
	}
	q := x.theCase(unclear) // what kim returned can be corrected by them too
	x.must(x.decide("kim", "return", q.Case, x.claim(q.Claim).Seen))
	if id, err := s.Next(ctx, CaseFilter{Work: directory.WorkReturned}, "kim", ""); id != q.ID || err != nil {
		t.Errorf("of what they returned kim gets %q, %v", id, err)
	}
	whole(t, s)
}

// testHolds lets people take, give, take over and give back cases: nobody decides what somebody else works, and
// every step is on record.
func testHolds(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	provider, claim := x.person(directory.SeenActive, false)
	q := x.theCase(provider)
	seen := x.claim(claim).Seen
	h := must(s.Take(ctx, q.ID, "kim", false))
	if h.Staff != "kim" || h.Until != directory.At(noon.Add(30*time.Minute)) {
		t.Errorf("taken: %+v", h)
	}
	for what, err := range map[string]error{
		"pat takes it":    second(s.Take(ctx, q.ID, "pat", false)),
		"pat gives back":  s.Release(ctx, q.ID, "pat"),
		"pat decides":     second(x.decide("pat", "confirm", q.Case, seen)),
		"pat disputes":    second(x.act("pat", directory.OpenDispute, claim, 0)),
		"lee withdraws":   second(s.Act(ctx, directory.Act{Do: directory.Withdrawal, Staff: "lee", Auth: "test", Provider: provider, Note: "x"})),
		"without a case":  second(s.Decide(ctx, directory.Decision{Staff: "pat", Auth: "t", Decision: "confirm", Provider: directory.ProviderRef{ID: provider}, Kind: directory.License})),
		"a dossier shows": nil,
	} {
		if what == "a dossier shows" {
			if d := must(s.Dossier(ctx, q.ID, "pat")); d.Hold == nil || d.Hold.Staff != "kim" || len(d.Handed) != 1 {
				t.Errorf("dossier: %+v", d.Hold)
			}
			continue
		}
		if what == "lee withdraws" { // the file is not the case's claim: its own cases are looked at
			if err == nil || !strings.Contains(err.Error(), "this case is kim's") {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		if !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), "kim") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.Take(ctx, q.ID, "nobody", false); !errors.Is(err, directory.Refused) {
		t.Errorf("a stranger takes it: %v", err)
	}
	// Working on it keeps it; leaving it lets it go.
	clk.set(noon.Add(29 * time.Minute))
	if h := must(s.Take(ctx, q.ID, "kim", false)); h.Until != directory.At(noon.Add(59*time.Minute)) {
		t.Errorf("taken again: %+v", h)
	}
	clk.set(noon.Add(time.Hour))
	if _, err := s.Take(ctx, q.ID, "pat", false); err != nil {
		t.Errorf("after it ran out: %v", err)
	}
	if h := must(s.Take(ctx, q.ID, "lee", true)); h.Staff != "lee" {
		t.Errorf("taken over: %+v", h)
	}
	if h := must(s.Assign(ctx, q.ID, "lee", "kim", "you know the board")); !h.Given() || h.Staff != "kim" {
		t.Errorf("given: %+v", h)
	}
	if _, err := s.Assign(ctx, q.ID, "lee", "pat", ""); !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), "take it over before") {
		t.Errorf("giving away what is somebody else's: %v", err)
	}
	clk.set(noon.AddDate(0, 0, 3))
	if _, err := x.decide("pat", "confirm", q.Case, seen); !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), "lee gave it") {
		t.Errorf("what was given does not run out: %v", err)
	}
	x.must(x.decide("kim", "confirm", q.Case, seen))
	var steps []string
	for _, s := range must(s.Dossier(ctx, q.ID, "")).Handed {
		steps = append(steps, fmt.Sprintf("%s %s %s<%s", s.Staff, s.Do, s.To, s.From))
	}
	if want := []string{"kim take kim<", "pat take pat<", "lee take_over lee<pat", "lee assign kim<lee"}; !slices.Equal(steps, want) {
		t.Errorf("on record: %q", steps)
	}
	if _, err := s.Take(ctx, q.ID, "kim", false); !errors.Is(err, directory.Conflict) {
		t.Errorf("a closed case is taken: %v", err)
	}
	for _, q := range []string{`UPDATE case_handing SET staff = 'x'`, `DELETE FROM case_handing`} {
		if _, err := s.writer.ExecContext(ctx, q); err == nil {
			t.Errorf("%s was let through", q)
		}
	}
	// Ten people who ask for the next case at once get ten different ones.
	for range 10 {
		x.person(directory.SeenActive, false)
	}
	var mu sync.Mutex
	got := map[directory.ID]int{}
	var wg sync.WaitGroup
	for i := range 10 {
		who := fmt.Sprintf("person%d", i)
		if _, err := s.ChangeStaff(ctx, directory.StaffChange{Name: who, Do: "add", Role: directory.Verifier, By: "test", Auth: "test"}); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			id, err := s.Next(ctx, CaseFilter{}, who, "")
			mu.Lock()
			defer mu.Unlock()
			if got[id]++; err != nil || id == "" {
				t.Errorf("next: %q, %v", id, err)
			}
		})
	}
	wg.Wait()
	if len(got) != 10 {
		t.Errorf("ten people got %d cases", len(got))
	}
	if id, err := s.Next(ctx, CaseFilter{}, "kim", ""); err != nil || id != "" {
		t.Errorf("an eleventh got %q, %v", id, err)
	}
	// Views.
	for _, v := range []directory.View{{Name: "late", Query: "late=1"}, {Name: "late", Query: "late=1&state=CO"}, {Name: "mine", Query: "holder=kim"}, {Name: "mine"}} {
		if err := s.SaveView(ctx, "kim", v); err != nil {
			t.Error(err)
		}
	}
	if v := must(s.Views(ctx, "kim")); len(v) != 1 || v[0] != (directory.View{Name: "late", Query: "late=1&state=CO"}) || len(must(s.Views(ctx, "pat"))) != 0 {
		t.Errorf("views %+v", v)
	}
	whole(t, s)
}

// testStages opens a store whose cases were filed under the wrong filters (migration 00023), and finds them under the
// right ones, whose they were.
func testStages(t *testing.T, c Config) {
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	adverse, _ := x.person(directory.SeenRevoked, false)
	q := x.theCase(adverse)
	x.must(x.decide("kim", "confirm", q.Case, x.claim(q.Claim).Seen))
	must(s.Take(ctx, q.ID, "lee", false))
	unclear, _ := x.person(directory.SeenIndeterminate, false)
	twice, claim := x.person(directory.SeenActive, false)
	x.must(x.decide("kim", "confirm", x.theCase(twice).Case, x.claim(claim).Seen))
	pair := x.twin(twice)
	x.must(x.decide("kim", "same", pair.Case, pair.Revision))
	of := func(s *Store) map[directory.ID]string {
		out := map[directory.ID]string{}
		for _, q := range must(s.List(ctx, CaseFilter{Limit: 99}, true)).Cases {
			var needs directory.Role
			for _, role := range []directory.Role{directory.Verifier, directory.Approver} {
				for _, y := range must(s.List(ctx, CaseFilter{Needs: role, Limit: 99}, false)).Cases {
					if y.ID == q.ID {
						needs = role
					}
				}
			}
			out[q.ID] = fmt.Sprint(q.Kind, q.Work, needs, q.Due, q.Hold != nil)
		}
		return out
	}
	want := of(s)
	for id, stage := range map[directory.ID]string{q.ID: "adversesecondapprover", x.theCase(unclear).ID: "indeterminatenewapprover", pair.ID: "possible_duplicatesecondapprover"} {
		if !strings.HasPrefix(want[id], stage) {
			t.Errorf("%s, want %s", want[id], stage)
		}
	}
	if _, err := s.writer.Exec(`UPDATE cases SET work = 'new', needs = 'verifier' WHERE closed = ''`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec(string(must(migrationFiles.ReadFile("migrations/00023_stages.sql")))); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if got := of(open(t, c)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("filed anew\n%v\nwas\n%v", got, want)
	}
}

func second[T any](_ T, err error) error { return err }

// BenchmarkQueue measures a page of the list of 10,000 open cases, with all its counts, a case's dossier, a deed rehearsed
// for its preview, and taking the next, while an import runs. It reports the 95th of a hundred.
func BenchmarkQueue(b *testing.B) {
	benchStores(b, func(b *testing.B, s *Store) {
		for name, role := range map[string]directory.Role{"kim": directory.Verifier, "lee": directory.Approver} {
			if _, err := s.ChangeStaff(ctx, directory.StaffChange{Name: name, Do: "add", Role: role, By: "bench", Auth: "bench"}); err != nil {
				b.Fatal(err)
			}
		}
		const n = 10000
		put(b, s, edition("kap-commons", "1", "2026-11-20"), people(n))
		rows := make([]directory.Record, n)
		for j := range rows {
			rows[j] = roster("LPC", fmt.Sprint(j+1), given(j)+" "+family(j), "Active", directory.SeenActive, "2027-01-31")
		}
		put(b, s, edition("co-dora", "1", "2026-11-01"), rows)
		total := must(s.List(ctx, CaseFilter{Limit: 1}, false)).Total
		if total < n*9/10 {
			b.Fatalf("%d cases wait", total)
		}
		quiet := map[string]time.Duration{}
		measure := func(b *testing.B, running bool) {
			page := must(s.List(ctx, CaseFilter{Limit: 50}, false))
			for _, x := range []struct {
				name string
				do   func(i int) error
			}{
				{"list", func(i int) error { _, err := s.List(ctx, CaseFilter{Limit: 50}, true); return err }},
				{"filtered", func(i int) error { _, err := s.List(ctx, CaseFilter{State: "TX", Limit: 50}, true); return err }},
				{"dossier", func(i int) error { _, err := s.Dossier(ctx, page.Cases[i%50].ID, "kim"); return err }},
				{"rehearsal", func(i int) error { // what a page does without where somebody else is writing
					wish := directory.Wish{Case: page.Cases[i%50].ID, Do: "clear", Field: "licence", Staff: "lee", Hurry: true}
					if page.Cases[i%50].Claim == "" {
						wish.Do = "distinct"
					}
					_, err := s.Foresee(ctx, wish)
					if directory.KindOf(err) == directory.Unavailable {
						return nil
					}
					return err
				}},
				{"next", func(i int) error { _, err := s.Next(ctx, CaseFilter{}, "kim", page.Cases[i%50].ID); return err }},
			} {
				var took []time.Duration
				for i := range 100 {
					start := time.Now()
					if err := x.do(i); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				if !running {
					quiet[x.name] = took[95]
				}
				b.ReportMetric(float64(took[95].Microseconds())/1000, x.name+"-p95-ms")
			}
		}
		b.Run("quiet", func(b *testing.B) {
			for b.Loop() {
				measure(b, false)
			}
		})
		b.Run("importing", func(b *testing.B) {
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for i := 0; ; i++ {
					for j := range rows {
						rows[j].Licence.Expires = directory.Date(fmt.Sprintf("2027-01-%02d", i%28+1))
						rows[j].Fields = map[string]string{"status": "ACTIVE", "expires": string(rows[j].Licence.Expires)}
					}
					for k := 0; k < len(rows); k += 2000 {
						select {
						case <-stop:
							return
						default:
						}
						part := slices.Clone(rows[k : k+2000])
						if _, err := loadErr(s, edition("co-dora", fmt.Sprint("again", i, ".", k), "2026-11-01"), part...); err != nil {
							b.Error(err)
							return
						}
					}
				}
			}()
			for b.Loop() {
				measure(b, true)
			}
			close(stop)
			<-done
		})
	})
}

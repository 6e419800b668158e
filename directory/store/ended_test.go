package store

import (
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kapdir/directory"
)

// touch lets time take effect, so many providers at a time.
func touch(t testing.TB, s *Store, limit int) {
	t.Helper()
	for n := limit; n == limit; {
		n = must(s.TouchDue(ctx, s.now(), limit))
	}
}

// endsHold holds the cases that time opens to what Derive says of every claim: of a provider with a public page one
// waits of that kind and none of the other, of anybody else none. It returns how many wait.
func endsHold(t interface{ Fatalf(string, ...any) }, tb testing.TB, s *Store) map[directory.CaseKind]int {
	tb.Helper()
	type open struct {
		kind  directory.CaseKind
		event int64
		waits bool
	}
	count := map[directory.CaseKind]int{}
	err := s.read(ctx, "test", func(x *tx) error {
		held, err := everyone(x)
		if err != nil {
			return err
		}
		cases := map[directory.ID][]open{}
		if err := x.each(`SELECT kind, claim, event, hidden, provider FROM cases WHERE closed = '' AND due > '' AND kind IN ('expired', 'expiring')`, nil, func(r *sql.Rows) error {
			var c open
			var claim, provider directory.ID
			var hidden int
			err := r.Scan(&c.kind, &claim, &c.event, &hidden, &provider)
			c.waits = hidden < 2
			if h := held[provider]; h != nil && c.waits != h.public() {
				t.Fatalf("a case of the kind %s waits: %v, and the provider has a page: %v", c.kind, c.waits, h.public())
			}
			cases[claim] = append(cases[claim], c)
			return err
		}); err != nil {
			return err
		}
		known := knownAt(tb, s)
		for _, h := range held {
			for _, hist := range h.file.Claims {
				var have []open
				for _, id := range append([]directory.ID{hist.Claim.ID}, hist.Also...) {
					have = append(have, cases[id]...)
				}
				st := directory.Derive(hist, s.now(), known, s.config.Policies)
				want := st.Ends()
				if byDate := st.Status == directory.StatusExpired && slices.Contains(st.Reasons, directory.ReasonExpired); (byDate || st.Status == directory.StatusExpiring) != (want != "") &&
					(st.Class == directory.ClassSource || st.Class == directory.ClassDocument) {
					t.Fatalf("%s %v asks for %q", st.Status, st.Reasons, want)
				}
				if !h.public() { // whoever comes back is told of what came meanwhile
					continue
				}
				switch {
				case want == "" && len(have) > 0, want != "" && (len(have) != 1 || have[0].kind != want || have[0].event != st.Basis.Seq):
					t.Fatalf("%s of %s is %s %v, and open are %+v", hist.Claim.Words(), h.file.Provider.DisplayName(), st.Status, st.Reasons, have)
				}
				if want != "" {
					count[want]++
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	for kind, n := range count {
		if got := must(s.List(ctx, CaseFilter{Kind: kind, Limit: 1}, true)).Total; got != n {
			t.Fatalf("the list counts %d of the kind %s, there are %d", got, kind, n)
		}
	}
	return count
}

// ofTime returns the cases that time opened about a provider, as "kind state", closed ones too.
func (x *trial) ofTime(provider directory.ID) (out []string) {
	x.t.Helper()
	list, _, err := x.s.Queue(ctx, CaseFilter{Provider: provider, All: true, Limit: 99})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, q := range list {
		if q.Kind.ByTime() {
			state := "open"
			if q.Closed != "" {
				state = "closed"
			}
			out = append(out, string(q.Kind)+" "+state)
		}
	}
	slices.Sort(out)
	return out
}

// testEnded follows one licence that ends: what opens, what can be done about it, and what closes it.
func testEnded(t *testing.T, c Config) {
	clk := newClock()
	c.Now, c.Standing = clk.now, sheetWords
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), dora(), cara())
	sheet := &sheetTrial{t, s, clk}
	id := find(t, s, "Dora Lane").Provider.ID
	look := func(who string, change func(*directory.LookUp)) directory.LookUpOutcome {
		t.Helper()
		h, _ := sheet.lmft()
		l := directory.LookUp{Line: 1, Source: "ca-dca", Provider: id, Claim: h.Claim.ID, Kind: directory.License, Revision: h.Newest(), At: s.now(), LookedAt: string(s.now()),
			Found: "yes", Words: "Current", Number: h.Claim.Number.Shown, Name: "Dora Lane"}
		change(&l)
		out := must(s.BringIn(ctx, who, "test", []directory.LookUp{l}, false))
		if out[0].Became == directory.BecameWrong {
			t.Fatalf("%s: %s", out[0].Field, out[0].Reason)
		}
		return out[0]
	}
	ends := func(day directory.Date) func(*directory.LookUp) {
		return func(l *directory.LookUp) { l.Expires = day }
	}
	confirm := func(who string) {
		t.Helper()
		q := x.caseOfAny(id)
		x.must(x.decide(who, "confirm", q.Case, must(s.Dossier(ctx, q.ID, "")).Seen))
	}
	expect := func(when string, want ...string) {
		t.Helper()
		touch(t, s, 100)
		endsHold(t, t, s)
		if got := x.ofTime(id); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	look("kim", ends("2027-02-10"))
	confirm("pat")
	expect("verified")
	// The window of the policy is 45 days.
	clk.set(time.Date(2026, 12, 30, 12, 0, 0, 0, time.UTC))
	expect("in the window", "expiring open")
	q := x.caseOf(id, directory.CaseExpiring)
	if q.Source != "ca-dca" || q.State != "CA" || q.Due != "2027-01-14" || q.Work != directory.WorkNew || fmt.Sprint(q.Need.From) != "[kim lee pat]" && len(q.Need.From) == 0 {
		t.Errorf("expiring: %+v", q)
	}
	if list := must(s.List(ctx, CaseFilter{Source: "ca-dca", State: "CA", Kind: directory.CaseExpiring, Limit: 9}, true)); list.Total != 1 {
		t.Errorf("the filters find %d", list.Total)
	}
	d := must(s.Dossier(ctx, q.ID, "kim"))
	if d.Ends == nil || d.Ends.Day != "2027-02-10" || d.Ends.Source != "ca-dca" || d.Ends.Looked.Date() != "2026-11-23" || d.Ends.Since.Date() != "2026-12-28" {
		t.Errorf("what its page says: %+v", d.Ends)
	}
	var offered []string
	for _, ch := range d.Choices {
		offered = append(offered, ch.Decision+ch.Refused)
	}
	if !d.Waits || fmt.Sprint(offered) != "[look_up could_not_look]" || len(d.Others) != 0 || d.Row == nil {
		t.Errorf("offered %q, waits %v, others %+v, row %+v", offered, d.Waits, d.Others, d.Row)
	}
	// Nothing that is no evidence moves it: neither a review of what was settled long ago, nor an attempt.
	before := publicChecks(t, s, find(t, s, "Dora Lane"))
	for _, deed := range []string{"confirm", "clear", "return", "distinct", "same", "keep"} {
		if _, err := s.Decide(ctx, directory.Decision{Case: q.ID, Seen: d.Seen, Staff: "lee", Auth: "test", Decision: deed, Field: "npi", Note: "n"}); directory.KindOf(err) != directory.Invalid {
			t.Errorf("%s was let through: %v", deed, err)
		}
	}
	must(s.Contact(ctx, directory.ContactCheck{Case: q.ID, Staff: "kim", Method: "phone", SpokeTo: "the clerk", Contact: "916 555 0100", From: "the board's page", Said: "Call on Monday."}))
	look("kim", func(l *directory.LookUp) {
		l.Found, l.Words, l.Number, l.Name, l.Case = "could_not_look", "", "", "", q.ID
	})
	if publicChecks(t, s, find(t, s, "Dora Lane")) != before {
		t.Error("an attempt changed what the public reads")
	}
	q = x.caseOf(id, directory.CaseExpiring)
	d = must(s.Dossier(ctx, q.ID, "kim"))
	if q.Work != directory.WorkReturned || q.Need.Returned != "kim" || q.Due != q.Need.Due || q.Due != "2027-01-07" || fmt.Sprint(d.Need) != fmt.Sprint(q.Need) {
		t.Errorf("after an attempt: %s due %s, %+v; its page %+v", q.Work, q.Due, q.Need, d.Need)
	}
	if h, _ := sheet.lmft(); len(h.Events[len(h.Events)-1].Evidence) != 2 {
		t.Errorf("what was filed with the case is no evidence of the look-up: %v", h.Events[len(h.Events)-1].Evidence)
	}
	expect("after an attempt", "expiring open")
	// The register says what it said: the case goes on, and is due anew.
	clk.days(1)
	look("kim", ends("2027-02-10"))
	expect("looked up, not renewed yet", "expiring open")
	if q = x.caseOf(id, directory.CaseExpiring); q.Work != directory.WorkNew || q.Due != "2027-01-15" || q.Need.Returned != "" {
		t.Errorf("looked up: %+v", q)
	}
	must(s.Take(ctx, q.ID, "kim", false))
	// It ends: the case about that closes, and another says that it has ended.
	clk.set(time.Date(2027, 2, 12, 12, 0, 0, 0, time.UTC))
	expect("ended", "expired open", "expiring closed")
	q = x.caseOf(id, directory.CaseExpired)
	if d = must(s.Dossier(ctx, q.ID, "")); d.Ends == nil || d.Ends.Newer != 0 || d.Ends.Day != "2027-02-10" || d.Ends.Since.Date() != "2027-02-11" || q.Opened != directory.At(clk.now()) {
		t.Errorf("expired: %+v %+v", d.Ends, q)
	}
	// Renewed: that waits for somebody else, and until then the page says what it said.
	look("kim", ends("2029-02-28"))
	expect("renewed, not confirmed", "expired open", "expiring closed")
	if d = must(s.Dossier(ctx, q.ID, "")); d.Ends == nil || d.Ends.Newer != d.History[len(d.History)-1].Seq {
		t.Errorf("looked up, and it does not say so: %+v", d.Ends)
	}
	for who, want := range map[string]bool{"kim": false, "pat": true} { // who read it does not confirm it
		if id, err := s.Next(ctx, CaseFilter{Kind: directory.CaseChange}, who, ""); err != nil || (id != "") != want {
			t.Errorf("next for %s: %q, %v", who, id, err)
		}
	}
	confirm("pat")
	expect("renewed", "expired closed", "expiring closed")
	if d = must(s.Dossier(ctx, q.ID, "")); d.Waits || d.Ends != nil || len(d.Choices) != 0 {
		t.Errorf("closed, and its page says %+v %+v", d.Ends, d.Choices)
	}
	// Two years later the same again, by the same cases: each is opened anew.
	clk.set(time.Date(2029, 2, 1, 12, 0, 0, 0, time.UTC)) // stale comes before expiring: nobody has looked for two years
	expect("stale", "expired closed", "expiring closed")
	clk.set(time.Date(2029, 3, 2, 12, 0, 0, 0, time.UTC))
	expect("ended again", "expired open", "expiring closed")
	if again := x.caseOf(id, directory.CaseExpired); again.ID != q.ID || again.Opened != directory.At(clk.now()) || again.Due != "2029-03-16" {
		t.Errorf("opened again: %+v", again)
	}
	// Hidden, nobody waits for it; shown again, it waits.
	e := x.must(s.Act(ctx, directory.Act{Do: directory.Withdrawal, Staff: "lee", Auth: "test", Provider: id, Note: "asked"}))
	endsHold(t, t, s)
	if n := must(s.List(ctx, CaseFilter{Kind: directory.CaseExpired, Limit: 1}, true)).Total; n != 0 {
		t.Error("somebody hidden waits for a look-up")
	}
	x.must(s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: id, Of: e.Seq, Seen: e.Seq, Note: "in error"}))
	expect("shown again", "expired open", "expiring closed")
	// Joined with somebody and parted again, one waits.
	load(t, s, edition("open-clinics", "1", "2026-11-21"), from("open-clinics", listing("twin", "Dora Lane", func(l *directory.Listing) {
		l.Sites = []directory.Site{{Address: directory.Address{State: "CA"}}}
	})))
	pair := x.caseOf(id, directory.CaseDuplicate)
	x.must(x.decide("pat", "same", pair.Case, pair.Revision))
	e = x.must(x.decide("noor", "same", pair.Case, pair.Revision))
	expect("joined", "expired open", "expiring closed")
	x.must(s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: id, Of: e.Seq, Seen: fileSeen(t, s, id), Note: "n"}))
	expect("parted", "expired open", "expiring closed")
	load(t, s, whole1(edition("open-clinics", "2", "2026-11-22")), from("open-clinics", listing("other", "Nina Nurse", nil)))
	// Whom no listing names has no page, and comes back with what had ended.
	load(t, s, whole1(edition("kap-commons", "2", "2029-03-01")), cara())
	endsHold(t, t, s)
	if n := must(s.List(ctx, CaseFilter{Kind: directory.CaseExpired, Limit: 1}, true)).Total; n != 0 {
		t.Error("somebody whom no listing names waits for a look-up")
	}
	load(t, s, whole1(edition("kap-commons", "3", "2029-03-02")), dora(), cara())
	expect("listed again", "expired open", "expiring closed")
	// What is disputed is being checked, which is a case of its own.
	claim := x.caseOf(id, directory.CaseExpired).Claim
	dispute := x.must(x.act("pat", directory.OpenDispute, claim, 0, func(a *directory.Act) { a.Identity = true }))
	expect("disputed", "expired closed", "expiring closed")
	x.must(x.act("lee", directory.CloseDispute, claim, dispute.Seq))
	expect("the dispute is over", "expired open", "expiring closed")
	// The register says that it has lapsed: bad news is its own kind, and once confirmed nobody needs to look again.
	look("kim", func(l *directory.LookUp) { l.Words, l.Expires = "Delinquent", "2029-02-28" })
	expect("lapsed, not confirmed", "expired closed", "expiring closed")
	confirm("pat")
	expect("lapsed", "expired closed", "expiring closed")
	if _, st := sheet.lmft(); st.Status != directory.StatusExpired {
		t.Errorf("the register says that it has lapsed, and it is %s", st.Status)
	}
	whole(t, s)
}

// caseOfAny returns the one case about a claim of the provider that waits and that time did not open.
func (x *trial) caseOfAny(provider directory.ID) (out directory.Queued) {
	x.t.Helper()
	list, _, err := x.s.Queue(ctx, CaseFilter{Provider: provider, Limit: 99})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, q := range list {
		if q.Claim != "" && !q.Kind.ByTime() {
			if out.ID != "" {
				x.t.Fatalf("several wait: %+v", list)
			}
			out = q
		}
	}
	return out
}

// testEndTogether lets the licences of many end on one day: the cases are opened in pieces, no statement is of a
// single provider, and the document of one ends with no register to look up.
func testEndTogether(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	const n = 60
	var people, rows []directory.Record
	for i := range n {
		who, number := "Given"+letters(i+1, "aa")+" Family"+letters(i+1, "bb"), fmt.Sprintf("7%04d", i)
		people = append(people, listing(fmt.Sprint("p", i), who, func(l *directory.Listing) {
			l.Sites = []directory.Site{denver("")}
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.00"+number)}
		}))
		rows = append(rows, roster("LPC", number, who, "Active", directory.SeenActive, "2027-01-31"))
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), people...)
	load(t, s, edition("co-dora", "1", "2026-11-20"), rows...)
	for _, q := range must(s.List(ctx, CaseFilter{Kind: directory.CaseFirst, Limit: 999}, false)).Cases {
		x.must(x.decide("kim", "confirm", q.Case, x.claim(q.Claim).Seen))
	}
	first := find(t, s, "Given"+letters(1, "aa")+" Family"+letters(1, "bb")).Provider.ID
	must(s.Attest(ctx, directory.Attestation{At: directory.At(noon.Add(-1e9)), Provider: directory.ProviderRef{ID: first}, By: "provider", Auth: "email_link",
		DEA: &directory.DocumentStatement{State: "CO", Expires: "2027-01-31", SHA256: strings.Repeat("ab", 32)}}))
	clk.set(time.Date(2027, 1, 2, 12, 0, 0, 0, time.UTC))
	statements := func(limit int) int {
		old, asked := tell, 0
		tell = func(q string) {
			asked++
			if old != nil {
				old(q)
			}
		}
		defer func() { tell = old }()
		if got := must(s.TouchDue(ctx, s.now(), limit)); got != limit {
			t.Fatalf("%d were due", got)
		}
		return asked
	}
	few, many := statements(4), statements(50)
	if many > few+40 {
		t.Errorf("%d statements for 4 who are due, %d for 50", few, many)
	}
	touch(t, s, 7)
	if got := endsHold(t, t, s); got[directory.CaseExpiring] != n || got[directory.CaseExpired] != 0 {
		t.Errorf("in the window: %v", got)
	}
	clk.set(time.Date(2027, 2, 2, 12, 0, 0, 0, time.UTC))
	touch(t, s, 50)
	if got := endsHold(t, t, s); got[directory.CaseExpiring] != 0 || got[directory.CaseExpired] != n+1 {
		t.Errorf("ended: %v", got)
	}
	m := must(s.Metrics(ctx, directory.At(noon)))
	for _, k := range m.Kinds {
		if k.Kind == directory.CaseExpired && k.Open != n+1 || k.Kind == directory.CaseExpiring && (k.Open != 0 || k.Closed != n) {
			t.Errorf("metrics: %+v", k)
		}
	}
	// An import that says what it said moves no case but the day by which somebody looks again.
	for i := range rows {
		rows[i].Licence.Expires = "2029-01-31"
	}
	load(t, s, edition("co-dora", "2", "2027-02-01"), rows[:n/2]...)
	if got := endsHold(t, t, s); got[directory.CaseExpired] != n+1 { // renewed, and nobody has confirmed it
		t.Errorf("renewed: %v", got)
	}
	// A document that ended is looked up nowhere: the provider is asked, and what they sent takes its place.
	for _, q := range must(s.List(ctx, CaseFilter{Kind: directory.CaseExpired, Provider: first, Limit: 9}, false)).Cases {
		if q.About.Kind != directory.DEARegistration {
			continue
		}
		d := must(s.Dossier(ctx, q.ID, "kim"))
		if len(d.Choices) != 2 || !strings.Contains(d.Choices[0].Refused, "ask the provider") || d.Ends == nil {
			t.Errorf("a document: %+v %+v", d.Choices, d.Ends)
		}
		next := directory.Date("2029-12-31")
		x.must(x.act("kim", directory.Correction, q.Claim, q.Event, func(a *directory.Act) {
			a.To = &directory.Fixed{Expires: &next, Method: "upload", Text: "the new certificate"}
		}))
	}
	if got := endsHold(t, t, s); got[directory.CaseExpired] != n {
		t.Errorf("with a new document: %v", got)
	}
	whole(t, s)
}

// testReordered opens a store whose cases stood in another order (migration 00027).
func testReordered(t *testing.T, c Config) {
	s := open(t, c)
	for i, k := range directory.CaseKinds {
		err := s.write(ctx, "test", func(w *work) error {
			return w.insertCases([][]any{{directory.NewID(directory.CasePrefix, w.now), k.Kind, fmt.Sprint("p", i), "", "s", "k", 0, "{}", w.now, "", 1, "", 0, 0, 50, "2026-12-01", "new", "verifier", ""}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	raw := string(must(migrationFiles.ReadFile("migrations/sqlite/00027_ended.sql")))
	if _, err := s.writer.Exec(regexp.MustCompile(`(?s)UPDATE cases SET harm.*?;`).FindString(raw)); err != nil {
		t.Fatal(err)
	}
	for i, k := range directory.CaseKinds {
		var harm int
		if err := s.reader.QueryRow(`SELECT harm FROM cases WHERE kind = $1`, string(k.Kind)).Scan(&harm); err != nil || harm != i {
			t.Errorf("%s stands at %d, want %d (%v)", k.Kind, harm, i, err)
		}
	}
	// The order: what stands against somebody, what has ended, whom it is about, what is there no longer, what was
	// asked for, what is about to end, what is new.
	order := []directory.CaseKind{directory.CaseAdverse, directory.CaseExpired, directory.CaseConflict, directory.CaseDuplicate, directory.CaseChange, directory.CaseRemoval, directory.CaseExpiring, directory.CaseFirst}
	if !slices.IsSortedFunc(order, func(a, b directory.CaseKind) int { return harmOf(a) - harmOf(b) }) {
		t.Errorf("the kinds stand in another order: %v", directory.CaseKinds)
	}
}

// testEndedWalk walks through time and evidence at random.
func testEndedWalk(t *testing.T, fresh func(testing.TB) Config) {
	seen := map[directory.CaseKind]int{}
	defer func() { t.Logf("cases seen: %v", seen) }()
	checkTimes(t, "12", func(r *rapid.T) {
		clk := newClock()
		c := fresh(t)
		c.Now, c.Standing = clk.now, sheetWords
		s := open(t, c)
		defer s.Close()
		hire(t, s)
		lane := func() directory.Record { r := dora(); r.Listing.NPI = danNPI; return r }
		load(t, s, edition("kap-commons", "1", "2026-11-20"), lane(), ana(), ben())
		id := tryFind(s, "Dora Lane")
		days := []directory.Date{"2026-12-01", "2026-12-20", "2027-01-15", "2027-03-01", "2027-04-30", "2028-08-31"}
		load(t, s, edition("co-dora", "1", "2026-11-20"), roster("CSW", "12345", "Ana Ruiz", "active", directory.SeenActive, rapid.SampledFrom(days).Draw(r, "Ana's")),
			roster("LPC", "5551", "Ben Carter", "active", directory.SeenActive, rapid.SampledFrom(days).Draw(r, "Ben's")))
		for _, q := range must(s.Cases(ctx, true, 9)) {
			_, _ = s.Decide(ctx, directory.Decision{Case: q.ID, Seen: must(s.Dossier(ctx, q.ID, "")).Seen, Staff: "kim", Auth: "test", Decision: "confirm"})
		}
		var hidden int64
		n := 1
		names := []string{"Dora Lane", "Ana Ruiz", "Ben Carter"}
		for range rapid.IntRange(6, 16).Draw(r, "steps") {
			n++
			switch rapid.IntRange(0, 9).Draw(r, "what") {
			case 0, 1:
				var rows []directory.Record
				for i, who := range []struct{ kind, number, name string }{{"CSW", "12345", "Ana Ruiz"}, {"LPC", "5551", "Ben Carter"}} {
					state := rapid.SampledFrom([]directory.Observed{"", directory.SeenActive, directory.SeenActive, directory.SeenActive, directory.SeenSuspended, directory.SeenExpired}).Draw(r, fmt.Sprint("state", i))
					if state != "" {
						rows = append(rows, roster(who.kind, who.number, who.name, string(state), state, rapid.SampledFrom(days).Draw(r, "ends")))
					}
				}
				load(t, s, edition("co-dora", fmt.Sprint(n), directory.At(clk.now()).Date()), append(rows, stranger(1, "Active"))...)
			case 2, 3:
				decideAnything(r, s)
				decideAnything(r, s)
			case 4, 5:
				clk.days(rapid.IntRange(10, 50).Draw(r, "days"))
			case 6:
				if hidden != 0 {
					continue
				}
				h, _ := licenceOf(t, s, "Dora Lane", "CA")
				l := directory.LookUp{Line: 1, Source: "ca-dca", Provider: h.Claim.Provider, Claim: h.Claim.ID, Kind: directory.License, Revision: h.Newest(), At: s.now(), LookedAt: string(s.now()),
					Found: rapid.SampledFrom([]string{"yes", "yes", "no", "could_not_look"}).Draw(r, "found"), Number: h.Claim.Number.Shown, Name: "Dora Lane",
					Words: rapid.SampledFrom([]string{"Current", "Current", "Delinquent", "Revoked"}).Draw(r, "words"), Expires: rapid.SampledFrom(days).Draw(r, "until")}
				must(s.BringIn(ctx, rapid.SampledFrom([]string{"kim", "lee"}).Draw(r, "who"), "test", []directory.LookUp{l}, false))
			case 7:
				if hidden == 0 {
					if e, err := s.Act(ctx, directory.Act{Do: directory.Withdrawal, Staff: "lee", Auth: "test", Provider: id, Note: "n"}); err == nil {
						hidden = e.Seq
					}
				} else if _, err := s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: id, Of: hidden, Seen: fileSeen(t, s, id), Note: "n"}); err == nil {
					hidden = 0
				}
			case 8:
				listed := []directory.Record{lane()}
				for i, who := range []directory.Record{ana(), ben()} {
					if rapid.Bool().Draw(r, fmt.Sprint("listed", i)) {
						listed = append(listed, who)
					}
				}
				load(t, s, whole1(edition("kap-commons", fmt.Sprint(n), "2026-11-20")), listed...)
			case 9:
				if f := tryFind(s, rapid.SampledFrom(names).Draw(r, "sends")); f != "" {
					_, _ = s.Attest(ctx, directory.Attestation{At: s.now(), Provider: directory.ProviderRef{ID: f}, By: "provider", Auth: "email_link",
						DEA: &directory.DocumentStatement{State: "CO", Expires: rapid.SampledFrom(days).Draw(r, "paper"), SHA256: fmt.Sprintf("%064d", n)}})
				}
			}
			touch(t, s, rapid.IntRange(1, 5).Draw(r, "at a time"))
			for kind, n := range endsHold(r, t, s) {
				seen[kind] += n
			}
		}
		whole(t, s)
	})
}

// tryFind returns whom a listing names, if they have a page.
func tryFind(s *Store, who string) (out directory.ID) {
	_ = s.EachFile(ctx, func(f *directory.CredentialFile) error {
		if f.Provider.DisplayName() == who {
			out = f.Provider.ID
		}
		return nil
	})
	return out
}

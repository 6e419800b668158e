package store

import (
	"cmp"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// announce makes every notice there is to make and returns those of greater number than the last, as they may be told now.
func announce(t testing.TB, s *Store, last int64) (out []directory.Notice) {
	t.Helper()
	for {
		read, _, err := s.Announce(ctx, 2) // in many steps
		if err != nil {
			t.Fatal(err)
		}
		if read == 0 {
			break
		}
	}
	return noticesAfter(t, s, last)
}

func noticesAfter(t testing.TB, s *Store, last int64) (out []directory.Notice) {
	t.Helper()
	err := s.read(ctx, "test", func(x *tx) error {
		if err := x.each(`SELECT `+noticeColumns+` FROM notice WHERE seq > $1 ORDER BY seq`, []any{last}, func(r *sql.Rows) error {
			n, err := scanNotice(r)
			out = append(out, n)
			return err
		}); err != nil {
			return err
		}
		for i := range out {
			if err := s.tellable(x, &out[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// saidIn writes what notices say, by the names of the providers.
func saidIn(names map[directory.ID]string, list []directory.Notice) (out []string) {
	for _, n := range list {
		line := fmt.Sprint(n.Type, " ", names[n.Provider])
		for _, c := range n.Changes {
			line += fmt.Sprintf("; %s %s %s>%s", c.State, c.Check, c.From, c.To)
			if c.AsOf != "" || c.ValidUntil != "" {
				line += fmt.Sprintf(" %s until %s", string(c.AsOf), string(c.ValidUntil.Date()))
			}
		}
		out = append(out, line)
	}
	return out
}

func testAnnounce(t *testing.T, c Config) {
	c.Dir = cmp.Or(c.Dir, t.TempDir()) // for the key of removals
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	names := map[directory.ID]string{}
	var last int64
	var all []directory.Notice
	want := func(what string, lines ...string) {
		t.Helper()
		got := announce(t, s, last)
		for _, who := range []string{"Ana Ruiz", "Ben Carter", "Cara Smith", "Maria Lopez"} {
			if f := lookup(t, s, who); f != nil {
				names[f.Provider.ID] = who
			}
		}
		if d := gocmp.Diff(lines, saidIn(names, got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
		for _, n := range got {
			if n.Number <= last || n.At != s.now() || n.Known < n.At || !strings.HasPrefix(string(n.ID), "evt_") {
				t.Errorf("after %d: %+v", last, n)
			}
			if i := slices.IndexFunc(all, func(o directory.Notice) bool { return o.Provider == n.Provider }); (i >= 0) != (n.Previous != nil) {
				t.Errorf("the one before %+v is %+v", n, n.Previous)
			}
			last, all = n.Number, append(all, n)
		}
	}
	want("an empty store")
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben())
	want("listed", "provider.listed Ana Ruiz", "provider.listed Maria Lopez", "provider.listed Ben Carter")
	want("nothing")
	clk.set(noon.Add(time.Hour))
	load(t, s, edition("kap-commons", "2", "2026-11-21"), ana(), ben(), cara())
	want("one more, the others the same", "provider.listed Cara Smith")
	clk.set(noon.Add(2 * time.Hour))
	load(t, s, edition("co-dora", "1", "2026-11-22"), roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-01-31"))
	want("a licence that nobody has looked at yet")
	must(s.Decide(ctx, directory.Decision{At: s.now(), Staff: "kim", Auth: "x", Provider: directory.ProviderRef{ID: find(t, s, "Ana Ruiz").Provider.ID}, Kind: directory.License, Decision: "confirm"}))
	want("confirmed", "provider.status_changed Ana Ruiz; CO license stated_in_listing>confirmed 2026-11-22 until 2026-12-18")
	clk.set(noon.Add(3 * time.Hour))
	load(t, s, edition("co-dora", "2", "2026-11-23"), roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-01-31"))
	want("looked at again") // its dates move, and no result
	// Time alone, and nobody else's word.
	clk.set(time.Date(2027, 2, 1, 6, 59, 59, 0, time.UTC)) // the last day of January in Denver
	must(s.TouchDue(ctx, s.now(), 100))
	before := announce(t, s, last)
	if slices.ContainsFunc(before, func(n directory.Notice) bool {
		return slices.ContainsFunc(n.Changes, func(c directory.CheckChange) bool { return c.Check == directory.CheckLicense })
	}) {
		t.Errorf("on the last day: %v", saidIn(names, before))
	}
	for _, n := range before {
		last, all = n.Number, append(all, n)
	}
	clk.set(time.Date(2027, 2, 1, 7, 0, 0, 0, time.UTC))
	must(s.TouchDue(ctx, s.now(), 100))
	want("at midnight", "provider.status_changed Ana Ruiz; CO license confirmed>not_met 2026-11-23 until ; CO record not_checked>not_met 2026-11-20 until 2027-02-21; - record not_checked>not_met 2026-11-20 until 2027-02-21")
	// Two who are one, and one who asks to go.
	ana, benID := find(t, s, "Ana Ruiz").Provider.ID, find(t, s, "Ben Carter").Provider.ID
	q := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: ana, Words: "go", Contact: "a@x.example"}))
	want("a request alone")
	must(s.DecideRemoval(ctx, directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "lee", Auth: "local", Note: "n"}))
	for _, table := range []string{"notice WHERE changes <> ''", "announced WHERE doc <> ''"} {
		var n int
		if err := s.reader.QueryRow(`SELECT count(*) FROM `+table+` AND provider = $1`, ana).Scan(&n); err != nil || n != 0 {
			t.Errorf("after a removal, before anybody serves: %d of %s, %v", n, table, err)
		}
	}
	want("removed", "provider.removed Ana Ruiz")
	if n := all[len(all)-1]; n.MergedInto != "" || len(n.Changes) != 0 {
		t.Errorf("a tombstone says more than that: %+v", n)
	}
	if _, err := s.writer.Exec(`UPDATE provider SET merged_into = $2 WHERE id = $1`, benID, find(t, s, "Cara Smith").Provider.ID); err != nil {
		t.Fatal(err)
	}
	renumber(t, s, benID)
	want("merged", "provider.removed Ben Carter")
	if n := all[len(all)-1]; n.MergedInto != find(t, s, "Cara Smith").Provider.ID {
		t.Errorf("merged into %q", n.MergedInto)
	}
	// They keep their ids, and the newest of each provider is kept for as long as there is one.
	again := noticesAfter(t, s, 0)
	for i, n := range again {
		if n.ID != all[i].ID || n.Number != all[i].Number || n.Type != all[i].Type {
			t.Errorf("%+v was %+v", n, all[i])
		}
	}
	if len(again) != len(all) {
		t.Errorf("%d notices of %d", len(again), len(all))
	}
	clk.set(clk.now().AddDate(0, 0, directory.NoticeDays+1))
	must0(t, s.SweepNotices(ctx, s.now()))
	newest := map[directory.ID]int64{}
	for _, n := range all {
		newest[n.Provider] = n.Number
	}
	kept := noticesAfter(t, s, 0)
	for _, n := range kept {
		if newest[n.Provider] != n.Number {
			t.Errorf("kept: %+v", n)
		}
	}
	if len(kept) != len(newest) {
		t.Errorf("%d are kept of %d", len(kept), len(newest))
	}
	whole(t, s)
}

// renumber writes a change of the provider as a transaction does.
func renumber(t testing.TB, s *Store, id directory.ID) {
	t.Helper()
	err := s.write(ctx, "test", func(w *work) error {
		h, _, err := w.take(1, true)
		if err != nil {
			return err
		}
		if err := w.insert(`INSERT INTO change (seq, provider, why)`, [][]any{{h.Seq, id, "test"}}, ""); err != nil {
			return err
		}
		_, err = w.exec(`UPDATE provider SET seq = $2 WHERE id = $1`, id, h.Seq)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// testTakenBack: what was found against somebody and turned out to be another's is told by no notice, however late it
// comes; not even that something was told before.
func testTakenBack(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	provider, claim := x.person(directory.SeenRevoked, false)
	q := x.theCase(provider)
	names := map[directory.ID]string{provider: "they"}
	announce(t, s, 0)
	step := func(d time.Duration, staff, decision string) {
		clk.set(noon.Add(d))
		x.must(x.decide(staff, decision, q.Case, x.claim(claim).Seen))
		announce(t, s, 0)
	}
	step(time.Minute, "kim", "confirm")
	step(2*time.Minute, "lee", "confirm")
	bad := func(list []directory.Notice) bool {
		return strings.Contains(fmt.Sprint(saidIn(names, list)), string(directory.ProblemOnRecord))
	}
	found := noticesAfter(t, s, 0)
	if !bad(found) {
		t.Fatalf("found against them: %v", saidIn(names, found))
	}
	step(3*time.Minute, "kim", "clear")
	if now := noticesAfter(t, s, 0); gocmp.Diff(saidIn(names, found), saidIn(names, now)) != "" {
		t.Errorf("cleared by one of two: %s", gocmp.Diff(saidIn(names, found), saidIn(names, now)))
	}
	step(4*time.Minute, "noor", "clear")
	after := noticesAfter(t, s, 0)
	if bad(after) {
		t.Errorf("cleared by two: %v", saidIn(names, after))
	}
	last := after[len(after)-1]
	if len(after) != len(found)+1 || last.Type != directory.NoticeStatus || len(last.Changes) == 0 || last.Changes[0].From != "" || last.Changes[0].To != directory.StatedInListing {
		t.Errorf("the newest: %v", saidIn(names, after[len(found):]))
	}
	for i, n := range found {
		if after[i].ID != n.ID {
			t.Errorf("%+v was %+v", after[i], n)
		}
	}
}

// testNameOnlyNotices: a name on an exclusion list, with no identifier that agrees, is announced of nobody.
func testNameOnlyNotices(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara(), ana())
	before := announce(t, s, 0)
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("c", "Cara Smith", ""))
	for _, n := range announce(t, s, before[len(before)-1].Number) {
		if n.Provider == find(t, s, "Cara Smith").Provider.ID {
			t.Errorf("a name alone is announced: %+v", n)
		}
	}
	if !standing(t, s, find(t, s, "Cara Smith"), directory.ExclusionScreen, "leie").Candidate {
		t.Error("there is no candidate")
	}
}

// partners adds integrators with a webhook each.
func partners(t testing.TB, s *Store, names ...directory.IntegratorID) map[directory.IntegratorID]directory.Hook {
	t.Helper()
	out := map[directory.IntegratorID]directory.Hook{}
	for _, id := range names {
		must(s.AddIntegrator(ctx, directory.Integrator{ID: id, Name: "The " + string(id)}, "account test", s.now()))
		_, h, err := s.AddHook(ctx, id, directory.Hook{URL: "https://" + string(id) + ".example/hook"}, "account test", s.now())
		if err != nil {
			t.Fatal(err)
		}
		out[id] = h
	}
	return out
}

func testHooks(t *testing.T, c Config) {
	c.Dir = cmp.Or(c.Dir, t.TempDir()) // for the key of secrets
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	h := partners(t, s, "acme")["acme"]
	for _, bad := range []directory.Hook{{URL: "http://a.example/"}, {URL: "https://10.0.0.1/"}, {URL: "https://a.example/", Types: []directory.NoticeType{"test"}}} {
		if _, _, err := s.AddHook(ctx, "acme", bad, "account test", s.now()); directory.KindOf(err) != directory.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, _, err := s.AddHook(ctx, "acme", directory.Hook{URL: h.URL}, "account test", s.now()); directory.KindOf(err) != directory.Conflict {
		t.Errorf("the same address again: %v", err)
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben(), cara())
	list := announce(t, s, 0)
	next := func(want int64) *directory.Dispatch {
		t.Helper()
		d := must(s.Dispatch(ctx, h.ID, s.now()))
		switch due := must(s.DueHooks(ctx, s.now())); {
		case want == 0 && d != nil:
			t.Fatalf("notice %d is next", d.Notice.Number)
		case want != 0 && (d == nil || d.Notice.Number != want || !slices.Equal(due, []directory.ID{h.ID})):
			t.Fatalf("%+v is next of %v, want %d", d, due, want)
		}
		return d
	}
	taken := directory.Delivery{At: s.now(), Status: 204, Outcome: directory.OutcomeTaken}
	d := next(list[0].Number)
	if d.Attempt != 1 || len(d.Secrets) != 1 || d.URL != h.URL {
		t.Errorf("%+v", d)
	}
	next(list[0].Number) // until it was taken, however often it is asked for
	must0(t, s.Delivered(ctx, *d, taken, 0))
	must0(t, s.Delivered(ctx, *d, directory.Delivery{At: s.now(), Outcome: directory.OutcomeFailed}, 0)) // another process was slower, and changes nothing
	d = next(list[1].Number)

	// A test comes first, and moves nothing.
	test := must(s.TestHook(ctx, "acme", h.ID, "key_x", s.now()))
	if again := must(s.TestHook(ctx, "acme", h.ID, "key_x", s.now())); again != test {
		t.Errorf("two tests wait: %s %s", test, again)
	}
	if d := must(s.Dispatch(ctx, h.ID, s.now())); d.Notice.Type != directory.NoticeTest || d.Notice.ID != test {
		t.Errorf("%+v", d)
	} else {
		must0(t, s.Delivered(ctx, *d, directory.Delivery{At: s.now(), Status: 410, Outcome: directory.OutcomeGone}, 0))
	}
	must0(t, s.Delivered(ctx, *next(list[1].Number), taken, 0))

	// Two secrets sign while one replaces the other.
	secret, rotated, err := s.RotateHook(ctx, "acme", h.ID, time.Hour, "account test", s.now())
	if err != nil || rotated.OldSecret != s.now().Add(time.Hour) {
		t.Fatalf("%+v %v", rotated, err)
	}
	both := next(list[2].Number).Secrets
	if len(both) != 2 || both[0] != secret || both[1] != d.Secrets[0] {
		t.Errorf("%d secrets sign", len(both))
	}
	if b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")); err != nil || len(b) != 32 {
		t.Errorf("a secret of %d bytes, %v", len(b), err)
	}
	clk.set(noon.Add(time.Hour))
	if one := next(list[2].Number).Secrets; len(one) != 1 || one[0] != secret {
		t.Errorf("%d secrets sign after the overlap", len(one))
	}
	must0(t, s.SweepNotices(ctx, s.now()))
	for _, column := range []string{"secret", "former"} {
		var sealed string
		if err := s.reader.QueryRow(`SELECT `+column+` FROM hook WHERE id = $1`, h.ID).Scan(&sealed); err != nil || strings.Contains(sealed, secret[6:]) || (sealed == "") != (column == "former") {
			t.Errorf("%s is held as %q, %v", column, sealed, err)
		}
	}

	// What it did not ask for is passed over; a replay brings what it asks for again.
	must0(t, s.Delivered(ctx, *next(list[2].Number), taken, 0))
	must0(t, s.Delivered(ctx, *next(list[3].Number), taken, 0))
	next(0)
	_, narrow, err := s.AddHook(ctx, "acme", directory.Hook{URL: "https://acme.example/two", Types: []directory.NoticeType{directory.NoticeRemoved}}, "account test", s.now())
	if err != nil {
		t.Fatal(err)
	}
	must(s.ReplayHook(ctx, "acme", narrow.ID, 0, "account test", s.now()))
	if d := must(s.Dispatch(ctx, narrow.ID, s.now())); d != nil {
		t.Errorf("%+v", d)
	}
	if x := must(s.Hook(ctx, "acme", narrow.ID)); x.Cursor != list[3].Number || len(must(s.DueHooks(ctx, s.now()))) != 0 {
		t.Errorf("%+v", x)
	}
	must(s.ReplayHook(ctx, "acme", h.ID, list[1].Number, "account test", s.now()))
	d = next(list[1].Number)
	must(s.ReplayHook(ctx, "acme", h.ID, list[3].Number, "account test", s.now()))
	must0(t, s.Delivered(ctx, *d, taken, 0)) // somebody moved it meanwhile
	next(list[3].Number)

	log := must(s.HookLog(ctx, "acme", h.ID, 0, 100))
	var outcomes []string
	for _, x := range log {
		outcomes = append(outcomes, fmt.Sprint(x.Number, x.Type, x.Change, x.Outcome))
	}
	if d := gocmp.Diff([]string{
		fmt.Sprint(7, "provider.listed", list[1].Number, "taken"), fmt.Sprint(6, "provider.listed", list[3].Number, "taken"), fmt.Sprint(5, "provider.listed", list[2].Number, "taken"),
		fmt.Sprint(4, "provider.listed", list[1].Number, "taken"), fmt.Sprint(3, "test", 0, "gone"), fmt.Sprint(2, "provider.listed", list[0].Number, "failed"),
		fmt.Sprint(1, "provider.listed", list[0].Number, "taken")}, outcomes); d != "" {
		t.Errorf("the log (-want +got):\n%s", d)
	}
	if page := must(s.HookLog(ctx, "acme", h.ID, 3, 1)); len(page) != 1 || page[0].Number != 2 {
		t.Errorf("%+v", page)
	}
	clk.set(noon.AddDate(0, 0, directory.LogDays).Add(time.Second))
	must0(t, s.SweepNotices(ctx, s.now()))
	if left := must(s.HookLog(ctx, "acme", h.ID, 0, 100)); len(left) != 0 {
		t.Errorf("%d attempts are kept after %d days", len(left), directory.LogDays)
	}

	// Ended is ended, and its secrets are gone.
	must(s.EndHook(ctx, "acme", h.ID, "account test", s.now()))
	for _, err := range []error{failure(s.EndHook(ctx, "acme", h.ID, "account test", s.now())), failure(s.TestHook(ctx, "acme", h.ID, "account test", s.now())), failure(s.ReplayHook(ctx, "acme", h.ID, 0, "account test", s.now()))} {
		if !errors.Is(err, directory.Conflict) {
			t.Errorf("of one that ended: %v", err)
		}
	}
	next(0)
	must(s.EndIntegrator(ctx, "acme", "account test", s.now()))
	for _, x := range must(s.Hooks(ctx, "acme")) {
		if x.State != directory.HookEnded {
			t.Errorf("of a partner that ended: %+v", x)
		}
	}
	var secrets int
	if err := s.reader.QueryRow(`SELECT count(*) FROM hook WHERE secret <> '' OR former <> ''`).Scan(&secrets); err != nil || secrets != 0 {
		t.Errorf("%d secrets are left, %v", secrets, err)
	}
}

func failure[T any](_ T, err error) error { return err }

// testFailingHook: a notice is tried again for more than a day before the webhook is failing, and then seldom; nothing
// comes after it before it was taken. A receiver that took nothing for a month, or says 410, is called no more.
func testFailingHook(t *testing.T, c Config) {
	c.Dir = cmp.Or(c.Dir, t.TempDir()) // for the key of secrets
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	h := partners(t, s, "acme")["acme"]
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben(), cara())
	list := announce(t, s, 0)
	first := noon
	var waits []time.Duration
	for h.State != directory.HookStopped {
		d := must(s.Dispatch(ctx, h.ID, s.now()))
		if d == nil || d.Notice.Number != list[0].Number || d.Attempt != len(waits)+1 {
			t.Fatalf("attempt %d: %+v", len(waits)+1, d)
		}
		must0(t, s.Delivered(ctx, *d, directory.Delivery{At: s.now(), Outcome: directory.OutcomeFailed, Why: "no answer"}, 0))
		h = must(s.Hook(ctx, "acme", h.ID))
		age := clk.now().Sub(first)
		if (h.State == directory.HookActive) != (age < 24*time.Hour) {
			t.Fatalf("%s after %s", h.State, age)
		}
		if h.Next == "" {
			break
		}
		waits = append(waits, h.Next.Time().Sub(clk.now()))
		clk.set(h.Next.Time().Add(-time.Millisecond))
		if d := must(s.Dispatch(ctx, h.ID, s.now())); d != nil || len(must(s.DueHooks(ctx, s.now()))) != 0 {
			t.Fatalf("before its time: %+v", d)
		}
		clk.set(h.Next.Time())
	}
	if age := clk.now().Sub(first); age < directory.HookPatience || age > directory.HookPatience+12*time.Hour || len(waits) < 60 {
		t.Errorf("given up after %s and %d attempts", age, len(waits))
	}
	if h.State != directory.HookStopped || !strings.Contains(h.Why, "taken nothing since 2026-11-23") || len(must(s.DueHooks(ctx, s.now()))) != 0 {
		t.Errorf("%+v", h)
	}
	// A test goes to it nevertheless; a replay starts it again.
	must(s.TestHook(ctx, "acme", h.ID, "account test", s.now()))
	if due := must(s.DueHooks(ctx, s.now())); len(due) != 1 {
		t.Errorf("due: %v", due)
	}
	d := must(s.Dispatch(ctx, h.ID, s.now()))
	must0(t, s.Delivered(ctx, *d, directory.Delivery{At: s.now(), Status: 200, Outcome: directory.OutcomeTaken}, 0))
	if d := must(s.Dispatch(ctx, h.ID, s.now())); d != nil {
		t.Errorf("after a test that was taken: %+v", d)
	}
	must(s.ReplayHook(ctx, "acme", h.ID, list[0].Number, "account test", s.now()))
	// Two attempts with more than a month between, in which we called nobody, are not a month of attempts.
	for range 2 {
		d = must(s.Dispatch(ctx, h.ID, s.now()))
		if d == nil || d.Notice.ID != list[0].ID {
			t.Fatalf("%+v", d)
		}
		must0(t, s.Delivered(ctx, *d, directory.Delivery{At: s.now(), Outcome: directory.OutcomeFailed, Why: "no answer"}, 0))
		clk.set(clk.now().Add(directory.HookPatience + time.Hour))
	}
	if h = must(s.Hook(ctx, "acme", h.ID)); h.State != directory.HookActive || h.Attempts != 2 {
		t.Errorf("after two attempts: %+v", h)
	}
	d = must(s.Dispatch(ctx, h.ID, s.now()))
	if d == nil || d.Notice.ID != list[0].ID || d.Attempt != 3 {
		t.Fatalf("%+v", d)
	}
	must0(t, s.Delivered(ctx, *d, directory.Delivery{At: s.now(), Status: 410, Outcome: directory.OutcomeGone}, 0))
	if h = must(s.Hook(ctx, "acme", h.ID)); h.State != directory.HookStopped || !strings.Contains(h.Why, "410") || len(must(s.DueHooks(ctx, s.now()))) != 0 {
		t.Errorf("%+v", h)
	}
	if all := must(s.AllHooks(ctx)); len(all) != 1 || all[0].State != directory.HookStopped {
		t.Errorf("staff see %+v", all)
	}
}

// testHookMatrix: what is one integrator's is not there for another, whatever is asked of it.
func testHookMatrix(t *testing.T, c Config) {
	c.Dir = cmp.Or(c.Dir, t.TempDir()) // for the key of secrets
	s := open(t, c)
	hooks := partners(t, s, "acme", "bolt")
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben())
	announce(t, s, 0)
	for _, h := range hooks {
		must0(t, s.Delivered(ctx, *must(s.Dispatch(ctx, h.ID, s.now())), directory.Delivery{At: s.now(), Outcome: directory.OutcomeTaken}, 0))
	}
	for who := range hooks {
		for whose, h := range hooks {
			asked := map[string]error{
				"read":   failure(s.Hook(ctx, who, h.ID)),
				"log":    failure(s.HookLog(ctx, who, h.ID, 0, 10)),
				"test":   failure(s.TestHook(ctx, who, h.ID, "key_x", s.now())),
				"replay": failure(s.ReplayHook(ctx, who, h.ID, 0, "key_x", s.now())),
				"rotate": func() error { _, _, err := s.RotateHook(ctx, who, h.ID, 0, "key_x", s.now()); return err }(),
			}
			for what, err := range asked {
				if (err == nil) != (who == whose) || err != nil && directory.KindOf(err) != directory.NotFound {
					t.Errorf("%s: %s of %s's: %v", who, what, whose, err)
				}
			}
		}
		list := must(s.Hooks(ctx, who))
		if len(list) != 1 || list[0].ID != hooks[who].ID || list[0].Integrator != who {
			t.Errorf("%s lists %+v", who, list)
		}
	}
	for who, h := range hooks {
		for other := range hooks {
			if other == who {
				continue
			}
			if _, err := s.EndHook(ctx, other, h.ID, "key_x", s.now()); directory.KindOf(err) != directory.NotFound {
				t.Errorf("%s ends %s's: %v", other, who, err)
			}
		}
		if x := must(s.Hook(ctx, who, h.ID)); x.State != directory.HookActive {
			t.Errorf("%+v", x)
		}
	}
}

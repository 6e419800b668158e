package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// hire adds the staff of the tests: kim and pat are verifiers, lee and noor approvers.
func hire(t testing.TB, s *Store) {
	t.Helper()
	for name, role := range map[string]directory.Role{"kim": directory.Verifier, "pat": directory.Verifier, "lee": directory.Approver, "noor": directory.Approver} {
		if _, err := s.ChangeStaff(ctx, directory.StaffChange{At: directory.At(noon.Add(-time.Hour)), Name: name, Do: "add", Role: role, By: "test", Auth: "test"}); err != nil {
			t.Fatal(err)
		}
	}
}

func testStaff(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	head, _ := s.Head(ctx)
	change := func(name, do string, role directory.Role) directory.StaffChange {
		return directory.StaffChange{Name: name, Do: do, Role: role, By: "account ops", Auth: "local"}
	}
	for i, x := range []struct {
		c    directory.StaffChange
		kind directory.ErrorKind
	}{
		{change("Rowan", "add", directory.Verifier), directory.Invalid},
		{change("r", "add", directory.Verifier), directory.Invalid},
		{change("rowan", "add", "chief"), directory.Invalid},
		{change("rowan", "hire", directory.Verifier), directory.Invalid},
		{change("rowan", "disable", ""), directory.NotFound},
		{directory.StaffChange{Name: "rowan", Do: "add", Role: directory.Verifier, Auth: "local"}, directory.Invalid},
		{directory.StaffChange{Name: "rowan", Do: "add", Role: directory.Verifier, By: "219-09-9999", Auth: "local"}, directory.Refused},
		{directory.StaffChange{Name: "rowan", Do: "add", Role: directory.Verifier, By: "x", Auth: "local", At: directory.At(noon.AddDate(0, 0, 1))}, directory.Invalid},
		{change("rowan", "add", directory.Verifier), ""},
		{change("rowan", "add", directory.Verifier), ""}, // the same again changes nothing
		{change("imani", "add", directory.Approver), ""},
	} {
		if _, err := s.ChangeStaff(ctx, x.c); directory.KindOf(err) != x.kind {
			t.Errorf("change %d: %v, want %q", i, err, x.kind)
		}
	}
	steps := []directory.StaffChange{change("rowan", "add", directory.Approver), change("rowan", "disable", ""), change("rowan", "add", directory.Verifier)}
	for i, x := range steps {
		x.At = directory.At(noon.Add(time.Duration(i+1) * time.Hour))
		steps[i] = x
		clk.set(x.At.Time())
		if _, err := s.ChangeStaff(ctx, x); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			clk.set(clk.now().Add(time.Second))
			if _, err := s.ChangeStaff(ctx, change("rowan", "disable", "")); !errors.Is(err, directory.Conflict) {
				t.Errorf("disabling twice: %v", err)
			}
		}
	}
	for _, x := range steps { // what was done before is not done again
		if _, err := s.ChangeStaff(ctx, x); err != nil {
			t.Error(err)
		}
	}
	want := []directory.StaffMember{{Name: "imani", Role: directory.Approver, Added: directory.At(noon)}, {Name: "rowan", Role: directory.Verifier, Added: directory.At(noon)}}
	if d := cmp.Diff(want, must(s.Staff(ctx))); d != "" {
		t.Errorf("staff (-want +got):\n%s", d)
	}
	var trace []string
	for _, x := range must(s.StaffChanges(ctx)) {
		trace = append(trace, fmt.Sprint(x.Do, " ", x.Name, " ", x.Role, " by ", x.By, " at ", x.At[11:13]))
	}
	if d := cmp.Diff([]string{"add rowan verifier by account ops at 12", "add imani approver by account ops at 12", "add rowan approver by account ops at 13",
		"disable rowan approver by account ops at 14", "add rowan verifier by account ops at 15"}, trace); d != "" {
		t.Errorf("trace (-want +got):\n%s", d)
	}
	o, err := s.desk(mustRead(t, s))
	if err != nil {
		t.Fatal(err)
	}
	for at, role := range map[int]directory.Role{-1: "", 0: directory.Verifier, 1: directory.Approver, 3: directory.Verifier} {
		if got := o.office.roleAt("rowan", directory.At(noon.Add(time.Duration(at)*time.Hour))); got != role {
			t.Errorf("rowan at hour %d: %q, want %q", at, got, role)
		}
	}
	for i, do := range []string{"add", "disable", "add", "disable", "add"} { // while the clock stands, a change that names no moment is still made
		m, err := s.ChangeStaff(ctx, change("kim", do, directory.Verifier))
		if err != nil || (m.Disabled != "") != (do == "disable") {
			t.Errorf("kim, %d %s: %+v %v", i, do, m, err)
		}
	}
	if _, err := s.ChangeStaff(ctx, change("noor", "add", directory.Admin)); err != nil {
		t.Fatal(err)
	}
	for by, kind := range map[string]directory.ErrorKind{"rowan": directory.Refused, "imani": directory.Refused, "noor": ""} { // rowan is a verifier again
		c := change("lena", "add", directory.Approver)
		c.By = by
		if _, err := s.ChangeStaff(ctx, c); kind == "" && err != nil || kind != "" && directory.KindOf(err) != kind {
			t.Errorf("an approver added by %s: %v", by, err)
		}
	}
	for _, q := range []string{`DELETE FROM staff`, `DELETE FROM staff_change`, `UPDATE staff_change SET made_by = 'x'`} {
		if _, err := s.writer.Exec(q); err == nil {
			t.Errorf("%s: nothing refuses it", q)
		}
	}
	if h, _ := s.Head(ctx); h != head {
		t.Error("a change of staff moved the head, of which followers hear")
	}
	whole(t, s)
}

// mustRead gives a snapshot that ends with the test.
func mustRead(t *testing.T, s *Store) *tx {
	t.Helper()
	in, err := s.reader.BeginTx(ctx, s.dialect.readOptions())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Rollback() })
	return s.in(ctx, in, nil)
}

// trial is a store with a provider for each thing that is tried, so that one store serves a whole table.
type trial struct {
	t *testing.T
	s *Store
	n int
}

// person lists one more provider of whom the register says the state; with words but without a number on
// the listing, only a name agrees. It returns the provider and their licence claim.
func (x *trial) person(state directory.Observed, named bool) (directory.ID, directory.ID) {
	x.t.Helper()
	x.n++
	tail := string([]rune{rune('a' + x.n/676), rune('a' + x.n/26%26), rune('a' + x.n%26)})
	who, number := "Given"+tail+" Family"+tail, fmt.Sprintf("7%05d", x.n)
	load(x.t, x.s, edition("kap-commons", fmt.Sprint("p", x.n), "2026-11-20"), listing(fmt.Sprint("p", x.n), who+", LPC", func(l *directory.Listing) {
		l.Sites = []directory.Site{denver("")}
		if !named {
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.000"+number)}
		}
	}))
	x.release(state, who, number)
	f := find(x.t, x.s, who)
	for _, h := range f.Claims {
		if h.Claim.Kind == directory.License {
			return f.Provider.ID, h.Claim.ID
		}
	}
	return f.Provider.ID, ""
}

func (x *trial) release(state directory.Observed, who, number string) {
	x.t.Helper()
	x.n++
	load(x.t, x.s, edition("co-dora", fmt.Sprint("r", x.n), "2026-11-01"), roster("LPC", number, who, strings.ToUpper(string(state)), state, "2027-08-31"))
}

// claim returns the claim as staff see it.
func (x *trial) claim(id directory.ID) directory.ClaimFile {
	x.t.Helper()
	f, err := x.s.ClaimFiles(ctx, id)
	if err != nil || len(f) != 1 {
		x.t.Fatalf("claim %s: %d, %v", id, len(f), err)
	}
	return f[0]
}

// theCase returns the open case about the provider.
func (x *trial) theCase(provider directory.ID) directory.Queued {
	x.t.Helper()
	list, _, err := x.s.Queue(ctx, CaseFilter{Provider: provider, Limit: 10})
	list = slices.DeleteFunc(list, func(q directory.Queued) bool { return strings.Contains(q.What, "screen") })
	if err != nil || len(list) != 1 {
		x.t.Fatalf("cases of %s: %+v, %v", provider, list, err)
	}
	return list[0]
}

func (x *trial) decide(who, decision string, c directory.Case, seen int64) (directory.Event, error) {
	return x.s.Decide(ctx, directory.Decision{Case: c.ID, Seen: seen, Staff: who, Auth: "test", Decision: decision, Field: map[string]string{"clear": "licence"}[decision], Note: "note"})
}

func (x *trial) must(e directory.Event, err error) directory.Event {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
	return e
}

// expires is the last day that the claim's answer names.
func (x *trial) expires(provider, claim directory.ID) directory.Date {
	x.t.Helper()
	f, err := x.s.File(ctx, provider)
	if err != nil {
		x.t.Fatal(err)
	}
	for _, h := range f.Claims {
		if h.Claim.ID == claim {
			return directory.Derive(h, x.s.now(), knownAt(x.t, x.s), x.s.config.Policies).Basis.Body.Expires
		}
	}
	return ""
}

// act does a deed about the claim with the number that is newest now.
func (x *trial) act(who string, do directory.Deed, claim directory.ID, of int64, change ...func(*directory.Act)) (directory.Event, error) {
	x.t.Helper()
	a := directory.Act{Do: do, Staff: who, Auth: "test", Claim: claim, Of: of, Seen: x.claim(claim).Seen, Note: "note"}
	if do == directory.Correction {
		until := directory.Date("2027-12-31")
		a.To = &directory.Fixed{Expires: &until, Method: "phone", Text: "the board's clerk read it out"}
	}
	for _, f := range change {
		f(&a)
	}
	return x.s.Act(ctx, a)
}

// twin lists somebody of the provider's name on another site, without anything that would join the two.
func (x *trial) twin(provider directory.ID) directory.Queued {
	x.t.Helper()
	who := must(x.s.File(ctx, provider)).Provider.DisplayName()
	x.n++
	load(x.t, x.s, edition("open-clinics", fmt.Sprint("twin", x.n), "2026-11-21"), from("open-clinics", listing(fmt.Sprint("twin", x.n), who, func(l *directory.Listing) {
		l.Sites = []directory.Site{{Address: directory.Address{State: "CO"}}}
	})))
	return x.caseOf(provider, directory.CaseDuplicate)
}

// merge makes one of the provider and a twin, and returns the second decision and the claim it stands in.
func (x *trial) merge(provider directory.ID) (int64, directory.ID) {
	x.t.Helper()
	c := x.twin(provider)
	x.must(x.decide("pat", "same", c.Case, c.Revision))
	e := x.must(x.decide("noor", "same", c.Case, c.Revision))
	return e.Seq, e.Claim
}

// differ lists the provider on another site with another website.
func (x *trial) differ(provider directory.ID) directory.Queued {
	x.t.Helper()
	f := must(x.s.File(ctx, provider))
	x.n++
	for i, source := range []string{"kap-commons", "open-clinics"} {
		r := listing(fmt.Sprint("site", x.n), f.Provider.DisplayName(), func(l *directory.Listing) {
			l.Website = fmt.Sprintf("https://%d.example/", i)
			for _, h := range f.Claims {
				if c := h.Claim; c.Kind == directory.License {
					l.Licences = append(l.Licences, directory.ListedLicence{State: c.Jurisdiction, Title: c.Title, Number: c.Number})
				}
			}
		})
		load(x.t, x.s, edition(source, fmt.Sprint("site", x.n), "2026-11-21"), from(source, r))
	}
	return x.caseOf(provider, directory.CaseFacts)
}

// caseOf returns the provider's one open case of the kind.
func (x *trial) caseOf(provider directory.ID, kind directory.CaseKind) directory.Queued {
	x.t.Helper()
	list, n, err := x.s.Queue(ctx, CaseFilter{Provider: provider, Kind: kind, Limit: 9})
	if err != nil || n != 1 {
		x.t.Fatalf("%d cases of the kind %s, %v", n, kind, err)
	}
	return list[0]
}

// attempt brings a deed on an occasion about and lets somebody try it.
func (x *trial) attempt(do directory.Deed, on directory.Occasion, who string) error {
	x.t.Helper()
	state := directory.SeenActive
	if on == directory.Against || on == directory.Found || do == directory.Distinct {
		state = directory.SeenRevoked
	}
	provider, claim := x.person(state, do == directory.Distinct)
	var found directory.Queued
	if on == directory.Found {
		found = x.theCase(provider)
		x.must(x.decide("pat", "confirm", found.Case, x.claim(claim).Seen))
		x.must(x.decide("noor", "confirm", found.Case, x.claim(claim).Seen))
	}
	dispute := func(change func(*directory.Act)) int64 {
		return x.must(x.act("", directory.OpenDispute, claim, 0, func(a *directory.Act) { a.Identity, a.Seen = true, 0 }, change)).Seq
	}
	var err error
	switch do {
	case directory.Confirm, directory.Clear, directory.Return:
		c := found
		if on != directory.Found {
			c = x.theCase(provider)
		}
		_, err = x.decide(who, string(do), c.Case, x.claim(claim).Seen)
	case directory.Distinct:
		c := x.theCase(provider)
		_, err = x.decide(who, string(do), c.Case, c.Revision)
	case directory.Keep, directory.Take:
		c := x.differ(provider)
		_, err = x.decide(who, string(do), c.Case, c.Revision)
	case directory.OpenDispute, directory.Withdrawal:
		_, err = x.act(who, do, claim, 0)
	case directory.AcceptDispute, directory.DeclineDispute, directory.CloseDispute:
		_, err = x.act(who, do, claim, dispute(func(*directory.Act) {}))
	case directory.Correction:
		of := found.Event
		if on != directory.Found {
			of = x.claim(claim).Pending[0]
		}
		_, err = x.act(who, do, claim, of)
	case directory.Voiding:
		var of int64
		switch on {
		case directory.TakenDown:
			of = x.must(x.act("noor", directory.Withdrawal, claim, 0)).Seq
		case directory.Merged:
			of, claim = x.merge(provider)
		case directory.Found:
			of = x.claim(claim).Seen // the second confirmation
		default:
			of = x.claim(claim).Pending[0]
		}
		_, err = x.act(who, do, claim, of)
	default:
		x.t.Fatalf("nobody can try to %s", do)
	}
	return err
}

// testPermits tries every deed on every occasion in every role, and as somebody unknown and disabled.
func testPermits(t *testing.T, c Config) {
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	if _, err := s.ChangeStaff(ctx, directory.StaffChange{Name: "gone", Do: "add", Role: directory.Approver, By: "test", Auth: "test"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeStaff(ctx, directory.StaffChange{Name: "gone", Do: "disable", By: "test", Auth: "test"}); err != nil {
		t.Fatal(err)
	}
	// What each role may do, written out once more: the store is held to this, and so is the table.
	type row struct {
		do                 directory.Deed
		on                 directory.Occasion
		verifier, approver bool
	}
	rows := []row{
		{directory.Confirm, directory.Ordinary, true, true},
		{directory.Confirm, directory.Against, true, true},
		{directory.Clear, directory.Ordinary, true, true},
		{directory.Clear, directory.Against, false, true},
		{directory.Clear, directory.Found, true, true},
		{directory.Voiding, directory.Found, false, false},
		{directory.Correction, directory.Found, false, false},
		{directory.Return, directory.Ordinary, true, true},
		{directory.Return, directory.Against, true, true},
		{directory.Distinct, directory.Ordinary, true, true},
		{directory.OpenDispute, directory.Ordinary, true, true},
		{directory.AcceptDispute, directory.Ordinary, false, true},
		{directory.DeclineDispute, directory.Ordinary, true, true},
		{directory.CloseDispute, directory.Ordinary, true, true},
		{directory.Correction, directory.Ordinary, true, true},
		{directory.Correction, directory.Against, false, true},
		{directory.Voiding, directory.Ordinary, true, true},
		{directory.Voiding, directory.Against, false, true},
		{directory.Voiding, directory.TakenDown, false, true},
		{directory.Voiding, directory.Merged, false, true},
		{directory.Keep, directory.Ordinary, true, true},
		{directory.Take, directory.Ordinary, true, true},
		{directory.Withdrawal, directory.Ordinary, false, true},
	}
	for _, p := range directory.Permits {
		if p.On != directory.Found && p.Deed != directory.Same && !slices.ContainsFunc(rows, func(r row) bool { return r.do == p.Deed && r.on == p.On }) {
			t.Errorf("nothing tries %s on %s", p.Deed, p.On)
		}
	}
	for _, r := range rows {
		for who, may := range map[string]bool{"kim": r.verifier, "lee": r.approver, "nobody": false, "gone": false} {
			err := x.attempt(r.do, r.on, who)
			switch {
			case may && err != nil:
				t.Errorf("%s may not %s on %s: %v", who, r.do, r.on, err)
			case !may && !errors.Is(err, directory.Refused):
				t.Errorf("%s may %s on %s: %v", who, r.do, r.on, err)
			case !may && !strings.Contains(err.Error(), "lee") && !strings.Contains(err.Error(), "kapdir cases decide CASE clear") && !strings.Contains(err.Error(), "kapdir staff"):
				t.Errorf("%s on %s by %s: %v does not say what to do next", r.do, r.on, who, err)
			}
		}
	}
	whole(t, s)
}

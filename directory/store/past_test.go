package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
)

// testPast holds what is said of a day that has passed to what was said on it: two are joined, parted and joined again,
// one is hidden and shown again, and the prescriber of another is hidden for a while.
func testPast(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	told := func(f *directory.CredentialFile, at, known directory.Instant) string {
		var out []string
		for _, c := range directory.Checks(f, "CO", at, known, s.config.Policies) {
			out = append(out, fmt.Sprint(c.Check, c.Result, c.Reasons, c.AsOf))
		}
		for _, h := range f.Claims {
			if st := directory.Derive(h, at, known, s.config.Policies); h.Claim.Kind != directory.FileClaim && st.Status != directory.StatusNone {
				out = append(out, fmt.Sprint(h.Claim.ID, h.Claim.Provider, st.Status, st.Reasons, st.Because))
			}
		}
		slices.Sort(out)
		return strings.Join(out, "\n")
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), dan())
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("DR", "45678", "Maria Lopez", "Active", directory.SeenActive, "2027-04-30"))
	ana, maria := find(t, s, "Ana Ruiz").Provider.ID, find(t, s, "Maria Lopez").Provider.ID
	clk.set(noon.Add(time.Hour))
	a, claim := x.person(directory.SeenActive, false)
	clk.set(noon.Add(2 * time.Hour))
	q := x.twin(a)
	b := must(s.Dossier(ctx, q.ID, "")).Others[0].ID
	if q.Provider != a {
		a, b = b, a
	}
	type day struct {
		at, known directory.Instant
		said      map[directory.ID]string
	}
	var days []day
	days = append(days, day{})
	next := func(what string, do func()) {
		t.Helper()
		clk.set(clk.now().AddDate(0, 0, 1))
		do()
		d := day{s.now(), knownAt(t, s), map[directory.ID]string{}}
		for _, id := range []directory.ID{a, b, ana, maria} {
			f, err := s.File(ctx, id)
			switch {
			case err == nil:
				d.said[id] = told(f, d.at, d.known)
			case f != nil:
				d.said[id] = "one with " + string(f.Provider.MergedInto)
			default:
				d.said[id] = "withdrawn"
			}
		}
		days = append(days, d)
	}
	days = days[1:]
	same := func() {
		q := x.caseOf(q.Provider, directory.CaseDuplicate)
		if len(q.Need.Given) == 0 {
			x.must(x.decide("pat", "same", q.Case, q.Revision))
		}
		x.must(x.decide("noor", "same", q.Case, q.Revision))
	}
	void := func(id directory.ID, typ directory.EventType) {
		var of, seen int64
		for _, h := range must(s.Past(ctx, id, knownAt(t, s))).File.Claims {
			if h.Claim.Kind == directory.FileClaim {
				for _, e := range h.Events {
					if e.Type == typ {
						of = e.Seq
					}
				}
				seen = h.Newest()
			}
		}
		x.must(s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: id, Of: of, Seen: seen, Note: "n"}))
	}
	hide := func(id directory.ID) {
		x.must(s.Act(ctx, directory.Act{Do: directory.Withdrawal, Staff: "lee", Auth: "test", Provider: id, Seen: fileSeen(t, s, id), Note: "n"}))
	}
	next("nothing yet", func() {})
	next("confirmed", func() {
		x.must(x.decide("kim", "confirm", x.caseOf(x.claim(claim).Claim.Provider, directory.CaseFirst).Case, x.claim(claim).Seen))
	})
	next("one says that they are one", func() {
		q := x.caseOf(q.Provider, directory.CaseDuplicate)
		x.must(x.decide("kim", "same", q.Case, q.Revision))
		x.must(x.decide("kim", "distinct", q.Case, q.Revision))
		x.must(s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "kim", Auth: "test", Provider: q.Provider, Of: knownDecision(t, s, q.Provider), Seen: fileSeen(t, s, q.Provider), Note: "n"}))
	})
	next("joined", same)
	root := min(a, b)
	next("parted", func() { void(root, directory.Decide) })
	next("joined again", same)
	next("hidden", func() { hide(root) })
	next("shown again", func() { void(root, directory.Takedown) })
	next("parted again", func() { void(root, directory.Decide) })
	next("the prescriber confirmed", func() {
		q := x.caseOf(maria, directory.CaseFirst)
		x.must(x.decide("kim", "confirm", q.Case, x.claim(q.Claim).Seen))
	})
	next("the prescriber hidden", func() { hide(maria) })
	next("the prescriber shown", func() { void(maria, directory.Takedown) })
	if days[len(days)-2].said[ana] == days[len(days)-1].said[ana] {
		t.Error("nobody's page hears of a hidden prescriber")
	}
	for i, d := range days {
		for id, want := range d.said {
			p := must(s.Past(ctx, id, d.known))
			got := told(p.File, d.at, d.known)
			for _, h := range p.File.Claims {
				if h.Claim.Kind == directory.FileClaim && directory.Derive(h, d.at, d.known, s.config.Policies).Status == directory.StatusWithdrawn {
					got = "withdrawn"
				}
			}
			if p.MergedInto != "" {
				got = "one with " + string(p.MergedInto)
			}
			if got != want {
				t.Errorf("day %d, %s: it is told\n%s\nand was\n%s", i, id, got, want)
			}
		}
	}
	whole(t, s)
}

// knownDecision is the newest decision about the whole file.
func knownDecision(t testing.TB, s *Store, id directory.ID) (of int64) {
	t.Helper()
	for _, h := range must(s.Past(ctx, id, knownAt(t, s))).File.Claims {
		if h.Claim.Kind == directory.FileClaim {
			for _, e := range h.Events {
				if e.Type == directory.Decide {
					of = e.Seq
				}
			}
		}
	}
	return of
}

package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// testPartial imports changes to an exclusion list: they add to the whole list in force, and the list
// answers with both.
func testPartial(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), dan(), ben())
	changes := func(name string, asOf directory.Date) directory.Release {
		rel := edition("leie", name, asOf)
		rel.Partial = true
		return rel
	}
	if _, err := s.Begin(ctx, changes("2610excl", "2026-10-31")); directory.KindOf(err) != directory.Conflict {
		t.Errorf("changes to nothing: %v", err)
	}
	full := load(t, s, edition("leie", "2026-09", "2026-09-30"), exclusion("a", "Daniel Poole", danNPI), exclusion("x", "Far Away", ""))
	run := load(t, s, changes("2610excl", "2026-10-31"), exclusion("b", "Ana Ruiz", anaNPI))
	if run.Base != full.Number || run.Counts.Removed != 0 {
		t.Errorf("the run of changes: %+v", run)
	}
	want := map[string]directory.Status{"Ana Ruiz": directory.StatusUnderReview, "Dan Poole": directory.StatusUnderReview, "Ben Carter": directory.StatusVerified}
	look := func(when string) {
		t.Helper()
		for who, status := range want {
			if st := standing(t, s, find(t, s, who), directory.ExclusionScreen, "leie"); st.Status != status || status == directory.StatusVerified && st.AsOf != "2026-10-31" {
				t.Errorf("%s, %s: %q as of %s", when, who, st.Status, st.AsOf)
			}
		}
	}
	look("after the changes")
	if again, err := s.Begin(ctx, changes("2610excl", "2026-10-31")); err != nil || !again.Already {
		t.Errorf("the same changes again: %+v, %v", again, err)
	}
	if _, err := s.Begin(ctx, changes("2608excl", "2026-08-31")); directory.KindOf(err) != directory.Conflict {
		t.Errorf("changes of an older month: %v", err)
	}
	// Who arrives now is compared with both.
	load(t, s, edition("kap-commons", "2", "2026-11-21"), ana(), dan(), ben(), cara())
	want["Cara Smith"] = directory.StatusVerified
	look("after an arrival")
	next := load(t, s, edition("leie", "2026-11", "2026-11-20"), exclusion("x", "Far Away", ""))
	if next.Base != 0 || next.Counts.Removed != 2 {
		t.Errorf("the next whole list: %+v", next)
	}
	whole(t, s)
}

// testReinstatements imports reinstatements by themselves. They end the exclusions that they name, in
// whatever order and however often those come, and lift nothing that no person has looked at.
func testReinstatements(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	maria := listing("maria", "Maria Hale", func(l *directory.Listing) { l.NPI = mariaNPI })
	load(t, s, edition("kap-commons", "1", "2026-11-01"), ana(), dan(), ben(), cara(), maria)
	changes := func(name string, asOf directory.Date) directory.Release {
		rel := edition("leie", name, asOf)
		rel.Partial = true
		return rel
	}
	back := func(key, who string, npi directory.NPI) directory.Record {
		r := exclusion(key+"-reinstated", who, npi)
		r.Exclusion.Reinstated, r.Exclusion.Ends = "2026-10-20", key
		return r
	}
	screen := func(who string) directory.Standing {
		t.Helper()
		return standing(t, s, find(t, s, who), directory.ExclusionScreen, "leie")
	}
	decide := func(staff, who string) {
		t.Helper()
		clk.set(clk.now().Add(time.Minute))
		_, err := s.Decide(ctx, directory.Decision{At: s.now(), Staff: staff, Auth: "test", Provider: directory.ProviderRef{ID: find(t, s, who).Provider.ID},
			Kind: directory.ExclusionScreen, Issuer: "leie", Decision: "confirm"})
		if err != nil {
			t.Fatal(err)
		}
	}
	is := func(when, who string, status directory.Status, newest directory.Observed) {
		t.Helper()
		var last directory.Body
		for _, h := range find(t, s, who).Claims {
			for _, e := range h.Events {
				if h.Claim.Issuer == "leie" && e.Type == directory.Observe {
					last = e.Body
				}
			}
		}
		if st := screen(who); st.Status != status || last.State != newest {
			t.Errorf("%s, %s: %q, the list says %q; want %q, %q", when, who, st.Status, last.State, status, newest)
		}
	}
	rows := []directory.Record{exclusion("a", "Ana Ruiz", anaNPI), exclusion("d", "Daniel Poole", danNPI), exclusion("c", "Cara Smith", ""), exclusion("x", "Far Away", "")}
	load(t, s, edition("leie", "2026-09", "2026-10-10"), rows...)
	decide("kim", "Dan Poole")
	decide("lee", "Dan Poole")
	is("excluded", "Dan Poole", directory.StatusAdverse, directory.SeenExcluded)
	is("excluded", "Ana Ruiz", directory.StatusUnderReview, directory.SeenExcluded)
	name := screen("Cara Smith")
	if !name.Candidate {
		t.Errorf("a name alone: %+v", name)
	}

	clk.set(clk.now().Add(time.Hour))
	run := load(t, s, changes("2610rein", "2026-10-10"), back("a", "Ana Ruiz", anaNPI), back("d", "Daniel Poole", danNPI), back("c", "Cara Smith", ""), back("n", "Never Held", ""))
	if run.Counts.Added != 4 || run.Counts.Removed != 0 {
		t.Errorf("the run of reinstatements: %+v", run.Counts)
	}
	is("reinstated", "Dan Poole", directory.StatusAdverse, directory.SeenReinstated)
	is("reinstated", "Ana Ruiz", directory.StatusUnderReview, directory.SeenReinstated)
	is("others", "Ben Carter", directory.StatusVerified, directory.SeenClear)
	if !screen("Cara Smith").Candidate {
		t.Error("a reinstatement took a candidate away whom no person has cleared")
	}
	// The exclusions of the month come after its reinstatements, and one that has ended stands there again.
	load(t, s, changes("2610excl", "2026-10-31"), rows[1], exclusion("m", "Maria Hale", mariaNPI))
	is("again", "Dan Poole", directory.StatusAdverse, directory.SeenReinstated)
	is("excluded", "Maria Hale", directory.StatusUnderReview, directory.SeenExcluded)
	decide("kim", "Dan Poole")
	is("looked at", "Dan Poole", directory.StatusVerified, directory.SeenReinstated)
	if st := screen("Dan Poole"); !slices.Contains(st.Reasons, directory.ReasonReinstated) {
		t.Errorf("reasons %v", st.Reasons)
	}
	// Who was reinstated is excluded once more, on another day: that one ended hides it not.
	clk.set(clk.now().Add(time.Hour))
	more := exclusion("d2", "Daniel Poole", danNPI)
	more.Exclusion.Excluded = "2026-11-19"
	load(t, s, changes("2611excl", "2026-11-20"), more)
	is("excluded once more", "Dan Poole", directory.StatusUnderReview, directory.SeenExcluded)
	// The next whole list is the word: who stands in it is excluded, whatever was said between.
	clk.set(clk.now().Add(time.Hour))
	load(t, s, edition("leie", "2026-11", "2026-11-21"), rows[0], rows[3])
	is("the next whole list", "Ana Ruiz", directory.StatusUnderReview, directory.SeenExcluded)
	for _, st := range must(s.Sources(ctx)) {
		if st.Source.ID == "leie" && st.Held != 2 {
			t.Errorf("%d rows are held", st.Held)
		}
	}
	whole(t, s)
}

// testHeld: what is in force before a release is imported.
func testHeld(t *testing.T, c Config) {
	s := open(t, c)
	held := func(rel directory.Release) directory.Held {
		t.Helper()
		h := must(s.Held(ctx, rel))
		if p := must(s.Preview().Held(ctx, rel)); !cmp.Equal(p, h) {
			t.Errorf("a preview says %+v, the store %+v", p, h)
		}
		return h
	}
	full, partial := edition("leie", "2026-09", "2026-09-30"), edition("leie", "2610excl", "2026-10-31")
	partial.Partial = true
	if h := held(full); h != (directory.Held{}) {
		t.Errorf("nothing: %+v", h)
	}
	first := load(t, s, full, exclusion("a", "Ana Ruiz", ""), exclusion("x", "Far Away", ""))
	if h := held(partial); !h.Found || h.Already || h.Whole.Number != first.Number || h.Newest.Number != first.Number || h.Whole.Counts.Read != 2 {
		t.Errorf("a whole release: %+v", h)
	}
	if h := held(full); !h.Already {
		t.Errorf("the same bytes: %+v", h)
	}
	second := load(t, s, partial, exclusion("b", "Ben Carter", ""))
	if h := held(edition("leie", "2026-11", "2026-11-10")); h.Already || h.Newest.Number != second.Number || h.Whole.Number != first.Number {
		t.Errorf("a whole release and changes: %+v", h)
	}
	run := must(s.Begin(ctx, edition("leie", "2026-11", "2026-11-10")))
	if _, err := s.End(ctx, run.ID, errors.New("cut off")); err != nil {
		t.Fatal(err)
	}
	if h := held(edition("leie", "2026-11", "2026-11-11")); h.Newest.Number != second.Number {
		t.Errorf("after a failure: %+v", h)
	}
	if _, err := s.Held(ctx, edition("nowhere", "1", "2026-11-10")); directory.KindOf(err) != directory.Invalid {
		t.Errorf("no source: %v", err)
	}
}

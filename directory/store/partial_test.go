package store

import (
	"testing"

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

package store

import (
	"slices"
	"testing"

	"kapdir/directory"
)

// testLifeOfNumber takes a number through its life: active, deactivated by the report, the same in the next
// monthly file, reactivated in a weekly file, deactivated again, and replaced.
func testLifeOfNumber(t *testing.T, c Config) {
	s := open(t, c)
	blank := func(npi directory.NPI, day directory.Date) directory.Record {
		return directory.Record{Key: string(npi), Identity: &directory.IdentityRecord{NPI: npi, Deactivated: day}, Fields: map[string]string{"NPI": string(npi), "NPI Deactivation Date": string(day)}}
	}
	part := func(name string, asOf directory.Date) directory.Release {
		rel := edition("nppes", name, asOf)
		rel.Partial = true
		return rel
	}
	ruiz := func(change func(*directory.IdentityRecord)) directory.Record {
		r := identity(anaNPI, "Ana Ruiz", "Ana Gomez")
		if change != nil {
			change(r.Identity)
			r.Fields["changed"] = string(r.Identity.Deactivated + r.Identity.Reactivated + directory.Date(r.Identity.Replacement))
		}
		return r
	}
	load(t, s, edition("kap-commons", "1", "2026-08-01"), ana())
	load(t, s, edition("nppes", "2026-07", "2026-07-12"), ruiz(nil), identity(danNPI, "Dan Poole"))
	if npis, err := s.NPIs(ctx); err != nil || !slices.Contains(npis, directory.NPI(anaNPI)) || slices.Contains(npis, directory.NPI(danNPI)) || !slices.IsSorted(npis) {
		t.Errorf("NPIs() = %v, %v", npis, err)
	}
	held := func() directory.IdentityRecord {
		t.Helper()
		var doc []*row
		err := s.read(ctx, "test", func(x *tx) (err error) {
			doc, err = x.rows(`WHERE source = 'nppes' AND key IN (%s)`, nil, []string{string(anaNPI)})
			return err
		})
		if err != nil || len(doc) != 1 {
			t.Fatalf("%d rows, %v", len(doc), err)
		}
		return *doc[0].record.Identity
	}
	look := func(when string, active bool, deactivated, reactivated directory.Date) {
		t.Helper()
		f := find(t, s, "Ana Ruiz")
		if len(f.Provider.Former) != 1 || f.Provider.Former[0].Family != "Gomez" || f.Provider.NPI != anaNPI {
			t.Errorf("%s: former names %+v, NPI %s", when, f.Provider.Former, f.Provider.NPI)
		}
		want := directory.SeenInactive // which a person settles before it is told
		if active {
			want = directory.SeenActive
		}
		if got := lastSeen(f, directory.IdentityNPI); got != want {
			t.Errorf("%s: the number is %q, want %q", when, got, want)
		}
		i := held()
		if i.Deactivated != deactivated || i.Reactivated != reactivated || i.Active() != active || i.Name.Family != "Ruiz" || len(i.Others) != 1 {
			t.Errorf("%s: the record is %+v", when, i)
		}
		whole(t, s)
	}
	look("at first", true, "", "")

	if run := load(t, s, part("report 8", "2026-08-10"), blank(anaNPI, "2026-08-03"), blank(danNPI, "2026-08-04")); run.Counts.Changed != 2 || run.Counts.Removed != 0 {
		t.Errorf("the report: %+v", run.Counts)
	}
	look("deactivated", false, "2026-08-03", "")
	if _, err := s.Begin(ctx, part("report 7", "2026-07-01")); directory.KindOf(err) != directory.Conflict {
		t.Errorf("an older report: %v", err)
	}
	if run := load(t, s, edition("nppes", "2026-08", "2026-08-16"), blank(anaNPI, "2026-08-03"), blank(danNPI, "2026-08-04")); run.Counts.Unchanged != 2 {
		t.Errorf("the same in the next monthly file: %+v", run.Counts)
	}
	look("in the next monthly file", false, "2026-08-03", "")

	load(t, s, part("week 35", "2026-08-30"), ruiz(func(i *directory.IdentityRecord) { i.Deactivated, i.Reactivated = "2026-08-03", "2026-08-28" }))
	look("reactivated", true, "2026-08-03", "2026-08-28")
	load(t, s, part("report 9", "2026-09-01"), blank(anaNPI, "2026-08-03"))
	look("a report that has not heard of it", true, "2026-08-03", "2026-08-28")

	load(t, s, part("report 10", "2026-10-12"), blank(anaNPI, "2026-10-05"))
	look("deactivated again", false, "2026-10-05", "")

	load(t, s, part("week 43", "2026-10-25"), ruiz(func(i *directory.IdentityRecord) {
		i.Deactivated, i.Reactivated, i.Replacement = "2026-10-05", "2026-10-20", "1010101018"
	}))
	look("replaced", true, "2026-10-05", "2026-10-20")
	if r := held().Replacement; r != "1010101018" {
		t.Errorf("replaced by %q", r)
	}
}

func lastSeen(f *directory.CredentialFile, kind directory.ClaimKind) (seen directory.Observed) {
	for _, h := range f.Claims {
		for _, e := range h.Events {
			if h.Claim.Kind == kind && e.Type == directory.Observe {
				seen = e.Body.State
			}
		}
	}
	return seen
}

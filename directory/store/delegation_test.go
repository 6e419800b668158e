package store

import (
	"slices"
	"testing"

	"kapdir/directory"
)

// A physician and a physician assistant of Texas, as a listing, a register and the register of delegation
// have them.
func texan(key, who, title, number string) directory.Record {
	return listing(key, who, func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("TX", title, number)}
		l.Sites = []directory.Site{{Address: directory.Address{Line1: "1 Elm St", City: "Austin", State: "TX", ZIP: "78701"}}}
	})
}

func texasLicence(kind, number, who, words string, standing directory.Observed) directory.Record {
	r := roster(kind, number, who, words, standing, "2027-10-31")
	r.Licence.State = "TX"
	return r
}

func delegation(physician, delegate string) directory.Record {
	return directory.Record{Key: "TX:" + physician + ":" + delegate, Fields: map[string]string{"physician": physician, "delegate": delegate},
		Delegation: &directory.DelegationRecord{State: "TX", From: "2024-03-01",
			Physician: directory.Licensee{Name: name("Mona Field"), BoardType: "PHYSICIAN LICENSE", Number: directory.ParseLicenceNumber(physician)},
			Delegate:  directory.Licensee{Name: name("Tamsin Bell"), BoardType: "PA", Number: directory.ParseLicenceNumber(delegate)}}}
}

// oversight is the result of check 3 of the provider in Texas.
func oversight(t *testing.T, s *Store, who string) directory.CheckResult {
	t.Helper()
	f := find(t, s, who)
	f.Link(func(id directory.ID) *directory.CredentialFile {
		other, err := s.File(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return other
	})
	for _, c := range directory.Checks(f, "TX", s.now(), knownAt(t, s), s.config.Policies) {
		if c.Check == directory.CheckOversight {
			return c.Result
		}
	}
	return ""
}

// testDelegation makes a board's register of delegation the evidence that two work together: it confirms
// the link once a person has looked and the physician's licence is verified, whoever got their page first.
func testDelegation(t *testing.T, c Config) {
	s := open(t, c)
	hire(t, s)
	bell, field := texan("bell", "Tamsin Bell, PA-C", "PA", "PA05555"), texan("field", "Mona Field, MD", "MD", "T1234")
	register := edition("tx-tmb-delegation", "1", "2026-11-20")
	load(t, s, register, delegation("T1234", "PA05555"), delegation("T9999", "PA05555"))
	if lookup(t, s, "Tamsin Bell") != nil || lookup(t, s, "Mona Field") != nil {
		t.Fatal("the register made somebody a page")
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), bell)
	if n := len(links(find(t, s, "Tamsin Bell"))); n != 0 {
		t.Errorf("%d links to somebody without a page", n)
	}
	load(t, s, edition("kap-commons", "2", "2026-11-21"), bell, field)
	got := links(find(t, s, "Tamsin Bell"))
	if len(got) != 1 || got[0].Claim.Other != find(t, s, "Mona Field").Provider.ID || len(got[0].Events) != 1 {
		t.Fatalf("links %+v", got)
	}
	if e := got[0].Events[0]; e.Type != directory.Observe || e.Body.State != directory.SeenActive || e.Body.From != "2024-03-01" || e.Body.Match != directory.M5 || e.Body.Source != "tx-tmb-delegation" {
		t.Errorf("the observation: %+v", e.Body)
	}
	if n := len(links(find(t, s, "Mona Field"))); n != 0 {
		t.Errorf("the physician has %d links", n)
	}
	if r := oversight(t, s, "Tamsin Bell"); r == directory.Confirmed {
		t.Error("confirmed before a person looked")
	}
	load(t, s, edition("tx-tmb", "1", "2026-11-20"), texasLicence("PHYSICIAN LICENSE", "T1234", "Mona Field", "ACTIVE", directory.SeenActive))
	confirm := func(who string, kind directory.ClaimKind) {
		t.Helper()
		for _, staff := range []string{"kim", "lee"} {
			_, err := s.Decide(ctx, directory.Decision{At: s.now(), Staff: staff, Auth: "password", Provider: directory.ProviderRef{ID: find(t, s, who).Provider.ID}, Kind: kind, Decision: "confirm"})
			if err != nil && directory.KindOf(err) != directory.Conflict && directory.KindOf(err) != directory.NotFound {
				t.Fatalf("%s confirms the %s of %s: %v", staff, kind, who, err)
			}
		}
	}
	confirm("Mona Field", directory.License)
	confirm("Tamsin Bell", directory.OversightLink)
	if r := oversight(t, s, "Tamsin Bell"); r != directory.Confirmed {
		t.Errorf("oversight is %s, want confirmed", r)
	}
	// The same rows again say nothing new; a row whose delegation has ended says so.
	before := rowCounts(t, s)["event"]
	again := edition("tx-tmb-delegation", "1", "2026-11-20", "b")
	load(t, s, again, delegation("T1234", "PA05555"), delegation("T9999", "PA05555"))
	if n := rowCounts(t, s)["event"]; n != before {
		t.Errorf("%d events of the same rows", n-before)
	}
	ended := delegation("T1234", "PA05555")
	ended.Delegation.To, ended.Fields["end"] = "2026-11-01", "2026-11-01"
	load(t, s, edition("tx-tmb-delegation", "2", "2026-11-22"), ended)
	if r := oversight(t, s, "Tamsin Bell"); r == directory.Confirmed {
		t.Error("confirmed by a delegation that has ended")
	}
	whole(t, s)
}

func links(f *directory.CredentialFile) (out []directory.History) {
	for _, h := range f.Claims {
		if h.Claim.Kind == directory.OversightLink {
			out = append(out, h)
		}
	}
	return out
}

// testUnconfirmed holds a register whose format nobody has seen to a listing's word: it confirms nothing, it
// says nothing against anybody but to a person, and nobody is missing from it.
func testUnconfirmed(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), texan("bell", "Tamsin Bell, PA-C", "PA", "PA05555"), texan("field", "Mona Field, MD", "MD", "T1234"), texan("oak", "Una Oak, MD", "MD", "T7777"))
	unseen := func(source, name string) directory.Release {
		rel := edition(source, name, "2026-11-20")
		rel.Unconfirmed = true
		return rel
	}
	register := []directory.Record{texasLicence("PHYSICIAN LICENSE", "T1234", "Mona Field", "ACTIVE", directory.SeenActive), texasLicence("PA", "PA05555", "Tamsin Bell", "REVOKED", directory.SeenRevoked)}
	load(t, s, unseen("tx-tmb", "1"), register...)
	load(t, s, unseen("tx-tmb-delegation", "1"), delegation("T1234", "PA05555"))
	for who, n := range map[string]int{"Mona Field": 1, "Tamsin Bell": 1, "Una Oak": 0} {
		told := 0
		for _, h := range find(t, s, who).Claims {
			for _, e := range h.Events {
				if e.Body.Source != "tx-tmb" && e.Body.Source != "tx-tmb-delegation" {
					continue
				}
				told++
				if e.Type != directory.Assert || e.Body.Class != directory.ClassListing {
					t.Errorf("%s: %s of class %s: %+v", who, e.Type, e.Body.Class, e.Body)
				}
			}
		}
		if told != n {
			t.Errorf("%s: %d statements, want %d", who, told, n)
		}
	}
	if r := oversight(t, s, "Tamsin Bell"); r != directory.StatedInListing && r != directory.NotChecked {
		t.Errorf("oversight is %s", r)
	}
	cases, err := s.Cases(ctx, true, 100)
	if err != nil || !slices.ContainsFunc(cases, func(q directory.Case) bool {
		return q.Kind == directory.CaseAdverse && q.Source == "tx-tmb" && q.Provider == find(t, s, "Tamsin Bell").Provider.ID
	}) {
		t.Errorf("nobody is asked to look at what it says against somebody: %+v, %v", cases, err)
	}
	run, err := s.Runs(ctx, 1)
	if err != nil || !run[0].Release.Unconfirmed {
		t.Errorf("the run: %+v, %v", run, err)
	}
	// Once the format is confirmed, the same bytes are another import, and prove what they say.
	if run := load(t, s, edition("tx-tmb", "1", "2026-11-20"), register...); run.Already || run.Events == 0 {
		t.Errorf("the same bytes, confirmed: %+v", run)
	}
	if !slices.ContainsFunc(find(t, s, "Tamsin Bell").Claims, func(h directory.History) bool {
		return h.Claim.Kind == directory.License && slices.ContainsFunc(h.Events, func(e directory.Event) bool {
			return e.Type == directory.Observe && e.Body.State == directory.SeenRevoked
		})
	}) {
		t.Error("the confirmed register is not a source")
	}
	whole(t, s)
}

// testActionsAlone joins a board's list of actions: it speaks of discipline, never of the licence.
func testActionsAlone(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), listing("iris", "Iris Vale, MD", func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("NY", "MD", "123456")}
	}))
	r := roster("MD", "123456", "Iris Vale", "", "", "")
	r.Licence.State, r.Licence.Discipline, r.Licence.Actions = "NY", directory.DisciplineAlone, []directory.BoardAction{{Action: "Censure and reprimand.", Effective: "2019-03-01"}}
	load(t, s, edition("ny-opmc", "1", "2026-11-20"), r)
	f := find(t, s, "Iris Vale")
	for _, h := range f.Claims {
		seen := slices.ContainsFunc(h.Events, func(e directory.Event) bool { return e.Body.Source == "ny-opmc" })
		if seen != (h.Claim.Kind == directory.DisciplineScreen) {
			t.Errorf("%s: ny-opmc speaks of it: %v", h.Claim.Kind, seen)
		}
	}
	if st := standing(t, s, f, directory.DisciplineScreen, "ny-opmc"); st.Status != directory.StatusUnderReview {
		t.Errorf("an action nobody has looked at: %+v", st)
	}
	whole(t, s)
}

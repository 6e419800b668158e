package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
)

// testClosable brings a case of every sort about and lets a verifier and an approver, who are all there are, close
// it with what its page offers them: as one who finds that it is about the provider, and as one who finds that it is
// not. At each step the case asks for somebody whom there is, and the list says what the page says.
func testClosable(t *testing.T, c Config) {
	c.SuppressionKey, c.Standing = []byte(strings.Repeat("k", 32)), sheetWords
	s := open(t, c)
	x := &trial{t: t, s: s}
	for name, role := range map[string]directory.Role{"kim": directory.Verifier, "lee": directory.Approver} {
		if _, err := s.ChangeStaff(ctx, directory.StaffChange{At: directory.At(noon.AddDate(0, 0, -1)), Name: name, Do: "add", Role: role, By: "test", Auth: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	// somebody lists one more person with a licence, of whom nothing else is known.
	somebody := func(change func(*directory.Listing)) (who, number string) {
		x.n++
		who, number = "Given"+letters(x.n, "aa")+" Family"+letters(x.n, "bb"), fmt.Sprintf("6%05d", x.n)
		load(t, s, edition("kap-commons", fmt.Sprint("s", x.n), "2026-11-20"), listing(fmt.Sprint("s", x.n), who, func(l *directory.Listing) {
			l.Sites = []directory.Site{denver(fmt.Sprintf("(303) 555-%04d", x.n))}
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.000"+number)}
			change(l)
		}))
		return who, number
	}
	nothing := func(*directory.Listing) {}
	nppes := func(who, number string, npi directory.NPI, change func(*directory.IdentityRecord)) {
		x.n++
		r := identity(npi, who)
		r.Identity.Taxonomies = []directory.Taxonomy{{Code: "101YP2500X", State: "CO", Licence: directory.ParseLicenceNumber(number)}}
		change(r.Identity)
		load(t, s, edition("nppes", fmt.Sprint("n", x.n), directory.Date(fmt.Sprintf("2026-11-%02d", 10+x.n/10%10))), r)
	}
	excluded := func(who string, npi directory.NPI) {
		x.n++
		load(t, s, edition("leie", fmt.Sprint("e", x.n), directory.Date(fmt.Sprintf("2026-10-%02d", 10+x.n/10%10))), exclusion(fmt.Sprint("e", x.n), who, npi), exclusion("far", "Far Away", ""))
	}
	idOf := func(who string) directory.ID { return find(t, s, who).Provider.ID }
	npi := func() directory.NPI { // the next whose check digit is right
		for x.n++; ; x.n++ {
			if n, err := directory.ParseNPI(fmt.Sprintf("19%08d", x.n)); err == nil {
				return n
			}
		}
	}

	ofTwo := func() []directory.ID {
		who, number := somebody(nothing)
		x.n++
		second := fmt.Sprintf("6%05d", x.n)
		load(t, s, edition("open-clinics", fmt.Sprint("s", x.n), "2026-11-20"), from("open-clinics", listing(fmt.Sprint("s", x.n), who, func(l *directory.Listing) {
			l.Sites = []directory.Site{{Address: directory.Address{Line1: "9 Elm St Ste 1", City: "Boulder", State: "CO", ZIP: "80302"}}}
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.000"+second)}
		})))
		nppes(who, number, npi(), func(i *directory.IdentityRecord) {
			i.Taxonomies = append(i.Taxonomies, directory.Taxonomy{Code: "101YP2500X", State: "CO", Licence: directory.ParseLicenceNumber(second)})
		})
		var out []directory.ID
		for _, q := range must(s.List(ctx, CaseFilter{Kind: directory.CaseDuplicate, Source: "nppes", Limit: 99}, false)).Cases {
			if q.Name == who {
				out = append(out, q.Provider)
			}
		}
		if len(out) != 2 {
			t.Fatalf("the row resembles %d", len(out))
		}
		return out
	}
	for _, sort := range []struct {
		name string
		kind directory.CaseKind
		make func() []directory.ID
	}{
		{"a first look", directory.CaseFirst, func() []directory.ID { id, _ := x.person(directory.SeenActive, false); return []directory.ID{id} }},
		{"adverse, exact", directory.CaseAdverse, func() []directory.ID { id, _ := x.person(directory.SeenRevoked, false); return []directory.ID{id} }},
		{"adverse, a name alone", directory.CaseAdverse, func() []directory.ID { id, _ := x.person(directory.SeenRevoked, true); return []directory.ID{id} }},
		{"adverse, and the row has gone", directory.CaseAdverse, func() []directory.ID {
			id, _ := x.person(directory.SeenRevoked, true)
			x.n++
			load(t, s, edition("co-dora", fmt.Sprint("r", x.n), "2026-11-02"), roster("LPC", "999999", "Far Away", "ACTIVE", directory.SeenActive, "2027-08-31"))
			return []directory.ID{id}
		}},
		{"adverse, another name", directory.CaseAdverse, func() []directory.ID {
			who, number := somebody(nothing)
			x.release(directory.SeenRevoked, "Someone Else", number)
			return []directory.ID{idOf(who)}
		}},
		{"good, another name", directory.CaseConflict, func() []directory.ID {
			who, number := somebody(nothing)
			x.release(directory.SeenActive, "Someone Else", number)
			return []directory.ID{idOf(who)}
		}},
		{"a word in no table", directory.CaseIndeterminate, func() []directory.ID {
			id, _ := x.person(directory.SeenIndeterminate, false)
			return []directory.ID{id}
		}},
		{"corroborated, then read as adverse", directory.CaseAdverse, func() []directory.ID {
			who, number := somebody(nothing)
			nppes(who, number, npi(), func(*directory.IdentityRecord) {})
			id := idOf(who)
			q := x.theCase(id)
			if q.Match.Rung != directory.M4 {
				t.Fatalf("matched %s", q.Match.Words())
			}
			x.must(x.act("kim", directory.Correction, q.Claim, q.Event, func(a *directory.Act) { a.To.State = directory.SeenRevoked }))
			return []directory.ID{id}
		}},
		{"corroborated and deactivated", directory.CaseChange, func() []directory.ID {
			who, number := somebody(nothing)
			nppes(who, number, npi(), func(i *directory.IdentityRecord) { i.Deactivated = "2025-01-01" })
			return []directory.ID{idOf(who)}
		}},
		{"changed since it was confirmed", directory.CaseChange, func() []directory.ID {
			id, claim := x.person(directory.SeenActive, false)
			q := x.theCase(id)
			x.must(x.decide("kim", "confirm", q.Case, x.claim(claim).Seen))
			x.release(directory.SeenExpired, q.Name, firstLicence(find(t, s, q.Name)).Number.Digits())
			return []directory.ID{id}
		}},
		{"ended", directory.CaseExpired, func() []directory.ID { return []directory.ID{x.ends("2026-11-22")} }},
		{"about to end", directory.CaseExpiring, func() []directory.ID { return []directory.ID{x.ends("2026-12-22")} }},
		{"a document that ended", directory.CaseExpired, func() []directory.ID {
			who, _ := somebody(nothing)
			id := idOf(who)
			must(s.Attest(ctx, directory.Attestation{At: directory.At(noon.Add(-1e9)), Provider: directory.ProviderRef{ID: id}, By: "provider", Auth: "email_link",
				DEA: &directory.DocumentStatement{State: "CO", Expires: "2026-11-22", SHA256: strings.Repeat(fmt.Sprintf("%02x", x.n), 32)}}))
			return []directory.ID{id}
		}},
		{"excluded, by number", directory.CaseExclusion, func() []directory.ID {
			n := npi()
			who, _ := somebody(func(l *directory.Listing) { l.NPI = n })
			excluded(who, n)
			return []directory.ID{idOf(who)}
		}},
		{"excluded, by number and another name", directory.CaseExclusion, func() []directory.ID {
			n := npi()
			who, _ := somebody(func(l *directory.Listing) { l.NPI = n })
			excluded("Someone Else", n)
			return []directory.ID{idOf(who)}
		}},
		{"excluded, a name alone", directory.CaseExclusion, func() []directory.ID {
			who, _ := somebody(nothing)
			excluded(who, "")
			return []directory.ID{idOf(who)}
		}},
		{"a register whose format nobody has seen", directory.CaseAdverse, func() []directory.ID {
			who, number := somebody(nothing)
			x.n++
			rel := edition("co-dora", fmt.Sprint("u", x.n), "2026-11-03")
			rel.Unconfirmed = true
			load(t, s, rel, roster("LPC", number, who, "REVOKED", directory.SeenRevoked, "2027-08-31"))
			return []directory.ID{idOf(who)}
		}},
		{"two pages of perhaps one", directory.CaseDuplicate, func() []directory.ID {
			id, claim := x.person(directory.SeenActive, false)
			x.must(x.decide("kim", "confirm", x.theCase(id).Case, x.claim(claim).Seen))
			x.twin(id)
			return []directory.ID{id}
		}},
		{"a row of one of two", directory.CaseDuplicate, ofTwo},
		{"a row of one of two, and not of the first", "", func() []directory.ID {
			ids := ofTwo()
			list, _, _ := s.Queue(ctx, CaseFilter{Provider: ids[0], Source: "nppes", Limit: 9})
			x.must(x.decide("kim", "distinct", list[0].Case, list[0].Revision))
			if list, _, _ = s.Queue(ctx, CaseFilter{Provider: ids[1], Source: "nppes", Limit: 9}); list[0].Need.Approvals != 1 {
				t.Errorf("it needs %+v", list[0].Need)
			}
			x.must(x.decide("kim", "same", list[0].Case, list[0].Revision))
			for i, joined := range []bool{false, true} {
				if f := must(s.File(ctx, ids[i])); joined != slices.ContainsFunc(f.Claims, func(h directory.History) bool { return h.Claim.Kind == directory.IdentityNPI }) {
					t.Errorf("the row is of the %d. of the two: %v", i+1, !joined)
				}
			}
			return ids
		}},
		{"facts differ", directory.CaseFacts, func() []directory.ID {
			id, claim := x.person(directory.SeenActive, false)
			x.must(x.decide("kim", "confirm", x.theCase(id).Case, x.claim(claim).Seen))
			x.differ(id)
			return []directory.ID{id}
		}},
		{"disputed", directory.CaseDispute, func() []directory.ID {
			id, claim := x.person(directory.SeenActive, false)
			x.must(x.decide("kim", "confirm", x.theCase(id).Case, x.claim(claim).Seen))
			x.must(x.act("", directory.OpenDispute, claim, 0, func(a *directory.Act) { a.Identity, a.Seen = true, 0 }))
			return []directory.ID{id}
		}},
		{"a document of two", directory.CaseDocument, func() []directory.ID {
			var out []directory.ID
			for i := range 2 {
				who, _ := somebody(nothing)
				out = append(out, idOf(who))
				must(s.Attest(ctx, directory.Attestation{At: directory.At(noon.Add(-1e9)), Provider: directory.ProviderRef{ID: out[i]}, By: "provider", Auth: "email_link",
					Certificate: &directory.CertificateStatement{Programme: "Polaris Insight Center", Level: "certificate", Completed: "2024-05-01", SHA256: strings.Repeat(fmt.Sprintf("%02x", x.n-i), 32)}}))
			}
			return out[1:]
		}},
		{"a request", directory.CaseRemoval, func() []directory.ID {
			who, _ := somebody(nothing)
			must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: idOf(who), Words: "x", Contact: "y@elsewhere.example"}))
			return []directory.ID{idOf(who)}
		}},
	} {
		for _, theirs := range []bool{true, false} {
			t.Run(fmt.Sprint(sort.name, ", theirs ", theirs), func(t *testing.T) {
				ids := sort.make()
				if list, _, _ := s.Queue(ctx, CaseFilter{Provider: ids[0], Kind: sort.kind, Limit: 9}); len(list) == 0 && sort.kind != "" {
					all, _, _ := s.Queue(ctx, CaseFilter{Provider: ids[0], Limit: 9})
					t.Fatalf("no case of the kind %s but %+v", sort.kind, all)
				}
				var steps []string
				for range 20 {
					var open []directory.Queued
					for _, id := range ids {
						list, _, err := s.Queue(ctx, CaseFilter{Provider: id, Limit: 9})
						if err != nil {
							t.Fatal(err)
						}
						open = append(open, list...)
					}
					if len(open) == 0 {
						t.Log(steps)
						return
					}
					step := ""
					for _, q := range open { // where somebody else must act first, the other
						if step = x.goOn(t, q, theirs); step != "" {
							break
						}
					}
					if step == "" {
						t.Fatalf("after %q nothing closes the case about %s, which needs %+v: %s", steps, open[0].What, open[0].Need, x.offers(open[0].ID))
					}
					steps = append(steps, step)
				}
				t.Fatalf("it is never closed: %q", steps)
			})
		}
	}
	whole(t, s)
}

// ends lists one more person whose licence was confirmed and is good until a day.
func (x *trial) ends(day directory.Date) directory.ID {
	x.t.Helper()
	x.n++
	who, number := "Given"+letters(x.n, "aa")+" Family"+letters(x.n, "bb"), fmt.Sprintf("6%05d", x.n)
	load(x.t, x.s, edition("kap-commons", fmt.Sprint("s", x.n), "2026-11-20"), listing(fmt.Sprint("s", x.n), who, func(l *directory.Listing) {
		l.Sites = []directory.Site{denver(fmt.Sprintf("(303) 555-%04d", x.n))}
		l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.000"+number)}
	}))
	load(x.t, x.s, edition("co-dora", fmt.Sprint("d", x.n), "2026-11-21"), roster("LPC", number, who, "Current", directory.SeenActive, day))
	id := find(x.t, x.s, who).Provider.ID
	for q := range slices.Values(must(x.s.List(ctx, CaseFilter{Provider: id, Limit: 9}, false)).Cases) {
		x.must(x.decide("kim", "confirm", q.Case, x.claim(q.Claim).Seen))
	}
	return id
}

// offers writes what the case's page offers whom.
func (x *trial) offers(id directory.ID) (out string) {
	for _, who := range []string{"kim", "lee"} {
		d := must(x.s.Dossier(ctx, id, who))
		for _, c := range append(slices.Clone(d.Choices), d.Acts...) {
			out += fmt.Sprintf("\n%s: %s: %s %s", who, c.Decision, c.Effect, c.Refused)
		}
	}
	return out
}

// goOn takes the next step about a case that waits: the first that one of those is offered for whom the case asks.
func (x *trial) goOn(t *testing.T, q directory.Queued, theirs bool) string {
	t.Helper()
	order := []string{"look_up", "accept", "close", "confirm", "same", "take", "correct", "accept_request", "distinct"}
	if !theirs {
		order = []string{"look_up", "decline", "close", "clear", "distinct", "keep", "decline_request", "correct"}
		if q.Kind == directory.CaseDocument {
			order = []string{"confirm"}
		}
	} else if q.Kind == directory.CaseDocument {
		order = []string{"clear"}
	}
	if q.Why != "" { // that the register has them no longer
		order = []string{"confirm"}
	}
	d := must(x.s.Dossier(ctx, q.ID, ""))
	if fmt.Sprintf("%+v", d.Need) != fmt.Sprintf("%+v", q.Need) {
		t.Errorf("the page says that it needs %+v, the list %+v", d.Need, q.Need)
	}
	work, role := d.Need.Work()
	if list, _, _ := x.s.Queue(ctx, CaseFilter{Provider: q.Provider, Work: work, Needs: role, Limit: 9}); !slices.ContainsFunc(list, func(y directory.Queued) bool { return y.ID == q.ID }) {
		t.Errorf("%s, %s: the filters do not find what needs %+v (it is filed under %s)", work, role, d.Need, q.Work)
	}
	if d.Need.Approvals == 0 || len(d.Need.From) == 0 {
		t.Errorf("it waits and asks for nobody: %+v", d.Need)
	}
	file := func(who string) {
		must(x.s.Contact(ctx, directory.ContactCheck{Case: q.ID, Staff: who, Method: "phone", SpokeTo: "the clerk", Contact: "303 555 0100", From: "the board's page", Said: "That is they."}))
	}
	for _, do := range order {
		for _, who := range d.Need.From {
			mine := must(x.s.Dossier(ctx, q.ID, who))
			all := append(slices.Clone(mine.Choices), mine.Acts...)
			i := slices.IndexFunc(all, func(c directory.Choice) bool { return c.Decision == do })
			if i < 0 {
				continue
			}
			if strings.Contains(all[i].Refused, "file what shows it") && len(mine.Filed) == 0 {
				file(who)
				return who + " files a call"
			}
			if all[i].Refused != "" {
				continue
			}
			by := "licence"
			if mine.Claim != nil && mine.Claim.Kind != directory.License || q.Source == "nppes" {
				by = "npi"
			}
			var err error
			switch do {
			case "accept", "decline", "close":
				_, err = x.act(who, directory.Deed(do), q.Claim, q.Event)
			case "look_up": // renewed, or not there any more
				cells := map[string]string{"looked_at": string(x.s.now()), "found": "no"}
				if theirs {
					cells = map[string]string{"looked_at": string(x.s.now()), "found": "yes", "status_words": "Current", "number": mine.Claim.Number.Shown, "name_shown": q.Name, "expires": "2028-08-31"}
				}
				l := must(mine.LookUp(mine.Seen, cells))
				if err = must(x.s.BringIn(ctx, who, "test", []directory.LookUp{l}, false))[0].Refused(); errors.Is(err, directory.Conflict) {
					continue // they have looked, and somebody else confirms it
				}
			case "correct":
				to := &directory.Fixed{By: []string{by}, Method: "phone", Text: "the clerk read it out"}
				switch state := mine.Case.Kind; {
				case state == directory.CaseExpired: // a new document
					day := directory.Date("2028-08-31")
					to = &directory.Fixed{Expires: &day, Method: "upload", Text: "the new certificate"}
				case state == directory.CaseExclusion:
					to.State = directory.SeenExcluded
				case state == directory.CaseIndeterminate:
					to.State = directory.SeenProbation
				}
				_, err = x.act(who, directory.Correction, q.Claim, all[i].Of, func(a *directory.Act) { a.To = to })
			case "accept_request", "decline_request":
				_, err = x.s.DecideRemoval(ctx, directory.RemovalDecision{ID: q.ID, Do: strings.TrimSuffix(do, "_request"), Staff: who, Auth: "test", Note: "n"})
			default:
				_, err = x.s.Decide(ctx, directory.Decision{Case: q.ID, Seen: mine.Seen, Staff: who, Auth: "test", Decision: do, Field: by, Note: "note"})
			}
			if err != nil {
				t.Fatalf("%s was offered to %s and refused: %v", do, who, err)
			}
			return who + " " + do
		}
	}
	return ""
}

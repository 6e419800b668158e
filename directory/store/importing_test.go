package store

import (
	"fmt"
	"slices"
	"testing"

	"kapdir/directory"
)

// common makes pages of more people than are compared by name, all of one family name, initial and state
// and of nothing else in common.
func common() (records []directory.Record) {
	for i := range mostAlike + 20 {
		records = append(records, listing(fmt.Sprintf("p%04d", i), letters(i, "Pa", "Pe", "Po", "Pu")+" Smith", func(l *directory.Listing) {
			l.Sites = []directory.Site{{Address: directory.Address{City: "Denver", State: "CO"}}}
		}))
	}
	return records
}

// testCommonName lists somebody whose name more share than are compared by name alone: what is said against
// somebody of the name finds them all the same, whichever comes first, and so does their number.
func testCommonName(t *testing.T, c Config) {
	s := open(t, c)
	page := func(source, key string) directory.Record {
		return from(source, listing(key, "Pat Smith, LPC", func(l *directory.Listing) {
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.0000042")}
		}))
	}
	exclude := func(as string, who string) {
		load(t, s, edition("leie", as, "2026-10-31", as), exclusion("x", who, ""))
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), append(common(), page("kap-commons", "pat"))...)
	exclude("2026-10", "Pat Smith")
	count := func(kind directory.CaseKind, of directory.ID) int {
		t.Helper()
		var cases int
		if err := s.reader.QueryRow(`SELECT count(*) FROM cases WHERE kind = $1 AND provider = $2`, kind, of).Scan(&cases); err != nil {
			t.Fatal(err)
		}
		return cases
	}
	pat := find(t, s, "Pat Smith").Provider.ID
	if n := count(directory.CaseExclusion, pat); n != 1 {
		t.Errorf("%d cases of the exclusion", n)
	}
	for _, long := range []int{-1, 0} { // also with the providers in memory
		s.long = long
		number := fmt.Sprint(99 + long)
		load(t, s, edition("co-dora", number, "2026-11-01", number), roster("LPC", number, "Pat Smith", "Revoked", directory.SeenRevoked, "2027-08-31"),
			roster("LPC", "42", "Pat Smith", "Active", directory.SeenActive, "2027-08-31"))
		if n := count(directory.CaseAdverse, pat); n != 2+long {
			t.Errorf("rows that take licences of the name away, long %d: %d cases", long, n)
		}
	}
	if _, st := licenceOf(t, s, "Pat Smith", "CO"); len(st.Pending) == 0 {
		t.Errorf("their own licence was not found: %+v", st)
	}
	// Another page of theirs is known by the number.
	load(t, s, edition("open-clinics", "1", "2026-11-21"), page("open-clinics", "q"))
	if got := find(t, s, "Pat Smith").Provider.ID; got != pat {
		t.Errorf("the page makes %s of %s", got, pat)
	}
	// Who comes after the lists is told the same.
	load(t, s, edition("kap-commons", "2", "2026-11-22", "2"), listing("new", "Pat J Smith", nil))
	late := find(t, s, "Pat J Smith")
	if x, a := count(directory.CaseExclusion, late.Provider.ID), count(directory.CaseAdverse, late.Provider.ID); x != 1 || a != 1 {
		t.Errorf("who comes after the lists has %d cases of the exclusion and %d of what was taken away", x, a)
	}
	whole(t, s)
}

// testAlike imports pages of people whose names sound alike, and some of one name: each is a provider, and
// a person is asked about a bounded number of pairs.
func testAlike(t *testing.T, c Config) {
	s := open(t, c)
	const n = 60
	var records []directory.Record
	for i := range n {
		who := "Pat Example" // one name
		if i%2 == 0 {
			who = fmt.Sprint("Person Example", i)
		}
		records = append(records, listing(fmt.Sprintf("p%03d", i), who, func(l *directory.Listing) { l.Sites = []directory.Site{denver("")} }))
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), records...)
	counts := rowCounts(t, s)
	if counts["provider"] != n {
		t.Errorf("%d providers of %d", counts["provider"], n)
	}
	if most := n / 2 * mostShown; counts["cases"] == 0 || counts["cases"] > most {
		t.Errorf("%d cases, want 1 to %d", counts["cases"], most)
	}
	whole(t, s)
}

// testArrivals lets somebody arrive, take another name, and come to a second licence after each transaction of
// a long import in turn, which holds the providers in memory: rows that were written before and rows that come
// after speak of them, also where only the identifier agrees.
func testArrivals(t *testing.T, c Config) {
	s, other := open(t, c), open(t, c)
	s.first, s.most, s.long = 2, 2, 0
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), cara())
	const rows = 8
	for at := 1; at <= rows/2; at++ {
		commits := 0
		first, second, npi := fmt.Sprintf("1%03d", at), fmt.Sprintf("2%03d", at), providerNPI(700+at)
		who := "Bea " + letters(at, "Mar", "Ric")
		page := func(second bool, number string) directory.Record {
			return from("open-clinics", listing("bea"+first, who, func(l *directory.Listing) {
				l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC."+first)}
				if second {
					l.NPI = npi
					l.Licences = append(l.Licences, licence("CO", "LPC", "LPC."+number))
				}
			}))
		}
		s.afterCommit = func() {
			if commits++; commits == at {
				load(t, other, edition("open-clinics", first, "2026-11-21", first), page(false, ""))
				load(t, other, edition("open-clinics", second, "2026-11-22", second), page(true, second))
			}
		}
		release := func(source string) directory.Release {
			return edition(source, first, "2026-11-0"+directory.Date(fmt.Sprint(at)), first)
		}
		far := func(i int) directory.Record {
			return roster("LPC", fmt.Sprint(50000+100*at+i), "Far Away", "Active", directory.SeenActive, "2027-08-31")
		}
		unheard := "Somebody " + letters(at, "Sol", "Ton") // no name that anybody knows of her
		load(t, s, release("co-dora"), roster("LPC", first, unheard, "Active", directory.SeenActive, "2027-08-31"), far(1), far(2), far(3), far(4), far(5), far(6),
			roster("LPC", second, who, "Active", directory.SeenActive, "2027-08-31"))
		if commits < at {
			t.Fatalf("%d transactions", commits)
		}
		seen := map[string]bool{}
		for _, h := range find(t, s, who).Claims {
			for _, e := range h.Events {
				if h.Claim.Kind == directory.License && e.Type == directory.Observe && e.Body.Release == first {
					seen[h.Claim.Number.Digits()] = true
				}
			}
		}
		if !seen[directory.ParseLicenceNumber(first).Digits()] || !seen[directory.ParseLicenceNumber(second).Digits()] {
			t.Errorf("who arrived after transaction %d was observed of %v", at, seen)
		}
		commits = 0
		s.afterCommit = nil
		load(t, s, release("nppes"), identity(npi, "Else Where"))
		if !slices.ContainsFunc(find(t, s, who).Claims, func(h directory.History) bool { return h.Claim.Kind == directory.IdentityNPI }) {
			t.Errorf("their NPI is not observed")
		}
	}
	whole(t, s)
}

// testBlocks looks a row up by all that can speak of somebody, in a store whose rows stand under the blocks
// of an older program too.
func testBlocks(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("LPC", "7", "Dan Poole", "Active", directory.SeenActive, "2027-08-31"),
		roster("LPC", "8", "Ben Carter", "Revoked", directory.SeenRevoked, "2027-08-31"))
	load(t, s, edition("nppes", "1", "2026-11-01"), identity(danNPI, "Dan Poole", "Dan Marsh"))
	load(t, s, edition("leie", "1", "2026-10-31"), exclusion("x", "Dan Poole", ""))
	for _, x := range []struct {
		subject directory.Subject
		of      string // sources and keys
		under   string // without the names of a register with which nothing is wrong
	}{
		{directory.Listing{Kind: directory.Person, Name: name("Dan Poole")}.Subject(), "co-dora LPC-7, leie x, ", "leie x, "},
		{directory.Listing{Kind: directory.Person, Name: name("Ben Carter")}.Subject(), "co-dora LPC-8, ", "co-dora LPC-8, "},
		{directory.Subject{NPI: danNPI}, "nppes " + string(danNPI) + ", ", "nppes " + string(danNPI) + ", "},
		{directory.Subject{Licences: []directory.LicenceKey{{State: "CO", Type: "LPC", Number: directory.ParseLicenceNumber("7")}}}, "co-dora LPC-7, ", "co-dora LPC-7, "},
	} {
		found, err := mustRead(t, s).rowsOf(x.subject.Blocks(), "")
		under, err2 := mustRead(t, s).rowsUnder(x.subject.Blocks(), "")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		got := ""
		for _, r := range found {
			got += r.source + " " + r.key + ", "
		}
		short := ""
		for _, r := range under {
			short += r.source + " " + r.key + ", "
		}
		if got != x.of || short != x.under {
			t.Errorf("%v: found %q and under the blocks alone %q, want %q and %q", x.subject.Blocks(), got, short, x.of, x.under)
		}
	}
}

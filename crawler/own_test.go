package crawler

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// invented is an operator's recipe of testdata/own.
func invented(t testing.TB, id string) Source {
	t.Helper()
	src, err := ReadRecipe("testdata/own/" + id + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// importOwn imports pages of testdata/own/pages by an operator's recipe.
func importOwn(t testing.TB, id string, pages ...string) (*memory, error) {
	t.Helper()
	dir := t.TempDir()
	for _, p := range pages {
		b, err := os.ReadFile("testdata/own/pages/" + p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, p), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m := &memory{}
	_, err := Run(context.Background(), invented(t, id), Input{Path: dir}, m, Options{Now: day})
	return m, err
}

// TestCards reads a paginated list whose cards hold everything, with the licence strings and the traps of
// formats.md §7.
func TestCards(t *testing.T) {
	m, err := importOwn(t, "therapist-cards", "cards-1.html", "cards-2.html")
	if err != nil {
		t.Fatal(err)
	}
	n := directory.ParseLicenceNumber
	licences := map[string][]directory.ListedLicence{
		"/t/ana-ruiz":    {{State: "CA", Title: "LMFT", Number: n("46111")}},
		"/t/jonah-reyes": {{State: "CA", Title: "AMFT", Number: n("143409")}},
		"/t/ben-ode":     {{State: "CA", Title: "Associate Marriage & Family Therapist", Number: n("144457")}},
		"/t/cleo-marsh":  {{Title: "LMFT", Number: n("124458")}, {State: "CA", Title: "LMFT", Number: n("98432")}},
	}
	for key, want := range licences {
		r := m.record(key)
		if r == nil {
			t.Fatalf("%s is not in", key)
		}
		if diff := cmp.Diff(want, r.Listing.Licences); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	if len(m.records) != len(licences) {
		t.Errorf("%d listings: %v", len(m.records), m.seen)
	}
	ana := m.record("/t/ana-ruiz").Listing
	if ana.Name.Given != "Ana" || ana.Name.Family != "Ruiz" || !slices.Equal(ana.Name.Credentials, []string{"LPC"}) || !slices.Equal(ana.Practice.Routes, []string{"sublingual_lozenge", "intramuscular"}) {
		t.Errorf("%s", asJSON(ana))
	}
	if a := ana.Sites[0].Address; a.Line1 != "12 Elm Street" || a.City != "Fresno" || a.State != "CA" || a.ZIP != "93701" {
		t.Errorf("address %+v", a)
	}
	if p, ok := directory.Tables().Programme(ana.Training[0].Programme); !ok || p.ID != "ktc" {
		t.Errorf("training %+v is %q", ana.Training, p.ID)
	}
	if j := m.record("/t/jonah-reyes").Listing.Name; j.Family != "Reyes" || !slices.Equal(j.Credentials, []string{"AMFT"}) {
		t.Errorf("a credential behind a bar: %+v", j)
	}
	var reasons []string
	for _, r := range m.rejects {
		reasons = append(reasons, r.Field+" "+r.Reason)
	}
	if len(reasons) != 2 || !strings.Contains(reasons[0], "15 kinds of licence") || !strings.Contains(reasons[1], "reads as an organisation's") {
		t.Errorf("cards that are no person's: %q", reasons)
	}
	if all := asJSON(m.records) + asJSON(m.rejects); strings.Contains(all, "PLANTED") || strings.Contains(all, "104497") || strings.Contains(all, "Jane Roe") || strings.Contains(all, "photos") || strings.Contains(all, "0177") {
		t.Error("a biography, a testimonial, a photograph or a supervisor's licence came in")
	}
}

// TestNestedTables reads people in tables within tables: the row that wraps them is nobody.
func TestNestedTables(t *testing.T) {
	m, err := importOwn(t, "old-tables", "tables.html")
	if err != nil || len(m.records) != 2 || len(m.rejects) != 0 {
		t.Fatalf("%v, %d listings, rejects %+v", err, len(m.records), m.rejects)
	}
	n := directory.ParseLicenceNumber
	dana, evan := m.record("/list.html#m1").Listing, m.record("/list.html#m2").Listing
	if diff := cmp.Diff([]directory.ListedLicence{{State: "CO", Title: "LCSW", Number: n("CSW.0099001")}, {State: "CO", Title: "LAC", Number: n("ACD.0001234")}}, dana.Licences); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if evan.Name.Family != "Stone" || !slices.Equal(evan.Name.Credentials, []string{"LMFT"}) || len(evan.Licences) != 1 || evan.Licences[0].Number.Key != "55123" || evan.Sites[0].Address.City != "Austin" {
		t.Errorf("%s", asJSON(evan))
	}
}

// TestMicrodata reads in microdata what is read in JSON-LD elsewhere.
func TestMicrodata(t *testing.T) {
	m, err := importOwn(t, "item-clinic", "microdata.html")
	if err != nil || len(m.records) != 1 || len(m.rejects) != 0 {
		t.Fatalf("%v, %d listings, rejects %+v", err, len(m.records), m.rejects)
	}
	l := m.record("/team/ana#me").Listing
	origin := directory.Origin{Source: "item-clinic", URL: "https://item-clinic.example/team/ana", AsOf: "2026-10-30"}
	want := directory.Listing{Kind: directory.Person, ListedAs: directory.AsKAP, Name: directory.Name{Given: "Ana", Family: "Ruiz", Credentials: []string{"LMFT"}},
		Licences: []directory.ListedLicence{{State: "CA", Title: "LMFT", Number: directory.ParseLicenceNumber("46111")}},
		Training: []directory.ListedTraining{{Programme: "Certificate from fluencetraining", Level: "certificate"}},
		Sites:    []directory.Site{{Address: directory.Address{Line1: "12 Elm Street", City: "Fresno", State: "CA", ZIP: "93701"}, Point: l.Sites[0].Point, Phone: "(559) 555-0101", Origin: origin}},
		Website:  "https://ana-ruiz.example/", Practice: directory.Practice{Routes: []string{"sublingual_lozenge"}, Accepting: directory.Yes, AcceptingAsOf: "2026-10-30"}, Origin: origin}
	if diff := cmp.Diff(want, *l); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if all := asJSON(m.records); strings.Contains(all, "PLANTED") || strings.Contains(all, "Jane Roe") || strings.Contains(all, "Robin") || strings.Contains(all, "photos") {
		t.Errorf("more than facts came in: %s", all)
	}
}

// TestFactsOnly points a recipe at the prose by mistake: what is longer than a fact is not kept anywhere.
func TestFactsOnly(t *testing.T) {
	bio := "PLANTED-BIO " + strings.Repeat("I heal everything and everybody. ", 20)
	m, _, err := importFile(t, "kap-commons", write(t, "x.html", profile("<li>Lozenge</li>", "<li>Lozenge</li><li>"+bio+"</li>")))
	if err != nil || len(m.records) != 1 || len(m.rejects) != 1 || m.rejects[0].Field != "route" || !strings.Contains(m.rejects[0].Reason, "no fact") {
		t.Fatalf("%v, rejects %+v", err, m.rejects)
	}
	if all := asJSON(m.records) + asJSON(m.rejects); strings.Contains(all, "PLANTED") || !slices.Equal(m.records[0].Listing.Practice.Routes, []string{"sublingual_lozenge"}) {
		t.Errorf("prose came in: %s", all)
	}
}

// TestOwnSources adds sites without Go, under the terms that the recipe states.
func TestOwnSources(t *testing.T) {
	own, err := OwnSources("testdata/own")
	if err != nil || len(own) != 3 {
		t.Fatalf("%d sources, %v", len(own), err)
	}
	if none, err := OwnSources(filepath.Join(t.TempDir(), "none")); err != nil || len(none) != 0 {
		t.Errorf("no directory: %v", err)
	}
	for _, s := range own {
		if i := s.Info(); i.ID != s.ID || i.Kind != "listing" || i.Class != directory.ClassListing || i.Terms != "manual_only" || i.MayRepublish != "false" || i.Name == "" {
			t.Errorf("%s: %+v", s.ID, i)
		}
	}
	for _, s := range Sources() {
		if s.Listing && s.Start() == "" {
			t.Errorf("%s: no recipe", s.ID)
		}
	}

	good := "source: x\nsite:\n  name: X\n  terms: allowed_automated\n  terms_url: https://x.example/terms\n  terms_read: 2026-11-01\n  read_by: kim\nformat: markup\nstart: https://x.example/\nlisting: div.card\nfields:\n  kind: {value: T, words: kind}\n  name: {css: h1}\nwords:\n  kind: {T: person kap}\n"
	read := func(text string) (Source, error) { return ReadRecipe(write(t, "x.yaml", text)) }
	src, err := read(good)
	if err != nil || src.Info().Terms != "allowed_automated" || !strings.Contains(src.Info().Note, "kim") {
		t.Fatalf("%+v, %v", src.Info(), err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"no verdict", "  terms: allowed_automated\n", "", ""},
		{"forbidden", "allowed_automated", "forbidden", "line 4: site.terms: a site that forbids"},
		{"another verdict", "allowed_automated", "perhaps", "line 4: site.terms"},
		{"nobody read them", "  read_by: kim\n", "", "line 2: site.read_by"},
		{"no page of terms", "https://x.example/terms", "somewhere", "line 5: site.terms_url"},
		{"no day", "2026-11-01", "lately", "line 6: site.terms_read"},
		{"no site", "site:\n  name: X\n  terms: allowed_automated\n  terms_url: https://x.example/terms\n  terms_read: 2026-11-01\n  read_by: kim\n", "", "site: a recipe of your own"},
		{"no start", "start: https://x.example/", "start: x", "line 9: start"},
		{"a mistyped key", "listing:", "listings:", "line 10: listings: there is no such key"},
		{"a mistyped field", "  name: {css", "  nmae: {css", "line 11: fields"},
		{"a bad selector", "{css: h1}", "{css: 'h1[['}", "line 13: fields.name"},
		{"css and value", "{css: h1}", "{css: h1, value: x}", "line 13: fields.name"},
		{"a word that is not ours", "person kap", "person cap", "line 15: words.kind"},
		{"no YAML", "fields:", "fields: [", "line 1"},
		{"too long", "source: x\n", "source: x\n#" + strings.Repeat("x", maxRecipe), "larger than"},
	} {
		src, err := read(strings.Replace(good, c.old, c.new, 1))
		if c.want == "" {
			if err != nil || src.Info().Terms != "manual_only" {
				t.Errorf("%s: %v, terms %q", c.name, err, src.Info().Terms)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.yaml") {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := ReadRecipe(write(t, "kap-commons.yaml", strings.Replace(good, "source: x", "source: kap-commons", 1))); err == nil || !strings.Contains(err.Error(), "sources.csv") {
		t.Errorf("a recipe that would change a site of the program: %v", err)
	}

	// Under manual_only no address is ever asked for, whatever is asked of us.
	asked := 0
	for _, verdict := range []string{"manual_only", "forbidden"} {
		s := invented(t, "therapist-cards")
		s.recipe.info.Terms = verdict
		client := countingClient(t, &asked)
		m := &memory{}
		_, err := Run(context.Background(), s, Input{URL: "http://therapist-cards.example/ketamine", Client: client}, m, Options{Now: day})
		_, err2 := Check(context.Background(), s, Input{URL: "http://therapist-cards.example/ketamine", Client: client}, Options{Now: day})
		if directory.KindOf(err) != directory.Refused || directory.KindOf(err2) != directory.Refused || m.begun != 0 || asked != 0 {
			t.Errorf("%s: %v, %v, begun %d, asked %d times", verdict, err, err2, m.begun, asked)
		}
		if verdict == "forbidden" {
			if _, err := Run(context.Background(), s, Input{Path: "testdata/own/pages"}, m, Options{Now: day}); directory.KindOf(err) != directory.Refused {
				t.Errorf("saved pages of a site that forbids it: %v", err)
			}
		}
	}
}

// TestCheck tells a person what a recipe takes.
func TestCheck(t *testing.T) {
	x, err := Check(context.Background(), invented(t, "therapist-cards"), Input{Path: "testdata/own/pages/cards-1.html"}, Options{Now: day})
	if err != nil {
		t.Fatal(err)
	}
	p := x.Pages[0]
	if len(p.Listings) != 4 || p.Profiles != 4 || p.Next != 1 || x.Yield.Listings != 2 || x.Terms != "manual_only" {
		t.Fatalf("%s", asJSON(x))
	}
	has := func(m Match) bool { return slices.Contains(p.Listings[0].Matches, m) }
	if !has(Match{"licences", "body > div.results-row:nth-of-type(1) > p.license", "LMFT #46111"}) || !has(Match{"sites.address", "body > div.results-row:nth-of-type(1) > span.address:nth-of-type(1)", "12 Elm Street, Fresno, CA 93701"}) {
		t.Errorf("matches %s", asJSON(p.Listings[0].Matches))
	}
	if l := p.Listings[2]; l.Taken || len(l.Rejects) != 1 || !strings.Contains(l.Rejects[0].Reason, "15 kinds") {
		t.Errorf("the organisation's card: %s", asJSON(l))
	}
	if !slices.Equal(x.Never, []string{"credentials"}) || len(x.Warnings) != 2 {
		t.Errorf("never %v, warnings %q", x.Never, x.Warnings)
	}
	if all := asJSON(x); strings.Contains(all, "PLANTED") || strings.Contains(all, "104497") {
		t.Error("more than facts is shown")
	}

	// What must not be held is not shown either, and a word that no table has is named once with its count.
	dir := t.TempDir()
	for name, text := range map[string]string{"a.html": profile("Lozenge", "Moonbeam"), "b.html": strings.ReplaceAll(profile("Lozenge", "moonbeam"), "ana-ruiz", "other"), "c.html": profile("<dl>", "<p>900-01-2345</p><dl>")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src, _ := Find("kap-commons")
	if x, err = Check(context.Background(), src, Input{Path: dir}, Options{Now: day}); err != nil || len(x.Unknown) == 0 || !strings.EqualFold(x.Unknown[0].Word, "moonbeam") || x.Unknown[0].Table != "route" {
		t.Fatalf("%v, %+v", err, x.Unknown)
	}
	if strings.Contains(asJSON(x), "2345") || x.Pages[2].Listings[0].Taken || len(x.Pages[2].Listings[0].Matches) != 0 {
		t.Errorf("a Social Security number: %s", asJSON(x.Pages[2]))
	}
	if src, _ := Find("leie"); true {
		if _, err := Check(context.Background(), src, Input{Path: dir}, Options{Now: day}); directory.KindOf(err) != directory.Invalid {
			t.Errorf("a list: %v", err)
		}
	}
}

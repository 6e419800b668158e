package crawler

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// TestKAPCommons reads the pages of testdata/README.md.
func TestKAPCommons(t *testing.T) {
	m, rep, err := importFile(t, "kap-commons", "testdata/kap-commons")
	if err != nil {
		t.Fatal(err)
	}
	if rep.Pages != 5 || len(m.records) != 4 || m.rel.File != "kap-commons" || m.rel.AsOf != "2026-11-23" {
		t.Errorf("%d pages, %d records, release %+v", rep.Pages, len(m.records), m.rel)
	}
	maya := m.record("/profile/maya-okafor")
	l := maya.Listing
	origin := directory.Origin{Source: "kap-commons", URL: "https://kap-commons.example/profile/maya-okafor", AsOf: "2026-10-30"}
	roth := directory.Site{Name: "Front Range Ketamine", Address: directory.Address{Line1: "410 Walnut Street", Line2: "Suite 2", City: "Boulder", State: "CO", ZIP: "80302"},
		Point: l.Sites[0].Point, Phone: "(303) 555-0111", Origin: origin}
	fee := func(component string, low, high int64) directory.PriceItem {
		o := origin
		o.AsOf = "2026-09-01"
		return directory.PriceItem{Component: component, MinCents: low, MaxCents: high, Currency: "USD", Origin: o}
	}
	want := directory.Listing{
		Kind: directory.Person, ListedAs: directory.AsKAP, Name: directory.Name{Given: "Maya", Family: "Okafor", Credentials: l.Name.Credentials},
		Former: []directory.Name{{Given: "Maya", Family: "Lindqvist"}}, NPI: "2000000010",
		Licences: []directory.ListedLicence{{State: "CO", Title: "LCSW", Number: directory.ParseLicenceNumber("CSW.09923456")},
			{State: "UT", Title: "Licensed Clinical Social Worker", Number: directory.ParseLicenceNumber("35501")}},
		Training: []directory.ListedTraining{{Programme: "Polaris Modules 1-5", Level: "certificate", Completed: "2024-05-12"}, {Programme: "Fluence KAP workshop", Level: "attended"}},
		Prescribers: []directory.ListedPrescriber{{Name: directory.Name{Given: "Elena", Family: "Roth", Credentials: []string{"MD"}}, NPI: "2100000175",
			Licences: []directory.ListedLicence{{State: "CO", Title: "DR", Number: directory.ParseLicenceNumber("DR.00512345")}}, Sites: []directory.Site{roth}}},
		WorksAt: []string{"/clinic/front-range-ketamine"},
		Sites: []directory.Site{{Name: "Pearl Street office", Address: directory.Address{Line1: "1200 Pearl Street", Line2: "Suite 4", City: "Boulder", State: "CO", ZIP: "80302"},
			Point: l.Sites[0].Point, Phone: "(303) 555-0142", Origin: origin}},
		Website: "https://maya-okafor.example/",
		Practice: directory.Practice{
			Preparation: directory.Phase{Offered: directory.Yes, SessionsMin: 2, SessionsMax: 3, MinutesMin: 60, MinutesMax: 60},
			Medicine:    directory.Phase{Offered: directory.Yes, SessionsMin: 3, SessionsMax: 6, MinutesMin: 120, MinutesMax: 180},
			Integration: directory.Phase{Offered: directory.Yes, SessionsMin: 3, SessionsMax: 3, MinutesMin: 50, MinutesMax: 60},
			Routes:      []string{"sublingual_lozenge", "intramuscular"}, Settings: []string{"therapist_office", "home_remote"}, Model: "collaborative_external_prescriber",
			Presence: directory.PresenceInRoom, Monitoring: []string{"blood_pressure", "heart_rate", "oxygen", "observer"}, VitalSigns: directory.Yes, EmergencyPlan: directory.Yes,
			Escort: directory.Yes, Screening: []string{"uncontrolled_hypertension", "cardiovascular", "psychosis", "pregnancy"}, Frameworks: []string{"ifs", "somatic_experiencing"},
			Focus: []string{"trauma", "depression"}, Populations: []string{"adult", "veteran"}, Formats: []string{"individual", "group"},
			Prices:    []directory.PriceItem{fee("intake", 25000, 25000), fee("preparation", 18050, 18050), fee("medicine_session", 65000, 85000), fee("package", 320000, 320000)},
			Superbill: directory.Yes, SlidingScale: directory.Yes, Languages: []string{"english", "spanish"}, Access: []string{"wheelchair", "asl"},
			Accepting: directory.Yes, AcceptingAsOf: "2026-10-15", Telehealth: directory.Yes, TelehealthIn: []directory.State{"CO", "UT"},
		},
		Origin: origin,
	}
	if diff := cmp.Diff(want, *l); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if l.Sites[0].Point == nil || len(l.Name.Credentials) != 2 || l.Practice.CareType() != directory.CareFullKAP {
		t.Errorf("point %v, credentials %v, care %s", l.Sites[0].Point, l.Name.Credentials, l.Practice.CareType())
	}
	if maya.Fields["licences"] != "LCSW #CSW.09923456, Colorado | Licensed Clinical Social Worker #35501, Utah" || maya.Fields["model"] != "With an outside prescriber" {
		t.Errorf("evidence %v", maya.Fields)
	}
	if all := asJSON(m.records); strings.Contains(all, "104497") || strings.Contains(all, "heal everything") || strings.Contains(all, "photos") || strings.Contains(all, "Jane Roe") {
		t.Error("prose, a photograph or a supervisor's licence came in")
	}

	jonah := m.record("/profile/jonah-reyes").Listing
	if len(jonah.Licences) != 1 || jonah.Licences[0] != (directory.ListedLicence{State: "CA", Title: "AMFT", Number: directory.ParseLicenceNumber("143409")}) {
		t.Errorf("associate's licences %+v", jonah.Licences)
	}
	if !slices.Equal(jonah.Practice.Routes, []string{"sublingual_lozenge"}) || jonah.Practice.Waitlist != directory.Yes || len(jonah.Prescribers) != 0 || len(jonah.Practice.Prices) != 0 {
		t.Errorf("%s", asJSON(jonah))
	}
	var fields []string
	for _, r := range m.rejects {
		fields = append(fields, r.File+" "+r.Field)
	}
	slices.Sort(fields)
	if diff := cmp.Diff([]string{"jonah-reyes.html prescribers", "jonah-reyes.html price", "jonah-reyes.html route"}, fields); diff != "" {
		t.Errorf("fields put aside (-want +got):\n%s", diff)
	}
	if r := m.record("/profile/elena-roth").Listing; r.ListedAs != directory.AsPrescriber || !r.Prescribers[0].Self {
		t.Errorf("the prescriber: %s", asJSON(r))
	}
	if c := m.record("/clinic/front-range-ketamine").Listing; c.Kind != directory.Organisation || c.Organisation != "Front Range Ketamine, LLC" || c.Practice.CareType() != directory.CareInfusionOnly ||
		c.Sites[0].Address.ZIP != "80302-1234" || len(c.Licences) != 0 {
		t.Errorf("the clinic: %s", asJSON(c))
	}
}

// profile is a small valid profile page of KAP Commons with something of it replaced.
func profile(old, new string) string {
	return strings.Replace(`<!doctype html><html><head><meta charset="utf-8"><link rel="canonical" href="https://kap-commons.example/profile/ana-ruiz"></head><body>
<main class="profile"><p class="profile-kind">Therapist</p><h1 class="profile-title">Ana Ruiz</h1><div class="profile-subtitle-credentials">LMFT</div>
<ul class="license-list"><li>LMFT #46111</li></ul>
<address class="site"><span class="street">1 Main Street, Suite 2</span><span class="city">Fresno</span><span class="state">CA</span><span class="zip">93701</span><span class="phone">559-555-0101</span></address>
<a class="website" href="https://ana.example/">x</a><a class="works-at" href="/clinic/a">A</a><time class="last-updated" datetime="2026-10-30">x</time>
<dl><dd class="preparation">Yes</dd></dl><ul class="route-list"><li>Lozenge</li></ul><ul class="telehealth-states"><li>California</li></ul></main></body></html>`, old, new, 1)
}

// TestMarkupTraps changes one thing of a good page.
func TestMarkupTraps(t *testing.T) {
	type check = func(*directory.Listing) bool
	cases := []struct {
		name, old, new string
		field          string // of the one reject, "" for none
		gone           bool   // the listing does not go in
		check          check
	}{
		{name: "as it is", check: func(l *directory.Listing) bool {
			return l.Licences[0].State == "CA" && l.Website == "https://ana.example/" && l.Origin.AsOf == "2026-10-30" && l.Practice.Preparation.Offered == directory.Yes
		}},
		{name: "two states: the licence's is not guessed", old: "<a class=\"website\"", new: `<address class="site"><span class="city">Reno</span><span class="state">Nevada</span></address><a class="website"`,
			check: func(l *directory.Listing) bool { return l.Licences[0].State == "" && len(l.Sites) == 2 }},
		{name: "unknown kind", old: ">Therapist<", new: ">Wizard<", field: "kind", gone: true},
		{name: "no kind", old: `<p class="profile-kind">Therapist</p>`, new: "", field: "kind", gone: true},
		{name: "no name", old: "Ana Ruiz", new: " ", field: "name", gone: true},
		{name: "mixed scripts", old: "Ana Ruiz", new: "Anа Ruiz", field: "name", gone: true},
		{name: "a Social Security number in prose", old: "<dl>", new: "<p>My number is 900-01-2345</p><dl>", field: "page", gone: true},
		{name: "nine digits as a licence", old: "#46111", new: "#900012345", field: "licences", gone: true},
		{name: "a script as website", old: "https://ana.example/", new: "javascript:alert(1)", field: "website", check: func(l *directory.Listing) bool { return l.Website == "" }},
		{name: "a website with a password", old: "https://ana.example/", new: "https://u:p@ana.example/", field: "website"},
		{name: "a page elsewhere as workplace", old: "/clinic/a", new: "https://other.example/clinic/a", field: "works_at", check: func(l *directory.Listing) bool { return l.WorksAt == nil }},
		{name: "a state that is none", old: ">CA<", new: ">Ontario<", field: "sites.state", check: func(l *directory.Listing) bool { return l.Sites[0].Address.State == "" && l.Licences[0].State == "" }},
		{name: "a ZIP that is none", old: "93701", new: "937", field: "sites.zip", check: func(l *directory.Listing) bool { return l.Sites[0].Address.ZIP == "" && l.Sites[0].Point == nil }},
		{name: "a telephone that is none", old: "559-555-0101", new: "call me", field: "sites.phone", check: func(l *directory.Listing) bool { return l.Sites[0].Phone == "" }},
		{name: "a route the site has no word for", old: "Lozenge", new: "Rectal", field: "route", check: func(l *directory.Listing) bool { return l.Practice.Routes == nil && len(l.Licences) == 1 }},
		{name: "a state of telehealth that is none", old: "<li>California</li>", new: "<li>California</li><li>Narnia</li>", field: "telehealth_in", check: func(l *directory.Listing) bool { return len(l.Practice.TelehealthIn) == 1 }},
		{name: "a page from the future", old: "2026-10-30", new: "2031-10-30", field: "as_of", check: func(l *directory.Listing) bool { return l.Origin.AsOf == "2026-11-23" }},
		{name: "markup in a name", old: "Ana Ruiz", new: "<b>Ana</b> &lt;img src=x onerror=alert(1)&gt; Ruiz", check: func(l *directory.Listing) bool { return l.Name.Given == "Ana" && l.Name.Family == "Ruiz" }},
		{name: "zero-width characters in a name", old: "Ana Ruiz", new: "A\u200bna \u202eRuiz", check: func(l *directory.Listing) bool { return l.Name.Given == "Ana" && l.Name.Family == "Ruiz" }},
		{name: "a clinic with fifteen licence types", old: ">Therapist<", new: ">KAP clinic<", field: "licences", check: func(l *directory.Listing) bool { return l.Licences == nil && l.Organisation == "Ana Ruiz" }},
		{name: "a script inside a field", old: ">Ana Ruiz<", new: "><script>x=1</script>Ana Ruiz<", check: func(l *directory.Listing) bool { return l.Name.Given == "Ana" }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			other := strings.ReplaceAll(profile("", ""), "ana-ruiz", "other")
			for name, text := range map[string]string{"a.html": profile(c.old, c.new), "b.html": other} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			m, _, err := importFile(t, "kap-commons", dir)
			if err != nil {
				t.Fatal(err)
			}
			if m.record("/profile/other") == nil {
				t.Error("the other listing was lost")
			}
			r := m.record("/profile/ana-ruiz")
			if (r == nil) != c.gone {
				t.Fatalf("listing in: %v, rejects %+v", r != nil, m.rejects)
			}
			if c.field == "" && len(m.rejects) != 0 || c.field != "" && (len(m.rejects) != 1 || m.rejects[0].Field != c.field || m.rejects[0].File != "a.html") {
				t.Errorf("rejects %+v, want %q", m.rejects, c.field)
			}
			if strings.Contains(asJSON(m.rejects), "2345") {
				t.Errorf("the quarantine keeps the value: %+v", m.rejects)
			}
			if c.check != nil && !c.check(r.Listing) {
				t.Errorf("got %s", asJSON(r.Listing))
			}
		})
	}
}

// TestPagesAside puts whole pages aside, and refuses an input that has no listing at all.
func TestPagesAside(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("1-no-canonical.html", profile(`<link rel="canonical" href="https://kap-commons.example/profile/ana-ruiz">`, ""))
	put("2-other-site.html", profile("kap-commons.example", "other.example"))
	put("3-deep.html", profile("<dl>", strings.Repeat("<div>", 600)+"<dl>"))
	put("4-large.html", profile("<dl>", strings.Repeat(" ", maxPage)+"<dl>"))
	put("5-binary.html", "\x00\x01\x02")
	put("6-script-address.html", profile("https://kap-commons.example/profile/ana-ruiz", "javascript:alert(1)"))
	put("7-good.html", profile("", ""))
	put("8-same.html", profile("", ""))
	put("9-differs.html", profile("Lozenge", "IV infusion"))
	m, rep, err := importFile(t, "kap-commons", dir)
	if err != nil || len(m.records) != 1 || rep.Pages != 3 {
		t.Fatalf("%v, %d records, %d pages", err, len(m.records), rep.Pages)
	}
	got := map[string]string{}
	for _, r := range m.rejects {
		got[r.File] = r.Reason
	}
	for file, want := range map[string]string{"1-no-canonical.html": "where it lives", "2-other-site.html": "other.example", "3-deep.html": "parsed",
		"4-large.html": "larger", "5-binary.html": "binary", "6-script-address.html": "not a web address", "9-differs.html": "two pages"} {
		if !strings.Contains(got[file], want) {
			t.Errorf("%s: %q, want %q", file, got[file], want)
		}
	}
	if len(got) != 7 {
		t.Errorf("rejects %v", got)
	}

	if m, _, err := importFile(t, "kap-commons", write(t, "list.html", `<link rel="canonical" href="https://kap-commons.example/"><div class="results-row"></div>`)); err == nil || m.begun != 0 || !strings.Contains(err.Error(), "no listing") {
		t.Errorf("a page without a listing: %v", err)
	}
	if m, _, err := importFile(t, "open-clinics", "testdata/kap-commons"); err == nil || m.begun != 0 || !strings.Contains(err.Error(), "kap-commons.example") {
		t.Errorf("another site's pages: %v", err)
	}
	if m, _, err := importFile(t, "kap-commons", write(t, "one.html", profile("", ""))); err != nil || len(m.records) != 1 {
		t.Errorf("one file: %v", err)
	}
	two := profile("<main", `<main class="profile" id="x"><p class="profile-kind">Therapist</p><h1 class="profile-title">Bo Lee</h1></main><main`)
	if m, _, err := importFile(t, "kap-commons", write(t, "two.html", two)); err != nil || m.record("/profile/ana-ruiz#x") == nil || m.record("/profile/ana-ruiz#ana-ruiz") == nil {
		t.Errorf("two listings on a page: %v, %v", err, m.seen)
	}
	late := strings.Replace(strings.Replace(profile("Ana Ruiz", "Zoë Núñez"), `<meta charset="utf-8">`, "", 1), "<body>", "<body>"+strings.Repeat(" ", 4000), 1)
	if m, _, err := importFile(t, "kap-commons", write(t, "utf8.html", late)); err != nil || m.records[0].Listing.Name.Family != "Núñez" {
		t.Errorf("a page in UTF-8 that does not say so: %v", err)
	}
	if m, _, err := importFile(t, "kap-commons", write(t, "latin.html", strings.Replace(profile("Ana Ruiz", "Zo\xeb N\xfa\xf1ez"), "utf-8", "windows-1252", 1))); err != nil || m.records[0].Listing.Name.Family != "Núñez" {
		t.Errorf("a page in windows-1252: %v", err)
	}
}

package crawler

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// TestOpenClinics reads the pages of testdata/README.md.
func TestOpenClinics(t *testing.T) {
	m, rep, err := importFile(t, "open-clinics", "testdata/open-clinics")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range m.records {
		keys = append(keys, r.Key+" "+string(r.Listing.Kind)+" "+string(r.Listing.ListedAs))
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{
		"/clinics/high-plains#clinic organisation kap", "/clinics/high-plains#roth person prescriber", "/clinics/high-plains#tamsin person kap",
		"/clinics/lantern#ana-ruiz-lmft person kap", "/clinics/lantern#ben-ode-ma person kap", "/clinics/lantern#lantern-collective organisation clinic",
		"/people/priya-raman person kap"}, keys); diff != "" || rep.Pages != 3 {
		t.Errorf("%d pages, listings (-want +got):\n%s", rep.Pages, diff)
	}
	l := m.record("/clinics/high-plains#tamsin").Listing
	origin := directory.Origin{Source: "open-clinics", URL: "https://open-clinics.example/clinics/high-plains", AsOf: "2026-10-28"}
	fee := func(component string, low, high int64) directory.PriceItem {
		o := origin
		o.AsOf = "2026-08-01"
		return directory.PriceItem{Component: component, MinCents: low, MaxCents: high, Currency: "USD", Origin: o}
	}
	colfax := directory.Address{Line1: "77 Colfax Avenue", Line2: "Suite 300", City: "Denver", State: "CO", ZIP: "80203"}
	want := directory.Listing{
		Kind: directory.Person, ListedAs: directory.AsKAP, Name: directory.Name{Given: "Tamsin", Middle: "Ann", Family: "Bell", Credentials: l.Name.Credentials},
		Former: []directory.Name{{Given: "Tamsin", Family: "Carver"}}, NPI: "2400000685",
		Licences: []directory.ListedLicence{{State: "CO", Title: "Psychologist", Number: directory.ParseLicenceNumber("PSY.0005512")}, {State: "CO", Title: "LPC", Number: directory.ParseLicenceNumber("LPC.0018822")}},
		Training: []directory.ListedTraining{{Programme: "PRATI KAP Training (Foundational)", Level: "certificate", Completed: "2023-03-04"}},
		Prescribers: []directory.ListedPrescriber{{Name: directory.Name{Given: "Elena", Family: "Roth", Credentials: []string{"MD"}}, NPI: "2100000175",
			Licences: []directory.ListedLicence{{State: "CO", Title: "Physician", Number: directory.ParseLicenceNumber("DR.00512345")}},
			Sites:    []directory.Site{{Name: "High Plains KAP, PLLC", Address: colfax, Point: l.Sites[0].Point, Phone: "(720) 555-0150", Origin: origin}}}},
		WorksAt: []string{"/clinics/high-plains#clinic"}, Website: "https://tamsin-bell.example/",
		Sites: []directory.Site{{Name: "Denver office", Address: colfax, Point: l.Sites[0].Point, Phone: "(720) 555-0151", Origin: origin}},
		Practice: directory.Practice{
			Preparation: directory.Phase{Offered: directory.Yes, SessionsMin: 2, SessionsMax: 2, MinutesMin: 60, MinutesMax: 60},
			Medicine:    directory.Phase{Offered: directory.Yes, SessionsMin: 3, SessionsMax: 6, MinutesMin: 120, MinutesMax: 180},
			Integration: directory.Phase{Offered: directory.Yes, SessionsMin: 3, SessionsMax: 6, MinutesMin: 60, MinutesMax: 60},
			Routes:      []string{"sublingual_lozenge", "intramuscular"}, Settings: []string{"clinic_in_person", "home_remote"}, Model: "in_house_team", Presence: directory.PresenceInRoom,
			Monitoring: []string{"blood_pressure", "heart_rate", "oxygen", "acls_on_site"}, VitalSigns: directory.Yes, EmergencyPlan: directory.Yes, Escort: directory.Yes,
			Screening: []string{"uncontrolled_hypertension", "mania", "bladder"}, Frameworks: []string{"act", "emdr"}, Focus: []string{"trauma", "anxiety"},
			Populations: []string{"adult", "first_responder"}, Formats: []string{"individual", "couple"}, Prices: []directory.PriceItem{fee("medicine_session", 70000, 70000), fee("package", 300000, 420000)},
			Superbill: directory.Yes, SlidingScale: directory.No, Languages: []string{"english", "spanish", "french"}, Access: []string{"wheelchair", "public_transport"},
			Accepting: directory.Yes, Waitlist: directory.No, AcceptingAsOf: "2026-10-20", Telehealth: directory.Yes, TelehealthIn: []directory.State{"CO", "WY"},
		},
		Origin: origin,
	}
	if diff := cmp.Diff(want, *l); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if ben := m.record("/clinics/lantern#ben-ode-ma").Listing; len(ben.Licences) != 1 || ben.Licences[0].Number.Key != "144457" || ben.Licences[0].State != "OR" {
		t.Errorf("an associate with a supervisor: %+v", ben.Licences)
	}
	if ana := m.record("/clinics/lantern#ana-ruiz-lmft").Listing; ana.Sites[0].Address.City != "Portland" || ana.WorksAt[0] != "/clinics/lantern#lantern-collective" || ana.Prescribers[0].NPI != "2600001020" {
		t.Errorf("%s", asJSON(ana))
	}
	if priya := m.record("/people/priya-raman").Listing; !priya.Prescribers[0].Self || priya.Practice.Accepting != directory.No || priya.Practice.Waitlist != directory.Yes || priya.Practice.Settings != nil || priya.Sites[0].Address.ZIP != "78701" {
		t.Errorf("%s", asJSON(priya))
	}
	var fields []string
	for _, r := range m.rejects {
		fields = append(fields, r.File+" "+r.Field)
	}
	if diff := cmp.Diff([]string{"collective.html script 2", "solo.html setting"}, fields); diff != "" {
		t.Errorf("put aside (-want +got):\n%s", diff)
	}
	if all := asJSON(m.records); strings.Contains(all, "Robin") || strings.Contains(all, "Kim Books") || strings.Contains(all, "Pat Editor") || strings.Contains(all, "photos") || strings.Contains(all, "heal everything") {
		t.Error("somebody who is not listed, a photograph or prose came in")
	}
}

// graphPage is a page of Open Clinics with one block.
func graphPage(block string) string {
	return `<html><head><link rel="canonical" href="https://open-clinics.example/people/x"><script type="application/ld+json">` + block + `</script></head></html>`
}

// TestGraphQuirks reads the forms in which real sites write the same person.
func TestGraphQuirks(t *testing.T) {
	person := `"@type":"Person","name":"Ana Ruiz, LMFT","availableService":"KAP","hasCredential":"LMFT #46111, California"`
	fine := func(l *directory.Listing) bool {
		return l.Name.Given == "Ana" && l.Name.Family == "Ruiz" && len(l.Licences) == 1 && l.Licences[0].Number.Key == "46111" && l.Licences[0].State == "CA"
	}
	cases := []struct {
		name, block string
		check       func(*directory.Listing) bool // nil: no listing comes in
		reject      string
	}{
		{"plain", `{"@context":"https://schema.org",` + person + `}`, fine, ""},
		{"http context", `{"@context":"http://schema.org/",` + person + `}`, fine, ""},
		{"context as a list", `{"@context":["https://schema.org",{"x":"https://x.example"}],` + person + `}`, fine, ""},
		{"no context", `{` + person + `}`, fine, ""},
		{"another vocabulary", `{"@context":"https://www.w3.org/ns/activitystreams",` + person + `}`, nil, ""},
		{"an array", `[{` + person + `}]`, fine, ""},
		{"a graph", `{"@context":"https://schema.org","@graph":[{"@type":"WebSite","name":"x"},{` + person + `}]}`, fine, ""},
		{"types as a list", strings.Replace(`{`+person+`}`, `"Person"`, `["Person","LocalBusiness"]`, 1), fine, ""},
		{"types with the vocabulary's name", strings.Replace(`{`+person+`}`, `"Person"`, `"http://schema.org/Person"`, 1), fine, ""},
		{"keys with a prefix", `{"@context":{"schema":"https://schema.org/"},"@type":"schema:Person","schema:name":"Ana Ruiz, LMFT","schema:availableService":"KAP","schema:hasCredential":["LMFT #46111, California"]}`, fine, ""},
		{"in a comment", `<!--{` + person + `}-->`, fine, ""},
		{"main entity of a page", `{"@type":"WebPage","mainEntity":{` + person + `}}`, fine, ""},
		{"referred to by @id", `{"@graph":[{"@type":"WebPage","mainEntity":{"@id":"#a"}},{"@id":"#a",` + person + `}]}`, fine, ""},
		{"a founder by @id", `{"@graph":[{"@type":"MedicalClinic","name":"C","founder":{"@id":"#a","@type":"Physician"}},{"@id":"#a",` + person + `}]}`, nil, ""},
		{"credential as an object", strings.Replace(`{`+person+`}`, `"LMFT #46111, California"`, `{"@type":"Credential","credentialCategory":"License","name":"LMFT","identifier":"46111","validIn":"California"}`, 1), fine, ""},
		{"credential valid in a referred place", `{"@graph":[{"@id":"#ca","@type":"State","name":"California"},` + strings.Replace(`{`+person+`}`, `"LMFT #46111, California"`, `{"credentialCategory":"license","name":"LMFT","identifier":46111,"validIn":{"@id":"#ca","name":"California"}}`, 1) + `]}`, fine, ""},
		{"an unknown credential", strings.Replace(`{`+person+`}`, `"LMFT #46111, California"`, `["LMFT #46111, California",{"credentialCategory":"badge","name":"Best of 2025"}]`, 1), fine, "badge"},
		{"a degree is no licence", strings.Replace(`{`+person+`}`, `"LMFT #46111, California"`, `["LMFT #46111, California",{"credentialCategory":"degree","name":"PhD"}]`, 1), fine, ""},
		{"an author of an article", `{"@type":"Article","author":{` + person + `}}`, nil, ""},
		{"a reviewer", `{"@type":"MedicalClinic","name":"C","review":{"author":{` + person + `}}}`, nil, ""},
		{"nobody says KAP", `{"@type":"Person","name":"Ana Ruiz, LMFT","availableService":"Massage"}`, nil, ""},
		{"a name in parts", `{"@type":"Person","givenName":"Ana","familyName":"Ruiz","honorificSuffix":["LMFT"],"availableService":{"@type":"MedicalTherapy","name":"KAP"},"hasCredential":"LMFT #46111, California"}`, fine, ""},
		{"no name", `{"@type":"Person","availableService":"KAP"}`, nil, "no name"},
		{"a Social Security number in prose", strings.Replace(`{`+person+`}`, `"name"`, `"description":"SSN 900-01-2345","name"`, 1), nil, ssnReason},
		{"nine digits as a licence", strings.Replace(`{`+person+`}`, `46111`, `900012345`, 1), nil, ssnReason},
		{"a wrong NPI", strings.Replace(`{`+person+`}`, `"name"`, `"usNPI":"2000000011","name"`, 1), fine, "check digit"},
		{"a foreign address", strings.Replace(`{`+person+`}`, `"name"`, `"address":{"addressLocality":"Toronto","addressCountry":"CA"},"name"`, 1), func(l *directory.Listing) bool { return fine(l) && l.Sites == nil }, "not the United States"},
		{"coordinates as strings, without a ZIP", strings.Replace(`{`+person+`}`, `"name"`, `"address":{"addressLocality":"Fresno","addressRegion":"CA"},"geo":{"latitude":"36.73781","longitude":"-119.78711"},"name"`, 1),
			func(l *directory.Listing) bool {
				return fine(l) && l.Sites[0].Point != nil && *l.Sites[0].Point == directory.Point{Lat: 36.74, Lon: -119.79}
			}, ""},
		{"coordinates that are none", strings.Replace(`{`+person+`}`, `"name"`, `"address":{"addressLocality":"Fresno"},"geo":{"latitude":"north","longitude":"west"},"name"`, 1),
			func(l *directory.Listing) bool { return fine(l) && l.Sites[0].Point == nil }, "not a place"},
		{"euros", strings.Replace(`{`+person+`}`, `"name"`, `"offers":{"name":"intake","price":"100","priceCurrency":"EUR"},"name"`, 1), func(l *directory.Listing) bool { return fine(l) && l.Practice.Prices == nil }, "US dollars"},
		{"verified, says the page", strings.Replace(`{`+person+`}`, `"name"`, `"verified":true,"credentialStatus":"verified","name"`, 1), fine, ""},
		{"a hundred deep", strings.Repeat(`{"x":`, 100) + `{` + person + `}` + strings.Repeat("}", 100), nil, ""},
		{"a reference to itself", `{"@id":"#a","worksFor":{"@id":"#a"},` + person + `}`, fine, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rd := &reading{keys: map[string]string{}}
			r, err := loadRecipe("open-clinics")
			if err != nil {
				t.Fatal(err)
			}
			p, err := parsePage("x.html", []byte(graphPage(c.block)), "text/html; charset=utf-8")
			if err != nil {
				t.Fatal(err)
			}
			site, err := url.Parse(r.Start)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.settle(site, nil); err != nil {
				t.Fatal(err)
			}
			rd.add(readPage(r, p, "2026-11-01"))
			var got []*directory.Listing
			rejects := rd.rejects
			for _, f := range rd.found {
				rejects = append(rejects, f.rejects...)
				if f.rec.Listing != nil && f.rec.Listing.Kind == directory.Person {
					got = append(got, f.rec.Listing)
				}
			}
			switch {
			case c.check == nil && c.name == "a founder by @id": // the clinic is listed through its founder, who says KAP
				if len(got) != 1 || len(rd.found) != 2 {
					t.Errorf("%d people of %d listings", len(got), len(rd.found))
				}
			case c.check == nil:
				if len(got) != 0 {
					t.Errorf("listed: %s", asJSON(got))
				}
			case len(got) != 1 || !c.check(got[0]):
				t.Errorf("got %s, rejects %+v", asJSON(got), rejects)
			}
			if c.reject == "" && len(rejects) != 0 || c.reject != "" && (len(rejects) != 1 || !strings.Contains(rejects[0].Reason, c.reject)) {
				t.Errorf("rejects %+v, want %q", rejects, c.reject)
			}
			if strings.Contains(asJSON(rejects), "2345") {
				t.Errorf("the quarantine keeps the value: %+v", rejects)
			}
		})
	}
}

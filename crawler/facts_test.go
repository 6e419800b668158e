package crawler

import (
	"net/url"
	"pgregory.net/rapid"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func TestParseLicence(t *testing.T) {
	n := directory.ParseLicenceNumber
	for text, want := range map[string]directory.ListedLicence{
		"LMFT #46111":                                  {Title: "LMFT", Number: n("46111")},
		"Licensed LMFT #124458":                        {Title: "LMFT", Number: n("124458")},
		"LMFT #98432, California":                      {State: "CA", Title: "LMFT", Number: n("98432")},
		"LMFT # 98432 (CA)":                            {State: "CA", Title: "LMFT", Number: n("98432")},
		"CSW.09923456":                                 {Title: "CSW", Number: n("CSW.09923456")},
		"LCSW #CSW.09923456, Colorado":                 {State: "CO", Title: "LCSW", Number: n("CSW.09923456")},
		"license DR.00512345 (CO)":                     {State: "CO", Title: "DR", Number: n("DR.00512345")},
		"DR.00512345 (CO)":                             {State: "CO", Title: "DR", Number: n("DR.00512345")},
		"Licensed Clinical Social Worker #35501, Utah": {State: "UT", Title: "Licensed Clinical Social Worker", Number: n("35501")},
		"Licensed Psychologist, license no. PSY12345, California": {State: "CA", Title: "Licensed Psychologist", Number: n("PSY12345")},
		"LPC No. 70123 (TX)":                                           {State: "TX", Title: "LPC", Number: n("70123")},
		"Colorado LPC #LPC.0018822":                                    {State: "CO", Title: "LPC", Number: n("LPC.0018822")},
		"Associate Marriage & Family Therapist #144457":                {Title: "Associate Marriage & Family Therapist", Number: n("144457")},
		"Registered Associate MFT (AMFT #143409)":                      {Title: "AMFT", Number: n("143409")},
		"Registered Associate MFT (AMFT #143409), California":          {State: "CA", Title: "AMFT", Number: n("143409")},
		"AMFT #143409. Supervised by Jane Roe, LMFT #104497":           {Title: "AMFT", Number: n("143409")},
		"AMFT #143409 (supervisor: Jane Roe, LMFT #104497)":            {Title: "AMFT", Number: n("143409")},
		"AMFT #143409, under the clinical supervision of LMFT #104497": {Title: "AMFT", Number: n("143409")},
		"PA #1234, PA":                         {State: "PA", Title: "PA", Number: n("1234")},
		"PA #1234":                             {Title: "PA", Number: n("1234")},
		"MA LMHC #555":                         {Title: "MA LMHC", Number: n("555")}, // degree or state: not guessed
		"MD #A12345, Maryland":                 {State: "MD", Title: "MD", Number: n("A12345")},
		"Psychologist #881, West Virginia":     {State: "WV", Title: "Psychologist", Number: n("881")},
		"LMHC #LH60441019, Washington":         {State: "WA", Title: "LMHC", Number: n("LH60441019")},
		"Psychologist #PSY1000555, DC":         {State: "DC", Title: "Psychologist", Number: n("PSY1000555")},
		"LCSW, Colorado":                       {State: "CO", Title: "LCSW"},
		"LCSW (CO)":                            {State: "CO", Title: "LCSW"},
		"LCSW":                                 {Title: "LCSW"},
		"LMFT 98432":                           {Title: "LMFT", Number: n("98432")},
		"RXN.0101234-NP (CO)":                  {State: "CO", Title: "RXN", Number: n("RXN.0101234-NP")},
		"Licensed Professional Counselor, #5":  {Title: "Licensed Professional Counselor", Number: n("5")},
		"Supervised by Jane Roe, LMFT #104497": {},
		"":                                     {},
	} {
		got, err := parseLicence(text)
		if err != nil {
			t.Errorf("parseLicence(%q): %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("parseLicence(%q) (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"LMFT #46111, LPCC #9912", "#", "(CO)"} {
		if got, err := parseLicence(text); err == nil {
			t.Errorf("parseLicence(%q) = %+v, want an error", text, got)
		}
	}
}

// testDraft is an empty draft of a site.
func testDraft(t testing.TB, source string) *draft {
	t.Helper()
	r, err := loadRecipe(source)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(r.Start)
	d := newDraft(r, &page{name: "x.html", url: u, base: u}, "2026-11-01")
	d.listing.Kind = directory.Person
	d.listing.Name = directory.Name{Given: "Maya", Family: "Okafor"}
	return d
}

func TestPhases(t *testing.T) {
	for text, want := range map[string]directory.Phase{
		"Yes":                               {Offered: directory.Yes},
		"Not offered":                       {Offered: directory.No},
		"No":                                {Offered: directory.No},
		"Yes: 2-3 sessions of 60 minutes":   {Offered: directory.Yes, SessionsMin: 2, SessionsMax: 3, MinutesMin: 60, MinutesMax: 60},
		"Yes: 3 to 6 sessions of 2-3 hours": {Offered: directory.Yes, SessionsMin: 3, SessionsMax: 6, MinutesMin: 120, MinutesMax: 180},
		"Yes, 1 session, 1.5 hours":         {Offered: directory.Yes, SessionsMin: 1, SessionsMax: 1, MinutesMin: 90, MinutesMax: 90},
		"yes; 90 min":                       {Offered: directory.Yes, MinutesMin: 90, MinutesMax: 90},
		"Yes: 3–6 sessions":                 {Offered: directory.Yes, SessionsMin: 3, SessionsMax: 6},
		"Yes: 6-3 sessions of 60 minutes":   {Offered: directory.Yes}, // the numbers make no sense
		"Yes: 1 session of 90 hours":        {Offered: directory.Yes},
		"Perhaps":                           {},
		"Yes (as long as you like), 999 sessions or": {Offered: directory.Yes, SessionsMin: 999, SessionsMax: 999},
	} {
		d := testDraft(t, "kap-commons")
		d.practice("preparation", []string{text})
		if got := d.listing.Practice.Preparation; got != want {
			t.Errorf("phase %q = %+v, want %+v (%v)", text, got, want, d.rejects)
		}
	}
}

func TestPrices(t *testing.T) {
	price := func(component string, low, high int64, as directory.Date) []directory.PriceItem {
		return []directory.PriceItem{{Component: component, MinCents: low, MaxCents: high, Currency: "USD", Origin: directory.Origin{Source: "kap-commons", URL: "https://kap-commons.example/therapists/", AsOf: as}}}
	}
	for text, want := range map[string][]directory.PriceItem{
		"Intake: $250": price("intake", 25000, 25000, "2026-11-01"),
		"Medicine session: $650-$850 (as of 2026-09-01)": price("medicine_session", 65000, 85000, "2026-09-01"),
		"medicine session: $650 to 850.50":               price("medicine_session", 65000, 85050, "2026-11-01"),
		"Preparation session: $180.50":                   price("preparation", 18050, 18050, "2026-11-01"),
		"Package: $3,200 – $4,100 as of 2026-01-31":      price("package", 320000, 410000, "2026-01-31"),
		"Medicine session: from the heart":               nil,
		"Medicine session: $":                            nil,
		"Medicine session: €650":                         nil,
		"Medicine session: $1e9":                         nil,
		"Medicine session: $850-$650":                    nil,
		"Medicine session: $650 (as of 2026-13-01)":      nil,
		"Haircut: $30":                                   nil,
		"$650":                                           nil,
	} {
		d := testDraft(t, "kap-commons")
		d.practice("price", []string{text})
		if diff := cmp.Diff(want, d.listing.Practice.Prices); diff != "" {
			t.Errorf("price %q (-want +got):\n%s", text, diff)
		}
		if (want == nil) != (len(d.rejects) == 1) {
			t.Errorf("price %q: rejects %+v", text, d.rejects)
		}
	}
}

func TestAccepting(t *testing.T) {
	for text, want := range map[string][3]string{
		"Accepting new clients (as of 2026-10-15)":     {"yes", "", "2026-10-15"},
		"Not accepting new clients":                    {"no", "", "2026-11-01"},
		"Waiting list (as of 2026-10-15)":              {"no", "yes", "2026-10-15"},
		"WAITING LIST":                                 {"no", "yes", "2026-11-01"},
		"Full moon only (as of 2026-10-15)":            {"", "", ""},
		"Accepting new clients (as of the other week)": {"", "", ""},
	} {
		d := testDraft(t, "kap-commons")
		d.practice("accepting", []string{text})
		p := d.listing.Practice
		if got := [3]string{string(p.Accepting), string(p.Waitlist), string(p.AcceptingAsOf)}; got != want {
			t.Errorf("%q = %v, want %v", text, got, want)
		}
	}
}

func TestPrescriber(t *testing.T) {
	lic := func(title, number, state string) []directory.ListedLicence {
		return []directory.ListedLicence{{State: directory.State(state), Title: title, Number: directory.ParseLicenceNumber(number)}}
	}
	name := func(creds ...string) directory.Name {
		return directory.Name{Given: "Elena", Family: "Roth", Credentials: creds}
	}
	for text, want := range map[string]*directory.ListedPrescriber{
		"Dr. Elena Roth, MD, NPI 2100000175, license DR.00512345 (CO)":  {Name: name("MD"), NPI: "2100000175", Licences: lic("DR", "DR.00512345", "CO")},
		"Elena Roth, MD; NPI: 2100000175":                               {Name: name("MD"), NPI: "2100000175"},
		"Elena Roth, DO, license DO12345 (OR)":                          {Name: name("DO"), Licences: lic("DO", "DO12345", "OR")},
		"Elena Roth, MD, license #T1234, Texas, NPI 2100000175":         {Name: name("MD"), NPI: "2100000175", Licences: lic("", "T1234", "TX")},
		"Elena Roth, MD, license DR.00512345 (CO), license #T1234 (TX)": {Name: name("MD"), Licences: append(lic("DR", "DR.00512345", "CO"), lic("", "T1234", "TX")...)},
		"Elena Roth, PMHNP-BC":                                          {Name: name("PMHNP-BC")},
		"Dr. Elena Roth":                                                {Name: name()},
		"self":                                                          {Self: true, Name: directory.Name{Given: "Maya", Family: "Okafor"}},
		"named at intake":                                               nil,
		"our medical team":                                              nil,
		"A physician who will be named to you when you come for your first day": nil,
		"Dr.":            nil,
		"NPI 2100000175": nil,
	} {
		d := testDraft(t, "kap-commons")
		got, ok := d.prescriber(text)
		if ok != (want != nil) {
			t.Errorf("prescriber(%q): ok %v, %+v, rejects %+v", text, ok, got, d.rejects)
			continue
		}
		if want == nil {
			continue
		}
		for i := range got.Licences { // a bare number has its letters for a title
			if got.Licences[i].Title == "T" {
				got.Licences[i].Title = ""
			}
		}
		if diff := cmp.Diff(*want, got); diff != "" {
			t.Errorf("prescriber(%q) (-want +got):\n%s", text, diff)
		}
	}
	d := testDraft(t, "kap-commons")
	if p, ok := d.prescriber("Elena Roth, MD, NPI 2100000176"); !ok || p.NPI != "" || len(d.rejects) != 1 {
		t.Errorf("a wrong NPI: %+v %v %+v", p, ok, d.rejects)
	}
	d = testDraft(t, "kap-commons")
	if d.prescriber("Elena Roth, MD, license 900012345 (CO)"); d.ssn == "" {
		t.Error("nine bare digits as a prescriber's licence")
	}
}

func TestFormer(t *testing.T) {
	for text, want := range map[string]directory.Name{
		"formerly Maya Lindqvist":        {Given: "Maya", Family: "Lindqvist"},
		"(née Lindqvist)":                {Given: "Maya", Family: "Lindqvist"},
		"Previously: Maya Lindqvist":     {Given: "Maya", Family: "Lindqvist"},
		"formerly Maya Lindqvist, LCSW":  {Given: "Maya", Family: "Lindqvist"},
		"formerly Maya Lindqvist-Okafor": {Given: "Maya", Family: "Lindqvist-Okafor"},
	} {
		d := testDraft(t, "kap-commons")
		d.former([]string{text})
		if diff := cmp.Diff([]directory.Name{want}, d.listing.Former); diff != "" {
			t.Errorf("former %q (-want +got):\n%s", text, diff)
		}
	}
}

func TestNamesOfOddLetters(t *testing.T) {
	d := testDraft(t, "kap-commons")
	if n := d.personName("name", "Mаya Okafor", ""); !n.IsZero() || len(d.rejects) != 1 { // the second letter is Cyrillic
		t.Errorf("mixed scripts: %+v", n)
	}
	if got := cleanText("\u202eMaya\u200b \x00Okafor\r\n  PhD\u2069"); got != "Maya Okafor PhD" {
		t.Errorf("cleanText = %q", got)
	}
	if n := d.personName("name", cleanText("Zoë  O’Neil‑Ruiz"), "LCSW"); n.Family != "O’Neil‑Ruiz" {
		t.Errorf("%+v", n)
	}
}

func TestScrub(t *testing.T) {
	for _, s := range []string{"900-01-2345", "x 900-01-2345.", "900–01–2345", "900−01‑2345"} {
		if !holdsSSN(s) || scrubText(s) != "" {
			t.Errorf("%q: %v, kept %q", s, holdsSSN(s), scrubText(s))
		}
		if r := scrubReason("the site's word \"" + s + "\" is unknown"); strings.Contains(r, "2345") {
			t.Errorf("reason %q", r)
		}
	}
	for _, s := range []string{"９００-01-2345", "900-\u200b01-2345", "900\u00ad-01-2345", "9\x00\x0000-01-2345", "900-01\x1f-2345", "900-01-23\x7f45", "900-01-2345\f2", "2\x00900-01-2345", "９00-01-2345\f2"} {
		if !holdsSSN(s) || !slotHoldsSSN(s, "CO") || scrubText(s) != "" || strings.Contains(scrubReason(s), "2345") {
			t.Errorf("%q in disguise: %v, kept %q, reason %q", s, holdsSSN(s), scrubText(s), scrubReason(s))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`[-0-9x ]{0,24}|[-x ]?[0-9]{2,4}-[0-9]{1,3}-[0-9]{3,5}[-x ]?`).Draw(t, "s")
		if holdsSSN(s) != directory.LooksLikeSSN(s) {
			t.Fatalf("holdsSSN(%q) = %v", s, holdsSSN(s))
		}
	})
	for _, s := range []string{"303-555-0142", "80302-1234", "2026-11-23", "1-900-01-2345-6", "", "CSW.09923456"} {
		if holdsSSN(s) {
			t.Errorf("%q is none", s)
		}
	}
	if scrubText("number 900012345 here") != "" || scrubText("a\nb\x00c") != "a bc" {
		t.Error("scrubText")
	}
	for _, c := range []struct {
		slot  string
		state directory.State
		want  bool
	}{{"900012345", "CO", true}, {" 900012345 ", "", true}, {"149012345", "IL", false}, {"519012345", "IL", true}, {"900 01 2345", "IL", true},
		{"900.01.2345", "TX", true}, {"90001234", "CO", false}, {"C900012345", "CO", false}} {
		if got := slotHoldsSSN(c.slot, c.state); got != c.want {
			t.Errorf("slotHoldsSSN(%q, %q) = %v", c.slot, c.state, got)
		}
	}
}

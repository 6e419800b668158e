package crawler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// The two shapes of one person: of 2019 and of 2026.
const (
	api2019 = `{"result_count":1,"results":[{"enumeration_type":"NPI-1","number":2000000010,"last_updated_epoch":1556104934,"created_epoch":1556064000,
"basic":{"first_name":"MAYA","last_name":"OKAFOR","middle_name":"N","credential":"LCSW","sole_proprietor":"NO","gender":"F","enumeration_date":"2019-04-24","last_updated":"2019-04-24","status":"A","name":"OKAFOR MAYA"},
"other_names":[{"type":"Former Name","code":"1","first_name":"MAYA","last_name":"LINDQVIST"}],
"addresses":[{"country_code":"US","address_purpose":"MAILING","address_1":"1 HOME LANE","city":"LYONS","state":"CO","postal_code":"80540","telephone_number":"303-555-0100"},
{"country_code":"US","address_purpose":"LOCATION","address_1":"1200 PEARL STREET","address_2":"","city":"BOULDER","state":"CO","postal_code":"803021234","telephone_number":"303-555-0142"}],
"taxonomies":[{"code":"1041C0700X","desc":"Social Worker, Clinical","primary":true,"state":"CO","license":"CSW.09923456"}],"identifiers":[]}]}`
	api2026 = `{"result_count":1,"results":[{"enumeration_type":"NPI-1","number":"2000000010","last_updated_epoch":"1556104934000","created_epoch":"1556064000000",
"basic":{"first_name":"MAYA","last_name":"OKAFOR","middle_name":"N","credential":"LCSW","name_prefix":"--","name_suffix":"--","sex":"F","certification_date":"2024-01-01","status":"A"},
"other_names":[{"type":"Former Name","code":"1","first_name":"MAYA","last_name":"LINDQVIST"}],
"addresses":[{"country_code":"US","address_purpose":"LOCATION","address_1":"1200 PEARL STREET","city":"BOULDER","state":"CO","postal_code":"803021234","telephone_number":"303-555-0142"}],
"taxonomies":[{"code":"1041C0700X","desc":"Social Worker, Clinical","primary":true,"state":"CO","license":"CSW.09923456"}],"practiceLocations":[],"endpoints":[]}]}`
)

func TestNPIAPI(t *testing.T) {
	for name, body := range map[string]string{"2019": api2019, "2026": api2026} {
		m, _, err := importFile(t, "npi-api", write(t, "answer.json", body))
		if err != nil || len(m.records) != 1 {
			t.Fatalf("%s: %v, rejects %+v", name, err, m.rejects)
		}
		r := m.records[0]
		want := directory.IdentityRecord{NPI: "2000000010", Kind: directory.Person, Name: directory.Name{Given: "Maya", Middle: "N", Family: "Okafor", Credentials: []string{"LCSW"}},
			Others:     []directory.OtherName{{Type: "1", Name: directory.Name{Given: "Maya", Family: "Lindqvist"}}},
			Taxonomies: []directory.Taxonomy{{Code: "1041C0700X", Licence: directory.ParseLicenceNumber("CSW.09923456"), State: "CO", Primary: true}},
			Practice: &directory.Site{Address: directory.Address{Line1: "1200 PEARL STREET", City: "Boulder", State: "CO", ZIP: "80302-1234"}, Phone: "(303) 555-0142",
				Point: r.Identity.Practice.Point, Origin: directory.Origin{Source: "npi-api", AsOf: "2026-11-23"}},
			Enumerated: "2019-04-24", Updated: "2019-04-24"}
		if diff := cmp.Diff(want, *r.Identity); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if all := asJSON(r); strings.Contains(all, "HOME LANE") || strings.Contains(all, "gender") || strings.Contains(all, "sex") || strings.Contains(all, "--") {
			t.Errorf("%s: the record holds too much: %s", name, all)
		}
	}
}

func TestNPIAPIAnswers(t *testing.T) {
	result := func(s string) string { return `{"result_count":2,"results":[` + s + `]}` }
	good := api2019[strings.Index(api2019, `{"enumeration_type"`) : len(api2019)-2]
	cases := []struct {
		name, body string
		err        []string
		records    int
		reject     string
	}{
		{name: "an error body", body: `{"Errors":[{"field":"enumeration_type","number":"09","description":"enumeration_type requires additional search criteria"}]}`,
			err: []string{"enumeration_type: ", "requires additional search criteria", "09"}},
		{name: "another error body", body: `{"Errors":[{"field":"generic","number":4,"description":"No valid search criteria provided"}]}`, err: []string{"generic", "No valid search criteria provided"}},
		{name: "nobody found", body: result(""), err: []string{"no result"}},
		{name: "other JSON", body: `{"hello":1}`, err: []string{"not an answer"}},
		{name: "an array", body: `[1,2]`, err: []string{"cannot be read"}},
		{name: "cut off", body: api2019[:300], err: []string{"breaks off", "line 2"}},
		{name: "bad JSON", body: `{"results": [}`, err: []string{"line 1"}},
		{name: "two answers", body: api2019 + api2019, err: []string{"more stands behind"}},
		{name: "HTML", body: "<html>busy</html>", err: []string{"HTML"}},
		{name: "null results", body: `{"results":null}`, err: []string{"not an answer"}},
		{name: "fewer than it counts", body: result(good), records: 1},
		{name: "null licence and state", body: result(strings.Replace(good, `"state":"CO","license":"CSW.09923456"`, `"state":null,"license":null`, 1)), records: 1},
		{name: "an epoch that is nothing", body: result(strings.Replace(good, `1556064000`, `null`, 1)), records: 1},
		{name: "deactivated and reactivated", body: result(strings.Replace(good, `"status":"A"`, `"deactivation_date":"2015-01-14","reactivation_date":"2019-02-13","status":"A"`, 1)), records: 1},
		{name: "one bad number", body: result(good + "," + strings.Replace(good, "2000000010", "2000000011", 1)), records: 1, reject: "check digit"},
		{name: "one bad shape", body: result(good + `,{"number":{"a":1}}`), records: 1, reject: "another shape"},
		{name: "not an object", body: result(good + `,7`), records: 1, reject: "another shape"},
		{name: "nine digits", body: result(good + "," + strings.Replace(strings.Replace(good, "CSW.09923456", "900012345", 1), "2000000010", "2000000028", 1)), records: 1, reject: ssnReason},
		{name: "hyphens", body: result(good + "," + strings.Replace(strings.Replace(good, "1200 PEARL", "900-01-2345", 1), "2000000010", "2000000028", 1)), records: 1, reject: ssnReason},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "npi-api", write(t, "answer.json", c.body))
			if c.err != nil {
				if err == nil || m.begun != 0 {
					t.Fatalf("error %v, begun %d", err, m.begun)
				}
				for _, w := range c.err {
					if !strings.Contains(err.Error(), w) {
						t.Errorf("error %q does not say %q", err, w)
					}
				}
				return
			}
			if err != nil || len(m.records) != c.records {
				t.Fatalf("%v, %d records, rejects %+v", err, len(m.records), m.rejects)
			}
			if c.reject == "" && len(m.rejects) != 0 || c.reject != "" && (len(m.rejects) != 1 || !strings.Contains(m.rejects[0].Reason, c.reject)) {
				t.Errorf("rejects %+v, want %q", m.rejects, c.reject)
			}
			if strings.Contains(asJSON(m.rejects)+asJSON(m.records), "2345\"") && c.reject == ssnReason && strings.Contains(asJSON(m.rejects), "900") {
				t.Errorf("the value was kept: %+v", m.rejects)
			}
		})
	}
	dir := t.TempDir()
	for name, body := range map[string]string{"a.json": api2019, "b.json": strings.Replace(api2026, "2000000010", "2000000028", 1), "readme.txt": "no"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if m, _, err := importFile(t, "npi-api", dir); err != nil || len(m.records) != 2 {
		t.Errorf("a directory: %v, %d records", err, len(m.records))
	}
}

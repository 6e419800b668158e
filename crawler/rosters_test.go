package crawler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func importCO(t *testing.T, rows ...string) (*memory, Report) {
	t.Helper()
	m, rep, err := importFile(t, "co-dora", write(t, "Professional_and_Occupational_Licenses_in_Colorado_20261109.csv", coHead+strings.Join(rows, "")))
	if err != nil {
		t.Fatal(err)
	}
	return m, rep
}

func TestColorado(t *testing.T) {
	m, rep := importCO(t, coRow(), coRow("licensetype", "PTL"), coRow("licensetype", "LPC", "lastname", "OTHER", "suffix", "III"))
	if len(m.records) != 2 || rep.Outside["CO:PTL"] != 1 || m.outside != 1 {
		t.Fatalf("%d records, outside %v, rejects %+v", len(m.records), rep.Outside, m.rejects)
	}
	want := directory.LicenceRecord{State: "CO", BoardType: "CSW", Number: directory.ParseLicenceNumber("0009923456"), Name: directory.Name{Given: "Maya", Family: "Okafor"},
		Words: "Active", Standing: directory.SeenActive, Issued: "2015-03-01", Expires: "2027-08-31", City: "Boulder", ZIP: "80302", Link: "https://register.example/PrintLicenseDetails.aspx?cred=1"}
	if diff := cmp.Diff(want, *m.records[0].Licence); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m.records[0].Key != "CO:CSW:9923456" || m.records[1].Key != "CO:LPC:9923456" || m.records[0].Line != 2 || m.records[1].Line != 4 {
		t.Errorf("a number is unique only within its type: %s, %s", m.records[0].Key, m.records[1].Key)
	}
	if m.rel.AsOf != "2026-11-09" || m.records[1].Licence.Name.Suffix != "III" {
		t.Errorf("as of %s, %+v", m.rel.AsOf, m.records[1].Licence.Name)
	}
}

// TestColoradoCases merges the rows of one licence, which need not stand together.
func TestColoradoCases(t *testing.T) {
	m, _ := importCO(t,
		coRow("casenumber", "2019-1", "programaction", "Letter of Admonition", "disciplineeffectivedate", "01/05/2020"),
		coRow("lastname", "BETWEEN", "licensenumber", "77"),
		coRow("casenumber", "2023-9", "programaction", "Stipulation", "disciplineeffectivedate", "03/01/2024", "disciplinecompletedate", "03/01/2026"),
		coRow("casenumber", "2023-9", "programaction", "Stipulation", "disciplineeffectivedate", "03/01/2024", "disciplinecompletedate", "03/01/2026"),
		coRow("licensetype", "LPC", "casenumber", "OTHER-1", "programaction", "Suspension"))
	if len(m.records) != 3 {
		t.Fatalf("%d records, rejects %+v", len(m.records), m.rejects)
	}
	r := m.record("CO:CSW:9923456")
	want := []directory.BoardAction{{Case: "2019-1", Action: "Letter of Admonition", Effective: "2020-01-05"},
		{Case: "2023-9", Action: "Stipulation", Effective: "2024-03-01", Completed: "2026-03-01"}}
	if diff := cmp.Diff(want, r.Licence.Actions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Line != 2 || r.Licence.Standing != directory.SeenActive || r.Fields["casenumber"] != "2019-1 | 2023-9" {
		t.Errorf("line %d, %s, fields %v", r.Line, r.Licence.Standing, r.Fields)
	}
	if n := len(m.record("CO:LPC:9923456").Licence.Actions); n != 1 {
		t.Errorf("the other type's licence has %d actions", n)
	}

	m, _ = importCO(t, coRow(), coRow("licensestatusdescription", "Suspended"))
	if r := m.records[0].Licence; r.Standing != directory.SeenIndeterminate || r.Words != "Active | Suspended" {
		t.Errorf("rows that disagree: %s %q", r.Standing, r.Words)
	}
	m, _ = importCO(t, coRow(), coRow("casenumber", "1", "programaction", "Revocation", "disciplineeffectivedate", "soon"))
	if len(m.records) != 1 || m.records[0].Licence.Standing != directory.SeenIndeterminate || len(m.rejects) != 1 {
		t.Errorf("one row of a licence in quarantine: %s, rejects %+v", asJSON(m.records), m.rejects)
	}
}

// TestColoradoHeaders reads the spellings of the site's export and of its service.
func TestColoradoHeaders(t *testing.T) {
	for _, edit := range []func(string) string{
		func(h string) string {
			return strings.Replace(h, "licensestatusdescription", " License Status Description", 1)
		},
		func(h string) string { return strings.Replace(h, "licensetype", "licensePrefix", 1) },
		func(h string) string { return strings.ToUpper(h) },
		func(h string) string { return "\ufeff" + h },
		func(h string) string { return strings.Replace(h, "licensenumber", `"License Number"`, 1) },
		func(h string) string { return strings.Replace(h, "\n", "\r\n", 1) },
	} {
		head := edit(coHead)
		m, _, err := importFile(t, "co-dora", write(t, "x.csv", head+coRow()))
		if err != nil || len(m.records) != 1 || m.records[0].Licence.Standing != directory.SeenActive || m.records[0].Licence.BoardType != "CSW" {
			t.Errorf("header %.150q: %v, %+v", head, err, m.rejects)
		}
	}
	_, _, err := importFile(t, "co-dora", write(t, "x.csv", strings.Replace(coHead, "programaction", "boardaction", 1)+coRow()))
	if err == nil || !strings.Contains(err.Error(), "programaction") {
		t.Errorf("a missing column: %v", err)
	}
}

// TestStanding is the table of status words. Only a board's clean active word is active.
func TestStanding(t *testing.T) {
	const past, later = "08/31/2026", "08/31/2027"
	for _, c := range []struct {
		words, expires string
		want           directory.Observed
	}{
		{"Active", later, directory.SeenActive}, {" ACTIVE ", later, directory.SeenActive}, {"Active", "", directory.SeenActive}, {"Active", "11/09/2026", directory.SeenActive},
		{"Active", past, directory.SeenIndeterminate}, {"Active", "11/08/2026", directory.SeenIndeterminate},
		{"Active - With Conditions", later, directory.SeenRestricted}, {"ACTIVE CHAPERONE REQUIRED", later, directory.SeenRestricted},
		{"Active On Probation", later, directory.SeenProbation}, {"Active - Restricted", later, directory.SeenRestricted},
		{"Revoked", past, directory.SeenRevoked}, {"Surrendered", past, directory.SeenSurrendered}, {"Voluntary Surrender", past, directory.SeenSurrendered},
		{"Suspended", later, directory.SeenSuspended}, {"Suspended due to Child Support", later, directory.SeenSuspended}, {"Summary Suspension", later, directory.SeenSuspended},
		{"Retired", past, directory.SeenRetired}, {"Cancelled", past, directory.SeenInactive}, {"Inactive", later, directory.SeenInactive},
		{"Expired", past, directory.SeenExpired}, {"Expired - Dissolved", past, directory.SeenExpired}, {"Beyond 6 Years Expired", past, directory.SeenExpired},
		{"Expired - Telehealth Only", past, directory.SeenExpired},
		{"Active - Pending Something", later, directory.SeenIndeterminate}, {"Activ", later, directory.SeenIndeterminate}, {"Administrative Hold", later, directory.SeenIndeterminate},
	} {
		m, _ := importCO(t, coRow("licensestatusdescription", c.words, "licenseexpirationdate", c.expires))
		if got := m.records[0].Licence; got.Standing != c.want || got.Words != strings.TrimSpace(c.words) {
			t.Errorf("Colorado %q until %s: %s (%q), want %s", c.words, c.expires, got.Standing, got.Words, c.want)
		}
	}
	for _, c := range []struct {
		words, flag string
		want        directory.Observed
	}{
		{"Active", "No", directory.SeenActive}, {"Active", "no", directory.SeenActive}, {"Active", "Yes", directory.SeenIndeterminate}, {"Active", "", directory.SeenIndeterminate},
		{"Inactive", "No", directory.SeenInactive}, {"Expired", "No", directory.SeenExpired}, {"Delinquent", "No", directory.SeenExpired}, {"Delinquent", "Yes", directory.SeenExpired},
		{"Probated/Suspended", "Yes", directory.SeenProbation}, {"Suspended", "Yes", directory.SeenSuspended}, {"Resigned", "No", directory.SeenIndeterminate},
	} {
		m, _, err := importFile(t, "tx-bhec", txFiles(t, map[string]string{"LPC": txRow("LIC_STATUS", c.words, "DISCPL_ACTN", c.flag)}))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.record("TX:LPC:70123").Licence; got.Standing != c.want || got.Words != c.words {
			t.Errorf("Texas %q, flagged %q: %s, want %s", c.words, c.flag, got.Standing, c.want)
		}
	}
}

func TestTexas(t *testing.T) {
	dir := txFiles(t, map[string]string{
		"LPC": txRow("SFX_NME", "JR") + txRow("RANK", "LPCA", "LIC_NBR", "70124") + txRow("RANK", "XYZ"),
		"PSY": txRow("RANK", "LSP", "LIC_NBR", "31000", "LIC_TYPE", "5202")})
	if err := os.WriteFile(filepath.Join(dir, "notes.csv"), []byte("hello\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, rep, err := importFile(t, "tx-bhec", dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.records) != 7 || rep.Outside["TX:XYZ"] != 1 || len(m.rejects) != 0 {
		t.Errorf("%d records, outside %v, rejects %+v", len(m.records), rep.Outside, m.rejects)
	}
	r := m.record("TX:LPC:70123").Licence
	want := directory.LicenceRecord{State: "TX", BoardType: "LPC", Number: directory.ParseLicenceNumber("70123"), Name: directory.Name{Given: "Tamsin", Family: "Bell", Suffix: "Jr"},
		Words: "Active", Standing: directory.SeenActive, Issued: "2018-02-01", Expires: "2027-06-30"}
	if diff := cmp.Diff(want, *r); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m.record("TX:LSSP:31000").Licence.BoardType != "LSSP" {
		t.Error("the rank LSP is the type LSSP")
	}
	if err := os.Remove(filepath.Join(dir, "SW.csv")); err != nil {
		t.Fatal(err)
	}
	if m, _, err := importFile(t, "tx-bhec", dir); err == nil || !strings.Contains(err.Error(), "SW.csv is missing") || m.begun != 0 {
		t.Errorf("three lists of four: %v", err)
	}
	if _, _, err := importFile(t, "tx-bhec", filepath.Join(dir, "LPC.csv")); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("one list of four: %v", err)
	}
	mixed := strings.Replace(txHead, "LIC_TYPE", "Lic_Type", 1)
	m, _, err = importFile(t, "tx-bhec", write(t, "all-lists.csv", mixed+txRow()+txRow("LIC_NBR", "900012345")+txRow("LIC_NBR", "900-01-2345")))
	if err != nil || len(m.records) != 1 || len(m.rejects) != 2 || m.rejects[0].Reason != ssnReason || m.rejects[1].Reason != ssnReason || m.rejects[0].Text != "" {
		t.Errorf("one file of all, and nine digits: %v, %d records, rejects %+v", err, len(m.records), m.rejects)
	}
}

// TestRosterRows puts one bad row between two good ones.
func TestRosterRows(t *testing.T) {
	for _, c := range []struct{ name, row, field, reason string }{
		{"no number", coRow("licensenumber", "000000000"), "licensenumber", "no licence number"},
		{"no type", coRow("licensetype", ""), "licensetype", "no licence type"},
		{"no status", coRow("licensestatusdescription", ""), "licensestatusdescription", "no status"},
		{"no name", coRow("lastname", "", "firstname", ""), "lastname", "no name"},
		{"no date", coRow("licenseexpirationdate", "31.08.2027"), "licenseexpirationdate", "not a date"},
		{"a short row", "OKAFOR,MAYA\n", "", "2 fields"},
		{"a Social Security number", coRow("entityname", "900-01-2345"), "entityname", ssnReason},
	} {
		m, _ := importCO(t, coRow("licensenumber", "1"), c.row, coRow("licensenumber", "3"))
		if len(m.records) != 2 || len(m.rejects) != 1 || m.rejects[0].Line != 3 || m.rejects[0].Field != c.field || !strings.Contains(m.rejects[0].Reason, c.reason) {
			t.Errorf("%s: %d records, rejects %+v", c.name, len(m.records), m.rejects)
		}
	}
	m, _ := importCO(t, coRow("licenseexpirationdate", "2027-08-31T00:00:00.000", "licensefirstissuedate", "None", "middlename", "None", "licensenumber", "DR.0051234", "licensetype", "DR"))
	if l := m.records[0].Licence; l.Expires != "2027-08-31" || l.Issued != "" || l.Name.Middle != "" || m.records[0].Key != "CO:DR:DR51234" {
		t.Errorf("%s %+v", m.records[0].Key, l)
	}
	m, _ = importCO(t, coRow("licensetype", "APN", "subcategory", "NP", "specialty", "Psychiatric/Mental Health"), coRow("licensetype", "APN", "subcategory", "CNM", "licensenumber", "5"))
	if a, b := m.records[0], m.records[1]; a.Licence.BoardType != "APN+PMH" || a.Key != "CO:APN:9923456" || b.Licence.BoardType != "APN" {
		t.Errorf("psychiatric population: %s %s, %s", a.Licence.BoardType, a.Key, b.Licence.BoardType)
	}
}

// TestRosterTypes holds the roster table to titles.csv and sources.csv.
func TestRosterTypes(t *testing.T) {
	for _, r := range rosters {
		info, ok := directory.Tables().Source(r.source)
		if src, found := Find(r.source); !ok || !found || info.Kind != "roster" || info.Jurisdiction != r.state || src.Unconfirmed != "" != strings.Contains(info.Note, "not confirmed") {
			t.Errorf("%s: its row of sources.csv is %+v", r.source, info)
		}
		for word, code := range r.types {
			if code == eitherDegree {
				continue
			}
			title, ok := directory.Tables().Title(r.state, code)
			if !ok || title.BoardType != code {
				t.Errorf("%s: the board's type %s is %s, which titles.csv does not have", r.source, word, code)
			}
			if word == "" || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
				t.Errorf("%s: the type %q is not in the form in which it is compared", r.source, word)
			}
		}
		for _, s := range r.says {
			for word := range s.words {
				if directory.Fold(word) != word {
					t.Errorf("%s: the status word %q is not in its folded form", r.source, word)
				}
			}
		}
	}
}

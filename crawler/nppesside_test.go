package crawler

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"kapdir/directory"
)

// The headers of the files beside the main one, as published in the middle of 2025.
const (
	otherNameHead = `"NPI","Provider Other Organization Name","Provider Other Organization Name Type Code"` + "\n"
	placeHead     = `"NPI","Provider Secondary Practice Location Address- Address Line 1","Provider Secondary Practice Location Address-  Address Line 2","Provider Secondary Practice Location Address - City Name","Provider Secondary Practice Location Address - State Name","Provider Secondary Practice Location Address - Postal Code","Provider Secondary Practice Location Address - Country Code (If outside U.S.)","Provider Secondary Practice Location Address - Telephone Number","Provider Secondary Practice Location Address - Telephone Extension","Provider Practice Location Address - Fax Number"` + "\n"
	endpointHead  = `"NPI","Endpoint Type","Endpoint Type Description","Endpoint","Affiliation","Endpoint Description","Affiliation Legal Business Name","Use Code","Use Description","Other Use Description","Content Type","Content Description","Other Content Description","Affiliation Address Line One","Affiliation Address Line Two","Affiliation Address City","Affiliation Address State","Affiliation Address Country","Affiliation Address Postal Code"` + "\n"
)

func sideRow(values ...string) string { return quoteRow(values) + "\n" }

func endpointRow(npi, kind, endpoint string) string {
	return sideRow(npi, kind, "", endpoint, "N", "", "", "", "", "", "", "", "", "", "", "", "", "", "")
}

// nppesParts are the members of a zip of one therapist, one organisation and one of another trade.
func nppesParts(change func(map[string]string)) []string {
	h := nppesHeader(false)
	const days = "_20050523-20261108"
	parts := map[string]string{
		"npidata_pfile": nppesFile(nppesRow(h), nppesRow(h, "npi", "2000000028", "code", "225100000X"),
			nppesBare(h, "npi", "2200000349", "entity", "2", "org", "FRONT RANGE KETAMINE LLC", "otherorg", "FRK", "otherorgtype", "3", "code", "261QM0801X"),
			nppesBare(h, "npi", "2900001530", "deactivated", "07/08/2014")),
		"othername_pfile": otherNameHead + sideRow("2200000349", "FRK", "3") + sideRow("2200000349", "OLD NAME INC", "4") + sideRow("2000000028", "NOT OURS", "3"),
		"pl_pfile": placeHead + sideRow("2000000010", "9 SECOND STREET", "", "DENVER", "CO", "802031234", "US", "3035550143", "12", "3035550144") +
			sideRow("2000000010", "1 ALPHA WAY", "STE 2", "UTRECHT", "", "3511", "NL", "", "", "") + sideRow("2000000028", "4 ELSEWHERE", "", "DENVER", "CO", "80203", "US", "", "", "") +
			sideRow("2900001530", "7 GONE ROAD", "", "DENVER", "CO", "80203", "US", "", "", ""),
		"endpoint_pfile": endpointHead + endpointRow("2000000010", "DIRECT", "maya@direct.example") + endpointRow("2000000028", "FHIR", "https://fhir.example"),
	}
	if change != nil {
		change(parts)
	}
	var out []string
	for _, name := range []string{"npidata_pfile", "othername_pfile", "pl_pfile", "endpoint_pfile"} { // maps have no order, archives do
		if parts[name] != "" {
			head, _, _ := strings.Cut(parts[name], "\n")
			out = append(out, name+days+".csv", parts[name], name+days+"_fileheader.csv", head+"\n")
		}
	}
	return append(out, "NPPES_Data_Dissemination_Readme.pdf", "%PDF")
}

func TestNPPESBeside(t *testing.T) {
	// In the zip, and as the files out of it in a directory.
	dir := t.TempDir()
	parts := nppesParts(nil)
	for i := 0; i < len(parts); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, parts[i]), []byte(parts[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{zipOfFiles(t, "NPPES_Data_Dissemination_November_2026.zip", parts...), dir} {
		m, rep, err := importFile(t, "nppes", path)
		if err != nil || len(m.records) != 3 || len(m.rejects) != 0 || m.outside != 1 || m.rel.Partial || m.rel.AsOf != "2026-11-08" {
			t.Fatalf("%v: %d records, rejects %+v, outside %d, release %+v", err, len(m.records), m.rejects, m.outside, m.rel)
		}
		maya, org, gone := m.record("2000000010"), m.record("2200000349"), m.record("2900001530")
		want := []directory.Site{{Address: directory.Address{Line1: "9 SECOND STREET", City: "Denver", State: "CO", ZIP: "80203-1234"}, Phone: "(303) 555-0143 ext. 12",
			Point: maya.Identity.Places[0].Point, Origin: directory.Origin{Source: "nppes", AsOf: "2026-11-08"}}}
		if diff := cmp.Diff(want, maya.Identity.Places); diff != "" || maya.Fields["Provider Secondary Practice Location Address - City Name_1"] != "DENVER" {
			t.Errorf("further places (-want +got):\n%s%v", diff, maya.Fields)
		}
		if diff := cmp.Diff([]directory.OtherName{{Type: "3", Organisation: "FRK"}, {Type: "4", Organisation: "OLD NAME INC"}}, org.Identity.Others); diff != "" {
			t.Errorf("other names (-want +got):\n%s", diff)
		}
		if gone.Identity.Places != nil || len(gone.Fields) != 2 {
			t.Errorf("a deactivated number says more than its day: %s", asJSON(gone))
		}
		if rep.Endpoints != 1 || strings.Contains(asJSON(m.records), "direct.example") || strings.Contains(asJSON(m.records), "0144") {
			t.Errorf("endpoints %d; the records hold %s", rep.Endpoints, asJSON(m.records))
		}
		if s := maya.Subject(); len(s.Addresses) != 2 || len(s.Phones) != 2 {
			t.Errorf("the subject is at %v, %v", s.Addresses, s.Phones)
		}
	}
}

// TestNPPESBesideRows is the table of traps of the files beside the main one.
func TestNPPESBesideRows(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(map[string]string)
		err    string
		reject string
		check  func(*memory) bool
	}{
		{name: "one blank in the header, as the readme prints it", change: func(p map[string]string) {
			p["pl_pfile"] = strings.Replace(p["pl_pfile"], "Address-  Address Line 2", "Address - Address Line 2", 1)
		}, check: func(m *memory) bool { return len(m.record("2000000010").Identity.Places) == 1 }},
		{name: "a column Created Date", change: func(p map[string]string) {
			p["othername_pfile"] = strings.Replace(otherNameHead, "\n", `,"Created Date"`+"\n", 1) + sideRow("2200000349", "OLD NAME INC", "4", "01/02/2020")
		}, check: func(m *memory) bool { return len(m.record("2200000349").Identity.Others) == 2 }},
		{name: "the readme's last column of endpoints", change: func(p map[string]string) {
			p["endpoint_pfile"] = strings.Replace(p["endpoint_pfile"], "Affiliation Address Postal Code", "Affiliation Address Line Postal Code", 1)
		}, check: func(m *memory) bool { return len(m.records) == 3 }},
		{name: "no telephone extension", change: func(p map[string]string) {
			p["pl_pfile"] = `"NPI","` + strings.Join([]string{"Provider Secondary Practice Location Address- Address Line 1", "Provider Secondary Practice Location Address-  Address Line 2", "Provider Secondary Practice Location Address - City Name", "Provider Secondary Practice Location Address - State Name", "Provider Secondary Practice Location Address - Postal Code", "Provider Secondary Practice Location Address - Country Code (If outside U.S.)", "Provider Secondary Practice Location Address - Telephone Number"}, `","`) + `"` + "\n" +
				sideRow("2000000010", "9 SECOND STREET", "", "DENVER", "CO", "80203", "US", "3035550143")
		}, check: func(m *memory) bool { return m.record("2000000010").Identity.Places[0].Phone == "(303) 555-0143" }},
		{name: "a renamed column", change: func(p map[string]string) {
			p["pl_pfile"] = strings.Replace(p["pl_pfile"], "Postal Code", "Post Code", 1)
		}, err: "postalcode"},
		{name: "a header of nothing known", change: func(p map[string]string) { p["othername_pfile"] = `"NPI","X"` + "\n" }, err: "a person must look"},
		{name: "cut off", change: func(p map[string]string) { p["pl_pfile"] += `"2000000010","9 SEC` }, err: "ends in the middle"},
		{name: "a row that cannot be read", change: func(p map[string]string) {
			p["pl_pfile"] += `"2000000010","9 SEC` + "\n" + sideRow("2200000349", "1", "", "DENVER", "CO", "80203", "", "", "", "")
		},
			reject: "quotation mark", check: func(m *memory) bool { return len(m.record("2200000349").Identity.Places) == 1 }},
		{name: "what must not be held", change: func(p map[string]string) {
			p["pl_pfile"] += sideRow("2000000010", "CARE OF 900-01-2345", "", "DENVER", "CO", "80203", "", "", "", "")
		}, reject: ssnReason},
		{name: "no number", change: func(p map[string]string) { p["othername_pfile"] += sideRow("220000034", "X", "3") }, reject: "ten digits"},
		{name: "unquoted, as another program writes it", change: func(p map[string]string) { p["pl_pfile"] = strings.ReplaceAll(p["pl_pfile"], `"`, "") },
			check: func(m *memory) bool { return len(m.record("2000000010").Identity.Places) == 1 }},
		{name: "twice the same place, and the practice itself", change: func(p map[string]string) {
			p["pl_pfile"] = placeHead + strings.Repeat(sideRow("2000000010", "9 SECOND STREET", "", "DENVER", "CO", "80203", "", "", "", ""), 2) +
				sideRow("2000000010", "1200 PEARL STREET STE 4", "", "BOULDER", "CO", "803021234", "US", "3035550142", "", "")
		}, check: func(m *memory) bool { return len(m.record("2000000010").Identity.Places) == 1 }},
		{name: "more places than anybody has", change: func(p map[string]string) {
			for i := range mostPlaces + 5 {
				p["pl_pfile"] += sideRow("2000000010", itoa(i)+" STREET", "", "DENVER", "CO", "80203", "", "", "", "")
			}
		}, reject: "the rest is left out", check: func(m *memory) bool { return len(m.record("2000000010").Identity.Places) == mostPlaces }},
		{name: "in another order", change: func(p map[string]string) {
			p["pl_pfile"] = placeHead + sideRow("2000000010", "2 B", "", "DENVER", "CO", "80203", "", "", "", "") + sideRow("2000000010", "1 A", "", "DENVER", "CO", "80203", "", "", "", "")
		}, check: func(m *memory) bool { return m.record("2000000010").Identity.Places[0].Address.Line1 == "1 A" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "nppes", zipOfFiles(t, "nppes.zip", nppesParts(c.change)...))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || len(m.records) != 3 {
				t.Fatalf("%v, %d records, rejects %+v", err, len(m.records), m.rejects)
			}
			if c.check != nil && !c.check(m) {
				t.Errorf("records %s", asJSON(m.records))
			}
			if c.reject == "" && len(m.rejects) > 0 || c.reject != "" && (len(m.rejects) != 1 || !m.rejects[0].Partial || !strings.Contains(m.rejects[0].Reason, c.reject)) {
				t.Errorf("rejects %+v, want %q", m.rejects, c.reject)
			}
			if strings.Contains(asJSON(m.rejects)+asJSON(m.records), "900-01") {
				t.Error("what must not be held is held")
			}
		})
	}
}

func TestNPPESBundles(t *testing.T) {
	h := nppesHeader(false)
	main := "npidata_pfile_20050523-20261108.csv"
	for _, c := range []struct {
		name string
		path string
		err  string
	}{
		{"other names alone", write(t, "othername_pfile_20050523-20261108.csv", otherNameHead+sideRow("2200000349", "X", "3")), "other names: it goes with the main file"},
		{"places alone, without blanks", write(t, "pl.csv", placeHead), "practice locations: it goes with"},
		{"a week", zipOfFiles(t, "w.zip", "npidata_pfile_20261102-20261108.csv", nppesFile(nppesRow(h)), "npidata_pfile_20261102-20261108_fileheader.csv", "NPI\n"), ""},
		{"side files of a bomb", zipOfFiles(t, "b.zip", main, nppesFile(nppesRow(h)), "pl_pfile_20050523-20261108.csv", placeHead+strings.Repeat("0", 8<<20)), "claims"},
	} {
		m, _, err := importFile(t, "nppes", c.path)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || m.begun != 0 {
				t.Errorf("%s: %v, begun %d", c.name, err, m.begun)
			}
			continue
		}
		if err != nil || !m.rel.Partial || m.rel.AsOf != "2026-11-08" || len(m.records) != 1 {
			t.Errorf("%s: %v, %+v", c.name, err, m.rel)
		}
	}
}

// knowing is a sink that knows providers.
type knowing struct{ memory }

func (*knowing) NPIs(context.Context) ([]directory.NPI, error) {
	return []directory.NPI{"2000000028", "2000000036"}, nil
}

// TestNPPESKnown keeps the rows of the directory's own providers, whatever their trade.
func TestNPPESKnown(t *testing.T) {
	h := nppesHeader(false)
	path := write(t, "npidata_pfile_20050523-20261108.csv", nppesFile(nppesRow(h, "code", "225100000X"), nppesRow(h, "npi", "2000000028", "code", "225100000X"),
		nppesRow(h, "npi", "2000000036", "code", "225100000X", "deactivated", "01/14/2015", "reactivated", "02/13/2019")))
	src, _ := Find("nppes")
	m := &knowing{}
	if _, err := Run(context.Background(), src, Input{Path: path}, m, Options{Now: day}); err != nil || len(m.records) != 2 || m.outside != 1 || !m.record("2000000036").Identity.Active() {
		t.Errorf("%v, %d records, %d outside", err, len(m.records), m.outside)
	}
}

// workbook makes a report as CMS publishes it, of the given rows behind a title and the header.
func workbook(t testing.TB, title string, rows ...[]any) string {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	if err := x.SetSheetName("Sheet1", "DeactivatedNPIs"); err != nil {
		t.Fatal(err)
	}
	w, err := x.NewStreamWriter("DeactivatedNPIs")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range append([][]any{{title}, {"NPI", "NPPES Deactivation Date"}}, rows...) {
		if err := w.SetRow("A"+itoa(i+1), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const reportName = "NPPES Deactivated NPI Report 20261109.xlsx"

func TestDeactivated(t *testing.T) {
	good := workbook(t, "NPPES Deactivated Records as of Nov 09 2026", []any{"2000000028", "07/08/2014"}, []any{2900001530, "11/02/2026"}, []any{"2000000011", "07/08/2014"},
		[]any{"2000000036", "02/30/2014"}, []any{"2000000010", ""}, []any{}, []any{"2200000349", 45000})
	main, _ := importRows(t, nppesHeader(false), false, nppesBare(nppesHeader(false), "npi", "2000000028", "deactivated", "07/08/2014"))
	for _, path := range []string{write(t, reportName, good), zipOfFiles(t, "NPPES_Deactivated_NPI_Report_110926.zip", reportName, good)} {
		m, _, err := importFile(t, "nppes", path)
		if err != nil || !m.rel.Partial || m.rel.AsOf != "2026-11-09" || len(m.records) != 3 || len(m.rejects) != 3 {
			t.Fatalf("%v: %+v, %d records, rejects %+v", err, m.rel, len(m.records), m.rejects)
		}
		if a, b := m.record("2000000028"), main.records[0]; a.Hash() != b.Hash() || !cmp.Equal(a.Identity, b.Identity) || a.Line != 3 {
			t.Errorf("the record is not that of the main file: %s %s", asJSON(a), asJSON(b))
		}
		if d := m.record("2200000349").Identity.Deactivated; d != "2023-03-15" {
			t.Errorf("a day as a number: %s", d)
		}
		for i, want := range []string{"check digit", "is not a date", "missing"} {
			if r := m.rejects[i]; r.Line != 5+i || !strings.Contains(r.Reason, want) {
				t.Errorf("reject %+v, want %q", r, want)
			}
		}
	}
	for _, c := range []struct{ name, file, content, err string }{
		{"no day in the name", "report.xlsx", good, "--as-of"},
		{"no rows", reportName, workbook(t, "x"), "no rows"},
		{"cut off", reportName, good[:len(good)-200], "cut off"},
	} {
		_, _, err := importFile(t, "nppes", write(t, c.file, c.content))
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	x := excelize.NewFile()
	_ = x.SetCellValue("Sheet1", "A1", "Something")
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	if _, _, err := importFile(t, "nppes", write(t, reportName, b.String())); err == nil || !strings.Contains(err.Error(), "NPPES Deactivation Date") || !strings.Contains(err.Error(), "Something") {
		t.Errorf("a workbook of another kind: %v", err)
	}
	if _, _, err := importFile(t, "nppes", zipOfFiles(t, "two.zip", "Deactivated 20261109.xlsx", good, "Deactivated 20261009.xlsx", good)); err == nil || !strings.Contains(err.Error(), "two reports") {
		t.Errorf("two reports: %v", err)
	}
}

// FuzzNPPESBeside reads other names, places and endpoints that a fuzzer made up.
func FuzzNPPESBeside(f *testing.F) {
	for _, s := range []string{otherNameHead + sideRow("2000000010", "X", "3"), placeHead + sideRow("2000000010", "1 A", "", "DENVER", "CO", "80203", "", "3035550143", "1", ""), endpointHead,
		placeHead + sideRow("2000000010", "900-01-2345", "", "DENVER", "CO", "80203", "", "", "", ""), "NPI\n", "\"NPI\",\"\n"} {
		f.Add([]byte(s))
	}
	main := []byte(nppesFile(nppesRow(nppesHeader(false))))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 0 {
			nppes, _ := Find("nppes")
			fuzzedFiles(t, nppes, false, fuzzFile{"npidata_pfile_20050523-20261108.csv", main}, fuzzFile{"pl_pfile_20050523-20261108.csv", data})
		}
	})
}

// FuzzDeactivated reads a sheet that a fuzzer made up.
func FuzzDeactivated(f *testing.F) {
	sheet := `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>T</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>NPI</t></is></c><c r="B2" t="inlineStr"><is><t>NPPES Deactivation Date</t></is></c></row><row r="3"><c r="A3"><v>2000000028</v></c><c r="B3" t="inlineStr"><is><t>07/08/2014</t></is></c></row></sheetData></worksheet>`
	f.Add([]byte(sheet))
	f.Add([]byte(strings.Replace(sheet, "2000000028", "900-01-2345", 1)))
	f.Add([]byte(strings.Replace(sheet, `r="3"`, `r="1048577"`, 1)))
	f.Add([]byte("<worksheet>"))
	parts := packedParts(f, workbook(f, "x", []any{"2000000028", "07/08/2014"}))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, reportName)
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range parts {
			if name == "xl/worksheets/sheet1.xml" {
				text = string(data)
			}
			w, _ := z.Create(name)
			_, _ = w.Write([]byte(text))
		}
		_ = z.Close()
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		m, _, err := importFile(t, "nppes", path)
		said := asJSON(m.records) + asJSON(m.rejects)
		if err != nil {
			said += err.Error()
		}
		if directory.LooksLikeSSN(said) || len(m.records)+len(m.rejects) > len(data)+100 {
			t.Errorf("%d records: %.500s", len(m.records), said)
		}
	})
}

func packedParts(t testing.TB, packed string) map[string]string {
	t.Helper()
	zr, err := zip.NewReader(strings.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, e := range zr.File {
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		parts[e.Name] = b.String()
	}
	return parts
}

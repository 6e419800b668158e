package crawler

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// samSet is a valid row of a person; each pair of more sets a column.
func samSet(more ...string) map[string]string {
	set := map[string]string{"Classification": "Individual", "First": "ROWAN", "Middle": "T", "Last": "QUILLFEATHER", "Address 1": "5 NOWHERE ROAD", "City": "DENVER",
		"State / Province": "CO", "Country": "USA", "Zip Code": "802031234", "Open Data Flag": "Y", "Exclusion Program": "Reciprocal", "Excluding Agency": "HHS", "CT Code": "Z1",
		"Exclusion Type": "Prohibition/Restriction", "Additional Comments": "PROSE ABOUT A PERSON", "Active Date": "03/20/2019", "Termination Date": "Indefinite",
		"SAM Number": "S4MRTEST1", "Creation_Date": "2019-03-21", "Creation Date": "2019-03-21", "DUNS": "999999999"}
	for i := 0; i < len(more); i += 2 {
		set[more[i]] = more[i+1]
	}
	return set
}

// samRowOf writes a row of a layout as the publisher does: every value quoted.
func samRowOf(l samLayout, set map[string]string) string {
	var values []string
	for _, h := range l.header() {
		values = append(values, strings.ReplaceAll(set[h], `"`, `""`))
	}
	return quoteRow(values) + "\r\n"
}

func samRow(more ...string) string { return samRowOf(samLayouts[0], samSet(more...)) }

func samHead(l samLayout) string { return quoteRow(l.header()) + "\r\n" }

const samName = "SAM_Exclusions_Public_Extract_V2_26314.CSV"

// TestSAMHeaders holds the table of layouts to the published headers, written out.
func TestSAMHeaders(t *testing.T) {
	const now = `"Classification","Name","Prefix","First","Middle","Last","Suffix","Address 1","Address 2","Address 3","Address 4","City","State / Province","Country","Zip Code","Open Data Flag","Blank (Deprecated)","Unique Entity ID","Exclusion Program","Excluding Agency","CT Code","Exclusion Type","Additional Comments","Active Date","Termination Date","Record Status","Cross-Reference","SAM Number","CAGE","NPI","Creation_Date"`
	want := []struct {
		text  string
		width int
	}{
		{now, 31},
		{strings.Replace(now, `"Open Data Flag","Blank (Deprecated)","Unique Entity ID"`, `"D&B Open Data Flag","Unique Entity Identifier (DUNS)","Unique Entity Identifier (SAM)"`, 1), 31},
		{strings.Replace(strings.Replace(now, `"Blank (Deprecated)",`, ``, 1), "Creation_Date", "Creation Date", 1), 30},
		{strings.Replace(strings.Replace(now, `"Open Data Flag","Blank (Deprecated)","Unique Entity ID"`, `"DUNS"`, 1), `,"Creation_Date"`, ``, 1), 28},
	}
	for i, w := range want {
		if got := quoteRow(samLayouts[i].header()); got != w.text || len(samLayouts[i].header()) != w.width {
			t.Errorf("%s: %d columns\n%s", samLayouts[i].generation, len(samLayouts[i].header()), cmp.Diff(w.text, got))
		}
		m, _, err := importFile(t, "sam", write(t, samName, w.text+"\r\n"+samRowOf(samLayouts[i], samSet("NPI", "2000000010"))))
		if err != nil || len(m.records) != 1 || len(m.rejects) != 0 {
			t.Errorf("%s: %v, %d records, %+v", samLayouts[i].generation, err, len(m.records), m.rejects)
			continue
		}
		if x := m.records[0].Exclusion; x.NPI != "2000000010" || x.Excluded != "2019-03-20" || x.Authority != "Reciprocal; Prohibition/Restriction; HHS; Z1" {
			t.Errorf("%s: %+v", samLayouts[i].generation, x)
		}
	}
}

// TestSAMMalformed: in every generation the two kinds of rows that the publisher writes wrongly, ten in ten
// thousand, are put aside alone: the rows around them are read, and whom they name is kept.
func TestSAMMalformed(t *testing.T) {
	for _, l := range samLayouts {
		bad := func(last, comment string) string {
			return strings.Replace(samRowOf(l, samSet("Last", last, "NPI", "2000000010")), "PROSE ABOUT A PERSON", comment, 1)
		}
		text := samHead(l) + samRowOf(l, samSet("Last", "BEFORE")) + bad("WARBLER", `"The contractor has been debarred`) + samRowOf(l, samSet("Last", "BETWEEN")) +
			bad("FINCH", `"""Hsiung, Chih"" does business`) + samRowOf(l, samSet("Last", "BEHIND"))
		m, _, err := importFile(t, "sam", write(t, samName, text))
		if err != nil || len(m.records) != 3 || m.records[2].Exclusion.Name.Family != "Behind" || m.records[2].Line != 6 {
			t.Errorf("%s: %v, %d records", l.generation, err, len(m.records))
		}
		if len(m.rejects) != 2 || m.rejects[0].Line != 3 || m.rejects[1].Line != 5 || !strings.Contains(m.rejects[0].Text, "WARBLER") || !strings.Contains(m.rejects[1].Text, "FINCH") ||
			!strings.Contains(m.rejects[1].Text, "2000000010") {
			t.Errorf("%s: rejects %+v", l.generation, m.rejects)
		}
	}
}

func TestSAM(t *testing.T) {
	person := func(n directory.Name, change ...func(*directory.ExclusionRecord)) directory.ExclusionRecord {
		x := directory.ExclusionRecord{Name: n, City: "Denver", State: "CO", ZIP: "80203-1234", Authority: "Reciprocal; Prohibition/Restriction; HHS; Z1", Excluded: "2019-03-20"}
		for _, c := range change {
			c(&x)
		}
		return x
	}
	rowan := directory.Name{Given: "Rowan", Middle: "T", Family: "Quillfeather"}
	firm := func(x *directory.ExclusionRecord) { x.Organisation = `"GREEN" SAMPLE, LLC` }
	abroad := func(x *directory.ExclusionRecord) { x.State, x.ZIP, x.City = "", "", "Chisinau" }
	asFirm := []string{"First", "", "Middle", "", "Last", "", "Name", `"GREEN" SAMPLE, LLC`}
	cases := []struct {
		name, row string
		want      directory.ExclusionRecord
	}{
		{"a person", samRow(), person(rowan)},
		{"an NPI", samRow("NPI", " 2000000010 "), person(rowan, func(x *directory.ExclusionRecord) { x.NPI = "2000000010" })},
		{"an NPI of zeros", samRow("NPI", "0000000000"), person(rowan)},
		{"a suffix in its column", samRow("Suffix", "JR."), person(directory.Name{Given: "Rowan", Middle: "T", Family: "Quillfeather", Suffix: "Jr"})},
		{"a suffix in the surname", samRow("Last", "MOORE III"), person(directory.Name{Given: "Rowan", Middle: "T", Family: "Moore", Suffix: "III"})},
		{"a person beside a name", samRow("Name", "ROWAN QUILLFEATHER"), person(rowan)},
		{"a firm", samRow(append(asFirm, "Classification", "Firm")...), person(directory.Name{}, firm)},
		{"a special entity", samRow(append(asFirm, "Classification", "Special Entity Designation")...), person(directory.Name{}, firm)},
		{"an end", samRow("Termination Date", "06/24/2027"), person(rowan)},
		{"no start", samRow("Active Date", ""), person(rowan, func(x *directory.ExclusionRecord) { x.Excluded = "" })},
		{"a province that looks like a state", samRow("Country", "MDA", "State / Province", "MD", "City", "CHISINAU", "Zip Code", "20001"), person(rowan, abroad)},
		{"a nine-digit number in the comments is not held", samRow("Additional Comments", "SSN 900-01-2345"), person(rowan)},
		{"a line break in the comments", samRow("Additional Comments", "ONE\r\nTWO"), person(rowan)},
		{"windows-1252", samRow("Last", "NU\xd1EZ"), person(directory.Name{Given: "Rowan", Middle: "T", Family: "Nuñez"})},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "sam", write(t, samName, samHead(samLayouts[0])+c.row))
			if err != nil || len(m.records) != 1 || len(m.rejects) != 0 {
				t.Fatalf("%v, %d records, rejects %+v", err, len(m.records), m.rejects)
			}
			if diff := cmp.Diff(c.want, *m.records[0].Exclusion); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			said := asJSON(m.records)
			for _, never := range []string{"NOWHERE", "PROSE", "2345", "Open Data", "ONE"} {
				if strings.Contains(said, never) {
					t.Errorf("%q is held: %s", never, said)
				}
			}
			if m.rel.AsOf != "2026-11-10" || m.rel.Name != "2026-11-10" {
				t.Errorf("as of %s, called %s", m.rel.AsOf, m.rel.Name)
			}
		})
	}
	if m, rep, err := importFile(t, "sam", write(t, samName, samHead(samLayouts[0])+samRow()+samRow(append(asFirm, "Classification", "Vessel")...))); err != nil ||
		len(m.records) != 1 || m.outside != 1 || rep.Outside["Vessel"] != 1 {
		t.Errorf("%v, %d records, %d outside", err, len(m.records), m.outside)
	}
	m, _, err := importFile(t, "sam", write(t, samName, samHead(samLayouts[0])+samRow("Cross-Reference", "(also R. FEATHER)", "Termination Date", "06/24/2027", "DUNS", "1")))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Classification": "Individual", "First": "ROWAN", "Middle": "T", "Last": "QUILLFEATHER", "City": "DENVER", "State / Province": "CO", "Country": "USA",
		"Zip Code": "80203-1234", "Exclusion Program": "Reciprocal", "Excluding Agency": "HHS", "CT Code": "Z1", "Exclusion Type": "Prohibition/Restriction",
		"Active Date": "03/20/2019", "Termination Date": "06/24/2027", "Cross-Reference": "(also R. FEATHER)", "SAM Number": "S4MRTEST1", "Creation_Date": "2019-03-21"}
	if diff := cmp.Diff(want, m.records[0].Fields); diff != "" {
		t.Errorf("the kept columns (-want +got):\n%s", diff)
	}
}

// TestSAMQuarantine puts one bad row between two good ones. What the quarantine keeps must name the
// person, so that the release clears nobody of that name, and hold nothing else about them.
func TestSAMQuarantine(t *testing.T) {
	unquoted := func(comment string) string {
		return strings.Replace(samRow("Last", "WARBLER", "NPI", "2000000010"), "PROSE ABOUT A PERSON", comment, 1)
	}
	cases := []struct {
		name, row, want string
		kept            bool // the row is taken without the field
	}{
		{"as the publisher writes it: a quotation mark at the field's start", unquoted(`"The contractor WARBLER has been debarred`), "quotation mark", false},
		{"and three of them", unquoted(`"""Hsiung, Chih"" does business WARBLER`), "quotation mark", false},
		{"a quotation mark in the middle", unquoted(`of the "SAMPLE" case`), "quotation mark", false},
		{"too few fields", `"Individual","","","ROWAN","T","WARBLER",""` + "\r\n", "7 fields where the header has 31", false},
		{"too many fields", strings.TrimSpace(samRow("Last", "WARBLER")) + `,"X"` + "\r\n", "32 fields", false},
		{"nobody", samRow("First", "", "Middle", "", "Last", "", "SAM Number", "WARBLER"), "neither a person nor an organization", false},
		{"a firm without a name", samRow("Classification", "Firm", "First", "", "Middle", "", "Last", "", "SAM Number", "WARBLER"), "neither", false},
		{"a classification of another kind", samRow("Last", "WARBLER", "Classification", "Robot"), `"Robot" is none of`, false},
		{"a record status", samRow("Last", "WARBLER", "Record Status", "Inactive"), `"Inactive" stands where`, false},
		{"a Social Security number in a name", samRow("Last", "WARBLER", "Middle", "900-01-2345"), ssnReason, false},
		{"a Social Security number elsewhere", samRow("Last", "WARBLER", "Cross-Reference", "900-01-2345"), "taken without it", true},
		{"a start that is none", samRow("Last", "WARBLER", "Active Date", "02/30/2019"), "taken without it", true},
		{"an end that is none", samRow("Last", "WARBLER", "Termination Date", "soon"), "taken without it", true},
		{"an NPI that is none", samRow("Last", "WARBLER", "NPI", "2000000011"), "taken without it", true},
		{"an NPI of nine digits", samRow("Last", "WARBLER", "NPI", "900012345"), "taken without it", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := samHead(samLayouts[0]) + samRow("Last", "BEFORE") + c.row + samRow("Last", "BEHIND")
			m, _, err := importFile(t, "sam", write(t, samName, text))
			if err != nil {
				t.Fatal(err)
			}
			want := 2
			if c.kept {
				want = 3
			}
			if len(m.records) != want || m.records[want-1].Exclusion.Name.Family != "Behind" {
				t.Errorf("%d records, want %d; rejects %+v", len(m.records), want, m.rejects)
			}
			if len(m.rejects) != 1 || m.rejects[0].Line != 3 || m.rejects[0].File != samName || m.rejects[0].Partial != c.kept || !strings.Contains(m.rejects[0].Reason, c.want) {
				t.Fatalf("rejects %+v, want %q at line 3", m.rejects, c.want)
			}
			r := m.rejects[0]
			if directory.Fold(r.Text) == "" {
				t.Error("of the row nothing is kept, so that it would speak of everybody")
			}
			if !c.kept && !slices.Contains(strings.Fields(directory.Fold(r.Text)), "warbler") {
				t.Errorf("what is kept does not name who may be meant: %q", r.Text)
			}
			if strings.Contains(c.row, "2000000010") && !c.kept && !strings.Contains(r.Text, "2000000010") {
				t.Errorf("what is kept has lost the NPI: %q", r.Text)
			}
			if s := asJSON(m.records) + asJSON(m.rejects); strings.Contains(s, "2345") || strings.Contains(s, "NOWHERE") || strings.Contains(s, "802031234") || strings.Contains(s, "debarred") {
				t.Errorf("too much is held: %s", s)
			}
		})
	}
}

// TestSAMKeys: the same row of a later release has the same key, though its end was put off; two
// exclusions of one entity have two.
func TestSAMKeys(t *testing.T) {
	key := func(more ...string) string {
		m, _, err := importFile(t, "sam", write(t, samName, samHead(samLayouts[0])+samRow(more...)))
		if err != nil || len(m.records) != 1 {
			t.Fatal(err, m.rejects)
		}
		return m.records[0].Key
	}
	if key() != key("Termination Date", "06/24/2027") || key() != key("Address 1", "another street", "Additional Comments", "x") {
		t.Error("the key changes with what is not the exclusion itself")
	}
	for _, other := range [][]string{{"Active Date", "03/21/2019"}, {"CT Code", "Z2"}, {"Last", "OTHER"}, {"NPI", "2000000010"}, {"Excluding Agency", "OPM"}} {
		if key() == key(other...) {
			t.Errorf("%v gives the same key", other)
		}
	}
	m, _, err := importFile(t, "sam", write(t, samName, samHead(samLayouts[0])+samRow()+samRow("Address 1", "another street")))
	if err != nil || len(m.seen) != 1 || len(m.records) != 1 {
		t.Errorf("%v: two addresses of one exclusion are %d records", err, len(m.records))
	}
}

// TestSAMRefused: what cannot be the extract changes nothing, and the error says what to do.
func TestSAMRefused(t *testing.T) {
	head, row := samHead(samLayouts[0]), samRow()
	swapped := strings.Replace(strings.Replace(head, `"CAGE"`, `"X"`, 1), `"SAM Number"`, `"CAGE"`, 1)
	cases := []struct{ name, file, text, want string }{
		{"a renamed column", samName, strings.Replace(head, "Active Date", "Activation Date", 1) + row, `Active Date: the column is missing: it has "Activation Date" instead`},
		{"a new column", samName, strings.TrimSpace(head) + `,"Extra"` + "\r\n" + row, "Extra: the column is new"},
		{"a column in another place", samName, strings.Replace(swapped, `"X"`, `"SAM Number"`, 1) + row, "stands in another place"},
		{"a layout that was never published", samName, strings.Replace(head, `"Creation_Date"`, `"Creation Date"`, 1) + row, "Creation_Date: the column is missing"},
		{"another list", samName, leieHead + leieRow(), "LEIE (source leie)"},
		{"a header alone", samName, head, "empty list replaces nothing"},
		{"an error page", samName, "<!DOCTYPE html><html>", "HTML"},
		{"an answer of the service", samName, `{"totalRecords":0}`, "JSON"},
		{"cut off", samName, head + row + row[:200], "was cut off"},
		{"a day that is none", "SAM_Exclusions_Public_Extract_V2_26366.CSV", head + row, "day 366 of 2026, which does not exist"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "sam", write(t, c.file, c.text))
			if err == nil || directory.KindOf(err) != directory.Invalid || m.begun != 0 || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
				t.Errorf("%v, %d runs; want %q", err, m.begun, c.want)
			}
		})
	}
	damaged := head + row + strings.Repeat(`"a`+"\r\n", 30)
	if m, _, err := importFile(t, "sam", write(t, samName, damaged)); err == nil || m.failure == nil {
		t.Error("a file of which most cannot be read came into force")
	}
}

func TestSAMDays(t *testing.T) {
	for name, want := range map[string]directory.Date{
		"SAM_Exclusions_Public_Extract_V2_26314.ZIP":        "2026-11-10",
		"SAM_Exclusions_Public_Extract_V2_26001.CSV":        "2026-01-01",
		"SAM_Exclusions_Public_Extract_V2_24366.zip":        "2024-12-31",
		"SAM_Exclusions_Public_Extract_19106.ZIP":           "2019-04-16",
		"SAM_Exclusions_Public_Extract_V2_26314 (1).csv":    "2026-11-10",
		"SAM_Exclusions_Public_Extract_V2.CSV":              "",
		"SAM_Exclusions_Public_Extract_V2_20261110.CSV":     "2026-11-10",
		"SAM_Exclusions_Public_Extract_V2_26314_edited.CSV": "",
	} {
		if got, err := samDay(name); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	if _, _, err := importFile(t, "sam", write(t, "SAM_Exclusions_Public_Extract_V2_26360.CSV", samHead(samLayouts[0])+samRow())); err == nil || !strings.Contains(err.Error(), "after today") {
		t.Errorf("data of tomorrow: %v", err)
	}
}

func TestSAMArchive(t *testing.T) {
	text := samHead(samLayouts[0]) + samRow() + samRow("Last", "OTHER")
	m, _, err := importFile(t, "sam", zipOfFiles(t, "SAM_Exclusions_Public_Extract_V2_26314.ZIP", samName, text))
	if err != nil || len(m.records) != 2 || m.rel.AsOf != "2026-11-10" || m.rel.File != "SAM_Exclusions_Public_Extract_V2_26314.ZIP" {
		t.Errorf("%v, %d records, %+v", err, len(m.records), m.rel)
	}
	if m, _, err = importFile(t, "sam", zipOfFiles(t, "download.zip", "x/"+samName, text, "readme.txt", "x")); err != nil || m.rel.AsOf != "2026-11-10" {
		t.Errorf("the day of the member: %v, %+v", err, m.rel)
	}
	bad := zipOfFiles(t, "bad.zip", samName, text)
	b, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, []byte(samName)) + len(samName) + 20
	b[at] ^= 0x55 // inside the packed bytes
	if err := os.WriteFile(bad, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	z := zip.NewWriter(&bomb)
	w, _ := z.Create(samName)
	_, _ = w.Write([]byte(text))
	_, _ = w.Write(bytes.Repeat([]byte{'x'}, 4<<20))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	bombed := filepath.Join(t.TempDir(), "bomb.zip")
	if err := os.WriteFile(bombed, bomb.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"no extract":      zipOfFiles(t, "a.zip", "other.csv", text),
		"two extracts":    zipOfFiles(t, "b.zip", samName, text, "SAM_Exclusions_Public_Extract_V2_26313.CSV", text),
		"nothing":         zipOfFiles(t, "c.zip"),
		"cut off":         write(t, "d.zip", "PK\x03\x04\x14\x00\x08\x00\x08\x00abcdefgh"),
		"damaged":         bad,
		"a bomb":          bombed,
		"only a folder":   zipOfFiles(t, "e.zip", samName+"/", ""),
		"an empty member": zipOfFiles(t, "f.zip", samName, ""),
	} {
		if m, _, err := importFile(t, "sam", path); err == nil || directory.KindOf(err) != directory.Invalid || m.begun != 0 {
			t.Errorf("%s: %v, %d runs", name, err, m.begun)
		}
	}
}

package crawler

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func TestLEIE(t *testing.T) {
	cases := []struct {
		name, row string
		want      directory.ExclusionRecord
	}{
		{"a person", leieRow(), directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "Quillfeather"}, Birth: "1970-01-02",
			City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20"}},
		{"a business: zero NPI, no birth date", leieRow("LASTNAME", "", "FIRSTNAME", "", "MIDNAME", "", "DOB", "", "BUSNAME", "#1 SAMPLE SERVICE, INC", "GENERAL", "OTHER BUSINESS", "SPECIALTY", "SOBER HOME"),
			directory.ExclusionRecord{Organisation: "#1 SAMPLE SERVICE, INC", City: "Denver", State: "CO", ZIP: "80203", Specialty: "SOBER HOME", Authority: "1128b4", Excluded: "2019-03-20"}},
		{"an NPI, trailing blanks, no specialty", leieRow("NPI", "2000000010", "EXCLTYPE", "1128a1   ", "SPECIALTY", "", "DOB", "", "MIDNAME", " "),
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Family: "Quillfeather"}, NPI: "2000000010", City: "Denver", State: "CO", ZIP: "80203",
				Specialty: "IND- LIC HC SERV PRO", Authority: "1128a1", Excluded: "2019-03-20"}},
		{"a suffix in the surname", leieRow("LASTNAME", "MOORE III", "DOB", "00000000"),
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "Moore", Suffix: "III"}, City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20"}},
		{"a suffix behind a comma", leieRow("LASTNAME", "HATCHETT, JR", "DOB", ""),
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "Hatchett", Suffix: "Jr"}, City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20"}},
		{"the surname NULL", leieRow("LASTNAME", "NULL", "DOB", ""),
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "Null"}, City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20"}},
		{"hyphens, two words, waiver", leieRow("LASTNAME", "DE LA CRUZ-O'NEIL", "DOB", "", "WAIVERDATE", "20210101", "WVRSTATE", "UT"),
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "De La Cruz-O'Neil"}, City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20", Waiver: "2021-01-01", WaiverState: "UT"}},
		{"a surname that is a degree elsewhere", leieRow("LASTNAME", "NGUYEN DO", "DOB", ""),
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "Nguyen Do"}, City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20"}},
		{"windows-1252", leieRow("LASTNAME", "NU\xd1EZ", "DOB", ""),
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "Nuñez"}, City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20"}},
		{"2016 style: empties without quotation marks", "QUILLFEATHER,ROWAN,\" \",,\"IND\",\"COUNSELOR\",,2000000010,,,\"DENVER\",CO,80203,1128b4,20190320,00000000,00000000,\n",
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Family: "Quillfeather"}, NPI: "2000000010", City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20"}},
		{"a line break in a quoted field", leieRow("ADDRESS", "5 NOWHERE ROAD\nSUITE 2", "DOB", ""),
			directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "Quillfeather"}, City: "Denver", State: "CO", ZIP: "80203", Specialty: "COUNSELOR", Authority: "1128b4", Excluded: "2019-03-20"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "leie", write(t, "UPDATED.csv", leieHead+c.row))
			if err != nil || len(m.records) != 1 || len(m.rejects) != 0 {
				t.Fatalf("%v, %d records, rejects %+v", err, len(m.records), m.rejects)
			}
			if diff := cmp.Diff(c.want, *m.records[0].Exclusion); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if f := asJSON(m.records[0].Fields); strings.Contains(f, "DOB") || strings.Contains(f, "1970") || strings.Contains(f, "NOWHERE") {
				t.Errorf("the kept columns hold a birth date or a street: %s", f)
			}
		})
	}
}

// TestLEIEQuarantine puts one bad row between two good ones.
func TestLEIEQuarantine(t *testing.T) {
	cases := []struct {
		name, row, want string
		kept            bool // the row is taken without the field
	}{
		{"too few fields", "\"SHORT\",\"ROW\"\n", "2 fields where the header has 18", false},
		{"too many fields", strings.TrimSpace(leieRow()) + ",\"X\"\n", "19 fields", false},
		{"a stray quotation mark", strings.Replace(leieRow(), "NOWHERE", `NO"WHERE`, 1), "quotation mark", false},
		{"a quotation mark that is never closed", "\"OPEN,\"A\n", "quotation mark", false},
		{"nobody", leieRow("LASTNAME", "", "FIRSTNAME", "", "MIDNAME", ""), "neither a person nor a business", false},
		{"no type", leieRow("EXCLTYPE", "   "), "no exclusion type", false},
		{"no date", leieRow("EXCLDATE", "00000000"), "exclusion date", false},
		{"an impossible date", leieRow("EXCLDATE", "20190230"), "exclusion date", false},
		{"a Social Security number", leieRow("UPIN", "900-01-2345"), ssnReason, false},
		{"a birth date that is none", leieRow("LASTNAME", "OTHER", "DOB", "19700230"), "taken without it", true},
		{"an NPI that is none", leieRow("LASTNAME", "OTHER", "NPI", "2000000011"), "taken without it", true},
		{"an NPI of nine digits", leieRow("LASTNAME", "OTHER", "NPI", "900012345"), "taken without it", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "leie", write(t, "UPDATED.csv", leieHead+leieRow("LASTNAME", "BEFORE")+c.row+leieRow("LASTNAME", "BEHIND")))
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
			if len(m.rejects) != 1 || m.rejects[0].Line != 3 || m.rejects[0].File != "UPDATED.csv" || !strings.Contains(m.rejects[0].Reason, c.want) {
				t.Errorf("rejects %+v, want %q at line 3", m.rejects, c.want)
			}
			if directory.Fold(m.rejects[0].Text) == "" {
				t.Error("of the row nothing is kept, so that it would speak of everybody")
			}
			if s := asJSON(m.rejects); strings.Contains(s, "2345") || strings.Contains(s, "19700") || strings.Contains(s, "NOWHERE") {
				t.Errorf("the quarantine holds too much: %s", s)
			}
		})
	}
}

// TestLEIEQuarantineNames: what is kept of a row that could be divided and not used names who may be
// meant, so that the release clears nobody of that name.
func TestLEIEQuarantineNames(t *testing.T) {
	for _, more := range [][]string{{"EXCLTYPE", ""}, {"EXCLDATE", "20190230"}, {"ADDRESS", "900-01-2345"}} {
		row := leieRow(append(more, "LASTNAME", "DE LA WARBLER", "NPI", "2000000010")...)
		m, _, err := importFile(t, "leie", write(t, "UPDATED.csv", leieHead+leieRow()+row))
		if err != nil || len(m.rejects) != 1 || m.rejects[0].Text != "DE LA WARBLER ROWAN T 2000000010" {
			t.Errorf("%v: %v, %+v", more, err, m.rejects)
		}
	}
}

// TestLEIEDuplicates: the list holds lines twice; they share their key and content, and the sink counts
// the second as unchanged.
func TestLEIEDuplicates(t *testing.T) {
	m, _, err := importFile(t, "leie", write(t, "UPDATED.csv", "\ufeff"+leieHead+leieRow()+leieRow()+leieRow("EXCLDATE", "20200101")+leieRow("DOB", "19800102")))
	if err != nil || len(m.records) != 3 || len(m.seen) != 3 {
		t.Errorf("%v: %d records, %d keys", err, len(m.records), len(m.seen))
	}
}

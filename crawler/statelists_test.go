package crawler

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// oigHead is the order in which the workbook is described; columns are found by name.
const oigHead = "CompanyName,LastName,FirstName,MidInitial,Occupation,LicenseNumber,NPI,StartDate,AddDate,ReinstatedDate,EligibleToReapplyDate,Waiver,WebComments\n"

// oigRow is a valid row of the Texas list; each pair of more sets a column.
func oigRow(more ...string) string {
	set := map[string]string{"LastName": "Quillfeather", "FirstName": "Rowan", "MidInitial": "T", "Occupation": "Counselor", "LicenseNumber": "70123",
		"StartDate": "3/20/2019", "AddDate": "3/22/2019", "WebComments": "License revoked"}
	return csvRow(oigHead, set, more)
}

func TestStateList(t *testing.T) {
	base := func(change ...func(*directory.ExclusionRecord)) directory.ExclusionRecord {
		x := directory.ExclusionRecord{Name: directory.Name{Given: "Rowan", Middle: "T", Family: "Quillfeather"}, Specialty: "Counselor", Authority: "License revoked",
			Excluded: "2019-03-20", Licence: directory.ParseLicenceNumber("70123"), LicenceState: "TX"}
		for _, c := range change {
			c(&x)
		}
		return x
	}
	no := func(x *directory.ExclusionRecord) { x.Licence, x.LicenceState = directory.LicenceNumber{}, "" }
	cases := []struct {
		name, row string
		want      directory.ExclusionRecord
	}{
		{"a person", oigRow(), base()},
		{"capitals, a suffix, accents", oigRow("LastName", "NUÑEZ JR", "FIRSTNAME", "", "FirstName", "JOSÉ", "MidInitial", ""),
			base(func(x *directory.ExclusionRecord) {
				x.Name = directory.Name{Given: "José", Family: "Nuñez", Suffix: "Jr"}
			})},
		{"an NPI", oigRow("NPI", "2000000010"), base(func(x *directory.ExclusionRecord) { x.NPI = "2000000010" })},
		{"numbers as some programs write a number cell", oigRow("NPI", "2000000010.0", "LicenseNumber", "70123.0"), base(func(x *directory.ExclusionRecord) { x.NPI = "2000000010" })},
		{"N/A is an empty cell", oigRow("NPI", "N/A", "LicenseNumber", "n/a", "MidInitial", "N/A", "CompanyName", "N/A", "ReinstatedDate", "N/A"),
			base(no, func(x *directory.ExclusionRecord) { x.Name.Middle = "" })},
		{"a licence of zeros is none", oigRow("LicenseNumber", "00000"), base(no)},
		{"a company", oigRow("CompanyName", "Sample Home Health, Inc", "LastName", "", "FirstName", "", "MidInitial", ""),
			base(func(x *directory.ExclusionRecord) {
				x.Name, x.Organisation = directory.Name{}, "Sample Home Health, Inc"
			})},
		{"reinstated", oigRow("ReinstatedDate", "04/01/2021"), base(func(x *directory.ExclusionRecord) { x.Reinstated = "2021-04-01" })},
		{"to be reinstated after the list's date", oigRow("ReinstatedDate", "4/1/2027"), base()},
		{"a day may come when they may apply again, and a waiver: both end nothing", oigRow("EligibleToReapplyDate", "3/20/2024", "Waiver", "Yes"), base()},
		{"ISO dates", oigRow("StartDate", "2019-03-20 00:00:00", "AddDate", "2019-03-22"), base()},
		{"no start, which a few rows have not", oigRow("StartDate", ""), base(func(x *directory.ExclusionRecord) { x.Excluded = "" })},
		{"no reason", oigRow("WebComments", ""), base(func(x *directory.ExclusionRecord) { x.Authority = "" })},
		{"a reason of two lines", oigRow("WebComments", "License\nrevoked"), base()},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "tx-oig", write(t, "exclusions_20261105.csv", oigHead+c.row))
			if err != nil || len(m.records) != 1 || len(m.rejects) != 0 {
				t.Fatalf("%v, %d records, rejects %+v", err, len(m.records), m.rejects)
			}
			if diff := cmp.Diff(c.want, *m.records[0].Exclusion); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if m.rel.AsOf != "2026-11-05" {
				t.Errorf("as of %s", m.rel.AsOf)
			}
		})
	}
	m, _, err := importFile(t, "tx-oig", write(t, "x.csv", "\ufeffLastName,FirstName,MidInitial,CompanyName,NPI,LicenseNumber,Occupation,WebComments,StartDate,ReinstatedDate\r\n"+
		"Quillfeather,Rowan,T,,2000000010,70123,Counselor,License revoked,3/20/2019,\r\n"))
	if err != nil || len(m.records) != 1 {
		t.Fatal("without the columns that need not be there:", err)
	}
	if diff := cmp.Diff(map[string]string{"LastName": "Quillfeather", "FirstName": "Rowan", "MidInitial": "T", "NPI": "2000000010", "LicenseNumber": "70123",
		"Occupation": "Counselor", "WebComments": "License revoked", "StartDate": "3/20/2019"}, m.records[0].Fields); diff != "" {
		t.Errorf("the kept columns (-want +got):\n%s", diff)
	}
}

// TestStateListQuarantine puts one bad row between two good ones.
func TestStateListQuarantine(t *testing.T) {
	cases := []struct {
		name, row, want string
		kept            bool // the row is taken without the field
	}{
		{"too few fields", "Warbler,Row\n", "2 fields where the header has 13", false},
		{"a stray quotation mark", strings.Replace(oigRow("LastName", "Warbler"), "Counselor", `Couns"elor`, 1), "quotation mark", false},
		{"nobody", oigRow("LastName", "", "CompanyName", "", "FirstName", "Warbler"), "neither a person nor a business", false},
		{"a reinstatement that is no date", oigRow("LastName", "Warbler", "ReinstatedDate", "pending"), "nobody can say whether the exclusion has ended", false},
		{"a year of two digits", oigRow("LastName", "Warbler", "ReinstatedDate", "4/1/21"), "nobody can say", false},
		{"a reinstatement before the exclusion", oigRow("LastName", "Warbler", "ReinstatedDate", "4/1/2018"), "dated before the exclusion", false},
		{"a Social Security number in a name", oigRow("LastName", "Warbler", "MidInitial", "900-01-2345"), ssnReason, false},
		{"a Social Security number in the reason", oigRow("WebComments", "SSN 900-01-2345"), "taken without it", true},
		{"a Social Security number as licence", oigRow("LicenseNumber", "900012345"), "taken without it", true},
		{"a start that is none", oigRow("StartDate", "2/30/2019"), "taken without it", true},
		{"an NPI that is none", oigRow("NPI", "2000000011"), "taken without it", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "tx-oig", write(t, "x.csv", oigHead+oigRow("LastName", "Before")+c.row+oigRow("LastName", "Behind")))
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
			if len(m.rejects) != 1 || m.rejects[0].Line != 3 || m.rejects[0].Partial != c.kept || !strings.Contains(m.rejects[0].Reason, c.want) {
				t.Fatalf("rejects %+v, want %q at line 3", m.rejects, c.want)
			}
			words := strings.Fields(directory.Fold(m.rejects[0].Text))
			if len(words) == 0 || !c.kept && !slices.Contains(words, "warbler") {
				t.Errorf("what is kept does not name who may be meant: %q", m.rejects[0].Text)
			}
			if s := asJSON(m.records) + asJSON(m.rejects); strings.Contains(s, "2345") {
				t.Errorf("too much is held: %s", s)
			}
		})
	}
}

// TestStateListKeys: a reinstatement is a change of the row, not another row.
func TestStateListKeys(t *testing.T) {
	key := func(more ...string) string {
		m, _, err := importFile(t, "tx-oig", write(t, "x.csv", oigHead+oigRow(more...)))
		if err != nil || len(m.records) != 1 {
			t.Fatal(err, m.rejects)
		}
		return m.records[0].Key
	}
	if key() != key("ReinstatedDate", "4/1/2021", "WebComments", "x", "Waiver", "Yes", "Occupation", "y") {
		t.Error("the key changes with what is not the exclusion itself")
	}
	for _, other := range [][]string{{"StartDate", "3/21/2019"}, {"LicenseNumber", "70124"}, {"NPI", "2000000010"}, {"FirstName", "Robin"}} {
		if key() == key(other...) {
			t.Errorf("%v gives the same key", other)
		}
	}
}

// TestStateListRefused: what cannot be the list changes nothing, and the error says what to do.
func TestStateListRefused(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"the workbook as published", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 500), `save the sheet as "CSV UTF-8 (comma delimited)"`},
		{"a newer workbook", "PK\x03\x04" + strings.Repeat("x", 500), `save the sheet as "CSV UTF-8 (comma delimited)"`},
		{"a renamed column", strings.Replace(oigHead, "ReinstatedDate", "ReinstateDate", 1) + oigRow(), `ReinstatedDate: the column is missing: it has "ReinstateDate" instead`},
		{"a column less", strings.Replace(oigHead, "NPI,", "", 1) + oigRow(), "NPI: the column is missing"},
		{"a new column", strings.TrimSpace(oigHead) + ",EndDate\n" + oigRow(), "EndDate: the column is new"},
		{"a column twice", strings.Replace(oigHead, "Waiver", "NPI", 1) + oigRow(), "NPI: the column stands twice"},
		{"another list", leieHead + leieRow(), "LEIE (source leie)"},
		{"a header alone", oigHead, "empty list replaces nothing"},
		{"an NPI that the spreadsheet program shortened", oigHead + oigRow() + oigRow("NPI", "2E+09"), `line 3: NPI: the spreadsheet program wrote "2E+09"`},
		{"a date that it shortened", oigHead + oigRow("ReinstatedDate", "########"), "line 2: ReinstatedDate: the spreadsheet program"},
		{"cut off", oigHead + oigRow() + `Quillfeather,"Row`, "was cut off"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, "tx-oig", write(t, "x.csv", c.text))
			if err == nil || directory.KindOf(err) != directory.Invalid || m.begun != 0 || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "x.csv") {
				t.Errorf("%v, %d runs; want %q", err, m.begun, c.want)
			}
		})
	}
}

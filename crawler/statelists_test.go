package crawler

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

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
		{"a damaged workbook", "PK\x03\x04" + strings.Repeat("x", 500), "save the sheet as CSV"},
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

const (
	mediCalHead = "\ufeffLast Name,First Name,Middle Name,A/K/A-Also Known As / D/B/A-Doing Business as,Address(es),Provider Type,License Number,Provider Number,Date of Suspension,Active Period\r\n"
	laHead      = "As of 11/05/2026\nFirst Name, Last Name or Entity Name, Birthdate, Affiliated Entity, Title or Provider Type, NPI#, Type of Exclusion, Reason for Exclusion, Period of Exclusion, Effective Date, Reinstate, State and Zip\n"
	omigHead    = "provider_name,npi_num,provider_type,license_num,exclusion_effective_date\n"
	nyText      = "PROVIDER_NAME\tLICENSE_NUMBER\tNPI_Number\tPROVIDER_TYPE\tSANCTION_DATE\tACTION_TYPE\n" // of 2016
	paHead      = "ProviderName,LicenseNumber,Status,BeginDate,EndDate,CAO,ListDate,IND_CHGD,DTE_CHANGE_LAST,NAM_LAST_PROVR,NAM_FIRST_PROVR,NAM_MIDDLE_PROVR,NAM_TITLE_PROVR,NAM_SUFFIX_PROVR,NAM_PROVR_ALT,NAM_BUSNS_MP,IDN_NPI\n"
)

// book writes a workbook with one sheet for each name; a cell that is a number stays one.
func book(t testing.TB, file string, sheets ...any) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i := 0; i < len(sheets); i += 2 {
		name := sheets[i].(string)
		if _, err := f.NewSheet(name); err != nil {
			t.Fatal(err)
		}
		for n, row := range sheets[i+1].([][]any) {
			if err := f.SetSheetRow(name, "A"+itoa(n+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.DeleteSheet("Sheet1"); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), file)
	if err := f.SaveAs(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestStateLists reads one file of each state as it is published: who is meant by each row, in order.
func TestStateLists(t *testing.T) {
	type who struct {
		Name, Organisation string
		NPI                directory.NPI
		Licence, Authority string
		Birth, Excluded    directory.Date
	}
	day := directory.Date("2019-03-20")
	cases := []struct {
		name, source, path string
		want               []who
	}{
		{"California", "ca-medi-cal", write(t, "suspall_20261105.csv", mediCalHead+
			"Quillfeather,Rowan,T,N/A,\"5 Nowhere Road, Fresno, CA\",Counselor,LPC 70123,\"2000000010, 00A874530\",3/20/2019,Indefinitely effective\r\n"+
			"Warbler,Wren,N/A,aka: Wren Finch; Wren W. Lark,N/A,Physician,\"A70123, G55512\",00C378950; 2000000028; 2000000036,03/20/2019,Deceased\r\n"+
			"3 Sample Medical Clinic,N/A,N/A,dba: Sample Wellness,N/A,Clinic,N/A,N/A,N/A,Indefinitely effective\r\n"+
			",,,,,,,,,\r\n"),
			[]who{{"Rowan T Quillfeather", "", "2000000010", "LPC 70123", "Indefinitely effective", "", day},
				{"Wren Warbler", "", "2000000028", "A70123", "Deceased", "", day},
				{"Wren Finch", "", "2000000028", "A70123", "Deceased", "", day},
				{"Wren W. Lark", "", "2000000028", "A70123", "Deceased", "", day},
				{"Wren Warbler", "", "2000000036", "A70123", "Deceased", "", day},
				{"Wren Warbler", "", "2000000028", "G55512", "Deceased", "", day},
				{"", "3 Sample Medical Clinic", "", "", "Indefinitely effective", "", ""},
				{"", "Sample Wellness", "", "", "Indefinitely effective", "", ""}}},
		{"Louisiana: a line above the header, blanks in it, periods that end nothing", "la-ldh", write(t, "la_20261105.csv", laHead+
			"Rowan,Quillfeather (aka Lark),1/2/1970 12:00:00 AM,Sample Home LLC,Counselor,2000000010,State,Fraud,5 years,3/20/2019 12:00:00 AM,3/20/2024 12:00:00 AM,LA 70802\n"+
			", Sample Home LLC,,,Home Health,NRF,State,Fraud,5 years,3/20/2019 12:00:00 AM,8/14/9999 12:00:00 AM,LA 70802\n"),
			[]who{{"Rowan Quillfeather", "", "2000000010", "", "State; Fraud", "1970-01-02", day}, {"Rowan Lark", "", "2000000010", "", "State; Fraud", "1970-01-02", day},
				{"", "Sample Home LLC", "", "", "State; Fraud", "", day}}},
		{"New York: one column for all, the surname first", "ny-omig", write(t, "ny_20261105.csv", omigHead+
			"QUILLFEATHER ROWAN T           MD,2000000010,Physician,00136045,03/20/2019\n"+
			"DE LA CRUZ MARIA JR,NA,RN,00270304/00584317,03/20/2019\n"+
			"SAMPLE PHARMACY INC,None,Pharmacy ,NA,03/20/2019\n"+
			"FINCH WREN,2000000028,Pharmacy,00028033,03/20/2019\n"+
			"LARK WREN A/K/A Robin Lark,,Pharmacy Owner,,03/20/2019\n"+
			"AKA JOHN,,Other,,03/20/2019\n"+
			"AHMAD FAZAL PC             MD,,Physician,00129915,03/20/2019\n"),
			[]who{{"Rowan T Quillfeather", "", "2000000010", "00136045", "", "", day},
				{"Maria De La Cruz Jr", "", "", "00270304", "", "", day}, {"Maria De La Cruz Jr", "", "", "00584317", "", "", day},
				{"", "SAMPLE PHARMACY INC", "", "", "", "", day},
				{"Wren Finch", "", "2000000028", "00028033", "", "", day}, {"", "FINCH WREN", "2000000028", "00028033", "", "", day},
				{"Wren Lark", "", "", "", "", "", day}, {"Lark Robin", "", "", "", "", "", day}, {"Robin Lark", "", "", "", "", "", day},
				{"John Aka", "", "", "", "", "", day},
				{"Fazal Ahmad", "", "", "00129915", "", "", day}, {"", "AHMAD FAZAL PC MD", "", "00129915", "", "", day}}},
		{"New York, the text file of 2016", "ny-omig", write(t, "gensplistns_20261105.txt", nyText+
			"QUILLFEATHER ROWAN\t00136045\t2000000010\tSocial Worker \t03/20/2019\tExclusion - 18NYCRR515.8\n"),
			[]who{{"Rowan Quillfeather", "", "2000000010", "00136045", "Exclusion - 18NYCRR515.8", "", day}}},
		{"New York, the workbook", "ny-omig", book(t, "list_20261105.xlsx", "exclusions", [][]any{
			{"provider_name", "npi_num", "provider_type", "license_num", "exclusion_effective_date"},
			{"QUILLFEATHER ROWAN", 2000000010, "LMSW", "00136045", "03/20/2019"}, {}, {"FINCH WREN", "2000000028", "RN", 136045, 43544}, {"LARK WREN"}}),
			[]who{{"Rowan Quillfeather", "", "2000000010", "00136045", "", "", day}, {"Wren Finch", "", "2000000028", "136045", "", "", day}, {"Wren Lark", "", "", "", "", "", ""}}},
		{"Ohio: two sheets with columns of their own", "oh-odm", book(t, "oh_20261105.xlsx", "Instructions", [][]any{{"How to read this"}}, "Individuals", [][]any{
			{"Last Name", "First Name", "DOB", "NPI", "Provider Type", "Provider ID", "Action Date", "Status", "Date Added"},
			{"Quillfeather (aka Lark)", "Rowan", 25570, "2000000010/2000000028", "Counselor", "2704667", "3/20/2019", "Excluded", "4/22/2019"}}, "Organizations", [][]any{
			{"Organization Name", "NPI", "Provider Type", "Provider ID", "Address 1", "Address 2", "City", "State", "Zip Code", "Action Date", "Status", "Date Added"},
			{"Sample Transportation dba Sample Rides", "n/a", "Waivered Services Organization", "0083754", "1 Nowhere Lane", "", "Toledo", "OH", "43615", 43544, "Suspended", ""}}),
			[]who{{"Rowan Quillfeather", "", "2000000010", "", "Excluded", "1970-01-02", day}, {"Rowan Lark", "", "2000000010", "", "Excluded", "1970-01-02", day},
				{"Rowan Quillfeather", "", "2000000028", "", "Excluded", "1970-01-02", day}, {"", "Sample Transportation", "", "", "Suspended", "", day}, {"", "Sample Rides", "", "", "Suspended", "", day}}},
		{"Pennsylvania: an end of a period ends nothing", "pa-dhs", write(t, "medicheck_20261105.txt", paHead+
			"\"Quillfeather, Rowan T. Jr., DDS\",70123,\"Precluded\",3/20/2019 0:00:00,3/20/2024 0:00:00,\"Chester\",5/1/2019 0:00:00,0,,\"Quillfeather\",\"Rowan\",\"T.\",\"DDS\",\"Jr.\",\"Simon Lark\",,2000000010\n"+
			"\"Sample Health, Inc.\",,\"Terminated\",3/20/2019 0:00:00,,,,,,,,,,,,\"Sample Health, Inc.\",\n"),
			[]who{{"Rowan T. Quillfeather Jr", "", "2000000010", "70123", "Precluded", "", day}, {"Simon Lark", "", "2000000010", "70123", "Precluded", "", day},
				{"", "Sample Health, Inc.", "", "", "Terminated", "", day}}},
		{"Washington: a title above the header, several names and numbers in a cell", "wa-hca", book(t, "wa_20261105.xlsx", "List", [][]any{
			{"Provider Termination and Exclusion List"}, {"Updated 11/05/2026", "", ""}, {},
			{"Name", "NPI or P1", "License", "Date of Exclusion", "Action"},
			{"Quillfeather, Rowan T\nRowan Lark", "2000000010\nP1 5203772500", "None", 43544, "Terminated"},
			{"Sample Care Agency", "5203772500", "", "3/20/2019", "Excluded"}}),
			[]who{{"Rowan T Quillfeather", "", "2000000010", "", "Terminated", "", day}, {"Rowan Lark", "", "2000000010", "", "Terminated", "", day},
				{"Sample Care Agency", "", "", "", "Excluded", "", day}, {"", "Sample Care Agency", "", "", "Excluded", "", day}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _, err := importFile(t, c.source, c.path)
			if err != nil || len(m.rejects) != 0 || m.rel.AsOf != "2026-11-05" {
				t.Fatalf("%v, as of %s, rejects %+v", err, m.rel.AsOf, m.rejects)
			}
			var got []who
			keys := map[string]bool{}
			for _, r := range m.records {
				x := r.Exclusion
				got = append(got, who{x.Name.String(), x.Organisation, x.NPI, x.Licence.Shown, x.Authority, x.Birth, x.Excluded})
				keys[r.Key] = true
				if x.Reinstated != "" || x.Licence.Key != "" && x.LicenceState == "" {
					t.Errorf("line %d: %+v", r.Line, x)
				}
				if s := asJSON(r.Fields); strings.Contains(s, "Nowhere") || strings.Contains(s, "1970") || strings.Contains(s, "25570") {
					t.Errorf("a street or a birth date is kept: %s", s)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(keys) != len(m.records) {
				t.Errorf("%d records share %d keys", len(m.records), len(keys))
			}
			again, _, err := importFile(t, c.source, c.path)
			if err != nil || asJSON(again.records) != asJSON(m.records) {
				t.Errorf("a second reading differs: %v", err)
			}
			if _, err := importOver(t, c.source, c.path, inForce(len(m.records), "2026-10-05", "")); err != nil {
				t.Errorf("the same again is too small: %v", err)
			}
			if m, err := importOver(t, c.source, c.path, inForce(len(m.records)+30, "2026-10-05", "")); err == nil || m.begun != 0 || !strings.Contains(err.Error(), "--accept-smaller") {
				t.Errorf("30 more were in force: %v", err)
			}
		})
	}
}

// TestStateListsRefused: a file of another layout, or of nothing, changes nothing.
func TestStateListsRefused(t *testing.T) {
	heads := map[string]string{"ca-medi-cal": mediCalHead, "la-ldh": laHead, "ny-omig": omigHead, "pa-dhs": paHead}
	for source, head := range heads {
		for name, text := range map[string]string{
			"empty":            "",
			"a header alone":   head,
			"a column less":    strings.Replace(strings.NewReplacer("Provider Number,", "", " NPI#,", "", "npi_num,", "", ",IDN_NPI", "").Replace(head), "\n\n", "\n", 1) + "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p\n",
			"a column more":    strings.TrimRight(head, "\r\n") + ",Reinstated On\n" + strings.Repeat("x,", 30) + "\n",
			"another list":     leieHead + leieRow(),
			"a page":           "<!DOCTYPE html><html>",
			"cut off in a row": head + `"Quillfea`,
		} {
			m, _, err := importFile(t, source, write(t, "x.csv", text))
			if err == nil || directory.KindOf(err) != directory.Invalid || m.begun != 0 {
				t.Errorf("%s, %s: %v, %d runs", source, name, err, m.begun)
			}
		}
	}
	for name, path := range map[string]string{
		"no such sheet":   book(t, "a.xlsx", "People", [][]any{{"Last Name"}}),
		"an empty sheet":  book(t, "b.xlsx", "Individuals", [][]any{}, "Organizations", [][]any{{"Organization Name"}}),
		"a header alone":  book(t, "c.xlsx", "Individuals", [][]any{{"Last Name", "First Name", "NPI", "Provider Type", "Action Date", "Status"}}, "Organizations", [][]any{{"Organization Name"}}),
		"an old workbook": write(t, "d.xls", "\xd0\xcf\x11\xe0"+strings.Repeat("\x00", 500)),
	} {
		if m, _, err := importFile(t, "oh-odm", path); err == nil || directory.KindOf(err) != directory.Invalid || m.begun != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWorkbook: the Texas list comes as a workbook of the new kind too, with numbers and dates as cells.
func TestWorkbook(t *testing.T) {
	head := []any{}
	for _, c := range strings.Split(strings.TrimSpace(oigHead), ",") {
		head = append(head, c)
	}
	row := []any{"", "Quillfeather", "Rowan", "T", "Counselor", 70123, 2000000010, 43544, 43546, 44287, "", "", "License revoked"}
	m, _, err := importFile(t, "tx-oig", book(t, "exclusions_20261105.xlsx", "EXCEL_Destination", [][]any{head, row}))
	if err != nil || len(m.records) != 1 || len(m.rejects) != 0 {
		t.Fatalf("%v, %d records, %+v", err, len(m.records), m.rejects)
	}
	if x := m.records[0].Exclusion; x.NPI != "2000000010" || x.Excluded != "2019-03-20" || x.Reinstated != "2021-04-01" || x.Licence.Shown != "70123" {
		t.Errorf("%+v", x)
	}
	for in, want := range map[string]string{"1.234567893E9": "1234567893", "1.2E+3": "1200", "1E-7": "1E-7", " a\r\nb ": "a; b", "00123": "00123", "": ""} {
		if got := cellText(in); got != want {
			t.Errorf("cellText(%q) = %q, want %q", in, got, want)
		}
	}
}

package crawler

import (
	"context"
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
		{"columns cut at their lengths", leieRow("LASTNAME", "FEATHERSTONEHAUGH-QU", "FIRSTNAME", "BARTHOLOMEWLONG", "SPECIALTY", "NURSE/NURSES AIDE AN", "DOB", ""),
			directory.ExclusionRecord{Name: directory.Name{Given: "Bartholomewlong", Middle: "T", Family: "Featherstonehaugh-Qu"}, City: "Denver", State: "CO", ZIP: "80203", Specialty: "NURSE/NURSES AIDE AN", Authority: "1128b4", Excluded: "2019-03-20"}},
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

// TestLEIEHeaders: two columns have another name in the publisher's own descriptions, and in 2016 the
// header was quoted and its fields had blanks.
func TestLEIEHeaders(t *testing.T) {
	for name, head := range map[string]string{
		"as published":        leieHead,
		"of the corrections":  strings.Replace(leieHead, "EXCLTYPE", "EXCLTYP1", 1),
		"of the layout":       strings.Replace(leieHead, "WVRSTATE", "WAIVERSTATE", 1),
		"quoted, with blanks": `"` + strings.ReplaceAll(strings.TrimSpace(leieHead), ",", ` "," `) + "\"\n",
	} {
		m, _, err := importFile(t, "leie", write(t, "UPDATED.csv", head+leieRow("WVRSTATE", "UT")))
		if err != nil || len(m.records) != 1 || m.records[0].Exclusion.WaiverState != "UT" || m.records[0].Exclusion.Authority != "1128b4" {
			t.Errorf("%s: %v, %+v", name, err, m.records)
		}
	}
}

// TestLEIEMonths reads the names of the monthly files.
func TestLEIEMonths(t *testing.T) {
	for name, want := range map[string]leieMonth{
		"2610excl.csv":     {name: "2610excl", end: "2026-10-31", before: "2026-09-30"},
		"2610EXCL (1).CSV": {name: "2610excl", end: "2026-10-31", before: "2026-09-30"},
		"1609EXCL.csv":     {name: "1609excl", end: "2016-09-30", before: "2016-08-31"},
		"sanc1201.csv":     {name: "sanc1201", end: "2012-01-31", before: "2011-12-31"},
		"2402rein.csv":     {name: "2402rein", end: "2024-02-29", before: "2024-01-31", reinstated: true},
		"rein0911.csv":     {name: "rein0911", end: "2009-11-30", before: "2009-10-31", reinstated: true},
		"2610excl-new.csv": {name: "2610excl", end: "2026-10-31", before: "2026-09-30"},
	} {
		if m, err := leieMonthOf(name); err != nil || m == nil || *m != want {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	for _, name := range []string{"UPDATED.csv", "exclusions.csv", "2610.csv", "2610exclusions.csv", "20261031.csv"} {
		if m, err := leieMonthOf(name); err != nil || m != nil {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

// inForce is a list in force: a whole one, and what was added to it since.
func inForce(rows int, whole, newest directory.Date) directory.Held {
	h := directory.Held{Found: true, Whole: directory.Run{Number: 4, Release: directory.Release{AsOf: whole}, Counts: directory.Counts{Read: rows}}}
	if h.Newest = h.Whole; newest != "" {
		h.Newest = directory.Run{Number: 5, Base: 4, Release: directory.Release{AsOf: newest, Partial: true}, Counts: directory.Counts{Read: 10}}
	}
	return h
}

// importOver imports a file where something is in force.
func importOver(t *testing.T, source, path string, held directory.Held, opts ...func(*Options)) (*memory, error) {
	t.Helper()
	src, _ := Find(source)
	o := Options{Now: day}
	for _, f := range opts {
		f(&o)
	}
	m := &memory{held: held}
	_, err := Run(context.Background(), src, Input{Path: path}, m, o)
	return m, err
}

// TestLEIEMonthFits: changes follow what is in force without a gap, and are not the whole list.
func TestLEIEMonthFits(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(leieRow("LASTNAME", "NAME"+itoa(i)))
		}
		return b.String()
	}
	rein := leieRow("REINDATE", "20261020")
	cases := []struct {
		name, file, rows string
		held             directory.Held
		asOf             directory.Date // what the release is dated, "" if it is refused
		want             string         // part of the error
	}{
		{"the month after a whole list of its last day", "2610excl.csv", many(1), inForce(80_000, "2026-09-30", ""), "2026-10-31", ""},
		{"the month in which the whole list came out", "2610excl.csv", many(1), inForce(80_000, "2026-10-10", ""), "2026-10-31", ""},
		{"the month after one that was added", "2610excl.csv", many(1), inForce(80_000, "2026-08-10", "2026-09-30"), "2026-10-31", ""},
		{"nothing in force: the store refuses it", "2610excl.csv", many(1), directory.Held{}, "2026-10-31", ""},
		{"a month is missing", "2610excl.csv", many(1), inForce(80_000, "2026-08-31", ""), "", "import what lies between first"},
		{"a month is missing behind one that was added", "2610excl.csv", many(1), inForce(80_000, "2026-07-10", "2026-08-31"), "", "30 Sep 2026"},
		{"the whole list under the name of a month", "2610excl.csv", many(70), inForce(83, "2026-09-30", ""), "", "call it UPDATED.csv"},
		{"the same as reinstatements", "2610rein.csv", many(70), inForce(83, "2026-09-30", ""), "", "call it UPDATED.csv"},
		{"many in a month", "2610excl.csv", many(400), inForce(80_000, "2026-09-30", ""), "2026-10-31", ""},
		{"few in a small list", "2610excl.csv", many(15), inForce(40, "2026-09-30", ""), "2026-10-31", ""},
		{"reinstatements make no list newer", "2610rein.csv", rein, inForce(80_000, "2026-09-30", ""), "2026-09-30", ""},
		{"and may leave out months", "2610rein.csv", rein, inForce(80_000, "2026-02-10", "2026-03-31"), "2026-03-31", ""},
		{"reinstatements of before the whole list", "2609rein.csv", rein, inForce(80_000, "2026-10-10", ""), "", "leaves out whom it names already"},
		{"the same bytes again, out of order", "2603excl.csv", many(1), directory.Held{Found: true, Already: true}, "2026-03-31", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, err := importOver(t, "leie", write(t, c.file, leieHead+c.rows), c.held)
			if c.want != "" {
				if err == nil || m.begun != 0 || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
					t.Errorf("%v, %d runs; want %q", err, m.begun, c.want)
				}
				return
			}
			if err != nil || !m.rel.Partial || m.rel.AsOf != c.asOf || m.rel.Name != strings.TrimSuffix(c.file, ".csv") {
				t.Errorf("%v: %+v, want as of %s", err, m.rel, c.asOf)
			}
		})
	}
	if m, _, err := importFile(t, "leie", write(t, "UPDATED.csv", leieHead+leieRow())); err != nil || m.rel.Partial {
		t.Errorf("the whole list: %v, %+v", err, m.rel)
	}
}

// TestLEIEReinstated: a row of a file of reinstatements names the exclusion that it ends by the key of its
// row, however that was written; anybody else's it does not touch.
func TestLEIEReinstated(t *testing.T) {
	read := func(file, row string) (*memory, *directory.Record) {
		m, _, err := importFile(t, "leie", write(t, file, leieHead+row))
		if err != nil && len(m.rejects) == 0 {
			t.Fatal(err)
		}
		if len(m.records) == 0 {
			return m, nil
		}
		return m, &m.records[0]
	}
	_, excl := read("UPDATED.csv", leieRow())
	_, business := read("UPDATED.csv", leieRow("LASTNAME", "", "FIRSTNAME", "", "MIDNAME", "", "DOB", "", "BUSNAME", "SAMPLE SERVICE, INC"))
	same := []struct {
		name string
		of   *directory.Record
		row  string
	}{
		{"as it was", excl, leieRow("REINDATE", "20261020")},
		{"moved since", excl, leieRow("REINDATE", "20261020", "ADDRESS", "1 OTHER ST", "CITY", "BOISE", "STATE", "ID", "ZIP", "83702", "SPECIALTY", "")},
		{"with a waiver", excl, leieRow("REINDATE", "20261020", "WAIVERDATE", "20200101", "WVRSTATE", "CO", "UPIN", "A12345")},
		{"trailing blanks, no NPI", excl, leieRow("REINDATE", "20261020", "EXCLTYPE", "1128b4   ", "LASTNAME", "QUILLFEATHER ", "NPI", "")},
		{"2016 style", excl, "QUILLFEATHER,ROWAN,\"T\",,\"IND\",\"COUNSELOR\",,,19700102,,\"DENVER\",CO,80203,1128b4,20190320,20261020,00000000,\n"},
		{"a business", business, leieRow("REINDATE", "20261020", "LASTNAME", "", "FIRSTNAME", "", "MIDNAME", " ", "DOB", "00000000", "BUSNAME", "SAMPLE SERVICE INC", "ADDRESS", "")},
	}
	for _, c := range same {
		for _, file := range []string{"2610rein.csv", "rein2610.csv"} {
			m, r := read(file, c.row)
			if r == nil || r.Exclusion.Reinstated != "2026-10-20" || r.Exclusion.Ends != c.of.Key || r.Key == c.of.Key || r.Fields["REINDATE"] != "20261020" {
				t.Errorf("%s, %s: %+v, rejects %+v", c.name, file, r, m.rejects)
			}
		}
	}
	for _, more := range [][]string{{"EXCLDATE", "20200101"}, {"EXCLTYPE", "1128a1"}, {"DOB", "19700103"}, {"DOB", ""}, {"FIRSTNAME", "ROBIN"}, {"LASTNAME", "QUILLFEATHER JR"},
		{"NPI", "2000000010"}, {"MIDNAME", "S"}, {"BUSNAME", "X"}} {
		if _, r := read("2610rein.csv", leieRow(append(more, "REINDATE", "20261020")...)); r == nil || r.Exclusion.Ends == excl.Key {
			t.Errorf("%v ends another's exclusion: %+v", more, r)
		}
	}
	for _, more := range [][]string{{"CITY", "BOISE"}, {"ZIP", "80204"}} {
		set := append([]string{"LASTNAME", "", "FIRSTNAME", "", "MIDNAME", "", "DOB", "", "BUSNAME", "SAMPLE SERVICE, INC", "REINDATE", "20261020"}, more...)
		if _, r := read("2610rein.csv", leieRow(set...)); r == nil || r.Exclusion.Ends == business.Key {
			t.Errorf("%v ends the exclusion of another place: %+v", more, r)
		}
	}
	for reason, date := range map[string]string{"no date of one": "00000000", "dated before the exclusion": "20190319", "after today": "20261124"} {
		if m, r := read("2610rein.csv", leieRow("REINDATE", date)); r != nil || len(m.rejects) != 1 || !strings.Contains(m.rejects[0].Reason, reason) || m.rejects[0].Field != "REINDATE" {
			t.Errorf("%s: %+v, %+v", reason, r, m.rejects)
		}
	}
}

// TestListTooSmall: a list that has lost much of what is in force replaces nothing unless a person says so.
func TestListTooSmall(t *testing.T) {
	lists := map[string]func(n int) (name, text string){
		"leie":   func(n int) (string, string) { return "UPDATED.csv", leieHead + strings.Repeat(leieRow(), n) },
		"sam":    func(n int) (string, string) { return samName, samHead(samLayouts[0]) + strings.Repeat(samRow(), n) },
		"tx-oig": func(n int) (string, string) { return "exclusions_20261105.csv", oigHead + strings.Repeat(oigRow(), n) },
	}
	dated := func(o *Options) { o.AsOf = "2026-11-10" }
	smaller := func(o *Options) { o.AcceptSmaller = true }
	for source, of := range lists {
		for _, c := range []struct {
			rows, before int
			opts         []func(*Options)
			refused      bool
		}{
			{rows: 179, before: 200, refused: true}, {rows: 180, before: 200}, {rows: 1, before: 20}, {rows: 1, before: 30, refused: true}, {rows: 200, before: 3},
			{rows: 50, before: 80_000, opts: []func(*Options){smaller}}, {rows: 50, before: 80_000, refused: true},
		} {
			name, text := of(c.rows)
			m, err := importOver(t, source, write(t, name, text), inForce(c.before, "2026-10-10", ""), append(c.opts, dated)...)
			if refused := err != nil && m.begun == 0 && strings.Contains(err.Error(), "--accept-smaller") && strings.Contains(err.Error(), name); refused != c.refused || !c.refused && err != nil {
				t.Errorf("%s: %d rows after %d: %v, %d runs", source, c.rows, c.before, err, m.begun)
			}
		}
	}
}

// TestListOlder: a list does not replace a newer one.
func TestListOlder(t *testing.T) {
	path := write(t, samName, samHead(samLayouts[0])+samRow()) // of 2026-11-10
	for newest, refused := range map[directory.Date]bool{"2026-11-10": false, "2026-11-11": true, "": false} {
		m, err := importOver(t, "sam", path, inForce(1, "2026-11-01", newest))
		if (err != nil) != refused || refused && (m.begun != 0 || directory.KindOf(err) != directory.Conflict || !strings.Contains(err.Error(), "older than what is in force")) {
			t.Errorf("after %s: %v", newest, err)
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

package crawler

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"kapdir/directory"
)

// rowsRead is what came of a partner's file.
type rowsRead struct {
	*memory
	report  Report
	format  RowFormat
	refused []RejectedRow
	err     error
}

func partnerFile(t testing.TB, path string, opts ...func(*Options)) rowsRead {
	t.Helper()
	x := rowsRead{memory: &memory{}}
	o := Options{Now: day, Report: &x.report}
	for _, f := range opts {
		f(&o)
	}
	src := ListingRows("kap-commons", func(f RowFormat, r RejectedRow) error {
		x.format, x.refused = f, append(x.refused, r)
		return nil
	})
	_, x.err = Run(context.Background(), src, Input{Path: path}, x.memory, o)
	return x
}

const rowsHead = "id,kind,name,npi,licences,training,site_line1,site_city,site_state,site_zip,site_phone,as_of,route,price,accepting,language,telehealth_in\n"

// aRow is a valid row with one column changed.
func aRow(column, value string) string {
	names := strings.Split(strings.TrimSpace(rowsHead), ",")
	row := []string{"a1", "person", "Ada Example", "2000000010", "LCSW #CSW.09900001, Colorado", "Polaris Insight Center; certificate; 2024-05-31", "1 Example St", "Boulder", "CO", "80302",
		"303 555 0100", "2026-11-01", "sublingual lozenge", "medicine_session: $650-$850", "yes", "English|Spanish", "CO|Utah"}
	if column != "" {
		row[slices.Index(names, column)] = value
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(row)
	w.Flush()
	return b.String()
}

func rowsFile(rows ...string) string { return rowsHead + strings.Join(rows, "") }

func TestListingRow(t *testing.T) {
	x := partnerFile(t, write(t, "partner.csv", rowsFile(aRow("", ""))))
	if x.err != nil || len(x.records) != 1 || len(x.rejects) != 0 {
		t.Fatalf("%v, %d records, %+v", x.err, len(x.records), x.rejects)
	}
	r := x.records[0]
	l := r.Listing
	if r.Key != "a1" || r.Line != 2 || l.Kind != directory.Person || l.ListedAs != directory.AsKAP || l.Name.Family != "Example" || l.NPI != "2000000010" || l.Origin.AsOf != "2026-11-01" || l.Origin.Source != "kap-commons" {
		t.Errorf("record %+v", r)
	}
	if len(l.Licences) != 1 || l.Licences[0].State != "CO" || l.Licences[0].Title != "LCSW" || len(l.Training) != 1 || l.Training[0].Level != "certificate" || l.Training[0].Completed != "2024-05-31" {
		t.Errorf("licences %+v, training %+v", l.Licences, l.Training)
	}
	if len(l.Sites) != 1 || l.Sites[0].Address.ZIP != "80302" || l.Sites[0].Phone != "(303) 555-0100" || l.Sites[0].Point == nil {
		t.Errorf("sites %+v", l.Sites)
	}
	p := l.Practice
	if d := cmp.Diff([]string{"sublingual_lozenge"}, p.Routes); d != "" || len(p.Prices) != 1 || p.Prices[0].MinCents != 65000 || p.Accepting != directory.Yes || len(p.Languages) != 2 ||
		!slices.Equal(p.TelehealthIn, []directory.State{"CO", "UT"}) {
		t.Errorf("practice %+v", p)
	}
	if r.Fields["site_line1"] != "1 Example St" || r.Fields["licences"] == "" {
		t.Errorf("the row is not kept as evidence: %v", r.Fields)
	}
}

// Every wrong value is one message that names the line, the column, the value and what to do; the rows
// beside it go in.
func TestListingRowErrors(t *testing.T) {
	for _, c := range []struct{ column, value, want string }{
		{"id", "", "is missing"},
		{"id", "a#1", "holds a #"},
		{"kind", "practitioner", "neither person nor organisation"},
		{"name", "", "is missing"},
		{"name", "Аda Example", "mixes scripts"},
		{"npi", "2000000011", "write: National Provider Identifier"},
		{"npi", "2.00E+09", "shortened the number"},
		{"licences", "LCSW #1234 and LMFT #5678", "several licence numbers"},
		{"licences", "LCSW #123456789, Colorado", "Social Security number"},
		{"training", "Polaris; certificate; 2024-05-31; x", "programme; level; day"},
		{"training", "Polaris; diploma", "not one of the words"},
		{"training", "Polaris; certificate; 45443", "perhaps 2024-05-31"},
		{"site_state", "Colorado Springs", "not a US state"},
		{"site_zip", "8030", "not a ZIP code"}, // 08030 is in New Jersey, the row says Colorado
		{"site_phone", "12", "site_phone"},
		{"as_of", "23.11.2026", "2026-11-23"},
		{"as_of", "13/11/2026", "which number is the month"},
		{"as_of", "11/24/2026", "future"},
		{"as_of", "11/1/26", "not a day"},
		{"route", "nasal", "sublingual_lozenge"},
		{"price", "650", "component: $amount"},
		{"accepting", "maybe", "yes, no or waitlist"},
		{"language", "Klingon", "not one of the words"},
		{"telehealth_in", "CO|Ontario", "not a US state"},
		{"site_city", "#REF!", "shows an error"},
		{"site_city", "########", "shows an error"},
		{"site_city", "=A1", "formula"},
		{"site_city", "900-01-2345", "Social Security number"},
		{"site_city", withheldCell, "was not kept"},
		{"site_line1", "SSN: 900 01 2345", "Social Security number"},
		{"site_line1", "1 Example St (900.01.2345)", "Social Security number"},
		{"name", "Ada 900012345 Example", "Social Security number"},
	} {
		t.Run(c.column+" "+c.value, func(t *testing.T) {
			x := partnerFile(t, write(t, "partner.csv", rowsFile(strings.Replace(aRow("", ""), "a1,", "first,", 1), aRow(c.column, c.value), strings.Replace(aRow("", ""), "a1,", "last,", 1))))
			if x.err != nil || len(x.records) != 2 || len(x.rejects) != 1 || len(x.refused) != 1 {
				t.Fatalf("%v, %d records, rejects %+v", x.err, len(x.records), x.rejects)
			}
			j := x.rejects[0]
			if j.Line != 3 || j.Field != c.column || j.Partial || !strings.Contains(j.Reason, c.want) || !strings.Contains(j.Reason, c.column) || !strings.Contains(j.Reason, "write: ") {
				t.Errorf("reject %+v does not say %q", j, c.want)
			}
			if holdsSSN(asJSON(x.rejects)+asJSON(x.refused)) || strings.Contains(asJSON(x.refused), "123456789") || nearSSN.MatchString(asJSON(x.refused)) || strings.Contains(asJSON(x.refused), "900012345") {
				t.Errorf("what must not be held is kept: %+v", x.refused)
			}
			parts := strings.Split(c.value, "; ") // of several values, the wrong one is named
			named := slices.ContainsFunc(strings.Split(parts[len(parts)-1], "|"), func(v string) bool { return strings.Contains(j.Reason, v) })
			if !named && !strings.Contains(c.value, "2024-05-31; x") && !strings.Contains(j.Reason, "Social Security") {
				t.Errorf("the reason does not name the value: %q", j.Reason)
			}
		})
	}
	// Several faults of a row are told together.
	x := partnerFile(t, write(t, "partner.csv", rowsFile(aRow("", ""), "b2,person,,1,,,,,,,,,,,,,\n", aRow("site_city", "Denver"))))
	if len(x.rejects) != 2 || !strings.Contains(x.rejects[0].Reason, "name: ") || !strings.Contains(x.rejects[0].Reason, "npi: ") || !strings.Contains(x.rejects[1].Reason, "stands in line 2 already") {
		t.Errorf("rejects %+v", x.rejects)
	}
}

// What spreadsheets do to a file.
func TestSpreadsheetTraps(t *testing.T) {
	latin, _ := charmap.Windows1252.NewEncoder().String(rowsFile(aRow("name", "Zoë Peña")))
	semicolons := "id;kind;name;site_city\r\na1;person;\"Example; Ada\";Boulder\r\n"
	for _, c := range []struct{ name, content, family string }{
		{"byte-order mark", "\ufeff" + rowsFile(aRow("", "")), "Example"},
		{"CRLF", strings.ReplaceAll(rowsFile(aRow("", "")), "\n", "\r\n"), "Example"},
		{"no last line break", strings.TrimSpace(rowsFile(aRow("", ""))), "Example"},
		{"windows-1252", latin, "Peña"},
		{"semicolons", semicolons, "Ada"},
		{"sep= first", "sep=;\r\n" + semicolons, "Ada"},
		{"sep= behind a byte-order mark", "\ufeffsep=;\r\n" + semicolons, "Ada"},
		{"tabs", strings.ReplaceAll("id,kind,name\na1,person,Ada Example\n", ",", "\t"), "Example"},
		{"blank columns at the end", "id,kind,name,,,\na1,person,Ada Example,,,\n,,,,,\n,,,,,\n", "Example"},
		{"cells left out at the end", "id,kind,name,site_city,npi\na1,person,Ada Example\n", "Example"},
		{"more cells than columns", "id,kind,name\na1,person,Ada Example,,,,\n", "Example"},
		{"names in other cases", "ID,Kind,NAME,Licenses,Site ZIP\na1,Person,Ada Example,,80302\n", "Example"},
		{"an error column", "id,kind,name,error\na1,person,Ada Example,name: is missing\n", "Example"},
		{"an apostrophe that marks text", "id,kind,name,site_zip,site_phone\n'17,person,Ada Example,'80302,'+1 303 555 0100\n", "Example"},
		{"a line break in quotation marks", "id,kind,name,licences\na1,person,Ada Example,\"LCSW #1, Colorado\nLMFT #2, Utah\"\n", "Example"},
		{"day as a spreadsheet writes it", rowsFile(aRow("as_of", "11/1/2026")), "Example"},
		{"a whole number with a point", rowsFile(aRow("npi", "2000000010.0")), "Example"},
		{"comments", "id,kind,name\n# of the template,x,y\na1,person,Ada Example\n", "Example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := partnerFile(t, write(t, "partner.csv", c.content))
			if x.err != nil || len(x.records) != 1 || len(x.rejects) != 0 {
				t.Fatalf("%v, %d records, %+v", x.err, len(x.records), x.rejects)
			}
			if got := x.records[0].Listing.Name.Family; got != c.family {
				t.Errorf("family name %q, want %q", got, c.family)
			}
		})
	}
	// Semicolons are of a spreadsheet that may put the day first.
	x := partnerFile(t, write(t, "partner.csv", "id;kind;name;as_of\na1;person;Ada Example;3/4/2026\nb;person;Bob Example;2026-04-03\n"))
	if len(x.rejects) != 1 || !strings.Contains(x.rejects[0].Reason, "which number is the month") {
		t.Errorf("rejects %+v", x.rejects)
	}
	// A quotation mark too many loses its row alone.
	x = partnerFile(t, write(t, "partner.csv", "id,kind,name\na1,person,Ada \"Example\nb,person,Bob Example\nc,person,Cy, Example\n"))
	if x.err != nil || len(x.records) != 1 || len(x.refused) != 2 || x.refused[0].Cells[0] != "a1" || !strings.Contains(x.refused[1].Error, "behind the last column") {
		t.Errorf("%v, %d records, %+v", x.err, len(x.records), x.refused)
	}
}

// A ZIP code whose first zeros a spreadsheet took is mended where the state agrees, and said.
func TestLostZeros(t *testing.T) {
	for _, c := range []struct {
		zip, state, want string
		warned           bool
	}{
		{"2138", "MA", "02138", true}, {"21381234", "MA", "02138-1234", true}, {"2138-1234", "Massachusetts", "02138-1234", true}, {"725", "PR", "00725", true},
		{"2138", "CO", "", false}, {"2138", "", "", false}, {"80302", "CO", "80302", false}, {"803021234", "CO", "80302-1234", false},
	} {
		x := partnerFile(t, write(t, "partner.csv", "id,kind,name,site_city,site_state,site_zip\na1,person,Ada Example,Town,"+c.state+","+c.zip+"\nb,person,Bob Example,,,\n"))
		got := ""
		for _, r := range x.records {
			if r.Key == "a1" {
				got = r.Listing.Sites[0].Address.ZIP
			}
		}
		if got != c.want || (len(x.report.Warnings) == 1) != c.warned {
			t.Errorf("%q in %q: %q, want %q; warnings %q, %v", c.zip, c.state, got, c.want, x.report.Warnings, x.err)
		}
	}
}

// A file that cannot be right is refused before anything is written, with what to do.
func TestListingFilesRefused(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"no id", "kind,name\nperson,Ada\n", "id"},
		{"a misspelt column", "id,kind,name,licencse\n", `"licences"`},
		{"a column of their own", "id,kind,name,biography\n", "delete it"},
		{"a column twice", "id,kind,name,Name\n", "twice"},
		{"a workbook", "PK\x03\x04zip", "save it as CSV"},
		{"UTF-16", "\xff\xfei\x00d\x00", "UTF-16"},
		{"a page", "<html>", "HTML"},
		{"an array", `[{"id":"a1"}]`, "one object on each line"},
		{"LEIE", leieHead + leieRow(), "exclusion list LEIE"},
		{"empty", "", "empty"},
	} {
		x := partnerFile(t, write(t, "partner.csv", c.content))
		if x.err == nil || x.begun > 0 || !strings.Contains(x.err.Error(), c.want) {
			t.Errorf("%s: begun %d, %v", c.name, x.begun, x.err)
		}
	}
}

// A file that was cut off within its last row does not say that what is missing holds no more. Short rows
// before, and a whole last one without a line break, are what spreadsheets and editors write.
func TestListingFileCutOff(t *testing.T) {
	second := strings.Replace(aRow("", ""), "a1,", "b2,", 1)
	for _, c := range []struct {
		name, content string
		records       int
	}{
		{"cut off", rowsFile(aRow("", ""), second[:strings.Index(second, "Polaris")]), 1},
		{"no line break", rowsFile(aRow("", ""), strings.TrimSpace(second)), 2},
		{"short with a line break", rowsFile("a1,person,Ada Example\n", "b2,person,Ben Example\n"), 2},
	} {
		x := partnerFile(t, write(t, "partner.csv", c.content))
		if x.err != nil || len(x.records) != c.records || len(x.rejects) != 2-c.records {
			t.Errorf("%s: %v, %d records, rejects %+v", c.name, x.err, len(x.records), x.rejects)
		}
		for _, j := range x.rejects {
			if !strings.Contains(j.Reason, "the file ends in this row") {
				t.Errorf("%s: %+v", c.name, j)
			}
		}
	}
}

// The same row as CSV and as JSON lines is the same record.
func TestListingRowsAsJSON(t *testing.T) {
	lines := `{"id":"a1","kind":"person","name":"Ada Example","npi":2000000010,"licences":["LCSW #CSW.09900001, Colorado"],"training":"Polaris Insight Center; certificate; 2024-05-31","site_line1":"1 Example St","site_city":"Boulder","site_state":"CO","site_zip":80302,"site_phone":"303 555 0100","as_of":"2026-11-01","route":["sublingual lozenge"],"price":"medicine_session: $650-$850","accepting":true,"language":["English","Spanish"],"telehealth_in":["CO","Utah"],"error":"of last time","former":null}
` + "\n" + `{"id":"b","kind":"person","name":"Bob Example","colour":"red"}
{"id":"c","kind":"person","name":{"given":"Cy"}}
{"id":"d","kind":"person"
{"id":"e","kind":"person","name":"Eve Example"} x
{"id":"f","kind":"organization","name":"Example Clinic","listed_as":"clinic"}
`
	x := partnerFile(t, write(t, "partner.jsonl", lines))
	if x.err != nil || len(x.records) != 2 || len(x.rejects) != 4 {
		t.Fatalf("%v, %d records, %+v", x.err, len(x.records), x.rejects)
	}
	want := partnerFile(t, write(t, "partner.csv", rowsFile(aRow("", "")))).records[0].Listing
	if d := cmp.Diff(want, x.records[0].Listing); d != "" {
		t.Errorf("CSV and JSON differ:\n%s", d)
	}
	if x.records[1].Listing.ListedAs != directory.AsClinic {
		t.Errorf("organisation %+v", x.records[1].Listing)
	}
	for i, line := range []int{3, 4, 5, 6} {
		if x.rejects[i].Line != line {
			t.Errorf("reject %d is of line %d, want %d", i, x.rejects[i].Line, line)
		}
	}
}

// The template is read as a file without rows, and its header is every column there is.
func TestListingTemplate(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var b bytes.Buffer
		if err := ListingTemplate(&b, asJSON); err != nil {
			t.Fatal(err)
		}
		x := partnerFile(t, write(t, "template", b.String()))
		if x.err != nil || len(x.records)+len(x.rejects) != 0 {
			t.Errorf("the template alone: %v, %d records, %+v", x.err, len(x.records), x.rejects)
		}
		// Whoever takes the # away has a row that can be read.
		text := strings.Replace(b.String(), "# example", "example", 1)
		if x = partnerFile(t, write(t, "template", text)); x.err != nil || len(x.records) != 1 {
			t.Errorf("the example: %v, %+v", x.err, x.rejects)
		}
	}
	for _, f := range practiceFields {
		if columnAt(f) < 0 {
			t.Errorf("no column for the field %s", f)
		}
	}
	for _, c := range ListingColumns {
		if c.Write == "" || looseName(c.Name) == errorColumn {
			t.Errorf("column %q says %q", c.Name, c.Write)
		}
	}
}

// Rows that were not taken are written so that they can be read again as they are: with the same faults, and
// with none once they are corrected.
func TestRejectsComeBack(t *testing.T) {
	for _, file := range []struct{ name, content string }{
		{"p.csv", rowsFile(aRow("", ""), strings.Replace(aRow("site_state", "Colorade"), "a1,", "b,", 1), strings.Replace(aRow("site_city", "=HYPERLINK(1)"), "a1,", "c,", 1))},
		{"p.csv", "id;kind;name;site_state\r\na;person;Ada Example;CO\r\nb;person;Bob Example;Colorade\r\nc;person;=Cy;CO\r\n"},
		{"p.jsonl", `{"id":"a","kind":"person","name":"Ada Example"}` + "\n" + `{"id":"b","kind":"person","name":"Bob Example","site_state":"Colorade"}` + "\n" + `{"id":"c","kind":"person","name":"=Cy"}` + "\n"},
	} {
		x := partnerFile(t, write(t, file.name, file.content))
		if len(x.refused) != 2 {
			t.Fatalf("refused %+v, %v", x.refused, x.err)
		}
		var b bytes.Buffer
		w, err := NewRowWriter(&b, x.format, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range x.refused {
			if err := w.Write(r.Cells, r.Error); err != nil {
				t.Fatal(err)
			}
		}
		again := partnerFile(t, write(t, file.name, b.String()))
		if len(again.refused) != 2 || again.refused[0].Error != x.refused[0].Error || !slices.Equal(again.refused[1].Cells, x.refused[1].Cells) {
			t.Errorf("read again: %+v, want %+v", again.refused, x.refused)
		}
		fixed := strings.NewReplacer("Colorade", "Colorado", "'=HYPERLINK(1)", "Denver", "'=Cy", "Cy Example", "=Cy", "Cy Example").Replace(b.String())
		if done := partnerFile(t, write(t, file.name, fixed)); done.err != nil || len(done.records) != 2 || len(done.rejects) != 0 {
			t.Errorf("corrected: %v, %d records, %+v", done.err, len(done.records), done.rejects)
		}
	}
}

// Whatever stands in the cells of a row, it goes in or is written down so that it comes back the same.
func TestAnyRowComesBack(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		asJSON := rapid.Bool().Draw(t, "json")
		cells := make([]string, len(ListingColumns))
		cells[0], cells[1], cells[2] = "a1", "person", "Ada Example"
		for range rapid.IntRange(0, 5).Draw(t, "n") {
			i := rapid.IntRange(0, len(cells)-1).Draw(t, "column")
			cells[i] = plainCell(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"yes", "CO", "2138", "'x", "''1", "a|b", "\"", "LCSW #1", "900-01-2345"})).Draw(t, "value"))
		}
		if strings.HasPrefix(cells[0], "#") || cells[0] == "" {
			cells[0] = "a1"
		}
		for i := range cells {
			cells[i] = strings.TrimLeft(cells[i], "'")
		}
		var b bytes.Buffer
		w, err := NewRowWriter(&b, RowFormat{JSON: asJSON}, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(cells, "a reason"); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "p")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		rs, err := openCells(file{name: "p", size: int64(b.Len()), open: func() (io.ReadCloser, error) { return os.Open(path) }})
		if err != nil {
			t.Fatal(err)
		}
		defer rs.close()
		got, _, why, err := rs.next()
		if err != nil || why != "" || !slices.Equal(got, cells) {
			t.Fatalf("%q came back as %q: %s %v", cells, got, why, err)
		}
	})
}

func FuzzListingRows(f *testing.F) {
	f.Add([]byte(rowsFile(aRow("", ""), aRow("npi", "1"))))
	f.Add([]byte("\ufeffsep=;\r\nid;kind;name\r\n1;person;\"A B\r\n"))
	f.Add([]byte(`{"id":"a1","kind":"person","name":"Ada Example","price":["medicine_session: $1"],"licences":"LCSW #900-01-2345"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		var refused []RejectedRow
		src := ListingRows("kap-commons", func(_ RowFormat, r RejectedRow) error { refused = append(refused, r); return nil })
		m := &material{source: src.ID, name: "p.csv", size: int64(len(data))}
		m.info, _ = directory.Tables().Source(src.ID)
		m.files = []file{{name: "p.csv", size: m.size, open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}}
		o := Options{Now: day}.complete()
		w, err := src.open(context.Background(), m, o)
		if err != nil {
			return
		}
		sink := &memory{}
		x := &out{ctx: context.Background(), sink: sink, run: "run_1", rel: directory.Release{Source: src.ID, AsOf: "2026-11-23"}, opts: o}
		if err = w.read(context.Background(), x); err == nil {
			err = x.flush()
		}
		said, _ := json.Marshal([]any{sink.records, sink.rejects, refused, o.Report.Warnings})
		if err != nil {
			said = append(said, err.Error()...)
		}
		if directory.LooksLikeSSN(string(said)) {
			t.Errorf("what must not be held came through: %.2000s", said)
		}
		if len(refused) != len(sink.rejects) && len(sink.rejects) < len(refused) {
			t.Errorf("%d rows refused, %d in quarantine", len(refused), len(sink.rejects))
		}
	})
}

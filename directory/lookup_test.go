package directory

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	sheetProvider = ID("prv_0t4226zr07h84yxqc6vjzhw56g")
	sheetClaim    = ID("clm_0t4226zr07h84yxqc6vjzhw56g")
)

func sheetOf(rows ...SheetRow) Worksheet { return Worksheet{Source: "ca-dca", Rows: rows} }

func aRow() SheetRow {
	return SheetRow{Provider: sheetProvider, Claim: sheetClaim, Kind: License, Name: "=Dora \"Lane\", LMFT", Title: "LMFT", Number: "00123", Jurisdiction: "CA",
		SearchFor: []string{"00123", "Dora Lane"}, Due: "2026-11-20T10:00:00.000Z", Why: WhyNever, Revision: 12, URL: "https://search.dca.ca.gov/"}
}

// filled writes a worksheet, fills cells of its first row in, and returns the file.
func filled(t testing.TB, w Worksheet, cells ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := w.Write(&b); err != nil {
		t.Fatal(err)
	}
	raw := bytes.TrimPrefix(b.Bytes(), []byte(bom))
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(cells); i += 2 {
		at := slices.Index(rows[0], cells[i])
		if at < 0 {
			t.Fatalf("there is no column %s", cells[i])
		}
		rows[1][at] = cells[i+1]
	}
	b.Reset()
	b.WriteString(bom)
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var aFilledRow = []string{"looked_at", "2026-11-20 14:05 -08:00", "found", "yes", "status_words", "Current", "number", "'00123", "name_shown", "Dora Lane", "expires", "8/31/2027", "source_as_of", "2026-11-19", "note", "A, B"}

func TestWorksheetGoesAndComes(t *testing.T) {
	var b bytes.Buffer
	if err := sheetOf(aRow()).Write(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), bom+"source,provider,claim,kind,revision,name,title,licence_number,state,search_for,due,why,last_said,last_said_on,open_case,register,"+
		"looked_at,looked_by,found,status_words,number,name_shown,expires,issued,restrictions,source_as_of,note\r\n") || !strings.Contains(b.String(), `"'=Dora ""Lane"", LMFT",LMFT,'00123,CA`) {
		t.Errorf("%q", b.String())
	}
	got, err := ReadSheet(b.Bytes())
	if err != nil || got.Empty != 1 || len(got.Rows)+len(got.Wrong) != 0 {
		t.Errorf("an empty one: %+v %v", got, err)
	}
	got, err = ReadSheet(filled(t, sheetOf(aRow()), aFilledRow...))
	if err != nil || len(got.Rows) != 1 || len(got.Wrong) != 0 {
		t.Fatalf("%+v %v", got, err)
	}
	x := got.Rows[0]
	x.Cells = nil
	want := LookUp{Line: 2, Source: "ca-dca", Provider: sheetProvider, Claim: sheetClaim, Kind: License, Revision: 12, At: "2026-11-20T22:05:00.000Z", LookedAt: "2026-11-20 14:05 -08:00", Found: "yes",
		Words: "Current", Number: "00123", Name: "Dora Lane", Expires: "2027-08-31", SourceAsOf: "2026-11-19", Note: "A, B"}
	if fmt.Sprintf("%+v", x) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v\nwant %+v", x, want)
	}
}

func TestReadSheetRefuses(t *testing.T) {
	with := func(cells ...string) []byte {
		return filled(t, sheetOf(aRow()), append(slices.Clone(aFilledRow), cells...)...)
	}
	for _, c := range []struct {
		name  string
		raw   []byte
		field string
	}{
		{"no zone", with("looked_at", "2026-11-20 14:05"), "looked_at"},
		{"no time", with("looked_at", "2026-11-20"), "looked_at"},
		{"no such place", with("looked_at", "2026-11-20 14:05 America/Nowhere"), "looked_at"},
		{"a path for a place", with("looked_at", "2026-11-20 14:05 ../../etc/passwd"), "looked_at"},
		{"neither yes nor no", with("found", "perhaps"), "found"},
		{"no, and a status", with("found", "no"), "found"},
		{"could not, and a status", with("found", "could_not_look"), "found"},
		{"no words", with("status_words", ""), "status_words"},
		{"no name", with("name_shown", ""), "name_shown"},
		{"no number", with("number", ""), "number"},
		{"a day that is none", with("expires", "2027-02-30"), "expires"},
		{"a day in words", with("issued", "last year"), "issued"},
		{"a day before years", with("issued", "1/2/0"), "issued"},
		{"a formula", with("status_words", `=HYPERLINK("x")`), "status_words"},
		{"another formula", with("note", "@SUM(A1)"), "note"},
		{"a minus", with("note", "-1+2"), "note"},
		{"an SSN", with("note", "it says 123-45-6789"), "note"},
		{"an SSN marked as text", with("restrictions", "'123-45-6789"), "restrictions"},
		{"too much", with("note", strings.Repeat("x", cellMost+1)), "note"},
		{"a bell", with("note", "a\abc"), "note"},
		{"another provider", with("provider", "prv_x"), "provider"},
		{"another claim", with("claim", "prv_0t4226zr07h84yxqc6vjzhw56g"), "claim"},
		{"another revision", with("revision", "-1"), "revision"},
	} {
		got, err := ReadSheet(c.raw)
		if err != nil || len(got.Rows) != 0 || len(got.Wrong) != 1 || got.Wrong[0].Field != c.field || got.Wrong[0].Line != 2 || got.Wrong[0].Reason == "" {
			t.Errorf("%s: %+v %v", c.name, got, err)
			continue
		}
		// The file of what was not taken is a worksheet, too, and holds nothing that must not be held.
		var b bytes.Buffer
		if err := WriteWrong(&b, got.Wrong); err != nil || LooksLikeSSN(b.String()) {
			t.Errorf("%s: %v %s", c.name, err, b.String())
		}
		if again, err := ReadSheet(b.Bytes()); err != nil || len(again.Rows)+len(again.Wrong)+again.Empty != 1 {
			t.Errorf("%s: what was not taken reads as %+v %v", c.name, again, err)
		}
	}
	list := aRow()
	list.Kind = ExclusionScreen
	got, err := ReadSheet(filled(t, sheetOf(list), "looked_at", "2026-11-20T14:05Z", "found", "no"))
	if err != nil || len(got.Wrong) != 1 || got.Wrong[0].Field != "source_as_of" {
		t.Errorf("a list of no day: %+v %v", got, err)
	}
	for name, raw := range map[string][]byte{"empty": []byte(" \n"), "another file": []byte("a,b\n1,2\n"), "no text": {0xff, 0xfe}, "a NUL": []byte("source\x00"), "too large": make([]byte, SheetMost+1),
		"a column twice": []byte(strings.Join(append(SheetColumns(), "found"), ",") + "\n"), "with semicolons": []byte(strings.Join(SheetColumns(), ";") + "\n")} {
		if _, err := ReadSheet(raw); KindOf(err) != Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := string(with())
	broken, err := ReadSheet([]byte(good + "a \"b\" c,,\n" + strings.TrimPrefix(good[strings.Index(good, "\n")+1:], bom)))
	if err != nil || len(broken.Rows) != 2 || len(broken.Wrong) != 1 {
		t.Errorf("a broken row between two: %+v %v", broken, err)
	}
}

func TestParseLookedAt(t *testing.T) {
	for s, want := range map[string]Instant{
		"2026-11-20T14:05-08:00":               "2026-11-20T22:05:00.000Z",
		"2026-11-20 14:05:30 -0800":            "2026-11-20T22:05:30.000Z",
		"2026-11-20 14:05Z":                    "2026-11-20T14:05:00.000Z",
		"2026-11-20 14:05 America/Los_Angeles": "2026-11-20T22:05:00.000Z",
		"2026-07-20 14:05 America/Los_Angeles": "2026-07-20T21:05:00.000Z",
		"2026-11-20 14:05 PST":                 "",
		"2026-11-20":                           "",
		"":                                     "",
	} {
		if got, err := ParseLookedAt(s); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", s, got, err, want)
		}
	}
}

// Whatever a file holds, nothing that must not be held comes out of it, and what comes out is complete.
func FuzzReadSheet(f *testing.F) {
	f.Add(filled(f, sheetOf(aRow()), aFilledRow...))
	f.Add(filled(f, sheetOf(aRow(), aRow()), "found", "no", "looked_at", "2026-11-20T14:05Z"))
	f.Add([]byte(strings.Join(SheetColumns(), ",") + "\r\n=1,\"a\nb\",,,\r\n"))
	f.Add([]byte("source,found\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := ReadSheet(raw)
		if err != nil {
			if KindOf(err) != Invalid {
				t.Fatal(err)
			}
			return
		}
		for _, x := range got.Rows {
			if x.Line < 2 || x.Provider == "" || x.At == "" || x.Found == "yes" && x.Name == "" || !slices.Contains([]string{"yes", "no", "could_not_look"}, x.Found) {
				t.Fatalf("%+v", x)
			}
			for _, cell := range []string{x.Words, x.Number, x.Name, x.Restrictions, x.Note, x.By, x.LookedAt} {
				if LooksLikeSSN(cell) || len(cell) > cellMost {
					t.Fatalf("%q was taken", cell)
				}
			}
		}
		var b bytes.Buffer
		if err := WriteWrong(&b, got.Wrong); err != nil {
			t.Fatal(err)
		}
		for _, w := range got.Wrong {
			if w.Reason == "" || LooksLikeSSN(fmt.Sprint(w.Cells)) {
				t.Fatalf("%+v", w)
			}
		}
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b.Bytes(), []byte(bom)))).ReadAll()
		if err != nil || len(rows) != len(got.Wrong)+1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for _, row := range rows[1:] {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Fatalf("a formula: %q", cell)
				}
			}
		}
	})
}

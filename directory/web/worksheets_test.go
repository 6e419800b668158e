package web

import (
	"bytes"
	"encoding/csv"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
)

// bring posts a worksheet as the form of its page does.
func (d *deskTrial) bring(who, token, do, field string, raw []byte) reply {
	d.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if token != "" {
		_ = w.WriteField("token", token)
	}
	if field == "file" {
		f, _ := w.CreateFormFile("file", "sheet.csv")
		_, _ = f.Write(raw)
	} else {
		_ = w.WriteField(field, string(raw))
	}
	_ = w.WriteField("do", do)
	w.Close()
	req := httptest.NewRequest(http.MethodPost, "/staff/worksheets", &b)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Cookie", sessionCookie+"="+who)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := d.s.App().Test(req, 20_000)
	if err != nil && strings.Contains(err.Error(), "body size exceeds") {
		return reply{Response: &http.Response{StatusCode: http.StatusRequestEntityTooLarge}}
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return read(d.t, res)
}

// sheetCells reads a worksheet that was exported, and fills cells of a row in.
func sheetCells(t *testing.T, raw string) (rows [][]string, fill func(row int, cells ...string) []byte) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(raw, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows, func(row int, cells ...string) []byte {
		for i := 0; i+1 < len(cells); i += 2 {
			at := slices.Index(rows[0], cells[i])
			if at < 0 {
				t.Fatalf("no column %s", cells[i])
			}
			rows[row][at] = cells[i+1]
		}
		var b bytes.Buffer
		_ = csv.NewWriter(&b).WriteAll(rows)
		return b.Bytes()
	}
}

func TestStaffWorksheets(t *testing.T) {
	d := newTrial(t)
	page := d.get("vera", "/staff/worksheets")
	doc := d.page(page)
	if page.StatusCode != 200 || doc.Find(`a[href="/staff/worksheets/ca-dca"]`).Length() != 1 || doc.Find(`form[action="/staff/worksheets"]`).Length() != 0 {
		t.Errorf("a viewer reads %d %s", page.StatusCode, text(doc.Find("main").Text()))
	}
	words := text(doc.Find("main").Text())
	for _, want := range []string{"waits for an import", "reads the release that is loaded", "No policy approves a source", "the provider, their prescriber or the programme is asked"} {
		if !strings.Contains(words, want) {
			t.Errorf("it does not say %q: %s", want, words)
		}
	}
	doc = d.page(d.get("rowan", "/staff/worksheets/ca-dca?until=2027-01-31"))
	rows := doc.Find("tbody tr").Length()
	if rows < 10 || doc.Find(`tbody a[href="https://search.dca.ca.gov/"]`).Length() != rows || doc.Find(`a[href*="csv=1"]`).Length() != 1 {
		t.Fatalf("%d rows: %s", rows, text(doc.Find("main").Text()))
	}
	for path, want := range map[string]int{"/staff/worksheets/nowhere": 404, "/staff/worksheets/ca-dca?until=soon": 400, "/staff/worksheets/co-dora": 200, "/staff/worksheets/ca-dca?state=TX": 200} {
		if r := d.get("rowan", path); r.StatusCode != want {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if n := d.page(d.get("rowan", "/staff/worksheets/ca-dca?state=TX&until=2027-01-31")).Find("tbody tr").Length(); n != 0 {
		t.Errorf("%d rows of another state", n)
	}
	file := d.get("vera", "/staff/worksheets/ca-dca?csv=1&until=2027-01-31")
	cells, fill := sheetCells(t, file.body)
	if len(cells) != rows+1 || !strings.HasPrefix(file.Header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("%d rows as CSV: %v", len(cells), file.Header)
	}
	number := strings.TrimPrefix(cells[1][slices.Index(cells[0], "licence_number")], "'")
	who, provider := cells[1][slices.Index(cells[0], "name")], directory.ID(cells[1][slices.Index(cells[0], "provider")])
	fill(1, "looked_at", string(d.now), "found", "yes", "status_words", "Revoked", "number", number, "name_shown", who, "note", "</textarea><script>")
	raw := fill(2, "looked_at", "yesterday", "found", "no")
	for _, c := range []struct {
		name, who, token string
		raw              []byte
		want             int
	}{
		{"without a token", "rowan", "", raw, 403},
		{"by a viewer", "vera", tokenOf("vera"), raw, 403},
		{"by an admin", "adan", tokenOf("adan"), raw, 403},
		{"another file", "rowan", tokenOf("rowan"), []byte("a,b\n"), 400},
		{"too much", "rowan", tokenOf("rowan"), make([]byte, directory.SheetMost+1), 400},
		{"far too much", "rowan", tokenOf("rowan"), make([]byte, sheetBody+1), 413},
	} {
		if r := d.bring(c.who, c.token, "preview", "file", c.raw); r.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, r.StatusCode, c.want)
		}
	}
	public := func() string { return get(t, d.s, "/api/v1/providers/"+string(provider)).body }
	before := public()
	preview := d.page(d.bring("rowan", tokenOf("rowan"), "preview", "file", raw))
	said := text(preview.Find("main").Text())
	if !strings.Contains(said, "1 rows would be recorded") || !strings.Contains(said, "1 would not be taken") || !strings.Contains(said, "looked_at") || !strings.Contains(said, "under review") || public() != before {
		t.Fatalf("beforehand: %s", said)
	}
	carried, _ := preview.Find(`input[name="text"]`).Attr("value")
	rejects := d.bring("rowan", tokenOf("rowan"), "rejects", "text", []byte(carried))
	if wrong, _ := sheetCells(t, rejects.body); len(wrong) != 2 || !slices.Contains(wrong[0], "error") || !slices.Contains(wrong[1], "yesterday") {
		t.Errorf("what was not taken: %s", rejects.body)
	}
	done := d.page(d.bring("rowan", tokenOf("rowan"), "apply", "text", []byte(carried)))
	if href, _ := done.Find(`a[href^="/staff/cases/cas_"]`).Attr("href"); href == "" || d.get("imani", href).StatusCode != 200 {
		t.Errorf("afterwards: %s", text(done.Find("main").Text()))
	}
	if public() == before {
		t.Error("the public answer stays as it was")
	}
	again := text(d.page(d.bring("pat", tokenOf("pat"), "apply", "file", raw)).Find("main").Text())
	if !strings.Contains(again, "0 rows were recorded, 1 were brought in before") {
		t.Errorf("again: %s", again)
	}
	fill(1, "status_words", "Current")
	if stale := text(d.page(d.bring("pat", tokenOf("pat"), "preview", "file", fill(1, "note", ""))).Find("main").Text()); !strings.Contains(stale, "since you looked") {
		t.Errorf("a stale row: %s", stale)
	}
}

package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kapdir/directory"
)

// takeSheet takes the worksheet of California's register from its page, and returns it with what fills a row in.
func (v *visitor) takeSheet() (rows [][]string, cell func(row int, column string) *string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.origin() + "/staff/worksheets"))
	v.until(`document.querySelector("a[href='/staff/worksheets/ca-dca']") !== null`)
	js[bool](v, `document.querySelector("a[href='/staff/worksheets/ca-dca']").click(); true`)
	v.until(`document.querySelector("a[href*='csv=1']") !== null`)
	raw := js[string](v, `fetch(document.querySelector("a[href*='csv=1']").href).then((r) => r.text())`)
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(raw, "\ufeff"))).ReadAll()
	if err != nil || len(rows) < 4 {
		v.t.Fatalf("%v, %d rows: %.200s", err, len(rows), raw)
	}
	return rows, func(row int, column string) *string {
		at := slices.Index(rows[0], column)
		if at < 0 {
			v.t.Fatalf("no column %s", column)
		}
		return &rows[row][at]
	}
}

// uploadSheet brings the rows to the page that says what each would do.
func (v *visitor) uploadSheet(rows [][]string) {
	v.t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		v.t.Fatal(err)
	}
	path := filepath.Join(v.t.TempDir(), "sheet.csv")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		v.t.Fatal(err)
	}
	v.do(chromedp.Navigate(v.origin()+"/staff/worksheets"), chromedp.SetUploadFiles("#file", []string{path}))
	js[bool](v, `document.querySelector("button[value=preview]").click(); true`)
	v.until(`document.querySelector("p[role=status]") !== null`)
}

// someLookUps fills three rows in: what stands against somebody, that nobody was found, and one that is wrong.
func (v *visitor) someLookUps() (rows [][]string, about, claim directory.ID) {
	v.t.Helper()
	rows, cell := v.takeSheet()
	*cell(1, "looked_at"), *cell(1, "found"), *cell(1, "status_words") = "2026-11-16 06:30 America/Los_Angeles", "yes", "Suspended"
	*cell(1, "number"), *cell(1, "name_shown") = *cell(1, "licence_number"), *cell(1, "name")
	*cell(2, "looked_at"), *cell(2, "found") = "2026-11-16 06:31 -08:00", "no"
	*cell(3, "looked_at"), *cell(3, "found") = "this morning", "no"
	return rows, directory.ID(*cell(1, "provider")), directory.ID(*cell(1, "claim"))
}

// worksheetByHand takes a worksheet out, fills it in and brings it back: the public page changes with it, and the same
// file again changes nothing.
func worksheetByHand(t *testing.T, s *server, state string, v *visitor) {
	rows, about, claim := v.someLookUps()
	public := func() string {
		_, body, _ := s.get(t, "/api/v1/providers/"+string(about))
		return standingOf(t, body, claim)
	}
	before := public()
	v.uploadSheet(rows)
	if says := v.text("p[role=status]"); !strings.Contains(says, "2 rows would be recorded") || !strings.Contains(says, "1 would not be taken") || public() != before {
		t.Fatalf("beforehand: %s; the public reads %q", says, public())
	}
	js[bool](v, `document.querySelector("button[value=apply]").click(); true`)
	v.until(`document.querySelector("p.done") !== null`)
	done := time.Now()
	for public() != "under_review" {
		if time.Since(done) > 2*time.Second {
			t.Fatalf("two seconds later the public reads %q, before %q", public(), before)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if js[string](v, `document.querySelector("a[href^='/staff/cases/cas_']")?.textContent ?? ""`) == "" {
		t.Error("no case is named")
	}
	// The same file from a terminal appends nothing, and what was not taken is written beside it.
	var b bytes.Buffer
	_ = csv.NewWriter(&b).WriteAll(rows)
	file := filepath.Join(t.TempDir(), "sheet.csv")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	again := func(args ...string) (out, errs string, status int) {
		return inside(t, append([]string{"worksheets", "import", file, "--state", state, "--now", demoNow}, args...)...)
	}
	if _, errs, status := again(); status != exitUsage || !strings.Contains(errs, "--as") {
		t.Errorf("by nobody: %d %s", status, errs)
	}
	if out, errs, status := again("--as", "staff-imani", "--dry-run"); status != exitRejected || !strings.Contains(out, "Would record 0, brought in before 2") {
		t.Errorf("a dry run: %d %s %s", status, out, errs)
	}
	out, errs, status := again("--as", "staff-imani")
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(file), "sheet.rejects.csv"))
	if status != exitRejected || !strings.Contains(out, "Recorded 0, brought in before 2") || err != nil || !strings.Contains(string(raw), "looked_at") || !strings.Contains(string(raw), "this morning") {
		t.Errorf("again: %d %s %s; %v %s", status, out, errs, err, raw)
	}
	list := asked[directory.Worksheets](t, "worksheets", "list", "--state", state, "--now", demoNow)
	if len(list.Sheets) == 0 || len(list.Program) == 0 || len(list.Left) == 0 {
		t.Errorf("%+v", list)
	}
	sheet := asked[directory.Worksheet](t, "worksheets", "export", "ca-dca", "--state", state, "--now", demoNow)
	if i := slices.IndexFunc(sheet.Rows, func(r directory.SheetRow) bool { return r.Claim == claim }); i < 0 || sheet.Rows[i].Due < "2026-12-10" || sheet.Rows[i].Said != directory.SeenSuspended || sheet.Rows[i].Case == "" {
		t.Errorf("what was looked up: %d of %+v", i, sheet.Rows)
	}
}

package web

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

// The audit page of a day says of each check what the API said on that day; and what a staff member decided is
// theirs alone, on the page and as CSV.
func TestDeskAudit(t *testing.T) {
	d := newTrial(t)
	x := d.first(directory.CaseFirst)
	id := x.Provider.ID
	for _, day := range []string{"2026-11-15", ""} {
		r := d.get("vera", "/staff/audit/provider?who="+string(id)+"&at="+day)
		if r.StatusCode != 200 {
			t.Fatalf("%s: %d %s", day, r.StatusCode, r.body)
		}
		at := d.now
		if day != "" {
			at = directory.Instant(day + "T23:59:59.999Z")
		}
		f, err := d.store.Whole(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		known := at
		if day == "" {
			head, _ := d.store.Head(t.Context())
			known = max(at, head.RecordedAt)
		}
		var read []string
		d.page(r).Find(`section:has(h2:contains("What the public read")) tbody tr`).Each(func(_ int, tr *goquery.Selection) { read = append(read, text(tr.Find("td").Last().Text())) })
		said := Published(f, "", at, known, d.s.cfg.Policies)
		if Stated(f, at, known, d.s.cfg.Policies) && len(read) != 5 {
			t.Errorf("%s: %d sentences", day, len(read))
		}
		for i, s := range read {
			if s != text(said.Checks[i].Sentence) {
				t.Errorf("%s: the page says %q, the public read %q", day, s, said.Checks[i].Sentence)
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(d.get("vera", "/staff/audit/member?name=staff-rowan&from=2026-01-01&csv=1").body)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("what rowan decided: %d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		if row[3] != "staff-rowan" {
			t.Errorf("not theirs: %q", row)
		}
	}
	one, two := d.get("vera", "/staff/audit/integrity?seed=a&sample=7&from=2026-01-01").body, d.get("imani", "/staff/audit/integrity?seed=a&sample=7&from=2026-01-01").body
	ids := func(body string) (out []string) {
		doc, _ := goquery.NewDocumentFromReader(strings.NewReader(body))
		doc.Find(`section:has(h2:contains("Sample")) tbody tr`).Each(func(_ int, tr *goquery.Selection) { out = append(out, tr.Find("td").First().Text()) })
		return out
	}
	if a, b := ids(one), ids(two); len(a) != 7 || strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("the same seed draws %v and %v", a, b)
	}
	for path, want := range map[string]string{"/staff/audit": "Monitoring report", "/staff/audit/monitoring?month=2026-11": "Releases that were read", "/staff/metrics": "Checked within policy"} {
		if r := d.get("vera", path); r.StatusCode != 200 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	for _, path := range []string{"/staff/audit/provider?who=x", "/staff/audit/provider?who=" + string(id) + "&at=x", "/staff/audit/monitoring?month=x", "/staff/audit/integrity?seed="} {
		if r := d.get("vera", path); r.StatusCode != 400 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

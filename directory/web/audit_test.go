package web

import (
	"encoding/csv"
	"maps"
	"net/url"
	"regexp"
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
		known := at
		if day == "" {
			head, _ := d.store.Head(t.Context())
			known = max(at, head.RecordedAt)
		}
		past, err := d.store.Past(t.Context(), id, known)
		if err != nil {
			t.Fatal(err)
		}
		f := past.File
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
	// What they took, filed and wrote down, and their reviews, are in what is told of them and of the period.
	path := "/staff/cases/" + string(x.Case.ID)
	d.post("rowan", path+"/hold", url.Values{"do": {"take"}})
	if r := d.post("rowan", path+"/contact", url.Values{"method": {"mail"}, "spoke_to": {"The clerk"}, "contact": {"clerk@board.example"}, "number_from": {"the board's page"}, "said": {"It is active."}, "held": {"2026-11-12T15:30"}}); r.StatusCode != 303 {
		t.Fatalf("a mail: %d %s", r.StatusCode, text(d.page(r).Find(".wrong").Text()))
	}
	d.foretold(x.Case.ID, "rowan", "return", nil)
	for path, want := range map[string]string{
		"/staff/audit/member?name=rowan&csv=1":       "returned event",
		"/staff/audit/member?name=rowan&csv=2":       "wrote a mail down",
		"/staff/audit/integrity?seed=S 1/x&csv=2":    "rowan returned event",
		"/staff/audit/integrity?seed=S 1/x&csv=3":    "rowan,took the case",
		"/staff/audit/member?name=staff-rowan&csv=1": "confirmed event",
	} {
		r := d.get("vera", strings.ReplaceAll(path, " ", "+")+"&from=2026-01-01")
		name, ok := strings.CutPrefix(r.Header.Get("Content-Disposition"), "attachment; filename=\"kapdir-")
		if !strings.Contains(r.body, want) || !ok || !regexp.MustCompile(`^(member-(staff-)?rowan|integrity-s-1-x)-2026-01-01-2026-11-\d\d-(decisions|acts|modifications)\.csv"$`).MatchString(name) {
			t.Errorf("%s: %q does not say %q", path, name, want)
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

// Whoever was hidden is found at the desk and shown again; what the public read on the day before, on the day and since
// is told of each; a day that has not come is refused.
func TestDeskWayBack(t *testing.T) {
	d := newTrial(t)
	x := d.first(directory.CaseFirst)
	id := x.Provider.ID
	page, name := "/staff/providers/"+string(id), x.Provider.DisplayName()
	do := func(who, what string) reply {
		t.Helper()
		form := d.page(d.get(who, page)).Find(`form:has(button[name="do"][value="` + what + `"])`)
		v := url.Values{"do": {what}, "note": {"a reason"}}
		for _, f := range []string{"seen", "of"} {
			v.Set(f, form.Find(`input[name="`+f+`"]`).AttrOr("value", ""))
		}
		return d.post(who, page, v)
	}
	if r := do("rowan", "withdraw_file"); r.StatusCode != 403 || d.publicLines(id) == nil {
		t.Errorf("a verifier hides a provider: %d", r.StatusCode)
	}
	before := d.publicLines(id)
	if r := do("imani", "withdraw_file"); r.StatusCode != 303 || d.publicLines(id) != nil {
		t.Fatalf("hiding: %d %s", r.StatusCode, r.body)
	}
	if doc := d.page(d.get("vera", "/staff")); doc.Find(`a[href="`+page+`"]`).Length() != 1 || doc.Find(`a[href^="/staff/cases?kind="]`).Length() < 3 {
		t.Error("the first page of the desk does not name who is hidden, or counts nothing")
	}
	if doc := d.page(d.get("imani", "/staff/cases/"+string(x.Case.ID))); doc.Find(`a[href="`+page+`"]`).Length() == 0 {
		t.Error("their case does not lead to them")
	}
	audit := func(day string) string {
		t.Helper()
		r := d.get("vera", "/staff/audit/provider?who="+string(id)+"&at="+day)
		if r.StatusCode != 200 {
			t.Fatalf("audit of %s: %d", day, r.StatusCode)
		}
		return text(d.page(r).Find("main").Text())
	}
	if now := audit(""); !strings.Contains(now, "There was no public page") {
		t.Errorf("hidden, and the audit says %s", now)
	}
	yesterday := string(directory.At(d.now.Time().AddDate(0, 0, -1)).Date())
	if was := audit(yesterday); !strings.Contains(was, "What the public read") {
		t.Errorf("of the day before the audit says %s", was)
	}
	form := d.page(d.get("imani", page)).Find(`form:has(button[value="restore_file"])`)
	if form.Length() != 1 || !strings.Contains(form.Text(), "It is a new page") && !strings.Contains(form.Text(), "Show what public pages would say") {
		t.Errorf("there is no way back, or it is not foretold: %s", text(form.Text()))
	}
	if r := do("imani", "restore_file"); r.StatusCode != 303 {
		t.Fatalf("showing again: %d %s", r.StatusCode, text(d.page(r).Find(".wrong").Text()))
	}
	if after := d.publicLines(id); !maps.Equal(after, before) {
		t.Errorf("%s is shown again otherwise:\n%v\nwas\n%v", name, after, before)
	}
	if strings.Contains(d.get("vera", "/staff").body, page) {
		t.Error("who is shown again is still called hidden")
	}
	tomorrow := string(directory.At(d.now.Time().AddDate(0, 0, 1)).Date())
	for _, path := range []string{"/staff/audit/provider?who=" + string(id) + "&at=" + tomorrow, "/staff/audit/integrity?seed=a&to=" + tomorrow, "/staff/audit/monitoring?month=2031-01"} {
		if r := d.get("vera", path); r.StatusCode != 400 || !strings.Contains(r.body, "has not come yet") {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	// Two that are one: whose page leads to whose, and that it did not before.
	pairs, err := d.store.List(t.Context(), directory.CaseFilter{Kind: directory.CaseDuplicate, Limit: 20}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range pairs.Cases {
		x := d.dossier(q.ID)
		if x.Need.Approvals != 2 {
			continue
		}
		d.foretold(q.ID, "rowan", "same", nil)
		d.foretold(q.ID, "imani", "same", nil)
		gone, root := max(q.Provider, x.Others[0].ID), min(q.Provider, x.Others[0].ID)
		id, page = gone, "/staff/providers/"+string(root)
		if now := audit(""); !strings.Contains(now, "it led to that of "+string(root)) {
			t.Errorf("merged, and the audit says %s", now)
		}
		if was := audit(yesterday); strings.Contains(was, "it led to that of") || !strings.Contains(was, "What the public read") {
			t.Errorf("of the day before they were merged the audit says %s", was)
		}
		id = root
		if now := audit(""); !strings.Contains(now, "They stood for "+string(gone)) {
			t.Errorf("of the survivor the audit says %s", now)
		}
		if was := audit(yesterday); strings.Contains(was, string(gone)) {
			t.Errorf("of the survivor's day before it says %s", was)
		}
		return
	}
	t.Error("no two are to be joined")
}

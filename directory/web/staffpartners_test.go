package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

// An admin who proved who they are makes, rotates and ends what a partner has; a key stands on one page once. Everybody
// on staff sees the rest, and nobody else changes it.
func TestPartnersAtDesk(t *testing.T) {
	ctx := context.Background()
	w := newGate(t)
	w.cfg.Desk = w.store
	p := w.person("admin")
	p.enrol()
	const page = "/staff/partners/acme"
	post := func(status int, to string, fields ...string) *goquery.Document {
		t.Helper()
		r, d := p.post(to, fields...)
		if r.StatusCode != status {
			t.Fatalf("%v: %d, want %d: %s", fields, r.StatusCode, status, d.Find("main").Text())
		}
		return d
	}
	post(303, "/staff/partners", "id", "acme", "name", "Acme <b>Health</b>", "contact", "dev@acme.example", "origins", "https://acme.example\nhttp://localhost:8000\n")
	for _, x := range []struct {
		says   string
		fields []string
	}{
		{"There is a partner acme already", []string{"id", "acme", "name", "Another"}},
		{"small letters", []string{"id", "Acme", "name", "Another"}},
		{"it must be https", []string{"id", "beta", "name", "Beta", "origins", "http://beta.example"}},
		{"what the partner is called", []string{"id", "beta", "name", " "}},
	} {
		d := post(400, "/staff/partners", x.fields...)
		if got := d.Find(".wrong").Text(); !strings.Contains(got, x.says) || d.Find("#id").AttrOr("value", "") != x.fields[1] {
			t.Errorf("%v: %q, and the form has %q", x.fields, got, d.Find("#id").AttrOr("value", ""))
		}
	}
	d := post(200, page, "do", "key", "name", "site", "scope", "changes read", "per_minute", "30", "days", "10")
	text := d.Find("#key").Text()
	id, secret, err := directory.ParseKeyText(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	k, _, ok, err := w.store.APIKey(ctx, id, secret, w.at)
	if err != nil || !ok || k.PerMinute != 30 || directory.JoinScopes(k.Scopes) != "read changes" || k.Expires != w.at.AddDays(10) || k.CreatedBy != "admin" {
		t.Errorf("%+v %v %v", k, ok, err)
	}
	if r, d := p.get(page); strings.Contains(r.body, secret) || !strings.Contains(d.Find("table").First().Text(), string(id)) {
		t.Error("the page shows the secret again, or not the key")
	}
	for _, x := range []struct {
		says   string
		fields []string
	}{
		{"without a scope", []string{"do", "key", "name", "x", "per_minute", "30", "days", "10"}},
		{"no scope", []string{"do", "key", "name", "x", "scope", "write", "per_minute", "30", "days", "10"}},
		{"1 to 6000", []string{"do", "key", "name", "x", "scope", "read", "per_minute", "0", "days", "10"}},
		{"whole number", []string{"do", "key", "name", "x", "scope", "read", "per_minute", "many", "days", "10"}},
		{"1 to 730 days", []string{"do", "key", "name", "x", "scope", "read", "per_minute", "30", "days", "731"}},
		{"0 to 30 days", []string{"do", "rotate", "id", string(id), "overlap", "31"}},
		{"no key", []string{"do", "rotate", "id", "key_00000000000000000000000009", "overlap", "7"}},
		{"no key", []string{"do", "end-key", "id", "key_00000000000000000000000009"}},
		{"alone", []string{"do", "origins", "origins", "https://acme.example/page"}},
		{"state", []string{"do", "embed", "name", "x", "query", "state=Atlantis", "theme", "auto", "language", "en"}},
		{"No provider", []string{"do", "embed", "name", "x", "provider", "prv_00000000000000000000000009", "theme", "auto", "language", "en"}},
		{"write acme", []string{"do", "end", "confirm", "Acme"}},
	} {
		if got := post(400, page, x.fields...).Find(".wrong").Text(); !strings.Contains(strings.ToLower(got), strings.ToLower(x.says)) {
			t.Errorf("%v: %q", x.fields, got)
		}
	}
	if d := post(400, page, "do", "origins", "origins", "ftp://acme.example"); d.Find("#origins").Text() != "ftp://acme.example" || d.Find("details[open]").Length() != 1 {
		t.Error("what was typed does not stand in its form again")
	}
	post(403, page, "do", "nonsense")
	post(404, "/staff/partners/nobody", "do", "end-key", "id", string(id))
	next := post(200, page, "do", "rotate", "id", string(id), "overlap", "7").Find("#key").Text()
	nextID, nextSecret, err := directory.ParseKeyText(next)
	if err != nil || nextID == id {
		t.Errorf("%q: %v", next, err)
	}
	post(200, page, "do", "end-key", "id", string(nextID))
	if _, _, ok, _ := w.store.APIKey(ctx, nextID, nextSecret, w.at); ok {
		t.Error("a key that was ended is good")
	}
	if _, _, ok, _ := w.store.APIKey(ctx, id, secret, w.at); !ok {
		t.Error("a key in its overlap is not good")
	}
	post(200, page, "do", "origins", "origins", "https://www.acme.example")
	d = post(200, page, "do", "embed", "name", "near you", "query", "?state=CA&care=full_kap", "theme", "dark", "language", "es")
	if !strings.Contains(d.Find("main").Text(), "results of ?state=CA&care=full_kap") {
		t.Error("the embed is not shown")
	}
	embed := must(w.store.Embeds(ctx, "acme"))[0]
	post(200, page, "do", "end-embed", "id", string(embed.ID))
	if err := w.store.AddKeyUsage(ctx, []directory.KeyUsage{{Key: id, Day: w.at.Date(), Route: "/api/v1/sources", Count: 41, Refused: 3}, {Key: id, Day: w.at.Date(), Route: "/api/v1/suggest", Count: 1}}); err != nil {
		t.Fatal(err)
	}
	// Everybody on staff sees it, without forms; nobody but an admin changes it, and an admin not without a proof.
	for _, name := range []string{"view", "verify", "approve"} {
		q := w.person(name)
		q.enrol()
		r, d := q.get(page)
		if r.StatusCode != 200 || d.Find("main form, main details").Length() > 0 || !strings.Contains(d.Find("main").Text(), "/api/v1/sources 41, /api/v1/suggest 1") || !strings.Contains(d.Find("main").Text(), "42") {
			t.Errorf("%s: %d, %d forms", name, r.StatusCode, d.Find("main form").Length())
		}
		if r, d := q.get("/staff/partners"); r.StatusCode != 200 || d.Find("main form").Length() > 0 || d.Find("main tbody th").Text() != "Acme <b>Health</b>" {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
		for _, to := range []string{page, "/staff/partners"} {
			if r, _ := q.post(to, "do", "end", "confirm", "acme", "id", "beta", "name", "Beta"); r.StatusCode != 403 {
				t.Errorf("%s changes %s: %d", name, to, r.StatusCode)
			}
		}
	}
	p.later(directory.SessionProof)
	if r, d := p.get(page); r.StatusCode != 200 || d.Find("main form").Length() > 0 || d.Find(`main a[href="/staff/prove?for=%2fstaff%2fpartners%2facme"]`).Length() != 1 {
		t.Errorf("an admin of a while ago: %d, %d forms", r.StatusCode, d.Find("main form").Length())
	}
	if r, _ := p.post(page, "do", "end", "confirm", "acme"); r.StatusCode != 403 {
		t.Errorf("an admin of a while ago: %d", r.StatusCode)
	}
	if x := must(w.store.Integrator(ctx, "acme")); x.State != directory.IntegratorActive || len(must(w.store.Integrators(ctx))) != 1 {
		t.Errorf("%+v", x)
	}
	p.enrol()
	d = post(200, page, "do", "end", "confirm", "acme")
	if x := must(w.store.Integrator(ctx, "acme")); x.State != directory.IntegratorEnded || d.Find("main form").Length() > 0 {
		t.Errorf("%+v, %d forms", x, d.Find("main form").Length())
	}
	if _, _, ok, _ := w.store.APIKey(ctx, id, secret, w.at); ok {
		t.Error("a key of a partner that ended is good")
	}
	for _, target := range []string{"/staff/partners/nobody", "/staff/partners/A", "/staff/partners/acme%27"} {
		if r, _ := p.get(target); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", target, r.StatusCode)
		}
	}
	for _, a := range must(w.store.StaffAudit(ctx, "", 1000)) {
		if strings.Contains(a.Detail, secret) || strings.Contains(a.Detail, nextSecret) {
			t.Errorf("the audit holds a secret: %+v", a)
		}
	}
}

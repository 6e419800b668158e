package web

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

// An admin makes a webhook, whose secret stands on one page once, has a test sent, replays, rotates and ends it;
// everybody on staff sees how it stands and what became of each call, one that fails above all.
func TestHooksAtDesk(t *testing.T) {
	ctx := context.Background()
	w := newGate(t)
	w.cfg.Desk = w.store
	p := w.person("admin")
	p.enrol()
	post := func(status int, to string, fields ...string) *goquery.Document {
		t.Helper()
		r, d := p.post(to, fields...)
		if r.StatusCode != status {
			t.Fatalf("%v: %d, want %d: %s", fields, r.StatusCode, status, d.Find("main").Text())
		}
		return d
	}
	for _, id := range []string{"acme", "bolt"} {
		post(303, "/staff/partners", "id", id, "name", "The "+id, "origins", "")
	}
	const partner = "/staff/partners/acme"
	for says, fields := range map[string][]string{
		"must begin with https": {"do", "hook", "url", "http://acme.example/", "type", "provider.listed"},
		"is no type":            {"do", "hook", "url", "https://acme.example/", "type", "test"},
		"only port 443":         {"do", "hook", "url", "https://acme.example:8443/", "type", "provider.listed"},
	} {
		d := post(400, partner, fields...)
		if got := d.Find(".wrong").Text(); !strings.Contains(got, says) || d.Find("details[open] #url").AttrOr("value", "") != fields[3] {
			t.Errorf("%v: %q", fields, got)
		}
	}
	d := post(200, partner, "do", "hook", "url", "https://acme.example/<i>", "type", "provider.listed provider.status_changed")
	secret := d.Find("#secret").Text()
	hooks := must(w.store.Hooks(ctx, "acme"))
	if !strings.HasPrefix(secret, "whsec_") || len(hooks) != 1 || hooks[0].CreatedBy != "admin" || len(hooks[0].Types) != 2 {
		t.Fatalf("%q %+v", secret, hooks)
	}
	id := hooks[0].ID
	page := partner + "/hooks/" + string(id)
	if r, d := p.get(partner); d.Find(`main a[href="`+page+`"]`).Length() != 1 || strings.Contains(r.body, secret) {
		t.Error("the partner's page does not lead to the webhook, or shows its secret")
	}
	if r, _ := p.get(page); r.StatusCode != 200 || strings.Contains(r.body, secret) || strings.Contains(r.body, "<i>") {
		t.Error("the page shows the secret again, or what the address holds as markup")
	}
	post(200, page, "do", "test")
	dispatch := must(w.store.Dispatch(ctx, id, w.at))
	if dispatch == nil || dispatch.Notice.Type != directory.NoticeTest || dispatch.Secrets[0] != secret {
		t.Fatalf("%+v", dispatch)
	}
	if err := w.store.Delivered(ctx, *dispatch, directory.Delivery{At: w.at, Status: 204, Outcome: directory.OutcomeTaken}, 0); err != nil {
		t.Fatal(err)
	}
	n := directory.Notice{ID: directory.NewID(directory.NoticePrefix, w.at), Number: hooks[0].Cursor + 1, Type: directory.NoticeListed}
	for i := 1; i <= 60; i++ {
		if err := w.store.Delivered(ctx, directory.Dispatch{Hook: id, After: hooks[0].Cursor, Attempt: i, Notice: n}, directory.Delivery{At: w.at, Outcome: directory.OutcomeFailed, Why: "no answer"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"view", "verify", "approve"} {
		q := w.person(name)
		q.enrol()
		r, d := q.get(page)
		if text := d.Find("main").Text(); r.StatusCode != 200 || d.Find("main form, main details").Length() > 0 || !strings.Contains(text, "failing: notice "+fmt.Sprint(n.Number)+" was tried 60 times: no answer") || d.Find("main tbody tr").Length() != hookPage {
			t.Errorf("%s: %d, %d forms: %s", name, r.StatusCode, d.Find("main form").Length(), text)
		}
		if _, d := q.get(partner); !strings.Contains(d.Find("main").Text(), "failing: notice") {
			t.Errorf("%s does not see on the partner's page that it fails", name)
		}
		if r, _ := q.post(page, "do", "test"); r.StatusCode != 403 {
			t.Errorf("%s has a test sent: %d", name, r.StatusCode)
		}
		older := d.Find(`main a:contains("Older")`).AttrOr("href", "")
		if r, d := q.get(older); r.StatusCode != 200 || d.Find("main tbody tr").Length() != 61-hookPage || !strings.Contains(d.Find("main tbody tr").Last().Text(), "taken: answered 204") {
			t.Errorf("%s: %d, %d rows", older, r.StatusCode, d.Find("main tbody tr").Length())
		}
	}
	for _, bad := range []string{"/staff/partners/bolt/hooks/" + string(id), partner + "/hooks/whk_x", partner + "/hooks/whk_00000000000000000000000000", "/staff/partners/nobody/hooks/" + string(id)} {
		if r, _ := p.get(bad); r.StatusCode != 404 {
			t.Errorf("GET %s: %d", bad, r.StatusCode)
		}
		if r, _ := p.post(bad, "do", "end"); r.StatusCode != 404 {
			t.Errorf("POST %s: %d", bad, r.StatusCode)
		}
	}
	for says, fields := range map[string][]string{"whole number": {"do", "replay", "number", "all"}, "0, for everything": {"do", "replay", "number", "-1"}, "0 to 30 days": {"do", "rotate", "overlap", "31"}} {
		if got := post(400, page, fields...).Find(".wrong").Text(); !strings.Contains(got, says) {
			t.Errorf("%v: %q", fields, got)
		}
	}
	post(403, page, "do", "nonsense")
	post(200, page, "do", "replay", "number", "3")
	if h := must(w.store.Hook(ctx, "acme", id)); h.Cursor != 2 || h.State != directory.HookActive {
		t.Errorf("%+v", h)
	}
	if next := post(200, page, "do", "rotate", "overlap", "2").Find("#secret").Text(); next == secret || !strings.HasPrefix(next, "whsec_") {
		t.Errorf("rotated: %q", next)
	}
	p.later(directory.SessionProof)
	if r, d := p.get(page); r.StatusCode != 200 || d.Find("main form").Length() > 0 || d.Find(`main a[href^="/staff/prove?for="]`).Length() != 1 {
		t.Errorf("an admin of a while ago: %d, %d forms", r.StatusCode, d.Find("main form").Length())
	}
	if r, _ := p.post(page, "do", "end"); r.StatusCode != 403 {
		t.Errorf("an admin of a while ago: %d", r.StatusCode)
	}
}

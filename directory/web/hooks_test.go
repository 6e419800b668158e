package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
	"kapdir/directory/deliver"
)

// A partner's key reads how the partner's own webhooks stand, has a test sent and notices sent again. Another's are not
// there, without the right there are none, and nothing of it can be asked for without a key.
func TestHooksAPI(t *testing.T) {
	w, doc := newPartners(t), document(t)
	ctx := context.Background()
	hooks, keys, weak := map[directory.IntegratorID]directory.Hook{}, map[directory.IntegratorID]string{}, map[directory.IntegratorID]string{}
	secrets := map[directory.IntegratorID]string{}
	for _, who := range []directory.IntegratorID{"acme", "bolt"} {
		w.partner(who)
		keys[who], _ = w.key(who, 1000, directory.ScopeHooks)
		weak[who], _ = w.key(who, 1000, directory.ScopeRead, directory.ScopeEmbeds)
		var err error
		if secrets[who], hooks[who], err = w.store.AddHook(ctx, who, directory.Hook{URL: "https://" + string(who) + ".example/hook"}, "test", w.at); err != nil {
			t.Fatal(err)
		}
		for i, outcome := range []string{directory.OutcomeTaken, directory.OutcomeFailed, directory.OutcomeRefused} {
			n := directory.Notice{ID: directory.NewID(directory.NoticePrefix, w.at), Number: int64(10 + i), Type: directory.NoticeListed}
			d := directory.Delivery{At: w.at, Outcome: outcome, Status: 200 * (i ^ 1), Why: strings.Repeat("no answer", i)}
			if err := w.store.Delivered(ctx, directory.Dispatch{Hook: hooks[who].ID, After: int64(10 * min(i, 1)), Attempt: max(1, i), Notice: n}, d, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, x := range []struct {
		method, pattern, query string
		status                 int
	}{
		{"GET", "/api/v1/hooks", "", 200}, {"GET", "/api/v1/hooks", "?x=1", 400}, {"GET", "/api/v1/hooks/:id", "", 200}, {"GET", "/api/v1/hooks/:id", "?limit=1", 400},
		{"GET", "/api/v1/hooks/:id/log", "", 200}, {"GET", "/api/v1/hooks/:id/log", "?limit=2", 200}, {"GET", "/api/v1/hooks/:id/log", "?before=2", 200},
		{"GET", "/api/v1/hooks/:id/log", "?before=0", 400}, {"GET", "/api/v1/hooks/:id/log", "?limit=51", 400}, {"GET", "/api/v1/hooks/:id/log", "?before=1&before=2", 400},
		{"POST", "/api/v1/hooks/:id/test", "", 202}, {"POST", "/api/v1/hooks/:id/test", "?x=1", 400},
		{"POST", "/api/v1/hooks/:id/replay", "?from=0", 200}, {"POST", "/api/v1/hooks/:id/replay", "", 400}, {"POST", "/api/v1/hooks/:id/replay", "?from=-1", 400},
		{"POST", "/api/v1/hooks/:id/replay", "?from=01", 400}, {"POST", "/api/v1/hooks/:id/replay", "?from=99999999999999999999", 400},
	} {
		for who, key := range keys {
			for whose, h := range hooks {
				target := strings.Replace(x.pattern, ":id", string(h.ID), 1) + x.query
				own := who == whose || !strings.Contains(x.pattern, ":id")
				want := x.status
				if !own && want < 300 {
					want = 404
				}
				r := do(t, w.Server, x.method, target, bearing(key)...)
				if r.StatusCode != want || r.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s asks %s %s of %s: %d, want %d", who, x.method, target, whose, r.StatusCode, want)
				}
				conforms(t, doc, x.pattern, target, r)
				for other, o := range hooks {
					if other != who && (strings.Contains(r.body, string(o.ID)) || strings.Contains(r.body, o.URL)) {
						t.Errorf("%s is told of %s's: %s", who, other, r.body)
					}
					for _, secret := range secrets {
						if strings.Contains(r.body, strings.TrimPrefix(secret, "whsec_")) {
							t.Errorf("%s %s tells a secret", x.method, target)
						}
					}
				}
				for how, want := range map[string]int{weak[who]: 403, "": 401} {
					var headers []string
					if how != "" {
						headers = bearing(how)
					}
					r := do(t, w.Server, x.method, target, headers...)
					if r.StatusCode != want {
						t.Errorf("%s %s without the right: %d, want %d", x.method, target, r.StatusCode, want)
					}
					conforms(t, doc, x.pattern, target, r)
				}
			}
		}
	}
	key := keys["acme"]
	for _, id := range []string{"whk_x", "whk_00000000000000000000000000", string(w.amara)} {
		if r := get(t, w.Server, "/api/v1/hooks/"+id, bearing(key)...); r.StatusCode != 404 {
			t.Errorf("%s: %d", id, r.StatusCode)
		}
	}
	if r := do(t, w.Server, "GET", "/api/v1/hooks/"+string(hooks["acme"].ID)+"/test", bearing(key)...); r.StatusCode != 405 || r.Header.Get("Allow") != "POST" {
		t.Errorf("reading what is done: %d, %q", r.StatusCode, r.Header.Get("Allow"))
	}
	if r := do(t, w.Server, "POST", "/api/v1/hooks", bearing(key)...); r.StatusCode != 405 {
		t.Errorf("a partner makes a webhook: %d", r.StatusCode)
	}
	if r := posted(t, w.Server, "/api/v1/hooks/"+string(hooks["acme"].ID)+"/test", `{"x":1}`, bearing(key)...); r.StatusCode != 415 {
		t.Errorf("a body: %d", r.StatusCode)
	}
	// The log page by page.
	var lines []int64
	next := ""
	for range 4 {
		var page struct {
			Deliveries []struct{ Line int64 }
			Next       *int64
		}
		r := get(t, w.Server, "/api/v1/hooks/"+string(hooks["acme"].ID)+"/log?limit=1"+next, bearing(key)...)
		if err := json.Unmarshal([]byte(r.body), &page); err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Deliveries {
			lines = append(lines, d.Line)
		}
		if page.Next == nil {
			break
		}
		next = fmt.Sprint("&before=", *page.Next)
	}
	if !slices.Equal(lines, []int64{3, 2, 1}) {
		t.Errorf("the log has %v", lines)
	}
	// What a partner does stands in the trace under the key.
	trace, err := w.store.StaffAudit(ctx, directory.IntegratorID("acme").About(), 100)
	if err != nil || !slices.ContainsFunc(trace, func(a directory.StaffAct) bool {
		return a.Act == "webhook replayed" && strings.HasPrefix(a.By, directory.KeyPrefix)
	}) {
		t.Errorf("%+v %v", trace, err)
	}
	if _, err := w.store.EndHook(ctx, "acme", hooks["acme"].ID, "test", w.at); err != nil {
		t.Fatal(err)
	}
	for _, do := range []string{"test", "replay?from=0"} {
		if r := posted(t, w.Server, "/api/v1/hooks/"+string(hooks["acme"].ID)+"/"+do, "", bearing(key)...); r.StatusCode != 409 {
			t.Errorf("%s of one that ended: %d", do, r.StatusCode)
		}
	}
}

func posted(t testing.TB, s *Server, path, body string, headers ...string) reply {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.App().Test(req, 20_000)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

// What is sent to webhooks is as the document says, of each type, with everything and with as little as there may be.
func TestNoticesConform(t *testing.T) {
	doc := document(t)
	d := deliver.New(deliver.Config{BaseURL: "https://kapdir.example"})
	at := directory.Instant("2026-11-20T09:00:00.000Z")
	n := directory.Notice{ID: directory.NewID(directory.NoticePrefix, at), Number: 7, Provider: directory.NewID(directory.ProviderPrefix, at), At: at, Known: at}
	changes := []directory.CheckChange{{State: "CO", Check: directory.CheckLicense, From: directory.Confirmed, To: directory.NotMet, AsOf: "2026-11-01", ValidUntil: at}, {State: directory.Elsewhere, Check: directory.CheckRecord, To: directory.ProblemOnRecord}}
	schemas := map[directory.NoticeType]string{directory.NoticeListed: "providerListed", directory.NoticeRemoved: "providerRemoved", directory.NoticeStatus: "providerStatusChanged", directory.NoticeTest: "test"}
	hooks, ok := doc.Webhooks["test"]
	if !ok || hooks == nil || len(doc.Webhooks) != len(schemas) {
		t.Fatalf("the document has %d webhooks", len(doc.Webhooks))
	}
	for kind, name := range schemas {
		op := doc.Webhooks[name].Post
		if p := op.Parameters; len(p) != 3 || p[0].Value.Name != "webhook-id" || p[1].Value.Name != "webhook-timestamp" || p[2].Value.Name != "webhook-signature" {
			t.Errorf("%s: %d parameters", name, len(p))
		}
		for _, full := range []bool{false, true} {
			x := n
			x.Type = kind
			if full {
				x.Previous = &directory.NoticeRef{Number: 3, At: at, Known: at}
				if kind == directory.NoticeStatus {
					x.Changes = changes
				}
				if kind == directory.NoticeRemoved {
					x.MergedInto = n.Provider
				}
			}
			body, err := d.Body(x)
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := json.Unmarshal(body, &v); err != nil {
				t.Fatal(err)
			}
			for other, o := range schemas {
				err := doc.Webhooks[o].Post.RequestBody.Value.Content["application/json"].Schema.Value.VisitJSON(v)
				if (err == nil) != (other == kind) {
					t.Errorf("%s as %s: %s: %v", kind, other, body, err)
				}
			}
		}
	}
}

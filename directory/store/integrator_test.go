package store

import (
	"strings"
	"testing"
	"time"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

func TestIntegrators(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testIntegrators(t, Config{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { testIntegrators(t, Config{DSN: storetest.Postgres(t)}) })
}

// A key is shown once, good until it ends or runs out, and replaced with both good for a while; each change leaves a
// trace, and only an admin makes one.
func testIntegrators(t *testing.T, c Config) {
	clock := newClock()
	c.Now = clock.now
	s := open(t, c)
	at := directory.At(noon)
	for name, role := range map[string]directory.Role{"noor": directory.Admin, "imani": directory.Approver} {
		must(s.ChangeStaff(ctx, directory.StaffChange{At: at, Name: name, Do: "add", Role: role, By: "account test", Auth: "test"}))
	}
	before := must(s.Head(ctx))
	acme := directory.Integrator{ID: "acme", Name: "Acme Health", Contact: "dev@acme.example", Origins: []directory.WebOrigin{"https://acme.example", "http://localhost:8000"}}
	if _, err := s.AddIntegrator(ctx, acme, "imani", at); directory.KindOf(err) != directory.Refused {
		t.Errorf("an approver adds a partner: %v", err)
	}
	got := must(s.AddIntegrator(ctx, acme, "noor", at))
	if got.State != directory.IntegratorActive || got.Created != at || got.CreatedBy != "noor" {
		t.Errorf("%+v", got)
	}
	if _, err := s.AddIntegrator(ctx, acme, "noor", at); directory.KindOf(err) != directory.Conflict {
		t.Errorf("the same id again: %v", err)
	}
	bad := acme
	bad.ID, bad.Origins = "other", []directory.WebOrigin{"https://acme.example/"}
	if _, err := s.AddIntegrator(ctx, bad, "noor", at); directory.KindOf(err) != directory.Invalid {
		t.Errorf("an origin with a path: %v", err)
	}
	if x := must(s.Integrator(ctx, "acme")); strings.Join([]string{string(x.Origins[0]), string(x.Origins[1]), x.Contact}, " ") != "https://acme.example http://localhost:8000 dev@acme.example" {
		t.Errorf("%+v", x)
	}
	if _, err := s.Integrator(ctx, "other"); directory.KindOf(err) != directory.NotFound {
		t.Errorf("a partner that is not there: %v", err)
	}

	// Keys.
	ask := directory.APIKey{Name: "site", Scopes: []directory.Scope{directory.ScopeRead, directory.ScopeChanges}, Expires: at.AddDays(365)}
	text, key, err := s.AddAPIKey(ctx, "acme", ask, "noor", at)
	if err != nil {
		t.Fatal(err)
	}
	is := func(text string, at directory.Instant, want directory.ID) {
		t.Helper()
		id, secret, err := directory.ParseKeyText(text)
		if err != nil {
			t.Fatal(err)
		}
		k, x, ok, err := s.APIKey(ctx, id, secret, at)
		if err != nil || ok != (want != "") || k.ID != want || want != "" && x.ID != "acme" {
			t.Errorf("at %s: %+v of %s, %v %v, want %q", at, k, x.ID, ok, err, want)
		}
	}
	is(text, at, key.ID)
	is(text[:len(text)-1]+map[bool]string{true: "1", false: "0"}[strings.HasSuffix(text, "0")], at, "")
	is(text, key.Expires.Add(-time.Millisecond), key.ID)
	is(text, key.Expires, "")
	if k := must(s.APIKeys(ctx, "acme")); len(k) != 1 || k[0].PerMinute != directory.KeyPerMinute || !k[0].May(directory.ScopeChanges) || k[0].May(directory.ScopeExport) {
		t.Errorf("%+v", k)
	}
	later := at.AddDays(100)
	second, rotated, err := s.RotateAPIKey(ctx, "acme", key.ID, directory.KeyOverlap, "noor", later)
	if err != nil || rotated.Expires != later.AddDays(365) || rotated.Name != key.Name || directory.JoinScopes(rotated.Scopes) != "read changes" {
		t.Fatalf("%+v %v", rotated, err)
	}
	is(text, later.AddDays(7).Add(-time.Millisecond), key.ID)
	is(text, later.AddDays(7), "")
	is(second, later.AddDays(7), rotated.ID)
	if _, _, err := s.RotateAPIKey(ctx, "acme", key.ID, directory.KeyOverlap, "noor", later); directory.KindOf(err) != directory.Conflict {
		t.Errorf("rotated twice: %v", err)
	}
	if _, _, err := s.RotateAPIKey(ctx, "acme", rotated.ID, directory.MostKeyOverlap+1, "noor", later); directory.KindOf(err) != directory.Invalid {
		t.Errorf("an overlap that is too long: %v", err)
	}
	must(s.EndAPIKey(ctx, "acme", key.ID, "noor", later))
	is(text, later, "")
	if _, err := s.EndAPIKey(ctx, "acme", key.ID, "noor", later); directory.KindOf(err) != directory.Conflict {
		t.Errorf("ended twice: %v", err)
	}

	// Usage.
	use := []directory.KeyUsage{{Key: rotated.ID, Day: "2026-11-23", Route: "/api/v1/providers", Count: 3, Refused: 1}, {Key: "key_00000000000000000000000009", Day: "2026-11-23", Route: "/x", Count: 1}}
	for range 2 {
		if err := s.AddKeyUsage(ctx, use); err != nil {
			t.Fatal(err)
		}
	}
	if u := must(s.KeyUsage(ctx, "acme", "2026-11-01", "2026-11-30")); len(u) != 1 || u[0].Count != 6 || u[0].Refused != 2 {
		t.Errorf("%+v", u)
	}
	if k := must(s.APIKeys(ctx, "acme")); k[1].LastDay != "2026-11-23" || k[0].LastDay != "" {
		t.Errorf("%+v", k)
	}
	if err := s.AddKeyUsage(ctx, []directory.KeyUsage{{Key: rotated.ID, Day: "2027-12-29", Route: "/api/v1/providers", Count: 1}}); err != nil {
		t.Fatal(err)
	}
	if u := must(s.KeyUsage(ctx, "acme", "2026-11-01", "2027-12-30")); len(u) != 1 || u[0].Day != "2027-12-29" {
		t.Errorf("counts of 401 days ago are held: %+v", u)
	}

	// Embeds.
	e := must(s.AddEmbed(ctx, "acme", directory.Embed{Name: "near you", Kind: directory.EmbedResults, Doc: directory.EmbedDoc{Query: "state=CA"}}, "noor", later))
	if x, of, err := s.Embed(ctx, e.ID); err != nil || x.Doc.Theme != "auto" || x.Doc.Language != "en" || x.Doc.Query != "state=CA" || of.ID != "acme" {
		t.Errorf("%+v %+v %v", x, of, err)
	}
	if _, err := s.AddEmbed(ctx, "acme", directory.Embed{Name: "one", Kind: directory.EmbedProvider, Doc: directory.EmbedDoc{Provider: "prv_00000000000000000000000009"}}, "noor", later); directory.KindOf(err) != directory.NotFound {
		t.Errorf("an embed of nobody: %v", err)
	}
	if err := s.EndEmbed(ctx, "acme", e.ID, "noor", later); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Embed(ctx, e.ID); directory.KindOf(err) != directory.Gone {
		t.Errorf("an embed that ended: %v", err)
	}

	// The end.
	e = must(s.AddEmbed(ctx, "acme", directory.Embed{Name: "all", Kind: directory.EmbedResults}, "noor", later))
	if o := must(s.RegisteredOrigins(ctx)); len(o) != 2 || len(o["https://acme.example"]) != 1 {
		t.Errorf("%v", o)
	}
	must(s.SetOrigins(ctx, "acme", []directory.WebOrigin{"https://www.acme.example"}, "noor", later))
	if o := must(s.RegisteredOrigins(ctx)); len(o) != 1 || len(o["https://www.acme.example"]) != 1 {
		t.Errorf("%v", o)
	}
	must(s.EndIntegrator(ctx, "acme", "account test", later))
	is(second, later, "")
	if _, _, err := s.Embed(ctx, e.ID); directory.KindOf(err) != directory.Gone {
		t.Errorf("an embed of a partner that ended: %v", err)
	}
	if o := must(s.RegisteredOrigins(ctx)); len(o) != 0 {
		t.Errorf("%v", o)
	}
	if _, _, err := s.AddAPIKey(ctx, "acme", ask, "noor", later); directory.KindOf(err) != directory.Conflict {
		t.Errorf("a key of a partner that ended: %v", err)
	}

	var acts []string
	for _, a := range must(s.StaffAudit(ctx, directory.IntegratorID("acme").About(), 100)) {
		acts = append(acts, a.Act+" by "+a.By)
		if strings.Contains(a.Detail, text[35:]) || strings.Contains(a.Detail, second[35:]) {
			t.Errorf("the trace holds a secret: %s", a.Detail)
		}
	}
	if got, want := strings.Join(acts, ", "), "partner ended by account test, origins changed by noor, embed added by noor, embed ended by noor, embed added by noor, key ended by noor, key rotated by noor, key added by noor, partner added by noor"; got != want {
		t.Errorf("the trace:\n%s\n%s", got, want)
	}
	if after := must(s.Head(ctx)); after != before {
		t.Errorf("partners moved the head from %+v to %+v: they are nothing that is known of a provider", before, after)
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
)

// A partner from the first command to the last: what is made is listed, a key is shown once and held nowhere, what is
// wrong says how to mend it, and only an admin, or whoever holds the state directory, changes anything.
func TestPartnerCommands(t *testing.T) {
	state := t.TempDir()
	clock := "2026-11-20T09:00:00Z"
	try := func(args ...string) (out, errs string, status int) {
		t.Helper()
		return inside(t, append([]string{"partner", "--state", state, "--now", clock}, args...)...)
	}
	do := func(into any, args ...string) string {
		t.Helper()
		out, errs, status := try(append(args, "--json")...)
		if status != 0 {
			t.Fatalf("partner %v: %d %s", args, status, errs)
		}
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("partner %v: %v in %s", args, err, out)
		}
		return out
	}
	for _, who := range [][2]string{{"noor", "admin"}, {"imani", "approver"}} {
		if _, errs, status := inside(t, "staff", "add", who[0], who[1], "--state", state, "--now", clock); status != 0 {
			t.Fatal(errs)
		}
	}
	var x directory.Integrator
	do(&x, "add", "acme", "Acme Health", "--contact", "dev@acme.example", "--origin", "https://acme.example", "--origin", "http://localhost:8000", "--as", "noor")
	if x.ID != "acme" || len(x.Origins) != 2 || x.CreatedBy != "noor" || x.State != "active" {
		t.Errorf("%+v", x)
	}
	var made, next keyShown
	do(&made, "key", "add", "acme", "site", "--scopes", "changes,read")
	if made.Expires != "2027-11-20T09:00:00.000Z" || directory.JoinScopes(made.Scopes) != "read changes" || made.PerMinute != directory.KeyPerMinute || !strings.HasPrefix(made.CreatedBy, "account ") {
		t.Errorf("%+v", made)
	}
	if id, _, err := directory.ParseKeyText(made.Key); err != nil || id != made.ID {
		t.Errorf("%s: %v", made.ID, err)
	}
	do(&next, "key", "rotate", "acme", string(made.ID), "--overlap", "14")
	var embed directory.Embed
	do(&embed, "embed", "add", "acme", "near you", "--query", "?state=CA", "--language", "es")
	if embed.Doc.Query != "state=CA" || embed.Doc.Language != "es" || embed.Doc.Theme != "auto" {
		t.Errorf("%+v", embed)
	}
	do(&x, "origins", "acme", "https://www.acme.example")
	var keys []directory.APIKey
	do(&keys, "key", "list", "acme")
	slices.SortFunc(keys, func(a, b directory.APIKey) int { return strings.Compare(string(a.Ended), string(b.Ended)) })
	slices.Reverse(keys) // made in one millisecond
	if len(keys) != 2 || keys[0].ReplacedBy != keys[1].ID || keys[0].Ended != "2026-12-04T09:00:00.000Z" || keys[1].ID != next.ID {
		t.Errorf("%+v", keys)
	}
	do(&keys[1], "key", "end", "acme", string(next.ID), "--as", "noor")
	var usage []directory.KeyUsage
	if do(&usage, "usage", "acme"); len(usage) != 0 {
		t.Errorf("%+v", usage)
	}
	var shown partnerShown
	raw := do(&shown, "show", "acme")
	if len(shown.Keys) != 2 || len(shown.Embeds) != 1 || len(shown.Acts) != 6 || shown.Contact != "dev@acme.example" || len(shown.Origins) != 1 {
		t.Errorf("%+v", shown)
	}
	out, _, _ := try("show", "acme")
	for _, want := range []string{"Acme Health", "https://www.acme.example", "replaced", "ended", "read changes", "results of ?state=CA", "key rotated", "noor"} {
		if !strings.Contains(out, want) {
			t.Errorf("show does not say %q:\n%s", want, out)
		}
	}
	for _, wrong := range []struct {
		args []string
		says string
	}{
		{[]string{"add", "acme", "Another"}, "there is a partner acme already"},
		{[]string{"add", "Acme", "Another"}, "small letters"},
		{[]string{"add", "beta", "Beta", "--origin", "http://beta.example"}, "https://clinic.example"},
		{[]string{"add", "beta", "Beta", "--as", "imani"}, "imani is no admin"},
		{[]string{"origins", "acme"}, "--none"},
		{[]string{"origins", "acme", "https://acme.example/"}, "scheme, host and port alone"},
		{[]string{"key", "add", "acme", "x", "--scopes", "write"}, "read, credentials"},
		{[]string{"key", "add", "acme", "x", "--scopes", ""}, "at least read"},
		{[]string{"key", "add", "acme", "x", "--per-minute", "0"}, "1 to 6000"},
		{[]string{"key", "add", "acme", "x", "--expires", "2026-11-20"}, "run out"},
		{[]string{"key", "add", "acme", "x", "--expires", "2029-11-20"}, "730 days"},
		{[]string{"key", "add", "nobody", "x"}, "kapdir partner list"},
		{[]string{"key", "rotate", "acme", string(next.ID)}, "good no more"},
		{[]string{"key", "rotate", "acme", string(made.ID)}, "was replaced by"},
		{[]string{"key", "end", "acme", made.Key}, "key list"},
		{[]string{"embed", "add", "acme", "x", "--theme", "red"}, "auto, light or dark"},
		{[]string{"embed", "add", "acme", "x", "--provider", "prv_00000000000000000000000009"}, "no provider"},
		{[]string{"show", "nobody"}, "kapdir partner list"},
	} {
		if _, errs, status := try(wrong.args...); status == 0 || !strings.Contains(errs, wrong.says) {
			t.Errorf("partner %v: %d %s", wrong.args, status, errs)
		}
	}
	do(&x, "end", "acme")
	if out, _, _ := try("list"); x.State != "ended" || !strings.Contains(out, "ended") {
		t.Errorf("%+v\n%s", x, out)
	}
	// The secret is in no file of the state directory, and in no answer but the one that made it.
	_, secret, _ := directory.ParseKeyText(made.Key)
	if strings.Contains(raw+out, secret) {
		t.Error("an answer holds a secret")
	}
	err := filepath.WalkDir(state, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), secret) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

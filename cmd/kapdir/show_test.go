package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
)

// inside runs a command of the program in this process.
func inside(t testing.TB, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &out, &errs)
	return out.String(), errs.String(), status
}

// shown is what show --json answers, as far as the tests read it.
type shown struct {
	Provider  directory.ID
	At, Known directory.Instant
	Checks    []check
	Claims    []struct{ Status, Sentence string }
	Staff     struct {
		Checks []struct {
			Check   string
			Because []int64
		}
		Claims []struct {
			Kind, Status, Sentence string
			Because                []int64
			ValidUntil             *directory.Instant `json:"valid_until"`
		}
	}
}

func TestShow(t *testing.T) {
	dir := loaded(t, nil)
	var f *directory.CredentialFile
	var now directory.Instant
	held(t, dir, func(x *directory.CredentialFile, at directory.Instant) {
		if f == nil && x.Provider.NPI != "" && len(x.Linked) > 0 && slices.ContainsFunc(x.Claims, func(h directory.History) bool { return h.Claim.Kind == directory.License && len(h.Events) > 1 }) {
			f, now = x, at
		}
	})
	if f == nil {
		t.Fatal("nobody to show")
	}
	show := func(args ...string) shown {
		t.Helper()
		out, errs, status := inside(t, append([]string{"show", "--state", dir, "--json"}, args...)...)
		if status != exitDone {
			t.Fatalf("show %v: %d %s", args, status, errs)
		}
		var s shown
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			t.Fatalf("show %v: %v\n%s", args, err, out)
		}
		return s
	}
	byID := show(string(f.Provider.ID))
	if byNPI := show(string(f.Provider.NPI)); byNPI.Provider != f.Provider.ID || byID.Provider != f.Provider.ID || byID.At != now {
		t.Errorf("by id %s at %s, by NPI %s; want %s at %s", byID.Provider, byID.At, byNPI.Provider, f.Provider.ID, now)
	}
	if len(byID.Checks) != 5 || len(byID.Staff.Checks) != 5 || len(byID.Staff.Claims) < len(f.Claims) {
		t.Errorf("%d checks, %d and %d claims", len(byID.Checks), len(byID.Staff.Checks), len(byID.Staff.Claims))
	}
	for _, c := range byID.Staff.Claims {
		if c.Sentence != "" && len(c.Because) == 0 {
			t.Errorf("%s: %q rests on nothing", c.Kind, c.Sentence)
		}
	}
	// What was true before anything was seen, and what was known before anything was recorded.
	for _, flag := range []string{"--at", "--known"} {
		s := show(string(f.Provider.ID), flag, "2020-01-01")
		if len(s.Claims) != 0 {
			t.Errorf("%s 2020-01-01: %+v", flag, s.Claims)
		}
	}
	// A moment that has not come: what will be said if nothing else becomes known.
	later := show(string(f.Provider.ID), "--at", "2036-01-01")
	if slices.ContainsFunc(later.Claims, func(c struct{ Status, Sentence string }) bool { return c.Status == "verified" }) {
		t.Errorf("in ten years something is verified: %+v", later.Claims)
	}

	out, errs, status := inside(t, "show", "--state", dir, string(f.Provider.ID), "--at", string(now.Date()))
	for _, need := range []string{f.Provider.DisplayName(), "because of events", "valid until", "next look due", "Licensed mental-health professional"} {
		if status != exitDone || !strings.Contains(out, need) {
			t.Errorf("show lacks %q: %d %s\n%s", need, status, errs, out)
		}
	}
	out, errs, status = inside(t, "show", "--state", dir, string(f.Provider.ID), "--history")
	for _, need := range []string{"event ", "performed ", "source's data of ", "recorded ", "evidence "} {
		if status != exitDone || !strings.Contains(out, need) {
			t.Errorf("the history lacks %q: %d %s\n%s", need, status, errs, out)
		}
	}
	// By a source's key: what the roster calls them.
	var claimed string
	for _, row := range []string{"co-dora:nobody-of-that-key", "nppes:" + string(f.Provider.NPI)} {
		if out, _, status := inside(t, "show", "--state", dir, "--json", row); status == exitDone {
			claimed = out
		} else if !strings.HasPrefix(row, "co-dora") {
			t.Errorf("%s: %d", row, status)
		}
	}
	if !strings.Contains(claimed, string(f.Provider.ID)) {
		t.Error("a source's key leads to somebody else")
	}
	for _, x := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"1234567890"}, exitUsage, "names no provider"},
		{[]string{"prv_nothing"}, exitUsage, "identifier"},
		{[]string{"nowhere:1"}, exitUsage, "is no source"},
		{[]string{"1234567893"}, exitFailed, "no such provider"},
		{[]string{"prv_00000000000000000000000000"}, exitFailed, "no provider"},
		{[]string{string(f.Provider.ID), "--at", "tomorrow"}, exitUsage, "first moment in UTC"},
		{[]string{string(f.Provider.ID), "--known", "2026-02-30"}, exitUsage, "--known"},
		{[]string{string(f.Provider.ID), "--checks-for", "XX"}, exitUsage, "--checks-for"},
		{nil, exitUsage, "accepts 1 arg"},
	} {
		if _, errs, status := inside(t, append([]string{"show", "--state", dir}, x.args...)...); status != x.status || !strings.Contains(errs, x.says) {
			t.Errorf("show %v: %d %s", x.args, status, errs)
		}
	}
}

func TestStaffKeyCommand(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		a := &app{ctx: t.Context(), out: &out, err: &bytes.Buffer{}, getenv: func(string) string { return "" }}
		a.cfg.State, a.cfg.Now = dir, "2026-11-23T12:00:00Z"
		cmd := a.staffKeyCommand()
		cmd.SetArgs(args)
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		err := cmd.ExecuteContext(t.Context())
		return out.String(), err
	}
	if _, err := run("imani"); err == nil || !strings.Contains(err.Error(), "kapdir staff add") {
		t.Errorf("a key of nobody: %v", err)
	}
	if out, errs, status := kapdir(t, "staff", "add", "imani", "approver", "--state", dir, "--now", "2026-11-23T12:00:00Z"); status != exitDone {
		t.Fatalf("%s%s", out, errs)
	}
	key, err := run("imani")
	id, secret, ok := strings.Cut(strings.TrimSpace(key), ".")
	if err != nil || !ok || !strings.HasPrefix(id, "key_") || secret == "" {
		t.Fatalf("%q %v", key, err)
	}
	list, err := run("list")
	if err != nil || !strings.Contains(list, id+"  imani, made on 23 Nov 2026, never used") || strings.Contains(list, secret) {
		t.Errorf("%q %v", list, err)
	}
	if _, err := run("disable", id); err != nil {
		t.Error(err)
	}
	if list, _ := run("list"); !strings.Contains(list, "disabled on 23 Nov 2026") {
		t.Errorf("%q", list)
	}
	if _, err := run("disable", key); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a whole key names no key, and is not repeated: %v", err)
	}
}

// What is done at a terminal on a store that holds the demonstration happens at the demonstration's moment:
// at the real one, which is later, its pages would never tell it.
func TestCommandsKeepTheDemonstrationsClock(t *testing.T) {
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	dir := loaded(t, nil)
	from := func(args ...string) (x struct{ From, Added directory.Instant }) {
		t.Helper()
		out, errs, status := inside(t, append(args, "--state", dir, "--json", "--quiet")...)
		if status != exitDone {
			t.Fatalf("%v: %d %s", args, status, errs)
		}
		if err := json.Unmarshal([]byte(out), &x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	if x := from("staff", "add", "kim", "verifier"); x.Added != m.Now {
		t.Errorf("staff added at %s, not %s", x.Added, m.Now)
	}
	if x := from("due", "--days", "1"); x.From != m.Now {
		t.Errorf("due from %s, not %s", x.From, m.Now)
	}
	if x := from("due", "--days", "1", "--now", "2026-12-01T00:00:00Z"); x.From != "2026-12-01T00:00:00.000Z" {
		t.Errorf("due from %s in spite of --now", x.From)
	}
}

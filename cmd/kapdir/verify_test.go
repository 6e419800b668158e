package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
)

// answered runs a command with --json and reads its answer.
func answered[T any](t testing.TB, into *T, argv ...string) {
	t.Helper()
	out, errs, status := kapdir(t, append(argv, "--json")...)
	if status != exitDone {
		t.Fatalf("kapdir %s: %d\n%s%s", strings.Join(argv, " "), status, out, errs)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		t.Fatalf("kapdir %s: %v\n%s", strings.Join(argv, " "), err, out)
	}
}

func TestVerifyDemo(t *testing.T) {
	dir := loaded(t, nil)
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	at := []string{"--state", dir, "--now", string(m.Now)}
	before := head(t, dir)
	var dry, first, again verified
	answered(t, &dry, append([]string{"verify", "--dry-run"}, at...)...)
	if after := head(t, dir); after != before || !dry.DryRun || dry.Verification.Events == 0 {
		t.Errorf("a dry run moved the head from %+v to %+v: %+v", before, after, dry.Verification)
	}
	answered(t, &first, append([]string{"verify"}, at...)...)
	v := first.Verification
	if v.Events != dry.Verification.Events || v.LookedUp() != v.Due || v.Outcome != "done" {
		t.Errorf("%+v; the dry run said %+v", v, dry.Verification)
	}
	if v.CouldNotCheck[directory.ReasonNoRegister] == 0 || v.CouldNotCheck[directory.ReasonUnavailable] == 0 || v.NotFound == 0 || v.Waiting["license"] == 0 {
		t.Errorf("the demonstration shows too little: %+v", v.VerifyCounts)
	}
	if !slices.ContainsFunc(first.Sources, func(r releaseAge) bool { return r.Source == "co-dora" && r.Loaded && !r.Due && r.Days > 0 }) ||
		!slices.ContainsFunc(first.Sources, func(r releaseAge) bool { return !r.Loaded && r.Due }) {
		t.Errorf("sources %+v", first.Sources)
	}
	moved := head(t, dir)
	answered(t, &again, append([]string{"verify"}, at...)...)
	if again.Verification.Events != 0 || head(t, dir) != moved {
		t.Errorf("again on the same day: %+v", again.Verification)
	}
	out, _, status := kapdir(t, append([]string{"verify", "--history"}, at...)...)
	if lines := strings.Split(strings.TrimSpace(out), "\n"); status != exitDone || len(lines) != 3 {
		t.Errorf("history: %d\n%s", status, out)
	}
	if out, errs, status := kapdir(t, append([]string{"verify"}, at...)...); status != exitDone || !strings.Contains(out, " 0 events appended") || !strings.Contains(out, "Due with a person") {
		t.Errorf("%d\n%s%s", status, out, errs)
	}
	if out, _, status := kapdir(t, append([]string{"fsck"}, at...)...); status != exitDone {
		t.Errorf("fsck: %s", out)
	}
	for _, argv := range [][]string{{"verify", "--provider", "nobody"}, {"verify", "x"}, {"due", "--for", "nobody"}, {"due", "--days", "-1"}} {
		if _, _, status := kapdir(t, append(argv, at...)...); status != exitUsage {
			t.Errorf("kapdir %v: status %d, want %d", argv, status, exitUsage)
		}
	}
	unknown := string(directory.NewID(directory.ProviderPrefix, m.Now))
	if _, errs, status := kapdir(t, append([]string{"verify", "--provider", unknown}, at...)...); status != exitFailed || !strings.Contains(errs, "no provider") {
		t.Errorf("an unknown provider: %d %s", status, errs)
	}
}

// Every change that due foretells comes at its moment and not a millisecond before, and nothing else does.
func TestDueForetells(t *testing.T) {
	dir := loaded(t, nil)
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	at := []string{"--state", dir, "--now", string(m.Now)}
	var x outlook
	before := head(t, dir)
	answered(t, &x, append([]string{"due", "--days", "60"}, at...)...)
	if head(t, dir) != before {
		t.Error("to look ahead changed the store")
	}
	if len(x.Due) == 0 || len(x.Changes) == 0 || len(x.Cases) == 0 || len(x.Sources) == 0 || x.Totals["returned"] == 0 || x.Totals["checks fall"] == 0 {
		t.Fatalf("too little: %v, %d cases, %d sources", x.Totals, len(x.Cases), len(x.Sources))
	}
	if !slices.IsSortedFunc(x.Due, func(a, b dueItem) int { return strings.Compare(string(a.At), string(b.At)) }) ||
		!slices.IsSortedFunc(x.Changes, func(a, b changeItem) int { return strings.Compare(string(a.At), string(b.At)) }) {
		t.Error("not in order of time")
	}
	type key struct {
		id directory.ID
		at directory.Instant
	}
	told := map[key]changeItem{}
	last := map[directory.ID]string{} // what each claim comes to
	checks := map[string]string{}     // and each check
	for _, c := range x.Changes {
		if c.At <= x.From || c.At > x.Until {
			t.Errorf("%+v is outside", c)
		}
		if c.Check == "" {
			told[key{c.Claim, c.At}] = c
			last[c.Claim] = c.To
		} else {
			checks[string(c.Provider)+string(c.Check)] = c.To
		}
	}
	held(t, dir, func(f *directory.CredentialFile, _ directory.Instant) {
		ps, known := directory.StandardPolicies(), x.Until
		for _, h := range f.Claims {
			want := string(directory.Derive(h, x.From, known, ps).Status)
			if to, ok := last[h.Claim.ID]; ok {
				want = to
			}
			if got := directory.Derive(h, x.Until, known, ps); string(got.Status) != want {
				t.Errorf("%s of %s comes to %q, and due says %q", claimWords(h.Claim), f.Provider.DisplayName(), got.Status, want)
			}
			for k, c := range told {
				if k.id != h.Claim.ID {
					continue
				}
				if b, a := directory.Derive(h, k.at.Add(-time.Millisecond), known, ps), directory.Derive(h, k.at, known, ps); string(b.Status) != c.From || string(a.Status) != c.To {
					t.Errorf("%+v: %q, then %q", c, b.Status, a.Status)
				}
			}
		}
		now, then := directory.Checks(f, f.Provider.HomeState(), x.From, known, ps), directory.Checks(f, f.Provider.HomeState(), x.Until, known, ps)
		for i := range now {
			want := string(now[i].Result)
			if to, ok := checks[string(f.Provider.ID)+string(now[i].Check)]; ok {
				want = to
			}
			if string(then[i].Result) != want {
				t.Errorf("check %s of %s comes to %q, and due says %q", now[i].Check, f.Provider.DisplayName(), then[i].Result, want)
			}
		}
	})
	var person outlook
	answered(t, &person, append([]string{"due", "--for", "person"}, at...)...)
	if len(person.Changes) != 0 || len(person.Due) == 0 || slices.ContainsFunc(person.Due, func(d dueItem) bool { return d.By != directory.ByPerson }) {
		t.Errorf("for a person: %v", person.Totals)
	}
	out, _, status := kapdir(t, append([]string{"due"}, at...)...)
	for _, want := range []string{"Due already", "returned by a reviewer", "→ stale", "falls:", "Sources", "sam", "Open cases", "claims change by themselves"} {
		if status != exitDone || !strings.Contains(out, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
}

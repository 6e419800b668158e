package store

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"kapdir/directory"
)

// rulesWith are the standard rules with one file changed.
func rulesWith(t *testing.T, name, old, new string) directory.RuleFiles {
	t.Helper()
	rules := maps.Clone(directory.StandardRules())
	changed := bytes.Replace(rules[name], []byte(old), []byte(new), 1)
	if bytes.Equal(changed, rules[name]) {
		t.Fatalf("%s does not hold %q", name, old)
	}
	rules[name] = changed
	return rules
}

// testRules: the ledger records each release of the rules once, answers about the past are given with the
// rules of the past, and a new release makes every answer be looked at again.
func testRules(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana())
	before := must(s.Head(ctx))
	s.Close()
	s = open(t, c)
	if h := must(s.Head(ctx)); h != before || len(s.Policies()) != 1 {
		t.Fatalf("the same rules again took a number: %+v, then %+v", before, h)
	}
	s.Close()

	clk.set(noon.Add(24 * time.Hour))
	c.Rules = rulesWith(t, "policies/v1.yaml", "license:                 {recheck: 30,  stale: 90,", "license:                 {recheck: 30,  stale: 2, ")
	look := c
	look.KeepRules = true
	s = open(t, look)
	if h := must(s.Head(ctx)); h != before || len(s.Policies()) != 1 {
		t.Fatalf("somebody who only looked changed the rules: %+v", h)
	}
	s.Close()
	s = open(t, c)
	after := must(s.Head(ctx))
	if after.Seq != before.Seq+1 || after.Public != before.Public || len(s.Policies()) != 2 {
		t.Fatalf("new rules: head %+v, then %+v, %d policies", before, after, len(s.Policies()))
	}
	stale := func(k directory.Instant) int { return s.Policies().InForce(k, k).Kinds[directory.License].Stale }
	if a, b := stale(before.RecordedAt), stale(after.RecordedAt); a != 90 || b != 2 {
		t.Errorf("a licence counts %d days as known before, %d after", a, b)
	}
	if n := must(s.TouchDue(ctx, s.now(), 100)); n != 2 { // she and her prescriber
		t.Errorf("%d providers were looked at again", n)
	}
	if n := must(s.TouchDue(ctx, s.now(), 100)); n != 0 {
		t.Errorf("%d providers were looked at twice", n)
	}
	f := find(t, s, "Ana Ruiz")
	i := slices.IndexFunc(f.Claims, func(h directory.History) bool { return h.Claim.Kind == directory.License })
	at := directory.At(noon.Add(20 * 24 * time.Hour))
	if st := directory.Derive(f.Claims[i], at, before.RecordedAt, s.Policies()); st.Status != directory.StatusListed {
		t.Errorf("by the rules before: %s", st.Status)
	}
	if st := directory.Derive(f.Claims[i], at, at, s.Policies()); st.Status != directory.StatusStale {
		t.Errorf("by the rules since: %s", st.Status)
	}
	whole(t, s)
}

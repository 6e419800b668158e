package directory

import (
	"io/fs"
	"path"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"kapdir/data"
)

// RuleFiles are the files that answers are computed with, by their names in package data: the policies and
// the reference tables. A ledger records each release of them as evidence of a policy_change event, so that
// what was shown on any day can be computed again with the rules of that day.
type RuleFiles map[string][]byte

// ruleTables are the tables among the rule files, beside the policies.
var ruleTables = []string{"titles.csv", "programmes.csv", "compacts.csv", "rules.csv", "np_authority.csv", "sources.csv"}

// StandardRules returns the rule files that ship with the program.
func StandardRules() RuleFiles {
	files := RuleFiles{}
	names, _ := fs.Glob(data.FS, "policies/*.yaml") // the pattern is right
	for _, name := range append(names, ruleTables...) {
		raw, err := shipped(name)
		if err != nil {
			panic(err)
		}
		files[name] = raw
	}
	return files
}

// Names returns the names of the files in order.
func (f RuleFiles) Names() []string {
	names := make([]string, 0, len(f))
	for name := range f {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// ParseRules reads one release of the rules, recorded by a ledger at a moment; "" is since ever. Releases
// are joined by appending them in the order in which they were recorded. A file that cannot be read is an
// error that names it.
func ParseRules(files RuleFiles, recordedAt Instant) (Policies, error) {
	var all Policies
	for _, name := range files.Names() {
		if ok, _ := path.Match("policies/*.yaml", name); !ok {
			continue
		}
		p, err := ParsePolicy(files[name])
		if err != nil {
			return nil, Errorf(Invalid, name, "%s: %w", name, err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, Errorf(Invalid, "policies", "the rules hold no policy")
	}
	tables, err := readTables(func(name string) ([]byte, error) {
		if raw, ok := files[name]; ok || slices.Contains(ruleTables, name) {
			return raw, nil
		}
		return shipped(name) // what no answer about a claim depends on
	})
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].recordedAt, all[i].tables = recordedAt, tables
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ValidFrom < all[j].ValidFrom })
	return all, nil
}

// StandardPolicies returns the policies and tables that ship with the program, as if recorded since ever.
// It panics if they cannot be read, which a test of this package finds before a release does.
func StandardPolicies() Policies { return (*standardPolicies.Load())() }

var standardPolicies atomic.Pointer[func() Policies]

func init() { loadStandardPolicies() }

func loadStandardPolicies() {
	load := sync.OnceValue(func() Policies {
		all, err := ParseRules(StandardRules(), "")
		if err != nil {
			panic(err)
		}
		return all
	})
	standardPolicies.Store(&load)
}

// federal is the zone in which a day of federal law ends for the last of the states that count here.
var federal = sync.OnceValue(func() *time.Location {
	z, err := time.LoadLocation("America/New_York")
	if err != nil {
		return time.UTC
	}
	return z
})

// dated is what a row of a dated table has in common: the days on which it holds, both included. A row
// that nobody has confirmed with a source holds nothing.
type dated struct {
	from, to  Date
	confirmed bool
}

func datedOf(r map[string]string) dated {
	return dated{Date(r["valid_from"]), Date(r["valid_to"]), r["confirmed"] == "true"}
}

// span returns the moments at which the row begins and ends to hold; "" is open.
func (d dated) span(zone *time.Location) (from, end Instant) {
	if t, err := time.ParseInLocation(time.DateOnly, string(d.from), zone); err == nil {
		from = At(t)
	}
	return from, d.to.EndIn(zone)
}

// holds reports whether the row covers the moment.
func (d dated) holds(t Instant, zone *time.Location) bool {
	from, end := d.span(zone)
	return from <= t && (end == "" || t < end)
}

// changes returns the first moment after t at which the row begins or ends to hold; "" is never.
func (d dated) changes(zone *time.Location, t Instant) (next Instant) {
	from, end := d.span(zone)
	for _, at := range []Instant{from, end} {
		if at > t {
			next = earliest(next, at)
		}
	}
	return next
}

// compactRow says that a state takes part in a compact (member) or that privileges under it are really
// issued there (issuing): data/compacts.csv. Membership alone allows nothing (domain.md §2.4).
type compactRow struct {
	compact string
	state   State
	status  string
	dated
}

// CompactIssues reports whether, at t, privileges of the compact are confirmed to be issued in the state.
func (t *ReferenceTables) CompactIssues(compact string, s State, at Instant) bool {
	return slices.ContainsFunc(t.compacts, func(r compactRow) bool {
		return r.compact == compact && r.state == s && r.status == "issuing" && r.confirmed && r.holds(at, s.Zone())
	})
}

// Rule is a rule of law with its dates: data/rules.csv.
type Rule struct {
	ID, Title string
	After     string // what is said once it has run out and no other row follows it
	SourceURL string
	dated
}

// TelePrescribing is the rule on prescribing without an in-person visit (21 CFR 1307.41).
const TelePrescribing = "tele_prescribing"

// Lapsed returns the last row of a rule if it has run out: a row of it held before t, and none holds at t.
func (t *ReferenceTables) Lapsed(rule string, at Instant) (Rule, bool) {
	var last Rule
	for _, r := range t.rules {
		if r.ID != rule || !r.confirmed {
			continue
		}
		if r.holds(at, federal()) {
			return Rule{}, false
		}
		if from, _ := r.span(federal()); from <= at && (last.ID == "" || r.to > last.to) {
			last = r
		}
	}
	return last, last.ID != ""
}

// authorityRow says how far a nurse practitioner or a physician assistant may practise without a
// physician in a state: data/np_authority.csv. Of nurse practitioners in AANP's words full, reduced and
// restricted; of physician assistants agreement or none_required.
type authorityRow struct {
	state     State
	role      string
	authority string
	dated
}

// Authority returns how far the role may practise in the state at t; "" is not confirmed.
func (t *ReferenceTables) Authority(s State, role string, at Instant) string {
	for _, r := range t.authority {
		if r.state == s && r.role == role && r.confirmed && r.holds(at, s.Zone()) {
			return r.authority
		}
	}
	return ""
}

// compactChanges, ruleChanges and authorityChanges return the first moment after t at which a row of
// theirs begins or ends to hold; "" is never.
func (t *ReferenceTables) compactChanges(compact string, at Instant) (next Instant) {
	for _, r := range t.compacts {
		if r.compact == compact {
			next = earliest(next, r.changes(r.state.Zone(), at))
		}
	}
	return next
}

func (t *ReferenceTables) ruleChanges(rule string, at Instant) (next Instant) {
	for _, r := range t.rules {
		if r.ID == rule {
			next = earliest(next, r.changes(federal(), at))
		}
	}
	return next
}

func (t *ReferenceTables) authorityChanges(s State, role string, at Instant) (next Instant) {
	for _, r := range t.authority {
		if r.state == s && r.role == role {
			next = earliest(next, r.changes(s.Zone(), at))
		}
	}
	return next
}

// boundariesOf collects the moments at which dated rows begin and end to hold, in order.
func (t *ReferenceTables) boundariesOf() []Instant {
	var out []Instant
	add := func(d dated, zone *time.Location) {
		from, end := d.span(zone)
		out = append(out, from, end)
	}
	for _, r := range t.compacts {
		add(r.dated, r.state.Zone())
	}
	for _, r := range t.rules {
		add(r.dated, federal())
	}
	for _, r := range t.authority {
		add(r.dated, r.state.Zone())
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(at Instant) bool { return at == "" })
}

// recognises reports whether the id is that of a recognised programme.
func (t *ReferenceTables) recognises(id string) bool {
	return slices.ContainsFunc(t.programmes, func(p Programme) bool { return p.ID == id })
}

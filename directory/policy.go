package directory

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Policy is one version of the verification policy (domain.md §5.3): data, never code. A released
// version is never edited; a status of the past is derived with the policy then in force.
type Policy struct {
	Version   string                   `yaml:"version" json:"version"`
	ValidFrom Instant                  `yaml:"valid_from" json:"valid_from"`
	Kinds     map[ClaimKind]KindPolicy `yaml:"kinds" json:"kinds"`
	Approved  []ApprovedSource         `yaml:"approved" json:"approved"`
	ByRun     []ClaimKind              `yaml:"settled_by_run" json:"settled_by_run"`
	Screens   []string                 `yaml:"screens" json:"screens"` // exclusion lists that check 5 asks for
	// StateScreens are the lists that check 5 asks for as well of whoever holds a licence or works in the state.
	StateScreens map[State][]string `yaml:"state_screens" json:"state_screens,omitempty"`
	// LookedUp are the kinds that kapdir verify looks up by itself in the sources that are loaded.
	LookedUp []ClaimKind `yaml:"looked_up" json:"looked_up"`

	NotFoundRuns int `yaml:"not_found_runs" json:"not_found_runs"` // searches on different days before no record is said
	ConflictDays int `yaml:"conflict_days" json:"conflict_days"`   // two sources that differ within so many days are in conflict
	ReturnDays   int `yaml:"return_days" json:"return_days"`       // business days in which a returned observation is looked at again

	recordedAt Instant          // when the ledger recorded the release it came with; "" is since ever
	tables     *ReferenceTables // of the same release
}

// Tables returns the reference tables that were recorded together with the policy.
func (p Policy) Tables() *ReferenceTables {
	if p.tables == nil {
		return Tables()
	}
	return p.tables
}

// ScreensFor returns the exclusion lists that must have been searched for somebody who holds a licence or
// works in the states: the federal ones, then those of the states in their order.
func (p Policy) ScreensFor(states []State) []string {
	out := slices.Clone(p.Screens)
	for _, s := range states {
		for _, list := range p.StateScreens[s] {
			if !slices.Contains(out, list) {
				out = append(out, list)
			}
		}
	}
	return out
}

// KindPolicy holds the intervals of one kind of claim, in days; 0 is no limit.
type KindPolicy struct {
	Recheck      int      `yaml:"recheck" json:"recheck"`
	Stale        int      `yaml:"stale" json:"stale"`
	Expiring     int      `yaml:"expiring" json:"expiring"`
	SecondPerson []string `yaml:"second_person" json:"second_person"` // first, change, adverse
}

// ApprovedSource says that a source's answer counts as the issuer's.
type ApprovedSource struct {
	Source       string      `yaml:"source" json:"source"`
	Kinds        []ClaimKind `yaml:"kinds" json:"kinds"`
	Jurisdiction State       `yaml:"jurisdiction" json:"jurisdiction,omitempty"`
}

// Approves reports whether the source may prove a claim of the kind in the jurisdiction.
func (p Policy) Approves(source string, kind ClaimKind, in State) bool {
	for _, a := range p.Approved {
		if a.Source == source && slices.Contains(a.Kinds, kind) && (a.Jurisdiction == "" || a.Jurisdiction == in) {
			return true
		}
	}
	return false
}

// Needs reports whether the kind needs a second person on the occasion: first, change or adverse.
func (p Policy) Needs(kind ClaimKind, occasion string) bool {
	return slices.Contains(p.Kinds[kind].SecondPerson, occasion)
}

// AllScreens returns every exclusion list that check 5 asks for of anybody, in order.
func (p Policy) AllScreens() []string {
	states := make([]State, 0, len(p.StateScreens))
	for s := range p.StateScreens {
		states = append(states, s)
	}
	slices.Sort(states)
	return p.ScreensFor(states)
}

// Policies is every policy of every release of the rules that a ledger has recorded, the release recorded
// first first and within a release the oldest policy first. See ParseRules.
type Policies []Policy

// recordedBy returns the policies of the newest release recorded by k; before the first was recorded, the
// first: a ledger has always worked under some rules.
func (ps Policies) recordedBy(k Instant) Policies {
	first, end := 0, 0
	for i := range ps {
		if i > 0 && ps[i].recordedAt != ps[i-1].recordedAt {
			if ps[i].recordedAt > k {
				break
			}
			first = i
		}
		end = i + 1
	}
	return ps[first:end]
}

// InForce returns the policy in force at t, as recorded by k: of the release known at k, the newest policy
// that is valid from t or before, else the first.
func (ps Policies) InForce(t, k Instant) Policy {
	of := ps.recordedBy(k)
	in := 0
	for i := range of {
		if of[i].ValidFrom <= t {
			in = i
		}
	}
	return of[in]
}

// nextPolicy returns the first moment after t at which, as known at k, another policy comes into force.
func (ps Policies) nextPolicy(t, k Instant) Instant {
	var next Instant
	for _, p := range ps.recordedBy(k) {
		if p.ValidFrom > t {
			next = earliest(next, p.ValidFrom)
		}
	}
	return next
}

// Boundary returns the first moment after t at which, as known at k, another policy comes into force or a
// dated row of the tables begins or ends to hold; "" is never. An answer about a whole file may change
// then, beside the moments at which its claims do.
func (ps Policies) Boundary(t, k Instant) Instant {
	next := ps.nextPolicy(t, k)
	for _, at := range ps.recordedBy(k)[0].Tables().boundaries() {
		if at > t {
			return earliest(next, at)
		}
	}
	return next
}

// ParsePolicy reads a policy file. A key it does not know is an error, so that a misspelt limit cannot be lost.
func ParsePolicy(raw []byte) (Policy, error) {
	var p Policy
	dec := yaml.NewDecoder(strings.NewReader(string(raw)))
	dec.KnownFields(true)
	if err := dec.Decode(&p); err != nil {
		return p, Errorf(Invalid, "policy", "%w", err)
	}
	if p.Version == "" || p.ValidFrom == "" {
		return p, Errorf(Invalid, "policy", "a policy has a version and a valid_from")
	}
	for _, k := range ClaimKinds {
		if _, ok := p.Kinds[k]; !ok {
			return p, Errorf(Invalid, "kinds", "policy %s says nothing of %s", p.Version, k)
		}
	}
	return p, nil
}

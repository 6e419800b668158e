package directory

import (
	"io/fs"
	"slices"
	"sort"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"kapdir/data"
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

	NotFoundRuns int `yaml:"not_found_runs" json:"not_found_runs"` // searches on different days before no record is said
	ConflictDays int `yaml:"conflict_days" json:"conflict_days"`   // two sources that differ within so many days are in conflict
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

// Policies is every released version, the oldest first.
type Policies []Policy

// InForce returns the policy in force at t: the newest that is valid from t or before, else the first.
func (ps Policies) InForce(t Instant) Policy {
	in := ps[0]
	for _, p := range ps {
		if p.ValidFrom <= t {
			in = p
		}
	}
	return in
}

// Boundary returns the first moment after t at which another policy comes into force, or "".
func (ps Policies) Boundary(t Instant) Instant {
	for _, p := range ps {
		if p.ValidFrom > t {
			return p.ValidFrom
		}
	}
	return ""
}

// StandardPolicies returns the policies shipped in data/policies. It panics if they cannot be read,
// which a test of this package finds before a release does.
func StandardPolicies() Policies { return standardPolicies() }

var standardPolicies = sync.OnceValue(func() Policies {
	files, err := fs.Glob(data.FS, "policies/*.yaml")
	if err != nil || len(files) == 0 {
		panic("data/policies holds no policy")
	}
	var all Policies
	for _, f := range files {
		raw, err := fs.ReadFile(data.FS, f)
		if err != nil {
			panic(err)
		}
		p, err := ParsePolicy(raw)
		if err != nil {
			panic(f + ": " + err.Error())
		}
		all = append(all, p)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ValidFrom < all[j].ValidFrom })
	return all
})

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

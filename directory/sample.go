package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// SampleMethod names how Draw draws: by the hash of the seed, a line feed and the identifier.
const SampleMethod = "sha256-seed-lf-id"

// SampleKey is what Draw orders a universe by.
func SampleKey(seed string, id ID) string {
	h := sha256.Sum256([]byte(seed + "\n" + string(id)))
	return hex.EncodeToString(h[:])
}

// Draw returns the n identifiers whose hexadecimal SHA-256 of seed, a line feed and identifier is smallest, in that
// order. It depends on nothing but its arguments, and not on the order of the universe, so that anybody who has the
// seed draws the same.
func Draw(universe []ID, seed string, n int) []ID {
	type keyed struct {
		key string
		id  ID
	}
	all := make([]keyed, len(universe))
	for i, id := range universe {
		all[i] = keyed{SampleKey(seed, id), id}
	}
	slices.SortFunc(all, func(a, b keyed) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(string(a.id), string(b.id)))
	})
	out := make([]ID, 0, n)
	for _, x := range all[:min(n, len(all))] {
		out = append(out, x.id)
	}
	return out
}

// PlainCells marks as text what a spreadsheet would take for a formula.
func PlainCells(row []string) []string {
	out := slices.Clone(row)
	for i, c := range out {
		if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
			out[i] = "'" + c
		}
	}
	return out
}

// DeskMetrics is how the desk does at a moment.
type DeskMetrics struct {
	Kinds []KindMetrics `json:"kinds"` // in the order of CaseKinds; those without any case are left out
}

// KindMetrics is how the cases of a kind do.
type KindMetrics struct {
	Kind   CaseKind `json:"kind"`
	Open   int      `json:"open"`
	Late   int      `json:"late"`
	Oldest Date     `json:"oldest,omitempty"` // when the oldest open one was opened
	Ages   [4]int   `json:"ages"`             // open for at most 2, 7, 30 and more days
	Closed int      `json:"closed"`           // in the period
	InTime int      `json:"in_time"`          // of those, by their last day
	Median int      `json:"median"`           // days from opened to closed, of those
	Slow   int      `json:"slow"`             // days within which nine of ten were closed
}

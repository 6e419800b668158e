package search

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kapdir/directory"
)

func TestTally(t *testing.T) {
	if n := len(directory.CheckNames) * len(directory.CheckResults); n > 64 {
		t.Errorf("the %d results of checks do not fit into a word", n)
	}
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.Uint64(), 0, 300).Draw(t, "words")
		got, want := make([]int32, 64), make([]int32, 64)
		var sum tally
		for _, w := range words {
			sum.add(w)
			eachBit(w, func(b int) { want[b]++ })
		}
		if sum.into(got); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

package web

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is written by hand is what encoding/json writes.
func TestSearchAnswerIsJSON(t *testing.T) {
	s := demoServer(t)
	for _, q := range append([]string{
		"q=i+want+to+die", "q=near+me", "state=CO&focus=trauma&focus=depression&care=full_kap&telehealth=CO&price_max=900", "near=Springfield", "near=Denver,+CO&radius=20",
		"q=walk+ins+boulder+purple&state=CO", "q=kapp+thraupist&limit=1", "facets=none", "facets=state&facets=care",
	}, searches...) {
		r := get(t, s, "/api/v1/providers?"+q)
		again, err := encodeJSON(decode[searchAnswer](t, r))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(again), r.body); d != "" {
			t.Errorf("%s (-encoding/json +ours):\n%s", q, d)
		}
	}
}

package store

import (
	"bytes"
	"slices"
	"testing"

	"kapdir/directory"
)

// testChangePage follows the feed by pages of every size while people come, change, are merged and are removed: nobody
// is missed, nothing is told twice, and the numbers rise.
func testChangePage(t *testing.T, c Config) {
	s := open(t, c)
	page := must(s.ChangePage(ctx, 0, 10))
	if len(page.Changes) != 0 || page.Next != 0 || page.More {
		t.Fatalf("of an empty store: %+v", page)
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara(), ana(), ben())
	for limit := 1; limit <= 4; limit++ {
		var seen []directory.ID
		after, last := int64(0), int64(0)
		for {
			page := must(s.ChangePage(ctx, after, limit))
			if len(page.Changes) > limit || page.More && len(page.Changes) < limit || page.More && page.Next != page.Changes[limit-1].Seq || !page.More && page.Next != page.Head.Public {
				t.Fatalf("limit %d after %d: %d changes, next %d, more %v, head %+v", limit, after, len(page.Changes), page.Next, page.More, page.Head)
			}
			for _, ch := range page.Changes {
				if ch.Seq <= last || ch.Seq <= after || ch.Seq > page.Head.Public || slices.Contains(seen, ch.Provider) || ch.File == nil || ch.File.Provider.ID != ch.Provider || ch.File.Provider.Seq != ch.Seq {
					t.Errorf("limit %d: %d %s after %d", limit, ch.Seq, ch.Provider, last)
				}
				last = ch.Seq
				seen = append(seen, ch.Provider)
			}
			if after = page.Next; !page.More {
				break
			}
		}
		if all := must(s.Listed(ctx)); len(seen) != len(all) || len(all) < 3 {
			t.Errorf("limit %d: %d told of %d", limit, len(seen), len(all))
		}
	}
	head := must(s.Head(ctx)).Public
	if page := must(s.ChangePage(ctx, head, 10)); len(page.Changes) != 0 || page.Next != head || page.More {
		t.Errorf("after the last: %+v", page)
	}
	// What no public face hears of moves nothing here: neither the page nor where to go on.
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("z", "Nobody Known", ""))
	after := must(s.Head(ctx))
	page = must(s.ChangePage(ctx, head, 10))
	for _, ch := range page.Changes {
		if ch.File == nil {
			t.Errorf("%d %s has no file", ch.Seq, ch.Provider)
		}
	}
	if page.Next != after.Public {
		t.Errorf("next is %d, public %d of %d", page.Next, after.Public, after.Seq)
	}
}

// testUnfitCopy holds what makes a copy of what was public unfit to be shown: not that something became known or grew
// old, but that it was taken back.
func testUnfitCopy(t *testing.T, c Config) {
	clk := newClock()
	c.Now, c.SuppressionKey = clk.now, bytes.Repeat([]byte{7}, 32)
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	head := func() int64 { return must(s.Head(ctx)).Public }
	expect := func(after int64, want bool, what string) {
		t.Helper()
		if got := must(s.TakenBack(ctx, after)); got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		if must(s.TakenBack(ctx, head())) {
			t.Errorf("%s: after the last number too", what)
		}
	}
	begun := head()
	provider, claim := x.person(directory.SeenActive, false)
	expect(begun, false, "somebody came")
	q := x.theCase(provider)
	before := head()
	confirm := x.must(x.decide("kim", "confirm", q.Case, x.claim(claim).Seen))
	expect(before, false, "an observation was confirmed")
	before = head()
	x.must(x.act("kim", directory.Correction, claim, confirm.Body.Of))
	expect(before, true, "a record was corrected")
	before = head()
	q = x.theCase(provider)
	second := x.must(x.decide("pat", "confirm", q.Case, x.claim(claim).Seen))
	expect(before, false, "the correction was confirmed")
	before = head()
	x.must(x.act("kim", directory.Voiding, claim, second.Seq))
	expect(before, true, "a review was voided")
	before = head()
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("c", "Far Away", ""))
	must(s.TouchDue(ctx, directory.At(noon.AddDate(0, 4, 0)), 100))
	if head() == before {
		t.Error("nothing changed by an import and by time")
	}
	expect(before, false, "a list was imported and time passed")
	before = head()
	req := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: provider}))
	expect(before, false, "a removal was asked for")
	must(s.DecideRemoval(ctx, directory.RemovalDecision{ID: req.ID, Do: "accept", Staff: "lee", Auth: "test"}))
	expect(before, true, "a removal was accepted")
	expect(begun, true, "since the beginning")
}

package store

import (
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

package web

import (
	"hash/maphash"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// What is counted is forgotten when its window ends, though nobody comes; the next window knows nothing of the last.
func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTally(time.Minute)
		x.most = 2
		a, b, c := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::"), netip.MustParseAddr("203.0.113.9")
		for i := range 3 {
			if got, want := take(x, a, 3), (taken{true, 2 - i, time.Minute - time.Duration(i)*time.Second}); got != want {
				t.Errorf("request %d: %+v, want %+v", i, got, want)
			}
			time.Sleep(time.Second)
		}
		if got, want := take(x, a, 3), (taken{false, 0, 57 * time.Second}); got != want {
			t.Errorf("the one too many: %+v, want %+v", got, want)
		}
		if got := take(x, a, 5); !got.ok || got.left != 1 {
			t.Errorf("with a larger quota: %+v", got)
		}
		if got := take(x, b, 1); !got.ok || got.left != 0 {
			t.Errorf("another: %+v", got)
		}
		for range 3 { // there is no room to count them
			if got := take(x, c, 1); !got.ok || got.left != 1 {
				t.Errorf("one more than is counted: %+v", got)
			}
		}
		was := x.seed
		time.Sleep(57 * time.Second)
		synctest.Wait()
		if x.held != nil || x.seed != (maphash.Seed{}) {
			t.Error("who asked is kept beyond the window")
		}
		if got := take(x, a, 3); !got.ok || got.left != 2 || x.seed == was {
			t.Errorf("the next window is not a new one: %+v", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
	})
}

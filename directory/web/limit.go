package web

import (
	"hash/maphash"
	"sync"
	"time"
)

// tally counts requests by whom they come from, in windows that begin with the first request after the last one ended.
// What is counted is held as a hash with a seed of the window, and both are forgotten when the window ends, whether
// anybody comes or not. Libraries for this keep what they count by name, and longer than they count it.
type tally struct {
	window time.Duration
	most   int // counted at once; who comes when so many are there is not counted, for they had as many addresses

	mu   sync.Mutex
	seed maphash.Seed
	ends time.Time
	held map[uint64]int // nil between windows
}

func newTally(window time.Duration) *tally { return &tally{window: window, most: 100_000} }

// taken is what became of a request.
type taken struct {
	ok   bool
	left int           // of the quota, after this request
	ends time.Duration // until the window ends
}

// take counts a request of whoever has the key, and reports that it is within the quota. One that is not costs nothing.
func take[K comparable](t *tally, key K, quota int) taken {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.seed, t.ends, t.held = maphash.MakeSeed(), now.Add(t.window), map[uint64]int{}
		time.AfterFunc(t.window, t.forget)
	}
	h := maphash.Comparable(t.seed, key)
	n, known := t.held[h]
	out := taken{ok: n < quota, ends: max(0, t.ends.Sub(now))}
	if out.ok && (known || len(t.held) < t.most) {
		n++
		t.held[h] = n
	}
	out.left = max(0, quota-n)
	return out
}

func (t *tally) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seed, t.held = maphash.Seed{}, nil
}

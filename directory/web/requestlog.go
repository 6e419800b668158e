package web

import (
	"log/slog"
	"sync"
	"time"
)

// logEvery is how long a request may wait to be in the log.
const logEvery = time.Second

// requestLine is what the log says of a request: the route's pattern, the method, the status and how long it took in steps.
// No address, no query, no identifier, nothing of who asked.
type requestLine struct {
	route, method string
	status        int
	took          string
}

// requestLog counts requests, and writes every second what it counted: a line for each kind there was, with the number
// of them. So a line costs what it says and not who asks often, and nobody reads from the log at which moment somebody
// asked. A crash that runs no more code loses what was counted within the last second.
type requestLog struct {
	log  *slog.Logger
	mu   sync.Mutex
	held map[requestLine]int // nil when nothing was counted since it was written last
	turn sync.Mutex          // of whoever writes
}

func (x *requestLog) count(l requestLine) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.held == nil {
		x.held = map[requestLine]int{}
		time.AfterFunc(logEvery, x.write)
	}
	x.held[l]++
}

// write writes what was counted. When it returns, what another took to write is written too.
func (x *requestLog) write() {
	x.turn.Lock()
	defer x.turn.Unlock()
	x.mu.Lock()
	held := x.held
	x.held = nil
	x.mu.Unlock()
	for l, n := range held {
		x.log.Info("requests", "route", l.route, "method", l.method, "status", l.status, "took", l.took, "count", n)
	}
}

func bucket(d time.Duration) string {
	for _, b := range []struct {
		under time.Duration
		name  string
	}{{10 * time.Millisecond, "<10ms"}, {50 * time.Millisecond, "<50ms"}, {200 * time.Millisecond, "<200ms"}, {time.Second, "<1s"}} {
		if d < b.under {
			return b.name
		}
	}
	return ">=1s"
}

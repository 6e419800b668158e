package web

import (
	"context"
	"sync"
	"time"
)

// deadlineContext is a context that ends at a moment. One of context.WithTimeout has its timer and a goroutine's way to be told
// from the start; most requests end before anybody asks for either, so that this one makes them when somebody does.
type deadlineContext struct {
	end time.Time

	mu    sync.Mutex
	done  chan struct{} // nil until somebody waits
	timer *time.Timer
	err   error
}

func (p *deadlineContext) Deadline() (time.Time, bool) { return p.end, true }

func (p *deadlineContext) Value(any) any { return nil }

func (p *deadlineContext) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done == nil {
		p.done = make(chan struct{})
		if p.err != nil {
			close(p.done)
		} else {
			p.timer = time.AfterFunc(time.Until(p.end), func() { p.over(context.DeadlineExceeded) })
		}
	}
	return p.done
}

func (p *deadlineContext) Err() error {
	p.mu.Lock()
	err := p.err
	p.mu.Unlock()
	if err == nil && !time.Now().Before(p.end) {
		p.over(context.DeadlineExceeded)
		return context.DeadlineExceeded
	}
	return err
}

// over ends the context, unless it has ended.
func (p *deadlineContext) over(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	if p.err = why; p.done != nil {
		p.timer.Stop()
		close(p.done)
	}
}

func (p *deadlineContext) cancel() { p.over(context.Canceled) }

// deadline bounds a request's work by our own clock: Fiber's context ends at shutdown at once, and
// never when the client goes.
func (s *Server) deadline(d time.Duration) (context.Context, context.CancelFunc) {
	p := &deadlineContext{end: time.Now().Add(d)}
	return p, p.cancel
}

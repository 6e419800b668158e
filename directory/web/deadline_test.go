package web

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// A request's context ends as one of context.WithTimeout does, whether or not somebody waits for it, and tells whoever
// was derived from it.
func TestDeadline(t *testing.T) {
	s := &Server{}
	for name, wait := range map[string]bool{"nobody waits": false, "somebody waits": true} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := s.deadline(time.Hour)
			child, stop := context.WithCancel(context.Background())
			if wait {
				child, stop = context.WithCancel(ctx)
			}
			defer stop()
			if end, ok := ctx.Deadline(); !ok || time.Until(end) < 59*time.Minute || ctx.Err() != nil {
				t.Errorf("it ends at %v, %v", end, ctx.Err())
			}
			cancel()
			cancel()
			if wait {
				<-child.Done()
			}
			<-ctx.Done()
			if err := ctx.Err(); err != context.Canceled {
				t.Errorf("ended with %v", err)
			}

			ctx, cancel = s.deadline(5 * time.Millisecond)
			defer cancel()
			if wait {
				child, stop := context.WithCancel(ctx)
				defer stop()
				<-child.Done()
				if !errors.Is(context.Cause(child), context.DeadlineExceeded) {
					t.Errorf("the child ended with %v", context.Cause(child))
				}
			}
			outwait(ctx)
			if err := ctx.Err(); err != context.DeadlineExceeded {
				t.Errorf("ran out with %v", err)
			}
			cancel()
			if err := ctx.Err(); err != context.DeadlineExceeded {
				t.Errorf("cancelled later it says %v", err)
			}
		})
	}
	ctx, cancel := s.deadline(time.Hour)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { <-ctx.Done() })
		all.Go(func() { _ = ctx.Err() })
	}
	cancel()
	all.Wait()
}

// outwait waits without asking for the context's channel until its time is over.
func outwait(ctx context.Context) {
	for ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
}

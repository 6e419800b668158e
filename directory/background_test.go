package directory

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Pieces of the background come one after the other, and all of them take a fifth of the time.
func TestBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBackground()
		var at atomic.Int32
		var all sync.WaitGroup
		begun := time.Now()
		for range 3 {
			all.Go(func() {
				for range 10 {
					err := b.Do(t.Context(), func() error {
						if at.Add(1) != 1 {
							t.Error("two pieces at once")
						}
						time.Sleep(10 * time.Millisecond)
						at.Add(-1)
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took != 30*50*time.Millisecond {
			t.Errorf("30 pieces of 10 ms took %v", took)
		}
	})
}

// Who waits or rests ends with the context; a piece that fails says so at once, and gives its turn on.
func TestBackgroundEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBackground()
		broken := errors.New("broken")
		if err := b.Do(t.Context(), func() error { return broken }); err != broken {
			t.Errorf("%v, want %v", err, broken)
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		rests := make(chan error)
		go func() { rests <- b.Do(ctx, func() error { time.Sleep(500 * time.Millisecond); return nil }) }()
		synctest.Wait()
		if err := b.Do(ctx, func() error { t.Error("worked out of turn"); return nil }); err != context.DeadlineExceeded {
			t.Errorf("who waited: %v", err)
		}
		if err := <-rests; err != context.DeadlineExceeded {
			t.Errorf("who rested: %v", err)
		}
		if err := (*Background)(nil).Do(ctx, func() error { return nil }); err != nil {
			t.Errorf("without a turn: %v", err)
		}
	})
}

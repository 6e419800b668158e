package directory

import (
	"context"
	"time"
)

// Background is the turn of whatever a server does that nobody waits for: audits, exports, notices of what an import
// brought. People are answered on the same cores, so the pieces of all such work come one after the other, and after
// each there is rest. A nil Background is for a command that does nothing else: it never waits.
type Background struct{ turn chan struct{} }

// backgroundRest is how many times as long as a piece took its rest is.
const backgroundRest = 4

// NewBackground makes the turn of one server.
func NewBackground() *Background { return &Background{make(chan struct{}, 1)} }

// Do does a piece of work in its turn, and rests. A piece should take some milliseconds. It returns the work's error, or
// that of the context when it ends while Do waits or rests.
func (b *Background) Do(ctx context.Context, piece func() error) error {
	if b == nil {
		return piece()
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	begun := time.Now()
	if err := piece(); err != nil {
		return err
	}
	return Pause(ctx, backgroundRest*time.Since(begun))
}

// Pause waits, or returns the error of a context that ends first.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

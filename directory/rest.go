package directory

import (
	"context"
	"time"
)

// BackgroundRest is how many times as long as it works whatever works in the background of a server rests. People are
// answered on the same cores, and what can wait is done in a few minutes all the same.
const BackgroundRest = 4

// Rest waits times as long as has passed since begun. It ends early with the context, and returns its error.
func Rest(ctx context.Context, times int, begun time.Time) error {
	wait := time.NewTimer(time.Duration(times) * time.Since(begun))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

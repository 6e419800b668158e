package directory

import (
	"errors"
	"io/fs"
	"testing"
)

func TestErrorSaysItsCauseOnce(t *testing.T) {
	for _, x := range []struct {
		err  error
		want string
	}{
		{Errorf(NotFound, "", "the export cannot be read: %w", fs.ErrNotExist), "the export cannot be read: file does not exist"},
		{&Error{Kind: Internal, Op: "store.File", Cause: fs.ErrNotExist}, "store.File: internal: file does not exist"},
	} {
		if got := x.err.Error(); got != x.want || !errors.Is(x.err, fs.ErrNotExist) {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
}

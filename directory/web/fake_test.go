package web

import (
	"context"
	"errors"
	"testing"

	"kapdir/directory"
	"kapdir/search"
)

// altered is the demonstration's store with something changed: a file, an error, a wait.
type altered struct {
	Reader
	file   func(directory.ID) (*directory.CredentialFile, error) // nil answer: the store's own
	err    error                                                 // of every call
	wait   func(context.Context) error
	listed []directory.ID
	head   func() // before every look at it
}

func (a altered) File(ctx context.Context, id directory.ID) (*directory.CredentialFile, error) {
	if a.wait != nil {
		if err := a.wait(ctx); err != nil {
			return nil, err
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	if a.file != nil {
		if f, err := a.file(id); f != nil || err != nil {
			return f, err
		}
	}
	return a.Reader.File(ctx, id)
}

func (a altered) Head(ctx context.Context) (directory.Head, error) {
	if a.head != nil {
		a.head()
	}
	if a.err != nil {
		return directory.Head{}, a.err
	}
	return a.Reader.Head(ctx)
}

func (a altered) Files(ctx context.Context, ids []directory.ID) ([]*directory.CredentialFile, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.Reader.Files(ctx, ids)
}

func (a altered) Sources(ctx context.Context) ([]directory.SourceState, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.Reader.Sources(ctx)
}

func (a altered) Listed(ctx context.Context) ([]directory.ID, error) {
	if a.err != nil {
		return nil, a.err
	}
	if a.listed != nil {
		return a.listed, nil
	}
	return a.Reader.Listed(ctx)
}

// finder is a search that answers as it is told.
type finder struct {
	Searcher
	search func(context.Context, search.Query) (search.Result, error)
	status *search.Status
}

func (f finder) Search(ctx context.Context, q search.Query) (search.Result, error) {
	if f.search != nil {
		return f.search(ctx, q)
	}
	return f.Searcher.Search(ctx, q)
}

func (f finder) Status(ctx context.Context) search.Status {
	if f.status != nil {
		return *f.status
	}
	return f.Searcher.Status(ctx)
}

// with serves the demonstration with an altered store.
func with(t testing.TB, a altered) *Server {
	t.Helper()
	return demoServer(t, func(c *Config) {
		a.Reader = c.Reader
		c.Reader = a
	})
}

var errDisk = directory.Errorf(directory.Unavailable, "", "%w", errors.New("disk I/O error at /var/lib/kapdir/secret.db"))

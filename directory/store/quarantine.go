package store

import (
	"context"
	"database/sql"

	"kapdir/directory"
)

// Quarantined is a row or a value that an import could not take, with the run that met it. Text is what may
// be held of it, which is nothing where any part of it must not be.
type Quarantined struct {
	Run    int64  `json:"run"`
	Source string `json:"source"`
	directory.Reject
}

// QuarantineOf says which rows are asked for. The zero value asks for all.
type QuarantineOf struct {
	Run    int64  // 0 is every run
	Source string // "" is every source
	Line   int    // 0 is every line
	File   string
}

// EachQuarantined calls f with what the quarantine holds, the newest run first, then by file and line. That a
// row stands there says only what became of it in that run: a later one may have taken it.
func (s *Store) EachQuarantined(ctx context.Context, of QuarantineOf, f func(Quarantined) error) error {
	return s.read(ctx, "store.EachQuarantined", func(t *tx) error {
		return t.each(`SELECT run.number, run.source, reject.file, reject.line, reject.field, reject.reason, reject.text
			FROM reject JOIN run ON run.id = reject.run
			WHERE ($1 = 0 OR run.number = $1) AND ($2 = '' OR run.source = $2) AND ($3 = 0 OR reject.line = $3) AND ($4 = '' OR reject.file = $4)
			ORDER BY run.number DESC, reject.file, reject.line, reject.field, reject.reason`, []any{of.Run, of.Source, of.Line, of.File}, func(r *sql.Rows) error {
			var q Quarantined
			if err := r.Scan(&q.Run, &q.Source, &q.File, &q.Line, &q.Field, &q.Reason, &q.Text); err != nil {
				return err
			}
			return f(q)
		})
	})
}

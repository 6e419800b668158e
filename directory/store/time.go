package store

import (
	"context"

	"kapdir/directory"
)

// NextDue returns the first moment at which TouchDue will have something to do, if nothing is written
// before; "" is never. It may have passed.
func (s *Store) NextDue(ctx context.Context) (directory.Instant, error) {
	var next directory.Instant
	err := s.glance(ctx, "store.NextDue", func(t *tx) error { // > and not <>, for which SQLite reads every provider
		_, err := t.one(`SELECT valid_until FROM provider WHERE valid_until > '' AND listed = 1 AND withdrawn = 0 AND merged_into = '' ORDER BY valid_until LIMIT 1`, nil, &next)
		return err
	})
	return next, err
}

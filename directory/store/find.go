package store

import (
	"context"
	"database/sql"

	"kapdir/directory"
)

// Find returns the id of the public provider that ref names. Nobody is directory.NotFound, several are
// directory.Conflict. An id is returned as it is: File says what became of it.
func (s *Store) Find(ctx context.Context, ref directory.ProviderRef) (directory.ID, error) {
	if ref.ID != "" {
		return ref.ID, nil
	}
	var ids []directory.ID
	err := s.read(ctx, "store.Find", func(t *tx) error {
		scan := func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		}
		const public = ` AND p.listed = 1 AND p.withdrawn = 0 AND p.merged_into = '' ORDER BY p.id LIMIT 2`
		switch {
		case ref.NPI != "":
			return t.each(`SELECT DISTINCT p.id FROM provider_block b JOIN provider p ON p.id = b.provider WHERE b.block = $1`+public, []any{"npi:" + string(ref.NPI)}, scan)
		case ref.Source != "" && ref.Key != "":
			return t.each(`SELECT p.id FROM source_record r JOIN provider p ON p.id = r.provider WHERE r.source = $1 AND r.key = $2`+public,
				[]any{ref.Source, clean(ref.Key)}, scan)
		}
		return directory.Errorf(directory.Invalid, "provider", "name a provider by id, by NPI, or by source and key")
	})
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", directory.Errorf(directory.NotFound, "provider", "there is no such provider: %s", refText(ref))
	case len(ids) > 1:
		return "", directory.Errorf(directory.Conflict, "provider", "several providers have it: %s; name one by its id", refText(ref))
	}
	return ids[0], nil
}

package store

import (
	"context"
	"database/sql"
	"strings"

	"kapdir/directory"
)

// NPIs returns the numbers of the providers that the directory has, in order: stated by a listing, or of
// an NPPES record that names them.
func (s *Store) NPIs(ctx context.Context) ([]directory.NPI, error) {
	var out []directory.NPI
	err := s.read(ctx, "store.NPIs", func(t *tx) error {
		return t.each(`SELECT DISTINCT block FROM provider_block WHERE block >= 'npi:' AND block < 'npi;' ORDER BY block`, nil, func(r *sql.Rows) error {
			var block string
			err := r.Scan(&block)
			out = append(out, directory.NPI(strings.TrimPrefix(block, "npi:")))
			return err
		})
	})
	return out, err
}

// NPIs is Store.NPIs.
func (p *Preview) NPIs(ctx context.Context) ([]directory.NPI, error) { return p.s.NPIs(ctx) }

// keepNames lets a deactivated number keep what is held of the provider whom its record names. NPPES blanks
// the row of such a number, all but the day: names, former ones too, and addresses stay what matching and
// screening know them by, and only the life cycle moves on. What the row itself says stays its evidence, and
// its hash, so that the same blank row again changes nothing.
func (w *work) keepNames(source string, rows []*row, before map[string]*row) error {
	blank := map[string]*row{}
	var keys []string
	for _, r := range rows {
		if old := before[r.key]; r.kind == "identity" && r.record.Identity.Kind == "" && old != nil && old.provider != "" {
			blank[r.key] = r
			keys = append(keys, r.key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	held, err := w.rows(`WHERE source = $1 AND key IN (%s)`, []any{source}, keys)
	if err != nil {
		return err
	}
	for _, old := range held {
		r := blank[old.key]
		now, kept := r.record.Identity, *old.record.Identity
		kept.Deactivated = now.Deactivated
		if kept.Reactivated < now.Deactivated { // one that came later than this day stands
			kept.Reactivated = ""
		}
		if now.Replacement != "" {
			kept.Replacement = now.Replacement
		}
		r.record.Identity = &kept
		if r.packed, err = packRecord(r.record); err != nil {
			return err
		}
		r.subject = nil
		r.ready()
	}
	return nil
}

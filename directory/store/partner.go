package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"kapdir/directory"
)

// AddPartner writes what is known of a partner, whose files can be imported from then on; one that is known
// already is corrected. What directory.CheckPartner refuses is refused.
func (s *Store) AddPartner(ctx context.Context, info directory.SourceInfo) error {
	op := "store.AddPartner " + info.ID
	info, err := directory.CheckPartner(info)
	if err != nil {
		return s.fault(op, err)
	}
	doc, err := json.Marshal(info)
	if err != nil {
		return s.fault(op, err)
	}
	err = s.write(ctx, op, func(w *work) error {
		return w.insert(`INSERT INTO partner (id, doc)`, [][]any{{info.ID, clean(string(doc))}}, `ON CONFLICT (id) DO UPDATE SET doc = excluded.doc`)
	})
	if err == nil {
		directory.LearnPartners([]directory.SourceInfo{info})
	}
	return err
}

// LearnPartners makes the partners that the store holds known to this process. A server calls it again and
// again, for another process may have added one.
func (s *Store) LearnPartners(ctx context.Context) error {
	var all []directory.SourceInfo
	err := s.glance(ctx, "store.LearnPartners", func(t *tx) error {
		return t.each(`SELECT doc FROM partner`, nil, func(r *sql.Rows) error {
			var doc string
			if err := r.Scan(&doc); err != nil {
				return err
			}
			all = append(all, directory.SourceInfo{})
			return json.Unmarshal([]byte(doc), &all[len(all)-1])
		})
	})
	if err == nil && len(all) > 0 {
		directory.LearnPartners(all)
	}
	return err
}

package store

import (
	"context"
	"database/sql"
	"slices"

	"kapdir/directory"
)

// Recorded calls f for every event recorded in the period: see View.EachChange.
func (s *Store) Recorded(ctx context.Context, from, to directory.Instant, f func(e directory.Event, provider directory.ID, kind directory.ClaimKind) error) error {
	return s.View(ctx, func(v *View) error { return v.EachChange(from, to, f) })
}

// Metrics says how the desk does: what is open, and what was closed since the moment.
func (s *Store) Metrics(ctx context.Context, since directory.Instant) (out directory.DeskMetrics, err error) {
	now := s.now()
	days := map[directory.CaseKind][]int{}
	by := map[directory.CaseKind]*directory.KindMetrics{}
	err = s.read(ctx, "store.Metrics", func(t *tx) error {
		return t.each(`SELECT kind, opened, closed, due FROM cases WHERE closed = '' AND hidden < 2 OR closed >= $1 AND closed <> ''`, []any{since}, func(r *sql.Rows) error {
			var kind directory.CaseKind
			var opened, closed directory.Instant
			var due directory.Date
			if err := r.Scan(&kind, &opened, &closed, &due); err != nil {
				return err
			}
			m := by[kind]
			if m == nil {
				m = &directory.KindMetrics{Kind: kind}
				by[kind] = m
			}
			if closed != "" {
				m.Closed++
				if due == "" || closed.Date() <= due {
					m.InTime++
				}
				days[kind] = append(days[kind], int(closed.Time().Sub(opened.Time()).Hours()/24))
				return nil
			}
			m.Open++
			if due != "" && due < now.Date() {
				m.Late++
			}
			if day := opened.Date(); m.Oldest == "" || day < m.Oldest {
				m.Oldest = day
			}
			age, place := now.Time().Sub(opened.Time()).Hours()/24, 3
			for i, most := range []float64{2, 7, 30} {
				if age <= most {
					place = i
					break
				}
			}
			m.Ages[place]++
			return nil
		})
	})
	for _, k := range directory.CaseKinds {
		if m := by[k.Kind]; m != nil {
			if d := days[k.Kind]; len(d) > 0 {
				slices.Sort(d)
				m.Median, m.Slow = d[len(d)/2], d[min(len(d)-1, len(d)*9/10)]
			}
			out.Kinds = append(out.Kinds, *m)
		}
	}
	return out, err
}

package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"kapdir/directory"
)

// Recorded calls f for every event recorded in the period: see View.EachChange.
func (s *Store) Recorded(ctx context.Context, from, to directory.Instant, f func(e directory.Event, provider directory.ID, kind directory.ClaimKind) error) error {
	return s.View(ctx, func(v *View) error { return v.EachChange(from, to, f) })
}

// DeskActs returns what was done at the desk in the period besides events, in order of time: by the staff member, or by
// everybody.
func (s *Store) DeskActs(ctx context.Context, from, to directory.Instant, staff string) (out []directory.DeskAct, err error) {
	err = s.read(ctx, "store.DeskActs", func(t *tx) error {
		scan := func(r *sql.Rows) error {
			var a directory.DeskAct
			err := r.Scan(&a.At, &a.Staff, &a.Do, &a.Case, &a.Kind, &a.Provider, &a.To, &a.From, &a.Evidence, &a.Note)
			out = append(out, a)
			return err
		}
		for _, q := range []string{
			`SELECT h.at, h.staff, h.act, h.id, coalesce(c.kind, ''), coalesce(c.provider, ''), h.to_whom, h.from_whom, '', h.note FROM case_handing h LEFT JOIN cases c ON c.id = h.id
				WHERE h.at >= $1 AND h.at <= $2 AND ($3 = '' OR h.staff = $3) ORDER BY h.number`,
			`SELECT e.at, e.staff, CASE WHEN e.paper <> '' THEN 'paper' WHEN v.meta LIKE '%"method":"mail"%' THEN 'mail' ELSE 'phone' END, e.id, coalesce(c.kind, ''), e.provider, '', '', e.evidence, e.note
				FROM case_evidence e LEFT JOIN cases c ON c.id = e.id LEFT JOIN evidence v ON v.sha256 = e.evidence
				WHERE e.at >= $1 AND e.at <= $2 AND ($3 = '' OR e.staff = $3) ORDER BY e.number`,
			`SELECT r.decided, r.staff, r.state, r.id, 'removal_request', r.provider, '', '', '', r.note FROM removal r
				WHERE r.decided >= $1 AND r.decided <= $2 AND r.staff <> '' AND ($3 = '' OR r.staff = $3) ORDER BY r.id`,
		} {
			if err := t.each(q, []any{from, to, staff}, scan); err != nil {
				return err
			}
		}
		slices.SortStableFunc(out, func(a, b directory.DeskAct) int { return strings.Compare(string(a.At), string(b.At)) })
		return nil
	})
	return out, err
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

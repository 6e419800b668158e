package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"kapdir/directory"
)

// Cases returns what waits for a person, the most harmful kind first and the oldest first within it; with
// openOnly false, closed cases too.
func (s *Store) Cases(ctx context.Context, openOnly bool, limit int) ([]directory.Case, error) {
	var out []directory.Case
	err := s.read(ctx, "store.Cases", func(t *tx) error {
		return t.each(`SELECT id, kind, provider, claim, source, key, event, agreed, opened, closed FROM cases WHERE closed = '' OR $1 = 0
			ORDER BY CASE kind WHEN 'possible_exclusion' THEN 1 WHEN 'adverse' THEN 2 WHEN 'conflict' THEN 3 WHEN 'indeterminate' THEN 4
				WHEN 'possible_duplicate' THEN 5 WHEN 'first_verification' THEN 6 ELSE 7 END, opened, id LIMIT $2`,
			[]any{truth(openOnly), limit}, func(r *sql.Rows) error {
				var c directory.Case
				var agreed string
				if err := r.Scan(&c.ID, &c.Kind, &c.Provider, &c.Claim, &c.Source, &c.Key, &c.Event, &agreed, &c.Opened, &c.Closed); err != nil {
					return err
				}
				out = append(out, c)
				return json.Unmarshal([]byte(agreed), &out[len(out)-1].Match)
			})
	})
	return out, err
}

// TouchDue writes a numbered change for every provider whose answer has changed by time alone since it
// was last computed, at most limit of them, and for those linked to them by oversight. n counts the
// providers that were due; with n equal to limit there may be more.
func (s *Store) TouchDue(ctx context.Context, now directory.Instant, limit int) (n int, err error) {
	err = s.write(ctx, "store.TouchDue", func(w *work) error {
		var due []directory.ID
		err := w.each(`SELECT id FROM provider WHERE valid_until <> '' AND valid_until <= $1 AND listed = 1 AND withdrawn = 0 AND merged_into = ''
			ORDER BY valid_until, id LIMIT $2`, []any{now, limit}, func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			due = append(due, id)
			return err
		})
		if err != nil {
			return err
		}
		w.now = max(w.now, now)
		held, err := w.briefs(due, "", w.now)
		if err != nil {
			return err
		}
		w.holdBriefs(held)
		for _, h := range held {
			h.change("due")
		}
		n = len(due)
		return nil
	})
	return n, err
}

// AcquireLease takes or renews the lease of a name for the holder; it reports whether the holder has it
// now. A lease that has run out can be taken by anybody.
func (s *Store) AcquireLease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	var ok bool
	err := s.write(ctx, "store.AcquireLease "+name, func(w *work) error {
		n, err := w.exec(`INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE
			SET holder = excluded.holder, until = excluded.until WHERE lease.holder = excluded.holder OR lease.until <= $4`,
			name, holder, w.now.Add(ttl), w.now)
		ok = n == 1
		return err
	})
	return ok, err
}

// RequestRebuild asks running servers to rebuild their index.
func (s *Store) RequestRebuild(ctx context.Context) error {
	return s.write(ctx, "store.RequestRebuild", func(w *work) error {
		_, err := w.exec(`INSERT INTO request (name, count) VALUES ('rebuild', 1) ON CONFLICT (name) DO UPDATE SET count = request.count + 1`)
		return err
	})
}

// RebuildRequested returns how often a rebuild was asked for. A server remembers the answer it started
// with, and rebuilds when it has grown: several servers each see each request.
func (s *Store) RebuildRequested(ctx context.Context) (int64, error) {
	var n int64
	err := s.read(ctx, "store.RebuildRequested", func(t *tx) error {
		_, err := t.one(`SELECT count FROM request WHERE name = 'rebuild'`, nil, &n)
		return err
	})
	return n, err
}

// newCase is a case to be opened when the work is written.
type newCase struct {
	directory.Case
	event *newEvent // whose number it takes; nil when no event was appended
}

// openCase asks for a case; one that is open already stays as it is.
func (w *work) openCase(c directory.Case, e *newEvent) { w.cases = append(w.cases, newCase{c, e}) }

// writeCases opens the cases asked for. One that a person has closed opens again only for a newer event.
func (w *work) writeCases() error {
	type identity struct{ kind, provider, claim, source, key string }
	place := map[identity]int{}
	var rows [][]any
	for _, c := range w.cases {
		if c.event != nil {
			c.Event = c.event.event().Seq
		}
		agreed, err := json.Marshal(c.Match)
		if err != nil {
			return err
		}
		row := []any{directory.NewID(directory.CasePrefix, w.now), c.Kind, c.Provider, c.Claim, c.Source, clean(c.Key), c.Event, string(agreed), w.now, ""}
		id := identity{string(c.Kind), string(c.Provider), string(c.Claim), c.Source, clean(c.Key)}
		switch i, again := place[id]; {
		case !again:
			place[id] = len(rows)
			rows = append(rows, row)
		case c.Event > rows[i][6].(int64):
			rows[i] = row
		}
	}
	return w.insert(`INSERT INTO cases (id, kind, provider, claim, source, key, event, agreed, opened, closed)`, rows,
		`ON CONFLICT (kind, provider, claim, source, key) DO UPDATE SET event = excluded.event, agreed = excluded.agreed,
			opened = CASE WHEN cases.closed = '' THEN cases.opened ELSE excluded.opened END, closed = ''
		WHERE excluded.event > cases.event`)
}

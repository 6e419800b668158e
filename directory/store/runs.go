package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"kapdir/directory"
)

// Runs returns the newest imports first.
func (s *Store) Runs(ctx context.Context, limit int) ([]directory.Run, error) {
	var out []directory.Run
	err := s.read(ctx, "store.Runs", func(t *tx) (err error) {
		out, err = t.runs(`ORDER BY number DESC LIMIT $1`, limit)
		return err
	})
	return out, err
}

// RunsOf returns the imports of a source, the newest first; of every source for "". No limit is 0.
func (s *Store) RunsOf(ctx context.Context, source string, limit int) ([]directory.Run, error) {
	if limit <= 0 {
		limit = 1 << 30
	}
	var out []directory.Run
	err := s.read(ctx, "store.RunsOf "+source, func(t *tx) (err error) {
		out, err = t.runs(`WHERE source = $1 OR $1 = '' ORDER BY number DESC LIMIT $2`, source, limit)
		return err
	})
	return out, err
}

// Run returns the import of a number.
func (s *Store) Run(ctx context.Context, number int64) (directory.Run, error) {
	var run directory.Run
	err := s.read(ctx, "store.Run", func(t *tx) error {
		var found bool
		var err error
		if run, found, err = t.runOne(`WHERE number = $1`, number); err == nil && !found {
			err = directory.Errorf(directory.NotFound, "run", "there is no run %d: kapdir runs lists them", number)
		}
		return err
	})
	return run, err
}

// Rejects returns the rows that a run could not take, in order of file and line.
func (s *Store) Rejects(ctx context.Context, run directory.ID, limit int) ([]directory.Reject, error) {
	var out []directory.Reject
	err := s.read(ctx, "store.Rejects "+string(run), func(t *tx) error {
		return t.each(`SELECT file, line, field, reason, text FROM reject WHERE run = $1 ORDER BY file, line, field, reason LIMIT $2`, []any{run, limit},
			func(r *sql.Rows) error {
				var x directory.Reject
				err := r.Scan(&x.File, &x.Line, &x.Field, &x.Reason, &x.Text)
				out = append(out, x)
				return err
			})
	})
	return out, err
}

// Sources returns every source of the reference tables and every partner, by id, with the release in force and
// how many records were held when it came into force or this process first asked. A source that was never
// imported has a zero Run.
func (s *Store) Sources(ctx context.Context) ([]directory.SourceState, error) {
	var out []directory.SourceState
	err := s.read(ctx, "store.Sources", func(t *tx) error {
		for _, info := range directory.Tables().Sources() {
			run, _, err := t.inForce(info.ID)
			if err != nil {
				return err
			}
			out = append(out, directory.SourceState{Source: info, Run: run})
		}
		return nil
	})
	for i := range out {
		if err == nil && out[i].Run.Number > 0 {
			out[i].Held, err = s.held(ctx, out[i].Source.ID, out[i].Run.Number)
		}
	}
	return out, err
}

// heldCounts remembers how many records of a source are held since a run: to count millions takes a second,
// and a page asks.
type heldCounts struct {
	sync.Mutex
	of map[string]heldCount
}

type heldCount struct {
	run  int64
	rows int
}

// held counts the records of a source once for each run. Whoever asks first and gives up has it counted for
// the next.
func (s *Store) held(ctx context.Context, source string, run int64) (int, error) {
	s.counts.Lock()
	defer s.counts.Unlock()
	if c, ok := s.counts.of[source]; ok && c.run == run {
		return c.rows, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	c := heldCount{run: run}
	err := s.read(ctx, "store.Sources "+source, func(t *tx) error {
		packed, err := t.standingRows(source)
		if err != nil {
			return err
		}
		_, err = t.one(`SELECT count(*) FROM source_record WHERE source = $1 AND kind = 'listing' AND key NOT LIKE '%#prescriber-%'`, []any{source}, &c.rows)
		c.rows += packed
		return err
	})
	if err == nil {
		if s.counts.of == nil {
			s.counts.of = map[string]heldCount{}
		}
		s.counts.of[source] = c
	}
	return c.rows, err
}

// Totals is how much the store holds, for kapdir status.
type Totals struct {
	Providers int // with a public page
	Claims    int
	Events    int
	Evidence  int
	Records   int // of sources
	Runs      int
	OpenCases int
	Due       int // providers whose answer has changed by time alone and has no number yet
	Head      directory.Head
}

// Counts returns how much the store holds.
func (s *Store) Counts(ctx context.Context) (Totals, error) {
	var c Totals
	err := s.read(ctx, "store.Counts", func(t *tx) error {
		_, err := t.one(`SELECT (SELECT count(*) FROM provider WHERE listed = 1 AND withdrawn = 0 AND merged_into = ''),
			(SELECT count(*) FROM claim), (SELECT count(*) FROM event), (SELECT count(*) FROM evidence), (SELECT count(*) FROM source_record WHERE kind = 'listing') +
				(SELECT coalesce(sum(p.held), 0) FROM reference_part p WHERE p.run = (SELECT max(number) FROM run WHERE source = p.source AND outcome = 'done')),
			(SELECT count(*) FROM run), (SELECT count(*) FROM cases WHERE closed = ''),
			(SELECT count(*) FROM provider WHERE valid_until > '' AND valid_until <= $1 AND listed = 1 AND withdrawn = 0 AND merged_into = '')`,
			[]any{s.now()}, &c.Providers, &c.Claims, &c.Events, &c.Evidence, &c.Records, &c.Runs, &c.OpenCases, &c.Due)
		if err != nil {
			return err
		}
		c.Head, err = t.head()
		return err
	})
	return c, err
}

const runColumns = `id, number, source, release, as_of, sha256, options, file, url, size, read_at, started, ended, outcome, error, counts, matched, events, base`

// runs reads runs; the rest of the query follows FROM run.
func (t *tx) runs(rest string, args ...any) ([]directory.Run, error) {
	var out []directory.Run
	err := t.each(`SELECT `+runColumns+` FROM run `+rest, args, func(r *sql.Rows) error {
		var x directory.Run
		var options, counts string
		l := &x.Release
		err := r.Scan(&x.ID, &x.Number, &l.Source, &l.Name, &l.AsOf, &l.SHA256, &options, &l.File, &l.URL, &l.Size, &l.Read,
			&x.Started, &x.Ended, &x.Outcome, &x.Error, &counts, &x.Matched, &x.Events, &x.Base)
		if err != nil {
			return err
		}
		l.All, l.Partial, l.Whole = strings.Contains(options, "all"), strings.Contains(options, "partial"), strings.Contains(options, "whole")
		l.Unconfirmed = strings.Contains(options, "unconfirmed")
		out = append(out, x)
		return json.Unmarshal([]byte(counts), &out[len(out)-1].Counts)
	})
	return out, err
}

// runOne reads one run; found is false when there is none.
func (t *tx) runOne(rest string, args ...any) (run directory.Run, found bool, err error) {
	runs, err := t.runs(rest, args...)
	if err != nil || len(runs) == 0 {
		return directory.Run{}, false, err
	}
	return runs[0], true, nil
}

// inForce returns the newest completed run of a source.
func (t *tx) inForce(source string) (run directory.Run, found bool, err error) {
	return t.runOne(`WHERE source = $1 AND outcome = 'done' ORDER BY number DESC LIMIT 1`, source)
}

// Held says what of the release's source is in force. A release whose bytes are not hashed yet was not imported
// before.
func (s *Store) Held(ctx context.Context, rel directory.Release) (h directory.Held, err error) {
	op := "store.Held " + rel.Source
	info, ok := directory.Tables().Source(rel.Source)
	if !ok {
		return h, s.fault(op, directory.Errorf(directory.Invalid, "source", "%q is not a source of data/sources.csv", rel.Source))
	}
	err = s.read(ctx, op, func(t *tx) (err error) {
		if h.Newest, h.Found, err = t.inForce(rel.Source); err != nil || !h.Found {
			return err
		}
		if _, h.Already, err = t.already(rel, info); err != nil {
			return err
		}
		h.Whole = h.Newest
		if h.Newest.Base > 0 {
			h.Whole, _, err = t.runOne(`WHERE number = $1`, h.Newest.Base)
		}
		return err
	})
	return h, err
}

// Held is Store.Held.
func (p *Preview) Held(ctx context.Context, rel directory.Release) (directory.Held, error) {
	return p.s.Held(ctx, rel)
}

// options writes what an import was told, as far as it changes what is taken of the same bytes.
func options(rel directory.Release) string {
	var told []string
	if rel.All {
		told = append(told, "all")
	}
	if rel.Partial {
		told = append(told, "partial")
	}
	if rel.Unconfirmed {
		told = append(told, "unconfirmed")
	}
	if rel.Whole {
		told = append(told, "whole")
	}
	return strings.Join(told, " ")
}

// insertRun writes the row of a run that begins.
func (t *tx) insertRun(r directory.Run) error {
	l := r.Release
	return t.insert(`INSERT INTO run (`+runColumns+`)`, [][]any{{r.ID, r.Number, l.Source, clean(l.Name), l.AsOf, l.SHA256, options(l), clean(l.File), clean(l.URL),
		l.Size, l.Read, r.Started, r.Ended, r.Outcome, clean(r.Error), `{}`, r.Matched, r.Events, r.Base}}, "")
}

// updateRun writes what has become of a run.
func (t *tx) updateRun(r directory.Run) error {
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE run SET ended = $2, outcome = $3, error = $4, counts = $5, matched = $6, events = $7 WHERE id = $1`,
		r.ID, r.Ended, r.Outcome, clean(r.Error), string(counts), r.Matched, r.Events)
	return err
}

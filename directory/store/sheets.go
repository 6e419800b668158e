package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"kapdir/directory"
)

// sheetBook is what falls due of everybody, so that a worksheet need not read all files each time: they are read once,
// and after that those alone of whom there is something new. It is a copy that can be thrown away.
type sheetBook struct {
	turn  chan struct{} // who holds it may look at the rest
	seq   int64         // of the store, up to which everything is in it once nobody waits
	under string        // the rules and sources by which it was made: by others it is made anew
	of    map[directory.ID]bookEntry
	waits []directory.ID // whose files are still to be read
}

type bookEntry struct {
	name  string
	looks []directory.SheetLook
	until directory.Instant // then they are others, without a new event; "" is never
}

const (
	sheetPage    = 50      // files that are read at once
	mostGathered = 200_000 // providers of whom a server reads before anybody asks: it keeps some 700 bytes of each
)

// GatherSheets reads a page of the files that worksheets are made from, and reports whether others wait. A server calls
// it in the background, so that nobody waits for the first. Of very many providers it reads none: who asks does.
func (s *Store) GatherSheets(ctx context.Context) (more bool, err error) {
	const op = "store.GatherSheets"
	return more, s.withBook(ctx, op, func(b *sheetBook) error {
		m, err := s.openBook(ctx, op, b, directory.SheetAsk{})
		if err != nil || len(b.waits) == 0 || len(b.waits) > mostGathered {
			return err
		}
		err = s.readInto(ctx, op, b, m)
		more = len(b.waits) > 0
		return err
	})
}

func (s *Store) withBook(ctx context.Context, op string, f func(*sheetBook) error) error {
	select {
	case s.sheets.turn <- struct{}{}:
		defer func() { <-s.sheets.turn }()
		return f(&s.sheets)
	case <-ctx.Done():
		return s.gathering(op, ctx.Err())
	}
}

func (s *Store) gathering(op string, err error) error {
	return s.fault(op, &directory.Error{Kind: directory.Unavailable, Detail: "what falls due is being gathered: look again in a moment", Cause: err})
}

// openBook notes whose files are to be read, and begins worksheets.
func (s *Store) openBook(ctx context.Context, op string, b *sheetBook, ask directory.SheetAsk) (m *directory.SheetMaker, err error) {
	err = s.read(ctx, op, func(t *tx) error {
		head, err := t.head()
		if err != nil {
			return err
		}
		sources, err := s.sourceReads(t)
		if err != nil {
			return err
		}
		now := s.now()
		known := max(now, head.RecordedAt)
		m = directory.NewSheetMaker(now, max(ask.Until, now), known, s.config.Policies, sources)
		under := s.config.Policies.InForce(now, known).Version
		for _, x := range sources {
			under += fmt.Sprintf(" %s=%s%q", x.Info.ID, x.How, x.Titles)
		}
		note := func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			b.waits = append(b.waits, id)
			return err
		}
		if b.under != under {
			b.under, b.of, b.waits = under, map[directory.ID]bookEntry{}, nil
			err = t.each(`SELECT id FROM provider WHERE listed = 1 AND withdrawn = 0 AND merged_into = '' ORDER BY id`, nil, note)
		} else if head.Seq > b.seq {
			if err = t.each(`SELECT DISTINCT provider FROM change WHERE seq > $1`, []any{b.seq}, note); err == nil {
				err = t.each(`SELECT DISTINCT c.provider FROM event_payload e JOIN claim c ON c.id = e.claim WHERE e.seq > $1`, []any{b.seq}, note)
			}
		}
		if err != nil {
			b.under = "" // from the beginning
			return err
		}
		b.seq = head.Seq
		for id, e := range b.of {
			if e.until != "" && e.until <= now {
				b.waits = append(b.waits, id)
			}
		}
		slices.Sort(b.waits)
		b.waits = slices.Compact(b.waits)
		return nil
	})
	return m, err
}

// readInto reads a page of those who wait.
func (s *Store) readInto(ctx context.Context, op string, b *sheetBook, m *directory.SheetMaker) error {
	ids := b.waits[max(0, len(b.waits)-sheetPage):]
	err := s.read(ctx, op, func(t *tx) error {
		files, err := t.publicFiles(ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			delete(b.of, id)
		}
		for _, f := range files {
			e := bookEntry{name: f.Provider.DisplayName()}
			e.looks, e.until = m.Looks(f)
			b.of[f.Provider.ID] = e
		}
		return nil
	})
	if err == nil {
		b.waits = b.waits[:len(b.waits)-len(ids)]
	}
	return err
}

// Worksheets returns what falls due by policy until a moment, grouped by source: what a person looks up, what the
// program reads, and what stands on neither. Rows are returned of the source that was asked for; one that is not known is
// NotFound. What was read for it is kept for the next who asks.
func (s *Store) Worksheets(ctx context.Context, ask directory.SheetAsk) (out directory.Worksheets, err error) {
	const op = "store.Worksheets"
	if _, known := directory.Tables().Source(ask.Source); ask.Source != "" && !known {
		return out, s.fault(op, directory.Errorf(directory.NotFound, "source", "there is no source %q", ask.Source))
	}
	return out, s.withBook(ctx, op, func(b *sheetBook) error {
		m, err := s.openBook(ctx, op, b, ask)
		if err != nil {
			return err
		}
		for len(b.waits) > 0 {
			if ctx.Err() != nil { // what was read is kept, and the next who asks goes on
				return s.gathering(op, ctx.Err())
			}
			if err := s.readInto(ctx, op, b, m); err != nil {
				return err
			}
		}
		for _, e := range b.of {
			m.Count(e.looks)
		}
		picked := b.pick(m, ask)
		return s.read(ctx, op, func(t *tx) error {
			for some := range slices.Chunk(picked, 200) {
				files, err := t.publicFiles(some)
				if err != nil {
					return err
				}
				for _, f := range files {
					m.Rows(f, ask)
				}
			}
			out = m.Done()
			for i := range out.Sheets {
				if w := &out.Sheets[i]; ask.Most > 0 {
					w.Rows = w.Rows[:min(len(w.Rows), ask.Most)]
				}
				if err := t.openCasesOf(out.Sheets[i].Rows, out.At); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// pick returns the providers of the rows that are asked for, each once, and notes how many rows there are and of which
// states.
func (b *sheetBook) pick(m *directory.SheetMaker, ask directory.SheetAsk) []directory.ID {
	type row struct {
		directory.SheetLook
		id   directory.ID
		name string
	}
	var rows []row
	for id, e := range b.of {
		for _, x := range m.On(e.looks, ask) {
			rows = append(rows, row{x, id, e.name})
		}
	}
	slices.SortFunc(rows, func(x, y row) int {
		return cmp.Or(x.Before(y.SheetLook), strings.Compare(x.name, y.name), cmp.Compare(x.id, y.id))
	})
	if ask.Most > 0 {
		rows = rows[:min(len(rows), ask.Most)]
	}
	var ids []directory.ID
	seen := map[directory.ID]bool{}
	for _, r := range rows {
		if !seen[r.id] {
			seen[r.id] = true
			ids = append(ids, r.id)
		}
	}
	return ids
}

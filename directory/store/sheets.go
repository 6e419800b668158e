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
	waits []directory.ID        // whose files are still to be read
	maker *directory.SheetMaker // with which the background reads those who wait
}

type bookEntry struct {
	name  string
	looks []directory.SheetLook
	until directory.Instant // then they are others, without a new event; "" is never
}

const (
	sheetPage    = 50      // files that are read at once
	mostGathered = 200_000 // providers of whom a server reads before anybody asks: some 700 bytes of each are kept
)

// GatherSheets reads a page of the files that worksheets are made from, and reports whether others wait. A server calls
// it in the background, so that nobody waits for the first. Of very many providers it reads none: who asks does.
func (s *Store) GatherSheets(ctx context.Context) (more bool, err error) {
	return s.gatherSheets(ctx, mostGathered)
}

func (s *Store) gatherSheets(ctx context.Context, most int) (more bool, err error) {
	const op = "store.GatherSheets"
	b := &s.sheets
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	default: // whoever looks at it reads
		return false, nil
	}
	if b.maker == nil || len(b.waits) == 0 {
		head, err := s.Head(ctx)
		if err != nil || head.Seq == b.seq && !b.ends(s.now()) {
			return false, err
		}
		if _, err = s.openBook(ctx, op, b, directory.SheetAsk{}); err != nil {
			return false, err
		}
	}
	if len(b.waits) == 0 || len(b.of)+len(b.waits) > most {
		return false, nil
	}
	err = s.readInto(ctx, op, b, b.maker)
	return len(b.waits) > 0, err
}

// ends reports that time has changed what falls due of somebody.
func (b *sheetBook) ends(now directory.Instant) bool {
	for _, e := range b.of {
		if e.until != "" && e.until <= now {
			return true
		}
	}
	return false
}

// errGathering says that there was no time for all; what was read is kept, and the next who asks goes on.
var errGathering = directory.Errorf(directory.Unavailable, "", "what falls due is being gathered: look again in a moment")

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
		waits := b.waits
		note := func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			waits = append(waits, id)
			return err
		}
		switch {
		case b.under != under:
			waits = nil
			err = t.each(`SELECT id FROM provider WHERE listed = 1 AND withdrawn = 0 AND merged_into = '' ORDER BY id`, nil, note)
		case head.Seq > b.seq:
			if err = t.each(`SELECT DISTINCT provider FROM change WHERE seq > $1`, []any{b.seq}, note); err == nil {
				err = t.each(`SELECT DISTINCT c.provider FROM event_payload e JOIN claim c ON c.id = e.claim WHERE e.seq > $1`, []any{b.seq}, note)
			}
		}
		if err != nil {
			return err
		}
		if b.under != under {
			b.under, b.of = under, map[directory.ID]bookEntry{}
		}
		b.seq = head.Seq
		for id, e := range b.of {
			if e.until != "" && e.until <= now {
				waits = append(waits, id)
			}
		}
		slices.Sort(waits)
		b.waits, b.maker = slices.Compact(waits), m
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
// NotFound. What was read for it is kept for the next who asks: where there was no time for all, the error is Unavailable,
// and it is worth to ask again.
func (s *Store) Worksheets(ctx context.Context, ask directory.SheetAsk) (out directory.Worksheets, err error) {
	const op = "store.Worksheets"
	if _, known := directory.Tables().Source(ask.Source); ask.Source != "" && !known {
		return out, s.fault(op, directory.Errorf(directory.NotFound, "source", "there is no source %q", ask.Source))
	}
	m, picked, err := s.countSheets(ctx, op, ask)
	if err != nil {
		return out, err
	}
	err = s.read(ctx, op, func(t *tx) error {
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
	return out, err
}

// countSheets brings the book up to date and counts what is in it, and returns the providers of the rows that are asked for.
func (s *Store) countSheets(ctx context.Context, op string, ask directory.SheetAsk) (*directory.SheetMaker, []directory.ID, error) {
	b := &s.sheets
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, nil, s.fault(op, errGathering)
	}
	m, err := s.openBook(ctx, op, b, ask)
	if err != nil {
		return nil, nil, err
	}
	for len(b.waits) > 0 {
		if err = s.readInto(ctx, op, b, m); ctx.Err() != nil {
			err = s.fault(op, errGathering)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	b.maker = nil // it is the caller's from now on
	for _, e := range b.of {
		m.Count(e.looks)
	}
	return m, b.pick(m, ask), nil
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

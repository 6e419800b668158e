package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// A segment of an index is written when so many entries are in memory; smaller ones are merged when there are
// more than mostSegments of a source.
const (
	mostEntries  = 1 << 20
	pageEntries  = 512
	mostSegments = 8
	smallSegment = mostEntries / 4
	pieceRows    = 256 // rows of a transaction that writes or deletes pages of an index or spans
)

// spill writes the entries that are in memory as a segment.
func (s *Store) spill(ctx context.Context, op string, o *openRun) error {
	h := o.known
	if len(h.entries) == 0 {
		return nil
	}
	if err := s.writeSegment(ctx, op, o, h.entries, nil); err != nil {
		return err
	}
	h.entries = h.entries[:0]
	return nil
}

// writeSegment writes a segment in place of others. It is there once its last transaction is.
func (s *Store) writeSegment(ctx context.Context, op string, o *openRun, list []indexEntry, merged []segment) error {
	slices.SortFunc(list, func(a, b indexEntry) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.ordinal, b.ordinal))
	})
	list = slices.Compact(list)
	number := o.run.Number<<16 | int64(o.known.cut)
	if o.known.cut++; o.known.cut > 1<<16 {
		return directory.Errorf(directory.Invalid, "rows", "more rows than an index can hold")
	}
	f := newBloom(len(list))
	low, high := uint32(1<<32-1), uint32(0)
	for _, e := range list {
		f.add(e.hash)
		low, high = min(low, e.ordinal), max(high, e.ordinal)
	}
	size := s.few(pieceRows)
	for from := 0; from < len(list); {
		err := s.writeBehind(ctx, op, func(w *work) error {
			var rows [][]any
			for from < len(list) && len(rows) < size {
				to := min(from+pageEntries, len(list))
				for to < len(list) && list[to].hash == list[to-1].hash { // what has one hash stands on one page
					to++
				}
				rows = append(rows, []any{number, signed(list[from].hash), appendEntries(list[from:to])})
				from = to
			}
			return w.insert(`INSERT INTO reference_index (segment, first, body)`, rows, "")
		})
		if err != nil {
			return err
		}
		s.committed()
	}
	err := s.writeBehind(ctx, op, func(w *work) error {
		for _, g := range merged {
			if _, err := w.exec(`DELETE FROM reference_segment WHERE segment = $1`, g.number); err != nil {
				return err
			}
		}
		if len(list) == 0 {
			return nil
		}
		return w.insert(`INSERT INTO reference_segment (segment, source, low, high, entries, filter)`,
			[][]any{{number, o.info.ID, int64(low / pageRows), int64(high / pageRows), len(list), f.sealed()}}, "")
	})
	if err == nil {
		s.committed()
	}
	return err
}

// few makes the transactions of tests as small as they ask for.
func (s *Store) few(n int) int { return max(1, min(n, s.most)) }

// tidy takes away what runs of the source that died have left of indexes and spans, and of segments that were
// merged. Pages stay: what is on them may come again.
func (s *Store) tidy(ctx context.Context, op, source string) error {
	var last int64
	var lost []int64 // segments of which there are pages alone
	err := s.read(ctx, op, func(t *tx) error {
		run, _, err := t.inForce(source)
		if err != nil {
			return err
		}
		last = run.Number
		for at := int64(-1); ; {
			var next sql.NullInt64
			if _, err := t.one(`SELECT min(segment) FROM reference_index WHERE segment > $1`, []any{at}, &next); err != nil || !next.Valid {
				return err
			}
			at = next.Int64
			var one int
			of, err := t.one(`SELECT 1 FROM run WHERE number = $1 AND source = $2`, []any{at >> 16, source}, &one)
			if err != nil {
				return err
			}
			listed, err := t.one(`SELECT 1 FROM reference_segment WHERE segment = $1 AND segment < $2`, []any{at, (last + 1) << 16}, &one)
			if err != nil {
				return err
			}
			if of && !listed {
				lost = append(lost, at)
			}
		}
	})
	if err != nil {
		return err
	}
	err = s.writeBehind(ctx, op, func(w *work) error {
		if _, err := w.exec(`DELETE FROM reference_segment WHERE source = $1 AND segment >= $2`, source, (last+1)<<16); err != nil {
			return err
		}
		_, err := w.exec(`DELETE FROM reference_part WHERE source = $1 AND run > $2`, source, last)
		return err
	})
	if err != nil {
		return err
	}
	err = s.deleteMany(ctx, op, `SELECT DISTINCT span FROM reference_span WHERE source = $1 AND run > $2 LIMIT $3`,
		`DELETE FROM reference_span WHERE source = $1 AND run > $2 AND span = $3`, source, last)
	for _, number := range lost {
		if err == nil {
			err = s.deleteSegment(ctx, op, number)
		}
	}
	return err
}

// deleteSegment deletes the pages of a segment.
func (s *Store) deleteSegment(ctx context.Context, op string, number int64) error {
	return s.deleteMany(ctx, op, `SELECT first FROM reference_index WHERE segment >= $1 AND segment <= $2 LIMIT $3`,
		`DELETE FROM reference_index WHERE segment >= $1 AND segment <= $2 AND first = $3`, number, number)
}

// deleteMany deletes in small transactions what a query finds: it takes two values and how many to find, and the
// deletion the same two and what was found.
func (s *Store) deleteMany(ctx context.Context, op, find, remove string, a, b any) error {
	for {
		n := 0
		err := s.writeBehind(ctx, op, func(w *work) error {
			var found []int64
			err := w.each(find, []any{a, b, s.few(pieceRows)}, func(r *sql.Rows) error {
				var x int64
				err := r.Scan(&x)
				found = append(found, x)
				return err
			})
			if err != nil {
				return err
			}
			for _, x := range found {
				if _, err := w.exec(remove, a, b, x); err != nil {
					return err
				}
			}
			n = len(found)
			return nil
		})
		if err != nil || n == 0 {
			return err
		}
		s.committed()
	}
}

// stage writes what the release of a run that was read whole will have: its last pages, the rest of its index,
// and which rows stand in it. Nothing of it counts before the run is done.
func (s *Store) stage(ctx context.Context, op string, o *openRun) error {
	h := o.known
	err := s.writeBehind(ctx, op, func(w *work) error { return w.writePages(h, true) })
	if err != nil {
		return err
	}
	h.wrote(true)
	s.committed()
	if err := s.spill(ctx, op, o); err != nil {
		return err
	}
	whole := replaces(o.info) && !o.run.Release.Partial
	stays, err := s.staying(ctx, op, o, whole)
	if err != nil {
		return err
	}
	type count struct {
		held   int
		newest int64
	}
	parts := map[string]count{}
	var spans [][]any
	var rows []entered
	touched := false
	for i, p := range h.pages {
		for place := p.first; place < p.first+p.n; place++ {
			x := h.rows.at(place)
			touched = touched || x.part&(cameNow|replaced) != 0
			if x.part&cameNow == 0 && !stays(place) {
				if whole && x.part&inForce != 0 && x.part&replaced == 0 {
					o.run.Counts.Removed++
				}
				continue
			}
			r := entered{p.ordinal(place), x.line, h.runs[x.run]}
			rows = append(rows, r)
			c := parts[h.parts[x.part&partMask]]
			parts[h.parts[x.part&partMask]] = count{c.held + 1, max(c.newest, r.run)}
			h.pages[i].stands = true
		}
		if i == len(h.pages)-1 || h.pages[i+1].number/spanPages != p.number/spanPages {
			// A release that adds leaves the other spans as they are; one whose rows have all gone says so.
			if whole && len(rows) > 0 || !whole && touched {
				spans = append(spans, []any{o.info.ID, p.number / spanPages, o.run.Number, appendSpan(rows)})
				h.spans = append(h.spans, p.number/spanPages)
			}
			rows, touched = rows[:0], false
		}
	}
	for len(spans) > 0 {
		n := min(s.few(pieceRows), len(spans))
		err := s.writeBehind(ctx, op, func(w *work) error {
			return w.insert(`INSERT INTO reference_span (source, span, run, body)`, spans[:n], "")
		})
		if err != nil {
			return err
		}
		spans = spans[n:]
		s.committed()
	}
	var counts [][]any
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		counts = append(counts, []any{o.info.ID, o.run.Number, part, parts[part].held, parts[part].newest})
	}
	err = s.writeBehind(ctx, op, func(w *work) error {
		return w.insert(`INSERT INTO reference_part (source, run, part, held, newest)`, counts, "")
	})
	if err == nil {
		s.committed()
	}
	return err
}

// staying says which rows in force stay though the run has not brought them. A whole release replaces what it
// does not carry; but of a roster only the licence types that it has at all, for a board that publishes a file
// for each type brings one of them at a time; and an NPPES record that names a provider stays, since a former
// name is never forgotten.
func (s *Store) staying(ctx context.Context, op string, o *openRun, whole bool) (func(place int) bool, error) {
	h := o.known
	stands := func(place int) bool { return h.rows.at(place).part&(inForce|replaced) == inForce }
	if !whole {
		return stands, nil
	}
	came := map[uint16]bool{}
	for place := range h.rows.n {
		if x := h.rows.at(place); x.part&cameNow != 0 {
			came[x.part&partMask] = true
		}
	}
	var named []string
	err := s.read(ctx, op, func(t *tx) error {
		return t.each(`SELECT key FROM source_record WHERE source = $1 AND kind = 'identity' AND provider <> ''`, []any{o.info.ID}, func(r *sql.Rows) error {
			var key string
			err := r.Scan(&key)
			named = append(named, key)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	kept := map[int]bool{}
	for _, key := range named {
		var places []int
		hash := hash64(keyName(key))
		h.byKey.each(hash, func(place int) bool {
			if x := h.rows.at(place); x.key == hash && x.part&cameNow == 0 && stands(place) {
				places = append(places, place)
			}
			return true
		})
		for _, place := range places {
			name, err := h.name(s, ctx, op, place)
			if err != nil {
				return nil, err
			}
			if name == key {
				kept[place] = true
			}
		}
	}
	return func(place int) bool {
		part := h.rows.at(place).part & partMask
		// Where some rows were lost, a licence type that has not come is left out whole: it could not be looked up.
		return stands(place) && (kept[place] || strings.HasPrefix(h.parts[part], "licence/") && !came[part] && !h.lost)
	}, nil
}

// look notes whom others have written of since the last transaction of the run: who came or changed after a
// row had gone by is compared with it before the run ends.
func (o *openRun) look(w *work) error {
	head, err := w.head()
	if err != nil || head.Seq == o.left {
		return err
	}
	ids, err := w.spokenOf(o.left, head.Seq)
	for _, id := range ids {
		o.meant[id] = true
	}
	o.left = head.Seq
	return err
}

// leave notes what a transaction of the run itself has written, and who is another for it.
func (o *openRun) leave(w *work) {
	o.left = max(o.left, w.ended)
	for _, id := range w.rematched {
		o.meant[id] = true
	}
}

// catchUp compares who came or changed during the run with the release that it brings, and ends the run with
// finish in the transaction in which nobody is left.
func (s *Store) catchUp(ctx context.Context, op string, o *openRun, finish func(*work, *directory.Run)) error {
	size := s.start()
	for ended := false; !ended; {
		start := time.Now() // only to keep transactions short
		done := o.run
		var last *work
		n := 0
		err := s.writeBehind(ctx, op, func(w *work) error {
			last = w
			w.see(o.run)
			if err := o.look(w); err != nil {
				return err
			}
			ids := keysOf(o.meant)
			ids = ids[:min(len(ids), size)]
			n = len(ids)
			found, err := w.hold(ids)
			if err != nil {
				return err
			}
			for _, id := range ids {
				delete(o.meant, id)
				h := found[id]
				if h == nil || !h.public() {
					continue
				}
				if err := w.rematch(h, h.subject(), o.info.ID); err != nil {
					return err
				}
			}
			if err := w.settle(); err != nil {
				return err
			}
			if n < size { // there is room to take away what the release has no more
				gone, err := w.dropCopies(o, size-n)
				if err != nil {
					return err
				}
				if ended = len(o.meant) == 0 && gone < size-n; ended {
					finish(w, &done)
				}
			}
			done.Events += len(w.events)
			return w.updateRun(done)
		})
		if err != nil {
			return err
		}
		o.run, o.left = done, max(o.left, last.ended)
		size = s.adapt(size, n, time.Since(start))
		s.committed()
	}
	return nil
}

// dropCopies takes away copies of rows that the release has not brought, and returns how many.
func (w *work) dropCopies(o *openRun, most int) (int, error) {
	if !replaces(o.info) || o.run.Release.Partial {
		return 0, nil
	}
	var keys []string
	err := w.each(`SELECT key FROM source_record WHERE source = $1 AND run < $2 AND kind <> 'listing' AND NOT (kind = 'identity' AND provider <> '')
		AND (kind <> 'licence' OR 'licence/' || part IN (SELECT part FROM reference_part WHERE source = $1 AND run = $2 AND newest = $2)) LIMIT $3`,
		[]any{o.info.ID, o.run.Number, most}, func(r *sql.Rows) error {
			var key string
			err := r.Scan(&key)
			keys = append(keys, key)
			return err
		})
	if err != nil {
		return 0, err
	}
	return len(keys), w.execIn(`DELETE FROM source_record WHERE source = $1 AND key IN (%s)`, []any{o.info.ID}, keys)
}

// sweep takes away what the run that is done has replaced. What a crash leaves of it harms nothing, and goes
// with the next run.
func (s *Store) sweep(ctx context.Context, op string, o *openRun) error {
	h, source, number := o.known, o.info.ID, o.run.Number
	const removeSpan = `DELETE FROM reference_span WHERE source = $1 AND run < $2 AND span = $3`
	if replaces(o.info) && !o.run.Release.Partial {
		if err := s.deleteMany(ctx, op, `SELECT DISTINCT span FROM reference_span WHERE source = $1 AND run < $2 LIMIT $3`, removeSpan, source, number); err != nil {
			return err
		}
	} else {
		for list := range slices.Chunk(h.spans, s.few(pieceRows)) {
			err := s.writeBehind(ctx, op, func(w *work) error {
				for _, span := range list {
					if _, err := w.exec(removeSpan, source, number, span); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			s.committed()
		}
	}
	var empty []int64
	for _, p := range h.pages {
		if !p.stands {
			empty = append(empty, p.number)
		}
	}
	for list := range slices.Chunk(empty, s.few(pieceRows)) {
		err := s.writeBehind(ctx, op, func(w *work) error {
			for _, n := range list {
				if _, err := w.exec(`DELETE FROM reference_page WHERE source = $1 AND number = $2`, source, n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.committed()
	}
	err := s.writeBehind(ctx, op, func(w *work) error {
		_, err := w.exec(`DELETE FROM reference_part WHERE source = $1 AND run < $2`, source, number)
		return err
	})
	if err != nil {
		return err
	}
	return s.merge(ctx, op, o)
}

// merge drops the segments of an index of whose pages none is left, and makes one of the small ones when there
// are many.
func (s *Store) merge(ctx context.Context, op string, o *openRun) error {
	h := o.known
	var small, dead []segment
	var list []indexEntry
	err := s.read(ctx, op, func(t *tx) error {
		all, err := t.segmentsOf(o.info.ID)
		if err != nil {
			return err
		}
		for _, g := range all {
			i, _ := slices.BinarySearchFunc(h.pages, g.low, func(p heldPage, number int64) int { return int(p.number - number) })
			for i < len(h.pages) && h.pages[i].number <= g.high && !h.pages[i].stands {
				i++
			}
			switch {
			case i == len(h.pages) || h.pages[i].number > g.high:
				dead = append(dead, g)
			case g.entries < smallSegment:
				small = append(small, g)
			}
		}
		if len(small) <= mostSegments {
			small = nil
		}
		for _, g := range small {
			err := t.eachEntries(g, func(of indexPage) error {
				for i := range of.len() {
					e := of.at(i)
					if place, ok := h.placeOf(e.ordinal); ok && h.pageAt(place).stands {
						list = append(list, e)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(dead)+len(small) == 0 {
		return err
	}
	if err := s.writeSegment(ctx, op, o, list, append(dead, small...)); err != nil {
		return err
	}
	for _, g := range append(dead, small...) {
		if err := s.deleteSegment(ctx, op, g.number); err != nil {
			return err
		}
	}
	return nil
}

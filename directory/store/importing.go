package store

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"kapdir/directory"
)

// openRun is an import that this process is carrying out.
type openRun struct {
	mu      sync.Mutex // one Put or End at a time
	run     directory.Run
	info    directory.SourceInfo
	size    int    // rows that the next transaction takes
	grown   int    // rows read at which the database is told next that its tables have grown
	release func() // gives the source's lock back

	gone []directory.Departure // the listings that the site itself took away, until the run ends
	near *vicinity             // nil until the run has shown that it is a long one
}

// longRun is how many rows make a run long: it then holds the blocks of every provider in memory. A listing
// is compared with many and makes another of them.
func (s *Store) longRun(info directory.SourceInfo) int {
	switch {
	case s.long >= 0:
		return s.long
	case info.Kind == "listing":
		return 200
	}
	return 2000
}

// An import transaction takes at most mostRows rows and aims at most pace, so that nobody waits longer
// behind it (contracts.md §2).
const (
	mostRows  = 500
	firstRows = 64
	leastRows = 8
	pace      = 100 * time.Millisecond
)

// Begin opens a run, or returns the run that imported these bytes before, with Already set. Only one
// import of a source goes on at a time: a second one is a Conflict. A run that a dead process left
// behind becomes interrupted; running it again neither loses nor doubles anything.
func (s *Store) Begin(ctx context.Context, rel directory.Release) (directory.Run, error) {
	op := "store.Begin " + rel.Source
	info, err := checkRelease(rel)
	if err != nil {
		return directory.Run{}, s.fault(op, err)
	}
	release, ok, err := s.dialect.lock(ctx, s.writer, "import-"+rel.Source)
	if err != nil {
		return directory.Run{}, s.fault(op, err)
	}
	if !ok {
		return directory.Run{}, s.fault(op, directory.Errorf(directory.Conflict, "source", "an import of %s is going on already", rel.Source))
	}
	var run directory.Run
	err = s.write(ctx, op, func(w *work) error {
		// The lock is ours, so whoever began these is gone.
		if _, err := w.exec(`UPDATE run SET outcome = 'interrupted', ended = $2 WHERE source = $1 AND outcome = 'running'`, rel.Source, w.now); err != nil {
			return err
		}
		before, found, err := w.already(rel, info)
		if err != nil {
			return err
		}
		if found {
			run, run.Already = before, true
			return nil
		}
		run = directory.Run{ID: directory.NewID(directory.RunPrefix, w.now), Release: rel, Started: w.now, Outcome: "running"}
		if run.Base, err = w.base(rel); err != nil {
			return err
		}
		if _, err := w.one(`SELECT coalesce(max(number), 0) + 1 FROM run`, nil, &run.Number); err != nil {
			return err
		}
		return w.insertRun(run)
	})
	if err != nil || run.Already {
		release()
		return run, err
	}
	s.mu.Lock()
	s.open[run.ID] = &openRun{run: run, info: info, size: s.first, grown: 1000, release: release}
	s.mu.Unlock()
	return run, nil
}

func checkRelease(rel directory.Release) (directory.SourceInfo, error) {
	info, ok := directory.Tables().Source(rel.Source)
	switch {
	case !ok:
		return info, directory.Errorf(directory.Invalid, "source", "%q is not a source of data/sources.csv", rel.Source)
	case rel.Name == "":
		return info, directory.Errorf(directory.Invalid, "release", "a release has a name")
	case rel.SHA256 == "":
		return info, directory.Errorf(directory.Invalid, "sha256", "a release is known by the hash of its bytes")
	}
	return info, nil
}

// already finds the run that imported the same bytes. Bytes that were in force once and then replaced are
// the same import only if they are not newer than what replaced them: a list may return to an older
// content, but an old file never undoes a newer one.
func (t *tx) already(rel directory.Release, info directory.SourceInfo) (directory.Run, bool, error) {
	newest, found, err := t.inForce(rel.Source)
	if err != nil || !found || rel.Again {
		return directory.Run{}, false, err
	}
	run, found, err := t.runOne(`WHERE source = $1 AND sha256 = $2 AND options = $3 AND outcome = 'done' ORDER BY number DESC LIMIT 1`,
		rel.Source, rel.SHA256, options(rel))
	if err != nil || !found {
		return directory.Run{}, false, err
	}
	if run.ID != newest.ID && (info.Kind == "listing" || rel.AsOf > newest.Release.AsOf) {
		return directory.Run{}, false, nil
	}
	return run, true, nil
}

// base returns the number of the whole run that a release of changes adds to, 0 for a release that is
// whole. Changes that are older than what is in force, or that have nothing to add to, are refused.
func (t *tx) base(rel directory.Release) (int64, error) {
	if !rel.Partial {
		return 0, nil
	}
	newest, found, err := t.inForce(rel.Source)
	switch {
	case err != nil:
		return 0, err
	case !found:
		return 0, directory.Errorf(directory.Conflict, "release", "%s holds changes alone, and no whole release of %s was imported that they could change: import that first", rel.File, rel.Source)
	case rel.AsOf < newest.Release.AsOf:
		return 0, directory.Errorf(directory.Conflict, "as_of", "%s holds changes of %s, which are older than the release in force (%s, run %d): changes are imported in their order, after the whole release that they follow",
			rel.File, rel.AsOf, newest.Release.AsOf, newest.Number)
	}
	return newest.First(), nil
}

// running returns the run that this process has open.
func (s *Store) running(id directory.ID) (*openRun, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.open[id]; o != nil {
		return o, nil
	}
	return nil, directory.Errorf(directory.Conflict, "run", "run %s is not open: begin again", id)
}

// Put takes a batch of a run, in transactions of at most 500 rows. What was committed before an error
// stays, and the same batch may be put again.
func (s *Store) Put(ctx context.Context, run directory.ID, batch directory.Batch) (directory.Counts, error) {
	op := "store.Put " + string(run)
	var total directory.Counts
	o, err := s.running(run)
	if err != nil {
		return total, s.fault(op, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	rows, rejects, err := sift(batch, o.run)
	if err != nil {
		return total, s.fault(op, err)
	}
	o.gone = append(o.gone, batch.Gone...)
	whole := rejectedRows(rejects)
	first := directory.Counts{Read: whole + batch.Outside, Rejected: whole, Fields: len(rejects) - whole, Outside: batch.Outside}
	for first != (directory.Counts{}) || len(rows) > 0 {
		if o.near == nil && o.run.Counts.Read >= s.longRun(o.info) {
			if o.near, err = s.vicinity(ctx, op); err != nil {
				return total, err
			}
		}
		piece := rows[:pieceSize(rows, o.size)]
		start := time.Now() // only to keep transactions short; nothing that is stored depends on it
		done := o.run
		var counts directory.Counts
		var last *work
		err := s.write(ctx, op, func(w *work) error {
			if last, w.near = w, o.near; w.near != nil {
				if err := w.near.follow(w.tx); err != nil {
					return err
				}
			}
			if err := w.writeRejects(run, rejects); err != nil {
				return err
			}
			taken, matched, err := w.importRows(o, piece)
			if err != nil {
				return err
			}
			counts = first
			counts.Add(taken)
			done.Counts.Add(counts)
			done.Matched += matched
			done.Events += len(w.events)
			return w.updateRun(done)
		})
		if err != nil {
			return total, err
		}
		o.run = done
		if o.near != nil {
			o.near.learn(last)
		}
		if err := s.often.prepare(ctx, s.writer); err != nil {
			return total, s.fault(op, err)
		}
		total.Add(counts)
		rows, rejects, first = rows[len(piece):], nil, directory.Counts{}
		o.size = s.adapt(o.size, len(piece), time.Since(start))
		if o.run.Counts.Read >= o.grown {
			o.grown *= 10
			if err := s.dialect.grown(ctx, s.writer); err != nil {
				return total, s.fault(op, err)
			}
		}
		s.committed()
	}
	return total, nil
}

// Carried takes a row as part of the open run by the fingerprint of its bytes, without its record, and reports
// that it did: the row is held as this program reads it, and speaks of no provider. It counts as read and
// unchanged in the answer to the next Put and in the run that End returns.
func (s *Store) Carried(run directory.ID, fingerprint [16]byte, line int) bool { return false }

// rejectedRows counts the rejects that are whole rows; the others are single fields of rows that went in.
func rejectedRows(rejects []directory.Reject) (n int) {
	for _, x := range rejects {
		if !x.Partial {
			n++
		}
	}
	return n
}

func (s *Store) committed() {
	if s.afterCommit != nil {
		s.afterCommit()
	}
}

// adapt returns how many rows the next transaction takes, by how long the last one took.
func (s *Store) adapt(size, rows int, took time.Duration) int {
	switch {
	case took > pace:
		return min(s.most, max(leastRows, min(rows, size)/2))
	case took < pace/2 && rows >= size:
		return min(s.most, size*2)
	}
	return size
}

// pieceSize returns how many rows the next transaction takes. A key that comes again waits for the next
// one, which then finds it in the table.
func pieceSize(rows []*row, most int) int {
	seen := map[string]bool{}
	for i, r := range rows {
		if i == most || seen[r.key] {
			return i
		}
		seen[r.key] = true
	}
	return len(rows)
}

// sift makes rows of the records and takes out those that must not be written.
func sift(batch directory.Batch, run directory.Run) (rows []*row, rejects []directory.Reject, err error) {
	for _, x := range batch.Rejects {
		if directory.LooksLikeSSN(x.Text) {
			x.Text = ""
		}
		rejects = append(rejects, x)
	}
	prepared, bad := make([]*row, len(batch.Records)), make([]error, len(batch.Records))
	size := max(32, (len(prepared)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for from := 0; from < len(prepared); from += size {
		wg.Go(func() {
			for i := from; i < min(from+size, len(prepared)); i++ {
				prepared[i], bad[i] = prepare(batch.Records[i], run.Release, run.Number)
			}
		})
	}
	wg.Wait()
	for i, r := range prepared {
		if bad[i] != nil {
			return nil, nil, bad[i]
		}
		if field, found := r.holdsSSN(); found {
			rejects = append(rejects, directory.Reject{File: run.Release.File, Line: r.line, Field: field, Reason: "holds what looks like a Social Security number"})
			continue
		}
		rows = append(rows, r)
	}
	return rows, rejects, nil
}

func (w *work) writeRejects(run directory.ID, rejects []directory.Reject) error {
	rows := make([][]any, len(rejects))
	for i, x := range rejects {
		field, reason := clean(x.Field), clean(x.Reason)
		if directory.LooksLikeSSN(field) {
			field = ""
		}
		rows[i] = []any{run, clean(x.File), x.Line, field[:min(len(field), 200)], reason[:min(len(reason), 500)], clean(x.Text)}
	}
	return w.insert(`INSERT INTO reject (run, file, line, field, reason, text)`, rows, `ON CONFLICT (run, file, line, field, reason) DO NOTHING`)
}

// importRows takes rows of the open run whose keys differ; it returns what became of them and how many
// speak of a provider.
func (w *work) importRows(o *openRun, rows []*row) (c directory.Counts, matched int, err error) {
	if len(rows) == 0 {
		return c, 0, nil
	}
	c.Read = len(rows)
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.key
	}
	before, err := w.heads(o.run.Release.Source, keys)
	if err != nil {
		return c, 0, err
	}
	var fresh []*row
	var seen []string
	var twice []directory.Reject
	for _, r := range rows {
		old := before[r.key]
		if old != nil {
			r.provider, r.rung, r.evidence = old.provider, old.rung, old.evidence
		}
		switch {
		case old == nil:
			c.Added++
		case old.run == r.run && old.line != r.line && old.hash != r.hash:
			c.Rejected++
			twice = append(twice, directory.Reject{File: o.run.Release.File, Line: r.line, Reason: fmt.Sprintf("the key of line %d stands here again", old.line), Text: r.key})
			continue
		case old.hash == r.hash && old.release == clean(r.release):
			c.Unchanged++
			if old.provider != "" {
				matched++
			}
			if old.run != r.run {
				seen = append(seen, r.key)
			}
			continue
		case old.hash == r.hash:
			c.Unchanged++
		default:
			c.Changed++
		}
		fresh = append(fresh, r)
	}
	if err := w.writeRejects(o.run.ID, twice); err != nil {
		return c, 0, err
	}
	if len(seen) > 0 {
		if err := w.execIn(`UPDATE source_record SET run = $2 WHERE source = $1 AND key IN (%s)`, []any{o.run.Release.Source, o.run.Number}, seen); err != nil {
			return c, 0, err
		}
	}
	listings := slices.ContainsFunc(fresh, func(r *row) bool { return r.kind == "listing" })
	if listings {
		err = w.importListings(o.run.Release, fresh, before)
	} else {
		err = w.importReferences(o.run.Release, fresh, before)
	}
	if err != nil {
		return c, 0, err
	}
	c.Changed, c.Unchanged = c.Changed-w.older, c.Unchanged+w.older
	c.Added, c.Outside = c.Added-w.outside, c.Outside+w.outside
	for _, r := range fresh {
		if r.provider != "" {
			matched++
		}
	}
	return c, matched, w.settle()
}

// importReferences writes records that attach to listed providers and never make one.
func (w *work) importReferences(rel directory.Release, rows []*row, before map[string]*row) error {
	if err := w.keepNames(rel.Source, rows, before); err != nil {
		return err
	}
	asked := make([][]string, len(rows)) // of each row, the blocks under which it can speak of somebody
	var blocks []string
	for i, r := range rows {
		asked[i] = r.asks()
		blocks = append(blocks, asked[i]...)
	}
	known, err := w.around(blocks, true)
	if err != nil {
		return err
	}
	var told []directory.ID // of whom an NPPES record tells something new
	for i, r := range rows {
		if r.kind == "exclusion" {
			continue // the screening of the completed run compares them
		}
		if r.kind == "delegation" {
			if err := w.delegated(r, rel, known); err != nil {
				return err
			}
			continue
		}
		was := r.provider
		if err := w.relate(r, rel, w.among(r.subject, asked[i], known, true)); err != nil {
			return err
		}
		if r.kind == "identity" {
			told = append(told, was, r.provider)
		}
	}
	if err := w.writeRows(rows, before); err != nil {
		return err
	}
	slices.Sort(told)
	for _, id := range slices.Compact(told) {
		if id == "" {
			continue
		}
		h, err := w.holdOne(id)
		if err != nil {
			return err
		}
		if err := w.recompose(h); err != nil {
			return err
		}
	}
	return nil
}

// asks returns the blocks under which a row of a reference can speak of a provider: a name alone is never
// evidence, and counts only where something adverse is said under it, which a person sees.
func (r *row) asks() []string {
	var blocks []string
	switch r.kind {
	case "exclusion": // the screening of the completed run compares these
	case "delegation":
		blocks = slices.Clone(r.blocks)
	default:
		blocks = cleaned(r.subject.Blocks())
		if !r.record.Adverse() {
			blocks = slices.DeleteFunc(blocks, byName)
		}
	}
	return blocks
}

// End closes a run. Without a failure its release comes into force: what the release replaces is taken
// away, an exclusion list is compared with every public provider, and places of work are resolved; all in
// small transactions, so that a crash leaves a run that can be done again. With a failure the release
// before stays in force.
func (s *Store) End(ctx context.Context, run directory.ID, failure error) (directory.Run, error) {
	op := "store.End " + string(run)
	o, err := s.running(run)
	if err != nil {
		return directory.Run{}, s.fault(op, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.open, run)
		s.mu.Unlock()
		o.release()
	}()
	if failure == nil {
		err = s.complete(ctx, op, o)
	}
	if failure == nil && err == nil {
		return o.run, nil
	}
	// The row is written even when the caller has given up, which is often why the run failed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	o.run.Outcome = "failed"
	if failure != nil {
		o.run.Error = failure.Error()
	} else {
		o.run.Error = err.Error()
	}
	if directory.LooksLikeSSN(o.run.Error) {
		o.run.Error = "failed; the reason cannot be held"
	}
	failed := s.write(ctx, op, func(w *work) error {
		o.run.Ended = w.now
		return w.updateRun(o.run)
	})
	if err == nil {
		err = failed
	}
	return o.run, err
}

// complete brings a release into force.
func (s *Store) complete(ctx context.Context, op string, o *openRun) error {
	if replaces(o.info) && !o.run.Release.Partial {
		if err := s.removeReplaced(ctx, op, o); err != nil {
			return err
		}
	}
	if o.info.Kind == "listing" {
		if err := s.removeGone(ctx, op, o); err != nil {
			return err
		}
		if err := s.placesOfWork(ctx, op, o); err != nil {
			return err
		}
	}
	finish := func(w *work, run *directory.Run) { run.Ended, run.Outcome = w.now, "done" }
	if o.info.Kind == "exclusion" {
		return s.screenAll(ctx, op, o, finish)
	}
	done := o.run
	err := s.write(ctx, op, func(w *work) error {
		finish(w, &done)
		return w.updateRun(done)
	})
	if err == nil {
		o.run = done
		s.committed()
	}
	return err
}

// replaces reports a source whose release is the whole of what it says: full lists, rosters, and the
// NPPES file. Single answers and listing sites only add.
func replaces(info directory.SourceInfo) bool {
	return info.Kind == "roster" || info.Kind == "exclusion" || info.Kind == "identity" && info.ID != "npi-api"
}

// removeReplaced takes away the rows that the completed run did not carry. Of a roster, only licence
// types that the release has at all are replaced: a board that publishes a file for each type brings one
// of them at a time. An NPPES record that names a provider stays: a former name is never forgotten.
func (s *Store) removeReplaced(ctx context.Context, op string, o *openRun) error {
	for {
		n := 0
		done := o.run
		err := s.write(ctx, op, func(w *work) error {
			var keys []string
			err := w.each(`SELECT key FROM source_record WHERE source = $1 AND run < $2 AND NOT (kind = 'identity' AND provider <> '')
				AND (kind <> 'licence' OR part IN (SELECT part FROM source_record WHERE source = $1 AND run = $2)) LIMIT $3`,
				[]any{o.run.Release.Source, o.run.Number, s.most}, func(r *sql.Rows) error {
					var key string
					err := r.Scan(&key)
					keys = append(keys, key)
					return err
				})
			if err != nil {
				return err
			}
			if n = len(keys); n == 0 {
				return nil
			}
			if err := w.execIn(`DELETE FROM source_block WHERE source = $1 AND key IN (%s)`, []any{o.run.Release.Source}, keys); err != nil {
				return err
			}
			if err := w.execIn(`DELETE FROM source_record WHERE source = $1 AND key IN (%s)`, []any{o.run.Release.Source}, keys); err != nil {
				return err
			}
			done.Counts.Removed += n
			return w.updateRun(done)
		})
		if err != nil || n == 0 {
			return err
		}
		o.run = done
		s.committed()
	}
}

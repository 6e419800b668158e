package store

import (
	"context"
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

	known *holdings             // the packed rows of the source
	left  int64                 // the newest number that the run has looked at
	meant map[directory.ID]bool // who came or changed since the run began, and is compared with all of it
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
	opened := false
	defer func() {
		if !opened {
			release()
		}
	}()
	var run directory.Run
	var left int64
	err = s.writeBehind(ctx, op, func(w *work) error {
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
		head, err := w.head()
		if err != nil {
			return err
		}
		left = head.Seq
		return w.insertRun(run)
	})
	if err != nil || run.Already {
		return run, err
	}
	known, err := s.holdings(ctx, op, run, info)
	if err == nil {
		err = s.tidy(ctx, op, info.ID)
	}
	if err != nil { // the run stays as one that a dead process left
		return directory.Run{}, err
	}
	opened = true
	s.mu.Lock()
	s.open[run.ID] = &openRun{run: run, info: info, size: s.start(), grown: 1000, release: release, known: known, left: left, meant: map[directory.ID]bool{}}
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
	if o.near == nil && o.run.Counts.Read >= s.longRun(o.info) {
		if err := s.surroundings(ctx, op, o); err != nil {
			return total, err
		}
	}
	rows, rejects, err := sift(batch, o.run, o.known)
	if err != nil {
		return total, s.fault(op, err)
	}
	o.gone = append(o.gone, batch.Gone...)
	whole := rejectedRows(rejects)
	first := directory.Counts{Read: whole + batch.Outside, Rejected: whole, Fields: len(rejects) - whole, Outside: batch.Outside}
	first.Add(o.known.takeCarried())
	for first != (directory.Counts{}) || len(rows) > 0 {
		piece := rows[:pieceSize(rows, o.size)]
		start := time.Now() // only to keep transactions short; nothing that is stored depends on it
		counts, wrote, err := s.putPiece(ctx, op, o, piece, rejects, first)
		if err != nil {
			return total, err
		}
		total.Add(counts)
		rows, rejects, first = rows[len(piece):], nil, directory.Counts{}
		o.size = s.adapt(o.size, len(piece), time.Since(start))
		if !wrote {
			continue
		}
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

// putPiece takes rows whose keys differ, in one transaction; counts of what came before them are told with
// theirs. Packed rows of which nobody could be told wait in memory for a page to fill, and for the next
// transaction: a crash costs them, and the run is done again.
func (s *Store) putPiece(ctx context.Context, op string, o *openRun, piece []*row, rejects []directory.Reject, counts directory.Counts) (directory.Counts, bool, error) {
	told := counts
	var listed, packed []*row
	for _, r := range piece {
		if r.kind == "listing" {
			listed = append(listed, r)
		} else {
			packed = append(packed, r)
		}
	}
	fate, err := o.known.sort(s, ctx, op, packed, o.run.Release.File)
	if err != nil {
		return counts, false, err
	}
	rejects = append(rejects, fate.twice...)
	compare := o.speaking(fate.compare)
	wrote := len(rejects)+len(listed)+len(compare) > 0 || o.known.due()
	done := o.run
	if wrote {
		var last *work
		err := s.writeBehind(ctx, op, func(w *work) error {
			if last, w.near = w, o.near; w.near != nil {
				if err := w.near.follow(w.tx); err != nil {
					return err
				}
			}
			if len(packed) > 0 {
				if err := o.look(w); err != nil {
					return err
				}
			}
			if err := w.writeRejects(o.run.ID, rejects); err != nil {
				return err
			}
			counts = told
			counts.Add(fate.counts)
			done = o.run
			if len(listed) > 0 {
				taken, matched, err := w.importListed(o, listed)
				if err != nil {
					return err
				}
				counts.Add(taken)
				done.Matched += matched
			}
			if len(compare) > 0 {
				matched, err := w.importReferences(o.run.Release, compare)
				if err != nil {
					return err
				}
				done.Matched += matched
			}
			if err := w.settle(); err != nil {
				return err
			}
			if err := w.writePages(o.known, false); err != nil {
				return err
			}
			done.Counts.Add(counts)
			done.Events += len(w.events)
			return w.updateRun(done)
		})
		if err != nil {
			o.known.giveBack(told)
			return counts, false, err
		}
		o.known.wrote(false)
		if len(packed) > 0 {
			o.leave(last)
		}
		if o.near != nil {
			o.near.learn(last)
		}
	} else {
		counts.Add(fate.counts)
		done.Counts.Add(counts)
	}
	o.run = done
	if err := o.known.take(fate.came); err != nil {
		return counts, wrote, s.fault(op, err)
	}
	if len(o.known.entries) >= mostEntries {
		err = s.spill(ctx, op, o)
	}
	return counts, wrote, err
}

// speaking returns the rows that may speak of somebody, or of which that cannot be told without the database.
func (o *openRun) speaking(rows []*row) []*row {
	var out []*row
	for _, r := range rows {
		switch {
		case r.kind == "exclusion": // the screening of the completed run compares them
		case o.near == nil, o.known.copies[r.key], slices.ContainsFunc(r.asks(), func(b string) bool { return len(o.near.byBlock[clean(b)]) > 0 }):
			out = append(out, r)
		}
	}
	return out
}

// Carried takes a row as part of the open run by the fingerprint of its bytes, without its record, and reports
// that it did: the row is held as this program reads it, and speaks of no provider. It counts as read and
// unchanged in the answer to the next Put and in the run that End returns.
func (s *Store) Carried(run directory.ID, fingerprint [16]byte, line int) bool {
	o, err := s.running(run)
	if err != nil || fingerprint == [16]byte{} || o.known.empty() || o.known.again {
		return false
	}
	if !o.known.isAsked() {
		o.mu.Lock()
		err := s.surroundings(context.Background(), "store.Carried", o)
		o.mu.Unlock()
		if err != nil { // then nothing is carried, and Put says what is wrong
			return false
		}
	}
	return o.known.carry(fingerprint, line)
}

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
	switch pace := s.pace(); {
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
func sift(batch directory.Batch, run directory.Run, known *holdings) (rows []*row, rejects []directory.Reject, err error) {
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
				r, err := prepare(batch.Records[i], run.Release, run.Number)
				if err == nil && r.subject == nil && !known.settled(r.name, r.content) {
					r.ready()
				}
				prepared[i], bad[i] = r, err
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

// importListed takes listings of the open run whose keys differ; it returns what became of them and how many
// speak of a provider.
func (w *work) importListed(o *openRun, rows []*row) (c directory.Counts, matched int, err error) {
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
	if err := w.importListings(o.run.Release, fresh, before); err != nil {
		return c, 0, err
	}
	c.Changed, c.Unchanged = c.Changed-w.older, c.Unchanged+w.older
	c.Added, c.Outside = c.Added-w.outside, c.Outside+w.outside
	for _, r := range fresh {
		if r.provider != "" {
			matched++
		}
	}
	return c, matched, nil
}

// importReferences compares records that attach to listed providers and never make one, and keeps a copy of
// those that speak, or could speak, of somebody. It returns how many speak of a provider.
func (w *work) importReferences(rel directory.Release, rows []*row) (matched int, err error) {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.key
	}
	before, err := w.heads(rel.Source, keys)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if old := before[r.key]; old != nil {
			r.provider, r.rung, r.evidence = old.provider, old.rung, old.evidence
		}
	}
	if err := w.keepNames(rel.Source, rows, before); err != nil {
		return 0, err
	}
	asked := make([][]string, len(rows)) // of each row, the blocks under which it can speak of somebody
	var blocks []string
	for i, r := range rows {
		asked[i] = r.asks()
		blocks = append(blocks, asked[i]...)
	}
	known, err := w.around(blocks, true)
	if err != nil {
		return 0, err
	}
	var told []directory.ID // of whom an NPPES record tells something new
	var copies []*row
	for i, r := range rows {
		was, speaks := r.provider, before[r.key] != nil
		if r.kind == "delegation" {
			if err := w.delegated(r, rel, known); err != nil {
				return 0, err
			}
			speaks = speaks || r.provider != ""
		} else {
			found := w.among(r.subject, asked[i], known, true)
			if err := w.relate(r, rel, found); err != nil {
				return 0, err
			}
			speaks = speaks || len(found) > 0
		}
		if r.kind == "identity" {
			told = append(told, was, r.provider)
		}
		if r.provider != "" {
			matched++
		}
		if speaks {
			copies = append(copies, r)
		}
	}
	if err := w.writeRows(copies, before); err != nil {
		return 0, err
	}
	slices.Sort(told)
	for _, id := range slices.Compact(told) {
		if id == "" {
			continue
		}
		h, err := w.holdOne(id)
		if err != nil {
			return 0, err
		}
		if err := w.recompose(h); err != nil {
			return 0, err
		}
	}
	return matched, nil
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
	o.run.Counts.Add(o.known.takeCarried())
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
	failed := s.writeBehind(ctx, op, func(w *work) error {
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
	packed := o.info.Kind != "listing" || o.known.rows.n > 0
	if packed {
		if err := s.stage(ctx, op, o); err != nil {
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
	var err error
	switch {
	case o.info.Kind == "exclusion":
		err = s.screenAll(ctx, op, o, finish)
	case packed:
		err = s.catchUp(ctx, op, o, finish)
	default:
		done := o.run
		err = s.writeBehind(ctx, op, func(w *work) error {
			finish(w, &done)
			return w.updateRun(done)
		})
		if err == nil {
			o.run = done
			s.committed()
		}
	}
	if err == nil && packed {
		// The release is in force, whatever becomes of what it has replaced: that goes with the next run.
		_ = s.sweep(context.WithoutCancel(ctx), op, o)
	}
	return err
}

// replaces reports a source whose release is the whole of what it says: full lists, rosters, and the
// NPPES file. Single answers and listing sites only add.
func replaces(info directory.SourceInfo) bool {
	return info.Kind == "roster" || info.Kind == "exclusion" || info.Kind == "identity" && info.ID != "npi-api"
}

// Package search answers which providers match a query, in what order and how they divide; what a page
// says of one always comes from the store. Only this package knows bleve.
//
// The index can be thrown away at any time. It follows the store by change numbers, holds its cursor in
// the same batch as its documents, and is built anew beside itself and swapped whenever anything about it
// is in doubt. Meanwhile every query is answered plainly, by reading all documents, and the answer says so.
//
// A snapshot of the documents stands in memory beside the index: filters, facets, distances and order are
// worked out on it exactly, and only words are looked up in the index. Both move together.
package search

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kapdir/directory"
)

// Feed is what the index follows; the store implements it.
type Feed interface {
	// Head returns the newest number.
	Head(ctx context.Context) (directory.Head, error)
	// Changes returns the newest change of each provider that changed after the number, ascending, at most
	// limit of them. A File that is nil says to drop the provider.
	Changes(ctx context.Context, after int64, limit int) ([]directory.Change, error)
}

// Config says where the index lives and what it follows.
type Config struct {
	Dir      string // its own folder, made if it does not exist
	Feed     Feed
	Policies directory.Policies // directory.StandardPolicies if none
	// Files returns the public files of providers; the store implements it. A query about the past needs it.
	Files func(ctx context.Context, ids []directory.ID) ([]*directory.CredentialFile, error)
	Now   func() time.Time // time.Now if nil
	Log   *slog.Logger     // slog.Default() if nil; no query is ever logged
	// Background is the turn of the audits that Run makes.
	Background *directory.Background
}

// filled puts what is used if nothing is said in place of what is not.
func (c Config) filled() Config {
	if c.Policies == nil {
		c.Policies = directory.StandardPolicies()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// Index answers queries. Its methods may be called from any goroutine.
type Index struct {
	cfg   Config
	maker maker
	lock  *lock

	writing sync.Mutex // held by one of Sync, Rebuild, Audit and Close at a time
	disk    *disk      // nil while there is none to rely on; guarded by writing

	sounds   sounds
	patience time.Duration // for one query; tests on a busy machine have more

	serve   sync.RWMutex // guards serving
	serving *epoch       // nil once closed
	closed  chan struct{}
	closing sync.WaitGroup // indexes given up that are still being read
}

// searchTime bounds one query: 300 ms, by reliability.md §5.
const searchTime = 300 * time.Millisecond

// errClosed is what a closed index answers.
var errClosed = directory.Errorf(directory.Unavailable, "", "search is closed")

// Open reads all documents from the feed and opens the index in cfg.Dir. An index that is missing,
// damaged, of another version or not what the feed says is no error: queries are then answered plainly
// until Run, Sync or Rebuild has built another. It fails if the feed does not answer, if the folder cannot
// be used, and with directory.Conflict, naming the process, if another holds the index.
func Open(ctx context.Context, cfg Config) (*Index, error) {
	cfg = cfg.filled()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("search.Open: %w", err)
	}
	l, err := takeLock(cfg.Dir)
	if err != nil {
		return nil, err
	}
	x := &Index{cfg: cfg, maker: maker{cfg.Policies, newLexicon()}, lock: l, patience: searchTime, closed: make(chan struct{})}
	s, dropped, err := x.read(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("search.Open: %w", err), l.release())
	}
	d, w, err := adopt(ctx, cfg, x.maker, s, dropped)
	x.disk = d
	if err != nil && !errors.Is(err, errNone) {
		cfg.Log.WarnContext(ctx, "search: the index on disk cannot be used and will be built anew", "error", err)
	}
	use := ""
	if d != nil {
		use = d.path
	}
	if d != nil || errors.Is(err, errNone) {
		if err := sweep(cfg.Dir, use); err != nil {
			cfg.Log.WarnContext(ctx, "search: an old index was not removed", "error", err)
		}
	}
	x.serving = newEpoch(s, w)
	return x, nil
}

// read makes a snapshot of everything in the feed, with the providers it says to drop.
func (x *Index) read(ctx context.Context) (*snapshot, map[directory.ID]int64, error) {
	s, c, err := x.pull(ctx, newSnapshot())
	return s, c.gone, err
}

// changes is what became of the feed since a snapshot.
type changes struct {
	puts  []uint32               // numbers in the snapshot after them
	gone  map[directory.ID]int64 // who was dropped or hidden, with the number
	drops []directory.ID         // the same
}

func (c changes) none() bool { return len(c.puts)+len(c.drops) == 0 }

// pull returns the snapshot with what changed in the feed after it, and with the documents again whose checks
// have changed by the passing of time. Not more than a page of the feed is held in memory beside them.
func (x *Index) pull(ctx context.Context, s *snapshot) (*snapshot, changes, error) {
	c := changes{gone: map[directory.ID]int64{}}
	head, err := x.cfg.Feed.Head(ctx)
	if err != nil {
		return nil, c, err
	}
	now := x.cfg.Now()
	t := directory.At(now)
	g := s.grow(x.maker.lexicon)
	seq := s.seq
	take := func(ch directory.Change) {
		if x.maker.hidden(ch, t) {
			c.gone[ch.Provider] = ch.Seq
			g.drop(ch.Provider)
			return
		}
		delete(c.gone, ch.Provider) // it may have changed again while we read
		g.put(x.maker.document(ch, t))
	}
	for {
		page, err := x.cfg.Feed.Changes(ctx, seq, batchSize)
		if err != nil {
			return nil, c, err
		}
		for _, ch := range page {
			seq = max(seq, ch.Seq)
			take(ch)
		}
		if len(page) < batchSize {
			break
		}
	}
	if s.next != 0 && s.next <= now.UnixMilli() {
		for _, doc := range s.byID {
			if u := s.until[doc]; u == 0 || u > now.UnixMilli() {
				continue
			}
			page, err := x.cfg.Feed.Changes(ctx, s.seqs[doc]-1, 1)
			if err != nil {
				return nil, c, err
			}
			// A newer number was among the changes above, or comes with the next call.
			if len(page) == 1 && page[0].Provider == s.ids[doc] && page[0].Seq == s.seqs[doc] {
				take(page[0])
			}
		}
	}
	if seq = max(seq, head.Seq); len(g.c.ids) == s.n && len(g.dropped) == 0 {
		return s, c, nil
	}
	next := g.done(seq)
	for id := range c.gone {
		c.drops = append(c.drops, id)
	}
	if next.tip == s.tip || s.n == 0 {
		for doc := s.n; doc < next.n; doc++ {
			if next.live.Contains(uint32(doc)) {
				c.puts = append(c.puts, uint32(doc))
			}
		}
		return next, c, nil
	}
	for _, doc := range next.byID { // written anew: what changed has other numbers
		if was, ok := s.find(next.ids[doc]); !ok || s.mark(was) != next.mark(doc) {
			c.puts = append(c.puts, doc)
		}
	}
	return next, c, nil
}

// current returns the epoch in service; the caller releases it.
func (x *Index) current() (*epoch, error) {
	x.serve.RLock()
	defer x.serve.RUnlock()
	if x.serving == nil {
		return nil, errClosed
	}
	x.serving.users.Add(1)
	return x.serving, nil
}

// swap puts another epoch into service and returns the old one, which ends with its last search.
func (x *Index) swap(e *epoch) *epoch {
	x.serve.Lock()
	old := x.serving
	x.serving = e
	x.serve.Unlock()
	old.release()
	return old
}

// Sync catches up with the feed once and returns how many documents it wrote. If there is no index to
// rely on it builds one. When it returns, searches answer from all that the feed held when it began.
func (x *Index) Sync(ctx context.Context) (int, error) { return x.sync(ctx, true) }

// Follow catches up with the feed once, as Sync does, and builds nothing: without an index it is the plain
// answers that catch up.
func (x *Index) Follow(ctx context.Context) error {
	_, err := x.sync(ctx, false)
	return err
}

func (x *Index) sync(ctx context.Context, build bool) (int, error) {
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.open(); err != nil {
		return 0, err
	}
	n, err := x.follow(ctx)
	if err == nil && x.disk == nil && build {
		e, err := x.current() // which has just read the feed
		if err != nil {
			return 0, err
		}
		docs := e.docs
		e.release() // rebuild waits for its last search
		return x.rebuild(ctx, docs, nil)
	}
	return n, err
}

// open says whether the index may be used; writing must be held.
func (x *Index) open() error {
	select {
	case <-x.closed:
		return errClosed
	default:
		return nil
	}
}

// follow brings the epoch in service, and the index if there is one, up to the feed. An index that fails
// is given up, and searches go on plainly.
func (x *Index) follow(ctx context.Context) (int, error) {
	e, err := x.current()
	if err != nil {
		return 0, err
	}
	defer e.release()
	if x.disk != nil && x.disk.async() != nil {
		x.distrust(ctx, e.docs, x.disk.async())
		return 0, nil
	}
	next, c, err := x.pull(ctx, e.docs)
	if err != nil {
		return 0, fmt.Errorf("search.Sync: %w", err)
	}
	if c.none() {
		if next != e.docs {
			e.seq.Store(next.seq)
		}
		return 0, nil
	}
	if x.disk == nil {
		x.swap(newEpoch(next, nil))
		return 0, nil
	}
	var w *wordIndex
	err = safely(func() (err error) {
		if err = x.disk.write(ctx, next, c.puts, c.drops); err == nil {
			w, err = newWordIndex(x.disk.store, next, e.words)
		}
		return err
	})
	if err != nil {
		if ctx.Err() != nil { // the index may be ahead of the snapshot: the next call writes the same again
			return 0, ctx.Err()
		}
		x.distrust(ctx, next, err)
		return 0, nil
	}
	x.swap(newEpoch(next, w))
	return len(c.puts) + len(c.drops), nil
}

// distrust gives the index up: searches are answered plainly until another is built. writing must be held.
func (x *Index) distrust(ctx context.Context, s *snapshot, why error) {
	x.cfg.Log.ErrorContext(ctx, "search: the index failed and will be built anew", "error", why)
	old := x.swap(newEpoch(s, nil))
	d := x.disk
	x.disk = nil
	x.closing.Go(func() {
		<-old.idle
		if err := d.close(); err != nil {
			x.cfg.Log.Warn("search: the failed index was not closed in order", "error", err)
		}
	})
}

// Rebuild builds the index anew beside the one in use, which goes on answering and following the feed,
// and swaps them. progress, if not nil, is called after each batch.
func (x *Index) Rebuild(ctx context.Context, progress func(done, total int)) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.open(); err != nil {
		return err
	}
	s, _, err := x.read(ctx)
	if err != nil {
		return fmt.Errorf("search.Rebuild: %w", err)
	}
	_, err = x.rebuild(ctx, s, progress)
	return err
}

// rebuild builds the index of a snapshot.
func (x *Index) rebuild(ctx context.Context, s *snapshot, progress func(done, total int)) (n int, err error) {
	wrap := func(err error) (int, error) { return 0, fmt.Errorf("search.Rebuild: %w", err) }
	path := filepath.Join(x.cfg.Dir, newName)
	if err := os.RemoveAll(path); err != nil {
		return wrap(err)
	}
	done, last := 0, time.Now()
	err = buildDisk(ctx, path, s, func(k int) {
		done += k
		if progress != nil {
			progress(done, s.size())
		}
		if time.Since(last) >= time.Second {
			last = time.Now()
			if _, err := x.follow(ctx); err != nil {
				x.cfg.Log.WarnContext(ctx, "search: the feed did not answer during a rebuild", "error", err)
			}
		}
	})
	if err != nil {
		return wrap(errors.Join(err, os.RemoveAll(path)))
	}
	if path, err = install(x.cfg.Dir); err != nil {
		return wrap(err)
	}

	// Opened under its new name, read through, brought up to the feed, and only then named as current.
	var next *disk
	var w *wordIndex
	err = safely(func() (err error) {
		if next, err = openDisk(path); err != nil {
			return err
		}
		later, c, err := x.pull(ctx, s)
		if err != nil {
			return err
		}
		if s = later; !c.none() {
			if err := next.write(ctx, s, c.puts, c.drops); err != nil {
				return err
			}
		}
		if w, err = newWordIndex(next.store, s, nil); err != nil {
			return err
		}
		if err = w.verify(ctx); err != nil {
			return err
		}
		return point(x.cfg.Dir, path)
	})
	if err != nil {
		if w != nil {
			w.reader.Close()
		}
		if next != nil {
			err = errors.Join(err, next.close())
		}
		return wrap(errors.Join(err, os.RemoveAll(path)))
	}
	oldDisk := x.disk
	old := x.swap(newEpoch(s, w))
	x.disk = next
	<-old.idle // no search lasts longer than its deadline
	if oldDisk != nil {
		if err := oldDisk.close(); err != nil {
			x.cfg.Log.WarnContext(ctx, "search: the old index was not closed in order", "error", err)
		}
	}
	if err := sweep(x.cfg.Dir, path); err != nil {
		x.cfg.Log.WarnContext(ctx, "search: an old index was not removed", "error", err)
	}
	return s.size(), nil
}

// Run follows the feed about once a second until ctx ends, whose error it returns. It builds the index
// when there is none to rely on, and audits it at the start and every hour. An index that cannot be built,
// on a full disk for one, is tried again ever more rarely, and plain answers go on following the feed.
func (x *Index) Run(ctx context.Context) error {
	const pause, longest, hour = time.Second, time.Minute, time.Hour
	go suggests()                // so that the first visitor need not wait for the table
	var built, audited time.Time // of the last attempt
	var oneAudit sync.Mutex      // at a time
	var audits sync.WaitGroup
	defer audits.Wait()
	auditing, stop := context.WithCancel(ctx)
	defer stop()
	wait := pause
	failing := ""
	for {
		build := time.Since(built) >= wait
		_, err := x.sync(ctx, build)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errClosed) {
			return err
		}
		ready := x.ready()
		switch {
		case err != nil && err.Error() != failing: // once, not every second
			x.cfg.Log.ErrorContext(ctx, "search: the index does not follow the store", "error", err)
			failing = err.Error()
		case err == nil && ready && failing != "":
			x.cfg.Log.InfoContext(ctx, "search: the index follows the store again")
			failing = ""
		}
		if build && !ready {
			built, wait = time.Now(), min(2*wait, longest)
		} else if ready {
			built, wait = time.Time{}, pause
		}
		if err == nil && ready && time.Since(audited) >= hour && oneAudit.TryLock() {
			audited = time.Now()
			audits.Go(func() {
				defer oneAudit.Unlock()
				if _, err := x.audit(auditing, x.cfg.Background); err != nil && auditing.Err() == nil {
					x.cfg.Log.ErrorContext(ctx, "search: the index was not audited", "error", err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-x.closed:
			return errClosed
		case <-time.After(pause):
		}
	}
}

// ready reports that there is an index to rely on.
func (x *Index) ready() bool {
	x.writing.Lock()
	defer x.writing.Unlock()
	return x.disk != nil
}

// Search answers a query within 300 ms, one about the past within 1.5 s. What is wrong with the query is an Invalid error whose Field names
// the parameter; directory.Unavailable says that there was no answer in time.
func (x *Index) Search(ctx context.Context, q Query) (Result, error) {
	if err := q.Validate(); err != nil {
		return Result{}, err
	}
	after, err := readCursor(q)
	if err != nil {
		return Result{}, err
	}
	e, err := x.current()
	if err != nil {
		return Result{}, err
	}
	defer e.release()
	patience := x.patience
	if q.At != "" {
		patience = max(patience, pastTime)
	}
	words := q.request()
	waits := len(words.terms) > 0 || q.At != "" // the rest is work in memory
	if end, ok := ctx.Deadline(); waits && (!ok || time.Until(end) > patience) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}

	r := Result{Seq: e.seq.Load(), Understood: words.understood(), Plain: e.words == nil}
	var hits []hit
	if len(words.terms) > 0 {
		room := hitRooms.Get().(*hitRoom)
		defer hitRooms.Put(room)
		err := safely(func() (err error) {
			hits, err = e.matcher().match(ctx, words.terms, room)
			return err
		})
		if err != nil && ctx.Err() == nil && e.words != nil { // the index failed, not the query
			x.cfg.Log.ErrorContext(ctx, "search: the index failed a query, which was answered plainly", "error", fmt.Sprintf("%T", err)) // its text may quote the query
			go x.suspect(e, fmt.Errorf("it failed a query (%T)", err))
			r.Plain = true
			hits, err = plain{e.docs}.match(ctx, words.terms, room)
		}
		if err != nil {
			return Result{}, late(err)
		}
	}
	if err := ctx.Err(); err != nil {
		return Result{}, late(err)
	}
	ev := evaluate(q, words, x.maker.lexicon, x.cfg.Now().UnixMilli())
	ev.after = after
	if q.At != "" {
		if err := x.lookBack(ctx, ev, e.docs, hits); err != nil {
			if ctx.Err() != nil {
				return Result{}, late(ctx.Err())
			}
			return Result{}, err
		}
	}
	a := ev.on(e.docs, hits, x.maker.lexicon)
	defer a.leave()
	r.Total, r.ChecksFor, r.Needs = a.total, ev.y, ev.needs
	if n := e.docs.next; n != 0 {
		r.Until = directory.At(time.UnixMilli(n))
	}
	r.Hits = make([]Hit, len(a.hits))
	var miles []float64
	if q.Near != nil {
		miles = make([]float64, len(a.hits))
	}
	for i := range a.hits {
		f, h := &a.hits[i], &r.Hits[i]
		h.ID, h.Seq, h.Score, h.Why = f.key.ID, e.docs.seqs[f.doc], float64(f.match.score), f.match.why()
		if ev.needs > 0 {
			h.Needs = ev.needsStated(e.docs, f.doc)
		}
		if f.key.Miles >= 0 {
			miles[i] = f.key.Miles
			h.Miles = &miles[i]
		}
		if q.Explain {
			h.Stands = ev.explain(e.docs, f)
		}
	}
	if a.more {
		r.Next = writeCursor(q, a.hits[len(a.hits)-1].key)
	}
	r.Facets = make([]Facet, 0, bits.OnesCount32(uint32(ev.count)))
	values := make([]FacetValue, 0, countedOf(a.counts)) // of all facets, one after another
	for f := range facets {
		if !ev.count.has(f) {
			continue
		}
		chosen := q.Filters[facetNames[f]]
		if f == facetState && q.State != "" {
			chosen = []string{string(q.State)}
		}
		var shown Facet
		shown, values = x.maker.lexicon.present(f, a.counts, chosen, values)
		r.Facets = append(r.Facets, shown)
	}
	return r, nil
}

// suspect gives up the index of an epoch that failed a search, unless another took its place meanwhile.
func (x *Index) suspect(e *epoch, why error) {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.open() != nil || x.disk == nil {
		return
	}
	now, err := x.current()
	if err != nil {
		return
	}
	defer now.release()
	if now.words != nil {
		x.distrust(context.Background(), now.docs, why)
	}
}

// late says why there was no answer.
func late(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	out := directory.Errorf(directory.Unavailable, "", "the search took too long: use fewer words or more filters")
	out.Op, out.Cause = "search.Search", err
	return out
}

// Status says how the index stands. Head is 0 when the store does not answer.
func (x *Index) Status(ctx context.Context) Status {
	s := Status{State: "building", Mapping: mappingVersion, Plain: true}
	e, err := x.current()
	if err != nil {
		return s
	}
	defer e.release()
	if e.words != nil {
		s.State, s.Plain = "ready", false
	}
	s.Cursor, s.Documents = e.seq.Load(), e.docs.size()
	if head, err := x.cfg.Feed.Head(ctx); err == nil {
		s.Head = head.Seq
		s.Behind = max(0, head.Seq-s.Cursor)
	}
	return s
}

// Close waits for the searches under way and closes the index. Every later call answers
// directory.Unavailable. Closing twice is no error.
func (x *Index) Close() error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if x.open() != nil {
		return nil
	}
	close(x.closed)
	old := x.swap(nil)
	<-old.idle
	x.closing.Wait()
	var err error
	if x.disk != nil {
		err = x.disk.close()
	}
	return errors.Join(err, x.lock.release())
}

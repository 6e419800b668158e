package store

import (
	"cmp"
	"context"
	"database/sql"
	"runtime"
	"slices"
	"sync"
	"time"

	"kapdir/directory"
)

// brief stands in a holding of which only a part of the file is held: some of the claims, with their
// events, and none of the facts. A work that holds a provider so neither changes facts nor looks at other
// claims.
type brief struct {
	subject directory.Subject
	rows    []*row // of the list, that may speak of the provider
}

// briefs reads the public ones of the providers in brief, in the order of ids: the claim of the issuer's screen,
// unless it is "", and those whose moment has come. With a screen there is a subject to compare.
func (t *tx) briefs(ids []directory.ID, screen string, now directory.Instant) ([]*holding, error) {
	held := make(map[directory.ID]*holding, len(ids))
	var bare []directory.ID // of whom it is not written what they are compared by
	from := `p.id, p.seq, p.valid_until, p.moments, f.subject FROM provider p JOIN provider_facts f ON f.id = p.id`
	if screen == "" {
		from = `p.id, p.seq, p.valid_until, p.moments, '' FROM provider p`
	}
	err := t.eachIn(`SELECT `+from+` WHERE p.id IN (%s) AND p.listed = 1 AND p.withdrawn = 0 AND p.merged_into = ''`, nil, texts(ids),
		func(r *sql.Rows) error {
			h := &holding{brief: &brief{}}
			h.listed = true
			p := &h.file.Provider
			if err := r.Scan(&p.ID, &p.Seq, &h.until, &h.moments, &h.described); err != nil {
				return err
			}
			h.lasts = parseMoments(h.moments)
			held[p.ID] = h
			switch {
			case screen == "":
			case h.described == "":
				bare = append(bare, p.ID)
			default:
				if err := decode(h.described, &h.brief.subject); err != nil {
					return directory.Errorf(directory.Internal, "", "what provider %s is compared by cannot be read: run kapdir fsck: %w", p.ID, err)
				}
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	subjects, err := t.subjects(bare)
	if err != nil {
		return nil, err
	}
	for id, s := range subjects {
		held[id].brief.subject = s
	}
	isScreen := func(c directory.Claim) bool {
		return screen != "" && c.Kind == directory.ExclusionScreen && c.Issuer == screen
	}
	var late []directory.ID // somebody of whom a moment has come
	for id, h := range held {
		if until := h.lasts.first(); h.lasts == nil || until != "" && until <= now {
			late = append(late, id)
		}
	}
	slices.Sort(late)
	var of []directory.Claim
	merged := map[directory.ID]bool{} // somebody into whom another was merged: claims of both may be one
	err = t.claims(late, ``, nil, func(c directory.Claim) {
		of = append(of, c)
		merged[c.Provider] = merged[c.Provider] || c.Home != ""
	})
	if err != nil {
		return nil, err
	}
	var claims []string
	for _, c := range of {
		if h := held[c.Provider]; (merged[c.Provider] || h.lasts.come(c.ID, now)) && !isScreen(c) {
			h.file.Claims = append(h.file.Claims, directory.History{Claim: c})
			claims = append(claims, string(c.ID))
		}
	}
	if screen != "" {
		err := t.eachIn(`SELECT `+claimColumns+`, coalesce(e.payload, '') FROM claim c LEFT JOIN event_payload e ON e.claim = c.id
			WHERE provider IN (%s) AND kind = 'exclusion_screen' AND issuer = $1`, []any{screen}, texts(keysOf(held)), func(r *sql.Rows) error {
			var payload string
			c, err := scanClaim(r, &payload)
			if err != nil {
				return err
			}
			h := held[c.Provider]
			i := slices.IndexFunc(h.file.Claims, func(x directory.History) bool { return x.Claim.ID == c.ID })
			if i < 0 {
				i = len(h.file.Claims)
				h.file.Claims = append(h.file.Claims, directory.History{Claim: c})
			}
			if payload == "" { // nothing is said of it yet
				return nil
			}
			return addEvent(&h.file.Claims[i], payload)
		})
		if err != nil {
			return nil, err
		}
	}
	owner := make(map[directory.ID]*directory.History, len(claims))
	for _, h := range held {
		for i := range h.file.Claims {
			owner[h.file.Claims[i].Claim.ID] = &h.file.Claims[i]
		}
	}
	if err := t.events(claims, func(claim directory.ID) *directory.History { return owner[claim] }); err != nil {
		return nil, err
	}
	out := make([]*holding, 0, len(held))
	bySeq := func(a, b directory.Event) int { return cmp.Compare(a.Seq, b.Seq) } // they come so from SQLite's index
	for _, id := range ids {
		if h := held[id]; h != nil {
			for _, c := range h.file.Claims {
				if !slices.IsSortedFunc(c.Events, bySeq) {
					slices.SortFunc(c.Events, bySeq)
				}
			}
			h.file.Claims = directory.Unify(h.file.Claims)
			h.claims = len(h.file.Claims)
			out = append(out, h)
			delete(held, id) // an id asked for twice is answered once
		}
	}
	return out, nil
}

// subjects reads what providers are compared by out of their facts, licences and NPPES records.
func (t *tx) subjects(ids []directory.ID) (map[directory.ID]directory.Subject, error) {
	held, err := t.withLicences(ids)
	if err != nil {
		return nil, err
	}
	linked, err := t.identities(ids)
	out := make(map[directory.ID]directory.Subject, len(held))
	for id, h := range held {
		out[id] = withIdentity(h.file.Subject(), linked[id])
	}
	return out, err
}

// withLicences reads providers with those of their claims by which they are compared.
func (t *tx) withLicences(ids []directory.ID) (map[directory.ID]*stored, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	held, err := t.providers(ids)
	if err != nil {
		return nil, err
	}
	return held, t.claims(ids, `AND kind = 'license'`, nil, func(c directory.Claim) {
		if h := held[c.Provider]; h != nil {
			h.file.Claims = append(h.file.Claims, directory.History{Claim: c})
		}
	})
}

// holdBriefs holds providers that were read in brief.
func (w *work) holdBriefs(held []*holding) {
	for _, h := range held {
		w.held[h.id()] = h
		w.order = append(w.order, h)
	}
}

// watchlist is a release of an exclusion list in memory: its index, and its rows packed as they are held and ready
// to be compared. It does not change.
type watchlist struct {
	run    directory.Run
	index  []indexPage // a segment each
	rows   map[uint32]watched
	names  map[int64]string // of the releases that the rows stand in, by run
	unread *unread
}

// watched is a row in force. What else it says is taken out of its page when it may speak of somebody.
type watched struct {
	page    *packedPage
	at      entered
	subject *directory.Prepared
}

// watchlist reads the rows in force once the run is: those that it brought and, if it holds changes alone, those
// that it adds to.
func (s *Store) watchlist(ctx context.Context, op string, run directory.Run) (*watchlist, error) {
	l := &watchlist{run: run, rows: map[uint32]watched{}, names: map[int64]string{}}
	pages := make(chan []watched, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var bad error
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for page := range pages {
				for i := range page {
					r, err := page[i].page.unpack(run.Release.Source, page[i].at)
					switch {
					case err != nil:
						mu.Lock()
						bad = damaged("row", run.Release.Source, int64(page[i].at.ordinal), err)
						mu.Unlock()
					case r.kind == "exclusion":
						page[i].subject = directory.Prepare(r.record.Subject())
					}
				}
				mu.Lock()
				for _, x := range page {
					if x.subject != nil {
						l.rows[x.at.ordinal] = x
					}
				}
				mu.Unlock()
			}
		})
	}
	err := s.read(ctx, op, func(t *tx) error {
		defer close(pages)
		segments, err := t.segmentsOf(run.Release.Source)
		if err != nil {
			return err
		}
		for _, g := range segments {
			all := make(indexPage, 0, g.entries*entrySize)
			if err := t.eachEntries(g, func(list indexPage) error { all = append(all, list...); return nil }); err != nil {
				return err
			}
			l.index = append(l.index, all)
		}
		t.see(run)
		standing := 0
		err = t.eachStanding(run.Release.Source, func(p *packedPage, rows []entered) error {
			standing += len(rows)
			page := make([]watched, len(rows))
			for i, at := range rows {
				page[i] = watched{page: p, at: at}
				if _, ok := l.names[at.run]; !ok {
					of, _, err := t.runOne(`WHERE number = $1`, at.run)
					if err != nil {
						return err
					}
					l.names[at.run] = of.Release.Name
				}
			}
			pages <- page
			return nil
		})
		if err == nil {
			err = t.standing(run.Release.Source, standing)
		}
		if err == nil {
			l.unread, err = t.unreadOf(run)
		}
		return err
	})
	wg.Wait()
	if err == nil {
		err = s.fault(op, bad)
	}
	return l, err
}

// hits calls f with the rows that may speak of the subject, in the order of their ordinals.
func (l *watchlist) hits(p *directory.Prepared, f func(x watched, m directory.Match)) {
	var out []uint32
	for _, b := range p.ScreenBlocks() {
		hash := hash64(clean(b))
		for _, list := range l.index {
			out = append(out, list.of(hash)...)
		}
	}
	slices.Sort(out)
	for _, o := range slices.Compact(out) {
		if x, ok := l.rows[o]; ok {
			if m := x.subject.Screen(p); m.Rung != directory.M0 {
				f(x, m)
			}
		}
	}
}

// compare reads providers in brief and finds the rows that may speak of them.
func (l *watchlist) compare(t *tx, ids []directory.ID, now directory.Instant) ([]*holding, error) {
	held, err := t.briefs(ids, l.run.Release.Source, now)
	if err != nil {
		return nil, err
	}
	for _, h := range held {
		l.hits(h.ready(), func(x watched, m directory.Match) {
			r, bad := x.page.unpack(l.run.Release.Source, x.at) // a screening writes down in it what it found
			if bad != nil {
				err = damaged("row", l.run.Release.Source, int64(x.at.ordinal), bad)
				return
			}
			r.release, r.met = l.names[r.run], &m
			h.brief.rows = append(h.brief.rows, r)
		})
	}
	return held, err
}

// counting returns the rows of a list that count: not those of an older release, which have not been taken
// away yet, and not the exclusions that another row says have ended.
func counting(rows []*row, list directory.Run) []*row {
	out := make([]*row, 0, len(rows))
	ended := map[string]bool{}
	for _, r := range rows {
		if r.run < list.First() {
			continue
		}
		out = append(out, r)
		if x := r.record.Exclusion; x != nil && x.Ends != "" && x.Reinstated != "" {
			ended[x.Ends] = true
		}
	}
	return slices.DeleteFunc(out, func(r *row) bool { return ended[r.key] })
}

// screening compares a release of an exclusion list with every public provider. Pages are read
// and compared ahead of the goroutine that writes. What it read counts only as long as nobody else has
// written since: whatever changes a provider takes a number from head.
type screening struct {
	s    *Store
	op   string
	o    *openRun
	list *watchlist
	size int // providers of the next transaction

	left    int64                 // the head when the last transaction of the screening ended
	foreign int64                 // the head when somebody else was last seen to have written
	meant   map[directory.ID]bool // who came or changed meanwhile, and is to be compared again
}

// pagesAhead is how many pages are compared ahead of the one that is written, so that neither side waits for the
// other while a commit reaches the disk.
const pagesAhead = 4

// comparedPage is a page of providers compared with the list in one snapshot.
type comparedPage struct {
	head int64 // of the snapshot
	held []*holding
	err  error
}

// screenAll compares an exclusion list with every public provider and ends the run with finish, in the
// transaction in which nobody is left who came or changed meanwhile.
func (s *Store) screenAll(ctx context.Context, op string, o *openRun, finish func(*work, *directory.Run)) error {
	head, err := s.Head(ctx)
	if err != nil {
		return err
	}
	list, err := s.watchlist(ctx, op, o.run)
	if err != nil {
		return err
	}
	c := &screening{s: s, op: op, o: o, list: list, size: s.start(), left: head.Seq, meant: map[directory.ID]bool{}}
	reading, stop := context.WithCancel(ctx)
	pages := make(chan chan comparedPage, pagesAhead)
	go func() {
		defer close(pages)
		c.read(reading, pages)
	}()
	defer func() { // nobody reads the database after the screening
		stop()
		for page := range pages {
			<-page
		}
	}()
	for coming := range pages {
		page := <-coming
		if page.err != nil {
			return page.err
		}
		for len(page.held) > 0 {
			n := min(c.size, len(page.held))
			piece := comparedPage{head: page.head, held: page.held[:n]}
			page.held = page.held[n:]
			if err := c.write(ctx, piece, nil); err != nil {
				return err
			}
		}
	}
	for ended := false; !ended; {
		err := c.write(ctx, comparedPage{}, func(w *work, run *directory.Run) {
			if ended = len(c.meant) == 0; ended {
				finish(w, run)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// read sends pages of compared providers, in the order of ids, until there are no more, an error, or the
// end of ctx. A page is compared while the one before it is: each comes in a channel of its own.
func (c *screening) read(ctx context.Context, pages chan<- chan comparedPage) {
	for after := ""; ; {
		page, last := make(chan comparedPage, 1), make(chan string, 1)
		select {
		case pages <- page:
		case <-ctx.Done():
			return
		}
		go func() { page <- c.compare(ctx, after, last) }()
		if after = <-last; after == "" {
			return
		}
	}
}

// compare compares the providers after an id in one snapshot, and tells the last of them as soon as it is known;
// "" when there are none or it could not look.
func (c *screening) compare(ctx context.Context, after string, last chan<- string) (page comparedPage) {
	defer close(last)
	now := c.s.now()
	page.err = c.s.read(ctx, c.op, func(t *tx) error {
		head, err := t.head()
		if err != nil {
			return err
		}
		page.head = head.Seq
		var ids []directory.ID
		err = t.each(`SELECT id FROM provider WHERE id > $1 AND listed = 1 AND withdrawn = 0 AND merged_into = '' ORDER BY id LIMIT $2`, []any{after, c.s.most},
			func(r *sql.Rows) error {
				var id directory.ID
				err := r.Scan(&id)
				ids = append(ids, id)
				return err
			})
		if err != nil || len(ids) == 0 {
			return err
		}
		last <- string(ids[len(ids)-1])
		page.held, err = c.list.compare(t, ids, now)
		return err
	})
	return page
}

// write screens a piece of a page in one transaction. Without one, it takes those who came or changed
// meanwhile, and calls finish with what will become of the run.
func (c *screening) write(ctx context.Context, piece comparedPage, finish func(*work, *directory.Run)) error {
	start := time.Now() // only to keep transactions short
	done := c.o.run
	var n int
	var last *work
	err := c.s.writeBehind(ctx, c.op, func(w *work) error {
		last = w
		if err := c.look(w); err != nil {
			return err
		}
		ids := make([]directory.ID, 0, c.size)
		for _, h := range piece.held {
			ids = append(ids, h.id())
		}
		if finish != nil {
			for id := range c.meant {
				if ids = append(ids, id); len(ids) == c.size {
					break
				}
			}
			slices.Sort(ids)
		}
		n = len(ids)
		held := piece.held
		if finish != nil || piece.head < c.foreign {
			var err error
			if held, err = c.list.compare(w.tx, ids, w.now); err != nil {
				return err
			}
		}
		if err := w.screenThese(c.list, held); err != nil {
			return err
		}
		for _, id := range ids {
			delete(c.meant, id)
		}
		if finish != nil {
			finish(w, &done)
		}
		done.Matched += w.matched
		done.Events += len(w.events)
		return w.updateRun(done)
	})
	if err != nil {
		return err
	}
	c.o.run, c.left = done, max(c.left, last.ended)
	c.size = c.s.adapt(c.size, n, time.Since(start))
	c.s.committed()
	return nil
}

// look notes of whom others have written since the last transaction of the screening: a candidate may have
// been cleared, of which public faces hear nothing.
func (c *screening) look(w *work) error {
	head, err := w.head()
	if err != nil || head.Seq == c.left {
		return err
	}
	ids, err := w.spokenOf(c.left, head.Seq)
	for _, id := range ids {
		c.meant[id] = true
	}
	c.left, c.foreign = head.Seq, head.Seq
	return err
}

// spokenOf returns the providers to whom the numbers after one up to another belong.
func (t *tx) spokenOf(after, last int64) (ids []directory.ID, err error) {
	err = t.each(`SELECT provider FROM change WHERE seq > $1 AND seq <= $2
		UNION SELECT c.provider FROM event_payload p JOIN claim c ON c.id = p.claim WHERE p.seq > $1 AND p.seq <= $2`, []any{after, last}, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// screenThese writes down what the list says of providers compared with it.
func (w *work) screenThese(l *watchlist, held []*holding) error {
	w.unread[l.run.ID] = l.unread
	w.holdBriefs(held)
	for _, h := range held {
		if err := w.screen(h, l.run, h.brief.rows); err != nil {
			return err
		}
	}
	return nil
}

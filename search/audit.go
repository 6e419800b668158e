package search

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"kapdir/directory"
)

// Audit reads the whole feed again and compares with it the number and the hash of every document, in
// memory and in the index, every word and keyword of the index, and the checksums of its files. An index
// that is not right is given up at once and built anew by the next Sync. Documents whose number is past
// what the index has taken are left out: they are on their way. The index goes on following the feed
// while the feed is read.
func (x *Index) Audit(ctx context.Context) (AuditReport, error) { return x.audit(ctx, nil) }

// audit is Audit whose reading of the feed is work in the background.
func (x *Index) audit(ctx context.Context, turn *directory.Background) (r AuditReport, err error) {
	if err := x.auditFeed(ctx, turn, &r); err != nil {
		return r, fmt.Errorf("search.Audit: %w", err)
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.open(); err != nil {
		return r, err
	}
	e, err := x.current()
	if err != nil {
		return r, err
	}
	defer e.release()
	if r.Plain = e.words == nil; !r.Plain {
		indexed := map[directory.ID]string{}
		err := safely(func() error { return x.inspect(ctx, e, indexed) })
		switch {
		case ctx.Err() != nil:
			return r, ctx.Err()
		case err != nil:
			r.Damage = err.Error()
		default:
			r.compareIndexed(e.docs, indexed)
		}
	}
	if r.sort(); r.OK() {
		return r, nil
	}
	s, _, err := x.read(ctx)
	if err != nil {
		s = e.docs
	}
	if x.disk == nil {
		x.swap(newEpoch(s, nil))
		return r, nil
	}
	x.distrust(ctx, s, fmt.Errorf("an audit found %d providers missing, %d that should not be there, %d changed; damage: %q",
		len(r.Missing), len(r.Extra), len(r.Changed), r.Damage))
	return r, nil
}

// auditFeed compares the feed, page by page, with the documents in memory. Each page is compared with what was in
// service before it was read, so that whatever comes in meanwhile has a number past that.
func (x *Index) auditFeed(ctx context.Context, turn *directory.Background, r *AuditReport) error {
	const step = 100
	m := maker{x.maker.policies, newLexicon()}
	seed, seen := maphash.MakeSeed(), map[uint64]struct{}{} // of ids: a million would be heavy
	last, more := int64(0), true
	piece := func() error {
		e, err := x.current()
		if err != nil {
			return err
		}
		defer e.release()
		taken, now := e.seq.Load(), directory.At(x.cfg.Now())
		page, err := x.cfg.Feed.Changes(ctx, last, step)
		if err != nil {
			return err
		}
		for _, c := range page {
			last = max(last, c.Seq)
			seen[maphash.String(seed, string(c.Provider))] = struct{}{}
			if c.Seq <= taken {
				r.compareOne(m, c, e.docs, now)
			}
		}
		if more = len(page) == step; more {
			return nil
		}
		for _, doc := range e.docs.byID {
			if _, ok := seen[maphash.String(seed, string(e.docs.ids[doc]))]; !ok {
				r.note(&r.Extra, e.docs.ids[doc])
			}
		}
		return nil
	}
	for more {
		if err := turn.Do(ctx, piece); err != nil {
			return err
		}
	}
	return nil
}

// compareOne adds how a document differs from its change. It is made for the moment for which the document was, since
// time alone is no difference.
func (r *AuditReport) compareOne(m maker, c directory.Change, s *snapshot, now directory.Instant) {
	doc, held := s.find(c.Provider)
	at := now
	if held {
		at = s.instant(doc)
	}
	switch hidden := m.hidden(c, at); {
	case hidden && held:
		r.note(&r.Extra, c.Provider)
		return
	case hidden:
		return
	case !held:
		r.note(&r.Missing, c.Provider)
	case s.mark(doc) != m.document(c, at).mark():
		r.note(&r.Changed, c.Provider)
	}
	r.Checked++
}

// compareIndexed adds how the marks that the index stores differ from those in memory.
func (r *AuditReport) compareIndexed(s *snapshot, indexed map[directory.ID]string) {
	for _, doc := range s.byID {
		id := s.ids[doc]
		switch mark, ok := indexed[id]; {
		case !ok:
			r.note(&r.Missing, id)
		case mark != s.mark(doc):
			r.note(&r.Changed, id)
		}
		delete(indexed, id)
	}
	for id := range indexed {
		r.note(&r.Extra, id)
	}
}

// inspect looks at the index in use by itself: its files, its words, and the marks it stores.
func (x *Index) inspect(ctx context.Context, e *epoch, marks map[directory.ID]string) error {
	if err := x.disk.async(); err != nil {
		return err
	}
	if err := x.disk.checkLive(); err != nil {
		return err
	}
	err := stored(e.words.reader, func(id directory.ID, text string) error {
		if _, ok := marks[id]; ok {
			return fmt.Errorf("the index holds %s twice", id)
		}
		v, err := parseVersion(text)
		if err != nil {
			return fmt.Errorf("the index holds %q for %s: %w", text, id, err)
		}
		marks[id] = v.mark()
		return nil
	})
	if err != nil {
		return err
	}
	return e.words.verify(ctx)
}

// compare adds what differs between the feed and what is held, by mark.
func (r *AuditReport) compare(feed map[directory.ID]*document, waiting map[directory.ID]bool, held map[directory.ID]string) {
	for id, d := range feed {
		switch v, ok := held[id]; {
		case !ok:
			r.note(&r.Missing, id)
		case v != d.mark():
			r.note(&r.Changed, id)
		}
	}
	for id := range held {
		if feed[id] == nil && !waiting[id] {
			r.note(&r.Extra, id)
		}
	}
	r.Checked = len(feed)
	r.sort()
}

// note puts an id into one of the lists of r, once.
func (*AuditReport) note(list *[]directory.ID, id directory.ID) {
	if !slices.Contains(*list, id) {
		*list = append(*list, id)
	}
}

func (r *AuditReport) sort() {
	slices.Sort(r.Missing)
	slices.Sort(r.Extra)
	slices.Sort(r.Changed)
}

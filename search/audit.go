package search

import (
	"context"
	"fmt"
	"slices"

	"kapdir/directory"
)

// Audit reads the whole feed again and compares with it the number and the hash of every document, in
// memory and in the index, every word and keyword of the index, and the checksums of its files. An index
// that is not right is given up at once and built anew by the next Sync. Documents whose number is past
// what the index has taken are left out: they are on their way.
func (x *Index) Audit(ctx context.Context) (AuditReport, error) {
	x.writing.Lock()
	defer x.writing.Unlock()
	var r AuditReport
	if err := x.open(); err != nil {
		return r, err
	}
	e, err := x.current()
	if err != nil {
		return r, err
	}
	defer e.release()
	taken := e.seq.Load()
	now := directory.At(x.cfg.Now())
	feed, waiting, _, err := x.maker.asOf(ctx, x.cfg.Feed, taken, func(id directory.ID) directory.Instant {
		if doc, ok := e.docs.find(id); ok {
			return e.docs.instant(doc) // time alone is no difference
		}
		return now
	})
	if err != nil {
		return r, fmt.Errorf("search.Audit: %w", err)
	}

	held := map[directory.ID]string{}
	for _, doc := range e.docs.byID {
		held[e.docs.ids[doc]] = e.docs.mark(doc)
	}
	r.compare(feed, waiting, held)
	if r.Plain = e.words == nil; !r.Plain {
		indexed := map[directory.ID]string{}
		err := safely(func() error { return x.inspect(ctx, e, indexed) })
		switch {
		case ctx.Err() != nil:
			return r, ctx.Err()
		case err != nil:
			r.Damage = err.Error()
		default:
			r.compare(feed, waiting, indexed)
		}
	}
	if r.OK() {
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
	note := func(list *[]directory.ID, id directory.ID) {
		if !slices.Contains(*list, id) {
			*list = append(*list, id)
		}
	}
	for id, d := range feed {
		switch v, ok := held[id]; {
		case !ok:
			note(&r.Missing, id)
		case v != d.mark():
			note(&r.Changed, id)
		}
	}
	for id := range held {
		if feed[id] == nil && !waiting[id] {
			note(&r.Extra, id)
		}
	}
	r.Checked = len(feed)
	slices.Sort(r.Missing)
	slices.Sort(r.Extra)
	slices.Sort(r.Changed)
}

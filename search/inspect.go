package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	index "github.com/blevesearch/bleve_index_api"

	"kapdir/directory"
)

// The states of an index that Inspect knows beside ready.
const (
	stateNone    = "none"    // there is no index yet
	stateDamaged = "damaged" // there is one that is not to be relied on: the next start builds another
)

// Inspect looks at the index on disk without opening it for use: nothing is caught up, repaired or
// rebuilt, and no file of the folder changes but the lock's. It compares the checksums of the files, the
// number and the hash of every document, and every word and keyword, with what the feed says now. An index
// that is wrong is no error but stands in the report. An index that is missing is nothing wrong: the
// report and the status are Plain. It fails if the feed does not answer, if the folder cannot be used,
// and with directory.Conflict, as Open does, while another process holds the index.
//
// What a document holds depends on its number and on the moment it was worked out for, which the index
// stores beside its hash. The feed's side is worked out for the same moment, so that checks which differ
// at cfg.Now are no difference. Changes whose number is past the index's cursor are on their way, and
// counted as Behind.
func Inspect(ctx context.Context, cfg Config) (r AuditReport, s Status, err error) {
	cfg = cfg.filled()
	s = Status{State: stateNone, Mapping: mappingVersion, Plain: true}
	head, err := cfg.Feed.Head(ctx)
	if err != nil {
		return r, s, fmt.Errorf("search.Inspect: %w", err)
	}
	s.Head, s.Behind = head.Seq, head.Seq
	r.Plain = true
	if _, err := os.Stat(cfg.Dir); errors.Is(err, fs.ErrNotExist) {
		return r, s, nil
	}
	l, err := takeLock(cfg.Dir)
	if err != nil {
		return r, s, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	name, err := readCurrent(cfg.Dir)
	if errors.Is(err, errNone) {
		return r, s, nil
	}
	r.Plain = false
	wrong, feedErr := err, error(nil)
	if wrong == nil {
		wrong, feedErr = inspectDisk(ctx, cfg, filepath.Join(cfg.Dir, name), &r, &s)
	}
	switch {
	case ctx.Err() != nil:
		return r, s, ctx.Err()
	case feedErr != nil:
		return r, s, fmt.Errorf("search.Inspect: %w", feedErr)
	case wrong != nil:
		r.Damage = wrong.Error()
	}
	if r.OK() {
		s.State, s.Plain = "ready", false
	} else {
		s.State = stateDamaged
	}
	return r, s, nil
}

// inspectDisk compares the index in the folder with the feed. What is wrong with the index it returns
// apart from the error of the feed.
func inspectDisk(ctx context.Context, cfg Config, path string, r *AuditReport, s *Status) (wrong, err error) {
	var d *disk
	var reader index.IndexReader
	defer func() {
		closing := safely(func() error {
			var errs []error
			if reader != nil {
				errs = append(errs, reader.Close())
			}
			if d != nil {
				errs = append(errs, d.close())
			}
			return errors.Join(errs...)
		})
		wrong = errors.Join(wrong, closing)
	}()
	held := map[directory.ID]string{}
	at := map[directory.ID]directory.Instant{}
	var cursor int64
	wrong = safely(func() (err error) {
		if err := checkFiles(path); err != nil {
			return err
		}
		if d, err = openReadOnly(path); err != nil {
			return err
		}
		if cursor, err = d.cursor(); err != nil {
			return err
		}
		s.Cursor = cursor
		s.Behind = max(0, s.Head-cursor)
		if err := d.checkMapping(); err != nil {
			return err
		}
		if reader, err = d.store.Reader(); err != nil {
			return err
		}
		return stored(reader, func(id directory.ID, version string) error {
			if _, ok := held[id]; ok {
				return fmt.Errorf("the index holds %s twice", id)
			}
			v, err := parseVersion(version)
			if err != nil {
				return fmt.Errorf("the index holds %q for %s: %w", version, id, err)
			}
			held[id], at[id] = v.mark(), v.at
			return ctx.Err()
		})
	})
	if wrong != nil {
		return wrong, nil
	}
	s.Documents = len(held)

	m := maker{cfg.Policies, newLexicon()}
	now := directory.At(cfg.Now())
	feed, waiting, last, err := m.asOf(ctx, cfg.Feed, cursor, func(id directory.ID) directory.Instant { return cmp.Or(at[id], now) })
	if err != nil {
		return nil, err
	}
	if last = max(last, s.Head); cursor > last {
		return fmt.Errorf("the index is at number %d, the feed at %d: it belongs to another store", cursor, last), nil
	}
	if len(waiting) == 0 { // the numbers in between are of changes that no document shows
		s.Cursor, s.Behind = max(cursor, s.Head), 0
	}
	r.compare(feed, waiting, held)
	var same []*document
	for id, doc := range feed {
		if held[id] == doc.mark() {
			same = append(same, doc)
		}
	}
	slices.SortFunc(same, func(a, b *document) int { return strings.Compare(string(a.id), string(b.id)) })
	w := &wordIndex{reader: reader, docs: newSnapshot().with(same, nil, cursor, m.lexicon), partial: true}
	wrong = safely(func() error {
		if err := w.place(nil); err != nil {
			return err
		}
		return errors.Join(w.verify(ctx), d.async())
	})
	return wrong, nil
}

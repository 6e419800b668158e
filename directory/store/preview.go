package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"

	"kapdir/directory"
)

// Preview does an import without writing anything: it counts what would be done, and keeps the first rows
// of each kind to be shown. It has the three methods of an import.
type Preview struct {
	Show int // rows of each kind of change that Diff returns

	s    *Store
	mu   sync.Mutex
	runs map[directory.ID]*previewRun
	diff Diff
}

// Diff is what an import would do to the rows of a source: as many of each kind as were asked for.
type Diff struct {
	Added   []DiffRow `json:"added,omitempty"`
	Changed []DiffRow `json:"changed,omitempty"`
	Removed []DiffRow `json:"removed,omitempty"`
}

// DiffRow is one row that would change.
type DiffRow struct {
	Key    string        `json:"key"`
	Line   int           `json:"line,omitempty"`
	Name   string        `json:"name,omitempty"`
	Fields []FieldChange `json:"fields,omitempty"` // of a changed row, by name
}

// FieldChange is one of the source's own columns before and after. Of a column that tells people apart and
// is never shown, such as a birth date, only that it changes.
type FieldChange struct {
	Field  string `json:"field"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	Hidden bool   `json:"hidden,omitempty"`
}

type previewRun struct {
	run  directory.Run
	info directory.SourceInfo
	seen map[string]sighting

	known *holdings // the packed rows of the source
}

// sighting is a row of the run: where it stood and what it said, in few bytes.
type sighting struct {
	line int
	hash uint64
}

// Preview returns a sink for a dry run.
func (s *Store) Preview() *Preview { return &Preview{s: s, runs: map[directory.ID]*previewRun{}} }

// Diff returns what the runs that were ended would do.
func (p *Preview) Diff() Diff {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.diff
}

// Begin is Store.Begin without the run's row.
func (p *Preview) Begin(ctx context.Context, rel directory.Release) (directory.Run, error) {
	op := "store.Preview.Begin " + rel.Source
	info, err := checkRelease(rel)
	if err != nil {
		return directory.Run{}, p.s.fault(op, err)
	}
	var run directory.Run
	err = p.s.read(ctx, op, func(t *tx) error {
		before, found, err := t.already(rel, info)
		if err != nil {
			return err
		}
		if found {
			run, run.Already = before, true
			return nil
		}
		now := p.s.now()
		run = directory.Run{ID: directory.NewID(directory.RunPrefix, now), Release: rel, Started: now, Outcome: "running"}
		if run.Base, err = t.base(rel); err != nil {
			return err
		}
		_, err = t.one(`SELECT coalesce(max(number), 0) + 1 FROM run`, nil, &run.Number)
		return err
	})
	if err != nil || run.Already {
		return run, err
	}
	known, err := p.s.holdings(ctx, op, run, info)
	if err != nil {
		return directory.Run{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs[run.ID] = &previewRun{run: run, info: info, seen: map[string]sighting{}, known: known}
	return run, nil
}

// Put counts what Store.Put would do with the batch. A row that stands in the file twice is counted as the
// import counts it: unchanged where it says the same, rejected where it does not.
func (p *Preview) Put(ctx context.Context, run directory.ID, batch directory.Batch) (directory.Counts, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	op := "store.Preview.Put " + string(run)
	var c directory.Counts
	o := p.runs[run]
	if o == nil {
		return c, p.s.fault(op, directory.Errorf(directory.Conflict, "run", "run %s is not open: begin again", run))
	}
	rows, rejects, err := sift(batch, o.run, o.known)
	if err != nil {
		return c, p.s.fault(op, err)
	}
	c.Rejected, c.Outside = rejectedRows(rejects), batch.Outside
	c.Fields, c.Read = len(rejects)-c.Rejected, len(rows)+c.Rejected+batch.Outside
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.key
	}
	slices.Sort(keys)
	err = p.s.read(ctx, op, func(t *tx) error {
		type before struct {
			hash  string
			newer bool // the listing was read at a later date, so that this reading changes nothing
		}
		held := map[string]before{}
		err := t.eachIn(`SELECT x.key, x.row_hash, x.kind, x.provider, run.as_of FROM source_record x LEFT JOIN run ON run.number = x.run
			WHERE x.source = $1 AND x.kind = 'listing' AND x.key IN (%s)`, []any{o.run.Release.Source}, slices.Compact(keys), func(r *sql.Rows) error {
			var key, hash, kind, provider string
			var asOf sql.NullString
			err := r.Scan(&key, &hash, &kind, &provider, &asOf)
			held[key] = before{hash, kind == "listing" && provider != "" && string(o.run.Release.AsOf) < asOf.String}
			return err
		})
		if err != nil {
			return err
		}
		w := &work{tx: t, s: p.s} // it reads alone: nothing of it is written
		removed, err := w.suppressed(false)
		if err != nil {
			return err
		}
		shown := map[string]*row{} // changed rows, whose fields are compared below
		for _, r := range rows {
			now := sighting{r.line, hashOf(r.hash)}
			if was, again := o.seen[r.key]; again {
				switch {
				case was.hash == now.hash:
					c.Unchanged++
				case was.line != now.line:
					c.Rejected++
				default: // a page that was read twice
					c.Changed++
				}
				continue
			}
			o.seen[r.key] = now
			old, ok := held[r.key]
			if r.kind != "listing" {
				old, ok = before{}, false
				if place := o.known.live(r.key); place >= 0 {
					if ok = true; o.known.rows.at(place).content == r.content {
						old.hash = r.hash
					}
				}
			}
			if !ok && removed.any && r.kind == "listing" {
				sure, _ := r.record.Subject().SuppressionKeys()
				if by, err := w.suppressedBy(removed, append(sure, rowKey(r))); err != nil {
					return err
				} else if by != "" { // whoever was removed stays out
					c.Outside++
					continue
				}
			}
			switch {
			case !ok:
				if c.Added++; len(p.diff.Added) < p.Show {
					p.diff.Added = append(p.diff.Added, diffRow(r))
				}
			case old.hash == r.hash, old.newer:
				c.Unchanged++
			default:
				if c.Changed++; len(p.diff.Changed)+len(shown) < p.Show {
					shown[r.key] = r
				}
			}
		}
		return p.compare(t, o, shown)
	})
	if err == nil {
		o.run.Counts.Add(c)
	}
	return c, err
}

// compare shows what changes in rows that are held.
func (p *Preview) compare(t *tx, o *previewRun, changed map[string]*row) error {
	if len(changed) == 0 {
		return nil
	}
	keys := make([]string, 0, len(changed))
	for k := range changed {
		keys = append(keys, k)
	}
	before, err := t.recordsOf(o.run.Release.Source, keys)
	if err != nil {
		return err
	}
	slices.SortFunc(before, func(a, b *row) int { return changed[a.key].line - changed[b.key].line })
	for _, old := range before {
		r := changed[old.key]
		x := diffRow(r)
		x.Fields = fieldChanges(old.record, r.record)
		p.diff.Changed = append(p.diff.Changed, x)
	}
	return nil
}

func diffRow(r *row) DiffRow { return DiffRow{Key: r.key, Line: r.line, Name: recordName(r.record)} }

// recordName is whom a record speaks of, but for a row of an exclusion list: a name on it is not yet anybody.
func recordName(r directory.Record) string {
	switch {
	case r.Listing != nil && r.Listing.Organisation != "":
		return r.Listing.Organisation
	case r.Listing != nil:
		return r.Listing.Name.String()
	case r.Identity != nil && r.Identity.Organisation != "":
		return r.Identity.Organisation
	case r.Identity != nil:
		return r.Identity.Name.String()
	case r.Licence != nil:
		return r.Licence.Name.String()
	}
	return ""
}

// neverShown are parts of the names of columns whose values tell people apart and are not shown.
var neverShown = []string{"birth", "dob", "ssn", "mail", "address", "street", "line1", "line2"}

// fieldChanges compares two records column by column. Records that carry none of their source's columns are
// compared part by part.
func fieldChanges(old, now directory.Record) []FieldChange {
	a, b := old.Fields, now.Fields
	if len(a) == 0 || len(b) == 0 {
		a, b = parts(old), parts(now)
	}
	names := map[string]bool{}
	for k := range a {
		names[k] = true
	}
	for k := range b {
		names[k] = true
	}
	var out []FieldChange
	for k := range names {
		if a[k] == b[k] {
			continue
		}
		f := FieldChange{Field: k, Old: a[k], New: b[k]}
		if now.Listing == nil && slices.ContainsFunc(neverShown, func(s string) bool { return strings.Contains(strings.ToLower(k), s) }) {
			f = FieldChange{Field: k, Hidden: true}
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(x, y FieldChange) int { return strings.Compare(x.Field, y.Field) })
	return out
}

func parts(r directory.Record) map[string]string {
	var what any
	switch {
	case r.Listing != nil:
		what = r.Listing
	case r.Identity != nil:
		what = r.Identity
	case r.Licence != nil:
		what = r.Licence
	default:
		what = r.Exclusion
	}
	out := map[string]string{}
	raw, err := json.Marshal(what)
	if err != nil {
		return out
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return out
	}
	for k, v := range fields {
		out[k] = strings.Trim(string(v), `"`)
	}
	return out
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, s)
	return h.Sum64()
}

// End returns the run with its counts, as far as they can be known without doing it.
func (p *Preview) End(ctx context.Context, run directory.ID, failure error) (directory.Run, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	op := "store.Preview.End " + string(run)
	o := p.runs[run]
	if o == nil {
		return directory.Run{}, p.s.fault(op, directory.Errorf(directory.Conflict, "run", "run %s is not open: begin again", run))
	}
	delete(p.runs, run)
	o.run.Ended, o.run.Outcome = p.s.now(), "done"
	if failure != nil {
		o.run.Outcome, o.run.Error = "failed", failure.Error()
		return o.run, nil
	}
	if !replaces(o.info) || o.run.Release.Partial {
		return o.run, nil
	}
	err := p.s.read(ctx, op, func(t *tx) error {
		named, err := t.namedIdentities(o.run.Release.Source)
		if err != nil {
			return err
		}
		seen := make(map[uint64]bool, len(o.seen))
		for key := range o.seen {
			seen[hash64(keyName(key))] = true
		}
		came := map[uint16]bool{} // of a roster: the licence types that came
		var gone []entered
		for i := range o.known.pages {
			page := &o.known.pages[i]
			for place := page.first; place < page.first+page.n; place++ {
				x := o.known.rows.at(place)
				switch {
				case x.part&inForce == 0:
				case seen[x.key]:
					came[x.part&partMask] = true
				case !named[x.key]:
					gone = append(gone, entered{page.ordinal(place), x.line, 0})
				}
			}
		}
		for _, g := range gone {
			place, _ := o.known.placeOf(g.ordinal)
			part := o.known.rows.at(place).part & partMask
			if strings.HasPrefix(o.known.parts[part], "licence/") && !came[part] {
				continue
			}
			if o.run.Counts.Removed++; len(p.diff.Removed) < p.Show {
				r, err := t.standingRow(o.run.Release.Source, g.ordinal)
				if err != nil {
					return err
				}
				p.diff.Removed = append(p.diff.Removed, diffRow(r))
			}
		}
		return nil
	})
	return o.run, err
}

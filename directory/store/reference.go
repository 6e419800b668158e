package store

import (
	"database/sql"
	"errors"
	"maps"
	"slices"
	"sync"

	"kapdir/directory"
)

// extent says which release of a source is in force: of each span what the newest run wrote from one number
// up to another.
type extent struct{ from, to int64 }

// references is what a transaction has read of the packed records. What it read stays true until its end, but
// for what it writes itself, and pages never change.
type references struct {
	filters  *filters
	pending  map[string]extent // of a run that is about to come into force: what is in force for this transaction
	editions map[string]extent
	segments []segment
	listed   bool
	spans    map[spanOf][]entered
	pages    map[pageOf]*packedPage
	names    map[int64]string // of releases, by run
}

type (
	spanOf struct {
		source string
		span   int64
	}
	pageOf struct {
		source string
		number int64
	}
)

type segment struct {
	number    int64
	source    string
	low, high int64
	entries   int
}

// filters keeps the filters of segments in memory, for as long as there is the segment: some 12 bits an entry.
type filters struct {
	mu    sync.Mutex
	of    map[int64]bloom
	whole map[string]extent // what was seen to be whole, of a source
}

// mostCached is how many pages or spans a transaction keeps.
const mostCached = 64

func newReferences(f *filters) *references {
	return &references{filters: f, editions: map[string]extent{}, spans: map[spanOf][]entered{}, pages: map[pageOf]*packedPage{}, names: map[int64]string{}}
}

// see makes the release of a run the one in force for the transaction.
func (t *tx) see(run directory.Run) {
	if info, ok := directory.Tables().Source(run.Release.Source); ok {
		t.refs.pending = map[string]extent{info.ID: editionOf(run, info)}
		clear(t.refs.spans)
	}
}

// editionOf is what is in force with a run: a release that is whole stands alone, one of changes stands on it,
// and sources that only add stand on everything.
func editionOf(run directory.Run, info directory.SourceInfo) extent {
	if run.Base == 0 && !replaces(info) {
		return extent{0, run.Number}
	}
	return extent{run.First(), run.Number}
}

// edition returns what is in force of a source; the zero value is nothing.
func (t *tx) edition(source string) (extent, error) {
	if e, ok := t.refs.pending[source]; ok {
		return e, nil
	}
	if e, ok := t.refs.editions[source]; ok {
		return e, nil
	}
	run, found, err := t.inForce(source)
	if err != nil {
		return extent{}, err
	}
	var e extent
	if info, ok := directory.Tables().Source(source); ok && found {
		e = editionOf(run, info)
	}
	t.refs.editions[source] = e
	return e, nil
}

// damaged is the error of something that was not read back as it was written.
func damaged(what, source string, number int64, err error) error {
	if !errors.Is(err, errDamaged) {
		return err
	}
	return directory.Errorf(directory.Internal, "", "%s %d of %s is damaged: run kapdir fsck, and import the release again with --again", what, number, source)
}

// span returns the rows of a span that are in force, in order of ordinals.
func (t *tx) span(source string, number int64) ([]entered, error) {
	at := spanOf{source, number}
	if rows, ok := t.refs.spans[at]; ok {
		return rows, nil
	}
	e, err := t.edition(source)
	if err != nil || e.to == 0 {
		return nil, err
	}
	var body []byte
	found, err := t.one(`SELECT body FROM reference_span WHERE source = $1 AND span = $2 AND run >= $3 AND run <= $4 ORDER BY run DESC LIMIT 1`,
		[]any{source, number, e.from, e.to}, &body)
	if err != nil {
		return nil, err
	}
	var rows []entered
	if found {
		if rows, err = readSpan(body); err != nil {
			return nil, damaged("span", source, number, err)
		}
	}
	if len(t.refs.spans) >= mostCached {
		clear(t.refs.spans)
	}
	t.refs.spans[at] = rows
	return rows, nil
}

// page returns a page of records.
func (t *tx) page(source string, number int64) (*packedPage, error) {
	at := pageOf{source, number}
	if p := t.refs.pages[at]; p != nil {
		return p, nil
	}
	var body []byte
	found, err := t.one(`SELECT body FROM reference_page WHERE source = $1 AND number = $2`, []any{source, number}, &body)
	if err == nil && !found {
		err = errDamaged
	}
	var p *packedPage
	if err == nil {
		p, err = readPage(body)
	}
	if err != nil {
		return nil, damaged("page", source, number, err)
	}
	if len(t.refs.pages) >= mostCached {
		clear(t.refs.pages)
	}
	t.refs.pages[at] = p
	return p, nil
}

// unpack makes the row of a record on a page.
func (p *packedPage) unpack(source string, at entered) (*row, error) {
	rec, err := p.record(int(at.ordinal % pageRows))
	if err != nil {
		return nil, damaged("page", source, int64(at.ordinal/pageRows), err)
	}
	rec.Source, rec.Line = source, int(at.line)
	r := &row{source: source, key: rec.Key, run: at.run, line: rec.Line, record: rec}
	r.kind, r.part = kindOf(rec)
	return r, nil
}

// standingRow reads the row of an ordinal; nil is one that is not in force.
func (t *tx) standingRow(source string, ordinal uint32) (*row, error) {
	rows, err := t.span(source, int64(ordinal/spanRows))
	if err != nil {
		return nil, err
	}
	i, ok := slices.BinarySearchFunc(rows, ordinal, func(s entered, o uint32) int { return int(int64(s.ordinal) - int64(o)) })
	if !ok {
		return nil, t.allStand(source) // it has gone, or what says that it stands has
	}
	p, err := t.page(source, int64(ordinal/pageRows))
	if err != nil {
		return nil, err
	}
	r, err := p.unpack(source, rows[i])
	if err != nil {
		return nil, err
	}
	name, ok := t.refs.names[r.run]
	if !ok {
		run, _, err := t.runOne(`WHERE number = $1`, r.run)
		if err != nil {
			return nil, err
		}
		name = run.Release.Name
		t.refs.names[r.run] = name
	}
	r.release = name
	return r, nil
}

// segmentsOf lists the segments of the index of a source, or of all for "".
func (t *tx) segmentsOf(source string) ([]segment, error) {
	if !t.refs.listed {
		err := t.each(`SELECT segment, source, low, high, entries FROM reference_segment ORDER BY segment`, nil, func(r *sql.Rows) error {
			var g segment
			err := r.Scan(&g.number, &g.source, &g.low, &g.high, &g.entries)
			t.refs.segments = append(t.refs.segments, g)
			return err
		})
		if err != nil {
			return nil, err
		}
		t.refs.listed = true
	}
	if source == "" {
		return t.refs.segments, nil
	}
	var out []segment
	for _, g := range t.refs.segments {
		if g.source == source {
			out = append(out, g)
		}
	}
	return out, nil
}

func (t *tx) filterOf(g segment) (bloom, error) {
	c := t.refs.filters
	c.mu.Lock()
	f := c.of[g.number]
	c.mu.Unlock()
	if f != nil {
		return f, nil
	}
	var sealed []byte
	var bytes int
	_, err := t.one(`SELECT filter, (SELECT coalesce(sum(length(body) - 4), 0) FROM reference_index WHERE segment = $1) FROM reference_segment WHERE segment = $1`,
		[]any{g.number}, &sealed, &bytes)
	if err != nil {
		return nil, err
	}
	f, err = readBloom(sealed)
	if err == nil && bytes != g.entries*entrySize { // a page that is missing would find nobody
		err = errDamaged
	}
	if err != nil {
		return nil, damaged("the index, segment", g.source, g.number, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := range c.of { // what was merged or belonged to another release is gone
		if !slices.ContainsFunc(t.refs.segments, func(g segment) bool { return g.number == n }) {
			delete(c.of, n)
		}
	}
	if c.of == nil {
		c.of = map[int64]bloom{}
	}
	c.of[g.number] = f
	return f, nil
}

// signed puts hashes in the order in which a database sorts whole numbers.
func signed(hash uint64) int64 { return int64(hash ^ 1<<63) }

// seek returns the ordinals that stand under a hash in a segment.
func (t *tx) seek(g segment, hash uint64) ([]uint32, error) {
	f, err := t.filterOf(g)
	if err != nil || !f.has(hash) {
		return nil, err
	}
	var body []byte
	found, err := t.one(`SELECT body FROM reference_index WHERE segment = $1 AND first <= $2 ORDER BY first DESC LIMIT 1`, []any{g.number, signed(hash)}, &body)
	if err != nil || !found {
		return nil, err
	}
	list, err := readEntries(body)
	if err != nil {
		return nil, damaged("the index, segment", g.source, g.number, err)
	}
	return list.of(hash), nil
}

// packed reads the rows in force that stand under one of the hashes and are what was looked for; of one source
// or of all. Hashes collide, so that each row is looked at.
func (t *tx) packed(source string, hashes []uint64, is func(*row) bool) ([]*row, error) {
	list, err := t.segmentsOf(source)
	if err != nil {
		return nil, err
	}
	found := map[string][]uint32{}
	for _, g := range list {
		for _, h := range hashes {
			ordinals, err := t.seek(g, h)
			if err != nil {
				return nil, err
			}
			if len(ordinals) > 0 {
				found[g.source] = append(found[g.source], ordinals...)
			}
		}
	}
	var out []*row
	for of, ordinals := range found {
		slices.Sort(ordinals)
		for _, o := range slices.Compact(ordinals) {
			r, err := t.standingRow(of, o)
			if err != nil {
				return nil, err
			}
			if r != nil && is(r) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// withCopies puts in place of packed rows what is known of those that speak, or could speak, of somebody.
func (t *tx) withCopies(rows []*row) ([]*row, error) {
	keys := map[string][]string{}
	for _, r := range rows {
		keys[r.source] = append(keys[r.source], r.key)
	}
	for _, source := range slices.Sorted(maps.Keys(keys)) {
		copies, err := t.rows(`WHERE source = $1 AND key IN (%s)`, []any{source}, keys[source])
		if err != nil {
			return nil, err
		}
		for _, c := range copies {
			for i, r := range rows {
				switch {
				case r.source != c.source || r.key != c.key:
				case c.run < r.run: // of an older release
					r.provider, r.rung, r.evidence, r.copied, r.ahead = c.provider, c.rung, c.evidence, true, true
				default:
					rows[i] = c
				}
			}
		}
	}
	return rows, nil
}

// recordsOf reads records by their keys, wherever they are held.
func (t *tx) recordsOf(source string, keys []string) ([]*row, error) {
	out, err := t.rows(`WHERE source = $1 AND key IN (%s)`, []any{source}, keys)
	if err != nil {
		return nil, err
	}
	missing := make(map[string]bool, len(keys))
	for _, k := range keys {
		missing[k] = true
	}
	for _, r := range out {
		delete(missing, r.key)
	}
	if len(missing) == 0 {
		return out, nil
	}
	hashes := make([]uint64, 0, len(missing))
	for k := range missing {
		hashes = append(hashes, hash64(keyName(k)))
	}
	more, err := t.packed(source, hashes, func(r *row) bool { return missing[r.key] })
	return append(out, more...), err
}

// eachSpan calls f with the rows in force of a source, span by span, in order of ordinals.
func (t *tx) eachSpan(source string, f func(rows []entered) error) error {
	e, err := t.edition(source)
	if err != nil || e.to == 0 {
		return err
	}
	var spans []int64
	err = t.each(`SELECT DISTINCT span FROM reference_span WHERE source = $1 AND run >= $2 AND run <= $3 ORDER BY span`, []any{source, e.from, e.to}, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		spans = append(spans, n)
		return err
	})
	if err != nil {
		return err
	}
	for _, n := range spans {
		rows, err := t.span(source, n)
		if err != nil {
			return err
		}
		if err := f(rows); err != nil {
			return err
		}
	}
	return nil
}

// eachStanding calls f with the packed rows in force of a source, page by page.
func (t *tx) eachStanding(source string, f func(p *packedPage, rows []entered) error) error {
	return t.eachSpan(source, func(rows []entered) error {
		for len(rows) > 0 {
			number := rows[0].ordinal / pageRows
			k := 1
			for k < len(rows) && rows[k].ordinal/pageRows == number {
				k++
			}
			p, err := t.page(source, int64(number))
			if err != nil {
				return err
			}
			if err := f(p, rows[:k]); err != nil {
				return err
			}
			rows = rows[k:]
		}
		return nil
	})
}

// allStand returns an error if fewer rows of a source are in force than its release has: a span that is lost would
// look like rows that are not in it, and so clear whoever is.
func (t *tx) allStand(source string) error {
	e, err := t.edition(source)
	if err != nil {
		return err
	}
	c := t.refs.filters
	c.mu.Lock()
	seen := c.whole[source] == e
	c.mu.Unlock()
	if seen {
		return nil
	}
	n := 0
	if err := t.eachSpan(source, func(rows []entered) error { n += len(rows); return nil }); err != nil {
		return err
	}
	if err := t.standing(source, n); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.whole == nil {
		c.whole = map[string]extent{}
	}
	c.whole[source] = e
	return nil
}

// standing holds a count of the packed rows in force against what the release has.
func (t *tx) standing(source string, n int) error {
	want, err := t.standingRows(source)
	if err == nil && n != want {
		err = directory.Errorf(directory.Internal, "", "%d rows of %s are in force and its release has %d: run kapdir fsck, and import the release again with --again", n, source, want)
	}
	return err
}

// standingRows counts the packed rows in force of a source.
func (t *tx) standingRows(source string) (n int, err error) {
	e, err := t.edition(source)
	if err == nil {
		_, err = t.one(`SELECT coalesce(sum(held), 0) FROM reference_part WHERE source = $1 AND run = $2`, []any{source, e.to}, &n)
	}
	return n, err
}

// rowHash returns the hash of what a row says; "" is a row that is not held.
func (t *tx) rowHash(source, key string) (hash string, err error) {
	rows, err := t.recordsOf(source, []string{key})
	if err != nil || len(rows) == 0 {
		return "", err
	}
	r := rows[0]
	if r.hash == "" {
		run, _, err := t.runOne(`WHERE number = $1`, r.run)
		if err != nil {
			return "", err
		}
		if err := r.pack(run.Release.Unconfirmed); err != nil {
			return "", err
		}
	}
	return r.hash, nil
}

// namedIdentities returns the hashes of the keys of identities that name a provider.
func (t *tx) namedIdentities(source string) (map[uint64]bool, error) {
	out := map[uint64]bool{}
	err := t.each(`SELECT key FROM source_record WHERE source = $1 AND kind = 'identity' AND provider <> ''`, []any{source}, func(r *sql.Rows) error {
		var key string
		err := r.Scan(&key)
		out[hash64(keyName(key))] = true
		return err
	})
	return out, err
}

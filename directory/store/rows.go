package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"kapdir/directory"
)

// row is a record as source_record holds it.
type row struct {
	source, key, kind, part, release string
	run                              int64
	hash                             string
	line                             int
	evidence                         string
	provider                         directory.ID
	rung                             directory.Rung
	record                           directory.Record
	doc                              string
	blocks                           []string // under which others find the row
	subject                          *directory.Prepared
	met                              *directory.Match // with the provider for whom a screening read it; nil is not compared yet

	packed  []byte   // of a reference: what was read, as a page holds it
	name    uint64   // the hash of its key
	under   []uint64 // and of its blocks
	content uint64   // and the hash of its content
	copied  bool     // read from source_record
	ahead   bool     // a packed row that is newer than its copy
}

// worksBlock marks the listings that say where somebody works.
const worksBlock = "works"

// prepare makes the row of a record. It needs no database.
func prepare(rec directory.Record, rel directory.Release, run int64) (*row, error) {
	r := &row{source: rec.Source, key: clean(rec.Key), release: rel.Name, run: run, line: rec.Line, record: rec}
	r.record.Key = r.key
	r.kind, r.part = kindOf(rec)
	switch {
	case rec.Source != rel.Source:
		return nil, directory.Errorf(directory.Invalid, "source", "a record of %q is no record of a run of %q", rec.Source, rel.Source)
	case rec.Key == "":
		return nil, directory.Errorf(directory.Invalid, "key", "the record of line %d has no key", rec.Line)
	case r.kind == "":
		return nil, directory.Errorf(directory.Invalid, "record", "the record %q says nothing", rec.Key)
	}
	if r.kind != "listing" {
		return r, r.pack(rel.Unconfirmed)
	}
	doc, err := json.Marshal(r.record)
	if err != nil {
		return nil, err
	}
	r.doc = string(doc)
	if r.hash = rec.Hash(); len(rec.Fields) == 0 {
		if r.hash, err = contentHash(rec); err != nil {
			return nil, err
		}
	}
	r.subject = directory.Prepare(rec.Subject())
	all := cleaned(r.subject.Blocks())
	if len(rec.Listing.WorksAt) > 0 {
		all = append(all, worksBlock)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	// What a newer program reads differently out of the same columns is found under other blocks.
	r.hash = digest([]byte(r.hash + "\n" + strings.Join(all, "\n")))
	if rel.Unconfirmed { // once the format is confirmed, the same row says more
		r.hash = digest([]byte(r.hash + "\nunconfirmed"))
	}
	r.lookedUp(all)
	return r, nil
}

// kindOf returns the kind of a record, "" of one that says nothing, and of a licence its type.
func kindOf(rec directory.Record) (kind, part string) {
	switch {
	case rec.Listing != nil:
		return "listing", ""
	case rec.Identity != nil:
		return "identity", ""
	case rec.Licence != nil:
		return "licence", clean(rec.Licence.BoardType)
	case rec.Exclusion != nil:
		return "exclusion", ""
	case rec.Delegation != nil:
		return "delegation", ""
	}
	return "", ""
}

// pack writes the row of a reference as a page holds it, and hashes all that it says: the source's columns and
// what was read out of them. When and where it was read does not count.
func (r *row) pack(unconfirmed bool) (err error) {
	if r.packed, err = packRecord(r.record); err != nil {
		return err
	}
	r.name = hash64(keyName(r.key))
	b := appendBytes(make([]byte, 0, 1024), r.key)
	if unconfirmed { // once the format is confirmed, the same row says more
		b = append(b, '?')
	}
	var few [48]string
	names := few[:0]
	for k := range r.record.Fields {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		b = appendBytes(appendBytes(b, k), r.record.Fields[k])
	}
	sum := sha256.Sum256(append(b, r.packed...))
	r.content, r.hash = binary.BigEndian.Uint64(sum[:]), hex.EncodeToString(sum[:16])
	return nil
}

// ready makes the row of a reference ready to be compared and to be found.
func (r *row) ready() {
	if r.subject != nil {
		return
	}
	r.subject = directory.Prepare(r.record.Subject())
	all := cleaned(r.subject.Blocks())
	if r.kind == "exclusion" {
		all = cleaned(r.subject.ScreenBlocks())
	}
	if d := r.record.Delegation; d != nil { // it is found by either of the two
		all = append(all, cleaned(d.Physician.Subject(d.State).Blocks())...)
	}
	slices.Sort(all)
	r.lookedUp(slices.Compact(all))
	r.under = make([]uint64, len(r.blocks))
	for i, b := range r.blocks {
		r.under[i] = hash64(b)
	}
}

// registerBlock begins the block of a name in a register with which nothing is wrong, in place of nam: the
// name proves nothing about a provider (relate), and only who searches the register for a licence that was
// not found by its number asks for it.
const registerBlock = "reg:"

// lookedUp keeps of all blocks of the record those under which somebody will ask for it. The others would
// find what then counts for nothing:
//
//	listing     where somebody works, and organisations, for those who work there
//	identity    identifiers. An NPI that is the key needs no block (rowsUnder), and no name joins an identity
//	licence     the number; names under nam: if it says something adverse, and else under reg:. How a name
//	            sounds makes a licence no more than M1 without its number
//	delegation  the numbers: a name is nobody
//	exclusion   all
func (r *row) lookedUp(all []string) {
	r.blocks = nil
	for _, b := range all {
		switch name := byName(b); {
		case r.kind == "listing" && b != worksBlock && !strings.HasPrefix(b, "org:"),
			r.kind == "identity" && (name || b == "npi:"+r.key),
			r.kind == "licence" && strings.HasPrefix(b, "snd:"),
			r.kind == "delegation" && name:
		case r.kind == "licence" && strings.HasPrefix(b, "nam:") && !r.record.Adverse():
			r.blocks = append(r.blocks, registerBlock+strings.TrimPrefix(b, "nam:"))
		default:
			r.blocks = append(r.blocks, b)
		}
	}
}

// contentHash identifies a record that carries none of its source's columns. When it was read does not count.
func contentHash(rec directory.Record) (string, error) {
	rec.Line = 0
	if rec.Listing != nil {
		l := *rec.Listing
		l.Origin.AsOf = ""
		rec.Listing = &l
	}
	b, err := json.Marshal(rec)
	return digest(b), err
}

// holdsSSN reports a record that must not be written: what looks like a Social Security number stands
// in one of its fields, whose name is returned, or in what was read from them.
func (r *row) holdsSSN() (field string, found bool) {
	text := r.doc // holds every field and the key
	if r.kind != "listing" {
		may := mayHoldSSN(r.key) || mayHoldSSN(string(r.packed))
		for k, v := range r.record.Fields {
			may = may || mayHoldSSN(k) || mayHoldSSN(v)
		}
		if !may {
			return "", false
		}
		doc, err := json.Marshal(r.record)
		if text = string(doc); err != nil {
			return "", true // what cannot be looked at is not written
		}
	}
	if !mayHoldSSN(text) {
		return "", false
	}
	for k, v := range r.record.Fields {
		if directory.LooksLikeSSN(v) || directory.LooksLikeSSN(k) {
			return k, true
		}
	}
	return "", directory.LooksLikeSSN(text) || directory.LooksLikeSSN(r.key)
}

// mayHoldSSN looks for a hyphen, two digits, a hyphen and four digits: without them there is no such
// number, and hardly a row has them.
func mayHoldSSN(s string) bool {
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	for {
		i := strings.IndexByte(s, '-')
		if i < 0 || len(s) < i+8 {
			return false
		}
		if s = s[i+1:]; digits(s[:2]) && s[2] == '-' && digits(s[3:7]) {
			return true
		}
	}
}

const rowColumns = `source, key, kind, part, release, run, row_hash, line, evidence, provider, rung, doc`

// rows reads records; the rest of the query follows FROM source_record and may have one %s IN list.
func (t *tx) rows(rest string, fixed []any, values []string) ([]*row, error) {
	var out []*row
	err := t.eachIn(`SELECT `+rowColumns+` FROM source_record `+rest, fixed, values, func(s *sql.Rows) error {
		r := &row{copied: true}
		if err := s.Scan(&r.source, &r.key, &r.kind, &r.part, &r.release, &r.run, &r.hash, &r.line, &r.evidence, &r.provider, &r.rung, &r.doc); err != nil {
			return err
		}
		if err := decode(r.doc, &r.record); err != nil {
			return directory.Errorf(directory.Internal, "", "record %s of %s cannot be read: run kapdir fsck: %w", r.key, r.source, err)
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

// heads reads the records of the keys as an import needs them: what they say is read of listings alone.
func (t *tx) heads(source string, keys []string) (map[string]*row, error) {
	out := make(map[string]*row, len(keys))
	err := t.eachIn(`SELECT key, kind, release, run, row_hash, line, evidence, provider, rung, CASE WHEN kind = 'listing' THEN doc ELSE '' END
		FROM source_record WHERE source = $1 AND key IN (%s)`, []any{source}, keys, func(s *sql.Rows) error {
		r := &row{source: source}
		if err := s.Scan(&r.key, &r.kind, &r.release, &r.run, &r.hash, &r.line, &r.evidence, &r.provider, &r.rung, &r.doc); err != nil {
			return err
		}
		if out[r.key] = r; r.doc == "" {
			return nil
		}
		return decode(r.doc, &r.record)
	})
	return out, err
}

// rowsOf reads the records that share one of the blocks, in order of source and key, names in a register
// too; with a source, those of it alone.
func (t *tx) rowsOf(blocks []string, source string) ([]*row, error) {
	all := slices.Clone(blocks)
	for _, b := range blocks {
		if rest, ok := strings.CutPrefix(b, "nam:"); ok {
			all = append(all, registerBlock+rest)
		}
	}
	return t.rowsUnder(all, source)
}

// rowsUnder reads the records that stand under one of the blocks, and those whose key is an NPI among them.
func (t *tx) rowsUnder(blocks []string, source string) ([]*row, error) {
	keys := map[string][]string{}
	names := make([]uint64, 0, len(blocks)+1)
	var npi []string
	for i := range blocks {
		blocks[i] = clean(blocks[i])
		names = append(names, hash64(blocks[i]))
		if n, ok := strings.CutPrefix(blocks[i], "npi:"); ok {
			npi = append(npi, n)
			names = append(names, hash64(keyName(n)))
		}
	}
	scan := func(r *sql.Rows) error {
		var source, key string
		err := r.Scan(&source, &key)
		keys[source] = append(keys[source], key)
		return err
	}
	var err error
	if source == "" {
		err = t.eachIn(`SELECT source, key FROM source_block WHERE block IN (%s)`, nil, blocks, scan)
	} else {
		err = t.eachIn(`SELECT source, key FROM source_block WHERE source = $1 AND block IN (%s)`, []any{source}, blocks, scan)
	}
	if err != nil {
		return nil, err
	}
	out, err := t.packed(source, names, func(r *row) bool {
		r.ready()
		return r.kind == "identity" && slices.Contains(npi, r.key) || slices.ContainsFunc(r.blocks, func(b string) bool { return slices.Contains(blocks, b) })
	})
	if err != nil {
		return nil, err
	}
	if out, err = t.withCopies(out); err != nil {
		return nil, err
	}
	for source, list := range keys {
		slices.Sort(list)
		found, err := t.rows(`WHERE source = $1 AND key IN (%s)`, []any{source}, slices.Compact(list))
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b *row) int {
		if c := strings.Compare(a.source, b.source); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
	return out, nil
}

// writeRows writes records with their blocks in place of what was held under their keys. Known says
// which of the keys were there.
func (t *tx) writeRows(rows []*row, known map[string]*row) error {
	values := make([][]any, 0, len(rows))
	var blocks [][]any
	var stale []string
	for _, r := range rows {
		if r.doc == "" {
			doc, err := json.Marshal(r.record)
			if err != nil {
				return err
			}
			r.doc = string(doc)
		}
		values = append(values, []any{r.source, r.key, r.kind, r.part, clean(r.release), r.run, r.hash, r.line, r.evidence, r.provider, r.rung, r.doc})
		if old := known[r.key]; old != nil {
			if old.hash == r.hash {
				continue // the same content has the same blocks
			}
			if r.kind == "listing" {
				stale = append(stale, r.key)
			}
		}
		if r.kind != "listing" {
			continue // a copy is found by the packed row
		}
		for _, b := range r.blocks {
			blocks = append(blocks, []any{b, r.source, r.key})
		}
	}
	err := t.insert(`INSERT INTO source_record (`+rowColumns+`)`, values, `ON CONFLICT (source, key) DO UPDATE SET kind = excluded.kind, part = excluded.part,
		release = excluded.release, run = excluded.run, row_hash = excluded.row_hash, line = excluded.line, evidence = excluded.evidence,
		provider = excluded.provider, rung = excluded.rung, doc = excluded.doc`)
	if err != nil {
		return err
	}
	if len(stale) > 0 {
		if err := t.execIn(`DELETE FROM source_block WHERE source = $1 AND key IN (%s)`, []any{rows[0].source}, stale); err != nil {
			return err
		}
	}
	return t.insert(`INSERT INTO source_block (block, source, key)`, blocks, `ON CONFLICT (block, source, key) DO NOTHING`)
}

// relink writes down anew of whom a row speaks; of a packed row it keeps a copy.
func (w *work) relink(r *row) error {
	if r.copied && !r.ahead {
		_, err := w.exec(`UPDATE source_record SET provider = $3, rung = $4, evidence = $5 WHERE source = $1 AND key = $2`, r.source, r.key, r.provider, r.rung, r.evidence)
		return err
	}
	run, err := w.runNumber(r.run)
	if err != nil {
		return err
	}
	r.release = run.Release.Name
	if r.hash == "" {
		if err := r.pack(run.Release.Unconfirmed); err != nil {
			return err
		}
	}
	return w.writeRows([]*row{r}, nil)
}

// recordEvidence is the matched row's own columns, quoted with where they stood.
func (w *work) recordEvidence(r *row, rel directory.Release) directory.Evidence {
	body := struct {
		Source     string            `json:"source"`
		Release    string            `json:"release"`
		FileSHA256 string            `json:"file_sha256"`
		Key        string            `json:"key"`
		Line       int               `json:"line,omitempty"`
		Fields     map[string]string `json:"fields,omitempty"`
		Record     *directory.Record `json:"record,omitempty"` // where no column was kept: what was read
	}{rel.Source, rel.Name, rel.SHA256, r.key, r.line, r.record.Fields, nil}
	if len(r.record.Fields) == 0 {
		body.Record = &r.record
	}
	e := w.evidenceOf(rel, body)
	switch {
	case r.record.Listing != nil && r.record.Listing.Origin.URL != "":
		e.URL = r.record.Listing.Origin.URL
	case r.record.Licence != nil && r.record.Licence.Link != "":
		e.URL = r.record.Licence.Link
	}
	return e
}

// evidenceOf makes evidence out of a release. Its body is JSON with sorted keys, so that the same row of
// the same file always has the same name.
func (w *work) evidenceOf(rel directory.Release, body any) directory.Evidence {
	b, _ := json.Marshal(body) // strings and numbers always marshal
	info, _ := directory.Tables().Source(rel.Source)
	method := "bulk"
	switch {
	case info.Kind == "listing":
		method = "web"
	case rel.Source == "npi-api":
		method = "api"
	}
	if rel.Unconfirmed {
		info.Class = directory.ClassListing
	}
	return directory.Evidence{MediaType: "application/json", Source: rel.Source, Class: info.Class, Method: method, URL: rel.URL, File: rel.File,
		FileSHA256: rel.SHA256, RetrievedAt: rel.Read, RetrievedBy: w.s.config.Tool.ID + "@" + w.s.config.Tool.Version, SourceAsOf: rel.AsOf, Body: b}
}

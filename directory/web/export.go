package web

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"

	"kapdir/directory"
)

// An export is everything public at one change number, as files: who begins with one and goes on with the change feed
// from its number holds what the server says. It is written by a follower of that feed, in short looks at the store,
// so that neither an import nor a removal waits for it.

// exportFormat names the form of an export. A change that a reader of before would misread takes another number.
const exportFormat = "kapdir.public/1"

// exportTerms are the terms on which an export is given (contracts.md §6).
const exportTerms = "The answers are no consumer report and may not be used for decisions about employment, insurance or credit. " +
	"Show the date beside every statement, and nothing past its valid_until. Follow the change feed, and drop whoever is removed at once. " +
	"Name the sources as their attribution says."

// Manifest describes an export: what it is of, and its files with their sums.
type Manifest struct {
	Format    string            `json:"format"`
	Seq       int64             `json:"seq"`   // the change number that names it
	AsOf      directory.Instant `json:"as_of"` // the moment of which its last page is true
	Edition   string            `json:"edition"`
	Changes   string            `json:"changes"` // where the change feed goes on
	Providers int               `json:"providers"`
	Others    int               `json:"others"` // whom the feed names and who are not among them
	Terms     string            `json:"terms"`
	Files     []ManifestFile    `json:"files"`
	Sources   []manifestSource  `json:"sources"`
	Demo      *demo             `json:"demo"`
}

// ManifestFile is one file of an export. Bytes and SHA256 are of the file as it is fetched.
type ManifestFile struct {
	Name      string `json:"name"`
	URL       string `json:"url"`
	MediaType string `json:"media_type"`
	Rows      int    `json:"rows"` // without the line of names
	Bytes     int64  `json:"bytes"`
	SHA256    string `json:"sha256"`
	Unpacked  int64  `json:"unpacked_bytes"`
}

type manifestSource struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Publisher   string `json:"publisher"`
	Licence     string `json:"licence"`
	Attribution string `json:"attribution"`
	Republish   bool   `json:"may_republish"` // false: its records are not in the export
}

// WriteExport writes an export into a folder of dir that is named by its number, and returns what it wrote. The folder
// appears whole or not at all; one of the same number is replaced. Of cfg it needs Reader and Policies, and of Now, Demo
// and Version what a Server would have, and its Background.
func WriteExport(ctx context.Context, cfg Config, dir string) (*Manifest, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(dir, unfinished)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp) // after the renaming it is not there
	x := &exporter{s: &Server{cfg: cfg, edition: editionOf(cfg.Version)}, dir: tmp, at: map[directory.ID]place64{}, others: map[directory.ID]feedChange{}}
	if err := x.gather(ctx); err != nil {
		return nil, err
	}
	m, err := x.write(ctx)
	if err != nil {
		return nil, err
	}
	final := filepath.Join(dir, strconv.FormatInt(m.Seq, 10))
	if err := os.Rename(final, filepath.Join(tmp, "before")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	done := filepath.Join(tmp, "export")
	if err := os.Rename(done, final); err != nil {
		return nil, err
	}
	return m, nil
}

// unfinished begins the name of a folder that is being written.
const unfinished = ".new-"

// exporter writes one export. What it has gathered lies packed in a file, and in memory only where.
type exporter struct {
	s      *Server
	dir    string
	spool  *os.File
	end    int64
	at     map[directory.ID]place64
	others map[directory.ID]feedChange
	head   int64
	asOf   directory.Instant
	policy directory.Policy
}

type place64 struct{ from, bytes int64 }

// gather follows the change feed from the beginning until nothing more follows: then it holds what the store does at
// the number of the last page.
func (x *exporter) gather(ctx context.Context) (err error) {
	if x.spool, err = os.OpenFile(filepath.Join(x.dir, "spool"), os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600); err != nil {
		return err
	}
	const step = 50
	after, more := int64(0), true
	piece := func() error {
		page, err := x.s.cfg.Reader.ChangePage(ctx, after, step)
		if err != nil {
			return err
		}
		now := x.s.now()
		m := moment{at: now, known: max(now, page.Head.RecordedAt), now: now, head: page.Head.Public, lang: english, lasting: true}
		for _, ch := range page.Changes {
			if err := x.hold(x.s.changedOf(ch, m)); err != nil {
				return err
			}
		}
		after, more, x.head, x.asOf = page.Next, page.More, page.Head.Public, now
		x.policy = x.s.cfg.Policies.InForce(m.at, m.known)
		return nil
	}
	for more {
		if err := x.s.cfg.Background.Do(ctx, piece); err != nil {
			return err
		}
	}
	return nil
}

// hold keeps the newest of each.
func (x *exporter) hold(c feedChange) error {
	delete(x.at, c.ID)
	delete(x.others, c.ID)
	if c.Provider == nil {
		x.others[c.ID] = c
		return nil
	}
	line, err := encodeJSON(c.Provider)
	if err != nil {
		return err
	}
	packed := s2.Encode(nil, line)
	if _, err := x.spool.WriteAt(packed, x.end); err != nil {
		return err
	}
	x.at[c.ID] = place64{x.end, int64(len(packed))}
	x.end += int64(len(packed))
	return nil
}

// write makes the files out of what was gathered, in order of id, and the manifest last.
func (x *exporter) write(ctx context.Context) (*Manifest, error) {
	defer x.spool.Close()
	dir := filepath.Join(x.dir, "export")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	m := &Manifest{Format: exportFormat, Seq: x.head, AsOf: x.asOf, Edition: x.s.edition, Changes: "/api/v1/changes?after=" + strconv.FormatInt(x.head, 10), Terms: exportTerms,
		Providers: len(x.at), Others: len(x.others), Files: []ManifestFile{}, Sources: []manifestSource{}, Demo: x.s.demo()}
	for _, i := range x.policy.Tables().Sources() {
		m.Sources = append(m.Sources, manifestSource{i.ID, i.Name, i.Publisher, i.Licence, i.Attribution, i.MayRepublish == "true"})
	}
	var files []*exportFile
	defer func() {
		for _, f := range files {
			f.file.Close()
		}
	}()
	open := func(name, mediaType string) *exportFile {
		f, err := newExportFile(dir, name, mediaType)
		if f != nil {
			files = append(files, f)
		}
		if err != nil && f != nil {
			f.err = err
		}
		return f
	}
	lines, table, credentials, others := open("providers.jsonl.gz", jsonLines), open("providers.csv.gz", csvLines), open("credentials.csv.gz", csvLines), open("others.jsonl.gz", jsonLines)
	if lines == nil || table == nil || credentials == nil || others == nil {
		return nil, directory.Errorf(directory.Internal, "", "the files of an export cannot be made in %s", dir)
	}
	table.row(providerColumns)
	credentials.row(credentialColumns)
	var buf, line []byte
	provide := func(id directory.ID) (err error) {
		at := x.at[id]
		buf = slices.Grow(buf[:0], int(at.bytes))[:at.bytes]
		if _, err := x.spool.ReadAt(buf, at.from); err != nil {
			return err
		}
		if line, err = s2.Decode(line[:cap(line)], buf); err != nil {
			return err
		}
		r := record{provider: &provider{}}
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		lines.line(line)
		table.row(providerRow(&r))
		for i := range r.Claims {
			credentials.row(credentialRow(r.ID, &r.Claims[i]))
		}
		return nil
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(x.at)), 50) {
		err := x.s.cfg.Background.Do(ctx, func() error {
			for _, id := range ids {
				if err := provide(id); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(x.others)) {
		line, err := encodeJSON(x.others[id])
		if err != nil {
			return nil, err
		}
		others.line(line)
	}
	for _, f := range files {
		info, err := f.end()
		if err != nil {
			return nil, err
		}
		info.URL = "/api/v1/exports/" + strconv.FormatInt(m.Seq, 10) + "/" + info.Name
		if f == table || f == credentials {
			info.Rows-- // the names of the columns
		}
		m.Files = append(m.Files, info)
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return m, os.WriteFile(filepath.Join(dir, manifestName), append(raw, '\n'), 0o600)
}

const (
	manifestName = "manifest.json"
	jsonLines    = "application/jsonl; charset=utf-8"
	csvLines     = "text/csv; charset=utf-8; header=present"
)

// exportFile is a gzipped file that is summed as it is written. The first error stays.
type exportFile struct {
	info ManifestFile
	file *os.File
	sum  hash.Hash
	z    *gzip.Writer
	w    *bufio.Writer
	csv  *csv.Writer
	err  error
}

func newExportFile(dir, name, mediaType string) (*exportFile, error) {
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	f := &exportFile{info: ManifestFile{Name: name, MediaType: mediaType}, file: file, sum: sha256.New()}
	f.z = gzip.NewWriter(io.MultiWriter(file, f.sum, octets{&f.info.Bytes}))
	f.w = bufio.NewWriterSize(io.MultiWriter(f.z, octets{&f.info.Unpacked}), 1<<16)
	f.csv = csv.NewWriter(f.w)
	f.csv.UseCRLF = true // RFC 4180
	return f, nil
}

// octets counts what is written to it.
type octets struct{ n *int64 }

func (c octets) Write(b []byte) (int, error) { *c.n += int64(len(b)); return len(b), nil }

func (f *exportFile) line(b []byte) {
	f.info.Rows++
	_, err := f.w.Write(b)
	f.err = cmp.Or(f.err, err)
}

func (f *exportFile) row(cells []string) {
	f.info.Rows++
	for i := range cells {
		cells[i] = cell(cells[i])
	}
	f.err = cmp.Or(f.err, f.csv.Write(cells))
}

// end writes what is left and puts the file on the disk.
func (f *exportFile) end() (ManifestFile, error) {
	f.csv.Flush()
	err := errors.Join(f.err, f.csv.Error(), f.w.Flush(), f.z.Close(), f.file.Sync())
	f.info.SHA256 = hex.EncodeToString(f.sum.Sum(nil))
	return f.info, err
}

// cell makes a text that no spreadsheet takes for a formula: where it begins as one does, an apostrophe stands before
// it, and so where it begins with one, that the reader may take it off again.
func cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if strings.HasPrefix(s, "'") || strings.ContainsAny(firstRune(strings.TrimLeft(s, " \u00a0")), "=+-@＝＋－＠") {
		return "'" + s
	}
	return s
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return "\x00" // which is in no list
}

var providerColumns = slices.Concat([]string{"id", "url", "name", "kind", "listed_as", "credentials", "claimed", "npi", "website", "site_name", "line1", "line2", "city", "state", "zip", "phone", "sites",
	"care", "accepting", "accepting_as_of", "accepting_out_of_date_from", "video", "video_states", "languages", "session_price_min_cents", "session_price_max_cents", "session_price_currency", "checks_for"},
	checkColumns(), []string{"valid_until", "withheld"})

func checkColumns() (out []string) {
	for _, c := range directory.CheckNames {
		out = append(out, string(c)+"_result", string(c)+"_label", string(c)+"_as_of", string(c)+"_valid_until")
	}
	return out
}

func providerRow(r *record) []string {
	text := func(f *fact[string]) string {
		if f == nil {
			return ""
		}
		return f.Value
	}
	row := []string{string(r.ID), r.URL, r.Name, string(r.Kind), string(r.ListedAs), strings.Join(r.Credentials, "; "), strconv.FormatBool(r.Claimed), text(r.Facts.NPI), text(r.Facts.Website)}
	var first site
	if len(r.Facts.Sites) > 0 {
		first = r.Facts.Sites[0]
	}
	row = append(row, first.Name, first.Line1, first.Line2, first.City, string(first.State), first.ZIP, first.Phone, strconv.Itoa(len(r.Facts.Sites)), r.Practice.Care.Value)
	if a := r.Facts.Accepting; a != nil {
		row = append(row, a.Value, string(a.AsOf), string(a.From))
	} else {
		row = append(row, "", "", "")
	}
	if v := r.Facts.Telehealth; v != nil {
		row = append(row, string(v.Value), strings.Join(words(v.States), " "))
	} else {
		row = append(row, "", "")
	}
	var languages []string
	if l := r.Facts.Languages; l != nil {
		for _, x := range l.Value {
			languages = append(languages, x.Value)
		}
	}
	row = append(row, strings.Join(languages, "; "))
	low, high, currency := "", "", ""
	for _, p := range r.Facts.Prices {
		if p.Component.Value == "medicine_session" {
			low, high, currency = strconv.FormatInt(p.MinCents, 10), strconv.FormatInt(p.MaxCents, 10), p.Currency
		}
	}
	row = append(row, low, high, currency, string(value(r.ChecksFor)))
	for _, name := range directory.CheckNames {
		i := slices.IndexFunc(r.Checks, func(c check) bool { return c.Check == name })
		if i < 0 {
			row = append(row, "", "", "", "")
			continue
		}
		c := &r.Checks[i]
		row = append(row, string(c.Result), c.Label, string(value(c.AsOf)), string(value(c.ValidUntil)))
	}
	var left []string
	for _, w := range r.Withheld {
		left = append(left, w.Source)
	}
	return append(row, string(value(r.ValidUntil)), strings.Join(left, " "))
}

var credentialColumns = []string{"provider", "id", "kind", "jurisdiction", "title", "number", "issuer", "status", "label", "sentence", "as_of", "checked_at", "next_due", "valid_until", "sources", "stated_by", "evidence_sha256"}

func credentialRow(of directory.ID, c *claim) []string {
	var sources, stated, sums []string
	for _, e := range c.Evidence {
		sources, sums = append(sources, e.Source), append(sums, e.SHA256)
	}
	for _, o := range c.StatedBy {
		stated = append(stated, o.Source)
	}
	return []string{string(of), string(c.ID), string(c.Kind), string(c.Jurisdiction), c.Title, c.Number, c.Issuer, string(c.Status), c.Label, c.Sentence, string(value(c.AsOf)), string(value(c.CheckedAt)),
		string(value(c.NextDue)), string(value(c.ValidUntil)), strings.Join(slices.Compact(sources), " "), strings.Join(stated, " "), strings.Join(sums, " ")}
}

// ReadManifest reads the manifest of the export in a folder, and holds the files to the sizes that it names.
func ReadManifest(dir string) (*Manifest, error) {
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return nil, err
	}
	var m Manifest
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&m); err != nil || m.Format != exportFormat || strconv.FormatInt(m.Seq, 10) != filepath.Base(dir) {
		return nil, fmt.Errorf("%s is no manifest of export %s: %w", manifestName, filepath.Base(dir), cmp.Or(err, error(errors.ErrUnsupported)))
	}
	for _, f := range m.Files {
		if info, err := os.Stat(filepath.Join(dir, filepath.Base(f.Name))); err != nil || info.Size() != f.Bytes {
			return nil, fmt.Errorf("%s of export %d is not whole: %w", f.Name, m.Seq, cmp.Or(err, io.ErrUnexpectedEOF))
		}
	}
	return &m, nil
}

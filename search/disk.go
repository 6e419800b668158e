package search

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/util"
	index "github.com/blevesearch/bleve_index_api"
	"go.etcd.io/bbolt"

	"kapdir/directory"
)

// The files of Config.Dir: CURRENT names the folder of the index in use, index.NEW is being built, and
// any other folder index.N is left over. A folder is named by CURRENT only once it is whole, so a crash
// at any moment leaves either the index from before or none.
const (
	currentName = "CURRENT"
	newName     = "index.NEW"
)

var indexName = regexp.MustCompile(`^index\.[0-9]+$`)

// batchSize is how many documents are written at a time. bleve keeps a whole batch in memory.
const batchSize = 500

// buildSize is how many documents are written at a time by a build of the whole.
const buildSize = 5000

// disk is an index on disk, open.
type disk struct {
	path  string
	bleve bleve.Index
	store index.Index
	async func() error // the first failure of bleve's own goroutines, nil if there was none
}

// failures holds what bleve's goroutines reported, by the path of the index.
var failures sync.Map

func init() {
	scorch.RegistryAsyncErrorCallbacks[wordAnalyzer] = func(err error, path string) { failures.LoadOrStore(path, err) }
}

// settings are bleve's; unsafe_batch is never among them: with it acknowledged batches are lost, even
// by an orderly Close (reliability.md §3.1).
func settings() map[string]any {
	return map[string]any{"bolt_timeout": "2s", "asyncErrorCallbackName": wordAnalyzer}
}

// createDisk makes an empty index in a folder that does not exist.
func createDisk(path string) (*disk, error) {
	b, err := bleve.NewUsing(path, newMapping(), scorch.Name, bleve.Config.DefaultKVStore, settings())
	if err != nil {
		return nil, err
	}
	return newDisk(path, b)
}

// openDisk opens the index in the folder, after every file of it that can be checked by itself was.
func openDisk(path string) (*disk, error) {
	if err := checkFiles(path); err != nil {
		return nil, err
	}
	b, err := bleve.OpenUsing(path, settings())
	if err != nil {
		return nil, err
	}
	return newDisk(path, b)
}

// openReadOnly opens the index in the folder so that nothing in it changes: bleve then neither merges nor
// writes, and leaves the files it no longer needs. checkFiles comes first.
func openReadOnly(path string) (*disk, error) {
	set := settings()
	set["read_only"] = true
	b, err := bleve.OpenUsing(path, set)
	if err != nil {
		return nil, err
	}
	return newDisk(path, b)
}

func newDisk(path string, b bleve.Index) (*disk, error) {
	store, err := b.Advanced()
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	d := &disk{path: path, bleve: b, store: store}
	at := filepath.Join(path, "store") // what bleve calls the path of the part it reports
	failures.Delete(at)
	d.async = func() error {
		if err, ok := failures.Load(at); ok {
			return err.(error)
		}
		return nil
	}
	return d, nil
}

// close closes the index. Nobody may be reading.
func (d *disk) close() (err error) {
	defer recovered(&err)
	return d.bleve.Close()
}

// write puts documents of the snapshot in and takes others out, in batches that each carry the mapping version
// and the cursor. The cursor of a batch is the highest number up to which every change is in it or before it.
func (d *disk) write(ctx context.Context, s *snapshot, puts []uint32, drops []directory.ID) (err error) {
	defer recovered(&err)
	last, err := d.cursor()
	if err != nil {
		return err
	}
	terms := s.table.all()
	for first := true; first || len(puts) > 0 || len(drops) > 0; first = false {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, m := min(batchSize, len(puts)), 0
		m = min(batchSize-n, len(drops))
		b := d.bleve.NewBatch()
		for _, doc := range puts[:n] {
			if err := b.IndexAdvanced(s.indexed(doc, terms)); err != nil {
				return err
			}
		}
		for _, id := range drops[:m] {
			b.Delete(string(id))
		}
		puts, drops = puts[n:], drops[m:]
		at := last // until the last batch the numbers in between are not all there
		if len(puts) == 0 && len(drops) == 0 {
			at = s.seq
		}
		setInternal(b, at)
		if err := d.bleve.Batch(b); err != nil {
			return err
		}
	}
	return d.async()
}

func setInternal(b *bleve.Batch, cursor int64) {
	b.SetInternal(keyMapping, []byte(strconv.Itoa(mappingVersion)))
	b.SetInternal(keyCursor, []byte(strconv.FormatInt(cursor, 10)))
}

// buildDisk makes an index of all documents of the snapshot in a folder that does not exist, closed, as one
// segment. done, if not nil, is called after each batch.
func buildDisk(ctx context.Context, path string, s *snapshot, done func(n int)) (err error) {
	defer recovered(&err)
	if s.size() > 0 {
		if err := writeSegment(ctx, path, s, done); err != nil {
			return err
		}
	}
	d, err := openOrCreate(path, s.size() == 0)
	if err != nil {
		return err
	}
	b := d.bleve.NewBatch()
	setInternal(b, s.seq)
	return errors.Join(d.bleve.Batch(b), d.async(), d.close())
}

func openOrCreate(path string, empty bool) (*disk, error) {
	if empty {
		return createDisk(path)
	}
	return openDisk(path)
}

// writeSegment writes the documents by bleve's builder, which keeps no more than a batch in memory.
func writeSegment(ctx context.Context, path string, s *snapshot, done func(n int)) error {
	if err := newMeta(path); err != nil {
		return err
	}
	b, err := scorch.NewBuilder(map[string]any{"path": filepath.Join(path, "store"), "buildPathPrefix": path, "batchSize": buildSize, "mergeMax": 20,
		"internal": map[string][]byte{string(util.MappingInternalKey): mappingJSON}})
	if err != nil {
		return err
	}
	terms := s.table.all()
	docs := slices.Clone(s.byID)
	slices.Sort(docs)
	for i, doc := range docs {
		if i%batchSize == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if err := b.Index(s.indexed(doc, terms)); err != nil {
			return err
		}
		if n := i%batchSize + 1; done != nil && (n == batchSize || i == len(docs)-1) {
			done(n)
		}
	}
	return b.Close()
}

// newMeta writes the file by which bleve knows what kind of index a folder holds: that of an empty one.
func newMeta(path string) error {
	b, err := bleve.NewUsing(path, newMapping(), scorch.Name, bleve.Config.DefaultKVStore, settings())
	if err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(path, "store"))
}

var mappingJSON = func() []byte {
	b, err := json.Marshal(newMapping())
	if err != nil {
		panic(err)
	}
	return b
}()

// cursor reads the cursor, 0 when there is none yet.
func (d *disk) cursor() (int64, error) {
	b, err := d.bleve.GetInternal(keyCursor)
	if err != nil || b == nil {
		return 0, err
	}
	return strconv.ParseInt(string(b), 10, 64)
}

// checkMapping fails unless the index was written by a program with this mapping.
func (d *disk) checkMapping() error {
	v, err := d.bleve.GetInternal(keyMapping)
	if err == nil && string(v) != strconv.Itoa(mappingVersion) {
		err = fmt.Errorf("the index has mapping version %q, this program %d", v, mappingVersion)
	}
	return err
}

// recovered turns a panic of bleve's into an error: a damaged file can raise one anywhere.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the index failed: %v", r)
	}
}

// safely runs f so that neither a panic nor a fault in a mapped file ends the program.
func safely(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recovered(&err)
	return f()
}

// adoption is what opening the index on disk found to do.
type adoption struct {
	puts  []uint32
	drops []directory.ID
	// doubts are what the index holds of documents that differ though their number does not: because they
	// were worked out for another moment, or because something is wrong.
	doubts map[directory.ID]version
}

// asOf reads the feed and works the documents out for other moments, "" for those left out. Providers
// whose change is past the number are waiting instead. last is the newest number read.
func (m maker) asOf(ctx context.Context, feed Feed, taken int64, at func(directory.ID) directory.Instant) (docs map[directory.ID]*document, waiting map[directory.ID]bool, last int64, err error) {
	docs, waiting = map[directory.ID]*document{}, map[directory.ID]bool{}
	for {
		page, err := feed.Changes(ctx, last, batchSize)
		if err != nil {
			return nil, nil, 0, err
		}
		for _, c := range page {
			last = max(last, c.Seq)
			delete(docs, c.Provider)
			if c.Seq > taken {
				waiting[c.Provider] = true
			} else if t := at(c.Provider); t != "" && !m.hidden(c, t) {
				docs[c.Provider] = m.document(c, t)
			}
		}
		if len(page) < batchSize {
			return docs, waiting, last, nil
		}
	}
}

// settle resolves the doubts: a document that the feed, too, gave at the moment for which the index holds
// it is put in as it is now, or dropped if it is hidden now. Any other is an error.
func (a *adoption) settle(ctx context.Context, m maker, feed Feed, s *snapshot) error {
	if len(a.doubts) == 0 {
		return nil
	}
	m.lexicon = newLexicon() // what was true at another moment is no value to choose from
	then, _, _, err := m.asOf(ctx, feed, s.seq, func(id directory.ID) directory.Instant { return a.doubts[id].at })
	if err != nil {
		return err
	}
	for id, v := range a.doubts {
		if d := then[id]; d == nil || d.mark() != v.mark() {
			return fmt.Errorf("the index holds another %s than the feed", id)
		}
		if at, ok := s.find(id); ok {
			a.puts = append(a.puts, at)
		} else {
			a.drops = append(a.drops, id)
		}
	}
	return nil
}

// adopt opens the index that CURRENT names and compares it with the feed, document by document, before
// anything relies on it. Documents that differ only because they were worked out for another moment are
// written again; any other doubt is an error, and the index is then built anew.
func adopt(ctx context.Context, cfg Config, m maker, s *snapshot, dropped map[directory.ID]int64) (d *disk, w *wordIndex, err error) {
	name, err := readCurrent(cfg.Dir)
	if err != nil {
		return nil, nil, err
	}
	err = safely(func() error {
		if d, err = openDisk(filepath.Join(cfg.Dir, name)); err != nil {
			return err
		}
		todo, err := d.compare(s, dropped, cfg.Now().UnixMilli())
		if err != nil {
			return err
		}
		if err := todo.settle(ctx, m, cfg.Feed, s); err != nil {
			return err
		}
		if len(todo.puts)+len(todo.drops) > 0 {
			if err := d.write(ctx, s, todo.puts, todo.drops); err != nil {
				return err
			}
		}
		if w, err = newWordIndex(d.store, s, nil); err != nil {
			return err
		}
		return w.verify(ctx)
	})
	if err != nil {
		if w != nil {
			w.reader.Close()
		}
		if d != nil {
			err = errors.Join(err, d.close())
		}
		return nil, nil, err
	}
	return d, w, nil
}

// compare finds what to write so that the index says what the snapshot says. Only what changed after the
// index's cursor, and checks whose time has passed, may differ; what differs at the same number is in doubt.
func (d *disk) compare(s *snapshot, dropped map[directory.ID]int64, now int64) (todo adoption, err error) {
	if err := d.checkMapping(); err != nil {
		return todo, err
	}
	cursor, err := d.cursor()
	if err != nil {
		return todo, err
	}
	if cursor > s.seq {
		return todo, fmt.Errorf("the index is at number %d, the feed at %d: it belongs to another store", cursor, s.seq)
	}
	reader, err := d.store.Reader()
	if err != nil {
		return todo, err
	}
	defer reader.Close()
	todo.doubts = map[directory.ID]version{}
	seen := roaring.New()
	others := map[directory.ID]bool{}
	err = stored(reader, func(id directory.ID, text string) error {
		v, err := parseVersion(text)
		if err != nil {
			return fmt.Errorf("the index holds %q for %s: %w", text, id, err)
		}
		doc, ok := s.find(id)
		if ok && !seen.CheckedAdd(doc) || others[id] {
			return fmt.Errorf("the index holds %s twice", id)
		}
		if !ok {
			others[id] = true
			switch n := dropped[id]; {
			case n > cursor:
				todo.drops = append(todo.drops, id)
			case n != 0 && n == v.seq:
				todo.doubts[id] = v
			default:
				return fmt.Errorf("the index holds %s, which the feed does not", id)
			}
			return nil
		}
		switch seq := s.seqs[doc]; {
		case s.mark(doc) == v.mark():
		case seq > cursor, seq == v.seq && v.until != 0 && v.until <= now:
			todo.puts = append(todo.puts, doc)
		case seq == v.seq:
			todo.doubts[id] = v
		default:
			return fmt.Errorf("the index holds another %s than the feed", id)
		}
		return nil
	})
	if err != nil {
		return todo, err
	}
	for _, doc := range s.byID {
		if seen.Contains(doc) {
			continue
		}
		if s.seqs[doc] <= cursor {
			return todo, fmt.Errorf("the index does not hold %s", s.ids[doc])
		}
		todo.puts = append(todo.puts, doc)
	}
	return todo, nil
}

// checkFiles looks at the files of an index before bleve maps them: a damaged segment gives wrong
// results without an error, or a panic where nobody can catch it. Each segment ends in a checksum that
// bleve itself never compares.
func checkFiles(path string) error {
	return safely(func() error {
		root := filepath.Join(path, "store", "root.bolt")
		if st, err := os.Stat(root); err != nil {
			return err
		} else if st.Size() == 0 {
			return fmt.Errorf("%s is empty", root)
		}
		db, err := bbolt.Open(root, 0o600, &bbolt.Options{ReadOnly: true, Timeout: 2 * time.Second})
		if err != nil {
			return err
		}
		var segments []string
		err = db.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b, &segments) })
		})
		if err = errors.Join(err, db.Close()); err != nil {
			return err
		}
		slices.Sort(segments)
		for _, name := range slices.Compact(segments) {
			err := checkSegment(filepath.Join(path, "store", filepath.Base(name)))
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // of a state that bleve has let go; if not, it says so
				return err
			}
		}
		return nil
	})
}

// walk reads every page of the bucket and gathers the names of the segments.
func walk(b *bbolt.Bucket, segments *[]string) error {
	return b.ForEach(func(k, v []byte) error {
		if v == nil {
			return walk(b.Bucket(k), segments)
		}
		if len(k) == 1 && k[0] == 'p' && strings.HasSuffix(string(v), ".zap") {
			*segments = append(*segments, string(v))
		}
		return nil
	})
}

// checkSegment compares the checksum at the end of a segment with its content.
func checkSegment(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() < 8 {
		return fmt.Errorf("%s is cut short", path)
	}
	sum := crc32.NewIEEE()
	if _, err := io.CopyN(sum, f, st.Size()-4); err != nil {
		return err
	}
	var end [4]byte
	if _, err := io.ReadFull(f, end[:]); err != nil {
		return err
	}
	if want := uint32(end[0])<<24 | uint32(end[1])<<16 | uint32(end[2])<<8 | uint32(end[3]); sum.Sum32() != want {
		return fmt.Errorf("%s is damaged: its checksum is %08x, not %08x", path, sum.Sum32(), want)
	}
	return nil
}

// checkLive compares the checksums of the segments of an index in use. A segment being written, or gone
// by the time it is read, is no damage.
func (d *disk) checkLive() error {
	files, err := filepath.Glob(filepath.Join(d.path, "store", "*.zap"))
	if err != nil {
		return err
	}
	for _, f := range files {
		var err error
		for range 5 {
			if err = checkSegment(f); err == nil || errors.Is(err, fs.ErrNotExist) {
				err = nil
				break
			}
			time.Sleep(200 * time.Millisecond)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func readCurrent(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, currentName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", errNone
	}
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(string(b))
	if !indexName.MatchString(name) {
		return "", fmt.Errorf("%s names no index", filepath.Join(dir, currentName))
	}
	return name, nil
}

// errNone says that no index was ever built here, which is no cause for alarm.
var errNone = errors.New("there is no index yet")

// install gives the finished folder index.NEW a name of its own and makes it the current one.
func install(dir string) (path string, err error) {
	next := 1
	old, err := filepath.Glob(filepath.Join(dir, "index.*"))
	if err != nil {
		return "", err
	}
	for _, o := range old {
		if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(o), "index.")); err == nil && n >= next {
			next = n + 1
		}
	}
	name := fmt.Sprintf("index.%d", next)
	for _, d := range []string{filepath.Join(dir, newName, "store"), filepath.Join(dir, newName)} {
		if err := syncDir(d); err != nil {
			return "", err
		}
	}
	if err := os.Rename(filepath.Join(dir, newName), filepath.Join(dir, name)); err != nil {
		return "", err
	}
	if err := syncDir(dir); err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

// point makes CURRENT name the folder.
func point(dir, path string) error {
	tmp := filepath.Join(dir, currentName+".tmp")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(filepath.Base(path) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, currentName))
	}
	if err == nil {
		err = syncDir(dir)
	}
	return err
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sweep removes every index of the folder but the one in use.
func sweep(dir, use string) error {
	old, err := filepath.Glob(filepath.Join(dir, "index.*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, o := range old {
		if base := filepath.Base(o); o != use && (base == newName || indexName.MatchString(base)) {
			errs = append(errs, os.RemoveAll(o))
		}
	}
	return errors.Join(errs...)
}

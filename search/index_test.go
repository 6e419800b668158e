package search

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func TestOpenAnswersPlainlyUntilBuilt(t *testing.T) {
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "a", "b"), feed: newFeed(someone(1, "Ana Ruiz"), someone(2, "Bo Tran")), now: noon}
	x := b.open()
	defer func() { b.x.Close() }()
	if r := b.search(Query{Text: "ruiz"}); !r.Plain || r.Total != 1 {
		t.Errorf("before the build: plain %t, total %d", r.Plain, r.Total)
	}
	if s := x.Status(context.Background()); s != (Status{State: "building", Mapping: mappingVersion, Cursor: 2, Documents: 2, Head: 2, Plain: true}) {
		t.Errorf("status before the build: %+v", s)
	}
	b.feed.put(someone(3, "Cy Ruiz"))
	if s := x.Status(context.Background()); s.Behind != 1 {
		t.Errorf("behind %d, want 1", s.Behind)
	}
	var steps []int
	if err := x.Rebuild(context.Background(), func(done, total int) { steps = append(steps, done, total) }); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{3, 3}, steps); d != "" {
		t.Errorf("progress: %s", d)
	}
	if r := b.search(Query{Text: "ruiz"}); r.Plain || r.Total != 2 || r.Seq != 3 {
		t.Errorf("after the build: plain %t, total %d, seq %d", r.Plain, r.Total, r.Seq)
	}
	if s := x.Status(context.Background()); s != (Status{State: "ready", Mapping: mappingVersion, Cursor: 3, Documents: 3, Head: 3}) {
		t.Errorf("status after the build: %+v", s)
	}
	if r := b.reopen(); r.Plain {
		t.Error("the index is not adopted when opened again")
	}
}

// reopen opens the index anew and searches everybody.
func (b *bench) reopen() Result {
	b.t.Helper()
	b.open()
	return b.search(Query{})
}

func TestSyncFollows(t *testing.T) {
	b := newBench(t, someone(1, "Ana Ruiz", in("Boulder", "CO")), someone(2, "Bo Tran"))
	ctx := context.Background()
	count := func(text string) int { return b.search(Query{Text: text}).Total }

	if n, err := b.x.Sync(ctx); n != 0 || err != nil {
		t.Errorf("Sync with nothing new = %d, %v", n, err)
	}
	b.feed.put(someone(1, "Ana Castellanos"))
	b.feed.put(someone(3, "Cy Castellanos"))
	b.feed.drop(pid(2))
	if n, err := b.x.Sync(ctx); n != 3 || err != nil {
		t.Errorf("Sync of three changes = %d, %v", n, err)
	}
	if count("ruiz") != 0 || count("tran") != 0 || count("castellanos") != 2 || count("boulder") != 0 {
		t.Errorf("after the changes: ruiz %d, tran %d, castellanos %d, boulder %d", count("ruiz"), count("tran"), count("castellanos"), count("boulder"))
	}
	withdrawn := someone(3, "Cy Castellanos")
	withdrawn.Provider.Withdrawn = true
	b.feed.put(withdrawn)
	b.sync()
	if count("castellanos") != 1 {
		t.Error("a withdrawn provider is still found")
	}
	b.feed.fails = errors.New("the store is away")
	if _, err := b.x.Sync(ctx); err == nil {
		t.Error("Sync hides that the feed failed")
	}
	if r := b.search(Query{Text: "castellanos"}); r.Total != 1 {
		t.Error("a feed that fails takes the search with it")
	}
	b.feed.fails = nil

	many := corpus(9, batchSize+30)
	for _, f := range many {
		b.feed.put(f)
	}
	if n, err := b.x.Sync(ctx); n != len(many) || err != nil {
		t.Errorf("Sync of %d changes = %d, %v", len(many), n, err)
	}
	if r := b.search(Query{}); r.Total != len(many) {
		t.Errorf("total %d, want %d", r.Total, len(many))
	}
	if r := b.reopen(); r.Plain || r.Total != len(many) {
		t.Errorf("opened again: plain %t, total %d", r.Plain, r.Total)
	}
}

func TestCursorAndDocumentsAreOneBatch(t *testing.T) {
	b := newBench(t, corpus(4, 30)...)
	b.feed.put(someone(31, "Ana Ruiz"))
	b.sync()
	b.feed.put(someone(32, "Bo Tran")) // not taken before the end
	if err := b.x.Close(); err != nil {
		t.Fatal(err)
	}
	d := b.disk()
	cursor, err := d.cursor()
	if err != nil || cursor != 31 {
		t.Errorf("cursor %d, %v; want 31", cursor, err)
	}
	if v, err := d.bleve.GetInternal(keyMapping); err != nil || string(v) != strconv.Itoa(mappingVersion) {
		t.Errorf("mapping version %q, %v", v, err)
	}
	if n, err := d.bleve.DocCount(); n != 31 || err != nil {
		t.Errorf("%d documents, %v; want 31", n, err)
	}

	// A batch that does not come to its end leaves neither document nor cursor.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	m := maker{directory.StandardPolicies(), newLexicon()}
	doc := m.document(directory.Change{Seq: 99, Provider: pid(99), File: someone(99, "No Body")}, directory.At(noon))
	if err := d.write(ctx, newSnapshot().with([]*document{doc}, nil, 99, m.lexicon), []uint32{0}, nil); err == nil {
		t.Error("a cancelled write succeeds")
	}
	if cursor, _ := d.cursor(); cursor != 31 {
		t.Errorf("cursor %d after a write that did not happen", cursor)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}

	b.x = nil
	if r := b.reopen(); r.Plain || r.Total != 32 { // what came while it was closed is caught up at opening
		t.Errorf("plain %t, total %d", r.Plain, r.Total)
	}
}

// disk opens the index that the bench has closed, as bleve does.
func (b *bench) disk() *disk {
	b.t.Helper()
	name, err := readCurrent(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	d, err := openDisk(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// files lists the files of the index in use whose name ends so.
func (b *bench) files(end string) []string {
	b.t.Helper()
	var out []string
	err := filepath.WalkDir(b.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, end) && strings.Contains(path, "index.") {
			out = append(out, path)
		}
		return err
	})
	if err != nil || len(out) == 0 {
		b.t.Fatalf("no file %s: %v", end, err)
	}
	return out
}

func overwrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedIndexIsBuiltAnew(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	randomBytes := func(n int) func([]byte) []byte {
		return func(data []byte) []byte {
			at := r.IntN(max(1, len(data)-n))
			for i := at; i < min(at+n, len(data)); i++ {
				data[i] = byte(r.Uint32())
			}
			return data
		}
	}
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, b *bench)
	}{
		{"segment cut short", func(t *testing.T, b *bench) {
			overwrite(t, b.files(".zap")[0], func(d []byte) []byte { return d[:len(d)/2] })
		}},
		{"segment gone", func(t *testing.T, b *bench) {
			for _, f := range b.files(".zap") {
				os.Remove(f)
			}
		}},
		{"junk after a segment", func(t *testing.T, b *bench) {
			overwrite(t, b.files(".zap")[0], func(d []byte) []byte { return append(d, "junk"...) })
		}},
		{"64 random bytes in a segment", func(t *testing.T, b *bench) { overwrite(t, b.files(".zap")[0], randomBytes(64)) }},
		{"4096 random bytes in a segment", func(t *testing.T, b *bench) { overwrite(t, b.files(".zap")[0], randomBytes(4096)) }},
		{"one bit of a segment", func(t *testing.T, b *bench) {
			overwrite(t, b.files(".zap")[0], func(d []byte) []byte { d[len(d)/3] ^= 4; return d })
		}},
		{"root.bolt gone", func(t *testing.T, b *bench) { os.Remove(b.files("root.bolt")[0]) }},
		{"root.bolt empty", func(t *testing.T, b *bench) {
			overwrite(t, b.files("root.bolt")[0], func([]byte) []byte { return nil })
		}},
		{"root.bolt all random", func(t *testing.T, b *bench) { overwrite(t, b.files("root.bolt")[0], randomBytes(1<<20)) }},
		{"index_meta.json garbage", func(t *testing.T, b *bench) {
			overwrite(t, b.files("index_meta.json")[0], func([]byte) []byte { return []byte("{garbage") })
		}},
		{"CURRENT garbage", func(t *testing.T, b *bench) {
			overwrite(t, filepath.Join(b.dir, currentName), func([]byte) []byte { return []byte("../../etc\n") })
		}},
		{"CURRENT names nothing", func(t *testing.T, b *bench) {
			overwrite(t, filepath.Join(b.dir, currentName), func([]byte) []byte { return []byte("index.77\n") })
		}},
		{"other mapping version", func(t *testing.T, b *bench) {
			d := b.disk()
			batch := d.bleve.NewBatch()
			batch.SetInternal(keyMapping, []byte("0"))
			if err := errors.Join(d.bleve.Batch(batch), d.close()); err != nil {
				t.Fatal(err)
			}
		}},
		{"cursor of another store", func(t *testing.T, b *bench) {
			d := b.disk()
			batch := d.bleve.NewBatch()
			batch.SetInternal(keyCursor, []byte("100000"))
			if err := errors.Join(d.bleve.Batch(batch), d.close()); err != nil {
				t.Fatal(err)
			}
		}},
		{"a document too many", func(t *testing.T, b *bench) {
			d := b.disk()
			if err := errors.Join(d.bleve.Index(string(pid(999)), map[string]any{indexText: indexTerm("ghost", 1), indexVersion: "1 x 0"}), d.close()); err != nil {
				t.Fatal(err)
			}
		}},
		{"a document too few", func(t *testing.T, b *bench) {
			d := b.disk()
			if err := errors.Join(d.bleve.Delete(string(pid(3))), d.close()); err != nil {
				t.Fatal(err)
			}
		}},
		{"a document with other words", func(t *testing.T, b *bench) {
			d := b.disk()
			was := b.document(3)
			doc := map[string]any{indexText: indexTerm("somebody", 1) + " " + indexTerm("else", 1), indexVersion: version{was.seq, was.hash, was.until, was.at}.String()}
			if err := errors.Join(d.bleve.Index(string(pid(3)), doc), d.close()); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, corpus(5, 60)...)
			want, _, err := everything(b.x, Query{Text: "ketamine"})
			if err != nil || len(want) != 60 {
				t.Fatalf("%d of 60 found, %v", len(want), err)
			}
			if err := b.x.Close(); err != nil {
				t.Fatal(err)
			}
			c.damage(t, b)
			x := b.open()
			got, first, err := everything(x, Query{Text: "ketamine"})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("the answer changed (-before +after):\n%s", d)
			}
			if !first.Plain {
				t.Error("the damage was not noticed")
			}
			if s := x.Status(context.Background()); s.State != "building" {
				t.Errorf("state %s", s.State)
			}
			b.sync()
			got, first, err = everything(x, Query{Text: "ketamine"})
			if d := cmp.Diff(want, got); d != "" || err != nil || first.Plain {
				t.Errorf("built anew: plain %t, %v\n%s", first.Plain, err, d)
			}
			if left, _ := filepath.Glob(filepath.Join(b.dir, "index.*")); len(left) != 1 {
				t.Errorf("folders left: %v", left)
			}
			if r, err := x.Audit(context.Background()); err != nil || !r.OK() {
				t.Errorf("audit after the build: %+v, %v", r, err)
			}
		})
	}
}

// document works out what the feed says of a provider.
func (b *bench) document(n int) *document {
	for _, f := range b.feed.files() {
		if f.Provider.ID == pid(n) {
			return b.x.maker.document(directory.Change{Seq: f.Provider.Seq, Provider: f.Provider.ID, File: f}, directory.At(b.now))
		}
	}
	b.t.Fatal("no document ", n)
	return nil
}

// TestRandomDamage flips bytes anywhere in any file many times over: the answer is never another than
// the feed's.
func TestRandomDamage(t *testing.T) {
	b := newBench(t, corpus(6, 40)...)
	want := map[string][]Hit{}
	texts := []string{"ketamine", "boulder", "jose", "lcsw", "trauma depression", "oneil"}
	for _, text := range texts {
		hits, _, err := everything(b.x, Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		want[text] = hits
	}
	r := rand.New(rand.NewPCG(7, 7))
	trials := 40
	if testing.Short() {
		trials = 5
	}
	for i := range trials {
		if err := b.x.Close(); err != nil {
			t.Fatal(err)
		}
		files := append(append(b.files(".zap"), b.files("root.bolt")...), b.files("index_meta.json")...)
		path := files[r.IntN(len(files))]
		size := []int{1, 64, 4096}[r.IntN(3)]
		overwrite(t, path, func(data []byte) []byte {
			at := r.IntN(len(data))
			for i := at; i < min(at+size, len(data)); i++ {
				data[i] ^= byte(1 + r.IntN(255))
			}
			return data
		})
		x := b.open()
		for _, text := range texts {
			got, _, err := everything(x, Query{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want[text], got); d != "" {
				t.Fatalf("trial %d, %d bytes of %s: %s gives another answer:\n%s", i, size, filepath.Base(path), text, d)
			}
		}
		b.sync()
	}
}

func TestAuditFindsDamageUnderARunningIndex(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, corpus(5, 60)...)
	if r, err := b.x.Audit(ctx); err != nil || !r.OK() || r.Checked != 60 {
		t.Fatalf("audit of a good index: %+v, %v", r, err)
	}
	segment := b.files(".zap")[0]
	f, err := os.OpenFile(segment, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	st, _ := f.Stat()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0x5a}, 64), st.Size()/2); err != nil {
		t.Fatal(err)
	}
	f.Close()
	r, err := b.x.Audit(ctx)
	if err != nil || r.OK() {
		t.Fatalf("audit of a damaged index: %+v, %v", r, err)
	}
	if r := b.search(Query{Text: "ketamine"}); !r.Plain || r.Total != 60 {
		t.Errorf("after the audit: plain %t, total %d", r.Plain, r.Total)
	}
	b.sync()
	if r := b.search(Query{Text: "ketamine"}); r.Plain || r.Total != 60 {
		t.Errorf("built anew: plain %t, total %d", r.Plain, r.Total)
	}
}

func TestAuditComparesContent(t *testing.T) {
	ctx := context.Background()
	b := newBench(t, someone(1, "Ana Ruiz"), someone(2, "Bo Tran"), someone(3, "Cy Diaz"))
	// The feed changes behind its own numbers, as no store may.
	b.feed.last[pid(1)].File.Provider.Practice.Focus = []string{"trauma"}
	delete(b.feed.last, pid(2))
	b.feed.last[pid(4)] = directory.Change{Seq: 2, Provider: pid(4), File: someone(4, "Di Moss")}
	r, err := b.x.Audit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r.Damage = ""
	if d := cmp.Diff(AuditReport{Checked: 3, Missing: numbered(4), Extra: numbered(2), Changed: numbered(1)}, r); d != "" {
		t.Errorf("audit (-want +got):\n%s", d)
	}
	b.sync()
	if r, err := b.x.Audit(ctx); err != nil || !r.OK() {
		t.Errorf("audit after the next Sync: %+v, %v", r, err)
	}
	// What is on its way is no fault.
	b.feed.put(someone(5, "Ed Poe"))
	b.feed.drop(pid(1))
	if r, err := b.x.Audit(ctx); err != nil || !r.OK() {
		t.Errorf("audit with changes on their way: %+v, %v", r, err)
	}
}

// An audit of a large directory takes minutes: whoever changes, comes or goes meanwhile is followed, and is no fault.
func TestTheIndexFollowsDuringAnAudit(t *testing.T) {
	b := newBench(t, corpus(5, 2*batchSize+30)...)
	pages := 0
	b.feed.read = func() {
		if pages++; pages != 2 && pages != 3 {
			return
		}
		read := b.feed.read
		b.feed.read = nil
		b.feed.put(someone(90000+pages, "Zebulon Quartermain"))
		b.feed.drop(corpus(5, 4)[pages].Provider.ID)
		b.sync()
		b.feed.read = read
	}
	r, err := b.x.Audit(context.Background())
	if err != nil || !r.OK() || pages < 3 {
		t.Errorf("audit of an index that changes, in %d pages: %+v, %v", pages, r, err)
	}
	b.feed.read = nil
	if r := b.search(Query{Text: "quartermain"}); r.Plain || r.Total != 2 {
		t.Errorf("after the audit: plain %t, total %d", r.Plain, r.Total)
	}
}

func TestIndexThatFailsAtWorkIsGivenUp(t *testing.T) {
	b := newBench(t, someone(1, "Ana Ruiz"), someone(2, "Bo Tran"))
	if err := b.x.disk.bleve.Close(); err != nil { // as if bleve had died
		t.Fatal(err)
	}
	b.feed.put(someone(3, "Cy Ruiz"))
	if _, err := b.x.sync(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	if r := b.search(Query{Text: "ruiz"}); !r.Plain || r.Total != 2 {
		t.Errorf("plain %t, total %d", r.Plain, r.Total)
	}
	b.sync()
	if r := b.search(Query{Text: "ruiz"}); r.Plain || r.Total != 2 {
		t.Errorf("built anew: plain %t, total %d", r.Plain, r.Total)
	}
}

// TestKilledAtAnyMoment kills a process that writes to an index, again and again. What it leaves is adopted
// or built anew, and says what the feed says.
func TestKilledAtAnyMoment(t *testing.T) {
	const variable = "KAPDIR_SEARCH_TEST_DIR"
	r := rand.New(rand.NewPCG(12, 12))
	if dir := os.Getenv(variable); dir != "" { // the process to be killed
		b := &bench{t: t, dir: dir, feed: newFeed(corpus(12, 50)...), now: noon}
		b.open()
		fmt.Println("open")
		for {
			for range 5 {
				b.feed.put(randomFile(r, 1+r.IntN(60)))
			}
			b.sync()
			if r.IntN(5) == 0 {
				if err := b.x.Rebuild(context.Background(), nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	adopted := 0
	for range 12 {
		b := &bench{t: t, dir: t.TempDir(), feed: newFeed(corpus(12, 50)...), now: noon}
		child := exec.Command(os.Args[0], "-test.run", "^TestKilledAtAnyMoment$")
		child.Env = append(os.Environ(), variable+"="+b.dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 4)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(r.IntN(300)) * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait()
		// The feed has all that the child can have written: the same changes in the same order.
		same := rand.New(rand.NewPCG(12, 12))
		for range 400 {
			for range 5 {
				b.feed.put(randomFile(same, 1+same.IntN(60)))
			}
			same.IntN(5)
		}
		x := b.open()
		hits, first, err := everything(x, Query{Text: "ketamine"})
		if err != nil {
			t.Fatal(err)
		}
		if !first.Plain {
			adopted++
		}
		want, _, err := everything(b.plainly(), Query{Text: "ketamine"})
		if d := cmp.Diff(want, hits); d != "" || err != nil {
			t.Fatalf("after a kill the index says other than the feed: %v\n%s", err, d)
		}
		b.sync()
		if a, err := x.Audit(context.Background()); err != nil || !a.OK() {
			t.Fatalf("audit: %+v, %v", a, err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of 12 adopted", adopted)
}

func TestCrashWhileBuilding(t *testing.T) {
	b := newBench(t, corpus(5, 20)...)
	if err := b.x.Close(); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{newName, "index.50"} { // half built; built and not yet named
		if err := os.MkdirAll(filepath.Join(b.dir, left, "store"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.x = nil
	if r := b.reopen(); r.Plain || r.Total != 20 {
		t.Errorf("plain %t, total %d", r.Plain, r.Total)
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, "index.*")); len(left) != 1 {
		t.Errorf("folders left: %v", left)
	}
}

func TestSecondOpenerIsTurnedAway(t *testing.T) {
	b := newBench(t, someone(1, "Ana Ruiz"))
	_, err := Open(context.Background(), b.config())
	if !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), fmt.Sprint("pid ", os.Getpid())) {
		t.Errorf("second Open: %v", err)
	}
	if r := b.search(Query{}); r.Total != 1 {
		t.Error("the second opener disturbed the first")
	}
}

func TestLockOfADeadProcessIsTakenOver(t *testing.T) {
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: t.TempDir(), feed: newFeed(someone(1, "Ana Ruiz")), now: noon}
	if err := os.WriteFile(filepath.Join(b.dir, lockName), []byte(strconv.Itoa(dead.Process.Pid)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := b.open()
	defer x.Close()
	held, err := os.ReadFile(filepath.Join(b.dir, lockName))
	if err != nil || strings.TrimSpace(string(held)) != strconv.Itoa(os.Getpid()) {
		t.Errorf("the lock names %q, %v", held, err)
	}
}

func TestClosed(t *testing.T) {
	b := newBench(t, someone(1, "Ana Ruiz"))
	ctx := context.Background()
	if err := b.x.Close(); err != nil {
		t.Fatal(err)
	}
	_, err1 := b.x.Search(ctx, Query{})
	_, err2 := b.x.Suggest(ctx, "an", 3)
	_, err3 := b.x.Sync(ctx)
	_, err4 := b.x.Audit(ctx)
	for i, err := range []error{err1, err2, err3, err4, b.x.Rebuild(ctx, nil), b.x.Run(ctx)} {
		if !errors.Is(err, directory.Unavailable) {
			t.Errorf("call %d on a closed index: %v", i, err)
		}
	}
}

func TestOpenFailsWithTheFeed(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir(), feed: newFeed(someone(1, "Ana Ruiz")), now: noon}
	b.feed.fails = errors.New("away")
	if _, err := Open(context.Background(), b.config()); err == nil {
		t.Fatal("Open succeeds without a feed")
	}
	b.feed.fails = nil
	b.open().Close() // the lock was let go
}

func TestRunFollowsUntilItsContextEnds(t *testing.T) {
	b := &bench{t: t, dir: t.TempDir(), feed: newFeed(someone(1, "Ana Ruiz")), now: noon}
	x := b.open()
	defer x.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- x.Run(ctx) }()
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("Run never got to: ", what)
			}
		}
	}
	until("built", func() bool { return !b.search(Query{}).Plain })
	b.feed.put(someone(2, "Bo Tran"))
	until("followed", func() bool { return b.search(Query{Text: "tran"}).Total == 1 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
}

func TestSearchesGoOnWhileTheIndexChanges(t *testing.T) {
	b := newBench(t, corpus(5, 50)...)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	done := make(chan error)
	go func() {
		r := rand.New(rand.NewPCG(3, 3))
		for ctx.Err() == nil {
			b.feed.put(randomFile(r, 51+r.IntN(20)))
			if _, err := b.x.Sync(context.Background()); err != nil {
				done <- err
				return
			}
			if r.IntN(4) == 0 {
				if err := b.x.Rebuild(context.Background(), nil); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	for ctx.Err() == nil {
		hits, first, err := everything(b.x, Query{Text: "ketamine", Limit: 7})
		if err != nil || first.Plain {
			t.Fatalf("plain %t, %v", first.Plain, err)
		}
		seen := map[directory.ID]bool{}
		for _, h := range hits {
			if seen[h.ID] && h.ID <= pid(50) {
				t.Fatalf("%s stands on two pages", h.ID)
			}
			seen[h.ID] = true
		}
		for n := 1; n <= 50; n++ { // these do not change
			if !seen[pid(n)] {
				t.Fatalf("%s stands on no page", pid(n))
			}
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestIndexHoldsEveryWord asks bleve itself, by queries of its own, for who holds each word in which fields.
func TestIndexHoldsEveryWord(t *testing.T) {
	b := newBench(t, corpus(8, 120)...)
	holders := map[string][]string{}
	for n := 1; n <= 120; n++ {
		in := map[string]uint8{}
		for f, words := range b.document(n).text {
			for _, w := range words {
				in[w] |= 1 << f
			}
		}
		for w, fs := range in {
			holders[indexTerm(w, fs)] = append(holders[indexTerm(w, fs)], string(pid(n)))
		}
	}
	for term, want := range holders {
		q := bleve.NewTermQuery(term)
		q.SetField(indexText)
		r, err := b.x.disk.bleve.Search(bleve.NewSearchRequestOptions(q, 1000, 0, false))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range r.Hits {
			got = append(got, h.ID)
		}
		slices.Sort(got)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q (-documents +index):\n%s", term, d)
		}
	}
	dict, err := b.x.disk.bleve.FieldDict(indexText)
	if err != nil {
		t.Fatal(err)
	}
	defer dict.Close()
	for e, err := dict.Next(); e != nil || err != nil; e, err = dict.Next() {
		if err != nil {
			t.Fatal(err)
		}
		if holders[e.Term] == nil {
			t.Errorf("the index holds %q, which no document does", e.Term)
		}
	}
}

package search

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// contents returns the hash and the time of every file of the bench's folder but the lock.
func (b *bench) contents() map[string]string {
	b.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(b.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.Name() == lockName {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		if out[path] = st.Mode().String(); e.IsDir() {
			return nil
		}
		data, err := os.ReadFile(path)
		out[path] += fmt.Sprintf(" %x %s", sha256.Sum256(data), st.ModTime())
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}

// closed closes the index, as a process does that ends.
func (b *bench) closed() *bench {
	b.t.Helper()
	if err := b.x.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b
}

// inspect inspects the index twice, and fails if a file changed.
func (b *bench) inspect() (AuditReport, Status) {
	b.t.Helper()
	before := b.contents()
	r, s, err := Inspect(context.Background(), b.config())
	if err != nil {
		b.t.Fatal(err)
	}
	if d := cmp.Diff(before, b.contents()); d != "" {
		b.t.Errorf("Inspect changed files (-before +after):\n%s", d)
	}
	r2, s2, err := Inspect(context.Background(), b.config())
	if d := cmp.Diff(r, r2) + cmp.Diff(s, s2); d != "" || err != nil {
		b.t.Errorf("a second Inspect says something else: %v\n%s", err, d)
	}
	return r, s
}

func TestInspectGoodIndex(t *testing.T) {
	b := newBench(t, corpus(5, 60)...)
	if _, _, err := Inspect(context.Background(), b.config()); !errors.Is(err, directory.Conflict) {
		t.Errorf("Inspect of an index in use: %v, want a conflict", err)
	}
	r, s := b.closed().inspect()
	if d := cmp.Diff(AuditReport{Checked: 60}, r); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	if s != (Status{State: "ready", Mapping: mappingVersion, Cursor: 60, Documents: 60, Head: 60}) {
		t.Errorf("status %+v", s)
	}
	b.feed.fails = errors.New("the store is away")
	if _, _, err := Inspect(context.Background(), b.config()); !errors.Is(err, b.feed.fails) {
		t.Errorf("Inspect hides that the feed failed: %v", err)
	}
	b.feed.fails = nil
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, _, err := Inspect(ctx, b.config()); !errors.Is(err, context.Canceled) || r.Damage != "" {
		t.Errorf("Inspect cancelled: %+v, %v", r, err)
	}
	if r := b.reopen(); r.Plain {
		t.Error("the index is not adopted after Inspect")
	}
}

func TestInspectMissingIndex(t *testing.T) {
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "a"), feed: newFeed(someone(1, "Ana Ruiz")), now: noon}
	for _, made := range []bool{false, true} {
		if made {
			if err := os.Mkdir(b.dir, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		r, s, err := Inspect(context.Background(), b.config())
		if err != nil || !r.OK() || !r.Plain {
			t.Errorf("report %+v, %v", r, err)
		}
		if s != (Status{State: "none", Mapping: mappingVersion, Head: 1, Behind: 1, Plain: true}) {
			t.Errorf("status %+v", s)
		}
		if _, err := os.Stat(b.dir); !made && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Inspect made the folder: %v", err)
		}
	}
}

func TestInspectDamage(t *testing.T) {
	for _, c := range []struct {
		name   string
		says   string
		damage func(t *testing.T, b *bench)
	}{
		{"one byte of a segment", "checksum", func(t *testing.T, b *bench) {
			overwrite(t, b.files(".zap")[0], func(d []byte) []byte { d[len(d)/3]++; return d })
		}},
		{"segments gone", "", func(t *testing.T, b *bench) {
			for _, f := range b.files(".zap") {
				os.Remove(f)
			}
		}},
		{"root.bolt empty", "empty", func(t *testing.T, b *bench) {
			overwrite(t, b.files("root.bolt")[0], func([]byte) []byte { return nil })
		}},
		{"CURRENT garbage", "names no index", func(t *testing.T, b *bench) {
			overwrite(t, filepath.Join(b.dir, currentName), func([]byte) []byte { return []byte("../../etc\n") })
		}},
		{"CURRENT names nothing", "no such file", func(t *testing.T, b *bench) {
			overwrite(t, filepath.Join(b.dir, currentName), func([]byte) []byte { return []byte("index.77\n") })
		}},
		{"cursor of another store", "another store", func(t *testing.T, b *bench) {
			d := b.disk()
			batch := d.bleve.NewBatch()
			batch.SetInternal(keyCursor, []byte("100000"))
			if err := errors.Join(d.bleve.Batch(batch), d.close()); err != nil {
				t.Fatal(err)
			}
		}},
		{"other words in a document", "other words", func(t *testing.T, b *bench) {
			d := b.disk()
			was := b.document(3)
			doc := map[string]any{indexText: indexTerm("somebody", 1) + " " + indexTerm("else", 1), indexVersion: version{was.seq, was.hash, was.until, was.at}.String()}
			if err := errors.Join(d.bleve.Index(string(pid(3)), doc), d.close()); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, corpus(5, 60)...).closed()
			c.damage(t, b)
			r, s := b.inspect()
			if r.OK() || r.Plain || r.Damage == "" || !strings.Contains(r.Damage, c.says) {
				t.Errorf("report %+v, want damage that says %q", r, c.says)
			}
			if s.State != "damaged" || !s.Plain {
				t.Errorf("status %+v", s)
			}
		})
	}
}

func TestInspectComparesContent(t *testing.T) {
	b := newBench(t, someone(1, "Ana Ruiz"), someone(2, "Bo Tran"), someone(3, "Cy Diaz")).closed()
	// The feed changes behind its own numbers, as no store may.
	b.feed.last[pid(1)].File.Provider.Practice.Focus = []string{"trauma"}
	delete(b.feed.last, pid(2))
	b.feed.last[pid(4)] = directory.Change{Seq: 2, Provider: pid(4), File: someone(4, "Di Moss")}
	r, s := b.inspect()
	if d := cmp.Diff(AuditReport{Checked: 3, Missing: numbered(4), Extra: numbered(2), Changed: numbered(1)}, r); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	if s.State != "damaged" || s.Documents != 3 {
		t.Errorf("status %+v", s)
	}
}

func TestInspectBehind(t *testing.T) {
	b := newBench(t, corpus(5, 20)...).closed()
	b.feed.put(someone(3, "Ana Ruiz")) // held, and changed
	b.feed.put(someone(99, "Bo Tran"))
	b.feed.drop(pid(7))
	r, s := b.inspect()
	if d := cmp.Diff(AuditReport{Checked: 18}, r); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	if s != (Status{State: "ready", Mapping: mappingVersion, Cursor: 20, Documents: 20, Head: 23, Behind: 3}) {
		t.Errorf("status %+v", s)
	}
	b.feed.mu.Lock()
	b.feed.last = map[directory.ID]directory.Change{}
	b.feed.mu.Unlock()
	if r, _ := b.inspect(); len(r.Extra) != 20 {
		t.Errorf("%d extra when the feed has nobody, want 20", len(r.Extra))
	}
}

// Neither a later nor an earlier clock makes a difference of what the index holds, and opened with it the
// index is written again where it must be, and not built anew.
func TestInspectAndAdoptWithAnotherClock(t *testing.T) {
	for _, shift := range []time.Duration{-400 * 24 * time.Hour, -3 * 24 * time.Hour, 3 * 24 * time.Hour, 400 * 24 * time.Hour} {
		t.Run(shift.String(), func(t *testing.T) {
			b := newBench(t, append(corpus(5, 60), someone(61, "Ana Ruiz", in("Boulder", "CO"), licensed("CSW", "1", "2026-11-18")))...)
			before := b.document(61).hash
			b.closed()
			b.now = noon.Add(shift)
			r, s := b.inspect()
			if !r.OK() || r.Checked == 0 || s.State != "ready" || s.Behind != 0 {
				t.Errorf("inspected: %+v, %+v", r, s)
			}
			path := filepath.Dir(b.files("index_meta.json")[0])
			if r := b.reopen(); r.Plain {
				t.Error("the index is not adopted")
			}
			if got := filepath.Dir(b.files("index_meta.json")[0]); got != path {
				t.Errorf("the index was built anew: %s, then %s", path, got)
			}
			if shift != -3*24*time.Hour && b.document(61).hash == before {
				t.Error("the clock makes no difference to the document: the test tests nothing")
			}
			if r, err := b.x.Audit(context.Background()); err != nil || !r.OK() {
				t.Errorf("audit: %+v, %v", r, err)
			}
			if r, _ := b.closed().inspect(); !r.OK() {
				t.Errorf("inspected after adopting: %+v", r)
			}
		})
	}
}

// A document that the feed never gave is not taken for one of another moment.
func TestAdoptRefusesOtherContent(t *testing.T) {
	b := newBench(t, someone(1, "Ana Ruiz"), someone(2, "Bo Tran")).closed()
	b.feed.last[pid(1)].File.Provider.Practice.Focus = []string{"trauma"}
	if r := b.reopen(); !r.Plain {
		t.Error("an index with other content than the feed is adopted")
	}
}

package crawler

import (
	"archive/zip"
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/flate"

	"kapdir/crawler/nppestest"
	"kapdir/directory"
)

var nppesMB = flag.Int("nppes.mb", 32, "megabytes of the NPPES file that the benchmarks make, read and delete")

// nppesOnDisk makes the file, and with packed a zip of it, and reads it once so that it is in memory.
func nppesOnDisk(b *testing.B, packed bool) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "npidata_pfile_20050523-20261108.csv")
	if packed {
		path = filepath.Join(b.TempDir(), "nppes.zip")
	}
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var w io.Writer = f
	var z *zip.Writer
	if packed {
		z = zip.NewWriter(f)
		z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) })
		if w, err = z.Create("npidata_pfile_20050523-20261108.csv"); err != nil {
			b.Fatal(err)
		}
	}
	if _, _, err := nppestest.File(w, int64(*nppesMB)<<20, 0.06); err != nil {
		b.Fatal(err)
	}
	if z != nil {
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
	}
	return path
}

// filterPass is the pass that tells the rows to be read from the others.
func filterPass(b *testing.B, path string) int {
	b.Helper()
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	f := file{name: filepath.Base(path), size: st.Size(), path: path, open: func() (io.ReadCloser, error) { return os.Open(path) }}
	if _, err := nppesMain.open(&f); err != nil {
		b.Fatal(err)
	}
	_, names, done, err := openRows(f, ',')
	if err != nil {
		b.Fatal(err)
	}
	done()
	l, err := nppesLayout(f.name, names)
	if err != nil {
		b.Fatal(err)
	}
	t := l.table(f)
	if err := t.survey(context.Background(), nil, func(int64) {}); err != nil {
		b.Fatal(err)
	}
	outside := 0
	for _, n := range t.outside {
		outside += *n
	}
	if t.size == 0 || outside == 0 {
		b.Fatal(t.size, outside)
	}
	return t.size + outside
}

// against measures what against a bare reading of the same bytes, one after the other, and reports how
// fast it is against that: 1 is as fast.
func against(b *testing.B, bytes int64, what, bare func()) {
	b.Helper()
	bare()
	var ours, theirs, cpu time.Duration
	for b.Loop() {
		start := time.Now()
		bare()
		middle, before := time.Now(), processor()
		what()
		theirs += middle.Sub(start)
		ours += time.Since(middle)
		cpu += processor() - before
	}
	mb := float64(bytes) * float64(b.N) / 1e6
	b.ReportMetric(mb/ours.Seconds(), "MB/s")
	b.ReportMetric(cpu.Seconds()*1000/mb, "cpu-s/GB")
	b.ReportMetric(mb/theirs.Seconds(), "bare-MB/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "of-bare")
	b.ReportMetric(0, "ns/op")
}

// processor is the time of the processor that this process has had, which other work on the machine does not stretch
// as it does the clock's.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkNPPESHash is the hash of the bytes alone against wc -l: what an import of bytes that were imported before costs.
func BenchmarkNPPESHash(b *testing.B) {
	path := nppesOnDisk(b, false)
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	src, _ := Find("nppes")
	sink := &discard{}
	sink.already = true
	sink.held = directory.Held{Found: true, Already: true, Newest: directory.Run{Release: directory.Release{Size: st.Size()}}}
	against(b, st.Size(), func() {
		if run, err := Run(context.Background(), src, Input{Path: path}, sink, Options{Now: day}); err != nil || !run.Already {
			b.Fatal(err, run)
		}
	}, func() {
		if err := exec.Command("wc", "-l", path).Run(); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkNPPESFilter is the filter pass over a plain file against wc -l of the same file.
func BenchmarkNPPESFilter(b *testing.B) {
	path := nppesOnDisk(b, false)
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	against(b, st.Size(), func() { filterPass(b, path) }, func() {
		if err := exec.Command("wc", "-l", path).Run(); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkNPPESZip is the filter pass over the publisher's zip against a bare inflate that counts lines.
func BenchmarkNPPESZip(b *testing.B) {
	path := nppesOnDisk(b, true)
	var total int64
	against(b, int64(*nppesMB)<<20, func() { filterPass(b, path) }, func() {
		z, err := zip.OpenReader(path)
		if err != nil {
			b.Fatal(err)
		}
		defer z.Close()
		z.RegisterDecompressor(zip.Deflate, flate.NewReader)
		r, err := z.File[0].Open()
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		lines, buf := 0, make([]byte, 256<<10)
		for {
			n, err := r.Read(buf)
			lines += bytes.Count(buf[:n], []byte{'\n'})
			total += int64(n)
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkNPPESRead is the import up to the store, with the hash of the bytes, against wc -l.
func BenchmarkNPPESRead(b *testing.B) {
	path := nppesOnDisk(b, false)
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	src, _ := Find("nppes")
	against(b, st.Size(), func() {
		if _, err := Run(context.Background(), src, Input{Path: path}, &discard{}, Options{Now: day}); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if err := exec.Command("wc", "-l", path).Run(); err != nil {
			b.Fatal(err)
		}
	})
}

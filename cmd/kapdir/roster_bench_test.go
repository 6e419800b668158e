package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kapdir/crawler"
	"kapdir/directory"
	"kapdir/directory/store"
)

var rosterRows = flag.Int("roster.rows", 0, "rows of the register of BenchmarkRoster, in place of 20,000; the real one of Colorado has 1,600,000")

// writeRoster makes a register of Colorado of which every fourth row is of a type that is read, and every
// hundredth of those a second row of its licence.
func writeRoster(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "roster_20261109.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "lastname,firstname,middlename,suffix,entityname,city,state,mailzipcode,licensetype,subcategory,licensenumber,licensefirstissuedate,licenselastreneweddate,licenseexpirationdate,licensestatusdescription,specialty,title,degrees,casenumber,programaction,disciplineeffectivedate,disciplinecompletedate,linktoverifylicense,linktoviewhealthcareprofile")
	families := []string{"OKAFOR", "QUILLFEATHER", "VALE", "ASHGROVE", "THOLE", "BENAVIDES", "STADLER"}
	kinds := []string{"LPC", "CSW", "MFT", "DR"}
	for i := range n {
		kind, number, cases := "COS", i, ""
		switch {
		case i%400 == 4: // the licence of four rows before
			kind, number, cases = kinds[(i-4)/4%4], i-4, "2019-"+fmt.Sprint(i)
		case i%4 == 0:
			kind = kinds[i/4%4]
		}
		action := ""
		if cases != "" {
			action = "Letter of Admonition"
		}
		fmt.Fprintf(w, "%s%d,MAYA%d,N,,,BOULDER,CO,80302,%s,,%09d,03/01/2015,09/01/2025,08/31/2027,Active,,,,%s,%s,,,https://register.example/PrintLicenseDetails.aspx?cred=%d,\n",
			families[i%7], number%5000, number%300, kind, number+1, cases, action, number)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return path
}

// bareRoster reads the file with encoding/csv and writes the rows that are kept with one prepared statement,
// 10,000 a transaction, into a table with the key of a record and no other index.
func bareRoster(b *testing.B, path string) (took, read spent, kept int) {
	b.Helper()
	fail := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate&_pragma=cache_size(-32000)")
	fail(err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.Exec(`CREATE TABLE bare (key TEXT NOT NULL PRIMARY KEY` + columnsOfRoster + `)`)
	fail(err)
	each := func(row func([]string)) {
		f, err := os.Open(path)
		fail(err)
		defer f.Close()
		r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
		r.ReuseRecord = true
		for {
			fields, err := r.Read()
			if err == io.EOF {
				return
			}
			fail(err)
			row(fields)
		}
	}
	read.add(func() { each(func([]string) {}) })
	var tx *sql.Tx
	var insert *sql.Stmt
	args := make([]any, 25)
	took.add(func() {
		each(func(fields []string) {
			switch fields[8] {
			case "LPC", "CSW", "MFT", "DR":
			default:
				return
			}
			if tx == nil {
				tx, err = db.Begin()
				fail(err)
				insert, err = tx.Prepare(`INSERT OR REPLACE INTO bare VALUES (?` + strings.Repeat(", ?", 24) + `)`)
				fail(err)
			}
			args[0] = fields[8] + fields[10]
			for i, v := range fields {
				args[i+1] = v
			}
			_, err := insert.Exec(args...)
			fail(err)
			if kept++; kept%10000 == 0 {
				fail(tx.Commit())
				tx = nil
			}
		})
		if tx != nil {
			fail(tx.Commit())
		}
	})
	return took, read, kept
}

var columnsOfRoster = func() string {
	var s strings.Builder
	for i := range 24 {
		fmt.Fprintf(&s, ", c%d TEXT NOT NULL", i)
	}
	return s.String()
}()

// nowhere is a sink that keeps nothing: what is left is the crawler's own time.
type nowhere struct{ crawler.Sink }

func (nowhere) Held(context.Context, directory.Release) (directory.Held, error) {
	return directory.Held{}, nil
}

func (nowhere) Begin(_ context.Context, rel directory.Release) (directory.Run, error) {
	return directory.Run{ID: "run_1", Release: rel}, nil
}

func (nowhere) Put(context.Context, directory.ID, directory.Batch) (directory.Counts, error) {
	return directory.Counts{}, nil
}

func (nowhere) End(_ context.Context, _ directory.ID, failure error) (directory.Run, error) {
	return directory.Run{}, failure
}

// BenchmarkRoster imports a register through the crawler into a real store, then a newer release with the same
// rows and one more, and compares the times with a bare reading and inserting of the rows kept, in the same
// run: ratio is of the import, cpu-ratio of the processor's seconds, and newer of the newer release to the first.
// The crawler's own share is told by a sink that keeps nothing. With -roster.rows 1600000 it takes minutes.
func BenchmarkRoster(b *testing.B) {
	n := *rosterRows
	if n == 0 {
		n = 20000
	}
	path := writeRoster(b, n)
	later := oneMore(b, path, "roster_20261116.csv")
	src, _ := crawler.Find("co-dora")
	opts := crawler.Options{Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }}
	var own, first, newer, bare, read spent
	peak := uint64(0)
	for b.Loop() {
		own.add(func() {
			if _, err := crawler.Run(b.Context(), src, crawler.InputAt(path, nil), nowhere{}, opts); err != nil {
				b.Fatal(err)
			}
		})
		st, err := store.Open(b.Context(), store.Config{Dir: b.TempDir(), Now: opts.Now})
		if err != nil {
			b.Fatal(err)
		}
		var run directory.Run
		done := heapPeak(&peak)
		first.add(func() { run, err = crawler.Run(b.Context(), src, crawler.InputAt(path, nil), st, opts) })
		if err != nil || run.Counts.Read == 0 {
			b.Fatal(err, run.Counts)
		}
		newer.add(func() {
			next, err := crawler.Run(b.Context(), src, crawler.InputAt(later, nil), st, opts)
			if err != nil || next.Counts.Unchanged < run.Counts.Added-1 || next.Counts.Read != run.Counts.Read+1 {
				b.Fatal(err, next.Counts, run.Counts)
			}
		})
		done()
		st.Close()
		took, alone, kept := bareRoster(b, path)
		if kept < run.Counts.Added || run.Counts.Added == 0 {
			b.Fatalf("%d rows bare, %+v", kept, run.Counts)
		}
		bare, read = bare.plus(took), read.plus(alone)
	}
	own.report(b, "crawler")
	first.report(b, "import")
	newer.report(b, "newer")
	bare.report(b, "bare")
	read.report(b, "csv")
	first.ratios(b, bare, newer)
	b.ReportMetric(float64(peak>>20), "MB-heap")
}

// oneMore writes a newer release of a file: the same rows in the same order, and the last one again under another
// number.
func oneMore(b *testing.B, path, name string) string {
	b.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text[len(text)-min(len(text), 4096):])), "\n")
	last := strings.Replace(lines[len(lines)-1], "0", "9", 1)
	path = filepath.Join(b.TempDir(), name)
	if err := os.WriteFile(path, append(text, last+"\n"...), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// spent is the time that something took, by the clock and of the processor.
type spent struct{ wall, cpu time.Duration }

func (s spent) plus(x spent) spent { return spent{s.wall + x.wall, s.cpu + x.cpu} }

func (s *spent) add(what func()) {
	start, begun := time.Now(), processor()
	what()
	*s = s.plus(spent{time.Since(start), processor() - begun})
}

// processor is the time of the processor that this process has had.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (s spent) report(b *testing.B, what string) {
	b.ReportMetric(s.wall.Seconds()/float64(b.N), "s/"+what)
	b.ReportMetric(s.cpu.Seconds()/float64(b.N), "cpu-s/"+what)
}

// ratios compares a first import with bare reading and inserting, and a newer release with the first.
func (s spent) ratios(b *testing.B, bare, newer spent) {
	b.ReportMetric(s.wall.Seconds()/bare.wall.Seconds(), "ratio")
	b.ReportMetric(s.cpu.Seconds()/bare.cpu.Seconds(), "cpu-ratio")
	b.ReportMetric(newer.wall.Seconds()/s.wall.Seconds(), "newer")
	b.ReportMetric(newer.cpu.Seconds()/s.cpu.Seconds(), "cpu-newer")
	b.ReportMetric(0, "ns/op")
}

// heapPeak watches the heap until the function that it returns is called.
func heapPeak(peak *uint64) func() {
	var stop atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var m runtime.MemStats
		for !stop.Load() {
			runtime.ReadMemStats(&m)
			*peak = max(*peak, m.HeapInuse)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return func() { stop.Store(true); <-ended }
}

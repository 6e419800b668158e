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
func bareRoster(b *testing.B, path string) (took, read time.Duration, kept int) {
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
	each := func(row func([]string)) time.Duration {
		start := time.Now()
		f, err := os.Open(path)
		fail(err)
		defer f.Close()
		r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
		r.ReuseRecord = true
		for {
			fields, err := r.Read()
			if err == io.EOF {
				return time.Since(start)
			}
			fail(err)
			row(fields)
		}
	}
	read = each(func([]string) {})
	var tx *sql.Tx
	var insert *sql.Stmt
	args := make([]any, 25)
	took = each(func(fields []string) {
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
		start := time.Now()
		fail(tx.Commit())
		took += time.Since(start)
	}
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

// BenchmarkRoster imports a register through the crawler into a real store, and compares the time with a
// bare reading and inserting of the rows kept, in the same run. With -roster.rows 1600000 it takes minutes.
func BenchmarkRoster(b *testing.B) {
	n := *rosterRows
	if n == 0 {
		n = 20000
	}
	path := writeRoster(b, n)
	src, _ := crawler.Find("co-dora")
	opts := crawler.Options{Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }}
	var whole, own, bare, read time.Duration
	peak := uint64(0)
	for b.Loop() {
		start := time.Now()
		done := heapPeak(&peak)
		if _, err := crawler.Run(b.Context(), src, crawler.InputAt(path, nil), nowhere{}, opts); err != nil {
			b.Fatal(err)
		}
		done()
		own += time.Since(start)
		st, err := store.Open(b.Context(), store.Config{Dir: b.TempDir(), Now: opts.Now})
		if err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		done = heapPeak(&peak)
		run, err := crawler.Run(b.Context(), src, crawler.InputAt(path, nil), st, opts)
		done()
		if err != nil || run.Counts.Read == 0 {
			b.Fatal(err, run.Counts)
		}
		whole += time.Since(start)
		st.Close()
		took, alone, kept := bareRoster(b, path)
		if kept < run.Counts.Added || run.Counts.Added == 0 {
			b.Fatalf("%d rows bare, %+v", kept, run.Counts)
		}
		bare, read = bare+took, read+alone
	}
	per := func(d time.Duration) float64 { return d.Seconds() / float64(b.N) }
	b.ReportMetric(per(whole), "s/import")
	b.ReportMetric(per(own), "s/crawler")
	b.ReportMetric(per(bare), "s/bare")
	b.ReportMetric(per(read), "s/csv")
	b.ReportMetric(whole.Seconds()/bare.Seconds(), "ratio")
	b.ReportMetric(float64(peak>>20), "MB-heap")
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

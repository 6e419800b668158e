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
	"strings"
	"testing"
	"time"

	"kapdir/crawler"
	"kapdir/directory"
	"kapdir/directory/store"
)

var leieRows = flag.Int("leie.rows", 10000, "rows of the list of BenchmarkLEIE; the real one has 84,000")

// writeLEIE makes a list in which every tenth row has an NPI and every thirtieth is a business, as in the real one.
func writeLEIE(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "UPDATED.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "LASTNAME,FIRSTNAME,MIDNAME,BUSNAME,GENERAL,SPECIALTY,UPIN,NPI,DOB,ADDRESS,CITY,STATE,ZIP,EXCLTYPE,EXCLDATE,REINDATE,WAIVERDATE,WVRSTATE")
	families := []string{"QUILLFEATHER", "ASHGROVE", "OKAFOR", "VALE-STADLER", "MOORE III", "THOLE", "BENAVIDES"}
	for i := range n {
		last, first, business, born, npi := fmt.Sprint(families[i%7], i%5000), fmt.Sprint("ROWAN", i%900), "", fmt.Sprintf("19%02d%02d%02d", 30+i%60, 1+i%12, 1+i%28), "0000000000"
		if i%30 == 0 {
			last, first, business, born = "", "", fmt.Sprint("#", i, " SAMPLE SERVICE, INC"), ""
		}
		if i%10 == 0 {
			npi = checked(200000000 + i)
		}
		fmt.Fprintf(w, `"%s","%s","T","%s","IND- LIC HC SERV PRO","NURSE/NURSES AIDE","","%s","%s","%d NOWHERE ROAD","DENVER","CO","80203","1128b4","%d%02d%02d","00000000","00000000",""`+"\n",
			last, first, business, npi, born, i, 1990+i%36, 1+i%12, 1+i%28)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return path
}

// checked writes nine digits with the check digit that makes them an NPI.
func checked(nine int) string {
	for d := range 10 {
		if n, err := directory.ParseNPI(fmt.Sprintf("%d%d", nine, d)); err == nil {
			return string(n)
		}
	}
	return ""
}

// bareLEIE reads the file with encoding/csv and writes its rows with one prepared statement, 10,000 a
// transaction, into a table with a key and no other index, under the settings of the store.
func bareLEIE(b *testing.B, path string) (took, read spent) {
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
	_, err = db.Exec(`CREATE TABLE bare (key TEXT NOT NULL PRIMARY KEY, ` + strings.Join(strings.Split("abcdefghijklmnopqr", ""), ", ") + `)`)
	fail(err)
	each := func(row func(int, []string)) {
		f, err := os.Open(path)
		fail(err)
		defer f.Close()
		r := csv.NewReader(bufio.NewReaderSize(f, 1<<20))
		r.ReuseRecord = true
		_, err = r.Read()
		fail(err)
		for n := 0; ; n++ {
			fields, err := r.Read()
			if err == io.EOF {
				return
			}
			fail(err)
			row(n, fields)
		}
	}
	read.add(func() { each(func(int, []string) {}) })
	var tx *sql.Tx
	var insert *sql.Stmt
	args := make([]any, 19)
	took.add(func() {
		each(func(n int, fields []string) {
			if n%10000 == 0 {
				if tx != nil {
					fail(tx.Commit())
				}
				tx, err = db.Begin()
				fail(err)
				insert, err = tx.Prepare(`INSERT OR REPLACE INTO bare VALUES (?` + strings.Repeat(", ?", 18) + `)`)
				fail(err)
			}
			args[0] = fields[0] + fields[1] + fields[3] + fields[7] + fields[8] + fields[14]
			for i, v := range fields {
				args[i+1] = v
			}
			_, err = insert.Exec(args...)
			fail(err)
		})
		fail(tx.Commit())
	})
	return took, read
}

// stopwatch is a store that says when the last row was in it: from then on it screens.
type stopwatch struct {
	*store.Store
	stored time.Time
	cpu    time.Duration
}

func (s *stopwatch) End(ctx context.Context, run directory.ID, failure error) (directory.Run, error) {
	s.stored, s.cpu = time.Now(), processor()
	return s.Store.End(ctx, run, failure)
}

// BenchmarkLEIE imports an exclusion list through the crawler into a real store, then a newer release with the same
// rows and one more, and compares the time until the rows are stored with a bare reading and inserting of the
// same file, in the same run. Screening, which follows, is told apart; here it has nobody to compare.
func BenchmarkLEIE(b *testing.B) {
	path := writeLEIE(b, *leieRows)
	later := oneMore(b, path, "UPDATED.csv")
	src, _ := crawler.Find("leie")
	opts := crawler.Options{Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }}
	var own, first, newer, screened, bare, read spent
	for b.Loop() {
		opts.AsOf = "2026-11-10"
		own.add(func() {
			if _, err := crawler.Run(b.Context(), src, crawler.InputAt(path, nil), nowhere{}, opts); err != nil {
				b.Fatal(err)
			}
		})
		st, err := store.Open(b.Context(), store.Config{Dir: b.TempDir(), Now: opts.Now})
		if err != nil {
			b.Fatal(err)
		}
		watch := &stopwatch{Store: st}
		load := func(path string) (run directory.Run, until spent) {
			start, begun := time.Now(), processor()
			run, err := crawler.Run(b.Context(), src, crawler.InputAt(path, nil), watch, opts)
			if err != nil {
				b.Fatal(err)
			}
			screened = screened.plus(spent{time.Since(watch.stored), processor() - watch.cpu})
			return run, spent{watch.stored.Sub(start), watch.cpu - begun}
		}
		run, until := load(path)
		if run.Counts.Added < *leieRows*9/10 {
			b.Fatal(run.Counts)
		}
		first = first.plus(until)
		opts.AsOf = "2026-11-11"
		next, until := load(later)
		if next.Counts.Unchanged < run.Counts.Added-1 || next.Counts.Read != run.Counts.Read+1 {
			b.Fatal(next.Counts, run.Counts)
		}
		newer = newer.plus(until)
		st.Close()
		took, alone := bareLEIE(b, path)
		bare, read = bare.plus(took), read.plus(alone)
	}
	own.report(b, "crawler")
	first.report(b, "stored")
	newer.report(b, "newer")
	screened.report(b, "screened")
	bare.report(b, "bare")
	read.report(b, "csv")
	first.ratios(b, bare, newer)
}

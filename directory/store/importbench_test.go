package store

import (
	"bufio"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kapdir/directory"
)

var importRows = flag.Int("import.rows", 0, "rows of each file of BenchmarkImport, in place of 5,000; 1 takes the sizes of life: 84,000 exclusions, 1,600,000 licences, 560,000 identities")

// source is a file in the shape of a real source, with what is read of a row of it.
type source struct {
	id     string
	real   int // rows in life
	header string
	row    func(i int, name string) []string
	record func(row []string, fields map[string]string) directory.Record
}

// listedNames are the names of the first providers that populate lists.
var listedNames = sync.OnceValue(func() []string {
	name := names(1)
	out := make([]string, 1000)
	for i := range out {
		out[i] = name()
	}
	return out
})

func twoWords(s string) (first, last string) {
	first, last, _ = strings.Cut(s, " ")
	return first, last
}

var sources = []source{
	{"leie", 84000, "LASTNAME,FIRSTNAME,MIDNAME,BUSNAME,GENERAL,SPECIALTY,UPIN,NPI,ADDRESS,CITY,STATE,ZIP,EXCLTYPE,EXCLDATE,REINDATE,WAIVERDATE,WVRSTATE",
		func(i int, name string) []string {
			first, last := twoWords(name)
			npi := "0000000000"
			if i%20 == 0 {
				npi = string(providerNPI(5000000 + i))
			}
			return []string{strings.ToUpper(last), strings.ToUpper(first), "", "", "INDIVIDUAL (UNAFFILI", "NURSE/NURSES AIDE", "", npi, fmt.Sprint(i, " MAIN ST"), "DENVER", "CO", "80202",
				"1128b4", "20200101", "00000000", "00000000", ""}
		},
		func(row []string, fields map[string]string) directory.Record {
			e := &directory.ExclusionRecord{Name: directory.Name{Given: row[1], Family: row[0]}, City: row[9], State: "CO", ZIP: row[11], Specialty: row[5], Authority: row[12], Excluded: "2020-01-01"}
			if row[7] != "0000000000" {
				e.NPI = directory.NPI(row[7])
			}
			return directory.Record{Key: row[0] + "|" + row[1] + "|" + row[8], Exclusion: e}
		}},
	{"co-dora", 1600000, "Last Name,First Name,Middle Name,Suffix,Entity Name,City,State,Mail Zip Code,License Type,License Number,License First Issue Date,License Expiration Date,License Status Description,Link",
		func(i int, name string) []string {
			if i%4 == 0 && i/4 < len(listedNames()) {
				name = listedNames()[i/4]
			}
			first, last := twoWords(name)
			kind := []string{"LPC", "CSW", "MFT", "RN"}[i%4]
			return []string{last, first, "Lynn", "", "", "Denver", "CO", "80202", kind, fmt.Sprintf("%08d", i/4+1), "01/15/2010", "08/31/2027", "Active",
				fmt.Sprintf("https://apps2.colorado.gov/dora/licensing/lookup/licenselookup.aspx?docExternal=%d", i)}
		},
		func(row []string, fields map[string]string) directory.Record {
			number := row[8] + "." + row[9]
			return directory.Record{Key: number, Licence: &directory.LicenceRecord{State: "CO", BoardType: row[8], Number: directory.ParseLicenceNumber(number),
				Name: directory.Name{Given: row[1], Middle: row[2], Family: row[0]}, Words: row[12], Standing: directory.SeenActive, Issued: "2010-01-15", Expires: "2027-08-31",
				City: row[5], ZIP: row[7], Link: row[13]}}
		}},
	{"nppes", 560000, "NPI,Entity Type Code,Provider Last Name,Provider First Name,Provider Middle Name,Practice Line 1,Practice City,Practice State,Practice ZIP,Practice Telephone,Enumeration Date,Last Update Date,Taxonomy Code_1,License Number_1,License State_1,Primary_1",
		func(i int, name string) []string {
			first, last := twoWords(name)
			return []string{string(providerNPI(5000000 + i)), "1", last, first, "L", fmt.Sprint(i, " MAIN ST"), "DENVER", "CO", "802021234", "3035550142", "05/23/2006", "07/08/2020", "101YP2500X",
				fmt.Sprintf("LPC.%07d", 9000000-i), "CO", "Y"}
		},
		func(row []string, fields map[string]string) directory.Record {
			return directory.Record{Key: row[0], Identity: &directory.IdentityRecord{NPI: directory.NPI(row[0]), Kind: directory.Person,
				Name:       directory.Name{Given: row[3], Middle: row[4], Family: row[2]},
				Taxonomies: []directory.Taxonomy{{Code: row[12], Licence: directory.ParseLicenceNumber(row[13]), State: "CO", Primary: true}},
				Practice:   &directory.Site{Address: directory.Address{Line1: row[5], City: row[6], State: "CO", ZIP: row[8]}, Phone: row[9]}, Enumerated: "2006-05-23", Updated: "2020-07-08"}}
		}},
}

// write makes the file.
func (x source) write(b *testing.B, n int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), x.id+".csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buf := bufio.NewWriterSize(f, 1<<20)
	w := csv.NewWriter(buf)
	name := names(7)
	fail := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	fail(w.Write(strings.Split(x.header, ",")))
	for i := range n {
		fail(w.Write(x.row(i, name())))
	}
	w.Flush()
	fail(w.Error())
	fail(buf.Flush())
	return path
}

// each reads the file as encoding/csv does.
func (x source) each(b *testing.B, path string, f func(line int, row []string)) {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	r := csv.NewReader(bufio.NewReaderSize(file, 1<<20))
	for line := 0; ; line++ {
		row, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		if line > 0 {
			f(line, row)
		}
	}
}

// bare reads the file and writes the same columns with one prepared statement into a table with the key
// of a record and no other index, 10,000 rows a transaction.
func (x source) bare(b *testing.B, path string) time.Duration {
	b.Helper()
	d := sqliteDialect{b.TempDir()}
	db, read, err := d.open()
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	defer read.Close()
	fail := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	columns := strings.Count(x.header, ",") + 1
	list := ""
	for i := range columns {
		list += fmt.Sprintf(", c%d TEXT NOT NULL", i)
	}
	_, err = db.Exec(`CREATE TABLE bare (source TEXT NOT NULL, key TEXT NOT NULL` + list + `, PRIMARY KEY (source, key))`)
	fail(err)
	start := time.Now()
	var tx *sql.Tx
	var insert *sql.Stmt
	args := make([]any, columns+2)
	x.each(b, path, func(line int, row []string) {
		if tx == nil {
			tx, err = db.Begin()
			fail(err)
			insert, err = tx.Prepare(`INSERT INTO bare VALUES (?, ?` + strings.Repeat(", ?", columns) + `)`)
			fail(err)
		}
		args[0], args[1] = x.id, x.key(row)
		for i, v := range row {
			args[i+2] = v
		}
		_, err := insert.Exec(args...)
		fail(err)
		if line%10000 == 0 {
			fail(tx.Commit())
			tx = nil
		}
	})
	if tx != nil {
		fail(tx.Commit())
	}
	return time.Since(start)
}

func (x source) key(row []string) string { return x.record(row, nil).Key }

// load imports the file; read is the time that it takes to make records of it.
func (x source) load(b *testing.B, s *Store, path, release string) (directory.Run, time.Duration) {
	b.Helper()
	start := time.Now()
	run, err := s.Begin(ctx, x.release(b, path, release))
	if err != nil {
		b.Fatal(err)
	}
	if run.Already {
		return run, time.Since(start)
	}
	header := strings.Split(x.header, ",")
	batch := make([]directory.Record, 0, 500)
	put := func() {
		if _, err := s.Put(ctx, run.ID, directory.Batch{Records: batch}); err != nil {
			b.Fatal(err)
		}
		batch = batch[:0]
	}
	x.each(b, path, func(line int, row []string) {
		var print [16]byte
		sum := sha256.Sum256([]byte(strings.Join(row, "\x00")))
		copy(print[:], sum[:])
		if s.Carried(run.ID, print, line) {
			return
		}
		fields := make(map[string]string, len(row))
		for i, v := range row {
			if v != "" {
				fields[header[i]] = v
			}
		}
		rec := x.record(row, fields)
		rec.Source, rec.Line, rec.Fields, rec.Fingerprint = x.id, line, fields, print
		if batch = append(batch, rec); len(batch) == cap(batch) {
			put()
		}
	})
	put()
	if run, err = s.End(ctx, run.ID, nil); err != nil {
		b.Fatal(err)
	}
	return run, time.Since(start)
}

// release names the file by its bytes, as an import does before it begins.
func (x source) release(b *testing.B, path, name string) directory.Release {
	b.Helper()
	rel := edition(x.id, name, "2026-10-31")
	rel.SHA256 = hash(b, path)
	if strings.HasPrefix(name, "next") {
		rel.SHA256 = rel.SHA256[1:] + "0" // another file of the same rows
	}
	return rel
}

func hash(b *testing.B, path string) string {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		b.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// BenchmarkImport measures an import against the least that anybody could do with the file, side by side:
// the first release against reading it with encoding/csv and writing its rows with a bare prepared
// statement; the same bytes against hashing them; and a newer release of the same rows against the first.
// The store lists a provider for every 200 rows, at most 1,000; every one has a licence in the roster.
// Ratios of processor time beside those of time: the one does not see fsync, the other sees who else is busy.
func BenchmarkImport(b *testing.B) {
	for _, x := range sources {
		b.Run(x.id, func(b *testing.B) {
			n := 5000
			switch {
			case *importRows == 1:
				n = x.real
			case *importRows > 0:
				n = *importRows
			}
			path := x.write(b, n)
			for b.Loop() {
				b.StopTimer()
				s := open(b, Config{Dir: b.TempDir()})
				populate(b, s, min(1000, n/200)) // one in 200 rows may speak of somebody
				c0 := cpuTime(b)
				before := x.bare(b, path)
				bareCPU := cpuTime(b) - c0
				spent(b) // the peak begins anew
				c0 = cpuTime(b)
				b.StartTimer()
				run, first := x.load(b, s, path, "1")
				b.StopTimer()
				firstCPU := cpuTime(b) - c0
				peak := spent(b).peak
				after := x.bare(b, path)
				bare := (before + after) / 2
				again, same := x.load(b, s, path, "1")
				if !again.Already {
					b.Error("the same bytes were imported again")
				}
				start := time.Now()
				hash(b, path)
				hashing := time.Since(start)
				c0 = cpuTime(b)
				next, newer := x.load(b, s, path, "next")
				newerCPU := cpuTime(b) - c0
				b.ReportMetric(firstCPU.Seconds()/bareCPU.Seconds(), "first/bare-CPU")
				b.ReportMetric(newerCPU.Seconds()/firstCPU.Seconds(), "newer/first-CPU")
				b.Logf("%d rows; bare %v and %v; first %v (CPU %v, peak %d MB, %d matched, %d events); same bytes %v, hashing %v; newer release %v (%d unchanged, %d events); load %s", n, before, after, first,
					firstCPU, peak>>20, run.Matched, run.Events, same, hashing, newer, next.Counts.Unchanged, next.Events, loadAverage())
				b.ReportMetric(first.Seconds()/bare.Seconds(), "first/bare")
				b.ReportMetric(same.Seconds()/hashing.Seconds(), "same/hash")
				b.ReportMetric(newer.Seconds()/first.Seconds(), "newer/first")
				b.StartTimer()
			}
		})
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkAlike measures how an import of listings grows when thousands of names sound alike and differ in
// a letter or two, and how much longer it takes than one of names that do not.
func BenchmarkAlike(b *testing.B) {
	run := func(n int, who func(i int) string) time.Duration {
		s := open(b, Config{Dir: b.TempDir()})
		records := make([]directory.Record, n)
		for i := range records {
			records[i] = listing(fmt.Sprintf("p%06d", i), who(i), func(l *directory.Listing) {
				l.Sites = []directory.Site{denver(fmt.Sprintf("(303) 555-%04d", i%10000))}
			})
		}
		start := time.Now()
		put(b, s, edition("kap-commons", "1", "2026-11-20"), records)
		return time.Since(start)
	}
	n := 500
	if *importRows > 1 {
		n = *importRows
	}
	plain := func(i int) string { return given(i) + " " + family(i) }
	for _, x := range []struct {
		name string
		who  func(i int) string
	}{
		{"numbered", func(i int) string { return fmt.Sprint("Person Example", i) }},
		{"sound", func(i int) string {
			return "Pat Ra" + strings.Repeat("n", 1+i%3) + "d" + string("aeiou"[i/3%5]) + strings.Repeat("l", 1+i/15%3) + string("aeiou"[i/45%5]) + "n"
		}},
		{"same", func(int) string { return "Pat Example" }},
	} {
		b.Run(x.name, func(b *testing.B) {
			for b.Loop() {
				half, whole, other := run(n/2, x.who), run(n, x.who), run(n, plain)
				b.Logf("%d in %v, %d in %v; of other names %v; load %s", n/2, half, n, whole, other, loadAverage())
				b.ReportMetric(whole.Seconds()/half.Seconds(), "whole/half")
				b.ReportMetric(whole.Seconds()/other.Seconds(), "alike/other")
			}
		})
	}
}

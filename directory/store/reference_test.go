package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

func TestReferences(t *testing.T) {
	for _, x := range []struct {
		name string
		test func(*testing.T, Config)
	}{
		{"carried", testCarried},
		{"the same rows again", testSameRows},
		{"another reading", testReading},
		{"sparse pages", testSparse},
		{"damage", testDamage},
		{"many releases of changes", testManyChanges},
		{"colliding hashes", testColliding},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Run("sqlite", func(t *testing.T) { x.test(t, Config{Dir: t.TempDir()}) })
			t.Run("postgres", func(t *testing.T) { x.test(t, Config{DSN: storetest.Postgres(t)}) })
		})
	}
	t.Run("as a map", func(t *testing.T) {
		t.Run("sqlite", func(t *testing.T) { testAsMap(t, 25, func(testing.TB) Config { return Config{Dir: t.TempDir()} }) })
		t.Run("postgres", func(t *testing.T) {
			testAsMap(t, 3, func(t testing.TB) Config { return Config{DSN: storetest.Postgres(t)} })
		})
	})
}

// seen gives the record the print of bytes that say just what it does.
func seen(r directory.Record) directory.Record {
	sum := sha256.Sum256([]byte(fmt.Sprint(r.Key, r.Fields)))
	copy(r.Fingerprint[:], sum[:])
	return r
}

// carrying imports a release as a reader does that asks first whether a row is carried. It returns how many were.
func carrying(s *Store, rel directory.Release, records ...directory.Record) (run directory.Run, carried int, err error) {
	if run, err = s.Begin(ctx, rel); err != nil || run.Already {
		return run, 0, err
	}
	var batch directory.Batch
	told := directory.Counts{}
	for i, r := range records {
		r = seen(r)
		r.Source, r.Line = rel.Source, i+1
		if s.Carried(run.ID, r.Fingerprint, r.Line) {
			carried++
			continue
		}
		if batch.Records = append(batch.Records, r); len(batch.Records) == 3 {
			c, err := s.Put(ctx, run.ID, batch)
			if err != nil {
				return run, carried, err
			}
			told.Add(c)
			batch = directory.Batch{}
		}
	}
	c, err := s.Put(ctx, run.ID, batch)
	if err != nil {
		return run, carried, err
	}
	told.Add(c)
	run, err = s.End(ctx, run.ID, nil)
	if told.Removed = run.Counts.Removed; err == nil && told != run.Counts {
		err = fmt.Errorf("Put told of %+v and the run holds %+v", told, run.Counts)
	}
	return run, carried, err
}

func lpc(number int, who, words string) directory.Record {
	return roster("LPC", fmt.Sprint(number), who, words, directory.SeenActive, "2027-08-31")
}

// observedIn lists the releases of a source in which a provider's licence was observed.
func observedIn(t testing.TB, s *Store, who, source string) (out []string) {
	t.Helper()
	for _, h := range find(t, s, who).Claims {
		for _, e := range h.Events {
			if h.Claim.Kind == directory.License && e.Type == directory.Observe && e.Body.Source == source {
				out = append(out, e.Body.Release)
			}
		}
	}
	return out
}

// testCarried takes rows by the bytes they stood in: none that speaks of somebody, and none twice under two
// contents. Who arrives meanwhile is compared with those that had gone by.
func testCarried(t *testing.T, c Config) {
	s, other := open(t, c), open(t, c)
	s.long = 0
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben()) // licence LPC 5551
	rows := []directory.Record{lpc(1, "Far Away", "Active"), lpc(2, "Long Gone", "Active"), lpc(5551, "Ben Carter", "Active"), lpc(4, "Al So", "Active")}
	run, n, err := carrying(s, edition("co-dora", "1", "2026-11-01"), rows...)
	if err != nil || n != 0 || run.Counts.Added != 4 {
		t.Fatalf("the first release: %d carried, %+v, %v", n, run.Counts, err)
	}
	run, n, err = carrying(s, edition("co-dora", "2", "2026-11-02"), rows...)
	if err != nil || n != 3 || run.Counts.Unchanged != 4 || run.Matched != 1 {
		t.Errorf("the same rows: %d carried, %+v, %v", n, run, err)
	}
	if got := observedIn(t, s, "Ben Carter", "co-dora"); !slices.Contains(got, "2") {
		t.Errorf("who is matched was observed in %v", got)
	}
	changed := lpc(2, "Long Gone", "Inactive")
	run, n, err = carrying(s, edition("co-dora", "3", "2026-11-03"), rows[3], rows[0], changed, rows[1], rows[0], lpc(7, "New Comer", "Active"))
	if err != nil || n != 4 || run.Counts.Unchanged != 3 || run.Counts.Changed != 1 || run.Counts.Rejected != 1 || run.Counts.Added != 1 || run.Counts.Removed != 1 {
		t.Errorf("a changed row, twice: %d carried, %+v, %v", n, run.Counts, err)
	}
	if x := must(s.Rejects(ctx, run.ID, 10)); len(x) != 1 || x[0].Line != 4 || !strings.Contains(x[0].Reason, "line 3") {
		t.Errorf("rejects %+v", x)
	}
	// Somebody comes to row 4 after it was carried, in another process.
	begun := must(s.Begin(ctx, edition("co-dora", "4", "2026-11-04")))
	for i, r := range []directory.Record{rows[3], rows[0], changed} {
		if !s.Carried(begun.ID, seen(r).Fingerprint, i+1) {
			t.Errorf("row %d is not carried", i)
		}
	}
	load(t, other, edition("open-clinics", "1", "2026-11-21"), from("open-clinics", listing("al", "Al So, LPC", func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.4")}
	})))
	if run := must(s.End(ctx, begun.ID, nil)); run.Counts.Unchanged != 3 || run.Counts.Removed != 1 {
		t.Errorf("carried alone: %+v", run.Counts)
	}
	if got := observedIn(t, s, "Al So", "co-dora"); !slices.Contains(got, "4") {
		t.Errorf("who arrived after the row was carried was observed in %v", got)
	}
	if s.Carried(begun.ID, seen(rows[0]).Fingerprint, 1) {
		t.Error("a run that has ended carries a row")
	}
	whole(t, s)
}

// pagesOf describes what is written of a source but for the spans.
func pagesOf(t *testing.T, s *Store, source string) string {
	t.Helper()
	var out strings.Builder
	for _, q := range []string{`SELECT number, body FROM reference_page WHERE source = '` + source + `' ORDER BY number`,
		`SELECT i.segment, i.body FROM reference_index i JOIN reference_segment g ON g.segment = i.segment WHERE g.source = '` + source + `' ORDER BY i.segment, i.first`} {
		rows, err := s.reader.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var n int64
			var body []byte
			if err := rows.Scan(&n, &body); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "%d %x\n", n, sha256.Sum256(body))
		}
	}
	return out.String()
}

// testSameRows imports the same rows in a newer release: nothing of them is written again, and lines move.
func testSameRows(t *testing.T, c Config) {
	s := open(t, c)
	var rows []directory.Record
	for i := range 300 {
		rows = append(rows, lpc(1000+i, fmt.Sprint("Somebody ", letters(i, "Mar", "Ric")), "Active"))
	}
	load(t, s, edition("co-dora", "1", "2026-11-01"), slices.Clone(rows)...)
	before := pagesOf(t, s, "co-dora")
	for i := range rows {
		rows[i].Line = i + 7
	}
	run := load(t, s, edition("co-dora", "2", "2026-11-02"), slices.Clone(rows)...)
	if run.Counts.Unchanged != 300 || run.Counts.Removed != 0 {
		t.Errorf("%+v", run.Counts)
	}
	if got := pagesOf(t, s, "co-dora"); got != before || before == "" {
		t.Errorf("rows or index were written again:\n%s\n%s", before, got)
	}
	r := must(mustRead(t, s).recordsOf("co-dora", []string{"LPC-1299"}))
	if len(r) != 1 || r[0].line != 306 || r[0].run != run.Number || r[0].release != "2" {
		t.Errorf("the last row: %+v", r)
	}
	if held := must(s.Counts(ctx)).Records; held != 300 {
		t.Errorf("%d records", held)
	}
	whole(t, s)
	// A failure leaves the release in force as it is.
	begun := must(s.Begin(ctx, edition("co-dora", "3", "2026-11-03")))
	x := lpc(1, "New Comer", "Active")
	x.Source, x.Line = "co-dora", 1
	must(s.Put(ctx, begun.ID, directory.Batch{Records: []directory.Record{x}}))
	if _, err := s.End(ctx, begun.ID, errors.New("torn")); err != nil {
		t.Fatal(err)
	}
	if r := must(mustRead(t, s).recordsOf("co-dora", []string{"LPC-1", "LPC-1000"})); len(r) != 1 || r[0].key != "LPC-1000" {
		t.Errorf("after a failure: %+v", r)
	}
	whole(t, s)
}

// testReading opens the store with another program: what it holds is read anew once.
func testReading(t *testing.T, c Config) {
	c.Tool = directory.Actor{Kind: directory.Tool, ID: "kapdir", Version: "1"}
	rows := []directory.Record{lpc(1, "Far Away", "Active"), lpc(2, "Long Gone", "Active")}
	s := open(t, c)
	_, _, err := carrying(s, edition("co-dora", "1", "2026-11-01"), rows...)
	if err != nil {
		t.Fatal(err)
	}
	before := pagesOf(t, s, "co-dora")
	s.Close()
	c.Tool.Version = "2"
	s = open(t, c)
	for i, want := range []int{0, 2} {
		run, n, err := carrying(s, edition("co-dora", fmt.Sprint("2.", i), "2026-11-02"), rows...)
		if err != nil || n != want || run.Counts.Unchanged != 2 || run.Counts.Removed != 0 {
			t.Errorf("%d carried, want %d: %+v, %v", n, want, run.Counts, err)
		}
	}
	if after := pagesOf(t, s, "co-dora"); strings.Count(after, "\n") != strings.Count(before, "\n") || after == before {
		t.Errorf("pages before\n%sand after\n%s", before, after)
	}
	// Bytes that are to be read again are.
	rel := edition("co-dora", "2.1", "2026-11-02")
	rel.Again = true
	if run, n, err := carrying(s, rel, rows...); err != nil || n != 0 || run.Counts.Unchanged != 2 {
		t.Errorf("again: %d carried, %+v, %v", n, run.Counts, err)
	}
	whole(t, s)
}

// testSparse lets nearly all rows of many releases go: the pages that held them go too.
func testSparse(t *testing.T, c Config) {
	s := open(t, c)
	stays := lpc(1, "Far Away", "Active")
	for i := range 12 {
		rows := []directory.Record{stays}
		for j := range 200 {
			rows = append(rows, lpc(1000*(i+1)+j, "Some Body", "Active"))
		}
		rows = append(rows, lpc(900000+i, "Stays On", "Active"))
		for k := range i {
			rows = append(rows, lpc(900000+k, "Stays On", "Active"))
		}
		load(t, s, edition("co-dora", fmt.Sprint(i), "2026-11-01", fmt.Sprint(i)), rows...)
	}
	var pages int
	if err := s.reader.QueryRow(`SELECT count(*) FROM reference_page`).Scan(&pages); err != nil || pages > 8 {
		t.Errorf("213 rows lie on %d pages, %v", pages, err)
	}
	if n := must(s.Counts(ctx)).Records; n != 213 {
		t.Errorf("%d records", n)
	}
	if segments := must(mustRead(t, s).segmentsOf("co-dora")); len(segments) > mostSegments+1 {
		t.Errorf("%d segments", len(segments))
	}
	whole(t, s)
}

// testManyChanges imports one release of changes after another: they add up, and their indexes are merged.
func testManyChanges(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), dan())
	load(t, s, edition("leie", "0", "2026-10-01"), exclusion("x", "Far Away", ""), exclusion("y", "Daniel Poole", danNPI))
	for i := range 25 {
		rel := edition("leie", fmt.Sprint(i+1), "2026-10-01", fmt.Sprint(i))
		rel.Partial = true
		load(t, s, rel, exclusion(fmt.Sprint("k", i), "Some Body", ""), exclusion("x", fmt.Sprint("Far Away ", i), ""))
	}
	tx := mustRead(t, s)
	r := must(tx.recordsOf("leie", []string{"x", "k0", "k24", "k25"}))
	if len(r) != 3 || r[slices.IndexFunc(r, func(r *row) bool { return r.key == "x" })].record.Fields["name"] != "Far Away 24" {
		t.Errorf("%d rows", len(r))
	}
	if n := must(s.Counts(ctx)).Records; n != 28 { // and a listing
		t.Errorf("%d records", n)
	}
	if segments := must(tx.segmentsOf("leie")); len(segments) > mostSegments+1 {
		t.Errorf("%d segments", len(segments))
	}
	whole(t, s)
}

// testDamage flips a bit of whatever is packed, and takes the index away: fsck finds it and says what helps, nobody is told that something
// was not found, and an import with --again heals it.
func testDamage(t *testing.T, c Config) {
	s := open(t, c)
	rows := []directory.Record{lpc(5551, "Ben Carter", "Active"), lpc(2, "Long Gone", "Active")}
	load(t, s, edition("co-dora", "1", "2026-11-01"), slices.Clone(rows)...)
	for i, x := range []struct{ table, column string }{{"reference_page", "body"}, {"reference_page", "heads"}, {"reference_span", "body"},
		{"reference_index", "body"}, {"reference_segment", "filter"}, {"reference_index", "missing"}, {"reference_span", "missing"}} {
		whole(t, s)
		var body []byte
		column := strings.Replace(x.column, "missing", "body", 1)
		if err := s.reader.QueryRow(`SELECT ` + column + ` FROM ` + x.table).Scan(&body); err != nil {
			t.Fatal(err)
		}
		body[len(body)/2] ^= 4
		q, args := `UPDATE `+x.table+` SET `+x.column+` = $1`, []any{body}
		if x.column == "missing" {
			q, args = `DELETE FROM `+x.table, nil
		}
		if _, err := s.writer.Exec(q, args...); err != nil {
			t.Fatal(err)
		}
		s.Close()
		s = open(t, c)
		report, err := s.Fsck(ctx, nil)
		if err == nil && (len(report.Faults) == 0 || !strings.Contains(report.Faults[0].Detail, "--again")) || err != nil && !strings.Contains(err.Error(), "--again") {
			t.Errorf("%s.%s: %v, %v", x.table, x.column, report.Faults, err)
		}
		if x.column != "heads" { // by which nobody is looked up
			if r, err := mustRead(t, s).rowsUnder(lpc(5551, "", "").Subject().Blocks(), ""); err == nil {
				t.Errorf("%s.%s: %d rows and no error", x.table, x.column, len(r))
			}
		}
		rel := edition("co-dora", "1", "2026-11-01")
		rel.Again = true
		if _, err := loadErr(s, rel, slices.Clone(rows)...); err != nil {
			t.Errorf("%s.%s: read again: %v", x.table, x.column, err)
			return
		}
		if r := must(mustRead(t, s).rowsUnder(lpc(5551, "", "").Subject().Blocks(), "")); len(r) != 1 {
			t.Errorf("%d: %d rows after it was read again", i, len(r))
		}
	}
	whole(t, s)
}

// collide makes hashes collide by leaving them so many values.
func collide(values uint64) (restore func()) {
	was := hash64
	hash64 = func(s string) uint64 { return was(s) % values }
	return func() { hash64 = was }
}

// testColliding gives all that is looked up one of two hashes.
func testColliding(t *testing.T, c Config) {
	defer collide(2)()
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ben(), dan())
	rows := []directory.Record{lpc(5551, "Ben Carter", "Active"), lpc(2, "Long Gone", "Active"), lpc(3, "Far Away", "Active")}
	if run := load(t, s, edition("co-dora", "1", "2026-11-01"), slices.Clone(rows)...); run.Counts.Added != 3 || run.Matched != 1 {
		t.Errorf("%+v", run)
	}
	run := load(t, s, edition("co-dora", "2", "2026-11-02"), rows[0], lpc(2, "Long Gone", "Inactive"), rows[2], lpc(9, "New Comer", "Active"))
	if run.Counts.Unchanged != 2 || run.Counts.Changed != 1 || run.Counts.Added != 1 {
		t.Errorf("%+v", run.Counts)
	}
	if got := must(mustRead(t, s).recordsOf("co-dora", []string{"LPC-2", "LPC-4"})); len(got) != 1 || got[0].record.Licence.Words != "Inactive" {
		t.Errorf("%+v", got)
	}
	load(t, s, edition("leie", "1", "2026-11-10"), exclusion("x", "Far Away", ""), exclusion("y", "Daniel Poole", danNPI))
	if st := standing(t, s, find(t, s, "Ben Carter"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusVerified {
		t.Errorf("Ben %q", st.Status)
	}
	if st := standing(t, s, find(t, s, "Dan Poole"), directory.ExclusionScreen, "leie"); st.Status != directory.StatusUnderReview {
		t.Errorf("Dan %q", st.Status)
	}
	whole(t, s)
}

// testAsMap draws sequences of whole releases, releases of changes, crashes after any transaction, failures and
// arrivals, also in the midst of a run and in another process: the store holds what a map would, each row is found
// by its key and under its blocks, and whoever has arrived was observed of the row that is in force.
func testAsMap(t *testing.T, checks int, fresh func(testing.TB) Config) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(fmt.Sprint(checks))
		defer f.Value.Set(f.DefValue)
	}
	type kept struct {
		content string
		line    int
		release string
	}
	rapid.Check(t, func(r *rapid.T) {
		if rapid.Bool().Draw(r, "collide") {
			defer collide(rapid.Uint64Range(1, 5).Draw(r, "hashes"))()
		}
		c := fresh(t)
		if c.DSN == "" {
			dir, err := os.MkdirTemp("", "kapdir-map-")
			if err != nil {
				r.Fatal(err)
			}
			defer os.RemoveAll(dir)
			c.Dir = dir
		}
		c.Now = newClock().now
		long := rapid.SampledFrom([]int{-1, 0}).Draw(r, "long")
		reopen := func() *Store {
			s, err := Open(ctx, c)
			if err != nil {
				r.Fatal(err)
			}
			s.first, s.most, s.long = 2, 3, long
			return s
		}
		s, other := reopen(), reopen()
		defer func() { s.Close(); other.Close() }()
		model := map[string]kept{}
		arrived := map[string]bool{}
		arrive := func(number int) {
			who := fmt.Sprintf("Pat %s, LPC", letters(number, "Mar", "Ric"))
			if arrived[fmt.Sprint(number)] {
				return
			}
			arrived[fmt.Sprint(number)] = true
			_, err := loadErr(other, edition("kap-commons", fmt.Sprint("a", number), "2026-11-20"), listing(fmt.Sprint("p", number), who, func(l *directory.Listing) {
				l.Licences = []directory.ListedLicence{licence("CO", "LPC", fmt.Sprint("LPC.", 100+number))}
			}))
			if err != nil {
				r.Fatal(err)
			}
		}
		check := func() {
			var held int
			err := s.read(ctx, "check", func(x *tx) error {
				return x.eachStanding("co-dora", func(p *packedPage, rows []entered) error {
					for _, at := range rows {
						row, err := p.unpack("co-dora", at)
						if err != nil {
							return err
						}
						held++
						run, _, err := x.runOne(`WHERE number = $1`, row.run)
						if err != nil {
							return err
						}
						if got := (kept{row.record.Licence.Words, row.line, run.Release.Name}); model[row.key] != got {
							r.Fatalf("%s is %+v, want %+v", row.key, got, model[row.key])
						}
						row.ready()
						for _, b := range append(row.blocks, keyName(row.key)) {
							found, err := x.packed("co-dora", []uint64{hash64(b)}, func(o *row_) bool { return o.key == row.key })
							if err != nil || len(found) != 1 {
								r.Fatalf("%s is found %d times under %s, %v", row.key, len(found), b, err)
							}
						}
					}
					return nil
				})
			})
			if err != nil {
				r.Fatal(err)
			}
			if held != len(model) {
				r.Fatalf("%d rows, want %d", held, len(model))
			}
			for number := range arrived {
				n := 0
				fmt.Sscan(number, &n)
				row, ok := model[fmt.Sprint("LPC-", 100+n)]
				if got := observedIn(t, s, "Pat "+letters(n, "Mar", "Ric"), "co-dora"); ok && !slices.Contains(got, row.release) {
					r.Fatalf("who has LPC-%d was observed in %v and not in %s", 100+n, got, row.release)
				}
			}
			if f, err := s.Fsck(ctx, nil); err != nil || len(f.Faults) > 0 {
				r.Fatalf("fsck: %v %v", f.Faults, err)
			}
		}
		for i := range rapid.IntRange(2, 7).Draw(r, "steps") {
			if rapid.IntRange(0, 4).Draw(r, "arrival") == 0 {
				arrive(rapid.IntRange(0, 7).Draw(r, "who"))
			}
			rel := edition("co-dora", fmt.Sprint(i), "2026-11-01", fmt.Sprint(i))
			rel.Partial = len(model) > 0 && rapid.IntRange(0, 2).Draw(r, "partial") == 0
			next := map[string]kept{}
			var rows []directory.Record
			for _, n := range rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}).Draw(r, "rows")[:rapid.IntRange(1, 10).Draw(r, "n")] {
				kind := []string{"LPC", "CSW"}[n/8]
				words := []string{"Active", "Active", "Expired"}[rapid.IntRange(0, 2).Draw(r, "content")]
				x := roster(kind, fmt.Sprint(100+n), "Pat "+letters(n, "Mar", "Ric"), words, directory.SeenActive, "2027-08-31")
				rows = append(rows, x)
				next[x.Key] = kept{words, len(rows), rel.Name}
			}
			for key, old := range model {
				part := strings.HasPrefix(key, "LPC")
				came := slices.ContainsFunc(rows, func(x directory.Record) bool { return strings.HasPrefix(x.Key, "LPC") == part })
				if _, again := next[key]; !again && (rel.Partial || !came) {
					next[key] = old
				}
			}
			commits, dies, comes := 0, rapid.IntRange(-8, 16).Draw(r, "dies after"), rapid.IntRange(-3, 8).Draw(r, "comes after")
			who := rapid.IntRange(0, 7).Draw(r, "who comes")
			fails := rapid.IntRange(0, 6).Draw(r, "fails") == 0
			s.afterCommit = func() {
				commits++
				if commits == comes {
					arrive(who)
				}
				if commits == dies {
					panic("killed")
				}
			}
			func() {
				defer func() {
					switch p := recover(); p {
					case nil:
					case "killed":
						s.Close()
						s = reopen()
					default:
						panic(p)
					}
				}()
				var err error
				if fails {
					var run directory.Run
					if run, err = s.Begin(ctx, rel); err == nil {
						for i := range rows {
							rows[i].Source, rows[i].Line = rel.Source, i+1
						}
						if _, err = s.Put(ctx, run.ID, directory.Batch{Records: rows}); err == nil {
							_, err = s.End(ctx, run.ID, errors.New("torn"))
						}
					}
				} else {
					_, _, err = carrying(s, rel, rows...)
				}
				if err != nil {
					r.Fatal(err)
				}
			}()
			s.afterCommit = nil
			var newest directory.Run
			if err := s.read(context.Background(), "newest", func(x *tx) (err error) {
				newest, _, err = x.inForce("co-dora")
				return err
			}); err != nil {
				r.Fatal(err)
			}
			if newest.Release.Name == rel.Name { // else what was in force is
				model = next
			}
			check()
		}
	})
}

type row_ = row // where a variable has its name

// FuzzPacked reads what is packed out of any bytes, as if their sum were right.
func FuzzPacked(f *testing.F) {
	b := &pageBuilder{number: 1}
	for _, rec := range []directory.Record{lpc(1, "Far Away", "Active"), exclusion("x", "Far Away", anaNPI), identity(anaNPI, "Ana Ruiz", "Ana Gomez")} {
		r, err := prepare(rec, directory.Release{Source: rec.Source}, 1)
		if err != nil {
			f.Fatal(err)
		}
		b.add(r)
	}
	for _, sealed := range [][]byte{b.body(), appendHeads(7, b.heads), appendSpan([]entered{{1, 2, 3}, {9, 1, 3}})} {
		plain, err := unseal(sealed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain)
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		sealed := seal(plain)
		if p, err := readPage(sealed); err == nil {
			for i := range p.rows {
				if rec, err := p.record(i); err == nil {
					if key, err := p.key(i); err != nil || key != rec.Key {
						t.Errorf("the key is %q and was %q, %v", rec.Key, key, err)
					}
				}
			}
			_, _ = p.record(len(p.rows))
		}
		_, _, _ = readHeads(sealed)
		_, _ = readSpan(sealed)
		if list, err := readEntries(sealed); err == nil && list.len() > 0 {
			list.of(list.at(0).hash)
		}
		_, _ = readBloom(sealed)
		if _, err := unseal(plain); err == nil && len(plain) < 4 {
			t.Error("bytes too short are read")
		}
	})
}

// TestEntriesOfAHash looks every hash of a page up, those beside it, and hashes that are spread unevenly.
func TestEntriesOfAHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hashes := rapid.SliceOfN(rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 50), rapid.Uint64Range(1<<64-50, 1<<64-1)), 0, 400).Draw(t, "hashes")
		slices.Sort(hashes)
		var entries []indexEntry
		want := map[uint64][]uint32{}
		for i, h := range hashes {
			entries = append(entries, indexEntry{h, uint32(i)})
			want[h] = append(want[h], uint32(i))
		}
		page, err := readEntries(appendEntries(entries))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range append(hashes, 0, 1<<64-1, rapid.Uint64().Draw(t, "other")) {
			for _, x := range []uint64{h - 1, h, h + 1} {
				if got := page.of(x); !slices.Equal(got, want[x]) {
					t.Fatalf("%d: %v, want %v", x, got, want[x])
				}
			}
		}
	})
}

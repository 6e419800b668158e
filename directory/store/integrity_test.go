package store

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kapdir/directory"
)

// A released migration is never edited: add a new file. Only a file that no release carries yet may
// change its hash here.
var releasedMigrations = map[string]string{
	"migrations/00001_tables.sql":               "9d9c9e1f7e7dc6104b6743429e5016a51a258873b36e3a03fc3d5d40499331ea",
	"migrations/00005_verification.sql":         "b4fb5e5084b41f803a32fcd3f180ebc0f1e4d203eb7c75a4aae1fcb7f23dd6eb",
	"migrations/sqlite/00002_append_only.sql":   "3620fac655b186ee45c726e1b3bc2927bb1bdb01aff2a70419b4ba274e2be1d7",
	"migrations/postgres/00002_append_only.sql": "e09c2ebe8fd23aa4d32a5d0d4717005130b48546f228d26b56e9a57a62e87556",
}

func TestMigrationsArePinned(t *testing.T) {
	got := map[string]string{}
	err := fs.WalkDir(migrationFiles, "migrations", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := migrationFiles.ReadFile(path)
		h := sha256.Sum256(b)
		got[path] = hex.EncodeToString(h[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(releasedMigrations, got); d != "" {
		t.Errorf("migrations (-released +now):\n%s", d)
	}
}

// edit changes rows behind the program's back, in a transaction that is the caller's to end.
func edit(t *testing.T, s *Store, query string, args ...any) *tx {
	t.Helper()
	in, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Rollback() })
	drop := []string{`DROP TRIGGER event_no_update`, `DROP TRIGGER event_no_delete`, `DROP TRIGGER event_payload_no_update`, `DROP TRIGGER evidence_no_update`,
		`DROP TRIGGER evidence_no_delete`}
	if s.config.DSN != "" {
		drop = []string{`ALTER TABLE event DISABLE TRIGGER USER`, `ALTER TABLE event_payload DISABLE TRIGGER USER`, `ALTER TABLE evidence DISABLE TRIGGER USER`}
	}
	x := &tx{ctx, in}
	for _, q := range drop {
		if _, err := x.exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := x.exec(query, args...); err != nil || n == 0 {
		t.Fatalf("%s: %d rows, %v", query, n, err)
	}
	return x
}

func testTampering(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana())
	whole(t, s)
	const third = `(SELECT seq FROM event ORDER BY seq LIMIT 1 OFFSET 2)`
	for _, x := range []struct{ name, query, table string }{
		{"payload", `UPDATE event_payload SET payload = replace(payload, 'listing', 'source') WHERE seq = ` + third, "event_payload"},
		{"salt", `UPDATE event_payload SET salt = (SELECT salt FROM event_payload WHERE seq <> ` + third + ` LIMIT 1) WHERE seq = ` + third, "event_payload"},
		{"hash", `UPDATE event SET hash = '` + strings.Repeat("0", 64) + `' WHERE seq = ` + third, "event"},
		{"hash of no length", `UPDATE event SET hash = '' WHERE seq = ` + third, "event"},
		{"commitment", `UPDATE event SET commitment = '` + strings.Repeat("0", 64) + `' WHERE seq = ` + third, "event"},
		{"claim column", `UPDATE event_payload SET claim = 'clm_other' WHERE seq = ` + third, "event_payload"},
		{"missing event", `DELETE FROM event WHERE seq = ` + third, "event"},
		{"missing payload", `DELETE FROM event_payload WHERE seq = ` + third, "event_payload"},
		{"missing last event", `DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)`, "event"},
		{"evidence body", `UPDATE evidence SET body = body || ' '`, "evidence"},
		{"evidence class", `UPDATE evidence SET class = 'source'`, "evidence"},
		{"missing evidence", `DELETE FROM evidence`, "event_payload"},
		{"missing claim", `DELETE FROM claim WHERE id = (SELECT claim FROM event_payload WHERE seq = ` + third + `)`, "event_payload"},
		{"missing change", `DELETE FROM change WHERE seq = (SELECT min(seq) FROM change)`, "event"},
		{"provider's facts", `UPDATE provider SET doc = replace(doc, 'Ruiz', 'Reyes')`, "provider"},
		{"provider's number", `UPDATE provider SET seq = seq + 1`, "provider"},
		{"listing", `UPDATE source_record SET doc = replace(doc, 'Denver', 'Dover')`, "provider"},
		{"head", `UPDATE head SET seq = seq - 1`, "head"},
		{"public head", `UPDATE head SET public_seq = public_seq - 1`, "head"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r, err := s.fsck(edit(t, s, x.query), func(done, total int) {
				if done > total {
					t.Errorf("progress %d of %d", done, total)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Faults) == 0 || r.Faults[0].Table != x.table || r.Faults[0].Row == "" {
				t.Errorf("found %v, want the first in %s", r.Faults, x.table)
			}
		})
	}
	whole(t, s)
}

// step is one import.
type step struct {
	rel     directory.Release
	records func() []directory.Record
}

func history() []step {
	return []step{
		{edition("kap-commons", "1", "2026-11-20"), func() []directory.Record { return []directory.Record{ana(), ben(), cara(), dan(), clinic()} }},
		{edition("nppes", "2026-11", "2026-11-08"), func() []directory.Record {
			return []directory.Record{identity(anaNPI, "Ana Ruiz", "Ana Gomez"), identity(danNPI, "Daniel Poole"), identity("1010101018", "Un Listed")}
		}},
		{edition("co-dora", "1", "2026-11-01"), func() []directory.Record {
			return []directory.Record{roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31"),
				roster("LPC", "5551", "Ben Carter", "Active", directory.SeenActive, "2027-08-31"),
				roster("DR", "45678", "Maria Lopez", "Suspended", directory.SeenSuspended, "2027-04-30"),
				roster("PSY", "9", "Cara Smith", "Revoked", directory.SeenRevoked, "")}
		}},
		{edition("leie", "2026-10", "2026-10-31"), func() []directory.Record {
			return []directory.Record{exclusion("a", "Dan Poole", danNPI), exclusion("c", "Cara Smith", ""), exclusion("x", "Far Away", "")}
		}},
		{edition("open-clinics", "1", "2026-11-21"), func() []directory.Record {
			return []directory.Record{maria(), from("open-clinics", listing("dan2", "Daniel Poole", func(l *directory.Listing) {
				l.NPI, l.Website = danNPI, "https://dan.example/"
			}))}
		}},
		{edition("co-dora", "2", "2026-11-08"), func() []directory.Record {
			return []directory.Record{roster("CSW", "12345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31"),
				roster("LPC", "5551", "Ben Carter", "Revoked", directory.SeenRevoked, "2027-08-31"),
				roster("DR", "45678", "Maria Lopez", "Suspended", directory.SeenSuspended, "2027-04-30")}
		}},
		{edition("leie", "2026-11", "2026-11-20"), func() []directory.Record {
			return []directory.Record{exclusion("c", "Cara Smith", ""), exclusion("g", "Ana Gomez", anaNPI), exclusion("x", "Far Away", "")}
		}},
	}
}

// testCrashes ends the program after each transaction in turn, and does everything again from the start:
// the store must come to hold just what it holds when nothing goes wrong.
func testCrashes(t *testing.T, fresh func(testing.TB) Config) {
	small := func(c Config) *Store {
		s := open(t, c)
		s.first, s.most = 2, 2
		return s
	}
	commits := 0
	s := small(fresh(t))
	s.afterCommit = func() { commits++ }
	for _, x := range history() {
		load(t, s, x.rel, x.records()...)
	}
	whole(t, s)
	want := dump(t, s)
	every := 1
	if s.config.DSN != "" {
		every = 6 // a database for each takes its time
	}
	s.Close()
	if commits < 20 {
		t.Errorf("only %d transactions", commits)
	}
	for k := 1; k <= commits; k += every {
		c := fresh(t)
		s := small(c)
		n := 0
		s.afterCommit = func() {
			if n++; n == k {
				panic("killed")
			}
		}
		func() {
			defer func() {
				if r := recover(); r != nil && r != "killed" {
					panic(r)
				}
			}()
			for _, x := range history() {
				load(t, s, x.rel, x.records()...)
			}
		}()
		s.Close()
		s = small(c)
		whole(t, s)
		for _, x := range history() {
			load(t, s, x.rel, x.records()...)
		}
		whole(t, s)
		if got := dump(t, s); got != want {
			t.Errorf("killed after transaction %d (-without +with):\n%s", k, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
		}
		s.Close()
		if t.Failed() {
			return
		}
	}
}

// testAnyOrder begins, fills and ends the imports in any order and interleaving: the answers are the same.
func testAnyOrder(t *testing.T, fresh func(testing.TB) Config) {
	steps := history()[:5] // one release of each source
	answers := func(s *Store) string {
		var out []string
		err := s.EachFile(ctx, func(f *directory.CredentialFile) error {
			out = append(out, f.Provider.DisplayName()+"\n"+publicChecks(t, s, f))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sort.Strings(out)
		return strings.Join(out, "\n")
	}
	s := open(t, fresh(t))
	for _, x := range steps {
		load(t, s, x.rel, x.records()...)
	}
	want := answers(s)
	isPostgres := s.config.DSN != ""
	s.Close()
	checks := "40"
	if isPostgres {
		checks = "5"
	}
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(checks)
		defer f.Value.Set(f.DefValue)
	}
	rapid.Check(t, func(r *rapid.T) {
		c := Config{Now: newClock().now}
		if isPostgres {
			c.DSN = fresh(t).DSN
		} else {
			dir, err := os.MkdirTemp("", "kapdir-order-")
			if err != nil {
				r.Fatal(err)
			}
			defer os.RemoveAll(dir)
			c.Dir = dir
		}
		s, err := Open(ctx, c)
		if err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		s.first, s.most = 2, 2
		interleave(r, s, steps)
		if got := answers(s); got != want {
			r.Fatalf("answers (-in order +in this order):\n%s", cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
		}
		if f, err := s.Fsck(ctx, nil); err != nil || len(f.Faults) > 0 {
			r.Fatalf("fsck: %v %v", f.Faults, err)
		}
	})
}

// interleave carries out the imports, each in its own order, mixed as r draws.
func interleave(r *rapid.T, s *Store, steps []step) {
	type job struct {
		step
		run     directory.Run
		records []directory.Record
	}
	var jobs []*job
	for _, x := range steps {
		j := &job{step: x, records: rapid.Permutation(x.records()).Draw(r, x.rel.Source)}
		for i := range j.records {
			j.records[i].Source = x.rel.Source
			if j.records[i].Listing == nil {
				j.records[i].Line = i + 1
			}
		}
		jobs = append(jobs, j)
	}
	var said []string
	for len(jobs) > 0 {
		i := rapid.IntRange(0, len(jobs)-1).Draw(r, "next")
		j := jobs[i]
		var err error
		switch {
		case j.run.ID == "":
			j.run, err = s.Begin(ctx, j.rel)
			said = append(said, "begin "+j.rel.Source)
		case len(j.records) > 0:
			n := rapid.IntRange(1, len(j.records)).Draw(r, "rows")
			_, err = s.Put(ctx, j.run.ID, directory.Batch{Records: j.records[:n]})
			said = append(said, fmt.Sprint("put ", j.rel.Source, " ", n))
			j.records = j.records[n:]
		default:
			_, err = s.End(ctx, j.run.ID, nil)
			said = append(said, "end "+j.rel.Source)
			jobs = slices.Delete(jobs, i, i+1)
		}
		if err != nil {
			r.Fatalf("%s: %v", strings.Join(said, ", "), err)
		}
	}
	r.Logf("%s", strings.Join(said, ", "))
}

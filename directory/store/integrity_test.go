package store

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
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
	"migrations/00003_standing.sql":             "19068dc6d4be98754081b09f7be59311e14d24e7902b945e675436bc624072fc",
	"migrations/00005_verification.sql":         "b4fb5e5084b41f803a32fcd3f180ebc0f1e4d203eb7c75a4aae1fcb7f23dd6eb",
	"migrations/sqlite/00002_append_only.sql":   "3620fac655b186ee45c726e1b3bc2927bb1bdb01aff2a70419b4ba274e2be1d7",
	"migrations/postgres/00002_append_only.sql": "e09c2ebe8fd23aa4d32a5d0d4717005130b48546f228d26b56e9a57a62e87556",
	"migrations/00004_staff.sql":                "b79d7571d051254c9556f4b329b7a5a3c441a49ca9bd2e9090699dea68489875",
	"migrations/sqlite/00007_staff_trace.sql":   "bd426907e4415079d7ed04a275472a5e617d6b40eb74057b4c4606336919493d",
	"migrations/postgres/00007_staff_trace.sql": "f08784fb54808b68622e16614539a842ce1c78c59e9339888f0399a078def6aa",
	"migrations/sqlite/00010_blocks.sql":        "ba20da0f7b7de675fc2a5c7611035437df70deb98cdef41a705a6dc21ad082c6",
	"migrations/sqlite/00014_ledger.sql":        "441df9f533939018e36dc200f6b4da020a6ed291861c77f55501ef78e16c4490",
	"migrations/sqlite/00009_people.sql":        "1484665d37fab1714d71353805740290e8977e156b9b90c41ca53292fa97ce9e",
	"migrations/postgres/00009_people.sql":      "80f80c1c1b280397ec95b422444fbc8fa48069356e1350ea01b36000fdbe8005",
	"migrations/00008_partial.sql":              "c8ba84108c1724a9ff554443c7600278ef5fc4ded1cbbaffe89860daef1babbb",
	"migrations/00013_references.sql":           "8dbf4d44d8289eeca0995ecc9928dbeeefb47d16998f76f6c5b57d912efa53a5",
	"migrations/00011_partner.sql":              "f057b9233683a1e47a1384d1fab9c883635ab0a6116902aba1e34d433cc3764b",
	"migrations/00012_facts.sql":                "982d4556d4824fc32d08d6219a0c3fdde8a5d79a57ec2503a8ee0d8627b7ddc4",
	"migrations/sqlite/00015_sign_in.sql":       "8ed372793310500da3c60e4fdefea73c60f415e3f6f40b13e89c5e9d42a7ddaa",
	"migrations/postgres/00015_sign_in.sql":     "bd589f1b46747fef8593ec067737e045cffbe6a176582f977bfc7b2aa0a70487",
	"migrations/00006_staff_key.sql":            "aabb8e59a04c99ccf9741b9fad203297249d723031f7729ae1e9d4c30ecebb63",
	"migrations/00018_paper.sql":                "e60820661f6506cbfd67a0606876f1a8b40e79aba329e15c8c2e90456f78e449",
	"migrations/00019_fewer_trees.sql":          "47d796560a61b95b745efccf2fe6fda0b488a852189e9cb0f6fa5a7ee3bd014b",
	"migrations/00020_integrator.sql":           "0f0379075a213e2e8b2e5fbed58ff458af47ef8660f2b5b1c55d3c37596751b6",
	"migrations/00021_notice.sql":               "378d6beb1e39b75f27cf9f1e88378fb130f66b0c886dc40e907f7a9cf7db9c3d",
	"migrations/00024_undated.sql":              "ac774ab74e5c2fa9bdfc7a56b5232a1457022edb09a231249e5f4fb46a37a486",
	"migrations/00028_desk.sql":                 "854da68df70ad86a104dd1877c09a2123eb2244b3b4ee36cba836394dc70b1f2",
	"migrations/00023_stages.sql":               "e7b1baebfee69ddff65d4a0427abca6e29ac093bcea049737d106e137abda602",
	"migrations/00016_queue.sql":                "7bbe387138d8b87d572fa990fc152216c3d90967204f5407eead4c2557476986",
	"migrations/sqlite/00017_queue.sql":         "f0ecc1c190d86ffb444439dcd2a187ebd234f2dd38c35877f36390a4a247082c",
	"migrations/postgres/00017_queue.sql":       "7511fa7a609723ad28a723a880cb5adac9b3f49dd0d630d71bc46b8fea233ddd",
	"migrations/sqlite/00027_ended.sql":         "447f16d8a6db6fff648bc0b47cd2872417d37a09304c4885da0860cbfef4f8a0",
	"migrations/postgres/00027_ended.sql":       "5fd4742f7870e255c37d8ae84c68316ea403034b6ba790cf7a5f2ac2a578644f",
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
func edit(t testing.TB, s *Store, query string, args ...any) *tx {
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
	x := s.in(ctx, in, nil)
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
		{"provider's facts", `UPDATE provider_facts SET doc = replace(doc, 'Ruiz', 'Reyes')`, "provider"},
		{"what a provider is compared by", `UPDATE provider_facts SET subject = replace(subject, 'Ruiz', 'Reyes')`, "provider"},
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

// entry is an event as the two tables hold it.
type entry struct {
	seq                  int64
	commitment, hash     string
	claim, salt, payload string
}

func entries(t testing.TB, s *Store) []entry {
	t.Helper()
	var out []entry
	err := s.read(ctx, "entries", func(x *tx) error {
		return x.each(`SELECT e.seq, e.commitment, e.hash, p.claim, p.salt, p.payload FROM event e JOIN event_payload p ON p.seq = e.seq ORDER BY e.seq`, nil,
			func(r *sql.Rows) error {
				var e entry
				err := r.Scan(&e.seq, &e.commitment, &e.hash, &e.claim, &e.salt, &e.payload)
				out = append(out, e)
				return err
			})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// columns of an event, in their tables.
var columns = []struct {
	table, name string
	of          func(entry) string
}{
	{"event", "commitment", func(e entry) string { return e.commitment }},
	{"event", "hash", func(e entry) string { return e.hash }},
	{"event_payload", "claim", func(e entry) string { return e.claim }},
	{"event_payload", "salt", func(e entry) string { return e.salt }},
	{"event_payload", "payload", func(e entry) string { return e.payload }},
}

// changes of a text; i is any number.
var changes = []struct {
	name string
	make func(v string, i int) string
}{
	{"one character", func(v string, i int) string {
		if v == "" { // an event about the rules speaks of no claim
			return "x"
		}
		b := []byte(v)
		if b[i%len(b)] ^= 1; b[i%len(b)] < ' ' || b[i%len(b)] > '~' {
			b[i%len(b)] = '_'
		}
		return string(b)
	}},
	{"capitals", func(v string, _ int) string { return strings.ToUpper(v) }},
	{"cut short", func(v string, i int) string { return v[:i%max(1, len(v))] }},
	{"a space", func(v string, i int) string { return v[:i%max(1, len(v))] + " " + v[i%max(1, len(v)):] }},
	{"nothing", func(string, int) string { return "" }},
}

// testTamperingAnywhere changes every column of every event in every way, and takes away, moves, copies and
// replaces every event: fsck names the event, or the next, which is bound to it; or of the last one what
// is now the newest.
func testTamperingAnywhere(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), cara())
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("c", "Cara Smith", "")) // the last event is of a name alone
	whole(t, s)
	all := entries(t, s)
	if len(all) < 10 {
		t.Fatalf("only %d events", len(all))
	}
	caught := func(t testing.TB, i int, statements ...string) {
		t.Helper()
		x := edit(t, s, statements[0])
		for _, q := range statements[1:] {
			if _, err := x.exec(q); err != nil {
				t.Fatalf("%s: %v", q, err)
			}
		}
		r, err := s.fsck(x, nil)
		if err := errors.Join(err, x.runner.(*sql.Tx).Rollback()); err != nil {
			t.Fatal(err)
		}
		near := []string{fmt.Sprint(all[i].seq)}
		if i+1 < len(all) {
			near = append(near, fmt.Sprint(all[i+1].seq))
		} else {
			near = append(near, fmt.Sprint(all[i-1].seq))
		}
		if !slices.ContainsFunc(r.Faults, func(f Fault) bool { return strings.HasPrefix(f.Table, "event") && slices.Contains(near, f.Row) }) {
			t.Errorf("event %d, %s: found %v", all[i].seq, statements, r.Faults)
		}
	}
	set := func(table, column, value string, seq int64) string {
		return fmt.Sprintf(`UPDATE %s SET %s = '%s' WHERE seq = %d`, table, column, strings.ReplaceAll(value, "'", "''"), seq)
	}
	for i, e := range all {
		other := all[(i+1)%len(all)]
		for _, col := range columns {
			v := col.of(e)
			for j, ch := range changes {
				if w := ch.make(v, 7*i+3*j); w != v {
					caught(t, i, set(col.table, col.name, w, e.seq))
				}
			}
			if w := col.of(other); w != v {
				caught(t, i, set(col.table, col.name, w, e.seq))
			}
		}
		for _, q := range []string{`DELETE FROM event WHERE seq = %d`, `DELETE FROM event_payload WHERE seq = %d`,
			`UPDATE event SET seq = seq + 100000 WHERE seq = %d`, `UPDATE event_payload SET seq = seq + 100000 WHERE seq = %d`} {
			caught(t, i, fmt.Sprintf(q, e.seq))
		}
		caught(t, i, fmt.Sprintf(`DELETE FROM event WHERE seq = %d`, e.seq), fmt.Sprintf(`DELETE FROM event_payload WHERE seq = %d`, e.seq))
		// The whole row of the next event in place of this one's.
		caught(t, i, set("event", "hash", other.hash, e.seq), set("event", "commitment", other.commitment, e.seq), set("event_payload", "claim", other.claim, e.seq),
			set("event_payload", "salt", other.salt, e.seq), set("event_payload", "payload", other.payload, e.seq))
		// Another payload with its own commitment and hash, as only somebody who knows how the chain is made can write it.
		payload := strings.Replace(e.payload, `"type":"`, `"reason":["X"],"type":"`, 1)
		salt, _ := hex.DecodeString(e.salt)
		previous := genesis
		if i > 0 {
			previous, _ = hex.DecodeString(all[i-1].hash)
		}
		commitment := commit(salt, []byte(payload))
		caught(t, i, set("event_payload", "payload", payload, e.seq), set("event", "commitment", hex.EncodeToString(commitment), e.seq),
			set("event", "hash", hex.EncodeToString(chain(previous, commitment)), e.seq))
		if t.Failed() {
			return
		}
	}
	// A payload under a number that is no event's: nobody may be told what no event says.
	for _, seq := range []string{`(SELECT max(seq) FROM change)`, `1000000`} {
		x := edit(t, s, `INSERT INTO event_payload (seq, claim, salt, payload) SELECT `+seq+`, claim, salt, payload FROM event_payload WHERE seq = (SELECT min(seq) FROM event)`)
		r, err := s.fsck(x, nil)
		if err := errors.Join(err, x.runner.(*sql.Tx).Rollback()); err != nil {
			t.Fatal(err)
		}
		if len(r.Faults) == 0 || r.Faults[0].Table != "event_payload" {
			t.Errorf("a payload without an event: %v", r.Faults)
		}
	}
	checkFew(t, c, func(r *rapid.T) {
		i := rapid.IntRange(0, len(all)-1).Draw(r, "event")
		col := columns[rapid.IntRange(0, len(columns)-1).Draw(r, "column")]
		v := col.of(all[i])
		at := rapid.IntRange(0, max(0, len(v)-1)).Draw(r, "at")
		w := v[:at] + rapid.StringMatching(`[ -~]{0,3}`).Draw(r, "instead") + v[min(len(v), at+rapid.IntRange(0, 3).Draw(r, "of")):]
		if w != v {
			caught(t, i, set(col.table, col.name, w, all[i].seq))
		}
		if t.Failed() {
			r.Fatalf("%q in place of %q", w, v)
		}
	})
	whole(t, s)
}

// testRemoved destroys what an event says. Only a later takedown makes that lawful.
func testRemoved(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara(), ana())
	event := entries(t, s)[0].seq
	err := s.write(ctx, "by hand", func(w *work) error {
		h, err := w.holdOne(find(t, s, "Cara Smith").Provider.ID)
		if err != nil {
			return err
		}
		i := w.claim(h, directory.Claim{Kind: directory.FileClaim})
		w.append(h, i, directory.Event{Type: directory.Takedown, PerformedAt: w.now, Actor: directory.Actor{Kind: directory.Staff, ID: "kim"}}, true)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	all := entries(t, s)
	takedown := all[len(all)-1].seq
	destroy := fmt.Sprintf(`DELETE FROM event_payload WHERE seq = %d`, event)
	anew := `UPDATE provider SET moments = '?'` // what rested on the event is to be computed again
	for _, x := range []struct {
		by    int64 // 0: nobody
		table string
	}{{0, "event_payload"}, {takedown, ""}, {all[1].seq, "removed"}, {takedown + 100, "removed"}} {
		in := edit(t, s, destroy)
		if _, err := in.exec(anew); err != nil {
			t.Fatal(err)
		}
		if x.by > 0 {
			if _, err := in.exec(`INSERT INTO removed (event, takedown) VALUES ($1, $2)`, event, x.by); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.fsck(in, nil)
		if err := errors.Join(err, in.runner.(*sql.Tx).Rollback()); err != nil {
			t.Fatal(err)
		}
		if x.table == "" && len(r.Faults) > 0 || x.table != "" && (len(r.Faults) == 0 || r.Faults[0].Table != x.table) || r.Removed != 1 {
			t.Errorf("by %d: %d removed, %v", x.by, r.Removed, r.Faults)
		}
	}
}

// checkFew checks a property often on SQLite and a few times on PostgreSQL, unless the flag says how often.
func checkFew(t *testing.T, c Config, property func(*rapid.T)) {
	t.Helper()
	times := "200"
	if c.DSN != "" {
		times = "40"
	}
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(times)
		defer f.Value.Set(f.DefValue)
	}
	rapid.Check(t, property)
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

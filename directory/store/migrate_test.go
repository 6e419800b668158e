package store

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
)

// A ledger written before its tables became one tree each is whole afterwards, and still append-only.
func TestLedgerIsRebuilt(t *testing.T) {
	d := sqliteDialect{dir: t.TempDir()}
	w, r, err := d.open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	shared, _ := fs.Sub(migrationFiles, "migrations")
	own, _ := fs.Sub(migrationFiles, "migrations/sqlite")
	p, err := goose.NewProvider(goose.DialectSQLite3, w, folders{shared, own}, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(ctx, 13); err != nil {
		t.Fatal(err)
	}
	tables := map[string]string{"event": "seq, commitment, hash", "event_payload": "seq, claim, salt, payload", "change": "seq, provider, why"}
	for table, columns := range tables {
		blanks := strings.Repeat(", ?", strings.Count(columns, ","))
		for _, seq := range []int64{7, 3, 1 << 40} {
			args := []any{seq}
			for i := range strings.Count(columns, ",") {
				args = append(args, strings.Repeat("x", i+1))
			}
			if _, err := w.ExecContext(ctx, "INSERT INTO "+table+" ("+columns+") VALUES (?"+blanks+")", args...); err != nil {
				t.Fatal(err)
			}
		}
	}
	rows := func(table string) (out []string) {
		q, err := w.QueryContext(ctx, "SELECT "+strings.ReplaceAll(tables[table], ", ", " || ' ' || ")+" FROM "+table+" ORDER BY seq")
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		for q.Next() {
			var s string
			if err := q.Scan(&s); err != nil {
				t.Fatal(err)
			}
			out = append(out, s)
		}
		return out
	}
	before := map[string][]string{}
	for table := range tables {
		if before[table] = rows(table); len(before[table]) != 3 {
			t.Fatalf("%s holds %q", table, before[table])
		}
	}
	if err := migrate(ctx, d, w); err != nil {
		t.Fatal(err)
	}
	for table := range tables {
		if diff := cmp.Diff(before[table], rows(table)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", table, diff)
		}
	}
	for _, q := range []string{"UPDATE event SET hash = ''", "DELETE FROM event", "UPDATE event_payload SET payload = ''"} {
		if _, err := w.ExecContext(ctx, q); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", q, err)
		}
	}
}

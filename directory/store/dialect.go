package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"hash/fnv"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // the driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"kapdir/directory"
)

// dialect is all that differs between the two databases: how to open them, how one writer at a time is
// kept, how a job excludes its like in other processes, and what their errors mean.
type dialect interface {
	goose() (goose.Dialect, string) // and the folder of its own migrations
	open() (write, read *sql.DB, err error)
	opened(ctx context.Context, write *sql.DB) error // once the schema is this program's
	begin(ctx context.Context, db *sql.DB, patience time.Duration) (*sql.Tx, error)
	readOptions() *sql.TxOptions
	// parameter writes the n-th parameter of a statement whose parameters stand in their order, and its type if
	// nothing else tells it.
	parameter(b *strings.Builder, n int, kind string)
	// list writes the inside of an IN list of the values, which are the n-th parameter, and that parameter.
	list(n int, values []string) (string, any)
	// lock takes the job's lock until release is called or the process dies; ok is false when another holds it.
	lock(ctx context.Context, db *sql.DB, job string) (release func(), ok bool, err error)
	// grown tells the database that an import has made tables many times larger, so that it plans for that.
	grown(ctx context.Context, db *sql.DB) error
	// forget makes what was deleted unreadable in the files too, as far as the database can.
	forget(ctx context.Context, db *sql.DB) error
	kind(err error) directory.ErrorKind
}

// sqliteDialect keeps the database in one file of the state directory.
type sqliteDialect struct{ dir string }

func (d sqliteDialect) goose() (goose.Dialect, string) { return goose.DialectSQLite3, "sqlite" }

// file names a database file for the driver. What stands in the path is escaped: a ? in a directory's
// name must not become a setting.
func (d sqliteDialect) file(name, settings string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(filepath.Join(d.dir, name))}).EscapedPath() + "?" + settings
}

// Pages of 8 KB, of a database that is made new: half as many are read and written for the same rows (measured: a
// screening of 100,000 takes a tenth less processor time).
const sqliteSettings = "_pragma=page_size(8192)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)"

// The writer keeps 32 MB of pages, where SQLite keeps 2: an import comes back to the same pages. What a
// statement may have to undo stays in memory too (temp_store).
// What is deleted is overwritten, so that a removal leaves nothing in free pages.
const sqliteWriter = "&_txlock=immediate&_pragma=cache_size(-32000)&_pragma=secure_delete(1)&_pragma=wal_autocheckpoint(4000)"

func (d sqliteDialect) open() (write, read *sql.DB, err error) {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return nil, nil, err
	}
	// The file is made first, so that it and the files beside it are never open to others.
	f, err := os.OpenFile(filepath.Join(d.dir, "kapdir.db"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := f.Close(); err != nil {
		return nil, nil, err
	}
	write, err = sql.Open("sqlite", d.file("kapdir.db", sqliteSettings+sqliteWriter))
	if err != nil {
		return nil, nil, err
	}
	write.SetMaxOpenConns(1) // one writer: the others queue here and not in busy retries
	read, err = sql.Open("sqlite", d.file("kapdir.db", sqliteSettings+"&_pragma=query_only(1)"))
	if err != nil {
		write.Close()
		return nil, nil, err
	}
	read.SetMaxOpenConns(8)
	read.SetMaxIdleConns(8)
	return write, read, nil
}

// opened leaves it to begin to wait for another process: SQLite itself would ask again after up to 100 ms, and an import
// of another process has begun anew by then.
func (d sqliteDialect) opened(ctx context.Context, write *sql.DB) error {
	_, err := write.ExecContext(ctx, `PRAGMA busy_timeout = 0`)
	return err
}

func (d sqliteDialect) begin(ctx context.Context, db *sql.DB, patience time.Duration) (*sql.Tx, error) {
	return beginUntil(ctx, db, time.Now().Add(patience))
}

func (d sqliteDialect) readOptions() *sql.TxOptions { return nil } // WAL: a transaction reads one snapshot

// parameter names none: SQLite looks a name up among all those before it. A value brings its own type.
func (d sqliteDialect) parameter(b *strings.Builder, _ int, _ string) { b.WriteByte('?') }

func (d sqliteDialect) list(n int, values []string) (string, any) {
	b, _ := json.Marshal(values) // strings always marshal
	return "SELECT value FROM json_each($" + strconv.Itoa(n) + ")", string(b)
}

// lock holds an exclusive transaction on a small database of its own: SQLite's file locks work on every
// system and end with the process.
func (d sqliteDialect) lock(ctx context.Context, _ *sql.DB, job string) (func(), bool, error) {
	name := job + ".lock"
	f, err := os.OpenFile(filepath.Join(d.dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	if err := f.Close(); err != nil {
		return nil, false, err
	}
	db, err := sql.Open("sqlite", d.file(name, "_pragma=busy_timeout(0)&_txlock=exclusive"))
	if err != nil {
		return nil, false, err
	}
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		db.Close()
		var e *sqlite.Error
		if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY {
			return nil, false, nil
		}
		return nil, false, err
	}
	return func() { tx.Rollback(); db.Close() }, true, nil
}

// forget empties the write-ahead log; deleted pages are overwritten as they go (secure_delete). Somebody who reads
// an older snapshot keeps it from that for a moment.
func (d sqliteDialect) forget(ctx context.Context, db *sql.DB) error {
	for range 50 {
		var busy, log, done int
		if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done); err != nil {
			return err
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return directory.Errorf(directory.Unavailable, "", "the write-ahead log could not be emptied: somebody has been reading for long")
}

func (d sqliteDialect) grown(context.Context, *sql.DB) error { return nil } // it plans by its indexes alone

func (d sqliteDialect) kind(err error) directory.ErrorKind {
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CONSTRAINT:
			return directory.Conflict
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_PERM:
			return directory.Unavailable
		}
		return directory.Internal
	}
	return otherKind(err)
}

// postgresDialect uses a server, by its DSN.
type postgresDialect struct{ dsn string }

func (d postgresDialect) goose() (goose.Dialect, string) { return goose.DialectPostgres, "postgres" }

func (d postgresDialect) open() (write, read *sql.DB, err error) {
	db, err := sql.Open("pgx", d.dsn)
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(8)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, db, nil
}

// begin lets one writer in at a time, as SQLite does: what a transaction has read stays true until it
// commits, and commit order is number order.
func (d postgresDialect) begin(ctx context.Context, db *sql.DB, wait time.Duration) (*sql.Tx, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	if wait < patience { // who waits for longer waits for as long as it takes
		_, err = tx.ExecContext(ctx, `SET LOCAL lock_timeout = `+strconv.FormatInt(wait.Milliseconds(), 10))
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, lockNumber("write"))
	}
	if err == nil && wait < patience {
		_, err = tx.ExecContext(ctx, `SET LOCAL lock_timeout = 0`)
	}
	if err != nil {
		tx.Rollback()
		return nil, err
	}
	return tx, nil
}

func (d postgresDialect) opened(context.Context, *sql.DB) error { return nil }

func (d postgresDialect) readOptions() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

func (d postgresDialect) parameter(b *strings.Builder, n int, kind string) {
	b.WriteByte('$')
	b.WriteString(strconv.Itoa(n))
	if kind != "" {
		b.WriteString("::" + kind)
	}
}

func (d postgresDialect) list(n int, values []string) (string, any) {
	return "SELECT unnest($" + strconv.Itoa(n) + "::text[])", values
}

// lock holds an advisory lock on a connection of its own: it ends with the session.
func (d postgresDialect) lock(ctx context.Context, db *sql.DB, job string) (func(), bool, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, false, err
	}
	var ok bool
	if err := conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, lockNumber(job)).Scan(&ok); err != nil || !ok {
		conn.Close()
		return nil, false, err
	}
	return func() {
		// A connection that cannot unlock is thrown away, which unlocks too.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, lockNumber(job)); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
		conn.Close()
	}, true, nil
}

// grown does not wait for the server's own round: until it knows that a source has many rows, it looks a
// key up by reading them all, and an import of n rows takes n² time (measured: 20,000 rows in 10 s, with it in 3 s).
func (d postgresDialect) grown(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `ANALYZE reference_page, reference_span, reference_segment, reference_index, source_record, source_block, provider_block, provider, provider_facts, claim, event_payload, change, cases`)
	return err
}

// forget frees the rows that were deleted. The server's own log and its backups are the operator's.
func (d postgresDialect) forget(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `VACUUM event_payload, evidence, provider, provider_facts, provider_block, claim, source_record, source_block, page, cases, removal, reject, paper, case_evidence`)
	return err
}

func (d postgresDialect) kind(err error) directory.ErrorKind {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch class := e.Code[:min(2, len(e.Code))]; class {
		case "23":
			return directory.Conflict
		case "08", "40", "53", "55", "57", "58", "28", "3D", "25", "F0":
			return directory.Unavailable
		}
		return directory.Internal
	}
	var c *pgconn.ConnectError
	if errors.As(err, &c) || pgconn.Timeout(err) || pgconn.SafeToRetry(err) {
		return directory.Unavailable
	}
	return otherKind(err)
}

// otherKind judges errors that come from no database: most often the caller gave up, or there is no
// connection.
func otherKind(err error) directory.ErrorKind {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, sql.ErrConnDone), errors.Is(err, os.ErrPermission):
		return directory.Unavailable
	case strings.Contains(err.Error(), "database is closed"), strings.Contains(err.Error(), "connection"):
		return directory.Unavailable
	}
	return directory.Internal
}

// lockNumber names an advisory lock.
func lockNumber(job string) int64 {
	h := fnv.New64a()
	h.Write([]byte("kapdir " + job))
	return int64(h.Sum64())
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"kapdir/directory"
)

// turn is the door before the one writer of SQLite, for all processes that use a database. Whoever wants to write
// waits at it and keeps it until the writer is theirs, so that nobody overtakes them; a long job, which writes again
// and again, only goes through. Without it an import of another process, which lets go for a moment alone, kept
// people from writing for seconds (measured: 4.6 s at the 95th percentile, and some gave up). PostgreSQL's own
// locks are given in the order in which they are asked for.
type turn struct {
	inside chan struct{} // of this process; one is inside
	db     *sql.DB       // a small database of its own, whose lock is the door between processes
}

// openTurn opens the door of a state directory.
func openTurn(d sqliteDialect) (*turn, error) {
	f, err := os.OpenFile(filepath.Join(d.dir, "turn.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", d.file("turn.lock", "_pragma=busy_timeout(0)&_txlock=exclusive"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &turn{make(chan struct{}, 1), db}, nil
}

// take waits for the door until the moment, and returns how to leave it.
func (t *turn) take(ctx context.Context, until time.Time) (leave func(), err error) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case t.inside <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, errBusy
	}
	tx, err := beginUntil(ctx, t.db, until)
	if err != nil {
		<-t.inside
		return nil, err
	}
	return func() { tx.Rollback(); <-t.inside }, nil
}

// errBusy is that somebody else writes, and has for as long as the caller would wait.
var errBusy = directory.Errorf(directory.Unavailable, "", "somebody else is writing: try again in a moment")

// beginUntil begins a transaction that somebody of this process or another may be in the way of.
func beginUntil(ctx context.Context, db *sql.DB, until time.Time) (*sql.Tx, error) {
	waiting, giveUp := context.WithCancel(ctx) // the pool is waited for as long as a context lasts
	timer := time.AfterFunc(time.Until(until), giveUp)
	for {
		tx, err := db.BeginTx(waiting, nil)
		var e *sqlite.Error
		busy := errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
		if !busy && timer.Stop() { // from now on the transaction lasts as long as the caller's context
			return tx, err
		}
		if !busy {
			if err == nil {
				tx.Rollback()
			}
			return nil, errBusy
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// How long a transaction waits to begin: one that somebody waits for, and one of a long job, behind whoever comes.
const (
	patience     = 5 * time.Second
	longPatience = time.Minute
)

// begin begins a writing transaction that commits or is rolled back soon.
func (s *Store) begin(ctx context.Context, behind bool, patience time.Duration) (*sql.Tx, error) {
	if s.turn != nil {
		leave, err := s.turn.take(ctx, time.Now().Add(patience))
		if err != nil {
			return nil, err
		}
		if behind {
			leave()
		} else {
			defer leave()
		}
	}
	return s.dialect.begin(ctx, s.writer, patience)
}

// A transaction of a long job aims at most pace, and at deskPace while somebody works a case: with that, what they do
// at the desk is done within 50 ms (contracts.md §2 asks for at most 100). Shorter ones cost the import more commits.
const (
	pace     = 100 * time.Millisecond
	deskPace = 20 * time.Millisecond
)

// staffed is whether somebody works a case at this moment, as a long job last saw it.
type staffed struct {
	now  atomic.Bool
	seen atomic.Int64 // the process's clock, in nanoseconds
}

// lookUp looks, at most four times a second, whether a case is held by somebody who took it; one that was given waits for them.
func (s *Store) lookUp(t *tx, now directory.Instant) error {
	at := time.Now().UnixNano() // only to keep transactions short
	if at-s.desks.seen.Load() < int64(time.Second/4) {
		return nil
	}
	s.desks.seen.Store(at)
	var n int
	_, err := t.one(`SELECT count(*) FROM case_hold WHERE until > $1 AND until < $2`, []any{now, untilGivenBack}, &n)
	s.desks.now.Store(n > 0)
	return err
}

// pace is how long a transaction of a long job may take now.
func (s *Store) pace() time.Duration {
	if s.desks.now.Load() {
		return deskPace
	}
	return pace
}

// start is how many rows the first transaction of a long job takes: how long they take nobody knows yet.
func (s *Store) start() int {
	if s.desks.now.Load() {
		return min(s.first, firstRows/4)
	}
	return s.first
}

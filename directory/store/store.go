// Package store keeps the directory in SQLite or PostgreSQL: one concrete Store, one SQL text. It hides
// SQL, the two databases, migrations and change numbers, and that what must agree is written together.
//
// Every exported method is one transaction, except that an import is many small ones, so that staff
// never wait behind it. One writer works at a time on either database: what a transaction has read is
// still true when it commits, and commit order is number order. What was asked for and is not there is
// directory.NotFound or directory.Gone; what could not be looked at is directory.Unavailable. The two
// never share a value.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/bits"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"kapdir/directory"
)

// Config says where the store lives and what it is told from outside.
type Config struct {
	Dir string // state directory: the database is Dir/kapdir.db, made with access for its owner alone
	DSN string // postgres://… uses PostgreSQL instead; "" is SQLite in Dir
	// Now gives the time. Required: the store has no clock of its own.
	Now func() time.Time
	// Rules are the policies and tables that the program brings; those it ships with when nil. The store
	// records them before anything else is written, unless they are the ones it recorded last.
	Rules directory.RuleFiles
	// KeepRules leaves the rules as they were recorded: for whoever only looks.
	KeepRules bool
	// Policies are what claims are derived with. Left empty they are those of every release of the rules
	// that the ledger holds, which is what everybody but a test wants.
	Policies directory.Policies
	// SuppressionKey is the secret with which the keys of removed people are hashed. Left empty it is the file
	// suppression.key of Dir, which is made at the first removal.
	SuppressionKey []byte
	// Standing reads the status words that a person copied from a source's page, by the source's table; expires is the
	// record's and on the day of the look. Left empty no words are known, and each goes to a person.
	Standing func(source, words string, expires, on directory.Date) directory.Observed
	// Tool is the actor of what the store appends by itself; kapdir at this program's version when zero.
	Tool directory.Actor
}

// Store is the directory's memory. It is safe for concurrent use, and several processes may use one
// database.
type Store struct {
	config      Config
	dialect     dialect
	writer      *sql.DB
	reader      *sql.DB
	mu          sync.Mutex // guards open
	open        map[directory.ID]*openRun
	files       fileCache
	turn        *turn // nil where the database keeps the order of writers itself
	desks       staffed
	counts      heldCounts
	sheets      sheetBook
	filters     filters
	often       *often // of the writer; nil where the driver itself keeps statements
	oftenRead   *often // of the reader
	first, most int    // rows of the first and the largest import transaction; tests make them small
	long        int    // rows that make a run long, in place of longRun's; negative but in tests
	afterCommit func() // of tests: called after each commit of an import
}

// Open opens the store, making or migrating the database first. A database that a newer program has
// changed is directory.Refused, with what to do.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Now == nil {
		return nil, directory.Errorf(directory.Internal, "now", "a store needs the time")
	}
	if c.Tool.ID == "" {
		c.Tool = directory.Actor{Kind: directory.Tool, ID: "kapdir", Version: version()}
	}
	s := &Store{config: c, open: map[directory.ID]*openRun{}, first: firstRows, most: mostRows, long: -1, sheets: sheetBook{turn: make(chan struct{}, 1)}}
	switch {
	case c.DSN == "" && c.Dir == "":
		return nil, directory.Errorf(directory.Invalid, "state", "say where the state directory is")
	case c.DSN == "":
		s.dialect = sqliteDialect{c.Dir}
	case strings.HasPrefix(c.DSN, "postgres://"), strings.HasPrefix(c.DSN, "postgresql://"):
		s.dialect = postgresDialect{c.DSN}
	default:
		return nil, directory.Errorf(directory.Invalid, "dsn", "a database address begins with postgres://")
	}
	var err error
	if s.writer, s.reader, err = s.dialect.open(); err != nil {
		return nil, s.fault("store.Open", err)
	}
	if d, ok := s.dialect.(sqliteDialect); ok {
		if s.turn, err = openTurn(d); err != nil {
			s.Close()
			return nil, s.fault("store.Open", err)
		}
	}
	if c.DSN == "" { // pgx keeps statements itself
		s.often, s.oftenRead = &often{db: s.writer, stmts: map[string]*sql.Stmt{}}, &often{db: s.reader, stmts: map[string]*sql.Stmt{}}
	}
	if err := migrate(ctx, s.dialect, s.writer); err != nil {
		s.Close()
		return nil, s.fault("store.Open", err)
	}
	if err := s.dialect.opened(ctx, s.writer); err != nil {
		s.Close()
		return nil, s.fault("store.Open", err)
	}
	if err := s.LearnPartners(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if len(c.Policies) == 0 {
		if c.Rules == nil {
			c.Rules = directory.StandardRules()
		}
		if s.config.Policies, err = s.adoptRules(ctx, c.Rules); err != nil {
			s.Close()
			return nil, s.fault("store.Open", err)
		}
	}
	if err := s.placeCases(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Policies returns the policies of every release of the rules that the ledger held when the store was
// opened: what every answer about what it holds is computed with.
func (s *Store) Policies() directory.Policies { return s.config.Policies }

func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "dev"
}

// Close ends the store. A run that is still open counts as interrupted from then on.
func (s *Store) Close() error {
	s.mu.Lock()
	for id, r := range s.open {
		r.release()
		delete(s.open, id)
	}
	s.mu.Unlock()
	err := s.writer.Close()
	if s.reader != s.writer {
		err = errors.Join(err, s.reader.Close())
	}
	if s.turn != nil {
		err = errors.Join(err, s.turn.db.Close())
	}
	return err
}

// now is the time of what is done at this moment.
func (s *Store) now() directory.Instant { return directory.At(s.config.Now()) }

// fault makes the program's error of any other, with the operation it happened in.
func (s *Store) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	var e *directory.Error
	if errors.As(err, &e) {
		if e.Op == "" {
			named := *e
			named.Op = op
			return &named
		}
		return err
	}
	kind := s.dialect.kind(err)
	detail := "the store failed"
	if kind == directory.Unavailable {
		detail = "the store does not answer"
	}
	return &directory.Error{Kind: kind, Op: op, Detail: detail, Cause: err}
}

// write runs f in one writing transaction and writes what f put into the work.
func (s *Store) write(ctx context.Context, op string, f func(*work) error) error {
	t, err := s.begin(ctx, false, patience)
	return s.commit(ctx, op, t, err, f)
}

// writeBehind is write for a job of many transactions: whoever else waits to write comes before each.
func (s *Store) writeBehind(ctx context.Context, op string, f func(*work) error) error {
	t, err := s.begin(ctx, true, longPatience)
	return s.commit(ctx, op, t, err, func(w *work) error {
		if err := s.lookUp(w.tx, w.now); err != nil {
			return err
		}
		return f(w)
	})
}

// commit runs f in the transaction, if it could begin, and ends it.
func (s *Store) commit(ctx context.Context, op string, t *sql.Tx, err error, f func(*work) error) error {
	if err != nil {
		return s.fault(op, err)
	}
	defer t.Rollback() // after a commit it does nothing
	w := newWork(s, s.in(ctx, t, s.often))
	if err := f(w); err != nil {
		return s.fault(op, err)
	}
	if err := w.flush(); err != nil {
		return s.fault(op, err)
	}
	if err := t.Commit(); err != nil {
		return s.fault(op, err)
	}
	s.often.prepare(ctx)
	return nil
}

// read runs f on one snapshot.
func (s *Store) read(ctx context.Context, op string, f func(*tx) error) error {
	t, err := s.reader.BeginTx(ctx, s.dialect.readOptions())
	if err != nil {
		return s.fault(op, err)
	}
	defer t.Rollback() // also when f panics
	err = f(s.in(ctx, t, s.oftenRead))
	t.Rollback() // which frees the connection
	s.oftenRead.prepare(ctx)
	return s.fault(op, err)
}

// readOnce is read for whoever looks at a few things in several places: what was read once is held until the end, and not
// read again. Whoever goes through everybody uses read.
func (s *Store) readOnce(ctx context.Context, op string, f func(*tx) error) error {
	return s.read(ctx, op, func(t *tx) error {
		t.seen = map[string]any{}
		return f(t)
	})
}

// glance runs f, which makes one statement: that sees one snapshot without a transaction, whose beginning and end
// are two more ways to the database and back.
func (s *Store) glance(ctx context.Context, op string, f func(*tx) error) error {
	err := f(s.in(ctx, alone{s.reader}, s.oftenRead))
	s.oftenRead.prepare(ctx)
	return s.fault(op, err)
}

func (s *Store) in(ctx context.Context, r runner, o *often) *tx {
	return &tx{ctx: ctx, runner: r, dialect: s.dialect, often: o, refs: newReferences(&s.filters)}
}

// runner runs statements: a transaction, or one statement alone.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	StmtContext(ctx context.Context, st *sql.Stmt) *sql.Stmt
}

type alone struct{ *sql.DB }

func (alone) StmtContext(_ context.Context, st *sql.Stmt) *sql.Stmt { return st }

// tx is a transaction with the few shapes of statement that the store uses.
type tx struct {
	ctx context.Context
	runner
	dialect dialect
	often   *often
	refs    *references
	seen    map[string]any // what once read, in readOnce; nil elsewhere: something may have been written
	dry     bool           // whatever writes does nothing: see Foresee
}

// once reads something that is asked for in several places: within readOnce the first of them alone reads it. The caller
// leaves it as it is.
func once[T any](t *tx, key string, read func() (T, error)) (T, error) {
	if v, ok := t.seen[key]; ok {
		return v.(T), nil
	}
	v, err := read()
	if err == nil && t.seen != nil {
		t.seen[key] = v
	}
	return v, err
}

// rowsOnce is once of rows, each of which scan makes.
func rowsOnce[T any](t *tx, query string, values []string, scan func(*sql.Rows) (T, error)) ([]T, error) {
	return once(t, query+strings.Join(values, " "), func() (out []T, err error) {
		err = t.eachIn(query, nil, values, func(r *sql.Rows) error {
			v, err := scan(r)
			out = append(out, v)
			return err
		})
		return out, err
	})
}

// often keeps the statements with lists and rows of values prepared on the connections of one pool: SQLite
// would read the text of each anew, which takes as long as writing some of the rows.
type often struct {
	db     *sql.DB
	mu     sync.Mutex
	stmts  map[string]*sql.Stmt
	wanted []string
}

// mostOften is how many statements a pool keeps.
const mostOften = 128

// find returns the statement if it is kept, and notes that it is wanted.
func (o *often) find(query string) *sql.Stmt {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	st := o.stmts[query]
	if st == nil && len(o.stmts)+len(o.wanted) < mostOften && !slices.Contains(o.wanted, query) {
		o.wanted = append(o.wanted, query)
	}
	return st
}

// prepare prepares what was wanted; the caller has no transaction open, which holds a connection.
// Where that fails, the next who wants it says so.
func (o *often) prepare(ctx context.Context) {
	if o == nil {
		return
	}
	o.mu.Lock()
	wanted := o.wanted
	o.wanted = nil
	o.mu.Unlock()
	for _, query := range wanted {
		st, err := o.db.PrepareContext(ctx, query)
		if err != nil {
			return
		}
		o.mu.Lock()
		if o.stmts[query] != nil {
			st.Close() // another prepared it meanwhile
		} else {
			o.stmts[query] = st
		}
		o.mu.Unlock()
	}
}

// tell hears the text of each statement that is not of rows of values; nil outside of the test that looks at their plans.
var tell func(query string)

func heard(query string) {
	if tell != nil {
		tell(query)
	}
}

func (t *tx) exec(query string, args ...any) (int64, error) {
	heard(query)
	if t.dry {
		return 1, nil
	}
	r, err := t.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// one scans the one row of a query; found is false when there is none.
func (t *tx) one(query string, args []any, dst ...any) (found bool, err error) {
	heard(query)
	err = t.QueryRowContext(t.ctx, query, args...).Scan(dst...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each calls scan for each row of a query.
func (t *tx) each(query string, args []any, scan func(*sql.Rows) error) error {
	heard(query)
	rows, err := t.QueryContext(t.ctx, query, args...)
	return scanAll(rows, err, scan)
}

func scanAll(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Rows are written so many parameters at a time.
const mostWritten = 512

// eachIn calls scan for each row of a query whose %s is an IN list of the values.
func (t *tx) eachIn(query string, fixed []any, values []string, scan func(*sql.Rows) error) error {
	if len(values) == 0 {
		return nil
	}
	query, args := t.in(query, fixed, values)
	if st := t.often.find(query); st != nil {
		rows, err := t.StmtContext(t.ctx, st).QueryContext(t.ctx, args...)
		return scanAll(rows, err, scan)
	}
	return t.each(query, args, scan)
}

// execIn runs a statement whose %s is an IN list of the values.
func (t *tx) execIn(query string, fixed []any, values []string) error {
	if len(values) == 0 {
		return nil
	}
	query, args := t.in(query, fixed, values)
	_, err := t.exec(query, args...)
	return err
}

// in writes the IN list as one parameter, so that there is one text to plan however many values there are.
func (t *tx) in(query string, fixed []any, values []string) (string, []any) {
	list, arg := t.dialect.list(len(fixed)+1, values)
	return fmt.Sprintf(query, list), append(slices.Clip(fixed), arg)
}

// insert adds rows with as few statements as are sensible: head is INSERT INTO t (a, b), tail what
// follows the values.
func (t *tx) insert(head string, rows [][]any, tail string) error {
	return t.inRows(rows, func(values string) string { return head + " VALUES " + values + " " + tail }, nil)
}

// update sets columns of many rows of a table, each named by its key. A row is its key and then the
// values; a column is given with its type, which PostgreSQL cannot see.
func (t *tx) update(table, key string, columns []string, rows [][]any) error {
	var names, set []string
	types := []string{"TEXT"}
	for _, c := range columns {
		name, kind, _ := strings.Cut(c, " ")
		names, set, types = append(names, name), append(set, name+" = v."+name), append(types, kind)
	}
	return t.inRows(rows, func(values string) string {
		return fmt.Sprintf("WITH v (%s, %s) AS (VALUES %s) UPDATE %s SET %s FROM v WHERE %s.%s = v.%s",
			key, strings.Join(names, ", "), values, table, strings.Join(set, ", "), table, key, key)
	}, types)
}

// inRows runs a statement with rows of values, in chunks of which there are few sizes: each has a text of its
// own. types are the values', where the statement does not tell them.
func (t *tx) inRows(rows [][]any, statement func(values string) string, types []string) error {
	if t.dry {
		return nil
	}
	for len(rows) > 0 {
		n := max(1, mostWritten/len(rows[0]))
		if n > len(rows) {
			n = 1 << (bits.Len(uint(len(rows))) - 1)
		}
		var b strings.Builder
		args := make([]any, 0, n*len(rows[0]))
		for i, r := range rows[:n] {
			if i > 0 {
				b.WriteByte(',')
			}
			for j := range r {
				b.WriteByte("(,"[min(j, 1)])
				kind := ""
				if types != nil {
					kind = types[j]
				}
				t.dialect.parameter(&b, len(args)+j+1, kind)
			}
			b.WriteByte(')')
			args = append(args, r...)
		}
		query := statement(b.String())
		var err error
		if st := t.often.find(query); st != nil {
			_, err = t.StmtContext(t.ctx, st).ExecContext(t.ctx, args...)
		} else {
			_, err = t.ExecContext(t.ctx, query, args...)
		}
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// clean makes text that both databases can hold: PostgreSQL takes no NUL and nothing but UTF-8.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// truth writes a truth value as the tables hold it.
func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

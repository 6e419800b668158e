// Package storebench asks databases the questions by which kapdir's search is measured: SQLite with FTS5 and
// an R*Tree, and PostgreSQL with tsvector, pg_trgm and PostGIS, each as well set up as we know how.
package storebench

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"
)

// Row is a provider as a database takes it.
type Row struct {
	ID, Name, Text         string
	State, Care, Accepting string
	Focus, Framework       []string
	Route                  []string
	Price                  int64 // -1 is not stated
	Lat, Lon               float64
}

// Question is what is asked. A zero part is not asked for.
type Question struct {
	Words     []string // all must stand in the text as they are
	Prefix    string   // a word begins so
	Typo      string   // a word of the name, with one letter wrong
	Begin     string   // suggest names that begin so
	Framework string
	Accepting string
	Price     int64 // at most, in cents
	Lat, Lon  float64
	Miles     float64
	Distance  bool // sorted by it
	Facets    bool // six, counted over all that match
	Offset    int  // of the page of 20
}

// Answer is what a database says.
type Answer struct {
	Total  int // -1 is not counted
	IDs    []string
	Facets map[string]map[string]int
}

// DB is a database with the providers in it.
type DB struct {
	db       *sql.DB
	postgres bool
	postgis  bool
	pid      int // of the server's process that answers; 0 is our own
	prepared map[string]*sql.Stmt
}

const metres = 1609.344 // of a mile

// radius of the earth in miles, as directory.Point.Miles has it.
const radius = 3958.7613

// SQLite makes a database in the file.
func SQLite(ctx context.Context, path string) (*DB, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-262144)&_pragma=mmap_size(4294967296)&_pragma=temp_store(MEMORY)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	d := &DB{db: db, prepared: map[string]*sql.Stmt{}}
	return d, d.run(ctx, `CREATE TABLE docs(n INTEGER PRIMARY KEY, id TEXT UNIQUE, name TEXT, folded TEXT, state TEXT, care TEXT, accepting TEXT, price INTEGER, x REAL, y REAL, z REAL)`,
		`CREATE TABLE tags(n INTEGER, facet TEXT, value TEXT, PRIMARY KEY(n, facet, value)) WITHOUT ROWID`,
		`CREATE VIRTUAL TABLE words USING fts5(text, content='', contentless_delete=1, tokenize='unicode61', detail=none, prefix='3')`,
		`CREATE VIRTUAL TABLE grams USING fts5(name, content='', contentless_delete=1, tokenize='trigram', detail=none)`,
		`CREATE VIRTUAL TABLE places USING rtree(n, lat1, lat2, lon1, lon2)`)
}

// Postgres makes the tables in an empty database. Without PostGIS it uses the extension earthdistance.
func Postgres(ctx context.Context, dsn string) (*DB, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // settings and the process that is measured are the connection's
	d := &DB{db: db, postgres: true, prepared: map[string]*sql.Stmt{}}
	if err := d.run(ctx, `SET client_min_messages = error`, `SET jit = off`, `SET max_parallel_workers_per_gather = 0`, `SET work_mem = '64MB'`, `CREATE EXTENSION IF NOT EXISTS pg_trgm`); err != nil {
		return nil, err
	}
	d.postgis = d.run(ctx, `CREATE EXTENSION IF NOT EXISTS postgis`) == nil
	point := "geography(Point, 4326)"
	if !d.postgis {
		if err := d.run(ctx, `CREATE EXTENSION IF NOT EXISTS cube`, `CREATE EXTENSION IF NOT EXISTS earthdistance`); err != nil {
			return nil, err
		}
		point = "earth"
	}
	if err := db.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&d.pid); err != nil {
		return nil, err
	}
	return d, d.run(ctx, `DROP TABLE IF EXISTS bench_docs`,
		`CREATE TABLE bench_docs(n integer PRIMARY KEY, id text UNIQUE, name text, folded text, words tsvector, state text, care text, accepting text, focus text[], framework text[], route text[], price integer, point `+point+`)`)
}

// PostGIS reports that distances are PostGIS's.
func (d *DB) PostGIS() bool { return d.postgis }

func (d *DB) run(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := d.db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%.60s: %w", s, err)
		}
	}
	return nil
}

// Add puts rows in, numbered from the first on, in one transaction.
func (d *DB) Add(ctx context.Context, first int, rows []Row) error {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	add := d.addSQLite
	if d.postgres {
		add = d.addPostgres
	}
	if err := add(ctx, tx, first, rows); err != nil {
		return err
	}
	return tx.Commit()
}

func (d *DB) addPostgres(ctx context.Context, tx *sql.Tx, first int, rows []Row) error {
	point := "ST_SetSRID(ST_MakePoint($13, $12), 4326)::geography"
	if !d.postgis {
		point = "ll_to_earth($12, $13)"
	}
	st, err := tx.PrepareContext(ctx, `INSERT INTO bench_docs VALUES ($1, $2, $3, $4, to_tsvector('simple', $5), $6, $7, $8, $9, $10, $11, $14, `+point+`) ON CONFLICT (n) DO UPDATE SET name = excluded.name,
		folded = excluded.folded, words = excluded.words, state = excluded.state, care = excluded.care, accepting = excluded.accepting, focus = excluded.focus, framework = excluded.framework, route = excluded.route,
		price = excluded.price, point = excluded.point`)
	if err != nil {
		return err
	}
	defer st.Close()
	for i, r := range rows {
		var price any
		if r.Price >= 0 {
			price = r.Price
		}
		if _, err := st.ExecContext(ctx, first+i, r.ID, r.Name, strings.ToLower(r.Name), r.Text, r.State, r.Care, r.Accepting, r.Focus, r.Framework, r.Route, r.Lat, r.Lon, price); err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) addSQLite(ctx context.Context, tx *sql.Tx, first int, rows []Row) error {
	texts := []string{`INSERT OR REPLACE INTO docs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, `DELETE FROM tags WHERE n = ?`, `INSERT OR IGNORE INTO tags VALUES (?, ?, ?)`,
		`INSERT OR REPLACE INTO words(rowid, text) VALUES (?, ?)`, `INSERT OR REPLACE INTO grams(rowid, name) VALUES (?, ?)`, `INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?)`}
	var st []*sql.Stmt
	for _, text := range texts {
		s, err := tx.PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer s.Close()
		st = append(st, s)
	}
	for i, r := range rows {
		n := first + i
		var price any
		if r.Price >= 0 {
			price = r.Price
		}
		x, y, z := onBall(r.Lat, r.Lon)
		name := strings.ToLower(r.Name)
		type call struct {
			s    *sql.Stmt
			args []any
		}
		calls := []call{{st[0], []any{n, r.ID, r.Name, name, r.State, r.Care, r.Accepting, price, x, y, z}}, {st[1], []any{n}},
			{st[3], []any{n, r.Text}}, {st[4], []any{n, name}}, {st[5], []any{n, r.Lat, r.Lat, r.Lon, r.Lon}}}
		for facet, values := range map[string][]string{"state": {r.State}, "care": {r.Care}, "accepting": {r.Accepting}, "focus": r.Focus, "framework": r.Framework, "route": r.Route} {
			for _, v := range values {
				calls = append(calls, call{st[2], []any{n, facet, v}})
			}
		}
		for _, c := range calls {
			if _, err := c.s.ExecContext(ctx, c.args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Finish makes the indexes and gathers statistics.
func (d *DB) Finish(ctx context.Context) error {
	if !d.postgres {
		return d.run(ctx, `CREATE INDEX docs_name ON docs(folded)`, `CREATE INDEX docs_price ON docs(price)`, `CREATE INDEX docs_accepting ON docs(accepting)`, `CREATE INDEX tags_value ON tags(facet, value, n)`,
			`INSERT INTO words(words) VALUES ('optimize')`, `INSERT INTO grams(grams) VALUES ('optimize')`, `ANALYZE`)
	}
	return d.run(ctx, `CREATE INDEX ON bench_docs USING gin(words)`, `CREATE INDEX ON bench_docs USING gin(folded gin_trgm_ops)`, `CREATE INDEX ON bench_docs(folded text_pattern_ops)`,
		`CREATE INDEX ON bench_docs USING gin(framework)`, `CREATE INDEX ON bench_docs(price)`, `CREATE INDEX ON bench_docs(accepting)`, `CREATE INDEX ON bench_docs USING gist(point)`, `VACUUM ANALYZE bench_docs`)
}

// CPU returns the seconds that the server's process has used, 0 if it is our own.
func (d *DB) CPU() float64 {
	if d.pid == 0 {
		return 0
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100
}

func onBall(lat, lon float64) (x, y, z float64) {
	lat, lon = lat*math.Pi/180, lon*math.Pi/180
	return math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)
}

// Ask answers the question with two statements at most: the page with the total, and the facets.
func (d *DB) Ask(ctx context.Context, q Question) (Answer, error) {
	if d.postgres {
		return d.askPostgres(ctx, q)
	}
	return d.askSQLite(ctx, q)
}

func (d *DB) query(ctx context.Context, text string, args []any, row func(scan func(...any) error) error) error {
	st := d.prepared[text]
	if st == nil {
		var err error
		if st, err = d.db.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		d.prepared[text] = st
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (d *DB) page(ctx context.Context, text string, args []any) (a Answer, err error) {
	err = d.query(ctx, text, args, func(scan func(...any) error) error {
		var id sql.NullString
		if err := scan(&a.Total, &id); err != nil {
			return err
		}
		if id.Valid {
			a.IDs = append(a.IDs, id.String)
		}
		return nil
	})
	return a, err
}

func (d *DB) facets(ctx context.Context, a *Answer, text string, args []any) error {
	a.Facets = map[string]map[string]int{}
	return d.query(ctx, text, args, func(scan func(...any) error) error {
		var facet, value string
		var n int
		if err := scan(&facet, &value, &n); err != nil {
			return err
		}
		if a.Facets[facet] == nil {
			a.Facets[facet] = map[string]int{}
		}
		a.Facets[facet][value] = n
		return nil
	})
}

func (d *DB) askPostgres(ctx context.Context, q Question) (Answer, error) {
	var where []string
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	switch {
	case q.Begin != "":
		return d.page(ctx, `SELECT -1, id FROM bench_docs WHERE folded LIKE $1 ORDER BY folded LIMIT 10`, []any{q.Begin + "%"})
	case q.Typo != "":
		return d.page(ctx, `SELECT -1, id FROM bench_docs WHERE $1 <% folded ORDER BY $1 <<-> folded LIMIT 20`, []any{q.Typo})
	}
	if len(q.Words) > 0 {
		where = append(where, "words @@ to_tsquery('simple', "+arg(strings.Join(q.Words, " & "))+")")
	}
	if q.Prefix != "" {
		where = append(where, "words @@ to_tsquery('simple', "+arg(q.Prefix+":*")+")")
	}
	if q.Framework != "" {
		where = append(where, "framework @> ARRAY["+arg(q.Framework)+"]::text[]")
	}
	if q.Accepting != "" {
		where = append(where, "accepting = "+arg(q.Accepting))
	}
	if q.Price > 0 {
		where = append(where, "price <= "+arg(q.Price))
	}
	order := "n"
	if q.Miles > 0 {
		lat, lon := arg(q.Lat), arg(q.Lon)
		if d.postgis {
			here := "ST_SetSRID(ST_MakePoint(" + lon + "::float8, " + lat + "::float8), 4326)::geography"
			where = append(where, "ST_DWithin(point, "+here+", "+fmt.Sprint(q.Miles*metres)+", false)")
			order = "ST_Distance(point, " + here + ", false)"
		} else {
			here := "ll_to_earth(" + lat + "::float8, " + lon + "::float8)"
			where = append(where, "earth_box("+here+", "+fmt.Sprint(q.Miles*metres)+") @> point", "earth_distance(point, "+here+") <= "+fmt.Sprint(q.Miles*metres))
			order = "earth_distance(point, " + here + ")"
		}
	}
	all := "true"
	if len(where) > 0 {
		all = strings.Join(where, " AND ")
	}
	text := `SELECT count(*) OVER (), id FROM bench_docs WHERE ` + all + ` ORDER BY ` + order + ` LIMIT 20 OFFSET ` + strconv.Itoa(q.Offset)
	if all == "true" { // the page by its index, the total by a count
		text = `SELECT (SELECT count(*) FROM bench_docs), id FROM bench_docs ORDER BY n LIMIT 20 OFFSET ` + strconv.Itoa(q.Offset)
	}
	a, err := d.page(ctx, text, args)
	if err != nil || !q.Facets {
		return a, err
	}
	return a, d.facets(ctx, &a, `WITH hits AS MATERIALIZED (SELECT state, care, accepting, focus, framework, route FROM bench_docs WHERE `+all+`)
		SELECT 'state', state, count(*) FROM hits GROUP BY state UNION ALL SELECT 'care', care, count(*) FROM hits GROUP BY care
		UNION ALL SELECT 'accepting', accepting, count(*) FROM hits GROUP BY accepting UNION ALL SELECT 'focus', v, count(*) FROM hits, unnest(focus) v GROUP BY v
		UNION ALL SELECT 'framework', v, count(*) FROM hits, unnest(framework) v GROUP BY v UNION ALL SELECT 'route', v, count(*) FROM hits, unnest(route) v GROUP BY v`, args)
}

func (d *DB) askSQLite(ctx context.Context, q Question) (Answer, error) {
	switch {
	case q.Begin != "":
		return d.page(ctx, `SELECT -1, id FROM docs WHERE folded >= ? AND folded < ? ORDER BY folded LIMIT 10`, []any{q.Begin, q.Begin + "\U0010ffff"})
	case q.Typo != "":
		var grams []string
		for i := 0; i+3 <= len(q.Typo); i++ {
			grams = append(grams, `"`+q.Typo[i:i+3]+`"`)
		}
		return d.page(ctx, `SELECT -1, id FROM (SELECT rowid AS r FROM grams WHERE grams MATCH ? ORDER BY rank LIMIT 20) JOIN docs ON n = r`, []any{strings.Join(grams, " OR ")})
	}
	source, where, order := "docs", []string{}, "docs.n"
	var args []any
	var match []string
	for _, w := range q.Words {
		match = append(match, `"`+w+`"`)
	}
	if q.Prefix != "" {
		match = append(match, `"`+q.Prefix+`" *`)
	}
	if len(match) > 0 {
		source = "words CROSS JOIN docs ON docs.n = words.rowid"
		where, args = append(where, "words MATCH ?"), append(args, strings.Join(match, " AND "))
	}
	if q.Miles > 0 {
		x, y, z := onBall(q.Lat, q.Lon)
		if len(match) == 0 {
			degrees := q.Miles / radius * 180 / math.Pi
			wide := 2 * math.Asin(math.Min(1, math.Sin(q.Miles/radius/2)/math.Cos((math.Abs(q.Lat)+degrees)*math.Pi/180))) * 180 / math.Pi
			source = "places CROSS JOIN docs ON docs.n = places.n"
			where = append(where, "places.lat1 >= ? AND places.lat2 <= ? AND places.lon1 >= ? AND places.lon2 <= ?")
			args = append(args, q.Lat-degrees-1e-4, q.Lat+degrees+1e-4, q.Lon-wide-1e-4, q.Lon+wide+1e-4)
		}
		dot := fmt.Sprintf("(x*%.17g + y*%.17g + z*%.17g)", x, y, z)
		where = append(where, fmt.Sprintf("%s >= %.17g", dot, math.Cos(q.Miles/radius)))
		order = dot + " DESC"
	}
	if q.Framework != "" {
		where, args = append(where, "EXISTS (SELECT 1 FROM tags WHERE tags.n = docs.n AND facet = 'framework' AND value = ?)"), append(args, q.Framework)
	}
	if q.Accepting != "" {
		where, args = append(where, "accepting = ?"), append(args, q.Accepting)
	}
	if q.Price > 0 {
		where, args = append(where, "price <= ?"), append(args, q.Price)
	}
	all := "1"
	if len(where) > 0 {
		all = strings.Join(where, " AND ")
	}
	text := `SELECT count(*) OVER (), id FROM ` + source + ` WHERE ` + all + ` ORDER BY ` + order + ` LIMIT 20 OFFSET ` + strconv.Itoa(q.Offset)
	switch {
	case all == "1":
		text = `SELECT (SELECT count(*) FROM docs), id FROM docs ORDER BY n LIMIT 20 OFFSET ` + strconv.Itoa(q.Offset)
	case len(where) == 1 && len(match) > 0: // the words alone: neither count nor order needs the rows
		text = `SELECT (SELECT count(*) FROM words WHERE words MATCH ?1), id FROM docs WHERE n IN (SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid LIMIT 20 OFFSET ` + strconv.Itoa(q.Offset) + `)`
	}
	a, err := d.page(ctx, text, args)
	if err != nil || !q.Facets {
		return a, err
	}
	if all == "1" {
		return a, d.facets(ctx, &a, `SELECT facet, value, count(*) FROM tags GROUP BY facet, value`, nil)
	}
	return a, d.facets(ctx, &a, `WITH hits AS MATERIALIZED (SELECT docs.n AS n FROM `+source+` WHERE `+all+`) SELECT facet, value, count(*) FROM hits CROSS JOIN tags ON tags.n = hits.n GROUP BY facet, value`, args)
}

// Close closes the database.
func (d *DB) Close() error { return d.db.Close() }

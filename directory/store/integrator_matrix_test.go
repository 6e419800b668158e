package store

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

// ownedThing is something that an integrator has and nobody else may read or change. Whoever adds a table of such things
// adds a row to ownedThings; the test fails until they do.
type ownedThing struct {
	table string
	// add makes one of the integrator's, with mark in every field that can hold it, and returns its id.
	add func(s *Store, of directory.IntegratorID, mark string) (directory.ID, error)
	// read returns all that the integrator can read of their own, as a slice whose elements marshal to JSON.
	read func(s *Store, as directory.IntegratorID) (any, error)
	// one reads or changes the one of the id, as the integrator: each way there is. For what is another's each is NotFound.
	one map[string]func(s *Store, as directory.IntegratorID, id directory.ID) error
}

const matrixMoment = directory.Instant("2026-11-23T12:00:00.000Z")

var ownedThings = []ownedThing{
	{
		table: "api_key",
		add: func(s *Store, of directory.IntegratorID, mark string) (directory.ID, error) {
			_, k, err := s.AddAPIKey(ctx, of, directory.APIKey{Name: mark, Scopes: []directory.Scope{directory.ScopeRead}, PerMinute: 1 + len(mark), Expires: matrixMoment.AddDays(len(mark))}, mark, matrixMoment)
			return k.ID, err
		},
		read: func(s *Store, as directory.IntegratorID) (any, error) { return s.APIKeys(ctx, as) },
		one: map[string]func(s *Store, as directory.IntegratorID, id directory.ID) error{
			"rotate": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				_, _, err := s.RotateAPIKey(ctx, as, id, directory.KeyOverlap, "test", matrixMoment)
				return err
			},
			"end": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				_, err := s.EndAPIKey(ctx, as, id, "test", matrixMoment)
				return err
			},
		},
	},
	{
		table: "api_usage",
		add: func(s *Store, of directory.IntegratorID, mark string) (directory.ID, error) {
			_, k, err := s.AddAPIKey(ctx, of, directory.APIKey{Name: "used", Scopes: []directory.Scope{directory.ScopeRead}}, "test", matrixMoment)
			if err != nil {
				return "", err
			}
			return "", s.AddKeyUsage(ctx, []directory.KeyUsage{{Key: k.ID, Day: "2026-11-23", Route: "/" + mark, Count: int64(len(mark)), Refused: 1}})
		},
		read: func(s *Store, as directory.IntegratorID) (any, error) {
			return s.KeyUsage(ctx, as, "0001-01-01", "9999-12-31")
		},
	},
	{
		table: "embed",
		add: func(s *Store, of directory.IntegratorID, mark string) (directory.ID, error) {
			e, err := s.AddEmbed(ctx, of, directory.Embed{Name: mark, Kind: directory.EmbedResults, Doc: directory.EmbedDoc{Query: "q=" + mark}}, mark, matrixMoment)
			return e.ID, err
		},
		read: func(s *Store, as directory.IntegratorID) (any, error) { return s.Embeds(ctx, as) },
		one: map[string]func(s *Store, as directory.IntegratorID, id directory.ID) error{
			"end": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				return s.EndEmbed(ctx, as, id, "test", matrixMoment)
			},
		},
	},
	{
		table: "hook",
		add: func(s *Store, of directory.IntegratorID, mark string) (directory.ID, error) {
			_, h, err := s.AddHook(ctx, of, directory.Hook{URL: hookOf(mark)}, mark, matrixMoment)
			return h.ID, err
		},
		read: func(s *Store, as directory.IntegratorID) (any, error) { return s.Hooks(ctx, as) },
		one: map[string]func(s *Store, as directory.IntegratorID, id directory.ID) error{
			"read": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				_, err := s.Hook(ctx, as, id)
				return err
			},
			"read the log": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				_, err := s.HookLog(ctx, as, id, 0, 10)
				return err
			},
			"rotate": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				_, _, err := s.RotateHook(ctx, as, id, 0, "test", matrixMoment)
				return err
			},
			"test": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				_, err := s.TestHook(ctx, as, id, "test", matrixMoment)
				return err
			},
			"replay": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				_, err := s.ReplayHook(ctx, as, id, 0, "test", matrixMoment)
				return err
			},
			"end": func(s *Store, as directory.IntegratorID, id directory.ID) error {
				_, err := s.EndHook(ctx, as, id, "test", matrixMoment)
				return err
			},
		},
	},
	{
		table: "delivery",
		add: func(s *Store, of directory.IntegratorID, mark string) (directory.ID, error) {
			_, h, err := s.AddHook(ctx, of, directory.Hook{URL: hookOf("delivered")}, "test", matrixMoment)
			if err != nil {
				return "", err
			}
			_, err = s.writer.Exec(`INSERT INTO delivery (hook, number, notice, seq, type, attempt, at, took, status, outcome, why, next_at) VALUES ($1, 1, $2, 7, 'test', 1, $3, 12, 500, 'failed', $2, '')`, h.ID, mark, matrixMoment)
			return "", err
		},
		read: func(s *Store, as directory.IntegratorID) (any, error) {
			var out []directory.Delivery
			hooks, err := s.Hooks(ctx, as)
			for _, h := range hooks {
				log, err := s.HookLog(ctx, as, h.ID, 0, 10)
				if err != nil {
					return nil, err
				}
				out = append(out, log...)
			}
			return out, err
		},
	},
}

// hookOf is an address of its own.
func hookOf(mark string) string {
	return "https://" + strings.TrimSuffix(mark, ".") + ".example/" + mark + string(directory.NewID("x", matrixMoment))
}

func TestNoIntegratorReadsAnothers(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testNoIntegratorReadsAnothers(t, Config{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { testNoIntegratorReadsAnothers(t, Config{DSN: storetest.Postgres(t)}) })
}

// Integrator × thing × field: each reads all of their own and nothing of another's, and can change nothing of another's
// though they know its id. Ids that hold what a query could take for something else find nothing.
func testNoIntegratorReadsAnothers(t *testing.T, c Config) {
	c.Now, c.SuppressionKey = newClock().now, []byte(strings.Repeat("k", 32))
	s := open(t, c)
	who := []directory.IntegratorID{"acme", "acme-2", "zeta"}
	strangers := []directory.IntegratorID{"", "nobody", "ac", "ACME", "acme%", "acme' OR '1'='1", "acme\" OR 1=1 --", "%", "_cme"}
	for _, id := range who {
		must(s.AddIntegrator(ctx, directory.Integrator{ID: id, Name: string(id)}, "test", matrixMoment))
	}
	ids := map[string]map[directory.IntegratorID]directory.ID{}
	for _, x := range ownedThings {
		ids[x.table] = map[directory.IntegratorID]directory.ID{}
		for _, id := range who {
			ids[x.table][id] = must(x.add(s, id, markOf(id)))
		}
	}
	fields := func(x ownedThing, as directory.IntegratorID) (rows []map[string]string) {
		t.Helper()
		raw, err := json.Marshal(must(x.read(s, as)))
		if err != nil {
			t.Fatal(err)
		}
		var list []map[string]any
		if err := json.Unmarshal(raw, &list); err != nil {
			t.Fatal(err)
		}
		for _, row := range list {
			flat := map[string]string{}
			for field, v := range row {
				flat[field] = fmt.Sprint(v)
			}
			rows = append(rows, flat)
		}
		return rows
	}
	whole := func() map[string][]map[string]string {
		out := map[string][]map[string]string{}
		for _, x := range ownedThings {
			for _, as := range who {
				out[x.table+" of "+string(as)] = fields(x, as)
			}
		}
		return out
	}
	for _, x := range ownedThings {
		for _, as := range who {
			rows := fields(x, as)
			if len(rows) == 0 {
				t.Errorf("%s does not read their own %s", as, x.table)
			}
			marked := 0
			for _, row := range rows {
				for field, v := range row {
					for _, other := range who {
						if other != as && strings.Contains(v, markOf(other)) {
							t.Errorf("%s reads %s of %s's %s: %s", as, field, other, x.table, v)
						}
						if other != as && ids[x.table][other] != "" && v == string(ids[x.table][other]) {
							t.Errorf("%s reads the id of %s's %s", as, other, x.table)
						}
					}
					if strings.Contains(v, markOf(as)) {
						marked++
					}
				}
			}
			if marked == 0 {
				t.Errorf("%s: nothing of what %s reads would tell whose it is", x.table, as)
			}
		}
		for _, as := range strangers {
			if rows := fields(x, as); len(rows) > 0 {
				t.Errorf("%q reads %v", as, rows)
			}
		}
	}
	before := whole()
	for _, x := range ownedThings {
		for how, do := range x.one {
			for _, of := range who {
				for _, as := range slices.Concat(who, strangers) {
					if as == of {
						continue
					}
					if err := do(s, as, ids[x.table][of]); directory.KindOf(err) != directory.NotFound {
						t.Errorf("%q: %s of %s's %s: %v", as, how, of, x.table, err)
					}
				}
			}
		}
	}
	if d := cmp.Diff(before, whole()); d != "" {
		t.Errorf("others changed (-before +after):\n%s", d)
	}
	// What ends with one stays with the others.
	must(s.EndIntegrator(ctx, "acme", "test", matrixMoment))
	after := whole()
	for name := range after {
		if d := cmp.Diff(before[name], after[name]); (d != "") != (strings.HasSuffix(name, " of acme") && !strings.HasPrefix(name, "api_usage") && !strings.HasPrefix(name, "delivery")) {
			t.Errorf("the end of acme changed %s: %v", name, d)
		}
	}
	// Each can do to their own what nobody else could.
	for _, x := range ownedThings {
		for how, do := range x.one {
			own := must(x.add(s, "zeta", "own"))
			if err := do(s, "zeta", own); err != nil {
				t.Errorf("%s of their own %s: %v", how, x.table, err)
			}
		}
	}
	// Every table that says whose a row is stands in the matrix.
	got := tablesOf(t, s)
	var want []string
	for _, x := range ownedThings {
		want = append(want, x.table)
	}
	sort.Strings(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("tables of integrators and rows of ownedThings differ (-matrix +database):\n%s", d)
	}
}

// markOf is a text that stands in no other's.
func markOf(id directory.IntegratorID) string { return "mark." + string(id) + "." }

// tablesOf lists the tables with a column that says to which integrator, key or webhook a row belongs.
func tablesOf(t *testing.T, s *Store) (out []string) {
	t.Helper()
	query := `SELECT DISTINCT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND (c.name IN ('integrator', 'hook') OR m.name = 'api_usage' AND c.name = 'key') ORDER BY m.name`
	if s.config.DSN != "" {
		query = `SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND (column_name IN ('integrator', 'hook') OR table_name = 'api_usage' AND column_name = 'key') ORDER BY table_name`
	}
	err := s.read(ctx, "test", func(t *tx) error {
		return t.each(query, nil, func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			out = append(out, name)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

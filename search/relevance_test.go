package search

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/blevesearch/bleve/v2"
	_ "modernc.org/sqlite" // what plain full-text search gives, to be compared with

	"kapdir/directory"
)

// The least that TestRelevanceSet accepts, over all queries and over those held out.
const (
	leastNDCG    = 0.95
	leastSuccess = 0.90
)

// wanted is a line of testdata/relevance/queries.txt.
type wanted struct {
	kind, text string
	rule       map[string][]string
	heldOut    bool
}

func relevanceQueries(t testing.TB, files []*directory.CredentialFile) []wanted {
	f, err := os.Open("testdata/relevance/queries.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []wanted
	for s := bufio.NewScanner(f); s.Scan(); {
		if s.Text() == "" || strings.HasPrefix(s.Text(), "#") {
			continue
		}
		parts := strings.SplitN(s.Text(), " | ", 3)
		if len(parts) != 3 {
			t.Fatalf("not a query: %s", s.Text())
		}
		h := fnv.New32a()
		h.Write([]byte(parts[1]))
		w := wanted{kind: parts[0], text: numbersIn(parts[1], files), rule: map[string][]string{}, heldOut: h.Sum32()%3 == 0}
		for wish := range strings.SplitSeq(parts[2], "; ") {
			name, values, _ := strings.Cut(wish, "=")
			if w.rule[name] = []string{values}; name != "near" && name != "alt" && name != "name" {
				w.rule[name] = strings.Split(values, ",")
			}
		}
		out = append(out, w)
	}
	return out
}

// numbersIn puts a person's number where a query names it.
func numbersIn(text string, files []*directory.CredentialFile) string {
	before, rest, ok := strings.Cut(text, "{")
	if !ok {
		return text
	}
	inside, after, _ := strings.Cut(rest, "}")
	what, name, _ := strings.Cut(inside, ":")
	for _, f := range files {
		if f.Provider.DisplayName() != name {
			continue
		}
		for _, h := range f.Claims {
			if h.Claim.Kind == directory.License {
				switch what {
				case "licence":
					return before + h.Claim.Number.Shown + after
				case "digits":
					return before + strings.TrimLeft(h.Claim.Number.Digits(), "0") + after
				}
			}
		}
		if what == "npi" {
			return before + string(f.Provider.NPI) + after
		}
	}
	return text
}

// grader grades the corpus by rules, straight from the files.
type grader struct {
	o     oracle
	facts map[string]map[string][]string // facet values by provider, as they are asked for
	known map[directory.State]map[directory.ID]standing
}

// standing is what the checks say of somebody for patients of a state.
type standing struct{ problem, canSee bool }

func (g *grader) standing(f *directory.CredentialFile, y directory.State) standing {
	if y == "" {
		y = f.Provider.HomeState()
	}
	if g.known[y] == nil {
		g.known[y] = map[directory.ID]standing{}
	}
	s, ok := g.known[y][f.Provider.ID]
	if !ok {
		shown := 0
		for _, c := range directory.Checks(f, y, g.o.at, g.o.at, directory.StandardPolicies()) {
			s.problem = s.problem || c.Result == directory.ProblemOnRecord
			if (c.Check == directory.CheckLicense || c.Check == directory.CheckOversight) && (c.Result == directory.Confirmed || c.Result == directory.ShownByDocument) {
				shown++
			}
		}
		s.canSee = shown == 2
		g.known[y][f.Provider.ID] = s
	}
	return s
}

func (g *grader) has(f *directory.CredentialFile, facet string, values []string) bool {
	id := string(f.Provider.ID)
	if g.facts[facet] == nil {
		g.facts[facet] = map[string][]string{}
	}
	have, ok := g.facts[facet][id]
	if !ok {
		have = g.o.values(Query{}, f, facet)
		g.facts[facet][id] = have
	}
	return slices.ContainsFunc(have, func(v string) bool { return slices.Contains(values, v) })
}

func (g *grader) grade(w wanted, f *directory.CredentialFile) int {
	p := &f.Provider.Practice
	for name, values := range w.rule {
		ok := false
		switch name {
		case "infusion", "miles", "alt":
			ok = true
		case "near":
			miles := 50.0
			if m := w.rule["miles"]; m != nil {
				miles, _ = strconv.ParseFloat(m[0], 64)
			}
			for _, where := range append(values, w.rule["alt"]...) {
				var at directory.Place
				if isNumber(where) {
					at, _ = directory.Tables().PlaceOfZIP(where)
				} else {
					city, state, _ := strings.Cut(where, ", ")
					at, _, _ = directory.Tables().PlaceOfTown(city, directory.State(state))
				}
				ok = ok || slices.ContainsFunc(f.Provider.Sites, func(s directory.Site) bool { return s.Point != nil && at.Point.Miles(*s.Point) <= miles })
			}
		case "state":
			ok = g.has(f, "state", values)
		case "telehealth":
			ok = slices.Contains(p.TelehealthIn, directory.State(values[0]))
		case "can_see":
			ok = g.standing(f, directory.State(values[0])).canSee
		case "video":
			ok = g.has(f, "video", []string{"yes"})
		case "price_max":
			most, _ := strconv.ParseInt(values[0], 10, 64)
			low, _, stated := p.SessionPrice()
			ok = stated && low <= 100*most
		case "letters":
			ok = g.has(f, "licence", values)
		case "name":
			ok = f.Provider.DisplayName() == values[0]
		default:
			ok = g.has(f, name, values)
		}
		if !ok {
			return 0
		}
	}
	grade := 3
	if _, named := w.rule["name"]; !named {
		if p.CareType() != directory.CareFullKAP && w.rule["infusion"] == nil && w.rule["care"] == nil {
			grade = 2
		}
		y := w.rule["can_see"]
		if y == nil {
			y = w.rule["state"]
		}
		if y == nil && w.rule["near"] != nil {
			if _, s, ok := strings.Cut(w.rule["near"][0], ", "); ok {
				y = []string{s}
			} else if z, ok := directory.Tables().PlaceOfZIP(w.rule["near"][0]); ok {
				y = []string{string(z.State)}
			}
		}
		var state directory.State
		if y != nil {
			state = directory.State(y[0])
		}
		if g.standing(f, state).problem {
			grade = 1
		}
	}
	return grade
}

// score is how good a list of results is.
type score struct{ ndcg, first float64 }

// scoreOf compares the grades of a list with the best that the corpus gives.
func scoreOf(list []directory.ID, grades map[directory.ID]int) score {
	gain := func(grades []int) float64 {
		sum := 0.0
		for i, g := range grades[:min(10, len(grades))] {
			sum += (math.Exp2(float64(g)) - 1) / math.Log2(float64(i)+2)
		}
		return sum
	}
	best := slices.Sorted(maps.Values(grades))
	slices.Reverse(best)
	var got []int
	for _, id := range list {
		got = append(got, grades[id])
	}
	s := score{ndcg: gain(got) / gain(best)}
	if len(got) > 0 && got[0] == best[0] {
		s.first = 1
	}
	return s
}

// The set: what people type, over the corpus, against what plain full-text search makes of it in the same run.
func TestRelevanceSet(t *testing.T) {
	files := relevanceCorpus()
	b := newBench(t, files...)
	g := &grader{o: oracle{files: files, at: directory.At(b.now)}, facts: map[string]map[string][]string{}, known: map[directory.State]map[directory.ID]standing{}}
	texts := map[directory.ID]string{}
	docs := b.x.serving.docs
	for _, doc := range docs.byID {
		var words []string // with our synonyms: they help whoever reads them
		eachIndexTerm(docs.terms.of(doc), docs.table.all(), func(t []byte) {
			w, _ := cutTerm(string(t))
			words = append(words, w)
		})
		texts[docs.ids[doc]] = strings.Join(words, " ")
	}
	ours := func(text string) []directory.ID {
		a, err := Answer(context.Background(), b.x, Query{Limit: 10}, Options{}, text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return ids(a.Result)
	}
	engines := []struct {
		name string
		find func(string) []directory.ID
	}{{"kapdir", ours}, {"bleve match", plainBleve(t, texts)}, {"SQLite FTS5", plainFTS5(t, texts)}}

	type tally struct {
		n     int
		score []score
	}
	sums := map[string]*tally{}
	add := func(key string, i int, s score) {
		x := sums[key]
		if x == nil {
			x = &tally{score: make([]score, len(engines))}
			sums[key] = x
		}
		if i == 0 {
			x.n++
		}
		x.score[i].ndcg += s.ndcg
		x.score[i].first += s.first
	}
	show := os.Getenv("KAPDIR_RELEVANCE") != "" // lists what is not perfect, of those not held out
	queries := relevanceQueries(t, files)
	if len(queries) < 200 {
		t.Errorf("%d queries, want 200", len(queries))
	}
	for _, w := range queries {
		grades := map[directory.ID]int{}
		for _, f := range files {
			if x := g.grade(w, f); x > 0 {
				grades[f.Provider.ID] = x
			}
		}
		if len(grades) == 0 {
			t.Errorf("%q has no answer in the corpus", w.text)
			continue
		}
		for i, e := range engines {
			s := scoreOf(e.find(w.text), grades)
			add("all", i, s)
			add("kind: "+w.kind, i, s)
			if w.heldOut {
				add("held out", i, s)
			} else {
				add("not held out", i, s)
			}
			if i == 0 && s != (score{1, 1}) && show && !w.heldOut {
				r := Understand(w.text, Options{Known: func(w string) bool { return b.x.Known(context.Background(), w) }})
				var read []string
				for _, p := range r.Pieces {
					read = append(read, p.Key())
				}
				t.Logf("%-12s %.2f %.0f %q: %s rest %q, of %d", w.kind, s.ndcg, s.first, w.text, strings.Join(read, " "), r.Rest, len(grades))
			}
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n%-24s %4s", "nDCG@10, success@1", "n")
	for _, e := range engines {
		fmt.Fprintf(&out, " %18s", e.name)
	}
	for _, key := range slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(b, "kind"), strings.Count(a, "kind")), cmp.Compare(a, b))
	}) {
		x := sums[key]
		fmt.Fprintf(&out, "\n%-24s %4d", key, x.n)
		for _, s := range x.score {
			fmt.Fprintf(&out, "        %.3f %.3f", s.ndcg/float64(x.n), s.first/float64(x.n))
		}
	}
	t.Log(out.String())
	for _, key := range []string{"all", "held out"} {
		x := sums[key]
		n := float64(x.n)
		if x.score[0].ndcg/n < leastNDCG || x.score[0].first/n < leastSuccess {
			t.Errorf("%s: nDCG@10 %.3f and success@1 %.3f, want %v and %v", key, x.score[0].ndcg/n, x.score[0].first/n, leastNDCG, leastSuccess)
		}
		for _, other := range x.score[1:] {
			if other.ndcg >= x.score[0].ndcg {
				t.Errorf("%s: plain full-text search does as well", key)
			}
		}
	}
}

// plainBleve is a match query on an index of bleve's own making.
func plainBleve(t *testing.T, texts map[directory.ID]string) func(string) []directory.ID {
	index, err := bleve.New(filepath.Join(t.TempDir(), "plain"), bleve.NewIndexMapping())
	if err != nil {
		t.Fatal(err)
	}
	batch := index.NewBatch()
	for id, text := range texts {
		if err := batch.Index(string(id), map[string]string{"text": text}); err != nil {
			t.Fatal(err)
		}
	}
	if err := index.Batch(batch); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { index.Close() })
	return func(text string) []directory.ID {
		r, err := index.Search(bleve.NewSearchRequestOptions(bleve.NewMatchQuery(text), 10, 0, false))
		if err != nil {
			t.Fatal(err)
		}
		var out []directory.ID
		for _, h := range r.Hits {
			out = append(out, directory.ID(h.ID))
		}
		return out
	}
}

// plainFTS5 is a query for any of the words, ranked by bm25.
func plainFTS5(t *testing.T, texts map[directory.ID]string) func(string) []directory.ID {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	run := func(q string, args ...any) {
		if _, err := db.Exec(q, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(`CREATE VIRTUAL TABLE p USING fts5(id UNINDEXED, text, tokenize = 'unicode61 remove_diacritics 2')`)
	run(`BEGIN`)
	for id, text := range texts {
		run(`INSERT INTO p VALUES (?, ?)`, string(id), text)
	}
	run(`COMMIT`)
	return func(text string) []directory.ID {
		var words []string
		for _, w := range tokens(text) {
			words = append(words, `"`+w+`"`)
		}
		rows, err := db.Query(`SELECT id FROM p WHERE p MATCH ? ORDER BY bm25(p), id LIMIT 10`, strings.Join(words, " OR "))
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var out []directory.ID
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			out = append(out, directory.ID(id))
		}
		return out
	}
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store/storebench"
	"kapdir/search/searchbench"
)

func (a *app) benchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "bench", Short: "Measure this program beside others", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	b := searchMeasure{app: a}
	one := &cobra.Command{
		Use:   "search",
		Short: "Measure the search on invented providers, beside other engines in the same run",
		Long: `Measure the search on invented providers: the same on every machine, at places that exist. With --against the
same questions are put, in turn, to other engines on the same providers: bleve (by its own facets, distances
and order), sqlite-fts5 (with an R*Tree) and postgres (tsvector, pg_trgm, PostGIS; give the address of an empty
database by --dsn). The totals and facets of a sample are held against a count by hand. Each figure is the time
of one question in microseconds: the processor's, own and server's together, and the median and the 99th of 100
on the clock. What another program on the machine does shows in the clock first: trust the ratios.`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return b.run(a.ctx) },
	}
	one.Flags().IntVar(&b.n, "providers", 10000, "how many")
	one.Flags().StringSliceVar(&b.against, "against", nil, "bleve, sqlite-fts5, postgres")
	one.Flags().StringVar(&b.dsn, "dsn", a.getenv("KAPDIR_BENCH_DSN"), "address of an empty PostgreSQL database")
	one.Flags().DurationVar(&b.budget, "time", 2*time.Second, "for each engine and class")
	one.Flags().StringSliceVar(&b.only, "only", nil, "the classes to measure")
	cmd.AddCommand(one, a.benchHTTPCommand())
	return cmd
}

// searchMeasure is one run of kapdir bench search.
type searchMeasure struct {
	*app
	n       int
	against []string
	dsn     string
	budget  time.Duration
	only    []string

	corpus  *searchbench.Corpus
	rows    []searchbench.Row // of a small corpus, to count by hand
	engines []*measured
	out     benchAnswer
}

// measured is an engine with what was measured of it.
type measured struct {
	name string
	ask  func(context.Context, searchbench.Question) (searchbench.Answer, error)
	cpu  func() float64 // of its server, seconds
}

// benchAnswer is what the command answers.
type benchAnswer struct {
	Providers int          `json:"providers"`
	Notes     []string     `json:"notes"`
	Builds    []benchBuild `json:"builds"`
	Classes   []benchClass `json:"classes"`
}

type benchBuild struct {
	What      string  `json:"what"`
	Documents int     `json:"documents"`
	Seconds   float64 `json:"seconds"`
	CPU       float64 `json:"cpu_seconds"`
	PerSecond float64 `json:"documents_per_cpu_second"`
}

type benchClass struct {
	Class   string      `json:"class"`
	Checked int         `json:"checked_by_hand"` // questions whose total and facets were counted by hand
	Results []benchTime `json:"results"`
}

type benchTime struct {
	Engine string  `json:"engine"`
	Runs   int     `json:"runs"`
	CPU    float64 `json:"cpu_us"`
	P50    float64 `json:"p50_us"`
	P99    float64 `json:"p99_us"`
	Ratio  float64 `json:"times_ours"` // of the processor's time
	Total  float64 `json:"mean_total"`
	Recall float64 `json:"recall,omitempty"` // of typo: how often the page has the right word
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// build times the making of something and notes it.
func (b *searchMeasure) build(what string, docs int, server func() float64, f func() error) error {
	if server == nil {
		server = func() float64 { return 0 }
	}
	at, cpu := time.Now(), cpuSeconds()+server()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	x := benchBuild{What: what, Documents: docs, Seconds: time.Since(at).Seconds(), CPU: cpuSeconds() + server() - cpu}
	x.PerSecond = float64(docs) / max(x.CPU, 1e-3)
	b.out.Builds = append(b.out.Builds, x)
	b.say("%s: %d in %.1f s, %.1f s of the processor", what, docs, x.Seconds, x.CPU)
	return nil
}

func (b *searchMeasure) say(format string, args ...any) {
	if !b.cfg.Quiet && !b.cfg.JSON {
		fmt.Fprintf(b.err, format+"\n", args...)
	}
}

func (b *searchMeasure) note(format string, args ...any) {
	b.out.Notes = append(b.out.Notes, fmt.Sprintf(format, args...))
	b.say(format, args...)
}

func (b *searchMeasure) run(ctx context.Context) error {
	if b.n < 100 {
		return directory.Errorf(directory.Invalid, "providers", "at least 100 providers are needed")
	}
	dir, err := os.MkdirTemp("", "kapdir-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.out.Providers = b.n
	giveHeapRoom() // as a server does
	b.corpus = searchbench.NewCorpus(b.n)
	ours, err := b.ours(ctx, dir)
	if err != nil {
		return err
	}
	defer ours.Index.Close()
	for _, name := range b.against {
		switch name {
		case "bleve":
			err = b.bleve(ctx, dir)
		case "sqlite-fts5":
			var db *storebench.DB
			if db, err = storebench.SQLite(ctx, filepath.Join(dir, "bench.db")); err == nil {
				defer db.Close()
				err = b.database(ctx, name, db)
			}
		case "postgres":
			if b.dsn == "" {
				b.note("postgres was not measured: give an empty database by --dsn or KAPDIR_BENCH_DSN")
				continue
			}
			var db *storebench.DB
			if db, err = storebench.Postgres(ctx, b.dsn); err == nil {
				defer db.Close()
				if !db.PostGIS() {
					b.note("PostGIS is missing: distances are earthdistance's")
				}
				err = b.database(ctx, name, db)
			}
		default:
			err = directory.Errorf(directory.Invalid, "against", "%q is no engine: use bleve, sqlite-fts5 or postgres", name)
		}
		if err != nil {
			return err
		}
	}
	if b.n <= 20000 {
		for i := range b.n {
			b.rows = append(b.rows, b.corpus.Row(i+1, 0))
		}
	} else {
		b.note("there are too many to count by hand: the engines' totals are held against each other")
	}
	for i, c := range searchbench.Classes {
		if len(b.only) > 0 && !slices.Contains(b.only, c.Name) {
			continue
		}
		if err := b.class(ctx, uint64(i), c, ours); err != nil {
			return err
		}
	}
	if err := b.catchUp(ctx, ours); err != nil {
		return err
	}
	return b.print()
}

func (b *searchMeasure) ours(ctx context.Context, dir string) (*searchbench.Ours, error) {
	var ours *searchbench.Ours
	err := b.build("kapdir: columns, with the checks of everybody", b.n, nil, func() (err error) {
		ours, err = searchbench.NewOurs(ctx, b.corpus, filepath.Join(dir, "kapdir"))
		return err
	})
	if err == nil {
		read, cpu := time.Duration(0), 0.0
		at, begin := time.Now(), cpuSeconds()
		err = ours.Index.Rebuild(ctx, func(int, int) {
			if cpu == 0 { // the feed has been read, and the first documents are written
				read, cpu = time.Since(at), cpuSeconds()-begin
			}
		})
		x := benchBuild{What: "kapdir: index", Documents: b.n, Seconds: (time.Since(at) - read).Seconds(), CPU: cpuSeconds() - begin - cpu}
		x.PerSecond = float64(b.n) / max(x.CPU, 1e-3)
		b.out.Builds = append(b.out.Builds, x)
		b.say("%s: %d in %.1f s, %.1f s of the processor", x.What, x.Documents, x.Seconds, x.CPU)
	}
	if err != nil {
		return nil, err
	}
	b.engines = append(b.engines, &measured{"kapdir", ours.Ask, nil})
	debug.FreeOSMemory()
	b.note("resident with the index open: %d MB, of which %d MB are the heap", resident("VmRSS"), resident("RssAnon"))
	return ours, nil
}

// resident reads a line of /proc/self/status, in MB; 0 where there is none.
func resident(name string) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb / 1024
		}
	}
	return 0
}

const benchBatch = 2000

// eachBatch makes the rows of the corpus in batches.
func (b *searchMeasure) eachBatch(ctx context.Context, n int, f func(first int, rows []searchbench.Row) error) error {
	for first := 1; first <= n; first += benchBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		var rows []searchbench.Row
		for i := first; i < first+benchBatch && i <= n; i++ {
			rows = append(rows, b.corpus.Row(i, 0))
		}
		if err := f(first, rows); err != nil {
			return err
		}
	}
	return nil
}

// filled times what is done with the rows, without the time in which they are made.
func (b *searchMeasure) filled(ctx context.Context, what string, n int, server func() float64, add func(first int, rows []searchbench.Row) error, finish func() error) error {
	if server == nil {
		server = func() float64 { return 0 }
	}
	x := benchBuild{What: what, Documents: n}
	timed := func(f func() error) error {
		at, cpu := time.Now(), cpuSeconds()+server()
		err := f()
		x.Seconds, x.CPU = x.Seconds+time.Since(at).Seconds(), x.CPU+cpuSeconds()+server()-cpu
		return err
	}
	err := b.eachBatch(ctx, n, func(first int, rows []searchbench.Row) error {
		return timed(func() error { return add(first, rows) })
	})
	if err == nil && finish != nil {
		err = timed(finish)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	x.PerSecond = float64(n) / max(x.CPU, 1e-3)
	b.out.Builds = append(b.out.Builds, x)
	b.say("%s: %d in %.1f s, %.1f s of the processor", what, n, x.Seconds, x.CPU)
	return nil
}

func (b *searchMeasure) bleve(ctx context.Context, dir string) error {
	few := min(b.n, 10000) // the default mapping is slow
	plain, err := searchbench.NewBleve(filepath.Join(dir, "bleve-default"), false)
	if err != nil {
		return err
	}
	if err := b.filled(ctx, "bleve, default mapping", few, nil, func(_ int, rows []searchbench.Row) error { return plain.Add(rows) }, plain.Close); err != nil {
		return err
	}
	tuned, err := searchbench.NewBleve(filepath.Join(dir, "bleve"), true)
	if err != nil {
		return err
	}
	b.engines = append(b.engines, &measured{"bleve", tuned.Ask, nil})
	return b.filled(ctx, "bleve, tuned mapping", b.n, nil, func(_ int, rows []searchbench.Row) error { return tuned.Add(rows) }, nil)
}

func (b *searchMeasure) database(ctx context.Context, name string, db *storebench.DB) error {
	b.engines = append(b.engines, &measured{name, func(ctx context.Context, q searchbench.Question) (searchbench.Answer, error) {
		x, err := db.Ask(ctx, storebench.Question(q))
		return searchbench.Answer(x), err
	}, db.CPU})
	return b.filled(ctx, name, b.n, db.CPU, func(first int, rows []searchbench.Row) error {
		list := make([]storebench.Row, len(rows))
		for i, r := range rows {
			list[i] = storebench.Row(r)
		}
		return db.Add(ctx, first, list)
	}, func() error { return db.Finish(ctx) })
}

const (
	benchQuestions = 100
	benchByHand    = 3
)

// class puts the questions of a class to the engines in turn.
func (b *searchMeasure) class(ctx context.Context, seed uint64, c searchbench.Class, ours *searchbench.Ours) error {
	r := rand.New(rand.NewPCG(seed, 99))
	questions := make([]searchbench.Question, benchQuestions)
	for i := range questions {
		questions[i] = c.Ask(b.corpus, r)
		if err := ours.Prepare(ctx, questions[i]); err != nil {
			return err
		}
	}
	out := benchClass{Class: c.Name}
	for _, q := range questions[:benchByHand] {
		if !c.Same {
			break
		}
		if b.rows != nil {
			out.Checked++
		}
		if err := b.compare(ctx, c, q); err != nil {
			return err
		}
	}
	type sums struct {
		times  []float64
		cpu    float64
		total  float64
		right  int
		rounds int
	}
	all := make([]sums, len(b.engines))
	for _, e := range b.engines { // warm
		if _, err := e.ask(ctx, questions[0]); err != nil {
			return fmt.Errorf("%s, %s: %w", c.Name, e.name, err)
		}
	}
	const rounds = 10
	for round := range rounds {
		for i, e := range b.engines {
			s := &all[i]
			server := func() float64 { return 0 }
			if e.cpu != nil {
				server = e.cpu
			}
			runtime.GC()
			cpu := cpuSeconds() + server()
			begin := time.Now()
			for k := 0; k == 0 || time.Since(begin) < b.budget/rounds; k++ {
				q := questions[(round*37+len(s.times))%len(questions)]
				at := time.Now()
				a, err := e.ask(ctx, q)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", c.Name, e.name, err)
				}
				s.times = append(s.times, float64(time.Since(at).Nanoseconds())/1e3)
				s.total += float64(a.Total)
				if q.Typo != "" && k < 5 {
					s.rounds++
					if b.finds(a, q.Typo) {
						s.right++
					}
				}
			}
			s.cpu += cpuSeconds() + server() - cpu
		}
	}
	base := 0.0
	for i, e := range b.engines {
		s := &all[i]
		n := float64(len(s.times))
		slices.Sort(s.times)
		x := benchTime{Engine: e.name, Runs: len(s.times), CPU: s.cpu / n * 1e6, P50: s.times[len(s.times)/2], P99: s.times[len(s.times)*99/100], Total: s.total / n}
		if s.rounds > 0 {
			x.Recall = float64(s.right) / float64(s.rounds)
		}
		if i == 0 {
			base = x.CPU
		}
		x.Ratio = x.CPU / base
		out.Results = append(out.Results, x)
	}
	b.out.Classes = append(b.out.Classes, out)
	b.say("%s: done", c.Name)
	return nil
}

// finds reports an answer with a name of which some word is one letter off.
func (b *searchMeasure) finds(a searchbench.Answer, typo string) bool {
	for _, id := range a.IDs {
		n, err := strconv.Atoi(strings.TrimPrefix(id, directory.ProviderPrefix))
		if err != nil {
			continue
		}
		name := b.corpus.File(n, 0).Provider.Name
		if oneOff(strings.ToLower(name.Family), typo) || oneOff(strings.ToLower(name.Given), typo) {
			return true
		}
	}
	return false
}

// oneOff reports words that differ by at most one letter put in, left out or changed.
func oneOff(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return i == len(a) || a[i+1:] == b[i+1:]
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

// compare fails unless every engine says of a question what counting by hand says, or the same as ours where
// there are too many to count.
func (b *searchMeasure) compare(ctx context.Context, c searchbench.Class, q searchbench.Question) error {
	var want searchbench.Answer
	if b.rows != nil {
		want = searchbench.Count(b.rows, q)
	}
	for i, e := range b.engines {
		got, err := e.ask(ctx, q)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", c.Name, e.name, err)
		}
		if i == 0 && b.rows == nil {
			want = got
		}
		far := got.Total - want.Total
		if i > 0 && q.Miles > 0 && max(far, -far) <= 2+want.Total/200 { // another earth, by a few yards
			continue
		}
		if far != 0 {
			return fmt.Errorf("%s: %s finds %d, and %d are right: %+v", c.Name, e.name, got.Total, want.Total, q)
		}
		if !q.Facets {
			continue
		}
		for name, values := range want.Facets {
			if name == "framework" && q.Framework != "" && i == 0 {
				continue // ours counts it with its own filter lifted
			}
			for v, n := range values {
				if got.Facets[name][v] != n {
					return fmt.Errorf("%s: %s counts %d of %s %s, and %d are right: %+v", c.Name, e.name, got.Facets[name][v], name, v, n, q)
				}
			}
		}
	}
	return nil
}

// catchUp times a thousand changes, and single ones.
func (b *searchMeasure) catchUp(ctx context.Context, ours *searchbench.Ours) error {
	r := rand.New(rand.NewPCG(5, 5))
	for _, k := range []int{min(1000, b.n/2), 1} {
		for range k {
			ours.Feed.Change(1 + r.IntN(b.n))
		}
		if err := b.build(fmt.Sprintf("kapdir: %d changes followed", k), k, nil, func() error {
			_, err := ours.Index.Sync(ctx)
			return err
		}); err != nil {
			return err
		}
	}
	debug.FreeOSMemory()
	b.note("resident after everything: %d MB, of which %d MB are the heap", resident("VmRSS"), resident("RssAnon"))
	return nil
}

func (b *searchMeasure) print() error {
	if b.cfg.JSON {
		return json.NewEncoder(b.app.out).Encode(b.out)
	}
	w := tabwriter.NewWriter(b.app.out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d providers\t\t\t\t\t\t\t\t\n", b.n)
	fmt.Fprintln(w, "made\tdocuments\tseconds\tCPU s\tper CPU s\t\t\t\t")
	for _, x := range b.out.Builds {
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%.2f\t%.0f\t\t\t\t\n", x.What, x.Documents, x.Seconds, x.CPU, x.PerSecond)
	}
	fmt.Fprintln(w, "class\tengine\truns\tCPU µs\tp50 µs\tp99 µs\ttimes ours\tmean total\trecall")
	for _, c := range b.out.Classes {
		for _, x := range c.Results {
			recall := ""
			if x.Recall > 0 {
				recall = fmt.Sprintf("%.2f", x.Recall)
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%s\n", c.Class, x.Engine, x.Runs, x.CPU, x.P50, x.P99, x.Ratio, x.Total, cmp.Or(recall, "–"))
		}
	}
	return w.Flush()
}

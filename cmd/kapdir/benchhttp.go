package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/web"
	"kapdir/directory/web/webbench"
	"kapdir/search/searchbench"
)

func (a *app) benchHTTPCommand() *cobra.Command {
	b := httpMeasure{app: a}
	cmd := &cobra.Command{
		Use:   "http",
		Short: "Measure the search API over HTTP, beside a bare Fiber handler that sends the same bytes",
		Long: `With --pages the pages for people instead: the search page, kept in memory and made anew, and providers' pages;
with --connections 1 their p99 is what the server takes for one. What is known of each is that of one of the
demonstration's people, so that a page is as long as theirs.

Measure GET /api/v1/providers on invented providers, in one run beside two Fiber handlers that do nothing but send
the same: one the bodies alone, one all bytes, the headers too. It is measured with the answers kept in memory, and with
every one worked out anew. Every answer counts six
facets. The load comes from a process of its own, over keep-alive connections that ask again when they have their
answer, and shares the processor with the server. They take turns; the ratios are of answers per second, median of the
rounds, and of the processor's time, which is the server's alone.`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return b.run(a.ctx) },
	}
	cmd.Flags().IntVar(&b.n, "providers", 10000, "how many")
	cmd.Flags().BoolVar(&b.one, "one", false, "measure answers about one provider instead of searches, as long as those of the demonstration")
	cmd.Flags().BoolVar(&b.pages, "pages", false, "measure the pages instead of the API")
	cmd.Flags().IntVar(&b.conns, "connections", 64, "how many at once")
	cmd.Flags().IntVar(&b.rounds, "rounds", 9, "how often each has its turn")
	cmd.Flags().DurationVar(&b.turn, "time", time.Second, "of one turn")
	load := &cobra.Command{Use: "load", Hidden: true, Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error { return benchLoad(a.ctx, os.Stdin, a.out) }}
	cmd.AddCommand(load)
	return cmd
}

// benchLoad makes the loads that come as lines of JSON, and answers each with a line.
func benchLoad(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l webbench.Load
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(l.Run(ctx)); err != nil {
			return err
		}
	}
	return lines.Err()
}

// httpMeasure is one run of kapdir bench http.
type httpMeasure struct {
	*app
	n, conns, rounds int
	pages, one       bool
	turn             time.Duration
}

// httpServer is one of those that take turns.
type httpServer struct {
	name   string
	addr   string
	paths  []string
	rates  []float64 // answers per second, by round
	cpu    float64   // seconds
	count  int
	p50    []float64
	p99    []float64
	bodies int
}

// httpAnswer is what the command answers.
type httpAnswer struct {
	Providers   int       `json:"providers"`
	Connections int       `json:"connections"`
	Load        string    `json:"load_average"`
	Servers     []httpRow `json:"servers"`
}

type httpRow struct {
	Server    string  `json:"server"`
	PerSecond float64 `json:"answers_per_second"`
	CPU       float64 `json:"server_cpu_us"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	Bytes     int     `json:"mean_bytes"`
	Ratio     float64 `json:"of_bare"`  // of answers per second, of the one that sends the bodies
	Alike     float64 `json:"of_alike"` // of the one that sends all bytes, headers too
	CPURatio  float64 `json:"cpu_of_bare"`
}

// benchReader is the corpus as a store gives it. The head is read from a real one, for what that costs; it is
// empty, and answers what no search asks.
type benchReader struct {
	c *searchbench.Corpus
	*store.Store
	alike []*directory.CredentialFile // whose claims and facts the providers have in turn; none: no claims
	at    directory.Instant           // of the newest record
}

func (r benchReader) Head(ctx context.Context) (directory.Head, error) {
	if _, err := r.Store.Head(ctx); err != nil {
		return directory.Head{}, err
	}
	n := int64(r.c.N)
	return directory.Head{Seq: n, RecordedAt: r.at, Public: n}, nil
}

func (r benchReader) Files(_ context.Context, ids []directory.ID) ([]*directory.CredentialFile, error) {
	var out []*directory.CredentialFile
	for _, id := range ids {
		n, err := strconv.Atoi(strings.TrimPrefix(string(id), directory.ProviderPrefix))
		if err != nil {
			return nil, err
		}
		f := r.c.File(n, 0)
		if len(r.alike) > 0 {
			own := f.Provider
			same := *r.alike[n%len(r.alike)]
			f = &same
			f.Provider.ID, f.Provider.Name, f.Provider.Organisation, f.Provider.Sites = own.ID, own.Name, own.Name.String(), own.Sites
			f.Provider.Affiliations = slices.Clone(f.Provider.Affiliations)
			for i := range f.Provider.Affiliations {
				f.Provider.Affiliations[i].Provider = searchbench.ID(1 + i)
			}
		}
		f.Provider.Seq = int64(n)
		out = append(out, f)
	}
	return out, nil
}

func (r benchReader) File(ctx context.Context, id directory.ID) (*directory.CredentialFile, error) {
	list, err := r.Files(ctx, []directory.ID{id})
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// demoFiles loads the demonstration and returns its files, and the moment at which it stands.
func (b *httpMeasure) demoFiles(dir string) (files []*directory.CredentialFile, at directory.Instant, err error) {
	m, err := readManifest()
	if err != nil {
		return nil, "", err
	}
	clock := &standing{}
	clock.set(m.begins())
	st, err := store.Open(b.ctx, store.Config{Dir: dir, Now: clock.or(time.Now)})
	if err != nil {
		return nil, "", err
	}
	defer st.Close()
	if err := b.loadDemo(st, m, clock); err != nil {
		return nil, "", err
	}
	err = st.EachFile(b.ctx, func(f *directory.CredentialFile) error {
		files = append(files, f)
		return nil
	})
	return files, m.Now, err
}

func (r benchReader) Sources(context.Context) ([]directory.SourceState, error) { return nil, nil }

// benchPaths are searches as people and programs make them.
func benchPaths(c *searchbench.Corpus, n int) []string {
	r := rand.New(rand.NewPCG(11, 11))
	classes := map[string]searchbench.Class{}
	for _, x := range searchbench.Classes {
		classes[x.Name] = x
	}
	var out []string
	for i := range n {
		v := url.Values{}
		place := c.Place(r)
		switch i % 5 {
		case 0:
			v.Set("q", strings.Join(classes["match 2 terms"].Ask(c, r).Words, " "))
		case 1:
			v.Set("q", classes["match + 6 facets"].Ask(c, r).Words[0])
			v.Set("framework", "ifs")
			v.Set("accepting", "yes")
		case 2:
			v.Set("q", classes["product"].Ask(c, r).Words[0])
			v.Set("near", place.ZIP)
			v.Set("radius", "250")
			v.Set("price_max", "800")
			v.Set("sort", "distance")
		case 3:
			v.Set("state", string(place.State))
			v.Set("focus", "trauma")
		case 4:
			v.Set("q", "ifs therapist near "+place.String()+" under $900")
		}
		v["facets"] = []string{"state", "care", "accepting", "focus", "framework", "route"} // as in bench search
		out = append(out, "/api/v1/providers?"+v.Encode())
	}
	return out
}

func (b *httpMeasure) run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "kapdir-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	giveHeapRoom()
	corpus := searchbench.NewCorpus(b.n)
	ours, err := searchbench.NewOurs(ctx, corpus, filepath.Join(dir, "index"))
	if err != nil {
		return err
	}
	defer ours.Index.Close()
	if err := ours.Index.Rebuild(ctx, nil); err != nil {
		return err
	}
	reader := benchReader{c: corpus, at: directory.At(searchbench.Noon)}
	if b.pages || b.one {
		if reader.alike, reader.at, err = b.demoFiles(filepath.Join(dir, "demo")); err != nil {
			return err
		}
	}
	at := reader.at.Time()
	now := func() time.Time { return at }
	st, err := store.Open(ctx, store.Config{Dir: filepath.Join(dir, "state"), Now: now})
	if err != nil {
		return err
	}
	defer st.Close()
	reader.Store = st
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	paths, people, what := benchPaths(corpus, 200), []string(nil), "search"
	if b.one {
		what = "provider"
		r := rand.New(rand.NewPCG(12, 12))
		for i := range paths {
			paths[i] = "/api/v1/providers/" + string(corpus.File(1+r.IntN(b.n), 0).Provider.ID)
		}
	}
	if b.pages {
		r := rand.New(rand.NewPCG(12, 12))
		for i := range paths {
			paths[i] = strings.Replace(paths[i], "/api/v1/providers", "/", 1)
			people = append(people, "/providers/"+string(corpus.File(1+r.IntN(b.n), 0).Provider.ID))
		}
	}
	serve := func(keep int64) (string, error) {
		l, err := web.Listen("127.0.0.1:0")
		if err != nil {
			return "", err
		}
		srv, err := web.New(web.Config{Reader: reader, Search: ours.Index, Policies: directory.StandardPolicies(), BaseURL: "http://localhost", Now: now,
			KeepAnswers: keep, AnonymousPerMinute: 1 << 40, Log: slog.New(slog.NewJSONHandler(log, nil))})
		if err != nil {
			return "", err
		}
		go func() { _ = srv.Serve(ctx, l) }()
		return l.Addr().String(), nil
	}
	cached, err := serve(0)
	if err != nil {
		return err
	}
	anew, err := serve(-1)
	if err != nil {
		return err
	}
	bodies, headers, err := webbench.Fetch(ctx, cached, paths)
	if err != nil {
		return err
	}
	for _, addr := range []string{cached, anew} {
		again, _, err := webbench.Fetch(ctx, addr, paths)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(bodies, again, func(x, y []byte) bool { return string(x) == string(y) }) {
			return directory.Errorf(directory.Internal, "", "an answer that is kept differs from one that is worked out anew")
		}
	}
	bare := func(headers [][2]string) (string, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			go func() { _ = webbench.Bare(l, bodies, headers) }()
			return l.Addr().String(), nil
		}
		return "", err
	}
	stock, err := bare(nil)
	if err != nil {
		return err
	}
	alike, err := bare(headers)
	if err != nil {
		return err
	}
	servers := []*httpServer{{name: "bare Fiber handler, the bodies", addr: stock, paths: paths}, {name: "bare Fiber handler, all bytes", addr: alike, paths: paths},
		{name: what + ", kept answers", addr: cached, paths: paths}, {name: what + ", worked out anew", addr: anew, paths: paths}}
	if b.pages {
		servers = append(servers, &httpServer{name: "provider's page", addr: anew, paths: people})
	}
	if err := b.measure(ctx, servers); err != nil {
		return err
	}
	return b.print(servers)
}

func (b *httpMeasure) measure(ctx context.Context, servers []*httpServer) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	child := exec.CommandContext(ctx, self, "bench", "http", "load")
	child.Stderr = b.err
	in, err := child.StdinPipe()
	if err != nil {
		return err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	defer child.Wait()
	defer in.Close()
	answers := json.NewDecoder(out)
	for round := range b.rounds + 1 { // the first warms
		for _, s := range servers {
			cpu := cpuSeconds()
			if err := json.NewEncoder(in).Encode(webbench.Load{Addr: s.addr, Paths: s.paths, Conns: b.conns, Duration: b.turn}); err != nil {
				return err
			}
			var x webbench.Loaded
			if err := answers.Decode(&x); err != nil {
				return err
			}
			if x.Failed != "" {
				return fmt.Errorf("%s: %s", s.name, x.Failed)
			}
			if round == 0 {
				continue
			}
			s.cpu += cpuSeconds() - cpu
			s.count += x.Requests
			s.bodies += x.Bytes
			s.rates, s.p50, s.p99 = append(s.rates, float64(x.Requests)/x.Seconds), append(s.p50, x.P50), append(s.p99, x.P99)
		}
	}
	return nil
}

func median(list []float64) float64 {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

func (b *httpMeasure) print(servers []*httpServer) error {
	load, _ := os.ReadFile("/proc/loadavg") // none elsewhere
	a := httpAnswer{Providers: b.n, Connections: b.conns, Load: strings.TrimSpace(string(load))}
	for _, s := range servers {
		ratios, alike := make([]float64, len(s.rates)), make([]float64, len(s.rates))
		for i := range ratios { // each beside the bare ones of its own round
			ratios[i], alike[i] = s.rates[i]/servers[0].rates[i], s.rates[i]/servers[1].rates[i]
		}
		a.Servers = append(a.Servers, httpRow{s.name, median(s.rates), s.cpu / float64(s.count) * 1e6, median(s.p50), median(s.p99), s.bodies / s.count, median(ratios), median(alike), 0})
		x := &a.Servers[len(a.Servers)-1]
		x.CPURatio = a.Servers[0].CPU / x.CPU
	}
	if b.cfg.JSON {
		return json.NewEncoder(b.app.out).Encode(a)
	}
	w := tabwriter.NewWriter(b.app.out, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d providers, %d connections, load %s\t\t\t\t\t\t\t\t\t\n", a.Providers, a.Connections, a.Load)
	fmt.Fprintln(w, "server\tanswers/s\tserver CPU µs\tp50 µs\tp99 µs\tbytes\tof bare\tof all bytes\tby CPU\t")
	for _, x := range a.Servers {
		fmt.Fprintf(w, "%s\t%.0f\t%.1f\t%.0f\t%.0f\t%d\t%.2f\t%.2f\t%.2f\t\n", x.Server, x.PerSecond, x.CPU, x.P50, x.P99, x.Bytes, x.Ratio, x.Alike, x.CPURatio)
	}
	return w.Flush()
}

package store

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

// people makes pages about n people, whose names repeat as names do.
func people(n int) []directory.Record {
	out := make([]directory.Record, n)
	for i := range out {
		out[i] = listing(fmt.Sprintf("p%06d", i), fmt.Sprintf("%s %s", given(i), family(i)), func(l *directory.Listing) {
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", fmt.Sprintf("LPC.%07d", i+1))}
			l.Sites = []directory.Site{denver(fmt.Sprintf("(303) 555-%04d", i%10000))}
		})
	}
	return out
}

// Letters alone, so that names do not look like numbers: 2,000 given and 5,000 family names.
func given(i int) string  { return letters(i*7919%2000, "Al", "Be", "Ca", "Do") }
func family(i int) string { return letters(i*104729%5000, "Mar", "Ric", "Sol", "Ton") }

func letters(n int, first ...string) string {
	s := first[n%len(first)]
	for n /= len(first); n > 0; n /= 20 {
		s += string("bcdfghjklmnprstvwxza"[n%20]) + "o"
	}
	return s
}

func put(b *testing.B, s *Store, rel directory.Release, records []directory.Record) directory.Run {
	b.Helper()
	for i := range records {
		records[i].Line = i + 1
	}
	return load(b, s, rel, records...)
}

func benchStores(b *testing.B, f func(*testing.B, *Store)) {
	ticking := func() func() time.Time { // each transaction has a moment of its own, as in life: ids follow it
		var n atomic.Int64
		return func() time.Time { return noon.Add(time.Duration(n.Add(1)) * time.Millisecond) }
	}
	b.Run("sqlite", func(b *testing.B) { f(b, open(b, Config{Dir: b.TempDir(), Now: ticking()})) })
	b.Run("postgres", func(b *testing.B) { f(b, open(b, Config{DSN: storetest.Postgres(b), Now: ticking()})) }) // its fsync is off
}

// BenchmarkPut measures rows a second into a store that lists 1,000 providers.
func BenchmarkPut(b *testing.B) {
	rate := func(b *testing.B, n int, took time.Duration) { b.ReportMetric(float64(n)/took.Seconds(), "rows/s") }
	const n = 20000
	benchStores(b, func(b *testing.B, s *Store) {
		start := time.Now()
		put(b, s, edition("kap-commons", "1", "2026-11-20"), people(1000))
		b.Logf("1000 listings in %v", time.Since(start))
		rows := make([]directory.Record, n)
		b.Run("exclusions", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				for j := range rows {
					rows[j] = exclusion(fmt.Sprintf("e%d-%d", i, j), given(j+13)+" "+family(j*3), "")
				}
				start := time.Now()
				put(b, s, edition("leie", fmt.Sprint(i, b.N), "2026-10-31"), rows)
				rate(b, n, time.Since(start))
			}
		})
		b.Run("roster", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				for j := range rows {
					rows[j] = roster("LPC", fmt.Sprint(j*20+1), given(j*20)+" "+family(j*20), "Active", directory.SeenActive, directory.Date(fmt.Sprintf("2027-01-%02d", i%28+1)))
				}
				start := time.Now()
				put(b, s, edition("co-dora", fmt.Sprint(i, b.N), "2026-11-01"), rows)
				rate(b, n, time.Since(start))
			}
		})
		b.Run("roster unchanged", func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				put(b, s, edition("co-dora", fmt.Sprint("same", i, b.N), "2026-11-01"), rows)
				rate(b, n, time.Since(start))
			}
		})
	})
}

var screenProviders = flag.Int("screen.providers", 0, "providers of BenchmarkScreen, in place of 10,000 and 100,000")

// The list has as many rows as the federal one.
const listRows = 84000

// BenchmarkScreen measures the end of an import of an exclusion list, in which every provider is compared
// with every name and number of it and the answer is written: a first release, and the next one. Names
// repeat as names do, so that some providers share one with a row; one in 2,000 is in the list by NPI.
func BenchmarkScreen(b *testing.B) {
	sizes := []int{10000, 100000}
	if *screenProviders > 0 {
		sizes = []int{*screenProviders}
	}
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benchStores(b, func(b *testing.B, s *Store) {
				start := time.Now()
				populate(b, s, n)
				b.Logf("%d providers made in %v", n, time.Since(start))
				for i := 0; b.Loop(); i++ {
					for _, kind := range []string{"first", "next"} {
						b.StopTimer()
						run := putList(b, s, fmt.Sprint(i, kind))
						before, load := spent(b), loadAverage()
						b.StartTimer()
						start := time.Now()
						run, err := s.End(ctx, run.ID, nil)
						if err != nil {
							b.Fatal(err)
						}
						took, used := time.Since(start), spent(b)
						b.Logf("%-5s release: %8d providers in %7.3f s = %6.0f/s; CPU %7.3f s; peak %d MB; %d candidates, %d events; load %s", kind, n, took.Seconds(),
							float64(n)/took.Seconds(), (used.cpu - before.cpu).Seconds(), used.peak>>20, run.Matched, run.Events, load)
						b.ReportMetric(took.Seconds(), kind+"-s")
						b.ReportMetric(float64(used.peak>>20), kind+"-MB")
					}
				}
				b.StopTimer()
				matchAlone(b, s, n)
			})
		})
	}
}

// matchAlone times the same comparison with nothing written.
func matchAlone(b *testing.B, s *Store, n int) {
	runs := must(s.Runs(ctx, 1))
	before, start := spent(b), time.Now()
	l, err := s.watchlist(ctx, "bench", runs[0])
	if err != nil {
		b.Fatal(err)
	}
	listed := time.Since(start)
	c := &screening{s: s, op: "bench", list: l}
	pages := make(chan chan comparedPage, 1)
	go func() { defer close(pages); c.read(ctx, pages) }()
	held, hits := 0, 0
	var reread time.Duration
	for page := range pages {
		p := <-page
		if p.err != nil {
			b.Fatal(p.err)
		}
		held += len(p.held)
		start := time.Now()
		for _, h := range p.held {
			l.hits(directory.Prepare(h.brief.subject), func(watched, directory.Match) { hits++ })
		}
		reread += time.Since(start)
	}
	if held != n {
		b.Errorf("%d of %d providers were compared", held, n)
	}
	b.Logf("matching alone: %v, the list %v of it; comparing in memory %v of it, a second time; CPU %v; %d rows matched", time.Since(start), listed, reread,
		spent(b).cpu-before.cpu, hits)
}

// putList imports the list up to its end.
func putList(b *testing.B, s *Store, release string) directory.Run {
	b.Helper()
	run, err := s.Begin(ctx, edition("leie", release, "2026-10-31"))
	if err != nil {
		b.Fatal(err)
	}
	name := names(2)
	rows := make([]directory.Record, 0, 500)
	for i := range listRows {
		npi := directory.NPI("")
		if i%20 == 0 { // few rows of the federal list have one
			npi = providerNPI(i * 100)
		}
		r := exclusion(fmt.Sprintf("e%d", i), name(), npi)
		r.Source, r.Line = "leie", i+1
		if rows = append(rows, r); len(rows) == cap(rows) || i == listRows-1 {
			if _, err := s.Put(ctx, run.ID, directory.Batch{Records: rows}); err != nil {
				b.Fatal(err)
			}
			rows = rows[:0]
		}
	}
	return run
}

// names draws names as they are spread in the United States: the commonest family name is that of one in
// 300 people, the commonest given name of one in 35, and two people share both once in 300,000 times.
func names(seed uint64) func() string {
	r := rand.New(rand.NewPCG(seed, seed))
	given, family := rand.NewZipf(r, 1.5, 17, 4000), rand.NewZipf(r, 1.2, 60, 100000)
	return func() string {
		return letters(int(given.Uint64()), initials...) + " " + letters(int(family.Uint64()), initials...)
	}
}

var initials = strings.Fields("Al Be Ca Do El Fi Ga Ha Is Ja Ka La Ma Ni Or Pa Ro Sa Ta Vi")

func providerNPI(i int) directory.NPI { return directory.NPI(fmt.Sprintf("1%09d", i)) }

// populate lists n providers with the claims that a directory has of them. They take the way of any import
// from the moment at which it is known that they are new.
func populate(b *testing.B, s *Store, n int) {
	b.Helper()
	name := names(1)
	rel := edition("kap-commons", "1", "2026-11-20")
	run, err := s.Begin(ctx, rel)
	if err != nil {
		b.Fatal(err)
	}
	var prescriber directory.ID
	for first := 0; first < n; first += 500 {
		err := s.write(ctx, "populate", func(w *work) error {
			var rows []*row
			for i := first; i < min(n, first+500); i++ {
				rec := listing(fmt.Sprintf("p%07d", i), name(), func(l *directory.Listing) {
					if i%3 > 0 {
						l.NPI = providerNPI(i)
					}
					l.Licences = []directory.ListedLicence{licence("CO", "LPC", fmt.Sprintf("LPC.%07d", i+1))}
					l.Training = []directory.ListedTraining{{Programme: "Polaris Insight Center", Level: "certificate"}}
					l.Sites = []directory.Site{denver(fmt.Sprintf("(303) 555-%04d", i%10000))}
					l.Practice.Preparation.Offered = directory.Yes
				})
				rec.Source = rel.Source
				r, err := prepare(rec, rel, run.Number)
				if err != nil {
					return err
				}
				h := &holding{made: true}
				h.file.Provider.ID, h.listed = directory.NewID(directory.ProviderPrefix, w.now), true
				w.held[h.id()], w.order = h, append(w.order, h)
				for _, list := range s.config.Policies.InForce(w.now, w.now).AllScreens() {
					w.claim(h, directory.Claim{Kind: directory.ExclusionScreen, Issuer: list})
				}
				r.provider, r.rung, r.evidence = h.id(), directory.M5, w.keep(w.recordEvidence(r, rel))
				h.file.Provider, _, _ = compose(h, []*row{r}, nil)
				h.change("facts")
				rows = append(rows, r)
				if i%50 == 0 { // who prescribes for some of those after them
					prescriber = h.id()
				} else if i%10 == 0 {
					i := w.claim(h, directory.Claim{Kind: directory.OversightLink, Other: prescriber})
					w.append(h, i, directory.Event{Type: directory.Assert, PerformedAt: w.now, Actor: s.config.Tool, Evidence: []string{r.evidence},
						Body: directory.Body{Class: directory.ClassListing, Source: rel.Source, Side: "provider", Prescriber: prescriber}}, true)
				}
				if _, err := w.assert(h, r, rel, nil); err != nil {
					return err
				}
			}
			return w.writeRows(rows, nil)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.End(ctx, run.ID, nil); err != nil {
		b.Fatal(err)
	}
	if err := s.dialect.grown(ctx, s.writer); err != nil {
		b.Fatal(err)
	}
}

// usage is what the process has used; of PostgreSQL only this side of it.
type usage struct {
	cpu  time.Duration
	peak int64 // bytes in memory at most since the last call
}

func spent(b *testing.B) usage {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	u := usage{cpu: time.Duration(r.Utime.Nano() + r.Stime.Nano())}
	status, _ := os.ReadFile("/proc/self/status") // on other systems the peak is not told
	for line := range strings.Lines(string(status)) {
		var kb int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kb); err == nil {
			u.peak = kb << 10
		}
	}
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak begins anew
	return u
}

func loadAverage() string {
	raw, _ := os.ReadFile("/proc/loadavg")
	return strings.Join(strings.Fields(string(raw))[:min(3, len(strings.Fields(string(raw))))], " ")
}

// BenchmarkTouchDue measures what is written when the screens of everybody go out of date at one moment, as
// those of one release do.
func BenchmarkTouchDue(b *testing.B) {
	n := 20000
	if *screenProviders > 0 {
		n = *screenProviders
	}
	benchStores(b, func(b *testing.B, s *Store) {
		populate(b, s, n)
		if _, err := s.End(ctx, putList(b, s, "1").ID, nil); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			// First the screens, after 45 days; then what listings say, after 120.
			for i, limit := range []int{500, 2000} {
				days := []int{60, 130}[i]
				start, before := time.Now(), spent(b)
				done, worst := 0, time.Duration(0)
				for more := true; more; {
					one := time.Now()
					k, err := s.TouchDue(ctx, directory.At(noon.AddDate(0, 0, days)), limit)
					if err != nil {
						b.Fatal(err)
					}
					done, more, worst = done+k, k == limit, max(worst, time.Since(one))
				}
				took := time.Since(start)
				b.Logf("%4d at a time: %d due in %.2f s = %.0f/s; CPU %v; the longest transaction %v", limit, done, took.Seconds(), float64(done)/took.Seconds(),
					spent(b).cpu-before.cpu, worst)
			}
		}
	})
}

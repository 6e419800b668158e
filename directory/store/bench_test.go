package store

import (
	"fmt"
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
	b.Run("sqlite", func(b *testing.B) { f(b, open(b, Config{Dir: b.TempDir()})) })
	b.Run("postgres", func(b *testing.B) { f(b, open(b, Config{DSN: storetest.Postgres(b)})) }) // its fsync is off
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

// BenchmarkScreen measures providers a second against a list of 80,000 rows.
func BenchmarkScreen(b *testing.B) {
	benchStores(b, func(b *testing.B, s *Store) {
		const n = 2000
		put(b, s, edition("kap-commons", "1", "2026-11-20"), people(n))
		rows := make([]directory.Record, 80000)
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			for j := range rows {
				rows[j] = exclusion(fmt.Sprintf("e%d", j), given(j*3+1)+" "+family(j), "")
			}
			run, err := s.Begin(ctx, edition("leie", fmt.Sprint(i, b.N), "2026-10-31"))
			if err != nil {
				b.Fatal(err)
			}
			for j := 0; j < len(rows); j += 500 {
				chunk := rows[j : j+500]
				for k := range chunk {
					chunk[k].Source, chunk[k].Line = "leie", j+k+1
				}
				if _, err := s.Put(ctx, run.ID, directory.Batch{Records: chunk}); err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
			start := time.Now()
			if _, err := s.End(ctx, run.ID, nil); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(n/time.Since(start).Seconds(), "providers/s")
		}
	})
}

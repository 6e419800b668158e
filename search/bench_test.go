package search

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"kapdir/directory"
)

// FuzzQuery holds that no query, however odd, does more than be refused or answered in time, and that
// the index and the plain reading answer it alike.
func FuzzQuery(f *testing.F) {
	b := newBench(f, corpus(11, 40)...)
	p := b.plainly()
	f.Add("ketamine boulder", "CO", 40.0, -105.0, 25.0, "check", "license:confirmed", int64(0), "distance", 10, "")
	f.Add("", "", 0.0, 0.0, 0.0, "", "", int64(-1), "", -5, "")
	f.Add("a* OR b~2 (", "ZZ", math.NaN(), 1e9, -1.0, "focus", "\x00", int64(1)<<62, "relevance", 51, "e30")
	f.Add("ﬃ İstanbul ẞ 東京 \u202e", "TX", 90.0, 180.0, 4000.0, "language", "español", int64(5), "", 1, "eyJrIjp7ImkiOiJ4In19")
	f.Fuzz(func(t *testing.T, text, state string, lat, lon, miles float64, name, value string, price int64, sort string, limit int, cursor string) {
		q := Query{Text: text, State: directory.State(state), Near: &directory.Place{Point: directory.Point{Lat: lat, Lon: lon}}, Miles: miles,
			PriceMaxCents: price, Sort: sort, Limit: limit, Cursor: cursor}
		if name != "" {
			q.Filters = map[string][]string{name: {value}}
		}
		invalid := q.Validate()
		if invalid != nil && directory.KindOf(invalid) != directory.Invalid {
			t.Fatalf("Validate: %v", invalid)
		}
		_ = q.String()
		r, err := b.x.Search(context.Background(), q)
		switch {
		case err == nil:
			if r.Plain {
				t.Fatal("the index failed")
			}
			want, err := p.Search(context.Background(), q)
			if err != nil || want.Total != r.Total || !slices.Equal(ids(want), ids(r)) {
				t.Fatalf("%s: plain reading finds %d, the index %d; %v", q, want.Total, r.Total, err)
			}
		case invalid == nil && cursor == "":
			t.Fatalf("a valid query fails: %v", err)
		case directory.KindOf(err) != directory.Invalid:
			t.Fatalf("Search: %v", err)
		}
		if _, err := b.x.Suggest(context.Background(), text, limit); err != nil && directory.KindOf(err) != directory.Invalid {
			t.Fatalf("Suggest: %v", err)
		}
		if !utf8.ValidString(text) && invalid == nil {
			t.Fatal("text that is not UTF-8 passes")
		}
	})
}

// BenchmarkSearch reports the median of each kind of query beside the mean. Run it with -benchtime=200x.
func BenchmarkSearch(b *testing.B) {
	boulder, _, _ := directory.Tables().PlaceOfTown("Boulder", "CO")
	for _, n := range []int{300, 10000} {
		x := newBench(b, corpus(21, n)...)
		for _, c := range []struct {
			name string
			q    Query
		}{
			{"all", Query{}},
			{"name", Query{Text: "jose castaneda"}},
			{"typo", Query{Text: "katherin johnsen"}},
			{"text", Query{Text: "ketamin therpist trauma"}},
			{"filters", Query{State: "CO", Filters: map[string][]string{"care": {"full_kap", "unknown"}, "focus": {"trauma"}, "check": {"license:confirmed"}}}},
			{"geo", Query{Near: &boulder, Miles: 50, Sort: Distance}},
			{"product", Query{Text: "ketamine trauma", Near: &boulder, Miles: 50, Filters: map[string][]string{"focus": {"trauma", "anxiety"}, "accepting": {"yes"}},
				PriceMaxCents: 80000}},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				medianOf(b, func() {
					if _, err := x.x.Search(context.Background(), c.q); err != nil {
						b.Fatal(err)
					}
				})
			})
		}
		b.Run(fmt.Sprintf("suggest/%d", n), func(b *testing.B) {
			medianOf(b, func() {
				if _, err := x.x.Suggest(context.Background(), "bou", 10); err != nil {
					b.Fatal(err)
				}
			})
		})
		p := x.plainly()
		b.Run(fmt.Sprintf("plain/%d", n), func(b *testing.B) {
			medianOf(b, func() {
				if _, err := p.Search(context.Background(), Query{Text: "ketamin therpist trauma"}); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func medianOf(b *testing.B, f func()) {
	f()
	var times []time.Duration
	for b.Loop() {
		at := time.Now()
		f()
		times = append(times, time.Since(at))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkSync measures one changed provider among many, and a whole build.
func BenchmarkSync(b *testing.B) {
	for _, n := range []int{300, 10000} {
		x := newBench(b, corpus(22, n)...)
		r := rand.New(rand.NewPCG(1, 1))
		b.Run(fmt.Sprintf("one of %d", n), func(b *testing.B) {
			medianOf(b, func() {
				x.feed.put(randomFile(r, 1+r.IntN(n)))
				x.sync()
			})
		})
		b.Run(fmt.Sprintf("build %d", n), func(b *testing.B) {
			medianOf(b, func() {
				if err := x.x.Rebuild(context.Background(), nil); err != nil {
					b.Fatal(err)
				}
			})
		})
		b.Run(fmt.Sprintf("open %d", n), func(b *testing.B) {
			medianOf(b, func() {
				x.open()
				if x.x.Status(context.Background()).Plain {
					b.Fatal("not adopted")
				}
			})
		})
	}
}

package searchbench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestEverybodyAnswersAlike holds ours and bleve to a count by hand, on few providers and every class.
func TestEverybodyAnswersAlike(t *testing.T) {
	ctx := context.Background()
	c := NewCorpus(400)
	o, err := NewOurs(ctx, c, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer o.Index.Close()
	if _, err := o.Index.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	b, err := NewBleve(t.TempDir()+"/b", true)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var rows []Row
	for n := range c.N {
		rows = append(rows, c.Row(n+1, 0))
	}
	if err := b.Add(rows); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for _, class := range Classes {
		for range 5 {
			q := class.Ask(c, r)
			if err := o.Prepare(ctx, q); err != nil {
				t.Fatal(err)
			}
			want := Count(rows, q)
			for name, ask := range map[string]func(context.Context, Question) (Answer, error){"kapdir": o.Ask, "bleve": b.Ask} {
				got, err := ask(ctx, q)
				if err != nil {
					t.Fatalf("%s, %s: %v", class.Name, name, err)
				}
				if !class.Same {
					continue
				}
				if got.Total != want.Total {
					t.Errorf("%s: %s finds %d, want %d", class.Name, name, got.Total, want.Total)
				}
				for facet, values := range want.Facets {
					for v, n := range values {
						if got.Facets[facet][v] != n && !(name == "kapdir" && facet == "framework" && q.Framework != "") {
							t.Errorf("%s: %s counts %d of %s %s, want %d", class.Name, name, got.Facets[facet][v], facet, v, n)
						}
					}
				}
			}
		}
	}
}

// BenchmarkOurs is for profiles: kapdir bench search measures beside others.
func BenchmarkOurs(b *testing.B) {
	ctx := context.Background()
	c := NewCorpus(100000)
	o, err := NewOurs(ctx, c, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer o.Index.Close()
	if _, err := o.Index.Sync(ctx); err != nil {
		b.Fatal(err)
	}
	for _, class := range Classes {
		b.Run(fmt.Sprint(class.Name), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			var qs []Question
			for range 100 {
				q := class.Ask(c, r)
				if err := o.Prepare(ctx, q); err != nil {
					b.Fatal(err)
				}
				qs = append(qs, q)
			}
			i := 0
			for b.Loop() {
				if _, err := o.Ask(ctx, qs[i%len(qs)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

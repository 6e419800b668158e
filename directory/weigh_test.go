package directory

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func counted(t testing.TB) *NameCounts {
	c := &NameCounts{}
	for _, e := range readSet(t).roster {
		c.Add(e.subject)
	}
	return c
}

func TestWeigh(t *testing.T) {
	c := counted(t)
	in := func(zip string) func(*Subject) {
		return func(s *Subject) { s.Addresses = append(s.Addresses, Address{ZIP: zip}) }
	}
	for _, x := range []struct {
		what         string
		more, lesser [2]Subject
	}{
		{"a rare name says more than a common one", [2]Subject{subject("Ana Quillfeather"), subject("Ana Quillfeather")}, [2]Subject{subject("Ana Smith"), subject("Ana Smith")}},
		{"a rare given name too", [2]Subject{subject("Zebulon Smith"), subject("Zebulon Smith")}, [2]Subject{subject("Mary Smith"), subject("Mary Smith")}},
		{"the whole name more than a half of it", [2]Subject{subject("Ana Ruiz-Vega"), subject("Ana Ruiz-Vega")}, [2]Subject{subject("Ana Ruiz-Vega"), subject("Ana Vega")}},
		{"a half more than another name", [2]Subject{subject("Ana Ruiz-Vega"), subject("Ana Vega")}, [2]Subject{subject("Ana Ruiz-Vega"), subject("Ana Holt")}},
		{"the name more than its sound", [2]Subject{subject("Ana Peterson"), subject("Ana Peterson")}, [2]Subject{subject("Ana Petersen"), subject("Ana Peterson")}},
		{"a given name more than its initial", [2]Subject{subject("Ana Ruiz"), subject("Ana Ruiz")}, [2]Subject{subject("Ana Ruiz"), subject("A Ruiz")}},
		{"the same ZIP more than none", [2]Subject{subject("Ana Ruiz", in("80302")), subject("Ana Ruiz", in("80302"))}, [2]Subject{subject("Ana Ruiz", in("80302")), subject("Ana Ruiz")}},
		{"no ZIP more than another", [2]Subject{subject("Ana Ruiz", in("80302")), subject("Ana Ruiz")}, [2]Subject{subject("Ana Ruiz", in("80302")), subject("Ana Ruiz", in("10011"))}},
		{"the area more than another", [2]Subject{subject("Ana Ruiz", in("80302")), subject("Ana Ruiz", in("80305"))}, [2]Subject{subject("Ana Ruiz", in("80302")), subject("Ana Ruiz", in("10011"))}},
		{"no birth date more than another", [2]Subject{subject("Ana Ruiz"), subject("Ana Ruiz", born("1970-01-01"))}, [2]Subject{subject("Ana Ruiz", born("1980-01-01")), subject("Ana Ruiz", born("1970-01-01"))}},
		{"no suffix more than another", [2]Subject{subject("Jon Holt"), subject("Jon Holt Jr")}, [2]Subject{subject("Jon Holt Sr"), subject("Jon Holt Jr")}},
		{"the NPI more than a transposed one", [2]Subject{subject("Ana Ruiz", npi("1090000005")), subject("Ana Ruiz", npi("1090000005"))}, [2]Subject{subject("Ana Ruiz", npi("1090000005")), subject("Ana Ruiz", npi("1900000005"))}},
		{"a transposed NPI more than another", [2]Subject{subject("Ana Ruiz", npi("1090000005")), subject("Ana Ruiz", npi("1900000005"))}, [2]Subject{subject("Ana Ruiz", npi("1090000005")), subject("Ana Ruiz", npi("2000000001"))}},
	} {
		if more, less := Weigh(x.more[0], x.more[1], c), Weigh(x.lesser[0], x.lesser[1], c); more.Total <= less.Total {
			t.Errorf("%s: %+v, and %+v", x.what, more, less)
		}
	}
	if w := Weigh(Subject{}, subject("Ana Ruiz", npi("2000000001"), phone("303-555-0142")), c); w.Total != 0 || len(w.Parts) != 0 {
		t.Errorf("against nothing it weighs %+v", w)
	}
}

func TestWeighBothWays(t *testing.T) {
	c := counted(t)
	rapid.Check(t, func(t *rapid.T) {
		a, b := personDrawn(t, "a", true), personDrawn(t, "b", true)
		w, back := Weigh(a, b, c), Weigh(b, a, c)
		sum := 0.0
		for _, p := range w.Parts {
			sum += p.Bits
		}
		if math.Abs(w.Total-back.Total) > 1e-9 || math.Abs(w.Total-sum) > 1e-9 || math.IsInf(w.Total, 0) || math.IsNaN(w.Total) {
			t.Fatalf("%+v one way, %+v the other", w, back)
		}
	})
}

// Of the candidates of somebody who is excluded, the row about them comes first more often than not: a
// person who works through them in this order finds it early.
func TestWeighPutsTheRightOneFirst(t *testing.T) {
	set := readSet(t)
	c := &NameCounts{}
	index := map[string][]*entry{}
	list := slices.Clone(set.exclusions)
	for _, r := range exclusionList(40000) {
		list = append(list, entryOf(labelled{Record: r}))
	}
	for _, e := range list {
		c.Add(e.subject)
		for _, k := range e.blocks {
			index[k] = append(index[k], e)
		}
	}
	planted := map[int]bool{}
	for _, e := range set.exclusions {
		planted[e.Person] = planted[e.Person] || e.Plant != ""
	}
	cases, first, candidates, byRung := 0, 0, 0, 0.0
	for _, p := range set.providers {
		if !planted[p.Person] {
			continue
		}
		type candidate struct {
			e *entry
			m Match
			w float64
		}
		var found []candidate
		for _, k := range p.blocks {
			for _, e := range index[k] {
				if slices.ContainsFunc(found, func(f candidate) bool { return f.e == e }) {
					continue
				}
				if m := p.prepared.Match(e.prepared); m.Rung != M0 {
					found = append(found, candidate{e, m, Weigh(p.subject, e.subject, c).Total})
				}
			}
		}
		if len(found) < 2 {
			continue
		}
		cases++
		candidates += len(found)
		right := func(f candidate) bool { return f.e.Person == p.Person }
		if right(slices.MaxFunc(found, func(a, b candidate) int { return cmp.Compare(a.w, b.w) })) {
			first++
		}
		// By the rung and by how much agreed several come first alike, and chance decides among them.
		surest := func(a, b candidate) int {
			return cmp.Or(cmp.Compare(a.m.Rung, b.m.Rung), cmp.Compare(len(a.m.By), len(b.m.By)))
		}
		top, alike, hit := slices.MaxFunc(found, surest), 0, false
		for _, f := range found {
			if surest(f, top) == 0 {
				alike++
				hit = hit || right(f)
			}
		}
		if hit {
			byRung += 1 / float64(alike)
		}
	}
	t.Logf("%d cases of two candidates or more, %.1f each: the right one first in %.2f of them by weight, in %.2f by rung", cases, ratio(candidates, cases), ratio(first, cases), byRung/float64(cases))
	if cases < 30 || ratio(first, cases) < 0.8 || float64(first) <= byRung {
		t.Errorf("the right one came first in %d of %d cases by weight, in %.0f by rung", first, cases, byRung)
	}
}

func BenchmarkWeigh(b *testing.B) {
	set, c := readSet(b), counted(b)
	for i := 0; b.Loop(); i++ {
		Weigh(set.providers[i%len(set.providers)].subject, set.exclusions[i%len(set.exclusions)].subject, c)
	}
}

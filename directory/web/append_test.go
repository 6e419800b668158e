package web

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/search"
)

// What is written by hand is what encoding/json writes.
func TestSearchAnswerIsJSON(t *testing.T) {
	s := demoServer(t)
	for _, q := range append([]string{
		"q=i+want+to+die", "q=near+me", "state=CO&focus=trauma&focus=depression&care=full_kap&telehealth=CO&price_max=900", "near=Springfield", "near=Denver,+CO&radius=20",
		"q=walk+ins+boulder+purple&state=CO", "q=kapp+thraupist&limit=1", "facets=none", "facets=state&facets=care",
	}, searches...) {
		r := get(t, s, "/api/v1/providers?"+q)
		again, err := encodeJSON(decode[searchAnswer](t, r))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(again), r.body); d != "" {
			t.Errorf("%s (-encoding/json +ours):\n%s", q, d)
		}
	}
}

// So it is whatever stands in it: a member that somebody adds to the type and not to what writes it is missed here.
func TestEveryMemberIsWritten(t *testing.T) {
	for seed := range uint64(500) {
		d := filler{rand.New(rand.NewPCG(seed, 4))}
		var a searchAnswer
		d.fill(reflect.ValueOf(&a.reading).Elem())
		for v, i := reflect.ValueOf(&a).Elem(), 0; i < v.NumField(); i++ {
			if name := v.Type().Field(i).Name; name != "Results" && name != "Facets" { // see rows and facets
				d.fill(v.Field(i))
			}
		}
		a.Query.Filters = map[string][]string{}
		want := map[string][]facetValue{}
		for _, name := range facetsByName {
			if d.IntN(2) == 0 {
				a.Query.Filters[name] = []string{d.text()}
			}
			if d.IntN(2) == 0 {
				continue
			}
			f, values := search.Facet{Name: name}, []facetValue{}
			for range d.IntN(3) {
				v := facetValue{d.text(), d.text(), d.IntN(9)}
				f.Values = append(f.Values, search.FacetValue{FacetName: &search.FacetName{Value: v.Value, Label: v.Label, JSON: fmt.Sprintf(`"value":%s,"label":%s`, appendString(nil, v.Value), appendString(nil, v.Label))}, Count: v.Count})
				values = append(values, v)
			}
			a.facets, want[name] = append(a.facets, f), values
		}
		d.Shuffle(len(a.facets), func(i, j int) { a.facets[i], a.facets[j] = a.facets[j], a.facets[i] })
		whole := a
		whole.Results, whole.Facets = []result{}, want
		for range d.IntN(4) {
			var l listed
			d.fill(reflect.ValueOf(&l.result).Elem())
			l.result.Miles, l.result.Why, l.result.Explain = nil, []string{}, nil
			if err := l.encode(); err != nil {
				t.Fatal(err)
			}
			r := row{listed: &l, why: []string{}}
			d.fill(reflect.ValueOf(&r.why).Elem())
			if d.IntN(2) == 0 {
				miles := float64(d.IntN(90000)) / 10
				r.miles, r.explain = &miles, []reason{{Part: d.text(), Words: d.text(), Points: &miles}}
			}
			a.rows, whole.Results = append(a.rows, r), append(whole.Results, r.whole())
		}
		got, err := a.append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := encodeJSON(&whole)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff("before"+string(plain), string(got)); d != "" {
			t.Fatalf("seed %d (-encoding/json +ours):\n%s", seed, d)
		}
	}
}

// filler fills values at random. Lists are empty sometimes, and never nil: see apiSearch.
type filler struct{ *rand.Rand }

func (d filler) text() string {
	texts := []string{"", "Boulder", `"\`, "<b>&amp;</b>", "\u2028\u2029", "a\xffb", "é\x7f\n\x00", "ñ", "'"}
	return texts[d.IntN(len(texts))]
}

func (d filler) fill(v reflect.Value) {
	if !v.CanSet() {
		return
	}
	some := d.IntN(3) > 0
	switch v.Kind() {
	case reflect.String:
		v.SetString(d.text())
	case reflect.Bool:
		v.SetBool(some)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 7, -3, 1 << 40}[d.IntN(4)])
	case reflect.Float64:
		v.SetFloat(float64(d.IntN(1000)) / 10)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 2))
		for range d.IntN(3) {
			x := reflect.New(v.Type().Elem()).Elem()
			d.fill(x)
			v.Set(reflect.Append(v, x))
		}
	case reflect.Pointer:
		if some {
			v.Set(reflect.New(v.Type().Elem()))
			d.fill(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			d.fill(v.Field(i))
		}
	}
}

// Who asks for some facets has those, and the same providers; so does who goes on from there.
func TestFacetsAskedFor(t *testing.T) {
	s := demoServer(t)
	all := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q=trauma&limit=2"))
	if names := slices.Sorted(maps.Keys(all.Facets)); !slices.Equal(names, facetsByName) {
		t.Errorf("all facets: %v", names)
	}
	for asked, want := range map[string][]string{"facets=none": nil, "facets=care": {"care"}, "facets=state&facets=care&facets=care": {"care", "state"}} {
		r := get(t, s, "/api/v1/providers?q=trauma&limit=2&"+asked)
		a := decode[searchAnswer](t, r)
		if names := slices.Sorted(maps.Keys(a.Facets)); !slices.Equal(names, want) {
			t.Errorf("%s: %v", asked, names)
		}
		for name, values := range a.Facets {
			if d := cmp.Diff(all.Facets[name], values); d != "" {
				t.Errorf("%s: %s (-all +asked):\n%s", asked, name, d)
			}
		}
		if a.Total != all.Total || a.Next == nil || *a.Next != *all.Next {
			t.Errorf("%s: %d found, next %v", asked, a.Total, a.Next)
		}
		if link := r.Header.Get("Link"); strings.Count(link, asked[:len("facets=")+4]) != 2 {
			t.Errorf("%s: %s", asked, link)
		}
	}
}

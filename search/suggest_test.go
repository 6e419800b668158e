package search

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func TestSuggest(t *testing.T) {
	b := newBench(t,
		someone(1, "Ana Boulanger", in("Boulder", "CO"), focus("trauma")),
		someone(2, "Bo Tran", in("Denver", "CO"), focus("trauma", "depression")),
		someone(3, "José Trauma", in("Taos", "NM"), trained("Polaris")),
		someone(4, "Di Moss", former("Di Zebrowski"), in("Boulder", "CO")),
	)
	for _, c := range []struct {
		text string
		want []Suggestion // the first of them
	}{
		{"boul", []Suggestion{
			{"place", "Boulder, CO", "Boulder, CO", 3}, // Denver is within 50 miles
			{"name", "Ana Boulanger", string(pid(1)), 1},
			{"place", "Boulder City, NV", "Boulder City, NV", 0},
		}},
		{"trau", []Suggestion{{"focus", "Trauma and PTSD", "trauma", 2}, {"name", "José Trauma", string(pid(3)), 1}}},
		{"ptsd", []Suggestion{{"focus", "Trauma and PTSD", "trauma", 2}}},
		{"jose", []Suggestion{{"name", "José Trauma", string(pid(3)), 1}}},
		{"JOSÉ t", []Suggestion{{"name", "José Trauma", string(pid(3)), 1}}},
		{"colo", []Suggestion{{"state", "Colorado", "CO", 3}}},
		{"new mex", []Suggestion{{"state", "New Mexico", "NM", 1}}},
		{"pola", []Suggestion{{"programme", "Polaris/Rainfall KAP Practitioner Training Certificate", "polaris", 1}}},
		{"rainfall", []Suggestion{{"programme", "Polaris/Rainfall KAP Practitioner Training Certificate", "polaris", 1}}},
		{"internal fam", []Suggestion{{"framework", "Internal Family Systems (IFS)", "ifs", 0}}},
		{"zebrow", nil}, // a former name is never suggested
		{"b", nil},
		{"", nil},
		{"!!", nil},
	} {
		got, err := b.x.Suggest(context.Background(), c.text, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 10 {
			t.Errorf("%q: %d suggestions", c.text, len(got))
		}
		if d := cmp.Diff(c.want, got[:min(len(c.want), len(got))]); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, d)
		}
		if c.want == nil && len(got) > 0 {
			t.Errorf("%q: %v", c.text, got)
		}
	}
	if got, err := b.x.Suggest(context.Background(), "sa", 3); err != nil || len(got) != 3 {
		t.Errorf("three were asked for: %v, %v", got, err)
	}
	for text, field := range map[string]string{strings.Repeat("a", 201): "q", "\xff": "q"} {
		var e *directory.Error
		if _, err := b.x.Suggest(context.Background(), text, 3); !errors.As(err, &e) || e.Kind != directory.Invalid || e.Field != field {
			t.Errorf("%.5q: %v", text, err)
		}
	}
}

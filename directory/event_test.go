package directory

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The schema and the Go type say the same thing: every field of one is a field of the other.
func TestEventSchemaIsTheType(t *testing.T) {
	raw, err := os.ReadFile("testdata/event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]struct {
			Enum       []string
			Properties map[string]struct{ Enum []string }
		}
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	fields := func(v any) (names []string) {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
		slices.Sort(names)
		return names
	}
	keys := func(name string) (names []string) {
		props := schema.Properties[name].Properties
		for k := range props {
			names = append(names, k)
		}
		slices.Sort(names)
		return names
	}
	var top []string
	for k := range schema.Properties {
		top = append(top, k)
	}
	slices.Sort(top)
	for what, pair := range map[string][2][]string{"event": {top, fields(Event{})}, "body": {keys("body"), fields(Body{})}, "actor": {keys("actor"), fields(Actor{})}} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s: schema %v, type %v", what, pair[0], pair[1])
		}
	}
	var types []string
	for _, e := range EventTypes {
		types = append(types, string(e))
	}
	if !slices.Equal(schema.Properties["type"].Enum, types) {
		t.Errorf("types: schema %v, Go %v", schema.Properties["type"].Enum, types)
	}
}

func TestEventsFitTheSchema(t *testing.T) {
	schema := jsonschema.NewCompiler()
	s, err := schema.Compile("testdata/event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	good := Event{V: EventVersion, Seq: 7, RecordedAt: noon, PerformedAt: noon, Type: Observe, Claim: NewID(ClaimPrefix, noon), Actor: machine,
		Evidence: []string{strings.Repeat("ab", 32)}, Policy: "v1", Body: Body{State: SeenActive, Source: "co-dora", Match: M5, By: []string{"licence"}, Expires: "2027-08-31"}}
	valid := func(e Event) error {
		raw, err := e.JSON()
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(doc)
	}
	if err := valid(good); err != nil {
		t.Error(err)
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, breakIt := range map[string]func(*Event){
		"version": func(e *Event) { e.V = 2 },
		"type":    func(e *Event) { e.Type = "guess" },
		"instant": func(e *Event) { e.PerformedAt = "" },
		"actor":   func(e *Event) { e.Actor = Actor{} },
	} {
		e := good
		breakIt(&e)
		if valid(e) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
		if e.Validate() == nil {
			t.Errorf("%s: Validate takes it", name)
		}
	}
	for name, e := range map[string]Event{
		"a tool reviews":               {V: 1, PerformedAt: noon, Type: Review, Claim: good.Claim, Actor: machine, Body: Body{Of: 1, Decision: "confirm"}},
		"clear without a field":        {V: 1, PerformedAt: noon, Type: Review, Claim: good.Claim, Actor: rowan, Body: Body{Of: 1, Decision: "clear"}},
		"void of nothing":              {V: 1, PerformedAt: noon, Type: Void, Claim: good.Claim, Actor: rowan},
		"observation without evidence": {V: 1, PerformedAt: noon, Type: Observe, Claim: good.Claim, Actor: machine, Body: Body{State: SeenActive, Source: "co-dora"}},
		"assertion of class source":    {V: 1, PerformedAt: noon, Type: Assert, Claim: good.Claim, Actor: machine, Body: Body{Class: ClassSource}},
		"no claim":                     {V: 1, PerformedAt: noon, Type: Assert, Actor: machine, Body: Body{Class: ClassSelf}},
	} {
		if e.Validate() == nil {
			t.Errorf("%s passes", name)
		}
	}
}

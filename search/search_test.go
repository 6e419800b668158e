package search

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func TestFilters(t *testing.T) {
	boulder, _, _ := directory.Tables().PlaceOfTown("Boulder", "CO")
	b := newBench(t,
		someone(1, "Ana Ruiz", in("Boulder", "CO"), fullKAP, focus("trauma"), price(60000), licensed("CSW", "CSW.09923", "2028-08-31"), trained("Polaris"),
			practice(func(p *directory.Practice) {
				p.Populations, p.Frameworks, p.Routes = []string{"veteran"}, []string{"ifs", "emdr"}, []string{"sublingual_lozenge"}
				p.Settings, p.Formats, p.Languages, p.Accepting = []string{"therapist_office"}, []string{"individual"}, []string{"spanish"}, directory.Yes
			})),
		someone(2, "Bo Tran", in("Denver", "CO"), infusionOnly, focus("depression"), price(40000), suspended("DR", "DR.0011"),
			practice(func(p *directory.Practice) { p.Languages, p.Waitlist = []string{"english", "spanish"}, directory.Yes })),
		someone(3, "Cy Diaz", in("Taos", "NM"), telehealth("CO", "WY"), focus("trauma", "depression"), trained("PRATI KAP"),
			practice(func(p *directory.Practice) { p.Accepting = directory.No })),
		someone(4, "Di Moss"),
	)
	for _, c := range []struct {
		name string
		q    Query
		want []directory.ID
	}{
		{"everybody", Query{}, numbered(1, 3, 4, 2)}, // full KAP, unknown with a training stated, unknown, a problem on record
		{"state: a site, or telehealth", Query{State: "CO"}, numbered(1, 3, 2)},
		{"state of telehealth alone", Query{State: "WY"}, numbered(3)},
		{"state of nobody", Query{State: "AK"}, numbered()},
		{"telehealth", Query{Telehealth: "CO"}, numbered(3)},
		{"near", Query{Near: &boulder, Miles: 5}, numbered(1)},
		{"near, farther", Query{Near: &boulder, Miles: 60}, numbered(1, 2)},
		{"near, any distance, by distance", Query{Near: &boulder, Sort: Distance}, numbered(1, 2, 3, 4)},
		{"price", Query{PriceMaxCents: 50000}, numbered(2)},
		{"price at the cent", Query{PriceMaxCents: 60000}, numbered(1, 2)},
		{"care", Query{Filters: map[string][]string{"care": {"full_kap"}}}, numbered(1)},
		{"care, one or the other", Query{Filters: map[string][]string{"care": {"full_kap", "infusion_only"}}}, numbered(1, 2)},
		{"focus", Query{Filters: map[string][]string{"focus": {"trauma"}}}, numbered(1, 3)},
		{"focus and population", Query{Filters: map[string][]string{"focus": {"trauma"}, "population": {"veteran"}}}, numbered(1)},
		{"framework", Query{Filters: map[string][]string{"framework": {"emdr"}}}, numbered(1)},
		{"route", Query{Filters: map[string][]string{"route": {"intravenous"}}}, numbered(2)},
		{"setting", Query{Filters: map[string][]string{"setting": {"therapist_office"}}}, numbered(1)},
		{"format", Query{Filters: map[string][]string{"format": {"individual"}}}, numbered(1)},
		{"language", Query{Filters: map[string][]string{"language": {"spanish"}}}, numbered(1, 2)},
		{"language of nobody", Query{Filters: map[string][]string{"language": {"welsh"}}}, numbered()},
		{"licence by profession", Query{Filters: map[string][]string{"licence": {"clinical_social_work"}}}, numbered(1)},
		{"licence by letters", Query{Filters: map[string][]string{"licence": {"MD"}}}, numbered(2)},
		{"programme", Query{Filters: map[string][]string{"programme": {"prati"}}}, numbered(3)},
		{"accepting", Query{Filters: map[string][]string{"accepting": {"yes"}}}, numbered(1)},
		{"waiting list", Query{Filters: map[string][]string{"accepting": {"waitlist"}}}, numbered(2)},
		{"accepting, not stated", Query{Filters: map[string][]string{"accepting": {"unknown"}}}, numbered(4)},
		{"check", Query{Filters: map[string][]string{"check": {"license:confirmed"}}}, numbered(1)},
		{"check, in a state of no licence", Query{State: "WY", Filters: map[string][]string{"check": {"license:confirmed"}}}, numbered()},
		{"check, one result or another", Query{Filters: map[string][]string{"check": {"license:confirmed", "license:problem_on_record"}}}, numbered(1, 2)},
		{"two checks must both hold", Query{Filters: map[string][]string{"check": {"license:confirmed", "training:stated_in_listing"}}}, numbered(1)},
		{"no value is no filter", Query{Filters: map[string][]string{"care": {}}}, numbered(1, 3, 4, 2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := b.search(c.q)
			if d := cmp.Diff(c.want, ids(r)); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.q, d)
			}
			if r.Total != len(c.want) {
				t.Errorf("total %d, want %d", r.Total, len(c.want))
			}
		})
	}
	for y, q := range map[directory.State]Query{"NM": {State: "NM", Near: &boulder}, "CO": {Near: &boulder}, "": {Telehealth: "CO"}} {
		if got := b.search(q).ChecksFor; got != y {
			t.Errorf("%s: checks for %q, want %q", q, got, y)
		}
	}
}

func TestWords(t *testing.T) {
	b := newBench(t,
		someone(1, "José Núñez-O'Neil", in("Boulder", "CO"), licensed("CSW", "CSW.0009923", "2028-08-31")),
		someone(2, "Katherine Smith", former("Katherine Abernathy"), in("Taos", "NM"), focus("trauma"), telehealth("WY")),
		someone(3, "", organisation("Aspen Ketamine Wellness"), infusionOnly),
		someone(4, "Robert Lane", trained("Polaris Insight"), practice(func(p *directory.Practice) { p.Frameworks = []string{"ifs"} })),
	)
	for _, c := range []struct {
		text string
		want []directory.ID
	}{
		{"jose", numbered(1)},
		{"JOSÉ", numbered(1)},
		{"nunez", numbered(1)},
		{"o'neil", numbered(1)},
		{"oneil", numbered(1)},
		{"o neil", numbered(1)},
		{"neil", numbered(1)},
		{"Núñez-O’Neil", numbered(1)},
		{"josé nunes", numbered(1)},
		{"ketamin therpist", numbered(1, 4, 2, 3)}, // every listing offers ketamine therapy; infusion only comes last
		{"abernathy", numbered(2)},
		{"kate smith", numbered(2)},
		{"bob", numbered(4)},
		{"bob lane", numbered(4)},
		{"boulder", numbered(1)},
		{"bolder", numbered(1)},
		{"oulder", nil}, // the first letter is right
		{"colorado", numbered(1)},
		{"trauma new mexico", numbered(2)},
		{"ptsd", numbered(2)},
		{"wyoming", numbered(2)},
		{"lcsw", numbered(1)},
		{"csw.0009923", numbered(1)},
		{"9923", numbered(1)},
		{"9924", nil}, // a number is right or wrong
		{"polaris", numbered(4)},
		{"rainfall medicine", numbered(4)},
		{"internal family systems", numbered(4)},
		{"iv infusion", numbered(3)},
		{"asp", numbered(3)},
		{"well asp", numbered()}, // only the last word may be cut short
		{"aspen in the", numbered(3)},
		{"smith boulder", nil}, // every word must match
		{`"smith" AND (x OR y)*~2^4 name:/.*/`, nil},
	} {
		r := b.search(Query{Text: c.text})
		if d := cmp.Diff(append([]directory.ID{}, c.want...), ids(r)); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, d)
		}
	}

	r := b.search(Query{Text: "the Abernathy"})
	if d := cmp.Diff(Understood{Terms: []string{"abernathy"}, Ignored: []string{"the"}, Fuzzy: []string{"abernathy"}, Prefix: "abernathy"}, r.Understood); d != "" {
		t.Errorf("understood: %s", d)
	}
	if d := cmp.Diff([]string{"name"}, r.Hits[0].Why); d != "" { // not that it is a former name
		t.Errorf("why: %s", d)
	}
	if d := cmp.Diff([]string{"name", "close spelling"}, b.search(Query{Text: "smiht"}).Hits[0].Why); d != "" {
		t.Errorf("why: %s", d)
	}
}

func TestNothingOfAFormerNameComesBack(t *testing.T) {
	b := newBench(t, someone(1, "Katherine Smith", former("Katherine Abernathy"), in("Taos", "NM")))
	r := b.search(Query{Text: "Abernathy"})
	r.Understood = Understood{} // the visitor's own words
	s, err := b.x.Suggest(context.Background(), "aber", 10)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal([]any{r, s})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(string(out)), "abernathy") || strings.Contains(string(out), "former") {
		t.Errorf("a former name shows: %s", out)
	}
}

func TestOrder(t *testing.T) {
	boulder, _, _ := directory.Tables().PlaceOfTown("Boulder", "CO")
	b := newBench(t,
		someone(1, "Ana Ruiz", in("Denver", "CO"), fullKAP),
		someone(2, "Bo Ruiz", in("Boulder", "CO"), fullKAP),
		someone(3, "Cy Ruiz", in("Boulder", "CO"), fullKAP, licensed("CSW", "1", "2028-08-31")),
		someone(4, "Di Ruiz", in("Boulder", "CO"), infusionOnly, licensed("CSW", "2", "2028-08-31")),
		someone(5, "Ed Ruiz", in("Boulder", "CO"), fullKAP, suspended("CSW", "3")),
		someone(6, "Flo Ruis", in("Boulder", "CO"), fullKAP, licensed("CSW", "4", "2028-08-31")),
		someone(7, "Gus Ruiz", in("Boulder", "CO")),
		someone(8, "Hal Ruiz", in("Boulder", "CO"), fullKAP),
	)
	for _, c := range []struct {
		name string
		q    Query
		want []directory.ID
	}{
		{"care, completeness, id", Query{}, numbered(3, 6, 1, 2, 8, 7, 4, 5)},
		{"exact words before close ones, a problem last", Query{Text: "ruiz"}, numbered(3, 1, 2, 8, 7, 4, 6, 5)},
		{"distance after completeness", Query{Near: &boulder}, numbered(3, 6, 2, 8, 1, 7, 4, 5)},
		{"by distance", Query{Near: &boulder, Sort: Distance}, numbered(3, 6, 2, 8, 7, 4, 5, 1)},
		{"asked for infusion", Query{Text: "infusion"}, numbered(4)},
		{"care chosen: no kind stands first", Query{Filters: map[string][]string{"care": {"full_kap", "infusion_only"}}}, numbered(3, 4, 6, 1, 2, 8, 5)},
	} {
		if d := cmp.Diff(c.want, ids(b.search(c.q))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestDistanceIsExact(t *testing.T) {
	centre := directory.Point{Lat: 40, Lon: -105}
	place := directory.Place{Point: centre, State: "CO"}
	site := func(points ...directory.Point) edit {
		return func(f *directory.CredentialFile) {
			for _, p := range points {
				f.Provider.Sites = append(f.Provider.Sites, directory.Site{Address: directory.Address{State: "CO"}, Point: &p})
			}
		}
	}
	near, far := directory.Point{Lat: 40.2, Lon: -105.1}, directory.Point{Lat: 47, Lon: -90}
	b := newBench(t, someone(1, "Ana Ruiz", site(near)), someone(2, "Bo Tran", site(far, near)), someone(3, "Cy Diaz"))
	miles := centre.Miles(near)
	for _, c := range []struct {
		within float64
		want   int
	}{{miles, 2}, {math.Nextafter(miles, 0), 0}, {math.Nextafter(miles, 100), 2}, {centre.Miles(far), 2}} {
		r := b.search(Query{Near: &place, Miles: c.within})
		if r.Total != c.want {
			t.Errorf("within %v miles: %d, want %d", c.within, r.Total, c.want)
		}
		for _, h := range r.Hits {
			if *h.Miles != miles {
				t.Errorf("%s is %v miles away, want %v", h.ID, *h.Miles, miles)
			}
		}
	}
	if r := b.search(Query{Near: &place, Sort: Distance}); r.Total != 3 || r.Hits[2].Miles != nil {
		t.Errorf("any distance: %+v", r.Hits)
	}
}

func TestLapsedCheckIsNotConfirmed(t *testing.T) {
	confirmed := Query{Filters: map[string][]string{"check": {"license:confirmed"}}}
	expired := Query{Filters: map[string][]string{"check": {"license:not_met"}}}
	count := func(r Result, value string) int {
		for _, f := range r.Facets {
			for _, v := range f.Values {
				if f.Name == "check" && v.Value == value {
					return v.Count
				}
			}
		}
		return 0
	}
	b := newBench(t, someone(1, "Ana Ruiz", in("Boulder", "CO"), licensed("CSW", "1", "2026-11-20")))
	if r := b.search(confirmed); r.Total != 1 {
		t.Fatalf("total %d before the licence ends", r.Total)
	}
	end := directory.Date("2026-11-20").EndIn(directory.State("CO").Zone()).Time()
	for _, c := range []struct {
		now  time.Time
		want int
	}{{end.Add(-time.Millisecond), 1}, {end, 0}, {end.Add(time.Hour), 0}} {
		b.now = c.now
		if r := b.search(confirmed); r.Total != c.want || count(r, "license:confirmed") != c.want {
			t.Errorf("at %s, before the feed says anything: total %d, counted %d, want %d", c.now, r.Total, count(r, "license:confirmed"), c.want)
		}
	}
	if r := b.search(expired); r.Total != 0 {
		t.Error("what follows a lapsed check is guessed at")
	}
	b.sync() // no new number, but time has passed
	if r := b.search(expired); r.Total != 1 || r.Plain {
		t.Errorf("after Sync: %d with an expired licence, want 1; plain %t", r.Total, r.Plain)
	}
	if r, err := b.x.Audit(context.Background()); err != nil || !r.OK() {
		t.Errorf("audit: %+v, %v", r, err)
	}
	b.now = end.Add(100 * 24 * time.Hour) // and while the program was not running
	if r := b.reopen(); r.Plain || r.Total != 1 {
		t.Errorf("opened later: plain %t, total %d", r.Plain, r.Total)
	}
}

func TestFacetsLiftTheirOwnFilter(t *testing.T) {
	b := newBench(t,
		someone(1, "Ana Ruiz", in("Boulder", "CO"), focus("trauma")),
		someone(2, "Bo Tran", in("Denver", "CO"), focus("depression")),
		someone(3, "Cy Diaz", in("Taos", "NM"), focus("depression")),
	)
	r := b.search(Query{State: "CO", Filters: map[string][]string{"focus": {"depression"}}, Limit: 1})
	named := func(value, label string) *FacetName {
		return &FacetName{value, label, fmt.Sprintf(`"value":%q,"label":%q`, value, label)}
	}
	want := map[string][]FacetValue{
		"focus": {{named("trauma", "Trauma and PTSD"), 1, false}, {named("depression", "Depression"), 1, true}},
		"state": {{named("CO", "Colorado"), 1, true}, {named("NM", "New Mexico"), 1, false}},
	}
	for _, f := range r.Facets {
		if w, ok := want[f.Name]; ok {
			if d := cmp.Diff(w, f.Values); d != "" {
				t.Errorf("%s (-want +got):\n%s", f.Name, d)
			}
		}
	}
	if r.Total != 1 {
		t.Errorf("total %d", r.Total)
	}
	// A value that nobody has stands while it is chosen.
	r = b.search(Query{Filters: map[string][]string{"language": {"welsh"}}})
	for _, f := range r.Facets {
		if f.Name == "language" {
			if d := cmp.Diff([]FacetValue{{named("welsh", "Welsh"), 0, true}}, f.Values); d != "" {
				t.Errorf("language (-want +got):\n%s", d)
			}
		}
	}
}

func TestCursor(t *testing.T) {
	b := newBench(t, corpus(3, 30)...)
	q := Query{Text: "ketamine", Limit: 10}
	first := b.search(q)
	if first.Next == "" || len(first.Hits) != 10 {
		t.Fatalf("first page: %d hits, next %q", len(first.Hits), first.Next)
	}
	other := Query{Text: "ketamine", Filters: map[string][]string{"care": {"unknown"}}, Cursor: first.Next}
	raw, _ := base64.RawURLEncoding.DecodeString(first.Next)
	for name, q := range map[string]Query{
		"of another query": other,
		"not base64":       {Text: "ketamine", Cursor: "?"},
		"of nothing":       {Text: "ketamine", Cursor: "aGVsbG8"},
		"cut short":        {Text: "ketamine", Cursor: base64.RawURLEncoding.EncodeToString(raw[:len(raw)-len(pid(1))])},
		"without its end":  {Text: "ketamine", Cursor: first.Next[:len(first.Next)-1]},
		"of another form":  {Text: "ketamine", Cursor: base64.RawURLEncoding.EncodeToString(append([]byte{1}, raw[1:]...))},
		"too long":         {Text: "ketamine", Cursor: strings.Repeat("A", 4000)},
	} {
		_, err := b.x.Search(context.Background(), q)
		var e *directory.Error
		if !errors.As(err, &e) || e.Kind != directory.Invalid || e.Field != "cursor" {
			t.Errorf("a cursor %s: %v", name, err)
		}
	}
	if strings.Contains(string(raw), "ketamine") {
		t.Errorf("the cursor tells what was searched for: %s", raw)
	}
	q.Cursor, q.Limit = first.Next, 50 // another page size is the same query
	rest := b.search(q)
	if len(rest.Hits) != 20 || rest.Next != "" || rest.Total != 30 {
		t.Errorf("the rest: %d hits of %d, next %q", len(rest.Hits), rest.Total, rest.Next)
	}
}

func TestValidate(t *testing.T) {
	nan := directory.Place{Point: directory.Point{Lat: math.NaN()}}
	somewhere := &directory.Place{Point: directory.Point{Lat: 40, Lon: -105}}
	for _, c := range []struct {
		q     Query
		field string
	}{
		{Query{}, ""},
		{Query{Text: strings.Repeat("é", 200)}, ""},
		{Query{Text: strings.Repeat("é", 201)}, "q"},
		{Query{Text: "a\xff"}, "q"},
		{Query{Text: "b c d e f g h j k l m n"}, ""},
		{Query{Text: "b c d e f g h j k l m n o"}, "q"},
		{Query{State: "XX"}, "state"},
		{Query{State: "co"}, "state"},
		{Query{Telehealth: "Colorado"}, "telehealth"},
		{Query{Near: &nan}, "near"},
		{Query{Near: &directory.Place{State: "ZZ"}}, "near"},
		{Query{Near: somewhere, Miles: -1}, "miles"},
		{Query{Near: somewhere, Miles: math.NaN()}, "miles"},
		{Query{Near: somewhere, Miles: math.Inf(1)}, "miles"},
		{Query{PriceMaxCents: -1}, "price_max"},
		{Query{Sort: "stars"}, "sort"},
		{Query{Sort: Price}, ""},
		{Query{Sort: Checked}, ""},
		{Query{Facets: []string{"state", "care"}}, ""},
		{Query{Facets: []string{"stars"}}, "facets"},
		{Query{Sort: Distance}, "sort"},
		{Query{Sort: Distance, Near: somewhere}, ""},
		{Query{Limit: -1}, "limit"},
		{Query{Limit: 51}, "limit"},
		{Query{Filters: map[string][]string{"stars": {"5"}}}, "stars"},
		{Query{Filters: map[string][]string{"state": {"CO"}}}, "state"},
		{Query{Filters: map[string][]string{"care": {"best"}}}, "care"},
		{Query{Filters: map[string][]string{"check": {"license:great"}}}, "check"},
		{Query{Filters: map[string][]string{"check": {"license"}}}, "check"},
		{Query{Filters: map[string][]string{"language": {""}}}, "language"},
		{Query{Filters: map[string][]string{"language": {"a\nb"}}}, "language"},
		{Query{Filters: map[string][]string{"focus": slices.Repeat([]string{"trauma"}, 41)}}, "focus"},
	} {
		err := c.q.Validate()
		var e *directory.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", c.q, err)
		case c.field != "" && (!errors.As(err, &e) || e.Kind != directory.Invalid || e.Field != c.field):
			t.Errorf("%s: %v, want an error of %s", c.q, err, c.field)
		}
	}
}

func TestQueryString(t *testing.T) {
	q := Query{Text: `tra"uma`, State: "CO", Near: &directory.Place{Point: directory.Point{Lat: 40.5, Lon: -105}, State: "CO"}, Miles: 25, Telehealth: "NM",
		Filters: map[string][]string{"focus": {"trauma", "anxiety", "trauma"}, "care": {"full_kap"}}, PriceMaxCents: 50000, Sort: Distance, Limit: 5, Cursor: "x"}
	want := `q:"tra\"uma" state:CO near:40.5,-105,CO miles:25 telehealth:NM care:"full_kap" focus:"anxiety" focus:"trauma" price_max:50000 sort:distance`
	if got := q.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSearchKeepsItsDeadline(t *testing.T) {
	b := newBench(t, corpus(3, 30)...)
	ctx, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	if _, err := b.x.Search(ctx, Query{Text: "ketamine"}); !errors.Is(err, directory.Unavailable) {
		t.Errorf("past the deadline: %v", err)
	}
	if s := b.x.Status(context.Background()); s.State != "ready" {
		t.Error("a query out of time takes the index with it")
	}
}

func TestEveryValueHasALabel(t *testing.T) {
	for list, words := range directory.Vocabulary {
		if FacetLabel(list) == "" {
			t.Errorf("the list %s has no label", list)
		}
		for _, w := range words {
			if labels[list][w] == "" {
				t.Errorf("%s %s has no label", list, w)
			}
		}
	}
	for f := range facets {
		if FacetLabel(facetNames[f]) == "" {
			t.Errorf("the facet %s has no label", facetNames[f])
		}
		for _, v := range f.vocabulary() {
			if l := Label(facetNames[f], v); l == "" || strings.Contains(l, "_") {
				t.Errorf("%s %s has the label %q", facetNames[f], v, l)
			}
		}
	}
	for _, s := range directory.Tables().States() {
		for _, word := range []string{"LCSW", "LPC", "LMFT", "MD", "DO", "PhD", "PSY", "NP", "PA", "RN"} {
			if x, ok := directory.Tables().Title(s, word); ok && !isProfession(x.Profession) {
				t.Errorf("the profession %s has no label", x.Profession)
			}
		}
	}
	for value, want := range map[[2]string]string{{"check", "license:confirmed"}: "Licence: confirmed", {"check", "record:problem_on_record"}: "Record: problem on record",
		{"language", "haitian creole"}: "Haitian Creole", {"state", "NM"}: "New Mexico", {"licence", "LCSW"}: "LCSW", {"programme", "prati"}: "PRATI KAP training",
		{"accepting", "waitlist"}: "Waiting list", {"route", "by_drum"}: "By drum"} {
		if got := Label(value[0], value[1]); got != want {
			t.Errorf("Label(%s, %s) = %q, want %q", value[0], value[1], got, want)
		}
	}
}

// relevance is one file of testdata/relevance: who there is, and who comes first for which words.
type relevance struct {
	Comment   string `json:"comment"`
	Providers []struct {
		N            int                `json:"n"`
		Name         string             `json:"name"`
		Organisation string             `json:"organisation"`
		Former       []string           `json:"former"`
		Affiliation  string             `json:"affiliation"`
		City         string             `json:"city"`
		State        directory.State    `json:"state"`
		Practice     directory.Practice `json:"practice"`
		Training     string             `json:"training"`
		Licence      string             `json:"licence"` // confirmed, suspended
	} `json:"providers"`
	Cases []struct {
		Query string `json:"query"`
		First []int  `json:"first"` // these come first, in this order
		Why   string `json:"why"`
	} `json:"cases"`
}

func TestRelevance(t *testing.T) {
	names, err := filepath.Glob("testdata/relevance/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var r relevance
			if err := json.Unmarshal(raw, &r); err != nil {
				t.Fatal(err)
			}
			var files []*directory.CredentialFile
			for _, p := range r.Providers {
				edits := []edit{func(f *directory.CredentialFile) { f.Provider.Practice = p.Practice }}
				if p.Organisation != "" {
					edits = append(edits, organisation(p.Organisation))
				}
				if p.City != "" {
					edits = append(edits, in(p.City, p.State))
				}
				if p.Affiliation != "" {
					edits = append(edits, func(f *directory.CredentialFile) {
						f.Provider.Affiliations = []directory.Affiliation{{Name: p.Affiliation}}
					})
				}
				if p.Training != "" {
					edits = append(edits, trained(p.Training))
				}
				switch p.Licence {
				case "confirmed":
					edits = append(edits, licensed("CSW", fmt.Sprint(1000+p.N), "2028-08-31"))
				case "suspended":
					edits = append(edits, suspended("CSW", fmt.Sprint(1000+p.N)))
				}
				files = append(files, someone(p.N, p.Name, append(edits, former(p.Former...))...))
			}
			b := newBench(t, files...)
			for _, c := range r.Cases {
				got := ids(b.search(Query{Text: c.Query, Limit: 50}))
				if d := cmp.Diff(numbered(c.First...), got[:min(len(c.First), len(got))]); d != "" {
					t.Errorf("%q: %s (-want +got):\n%s", c.Query, c.Why, d)
				}
			}
		})
	}
}

// TestNobody: a directory without anybody answers every kind of question.
func TestNobody(t *testing.T) {
	b := newBench(t)
	for _, q := range []Query{{}, {Text: "trauma"}, {State: "CO"}, {CanSee: "OH"}, {Sort: Price}, {Filters: map[string][]string{"focus": {"trauma"}, "check": {"license:confirmed"}}},
		{Near: &directory.Place{Point: directory.Point{Lat: 40, Lon: -105}, State: "CO"}, Miles: 50, Sort: Distance}} {
		if r := b.search(q); r.Total != 0 || len(r.Hits) != 0 {
			t.Errorf("%s: %d of %d", q, len(r.Hits), r.Total)
		}
	}
}

// Whoever states more of several needs stands before, and full KAP before either; of alternatives, such as routes, it
// counts for nothing how many there are.
func TestSeveralNeeds(t *testing.T) {
	b := newBench(t,
		someone(1, "Ana Ruiz", fullKAP, focus("trauma")),
		someone(2, "Bo Tran", infusionOnly, focus("trauma", "depression", "anxiety")),
		someone(3, "Cy Diaz", fullKAP, focus("depression", "trauma", "anxiety")),
		someone(4, "Di Moss", fullKAP, focus("anxiety", "depression")),
	)
	for want, q := range map[string]Query{
		"3 4 1 2": {Filters: map[string][]string{"focus": {"trauma", "anxiety", "depression", "trauma"}}},
		"1 3 2":   {Filters: map[string][]string{"focus": {"trauma", "trauma"}}},
		"1 3 4 2": {Filters: map[string][]string{"focus": {"trauma", "anxiety"}}, Either: []string{"focus"}},
	} {
		q.Explain = true
		r := b.search(q)
		var got []string
		for _, h := range r.Hits {
			got = append(got, strings.TrimLeft(strings.TrimPrefix(string(h.ID), directory.ProviderPrefix), "0"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %v, want %s", q.Filters, got, want)
		}
		i := slices.IndexFunc(r.Hits[len(r.Hits)-2].Stands, func(x Reason) bool { return x.Part == "needs" })
		switch {
		case r.Needs == 0 && i >= 0 || r.Needs != 0 && r.Needs != 3:
			t.Errorf("%v: %d needs, %+v", q.Filters, r.Needs, r.Hits[0].Stands)
		case r.Needs == 3 && (i < 0 || r.Hits[2].Stands[i].Words != "States 1 of the 3 things that were chosen." || r.Hits[2].Needs != 1):
			t.Errorf("%+v", r.Hits[2])
		}
	}
	for text, want := range map[string]int{"trauma and anxiety": 2, "trauma, anxiety": 2, "trauma or anxiety": 0, "trauma o ansiedad": 0, "trauma or anxiety, spanish": 0} {
		if a := b.answer(Query{}, text); a.Needs != want || len(a.Query.Filters["focus"]) != 2 {
			t.Errorf("%s: %d needs of %v", text, a.Needs, a.Query.Filters)
		}
	}
	routes := practice(func(p *directory.Practice) { p.Routes = []string{"oral", "sublingual_lozenge"} })
	b = newBench(t, someone(1, "Ana Ruiz", practice(func(p *directory.Practice) { p.Routes = []string{"oral"} })), someone(2, "Bo Tran", routes))
	if r := b.search(Query{Filters: map[string][]string{"route": {"oral", "sublingual_lozenge"}}}); r.Needs != 0 || r.Hits[0].ID != pid(1) {
		t.Errorf("routes: %+v", r.Hits)
	}
}

func FuzzCursor(f *testing.F) {
	q := Query{Text: "ketamine", Near: &directory.Place{Point: directory.Point{Lat: 40, Lon: -105}}, Sort: Distance}
	f.Add(writeCursor(q, sortKey{Rank: 1 << 40, Miles: 12.5, ID: pid(3)}))
	f.Add(writeCursor(q, sortKey{First: -20000, Miles: -1, ID: pid(3)}))
	f.Add("AgAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		q.Cursor = text
		k, err := readCursor(q)
		if err != nil || k == nil {
			return
		}
		if q.Cursor = writeCursor(q, *k); k.ID == "" {
			t.Fatalf("%q is nobody's", text)
		}
		if again, err := readCursor(q); err != nil || *again != *k {
			t.Fatalf("%q: %+v, and written anew %+v, %v", text, k, again, err)
		}
	})
}

package search

import (
	order "cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kapdir/directory"
)

// oracle answers queries straight from the credential files, one question at a time and with nothing
// shared with the evaluation but the words of a document.
type oracle struct {
	files []*directory.CredentialFile
	docs  map[directory.ID]*document
	at    directory.Instant
}

func (b *bench) oracle() oracle {
	o := oracle{files: b.feed.files(), docs: map[directory.ID]*document{}, at: directory.At(b.now)}
	m := maker{directory.StandardPolicies(), newLexicon()}
	for _, f := range o.files {
		o.docs[f.Provider.ID] = m.document(directory.Change{Seq: f.Provider.Seq, Provider: f.Provider.ID, File: f}, o.at)
	}
	return o
}

func (o oracle) y(q Query, f *directory.CredentialFile) directory.State {
	switch {
	case q.CanSee != "":
		return q.CanSee
	case q.State != "":
		return q.State
	case q.Near != nil && q.Near.State != "":
		return q.Near.State
	}
	return f.Provider.HomeState()
}

// values are what the file has of a facet.
func (o oracle) values(q Query, f *directory.CredentialFile, name string) []string {
	p := &f.Provider.Practice
	var out []string
	switch name {
	case "state":
		for _, s := range f.Provider.Sites {
			out = append(out, string(s.Address.State))
		}
		for _, s := range p.TelehealthIn {
			out = append(out, string(s))
		}
	case "care":
		out = []string{string(p.CareType())}
	case "accepting":
		switch {
		case p.Accepting == "yes":
			out = []string{"yes"}
		case p.Waitlist == "yes":
			out = []string{"waitlist"}
		case p.Accepting == "no":
			out = []string{"no"}
		default:
			out = []string{"unknown"}
		}
	case "focus":
		out = p.Focus
	case "framework":
		out = p.Frameworks
	case "population":
		out = p.Populations
	case "route":
		out = p.Routes
	case "setting":
		out = p.Settings
	case "access":
		out = p.Access
	case "video":
		if p.Telehealth == "yes" || len(p.TelehealthIn) > 0 {
			out = []string{"yes"}
		} else if p.Telehealth == "no" {
			out = []string{"no"}
		}
	case "payment":
		if p.SlidingScale == "yes" {
			out = append(out, "sliding_scale")
		}
		if p.Superbill == "yes" {
			out = append(out, "superbill")
		}
	case "format":
		out = p.Formats
	case "language":
		out = p.Languages
	case "licence", "programme":
		for _, h := range f.Claims {
			s := directory.Derive(h, o.at, o.at, directory.StandardPolicies()).Status
			if s == "" || s == directory.StatusWithdrawn || s == directory.StatusNotFound {
				continue
			}
			if h.Claim.Kind == directory.License && name == "licence" {
				if t, ok := directory.Tables().Title(h.Claim.Jurisdiction, h.Claim.Title); ok {
					out = append(append(out, t.Profession), t.Abbreviations...)
				}
			}
			if h.Claim.Kind == directory.TrainingCert && name == "programme" && h.Claim.Issuer != "" {
				out = append(out, h.Claim.Issuer)
			}
		}
	default: // one of the five checks
		for _, c := range directory.Checks(f, o.y(q, f), o.at, o.at, directory.StandardPolicies()) {
			if string(c.Check) == name {
				out = []string{string(c.Check) + ":" + string(c.Result)}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// questions lists what a document must answer, by the facet it belongs to; "" is none.
func (o oracle) fails(q Query, f *directory.CredentialFile) map[string]bool {
	failed := map[string]bool{}
	d := o.docs[f.Provider.ID]
	for _, t := range parse(q.Text).terms {
		found := false
		for _, words := range d.text {
			for _, w := range words {
				number := strings.ContainsFunc(w, unicode.IsDigit)
				long := strings.ContainsFunc(t.text, unicode.IsDigit) && len([]rune(t.text)) >= 4
				found = found || w == t.text || t.prefix && strings.HasPrefix(w, t.text) && (!number || long) ||
					t.edits > 0 && !number && []rune(w)[0] == []rune(t.text)[0] && slowDistance([]rune(w), []rune(t.text)) <= t.edits
			}
		}
		if !found {
			failed[""] = true
		}
	}
	if q.Near != nil && q.Miles > 0 {
		if m := o.miles(q, f); math.IsInf(m, 1) || m > q.Miles {
			failed[""] = true
		}
	}
	if q.Telehealth != "" && !slices.Contains(f.Provider.Practice.TelehealthIn, q.Telehealth) {
		failed[""] = true
	}
	if q.CanSee != "" {
		for _, c := range directory.Checks(f, q.CanSee, o.at, o.at, directory.StandardPolicies()) {
			if (c.Check == "license" || c.Check == "oversight") && c.Result != "confirmed" && c.Result != "shown_by_document" {
				failed[""] = true
			}
		}
	}
	if low, _, ok := f.Provider.Practice.SessionPrice(); q.PriceMaxCents > 0 && !(ok && low <= q.PriceMaxCents) {
		failed[""] = true
	}
	for name, wanted := range o.chosen(q) {
		if !slices.ContainsFunc(o.values(q, f, name), func(v string) bool { return slices.Contains(wanted, v) }) {
			failed[name] = true
		}
	}
	return failed
}

// chosen are the values chosen by facet, each of the five checks being one.
func (o oracle) chosen(q Query) map[string][]string {
	out := map[string][]string{}
	if q.State != "" {
		out["state"] = []string{string(q.State)}
	}
	for name, values := range q.Filters {
		for _, v := range values {
			key := name
			if name == "check" {
				key, _, _ = strings.Cut(v, ":")
			}
			out[key] = append(out[key], v)
		}
	}
	return out
}

func (o oracle) miles(q Query, f *directory.CredentialFile) float64 {
	best := math.Inf(1)
	for _, s := range f.Provider.Sites {
		if s.Point != nil {
			best = math.Min(best, q.Near.Point.Miles(*s.Point))
		}
	}
	return best
}

// counts tells, for every facet and value, how many providers choosing it beside the rest gives.
func (o oracle) counts(q Query) map[string]map[string]int {
	out := map[string]map[string]int{}
	for _, name := range append(slices.Clone(facetNames[:]), "license", "training", "oversight", "protocol", "record") {
		if name == "check" {
			continue
		}
		shown := name
		if _, ok := facetByName[name]; !ok {
			shown = "check"
		}
		for _, f := range o.files {
			failed := o.fails(q, f)
			delete(failed, name)
			if len(failed) > 0 {
				continue
			}
			for _, v := range o.values(q, f, name) {
				if name == "licence" && !isProfession(v) && !slices.Contains(q.Filters["licence"], v) {
					continue
				}
				if out[shown] == nil {
					out[shown] = map[string]int{}
				}
				out[shown][v]++
			}
		}
	}
	return out
}

// order sorts the ids of all who answer the query as the contract of Query.Sort says, worked out of each
// document by itself.
func (o oracle) order(q Query) []directory.ID {
	type place struct {
		first, miles         float64
		problem, class, care int
		missing              int
		score                float64
		merit, month         int
		id                   directory.ID
	}
	var all []place
	words := parse(q.Text)
	for _, f := range o.files {
		if len(o.fails(q, f)) > 0 {
			continue
		}
		d := o.docs[f.Provider.ID]
		p := place{id: d.id, miles: math.Inf(1)}
		if q.Near != nil {
			p.miles = o.miles(q, f)
		}
		switch q.Sort {
		case Distance:
			p.first = p.miles
		case Price:
			p.first = math.Inf(1)
			if low, _, ok := f.Provider.Practice.SessionPrice(); ok {
				p.first = float64(low)
			}
		case Checked:
			p.first = math.Inf(1)
		}
		newest := ""
		for _, c := range directory.Checks(f, f.Provider.HomeState(), o.at, o.at, directory.StandardPolicies()) {
			newest = max(newest, string(c.AsOf))
		}
		if newest != "" {
			day, err := time.Parse(time.DateOnly, newest)
			if err != nil {
				panic(err)
			}
			days := int(day.Unix() / 86400)
			p.month = -(days * 12 / 365)
			if q.Sort == Checked {
				p.first = -float64(days)
			}
		}
		for _, c := range directory.Checks(f, o.y(q, f), o.at, o.at, directory.StandardPolicies()) {
			switch c.Result {
			case "problem_on_record":
				p.problem = 1
			case "confirmed":
				p.merit -= 4
			case "shown_by_document":
				p.merit -= 3
			case "stated_by_provider":
				p.merit -= 2
			case "stated_in_listing":
				p.merit--
			}
		}
		if !math.IsInf(p.miles, 1) {
			p.merit -= int(math.Round(10 * math.Pow(2, -p.miles/25)))
		}
		if len(q.Filters["care"]) == 0 && !words.infusion && !slices.Contains(q.Filters["route"], "intravenous") {
			p.care = slices.Index([]directory.CareType{directory.CareFullKAP, directory.CareInfusionCheckIns, directory.CareUnknown, directory.CareInfusionOnly}, d.care)
		}
		for _, facet := range []string{"focus", "framework", "population", "payment", "access", "language"} {
			if chosen := slices.Compact(slices.Sorted(slices.Values(q.Filters[facet]))); len(chosen) > 1 && !slices.Contains(q.Either, facet) {
				for _, v := range chosen {
					if !slices.Contains(o.values(q, f, facet), v) {
						p.missing++
					}
				}
			}
		}
		p.missing = min(p.missing, 7)
		for _, t := range words.terms {
			class, weight := 0, 0.0
			for f, list := range d.text {
				for _, w := range list {
					c, m := 0, 1.0
					number := strings.ContainsFunc(w, unicode.IsDigit)
					long := strings.ContainsFunc(t.text, unicode.IsDigit) && len([]rune(t.text)) >= 4
					switch {
					case w == t.text:
						c = 3
					case t.prefix && strings.HasPrefix(w, t.text) && (!number || long):
						c, m = 2, 0.75
					case t.edits > 0 && !number && []rune(w)[0] == []rune(t.text)[0] && slowDistance([]rune(w), []rune(t.text)) <= t.edits:
						c, m = 1, 0.5
					}
					if c > class {
						class, weight = c, 0
					}
					if c == class && c > 0 {
						weight = max(weight, fieldWeights[f]*m)
					}
				}
			}
			p.score -= weight
			p.class = max(p.class, 3-class)
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b place) int {
		return order.Or(order.Compare(a.first, b.first), order.Compare(a.problem, b.problem), order.Compare(a.class, b.class), order.Compare(a.care, b.care), order.Compare(a.missing, b.missing), order.Compare(a.score, b.score),
			order.Compare(a.merit, b.merit), order.Compare(a.month, b.month), order.Compare(a.miles, b.miles), order.Compare(a.id, b.id))
	})
	ids := make([]directory.ID, len(all))
	for i, p := range all {
		ids[i] = p.id
	}
	return ids
}

// slowDistance is the textbook's: insertion, deletion, change, swap of neighbours.
func slowDistance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// randomQuery draws a query whose words are mostly those of the corpus, whole, cut short or misspelt.
func randomQuery(t *rapid.T, o oracle) Query {
	var q Query
	var vocabulary []string
	if len(o.files) > 0 {
		d := o.docs[o.files[rapid.IntRange(0, len(o.files)-1).Draw(t, "of")].Provider.ID]
		for _, words := range d.text {
			vocabulary = append(vocabulary, words...)
		}
	}
	vocabulary = append(vocabulary, "ketamine", "the", "zzz", "iv")
	var words []string
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 2, 3, 5}).Draw(t, "words") {
		w := []rune(rapid.SampledFrom(vocabulary).Draw(t, "word"))
		for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "edits") {
			i := rapid.IntRange(0, len(w)-1).Draw(t, "at")
			switch rapid.IntRange(0, 3).Draw(t, "edit") {
			case 0:
				w[i] = rapid.SampledFrom([]rune("aeñ7x")).Draw(t, "letter")
			case 1:
				if len(w) > 1 {
					w = append(w[:i:i], w[i+1:]...)
				}
			case 2:
				w = append(w[:i:i], append([]rune{'e'}, w[i:]...)...)
			case 3:
				if i+1 < len(w) {
					w[i], w[i+1] = w[i+1], w[i]
				}
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "cut") == 0 && len(w) > 3 {
			w = w[:3+rapid.IntRange(0, len(w)-3).Draw(t, "length")]
		}
		words = append(words, string(w))
	}
	q.Text = strings.Join(words, rapid.SampledFrom([]string{" ", ", ", " - "}).Draw(t, "between"))
	if r := []rune(q.Text); len(r) > 120 {
		q.Text = string(r[:120])
	}
	q.Either = rapid.SampledFrom([][]string{nil, nil, {"focus"}}).Draw(t, "either")
	states := []directory.State{"", "", "", "CO", "NM", "TX", "WY"}
	q.State = rapid.SampledFrom(states).Draw(t, "state")
	q.Telehealth = rapid.SampledFrom(append(states, "", "", "", "")).Draw(t, "telehealth")
	if rapid.Bool().Draw(t, "near") {
		h := rapid.SampledFrom(homes).Draw(t, "home")
		p, _, _ := directory.Tables().PlaceOfTown(h.city, h.state)
		q.Near = &p
		q.Miles = rapid.SampledFrom([]float64{0, 0.5, 10, 27.3, 100, 900}).Draw(t, "miles")
		q.Sort = rapid.SampledFrom([]string{"", Relevance, Distance, Distance, Price, Checked}).Draw(t, "sort")
	}
	if q.Near == nil {
		q.Sort = rapid.SampledFrom([]string{"", Relevance, Price, Checked}).Draw(t, "sort")
	}
	q.CanSee = rapid.SampledFrom([]directory.State{"", "", "", "", "", "", "CO", "NM"}).Draw(t, "can see")
	q.PriceMaxCents = rapid.SampledFrom([]int64{0, 0, 0, 30000, 60000}).Draw(t, "price")
	for range rapid.SampledFrom([]int{0, 0, 1, 1, 2, 3}).Draw(t, "filters") {
		name := rapid.SampledFrom(FilterNames).Draw(t, "filter")
		values := facetByName[name].vocabulary()
		switch name {
		case "language":
			values = []string{"english", "spanish", "latin"}
		case "licence":
			values = []string{"clinical_social_work", "physician", "LCSW", "XYZ"}
		case "programme":
			values = []string{"polaris", "prati", "fluence", "onca"}
		case "check":
			values = append(slices.Clone(values), "license:confirmed", "license:confirmed", "license:problem_on_record", "training:stated_in_listing", "record:not_checked")
		}
		if q.Filters == nil {
			q.Filters = map[string][]string{}
		}
		for range rapid.IntRange(1, 3).Draw(t, "values") {
			q.Filters[name] = append(q.Filters[name], rapid.SampledFrom(values).Draw(t, "value"))
		}
	}
	q.Limit = rapid.SampledFrom([]int{0, 1, 3, 50}).Draw(t, "limit")
	return q
}

// everything reads all pages of a query.
func everything(x *Index, q Query) (all []Hit, first Result, err error) {
	for page := 0; ; page++ {
		r, err := x.Search(context.Background(), q)
		if err != nil {
			return nil, r, err
		}
		if page == 0 {
			first = r
		}
		all = append(all, r.Hits...)
		if r.Next == "" {
			return all, first, nil
		}
		if len(r.Hits) == 0 || page > 10000 {
			return nil, r, fmt.Errorf("page %d of %s is empty and has a next", page, q)
		}
		q.Cursor = r.Next
	}
}

// plainly is the same index without its bleve half.
func (b *bench) plainly() *Index {
	e, err := b.x.current()
	if err != nil {
		b.t.Fatal(err)
	}
	defer e.release()
	return &Index{cfg: b.x.cfg, maker: b.x.maker, serving: newEpoch(e.docs, nil), patience: b.x.patience, closed: make(chan struct{})}
}

func TestSearchIsWhatReadingEveryFileGives(t *testing.T) {
	defer func(most, few, found, ofMany int) {
		mostDense, fewOf, fewFound, fewFoundOfMany = most, few, found, ofMany
	}(mostDense, fewOf, fewFound, fewFoundOfMany)
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("corpus ", seed), func(t *testing.T) {
			switch seed {
			case 1: // as if they were very many
				mostDense = 0
				defer func() { mostDense = 1 << 17 }()
			case 2: // and as if few were found
				fewOf, fewFound, fewFoundOfMany = 1, 1, 1
			}
			r := rand.New(rand.NewPCG(seed, 2))
			b := newBench(t, corpus(seed, 20+40*int(seed))...)
			for round := range 2 {
				if round > 0 { // the same holds after changes
					for range 15 {
						n := 1 + r.IntN(120)
						if r.IntN(3) == 0 {
							b.feed.drop(pid(n))
						} else {
							b.feed.put(randomFile(r, n))
						}
					}
					b.sync()
				}
				o, p := b.oracle(), b.plainly()
				rapid.Check(t, func(t *rapid.T) { agree(t, b.x, p, o, randomQuery(t, o)) })
			}
		})
	}
}

// agree fails unless the index, the plain reading and the oracle give one answer to the query.
func agree(t *rapid.T, x, plain *Index, o oracle, q Query) {
	t.Logf("query: %s", q)
	hits, first, err := everything(x, q)
	if err != nil {
		t.Fatal(err)
	}
	if first.Plain {
		t.Fatal("the index did not answer")
	}
	plainHits, plainFirst, err := everything(plain, q)
	if err != nil {
		t.Fatal(err)
	}
	if !plainFirst.Plain {
		t.Fatal("the plain reading does not say that it is one")
	}
	if d := cmp.Diff(plainHits, hits); d != "" {
		t.Fatalf("plain reading and index differ (-plain +index):\n%s", d)
	}
	if d := cmp.Diff(plainFirst.Facets, first.Facets); d != "" {
		t.Fatalf("facets of plain reading and index differ (-plain +index):\n%s", d)
	}

	want := map[directory.ID]float64{}
	for _, f := range o.files {
		if len(o.fails(q, f)) == 0 {
			want[f.Provider.ID] = 0
			if q.Near != nil {
				want[f.Provider.ID] = o.miles(q, f)
			}
		}
	}
	if first.Total != len(want) || len(hits) != len(want) {
		t.Fatalf("total %d with %d hits on all pages, want %d", first.Total, len(hits), len(want))
	}
	far := math.Inf(-1)
	for _, h := range hits {
		miles, ok := want[h.ID]
		if !ok {
			t.Fatalf("%s is no answer, or came twice", h.ID)
		}
		delete(want, h.ID)
		if q.Near == nil || math.IsInf(miles, 1) {
			if h.Miles != nil {
				t.Fatalf("%s has a distance of %v", h.ID, *h.Miles)
			}
		} else if h.Miles == nil || *h.Miles != miles {
			t.Fatalf("%s: distance %v, want %v", h.ID, h.Miles, miles)
		}
		if q.Sort == Distance {
			if miles < far {
				t.Fatalf("%s at %v miles comes after one at %v", h.ID, miles, far)
			}
			far = miles
		}
	}
	if d := cmp.Diff(o.order(q), ids(Result{Hits: hits})); d != "" {
		t.Fatalf("order (-want +got):\n%s", d)
	}
	got := map[string]map[string]int{}
	for _, f := range first.Facets {
		for _, v := range f.Values {
			if selected := slices.Contains(q.Filters[f.Name], v.Value) || f.Name == "state" && v.Value == string(q.State); selected != v.Selected {
				t.Fatalf("%s %s: selected %t", f.Name, v.Value, v.Selected)
			}
			if v.Count > 0 {
				if got[f.Name] == nil {
					got[f.Name] = map[string]int{}
				}
				got[f.Name][v.Value] = v.Count
			}
		}
	}
	if d := cmp.Diff(o.counts(q), got); d != "" {
		t.Fatalf("facets differ (-want +got):\n%s", d)
	}
}

func TestEditDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.SampledFrom([]rune("abñ")), 0, 12, -1)
		a, b := []rune(word.Draw(t, "a")), []rune(word.Draw(t, "b"))
		for most := 1; most <= 2; most++ {
			want := min(slowDistance(a, b), most+1)
			if got := editDistance(a, b, most); got != want {
				t.Fatalf("editDistance(%q, %q, %d) = %d, want %d", string(a), string(b), most, got, want)
			}
		}
	})
}

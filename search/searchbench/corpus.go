// Package searchbench measures the search beside other ways to answer the same questions on the same
// providers: here bleve by itself; the databases are in directory/store/storebench.
package searchbench

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
	"kapdir/search"
)

// Noon is when every measurement takes place.
var Noon = time.Date(2026, 11, 16, 15, 0, 0, 0, time.UTC)

// Row is a provider as an engine takes it.
type Row struct {
	ID, Name, Text         string
	State, Care, Accepting string
	Focus, Framework       []string
	Route                  []string
	Price                  int64 // -1 is not stated
	Lat, Lon               float64
}

// Question is what every engine is asked. A zero part is not asked for.
type Question struct {
	Words     []string // all must stand in the text as they are
	Prefix    string   // a word begins so
	Typo      string   // a word of the name, with one letter wrong
	Begin     string   // suggest names that begin so
	Framework string
	Accepting string
	Price     int64 // at most, in cents
	Lat, Lon  float64
	Miles     float64
	Distance  bool // sorted by it
	Facets    bool // six, counted over all that match
	Offset    int  // of the page of 20
}

// Answer is what an engine says to a question.
type Answer struct {
	Total  int // -1 is not counted
	IDs    []string
	Facets map[string]map[string]int
}

// FacetNames are the six facets that are counted.
var FacetNames = []string{"state", "care", "accepting", "focus", "framework", "route"}

// Corpus makes providers of numbers: the same number gives the same provider on every machine.
type Corpus struct {
	N        int
	words    []string
	givens   []string
	families []string
	places   []directory.Place
	policies directory.Policies
}

// NewCorpus prepares n providers.
func NewCorpus(n int) *Corpus {
	c := &Corpus{N: n, policies: directory.StandardPolicies()}
	r := rand.New(rand.NewPCG(7, 7))
	c.words, c.givens, c.families = invent(r, 8000), invent(r, 600), invent(r, 8000)
	for z := 501; z < 100000; z++ {
		if p, ok := directory.Tables().PlaceOfZIP(fmt.Sprintf("%05d", z)); ok && p.Exact && p.City != "" && p.State != "" {
			c.places = append(c.places, p)
		}
	}
	return c
}

// invent makes words that are none.
func invent(r *rand.Rand, n int) []string {
	const consonants, vowels = "bcdfghklmnprstvz", "aeiou"
	seen := map[string]bool{}
	var out []string
	for len(out) < n {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteByte(consonants[r.IntN(len(consonants))])
			b.WriteByte(vowels[r.IntN(len(vowels))])
		}
		if r.IntN(2) == 0 {
			b.WriteByte(consonants[r.IntN(len(consonants))])
		}
		if w := b.String(); len(w) > 4 && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}

// Place draws a place at which providers are.
func (c *Corpus) Place(r *rand.Rand) directory.Place { return c.places[r.IntN(len(c.places))] }

// ID names the provider of a number.
func ID(n int) directory.ID { return directory.ID(fmt.Sprintf("%s%026d", directory.ProviderPrefix, n)) }

// File makes the credential file of a provider; another revision differs in words and facts.
func (c *Corpus) File(n, revision int) *directory.CredentialFile {
	r := rand.New(rand.NewPCG(uint64(n), uint64(revision)))
	pick := func(list []string, most int) []string {
		var out []string
		for range r.IntN(most + 1) {
			if w := list[r.IntN(len(list))]; !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
		return out
	}
	title := func(w string) string { return strings.ToUpper(w[:1]) + w[1:] }
	f := &directory.CredentialFile{Linked: map[directory.ID]*directory.CredentialFile{}}
	p := &f.Provider
	p.ID, p.Kind, p.ListedAs = ID(n), directory.Person, directory.AsKAP
	p.Name = directory.ParseName(title(c.givens[r.IntN(len(c.givens))]) + " " + title(c.families[r.IntN(len(c.families))]))
	place := c.places[r.IntN(len(c.places))]
	point := directory.Point{Lat: place.Point.Lat + (r.Float64()-0.5)/10, Lon: place.Point.Lon + (r.Float64()-0.5)/10}
	p.Sites = []directory.Site{{Address: directory.Address{City: place.City, State: place.State, ZIP: place.ZIP}, Point: &point}}
	var words []string
	for range 30 + r.IntN(20) {
		words = append(words, c.words[int(float64(len(c.words))*math.Pow(r.Float64(), 2.2))])
	}
	p.Affiliations = []directory.Affiliation{{Name: strings.Join(words, " ")}}
	pr := &p.Practice
	yes := func() directory.Answer {
		return []directory.Answer{directory.Unknown, directory.Yes, directory.No}[r.IntN(3)]
	}
	pr.Frameworks, pr.Focus, pr.Routes = pick(directory.Vocabulary["framework"][:7], 3), pick(directory.Vocabulary["focus"][:6], 3), pick(directory.Vocabulary["route"], 2)
	pr.Populations, pr.Formats, pr.Languages = pick(directory.Vocabulary["population"], 2), pick(directory.Vocabulary["format"], 2), pick([]string{"english", "spanish", "navajo"}, 2)
	pr.Accepting, pr.Waitlist = yes(), yes()
	pr.Preparation.Offered, pr.Medicine.Offered, pr.Integration.Offered = yes(), yes(), yes()
	pr.Presence = []directory.Presence{"", directory.PresenceInRoom, directory.PresenceNone}[r.IntN(3)]
	if r.IntN(3) > 0 {
		cents := int64(20+r.IntN(100)) * 1000
		pr.Prices = []directory.PriceItem{{Component: "medicine_session", MinCents: cents, MaxCents: cents, Currency: "USD"}}
	}
	return f
}

// Row is the provider as other engines take it: with the very words the index holds.
func (c *Corpus) Row(n, revision int) Row {
	h := search.HeldOf(c.policies, directory.Change{Seq: 1, Provider: ID(n), File: c.File(n, revision)}, directory.At(Noon))
	one := func(name string) string { return append(h.Values[name], "")[0] }
	return Row{ID: string(ID(n)), Name: h.Name, Text: h.Text, State: one("state"), Care: one("care"), Accepting: one("accepting"),
		Focus: h.Values["focus"], Framework: h.Values["framework"], Route: h.Values["route"], Price: h.Price, Lat: h.Points[0].Lat, Lon: h.Points[0].Lon}
}

// Feed gives the corpus as a store does, without holding it.
type Feed struct {
	c       *Corpus
	changed []int       // numbers of providers, in the order of their changes
	last    map[int]int // the newest change of each, counted from 1
}

// NewFeed begins with every provider at its first revision.
func NewFeed(c *Corpus) *Feed { return &Feed{c: c, last: map[int]int{}} }

// Change gives a provider another revision.
func (f *Feed) Change(n int) {
	f.changed = append(f.changed, n)
	f.last[n] = len(f.changed)
}

// Head is the newest number.
func (f *Feed) Head(context.Context) (directory.Head, error) {
	seq := int64(f.c.N + len(f.changed))
	return directory.Head{Seq: seq, RecordedAt: directory.At(Noon), Public: seq}, nil
}

// Changes gives the newest change of each provider after the number.
func (f *Feed) Changes(_ context.Context, after int64, limit int) ([]directory.Change, error) {
	var out []directory.Change
	for seq := int(after) + 1; seq <= f.c.N+len(f.changed) && len(out) < limit; seq++ {
		n, revision := seq, 0
		if seq > f.c.N {
			n, revision = f.changed[seq-f.c.N-1], seq-f.c.N
		}
		if f.last[n] != revision {
			continue
		}
		file := f.c.File(n, revision)
		file.Provider.Seq = int64(seq)
		out = append(out, directory.Change{Seq: int64(seq), Provider: ID(n), File: file})
	}
	return out, nil
}

// Class is a kind of question.
type Class struct {
	Name string
	Ask  func(c *Corpus, r *rand.Rand) Question
	// Same says that every engine gives the same total, which is then held against a count by hand.
	Same bool
}

func (c *Corpus) someone(r *rand.Rand) *directory.CredentialFile { return c.File(1+r.IntN(c.N), 0) }

func (c *Corpus) wordsOf(r *rand.Rand, n int) []string {
	words := strings.Fields(c.someone(r).Provider.Affiliations[0].Name)
	slices.SortFunc(words, func(a, b string) int { return cmp.Compare(slices.Index(c.words, a), slices.Index(c.words, b)) })
	words = slices.Compact(words)
	i := r.IntN(len(words) / 2)
	return slices.Clone(words[i : i+n])
}

func misspell(r *rand.Rand, w string) string {
	b := []byte(w)
	i := 1 + r.IntN(len(b)-1)
	switch r.IntN(3) {
	case 0:
		b[i] = 'x'
	case 1:
		return string(append(b[:i:i], b[i+1:]...))
	default:
		return string(append(b[:i:i], append([]byte{'x'}, b[i:]...)...))
	}
	return string(b)
}

func (c *Corpus) around(r *rand.Rand, q Question) Question {
	p := c.places[r.IntN(len(c.places))].Point
	q.Lat, q.Lon, q.Miles, q.Distance = p.Lat, p.Lon, 50, true
	return q
}

func (c *Corpus) common(r *rand.Rand) []string { return []string{c.words[40+r.IntN(160)]} }

// Classes are the kinds of question of performance.md §1.
var Classes = []Class{
	{"match 2 terms", func(c *Corpus, r *rand.Rand) Question { return Question{Words: c.wordsOf(r, 2)} }, true},
	{"match + 2 filters", func(c *Corpus, r *rand.Rand) Question {
		return Question{Words: c.wordsOf(r, 2), Framework: "ifs", Accepting: "yes"}
	}, true},
	{"typo", func(c *Corpus, r *rand.Rand) Question {
		return Question{Typo: misspell(r, strings.ToLower(c.someone(r).Provider.Name.Family))}
	}, false},
	{"prefix", func(c *Corpus, r *rand.Rand) Question {
		return Question{Prefix: strings.ToLower(c.someone(r).Provider.Name.Family[:3])}
	}, true},
	{"50 miles by distance", func(c *Corpus, r *rand.Rand) Question { return c.around(r, Question{}) }, true},
	{"match + 6 facets", func(c *Corpus, r *rand.Rand) Question { return Question{Words: c.common(r), Facets: true} }, true},
	{"all + 6 facets", func(*Corpus, *rand.Rand) Question { return Question{Facets: true} }, true},
	{"product", func(c *Corpus, r *rand.Rand) Question {
		return c.around(r, Question{Words: c.common(r), Framework: "ifs", Price: 80000, Facets: true})
	}, true},
	{"product without text", func(c *Corpus, r *rand.Rand) Question {
		return c.around(r, Question{Framework: "ifs", Price: 80000, Facets: true})
	}, true},
	{"page 1", func(c *Corpus, r *rand.Rand) Question { return Question{} }, true},
	{"page 500", func(c *Corpus, r *rand.Rand) Question { return Question{Offset: min(9980, c.N-20)} }, true},
	{"match, page 1", func(c *Corpus, r *rand.Rand) Question { return Question{Words: []string{"ketamine"}} }, true},
	{"match, page 500", func(c *Corpus, r *rand.Rand) Question {
		return Question{Words: []string{"ketamine"}, Offset: min(9980, c.N-20)}
	}, true},
	{"suggest", func(c *Corpus, r *rand.Rand) Question {
		name := strings.ToLower(c.someone(r).Provider.Name.Given)
		return Question{Begin: name[:2+r.IntN(3)]}
	}, false},
}

// Count answers a question by looking at every row; it is slow and has nothing that can be wrong in a subtle
// way. The ids are not those of a page.
func Count(rows []Row, q Question) Answer {
	a := Answer{Facets: map[string]map[string]int{}}
	here := directory.Point{Lat: q.Lat, Lon: q.Lon}
	for i := range rows {
		row := &rows[i]
		words := strings.Fields(row.Text)
		ok := !slices.ContainsFunc(q.Words, func(w string) bool { return !slices.Contains(words, w) })
		ok = ok && (q.Prefix == "" || slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, q.Prefix) }))
		ok = ok && (q.Framework == "" || slices.Contains(row.Framework, q.Framework)) && (q.Accepting == "" || row.Accepting == q.Accepting)
		ok = ok && (q.Price == 0 || row.Price >= 0 && row.Price <= q.Price) && (q.Miles == 0 || here.Miles(directory.Point{Lat: row.Lat, Lon: row.Lon}) <= q.Miles)
		if !ok {
			continue
		}
		a.Total++
		if !q.Facets {
			continue
		}
		for name, values := range map[string][]string{"state": {row.State}, "care": {row.Care}, "accepting": {row.Accepting}, "focus": row.Focus, "framework": row.Framework, "route": row.Route} {
			for _, v := range values {
				if a.Facets[name] == nil {
					a.Facets[name] = map[string]int{}
				}
				a.Facets[name][v]++
			}
		}
	}
	return a
}

package search

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kapdir/directory"
)

// Reading is what the words of a search were understood as. It holds what a visitor typed and is never logged.
type Reading struct {
	Text   string  // as typed
	Pieces []Piece // what was recognised, in the order of the text
	Rest   string  // the words to search for: what no piece took
	// AskPlace says that the words ask for somewhere near and name no place. Nobody's position is looked up, so
	// whoever answers asks kindly for a ZIP code.
	AskPlace bool
}

// Piece is one thing recognised in a text.
type Piece struct {
	Start, End int      // of the words in the text, in characters
	Words      string   // as typed
	Kind       string   // near, miles, state, telehealth, can_see, price_max, a filter's name; name, npi, number: words searched for; unheld, optional: neither
	Values     []string // of the filter
	Label      string   // for people
	Note       string   // how unclear words were read, or why nothing was asked for; "" when it is plain
	Fixed      bool     // the words were misspelt
	Off        string   // "" in force; lifted: left out; words: searched for as words instead
	Place      *directory.Place
	Others     int // of a town: how many other states have one of that name

	from, to int    // the tokens
	core     [2]int // those of them that mean it, without a word such as in
	either   bool   // one of several, by an or before it
}

// Key names the piece in a list of those to leave out: kind:value.
func (p Piece) Key() string { return p.Kind + ":" + strings.Join(p.Values, "|") }

// Filters reports that the piece narrows the search, other than by its words.
func (p Piece) Filters() bool {
	switch p.Kind {
	case "name", "npi", "number", kindUnheld, kindOptional:
		return false
	}
	return p.Off == ""
}

// Options say how a text is to be read.
type Options struct {
	Lifted []string // keys of pieces that the visitor took away: neither filter nor words
	Words  []string // keys of pieces to search for as words; "all" reads nothing
	// Known reports a word of somebody's name in the directory, so that Grace Hope and Georgia Maddox are people.
	// nil goes by the table of given names alone.
	Known func(word string) bool
}

// AllWords among Options.Words reads nothing into the text.
const AllWords = "all"

// The bounds of a reading. A longer text is not read into.
const (
	maxRead = 120 // tokens
	maxMend = 5   // misspelt words
)

// Understand reads a text into places, needs, prices and so on, each as a filter that the directory can
// answer truthfully, and leaves the rest as words. It asks no service, keeps nothing and always gives the
// same for the same text, options and tables. A text that is too long, or not UTF-8, comes back as words.
func Understand(text string, o Options) Reading {
	r := Reading{Text: text, Rest: text}
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxTold || slices.Contains(o.Words, AllWords) {
		return r
	}
	x := newReader(text, o)
	if len(x.toks) > maxRead {
		return r
	}
	x.read()
	x.mend()
	x.settle()
	for i, p := range x.pieces {
		p.either = i > 0 && x.pieces[i-1].Kind == p.Kind && x.either(x.pieces[i-1].core[1], p.core[0])
		t := x.toks[p.from:p.to]
		start, end := t[0].start, t[len(t)-1].end
		p.Words = text[start:end]
		p.Start = utf8.RuneCountInString(text[:start])
		p.End = p.Start + utf8.RuneCountInString(p.Words)
		p.Fixed = slices.ContainsFunc(t, func(t token) bool { return t.fixed })
		if p.Label == "" {
			p.Label = pieceLabel(p)
		}
		switch {
		case slices.Contains(o.Lifted, p.Key()):
			p.Off = "lifted"
		case slices.Contains(o.Words, p.Key()):
			p.Off = "words"
		}
		if p.Off == "words" || p.Off == "" && (p.Kind == "name" || p.Kind == "npi" || p.Kind == "number") {
			for i := p.core[0]; i < p.core[1]; i++ {
				x.toks[i].rest = true
			}
		}
		r.Pieces = append(r.Pieces, p)
	}
	r.AskPlace = x.askPlace && !slices.ContainsFunc(r.Pieces, func(p Piece) bool {
		return p.Off == "" && (p.Kind == "near" || p.Kind == "state" || p.Kind == "can_see")
	})
	r.Rest = x.rest()
	return r
}

// either reports an or among some tokens.
func (r *reader) either(from, to int) bool {
	for i := from; i < to; i++ {
		if orWords[r.word(i)] {
			return true
		}
	}
	return false
}

var orWords = wordSet("or o u")

// kind reports a piece that asks for something which can be said no to.
func (p Piece) kind() bool {
	_, facet := facetByName[p.Kind]
	return facet || p.Kind == "near" || p.Kind == "can_see"
}

// pieceLabel says what a piece asks for.
func pieceLabel(p Piece) string {
	v := ""
	if len(p.Values) > 0 {
		v = p.Values[0]
	}
	switch p.Kind {
	case "near":
		return "Near " + p.Place.String()
	case "miles":
		return "Within " + v + " miles"
	case "state":
		return "In " + directory.State(v).Name() + ", or by video there"
	case "telehealth":
		return "By video for a patient in " + directory.State(v).Name()
	case "can_see":
		return "Therapist and prescriber shown to be licensed in " + directory.State(v).Name()
	case "price_max":
		return "Medicine session up to $" + grouped(v)
	case "name":
		return "Name: " + v
	case "npi":
		return "NPI " + v
	case "number":
		return "Licence number " + v
	case kindUnheld:
		return "Not asked for: " + p.Words
	case kindOptional:
		return "By video is welcome"
	}
	var out []string
	for _, v := range p.Values {
		out = append(out, Label(p.Kind, v))
	}
	l := strings.Join(out, " or ")
	switch p.Kind {
	case "accepting", "video":
		l = FacetLabel(p.Kind) + ": " + l
	case "focus":
		l += ", as stated by the provider"
	}
	return l
}

// Apply adds what was understood to a query. What the query says already stands: a place or a price that was
// chosen beside the words is not changed by them.
func (r Reading) Apply(q Query) Query {
	q.Text = r.Rest
	given := q
	filters := map[string][]string{}
	for k, v := range q.Filters {
		filters[k] = slices.Clone(v)
	}
	for _, p := range r.Pieces {
		if !p.Filters() {
			continue
		}
		switch p.Kind {
		case "near":
			if given.Near == nil && q.Near == nil {
				q.Near = p.Place
				if q.Miles == 0 {
					q.Miles = nearMiles
				}
			}
		case "state":
			q.State = cmp.Or(given.State, q.State, directory.State(p.Values[0]))
		case "telehealth":
			q.Telehealth = cmp.Or(given.Telehealth, q.Telehealth, directory.State(p.Values[0]))
		case "can_see":
			q.CanSee = cmp.Or(given.CanSee, q.CanSee, directory.State(p.Values[0]))
		case "price_max":
			if n := cents(p.Values[0]); q.PriceMaxCents == 0 {
				q.PriceMaxCents = n
			}
		case "miles":
		default:
			for _, v := range p.Values {
				if !slices.Contains(filters[p.Kind], v) {
					filters[p.Kind] = append(filters[p.Kind], v)
				}
			}
			if p.either && !slices.Contains(q.Either, p.Kind) {
				q.Either = append(slices.Clip(q.Either), p.Kind)
			}
		}
	}
	for _, p := range r.Pieces {
		if p.Kind == "miles" && p.Filters() && q.Near != nil && given.Near == nil {
			fmt.Sscan(p.Values[0], &q.Miles)
		}
	}
	if len(filters) > 0 {
		q.Filters = filters
	}
	return q
}

// grouped writes a number with commas: 1,500.
func grouped(n string) string {
	for i := len(n) - 3; i > 0; i -= 3 {
		n = n[:i] + "," + n[i:]
	}
	return n
}

// nearMiles is how far near is if nobody says.
const nearMiles = 50

func cents(dollars string) int64 {
	n := int64(0)
	fmt.Sscan(strings.ReplaceAll(dollars, ",", ""), &n)
	return n * 100
}

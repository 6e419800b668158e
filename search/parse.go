package search

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kapdir/directory"
)

// term is one word of a query and how loosely it may be taken.
type term struct {
	text   string
	edits  int  // letters that may be wrong: 0, 1 or 2
	prefix bool // it also stands for every word that begins so
}

// request is what the words of a query come to. All terms must match.
type request struct {
	terms    []term
	ignored  []string
	infusion bool // the words ask for infusion, so that full KAP does not stand before it
}

// smallWords are left out of a query: they say nothing about a provider, in English or Spanish. A query
// of nothing else is searched as it stands.
var smallWords = wordSet("a an and are at by for from i in is me my near of on or s that the to who with",
	"cerca con de del el en la las los para por que un una y")

var infusionWords = wordSet("infusion infusions iv intravenous drip infusiones")

func wordSet(lists ...string) map[string]bool {
	m := map[string]bool{}
	for _, l := range lists {
		for _, w := range strings.Fields(l) {
			m[w] = true
		}
	}
	return m
}

// tokens returns the words of a text as documents and queries alike hold them.
func tokens(s string) []string {
	words := strings.Fields(directory.Fold(s))
	for i, w := range words {
		words[i] = shorten(w)
	}
	return words
}

func shorten(w string) string {
	if len(w) <= maxToken || utf8.RuneCountInString(w) <= maxToken {
		return w
	}
	return string([]rune(w)[:maxToken])
}

// parse reads the words of a query. There is no syntax in it: every sign is a blank.
func parse(text string) request {
	var r request
	var words []string
	for _, w := range tokens(text) {
		if infusionWords[w] {
			r.infusion = true
		}
		if smallWords[w] {
			r.ignored = append(r.ignored, w)
		} else {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		words, r.ignored = r.ignored, nil
	}
	for i, w := range words {
		last := i == len(words)-1
		same := func(t term) bool { return t.text == w }
		if !last && slices.ContainsFunc(r.terms, same) {
			continue
		}
		if last { // said before, this one also stands for longer words
			r.terms = slices.DeleteFunc(r.terms, same)
		}
		r.terms = append(r.terms, term{text: w, prefix: last && utf8.RuneCountInString(w) >= 3})
	}
	// The longest words may be misspelt: they are the likeliest to be, and match the fewest others.
	byLength := make([]int, 0, len(r.terms))
	for i, t := range r.terms {
		if mayBeMisspelt(t.text) {
			byLength = append(byLength, i)
		}
	}
	slices.SortStableFunc(byLength, func(a, b int) int {
		return utf8.RuneCountInString(r.terms[b].text) - utf8.RuneCountInString(r.terms[a].text)
	})
	for _, i := range byLength[:min(maxFuzzy, len(byLength))] {
		r.terms[i].edits = 1
		if utf8.RuneCountInString(r.terms[i].text) >= 8 {
			r.terms[i].edits = 2
		}
	}
	return r
}

// mayBeMisspelt reports a word of 4 letters or more. A number is right or wrong: one digit off is
// another licence, another ZIP, another person.
func mayBeMisspelt(w string) bool {
	n := utf8.RuneCountInString(w)
	return n >= 4 && n <= maxFuzzyLen && strings.IndexFunc(w, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// request is what the words of the query come to.
func (q Query) request() request {
	r := parse(q.Text)
	if q.Exact {
		for i := range r.terms {
			r.terms[i].edits = 0
		}
	}
	if q.Whole {
		for i := range r.terms {
			r.terms[i].edits, r.terms[i].prefix = 0, false
		}
	}
	if slices.Contains(q.Filters["route"], "intravenous") {
		r.infusion = true
	}
	return r
}

func (r request) understood() Understood {
	u := Understood{Ignored: r.ignored}
	for _, t := range r.terms {
		u.Terms = append(u.Terms, t.text)
		if t.edits > 0 {
			u.Fuzzy = append(u.Fuzzy, t.text)
		}
		if t.prefix {
			u.Prefix = t.text
		}
	}
	return u
}

// distance is the number of letters that must be put in, left out, changed or swapped with their
// neighbour to make b of a; more than most is told as most+1.
func editDistance(a, b []rune, most int) int {
	if d := len(a) - len(b); d > most || -d > most {
		return most + 1
	}
	var rows [3][maxToken + 1]int
	before, last, now := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(last[j]+1, now[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			now[j] = d
			least = min(least, d)
		}
		if least > most {
			return most + 1
		}
		before, last, now = last, now, before
	}
	return min(last[len(b)], most+1)
}

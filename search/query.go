package search

import (
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kapdir/directory"
)

// The bounds of a query. They are checked before anything is built, because a deadline does not bound
// construction (reliability.md §1.7).
const (
	maxText     = 200  // characters that are searched for
	maxTold     = 500  // characters that are read into: a whole story
	maxTerms    = 12   // words after the small ones are left out
	maxFuzzy    = 3    // terms that may be misspelt: the longest
	maxToken    = 64   // runes of one word, in documents and queries
	maxFuzzyLen = 32   // runes of a word that may be misspelt
	maxValues   = 40   // values of one filter
	maxMiles    = 4000 // more than any two places of the USA are apart, the territories left aside
	maxCursor   = 1024 // bytes

	defaultLimit = 20
	maxLimit     = 50
)

// The orders of a result.
const (
	Relevance = "relevance"
	Distance  = "distance" // the nearest site first; who has none that is known comes last
	Price     = "price"    // the lowest price of a medicine session first; who states none comes last
	Checked   = "checked"  // the newest day of any of the five checks first; who was never checked comes last
)

// Query is what a visitor asks. The zero Query finds everybody. An error about it names the parameter at
// fault: q, state, near, miles, telehealth, can_see, price_max, sort, limit, cursor, at, or a filter's own name.
type Query struct {
	Text       string              // every word must match; parameter q
	Exact      bool                // words as typed only, without close spellings; the last may still be cut short
	State      directory.State     // the patient's state Y: a site there, or telehealth offered there; checks are for it
	Near       *directory.Place    // where distances count from
	Miles      float64             // with Near: a site within so many miles; 0 is any distance
	Telehealth directory.State     // telehealth is offered into this state
	CanSee     directory.State     // checks 1 and 3 show by evidence that therapist and prescriber are licensed there; then it is the Y
	Filters    map[string][]string // by the names in FilterNames: OR within one, AND between; each of the five checks counts as one

	// Either names filters of which one value is enough: who states more of them stands no higher.
	Either []string

	// PriceMaxCents is a ceiling on the lowest price of a medicine session; a provider of whom no source
	// states one does not pass. 0 is no ceiling.
	PriceMaxCents int64

	Sort   string // Relevance, which is the default, Price, Checked, or Distance, which needs Near
	Limit  int    // 1 to 50; 0 is 20
	Cursor string // Result.Next of the page before, of the same query

	// At asks for the checks as they were at a moment that has passed, by all that is known now; "" is now.
	// Facts are not kept by date: who is found by words, places and filters goes by what is stated today.
	At directory.Instant

	// Whole takes every word as it stands: none is misspelt, and the last is no beginning of a longer one either.
	Whole bool

	// Facets names those to count, by FilterNames and state; nil is all. What is not counted costs nothing.
	Facets []string
	// Explain has Hit.Stands say what put each result where it stands, the weightiest part first. It changes
	// neither who is found nor the order.
	Explain bool
}

// Validate checks every part of the query but the inside of the cursor, which Search reads.
func (q Query) Validate() error {
	if !utf8.ValidString(q.Text) {
		return directory.Errorf(directory.Invalid, "q", "the search text is not UTF-8")
	}
	if n := utf8.RuneCountInString(q.Text); n > maxText {
		return directory.Errorf(directory.Invalid, "q", "the search text has %d characters; at most %d can be searched", n, maxText)
	}
	if tooMany(q.Text) {
		return directory.Errorf(directory.Invalid, "q", "the search text has %d words; at most %d can be searched", len(parse(q.Text).terms), maxTerms)
	}
	for _, x := range []struct {
		field string
		state directory.State
	}{{"state", q.State}, {"telehealth", q.Telehealth}, {"can_see", q.CanSee}} {
		if x.state != "" && !knownState(x.state) {
			return directory.Errorf(directory.Invalid, x.field, "%q is not a US state or territory", x.state)
		}
	}
	if q.Near != nil {
		if p := q.Near.Point; !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) { // so written, NaN fails too
			return directory.Errorf(directory.Invalid, "near", "a place has a latitude and a longitude in degrees")
		}
		if q.Near.State != "" && !knownState(q.Near.State) {
			return directory.Errorf(directory.Invalid, "near", "%q is not a US state or territory", q.Near.State)
		}
	}
	if !(q.Miles >= 0 && q.Miles <= maxMiles) {
		return directory.Errorf(directory.Invalid, "miles", "a distance is between 0 and %d miles", maxMiles)
	}
	if q.PriceMaxCents < 0 {
		return directory.Errorf(directory.Invalid, "price_max", "a price is not negative")
	}
	switch q.Sort {
	case "", Relevance, Price, Checked:
	case Distance:
		if q.Near == nil {
			return directory.Errorf(directory.Invalid, "sort", "sorting by distance needs a place")
		}
	default:
		return directory.Errorf(directory.Invalid, "sort", "%q is no order: use relevance, distance, price or checked", clip(q.Sort))
	}
	if q.Limit < 0 || q.Limit > maxLimit {
		return directory.Errorf(directory.Invalid, "limit", "a page holds 1 to %d results", maxLimit)
	}
	if len(q.Cursor) > maxCursor {
		return directory.Errorf(directory.Invalid, "cursor", "this is not a cursor of ours")
	}
	for _, name := range q.Facets {
		if _, ok := facetByName[name]; !ok {
			return directory.Errorf(directory.Invalid, "facets", "there is no facet %q", clip(name))
		}
	}
	for _, name := range sortedKeys(q.Filters) {
		if err := validFilter(name, q.Filters[name]); err != nil {
			return err
		}
	}
	return nil
}

// tooMany reports more words than can be searched for. In plain letters so many need something between them.
func tooMany(text string) bool {
	plain := strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
	return (len(text) > 2*maxTerms || !plain) && len(parse(text).terms) > maxTerms
}

func validFilter(name string, values []string) error {
	f, ok := facetByName[name]
	if !ok || f == facetState {
		return directory.Errorf(directory.Invalid, clip(name), "there is no filter of this name: use one of %s", strings.Join(FilterNames, ", "))
	}
	if len(values) > maxValues {
		return directory.Errorf(directory.Invalid, name, "at most %d values can be chosen", maxValues)
	}
	for _, v := range values {
		if !f.accepts(v) {
			return directory.Errorf(directory.Invalid, name, "%q is not a value of this filter", clip(v))
		}
	}
	return nil
}

// String writes the query in one form for all ways of saying the same. It holds what a visitor typed:
// it is for tests and cursors, and is never logged.
func (q Query) String() string { return string(q.write(nil)) }

func (q Query) write(b []byte) []byte {
	name := func(s string) {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(b, s...)
	}
	quoted := func(n, value string) {
		name(n)
		b = strconv.AppendQuote(b, value)
	}
	number := func(f float64) { b = strconv.AppendFloat(b, f, 'g', -1, 64) }
	if q.Text != "" {
		quoted("q:", q.Text)
		if q.Exact {
			name("exact")
		}
		if q.Whole {
			name("whole")
		}
	}
	if q.State != "" {
		name("state:" + string(q.State))
	}
	if q.Near != nil {
		name("near:")
		number(q.Near.Point.Lat)
		b = append(b, ',')
		number(q.Near.Point.Lon)
		b = append(append(b, ','), q.Near.State...)
		if q.Miles > 0 {
			name("miles:")
			number(q.Miles)
		}
	}
	if q.Telehealth != "" {
		name("telehealth:" + string(q.Telehealth))
	}
	if q.CanSee != "" {
		name("can_see:" + string(q.CanSee))
	}
	for _, filter := range sortedKeys(q.Filters) {
		values := slices.Clone(q.Filters[filter])
		slices.Sort(values)
		for _, v := range slices.Compact(values) {
			quoted(filter+":", v)
		}
	}
	for _, filter := range q.Either {
		quoted("either:", filter)
	}
	if q.PriceMaxCents > 0 {
		name("price_max:")
		b = strconv.AppendInt(b, q.PriceMaxCents, 10)
	}
	if q.Sort != "" && q.Sort != Relevance {
		name("sort:" + q.Sort)
	}
	if q.At != "" {
		name("at:" + string(q.At))
	}
	return b
}

// fingerprint ties a cursor to its query. It keeps no secret.
func (q Query) fingerprint() uint64 {
	var room [256]byte
	h := fnv.New64a()
	h.Write(q.write(room[:0]))
	return h.Sum64()
}

func (q Query) limit() int {
	if q.Limit == 0 {
		return defaultLimit
	}
	return q.Limit
}

func clip(s string) string {
	if r := []rune(strings.ToValidUTF8(s, "�")); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

func knownState(s directory.State) bool {
	got, err := directory.ParseState(string(s))
	return err == nil && got == s
}

func sortedKeys(m map[string][]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

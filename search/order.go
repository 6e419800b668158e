package search

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// sortKey is what the order of results is worked out from, and what a cursor holds. It is all of one
// document and the query: no other document and no statistic moves it, so that pages hold together while
// documents come and go.
type sortKey struct {
	First int64   // of the orders by price and by day: what comes first
	Rank  uint64  // rank packs all that makes one result more relevant than another
	Miles float64 // to the nearest site; negative is not known
	ID    directory.ID
}

// The parts of a rank from the weightiest to the lightest; a smaller number stands first. A problem on record
// stands last whatever else holds; then come the nearest words, the kind of care, how many of several needs are
// missing, the weight of the words, how much is confirmed and how near it is, and the month of the last check.
func rank(problem bool, m match, care uint8, missing int, merit int, checked int32) uint64 {
	r := uint64(0)
	if problem {
		r = 1
	}
	r = r<<3 | uint64(exact-m.class)
	r = r<<2 | uint64(care)
	r = r<<3 | uint64(min(mostMissing, missing))
	r = r<<14 | uint64(1<<14-1-min(1<<14-1, int(m.score*4)))
	r = r<<6 | uint64(maxComplete+maxNear-merit)
	return r<<14 | uint64(1<<14-1-min(1<<14-1, monthOf(checked)))
}

// mostMissing bounds the needs that a rank counts as missing.
const mostMissing = 7

// atHome makes of a rank without words, needs and place one with them. It is the same as working all of it out.
func atHome(home uint64, m match, rankCare bool, missing, near int) uint64 {
	home -= uint64(m.class)<<39 + uint64(min(1<<14-1, int(m.score*4)))<<20 + uint64(near)<<14
	if !rankCare {
		home &^= 3 << 37
	}
	return home + uint64(min(mostMissing, missing))<<34
}

// addUp are the facets of which several values chosen are several needs: whoever states one of them is found, and who
// states more of them stands before. Values of the others are alternatives.
const addUp = 1<<facetFocus | 1<<facetFramework | 1<<facetPopulation | 1<<facetPayment | 1<<facetAccess | 1<<facetLanguage

// needsStated tells how many of the needs a document has.
func (e *evaluation) needsStated(s *snapshot, doc uint32) (n int) {
	for i := range e.filters {
		f := &e.filters[i]
		if !f.addsUp {
			continue
		}
		b := &s.bits[doc]
		n += bits.OnesCount64(b[0]&f.bits[0]) + bits.OnesCount64(b[1]&f.bits[1])
		for _, v := range f.others {
			n += boolInt(slices.Contains(s.others.of(doc), v))
		}
	}
	return n
}

// monthOf numbers months of the calendar, about: freshness counts from a date that does not move, so that the
// order does not change from one page to the next.
func monthOf(day int32) int { return int(day) * 12 / 365 }

// What completeness and nearness add to the merit of a result at most.
const (
	maxComplete = 20
	maxNear     = 10
)

// nearness halves every 25 miles.
func nearness(miles float64) int {
	n := 0
	for miles >= 0 && n < maxNear && miles <= nearSteps[n] {
		n++
	}
	return n
}

// nearSteps are the miles up to which nearness, which is whole, is more than its place.
var nearSteps = func() (steps [maxNear]float64) {
	for n := range steps {
		steps[n] = 25 * math.Log2(maxNear/(float64(n)+0.5))
	}
	return steps
}()

// careOrder puts full KAP first and infusion alone last; what nobody stated stands between.
var careOrder = map[directory.CareType]int{directory.CareFullKAP: 0, directory.CareInfusionCheckIns: 1, directory.CareUnknown: 2, directory.CareInfusionOnly: 3}

// resultWeight says how much a check's result adds to completeness.
var resultWeight = func() []int {
	w := make([]int, len(directory.CheckResults))
	w[directory.Confirmed.Rank()], w[directory.ShownByDocument.Rank()] = 4, 3
	w[directory.StatedByProvider.Rank()], w[directory.StatedInListing.Rank()] = 2, 1
	return w
}()

// complete adds up the results as they were worked out.
func (c *stateChecks) complete() (n int) {
	for _, r := range c.results {
		n += resultWeight[r]
	}
	return n
}

// problem reports a problem on record. One that has lapsed weighs until the feed brings what follows it.
func (c *stateChecks) problem() bool {
	for _, r := range c.results {
		if r == uint8(directory.ProblemOnRecord.Rank()) {
			return true
		}
	}
	return false
}

// compare orders by relevance, or first by what the query asks to sort by. Of equals the id decides.
func (e *evaluation) compare(a, b *sortKey) int {
	switch e.q.Sort {
	case Distance:
		if c := compareMiles(a.Miles, b.Miles); c != 0 {
			return c
		}
	case Price, Checked:
		if c := cmp.Compare(a.First, b.First); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(a.Rank, b.Rank); c != 0 {
		return c
	}
	return compareMiles(a.Miles, b.Miles)
}

// compareMiles puts a distance nobody knows last.
func compareMiles(a, b float64) int {
	switch {
	case a < 0 && b < 0:
		return 0
	case a < 0:
		return 1
	case b < 0:
		return -1
	}
	return cmp.Compare(a, b)
}

// first is what an order by price or by day begins with: the lowest price, the newest day; who has none
// stands after all who have.
func (s *snapshot) first(doc uint32, sort string) int64 {
	switch sort {
	case Price:
		if p := s.price[doc]; p >= 0 {
			return int64(p)
		}
		return math.MaxInt64
	case Checked:
		if d := s.checked[doc]; d > 0 {
			return -int64(d)
		}
		return math.MaxInt64
	}
	return 0
}

// orderKey is the place of a document in one of the orders that every snapshot keeps.
type orderKey struct {
	first int64
	rank  uint64
}

func (k orderKey) compare(b orderKey) int {
	return cmp.Or(cmp.Compare(k.first, b.first), cmp.Compare(k.rank, b.rank))
}

// homeOrders are the orders of everybody without words, place or patient's state: of the first page of the
// directory, and of what filters alone leave of it.
var homeOrders = [3]func(s *snapshot, doc uint32) orderKey{
	func(s *snapshot, doc uint32) orderKey { return orderKey{0, s.homeRank[doc]} },
	func(s *snapshot, doc uint32) orderKey { return orderKey{s.first(doc, Price), s.homeRank[doc]} },
	func(s *snapshot, doc uint32) orderKey { return orderKey{s.first(doc, Checked), s.homeRank[doc]} },
}

var homeOrderOf = map[string]int{"": 0, Relevance: 0, Price: 1, Checked: 2}

// homeRanked is the rank of a document without words and place, for patients of its home.
func (c *columns) homeRanked(doc uint32) uint64 {
	e := c.checksFor(doc, homeState)
	return rank(e.problem, match{}, c.care[doc], 0, int(e.merit), c.checked[doc])
}

// explain says why a result stands where it does, the weightiest part first.
func (e *evaluation) explain(s *snapshot, f *found) []Reason {
	var out []Reason
	add := func(part string, points, of float64, format string, args ...any) {
		out = append(out, Reason{part, fmt.Sprintf(format, args...), points, of})
	}
	c := e.entry(s, f.doc)
	switch e.q.Sort {
	case Distance:
		add("order", 0, 0, "Sorted by distance first.")
	case Price:
		add("order", 0, 0, "Sorted by the lowest price of a medicine session first.")
	case Checked:
		add("order", 0, 0, "Sorted by the day of the last check first.")
	}
	if c.problem {
		add("record", 0, 0, "A problem is on record: it stands after everybody without one.")
	}
	if f.match.class != absent {
		how := map[class]string{exact: "as they were typed", begins: "at the beginning of a longer word", misspelt: "in a close spelling"}[f.match.class]
		add("words", float64(f.match.score), mostWords(len(e.words.terms)), "The words stand in %s, %s.", strings.Join(placesOf(f.match), ", "), how)
	}
	if e.rankCare {
		add("care", 0, 0, "Kind of care: %s. Full KAP stands first, infusion alone last.", Label("care", string(careByOrder[s.care[f.doc]])))
	}
	if e.needs > 0 {
		n := e.needsStated(s, f.doc)
		add("needs", float64(n), float64(e.needs), "States %d of the %d things that were chosen.", n, e.needs)
	}
	add("checks", float64(e.complete(s, c)), maxComplete, "How much of the five checks is confirmed, shown or stated.")
	if e.q.Near != nil {
		if f.key.Miles < 0 {
			add("near", 0, maxNear, "How far away it is is not known.")
		} else {
			add("near", float64(nearness(f.key.Miles)), maxNear, "%.1f miles away; nearness halves every 25 miles.", f.key.Miles)
		}
	}
	if d := s.checked[f.doc]; d > 0 {
		add("checked", 0, 0, "Last checked on %s; the month decides between equals.", time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly))
	} else {
		add("checked", 0, 0, "Never checked.")
	}
	return out
}

// mostWords is the weight of so many words that all stand in the weightiest place.
func mostWords(terms int) float64 { return float64(terms) * slices.Max(fieldWeights[:]) }

var careByOrder = func() (out [4]directory.CareType) {
	for c, n := range careOrder {
		out[n] = c
	}
	return out
}()

// placesOf names where the words stand, without how they are spelt.
func placesOf(m match) []string {
	m.class = exact
	return m.why()
}

// A cursor is the last result of a page, with the fingerprint of its query: in base64 a byte for the form, the
// fingerprint, the order by price or day, the rank, the distance, and the id.
const cursorForm = 2 // another order of results is another form

// writeCursor writes the place of a result in the order of its query.
func writeCursor(q Query, k sortKey) string {
	var room [128]byte
	b := binary.LittleEndian.AppendUint64(append(room[:0], cursorForm), q.fingerprint())
	b = binary.AppendUvarint(binary.AppendVarint(b, k.First), k.Rank)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(k.Miles))
	return base64.RawURLEncoding.EncodeToString(append(b, k.ID...))
}

// readCursor returns where the page before ended. A cursor of another query would skip at random, so it
// is refused.
func readCursor(q Query) (*sortKey, error) {
	if q.Cursor == "" {
		return nil, nil
	}
	none := directory.Errorf(directory.Invalid, "cursor", "this is not a cursor of ours")
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil || len(b) < 9 || b[0] != cursorForm {
		return nil, none
	}
	fingerprint, b := binary.LittleEndian.Uint64(b[1:]), b[9:]
	var k sortKey
	first, n := binary.Varint(b)
	if n <= 0 {
		return nil, none
	}
	k.First, b = first, b[n:]
	if k.Rank, n = binary.Uvarint(b); n <= 0 || len(b)-n <= 8 {
		return nil, none
	}
	k.Miles = math.Float64frombits(binary.LittleEndian.Uint64(b[n:]))
	if k.ID, err = directory.ParseID(directory.ProviderPrefix, string(b[n+8:])); err != nil { // part of one would bring the last result again
		return nil, none
	}
	if math.IsNaN(k.Miles) || math.IsInf(k.Miles, 0) {
		return nil, none
	}
	if fingerprint != q.fingerprint() {
		return nil, directory.Errorf(directory.Invalid, "cursor", "the cursor belongs to another search: start that from its first page")
	}
	return &k, nil
}

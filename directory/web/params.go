package web

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
	"kapdir/search"
)

// Limits of a question. They are checked before anything is built from it: a search engine's deadline
// does not bound the work of building a query (reliability.md §5).
const (
	maxText       = 500 // of which the index searches for 200 at most, behind what is read as a filter
	maxWords      = 100 // all words; the index says how many of those that count it takes
	maxPairs      = 64
	maxValues     = 20 // of one facet
	maxCursor     = 1024
	defaultMiles  = 50
	maxMiles      = 500
	defaultLimit  = 20
	maxLimit      = 50
	maxPrice      = 100_000 // dollars
	relevance     = "relevance"
	distance      = "distance"
	heavyWords    = 6
	heavyFilters  = 12
	maxSuggestion = 8
)

// ask is a question as it was understood.
type ask struct {
	Text       string
	State      directory.State
	NearText   string // as it was written
	Near       *directory.Place
	NearOthers int // how many other states have a town of that name
	Miles      int // 0: nobody said
	Telehealth directory.State
	Lang       string // of suggestions and embeds: es; "" is English, or as the embed was made
	Theme      string // of embeds
	Accent     string // likewise: #0b5a60
	CanSee     directory.State
	Filters    map[string][]string
	PriceMax   int      // dollars; 0: no limit
	Lift       []string // pieces of the text, by key, that are to ask for nothing
	Words      []string // pieces of the text, by key, that are to be searched for as words; or all
	Sort       string
	Facets     []string // of the API: those to count; nil is all
	Explain    bool     // of the API: why each result stands where it does
	Limit      int
	Cursor     string
	Count      *int64            // of webhooks: a notice, or a line of a log; nil where none was named
	At         directory.Instant // true then; "" is now
	Known      directory.Instant // known then, for staff; "" is now
	After      int64             // of the change feed: the number to go on from
	Wait       int               // of the change feed: seconds
}

// param is one parameter: its name, whether it may be repeated, and how its value is read. read gets a
// value that is not empty, not too long, valid UTF-8 and free of control characters, and returns what
// is wrong with it, if anything is.
type param struct {
	name  string
	multi bool
	read  func(a *ask, v string) told
}

// facetParams are the parameters that are facets of the index, in the order a page shows them, with
// the values each takes; nil takes any plain word, because the index makes them from the records.
var facetParams = []struct {
	name   string
	values []string
}{
	{"care", words(directory.CareTypes)},
	{"accepting", []string{"yes", "no", "waitlist", "unknown"}},
	{"check", checkValues()},
	{"setting", directory.Vocabulary["setting"]},
	{"video", []string{"yes", "no"}},
	{"route", directory.Vocabulary["route"]},
	{"framework", directory.Vocabulary["framework"]},
	{"focus", directory.Vocabulary["focus"]},
	{"population", directory.Vocabulary["population"]},
	{"format", directory.Vocabulary["format"]},
	{"payment", []string{"sliding_scale", "superbill"}},
	{"access", directory.Vocabulary["access"]},
	{"language", nil},
	{"licence", nil},
	{"programme", programmeIDs()},
}

func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

func checkValues() []string {
	var out []string
	for _, c := range directory.CheckNames {
		for _, r := range directory.CheckResults {
			out = append(out, string(c)+":"+string(r))
		}
	}
	return out
}

func programmeIDs() []string {
	var out []string
	for _, p := range directory.Tables().Programmes() {
		out = append(out, p.ID)
	}
	return out
}

// searchParams are the parameters of a search, in the order in which a link writes them.
var searchParams = append(append([]param{
	{name: "q", read: func(a *ask, v string) told {
		words := strings.Fields(v)
		a.Text = strings.Join(words, " ") // kept even when it is too much, for the form and the crisis notice
		if utf8.RuneCountInString(v) > maxText || len(words) > maxWords {
			return say("bad.q")
		}
		return told{}
	}},
	{name: "state", read: readState(func(a *ask, s directory.State) { a.State = s })},
	{name: "near", read: func(a *ask, v string) told {
		a.NearText = strings.Join(strings.Fields(v), " ")
		return told{}
	}},
	{name: "radius", read: readNumber("bad.radius", 1, maxMiles, func(a *ask, n int) { a.Miles = n })},
	{name: "telehealth", read: readState(func(a *ask, s directory.State) { a.Telehealth = s })},
	{name: "can_see", read: readState(func(a *ask, s directory.State) { a.CanSee = s })},
}, facetList()...), []param{
	{name: "price_max", read: readNumber("bad.price_max", 1, maxPrice, func(a *ask, n int) { a.PriceMax = n })},
	{name: "lift", multi: true, read: readKeys(func(a *ask) *[]string { return &a.Lift })},
	{name: "words", multi: true, read: readKeys(func(a *ask) *[]string { return &a.Words })},
	{name: "sort", read: func(a *ask, v string) told {
		if v != relevance && v != distance && v != search.Price && v != search.Checked {
			return say("bad.sort")
		}
		a.Sort = v
		return told{}
	}},
	{name: "limit", read: readNumber("bad.limit", 1, maxLimit, func(a *ask, n int) { a.Limit = n })},
	{name: "cursor", read: func(a *ask, v string) told {
		if len(v) > maxCursor || !cursorForm.MatchString(v) {
			return say("bad.cursor")
		}
		a.Cursor = v
		return told{}
	}},
	atParam,
}...)

// apiSearchParams are those of the API, which can say at length what the page says briefly.
var apiSearchParams = append(slices.Clone(searchParams), param{name: "explain", read: func(a *ask, v string) told {
	if a.Explain = v == "true"; !a.Explain && v != "false" {
		return say("bad.explain")
	}
	return told{}
}}, param{name: "facets", multi: true, read: func(a *ask, v string) told {
	if a.Facets == nil {
		a.Facets = []string{}
	}
	switch {
	case v == noFacets, slices.Contains(a.Facets, v):
	case !slices.Contains(facetsByName, v):
		return say("bad.facet", "Values", strings.Join(append(slices.Clone(facetsByName), noFacets), ", "))
	default:
		a.Facets = append(a.Facets, v)
	}
	return told{}
}})

// noFacets is the value of the parameter facets that counts none.
const noFacets = "none"

// atParam asks for what was true at a moment.
var atParam = param{name: "at", read: readMoment(func(a *ask, i directory.Instant) { a.At = i })}

// providerParams are the parameters of a provider's JSON. Its page takes them too, and refuses known in
// words of its own: what was known at an earlier moment is for staff, who ask the API.
var providerParams = []param{{name: "state", read: readState(func(a *ask, s directory.State) { a.State = s })}, atParam,
	{name: "known", read: readMoment(func(a *ask, i directory.Instant) { a.Known = i })}}

// credentialsParams are the parameters of a provider's credentials.
var credentialsParams = providerParams[:2:2]

// suggestParams are the parameters of a suggestion.
var suggestParams = []param{searchParams[0], {name: "lang", read: func(a *ask, v string) told {
	if languageOf(v).Code != v {
		return say("bad.lang")
	}
	a.Lang = v
	return told{}
}}, {name: "limit", read: readNumber("bad.limit.suggest", 1, maxSuggestion, func(a *ask, n int) { a.Limit = n })}}

// paramNames are all parameters there are; an error of another package may name one of them.
var paramNames = func() map[string]bool {
	m := map[string]bool{}
	for _, p := range slices.Concat(apiSearchParams, providerParams, feedParams) {
		m[p.name] = true
	}
	return m
}()

var (
	cursorForm = regexp.MustCompile(`^[A-Za-z0-9_.~=-]+$`)
	wordForm   = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} '+_./-]{0,59}$`)
	paramForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,39}$`)
	zipForm    = regexp.MustCompile(`^(\d{5})(-\d{4})?$`)
	townZIP    = regexp.MustCompile(`[ ,](\d{5})(-\d{4})?$`)
)

func facetList() []param {
	var out []param
	for _, f := range facetParams {
		out = append(out, param{name: f.name, multi: true, read: func(a *ask, v string) told {
			switch {
			case f.values != nil && !slices.Contains(f.values, v):
				if f.name == "check" {
					return say("bad.check")
				}
				return say("bad.facet", "Values", strings.Join(f.values, ", "))
			case f.values == nil && !wordForm.MatchString(v):
				return say("bad.facet.open")
			case len(a.Filters[f.name]) >= maxValues:
				return say("bad.many")
			}
			if a.Filters == nil {
				a.Filters = map[string][]string{}
			}
			if !slices.Contains(a.Filters[f.name], v) {
				a.Filters[f.name] = append(a.Filters[f.name], v)
			}
			return told{}
		}})
	}
	return out
}

// keyForm is how a piece of the text is named: its kind, a colon and its value; or all of them.
var keyForm = regexp.MustCompile(`^(all|[a-z_]{1,20}:[^<>"\x60]{1,200})$`)

func readKeys(of func(*ask) *[]string) func(*ask, string) told {
	return func(a *ask, v string) told {
		list := of(a)
		switch {
		case !keyForm.MatchString(v):
			return say("bad.key")
		case len(*list) >= maxValues:
			return say("bad.many")
		case !slices.Contains(*list, v):
			*list = append(*list, v)
		}
		return told{}
	}
}

func readState(set func(*ask, directory.State)) func(*ask, string) told {
	return func(a *ask, v string) told {
		st, err := directory.ParseState(v)
		if err != nil {
			return say("bad.state")
		}
		set(a, st)
		return told{}
	}
}

// firstYear is long before anything that a register of today could say of anybody.
const firstYear = 1900

func readMoment(set func(*ask, directory.Instant)) func(*ask, string) told {
	return func(a *ask, v string) told {
		i, err := directory.ParseInstant(v)
		if err != nil {
			return say("bad.moment")
		}
		if year := i.Time().Year(); len(i) != len(directory.InstantFormat) || year < firstYear || year > 9999 {
			return say("bad.moment.year", "Year", strconv.Itoa(firstYear))
		}
		set(a, i)
		return told{}
	}
}

// writeMoment writes a moment as readMoment takes it: a day for its first moment.
func writeMoment(i directory.Instant) string {
	if i == i.Date().Midnight() {
		return string(i.Date())
	}
	return string(i)
}

func readNumber(help string, low, high int, set func(*ask, int)) func(*ask, string) told {
	return func(a *ask, v string) told {
		n, err := strconv.Atoi(v)
		if err != nil || n < low || n > high || strconv.Itoa(n) != v {
			return say(help)
		}
		set(a, n)
		return told{}
	}
}

// rawQuery copies the query string out of the request's buffer.
func rawQuery(c *fiber.Ctx) string { return string(c.Request().URI().QueryString()) }

// parse reads a raw query against the parameters. With form true it takes what an HTML form sends:
// empty fields are absent. The ask it returns is usable beside the errors: a form is shown again with
// what could be read.
func parse(raw string, params []param, form bool) (ask, badParams) {
	var a ask
	var bad badParams
	refuse := func(name string, w told) {
		if len(bad) < 20 {
			bad = append(bad, wrong(name, w.key, w.args...))
		}
	}
	var room [64]bool
	seen := append(room[:0], make([]bool, len(params))...) // by place in params
	if strings.Count(raw, "&") >= maxPairs {
		return a, badParams{wrong("query", "bad.query.many")}
	}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err1 := unescape(rawName)
		value, err2 := unescape(rawValue)
		i := slices.IndexFunc(params, func(p param) bool { return p.name == name })
		switch {
		case err1 != nil || i < 0:
			refuse(unknownParam(name, err1 != nil, params))
			continue
		case err2 != nil || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			refuse(name, say("bad.text"))
			continue
		case seen[i] && !params[i].multi:
			refuse(name, say("bad.once"))
			continue
		}
		seen[i] = true
		switch value = strings.TrimSpace(value); {
		case value == "" && form:
			seen[i] = false // an empty field beside a full one of the same name is no repetition
		case value == "":
			refuse(name, say("bad.empty"))
		case len(value) > 4*maxText:
			refuse(name, say("bad.long"))
		default:
			if w := params[i].read(&a, value); w.key != "" {
				refuse(name, w)
			}
		}
	}
	a.settle(refuse, form)
	return a, bad
}

// unescape is url.QueryUnescape of what mostly needs none.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, nil
	}
	return url.QueryUnescape(s)
}

// settle checks what depends on more than one parameter, and finds the place.
func (a *ask) settle(refuse func(name string, w told), form bool) {
	if a.NearText != "" {
		w := say("bad.near")
		if utf8.RuneCountInString(a.NearText) > 80 {
			refuse("near", w)
		} else if a.Near, a.NearOthers, w = findPlace(a.NearText, a.State); w.key != "" {
			refuse("near", w)
		}
	}
	if a.NearText == "" && a.Text == "" && a.Miles != 0 { // the text may name a place
		if !form { // the form's own selection comes along
			refuse("radius", say("bad.radius.place"))
		}
		a.Miles = 0
	}
	if a.NearText == "" && a.Text == "" && a.Sort == distance {
		if !form {
			refuse("sort", say("bad.sort.place"))
		}
		a.Sort = ""
	}
	if a.Near != nil && a.Miles == 0 {
		a.Miles = defaultMiles
	}
	if a.Sort == "" {
		a.Sort = relevance
	}
}

// unknownParam names a parameter that does not exist, if its name is plain, and the nearest that does.
func unknownParam(name string, broken bool, params []param) (string, told) {
	if broken || !paramForm.MatchString(name) {
		return "query", say("bad.query.name")
	}
	nearest, apart := "", 4
	for _, p := range params {
		if d := editDistance(strings.ToLower(name), p.name); d < apart && d < len(p.name) {
			nearest, apart = p.name, d
		}
	}
	if nearest != "" {
		return name, say("bad.unknown.near", "Name", nearest)
	}
	return name, say("bad.unknown")
}

// editDistance is Levenshtein's, for two short names.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// findPlace reads a ZIP code, "Boulder, CO", "Boulder CO 80302" or a town's name alone, which means the
// one in the chosen state, else the one with the most ZIP codes.
func findPlace(text string, state directory.State) (*directory.Place, int, told) {
	t := directory.Tables()
	if m := zipForm.FindStringSubmatch(text); m != nil {
		if p, ok := t.PlaceOfZIP(m[1]); ok {
			return &p, 0, told{}
		}
		return nil, 0, say("bad.near.zip")
	}
	if m := townZIP.FindStringSubmatch(text); m != nil {
		if p, ok := t.PlaceOfZIP(m[1]); ok {
			return &p, 0, told{}
		}
		text = strings.TrimRight(strings.TrimSuffix(text, m[0]), " ,")
	}
	if st, err := directory.ParseState(text); err == nil { // New York is a town in its own state; Hampshire elsewhere is not meant
		if p, _, ok := t.PlaceOfTown(text, st); ok && len(text) > 2 {
			return &p, 0, told{}
		}
		return nil, 0, say("bad.near.state", "State", st)
	}
	if town, st, ok := cutState(text); ok {
		if p, _, ok := t.PlaceOfTown(town, st); ok {
			return &p, 0, told{}
		}
		if strings.Contains(text, ",") {
			return nil, 0, say("bad.near.town", "State", st)
		}
	}
	if state != "" {
		if p, _, ok := t.PlaceOfTown(text, state); ok {
			return &p, 0, told{}
		}
	}
	if p, others, ok := t.PlaceOfTown(text, ""); ok {
		return &p, others, told{}
	}
	return nil, 0, say("bad.near.place")
}

// cutState splits a state's code or name off the end of a place.
func cutState(text string) (town string, st directory.State, ok bool) {
	if i := strings.LastIndexByte(text, ','); i > 0 {
		st, err := directory.ParseState(text[i+1:])
		return strings.TrimSpace(text[:i]), st, err == nil
	}
	f := strings.Fields(text)
	for n := min(3, len(f)-1); n > 0; n-- {
		if st, err := directory.ParseState(strings.Join(f[len(f)-n:], " ")); err == nil {
			return strings.Join(f[:len(f)-n], " "), st, true
		}
	}
	return "", "", false
}

// query is the question for the index.
func (a ask) query() search.Query {
	q := search.Query{State: a.State, Near: a.Near, Telehealth: a.Telehealth, CanSee: a.CanSee, Filters: a.Filters,
		PriceMaxCents: int64(a.PriceMax) * 100, Sort: a.Sort, Limit: a.Limit, Cursor: a.Cursor, At: a.At, Facets: a.Facets, Explain: a.Explain}
	if a.Near != nil || a.Miles != defaultMiles { // the form's own 50 does not stand against miles in the text
		q.Miles = float64(a.Miles)
	}
	if q.Limit == 0 {
		q.Limit = defaultLimit
	}
	return q
}

// reading says how the text is to be read.
func (a ask) reading() search.Options { return search.Options{Lifted: a.Lift, Words: a.Words} }

// heavy reports a question that costs much more than most. A long one is heavy by the words that are left of it once
// it was understood.
func (a ask) heavy(read search.Reading) bool {
	n := 0
	for _, vs := range a.Filters {
		n += len(vs)
	}
	return a.At != "" || n > heavyFilters || len(read.Rest) > 2*heavyWords && len(strings.Fields(read.Rest)) > heavyWords
}

// asked reports that the visitor asked for anything at all.
func (a ask) asked() bool {
	return a.Text != "" || a.NearText != "" || a.State != "" || a.Telehealth != "" || a.CanSee != "" || len(a.Filters) > 0 || a.PriceMax != 0 || a.Cursor != "" || a.At != ""
}

// encode writes the question as a query string in one order, so that parse(encode(a)) is a.
func (a ask) encode() string {
	var room [256]byte
	b := room[:0]
	add := func(name, value string) {
		if value == "" {
			return
		}
		if len(b) > 0 {
			b = append(b, '&')
		}
		b = append(append(b, name...), '=')
		b = append(b, url.QueryEscape(value)...)
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	add("q", a.Text)
	add("state", string(a.State))
	add("near", a.NearText)
	if a.Miles != defaultMiles {
		add("radius", number(a.Miles))
	}
	add("telehealth", string(a.Telehealth))
	add("can_see", string(a.CanSee))
	for _, f := range facetParams {
		for _, v := range a.Filters[f.name] {
			add(f.name, v)
		}
	}
	add("price_max", number(a.PriceMax))
	for _, k := range a.Lift {
		add("lift", k)
	}
	for _, k := range a.Words {
		add("words", k)
	}
	if a.Sort != "" && a.Sort != relevance {
		add("sort", a.Sort)
	}
	add("limit", number(a.Limit))
	if a.Explain {
		add("explain", "true")
	}
	if a.Facets != nil && len(a.Facets) == 0 {
		add("facets", noFacets)
	}
	for _, name := range a.Facets {
		add("facets", name)
	}
	if a.At != "" {
		add("at", writeMoment(a.At))
	}
	if a.Known != "" {
		add("known", writeMoment(a.Known))
	}
	add("cursor", a.Cursor) // the last: see apiSearch
	return string(b)
}

// without returns the question less one value of a facet, or less the parameter, from its first page.
func (a ask) without(name, value string) ask {
	a.Cursor = ""
	switch name {
	case "q":
		a.Text = ""
	case "state":
		a.State = ""
	case "near":
		a.NearText, a.Near, a.Miles, a.Sort = "", nil, 0, relevance
	case "radius":
		a.Miles = defaultMiles
	case "telehealth":
		a.Telehealth = ""
	case "can_see":
		a.CanSee = ""
	case "price_max":
		a.PriceMax = 0
	case "at":
		a.At = ""
	default:
		filters := map[string][]string{}
		for k, vs := range a.Filters {
			filters[k] = slices.Clone(vs)
		}
		if filters[name] = slices.DeleteFunc(filters[name], func(v string) bool { return v == value }); len(filters[name]) == 0 {
			delete(filters, name)
		}
		a.Filters = filters
	}
	return a
}

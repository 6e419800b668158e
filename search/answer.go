package search

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kapdir/directory"
)

// Engine is what an answer is made with; an Index is one.
type Engine interface {
	Search(ctx context.Context, q Query) (Result, error)
	// Known reports a word of somebody's name as it is shown; one that time did not allow to look for is none.
	Known(ctx context.Context, word string) bool
	// Spellings returns words near to one that nobody has, the nearest first: misspelt, or of the same sound.
	Spellings(ctx context.Context, word string) []string
}

// Answered is the result of a text that was understood, with what helps where it was not.
type Answered struct {
	Result
	Reading Reading
	Query   Query // what was searched for
	asked   Query // what was chosen beside the words

	Hurried  bool     // time ran out before all was found that helps
	LeftOut  []string // words in nobody's entry, which were left out of the search
	TooMany  bool     // with LeftOut: there are more of them than can be searched for, and nobody looked
	Meant    *Meaning // nobody has the words as typed: what the result is for instead
	Instead  string   // with LeftOut or Meant: the text that asks for this result, whose pages go on; Next is "" here
	DidMean  []Meaning
	Lift     []Lift // of a search that finds nobody: what to lift, and how many that gives
	Unproven int    // of a CanSee search: others with an office there or sessions by video there, of whom it is not shown
}

// Meaning is another spelling of the words, with how many providers it finds.
type Meaning struct {
	Words string // of the whole rest
	From  string // the word that was replaced
	To    string
	Count int
}

// Lift is a part of a search whose leaving out finds somebody.
type Lift struct {
	Key   string // of the piece, name:value of a filter chosen beside the words, or words for the words themselves
	Label string
	Count int
	State directory.State // is asked for then instead: of a licence there that is not shown, who is there
	Also  string          // the key of another piece that is left out as well, where no single one is enough; mostly ""
}

// fewNamesakes is how many of a family name are offered when the given name fits nobody.
const fewNamesakes = 20

// mostTries bounds the searches that help with one that finds nobody.
const mostTries = 12

// Read is Understand with the names of those who are listed.
func Read(ctx context.Context, e Engine, o Options, text string) Reading {
	if o.Known == nil {
		o.Known = func(word string) bool { return e.Known(ctx, word) }
	}
	return Understand(text, o)
}

// Answer reads the text and answers what was read.
func Answer(ctx context.Context, e Engine, q Query, o Options, text string) (Answered, error) {
	return AnswerRead(ctx, e, q, o, Read(ctx, e, o, text))
}

// AnswerRead adds what was read with the options to what the query says already, and searches. What nobody has in their
// entry is mended: a word that is near another, then a word that says nothing here, each told. A search that
// still finds nobody comes with what to lift, counted by searching.
func AnswerRead(ctx context.Context, e Engine, q Query, o Options, r Reading) (Answered, error) {
	a := Answered{Reading: r, asked: q}
	if err := a.somebody(ctx, e, o); err != nil {
		return a, err
	}
	a.Query = a.Reading.Apply(q)
	if (tooMany(a.Query.Text) || utf8.RuneCountInString(a.Query.Text) > maxText) && slices.ContainsFunc(a.Reading.Pieces, Piece.Filters) {
		a.leaveOut(strings.Fields(a.Query.Text)) // a long story, of which the filters hold what can be searched for
		a.Query.Text, a.TooMany = "", true
	}
	if err := a.search(ctx, e); err != nil {
		return a, err
	}
	if a.Query.Cursor == "" && a.Query.At == "" {
		a.Hurried = a.help(ctx, e) != nil // what does not come in time is left out: the answer stands without it
	}
	return a, nil
}

// search looks for the words as typed, and for close spellings of them only where nobody has them so: a name
// that somebody has brings nobody else.
func (a *Answered) search(ctx context.Context, e Engine) error {
	var err error
	if a.Query.Text != "" {
		a.Query.Exact = true
		var invalid *directory.Error
		a.Result, err = e.Search(ctx, a.Query)
		if err == nil && (a.Total > 0 || a.Query.Cursor != "") {
			return nil
		}
		if err != nil && !(errors.As(err, &invalid) && invalid.Field == "cursor") { // a cursor may be of the close spellings
			return err
		}
		a.Query.Exact = false
	}
	a.Result, err = e.Search(ctx, a.Query)
	return err
}

// somebody reads a few words as a name if all of them stand in the name of one who is listed: May Ma is no
// month and no state. A visitor who takes that away has them read like any others.
func (a *Answered) somebody(ctx context.Context, e Engine, o Options) error {
	words, text := tokens(a.Reading.Text), a.Reading.Text
	if len(words) < 2 || len(words) > 4 || a.Reading.Rest == text || slices.Equal(words, tokens(a.Reading.Rest)) || slices.ContainsFunc(words, isNumber) {
		return nil
	}
	name := Piece{End: utf8.RuneCountInString(text), Words: text, Kind: "name", Values: []string{keyWords(text)}, Note: "Somebody of this name is listed."}
	if slices.Contains(o.Lifted, name.Key()) {
		return nil
	}
	q := Query{Text: text, Limit: 1, Facets: []string{}}
	if q.Validate() != nil {
		return nil
	}
	r, err := e.Search(ctx, q)
	if err != nil || len(r.Hits) == 0 || !slices.Equal(r.Hits[0].Why, []string{fieldNames[fieldName]}) || r.Total > fewNamesakes {
		return err
	}
	for _, w := range words { // a beginning of a name is none
		if !e.Known(ctx, w) {
			return nil
		}
	}
	name.Label = pieceLabel(name)
	a.Reading.Pieces, a.Reading.Rest, a.Reading.AskPlace = []Piece{name}, text, false
	return nil
}

// help adds what helps with an answer, as far as time allows; an error says that it did not.
func (a *Answered) help(ctx context.Context, e Engine) error {
	if a.Query.CanSee != "" {
		if err := a.unproven(ctx, e); err != nil {
			return err
		}
	}
	var err error
	switch {
	case a.Total > 0 && !a.farFetched(ctx, e):
		return a.suggest(ctx, e)
	case a.Total > 0:
		err = a.loosen(ctx, e)
	default:
		for _, mend := range []func(context.Context, Engine) error{a.verbatim, a.respell, a.loosen, a.lift} {
			if err = mend(ctx, e); err != nil || a.Total > 0 {
				break
			}
		}
	}
	if a.Instead != "" {
		a.Next = ""
	}
	return err
}

// loose reports that words were searched for and only close spellings were found.
func (a *Answered) loose() bool {
	return a.Query.Text != "" && len(a.Hits) > 0 && !slices.ContainsFunc(a.Hits, func(h Hit) bool { return !slices.Contains(h.Why, closeSpelling) })
}

// farFetched reports words left over from a text that was understood otherwise, short enough to be near to
// anything or near to nobody's name, of which only close spellings were found: walk ins is not Walter Haskins.
func (a *Answered) farFetched(ctx context.Context, e Engine) bool {
	if !a.loose() {
		return false
	}
	short := slices.ContainsFunc(tokens(a.Query.Text), func(w string) bool {
		return len(w) <= 4 || !slices.ContainsFunc(e.Spellings(ctx, w), func(s string) bool { return e.Known(ctx, s) })
	})
	return short && !a.named() && slices.ContainsFunc(a.Reading.Pieces, Piece.Filters)
}

// named reports that the words name somebody, who is looked for and nobody else.
func (a *Answered) named() bool {
	return slices.ContainsFunc(a.Reading.Pieces, func(p Piece) bool { return p.Off == "" && (p.Kind == "name" || p.Kind == "npi" || p.Kind == "number") })
}

// leaveOut notes words that are not searched for.
func (a *Answered) leaveOut(words []string) {
	a.LeftOut = words
	a.Instead = a.Reading.Text
	for _, w := range words {
		a.Instead = ReplaceWords(a.Instead, w, "")
	}
	a.Instead = strings.Join(strings.Fields(a.Instead), " ")
}

// ReplaceWords puts words in place of the first that are the same but for case and accents, and leaves the text as it
// is when they do not stand in it as whole words: ress is no part of depression.
func ReplaceWords(text, from, to string) string {
	want := tokens(from)
	if len(want) == 0 {
		return text
	}
	type span struct {
		start, end int
		tokens     []string
	}
	var words []span
	start := -1
	for i, r := range text + " " {
		inside := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '\'' || r == '’' || r == '-'
		switch {
		case inside && start < 0:
			start = i
		case !inside && start >= 0:
			words = append(words, span{start, i, tokens(text[start:i])})
			start = -1
		}
	}
	for i := range words {
		var have []string
		for j := i; j < len(words) && len(have) < len(want); j++ {
			if have = append(have, words[j].tokens...); slices.Equal(have, want) {
				return text[:words[i].start] + to + text[words[j].end:]
			}
		}
	}
	return text
}

// count tells how many a query finds; one that cannot be asked finds nobody.
func count(ctx context.Context, e Engine, q Query) (int, error) {
	q.Limit, q.Cursor, q.Facets, q.Explain = 1, "", []string{}, false
	if q.Validate() != nil {
		return 0, nil
	}
	r, err := e.Search(ctx, q)
	return r.Total, err
}

// unproven counts who has an office in the state, or states sessions by video there, without both licences
// being shown.
func (a *Answered) unproven(ctx context.Context, e Engine) error {
	q := a.Query
	q.CanSee = ""
	if q.State == "" {
		q.State = a.Query.CanSee
	}
	all, err := count(ctx, e, q)
	if err != nil {
		return err
	}
	q.CanSee = a.Query.CanSee
	shown, err := count(ctx, e, q)
	if err == nil {
		a.Unproven = all - shown
	}
	return err
}

// suggest looks for better spellings of words that only close spellings answer.
func (a *Answered) suggest(ctx context.Context, e Engine) error {
	if !a.loose() {
		return nil
	}
	_, err := a.meanings(ctx, e, func(m Meaning) bool {
		a.DidMean = append(a.DidMean, m)
		return len(a.DidMean) < 3
	})
	return err
}

// meanings tries other spellings of each word of the rest until yes says no.
func (a *Answered) meanings(ctx context.Context, e Engine, yes func(Meaning) bool) (tries int, err error) {
	words := strings.Fields(a.Query.Text)
	for i, w := range words {
		if !mayBeMisspelt(strings.ReplaceAll(directory.Fold(w), " ", "")) {
			continue
		}
		for _, s := range e.Spellings(ctx, directory.Fold(w)) {
			if tries == mostTries {
				return tries, nil
			}
			tries++
			with := slices.Clone(words)
			with[i] = s
			q := a.Query
			q.Text, q.Exact = strings.Join(with, " "), true
			n, err := count(ctx, e, q)
			if err != nil {
				return tries, err
			}
			if n > 0 && !yes(Meaning{q.Text, w, s, n}) {
				return tries, nil
			}
		}
	}
	return tries, nil
}

// verbatim answers for the words as they stand, if some provider has them all: a practice whose name says
// infusion need not state that it gives one.
func (a *Answered) verbatim(ctx context.Context, e Engine) error {
	text := a.Reading.Text
	if len(tokens(text)) > 6 || slices.Equal(tokens(text), tokens(a.Reading.Rest)) || slices.ContainsFunc(a.Reading.Pieces, func(p Piece) bool { return p.Off != "" }) {
		return nil
	}
	q := a.asked
	q.Text = text
	if q.Validate() != nil {
		return nil
	}
	r, err := e.Search(ctx, q)
	if err != nil || len(r.Hits) == 0 || r.Next != "" || !slices.Contains(r.Hits[0].Why, fieldNames[fieldName]) || slices.Contains(r.Hits[0].Why, closeSpelling) {
		return err
	}
	name := Piece{End: utf8.RuneCountInString(text), Words: text, Kind: "name", Values: []string{keyWords(text)}, Note: "Read otherwise, the words find nobody."}
	name.Label = pieceLabel(name)
	a.Reading.Pieces, a.Reading.Rest, a.Reading.AskPlace = []Piece{name}, text, false
	a.Result, a.Query = r, q
	return nil
}

// respell answers for the best other spelling of the words.
func (a *Answered) respell(ctx context.Context, e Engine) error {
	var found []Meaning
	understood := slices.ContainsFunc(a.Reading.Pieces, Piece.Filters)
	if _, err := a.meanings(ctx, e, func(m Meaning) bool {
		if understood && !a.named() && !e.Known(ctx, m.To) {
			return true // a word left over beside what was understood is no misspelt one of another meaning: queens is not queer
		}
		found = append(found, m)
		return len(found) < 3
	}); err != nil {
		return err
	}
	if len(found) == 0 { // Kathryn for Catherine: whoever has the family name, if they are few
		words := strings.Fields(a.Query.Text)
		if len(words) < 2 || !a.named() {
			return nil
		}
		q, family := a.Query, words[len(words)-1]
		q.Text, q.Exact = family, false // it may be misspelt too
		n, err := count(ctx, e, q)
		if err != nil || n == 0 || n > fewNamesakes {
			return err
		}
		found = []Meaning{{family, a.Query.Text, family, n}}
	}
	a.Meant, a.DidMean = &found[0], found[1:]
	q := a.Query
	q.Text, q.Exact = found[0].Words, found[0].From != q.Text // of a family name alone, close spellings too
	r, err := e.Search(ctx, q)
	if err != nil || r.Total == 0 {
		a.Meant, a.DidMean = nil, nil
		return err
	}
	a.Result, a.Query = r, q
	a.Instead = ReplaceWords(a.Reading.Text, a.Meant.From, a.Meant.To)
	return nil
}

// loosen leaves out words that nobody has, alone or beside the rest, if something else was understood that stays.
func (a *Answered) loosen(ctx context.Context, e Engine) error {
	words := strings.Fields(a.Query.Text)
	understood := slices.ContainsFunc(a.Reading.Pieces, func(p Piece) bool { return p.Filters() || p.Kind == kindUnheld || p.Kind == kindOptional })
	if len(words) == 0 || a.named() || !understood && len(words) < 3 || len(words) > mostTries {
		return nil
	}
	var kept, left []string
	for _, w := range words {
		q := Query{Text: w}
		if err := q.Validate(); err != nil { // nobody can look for it, so that nobody can say who has it
			return err
		}
		n, err := count(ctx, e, q)
		if err != nil {
			return err
		}
		if n > 0 {
			kept = append(kept, w)
		} else {
			left = append(left, w)
		}
	}
	for _, try := range [][2][]string{{kept, left}, {nil, words}} { // those that nobody has, or else all of them
		if len(try[1]) == 0 || len(try[0]) == 0 && !understood {
			continue
		}
		q := a.Query
		q.Text = strings.Join(try[0], " ")
		r, err := e.Search(ctx, q)
		if err != nil {
			return err
		}
		if r.Total > 0 {
			a.Result, a.Query = r, q
			a.leaveOut(try[1])
			return nil
		}
	}
	return nil
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lift finds which one part of the search, left out, finds somebody, the one that finds the fewest last.
func (a *Answered) lift(ctx context.Context, e Engine) error {
	type try struct {
		key, label string
		q          Query
		reading    Reading
		state      directory.State
		also       string
	}
	var tries, pairs []try
	without := func(drop ...string) (Reading, Query) {
		r := a.Reading
		r.Pieces = slices.Clone(r.Pieces)
		for i := range r.Pieces {
			if slices.Contains(drop, r.Pieces[i].Key()) {
				r.Pieces[i].Off = "lifted"
			}
		}
		q := r.Apply(a.asked)
		q.Text = a.Query.Text
		return r, q
	}
	for _, p := range a.Reading.Pieces {
		if p.Filters() {
			r, q := without(p.Key())
			t := try{p.Key(), p.Label, q, r, "", ""}
			if p.Kind == "can_see" && q.State == "" && q.CanSee == "" {
				t.state = directory.State(p.Values[0])
				t.q.State = t.state
			}
			tries = append(tries, t)
		}
	}
	for i, p := range a.Reading.Pieces { // a place or a state is not given up first
		for _, x := range a.Reading.Pieces[i+1:] {
			if _, f := facetByName[p.Kind]; !p.Filters() || !x.Filters() || p.Kind == "state" || !f && p.Kind != "price_max" && p.Kind != "telehealth" || x.Kind == "near" || x.Kind == "state" || x.Kind == "can_see" || x.Kind == "miles" {
				continue
			}
			r, q := without(p.Key(), x.Key())
			pairs = append(pairs, try{p.Key(), p.Label, q, r, "", x.Key()})
		}
	}
	if a.Query.Text != "" && a.Query.String() != (Query{Text: a.Query.Text}).String() {
		q := a.Query
		q.Text = ""
		tries = append(tries, try{"words", "the words “" + a.Query.Text + "”", q, a.Reading, "", ""})
	}
	for _, name := range sortedKeys(a.asked.Filters) {
		q := a.Query
		q.Filters = map[string][]string{}
		for k, v := range a.Query.Filters {
			if k != name {
				q.Filters[k] = v
			}
		}
		tries = append(tries, try{name, FacetLabel(name), q, a.Reading, "", ""})
	}
	for _, x := range []struct {
		key, label string
		set        bool
		clear      func(*Query)
	}{
		{"state", "the patient’s state", a.asked.State != "", func(q *Query) { q.State = "" }},
		{"near", "the place", a.asked.Near != nil, func(q *Query) { q.Near, q.Miles, q.Sort = nil, 0, "" }},
		{"telehealth", "sessions by video", a.asked.Telehealth != "", func(q *Query) { q.Telehealth = "" }},
		{"can_see", "licences shown by evidence", a.asked.CanSee != "", func(q *Query) { q.CanSee = "" }},
		{"price_max", "the price", a.asked.PriceMaxCents > 0, func(q *Query) { q.PriceMaxCents = 0 }},
	} {
		if x.set {
			q := a.Query
			x.clear(&q)
			t := try{x.key, x.label, q, a.Reading, "", ""}
			if x.key == "can_see" && q.State == "" {
				t.state = a.asked.CanSee
				t.q.State = t.state
			}
			tries = append(tries, t)
		}
	}
	tries = tries[:min(len(tries), mostTries)]
	for i, t := range append(tries, pairs[:min(len(pairs), mostTries)]...) {
		if i >= len(tries) && len(a.Lift) > 0 && a.Lift[0].Also == "" {
			break // one is enough
		}
		if t.q.Limit, t.q.Facets, t.q.Explain = 1, []string{}, false; t.q.Validate() != nil {
			continue
		}
		b := Answered{Reading: t.reading, Query: t.q, asked: a.asked} // as it will be answered
		err := b.search(ctx, e)
		if err == nil && b.Total == 0 {
			err = b.loosen(ctx, e)
		}
		if err != nil {
			return err
		}
		if b.Total > 0 {
			a.Lift = append(a.Lift, Lift{t.key, t.label, b.Total, t.state, t.also})
		}
	}
	slices.SortStableFunc(a.Lift, func(x, y Lift) int { // whoever looks for somebody by name hardly means anybody
		if named := a.named(); named && (x.Key == "words") != (y.Key == "words") {
			return cmp.Compare(boolInt(x.Key == "words"), boolInt(y.Key == "words"))
		}
		return cmp.Compare(y.Count, x.Count)
	})
	return nil
}

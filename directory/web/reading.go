package web

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kapdir/directory"
	"kapdir/search"
)

// reading is what an answer says of the words that were typed: what they were understood as, and what helped
// where they were not. It is part of the answer and of nothing that is kept.
type reading struct {
	Understood []understood `json:"understood"`             // in the order of the text
	Words      string       `json:"words,omitempty"`        // what was searched for as words
	AskPlace   bool         `json:"ask_place,omitempty"`    // the text says near me, and nobody's position is looked up
	LeftOut    []string     `json:"left_out,omitempty"`     // words that no entry has, or more than can be searched for
	TooMany    bool         `json:"too_many,omitempty"`     // they are more than can be searched for
	Meant      *meaning     `json:"meant,omitempty"`        // nobody has the words as typed: the results are for these
	Instead    string       `json:"instead,omitempty"`      // with left_out or meant: the text to ask for the pages that follow
	DidMean    []meaning    `json:"did_you_mean,omitempty"` // others that were looked for
	Advice     []advice     `json:"advice,omitempty"`       // of an answer with nobody: what to lift, counted
	Unproven   int          `json:"unproven,omitempty"`     // with can_see: others there of whom it is not shown
}

type understood struct {
	Start  int      `json:"start"` // in characters of q
	End    int      `json:"end"`
	Text   string   `json:"text"`
	Kind   string   `json:"kind"`
	Values []string `json:"values"`
	Key    string   `json:"key"` // for the parameters lift and words
	Label  string   `json:"label"`
	Note   string   `json:"note,omitempty"`
	Filter bool     `json:"filter"`          // it narrows the search
	Fixed  bool     `json:"fixed,omitempty"` // the words were misspelt
	Off    string   `json:"off,omitempty"`   // lifted, words
}

type meaning struct {
	Text  string `json:"q"` // the text with the word put right
	From  string `json:"from"`
	To    string `json:"to"`
	Count int    `json:"count"`
}

type advice struct {
	Lift  string          `json:"lift"` // a key of understood, a parameter, or words
	Label string          `json:"label"`
	Count int             `json:"count"`
	State directory.State `json:"state,omitempty"` // to be asked for instead
	Also  string          `json:"also,omitempty"`  // another key of understood, to be lifted as well
}

// read takes over what was made of the words.
func (a *searchAnswer) read(found search.Answered, l *lang) {
	r := &a.reading
	for _, p := range found.Reading.Pieces {
		r.Understood = append(r.Understood, understood{p.Start, p.End, p.Words, p.Kind, append([]string{}, p.Values...), p.Key(), l.piece(p), l.note(p), p.Filters(), p.Fixed, p.Off})
	}
	r.Words, r.AskPlace, r.LeftOut, r.Instead, r.Unproven = found.Query.Text, found.Reading.AskPlace, found.LeftOut, found.Instead, found.Unproven
	r.TooMany = found.TooMany
	mean := func(m search.Meaning) meaning {
		return meaning{search.ReplaceWords(found.Reading.Text, m.From, m.To), m.From, m.To, m.Count}
	}
	if found.Meant != nil {
		m := mean(*found.Meant)
		r.Meant = &m
	}
	for _, m := range found.DidMean {
		r.DidMean = append(r.DidMean, mean(m))
	}
	for _, x := range found.Lift {
		label := l.named("lift."+x.Key, l.named("facet."+x.Key, x.Label), "Words", found.Query.Text)
		also := ""
		for _, u := range r.Understood {
			switch u.Key {
			case x.Key:
				label = u.Label
			case x.Also:
				also = u.Label
			}
		}
		if also != "" {
			label += l.t("and") + also
		}
		r.Advice = append(r.Advice, advice{x.Key, label, x.Count, x.State, x.Also})
	}
}

// piece says what a piece of the text asks for. Package search says it in English.
func (l *lang) piece(p search.Piece) string {
	if l == english {
		return p.Label
	}
	var of any
	switch p.Kind {
	case "near":
		of = p.Place.String()
	case "state", "telehealth", "can_see":
		of = directory.State(p.Values[0])
	case "unheld":
		of = p.Words
	case "miles", "name", "npi", "number":
		of = p.Values[0]
	case "price_max":
		n, _ := strconv.Atoi(p.Values[0])
		of = thousands(n)
	default:
		var values []string
		for _, v := range p.Values {
			values = append(values, l.facetValue(p.Kind, v, true))
		}
		of = strings.Join(values, l.t("or"))
	}
	return l.named("piece."+p.Kind, l.say(of), "Value", of)
}

// readAs are the notes of package search that name a place.
var readAs = []struct {
	key  string
	form *regexp.Regexp
}{
	{"note.read_as", regexp.MustCompile(`^(.+) was read as (.+)\.$`)},
	{"note.town", regexp.MustCompile(`^Read as (.+)()\. Other states have a town of that name: add the state if you meant another\.$`)},
	{"note.state", regexp.MustCompile(`^By state, not by distance: (.+) is in (.+)\.$`)},
}

// note says how unclear words were read, or why nothing was asked for. Package search says it in English; a
// note that another language does not have is left out.
func (l *lang) note(p search.Piece) string {
	if l == english || p.Note == "" {
		return p.Note
	}
	if words, ok := l.has("note." + p.Note); ok {
		return words
	}
	for _, x := range readAs {
		if m := x.form.FindStringSubmatch(p.Note); m != nil {
			other := m[2]
			if st, err := directory.ParseState(other); err == nil {
				other = l.state(st)
			}
			words, _ := l.has(x.key, "One", m[1], "Other", other)
			return words
		}
	}
	return ""
}

// why names where words were found.
func (l *lang) why(fields []string) []string {
	out := []string{}
	for _, f := range fields {
		out = append(out, l.named("why."+f, f))
	}
	return out
}

// placedBy says briefly why a result stands where it does, in the order in which things weigh.
func (l *lang) placedBy(r result) string {
	var confirmed, shown int
	for _, c := range r.Checks {
		switch c.Result {
		case directory.ProblemOnRecord:
			return l.t("placed.last")
		case directory.Confirmed:
			confirmed++
		case directory.ShownByDocument:
			shown++
		}
	}
	var parts []string
	if len(r.Why) > 0 {
		parts = append(parts, l.t("placed.words", "Where", strings.Join(r.Why, ", ")))
	}
	if r.Care.Value == string(directory.CareFullKAP) {
		parts = append(parts, l.t("placed.full"))
	}
	if r.ofNeeds > 0 {
		parts = append(parts, l.t("placed.needs", "Stated", r.needs, "Of", r.ofNeeds))
	}
	parts = append(parts, l.t("placed.checks", "Confirmed", confirmed, "Shown", shown))
	if r.Miles != nil {
		parts = append(parts, l.t("placed.miles", "Miles", r.Miles))
	}
	return l.t("placed", "Reasons", strings.Join(parts, "; "))
}

// lifting is the question less a piece of the text: neither filter nor words.
func (a ask) lifting(key string) ask {
	a.Cursor = ""
	a.Lift = append(slices.Clone(a.Lift), key)
	a.Words = slices.DeleteFunc(slices.Clone(a.Words), func(k string) bool { return k == key })
	return a
}

// asWords is the question with a piece of the text, or all of it, searched for as words.
func (a ask) asWords(key string) ask {
	a.Cursor = ""
	a.Words = append(slices.Clone(a.Words), key)
	a.Lift = slices.DeleteFunc(slices.Clone(a.Lift), func(k string) bool { return k == key })
	if key == search.AllWords {
		a.Words, a.Lift = []string{key}, nil
	}
	return a
}

// reread is the question with a piece of the text, or all of it, read again.
func (a ask) reread(key string) ask {
	a.Cursor = ""
	gone := func(k string) bool { return k == key || k == search.AllWords }
	a.Lift, a.Words = slices.DeleteFunc(slices.Clone(a.Lift), gone), slices.DeleteFunc(slices.Clone(a.Words), gone)
	return a
}

// chip is a piece of the text with the searches that go without it.
type chip struct {
	understood
	Remove  string // the search without it
	AsWords string // the search for its words instead; "" where that is the same
	Back    string // of one that is off: the search with it again
}

// readView is what the page says of the words.
type readView struct {
	Chips   []chip // in force
	Off     []chip // taken away
	Notes   []chip // of what asks for nothing
	Plain   string // the search for exactly these words
	Reread  string // of such a search: the words read again
	Meant   string // where Instead leads
	Others  []choice
	Advice  []choice
	Unshown string // of can_see: the search without it
}

func (v *searchView) readWords(l *lang) {
	a, r := v.Ask, v.Answer.reading
	href := func(a ask) string { return "/?" + a.encode() }
	for _, u := range r.Understood {
		c := chip{u, href(a.lifting(u.Key)), href(a.asWords(u.Key)), href(a.reread(u.Key))}
		switch {
		case u.Off != "":
			v.Read.Off = append(v.Read.Off, c)
		case !u.Filter && v.Notice != nil: // who is in need is not told what the directory lacks
		case !u.Filter && (u.Kind == "unheld" || u.Kind == "optional"):
			v.Read.Notes = append(v.Read.Notes, c)
		default:
			if !u.Filter {
				c.AsWords = ""
			}
			v.Read.Chips = append(v.Read.Chips, c)
		}
	}
	if slices.Contains(a.Words, search.AllWords) {
		v.Read.Reread = href(a.reread(search.AllWords))
	} else if len(v.Read.Chips) > 0 {
		v.Read.Plain = href(a.asWords(search.AllWords))
	}
	with := func(text string) string {
		b := a
		b.Text, b.Cursor = text, ""
		return href(b)
	}
	if r.Instead != "" {
		v.Read.Meant = with(r.Instead)
	}
	for _, m := range r.DidMean {
		v.Read.Others = append(v.Read.Others, choice{m.To + " (" + thousands(m.Count) + ")", with(m.Text)})
	}
	for _, x := range r.Advice {
		b := a.lifting(x.Lift)
		if x.Also != "" {
			b = b.lifting(x.Also)
		}
		switch {
		case x.Lift == "words":
			b = a
			for _, w := range strings.Fields(r.Words) {
				b.Text = search.ReplaceWords(b.Text, w, "")
			}
			b.Text = strings.Join(strings.Fields(b.Text), " ")
		case slices.ContainsFunc(searchParams, func(p param) bool { return p.name == x.Lift }):
			b = a
			for _, value := range append(a.Filters[x.Lift], "") {
				b = b.without(x.Lift, value)
			}
		}
		if x.State != "" {
			b.State = x.State
		}
		b.Cursor = ""
		v.Read.Advice = append(v.Read.Advice, choice{l.t("reading.without", "Label", x.Label, "Providers", l.t("providers", "Count", x.Count)), href(b)})
	}
	if r.Unproven > 0 {
		b := a.without("can_see", "")
		for _, u := range r.Understood {
			if u.Kind == "can_see" && u.Off == "" {
				b = b.lifting(u.Key)
				if b.State == "" {
					b.State = v.Answer.Query.CanSee
				}
			}
		}
		v.Read.Unshown = href(b)
	}
}

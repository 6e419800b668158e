package search

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"kapdir/directory"
)

// token is a word or number of a text.
type token struct {
	start, end int    // in bytes
	word       string // folded
	at         int    // of the word in reader.words
	typed      string // folded as it was typed, where word is mended
	caps       bool   // two letters or more, all capitals
	title      bool   // begins with a capital
	dollar     bool   // a dollar sign stands before it
	broken     bool   // a comma or a full stop stands before it
	joined     bool   // nothing but a hyphen, a stop or a slash stands between it and the one before
	fixed      bool   // mended
	taken      bool   // part of a piece
	filler     bool   // says nothing
	rest       bool   // part of a piece that is searched for as words
}

// reader reads one text.
type reader struct {
	text     string
	o        Options
	p        *phrases
	toks     []token
	words    string // of all tokens, each with a blank behind it
	pieces   []Piece
	shouting bool // the whole text is in capitals, which then mean nothing
	askPlace bool
	canSee   [][2]int // where the words say who may see somebody
}

func newReader(text string, o Options) *reader {
	r := &reader{text: text, o: o, p: vocabulary()}
	letter := func(c rune) bool { return unicode.IsLetter(c) || unicode.IsMark(c) }
	r.toks = make([]token, 0, 1+strings.Count(text, " "))
	runes := []rune(text)
	at := make([]int, len(runes)+1) // byte offsets
	for i, c := range runes {
		at[i+1] = at[i] + utf8.RuneLen(c)
	}
	end := 0 // of the token before
	for i := 0; i < len(runes); {
		c := runes[i]
		if !letter(c) && !unicode.IsDigit(c) {
			i++
			continue
		}
		from := i
		if unicode.IsDigit(c) {
			for i < len(runes) && (unicode.IsDigit(runes[i]) || runes[i] == ',' && thousands(runes[i+1:])) {
				i++
			}
		} else {
			for i < len(runes) && (letter(runes[i]) || strings.ContainsRune("'’‘`", runes[i]) && i+1 < len(runes) && letter(runes[i+1])) {
				i++
			}
		}
		raw := string(runes[from:i])
		t := token{start: at[from], end: at[i], word: strings.ReplaceAll(directory.Fold(raw), " ", "")}
		if unicode.IsDigit(c) {
			t.word = strings.ReplaceAll(raw, ",", "")
		}
		if t.word == "" {
			continue
		}
		gap := text[end:t.start]
		t.typed = t.word
		t.caps = utf8.RuneCountInString(raw) > 1 && strings.ToUpper(raw) == raw && letter(c)
		t.title = unicode.IsUpper(c)
		t.dollar = strings.HasSuffix(strings.TrimRight(gap, " "), "$")
		t.broken = len(r.toks) > 0 && (strings.ContainsAny(gap, ",;?!()") || strings.Contains(gap, ". ") && end-r.toks[len(r.toks)-1].start > 2)
		t.joined = len(r.toks) > 0 && (gap == "" || gap == "-" || gap == "." || gap == "/" || rangeGap[strings.ReplaceAll(gap, " ", "")])
		r.toks = append(r.toks, t)
		end = t.end
	}
	r.shouting = len(r.toks) > 1 && strings.ToUpper(text) == text && // ACT MA is letters alone
		(len(r.toks) > 3 || slices.ContainsFunc(r.toks, func(t token) bool { return len(t.word) > 5 }))
	return r
}

// join writes the words of the tokens one after another: most of what is looked up is some that follow each other.
func (r *reader) join() {
	b := make([]byte, 0, len(r.text)+8)
	for i := range r.toks {
		r.toks[i].at = len(b)
		b = append(append(b, r.toks[i].word...), ' ')
	}
	r.words = string(b)
}

// rangeGap is what stands between the amounts of $400-$800.
var rangeGap = map[string]bool{"-$": true, "–$": true, "—$": true, "–": true}

// thousands reports three digits and no more: what follows the comma of 1,500.
func thousands(rest []rune) bool {
	n := 0
	for n < len(rest) && unicode.IsDigit(rest[n]) {
		n++
	}
	return n == 3
}

// read recognises what it can, from left to right, the longest first.
func (r *reader) read() {
	r.join()
	for i := 0; i < len(r.toks); {
		if n := r.number(i); n > 0 {
			i += n
			continue
		}
		if n := r.phrase(i); n > 0 {
			i += n
			continue
		}
		i++
	}
	r.letters()
	r.names()
	for _, p := range r.pieces { // north Jersey
		if p.from > 0 && (p.Kind == "near" || p.Kind == "state") && directions[r.word(p.from-1)] && !r.toks[p.from-1].taken && !r.toks[p.from].broken {
			r.toks[p.from-1].filler = true
		}
	}
	for i := range r.toks { // a small number that was read as nothing says nothing
		if t := &r.toks[i]; !t.taken && isNumber(t.word) && len(t.word) <= 2 && len(r.toks) > 1 && !t.joined {
			t.filler = true
		}
	}
}

// take makes a piece of the tokens.
func (r *reader) take(from, to int, p Piece) int {
	for i := from; i < to; i++ {
		r.toks[i].taken = true
	}
	p.from, p.to = from, to
	if p.core == [2]int{} {
		p.core = [2]int{from, to}
	}
	for _, x := range r.pieces { // said twice
		if x.Key() == p.Key() && x.Kind != kindUnheld {
			return to - from
		}
	}
	r.pieces = append(r.pieces, p)
	return to - from
}

func (r *reader) word(i int) string {
	if i < 0 || i >= len(r.toks) {
		return ""
	}
	return r.toks[i].word
}

// phrase reads the longest phrase, state or town that begins at a token.
func (r *reader) phrase(i int) int {
	if i > 0 && r.toks[i-1].taken && r.toks[i].joined && r.toks[i-1].filler {
		return 0
	}
	m, n, known := r.lookup(i)
	if p, k := r.place(i, true); k > n { // City of Industry too
		return r.take(i, i+k, p)
	}
	if known && m.kind == kindCue && (m.values[0] == "in" || m.values[0] == "can_see") {
		if k := r.placeBehind(i, n, m.values[0]); k > 0 {
			return k
		}
	}
	if known && n > 1 && m.kind != kindCue && r.word(i) == "in" {
		if p, k := r.place(i+1, false); k+1 > n { // in Spanish Fork
			return r.take(i, i+1+k, p)
		}
	}
	if !known {
		return 0
	}
	span := func(f func(*token)) int {
		for j := i; j < i+n; j++ {
			f(&r.toks[j])
		}
		return n
	}
	switch m.kind {
	case kindFiller:
		return span(func(t *token) { t.filler = true })
	case kindOther:
		return n
	case kindCue:
		switch m.values[0] {
		case "me":
			r.askPlace = true
		case "can_see":
			r.canSee = append(r.canSee, [2]int{i, i + n})
		}
		return span(func(t *token) { t.filler = true })
	case kindUnheld, kindOptional:
		return r.take(i, i+n, Piece{Kind: m.kind, Values: []string{r.joinWords(i, i+n)}, Note: m.note})
	case "place":
		p, ok := aliasPlace(m.values[0])
		if !ok {
			return 0
		}
		return r.take(i, i+n, Piece{Kind: "near", Values: []string{p.String()}, Place: &p, Note: m.note})
	}
	return r.take(i, i+n, Piece{Kind: m.kind, Values: m.values, Note: m.note})
}

func aliasPlace(s string) (directory.Place, bool) {
	city, state, _ := strings.Cut(s, ", ")
	p, _, ok := directory.Tables().PlaceOfTown(city, directory.State(state))
	return p, ok
}

func (r *reader) joinWords(from, to int) string {
	if from == to {
		return ""
	}
	last := &r.toks[to-1]
	return r.words[r.toks[from].at : last.at+len(last.word)]
}

// lookup finds the longest phrase of the lexicon that begins at a token and means something there.
func (r *reader) lookup(i int) (meaning, int, bool) {
	most := 1
	if r.p.begins[r.toks[i].word] || strings.HasSuffix(r.toks[i].word, "s") {
		most = r.p.longest
	}
	for n := min(most, len(r.toks)-i); n > 0; n-- {
		if slices.ContainsFunc(r.toks[i+1:i+n], func(t token) bool { return t.broken }) {
			continue
		}
		words := r.joinWords(i, i+n)
		meanings, ok := r.p.of[words]
		if !ok && n == 1 && len(words) >= 4 && strings.HasSuffix(words, "s") {
			meanings = r.p.of[words[:len(words)-1]]
		}
		if n == 1 {
			v, ok := r.p.titles[words]
			if !ok {
				v, ok = r.p.titles[strings.TrimSuffix(words, "s")]
			}
			if ok {
				return meaning{kind: "licence", values: []string{v}}, 1, true
			}
		}
		for _, m := range meanings { // those that ask for a neighbour first
			if m.kind == kindEveryday {
				continue
			}
			if len(m.near) > 0 && r.beside(i, n, m.near) {
				return m, n, true
			}
		}
		for _, m := range meanings {
			if m.kind != kindEveryday && len(m.near) == 0 && (n > 1 || !r.isName(i, m.kind)) {
				return m, n, true
			}
		}
	}
	return meaning{}, 0, false
}

// beside reports that a phrase stands where one with such neighbours means something.
func (r *reader) beside(i, n int, near []string) bool {
	for _, w := range near {
		switch w {
		case "CAPS":
			if r.toks[i].caps && !r.shouting {
				return true
			}
		case "CUE":
			before := r.word(i - 1)
			if before == "the" {
				before = r.word(i - 2)
			}
			if slices.Contains([]string{"in", "near", "around", "from", "at", "outside"}, before) {
				return true
			}
		default:
			if r.word(i-1) == w || r.word(i+n) == w || r.word(i+n+1) == w && r.toks[i+n].filler || r.word(i-2) == w && r.word(i-1) == "or" {
				return true
			}
		}
	}
	return false
}

// cueBefore returns the cue that ends right before a token.
func (r *reader) cueBefore(i int) (string, int, bool) {
	for n := min(4, i); n > 0; n-- {
		for _, m := range r.p.of[r.joinWords(i-n, i)] {
			if m.kind == kindCue {
				return m.values[0], n, true
			}
		}
	}
	return "", 0, false
}

// placeBehind reads a place behind words such as in, near or who can see me in.
func (r *reader) placeBehind(i, n int, cue string) int {
	for at := i + n; at < min(len(r.toks), i+n+4); {
		m, k, ok := r.lookup(at)
		town, n2 := r.place(at, false)
		if ok && m.kind == "place" && n2 <= k {
			if p, ok := aliasPlace(m.values[0]); ok {
				if cue == "can_see" {
					r.canSee = append(r.canSee, [2]int{i, i + n})
				}
				return r.take(i, at+k, Piece{Kind: "near", Values: []string{p.String()}, Place: &p, Note: m.note, core: [2]int{at, at + k}})
			}
		}
		if n2 > 0 && !(ok && k > n2 && m.kind == kindUnheld) {
			if cue == "can_see" {
				r.canSee = append(r.canSee, [2]int{i, i + n})
			}
			return r.take(i, at+n2, town)
		}
		if !ok || !(m.kind == kindCue && m.values[0] == "in" || m.kind == kindFiller && k == 1 && between[r.word(at)]) {
			return 0
		}
		at += k
	}
	return 0
}

// between are words that stand between in and a place.
var between = wordSet("the to el la patients clients state me of city area town estado ciudad")

// place reads a state or a town that begins at a token, and returns how many tokens it has. A bare place,
// which nothing before it marks as one, is read if it is plainly one.
func (r *reader) place(at int, bare bool) (Piece, int) {
	if p, n := r.placeAt(at, bare); n > 1 || at+1 >= len(r.toks) || !directions[r.word(at)] || r.toks[at+1].broken || isNumber(r.word(at+1)) {
		return p, n
	}
	p, n := r.placeAt(at+1, bare) // north Denver, west Texas
	if n == 0 {
		return Piece{}, 0
	}
	return p, n + 1
}

// directions stand before a place and change nothing that can be searched.
var directions = wordSet("north south east west northern southern eastern western central northeast northwest southeast southwest upper lower greater metro downtown uptown midtown rural outer inner")

func (r *reader) placeAt(at int, bare bool) (Piece, int) {
	for n := min(5, len(r.toks)-at); n > 0; n-- {
		if n > 1 && !r.p.beginsPlace[r.word(at)] {
			continue
		}
		if slices.ContainsFunc(r.toks[at+1:at+n], func(t token) bool { return t.broken }) {
			continue
		}
		words := r.joinWords(at, at+n)
		if n == 1 && len(words) > 6 {
			if apart := r.p.glued[words]; apart != "" {
				words = apart
			}
		}
		if p, k := r.town(at, n, words, bare); k > 0 {
			return p, k
		}
		s, ok := directory.FindState(words)
		switch {
		case !ok:
		case len(words) > 2 && !(bare && n == 1 && r.isName(at, "state")):
			p := Piece{Kind: "state", Values: []string{string(s)}, core: [2]int{at, at + n}}
			switch s {
			case "WA":
				p.Note = "Read as the state of Washington. The capital is Washington, DC."
			case "NY":
				p.Note = "Read as the state of New York, which holds the city: write New York City for distances."
			}
			return p, n
		case len(words) == 2 && !bare && (r.toks[at].caps || !r.ordinary(at)):
			return Piece{Kind: "state", Values: []string{string(s)}, core: [2]int{at, at + 1}, Note: codeNote(s)}, 1
		}
	}
	return Piece{}, 0
}

// ordinary reports a word that is one without being a place: or, me, la.
func (r *reader) ordinary(i int) bool {
	return smallWords[r.word(i)] || slices.ContainsFunc(r.p.of[r.word(i)], func(m meaning) bool { return m.kind != kindEveryday })
}

// everyday reports a word that many say without meaning the town of that name.
func (r *reader) everyday(i int) bool {
	return slices.ContainsFunc(r.p.of[r.word(i)], func(m meaning) bool { return m.kind == kindEveryday })
}

func codeNote(s directory.State) string {
	return string(s) + " was read as " + s.Name() + "."
}

// shortTown has what the names of towns begin with by how that is cut short.
var shortTown = map[string]string{"st": "saint", "ft": "fort", "mt": "mount", "n": "north", "s": "south", "e": "east", "w": "west"}

// town reads n tokens as a town, with the state and ZIP behind it.
func (r *reader) town(at, n int, words string, bare bool) (Piece, int) {
	t := directory.Tables()
	city := words
	if short, rest, ok := strings.Cut(words, " "); ok && shortTown[short] != "" {
		city = shortTown[short] + " " + rest
	}
	p, others, ok := t.PlaceOfTown(city, "")
	if !ok && city != words {
		city = words
		p, others, ok = t.PlaceOfTown(city, "")
	}
	if !ok {
		return Piece{}, 0
	}
	found := func(p directory.Place, end int) (Piece, int) {
		return Piece{Kind: "near", Values: []string{p.String()}, Place: &p, core: [2]int{at, end}}, end - at
	}
	end := at + n
	for k := min(3, len(r.toks)-end); k > 0; k-- { // Boulder, CO; Portland, Maine; Columbus Ohio
		s, ok := directory.FindState(r.joinWords(end, end+k))
		if !ok {
			continue
		}
		p, _, ok := t.PlaceOfTown(city, s)
		if !ok || k == 1 && len(r.word(end)) == 2 && r.otherwise(end) {
			continue
		}
		end += k
		if z := r.word(end); len(z) == 5 && isNumber(z) {
			if q, ok := t.PlaceOfZIP(z); ok && q.State == s {
				p, end = q, end+1
			}
		}
		return found(p, end)
	}
	if _, ok := directory.FindState(words); ok && len(words) > 2 {
		return Piece{}, 0 // New York, Washington: the state
	}
	if bare && !r.plainTown(at, n, p, others) || !bare && n == 1 && (len(words) < 3 || r.ordinary(at)) {
		return Piece{}, 0
	}
	x, k := found(p, end)
	if x.Others = others; rival(p) {
		x.Note = "Read as " + p.String() + ". Other states have a town of that name: add the state if you meant another."
	}
	return x, k
}

// rival reports that another state has a town of that name which is not much smaller.
func rival(p directory.Place) bool {
	size := directory.Tables().TownZIPs(p.City, p.State)
	return slices.ContainsFunc(directory.Tables().States(), func(s directory.State) bool {
		return s != p.State && 4*directory.Tables().TownZIPs(p.City, s) >= size
	})
}

// otherwise reports that two letters behind a town are no state there: portland or online, help in person.
func (r *reader) otherwise(i int) bool {
	if r.toks[i].caps && !r.shouting {
		return false
	}
	if m, n, ok := r.lookup(i); ok && n > 1 && m.kind != kindFiller {
		return true
	}
	if r.word(i) != "or" || i+1 >= len(r.toks) {
		return false
	}
	if m, _, ok := r.lookup(i + 1); ok && m.kind == "place" { // oakland or sf
		return true
	}
	p, n := r.place(i+1, true)
	return n > 0 && p.Kind == "near"
}

// plainTown reports that tokens with nothing before them are a town: one of several words, or a large one,
// or a small one that no name or unknown word stands beside.
func (r *reader) plainTown(at, n int, p directory.Place, others int) bool {
	zips := directory.Tables().TownZIPs(p.City, p.State)
	if n > 1 {
		for i := at; i < at+n; i++ {
			if !r.ordinary(i) {
				return zips >= 2 || others == 0
			}
		}
		return zips >= 4 // Jersey City, State College
	}
	w := r.word(at)
	if utf8.RuneCountInString(w) < 4 || r.ordinary(at) || r.isName(at, "near") {
		return false
	}
	if r.everyday(at) { // i need hope; where a state or a cue marks it, it is read elsewhere
		return len(r.toks) == 1 && r.toks[at].title && !r.knows(w)
	}
	if len(nicknames()[w]) > 0 && r.knows(w) && zips < 10 {
		return false // Tracy, Wayne: somebody, rather than the town
	}
	if zips >= 4 {
		return true
	}
	if len(r.toks) > 4 && !(r.toks[at].title && at > 0 && !r.shouting) {
		return false // nearly every word is a town somewhere: where to start, in a long sentence, is not Start, LA
	}
	alone := func(i int) bool {
		return i < 0 || i >= len(r.toks) || r.ordinary(i) || r.toks[i].taken || isNumber(r.word(i))
	}
	return len(r.toks) > 1 && alone(at-1) && alone(at+1) && !r.knows(w)
}

// knows reports a word of a name.
func (r *reader) knows(w string) bool {
	if r.o.Known != nil {
		return r.o.Known(w)
	}
	return len(nicknames()[w]) > 0
}

// nameCues are words behind which a name stands.
var nameCues = wordSet("dr ms mr mrs miss named called")

// isName reports that a word which could be a place, a programme or a language stands in a person's name:
// Leroy Washington, Georgia Maddox, Dr. Grace Hope.
func (r *reader) isName(i int, kind string) bool {
	switch kind {
	case "state", "near", "place", "programme", "language", kindFiller, kindCue, "licence":
	default: // Dr. Gay, Joy Black, Christian Baker
		w := r.word(i)
		if !surnames()[w] && len(nicknames()[w]) == 0 || !r.toks[i].title || r.shouting {
			return false
		}
		beside := func(j int) bool {
			return j >= 0 && j < len(r.toks) && r.toks[j].title && !r.toks[max(i, j)].broken && !r.ordinary(j)
		}
		return nameCues[r.word(i-1)] || surnames()[w] && beside(i-1) && len(nicknames()[r.word(i-1)]) > 0 || beside(i+1) && surnames()[r.word(i+1)] && !r.townHere(i+1)
	}
	w := r.word(i)
	if nameCues[r.word(i-1)] {
		return kind != kindFiller || r.toks[i].title && !r.shouting && surnames()[w]
	}
	given := func(w string) bool { return len(nicknames()[w]) > 0 }
	stranger := func(j int) bool { // a word that is nothing else
		return j >= 0 && j < len(r.toks) && !isNumber(r.word(j)) && !r.ordinary(j) && r.p.titles[r.word(j)] == "" && !r.toks[j].taken && !r.toks[j].broken
	}
	if kind == kindFiller || kind == kindCue || kind == "licence" { // May Ma, Linh Do: only behind or before a name, in capitals
		if !r.toks[i].title || r.shouting || !r.knows(w) && !surnames()[w] {
			return false
		}
		if surnames()[w] && i > 0 && r.toks[i-1].title && !r.toks[i].broken && given(r.word(i-1)) && !r.ordinary(i-1) {
			return true // Maria Weeks
		}
		for _, j := range []int{i - 1, i + 1} {
			if r.knows(w) && j >= 0 && j < len(r.toks) && r.toks[j].title && !r.toks[max(i, j)].broken && r.knows(r.word(j)) && !(kind == kindFiller && !given(r.word(j)) && !stranger(j) && !r.code(j)) {
				return true
			}
		}
		return false
	}
	if given(w) && len(r.toks) <= 4 && r.toks[i].title && !r.shouting && stranger(i+1) && r.toks[i+1].title && !r.townHere(i+1) {
		return true // Georgia O'Keeffe, whom nobody here knows
	}
	if surnames()[w] && i > 0 && given(r.word(i-1)) && stranger(i-1) && !r.toks[i].broken && (len(r.toks) <= 3 || r.toks[i].title && r.toks[i-1].title && !r.shouting) && !r.townHere(i) {
		return true // Sue Anderson
	}
	if stranger(i+1) && r.knows(r.word(i+1)) && (r.knows(w) || given(w)) {
		return !r.townHere(i + 1)
	}
	return stranger(i-1) && r.knows(r.word(i-1)) && (r.knows(w) || given(r.word(i-1))) && !r.toks[i].broken
}

// townHere reports that a token begins a town with its state, which no name does.
func (r *reader) townHere(i int) bool {
	for k := min(3, len(r.toks)-i-1); k > 0; k-- {
		if s, ok := directory.FindState(r.joinWords(i+1, i+1+k)); ok {
			if _, _, ok := directory.Tables().PlaceOfTown(r.word(i), s); ok {
				return true
			}
		}
	}
	return false
}

func (r *reader) code(i int) bool {
	_, ok := directory.FindState(r.word(i))
	return ok && len(r.word(i)) == 2
}

func isNumber(w string) bool {
	_, ok := numberOf(w)
	return ok
}

// numberOf is strconv.Atoi for words, most of which are no number: it makes no error of them.
func numberOf(w string) (n int, ok bool) {
	for i := range len(w) {
		switch {
		case w[i] < '0' || w[i] > '9':
			return 0, false
		case i == 18: // it may be too large
			n, err := strconv.Atoi(w)
			return n, err == nil
		}
		n = 10*n + int(w[i]-'0')
	}
	return n, w != ""
}

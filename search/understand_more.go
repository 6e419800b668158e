package search

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kapdir/directory"
)

// number reads what a number at a token, or words before one, stand for: a price, a distance, a ZIP code,
// an NPI, a licence's number.
func (r *reader) number(i int) int {
	if n := r.distance(i); n > 0 {
		return n
	}
	if n := r.price(i); n > 0 {
		return n
	}
	if n := r.licenceNumber(i); n > 0 {
		return n
	}
	w := r.word(i)
	if !isNumber(w) {
		if ones[w] > 9 && (strings.HasPrefix(r.word(i+1), "year") || ones[r.word(i+1)] > 0) { // seventy two years old
			return r.age(i)
		}
		return 0
	}
	from := i
	switch len(w) {
	case 2:
		return r.age(i)
	case 10:
		if _, err := directory.ParseNPI(w); err != nil {
			return 0
		}
		if i > 0 && r.word(i-1) == "npi" {
			from--
		}
		r.take(from, i+1, Piece{Kind: "npi", Values: []string{w}, core: [2]int{i, i + 1}})
		return 1
	case 5:
		p, ok := directory.Tables().PlaceOfZIP(w)
		if !ok || r.toks[i].dollar {
			return 0
		}
		end := i + 1
		if end < len(r.toks) && r.toks[end].joined && len(r.word(end)) == 4 && isNumber(r.word(end)) {
			end++
		}
		if m, n, ok := r.cueBefore(i); ok && m == "in" {
			from -= n
		} else if i > 0 && (r.word(i-1) == "zip" || r.word(i-1) == "code") {
			from--
		}
		note := ""
		if !p.Exact {
			note = "We do not know this ZIP code and count from the middle of its area."
		}
		r.take(from, end, Piece{Kind: "near", Values: []string{p.ZIP}, Place: &p, Note: note, core: [2]int{i, end}})
		return end - i
	}
	return 0
}

// age reads how old somebody is, where it says whom a provider must see: 16 years old, my mom is 74.
func (r *reader) age(i int) int {
	v, ok := numberOf(r.word(i))
	end := i + 1
	if !ok {
		if v = ones[r.word(i)]; v > 19 && ones[r.word(end)] > 0 && ones[r.word(end)] < 10 {
			v, end = v+ones[r.word(end)], end+1
		}
	}
	who := "adolescent"
	switch {
	case v >= 65:
		who = "older_adult"
	case v < 10 || v > 17:
		return 0
	}
	said := r.behind(end, []string{"year old", "years old", "yr old", "yrs old", "year olds", "yo", "y o", "years of age", "anos de edad"})
	if said == 0 && (ageWords[r.word(i-1)] || r.word(i-1) == "im" || r.word(i-1) == "am" || r.word(i-1) == "is") {
		if said = r.behind(end, []string{"anos", "years", "year"}); said == 0 && !ageWords[r.word(i-1)] && (r.toks[i].dollar || end < len(r.toks) && !r.toks[end].broken && !smallWords[r.word(end)] && !r.begun(end)) {
			return 0
		}
	} else if said == 0 {
		return 0
	}
	return r.take(i, end+said, Piece{Kind: "population", Values: []string{who}, Note: "Read from the age."})
}

// begun reports a word that carries on after an age: my mom is 74 with depression.
func (r *reader) begun(i int) bool {
	return slices.Contains([]string{"with", "and", "who", "has", "have", "she", "he", "in", "near", "from", "needs", "looking"}, r.word(i))
}

var ageWords = wordSet("age aged turned turning tiene tengo edad")

var (
	withinWords  = []string{"not more than", "no more than", "less than", "up to", "under", "a menos de", "within a", "within about", "within", "inside", "dentro de", "menos de", "hasta", "a"}
	underWords   = []string{"less than", "no more than", "not more than", "at most", "up to", "cheaper than", "have about", "only have", "have only", "can spend", "spend up to", "can do", "pay about", "pay around", "pay up to", "tengo unos", "tengo como", "puedo gastar", "puedo pagar", "price cap of", "price cap", "price limit", "cap of", "cap", "capped at", "limit of", "budget of", "budget is", "can pay", "can afford", "menos de", "no mas de", "por debajo de", "presupuesto de", "under", "below", "max", "maximum", "budget", "hasta", "maximo", "presupuesto"}
	overWords    = []string{"no less than", "not less than", "more than", "at least", "starting at", "starting from", "over", "above", "minimum", "from", "mas de", "por encima de", "al menos", "a partir de", "desde"}
	upWords      = []string{"or more", "and up", "and above", "or above", "or higher", "plus", "o mas", "en adelante"}
	boundWords   = []string{"or less", "or under", "or below", "at most", "or lower", "o menos", "max", "maximum", "maximo"}
	boundBegins  = beginnings(underWords, overWords)
	withinBegins = beginnings(withinWords)
	dollarWords  = wordSet("dollars dollar usd bucks dolares dolar")
	mileWords    = map[string]float64{"mile": 1, "miles": 1, "mi": 1, "milla": 1, "millas": 1, "km": 0.621371, "kms": 0.621371, "kilometers": 0.621371, "kilometros": 0.621371}
	countedWords = wordSet("years year months weeks days sessions people minutes minute min mins hours hour visits anos meses sesiones")
	numberWords  = wordSet("license licence lic no num number licencia numero nr")
)

// beginnings are the words with which phrases begin: most words are none, and are looked at no more.
func beginnings(lists ...[]string) map[string]bool {
	m := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			first, _, _ := strings.Cut(s, " ")
			m[first] = true
		}
	}
	return m
}

// behind returns how many tokens from one on say one of the phrases.
func (r *reader) behind(i int, list []string) int {
	if i >= len(r.toks) {
		return 0
	}
	for _, s := range list {
		if rest, ok := strings.CutPrefix(r.words[r.toks[i].at:], s); ok && rest[0] == ' ' {
			return strings.Count(s, " ") + 1
		}
	}
	return 0
}

// amount reads a number of dollars at a token: how many tokens, how much, and whether it says that it is
// money.
func (r *reader) amount(i int) (n, dollars int, money bool) {
	v, ok := numberOf(r.word(i))
	if !ok {
		if n, v = r.spoken(i); n == 0 {
			return 0, 0, false
		}
		if dollarWords[r.word(i+n)] {
			return n + 1, v, true
		}
		return n, v, false
	}
	if v > maxDollars {
		return 0, 0, false
	}
	money = r.toks[i].dollar
	if t := r.toks; i+2 < len(t) && t[i+1].joined && t[i+2].joined && r.word(i+2) == "k" && len(r.word(i+1)) == 1 && isNumber(r.word(i+1)) && r.text[t[i].end:t[i+1].start] == "." {
		tenth, _ := numberOf(r.word(i + 1))
		return 3, v*1000 + tenth*100, v <= 100 // 1.2k
	}
	if n = 1; r.word(i+n) == "k" && r.toks[i+n].joined && v <= 100 {
		v, n, money = v*1000, n+1, true
	}
	if dollarWords[r.word(i+n)] {
		n, money = n+1, true
	}
	if !money && (countedWords[r.word(i+n)] || mileWords[r.word(i+n)] > 0 || len(r.word(i)) == 5) {
		return 0, 0, false
	}
	return n, v, money
}

// spoken reads an amount in words, as somebody dictates it: six hundred, twelve hundred fifty, mil doscientos.
func (r *reader) spoken(i int) (n, v int) {
	w := r.word(i)
	if v = 0; strings.HasPrefix(w, "cien") || strings.HasSuffix(w, "ientos") || w == "mil" {
		v = hundreds[w]
	}
	if v > 0 {
		if n = 1; w == "mil" && hundreds[r.word(i+1)] > 0 {
			n, v = 2, v+hundreds[r.word(i+1)]
		}
		return n, v
	}
	by := 0
	switch r.word(i + 1) {
	case "hundred":
		by = 100
	case "thousand", "mil":
		by = 1000
	default:
		return 0, 0
	}
	if v = ones[w] * by; v == 0 {
		return 0, 0
	}
	n = 2
	if by == 1000 && r.word(i+n+1) == "hundred" && ones[r.word(i+n)] > 0 {
		n, v = n+2, v+100*ones[r.word(i+n)]
	}
	if r.word(i+n) == "and" && ones[r.word(i+n+1)] > 0 {
		n++
	}
	if ones[r.word(i+n)] > 9 {
		n, v = n+1, v+ones[r.word(i+n)]
	}
	return n, v
}

var (
	hundreds = map[string]int{"cien": 100, "ciento": 100, "doscientos": 200, "trescientos": 300, "cuatrocientos": 400, "quinientos": 500, "seiscientos": 600,
		"setecientos": 700, "ochocientos": 800, "novecientos": 900, "mil": 1000}
	ones = map[string]int{"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
		"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
		"seventy": 70, "eighty": 80, "ninety": 90, "dos": 2}
)

const (
	leastDollars = 50  // less is no price of a session unless a dollar sign says so
	plainDollars = 200 // of a least price: over 65 is an age
	maxDollars   = 100_000
)

// price reads the most that a session may cost. Nobody who costs less is left out: a lower end, and a least price,
// are told and not asked for.
func (r *reader) price(i int) int {
	end, most, low := 0, 0, false
	under, bound := 0, boundBegins[r.word(i)]
	if bound {
		under = r.behind(i, underWords)
		if n := r.behind(i, overWords); n > 0 && r.refused(i) {
			under = n // cannot afford more than
		}
	}
	if under == 0 {
		if n := r.leastPrice(i, bound); n > 0 {
			return n
		}
	}
	if n := under; n > 0 {
		for r.word(i+n) == "about" || r.word(i+n) == "around" || r.word(i+n) == "is" {
			n++
		}
		if k, v, money := r.amount(min(i+n, len(r.toks)-1)); i+n < len(r.toks) && k > 0 && (money || v >= leastDollars) {
			end, most = i+n+k, v
		}
	} else if r.word(i) == "between" || r.word(i) == "entre" || r.word(i) == "from" {
		if k, _, m1 := r.amount(min(i+1, len(r.toks)-1)); k > 0 && i+1+k+1 < len(r.toks) && slices.Contains([]string{"and", "to", "y", "a"}, r.word(i+1+k)) {
			if k2, v, m2 := r.amount(i + 2 + k); k2 > 0 && (m1 || m2 || v >= leastDollars) {
				end, most, low = i+2+k+k2, v, true
			}
		}
	} else if k, v, money := r.amount(i); k > 0 {
		bound := r.behind(i+k, boundWords)
		if i+k < len(r.toks) && (r.word(i+k) == "to" || r.word(i+k) == "a" || r.toks[i+k].joined && isNumber(r.word(i+k))) {
			at := i + k
			if !isNumber(r.word(at)) {
				at++
			}
			if at < len(r.toks) {
				if k2, v2, m2 := r.amount(at); k2 > 0 && (money || m2) && v2 > v {
					end, most, low = at+k2, v2, v > 0
				}
			}
		}
		if end == 0 && k == 1 && !money && v >= 100 && i+1 < len(r.toks) && r.toks[i+1].joined { // 500-800
			if k2, v2, _ := r.amount(i + 1); k2 > 0 && v2 > v && v2 <= 5000 && r.text[r.toks[i].end:r.toks[i+1].start] == "-" {
				end, most, low = i+1+k2, v2, true
			}
		}
		if end == 0 && (money || bound > 0 && v >= leastDollars) {
			end, most = i+k+bound, v
		}
	}
	switch {
	case end == 0:
		return 0
	case most == 0:
		return r.take(i, end, Piece{Kind: kindUnheld, Values: []string{r.joinWords(i, end)}, Note: "No price was named. Say the most that a session may cost or ask for a sliding scale."})
	}
	for _, tail := range [][]string{{"per session", "a session", "each session", "por sesion", "la sesion", "per treatment"}, {"each"}} {
		end += r.behind(end, tail)
	}
	p := Piece{Kind: "price_max", Values: []string{strconv.Itoa(most)}}
	if low {
		p.Note = "The lower end is not asked for: who costs less is shown as well."
	}
	return r.take(i, end, p)
}

// refused reports that words at a token, such as more than, stand behind a no: cannot afford more than, do not want to pay over.
func (r *reader) refused(i int) bool {
	for j := i - 1; j >= 0 && j >= i-4 && !r.toks[j+1].broken; j-- {
		switch w := r.word(j); {
		case noWords[w]:
			return true
		case !payWords[w]:
			return false
		}
	}
	return false
}

var (
	noWords  = wordSet("cant cannot not dont wont no never couldnt unable nothing")
	payWords = wordSet("afford pay spend go do want to be me really possibly puedo pagar gastar quiero that any")
)

// leastPrice reads over $2000, $2000 or more: a price that is not asked for. From $500 to $900 is a range.
func (r *reader) leastPrice(i int, bound bool) int {
	n := 0
	if bound {
		n = r.behind(i, overWords)
	}
	if i+n >= len(r.toks) {
		return 0
	}
	k, v, money := r.amount(i + n)
	if k == 0 || !money && v < plainDollars {
		return 0
	}
	end := i + n + k
	up := r.behind(end, upWords)
	if n == 0 && up == 0 && !strings.HasPrefix(r.text[r.toks[end-1].end:], "+") {
		return 0
	}
	if w := r.word(end); up == 0 && (w == "to" || w == "and" || w == "a" || w == "y" || end < len(r.toks) && r.toks[end].joined && isNumber(w)) {
		if k2, _, _ := r.amount(min(end+1, len(r.toks)-1)); k2 > 0 || isNumber(w) {
			return 0 // from $500 to $900
		}
	}
	end += up
	return r.take(i, end, Piece{Kind: kindUnheld, Values: []string{r.joinWords(i, end)}, Note: "The least that a session may cost cannot be asked for: who costs less is shown as well."})
}

// distance reads within 30 miles, 20 mi from, a 25 mile radius.
func (r *reader) distance(i int) int {
	at := i
	if withinBegins[r.word(i)] {
		at += r.behind(i, withinWords)
	}
	v, ok := numberOf(r.word(at))
	if !ok || at < len(r.toks) && r.toks[at].dollar || mileWords[r.word(at+1)] == 0 || v < 1 {
		return 0
	}
	miles := int(float64(v)*mileWords[r.word(at+1)] + 0.5)
	note := ""
	if miles > mostMiles {
		miles, note = mostMiles, "The farthest that can be asked for."
	}
	end := at + 2
	if r.word(end) == "radius" {
		end++
	}
	r.take(i, end, Piece{Kind: "miles", Values: []string{strconv.Itoa(max(1, miles))}, Note: note, core: [2]int{at, at + 1}})
	n := end - i
	m, k, ok := r.lookupCue(end)
	if !ok && r.word(end) == "of" {
		m, k, ok = "in", 1, true
	}
	if ok && m == "in" {
		if got := r.placeBehind(end, k, m); got > 0 {
			n += got
		}
	}
	return n
}

// mostMiles is the largest radius that may be asked for.
const mostMiles = 500

func (r *reader) lookupCue(i int) (string, int, bool) {
	if i >= len(r.toks) {
		return "", 0, false
	}
	m, n, ok := r.lookup(i)
	if !ok || m.kind != kindCue {
		return "", 0, false
	}
	return m.values[0], n, true
}

// licenceNumber reads CSW.0009923, LPC-12345, or license 9923.
func (r *reader) licenceNumber(i int) int {
	w := r.word(i)
	at := i
	for at < len(r.toks) && at < i+3 && numberWords[r.word(at)] {
		at++
	}
	named := at > i
	start := at
	if w == "nr" && at == i+1 && len(r.word(at)) == 5 { // near a ZIP code
		if _, ok := directory.Tables().PlaceOfZIP(r.word(at)); ok {
			return 0
		}
	}
	if n := r.numberOfTitle(i); n > 0 {
		return n
	}
	if at+1 < len(r.toks) && !isNumber(r.word(at)) && len(r.word(at)) <= 6 && r.toks[at+1].joined && isNumber(r.word(at+1)) && len(r.word(at+1)) >= 4 {
		at++
	} else if !named {
		return 0
	}
	if at >= len(r.toks) || !isNumber(r.word(at)) || len(r.word(at)) < 3 || w == "" {
		return 0
	}
	typed := r.text[r.toks[start].start:r.toks[at].end]
	return r.take(i, at+1, Piece{Kind: "number", Values: []string{typed}, core: [2]int{start, at + 1}})
}

// numberOfTitle reads LMFT 98765, unless it may be a ZIP code.
func (r *reader) numberOfTitle(i int) int {
	w := r.word(i + 1)
	if len(w) < 4 || !isNumber(w) || r.toks[i+1].dollar || r.toks[i+1].broken || r.toks[i+1].joined || mileWords[r.word(i+2)] > 0 || dollarWords[r.word(i+2)] || countedWords[r.word(i+2)] {
		return 0
	}
	if t := r.word(i); r.p.titles[t] == "" && t != "md" && t != "np" && t != "psy" {
		return 0
	}
	if len(w) == 5 {
		if _, ok := directory.Tables().PlaceOfZIP(w); ok {
			return 0
		}
	}
	return r.take(i, i+2, Piece{Kind: "number", Values: []string{w}, core: [2]int{i + 1, i + 2}})
}

// letters reads what is left and short: PA, MA, CO, by what stands beside it.
func (r *reader) letters() {
	place, state := -1, false
	for i, p := range r.pieces {
		switch p.Kind {
		case "near":
			place = i
		case "state":
			state = true
		}
	}
	for i := range r.toks {
		t := &r.toks[i]
		if t.taken || len(t.word) != 2 {
			continue
		}
		s, ok := directory.FindState(t.word)
		if !ok || r.isName(i, "licence") {
			continue
		}
		caps := t.caps && !r.shouting
		if place >= 0 && r.pieces[place].Place.State == s && caps && r.word(i-1) != "a" && r.word(i-1) != "or" && r.word(i+1) != "or" && (t.word == "pa" || t.word == "md") {
			t.filler = true // PA ketamine Philadelphia: the state of the town
			continue
		}
		prescriber := func(w string) bool {
			return w == "np" || w == "md" || w == "nurse" || w == "do" || w == "lcsw" || w == "lpc"
		}
		switch {
		case t.word == "pa" && (place >= 0 || state || prescriber(r.word(i+2)) && r.word(i+1) == "or" || prescriber(r.word(i-2)) || r.word(i-1) == "a"):
			r.take(i, i+1, Piece{Kind: "licence", Values: []string{"physician_assistant"}, Note: "PA was read as physician assistant; Pennsylvania is read when no other place is named."})
			continue
		case t.word == "md" && (place >= 0 || state):
			r.take(i, i+1, Piece{Kind: "licence", Values: []string{"MD"}, Note: "MD was read as the degree; Maryland is read when no other place is named."})
			continue
		case state || place >= 0:
			continue // one place is enough: the letters are words
		case r.ordinary(i) && !caps:
			continue
		case t.joined && !t.filler && i > 0 && !r.toks[i-1].filler && !r.toks[i-1].taken:
			continue
		}
		n := 1
		r.take(i, i+n, Piece{Kind: "state", Values: []string{string(s)}, Note: codeNote(s)})
		state = true
	}
}

// keyWords are words as typed without the signs that no key may have, which stand in addresses and pages.
func keyWords(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(c rune) rune {
		if strings.ContainsRune("<>\"`", c) || unicode.IsControl(c) {
			return ' '
		}
		return c
	}, s)), " ")
}

// names gathers the words that are left beside a given name, or behind Dr., as somebody's name.
func (r *reader) names() {
	free := func(i int) bool {
		return i >= 0 && i < len(r.toks) && !r.toks[i].taken && !r.toks[i].filler && !isNumber(r.word(i))
	}
	for i := 0; i < len(r.toks); i++ {
		if !free(i) {
			continue
		}
		end := i + 1
		for free(end) && !r.toks[end].broken {
			end++
		}
		if end == i+1 && len(r.toks) > 2 && r.word(i) == "max" && !r.toks[i].title { // two hours away max
			r.toks[i].filler = true
			continue
		}
		named := nameCues[r.word(i-1)]
		for j := i; j < end && !named; j++ {
			named = r.knows(r.word(j)) || len(nicknames()[r.word(j)]) > 0 || end-i > 1 && surnames()[r.word(j)] && !isTown(r.joinWords(i, end)) && (r.titled(i, end) || j == end-1 && end-i < 4 && len(r.toks) <= 4 && !r.everyday(j) && !r.everyday(i))
		}
		if named {
			from := i
			if nameCues[r.word(i-1)] {
				from--
			}
			typed := keyWords(r.text[r.toks[i].start:r.toks[end-1].end])
			r.take(from, end, Piece{Kind: "name", Values: []string{typed}, core: [2]int{i, end}})
			// Letters behind a name are part of it, and ask for nothing: Linh Do, LMFT.
			for k := end; k < len(r.toks); k++ {
				letters := slices.IndexFunc(r.pieces, func(p Piece) bool {
					return p.Kind == "licence" && p.from == k && p.to == k+1 && r.p.titles[r.word(k)] != ""
				})
				if letters < 0 {
					break
				}
				r.pieces = slices.Delete(r.pieces, letters, letters+1)
				r.toks[k].filler = true
			}
		}
		i = end
	}
}

func isTown(name string) bool {
	_, _, ok := directory.Tables().PlaceOfTown(name, "")
	return ok
}

// titled reports that each of the words begins with a capital, where that means something.
func (r *reader) titled(from, to int) bool {
	return !r.shouting && !slices.ContainsFunc(r.toks[from:to], func(t token) bool { return !t.title })
}

// mend reads the text again with words that are left put right, if a word of the lexicon or of a town is
// near enough. A word of a name that somebody has is never touched.
func (r *reader) mend() {
	type guess struct {
		at   int
		word string
	}
	var guesses []guess
	for i := range r.toks {
		t := &r.toks[i]
		if t.filler || len(guesses) == maxMend || !mayBeMisspelt(t.word) || r.p.has(t.word) {
			continue
		}
		if t.taken && !slices.ContainsFunc(r.pieces, func(p Piece) bool { return p.Kind == "name" && p.from <= i && i < p.to }) {
			continue
		}
		if r.knows(t.word) || len(nicknames()[t.word]) > 0 || surnames()[t.word] || i > 0 && (nameCues[r.word(i-1)] || r.knows(r.word(i-1)) && !r.ordinary(i-1)) {
			continue
		}
		zips := 4
		if m, _, ok := r.cueBefore(i); ok && m == "in" {
			zips = 1
		}
		if w := r.p.nearest(t.word, zips); w != "" && w != t.word && !r.nearName(i) {
			guesses = append(guesses, guess{i, w})
		}
	}
	if len(guesses) == 0 {
		return
	}
	again := func() {
		for i := range r.toks {
			r.toks[i].taken, r.toks[i].filler = false, false
		}
		r.pieces, r.askPlace, r.canSee = nil, false, nil
		r.read()
	}
	for _, g := range guesses {
		r.toks[g.at].word, r.toks[g.at].fixed = g.word, true
	}
	again()
	undone := false
	for _, g := range guesses {
		t := &r.toks[g.at]
		name := slices.ContainsFunc(r.pieces, func(p Piece) bool { return p.Kind == "name" && p.from <= g.at && g.at < p.to })
		if !t.filler && (!t.taken || name) {
			t.word, t.fixed, undone = t.typed, false, true
		}
	}
	if undone {
		again()
	}
}

// nearName reports the second of two words in capitals that is a family name with one letter wrong: Jennifr Martines is
// not marines.
func (r *reader) nearName(i int) bool {
	if i == 0 || r.shouting || !r.toks[i].title || !r.toks[i-1].title || r.toks[i].broken || r.ordinary(i-1) || r.toks[i-1].taken {
		return false
	}
	w := []rune(r.word(i))
	for s := range surnames() {
		if s[0] == r.word(i)[0] && len(s) > 4 && editDistance(w, []rune(s), 1) <= 1 {
			return true
		}
	}
	return false
}

// has reports a word of the lexicon.
func (p *phrases) has(w string) bool {
	if w == "" {
		return false
	}
	_, ok := slices.BinarySearchFunc(p.words[w[0]], w, func(x lexiconWord, w string) int { return strings.Compare(x.word, w) })
	return ok
}

// denials are the words that say no to what follows, and what may stand between.
var (
	denials      = wordSet("no not dont doesnt without except excluding avoid never nor sin excepto nada ningun ninguna neither isnt")
	afterDenials = wordSet("a an the any want wants need necesito necesitamos like do interested in into to for on quiero una un el la")
	ofDenials    = wordSet("just only another more clinic clinics clinica clinicas place places de of go going ir hacer usar con los las") // where no place is said no to
)

// denied reports that the words before a piece say no to it.
func (r *reader) denied(p Piece, before bool) bool {
	i := p.from - 1
	if before && i >= 0 && (r.word(i) == "or" || r.word(i) == "nor" || r.word(i) == "ni" || r.word(i) == "o") {
		return true
	}
	for i >= 0 && (afterDenials[r.word(i)] || p.Kind != "near" && p.Kind != "state" && ofDenials[r.word(i)]) && !r.toks[i+1].broken {
		i--
	}
	return i >= 0 && denials[r.word(i)] && !r.toks[i].taken && !r.toks[i+1].broken
}

// declined reports that the words behind a piece say no to it: telehealth not needed, group is not required. They ask
// for nothing themselves.
func (r *reader) declined(p Piece) bool {
	i := p.to
	next := func(words map[string]bool) bool {
		if i < len(r.toks) && words[r.word(i)] && !r.toks[i].broken && !r.toks[i].taken {
			i++
			return true
		}
		return false
	}
	next(areWords)
	if !next(nots) {
		return false
	}
	next(areWords)
	if !next(needed) {
		return false
	}
	for ; i > p.to; i-- {
		r.toks[i-1].filler = true
	}
	return true
}

var (
	areWords = wordSet("is are es son")
	nots     = wordSet("not isnt arent no")
	needed   = wordSet("needed necessary required necesario necesaria necesarios necesarias")
)

// goes are the words before to and a place where somebody would go.
var goes = wordSet("travel traveling travelling drive driving commute commuting fly flying go going get come viajar ir manejar conducir")

// goneTo reports a place that somebody would go to: can travel to Chicago.
func (r *reader) goneTo(p Piece) bool {
	i := p.core[0] - 1
	return i > 0 && (r.word(i) == "to" || r.word(i) == "a") && goes[r.word(i-1)] && !r.toks[i].broken
}

// livesIn reports a place where the words say that the patient is.
func (r *reader) livesIn(p Piece) bool {
	i := p.core[0] - 1
	return i > 0 && (r.word(i) == "in" || r.word(i) == "en") && slices.Contains([]string{"live", "reside", "am", "im", "vivo", "located"}, r.word(i-1))
}

// settle decides what hangs on more than one piece.
func (r *reader) settle() {
	// The search leaves nobody out for what they offer too, so what the words say no to asks for nothing.
	before := false
	for i, p := range r.pieces {
		before = p.kind() && r.denied(p, before)
		if before || p.kind() && r.declined(p) {
			r.pieces[i].Kind, r.pieces[i].Values = kindUnheld, []string{r.joinWords(p.from, p.to)}
			r.pieces[i].Note = "The words say no to this. The search does not leave out who offers it among other things."
		}
	}
	r.welcome()
	r.askers()
	video := slices.IndexFunc(r.pieces, func(p Piece) bool { return p.Kind == "video" && slices.Equal(p.Values, []string{"yes"}) })
	at := slices.IndexFunc(r.pieces, func(p Piece) bool { return p.Kind == "state" || p.Kind == "near" && p.Place.State != "" })
	if home := slices.IndexFunc(r.pieces, func(p Piece) bool { return p.Kind == "state" && r.livesIn(p) }); home >= 0 && len(r.canSee) > 0 {
		at = home // can somebody in California see me if I live in Nevada
	}
	if at >= 0 && (video >= 0 || len(r.canSee) > 0) {
		// Who may see a patient somewhere is a matter of their state, not of how far an office is. That licences there
		// be shown is asked for only where the words say so: whoever states sessions by video is found without.
		p := r.pieces[at]
		state, note := p.Values[0], p.Note
		if p.Kind == "near" {
			state = string(p.Place.State)
			note = "By state, not by distance: " + p.Place.String() + " is in " + p.Place.State.Name() + "."
		}
		see := Piece{Kind: "state", Values: []string{state}, Note: note, from: p.from, to: p.to, core: p.core}
		if len(r.canSee) > 0 {
			see.Kind = "can_see"
			see.from, see.to = min(p.from, r.canSee[0][0]), max(p.to, r.canSee[0][1])
			if see.to-see.from > p.to-p.from+6 {
				see.from, see.to = p.from, p.to
			}
		}
		r.pieces[at] = see
		if video >= 0 {
			v := r.pieces[video]
			r.pieces[video] = Piece{Kind: "telehealth", Values: []string{state}, from: v.from, to: v.to, core: v.core}
		}
		r.pieces = slices.DeleteFunc(r.pieces, func(p Piece) bool { return p.Kind == "miles" })
	}
	// A town in the state that was named as well says it all; it may have been named first.
	if i := slices.IndexFunc(r.pieces, func(p Piece) bool { return p.Kind == "near" }); i >= 0 {
		r.pieces = slices.DeleteFunc(r.pieces, func(p Piece) bool {
			return p.Kind == "state" && directory.State(p.Values[0]) == r.pieces[i].Place.State
		})
	}
	// Of a place to live in and one to go to, the search is for the latter.
	if i := slices.IndexFunc(r.pieces, func(p Piece) bool { return (p.Kind == "near" || p.Kind == "state") && r.goneTo(p) }); i >= 0 {
		for j, p := range r.pieces {
			if j != i && (p.Kind == "near" || p.Kind == "state") {
				r.pieces[j].Kind, r.pieces[j].Values, r.pieces[j].Label = kindUnheld, []string{r.joinWords(p.from, p.to)}, ""
				r.pieces[j].Note = "The place that the words say one can go to is searched. For sessions by video the patient's state counts: choose it beside the words."
			}
		}
	}
	// A second place cannot be searched at the same time, nor a state beside the one whose licences count.
	seen := map[string]bool{"state": slices.ContainsFunc(r.pieces, func(p Piece) bool { return p.Kind == "can_see" })}
	for i, p := range r.pieces {
		if !slices.Contains([]string{"near", "state", "can_see", "price_max", "miles"}, p.Kind) {
			continue
		}
		if seen[p.Kind] {
			r.pieces[i].Kind, r.pieces[i].Values, r.pieces[i].Label = kindUnheld, []string{r.joinWords(p.from, p.to)}, ""
			r.pieces[i].Note = "One at a time can be asked for, and the first that was named is."
		}
		seen[p.Kind] = true
	}
	r.askPlace = r.askPlace || seen["miles"] && !seen["near"]
	slices.SortStableFunc(r.pieces, func(a, b Piece) int { return a.from - b.from })
}

// welcome makes of sessions by video that are welcome no wish: zoom sessions are fine too.
func (r *reader) welcome() {
	for i, p := range r.pieces {
		if p.Kind != "video" || p.Values[0] != "yes" {
			continue
		}
		at := p.to
		for at < len(r.toks) && at < p.to+4 && !r.toks[at].broken && beforeWelcome[r.word(at)] {
			at++
		}
		if at < len(r.toks) && welcomes[r.word(at)] && !r.toks[at].broken {
			r.pieces[i] = Piece{Kind: kindOptional, Values: []string{r.joinWords(p.from, p.to)}, Note: "Sessions by video are welcome, so nothing was asked for.", from: p.from, to: p.to, core: p.core}
			r.toks[at].filler = true
		}
	}
}

var (
	beforeWelcome = wordSet("session sessions visits appointments therapy is are would be also totally esta tambien")
	welcomes      = wordSet("ok okay fine works welcome possible alright acceptable bien")
)

// mayPrescribe are the values of licences which may prescribe, as the lexicon has them for a prescriber.
var mayPrescribe = []string{"physician", "psychiatrist", "nurse_practitioner", "psych_np", "physician_assistant"}

// askers tells the licence of whoever asks from one that is looked for, and leaves out the word prescriber beside a
// licence that says more: I am an LMFT looking for a psychiatrist, a prescriber who works with an LPC.
func (r *reader) askers() {
	prescriber := slices.ContainsFunc(r.pieces, func(p Piece) bool {
		return p.Kind == "licence" && !slices.ContainsFunc(p.Values, func(v string) bool { return !slices.Contains(mayPrescribe, v) })
	})
	others := false
	for i, p := range r.pieces {
		if p.Kind != "licence" {
			continue
		}
		at := p.from - 1
		for at >= 0 && !r.toks[at+1].broken && articles[r.word(at)] {
			at--
		}
		w, article := r.word(at), at < p.from-1
		therapist := !slices.Contains(mayPrescribe, p.Values[0]) && p.Values[0] != "MD" && p.Values[0] != "DO"
		asks := at >= 0 && !r.toks[at+1].broken && (article && (w == "im" || w == "am" || w == "as") || w == "soy" || prescriber && therapist && (w == "with" || w == "for" || w == "con"))
		if asks || owners[r.word(p.from-1)] && !r.toks[p.from].broken {
			r.pieces[i] = Piece{Kind: kindUnheld, Values: []string{r.joinWords(p.from, p.to)}, Note: "Read as who asks, or whom they see already, not as who is looked for.", from: p.from, to: p.to, core: p.core}
		} else if !slices.Equal(p.Values, mayPrescribe) {
			others = true
		}
	}
	if others {
		r.pieces = slices.DeleteFunc(r.pieces, func(p Piece) bool { return p.Kind == "licence" && slices.Equal(p.Values, mayPrescribe) })
	}
}

// owners stand before one whom somebody has already: my psychiatrist sent me.
var owners = wordSet("my our his her their mi nuestro nuestra")

var articles = wordSet("a an un una my licensed the also")

// rest returns the words to search for, with what joined them.
func (r *reader) rest() string {
	var b strings.Builder
	last := -1
	for i, t := range r.toks {
		if !t.rest && (t.taken || t.filler) {
			continue
		}
		if b.Len() > 0 {
			if last == i-1 && t.joined {
				b.WriteString(r.text[r.toks[last].end:t.start])
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteString(r.text[t.start:t.end])
		last = i
	}
	return b.String()
}

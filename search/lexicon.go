package search

import (
	"cmp"
	"encoding/csv"
	"math/bits"
	"slices"
	"strings"
	"sync"

	"kapdir/data"
	"kapdir/directory"
)

// The kinds of data/lexicon.csv that are no filter of their own.
const (
	kindFiller   = "filler"   // says nothing about a provider
	kindUnheld   = "unheld"   // means something that the directory does not hold
	kindOptional = "optional" // allows something, and so asks for nothing
	kindCue      = "cue"      // says how to read what follows
	kindOther    = "other"    // looks like something else, and is searched for as it stands
	kindEveryday = "everyday" // the name of a town too, and meant as one only where something marks it
)

// meaning is what a phrase of the lexicon is read as.
type meaning struct {
	kind   string
	values []string
	near   []string // beside one of these words only; CAPS: or in capitals; CUE: or behind a word such as in
	note   string   // for whoever asks why it was read so
}

// phrases is the lexicon: what people call things, folded.
type phrases struct {
	of      map[string][]meaning
	longest int                    // words of the longest phrase
	begins  map[string]bool        // words with which a phrase of several words begins
	words   map[byte][]lexiconWord // every word of four letters or more, by its first letter, in order
	titles  map[string]string      // letters of a licence, as facets have them
	towns   map[byte][]townWord    // words of towns' names, by first letter

	glued       map[string]string // names of larger towns and of states without their blanks: sanfrancisco
	beginsPlace map[string]bool   // words with which the name of a town or state of several words begins
}

type lexiconWord struct {
	word    string
	letters uint32 // as lettersOf has them
	strict  bool   // says nothing about a provider: read for a word with one letter wrong, and no more
}

type townWord struct {
	lexiconWord
	zips int // of the largest town whose name has it
}

// lexiconRow is a row of data/lexicon.csv.
type lexiconRow struct {
	meaning
	phrases []string
	example string
}

func readLexicon() []lexiconRow {
	var out []lexiconRow
	for _, r := range shippedRows("lexicon.csv") {
		row := lexiconRow{meaning: meaning{kind: r[0], note: r[5]}, phrases: strings.Split(r[2], "|"), example: r[4]}
		if row.values = []string{r[1]}; row.kind != "place" {
			row.values = strings.Split(r[1], "|")
		}
		if r[3] != "" {
			row.near = strings.Split(r[3], "|")
		}
		out = append(out, row)
	}
	return out
}

// shippedRows are those of a table of package data, without its header.
func shippedRows(name string) [][]string {
	f, err := data.FS.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		panic(name + ": " + err.Error())
	}
	return all[1:]
}

// vocabulary is the lexicon with what the other tables call things: programmes, letters of licences, towns.
var vocabulary = sync.OnceValue(func() *phrases {
	p := &phrases{of: map[string][]meaning{}, begins: map[string]bool{}, words: map[byte][]lexiconWord{}, titles: map[string]string{}, towns: map[byte][]townWord{},
		beginsPlace: map[string]bool{}, glued: map[string]string{}}
	place := func(name string) {
		if first, _, ok := strings.Cut(directory.Fold(name), " "); ok {
			p.beginsPlace[first] = true
		}
	}
	for short := range shortTown {
		p.beginsPlace[short] = true
	}
	for _, row := range readLexicon() {
		for _, s := range row.phrases {
			p.add(s, row.meaning)
		}
	}
	for _, x := range directory.Tables().Programmes() {
		for _, s := range append([]string{x.Issuer}, x.Synonyms...) {
			if s = directory.Fold(s); strings.Contains(s, " ") && len(p.of[s]) == 0 {
				p.add(s, meaning{kind: "programme", values: []string{x.ID}})
			}
		}
		for _, s := range x.Not { // a look-alike is words
			if s = directory.Fold(s); len(p.of[s]) == 0 {
				p.add(s, meaning{kind: kindOther})
			}
		}
	}
	for _, r := range shippedRows("suffixes.csv") {
		if w := directory.Fold(r[0]); r[1] == "licence" && len(r[0]) >= 3 && len(w) == len(r[0]) && len(p.of[w]) == 0 {
			p.titles[w] = r[0]
		}
	}
	sizes := map[string]int{}
	directory.Tables().EachTown(func(t directory.Place) {
		place(t.City)
		if strings.Contains(t.City, " ") && directory.Tables().TownZIPs(t.City, t.State) >= 4 {
			p.glue(t.City)
		}
		for _, w := range tokens(t.City) {
			if len(w) >= 4 {
				sizes[w] = max(sizes[w], directory.Tables().TownZIPs(t.City, t.State))
			}
		}
	})
	for w, n := range sizes {
		p.towns[w[0]] = append(p.towns[w[0]], townWord{lexiconWord{w, lettersOf(w), false}, n})
	}
	for _, s := range directory.Tables().States() {
		place(s.Name())
		p.glue(s.Name())
		for _, w := range tokens(s.Name()) {
			p.word(w, false)
		}
	}
	for _, list := range p.towns {
		slices.SortFunc(list, func(a, b townWord) int { return cmp.Or(b.zips-a.zips, strings.Compare(a.word, b.word)) })
	}
	for _, list := range p.words {
		slices.SortFunc(list, func(a, b lexiconWord) int { return strings.Compare(a.word, b.word) })
	}
	return p
})

// surnames are the commonest family names, folded. Such a word is somebody before it is a misspelling, and beside a
// given name before it is a town: Sue Anderson, Joy Black.
var surnames = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, r := range shippedRows("surnames.csv") {
		m[r[0]] = true
	}
	return m
})

func (p *phrases) glue(name string) {
	if name = directory.Fold(name); strings.Contains(name, " ") && len(name) > 7 {
		p.glued[strings.ReplaceAll(name, " ", "")] = name
	}
}

func (p *phrases) add(phrase string, m meaning) {
	words := strings.Fields(phrase)
	p.longest = max(p.longest, len(words))
	p.of[phrase] = append(p.of[phrase], m)
	for _, w := range words {
		p.word(w, m.kind == kindFiller && m.values[0] == "")
	}
	if len(words) > 1 {
		p.begins[words[0]] = true
	}
}

func (p *phrases) word(w string, strict bool) {
	if len(w) < 4 {
		return
	}
	list := p.words[w[0]]
	if i := slices.IndexFunc(list, func(x lexiconWord) bool { return x.word == w }); i >= 0 {
		list[i].strict = list[i].strict && strict
		return
	}
	p.words[w[0]] = append(list, lexiconWord{w, lettersOf(w), strict})
}

// nearest returns the word of the lexicon, or of the name of a town with at least so many ZIPs, of which
// the word is the likeliest misspelling; "" when there is none.
func (p *phrases) nearest(w string, zips int) string {
	runes, most := []rune(w), 1
	short := len(runes) == 4 // of which too many words differ in a letter: swapped or left out letters alone, and no town
	if len(runes) >= 8 {
		most = 2
	}
	best, far := "", 2*most+1
	letters := lettersOf(w)
	near := func(l lexiconWord) {
		if bits.OnesCount32(l.letters^letters) > 2*most {
			return
		}
		x := l.word
		d := 2 * editDistance(runes, []rune(x), most)
		if d > far || l.strict && d > 2 {
			return
		}
		same := len(x) == len(w) && sortedLetters(x) == sortedLetters(w)
		if d > 0 && same {
			d-- // the same letters in another order
		}
		if short && !same && len(x) <= len(w) {
			return
		}
		if d < far {
			best, far = x, d
		}
	}
	for _, x := range p.words[w[0]] {
		near(x)
	}
	for i := 0; best == "" && len(w) >= 7 && i < len(sameSound[w[0]]); i++ { // catamine, sycologist
		for _, x := range p.words[sameSound[w[0]][i]] {
			near(x)
		}
	}
	for _, x := range p.towns[w[0]] {
		if short || x.zips < zips {
			break
		}
		if len(runes) == 5 && len(x.word) < len(w) {
			continue // romeo is not Rome
		}
		near(x.lexiconWord)
	}
	return best
}

// sameSound are the letters that a word may begin with instead of one that is heard so.
var sameSound = map[byte]string{'c': "ks", 'k': "c", 's': "cp", 'p': "s", 'f': "p", 'j': "g", 'g': "j", 'n': "k", 'i': "e", 'e': "ia"}

func sortedLetters(s string) string {
	r := []rune(s)
	slices.Sort(r)
	return string(r)
}

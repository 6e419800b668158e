package directory

import "strings"

// This file tells how near two spellings are. The functions take folded words and know nothing of
// matching. The Go modules that offer all of them have no tagged version (domain.md §3.3).

// SoundOf returns a code that names share which sound alike in American English; "" of what has none.
func SoundOf(name string) string { return soundOf(Fold(name)) }

// soundOf returns the NYSIIS code of a folded name: names that sound alike in American English have the
// same one (R. L. Taft, Name Search Techniques, New York State Identification and Intelligence System,
// 1970). It is not cut at six letters. What is no Latin letter is left out; of nothing it is "". Nor has a
// word with a digit a sound: all that differ in their numbers would have one.
func soundOf(folded string) string {
	var buf [48]byte
	b := buf[:0]
	for i := 0; i < len(folded); i++ {
		switch c := folded[i]; {
		case c >= 'a' && c <= 'z':
			b = append(b, c-32)
		case c >= '0' && c <= '9':
			return ""
		}
	}
	if len(b) == 0 {
		return ""
	}
	for _, x := range soundHeads {
		if strings.HasPrefix(string(b), x[0]) {
			copy(b, x[1])
			break
		}
	}
	if n := len(b); n >= 2 {
		switch string(b[n-2:]) {
		case "EE", "IE":
			b = append(b[:n-2], 'Y')
		case "DT", "RT", "RD", "NT", "ND":
			b = append(b[:n-2], 'D')
		}
	}
	var out [48]byte
	key := append(out[:0], b[0])
	at := func(i int) byte {
		if i < len(b) {
			return b[i]
		}
		return ' '
	}
	for i := 1; i < len(b); i++ {
		prev, c, next := b[i-1], b[i], at(i+1)
		switch {
		case c == 'E' && next == 'V':
			b[i], b[i+1] = 'A', 'F'
		case vowel(c):
			b[i] = 'A'
		case c == 'Q':
			b[i] = 'G'
		case c == 'Z':
			b[i] = 'S'
		case c == 'M':
			b[i] = 'N'
		case c == 'K' && next == 'N':
			b[i] = 'N'
		case c == 'K':
			b[i] = 'C'
		case c == 'S' && next == 'C' && at(i+2) == 'H':
			b[i+1], b[i+2] = 'S', 'S'
		case c == 'P' && next == 'H':
			b[i], b[i+1] = 'F', 'F'
		case c == 'H' && (!vowel(prev) || !vowel(next)), c == 'W' && vowel(prev):
			b[i] = prev
		}
		if b[i] != b[i-1] {
			key = append(key, b[i])
		}
	}
	if n := len(key); n > 1 && key[n-1] == 'S' {
		key = key[:n-1]
	}
	if n := len(key); n > 2 && key[n-1] == 'Y' && key[n-2] == 'A' {
		key = append(key[:n-2], 'Y')
	}
	if n := len(key); n > 1 && key[n-1] == 'A' {
		key = key[:n-1]
	}
	return string(key)
}

// soundHeads are the first letters that stand for others.
var soundHeads = [][2]string{{"MAC", "MCC"}, {"KN", "NN"}, {"K", "C"}, {"PH", "FF"}, {"PF", "FF"}, {"SCH", "SSS"}}

func vowel(c byte) bool { return c == 'A' || c == 'E' || c == 'I' || c == 'O' || c == 'U' }

// edits counts the letters to insert, drop, change or swap with their neighbour to turn a into b, each
// letter edited once at most (optimal string alignment, after F. J. Damerau, CACM 7(3), 1964).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// slip says how two words differ by a single stroke of the keyboard.
type slip int

const (
	many    slip = iota // by more than one
	same                // not at all
	swapped             // two neighbours swapped
	dropped             // one letter more or less
	changed             // one letter for another
)

// slipOf compares two words without measuring how far apart they are otherwise.
func slipOf(a, b string) slip {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return many
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch {
	case i == len(b):
		return same
	case len(a) < len(b):
		if a[i:] == b[i+1:] {
			return dropped
		}
	case a[i+1:] == b[i+1:]:
		return changed
	case i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]:
		return swapped
	}
	return many
}

// jaroWinkler returns how alike two words are, from 0 to 1: Jaro's measure, raised by a tenth of what it
// lacks for each of the first four letters that agree (W. E. Winkler, String Comparator Metrics, 1990).
func jaroWinkler(a, b string) float64 {
	var letters [3][48]rune
	var marks [48]bool
	x, y := appendRunes(letters[0][:0], a), appendRunes(letters[1][:0], b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	if len(x) > len(y) {
		x, y = y, x
	}
	window := max(len(y)/2-1, 0)
	taken := append(marks[:0], make([]bool, len(y))...)
	common := letters[2][:0]
	for i, r := range x {
		for j := max(0, i-window); j < min(len(y), i+window+1); j++ {
			if !taken[j] && y[j] == r {
				taken[j] = true
				common = append(common, r)
				break
			}
		}
	}
	if len(common) == 0 {
		return 0
	}
	k, misplaced := 0, 0
	for j, t := range taken {
		if t {
			if y[j] != common[k] {
				misplaced++
			}
			k++
		}
	}
	m := float64(len(common))
	jaro := (m/float64(len(x)) + m/float64(len(y)) + (m-float64(misplaced/2))/m) / 3
	prefix := 0
	for prefix < min(4, len(x)) && x[prefix] == y[prefix] {
		prefix++
	}
	return jaro + 0.1*float64(prefix)*(1-jaro)
}

func appendRunes(to []rune, s string) []rune {
	for _, r := range s {
		to = append(to, r)
	}
	return to
}

package directory

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The codes that dropby.com published for the algorithm, and those that the Apache Commons Codec project
// gives for the same names.
func TestSoundOf(t *testing.T) {
	for name, want := range map[string]string{
		"macintosh": "MCANT", "knuth": "NAT", "koehn": "CAN", "phillipson": "FALAPSAN", "pfeister": "FASTAR", "schoenhoeft": "SANAFT",
		"mckee": "MCY", "mackie": "MCY", "heitschmidt": "HATSNAD", "bart": "BAD", "hurd": "HAD", "hunt": "HAD", "westerlund": "WASTARLAD",
		"casstevens": "CASTAFAN", "vasquez": "VASG", "frazier": "FRASAR", "bowman": "BANAN", "mcknight": "MCNAGT", "rickert": "RACAD",
		"deutsch": "DAT", "westphal": "WASTFAL", "shriver": "SRAVAR", "kuhl": "CAL", "rawson": "RASAN", "jiles": "JAL", "carraway": "CARY",
		"yamada": "YANAD", "brian": "BRAN", "brown": "BRAN", "brun": "BRAN", "dent": "DAD", "schmidt": "SNAD", "smith": "SNAT", "schmit": "SNAT",
		"trueman": "TRANAN", "truman": "TRANAN", "kobwick": "CABWAC", "kocher": "CACAR", "o daniel": "ODANAL", "corey": "CARY", "fuzzy": "FASY",
		"": "", "李": "", "x": "X", "es": "E",
	} {
		if got := soundOf(name); got != want {
			t.Errorf("soundOf(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"kitten", "sitting", 3}, {"saturday", "sunday", 3}, {"ca", "abc", 3}, // 3, not 2: each letter is edited once
		{"a cat", "an act", 2}, {"martha", "marhta", 1}, {"", "abc", 3}, {"ruiz", "ruiz", 0}, {"peña", "pena", 1},
	} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("edits(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestSlipOf(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want slip
	}{
		{"ruiz", "ruiz", same}, {"ruiz", "ruzi", swapped}, {"phillip", "philip", dropped}, {"maria", "mario", changed}, {"ruiz", "holt", many}, {"", "", same}, {"", "a", dropped},
	} {
		if got := slipOf(c.a, c.b); got != c.want {
			t.Errorf("slipOf(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
	word := rapid.StringMatching(`[abc]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, d := slipOf(a, b), edits(a, b); (d == 0) != (got == same) || (d <= 1) != (got != many) {
			t.Fatalf("slipOf(%q, %q) = %d at a distance of %d", a, b, got, d)
		}
	})
}

// Winkler's table (String Comparator Metrics and Enhanced Decision Rules, 1990), to three places.
func TestJaroWinkler(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"shackleford", "shackelford", 0.982}, {"dunningham", "cunnigham", 0.896}, {"nichleson", "nichulson", 0.956}, {"jones", "johnson", 0.832},
		{"massey", "massie", 0.933}, {"abroms", "abrams", 0.922}, {"jeraldine", "geraldine", 0.926}, {"marhta", "martha", 0.961},
		{"michelle", "michael", 0.921}, {"julies", "julius", 0.933}, {"tanya", "tonya", 0.880}, {"dwayne", "duane", 0.840}, {"sean", "susan", 0.805},
		{"jon", "john", 0.933}, {"dixon", "dicksonx", 0.813}, {"ruiz", "ruiz", 1}, {"abc", "xyz", 0}, {"", "a", 0},
	} {
		got, back := jaroWinkler(c.a, c.b), jaroWinkler(c.b, c.a)
		if math.Abs(got-c.want) > 0.0005 || math.Abs(got-back) > 1e-12 {
			t.Errorf("jaroWinkler(%q, %q) = %.4f, back %.4f, want %.3f", c.a, c.b, got, back, c.want)
		}
	}
}

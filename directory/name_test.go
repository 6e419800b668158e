package directory

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseName(t *testing.T) {
	for in, want := range map[string]Name{
		"Jane Doe, PhD, LCSW, PMHNP-BC":          {Given: "Jane", Family: "Doe", Credentials: []string{"PhD", "LCSW", "PMHNP-BC"}},
		"Dr. Ana María O'Neil-Ruiz, L.C.S.W.":    {Given: "Ana", Middle: "María", Family: "O'Neil-Ruiz", Credentials: []string{"LCSW"}},
		"Ruiz, Ana María, LCSW":                  {Given: "Ana", Middle: "María", Family: "Ruiz", Credentials: []string{"LCSW"}},
		"Miguel de la Cruz Jr., LPC":             {Given: "Miguel", Family: "de la Cruz", Suffix: "Jr", Credentials: []string{"LPC"}},
		"Robert Lane, III, MD":                   {Given: "Robert", Family: "Lane", Suffix: "III", Credentials: []string{"MD"}},
		"Sam Roe LMFT":                           {Given: "Sam", Family: "Roe", Credentials: []string{"LMFT"}},
		"Linh Do":                                {Given: "Linh", Family: "Do"},
		"Grace Ma, PsyD":                         {Given: "Grace", Family: "Ma", Credentials: []string{"PsyD"}},
		"Kim Vu, PMHNP BC, Founder and Director": {Given: "Kim", Family: "Vu", Credentials: []string{"PMHNP-BC"}, Other: "Founder and Director"},
		"Jo Bloom, Wizard of Light, LCSW":        {Given: "Jo", Family: "Bloom", Other: "Wizard of Light LCSW"},
		"Cher":                                   {Family: "Cher"},
		"":                                       {},
	} {
		got := ParseName(in)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("ParseName(%q): -want +got\n%s", in, d)
		}
	}
}

// TestPlain holds the quick readings of plain values to the readings of all values.
func TestPlain(t *testing.T) {
	words := []string{"LANE", "O'NEIL-RUIZ", "MCDONALD", "EMCEE", "III", "JR", "2ND", "JOSÉ", "van", "", " ", "\u00a0", "D.", strings.Repeat("X", 60)}
	dates := []string{"01/02/2006", "2006-01-02", "20060102", "02/01/2006", "1/2/2006"}
	rapid.Check(t, func(t *rapid.T) {
		name := strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 4).Draw(t, "words"), " ")
		if got, ok := plainCapitals(name); ok && got != capitals(name) {
			t.Fatalf("plainCapitals(%q) = %q, want %q", name, got, capitals(name))
		}
		day := time.Date(2000, 1, rapid.IntRange(0, 9000).Draw(t, "day"), 0, 0, 0, 0, time.UTC).Format(rapid.SampledFrom(dates).Draw(t, "form"))
		if b := []byte(day); rapid.Bool().Draw(t, "damage") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("0123456789/- x")).Draw(t, "sign")
			day = string(b)
		}
		for _, layout := range dates {
			got, ok := plainDate(day, layout)
			want, err := time.Parse(layout, day)
			if ok && (err != nil || string(got) != want.Format(time.DateOnly)) {
				t.Fatalf("plainDate(%q, %q) = %q, want %v %v", day, layout, got, want, err)
			}
		}
		number := rapid.StringMatching(`[A-Z]{0,4}[0-9]{0,9}[A-Z]?`).Draw(t, "number")
		if got, want := ParseLicenceNumber(number), ParseLicenceNumber(number+"."); got.Key != want.Key || got.Shown != number {
			t.Fatalf("ParseLicenceNumber(%q) = %+v, want the key %q", number, got, want.Key)
		}
	})
	if _, ok := plainCapitals("QUILLFEATHER LANE"); !ok {
		t.Error("a plain name is not read quickly")
	}
	if d, ok := plainDate("03/04/2015", "01/02/2006"); !ok || d != "2015-03-04" {
		t.Error("a plain date is not read quickly", d)
	}
}

func TestNameInCapitals(t *testing.T) {
	for in, want := range map[string]string{
		"MCDONALD": "McDonald", "O'NEIL-RUIZ": "O'Neil-Ruiz", "JOSÉ": "José", "van der Berg": "van der Berg", "LANE III": "Lane III", "MOORE JR": "Moore Jr", "": "",
	} {
		if got := NameInCapitals(in); got != want {
			t.Errorf("NameInCapitals(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"O’Neil-Ruiz": "oneil ruiz", "José  Ángel": "jose angel", "Łukasz": "lukasz", "Straße": "strasse", "St. John": "st john", "": "",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if f := Fold(s); Fold(f) != f {
			t.Fatalf("Fold(%q) = %q is not its own fold: %q", s, f, Fold(f))
		}
		// The short way for ASCII says the same as the long one: a letter behind it makes the text take that.
		plain := rapid.StringOf(rapid.RuneFrom(nil, unicode.Latin, &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x20, Hi: 0x7e, Stride: 1}}}).Filter(func(r rune) bool { return r < 0x80 })).Draw(t, "plain")
		if got, want := Fold(plain), strings.TrimSuffix(Fold(plain+" é"), "e"); got != strings.TrimSuffix(want, " ") {
			t.Fatalf("Fold(%q) = %q, by the long way %q", plain, got, want)
		}
	})
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"Jane Doe, PhD, LCSW", "Ruiz, Ana", "Dr.", ",,,", "A B C D E F, Jr, MD"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := ParseName(s)
		if len(n.String()) > 2*len(s)+8 {
			t.Errorf("%q grew into %q", s, n.String())
		}
	})
}

// What stands behind a name is a suffix, a credential of the lexicon or kept as it was: nothing is lost.
func FuzzParseCredentials(f *testing.F) {
	for _, s := range []string{"PhD, LCSW", "L.C.S.W.; PMHNP BC", "Jr., MD/PhD", "Founder, LCSW", ",;/", "III"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		suffix, credentials, other := ParseCredentials(s)
		if suffix != "" && generations[suffix] == 0 {
			t.Errorf("%q has the suffix %q", s, suffix)
		}
		for i, c := range credentials {
			if _, ok := lexicon().tokens[canonicalToken(c)]; !ok || slices.Contains(credentials[:i], c) {
				t.Errorf("%q has the credential %q", s, c)
			}
		}
		if _, _, again := ParseCredentials(other); !startsWithCredential(other) && again != other { // PA behind another licence is kept, and alone is one
			t.Errorf("of %q is left %q, and of that %q", s, other, again)
		}
		for _, w := range strings.Fields(other) {
			if !strings.Contains(s, w) {
				t.Errorf("%q is not in %q", w, s)
			}
		}
	})
}

// Any two names can be compared, the same both ways, and whoever is not another person shares a block.
func FuzzMatchNames(f *testing.F) {
	f.Add("Ana", "Ruiz-Vega", "A", "Vega")
	f.Add("Maximilianalexa", "Featherstonehaughley", "Maximilianalexander", "Featherstonehaughley-Ruiz")
	f.Add("李", "王", "", "王")
	f.Add("J Robert", "O'Neil Jr", "Robert", "O NEIL")
	f.Fuzz(func(t *testing.T, given, family, given2, family2 string) {
		person := func(g, f string) *Prepared {
			first, middle, _ := strings.Cut(g, " ")
			return Prepare(Subject{Kind: Person, Names: []Name{{Given: first, Middle: middle, Family: f}}, States: []State{"CO"}})
		}
		a, b := person(given, family), person(given2, family2)
		m, back := a.Match(b), b.Match(a)
		if m.Rung != back.Rung || m.Rung > M2 {
			t.Errorf("%+v one way, %+v the other", m, back)
		}
		if m.Rung != M0 && !share(a.Blocks(), b.Blocks()) {
			t.Errorf("%+v, and no block is in both %q and %q", m, a.Blocks(), b.Blocks())
		}
	})
}

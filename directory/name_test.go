package directory

import (
	"testing"

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

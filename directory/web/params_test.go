package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kapdir/directory"
)

func TestParamsRefused(t *testing.T) {
	for _, x := range []struct {
		name, raw, parameter, says string
	}{
		{"unknown, near a known one", "stat=CO", "stat", "Did you mean state?"},
		{"unknown, near another", "telehelth=CO", "telehelth", "telehealth"},
		{"unknown", "utm_source=x", "utm_source", "is not a parameter here."},
		{"unknown and strange", "%3Cscript%3E=1", "query", "name cannot be read"},
		{"case counts", "Q=x", "Q", "Did you mean q?"},
		{"repeated", "q=a&q=b", "q", "once only"},
		{"empty", "q=", "q", "is empty"},
		{"blank", "q=++", "q", "is empty"},
		{"long text", "q=" + strings.Repeat("a", 501), "q", "500 characters"},
		{"very long text", "q=" + strings.Repeat("a", 2001), "q", "too long"},
		{"control character", "q=a%00b", "q", "well-formed"},
		{"line feed", "near=Boulder%0d%0aX", "near", "well-formed"},
		{"broken escape", "q=%zz", "q", "well-formed"},
		{"broken UTF-8", "q=%ff%fe", "q", "well-formed"},
		{"no state", "state=XX", "state", "US state"},
		{"no ZIP", "near=00000", "near", "ZIP code"},
		{"no town", "near=Atlantis%2C+CO", "near", "Colorado"},
		{"a whole state", "near=New+Hampshire", "near", "whole state"},
		{"a state's code", "near=CO", "near", "whole state"},
		{"radius without near", "radius=10", "radius", "give near"},
		{"radius zero", "near=80302&radius=0", "radius", "1 to 500"},
		{"radius too wide", "near=80302&radius=501", "radius", "1 to 500"},
		{"radius with unit", "near=80302&radius=10mi", "radius", "without a unit"},
		{"radius with sign", "near=80302&radius=%2B10", "radius", "1 to 500"},
		{"radius with zeros", "near=80302&radius=010", "radius", "1 to 500"},
		{"distance without near", "sort=distance", "sort", "give near"},
		{"sort", "sort=stars", "sort", "relevance, distance, price or checked"},
		{"care", "care=good", "care", "full_kap"},
		{"check", "check=license", "check", "colon"},
		{"check result", "check=license:great", "check", "colon"},
		{"language", "language=%3Cb%3E", "language", "listed"},
		{"price", "price_max=12.50", "price_max", "whole dollars"},
		{"price below", "price_max=-1", "price_max", "whole dollars"},
		{"limit", "limit=51", "limit", "1 to 50"},
		{"limit none", "limit=0", "limit", "1 to 50"},
		{"cursor", "cursor=a/b", "cursor", "not a cursor"},
		{"a day that is none", "at=2026-02-30", "at", "first moment in UTC"},
		{"a local time", "at=2026-03-03T09:00:00", "at", "first moment in UTC"},
		{"a year long ago", "at=0001-01-01", "at", "1900"},
		{"known is of providers alone", "known=2026-03-03", "known", "not a parameter"},
		{"too many", strings.Repeat("route=oral&", 70), "query", "too many"},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, bad := parse(x.raw, searchParams, false)
			if len(bad) == 0 {
				t.Fatal("it was taken")
			}
			if got := bad[0]; got.Parameter != x.parameter || !strings.Contains(got.Detail, x.says) {
				t.Errorf("got %+v, want %s … %s", got, x.parameter, x.says)
			}
		})
	}
}

func TestParamsRead(t *testing.T) {
	place := func(zip, city string, st directory.State) *directory.Place {
		return &directory.Place{ZIP: zip, City: city, State: st}
	}
	for _, x := range []struct {
		raw  string
		form bool
		want ask
	}{
		{"", false, ask{Sort: relevance}},
		{"q=+trauma++therapist+", false, ask{Text: "trauma therapist", Sort: relevance}},
		{"state=colorado", false, ask{State: "CO", Sort: relevance}},
		{"near=80302", false, ask{NearText: "80302", Near: place("80302", "Boulder", "CO"), Miles: 50, Sort: relevance}},
		{"near=80302-1234&radius=5&sort=distance", false, ask{NearText: "80302-1234", Near: place("80302", "Boulder", "CO"), Miles: 5, Sort: distance}},
		{"near=Boulder%2C+CO", false, ask{NearText: "Boulder, CO", Near: place("", "Boulder", "CO"), Miles: 50, Sort: relevance}},
		{"near=boulder+co", false, ask{NearText: "boulder co", Near: place("", "Boulder", "CO"), Miles: 50, Sort: relevance}},
		{"near=Boulder%2C+CO+80302", false, ask{NearText: "Boulder, CO 80302", Near: place("80302", "Boulder", "CO"), Miles: 50, Sort: relevance}},
		{"near=Santa+Fe%2C+New+Mexico", false, ask{NearText: "Santa Fe, New Mexico", Near: place("", "Santa Fe", "NM"), Miles: 50, Sort: relevance}},
		{"near=New+York", false, ask{NearText: "New York", Near: place("", "New York", "NY"), Miles: 50, Sort: relevance}},
		{"near=Portland&state=ME", false, ask{NearText: "Portland", State: "ME", Near: place("", "Portland", "ME"), Miles: 50, Sort: relevance}},
		{"care=full_kap&care=unknown&care=full_kap&route=oral", false, ask{Filters: map[string][]string{"care": {"full_kap", "unknown"}, "route": {"oral"}}, Sort: relevance}},
		{"check=license:confirmed&price_max=800&limit=5&telehealth=TX", false,
			ask{Filters: map[string][]string{"check": {"license:confirmed"}}, PriceMax: 800, Limit: 5, Telehealth: "TX", Sort: relevance}},
		{"q=&near=&radius=50&state=&telehealth=&price_max=&sort=relevance", true, ask{Sort: relevance}},
		{"q=&sort=distance&radius=10", true, ask{Sort: relevance}},
		{"at=2026-03-03", false, ask{At: "2026-03-03T00:00:00.000Z", Sort: relevance}},
		{"at=2026-03-03T09:00:00.1234%2B01:00", false, ask{At: "2026-03-03T08:00:00.123Z", Sort: relevance}},
		{"at=", true, ask{Sort: relevance}},
		{"q=&q=a", true, ask{Text: "a", Sort: relevance}},
	} {
		got, bad := parse(x.raw, searchParams, x.form)
		if len(bad) > 0 {
			t.Errorf("%q: %v", x.raw, bad)
			continue
		}
		if d := cmp.Diff(x.want, got, cmpopts.IgnoreFields(directory.Place{}, "Point", "Exact"), cmpopts.IgnoreFields(ask{}, "NearOthers"), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%q (-want +got):\n%s", x.raw, d)
		}
	}
}

func TestTownOfManyStates(t *testing.T) {
	a, bad := parse("near=Springfield", searchParams, false)
	if len(bad) > 0 || a.Near == nil || a.NearOthers < 5 {
		t.Errorf("%+v %v: it should say that other states have a Springfield", a, bad)
	}
}

// Moments are read as they are written, in whatever form, and never in one that sorts wrongly.
func FuzzMoments(f *testing.F) {
	for _, s := range []string{"at=2026-03-03", "at=2026-03-03T09:00:00Z&known=2026-03-04T00:00:00.001Z", "at=2026-03-03T09:00:00%2B02:00", "at=0001-01-01", "at=9999-12-31T23:59:59-23:59",
		"known=1900-01-01&state=CO", "at=2026-02-29", "at=2024-02-29T23:59:60Z", "at=", "at=%00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, bad := parse(raw, providerParams, false)
		for _, e := range bad {
			if e.Parameter == "" || e.Detail == "" || strings.ContainsAny(e.Parameter, "<>&\"' \r\n\x00") {
				t.Fatalf("%q: a useless or unclean complaint: %+v", raw, e)
			}
		}
		if len(bad) > 0 {
			return
		}
		for _, i := range []directory.Instant{a.At, a.Known} {
			if i != "" && (len(i) != len(directory.InstantFormat) || directory.At(i.Time()) != i || i < "1900-01-01T00:00:00.000Z") {
				t.Fatalf("%q gives the moment %q", raw, i)
			}
		}
		if again, bad := parse(a.encode(), providerParams, false); len(bad) > 0 || cmp.Diff(a, again, cmpopts.EquateEmpty()) != "" {
			t.Fatalf("%q does not survive being written as %q: %v", raw, a.encode(), bad)
		}
	})
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{"", "q=a&state=CO", "near=80302&radius=10&sort=distance", "care=full_kap&care=x", "q=%ff", "check=license:confirmed", "a=b&&=", "near=Boulder,CO",
		"q=suicid%C3%A0&language=haitian+creole&price_max=1", "cursor=abc&limit=50", "facets=none&facets=care&explain=true", "near=%F0%9F%8D%84,%20CO"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, form := range []bool{true, false} {
			a, bad := parse(raw, apiSearchParams, form)
			for _, e := range bad {
				if e.Parameter == "" || e.Detail == "" || !utf8.ValidString(e.Parameter+e.Detail) || strings.ContainsAny(e.Parameter, "<>&\"' \r\n\x00") {
					t.Fatalf("%q: a useless or unclean complaint: %+v", raw, e)
				}
			}
			if len(bad) > 0 {
				continue
			}
			again, bad := parse(a.encode(), apiSearchParams, false)
			if len(bad) > 0 {
				t.Fatalf("%q was taken and %q is not: %v", raw, a.encode(), bad)
			}
			if d := cmp.Diff(a, again, cmpopts.EquateEmpty()); d != "" || (a.Facets == nil) != (again.Facets == nil) {
				t.Fatalf("%q does not survive being written as %q:\n%s", raw, a.encode(), d)
			}
			if _, err := url.ParseQuery(a.encode()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Whatever the search page can be asked, the API can be asked by the same name: every field of its forms and every
// parameter in its links is one of the API's.
func TestThePageAsksNothingThatTheAPICannot(t *testing.T) {
	s := demoServer(t)
	seen := map[string]bool{}
	for _, target := range []string{"/", "/?q=who+can+see+me+in+Colorado&near=80302&radius=100", "/?q=trauma+no+iv&state=CO&limit=5&sort=checked", "/?q=nobody+zzqx&can_see=TX&price_max=300&video=yes", "/?at=2026-11-01&telehealth=TX&check=license:confirmed"} {
		d := dom(t, get(t, s, target))
		d.Find(`#search [name], [form="search"][name]`).Each(func(_ int, x *goquery.Selection) { seen[x.AttrOr("name", "")] = true })
		d.Find(`main a[href^="/?"]`).Each(func(_ int, x *goquery.Selection) {
			u, err := url.Parse(x.AttrOr("href", ""))
			if err != nil {
				t.Fatal(err)
			}
			for name := range u.Query() {
				seen[name] = true
			}
		})
	}
	for name := range seen {
		if !slices.ContainsFunc(apiSearchParams, func(p param) bool { return p.name == name }) {
			t.Errorf("the page can be asked for %s, and the API cannot", name)
		}
	}
	for _, p := range searchParams {
		if !slices.ContainsFunc(apiSearchParams, func(x param) bool { return x.name == p.name }) {
			t.Errorf("the page reads %s, and the API does not", p.name)
		}
	}
	for _, name := range []string{"q", "state", "near", "radius", "can_see", "sort", "lift", "words", "cursor", "at", "care", "check"} {
		if !seen[name] {
			t.Errorf("no form and no link of the page asks for %s: the test tests too little", name)
		}
	}
}

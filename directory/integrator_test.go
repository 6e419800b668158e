package directory

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseWebOrigin(t *testing.T) {
	for in, want := range map[string]WebOrigin{
		"https://clinic.example":                           "https://clinic.example",
		"https://Clinic.Example":                           "https://clinic.example",
		"https://www.clinic.example:8443":                  "https://www.clinic.example:8443",
		"https://clinic.example:443":                       "https://clinic.example", // as a browser sends it
		"https://xn--bcher-kva.example":                    "https://xn--bcher-kva.example",
		"http://localhost":                                 "http://localhost",
		"http://localhost:8000":                            "http://localhost:8000",
		"http://localhost:80":                              "http://localhost",
		"https://localhost:8443":                           "https://localhost:8443",
		"":                                                 "",
		"*":                                                "",
		"null":                                             "",
		"clinic.example":                                   "",
		"https://":                                         "",
		"https://clinic":                                   "",
		"https://*.clinic.example":                         "",
		"https://clinic.example/":                          "",
		"https://clinic.example/page":                      "",
		"https://clinic.example?":                          "",
		"https://clinic.example#":                          "",
		"https://clinic.example:":                          "",
		"https://clinic.example:0":                         "",
		"https://clinic.example:080":                       "",
		"https://clinic.example:65536":                     "",
		"https://me@clinic.example":                        "",
		"https://clinic.example.":                          "",
		"https://bücher.example":                           "",
		"https://127.0.0.1":                                "",
		"https://[::1]":                                    "",
		"https://2130706433":                               "",
		"http://clinic.example":                            "",
		"http://localhost.clinic.example":                  "",
		"http://127.0.0.1:8000":                            "",
		"ftp://clinic.example":                             "",
		"javascript:alert(1)":                              "",
		"//clinic.example":                                 "",
		"https://clinic.example ":                          "",
		" https://clinic.example":                          "",
		"https://clinic.example\n":                         "",
		"https://a.example https://b.example":              "",
		"https://" + strings.Repeat("a.", 130) + "example": "",
	} {
		got, err := ParseWebOrigin(in)
		if got != want || (err == nil) != (want != "") || err != nil && KindOf(err) != Invalid {
			t.Errorf("%q: %q %v, want %q", in, got, err, want)
		}
	}
}

// What is taken is in one form, is no more than scheme, host and port, and cannot end a header or a policy early.
func FuzzParseWebOrigin(f *testing.F) {
	for _, s := range []string{"https://clinic.example", "https://clinic.example:8443", "http://localhost:8000", "https://me@clinic.example", "https://clinic.example;x", "https://[::1]:8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := ParseWebOrigin(s)
		if err != nil {
			return
		}
		if again, err := ParseWebOrigin(string(o)); again != o || err != nil {
			t.Fatalf("%q is %q, and that is %q %v", s, o, again, err)
		}
		u, err := url.Parse(string(o))
		if err != nil || u.Scheme+"://"+u.Host != string(o) || strings.ContainsAny(string(o), " ;,'\"*\r\n\t\\") {
			t.Fatalf("%q is %q: %v", s, o, err)
		}
	})
}

func TestParseScopes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []Scope
		asked := rapid.SliceOf(rapid.SampledFrom(Scopes)).Draw(t, "asked")
		var words []string
		for _, x := range asked {
			words = append(words, string(x.Scope))
		}
		for _, x := range Scopes {
			if slices.Contains(words, string(x.Scope)) {
				want = append(want, x.Scope)
			}
		}
		got, err := ParseScopes(strings.Join(words, rapid.SampledFrom([]string{" ", ",", ", "}).Draw(t, "between")))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%v: %v %v", words, got, err)
		}
		if again, err := ParseScopes(JoinScopes(got)); err != nil || !slices.Equal(again, got) {
			t.Fatalf("%v read again: %v %v", got, again, err)
		}
	})
	for _, bad := range []string{"write", "read write", "READ", "read;export", "*"} {
		if _, err := ParseScopes(bad); KindOf(err) != Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What is written is read again, nothing near to it is, and no error repeats it.
func TestKeyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id, secret := NewID(KeyPrefix, "2026-11-20T09:00:00.000Z"), NewKeySecret()
		text := KeyText(id, secret)
		if gotID, got, err := ParseKeyText(text); gotID != id || got != secret || err != nil || len(secret) != 52 {
			t.Fatalf("%s: %s %s %v", text, gotID, got, err)
		}
		i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		sign := rapid.SampledFrom([]string{"", "A", "u", "_", "-", ".", " ", "\x00", "é", "00"}).Draw(t, "sign")
		bad := text[:i] + sign + text[i+1:]
		if bad == text {
			return
		}
		if _, _, err := ParseKeyText(bad); err == nil || strings.Contains(err.Error(), secret[:20]) {
			t.Fatalf("%q is read as a key: %v", bad, err)
		}
	})
	if one, other := NewKeySecret(), NewKeySecret(); one == other {
		t.Error("two secrets are the same")
	}
}

func FuzzParseKeyText(f *testing.F) {
	f.Add(KeyText("key_00000000000000000000000009", NewKeySecret()))
	f.Add("kap_live_")
	f.Add("key_00000000000000000000000009.secret")
	f.Fuzz(func(t *testing.T, s string) {
		if id, secret, err := ParseKeyText(s); err == nil && KeyText(id, secret) != s {
			t.Fatalf("%q is read as %s", s, KeyText(id, secret))
		}
	})
}

// A valid one of each, and one thing broken.
func TestIntegratorsValidate(t *testing.T) {
	integrator := Integrator{ID: "acme", Name: "Acme Health", Contact: "dev@acme.example", Origins: []WebOrigin{"https://acme.example"}, State: IntegratorActive}
	for what, change := range map[string]func(*Integrator){
		"":                      func(*Integrator) {},
		"no id":                 func(x *Integrator) { x.ID = "" },
		"a capital":             func(x *Integrator) { x.ID = "Acme" },
		"no name":               func(x *Integrator) { x.Name = "" },
		"two lines":             func(x *Integrator) { x.Name = "Acme\nHealth" },
		"a long name":           func(x *Integrator) { x.Name = strings.Repeat("é", 101) },
		"an SSN":                func(x *Integrator) { x.Contact = "123-45-6789" },
		"bytes":                 func(x *Integrator) { x.Name = "Acme\xff" },
		"another state":         func(x *Integrator) { x.State = "paused" },
		"an origin twice":       func(x *Integrator) { x.Origins = []WebOrigin{"https://acme.example", "https://acme.example"} },
		"an origin with a path": func(x *Integrator) { x.Origins = []WebOrigin{"https://acme.example/"} },
		"an origin not as sent": func(x *Integrator) { x.Origins = []WebOrigin{"https://acme.example:443"} },
		"many origins": func(x *Integrator) {
			x.Origins = nil
			for i := range MostOrigins + 1 {
				x.Origins = append(x.Origins, WebOrigin("https://"+strings.Repeat("a", i+1)+".example"))
			}
		},
	} {
		x := integrator
		change(&x)
		if err := x.Validate(); (err == nil) != (what == "") {
			t.Errorf("%q: %v", what, err)
		}
	}
	at := Instant("2026-11-20T09:00:00.000Z")
	key := APIKey{ID: NewID(KeyPrefix, at), Integrator: "acme", Name: "site", Scopes: []Scope{ScopeRead, ScopeExport}, PerMinute: 600, Created: at, Expires: at.AddDays(365)}
	for what, change := range map[string]func(*APIKey){
		"":                   func(*APIKey) {},
		"another id":         func(k *APIKey) { k.ID = NewID(EmbedPrefix, at) },
		"nobody's":           func(k *APIKey) { k.Integrator = "" },
		"no name":            func(k *APIKey) { k.Name = "" },
		"no scope":           func(k *APIKey) { k.Scopes = nil },
		"another scope":      func(k *APIKey) { k.Scopes = []Scope{"write"} },
		"scopes in disorder": func(k *APIKey) { k.Scopes = []Scope{ScopeExport, ScopeRead} },
		"no limit":           func(k *APIKey) { k.PerMinute = 0 },
		"too high a limit":   func(k *APIKey) { k.PerMinute = MostPerMinute + 1 },
		"run out":            func(k *APIKey) { k.Expires = at },
		"good for too long":  func(k *APIKey) { k.Expires = at.AddDays(731) },
	} {
		k := key
		change(&k)
		if err := k.Validate(); (err == nil) != (what == "") {
			t.Errorf("%q: %v", what, err)
		}
	}
	results := Embed{ID: NewID(EmbedPrefix, at), Integrator: "acme", Name: "near you", Kind: EmbedResults, Doc: EmbedDoc{Query: "state=CA", Theme: "auto", Language: "es"}}
	provider := results
	provider.Kind, provider.Doc.Query, provider.Doc.Provider = EmbedProvider, "", NewID(ProviderPrefix, at)
	for what, x := range map[string]struct {
		of     Embed
		change func(*Embed)
	}{
		"results":                  {results, nil},
		"everybody":                {results, func(e *Embed) { e.Doc.Query = "" }},
		"one provider":             {provider, nil},
		"bad: another id":          {results, func(e *Embed) { e.ID = key.ID }},
		"bad: another kind":        {results, func(e *Embed) { e.Kind = "map" }},
		"bad: results of one":      {results, func(e *Embed) { e.Doc.Provider = provider.Doc.Provider }},
		"bad: a provider by words": {provider, func(e *Embed) { e.Doc.Query = "state=CA" }},
		"bad: nobody":              {provider, func(e *Embed) { e.Doc.Provider = "" }},
		"bad: another theme":       {results, func(e *Embed) { e.Doc.Theme = "red" }},
		"bad: another language":    {results, func(e *Embed) { e.Doc.Language = "fr" }},
		"bad: no name":             {results, func(e *Embed) { e.Name = "" }},
		"bad: a long question":     {results, func(e *Embed) { e.Doc.Query = strings.Repeat("q", 1001) }},
	} {
		e := x.of
		if x.change != nil {
			x.change(&e)
		}
		if err := e.Validate(); (err != nil) != strings.HasPrefix(what, "bad") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A key says in a word what becomes of it, and is good exactly while that word says so.
func TestStateOfAPIKey(t *testing.T) {
	at := Instant("2026-11-20T09:00:00.000Z")
	for _, x := range []struct {
		key  APIKey
		want string
	}{
		{APIKey{}, "active"},
		{APIKey{Expires: at.Add(1e6)}, "active"},
		{APIKey{Expires: at}, "expired"},
		{APIKey{Ended: at}, "ended"},
		{APIKey{Ended: at, Expires: at}, "ended"},
		{APIKey{Ended: at.Add(1e6), ReplacedBy: "key_x"}, "replaced"},
		{APIKey{Ended: at, ReplacedBy: "key_x"}, "ended"},
		{APIKey{Ended: at.Add(1e6), Expires: at, ReplacedBy: "key_x"}, "expired"},
	} {
		if got := x.key.State(at); got != x.want || x.key.Live(at) != (got == "active" || got == "replaced") {
			t.Errorf("%+v: %s, live %v, want %s", x.key, got, x.key.Live(at), x.want)
		}
	}
}

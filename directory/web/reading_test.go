package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

func asking(q string, more ...string) string {
	v := url.Values{"q": {q}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Add(more[i], more[i+1])
	}
	return "/?" + v.Encode()
}

// follow gets the page that the first link with the text leads to.
func follow(t *testing.T, s *Server, d *goquery.Document, selector, words string) *goquery.Document {
	t.Helper()
	link := d.Find(selector).FilterFunction(func(_ int, x *goquery.Selection) bool { return strings.Contains(text(x.Text()), words) }).First()
	href, ok := link.Attr("href")
	if !ok {
		t.Fatalf("no link %s with %q", selector, words)
	}
	r := get(t, s, href)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d", href, r.StatusCode)
	}
	return page200(t, s, href)
}

func page200(t *testing.T, s *Server, target string) *goquery.Document {
	t.Helper()
	r := get(t, s, target)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d", target, r.StatusCode)
	}
	d, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func chipsOf(d *goquery.Document) []string {
	return d.Find(".reading .chips a").Map(func(_ int, x *goquery.Selection) string {
		return strings.TrimSuffix(strings.TrimPrefix(text(x.Text()), "Remove: "), " ×")
	})
}

// What was read is taken away, put back and searched for as words by links alone.
func TestReadingIsTakenBackByLinks(t *testing.T) {
	s := demoServer(t)
	d := page200(t, s, asking("trauma therapist washington under $900"))
	all := []string{"Trauma and PTSD, as stated by the provider", "In Washington, or by video there", "Medicine session up to $900"}
	if got := chipsOf(d); !slices.Equal(got, all) {
		t.Fatalf("chips %q", got)
	}
	if v, _ := d.Find("#f-q").Attr("value"); v != "trauma therapist washington under $900" {
		t.Errorf("the text is not as typed: %q", v)
	}
	if !strings.Contains(text(d.Find(".reading .how").Text()), "Read as the state of Washington") {
		t.Error("how Washington was read is not said")
	}
	less := follow(t, s, d, ".reading .chips a", "In Washington")
	if got := chipsOf(less); !slices.Equal(got, []string{all[0], all[2]}) {
		t.Errorf("one taken away: %q", got)
	}
	if v, _ := less.Find(`form#search input[name="lift"]`).Attr("value"); v != "state:WA" {
		t.Errorf("the form forgets what was taken away: %q", v)
	}
	if got := chipsOf(follow(t, s, less, ".reading .how a", "Put it back")); !slices.Equal(got, all) {
		t.Errorf("put back: %q", got)
	}
	words := follow(t, s, d, ".reading .how a", "Look for the words instead")
	if got := chipsOf(words); !slices.Equal(got, []string{all[0], all[2]}) || !strings.Contains(text(words.Find(".reading").Text()), "Searched for as words: In Washington") {
		t.Errorf("as words: %q %s", got, text(words.Find(".reading").Text()))
	}
	plain := follow(t, s, d, ".reading .how a", "exactly these words")
	if got := chipsOf(plain); len(got) != 0 {
		t.Errorf("exactly these words: %q", got)
	}
	if got := chipsOf(follow(t, s, plain, ".reading .how a", "Read them")); !slices.Equal(got, all) {
		t.Errorf("read again: %q", got)
	}
	// A filter that the words ask for is no box to tick, and its link takes it away.
	if d.Find(`.group input[name="focus"][value="trauma"]`).Length() != 0 || d.Find(".group .asked a").Length() != 1 {
		t.Error("the filter of the words is a box, or cannot be taken away beside the boxes")
	}
}

func TestNobodyFoundSaysWhatToLift(t *testing.T) {
	s := demoServer(t)
	d := page200(t, s, asking("trauma near boulder under $5"))
	if d.Find("ol.cards li").Length() != 0 {
		t.Fatal("somebody was found")
	}
	advice := d.Find(".empty li a").First()
	label := text(advice.Text())
	got := follow(t, s, d, ".empty li a", "Medicine session up to $5")
	if n := text(got.Find("#results").Text()); !strings.HasPrefix(label, "Without “Medicine session up to $5”: ") || !strings.HasPrefix(n, strings.TrimPrefix(label, "Without “Medicine session up to $5”: ")) {
		t.Errorf("%q leads to %q", label, n)
	}
	for target, want := range map[string]string{
		asking("therapist near me"):            "give a ZIP code or a town",
		asking("takes aetna in denver"):        "asks for nothing here",
		asking("amara witcombe"):               "Did you mean",
		asking("who can see me in Colorado"):   "What is not shown is not a no",
		asking("zzyzx trauma denver"):          "“zzyzx”",
		asking("no iv denver"):                 "say no to this",
		asking("trauma", "words", "all"):       "searched for as they stand",
		asking("ketamin for ptds near bolder"): "“ptds” was read as",
	} {
		if got := text(page200(t, s, target).Find(".reading").Text()); !strings.Contains(got, want) {
			t.Errorf("%s: %q is not said: %s", target, want, got)
		}
	}
}

// What the words ask for and the directory cannot answer is told, in both languages, and leaves nobody out; sessions
// by video in a state find whoever states them.
func TestWordsNotAskedForAreTold(t *testing.T) {
	s := demoServer(t)
	all := decode[searchAnswer](t, get(t, s, "/api/v1/providers")).Total
	for _, q := range []string{"over $2000", "$0", "5 stars", "open saturday"} {
		a := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q="+url.QueryEscape(q)))
		if a.Total != all || len(a.Understood) != 1 || a.Understood[0].Filter || a.Understood[0].Note == "" {
			t.Errorf("%q finds %d of %d and is read as %+v", q, a.Total, all, a.Understood)
		}
		for _, l := range languages {
			d := dom(t, get(t, s, l.To("/?q="+url.QueryEscape(q))))
			if told := text(d.Find(".reading .how").Text()); !strings.Contains(told, l.t("note."+a.Understood[0].Note)) && !strings.Contains(told, a.Understood[0].Note) {
				t.Errorf("%s: of %q is told %q", l.Code, q, told)
			}
			if l == spanish {
				if told := text(d.Find(".reading .how").Text()); strings.Contains(told, a.Understood[0].Note) {
					t.Errorf("of %q is told in English: %q", q, told)
				}
			}
		}
	}
	ranged := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q="+url.QueryEscape("$500-1500")))
	if len(ranged.Understood) != 1 || ranged.Understood[0].Note == "" || !slices.Equal(ranged.Understood[0].Values, []string{"1500"}) {
		t.Errorf("a range is read as %+v", ranged.Understood)
	}
	video := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q=telehealth+texas"))
	if video.Total == 0 || video.ChecksFor == nil || *video.ChecksFor != "TX" || strings.Contains(mustJSON(t, video.Understood), "can_see") {
		t.Errorf("telehealth texas finds %d, for %v, read as %+v", video.Total, video.ChecksFor, video.Understood)
	}
	for _, r := range video.Results {
		if r.Telehealth == nil || !slices.Contains(r.Telehealth.States, "TX") {
			t.Errorf("%s states no sessions by video in Texas: %+v", r.Name, r.Telehealth)
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := encodeJSON(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// On Spanish pages suggestions are Spanish, found by Spanish words, and each is read as what it stands for.
func TestSuggestionsInSpanish(t *testing.T) {
	s := demoServer(t)
	ask := func(q, lang string) []suggestion {
		return decode[struct{ Suggestions []suggestion }](t, get(t, s, "/api/v1/suggest?q="+url.QueryEscape(q)+"&lang="+lang)).Suggestions
	}
	asked := 0
	for kind, values := range map[string][]string{"focus": directory.Vocabulary["focus"], "framework": directory.Vocabulary["framework"], "state": {"NM", "CA", "PA", "TX", "NC"}} {
		for _, v := range values {
			label := spanish.suggestion(kind, v)
			if v == "other" {
				continue
			}
			asked++
			begin := []rune(label)
			found := ask(string(begin[:min(len(begin), 8)]), "es")
			i := slices.IndexFunc(found, func(x suggestion) bool { return x.Kind == kind && x.Value == v })
			if i < 0 || found[i].Text != label {
				t.Errorf("%q does not suggest %s as %q: %+v", string(begin[:min(len(begin), 8)]), v, label, found)
				continue
			}
			a := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q="+url.QueryEscape(label)))
			if !slices.ContainsFunc(a.Understood, func(u understood) bool { return u.Kind == kind && slices.Contains(u.Values, v) }) {
				t.Errorf("%q is read as %+v", label, a.Understood)
			}
		}
	}
	if asked < 15 {
		t.Errorf("%d were asked", asked)
	}
	if en, es := ask("trau", "en"), ask("trau", "es"); len(en) == 0 || len(es) == 0 || en[0].Text == es[0].Text || en[0].Count != es[0].Count {
		t.Errorf("%+v and in Spanish %+v", en, es)
	}
	if r := get(t, s, "/api/v1/suggest?q=tr&lang=fr"); r.StatusCode != 400 {
		t.Errorf("a language that there is not: %d", r.StatusCode)
	}
}

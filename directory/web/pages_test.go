package web

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
	"kapdir/search"
)

func dom(t testing.TB, r reply) *goquery.Document {
	t.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// wellMade checks what every page has: landmarks, one h1, a skip link, names for controls, 988, the notices.
func wellMade(t testing.TB, target string, d *goquery.Document) {
	t.Helper()
	count := func(selector string, want int) {
		if got := d.Find(selector).Length(); got != want {
			t.Errorf("%s: %d of %s, want %d", target, got, selector, want)
		}
	}
	count("h1", 1)
	count("main#main", 1)
	count("body > header", 1)
	count("body > footer", 1)
	count("header nav[aria-label]", 1)
	l := english
	if strings.HasPrefix(target, spanish.prefix+"/") {
		l = spanish
	}
	count("html[lang="+l.Code+"]", 1)
	count("head > title", 1)
	count("aside.demo", 1)
	count("script:not([src]):not([type='application/ld+json'])", 0)
	count("style", 0)
	count("[style]", 0)
	count("img", 0)
	count("iframe", 0)
	if href, _ := d.Find("body a").First().Attr("href"); href != "#main" {
		t.Errorf("%s: the first link is %q, not the skip link", target, href)
	}
	foot := text(d.Find("footer").Text())
	for _, need := range map[*lang][]string{english: {"988", "911", "not medical advice", "Records change", "not FDA-approved for psychiatric disorders", "GeoNames", "Sources and their terms"},
		spanish: {"988", "911", "no es consejo médico", "Los registros cambian", "no está aprobada por la FDA para trastornos psiquiátricos", "GeoNames", "Las fuentes y sus condiciones"}}[l] {
		if !strings.Contains(foot, need) {
			t.Errorf("%s: the footer lacks %q", target, need)
		}
	}
	banner := map[*lang][]string{english: {"invented", "16 Nov 2026"}, spanish: {"inventados", "16 de noviembre de 2026"}}[l]
	if said := text(d.Find("aside.demo").Text()); !strings.Contains(said, banner[0]) || !strings.Contains(said, banner[1]) {
		t.Errorf("%s: the banner does not say that its people are invented, and when", target)
	}
	ids := map[string]bool{}
	d.Find("[id]").Each(func(_ int, e *goquery.Selection) {
		id, _ := e.Attr("id")
		if ids[id] {
			t.Errorf("%s: two elements have the id %s", target, id)
		}
		ids[id] = true
	})
	d.Find("[aria-labelledby], [aria-describedby]").Each(func(_ int, e *goquery.Selection) {
		for _, a := range []string{"aria-labelledby", "aria-describedby"} {
			v, _ := e.Attr(a)
			for _, id := range strings.Fields(v) {
				if !ids[id] {
					t.Errorf("%s: %s names %s, which is not there", target, a, id)
				}
			}
		}
	})
	d.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, e *goquery.Selection) {
		id, _ := e.Attr("id")
		if e.ParentsFiltered("label").Length() == 0 && d.Find(`label[for="`+id+`"]`).Length() != 1 {
			t.Errorf("%s: a control %q has no label", target, id)
		}
	})
	level := 0
	d.Find("h1, h2, h3, h4").Each(func(_ int, e *goquery.Selection) {
		n := int(goquery.NodeName(e)[1] - '0')
		if n > level+1 {
			t.Errorf("%s: heading %q skips a level", target, text(e.Text()))
		}
		level = n
	})
	d.Find("a[href]").Each(func(_ int, e *goquery.Selection) {
		href, _ := e.Attr("href")
		if text(e.Text()) == "" {
			t.Errorf("%s: a link to %s has no words", target, href)
		}
		if strings.HasPrefix(href, "http") && !strings.Contains(e.AttrOr("rel", ""), "noreferrer") {
			t.Errorf("%s: the link to %s tells where it comes from", target, href)
		}
		if strings.Contains(href, "ZgotmplZ") {
			t.Errorf("%s: an address was refused by the template", target)
		}
	})
	body := allowedPhrases.Replace(text(d.Find("body").Text()))
	if w := forbidden.FindString(body); w != "" {
		i := strings.Index(body, w)
		t.Errorf("%s says %q: …%s…", target, w, body[max(0, i-60):min(len(body), i+60)])
	}
}

func TestPagesAreWellMade(t *testing.T) {
	s := demoServer(t)
	for _, target := range []string{"/", "/?q=trauma&near=80302&care=full_kap&check=license:confirmed&price_max=2000", "/?q=zzzzqqqq", "/?near=nowhere", "/?q=suicide",
		"/about/how-we-check", "/sources", "/no/such/page", pageOf(idOf(t, "Amara Whitcomb")), pageOf(idOf(t, "Amara Whitcomb")) + "/report", pageOf(idOf(t, "Amara Whitcomb")) + "/cost", "/cost", "/cost?medicine=x&share=200", "/compare", "/compare?ids=" + string(idOf(t, "Amara Whitcomb")) + "," + string(idOf(t, "Garrick Thole")) + "&q=denver", pageOf(idOf(t, "Garrick Thole")), pageOf(idOf(t, "Wren Abernathy"))} {
		wellMade(t, spanish.To(target), dom(t, get(t, s, spanish.To(target))))
		wellMade(t, target, dom(t, get(t, s, target)))
	}
}

// Every provider's page and JSON are clean, and say the same.
func TestEveryProviderPage(t *testing.T) {
	s := demoServer(t)
	for _, id := range everybody(t) {
		p := decode[provider](t, get(t, s, api(id)))
		r := get(t, s, pageOf(id))
		if r.StatusCode != 200 {
			t.Fatalf("%s: %d", id, r.StatusCode)
		}
		d := dom(t, r)
		wellMade(t, pageOf(id), d)
		body := text(d.Find("main").Text())
		if lead, kap := text(d.Find(".who .lead").Text()), english.t("provider.as.listing"); p.ListedAs == directory.AsKAP && strings.HasPrefix(lead, kap) == p.Infusion() {
			t.Errorf("%s: %q stands below the name, and the kind of care is %s", id, lead, p.Practice.Care.Value)
		} else if !p.Practice.CareDiffers() && p.Practice.Care.Value == string(directory.CareInfusionOnly) && !strings.Contains(lead, "infusion only") {
			t.Errorf("%s: %q stands below the name of one who gives infusions alone", id, lead)
		}
		for _, c := range p.Checks {
			if !strings.Contains(body, text(c.Sentence)) || !strings.Contains(body, c.Label) {
				t.Errorf("%s: the page lacks what the JSON says of %s: %s", id, c.Check, c.Sentence)
			}
			if c.Result == directory.BeingChecked && slices.Contains(c.Reasons, directory.ReasonReviewPending) && len(c.Reasons) > 1 && c.Check != directory.CheckRecord && c.Check != directory.CheckOversight {
				t.Errorf("%s: %s gives more reasons than that it is being checked: %v", id, c.Check, c.Reasons)
			}
		}
		for _, c := range p.Claims {
			if c.Status == directory.StatusUnderReview && (c.Sentence != english.t("say.review") || len(c.Evidence) > 0 || c.CheckedAt != nil || c.AsOf != nil || !slices.Equal(c.Reasons, []string{directory.ReasonReviewPending})) {
				t.Errorf("%s: a claim under review says more: %+v", id, c)
			}
			if c.Kind == directory.FileClaim || c.Kind == directory.DEARegistration && c.Number != "" {
				t.Errorf("%s: %+v must not be shown", id, c)
			}
		}
		for _, mailing := range []string{"Never Shown", "NEVER SHOWN"} {
			if strings.Contains(r.body, mailing) {
				t.Errorf("%s: the mailing address is shown", id)
			}
		}
		if t.Failed() {
			return
		}
	}
}

// Former names find a person and are never shown.
func TestFormerNamesAreNeverShown(t *testing.T) {
	s := demoServer(t)
	w := demoWorld(t)
	shown := 0
	err := w.store.EachFile(context.Background(), func(f *directory.CredentialFile) error {
		for _, n := range f.Provider.Former {
			if n.Family == "" || strings.Contains(directory.FoldName(f.Provider.Name), directory.Fold(n.Family)) {
				continue
			}
			shown++
			for _, target := range []string{pageOf(f.Provider.ID), api(f.Provider.ID)} {
				if r := get(t, s, target); strings.Contains(r.body, n.String()) {
					t.Errorf("%s shows the former name of %s", target, f.Provider.DisplayName())
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if shown == 0 {
		t.Fatal("the demonstration has nobody with a former name")
	}
}

// A name-only candidate changes no public byte (contracts.md §4).
func TestCandidateIsInvisible(t *testing.T) {
	w := demoWorld(t)
	found := 0
	err := w.store.EachFile(context.Background(), func(f *directory.CredentialFile) error {
		without := *f
		without.Claims = nil
		hit := false
		for _, h := range f.Claims {
			kept := h
			kept.Events = slices.DeleteFunc(slices.Clone(h.Events), func(e directory.Event) bool {
				m := directory.Match{Rung: e.Body.Match, By: e.Body.By}
				gone := e.Type == directory.Observe && e.Body.State == directory.SeenPossible && !m.Identified()
				hit = hit || gone
				return gone
			})
			if len(kept.Events) > 0 {
				without.Claims = append(without.Claims, kept)
			}
		}
		if !hit {
			return nil
		}
		found++
		plain := demoServer(t)
		other := with(t, altered{file: func(id directory.ID) (*directory.CredentialFile, error) {
			if id == f.Provider.ID {
				return &without, nil
			}
			return nil, nil
		}})
		for _, target := range []string{pageOf(f.Provider.ID), api(f.Provider.ID), api(f.Provider.ID) + "?state=TX"} {
			a, b := get(t, plain, target), get(t, other, target)
			if a.body != b.body || a.Header.Get("ETag") != b.Header.Get("ETag") {
				t.Errorf("%s: the hit shows:\n%s", target, cmp.Diff(b.body, a.body))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("the demonstration has no name-only candidate")
	}
}

func TestSearchPage(t *testing.T) {
	s := demoServer(t)
	d := dom(t, get(t, s, "/?q=&near=Denver%2C+CO&radius=25&state=&care=full_kap&sort=distance"))
	if got := d.Find("form#search").AttrOr("method", ""); got != "get" {
		t.Errorf("the form's method is %q", got)
	}
	if v := d.Find("#f-near").AttrOr("value", ""); v != "Denver, CO" {
		t.Errorf("the form forgot the place: %q", v)
	}
	if v := d.Find("#f-radius option[selected]").AttrOr("value", ""); v != "25" {
		t.Errorf("radius %q", v)
	}
	if v := d.Find("#f-sort option[selected]").AttrOr("value", ""); v != "distance" {
		t.Errorf("sort %q", v)
	}
	if d.Find(`input[name=care][value=full_kap][checked]`).Length() != 1 {
		t.Error("the chosen filter is not ticked")
	}
	if f := d.Find("details.filters"); f.Is("[open]") || !strings.Contains(text(f.Find("summary").First().Text()), "1 chosen") {
		t.Error("the filters stand before the results on a phone, or do not say that one is chosen")
	}
	if d.Find(".chips a").Length() != 1 || strings.Contains(d.Find(".chips a").AttrOr("href", ""), "care") {
		t.Error("the chosen filter cannot be taken off")
	}
	cards := d.Find(".cards article")
	if cards.Length() == 0 {
		t.Fatal("nobody near Denver")
	}
	if !strings.Contains(text(d.Find(".checksfor").Text()), "Checks for: Colorado") {
		t.Error("the page does not say for which state the checks are")
	}
	cards.Each(func(_ int, c *goquery.Selection) {
		if c.Find(".check").Length() != 5 || c.Find(".verdict").Length() != 5 || c.Find("svg use").Length() != 5 {
			t.Errorf("%s: not five checks with shape and word", text(c.Find("h3").Text()))
		}
		if !strings.Contains(text(c.Find(".where").Text()), "miles away") {
			t.Errorf("%s: no distance", text(c.Find("h3").Text()))
		}
	})

	first := decode[searchAnswer](t, get(t, s, "/api/v1/providers?near=Denver%2C+CO&radius=25&care=full_kap&sort=distance"))
	if got := text(cards.First().Find("h3 a").Text()); len(first.Results) == 0 || got != first.Results[0].Name {
		t.Errorf("the page begins with %q, the API with %+v", got, first.Results)
	}
}

// A problem stands before everything else, in the list and on the page.
func TestProblemsFirst(t *testing.T) {
	s := demoServer(t)
	id := idOf(t, "Garrick Thole")
	d := dom(t, get(t, s, pageOf(id)))
	if got := text(d.Find(".checks.full .verdict").First().Text()); got != english.t("result.problem_on_record") {
		t.Errorf("the first check reads %q", got)
	}
	if a := d.Find(".who .alert"); a.Length() != 1 || !strings.Contains(text(a.Text()), "Problem on record in Whole record. The federal exclusion list") {
		t.Errorf("the alert at the top: %s", text(a.Text()))
	}
	d = dom(t, get(t, s, "/?q=Garrick+Thole"))
	if got := text(d.Find(".cards .verdict").First().Text()); got != english.t("result.problem_on_record") {
		t.Errorf("the card's first check reads %q", got)
	}
}

func TestEmptyState(t *testing.T) {
	s := demoServer(t)
	d := dom(t, get(t, s, "/?q=zzzzqqqq&near=80302&radius=5&route=oral"))
	if d.Find(".empty h3").Length() != 1 || d.Find(".empty li a").Length() < 3 {
		t.Errorf("the empty page offers nothing: %s", text(d.Find("main").Text()))
	}
	d.Find(".empty li a").Each(func(_ int, a *goquery.Selection) {
		if r := get(t, s, a.AttrOr("href", "")); r.StatusCode != 200 {
			t.Errorf("%s leads to %d", text(a.Text()), r.StatusCode)
		}
	})
}

// Following next reaches everybody once, on the pages and in the API.
func TestPaging(t *testing.T) {
	s := demoServer(t)
	seen := map[string]bool{}
	for target, n := "/?state=CO&limit=50", 0; target != ""; n++ {
		d := dom(t, get(t, s, target))
		d.Find(".cards h3 a").Each(func(_ int, a *goquery.Selection) {
			href, _, _ := strings.Cut(a.AttrOr("href", ""), "?")
			if seen[href] {
				t.Errorf("%s comes twice", href)
			}
			seen[href] = true
		})
		target = d.Find("a[rel=next]").AttrOr("href", "")
		if n > 20 {
			t.Fatal("the pages do not end")
		}
	}
	total := decode[searchAnswer](t, get(t, s, "/api/v1/providers?state=CO&limit=1"))
	if total.Total != len(seen) || total.Next == nil {
		t.Errorf("%d providers on the pages, %d by the API", len(seen), total.Total)
	}
	r := get(t, s, "/api/v1/providers?state=CO&limit=1")
	link := r.Header.Get("Link")
	if !strings.HasPrefix(link, "</api/v1/providers?state=CO&limit=1&cursor=") || !strings.HasSuffix(link, `>; rel="next", </api/v1/providers?state=CO&limit=1>; rel="first"`) {
		t.Errorf("Link is %q", link)
	}
}

func TestCrisisNotice(t *testing.T) {
	s := demoServer(t)
	for target, want := range map[string]bool{"/?q=suicidal+thoughts": true, "/?q=quiero+morir&near=nowhere+at+all": true, "/?q=trauma": false, "/": false} {
		d := dom(t, get(t, s, target))
		notice := d.Find("main .notice")
		if (notice.Length() == 1) != want {
			t.Errorf("%s: notice shown: %v", target, !want)
		}
		if want {
			if w := text(notice.Text()); !strings.Contains(w, "988") || !strings.Contains(w, "911") || notice.Find("[lang=es]").Length() != 1 {
				t.Errorf("%s: %s", target, w)
			}
			if html := mainHTML(t, d); strings.Index(html, `class="notice"`) > strings.Index(html+`<ol class="cards"`, `<ol class="cards"`) {
				t.Errorf("%s: the notice stands below the results", target)
			}
		}
	}
	a := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q=suicide"))
	if a.Notice == nil || a.Notice.Kind != "crisis" {
		t.Error("the API says nothing")
	}
}

func mainHTML(t testing.TB, d *goquery.Document) string {
	t.Helper()
	h, err := d.Find("main").Html()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPlainNotice(t *testing.T) {
	s := demoServer(t, func(c *Config) {
		real := c.Search
		c.Search = finder{Searcher: real, search: func(ctx context.Context, q search.Query) (search.Result, error) {
			r, err := real.Search(ctx, q)
			r.Plain = true
			return r, err
		}}
	})
	if d := dom(t, get(t, s, "/")); !strings.Contains(text(d.Find("main .note").Text()), "The search index is being rebuilt: these results come straight from the directory") {
		t.Error("the page does not say so")
	}
	if a := decode[searchAnswer](t, get(t, s, "/api/v1/providers")); !a.Plain {
		t.Error("the API does not say so")
	}
}

// Mistakes come back with the form, named, beside what was typed.
func TestFormMistakes(t *testing.T) {
	s := demoServer(t)
	r := get(t, s, "/?q=trauma&near=Atlantis&price_max=abc&care=full_kap&telehealth=CO")
	d := dom(t, r)
	if r.StatusCode != 400 || d.Find("#errors li").Length() != 2 || d.Find("#f-near").AttrOr("aria-invalid", "") != "true" {
		t.Errorf("%d: %s", r.StatusCode, text(d.Find("main").Text()))
	}
	if d.Find("#f-q").AttrOr("value", "") != "trauma" || d.Find("#f-near").AttrOr("value", "") != "Atlantis" {
		t.Error("what was typed is lost")
	}
	if d.Find("form input[type=hidden][name=care][value=full_kap]").Length() != 1 || d.Find("form input[type=hidden][name=telehealth][value=CO]").Length() != 1 {
		t.Error("what was chosen is lost")
	}
	if got := text(d.Find("#errors li").First().Text()); !strings.HasPrefix(got, "Medicine session, at most ") {
		t.Errorf("the mistake is called %q", got)
	}
}

func TestOutsideADemonstration(t *testing.T) {
	s := demoServer(t, func(c *Config) { c.Demo, c.Contact = nil, "" })
	d := dom(t, get(t, s, pageOf(idOf(t, "Amara Whitcomb"))))
	if d.Find("aside.demo").Length() != 0 || d.Find("link[rel=canonical]").Length() != 1 {
		t.Error("a page of a real directory has a banner, or no canonical address")
	}
	if got := d.Find("link[rel=canonical]").AttrOr("href", ""); got != "https://kapdir.example"+pageOf(idOf(t, "Amara Whitcomb")) {
		t.Errorf("canonical is %s", got)
	}
	if r := get(t, s, "/robots.txt"); !strings.Contains(r.body, "Disallow: /*?") {
		t.Errorf("robots.txt: %s", r.body)
	}
	if a := decode[searchAnswer](t, get(t, s, "/api/v1/providers?limit=1")); a.Demo != nil {
		t.Error("the API says demo")
	}
}

// The page of sources and its JSON say the same, and of an exclusion list nothing that would show a new name.
func TestSourcesPage(t *testing.T) {
	s := demoServer(t)
	answer := decode[sourcesAnswer](t, get(t, s, "/api/v1/sources"))
	d := dom(t, get(t, s, "/sources"))
	body := text(d.Find("main").Text())
	for _, need := range []string{"Professional and Occupational Licenses in Colorado", "data of 9 Nov 2026", "2026-10", "HHS Office of Inspector General", "CC BY 4.0"} {
		if !strings.Contains(body, need) {
			t.Errorf("the page lacks %q", need)
		}
	}
	kinds := map[string]int{}
	for _, x := range answer.Sources {
		at := d.Find("section[aria-labelledby=s-" + x.ID + "]")
		said := text(at.Text())
		for _, need := range []string{x.Name, capital(x.Publisher), capital(x.Licence), x.Attribution, x.TermsWords, x.Silence} {
			if !strings.Contains(said, text(need)) {
				t.Errorf("%s: the page lacks %q", x.ID, need)
			}
		}
		switch {
		case x.Silence == "" || x.TermsWords == "":
			t.Errorf("%s has no words: %+v", x.ID, x)
		case !x.Loaded:
			kinds["never"]++
			if x.Kind != "attestation" && !strings.Contains(said, "Never imported here") || x.Release != nil || x.AsOf != nil || x.Rows != nil || x.NextDue != nil {
				t.Errorf("%s was never imported: %q, %+v", x.ID, said, x)
			}
		case x.Kind == "exclusion":
			kinds["exclusion"]++
			if x.Rows != nil || x.Imported != nil || strings.Contains(said, "rows held") || !strings.Contains(said, "could show that a name was added") || x.NextDue == nil {
				t.Errorf("%s: %q, %+v", x.ID, said, x)
			}
		default:
			kinds["shown"]++
			if x.Rows == nil || *x.Rows == 0 || x.Imported == nil || !strings.Contains(said, x.Imported.String()+"; ") || !strings.Contains(said, "held") || x.AsOf == nil {
				t.Errorf("%s: %q, %+v", x.ID, said, x)
			}
		}
		if x.NextDue != nil && !strings.Contains(said, x.NextDue.String()) || x.Overdue != strings.Contains(said, "a newer release is due") {
			t.Errorf("%s is due %v, %v: %q", x.ID, x.NextDue, x.Overdue, said)
		}
	}
	if kinds["never"] == 0 || kinds["exclusion"] != 3 || kinds["shown"] < 4 {
		t.Errorf("sources by what is told of them: %v", kinds)
	}
	late := demoServer(t, func(c *Config) {
		was := c.Now
		c.Now = func() time.Time { return was().AddDate(2, 0, 0) }
	})
	n := 0
	for _, x := range decode[sourcesAnswer](t, get(t, late, "/api/v1/sources")).Sources {
		if x.Overdue {
			n++
		}
	}
	if n < 4 {
		t.Errorf("two years later %d sources are overdue", n)
	}
}

// Every completeness and every verdict on terms has words.
func TestSourceWords(t *testing.T) {
	for _, i := range directory.Tables().Sources() {
		if _, ok := english.has("terms." + i.Terms); !ok {
			t.Errorf("%s: no words for %q", i.ID, i.Terms)
		}
		if _, ok := english.has("silence." + i.Completeness); ok == (i.Completeness == "n/a") {
			t.Errorf("%s: no words for %q", i.ID, i.Completeness)
		}
	}
}

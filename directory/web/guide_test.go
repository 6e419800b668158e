package web

import (
	"fmt"
	entities "html"
	"io/fs"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	shipped "kapdir/data"
	"kapdir/directory"
)

// guideTargets are the addresses of the guide in a language.
func guideTargets(l *lang) []string {
	out := []string{l.To("/guide")}
	for _, p := range guidePaths {
		out = append(out, l.To(p))
	}
	return out
}

// guideText is the whole running text of a guide page: one line for each paragraph, item, cell and heading.
func guideText(d *goquery.Document, selector string) []string {
	var out []string
	d.Find(selector).Each(func(_ int, e *goquery.Selection) {
		if t := text(e.Text()); t != "" {
			out = append(out, t)
		}
	})
	return out
}

func TestGuidePages(t *testing.T) {
	s := demoServer(t)
	for _, l := range languages {
		for _, target := range guideTargets(l) {
			r := get(t, s, target)
			if r.StatusCode != 200 || r.Header.Get("Cache-Control") == "" || r.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %d, %v", target, r.StatusCode, r.Header)
				continue
			}
			d := dom(t, r)
			if d.Find("html").AttrOr("lang", "") != l.Code || d.Find("h1").Length() != 1 || d.Find(`meta[name=description][content]`).Length() != 1 {
				t.Errorf("%s: language, heading or description are not as they should be", target)
			}
			if got := d.Find("[style], style, script:not([src]), img, iframe, object, embed, form").Length(); got > 0 {
				t.Errorf("%s holds %d elements that no guide page needs", target, got)
			}
			ids := map[string]bool{}
			d.Find("[id]").Each(func(_ int, e *goquery.Selection) {
				id := e.AttrOr("id", "")
				if ids[id] {
					t.Errorf("%s: two elements have the id %s", target, id)
				}
				ids[id] = true
			})
			level := 0
			d.Find("h1, h2, h3, h4").Each(func(_ int, e *goquery.Selection) {
				n := int(goquery.NodeName(e)[1] - '0')
				if n > level+1 {
					t.Errorf("%s: heading %q skips a level", target, text(e.Text()))
				}
				level = n
			})
			d.Find("svg[role=img]").Each(func(_ int, e *goquery.Selection) {
				for _, id := range strings.Fields(e.AttrOr("aria-labelledby", "")) {
					if text(e.Find("#"+id).Text()) == "" {
						t.Errorf("%s: a picture lacks its %s", target, id)
					}
				}
			})
		}
	}
	for _, target := range []string{"/guide/", "/guide/nothing", "/about/evidence", "/guide/privacy", "/es/about/nothing"} {
		if r := get(t, s, target); r.StatusCode != 404 {
			t.Errorf("%s: %d", target, r.StatusCode)
		}
	}
}

// Both languages have the same pages with the same headings, inserts, tables and lists in the same order.
func TestGuideLanguagesAgree(t *testing.T) {
	guides, err := loadGuides()
	if err != nil {
		t.Fatal(err)
	}
	shape := func(l *lang, path string) (out []string) {
		p := guides[l].pages[path]
		for _, b := range p.Blocks {
			if b.Insert != "" {
				out = append(out, "[["+b.Insert+"]]")
				continue
			}
			d, err := goquery.NewDocumentFromReader(strings.NewReader(string(b.Text)))
			if err != nil {
				t.Fatal(err)
			}
			d.Find("h2, h3, p, ul, ol, li, table, tr, a").Each(func(_ int, e *goquery.Selection) {
				name := goquery.NodeName(e)
				switch name {
				case "h2", "h3":
					name += "#" + e.AttrOr("id", "")
				case "a":
					name += " " + strings.TrimPrefix(e.AttrOr("href", ""), l.prefix)
				}
				out = append(out, name)
			})
		}
		return append(out, string(p.Changed))
	}
	for _, path := range guidePaths {
		want := shape(english, path)
		if got := shape(spanish, path); !cmp.Equal(got, want) {
			t.Errorf("%s (-English +Spanish):\n%s", path, cmp.Diff(want, got))
		}
		if len(guides[english].pages[path].Contents) < 2 {
			t.Errorf("%s has fewer than two headings", path)
		}
	}
	for name, p := range guides[english].pictures {
		q := guides[spanish].pictures[name]
		icons := func(p picture) (out []string) {
			for _, it := range p.Items {
				out = append(out, it.Icon)
			}
			for _, lane := range p.Lanes {
				for _, it := range lane.Items {
					out = append(out, string(it.Result))
				}
			}
			return out
		}
		if !cmp.Equal(icons(p), icons(q)) {
			t.Errorf("the picture %s differs: %v, %v", name, icons(p), icons(q))
		}
	}
	if len(guides[english].pictures) != 3 || len(guides[spanish].pictures) != 3 || len(guides[english].pictures["steps"].Items) != 9 {
		t.Error("a picture is missing, or a session has not its nine steps")
	}
}

// Every link of the guide within the directory leads somewhere, in the language of the page; every other is
// named here.
func TestGuideLinks(t *testing.T) {
	s := demoServer(t)
	doms := map[string]*goquery.Document{}
	page := func(path string) *goquery.Document {
		if doms[path] == nil {
			r := get(t, s, path)
			if r.StatusCode != 200 {
				t.Errorf("%s: %d", path, r.StatusCode)
			}
			doms[path] = dom(t, r)
		}
		return doms[path]
	}
	outside := []string{"https://doi.org/", "https://988lifeline.org/", "https://www.geonames.org/", "mailto:corrections@kapdir.example", "tel:988", "tel:911"}
	for _, l := range languages {
		for _, target := range guideTargets(l) {
			page(target).Find("a[href]").Each(func(_ int, e *goquery.Selection) {
				href := e.AttrOr("href", "")
				if slices.ContainsFunc(outside, func(o string) bool { return strings.HasPrefix(href, o) }) {
					if strings.HasPrefix(href, "https") && e.AttrOr("rel", "") != "noreferrer" {
						t.Errorf("%s: the link to %s tells where it comes from", target, href)
					}
					return
				}
				u, err := url.Parse(href)
				if err != nil || u.Host != "" || u.Scheme != "" {
					t.Errorf("%s leads to %s", target, href)
					return
				}
				path := u.Path
				if path == "" {
					path = target
				}
				if path == "/openapi.yaml" {
					return
				}
				if l == spanish && e.AttrOr("hreflang", "") == "" && !strings.HasPrefix(path, "/es/") && path != "/es" {
					t.Errorf("%s leads out of its language to %s", target, href)
				}
				if d := page(path); u.Fragment != "" && d.Find("#"+u.Fragment).Length() != 1 {
					t.Errorf("%s: there is no %s", target, href)
				}
			})
		}
	}
}

// What no page may say, in both languages: outcomes, amounts, promises. phrase_test.go has the English words.
var (
	forbiddenSpanish = regexp.MustCompile(`(?i)\b(segur[ao]s? y eficaz|eficaz|eficaces|efectiv[ao]s?|recomend\w*|garant\w*|milagr\w*|curan?|cur[óo]|sanan?|de confianza|la mejor|el mejor|tasa de éxito|\d+([.,]\d+)?\s?mg)(\P{L}|$)`)
	// guideAllows are the sentences in which such a word says that something is not so, or what the FDA did.
	guideAllows = strings.NewReplacer("Ketamine is not FDA-approved for psychiatric disorders", "", "there are no stars", "", "not approved ketamine", "", "has approved", "", "not approved it", "",
		"is approved by the FDA", "")
)

func TestGuideClaimsNothing(t *testing.T) {
	s := demoServer(t)
	for _, l := range languages {
		for _, target := range guideTargets(l) {
			d := dom(t, get(t, s, target))
			d.Find("cite").Remove() // titles of studies are their authors' words, and the page says so
			body := guideAllows.Replace(text(d.Find("body").Text()))
			words := forbidden
			if l == spanish {
				words = forbiddenSpanish
			}
			if at := words.FindStringIndex(body); at != nil {
				t.Errorf("%s says …%s…", target, body[max(0, at[0]-60):min(len(body), at[1]+60)])
			}
		}
	}
	for _, bad := range []string{"es eficaz.", "lo recomendamos", "5 mg", "cura la depresión"} {
		if !forbiddenSpanish.MatchString(bad) {
			t.Errorf("%q passes", bad)
		}
	}
}

// The running text reads at grade 8 or below (Flesch-Kincaid), and in Spanish as fairly easy by the scale INFLESZ,
// which starts at 65 of Szigriszt-Pazos; Fernández Huerta's 70 and more is for grade 6. Headings are not counted.
func TestGuideIsPlain(t *testing.T) {
	guides, err := loadGuides()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range languages {
		for _, path := range guidePaths {
			var r readability
			p := guides[l].pages[path]
			r.add(l, p.Description)
			for _, b := range p.Blocks {
				d, err := goquery.NewDocumentFromReader(strings.NewReader(string(b.Text)))
				if err != nil {
					t.Fatal(err)
				}
				for _, line := range guideText(d, "p, li, td") {
					r.add(l, line)
				}
			}
			r.report(t, l, l.To(path))
			var prose readability // short items make a page read easier than its sentences do
			for _, b := range p.Blocks {
				d, err := goquery.NewDocumentFromReader(strings.NewReader(string(b.Text)))
				if err != nil {
					t.Fatal(err)
				}
				for _, line := range guideText(d, "p") {
					prose.add(l, line)
				}
			}
			prose.report(t, l, l.To(path)+", paragraphs alone")
		}
		var r readability // of what stands in pictures and beside the studies
		for _, name := range []string{"phases", "steps", "fall"} {
			r.add(l, guides[l].pictures[name].draw(name, directory.KindPolicy{Recheck: 30, Stale: 90}).Words)
		}
		for _, st := range guides[l].studies {
			r.add(l, st.Measured)
			r.add(l, st.Unknown)
		}
		r.report(t, l, "pictures and studies in "+l.Code)
	}
}

// readability counts what the formulas need.
type readability struct {
	sentences, words, syllables int
	long                        string // the longest sentence
	longest                     int
}

var sentenceEnd = regexp.MustCompile(`[.!?:;]+["”»)]*(\s|$)`)

func (r *readability) add(l *lang, line string) {
	for _, sentence := range sentenceEnd.Split(line, -1) {
		n := 0
		for _, w := range strings.FieldsFunc(sentence, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '\'' && c != '’' }) {
			n++
			r.syllables += syllables(l, w)
		}
		if n > 0 {
			r.sentences++
			r.words += n
		}
		if n > r.longest {
			r.longest, r.long = n, sentence
		}
	}
}

func (r *readability) report(t *testing.T, l *lang, what string) {
	t.Helper()
	w, s := float64(r.words)/float64(r.sentences), float64(r.syllables)/float64(r.words)
	if l == english {
		grade := .39*w + 11.8*s - 15.59
		t.Logf("%s: grade %.1f, %d words", what, grade, r.words)
		if grade > 8 {
			t.Errorf("%s reads at grade %.1f", what, grade)
		}
	} else {
		szigriszt, huerta := 206.835-62.3*s-w, 206.84-60*s-1.02*w
		t.Logf("%s: Szigriszt-Pazos %.1f, Fernández Huerta %.1f, %d words", what, szigriszt, huerta, r.words)
		if szigriszt < 65 || huerta < 70 {
			t.Errorf("%s reads at %.1f (Szigriszt-Pazos) and %.1f (Fernández Huerta)", what, szigriszt, huerta)
		}
	}
	if r.longest > 30 {
		t.Errorf("%s has a sentence of %d words: %s", what, r.longest, r.long)
	}
}

// syllables counts the syllables of a word: groups of vowels that are heard as one.
func syllables(l *lang, word string) int {
	word = strings.ToLower(word)
	if strings.ContainsFunc(word, unicode.IsDigit) {
		return 1
	}
	if l == spanish {
		return spanishSyllables(word)
	}
	word = strings.TrimSuffix(strings.NewReplacer("'", "", "’", "").Replace(word), "s")
	if n, ok := map[string]int{"area": 3, "idea": 3, "science": 2, "people": 2, "being": 2, "someone": 2, "sometime": 2, "somewhere": 2, "therefore": 2, "agreement": 3, "something": 2, "diet": 2}[word]; ok {
		return n
	}
	if w, ok := strings.CutSuffix(word, "e"); ok && !strings.HasSuffix(word, "le") && len(w) > 2 { // silent at the end
		word = w
	} else if w, ok := strings.CutSuffix(word, "ed"); ok && !strings.HasSuffix(w, "t") && !strings.HasSuffix(w, "d") && len(w) > 2 {
		word = w
	}
	n, before := 0, false
	runes := []rune(word)
	for i, c := range runes {
		vowel := strings.ContainsRune("aeiouyé", c)
		apart := vowel && before && i > 0 && slices.Contains([]string{"ia", "io", "iu", "eo", "ua", "yi", "ue"}, string(runes[i-1:i+1])) &&
			!strings.HasPrefix(string(runes[i-1:]), "ion") && !(i >= 2 && strings.ContainsRune("gqctsx", runes[i-2]))
		if vowel && (!before || apart) {
			n++
		}
		before = vowel
	}
	return max(n, 1)
}

// spanishSyllables counts by the rule: a strong or accented vowel is a syllable; a weak one beside it is not.
func spanishSyllables(word string) int {
	runes := []rune(strings.NewReplacer("qu", "q", "gue", "ge", "gui", "gi", "gué", "gé", "guí", "gí").Replace(word))
	n, before := 0, 'x'
	for i, c := range runes {
		vowel := strings.ContainsRune("aeiouáéíóúü", c) || c == 'y' && i == len(runes)-1
		switch {
		case !vowel:
		case !strings.ContainsRune("aeiouáéíóúüy", before), hiatus(before, c):
			n++
		}
		before = c
		if c == 'y' && i < len(runes)-1 {
			before = 'x' // a consonant within a word
		}
	}
	return max(n, 1)
}

// hiatus tells whether two vowels in a row are two syllables.
func hiatus(a, b rune) bool {
	const strong, accented = "aeoáéó", "íú"
	return strings.ContainsRune(strong, a) && strings.ContainsRune(strong, b) || strings.ContainsRune(accented, a) || strings.ContainsRune(accented, b)
}

// The counting itself is right for words that show its rules.
func TestSyllables(t *testing.T) {
	for word, want := range map[string]int{"a": 1, "the": 1, "medicine": 3, "session": 2, "therapy": 3, "ketamine": 3, "psychotherapy": 5, "asked": 1, "wanted": 2, "people": 2, "area": 3, "study": 2,
		"studies": 2, "science": 2, "body": 2, "prescriber": 3, "provider": 3, "licence": 2, "infusion": 3, "approved": 2, "talk": 1, "eye": 1, "idea": 3, "question": 2, "radio": 3, "integration": 4} {
		if got := syllables(english, word); got != want {
			t.Errorf("%s has %d syllables, not %d", word, want, got)
		}
	}
	for word, want := range map[string]int{"y": 1, "que": 1, "guía": 2, "terapia": 3, "medicamento": 5, "sesión": 2, "ketamina": 4, "psicoterapia": 5, "día": 2, "aire": 2, "leer": 2, "ciudad": 2,
		"quien": 1, "muy": 1, "vergüenza": 3, "país": 2, "hoy": 1, "mayor": 2, "estudio": 3, "registro": 3, "área": 3, "ahora": 3, "pequeño": 3, "lengua": 2, "siguiente": 3} {
		if got := syllables(spanish, word); got != want {
			t.Errorf("%s has %d syllables, not %d", word, want, got)
		}
	}
}

// A text cannot bring markup, nor ask for what does not exist; and a page without its front matter fails the start.
func TestGuideTextIsOnlyText(t *testing.T) {
	front := "---\ntitle: T\ndescription: D\nchanged: 2026-11-29\n---\n"
	p, err := parseGuide([]byte(front + "<script>alert(1)</script>\n\nA <b onclick=x>word</b> and [a link](javascript:alert(1)).\n\n## H {#h}\n\n[[limits]]\n\nEnd."))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Blocks) != 4 || p.Lead != 1 || p.Blocks[2].Insert != "limits" || len(p.Contents) != 1 {
		t.Errorf("blocks %+v, contents %+v", p.Blocks, p.Contents)
	}
	for _, b := range p.Blocks {
		for _, bad := range []string{"<script", "<b", "onclick", "javascript:"} {
			if strings.Contains(string(b.Text), bad) {
				t.Errorf("%q came through: %s", bad, b.Text)
			}
		}
	}
	good := front + "Words.\n\n## H {#h}\n"
	if _, err := parseGuide([]byte(good)); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{"no front matter": "Words.\n\n## H {#h}\n", "an unknown insert": good + "\n[[nothing]]\n", "a heading without id": good + "\n## G\n", "no heading": front + "Words.\n",
		"an unknown field": strings.Replace(good, "title", "titel", 1), "no title": strings.Replace(good, "title: T\n", "", 1), "no date": strings.Replace(good, "2026-11-29", "soon", 1)} {
		if _, err := parseGuide([]byte(bad)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, l := range languages {
		entries, err := fs.ReadDir(shipped.FS, "guide/"+l.Code)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != len(guidePaths)+1 {
			t.Errorf("guide/%s has %d files; %d pages and pictures.json are known", l.Code, len(entries), len(guidePaths))
		}
	}
}

// What a picture says fits into it on a phone, none of it is smaller than 14 pixels there, and nothing lies
// outside. A sign is counted as wide as in a wide font.
func TestPicturesFitAPhone(t *testing.T) {
	css, err := staticFiles.ReadFile("static/kapdir.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\.picture [^{]*\{[^}]*?(?:font-size: |font: )([0-9.]+)px`).FindAllStringSubmatch(string(css), -1) {
		var size float64
		if _, err := fmt.Sscan(m[1], &size); err != nil || size < 14 {
			t.Errorf("a picture has text of %s pixels", m[1])
		}
	}
	guides, err := loadGuides()
	if err != nil {
		t.Fatal(err)
	}
	limits := directory.StandardPolicies().InForce(testNow, testNow).Kinds[directory.License]
	for _, l := range languages {
		for name, p := range guides[l].pictures {
			d := p.draw(name, limits)
			if d.Title == "" || d.Words == "" || len(d.Items) == 0 {
				t.Fatalf("%s in %s is empty", name, l.Code)
			}
			bottom := 0
			for _, it := range d.Items {
				right := d.Width
				switch name {
				case "phases":
					right = it.X + 282 - 4
				case "steps":
					right = 290
				case "fall":
					right = it.X + 290 - 4
				}
				if it.Top < bottom {
					t.Errorf("%s in %s: parts lie upon each other", name, l.Code)
				}
				bottom = it.Top + it.Height
				for i, line := range append([]drawnLine{it.Head}, it.Lines...) {
					wide := 7.4 // of 14.5 pixels, on average
					if i == 0 {
						wide = 8.3
					}
					if end := float64(line.X) + wide*float64(len([]rune(line.Text))); end > float64(right) {
						t.Errorf("%s in %s: %q ends at %.0f of %d", name, l.Code, line.Text, end, right)
					}
					if line.Y > bottom || strings.ContainsAny(line.Text, "{}") {
						t.Errorf("%s in %s: %q", name, l.Code, line.Text)
					}
				}
			}
			if bottom > d.Height {
				t.Errorf("%s in %s: cut off", name, l.Code)
			}
			if name == "fall" && !(strings.Contains(d.Words, fmt.Sprint(limits.Recheck)) && strings.Contains(d.Words, fmt.Sprint(limits.Stale))) {
				t.Errorf("%s in %s does not tell the limits in force: %s", name, l.Code, d.Words)
			}
		}
	}
}

// Each study on the page leads to its DOI and says when it was read.
func TestStudiesAreShown(t *testing.T) {
	s := demoServer(t)
	for _, l := range languages {
		d := dom(t, get(t, s, l.To("/guide/evidence")))
		studies := s.guides[l].studies
		if got := d.Find(".refs > li").Length(); got != len(studies) || got < 10 {
			t.Errorf("%s: %d of %d studies", l.Code, got, len(studies))
		}
		for _, st := range studies {
			li := d.Find(".refs a").FilterFunction(func(_ int, e *goquery.Selection) bool {
				href, _ := url.PathUnescape(e.AttrOr("href", ""))
				return href == "https://doi.org/"+st.DOI
			}).Closest("li")
			said := text(li.Text())
			for _, need := range []string{text(st.Title), text(st.Measured), text(st.Unknown), fmt.Sprint(st.Year), l.date(st.Read), st.Kind} {
				if !strings.Contains(said, need) {
					t.Errorf("%s: %s lacks %q: %s", l.Code, st.DOI, need, said)
				}
			}
		}
		early := map[*lang]string{english: "early", spanish: "tempranos"}[l]
		if first := text(d.Find("main p").Eq(1).Text()); !strings.Contains(first, early) {
			t.Errorf("%s: the first sentence does not say %q: %s", l.Code, early, first)
		}
	}
}

// What the page on badges quotes are words that stand on providers' pages, and what providers are told of are the
// checks by their names.
func TestGuideQuotesLabels(t *testing.T) {
	guides, err := loadGuides()
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile(`[“«]([^”»]+)[”»]`)
	for _, l := range languages {
		var labels []string
		for _, r := range directory.CheckResults {
			labels = append(labels, l.t("result."+string(r)))
		}
		n := 0
		for _, b := range guides[l].pages["/guide/badges"].Blocks {
			for _, m := range quoted.FindAllStringSubmatch(entities.UnescapeString(string(b.Text)), -1) {
				n++
				if !slices.ContainsFunc(labels, func(s string) bool { return strings.HasPrefix(s, m[1]) }) {
					t.Errorf("%s: %q is on no page; there are %q", l.Code, m[1], labels)
				}
			}
		}
		if n < 4 {
			t.Errorf("%s: only %d quotations", l.Code, n)
		}
		p := guides[l].pages["/about/for-providers"]
		for _, check := range []directory.CheckName{directory.CheckOversight, directory.CheckProtocol, directory.CheckRecord} {
			if !slices.ContainsFunc(p.Blocks, func(b guideBlock) bool { return strings.Contains(string(b.Text), ">"+l.t("check."+string(check))+"<") }) {
				t.Errorf("%s: the table for providers has no row %q", l.Code, l.t("check."+string(check)))
			}
		}
	}
}

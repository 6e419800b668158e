package web

import (
	"encoding/csv"
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	tree "text/template/parse"
	"unicode"

	"github.com/PuerkitoBio/goquery"
	markup "golang.org/x/net/html"
	"golang.org/x/text/feature/plural"

	"kapdir/directory"
	"kapdir/search"
)

// tabled begin the keys that English does not have: its tables have the words.
var tabled = []string{"state.", "source.", "profession.", "value.", "facet.", "lift.", "piece.", "note.", "why.", "rule.", "table."}

func isTabled(key string) bool {
	return slices.ContainsFunc(tabled, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

func arguments(p phrase) []string {
	var out []string
	for _, x := range p {
		if x.arg != "" {
			out = append(out, x.arg)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func marks(p phrase) (n int) {
	for _, x := range p {
		if x.cut {
			n++
		}
	}
	return n
}

func TestMessagesAgree(t *testing.T) {
	for key, en := range english.messages {
		es, ok := spanish.messages[key]
		if !ok {
			t.Errorf("%s has no Spanish", key)
			continue
		}
		if !slices.Equal(arguments(en.other), arguments(es.other)) || marks(en.other) != marks(es.other) {
			t.Errorf("%s: %v and %d marks in English, %v and %d in Spanish", key, arguments(en.other), marks(en.other), arguments(es.other), marks(es.other))
		}
		if (en.forms == nil) != (es.forms == nil) {
			t.Errorf("%s has a plural in one language alone", key)
		}
	}
	for key := range spanish.messages {
		if _, ok := english.messages[key]; !ok && !isTabled(key) {
			t.Errorf("%s has no English", key)
		}
	}
	for _, l := range languages {
		for key, m := range l.messages {
			for form, p := range m.forms {
				if form != plural.One || marks(p) != marks(m.other) || len(slices.DeleteFunc(arguments(p), func(a string) bool { return slices.Contains(arguments(m.other), a) })) > 0 {
					t.Errorf("%s: %s has a form %v with %v", l.Code, key, form, arguments(p))
				}
			}
			if m.forms != nil && m.forms[plural.One] == nil {
				t.Errorf("%s: %s has no form for one", l.Code, key)
			}
			for _, x := range m.other {
				if strings.ContainsAny(x.text, "<>&") {
					t.Errorf("%s: %s holds markup", l.Code, key)
				}
			}
		}
	}
}

// use is a call for a message, as it stands in the program or in a template.
type use struct {
	key  string
	args []string
	at   string
}

// messageUses returns the calls for messages by literal keys, and all words that a key may be or begin with.
func messageUses(t *testing.T) (uses []use, words map[string]bool) {
	t.Helper()
	words = map[string]bool{}
	names, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				if s, err := strconv.Unquote(l.Value); err == nil {
					words[s] = true
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 || call.Ellipsis.IsValid() {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || !slices.Contains([]string{"t", "marked", "says", "say", "has", "wrong"}, f.Sel.Name) {
				return true
			}
			if key, ok := literal(call.Args[0]); ok {
				u := use{key: key, at: name}
				for i := 1; i < len(call.Args); i += 2 {
					a, _ := literal(call.Args[i])
					u.args = append(u.args, a)
				}
				uses = append(uses, u)
			}
			return true
		})
	}
	for name, parsed := range templateTrees(t) {
		eachNode(parsed.Root, func(n tree.Node) {
			c, ok := n.(*tree.CommandNode)
			if !ok || len(c.Args) < 2 {
				return
			}
			if f, ok := c.Args[0].(*tree.IdentifierNode); !ok || f.Ident != "t" && f.Ident != "marked" {
				return
			}
			key, ok := c.Args[1].(*tree.StringNode)
			if !ok {
				t.Errorf("%s: the key of %s is not plain", name, c)
				return
			}
			u := use{key: key.Text, at: name}
			for i := 2; i < len(c.Args); i += 2 {
				if a, ok := c.Args[i].(*tree.StringNode); ok {
					u.args = append(u.args, a.Text)
				}
			}
			uses, words[key.Text] = append(uses, u), true
		})
	}
	return uses, words
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// templateTrees are the parsed templates by name.
func templateTrees(t *testing.T) map[string]*tree.Tree {
	t.Helper()
	set, err := template.New("").Funcs(functions(&assets{}, english)).ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*tree.Tree{}
	for _, x := range set.Templates() {
		if x.Tree != nil {
			out[x.Name()] = x.Tree
		}
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files { // title and main stand in each file, and one set holds the last of each
		one, err := template.New("").Funcs(functions(&assets{}, english)).ParseFS(templateFiles, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range one.Templates() {
			if x.Tree != nil {
				out[f+" "+x.Name()] = x.Tree
			}
		}
	}
	return out
}

// eachNode calls f for every node, in the order of the text.
func eachNode(n tree.Node, f func(tree.Node)) {
	branch := func(b *tree.BranchNode) {
		eachNode(b.Pipe, f)
		eachNode(b.List, f)
		if b.ElseList != nil {
			eachNode(b.ElseList, f)
		}
	}
	f(n)
	switch n := n.(type) {
	case *tree.ListNode:
		for _, x := range n.Nodes {
			eachNode(x, f)
		}
	case *tree.ActionNode:
		eachNode(n.Pipe, f)
	case *tree.PipeNode:
		for _, c := range n.Cmds {
			eachNode(c, f)
		}
	case *tree.CommandNode:
		for _, a := range n.Args {
			eachNode(a, f)
		}
	case *tree.IfNode:
		branch(&n.BranchNode)
	case *tree.RangeNode:
		branch(&n.BranchNode)
	case *tree.WithNode:
		branch(&n.BranchNode)
	case *tree.TemplateNode:
		if n.Pipe != nil {
			eachNode(n.Pipe, f)
		}
	}
}

// Every message that is asked for is there, with the arguments that it is given, and none lies about.
func TestMessagesAreUsed(t *testing.T) {
	uses, words := messageUses(t)
	if len(uses) < 150 {
		t.Fatalf("only %d uses of messages were found", len(uses))
	}
	for _, u := range uses {
		m, ok := english.messages[u.key]
		if !ok {
			t.Errorf("%s asks for %s, which is no message", u.at, u.key)
			continue
		}
		want := slices.Clone(u.args)
		slices.Sort(want)
		takes := arguments(m.other)
		if m.forms != nil && !slices.Contains(takes, "Count") {
			takes = append(takes, "Count")
			slices.Sort(takes)
		}
		if !slices.Equal(want, takes) {
			t.Errorf("%s gives %s the arguments %v, and it takes %v", u.at, u.key, want, takes)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(english.messages)) {
		used := words[key]
		for i, r := range key {
			used = used || r == '.' && words[key[:i+1]]
		}
		if !used {
			t.Errorf("nobody asks for %s", key)
		}
	}
	for key := range spanish.messages {
		if code, ok := strings.CutPrefix(key, "state."); ok && !slices.Contains(directory.Tables().States(), directory.State(code)) {
			t.Errorf("%s is no state", key)
		}
	}
}

// own are words that are the same in every language.
var own = regexp.MustCompile(`Kapdir`)

// No string for a person stands in a template.
func TestNoWordsInTemplates(t *testing.T) {
	letters := func(s string) bool { return strings.ContainsFunc(own.ReplaceAllString(s, ""), unicode.IsLetter) }
	looked := 0
	for name, parsed := range templateTrees(t) {
		var b strings.Builder
		eachNode(parsed.Root, func(n tree.Node) {
			switch n := n.(type) {
			case *tree.TextNode:
				b.Write(n.Text)
			case *tree.ActionNode, *tree.TemplateNode:
				b.WriteString("0") // what it puts there is not written here
			}
		})
		for z := markup.NewTokenizer(strings.NewReader(b.String())); z.Next() != markup.ErrorToken; {
			x := z.Token()
			if x.Type == markup.TextToken {
				looked++
				if letters(x.Data) {
					t.Errorf("%s holds the words %q", name, strings.TrimSpace(x.Data))
				}
			}
			for _, a := range x.Attr {
				if slices.Contains([]string{"alt", "aria-label", "aria-description", "title", "placeholder", "label", "summary"}, a.Key) && letters(a.Val) {
					t.Errorf("%s holds the words %q in %s", name, a.Val, a.Key)
				}
				if x.Data == "meta" && a.Key == "content" && slices.Contains(x.Attr, markup.Attribute{Key: "name", Val: "description"}) && letters(a.Val) {
					t.Errorf("%s holds the description %q", name, a.Val)
				}
			}
		}
	}
	if looked < 300 {
		t.Fatalf("only %d texts were looked at", looked)
	}
}

// Every page has its twin in Spanish, with links that stay in Spanish and one that leads to the same page in English.
func TestSpanishPages(t *testing.T) {
	s := demoServer(t, func(c *Config) { c.Demo = nil })
	id := idOf(t, "Amara Whitcomb")
	for _, target := range []string{"/", "/?q=trauma&near=80302&care=full_kap&price_max=2000", "/?q=zzzzqqqq&state=CO", "/?near=nowhere", "/?q=suicide", "/?state=CO&limit=5", "/?state=CO&at=2026-11-01",
		"/about/how-we-check", "/about/accuracy", "/guide", "/guide/what-is-kap", "/guide/evidence", "/sources", pageOf(id), pageOf(id) + "/report", pageOf(id) + "/cost", "/cost", "/compare", "/compare?ids=" + string(id), "/partners/embed", pageOf(id) + "?state=TX", pageOf(id) + "?state=TX&at=2026-11-01"} {
		en, es := get(t, s, target), get(t, s, spanish.To(target))
		if en.StatusCode != es.StatusCode {
			t.Errorf("%s is %d, in Spanish %d", target, en.StatusCode, es.StatusCode)
		}
		if tag := es.Header.Get("ETag"); tag != "" && tag == en.Header.Get("ETag") {
			t.Errorf("%s has one tag in both languages", target)
		}
		a, b := dom(t, en), dom(t, es)
		for _, x := range []struct {
			d    *goquery.Document
			l, o *lang
		}{{a, english, spanish}, {b, spanish, english}} {
			where := x.l.To(target)
			if got := x.d.Find("html").AttrOr("lang", ""); got != x.l.Code {
				t.Errorf("%s: lang is %q", where, got)
			}
			if got := x.d.Find("header a.tongue[hreflang="+x.o.Code+"][lang="+x.o.Code+"]").AttrOr("href", ""); got != x.o.To(target) {
				t.Errorf("%s: the other language is at %q", where, got)
			}
			x.d.Find("a[href^='/'], form[action]").Each(func(_ int, e *goquery.Selection) {
				to := e.AttrOr("href", "") + e.AttrOr("action", "")
				if e.HasClass("tongue") || strings.HasPrefix(to, "/api/") || to == "/openapi.yaml" {
					return
				}
				if strings.HasPrefix(to, "/es/") != (x.l == spanish) {
					t.Errorf("%s: %q leads to %s", where, text(e.Text()), to)
				}
				if r := get(t, s, to); r.StatusCode != 200 && to != where {
					t.Errorf("%s: %s is %d", where, to, r.StatusCode)
				}
			})
			canonical, ok := x.d.Find("link[rel=canonical]").Attr("href")
			if !ok {
				if n := x.d.Find("link[rel=alternate]").Length(); n != 0 {
					t.Errorf("%s has %d alternates and no canonical address", where, n)
				}
				continue
			}
			path, _, _ := strings.Cut(target, "?")
			if canonical != "https://kapdir.example"+x.l.To(path) {
				t.Errorf("%s: canonical is %s", where, canonical)
			}
			for code, want := range map[string]string{"en": path, "es": "/es" + path, "x-default": path} {
				if got := x.d.Find("link[rel=alternate][hreflang="+code+"]").AttrOr("href", ""); got != "https://kapdir.example"+want {
					t.Errorf("%s: the page in %s is at %q", where, code, got)
				}
			}
		}
		if en, es := a.Find("main *").Not("svg.team *").Length(), b.Find("main *").Not("svg.team *").Length(); en != es { // its lines break where the words are longer
			t.Errorf("%s has %d elements, in Spanish %d", target, en, es)
		}
	}
	if r := get(t, s, "/es?q=trauma"); r.StatusCode != 308 || r.Header.Get("Location") != "/es/?q=trauma" {
		t.Errorf("/es is %d %q", r.StatusCode, r.Header.Get("Location"))
	}
	if d := dom(t, get(t, s, "/es/no/such/page")); d.Find("html[lang=es]").Length() != 1 || d.Find(`a.tongue[href="/"]`).Length() != 1 {
		t.Error("a Spanish address without a page is answered in English")
	}
	if d := dom(t, get(t, s, "//evil.example/")); strings.Contains(d.Find("a.tongue").AttrOr("href", ""), "evil") {
		t.Error("the link to the other language leads elsewhere")
	}
	// Nothing but the address chooses the language.
	for _, headers := range [][]string{{"Accept-Language", "es"}, {"Cookie", "lang=es"}} {
		if d := dom(t, get(t, s, "/", headers...)); d.Find("html[lang=en]").Length() != 1 {
			t.Errorf("%v chose the language", headers)
		}
	}
}

// someWords are English words that no Spanish text has, but for names.
var someWords = regexp.MustCompile(`(?i)(^|[^\pL_])(the|of|and|is|are|was|with|from|this|not|by|for|we|who|which|stated|checked|licence|license|register|provider|miles|none)([^\pL_]|$)`)

// hostForm finds the addresses that links show.
var hostForm = regexp.MustCompile(`\pL[\pL0-9.-]*\.(gov|org|com|example)[^ ]*`)

// A Spanish page says nothing in English but names: of people, practices, places, licence types, programmes and sources; words of others stand in quotation marks.
func TestSpanishPagesHaveNoEnglish(t *testing.T) {
	s := demoServer(t, func(c *Config) { c.Demo.Note = "" })
	names := []string{"In English: call or text 988.", "English", "Somatic Experiencing", "CC BY 4.0"}
	tables := directory.Tables()
	for _, x := range tables.Sources() {
		names = append(names, x.Name, x.Publisher, x.Attribution, capital(x.Publisher), x.Licence)
	}
	for _, p := range tables.Programmes() {
		names = append(names, p.Name, p.Issuer)
	}
	add := func(list ...string) { names = append(names, list...) }
	targets := []string{"/", "/about/how-we-check", "/sources", "/no/such/page", "/?near=nowhere&price_max=abc&care=x", "/?q=zzzzqqqq&near=80302&radius=5&route=oral", "/?q=trauma+near+80302+under+900&care=full_kap&accepting=yes&check=license:confirmed",
		"/?q=who+can+see+me+in+CO+with+aetna&sort=price", "/?q=suicide&sort=distance&near=Denver,+CO", "/?state=CO&at=2026-11-01", "/?q=washington+ptds+lozenges&limit=50", "/?state=TX&sort=checked&limit=50", "/?limit=50"}
	for _, id := range everybody(t) {
		targets = append(targets, pageOf(id))
		p := decode[provider](t, get(t, s, api(id)))
		add(p.Name)
		for _, x := range p.Facts.Sites {
			add(x.Name, x.Line1, x.Line2, x.City)
		}
		for _, x := range p.Facts.Affiliations {
			add(x.Name)
		}
		for _, c := range p.Claims {
			add(c.Title)
		}
	}
	targets = append(targets, targets[len(targets)-1]+"?state=NM&at=2026-11-01", targets[len(targets)-1]+"?at=2050-01-01")
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" })
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	pairs := []string{}
	for _, n := range slices.Compact(names) {
		pairs = append(pairs, text(n), " ")
	}
	without := strings.NewReplacer(pairs...)
	foreign := map[string]bool{} // what English says and Spanish does not
	whole := map[string]bool{}   // likewise, of what stands alone
	for key, m := range english.messages {
		if en := english.t(key); en != spanish.t(key) {
			whole[en] = true
		}
		for _, x := range m.other {
			words := strings.Trim(x.text, " .,;:“”()")
			if es := spanish.t(key); len(strings.Fields(words)) > 1 && !strings.Contains(es, words) {
				foreign[words] = true
			}
		}
	}
	for list, values := range directory.Vocabulary {
		for _, v := range values {
			if en := search.Label(list, v); len(strings.Fields(en)) > 1 && en != spanish.value(list, v) {
				foreign[en] = true
			}
		}
	}
	seen := 0
	for _, target := range targets {
		d := dom(t, get(t, s, spanish.To(target)))
		d.Find("[lang=en], code, abbr, .letters, .sprite, header a.tongue, svg.team text").Remove()
		said := text(d.Find("body").Text() + " " + d.Find("title").Text())
		d.Find("[aria-label], [title]").Each(func(_ int, e *goquery.Selection) {
			said += " " + e.AttrOr("aria-label", "") + " " + e.AttrOr("title", "")
		})
		d.Find("body *").Each(func(_ int, e *goquery.Selection) {
			if e.Children().Length() == 0 && whole[text(e.Text())] {
				t.Errorf("%s says %q", target, text(e.Text()))
			}
		})
		said = hostForm.ReplaceAllString(without.Replace(quotedForm.ReplaceAllString(said, " ")), " ")
		seen += len(said)
		if m := someWords.FindStringIndex(said); m != nil {
			t.Errorf("%s: …%s…", target, said[max(0, m[0]-80):min(len(said), m[1]+60)])
		}
		for words := range foreign {
			if strings.Contains(said, words) {
				t.Errorf("%s says %q", target, words)
			}
		}
	}
	if seen < 100_000 {
		t.Errorf("only %d characters were looked at", seen)
	}
}

// What tables and package search say in English has Spanish, and no Spanish is of something that they do not say.
func TestSpanishOfTables(t *testing.T) {
	want := map[string]bool{}
	for _, st := range directory.Tables().States() {
		if _, ok := spanish.messages["state."+string(st)]; ok { // most are called the same
			want["state."+string(st)] = true
		}
	}
	for _, x := range directory.Tables().Sources() {
		if x.Kind != "listing" { // a listing's name is its own
			want["source."+x.ID] = true
		}
		for _, words := range []string{x.Publisher, x.Licence} {
			if unicode.IsLower([]rune(words + " ")[0]) && !strings.HasPrefix(words, "Open Database") {
				want["table."+words] = true
			}
		}
	}
	for list, values := range directory.Vocabulary {
		want["facet."+list] = true
		for _, v := range values {
			want["value."+list+"."+v] = true
		}
	}
	for _, f := range facetParams {
		want["facet."+f.name] = true
		if f.name != "check" && f.name != "programme" { // labelled by results; names
			for _, v := range f.values {
				want["value."+f.name+"."+v] = true
			}
		}
	}
	want["facet.state"], want["rule."+directory.TelePrescribing] = true, true
	for name, column := range map[string]int{"titles.csv": 2, "lexicon.csv": 5} {
		raw, err := os.ReadFile("../../data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			switch {
			case name == "titles.csv":
				want["profession."+row[column]], want["value.licence."+row[column]] = true, true
			case row[column] != "":
				want["note."+row[column]] = true
			}
			if row[0] == "language" {
				want["value.language."+row[1]] = true
			}
		}
	}
	files, err := filepath.Glob("../../search/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool { // x.Note = "…", note = "…", Note: "…"
			var named, value []ast.Expr
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				named, value = []ast.Expr{n.Key}, []ast.Expr{n.Value}
			case *ast.AssignStmt:
				named, value = n.Lhs, n.Rhs
			}
			for i, x := range named {
				if f, ok := x.(*ast.SelectorExpr); ok {
					x = f.Sel
				}
				if id, ok := x.(*ast.Ident); ok && strings.EqualFold(id.Name, "note") && len(value) == len(named) {
					if words, ok := literal(value[i]); ok && words != "" {
						want["note."+words] = true
					}
				}
			}
			return true
		})
	}
	for _, key := range []string{"lift.words", "lift.state", "lift.near", "lift.telehealth", "lift.can_see", "lift.price_max", "piece.near", "piece.miles", "piece.state", "piece.telehealth", "piece.can_see", "piece.price_max",
		"piece.name", "piece.npi", "piece.number", "piece.unheld", "piece.optional", "piece.focus", "why.name", "why.organisation", "why.credential", "why.place", "why.programme", "why.words", "why.close spelling",
		"note.read_as", "note.town", "note.state"} {
		want[key] = true
	}
	for key := range want {
		if _, ok := spanish.messages[key]; !ok {
			t.Errorf("%s has no Spanish", key)
		}
	}
	for key := range spanish.messages {
		if isTabled(key) && !want[key] && !strings.HasPrefix(key, "table.") {
			t.Errorf("nothing says what %s is of", key)
		}
	}
	for _, x := range []struct{ note, want string }{{"CO was read as Colorado.", "CO se leyó como Colorado."}, {"NY was read as New York.", "NY se leyó como Nueva York."},
		{"Read as Boulder, CO. Other states have a town of that name: add the state if you meant another.", "Se leyó como Boulder, CO. Otros estados tienen una ciudad con ese nombre: añada el estado si se refería a otra."},
		{"By state, not by distance: Boulder, CO is in Colorado.", "Por estado, no por distancia: Boulder, CO está en Colorado."}, {"Something new.", ""}} {
		if got := spanish.note(search.Piece{Note: x.note}); got != x.want {
			t.Errorf("%q is %q in Spanish", x.note, got)
		}
	}
}

func TestSpanishDates(t *testing.T) {
	for _, x := range [][2]string{{spanish.date("2026-05-12"), "12 de mayo de 2026"}, {english.date("2026-05-12"), "12 May 2026"}, {spanish.moment("2026-11-16T09:30:00.000Z"), "16 de noviembre de 2026, 09:30 UTC"},
		{spanish.date("nonsense"), "nonsense"}, {english.date(""), ""}} {
		if x[0] != x[1] {
			t.Errorf("got %q, want %q", x[0], x[1])
		}
	}
}

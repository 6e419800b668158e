package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html/template"
	"io/fs"
	"maps"
	"os"
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
)

// tabled begin the keys that English does not have: its tables have the words.
var tabled = []string{"state."}

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
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "t" && f.Sel.Name != "marked" {
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
		"/about/how-we-check", "/about/accuracy", "/guide", "/guide/what-is-kap", "/guide/evidence", "/sources", pageOf(id), pageOf(id) + "?state=TX", pageOf(id) + "?state=TX&at=2026-11-01"} {
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
		if en, es := a.Find("main *").Length(), b.Find("main *").Length(); en != es {
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

func TestSpanishDates(t *testing.T) {
	for _, x := range [][2]string{{spanish.date("2026-05-12"), "12 de mayo de 2026"}, {english.date("2026-05-12"), "12 May 2026"}, {spanish.moment("2026-11-16T09:30:00.000Z"), "16 de noviembre de 2026, 09:30 UTC"},
		{spanish.date("nonsense"), "nonsense"}, {english.date(""), ""}} {
		if x[0] != x[1] {
			t.Errorf("got %q, want %q", x[0], x[1])
		}
	}
}

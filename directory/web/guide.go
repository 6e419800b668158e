package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	entities "html"
	"html/template"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	mdtable "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	mdtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"go.yaml.in/yaml/v3"

	shipped "kapdir/data"
	"kapdir/directory"
)

// The guide pages are running text: data/guide/LANGUAGE/NAME.md, rendered once when the program starts. A line
// such as [[limits]] stands for what only the program knows, or draws; templates/guide.html has each of these.

// guidePaths are the guide pages, in the order of the list at /guide, by their path in English. The last part of
// a path is the name of the file.
var guidePaths = []string{"/guide/what-is-kap", "/guide/evidence", "/guide/insurance", "/guide/badges",
	"/about/how-we-check", "/about/accuracy", "/about/privacy", "/about/accessibility", "/about/for-providers"}

// guideInserts are what a text may ask for.
var guideInserts = []string{"phases", "steps", "fall", "checks", "legend", "limits", "references", "accuracy", "removal", "contact", "samples", "scopes"}

// guide is the guide in one language.
type guide struct {
	pages    map[string]*guidePage // by path in English
	pictures map[string]picture
	studies  []study
}

// guidePage is the text of one page.
type guidePage struct {
	Path        string `yaml:"-"` // in English
	Title       string
	Description string
	Changed     directory.Date

	Blocks   []guideBlock   `yaml:"-"`
	Lead     int            `yaml:"-"` // how many blocks stand before the first heading
	Contents []guideHeading `yaml:"-"` // the headings of the second level
}

// guideBlock is a stretch of text, or the name of what stands between two.
type guideBlock struct {
	Text   template.HTML
	Insert string
}

type guideHeading struct{ ID, Text string }

// study is a row of data/evidence.csv, in the words of one language.
type study struct {
	Title, Journal, Kind, Measured, Unknown, DOI string
	Year, Participants, Studies                  int
	Read                                         directory.Date
	kind                                         string // as in the table
}

var studyKinds = []string{"randomized", "before_after", "records", "review", "theory"}

// loadGuides reads the guide in every language. A text that is missing or malformed fails the start.
func loadGuides() (map[*lang]*guide, error) {
	out := map[*lang]*guide{}
	for _, l := range languages {
		g := &guide{pages: map[string]*guidePage{}}
		dir := "guide/" + l.Code + "/"
		for _, path := range guidePaths {
			name := dir + path[strings.LastIndex(path, "/")+1:] + ".md"
			raw, err := fs.ReadFile(shipped.FS, name)
			if err != nil {
				return nil, fmt.Errorf("web: guide: %w", err)
			}
			p, err := parseGuide(raw)
			if err != nil {
				return nil, fmt.Errorf("web: %s: %w", name, err)
			}
			p.Path = path
			g.pages[path] = p
		}
		raw, err := fs.ReadFile(shipped.FS, dir+"pictures.json")
		if err == nil {
			err = json.Unmarshal(raw, &g.pictures)
		}
		if err == nil {
			g.studies, err = readStudies(l)
		}
		if err != nil {
			return nil, fmt.Errorf("web: guide in %s: %w", l.Code, err)
		}
		out[l] = g
	}
	return out, nil
}

var insertLine = regexp.MustCompile(`(?m)^\[\[([a-z]+)\]\]$`)

// parseGuide reads a page: its front matter, and the text behind it. HTML in a text is left out.
func parseGuide(raw []byte) (*guidePage, error) {
	rest, ok := strings.CutPrefix(string(raw), "---\n")
	front, body, found := strings.Cut(rest, "\n---\n")
	if !ok || !found {
		return nil, fmt.Errorf("no front matter")
	}
	p := &guidePage{}
	head := yaml.NewDecoder(strings.NewReader(front))
	head.KnownFields(true)
	if err := head.Decode(p); err != nil {
		return nil, err
	}
	if p.Title == "" || p.Description == "" || p.Changed.Midnight().Time().IsZero() {
		return nil, fmt.Errorf("the front matter lacks title, description or date of change")
	}
	lead, rest, _ := strings.Cut(body, "\n## ")
	if err := p.parse(lead); err != nil {
		return nil, err
	}
	p.Lead = len(p.Blocks)
	return p, p.parse("## " + rest)
}

// parse reads a stretch of a page's text.
func (p *guidePage) parse(body string) error {
	end := 0
	for _, at := range append(insertLine.FindAllStringSubmatchIndex(body, -1), nil) {
		stretch := body[end:]
		if at != nil {
			stretch, end = body[end:at[0]], at[1]
		}
		part, headings, err := renderGuide([]byte(stretch))
		if err != nil {
			return err
		}
		if strings.TrimSpace(part) != "" {
			p.Blocks = append(p.Blocks, guideBlock{Text: template.HTML(part)}) // ours, and goldmark escapes what is in it
		}
		p.Contents = append(p.Contents, headings...)
		if at == nil {
			break
		}
		insert := body[at[2]:at[3]]
		if !slices.Contains(guideInserts, insert) {
			return fmt.Errorf("[[%s]] is nothing", insert)
		}
		p.Blocks = append(p.Blocks, guideBlock{Insert: insert})
	}
	return nil
}

var markdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Typographer),
	goldmark.WithParserOptions(parser.WithAttribute(), parser.WithASTTransformers(util.Prioritized(labelCells{}, 500))))

// renderGuide makes HTML of Markdown, and lists its headings of the second level.
func renderGuide(source []byte) (page string, headings []guideHeading, err error) {
	doc := markdown.Parser().Parse(mdtext.NewReader(source))
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		h, ok := n.(*ast.Heading)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		id, ok := h.AttributeString("id")
		if !ok {
			return ast.WalkStop, fmt.Errorf("the heading %q has no {#id}", plainText(h, source))
		}
		if h.Level == 2 {
			headings = append(headings, guideHeading{string(id.([]byte)), plainText(h, source)})
		}
		return ast.WalkSkipChildren, nil
	})
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	if err := markdown.Renderer().Render(&b, source, doc); err != nil {
		return "", nil, err
	}
	// Who leaves by a link is not told on, and a link says so itself for browsers that ignore the header.
	return strings.ReplaceAll(b.String(), `<a href="https://`, `<a rel="noreferrer" href="https://`), headings, nil
}

// plainText is the text beneath a node.
func plainText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		switch t := c.(type) {
		case *ast.Text:
			if entering {
				b.Write(t.Segment.Value(source))
			}
		case *ast.String: // a quotation mark, as a reference to a sign
			if entering {
				b.WriteString(entities.UnescapeString(string(t.Value)))
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// labelCells gives each cell of a table the name of its column, for narrow screens, where a row is a small list.
type labelCells struct{}

func (labelCells) Transform(doc *ast.Document, r mdtext.Reader, _ parser.Context) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		t, ok := n.(*mdtable.Table)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		var names []string
		for row := t.FirstChild(); row != nil; row = row.NextSibling() {
			i := 0
			for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
				if row.Kind() == mdtable.KindTableHeader {
					names = append(names, plainText(cell, r.Source()))
				} else if i > 0 && i < len(names) && names[i] != "" { // the first names the row
					cell.SetAttributeString("data-label", []byte(names[i]))
				}
				i++
			}
		}
		return ast.WalkSkipChildren, nil
	})
}

func readStudies(l *lang) ([]study, error) {
	raw, err := fs.ReadFile(shipped.FS, "evidence.csv")
	if err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		return nil, err
	}
	var out []study
	for _, row := range rows[1:] {
		col := map[string]string{}
		for i, name := range rows[0] {
			col[name] = row[i]
		}
		s := study{kind: col["kind"], Title: col["title"], Journal: col["journal"], Kind: l.t("study.kind." + col["kind"]), Measured: col["measured_"+l.Code], Unknown: col["unknown_"+l.Code], DOI: col["doi"],
			Read: directory.Date(col["read_on"])}
		for name, to := range map[string]*int{"year": &s.Year, "participants": &s.Participants, "studies": &s.Studies} {
			if col[name] == "" {
				continue
			}
			if *to, err = strconv.Atoi(col[name]); err != nil {
				return nil, fmt.Errorf("evidence.csv: %s: %w", name, err)
			}
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b study) int { // as kinds of study are told on the page, and the newest first
		return cmp.Or(slices.Index(studyKinds, a.kind)-slices.Index(studyKinds, b.kind), b.Year-a.Year)
	})
	return out, nil
}

// guideView is a guide page with what stands in it.
type guideView struct {
	page
	Guide    *guidePage
	Pictures map[string]*drawing
	Studies  []study
	Checks   []howCheck
	Policy   directory.Policy
	Kinds    []howKind
	Accuracy *accuracy // nil while the first count is under way
	Titles   map[directory.CheckName]string
}

type howCheck struct{ Title, Asks string }

type howKind struct {
	Label string
	directory.KindPolicy
}

// guidePage answers GET /guide/:page and /about/:page.
func (s *Server) guidePage(c *fiber.Ctx) error {
	l := langOf(c)
	path := strings.TrimPrefix(c.Path(), l.prefix)
	g := s.guides[l]
	p, ok := g.pages[path]
	if !ok {
		return directory.NotFound
	}
	now := s.now()
	v := guideView{page: s.page(c, p.Title, p.Path), Guide: p, Pictures: map[string]*drawing{}, Policy: s.cfg.Policies.InForce(now, now)}
	v.Canonical, v.Description = p.Path, p.Description
	age := longestCache
	for _, b := range p.Blocks {
		switch b.Insert {
		case "phases", "steps", "fall":
			v.Pictures[b.Insert] = g.pictures[b.Insert].draw(b.Insert, v.Policy.Kinds[directory.License])
		case "references":
			v.Studies = g.studies
		case "accuracy":
			var err error
			if v.Accuracy, err = s.count.get(); err != nil {
				return err
			}
			v.Titles = l.checkTitles()
		case "checks":
			titles := l.checkTitles()
			for _, n := range directory.CheckNames {
				v.Checks = append(v.Checks, howCheck{titles[n], l.t("asks." + string(n))})
			}
		case "legend":
			for i := len(directory.CheckResults) - 1; i >= 0; i-- {
				r := directory.CheckResults[i]
				v.Legend = append(v.Legend, l.legend(r))
			}
		case "limits":
			for _, k := range []directory.ClaimKind{directory.License, directory.DisciplineScreen, directory.ExclusionScreen, directory.OversightLink,
				directory.ProtocolClaim, directory.TrainingCert, directory.ContactClaim} {
				v.Kinds = append(v.Kinds, howKind{l.t("kind." + string(k)), v.Policy.Kinds[k]})
			}
		}
	}
	if next := s.cfg.Policies.Boundary(now, now); next != "" { // a page tells of the policy in force, which may change by its own date
		age = min(age, next.Time().Sub(now.Time()))
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age="+strconv.Itoa(int(age/time.Second)))
	return s.sendPage(c, "guide", v)
}

// checkTitles names the five checks.
func (l *lang) checkTitles() map[directory.CheckName]string {
	out := map[directory.CheckName]string{}
	for _, n := range directory.CheckNames {
		out[n] = l.t("check." + string(n))
	}
	return out
}

// guideIndex answers GET /guide.
func (s *Server) guideIndex(c *fiber.Ctx) error {
	l := langOf(c)
	v := guideIndexView{page: s.page(c, l.t("guide.title"), "/guide")}
	v.Canonical, v.Description = "/guide", l.t("guide.description")
	for _, part := range []string{"guide", "about"} {
		group := guideGroup{Title: l.t("guide.group." + part)}
		for _, path := range guidePaths {
			if strings.HasPrefix(path, "/"+part+"/") {
				group.Pages = append(group.Pages, s.guides[l].pages[path])
			}
		}
		v.Groups = append(v.Groups, group)
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age="+strconv.Itoa(int(longestCache/time.Second)))
	return s.sendPage(c, "guides", v)
}

type guideIndexView struct {
	page
	Groups []guideGroup
}

type guideGroup struct {
	Title string
	Pages []*guidePage
}

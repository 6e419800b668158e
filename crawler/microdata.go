package crawler

import (
	"strings"

	"golang.org/x/net/html"
)

// items reads the microdata of a page (HTML, "Microdata") as the same objects that its JSON-LD would be, so
// that one reader serves both. An image is never a value, and neither is more text than a fact has.
func items(p *page) []any {
	m := &microdata{page: p, byID: map[string]*html.Node{}}
	var tops []*html.Node
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode {
				if id, ok := attr(c, "id"); ok && m.byID[id] == nil {
					m.byID[id] = c
				}
				_, scope := attr(c, "itemscope")
				if _, prop := attr(c, "itemprop"); scope && !prop {
					tops = append(tops, c)
				}
			}
			walk(c)
		}
	}
	for _, n := range p.doc.Nodes {
		walk(n)
	}
	var out []any
	for _, n := range tops {
		if item := m.item(n, 0); item != nil {
			out = append(out, item)
		}
	}
	return out
}

type microdata struct {
	page  *page
	byID  map[string]*html.Node
	count int
	text  int // characters of values so far
}

// The bounds of one page's microdata.
const (
	maxItemText  = 4 << 10 // of one value: prose, of which no field takes anything
	maxItemsText = 8 << 20
)

// item reads one item with all its properties; nil if the page holds too much.
func (m *microdata) item(n *html.Node, depth int) map[string]any {
	if m.count++; m.count > maxGraphNodes || depth > maxGraphDepth {
		return nil
	}
	out := map[string]any{whereKey: cssPath(n)}
	if types, ok := attr(n, "itemtype"); ok {
		var list []any
		for _, t := range strings.Fields(types) {
			if strings.Contains(t, "schema.org/") {
				list = append(list, t)
			}
		}
		out["@type"] = list
	}
	if id, ok := attr(n, "itemid"); ok {
		out["@id"] = strings.TrimSpace(id)
	}
	done := map[*html.Node]bool{n: true}
	m.properties(n, out, done, depth)
	refs, _ := attr(n, "itemref")
	for i, id := range strings.Fields(refs) {
		if r := m.byID[id]; r != nil && !done[r] && i < 20 {
			m.property(r, out, done, depth)
		}
	}
	return out
}

// properties reads those of the elements inside a node that are not of an item inside it.
func (m *microdata) properties(n *html.Node, out map[string]any, done map[*html.Node]bool, depth int) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			m.property(c, out, done, depth)
		}
	}
}

func (m *microdata) property(n *html.Node, out map[string]any, done map[*html.Node]bool, depth int) {
	if done[n] {
		return // itemref leads in a circle
	}
	done[n] = true
	names, prop := attr(n, "itemprop")
	_, scope := attr(n, "itemscope")
	if prop {
		var value any
		if scope {
			if item := m.item(n, depth+1); item != nil {
				value = item
			}
		} else if s := m.value(n); s != "" {
			value = s
		}
		for _, name := range strings.Fields(names) {
			if value == nil {
				continue
			}
			switch have := out[name].(type) {
			case nil:
				out[name] = value
			case []any:
				if len(have) < maxValues {
					out[name] = append(have, value)
				}
			default:
				out[name] = []any{have, value}
			}
		}
	}
	if !scope {
		m.properties(n, out, done, depth)
	}
}

// value is an element's text, or the attribute that HTML gives its value.
func (m *microdata) value(n *html.Node) string {
	s := ""
	switch n.Data {
	case "img", "audio", "video", "source", "embed", "iframe", "object", "picture":
		return ""
	case "a", "area", "link":
		href, _ := attr(n, "href")
		if u, err := m.page.base.Parse(strings.TrimSpace(href)); err == nil && href != "" {
			s = u.String()
		}
	case "data", "meter":
		s, _ = attr(n, "value")
	case "time":
		s, _ = attr(n, "datetime")
	}
	if content, ok := attr(n, "content"); ok && s == "" { // on meta; many write it on other elements too
		s = content
	}
	if s == "" {
		s = nodeText(n, nil)
	}
	if s = cleanText(s); len(s) > maxItemText || m.text+len(s) > maxItemsText {
		return ""
	}
	m.text += len(s)
	return s
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

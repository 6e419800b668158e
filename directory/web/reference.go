package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/yuin/goldmark"
	"go.yaml.in/yaml/v3"

	"kapdir/directory"
)

// The reference is openapi.yaml for people: made from the document when the server starts, so that it cannot say
// anything else. Its text is English, as that of the API is. Every operation that reads has a form. Without a script the
// form leads to the answer, by this page, which makes the address out of its fields; with one, the answer comes beneath it.

// reference is the document as the page shows it.
type reference struct {
	Intro      template.HTML
	Groups     []referenceGroup
	Shapes     []referenceShape
	operations map[string]*referenceOperation
}

type referenceGroup struct {
	ID, Name, Text string
	Operations     []*referenceOperation
}

type referenceOperation struct {
	ID, Method, Path, Summary string
	Text                      template.HTML
	Needs                     string // the right that a key must have; "" for what anybody may ask
	Notice                    bool   // we make the call, to a webhook; Path is the type of what it brings
	Body                      template.HTML
	Example                   string // of the body
	Params                    []referenceParam
	Answers                   []referenceAnswer
}

// Tried reports that the operation has a form: it changes nothing.
func (o *referenceOperation) Tried() bool { return o.Method == http.MethodGet && !o.Notice }

type referenceParam struct {
	Name, In string
	Required bool
	Type     template.HTML
	Text     string
	Enum     []string
	Default  string
	Example  string
}

type referenceAnswer struct {
	Status, Text string
	Type         template.HTML
	Example      string
}

// referenceShape is a schema that answers have.
type referenceShape struct {
	Name   string
	Text   template.HTML
	Type   template.HTML
	Fields []referenceField
}

type referenceField struct {
	Name     string
	Required bool
	Type     template.HTML
	Text     string
}

// node is a place in the document, whose keys keep their order.
type node struct{ *yaml.Node }

func (n node) get(keys ...string) node {
	for _, k := range keys {
		found := node{}
		n.each(func(name string, v node) {
			if name == k {
				found = v
			}
		})
		n = found
	}
	return n
}

func (n node) each(f func(name string, v node)) {
	if n.Node == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		f(n.Content[i].Value, node{n.Content[i+1]})
	}
}

func (n node) list() (out []node) {
	if n.Node != nil && n.Kind == yaml.SequenceNode {
		for _, x := range n.Content {
			out = append(out, node{x})
		}
	}
	return out
}

func (n node) text() string {
	if n.Node == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

func (n node) texts() (out []string) {
	for _, x := range n.list() {
		out = append(out, x.text())
	}
	return out
}

// document is the whole, in which references are followed.
type referenceReader struct {
	root   node
	shapes []string // that are named, in the order in which they were
}

func (r *referenceReader) follow(n node) node {
	for {
		ref := n.get("$ref").text()
		if ref == "" {
			return n
		}
		n = r.root.get(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
}

// type words.
const (
	wordOr   = " or "
	wordList = "list of "
)

// typeOf says in words what a schema takes, with links to the shapes that have a name.
func (r *referenceReader) typeOf(n node) template.HTML {
	if ref, ok := strings.CutPrefix(n.get("$ref").text(), "#/components/schemas/"); ok {
		if !r.object(ref) && r.root.get("components", "schemas", ref, "pattern").Node == nil {
			return r.typeOf(r.root.get("components", "schemas", ref))
		}
		if !slices.Contains(r.shapes, ref) {
			r.shapes = append(r.shapes, ref)
		}
		return template.HTML(`<a href="#shape-` + template.HTMLEscapeString(ref) + `">` + template.HTMLEscapeString(ref) + `</a>`) // #nosec G203: from our own document, escaped
	}
	words := func(s string) template.HTML { return template.HTML(template.HTMLEscapeString(s)) } // #nosec G203: escaped
	if list := append(n.get("oneOf").list(), n.get("anyOf").list()...); len(list) > 0 {
		var out []string
		for _, x := range list {
			out = append(out, string(r.typeOf(x)))
		}
		return template.HTML(strings.Join(slices.Compact(out), wordOr)) // #nosec G203: made here
	}
	if enum := n.get("enum").texts(); len(enum) > 0 {
		for i, x := range enum {
			if enum[i] = x; x == "" {
				enum[i] = `""`
			}
		}
		return words(strings.Join(enum, " | "))
	}
	if c := n.get("const"); c.Node != nil {
		return words(c.text())
	}
	types := n.get("type").texts()
	if t := n.get("type").text(); t != "" {
		types = []string{t}
	}
	var out []string
	for _, t := range types {
		switch t {
		case "array":
			out = append(out, wordList+string(r.typeOf(n.get("items"))))
		case "integer", "number":
			low, high := n.get("minimum").text(), n.get("maximum").text()
			switch {
			case low != "" && high != "":
				t += " " + low + " to " + high
			case low != "":
				t += " from " + low
			}
			out = append(out, t)
		case "string":
			if p := n.get("pattern").text(); p != "" {
				t += " " + string(words(p))
			}
			out = append(out, t)
		default:
			out = append(out, t)
		}
	}
	return template.HTML(strings.Join(out, wordOr)) // #nosec G203: made here
}

// object reports a named schema that is more than a single value.
func (r *referenceReader) object(name string) bool {
	s := r.root.get("components", "schemas", name)
	return s.get("properties").Node != nil || s.get("items").Node != nil
}

// fieldsOf lists the fields of an object, and of the objects within it that have no name of their own.
func (r *referenceReader) fieldsOf(n node, before string) (out []referenceField) {
	required := n.get("required").texts()
	n.get("properties").each(func(name string, v node) {
		f := referenceField{Name: before + name, Required: slices.Contains(required, name), Type: r.typeOf(v), Text: v.get("description").text()}
		if f.Text == "" {
			f.Text = r.follow(v).get("description").text()
		}
		if ref := v.get("$ref").text(); ref != "" && r.object(ref[strings.LastIndexByte(ref, '/')+1:]) {
			f.Text = v.get("description").text() // the shape says the rest itself
		}
		out = append(out, f)
		inner, at := v, before+name+"."
		if v.get("type").text() == "array" {
			inner, at = v.get("items"), before+name+"[]."
		}
		for _, x := range slices.Concat(inner.get("oneOf").list(), inner.get("anyOf").list(), []node{inner}) {
			out = append(out, r.fieldsOf(x, at)...)
		}
	})
	if values := n.get("additionalProperties"); values.get("type").Node != nil {
		out = append(out, referenceField{Name: before + "*", Type: r.typeOf(values)})
		if values.get("type").text() == "array" {
			out = append(out, r.fieldsOf(values.get("items"), before+"*[].")...)
		}
	}
	return out
}

// referenceTags are the groups that programs use; pages for people are described in the document too.
var referenceTags = []string{"Search", "Providers", "Sources", "Follow", "Webhooks", "Embeds", "Service"}

// readReference makes the reference out of the document.
func readReference(raw []byte) (*reference, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("web: openapi.yaml: %w", err)
	}
	r := &referenceReader{root: node{doc.Content[0]}}
	out := &reference{operations: map[string]*referenceOperation{}}
	var err error
	markdown := func(n node) template.HTML {
		var b bytes.Buffer
		if e := goldmark.Convert([]byte(n.text()), &b); e != nil && err == nil {
			err = e
		}
		return template.HTML(b.String()) // #nosec G203: of our own document, without raw HTML
	}
	out.Intro = markdown(r.root.get("info", "description"))
	groups := map[string]*referenceGroup{}
	for _, tag := range r.root.get("tags").list() {
		name := tag.get("name").text()
		groups[name] = &referenceGroup{ID: strings.ToLower(name), Name: name, Text: tag.get("description").text()}
	}
	r.root.get("paths").each(func(path string, item node) {
		item.each(func(method string, op node) {
			tags := op.get("tags").texts()
			if len(tags) != 1 || groups[tags[0]] == nil || !slices.Contains(referenceTags, tags[0]) || op.get("responses", "200").get("$ref").text() == "#/components/responses/Page" || op.get("responses", "200", "content", "text/vcard").Node != nil {
				return
			}
			o := &referenceOperation{ID: op.get("operationId").text(), Method: strings.ToUpper(method), Path: path, Summary: op.get("summary").text(), Text: markdown(op.get("description"))}
			anybody := op.get("security").Node == nil
			for _, way := range op.get("security").list() {
				anybody = anybody || len(way.Content) == 0
				if scopes := way.get("partnerKey").texts(); len(scopes) > 0 {
					o.Needs = scopes[0]
				}
			}
			if anybody {
				o.Needs = ""
			}
			r.describe(o, op)
			g := groups[tags[0]]
			g.Operations = append(g.Operations, o)
			out.operations[o.ID] = o
		})
	})
	r.root.get("webhooks").each(func(_ string, item node) {
		item.each(func(method string, op node) {
			o := &referenceOperation{ID: op.get("operationId").text(), Method: strings.ToUpper(method), Notice: true, Summary: op.get("summary").text(), Text: markdown(op.get("description"))}
			body := op.get("requestBody", "content", fiber.MIMEApplicationJSON)
			o.Path, o.Body, o.Example = strings.Join(r.follow(body.get("schema")).get("properties", "type", "enum").texts(), ""), r.typeOf(body.get("schema")), exampleOf(body.get("example"))
			r.describe(o, op)
			g := groups[strings.Join(op.get("tags").texts(), "")]
			g.Operations = append(g.Operations, o)
		})
	})
	for _, tag := range referenceTags {
		if g := groups[tag]; g != nil && len(g.Operations) > 0 {
			out.Groups = append(out.Groups, *g)
		}
	}
	for i := 0; i < len(r.shapes); i++ { // shapes name others
		name := r.shapes[i]
		s := r.root.get("components", "schemas", name)
		shape := referenceShape{Name: name, Text: markdown(s.get("description")), Fields: r.fieldsOf(s, "")}
		if !r.object(name) || s.get("type").text() == "array" {
			shape.Type = r.typeOf(s)
		}
		out.Shapes = append(out.Shapes, shape)
	}
	slices.SortFunc(out.Shapes, func(a, b referenceShape) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// describe reads an operation's parameters and answers.
func (r *referenceReader) describe(o *referenceOperation, op node) {
	for _, p := range op.get("parameters").list() {
		p = r.follow(p)
		schema := p.get("schema")
		x := referenceParam{Name: p.get("name").text(), In: p.get("in").text(), Required: p.get("required").text() == "true", Type: r.typeOf(schema), Text: p.get("description").text(),
			Default: r.follow(schema).get("default").text(), Example: p.get("example").text()}
		if list := p.get("example").list(); len(list) > 0 {
			x.Example = list[0].text()
		}
		if x.Enum = r.follow(schema).get("enum").texts(); len(x.Enum) == 0 {
			x.Enum = r.follow(schema).get("items", "enum").texts()
		}
		o.Params = append(o.Params, x)
	}
	op.get("responses").each(func(status string, v node) {
		v = r.follow(v)
		a := referenceAnswer{Status: status, Text: v.get("description").text()}
		v.get("content").each(func(kind string, c node) {
			if kind == fiber.MIMEApplicationJSON || a.Type == "" {
				if a.Type = r.typeOf(c.get("schema")); c.get("schema", "properties").Node != nil {
					a.Type = template.HTML(template.HTMLEscapeString(kind)) // #nosec G203: escaped
				}
				if e := c.get("example"); e.Node != nil {
					a.Example = exampleOf(e)
				}
			}
		})
		o.Answers = append(o.Answers, a)
	})
}

// theReference is read once: each server of a test would read it anew.
var theReference = sync.OnceValues(func() (*reference, error) { return readReference(openAPIDocument) })

// exampleOf writes an example as JSON.
func exampleOf(n node) string {
	var v any
	if n.Node == nil || n.Decode(&v) != nil {
		return ""
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return ""
	}
	return string(raw)
}

// referenceView is the page.
type referenceView struct {
	page
	*reference
	Words  map[string]string
	Values map[string]string // by the name of a parameter: one that there is
}

// referenceWords are the words of the page beside those of the document. Like it they are English alone.
var referenceWords = map[string]string{
	"contents": "Contents", "shapes": "Shapes of answers", "document": "This page is made from openapi.yaml, which tools read.", "begin": "Where to begin, with samples in four languages",
	"key": "Your key, for what needs one", "key.hint": "It stays in this page and is sent with what you try here. Never put a key into an address.",
	"needs": "Needs a key with the right", "anybody": "Anybody may ask, a limited number of times a minute.", "parameter": "Parameter", "what": "What it is", "required": "required", "parameters": "Parameters",
	"answers": "Answers", "status": "Status", "try": "Try it", "send": "Send", "in": "in the path", "default": "default", "command": "As a command", "failed": "No answer came. Are you online?",
	"answer": "The answer", "called": "We call your address:", "body": "Body", "field": "Field", "none": "no value", "always": "always there", "header": "as a header", "example": "Example", "large": "The answer is a file, or too long to show here.",
}

// referencePage answers GET /docs/api.
func (s *Server) referencePage(c *fiber.Ctx) error {
	if raw := rawQuery(c); raw != "" {
		return s.tryOperation(c, raw)
	}
	l := langOf(c)
	v := referenceView{page: s.page(c, l.t("docs.title"), "/docs/api"), reference: s.reference, Words: referenceWords, Values: map[string]string{}}
	v.Canonical, v.Description = "/docs/api", l.t("docs.lead")
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	if page, err := s.cfg.Reader.ChangePage(ctx, 0, 1); err == nil && len(page.Changes) > 0 { // somebody to ask for; without one the page is as good
		v.Values["id"] = string(page.Changes[0].Provider)
	}
	if list, err := s.givenExports(ctx); err == nil && len(list) > 0 {
		v.Values["seq"] = strconv.FormatInt(list[0].Seq, 10)
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=60")
	return s.sendPage(c, "reference", v)
}

// Value is what stands in a field at first.
func (v referenceView) Value(o *referenceOperation, p referenceParam) string {
	switch {
	case p.In == "path" && p.Name == "id" && !strings.Contains(o.Path, "/providers/"):
		return ""
	case p.In == "path":
		if known := v.Values[p.Name]; known != "" {
			return known
		}
		return p.Example
	case p.Required:
		return p.Example
	}
	return ""
}

// Command is the operation as a command for curl.
func (v referenceView) Command(o *referenceOperation) string {
	path := o.Path
	var query []string
	for _, p := range o.Params {
		switch value := v.Value(o, p); {
		case p.In == "path" && value != "":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(value))
		case p.In == "query" && value != "":
			query = append(query, url.QueryEscape(p.Name)+"="+url.QueryEscape(value))
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	out := "curl"
	if o.Method != http.MethodGet {
		out += " -X " + o.Method
	}
	if o.Needs != "" {
		out += ` -H "Authorization: Bearer $KAPDIR_KEY"`
	}
	return out + " '" + v.Base + path + "'"
}

// tryOperation answers GET /docs/api with the fields of a form: it leads on to the answer. It makes the address out of
// the operation's own path and parameters, leaves out what was left empty, and knows no other address.
func (s *Server) tryOperation(c *fiber.Ctx, raw string) error {
	fields, err := url.ParseQuery(raw)
	if err != nil || len(fields) > maxPairs {
		return fiber.ErrBadRequest
	}
	o := s.reference.operations[fields.Get("operation")]
	if o == nil || !o.Tried() {
		return directory.NotFound
	}
	path, query := o.Path, url.Values{}
	for _, p := range o.Params {
		for _, v := range fields[p.Name] {
			switch {
			case v == "":
			case p.In == "path":
				path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(v))
			case p.In == "query":
				query.Add(p.Name, v)
			}
		}
	}
	if strings.Contains(path, "{") { // what it needs was left empty
		return fiber.ErrBadRequest
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	c.Set(fiber.HeaderLocation, path)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(http.StatusSeeOther)
	return nil
}

package web

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/valyala/fasthttp"
	"go.yaml.in/yaml/v3"
)

// Every answer that any test of this package brings about is held to openapi.yaml, whatever the test looks at: the
// server itself hands each to the contract (watch), and a test run in which one did not conform fails, named by its
// request. Only the desk stands outside of the document.

// contract is the document, with every schema of an answer compiled.
type contract struct {
	routes []contractRoute

	mu     sync.Mutex
	broken []string
	seen   map[string]int // answers by operation and status
}

type contractRoute struct {
	template string
	pattern  *regexp.Regexp
	methods  map[string]map[string]*contractAnswer // by method and status
}

type contractAnswer struct {
	headers map[string]map[string]any // by name: the schema
	content map[string]*jsonschema.Schema
}

var variable = regexp.MustCompile(`\\\{[a-z]+\\\}`)

var theContract = sync.OnceValues(func() (*contract, error) { return readContract(openAPIDocument) })

func readContract(raw []byte) (*contract, error) {
	var doc map[string]any
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	plain, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	const at = "https://kapdir.example/openapi.json"
	if err := compiler.AddResource(at, whole); err != nil {
		return nil, err
	}
	// follow returns what stands at a place in the document, behind references.
	follow := func(v any, pointer string) (map[string]any, string) {
		for {
			m, _ := v.(map[string]any)
			ref, ok := m["$ref"].(string)
			if !ok {
				return m, pointer
			}
			pointer = strings.TrimPrefix(ref, "#")
			v = any(doc)
			for _, part := range strings.Split(pointer, "/")[1:] {
				v = v.(map[string]any)[part]
			}
		}
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	c := &contract{seen: map[string]int{}}
	for template, item := range doc["paths"].(map[string]any) {
		r := contractRoute{template: template, methods: map[string]map[string]*contractAnswer{}}
		r.pattern = regexp.MustCompile("^" + variable.ReplaceAllString(regexp.QuoteMeta(template), "[^/]+") + "$")
		for method, op := range item.(map[string]any) {
			answers := map[string]*contractAnswer{}
			for status, v := range op.(map[string]any)["responses"].(map[string]any) {
				response, pointer := follow(v, "/paths/"+escape.Replace(template)+"/"+method+"/responses/"+status)
				a := &contractAnswer{headers: map[string]map[string]any{}, content: map[string]*jsonschema.Schema{}}
				headers, _ := response["headers"].(map[string]any)
				for name, h := range headers {
					header, _ := follow(h, "")
					a.headers[name], _ = follow(header["schema"], "")
				}
				content, _ := response["content"].(map[string]any)
				for kind := range content {
					schema, err := compiler.Compile(at + "#" + pointer + "/content/" + escape.Replace(kind) + "/schema")
					if err != nil {
						return nil, fmt.Errorf("%s %s %s: %w", method, template, status, err)
					}
					a.content[kind] = schema
				}
				answers[status] = a
			}
			r.methods[strings.ToUpper(method)] = answers
		}
		c.routes = append(c.routes, r)
	}
	slices.SortFunc(c.routes, func(a, b contractRoute) int { // a path with fewer variables goes before one with more, and one that says more first
		return cmp.Or(strings.Count(a.template, "{")-strings.Count(b.template, "{"), len(b.template)-len(a.template))
	})
	return c, nil
}

// answer is what went over the wire, as far as the document speaks of it.
type answer struct {
	method, path string
	status       int
	header       func(string) string
	body         []byte // unpacked; nil where it is not looked at
	looked       bool
}

// check returns what is wrong with an answer, and the operation that it is of. Where two paths of the document fit the
// address, as one that ends in .json and one that takes any name, the answer may be either's.
func (c *contract) check(a answer) (operation, wrong string) {
	path := a.path
	if es, ok := strings.CutPrefix(path, spanish.prefix+"/"); ok { // a page has one description in both languages
		path = "/" + es
	}
	method := a.method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	known := false
	for _, r := range c.routes {
		if !r.pattern.MatchString(path) {
			continue
		}
		known = true
		if r.methods[method] == nil {
			continue
		}
		says := a.against(r.methods[method])
		if operation == "" || says == "" {
			operation, wrong = method+" "+r.template, says
		}
		if says == "" {
			return operation, ""
		}
	}
	if operation != "" {
		return operation, wrong
	}
	switch kind := a.kind(); {
	case path == spanish.prefix && a.status == http.StatusPermanentRedirect:
		return "GET " + path, ""
	case a.method == http.MethodOptions && a.status == http.StatusNoContent: // what a browser asks before a page elsewhere may
		return "OPTIONS", ""
	case a.status == http.StatusMethodNotAllowed && a.header("Allow") == "", a.status == http.StatusNotFound && known:
	case slices.Contains([]int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusRequestHeaderFieldsTooLarge}, a.status):
		if api := strings.HasPrefix(a.path, "/api/"); kind == "application/problem+json" && (api || known) || kind == "text/html" && !api {
			return "none", ""
		}
	}
	return "none", fmt.Sprintf("is no operation of the document and answers %d as %s", a.status, a.kind())
}

func (a answer) kind() string {
	kind, _, _ := mime.ParseMediaType(a.header("Content-Type"))
	return kind
}

// against holds the answer to those of an operation.
func (a answer) against(answers map[string]*contractAnswer) (wrong string) {
	want := answers[fmt.Sprint(a.status)]
	if want == nil {
		return fmt.Sprintf("answers %d, which the document does not name", a.status)
	}
	for name, schema := range want.headers {
		got := a.header(name)
		if fixed, ok := schema["const"].(string); ok && got != fixed {
			return fmt.Sprintf("%d: %s is %q", a.status, name, got)
		}
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(got) {
			return fmt.Sprintf("%d: %s is %q", a.status, name, got)
		}
	}
	kind := a.kind()
	schema, known := want.content[kind]
	if any, ok := want.content["*/*"]; ok && !known {
		schema, known = any, true
	}
	switch {
	case kind == "" && (len(want.content) == 0 || a.status >= 300 && a.status < 400):
		return ""
	case !known:
		return fmt.Sprintf("%d: the document does not name %q", a.status, kind)
	case !a.looked || !strings.HasSuffix(kind, "json") || a.status == http.StatusPartialContent:
		return ""
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		return fmt.Sprintf("%d: %.1500s", a.status, err)
	}
	return ""
}

// observe is what the server calls with every answer while tests run.
func (c *contract) observe(rc *fasthttp.RequestCtx) {
	path := string(rc.URI().PathOriginal()) // by which routes are found
	if path == "/staff" || strings.HasPrefix(path, "/staff/") {
		return
	}
	a := answer{method: string(rc.Method()), path: path, status: rc.Response.StatusCode(), header: func(n string) string {
		for name, v := range rc.Response.Header.All() { // Peek would look for some names as it writes them itself
			if strings.EqualFold(string(name), n) {
				return string(v)
			}
		}
		return ""
	}}
	if !rc.Response.IsBodyStream() && a.method != http.MethodHead && len(rc.Response.Body()) > 0 {
		a.body, a.looked = rc.Response.Body(), true
		if a.header("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(bytes.NewReader(a.body))
			if err == nil {
				a.body, err = io.ReadAll(z)
			}
			if err != nil {
				a.body = nil
			}
		}
	}
	operation, wrong := c.check(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprintf("%s %d", operation, a.status)]++
	if wrong != "" && len(c.broken) < 20 {
		c.broken = append(c.broken, fmt.Sprintf("%s %s %s", a.method, rc.RequestURI(), wrong))
	}
}

// The contract finds what it is there to find.
func TestTheContractHolds(t *testing.T) {
	c, err := readContract(openAPIDocument)
	if err != nil {
		t.Fatal(err)
	}
	header := func(kind string) func(string) string {
		return func(n string) string {
			return map[string]string{"Content-Type": kind, "Cache-Control": "no-store", "Allow": "GET, HEAD"}[n]
		}
	}
	good := `{"status":"ok"}`
	for _, x := range []struct {
		name  string
		a     answer
		fails bool
	}{
		{"good", answer{"GET", "/livez", 200, header("application/json"), []byte(good), true}, false},
		{"a field too many", answer{"GET", "/livez", 200, header("application/json"), []byte(`{"status":"ok","more":1}`), true}, true},
		{"another value", answer{"GET", "/livez", 200, header("application/json"), []byte(`{"status":"no"}`), true}, true},
		{"no JSON", answer{"GET", "/livez", 200, header("application/json"), []byte(`x`), true}, true},
		{"another kind", answer{"GET", "/livez", 200, header("text/plain"), []byte(good), true}, true},
		{"another status", answer{"GET", "/livez", 202, header("application/json"), []byte(good), true}, true},
		{"a header", answer{"GET", "/api/v1/exports", 200, func(n string) string { return map[string]string{"Content-Type": "application/json"}[n] }, []byte(`{"exports":[],"demo":null}`), true}, true},
		{"a page as JSON", answer{"GET", "/es/guide", 200, header("application/json"), []byte(good), true}, true},
		{"a page", answer{"GET", "/es/guide", 200, header("text/html"), nil, false}, false},
		{"nowhere", answer{"GET", "/nowhere", 404, header("text/html"), nil, false}, false},
		{"nowhere, found", answer{"GET", "/nowhere", 200, header("text/html"), nil, false}, true},
		{"a method", answer{"DELETE", "/livez", 405, header("text/html"), nil, false}, false},
		{"a method that does something", answer{"DELETE", "/livez", 200, header("application/json"), []byte(good), true}, true},
		{"a problem of the API as a page", answer{"GET", "/api/v1/nothing", 404, header("text/html"), nil, false}, true},
	} {
		if _, wrong := c.check(x.a); (wrong != "") != x.fails {
			t.Errorf("%s: %q", x.name, wrong)
		}
	}
}

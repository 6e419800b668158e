package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func document(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPIDocument)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// specPath turns a route's pattern into a path of the document.
func specPath(pattern string) string {
	parts := strings.Split(pattern, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, ":"); ok {
			name, ext, dotted := strings.Cut(name, ".")
			if parts[i] = "{" + name + "}"; dotted {
				parts[i] += "." + ext
			}
		}
	}
	return strings.Join(parts, "/")
}

func patternsOf(s *Server, methods ...string) []string {
	var out []string
	for _, r := range s.App().GetRoutes(true) {
		if slices.Contains(methods, r.Method) && !slices.Contains(out, r.Path) {
			out = append(out, r.Path)
		}
	}
	slices.Sort(out)
	return out
}

func TestDocumentIsValid(t *testing.T) {
	doc := document(t)
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		t.Error(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
}

// deeds are the routes that do more than read.
var deeds = []string{reportPattern, spanish.To(reportPattern), "/api/v1/hooks/:id/test", "/api/v1/hooks/:id/replay"}

// Every route stands in the document, every path of the document is a route, and all but a few only read.
func TestRoutesAndDocumentAgree(t *testing.T) {
	s := demoServer(t)
	var routes, paths []string
	for _, r := range s.App().GetRoutes(true) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && (r.Method != http.MethodPost || !slices.Contains(deeds, r.Path)) {
			t.Errorf("%s %s is a route that does more than read", r.Method, r.Path)
		}
	}
	pages := map[string]int{} // in one language or both
	for _, p := range patternsOf(s, http.MethodGet, http.MethodPost) {
		if english, ok := strings.CutPrefix(p, spanish.prefix+"/"); ok {
			pages["/"+english]++
		} else if p != spanish.prefix {
			routes = append(routes, specPath(p))
		}
	}
	for p, item := range document(t).Paths.Map() {
		for method := range item.Operations() {
			if method != http.MethodGet && (method != http.MethodPost || !slices.ContainsFunc(deeds, func(d string) bool { return specPath(d) == p })) {
				t.Errorf("the document has %s %s", method, p)
			}
		}
		if paths = append(paths, p); item.Get == nil {
			continue
		}
		if r := item.Get.Responses.Value("200"); r != nil && r.Ref == "#/components/responses/Page" || r != nil && r.Value.Content["text/vcard"] != nil {
			pages[strings.ReplaceAll(strings.ReplaceAll(p, "{", ":"), "}", "")]++
		}
	}
	for p, n := range pages {
		if n != 2 {
			t.Errorf("%s is a page in one language alone", p)
		}
	}
	slices.Sort(routes)
	slices.Sort(paths)
	if d := cmp.Diff(paths, routes); d != "" {
		t.Errorf("document and routes differ (-document +routes):\n%s", d)
	}
}

// The parameters that are read are those of the document, in both directions.
func TestParametersAndDocumentAgree(t *testing.T) {
	doc := document(t)
	for path, params := range map[string][]param{"/api/v1/providers": apiSearchParams, "/api/v1/providers/{id}": providerParams, "/api/v1/suggest": suggestParams, "/api/v1/changes": feedParams, "/api/v1/providers/{id}/credentials": credentialsParams, "/api/v1/sources": nil, "/api/v1/statistics": nil} {
		var got, want []string
		for _, p := range params {
			got = append(got, p.name)
		}
		for _, p := range doc.Paths.Find(path).Get.Parameters {
			if p.Value.In != "query" {
				continue
			}
			want = append(want, p.Value.Name)
			i := slices.IndexFunc(params, func(x param) bool { return x.name == p.Value.Name })
			if i >= 0 && params[i].multi != p.Value.Schema.Value.Type.Is("array") {
				t.Errorf("%s: %s: repeatable is %v", path, p.Value.Name, params[i].multi)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-document +read):\n%s", path, d)
		}
	}
	for _, f := range facetParams {
		if len(f.values) == 0 || f.name == "check" || f.name == "programme" {
			continue
		}
		for _, p := range doc.Paths.Find("/api/v1/providers").Get.Parameters {
			if p.Value.Name != f.name {
				continue
			}
			var want []string
			for _, v := range p.Value.Schema.Value.Items.Value.Enum {
				want = append(want, v.(string))
			}
			if d := cmp.Diff(want, f.values); d != "" {
				t.Errorf("values of %s (-document +read):\n%s", f.name, d)
			}
		}
	}
}

// conforms checks a response against the document.
func conforms(t testing.TB, doc *openapi3.T, pattern, target string, r reply) {
	t.Helper()
	item := doc.Paths.Find(specPath(pattern))
	if item == nil {
		t.Fatalf("%s is not in the document", pattern)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	method, operation := http.MethodGet, item.Get
	if operation == nil {
		method, operation = http.MethodPost, item.Post
	}
	req := &http.Request{Method: method, URL: u, Header: http.Header{}}
	in := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: &routers.Route{Spec: doc, Path: specPath(pattern), PathItem: item, Method: method, Operation: operation}},
		Status:                 r.StatusCode, Header: r.Header, Body: io.NopCloser(bytes.NewReader([]byte(r.body))),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}
	if err := openapi3filter.ValidateResponse(context.Background(), in); err != nil {
		t.Errorf("%s %s: %d does not conform: %v", method, target, r.StatusCode, err)
	}
}

func init() {
	asText := func(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
		b, err := io.ReadAll(body)
		return string(b), err
	}
	openapi3filter.RegisterBodyDecoder("text/html", asText)
}

func TestAnswersConform(t *testing.T) {
	s, doc := hasCounted(t, demoServer(t, keyed)), document(t)
	amara := idOf(t, "Amara Whitcomb")
	for _, x := range []struct {
		pattern, target string
		status          int
	}{
		{"/api/v1/providers", "/api/v1/providers", 200},
		{"/api/v1/providers", "/api/v1/providers?q=trauma&state=CO&limit=50", 200},
		{"/api/v1/providers", "/api/v1/providers?near=80302&radius=100&sort=distance&care=full_kap&care=infusion_only&check=license:confirmed", 200},
		{"/api/v1/providers", "/api/v1/providers?near=Springfield&telehealth=Texas&price_max=900", 200},
		{"/api/v1/providers", "/api/v1/providers?q=suicidal", 200},
		{"/api/v1/providers", "/api/v1/providers?q=zzzzzzzzzzqqqq", 200},
		{"/api/v1/providers", "/api/v1/providers?q=ketamin+theripist+for+ptds+near+bolder+under+900+telehealth+ok+best+no+iv", 200},
		{"/api/v1/providers", "/api/v1/providers?q=who+can+see+me+in+Colorado&lift=can_see:CO&words=state:CO", 200},
		{"/api/v1/providers", "/api/v1/providers?q=who+can+see+me+in+Colorado", 200},
		{"/api/v1/providers", "/api/v1/providers?q=near+me", 200},
		{"/api/v1/providers", "/api/v1/providers?q=Amara+Witcombe&lift=name:x", 200},
		{"/api/v1/providers", "/api/v1/providers?q=trauma+in+Colorado+under+5+dollars&route=subcutaneous", 200},
		{"/api/v1/providers", "/api/v1/providers?can_see=CO&video=yes&payment=superbill&access=asl", 200},
		{"/api/v1/providers", "/api/v1/providers?q=trauma&near=80302&radius=100&explain=true", 200},
		{"/api/v1/providers", "/api/v1/providers?explain=false", 200},
		{"/api/v1/providers", "/api/v1/providers?explain=yes", 400},
		{"/api/v1/providers", "/api/v1/providers?q=trauma&facets=focus&facets=state", 200},
		{"/api/v1/providers", "/api/v1/providers?facets=none", 200},
		{"/api/v1/providers", "/api/v1/providers?facets=price", 400},
		{"/api/v1/providers", "/api/v1/providers?q=a&lift=x", 400},
		{"/api/v1/providers", "/api/v1/providers?radius=5", 400},
		{"/api/v1/providers", "/api/v1/providers?cursor=zzz", 400},
		{"/api/v1/providers/:id", api(amara), 200},
		{"/api/v1/providers/:id", api(amara) + "?state=UT", 200},
		{"/api/v1/providers/:id", "/api/v1/providers/prv_00000000000000000000000000", 404},
		{"/api/v1/providers/:id", "/api/v1/providers/me", 404},
		{"/api/v1/providers/:id", api(amara) + "?states=UT", 400},
		{"/api/v1/providers/:id/credentials", api(amara) + "/credentials", 200},
		{"/api/v1/providers/:id/credentials", api(amara) + "/credentials?at=2026-11-01", 200},
		{"/api/v1/providers/:id/credentials", api(amara) + "/credentials?known=2026-11-01", 400},
		{"/api/v1/providers/:id/credentials", "/api/v1/providers/prv_00000000000000000000000000/credentials", 404},
		{"/api/v1/statistics", "/api/v1/statistics", 200},
		{"/api/v1/statistics", "/api/v1/statistics?state=CO", 400},
		{"/api/v1/suggest", "/api/v1/suggest?q=bou", 200},
		{"/api/v1/suggest", "/api/v1/suggest", 400},
		{"/api/v1/sources", "/api/v1/sources", 200},
		{"/api/v1/sources", "/api/v1/sources?source=leie", 400},
		{"/api/v1/changes", "/api/v1/changes?limit=8", 200},
		{"/api/v1/changes", "/api/v1/changes?wait=31", 400},
		{"/api/v1/exports", "/api/v1/exports", 200},
		{"/api/v1/exports/:seq/manifest.json", "/api/v1/exports/1/manifest.json", 404},
		{"/api/v1/exports/:seq/:file", "/api/v1/exports/1/providers.jsonl.gz", 404},
		{"/openapi.yaml", "/openapi.yaml", 200},
		{"/livez", "/livez", 200},
		{"/readyz", "/readyz", 200},
		{"/", "/", 200},
		{"/", "/?near=nowhere+at+all", 400},
		{"/providers/:id", pageOf(amara), 200},
		{"/providers/:id", "/providers/prv_00000000000000000000000000", 404},
		{"/guide", "/guide", 200}, {"/guide/:page", "/guide/evidence", 200}, {"/about/:page", "/about/how-we-check", 200}, {"/about/:page", "/about/accuracy", 200}, {"/guide/:page", "/guide/nothing", 404},
		{"/sources", "/sources", 200},
		{"/robots.txt", "/robots.txt", 200},
	} {
		r := kget(t, s, x.target)
		if r.StatusCode != x.status {
			t.Errorf("GET %s: %d, want %d: %.300s", x.target, r.StatusCode, x.status, r.body)
			continue
		}
		conforms(t, doc, x.pattern, x.target, r)
	}
}

// Everybody's JSON conforms, in their own state and in another.
func TestEveryProviderConforms(t *testing.T) {
	s, doc := demoServer(t), document(t)
	for i, id := range everybody(t) {
		target := api(id)
		if i%4 != 0 { // the validator takes 30 ms a document
			continue
		}
		if i%12 == 0 {
			target += "?state=TX"
		}
		r := get(t, s, target)
		if r.StatusCode != 200 {
			t.Fatalf("%s: %d %s", target, r.StatusCode, r.body)
		}
		conforms(t, doc, "/api/v1/providers/:id", target, r)
		p := decode[provider](t, r)
		if p.ID != id || len(p.Checks) != len(directory.CheckNames) {
			t.Errorf("%s: id %s, %d checks", id, p.ID, len(p.Checks))
		}
		if t.Failed() {
			return
		}
	}
}

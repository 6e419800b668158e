package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// The reference says all that the document says of what programs use, in both frames, and asks nobody else.
func TestReferenceIsTheDocument(t *testing.T) {
	s, _, _ := exporting(t)
	doc := document(t)
	for _, l := range languages {
		r := get(t, s, l.To("/docs/api"))
		d := dom(t, r)
		if r.StatusCode != 200 || d.Find(`main [lang="en"] h2#shapes`).Length() != 1 || d.Find("main .note").Length() != map[bool]int{true: 0, false: 1}[l == english] {
			t.Fatalf("%s: %d", l.Code, r.StatusCode)
		}
		d.Find("script, link[rel=stylesheet], img, iframe").Each(func(_ int, x *goquery.Selection) {
			if at := x.AttrOr("src", "") + x.AttrOr("href", ""); !strings.HasPrefix(at, "/assets/") || x.AttrOr("integrity", "") == "" {
				t.Errorf("%s: %s", l.Code, at)
			}
		})
		if n := d.Find("main [style], main script").Length(); n > 0 {
			t.Errorf("%s: %d with a style or a script of their own", l.Code, n)
		}
		shown := 0
		for path, item := range doc.Paths.Map() {
			for method, op := range item.Operations() {
				if !slices.Contains(referenceTags, op.Tags[0]) || op.OperationID == "embedPage" || op.OperationID == "contactCard" {
					continue
				}
				shown++
				panel := d.Find("h3#" + op.OperationID).Closest("section")
				words := text(panel.Text())
				if panel.Length() != 1 || !strings.Contains(words, method+" "+path) || !strings.Contains(words, op.Summary) {
					t.Errorf("%s: %s %s is not on the page", l.Code, method, path)
					continue
				}
				for _, p := range op.Parameters {
					if !strings.Contains(words, p.Value.Name) || !strings.Contains(words, text(p.Value.Description)) {
						t.Errorf("%s: %s: parameter %s", l.Code, op.OperationID, p.Value.Name)
					}
				}
				for status, resp := range op.Responses.Map() {
					if !strings.Contains(words, status) || !strings.Contains(words, text(*resp.Value.Description)) {
						t.Errorf("%s: %s: status %s", l.Code, op.OperationID, status)
					}
				}
				if n := panel.Find("form").Length(); n != map[bool]int{true: 1, false: 0}[method == http.MethodGet] {
					t.Errorf("%s: %s has %d forms", l.Code, op.OperationID, n)
				}
			}
		}
		for name, item := range doc.Webhooks { // what we ask of others
			op := item.Post
			panel := d.Find("h3#" + op.OperationID).Closest("section")
			body := op.RequestBody.Value.Content["application/json"]
			words := text(panel.Text())
			for _, need := range []string{op.Summary, body.Schema.Value.Properties["type"].Value.Enum[0].(string), strings.TrimPrefix(body.Schema.Ref, "#/components/schemas/"), "webhook-signature", "410"} {
				if !strings.Contains(words, need) && !(need == "410" && name == "test") {
					t.Errorf("%s: %s does not say %s", l.Code, name, need)
				}
			}
			if panel.Find("form").Length() != 0 || strings.Contains(words, "curl") {
				t.Errorf("%s: %s can be tried", l.Code, name)
			}
			if body.Example != nil {
				if err := body.Schema.Value.VisitJSON(body.Example); err != nil || !strings.Contains(words, "evt_") {
					t.Errorf("%s: the example of %s: %v", l.Code, name, err)
				}
			}
			shown++
		}
		if shown < 20 {
			t.Errorf("%d operations: the test tests too little", shown)
		}
		d.Find(`a[href^="#"]`).Each(func(_ int, x *goquery.Selection) {
			if id := x.AttrOr("href", "#"); d.Find(id).Length() != 1 {
				t.Errorf("%s: a link leads to %s", l.Code, id)
			}
		})
	}
}

// Every form leads to an answer without a script: what it holds at first is a question that is answered.
func TestReferenceFormsLeadToAnswers(t *testing.T) {
	_, _, dir := exporting(t)
	partners, key, hook, embed := generatedPartner(t)
	s := hasCounted(t, demoServer(t, func(c *Config) { c.Exports, c.Integrators = dir, partners }))
	led := 0
	dom(t, get(t, s, "/docs/api")).Find("form.docs-try").Each(func(_ int, f *goquery.Selection) {
		q := url.Values{}
		f.Find("input[name]").Each(func(_ int, x *goquery.Selection) { q.Set(x.AttrOr("name", ""), x.AttrOr("value", "")) })
		f.Find("select[name]").Each(func(_ int, x *goquery.Selection) {
			first := x.Find("option").First()
			q.Set(x.AttrOr("name", ""), first.AttrOr("value", first.Text()))
		})
		operation := q.Get("operation")
		switch { // of what is a partner's own the page knows nothing
		case strings.Contains(f.AttrOr("data-path", ""), "/hooks/"):
			q.Set("id", hook)
		case strings.Contains(f.AttrOr("data-path", ""), "/embed/"):
			q.Set("id", embed)
		case operation == "oEmbed":
			q.Set("url", "https://kapdir.example/embed/"+embed)
		case operation == "suggest":
			q.Set("q", "bou")
		}
		r := get(t, s, f.AttrOr("action", "")+"?"+q.Encode())
		to := r.Header.Get("Location")
		if r.StatusCode != 303 || strings.HasSuffix(to, "?") || strings.Contains(to, "=&") || strings.HasSuffix(to, "=") {
			t.Errorf("%s leads with %d to %s", operation, r.StatusCode, to)
			return
		}
		if r := get(t, s, to, "Authorization", "Bearer "+key); r.StatusCode != 200 {
			t.Errorf("%s leads to %s, which is %d: %.300s", operation, to, r.StatusCode, r.body)
		}
		led++
	})
	if led < 15 {
		t.Errorf("%d forms: the test tests too little", led)
	}
	for query, want := range map[string]int{"operation=nothing": 404, "operation=testWebhook&id=x": 404, "operation=getProvider": 400, "operation=getProvider&id=": 400, "q=trauma": 404, "%zz": 400} {
		if r := get(t, s, "/docs/api?"+query); r.StatusCode != want {
			t.Errorf("%s: %d", query, r.StatusCode)
		}
	}
	for _, id := range []string{"//evil.test", "../../staff", "x?y#z", "\r\nX: y", "https://evil.test"} {
		r := get(t, s, "/docs/api?operation=getProvider&id="+url.QueryEscape(id)+"&nonsense=1")
		if to := r.Header.Get("Location"); r.StatusCode != 303 || to != "/api/v1/providers/"+url.PathEscape(id) {
			t.Errorf("%q: %d, %q", id, r.StatusCode, to)
		}
	}
}

package web

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"kapdir/directory"
	"kapdir/directory/store"
)

var (
	generatedCount = flag.Int("generated", 0, "requests that TestGeneratedRequests makes of each operation; 300 of the API's and 60 of the others if 0")
	generatedSeed  = flag.Uint64("generated-seed", 0, "where TestGeneratedRequests begins; the time if 0")
)

// operation is an operation of the document, as requests for it are made.
type operation struct {
	method, path string
	params       []operationParam
}

type operationParam struct {
	Name     string
	In       string
	Required bool
	Example  any
	Schema   paramSchema
	Ref      string `yaml:"$ref"`
}

type paramSchema struct {
	Ref     string `yaml:"$ref"`
	Type    any
	Enum    []string
	Pattern string
	Minimum *int64
	Maximum *int64
	Items   *paramSchema
}

// operationsOf reads the operations out of the document itself: what is added to it is asked for.
func operationsOf(t *testing.T) (out []operation) {
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []operationParam
		}
		Components struct{ Parameters map[string]operationParam }
	}
	if err := yaml.Unmarshal(openAPIDocument, &doc); err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			o := operation{method: strings.ToUpper(method), path: path}
			for _, p := range op.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					p = doc.Components.Parameters[name]
				}
				if p.Name == "" {
					t.Fatalf("%s %s has a parameter without a name", method, path)
				}
				o.params = append(o.params, p)
			}
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return out
}

// maker makes requests. What it picks from is real as often as not: a request that is refused for its first fault
// tests nothing behind it.
type maker struct {
	*rand.Rand
	ids     []string
	hooks   []string
	embeds  []string
	key     string
	seq     int64 // of the export that there is
	head    int64
	tags    map[string]string // by operation: a tag that it sent
	cursors []string
	assets  []string
}

var askedWords = []string{"trauma", "boulder", "denver co", "ketamin theripist for ptds near bolder under $900", "who can see me in ohio", "lozenge no iv", "Amara Whitcomb", "suicidal", "english spanish", "PSY.0005042", "2744529555",
	"near me", "veteran couple", "telehealth texas", "zzqx", "ansiedad en Colorado", "emdr ifs", "cheap", "open now", "a", "the of and"}

var strangeWords = []string{"", " ", "\x00", "\x7f", "\r\nSet-Cookie: x=1", "<script>alert(1)</script>", "' OR 1=1 --", "%", "%zz", "\u202e", "\xff\xfe", "😀😀", "-1", "0", "1e9", "NaN", "null", "true", "[]", "{}", "../../etc/passwd", "prv_", "999999999999999999999999",
	strings.Repeat("a", 501), strings.Repeat("word ", 101), strings.Repeat("ä", 900), "2026-13-45", "2026-02-30T25:61:61Z", "0001-01-01", "9999-12-31", "license:confirmed:x", "state:WA", "all", "CO", "colorado", "ZZ", "80302", "00000", "Springfield", "Boulder, CO"}

func pick[T any](m *maker, list []T) T { return list[m.IntN(len(list))] }

// value makes a value that a parameter may have, or one time in so many any other.
func (m *maker) value(p operationParam, odd int) string {
	if m.IntN(odd) == 0 {
		if m.IntN(3) == 0 {
			b := make([]byte, m.IntN(40))
			for i := range b {
				b[i] = byte(m.IntN(256))
			}
			return string(b)
		}
		return pick(m, strangeWords)
	}
	s := p.Schema
	if s.Items != nil {
		s = *s.Items
	}
	switch {
	case strings.HasSuffix(s.Ref, "/WebhookID"):
		return pick(m, m.hooks)
	case strings.HasSuffix(s.Ref, "/EmbedID") || p.Name == "embed":
		return pick(m, m.embeds)
	case p.Name == "url":
		return "https://kapdir.example" + pick(m, []string{"/embed/" + pick(m, m.embeds), "/providers/" + pick(m, m.ids), "/", "/nothing"})
	case p.Name == "id":
		if m.IntN(10) == 0 {
			return string(directory.NewID(directory.ProviderPrefix, directory.At(time.Now())))
		}
		return pick(m, m.ids)
	case p.Name == "ids":
		return strings.Join([]string{pick(m, m.ids), pick(m, m.ids)}[:1+m.IntN(2)], ",")
	case p.Name == "seq" && m.IntN(5) > 0:
		return strconv.FormatInt(m.seq, 10)
	case p.Name == "after":
		return strconv.FormatInt(m.Int64N(m.head), 10) // below the head nobody waits
	case p.Name == "cursor" && len(m.cursors) > 0:
		return pick(m, m.cursors)
	case p.Name == "name":
		return pick(m, m.assets)
	case p.Name == "Range":
		return pick(m, []string{"bytes=0-", "bytes=0-99", "bytes=-5", "bytes=100-1", "bytes=1-2,3-4", "bytes=99999999-", "items=1"})
	case p.Name == "limit" && s.Maximum != nil && *s.Maximum > 100: // a page of 200 takes as long as forty others
		return strconv.Itoa(1 + m.IntN(6))
	case len(s.Enum) > 0:
		return pick(m, s.Enum)
	case s.Minimum != nil && s.Maximum != nil:
		return strconv.FormatInt(*s.Minimum+m.Int64N(min(*s.Maximum-*s.Minimum, 1<<40)+1), 10)
	case s.Minimum != nil:
		return strconv.FormatInt(*s.Minimum+m.Int64N(5), 10)
	case s.Type == "boolean":
		return pick(m, []string{"true", "false"})
	case strings.HasSuffix(s.Ref, "/Moment"):
		d := directory.Instant("2026-11-16T12:00:00.000Z").AddDays(-m.IntN(400))
		return pick(m, []string{string(d), string(d.Date()), string(d.Date()) + "T09:00:00Z"})
	case p.Name == "state" || p.Name == "telehealth" || p.Name == "can_see":
		return pick(m, []string{"CO", "TX", "CA", "OH", "Colorado", "new york", "PR", "WA"})
	case p.Name == "near":
		return pick(m, []string{"80302", "Boulder, CO", "Denver", "78701", "Springfield", "New York"})
	case p.Name == "language" || p.Name == "licence" || p.Name == "programme":
		return pick(m, []string{"english", "spanish", "clinical_social_work", "LPC", "ktc", "polaris", "psychology"})
	case p.Name == "lift" || p.Name == "words":
		return pick(m, []string{"state:CO", "all", "can_see:OH", "price:900", "place:boulder"})
	case p.Name == "check":
		return string(pick(m, directory.CheckNames)) + ":" + string(pick(m, directory.CheckResults))
	case p.Example != nil && m.IntN(2) == 0:
		return fmt.Sprint(p.Example)
	}
	return pick(m, askedWords)
}

// request makes a request of an operation.
func (m *maker) request(o operation) *http.Request {
	odd := pick(m, []int{3, 12, 1000, 1000}) // how rarely a value is odd
	path := o.path
	var query []string
	header := http.Header{}
	form := url.Values{}
	for _, p := range o.params {
		switch p.In {
		case "path":
			v := m.value(p, odd*4)
			path = strings.Replace(path, "{"+p.Name+"}", url.PathEscape(v), 1)
		case "header":
			if m.IntN(3) == 0 {
				header.Set(p.Name, clean(m.value(p, odd)))
			}
		case "query":
			large := p.Name == "limit" && p.Schema.Maximum != nil && *p.Schema.Maximum > 100 // without it a page of a hundred is made
			if !(p.Required && m.IntN(12) > 0) && !(large && m.IntN(50) > 0) && m.IntN(2+len(o.params)/4) > 0 {
				continue
			}
			n := 1
			if p.Schema.Items != nil || m.IntN(60) == 0 {
				n += m.IntN(3)
			}
			for range n {
				v := m.value(p, odd)
				if p.Name == "wait" && m.IntN(4) > 0 {
					v = "0"
				}
				query = append(query, url.QueryEscape(p.Name)+"="+url.QueryEscape(v))
			}
		}
	}
	switch m.IntN(40) { // what no document foresees
	case 0:
		query = append(query, pick(m, []string{"nonsense=1", "=", "&&&", "q", "%zz=1", "a=%zz", "stat=CO", "__proto__=x", "known=2026-01-01", "q[]=x"}))
	case 1:
		query = append(query, strings.Repeat("&focus=trauma", 70))
	case 2:
		query = append(query, "x="+strings.Repeat("y", 9000))
	case 3:
		path += pick(m, []string{"/", "//", "/x", "%2f", "/..", "%00", ".json"})
	case 4:
		path = strings.ToUpper(path)
	case 5:
		header.Set("Content-Encoding", "gzip")
	}
	m.Shuffle(len(query), func(i, j int) { query[i], query[j] = query[j], query[i] })
	target := path
	if len(query) > 0 {
		target += "?" + strings.Join(query, "&")
	}
	for name, list := range map[string][]string{"Accept-Encoding": {"gzip", "br", "gzip;q=0", "*"}, "Accept": {"application/json", "text/html", "*/*", "nonsense"}, "If-None-Match": {"*", `"x"`, m.tags[o.method+o.path], `W/"", "`},
		"Authorization": {"Bearer " + goodKey, "Bearer x", "Bearer " + anyKey, "Basic x", "Bearer kap_nobody_knows", ""}, "X-Forwarded-For": {"192.0.2.1", "nonsense"}, "Accept-Language": {"es", "xx"}, "Origin": {"https://elsewhere.example", "null"}} {
		if m.IntN(8) == 0 {
			header.Set(name, pick(m, list))
		}
	}
	if strings.HasPrefix(o.path, "/api/") && m.IntN(4) > 0 {
		header.Set("Authorization", "Bearer "+m.key)
	}
	method := o.method
	switch {
	case method == http.MethodGet && m.IntN(15) == 0:
		method = http.MethodHead
	case m.IntN(60) == 0:
		method = pick(m, []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"})
	}
	if strings.HasSuffix(o.path, "/report") && o.method == http.MethodPost {
		for _, name := range []string{"about", "words", "contact", "token", "website"} {
			if m.IntN(2) == 0 {
				form.Set(name, pick(m, append(strangeWords, "removal", "x@y.example")))
			}
		}
	}
	r := &http.Request{Method: method, URL: &url.URL{Opaque: target}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, Host: "kapdir.example"}
	if len(form) > 0 || o.method == http.MethodPost && m.IntN(10) == 0 {
		made := httptest.NewRequest(method, "/", strings.NewReader(form.Encode()))
		r.Body, r.ContentLength = made.Body, made.ContentLength
		header.Set("Content-Type", pick(m, []string{"application/x-www-form-urlencoded", "application/x-www-form-urlencoded", "application/json", "text/plain"}))
	}
	return r
}

// clean makes of a text one that may stand in a header.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}

// takesAll takes in whatever is handed in, and keeps nothing.
type takesAll struct{}

func (takesAll) RequestRemoval(_ context.Context, q directory.Removal) (directory.Removal, error) {
	return q, nil
}

// generousKeys are the keys of a store, which may ask as often as they like.
type generousKeys struct{ *store.Store }

func (g generousKeys) APIKey(ctx context.Context, id directory.ID, secret string, at directory.Instant) (directory.APIKey, directory.Integrator, bool, error) {
	k, x, ok, err := g.Store.APIKey(ctx, id, secret, at)
	k.PerMinute = 1 << 30
	return k, x, ok, err
}

// generatedPartner makes a partner with a key that may do everything, a webhook and an embed.
func generatedPartner(t *testing.T) (st *store.Store, key, hook, embed string) {
	t.Helper()
	w := demoWorld(t)
	ctx := t.Context()
	st, err := store.Open(ctx, store.Config{Dir: t.TempDir(), Now: func() time.Time { return w.now.Time() }, KeepRules: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	k := directory.APIKey{Name: "test", PerMinute: 100, Expires: w.now.AddDays(30)}
	for _, x := range directory.Scopes {
		k.Scopes = append(k.Scopes, x.Scope)
	}
	_, err = st.AddIntegrator(ctx, directory.Integrator{ID: "acme", Name: "Acme", Origins: []directory.WebOrigin{"https://elsewhere.example"}}, "test", w.now)
	if err == nil {
		key, _, err = st.AddAPIKey(ctx, "acme", k, "test", w.now)
	}
	if err == nil {
		var h directory.Hook
		_, h, err = st.AddHook(ctx, "acme", directory.Hook{URL: "https://acme.example/hook"}, "test", w.now)
		hook = string(h.ID)
	}
	if err == nil {
		var e directory.Embed
		e, err = st.AddEmbed(ctx, "acme", directory.Embed{Name: "test", Kind: directory.EmbedResults, Doc: directory.EmbedDoc{Query: "state=CO", Theme: "auto", Language: "en"}}, "test", w.now)
		embed = string(e.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return st, key, hook, embed
}

// So many requests of each operation of the document, valid ones and others, give no fault of ours and no status that
// the document does not name; what they answer is held to it as every answer is.
func TestGeneratedRequests(t *testing.T) {
	seed := *generatedSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("go test -run TestGeneratedRequests -generated-seed %d repeats it", seed)
	plain, export, dir := exporting(t)
	partners, key, hook, embed := generatedPartner(t)
	s := hasCounted(t, demoServer(t, func(c *Config) {
		c.Exports, c.Keys, c.Requests, c.Integrators = dir, fakeKeys{}, takesAll{}, generousKeys{partners}
	}))
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	from := rand.NewPCG(seed, 9)
	m := &maker{Rand: rand.New(from), hooks: []string{hook, hook, hook, "whk_" + strings.Repeat("0", 26)}, embeds: []string{embed, embed, embed, "emb_" + strings.Repeat("0", 26)}, key: key, ids: words(everybody(t)), seq: export.Seq, head: export.Seq, tags: map[string]string{}}
	for name := range plain.assets.files {
		m.assets = append(m.assets, name)
	}
	slices.Sort(m.assets)
	m.assets = append(m.assets, "kapdir.css", ".env")
	all, hurried := 0, 0
	for _, o := range operationsOf(t) {
		count := *generatedCount
		if count == 0 {
			if count = 60; strings.HasPrefix(o.path, "/api/") || o.path == "/oembed" { // of 60 addresses hardly one may be an embed's
				count = 300
			}
		}
		statuses := map[int]int{}
		begun := time.Now()
		for range count {
			var res *http.Response
			for try := range 4 {
				state := *from
				r := m.request(o)
				if res, err = s.App().Test(r, 60_000); err != nil {
					if strings.Contains(err.Error(), "error when reading request") { // no request at all: refused before anything looks at it
						res = &http.Response{StatusCode: http.StatusBadRequest, Body: http.NoBody}
						break
					}
					t.Fatalf("%s %s: %v", r.Method, r.URL.Opaque, err)
				}
				// A search has 300 ms, which a machine that does much else may not give it.
				if res.StatusCode != http.StatusServiceUnavailable || try == 3 {
					if res.StatusCode >= 500 && !(res.StatusCode == http.StatusNotImplemented && o.path == "/oembed") { // of a format: as oEmbed has it
						t.Errorf("%s %s %v: %d", r.Method, r.URL.Opaque, r.Header, res.StatusCode)
					}
					break
				}
				res.Body.Close()
				*from = state // the very same again
				hurried++
			}
			statuses[res.StatusCode]++
			if tag := res.Header.Get("ETag"); tag != "" {
				m.tags[o.method+o.path] = tag
			}
			if link := res.Header.Get("Link"); o.path == "/api/v1/providers" && len(m.cursors) < 50 {
				if _, after, ok := strings.Cut(link, "cursor="); ok {
					cursor, _, _ := strings.Cut(after, ">")
					if at := strings.IndexByte(cursor, '&'); at >= 0 {
						cursor = cursor[:at]
					}
					if v, err := url.QueryUnescape(cursor); err == nil {
						m.cursors = append(m.cursors, v)
					}
				}
			}
			res.Body.Close()
			all++
		}
		if statuses[http.StatusOK]+statuses[http.StatusNotModified]+statuses[http.StatusAccepted] < max(1, count/50) && o.method == http.MethodGet && count >= 60 {
			t.Errorf("%s %s: of %d requests hardly any was good: %v", o.method, o.path, count, statuses)
		}
		t.Logf("%-4s %-40s %6d requests in %6s: %v", o.method, o.path, count, time.Since(begun).Round(10*time.Millisecond), statuses)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range c.broken {
		t.Errorf("against openapi.yaml: %.600s", b)
	}
	t.Logf("%d requests; %d were made again, because the machine was busy", all, hurried)
}

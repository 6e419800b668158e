package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kapdir/directory"
)

// inbox takes requests in as the store does: the same one again is the one there is.
type inbox struct {
	mu  sync.Mutex
	got []directory.Removal
	err error
}

func (x *inbox) RequestRemoval(_ context.Context, q directory.Removal) (directory.Removal, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.err != nil {
		return directory.Removal{}, x.err
	}
	for _, have := range x.got {
		if have.Provider == q.Provider && have.Kind == q.Kind && have.Claim == q.Claim && have.Words == q.Words && have.Contact == q.Contact {
			return have, nil
		}
	}
	q.ID, q.Due = directory.NewID(directory.CasePrefix, "2026-11-16T09:00:00.000Z"), "2026-11-18"
	x.got = append(x.got, q)
	return q, nil
}

func reporting(t testing.TB, change ...func(*Config)) (*Server, *inbox) {
	x := &inbox{}
	return demoServer(t, append([]func(*Config){func(c *Config) { c.Requests = x }}, change...)...), x
}

func post(t testing.TB, s *Server, path string, form url.Values, headers ...string) reply {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.App().Test(req, 20_000)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

// filled is the form of a page as a browser sends it, with the answers given.
func filled(t testing.TB, s *Server, path string, answers ...string) url.Values {
	t.Helper()
	form := url.Values{}
	d := dom(t, get(t, s, path))
	f := d.Find("form.report")
	if f.AttrOr("method", "") != "post" || f.AttrOr("action", "") != path {
		t.Fatalf("%s: the form goes to %q", path, f.AttrOr("action", ""))
	}
	for _, e := range f.Find("input[name], textarea[name], select[name]").EachIter() {
		form.Set(e.AttrOr("name", ""), e.AttrOr("value", ""))
	}
	for i := 0; i+1 < len(answers); i += 2 {
		form.Set(answers[i], answers[i+1])
	}
	return form
}

func TestReport(t *testing.T) {
	s, box := reporting(t)
	id := idOf(t, "Amara Whitcomb")
	before := get(t, s, pageOf(id)).body
	licence := decode[provider](t, get(t, s, api(id))).Claims[0]
	for _, l := range languages {
		box.got = nil
		path := l.To(pageOf(id) + "/report")
		wellMade(t, path, dom(t, get(t, s, path)))
		form := filled(t, s, path, "about", string(licence.ID), "words", "  The name of the licence is <wrong>.  ", "contact", "me@practice.example")
		r := post(t, s, path, form, "Origin", "https://kapdir.example", "Sec-Fetch-Site", "same-origin")
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-store" || len(box.got) != 1 {
			t.Fatalf("%s: %d, %s, %d requests", path, r.StatusCode, r.Header.Get("Cache-Control"), len(box.got))
		}
		want := directory.Removal{ID: box.got[0].ID, Due: "2026-11-18", Kind: "correction", Provider: id, Claim: licence.ID, Words: "The name of the licence is <wrong>.", Contact: "me@practice.example"}
		if got := box.got[0]; got.ID != want.ID || got.Kind != want.Kind || got.Claim != want.Claim || got.Words != want.Words || got.Contact != want.Contact || got.Provider != id {
			t.Errorf("%+v, want %+v", got, want)
		}
		d := dom(t, r)
		wellMade(t, path, d)
		if said := text(d.Find("main").Text()); !strings.Contains(said, string(want.ID)) || !strings.Contains(said, l.date("2026-11-18")) || strings.Contains(r.body, "practice.example") && strings.Contains(said, "me@") {
			t.Errorf("%s: the answer says %q", path, said)
		}
		again := post(t, s, path, form) // the button was pressed twice
		if again.StatusCode != 200 || len(box.got) != 1 || !strings.Contains(again.body, string(want.ID)) {
			t.Errorf("%s: sent again: %d, %d requests", path, again.StatusCode, len(box.got))
		}
		form = filled(t, s, path, "about", "removal") // no words and no contact are needed for that
		if r := post(t, s, path, form, "Origin", "null"); r.StatusCode != 200 || len(box.got) != 2 || box.got[1].Kind != "removal" || box.got[1].Claim != "" {
			t.Errorf("%s: a removal: %d, %+v", path, r.StatusCode, box.got)
		}
		s.forms.each.forget()
		s.forms.all.forget()
	}
	if get(t, s, pageOf(id)).body != before {
		t.Error("a request changed the page")
	}
}

func TestReportRefused(t *testing.T) {
	s, box := reporting(t)
	id := idOf(t, "Amara Whitcomb")
	path := pageOf(id) + "/report"
	for _, x := range []struct {
		name    string
		answers []string
		headers []string
		status  int
		said    string
	}{
		{"another origin", nil, []string{"Origin", "https://evil.example"}, 403, ""},
		{"our name with another port", nil, []string{"Origin", "https://kapdir.example:8443"}, 403, ""},
		{"plain http", nil, []string{"Origin", "http://kapdir.example"}, 403, ""},
		{"another site", nil, []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"a sister site", nil, []string{"Sec-Fetch-Site", "same-site"}, 403, ""},
		{"no token", []string{"token", ""}, nil, 400, "stood open"},
		{"a token for another page", []string{"token", s.forms.token(idOf(t, "Garrick Thole"), s.cfg.Now())}, nil, 400, "stood open"},
		{"a token of yesterday", []string{"token", s.forms.token(id, s.cfg.Now().Add(-tokenLife-time.Second))}, nil, 400, "stood open"},
		{"a token of tomorrow", []string{"token", s.forms.token(id, s.cfg.Now().Add(time.Hour))}, nil, 400, "stood open"},
		{"a token of another server", []string{"token", newForms().token(id, s.cfg.Now())}, nil, 400, "stood open"},
		{"too long", []string{"words", strings.Repeat("x", maxWordsOfReport+1)}, nil, 400, "at most 2,000"},
		{"too long in bytes", []string{"words", strings.Repeat("🌿", maxWordsOfReport)}, nil, 400, "at most 2,000"},
		{"a contact too long", []string{"contact", strings.Repeat("x", maxContact+1)}, nil, 400, "at most 200"},
		{"no words", []string{"words", "   "}, nil, 400, "say what is wrong"},
		{"no choice", []string{"about", ""}, nil, 400, "choose what"},
		{"somebody else's claim", []string{"about", "clm_00000000000000000000000000"}, nil, 400, "choose what"},
		{"an SSN", []string{"words", "mine is 078-05-1120 as you know"}, nil, 400, "Social Security"},
		{"an SSN with blanks", []string{"words", "it is 078 05 1120"}, nil, 400, "Social Security"},
		{"an SSN named as one", []string{"words", "My SSN is 078051120."}, nil, 400, "Social Security"},
		{"an SSN for a contact", []string{"contact", "078-05-1120"}, nil, 400, "Social Security"},
		{"the trap", []string{"website", "https://spam.example"}, nil, 400, "stays empty"},
		{"not text", []string{"words", "\xff\xfe"}, nil, 400, ""},
		{"a file", nil, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415, ""},
		{"no type", nil, []string{"Content-Type", ""}, 415, ""},
		{"compressed", nil, []string{"Content-Encoding", "gzip"}, 415, ""},
	} {
		claim := decode[provider](t, get(t, s, api(id))).Claims[0].ID
		form := filled(t, s, path, append([]string{"about", string(claim), "words", "The words stay <here>."}, x.answers...)...)
		r := post(t, s, path, form, x.headers...)
		d := dom(t, r)
		if r.StatusCode != x.status || !strings.Contains(text(d.Find("main").Text()), x.said) || len(box.got) > 0 {
			t.Errorf("%s: %d, %d requests, %q", x.name, r.StatusCode, len(box.got), text(d.Find("main").Text()))
		}
		if strings.Contains(r.body, "078-05") {
			t.Errorf("%s: the number is sent back", x.name)
		}
		if x.said == "stood open" && d.Find("textarea").Text() != "The words stay <here>." {
			t.Errorf("%s: the words are lost: %q", x.name, d.Find("textarea").Text())
		}
		if x.said != "" {
			wellMade(t, path, d)
		}
	}
	large := "POST " + path + " HTTP/1.1\r\nHost: kapdir.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " + plain(bodyLimit+1) + "\r\n\r\n"
	fresh, _ := reporting(t)
	if r := send(t, running(t, fresh), large); !strings.HasPrefix(r, "HTTP/1.1 413") || len(box.got) > 0 { // by its head alone
		t.Errorf("a large body: %.60q", r)
	}
	form := filled(t, s, path, "about", "removal")
	if r := post(t, demoServer(t), path, form); r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("where nobody takes requests in: %d, %s", r.StatusCode, r.Header.Get("Allow"))
	}
	if d := dom(t, get(t, demoServer(t), path)); d.Find("form.report").Length() != 0 || d.Find(`main a[href^="mailto:"]`).Length() != 1 {
		t.Error("a form stands where nobody takes requests in, or no address")
	}
	for _, m := range []string{"PUT", "DELETE", "PATCH"} {
		if r := do(t, s, m, path); r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD, POST" {
			t.Errorf("%s: %d, %s", m, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	for _, target := range []string{pageOf(id), "/", "/providers", path + "/", strings.ToUpper(path), api(id)} {
		if r := post(t, s, target, form); r.StatusCode != 405 {
			t.Errorf("POST %s: %d", target, r.StatusCode)
		}
	}
	box.err = errDisk
	form = filled(t, s, path, "about", "removal")
	if r := post(t, s, path, form); r.StatusCode != 503 {
		t.Errorf("a store that is down: %d", r.StatusCode)
	}
	box.err = directory.Errorf(directory.NotFound, "claim", "gone")
	if r := post(t, s, path, form); r.StatusCode != 404 {
		t.Errorf("a claim that went: %d", r.StatusCode)
	}
}

func plain(n int) string { return strings.ReplaceAll(thousands(n), ",", "") }

// An address may send a few, everybody together more, and neither is remembered when the window has ended.
func TestReportsAreFew(t *testing.T) {
	s, box := reporting(t)
	path := pageOf(idOf(t, "Amara Whitcomb")) + "/report"
	form := filled(t, s, path, "about", "removal")
	for i := range reportsEach {
		form.Set("words", plain(i))
		if r := post(t, s, path, form); r.StatusCode != 200 {
			t.Fatalf("request %d: %d", i, r.StatusCode)
		}
	}
	form.Set("words", "one more")
	r := post(t, s, path, form)
	if r.StatusCode != 429 || r.Header.Get("Retry-After") != "600" || len(box.got) != reportsEach || dom(t, r).Find("textarea").Text() != "one more" {
		t.Errorf("the one too many: %d, %s, %d taken in", r.StatusCode, r.Header.Get("Retry-After"), len(box.got))
	}
	f := newForms()
	b := netip.MustParseAddr("2001:db8::")
	for i := range reportsAll {
		if !f.admit(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})) {
			t.Fatalf("request %d of as many addresses is refused", i)
		}
	}
	if f.admit(b) {
		t.Error("there is no limit for everybody")
	}
}

// Nothing of what is reported, by whom or about whom, stands in a log.
func TestReportsAreNotLogged(t *testing.T) {
	const token = "zqxjkvtoken"
	log := &recorder{}
	s, box := reporting(t, func(c *Config) {
		c.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	id := idOf(t, "Amara Whitcomb")
	path := pageOf(id) + "/report"
	form := filled(t, s, path, "about", "removal", "words", token, "contact", token+"@practice.example")
	for _, headers := range [][]string{nil, {"Origin", "https://" + token + ".example"}, {"Content-Type", "text/" + token}, {"User-Agent", token, "Referer", "https://kapdir.example/" + token, "X-Forwarded-For", "203.0.113.77"}} {
		post(t, s, path, form, headers...)
	}
	form.Set("about", token)
	post(t, s, path, form)
	form.Set("about", "removal")
	box.err = errors.New("could not write " + token)
	post(t, s, path, form)
	s.requests.write()
	got := strings.ToLower(log.String())
	for _, leak := range []string{token, "203.0.113", string(id), "127.0.0.1", "0.0.0.0"} {
		if strings.Contains(got, strings.ToLower(leak)) {
			t.Errorf("the log holds %q: %s", leak, got)
		}
	}
	if !strings.Contains(got, `"route":"/providers/:id/report"`) || !strings.Contains(got, `"method":"post"`) {
		t.Errorf("the log lacks route or method: %s", got)
	}
}

// What somebody writes moves no screen on which staff read it.
func TestPlainLines(t *testing.T) {
	if got := plainLines("a\x1b[31mb\tc\r\nd\u202ee"); got != "a [31mb c\nd e" {
		t.Errorf("%q", got)
	}
}

package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"kapdir/directory"
	"kapdir/directory/deliver"
)

// getIn runs kapdir get in this process.
func getIn(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	status = run(ctx, append([]string{"get"}, args...), &out, &errs)
	return out.String(), errs.String(), status
}

// apply reads what a follower printed as JSON, page by page, into a copy.
func apply(t *testing.T, copied map[string]json.RawMessage, pages io.Reader) (next int64) {
	t.Helper()
	for dec := json.NewDecoder(pages); ; {
		var page struct {
			Changes []struct {
				ID       string
				Provider json.RawMessage
			}
			Next int64
		}
		if err := dec.Decode(&page); err == io.EOF {
			return next
		} else if err == io.ErrUnexpectedEOF {
			return next // it was killed within a page, which comes again
		} else if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Changes {
			if c.Provider == nil {
				delete(copied, c.ID)
			} else {
				copied[c.ID] = c.Provider
			}
		}
		next = page.Next
	}
}

// The client and the samples of the page for developers, run as a partner would against a server with the demonstration.
func TestPartnersPrograms(t *testing.T) {
	where := demoIn(t, "")
	s := start(t, append([]string{"serve"}, where...)...)
	must(t, append([]string{"partner", "add", "acme", "Acme"}, where...)...)
	key := strings.TrimSpace(must(t, append([]string{"partner", "key", "add", "acme", "site", "--scopes", "read,changes,credentials,export", "--per-minute", "6000"}, where...)...))
	file := put(t, filepath.Join(t.TempDir(), "key"), key+"\n")
	t.Setenv("KAPDIR_SERVER", s.url)
	t.Setenv("KAPDIR_KEY", key)
	ask := func(path string) []byte {
		t.Helper()
		req, _ := http.NewRequest("GET", s.url+path, nil)
		req.Header.Set("Authorization", "Bearer "+key)
		res, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%s: %d %v\n%s", path, res.StatusCode, err, body)
		}
		return body
	}
	var found struct {
		AsOf    string `json:"as_of"`
		Results []struct {
			ID, Name, URL string
			Checks        []struct {
				Title, Label, Sentence string
				AsOf                   string `json:"as_of"`
				ValidUntil             string `json:"valid_until"`
			}
		}
	}
	const search = "/api/v1/providers?state=CO&care=full_kap&limit=5"
	if err := json.Unmarshal(ask(search), &found); err != nil || len(found.Results) != 5 {
		t.Fatalf("%v %+v", err, found)
	}
	id := found.Results[0].ID

	t.Run("get", func(t *testing.T) {
		for _, x := range []struct {
			path string
			args []string
		}{
			{search, []string{"search", "--state", "CO", "--care", "full_kap", "--limit", "5"}},
			{"/api/v1/providers?price_max=900&q=trauma+in+boulder%2C+a+%26+b", []string{"search", "trauma in boulder, a & b", "--price-max", "900"}},
			{"/api/v1/providers/" + id + "?at=2026-11-12&state=TX", []string{"provider", id, "--at", "2026-11-12", "--state", "TX"}},
			{"/api/v1/providers/" + id + "/credentials", []string{"credentials", id}},
			{"/api/v1/sources", []string{"sources"}},
			{"/api/v1/statistics", []string{"statistics"}},
		} {
			out, errs, status := getIn(t, append(x.args, "--json")...)
			if status != exitDone || out != string(ask(x.path)) {
				t.Errorf("%v: %d %s\n%.300s", x.args, status, errs, out)
			}
			if out, errs, status = getIn(t, x.args...); status != exitDone || !strings.Contains(out, "A demonstration.") || strings.Contains(out, "%!") {
				t.Errorf("%v, for people: %d %s\n%s", x.args, status, errs, out)
			}
		}
		list, _, _ := getIn(t, "search", "--state", "CO", "--care", "full_kap", "--limit", "5")
		page, _, _ := getIn(t, "provider", id, "--state", "CO", "--key-file", file)
		for i, p := range found.Results {
			for _, c := range p.Checks {
				for _, need := range []string{c.Label, "as of " + cmp.Or(c.AsOf, "-")} {
					if !strings.Contains(list, need) {
						t.Errorf("the list does not say %q of %s", need, p.Name)
					}
				}
				if i == 0 && !strings.Contains(page, c.Sentence) {
					t.Errorf("the page does not say %q", c.Sentence)
				}
			}
		}
	})

	t.Run("refused", func(t *testing.T) {
		none := put(t, filepath.Join(t.TempDir(), "none"), "kap_live_none")
		for _, x := range []struct {
			args   []string
			status int
			says   string
		}{
			{[]string{"search", "--care", "best"}, exitUsage, "care: "},
			{[]string{"provider", "prv_"}, exitUsage, "prv_"},
			{[]string{"provider", "prv_00000000000000000000000009"}, exitFailed, "check the id"},
			{[]string{"changes"}, exitUsage, "--after 0"},
			{[]string{"changes", "--after", "99999999"}, exitUsage, "after: "},
			{[]string{"changes", "--after", "0", "--key-file", none}, exitFailed, "KAPDIR_KEY"},
			{[]string{"sources", "--server", ""}, exitUsage, "KAPDIR_SERVER"},
			{[]string{"sources", "--server", "ftp://directory.example"}, exitUsage, "https://directory.example"},
			{[]string{"sources", "--server", "http://directory.example"}, exitUsage, "not sent over http"},
			{[]string{"sources", "--server", "http://127.0.0.1:1"}, exitFailed, "could not be reached"},
			{[]string{"sources", "--key", key}, exitUsage, "unknown flag"},
		} {
			out, errs, status := getIn(t, x.args...)
			if status != x.status || !strings.Contains(errs, x.says) || out != "" || strings.Contains(errs, key) {
				t.Errorf("%v: %d %s%s", x.args, status, errs, out)
			}
		}
	})

	t.Run("flags", func(t *testing.T) {
		var doc struct {
			Paths map[string]map[string]struct {
				Parameters []struct {
					Name   string
					Schema struct{ Type string }
				}
			}
		}
		if err := yaml.Unmarshal(ask("/openapi.yaml"), &doc); err != nil {
			t.Fatal(err)
		}
		want, have := map[string]bool{}, map[string]bool{}
		for _, p := range doc.Paths["/api/v1/providers"]["get"].Parameters {
			if p.Name != "q" {
				want[p.Name] = p.Schema.Type == "array"
			}
		}
		for _, p := range searchParams {
			have[p.name] = p.many
		}
		if !maps.Equal(want, have) {
			t.Errorf("get search has %v, and the API %v", have, want)
		}
	})

	// Everybody that the API tells of, by the feed, from the beginning.
	everybody := func() (map[string]json.RawMessage, int64) {
		t.Helper()
		all := map[string]json.RawMessage{}
		for at := int64(0); ; {
			next := apply(t, all, bytes.NewReader(ask(fmt.Sprintf("/api/v1/changes?after=%d", at))))
			if next == at {
				return all, at
			}
			at = next
		}
	}
	before, head := everybody()

	t.Run("export", func(t *testing.T) {
		dir := t.TempDir()
		var out, errs string
		for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) { // each leaves a connection open while the test runs, and one address may have 64
			var status int
			if out, errs, status = getIn(t, "export", dir, "--json"); status == exitDone {
				break
			}
			if !strings.Contains(errs, "being written") || time.Now().After(end) {
				t.Fatalf("%d %s", status, errs)
			}
		}
		var m struct {
			Seq   int64
			Files []exportFile
		}
		if err := json.Unmarshal([]byte(out), &m); err != nil || m.Seq != head {
			t.Fatalf("export %d at %d: %v", m.Seq, head, err)
		}
		raw, err := os.ReadFile(filepath.Join(dir, strconv.FormatInt(m.Seq, 10), "providers.jsonl.gz"))
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := io.ReadAll(z)
		if err != nil || bytes.Count(lines, []byte("\n")) != len(before) {
			t.Errorf("%d lines of %d providers: %v", bytes.Count(lines, []byte("\n")), len(before), err)
		}
	})

	// A follower that is killed at any moment ends with what the server says.
	state := filepath.Join(t.TempDir(), "at.json")
	printed := filepath.Join(t.TempDir(), "pages")
	follow := func(copied map[string]json.RawMessage, until int64) {
		t.Helper()
		for kills, end := 0, time.Now().Add(2*time.Minute); ; {
			out, err := os.Create(printed)
			if err != nil {
				t.Fatal(err)
			}
			cmd := program(t, "get", "changes", "--follow", "--json", "--limit", "30", "--state-file", state, "--server", s.url)
			cmd.Env = append(cmd.Env, "KAPDIR_KEY="+key)
			var errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = out, &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(50+rand.IntN(400+100*kills)) * time.Millisecond) // longer where the machine is slow
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			kills++
			if _, err := out.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			apply(t, copied, out)
			_ = out.Close()
			var at followed
			if raw, err := os.ReadFile(state); err == nil && (json.Unmarshal(raw, &at) != nil || at.Server != s.url) {
				t.Fatalf("the file of a follower: %s", raw)
			}
			if at.Next >= until && kills > 2 {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("is at %d of %d after %d kills\n%s", at.Next, until, kills, &errs)
			}
		}
	}
	mine := map[string]json.RawMessage{}
	follow(mine, head)
	same := func(what string, have, want map[string]json.RawMessage) {
		t.Helper()
		if !maps.EqualFunc(have, want, func(a, b json.RawMessage) bool { return jsonOf(t, a) == jsonOf(t, b) }) {
			t.Errorf("%s: %d providers are held, and not the %d that the API tells of", what, len(have), len(want))
		}
	}
	same("kapdir get changes", mine, before)

	// The samples.
	samples := filepath.Join("..", "..", "directory", "web", "partners", "samples")
	copies := t.TempDir()
	runs := []struct{ name, dir, ext, with string }{{"go", "go", ".go", "go"}, {"python", "python", ".py", "python3"}, {"javascript", "javascript", ".mjs", "node"}, {"curl", "curl", ".sh", "sh"}}
	sample := func(t *testing.T, i int, name string, args ...string) *exec.Cmd {
		t.Helper()
		x := runs[i]
		for _, tool := range []string{x.with, map[string]string{"sh": "curl"}[x.with]} {
			if _, err := exec.LookPath(tool); tool != "" && err != nil {
				if os.Getenv("KAPDIR_REQUIRE") != "" {
					t.Fatalf("%s is needed to run the samples: %v", tool, err)
				}
				t.Skipf("%s is not here", tool)
			}
		}
		argv := append([]string{filepath.Join(samples, x.dir, name+x.ext)}, args...)
		if x.with == "go" {
			argv = append([]string{"run"}, argv...)
		}
		cmd := exec.CommandContext(t.Context(), x.with, argv...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run has a child
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		return cmd
	}
	output := func(t *testing.T, cmd *exec.Cmd) string {
		t.Helper()
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s%s", cmd.Args, err, out, &errs)
		}
		return string(out)
	}
	var want strings.Builder
	fmt.Fprintf(&want, "As it was at %s\n", found.AsOf)
	for _, p := range found.Results {
		fmt.Fprintf(&want, "%s  %s%s\n", p.Name, s.url, p.URL)
		for _, c := range p.Checks {
			fmt.Fprintf(&want, "  %s: %s (as of %s, until %s)\n", c.Title, c.Label, cmp.Or(c.AsOf, "no date"), cmp.Or(c.ValidUntil, "no date"))
		}
	}
	// copied runs the sample that keeps a copy, and compares it with what the API tells.
	copied := func(t *testing.T, i int, all map[string]json.RawMessage, at int64) {
		t.Helper()
		path := filepath.Join(copies, runs[i].name)
		out := output(t, sample(t, i, "changes", path))
		var held struct {
			Next      int64
			Providers map[string]json.RawMessage
		}
		if runs[i].name == "curl" { // keeps the pages
			held.Providers = map[string]json.RawMessage{}
			pages, _ := filepath.Glob(filepath.Join(path, "changes-*.json"))
			slices.Sort(pages)
			for _, p := range pages {
				raw, err := os.ReadFile(p)
				if err != nil {
					t.Fatal(err)
				}
				held.Next = apply(t, held.Providers, bytes.NewReader(raw))
			}
		} else {
			raw, err := os.ReadFile(path)
			if err != nil || json.Unmarshal(raw, &held) != nil {
				t.Fatalf("%v %.100s", err, raw)
			}
			if says := fmt.Sprintf("%d providers, up to change %d\n", len(all), at); out != says {
				t.Errorf("it says %q, want %q", out, says)
			}
		}
		if held.Next != at {
			t.Errorf("it is at %d of %d", held.Next, at)
		}
		same(runs[i].name, held.Providers, all)
	}
	for i, x := range runs {
		t.Run("samples/"+x.name, func(t *testing.T) {
			if out := output(t, sample(t, i, "search")); x.name == "curl" && out != string(ask(search)) || x.name != "curl" && out != want.String() {
				t.Errorf("the search says\n%s\nwant\n%s", out, want.String())
			}
			copied(t, i, before, head)
			if x.name != "curl" {
				receives(t, sample(t, i, "webhook"))
			}
		})
	}

	// Somebody is removed: every copy drops them.
	var q struct{ ID string }
	if err := json.Unmarshal([]byte(must(t, append([]string{"removal", "request", id, "--json"}, where...)...)), &q); err != nil {
		t.Fatal(err)
	}
	must(t, append([]string{"staff", "add", "robin", "approver"}, where...)...)
	must(t, append([]string{"removal", "accept", q.ID, "--as", "robin"}, where...)...)
	after, at := everybody()
	for end := time.Now().Add(20 * time.Second); after[id] != nil; after, at = everybody() {
		if time.Now().After(end) {
			t.Fatalf("%s is still told of", id)
		}
		time.Sleep(50 * time.Millisecond)
	}
	follow(mine, at)
	same("kapdir get changes, after a removal", mine, after)
	for i, x := range runs {
		t.Run("removed/"+x.name, func(t *testing.T) { copied(t, i, after, at) })
	}
	if _, errs, status := getIn(t, "provider", id); status != exitFailed || !strings.Contains(errs, "take down") {
		t.Errorf("who is removed: %d %s", status, errs)
	}
}

// jsonOf writes JSON in one way, whoever wrote it.
func jsonOf(t *testing.T, raw []byte) string {
	t.Helper()
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	out, _ := json.Marshal(v)
	return string(out)
}

// receives starts a sample that receives webhooks, and calls it as the directory does, and as others might.
func receives(t *testing.T, cmd *exec.Cmd) {
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	secret, other := "whsec_"+strings.Repeat("QUFB", 8), "whsec_"+strings.Repeat("QkJC", 8)
	cmd.Env = append(os.Environ(), "PORT="+port, "KAPDIR_WEBHOOK_SECRET="+secret)
	out, errs := &lockedBuffer{}, &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Cancel(); _ = cmd.Wait() }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", "localhost:"+port)
		if err == nil {
			_ = c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it does not listen: %s", errs)
		}
	}
	want, body := "", []byte(`{"type":"provider.status_changed","note":"ñ"}`)
	for i, x := range []struct {
		what    string
		secrets []string
		age     time.Duration
		bend    func(*http.Request)
		want    int
	}{
		{"ours", []string{secret}, 0, nil, 204},
		{"one of two secrets", []string{other, secret}, 0, nil, 204},
		{"another's secret", []string{other}, 0, nil, 400},
		{"too old", []string{secret}, 6 * time.Minute, nil, 400},
		{"too new", []string{secret}, -6 * time.Minute, nil, 400},
		{"no signature", []string{secret}, 0, func(r *http.Request) { r.Header.Del("webhook-signature") }, 400},
		{"no headers", []string{secret}, 0, func(r *http.Request) { r.Header = http.Header{} }, 400},
		{"another id", []string{secret}, 0, func(r *http.Request) { r.Header.Set("webhook-id", "ntc_other") }, 400},
		{"another body", []string{secret}, 0, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(`{"type":"x"}`)), 12
		}, 400},
	} {
		req, err := http.NewRequest("POST", "http://localhost:"+port+"/kapdir", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("ntc_%d", i)
		if err := deliver.Sign(req.Header, x.secrets, directory.ID(id), time.Now().Add(-x.age), body); err != nil {
			t.Fatal(err)
		}
		if x.bend != nil {
			x.bend(req)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s: %v\n%s", x.what, err, errs)
		}
		_ = res.Body.Close()
		if res.StatusCode != x.want {
			t.Errorf("%s: %d, want %d\n%s", x.what, res.StatusCode, x.want, errs)
		}
		if x.want == 204 {
			want += "provider.status_changed " + id + "\n"
		}
	}
	for end := time.Now().Add(10 * time.Second); out.String() != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it took\n%s\nwant\n%s", out, want)
		}
	}
}

// What a server may do to a client: ask for patience, send it elsewhere, cut it off, take an export back, lie.
func TestGetEndures(t *testing.T) {
	t.Setenv("KAPDIR_KEY", "kap_live_x")
	content := bytes.Repeat([]byte("0123456789abcdef"), 600_000) // more than two parts
	sum := sha256.Sum256(content)
	var asks []string
	var handle http.HandlerFunc
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks = append(asks, strings.TrimPrefix(r.URL.Path, "/api/v1/")+" "+r.Header.Get("Range"))
		handle(w, r)
	}))
	defer srv.Close()
	get := func(args ...string) (string, string, int) {
		t.Helper()
		asks = nil
		return getIn(t, append(args, "--server", srv.URL)...)
	}

	n := 0
	handle = func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
			return
		}
		if r.Header.Get("Authorization") != "Bearer kap_live_x" {
			w.WriteHeader(401)
		}
		fmt.Fprint(w, `{"sources":[{"id":"a","name":"\u001b[31mred\u202e","loaded":true}]}`)
	}
	begun := time.Now()
	if out, errs, status := get("sources"); status != exitDone || time.Since(begun) < time.Second || len(asks) != 2 || strings.ContainsAny(out, "\x1b\u202e") {
		t.Errorf("Retry-After: %d %s%q, asked %d times", status, errs, out, len(asks))
	}
	for header, says := range map[string]string{"3600": "ask again in 1h0m0s", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat): "ask again in 5"} {
		handle = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(503)
			fmt.Fprint(w, `{"title":"Busy","detail":"Later.","request_id":"abc"}`)
		}
		if _, errs, status := get("sources"); status != exitFailed || len(asks) != 1 || !strings.Contains(errs, says) || !strings.Contains(errs, "abc") {
			t.Errorf("%s is too long: %d %s, asked %d times", header, status, errs, len(asks))
		}
	}
	handle = http.RedirectHandler(strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), http.StatusTemporaryRedirect).ServeHTTP
	if _, errs, status := get("sources"); status != exitFailed || !strings.Contains(errs, "another server") || len(asks) != 1 {
		t.Errorf("sent elsewhere: %d %s", status, errs)
	}
	handle = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello") }
	if _, errs, status := get("statistics"); status != exitFailed || !strings.Contains(errs, "something else") {
		t.Errorf("no JSON: %d %s", status, errs)
	}

	// An export that is cut off goes on; what an earlier run left of something else is fetched anew; what is not what
	// the manifest says has no name.
	dir := t.TempDir()
	part := filepath.Join(dir, "7", "a.gz.part")
	if err := os.Mkdir(filepath.Dir(part), 0o700); err != nil {
		t.Fatal(err)
	}
	named, gone := "a.gz", false
	handle = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/exports":
			fmt.Fprint(w, `{"exports":[{"seq":7,"manifest":"/api/v1/exports/7/manifest.json"}]}`)
		case "/api/v1/exports/7/manifest.json":
			fmt.Fprintf(w, `{"seq":7,"files":[{"name":%q,"bytes":%d,"sha256":%q}]}`, named, len(content), hex.EncodeToString(sum[:]))
		default:
			if gone {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(404)
				fmt.Fprint(w, `{"title":"Gone"}`)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}
	}
	whole := func() bool {
		raw, err := os.ReadFile(strings.TrimSuffix(part, ".part"))
		return err == nil && bytes.Equal(raw, content)
	}
	put(t, part, string(content[:5_000_000]))
	if _, errs, status := get("export", dir); status != exitDone || !whole() || !slices.Equal(asks[2:], []string{"exports/7/a.gz bytes=5000000-9194303", "exports/7/a.gz bytes=9194304-9599999"}) {
		t.Errorf("gone on: %d %s %v", status, errs, asks)
	}
	if _, errs, status := get("export", dir); status != exitDone || len(asks) != 2 {
		t.Errorf("again: %d %s %v", status, errs, asks)
	}
	for what, left := range map[string][]byte{"of something else": []byte("something else"), "too long": append(slices.Clone(content), 'x')} {
		_ = os.Remove(strings.TrimSuffix(part, ".part"))
		put(t, part, string(left))
		if _, errs, status := get("export", dir); status != exitDone || !whole() {
			t.Errorf("a part %s: %d %s %v", what, status, errs, asks)
		}
	}
	good := sum
	sum[0]++
	_ = os.RemoveAll(filepath.Dir(part))
	if _, errs, status := get("export", dir); status != exitFailed || !strings.Contains(errs, "SHA-256") || whole() {
		t.Errorf("another sum: %d %s", status, errs)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "7", "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	sum = good
	for _, bad := range []string{"../a.gz", "/tmp/a.gz", ".a", "manifest.json", "b.part", ""} {
		named = bad
		if _, errs, status := get("export", dir); status != exitFailed || !strings.Contains(errs, "is not taken") {
			t.Errorf("a file named %q: %d %s", bad, status, errs)
		}
	}
	named, gone = "a.gz", true
	if err := os.MkdirAll(filepath.Dir(part), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, part, string(content[:5]))
	if _, errs, status := get("export", dir); status != exitFailed || !strings.Contains(errs, "taken back") {
		t.Errorf("taken back: %d %s", status, errs)
	}
	if _, err := os.Stat(part); err == nil {
		t.Error("what was taken back is held")
	}

	// A number of another directory means nothing here, and a page that goes back is none.
	other := put(t, filepath.Join(dir, "at.json"), `{"server":"https://directory.example","next":7}`)
	if _, errs, status := get("changes", "--state-file", other); status != exitFailed || !strings.Contains(errs, "another --state-file") || len(asks) > 0 {
		t.Errorf("another directory's number: %d %s", status, errs)
	}
	handle = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"changes":[],"next":3,"more":true}`) }
	if _, errs, status := get("changes", "--after", "9"); status != exitFailed || !strings.Contains(errs, "something else") {
		t.Errorf("back to 3: %d %s", status, errs)
	}
}

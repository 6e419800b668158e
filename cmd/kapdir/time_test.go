package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/web"
)

// soon is how long after a moment has passed everything must tell the answer that holds from then on: two
// seconds, and more where so much else runs that every core is wanted several times over.
func soon() time.Duration {
	const limit = 2 * time.Second
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return limit
	}
	var load float64
	_, _ = fmt.Sscan(string(raw), &load)
	return time.Duration(float64(limit) * max(1, load/float64(runtime.NumCPU())))
}

// ticking is the demonstration served in this process, with a clock that the test moves.
type ticking struct {
	t     *testing.T
	st    *store.Store
	clock *standing
	url   string
	files []*directory.CredentialFile
	hooks *hookReceiver
}

func newTicking(t *testing.T) *ticking {
	dir := loaded(t, nil)
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	log := &lockedBuffer{}
	a := &app{ctx: ctx, out: io.Discard, err: log, getenv: func(string) string { return "" }}
	a.cfg.State, a.cfg.Addr, a.cfg.Quiet = dir, "localhost:0", true
	a.cfg.Anyone = 1 << 20 // this test asks more in a minute than anybody may
	x := &ticking{t: t, clock: &standing{}}
	x.clock.set(m.Now)
	ln, err := web.Listen(a.cfg.Addr)
	if err != nil {
		t.Fatal(err)
	}
	x.url = "http://" + ln.Addr().String()
	if x.st, err = a.openStore(x.clock.or(time.Now)); err != nil {
		t.Fatal(err)
	}
	hooks := newHookReceiver(t)
	a.hookClient = hooks.client
	x.hook(hooks)
	ended := make(chan error, 1)
	go func() { ended <- a.serve(ln, x.st, &web.DemoInfo{Now: m.Now}, x.clock.or(time.Now), nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v\n%s", err, log)
		}
		x.st.Close()
	})
	x.within("the server is ready", time.Minute, func() string {
		resp, err := http.Get(x.url + "/readyz")
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 200 || !strings.Contains(string(body), `"index":"ready"`) {
			return string(body)
		}
		return ""
	})
	if err := x.st.EachFile(ctx, func(f *directory.CredentialFile) error { x.files = append(x.files, f); return nil }); err != nil {
		t.Fatal(err)
	}
	return x
}

// settled waits until all that fell due so far is numbered and announced: what is announced once the clock has moved on
// is told as of then, and the next change has no news.
func (x *ticking) settled() {
	x.t.Helper()
	x.within("what fell due is done", time.Minute, func() string {
		next, err := x.st.NextDue(x.t.Context())
		if err != nil || next != "" && next <= directory.At(x.clock.or(time.Now)()) {
			return fmt.Sprint("due: ", next, err)
		}
		if n, _, err := x.st.Announce(x.t.Context(), 500); n > 0 || err != nil {
			return fmt.Sprint("announced: ", n, err)
		}
		return ""
	})
}

// within waits until check says nothing any more, and fails with what it says when the time has passed.
func (x *ticking) within(what string, limit time.Duration, check func() string) (took time.Duration) {
	x.t.Helper()
	begun := time.Now()
	for {
		says := check()
		took = time.Since(begun)
		switch {
		case says == "" && took <= limit:
			return took
		case took > limit:
			if says == "" {
				says = "it came too late"
			}
			x.t.Fatalf("%s: not within %s (%s): %s", what, limit, took.Round(time.Millisecond), says)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (x *ticking) get(path string, headers ...string) (int, []byte, http.Header) {
	x.t.Helper()
	req, err := http.NewRequest(http.MethodGet, x.url+path, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		x.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	return resp.StatusCode, body, resp.Header
}

// until is when an answer about one of the provider's own claims changes next.
func (x *ticking) until(f *directory.CredentialFile, at, known directory.Instant) directory.Instant {
	var until directory.Instant
	for _, h := range f.Claims {
		if u := directory.Derive(h, at, known, x.st.Policies()).ValidUntil; u != "" && (until == "" || u < until) {
			until = u
		}
	}
	return until
}

func (x *ticking) known() directory.Instant {
	h, err := x.st.Head(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	return h.RecordedAt
}

// facets counts the results of the checks for patients of each provider's own state, straight from the files.
func (x *ticking) facets(at directory.Instant) map[string]int {
	counts := map[string]int{}
	for _, f := range x.files {
		for _, c := range directory.Checks(f, f.Provider.HomeState(), at, max(at, x.known()), x.st.Policies()) {
			counts[string(c.Check)+":"+string(c.Result)]++
		}
	}
	return counts
}

// searched says how the search's facets differ from those, and whether a filter finds as many.
func (x *ticking) searched(want map[string]int) string {
	_, body, _ := x.get("/api/v1/providers?limit=1")
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err.Error()
	}
	got := map[string]int{}
	for _, v := range a.Facets["check"] {
		got[v.Value] = v.Count
	}
	if !maps.Equal(got, want) {
		return fmt.Sprintf("the search counts %v, want %v", got, want)
	}
	return ""
}

// told is what a provider's JSON and page said, with the tag and how long it may be kept.
type said struct {
	body string
	tag  string
	age  time.Duration
}

func (x *ticking) said(path string) said {
	x.t.Helper()
	status, body, header := x.get(path)
	if status != http.StatusOK {
		x.t.Fatalf("%s: %d %s", path, status, body)
	}
	age, err := strconv.Atoi(strings.TrimPrefix(header.Get("Cache-Control"), "public, max-age="))
	if err != nil {
		x.t.Fatalf("%s: Cache-Control is %q", path, header.Get("Cache-Control"))
	}
	return said{string(body), header.Get("ETag"), time.Duration(age) * time.Second}
}

// changed says what is not as it must be after the provider's answer changed: another body, another tag, and
// with the old tag the answer whole.
func (x *ticking) changed(path string, old said) string {
	now := x.said(path)
	if now.tag == old.tag || now.body == old.body {
		return path + " says what it said"
	}
	if status, body, _ := x.get(path, "If-None-Match", old.tag); status != http.StatusOK || !bytes.Equal(body, []byte(now.body)) {
		return fmt.Sprintf("%s answers %d to the old tag", path, status)
	}
	return ""
}

// searches are a search whose results hold the providers, as JSON and as a page.
func (x *ticking) searches(ids []directory.ID) []string {
	var out []string
	for _, id := range ids {
		i := slices.IndexFunc(x.files, func(f *directory.CredentialFile) bool { return f.Provider.ID == id })
		q := "?q=" + url.QueryEscape(x.files[i].Provider.DisplayName()) + "&words=all"
		out = append(out, "/api/v1/providers"+q, "/"+q)
	}
	return out
}

// keeps asks each search twice, so that its answer is kept in memory, and returns what they said.
func (x *ticking) keeps(paths []string) map[string]string {
	x.t.Helper()
	out := map[string]string{}
	for _, path := range paths {
		for range 2 {
			status, body, header := x.get(path)
			if status != http.StatusOK || header.Get("Cache-Control") != "no-store" {
				x.t.Fatalf("%s: %d, %s", path, status, header.Get("Cache-Control"))
			}
			if was, ok := out[path]; ok && was != string(body) {
				x.t.Errorf("%s: asked again, it says something else", path)
			}
			out[path] = string(body)
		}
	}
	return out
}

// verdictForm finds what a page of results says of a check.
var verdictForm = regexp.MustCompile(`<span class="verdict">([^<]*)</span>`)

// mended says which result in the answers of the searches does not say what the provider's own JSON says, and which
// page does not say what the JSON of the same search says.
func (x *ticking) mended(old map[string]string) string {
	type checks []struct{ Check, Result, Label, Sentence string }
	for path := range old {
		if !strings.HasPrefix(path, "/api/") {
			continue
		}
		_, body, _ := x.get(path)
		var a struct {
			Results []struct {
				ID     string
				Checks checks
			}
		}
		if err := json.Unmarshal(body, &a); err != nil || len(a.Results) == 0 || string(body) == old[path] {
			return fmt.Sprintf("%s: %d results, %v", path, len(a.Results), err)
		}
		var labels, shown []string
		for _, r := range a.Results {
			var p struct{ Checks checks }
			_, body, _ := x.get("/api/v1/providers/" + r.ID)
			if err := json.Unmarshal(body, &p); err != nil || !slices.Equal(p.Checks, r.Checks) {
				return fmt.Sprintf("%s: %s stands there with %v, and has %v", path, r.ID, r.Checks, p.Checks)
			}
			for _, c := range r.Checks {
				labels = append(labels, c.Label)
			}
		}
		_, body, _ = x.get("/" + strings.TrimPrefix(path, "/api/v1/providers"))
		for _, m := range verdictForm.FindAllStringSubmatch(string(body), -1) {
			shown = append(shown, html.UnescapeString(m[1]))
		}
		if !slices.Equal(labels, shown) {
			return fmt.Sprintf("%s: its page says %v, and the JSON %v", path, shown, labels)
		}
	}
	return ""
}

// heard says which of the providers the change feed does not name after the number.
func (x *ticking) heard(after int64, ids map[directory.ID]bool) string {
	missing := maps.Clone(ids)
	for {
		list, err := x.st.Changes(x.t.Context(), after, 500)
		if err != nil {
			return err.Error()
		}
		for _, c := range list {
			delete(missing, c.Provider)
			after = c.Seq
		}
		if len(list) < 500 {
			break
		}
	}
	if len(missing) > 0 {
		return fmt.Sprintf("the change feed lacks %d of %d", len(missing), len(ids))
	}
	return ""
}

// linkedTo are those whose oversight links name the provider.
func (x *ticking) linkedTo(id directory.ID) []directory.ID {
	var out []directory.ID
	for _, f := range x.files {
		if f.Provider.ID != id && slices.ContainsFunc(f.Claims, func(h directory.History) bool {
			return h.Claim.Kind == directory.OversightLink && h.Claim.Other == id
		}) {
			out = append(out, f.Provider.ID)
		}
	}
	return out
}

// pass moves the clock to the moment, with no other event, and holds every face to what is true from then on.
func (x *ticking) pass(name string, moment directory.Instant, due map[directory.ID]bool, watched []directory.ID) {
	x.t.Helper()
	old := map[string]said{}
	for _, id := range watched {
		for _, path := range []string{"/api/v1/providers/" + string(id), "/providers/" + string(id)} {
			old[path] = x.said(path)
		}
	}
	head, err := x.st.Head(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	want := x.facets(moment)
	before := x.searched(want)
	lists := x.keeps(x.searches(watched))
	limit := soon()
	x.clock.set(moment)
	begun := time.Now()
	for path, o := range old { // no cache in between serves the old one: pages and JSON tell at once
		if says := x.changed(path, o); says != "" {
			x.t.Errorf("%s: %s", name, says)
		}
	}
	if says := x.mended(lists); says != "" { // nor does one of our own
		x.t.Errorf("%s: %s", name, says)
	}
	x.within(name+": the change feed", limit-time.Since(begun), func() string { return x.heard(head.Seq, due) })
	feed := time.Since(begun)
	x.within(name+": the search", limit-time.Since(begun), func() string { return x.searched(want) })
	all := time.Since(begun)
	moved := x.moved(moment)
	called := x.within(name+": webhooks", time.Minute, func() string { return x.called(head.Seq, moved) })
	for v, n := range want { // a filter finds what its facet counts
		_, body, _ := x.get("/api/v1/providers?limit=1&check=" + v)
		var a answer
		if err := json.Unmarshal(body, &a); err != nil || a.Total != n {
			x.t.Errorf("%s: the filter %s finds %d, want %d (%v)", name, v, a.Total, n, err)
		}
	}
	for path, o := range old {
		if says := x.changed(path, o); says != "" {
			x.t.Errorf("%s: %s", name, says)
		}
	}
	x.t.Logf("%s: %d due, change feed after %s, search after %s of %s (facets changed: %v), %d webhooks %s later", name, len(due), feed.Round(time.Millisecond), all.Round(time.Millisecond), limit.Round(time.Millisecond), before != "", len(moved), called.Round(time.Millisecond))
	if len(moved) == 0 {
		x.t.Errorf("%s: no result changes", name)
	}
}

// With the clock moved past a valid_until and no other event, the change feed, the index, the API and the page
// all tell the new answer within two seconds, and no cache serves the old one: for one prescriber with all whose
// oversight they are, and for hundreds whose screen goes stale in one millisecond.
func TestTimePassesByItself(t *testing.T) {
	x := newTicking(t)
	m, _ := readManifest()
	known := max(m.Now, x.known())

	// A prescriber of others whose answer changes by itself, and with it theirs.
	var who *directory.CredentialFile
	var moment directory.Instant
	byMoment := map[directory.Instant][]directory.ID{}
	for _, f := range x.files {
		u := x.until(f, m.Now, known)
		byMoment[u] = append(byMoment[u], f.Provider.ID)
		if u == "" || moment != "" && u >= moment || len(x.linkedTo(f.Provider.ID)) == 0 {
			continue
		}
		// Only if a therapist's own answer changes then as well.
		if slices.ContainsFunc(x.linkedTo(f.Provider.ID), func(id directory.ID) bool { return x.changesAt(id, u) }) {
			who, moment = f, u
		}
	}
	if who == nil {
		t.Fatal("the demonstration has no prescriber whose answer changes a therapist's by itself")
	}
	var therapist directory.ID
	for _, id := range x.linkedTo(who.Provider.ID) {
		if x.changesAt(id, moment) {
			therapist = id
		}
	}
	// Ten seconds before, nobody may keep the answer for longer than that.
	x.clock.set(moment.Add(-10 * time.Second))
	for _, path := range []string{"/api/v1/providers/" + string(who.Provider.ID), "/providers/" + string(who.Provider.ID), "/api/v1/providers/" + string(therapist)} {
		if s := x.said(path); s.age > 10*time.Second {
			t.Errorf("%s may be kept for %s, ten seconds before it changes", path, s.age)
		}
	}
	time.Sleep(1100 * time.Millisecond) // what fell due before that is done
	x.settled()
	due := map[directory.ID]bool{who.Provider.ID: true}
	for _, id := range x.linkedTo(who.Provider.ID) {
		due[id] = true
	}
	x.pass("a prescriber and all linked", moment, due, []directory.ID{who.Provider.ID, therapist})

	// The moment at which most fall due together: an exclusion list's release goes stale.
	var together directory.Instant
	for at, ids := range byMoment {
		if at > moment && len(ids) > len(byMoment[together]) {
			together = at
		}
	}
	many := map[directory.ID]bool{}
	for _, f := range x.files {
		if slices.ContainsFunc(f.Claims, func(h directory.History) bool {
			return directory.Derive(h, together.Add(-time.Millisecond), max(together, x.known()), x.st.Policies()).ValidUntil == together
		}) {
			many[f.Provider.ID] = true
		}
	}
	if len(many) < 300 {
		t.Fatalf("%d fall due at %s, want 300", len(many), together)
	}
	x.clock.set(together.Add(-time.Millisecond))
	time.Sleep(2200 * time.Millisecond)
	x.settled()
	var watched []directory.ID
	for id := range many {
		if watched = append(watched, id); len(watched) == 3 {
			break
		}
	}
	x.pass("hundreds in one millisecond", together, many, watched)
}

// changesAt reports that a check of the provider has another result from the moment on.
func (x *ticking) changesAt(id directory.ID, at directory.Instant) bool {
	i := slices.IndexFunc(x.files, func(f *directory.CredentialFile) bool { return f.Provider.ID == id })
	results := func(t directory.Instant) (out []directory.CheckResult) {
		for _, c := range directory.Checks(x.files[i], x.files[i].Provider.HomeState(), t, max(at, x.known()), x.st.Policies()) {
			out = append(out, c.Result)
		}
		return out
	}
	return !slices.Equal(results(at.Add(-time.Millisecond)), results(at))
}

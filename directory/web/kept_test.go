package web

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
	"kapdir/search"
)

// searches are questions of every kind, those that nothing may be kept of aside.
var searches = []string{
	"", "q=trauma", "q=trauma&state=CO&limit=50", "near=80302&radius=100&sort=distance&care=full_kap", "q=ketamin+theripist+for+ptds+near+bolder+under+900", "q=zzzzqqqq",
	"q=trauma&near=80302&radius=100&explain=true", "can_see=CO", "q=caf%C3%A9+%22x%22+%3Cb%3E", "sort=price&limit=5", "at=2026-06-01&state=CO&limit=3", "q=amara+witcombe",
}

// An answer that is kept has the bytes of one that is worked out anew, plain and gzipped, and no intermediary
// may keep either.
func TestKeptAnswersAreTheSame(t *testing.T) {
	kept, anew := demoServer(t), demoServer(t, func(c *Config) { c.KeepAnswers = -1 })
	for _, q := range searches {
		for _, target := range []string{"/api/v1/providers?" + q, "/?" + q} {
			if strings.HasPrefix(target, "/?") && strings.Contains(q, "explain") {
				continue
			}
			want := get(t, anew, target)
			for range 3 {
				got := get(t, kept, target)
				if got.StatusCode != 200 || got.body != want.body || got.Header.Get("Cache-Control") != "no-store" {
					t.Fatalf("%s: %d, %s, %s", target, got.StatusCode, got.Header.Get("Cache-Control"), cmp.Diff(want.body, got.body))
				}
				for _, h := range []string{"Date", "Ratelimit"} { // they move
					want.Header.Del(h)
					got.Header.Del(h)
				}
				if d := cmp.Diff(want.Header, got.Header); d != "" {
					t.Errorf("%s: headers (-anew +kept):\n%s", target, d)
				}
				a, b := get(t, anew, target, "Accept-Encoding", "gzip"), get(t, kept, target, "Accept-Encoding", "gzip")
				if a.body != b.body || b.Header.Get("Content-Encoding") != a.Header.Get("Content-Encoding") {
					t.Errorf("%s: gzipped they differ", target)
				}
			}
		}
	}
}

// So has a provider's, which others may keep too: by the same tag, and for as long as it has left.
func TestKeptProvidersAreTheSame(t *testing.T) {
	var store *counting
	now := new(atomic.Int64)
	at := func(c *Config) {
		now.Store(c.Now().UnixMilli())
		c.Now = func() time.Time { return time.UnixMilli(now.Load()) }
	}
	kept, anew := demoServer(t, at, func(c *Config) { store = &counting{Reader: c.Reader}; c.Reader = store }), demoServer(t, at, func(c *Config) { c.KeepAnswers = -1 })
	begun := now.Load()
	same := func(target string, fromMemory bool, header ...string) {
		t.Helper()
		want, before := get(t, anew, target, header...), store.one.Load()
		got := get(t, kept, target, header...)
		if got.StatusCode != want.StatusCode || got.body != want.body {
			t.Fatalf("%s: %d and %d, %s", target, got.StatusCode, want.StatusCode, cmp.Diff(want.body, got.body))
		}
		if read := store.one.Load() > before; read == fromMemory {
			t.Errorf("%s %v: the store was asked: %v", target, header, read)
		}
		for _, h := range []string{"Date", "Ratelimit"} {
			want.Header.Del(h)
			got.Header.Del(h)
		}
		if d := cmp.Diff(want.Header, got.Header); d != "" {
			t.Errorf("%s: headers (-anew +kept):\n%s", target, d)
		}
	}
	ids := must(store.Listed(t.Context()))
	for i := 0; i < len(ids); i += 40 {
		now.Store(begun)
		target := api(ids[i])
		same(target, false)
		same(target, true)
		same(target, true, "If-None-Match", get(t, anew, target).Header.Get("ETag"))
		same(target, true, "Accept-Encoding", "gzip")
		same(target+"?state=TX", false)
		same(target+"?state=TX", true)
		same(target+"?at=2026-06-01", false)
		same(target+"?at=2026-06-01", false)
		p := decode[provider](t, get(t, anew, target))
		end := begun + keptFor.Milliseconds()
		if p.ValidUntil != nil && p.ValidUntil.Time().UnixMilli() < end {
			end = p.ValidUntil.Time().UnixMilli()
		}
		now.Store(end - 1)
		get(t, kept, target)
		before := store.one.Load()
		now.Store(end)
		get(t, kept, target)
		if store.one.Load() == before {
			t.Errorf("%s is kept at its end", target)
		}
		now.Store(begun)
	}
	target := api(ids[1])
	get(t, kept, target)
	before := store.one.Load()
	store.more.Add(1)
	time.Sleep(2 * headFor)
	get(t, kept, target)
	if store.one.Load() == before {
		t.Error("an answer outlives a change")
	}
}

// counting counts what the store is asked, and can be given another head.
type counting struct {
	Reader
	files, heads atomic.Int64
	one          atomic.Int64 // files that were asked for by themselves
	more         atomic.Int64
}

func (c *counting) File(ctx context.Context, id directory.ID) (*directory.CredentialFile, error) {
	c.one.Add(1)
	return c.Reader.File(ctx, id)
}

func (c *counting) Files(ctx context.Context, ids []directory.ID) ([]*directory.CredentialFile, error) {
	c.files.Add(1)
	return c.Reader.Files(ctx, ids)
}

func (c *counting) Head(ctx context.Context) (directory.Head, error) {
	c.heads.Add(1)
	h, err := c.Reader.Head(ctx)
	h.Seq, h.Public = h.Seq+c.more.Load(), h.Public+c.more.Load()
	return h, err
}

// A kept answer ends with the next number, with the first result that changes by itself, and with the minute; and
// nothing is kept of somebody in need, nor of an answer that the index did not give.
func TestKeptAnswersEnd(t *testing.T) {
	var store *counting
	var searched atomic.Int64
	var change func(*search.Result)
	now := new(atomic.Int64)
	s := demoServer(t, func(c *Config) {
		now.Store(c.Now().UnixMilli())
		c.Now = func() time.Time { return time.UnixMilli(now.Load()) }
		store = &counting{Reader: c.Reader}
		c.Reader = store
		engine := c.Search
		c.Search = finder{Searcher: engine, search: func(ctx context.Context, q search.Query) (search.Result, error) {
			searched.Add(1)
			r, err := engine.Search(ctx, q)
			if change != nil {
				change(&r)
			}
			return r, err
		}}
	})
	asks := func(target string) bool { // whether it is worked out anew
		t.Helper()
		before := searched.Load()
		if r := get(t, s, target); r.StatusCode != 200 {
			t.Fatalf("%s: %d %s", target, r.StatusCode, r.body)
		}
		return searched.Load() > before
	}
	expect := func(what, target string, want bool) {
		t.Helper()
		if got := asks(target); got != want {
			t.Errorf("%s, %s: worked out anew is %v", what, target, got)
		}
	}
	both := []string{"/api/v1/providers?state=CO&limit=3", "/?state=CO&limit=3"}
	for _, target := range both {
		expect("first", target, true)
		expect("again", target, false)
	}
	expect("written otherwise", "/api/v1/providers?limit=3&state=Colorado", false)
	files := store.files.Load()
	if asks("/api/v1/providers?state=CO&limit=2"); store.files.Load() != files {
		t.Error("the store was asked for files that are kept")
	}

	store.more.Add(1)
	time.Sleep(2 * headFor)
	for _, target := range both {
		expect("after a change", target, true)
		expect("while the index is behind", target, true)
	}
	store.more.Add(-1)
	time.Sleep(2 * headFor)

	a := decode[searchAnswer](t, get(t, s, both[0]))
	var first directory.Instant
	for _, r := range a.Results {
		for _, c := range r.Checks {
			if c.ValidUntil != nil && (first == "" || *c.ValidUntil < first) {
				first = *c.ValidUntil
			}
		}
	}
	if first == "" {
		t.Fatal("no check of the results changes by itself")
	}
	begun := now.Load()
	end := min(first.Time().UnixMilli(), begun+keptFor.Milliseconds())
	change = func(r *search.Result) { r.Until = directory.At(time.UnixMilli(begun + 5000)) }
	for _, target := range []string{"/api/v1/providers?state=CO&limit=4", "/?state=CO&limit=4"} {
		now.Store(begun)
		asks(target)
		now.Store(begun + 4999)
		expect("before the index changes", target, false)
		now.Store(begun + 5000)
		expect("when the index changes", target, true)
	}
	change = func(r *search.Result) { r.Until = "" }
	now.Store(begun)
	for _, target := range []string{"/api/v1/providers?state=CO&limit=5", "/?state=CO&limit=5"} {
		now.Store(begun)
		asks(target)
		now.Store(end - 1)
		expect("before its end", target, false)
		now.Store(end)
		expect("at its end", target, true)
	}
	now.Store(begun)
	for _, target := range []string{"/api/v1/providers?q=suicidal", "/?q=suicidal"} {
		asks(target)
		expect("in need", target, true)
	}
	change = func(r *search.Result) { r.Plain = true }
	for _, target := range []string{"/api/v1/providers?state=UT", "/?state=UT"} {
		asks(target)
		expect("without the index", target, true)
	}
}

// Of many who come at once one looks at the head, and each is told of a store that does not answer.
func TestHeadIsLookedAtOnce(t *testing.T) {
	store := &counting{Reader: demoWorld(t).store}
	h := newHeads(store)
	for range 100 {
		if _, err := h.look(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if n := store.heads.Load(); n > 10 {
		t.Errorf("the head was read %d times", n)
	}
	h = newHeads(altered{err: errDisk})
	for range 2 {
		if _, err := h.look(context.Background()); err == nil {
			t.Error("a store that does not answer gives a head")
		}
	}
	h.turn <- struct{}{}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := h.look(ctx); err == nil {
		t.Error("whoever waits in vain is given a head")
	}
}

// Each result says why it stands where it does, in parts that agree with the order.
func TestExplain(t *testing.T) {
	s := demoServer(t)
	plain := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q=trauma&near=80302&radius=200&limit=50"))
	a := decode[searchAnswer](t, get(t, s, "/api/v1/providers?q=trauma&near=80302&radius=200&limit=50&explain=true"))
	if len(a.Results) < 5 || len(a.Results) != len(plain.Results) {
		t.Fatalf("%d and %d results", len(a.Results), len(plain.Results))
	}
	for i, r := range a.Results {
		if r.ID != plain.Results[i].ID || plain.Results[i].Explain != nil {
			t.Errorf("explaining moves %s, or is told unasked", r.Name)
		}
		parts := map[string]reason{}
		for _, x := range r.Explain {
			if x.Words == "" || (x.Points == nil) != (x.Of == nil) || x.Points != nil && (*x.Points < 0 || *x.Points > *x.Of) {
				t.Errorf("%s: %+v", r.Name, x)
			}
			parts[x.Part] = x
		}
		_, problem := parts["record"]
		for _, c := range r.Checks {
			if c.Result == directory.ProblemOnRecord && !problem {
				t.Errorf("%s has a problem on record, and no part says so", r.Name)
			}
		}
		if parts["checks"].Points == nil || parts["near"].Points == nil || parts["checked"].Words == "" || parts["care"].Words == "" {
			t.Errorf("%s: %+v", r.Name, r.Explain)
		}
	}
	several := get(t, s, "/?focus=trauma&focus=depression").body
	if !strings.Contains(several, "2 of 2 filters of which one is enough") || strings.Contains(get(t, s, "/?focus=trauma").body, "filters of which") {
		t.Error("the page does not say how many of several needs are stated, or says it of one")
	}
	if next := a.Next; next != nil && !strings.Contains(get(t, s, "/api/v1/providers?q=trauma&near=80302&radius=200&limit=50&explain=true").Header.Get("Link"), "explain=true") {
		t.Error("the next page is not explained")
	}
}

// With a server that tells what becomes of connections, each is given as it is, and every slot comes back: of one
// that ended, and of one that the server turned away before it took it up.
func TestListenerIsTold(t *testing.T) {
	inner := &short{conns: make(chan net.Conn, 8), closed: make(chan struct{})}
	p := patient(inner, 2)
	p.told = true
	give := func() net.Conn {
		t.Helper()
		a, b := net.Pipe()
		t.Cleanup(func() { b.Close() })
		inner.conns <- a
		got := make(chan net.Conn, 1)
		go func() { c, _ := p.Accept(); got <- c }()
		select {
		case c := <-got:
			if c != a {
				t.Error("the connection is wrapped")
			}
			return c
		case <-time.After(5 * time.Second):
			t.Fatal("no slot came back")
		}
		return nil
	}
	for range 5 { // turned away: nothing is told
		give().Close()
	}
	for range 5 {
		c := give()
		p.state(c, fasthttp.StateNew)
		p.state(c, fasthttp.StateActive)
		p.state(c, fasthttp.StateIdle)
		p.state(c, fasthttp.StateClosed)
	}
	a, b := give(), net.Conn(nil)
	p.state(a, fasthttp.StateNew)
	b = give()
	p.state(b, fasthttp.StateNew)
	if len(p.slots) != 2 {
		t.Errorf("%d slots are taken", len(p.slots))
	}
	for range 5 { // more often than there are
		p.state(a, fasthttp.StateClosed)
	}
	_ = p.Close()
}

// A served listener holds no slot when all have gone, and sends an answer whole.
func TestServedSlotsComeBack(t *testing.T) {
	s := demoServer(t)
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	for range 20 {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Get("http://" + l.Addr().String() + "/livez")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	p := l.(*patientListener)
	for at := time.Now(); len(p.slots) > 1 && time.Since(at) < 5*time.Second; { // one waits for the next
		time.Sleep(time.Millisecond)
	}
	if len(p.slots) > 1 {
		t.Errorf("%d slots are taken by nobody", len(p.slots))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// The quick way to an answer that is kept is no way around what every request goes through.
func TestQuickIsNoWayAround(t *testing.T) {
	s := demoServer(t, func(c *Config) { c.AnonymousPerMinute = 5 })
	target := "/api/v1/providers?q=trauma&limit=3"
	var rest []string
	for i, want := range []int{200, 200, 200, 401, 200, 429, 429, 405} {
		method, headers := "GET", []string(nil)
		switch want {
		case http.StatusUnauthorized:
			headers = []string{"Authorization", "Bearer kap_live_nobody_has_this"}
		case http.StatusMethodNotAllowed:
			method = "POST"
		}
		got := do(t, s, method, target, headers...)
		if got.StatusCode != want {
			t.Errorf("request %d: %d, want %d: %s", i, got.StatusCode, want, got.body)
		}
		rest = append(rest, got.Header.Get("RateLimit"))
		for _, h := range s.headers {
			if got.Header.Get(string(h[0])) != string(h[1]) {
				t.Errorf("request %d has %s %q", i, h[0], got.Header.Get(string(h[0])))
			}
		}
	}
	for i, left := range []string{"4", "3", "2", "1", "0", "0", "0", ""} {
		if _, r, _ := strings.Cut(rest[i], ";r="); left != "" && !strings.HasPrefix(r, left+";") {
			t.Errorf("request %d has %q left of the quota, want %s", i, rest[i], left)
		}
	}
	s = demoServer(t)
	get(t, s, target)
	if got := get(t, s, target, "Content-Encoding", "gzip"); got.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("with an encoding: %d", got.StatusCode)
	}
}

// A panic on the quick way is told by the slow one, and nothing ends.
func TestQuickPanics(t *testing.T) {
	fail := false
	s := with(t, altered{head: func() {
		if fail {
			panic("value")
		}
	}})
	target := "/api/v1/providers?q=trauma&limit=3"
	for _, want := range []int{200, 200, 500, 200} {
		fail = want == http.StatusInternalServerError
		s.heads.forget()
		if got := get(t, s, target); got.StatusCode != want || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%d %v, want %d", got.StatusCode, got.Header, want)
		}
	}
}

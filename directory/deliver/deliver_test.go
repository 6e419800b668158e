package deliver_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
	"kapdir/directory/deliver"
	"kapdir/directory/store"
	"kapdir/directory/store/storetest"
)

var ctx = context.Background()

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestSignature holds our headers to the vector that the published libraries are tested with, and to the library's
// own verification, with one secret and with two.
func TestSignature(t *testing.T) {
	h := http.Header{}
	at := time.Unix(1614265330, 0)
	if err := deliver.Sign(h, []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, []byte(`{"test": 2432232314}`)); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(http.Header{"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"}, "Webhook-Signature": {"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}}, h); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	body := []byte(`{"type":"test"}`)
	first, second, other := "whsec_"+strings.Repeat("QUFB", 8), "whsec_"+strings.Repeat("QkJC", 8), "whsec_"+strings.Repeat("Q0ND", 8)
	if err := deliver.Sign(h, []string{first, second}, "evt_1", time.Now(), body); err != nil {
		t.Fatal(err)
	}
	for secret, good := range map[string]bool{first: true, second: true, other: false} {
		w := must(standardwebhooks.NewWebhook(secret))
		if err := w.Verify(body, h); (err == nil) != good {
			t.Errorf("verified: %v, want %v", err, good)
		}
		if err := w.Verify([]byte(`{"type":"text"}`), h); err == nil {
			t.Error("another body is verified")
		}
	}
	for _, bad := range [][]string{nil, {"whsec_*"}} {
		if err := deliver.Sign(h, bad, "evt_1", at, body); err == nil {
			t.Errorf("%q signs", bad)
		}
	}
}

// receiver is a partner's server that does as it is told.
type receiver struct {
	srv    *httptest.Server
	mu     sync.Mutex
	answer func(n int) int // of the n-th request: a status, or one of the below
	seen   []got
	asked  int
	all    []string // what came, and what was done about it
}

// Other things to do than to answer.
const (
	hang       = -1 // until the caller gives up
	reset      = -2 // the connection, before anything is taken
	resetAfter = -3 // the connection, after the notice was taken
)

// got is a notice as it came.
type got struct {
	Header http.Header
	Body   []byte
	Type   string
	Data   struct {
		ID       directory.ID
		Number   int64
		Provider directory.ID
		Changes  []struct {
			State *string
			Check string
			From  *string
			To    string
		}
	}
}

func receive(t testing.TB, answer func(n int) int) *receiver {
	r := &receiver{answer: answer}
	r.srv = httptest.NewUnstartedServer(r)
	r.srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.srv.StartTLS()
	t.Cleanup(r.srv.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return
	}
	x := got{Header: q.Header.Clone(), Body: body}
	if json.Unmarshal(body, &x) != nil || q.Method != http.MethodPost {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	do := r.answer(r.asked)
	r.asked++
	r.all = append(r.all, fmt.Sprint(x.Data.Number, " ", x.Data.ID, " ", do))
	if do >= 200 && do < 300 || do == resetAfter {
		r.seen = append(r.seen, x)
	}
	r.mu.Unlock()
	switch do {
	case hang:
		<-q.Context().Done()
	case reset, resetAfter:
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			if c, ok := conn.(interface{ NetConn() net.Conn }); ok { // below TLS
				_ = c.NetConn().(*net.TCPConn).SetLinger(0)
			}
			_ = conn.Close()
		}
	default:
		if do == http.StatusFound {
			w.Header().Set("Location", "https://elsewhere.example.com/")
		}
		w.WriteHeader(do)
		_, _ = io.WriteString(w, strings.Repeat("what we answer ", 10000))
	}
}

func (r *receiver) taken() []got {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func (r *receiver) heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

func (r *receiver) host() string { return r.srv.Listener.Addr().String() }

// client may call the receivers, each by a name.
func client(timeout time.Duration, roots *x509.CertPool, hosts map[string]string) *safehttp.Client {
	c := safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Dial: hosts, Roots: roots, TotalTimeout: timeout, HeaderTimeout: timeout}
	for _, h := range hosts {
		_, port, _ := net.SplitHostPort(h)
		n, _ := strconv.ParseUint(port, 10, 16)
		c.AllowPorts = append(c.AllowPorts, uint16(n))
	}
	return safehttp.New(c)
}

func rootsOf(r *receiver) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(r.srv.Certificate())
	return p
}

// both runs a test on both databases.
func both(t *testing.T, f func(t *testing.T, c store.Config)) {
	t.Run("sqlite", func(t *testing.T) { f(t, store.Config{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { f(t, store.Config{DSN: storetest.Postgres(t), Dir: t.TempDir()}) })
}

// clock is a time that the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// list imports a release of a listing site in which the people stand.
func list(t testing.TB, s *store.Store, release string, people ...string) {
	t.Helper()
	run, err := s.Begin(ctx, directory.Release{Source: "kap-commons", Name: release, AsOf: "2026-11-20", SHA256: strings.Repeat("0", 64-len(release)) + release, File: release, Size: 1, Read: directory.At(noon)})
	if err != nil {
		t.Fatal(err)
	}
	var b directory.Batch
	for _, who := range people {
		l := &directory.Listing{Kind: directory.Person, ListedAs: directory.AsKAP, Name: directory.ParseName(who), Origin: directory.Origin{Source: "kap-commons", AsOf: "2026-11-20"}}
		b.Records = append(b.Records, directory.Record{Source: "kap-commons", Key: who, Listing: l, Fields: map[string]string{"name": who}})
	}
	if _, err := s.Put(ctx, run.ID, b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.End(ctx, run.ID, nil); err != nil {
		t.Fatal(err)
	}
}

func hook(t testing.TB, s *store.Store, partner directory.IntegratorID, address string) directory.Hook {
	t.Helper()
	at := directory.At(noon)
	if _, err := s.Integrator(ctx, partner); err != nil {
		must(s.AddIntegrator(ctx, directory.Integrator{ID: partner, Name: "Partner"}, "account test", at))
	}
	_, h, err := s.AddHook(ctx, partner, directory.Hook{URL: address}, "account test", at)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// attest lets the provider state how they work, which changes check 4.
func attest(t testing.TB, s *store.Store, id directory.ID, at time.Time) {
	t.Helper()
	must(s.Attest(ctx, directory.Attestation{At: directory.At(at), Provider: directory.ProviderRef{ID: id}, By: "provider", Auth: "email_link",
		Protocol: &directory.ProtocolStatement{Preparation: directory.Yes, Presence: directory.Yes, Monitoring: directory.Yes, Emergency: directory.Yes, Integration: directory.Yes}}))
}

func deliverer(s *store.Store, c *safehttp.Client, now func() time.Time) *deliver.Deliverer {
	return deliver.New(deliver.Config{Store: s, Client: c, Now: now, BaseURL: "https://kapdir.example", Log: slog.New(slog.DiscardHandler), Holder: "test", Jitter: func() float64 { return 0 }, Pause: 5 * time.Millisecond})
}

// turn does all there is to do at the moment.
func turn(t testing.TB, d *deliver.Deliverer) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = d.Step(ctx); err != nil {
			t.Fatal(err)
		}
	}
	d.Wait()
}

// TestOutcomes: what each kind of answer makes of a webhook, and that nobody is called who must not be.
func TestOutcomes(t *testing.T) {
	clk := &clock{at: noon}
	s := open(t, store.Config{Dir: t.TempDir(), Now: clk.now})
	list(t, s, "1", "Ana Ruiz", "Ben Carter")
	ids := must(s.Listed(ctx))
	if _, _, err := s.Announce(ctx, 100); err != nil {
		t.Fatal(err)
	}
	answers := map[string]int{"redirect": 302, "error": 500, "gone": 410, "hang": hang, "reset": reset, "ok": 204}
	hosts := map[string]string{"nobody.example.com": "127.0.0.1:1", "private.example.com": "10.0.0.1:443", "metadata.example.com": "169.254.169.254:443"}
	receivers, hooks := map[string]*receiver{}, map[string]directory.Hook{}
	elsewhere := receive(t, func(int) int { return 204 })
	hosts["elsewhere.example.com"] = elsewhere.host()
	for what, status := range answers {
		receivers[what] = receive(t, func(int) int { return status })
		hosts[what+".example.com"] = receivers[what].host()
	}
	for name := range hosts {
		hooks[strings.TrimSuffix(name, ".example.com")] = hook(t, s, directory.IntegratorID("p-"+strings.TrimSuffix(name, ".example.com")), "https://"+name+"/hook?from=kapdir")
	}
	// A name that the public DNS leads to this machine is such a thing too.
	local := hook(t, s, "p-local", "https://localtest.example.org/")
	hosts["localtest.example.org"] = "127.0.0.2:443"
	// One whose certificate is somebody else's, and one that speaks no TLS.
	foreign := hook(t, s, "p-foreign", "https://foreign.example.org/")
	hosts["foreign.example.org"] = elsewhere.host()
	bare := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(bare.Close)
	plain := hook(t, s, "p-plain", "https://plain.example.org/")
	hosts["plain.example.org"] = bare.Listener.Addr().String()
	attest(t, s, ids[0], noon)
	d := deliverer(s, client(1500*time.Millisecond, rootsOf(elsewhere), hosts), clk.now)
	turn(t, d)
	for what, want := range map[string]struct {
		status  int
		outcome string
		why     string
		state   directory.HookState
	}{
		"redirect": {302, "failed", "answered 302: a redirect is not followed", "active"},
		"error":    {500, "failed", "answered 500", "active"},
		"gone":     {410, "gone", "answered 410", "stopped"},
		"hang":     {0, "failed", "no answer in 10s", "active"},
		"reset":    {0, "failed", "no answer: the connection broke", "active"},
		"nobody":   {0, "failed", "no answer: nobody listens at port 443", "active"},
		"private":  {0, "refused", "the name leads to an address that is not public, where we do not call", "active"},
		"metadata": {0, "refused", "the name leads to an address that is not public, where we do not call", "active"},
		"ok":       {204, "taken", "", "active"},
	} {
		h := hooks[what]
		log := must(s.HookLog(ctx, h.Integrator, h.ID, 0, 10))
		if len(log) != 1 || log[0].Status != want.status || log[0].Outcome != want.outcome || log[0].Why != want.why {
			t.Errorf("%s: %+v", what, log)
		}
		if h = must(s.Hook(ctx, h.Integrator, h.ID)); h.State != want.state || (h.Attempts == 1) != (want.outcome != "taken") {
			t.Errorf("%s: %+v", what, h)
		}
	}
	if log := must(s.HookLog(ctx, "p-local", local.ID, 0, 10)); len(log) != 1 || log[0].Outcome != "refused" {
		t.Errorf("loopback: %+v", log)
	}
	for why, h := range map[string]directory.Hook{"no answer: its certificate is not good for the name": foreign, "no answer: TLS came to nothing": plain} {
		if log := must(s.HookLog(ctx, h.Integrator, h.ID, 0, 10)); len(log) != 1 || log[0].Outcome != "failed" || log[0].Why != why {
			t.Errorf("%s: %+v", why, log)
		}
	}
	if x := elsewhere.taken(); len(x) != 1 { // its own
		t.Errorf("elsewhere got %d", len(x))
	}
	x := receivers["ok"].taken()[0]
	want := `{"type":"provider.status_changed","timestamp":"2026-11-23T12:00:00.000Z","data":{"id":"` + x.Header.Get("webhook-id") + `","number":` + strconv.FormatInt(x.Data.Number, 10) +
		`,"provider":"` + string(ids[0]) + `","url":"https://kapdir.example/api/v1/providers/` + string(ids[0]) + `","previous":`
	if !strings.HasPrefix(string(x.Body), want) || x.Header.Get("content-type") != "application/json" || !strings.HasPrefix(x.Header.Get("user-agent"), "kapdir/") || x.Header.Get("webhook-timestamp") != strconv.FormatInt(noon.Unix(), 10) {
		t.Errorf("%s\n%v", x.Body, x.Header)
	}
	if c := x.Data.Changes; len(c) != 1 || c[0].Check != "protocol" || c[0].State != nil || *c[0].From != "not_checked" || c[0].To != "stated_by_provider" {
		t.Errorf("%s", x.Body)
	}
	// The rest is tried again at its time, and not before.
	clk.add(4 * time.Second)
	turn(t, d)
	if n := receivers["error"].asked; n != 1 {
		t.Errorf("asked %d times within 4 s", n)
	}
	clk.add(time.Second)
	turn(t, d)
	if n := receivers["error"].asked; n != 2 || receivers["gone"].asked != 1 {
		t.Errorf("asked %d times within 5 s; the one that is gone %d times", n, receivers["gone"].asked)
	}
	if _, err := url.Parse(hooks["ok"].URL); err != nil {
		t.Error(err)
	}
}

// TestTime: an answer that changes by itself is announced and delivered, and nothing else happened.
func TestTime(t *testing.T) {
	both(t, func(t *testing.T, c store.Config) {
		clk := &clock{at: noon}
		c.Now = clk.now
		s := open(t, c)
		list(t, s, "1", "Ana Ruiz")
		id := must(s.Listed(ctx))[0]
		attest(t, s, id, noon)
		r := receive(t, func(int) int { return 200 })
		h := hook(t, s, "acme", "https://hooks.example.com/")
		secret, _, err := s.RotateHook(ctx, "acme", h.ID, 0, "account test", directory.At(noon))
		if err != nil {
			t.Fatal(err)
		}
		d := deliverer(s, client(5*time.Second, rootsOf(r), map[string]string{"hooks.example.com": r.host()}), clk.now)
		turn(t, d)
		if x := r.taken(); len(x) != 0 {
			t.Fatalf("what was before it: %s", x[0].Body)
		}
		head := must(s.Head(ctx))
		clk.add(800 * 24 * time.Hour)
		for n := 1; n > 0; {
			n = must(s.TouchDue(ctx, directory.At(clk.now()), 100))
		}
		turn(t, d)
		seen := r.taken()
		if len(seen) != 1 || seen[0].Type != "provider.status_changed" || seen[0].Data.Provider != id || seen[0].Data.Number <= head.Public {
			t.Fatalf("%d notices", len(seen))
		}
		if c := seen[0].Data.Changes; len(c) != 1 || c[0].Check != "protocol" || *c[0].From != "stated_by_provider" || c[0].To != "out_of_date" {
			t.Errorf("%s", seen[0].Body)
		}
		if err := must(standardwebhooks.NewWebhook(secret)).VerifyIgnoringTimestamp(seen[0].Body, seen[0].Header); err != nil {
			t.Error(err)
		}
		if after := must(s.Head(ctx)); after.Seq-head.Seq != 1 {
			t.Errorf("%d numbers were taken by time alone", after.Seq-head.Seq)
		}
	})
}

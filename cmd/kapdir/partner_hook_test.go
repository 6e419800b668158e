package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
	"kapdir/directory/deliver"
)

// hookReceiver is a partner's server, which takes what is signed.
type hookReceiver struct {
	mu     sync.Mutex
	secret string
	bad    []string
	seen   []hookNotice
	client *safehttp.Client // that may call it, as https://hooks.example.com/
}

type hookNotice struct {
	Type string
	Data struct {
		ID       directory.ID
		Number   int64
		Provider directory.ID
		Demo     bool
		Changes  []struct{ State, Check, From, To string }
	}
}

func newHookReceiver(t testing.TB) *hookReceiver {
	r := &hookReceiver{}
	srv := httptest.NewTLSServer(r)
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	address := srv.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	n, _ := strconv.ParseUint(port, 10, 16)
	r.client = safehttp.New(safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowPorts: []uint16{uint16(n)}, Dial: map[string]string{"hooks.example.com": address}, Roots: roots})
	return r
}

func (r *hookReceiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	var n hookNotice
	r.mu.Lock()
	defer r.mu.Unlock()
	by, err := standardwebhooks.NewWebhook(r.secret)
	if err == nil {
		err = by.Verify(body, q.Header)
	}
	if err == nil {
		err = json.Unmarshal(body, &n)
	}
	if err != nil || string(n.Data.ID) != q.Header.Get("webhook-id") {
		r.bad = append(r.bad, fmt.Sprint(err, " ", string(body)))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.seen = append(r.seen, n)
	w.WriteHeader(http.StatusNoContent)
}

func (r *hookReceiver) taken() ([]hookNotice, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen), slices.Clone(r.bad)
}

// hook makes the ticking server call a partner's server with whatever changes.
func (x *ticking) hook(r *hookReceiver) {
	x.t.Helper()
	at := directory.At(time.Now())
	if _, err := x.st.AddIntegrator(x.t.Context(), directory.Integrator{ID: "acme", Name: "Acme"}, "account test", at); err != nil {
		x.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	if r.secret, _, err = x.st.AddHook(x.t.Context(), "acme", directory.Hook{URL: "https://hooks.example.com/"}, "account test", at); err != nil {
		x.t.Fatal(err)
	}
	x.hooks = r
}

// called says which notices of changed results have not come after the number, or what came wrongly.
func (x *ticking) called(after int64, want map[directory.ID]bool) string {
	seen, bad := x.hooks.taken()
	if len(bad) > 0 {
		return "refused: " + bad[0]
	}
	missing := map[directory.ID]bool{}
	for id := range want {
		missing[id] = true
	}
	last := int64(0)
	for _, n := range seen {
		if n.Data.Number <= last || !n.Data.Demo {
			return fmt.Sprintf("%+v after number %d", n, last)
		}
		if last = n.Data.Number; last > after && n.Type == string(directory.NoticeStatus) && len(n.Data.Changes) > 0 {
			delete(missing, n.Data.Provider)
		}
	}
	if len(missing) > 0 {
		return fmt.Sprintf("%d of %d notices have not come", len(missing), len(want))
	}
	return ""
}

// moved are those of whom a check of some state has another result from the moment on.
func (x *ticking) moved(at directory.Instant) map[directory.ID]bool {
	out := map[directory.ID]bool{}
	known := max(at, x.known())
	for _, f := range x.files {
		before, _ := directory.Tell(f, at.Add(-time.Millisecond), known, x.st.Policies())
		if after, checks := directory.Tell(f, at, known, x.st.Policies()); len(after.Since(before, checks)) > 0 {
			out[f.Provider.ID] = true
		}
	}
	return out
}

// A webhook from the first command to the last, with a server that calls it: its secret is shown once and held nowhere
// as it is, a test says what became of it, and a replay brings what is asked for.
func TestPartnerHookCommands(t *testing.T) {
	state := t.TempDir()
	try := func(args ...string) (out, errs string, status int) {
		t.Helper()
		return inside(t, append([]string{"partner", "--state", state}, args...)...)
	}
	do := func(into any, args ...string) {
		t.Helper()
		out, errs, status := try(append(args, "--json")...)
		if status != 0 {
			t.Fatalf("partner %v: %d %s", args, status, errs)
		}
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("partner %v: %v in %s", args, err, out)
		}
	}
	for _, id := range []string{"acme", "bolt"} {
		var x directory.Integrator
		do(&x, "add", id, "The "+id)
	}
	var made, again hookShown
	do(&made, "hook", "add", "acme", "https://hooks.example.com/", "--types", "provider.removed,provider.listed")
	if directory.JoinNoticeTypes(made.Types) != "provider.listed provider.removed" || made.State != directory.HookActive || !strings.HasPrefix(made.Secret, "whsec_") {
		t.Errorf("%+v", made.Hook)
	}
	id := string(made.ID)
	if _, errs, status := try("hook", "test", "acme", id, "--wait", "1ms"); status != exitFailed || !strings.Contains(errs, "Is kapdir serve running?") {
		t.Errorf("a test that nobody sends: %d %s", status, errs)
	}
	do(&again, "hook", "rotate", "acme", id, "--overlap", "2")
	if again.Secret == made.Secret || again.OldSecret == "" {
		t.Errorf("%+v", again.Hook)
	}
	for _, secret := range []string{made.Secret, again.Secret} {
		if where := foundIn(t, state, strings.TrimPrefix(secret, "whsec_")); where != "" {
			t.Errorf("a secret stands in %s", where)
		}
	}

	// A server that delivers, beside these commands.
	receiver := newHookReceiver(t)
	receiver.secret = again.Secret
	a := &app{ctx: t.Context(), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}
	a.cfg.State = state
	st, err := a.openStore(a.clock())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	d := deliver.New(deliver.Config{Store: st, Client: receiver.client, Now: time.Now, BaseURL: "https://kapdir.example", Log: slog.New(slog.DiscardHandler), Holder: "test", Pause: 5 * time.Millisecond})
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	var sent directory.Delivery
	do(&sent, "hook", "test", "acme", id)
	if sent.Outcome != directory.OutcomeTaken || sent.Status != http.StatusNoContent || sent.Type != directory.NoticeTest {
		t.Errorf("%+v", sent)
	}
	receiver.mu.Lock()
	receiver.secret = made.Secret // a receiver that has not been told of the new one yet
	receiver.mu.Unlock()
	do(&sent, "hook", "test", "acme", id)
	seen, bad := receiver.taken()
	if sent.Outcome != directory.OutcomeTaken || len(bad) != 0 || seen[len(seen)-1].Type != "test" {
		t.Errorf("%+v %v", sent, bad)
	}
	var h directory.Hook
	do(&h, "hook", "replay", "acme", id, "7")
	do(&h, "hook", "show", "acme", id)
	if h.Cursor != 6 {
		t.Errorf("%+v", h)
	}
	var log []directory.Delivery
	if do(&log, "hook", "log", "acme", id); len(log) < 2 || log[0].Notice != sent.Notice {
		t.Errorf("%+v", log)
	}
	var all []directory.Hook
	if do(&all, "hook", "list"); len(all) != 1 || all[0].ID != made.ID {
		t.Errorf("%+v", all)
	}
	for want, args := range map[string][]string{
		"whk_…":                        {"hook", "show", "acme", "key_x"},
		"bolt has no webhook " + id:    {"hook", "show", "bolt", id},
		"must begin with https://":     {"hook", "add", "acme", "http://hooks.example.com/"},
		"is no type":                   {"hook", "add", "acme", "https://a.example/", "--types", "everything"},
		"is no number of a notice":     {"hook", "replay", "acme", id, "x"},
		"signs for 0 to 30 days":       {"hook", "rotate", "acme", id, "--overlap", "31"},
		`there is no partner "nobody"`: {"hook", "add", "nobody", "https://a.example/"},
	} {
		if _, errs, status := try(args...); status == 0 || !strings.Contains(errs, want) {
			t.Errorf("partner %v: %d %s, want %q", args, status, errs, want)
		}
	}
	out, _, _ := try("show", "acme")
	if !strings.Contains(out, id) || !strings.Contains(out, "webhook rotated") {
		t.Errorf("show says\n%s", out)
	}
	do(&h, "hook", "end", "acme", id)
	if out, _, _ := try("hook", "list", "acme"); !strings.Contains(out, "ended") || h.State != directory.HookEnded {
		t.Errorf("%s %+v", out, h)
	}
}

// foundIn names a file beneath the directory that holds the text.
func foundIn(t testing.TB, dir, text string) (where string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			where = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return where
}

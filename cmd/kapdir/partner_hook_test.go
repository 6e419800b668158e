package main

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
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

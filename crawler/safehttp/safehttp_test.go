package safehttp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// serve starts a server and a client that may reach it.
func serve(t *testing.T, h http.HandlerFunc, edit ...func(*safehttp.Config)) (*safehttp.Client, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c := safehttp.Config{Version: "1.2", Contact: "https://kapdir.example/about", AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowPorts: []uint16{portOf(t, srv.URL)}}
	for _, f := range edit {
		f(&c)
	}
	return safehttp.New(c), srv.URL
}

func portOf(t *testing.T, address string) uint16 {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(p)
}

func TestGet(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, r.Method, " ", r.UserAgent(), " ", r.Header.Get("X-Own"))
	})
	res, err := c.Get(context.Background(), base+"/from")
	if err != nil || res.Status != http.StatusTeapot || res.URL.Path != "/to" || string(res.Body) != "GET kapdir/1.2 (+https://kapdir.example/about) " {
		t.Fatalf("%v %+v %s", err, res, res.Body)
	}
	res, err = c.Do(context.Background(), safehttp.Request{Method: "POST", URL: base + "/from", NoRedirect: true, Body: []byte("x"), Header: http.Header{"X-Own": {"y"}}})
	if err != nil || res.Status != http.StatusFound {
		t.Fatalf("no redirect: %v %+v", err, res)
	}
	res, err = c.Do(context.Background(), safehttp.Request{Method: "POST", URL: base + "/to", Body: []byte("x"), Header: http.Header{"x-own": {"y"}}})
	if err != nil || string(res.Body) != "POST kapdir/1.2 (+https://kapdir.example/about) y" {
		t.Fatalf("post: %v %s", err, res.Body)
	}
	if a := safehttp.New(safehttp.Config{}).UserAgent(); a != "kapdir/dev" {
		t.Errorf("agent %q", a)
	}
}

// TestRefused calls nothing that is private, in whatever way the address is written or reached.
func TestRefused(t *testing.T) {
	var hits atomic.Int32
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer canary.Close()
	port := portOf(t, canary.URL)
	c := safehttp.New(safehttp.Config{AllowPorts: []uint16{port}, TotalTimeout: 3 * time.Second})
	p := strconv.Itoa(int(port))
	for _, address := range []string{
		"http://127.0.0.1:" + p, "http://localhost:" + p, "http://[::1]:" + p, "http://[::ffff:127.0.0.1]:" + p, "http://[::ffff:7f00:1]:" + p, "http://0.0.0.0:" + p,
		"http://2130706433:" + p, "http://0x7f.0.0.1:" + p, "http://017700000001:" + p, "http://127.1:" + p, "http://[64:ff9b::7f00:1]:" + p, "http://[::]:" + p,
		"http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://[fe80::1]/", "http://[fc00::1]/",
		"http://user:pass@127.0.0.1:" + p, "http://example.com@127.0.0.1:" + p, "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:" + p, "http://127.0.0.1:22/", "http://example.com:25/",
		"", "http://", "http:///x", "//127.0.0.1", "http://:80/", "http://127.0.0.1:99999/", "javascript:alert(1)", "http://\x7f/",
	} {
		if res, err := c.Get(context.Background(), address); err == nil {
			t.Errorf("%q was called: %d", address, res.Status)
		}
	}
	for address, kind := range map[string]directory.ErrorKind{"http://127.0.0.1:" + p: directory.Refused, "ftp://a.example/": directory.Refused, "http://u@a.example/": directory.Refused,
		"http://a.example:22/": directory.Refused, "nothing": directory.Invalid} {
		if _, err := c.Get(context.Background(), address); directory.KindOf(err) != kind {
			t.Errorf("%q: %v is %s, want %s", address, err, directory.KindOf(err), kind)
		}
	}

	// A server that may be called sends us to one that may not: another port, another address, another scheme.
	to := ""
	open, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/after" {
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
	for _, to = range []string{canary.URL, "http://localhost:" + p, "http://[::1]:" + p, "file:///etc/passwd", "http://u:p@127.0.0.1:" + p, "http://169.254.169.254/"} {
		if _, err := open.Get(context.Background(), base); err == nil {
			t.Errorf("followed to %s", to)
		}
	}
	to = "/after"
	if _, err := open.Do(context.Background(), safehttp.Request{URL: base, OnRedirect: func(*url.URL) error { return directory.Errorf(directory.Refused, "url", "no") }}); directory.KindOf(err) != directory.Refused {
		t.Errorf("the caller's refusal of a redirect: %v", err)
	}
	// A name that leads to a private address: the connected address counts, not the name.
	named := safehttp.New(safehttp.Config{AllowPorts: []uint16{port}, Dial: map[string]string{"public.example": "127.0.0.1:" + p}})
	if _, err := named.Get(context.Background(), "http://public.example/"); directory.KindOf(err) != directory.Refused {
		t.Errorf("a public name of a private address: %v", err)
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the canary was reached %d times", n)
	}
}

func TestRedirectLimit(t *testing.T) {
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if n > 0 {
			http.Redirect(w, r, "/"+strconv.Itoa(n-1), http.StatusFound)
		}
	})
	if res, err := c.Get(context.Background(), base+"/5"); err != nil || res.Status != 200 {
		t.Errorf("five redirects: %v", err)
	}
	if _, err := c.Get(context.Background(), base+"/6"); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("six redirects: %v", err)
	}
}

// TestBounds meets servers that send too much or too slowly.
func TestBounds(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 200 {
		_, _ = z.Write(zeros)
	}
	z.Close()
	small := func(body string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(body))
		z.Close()
		return b.Bytes()
	}
	release := make(chan struct{})
	c, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write(make([]byte, safehttp.MaxBody+1))
		case "/exact":
			_, _ = w.Write(make([]byte, safehttp.MaxBody))
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(small("hello"))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		case "/stacked":
			w.Header().Set("Content-Encoding", "gzip, gzip")
			_, _ = w.Write(small(string(small("x"))))
		case "/brotli":
			w.Header().Set("Content-Encoding", "br")
		case "/liar":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte("not gzip at all"))
		case "/headers":
			for i := range 100 {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 1000))
			}
		case "/hang":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "/drip":
			for range 100 {
				if _, err := w.Write([]byte("x")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-release:
					return
				case <-r.Context().Done():
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}
	}, func(c *safehttp.Config) {
		c.HeaderTimeout, c.TotalTimeout = 200*time.Millisecond, 800*time.Millisecond
	})
	defer close(release)
	for path, want := range map[string]string{"/large": "larger", "/endless": "larger", "/bomb": "larger", "/stacked": "encoded", "/brotli": "encoded", "/liar": "gzip",
		"/headers": "could not be reached", "/hang": "in time", "/drip": "in time"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := c.Get(context.Background(), base+path)
		runtime.ReadMemStats(&after)
		if directory.KindOf(err) != directory.Unavailable || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s took %s", path, d)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 40<<20 {
			t.Errorf("%s allocated %d MiB", path, used>>20)
		}
	}
	if res, err := c.Get(context.Background(), base+"/exact"); err != nil || len(res.Body) != safehttp.MaxBody {
		t.Errorf("a body of exactly the cap: %v", err)
	}
	if res, err := c.Get(context.Background(), base+"/gzip"); err != nil || string(res.Body) != "hello" {
		t.Errorf("gzip: %v", err)
	}
	if res, err := c.Do(context.Background(), safehttp.Request{URL: base + "/large", Truncate: 1000}); err != nil || len(res.Body) != 1000 {
		t.Errorf("truncated: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Get(ctx, base+"/exact"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := l.Addr().String()
	l.Close()
	u := "http://" + dead
	off := safehttp.New(safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowPorts: []uint16{portOf(t, u)}})
	if _, err := off.Get(context.Background(), u); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestRoots calls a server over TLS: one that nobody vouches for is not spoken to.
func TestRoots(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	defer srv.Close()
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	c := safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowPorts: []uint16{portOf(t, srv.URL)}}
	if _, err := safehttp.New(c).Get(context.Background(), srv.URL); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("a server that nobody vouches for: %v", err)
	}
	c.Roots = x509.NewCertPool()
	c.Roots.AddCert(srv.Certificate())
	if res, err := safehttp.New(c).Get(context.Background(), srv.URL); err != nil || string(res.Body) != "HTTP/1.1" {
		t.Errorf("one that is vouched for: %v", err)
	}
}

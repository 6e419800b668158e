package safehttp_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// listener counts connections and the bytes that come over them, below HTTP: what is refused must not even
// knock.
type listener struct {
	net.Listener
	conns atomic.Int32
	bytes atomic.Int64
}

func listen(t *testing.T, address string) *listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c := &listener{Listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.conns.Add(1)
			go func() {
				defer conn.Close()
				n, _ := io.Copy(io.Discard, conn)
				c.bytes.Add(n)
			}()
		}
	}()
	return c
}

// nameServer answers every question of an address with the next of its answers; the last is repeated.
func nameServer(t *testing.T, answers ...[]string) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	var asked atomic.Int32
	var mu sync.Mutex
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var q dnsmessage.Message
			if q.Unpack(buf[:n]) != nil || len(q.Questions) != 1 {
				continue
			}
			a := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
			if q.Questions[0].Type == dnsmessage.TypeA {
				mu.Lock()
				at := min(int(asked.Add(1))-1, len(answers)-1)
				mu.Unlock()
				for _, ip := range answers[at] {
					a.Answers = append(a.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
						Body: &dnsmessage.AResource{A: netip.MustParseAddr(ip).As4()}})
				}
			}
			if b, err := a.Pack(); err == nil {
				_, _ = pc.WriteTo(b, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}, &asked
}

// TestRebinding asks a name that leads to a public server first and to a private one afterwards: the second
// is refused before anything is sent. 127.0.0.1 stands for the public address here, 127.0.0.2 for the other.
func TestRebinding(t *testing.T) {
	to := ""
	_, base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // so that the name is asked for again
		if to != "" && r.URL.Path == "/from" {
			http.Redirect(w, r, to, http.StatusFound)
		}
	})
	port := portOf(t, base)
	p := strconv.Itoa(int(port))
	private := listen(t, "127.0.0.2:"+p)
	client := func(answers ...[]string) (*safehttp.Client, *atomic.Int32) {
		res, asked := nameServer(t, answers...)
		return safehttp.New(safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowPorts: []uint16{port}, Resolver: res, TotalTimeout: 3 * time.Second}), asked
	}
	ctx := context.Background()

	c, asked := client([]string{"127.0.0.1"}, []string{"127.0.0.2"})
	if res, err := c.Get(ctx, "http://rebind.example:"+p+"/"); err != nil || res.Status != 200 {
		t.Fatalf("the first answer: %v", err)
	}
	if _, err := c.Get(ctx, "http://rebind.example:"+p+"/"); directory.KindOf(err) != directory.Refused || asked.Load() != 2 {
		t.Errorf("the second answer: %v, %d questions", err, asked.Load())
	}
	// The answer changes between a page and the redirect from it to the same name.
	to = "http://rebind.example:" + p + "/to"
	c, _ = client([]string{"127.0.0.1"}, []string{"127.0.0.2"})
	if _, err := c.Get(ctx, "http://rebind.example:"+p+"/from"); directory.KindOf(err) != directory.Refused {
		t.Errorf("between page and redirect: %v", err)
	}
	// Both at once: whichever is dialled, the private one gets nothing.
	c, _ = client([]string{"127.0.0.2", "127.0.0.1"})
	_, _ = c.Get(ctx, "http://rebind.example:"+p+"/")
	for _, ip := range []string{"127.0.0.2", "10.0.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.0.1", "198.18.0.1"} {
		c, _ := client([]string{ip})
		start := time.Now()
		if _, err := c.Get(ctx, "http://rebind.example:"+p+"/"); directory.KindOf(err) != directory.Refused {
			t.Errorf("a name of %s: %v", ip, err)
		}
		if d := time.Since(start); d > time.Second { // refused, and not tried in vain
			t.Errorf("a name of %s took %s", ip, d)
		}
	}
	if n, b := private.conns.Load(), private.bytes.Load(); n != 0 || b != 0 {
		t.Errorf("the private server saw %d connections and %d bytes", n, b)
	}
}

// TestRedirectSendsNothing follows a page's redirects to where nobody may go, with a listener below HTTP
// that sees every connection.
func TestRedirectSendsNothing(t *testing.T) {
	private := listen(t, "127.0.0.1:0")
	_, p, _ := net.SplitHostPort(private.Addr().String())
	n, _ := strconv.ParseUint(p, 10, 16)
	to := ""
	// The guard knows addresses and not servers, so the one that may be called has an address of its own.
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })}
	l, err := net.Listen("tcp", "127.0.0.4:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { srv.Close() })
	_, p4, _ := net.SplitHostPort(l.Addr().String())
	n4, _ := strconv.ParseUint(p4, 10, 16)
	c := safehttp.New(safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.4/32")}, AllowPorts: []uint16{uint16(n), uint16(n4)}, TotalTimeout: 3 * time.Second})
	for _, to = range []string{"http://127.0.0.1:" + p, "http://localhost:" + p, "http://[::ffff:127.0.0.1]:" + p, "http://2130706433:" + p, "http://0x7f000001:" + p, "http://169.254.169.254/latest/meta-data/",
		"http://[fd00:ec2::254]/latest/", "http://metadata@127.0.0.1:" + p, "gopher://127.0.0.1:" + p + "/x"} {
		start := time.Now()
		if _, err := c.Get(context.Background(), "http://"+l.Addr().String()+"/"); directory.KindOf(err) == "" || time.Since(start) > 2*time.Second {
			t.Errorf("%s: %v after %s", to, err, time.Since(start))
		}
	}
	if n, b := private.conns.Load(), private.bytes.Load(); n != 0 || b != 0 {
		t.Errorf("the private server saw %d connections and %d bytes", n, b)
	}
}

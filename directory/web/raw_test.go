package web

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
)

// running serves on a socket of this machine until the test ends.
func running(t testing.TB, s *Server) string {
	t.Helper()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Serve ended with %v", err)
			}
		case <-time.After(15 * time.Second):
			t.Error("Serve does not end")
		}
	})
	return l.Addr().String()
}

// send writes raw bytes and returns all that comes back until the server closes or is silent.
func send(t testing.TB, addr, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil && !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe") {
		t.Fatal(err)
	}
	var b bytes.Buffer
	buf := make([]byte, 64<<10)
	for {
		_ = c.SetReadDeadline(time.Now().Add(700 * time.Millisecond))
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

// statusesOf lists the status lines of the answers.
func statusesOf(answer string) []string {
	var out []string
	for _, line := range strings.Split(answer, "\r\n") {
		if i := strings.Index(line, "HTTP/1.1 "); i >= 0 && len(line) >= i+12 {
			out = append(out, line[i+9:i+12])
		}
	}
	return out
}

// The tables of libraries.md §3 and reliability.md §4.2, against the running server: a fasthttp that
// answers otherwise must not be shipped.
func TestRawRequests(t *testing.T) {
	addr := running(t, demoServer(t))
	const host = "Host: kapdir.example\r\n"
	smuggled := "GET /readyz HTTP/1.1\r\n" + host + "\r\n"
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	for _, x := range []struct {
		name, raw string
		want      []string // what may be answered; the first answer is looked at, and there must be no more than one
	}{
		{"as it should be", "GET /livez HTTP/1.1\r\n" + host + "\r\n", []string{"200"}},
		{"no Host", "GET /livez HTTP/1.1\r\n\r\n", []string{"400"}},
		{"two Hosts", "GET /livez HTTP/1.1\r\n" + host + "Host: evil.test\r\n\r\n", []string{"400"}},
		{"two Content-Lengths", "GET /livez HTTP/1.1\r\n" + host + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n", []string{"400"}},
		{"Content-Length and Transfer-Encoding", "GET /livez HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []string{"200", "400"}},
		{"the same by POST", "POST /livez HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, []string{"400", "405"}},
		{"xchunked", "POST /livez HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", []string{"400", "501"}},
		{"HTTP/1.0 with Transfer-Encoding", "POST /livez HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []string{"400"}},
		{"NUL in a header", "GET /livez HTTP/1.1\r\n" + host + "X-A: a\x00b\r\n\r\n", []string{"400"}},
		{"bare line feeds", "GET /livez HTTP/1.1\nHost: kapdir.example\n\n", []string{"none", "400"}}, // it waits for the end of a line
		{"space before the colon", "GET /livez HTTP/1.1\r\n" + host + "X-A : b\r\n\r\n", []string{"400"}},
		{"negative length", "GET /livez HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", []string{"400"}},
		{"a head too large", "GET /livez HTTP/1.1\r\n" + host + "X-A: " + strings.Repeat("a", headLimit) + "\r\n\r\n", []string{"431"}},
		{"an address too large", "GET /" + strings.Repeat("a", headLimit) + " HTTP/1.1\r\n" + host + "\r\n", []string{"431"}},
		{"a body too large", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("a", 1000), []string{"413"}},
		{"a body too large with GET", "GET / HTTP/1.1\r\n" + host + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("a", 1000), []string{"413"}},
		{"a chunked body too large", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("4000\r\n"+strings.Repeat("a", 0x4000)+"\r\n", 6) + "0\r\n\r\n", []string{"413"}},
		{"a compressed body", fmt.Sprintf("GET / HTTP/1.1\r\n%sContent-Encoding: gzip\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", host, bomb.Len(), bomb.String()), []string{"415"}},
		{"a line of nonsense", "NONSENSE\r\n\r\n", []string{"400"}},
		{"an unknown method", "BREW / HTTP/1.1\r\n" + host + "\r\n", []string{"405"}},
		{"an absolute address of another host", "GET http://evil.test/livez HTTP/1.1\r\n" + host + "\r\n", []string{"200", "400"}},
		{"CRLF in the address", "GET /providers/x%0d%0aX-Evil:%201 HTTP/1.1\r\n" + host + "\r\n", []string{"404"}},
		{"CRLF in a value", "GET /api/v1/providers?q=a%0d%0aX-Evil:%201 HTTP/1.1\r\n" + host + "\r\n", []string{"400"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			answer := send(t, addr, x.raw)
			got := statusesOf(answer)
			if len(got) == 0 {
				if x.want[0] != "none" {
					t.Errorf("no answer: %q", answer)
				}
				return
			}
			ok := false
			for _, w := range x.want {
				ok = ok || got[0] == w
			}
			if !ok || len(got) > 1 {
				t.Errorf("answered %v, want one of %v: %.400q", got, x.want, answer)
			}
			head, body, _ := strings.Cut(answer, "\r\n\r\n")
			if strings.Contains(head, "X-Evil") || strings.Contains(answer, `"store"`) {
				t.Errorf("something was let through: %.600q", answer)
			}
			for _, echo := range []string{"NONSENSE", "evil.test", "BREW", "xchunked", "fasthttp", "aaaaaaaa"} {
				if strings.Contains(body, echo) {
					t.Errorf("the answer repeats %q: %.300q", echo, body)
				}
			}
			for _, need := range []string{"Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff"} {
				if !strings.Contains(head, need) {
					t.Errorf("no %s in %.500q", need, head)
				}
			}
			if strings.Contains(head, "\r\nServer:") {
				t.Errorf("the server names itself: %q", head)
			}
		})
	}
}

// A value that reaches Location or Link cannot add a header, whatever is in it.
func TestNoHeaderIsSplit(t *testing.T) {
	other := "prv_00000000000000000000000000"
	s := with(t, altered{file: func(id directory.ID) (*directory.CredentialFile, error) {
		if string(id) != other {
			return nil, nil
		}
		return &directory.CredentialFile{Provider: directory.Provider{ID: id, MergedInto: idOf(t, "Amara Whitcomb")}}, directory.Errorf(directory.Gone, "id", "merged")
	}})
	addr := running(t, s)
	for _, target := range []string{"/providers/" + other + "?state=CO%0d%0aX-Evil:1", "/api/v1/providers/" + other + "?state=%0d%0aX-Evil:1", "/api/v1/providers?q=a%0d%0aX-Evil:1&limit=1",
		"/api/v1/providers?limit=1&language=english%0d%0aX-Evil:1"} {
		answer := send(t, addr, "GET "+target+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if head, _, _ := strings.Cut(answer, "\r\n\r\n"); strings.Contains(head, "X-Evil") || statusesOf(answer)[0] != "400" {
			t.Errorf("%s: %.400q", target, answer)
		}
	}
}

func TestFasthttpIsNewEnough(t *testing.T) {
	for version, ok := range map[string]bool{"v1.77.0": true, "v1.78.1": true, "v2.0.0": true, "v1.76.9": false, "v1.51.0": false, "": false, "v1.9.0": false} {
		if got := newEnough(version); got != ok {
			t.Errorf("%q: %v", version, got)
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok { // of a program; go test leaves the modules out
		if err := checkBuild(info); err != nil {
			t.Error(err)
		}
	}
	old := &debug.BuildInfo{Deps: []*debug.Module{{Path: "github.com/valyala/fasthttp", Version: "v1.80.0", Replace: &debug.Module{Path: "github.com/valyala/fasthttp", Version: "v1.51.0"}}}}
	if checkBuild(old) == nil {
		t.Error("an old fasthttp was taken")
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\s*(?:require )?github\.com/valyala/fasthttp (v\S+)`).FindSubmatch(mod)
	if m == nil || !newEnough(string(m[1])) {
		t.Errorf("go.mod requires fasthttp %q: v1.77.0 or later is needed (reliability.md §4.2)", m)
	}
	if regexp.MustCompile(`(?m)fasthttp.*=>`).Match(mod) {
		t.Error("go.mod replaces fasthttp")
	}
}

// Clients that send half a request and wait hold up nobody else, and are put out after the read timeout.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	addr := running(t, demoServer(t))
	var slow []net.Conn
	defer func() {
		for _, c := range slow {
			_ = c.Close()
		}
	}()
	for range 40 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		slow = append(slow, c)
	}
	for range 5 {
		begin := time.Now()
		res, err := http.Get("http://" + addr + "/livez")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if took := time.Since(begin); res.StatusCode != 200 || took > time.Second {
			t.Errorf("%d after %s", res.StatusCode, took)
		}
	}
	if testing.Short() {
		return
	}
	_ = slow[0].SetReadDeadline(time.Now().Add(readTimeout + 5*time.Second))
	line, err := bufio.NewReader(slow[0]).ReadString('\n')
	if err == nil && !strings.Contains(line, "408") {
		t.Errorf("a slow client is told %q", line)
	}
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Error("a slow client is never put out")
	}
}

// A request under way is finished when the server is told to end.
func TestGracefulEnd(t *testing.T) {
	begun, free := make(chan struct{}), make(chan struct{})
	s := with(t, altered{wait: func(ctx context.Context) error {
		close(begun)
		select {
		case <-free:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	amara := idOf(t, "Amara Whitcomb")
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	got := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + l.Addr().String() + api(amara))
		if err != nil {
			got <- 0
			return
		}
		_ = res.Body.Close()
		got <- res.StatusCode
	}()
	<-begun
	cancel()
	time.Sleep(50 * time.Millisecond)
	close(free)
	if status := <-got; status != 200 {
		t.Errorf("the request under way got %d", status)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := net.DialTimeout("tcp", l.Addr().String(), time.Second); err == nil {
		t.Error("the address still answers")
	}
}

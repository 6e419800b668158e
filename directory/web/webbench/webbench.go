// Package webbench measures the web server's search beside a Fiber handler that does nothing but send the same
// bytes.
package webbench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Bare serves the bodies in turn, with the headers, whatever is asked, on l until it is closed.
func Bare(l net.Listener, bodies [][]byte, headers [][2]string) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	var n atomic.Uint64
	app.Use(func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
		for _, h := range headers {
			c.Set(h[0], h[1])
		}
		return c.Send(bodies[n.Add(1)%uint64(len(bodies))])
	})
	return app.Listener(l)
}

// Load is what one run asks for.
type Load struct {
	Addr     string        `json:"addr"`
	Paths    []string      `json:"paths"` // in turn
	Conns    int           `json:"conns"` // each asks again when it has its answer
	Duration time.Duration `json:"duration"`
}

// Loaded is what came of it.
type Loaded struct {
	Requests int     `json:"requests"`
	Bytes    int     `json:"bytes"` // of bodies
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
	Failed   string  `json:"failed,omitempty"`
}

// Run asks over keep-alive connections, each from an address of its own, so that what is allowed to one client
// does not bound the whole.
func (l Load) Run(ctx context.Context) Loaded {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conns := make([]*connection, l.Conns)
	var out Loaded
	for i := range conns {
		c, err := dial(ctx, l.Addr, i)
		if err != nil {
			out.Failed = err.Error()
			return out
		}
		defer c.Close()
		conns[i] = c
	}
	requests := make([][]byte, len(l.Paths))
	for i, p := range l.Paths {
		requests[i] = []byte("GET " + p + " HTTP/1.1\r\nHost: " + l.Addr + "\r\n\r\n")
	}
	var next atomic.Uint64
	var wg sync.WaitGroup
	begun := time.Now()
	for _, c := range conns {
		wg.Go(func() {
			for time.Since(begun) < l.Duration && c.err == nil {
				at := time.Now()
				c.err = c.ask(requests[next.Add(1)%uint64(len(requests))])
				c.took = append(c.took, float64(time.Since(at).Nanoseconds())/1e3)
			}
		})
	}
	wg.Wait()
	out.Seconds = time.Since(begun).Seconds()
	var took []float64
	for _, c := range conns {
		out.Requests += len(c.took)
		out.Bytes += c.bytes
		took = append(took, c.took...)
		if c.err != nil {
			out.Failed = c.err.Error()
		}
	}
	out.P50, out.P99 = quantile(took, 0.5), quantile(took, 0.99)
	return out
}

// Fetch returns the bodies of the paths, and the headers of the last.
func Fetch(ctx context.Context, addr string, paths []string) (out [][]byte, headers [][2]string, err error) {
	c, err := dial(ctx, addr, 0)
	if err != nil {
		return nil, nil, err
	}
	defer c.Close()
	c.note = true
	for _, p := range paths {
		c.keep = nil
		if err := c.ask([]byte("GET " + p + " HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")); err != nil {
			return nil, nil, fmt.Errorf("%w: %s", err, c.keep)
		}
		out = append(out, bytes.Clone(c.keep))
	}
	return out, c.headers, nil
}

type connection struct {
	net.Conn
	r       *bufio.Reader
	keep    []byte // the last body
	note    bool   // and headers too
	headers [][2]string
	bytes   int
	took    []float64
	err     error
}

func dial(ctx context.Context, addr string, i int) (*connection, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%250))}}
	c, err := d.DialContext(ctx, "tcp4", addr)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

var errStatus = errors.New("the answer is no 200")

// ask sends a request and reads its answer whole.
func (c *connection) ask(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	length, status := -1, ""
	c.headers = c.headers[:0]
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if status == "" {
			status = string(line[9:12])
		}
		if rest, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(rest))); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			break
		}
		if c.note {
			if name, value, ok := strings.Cut(strings.TrimSpace(string(line)), ": "); ok && name != "Date" && name != "Content-Length" {
				c.headers = append(c.headers, [2]string{name, value})
			}
		}
	}
	if length < 0 {
		return errors.New("the answer has no length")
	}
	if cap(c.keep) < length {
		c.keep = make([]byte, length)
	}
	c.keep = c.keep[:length]
	if _, err := io.ReadFull(c.r, c.keep); err != nil {
		return err
	}
	c.bytes += length
	if status != "200" {
		return errStatus
	}
	return nil
}

func quantile(list []float64, q float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[int(float64(len(list)-1)*q)]
}

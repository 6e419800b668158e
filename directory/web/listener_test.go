package web

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// short is a listener that has no descriptors left a few times, and then a connection.
type short struct {
	mu     sync.Mutex
	errs   []error
	conns  chan net.Conn
	closed chan struct{}
}

func (l *short) Accept() (net.Conn, error) {
	l.mu.Lock()
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		l.mu.Unlock()
		return nil, err
	}
	l.mu.Unlock()
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *short) Close() error   { close(l.closed); return nil }
func (l *short) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func accepts(no syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(203, 0, 113, 9)}, Err: os.NewSyscallError("accept4", no)}
}

func TestListenerOutlivesShortage(t *testing.T) {
	inner := &short{errs: []error{accepts(syscall.EMFILE), accepts(syscall.EMFILE), accepts(syscall.ENFILE), accepts(syscall.ECONNABORTED), errors.New("odd")},
		conns: make(chan net.Conn, 4), closed: make(chan struct{})}
	p := patient(inner, 2)
	log := &recorder{}
	p.log.Store(slog.New(slog.NewTextHandler(log, nil)))
	var waits []time.Duration
	p.sleep = func(d time.Duration) { waits = append(waits, d) }
	a, b := net.Pipe()
	defer b.Close()
	inner.conns <- a
	c, err := p.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if len(waits) != 5 || waits[0] != firstBackoff || waits[4] != 16*firstBackoff {
		t.Errorf("it waited %v", waits)
	}
	if got := log.String(); strings.Count(got, "cannot accept") != 1 || !strings.Contains(got, "too many open files") || strings.Contains(got, "203.0.113") {
		t.Errorf("log: %s", got)
	}

	// The cap holds until a connection is closed, and closing twice frees one slot only.
	x, y := net.Pipe()
	defer y.Close()
	inner.conns <- x
	second, err := p.Accept()
	if err != nil {
		t.Fatal(err)
	}
	u, v := net.Pipe()
	defer v.Close()
	inner.conns <- u
	third := make(chan net.Conn)
	go func() { c, _ := p.Accept(); third <- c }()
	select {
	case <-third:
		t.Fatal("a third connection beyond the cap")
	case <-time.After(50 * time.Millisecond):
	}
	_ = c.Close()
	_ = c.Close()
	select {
	case <-third:
	case <-time.After(5 * time.Second):
		t.Fatal("the freed slot was not used")
	}
	if len(p.slots) != 2 {
		t.Errorf("%d slots are taken", len(p.slots))
	}
	ended := make(chan error)
	go func() { _, err := p.Accept(); ended <- err }()
	_ = p.Close()
	_ = p.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed listener gives %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Accept does not end")
	}
	_ = second.Close()
}

func TestListen(t *testing.T) {
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Listen(l.Addr().String()); err == nil {
		t.Error("an address in use was taken")
	}
}

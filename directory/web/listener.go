package web

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// patientListener is a listener that survives what kills fasthttp's accept loop: it treats every
// error but "closed" as passing, waits a little, and tries again. A flood of 400 connections at
// ulimit -n 256 ended the service without it (reliability.md §1.2).
type patientListener struct {
	net.Listener
	slots  chan struct{} // one for each open connection
	closed chan struct{}
	once   sync.Once
	log    atomic.Pointer[slog.Logger]
	sleep  func(time.Duration) // replaced in tests

	// With told, the server says what becomes of each connection, and gets it as it is: it sends an answer in one
	// piece without a copy only to a connection of the system's own. Without, a connection tells when it is closed.
	told   bool
	handed bool // the last one given out, of which the server has said nothing yet
}

const (
	firstBackoff = 5 * time.Millisecond
	lastBackoff  = time.Second
)

func patient(l net.Listener, most int) *patientListener {
	p := &patientListener{Listener: l, slots: make(chan struct{}, most), closed: make(chan struct{})}
	p.sleep = func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-p.closed:
		}
	}
	return p
}

// Accept waits for a free slot and a connection. It returns an error only when the listener is closed.
func (p *patientListener) Accept() (net.Conn, error) {
	if p.handed { // it was turned away before the server took it up, and closed
		p.handed = false
		<-p.slots
	}
	select {
	case p.slots <- struct{}{}:
	case <-p.closed:
		return nil, net.ErrClosed
	}
	wait := time.Duration(0)
	for {
		c, err := p.Listener.Accept()
		if err == nil && p.told {
			p.handed = true
			return c, nil
		}
		if err == nil {
			return &slotConn{Conn: c, free: func() { <-p.slots }}, nil
		}
		select {
		case <-p.closed:
			<-p.slots
			return nil, net.ErrClosed
		default:
		}
		if errors.Is(err, net.ErrClosed) {
			<-p.slots
			return nil, net.ErrClosed
		}
		if wait = min(max(2*wait, firstBackoff), lastBackoff); wait == firstBackoff { // once for each shortage
			if log := p.log.Load(); log != nil {
				log.Warn("cannot accept connections, trying again", "errno", errno(err))
			}
		}
		p.sleep(wait)
	}
}

// state hears from the server what becomes of a connection. The server takes one up before it asks for the next.
func (p *patientListener) state(c net.Conn, now fasthttp.ConnState) {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok && a.Port == 0 { // of a test that asks without a socket, and came from no listener
		return
	}
	switch now {
	case fasthttp.StateNew:
		p.handed = false
	case fasthttp.StateClosed, fasthttp.StateHijacked:
		select {
		case <-p.slots:
		default: // one that did not come from here
		}
	}
}

// Close ends Accept. It may be called more than once.
func (p *patientListener) Close() error {
	err := error(nil)
	p.once.Do(func() {
		close(p.closed)
		err = p.Listener.Close()
	})
	return err
}

// errno names the system's reason without any address.
func errno(err error) string {
	var no syscall.Errno
	if errors.As(err, &no) {
		return no.Error()
	}
	return "unknown"
}

// slotConn gives its slot back when it is closed, once.
type slotConn struct {
	net.Conn
	once sync.Once
	free func()
}

func (c *slotConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}

package web

import (
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// face says in what form a route fails.
type face int

const (
	html face = iota
	data
	desk
)

// visit is what is known of a request under way, kept in its locals.
type visit struct {
	route string // the pattern, never the path
	kind  face
	lang  *lang // of the route; nil where none matched
	set   bool
	who   *staffSession // at the desk; nil on every public page
	key   *provenKey    // of a partner that asks the API; nil for everybody else
}

const visitKey = "visit"

func visitOf(c *fiber.Ctx) *visit {
	if v, ok := c.Locals(visitKey).(*visit); ok {
		return v
	}
	v := &visit{route: "(none)"}
	c.Locals(visitKey, v)
	return v
}

// face returns the route's face, or, where none was found yet, that of the route that has the address, the API's beneath
// its prefix.
func (s *Server) face(c *fiber.Ctx, v *visit) face {
	path := c.Path()
	if !v.set && (strings.HasPrefix(path, "/api/") || slices.ContainsFunc(s.machines, func(p string) bool {
		return fiber.RoutePatternMatch(path, p, fiber.Config{StrictRouting: true, CaseSensitive: true})
	})) {
		return data
	}
	return v.kind
}

// get registers a handler for GET and HEAD.
func (s *Server) get(pattern string, f face, h fiber.Handler) {
	if f == data && !strings.HasPrefix(pattern, "/api/") {
		s.machines = append(s.machines, pattern)
	}
	s.app.Get(pattern, func(c *fiber.Ctx) error {
		v := visitOf(c)
		v.route, v.kind, v.set = pattern, f, true
		return h(c)
	})
}

// show registers the handler of a page, in every language.
func (s *Server) show(pattern string, h fiber.Handler) {
	s.shown = append(s.shown, pattern)
	for _, l := range languages {
		s.get(l.To(pattern), html, func(c *fiber.Ctx) error {
			visitOf(c).lang = l
			return h(c)
		})
	}
}

// reportPattern is the one address that takes more than a question.
const reportPattern = "/providers/:id/report"

// take registers the handler of a form, in every language.
func (s *Server) take(pattern string, h fiber.Handler) {
	for _, l := range languages {
		s.posts = append(s.posts, l.To(pattern))
		s.app.Post(l.To(pattern), func(c *fiber.Ctx) error {
			v := visitOf(c)
			v.route, v.kind, v.lang, v.set = l.To(pattern), html, l, true
			return h(c)
		})
	}
}

// takesForms reports an address to which a form may be sent.
func (s *Server) takesForms(path string) bool {
	return slices.ContainsFunc(s.posts, func(pattern string) bool {
		return fiber.RoutePatternMatch(path, pattern, fiber.Config{StrictRouting: true, CaseSensitive: true})
	})
}

// guard stands around every request: it refuses what no route takes, sets the headers, catches panics,
// renders errors and counts the request for the log.
func (s *Server) guard(c *fiber.Ctx) error {
	started := time.Now()
	v := visitOf(c)
	s.fresh.CopyTo(&c.Response().Header) // costs a third of setting each
	if err := s.enter(c); err != nil {
		if err = s.fail(c, err); err != nil {
			c.Response().ResetBody()
			c.Status(fiber.StatusInternalServerError)
		}
	}
	method := "other"
	if m := c.Method(); m == fiber.MethodGet || m == fiber.MethodHead || m == fiber.MethodPost {
		method = m
	}
	s.requests.count(requestLine{v.route, method, c.Response().StatusCode(), bucket(time.Since(started))})
	return nil
}

// unread answers a request that could not even be read: too large, too slow, malformed. It comes past
// guard, straight from the server.
func (s *Server) unread(c *fiber.Ctx, err error) error {
	failed := s.fail(c, err)
	s.requests.count(requestLine{"(unread)", "other", c.Response().StatusCode(), bucket(0)})
	return failed
}

func (s *Server) enter(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errPanic
			s.logPanic(visitOf(c).route, r)
		}
	}()
	if s.preflight(c) {
		return nil
	}
	if m := c.Method(); m != fiber.MethodGet && m != fiber.MethodHead && !(m == fiber.MethodPost && s.takesForms(c.Path())) {
		return fiber.ErrMethodNotAllowed
	}
	if len(c.Request().Header.Peek(fiber.HeaderContentEncoding)) > 0 {
		return fiber.ErrUnsupportedMediaType // c.Body() would inflate it without limit
	}
	return c.Next()
}

// errPanic is what is left of a panic caught on its way out of a handler.
var errPanic = errors.New("panic in a handler")

// logPanic writes where it happened. The value is left out unless the runtime made it: it may hold what
// somebody asked for.
func (s *Server) logPanic(route string, value any) {
	what := "not shown"
	var re runtime.Error
	if err, ok := value.(error); ok && errors.As(err, &re) {
		what = re.Error()
	}
	var frames []string
	pc := make([]uintptr, 24)
	for it := runtime.CallersFrames(pc[:runtime.Callers(3, pc)]); ; {
		f, more := it.Next()
		if strings.HasPrefix(f.Function, "kapdir/") {
			frames = append(frames, f.Function)
		}
		if !more {
			break
		}
	}
	s.log.Error("panic in a handler", "route", route, "panic", what, "frames", strings.Join(frames, " < "))
}

// everyAnswer are the headers that every answer carries (reliability.md §8), by their canonical names.
func (s *Server) everyAnswer() (out [][2][]byte) {
	for _, h := range [][2]string{
		{"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
		{"Referrer-Policy", "no-referrer"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Permissions-Policy", "geolocation=(), camera=(), microphone=(), payment=(), usb=(), browsing-topics=()"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Strict-Transport-Security", "max-age=63072000; includeSubDomains"},
	} {
		if h[0] != "Strict-Transport-Security" || s.https {
			out = append(out, [2][]byte{[]byte(h[0]), []byte(h[1])})
		}
	}
	return out
}

func (s *Server) setHeaders(c *fiber.Ctx) {
	h := &c.Response().Header
	for _, x := range s.headers {
		h.SetCanonical(x[0], x[1])
	}
}

// Lanes of reliability.md §5.1: heavy questions wait for one another and never for the cheap ones, every
// wait is bounded, and health stands outside of it all.
const (
	cheapSlots, cheapWait = 16, 200 * time.Millisecond
	heavySlots, heavyWait = 1, 50 * time.Millisecond
	perClient             = 6 // searches that one address may have under way
)

type lanes struct {
	cheap, heavy chan struct{}
	mu           sync.Mutex
	clients      map[netip.Addr]int // searches under way; forgotten when they end
}

func newLanes() *lanes {
	return &lanes{cheap: make(chan struct{}, cheapSlots), heavy: make(chan struct{}, heavySlots), clients: map[netip.Addr]int{}}
}

// take waits for a slot. The caller gives it back by calling leave; err is busy when there was none.
func (l *lanes) take(client netip.Addr, heavy bool) (leave func(), err error) {
	l.mu.Lock()
	if l.clients[client] >= perClient {
		l.mu.Unlock()
		return nil, busy
	}
	l.clients[client]++
	l.mu.Unlock()
	gone := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.clients[client]--; l.clients[client] <= 0 {
			delete(l.clients, client)
		}
	}
	lane, wait := l.cheap, cheapWait
	if heavy {
		lane, wait = l.heavy, heavyWait
	}
	select {
	case lane <- struct{}{}:
	default:
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case lane <- struct{}{}:
		case <-timer.C:
			gone()
			return nil, busy
		}
	}
	return func() { <-lane; gone() }, nil
}

func parseProxies(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, p := range list {
		if a, err := netip.ParseAddr(p); err == nil {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return nil, errors.New("web: TrustedProxies holds something that is neither an address nor a prefix")
		}
		out = append(out, prefix.Masked())
	}
	return out, nil
}

// clientAddress is whose turn it is: the connection's address, or, behind trusted proxies, the rightmost
// hop that is not one of them. What stands further left the client wrote itself. An IPv6 client counts
// by its /64. It is kept in memory while the search runs, and nowhere else.
func (s *Server) clientAddress(rc *fasthttp.RequestCtx) netip.Addr {
	addr, _ := netip.AddrFromSlice(rc.RemoteIP())
	addr = addr.Unmap()
	if len(s.proxies) > 0 && s.trusted(addr) {
		var hops []string
		for _, line := range rc.Request.Header.PeekAll(fiber.HeaderXForwardedFor) {
			hops = append(hops, strings.Split(string(line), ",")...)
		}
		for i := len(hops) - 1; i >= 0; i-- {
			a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			addr = a.Unmap().WithZone("")
			if !s.trusted(addr) {
				break
			}
		}
	}
	if addr.Is6() {
		if p, err := addr.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return addr
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

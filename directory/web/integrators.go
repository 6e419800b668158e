package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
)

// Whoever uses our API asks with a key, or without one for the little that anybody may ask. Each route says in
// routes() which right it needs and how often anybody may ask; nothing compares a path. Pages for people stand
// outside of all this.

// Integrators is the power to know who uses our API. A wrong secret, a key that nobody has, one that ended or ran out,
// and one of an integrator that ended, are one answer, ok false; an error means that we could not look.
type Integrators interface {
	APIKey(ctx context.Context, id directory.ID, secret string, at directory.Instant) (k directory.APIKey, x directory.Integrator, ok bool, err error)
	RegisteredOrigins(ctx context.Context) (map[directory.WebOrigin][]directory.IntegratorID, error)
	AddKeyUsage(ctx context.Context, list []directory.KeyUsage) error
	Embed(ctx context.Context, id directory.ID) (directory.Embed, directory.Integrator, error)
	Embeds(ctx context.Context, id directory.IntegratorID) ([]directory.Embed, error)
	Hooks
}

const (
	quotaWindow    = time.Minute
	anonymousLimit = 60          // requests a minute of one address, where nothing else is set
	keyFor         = time.Second // that a key, or a site, is believed without a look: one that ended is refused that much later, in every process
)

// quota is how often anybody may ask without a key.
type quota struct {
	name   string
	most   int
	tally  *tally
	policy []byte // RateLimit-Policy
}

func newQuota(name string, most int) *quota {
	return &quota{name, most, newTally(quotaWindow), policyOf(name, most)}
}

// Limits are told as draft-ietf-httpapi-ratelimit-headers-11 (23 May 2026) writes them, in structured fields: of the
// policy its name, its quota q and its window w in seconds, and of the moment what is left r and the seconds t until the
// quota is whole again. It is a draft and no RFC; pk, which would tell whom a quota is of, is left out.
func policyOf(name string, most int) []byte {
	return []byte(`"` + name + `";q=` + strconv.Itoa(most) + `;w=` + strconv.Itoa(int(quotaWindow/time.Second)))
}

var nameRateLimit, namePolicy = []byte("RateLimit"), []byte("RateLimit-Policy")

func sayLimit(h *fasthttp.ResponseHeader, name string, policy []byte, got taken) {
	var room [64]byte
	b := append(append(append(room[:0], '"'), name...), `";r=`...)
	b = append(strconv.AppendInt(b, int64(got.left), 10), ";t="...)
	b = strconv.AppendInt(b, int64(got.seconds()), 10)
	h.SetCanonical(namePolicy, policy)
	h.SetCanonical(nameRateLimit, b)
}

// seconds is the time until the window ends, in whole seconds and at least one.
func (t taken) seconds() int { return max(1, int((t.ends+time.Second-1)/time.Second)) }

// apiDoor is what the server knows of whoever uses the API.
type apiDoor struct {
	anybody *quota // search, providers, sources
	typing  *quota // suggestions, which our own search box asks for as somebody types
	embeds  *quota // what embed.js asks for, from readers' browsers
	keyed   *tally
	apis    []string // patterns
	ring    keyring
	sites   sites
	usage   usage
}

func newAPIDoor(cfg Config) apiDoor {
	n := cfg.AnonymousPerMinute
	if n == 0 {
		n = anonymousLimit
	}
	return apiDoor{anybody: newQuota("anonymous", n), typing: newQuota("suggest", 5*n), embeds: newQuota("embed", 5*n), keyed: newTally(quotaWindow),
		ring: keyring{from: cfg.Integrators}, sites: sites{from: cfg.Integrators}}
}

// keyring remembers for a moment which keys were found to be good.
type keyring struct {
	from Integrators
	mu   sync.RWMutex
	held map[directory.ID]*provenKey
}

// provenKey is a key that was found to be good.
type provenKey struct {
	directory.APIKey
	of     directory.Integrator
	sum    [sha256.Size]byte
	policy []byte
	seen   time.Time
}

// find returns the key that the token is; nil is none that is good.
func (r *keyring) find(ctx context.Context, token string, at directory.Instant) (*provenKey, error) {
	id, secret, err := directory.ParseKeyText(token)
	if err != nil || r.from == nil {
		return nil, nil
	}
	sum := sha256.Sum256([]byte(secret))
	r.mu.RLock()
	k := r.held[id]
	r.mu.RUnlock()
	if k != nil && time.Since(k.seen) < keyFor && k.Live(at) && subtle.ConstantTimeCompare(sum[:], k.sum[:]) == 1 {
		return k, nil
	}
	seen := time.Now()
	key, of, ok, err := r.from.APIKey(ctx, id, secret, at)
	if err != nil || !ok {
		return nil, err
	}
	k = &provenKey{key, of, sum, policyOf("key", key.PerMinute), seen}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		r.held = map[directory.ID]*provenKey{}
	}
	for id, old := range r.held { // there are as many as asked within the last second
		if seen.Sub(old.seen) > keyFor {
			delete(r.held, id)
		}
	}
	r.held[id] = k
	return k, nil
}

// forget makes the next request look at the store again: something was changed at the desk.
func (d *apiDoor) forget() {
	d.ring.forget()
	d.sites.last.Store(nil)
}

// forget makes the next request look: something was changed at the desk.
func (r *keyring) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = nil
}

// sites are the origins whose pages may ask, of every integrator that is active.
type sites struct {
	from Integrators
	last atomic.Pointer[seenSites]
	turn sync.Mutex
}

type seenSites struct {
	of map[directory.WebOrigin][]directory.IntegratorID
	at time.Time
}

// registered reports that somebody named the origin as theirs. Where we cannot look nobody did.
func (x *sites) registered(ctx context.Context, origin []byte) bool {
	if x.from == nil {
		return false
	}
	fresh := func() *seenSites {
		if s := x.last.Load(); s != nil && time.Since(s.at) < keyFor {
			return s
		}
		return nil
	}
	s := fresh()
	if s == nil {
		x.turn.Lock()
		defer x.turn.Unlock()
		if s = fresh(); s == nil {
			at := time.Now()
			of, err := x.from.RegisteredOrigins(ctx)
			if err != nil {
				return false
			}
			s = &seenSites{of, at}
			x.last.Store(s)
		}
	}
	_, ok := s.of[directory.WebOrigin(origin)]
	return ok
}

// keyNeeded is the error of a question that needs a key of a partner, asked without one that is good.
type keyNeeded struct{ sent bool }

func (keyNeeded) Error() string { return "a key is needed" }

// outOfScope is the error of a question for which the key has no right.
type outOfScope struct{ scope directory.Scope }

func (e outOfScope) Error() string { return "the key has no right to " + string(e.scope) }

// tooMany is the error of a question beyond the quota.
type tooMany struct{ after int } // seconds

func (tooMany) Error() string { return "too many requests" }

// api registers a route of the API, for GET and HEAD, which needs the right; q is how often anybody may ask for it without
// a key, nil not at all.
func (s *Server) api(pattern string, scope directory.Scope, q *quota, h fiber.Handler) {
	s.door.apis = append(s.door.apis, pattern)
	s.get(pattern, data, func(c *fiber.Ctx) error {
		if err := s.admit(c, pattern, scope, q); err != nil {
			return err
		}
		return h(c)
	})
}

var valueVaryAPI = []byte(fiber.HeaderAcceptEncoding + ", " + fiber.HeaderAuthorization + ", " + fiber.HeaderOrigin)

// admit says who asks, counts it, and refuses what is too much or not theirs.
func (s *Server) admit(c *fiber.Ctx, pattern string, scope directory.Scope, q *quota) error {
	c.Response().Header.SetCanonical(nameVary, valueVaryAPI)
	origin := c.Request().Header.Peek(fiber.HeaderOrigin)
	var key *provenKey
	var failed error
	sent := false
	if len(c.Request().Header.Peek(fiber.HeaderAuthorization)) > 0 {
		var token string
		if token, sent = bearer(c); strings.HasPrefix(token, directory.KeyPrefix) { // a staff key: its handler looks at it
			sent = false
		}
		if sent {
			ctx, cancel := s.deadline(pageDeadline)
			defer cancel()
			if key, failed = s.door.ring.find(ctx, token, s.staffNow()); failed == nil && key == nil {
				failed = keyNeeded{true}
			}
		}
	}
	if len(origin) > 0 && (key != nil && slices.Contains(key.of.Origins, directory.WebOrigin(origin)) || key == nil && s.knownSite(origin)) {
		allowOrigin(c, origin)
	}
	if key == nil {
		if failed == nil && q == nil {
			failed = keyNeeded{}
		}
		if q == nil {
			q = s.door.anybody
		}
		got := take(q.tally, s.clientAddress(c.Context()), q.most)
		sayLimit(&c.Response().Header, q.name, q.policy, got)
		if !got.ok {
			return tooMany{got.seconds()}
		}
		return failed
	}
	visitOf(c).key = key
	got := take(s.door.keyed, key.ID, key.PerMinute)
	sayLimit(&c.Response().Header, "key", key.policy, got)
	switch {
	case !got.ok:
		failed = tooMany{got.seconds()}
	case !key.May(scope):
		failed = outOfScope{scope}
	}
	s.door.usage.count(key.ID, s.staffNow().Date(), pattern, failed != nil)
	return failed
}

func (s *Server) knownSite(origin []byte) bool {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	return s.door.sites.registered(ctx, origin)
}

// exposed are the headers that a page elsewhere may read beside those that every page may.
const exposed = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After"

func allowOrigin(c *fiber.Ctx, origin []byte) {
	c.Response().Header.SetBytesV(fiber.HeaderAccessControlAllowOrigin, origin)
	c.Set(fiber.HeaderAccessControlExposeHeaders, exposed)
}

// preflight answers what a browser asks before a page elsewhere may send a key, and reports that it did: the Fetch
// standard's CORS-preflight request. A key does not come with it, so it is enough that somebody registered the site.
// Any other is answered as every method that we do not know.
func (s *Server) preflight(c *fiber.Ctx) bool {
	h := &c.Request().Header
	origin := h.Peek(fiber.HeaderOrigin)
	if c.Method() != http.MethodOptions || len(origin) == 0 || len(h.Peek(fiber.HeaderAccessControlRequestMethod)) == 0 {
		return false
	}
	path := c.Path()
	i := slices.IndexFunc(s.door.apis, func(p string) bool {
		return fiber.RoutePatternMatch(path, p, fiber.Config{StrictRouting: true, CaseSensitive: true})
	})
	if i < 0 || !s.knownSite(origin) {
		return false
	}
	v := visitOf(c)
	v.route, v.kind, v.set = s.door.apis[i], data, true
	c.Response().Header.SetBytesV(fiber.HeaderAccessControlAllowOrigin, origin)
	c.Set(fiber.HeaderAccessControlAllowMethods, http.MethodGet)
	c.Set(fiber.HeaderAccessControlAllowHeaders, "Authorization, If-None-Match")
	c.Set(fiber.HeaderAccessControlMaxAge, "600")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderVary, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
	c.Status(http.StatusNoContent)
	return true
}

// usage counts what keys ask for, until it is written.
type usage struct {
	mu   sync.Mutex
	held map[usageRow]usageCount
}

type usageRow struct {
	key   directory.ID
	day   directory.Date
	route string
}

type usageCount struct{ all, refused int64 }

func (u *usage) count(key directory.ID, day directory.Date, route string, refused bool) {
	n := usageCount{1, 0}
	if refused {
		n.refused = 1
	}
	u.add(usageRow{key, day, route}, n)
}

func (u *usage) add(row usageRow, n usageCount) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.held == nil {
		u.held = map[usageRow]usageCount{}
	}
	was := u.held[row]
	u.held[row] = usageCount{was.all + n.all, was.refused + n.refused}
}

// WriteUsage writes how often keys asked since it was written last. Whoever serves calls it again and again, and at the
// end. What could not be written is kept for the next time.
func (s *Server) WriteUsage(ctx context.Context) error {
	u := &s.door.usage
	u.mu.Lock()
	held := u.held
	u.held = nil
	u.mu.Unlock()
	if len(held) == 0 {
		return nil
	}
	var list []directory.KeyUsage
	for row, n := range held {
		list = append(list, directory.KeyUsage{Key: row.key, Day: row.day, Route: row.route, Count: n.all, Refused: n.refused})
	}
	err := s.cfg.Integrators.AddKeyUsage(ctx, list)
	if err != nil {
		for row, n := range held {
			u.add(row, n)
		}
	}
	return err
}

// integratorOf returns whose key asks, "" where nobody's does: what is their own is asked of the store with it.
func integratorOf(c *fiber.Ctx) directory.IntegratorID {
	if k := visitOf(c).key; k != nil {
		return k.Integrator
	}
	return ""
}

package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Hooks is the power of a partner's key over the partner's own webhooks: to read how they stand, to have a test sent,
// and to have notices sent again. Making, rotating and ending them shows or destroys a secret, and is for staff. Another's
// webhook is NotFound.
type Hooks interface {
	Hooks(ctx context.Context, integrator directory.IntegratorID) ([]directory.Hook, error)
	Hook(ctx context.Context, integrator directory.IntegratorID, id directory.ID) (directory.Hook, error)
	HookLog(ctx context.Context, integrator directory.IntegratorID, id directory.ID, before int64, limit int) ([]directory.Delivery, error)
	TestHook(ctx context.Context, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant) (directory.ID, error)
	ReplayHook(ctx context.Context, integrator directory.IntegratorID, id directory.ID, number int64, by string, at directory.Instant) (directory.Hook, error)
}

// hookRoutes registers the routes of webhooks.
func (s *Server) hookRoutes() {
	s.api("/api/v1/hooks", directory.ScopeHooks, nil, s.apiHooks)
	s.api("/api/v1/hooks/:id", directory.ScopeHooks, nil, s.apiHook)
	s.api("/api/v1/hooks/:id/log", directory.ScopeHooks, nil, s.apiHookLog)
	s.apiDo("/api/v1/hooks/:id/test", directory.ScopeHooks, s.apiHookTest)
	s.apiDo("/api/v1/hooks/:id/replay", directory.ScopeHooks, s.apiHookReplay)
}

// apiDo registers a route of the API that does something: POST, without a body, for a key that has the right. What is
// asked for stands in the address. No page elsewhere may ask for it from a browser.
func (s *Server) apiDo(pattern string, scope directory.Scope, h fiber.Handler) {
	s.posts = append(s.posts, pattern)
	s.app.Post(pattern, func(c *fiber.Ctx) error {
		v := visitOf(c)
		v.route, v.kind, v.set = pattern, data, true
		if err := s.admit(c, pattern, scope, nil); err != nil {
			return err
		}
		if len(c.Request().Body()) > 0 {
			return fiber.ErrUnsupportedMediaType
		}
		return h(c)
	})
}

// hook is a webhook as its partner sees it.
type hook struct {
	ID          directory.ID           `json:"id"`
	URL         string                 `json:"url"`
	Types       []directory.NoticeType `json:"types"`
	State       directory.HookState    `json:"state"`
	Why         *string                `json:"why"`
	Number      int64                  `json:"number"`
	Attempts    int                    `json:"attempts"`
	Since       *directory.Instant     `json:"failing_since"`
	Next        *directory.Instant     `json:"next_attempt"`
	Taken       *directory.Instant     `json:"last_taken"`
	FormerUntil *directory.Instant     `json:"former_secret_until"`
	Created     directory.Instant      `json:"created_at"`
	Ended       *directory.Instant     `json:"ended_at"`
}

func hookOf(h directory.Hook) hook {
	return hook{h.ID, h.URL, h.Types, h.State, maybe(h.Why), h.Cursor, h.Attempts, maybe(h.Since), maybe(h.Next), maybe(h.Taken), maybe(h.OldSecret), h.Created, maybe(h.Ended)}
}

// hookDelivery is one attempt to bring a notice.
type hookDelivery struct {
	Line    int64                `json:"line"`
	ID      directory.ID         `json:"id"`
	Number  *int64               `json:"number"`
	Type    directory.NoticeType `json:"type"`
	Attempt int                  `json:"attempt"`
	At      directory.Instant    `json:"at"`
	Took    int64                `json:"took_ms"`
	Status  *int                 `json:"status"`
	Outcome string               `json:"outcome"`
	Why     *string              `json:"why"`
	Next    *directory.Instant   `json:"next_attempt"`
}

// hookAsked reads which webhook the path names, and the parameters.
func hookAsked(c *fiber.Ctx, params ...param) (directory.ID, ask, error) {
	a, bad := parse(rawQuery(c), params, false)
	if len(bad) > 0 {
		return "", a, bad
	}
	id, err := directory.ParseID(directory.HookPrefix, strings.Clone(c.Params("id")))
	if err != nil {
		return "", a, directory.NotFound
	}
	return id, a, nil
}

func (s *Server) own(c *fiber.Ctx, status int, v any) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(status)
	return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, v)
}

// apiHooks answers GET /api/v1/hooks.
func (s *Server) apiHooks(c *fiber.Ctx) error {
	if _, bad := parse(rawQuery(c), nil, false); len(bad) > 0 {
		return bad
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	list, err := s.cfg.Integrators.Hooks(ctx, integratorOf(c))
	if err != nil {
		return err
	}
	out := struct {
		Hooks []hook `json:"hooks"`
	}{[]hook{}}
	for _, h := range list {
		out.Hooks = append(out.Hooks, hookOf(h))
	}
	return s.own(c, http.StatusOK, out)
}

// apiHook answers GET /api/v1/hooks/:id.
func (s *Server) apiHook(c *fiber.Ctx) error {
	id, _, err := hookAsked(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	h, err := s.cfg.Integrators.Hook(ctx, integratorOf(c), id)
	if err != nil {
		return err
	}
	return s.own(c, http.StatusOK, hookOf(h))
}

var hookLogParams = []param{
	{name: "before", read: readWhole(1)},
	{name: "limit", read: readNumber("bad.limit", 1, maxLimit, func(a *ask, n int) { a.Limit = n })},
}

var replayParams = []param{{name: "from", read: readWhole(0)}}

// readWhole reads the number of a notice, or of a line of a log.
func readWhole(low int64) func(*ask, string) told {
	return func(a *ask, v string) told {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < low || strconv.FormatInt(n, 10) != v {
			return say("bad.count")
		}
		a.Count = &n
		return told{}
	}
}

// apiHookLog answers GET /api/v1/hooks/:id/log.
func (s *Server) apiHookLog(c *fiber.Ctx) error {
	id, a, err := hookAsked(c, hookLogParams...)
	if err != nil {
		return err
	}
	if a.Limit == 0 {
		a.Limit = defaultLimit
	}
	var before int64
	if a.Count != nil {
		before = *a.Count
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	var list []directory.Delivery
	if before != 1 { // nothing is before the first
		if list, err = s.cfg.Integrators.HookLog(ctx, integratorOf(c), id, before, a.Limit+1); err != nil {
			return err
		}
	}
	out := struct {
		Deliveries []hookDelivery `json:"deliveries"`
		Next       *int64         `json:"next"`
	}{Deliveries: []hookDelivery{}}
	for i, d := range list {
		if i == a.Limit {
			out.Next = &list[i-1].Number
			break
		}
		out.Deliveries = append(out.Deliveries, hookDelivery{d.Number, d.Notice, maybe(d.Change), d.Type, d.Attempt, d.At, d.Took, maybe(d.Status), d.Outcome, maybe(d.Why), maybe(d.Next)})
	}
	return s.own(c, http.StatusOK, out)
}

// apiHookTest answers POST /api/v1/hooks/:id/test.
func (s *Server) apiHookTest(c *fiber.Ctx) error {
	id, _, err := hookAsked(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	notice, err := s.cfg.Integrators.TestHook(ctx, integratorOf(c), id, string(visitOf(c).key.ID), s.staffNow())
	if err != nil {
		return err
	}
	return s.own(c, http.StatusAccepted, struct {
		ID directory.ID `json:"id"`
	}{notice})
}

// apiHookReplay answers POST /api/v1/hooks/:id/replay.
func (s *Server) apiHookReplay(c *fiber.Ctx) error {
	id, a, err := hookAsked(c, replayParams...)
	if err != nil {
		return err
	}
	if a.Count == nil {
		return badParams{wrong("from", "bad.count")}
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	h, err := s.cfg.Integrators.ReplayHook(ctx, integratorOf(c), id, *a.Count, string(visitOf(c).key.ID), s.staffNow())
	if err != nil {
		return err
	}
	return s.own(c, http.StatusOK, hookOf(h))
}

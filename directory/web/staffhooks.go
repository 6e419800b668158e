package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Webhooks at the desk: everybody on staff sees how they stand and what became of each call; an admin who proved a short
// while ago who they are makes, tests, replays, rotates and ends them. A secret is on the one page that answers the form
// that made it.

// HookDesk is what the desk does about webhooks beyond what their partner may.
type HookDesk interface {
	Hooks
	AddHook(ctx context.Context, integrator directory.IntegratorID, h directory.Hook, by string, at directory.Instant) (secret string, out directory.Hook, err error)
	RotateHook(ctx context.Context, integrator directory.IntegratorID, id directory.ID, overlap time.Duration, by string, at directory.Instant) (secret string, out directory.Hook, err error)
	EndHook(ctx context.Context, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant) (directory.Hook, error)
}

// hookPage is how many calls the page of a webhook lists.
const hookPage = 50

// hookView is the page of one webhook.
type hookView struct {
	staffPage
	P       directory.Integrator
	H       directory.Hook
	Action  string
	Changes bool // the forms stand there
	Log     []directory.Delivery
	Older   int64 // before of the older ones; 0 if there are none
	Secret  string
	Error   string
	Done    string
	Limits  struct{ Overlap, MostOverlap, LogDays int }
}

// staffHook answers GET /staff/partners/:id/hooks/:hook.
func (s *Server) staffHook(c *fiber.Ctx, who *staffSession) error {
	hook, err := directory.ParseID(directory.HookPrefix, strings.Clone(c.Params("hook")))
	if err != nil {
		return directory.NotFound
	}
	a, bad := parse(rawQuery(c), hookLogParams[:1], false)
	if len(bad) > 0 {
		return bad
	}
	var before int64
	if a.Count != nil {
		before = *a.Count
	}
	v, err := s.hookView(c, who, hook, before)
	if err != nil {
		return err
	}
	return s.sendStaff(c, "hook", v)
}

func (s *Server) hookView(c *fiber.Ctx, who *staffSession, hook directory.ID, before int64) (*hookView, error) {
	id, err := s.partnerOfPath(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	v := &hookView{}
	if v.P, err = s.cfg.Desk.Integrator(ctx, id); err != nil {
		return nil, err
	}
	if v.H, err = s.cfg.Desk.Hook(ctx, id, hook); err != nil {
		return nil, err
	}
	if v.Log, err = s.cfg.Desk.HookLog(ctx, id, hook, before, hookPage+1); err != nil {
		return nil, err
	}
	if len(v.Log) > hookPage {
		v.Log = v.Log[:hookPage]
		v.Older = v.Log[hookPage-1].Number
	}
	v.staffPage, v.Changes = s.staffPage(c, who, "Webhook of "+v.P.Name), mayChangePartners(who) && v.H.State != directory.HookEnded
	v.Action = "/staff/partners/" + string(id) + "/hooks/" + string(hook)
	v.Limits.Overlap, v.Limits.MostOverlap, v.Limits.LogDays = inDays(directory.HookOverlap), inDays(directory.MostHookOverlap), directory.LogDays
	return v, nil
}

// addHook makes what the form on the partner's page asks for, and answers with the webhook's page.
func (s *Server) addHook(c *fiber.Ctx, who *staffSession, id directory.IntegratorID, form url.Values) error {
	types, err := directory.ParseNoticeTypes(strings.Join(form["type"], " "))
	if err != nil {
		return err
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	secret, h, err := s.cfg.Desk.AddHook(ctx, id, directory.Hook{URL: strings.TrimSpace(form.Get("url")), Types: types}, who.Name, s.staffNow())
	if err != nil {
		return err
	}
	v, err := s.hookView(c, who, h.ID, 0)
	if err != nil {
		return err
	}
	v.Secret = secret
	return s.sendStaff(c, "hook", v)
}

// takeHookChange answers POST /staff/partners/:id/hooks/:hook.
func (s *Server) takeHookChange(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	id, err := s.partnerOfPath(c)
	if err != nil {
		return err
	}
	hook, err := directory.ParseID(directory.HookPrefix, strings.Clone(c.Params("hook")))
	if err != nil {
		return directory.NotFound
	}
	secret, done, err := s.changeHook(id, hook, form, who)
	wrong, mendable := mend(err)
	if err != nil && !mendable {
		return err
	}
	v, err := s.hookView(c, who, hook, 0)
	if err != nil {
		return err
	}
	v.Secret, v.Done, v.Error = secret, done, wrong
	if wrong != "" {
		c.Status(http.StatusBadRequest)
	}
	return s.sendStaff(c, "hook", v)
}

func (s *Server) changeHook(id directory.IntegratorID, hook directory.ID, form url.Values, who *staffSession) (secret, done string, err error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	desk, by, at := s.cfg.Desk, who.Name, s.staffNow()
	number := func(field string) (int64, error) {
		n, err := strconv.ParseInt(strings.TrimSpace(form.Get(field)), 10, 64)
		if err != nil {
			return 0, directory.Errorf(directory.Invalid, field, "write a whole number for %s", field)
		}
		return n, nil
	}
	switch form.Get("do") {
	case "test":
		_, err := desk.TestHook(ctx, id, hook, by, at)
		return "", "A test is on its way. Load this page again to see what became of it.", err
	case "replay":
		n, err := number("number")
		if err != nil {
			return "", "", err
		}
		_, err = desk.ReplayHook(ctx, id, hook, n, by, at)
		return "", "It goes on with number " + strconv.FormatInt(n, 10) + ".", err
	case "rotate":
		days, err := number("overlap")
		if err != nil {
			return "", "", err
		}
		if days < 0 || days > int64(inDays(directory.MostHookOverlap)) {
			return "", "", directory.Errorf(directory.Invalid, "overlap", "the former secret signs for 0 to %d days", inDays(directory.MostHookOverlap))
		}
		secret, _, err := desk.RotateHook(ctx, id, hook, time.Duration(days)*24*time.Hour, by, at)
		return secret, "", err
	case "end":
		_, err := desk.EndHook(ctx, id, hook, by, at)
		return "", "It is ended, and its secret is destroyed.", err
	}
	return "", "", directory.Errorf(directory.Refused, "do", "what is to be done is missing")
}

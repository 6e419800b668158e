package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// problem is an RFC 9457 problem document. Nothing in it comes from the request but the names of
// parameters, and of those only plain ones.
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	RequestID string       `json:"request_id"`
	Errors    []paramError `json:"errors,omitempty"`
}

// paramError says what is wrong with one parameter and how to mend it.
type paramError struct {
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
	told      told
}

// told is a message that has yet to be said in a language.
type told struct {
	key  string
	args []any
}

func say(key string, args ...any) told { return told{key, args} }

// wrong says what is wrong with a parameter, in English.
func wrong(parameter, key string, args ...any) paramError {
	return paramError{parameter, english.t(key, args...), say(key, args...)}
}

// in says it in another language.
func (e paramError) in(l *lang) paramError {
	e.Detail = l.t(e.told.key, e.told.args...)
	return e
}

// badParams is the error of a request whose parameters cannot be read.
type badParams []paramError

func (b badParams) Error() string { return fmt.Sprintf("%d bad parameters", len(b)) }

// elsewhere is the error of a parameter that can be read, and names nothing that we have: 404.
type elsewhere paramError

func (e elsewhere) Error() string { return e.Parameter + " names nothing" }

// statuses maps each kind of error to its HTTP status: the only table of its sort.
var statuses = map[directory.ErrorKind]int{
	directory.Invalid:     http.StatusBadRequest,
	directory.NotFound:    http.StatusNotFound,
	directory.Gone:        http.StatusGone,
	directory.Conflict:    http.StatusConflict,
	directory.Refused:     http.StatusForbidden,
	directory.Unavailable: http.StatusServiceUnavailable,
	directory.Internal:    http.StatusInternalServerError,
}

// notStaff is the error of a question that only staff may ask, asked without a key that is good.
type notStaff struct{}

func (notStaff) Error() string { return "for staff" }

// busy is the error of a request that found no free lane in time.
var busy = &directory.Error{Kind: directory.Unavailable, Detail: "all lanes are taken"}

// problemOf turns an error into a problem document. The error's own text never enters it, except the
// detail of an Invalid error that names one of our parameters.
func (s *Server) problemOf(err error, requestID string, l *lang) problem {
	p := problem{Type: "about:blank", Status: http.StatusInternalServerError, RequestID: requestID}
	var bad badParams
	var fe *fiber.Error
	var de *directory.Error
	var ns notStaff
	var kn keyNeeded
	var scope outOfScope
	var many tooMany
	var none elsewhere
	switch {
	case errors.As(err, &ns):
		p.Status = http.StatusUnauthorized
	case errors.As(err, &kn):
		p.Status = http.StatusUnauthorized
	case errors.As(err, &scope):
		p.Status = http.StatusForbidden
	case errors.As(err, &many):
		p.Status = http.StatusTooManyRequests
	case errors.As(err, &bad):
		p.Status, p.Errors = http.StatusBadRequest, bad
	case errors.As(err, &none):
		p.Status, p.Errors = http.StatusNotFound, []paramError{paramError(none)}
	case errors.As(err, &fe):
		p.Status = fe.Code
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		p.Status = http.StatusServiceUnavailable
	case errors.As(err, &de):
		p.Status = statuses[de.Kind]
		field := de.Field
		if field == "miles" { // the index's word for it
			field = "radius"
		}
		if de.Kind == directory.Invalid && paramNames[field] {
			p.Errors = []paramError{wrong(field, fieldHelp(field))}
		}
	default:
		if code, ok := statuses[directory.KindOf(err)]; ok {
			p.Status = code
		}
	}
	if _, ok := l.has(problemKey(p.Status)); !ok {
		if p.Status = http.StatusBadRequest; fe != nil && fe.Code >= 500 {
			p.Status = http.StatusInternalServerError
		}
	}
	key := problemKey(p.Status)
	switch {
	case errors.Is(err, noKeys):
		key = "problem.no_keys"
	case kn.sent:
		key = "problem.key"
	case errors.As(err, &kn):
		key = "problem.key_needed"
	case scope.scope != "":
		key = "problem.scope"
	case many.after > 0:
		key = "problem.quota"
	}
	switch {
	case p.Status == http.StatusGone && de != nil && de.Field == "embed":
		key = "problem.embed_ended"
	case p.Status == http.StatusForbidden && de != nil && de.Field == "origin":
		key = "problem.origin"
	}
	if len(p.Errors) > 0 {
		p.Type, key = s.base+"/openapi.yaml#bad-parameters", "problem.parameters"
	}
	p.Title, p.Detail = l.t(key), l.t(key+".detail", "Scope", string(scope.scope))
	p.Errors = slices.Clone(p.Errors)
	for i, e := range p.Errors {
		p.Errors[i] = e.in(l)
	}
	return p
}

// problemKey is the message that says what a status means, for the person who reads it.
func problemKey(status int) string { return "problem." + strconv.Itoa(status) }

// fieldHelp is the message that says how to mend a parameter that the index refused.
func fieldHelp(field string) string {
	switch field {
	case "cursor":
		return "bad.cursor"
	case "q":
		return "bad.q"
	case "at":
		return "bad.at"
	}
	return "bad.value"
}

// fail answers with a problem: a document for the API's routes, a page for the others. It logs faults
// of ours, with the number that the answer shows, and never a word of the request.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	v := visitOf(c)
	id := newRequestID()
	p := s.problemOf(err, id, langOf(c))
	s.logFailure(v.route, p, err)
	c.Response().ResetBody()
	s.setHeaders(c)
	c.Response().Header.Del(fiber.HeaderETag)
	c.Response().Header.Del(fiber.HeaderLink)
	c.Set(fiber.HeaderCacheControl, "no-store")
	switch p.Status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		c.Set(fiber.HeaderRetryAfter, "2")
		var many tooMany
		if errors.As(err, &many) {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(many.after))
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		if challenge := challengeOf(err); challenge != "" {
			c.Set(fiber.HeaderWWWAuthenticate, challenge)
		}
	case http.StatusMethodNotAllowed:
		switch takes := s.takesForms(c.Path()); {
		case takes && strings.HasPrefix(c.Path(), "/api/"): // what is done there is not read there
			c.Set(fiber.HeaderAllow, "POST")
		case takes:
			c.Set(fiber.HeaderAllow, "GET, HEAD, POST")
		default:
			c.Set(fiber.HeaderAllow, "GET, HEAD")
		}
	}
	c.Status(p.Status)
	switch s.face(c, v) {
	case data:
		if p.Status == http.StatusNotFound && len(p.Errors) == 0 { // who asks is a program, and mistyped nothing
			p.Detail = langOf(c).t("problem.404.data")
		}
		return s.sendJSON(c, "application/problem+json", p)
	case desk:
		return s.staffProblemPage(c, p, err)
	}
	return s.problemPage(c, p)
}

// logFailure logs a fault of ours.
func (s *Server) logFailure(route string, p problem, err error) {
	if p.Status >= 500 && p.Status != http.StatusNotImplemented && !errors.Is(err, busy) {
		s.log.LogAttrs(context.Background(), slog.LevelError, "request failed", append([]slog.Attr{slog.String("route", route),
			slog.Int("status", p.Status), slog.String("request_id", p.RequestID)}, causes(err)...)...)
	}
}

// challengeOf says what is wrong with what was sent in Authorization, as RFC 6750 §3 writes it; "" where that is not why.
func challengeOf(err error) string {
	var ns notStaff
	var kn keyNeeded
	var scope outOfScope
	switch {
	case errors.As(err, &ns):
		return `Bearer realm="kapdir staff"`
	case errors.As(err, &scope):
		return `Bearer realm="kapdir", error="insufficient_scope", scope="` + string(scope.scope) + `"`
	case errors.As(err, &kn) && kn.sent:
		return `Bearer realm="kapdir", error="invalid_token"`
	case errors.As(err, &kn):
		return `Bearer realm="kapdir"`
	}
	return ""
}

// causes describes an error for the log by kinds, codes and types. Its text is left out: a parser or a
// driver may quote what somebody searched for.
func causes(err error) []slog.Attr {
	var types []string
	for e := err; e != nil && len(types) < 8; {
		types = append(types, strings.TrimPrefix(fmt.Sprintf("%T", e), "*"))
		switch u := e.(type) {
		case interface{ Unwrap() error }:
			e = u.Unwrap()
		case interface{ Unwrap() []error }:
			if list := u.Unwrap(); len(list) > 0 {
				e = list[len(list)-1]
			} else {
				e = nil
			}
		default:
			e = nil
		}
	}
	out := []slog.Attr{slog.String("kind", string(directory.KindOf(err))), slog.String("types", strings.Join(types, " < "))}
	var de *directory.Error
	if errors.As(err, &de) {
		op, _, _ := strings.Cut(de.Op, " ") // what stands behind the blank names a record
		out = append(out, slog.String("op", op))
	}
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		out = append(out, slog.Int("code", coded.Code()))
	}
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		out = append(out, slog.String("sqlstate", state.SQLState()))
	}
	if errors.Is(err, context.DeadlineExceeded) {
		out = append(out, slog.Bool("deadline", true))
	}
	if name := errno(err); name != "unknown" {
		out = append(out, slog.String("errno", name))
	}
	return out
}

// newRequestID names one failed request, so that a person can tell us which. It is random and derived
// from nothing.
func newRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

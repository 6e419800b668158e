package web

import (
	"context"
	"testing"

	"kapdir/directory"
)

// oneSession knows sessions by their secrets, and nothing else.
type oneSession struct {
	SignIn
	held map[string]directory.StaffSession
}

func (o oneSession) Session(_ context.Context, secret string, at directory.Instant) (directory.StaffSession, bool, error) {
	x, ok := o.held[secret]
	return x, ok && x.Live(at), nil
}

func TestDeskAsksWhoItIs(t *testing.T) {
	w := demoWorld(t)
	s := demoServer(t, func(c *Config) {
		c.SignIn = oneSession{held: map[string]directory.StaffSession{"secret": {ID: "ses_x", Name: "rowan", Role: directory.Verifier, Started: w.now, Seen: w.now, Proved: w.now}}}
	})
	if r := get(t, s, "/staff"); r.StatusCode != 303 || r.Header.Get("Location") != "/staff/sign-in" {
		t.Errorf("nobody: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
	if r := get(t, s, "/staff", "Cookie", sessionCookie+"=secret"); r.StatusCode != 200 {
		t.Errorf("rowan: %d %s", r.StatusCode, r.body)
	}
	if r := get(t, s, "/staff", "Cookie", sessionCookie+"=secret", "Sec-Fetch-Site", "cross-site"); r.StatusCode != 303 {
		t.Errorf("rowan, led by another site: %d", r.StatusCode)
	}
}

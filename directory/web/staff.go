package web

import (
	"context"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Staff may ask what was known at an earlier moment, and see what an answer rests on. They ask the API, with
// a key in the Authorization header: a key in an address would end up in logs and histories.

// noKeys is the error of a staff question to a server that has no keys.
var noKeys = &directory.Error{Kind: directory.Refused, Detail: "this server knows no staff keys"}

// staffKey returns the name of whose key the request carries, "" for a question of the public.
func (s *Server) staffKey(ctx context.Context, c *fiber.Ctx, a ask) (name string, err error) {
	token, sent := bearer(c)
	if v := visitOf(c); v.kind == html || v.key != nil { // pages are public, whoever asks; a partner's key is no staff key
		token, sent = "", false
	}
	switch {
	case !sent && a.Known == "":
		return "", nil
	case s.cfg.Keys == nil:
		return "", noKeys
	case !sent:
		return "", notStaff{}
	}
	raw, secret, _ := strings.Cut(token, ".")
	id, err := directory.ParseID(directory.KeyPrefix, raw)
	if err != nil || secret == "" {
		return "", notStaff{}
	}
	name, ok, err := s.cfg.Keys.StaffKey(ctx, id, secret)
	if err != nil {
		return "", err
	}
	if !ok || name == "" {
		return "", notStaff{}
	}
	return name, nil
}

// bearer returns the token of the Authorization header. Another scheme is somebody else's, a proxy's perhaps.
func bearer(c *fiber.Ctx) (token string, sent bool) {
	scheme, token, _ := strings.Cut(strings.Clone(c.Get(fiber.HeaderAuthorization)), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}

// staffView is what staff see beside the public answer: what it rests on, and what the public is not told.
type staffView struct {
	Key    string            `json:"key,omitempty"` // whose key asked
	At     directory.Instant `json:"at"`
	Known  directory.Instant `json:"known"`
	Policy string            `json:"policy"` // in force at that moment, as known
	Checks []staffCheck      `json:"checks"`
	Claims []staffClaim      `json:"claims"`
}

// staffCheck is a check with the events that its sentence rests on.
type staffCheck struct {
	Check   directory.CheckName   `json:"check"`
	Result  directory.CheckResult `json:"result"`
	Reasons []string              `json:"reasons"`
	Because []int64               `json:"because"`
}

// staffClaim is a claim with all that Derive says of it, also of those that the public hears nothing of; of
// a linked prescriber's claims too, since checks rest on them.
type staffClaim struct {
	ID           directory.ID          `json:"id"`
	Provider     directory.ID          `json:"provider"`
	Kind         directory.ClaimKind   `json:"kind"`
	Jurisdiction directory.State       `json:"jurisdiction,omitempty"`
	Title        string                `json:"title,omitempty"`
	Number       string                `json:"number,omitempty"`
	Issuer       string                `json:"issuer,omitempty"`
	Other        directory.ID          `json:"other,omitempty"`
	Status       directory.Status      `json:"status"` // "": nothing that counts is known
	Reasons      []string              `json:"reasons"`
	Sentence     string                `json:"sentence"` // as the public reads it; "" when they do not
	Because      []int64               `json:"because"`  // numbers of events
	Pending      []int64               `json:"pending"`  // observations that wait for a review
	Candidate    bool                  `json:"candidate"`
	Class        directory.SourceClass `json:"class,omitempty"`
	CheckedAt    *directory.Instant    `json:"checked_at"`
	Tried        *directory.Instant    `json:"tried"`
	NextDue      *directory.Instant    `json:"next_due"`
	ValidUntil   *directory.Instant    `json:"valid_until"`
}

// staffViewOf tells what staff see of the file. y is the patient's state.
func staffViewOf(f *directory.CredentialFile, y directory.State, m moment, policies directory.Policies) *staffView {
	w := &staffView{At: m.at, Known: m.known, Policy: policies.InForce(m.at, m.known).Version, Checks: []staffCheck{}, Claims: []staffClaim{}}
	t := newTeller(f, y, m, policies)
	for _, c := range directory.ProblemsFirst(directory.Checks(f, y, m.at, m.known, policies)) {
		w.Checks = append(w.Checks, staffCheck{c.Check, c.Result, list0(c.Reasons), list0(t.check(c).because)})
	}
	add := func(of *directory.CredentialFile) {
		for _, h := range of.Claims {
			if !slices.ContainsFunc(h.Events, func(e directory.Event) bool { return e.RecordedAt <= m.known }) {
				continue // nobody knew of it
			}
			w.Claims = append(w.Claims, t.staffClaim(h.Claim, directory.Derive(h, m.at, m.known, policies)))
		}
	}
	add(f)
	ids := make([]directory.ID, 0, len(f.Linked))
	for id, other := range f.Linked {
		if other != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		add(f.Linked[id])
	}
	return w
}

func (t teller) staffClaim(c directory.Claim, s directory.Standing) staffClaim {
	w := staffClaim{ID: c.ID, Provider: c.Provider, Kind: c.Kind, Jurisdiction: c.Jurisdiction, Title: c.Title, Number: c.Number.Shown, Issuer: c.Issuer, Other: c.Other,
		Status: s.Status, Reasons: list0(s.Reasons), Because: list0(s.Because), Pending: list0(s.Pending), Candidate: s.Candidate, Class: s.Class,
		CheckedAt: maybe(s.CheckedAt), Tried: maybe(s.Tried), NextDue: maybe(s.NextDue), ValidUntil: maybe(s.ValidUntil)}
	if c.Kind == directory.DEARegistration {
		w.Number = ""
	}
	if said, ok := t.claim(c, s); ok {
		w.Sentence = said.Sentence
	}
	return w
}

// list0 is the list, never null.
func list0[T any](l []T) []T { return append([]T{}, l...) }

// Account is a Statement with what staff see beside it.
type Account struct {
	Statement
	Staff *staffView `json:"staff"`
}

// Accounted tells staff of the file what Published tells the public, and what it rests on.
func Accounted(f *directory.CredentialFile, y directory.State, at, known directory.Instant, policies directory.Policies) Account {
	return Account{Published(f, y, at, known, policies), staffViewOf(f, patientState(y, f), moment{at: at, known: known}, policies)}
}

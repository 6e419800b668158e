package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"kapdir/directory"
)

// The sources under which people's own statements and the documents they send are held.
const (
	statedSource   = "provider"
	documentSource = "certificate"
)

// Attest appends what a provider or a prescriber states, or a document they sent, and returns how many
// events that took: none when the same was attested before. It can prove nothing: its class is self, or
// document where a document's hash is given.
func (s *Store) Attest(ctx context.Context, a directory.Attestation) (int, error) {
	op := "store.Attest"
	n := 0
	err := s.write(ctx, op, func(w *work) error {
		if a.At == "" {
			a.At = w.now
		}
		if err := checkAttestation(a, w.now); err != nil {
			return err
		}
		h, err := w.resolve(a.Provider, "provider")
		if err != nil {
			return err
		}
		statements, speaker, err := w.statements(a, h)
		if err != nil {
			return err
		}
		actor := directory.Actor{Kind: directory.ByProvider, ID: string(speaker), Auth: a.Auth}
		for _, st := range statements {
			i := w.claim(h, st.claim)
			again := slices.ContainsFunc(h.file.Claims[i].Events, func(e directory.Event) bool {
				return e.Type == directory.Assert && e.PerformedAt == a.At && e.Actor == actor && sameBody(e.Body, st.body)
			})
			if again {
				continue
			}
			evidence, err := w.statementEvidence(a, st)
			if err != nil {
				return err
			}
			w.append(h, i, directory.Event{Type: directory.Assert, PerformedAt: a.At, Actor: actor, Evidence: []string{evidence}, Body: st.body}, true)
		}
		n = len(w.events)
		return w.settle()
	})
	if err != nil {
		n = 0
	}
	return n, err
}

func checkAttestation(a directory.Attestation, now directory.Instant) error {
	parts := 0
	hash := ""
	if a.Oversight != nil {
		parts++
	}
	if a.Protocol != nil {
		parts++
		hash = a.Protocol.SHA256
	}
	if a.Certificate != nil {
		parts++
		hash = a.Certificate.SHA256
	}
	if a.DEA != nil {
		parts++
		hash = a.DEA.SHA256
	}
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	switch {
	case parts != 1:
		return directory.Errorf(directory.Invalid, "", "an attestation states exactly one thing")
	case a.By != "provider" && a.By != "prescriber":
		return directory.Errorf(directory.Invalid, "by", "a statement is by the provider or the prescriber, not by %q", a.By)
	case a.Auth == "":
		return directory.Errorf(directory.Invalid, "auth", "a statement says how its speaker proved who they are")
	case a.At > now.Add(5*time.Minute):
		return directory.Errorf(directory.Invalid, "at", "a statement cannot be made in the future")
	case hash != "" && !isHash(hash):
		return directory.Errorf(directory.Invalid, "sha256", "a document is named by the 64 hexadecimal digits of its hash")
	case directory.LooksLikeSSN(string(raw)):
		return directory.Errorf(directory.Refused, "", "what looks like a Social Security number must not be held")
	}
	return nil
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32
}

// attested is a claim with what a person says of it, and the hash of the document they sent for it.
type attested struct {
	claim  directory.Claim
	body   directory.Body
	sha256 string
}

// statements writes an attestation as claims with what is said of them, and names who speaks.
func (w *work) statements(a directory.Attestation, h *holding) (out []attested, speaker directory.ID, err error) {
	say := func(c directory.Claim, b directory.Body, sha256 string) {
		b.Class, b.Source = directory.ClassSelf, statedSource
		if sha256 != "" {
			b.Class, b.Source = directory.ClassDocument, documentSource
		}
		out = append(out, attested{c, b, sha256})
	}
	speaker = h.id()
	switch {
	case a.Oversight != nil:
		o := a.Oversight
		c := directory.Claim{Kind: directory.OversightLink}
		prescriber := h
		if !o.Self {
			if prescriber, err = w.resolve(o.Prescriber, "prescriber"); err != nil {
				return nil, "", err
			}
			if prescriber == h {
				return nil, "", directory.Errorf(directory.Invalid, "oversight.self", "the provider and the prescriber are one person: say self")
			}
		}
		c.Other = prescriber.id()
		if a.By == "prescriber" {
			speaker = prescriber.id()
		}
		say(c, directory.Body{Side: a.By, Prescriber: prescriber.id(), From: o.From, To: o.To}, "")
	case a.Protocol != nil:
		x := a.Protocol
		b := directory.Body{Preparation: x.Preparation, Presence: x.Presence, Monitoring: x.Monitoring, Emergency: x.Emergency, Integration: x.Integration}
		say(directory.Claim{Kind: directory.ProtocolClaim}, b, "")
		if x.SHA256 != "" {
			say(directory.Claim{Kind: directory.ProtocolClaim}, b, x.SHA256)
		}
	case a.Certificate != nil:
		x := a.Certificate
		say(directory.TrainingClaim(x.Programme), directory.Body{Programme: x.Programme, Level: x.Level, Completed: x.Completed}, x.SHA256)
	case a.DEA != nil:
		// The registration's number is never held: the claim is that there is one for the state.
		x := a.DEA
		say(directory.Claim{Kind: directory.DEARegistration, Jurisdiction: x.State}, directory.Body{Expires: x.Expires}, x.SHA256)
	}
	return out, speaker, nil
}

// statementEvidence keeps the statement itself; of a document, the hash it was sent with.
func (w *work) statementEvidence(a directory.Attestation, st attested) (string, error) {
	raw, err := json.Marshal(struct {
		Class     directory.SourceClass `json:"class"`
		Statement directory.Attestation `json:"statement"`
	}{st.body.Class, a})
	if err != nil {
		return "", err
	}
	e := directory.Evidence{MediaType: "application/json", Source: st.body.Source, Class: st.body.Class, Method: "web", FileSHA256: st.sha256,
		RetrievedAt: a.At, RetrievedBy: w.s.config.Tool.ID + "@" + w.s.config.Tool.Version, Body: raw}
	switch {
	case st.sha256 != "":
		e.Method = "upload"
	case a.Auth == "telephone_callback":
		e.Method = "phone"
	case a.Auth == "email_link":
		e.Method = "mail"
	}
	return w.keep(e), nil
}

// resolve finds the public provider that a person's statement names; field is the parameter that names it.
func (w *work) resolve(ref directory.ProviderRef, field string) (*holding, error) {
	var ids []directory.ID
	scan := func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}
	var err error
	switch {
	case ref.ID != "":
		ids = []directory.ID{ref.ID}
	case ref.NPI != "":
		err = w.each(`SELECT provider FROM provider_block WHERE block = $1 ORDER BY provider`, []any{"npi:" + string(ref.NPI)}, scan)
	case ref.Source != "" && ref.Key != "":
		err = w.each(`SELECT provider FROM source_record WHERE source = $1 AND key = $2 AND provider <> ''`, []any{ref.Source, clean(ref.Key)}, scan)
	default:
		return nil, directory.Errorf(directory.Invalid, field, "name a provider by id, by NPI, or by source and key")
	}
	if err != nil {
		return nil, err
	}
	held, err := w.hold(ids)
	if err != nil {
		return nil, err
	}
	ids = slices.DeleteFunc(ids, func(id directory.ID) bool { return held[id] == nil || !held[id].public() })
	switch len(ids) {
	case 0:
		return nil, directory.Errorf(directory.NotFound, field, "there is no such provider: %s", refText(ref))
	case 1:
		return held[ids[0]], nil
	}
	return nil, directory.Errorf(directory.Conflict, field, "several providers have it: %s; name one by its id", refText(ref))
}

func refText(r directory.ProviderRef) string {
	switch {
	case r.ID != "":
		return string(r.ID)
	case r.NPI != "":
		return "NPI " + string(r.NPI)
	}
	return r.Source + " " + r.Key
}

// Decide appends a staff member's review of an observation and closes the cases that it settles. It
// refuses a review by whoever made the observation, and a name alone: no identifier, no confirmation.
// Deciding the same again, with the same moment, returns the event there is.
func (s *Store) Decide(ctx context.Context, d directory.Decision) (directory.Event, error) {
	var out directory.Event
	err := s.write(ctx, "store.Decide", func(w *work) error {
		if d.At == "" {
			d.At = w.now
		}
		if err := checkDecision(d, w.now); err != nil {
			return err
		}
		h, err := w.resolve(d.Provider, "provider")
		if err != nil {
			return err
		}
		i, e, err := w.observation(h, d)
		if err != nil {
			return err
		}
		hist := &h.file.Claims[i]
		actor := directory.Actor{Kind: directory.Staff, ID: d.Staff, Auth: d.Auth}
		for _, r := range hist.Events {
			if r.Type != directory.Review || r.Actor.ID != d.Staff || r.Body.Decision != d.Decision {
				continue
			}
			switch {
			case r.PerformedAt == d.At && (d.Of == 0 || r.Body.Of == d.Of) && r.Body.Field == d.Field && r.Body.Note == d.Note:
				out = r
				return nil
			case e != nil && r.Body.Of == e.Seq:
				return directory.Errorf(directory.Conflict, "staff", "%s has decided so already: somebody else must", d.Staff)
			}
		}
		if e == nil {
			return directory.Errorf(directory.Conflict, "claim", "nothing about this claim waits for a decision")
		}
		if e.Actor.Kind == directory.Staff && e.Actor.ID == d.Staff {
			return directory.Errorf(directory.Refused, "staff", "%s made the observation: somebody else must review it", d.Staff)
		}
		m := matchOf(e.Body)
		visible := m.Rung == directory.M5 || m.Rung == directory.M4 || m.Identified()
		if d.Decision == "confirm" && !visible {
			return directory.Errorf(directory.Refused, "decision", "a name alone is never a match: only an identifier that agrees can be confirmed")
		}
		n := w.append(h, i, directory.Event{Type: directory.Review, PerformedAt: d.At, Actor: actor, Evidence: e.Evidence,
			Body: directory.Body{Of: e.Seq, Decision: d.Decision, Field: clean(d.Field), Note: clean(d.Note)}}, visible)
		if d.Decision == "clear" && hist.Claim.Kind == directory.ExclusionScreen {
			if err := w.screenAgain(h, hist.Claim.Issuer); err != nil {
				return err
			}
		}
		w.then = func() error { // once the review has its number
			out = *n.event()
			return w.closeCases(h, i)
		}
		return nil
	})
	return out, err
}

func checkDecision(d directory.Decision, now directory.Instant) error {
	switch {
	case d.Staff == "":
		return directory.Errorf(directory.Invalid, "staff", "a decision says whose it is")
	case !slices.Contains([]string{"confirm", "clear", "return"}, d.Decision):
		return directory.Errorf(directory.Invalid, "decision", "a decision confirms, clears or returns, not %q", d.Decision)
	case d.Decision == "clear" && d.Field == "":
		return directory.Errorf(directory.Invalid, "field", "to clear a candidate, name the identifier that differs")
	case d.At > now.Add(5*time.Minute):
		return directory.Errorf(directory.Invalid, "at", "a decision cannot be made in the future")
	case directory.LooksLikeSSN(d.Note) || directory.LooksLikeSSN(d.Field):
		return directory.Errorf(directory.Refused, "note", "what looks like a Social Security number must not be held")
	}
	return nil
}

// observation finds the claim a decision speaks of and the observation that waits for it; e is nil when
// none waits.
func (w *work) observation(h *holding, d directory.Decision) (claim int, e *directory.Event, err error) {
	number := directory.ParseLicenceNumber(d.Number)
	var found []int
	for i := range h.file.Claims {
		c := h.file.Claims[i].Claim
		same := number.Key == c.Number.Key || number.Digits() != "" && number.Digits() == c.Number.Digits()
		if c.Kind == d.Kind && (d.Issuer == "" || d.Issuer == c.Issuer) && (d.State == "" || d.State == c.Jurisdiction) && (d.Number == "" || same) {
			found = append(found, i)
		}
	}
	if len(found) == 0 {
		return 0, nil, directory.Errorf(directory.NotFound, "kind", "the provider has no such claim: %s %s %s %s", d.Kind, d.Issuer, d.State, d.Number)
	}
	head, err := w.head()
	if err != nil {
		return 0, nil, err
	}
	waiting := map[int]*directory.Event{}
	var pick []int
	for _, i := range found {
		hist := h.file.Claims[i]
		pending := directory.Derive(hist, w.now, max(w.now, head.RecordedAt), w.s.config.Policies).Pending
		for j := range hist.Events {
			o := &hist.Events[j]
			if !slices.Contains(pending, o.Seq) || d.Of != 0 && o.Seq != d.Of {
				continue
			}
			if have := waiting[i]; have == nil || o.PerformedAt > have.PerformedAt || o.PerformedAt == have.PerformedAt && o.Seq > have.Seq {
				waiting[i] = o
			}
		}
		if waiting[i] != nil {
			pick = append(pick, i)
		}
	}
	switch {
	case len(pick) == 1:
		return pick[0], waiting[pick[0]], nil
	case len(pick) > 1:
		return 0, nil, directory.Errorf(directory.Invalid, "number", "several claims of the provider wait for a decision: say which by issuer, state and number")
	case d.Of != 0 && !slices.ContainsFunc(found, func(i int) bool {
		return slices.ContainsFunc(h.file.Claims[i].Events, func(e directory.Event) bool { return e.Seq == d.Of })
	}):
		return 0, nil, directory.Errorf(directory.NotFound, "of", "the claim has no event %d", d.Of)
	}
	for _, i := range found { // what waits no more may have been decided by this very decision
		if slices.ContainsFunc(h.file.Claims[i].Events, func(e directory.Event) bool {
			return e.Type == directory.Review && e.Actor.ID == d.Staff && e.PerformedAt == d.At
		}) {
			return i, nil, nil
		}
	}
	return found[0], nil, nil
}

// screenAgain compares a provider with an exclusion list in force once more: with its last candidate
// cleared by a person, the list has nothing on them.
func (w *work) screenAgain(h *holding, list string) error {
	lists, err := w.quietLists()
	if err != nil {
		return err
	}
	for _, run := range lists {
		if run.Release.Source == list {
			rows, err := w.rowsOf(h.subject().Blocks(), list)
			if err != nil {
				return err
			}
			if err := w.screen(h, run, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeCases closes the cases of a claim whose observations no longer wait for anybody.
func (w *work) closeCases(h *holding, claim int) error {
	head, err := w.head()
	if err != nil {
		return err
	}
	hist := h.file.Claims[claim]
	st := directory.Derive(hist, w.now, max(w.now, head.RecordedAt), w.s.config.Policies)
	var done []string
	err = w.each(`SELECT id, event FROM cases WHERE claim = $1 AND closed = ''`, []any{hist.Claim.ID}, func(r *sql.Rows) error {
		var id string
		var event int64
		err := r.Scan(&id, &event)
		if !slices.Contains(st.Pending, event) {
			done = append(done, id)
		}
		return err
	})
	if err != nil {
		return err
	}
	return w.execIn(`UPDATE cases SET closed = $1 WHERE id IN (%s)`, []any{w.now}, done)
}

package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
			e := directory.Event{Type: directory.Assert, PerformedAt: a.At, Actor: actor, Evidence: []string{evidence}, Body: st.body}
			reused, err := w.document(st.sha256, h.id(), a.At)
			if err != nil {
				return err
			}
			if reused {
				e.Reason = []string{reusedHash}
			}
			if n := w.append(h, i, e, true); reused {
				w.openCase(directory.Case{Kind: directory.CaseDocument, Provider: h.id(), Claim: h.file.Claims[i].Claim.ID, Source: documentSource, Key: strings.ToLower(st.sha256)}, n)
			}
		}
		n = len(w.events)
		return w.settle()
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// reusedHash is the reason of a document whose bytes another provider had sent before: it shows nothing
// until a person has looked.
const reusedHash = "DOC_REUSED_HASH"

// document notes who sent the bytes, and reports that somebody else had sent them before.
func (w *work) document(sha256 string, provider directory.ID, at directory.Instant) (reused bool, err error) {
	if sha256 == "" {
		return false, nil
	}
	sha256 = strings.ToLower(sha256)
	var others int
	if _, err := w.one(`SELECT count(*) FROM document WHERE sha256 = $1 AND provider <> $2`, []any{sha256, provider}, &others); err != nil {
		return false, err
	}
	_, err = w.exec(`INSERT INTO document (sha256, provider, at) VALUES ($1, $2, $3) ON CONFLICT (sha256, provider) DO NOTHING`, sha256, provider, at)
	return others > 0, err
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
	if a.Agreement != nil {
		parts++
		hash = a.Agreement.SHA256
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
	case a.Agreement != nil && a.Agreement.State == "":
		return directory.Errorf(directory.Invalid, "agreement.state", "a practice agreement holds in one state: say which")
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
	case a.Agreement != nil:
		x := a.Agreement
		physician, err := w.resolve(x.Physician, "physician")
		if err != nil {
			return nil, "", err
		}
		if physician == h {
			return nil, "", directory.Errorf(directory.Invalid, "agreement.physician", "an agreement is with somebody else")
		}
		say(directory.Claim{Kind: directory.PracticeAgreement, Jurisdiction: x.State, Other: physician.id()}, directory.Body{From: x.From, To: x.To}, x.SHA256)
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

// Decide appends a staff member's review of an observation, or their decision about a case that has none,
// and closes the cases that it settles. It refuses who is no staff member or may not (directory.Permits), a
// review by whoever made the observation, a name alone (no identifier, no confirmation), what somebody else
// works (Take), and what has moved on since the person looked. Deciding the same again, with the same moment given, returns the event there is.
//
// Of the two people who confirm what stands against a provider, one at least is an approver.
func (s *Store) Decide(ctx context.Context, d directory.Decision) (directory.Event, error) {
	var out directory.Event
	err := s.write(ctx, "store.Decide", func(w *work) error { return w.decide(d, &out) })
	return out, err
}

// decide is Decide in a transaction.
func (w *work) decide(d directory.Decision, out *directory.Event) error {
	given := d.At != "" // a decision without a moment is a new one, even where the clock stands
	if !given {
		d.At = w.now
	}
	if err := checkDecision(d, w.now); err != nil {
		return err
	}
	var c directory.Case
	var err error
	if d.Case != "" {
		if c, err = w.caseOf(d.Case); err != nil {
			return err
		}
		d.Provider, d.Of = directory.ProviderRef{ID: c.Provider}, c.Event
		if d.Seen == 0 {
			return directory.Errorf(directory.Invalid, "seen", "say what you looked at").Try("kapdir cases show %s gives the number", c.ID)
		}
	}
	if c.Kind == directory.CaseRemoved {
		return w.decideRemoved(c, d, out)
	}
	h, err := w.resolve(d.Provider, "provider")
	if directory.KindOf(err) == directory.NotFound && d.Case != "" {
		return directory.Errorf(directory.Refused, "case", "its provider is on no public face any more, withdrawn or merged: there is nothing to decide")
	}
	if err != nil {
		return err
	}
	done := func(n *newEvent) {
		w.then = func() error { *out = *n.event(); return nil } // once it has its number
	}
	switch {
	case c.Kind == directory.CaseRemoval:
		return directory.Errorf(directory.Invalid, "decision", "a request is proven, accepted or declined").Try("kapdir removal list")
	case c.Kind == directory.CaseDocument && c.Claim == "":
		return w.decidePaper(c, h, d, done)
	case d.Case != "" && c.Claim == "":
		return w.decideCandidate(c, h, d, done, out)
	case c.Kind.ByTime():
		return directory.Errorf(directory.Invalid, "decision", "nothing was observed that could be decided: the register is looked up anew").Try("kapdir cases look %s", c.ID)
	case c.Kind == directory.CaseDispute:
		return directory.Errorf(directory.Invalid, "decision", "a dispute is accepted, declined or closed").Try("kapdir cases show %s", c.ID)
	case slices.Contains([]directory.Deed{directory.Distinct, directory.Same, directory.Keep, directory.Take}, directory.Deed(d.Decision)):
		return directory.Errorf(directory.Invalid, "decision", "%q is about two descriptions: an observation is confirmed, cleared or returned", d.Decision)
	}
	if d.Decision == "clear" && d.Field == "" && c.Kind != directory.CaseDocument {
		return directory.Errorf(directory.Invalid, "field", "to clear a candidate, name the identifier that differs")
	}
	i, e, err := w.observation(h, c, d)
	if err != nil {
		return err
	}
	hist := &h.file.Claims[i]
	for _, r := range hist.Events {
		if given && r.Actor.Kind == directory.Staff && r.Actor.ID == d.Staff && r.PerformedAt == d.At && (d.Of == 0 || r.Body.Of == d.Of || r.Supersedes == d.Of) &&
			(r.Type == directory.Review && r.Body.Decision == d.Decision || r.Type == directory.Correct && d.Decision == "clear") &&
			r.Body.Field == clean(d.Field) && r.Body.Note == clean(d.Note) {
			*out = r
			return nil
		}
	}
	o, err := w.office()
	if err != nil {
		return err
	}
	m, err := o.member(d.Staff)
	if err != nil {
		return err
	}
	if err := w.leftTo(d.Staff, d.Case, hist.Claim.ID, ""); err != nil {
		return err
	}
	if d.Seen != 0 || d.Case != "" {
		look := "kapdir claims show " + string(hist.Claim.ID)
		if d.Case != "" {
			look = "kapdir cases show " + string(d.Case)
		}
		if err := fresh(*hist, d.Seen, look); err != nil {
			return err
		}
	}
	if e == nil {
		return directory.Errorf(directory.Conflict, "claim", "nothing about this claim waits for a decision")
	}
	known, err := w.known()
	if err != nil {
		return err
	}
	if d.At < e.PerformedAt {
		return directory.Errorf(directory.Invalid, "at", "a decision cannot be dated before what it decides, which is of %s", e.PerformedAt)
	}
	if err := o.review(m, hist, *e, directory.Deed(d.Decision), w.now, known, w.s.config.Policies); err != nil {
		return err
	}
	added, err := w.addedTo(d.Case)
	if err != nil {
		return err
	}
	actor := directory.Actor{Kind: directory.Staff, ID: d.Staff, Auth: d.Auth}
	body := directory.Body{Of: e.Seq, Decision: d.Decision, Field: clean(d.Field), Note: clean(d.Note)}
	if c.Kind == directory.CaseDocument && d.Decision == "clear" { // the document shows what it says after all
		fixed := e.Body
		fixed.Field, fixed.Note = body.Field, body.Note
		done(w.append(h, i, directory.Event{Type: directory.Correct, Supersedes: e.Seq, PerformedAt: d.At, Actor: actor, Evidence: append(slices.Clip(e.Evidence), added...), Body: fixed,
			Reason: slices.DeleteFunc(slices.Clone(e.Reason), func(r string) bool { return r == reusedHash })}, true))
		return nil
	}
	var also []directory.Event
	last := d.Decision == "clear" // nobody else needs to clear it
	if last && hist.OccasionOf(e.Seq, w.now, known, w.s.config.Policies) == directory.Found {
		need, _ := hist.Approvals(e.Seq, w.now, known, w.s.config.Policies)
		last = len(hist.Clearances(e.Seq, w.now, known, w.s.config.Policies))+1 >= need
	}
	if last {
		also = w.saysSame(hist, *e, known)
	}
	done(w.append(h, i, directory.Event{Type: directory.Review, PerformedAt: d.At, Actor: actor, Evidence: append(slices.Clip(e.Evidence), added...), Body: body},
		c.Kind != directory.CaseDocument && e.Identifies()))
	for _, same := range also {
		body.Of = same.Seq
		w.append(h, i, directory.Event{Type: directory.Review, PerformedAt: d.At, Actor: actor, Evidence: same.Evidence, Body: body}, same.Identifies())
	}
	if last && hist.Claim.Kind == directory.ExclusionScreen {
		return w.screenAgain(h, hist.Claim.Issuer)
	}
	return nil
}

// saysSame returns the other observations of the claim that wait and say just what e says: the same row of
// earlier releases. Whoever clears one clears them all.
func (w *work) saysSame(hist *directory.History, e directory.Event, known directory.Instant) []directory.Event {
	pending := directory.Derive(*hist, w.now, known, w.s.config.Policies).Pending
	said := e.Body
	said.Release = ""
	var out []directory.Event
	for _, o := range hist.InEffect(w.now, known) {
		body := o.Body
		body.Release = ""
		if o.Seq != e.Seq && slices.Contains(pending, o.Seq) && sameAnswer(said, body) && o.PerformedAt <= e.PerformedAt {
			out = append(out, o)
		}
	}
	return out
}

func checkDecision(d directory.Decision, now directory.Instant) error {
	switch {
	case d.Staff == "":
		return directory.Errorf(directory.Invalid, "staff", "a decision says whose it is")
	case d.Auth == "":
		return directory.Errorf(directory.Invalid, "auth", "a decision says how its maker proved who they are")
	case !slices.Contains([]directory.Deed{directory.Confirm, directory.Clear, directory.Return, directory.Distinct, directory.Same, directory.Keep, directory.Take}, directory.Deed(d.Decision)):
		return directory.Errorf(directory.Invalid, "decision", "a decision is confirm, clear or return; distinct or same of two descriptions; keep or take of two facts; not %q", d.Decision)
	case d.At > now.Add(5*time.Minute):
		return directory.Errorf(directory.Invalid, "at", "a decision cannot be made in the future")
	case directory.LooksLikeSSN(d.Note) || directory.LooksLikeSSN(d.Field):
		return directory.Errorf(directory.Refused, "note", "what looks like a Social Security number must not be held")
	}
	return nil
}

// fresh refuses an act of somebody who has not seen all there is: seen is the number of the newest event of
// the claim that they were shown.
func fresh(hist directory.History, seen int64, look string) error {
	newest := hist.Newest()
	if seen > newest {
		return directory.Errorf(directory.Invalid, "seen", "the claim has no event %d, its newest is %d", seen, newest).Try("give the number that %s shows", look)
	}
	var since []string
	for _, e := range hist.Events {
		if e.Seq > seen {
			since = append(since, fmt.Sprintf("%s (event %d)", e.Words(), e.Seq))
		}
	}
	switch n := len(since); {
	case n == 0:
		return nil
	case seen == 0:
		return directory.Errorf(directory.Invalid, "seen", "say what you looked at").Try("%s gives the number", look)
	case n > 3:
		since = append(since[:3], fmt.Sprintf("and %d more", n-3))
	}
	return directory.Errorf(directory.Conflict, "seen", "since you looked, %s; look again", strings.Join(since, "; ")).Try("%s", look)
}

// review refuses a review that a rule forbids. e is the observation as it stands in effect. With a member
// who is nobody, only what is refused to everybody.
func (o office) review(m directory.StaffMember, hist *directory.History, e directory.Event, d directory.Deed, t, k directory.Instant, policies directory.Policies) error {
	on := hist.OccasionOf(e.Seq, t, k, policies)
	need, given := hist.Approvals(e.Seq, t, k, policies)
	cleared := hist.Clearances(e.Seq, t, k, policies)
	if d == directory.Confirm {
		if err := confirmable(hist, e, t, k, policies); err != nil {
			return err
		}
	}
	switch {
	case d == directory.Return && e.Type != directory.Observe:
		return directory.Errorf(directory.Invalid, "decision", "a document is confirmed as somebody else's, or cleared; only what a source says is returned")
	case m.Name == "":
		return nil
	case e.Actor.Kind == directory.Staff && e.Actor.ID == m.Name:
		return directory.Errorf(directory.Refused, "staff", "%s made the observation: somebody else must review it: %s", m.Name,
			directory.OneOf(o.without([]string{m.Name}, directory.WhoMay(d, on)...)))
	case d == directory.Confirm && slices.Contains(given, m.Name):
		return directory.Errorf(directory.Conflict, "staff", "%s has confirmed it already: somebody else must: %s", m.Name, directory.OneOf(o.next(need, given, e, hist)))
	}
	if d == directory.Clear && on == directory.Found && slices.Contains(cleared, m.Name) {
		return directory.Errorf(directory.Conflict, "staff", "%s has cleared it already: it takes a second person to take back what two found", m.Name)
	}
	if d == directory.Return {
		if last := hist.LastReview(e.Seq, t, k); last != nil && last.Body.Decision == "return" && last.Actor.ID == m.Name {
			return directory.Errorf(directory.Conflict, "staff", "%s has returned it already (event %d)", m.Name, last.Seq)
		}
	}
	if err := o.may(m, d, on); err != nil {
		return err
	}
	already := given
	switch {
	case d == directory.Clear && on == directory.Found:
		already = cleared
	case d != directory.Confirm:
		return nil
	}
	if need > 1 && len(already)+1 == need && m.Role != directory.Approver && !o.approved(already, e.Seq, hist, d) {
		return directory.Errorf(directory.Refused, "staff", "one of the two who %s what stands against a provider must be an approver, and %s is a %s like %s: ask %s",
			d, m.Name, m.Role, directory.AllOf(already), directory.OneOf(o.without(append(slices.Clip(already), e.Actor.ID), directory.Approver)))
	}
	return nil
}

// confirmable refuses to confirm what no number of people settles: a name alone, what is no answer yet, and what stands
// against the provider by less than an exact match.
func confirmable(hist *directory.History, e directory.Event, t, k directory.Instant, policies directory.Policies) error {
	switch state := e.Body.State; {
	case e.Type != directory.Observe:
		return nil
	case !e.Identifies():
		return directory.Errorf(directory.Refused, "decision", "a name alone is never a match: only an identifier that agrees can be confirmed. "+
			"Correct it once you know which one agrees, or clear it").Try("kapdir claims correct")
	case state == directory.SeenPossible || state == directory.SeenIndeterminate:
		return directory.Errorf(directory.Refused, "decision",
			"%q is no answer yet: correct it to what it means, and somebody else confirms that; or clear or return it", state).Try("kapdir claims correct")
	case !hist.Settles(e.Seq, t, k, policies):
		return directory.Errorf(directory.Refused, "decision", "what counts against a provider counts by an exact match alone, and this is %s: "+
			"correct it once you know which identifier agrees, and somebody else confirms that; or clear it", matchOf(e.Body).Words()).Try("kapdir claims correct")
	}
	return nil
}

// approved reports that one of the people was an approver when they decided so about the observation, or read it out
// of the source.
func (o office) approved(people []string, of int64, hist *directory.History, d directory.Deed) bool {
	if e := hist.Event(of); d == directory.Confirm && e != nil && e.Actor.Kind == directory.Staff && slices.Contains(people, e.Actor.ID) &&
		o.roleAt(e.Actor.ID, e.PerformedAt) == directory.Approver {
		return true
	}
	return slices.ContainsFunc(hist.Events, func(r directory.Event) bool {
		return r.Type == directory.Review && r.Body.Of == of && r.Body.Decision == string(d) && slices.Contains(people, r.Actor.ID) &&
			o.roleAt(r.Actor.ID, r.PerformedAt) == directory.Approver
	})
}

// next returns who could confirm an observation next.
func (o office) next(need int, given []string, e directory.Event, hist *directory.History) []string {
	roles := directory.WhoMay(directory.Confirm, e.Occasion())
	if need > 1 && len(given)+1 == need && !o.approved(given, e.Seq, hist, directory.Confirm) {
		roles = []directory.Role{directory.Approver}
	}
	left := given
	if e.Actor.Kind == directory.Staff {
		left = append(slices.Clip(given), e.Actor.ID)
	}
	return o.without(left, roles...)
}

// observation finds the claim a decision speaks of and the observation that waits for it; e is nil when
// none waits.
func (w *work) observation(h *holding, c directory.Case, d directory.Decision) (claim int, e *directory.Event, err error) {
	known, err := w.known()
	if err != nil {
		return 0, nil, err
	}
	if c.ID != "" {
		i := h.index(c.Claim)
		if i < 0 {
			return 0, nil, directory.Errorf(directory.Internal, "case", "the claim of case %s is missing: run kapdir fsck", c.ID)
		}
		for _, o := range h.file.Claims[i].InEffect(w.now, known) {
			found := d.Decision == "clear" && h.file.Claims[i].OccasionOf(o.Seq, w.now, known, w.s.config.Policies) == directory.Found
			if o.Seq == c.Event && (found || w.s.waits(c, &h.file.Claims[i], w.now, known)) {
				e = &o
			}
		}
		return i, e, nil
	}
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
	waiting := map[int]*directory.Event{}
	var pick []int
	for _, i := range found {
		hist := h.file.Claims[i]
		pending := directory.Derive(hist, w.now, known, w.s.config.Policies).Pending
		events := hist.InEffect(w.now, known)
		for j := range events {
			o := &events[j]
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
			rows, err := w.rowsOf(h.ready().ScreenBlocks(), list)
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

// index returns the place of the claim of that id, or -1.
func (h *holding) index(id directory.ID) int {
	return slices.IndexFunc(h.file.Claims, func(x directory.History) bool { return x.Holds(id) })
}

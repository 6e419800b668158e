package store

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// work is one writing transaction: what it read, and what it will have appended and changed when it is
// written. Numbers are taken at the very end (flush).
type work struct {
	*tx
	s        *Store
	now      directory.Instant
	held     map[directory.ID]*holding
	order    []*holding // as first held: the same input gives the same order of numbers
	events   []*newEvent
	evidence map[string]directory.Evidence
	cases    []newCase
	undated  bool              // cases were opened that have no place in the list yet
	keeps    bool              // those stay whose they are
	trial    bool              // it is undone: see Foresee
	ended    int64             // the newest number taken; 0 when none was
	recorded directory.Instant // and when it was recorded
	matched  int               // candidates that screening found
	then     func() error      // what remains to be done once the events have their numbers

	older   int                       // rows of a listing that are older than what is held
	back    *row                      // a page that had gone and is there again
	outside int                       // rows that a removal keeps out
	keyed   *suppressed               // see suppressed
	byBlock map[string][]directory.ID // the providers made or changed here, who are not in the table yet
	numbers map[int64]directory.Run   // runs by number
	lists   []directory.Run           // see quietLists
	asked   bool                      // lists were read
	unread  map[directory.ID]*unread  // by run; see unreadOf
	clear   map[directory.ID]string   // by run; see searched
	near    *vicinity                 // of a long run; see around

	rematched []directory.ID // who was compared with everything loaded
	stands    []stands       // claims whose answers were computed anew, of those that end
}

// stands is how a claim stands that was computed anew, where what is said of it has an end.
type stands struct {
	h    *holding
	hist *directory.History
	directory.Standing
}

func newWork(s *Store, t *tx) *work {
	return &work{tx: t, s: s, now: s.now(), held: map[directory.ID]*holding{}, evidence: map[string]directory.Evidence{},
		byBlock: map[string][]directory.ID{}, numbers: map[int64]directory.Run{}, unread: map[directory.ID]*unread{}, clear: map[directory.ID]string{}}
}

// holding is a provider in the hands of a work.
type holding struct {
	stored
	made       bool
	why        string // why public faces hear of it; "" if they do not
	claims     int    // how many of the claims are in the table
	identities []linkedIdentity
	matched    string                // the subject that loaded records were last matched against
	blocks     []string              // as in the table
	lasts      moments               // as in the table
	news       map[directory.ID]bool // claims whose moment is to be computed again
	brief      *brief                // nil when the whole file is held
	prepared   *directory.Prepared   // see ready
}

// linkedIdentity is a record of NPPES that speaks of a provider.
type linkedIdentity struct {
	record directory.Record
	match  directory.Rung
}

// change makes public faces hear of the provider: the first reason stands.
func (h *holding) change(why string) {
	if h.why == "" {
		h.why = why
	}
}

// subject is the provider's side of a comparison. An NPI that no listing states but that a record of
// NPPES gave for sure counts too.
func (h *holding) subject() directory.Subject {
	if h.brief != nil {
		return h.brief.subject
	}
	return withIdentity(h.file.Subject(), h.identities)
}

// ready is the subject ready for comparison. Whoever changes what it is made of sets prepared to nil.
func (h *holding) ready() *directory.Prepared {
	if h.prepared == nil {
		h.prepared = directory.Prepare(h.subject())
	}
	return h.prepared
}

func withIdentity(s directory.Subject, linked []linkedIdentity) directory.Subject {
	for _, l := range linked {
		if s.NPI == "" && l.match == directory.M5 {
			s.NPI = l.record.Identity.NPI
		}
	}
	return s
}

// hold reads providers for writing; each is read once in a transaction.
func (w *work) hold(ids []directory.ID) (map[directory.ID]*holding, error) {
	var missing []directory.ID
	for _, id := range ids {
		if w.held[id] == nil && !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	read, err := w.load(missing)
	if err != nil {
		return nil, err
	}
	linked, err := w.identities(missing)
	if err != nil {
		return nil, err
	}
	for _, id := range missing {
		if st := read[id]; st != nil {
			h := &holding{stored: *st, claims: len(st.file.Claims), identities: linked[id], lasts: parseMoments(st.moments)}
			subject := h.subject()
			h.matched, h.blocks = describe(subject), subject.Blocks()
			w.held[id] = h
			w.order = append(w.order, h)
		}
	}
	out := make(map[directory.ID]*holding, len(ids))
	for _, id := range ids {
		if h := w.held[id]; h != nil {
			out[id] = h
		}
	}
	return out, nil
}

// describe writes a subject so that two can be compared, in whatever order its licences were read.
func describe(s directory.Subject) string {
	s.Licences = slices.Clone(s.Licences)
	slices.SortFunc(s.Licences, func(a, b directory.LicenceKey) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Number.Raw, b.Number.Raw))
	})
	s.States = slices.Clone(s.States)
	slices.Sort(s.States)
	s.States = slices.Compact(s.States)
	b, _ := json.Marshal(s) // strings and lists of strings always marshal
	return string(b)
}

// identities reads the NPPES records that speak of the providers, in order of source and key.
func (t *tx) identities(ids []directory.ID) (map[directory.ID][]linkedIdentity, error) {
	out := map[directory.ID][]linkedIdentity{}
	err := t.eachIn(`SELECT provider, rung, doc FROM source_record WHERE provider <> '' AND provider IN (%s) AND kind = 'identity' ORDER BY source, key`, nil, texts(ids),
		func(r *sql.Rows) error {
			var id directory.ID
			var l linkedIdentity
			var doc string
			if err := r.Scan(&id, &l.match, &doc); err != nil {
				return err
			}
			if err := decode(doc, &l.record); err != nil {
				return err
			}
			out[id] = append(out[id], l)
			return nil
		})
	return out, err
}

// claim finds the claim of the statement's identity among the provider's, or makes it, and returns its
// place. Licences are one by state, number and type, however their numbers are written.
func (w *work) claim(h *holding, c directory.Claim) int {
	if i := h.find(c); i >= 0 {
		return i
	}
	c.ID, c.Provider, c.Created = directory.NewID(directory.ClaimPrefix, w.now), h.file.Provider.ID, w.now
	c.Issuer, c.Title = clean(c.Issuer), clean(c.Title)
	c.Number.Raw, c.Number.Shown = clean(c.Number.Raw), clean(c.Number.Shown)
	h.file.Claims = append(h.file.Claims, directory.History{Claim: c})
	h.prepared = nil
	h.hear(c.ID)
	return len(h.file.Claims) - 1
}

// find returns the place of the claim of the same identity, or -1.
func (h *holding) find(c directory.Claim) int {
	number := -1
	for i := range h.file.Claims {
		have := h.file.Claims[i].Claim
		if have.Kind != c.Kind || have.Issuer != clean(c.Issuer) || have.Jurisdiction != c.Jurisdiction || have.Other != c.Other {
			continue
		}
		if have.Title == clean(c.Title) && have.Number.Key == c.Number.Key {
			return i
		}
		if c.Kind == directory.License || c.Kind == directory.DisciplineScreen {
			switch same, digits := sameLicence(have, c); {
			case same:
				return i
			case digits && number < 0:
				number = i // the type of one of the two is not known
			}
		}
	}
	return number
}

// sameLicence compares two licences the way matching does.
func sameLicence(a, b directory.Claim) (same, number bool) {
	key := func(c directory.Claim) directory.Subject {
		return directory.Subject{Licences: []directory.LicenceKey{{State: c.Jurisdiction, Type: c.Title, Number: c.Number}}}
	}
	by := directory.MatchSubjects(key(a), key(b)).By
	return slices.Contains(by, "licence"), slices.Contains(by, "licence_number")
}

// newEvent is an event that waits for its number.
type newEvent struct {
	h            *holding
	claim, index int
	judge        bool // open a case if it then waits for a person
	source, key  string
}

func (n *newEvent) history() *directory.History { return &n.h.file.Claims[n.claim] }
func (n *newEvent) event() *directory.Event     { return &n.history().Events[n.index] }

// append adds an event to the claim's history. With visible, public faces hear of it.
func (w *work) append(h *holding, claim int, e directory.Event, visible bool) *newEvent {
	hist := &h.file.Claims[claim]
	of := hist.Claim.ID
	if n := cmp.Or(e.Supersedes, e.Body.Of); n != 0 { // what speaks of an event is recorded with it, whoever is merged with whom
		if about := hist.Event(n); about != nil {
			of = about.Claim
		}
	}
	e.V, e.Claim, e.Policy = directory.EventVersion, of, w.s.config.Policies.InForce(w.now, w.now).Version
	hist.Events = append(hist.Events, e)
	h.hear(hist.Claim.ID)
	n := &newEvent{h: h, claim: claim, index: len(hist.Events) - 1}
	w.events = append(w.events, n)
	if visible {
		h.change(string(e.Type))
	}
	return n
}

// keep takes evidence to be written with the work and returns its name.
func (w *work) keep(e directory.Evidence) string {
	e.SHA256 = digest(e.Body)
	if _, ok := w.evidence[e.SHA256]; !ok {
		w.evidence[e.SHA256] = e
	}
	return e.SHA256
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

const saltSize = 32

// genesis stands for the hash before the first event.
var genesis = make([]byte, sha256.Size)

// commit hides the payload behind a salt: with payload and salt destroyed, it says nothing.
func commit(salt, payload []byte) []byte {
	h := sha256.Sum256(append(slices.Clip(salt), payload...))
	return h[:]
}

// chain binds a commitment to all events before it.
func chain(previous, commitment []byte) []byte {
	h := sha256.Sum256(append(slices.Clip(previous), commitment...))
	return h[:]
}

// flush writes everything the work holds. The head is taken last of what other writers could wait for.
func (w *work) flush() error {
	if err := w.writeClaims(); err != nil {
		return err
	}
	var changed []*holding
	var ids []directory.ID
	for _, h := range w.order {
		if h.why != "" && (h.public() || h.file.Provider.Seq > 0) {
			changed = append(changed, h)
			ids = append(ids, h.file.Provider.ID)
		}
	}
	linked, err := w.linkedTo(ids)
	if err != nil {
		return err
	}
	n := int64(len(w.events) + len(changed) + len(linked))
	var head directory.Head
	var last string // the hash of the newest event
	if n > 0 {
		if head, last, err = w.take(n, len(changed)+len(linked) > 0); err != nil {
			return err
		}
		w.ended, w.recorded = head.Seq, head.RecordedAt
	}
	next := head.Seq - n + 1
	for _, e := range w.events {
		e.event().Seq, e.event().RecordedAt = next, head.RecordedAt
		next++
	}
	if err := w.writeEvents(last); err != nil {
		return err
	}
	for _, h := range w.order {
		w.last(h, head.RecordedAt)
	}
	var rows, numbers [][]any
	for _, h := range changed {
		h.file.Provider.Seq = next
		rows = append(rows, []any{next, h.file.Provider.ID, h.why})
		next++
	}
	for _, id := range linked {
		if h := w.held[id]; h != nil {
			h.file.Provider.Seq = next
		}
		numbers = append(numbers, []any{id, next})
		rows = append(rows, []any{next, id, "oversight"})
		next++
	}
	if w.dry { // what is left only writes
		return nil
	}
	if err := w.insert(`INSERT INTO change (seq, provider, why)`, rows, ""); err != nil {
		return err
	}
	if err := w.update("provider", "id", []string{"seq BIGINT"}, numbers); err != nil {
		return err
	}
	if err := w.writeProviders(); err != nil {
		return err
	}
	w.judge(head.RecordedAt)
	if err := w.writeCases(); err != nil || w.then == nil {
		return err
	}
	return w.then()
}

// take reserves n numbers and the moment they are recorded at, in one statement; head.Seq is the last of
// them, and last the hash of the newest event so far. With public, the last number is one that public
// faces hear of.
func (w *work) take(n int64, public bool) (h directory.Head, last string, err error) {
	if w.dry {
		if h, err = w.head(); err == nil {
			h.Seq, h.RecordedAt = h.Seq+n, max(w.now, instant(h.RecordedAt.Time().UnixMilli()+1))
		}
		return h, "", err
	}
	var ms int64
	found, err := w.one(`UPDATE head SET seq = seq + $1, recorded_ms = CASE WHEN recorded_ms < $2 THEN $2 ELSE recorded_ms + 1 END,
		public_seq = CASE WHEN $3 = 1 THEN seq + $1 ELSE public_seq END RETURNING seq, recorded_ms, public_seq, last_hash`,
		[]any{n, w.now.Time().UnixMilli(), truth(public)}, &h.Seq, &ms, &h.Public, &last)
	if err == nil && !found {
		err = directory.Errorf(directory.Internal, "", "the head of the store is missing: run kapdir fsck")
	}
	h.RecordedAt = instant(ms)
	return h, last, err
}

func instant(ms int64) directory.Instant {
	if ms == 0 {
		return ""
	}
	return directory.At(time.UnixMilli(ms))
}

// linkedTo returns the public providers whose checks rest on one of ids, without those of ids: whoever names
// one as prescriber, and through a practice agreement whoever names a prescriber who names one.
func (t *tx) linkedTo(ids []directory.ID) ([]directory.ID, error) {
	seen := make(map[directory.ID]bool, len(ids))
	for _, id := range ids {
		seen[id] = true
	}
	var out []directory.ID
	for next := ids; len(next) > 0; {
		var agreed []directory.ID
		named, err := t.withMerged(next)
		if err != nil {
			return nil, err
		}
		type row struct {
			id   directory.ID
			kind directory.ClaimKind
		}
		rows, err := rowsOnce(t, `SELECT DISTINCT p.id, c.kind FROM claim c JOIN provider p ON p.id = c.provider WHERE c.kind IN ('oversight_link', 'practice_agreement')
			AND c.other IN (%s) AND c.other <> '' AND p.listed = 1 AND p.withdrawn = 0 AND p.merged_into = ''`, texts(named), func(r *sql.Rows) (x row, err error) {
			err = r.Scan(&x.id, &x.kind)
			return x, err
		})
		if err != nil {
			return nil, err
		}
		for _, x := range rows {
			if seen[x.id] {
				continue
			}
			if out = append(out, x.id); x.kind == directory.PracticeAgreement {
				agreed = append(agreed, x.id)
			}
		}
		for _, id := range out {
			seen[id] = true
		}
		next = agreed
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// moments says of each claim of a provider when the answer about it changes by itself; one that is not there
// never does. nil is not computed yet: the provider is older than the column, or was written with other
// policies.
type moments map[directory.ID]directory.Instant

// notComputed is how nil is written.
const notComputed = "?"

func parseMoments(s string) moments {
	if s == notComputed {
		return nil
	}
	m := moments{}
	for x := range strings.FieldsSeq(s) {
		claim, until, _ := strings.Cut(x, "=")
		m[directory.ID(claim)] = directory.Instant(until)
	}
	return m
}

// String writes the moments in order of the claims.
func (m moments) String() string {
	if m == nil {
		return notComputed
	}
	var b strings.Builder
	for i, claim := range keysOf(m) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(claim))
		b.WriteByte('=')
		b.WriteString(string(m[claim]))
	}
	return b.String()
}

// first returns the earliest of the moments, "" when there is none.
func (m moments) first() directory.Instant {
	var out directory.Instant
	for _, until := range m {
		if out == "" || until < out {
			out = until
		}
	}
	return out
}

// come returns whether the moment of the claim has come or is not known.
func (m moments) come(claim directory.ID, now directory.Instant) bool {
	until, ok := m[claim]
	return m == nil || ok && until <= now
}

// hear marks a claim as one whose moment is to be computed again.
func (h *holding) hear(claim directory.ID) {
	if h.news == nil {
		h.news = map[directory.ID]bool{}
	}
	h.news[claim] = true
}

// last computes anew up to when the answers last: of the claims with news, and of those whose moment has
// come, if public faces hear of it now. Of a provider of whom they hear nothing, the moment that has come stays:
// somebody must still be told.
func (w *work) last(h *holding, known directory.Instant) {
	told := h.why != "" || h.made
	if !told && (len(h.news) == 0 || h.lasts == nil) {
		return
	}
	fresh := make(moments, len(h.lasts)+len(h.news))
	maps.Copy(fresh, h.lasts)
	for i := range h.file.Claims {
		id := h.file.Claims[i].Claim.ID
		if !h.news[id] && !(told && h.lasts.come(id, w.now)) {
			continue
		}
		st := directory.Derive(h.file.Claims[i], w.now, known, w.s.config.Policies)
		if st.ValidUntil != "" {
			fresh[id] = st.ValidUntil
		} else {
			delete(fresh, id)
		}
		if hist := &h.file.Claims[i]; slices.ContainsFunc(hist.Events, func(e directory.Event) bool { return e.Body.Expires != "" || e.Body.To != "" }) {
			w.stands = append(w.stands, stands{h, hist, st})
		}
	}
	if h.lasts, h.news = fresh, nil; told {
		h.until = fresh.first()
		if b := w.s.config.Policies.Boundary(w.now, known); b != "" && (h.until == "" || b < h.until) {
			h.until = b // when a rule that holds for everybody changes by its date
		}
	}
}

func (w *work) writeClaims() error {
	var rows [][]any
	for _, h := range w.order {
		for _, hist := range h.file.Claims[h.claims:] {
			c := hist.Claim
			rows = append(rows, []any{c.ID, c.Provider, c.Provider, c.Kind, c.Issuer, c.Jurisdiction, c.Title, c.Number.Raw, c.Number.Shown, c.Number.Key, c.Other, c.Created})
		}
		h.claims = len(h.file.Claims)
	}
	return w.insert(`INSERT INTO claim (id, provider, home, kind, issuer, jurisdiction, title, number_raw, number_shown, number_key, other, created)`, rows, "")
}

// writeEvents writes the evidence, then the events that rest on it, each bound to the one before.
// last is the hash of the one before the first of them.
func (w *work) writeEvents(last string) error {
	var rows [][]any
	names := make([]string, 0, len(w.evidence))
	for name := range w.evidence {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		e := w.evidence[name]
		body := string(e.Body)
		e.Body = nil // it has a column of its own
		meta, err := json.Marshal(e)
		if err != nil {
			return err
		}
		rows = append(rows, []any{name, e.Source, e.Class, string(meta), body})
	}
	if err := w.insert(`INSERT INTO evidence (sha256, source, class, meta, body)`, rows, `ON CONFLICT (sha256) DO NOTHING`); err != nil {
		return err
	}
	if len(w.events) == 0 {
		return nil
	}
	previous := genesis
	if last != "" {
		var err error
		if previous, err = hex.DecodeString(last); err != nil {
			return err
		}
	}
	salts := make([]byte, saltSize*len(w.events))
	_, _ = rand.Read(salts) // never fails: crypto/rand ends the program instead
	events, payloads := make([][]any, 0, len(w.events)), make([][]any, 0, len(w.events))
	for _, n := range w.events {
		e := n.event()
		if err := e.Validate(); err != nil {
			return err
		}
		payload, err := e.JSON()
		if err != nil {
			return err
		}
		salt := salts[:saltSize]
		salts = salts[saltSize:]
		commitment := commit(salt, payload)
		previous = chain(previous, commitment)
		events = append(events, []any{e.Seq, hex.EncodeToString(commitment), hex.EncodeToString(previous)})
		payloads = append(payloads, []any{e.Seq, e.Claim, hex.EncodeToString(salt), string(payload)})
	}
	if err := w.insert(`INSERT INTO event (seq, commitment, hash)`, events, ""); err != nil {
		return err
	}
	if _, err := w.exec(`UPDATE head SET last_hash = $1`, hex.EncodeToString(previous)); err != nil {
		return err
	}
	return w.insert(`INSERT INTO event_payload (seq, claim, salt, payload)`, payloads, "")
}

// writeProviders writes the facts, numbers and blocks of the providers that changed.
func (w *work) writeProviders() error {
	var rows, facts, blocks, numbers, unheard [][]any
	for _, h := range w.order {
		moments := h.lasts.String()
		if h.brief != nil { // its facts are as they were
			switch {
			case h.why != "":
				numbers = append(numbers, []any{h.id(), h.file.Provider.Seq, h.until, moments})
			case moments != h.moments:
				unheard = append(unheard, []any{h.id(), moments})
			}
			h.moments = moments
			continue
		}
		doc, err := document(h.file.Provider)
		if err != nil {
			return err
		}
		subject := h.subject()
		described := describe(subject)
		if h.made || h.why != "" || moments != h.moments || doc != h.doc {
			p := h.file.Provider
			rows = append(rows, []any{p.ID, truth(h.listed), truth(p.Withdrawn), p.MergedInto, p.Seq, h.until, moments})
		}
		if h.made || doc != h.doc || described != h.described {
			facts = append(facts, []any{h.id(), doc, described})
		}
		h.moments, h.described = moments, described
		now := subject.Blocks()
		for _, b := range now {
			if !slices.Contains(h.blocks, b) {
				blocks = append(blocks, []any{clean(b), h.id()})
			}
		}
		for _, b := range h.blocks {
			if !slices.Contains(now, b) {
				if _, err := w.exec(`DELETE FROM provider_block WHERE block = $1 AND provider = $2`, clean(b), h.id()); err != nil {
					return err
				}
			}
		}
		h.doc, h.made, h.blocks = doc, false, now
	}
	err := w.insert(`INSERT INTO provider (id, listed, withdrawn, merged_into, seq, valid_until, moments)`, rows, `ON CONFLICT (id) DO UPDATE SET
		listed = excluded.listed, withdrawn = excluded.withdrawn, merged_into = excluded.merged_into, seq = excluded.seq, valid_until = excluded.valid_until,
		moments = excluded.moments`)
	if err != nil {
		return err
	}
	err = w.insert(`INSERT INTO provider_facts (id, doc, subject)`, facts, `ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, subject = excluded.subject`)
	if err != nil {
		return err
	}
	if err := w.update("provider", "id", []string{"seq BIGINT", "valid_until TEXT", "moments TEXT"}, numbers); err != nil {
		return err
	}
	if err := w.update("provider", "id", []string{"moments TEXT"}, unheard); err != nil {
		return err
	}
	return w.insert(`INSERT INTO provider_block (block, provider)`, blocks, `ON CONFLICT (block, provider) DO NOTHING`)
}

func (h *holding) id() directory.ID { return h.file.Provider.ID }

// document writes a provider as the table holds it: what has a column of its own is left out.
func document(p directory.Provider) (string, error) {
	p.Seq, p.Withdrawn, p.MergedInto = 0, false, ""
	b, err := json.Marshal(p)
	return string(b), err
}

// judge opens a case for each new observation that waits for a person.
func (w *work) judge(known directory.Instant) {
	for _, n := range w.events {
		if !n.judge {
			continue
		}
		hist, e := n.history(), n.event()
		st := directory.Derive(*hist, w.now, known, w.s.config.Policies)
		if !slices.Contains(st.Pending, e.Seq) {
			continue
		}
		settled := slices.ContainsFunc(hist.Events, func(o directory.Event) bool {
			return o.Type == directory.Observe && o.Seq < e.Seq && !slices.Contains(st.Pending, o.Seq)
		})
		w.openCase(directory.Case{Kind: caseKind(hist.Claim.Kind, e.Body, settled), Provider: hist.Claim.Provider, Claim: hist.Claim.ID,
			Source: n.source, Key: n.key, Match: matchOf(e.Body)}, n)
	}
}

func matchOf(b directory.Body) directory.Match {
	return directory.Match{Rung: b.Match, By: b.By, Against: b.Against}
}

// caseKind says why an observation needs a person; settled says that an earlier one of the claim did not.
func caseKind(kind directory.ClaimKind, b directory.Body, settled bool) directory.CaseKind {
	switch {
	case kind == directory.ExclusionScreen && b.State != directory.SeenClear:
		return directory.CaseExclusion
	case b.State.Adverse():
		return directory.CaseAdverse
	case b.State == directory.SeenIndeterminate:
		return directory.CaseIndeterminate
	case b.State == directory.SeenNotFound:
		return directory.CaseChange // a record that was there, or that a document shows, is not
	case b.Match != directory.M5 && b.Match != directory.M4:
		return directory.CaseConflict // an identifier agrees and the name does not
	case settled:
		return directory.CaseChange
	}
	return directory.CaseFirst
}

package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"kapdir/directory"
)

// FsckReport is what Fsck found. The store is whole when Faults is empty.
type FsckReport struct {
	Events    int
	Evidence  int
	Claims    int
	Providers int
	Removed   int     // events whose payload a removal has destroyed
	Faults    []Fault // in the order found, so that the first names the first bad row; at most 100
}

// Fault is one bad row.
type Fault struct {
	Table  string
	Row    string // its key
	Detail string
}

func (f Fault) String() string { return fmt.Sprintf("%s %s: %s", f.Table, f.Row, f.Detail) }

// mostFaults is how many faults are told: beyond, a backup is what helps.
const mostFaults = 100

// Fsck checks that the ledger is whole and that everything derived from it is what it should be: every
// number is there, each event is bound to the one before it and its columns agree with what it says, the
// newest is the one that head names, a payload is missing only where a takedown ordered it, all evidence is there and unaltered, the packed records of references are as they were written and found, every claim can be derived, and every provider's facts are what their
// listings make. It reads one snapshot and changes nothing. progress may be nil. An error means that it
// could not look.
func (s *Store) Fsck(ctx context.Context, progress func(done, total int)) (FsckReport, error) {
	var report FsckReport
	err := s.read(ctx, "store.Fsck", func(t *tx) (err error) {
		report, err = s.fsck(t, progress)
		return err
	})
	return report, err
}

func (s *Store) fsck(t *tx, progress func(done, total int)) (FsckReport, error) {
	f := fsck{tx: t, s: s, progress: progress, claims: map[directory.ID]bool{}, removed: map[int64]int64{}, takedowns: map[int64]bool{}}
	for _, table := range []string{`event`, `evidence`, `provider`} {
		var n int
		if _, err := t.one(`SELECT count(*) FROM `+table, nil, &n); err != nil {
			return f.report, err
		}
		f.total += n
	}
	for _, step := range []func() error{f.evidence, f.claimIDs, f.events, f.numbers, f.payloads, f.references, f.providers} {
		if err := step(); err != nil {
			return f.report, err
		}
	}
	return f.report, nil
}

type fsck struct {
	*tx
	s           *Store
	report      FsckReport
	progress    func(done, total int)
	done, total int
	names       map[string]bool // of the evidence there is
	claims      map[directory.ID]bool
	head        directory.Head
	last        string          // the hash of the newest event
	lastSeq     int64           // and its number
	removed     map[int64]int64 // events whose payload was destroyed, and the takedown that is said to have ordered it
	takedowns   map[int64]bool
}

func (f *fsck) fault(table string, row any, format string, args ...any) {
	if len(f.report.Faults) < mostFaults {
		f.report.Faults = append(f.report.Faults, Fault{table, fmt.Sprint(row), fmt.Sprintf(format, args...)})
	}
}

func (f *fsck) step() {
	f.done++
	if f.progress != nil && (f.done%100 == 0 || f.done == f.total) {
		f.progress(f.done, f.total)
	}
}

func (f *fsck) evidence() error {
	f.names = map[string]bool{}
	err := f.each(`SELECT sha256 FROM removed_evidence`, nil, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		f.names[name] = true // events name it for ever
		return err
	})
	if err != nil {
		return err
	}
	return f.each(`SELECT sha256, source, class, meta, body FROM evidence ORDER BY sha256`, nil, func(r *sql.Rows) error {
		var name, source, class, meta, body string
		if err := r.Scan(&name, &source, &class, &meta, &body); err != nil {
			return err
		}
		f.report.Evidence++
		f.names[name] = true
		var e directory.Evidence
		switch err := decode(meta, &e); {
		case digest([]byte(body)) != name:
			f.fault("evidence", name, "its body has another hash")
		case err != nil:
			f.fault("evidence", name, "its description cannot be read: %v", err)
		case e.SHA256 != name || e.Source != source || string(e.Class) != class:
			f.fault("evidence", name, "its columns and its description differ")
		}
		f.step()
		return nil
	})
}

func (f *fsck) claimIDs() error {
	return f.each(`SELECT id FROM claim`, nil, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		f.claims[id] = true
		f.report.Claims++
		return err
	})
}

// events walks the chain in order of numbers.
func (f *fsck) events() error {
	err := f.each(`SELECT event, takedown FROM removed`, nil, func(r *sql.Rows) error {
		var event, takedown int64
		err := r.Scan(&event, &takedown)
		f.removed[event] = takedown
		return err
	})
	if err != nil {
		return err
	}
	previous := genesis
	var before directory.Instant
	return f.each(`SELECT e.seq, e.commitment, e.hash, coalesce(p.claim, ''), coalesce(p.salt, ''), coalesce(p.payload, '')
		FROM event e LEFT JOIN event_payload p ON p.seq = e.seq ORDER BY e.seq`, nil, func(r *sql.Rows) error {
		var seq int64
		var commitment, hash, claim, salt, payload string
		if err := r.Scan(&seq, &commitment, &hash, &claim, &salt, &payload); err != nil {
			return err
		}
		f.report.Events++
		defer f.step()
		rawHash, errHash := hex.DecodeString(hash)
		rawCommitment, errCommitment := hex.DecodeString(commitment)
		rawSalt, errSalt := hex.DecodeString(salt)
		f.last, f.lastSeq = hash, seq
		if errHash != nil || errCommitment != nil || len(rawHash) != len(genesis) || hex.EncodeToString(rawHash) != hash ||
			hex.EncodeToString(rawCommitment) != commitment { // capitals say the same and were not written so
			f.fault("event", seq, "its hashes cannot be read")
			return nil
		}
		if !bytes.Equal(chain(previous, rawCommitment), rawHash) {
			f.fault("event", seq, "it is not bound to the event before it: one of the two was altered, or one between them is missing")
		}
		previous = rawHash
		if payload == "" && salt == "" && claim == "" {
			if _, ok := f.removed[seq]; !ok {
				f.fault("event_payload", seq, "what the event says is missing, and no takedown ordered its removal")
			}
			f.report.Removed++
			return nil
		}
		if errSalt != nil || hex.EncodeToString(rawSalt) != salt || !bytes.Equal(commit(rawSalt, []byte(payload)), rawCommitment) {
			f.fault("event_payload", seq, "what the event says is not what was committed to")
			return nil
		}
		var e directory.Event
		if err := decode(payload, &e); err != nil {
			f.fault("event_payload", seq, "it cannot be read: %v", err)
			return nil
		}
		switch {
		case e.Seq != seq:
			f.fault("event_payload", seq, "it says that its number is %d", e.Seq)
		case string(e.Claim) != claim:
			f.fault("event_payload", seq, "its column names the claim %s and the event %s", claim, e.Claim)
		case claim != "" && !f.claims[e.Claim]:
			f.fault("event_payload", seq, "its claim %s is missing", claim)
		case e.RecordedAt < before:
			f.fault("event_payload", seq, "it was recorded before the event before it")
		}
		if err := e.Validate(); err != nil {
			f.fault("event_payload", seq, "%v", err)
		}
		before = e.RecordedAt
		f.takedowns[seq] = e.Type == directory.Takedown
		for _, name := range e.Evidence {
			if !f.names[name] {
				f.fault("event_payload", seq, "its evidence %s is missing", name)
			}
		}
		return nil
	})
}

// payloads checks that each removal was ordered by a later takedown, and that there is no payload without its
// event.
func (f *fsck) payloads() error {
	for _, event := range slices.Sorted(maps.Keys(f.removed)) {
		if by := f.removed[event]; by <= event || !f.takedowns[by] {
			f.fault("removed", event, "event %d, which is said to have ordered it, is no later takedown", by)
		}
	}
	return f.each(`SELECT p.seq FROM event_payload p LEFT JOIN event e ON e.seq = p.seq WHERE e.seq IS NULL ORDER BY p.seq`, nil, func(r *sql.Rows) error {
		var seq int64
		err := r.Scan(&seq)
		f.fault("event_payload", seq, "there is no such event")
		return err
	})
}

// numbers checks that every number that was given is that of an event or a change, and of one alone.
func (f *fsck) numbers() error {
	var err error
	if f.head, err = f.tx.head(); err != nil {
		return err
	}
	last, public := int64(0), int64(0)
	err = f.each(`SELECT seq, 0 AS kind FROM event UNION ALL SELECT seq, 1 AS kind FROM change ORDER BY seq`, nil, func(r *sql.Rows) error {
		var seq int64
		var kind int
		if err := r.Scan(&seq, &kind); err != nil {
			return err
		}
		switch {
		case seq == last:
			f.fault("change", seq, "an event and a change have one number")
		case seq != last+1:
			f.fault("event", last+1, "the numbers from %d to %d are missing", last+1, seq-1)
		}
		if last = seq; kind == 1 {
			public = seq
		}
		return nil
	})
	if err != nil {
		return err
	}
	if f.head.Seq != last {
		f.fault("head", 1, "it stands at %d and the last row at %d: rows at the end are missing", f.head.Seq, last)
	}
	var hash string
	if _, err := f.one(`SELECT last_hash FROM head`, nil, &hash); err != nil {
		return err
	}
	if hash != f.last {
		f.fault("event", f.lastSeq, "head names another newest event: this one was replaced, or one after it taken away")
	}
	if f.head.Public != public {
		f.fault("head", 1, "its public number is %d and the last change's %d", f.head.Public, public)
	}
	return f.each(`SELECT p.id, p.seq, coalesce(max(c.seq), 0) FROM provider p LEFT JOIN change c ON c.provider = p.id GROUP BY p.id, p.seq HAVING p.seq <> coalesce(max(c.seq), 0)`,
		nil, func(r *sql.Rows) error {
			var id string
			var seq, newest int64
			err := r.Scan(&id, &seq, &newest)
			f.fault("provider", id, "its number is %d and its newest change's %d", seq, newest)
			return err
		})
}

// providers derives every claim and composes every provider anew.
func (f *fsck) providers() error {
	var ids []directory.ID
	err := f.each(`SELECT id FROM provider ORDER BY id`, nil, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return err
	}
	now := max(f.s.now(), f.head.RecordedAt)
	for page := range slices.Chunk(ids, 200) {
		listings, err := f.listingsOf(page)
		if err != nil {
			return err
		}
		since, err := f.sinces(page)
		if err != nil {
			return err
		}
		for _, id := range page {
			if err := f.provider(id, listings[id], since, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fsck) provider(id directory.ID, rows []*row, since map[keptRow]directory.Date, now directory.Instant) error {
	f.report.Providers++
	defer f.step()
	held, err := f.load([]directory.ID{id})
	if err != nil {
		if directory.KindOf(err) != directory.Internal {
			return err
		}
		f.fault("provider", id, "%v", err)
		return nil
	}
	h := held[id]
	lasts := parseMoments(h.moments)
	left := maps.Clone(lasts)
	for _, hist := range h.file.Claims {
		delete(left, hist.Claim.ID)
		if fault := derive(hist, lasts, now, f.s.config.Policies); fault != "" {
			f.fault("claim", hist.Claim.ID, "%s", fault)
		}
	}
	want := lasts.first()
	if b := f.s.config.Policies.Boundary(now, now); b != "" && (want == "" || b < want) {
		want = b
	}
	switch due := h.until != "" && h.until <= now; {
	case lasts == nil || due: // to be computed again
	case h.until != want || len(left) > 0:
		f.fault("provider", id, "it is said to stay as it is until %q, and its claims until %q", h.until, h.moments)
	}
	linked, err := f.identities([]directory.ID{id})
	if err != nil {
		return err
	}
	if h.described != "" && h.described != describe(withIdentity(h.file.Subject(), linked[id])) {
		f.fault("provider", id, "what it is compared by is not what its facts and licences say")
	}
	next, _, ok := compose(&holding{stored: *h}, rows, since)
	if !ok {
		return nil
	}
	next.Affiliations = h.file.Provider.Affiliations // resolved when a run ends, not from these rows alone
	doc, err := document(next)
	if err != nil {
		return err
	}
	if doc != h.doc {
		f.fault("provider", id, "its facts are not what its listings say")
	}
	return nil
}

// derive computes a claim's standing; what panics is a fault and stops nothing.
func derive(h directory.History, lasts moments, now directory.Instant, policies directory.Policies) (fault string) {
	defer func() {
		if r := recover(); r != nil {
			fault = fmt.Sprintf("its standing cannot be derived: %v", r)
		}
	}()
	st := directory.Derive(h, now, now, policies)
	for _, seq := range st.Because {
		if !slices.ContainsFunc(h.Events, func(e directory.Event) bool { return e.Seq == seq }) {
			return fmt.Sprintf("its standing rests on event %d, which is not one of its own", seq)
		}
	}
	if until := lasts[h.Claim.ID]; !lasts.come(h.Claim.ID, now) && until != st.ValidUntil {
		return fmt.Sprintf("its answer is said to last until %q and lasts until %q", until, st.ValidUntil)
	}
	return ""
}

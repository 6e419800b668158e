package store

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"kapdir/directory"
)

// suppressionFile holds the secret in the state directory.
const suppressionFile = "suppression.key"

// secret returns the secret with which the keys of removed people are hashed; it is made if it is not there and
// make says so. nil is none.
func (s *Store) secret(make bool) ([]byte, error) {
	if len(s.config.SuppressionKey) > 0 {
		return s.config.SuppressionKey, nil
	}
	if s.config.Dir == "" {
		if make {
			return nil, directory.Errorf(directory.Refused, "suppression_key", "there is no state directory for the suppression key: give one, or KAPDIR_SUPPRESSION_KEY")
		}
		return nil, nil
	}
	path := filepath.Join(s.config.Dir, suppressionFile)
	read := func() ([]byte, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		key, err := hex.DecodeString(strings.TrimSpace(string(b)))
		if err != nil || len(key) < 32 {
			return nil, directory.Errorf(directory.Refused, "suppression_key", "%s does not hold a key of 64 hexadecimal digits: restore it from the backup", suppressionFile)
		}
		return key, nil
	}
	key, err := read()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if !make {
		return nil, nil
	}
	b := [32]byte{}
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	if err := os.MkdirAll(s.config.Dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) { // another process was quicker
		return read()
	}
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(hex.EncodeToString(b[:]) + "\n")
	return b[:], errors.Join(err, f.Sync(), f.Close())
}

// suppressed says who must not be listed again. Without anybody removed it is empty.
type suppressed struct {
	secret []byte
	any    bool
}

func (x *suppressed) hash(key string) string {
	m := hmac.New(sha256.New, x.secret)
	m.Write([]byte(key))
	return hex.EncodeToString(m.Sum(nil))
}

// suppressed reads the secret once in a work. A list that another secret made would let everybody back in, so
// that without the right one no listing is taken at all.
func (w *work) suppressed(make bool) (*suppressed, error) {
	if w.keyed != nil && (!make || w.keyed.secret != nil) {
		return w.keyed, nil
	}
	var check string
	any, err := w.one(`SELECT hash FROM suppression WHERE kind = 'check'`, nil, &check)
	if err != nil {
		return nil, err
	}
	x := &suppressed{any: any}
	if any || make {
		if x.secret, err = w.s.secret(make && !any); err != nil {
			return nil, err
		}
		switch {
		case any && (x.secret == nil || x.hash("check") != check):
			return nil, directory.Errorf(directory.Refused, "suppression_key",
				"people were removed under another suppression key than this one, and would be listed again: restore %s in the state directory, or KAPDIR_SUPPRESSION_KEY", suppressionFile)
		case !any:
			if _, err := w.exec(`INSERT INTO suppression (hash, kind, removal, at) VALUES ($1, 'check', '', $2)`, x.hash("check"), w.now); err != nil {
				return nil, err
			}
			x.any = true
		}
	}
	w.keyed = x
	return x, nil
}

// suppressedBy returns the removal that one of the keys belongs to, "" if none does.
func (w *work) suppressedBy(x *suppressed, keys []string) (removal string, err error) {
	hashes := make([]string, len(keys))
	for i, k := range keys {
		hashes[i] = x.hash(k)
	}
	err = w.eachIn(`SELECT removal FROM suppression WHERE hash IN (%s) ORDER BY at`, nil, hashes, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		removal = id
		return err
	})
	return removal, err
}

func rowKey(r *row) string      { return "row:" + r.source + "|" + r.key }
func distinctKey(r *row) string { return "distinct:" + r.source + "|" + r.key + "|" + nameOf(r) }

func nameOf(r *row) string {
	l := r.record.Listing
	return directory.Fold(l.Name.Given+" "+l.Name.Family) + "|" + directory.Fold(l.Organisation)
}

// withheld keeps a page out that is of somebody who was removed. Who is known by NPI or licence leaves no trace;
// of whom only name and place agree is held without a provider, for a person to say who it is. A page that a
// provider has already stays theirs as long as it is about them.
func (w *work) withheld(r *row, old *row) (bool, error) {
	x, err := w.suppressed(false)
	if err != nil || !x.any {
		return false, err
	}
	subject := r.record.Subject()
	if old != nil && old.provider != "" && directory.MatchSubjects(subject, old.record.Subject()).Rung != directory.M0 {
		return false, nil
	}
	sure, perhaps := subject.SuppressionKeys()
	removal, err := w.suppressedBy(x, append(sure, rowKey(r)))
	if err != nil {
		return false, err
	}
	if removal != "" {
		r.provider = ""
		w.outside++
		if old != nil {
			w.outside--
			return true, w.dropRow(r.source, r.key)
		}
		return true, nil
	}
	if removal, err = w.suppressedBy(x, perhaps); err != nil || removal == "" {
		return false, err
	}
	told, err := w.suppressedBy(x, []string{distinctKey(r)})
	if err != nil || told != "" {
		return false, err
	}
	var provider directory.ID
	if _, err := w.one(`SELECT provider FROM removal WHERE id = $1`, []any{removal}, &provider); err != nil {
		return false, err
	}
	r.provider, r.rung, r.evidence = "", "", ""
	if err := w.writeRows([]*row{r}, map[string]*row{r.key: old}); err != nil {
		return false, err
	}
	w.openCase(directory.Case{Kind: directory.CaseRemoved, Provider: provider, Source: r.source, Key: r.key,
		Match: directory.Match{Rung: directory.M3, By: []string{"family", "given", "address"}}}, nil)
	return true, nil
}

func (w *work) dropRow(source, key string) error {
	for _, table := range []string{`source_block`, `source_record`, `page`} {
		if _, err := w.exec(`DELETE FROM `+table+` WHERE source = $1 AND key = $2`, source, key); err != nil {
			return err
		}
	}
	return nil
}

// redact takes out of a page what it says of a prescriber who was removed, and reports that it did.
func (w *work) redact(r *row) (bool, error) {
	x, err := w.suppressed(false)
	if err != nil || !x.any {
		return false, err
	}
	var gone []directory.Name
	var left []directory.ListedPrescriber
	for _, p := range r.record.Listing.Prescribers {
		sure, _ := directory.Listing{Kind: directory.Person, Name: p.Name, NPI: p.NPI, Licences: p.Licences}.Subject().SuppressionKeys()
		by, err := w.suppressedBy(x, sure)
		if err != nil {
			return false, err
		}
		if by != "" {
			gone = append(gone, p.Name)
		} else {
			left = append(left, p)
		}
	}
	if len(gone) == 0 {
		return false, nil
	}
	return true, r.without(left, gone)
}

// without leaves prescribers out of a page, and their names out of its columns.
func (r *row) without(left []directory.ListedPrescriber, gone []directory.Name) error {
	l := *r.record.Listing
	l.Prescribers = left
	fields := make(map[string]string, len(r.record.Fields))
	for k, v := range r.record.Fields {
		if !slices.ContainsFunc(gone, func(n directory.Name) bool { return mentions(n, v) }) {
			fields[k] = v
		}
	}
	r.record.Listing, r.record.Fields = &l, fields
	doc, err := json.Marshal(r.record)
	r.doc = string(doc)
	return err
}

// mentions reports that a text holds the given and the family name.
func mentions(n directory.Name, text string) bool {
	text = " " + directory.Fold(text) + " "
	in := func(part string) bool { return part != "" && strings.Contains(text, " "+part+" ") }
	return in(directory.Fold(n.Family)) && (n.Given == "" || in(directory.Fold(n.Given)))
}

const removalColumns = `id, kind, provider, claim, words, contact, asked, due, state, decided, staff, auth, note, event`

func (t *tx) removals(rest string, args ...any) (out []directory.Removal, err error) {
	err = t.each(`SELECT `+removalColumns+` FROM removal `+rest, args, func(r *sql.Rows) error {
		var x directory.Removal
		err := r.Scan(&x.ID, &x.Kind, &x.Provider, &x.Claim, &x.Words, &x.Contact, &x.Asked, &x.Due, &x.State, &x.Decided, &x.Staff, &x.Auth, &x.Note, &x.Event)
		out = append(out, x)
		return err
	})
	return out, err
}

// Removals returns the requests, the oldest first; with openOnly those that nobody has decided.
func (s *Store) Removals(ctx context.Context, openOnly bool) (out []directory.Removal, err error) {
	err = s.read(ctx, "store.Removals", func(t *tx) error {
		out, err = t.removals(`WHERE $1 = 0 OR state = 'open' ORDER BY asked, id`, truth(openOnly))
		return err
	})
	return out, err
}

// RequestRemoval takes a request in and acknowledges it. It changes nothing else: anybody may ask. The same
// request again, while it is open, is the one there is.
func (s *Store) RequestRemoval(ctx context.Context, q directory.Removal) (out directory.Removal, err error) {
	err = s.write(ctx, "store.RequestRemoval", func(w *work) error {
		q.Words, q.Contact = clean(strings.TrimSpace(q.Words)), clean(strings.TrimSpace(q.Contact))
		switch {
		case q.Kind != "removal" && q.Kind != "correction":
			return directory.Errorf(directory.Invalid, "kind", "a request is for removal or correction, not %q", q.Kind)
		case (q.Claim != "") != (q.Kind == "correction"):
			return directory.Errorf(directory.Invalid, "claim", "a correction, and nothing else, names the statement that is wrong")
		case len(q.Words) > 4000 || len(q.Contact) > 200:
			return directory.Errorf(directory.Invalid, "words", "a request has at most 4000 characters, and its contact 200")
		case directory.LooksLikeSSN(q.Words) || directory.LooksLikeSSN(q.Contact):
			return directory.Errorf(directory.Refused, "words", "what looks like a Social Security number must not be held")
		}
		h, err := w.resolve(directory.ProviderRef{ID: q.Provider}, "provider")
		if err != nil {
			return err
		}
		if q.Claim != "" && h.index(q.Claim) < 0 {
			return directory.Errorf(directory.NotFound, "claim", "the provider has no claim %s", q.Claim)
		}
		open, err := w.removals(`WHERE provider = $1 AND kind = $2 AND claim = $3 AND words = $4 AND contact = $5 AND state = 'open'`, q.Provider, q.Kind, q.Claim, q.Words, q.Contact)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			out = open[0]
			return nil
		}
		out = directory.Removal{ID: directory.NewID(directory.CasePrefix, w.now), Kind: q.Kind, Provider: q.Provider, Claim: q.Claim, Words: q.Words, Contact: q.Contact,
			Asked: w.now, Due: w.now.Date().AddBusinessDays(directory.RemovalDays), State: "open"}
		if err := w.insert(`INSERT INTO removal (`+removalColumns+`)`, [][]any{{out.ID, out.Kind, out.Provider, out.Claim, out.Words, out.Contact, out.Asked, out.Due, out.State,
			"", "", "", "", 0}}, ""); err != nil {
			return err
		}
		w.undated = true
		return w.insert(`INSERT INTO cases (id, kind, provider, claim, source, key, event, agreed, opened, closed, revision, row_hash, decided)`,
			[][]any{{out.ID, directory.CaseRemoval, out.Provider, "", statedSource, string(out.ID), 0, `{}`, w.now, "", 1, "", 0}}, "")
	})
	return out, err
}

// DecideRemoval proves, accepts or declines an open request, or lifts a removal that took effect. What is proven
// or accepted is off every public face when it returns; a removal also destroys what is held (see destroy) and
// keeps whoever it was from being listed again. To accept one needs an approver; to prove one needs a contact
// that is on record already.
func (s *Store) DecideRemoval(ctx context.Context, d directory.RemovalDecision) (out directory.Removal, err error) {
	forget := false
	err = s.write(ctx, "store.DecideRemoval", func(w *work) error {
		found, err := w.removals(`WHERE id = $1`, d.ID)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return directory.Errorf(directory.NotFound, "id", "there is no request %s", d.ID).Try("kapdir removal list shows them")
		}
		out = found[0]
		d.Note = clean(d.Note)
		switch {
		case d.Auth == "":
			return directory.Errorf(directory.Invalid, "auth", "say how it was proven, or how you are known")
		case directory.LooksLikeSSN(d.Note):
			return directory.Errorf(directory.Refused, "note", "what looks like a Social Security number must not be held")
		case d.Staff == "" && d.Do != "prove":
			return directory.Errorf(directory.Refused, "staff", "only staff %s a request", d.Do)
		case d.Do == "decline" && d.Note == "":
			return directory.Errorf(directory.Invalid, "note", "say why it is declined")
		}
		if d.Staff != "" {
			o, err := w.office()
			if err != nil {
				return err
			}
			m, err := o.member(d.Staff)
			if err != nil {
				return err
			}
			if err := w.leftTo(d.Staff, d.ID, "", ""); err != nil {
				return err
			}
			if d.Do == "accept" || d.Do == "lift" {
				if err := o.may(m, directory.Withdrawal, directory.Ordinary); err != nil {
					return err
				}
			}
		}
		if d.Do == "lift" {
			return w.lift(&out, d)
		}
		if out.State != "open" {
			return directory.Errorf(directory.Conflict, "id", "the request was %s on %s", out.State, out.Decided.Date())
		}
		id, err := w.survivor(out.Provider)
		if err != nil {
			return err
		}
		h, err := w.holdOne(id)
		if err != nil {
			return err
		}
		actor := directory.Actor{Kind: directory.Staff, ID: d.Staff, Auth: d.Auth}
		switch d.Do {
		case "prove":
			if d.Auth != "telephone_callback" && d.Auth != "email_link" {
				return directory.Errorf(directory.Invalid, "auth", "a request is proven by telephone_callback or email_link, not by %q", d.Auth)
			}
			if !h.file.Provider.Reaches(d.Contact) {
				return directory.Errorf(directory.Refused, "contact", "that is no contact on record: call the telephone or write to the domain that the listing shows, or let an approver accept the request")
			}
			out.State, actor = "proven", directory.Actor{Kind: directory.ByProvider, ID: string(id), Auth: d.Auth}
		case "accept":
			out.State = "accepted"
		case "decline":
			out.State = "declined"
		default:
			return directory.Errorf(directory.Invalid, "do", "a request is proven, accepted or declined, and a removal lifted; not %q", d.Do)
		}
		out.Decided, out.Staff, out.Auth, out.Note, out.Words, out.Contact = w.now, d.Staff, d.Auth, d.Note, "", ""
		finish := func(seq int64) error {
			out.Event = seq
			if _, err := w.exec(`UPDATE cases SET closed = $2 WHERE id = $1`, out.ID, w.now); err != nil {
				return err
			}
			_, err := w.exec(`UPDATE removal SET state = $2, decided = $3, staff = $4, auth = $5, note = $6, words = '', contact = '', event = $7 WHERE id = $1`,
				out.ID, out.State, out.Decided, out.Staff, out.Auth, out.Note, out.Event)
			return err
		}
		if out.State == "declined" {
			return finish(0)
		}
		e := directory.Event{Type: directory.Takedown, PerformedAt: w.now, Actor: actor, Reason: []string{takenDown}}
		if out.Kind == "correction" { // the statement is off every face; what is right is stated anew, or corrected
			i := h.index(out.Claim)
			if i < 0 {
				return directory.Errorf(directory.NotFound, "claim", "the provider has no claim %s", out.Claim)
			}
			n := w.append(h, i, e, true)
			w.then = func() error { return finish(n.event().Seq) }
			return w.settle()
		}
		forget = true
		return w.remove(h, &out, e, finish)
	})
	if err == nil && forget {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = s.fault("store.DecideRemoval", s.dialect.forget(ctx, s.writer))
	}
	return out, err
}

// remove takes a provider off every public face for ever, keeps them from being listed again, and destroys what
// is held about them:
//
//	facts, pages, statements of pages, cases and documents: deleted
//	events: payload and salt deleted; number, commitment and hash stay, and the takedown that ordered it
//	evidence: deleted with its text; events of others go on naming it by its hash
//	others' pages and statements that name them as prescriber: what names them is deleted
//	others who are said to work there: it is no fact of theirs any more, so that nothing finds them by its name
//	notices: what they told is deleted; that there were some stays
//
// What stays: the id, which answers 410; the takedown; that there were events; rows of NPPES, of registers and of
// exclusion lists, which are those publishers' lists of everybody, show on no face and are replaced by each
// release; evidence that a whole list was searched, which names nobody; and the suppression keys.
func (w *work) remove(h *holding, q *directory.Removal, e directory.Event, finish func(int64) error) error {
	x, err := w.suppressed(true)
	if err != nil {
		return err
	}
	all, err := w.withMerged([]directory.ID{h.id()})
	if err != nil {
		return err
	}
	subject := h.subject()
	pages, err := w.rows(`WHERE provider <> '' AND provider IN (%s) AND kind = 'listing'`, nil, []string{string(h.id())})
	if err != nil {
		return err
	}
	for _, r := range pages { // every spelling of the name, at every place that anybody stated
		s := r.record.Subject()
		subject.Names, subject.Organisations = append(subject.Names, s.Names...), append(subject.Organisations, s.Organisations...)
		subject.Licences, subject.Addresses = append(subject.Licences, s.Licences...), append(subject.Addresses, s.Addresses...)
	}
	sure, perhaps := subject.SuppressionKeys()
	var keys [][]any
	for _, k := range append(sure, perhaps...) {
		kind, _, _ := strings.Cut(k, ":")
		keys = append(keys, []any{x.hash(k), kind, q.ID, w.now})
	}
	for _, r := range pages {
		if !ofPrescriber(r.key) {
			keys = append(keys, []any{x.hash(rowKey(r)), "row", q.ID, w.now})
			q.Pages = append(q.Pages, directory.PageKey{Source: r.source, Key: r.key})
		}
	}
	if err := w.insert(`INSERT INTO suppression (hash, kind, removal, at)`, keys, `ON CONFLICT (hash) DO UPDATE SET kind = excluded.kind, removal = excluded.removal, at = excluded.at`); err != nil {
		return err
	}
	d := &destruction{work: w, h: h, names: subject.Names, events: map[int64]bool{}, evidence: map[string]bool{}}
	if err := d.gather(all, pages); err != nil {
		return err
	}
	if err := d.rows(all, pages); err != nil {
		return err
	}
	i := h.find(directory.Claim{Kind: directory.FileClaim})
	if i < 0 {
		i = w.claim(h, directory.Claim{Kind: directory.FileClaim})
	}
	file := directory.History{Claim: h.file.Claims[i].Claim}
	inTable := i < h.claims
	if err := d.claims(file.Claim.ID); err != nil {
		return err
	}
	if err := d.placesOfWork(all); err != nil {
		return err
	}
	if err := w.unannounce(all); err != nil {
		return err
	}
	h.file = directory.CredentialFile{Provider: directory.Provider{ID: h.id(), Kind: h.file.Provider.Kind, Withdrawn: true, Seq: h.file.Provider.Seq}, Claims: []directory.History{file}}
	if h.claims = 0; inTable {
		h.claims = 1
	}
	h.identities, h.lasts, h.news = nil, moments{}, nil
	n := w.append(h, 0, e, true)
	w.then = func() error {
		if err := d.destroy(n.event().Seq); err != nil {
			return err
		}
		// Segments of an index keep the words of what was deleted until they are merged: it is built anew.
		if _, err := w.exec(`INSERT INTO request (name, count) VALUES ('rebuild', 1) ON CONFLICT (name) DO UPDATE SET count = request.count + 1`); err != nil {
			return err
		}
		return finish(n.event().Seq)
	}
	return nil
}

// destruction is what a removal destroys.
type destruction struct {
	*work
	h        *holding
	names    []directory.Name
	events   map[int64]bool
	evidence map[string]bool
}

// shared reports evidence that a whole list was searched: it names nobody.
func shared(body string) bool {
	var x struct {
		Searched *int `json:"rows_searched"`
	}
	return decode(body, &x) == nil && x.Searched != nil
}

// gather finds the events to be destroyed, with the evidence that they rest on.
func (d *destruction) gather(all []directory.ID, pages []*row) error {
	take := func(r *sql.Rows) error {
		var seq int64
		var payload string
		if err := r.Scan(&seq, &payload); err != nil {
			return err
		}
		var e directory.Event
		if err := decode(payload, &e); err != nil {
			return err
		}
		d.events[seq] = true
		for _, sum := range e.Evidence {
			d.evidence[sum] = true
		}
		return nil
	}
	const events = `SELECT seq, payload FROM event_payload WHERE claim IN (SELECT id FROM claim WHERE `
	if err := d.each(events+`provider = $1)`, []any{d.h.id()}, take); err != nil {
		return err
	}
	if err := d.eachIn(events+`other IN (%s) AND other <> '')`, nil, texts(all), take); err != nil { // what others' pages say of them
		return err
	}
	err := d.eachIn(`SELECT evidence FROM case_evidence WHERE provider IN (%s)`, nil, texts(all), func(r *sql.Rows) error {
		var sum string
		err := r.Scan(&sum)
		d.evidence[sum] = true
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range pages {
		// Decisions about others that name their page, and every reading of it.
		err := d.each(`SELECT seq, payload FROM event_payload WHERE seq IN (SELECT decided FROM cases WHERE source = $1 AND key = $2 AND decided <> 0)`, []any{p.source, p.key}, take)
		if err != nil {
			return err
		}
		parent, _, mention := strings.Cut(p.key, "#prescriber-")
		for _, key := range []string{p.key, parent} {
			if err := d.readings(p.source, key, key == parent && mention); err != nil {
				return err
			}
		}
	}
	for sum := range d.evidence {
		var body string
		if found, err := d.one(`SELECT body FROM evidence WHERE sha256 = $1`, []any{sum}, &body); err != nil {
			return err
		} else if !found || shared(body) {
			delete(d.evidence, sum)
		}
	}
	return nil
}

// readings finds the evidence of a page; of another's page, what names the person.
func (d *destruction) readings(source, key string, others bool) error {
	quoted, err := json.Marshal(key)
	if err != nil {
		return err
	}
	return d.each(`SELECT sha256, body FROM evidence WHERE source = $1`, []any{source}, func(r *sql.Rows) error {
		var sum, body string
		if err := r.Scan(&sum, &body); err != nil {
			return err
		}
		if strings.Contains(body, `"key":`+string(quoted)) && (!others || d.named(body)) {
			d.evidence[sum] = true
		}
		return nil
	})
}

func (d *destruction) named(text string) bool {
	return slices.ContainsFunc(d.names, func(n directory.Name) bool { return mentions(n, text) })
}

// rows deletes pages and what others' pages say of the person, and lets go of the rows of public lists.
func (d *destruction) rows(all []directory.ID, pages []*row) error {
	for _, p := range pages {
		if err := d.dropRow(p.source, p.key); err != nil {
			return err
		}
		if _, err := d.exec(`DELETE FROM cases WHERE claim = '' AND source = $1 AND key = $2`, p.source, p.key); err != nil {
			return err
		}
		parent, number, mention := strings.Cut(p.key, "#prescriber-")
		if !mention {
			continue
		}
		nth, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		of, err := d.work.rows(`WHERE source = $1 AND key IN (%s)`, []any{p.source}, []string{parent})
		if err != nil {
			return err
		}
		for _, r := range of {
			var left []directory.ListedPrescriber
			i := 0
			for _, st := range r.record.Listing.Prescribers {
				if !st.Self && (st.NPI != "" || len(st.Licences) > 0) {
					if i++; i == nth {
						continue
					}
				}
				left = append(left, st)
			}
			if err := r.without(left, d.names); err != nil {
				return err
			}
			if _, err := d.exec(`UPDATE source_record SET doc = $3 WHERE source = $1 AND key = $2`, r.source, r.key, r.doc); err != nil {
				return err
			}
		}
	}
	for _, q := range []string{
		`UPDATE source_record SET provider = '', rung = '', evidence = '' WHERE provider <> '' AND provider IN (%s)`,
		`DELETE FROM page WHERE provider <> '' AND provider IN (%s)`,
		`DELETE FROM document WHERE provider IN (%s)`,
		`DELETE FROM case_evidence WHERE provider IN (%s)`,
		`DELETE FROM cases WHERE kind <> 'removal_request' AND provider IN (%s)`,
		`DELETE FROM provider_block WHERE provider IN (%s)`,
		`UPDATE merge_record SET kept = '{}' WHERE merged IN (%s)`,
	} {
		if err := d.execIn(q, nil, texts(all)); err != nil {
			return err
		}
	}
	if _, err := d.exec(`DELETE FROM paper WHERE NOT EXISTS (SELECT 1 FROM case_evidence e WHERE e.paper = paper.sha256 AND e.paper <> '')`); err != nil {
		return err
	}
	for _, id := range all { // whoever was merged into them
		if id == d.h.id() {
			continue
		}
		doc, err := document(directory.Provider{ID: id, Kind: d.h.file.Provider.Kind})
		if err != nil {
			return err
		}
		if _, err := d.exec(`UPDATE provider_facts SET doc = $2, subject = '' WHERE id = $1`, id, doc); err != nil {
			return err
		}
	}
	var rejects [][]any // quarantined rows that name them, in whatever spelling: the database does not know what we fold
	err := d.each(`SELECT run, file, line, field, reason, text FROM reject WHERE text <> ''`, nil, func(r *sql.Rows) error {
		x := make([]any, 6)
		to := make([]any, 6)
		for i := range x {
			to[i] = &x[i]
		}
		if err := r.Scan(to...); err != nil {
			return err
		}
		if text, ok := x[5].(string); ok && d.named(text) {
			rejects = append(rejects, x[:5])
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, x := range rejects {
		if _, err := d.exec(`UPDATE reject SET text = '' WHERE run = $1 AND file = $2 AND line = $3 AND field = $4 AND reason = $5`, x...); err != nil {
			return err
		}
	}
	return nil
}

// claims deletes the person's claims but for the one about their file, and makes everybody who names them hear
// of it.
func (d *destruction) claims(file directory.ID) error {
	var ids []directory.ID
	err := d.each(`SELECT DISTINCT c.provider FROM claim c JOIN event_payload e ON e.claim = c.id WHERE c.other = $1 AND c.other <> '' AND c.provider <> $1 ORDER BY c.provider`, []any{d.h.id()}, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return err
	}
	held, err := d.hold(ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		o := held[id]
		for i := range o.file.Claims {
			hist := &o.file.Claims[i]
			before := len(hist.Events)
			hist.Events = slices.DeleteFunc(hist.Events, func(e directory.Event) bool { return d.events[e.Seq] })
			if len(hist.Events) != before {
				o.hear(hist.Claim.ID)
				o.change("removal")
			}
		}
	}
	_, err = d.exec(`DELETE FROM claim WHERE provider = $1 AND id <> $2`, d.h.id(), file)
	return err
}

// placesOfWork takes the practice from the facts of whoever is said to work there, and lets everybody hear of that.
func (d *destruction) placesOfWork(all []directory.ID) error {
	var ids []directory.ID
	for _, id := range all {
		err := d.each(`SELECT id FROM provider_facts WHERE doc LIKE $1 ORDER BY id`, []any{`%"provider":"` + string(id) + `"%`}, func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil {
			return err
		}
	}
	held, err := d.hold(ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		o := held[id]
		if o == nil || o == d.h {
			continue
		}
		o.file.Provider.Affiliations = slices.DeleteFunc(slices.Clone(o.file.Provider.Affiliations), func(a directory.Affiliation) bool { return slices.Contains(all, a.Provider) })
		o.change("removal")
	}
	return nil
}

// destroy deletes payloads and evidence in the name of the takedown.
func (d *destruction) destroy(takedown int64) error {
	var events, evidence [][]any
	var seqs, sums []string
	for seq := range d.events {
		events = append(events, []any{seq, takedown})
		seqs = append(seqs, strconv.FormatInt(seq, 10))
	}
	for sum := range d.evidence {
		evidence = append(evidence, []any{sum, takedown})
		sums = append(sums, sum)
	}
	if err := d.insert(`INSERT INTO removed (event, takedown)`, events, `ON CONFLICT (event) DO NOTHING`); err != nil {
		return err
	}
	if err := d.insert(`INSERT INTO removed_evidence (sha256, takedown)`, evidence, `ON CONFLICT (sha256) DO NOTHING`); err != nil {
		return err
	}
	if err := d.execIn(`DELETE FROM event_payload WHERE seq IN (SELECT event FROM removed) AND CAST(seq AS TEXT) IN (%s)`, nil, seqs); err != nil {
		return err
	}
	return d.execIn(`DELETE FROM evidence WHERE sha256 IN (%s)`, nil, sums)
}

// lift lets whoever was removed be listed again, under another id, when a listing next brings them. What was
// destroyed stays so.
func (w *work) lift(q *directory.Removal, d directory.RemovalDecision) error {
	if q.Kind != "removal" || q.State != "proven" && q.State != "accepted" {
		return directory.Errorf(directory.Conflict, "id", "the request removed nobody: it is %s", q.State)
	}
	if d.Note == "" {
		return directory.Errorf(directory.Invalid, "note", "say why the removal is lifted")
	}
	n, err := w.exec(`DELETE FROM suppression WHERE removal = $1 AND kind <> 'distinct'`, q.ID)
	if err == nil && n == 0 {
		err = directory.Errorf(directory.Conflict, "id", "it has been lifted already")
	}
	if err != nil {
		return err
	}
	q.Note = strings.TrimSpace(q.Note + " Lifted by " + d.Staff + ": " + d.Note)
	_, err = w.exec(`UPDATE removal SET note = $2 WHERE id = $1`, q.ID, q.Note)
	return err
}

// mayDecide reports why somebody cannot decide a case in which no second provider is spoken of: their role, or whoever
// has the case.
func (w *work) mayDecide(c directory.Case, d directory.Decision) error {
	o, err := w.office()
	if err != nil {
		return err
	}
	m, err := o.member(d.Staff)
	if err != nil {
		return err
	}
	if err := w.leftTo(d.Staff, c.ID, "", ""); err != nil {
		return err
	}
	return o.candidate(m, c, directory.Deed(d.Decision), pair{})
}

// decideRemoved decides whether a page that was kept back is of whoever was removed. distinct lists it; same
// drops it, and by its own numbers and address it is not asked about again. No event is kept: there is nobody
// whose it would be.
func (w *work) decideRemoved(c directory.Case, d directory.Decision, out *directory.Event) error {
	if err := w.mayDecide(c, d); err != nil {
		return err
	}
	rows, err := w.recordsOf(c.Source, []string{c.Key})
	switch {
	case err != nil:
		return err
	case c.Closed != "":
		return directory.Errorf(directory.Conflict, "case", "it was closed on %s", c.Closed.Date())
	case d.Seen != c.Revision:
		return directory.Errorf(directory.Conflict, "seen", "the case is at revision %d: look again", c.Revision).Try("kapdir cases show %s", c.ID)
	case len(rows) == 0: // the page has gone: nothing is kept back
		*out = directory.Event{Type: directory.Decide, PerformedAt: d.At, Actor: directory.Actor{Kind: directory.Staff, ID: d.Staff, Auth: d.Auth},
			Body: directory.Body{Decision: d.Decision, Source: c.Source, Number: c.Key, Note: clean(d.Note)}}
		_, err := w.exec(`UPDATE cases SET closed = $2 WHERE id = $1`, c.ID, w.now)
		return err
	}
	// No event is kept, for there is nobody whose it would be; who decided it is.
	if err := w.handed(directory.Handing{Case: c.ID, Do: d.Decision, Staff: d.Staff}); err != nil {
		return err
	}
	x, err := w.suppressed(true)
	if err != nil {
		return err
	}
	var removal string
	if _, err := w.one(`SELECT id FROM removal WHERE provider = $1 AND kind = 'removal' ORDER BY decided DESC LIMIT 1`, []any{c.Provider}, &removal); err != nil {
		return err
	}
	r := rows[0]
	keys := [][]any{{x.hash(distinctKey(r)), "distinct", removal, w.now}}
	if d.Decision == string(directory.Same) {
		keys = [][]any{{x.hash(rowKey(r)), "row", removal, w.now}}
		sure, _ := r.record.Subject().SuppressionKeys()
		for _, k := range sure {
			kind, _, _ := strings.Cut(k, ":")
			keys = append(keys, []any{x.hash(k), kind, removal, w.now})
		}
	}
	if err := w.insert(`INSERT INTO suppression (hash, kind, removal, at)`, keys, `ON CONFLICT (hash) DO NOTHING`); err != nil {
		return err
	}
	if _, err := w.exec(`UPDATE cases SET closed = $2 WHERE id = $1`, c.ID, w.now); err != nil {
		return err
	}
	*out = directory.Event{Type: directory.Decide, PerformedAt: d.At, Actor: directory.Actor{Kind: directory.Staff, ID: d.Staff, Auth: d.Auth},
		Body: directory.Body{Decision: d.Decision, Source: c.Source, Number: c.Key, Note: clean(d.Note)}}
	if d.Decision == string(directory.Same) {
		return w.dropRow(r.source, r.key)
	}
	run, err := w.runNumber(r.run)
	if err != nil {
		return err
	}
	old := *r
	all := cleaned(r.record.Subject().Blocks())
	known, err := w.neighbours(all, false)
	if err != nil {
		return err
	}
	r.lookedUp(all)
	h, err := w.list(r, run.Release, &old, known)
	if err != nil {
		return err
	}
	if _, err := w.assert(h, r, run.Release, known); err != nil {
		return err
	}
	return w.settle()
}

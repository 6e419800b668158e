package store

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"slices"

	"kapdir/directory"
)

// View is one snapshot of the store, for whoever reads much of it and needs that it all fits together.
// Nothing that is written meanwhile shows in it. It is for staff: it shows also who has no public page.
type View struct {
	Head     directory.Head
	Now      directory.Instant // of the store's clock, when the snapshot was taken
	policies directory.Policies
	t        *tx
}

// View calls f with a snapshot, which ends when f returns.
func (s *Store) View(ctx context.Context, f func(*View) error) error {
	return s.read(ctx, "store.View", func(t *tx) error {
		head, err := t.head()
		if err != nil {
			return err
		}
		v := &View{Head: head, Now: s.now(), policies: s.config.Policies, t: t}
		held, err := t.rules()
		if err != nil {
			return err
		}
		if len(held.policies) > 0 {
			v.policies = held.policies
		}
		return f(v)
	})
}

// Policies returns the policies of every release of the rules that the snapshot holds.
func (v *View) Policies() directory.Policies { return v.policies }

// Moment is when the snapshot was taken and what was known then.
func (v *View) Moment() (at, known directory.Instant) { return v.Now, max(v.Now, v.Head.RecordedAt) }

// EachFile calls f for every provider in order of id, with the files of linked prescribers, and says
// whether the provider has a public page. It ends with the first error of f.
func (v *View) EachFile(f func(file *directory.CredentialFile, public bool) error) error {
	after := ""
	for {
		var ids []directory.ID
		err := v.t.each(`SELECT id FROM provider WHERE id > $1 ORDER BY id LIMIT 200`, []any{after}, func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		after = string(ids[len(ids)-1])
		held, err := v.t.load(ids)
		if err != nil {
			return err
		}
		files := make([]*directory.CredentialFile, 0, len(held))
		for _, id := range ids {
			files = append(files, &held[id].file)
		}
		if err := v.t.link(files); err != nil {
			return err
		}
		for _, file := range files {
			if err := f(file, held[file.Provider.ID].public()); err != nil {
				return err
			}
		}
	}
}

// Files returns the public files among the ids, with the files of linked prescribers, in the order of ids.
func (v *View) Files(ids []directory.ID) ([]*directory.CredentialFile, error) {
	return v.t.publicFiles(ids)
}

// Find returns the providers that an id or an NPI names, whether or not they have a public page.
func (v *View) Find(word string) ([]directory.ID, error) {
	var out []directory.ID
	err := v.t.each(`SELECT id FROM provider WHERE id = $1 UNION SELECT provider FROM provider_block WHERE block = $2 ORDER BY 1`, []any{word, "npi:" + word}, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}

// Runs returns every import, the oldest first.
func (v *View) Runs() ([]directory.Run, error) { return v.t.runs(`ORDER BY number`) }

// EachChange calls f for every event recorded in the period, both ends included and "" open, in order of
// their numbers, with the claim's provider and kind; of a change of the rules these are empty.
func (v *View) EachChange(from, to directory.Instant, f func(e directory.Event, provider directory.ID, kind directory.ClaimKind) error) error {
	return v.t.eachEvent(func(payload string, provider directory.ID, kind directory.ClaimKind, _ bool) error {
		if payload == "" {
			return nil
		}
		var e directory.Event
		if err := decode(payload, &e); err != nil {
			return err
		}
		if e.RecordedAt < from || to != "" && e.RecordedAt > to {
			return nil
		}
		return f(e, provider, kind)
	})
}

// eachEvent calls f for every event in order of their numbers. A payload that was destroyed is empty.
func (t *tx) eachEvent(f func(payload string, provider directory.ID, kind directory.ClaimKind, withdrawn bool) error) error {
	return t.each(`SELECT e.payload, COALESCE(c.provider, ''), COALESCE(c.kind, ''), COALESCE(p.withdrawn, 0) FROM event_payload e
		LEFT JOIN claim c ON c.id = e.claim LEFT JOIN provider p ON p.id = c.provider ORDER BY e.seq`, nil, func(r *sql.Rows) error {
		var payload string
		var provider directory.ID
		var kind directory.ClaimKind
		var withdrawn int64
		if err := r.Scan(&payload, &provider, &kind, &withdrawn); err != nil {
			return err
		}
		return f(payload, provider, kind, withdrawn != 0)
	})
}

// ExportOptions says what an export is to hold.
type ExportOptions struct {
	Program  string
	Only     []directory.ID                         // these providers and whom their claims name; nil is everybody
	Progress func(part string, done, total int)     // may be nil
	Evidence func(e directory.ExportEvidence) error // may be nil; called for each piece as it is written
}

// Exported counts what an export holds.
type Exported struct {
	Providers int            `json:"providers"`
	Claims    int            `json:"claims"`
	Events    int            `json:"events"`
	Evidence  int            `json:"evidence"`
	Rules     int            `json:"rules"` // releases of the rules
	Runs      int            `json:"runs"`
	Removed   int            `json:"removed,omitempty"`  // events whose payload was destroyed
	Withheld  map[string]int `json:"withheld,omitempty"` // what was left out, and how often
	Head      directory.Head `json:"head"`
}

// Export writes an audit export of the snapshot. Memory does not grow with the store, except with what was
// withdrawn from it.
func (v *View) Export(w io.Writer, o ExportOptions) (Exported, error) {
	x := &exporting{View: v, o: o, x: directory.NewExportWriter(w), out: Exported{Head: v.Head}, gone: map[string]bool{}}
	if o.Progress == nil {
		x.o.Progress = func(string, int, int) {}
	}
	part := ""
	if o.Only != nil {
		part = "some providers, and whom their claims name"
	}
	x.x.Header(directory.ExportHeader{ExportedAt: v.Now, Head: v.Head, Program: o.Program, Part: part})
	write := x.all
	if o.Only != nil {
		write = x.some
	}
	for _, step := range []func() error{x.rules, x.runs, write, x.x.Flush} {
		if err := step(); err != nil {
			return x.out, err
		}
	}
	x.out.Withheld = x.x.Withheld()
	return x.out, nil
}

// exporting is an export in the making.
type exporting struct {
	*View
	o    ExportOptions
	x    *directory.ExportWriter
	out  Exported
	gone map[string]bool // evidence that events of withdrawn providers alone rest on
}

// rules writes every release of the rules. The events that recorded them are written with the others.
func (x *exporting) rules() error {
	var releases []directory.Event
	err := x.t.each(`SELECT payload FROM event_payload WHERE claim = '' ORDER BY seq`, nil, func(r *sql.Rows) error {
		var payload string
		if err := r.Scan(&payload); err != nil || payload == "" {
			return err
		}
		var e directory.Event
		err := decode(payload, &e)
		if e.Type == directory.PolicyChange {
			releases = append(releases, e)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range releases {
		files, sums := directory.RuleFiles{}, map[string]string{}
		err := x.t.eachIn(`SELECT sha256, meta, body FROM evidence WHERE sha256 IN (%s)`, nil, e.Evidence, func(r *sql.Rows) error {
			var sum, meta, body string
			if err := r.Scan(&sum, &meta, &body); err != nil {
				return err
			}
			var file directory.Evidence
			err := decode(meta, &file)
			files[file.File], sums[file.File] = []byte(body), sum
			return err
		})
		if err != nil {
			return err
		}
		x.x.Rules(e.RecordedAt, files, sums)
		x.out.Rules++
	}
	return nil
}

func (x *exporting) runs() error {
	runs, err := x.Runs()
	for _, r := range runs {
		x.x.Run(r)
		x.out.Runs++
	}
	return err
}

// all writes the tables one after the other, each in the order of its key.
func (x *exporting) all() error {
	total, done := 0, 0
	for _, table := range []string{`provider`, `claim`, `event_payload`, `evidence`} {
		var n int
		if _, err := x.t.one(`SELECT count(*) FROM `+table, nil, &n); err != nil {
			return err
		}
		total += n
	}
	step := func(part string, n *int) {
		if n != nil {
			*n++
		}
		if done++; done%1000 == 0 || done == total {
			x.o.Progress(part, done, total)
		}
	}
	err := x.t.each(`SELECT p.id, f.doc, p.listed, p.withdrawn, p.merged_into, p.seq FROM provider p JOIN provider_facts f ON f.id = p.id ORDER BY p.id`, nil, func(r *sql.Rows) error {
		var h stored
		var listed, withdrawn int64
		var id, merged directory.ID
		var seq int64
		var doc string
		if err := r.Scan(&id, &doc, &listed, &withdrawn, &merged, &seq); err != nil {
			return err
		}
		p := &h.file.Provider
		if err := decode(doc, p); err != nil {
			return directory.Errorf(directory.Internal, "", "provider %s cannot be read: run kapdir fsck: %w", id, err)
		}
		p.ID, p.Withdrawn, p.MergedInto, p.Seq = id, withdrawn != 0, merged, seq
		h.listed = listed != 0
		x.x.Provider(directory.ExportProvider{Provider: *p, Public: h.public()})
		step("providers", &x.out.Providers)
		return nil
	})
	if err != nil {
		return err
	}
	err = x.t.each(`SELECT `+claimColumns+` FROM claim ORDER BY id`, nil, func(r *sql.Rows) error {
		c, err := scanClaim(r)
		x.x.Claim(c)
		step("claims", &x.out.Claims)
		return err
	})
	if err != nil {
		return err
	}
	var kept map[string]bool // evidence of withdrawn providers that others rest on too
	err = x.t.eachEvent(func(payload string, provider directory.ID, kind directory.ClaimKind, withdrawn bool) error {
		if payload == "" {
			step("events", &x.out.Removed)
			return nil
		}
		x.x.Event([]byte(payload), kind)
		step("events", &x.out.Events)
		if withdrawn {
			var e directory.Event
			if err := decode(payload, &e); err != nil {
				return err
			}
			for _, sum := range e.Evidence {
				x.gone[sum] = true
			}
		}
		return nil
	})
	if err == nil && len(x.gone) > 0 {
		kept, err = x.alsoOfOthers()
	}
	if err != nil {
		return err
	}
	return x.t.each(`SELECT meta, body FROM evidence WHERE source <> $1 ORDER BY sha256`, []any{rulesSource}, func(r *sql.Rows) error {
		err := x.piece(r, kept)
		step("evidence", nil)
		return err
	})
}

// alsoOfOthers reads the events once more for the evidence of withdrawn providers that others rest on.
func (x *exporting) alsoOfOthers() (map[string]bool, error) {
	kept := map[string]bool{}
	err := x.t.eachEvent(func(payload string, _ directory.ID, _ directory.ClaimKind, withdrawn bool) error {
		if withdrawn || payload == "" {
			return nil
		}
		var e struct {
			Evidence []string `json:"evidence"`
		}
		err := decode(payload, &e)
		for _, sum := range e.Evidence {
			if x.gone[sum] {
				kept[sum] = true
			}
		}
		return err
	})
	return kept, err
}

// piece writes a row of meta and body.
func (x *exporting) piece(r *sql.Rows, kept map[string]bool) error {
	var meta, body string
	if err := r.Scan(&meta, &body); err != nil {
		return err
	}
	var e directory.Evidence
	if err := decode(meta, &e); err != nil {
		return directory.Errorf(directory.Internal, "", "a piece of evidence cannot be read: run kapdir fsck: %w", err)
	}
	e.Body = []byte(body)
	why := ""
	if x.gone[e.SHA256] && !kept[e.SHA256] {
		why = directory.WithheldWithdrawn
	}
	out := x.x.Evidence(e, why)
	x.out.Evidence++
	if x.o.Evidence != nil {
		return x.o.Evidence(out)
	}
	return nil
}

// some writes the providers asked for, and the public ones among those whom their claims name, in order of id.
func (x *exporting) some() error {
	held, err := x.t.load(x.o.Only)
	if err != nil {
		return err
	}
	asked := map[directory.ID]bool{}
	next := make([]*directory.CredentialFile, 0, len(held))
	for id, h := range held {
		asked[id] = true
		next = append(next, &h.file)
	}
	for range 2 { // as far as a check can reach: see CredentialFile.Link
		var ids []directory.ID
		for _, f := range next {
			for _, id := range f.Others() {
				if held[id] == nil && !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
		slices.Sort(ids)
		more, err := x.t.load(ids)
		if err != nil {
			return err
		}
		next = nil
		for id, h := range more {
			held[id] = h
			next = append(next, &h.file)
		}
	}
	ids := slices.DeleteFunc(keysOf(held), func(id directory.ID) bool { return !asked[id] && !held[id].public() })
	kinds := map[directory.ID]directory.ClaimKind{}
	var claims, evidence []string
	for _, id := range ids {
		x.x.Provider(directory.ExportProvider{Provider: held[id].file.Provider, Public: held[id].public(), Linked: !asked[id]})
		x.out.Providers++
	}
	for _, id := range ids {
		for _, h := range held[id].file.Claims {
			x.x.Claim(h.Claim)
			x.out.Claims++
			kinds[h.Claim.ID] = h.Claim.Kind
			claims = append(claims, string(h.Claim.ID))
			for _, e := range h.Events {
				evidence = append(evidence, e.Evidence...)
			}
		}
	}
	type line struct {
		seq     int64
		claim   directory.ID
		payload []byte
	}
	var lines []line
	scan := func(r *sql.Rows) error {
		var l line
		err := r.Scan(&l.seq, &l.claim, &l.payload)
		if len(l.payload) == 0 {
			x.out.Removed++
			return err
		}
		l.payload = bytes.Clone(l.payload)
		lines = append(lines, l)
		return err
	}
	const columns = `SELECT seq, claim, payload FROM event_payload WHERE claim `
	if err := x.t.each(columns+`= ''`, nil, scan); err != nil {
		return err
	}
	if err := x.t.eachIn(columns+`IN (%s)`, nil, claims, scan); err != nil {
		return err
	}
	slices.SortFunc(lines, func(a, b line) int { return int(a.seq - b.seq) })
	for _, l := range lines {
		x.x.Event(l.payload, kinds[l.claim])
		x.out.Events++
	}
	return x.t.eachIn(`SELECT meta, body FROM evidence WHERE sha256 IN (%s) ORDER BY sha256`, nil, evidence, func(r *sql.Rows) error { return x.piece(r, nil) })
}

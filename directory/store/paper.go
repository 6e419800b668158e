package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"kapdir/directory"
)

// paperSource is under which papers that two providers have are held as cases.
const paperSource = "paper"

// FilePaper keeps a document as evidence of a case: its bytes once, however often they come, and a record with who filed
// it. What it is tells directory.ReadPaper. The same bytes, or nearly the same picture, in the file of another
// provider open a case. Filing it for the case again returns what there is.
func (s *Store) FilePaper(ctx context.Context, id directory.ID, staff, note string, raw []byte) (out directory.Filed, err error) {
	p, err := directory.ReadPaper(raw)
	if err != nil {
		return out, s.fault("store.FilePaper", err)
	}
	err = s.write(ctx, "store.FilePaper", func(w *work) error {
		c, err := w.evidenced(id, staff, note)
		if err != nil {
			return err
		}
		before, err := w.filed(`WHERE e.id = $1 AND e.paper = $2`, id, p.SHA256)
		if err != nil {
			return err
		}
		if len(before) > 0 {
			out = before[0]
			return nil
		}
		p.Filed, p.Staff = w.now, staff
		if _, err := w.exec(`INSERT INTO paper (sha256, media_type, size, look, words, filed, staff, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (sha256) DO NOTHING`,
			p.SHA256, p.MediaType, p.Size, p.Look, clean(p.Words), p.Filed, p.Staff, raw); err != nil {
			return err
		}
		body, err := json.Marshal(struct {
			Case      directory.ID `json:"case"`
			Paper     string       `json:"paper"`
			MediaType string       `json:"media_type"`
			Size      int          `json:"size"`
			Note      string       `json:"note,omitempty"`
			By        string       `json:"by"`
			At        string       `json:"at"`
		}{id, p.SHA256, p.MediaType, p.Size, clean(note), staff, string(w.now)})
		if err != nil {
			return err
		}
		sum := w.keep(directory.Evidence{MediaType: "application/json", Source: documentSource, Class: directory.ClassDocument, Method: "upload", FileSHA256: p.SHA256,
			RetrievedAt: w.now, RetrievedBy: staff, Body: body})
		if err := w.fileAt(c, sum, p.SHA256, staff, note); err != nil {
			return err
		}
		out = directory.Filed{At: w.now, Staff: staff, Evidence: sum, Note: clean(note), Paper: &p}
		reused, err := w.document(p.SHA256, c.Provider, w.now)
		if err != nil {
			return err
		}
		key := p.SHA256
		if !reused && p.Look != "" {
			if key, err = w.alike(p, c.Provider); err != nil {
				return err
			}
			reused = key != ""
		}
		if reused {
			w.cases = append(w.cases, newCase{directory.Case{Kind: directory.CaseDocument, Provider: c.Provider, Source: paperSource, Key: key}, nil, p.SHA256})
		}
		return nil
	})
	return out, err
}

// evidenced finds the case that evidence is added to, and refuses whoever may not.
func (w *work) evidenced(id directory.ID, staff, note string) (directory.Case, error) {
	c, err := w.caseOf(id)
	if err != nil {
		return c, err
	}
	if err := w.handable(id, staff); err != nil {
		return c, err
	}
	if directory.LooksLikeSSN(note) {
		return c, directory.Errorf(directory.Refused, "note", "what looks like a Social Security number must not be held")
	}
	return c, w.leftTo(staff, id, "", "")
}

// fileAt notes that the evidence was added to the case.
func (w *work) fileAt(c directory.Case, evidence, paper, staff, note string) error {
	_, err := w.exec(`INSERT INTO case_evidence (number, id, provider, evidence, paper, at, staff, note)
		SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM case_evidence`, c.ID, c.Provider, evidence, paper, w.now, staff, clean(note))
	return err
}

// alike returns a picture of another provider that is nearly the same, "" if there is none.
func (w *work) alike(p directory.Paper, provider directory.ID) (found string, err error) {
	err = w.each(`SELECT p.sha256, p.look FROM paper p WHERE p.look <> '' AND p.sha256 <> $1 AND EXISTS
		(SELECT 1 FROM case_evidence e WHERE e.paper = p.sha256 AND e.paper <> '' AND e.provider <> $2) ORDER BY p.filed, p.sha256`, []any{p.SHA256, provider}, func(r *sql.Rows) error {
		var sum, look string
		err := r.Scan(&sum, &look)
		if found == "" && directory.Alike(look, p.Look) {
			found = sum
		}
		return err
	})
	return found, err
}

// Contact keeps a telephone call or a mail as evidence of a case.
func (s *Store) Contact(ctx context.Context, x directory.ContactCheck) (out directory.Filed, err error) {
	err = s.write(ctx, "store.Contact", func(w *work) error {
		if x.At == "" {
			x.At = w.now
		}
		if err := x.Validate(); err != nil {
			return err
		}
		if x.At > w.now {
			return directory.Errorf(directory.Invalid, "at", "%s has not come yet: write down what was", x.At)
		}
		c, err := w.evidenced(x.Case, x.Staff, "")
		if err != nil {
			return err
		}
		x.SpokeTo, x.Contact, x.From, x.Said = clean(x.SpokeTo), clean(x.Contact), clean(x.From), clean(x.Said)
		body, err := json.Marshal(x)
		if err != nil {
			return err
		}
		sum := w.keep(directory.Evidence{MediaType: "application/json", Source: documentSource, Class: directory.ClassDocument, Method: x.Method, RetrievedAt: x.At, RetrievedBy: x.Staff, Body: body})
		out = directory.Filed{At: w.now, Staff: x.Staff, Evidence: sum, Contact: &x}
		return w.fileAt(c, sum, "", x.Staff, "")
	})
	return out, err
}

// filed reads what was added to cases.
func (t *tx) filed(where string, args ...any) (out []directory.Filed, err error) {
	err = t.each(`SELECT e.at, e.staff, e.evidence, e.note, e.paper, coalesce(p.media_type, ''), coalesce(p.size, 0), coalesce(p.look, ''), coalesce(p.filed, ''), coalesce(p.staff, ''),
		coalesce(v.body, '') FROM case_evidence e LEFT JOIN paper p ON p.sha256 = e.paper LEFT JOIN evidence v ON v.sha256 = e.evidence `+where+` ORDER BY e.number`, args, func(r *sql.Rows) error {
		var f directory.Filed
		var p directory.Paper
		var body string
		if err := r.Scan(&f.At, &f.Staff, &f.Evidence, &f.Note, &p.SHA256, &p.MediaType, &p.Size, &p.Look, &p.Filed, &p.Staff, &body); err != nil {
			return err
		}
		if p.SHA256 != "" {
			f.Paper = &p
		} else {
			f.Contact = &directory.ContactCheck{}
			if err := decode(body, f.Contact); err != nil {
				return err
			}
		}
		out = append(out, f)
		return nil
	})
	return out, err
}

// addedTo returns the hashes of what was added to a case: a decision about it rests on them too.
func (t *tx) addedTo(id directory.ID) (out []string, err error) {
	if id == "" {
		return nil, nil
	}
	return once(t, "case_evidence "+string(id), func() (out []string, err error) {
		err = t.each(`SELECT evidence FROM case_evidence WHERE id = $1 ORDER BY number`, []any{id}, func(r *sql.Rows) error {
			var sum string
			err := r.Scan(&sum)
			out = append(out, sum)
			return err
		})
		return out, err
	})
}

// Paper returns a document that staff filed, with its bytes. NotFound is that nobody filed it, or that it was
// destroyed.
func (s *Store) Paper(ctx context.Context, sha256 string) (p directory.Paper, raw []byte, err error) {
	err = s.read(ctx, "store.Paper", func(t *tx) error {
		found, err := t.one(`SELECT sha256, media_type, size, look, words, filed, staff, body FROM paper WHERE sha256 = $1`, []any{sha256},
			&p.SHA256, &p.MediaType, &p.Size, &p.Look, &p.Words, &p.Filed, &p.Staff, &raw)
		if err == nil && !found {
			err = directory.Errorf(directory.NotFound, "paper", "there is no such paper")
		}
		return err
	})
	return p, raw, err
}

// decidePaper decides about a paper that two providers have: keep says that it rightly stands in both files, distinct
// that it is not theirs.
func (w *work) decidePaper(c directory.Case, h *holding, d directory.Decision, done func(*newEvent)) error {
	if err := w.mayDecide(c, d); err != nil {
		return err
	}
	switch {
	case c.Closed != "":
		return directory.Errorf(directory.Conflict, "case", "the case is closed: it was decided on %s", c.Closed.Date())
	case d.Seen != c.Revision:
		return directory.Errorf(directory.Conflict, "seen", "the case is at revision %d: look again", c.Revision).Try("kapdir cases show %s", c.ID)
	}
	evidence, err := w.addedTo(c.ID)
	if err != nil {
		return err
	}
	file := w.claim(h, directory.Claim{Kind: directory.FileClaim})
	n := w.append(h, file, directory.Event{Type: directory.Decide, PerformedAt: d.At, Actor: directory.Actor{Kind: directory.Staff, ID: d.Staff, Auth: d.Auth}, Evidence: evidence,
		Body: directory.Body{Decision: d.Decision, Source: c.Source, Number: c.Key, Note: clean(d.Note)}}, false)
	done(n)
	tell := w.then
	w.then = func() error {
		if _, err := w.exec(`UPDATE cases SET closed = $1, decided = $2 WHERE id = $3`, w.now, n.event().Seq, c.ID); err != nil {
			return err
		}
		return tell()
	}
	return w.settle()
}

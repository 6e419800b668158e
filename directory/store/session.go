package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"slices"
	"time"

	"kapdir/directory"
)

// SessionPrefix begins the id of a session.
const SessionPrefix = "ses_"

// seenEvery is how often it is noted that somebody is still there: a note for each request would make every one
// of them wait for the writer.
const seenEvery = time.Minute

// newSecret is 256 random bits as text.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// StartSession signs the staff member in who has proved, by the means how, who they are, and returns the secret of
// the session: the one time that it can be read. Where they are signed in SessionsEach times already, the first of those
// ends. Whoever is no staff member, or was disabled, is Refused.
func (s *Store) StartSession(ctx context.Context, name, how string, at directory.Instant) (secret string, out directory.StaffSession, err error) {
	secret = newSecret()
	err = s.write(ctx, "store.StartSession", func(w *work) error {
		o, err := w.office()
		if err != nil {
			return err
		}
		m, err := o.member(name)
		if err != nil {
			return err
		}
		if err := w.sweepSessions(at); err != nil {
			return err
		}
		if _, err := w.exec(`DELETE FROM staff_session WHERE name = $1 AND id NOT IN (SELECT id FROM staff_session WHERE name = $1 ORDER BY started DESC, id DESC LIMIT $2)`,
			name, directory.SessionsEach-1); err != nil {
			return err
		}
		out = directory.StaffSession{ID: directory.NewID(SessionPrefix, at), Name: name, Role: m.Role, How: how, Started: at, Seen: at, Proved: at}
		if err := w.audit(directory.StaffAct{At: at, Name: name, Act: "signed in", Detail: how, By: name}); err != nil {
			return err
		}
		return w.insert(`INSERT INTO staff_session (sha256, id, name, how, started, seen, proved)`,
			[][]any{{secretSum(secret), out.ID, out.Name, out.How, out.Started, out.Seen, out.Proved}}, "")
	})
	if err != nil {
		return "", directory.StaffSession{}, err
	}
	return secret, out, nil
}

// sweepSessions forgets the sessions and the codes that have run out.
func (w *work) sweepSessions(at directory.Instant) error {
	if _, err := w.exec(`DELETE FROM staff_session WHERE started <= $1 OR seen <= $2`, at.Add(-directory.SessionMost), at.Add(-directory.SessionIdle)); err != nil {
		return err
	}
	_, err := w.exec(`DELETE FROM staff_code WHERE expires <= $1`, at.Add(-24*time.Hour))
	return err
}

const sessionColumns = `s.id, s.name, m.role, s.how, s.started, s.seen, s.proved`

func scanSession(scan func(...any) error) (x directory.StaffSession, err error) {
	err = scan(&x.ID, &x.Name, &x.Role, &x.How, &x.Started, &x.Seen, &x.Proved)
	return x, err
}

// Session returns whose session has the secret, with the role that they have now. One that nobody has, that ran
// out, was idle too long or was ended, and one of somebody who was disabled, are one answer, ok false; an error
// means that we could not look. That they are there is noted, once a minute.
func (s *Store) Session(ctx context.Context, secret string, at directory.Instant) (out directory.StaffSession, ok bool, err error) {
	sum := secretSum(secret)
	err = s.glance(ctx, "store.Session", func(t *tx) error {
		return t.each(`SELECT `+sessionColumns+` FROM staff_session s JOIN staff m ON m.name = s.name WHERE s.sha256 = $1 AND m.disabled = ''`, []any{sum}, func(r *sql.Rows) (err error) {
			out, err = scanSession(r.Scan)
			ok = out.Live(at)
			return err
		})
	})
	if err != nil || !ok {
		return directory.StaffSession{}, false, err
	}
	if out.Seen.Add(seenEvery) <= at {
		err = s.write(ctx, "store.Session", func(w *work) error { // where it was ended meanwhile it stays so
			_, err := w.exec(`UPDATE staff_session SET seen = $2 WHERE sha256 = $1 AND seen < $2`, sum, at)
			return err
		})
		out.Seen = at
	}
	return out, err == nil, err
}

// RenewSession notes that the person has proved anew who they are, and gives the session another secret: the old
// one is nobody's from then on. When it must end at the latest stays. ok is false when there is no such session.
func (s *Store) RenewSession(ctx context.Context, old, how string, at directory.Instant) (secret string, ok bool, err error) {
	secret = newSecret()
	err = s.write(ctx, "store.RenewSession", func(w *work) error {
		var name string
		if ok, err = w.one(`SELECT name FROM staff_session WHERE sha256 = $1`, []any{secretSum(old)}, &name); !ok || err != nil {
			return err
		}
		if _, err := w.exec(`UPDATE staff_session SET sha256 = $2, seen = $3, proved = $3 WHERE sha256 = $1`, secretSum(old), secretSum(secret), at); err != nil {
			return err
		}
		return w.audit(directory.StaffAct{At: at, Name: name, Act: "proved who they are", Detail: how, By: name})
	})
	if err != nil || !ok {
		return "", false, err
	}
	return secret, true, nil
}

// Sessions lists the live sessions of the staff member, of everybody if name is "", the newest first.
func (s *Store) Sessions(ctx context.Context, name string, at directory.Instant) (out []directory.StaffSession, err error) {
	err = s.read(ctx, "store.Sessions", func(t *tx) error {
		return t.each(`SELECT `+sessionColumns+` FROM staff_session s JOIN staff m ON m.name = s.name WHERE ($1 = '' OR s.name = $1) AND m.disabled = ''
			ORDER BY s.started DESC, s.id`, []any{name}, func(r *sql.Rows) error {
			x, err := scanSession(r.Scan)
			if x.Live(at) {
				out = append(out, x)
			}
			return err
		})
	})
	return out, err
}

// EndSession ends a session of the staff member; by says who does it. NotFound when there is none.
func (s *Store) EndSession(ctx context.Context, name string, id directory.ID, by string, at directory.Instant) error {
	return s.write(ctx, "store.EndSession", func(w *work) error {
		n, err := w.exec(`DELETE FROM staff_session WHERE id = $1 AND name = $2`, id, name)
		if err == nil && n == 0 {
			err = directory.Errorf(directory.NotFound, "id", "there is no such session any more")
		}
		if err != nil {
			return err
		}
		return w.audit(directory.StaffAct{At: at, Name: name, Act: "session ended", By: by})
	})
}

// EndSessions ends every session of the staff member, but for the one of the id, and returns how many those were.
func (s *Store) EndSessions(ctx context.Context, name string, except directory.ID, by string, at directory.Instant) (n int64, err error) {
	err = s.write(ctx, "store.EndSessions", func(w *work) error {
		n, err = w.endSessions(name, except, by, at)
		return err
	})
	return n, err
}

func (w *work) endSessions(name string, except directory.ID, by string, at directory.Instant) (int64, error) {
	n, err := w.exec(`DELETE FROM staff_session WHERE name = $1 AND id <> $2`, name, except)
	if err != nil || n == 0 {
		return n, err
	}
	return n, w.audit(directory.StaffAct{At: at, Name: name, Act: "sessions ended", By: by})
}

// audit keeps the trace of what people sign in with. It is part of the transaction that changes it.
func (w *work) audit(a directory.StaffAct) error {
	var last int64
	if _, err := w.one(`SELECT COALESCE(MAX(number), 0) FROM staff_audit`, nil, &last); err != nil {
		return err
	}
	return w.insert(`INSERT INTO staff_audit (number, at, name, act, detail, made_by)`, [][]any{{last + 1, a.At, a.Name, a.Act, clean(a.Detail), clean(a.By)}}, "")
}

// Audit keeps the trace of something that changed nothing in the store: a sign-in that failed.
func (s *Store) Audit(ctx context.Context, a directory.StaffAct) error {
	return s.write(ctx, "store.Audit", func(w *work) error { return w.audit(a) })
}

// StaffAudit returns the newest acts about the staff member, about everybody if name is "", the newest first.
func (s *Store) StaffAudit(ctx context.Context, name string, limit int) (out []directory.StaffAct, err error) {
	err = s.read(ctx, "store.StaffAudit", func(t *tx) error {
		return t.each(`SELECT at, name, act, detail, made_by FROM staff_audit WHERE ($1 = '' OR name = $1) ORDER BY number DESC LIMIT $2`, []any{name, limit}, func(r *sql.Rows) error {
			var a directory.StaffAct
			err := r.Scan(&a.At, &a.Name, &a.Act, &a.Detail, &a.By)
			out = append(out, a)
			return err
		})
	})
	return slices.Clip(out), err
}

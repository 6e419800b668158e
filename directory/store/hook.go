package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// Webhooks, and what became of each attempt. As with keys, what is one integrator's own is asked for with whose it is,
// and the statement looks for both: another's is not there. A secret lies under a key that is not in the database, and
// only whoever signs reads it.

// newHookSecret makes a secret as Standard Webhooks writes one: whsec_ and 256 random bits in base64.
func newHookSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

const hookColumns = `h.id, h.integrator, h.url, h.types, h.state, h.why, h.cursor, h.attempts, h.since, h.next_at, h.taken_at, CASE WHEN h.former = '' THEN '' ELSE h.former_until END, h.created_at, h.created_by, h.ended_at`

func scanHook(scan func(...any) error, more ...any) (h directory.Hook, err error) {
	var types string
	err = scan(append([]any{&h.ID, &h.Integrator, &h.URL, &types, &h.State, &h.Why, &h.Cursor, &h.Attempts, &h.Since, &h.Next, &h.Taken, &h.OldSecret, &h.Created, &h.CreatedBy, &h.Ended}, more...)...)
	if err == nil {
		h.Types, err = directory.ParseNoticeTypes(types)
	}
	return h, err
}

// hook reads a webhook of the integrator.
func (t *tx) hook(integrator directory.IntegratorID, id directory.ID) (h directory.Hook, err error) {
	found := false
	err = t.each(`SELECT `+hookColumns+` FROM hook h WHERE h.id = $1 AND h.integrator = $2`, []any{id, integrator}, func(r *sql.Rows) (err error) {
		found = true
		h, err = scanHook(r.Scan)
		return err
	})
	if err == nil && !found {
		err = directory.Errorf(directory.NotFound, "hook", "%s has no webhook %s", integrator, id)
	}
	return h, err
}

// AddHook makes a webhook of the integrator and returns its secret: the one time that it can be read. Of h the address
// and the types are taken. It is called with what is announced from now on.
func (s *Store) AddHook(ctx context.Context, integrator directory.IntegratorID, h directory.Hook, by string, at directory.Instant) (secret string, out directory.Hook, err error) {
	secret = newHookSecret()
	err = s.changeIntegrator(ctx, "store.AddHook", integrator, by, at, func(w *work, _ *directory.Integrator) (string, string, error) {
		out = directory.Hook{ID: directory.NewID(directory.HookPrefix, at), Integrator: integrator, URL: h.URL, Types: h.Types, State: directory.HookActive, Created: at, CreatedBy: by}
		if len(out.Types) == 0 {
			out.Types = slices.Clone(directory.NoticeTypes)
		}
		if err := out.Validate(); err != nil {
			return "", "", err
		}
		out.URL, _ = directory.ParseHookURL(out.URL)
		have, err := w.hooks(`WHERE h.integrator = $1 AND h.state <> 'ended'`, integrator)
		if err != nil {
			return "", "", err
		}
		switch {
		case len(have) >= directory.MostHooks:
			return "", "", directory.Errorf(directory.Refused, "partner", "%s has %d webhooks, and nobody has more: end one first", integrator, len(have))
		case slices.ContainsFunc(have, func(x directory.Hook) bool { return x.URL == out.URL }):
			return "", "", directory.Errorf(directory.Conflict, "url", "%s has a webhook for that address already", integrator)
		}
		head, err := w.head()
		if err != nil {
			return "", "", err
		}
		out.Cursor = head.Public
		sealed, err := s.seal(sealedHook, string(out.ID), secret)
		if err != nil {
			return "", "", err
		}
		err = w.insert(`INSERT INTO hook (id, integrator, url, types, state, why, secret, former, former_until, cursor, attempts, since, next_at, taken_at, test, test_at, logged, created_at, created_by, ended_at)`,
			[][]any{{out.ID, integrator, out.URL, directory.JoinNoticeTypes(out.Types), out.State, "", sealed, "", "", out.Cursor, 0, "", "", "", "", "", 0, at, clean(by), ""}}, "")
		return "webhook added", fmt.Sprintf("%s %s: %s", out.ID, out.URL, directory.JoinNoticeTypes(out.Types)), err
	})
	if err != nil {
		return "", directory.Hook{}, err
	}
	return secret, out, nil
}

func (t *tx) hooks(rest string, args ...any) ([]directory.Hook, error) {
	out := []directory.Hook{}
	err := t.each(`SELECT `+hookColumns+` FROM hook h `+rest, args, func(r *sql.Rows) error {
		h, err := scanHook(r.Scan)
		out = append(out, h)
		return err
	})
	return out, err
}

// Hooks lists the webhooks of the integrator, those too that ended, the oldest first.
func (s *Store) Hooks(ctx context.Context, integrator directory.IntegratorID) (out []directory.Hook, err error) {
	err = s.read(ctx, "store.Hooks "+string(integrator), func(t *tx) error {
		out, err = t.hooks(`WHERE h.integrator = $1 ORDER BY h.created_at, h.id`, integrator)
		return err
	})
	return out, err
}

// AllHooks lists everybody's webhooks that have not ended, by integrator, the oldest first. It is for staff.
func (s *Store) AllHooks(ctx context.Context) (out []directory.Hook, err error) {
	err = s.read(ctx, "store.AllHooks", func(t *tx) error {
		out, err = t.hooks(`WHERE h.state <> 'ended' ORDER BY h.integrator, h.created_at, h.id`)
		return err
	})
	return out, err
}

// Hook returns a webhook of the integrator; NotFound when they have none of the id.
func (s *Store) Hook(ctx context.Context, integrator directory.IntegratorID, id directory.ID) (h directory.Hook, err error) {
	err = s.read(ctx, "store.Hook "+string(id), func(t *tx) error {
		h, err = t.hook(integrator, id)
		return err
	})
	return h, err
}

// changeHook runs f in a transaction in which the webhook is the integrator's and has not ended, and returns it as it is
// then.
func (s *Store) changeHook(ctx context.Context, op string, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant, f func(*work, directory.Hook) (act, detail string, err error)) (out directory.Hook, err error) {
	err = s.changeIntegrator(ctx, op, integrator, by, at, func(w *work, _ *directory.Integrator) (string, string, error) {
		h, err := w.hook(integrator, id)
		if err == nil && h.State == directory.HookEnded {
			err = directory.Errorf(directory.Conflict, "hook", "%s ended at %s", id, h.Ended)
		}
		if err != nil {
			return "", "", err
		}
		act, detail, err := f(w, h)
		if err == nil {
			out, err = w.hook(integrator, id)
		}
		return act, detail, err
	})
	if err != nil {
		return directory.Hook{}, err
	}
	return out, nil
}

// RotateHook gives the webhook another secret and returns it: the one time that it can be read. For the overlap both
// sign, each with a signature of its own.
func (s *Store) RotateHook(ctx context.Context, integrator directory.IntegratorID, id directory.ID, overlap time.Duration, by string, at directory.Instant) (secret string, out directory.Hook, err error) {
	secret = newHookSecret()
	out, err = s.changeHook(ctx, "store.RotateHook", integrator, id, by, at, func(w *work, h directory.Hook) (string, string, error) {
		if overlap < 0 || overlap > directory.MostHookOverlap {
			return "", "", directory.Errorf(directory.Invalid, "overlap", "the former secret signs for 0 to %d days", directory.MostHookOverlap/(24*time.Hour))
		}
		sealed, err := s.seal(sealedHook, string(id), secret)
		if err != nil {
			return "", "", err
		}
		former := `secret`
		if overlap == 0 {
			former = `''`
		}
		_, err = w.exec(`UPDATE hook SET former = `+former+`, former_until = $3, secret = $4 WHERE id = $1 AND integrator = $2`, id, integrator, at.Add(overlap), sealed)
		return "webhook rotated", fmt.Sprintf("%s; the former secret signs until %s", id, at.Add(overlap)), err
	})
	if err != nil {
		return "", directory.Hook{}, err
	}
	return secret, out, nil
}

// EndHook ends a webhook for good; its secrets are destroyed.
func (s *Store) EndHook(ctx context.Context, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant) (directory.Hook, error) {
	return s.changeHook(ctx, "store.EndHook", integrator, id, by, at, func(w *work, h directory.Hook) (string, string, error) {
		_, err := w.exec(`UPDATE hook SET state = 'ended', why = '', secret = '', former = '', former_until = '', next_at = '', test = '', ended_at = $3 WHERE id = $1 AND integrator = $2`, id, integrator, at)
		return "webhook ended", fmt.Sprintf("%s %s", id, h.URL), err
	})
}

// TestHook asks for a test: a notice to this webhook alone, beside the order of the others. It returns the id that the
// notice will have; of one that waits already, that one's. A running server sends it within a second.
func (s *Store) TestHook(ctx context.Context, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant) (notice directory.ID, err error) {
	_, err = s.changeHook(ctx, "store.TestHook", integrator, id, by, at, func(w *work, h directory.Hook) (string, string, error) {
		if _, err := w.one(`SELECT test FROM hook WHERE id = $1`, []any{id}, &notice); err != nil || notice != "" {
			return "", "", err
		}
		notice = directory.NewID(directory.NoticePrefix, at)
		_, err := w.exec(`UPDATE hook SET test = $3, test_at = $4 WHERE id = $1 AND integrator = $2`, id, integrator, notice, at)
		return "", "", err
	})
	return notice, err
}

// ReplayHook goes on with the notice of the number, or the next there is, at once: with an earlier one than what it is
// at everything since comes again, with a later one what lies between is passed over. It starts one that was stopped.
func (s *Store) ReplayHook(ctx context.Context, integrator directory.IntegratorID, id directory.ID, number int64, by string, at directory.Instant) (directory.Hook, error) {
	return s.changeHook(ctx, "store.ReplayHook", integrator, id, by, at, func(w *work, h directory.Hook) (string, string, error) {
		if number < 0 {
			return "", "", directory.Errorf(directory.Invalid, "number", "a number is 0, for everything that is held, or greater")
		}
		_, err := w.exec(`UPDATE hook SET cursor = $3, state = 'active', why = '', attempts = 0, since = '', next_at = '' WHERE id = $1 AND integrator = $2`, id, integrator, max(number-1, 0))
		return "webhook replayed", fmt.Sprintf("%s from %d; it was at %d", id, number, h.Cursor), err
	})
}

// HookLog returns attempts to bring something to a webhook of the integrator, the newest first, of those whose number is
// less than before; 0 is all of them.
func (s *Store) HookLog(ctx context.Context, integrator directory.IntegratorID, id directory.ID, before int64, limit int) ([]directory.Delivery, error) {
	out := []directory.Delivery{}
	err := s.read(ctx, "store.HookLog "+string(id), func(t *tx) error {
		if _, err := t.hook(integrator, id); err != nil {
			return err
		}
		return t.each(`SELECT number, notice, seq, type, attempt, at, took, status, outcome, why, next_at FROM delivery WHERE hook = $1 AND ($2 = 0 OR number < $2) ORDER BY number DESC LIMIT $3`,
			[]any{id, before, limit}, func(r *sql.Rows) error {
				var d directory.Delivery
				err := r.Scan(&d.Number, &d.Notice, &d.Change, &d.Type, &d.Attempt, &d.At, &d.Took, &d.Status, &d.Outcome, &d.Why, &d.Next)
				out = append(out, d)
				return err
			})
	})
	return out, err
}

const dueHooks = `FROM hook h JOIN integrator i ON i.id = h.integrator WHERE i.state = 'active' AND h.state <> 'ended'
	AND (h.test <> '' OR h.state <> 'stopped' AND h.next_at <= $1 AND h.cursor < (SELECT COALESCE(MAX(seq), 0) FROM notice))`

// DueHooks returns the webhooks of active integrators that something may wait for at the moment, in order of id: a test,
// or a notice whose time has come.
func (s *Store) DueHooks(ctx context.Context, at directory.Instant) (out []directory.ID, err error) {
	err = s.read(ctx, "store.DueHooks", func(t *tx) error {
		return t.each(`SELECT h.id `+dueHooks+` ORDER BY h.id`, []any{at}, func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			out = append(out, id)
			return err
		})
	})
	return out, err
}

// NoticesDue reports that there are changes of which no notices were made yet, or that a webhook is due. It is asked often.
func (s *Store) NoticesDue(ctx context.Context, at directory.Instant) (due bool, err error) {
	err = s.read(ctx, "store.NoticesDue", func(t *tx) error {
		var read, public int64
		if _, err := t.one(`SELECT public_seq, (SELECT COALESCE(MAX(seq), 0) FROM follower WHERE name = $1) FROM head`, []any{noticer}, &public, &read); err != nil {
			return err
		}
		if due = public > read; due {
			return nil
		}
		due, err = t.one(`SELECT 1 `+dueHooks+` LIMIT 1`, []any{at}, new(int64))
		return err
	})
	return due, err
}

// Dispatch returns what is to be brought to the webhook next; nil when there is nothing. What the notice told and public
// faces may tell no more is left out.
func (s *Store) Dispatch(ctx context.Context, id directory.ID, at directory.Instant) (out *directory.Dispatch, err error) {
	var skip, newest int64 // notices that the webhook did not ask for are passed over
	err = s.read(ctx, "store.Dispatch "+string(id), func(t *tx) error {
		var h directory.Hook
		var secret, former string
		var test directory.ID
		var testAt directory.Instant
		err := t.each(`SELECT `+hookColumns+`, h.secret, h.former, h.test, h.test_at FROM hook h JOIN integrator i ON i.id = h.integrator WHERE h.id = $1 AND i.state = 'active' AND h.state <> 'ended'`, []any{id}, func(r *sql.Rows) (err error) {
			h, err = scanHook(r.Scan, &secret, &former, &test, &testAt)
			return err
		})
		if err != nil || h.ID == "" {
			return err
		}
		d := directory.Dispatch{Hook: id, URL: h.URL, After: h.Cursor, Attempt: h.Attempts + 1}
		if test != "" {
			d.Attempt, d.Notice = 1, directory.Notice{ID: test, Type: directory.NoticeTest, At: testAt}
		} else {
			if h.State == directory.HookStopped || h.Next > at {
				return nil
			}
			err := t.eachIn(`SELECT `+noticeColumns+` FROM notice WHERE seq > $1 AND type IN (%s) ORDER BY seq LIMIT 1`, []any{h.Cursor}, texts(h.Types), func(r *sql.Rows) (err error) {
				d.Notice, err = scanNotice(r)
				return err
			})
			if err == nil && d.Notice.ID == "" {
				skip = h.Cursor
				_, err = t.one(`SELECT COALESCE(MAX(seq), 0) FROM notice`, nil, &newest)
				return err
			}
			if err == nil {
				err = s.tellable(t, &d.Notice)
			}
			if err != nil {
				return err
			}
		}
		if h.OldSecret <= at {
			former = ""
		}
		for _, sealed := range []string{secret, former} {
			text, err := s.unseal(sealedHook, string(id), sealed)
			if err != nil {
				return err
			}
			if text != "" {
				d.Secrets = append(d.Secrets, text)
			}
		}
		out = &d
		return nil
	})
	if err == nil && newest > skip {
		err = s.write(ctx, "store.Dispatch "+string(id), func(w *work) error {
			_, err := w.exec(`UPDATE hook SET cursor = $3 WHERE id = $1 AND cursor = $2 AND attempts = 0`, id, skip, newest)
			return err
		})
	}
	return out, err
}

// Delivered keeps what became of a dispatch, and moves the webhook on or says when it is tried again; jitter is that of
// directory.HookWait. Where somebody moved the webhook meanwhile, the attempt stands in the log and changes nothing.
func (s *Store) Delivered(ctx context.Context, d directory.Dispatch, out directory.Delivery, jitter float64) error {
	return s.write(ctx, "store.Delivered "+string(d.Hook), func(w *work) error {
		var h directory.Hook
		var test directory.ID
		var logged int64
		err := w.each(`SELECT `+hookColumns+`, h.test, h.logged FROM hook h WHERE h.id = $1`, []any{d.Hook}, func(r *sql.Rows) (err error) {
			h, err = scanHook(r.Scan, &test, &logged)
			return err
		})
		if err != nil || h.ID == "" {
			return err
		}
		calling := h.State == directory.HookActive || h.State == directory.HookFailing
		switch {
		case d.Notice.Type == directory.NoticeTest:
			if test == d.Notice.ID {
				test = ""
			}
		case !calling || h.Cursor != d.After || h.Attempts != d.Attempt-1: // it was replayed, ended, or another process did the same
		case out.Outcome == directory.OutcomeTaken:
			h.State, h.Why, h.Cursor, h.Attempts, h.Since, h.Next, h.Taken = directory.HookActive, "", d.Notice.Number, 0, "", "", out.At
		default:
			wait, failing := directory.HookWait(d.Attempt, jitter)
			if h.Since == "" {
				h.Since = out.At
			}
			h.Attempts, h.Next = d.Attempt, out.At.Add(time.Duration(out.Took)*time.Millisecond).Add(wait)
			switch {
			case out.Outcome == directory.OutcomeGone:
				h.State, h.Why, h.Next = directory.HookStopped, "its receiver answered 410, which says that nothing is to be sent any more", ""
			case failing && h.Since.Add(directory.HookPatience) <= out.At: // tried often, and not a few times before we were away ourselves
				h.State, h.Why, h.Next = directory.HookStopped, fmt.Sprintf("its receiver has taken nothing since %s", h.Since), ""
			case failing:
				h.State, h.Why = directory.HookFailing, fmt.Sprintf("notice %d was tried %d times: %s", d.Notice.Number, d.Attempt, out.Why)
			}
			out.Next = h.Next
		}
		out.Number, out.Notice, out.Change, out.Type, out.Attempt = logged+1, d.Notice.ID, d.Notice.Number, d.Notice.Type, d.Attempt
		out.Why = strings.ToValidUTF8(clean(out.Why), "")
		if _, err := w.exec(`UPDATE hook SET state = $2, why = $3, cursor = $4, attempts = $5, since = $6, next_at = $7, taken_at = $8, test = $9, logged = $10 WHERE id = $1`,
			h.ID, h.State, h.Why, h.Cursor, h.Attempts, h.Since, h.Next, h.Taken, test, out.Number); err != nil {
			return err
		}
		if _, err := w.exec(`DELETE FROM delivery WHERE hook = $1 AND number <= $2`, h.ID, out.Number-directory.MostLogged); err != nil {
			return err
		}
		return w.insert(`INSERT INTO delivery (hook, number, notice, seq, type, attempt, at, took, status, outcome, why, next_at)`,
			[][]any{{h.ID, out.Number, out.Notice, out.Change, out.Type, out.Attempt, out.At, out.Took, out.Status, out.Outcome, out.Why, out.Next}}, "")
	})
}

// SweepNotices forgets what was kept long enough at the moment: attempts after LogDays, secrets that sign no more, and
// notices after NoticeDays, but for the newest of each provider, so that a replay of everything still ends with what
// holds. The notices' age is by the clock of the directory.
func (s *Store) SweepNotices(ctx context.Context, at directory.Instant) error {
	return s.write(ctx, "store.SweepNotices", func(w *work) error {
		for _, q := range []struct {
			text   string
			before directory.Instant
		}{
			{`DELETE FROM delivery WHERE at < $1`, at.AddDays(-directory.LogDays)},
			{`UPDATE hook SET former = '', former_until = '' WHERE former <> '' AND former_until <= $1`, at},
			{`DELETE FROM notice WHERE at < $1 AND NOT EXISTS (SELECT 1 FROM announced a WHERE a.provider = notice.provider AND a.seq = notice.seq)`, w.now.AddDays(-directory.NoticeDays)},
		} {
			if _, err := w.exec(q.text, q.before); err != nil {
				return err
			}
		}
		return nil
	})
}

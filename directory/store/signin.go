package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"kapdir/directory"
)

// Staff sign in with what is kept here: a password by its hash, the secret of their codes under a key that is
// not in the database, the public halves of their passkeys. How a password is hashed and a signature checked is
// the web layer's to know; that a code and a signature count once, and that all of it leaves a trace, is ours.

// StaffSecret returns a secret of this directory for the purpose, which is not in the database: the same in each
// process that serves it. It comes from the secret of removals, which is made if there is none yet.
func (s *Store) StaffSecret(purpose string) ([]byte, error) {
	secret, err := s.secret(true)
	if err != nil {
		return nil, s.fault("store.StaffSecret", err)
	}
	return hkdf.Key(sha256.New, secret, nil, "kapdir staff "+purpose, 32)
}

// What is sealed, and for what. Each has a key of its own.
const (
	sealedCodes = "codes" // the secret of somebody's codes, by their name
	sealedHook  = "hooks" // the secret of a webhook, by its id
)

// seal encrypts a secret; it can be opened for the one of that name alone.
func (s *Store) seal(what, name, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	a, err := s.sealer(what)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, a.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the program instead
	return base64.StdEncoding.EncodeToString(a.Seal(nonce, nonce, []byte(text), []byte(name))), nil
}

func (s *Store) unseal(what, name, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	a, err := s.sealer(what)
	if err != nil {
		return "", err
	}
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err == nil && len(b) > a.NonceSize() {
		b, err = a.Open(nil, b[:a.NonceSize()], b[a.NonceSize():], []byte(name))
	}
	if err != nil {
		whose, instead := "somebody's codes", "reset their sign-in"
		if what == sealedHook {
			whose, instead = "a webhook", "give it a new one, kapdir partner hook rotate"
		}
		return "", directory.Errorf(directory.Unavailable, "", "the secret of %s cannot be read: restore %s in the state directory, or KAPDIR_SUPPRESSION_KEY; or %s", whose, suppressionFile, instead)
	}
	return string(b), nil
}

func (s *Store) sealer(what string) (cipher.AEAD, error) {
	key, err := s.StaffSecret(what)
	if err != nil {
		return nil, err
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// Login returns what the staff member signs in with; an empty one, of no name, for somebody who is not there,
// was disabled, or has nothing to sign in with yet.
func (s *Store) Login(ctx context.Context, name string) (out directory.StaffLogin, err error) {
	var sealed string
	err = s.read(ctx, "store.Login", func(t *tx) error {
		if _, err := t.one(`SELECT l.name, l.password, l.totp, l.step FROM staff_login l JOIN staff m ON m.name = l.name WHERE l.name = $1 AND m.disabled = ''`,
			[]any{name}, &out.Name, &out.Password, &sealed, &out.Step); err != nil {
			return err
		}
		return t.each(`SELECT k.id, k.label, k.doc, k.created, k.used FROM staff_passkey k JOIN staff m ON m.name = k.name WHERE k.name = $1 AND m.disabled = '' ORDER BY k.created, k.id`,
			[]any{name}, func(r *sql.Rows) error {
				var k directory.Passkey
				err := r.Scan(&k.ID, &k.Label, &k.Doc, &k.Created, &k.Used)
				out.Passkeys = append(out.Passkeys, k)
				return err
			})
	})
	if err != nil {
		return directory.StaffLogin{}, err
	}
	out.TOTP, err = s.unseal(sealedCodes, out.Name, sealed)
	return out, err
}

// PasskeyOwner returns whose passkey it is; "" when it is nobody's, or of somebody who was disabled.
func (s *Store) PasskeyOwner(ctx context.Context, id string) (name string, err error) {
	err = s.read(ctx, "store.PasskeyOwner", func(t *tx) error {
		_, err := t.one(`SELECT k.name FROM staff_passkey k JOIN staff m ON m.name = k.name WHERE k.id = $1 AND m.disabled = ''`, []any{id}, &name)
		return err
	})
	return name, err
}

// Invite makes a code with which the staff member lets themself in, once and within InviteLife, and returns it: the
// one time that it can be read. Codes that were made for them before are good no more. What they sign in with so
// far stays until they use it; reset says that it, their sessions and their keys of the API end at once.
func (s *Store) Invite(ctx context.Context, name string, reset bool, by string, at directory.Instant) (code string, expires directory.Instant, err error) {
	b := make([]byte, 15)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	code = inviteText(b)
	expires = at.Add(directory.InviteLife)
	err = s.write(ctx, "store.Invite", func(w *work) error {
		o, err := w.office()
		if err != nil {
			return err
		}
		if _, err := o.member(name); err != nil {
			return err
		}
		if err := w.sweepSessions(at); err != nil {
			return err
		}
		if _, err := w.exec(`DELETE FROM staff_code WHERE kind = 'invite' AND name = $1`, name); err != nil {
			return err
		}
		act := "invited"
		if reset {
			act = "sign-in reset"
			if err := w.forgetLogin(name, by, at); err != nil {
				return err
			}
		}
		if err := w.insert(`INSERT INTO staff_code (sha256, kind, name, made, expires)`, [][]any{{codeSum(code), "invite", name, at, expires}}, ""); err != nil {
			return err
		}
		return w.audit(directory.StaffAct{At: at, Name: name, Act: act, By: by})
	})
	if err != nil {
		return "", "", err
	}
	return code, expires, nil
}

// forgetLogin ends all that somebody signs in with, the codes that would let them in, and where they are signed in.
func (w *work) forgetLogin(name, by string, at directory.Instant) error {
	for _, q := range []string{`DELETE FROM staff_login WHERE name = $1`, `DELETE FROM staff_passkey WHERE name = $1`, `DELETE FROM staff_code WHERE name = $1`} {
		if _, err := w.exec(q, name); err != nil {
			return err
		}
	}
	if _, err := w.exec(`UPDATE staff_key SET disabled = $2 WHERE name = $1 AND disabled = ''`, name, at); err != nil {
		return err
	}
	_, err := w.endSessions(name, "", by, at)
	return err
}

var inviteLetters = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding) // Crockford's

// inviteText writes 120 bits as a person types them: 24 letters and digits in six groups.
func inviteText(b []byte) string {
	t := inviteLetters.EncodeToString(b)
	var groups []string
	for ; len(t) > 4; t = t[4:] {
		groups = append(groups, t[:4])
	}
	return strings.Join(append(groups, t), "-")
}

// codeSum is what is kept of a code: of what it says, however it was typed.
func codeSum(code string) string {
	h := sha256.Sum256([]byte(strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(strings.TrimSpace(code)))))
	return hex.EncodeToString(h[:])
}

// Invited returns who lets themself in with the code; ok is false when it is nobody's, was used or has run out.
func (s *Store) Invited(ctx context.Context, code string, at directory.Instant) (name string, ok bool, err error) {
	err = s.read(ctx, "store.Invited", func(t *tx) error {
		name, ok, err = t.invited(code, at)
		return err
	})
	return name, ok, err
}

func (t *tx) invited(code string, at directory.Instant) (name string, ok bool, err error) {
	ok, err = t.one(`SELECT c.name FROM staff_code c JOIN staff m ON m.name = c.name WHERE c.sha256 = $1 AND c.kind = 'invite' AND c.expires > $2 AND m.disabled = ''`,
		[]any{codeSum(code), at}, &name)
	return name, ok, err
}

// Enrol uses the code: from then on the person signs in with what is given, and with nothing that was before. A code
// that is not good is Refused, and nothing changes.
func (s *Store) Enrol(ctx context.Context, code string, l directory.StaffLogin, at directory.Instant) error {
	return s.write(ctx, "store.Enrol", func(w *work) error {
		name, ok, err := w.invited(code, at)
		if err == nil && !ok {
			err = directory.Errorf(directory.Refused, "code", "the code is not good, or not any more: ask whoever gave it to you for another")
		}
		if err != nil {
			return err
		}
		if err := w.forgetLogin(name, name, at); err != nil {
			return err
		}
		sealed, err := s.seal(sealedCodes, name, l.TOTP)
		if err != nil {
			return err
		}
		if err := w.insert(`INSERT INTO staff_login (name, password, totp, step, changed)`, [][]any{{name, l.Password, sealed, l.Step, at}}, ""); err != nil {
			return err
		}
		with := "password and code"
		for _, k := range l.Passkeys {
			with = "passkey"
			if err := w.addPasskey(name, k, at); err != nil {
				return err
			}
		}
		return w.audit(directory.StaffAct{At: at, Name: name, Act: "enrolled", Detail: with, By: name})
	})
}

func (w *work) addPasskey(name string, k directory.Passkey, at directory.Instant) error {
	taken, err := w.one(`SELECT name FROM staff_passkey WHERE id = $1`, []any{k.ID}, new(string))
	if err == nil && taken {
		err = directory.Errorf(directory.Conflict, "passkey", "this passkey is there already")
	}
	if err != nil {
		return err
	}
	return w.insert(`INSERT INTO staff_passkey (id, name, label, doc, created, used)`, [][]any{{k.ID, name, clean(k.Label), k.Doc, at, ""}}, "")
}

// UseCode notes that the code of the step was used; ok is false where it, or a later one, was used before.
func (s *Store) UseCode(ctx context.Context, name string, step int64) (ok bool, err error) {
	err = s.write(ctx, "store.UseCode", func(w *work) error {
		n, err := w.exec(`UPDATE staff_login SET step = $2 WHERE name = $1 AND step < $2`, name, step)
		ok = n == 1
		return err
	})
	return ok, err
}

// UsePasskey notes that the passkey signed the challenge, and what it is now; ok is false where that challenge was
// signed before, or the passkey is there no more.
func (s *Store) UsePasskey(ctx context.Context, id, doc, challenge string, at directory.Instant) (ok bool, err error) {
	err = s.write(ctx, "store.UsePasskey", func(w *work) error {
		before, err := w.one(`SELECT name FROM staff_code WHERE sha256 = $1`, []any{secretSum(challenge)}, new(string))
		if err != nil || before {
			return err
		}
		n, err := w.exec(`UPDATE staff_passkey SET doc = $2, used = $3 WHERE id = $1`, id, doc, at.Date())
		if err != nil || n == 0 {
			return err
		}
		ok = true
		return w.insert(`INSERT INTO staff_code (sha256, kind, name, made, expires)`, [][]any{{secretSum(challenge), "signed", "", at, at.Add(time.Hour)}}, "")
	})
	return ok, err
}

// SetPassword gives the staff member another password, by its hash, and ends their other sessions.
func (s *Store) SetPassword(ctx context.Context, name, hash string, session directory.ID, at directory.Instant) error {
	return s.write(ctx, "store.SetPassword", func(w *work) error {
		n, err := w.exec(`UPDATE staff_login SET password = $2, changed = $3 WHERE name = $1 AND totp <> ''`, name, hash, at)
		if err == nil && n == 0 {
			err = directory.Errorf(directory.Refused, "password", "a password goes with codes, and there are none: ask for a code to enrol with anew")
		}
		if err != nil {
			return err
		}
		if err := w.audit(directory.StaffAct{At: at, Name: name, Act: "password changed", By: name}); err != nil {
			return err
		}
		_, err = w.endSessions(name, session, name, at)
		return err
	})
}

// AddPasskey gives the staff member one more passkey, and ends their other sessions.
func (s *Store) AddPasskey(ctx context.Context, name string, k directory.Passkey, session directory.ID, at directory.Instant) error {
	return s.write(ctx, "store.AddPasskey", func(w *work) error {
		if err := w.addPasskey(name, k, at); err != nil {
			return err
		}
		if err := w.audit(directory.StaffAct{At: at, Name: name, Act: "passkey added", Detail: k.Label, By: name}); err != nil {
			return err
		}
		_, err := w.endSessions(name, session, name, at)
		return err
	})
}

// RemovePasskey takes a passkey from the staff member, and ends their other sessions. The last thing that they sign
// in with stays.
func (s *Store) RemovePasskey(ctx context.Context, name, id string, session directory.ID, at directory.Instant) error {
	return s.write(ctx, "store.RemovePasskey", func(w *work) error {
		var label string
		var others, passwords int64
		found, err := w.one(`SELECT label FROM staff_passkey WHERE id = $1 AND name = $2`, []any{id, name}, &label)
		if err == nil && !found {
			err = directory.Errorf(directory.NotFound, "passkey", "there is no such passkey")
		}
		if err != nil {
			return err
		}
		if _, err := w.one(`SELECT (SELECT COUNT(*) FROM staff_passkey WHERE name = $1 AND id <> $2), (SELECT COUNT(*) FROM staff_login WHERE name = $1 AND password <> '' AND totp <> '')`,
			[]any{name, id}, &others, &passwords); err != nil {
			return err
		}
		if others+passwords == 0 {
			return directory.Errorf(directory.Refused, "passkey", "it is all that you sign in with: add another first")
		}
		if _, err := w.exec(`DELETE FROM staff_passkey WHERE id = $1 AND name = $2`, id, name); err != nil {
			return err
		}
		if err := w.audit(directory.StaffAct{At: at, Name: name, Act: "passkey removed", Detail: label, By: name}); err != nil {
			return err
		}
		_, err = w.endSessions(name, session, name, at)
		return err
	})
}

package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"kapdir/directory"
)

// StaffKeyInfo is a key with which a staff member asks the API. Its secret is not held.
type StaffKeyInfo struct {
	ID       directory.ID      `json:"id"`
	Name     string            `json:"name"` // of the staff member
	Created  directory.Instant `json:"created"`
	LastUsed directory.Date    `json:"last_used,omitempty"` // the day alone: when somebody works is nobody's business
	Disabled directory.Instant `json:"disabled,omitempty"`
}

// AddStaffKey makes a key for the staff member of the name and returns it, key_….secret: the one time that
// its secret can be read. Whoever is no staff member, or has been disabled, gets none.
func (s *Store) AddStaffKey(ctx context.Context, name string) (key string, info StaffKeyInfo, err error) {
	name = strings.TrimSpace(name)
	if name == "" {
		return "", info, directory.Errorf(directory.Invalid, "name", "a key is somebody's: give the name of a staff member")
	}
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
	text := base64.RawURLEncoding.EncodeToString(secret)
	err = s.write(ctx, "store.AddStaffKey", func(w *work) error {
		o, err := w.office()
		if err != nil {
			return err
		}
		if _, err := o.member(name); err != nil {
			return err
		}
		info = StaffKeyInfo{ID: directory.NewID(directory.KeyPrefix, w.now), Name: name, Created: w.now}
		_, err = w.exec(`INSERT INTO staff_key (id, name, sha256, created, last_used, disabled) VALUES ($1, $2, $3, $4, '', '')`,
			info.ID, info.Name, secretSum(text), info.Created)
		return err
	})
	if err != nil {
		return "", StaffKeyInfo{}, err
	}
	return string(info.ID) + "." + text, info, nil
}

// secretSum is what is kept of a secret. It has 256 random bits, so that one hash is enough.
func secretSum(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

// noSum is what a secret is compared with when there is no such key, so that a key that nobody has costs as
// much as a wrong secret. No secret has this hash.
var noSum = strings.Repeat("0", 2*sha256.Size)

// StaffKey returns whose key it is. A wrong secret, a key that nobody has and one that was disabled are one
// answer, ok false, given in the same time. The day of the key's use is kept.
func (s *Store) StaffKey(ctx context.Context, id directory.ID, secret string) (name string, ok bool, err error) {
	sum, lastUsed, disabled := noSum, "", ""
	err = s.read(ctx, "store.StaffKey", func(t *tx) error {
		_, err := t.one(`SELECT name, sha256, last_used, disabled FROM staff_key WHERE id = $1`, []any{id}, &name, &sum, &lastUsed, &disabled)
		return err
	})
	if err != nil {
		return "", false, err
	}
	same := subtle.ConstantTimeCompare([]byte(sum), []byte(secretSum(secret)))
	if same&subtle.ConstantTimeEq(int32(len(disabled)), 0) != 1 {
		return "", false, nil
	}
	if today := string(s.now().Date()); lastUsed < today { // once a day
		err = s.write(ctx, "store.StaffKey", func(w *work) error {
			_, err := w.exec(`UPDATE staff_key SET last_used = $2 WHERE id = $1 AND last_used < $2`, id, today)
			return err
		})
	}
	return name, err == nil, err
}

// StaffKeys lists the keys, the oldest first.
func (s *Store) StaffKeys(ctx context.Context) ([]StaffKeyInfo, error) {
	out := []StaffKeyInfo{}
	err := s.read(ctx, "store.StaffKeys", func(t *tx) error {
		return t.each(`SELECT id, name, created, last_used, disabled FROM staff_key ORDER BY created, id`, nil, func(r *sql.Rows) error {
			var k StaffKeyInfo
			err := r.Scan(&k.ID, &k.Name, &k.Created, &k.LastUsed, &k.Disabled)
			out = append(out, k)
			return err
		})
	})
	return out, err
}

// DisableStaffKey ends a key; from then on nobody can use it. One that is disabled already stays as it is.
func (s *Store) DisableStaffKey(ctx context.Context, id directory.ID) error {
	return s.write(ctx, "store.DisableStaffKey "+string(id), func(w *work) error {
		n, err := w.exec(`UPDATE staff_key SET disabled = CASE WHEN disabled = '' THEN $2 ELSE disabled END WHERE id = $1`, id, w.now)
		if err == nil && n == 0 {
			err = directory.Errorf(directory.NotFound, "id", "there is no key %s", id)
		}
		return err
	})
}

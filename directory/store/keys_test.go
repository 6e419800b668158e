package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

func TestStaffKeys(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testStaffKeys(t, Config{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { testStaffKeys(t, Config{DSN: storetest.Postgres(t)}) })
}

// A key is known by its secret, of which only a hash is held; a wrong one, none, and a disabled one are one answer.
func testStaffKeys(t *testing.T, c Config) {
	ctx := context.Background()
	clock := newClock()
	c.Now = clock.now
	s := open(t, c)
	staff := func(do, name string, at time.Time) {
		t.Helper()
		if _, err := s.ChangeStaff(ctx, directory.StaffChange{At: directory.At(at), Name: name, Do: do, Role: directory.Verifier, By: "account test", Auth: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.AddStaffKey(ctx, "imani"); directory.KindOf(err) != directory.Refused || !strings.Contains(err.Error(), "kapdir staff add") {
		t.Errorf("a key of somebody who is no staff member: %v", err)
	}
	staff("add", "imani", noon)
	staff("add", "rowan", noon)
	before, err := s.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	key, info, err := s.AddStaffKey(ctx, " imani ")
	if err != nil {
		t.Fatal(err)
	}
	clock.set(noon.Add(time.Minute))
	other, otherInfo, err := s.AddStaffKey(ctx, "rowan")
	if err != nil {
		t.Fatal(err)
	}
	id, secret, ok := strings.Cut(key, ".")
	if !ok || directory.ID(id) != info.ID || !strings.HasPrefix(id, "key_") || len(secret) < 43 || info.Name != "imani" {
		t.Fatalf("the key is %q of %+v", key, info)
	}
	if parsed, err := directory.ParseID(directory.KeyPrefix, id); err != nil || parsed != info.ID {
		t.Errorf("%s: %v", id, err)
	}
	_, otherSecret, _ := strings.Cut(other, ".")
	is := func(id directory.ID, secret, want string) {
		t.Helper()
		name, ok, err := s.StaffKey(ctx, id, secret)
		if err != nil || ok != (want != "") || name != want {
			t.Errorf("%s: %q %v %v, want %q", id, name, ok, err, want)
		}
	}
	is(info.ID, secret, "imani")
	is(otherInfo.ID, otherSecret, "rowan")
	is(info.ID, otherSecret, "")
	is(info.ID, "", "")
	is(info.ID, secret+"x", "")
	is(info.ID, noSum, "")
	is("key_00000000000000000000000009", secret, "")
	is("", secret, "")
	keys, err := s.StaffKeys(ctx)
	if err != nil || len(keys) != 2 || keys[0].LastUsed != directory.At(noon).Date() {
		t.Errorf("%+v %v", keys, err)
	}
	clock.set(noon.AddDate(0, 0, 1))
	is(info.ID, secret, "imani")
	if err := s.DisableStaffKey(ctx, info.ID); err != nil {
		t.Fatal(err)
	}
	is(info.ID, secret, "")
	is(otherInfo.ID, otherSecret, "rowan")
	keys, _ = s.StaffKeys(ctx)
	if keys[0].Disabled == "" || keys[1].Disabled != "" || keys[0].LastUsed != "2026-11-24" {
		t.Errorf("%+v", keys)
	}
	if err := s.DisableStaffKey(ctx, "key_00000000000000000000000009"); directory.KindOf(err) != directory.NotFound {
		t.Errorf("a key that nobody has: %v", err)
	}
	for _, bad := range []string{"", "  "} {
		if _, _, err := s.AddStaffKey(ctx, bad); directory.KindOf(err) != directory.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// Whoever is disabled reads no more, gets no other key, and has to be given a new one if they come back.
	staff("disable", "rowan", noon.AddDate(0, 0, 1))
	is(otherInfo.ID, otherSecret, "")
	if _, _, err := s.AddStaffKey(ctx, "rowan"); directory.KindOf(err) != directory.Refused {
		t.Errorf("a key of somebody who was disabled: %v", err)
	}
	staff("add", "rowan", noon.AddDate(0, 0, 1).Add(time.Second))
	is(otherInfo.ID, otherSecret, "")
	if _, _, err := s.AddStaffKey(ctx, "rowan"); err != nil {
		t.Error(err)
	}
	// The secret is in no column.
	var held string
	err = s.read(ctx, "test", func(t *tx) error {
		_, err := t.one(`SELECT id || name || sha256 || created || last_used || disabled FROM staff_key WHERE id = $1`, []any{info.ID}, &held)
		return err
	})
	if err != nil || strings.Contains(held, secret) {
		t.Errorf("the row holds the secret, or cannot be read: %v", err)
	}
	if after, err := s.Head(ctx); err != nil || after != before {
		t.Errorf("keys moved the head from %+v to %+v (%v): they are nothing that is known of a provider", before, after, err)
	}
}

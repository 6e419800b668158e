package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

func TestSignIn(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	for name, test := range map[string]func(*testing.T, Config){"sessions": testSessions, "codes": testCodes, "passkeys": testPasskeys, "ends": testEnds, "append-only": testStaffAudit} {
		t.Run(name+"/sqlite", func(t *testing.T) { test(t, Config{Dir: t.TempDir(), SuppressionKey: key}) })
		t.Run(name+"/postgres", func(t *testing.T) { test(t, Config{DSN: storetest.Postgres(t), SuppressionKey: key}) })
	}
}

// atDesk opens a store with rowan, a verifier, imani, an approver, and noor, an admin.
func atDesk(t *testing.T, c Config) (*Store, *clock, directory.Instant) {
	t.Helper()
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	for name, role := range map[string]directory.Role{"rowan": directory.Verifier, "imani": directory.Approver, "noor": directory.Admin} {
		if _, err := s.ChangeStaff(ctx, directory.StaffChange{Name: name, Do: "add", Role: role, By: "test", Auth: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	return s, clk, directory.At(noon)
}

// A session lives while it is used, eight hours at most, with the role that its person has now, and by its secret.
func testSessions(t *testing.T, c Config) {
	s, _, at := atDesk(t, c)
	live := func(secret string, at directory.Instant) (x directory.StaffSession, ok bool) {
		t.Helper()
		x, ok, err := s.Session(ctx, secret, at)
		if err != nil {
			t.Fatal(err)
		}
		return x, ok
	}
	secret, x, err := s.StartSession(ctx, "rowan", "passkey", at)
	if err != nil || len(secret) < 43 {
		t.Fatalf("%q %v", secret, err)
	}
	want := directory.StaffSession{ID: x.ID, Name: "rowan", Role: directory.Verifier, How: "passkey", Started: at, Seen: at, Proved: at}
	if got, ok := live(secret, at); !ok || cmp.Diff(want, got) != "" {
		t.Errorf("%v %s", ok, cmp.Diff(want, got))
	}
	for _, none := range []string{"", "x", secret + "x", secret[1:], string(x.ID), secretSum(secret)} {
		if _, ok := live(none, at); ok {
			t.Errorf("%q is a session", none)
		}
	}
	if _, ok := live(secret, at.Add(directory.SessionIdle)); ok {
		t.Error("an idle session lives")
	}
	if _, ok := live(secret, at.Add(directory.SessionIdle-time.Millisecond)); !ok {
		t.Error("a session of less than fifteen minutes is over")
	}
	if got, _ := live(secret, at.Add(directory.SessionIdle+time.Minute)); got.Seen != at.Add(directory.SessionIdle+time.Minute) {
		t.Errorf("what was done meanwhile is not noted: %+v", got)
	}
	last := at
	for i := 1; ; i++ {
		now := at.Add(time.Duration(i) * 10 * time.Minute)
		if _, ok := live(secret, now); !ok {
			last = now
			break
		}
	}
	if last != at.Add(directory.SessionMost) {
		t.Errorf("a session that is used ends at %s, having begun at %s", last, at)
	}

	secret, x, _ = s.StartSession(ctx, "rowan", "passkey", at)
	if _, err := s.ChangeStaff(ctx, directory.StaffChange{Name: "rowan", Do: "add", Role: directory.Viewer, By: "test", Auth: "test"}); err != nil {
		t.Fatal(err)
	}
	if got, ok := live(secret, at); !ok || got.Role != directory.Viewer {
		t.Errorf("the role is %s", got.Role)
	}
	young, ok, err := s.RenewSession(ctx, secret, "password and code", at.Add(time.Minute))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if _, ok := live(secret, at.Add(time.Minute)); ok {
		t.Error("the secret from before the proof is good")
	}
	if got, ok := live(young, at.Add(time.Minute)); !ok || got.ID != x.ID || got.Started != at || got.Proved != at.Add(time.Minute) {
		t.Errorf("after the proof: %v %+v", ok, got)
	}
	if _, ok, err := s.RenewSession(ctx, secret, "x", at); ok || err != nil {
		t.Errorf("a secret that is nobody's was renewed: %v %v", ok, err)
	}
	if err := s.EndSession(ctx, "imani", x.ID, "imani", at); directory.KindOf(err) != directory.NotFound {
		t.Errorf("imani ends rowan's: %v", err)
	}
	if err := s.EndSession(ctx, "rowan", x.ID, "rowan", at); err != nil {
		t.Error(err)
	}
	if _, ok := live(young, at.Add(time.Minute)); ok {
		t.Error("a session that was ended lives")
	}

	var secrets []string
	for i := range directory.SessionsEach + 2 {
		one, _, err := s.StartSession(ctx, "imani", "passkey", at.Add(time.Duration(i)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, one)
	}
	for i, one := range secrets {
		if _, ok := live(one, at.Add(time.Minute)); ok != (i >= 2) {
			t.Errorf("of %d sessions the %dth lives: %v", len(secrets), i+1, ok)
		}
	}
	if list, err := s.Sessions(ctx, "imani", at.Add(time.Minute)); err != nil || len(list) != directory.SessionsEach || list[0].Started < list[1].Started {
		t.Errorf("%d sessions, %v", len(list), err)
	}
	if _, _, err := s.StartSession(ctx, "nobody", "x", at); directory.KindOf(err) != directory.Refused {
		t.Errorf("a session of nobody: %v", err)
	}
	var held int
	if err := s.reader.QueryRowContext(ctx, `SELECT COUNT(*) FROM staff_session WHERE sha256 LIKE '%'||$1||'%' OR id = $1`, secrets[3]).Scan(&held); err != nil || held != 0 {
		t.Errorf("the store holds a secret: %d %v", held, err)
	}
}

// A code lets in once, for a while, whoever it was made for; what the person signs in with takes the place of all that was.
func testCodes(t *testing.T, c Config) {
	s, _, at := atDesk(t, c)
	code, until, err := s.Invite(ctx, "rowan", false, "noor", at)
	if err != nil || until != at.Add(directory.InviteLife) || len(code) != 29 {
		t.Fatalf("%q %s %v", code, until, err)
	}
	good := func(code string, at directory.Instant) bool {
		t.Helper()
		name, ok, err := s.Invited(ctx, code, at)
		if err != nil || ok != (name == "rowan") {
			t.Fatalf("%q %v %v", name, ok, err)
		}
		return ok
	}
	for typed, want := range map[string]bool{code: true, strings.ToUpper(code): true, " " + strings.ReplaceAll(code, "-", " ") + "\n": true, strings.ReplaceAll(code, "0", "O"): true,
		"": false, code[:28]: false, code + "0": false} {
		if good(typed, at) != want {
			t.Errorf("%q: %v", typed, !want)
		}
	}
	if good(code, until) || !good(code, until.Add(-time.Millisecond)) {
		t.Error("the code ends at another moment")
	}
	second, _, _ := s.Invite(ctx, "rowan", false, "noor", at)
	if good(code, at) || !good(second, at) {
		t.Error("the code that was made before the last is good, or the last is not")
	}
	if l, err := s.Login(ctx, "rowan"); err != nil || l.Name != "" {
		t.Errorf("%+v %v", l, err)
	}
	want := directory.StaffLogin{Name: "rowan", Password: "$argon2id$…", TOTP: "JBSWY3DPEHPK3PXP", Step: 7}
	if err := s.Enrol(ctx, second, want, at); err != nil {
		t.Fatal(err)
	}
	if l, err := s.Login(ctx, "rowan"); err != nil || cmp.Diff(want, l) != "" {
		t.Errorf("%v %s", err, cmp.Diff(want, l))
	}
	if good(second, at) || directory.KindOf(s.Enrol(ctx, second, want, at)) != directory.Refused {
		t.Error("a code is good twice")
	}
	var sealed string
	if err := s.reader.QueryRowContext(ctx, `SELECT totp FROM staff_login WHERE name = 'rowan'`).Scan(&sealed); err != nil || strings.Contains(sealed, "JBSWY3") {
		t.Errorf("the secret of the codes lies open: %q %v", sealed, err)
	}
	if _, err := s.unseal(sealedCodes, "imani", sealed); err == nil {
		t.Error("rowan's secret opens for imani")
	}
	for i, x := range []struct {
		step int64
		ok   bool
	}{{8, true}, {8, false}, {7, false}, {1, false}, {10, true}, {9, false}} {
		if ok, err := s.UseCode(ctx, "rowan", x.step); err != nil || ok != x.ok {
			t.Errorf("step %d: %v %v", i, ok, err)
		}
	}
	if ok, err := s.UseCode(ctx, "imani", 99); ok || err != nil {
		t.Errorf("a code of somebody without codes: %v %v", ok, err)
	}
	secret, _, _ := s.StartSession(ctx, "rowan", "x", at)
	other, x, _ := s.StartSession(ctx, "rowan", "x", at)
	if err := s.SetPassword(ctx, "rowan", "$argon2id$2", x.ID, at); err != nil {
		t.Fatal(err)
	}
	if l, _ := s.Login(ctx, "rowan"); l.Password != "$argon2id$2" {
		t.Errorf("%+v", l)
	}
	for one, want := range map[string]bool{secret: false, other: true} {
		if _, ok, _ := s.Session(ctx, one, at); ok != want {
			t.Errorf("after a change of password: %v, want %v", ok, want)
		}
	}
	if err := s.SetPassword(ctx, "imani", "x", "", at); directory.KindOf(err) != directory.Refused {
		t.Errorf("a password without codes: %v", err)
	}
	if _, _, err := s.Invite(ctx, "nobody", false, "noor", at); directory.KindOf(err) != directory.Refused {
		t.Errorf("a code for nobody: %v", err)
	}
	third, _, err := s.Invite(ctx, "rowan", false, "noor", at)
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := s.Login(ctx, "rowan"); l.Password == "" {
		t.Error("an invitation alone ends what somebody signs in with")
	}
	if err := s.Enrol(ctx, third, directory.StaffLogin{Passkeys: []directory.Passkey{{ID: "k", Label: "phone", Doc: "{}"}}}, at); err != nil {
		t.Fatal(err)
	}
	if l, _ := s.Login(ctx, "rowan"); l.Password != "" || l.TOTP != "" || len(l.Passkeys) != 1 {
		t.Errorf("what was before stays: %+v", l)
	}
}

// A passkey belongs to one person, a challenge counts once, and the last thing to sign in with stays.
func testPasskeys(t *testing.T, c Config) {
	s, _, at := atDesk(t, c)
	code, _, _ := s.Invite(ctx, "rowan", false, "noor", at)
	if err := s.Enrol(ctx, code, directory.StaffLogin{Passkeys: []directory.Passkey{{ID: "one", Label: "phone", Doc: `{"n":1}`}}}, at); err != nil {
		t.Fatal(err)
	}
	if err := s.AddPasskey(ctx, "imani", directory.Passkey{ID: "one", Label: "stolen", Doc: "{}"}, "", at); directory.KindOf(err) != directory.Conflict {
		t.Errorf("one passkey of two people: %v", err)
	}
	for id, want := range map[string]string{"one": "rowan", "two": "", "": ""} {
		if got, err := s.PasskeyOwner(ctx, id); got != want || err != nil {
			t.Errorf("%q is %q's, %v", id, got, err)
		}
	}
	for i, x := range []struct {
		id, challenge string
		ok            bool
	}{{"one", "c1", true}, {"one", "c1", false}, {"none", "c2", false}, {"one", "c2", true}} {
		if ok, err := s.UsePasskey(ctx, x.id, `{"n":2}`, x.challenge, at); ok != x.ok || err != nil {
			t.Errorf("use %d: %v %v", i, ok, err)
		}
	}
	if l, _ := s.Login(ctx, "rowan"); l.Passkeys[0].Doc != `{"n":2}` || l.Passkeys[0].Used != at.Date() {
		t.Errorf("%+v", l)
	}
	if err := s.RemovePasskey(ctx, "rowan", "one", "", at); directory.KindOf(err) != directory.Refused {
		t.Errorf("the last passkey was removed: %v", err)
	}
	secret, x, _ := s.StartSession(ctx, "rowan", "x", at)
	other, _, _ := s.StartSession(ctx, "rowan", "x", at)
	if err := s.AddPasskey(ctx, "rowan", directory.Passkey{ID: "two", Label: "key", Doc: "{}"}, x.ID, at); err != nil {
		t.Fatal(err)
	}
	if err := s.RemovePasskey(ctx, "imani", "one", "", at); directory.KindOf(err) != directory.NotFound {
		t.Errorf("imani removes rowan's: %v", err)
	}
	if err := s.RemovePasskey(ctx, "rowan", "one", x.ID, at); err != nil {
		t.Error(err)
	}
	for one, want := range map[string]bool{secret: true, other: false} {
		if _, ok, _ := s.Session(ctx, one, at); ok != want {
			t.Errorf("after a change of passkeys: %v, want %v", ok, want)
		}
	}
}

// Disabling somebody and resetting their sign-in end at once all that they have; nothing comes back with them.
func testEnds(t *testing.T, c Config) {
	s, clk, at := atDesk(t, c)
	for _, how := range []string{"disable", "reset"} {
		code, _, err := s.Invite(ctx, "rowan", false, "noor", at)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Enrol(ctx, code, directory.StaffLogin{Password: "$", TOTP: "JBSWY3DPEHPK3PXP", Passkeys: []directory.Passkey{{ID: how, Label: "x", Doc: "{}"}}}, at); err != nil {
			t.Fatal(err)
		}
		key, _, err := s.AddStaffKey(ctx, "rowan")
		if err != nil {
			t.Fatal(err)
		}
		pending, _, _ := s.Invite(ctx, "rowan", false, "noor", at)
		secret, _, _ := s.StartSession(ctx, "rowan", "x", at)
		if how == "disable" {
			if _, err := s.ChangeStaff(ctx, directory.StaffChange{Name: "rowan", Do: how, By: "noor", Auth: "test"}); err != nil {
				t.Fatal(err)
			}
		} else if _, _, err := s.Invite(ctx, "rowan", true, "noor", at); err != nil {
			t.Fatal(err)
		}
		gone := func(when string) {
			t.Helper()
			if _, ok, _ := s.Session(ctx, secret, at); ok {
				t.Errorf("%s: a session lives", when)
			}
			if l, _ := s.Login(ctx, "rowan"); l.Name != "" || len(l.Passkeys) > 0 {
				t.Errorf("%s: %+v", when, l)
			}
			if owner, _ := s.PasskeyOwner(ctx, how); owner != "" {
				t.Errorf("%s: the passkey is %s's", when, owner)
			}
			id, rest, _ := strings.Cut(key, ".")
			if _, ok, _ := s.StaffKey(ctx, directory.ID(id), rest); ok {
				t.Errorf("%s: the key of the API is good", when)
			}
		}
		gone(how)
		if _, ok, _ := s.Invited(ctx, pending, at); ok {
			t.Errorf("%s: a code from before is good", how)
		}
		if how == "disable" {
			if _, _, err := s.StartSession(ctx, "rowan", "x", at); directory.KindOf(err) != directory.Refused {
				t.Errorf("somebody disabled signs in: %v", err)
			}
			if _, _, err := s.Invite(ctx, "rowan", false, "noor", at); directory.KindOf(err) != directory.Refused {
				t.Errorf("somebody disabled is invited: %v", err)
			}
			clk.set(noon.Add(time.Minute))
			if _, err := s.ChangeStaff(ctx, directory.StaffChange{Name: "rowan", Do: "add", Role: directory.Verifier, By: "noor", Auth: "test"}); err != nil {
				t.Fatal(err)
			}
			gone("added again")
			if _, ok, _ := s.Invited(ctx, pending, at); ok {
				t.Error("added again: a code from before is good")
			}
		}
	}
}

// The trace of signing in only grows, tells who did what about whom, and holds no secret.
func testStaffAudit(t *testing.T, c Config) {
	s, _, at := atDesk(t, c)
	code, _, _ := s.Invite(ctx, "rowan", false, "noor", at)
	if err := s.Enrol(ctx, code, directory.StaffLogin{Password: "$argon2id$", TOTP: "JBSWY3DPEHPK3PXP"}, at); err != nil {
		t.Fatal(err)
	}
	secret, x, _ := s.StartSession(ctx, "rowan", "password and code", at)
	if err := s.Audit(ctx, directory.StaffAct{At: at, Name: "rowan", Act: "sign-in failed", Detail: "password and code"}); err != nil {
		t.Fatal(err)
	}
	if err := s.EndSession(ctx, "rowan", x.ID, "rowan", at); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Invite(ctx, "rowan", true, "noor", at); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range must(s.StaffAudit(ctx, "rowan", 100)) {
		got = append(got, strings.Join([]string{a.Name, a.Act, a.Detail, a.By}, "|"))
		for _, hidden := range []string{code, secret, "JBSWY3", "argon2id"} {
			if strings.Contains(got[len(got)-1], hidden) {
				t.Errorf("the trace holds a secret: %s", got[len(got)-1])
			}
		}
	}
	if d := cmp.Diff([]string{"rowan|sign-in reset||noor", "rowan|session ended||rowan", "rowan|sign-in failed|password and code|", "rowan|signed in|password and code|rowan",
		"rowan|enrolled|password and code|rowan", "rowan|invited||noor", "rowan|given a role|verifier|test"}, got); d != "" {
		t.Errorf("trace (-want +got):\n%s", d)
	}
	for _, q := range []string{`DELETE FROM staff_audit`, `UPDATE staff_audit SET act = 'x'`} {
		if _, err := s.writer.ExecContext(context.Background(), q); err == nil {
			t.Errorf("%s: nothing refuses it", q)
		}
	}
}

// Who races for what is there once gets it once.
func TestOnceMeansOnce(t *testing.T) {
	for name, c := range map[string]Config{"sqlite": {Dir: t.TempDir()}, "postgres": {DSN: storetest.Postgres(t)}} {
		t.Run(name, func(t *testing.T) {
			c.SuppressionKey = []byte(strings.Repeat("k", 32))
			s, _, at := atDesk(t, c)
			code, _, err := s.Invite(ctx, "rowan", false, "noor", at)
			if err != nil {
				t.Fatal(err)
			}
			login := directory.StaffLogin{Password: "$", TOTP: "JBSWY3DPEHPK3PXP", Passkeys: []directory.Passkey{{ID: "k", Label: "x", Doc: "{}"}}}
			race(t, "a code that lets in", func() (bool, error) {
				err := s.Enrol(ctx, code, login, at)
				if directory.KindOf(err) == directory.Refused {
					return false, nil
				}
				return err == nil, err
			})
			race(t, "a code of an app", func() (bool, error) { return s.UseCode(ctx, "rowan", 9) })
			race(t, "a challenge", func() (bool, error) { return s.UsePasskey(ctx, "k", "{}", "c", at) })
		})
	}
}

// race lets eight try at once; one must succeed.
func race(t *testing.T, what string, try func() (bool, error)) {
	t.Helper()
	won := make(chan bool, 8)
	for range cap(won) {
		go func() {
			ok, err := try()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			won <- ok
		}()
	}
	n := 0
	for range cap(won) {
		if <-won {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%s was taken %d times", what, n)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
)

// desk runs a command on a state directory at the demonstration's moment and reads its JSON into v, if there is one.
func desk(t *testing.T, dir string, v any, argv ...string) (stdout, stderr string, status int) {
	t.Helper()
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	argv = append(argv, "--state", dir, "--now", string(m.Now))
	if v != nil {
		argv = append(argv, "--json")
	}
	stdout, stderr, status = kapdir(t, argv...)
	if v != nil {
		if status != exitDone {
			t.Fatalf("%v: %d\n%s%s", argv, status, stdout, stderr)
		}
		if err := json.Unmarshal([]byte(stdout), v); err != nil {
			t.Fatalf("%v: %v\n%s", argv, err, stdout)
		}
	}
	return stdout, stderr, status
}

func TestStaffCommand(t *testing.T) {
	dir := t.TempDir()
	var m directory.StaffMember
	if _, errs, status := desk(t, dir, nil, "staff", "list"); status == exitDone || !strings.Contains(errs, "holds no directory of providers") {
		t.Errorf("a state directory with nothing in it: %d %q", status, errs)
	}
	desk(t, dir, &m, "staff", "add", "rowan", "verifier")
	if m.Name != "rowan" || m.Role != directory.Verifier {
		t.Errorf("added %+v", m)
	}
	if _, errs, status := desk(t, dir, nil, "staff", "add", "imani", "approver", "--as", "rowan"); status == exitDone || !strings.Contains(errs, "rowan is no admin") {
		t.Errorf("an approver made by a verifier: %d %q", status, errs)
	}
	out, _, _ := desk(t, dir, nil, "staff", "add", "imani", "approver")
	if out != "imani decides as approver. To sign in at the desk: kapdir staff invite imani\n" {
		t.Errorf("added: %q", out)
	}
	if _, errs, status := desk(t, dir, nil, "staff", "disable", "rowan", "--as", "imani"); status == exitDone || !strings.Contains(errs, "imani is no admin") {
		t.Errorf("somebody disabled by an approver: %d %q", status, errs)
	}
	if out, _, _ = desk(t, dir, nil, "staff", "add", "noor", "admin"); !strings.HasPrefix(out, "noor is here as admin.") {
		t.Errorf("added: %q", out)
	}
	var codes [3]invited
	desk(t, dir, &codes[0], "staff", "invite", "imani")
	desk(t, dir, &codes[1], "staff", "invite", "imani", "--as", "noor")
	desk(t, dir, &codes[2], "staff", "reset", "imani", "--as", "noor")
	if codes[0].Code == codes[1].Code || len(codes[2].Code) != 29 || codes[2].Name != "imani" || !strings.HasSuffix(codes[2].Enrol, "/staff/enrol") {
		t.Errorf("codes %+v", codes)
	}
	out, errs, _ := desk(t, dir, nil, "staff", "invite", "imani")
	if !regexp.MustCompile(`^([0-9a-z]{4}-){5}[0-9a-z]{4}\n$`).MatchString(out) || !strings.Contains(errs, "shown this once") || strings.Contains(errs, strings.TrimSpace(out)) {
		t.Errorf("a code: %q %q", out, errs)
	}
	desk(t, dir, &m, "staff", "disable", "rowan", "--as", "noor")
	var list staffAnswer
	desk(t, dir, &list, "staff", "list", "--changes")
	if len(list.Staff) != 3 || list.Staff[2].Disabled == "" || len(list.Changes) != 4 || !strings.HasPrefix(list.Changes[1].By, "account ") || list.Changes[3].By != "noor" ||
		!strings.HasPrefix(list.Changes[0].By, "account ") || list.Changes[0].Auth != localAuth {
		t.Errorf("list %+v", list)
	}
	for _, x := range []struct {
		argv   []string
		status int
		says   string
	}{
		{[]string{"staff", "add", "rowan"}, exitUsage, "Usage: kapdir staff add NAME ROLE"},
		{[]string{"staff", "add", "rowan", "chief"}, exitFailed, "verifier, approver or admin"},
		{[]string{"staff", "add", "Kim Lee", "verifier"}, exitFailed, "such as rowan"},
		{[]string{"staff", "add", "kim", "verifier", "--as", "rowan"}, exitFailed, "nobody who decides"},
		{[]string{"staff", "invite", "bob"}, exitFailed, "no staff member"},
		{[]string{"staff", "invite", "imani", "--as", "imani"}, exitFailed, "imani is no admin"},
		{[]string{"staff", "reset", "rowan"}, exitFailed, "disabled since"},
		{[]string{"staff", "disable", "bob"}, exitFailed, "kapdir staff list"},
		{[]string{"staff", "disable", "rowan"}, exitFailed, "disabled since"},
	} {
		if _, errs, status := desk(t, dir, nil, x.argv...); status != x.status || !strings.Contains(errs, x.says) {
			t.Errorf("%v: %d %q", x.argv, status, errs)
		}
	}
	out, _, _ = desk(t, dir, nil, "staff", "disable", "imani")
	if !strings.Contains(out, "there are 0, of whom 0 approvers") {
		t.Errorf("nobody is left: %q", out)
	}
	var back directory.StaffMember // that it was done before at the same moment is no reason to do nothing
	if desk(t, dir, &back, "staff", "add", "imani", "approver"); back.Disabled != "" {
		t.Errorf("back, and still disabled: %+v", back)
	}
}

// A finding is decided at the terminal by two people, with the commands that the program itself prints.
func TestCasesAtTheTerminal(t *testing.T) {
	dir := loaded(t, func(s demoStep) bool { return s.Decisions != "" })
	var list casesAnswer
	desk(t, dir, &list, "cases", "list", "--limit", "5")
	if list.Total < 50 || len(list.Cases) != 5 || list.Cases[0].Kind != directory.CaseExclusion {
		t.Fatalf("%d cases, %d shown", list.Total, len(list.Cases))
	}
	desk(t, dir, &list, "cases", "list", "--kind", "adverse")
	var c directory.Queued
	for _, x := range list.Cases {
		if strings.HasPrefix(x.What, "license") && x.Need.Approvals == 2 {
			c = x
		}
	}
	out, _, _ := desk(t, dir, nil, "cases", "list", "--kind", "adverse")
	if !strings.Contains(out, "NEEDS") || !strings.Contains(out, string(c.ID)) || !strings.Contains(out, "6 days") {
		t.Errorf("list:\n%s", out)
	}
	id := string(c.ID)
	out, _, _ = desk(t, dir, nil, "cases", "show", id, "--as", "staff-rowan")
	for _, want := range []string{c.Name, "HISTORY", "CLAIMED OR LISTED", "THE SOURCE'S OWN ROW", "needs a second person: an approver (staff-imani)", "clear     not possible"} {
		if !strings.Contains(out, want) {
			t.Errorf("show does not say %q:\n%s", want, out)
		}
	}
	printed := func(as, decision string) []string {
		t.Helper()
		out, _, _ := desk(t, dir, nil, "cases", "show", id, "--as", as)
		line := regexp.MustCompile(`kapdir (cases decide \S+ ` + decision + ` --as ` + as + ` --seen \d+)`).FindStringSubmatch(out)
		if line == nil {
			t.Fatalf("no command to %s:\n%s", decision, out)
		}
		return strings.Fields(line[1])
	}
	rowan, imani := printed("staff-rowan", "confirm"), printed("staff-imani", "confirm")
	var d decided
	desk(t, dir, &d, rowan...)
	if d.Event.Actor.Auth != localAuth || d.Event.Actor.ID != "staff-rowan" || d.Closed || d.Need.Approvals != 1 || !d.Need.Approver {
		t.Errorf("decided %+v", d)
	}
	if _, errs, status := desk(t, dir, nil, imani...); status != exitFailed || !strings.Contains(errs, "since you looked, staff-rowan confirmed event") ||
		!strings.Contains(errs, "kapdir cases show "+id) {
		t.Errorf("a stale decision: %d %q", status, errs)
	}
	out, _, status := desk(t, dir, nil, printed("staff-imani", "confirm")...)
	if status != exitDone || !strings.Contains(out, "The claim is now adverse") || !strings.Contains(out, "The case is closed.") {
		t.Errorf("decided by two: %d %q", status, out)
	}
	// What ended after it was read, once somebody has confirmed it: it is looked up anew.
	desk(t, dir, &list, "cases", "list", "--kind", "first_verification", "--limit", "1000")
	i := slices.IndexFunc(list.Cases, func(q directory.Queued) bool {
		return q.Name == "Gwendolyn Pratt" && strings.HasPrefix(q.What, "license")
	})
	first := string(list.Cases[i].ID)
	var seen directory.Dossier
	desk(t, dir, &seen, "cases", "show", first)
	desk(t, dir, nil, "cases", "decide", first, "confirm", "--as", "staff-rowan", "--seen", fmt.Sprint(seen.Seen))
	desk(t, dir, &list, "cases", "list", "--kind", "expired")
	if len(list.Cases) != 1 {
		t.Fatalf("expired: %+v", list.Cases)
	}
	ended := string(list.Cases[0].ID)
	out, _, _ = desk(t, dir, nil, "cases", "show", ended, "--as", "staff-rowan")
	look := regexp.MustCompile(`kapdir (cases look \S+ --as staff-rowan --seen \d+) --found could_not_look`).FindStringSubmatch(out)
	if look == nil || !strings.Contains(out, "it ended on 14 Nov 2026, says tx-bhec, looked at on 10 Nov 2026; public pages have said so since 16 Nov 2026") {
		t.Fatalf("show:\n%s", out)
	}
	anew := func(more ...string) (string, string, int) {
		t.Helper()
		var d directory.Dossier
		desk(t, dir, &d, "cases", "show", ended)
		return desk(t, dir, nil, append([]string{"cases", "look", ended, "--as", "staff-rowan", "--seen", fmt.Sprint(d.Seen)}, more...)...)
	}
	if _, errs, status := anew("--found", "could_not_look"); status != exitUsage || !strings.Contains(errs, "--note") {
		t.Errorf("without a reason: %d %s", status, errs)
	}
	if out, errs, status := anew("--found", "could_not_look", "--note", "The site is down."); status != exitDone || !strings.Contains(out, "The case stays open.") {
		t.Errorf("could not look: %d %s %s", status, out, errs)
	}
	if _, errs, status := desk(t, dir, nil, "cases", "decide", ended, "confirm", "--as", "staff-imani", "--seen", "1", "--note", "x"); status != exitFailed || !strings.Contains(errs, "kapdir cases look") {
		t.Errorf("a decision: %d %s", status, errs)
	}
	if out, errs, status := anew("--found", "yes", "--words", "Delinquent", "--number", seen.Claim.Number.Shown, "--name", "Gwendolyn Pratt", "--expires", "11/14/2026"); status != exitDone ||
		!strings.Contains(out, "The case is closed.") || !strings.Contains(out, "waits for somebody to confirm it") {
		t.Errorf("looked: %d %s %s", status, out, errs)
	}
	for _, x := range []struct {
		argv   []string
		status int
		says   string
	}{
		{[]string{"cases", "list", "--kind", "odd"}, exitUsage, "possible_exclusion"},
		{[]string{"cases", "list", "--provider", "ana"}, exitUsage, "prv_"},
		{[]string{"cases", "show", "cas_1"}, exitUsage, "cas_"},
		{[]string{"cases", "show", string(directory.NewID(directory.CasePrefix, "2026-11-16T15:00:00.000Z"))}, exitFailed, "kapdir cases list"},
		{[]string{"cases", "show", id, "--as", "bob"}, exitFailed, "kapdir staff add"},
		{[]string{"cases", "decide", id, "confirm", "--seen", "5"}, exitUsage, "--as"},
		{[]string{"cases", "decide", id, "confirm", "--as", "staff-imani"}, exitFailed, "kapdir cases show"},
		{[]string{"cases", "decide", id, "burn", "--as", "staff-imani", "--seen", "5"}, exitFailed, "confirm, clear or return"},
		{[]string{"cases", "decide", id, "accept", "--as", "staff-imani", "--seen", "5"}, exitFailed, "no dispute"},
	} {
		if _, errs, status := desk(t, dir, nil, x.argv...); status != x.status || !strings.Contains(errs, x.says) {
			t.Errorf("%v: %d %q", x.argv, status, errs)
		}
	}
}

// What staff withdraw leaves every public face while the server runs, and comes back when that was an error.
func TestClaimsAtTheTerminal(t *testing.T) {
	dir := t.TempDir()
	s := start(t, "demo", "--state", dir)
	who := s.all(t, "")[0]
	path := "/api/v1/providers/" + who.ID
	within := func(want int) time.Duration {
		t.Helper()
		begun := time.Now()
		for {
			status, _, _ := s.get(t, path)
			found := false
			for _, r := range s.all(t, "") {
				found = found || r.ID == who.ID
			}
			took := time.Since(begun)
			if status == want && found == (want == http.StatusOK) {
				return took
			}
			if took > 10*time.Second {
				t.Fatalf("after %s %s answers %d and the search has it: %v", took, path, status, found)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	var d decided
	if _, errs, status := desk(t, dir, nil, "claims", "withdraw", who.ID, "--as", "staff-rowan", "--note", "asked"); status != exitFailed || !strings.Contains(errs, "ask staff-imani") {
		t.Errorf("a verifier withdraws: %d %q", status, errs)
	}
	desk(t, dir, &d, "claims", "withdraw", who.ID, "--as", "staff-imani", "--note", "Asked by letter.")
	t.Logf("gone after %s", within(http.StatusGone))
	var files []directory.ClaimFile
	desk(t, dir, &files, "claims", "show", who.ID)
	file := files[len(files)-1]
	if file.Claim.Kind != directory.FileClaim || !file.Withdrawn || file.Seen != d.Event.Seq {
		t.Errorf("the file %+v", file)
	}
	out, errs, status := desk(t, dir, nil, "claims", "void", string(file.Claim.ID), "--of", eventNumbers([]int64{file.Seen}), "--seen", eventNumbers([]int64{file.Seen}), "--as", "staff-imani", "--note", "Another person's letter.")
	if status != exitDone || !strings.Contains(out, "voided event") {
		t.Fatalf("%d %s%s", status, out, errs)
	}
	t.Logf("back after %s", within(http.StatusOK))

	// A dispute opened on the provider's behalf, and closed.
	desk(t, dir, &files, "claims", "show", who.ID)
	var licence directory.ClaimFile
	for _, f := range files {
		if f.Claim.Kind == directory.License {
			licence = f
		}
	}
	if licence.Claim.ID == "" {
		t.Fatal("the first provider claims no licence: the demonstration has changed, and the test needs one who does")
	}
	id := string(licence.Claim.ID)
	desk(t, dir, &d, "claims", "dispute", id, "--field", "expires", "--as", "staff-rowan", "--seen", eventNumbers([]int64{licence.Seen}), "--note", "Renewed, they say.")
	out, _, _ = desk(t, dir, nil, "claims", "show", id)
	if !strings.Contains(out, "staff-rowan disputes it (expires)") || !strings.Contains(out, "To act on it: --seen "+eventNumbers([]int64{d.Event.Seq})) {
		t.Errorf("show:\n%s", out)
	}
	of := eventNumbers([]int64{d.Event.Seq})
	if _, errs, status := desk(t, dir, nil, "claims", "close", id, "--of", of, "--as", "staff-imani", "--seen", eventNumbers([]int64{licence.Seen}), "--note", "Over."); licence.Seen > 0 &&
		(status != exitFailed || !strings.Contains(errs, "since you looked, staff-rowan disputes it")) {
		t.Errorf("a stale act: %d %q", status, errs)
	}
	desk(t, dir, &d, "claims", "close", id, "--of", of, "--as", "staff-imani", "--seen", of, "--note", "Over.")
	var again decided // the same dispute anew, at the moment at which the clock stands
	desk(t, dir, &again, "claims", "dispute", id, "--field", "expires", "--as", "staff-rowan", "--seen", eventNumbers([]int64{d.Event.Seq}), "--note", "Renewed, they say.")
	if again.Event.Seq <= d.Event.Seq {
		t.Errorf("a dispute opened after event %d is event %d", d.Event.Seq, again.Event.Seq)
	}
	d = again
	if _, errs, status := desk(t, dir, nil, "claims", "correct", id, "--of", of, "--standing", "active", "--as", "staff-rowan", "--seen", eventNumbers([]int64{d.Event.Seq}), "--note", "n", "--text", "x", "--method", "phone"); status != exitFailed ||
		!strings.Contains(errs, "cannot be corrected") {
		t.Errorf("correcting a dispute: %d %q", status, errs)
	}
}

// A case that nobody who is there can settle says whom it takes.
func TestNobodyIsLeftToDecide(t *testing.T) {
	for _, x := range []struct {
		need directory.Need
		want string
	}{
		{directory.Need{Approvals: 1, From: []string{"imani", "rowan"}}, "imani or rowan"},
		{directory.Need{Approvals: 1, Approver: true}, "kapdir staff add NAME approver"},
		{directory.Need{Approvals: 1}, "kapdir staff add NAME verifier"},
	} {
		if got := whoNext(x.need); !strings.HasSuffix(got, x.want) {
			t.Errorf("%+v: %q", x.need, got)
		}
	}
}

func TestTargetNamesWhatItTakes(t *testing.T) {
	var x directory.Act
	if err := target("1234567893", &x); err == nil || !strings.Contains(err.Error(), "prv_") || !strings.Contains(err.Error(), "kapdir show") {
		t.Errorf("an NPI: %v", err)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/data"
	"kapdir/directory"
)

const (
	demoSAM = "sam/SAM_Exclusions_Public_Extract_V2_26315.CSV"
	demoOIG = "tx-oig/exclusions.csv"
)

// demoFile copies a file of the demonstration, changed, into a directory of its own.
func demoFile(t *testing.T, name string, change func(string) string) string {
	t.Helper()
	raw, err := fs.ReadFile(data.FS, "demo/"+name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if change != nil {
		text = change(text)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The further exclusion lists go in like every other source: a dry run counts and changes nothing, the
// import says which rows it could not take, and the same bytes again do nothing.
func TestImportFurtherLists(t *testing.T) {
	dir := loaded(t, func(s demoStep) bool { return s.Source == "sam" || s.Source == "tx-oig" || s.Decisions != "" })
	for _, c := range []struct {
		source, file, date, reject string
		rejected, fields           int
	}{
		{"sam", demoSAM, "2026-11-11", "quotation mark", 2, 0}, // the date is in the file's name
		{"tx-oig", demoOIG, "2026-11-05", "nobody can say whether the exclusion has ended", 1, 1},
	} {
		args := []string{"import", c.source, demoFile(t, c.file, nil), "--state", dir, "--now", "2026-11-16T15:00:00Z", "--json"}
		if c.source != "sam" {
			if out, errs, status := kapdir(t, args...); status != exitFailed || !strings.Contains(errs, "--as-of") {
				t.Errorf("without a date: %d\n%s%s", status, out, errs)
			}
			args = append(args, "--as-of", c.date)
		}
		before := head(t, dir)
		run := func(more ...string) (x imported, status int) {
			out, errs, status := kapdir(t, append(slices.Clone(args), more...)...)
			if err := json.Unmarshal([]byte(out), &x); err != nil {
				t.Fatalf("%s: %v\n%s%s", c.source, err, out, errs)
			}
			return x, status
		}
		dry, status := run("--dry-run")
		if status != exitRejected || dry.Run.Counts.Added < 150 || head(t, dir) != before {
			t.Errorf("%s, dry run: %d, %+v", c.source, status, dry.Run.Counts)
		}
		x, status := run()
		if n := x.Run.Counts; status != exitRejected || x.Run.Outcome != "done" || n.Rejected != c.rejected || n.Fields != c.fields || n != dry.Run.Counts ||
			string(x.Run.Release.AsOf) != c.date {
			t.Errorf("%s: %d, %+v as of %s", c.source, status, n, x.Run.Release.AsOf)
		}
		if !slices.ContainsFunc(x.Rejects, func(r directory.Reject) bool {
			return r.File == filepath.Base(c.file) && r.Line > 1 && strings.Contains(r.Reason, c.reject)
		}) {
			t.Errorf("%s: rejects %+v", c.source, x.Rejects)
		}
		if again, status := run(); status != exitDone || !again.Run.Already {
			t.Errorf("%s again: %d, %+v", c.source, status, again.Run)
		}
	}
}

// What cannot follow the list in force is refused, and the list stays: nothing is written. A month's changes
// are added to it.
func TestImportExclusionsInOrder(t *testing.T) {
	dir := loaded(t, func(s demoStep) bool { return s.Source != "kap-commons" && s.Source != "leie" })
	raw, err := fs.ReadFile(data.FS, "demo/leie/UPDATED.csv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(raw), "\n")
	list := func(name, text string, more ...string) (string, string, int) {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return kapdir(t, append([]string{"import", "leie", path, "--state", dir, "--now", "2026-12-10T15:00:00Z", "--json"}, more...)...)
	}
	before := head(t, dir)
	dated := []string{"--as-of", "2026-12-05"}
	half := strings.Join(lines[:len(lines)/2], "")
	for _, c := range []struct {
		name, file, text, want string
		more                   []string
	}{
		{"empty", "UPDATED.csv", "", "empty", dated},
		{"a header alone", "UPDATED.csv", lines[0], "empty list replaces nothing", dated},
		{"another header", "UPDATED.csv", strings.Replace(string(raw), "EXCLDATE", "EXCLUDED", 1), "EXCLDATE", dated},
		{"half of it", "UPDATED.csv", half, "--accept-smaller", dated},
		{"half of it, as a dry run", "UPDATED.csv", half, "--accept-smaller", append(dated, "--dry-run")},
		{"the whole list as a month", "2611excl.csv", string(raw) + lines[1], "call it UPDATED.csv", nil},
		{"the month after the next", "2612excl.csv", lines[0] + lines[1], "after today", nil},
		{"a month of before", "2609excl.csv", lines[0] + lines[1], "older than the release in force", nil},
		{"reinstatements of before", "2609rein.csv", lines[0] + lines[1], "leaves out whom it names already", nil},
	} {
		if _, errs, status := list(c.file, c.text, c.more...); status != exitFailed || !strings.Contains(errs, c.want) || head(t, dir) != before {
			t.Errorf("%s: %d\n%s", c.name, status, errs)
		}
	}
	out, errs, status := list("2611excl.csv", lines[0]+lines[1])
	var x imported
	if err := json.Unmarshal([]byte(out), &x); err != nil || status != exitDone || !x.Run.Release.Partial || x.Run.Release.AsOf != "2026-11-30" || x.Run.Counts.Removed != 0 {
		t.Errorf("a month: %d, %v, %+v\n%s", status, err, x.Run, errs)
	}
	before = head(t, dir)
	if _, errs, status = list("UPDATED.csv", string(raw)+lines[1], "--as-of", "2026-11-20"); status != exitFailed || !strings.Contains(errs, "is older than what is in force") || head(t, dir) != before {
		t.Errorf("a whole list of before the month: %d\n%s", status, errs)
	}
	if out, errs, status = list("UPDATED.csv", half, append(dated, "--accept-smaller")...); status == exitFailed {
		t.Errorf("half of it, accepted: %d\n%s%s", status, out, errs)
	}
}

// What the demonstration plants in SAM and in the Texas list comes out as it must: a problem on record
// where two people confirmed an NPI, under review where nobody has, and nothing at all of a name.
func TestPlantedExclusions(t *testing.T) {
	type screen struct {
		status    directory.Status
		candidate bool
	}
	want := map[string]map[string]screen{
		"Garrick Thole":            {"leie": {directory.StatusAdverse, false}, "sam": {directory.StatusUnderReview, false}},
		"Frances Ingersoll":        {"leie": {directory.StatusVerified, false}, "sam": {directory.StatusAdverse, false}},
		"Esteban Escamilla":        {"sam": {directory.StatusUnderReview, false}},
		"Adaeze Danquah":           {"sam": {directory.StatusNone, true}},
		"Yarrow Ketamine Care Inc": {"sam": {directory.StatusNone, true}},
		"Frances Vickery":          {"sam": {directory.StatusVerified, false}, "tx-oig": {directory.StatusAdverse, false}},
		"Olga Chernow":             {"tx-oig": {directory.StatusUnderReview, false}},
		"Winona Yazzie":            {"tx-oig": {directory.StatusVerified, false}}, // reinstated, and a person has looked
		"Saul Goldfarb":            {"tx-oig": {directory.StatusNone, true}},
		"Raisa Kaminsky":           {"tx-oig": {directory.StatusNone, true}},
		"Amara Whitcomb":           {"leie": {directory.StatusVerified, false}, "sam": {directory.StatusVerified, false}, "tx-oig": {directory.StatusVerified, false}},
	}
	dir := loaded(t, nil)
	var victims []directory.Provider
	adverse := map[string]int{}
	held(t, dir, func(f *directory.CredentialFile, now directory.Instant) {
		mine, clear := want[f.Provider.DisplayName()], 0
		delete(want, f.Provider.DisplayName())
		for _, h := range f.Claims {
			if h.Claim.Kind != directory.ExclusionScreen {
				continue
			}
			s := directory.Derive(h, now, now.AddDays(1), directory.StandardPolicies())
			switch s.Status {
			case directory.StatusAdverse:
				adverse[h.Claim.Issuer]++
			case directory.StatusVerified:
				clear++
			}
			if w, ok := mine[h.Claim.Issuer]; ok && (s.Status != w.status || s.Candidate != w.candidate) {
				t.Errorf("%s, %s: %q, candidate %v, want %+v", f.Provider.DisplayName(), h.Claim.Issuer, s.Status, s.Candidate, w)
			}
			delete(mine, h.Claim.Issuer)
		}
		if clear == 3 && f.Provider.Kind == directory.Person && len(victims) < 2 {
			victims = append(victims, f.Provider)
		}
		if len(mine) > 0 {
			t.Errorf("%s was not searched in %v", f.Provider.DisplayName(), mine)
		}
	})
	if len(want) > 0 {
		t.Errorf("not in the demonstration: %v", want)
	}
	if diff := cmp.Diff(map[string]int{"leie": 1, "sam": 1, "tx-oig": 1}, adverse); diff != "" {
		t.Errorf("excluded people (-want +got):\n%s", diff)
	}

	// A further name in either list, without an identifier that agrees, changes no public byte.
	if len(victims) < 2 {
		t.Fatal("nobody is clear on all three lists")
	}
	before := publicBytes(t, dir)
	sam := demoFile(t, demoSAM, func(text string) string {
		n := victims[0].Name
		return text + fmt.Sprintf(`"Individual","","",%q,"",%q,"","1 Example Street","","","","SPRINGFIELD","VT","USA","05156","Y","","","Reciprocal","HHS","Z1","Prohibition/Restriction","","03/20/2020","Indefinite","","","DEMO99999","","","2020-03-21"`,
			strings.ToUpper(n.Given), strings.ToUpper(n.Family)) + "\r\n"
	})
	oig := demoFile(t, demoOIG, func(text string) string {
		n := victims[1].Name
		return text + fmt.Sprintf(",%q,%q,,Nurse,799999,,3/20/2020,3/21/2020,,,,Board action\n", n.Family, n.Given)
	})
	for _, args := range [][]string{{"sam", sam, "--as-of", "2026-11-11"}, {"tx-oig", oig, "--as-of", "2026-11-05"}} {
		if out, errs, status := kapdir(t, append(append([]string{"import"}, args...), "--state", dir, "--now", "2026-11-16T15:00:00Z")...); status != exitRejected {
			t.Fatalf("%v: %d\n%s%s", args, status, out, errs)
		}
	}
	after := publicBytes(t, dir)
	told := 0
	for path, was := range before {
		if now := after[path]; now != was && told < 3 {
			told++
			t.Errorf("the public sees the candidate at %s:\n%s", path, cmp.Diff(was, now))
		}
	}
	if len(before) != len(after) {
		t.Errorf("%d public answers before, %d after", len(before), len(after))
	}
}

// TestImportAgain: bytes that were imported before are read once more when somebody says so, as every report of
// damage advises, and also to correct the date that they were said to have.
func TestImportAgain(t *testing.T) {
	state := t.TempDir()
	line := func(more ...string) string {
		t.Helper()
		out, _, code := kapdir(t, append([]string{"import", "leie", filepath.Join("..", "..", "data", "demo", "leie", "UPDATED.csv"), "--state", state}, more...)...)
		if code != 0 {
			t.Fatalf("exit status %d: %s", code, out)
		}
		return out
	}
	line("--as-of", "2026-11-10")
	if out := line("--as-of", "2026-11-11"); !strings.Contains(out, "already imported as run 1") {
		t.Errorf("the same bytes: %s", out)
	}
	if out := line("--as-of", "2026-11-11", "--again"); strings.Contains(out, "already") {
		t.Errorf("with --again: %s", out)
	}
	if out, _, _ := kapdir(t, "sources", "--state", state); !strings.Contains(out, "11 Nov 2026") && !strings.Contains(out, "2026-11-11") {
		t.Errorf("the corrected date is not in force: %s", out)
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/crawler"
	"kapdir/data"
	"kapdir/directory"
	"kapdir/directory/store"
)

const blueLake = `partners:
  - {id: blue-lake, name: Blue Lake, publisher: "Blue Lake, Inc.", licence: by letter, attribution: Blue Lake, may_republish: false, terms: manual_only}
`

// put writes a file of a test.
func put(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A partner's file goes in but for the rows that cannot; those come back in a file that can be corrected and
// imported as it is. Nothing of a Social Security number is kept anywhere.
func TestImportListings(t *testing.T) {
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	out, _, status := kapdir(t, "import", "listings", "--template")
	if status != exitDone || !strings.Contains(out, "id,kind,name,") {
		t.Fatalf("template: %d %s", status, out)
	}
	if out, _, _ := kapdir(t, "import", "listings", "--template=jsonl"); !strings.HasPrefix(out, `{"id":"# `) {
		t.Errorf("JSON lines: %.80s", out)
	}
	file := put(t, filepath.Join(dir, "blue.csv"), "id,kind,name,site_state,site_city,licences\n"+
		"a1,person,Ada Example,Colorade,Denver,\na2,person,Bob Example,CO,Denver,\na3,person,Cy Example,CO,900-01-2345,\na4,person,Dee Example,CO,Denver,LCSW #900014321\n")
	args := []string{"import", "listings", file, "--source", "blue-lake", "--state", state, "--now", "2026-11-23T09:00:00Z"}
	if _, errs, status := kapdir(t, args...); status != exitFailed || !strings.Contains(errs, `no partner "blue-lake"`) || !strings.Contains(errs, "--from") {
		t.Errorf("an unknown partner: %d %s", status, errs)
	}
	if _, errs, status := kapdir(t, "import", "listings", file, "--source", "leie", "--state", state); status != exitFailed || !strings.Contains(errs, "no rows of listings") {
		t.Errorf("rows for an exclusion list: %d %s", status, errs)
	}
	from := put(t, filepath.Join(dir, "sources.yaml"), blueLake)
	out, errs, status := kapdir(t, append(slices.Clone(args), "--from", from, "--dry-run")...)
	if status != exitRejected || !strings.Contains(out, "+ a2  Bob Example  (line 3)") || !strings.Contains(out, "line 2 was not taken: site_state: ") {
		t.Errorf("dry run: %d\n%s%s", status, out, errs)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*.rejects*")); len(found) > 0 {
		t.Errorf("a dry run wrote %v", found)
	}
	out, errs, status = kapdir(t, append(slices.Clone(args), "--from", from)...)
	rejects := filepath.Join(dir, "blue.rejects.csv")
	if status != exitRejected || !strings.Contains(out, rejects) {
		t.Fatalf("%d\n%s%s", status, out, errs)
	}
	raw, err := os.ReadFile(rejects)
	info, _ := os.Stat(rejects)
	if err != nil || info.Mode().Perm() != 0o600 || strings.Count(string(raw), "\n") != 4 || !strings.Contains(string(raw), `a1,person,Ada Example,Colorade,Denver,,"site_state: ""Colorade""`) {
		t.Errorf("rejects: %v %v\n%s", err, info.Mode(), raw)
	}
	fixed := strings.NewReplacer("Colorade", "CO", "a3,person,Cy Example,CO,(not kept: write anew),", "a3,person,Cy Example,CO,Boulder,", "a4,person,Dee Example,CO,Denver,(not kept: write anew),", "a4,person,Dee Example,CO,Denver,LCSW #CSW.1,").Replace(string(raw))
	put(t, rejects, fixed)
	out, errs, status = kapdir(t, "import", "listings", rejects, "--source", "blue-lake", "--state", state, "--now", "2026-11-23T09:00:00Z", "--json")
	var x imported
	if err := json.Unmarshal([]byte(out), &x); err != nil || status != exitDone || x.Run.Counts.Added != 3 {
		t.Errorf("corrected: %v, %d %+v\n%s", err, status, x.Run.Counts, errs)
	}
	if _, _, status := kapdir(t, append(slices.Clone(args), "--rejects", rejects)...); status != exitFailed {
		t.Errorf("rejects over a file that is there: %d", status)
	}
	n := 0
	held(t, state, func(f *directory.CredentialFile, _ directory.Instant) { n++ })
	if n != 4 {
		t.Errorf("%d providers, want 4", n)
	}
	for _, where := range []string{dir, state} {
		_ = filepath.WalkDir(where, func(path string, d os.DirEntry, _ error) error {
			if b, err := os.ReadFile(path); err == nil && path != file && (bytes.Contains(b, []byte("900-01-2345")) || bytes.Contains(b, []byte("900014321"))) {
				t.Errorf("%s holds a Social Security number", path)
			}
			return nil
		})
	}
	// A server that was started before names the partner.
	s := start(t, "serve", "--state", state)
	if page := s.page(t, "/sources"); !strings.Contains(page.Text(), "Blue Lake, Inc.") {
		t.Error("the page of sources does not name the partner")
	}
}

// A server that is running when a partner is added names it within a second.
func TestPartnerOfARunningServer(t *testing.T) {
	dir := t.TempDir()
	s := start(t, "serve", "--state", filepath.Join(dir, "state"))
	file := put(t, filepath.Join(dir, "p.csv"), "id,kind,name\na,person,Ada Example\n")
	if out, errs, status := kapdir(t, "import", "listings", file, "--source", "blue-lake", "--from", put(t, filepath.Join(dir, "s.yaml"), blueLake), "--state", filepath.Join(dir, "state")); status != exitDone {
		t.Fatalf("%d %s%s", status, out, errs)
	}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		_, body, _ := s.get(t, "/api/v1/sources")
		if strings.Contains(string(body), `"id":"blue-lake"`) {
			return
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatal("after five seconds the server does not know the partner")
		}
	}
}

// A server that is running when a recipe of the operator's own is added names its site within a second, and
// one that cannot be read takes no site away.
func TestRecipeOfARunningServer(t *testing.T) {
	recipes := filepath.Join(t.TempDir(), "recipes")
	if err := os.MkdirAll(recipes, 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, "serve", "--state", filepath.Join(filepath.Dir(recipes), "state"), "--recipes", recipes)
	recipe, err := os.ReadFile("../../crawler/testdata/own/therapist-cards.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names := func() bool {
		_, body, _ := s.get(t, "/api/v1/sources")
		return strings.Contains(string(body), `"id":"therapist-cards"`)
	}
	put(t, filepath.Join(recipes, "therapist-cards.yaml"), string(recipe))
	for begun := time.Now(); !names(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > 5*time.Second {
			t.Fatal("after five seconds the server does not know the recipe")
		}
	}
	put(t, filepath.Join(recipes, "broken.yaml"), "no recipe")
	for begun := time.Now(); time.Since(begun) < 1500*time.Millisecond; time.Sleep(50 * time.Millisecond) {
		if !names() {
			t.Fatal("a recipe that cannot be read took another's site away")
		}
	}
}

// What is due is imported, what is not is left, a source that fails keeps nobody from the rest, and a table
// says what became of each.
func TestImportAll(t *testing.T) {
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	list, err := data.FS.ReadFile("demo/leie/UPDATED.csv")
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "UPDATED-2026-10-10.csv"), "older, and not read")
	put(t, filepath.Join(dir, "UPDATED-2026-11-10.csv"), string(list))
	put(t, filepath.Join(dir, "p-2026-11-01.csv"), "id,kind,name\na,person,Ada Example\n")
	put(t, filepath.Join(dir, "p-2026-11-02.csv"), "id,kind,name\na,person,Ada Later-Example\nb,nobody,Bob Example\n")
	from := put(t, filepath.Join(dir, "sources.yaml"), blueLake+`sources:
  - {source: sam, where: missing-*.csv, every: daily}
  - {source: leie, where: UPDATED-*.csv, every: monthly}
  - {source: blue-lake, where: p-*.csv, every: 24h, take: all}
`)
	run := func(now string, want int, more ...string) (x allImported) {
		t.Helper()
		out, errs, status := kapdir(t, append([]string{"import", "all", "--from", from, "--state", state, "--now", now, "--json"}, more...)...)
		if err := json.Unmarshal([]byte(out), &x); err != nil || status != want {
			t.Fatalf("%v, %d\n%s%s", err, status, out, errs)
		}
		return x
	}
	states := func(x allImported) (out []string) {
		for _, s := range x.Sources {
			out = append(out, s.Source+" "+s.File+" "+s.State)
		}
		return out
	}
	dry := run("2026-11-23T09:00:00Z", exitFailed, "--dry-run")
	if d := cmp.Diff([]string{"sam missing-*.csv failed", "leie UPDATED-2026-11-10.csv due", "blue-lake p-2026-11-01.csv due", "blue-lake p-2026-11-02.csv due"}, states(dry)); d != "" {
		t.Errorf("dry run:\n%s", d)
	}
	if n := len(dry.Sources[1].Import.Diff.Added); n != 10 || dry.Sources[1].Import.Run.Counts.Added < 100 {
		t.Errorf("%d rows of the list shown, %+v", n, dry.Sources[1].Import.Run.Counts)
	}
	x := run("2026-11-23T09:00:00Z", exitFailed)
	if d := cmp.Diff([]string{"sam missing-*.csv failed", "leie UPDATED-2026-11-10.csv imported", "blue-lake p-2026-11-01.csv imported", "blue-lake p-2026-11-02.csv imported"}, states(x)); d != "" {
		t.Errorf("first:\n%s", d)
	}
	if x.Failed != 1 || !strings.Contains(x.Sources[0].Error, "no file fits") || x.Sources[3].Import.RejectsFile == "" || x.Sources[3].Import.Run.Counts.Changed != 1 {
		t.Errorf("first: %+v", x)
	}
	put(t, filepath.Join(dir, "missing-.csv"), "not a list at all")
	x = run("2026-11-24T08:00:00Z", exitFailed)
	if d := cmp.Diff([]string{"sam missing-.csv failed", "leie UPDATED-*.csv skipped", "blue-lake p-*.csv skipped"}, states(x)); d != "" {
		t.Errorf("not due:\n%s", d)
	}
	if got := x.Sources[1].NextDue; got != "2026-12-23T09:00:00.000Z" {
		t.Errorf("the list is due %s", got)
	}
	put(t, from, strings.Replace(blueLake, "Blue Lake,", "Blue Lake Two,", 1)+`sources:
  - {source: leie, where: UPDATED-*.csv, every: monthly}
  - {source: blue-lake, where: p-*.csv, every: 24h, take: all}
`)
	x = run("2026-12-23T09:00:00Z", exitDone) // the same files: nothing is read again
	if d := cmp.Diff([]string{"leie UPDATED-2026-11-10.csv already", "blue-lake p-2026-11-01.csv already", "blue-lake p-2026-11-02.csv already"}, states(x)); d != "" {
		t.Errorf("due, and nothing new:\n%s", d)
	}
	put(t, filepath.Join(dir, "p-2026-12-20.csv"), "id,kind,name\nc,person,Cy Example\nd,nobody,Dee Example\n")
	x = run("2026-12-25T09:00:00Z", exitRejected)
	if d := cmp.Diff([]string{"leie UPDATED-2026-11-10.csv already", "blue-lake p-2026-11-01.csv already", "blue-lake p-2026-11-02.csv already", "blue-lake p-2026-12-20.csv imported"}, states(x)); d != "" {
		t.Errorf("a new file:\n%s", d)
	}
	names := ""
	held(t, state, func(f *directory.CredentialFile, _ directory.Instant) { names += f.Provider.DisplayName() + "; " })
	if !strings.Contains(names, "Ada Later-Example") || !strings.Contains(names, "Cy Example") {
		t.Errorf("listed: %s", names)
	}
	// The table for people.
	out, errs, status := kapdir(t, "import", "all", "--from", from, "--state", state, "--now", "2026-12-25T10:00:00Z")
	if status != exitDone || !strings.Contains(out, "SOURCE") || strings.Count(out, "skipped") != 1 || !strings.Contains(out, "already") {
		t.Errorf("%d\n%s%s", status, out, errs)
	}
	// The history.
	out, errs, status = kapdir(t, "runs", "--state", state, "--source", "blue-lake", "--json")
	var runs []runRow
	if err := json.Unmarshal([]byte(out), &runs); err != nil || status != exitDone || len(runs) != 3 || runs[0].Outcome != "done" || runs[0].Counts.Rejected != 1 || runs[0].Release.File != "p-2026-12-20.csv" {
		t.Errorf("%v, %d %+v %s", err, status, runs, errs)
	}
	if out, _, status := kapdir(t, "runs", "--state", state); status != exitDone || !strings.Contains(out, "leie") || strings.Count(out, "done") != 4 {
		t.Errorf("%d\n%s", status, out)
	}
	if _, errs, status := kapdir(t, "runs", "--state", state, "--source", "nobody"); status != exitUsage || !strings.Contains(errs, "kapdir sources") {
		t.Errorf("%d %s", status, errs)
	}
}

// A partner's correction under the same name goes in, also where it is as long as what it corrects.
func TestImportAllCorrected(t *testing.T) {
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	from := put(t, filepath.Join(dir, "sources.yaml"), blueLake+"sources:\n  - {source: blue-lake, where: p-*.csv, every: 24h, take: all}\n")
	run := func(now, zip string) string {
		put(t, filepath.Join(dir, "p-2026-11-01.csv"), "id,kind,name,site_city,site_state,site_zip\na,person,Ada Example,Boulder,CO,"+zip+"\n")
		out, errs, status := kapdir(t, "import", "all", "--from", from, "--state", state, "--now", now)
		if status != exitDone {
			t.Fatalf("%d %s%s", status, out, errs)
		}
		return out
	}
	run("2026-11-20T09:00:00Z", "80302")
	if out := run("2026-11-22T09:00:00Z", "80302"); !strings.Contains(out, "already") {
		t.Errorf("the same file:\n%s", out)
	}
	run("2026-11-24T09:00:00Z", "80303")
	zip := ""
	held(t, state, func(f *directory.CredentialFile, _ directory.Instant) { zip = f.Provider.Sites[0].Address.ZIP })
	if zip != "80303" {
		t.Errorf("the office is still at %s", zip)
	}
}

// An import that is killed in the middle is run again: nothing is lost or doubled, and the rows that were taken
// are not written again.
func TestImportAllKilled(t *testing.T) {
	const rows = 4000
	var b strings.Builder
	b.WriteString("id,kind,name,site_city,site_state,site_zip,licences,route\n")
	for i := range rows {
		word := string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		fmt.Fprintf(&b, "r%d,person,Ada%s Ex%s,Boulder,CO,80302,\"LCSW #CSW.%08d, Colorado\",oral\n", i, word, word, 9_000_000+i)
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "p.csv"), b.String())
	from := put(t, filepath.Join(dir, "s.yaml"), blueLake+"sources:\n  - {source: blue-lake, where: p.csv, every: 24h}\n")
	args := func(state string) []string {
		return []string{"import", "all", "--from", from, "--state", state, "--now", "2026-11-23T09:00:00Z", "--quiet"}
	}
	calm := filepath.Join(dir, "calm")
	if out, errs, status := kapdir(t, args(calm)...); status != exitDone {
		t.Fatalf("%d\n%s%s", status, out, errs)
	}
	want := normal(t, calm)

	state := filepath.Join(dir, "state")
	if out, errs, status := kapdir(t, "staff", "add", "rowan", "verifier", "--state", state); status != exitDone { // makes the database
		t.Fatalf("%d\n%s%s", status, out, errs)
	}
	cmd := program(t, args(state)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Config{Dir: state, Now: time.Now, KeepRules: true})
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		runs, err := st.RunsOf(t.Context(), "blue-lake", 1)
		if err == nil && len(runs) == 1 && runs[0].Counts.Read >= 500 {
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatal("after a minute no row is in")
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	runs, err := st.RunsOf(t.Context(), "blue-lake", 0)
	if err != nil || len(runs) != 1 || runs[0].Outcome != "running" || runs[0].Counts.Read >= rows {
		t.Fatalf("it was not killed in the middle: %+v, %v", runs, err)
	}
	taken := runs[0].Counts
	first := seqs(t, st)
	st.Close()
	if out, errs, status := kapdir(t, args(state)...); status != exitDone {
		t.Fatalf("again: %d\n%s%s", status, out, errs)
	}
	if d := cmp.Diff(want, normal(t, state)); d != "" {
		t.Errorf("the store is another one (-calm +killed):\n%.4000s", d)
	}
	st, err = store.Open(t.Context(), store.Config{Dir: state, Now: time.Now, KeepRules: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	runs, err = st.RunsOf(t.Context(), "blue-lake", 0)
	if err != nil || len(runs) != 2 || runs[1].Outcome != "interrupted" || runs[0].Outcome != "done" {
		t.Fatalf("%+v, %v", runs, err)
	}
	c := runs[0].Counts
	t.Logf("killed after %d of %d rows; then %d unchanged, %d added", taken.Read, rows, c.Unchanged, c.Added)
	if c.Unchanged != taken.Added || c.Added != rows-taken.Added || c.Changed+c.Rejected != 0 {
		t.Errorf("killed at %+v, then %+v", taken, c)
	}
	after := seqs(t, st)
	for id, seq := range first {
		if after[id] != seq {
			t.Errorf("provider %s was written again: %d, then %d", id, seq, after[id])
			break
		}
	}
	if out, errs, status := kapdir(t, "fsck", "--state", state); status != exitDone {
		t.Errorf("fsck: %d\n%s%s", status, out, errs)
	}
}

// seqs are the numbers at which everybody changed last.
func seqs(t testing.TB, st *store.Store) map[directory.ID]int64 {
	t.Helper()
	out := map[directory.ID]int64{}
	if err := st.EachFile(context.Background(), func(f *directory.CredentialFile) error { out[f.Provider.ID] = f.Provider.Seq; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// The quarantine is listed, shown and tried again with the present program, which takes what an older one
// could not.
func TestQuarantine(t *testing.T) {
	dir, state := t.TempDir(), filepath.Join(t.TempDir(), "state")
	content := "id,kind,name\na,person,Ada Example\nb,person,Bob Example\nc,nobody,Cy Example\n"
	file := put(t, filepath.Join(dir, "p.csv"), content)
	if out, errs, status := kapdir(t, "import", "listings", file, "--source", "kap-commons", "--state", state, "--dry-run"); status != exitRejected {
		t.Fatalf("%d %s%s", status, out, errs)
	}
	// As an older program left it: line 3 could not be read.
	sum := sha256.Sum256([]byte(content))
	st, err := store.Open(t.Context(), store.Config{Dir: state, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	run, err := st.Begin(t.Context(), directory.Release{Source: "kap-commons", Name: "old", AsOf: "2026-11-01", SHA256: hex.EncodeToString(sum[:]), File: "p.csv", Size: int64(len(content))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Put(t.Context(), run.ID, directory.Batch{Rejects: []directory.Reject{{File: "p.csv", Line: 3, Reason: `row "7" is too hard`, Text: "b, Bob Example"}, {File: "p.csv", Line: 4, Field: "kind", Reason: `row "8" is too hard`}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := st.End(t.Context(), run.ID, nil); err != nil {
		t.Fatal(err)
	}
	st.Close()
	out, _, status := kapdir(t, "quarantine", "list", "--state", state, "--json")
	var groups []quarantineGroup
	if err := json.Unmarshal([]byte(out), &groups); err != nil || status != exitDone || len(groups) != 2 || groups[0].Reason != "row … is too hard" {
		t.Errorf("%v %d %+v", err, status, groups)
	}
	if out, _, _ := kapdir(t, "quarantine", "list", "--state", state, "--reason", "comma"); !strings.Contains(out, "Nothing is in quarantine") {
		t.Errorf("by another reason: %s", out)
	}
	if out, _, status := kapdir(t, "quarantine", "show", "1", "3", "--state", state); status != exitDone || !strings.Contains(out, "p.csv:3") || !strings.Contains(out, "held: b, Bob Example") || strings.Contains(out, "p.csv:4") {
		t.Errorf("%d %s", status, out)
	}
	for _, bad := range [][]string{{"show", "x"}, {"show", "0"}, {"show", "1", "x"}, {"retry", "1"}} {
		if _, _, status := kapdir(t, append([]string{"quarantine"}, append(bad, "--state", state)...)...); status != exitUsage {
			t.Errorf("quarantine %v: %d", bad, status)
		}
	}
	if _, errs, status := kapdir(t, "quarantine", "show", "99", "--state", state); status != exitFailed || !strings.Contains(errs, "kapdir runs") {
		t.Errorf("no such run: %d %s", status, errs)
	}
	if out, _, _ := kapdir(t, "import", "listings", file, "--source", "kap-commons", "--state", state); !strings.Contains(out, "already imported as run 1") {
		t.Errorf("the same bytes: %s", out)
	}
	out, errs, status := kapdir(t, "quarantine", "retry", "1", file, "--state", state, "--json")
	var x retried
	if err := json.Unmarshal([]byte(out), &x); err != nil || status != exitRejected || !x.SameBytes || x.WentIn != 1 || x.Before != 2 || x.After != 1 || len(x.Rows) != 1 || x.Rows[0].Line != 3 ||
		x.Import.Run.Release.AsOf != "2026-11-01" || x.Import.Run.Release.Name != "old" {
		t.Errorf("%v %d %+v %s", err, status, x, errs)
	}
	fixed := put(t, filepath.Join(dir, "fixed.csv"), strings.Replace(content, "nobody", "person", 1))
	if out, _, status := kapdir(t, "quarantine", "retry", "2", fixed, "--state", state); status != exitDone || !strings.Contains(out, "1 were in quarantine then, 0 are now") || !strings.Contains(out, "1 added, 0 changed, 2 unchanged") {
		t.Errorf("corrected: %d %s", status, out)
	}
	// A file that something newer has replaced stays replaced.
	list, _ := data.FS.ReadFile("demo/leie/UPDATED.csv")
	leie := put(t, filepath.Join(dir, "UPDATED.csv"), string(list))
	for _, asOf := range []string{"2026-10-10", "2026-11-10"} {
		if _, errs, status := kapdir(t, "import", "leie", leie, "--as-of", asOf, "--state", state); status == exitFailed {
			t.Fatal(errs)
		}
		put(t, leie, strings.TrimRight(string(list), "\r\n")+"\n\n\n")
	}
	if _, errs, status := kapdir(t, "quarantine", "retry", "4", leie, "--state", state); status != exitFailed || !strings.Contains(errs, "retry run 5") {
		t.Errorf("%d %s", status, errs)
	}
}

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		every    string
		from, to directory.Instant
	}{
		{"24h", "2026-11-23T09:00:00.000Z", "2026-11-24T09:00:00.000Z"}, {"7d", "2026-11-23T09:00:00.000Z", "2026-11-30T09:00:00.000Z"},
		{"hourly", "2026-11-23T09:00:00.000Z", "2026-11-23T10:00:00.000Z"}, {"daily", "2026-12-31T09:00:00.000Z", "2027-01-01T09:00:00.000Z"},
		{"weekly", "2026-11-23T09:00:00.000Z", "2026-11-30T09:00:00.000Z"}, {"monthly", "2026-11-10T09:00:00.000Z", "2026-12-10T09:00:00.000Z"},
		{"monthly", "2027-01-31T09:00:00.000Z", "2027-02-28T09:00:00.000Z"}, {"monthly", "2028-01-30T09:00:00.000Z", "2028-02-29T09:00:00.000Z"}, {"monthly", "2026-12-31T09:00:00.000Z", "2027-01-31T09:00:00.000Z"},
	} {
		v, err := parseInterval(c.every)
		if err != nil || v.after(c.from) != c.to {
			t.Errorf("%s after %s: %s, want %s; %v", c.every, c.from, v.after(c.from), c.to, err)
		}
	}
	for _, bad := range []string{"", "often", "0d", "-1h", "7", "7w", "d", "99999d"} {
		if _, err := parseInterval(bad); err == nil {
			t.Errorf("%q is an interval", bad)
		}
	}
}

// A file that says anything we do not know is refused with the entry and what to write; the template is read.
func TestSourcesFile(t *testing.T) {
	x, err := (&app{}).parseSourcesFile("sources.yaml", "/srv", []byte(sourcesTemplate))
	if err != nil || len(x.Partners) != 1 || len(x.Sources) != 4 || x.Sources[0].Where != "/srv/nppes/NPPES_Data_Dissemination_*.zip" || !x.Sources[3].rows || x.Sources[3].Take != "all" {
		t.Errorf("the template: %+v, %v", x, err)
	}
	for content, want := range map[string]string{
		"":                          "names no source",
		"sources: [{source: leie}]": "entry 1: source, where and every are needed",
		"sources: [{source: nobody, where: x, every: 7d}]":                                    "described under partners",
		"sources: [{source: leie, where: x, every: often}]":                                   "hourly, daily",
		"sources: [{source: leie, where: x, every: 7d, take: some}]":                          "newest or all",
		"sources: [{source: leie, where: x, every: 7d, options: {as_of: soon}}]":              "as_of",
		"sources: [{source: leie, where: '[', every: 7d}]":                                    "no pattern",
		"sources: [{source: leie, wher: x, every: 7d}]":                                       "wher",
		"partners: [{id: blue-lake, name: B, publisher: B, attribution: B}]":                  "licence",
		"partners: [{id: leie}]":                                                              "data/sources.csv already",
		"partners: [{id: blue-lake, name: B, publisher: B, attribution: B, licence: l}]":      "may_republish",
		strings.Repeat("x", 10):                                                               "",
		"sources: [{source: certificate, where: x, every: 7d, options: {as_of: 2026-13-01}}]": "as_of",
		blueLake + strings.TrimPrefix(blueLake, "partners:\n"):                                "stands there twice",
	} {
		if _, err := (&app{}).parseSourcesFile("sources.yaml", "/srv", []byte(content)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "sources.yaml") {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}

// Rate and time left are told on a terminal and off it; off it nothing is drawn, and with --quiet or --json
// nothing is said.
func TestProgress(t *testing.T) {
	show := func(tty bool, cfg Config, stage string) string {
		var b bytes.Buffer
		at := time.Now()
		m := &meter{a: &app{err: &b, cfg: cfg}, name: "nppes", tty: tty, last: at, now: func() time.Time { return at }}
		for i := range 3 {
			m.show(crawler.Progress{Stage: stage, File: "x.csv", Read: int64(i) * 100_000_000, Total: 1_000_000_000, Counts: directory.Counts{Read: i * 1000}})
			at = at.Add(10 * time.Second)
			if tty {
				time.Sleep(150 * time.Millisecond)
			}
		}
		out := b.String() // what follows takes the bar away
		m.done()
		return out
	}
	plain := show(false, Config{}, "reading")
	if want := "nppes: reading x.csv, 1000 rows, 100.0 MB of 1000.0 MB, 10.0 MB/s, about 1m30s left\n"; !strings.HasPrefix(plain, want) || strings.ContainsAny(plain, "\r\x1b") {
		t.Errorf("off a terminal: %q, want %q", plain, want)
	}
	if pages := show(false, Config{}, "fetching"); !strings.Contains(pages, "pages/s") {
		t.Errorf("pages: %q", pages)
	}
	bar := show(true, Config{}, "reading")
	if !strings.Contains(bar, "B/s)") || !strings.Contains(bar, "[") || !strings.Contains(bar, "\r") || !strings.Contains(bar, ":") {
		t.Errorf("on a terminal: %q", bar)
	}
	for _, cfg := range []Config{{Quiet: true}, {JSON: true}} {
		if out := show(true, cfg, "reading") + show(false, cfg, "reading"); out != "" {
			t.Errorf("%+v: %q", cfg, out)
		}
	}
}

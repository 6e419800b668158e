package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"kapdir/data"
	"kapdir/directory"
	"kapdir/directory/store"
)

// loaded imports the demonstration into a fresh state directory, without the steps that drop says to leave out.
func loaded(t testing.TB, drop func(demoStep) bool) (dir string) {
	t.Helper()
	dir = t.TempDir()
	a := &app{ctx: t.Context(), out: &bytes.Buffer{}, err: &bytes.Buffer{}, getenv: func(string) string { return "" }}
	a.cfg.State, a.cfg.Quiet = dir, true
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	if drop != nil {
		m.Steps = slices.DeleteFunc(m.Steps, drop)
	}
	clock := &standing{}
	clock.set(m.begins())
	st, err := a.openStore(clock.or(time.Now))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := a.loadDemo(st, m, clock); err != nil {
		t.Fatal(err)
	}
	return dir
}

// held opens a state directory at the demonstration's moment and calls f with every public file.
func held(t testing.TB, dir string, f func(*directory.CredentialFile, directory.Instant)) {
	t.Helper()
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Config{Dir: dir, Now: m.Now.Time})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if err := st.EachFile(t.Context(), func(x *directory.CredentialFile) error { f(x, m.Now); return nil }); err != nil {
		t.Fatal(err)
	}
}

func head(t testing.TB, dir string) directory.Head {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	h, err := st.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// From files to a parsed page and its JSON.
func TestDemoEndToEnd(t *testing.T) {
	dir := t.TempDir()
	s := start(t, "demo", "--state", dir)

	page := s.page(t, "/")
	if n := page.Find("h1").Length(); n != 1 {
		t.Errorf("%d h1 on the search page", n)
	}
	if !strings.Contains(strings.ToLower(page.Text()), "invented") {
		t.Error("the search page does not say that its people are invented")
	}
	results := s.all(t, "")
	if len(results) < 300 {
		t.Errorf("%d results, want 300 or more", len(results))
	}
	ids := map[string]bool{}
	outcomes := map[string]map[string]int{}
	for _, r := range results {
		if ids[r.ID] {
			t.Errorf("%s came twice", r.ID)
		}
		ids[r.ID] = true
		if len(r.Checks) != 5 {
			t.Fatalf("%s has %d checks", r.Name, len(r.Checks))
		}
		for _, c := range r.Checks {
			if c.Sentence == "" {
				t.Errorf("%s: check %s has no sentence", r.Name, c.Check)
			}
			if outcomes[c.Check] == nil {
				outcomes[c.Check] = map[string]int{}
			}
			outcomes[c.Check][c.Result]++
		}
	}
	t.Logf("outcomes %v", outcomes)
	for check, results := range map[string][]string{
		"license":   {"confirmed", "stated_in_listing", "problem_on_record", "being_checked", "not_met", "not_checked"},
		"training":  {"stated_in_listing", "shown_by_document", "not_checked"},
		"oversight": {"shown_by_document", "stated_by_provider", "stated_in_listing", "not_checked"},
		"protocol":  {"stated_by_provider", "stated_in_listing", "shown_by_document", "not_met", "not_checked"},
	} {
		for _, want := range results {
			if outcomes[check][want] == 0 {
				t.Errorf("no provider of the demonstration shows %s: %s", check, want)
			}
		}
	}
	var a answer
	s.json(t, "/api/v1/providers", &a)
	if a.Demo == nil {
		t.Error("the API does not say that its people are invented")
	}
	states := map[string]bool{}
	for _, v := range a.Facets["state"] {
		states[v.Value] = true
	}
	if len(states) < 12 {
		t.Errorf("%d states, want 12 or more", len(states))
	}

	// The page of the first confirmed provider and its JSON say the same.
	i := slices.IndexFunc(results, func(r result) bool { return r.Checks[0].Result == "confirmed" })
	if i < 0 {
		t.Fatal("nobody's licence is confirmed")
	}
	var one result
	s.json(t, "/api/v1/providers/"+results[i].ID, &one)
	doc := s.page(t, "/providers/"+results[i].ID)
	if got := strings.TrimSpace(doc.Find("h1").First().Text()); !strings.Contains(got, one.Name) {
		t.Errorf("the page is headed %q, the JSON says %q", got, one.Name)
	}
	text := strings.Join(strings.Fields(doc.Find("main").Text()), " ")
	for _, c := range one.Checks {
		if !strings.Contains(text, strings.Join(strings.Fields(c.Sentence), " ")) {
			t.Errorf("the page lacks the sentence of check %s: %q", c.Check, c.Sentence)
		}
	}
	if !strings.Contains(text, "invented") && !strings.Contains(doc.Text(), "invented") {
		t.Error("the provider page does not say that its people are invented")
	}
	doc.Find("[src],link[href]").Each(func(_ int, x *goquery.Selection) {
		for _, attr := range []string{"src", "href"} {
			if v, ok := x.Attr(attr); ok && strings.HasPrefix(v, "http") && !strings.HasPrefix(v, s.url) {
				t.Errorf("the page asks for %s", v)
			}
		}
	})
	s.stop(t)

	// A second start changes nothing.
	before := head(t, dir)
	again := start(t, "demo", "--state", dir)
	var b answer
	again.json(t, "/api/v1/providers", &b)
	again.stop(t)
	if after := head(t, dir); after != before {
		t.Errorf("a second start moved the head from %+v to %+v", before, after)
	}
	if b.Head != a.Head || b.Total != a.Total {
		t.Errorf("a second start answers %d at %d, the first %d at %d", b.Total, b.Head, a.Total, a.Head)
	}
	if out, errs, status := kapdir(t, "fsck", "--state", dir); status != exitDone || !strings.Contains(out, "clean") {
		t.Errorf("fsck: %d\n%s%s", status, out, errs)
	}
}

// Without the staff's decisions nothing is confirmed (contracts.md §8).
func TestWithoutDecisionsNothingIsConfirmed(t *testing.T) {
	dir := loaded(t, func(s demoStep) bool { return s.Decisions != "" })
	n := 0
	held(t, dir, func(f *directory.CredentialFile, now directory.Instant) {
		n++
		for _, y := range []directory.State{f.Provider.HomeState(), "CO", "TX"} {
			for _, c := range directory.Checks(f, y, now, now.AddDays(1), directory.StandardPolicies()) {
				if c.Result == directory.Confirmed {
					t.Errorf("%s in %s: %s is confirmed", f.Provider.DisplayName(), y, c.Check)
				}
			}
		}
	})
	if n < 300 {
		t.Errorf("only %d providers", n)
	}
}

// publicBytes fetches everything the public can see of a state directory at the demonstration's moment.
func publicBytes(t *testing.T, dir string) map[string]string {
	t.Helper()
	s := start(t, "serve", "--state", dir)
	defer s.stop(t)
	out := map[string]string{}
	keep := func(path string) {
		status, body, h := s.get(t, path)
		h.Del("Date")
		h.Del("X-Request-Id")
		text := strings.NewReplacer(s.url, "", strings.ToLower(url.QueryEscape(s.url)), "").Replace(string(body)) // the port differs
		out[path] = fmt.Sprint(status, h.Get("ETag"), h.Get("Cache-Control"), "\n", text)
	}
	for _, q := range []string{"", "&sort=distance&near=80302", "&check=record%3Anot_checked", "&q=ketamine"} {
		next := ""
		for page := 0; ; page++ {
			var a answer
			path := "/api/v1/providers?limit=50" + q
			if next != "" {
				path += "&cursor=" + next
			}
			keep(path)
			s.json(t, path, &a)
			if q == "" {
				for _, r := range a.Results {
					keep("/providers/" + r.ID)
					keep("/api/v1/providers/" + r.ID)
				}
			}
			if a.Next == "" {
				break
			}
			next = a.Next
		}
	}
	keep("/")
	keep("/sources")
	keep("/api/v1/sources")
	return out
}

// A name-only hit on an exclusion list moves no byte that the public can see.
func TestNameOnlyCandidateChangesNoPublicByte(t *testing.T) {
	dir := loaded(t, nil)
	var victim directory.Provider
	held(t, dir, func(f *directory.CredentialFile, now directory.Instant) {
		for _, h := range f.Claims {
			if h.Claim.Kind == directory.ExclusionScreen && directory.Derive(h, now, now.AddDays(1), directory.StandardPolicies()).Status == directory.StatusVerified &&
				f.Provider.Kind == directory.Person && victim.ID == "" {
				victim = f.Provider
			}
		}
	})
	if victim.ID == "" {
		t.Fatal("no provider has a clear screen")
	}
	before := publicBytes(t, dir)

	list, err := fs.ReadFile(data.FS, "demo/leie/UPDATED.csv")
	if err != nil {
		t.Fatal(err)
	}
	row := fmt.Sprintf("%q,%q,\"\",\"\",\"IND- LIC HC SERV PRO\",\"COUNSELOR\",\"\",\"0000000000\",\"19610304\",\"1 Example Street\",\"Springfield\",\"VT\",\"05156\",\"1128b4\",\"20200319\",\"00000000\",\"00000000\",\"\"\n",
		strings.ToUpper(victim.Name.Family), strings.ToUpper(victim.Name.Given))
	file := filepath.Join(t.TempDir(), "UPDATED.csv")
	if err := os.WriteFile(file, append(bytes.TrimRight(list, "\r\n"), []byte("\n"+row)...), 0o600); err != nil {
		t.Fatal(err)
	}
	m, _ := readManifest()
	i := slices.IndexFunc(m.Steps, func(s demoStep) bool { return s.Source == "leie" })
	out, errs, status := kapdir(t, "import", "leie", file, "--state", dir, "--as-of", string(m.Steps[i].AsOf), "--release", m.Steps[i].Release, "--now", string(m.Now), "--json")
	if status != exitDone && status != exitRejected {
		t.Fatalf("import: %d\n%s%s", status, out, errs)
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
	// And staff do: there is a case about exactly this person.
	st, err := store.Open(t.Context(), store.Config{Dir: dir, Now: m.Now.Time})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	cases, err := st.Cases(t.Context(), true, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(cases, func(c directory.Case) bool { return c.Kind == directory.CaseExclusion && c.Provider == victim.ID }) {
		t.Errorf("no case was opened about %s", victim.DisplayName())
	}
}

// A row of an exclusion list that could not be read may speak of somebody: whoever it may be gets no
// "no match" from that release.
func TestUnreadExclusionRowClearsNobodyItMayName(t *testing.T) {
	dir := loaded(t, func(s demoStep) bool { return s.Source == "leie" || s.Decisions != "" })
	list, err := fs.ReadFile(data.FS, "demo/leie/UPDATED.csv")
	if err != nil {
		t.Fatal(err)
	}
	const npi = "2941330567" // Garrick Thole, whom the list names by NPI
	lines := strings.Split(string(list), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, npi) })
	lines[i] = lines[i][:strings.LastIndex(lines[i][:len(lines[i])-12], ",")] // cut short
	file := filepath.Join(t.TempDir(), "UPDATED.csv")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, status := kapdir(t, "import", "leie", file, "--state", dir, "--as-of", "2026-11-10", "--release", "2026-10", "--now", "2026-11-16T15:00:00Z")
	if status != exitRejected {
		t.Fatalf("exit status %d\n%s%s", status, out, errs)
	}
	clear := 0
	held(t, dir, func(f *directory.CredentialFile, now directory.Instant) {
		for _, h := range f.Claims {
			if h.Claim.Kind != directory.ExclusionScreen || h.Claim.Issuer != "leie" {
				continue
			}
			s := directory.Derive(h, now, now.AddDays(1), directory.StandardPolicies())
			if f.Provider.NPI == npi && s.Status != directory.StatusNone {
				t.Errorf("%s: %s", f.Provider.DisplayName(), s.Status)
			}
			if s.Status == directory.StatusVerified {
				clear++
			}
		}
	})
	if clear < 300 {
		t.Errorf("only %d others are clear", clear)
	}
}

// A listing may still have a name that the registry calls former: people are shown by the one they use.
func TestShownByThePresentName(t *testing.T) {
	found := false
	held(t, loaded(t, func(s demoStep) bool { return s.Source == "leie" || s.Decisions != "" }), func(f *directory.CredentialFile, _ directory.Instant) {
		if f.Provider.NPI == "2657243178" { // listed as Whitlock, which NPPES calls former
			found = true
			if got := f.Provider.Name.Family; got != "Esparza" {
				t.Errorf("shown as %s", f.Provider.DisplayName())
			}
		}
	})
	if !found {
		t.Error("she is not in the demonstration")
	}
}

// A register alone makes no page: a thousand rows of NPPES give no provider, no result.
func TestRegistersAloneMakeNoPage(t *testing.T) {
	dir := t.TempDir()
	raw, err := fs.ReadFile(data.FS, "demo/nppes/"+demoNPPES(t))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	write := func(rec []string) {
		for i, f := range rec {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + f + `"`)
		}
		b.WriteByte('\n')
	}
	write(rows[0])
	n := 0
	for nine := 299000000; n < 1000; nine++ {
		rec := slices.Clone(rows[1+n%(len(rows)-1)])
		if npi := withCheckDigit(fmt.Sprint(nine)); npi != "" {
			rec[0] = npi
			write(rec)
			n++
		}
	}
	file := filepath.Join(t.TempDir(), "npidata_pfile_20050523-20261108.csv")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, status := kapdir(t, "import", "nppes", file, "--all", "--state", dir, "--now", "2026-11-16T15:00:00Z", "--json")
	if status != exitDone && status != exitRejected {
		t.Fatalf("import: %d\n%s%s", status, out, errs)
	}
	var run imported
	if err := json.Unmarshal([]byte(out), &run); err != nil || run.Run.Counts.Added < 900 {
		t.Fatalf("%v: %s", err, out)
	}
	s := start(t, "serve", "--state", dir, "--now", "2026-11-16T15:00:00Z")
	if got := s.all(t, ""); len(got) != 0 {
		t.Errorf("%d results", len(got))
	}
}

func demoNPPES(t testing.TB) string {
	t.Helper()
	files, err := fs.ReadDir(data.FS, "demo/nppes")
	if err != nil || len(files) == 0 {
		t.Fatal("no NPPES file in the demonstration")
	}
	return files[0].Name()
}

// withCheckDigit returns the NPI of nine digits.
func withCheckDigit(nine string) string {
	for d := range 10 {
		if npi, err := directory.ParseNPI(nine + fmt.Sprint(d)); err == nil {
			return string(npi)
		}
	}
	return ""
}

// A malformed file gets one clear error and exit status 1, and changes nothing.
func TestMalformedFilesChangeNothing(t *testing.T) {
	dir := loaded(t, func(s demoStep) bool { return s.Source != "leie" && s.Source != "nppes" })
	files := t.TempDir()
	write := func(name string, body []byte) string {
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	leie, _ := fs.ReadFile(data.FS, "demo/leie/UPDATED.csv")
	long := write("long.csv", append(leie[:bytes.IndexByte(leie, '\n')+1], bytes.Repeat([]byte("x"), 8<<20)...))
	if f, err := os.OpenFile(long, os.O_RDWR, 0); err != nil || f.Truncate(1<<30) != nil || f.Close() != nil { // a sparse file: one line of 1 GB
		t.Fatal("cannot make the long file")
	}
	before := head(t, dir)
	for _, c := range []struct{ name, source, file string }{
		{"wrong header", "leie", write("header.csv", []byte("NAME,NPI\nx,y\n"))},
		{"header of another source", "nppes", write("npidata_pfile_20050523-20261108.csv", leie)},
		{"one column renamed", "leie", write("renamed.csv", bytes.Replace(leie, []byte("EXCLDATE"), []byte("EXCL_DATE"), 1))},
		{"truncated zip", "nppes", write("cut.zip", []byte("PK\x03\x04\x14\x00\x08\x00\x08\x00abcdefgh"))},
		{"binary", "leie", write("binary.csv", []byte{0x7f, 'E', 'L', 'F', 0, 1, 2, 3, 0xff, 0xfe, 0})},
		{"empty", "leie", write("empty.csv", nil)},
		{"header and nothing else", "leie", write("norows.csv", leie[:bytes.IndexByte(leie, '\n')+1])},
		{"one line of 1 GB", "leie", long},
		{"not there", "leie", filepath.Join(files, "nowhere.csv")},
		{"not JSON", "npi-api", write("answer.json", []byte("<html>"))},
		{"an error of the registry", "npi-api", write("error.json", []byte(`{"Errors":[{"field":"generic","number":"04","description":"No valid search criteria provided"}]}`))},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs, status := kapdir(t, "import", c.source, c.file, "--state", dir, "--quiet")
			if status != exitFailed {
				t.Errorf("exit status %d\n%s%s", status, out, errs)
			}
			var said []string
			for _, l := range strings.Split(strings.TrimSpace(errs), "\n") {
				if strings.HasPrefix(l, "kapdir:") {
					said = append(said, l)
				}
			}
			if len(said) != 1 || strings.Contains(errs, "goroutine") {
				t.Errorf("want one error, got:\n%s", errs)
			}
			if len(said) == 1 && !strings.Contains(said[0], filepath.Base(c.file)) {
				t.Errorf("the error does not name the file: %s", said[0])
			}
		})
	}
	if after := head(t, dir); after != before {
		t.Errorf("the head moved from %+v to %+v", before, after)
	}
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args   string
		status int
		says   string // of either stream
	}{
		{"", exitDone, "kapdir demo"},
		{"--help", exitDone, "Exit status"},
		{"import --help", exitDone, "quarantine"},
		{"demo --help", exitDone, "invented"},
		{"serve --help", exitDone, "SIGTERM"},
		{"index --help", exitDone, "rebuild"},
		{"sources --help", exitDone, "release"},
		{"fsck --help", exitDone, "chain"},
		{"--version", exitDone, version},
		{"frobnicate", exitUsage, "unknown command"},
		{"import", exitUsage, "requires at least"},
		{"import nowhere x.csv", exitUsage, "is not a source"},
		{"sources extra", exitUsage, ""},
		{"sources --nonsense", exitUsage, "unknown flag"},
		{"sources --now yesterday", exitUsage, "--now"},
		{"sources --dsn mysql://x", exitUsage, "--dsn"},
		{"serve --base-url nonsense", exitUsage, "--base-url"},
		{"import leie x.csv --as-of soon", exitUsage, "--as-of"},
		{"fsck --state DIR", exitFailed, "holds no directory of providers"},
		{"--state DIR staff add rowan verifier", exitDone, "decides"},
		{"--state DIR sources --json", exitDone, `"id": "leie"`},
		{"sources --json --state DIR", exitDone, `"id": "leie"`},
		{"index status --state DIR --json", exitDone, "{"},
		{"index rebuild --state DIR", exitDone, ""},
		{"fsck --state DIR", exitDone, "clean"},
		{"serve --state DIR --addr 256.0.0.1:99999", exitFailed, ""},
	} {
		args := strings.Fields(strings.ReplaceAll(c.args, "DIR", dir))
		out, errs, status := kapdir(t, args...)
		if status != c.status || !strings.Contains(out+errs, c.says) {
			t.Errorf("kapdir %s: exit status %d, want %d and %q\n%s%s", c.args, status, c.status, c.says, out, errs)
		}
	}
}

// Without --state, real data and the demonstration live in directories of their own; the flag and the
// environment variable rule over both, before and after the command's name.
func TestDefaultStateDirectories(t *testing.T) {
	in := func(env string, args ...string) string {
		t.Helper()
		cmd := program(t, args...)
		cmd.Dir = t.TempDir()
		if env != "" {
			cmd.Env = append(cmd.Env, "KAPDIR_STATE="+env)
		}
		if args[len(args)-1] == "demo" { // it serves until it is ended
			cmd.Args = append(cmd.Args, "--addr", "localhost:0")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for range 500 {
				if m, _ := filepath.Glob(filepath.Join(cmd.Dir, "*", "demo", "kapdir.db")); len(m) > 0 {
					break
				}
				if m, _ := filepath.Glob(filepath.Join(cmd.Dir, "*", "kapdir.db")); len(m) > 0 {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		} else if out, err := cmd.CombinedOutput(); (err != nil) != (args[0] == "sources") {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		var found []string
		_ = filepath.WalkDir(cmd.Dir, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && filepath.Base(path) == "kapdir.db" {
				rel, _ := filepath.Rel(cmd.Dir, filepath.Dir(path))
				found = append(found, filepath.ToSlash(rel))
			}
			return nil
		})
		return strings.Join(found, " ")
	}
	for _, c := range []struct {
		env  string
		args []string
		want string
	}{
		{"", []string{"sources"}, ""}, // looking makes nothing
		{"", []string{"staff", "add", "rowan", "verifier"}, ".kapdir"},
		{"", []string{"demo"}, ".kapdir/demo"},
		{"elsewhere", []string{"staff", "add", "rowan", "verifier"}, "elsewhere"},
		{"elsewhere", []string{"demo"}, "elsewhere"},
		{"", []string{"staff", "add", "rowan", "verifier", "--state", "mine"}, "mine"},
		{"elsewhere", []string{"--state", "mine", "staff", "add", "rowan", "verifier"}, "mine"},
		{"", []string{"--state", "mine", "demo"}, "mine"},
	} {
		if got := in(c.env, c.args...); got != c.want {
			t.Errorf("KAPDIR_STATE=%q kapdir %v keeps its database in %q, want %q", c.env, c.args, got, c.want)
		}
	}
}

// shared returns the path of the shared samples, which name real people and are read in place.
func shared(t testing.TB, path string) string {
	t.Helper()
	p := filepath.Join("..", "..", "..", "shared", "samples", path)
	if _, err := os.Stat(p); err != nil {
		if os.Getenv("KAPDIR_REQUIRE") != "" {
			t.Fatalf("the shared samples are needed: %v", err)
		}
		t.Skip("the shared samples are not here")
	}
	return p
}

func TestRealSamples(t *testing.T) {
	dir := t.TempDir()
	file := shared(t, "nppes_first10.csv")
	read := func(args ...string) (x imported) {
		t.Helper()
		out, errs, status := kapdir(t, append(args, "--state", dir, "--json", "--now", "2026-11-16T15:00:00Z")...)
		if status == exitUsage || json.Unmarshal([]byte(out), &x) != nil {
			t.Fatalf("%v: %d\n%s%s", args, status, out, errs)
		}
		return x
	}
	x := read("import", "nppes", file, "--dry-run")
	if x.Run.Counts.Read != 10 || x.Run.Counts.Rejected != 0 || len(x.Outside) == 0 {
		t.Errorf("dry run: %+v, outside %v", x.Run.Counts, x.Outside)
	}
	x = read("import", "nppes", file)
	left := x.Run.Counts.Outside
	if x.Run.Counts.Read != 10 || x.Run.Counts.Rejected != 0 || left == 0 || x.Run.Counts.Added != 10-left {
		t.Errorf("%+v", x.Run.Counts)
	}
	x = read("import", "nppes", file, "--all")
	if x.Run.Counts.Outside != 0 || x.Run.Counts.Added != left {
		t.Errorf("with --all: %+v", x.Run.Counts)
	}
	x = read("import", "npi-api", shared(t, "npi_api"))
	if x.Run.Counts.Rejected < 2 || x.Run.Counts.Read < 40 {
		t.Errorf("the answers as a directory: %+v", x.Run.Counts)
	}
	answers, err := filepath.Glob(filepath.Join(shared(t, "npi_api"), "*.json"))
	if err != nil || len(answers) < 10 {
		t.Fatal("no answers of the NPI registry")
	}
	for _, f := range answers {
		raw, _ := os.ReadFile(f)
		out, errs, status := kapdir(t, "import", "npi-api", f, "--all", "--state", dir, "--now", "2026-11-16T15:00:00Z", "--quiet")
		if bytes.Contains(raw, []byte(`"Errors"`)) {
			if status != exitFailed || !strings.Contains(errs, "criteria") {
				t.Errorf("%s: an error body gives %d: %s%s", filepath.Base(f), status, out, errs)
			}
		} else if status != exitDone && status != exitRejected {
			t.Errorf("%s: %d\n%s%s", filepath.Base(f), status, out, errs)
		}
	}
	s := start(t, "serve", "--state", dir, "--now", "2026-11-16T15:00:00Z")
	if got := s.all(t, ""); len(got) != 0 {
		t.Errorf("registers alone made %d pages", len(got))
	}
}

// Twenty kills at random moments, then one start that is left alone: nothing is lost, nothing is doubled,
// and the index has caught up.
func TestTwentyRandomKills(t *testing.T) {
	want := normal(t, loaded(t, nil))
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	whole := 3 * time.Second // how long a load takes here, measured below
	begun := time.Now()
	probe := start(t, "demo", "--state", t.TempDir())
	whole = time.Since(begun)
	probe.stop(t)
	for kill := range 20 {
		cmd := program(t, "demo", "--state", dir, "--addr", "localhost:0", "--quiet")
		var log lockedBuffer
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rng.Int64N(int64(whole) / 3)))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if strings.Contains(log.String(), "kapdir: ") {
			t.Fatalf("start %d failed:\n%s", kill+1, log.String())
		}
	}
	s := start(t, "demo", "--state", dir)
	results := s.all(t, "")
	s.stop(t)
	if d := cmp.Diff(want, normal(t, dir)); d != "" {
		t.Errorf("after twenty kills the store is another one (-uninterrupted +killed):\n%.6000s", d)
	}
	public := 0
	held(t, dir, func(*directory.CredentialFile, directory.Instant) { public++ })
	if len(results) != public {
		t.Errorf("%d results, %d providers", len(results), public)
	}
	if out, errs, status := kapdir(t, "fsck", "--state", dir); status != exitDone {
		t.Errorf("fsck: %d\n%s%s", status, out, errs)
	}
}

// Nothing of a search is in any log, and no page sets a cookie. Of a partner's key it is kept how often it asked for
// what, also what it asked just before the end, and its secret nowhere.
func TestSearchesLeaveNoTrace(t *testing.T) {
	dir := loaded(t, nil)
	var key keyShown
	for _, args := range [][]string{{"add", "acme", "Acme"}, {"key", "add", "acme", "site"}} {
		out, errs, status := inside(t, append([]string{"partner", "--state", dir, "--json"}, args...)...)
		if status != exitDone {
			t.Fatal(errs)
		}
		_ = json.Unmarshal([]byte(out), &key) // the last is the key
	}
	_, secret, err := directory.ParseKeyText(key.Key)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, "serve", "--state", dir)
	token := "zqxjkvb"
	paths := []string{"/?q=" + token, "/es/?q=" + token, "/?state=CO&q=" + token, "/?near=Boulder,+CO&q=" + token, "/?care=full_kap&language=" + token, "/api/v1/providers?q=" + token,
		"/api/v1/suggest?q=" + token, "/providers/" + token, "/api/v1/providers?near=" + token, "/?" + token + "=1", "/sitemaps/" + token, "/opensearch.xml?q=" + token}
	for i := range 120 { // a hundred searches, and what is asked for beside them
		_, _, h := s.get(t, paths[i%len(paths)]+strconv.Itoa(i))
		if h.Get("Set-Cookie") != "" {
			t.Errorf("%s sets a cookie", paths[i%len(paths)])
		}
	}
	for i := range 7 {
		req, _ := http.NewRequest(http.MethodGet, s.url+paths[5]+strconv.Itoa(i), nil)
		req.Header.Set("Authorization", "Bearer "+key.Key)
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("RateLimit"), `"key";r=`) {
			t.Errorf("with a key: %s %q", resp.Status, resp.Header.Get("RateLimit"))
		}
	}
	s.stop(t)
	var usage []directory.KeyUsage
	out, errs, _ := inside(t, "partner", "usage", "acme", "--state", dir, "--json")
	if err := json.Unmarshal([]byte(out), &usage); err != nil || len(usage) != 1 || usage[0].Count != 7 || usage[0].Refused != 0 || usage[0].Route != "/api/v1/providers" || usage[0].Key != key.ID {
		t.Errorf("%s %s %v", out, errs, err)
	}
	n := 0
	for line := range strings.Lines(s.log.String()) {
		var m struct {
			Msg   string
			Count int
		}
		if json.Unmarshal([]byte(line), &m) == nil && m.Msg == "requests" {
			n += m.Count
		}
	}
	if n < 127 {
		t.Errorf("only %d requests are in the log:\n%.2000s", n, s.log)
	}
	for _, leak := range []string{token, "Boulder", "full_kap", "127.0.0.1", "?", secret, string(key.ID), "kap_live_"} {
		if strings.Contains(s.log.String(), leak) {
			t.Errorf("the log holds %q:\n%.2000s", leak, s.log)
		}
	}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if raw, err := os.ReadFile(path); err == nil && (bytes.Contains(raw, []byte(token)) || bytes.Contains(raw, []byte(secret))) {
				t.Errorf("%s holds the search, or the secret of a key", path)
			}
		}
		return nil
	})
}

// The demonstration is not mixed with real data, in either order.
func TestDemoRefusesRealData(t *testing.T) {
	dir := t.TempDir()
	list, _ := fs.ReadFile(data.FS, "demo/leie/UPDATED.csv")
	file := filepath.Join(t.TempDir(), "UPDATED.csv")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, status := kapdir(t, "import", "leie", file, "--state", dir, "--as-of", "2026-11-10", "--quiet"); status != exitDone && status != exitRejected {
		t.Fatal(errs)
	}
	_, errs, status := kapdir(t, "demo", "--state", dir, "--addr", "localhost:0")
	if status != exitFailed || !strings.Contains(errs, "--state") {
		t.Errorf("exit status %d: %s", status, errs)
	}
}

// BenchmarkDemoStart measures from the start of the compiled program with an empty state directory to the first page.
func BenchmarkDemoStart(b *testing.B) {
	for b.Loop() {
		s := start(b, "demo", "--state", b.TempDir())
		b.ReportMetric(s.ready.Seconds(), "s/first-page")
		s.stop(b)
	}
}

// BenchmarkSearchDemo measures searches of the demonstration over HTTP and reports their median.
func BenchmarkSearchDemo(b *testing.B) {
	s := start(b, "demo", "--state", b.TempDir())
	for _, q := range []string{"", "q=ketamine+trauma", "q=somatic+therpist", "near=80302&radius=50&sort=distance", "state=CO&framework=ifs&price_max=900&q=depression&near=Denver%2C+CO"} {
		b.Run(url.QueryEscape(q), func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				at := time.Now()
				resp, err := s.client.Get(s.url + "/api/v1/providers?" + q)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = new(bytes.Buffer).ReadFrom(resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status)
				}
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/p50")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
		})
	}
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/store/storetest"
)

const demoNow = "2026-11-16T15:00:00Z"

// must runs the program and fails the test unless it succeeds.
func must(t testing.TB, args ...string) string {
	t.Helper()
	out, errs, status := kapdir(t, args...)
	if status != exitDone {
		t.Fatalf("%v: %d\n%s%s", args, status, out, errs)
	}
	return out
}

// demoIn returns the arguments that name a store with the demonstration in it, of the test's own.
func demoIn(t *testing.T, dsn string) []string {
	t.Helper()
	dir := t.TempDir()
	if dsn != "" {
		if err := loadInto(dir, dsn); err != nil {
			t.Fatal(err)
		}
		return []string{"--state", dir, "--dsn", dsn, "--now", demoNow}
	}
	once, err := loadedOnce()
	if err == nil {
		err = os.CopyFS(filepath.Join(dir, "state"), os.DirFS(once))
	}
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--state", filepath.Join(dir, "state"), "--now", demoNow}
}

// loadedOnce is the demonstration in a state directory that every test may copy and none may change.
var loadedOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kapdir-demo-state-")
	if err != nil {
		return "", err
	}
	demoState = dir
	return dir, loadInto(dir, "")
})

var demoState string // of loadedOnce

func loadInto(dir, dsn string) error {
	a := &app{ctx: context.Background(), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}
	a.cfg.State, a.cfg.DSN, a.cfg.Quiet = dir, dsn, true
	m, err := readManifest()
	if err != nil {
		return err
	}
	clock := &standing{}
	clock.set(m.begins())
	st, err := a.openStore(clock.or(time.Now))
	if err != nil {
		return err
	}
	return errors.Join(a.loadDemo(st, m, clock), st.Close())
}

// I7: what is derived from an export alone is what the store says and what the API says, byte for byte.
func TestExportGivesEveryStatement(t *testing.T) {
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			dsn := ""
			if database == "postgres" {
				dsn = storetest.Postgres(t)
			}
			where := demoIn(t, dsn)
			file := filepath.Join(t.TempDir(), "ledger.jsonl")
			must(t, append([]string{"audit", "export", file}, where...)...)
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("%v, mode %v", err, info.Mode())
			}
			answers := map[string]bool{}
			for i, moment := range [][]string{
				nil,
				{"--at", "2026-11-16T15:00:00Z"},
				{"--at", "2026-11-12", "--known", "2026-11-12"},
				{"--at", "2026-11-12"},
				{"--at", "2026-11-03", "--known", "2026-11-03"},
				{"--at", "2027-06-01"},
				{"--at", "2020-01-01", "--known", "2020-01-01"},
				{"--at", "2026-11-14T09:10:00Z", "--known", "2026-11-14T09:10:00Z", "--claims"},
				{"--claims", "--checks-for", "TX"},
			} {
				if database == "postgres" && i > 3 {
					break // the moments are asked of SQLite; here it is that the two databases give the same
				}
				// The store is not there for derive: only the file is.
				derived := must(t, append([]string{"audit", "derive", file, "--state", ""}, moment...)...)
				said := must(t, append(append([]string{"audit", "statements"}, moment...), where...)...)
				if derived != said {
					t.Errorf("%v: the export and the store differ\n%s", moment, firstDifference(derived, said))
				}
				if derived == "" != slices.Contains(moment, "2020-01-01") {
					t.Errorf("%v: %d bytes", moment, len(derived))
				}
				answers[derived] = true
			}
			if database == "sqlite" && len(answers) < 7 {
				t.Errorf("only %d different answers to the moments", len(answers))
			}

			// And against what the API writes at this moment.
			s := start(t, append([]string{"serve"}, where...)...)
			n := 0
			for line := range strings.Lines(must(t, "audit", "derive", file)) {
				var said struct {
					Provider  directory.ID
					ChecksFor *directory.State `json:"checks_for"`
					Checks    json.RawMessage
					Claims    json.RawMessage
				}
				if err := json.Unmarshal([]byte(line), &said); err != nil {
					t.Fatal(err)
				}
				path := "/api/v1/providers/" + string(said.Provider)
				if said.ChecksFor != nil {
					path += "?state=" + string(*said.ChecksFor)
				}
				status, body, _ := s.get(t, path)
				if status != 200 {
					t.Fatalf("%s: %d", path, status)
				}
				for name, want := range map[string]json.RawMessage{"checks": said.Checks, "claims": said.Claims} {
					if !bytes.Contains(body, append([]byte(`"`+name+`":`), want...)) {
						t.Errorf("%s: %s of the export are other bytes than the API's", path, name)
					}
				}
				n++
			}
			s.stop(t)
			if n < 500 {
				t.Errorf("only %d statements", n)
			}
		})
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return fmt.Sprintf("line %d\n%.2000s\n%.2000s", i+1, x[i], y[min(i, len(y)-1)])
		}
	}
	return fmt.Sprintf("%d lines, %d lines", len(x), len(y))
}

// Every line of the demonstration's export fits the schema that the program prints.
func TestExportFitsTheSchemaItPrints(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"export", "event"} {
		if err := os.WriteFile(filepath.Join(dir, name+".schema.json"), []byte(must(t, "audit", "schema", name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var both map[string]json.RawMessage
	if err := json.Unmarshal([]byte(must(t, "audit", "schema")), &both); err != nil || len(both) != 2 {
		t.Errorf("%v: %d schemas", err, len(both))
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(dir, "export.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ledger.jsonl")
	where := demoIn(t, "")
	must(t, append([]string{"audit", "export", file}, where...)...)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	kinds := map[string]int{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(lines.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Fatalf("%.500s\n%v", lines.Text(), err)
		}
		kind, _ := doc.(map[string]any)["record"].(string)
		kinds[kind]++
	}
	for _, kind := range []string{"", "export", "rules", "provider", "claim", "evidence", "run"} {
		if kinds[kind] == 0 {
			t.Errorf("no line of the kind %q: %v", kind, kinds)
		}
	}
	// To standard output, and back in: the same.
	out := must(t, append([]string{"audit", "export", "-"}, where...)...)
	cmd := program(t, "audit", "derive", "-")
	cmd.Stdin = strings.NewReader(out)
	piped, err := cmd.Output()
	if err != nil || string(piped) != must(t, "audit", "derive", file) {
		t.Errorf("%v: an export through a pipe says something else", err)
	}
}

func TestDeriveRefusesClearly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history.jsonl")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"record":"claim","claim":{"id":"clm_a","provider":"prv_a","kind":"license","colour":"red"}}`)
	begun := t.TempDir()
	if out, errs, status := kapdir(t, "staff", "add", "rowan", "verifier", "--state", begun); status != exitDone {
		t.Fatal(out, errs)
	}
	for _, c := range []struct {
		args   []string
		status int
		says   []string
	}{
		{[]string{"audit", "derive", file}, exitFailed, []string{"line 1", "colour"}},
		{[]string{"audit", "derive", file + ".none"}, exitFailed, []string{"cannot be read"}},
		{[]string{"audit", "derive", file, "--at", "yesterday"}, exitFailed, []string{"line 1"}},
		{[]string{"audit", "derive"}, exitUsage, nil},
		{[]string{"audit", "statements", "--at", "yesterday", "--state", t.TempDir()}, exitUsage, []string{"--at"}},
		{[]string{"audit", "statements", "--checks-for", "Atlantis", "--state", t.TempDir()}, exitUsage, []string{"--checks-for"}},
		{[]string{"audit", "statements", "--provider", "prv_x", "--state", begun}, exitFailed, []string{"prv_x"}},
		{[]string{"audit", "schema", "poem"}, exitUsage, nil},
		{[]string{"audit", "pack", t.TempDir()}, exitUsage, []string{"--sample"}},
		{[]string{"audit", "pack", "--sample", "3", t.TempDir()}, exitUsage, []string{"--seed"}},
		{[]string{"audit", "pack", "--sample", "3", "--seed", "x", "prv_x", t.TempDir()}, exitUsage, []string{"both"}},
		{[]string{"audit", "pack", "--sample", "3", "--seed", "x", "--from", "2026-02-01", "--to", "2026-01-01", t.TempDir()}, exitUsage, []string{"--to"}},
		{[]string{"audit", "pack", "prv_x", filepath.Dir(file), "--state", t.TempDir()}, exitFailed, []string{"not empty"}},
		{[]string{"audit", "pack", "prv_x", t.TempDir(), "--state", begun}, exitFailed, []string{"prv_x"}},
		{[]string{"audit", "check", t.TempDir()}, exitFailed, []string{"manifest.json"}},
	} {
		out, errs, status := kapdir(t, c.args...)
		if status != c.status || out != "" && status == exitFailed {
			t.Errorf("%v: %d\n%s%s", c.args, status, out, errs)
		}
		for _, word := range c.says {
			if !strings.Contains(errs, word) {
				t.Errorf("%v does not say %q: %s", c.args, word, errs)
			}
		}
	}
	write("")
	if _, errs, status := kapdir(t, "audit", "derive", file); status != exitFailed || !strings.Contains(errs, "--at") {
		t.Errorf("of nothing: %d %s", status, errs)
	}
	// By hand, with a plain number and no rules.
	write(`{"record":"claim","claim":{"id":"clm_00000000000000000000000001","provider":"prv_a","kind":"license","jurisdiction":"CO","title":"CSW","number":"CSW.09923456"}}
{"v":1,"seq":1,"recorded_at":"2026-10-01T09:00:00.000Z","performed_at":"2026-10-01T09:00:00.000Z","type":"assert","claim":"clm_00000000000000000000000001","actor":{"kind":"tool","id":"x"},"body":{"class":"listing","source":"kap-commons"}}`)
	out := must(t, "audit", "derive", file, "--claims", "--state", "CO")
	var lines []map[string]any
	for line := range strings.Lines(out) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, m)
	}
	if len(lines) != 2 || lines[0]["record"] != "statement" || lines[1]["status"] != "listed" || lines[1]["at"] != "2026-10-01T09:00:00.000Z" {
		t.Errorf("%s", out)
	}
}

// packFiles reads all files of a directory.
func packFiles(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if want := map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		if d.IsDir() {
			return nil
		}
		raw, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func readCSV(t testing.TB, text string) (rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%v: %.200s", err, text)
	}
	for _, r := range all[1:] {
		m := map[string]string{}
		for i, h := range all[0] {
			m[h] = r[i]
		}
		rows = append(rows, m)
	}
	return rows
}

func TestPack(t *testing.T) {
	where := demoIn(t, "")
	pack := func(dir string, args ...string) map[string]string {
		t.Helper()
		must(t, append(append(append([]string{"audit", "pack"}, args...), dir), where...)...)
		if out, errs, status := kapdir(t, "audit", "check", dir); status != exitDone {
			t.Fatalf("check: %d\n%s%s", status, out, errs)
		}
		return packFiles(t, dir)
	}
	const seed = "it's 2026-Q4"
	dir := filepath.Join(t.TempDir(), "a")
	files := pack(dir, "--sample", "12", "--seed", seed)
	universe, sample := readCSV(t, files["universe.csv"]), readCSV(t, files["sample.csv"])
	if len(sample) != 12 || len(universe) < 300 {
		t.Fatalf("%d of %d", len(sample), len(universe))
	}

	// The same seed draws the same, another another; and so do the common tools of the README.
	again := pack(filepath.Join(t.TempDir(), "b"), "--sample", "12", "--seed", seed)
	for name, text := range files {
		if again[name] != text {
			t.Errorf("%s is not the same a second time", name)
		}
	}
	if other := pack(filepath.Join(t.TempDir(), "c"), "--sample", "12", "--seed", "another"); other["sample.csv"] == files["sample.csv"] {
		t.Error("another seed draws the same")
	}
	if _, err := exec.LookPath("sha256sum"); err == nil {
		var script []string
		for line := range strings.Lines(files["README.md"]) {
			if code, ok := strings.CutPrefix(line, "    "); ok {
				script = append(script, code)
			}
		}
		cmd := exec.Command("sh", "-c", strings.Join(script, ""))
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var drawn []string
		for line := range strings.Lines(string(out)) {
			drawn = append(drawn, strings.Fields(line)[1])
		}
		for i, s := range sample {
			if i >= len(drawn) || drawn[i] != s["provider"] {
				t.Fatalf("the script of the README draws %v", drawn)
			}
		}
	}

	// What stands in it about each provider.
	for _, s := range sample {
		folder := "providers/" + s["provider"] + "/"
		for _, name := range []string{"file.html", "elements.csv", "decisions.csv", "changes.csv", "monitoring.csv", "adverse.csv", "statements.jsonl"} {
			if files[folder+name] == "" {
				t.Errorf("there is no %s%s", folder, name)
			}
		}
		page, err := goquery.NewDocumentFromReader(strings.NewReader(files[folder+"file.html"]))
		if err != nil {
			t.Fatal(err)
		}
		if got := page.Find("h1").Text(); got != s["name"] {
			t.Errorf("the page is headed %q, want %q", got, s["name"])
		}
		if n := page.Find("[src],link,script,iframe").Length(); n > 0 {
			t.Error("the page asks for something from elsewhere")
		}
		if strings.Contains(files[folder+"file.html"], "ZgotmplZ") || strings.Contains(page.Text(), "<no value>") {
			t.Errorf("%s: the template could not write something", folder)
		}
		for _, c := range readCSV(t, files[folder+"changes.csv"]) {
			for _, sum := range strings.Fields(c["evidence"]) {
				if files[folder+"evidence/"+sum+".json"] == "" {
					t.Errorf("%s: the evidence %s of event %s is not there", folder, sum, c["event"])
				}
			}
			if c["who"] == "" || c["what"] == "" || c["recorded_at"] == "" {
				t.Errorf("%s: a change without who, what or when: %v", folder, c)
			}
		}
	}

	// derive of the pack's export says what the pack says.
	derived := must(t, "audit", "derive", filepath.Join(dir, "export.jsonl"))
	var both []string
	ids := []string{}
	for _, s := range sample {
		ids = append(ids, s["provider"])
	}
	slices.Sort(ids)
	for _, id := range ids {
		both = append(both, files["providers/"+id+"/statements.jsonl"])
	}
	if derived != strings.Join(both, "") {
		t.Errorf("derive says something else\n%s", firstDifference(derived, strings.Join(both, "")))
	}

	// Whoever changes anything is found.
	target := "providers/" + sample[0]["provider"] + "/statements.jsonl"
	for name, spoil := range map[string]func(string) error{
		"another has another hash": func(d string) error {
			return os.WriteFile(filepath.Join(d, "README.md"), []byte("all is well"), 0o600)
		},
		"was added":      func(d string) error { return os.WriteFile(filepath.Join(d, "note.txt"), []byte("x"), 0o600) },
		"cannot be read": func(d string) error { return os.Remove(filepath.Join(d, "universe.csv")) },
		"is not what follows": func(d string) error { // and the manifest is made to agree
			return forge(d, target, func(s string) string { return strings.Replace(s, `"result":"`, `"result":"confirmed`, 1) })
		},
		"draws another sample": func(d string) error {
			return forge(d, "universe.csv", func(s string) string {
				return strings.Replace(s, sample[0]["provider"]+",", sample[0]["provider"]+"x,", 1)
			})
		},
		"export.jsonl": func(d string) error {
			return forge(d, "export.jsonl", func(s string) string { return strings.ReplaceAll(s, `"state":"active"`, `"state":"expired"`) })
		},
	} {
		copied := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := spoil(copied); err != nil {
			t.Fatal(err)
		}
		out, errs, status := kapdir(t, "audit", "check", copied)
		if status != exitFailed || !strings.Contains(out, strings.TrimPrefix(name, "another ")) {
			t.Errorf("%s: %d\n%s%s", name, status, out, errs)
		}
	}
	if _, errs, status := kapdir(t, append([]string{"audit", "pack", "--sample", "1", "--seed", "x", dir}, where...)...); status != exitFailed || !strings.Contains(errs, "not empty") {
		t.Errorf("a directory that is not empty: %d %s", status, errs)
	}
}

// forge changes a file of a pack, and the manifest with it.
func forge(dir, name string, change func(string) string) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	forged := change(string(raw))
	if forged == string(raw) {
		return fmt.Errorf("%s is as it was", name)
	}
	if err := os.WriteFile(path, []byte(forged), 0o600); err != nil {
		return err
	}
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return err
	}
	manifest = bytes.ReplaceAll(manifest, []byte(hexOf(raw)), []byte(hexOf([]byte(forged))))
	return os.WriteFile(filepath.Join(dir, "manifest.json"), manifest, 0o600)
}

// What an auditor must find, of people of the demonstration in whom it is known to be.
func TestPackTellsTheStory(t *testing.T) {
	where := demoIn(t, "")
	st, err := store.Open(t.Context(), store.Config{Dir: where[1], Now: time.Now, KeepRules: true})
	if err != nil {
		t.Fatal(err)
	}
	var adverse, confirmed directory.ID
	const now = directory.Instant("2026-11-16T15:00:00.000Z")
	if err := st.EachFile(t.Context(), func(f *directory.CredentialFile) error {
		for _, h := range f.Claims {
			if h.Claim.Kind != directory.License {
				continue
			}
			switch directory.Derive(h, now, now, st.Policies()).Status {
			case directory.StatusAdverse:
				adverse = f.Provider.ID
			case directory.StatusVerified:
				if len(f.Linked) > 0 {
					confirmed = f.Provider.ID
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	st.Close()
	dir := filepath.Join(t.TempDir(), "pack")
	must(t, append([]string{"audit", "pack", string(adverse), string(confirmed), dir}, where...)...)
	files := packFiles(t, dir)
	element := func(id directory.ID, kind string) map[string]string {
		for _, e := range readCSV(t, files["providers/"+string(id)+"/elements.csv"]) {
			if e["kind"] == kind && e["verdict"] == pass {
				return e
			}
		}
		t.Fatalf("%s has no %s that passes", id, kind)
		return nil
	}
	e := element(adverse, "license")
	if e["status"] != "Problem on record" || !strings.Contains(e["decided_by"], "staff-rowan") || !strings.Contains(e["decided_by"], "staff-imani") || e["age_at_decision_days"] != "5" ||
		e["limit_days"] != "90" || e["source"] != "Colorado register" || e["source_as_of"] != "2026-11-09" || e["verifier"] != "tool kapdir "+version {
		t.Errorf("%v", e)
	}
	bad := readCSV(t, files["providers/"+string(adverse)+"/adverse.csv"])
	if len(bad) == 0 || !strings.Contains(bad[0]["words"], "Suspension") || !strings.Contains(bad[0]["decisions"], "confirm") || bad[0]["notice_given"] != noNotice {
		t.Errorf("%v", bad)
	}
	decisions := readCSV(t, files["providers/"+string(adverse)+"/decisions.csv"])
	if len(decisions) != 2 || decisions[1]["previous_at"] == "" || decisions[1]["gap_days"] != "0" {
		t.Errorf("%v", decisions)
	}
	statuses := ""
	for _, c := range readCSV(t, files["providers/"+string(adverse)+"/changes.csv"]) {
		if c["claim"] == e["claim"] {
			statuses += c["status_before"] + "→" + c["status_after"] + "; "
		}
	}
	if !strings.Contains(statuses, "Being checked→Problem on record") {
		t.Errorf("the changes read %s", statuses)
	}
	screens := 0
	for _, m := range readCSV(t, files["providers/"+string(confirmed)+"/monitoring.csv"]) {
		if m["release"] == "2026-10" && m["source_as_of"] == "2026-11-10" && m["run"] != "" && m["rows_in_release"] != "0" && m["result"] == "clear" {
			screens++
		}
	}
	if screens != 1 {
		t.Errorf("%d screens of the exclusion list's release", screens)
	}
	page := files["providers/"+string(adverse)+"/file.html"]
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	if doc.Find("svg rect.bad").Length() == 0 || doc.Find("svg circle").Length() == 0 {
		t.Error("the picture does not show the problem and who decided")
	}
	if !strings.Contains(doc.Find(".summary").Text(), "Problem on record") {
		t.Errorf("the summary: %s", doc.Find(".summary").Text())
	}
	if rows := readCSV(t, files["modifications.csv"]); len(rows) < 4000 {
		t.Errorf("%d modifications", len(rows))
	}
	if rows := readCSV(t, files["actors.csv"]); !slices.ContainsFunc(rows, func(r map[string]string) bool {
		return strings.Contains(r["actor"], "staff-imani") && r["decisions"] != "0"
	}) {
		t.Errorf("%v", rows)
	}

	// With a period, what lies outside is left out, and everything stands as it was shown at its end.
	dir = filepath.Join(t.TempDir(), "period")
	must(t, append([]string{"audit", "pack", string(adverse), dir, "--from", "2026-11-10", "--to", "2026-11-11"}, where...)...)
	files = packFiles(t, dir)
	for _, e := range readCSV(t, files["providers/"+string(adverse)+"/elements.csv"]) {
		if e["kind"] == "license" && (e["status"] != "Being checked" || e["verdict"] != waiting) {
			t.Errorf("before the decision: %v", e)
		}
	}
	for _, c := range append(readCSV(t, files["providers/"+string(adverse)+"/changes.csv"]), readCSV(t, files["modifications.csv"])...) {
		if c["recorded_at"] < "2026-11-10" || c["recorded_at"] > "2026-11-12" {
			t.Errorf("a change outside the period: %v", c)
		}
	}
	if out, errs, status := kapdir(t, "audit", "check", dir); status != exitDone {
		t.Errorf("check: %d\n%s%s", status, out, errs)
	}
}

// What must never be given away, planted wherever the store takes it, is in no file of a pack.
func TestPackHoldsNoPlantedSecret(t *testing.T) {
	where := demoIn(t, "")
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Config{Dir: where[1], Now: m.Now.Time, KeepRules: true})
	if err != nil {
		t.Fatal(err)
	}
	f := &directory.CredentialFile{}
	var of directory.Claim
	err = st.EachFile(t.Context(), func(x *directory.CredentialFile) error {
		for _, h := range x.Claims {
			if s := directory.Derive(h, m.Now, m.Now, st.Policies()); h.Claim.Kind == directory.License && s.Status == directory.StatusUnderReview && of.ID == "" {
				f, of = x, h.Claim
			}
		}
		return nil
	})
	if err != nil || of.ID == "" {
		t.Fatal(err, "nothing waits for a decision")
	}
	_, err = st.Decide(t.Context(), directory.Decision{At: m.Now, Staff: "staff-imani", Auth: "test", Provider: directory.ProviderRef{ID: f.Provider.ID}, Kind: directory.License,
		State: of.Jurisdiction, Number: of.Number.Shown, Decision: "return", Note: "=cmd|x; born 4 March 1961 (DOB: 03/04/1961), DEA AP5836727 <script>alert(1)</script>"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Attest(t.Context(), directory.Attestation{At: m.Now, Provider: directory.ProviderRef{ID: f.Provider.ID}, By: "provider", Auth: "email_link; DEA BB1388568",
		DEA: &directory.DocumentStatement{State: "CO", Expires: "2028-01-01", SHA256: strings.Repeat("ab", 32)}}); err != nil {
		t.Fatal(err)
	}
	st.Close()
	dir := filepath.Join(t.TempDir(), "pack")
	must(t, append([]string{"audit", "pack", string(f.Provider.ID), dir}, where...)...)
	for name, text := range packFiles(t, dir) {
		for _, secret := range []string{"AP5836727", "BB1388568", "March 1961", "/1961"} {
			if strings.Contains(text, secret) {
				i := strings.Index(text, secret)
				t.Errorf("%s holds %s: %s", name, secret, text[max(0, i-60):min(len(text), i+20)])
			}
		}
		if strings.HasSuffix(name, ".html") && strings.Contains(text, "<script>") {
			t.Errorf("%s runs what somebody typed", name)
		}
	}
	if !strings.Contains(packFiles(t, dir)["providers/"+string(f.Provider.ID)+"/decisions.csv"], directory.Withheld) {
		t.Error("the note is gone, not only what it must not say")
	}
	if out, errs, status := kapdir(t, "audit", "check", dir); status != exitDone {
		t.Errorf("check: %d\n%s%s", status, out, errs)
	}
}

// The draw depends on seed and identifiers alone, and is fair: everybody comes about as often.
func TestDraw(t *testing.T) {
	ids := make([]directory.ID, 100)
	for i := range ids {
		ids[i] = directory.ID(fmt.Sprintf("prv_%03d", i))
	}
	got := directory.Draw(ids, "2026-Q4", 3)
	slices.Reverse(ids)
	if again := directory.Draw(ids, "2026-Q4", 3); !slices.Equal(got, again) {
		t.Errorf("%v, in another order %v", got, again)
	}
	if want := []directory.ID{"prv_041", "prv_030", "prv_063"}; !slices.Equal(got, want) {
		t.Errorf("drawn %v, want %v: a sample drawn by an older program could not be drawn again", got, want)
	}
	if n := len(directory.Draw(ids, "x", 1000)); n != 100 {
		t.Errorf("%d drawn of 100", n)
	}
	count := map[directory.ID]int{}
	for i := range 2000 {
		for _, id := range directory.Draw(ids, fmt.Sprint(i), 10) {
			count[id]++
		}
	}
	for id, n := range count {
		if n < 140 || n > 260 {
			t.Errorf("%s was drawn %d times of 2000, want about 200", id, n)
		}
	}
}

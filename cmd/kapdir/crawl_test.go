package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kapdir/crawler"
)

// TestOwnRecipe adds a site by a file alone: it is looked at, imported, listed and shown like any other.
func TestOwnRecipe(t *testing.T) {
	state := t.TempDir()
	recipes := filepath.Join(state, "recipes")
	if err := os.MkdirAll(recipes, 0o700); err != nil {
		t.Fatal(err)
	}
	const own = "../../crawler/testdata/own/"
	recipe, err := os.ReadFile(own + "therapist-cards.yaml")
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) {
		if err := os.WriteFile(filepath.Join(recipes, "therapist-cards.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(string(recipe))
	at := []string{"--state", state, "--now", "2026-11-23T09:00:00Z"}
	do := func(want int, args ...string) string {
		t.Helper()
		out, errs, status := kapdir(t, append(args, at...)...)
		if status != want {
			t.Fatalf("kapdir %s: %d, want %d\n%s%s", strings.Join(args, " "), status, want, out, errs)
		}
		return out + errs
	}
	if out := do(exitDone, "crawl", "list"); !strings.Contains(out, "therapist-cards  manual_only") || !strings.Contains(out, "yours") || !strings.Contains(out, "kap-commons") {
		t.Errorf("crawl list:\n%s", out)
	}
	out := do(exitRejected, "crawl", "check", "therapist-cards", own+"pages/cards-1.html")
	for _, want := range []string{"licences", "LMFT #46111", "body > div.results-row:nth-of-type(1) > p.license", "15 kinds of licence", "matched nothing on these pages: credentials", "2 listings on 1 pages"} {
		if !strings.Contains(out, want) {
			t.Errorf("crawl check does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "PLANTED") || strings.Contains(out, "104497") {
		t.Error("crawl check shows more than facts")
	}
	var x crawler.Inspection
	if err := json.Unmarshal([]byte(do(exitDone, "crawl", "check", own+"item-clinic.yaml", own+"pages/microdata.html", "--json")), &x); err != nil || x.Yield.Listings != 1 || x.Source != "item-clinic" {
		t.Errorf("a recipe's file: %v %+v", err, x)
	}
	do(exitUsage, "crawl", "check", "leie")
	do(exitUsage, "crawl", "check")
	if out := do(exitFailed, "crawl", "check", "therapist-cards"); !strings.Contains(out, "manual_only") { // its first page would be asked for
		t.Errorf("%s", out)
	}
	if out := do(exitFailed, "import", "therapist-cards", "https://therapist-cards.example/ketamine"); !strings.Contains(out, "manual_only") {
		t.Errorf("%s", out)
	}

	pages := t.TempDir()
	for _, p := range []string{"cards-1.html", "cards-2.html"} {
		b, err := os.ReadFile(own + "pages/" + p)
		if err == nil {
			err = os.WriteFile(filepath.Join(pages, p), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	do(exitRejected, "import", "therapist-cards", pages, "--dry-run")
	if _, err := os.Stat(filepath.Join(state, "pages")); err == nil {
		t.Error("a dry run remembers something")
	}
	do(exitRejected, "import", "therapist-cards", pages)
	if st, err := os.Stat(filepath.Join(state, "pages", "therapist-cards", "pages.json")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("nothing is remembered: %v", err)
	}
	if out := do(exitDone, "sources"); !strings.Contains(out, "Therapist Cards (invented)") {
		t.Errorf("sources:\n%s", out)
	}
	if out := do(exitDone, "show", "therapist-cards:/t/ana-ruiz"); !strings.Contains(out, "Ana Ruiz") || !strings.Contains(out, "Therapist Cards (invented)") {
		t.Errorf("show:\n%s", out)
	}
	if out := do(exitRejected, "crawl", "check", "therapist-cards", pages); !strings.Contains(out, "on the same pages at the last import 4") {
		t.Errorf("crawl check after the import:\n%s", out)
	}

	// The operator's file names such a site like any other, and what was put aside of its pages is tried again.
	from := filepath.Join(t.TempDir(), "sources.yaml")
	if err := os.WriteFile(from, []byte("sources:\n  - {source: therapist-cards, where: "+pages+", every: 1h}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, _ := kapdir(t, "import", "all", "--from", from, "--state", state, "--now", "2026-11-23T11:00:00Z"); !strings.Contains(out, "already") {
		t.Errorf("import all:\n%s%s", out, errs)
	}
	if out := do(exitRejected, "quarantine", "retry", "1", pages); !strings.Contains(out, "0 went in now, 2 did not") {
		t.Errorf("retry:\n%s", out)
	}

	// What lost its field is refused with the field named, and a person may take it.
	for _, p := range []string{"cards-1.html", "cards-2.html"} {
		b, err := os.ReadFile(filepath.Join(pages, p))
		if err == nil {
			err = os.WriteFile(filepath.Join(pages, p), []byte(strings.ReplaceAll(string(b), `class="license"`, `class="lic"`)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if out := do(exitFailed, "import", "therapist-cards", pages); !strings.Contains(out, "licences: 4 of the 4 listings") {
		t.Errorf("%s", out)
	}
	if out := do(exitRejected, "crawl", "check", "therapist-cards", pages); !strings.Contains(out, "warning: field licences: found in 0 listings, and in 4 at the last import") {
		t.Errorf("%s", out)
	}
	if out := do(exitRejected, "import", "therapist-cards", pages, "--accept-changed"); !strings.Contains(out, "fewer /t/ana-ruiz: licences") {
		t.Errorf("%s", out)
	}

	// A recipe that cannot be read stops the import of its own site and nothing else.
	put(strings.Replace(string(recipe), "listing:", "listings:", 1))
	do(exitUsage, "import", "therapist-cards", pages)
	do(exitRejected, "import", "sam", filepath.Join("..", "..", "data", "demo", "sam", "SAM_Exclusions_Public_Extract_V2_26315.CSV"))
	if out := do(exitDone, "sources"); !strings.Contains(out, "therapist-cards.yaml, line 14: listings: there is no such key") {
		t.Errorf("%s", out)
	}
	do(exitDone, "crawl", "list")
	if out := do(exitFailed, "crawl", "check", filepath.Join(recipes, "therapist-cards.yaml"), pages); !strings.Contains(out, "line 14") {
		t.Errorf("%s", out)
	}
	if out := do(exitUsage, "crawl", "check", "no-such-site"); !strings.Contains(out, "kapdir crawl list") {
		t.Errorf("%s", out)
	}
}

package web

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"kapdir/directory"
)

// I6 over the golden scenarios, through two years and more.
func TestEverySentenceOfTheScenariosCites(t *testing.T) {
	names, err := filepath.Glob("../testdata/scenarios/*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatal("no scenarios")
	}
	n := 0
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		x, err := directory.ReadExport(bytes.NewReader(raw), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range x.Files {
			for at := directory.Instant("2026-01-01T00:00:00.000Z"); at < "2028-06-01T00:00:00.000Z"; at = at.AddDays(9) {
				for _, y := range []directory.State{"CO", "TX"} {
					k, err := citing(f, y, moment{at: at, known: at, now: at}, x.Policies)
					if n += k; err != nil {
						t.Fatalf("%s: %s at %s: %v", filepath.Base(name), f.Provider.ID, at, err)
					}
				}
			}
		}
	}
	t.Logf("%d sentences", n)
}

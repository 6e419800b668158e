package crawler

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"kapdir/directory"
)

// TestDemo imports every source file of the demonstration as its manifest says.
func TestDemo(t *testing.T) {
	const dir = "../data/demo"
	b, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Steps []struct {
			Source, Path, Release string
			AsOf                  directory.Date    `json:"as_of"`
			Read                  directory.Instant `json:"read"`
		}
	}
	if err := json.Unmarshal(b, &manifest); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range manifest.Steps {
		if s.Source == "" {
			continue
		}
		n++
		m, _, err := importFile(t, s.Source, filepath.Join(dir, s.Path), func(o *Options) { o.Now, o.AsOf, o.Release = s.Read.Time, s.AsOf, s.Release })
		if err != nil || len(m.records) == 0 || m.rel.AsOf != s.AsOf {
			t.Errorf("%s: %v, %d records as of %s", s.Path, err, len(m.records), m.rel.AsOf)
		}
		for _, r := range m.rejects {
			t.Logf("%s: %+v", s.Path, r)
		}
	}
	if n < 5 {
		t.Errorf("%d sources in the manifest", n)
	}
}

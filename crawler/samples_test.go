package crawler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kapdir/directory"
)

// samples is the folder of real headers and rows. It is no part of the project and may be absent, except
// where KAPDIR_REQUIRE asks for everything.
func samples(t *testing.T) string {
	t.Helper()
	const dir = "../../shared/samples"
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("KAPDIR_REQUIRE") == "" {
			t.Skip("the samples are not here")
		}
		t.Fatal(err)
	}
	return dir
}

func TestSampleNPPES(t *testing.T) {
	dir := samples(t)
	m, rep, err := importFile(t, "nppes", filepath.Join(dir, "nppes_first10.csv"))
	if err != nil || len(m.records) != 1 || m.outside != 9 || len(m.rejects) != 0 {
		t.Errorf("%v: %d records, %d outside %v, rejects %+v", err, len(m.records), m.outside, rep.Outside, m.rejects)
	}
	m, _, err = importFile(t, "nppes", filepath.Join(dir, "nppes_first10.csv"), func(o *Options) { o.All = true })
	if err != nil || len(m.records) != 10 || len(m.rejects) != 0 {
		t.Errorf("all: %v: %d records, rejects %+v", err, len(m.records), m.rejects)
	}
	head, err := os.ReadFile(filepath.Join(dir, "headers", "header_nppes_npidata.txt"))
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSpace(string(head)), "\n")
	ours := nppesHeader(false)
	for i := range ours {
		if i >= len(names) || names[i] != ours[i] {
			t.Fatalf("column %d of the fixture is %q, of the publisher %q", i+1, ours[i], names[i])
		}
	}
}

func TestSampleAnswers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(samples(t), "npi_api", "*.json"))
	if err != nil || len(files) < 10 {
		t.Fatal(err, len(files))
	}
	errors, records := 0, 0
	for _, f := range files {
		m, _, err := importFile(t, "npi-api", f, func(o *Options) { o.All = true })
		if err != nil {
			if !strings.Contains(err.Error(), "answered with an error") {
				t.Errorf("%s: %v", f, err)
			}
			errors++
			continue
		}
		if len(m.records) == 0 || len(m.rejects) != 0 {
			t.Errorf("%s: %d records, rejects %+v", f, len(m.records), m.rejects)
		}
		records += len(m.records)
	}
	if errors != 2 || records < 40 {
		t.Errorf("%d error bodies, %d records", errors, records)
	}
}

// TestSampleHeaders finds every header of another publisher to be none of ours.
func TestSampleHeaders(t *testing.T) {
	dir := samples(t)
	files, err := filepath.Glob(filepath.Join(dir, "state_headers", "*"))
	if err != nil || len(files) < 8 {
		t.Fatal(err, len(files))
	}
	for _, f := range append(files, filepath.Join(dir, "sam_first200.csv")) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b) + "\n"
		for _, source := range []string{"leie", "nppes", "co-dora", "tx-bhec"} {
			m, _, err := importFile(t, source, write(t, "x.csv", text))
			own := strings.HasPrefix(filepath.Base(f), "CO_") && source == "co-dora" || strings.HasPrefix(filepath.Base(f), "TX_BHEC") && source == "tx-bhec"
			if err == nil || m.begun != 0 || directory.KindOf(err) != directory.Invalid {
				t.Errorf("%s as %s: %v", f, source, err)
			}
			if own && !strings.Contains(err.Error(), "no rows") {
				t.Errorf("%s as %s: %v, want a good header without rows", f, source, err)
			}
			if strings.Contains(f, "sam_") && !strings.Contains(err.Error(), "SAM.gov") {
				t.Errorf("%s as %s: %v", f, source, err)
			}
		}
	}
}

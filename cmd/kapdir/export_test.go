package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"kapdir/directory/web"
)

// kapdir export writes what its manifest says, the same each time, and without a folder asks a server.
func TestExport(t *testing.T) {
	dir, out := loaded(t, nil), t.TempDir()
	var m web.Manifest
	for range 2 {
		text, errs, status := kapdir(t, "export", out, "--state", dir, "--json")
		var again web.Manifest
		if err := json.Unmarshal([]byte(text), &again); status != exitDone || err != nil {
			t.Fatalf("%d %v\n%s%s", status, err, text, errs)
		}
		if m.Seq != 0 && (again.Seq != m.Seq || again.Files[0] != m.Files[0]) {
			t.Errorf("again: %+v, before %+v", again, m)
		}
		m = again
	}
	if m.Providers < 500 || m.Demo == nil {
		t.Errorf("%+v", m)
	}
	for _, f := range m.Files {
		raw, err := os.ReadFile(filepath.Join(out, strconv.FormatInt(m.Seq, 10), f.Name))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(raw)) != f.Bytes {
			t.Errorf("%s is not what the manifest says", f.Name)
		}
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) != 1 {
		t.Errorf("%d things in the folder: %v", len(entries), err)
	}
	if text, errs, status := kapdir(t, "export", "--state", dir, "--json"); status != exitDone || text != "{\n  \"asked\": true\n}\n" {
		t.Errorf("asking a server: %d\n%s%s", status, text, errs)
	}
	if _, _, status := kapdir(t, "export", out, "more", "--state", dir); status != exitUsage {
		t.Errorf("two folders: %d", status)
	}
	if _, _, status := kapdir(t, "export", out, "--state", t.TempDir()); status != exitFailed {
		t.Errorf("no directory: %d", status)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A format that nobody has seen is refused until somebody says so, and reads as what it is afterwards.
func TestImportUnconfirmed(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "licenses_20261109.csv")
	text := "license_type,first_name,last_name,license_number,license_status,registration_status,license_expiration_date,disciplinary_status,current_board_action_date,current_board_action_description\n" +
		"Physician License,ADA M,EXAMPLE,T1234,,ACTIVE,2027-10-31T00:00:00.000,NONE,,\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", "tx-tmb", path, "--state", dir, "--now", "2026-11-16T15:00:00Z", "--json"}
	if out, errs, status := kapdir(t, args...); status == exitDone || !strings.Contains(errs, "--accept-unconfirmed") {
		t.Errorf("without a word: %d\n%s%s", status, out, errs)
	}
	out, errs, status := kapdir(t, append(args, "--accept-unconfirmed")...)
	if status != exitDone || !strings.Contains(out, `"unconfirmed": true`) || !strings.Contains(out, `"added": 1`) {
		t.Errorf("accepted: %d\n%s%s", status, out, errs)
	}
}

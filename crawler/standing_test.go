package crawler

import (
	"testing"

	"kapdir/directory"
)

func TestStandingOnPages(t *testing.T) {
	for _, c := range []struct {
		source, words string
		expires, on   directory.Date
		want          directory.Observed
	}{
		{"co-dora", "Active", "2027-08-31", "2026-11-23", directory.SeenActive},
		{"co-dora", " ACTIVE ", "", "2026-11-23", directory.SeenActive},
		{"co-dora", "Active", "2026-11-22", "2026-11-23", directory.SeenIndeterminate}, // and yet it says active
		{"co-dora", "Active", "2026-11-23", "2026-11-23", directory.SeenActive},
		{"co-dora", "Revoked", "2020-01-01", "2026-11-23", directory.SeenRevoked},
		{"co-dora", "Active - Conditional", "", "2026-11-23", directory.SeenRestricted},
		{"co-dora", "In good spirits", "", "2026-11-23", directory.SeenIndeterminate},
		{"co-dora", "", "", "2026-11-23", directory.SeenIndeterminate},
		{"co-dora", " , ", "", "2026-11-23", directory.SeenIndeterminate},
		{"ca-dca", "Current", "2027-08-31", "2026-11-23", directory.SeenActive},
		{"ca-dca", "Delinquent", "", "2026-11-23", directory.SeenExpired},
		{"fl-mqa", "CLEAR/ACTIVE", "2027-03-31", "2026-11-23", directory.SeenActive},
		{"fl-mqa", "Clear, Inactive", "", "2026-11-23", directory.SeenInactive},
		{"fl-mqa", "Probation / Active", "", "2026-11-23", directory.SeenProbation},
		{"fl-mqa", "Clear", "", "2026-11-23", directory.SeenIndeterminate}, // it says nothing of whether it is used
		{"fl-mqa", "Clear / Wonderful", "", "2026-11-23", directory.SeenIndeterminate},
		{"tx-tmb", "Active, Under board order", "", "2026-11-23", directory.SeenRestricted},
		{"nppes", "Deactivated", "", "2026-11-23", directory.SeenInactive},
		{"npi-api", "A", "", "2026-11-23", directory.SeenActive},
		{"leie", "Active", "", "2026-11-23", directory.SeenIndeterminate},
		{"nobody", "Active", "", "2026-11-23", directory.SeenIndeterminate},
	} {
		if got := Standing(c.source, c.words, c.expires, c.on); got != c.want {
			t.Errorf("%s %q until %s on %s: %s, want %s", c.source, c.words, c.expires, c.on, got, c.want)
		}
	}
}

// Every word of every table is read as the table says, alone or beside one that says nothing.
func TestStandingKnowsItsTables(t *testing.T) {
	read := 0
	for _, r := range rosters {
		for _, s := range r.says {
			if s.quiet {
				continue
			}
			for words, want := range s.words {
				if words == "" || want == silent || s.fills {
					continue
				}
				read++
				if got := Standing(r.source, words, "", "2026-11-23"); got != want && len(r.says) == 1 {
					t.Errorf("%s %q: %s, want %s", r.source, words, got, want)
				}
			}
		}
	}
	if read < 60 {
		t.Errorf("only %d words were read", read)
	}
}

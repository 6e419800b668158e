package web

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"kapdir/directory"
)

// I6 of domain.md §5.4: every sentence that speaks of a standing rests on at least one event, of the claim it
// speaks of. A sentence about what is missing cites nothing, and says that it is missing.
func TestEverySentenceCitesAnEvent(t *testing.T) {
	w := demoWorld(t)
	said, missing := 0, 0
	look := func(f *directory.CredentialFile, m moment, policies directory.Policies) {
		events := map[int64]directory.ID{}
		for _, of := range append([]*directory.CredentialFile{f}, linkedFiles(f)...) {
			for _, h := range of.Claims {
				for _, e := range h.Events {
					events[e.Seq] = h.Claim.ID
				}
			}
		}
		cites := func(sentence string, c *directory.Claim, s directory.Standing) {
			t.Helper()
			if sentence == "" {
				return
			}
			if len(s.Because) == 0 {
				t.Errorf("%s cites nothing: %s", f.Provider.ID, sentence)
			}
			for _, seq := range s.Because {
				if events[seq] != c.ID {
					t.Errorf("%s cites event %d, which is not of the claim: %s", f.Provider.ID, seq, sentence)
				}
			}
			said++
		}
		for _, y := range []directory.State{patientState("", f), "CO", "TX", ""} {
			teller := newTeller(f, y, m, policies)
			for _, h := range f.Claims {
				s := directory.Derive(h, m.at, m.known, policies)
				cites(teller.standing(h.Claim, s, subject{noun: "provider"}), &h.Claim, s)
			}
			for _, c := range directory.Checks(f, y, m.at, m.known, policies) {
				for _, p := range c.Parts {
					if p.Standing.Status != directory.StatusUnderReview && !shown(p.Standing) {
						if got := teller.part(p); got != teller.missing(p) || got == "" {
							t.Errorf("%s: of a part with no standing to speak of: %q", f.Provider.ID, got)
						}
						missing++
						continue
					}
					cites(teller.part(p), p.Claim, p.Standing)
				}
			}
		}
	}
	policies := directory.StandardPolicies()
	err := w.store.EachFile(context.Background(), func(f *directory.CredentialFile) error {
		look(f, moment{at: w.now, known: w.now}, policies)
		look(f, moment{at: w.now.AddDays(200), known: w.now}, policies)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob("../testdata/scenarios/*.jsonl") // the pattern is right
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		x, err := directory.ReadExport(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range x.Files {
			for at := directory.Instant("2026-01-01T00:00:00.000Z"); at < "2028-06-01T00:00:00.000Z"; at = at.AddDays(30) {
				look(f, moment{at: at, known: at}, x.Policies)
			}
		}
	}
	if said < 1000 || missing == 0 {
		t.Errorf("%d sentences with a standing, %d without", said, missing)
	}
	t.Logf("%d sentences cite what they rest on, %d name what is missing", said, missing)
}

func linkedFiles(f *directory.CredentialFile) (out []*directory.CredentialFile) {
	for _, l := range f.Linked {
		out = append(out, l)
	}
	return out
}

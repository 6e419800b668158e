package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

// exportOf writes an export and reads it back.
func exportOf(t testing.TB, s *Store, o ExportOptions) (string, *directory.Export, Exported) {
	t.Helper()
	var b bytes.Buffer
	var out Exported
	err := s.View(context.Background(), func(v *View) (err error) {
		out, err = v.Export(&b, o)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := b.String()
	x, err := directory.ReadExport(&b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return text, x, out
}

// told is everything that is computed of a file.
func told(f *directory.CredentialFile, at, known directory.Instant, ps directory.Policies) string {
	var b strings.Builder
	for _, y := range []directory.State{"CO", "TX", ""} {
		raw, _ := json.Marshal(directory.Checks(f, y, at, known, ps))
		b.Write(raw)
	}
	for _, h := range f.Claims {
		raw, _ := json.Marshal(directory.StandingOf(h, at, known, ps))
		b.Write(raw)
	}
	return b.String()
}

// both runs a test on each database.
func both(t *testing.T, test func(*testing.T, *Store, *clock)) {
	t.Run("sqlite", func(t *testing.T) {
		c := newClock()
		test(t, open(t, Config{Dir: t.TempDir(), Now: c.now}), c)
	})
	t.Run("postgres", func(t *testing.T) {
		c := newClock()
		test(t, open(t, Config{DSN: storetest.Postgres(t), Now: c.now}), c)
	})
}

func TestExport(t *testing.T) {
	both(t, func(t *testing.T, s *Store, c *clock) {
		load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben(), cara(), dan(), clinic())
		load(t, s, edition("co-dora", "1", "2026-11-20"), roster("CSW", "00012345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31"))
		load(t, s, edition("leie", "2026-10", "2026-11-10"), exclusion("x", "Somebody Else", ""))
		text, x, out := exportOf(t, s, ExportOptions{Program: "test"})
		if out.Providers != len(x.Files) || out.Rules != 1 || out.Runs != 3 || out.Events == 0 || out.Evidence == 0 || out.Removed != 0 {
			t.Errorf("%+v, %d files", out, len(x.Files))
		}
		if len(x.Policies) != len(s.Policies()) || x.Header.Head.Seq != out.Head.Seq {
			t.Errorf("%d policies, head %+v", len(x.Policies), x.Header.Head)
		}
		err := s.View(context.Background(), func(v *View) error {
			at, known := v.Moment()
			if a, k := x.Moment(); a != at || k != known {
				t.Errorf("the export is of %s, %s; the store is at %s, %s", a, k, at, known)
			}
			n := 0
			return cmpErr(v.EachFile(func(f *directory.CredentialFile, public bool) error {
				n++
				got := x.File(f.Provider.ID)
				if got == nil || x.Public(f.Provider.ID) != public {
					t.Fatalf("%s is lost, or shown", f.Provider.DisplayName())
				}
				for _, m := range [][2]directory.Instant{{at, known}, {at.AddDays(200), known}, {at, at.AddDays(-1)}} {
					if a, b := told(f, m[0], m[1], v.Policies()), told(got, m[0], m[1], x.Policies); a != b {
						t.Errorf("%s at %v: the store says\n%s\nthe export\n%s", f.Provider.DisplayName(), m, a, b)
					}
				}
				return nil
			}), n, out.Providers)
		})
		if err != nil {
			t.Fatal(err)
		}

		// Event lines are the ledger's own bytes.
		for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
			if strings.HasPrefix(line, `{"v":1`) {
				var n int
				if err := s.reader.QueryRow(`SELECT count(*) FROM event_payload WHERE payload = $1`, line).Scan(&n); err != nil || n != 1 {
					t.Fatalf("%v: %d times in the ledger: %s", err, n, line)
				}
			}
		}

		// A part holds whom it was asked for, and whom their claims name as linked.
		a := find(t, s, "Ana Ruiz")
		_, part, _ := exportOf(t, s, ExportOptions{Only: []directory.ID{a.Provider.ID}})
		if len(part.Files) != 2 || part.Linked(a.Provider.ID) {
			t.Fatalf("%d files", len(part.Files))
		}
		for _, f := range part.Files {
			if f.Provider.ID != a.Provider.ID && (!part.Linked(f.Provider.ID) || f.Provider.DisplayName() != "Maria Lopez") {
				t.Errorf("%s is in the part", f.Provider.DisplayName())
			}
		}
		at, known := x.Moment()
		if g, w := told(part.File(a.Provider.ID), at, known, part.Policies), told(a, at, known, s.Policies()); g != w {
			t.Errorf("the part says\n%s\nthe store\n%s", g, w)
		}
	})
}

func cmpErr(err error, got, want int) error {
	if err == nil && got != want {
		return fmt.Errorf("%d providers, %d exported", got, want)
	}
	return err
}

// A view shows nothing that is written after it began.
func TestViewIsASnapshot(t *testing.T) {
	both(t, func(t *testing.T, s *Store, c *clock) {
		load(t, s, edition("kap-commons", "1", "2026-11-20"), ben())
		err := s.View(context.Background(), func(v *View) error {
			load(t, s, edition("open-clinics", "1", "2026-11-20"), maria())
			n := 0
			err := v.EachFile(func(*directory.CredentialFile, bool) error { n++; return nil })
			if n != 1 {
				t.Errorf("%d providers in a snapshot of one", n)
			}
			if len(v.t.seen) > 0 {
				t.Errorf("%d answers are held after everybody was read", len(v.t.seen))
			}
			var b bytes.Buffer
			out, err2 := v.Export(&b, ExportOptions{})
			if out.Providers != 1 || strings.Contains(b.String(), "Lopez") {
				t.Errorf("the export holds what came later: %+v", out)
			}
			return cmpErrs(err, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func cmpErrs(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Of whoever was withdrawn an export holds neither facts nor evidence; what others rest on as well stays.
func TestExportOfTheWithdrawn(t *testing.T) {
	both(t, func(t *testing.T, s *Store, c *clock) {
		load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben())
		load(t, s, edition("leie", "2026-10", "2026-11-10"), exclusion("x", "Somebody Else", ""))
		b := find(t, s, "Ben Carter")
		if _, err := s.writer.Exec(`UPDATE provider SET withdrawn = 1 WHERE id = $1`, string(b.Provider.ID)); err != nil {
			t.Fatal(err)
		}
		var own, shared []string
		for _, h := range b.Claims {
			for _, e := range h.Events {
				if h.Claim.Kind == directory.ExclusionScreen {
					shared = append(shared, e.Evidence...)
				} else {
					own = append(own, e.Evidence...)
				}
			}
		}
		if len(own) == 0 || len(shared) == 0 {
			t.Fatal("nothing rests on evidence")
		}
		seen := map[string]directory.ExportEvidence{}
		text, x, out := exportOf(t, s, ExportOptions{Evidence: func(e directory.ExportEvidence) error { seen[e.SHA256] = e; return nil }})
		if x.Public(b.Provider.ID) || x.File(b.Provider.ID) == nil {
			t.Error("the withdrawn is shown, or forgotten")
		}
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, `{"record":"provider"`) && strings.Contains(line, "Carter") {
				t.Errorf("the facts are there: %s", line)
			}
		}
		for _, sum := range own {
			if e := seen[sum]; e.Text != "" || !slices.Equal(e.Withheld, []string{directory.WithheldWithdrawn}) {
				t.Errorf("the evidence is there: %+v", e)
			}
		}
		for _, sum := range shared {
			if seen[sum].Text == "" {
				t.Errorf("evidence that others rest on is lost: %+v", seen[sum])
			}
		}
		if out.Withheld[directory.WithheldWithdrawn] == 0 {
			t.Errorf("%+v", out)
		}
	})
}

// What should never have been written does not leave by an export.
func TestExportOfPlantedSecrets(t *testing.T) {
	both(t, func(t *testing.T, s *Store, c *clock) {
		hire(t, s)
		b := ben()
		b.Fields["page"] += " born 4 March 1961, DEA AP5836727" // a Social Security number is refused, here and in a note
		load(t, s, edition("kap-commons", "1", "2026-11-20"), b, ana())
		load(t, s, edition("co-dora", "1", "2026-11-20"), roster("CSW", "00012345", "Ana Ruiz", "Active", directory.SeenActive, "2027-08-31"))
		a := find(t, s, "Ana Ruiz")
		_, err := s.Decide(context.Background(), directory.Decision{At: s.now(), Staff: "kim", Auth: "test", Provider: directory.ProviderRef{ID: a.Provider.ID},
			Kind: directory.License, Decision: "confirm", Note: "DOB 1961-03-04; her DEA is BB1388568"})
		if err != nil {
			t.Fatal(err)
		}
		text, _, out := exportOf(t, s, ExportOptions{})
		for _, secret := range []string{"1961", "AP5836727", "BB1388568"} {
			if strings.Contains(text, secret) {
				t.Errorf("the export holds %s", secret)
			}
		}
		if out.Withheld[directory.WithheldDEA] != 2 || out.Withheld[directory.WithheldBirth] != 2 {
			t.Errorf("withheld %v", out.Withheld)
		}
	})
}

// discard counts lines.
type discard struct{ n int }

func (d *discard) Write(b []byte) (int, error) {
	d.n += bytes.Count(b, []byte("\n"))
	return len(b), nil
}

// spelt makes a name of a number, so that no two sound alike: a store compares those that do.
func spelt(n int) string {
	out := ""
	for range 5 {
		out += string("bdfgklmnprstvz"[n%14]) + string("aeiou"[n/14%5])
		n /= 70
	}
	return strings.ToUpper(out[:1]) + out[1:]
}

// Memory does not grow with the store: ten times as many providers take no more of it.
func TestExportMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	peak := func(n int) (mb float64) {
		s := open(t, Config{Dir: t.TempDir()})
		records := make([]directory.Record, n)
		for i := range records {
			records[i] = listing(fmt.Sprintf("p%d", i), spelt(i*7919)+" "+spelt(i), func(l *directory.Listing) {
				l.Licences = []directory.ListedLicence{licence("CO", "LCSW", fmt.Sprintf("CSW.%08d", i+1))}
			})
		}
		load(t, s, edition("kap-commons", "1", "2026-11-20"), records...)
		records = nil
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		before, most := m.HeapAlloc, uint64(0)
		var d discard
		err := s.View(context.Background(), func(v *View) error {
			_, err := v.Export(&d, ExportOptions{Progress: func(_ string, done, _ int) {
				if done%2000 == 0 {
					runtime.GC()
					runtime.ReadMemStats(&m)
					most = max(most, m.HeapAlloc)
				}
			}})
			return err
		})
		if err != nil || d.n < 3*n {
			t.Fatalf("%v, %d lines", err, d.n)
		}
		return (float64(most) - float64(before)) / 1e6
	}
	small, large := peak(1_000), peak(4_000)
	t.Logf("1,000 providers %.1f MB, 4,000 %.1f MB", small, large)
	if large > small+8 {
		t.Errorf("memory grows: %.1f MB for 1,000 providers, %.1f MB for 4,000", small, large)
	}
}

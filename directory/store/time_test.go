package store

import (
	"slices"
	"testing"
	"time"

	"kapdir/directory"
	"kapdir/directory/store/storetest"
)

func TestLinkedHear(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { testLinkedHear(t, Config{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { testLinkedHear(t, Config{DSN: storetest.Postgres(t)}) })
}

// When a physician's file changes, the nurse practitioner who has an agreement with them hears of it, and so
// does the therapist for whom that one prescribes; nobody else does.
func testLinkedHear(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), listing("t", "Tess Therapist", nil), listing("n", "Nina Nurse", nil), listing("p", "Paul Physician", nil), listing("o", "Otto Other", nil))
	ids := map[string]directory.ID{}
	for _, key := range []string{"t", "n", "p", "o"} {
		id, err := s.Find(ctx, directory.ProviderRef{Source: "kap-commons", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		ids[key] = id
	}
	if _, err := s.Find(ctx, directory.ProviderRef{Source: "kap-commons", Key: "nobody"}); directory.KindOf(err) != directory.NotFound {
		t.Errorf("nobody's key: %v", err)
	}
	touch := func(id directory.ID, f func(w *work, h *holding)) {
		t.Helper()
		err := s.write(ctx, "test", func(w *work) error {
			held, err := w.hold([]directory.ID{id})
			if err == nil {
				f(w, held[id])
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	touch(ids["t"], func(w *work, h *holding) {
		w.claim(h, directory.Claim{Kind: directory.OversightLink, Other: ids["n"]})
	})
	touch(ids["n"], func(w *work, h *holding) {
		w.claim(h, directory.Claim{Kind: directory.PracticeAgreement, Jurisdiction: "TX", Other: ids["p"]})
	})
	for who, hear := range map[string][]string{"p": {"p", "n", "t"}, "n": {"n", "t"}, "t": {"t"}, "o": {"o"}} {
		head, err := s.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		touch(ids[who], func(_ *work, h *holding) { h.change("test") })
		changes, err := s.Changes(ctx, head.Seq, 100)
		if err != nil {
			t.Fatal(err)
		}
		var got, want []directory.ID
		for _, c := range changes {
			got = append(got, c.Provider)
		}
		for _, key := range hear {
			want = append(want, ids[key])
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("of %s hear %d, want %v", who, len(got), hear)
		}
	}
	// NextDue is when TouchDue first has something to do.
	next, err := s.NextDue(ctx)
	if err != nil || next <= s.now() {
		t.Fatalf("next due %q, %v", next, err)
	}
	if n, err := s.TouchDue(ctx, next.Add(-time.Millisecond), 100); n != 0 || err != nil {
		t.Errorf("a moment before, %d are due (%v)", n, err)
	}
	clk.set(next.Time())
	if n, err := s.TouchDue(ctx, next, 100); n == 0 || err != nil {
		t.Errorf("at the moment, %d are due (%v)", n, err)
	}
	if after, err := s.NextDue(ctx); err != nil || after != "" && after <= next {
		t.Errorf("after %s, next due is %s (%v)", next, after, err)
	}
}

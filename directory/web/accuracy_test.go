package web

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kapdir/directory"
)

// The count agrees with what the pages of all providers say, one by one.
func TestAccuracyAgreesWithPages(t *testing.T) {
	s := demoServer(t)
	a, err := s.countNow(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	today := a.At.Date()
	var providers, statements, within30, within90, lookedUp int
	var ages []int
	good := map[directory.CheckName]int{}
	for _, id := range everybody(t) {
		p := decode[provider](t, get(t, s, api(id)))
		providers++
		for _, c := range p.Claims {
			statements++
			if c.Kind == directory.ContactClaim || c.Kind == directory.Availability {
				statements--
				continue
			}
			sourced := false // a source that gave no answer told nothing
			for _, e := range c.Evidence {
				row, _ := directory.Tables().Source(e.Source)
				sourced = sourced || row.Class == directory.ClassDocument || row.Class == directory.ClassSource
			}
			if !sourced || c.Status == directory.StatusCouldNotCheck || c.Status == directory.StatusSelfReported { // a note of attendance is the provider's word
				continue
			}
			if c.AsOf == nil {
				continue
			}
			lookedUp++
			age := days(*c.AsOf, today)
			ages = append(ages, age)
			if age <= 30 {
				within30++
			}
			if age <= 90 {
				within90++
			}
		}
		for _, c := range p.Checks {
			switch c.Result {
			case directory.Confirmed, directory.ShownByDocument:
				good[c.Check]++
			}
		}
	}
	for what, pair := range map[string][2]int{"providers": {a.Providers, providers}, "statements": {a.Statements, statements},
		"within 30 days": {a.Within30, within30}, "within 90 days": {a.Within90, within90}, "looked up": {a.LookedUp, lookedUp}} {
		if pair[0] != pair[1] {
			t.Errorf("%s: counted %d, the pages have %d", what, pair[0], pair[1])
		}
	}
	for _, c := range a.Checks {
		if c.Good != good[c.Check] || c.Good+c.Bad+c.Stated+c.Old+c.Open != providers {
			t.Errorf("%s: %+v, the pages have %d good of %d", c.Check, c, good[c.Check], providers)
		}
	}
	below, above := 0, 0
	for _, age := range ages {
		if age < *a.MedianAge {
			below++
		}
		if age > *a.MedianAge {
			above++
		}
	}
	if below > len(ages)/2 || above > len(ages)/2 || a.Within30 == 0 || a.LookedUp <= a.Within30/2 || a.Providers < 20 {
		t.Errorf("median %d of %d ages, %d below and %d above", *a.MedianAge, len(ages), below, above)
	}

	for { // the first count is waited for by nobody for long
		if told, err := s.count.get(); told != nil || err != nil || t.Context().Err() != nil {
			break
		}
	}
	for _, l := range languages {
		d := dom(t, get(t, s, l.To("/about/accuracy")))
		said := text(d.Find("main").Text())
		for _, need := range []string{l.t("number", "N", a.Providers), l.t("accuracy.of", "Part", a.Within30, "All", a.Statements), l.t("accuracy.of", "Part", a.Within90, "All", a.Statements),
			l.t("how.days", "Count", *a.MedianAge), l.t("accuracy.disputes"), l.t("accuracy.corrections"), l.moment(a.At)} {
			if !strings.Contains(said, need) {
				t.Errorf("%s: the page lacks %q", l.Code, need)
			}
		}
	}
}

// Disputes and corrections are counted while they hold.
func TestAccuracyCountsDisputes(t *testing.T) {
	s := demoServer(t)
	before, err := s.countNow(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	changed := false
	h, err := s.cfg.Reader.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	m := moment{at: before.At, known: max(before.At, h.RecordedAt), now: before.At}
	r := each{s.cfg.Reader, func(f *directory.CredentialFile) *directory.CredentialFile {
		i := slices.IndexFunc(f.Claims, func(h directory.History) bool { return h.Claim.Kind == directory.License })
		if changed || i < 0 {
			return f
		}
		changed = true
		g := *f
		g.Claims = slices.Clone(f.Claims)
		h := &g.Claims[i]
		last := h.Events[len(h.Events)-1]
		dispute := directory.Event{V: last.V, Seq: last.Seq + 1_000_000, RecordedAt: m.known, PerformedAt: m.at, Type: directory.DisputeOpen, Claim: h.Claim.ID}
		again := last
		again.Seq, again.RecordedAt, again.Type, again.Supersedes = last.Seq+1_000_001, m.known, directory.Correct, last.Seq
		h.Events = append(slices.Clone(h.Events), dispute, again)
		return &g
	}}
	after, err := countAccuracy(context.Background(), r, m, s.cfg.Policies)
	if err != nil {
		t.Fatal(err)
	}
	if after.Disputes != before.Disputes+1 || after.Corrections != before.Corrections+1 || after.Lately != before.Lately+1 {
		t.Errorf("with a dispute and a correction more: %+v, then %+v", before, after)
	}
}

// each changes what is read of everybody.
type each struct {
	Reader
	change func(*directory.CredentialFile) *directory.CredentialFile
}

func (e each) EachFile(ctx context.Context, f func(*directory.CredentialFile) error) error {
	return e.Reader.EachFile(ctx, func(x *directory.CredentialFile) error { return f(e.change(x)) })
}

// nobody is a store without providers.
type nobody struct{ Reader }

func (nobody) EachFile(context.Context, func(*directory.CredentialFile) error) error { return nil }

// slow is a store that takes its time, and then fails or not.
type slow struct {
	Reader
	wait chan struct{}
	err  *error
	n    *atomic.Int32
}

func (s slow) EachFile(ctx context.Context, f func(*directory.CredentialFile) error) error {
	s.n.Add(1)
	<-s.wait
	if *s.err != nil {
		return *s.err
	}
	return s.Reader.EachFile(ctx, f)
}

func TestAccuracyIsHonest(t *testing.T) {
	t.Run("empty", func(t *testing.T) {
		s := demoServer(t, func(c *Config) { c.Reader = nobody{c.Reader} })
		for _, l := range languages {
			d := dom(t, get(t, s, l.To("/about/accuracy")))
			if said := text(d.Find("main").Text()); !strings.Contains(said, l.t("accuracy.empty")) || d.Find(".figures").Length() != 0 || strings.Contains(said, "%") {
				t.Errorf("%s: an empty directory shows figures: %s", l.Code, said)
			}
		}
	})
	t.Run("under way, then failed, then done", func(t *testing.T) {
		var failure error
		x := slow{wait: make(chan struct{}), err: &failure, n: &atomic.Int32{}}
		s := demoServer(t, func(c *Config) { x.Reader = c.Reader; c.Reader = x })
		d := dom(t, get(t, s, "/about/accuracy"))
		if !strings.Contains(text(d.Find("main").Text()), english.t("accuracy.counting")) || d.Find(".figures").Length() != 0 {
			t.Error("while it is counted the page does not say so")
		}
		get(t, s, "/es/about/accuracy")
		if n := x.n.Load(); n != 1 {
			t.Errorf("%d counts were started for two visitors", n)
		}
		failure = errDisk
		close(x.wait)
		ended(t, s.count)
		if r := get(t, s, "/about/accuracy"); r.StatusCode != 503 || strings.Contains(r.body, "secret") {
			t.Errorf("a count that failed: %d", r.StatusCode)
		}
		failure = nil
		again(t, s.count)
		if d := dom(t, get(t, s, "/about/accuracy")); d.Find(".figures").Length() != 1 {
			t.Error("no figures after the store came back")
		}
		n := x.n.Load()
		get(t, s, "/about/accuracy")
		if x.n.Load() != n {
			t.Error("a fresh count is made again")
		}
		failure = errors.New("gone again") // an older count stays, and tells its moment
		again(t, s.count)
		if d := dom(t, get(t, s, "/about/accuracy")); d.Find(".figures").Length() != 1 {
			t.Error("a count that failed took the one before it away")
		}
	})
}

// again has everything counted once more, and waits for it however slow the machine is.
func again(t *testing.T, c *counter) {
	t.Helper()
	ended(t, c)
	c.mu.Lock()
	c.next = time.Time{}
	c.mu.Unlock()
	_, _ = c.get()
	ended(t, c)
}

func ended(t *testing.T, c *counter) {
	t.Helper()
	c.mu.Lock()
	running := c.running
	c.mu.Unlock()
	if running == nil {
		return
	}
	select {
	case <-running:
	case <-time.After(time.Minute):
		t.Fatal("the count does not end")
	}
}

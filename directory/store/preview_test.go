package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kapdir/directory"
)

// drawBatches makes the batches of a release: few keys, so that rows repeat within and between them.
func drawBatches(t *rapid.T, line int) (all []directory.Batch) {
	for range rapid.IntRange(0, 3).Draw(t, "batches") {
		var b directory.Batch
		for range rapid.IntRange(0, 5).Draw(t, "rows") {
			line++
			key := fmt.Sprint("k", rapid.IntRange(0, 4).Draw(t, "key"))
			r := exclusion(key, "Far "+letters(rapid.IntRange(0, 2).Draw(t, "name"), "Aw", "Be"), "")
			r.Source, r.Line = "leie", line
			b.Records = append(b.Records, r)
		}
		b.Outside = rapid.IntRange(0, 1).Draw(t, "outside")
		if rapid.Bool().Draw(t, "reject") {
			line++
			b.Rejects = []directory.Reject{{File: "x", Line: line, Reason: "short"}}
		}
		all = append(all, b)
	}
	return all
}

// testPreviewAgrees holds the dry run to the import: the same counts, whatever stands in the file how often,
// and nothing written.
func testPreviewAgrees(t *testing.T, c Config) {
	s := open(t, c)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		rel := edition("leie", fmt.Sprint(n), "2026-11-20")
		batches := drawBatches(t, 1)
		run := func(begin func() (directory.Run, error), put func(directory.ID, directory.Batch) error, end func(directory.ID) (directory.Run, error)) directory.Counts {
			r, err := begin()
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range batches {
				if err := put(r.ID, b); err != nil {
					t.Fatal(err)
				}
			}
			if r, err = end(r.ID); err != nil {
				t.Fatal(err)
			}
			return r.Counts
		}
		p := s.Preview()
		p.Show = 2
		before, err := s.Head(ctx)
		if err != nil {
			t.Fatal(err)
		}
		dry := run(func() (directory.Run, error) { return p.Begin(ctx, rel) }, func(id directory.ID, b directory.Batch) error { _, err := p.Put(ctx, id, b); return err },
			func(id directory.ID) (directory.Run, error) { return p.End(ctx, id, nil) })
		if after, _ := s.Head(ctx); after != before {
			t.Fatalf("a dry run moved the head to %+v", after)
		}
		done := run(func() (directory.Run, error) { return s.Begin(ctx, rel) }, func(id directory.ID, b directory.Batch) error { _, err := s.Put(ctx, id, b); return err },
			func(id directory.ID) (directory.Run, error) { return s.End(ctx, id, nil) })
		if d := cmp.Diff(done, dry); d != "" {
			t.Fatalf("the dry run counts otherwise (-import +dry):\n%s", d)
		}
		if dry.Read != dry.Added+dry.Changed+dry.Unchanged+dry.Rejected+dry.Outside {
			t.Fatalf("the counts do not add up: %+v", dry)
		}
		diff := p.Diff()
		for _, x := range []struct {
			rows []DiffRow
			all  int
		}{{diff.Added, dry.Added}, {diff.Changed, dry.Changed}, {diff.Removed, dry.Removed}} {
			if len(x.rows) != min(2, x.all) {
				t.Fatalf("%d rows shown of %d", len(x.rows), x.all)
			}
		}
	})
}

// testDiff shows what changes, column by column, and no birth date.
func testDiff(t *testing.T, c Config) {
	s := open(t, c)
	person := func(key, who string, line int, fields map[string]string) directory.Record {
		r := exclusion(key, who, "")
		r.Source, r.Line, r.Fields = "leie", line, fields
		return r
	}
	load(t, s, edition("leie", "1", "2026-10-20"), person("a", "Ana Far", 2, map[string]string{"CITY": "Denver", "DOB": "19610304", "SEX": "F"}), person("gone", "Gone Far", 3, nil), person("same", "Same Far", 4, nil))
	p := s.Preview()
	p.Show = 10
	run := must(p.Begin(ctx, edition("leie", "2", "2026-11-20")))
	if _, err := p.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{person("a", "Ana Far", 2, map[string]string{"CITY": "Boulder", "DOB": "19610305", "NPI": string(anaNPI)}), person("same", "Same Far", 3, nil), person("new", "New Far", 4, nil)}}); err != nil {
		t.Fatal(err)
	}
	must(p.End(ctx, run.ID, nil))
	want := Diff{Added: []DiffRow{{Key: "new", Line: 4}},
		Changed: []DiffRow{{Key: "a", Line: 2, Fields: []FieldChange{{Field: "CITY", Old: "Denver", New: "Boulder"}, {Field: "DOB", Hidden: true}, {Field: "NPI", New: string(anaNPI)}, {Field: "SEX", Old: "F"}}}},
		Removed: []DiffRow{{Key: "gone", Line: 3}}}
	if d := cmp.Diff(want, p.Diff()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// Of a listing the name is shown.
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana())
	q := s.Preview()
	q.Show = 10
	run = must(q.Begin(ctx, edition("kap-commons", "2", "2026-11-21")))
	r := ana()
	r.Source, r.Fields = "kap-commons", map[string]string{"site_line1": "2 Main St"}
	if _, err := q.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{r}}); err != nil {
		t.Fatal(err)
	}
	got := q.Diff().Changed
	if len(got) != 1 || got[0].Name == "" || !slices.ContainsFunc(got[0].Fields, func(f FieldChange) bool { return f.Field == "site_line1" && f.New == "2 Main St" }) {
		t.Errorf("changed %+v", got)
	}
}

// testAgain reads bytes that were imported before once more: nothing is doubled, and what could not be read
// then goes in.
func testAgain(t *testing.T, c Config) {
	s := open(t, c)
	rel := edition("kap-commons", "1", "2026-11-20")
	first := must(s.Begin(ctx, rel))
	a := ana()
	a.Source = "kap-commons"
	must(s.Put(ctx, first.ID, directory.Batch{Records: []directory.Record{a}, Rejects: []directory.Reject{{File: "x", Line: 3, Field: "name", Reason: "unreadable", Text: "held"}}}))
	must(s.End(ctx, first.ID, nil))
	if run := must(s.Begin(ctx, rel)); !run.Already {
		t.Fatalf("the same bytes: %+v", run)
	}
	before := rowCounts(t, s)
	rel.Again = true
	again := must(s.Begin(ctx, rel))
	if again.Already {
		t.Fatal("already imported blocks another reading")
	}
	b := cara()
	b.Source = "kap-commons"
	counts := must(s.Put(ctx, again.ID, directory.Batch{Records: []directory.Record{a, b}}))
	must(s.End(ctx, again.ID, nil))
	after := rowCounts(t, s)
	if counts.Unchanged != 1 || counts.Added != 1 || after["source_record"] != before["source_record"]+1 || after["evidence"] != before["evidence"]+1 {
		t.Errorf("counts %+v; rows %v, %v before", counts, after, before)
	}
	if got := must(s.Run(ctx, again.Number)); got.Release.SHA256 != rel.SHA256 || got.Outcome != "done" {
		t.Errorf("Run(%d) = %+v", again.Number, got)
	}
	if _, err := s.Run(ctx, 99); !errors.Is(err, directory.NotFound) || !strings.Contains(err.Error(), "kapdir runs") {
		t.Errorf("a run that is not there: %v", err)
	}
	load(t, s, edition("leie", "1", "2026-10-20"), exclusion("x", "Far Away", ""))
	if runs := must(s.RunsOf(ctx, "kap-commons", 0)); len(runs) != 2 || runs[0].Number != again.Number {
		t.Errorf("runs of kap-commons: %+v", runs)
	}
	if runs := must(s.RunsOf(ctx, "", 1)); len(runs) != 1 || runs[0].Release.Source != "leie" {
		t.Errorf("the newest run: %+v", runs)
	}
	for _, x := range []struct {
		of   QuarantineOf
		want int
	}{{QuarantineOf{}, 1}, {QuarantineOf{Run: first.Number}, 1}, {QuarantineOf{Run: again.Number}, 0}, {QuarantineOf{Source: "kap-commons", Line: 3, File: "x"}, 1}, {QuarantineOf{Source: "leie"}, 0}, {QuarantineOf{Line: 4}, 0}} {
		n := 0
		if err := s.EachQuarantined(ctx, x.of, func(q Quarantined) error {
			n++
			if q.Run != first.Number || q.Source != "kap-commons" || q.Field != "name" || q.Text != "held" {
				t.Errorf("quarantined %+v", q)
			}
			return nil
		}); err != nil || n != x.want {
			t.Errorf("%+v: %d rows, %v", x.of, n, err)
		}
	}
	whole(t, s)
}

// testPartners adds a source, whose rows go in like those of any listing, and which another process knows.
func testPartners(t *testing.T, c Config) {
	s := open(t, c)
	info := directory.SourceInfo{ID: "tidepool", Name: "Tidepool", Publisher: "Tidepool, Inc.", Licence: "by letter", Attribution: "Tidepool", MayRepublish: "false", Terms: "manual_only"}
	if _, err := s.Begin(ctx, edition("never-met", "1", "2026-11-20")); !errors.Is(err, directory.Invalid) {
		t.Errorf("a source that nobody knows: %v", err)
	}
	for _, x := range []struct {
		field  string
		change func(*directory.SourceInfo)
	}{
		{"id", func(i *directory.SourceInfo) { i.ID = "leie" }}, {"id", func(i *directory.SourceInfo) { i.ID = "Tide Pool" }}, {"licence", func(i *directory.SourceInfo) { i.Licence = " " }},
		{"attribution", func(i *directory.SourceInfo) { i.Attribution = "" }}, {"class", func(i *directory.SourceInfo) { i.Class = directory.ClassSource }},
		{"may_republish", func(i *directory.SourceInfo) { i.MayRepublish = "" }}, {"terms", func(i *directory.SourceInfo) { i.Terms = "perhaps" }}, {"url", func(i *directory.SourceInfo) { i.URL = "http://x" }},
	} {
		bad := info
		x.change(&bad)
		var e *directory.Error
		if err := s.AddPartner(ctx, bad); !errors.As(err, &e) || e.Field != x.field {
			t.Errorf("a partner with a bad %s: %v", x.field, err)
		}
	}
	for range 2 {
		if err := s.AddPartner(ctx, info); err != nil {
			t.Fatal(err)
		}
	}
	load(t, s, edition("tidepool", "1", "2026-11-20"), from("tidepool", ana()))
	if got := find(t, s, "Ana Ruiz").Provider.Origins["name"].Source; got != "tidepool" {
		t.Errorf("the name comes from %q", got)
	}
	info.Name = "Tidepool Collective"
	if err := open(t, c).AddPartner(ctx, info); err != nil {
		t.Fatal(err)
	}
	for _, x := range must(s.Sources(ctx)) {
		if x.Source.ID == "tidepool" && (x.Source.Name != info.Name || x.Source.Kind != "listing" || x.Source.Class != directory.ClassListing || x.Held != 1) {
			t.Errorf("the partner among the sources: %+v", x)
		}
	}
	whole(t, s)
}

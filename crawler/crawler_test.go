package crawler

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
)

// endless gives so many bytes of one letter without ever a line break.
type endless struct {
	left int64
	head string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.head != "" {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left -= n
	return int(n), nil
}

func (e *endless) Close() error { return nil }

// TestRefused holds every input that cannot be right to one clear error before the sink hears of it.
func TestRefused(t *testing.T) {
	noRows := func(h string) string { return h }
	cases := []struct {
		name, source, file, content string
		want                        []string // parts of the error
	}{
		{"empty", "leie", "UPDATED.csv", "", []string{"UPDATED.csv", "empty"}},
		{"header alone", "leie", "UPDATED.csv", noRows(leieHead), []string{"UPDATED.csv", "no rows", "replaces nothing"}},
		{"renamed column", "leie", "UPDATED.csv", strings.Replace(leieHead, "EXCLDATE", "EXCLUDED", 1) + leieRow(), []string{"line 1", "EXCLDATE", `"EXCLUDED"`}},
		{"columns changed places", "leie", "UPDATED.csv", strings.Replace(leieHead, "CITY,STATE", "STATE,CITY", 1) + leieRow(), []string{"CITY", "another place"}},
		{"a new column", "leie", "UPDATED.csv", strings.TrimSpace(leieHead) + ",EXTRA\n" + leieRow(), []string{"EXTRA", "new"}},
		{"a month that is none", "leie", "2613excl.csv", leieHead + leieRow(), []string{"2613excl.csv", "month 13", "2026"}},
		{"a month without rows", "leie", "rein2610.csv", leieHead, []string{"rein2610.csv", "no rows"}},
		{"before the list had NPIs", "leie", "1304excl.csv", strings.Replace(leieHead, "NPI,", "", 1) + leieRow(), []string{"NPI", "missing"}},
		{"another source's file", "leie", "UPDATED.csv", coHead + coRow(), []string{"LASTNAME", "source co-dora"}},
		{"Texas for Colorado", "co-dora", "x.csv", txHead + txRow(), []string{"looks like a Texas list", "tx-bhec"}},
		{"NPPES for LEIE", "leie", "UPDATED.csv", nppesFile(nppesRow(nppesHeader(false))), []string{"main NPPES file"}},
		{"LEIE for NPPES", "nppes", "npidata_pfile_20050523-20261108.csv", leieHead + leieRow(), []string{"Entity Type Code", "source leie"}},
		{"other names of NPPES", "nppes", "othername_pfile_20050523-20261108.csv", `"NPI","Provider Other Organization Name","Provider Other Organization Name Type Code"` + "\n\"2000000010\",\"X\",\"3\"\n", []string{"other names"}},
		{"practice locations, with the header's two blanks", "nppes", "pl_pfile.csv", "NPI,Provider Secondary Practice Location Address- Address Line 1,Provider Secondary Practice Location Address-  Address Line 2\n", []string{"practice locations"}},
		{"NPPES days that do not exist", "nppes", "npidata_pfile_20050523-20261138.csv", nppesFile(nppesRow(nppesHeader(false))), []string{"do not exist"}},
		{"NPPES header alone", "nppes", "npidata_pfile_20050523-20261108.csv", nppesFile(), []string{"no rows"}},
		{"a page in place of the file", "leie", "UPDATED.csv", "<!DOCTYPE html><html><body>Not found</body></html>", []string{"HTML"}},
		{"a workbook", "co-dora", "x.csv", "PK\x03\x04 zip", []string{"zip archive"}},
		{"a gzip", "tx-bhec", "x.csv", "\x1f\x8b\x08\x00", []string{"gzip"}},
		{"a PDF", "leie", "UPDATED.csv", "%PDF-1.7\n", []string{"PDF"}},
		{"binary", "leie", "UPDATED.csv", "a,b\x00\x01\x02\nc", []string{"binary"}},
		{"UTF-16", "leie", "UPDATED.csv", "\xff\xfeL\x00A\x00", []string{"UTF-16"}},
		{"JSON", "co-dora", "x.csv", `[{"licensetype":"LPC"}]`, []string{"JSON"}},
		{"cut off in a row", "leie", "UPDATED.csv", leieHead + leieRow() + leieRow()[:60], []string{"line 3", "ends in the middle", "fetch it again"}},
		{"roster cut off", "co-dora", "x.csv", coHead + coRow() + coRow()[:40], []string{"line 3", "ends in the middle"}},
		{"roster of other trades", "co-dora", "x.csv", coHead + coRow("licensetype", "PTL"), []string{"no row is of a licence type"}},
		{"zip without the file", "nppes", "", "", []string{"npidata_pfile_"}},
		{"future", "nppes", "npidata_pfile_20050523-20270108.csv", nppesFile(nppesRow(nppesHeader(false))), []string{"8 Jan 2027", "after today"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := ""
			if c.file == "" {
				path = zipOfFiles(t, "x.zip", "readme.txt", "hello", "npidata_pfile_20050523-20261108_FileHeader.csv", "NPI")
			} else {
				path = write(t, c.file, c.content)
			}
			m, _, err := importFile(t, c.source, path)
			if m.begun != 0 || m.ended != 0 || len(m.records) != 0 {
				t.Errorf("the sink was asked: begun %d, ended %d, %d records", m.begun, m.ended, len(m.records))
			}
			if err == nil {
				t.Fatal("no error")
			}
			if k := directory.KindOf(err); k != directory.Invalid {
				t.Errorf("kind %q, want invalid", k)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), filepath.Dir(path)) {
				t.Errorf("error %q tells a path", err)
			}
		})
	}
}

// TestLongLine reads a line of one gigabyte, as the header and as a row, in bounded memory.
func TestLongLine(t *testing.T) {
	for _, head := range []string{"", leieHead, leieHead + leieRow()} {
		f := file{name: "UPDATED.csv", size: 1 << 30, open: func() (io.ReadCloser, error) { return &endless{left: 1 << 30, head: head}, nil }}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w, err := openLEIE(context.Background(), &material{files: []file{f}}, Options{}.complete())
		if err == nil {
			err = w.survey(context.Background(), nil)
		}
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "longer than 2 MiB") {
			t.Errorf("after %d bytes: error %v", len(head), err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
			t.Errorf("allocated %d MiB", used>>20)
		}
	}
}

// TestTruncatedZip cuts an NPPES archive at its end, where the table of members stands, and damages one
// in the middle, which is found only after the run began.
func TestTruncatedZip(t *testing.T) {
	h := nppesHeader(false)
	var rows []string
	for range 400 {
		rows = append(rows, nppesRow(h, "street", strings.Repeat("x", len(rows)%50)+itoa(len(rows)*7919)))
	}
	path := zipOfFiles(t, "nppes.zip", "readme.pdf", "%PDF", "NPIDATA_PFILE_20050523-20261108.CSV", nppesFile(rows...), "npidata_pfile_20050523-20261108_fileheader.csv", "NPI\n")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := importFile(t, "nppes", path)
	if err != nil || len(m.records) != 400 || m.rel.AsOf != "2026-11-08" || m.rel.Name != "20261108" {
		t.Fatalf("whole archive: %v, %d records, release %+v", err, len(m.records), m.rel)
	}
	m, _, err = importFile(t, "nppes", write(t, "nppes.zip", string(whole[:len(whole)-40])))
	if err == nil || m.begun != 0 || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("cut archive: %v, begun %d", err, m.begun)
	}
	bad := slices.Clone(whole)
	for i := len(bad) * 6 / 10; i < len(bad)*6/10+200; i++ {
		bad[i] ^= 0x55
	}
	m, _, err = importFile(t, "nppes", write(t, "nppes.zip", string(bad)))
	if err == nil || m.begun != 1 || m.ended != 1 || m.failure == nil {
		t.Errorf("damaged archive: %v, begun %d, ended %d with %v", err, m.begun, m.ended, m.failure)
	}
}

// TestZipBomb refuses a member that is far larger than the real file ever is for its packed size, and
// an archive with two main files.
func TestZipBomb(t *testing.T) {
	path := zipOfFiles(t, "nppes.zip", "npidata_pfile_20050523-20261108.csv", strings.Repeat("0", 8<<20))
	m, _, err := importFile(t, "nppes", path)
	if err == nil || m.begun != 0 || !strings.Contains(err.Error(), "claims") {
		t.Errorf("bomb: %v", err)
	}
	one := nppesFile(nppesRow(nppesHeader(false)))
	path = zipOfFiles(t, "nppes.zip", "a/npidata_pfile_20050523-20261108.csv", one, "../npidata_pfile_20050523-20261011.csv", one)
	if _, _, err = importFile(t, "nppes", path); err == nil || !strings.Contains(err.Error(), "two main files") {
		t.Errorf("two members: %v", err)
	}
	z := zipMember{r: io.NopCloser(strings.NewReader("abcdef")), left: 3, limit: 100}
	if _, err := io.ReadAll(&z); !errors.Is(err, errZipBomb) {
		t.Errorf("a member larger than declared: %v", err)
	}
}

// TestFailureLater ends the run with the failure, so that the release does not come into force.
func TestFailureLater(t *testing.T) {
	h := nppesHeader(false)
	rows := nppesFile(nppesRow(h), nppesRow(h, "npi", "2000000028"))
	rows += nppesRow(h, "npi", "2000000036")[:900]
	m, _, err := importFile(t, "nppes", write(t, "npidata_pfile_20050523-20261108.csv", rows))
	if err == nil || m.begun != 0 || !strings.Contains(err.Error(), "line 4: the file ends in the middle") {
		t.Errorf("cut in the last row of a plain file: %v, begun %d", err, m.begun)
	}
	m, _, err = importFile(t, "nppes", zipOfFiles(t, "nppes.zip", "npidata_pfile_20050523-20261108.csv", rows)) // inflated once
	if err == nil || m.begun != 1 || m.ended != 1 || m.failure == nil {
		t.Fatalf("cut in the last row: %v, begun %d, ended %d, failure %v", err, m.begun, m.ended, m.failure)
	}
	for _, w := range []string{"npidata_pfile_20050523-20261108.csv, line 4", "ends in the middle", "fetch it again"} {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}

	m, _, err = importFile(t, "nppes", write(t, "npidata_pfile_20050523-20261108.csv", nppesFile(nppesRow(h, "npi", "123"), nppesRow(h, "npi", "2000000011"))))
	if err == nil || m.failure == nil || !strings.Contains(err.Error(), "none of its 2 rows") {
		t.Errorf("a file without one good row: %v", err)
	}

	text := leieHead
	for i := range 30 {
		text += leieRow("EXCLDATE", map[bool]string{true: "20190230", false: "20190228"}[i%3 != 0])
	}
	m, _, err = importFile(t, "leie", write(t, "UPDATED.csv", text))
	if err == nil || m.failure == nil || !strings.Contains(err.Error(), "20 of its 30 rows") {
		t.Errorf("a file of mostly bad rows: %v", err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	src, _ := Find("leie")
	sink := &memory{}
	cancelling := Options{Now: day, AsOf: directory.At(day()).Date(), Progress: func(p Progress) {
		if p.Stage == "reading" {
			cancel()
		}
	}}
	text = leieHead
	for i := range 2000 {
		text += leieRow("LASTNAME", "N"+itoa(i))
	}
	if _, err := Run(ctx, src, Input{Path: write(t, "UPDATED.csv", text)}, sink, cancelling); err == nil || sink.ended != 1 || sink.failure == nil {
		t.Errorf("cancelled: %v, ended %d with %v", err, sink.ended, sink.failure)
	}
}

// TestRun looks at what the sink is told: the hash of the bytes, the release, batches of at most 500, and
// bytes that were imported before.
func TestRun(t *testing.T) {
	text := leieHead
	for i := range 1203 {
		text += leieRow("LASTNAME", "N"+itoa(i))
	}
	path := write(t, "UPDATED.csv", text)
	ticks := day()
	var told []Progress
	m, _, err := importFile(t, "leie", path, func(o *Options) {
		o.Release = "2026-10"
		o.AsOf = "2026-11-10"
		o.tick = func() time.Time { ticks = ticks.Add(time.Second); return ticks }
		o.Progress = func(p Progress) { told = append(told, p) }
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.records) != 1203 || m.largest != BatchSize || m.ended != 1 || m.failure != nil {
		t.Errorf("%d records, largest batch %d, ended %d with %v", len(m.records), m.largest, m.ended, m.failure)
	}
	want := directory.Release{Source: "leie", Name: "2026-10", AsOf: "2026-11-10", File: "UPDATED.csv", Size: int64(len(text)), Read: "2026-11-23T09:00:00.000Z", SHA256: m.rel.SHA256}
	if m.rel != want || len(m.rel.SHA256) != 64 {
		t.Errorf("release %+v, want %+v", m.rel, want)
	}
	if len(told) < 3 || told[0].Stage != "hashing" || told[len(told)-1].Stage != "reading" || told[len(told)-1].Read != int64(len(text)) || told[len(told)-1].Counts.Added != 1203 {
		t.Errorf("progress %+v", told)
	}

	src, _ := Find("leie")
	again := &memory{already: true}
	run, err := Run(context.Background(), src, Input{Path: path}, again, Options{Now: day, AsOf: directory.At(day()).Date()})
	if err != nil || !run.Already || again.ended != 0 || len(again.records) != 0 || again.rel.SHA256 != m.rel.SHA256 {
		t.Errorf("the same bytes: %+v, %v, ended %d", run, err, again.ended)
	}
	if again.rel.AsOf != "2026-11-23" || again.rel.Name != "2026-11-23" {
		t.Errorf("UPDATED.csv has no date in its name: %+v", again.rel)
	}

	count := 0
	if _, _, err := importFile(t, "leie", path, func(o *Options) {
		o.tick, o.AsOf = day, directory.At(day()).Date()
		o.Progress = func(Progress) { count++ }
	}); err != nil || count > 3 {
		t.Errorf("progress came %d times in one moment, %v", count, err)
	}
}

func TestInputs(t *testing.T) {
	dir := t.TempDir()
	cases := []struct {
		source string
		in     Input
		kind   directory.ErrorKind
	}{
		{"leie", Input{Path: filepath.Join(dir, "none.csv")}, directory.NotFound},
		{"leie", Input{Path: dir}, directory.Invalid},
		{"leie", InputAt("https://oig.hhs.gov/x.csv", nil), directory.Invalid},
		{"kap-commons", Input{Path: dir}, directory.Invalid},
		{"kap-commons", InputAt("https://kap-commons.example/", nil), directory.Internal},
		{"tx-bhec", Input{Path: dir}, directory.Invalid},
	}
	for _, c := range cases {
		src, _ := Find(c.source)
		m := &memory{}
		if _, err := Run(context.Background(), src, c.in, m, Options{Now: day}); directory.KindOf(err) != c.kind || m.begun != 0 {
			t.Errorf("%s from %+v: %v, want %s", c.source, c.in, err, c.kind)
		}
	}
	if _, err := Run(context.Background(), Source{ID: "certificate"}, Input{}, &memory{}, Options{Now: day}); directory.KindOf(err) != directory.Invalid {
		t.Errorf("a source that cannot be imported: %v", err)
	}
}

// TestSources holds the table of sources to data/sources.csv.
func TestSources(t *testing.T) {
	var ids []string
	for _, s := range Sources() {
		ids = append(ids, s.ID)
		info, ok := directory.Tables().Source(s.ID)
		if !ok || len(s.Help) < 40 {
			t.Errorf("%s: in the table %v, help %q", s.ID, ok, s.Help)
		}
		if s.Listing != (info.Kind == "listing") {
			t.Errorf("%s is a listing: %v, the table says %q", s.ID, s.Listing, info.Kind)
		}
	}
	if !slices.IsSorted(ids) || len(ids) != 23 {
		t.Errorf("sources %v", ids)
	}
	if _, ok := Find("certificate"); ok {
		t.Error("a provider's document is no source that can be imported")
	}
}

func TestDayInName(t *testing.T) {
	for name, want := range map[string]directory.Date{
		"npidata_pfile_20050523-20261108.csv":                             "2026-11-08",
		"Professional_and_Occupational_Licenses_in_Colorado_20261109.csv": "2026-11-09",
		"LPC 2026-11-10.csv":                                              "2026-11-10",
		"UPDATED.csv":                                                     "",
		"20261340.csv":                                                    "",
		"export-20260230.csv":                                             "",
		"1234202611081.csv":                                               "",
		"Professional_and_Occupational_Licenses_in_Colorado_20261109_20.csv":   "2026-11-09",
		"NPPES_Data_Dissemination_November_2026_V2_20261108_npidata_pfile.csv": "2026-11-08",
	} {
		if got := dayInName(name); got != want {
			t.Errorf("dayInName(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestUnconfirmed: a format that nobody has seen is read only by whoever says so.
func TestUnconfirmedIsRefused(t *testing.T) {
	src, _ := Find("leie")
	src.Unconfirmed = "nobody has seen a file of the publisher"
	in := Input{Path: write(t, "UPDATED.csv", leieHead+leieRow())}
	m := &memory{}
	_, err := Run(context.Background(), src, in, m, Options{Now: day, AsOf: "2026-11-10"})
	if directory.KindOf(err) != directory.Refused || m.begun != 0 || !strings.Contains(err.Error(), "--accept-unconfirmed") || !strings.Contains(err.Error(), src.Unconfirmed) {
		t.Errorf("%v, %d runs", err, m.begun)
	}
	if _, err := Run(context.Background(), src, in, m, Options{Now: day, AsOf: "2026-11-10", AcceptUnconfirmed: true}); err != nil || len(m.records) != 1 {
		t.Errorf("accepted: %v, %d records", err, len(m.records))
	}
}

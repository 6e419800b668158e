package crawler

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// keeper is a sink that knows the rows it was put before by their fingerprints.
type keeper struct {
	memory
	mu    sync.Mutex
	knows map[[16]byte]string // by fingerprint: the key
	lines []int               // of the rows carried in this run
}

func (k *keeper) Carried(run directory.ID, fingerprint [16]byte, line int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.knows[fingerprint]
	if ok {
		k.lines = append(k.lines, line)
	}
	return ok && run == "run_1"
}

// release imports a file and returns what was put, by key and line, and the lines that were carried.
func (k *keeper) release(t *testing.T, source, path string, asOf directory.Date) (put map[string]int, carried []int) {
	t.Helper()
	src, _ := Find(source)
	k.memory, k.lines = memory{}, nil
	if _, err := Run(context.Background(), src, Input{Path: path}, k, Options{Now: day, AsOf: asOf}); err != nil {
		t.Fatal(err)
	}
	if k.knows == nil {
		k.knows = map[[16]byte]string{}
	}
	put = map[string]int{}
	for _, r := range k.records {
		put[r.Key] = r.Line
		if r.Fingerprint != [16]byte{} {
			if other, ok := k.knows[r.Fingerprint]; ok && other != r.Key {
				t.Errorf("%s and %s have one fingerprint", r.Key, other)
			}
			k.knows[r.Fingerprint] = r.Key
		}
	}
	slices.Sort(k.lines)
	return put, k.lines
}

// TestCarried imports newer releases into a sink that knows rows: what it holds is not put again, and what says
// something else, or would be read otherwise, is.
func TestCarried(t *testing.T) {
	leie := func(names ...string) string {
		text := leieHead
		for _, n := range names {
			text += leieRow("LASTNAME", n)
		}
		return text
	}
	doubtful := leieRow("LASTNAME", "DOUBT", "NPI", "1234567890")
	co := func(rows ...string) string { return coHead + strings.Join(rows, "") }
	first, expiring := coRow(), coRow("licensenumber", "2", "licenseexpirationdate", "11/10/2026")
	h := nppesHeader(false)
	one, two, other := nppesRow(h), nppesRow(h, "npi", "2000000028", "last", "BELL"), nppesRow(h, "npi", "2000000036", "code", "225100000X")
	type edition struct {
		text    string
		asOf    directory.Date
		carried []int
		put     int
	}
	for _, c := range []struct {
		name, source, file string
		old                string
		editions           []edition
	}{
		{"leie", "leie", "UPDATED.csv", leie("A", "B") + doubtful, []edition{
			{text: leie("A", "B") + doubtful, asOf: "2026-11-11", carried: []int{2, 3}, put: 1},                        // a value left out is told of each release
			{text: leie("NEW", "B", "A", "B"), asOf: "2026-11-12", carried: []int{3, 4, 5}, put: 1},                    // in another order, and one twice
			{text: strings.ReplaceAll(leie("A"), "EXCLTYPE", "EXCLTYP1"), asOf: "2026-11-13", carried: nil, put: 1},    // another header
			{text: strings.Replace(leie("A", "B"), "DENVER", "DEN\nVER", 1), asOf: "2026-11-14", carried: nil, put: 2}, // divided with care
		}},
		{"roster", "co-dora", "roster.csv", co(first, expiring, coRow("licensetype", "PTL")), []edition{
			{text: co(first, expiring, coRow("licensetype", "PTL")), asOf: "2026-11-10", carried: []int{2, 3}},
			{text: co(first, expiring), asOf: "2026-11-11", carried: []int{2}, put: 1}, // it expired meanwhile: it reads otherwise
			{text: co(expiring, first, coRow("casenumber", "2019-1", "programaction", "Stipulation")), asOf: "2026-11-12", carried: []int{2}, put: 1},
		}},
		{"nppes", "nppes", "npidata_pfile_20050523-20261108.csv", nppesFile(one, other, two), []edition{
			{text: nppesFile(other, two, one), asOf: "2026-11-11", carried: []int{3, 4}},
			{text: nppesFile(one, strings.Replace(two, "BELL", "BELLE", 1)), asOf: "2026-11-12", carried: []int{2}, put: 1},
		}},
	} {
		for _, packed := range []bool{false, true} {
			if packed && c.source != "nppes" {
				continue
			}
			file := func(text string) string {
				if packed {
					return zipOfFiles(t, "nppes.zip", c.file, text)
				}
				return write(t, c.file, text)
			}
			k := &keeper{}
			if put, carried := k.release(t, c.source, file(c.old), "2026-11-10"); len(put) == 0 || carried != nil {
				t.Fatalf("%s: the first release: %v put, %v carried", c.name, put, carried)
			}
			for i, e := range c.editions {
				put, carried := k.release(t, c.source, file(e.text), e.asOf)
				if diff := cmp.Diff(e.carried, carried); diff != "" || len(put) != e.put {
					t.Errorf("%s, packed %v, edition %d: put %v, want %d (-want +got carried)\n%s", c.name, packed, i+1, put, e.put, diff)
				}
			}
		}
	}
}

// TestCarriedBeside puts a row of NPPES again when what the files beside it say of its number has changed.
func TestCarriedBeside(t *testing.T) {
	h := nppesHeader(false)
	main := nppesFile(nppesRow(h), nppesRow(h, "npi", "2000000028", "last", "BELL"))
	file := func(street string) string {
		return zipOfFiles(t, "nppes.zip", "npidata_pfile_20050523-20261108.csv", main,
			"pl_pfile_20050523-20261108.csv", placeHead+sideRow("2000000010", street, "", "DENVER", "CO", "802031234", "US", "3035550143", "12", "3035550144"))
	}
	k := &keeper{}
	k.release(t, "nppes", file("9 SECOND STREET"), "2026-11-10")
	if put, carried := k.release(t, "nppes", file("9 SECOND STREET"), "2026-11-11"); len(put) != 0 || !slices.Equal(carried, []int{2, 3}) {
		t.Errorf("the same files: put %v, carried %v", put, carried)
	}
	if put, carried := k.release(t, "nppes", file("10 SECOND STREET"), "2026-11-12"); !maps.Equal(put, map[string]int{"2000000010": 2}) || !slices.Equal(carried, []int{3}) {
		t.Errorf("another place of one: put %v, carried %v", put, carried)
	}
}

// meddler is a sink that does something to the file while it is imported.
type meddler struct {
	memory
	begin, put func()
}

func (m *meddler) Begin(ctx context.Context, rel directory.Release) (directory.Run, error) {
	if m.begin != nil {
		m.begin()
	}
	return m.memory.Begin(ctx, rel)
}

func (m *meddler) Put(ctx context.Context, run directory.ID, b directory.Batch) (directory.Counts, error) {
	if m.put != nil {
		m.put()
	}
	return m.memory.Put(ctx, run, b)
}

// TestChangedMeanwhile writes to files while they are imported. One that was surveyed is refused before any of the
// other bytes is put, though its length and time are as they were; of any other the run fails.
func TestChangedMeanwhile(t *testing.T) {
	h := nppesHeader(false)
	for _, c := range []struct{ source, name, text, from, to string }{
		{"leie", "UPDATED.csv", leieHead + leieRow(), "QUILL", "QUELL"},
		{"leie", "UPDATED.csv", leieHead + leieRow("CITY", "DEN\nVER"), "QUILL", "QUELL"},
		{"co-dora", "roster_20261109.csv", coHead + coRow() + coRow("licensetype", "PTL"), "OKAFOR", "OKIFOR"},
		{"nppes", "npidata_pfile_20050523-20261108.csv", nppesFile(nppesRow(h)), "OKAFOR", "OKIFOR"},
	} {
		path := write(t, c.name, c.text)
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		m := &meddler{begin: func() {
			if err := os.WriteFile(path, []byte(strings.Replace(c.text, c.from, c.to, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, time.Time{}, st.ModTime()); err != nil {
				t.Fatal(err)
			}
		}}
		src, _ := Find(c.source)
		_, err = Run(context.Background(), src, Input{Path: path}, m, Options{Now: day, AsOf: "2026-11-10"})
		if err == nil || !strings.Contains(err.Error(), "written to while it was read") || m.failure == nil || len(m.records)+len(m.rejects) > 0 {
			t.Errorf("%s: %v, failure %v, %d records", c.source, err, m.failure, len(m.records))
		}
	}
	for source, path := range map[string]string{
		"nppes": zipOfFiles(t, "nppes.zip", "npidata_pfile_20050523-20261108.csv", nppesFile(nppesRow(h))),
		"sam":   write(t, "SAM_Exclusions_Public_Extract_V2_26314.CSV", samHead(samLayouts[0])+samRow())} {
		m := &meddler{put: func() {
			if err := os.Chtimes(path, time.Time{}, day()); err != nil {
				t.Fatal(err)
			}
		}}
		src, _ := Find(source)
		_, err := Run(context.Background(), src, Input{Path: path}, m, Options{Now: day})
		if err == nil || !strings.Contains(err.Error(), "written to while it was read") || m.failure == nil {
			t.Errorf("%s: %v, failure %v", filepath.Base(path), err, m.failure)
		}
	}
}

// TestSameLength hashes a file of the length of the one in force before it is looked at: the same bytes cost no more.
func TestSameLength(t *testing.T) {
	cut := leieHead + leieRow()[:40] // which a survey refuses
	path := write(t, "UPDATED.csv", cut)
	src, _ := Find("leie")
	opts := Options{Now: day, AsOf: "2026-11-10"}
	m := &memory{already: true, held: directory.Held{Found: true, Already: true, Newest: directory.Run{Release: directory.Release{Size: int64(len(cut))}}}}
	if run, err := Run(context.Background(), src, Input{Path: path}, m, opts); err != nil || !run.Already || len(m.rel.SHA256) != 64 {
		t.Errorf("the same bytes: %v, %+v", err, run)
	}
	m.held.Newest.Release.Size++
	if _, err := Run(context.Background(), src, Input{Path: path}, m, opts); err == nil || !strings.Contains(err.Error(), "in the middle of this row") {
		t.Errorf("a file of another length was not surveyed: %v", err)
	}
}

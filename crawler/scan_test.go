package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kapdir/directory"
)

// whole is a plain file in memory, which several workers read at their own places.
type whole struct{ *bytes.Reader }

func (whole) Close() error { return nil }

// plainFile and packedFile are a file in memory, and one that can only be read from its beginning.
func plainFile(name string, data []byte) file {
	return file{name: name, size: int64(len(data)), open: func() (io.ReadCloser, error) { return whole{bytes.NewReader(data)}, nil }}
}

func packedFile(name string, data []byte) file {
	return file{name: name, size: int64(len(data)), open: func() (io.ReadCloser, error) { return io.NopCloser(io.MultiReader(bytes.NewReader(data))), nil }}
}

// lineByLine reads an NPPES file as it was read before there were pieces: the model of the scan.
func lineByLine(l *nppes, data []byte) (said, outside []string) {
	rs := newRows(l.file, bytes.NewReader(data), ',')
	if _, err := rs.header(); err != nil {
		return []string{err.Error()}, nil
	}
	for {
		line, n, err := rs.next()
		if err == io.EOF {
			return said, outside
		}
		if err != nil {
			return append(said, err.Error()), outside
		}
		if code, ok := l.beyond(line); ok {
			outside = append(outside, string(code))
			continue
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		fields, bad, err := rs.complete(line, n)
		switch {
		case err != nil:
			return append(said, err.Error()), outside
		case bad == nil:
			said = append(said, fmt.Sprintf("%d %q", n, fields))
		case bad.cut:
			return append(said, cutOff(l.file, bad).Error()), outside
		default:
			said = append(said, fmt.Sprintf("%d bad", n))
		}
	}
}

// inPieces reads it with the scan: surveyed first if it is a plain file, and in one go if it is not.
func inPieces(l *nppes, f file, piece int, survey bool) (said, outside []string) {
	t := l.table(f)
	t.piece = piece
	var mu sync.Mutex // one worker after the other; what they say is ordered by its line
	at := map[int]string{}
	t.rows = func() func(*leaf, tableRow) {
		return func(_ *leaf, r tableRow) {
			mu.Lock()
			defer mu.Unlock()
			at[r.line] = fmt.Sprintf("%d %q", r.line, r.fields)
		}
	}
	var report Report
	sink := &memory{}
	o := &out{ctx: context.Background(), sink: sink, opts: Options{Report: &report}.complete()}
	var err error
	if survey {
		err = t.survey(context.Background(), nil, func(int64) {})
		var none *directory.Error
		if errors.As(err, &none) && strings.Contains(none.Detail, "no rows") {
			return nil, nil
		}
	}
	if err == nil {
		err = t.read(o)
		if failed := o.flush(); err == nil {
			err = failed
		}
	}
	for _, r := range sink.rejects {
		at[r.Line] = fmt.Sprintf("%d bad", r.Line)
	}
	for _, n := range slices.Sorted(maps.Keys(at)) {
		said = append(said, at[n])
	}
	if err != nil {
		said = append(said, err.Error())
	}
	for code, n := range report.Outside {
		for range n {
			outside = append(outside, code)
		}
	}
	return said, outside
}

// TestScan holds the scan, with pieces of any size, to the file read line by line: the same rows in the
// same order with the same line numbers, whatever stands in the lines.
func TestScan(t *testing.T) {
	h := nppesHeader(false)
	l, err := nppesLayout("x.csv", h)
	if err != nil {
		t.Fatal(err)
	}
	pt := nppesRow(h, "code", "225100000X")
	texts := []string{nppesRow(h), pt, nppesRow(h, "street", "A\nB"), nppesRow(h, "street", "A\n\n\n\n\n\nB"), strings.Replace(pt, "PEARL", `PE"ARL`, 1), strings.Replace(nppesRow(h), "PEARL", `PE"ARL`, 1),
		"", " ", `"`, `"` + "\n" + pt + "\n" + `"`, "\xff\xfe", strings.ReplaceAll(pt, `"`, ""), nppesBare(h, "npi", "2000000028", "deactivated", "07/08/2014"), pt[:700], "x,y"}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString(quoteRow(h) + "\n")
		for range rapid.IntRange(0, 12).Draw(t, "rows") {
			b.WriteString(rapid.SampledFrom(texts).Draw(t, "row"))
			b.WriteString(rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "break"))
		}
		data := []byte(b.String())
		data = data[:max(len(quoteRow(h))+1, len(data)-rapid.IntRange(0, 40).Draw(t, "cut"))]
		piece := rapid.SampledFrom([]int{1, 7, 300, 1100, 4096, pieceSize}).Draw(t, "piece")
		want, wantOutside := lineByLine(l, data)
		for name, f := range map[string]file{"plain": plainFile("x.csv", data), "packed": packedFile("x.csv", data)} {
			for _, survey := range []bool{true, false} {
				got, gotOutside := inPieces(l, f, piece, survey)
				want, wantOutside := want, wantOutside
				if survey && len(want) > 0 && strings.Contains(want[len(want)-1], "in the middle of this row") { // nothing of it is read
					want, wantOutside = want[len(want)-1:], nil
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s, survey %v, pieces of %d (-lines +pieces):\n%s", name, survey, piece, diff)
				}
				if want, got := len(wantOutside), len(gotOutside); got != want {
					t.Fatalf("%s, survey %v: %d rows outside, want %d", name, survey, got, want)
				}
			}
		}
	})
}

// TestScanLimits reads lines that are too long, and files that end before they should.
func TestScanLimits(t *testing.T) {
	h := nppesHeader(false)
	l, err := nppesLayout("x.csv", h)
	if err != nil {
		t.Fatal(err)
	}
	head := quoteRow(h) + "\n"
	row := nppesRow(h) + "\n"
	long := func(n int) string { return nppesRow(h, "street", strings.Repeat("x", n)) + "\n" }
	for _, c := range []struct {
		name, text string
		rows       int
		err        string
	}{
		{"long, but not too long", head + row + long(maxLine-10000) + row, 3, ""},
		{"too long", head + row + long(maxLine) + row, 1, "line 3: the line is longer than 2 MiB"},
		{"very much too long", head + row + row + long(5*maxLine), 2, "line 4: the line is longer than 2 MiB"},
		{"too long without an end", head + row + strings.TrimSpace(long(3*maxLine)), 1, "line 3: the line is longer than 2 MiB"},
	} {
		for _, plain := range []bool{true, false} {
			f := packedFile("x.csv", []byte(c.text))
			if plain {
				f = plainFile("x.csv", []byte(c.text))
			}
			for _, survey := range []bool{true, false} {
				got, _ := inPieces(l, f, pieceSize, survey)
				want := c.rows
				if c.err != "" {
					want++
				}
				if c.err != "" && survey {
					want = 1 // nothing of it is read
				}
				if len(got) != want || c.err != "" && !strings.Contains(got[len(got)-1], c.err) {
					t.Errorf("%s, plain %v, survey %v: %d lines, the last %.200q", c.name, plain, survey, len(got), got[len(got)-1])
				}
			}
		}
	}
	text := head + strings.Repeat(row, 10)
	short := file{name: "x.csv", size: int64(len(text)) * 300, open: func() (io.ReadCloser, error) { return whole{bytes.NewReader([]byte(text))}, nil }}
	if got, _ := inPieces(l, short, pieceSize, true); len(got) != 1 || !strings.Contains(got[0], "breaks off") {
		t.Errorf("a file that became shorter: %d, %.200q", len(got), got[len(got)-1])
	}
}

// TestSplit holds the quick division of a plain row to encoding/csv: where it says yes, both say the same.
func TestSplit(t *testing.T) {
	l := &nppes{names: make([]string, 4)}
	splits := map[string]func(string, rune, []string, int) (bool, bool){"nppes": l.split, "plain": splitPlain, "bare": splitBare}
	alphabet := []string{`"`, `","`, `""`, ",", "A", "900-01-2345", " ", "\t", "é", "\xff", "\n", "\r", `"A","B","C","D"`}
	rapid.Check(t, func(t *rapid.T) {
		line := strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 12).Draw(t, "row"), "")
		if rapid.Bool().Draw(t, "quoted") {
			line = `"` + line + `"`
		}
		for name, split := range splits {
			few := rapid.IntRange(1, 4).Draw(t, "fields told")
			if name == "nppes" { // which tells all
				few = 4
			}
			got := make([]string, few)
			if ok, _ := split(line, ',', got, 4); !ok {
				continue
			}
			rs := newRows("x", strings.NewReader(""), ',')
			rs.width, rs.bare = 4, name == "bare"
			want, reason := rs.parse([]byte(line))
			if reason != "" || !slices.Equal(want[:few], got) {
				t.Fatalf("%s: %q: %s %q, not %q", name, line, reason, got, want)
			}
		}
	})
	for line, split := range map[string]string{`A,"B, C",,"D"`: "plain", `A,B"C,,D,`: "bare"} {
		if ok, _ := splits[split](line, ',', make([]string, 4), 4); !ok {
			t.Errorf("%s: a plain row is not divided quickly: %s", split, line)
		}
	}
	if ok, _ := l.split(`"A","","C, D","E"`, ',', make([]string, 4), 4); !ok {
		t.Error("a plain row is not divided quickly")
	}
}

// TestNPPESQuick reads the same rows as CMS writes them and in a spelling that is read with more care.
func TestNPPESQuick(t *testing.T) {
	h := nppesHeader(false)
	rows := []string{nppesRow(h, "otherlast", "LINDQVIST", "othertype", "1"), nppesRow(h, "npi", "2000000028", "licence", "900012345"), nppesRow(h, "npi", "2000000036", "enumerated", "02/30/2010"),
		nppesBare(h, "npi", "2900001530", "deactivated", "07/08/2014"), nppesRow(h, "npi", "2100000175", "street", "CARE OF 900-01-2345"), nppesRow(h, "npi", "2200000349", "entity", "3")}
	quick, _ := importRows(t, h, false, rows...)
	for i := range rows { // a letter in a column that is not read
		rows[i] = strings.TrimSuffix(rows[i], `""`) + `"é"`
	}
	careful, _ := importRows(t, h, false, rows...)
	if diff := cmp.Diff(careful.records, quick.records); diff != "" || len(quick.records) != 2 {
		t.Errorf("%d records (-with care +quick):\n%s", len(quick.records), diff)
	}
	if diff := cmp.Diff(careful.rejects, quick.rejects); diff != "" || len(quick.rejects) != 4 {
		t.Errorf("%d rejects (-with care +quick):\n%s", len(quick.rejects), diff)
	}
}

package crawler

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// whole is a plain file in memory, which several workers read at their own places.
type whole struct{ *bytes.Reader }

func (whole) Close() error { return nil }

// lineByLine reads an NPPES file as it was read before there were pieces: the model of the scan.
func lineByLine(l *nppes, data []byte) (said []string) {
	rs := newRows(l.file, bytes.NewReader(data), ',')
	if _, err := rs.header(); err != nil {
		return []string{err.Error()}
	}
	for {
		line, n, err := rs.next()
		if err == io.EOF {
			return said
		}
		if err != nil {
			return append(said, err.Error())
		}
		if code, ok := l.beyond(line); ok {
			said = append(said, "outside "+string(code))
			continue
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		fields, bad, err := rs.complete(line, n)
		said = append(said, fmt.Sprintf("%d %q %v %v", n, fields, bad != nil && bad.cut, err))
	}
}

// inPieces reads it with the scan.
func inPieces(l *nppes, f file) []string {
	var outside, said []string
	o := &out{ctx: context.Background(), sink: &discard{}, opts: Options{}.complete()}
	err := l.pass(o, f, func(code string, n int) {
		for range n {
			outside = append(outside, "outside "+code)
		}
	}, func(rs *rows, line []byte, n int) error {
		fields, bad, err := rs.complete(line, n)
		said = append(said, fmt.Sprintf("%d %q %v %v", n, fields, bad != nil && bad.cut, err))
		return err
	})
	if err != nil {
		said = append(said, err.Error())
	}
	return append(said, outside...)
}

// apart puts the rows outside behind the others: only their number counts.
func apart(said []string) (kept, outside []string) {
	for _, s := range said {
		if strings.HasPrefix(s, "outside ") {
			outside = append(outside, s)
		} else {
			kept = append(kept, s)
		}
	}
	return kept, outside
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
		l.piece = rapid.SampledFrom([]int{1, 7, 300, 1100, 4096, pieceSize}).Draw(t, "piece")
		want, wantOutside := apart(lineByLine(l, data))
		for name, f := range map[string]file{
			"plain":  {name: "x.csv", size: int64(len(data)), open: func() (io.ReadCloser, error) { return whole{bytes.NewReader(data)}, nil }},
			"stream": {name: "x.csv", size: int64(len(data)), open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewBuffer(data)), nil }},
		} {
			got, gotOutside := apart(inPieces(l, f))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s, pieces of %d (-lines +pieces):\n%s", name, l.piece, diff)
			}
			if len(wantOutside) != len(gotOutside) {
				t.Fatalf("%s: %d rows outside, want %d", name, len(gotOutside), len(wantOutside))
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
			f := file{name: "x.csv", size: int64(len(c.text)), open: func() (io.ReadCloser, error) {
				if plain {
					return whole{bytes.NewReader([]byte(c.text))}, nil
				}
				return io.NopCloser(strings.NewReader(c.text)), nil
			}}
			if !plain {
				f.open = func() (io.ReadCloser, error) { return io.NopCloser(io.MultiReader(strings.NewReader(c.text))), nil }
			}
			got := inPieces(l, f)
			want := c.rows
			if c.err != "" {
				want++
			}
			if len(got) != want || c.err != "" && !strings.Contains(got[len(got)-1], c.err) {
				t.Errorf("%s, plain %v: %d lines, the last %.200q", c.name, plain, len(got), got[len(got)-1])
			}
		}
	}
	text := head + strings.Repeat(row, 10)
	short := file{name: "x.csv", size: int64(len(text)) * 300, open: func() (io.ReadCloser, error) { return whole{bytes.NewReader([]byte(text))}, nil }}
	if got := inPieces(l, short); len(got) != 11 || !strings.Contains(got[10], "breaks off") {
		t.Errorf("a file that became shorter: %d, %.200q", len(got), got[len(got)-1])
	}
}

// TestSplit holds the quick division of a plain row to encoding/csv: where it says yes, both say the same.
func TestSplit(t *testing.T) {
	l := &nppes{names: make([]string, 4)}
	alphabet := []string{`"`, `","`, `""`, ",", "A", "900-01-2345", " ", "\t", "é", "\xff", "\n", "\r", `"A","B","C","D"`}
	rapid.Check(t, func(t *rapid.T) {
		line := strings.Join(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 12).Draw(t, "row"), "")
		if rapid.Bool().Draw(t, "quoted") {
			line = `"` + line + `"`
		}
		got := make([]string, 4)
		if !l.split([]byte(line), got) {
			return
		}
		rs := newRows("x", strings.NewReader(""), ',')
		rs.width = 4
		want, reason := rs.parse([]byte(line))
		if diff := cmp.Diff(want, got); reason != "" || diff != "" {
			t.Fatalf("%q: %s %s", line, reason, diff)
		}
	})
	if !l.split([]byte(`"A","","C, D","E"`), make([]string, 4)) {
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

package crawler

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// readAll reads every record of a text, with the line of each and a mark for those that are bad.
func readAll(t testing.TB, text string) (out []string, lines []int) {
	t.Helper()
	rs := newRows("x", strings.NewReader(text), ',')
	if _, err := rs.header(); err != nil {
		t.Fatal(err)
	}
	for {
		f, n, bad, err := rs.record()
		if err == io.EOF {
			return out, lines
		}
		if err != nil {
			t.Fatal(err)
		}
		if bad != nil {
			f, n = []string{"BAD"}, bad.line
			if bad.cut {
				f[0] = "CUT"
			}
		}
		out = append(out, strings.Join(f, "|"))
		lines = append(lines, n)
	}
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		lines      []int
	}{
		{"plain", "a,b\n1,2\n3,4\n", []string{"1|2", "3|4"}, []int{2, 3}},
		{"no break at the end", "a,b\n1,2\n3,4", []string{"1|2", "3|4"}, []int{2, 3}},
		{"CRLF, blank lines", "a,b\r\n1,2\r\n\r\n  \r\n3,4\r\n", []string{"1|2", "3|4"}, []int{2, 5}},
		{"quotation marks doubled", "a,b\n\"1 \"\"x\"\"\",2\n", []string{`1 "x"|2`}, []int{2}},
		{"a break in a field", "a,b\n\"1\n1\",2\n3,4\n", []string{"1\n1|2", "3|4"}, []int{2, 4}},
		{"three breaks in a field", "a,b\n\"1\n\n\n1\",2\n3,4\n", []string{"1\n\n\n1|2", "3|4"}, []int{2, 6}},
		{"an open mark takes one row only", "a,b\n\"1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n", []string{"BAD", "3|4", "5|6", "7|8", "9|10", "11|12"}, []int{2, 3, 4, 5, 6, 7}},
		{"a mark inside", "a,b\n1\"x,2\n3,4\n", []string{"BAD", "3|4"}, []int{2, 3}},
		{"two rows with one mark each are two bad rows", "a,b\n1\"x,2\n3,\"4\n5,6\n", []string{"BAD", "BAD", "5|6"}, []int{2, 3, 4}},
		{"as SAM writes it", "a,b\n\"\"The contractor\",2\n3,4\n", []string{"BAD", "3|4"}, []int{2, 3}},
		{"too short, too long", "a,b\n1\n1,2,3\n3,4\n", []string{"BAD", "BAD", "3|4"}, []int{2, 3, 4}},
		{"cut in a field", "a,b\n1,2\n\"3,", []string{"1|2", "CUT"}, []int{2, 3}},
		{"cut in a row", "a,b\n1,2\n3", []string{"1|2", "CUT"}, []int{2, 3}},
		{"a byte-order mark", "\ufeffa,b\n1,2\n", []string{"1|2"}, []int{2}},
		{"windows-1252 and UTF-8 in one file", "a,b\nNU\xd1EZ,2\nNUÑEZ,4\n", []string{"NUÑEZ|2", "NUÑEZ|4"}, []int{2, 3}},
		{"long but not too long", "a,b\n" + strings.Repeat("x", 600<<10) + ",2\n3,4\n", []string{strings.Repeat("x", 600<<10) + "|2", "3|4"}, []int{2, 3}},
	} {
		got, lines := readAll(t, c.text)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.lines, lines); diff != "" {
			t.Errorf("%s, lines (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestRowsRecover: whatever one row holds, the good rows around it are read as they are.
func TestRowsRecover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		junk := rapid.StringMatching(`[a-c",;| ]{0,30}`).Draw(t, "junk")
		after := rapid.IntRange(5, 9).Draw(t, "after")
		text := "a,b,c\n\"g\",\"0\",\"\"\n" + junk + "\n"
		for i := range after {
			text += "\"g\",\"" + itoa(i+1) + "\",\"\"\n"
		}
		rs := newRows("x", strings.NewReader(text), ',')
		if _, err := rs.header(); err != nil {
			t.Fatal(err)
		}
		good := 0
		for {
			f, _, _, err := rs.record()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(f) == 3 && f[0] == "g" {
				good++
			}
		}
		if good < after+1 && strings.Count(junk, `"`)%2 == 0 || good < after-maxJoin {
			t.Fatalf("junk %q: %d of %d good rows", junk, good, after+1)
		}
	})
}

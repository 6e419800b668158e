package crawler

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"kapdir/directory"
)

const (
	maxLine = 2 << 20 // bytes of one line; the longest real row is under 20 KB
	maxJoin = 4       // further lines that a quoted field may reach into
)

// rows reads the records of a delimited file one by one, so that a row which cannot be read is put
// aside alone and the next one is read well. encoding/csv does the parsing, strictly; what it refuses is
// tried with the next few lines behind it, since a quoted field may hold a line break, and is otherwise
// given up alone.
type rows struct {
	file    string
	src     *counted
	br      *bufio.Reader
	line    int // number of the line read last
	ended   bool
	whole   bool // the line read last ended with a line break
	buf     []byte
	pending []pendingLine // lines tried with the row before them and given back

	comma  rune
	bare   bool // nothing is quoted, and a row may end with one separator more than the header
	feed   *feed
	fed    []byte
	fields []string // of a row without quotation marks
	parser *csv.Reader
	width  int // fields of a row; 0 while the header is read
}

type pendingLine struct {
	text  []byte
	line  int
	whole bool
}

// badRow is a row that cannot be read: it goes to quarantine alone.
type badRow struct {
	line   int
	reason string
	text   []byte
	cut    bool // the file ends inside it
}

// feed hands one record at a time to a csv.Reader that stays the same.
type feed struct{ b []byte }

func (f *feed) Read(p []byte) (int, error) {
	if len(f.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.b)
	f.b = f.b[n:]
	return n, nil
}

func newRows(name string, r io.Reader, comma rune) *rows {
	src := &counted{Reader: r}
	rs := &rows{file: name, src: src, br: bufio.NewReaderSize(src, 256<<10), comma: comma}
	rs.reset()
	return rs
}

// reset drops a parser that stopped in the middle of a record.
func (r *rows) reset() {
	r.feed = &feed{}
	r.parser = csv.NewReader(r.feed)
	r.parser.Comma = r.comma
	r.parser.FieldsPerRecord = -1
	r.parser.ReuseRecord = true
}

// next returns the next line without its line break, and its number. It is good until the next call.
// A line beyond the bound is an error of the whole file, found with bounded memory.
func (r *rows) next() ([]byte, int, error) {
	if len(r.pending) > 0 {
		p := r.pending[0]
		r.pending = r.pending[1:]
		r.whole = p.whole
		return p.text, p.line, nil
	}
	if r.ended {
		return nil, 0, io.EOF
	}
	part, err := r.br.ReadSlice('\n')
	if err == nil { // the common case: no copy
		r.line++
		r.whole = true
		return trimBreak(part), r.line, nil
	}
	r.buf = append(r.buf[:0], part...)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(r.buf) > maxLine {
			return nil, r.line + 1, invalid(r.file, r.line+1, "", "the line is longer than %d MiB: the file is damaged or of another kind", maxLine>>20)
		}
		part, err = r.br.ReadSlice('\n')
		r.buf = append(r.buf, part...)
	}
	if len(r.buf) > maxLine {
		return nil, r.line + 1, invalid(r.file, r.line+1, "", "the line is longer than %d MiB: the file is damaged or of another kind", maxLine>>20)
	}
	if err == nil {
		r.line++
		r.whole = true
		return trimBreak(r.buf), r.line, nil
	}
	if err != io.EOF {
		return nil, r.line + 1, readFailure(r.file, r.line+1, err)
	}
	r.ended = true
	if len(r.buf) == 0 {
		return nil, 0, io.EOF
	}
	r.line++
	r.whole = false
	return trimBreak(r.buf), r.line, nil
}

// readFailure says what a broken archive or disk means for the person who gave the file.
func readFailure(file string, line int, err error) error {
	var own *directory.Error
	if errors.As(err, &own) {
		return err
	}
	return &directory.Error{Kind: directory.Invalid, Op: file + ", line " + itoa(line), Detail: "the file breaks off or is damaged here: fetch it again", Cause: err}
}

func trimBreak(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		b = b[:n-1]
	}
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return b
}

// record returns the next row's fields and the number of its first line. The fields are good until the
// next call. A row that cannot be read comes back as bad, and reading goes on after it.
func (r *rows) record() (fields []string, line int, bad *badRow, err error) {
	for {
		b, n, err := r.next()
		if err != nil {
			return nil, n, nil, err
		}
		if len(bytes.TrimSpace(b)) == 0 {
			continue
		}
		fields, bad, err := r.complete(b, n)
		return fields, n, bad, err
	}
}

// complete parses a line that is, or begins, a record.
func (r *rows) complete(line []byte, n int) ([]string, *badRow, error) {
	first := line
	whole := r.whole
	fields, reason := r.parse(line)
	if reason == "" {
		return fields, nil, nil
	}
	if !r.bare && bytes.Count(line, quoteMark)%2 == 1 { // a quoted field may go on in the next lines
		first = bytes.Clone(line)
		joined := bytes.Clone(line)
		var taken []pendingLine
		for range maxJoin {
			b, k, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, nil, err
			}
			taken = append(taken, pendingLine{bytes.Clone(b), k, r.whole})
			joined = append(append(joined, '\n'), b...)
			if len(joined) > maxLine {
				break
			}
			if f, why := r.parse(joined); why == "" {
				return f, nil, nil
			}
		}
		r.pending = append(taken, r.pending...)
		if len(taken) > 0 {
			whole = true
		}
	}
	return nil, &badRow{line: n, reason: reason, text: first, cut: !whole}, nil
}

var quoteMark = []byte{'"'}

// parse reads one record strictly, and says in a person's words why it cannot.
func (r *rows) parse(b []byte) ([]string, string) {
	if r.bare || bytes.IndexByte(b, '"') < 0 && bytes.IndexByte(b, '\r') < 0 { // without quotation marks there is nothing to parse
		fields := r.split(string(decode(b)))
		if n := len(fields) - 1; r.bare && n > 0 && fields[n] == "" && (r.width == 0 || n == r.width) {
			fields = fields[:n]
		}
		return fields, r.odd(fields)
	}
	r.fed = append(append(r.fed[:0], decode(b)...), '\n')
	r.feed.b = r.fed
	fields, err := r.parser.Read()
	if err == nil {
		if bytes.IndexByte(b, '\n') >= 0 && r.leftover() {
			r.reset()
			return nil, "a line break stands outside quotation marks"
		}
		return fields, r.odd(fields)
	}
	r.reset()
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		switch {
		case errors.Is(pe.Err, csv.ErrBareQuote):
			return nil, "a quotation mark stands inside a field that is not quoted"
		case errors.Is(pe.Err, csv.ErrQuote):
			return nil, "a quotation mark is missing or stands alone"
		}
	}
	return nil, "the row cannot be divided into fields"
}

// split divides a row at the separators. The fields are good until the next row.
func (r *rows) split(s string) []string {
	r.fields = r.fields[:0]
	for {
		i := strings.IndexByte(s, byte(r.comma))
		if i < 0 {
			r.fields = append(r.fields, s)
			return r.fields
		}
		r.fields = append(r.fields, s[:i])
		s = s[i+1:]
	}
}

// odd says that a row has another number of fields than the header, "" if it has not.
func (r *rows) odd(fields []string) string {
	if r.width > 0 && len(fields) != r.width {
		return "the row has " + itoa(len(fields)) + " fields where the header has " + itoa(r.width)
	}
	return ""
}

// leftover reports a second record behind the first one that was fed.
func (r *rows) leftover() bool {
	if len(r.feed.b) > 0 {
		return true
	}
	_, err := r.parser.Read()
	return err != io.EOF
}

// decode returns the bytes as UTF-8: what is not UTF-8 already is taken for windows-1252, line by line,
// since publishers mix the two in one file.
func decode(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	d, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return bytes.ToValidUTF8(b, []byte("\ufffd"))
	}
	return d
}

// header reads the first row: the names of the columns, trimmed of a byte-order mark.
func (r *rows) header() ([]string, error) {
	b, n, err := r.next()
	if err == io.EOF {
		return nil, invalid(r.file, 0, "", "the file is empty: fetch it again")
	}
	if err != nil {
		return nil, err
	}
	if kind := sniff(b); kind != "" {
		return nil, invalid(r.file, 0, "", "this is %s, not a CSV file", kind)
	}
	fields, reason := r.parse(bytes.TrimPrefix(b, []byte("\ufeff")))
	if reason != "" {
		return nil, invalid(r.file, n, "", "the header cannot be read: %s", reason)
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = strings.Clone(f)
	}
	r.width = len(names)
	return names, nil
}

// sniff names what a file is when it is no text of columns, "" when it may be.
func sniff(head []byte) string {
	text := bytes.ToLower(bytes.TrimSpace(head[:min(len(head), 512)]))
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return "a zip archive or an Excel workbook"
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "a gzip archive"
	case bytes.HasPrefix(head, []byte("%PDF")):
		return "a PDF document"
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return "text in UTF-16 (save it as UTF-8)"
	case bytes.HasPrefix(head, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return "an old Excel workbook"
	case bytes.HasPrefix(text, []byte("<!doctype")), bytes.HasPrefix(text, []byte("<html")), bytes.HasPrefix(text, []byte("<?xml")):
		return "a page of HTML or XML (perhaps an error page in place of the file)"
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[{")):
		return "JSON"
	case controls(head[:min(len(head), 8192)]) > len(head[:min(len(head), 8192)])/100:
		return "a binary file"
	}
	return ""
}

// controls counts the control characters that text does not have; one NUL outweighs any length.
func controls(b []byte) (n int) {
	for _, c := range b {
		switch {
		case c == 0:
			return len(b) + 1
		case c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f:
			n++
		}
	}
	return n
}

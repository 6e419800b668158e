package crawler

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"strings"
	"unicode/utf8"

	"kapdir/directory"
)

// table is a delimited file whose rows are read in pieces by several workers. It is read twice. The survey,
// before the run begins, hashes the bytes, sees that the file is whole, and notes which lines have to be
// read; where a value goes on in the next line it divides the rows one behind the other, so that nobody
// has to again. The reading turns those lines into records, in the order of the file. It holds the bytes to
// those of the survey: a file that was written to meanwhile is refused before anything of it is put.
//
// An archive is not inflated twice: without a survey both are done in one go.
type table struct {
	file     file
	names    []string
	comma    rune
	bare     bool // as in rows
	headless bool // the first line is a row
	piece    int  // the size of one; pieceSize if it is 0

	// beyond counts a line that need not be read, from a look at its bytes. Nil reads all.
	beyond func(p *sorted, line []byte) bool
	// study makes what a worker of the survey does with rows: it notes what it has to of one, and reports
	// whether it is read. Nil reads all. The row is good until the next.
	study func() func(p *sorted, row []string, m *noted) bool
	// again reports a row that study noted by a key and that makes a record of its own, and what else than its bytes
	// decides what is read of it. With it, rows that the sink holds are not read a second time. Nil: all are.
	again func(m *noted) (more byte, ok bool)
	// rows makes what a worker of the reading does with rows.
	rows func() func(y *leaf, r tableRow)
	// split divides a plain row of so many fields quickly, of which it need not tell more than row holds, and says
	// whether it is ASCII; splitPlain if it is nil.
	split func(line string, comma rune, row []string, width int) (ok, ascii bool)
	// studied is how many of the first fields study looks at; 0 is all.
	studied int
	// alike writes what else than a row's bytes decides what is read of it. With it, rows that the sink holds
	// are not parsed. Nil, or ok false: such rows are parsed, or looked after by the adapter.
	alike func(to, line []byte) (_ []byte, ok bool)
	basis string // what of the whole file and the options decides what is read of a row

	plan    []cut // nil without a survey
	size    int   // rows that are read, good and bad
	outside map[string]*int
	notes   []uint64
	seed    maphash.Seed
}

// sorted is what is known of a piece once its lines are told apart.
type sorted struct {
	lines     int
	spans     []stretch       // the lines to be read
	rows      int             // of them
	outside   map[string]*int // the others
	beyond    int             // how many others
	often     *int            // the count of the last of them, nil where it is counted with the rest
	oftenCode string
	notes     []uint64 // of study
	met       []noted  // with again: a row each that is read
	odd       bool     // a line holds half a pair of quotation marks: a value may go on in the next line
	sum       uint64   // of the bytes of the spans
}

// noted is what the survey keeps of a row that is read.
type noted struct {
	print [16]byte     // of its bytes; see fingerprint
	key   uint64       // 0: the row must be read
	line  uint32       // lines of the piece before it
	days  [2]shortDate // study's own
}

// shortDate is a date as a number, 20260831; 0 is none.
type shortDate uint32

// stretch is where lines that are read stand in a piece, one behind the other.
type stretch struct{ from, to, line uint32 }

// cut is a piece of a file that was surveyed.
type cut struct {
	at     int64
	line   int // lines before it
	spans  []stretch
	beyond int
	sum    uint64
	met    []noted

	careful bool // its rows, which may hold line breaks, are divided by encoding/csv
	lines   int  // of a careful one
	size    int  // and its bytes
	ahead   int  // bytes behind it which are looked at to see that they do not belong to it
}

// tableRow is a row that is read.
type tableRow struct {
	fields []string // good until the next row
	line   int
	clean  bool   // nothing in it is shaped like a Social Security number
	raw    []byte // as it stands in the file, good until the next row; nil if it holds a line break
}

func (p *sorted) count(code string) {
	p.beyond++
	if p.often != nil && p.oftenCode == code {
		*p.often++
		return
	}
	p.outside = tallied(p.outside, code, 1)
	p.often, p.oftenCode = p.outside[code], code
}

// tallied counts without making a string of what it has met before.
func tallied[S string | []byte](m map[string]*int, code S, n int) map[string]*int {
	if k := m[string(code)]; k != nil {
		*k += n
		return m
	}
	if m == nil {
		m = map[string]*int{}
	}
	if len(m) >= maxOutside {
		const rest = "of other kinds"
		if m[rest] == nil {
			m[rest] = new(int)
		}
		*m[rest] += n
		return m
	}
	m[string(code)] = &n
	return m
}

func (p *sorted) keep(from, to, line int) {
	if n := len(p.spans); n > 0 && p.spans[n-1].to == uint32(from) {
		p.spans[n-1].to = uint32(to)
		return
	}
	p.spans = append(p.spans, stretch{uint32(from), uint32(to), uint32(line)})
}

// hand is what one worker needs.
type hand struct {
	t     *table
	one   *rows // divides a row that is not plain
	row   []string
	study func(*sorted, []string, *noted) bool
	rows  func(*leaf, tableRow)

	remember bool // what it meets, so that it need not be read again
	noted    noted
	basis    []byte
	buf      []byte
}

func (t *table) hand() *hand {
	h := &hand{t: t, one: &rows{file: t.file.name, comma: t.comma, bare: t.bare, width: len(t.names)}, row: make([]string, len(t.names))}
	h.one.reset()
	if t.study != nil {
		h.study = t.study()
	}
	return h
}

// divide returns a row's fields, and whether it is ASCII as far as that was looked at, or why it has none.
func (h *hand) divide(line string) (row []string, ascii bool, reason string) {
	split := h.t.split
	if split == nil {
		split = splitPlain
		if h.t.bare {
			split = splitBare
		}
	}
	if ok, ascii := split(line, h.t.comma, h.row, len(h.t.names)); ok {
		return h.row, ascii, ""
	}
	row, reason = h.one.parse([]byte(line))
	return row, false, reason
}

// sort tells the lines of a piece apart.
func (h *hand) sort(p *piece) {
	text := "" // of the piece, once somebody divides its rows
	for from := 0; from < len(p.data); p.lines++ {
		to := len(p.data)
		if i := bytes.IndexByte(p.data[from:], '\n'); i >= 0 {
			to = from + i + 1
		}
		line := trimBreak(p.data[from:to])
		if len(line) > maxLine {
			p.data, p.err = p.data[:from], errLongLine
			return
		}
		switch {
		case p.first && from == 0 && !h.t.headless:
		case len(line) == 0 || line[0] <= ' ' && len(bytes.TrimSpace(line)) == 0:
			p.keep(from, to, p.lines)
		case h.t.beyond != nil && h.t.beyond(&p.sorted, line):
		case p.data[to-1] != '\n':
			p.odd = true // the end of the file, which may be in the middle of a row
		case h.study == nil:
			p.odd = p.odd || !h.t.bare && bytes.Count(line, quoteMark)%2 == 1
			p.rows++
			p.keep(from, to, p.lines)
		default:
			if text == "" {
				text = string(p.data)
			}
			row, _, reason := h.divide(text[from : from+len(line)])
			p.odd = p.odd || reason != "" && !h.t.bare && bytes.Count(line, quoteMark)%2 == 1
			h.noted = noted{line: uint32(p.lines)}
			if reason == "" && !h.study(&p.sorted, row, &h.noted) {
				break
			}
			p.rows++
			p.keep(from, to, p.lines)
			if h.remember {
				if h.noted.key != 0 {
					h.noted.print, h.buf = fingerprint(h.buf, h.basis, line, nil)
				}
				p.met = append(p.met, h.noted)
			}
		}
		from = to
	}
}

// pass goes through the file once. look makes what a worker does with a piece, which sorts it first; plain gets
// the pieces whose lines are rows, and careful the lines of the others, one by one. A worker of a plain file
// does not know how many lines stand before a piece.
func (t *table) pass(ctx context.Context, r io.Reader, tap func([]byte), look func() func(*piece), plain func(p *piece, line int) error, careful func(j *lines, rs *rows, line []byte, n int) error) error {
	s := startScan(r, t.file.size, t.pieceSize(), tap, look)
	defer s.close()
	n := 0 // lines before the piece
	failure := func(err error) error {
		if err == errLongLine {
			return invalid(t.file.name, n+1, "", "the line is longer than %d MiB: the file is damaged or of another kind", maxLine>>20)
		}
		return readFailure(t.file.name, n+1, err)
	}
	for p := s.next(); p != nil; p = s.next() {
		if p.odd {
			j := &lines{s: s, p: p, at: p.at, left: p.data, failure: failure}
			rs := newRows(t.file.name, j, t.comma)
			rs.bare, rs.width, rs.line = t.bare, len(t.names), n
			for len(j.left) > 0 || len(rs.pending) > 0 {
				line, at, err := rs.next()
				if err == nil {
					n = at
					err = careful(j, rs, line, at)
				}
				if err != nil {
					return err
				}
			}
			p, n = j.p, rs.line
		} else {
			if err := plain(p, n); err != nil {
				return err
			}
			n += p.lines
		}
		if p.err != nil {
			return failure(p.err)
		}
		s.back(p)
		if err := ctx.Err(); err != nil {
			return stopped(err)
		}
	}
	return nil
}

func (t *table) pieceSize() int {
	if t.piece > 0 {
		return t.piece
	}
	return pieceSize
}

// isRow reports a line that is, or begins, a row.
func (t *table) isRow(line []byte, n int) bool {
	return (n > 1 || t.headless) && len(bytes.TrimSpace(line)) > 0
}

// survey reads the file once. tap gets its bytes if it is a plain file, and told hears how many were read.
func (t *table) survey(ctx context.Context, tap func([]byte), told func(int64)) error {
	r, err := t.file.open()
	if err != nil {
		return unreadable(t.file.name, err)
	}
	defer r.Close()
	_, plain := r.(io.ReaderAt)
	t.seed = maphash.MakeSeed()
	t.plan, t.size, t.outside, t.notes = nil, 0, nil, nil
	mine := t.hand()
	met, start := 0, 0 // rows; lines before what is not cut yet
	err = t.pass(ctx, r, tap, func() func(*piece) {
		h := t.hand()
		if t.studied > 0 {
			h.row = h.row[:t.studied]
		}
		h.remember, h.basis = plain && t.again != nil, basisOf(t.names, t.basis)
		return func(p *piece) {
			h.sort(p)
			p.sum = t.sum(p.data, p.spans)
		}
	}, func(p *piece, line int) error {
		t.plan = append(t.plan, cut{at: p.at, line: line, spans: p.spans, beyond: p.beyond, sum: p.sum, met: p.met})
		for code, n := range p.outside {
			t.outside = tallied(t.outside, code, *n)
		}
		t.notes = append(t.notes, p.notes...)
		t.size += p.rows
		met += p.rows + p.beyond
		start = line + p.lines
		told(p.at + int64(len(p.data)))
		return nil
	}, func(j *lines, rs *rows, line []byte, n int) error {
		if t.isRow(line, n) {
			met++
			var of sorted // what is beyond is counted when the row is read
			if t.beyond == nil || !t.beyond(&of, line) {
				row, bad, err := rs.complete(line, n)
				switch {
				case err != nil:
					return err
				case bad != nil && bad.cut:
					return cutOff(t.file.name, bad)
				case bad != nil || mine.study == nil || mine.study(&of, row, new(noted)):
					t.size++
				}
				t.notes = append(t.notes, of.notes...)
			}
		}
		taken := rs.line - len(rs.pending) - start
		if size := j.end(taken); size >= t.pieceSize() || len(j.left) == 0 && len(rs.pending) == 0 {
			t.plan = append(t.plan, cut{at: j.at, line: start, careful: true, lines: taken, size: size, ahead: len(j.text) - size, sum: maphash.Bytes(t.seed, j.text)})
			j.drop(taken)
			start += taken
			told(j.at)
		}
		return nil
	})
	if err == nil && met == 0 {
		err = invalid(t.file.name, 0, "", "the file has a header and no rows: an empty list replaces nothing, fetch it again")
	}
	if !plain || err != nil {
		t.plan = nil
	}
	return err
}

// surveyFile is the survey of an input's own file, which is hashed by it, or of one in an archive.
func (t *table) surveyFile(ctx context.Context, show func(name string, read int64)) error {
	tap, end := t.file.tap()
	if err := t.survey(ctx, tap, func(read int64) { show(t.file.name, read) }); err != nil {
		return err
	}
	return end()
}

// sum is of the bytes of spans, as they stand one behind the other.
func (t *table) sum(data []byte, spans []stretch) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	for _, x := range spans {
		h.Write(data[x.from:x.to])
	}
	return h.Sum64()
}

// errChanged is the error of a file that is not what was surveyed.
var errChanged = errors.New("the bytes are not those that were hashed")

func changed(name string) error {
	return invalid(name, 0, "", "the file was written to while it was read: import it again when it is complete")
}

// read turns the rows into records and hands them on.
func (t *table) read(o *out) error {
	o.file, o.total = t.file.name, t.file.size
	r, err := t.file.open()
	if err != nil {
		return unreadable(t.file.name, err)
	}
	defer r.Close()
	carry := o.carrying(t.names, t.basis)
	hand := func() *hand {
		h := t.hand()
		h.rows = t.rows()
		return h
	}
	if at, plain := r.(io.ReaderAt); plain && t.plan != nil {
		return t.planned(o, at, carry, hand)
	}
	return t.streamed(o, struct{ io.Reader }{r}, carry, hand)
}

// planned reads what the survey noted.
func (t *table) planned(o *out, r io.ReaderAt, carry *carrying, hand func() *hand) error {
	var done int64
	o.bytes = func() int64 { return done }
	for code, n := range t.outside {
		o.outsideKind(code, *n)
	}
	s := newScan(t.pieceSize(), nil, func() func(*piece) {
		h := hand()
		return func(p *piece) {
			p.leaf.carrying = carry
			p.err = h.cut(p, r)
		}
	}, func(s *scan) {
		for i := range t.plan {
			if !s.give(&piece{cut: &t.plan[i], buf: s.buffer()}) {
				return
			}
		}
	})
	defer s.close()
	for p := s.next(); p != nil; p = s.next() {
		if p.err == errChanged {
			return changed(t.file.name)
		}
		if p.err != nil {
			return p.err
		}
		o.outsideRows(p.cut.beyond)
		if err := o.take(&p.leaf); err != nil {
			return err
		}
		done = p.cut.at
		s.back(p)
		if err := o.pause(); err != nil {
			return err
		}
	}
	done = t.file.size
	return nil
}

// cut reads a piece of a file that was surveyed.
func (h *hand) cut(p *piece, r io.ReaderAt) error {
	c := p.cut
	spans := c.spans
	if c.careful {
		spans = []stretch{{0, uint32(c.size + c.ahead), 0}}
	}
	here := h.here(&p.leaf, c)
	if len(here) == 0 && len(c.met) > 0 {
		return nil
	}
	var err error
	if p.buf, err = readSpans(p.buf, r, c.at, spans); err != nil {
		return err
	}
	if maphash.Bytes(h.t.seed, p.buf) != c.sum {
		return errChanged
	}
	if c.careful {
		rs := newRows(h.t.file.name, bytes.NewReader(p.buf), h.t.comma)
		rs.bare, rs.width, rs.line = h.t.bare, len(h.t.names), c.line
		for {
			line, n, err := rs.next()
			if err == io.EOF || err == nil && n > c.line+c.lines {
				return nil
			}
			if err == nil {
				err = h.careful(rs, line, n, &p.leaf)
			}
			if err != nil {
				return err
			}
		}
	}
	data := p.buf
	for _, x := range spans {
		n := int(x.to - x.from)
		h.span(&p.leaf, data[:n], c.line+int(x.line), func(line int) bool { // the lines ascend in both
			if len(c.met) == 0 {
				return false
			}
			for len(here) > 0 && here[0] < line {
				here = here[1:]
			}
			return len(here) == 0 || here[0] != line
		})
		data = data[n:]
	}
	return nil
}

// here takes the rows of a piece that the sink holds, of those that the survey remembers, and returns the lines of
// the others.
func (h *hand) here(y *leaf, c *cut) (lines []int) {
	for i := range c.met {
		m := &c.met[i]
		line := c.line + int(m.line) + 1
		if y.carrying != nil && m.key != 0 {
			if more, ok := h.t.again(m); ok && y.holds(line, varied(m.print, more)) {
				continue
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// gap is how far two stretches may lie apart that are read at once.
const gap = 4 << 10

// readSpans appends what the spans hold to buf, one behind the other.
func readSpans(buf []byte, r io.ReaderAt, at int64, spans []stretch) ([]byte, error) {
	for len(spans) > 0 {
		n := 1
		for n < len(spans) && spans[n].from-spans[n-1].to <= gap {
			n++
		}
		from, size, first := len(buf), int(spans[n-1].to-spans[0].from), spans[0].from
		if cap(buf) < from+size {
			buf = append(make([]byte, 0, 2*(from+size)), buf...)
		}
		all := buf[from : from+size]
		if k, err := r.ReadAt(all, at+int64(first)); k < size {
			if err == io.EOF {
				err = errChanged
			}
			return buf, err
		}
		for _, x := range spans[:n] {
			buf = append(buf, all[x.from-first:x.to-first]...) // never behind where it stands
		}
		spans = spans[n:]
	}
	return buf, nil
}

// span reads lines that are rows; line is how many stand before them. Those that pass are not read.
func (h *hand) span(y *leaf, data []byte, line int, pass func(line int) bool) {
	for len(data) > 0 {
		to := bytes.IndexByte(data, '\n') + 1
		if to == 0 {
			to = len(data)
		}
		raw := trimBreak(data[:to])
		data = data[to:]
		line++
		if len(bytes.TrimSpace(raw)) == 0 || pass != nil && pass(line) {
			continue
		}
		y.begin()
		if h.t.alike != nil && y.carrying != nil {
			var ok bool
			if y.more, ok = h.t.alike(y.more[:0], raw); ok && y.held(line, raw, y.more) {
				continue
			}
		}
		text := string(raw)
		row, ascii, reason := h.divide(text)
		if reason != "" {
			y.reject(directory.Reject{Line: line, Reason: reason, Text: rowText(raw)})
			continue
		}
		h.rows(y, tableRow{row, line, ascii && !hyphensSSN(text), raw})
	}
}

// careful reads a row that may go on in the next lines.
func (h *hand) careful(rs *rows, line []byte, n int, y *leaf) error {
	if !h.t.isRow(line, n) {
		return nil
	}
	y.begin()
	var of sorted
	if h.t.beyond != nil && h.t.beyond(&of, line) {
		y.add(of.outside)
		return nil
	}
	row, bad, err := rs.complete(line, n)
	switch {
	case err != nil:
		return err
	case bad == nil:
		h.rows(y, tableRow{fields: row, line: n})
	case bad.cut:
		return cutOff(h.t.file.name, bad)
	default:
		y.reject(directory.Reject{Line: bad.line, Reason: bad.reason, Text: rowText(bad.text)})
	}
	return nil
}

// streamed sorts the lines and reads them in one go.
func (t *table) streamed(o *out, r io.Reader, carry *carrying, hand func() *hand) error {
	var done int64
	o.bytes = func() int64 { return done }
	mine := hand()
	return t.pass(o.ctx, r, nil, func() func(*piece) {
		h := hand()
		return func(p *piece) {
			if h.sort(p); p.odd {
				return
			}
			p.leaf.carrying = carry
			for _, x := range p.spans {
				h.span(&p.leaf, p.data[x.from:x.to], p.line+int(x.line), nil)
			}
		}
	}, func(p *piece, _ int) error {
		done += int64(len(p.data))
		p.leaf.add(p.outside)
		if err := o.take(&p.leaf); err != nil {
			return err
		}
		return o.pause()
	}, func(j *lines, rs *rows, line []byte, n int) error {
		y := leaf{carrying: carry}
		if err := mine.careful(rs, line, n, &y); err != nil {
			return err
		}
		if len(rs.pending) == 0 {
			done += int64(len(j.text))
			j.drop(len(j.ends) + 1)
		}
		return o.take(&y)
	})
}

// splitPlain divides a row that is written plainly: the fields' text is valid, and quotation marks stand only
// around whole fields. ok is false for any other, which encoding/csv divides; where it is true both say the same of
// the fields that row holds.
func splitPlain(s string, comma rune, row []string, width int) (ok, ascii bool) {
	quotes := strings.IndexByte(s, '"') >= 0
	if ascii = isASCII(s); !ascii && !utf8.ValidString(s) || strings.IndexByte(s, '\r') >= 0 {
		return false, false
	}
	c := byte(comma)
	for n := range width {
		if n >= len(row) && !quotes {
			return strings.Count(s, string(comma)) == width-1-n, ascii
		}
		i, field := 0, ""
		if quotes && s != "" && s[0] == '"' {
			if i = strings.IndexByte(s[1:], '"') + 2; i < 2 {
				return false, false
			}
			field = s[1 : i-1]
		} else {
			for i < len(s) && s[i] != c {
				i++
			}
			if field = s[:i]; quotes && strings.IndexByte(field, '"') >= 0 {
				return false, false
			}
		}
		if n < len(row) {
			row[n] = field
		}
		if i == len(s) {
			return n == width-1, ascii
		}
		if s[i] != c {
			return false, false
		}
		s = s[i+1:]
	}
	return false, false
}

// splitBare divides a row of a file in which nothing is quoted, and whose rows may end with one separator more than
// the header.
func splitBare(s string, comma rune, row []string, width int) (ok, ascii bool) {
	if ascii = isASCII(s); !ascii && !utf8.ValidString(s) {
		return false, false
	}
	for n := range width {
		i := strings.IndexByte(s, byte(comma))
		field := s
		if i >= 0 {
			field = s[:i]
		}
		if n < len(row) {
			row[n] = field
		}
		if i < 0 {
			return n == width-1, ascii
		}
		s = s[i+1:]
	}
	return s == "", ascii
}

func isASCII(s string) bool {
	for len(s) >= 8 {
		if (uint64(s[0])|uint64(s[1])<<8|uint64(s[2])<<16|uint64(s[3])<<24|uint64(s[4])<<32|uint64(s[5])<<40|uint64(s[6])<<48|uint64(s[7])<<56)&0x8080808080808080 != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

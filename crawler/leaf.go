package crawler

import (
	"crypto/sha256"

	"kapdir/directory"
)

// yield takes what an adapter makes of a row: the run's batch does, and a leaf, where several rows are turned into
// records at once.
type yield interface {
	// record takes a row, unless it holds what must not be held.
	record(directory.Record) error
	// searched takes a row of which the adapter has looked for that in every column.
	searched(directory.Record) error
	// reject takes a row that was not taken, with its reason.
	reject(directory.Reject) error
	// partly takes a field that was not taken, before the row which was.
	partly(directory.Reject) error
	// outside takes a row of a kind that the directory does not cover.
	outside(kind string) error
}

// leaf holds what came of the rows of a piece until it is its turn. Its methods give no error.
type leaf struct {
	steps   []step
	records []directory.Record // in blocks: the steps point to them
	kinds   map[string]*int    // rows outside
	carried int

	carrying *carrying
	print    [16]byte // of the row that is read
	buf      []byte
	more     []byte
}

// step is one of its parts.
type step struct {
	record *directory.Record
	reject *directory.Reject
	part   *licence // a row of a licence that has several
}

// begin forgets the row before.
func (y *leaf) begin() { y.print = [16]byte{} }

func (y *leaf) record(r directory.Record) error {
	if x := unheld(r); x != nil {
		return y.reject(*x)
	}
	return y.searched(r)
}

func (y *leaf) searched(r directory.Record) error {
	if len(y.records) == cap(y.records) {
		y.records = make([]directory.Record, 0, 64)
	}
	r.Fingerprint = y.print
	y.records = append(y.records, r)
	y.steps = append(y.steps, step{record: &y.records[len(y.records)-1]})
	return nil
}

func (y *leaf) reject(r directory.Reject) error {
	y.steps = append(y.steps, step{reject: &r})
	return nil
}

func (y *leaf) partly(r directory.Reject) error {
	r.Partial = true
	y.print = [16]byte{} // so that the field is told again of each release
	return y.reject(r)
}

func (y *leaf) outside(kind string) error {
	y.kinds = tallied(y.kinds, kind, 1)
	return nil
}

func (y *leaf) add(kinds map[string]*int) {
	for k, n := range kinds {
		y.kinds = tallied(y.kinds, k, *n)
	}
}

// held reports a row that the sink holds as it would be read now, and takes it. More is what else than its bytes
// decides what is read of it. If it is not held, the record that is made of it carries its fingerprint.
func (y *leaf) held(line int, raw, more []byte) bool {
	if y.carrying == nil || raw == nil {
		return false
	}
	var print [16]byte
	print, y.buf = fingerprint(y.buf, y.carrying.basis, raw, more)
	return y.holds(line, print)
}

// holds is held, of a row whose fingerprint is known.
func (y *leaf) holds(line int, print [16]byte) bool {
	y.print = print
	if !y.carrying.to.Carried(y.carrying.run, print, line) {
		return false
	}
	y.carried++
	return true
}

// fingerprint is of a row's bytes, of what of the file and the options decides what is read of any row, and of what
// else does of this one. buf is used and returned.
func fingerprint(buf, basis, raw, more []byte) ([16]byte, []byte) {
	buf = append(append(append(append(buf[:0], basis...), more...), '\n'), raw...)
	sum := sha256.Sum256(buf)
	return [16]byte(sum[:16]), buf
}

// varied is the fingerprint of a row of which a few things decide that are not known when its bytes are looked at.
func varied(print [16]byte, more byte) [16]byte {
	print[0] ^= more
	return print
}

// carrying is how a run asks its sink for rows that it holds.
type carrying struct {
	to    carrier
	run   directory.ID
	basis []byte
}

// carrying returns nil where the sink knows no rows.
func (o *out) carrying(names []string, basis string) *carrying {
	k, ok := o.sink.(carrier)
	if !ok {
		return nil
	}
	return &carrying{to: k, run: o.run, basis: basisOf(names, basis)}
}

// basisOf is what of a file's columns and of the options decides what is read of any row.
func basisOf(names []string, basis string) []byte {
	h := sha256.New()
	for _, n := range append(names[:len(names):len(names)], basis) {
		h.Write([]byte(n))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// take hands on what a leaf holds.
func (o *out) take(y *leaf) error {
	o.kept += y.carried
	for _, s := range y.steps {
		var err error
		switch {
		case s.record != nil:
			err = o.searched(*s.record)
		case s.part != nil:
			err = o.part(s.part)
		case s.reject.Partial:
			err = o.partly(*s.reject)
		default:
			err = o.reject(*s.reject)
		}
		if err != nil {
			return err
		}
	}
	for kind, n := range y.kinds {
		o.outsideMany(kind, *n)
	}
	return nil
}

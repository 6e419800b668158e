package crawler

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"

	"kapdir/directory"
)

// sideKind is one of the files that CMS puts beside the main file. Headers are compared by their letters
// and digits alone: the practice locations' header has "Address- Address Line 1" beside "Address-  Address
// Line 2", and columns such as Created Date come and go.
type sideKind struct {
	what     string
	columns  []string // that are read, the number first
	optional int      // how many of them, from the end, may be missing
}

const pl = "providersecondarypracticelocationaddress"

var sideKinds = []*sideKind{otherNames, furtherPlaces, endpoints}

var (
	otherNames = &sideKind{what: "the NPPES file of other names",
		columns: []string{"npi", "providerotherorganizationname", "providerotherorganizationnametypecode"}}
	furtherPlaces = &sideKind{what: "the NPPES file of practice locations", optional: 1,
		columns: []string{"npi", pl + "addressline1", pl + "addressline2", pl + "cityname", pl + "statename", pl + "postalcode", pl + "countrycodeifoutsideus", pl + "telephonenumber", pl + "telephoneextension"}}
	// Endpoints are where machines send records and messages. A Direct address is somebody's mailbox, and
	// nothing in the directory calls the others, so that they are counted and none is held.
	endpoints = &sideKind{what: "the NPPES file of endpoints", columns: []string{"npi", "endpointtype", "endpoint"}}
)

// kindOfSide recognises a file by its header, nil for another.
func kindOfSide(names []string) *sideKind {
	have := newColumns(names, looseName)
	if have.index("entitytypecode") >= 0 { // the main file has other names too
		return nil
	}
	for _, k := range sideKinds {
		if have.index(k.columns[0]) >= 0 && have.index(k.columns[1]) >= 0 {
			return k
		}
	}
	return nil
}

func sideName(f file) string {
	if k := sideOf(f); k != nil {
		return k.what
	}
	return "a file that goes beside the main one"
}

func sideOf(f file) *sideKind {
	_, names, done, err := openRows(f, ',')
	if err != nil {
		return nil
	}
	done()
	return kindOfSide(names)
}

// side is an open file with the places of its columns.
type side struct {
	*sideKind
	rs *rows
	at []int // of the columns; -1 for one that is missing and may be
}

func openSide(f file) (*side, string, func() error, error) {
	rs, names, done, err := openRows(f, ',')
	if err != nil {
		return nil, "", nil, err
	}
	s := &side{sideKind: kindOfSide(names), rs: rs}
	if s.sideKind == nil {
		done()
		return nil, "", nil, invalid(f.name, 1, "", "the header is neither that of other names, nor of practice locations, nor of endpoints: the layout has changed, and a person must look")
	}
	have := newColumns(names, looseName)
	for i, c := range s.columns {
		at := have.index(c)
		if at < 0 && i < len(s.columns)-s.optional {
			done()
			return nil, "", nil, missingColumn(f.name, "nppes", c, names)
		}
		s.at = append(s.at, at)
	}
	return s, f.name, done, nil
}

// beside holds what the other files say of the rows that are kept: their text in blocks, and where of
// each number, in order. It takes a third more than the text itself.
type beside struct {
	blocks [][]byte
	rows   []besideRow
	size   int
}

type besideRow struct {
	npi       uint32
	block, at uint32
	length    uint32
	line      uint32
	kind      *sideKind
	file      string
}

// mostBeside bounds what is held of the other files.
const mostBeside = 72 << 20

// readSides reads the other files and holds what belongs to the numbers.
func readSides(o *out, files []file, kept npiSet) (*beside, error) {
	b := &beside{}
	for _, f := range files {
		if err := b.read(o, f, kept); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(b.rows, func(x, y besideRow) int {
		return cmp.Or(cmp.Compare(x.npi, y.npi), bytes.Compare(b.text(x), b.text(y)))
	})
	return b, nil
}

// of returns what they say of one number.
func (b *beside) of(npi uint32) []besideRow {
	from, _ := slices.BinarySearchFunc(b.rows, npi, func(r besideRow, n uint32) int { return cmp.Compare(r.npi, n) })
	to := from
	for to < len(b.rows) && b.rows[to].npi == npi {
		to++
	}
	return b.rows[from:to]
}

func (b *beside) text(r besideRow) []byte { return b.blocks[r.block][r.at : r.at+r.length] }

func (b *beside) read(o *out, f file, kept npiSet) error {
	s, name, done, err := openSide(f)
	if err != nil {
		return err
	}
	defer done()
	o.file, o.total, o.bytes = name, f.size, func() int64 { return s.rs.src.n }
	var value []byte
	for n := 0; ; n++ {
		if n&4095 == 0 {
			if err := o.pause(); err != nil {
				return err
			}
		}
		line, at, err := s.rs.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if npi, ok := leadingNPI(line); ok && s.at[0] == 0 && !kept.has(npi) && bytes.Count(line, quoteMark)%2 == 0 {
			continue
		}
		fields, bad, err := s.rs.complete(line, at)
		if err != nil {
			return err
		}
		if bad != nil {
			if bad.cut {
				return cutOff(name, bad)
			}
			if err := o.partly(directory.Reject{Line: bad.line, Reason: bad.reason, Text: rowText(bad.text)}); err != nil {
				return err
			}
			continue
		}
		npi, err := directory.ParseNPI(nppesValue(fields[s.at[0]]))
		if err != nil {
			if err := o.partly(directory.Reject{Line: at, Field: "NPI", Reason: detail(err), Text: fields[s.at[0]]}); err != nil {
				return err
			}
			continue
		}
		if !kept.has(shortNPI(npi)) {
			continue
		}
		if s.sideKind == endpoints {
			o.opts.Report.Endpoints++
			continue
		}
		value = value[:0]
		for i, c := range s.at[1:] {
			if i > 0 {
				value = append(value, 0)
			}
			if c >= 0 {
				value = append(value, strings.ReplaceAll(nppesValue(fields[c]), "\x00", "")...)
			}
		}
		if holdsSSN(string(value)) {
			if err := o.partly(directory.Reject{Line: at, Reason: ssnReason}); err != nil {
				return err
			}
			continue
		}
		if b.size += len(value) + 40; b.size > mostBeside {
			return invalid(name, at, "", "more than %d MiB of it belong to rows that are kept, which is more than memory is given: import the main file alone, or without --all", mostBeside>>20)
		}
		b.add(besideRow{npi: shortNPI(npi), line: uint32(at), kind: s.sideKind, file: name}, value)
	}
}

func (b *beside) add(r besideRow, value []byte) {
	last := len(b.blocks) - 1
	if last < 0 || cap(b.blocks[last])-len(b.blocks[last]) < len(value) {
		b.blocks = append(b.blocks, make([]byte, 0, max(1<<20, len(value))))
		last++
	}
	r.block, r.at, r.length = uint32(last), uint32(len(b.blocks[last])), uint32(len(value))
	b.blocks[last] = append(b.blocks[last], value...)
	b.rows = append(b.rows, r)
}

// mostPlaces bounds the further practice locations and other names of one number.
const mostPlaces = 100

// join adds to a record what the other files say of its number, in an order that is the same from release
// to release.
func (b *beside) join(rec *directory.Record, asOf directory.Date) (left *directory.Reject) {
	id := rec.Identity
	if id.Kind == "" { // a deactivated number: nothing is said of it any more
		return nil
	}
	names, places := 0, 0
	for _, r := range b.of(shortNPI(id.NPI)) {
		if names+places >= mostPlaces {
			return &directory.Reject{File: r.file, Line: int(r.line), Reason: "more than " + itoa(mostPlaces) + " other names and practice locations of one number: the rest is left out"}
		}
		v := strings.Split(string(b.text(r)), "\x00")
		if r.kind == otherNames {
			other := directory.OtherName{Organisation: v[0], Type: v[1]}
			if v[0] == "" || slices.ContainsFunc(id.Others, func(n directory.OtherName) bool { return n.Organisation == other.Organisation }) {
				continue
			}
			id.Others = append(id.Others, other)
			names++
			noteColumn(rec, "Provider Other Organization Name", names, v[0])
			continue
		}
		site, ok := placeOf(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], directory.Origin{Source: "nppes", AsOf: asOf})
		if !ok || id.Practice != nil && samePlace(site, *id.Practice) || slices.ContainsFunc(id.Places, func(s directory.Site) bool { return samePlace(s, site) }) {
			continue
		}
		id.Places = append(id.Places, site)
		places++
		for i, what := range []string{"Address Line 1", "Address Line 2", "City Name", "State Name", "Postal Code", "Country Code", "Telephone Number", "Telephone Extension"} {
			noteColumn(rec, "Provider Secondary Practice Location Address - "+what, places, v[i])
		}
	}
	return nil
}

func noteColumn(rec *directory.Record, column string, n int, value string) {
	if value != "" {
		rec.Fields[column+"_"+itoa(n)] = value
	}
}

// placeOf makes a site of an address in the United States; ok is false for another.
func placeOf(line1, line2, city, state, zip, country, phone, extension string, origin directory.Origin) (directory.Site, bool) {
	a := directory.Address{Line1: line1, Line2: line2, City: directory.NameInCapitals(city), State: stateOf(state), ZIP: zipOf(zip)}
	if a.City == "" || country != "" && country != "US" {
		return directory.Site{}, false
	}
	p := phoneOf(phone)
	if p != "" && extension != "" && allDigits(extension) {
		p += " ext. " + extension
	}
	return siteOf(a, p, origin), true
}

func samePlace(a, b directory.Site) bool { return a.Address == b.Address && a.Phone == b.Phone }

package crawler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"kapdir/directory"
)

// leieHeader is the published header, verbatim, of the whole list and of the monthly files. A file with any
// other is refused: the list decides about people, and a column that moved would decide wrongly.
var leieHeader = []string{"LASTNAME", "FIRSTNAME", "MIDNAME", "BUSNAME", "GENERAL", "SPECIALTY", "UPIN", "NPI", "DOB", "ADDRESS", "CITY", "STATE", "ZIP",
	"EXCLTYPE", "EXCLDATE", "REINDATE", "WAIVERDATE", "WVRSTATE"}

// leieOther are the publisher's other names of two columns: in the description of the layout, and in the
// corrections.
var leieOther = map[string]string{"WAIVERSTATE": "WVRSTATE", "EXCLTYP1": "EXCLTYPE"}

// leieColumns holds a header to the published one.
func leieColumns(file string, names []string) error {
	own := make([]string, len(names))
	for i, n := range names {
		own[i] = trimmedName(n)
		if c, ok := leieOther[own[i]]; ok {
			own[i] = c
		}
	}
	return sameHeader(file, "leie", own, leieHeader)
}

const (
	leieLast, leieFirst, leieMiddle, leieBusiness, leieGeneral, leieSpecialty, leieUPIN, leieNPI, leieBirth = 0, 1, 2, 3, 4, 5, 6, 7, 8
	leieCity, leieState, leieZIP, leieType, leieDate, leieReinstated, leieWaiver, leieWaiverState           = 10, 11, 12, 13, 14, 15, 16, 17
)

// leieKept are the columns kept as evidence. The birth date tells people apart and is held in the record
// alone; the street address is not held.
var leieKept = []int{leieLast, leieFirst, leieMiddle, leieBusiness, leieGeneral, leieSpecialty, leieUPIN, leieNPI, leieCity, leieState, leieZIP,
	leieType, leieDate, leieReinstated, leieWaiver, leieWaiverState}

// leieMonthly is the name of a monthly file: 2610excl.csv, 1609REIN.CSV, sanc0911.csv. Its four digits are a
// year and a month.
var leieMonthly = regexp.MustCompile(`(?i)^(?:(\d{2})(\d{2})(excl|rein)|(excl|sanc|rein)(\d{2})(\d{2}))\b`)

// leieMonth is a monthly file: who was excluded in the month, or who was reinstated in it. Both change the
// list that is in force. They do not add up to the next list, which has corrections that neither of them
// has, so that the whole list is still what to import when it comes out.
type leieMonth struct {
	name       string
	end        directory.Date // the last day of the month
	before     directory.Date // the last day of the month before
	reinstated bool
	rows       int
}

// leieMonthOf reads a file's name. It is nil for the whole list.
func leieMonthOf(name string) (*leieMonth, error) {
	d := leieMonthly.FindStringSubmatch(name)
	if d == nil {
		return nil, nil
	}
	year, month, kind := d[1]+d[5], d[2]+d[6], strings.ToLower(d[3]+d[4])
	first, err := time.Parse("0601", year+month)
	if err != nil {
		return nil, invalid(name, 0, "", "the file's name says month %s of 20%s, which does not exist: give the file the name under which it was published", month, year)
	}
	day := func(t time.Time) directory.Date { return directory.Date(t.Format(time.DateOnly)) }
	return &leieMonth{name: strings.ToLower(d[0]), end: day(first.AddDate(0, 1, -1)), before: day(first.AddDate(0, 0, -1)), reinstated: kind == "rein"}, nil
}

// fits holds a monthly file to the list in force. Exclusions of a month follow those of the month before,
// since a list that lacks a month would clear whoever was excluded in it. Reinstatements make no list
// newer: they say nothing of the exclusions of their month.
func (m *leieMonth) fits(rel *directory.Release, held directory.Held) error {
	whole, newest := held.Whole, held.Newest
	switch {
	case m.rows > fewRows && m.rows*10 > whole.Counts.Read:
		return directory.Errorf(directory.Invalid, "rows", "%s is named as the changes of one month and holds %d rows, where the whole list (run %d) has %d: in May 2026 the publisher put the whole list under such a name. If this is the whole list, call it UPDATED.csv and import it with --as-of",
			rel.File, m.rows, whole.Number, whole.Counts.Read)
	case m.end < whole.Release.AsOf && m.reinstated:
		return directory.Errorf(directory.Conflict, "as_of", "%s is older than the whole list in force (%s, run %d), which leaves out whom it names already", rel.File, whole.Release.AsOf, whole.Number)
	case m.reinstated:
		rel.AsOf = newest.Release.AsOf
	case m.before > newest.Release.AsOf:
		return directory.Errorf(directory.Conflict, "as_of", "%s follows the exclusions of the month that ends on %s, and what is in force is of %s (run %d): import what lies between first; if the publisher left a month out, import the whole list UPDATED.csv",
			rel.File, m.before, newest.Release.AsOf, newest.Number)
	}
	return nil
}

// openLEIE looks at the whole list, or at a monthly file. It is read once before the run begins, so that a file which
// is cut off or empty changes nothing.
func openLEIE(_ context.Context, m *material, opts Options) (*work, error) {
	f := m.files[0]
	month, err := leieMonthOf(f.name)
	if err != nil {
		return nil, err
	}
	_, names, done, err := openRows(f, ',')
	if err != nil {
		return nil, err
	}
	done()
	if err := leieColumns(f.name, names); err != nil {
		return nil, err
	}
	w := &work{asOf: dayInName(f.name)}
	reinstated := false
	if month != nil {
		w.asOf, w.name, w.partial, w.fits = month.end, month.name, true, month.fits
		reinstated = month.reinstated
	}
	today := directory.At(opts.Now()).Date()
	t := &table{file: f, names: names, comma: ',', piece: listPiece, basis: fmt.Sprint(reinstated), alike: alikeByBytes,
		rows: func() func(*leaf, tableRow) {
			return func(y *leaf, r tableRow) { _ = exclusion(r, reinstated, today, y) } // a leaf takes everything
		}}
	w.survey = func(ctx context.Context, _ Sink) error {
		err := t.surveyFile(ctx, hashing(opts, m.size))
		if w.rows = t.size; month != nil {
			month.rows = t.size
		}
		return err
	}
	w.read = func(_ context.Context, o *out) error { return t.read(o) }
	return w, nil
}

// listPiece is the piece of a list of which every row, or every fourth, becomes a record: several times as large.
const listPiece = 256 << 10

// alikeByBytes is of a table in which nothing else than a row's bytes decides what is read of it.
func alikeByBytes(to, _ []byte) ([]byte, bool) { return to, true }

// survey reads a file to its end without keeping anything: its header, that no line is beyond the
// bound, that it is not cut off, and that it has at least one row. It returns how many it has, good and bad.
func survey(f file, header func([]string) error) (n int, err error) {
	err = eachRow(f, header, func([]string, int, *rows) error { n++; return nil }, func(*badRow) error { n++; return nil })
	return n, err
}

// eachRow opens a file, checks its header and calls row for each record, bad for each row that cannot
// be read.
func eachRow(f file, header func([]string) error, row func([]string, int, *rows) error, bad func(*badRow) error) error {
	rs, names, done, err := openRows(f, cmp.Or(f.comma, ','))
	if err != nil {
		return err
	}
	defer done()
	if err := header(names); err != nil {
		return err
	}
	n := 0
	for {
		fields, line, b, err := rs.record()
		if err == io.EOF {
			if n == 0 {
				return invalid(f.name, 0, "", "the file has a header and no rows: an empty list replaces nothing, fetch it again")
			}
			return nil
		}
		if err != nil {
			return err
		}
		n++
		switch {
		case b != nil && b.cut:
			return cutOff(f.name, b)
		case b != nil && bad != nil:
			err = bad(b)
		case b == nil && row != nil:
			err = row(fields, line, rs)
		}
		if err != nil {
			return err
		}
	}
}

// listRow is a row of an exclusion list that was divided well, while it is read. A list decides about
// people, so what the quarantine keeps of its rows is whom they name: nobody whom a row may name gets a
// clear answer from that release. Of a row that names nobody, what else it says is kept, so that it
// cannot be taken for a row of which nothing is known.
type listRow struct {
	o    yield
	line int
	who  func() string // whom the row names
}

// whoIs is whom a row names, or, where it names nobody, what else it says.
func whoIs(names []string, npi string, other ...string) (who string) {
	if n, err := directory.ParseNPI(cleanText(npi)); err == nil {
		names = append(names, string(n))
	}
	for _, part := range [][]string{names, other} {
		for _, v := range part {
			if v = scrubText(v); v != "" {
				who = strings.TrimSpace(who + " " + v)
			}
		}
		if who != "" {
			break
		}
	}
	return who
}

// refuse puts the row in quarantine.
func (r listRow) refuse(field, reason string) error {
	return r.o.reject(directory.Reject{Line: r.line, Field: field, Reason: reason, Text: r.who()})
}

// without takes the row and leaves one value out. A wrong NPI or birth date costs only itself, since
// dropping the row would drop an excluded person. The row itself is searched, so that the quarantine
// keeps the value, and whom the row names only where the value must not be held.
func (r listRow) without(field, reason, value string) error {
	text := scrubText(value)
	if strings.TrimSpace(directory.Fold(text)) == "" {
		text = r.who()
	}
	return r.o.partly(directory.Reject{Line: r.line, Field: field, Reason: reason + "; the row was taken without it", Text: text})
}

// npi reads a number that may be absent: empty, zeros, or a word for none.
func (r listRow) npi(field, value string) (directory.NPI, error) {
	if strings.Trim(value, "0") == "" || noneWords[directory.Fold(value)] {
		return "", nil
	}
	n, err := directory.ParseNPI(value)
	if err != nil {
		return "", r.without(field, detail(err), value)
	}
	return n, nil
}

var noneWords = map[string]bool{"n a": true, "na": true, "none": true, "null": true, "unknown": true}

// rowKey names a row from release to release by what it says of who, on what ground and when.
func rowKey(values ...string) string {
	b := make([]byte, 0, 256)
	for _, v := range values {
		b = append(append(b, strings.ToUpper(cleanText(v))...), 0)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}

// exclusion turns a row of LEIE into a record, of a reinstatement if it stands in a file of those. A value
// that cannot be read costs the row only where the row says nothing without it.
func exclusion(row tableRow, reinstated bool, today directory.Date, o yield) error {
	fields := row.fields
	get := func(i int) string { return cleanText(fields[i]) }
	r := listRow{o: o, line: row.line, who: func() string {
		return whoIs([]string{get(leieLast), get(leieFirst), get(leieMiddle), get(leieBusiness)}, get(leieNPI), get(leieType), get(leieDate), get(leieSpecialty))
	}}
	for i, v := range fields {
		if !row.clean && holdsSSN(v) {
			return r.refuse(leieHeader[i], ssnReason)
		}
	}
	for _, i := range [...]int{leieUPIN, leieNPI} {
		if fields[i] != "" && slotHoldsSSN(fields[i], "") {
			fields[i] = ""
			if err := r.without(leieHeader[i], ssnReason, ""); err != nil {
				return err
			}
		}
	}
	x := &directory.ExclusionRecord{Organisation: get(leieBusiness), City: directory.NameInCapitals(get(leieCity)), State: stateOf(get(leieState)),
		ZIP: zipOf(get(leieZIP)), Specialty: get(leieSpecialty), Authority: get(leieType), WaiverState: stateOf(get(leieWaiverState))}
	if x.Specialty == "" {
		x.Specialty = get(leieGeneral)
	}
	x.Name = listName(get(leieLast), get(leieFirst), get(leieMiddle))
	if x.Name.IsZero() && x.Organisation == "" {
		return r.refuse(leieHeader[leieLast], "the row names neither a person nor a business")
	}
	if x.Authority == "" {
		return r.refuse(leieHeader[leieType], "the row has no exclusion type")
	}
	var err error
	if x.Excluded, err = leieDay(get(leieDate)); err != nil || x.Excluded == "" {
		return r.refuse(leieHeader[leieDate], quoted(get(leieDate))+" is not an exclusion date of the form YYYYMMDD")
	}
	for _, d := range []struct {
		column int
		into   *directory.Date
	}{{leieBirth, &x.Birth}, {leieReinstated, &x.Reinstated}, {leieWaiver, &x.Waiver}} {
		if *d.into, err = leieDay(get(d.column)); err != nil {
			text := fields[d.column]
			if d.column == leieBirth {
				text = ""
			}
			if err := r.without(leieHeader[d.column], "is not a day of the form YYYYMMDD", text); err != nil {
				return err
			}
		}
	}
	switch {
	case reinstated && x.Reinstated == "":
		return r.refuse(leieHeader[leieReinstated], "the row stands among the reinstatements and has no date of one")
	case x.Reinstated != "" && x.Reinstated < x.Excluded:
		return r.refuse(leieHeader[leieReinstated], "the reinstatement is dated before the exclusion, so that nobody can say which of them holds")
	case x.Reinstated > today:
		return r.refuse(leieHeader[leieReinstated], "the reinstatement is dated after today, "+string(today))
	}
	if x.NPI, err = r.npi("NPI", get(leieNPI)); err != nil {
		return err
	}
	key := leieKey(fields)
	if reinstated { // a row of its own: the exclusion may come before it, after it, again, or never
		x.Ends, key = key, key+"-reinstated"
	}
	rec := directory.Record{Key: key, Line: row.line, Exclusion: x, Fields: make(map[string]string, len(leieKept))}
	for _, i := range leieKept {
		if v := get(i); v != "" {
			rec.Fields[leieHeader[i]] = v
		}
	}
	return o.searched(rec)
}

// leieKey names an exclusion by who, on what ground and since when, so that the row which ends it, months
// later, finds it: what is kept up to date meanwhile, such as the address, does not count. Where no birth
// date says who, the town does: a business may be excluded at several places on one day. Duplicate lines,
// which the list has, share the key.
//
// A reinstatement whose row says somebody else in one of these ends nothing: who was excluded stays so
// until the next whole list leaves them out.
func leieKey(fields []string) string {
	who := []int{leieLast, leieFirst, leieMiddle, leieBusiness, leieNPI, leieBirth, leieType, leieDate}
	if strings.Trim(cleanText(fields[leieBirth]), "0") == "" {
		who = append(who, leieCity, leieState, leieZIP)
	}
	values := make([]string, len(who))
	for i, at := range who {
		if values[i] = directory.Fold(cleanText(fields[at])); strings.Trim(values[i], "0") == "" {
			values[i] = ""
		}
	}
	return rowKey(values...)
}

func leieDay(s string) (directory.Date, error) {
	if strings.Trim(s, "0") == "" {
		return "", nil
	}
	return directory.DateIn(s, "20060102")
}

// listName reads the name columns of a list or roster. The suffix stands inside LASTNAME ("MOORE III", "HATCHETT, JR"); a
// surname NULL is a surname.
func listName(last, first, middle string) directory.Name {
	var n directory.Name
	if strings.IndexByte(last, ' ') < 0 && strings.IndexByte(last, ',') < 0 {
		n.Family = directory.NameInCapitals(last)
		n.Given, n.Middle = directory.NameInCapitals(first), directory.NameInCapitals(middle)
		return n
	}
	words := strings.Fields(strings.ReplaceAll(last, ",", " "))
	if len(words) > 1 {
		if suffix, creds, other := directory.ParseCredentials(words[len(words)-1]); suffix != "" && len(creds) == 0 && other == "" {
			n.Suffix, words = suffix, words[:len(words)-1]
		}
	}
	n.Family = directory.NameInCapitals(strings.Join(words, " "))
	n.Given, n.Middle = directory.NameInCapitals(first), directory.NameInCapitals(middle)
	return n
}

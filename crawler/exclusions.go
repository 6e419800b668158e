package crawler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"regexp"
	"strings"

	"kapdir/directory"
)

// leieHeader is the published header, verbatim. A file with any other is refused: the list decides
// about people, and a column that moved would decide wrongly.
var leieHeader = []string{"LASTNAME", "FIRSTNAME", "MIDNAME", "BUSNAME", "GENERAL", "SPECIALTY", "UPIN", "NPI", "DOB", "ADDRESS", "CITY", "STATE", "ZIP",
	"EXCLTYPE", "EXCLDATE", "REINDATE", "WAIVERDATE", "WVRSTATE"}

const (
	leieLast, leieFirst, leieMiddle, leieBusiness, leieGeneral, leieSpecialty, leieUPIN, leieNPI, leieBirth = 0, 1, 2, 3, 4, 5, 6, 7, 8
	leieCity, leieState, leieZIP, leieType, leieDate, leieReinstated, leieWaiver, leieWaiverState           = 10, 11, 12, 13, 14, 15, 16, 17
)

// leieKept are the columns kept as evidence. The birth date tells people apart and is held in the record
// alone; the street address is not held.
var leieKept = []int{leieLast, leieFirst, leieMiddle, leieBusiness, leieGeneral, leieSpecialty, leieUPIN, leieNPI, leieCity, leieState, leieZIP,
	leieType, leieDate, leieReinstated, leieWaiver, leieWaiverState}

// leieSupplement is a monthly file: 2610excl.csv, 1609REIN.CSV, sanc0911.csv. Adding supplements up does not
// give the next list (it leaves out corrections), and a list of one month must never replace the whole.
var leieSupplement = regexp.MustCompile(`(?i)^(\d{4}(excl|rein)|(sanc|excl|rein)\d{4})\b`)

// openLEIE reads the whole list once before the run begins, so that a file which is cut off or empty
// changes nothing.
func openLEIE(_ context.Context, m *material, _ Options) (*work, error) {
	f := m.files[0]
	if leieSupplement.MatchString(f.name) {
		return nil, invalid(f.name, 0, "", "this is a monthly supplement; only the whole list UPDATED.csv replaces the list before it")
	}
	if err := survey(f, func(names []string) error { return sameHeader(f.name, "leie", names, leieHeader) }); err != nil {
		return nil, err
	}
	return &work{asOf: dayInName(f.name), read: func(_ context.Context, o *out) error { return readLEIE(f, o) }}, nil
}

// survey reads a file to its end without keeping anything: its header, that no line is beyond the
// bound, that it is not cut off, and that it has at least one row.
func survey(f file, header func([]string) error) error {
	return eachRow(f, header, nil, nil)
}

// eachRow opens a file, checks its header and calls row for each record, bad for each row that cannot
// be read.
func eachRow(f file, header func([]string) error, row func([]string, int, *rows) error, bad func(*badRow) error) error {
	rs, names, done, err := openRows(f, ',')
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

func readLEIE(f file, o *out) error {
	o.file, o.total = f.name, f.size
	return eachRow(f, func(names []string) error { return sameHeader(f.name, "leie", names, leieHeader) },
		func(fields []string, line int, rs *rows) error {
			o.bytes = func() int64 { return rs.src.n }
			return exclusion(fields, line, o)
		},
		func(b *badRow) error {
			return o.reject(directory.Reject{Line: b.line, Reason: b.reason, Text: rowText(b.text)})
		})
}

// listRow is a row of an exclusion list that was divided well, while it is read. A list decides about
// people, so what the quarantine keeps of its rows is whom they name: nobody whom a row may name gets a
// clear answer from that release. Of a row that names nobody, what else it says is kept, so that it
// cannot be taken for a row of which nothing is known.
type listRow struct {
	o    *out
	line int
	who  string
}

func newListRow(o *out, line int, names []string, npi string, other ...string) listRow {
	r := listRow{o: o, line: line}
	if n, err := directory.ParseNPI(cleanText(npi)); err == nil {
		names = append(names, string(n))
	}
	for _, part := range [][]string{names, other} {
		for _, v := range part {
			if v = scrubText(v); v != "" {
				r.who = strings.TrimSpace(r.who + " " + v)
			}
		}
		if r.who != "" {
			break
		}
	}
	return r
}

// refuse puts the row in quarantine.
func (r listRow) refuse(field, reason string) error {
	return r.o.reject(directory.Reject{Line: r.line, Field: field, Reason: reason, Text: r.who})
}

// without takes the row and leaves one value out. A wrong NPI or birth date costs only itself, since
// dropping the row would drop an excluded person. The row itself is searched, so that the quarantine
// keeps the value, and whom the row names only where the value must not be held.
func (r listRow) without(field, reason, value string) error {
	text := scrubText(value)
	if strings.TrimSpace(directory.Fold(text)) == "" {
		text = r.who
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
	h := sha256.New()
	for _, v := range values {
		h.Write([]byte(strings.ToUpper(cleanText(v))))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// exclusion turns a row of LEIE into a record. A value that cannot be read costs the row only where the
// row says nothing without it.
func exclusion(fields []string, line int, o *out) error {
	get := func(i int) string { return cleanText(fields[i]) }
	r := newListRow(o, line, []string{get(leieLast), get(leieFirst), get(leieMiddle), get(leieBusiness)}, get(leieNPI), get(leieType), get(leieDate), get(leieSpecialty))
	for i, v := range fields {
		if holdsSSN(v) {
			return r.refuse(leieHeader[i], ssnReason)
		}
	}
	for _, i := range []int{leieUPIN, leieNPI} {
		if slotHoldsSSN(fields[i], "") {
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
	if x.NPI, err = r.npi("NPI", get(leieNPI)); err != nil {
		return err
	}
	rec := directory.Record{Key: leieKey(fields), Line: line, Exclusion: x, Fields: make(map[string]string, len(leieKept))}
	for _, i := range leieKept {
		if v := get(i); v != "" {
			rec.Fields[leieHeader[i]] = v
		}
	}
	return o.record(rec)
}

// leieKey leaves out what changes in a row that goes on: reinstatement and waiver. Duplicate lines, which
// the list has, share it.
func leieKey(fields []string) string {
	var values []string
	for _, i := range []int{leieLast, leieFirst, leieMiddle, leieBusiness, leieUPIN, leieNPI, leieBirth, leieCity, leieState, leieType, leieDate} {
		values = append(values, fields[i])
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
	words := strings.Fields(strings.ReplaceAll(last, ",", " "))
	var n directory.Name
	if len(words) > 1 {
		if suffix, creds, other := directory.ParseCredentials(words[len(words)-1]); suffix != "" && len(creds) == 0 && other == "" {
			n.Suffix, words = suffix, words[:len(words)-1]
		}
	}
	n.Family = directory.NameInCapitals(strings.Join(words, " "))
	n.Given, n.Middle = directory.NameInCapitals(first), directory.NameInCapitals(middle)
	return n
}

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

// exclusion turns a row into a record. A value that cannot be read costs the row only where the row
// says nothing without it; a wrong NPI or birth date is left out and reported, since dropping the row
// would drop an excluded person.
func exclusion(fields []string, line int, o *out) error {
	for i, v := range fields {
		if holdsSSN(v) {
			return o.reject(directory.Reject{Line: line, Field: leieHeader[i], Reason: ssnReason})
		}
	}
	get := func(i int) string { return cleanText(fields[i]) }
	quarantine := func(i int, reason string) error {
		return o.reject(directory.Reject{Line: line, Field: leieHeader[i], Reason: reason, Text: fields[i]})
	}
	x := &directory.ExclusionRecord{Organisation: get(leieBusiness), City: directory.NameInCapitals(get(leieCity)), State: stateOf(get(leieState)),
		ZIP: zipOf(get(leieZIP)), Specialty: get(leieSpecialty), Authority: get(leieType), WaiverState: stateOf(get(leieWaiverState))}
	if x.Specialty == "" {
		x.Specialty = get(leieGeneral)
	}
	x.Name = leieName(get(leieLast), get(leieFirst), get(leieMiddle))
	if x.Name.IsZero() && x.Organisation == "" {
		return quarantine(leieLast, "the row names neither a person nor a business")
	}
	if x.Authority == "" {
		return quarantine(leieType, "the row has no exclusion type")
	}
	var err error
	if x.Excluded, err = leieDay(get(leieDate)); err != nil || x.Excluded == "" {
		return quarantine(leieDate, "the exclusion date is not a day of the form YYYYMMDD")
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
			if err := o.partly(directory.Reject{Line: line, Field: leieHeader[d.column], Reason: "is not a day of the form YYYYMMDD; the row was taken without it", Text: text}); err != nil {
				return err
			}
		}
	}
	if n := get(leieNPI); strings.Trim(n, "0") != "" {
		if x.NPI, err = directory.ParseNPI(n); err != nil {
			if err := o.partly(directory.Reject{Line: line, Field: "NPI", Reason: detail(err) + "; the row was taken without it", Text: n}); err != nil {
				return err
			}
		}
	}
	r := directory.Record{Key: leieKey(fields), Line: line, Exclusion: x, Fields: make(map[string]string, len(leieKept))}
	for _, i := range leieKept {
		if v := get(i); v != "" {
			r.Fields[leieHeader[i]] = v
		}
	}
	return o.record(r)
}

// leieKey names a row from release to release by who, on what ground and when. Duplicate lines, which
// the list has, share it.
func leieKey(fields []string) string {
	h := sha256.New()
	for _, i := range []int{leieLast, leieFirst, leieMiddle, leieBusiness, leieUPIN, leieNPI, leieBirth, leieCity, leieState, leieType, leieDate} {
		h.Write([]byte(strings.ToUpper(cleanText(fields[i]))))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func leieDay(s string) (directory.Date, error) {
	if strings.Trim(s, "0") == "" {
		return "", nil
	}
	return directory.DateIn(s, "20060102")
}

// leieName reads the name columns. The suffix stands inside LASTNAME ("MOORE III", "HATCHETT, JR"); a
// surname NULL is a surname.
func leieName(last, first, middle string) directory.Name {
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

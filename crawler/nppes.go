package crawler

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"time"

	"kapdir/directory"
)

// nppesArchive is the zip as downloaded: 10 GB from 1 GB.
var nppesArchive = archive{member: npidata, limit: 64 << 30, want: "npidata_pfile_YYYYMMDD-YYYYMMDD.csv: give the monthly NPPES zip as downloaded"}

var (
	npidata = regexp.MustCompile(`(?i)^npidata_pfile_(\d{8})-(\d{8})\.csv$`)
	weekly  = 62 * 24 * time.Hour // a file of a shorter span holds changes only
)

// openNPPES looks at the main NPPES file, plain or inside its zip. Columns are addressed by name, so both
// header generations (with Provider Gender Code and with Provider Sex Code, with and without
// Certification Date) and later ones are read.
func openNPPES(_ context.Context, m *material, opts Options) (*work, error) {
	f := m.files[0]
	member, err := nppesArchive.open(&f)
	if err != nil {
		return nil, err
	}
	w := &work{asOf: dayInName(member)}
	if d := npidata.FindStringSubmatch(member); d != nil {
		from, err1 := time.Parse("20060102", d[1])
		to, err2 := time.Parse("20060102", d[2])
		if err1 != nil || err2 != nil {
			return nil, invalid(member, 0, "", "the days in the file's name do not exist")
		}
		if to.Sub(from) < weekly {
			return nil, invalid(member, 0, "", "this is a weekly file: it holds only the changes of that week, and importing it would drop everybody else. Give the monthly file")
		}
		w.asOf, w.name = directory.Date(to.Format(time.DateOnly)), d[2]
	}
	rs, names, done, err := openRows(f, ',')
	if err != nil {
		return nil, err
	}
	l, err := nppesLayout(f.name, names)
	if err == nil {
		_, _, _, err = rs.record()
		if err == io.EOF {
			err = invalid(f.name, 0, "", "the file has a header and no rows: an empty list replaces nothing, fetch it again")
		}
	}
	done()
	if err != nil {
		return nil, err
	}
	w.read = func(ctx context.Context, o *out) error {
		rs, _, done, err := openRows(f, ',')
		if err != nil {
			return err
		}
		defer done()
		o.file, o.total, o.bytes = f.name, f.size, func() int64 { return rs.src.n }
		return l.read(rs, o, opts.All)
	}
	return w, nil
}

// nppes is the place of each column that is read. What is not here is not held: neither sex, nor the
// mailing address, nor the authorised official, nor other identifiers.
type nppes struct {
	file  string
	names []string
	npi, entity, replacement, organisation,
	last, first, middle, suffix, credential,
	otherOrganisation, otherOrganisationType, otherLast, otherFirst, otherMiddle, otherSuffix, otherCredential, otherType,
	street1, street2, city, state, zip, country, phone,
	enumerated, updated, deactivated, reactivated int
	taxonomies [15]struct{ code, licence, state, primary int }
	keep       []int // the columns above, which are kept as evidence
	quotes     int   // quotation marks of a row as CMS writes it
	codes      map[string]bool
}

// nppesLayout finds the columns. A missing one is an error that names it.
func nppesLayout(file string, names []string) (*nppes, error) {
	cols := newColumns(names, trimmedName)
	l := &nppes{file: file, names: names, quotes: 2 * len(names), codes: map[string]bool{}}
	var missing string
	at := func(name string) int {
		i := cols.index(name)
		if i < 0 && missing == "" {
			missing = name
		}
		l.keep = append(l.keep, i)
		return i
	}
	l.npi = at("NPI")
	l.entity = at("Entity Type Code")
	l.replacement = at("Replacement NPI")
	l.organisation = at("Provider Organization Name (Legal Business Name)")
	l.last = at("Provider Last Name (Legal Name)")
	l.first = at("Provider First Name")
	l.middle = at("Provider Middle Name")
	l.suffix = at("Provider Name Suffix Text")
	l.credential = at("Provider Credential Text")
	l.otherOrganisation = at("Provider Other Organization Name")
	l.otherOrganisationType = at("Provider Other Organization Name Type Code")
	l.otherLast = at("Provider Other Last Name")
	l.otherFirst = at("Provider Other First Name")
	l.otherMiddle = at("Provider Other Middle Name")
	l.otherSuffix = at("Provider Other Name Suffix Text")
	l.otherCredential = at("Provider Other Credential Text")
	l.otherType = at("Provider Other Last Name Type Code")
	l.street1 = at("Provider First Line Business Practice Location Address")
	l.street2 = at("Provider Second Line Business Practice Location Address")
	l.city = at("Provider Business Practice Location Address City Name")
	l.state = at("Provider Business Practice Location Address State Name")
	l.zip = at("Provider Business Practice Location Address Postal Code")
	l.country = at("Provider Business Practice Location Address Country Code (If outside U.S.)")
	l.phone = at("Provider Business Practice Location Address Telephone Number")
	l.enumerated = at("Provider Enumeration Date")
	l.updated = at("Last Update Date")
	l.deactivated = at("NPI Deactivation Date")
	l.reactivated = at("NPI Reactivation Date")
	for i := range l.taxonomies {
		n := "_" + itoa(i+1)
		t := &l.taxonomies[i]
		t.code = at("Healthcare Provider Taxonomy Code" + n)
		t.licence = at("Provider License Number" + n)
		t.state = at("Provider License Number State Code" + n)
		t.primary = at("Healthcare Provider Primary Taxonomy Switch" + n)
	}
	if missing != "" {
		return nil, missingColumn(file, "nppes", missing, names)
	}
	return l, nil
}

// read reads every row. Most rows of the national file are of trades that the directory does not cover,
// and they are told apart without dividing them into fields.
func (l *nppes) read(rs *rows, o *out, all bool) error {
	for {
		line, n, err := rs.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !all {
			if code, ok := l.beyond(line); ok {
				if err := o.outside(code); err != nil {
					return err
				}
				continue
			}
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		fields, bad, err := rs.complete(line, n)
		if err != nil {
			return err
		}
		if bad != nil {
			if bad.cut {
				return cutOff(l.file, bad)
			}
			err = o.reject(directory.Reject{Line: bad.line, Reason: bad.reason, Text: rowText(bad.text)})
		} else {
			err = l.row(fields, n, o, all)
		}
		if err != nil {
			return err
		}
	}
}

var codeEnd = []byte(`X"`)

// beyond reports, from a cheap look, a row that is whole as CMS writes it (every value quoted) and that
// holds taxonomy codes but none of ours. It returns the first code. When in doubt it says no, and the row
// is read in full.
func (l *nppes) beyond(line []byte) (string, bool) {
	if len(line) < 2 || line[0] != '"' || line[len(line)-1] != '"' {
		return "", false
	}
	first := ""
	for from := 0; ; {
		i := bytes.Index(line[from:], codeEnd)
		if i < 0 {
			break
		}
		i += from
		from = i + 2
		if i < 10 || line[i-10] != '"' || !codeShape(line[i-9:i]) {
			continue
		}
		code := line[i-9 : i+1]
		if covered(code) {
			return "", false
		}
		if first == "" {
			first = string(code)
		}
	}
	if first == "" || bytes.Count(line, quoteMark) != l.quotes {
		return "", false
	}
	return first, true
}

// codeShape reports the nine signs before the X of a NUCC code: three digits and six digits or capitals.
func codeShape(b []byte) bool {
	for i, c := range b {
		digit := c >= '0' && c <= '9'
		if !digit && (i < 3 || c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

func covered(code []byte) bool {
	_, ok := directory.Tables().Taxonomy(string(code))
	return ok
}

// row turns a row's fields into a record.
func (l *nppes) row(fields []string, line int, o *out, all bool) error {
	get := func(i int) string { return nppesValue(fields[i]) }
	quarantine := func(column int, reason string) error {
		r := directory.Reject{Line: line, Reason: reason}
		if column >= 0 {
			r.Field = l.names[column]
			r.Text = fields[column]
		}
		return o.reject(r)
	}
	npi, err := directory.ParseNPI(get(l.npi))
	if err != nil {
		return quarantine(l.npi, detail(err))
	}
	id := &directory.IdentityRecord{NPI: npi}
	var first string
	kept := false
	for _, t := range l.taxonomies {
		code := get(t.code)
		if code == "" {
			continue
		}
		if first == "" {
			first = code
		}
		_, ok := directory.Tables().Taxonomy(code)
		kept = kept || ok
	}
	for _, d := range []struct {
		column int
		into   *directory.Date
	}{{l.enumerated, &id.Enumerated}, {l.updated, &id.Updated}, {l.deactivated, &id.Deactivated}, {l.reactivated, &id.Reactivated}} {
		if *d.into, err = directory.DateIn(get(d.column), "01/02/2006", time.DateOnly); err != nil {
			return quarantine(d.column, detail(err))
		}
	}
	gone := id.Deactivated != "" && id.Reactivated == ""
	if !kept && !all && !gone {
		if first == "" {
			first = "no code"
		}
		return o.outside(first)
	}
	for i, v := range fields { // only a row that would be kept is looked at as closely as this
		if holdsSSN(v) {
			return o.reject(directory.Reject{Line: line, Field: l.names[i], Reason: ssnReason})
		}
	}
	switch get(l.entity) {
	case "1":
		id.Kind = directory.Person
		id.Name = capitalName(get(l.first), get(l.middle), get(l.last), get(l.suffix), get(l.credential))
		if id.Name.IsZero() {
			return quarantine(l.last, "an individual without a name")
		}
	case "2":
		id.Kind = directory.Organisation
		if id.Organisation = get(l.organisation); id.Organisation == "" {
			return quarantine(l.organisation, "an organisation without a name")
		}
	case "":
		if id.Deactivated == "" {
			return quarantine(l.entity, "neither an individual nor an organisation, and not deactivated")
		}
	default:
		return quarantine(l.entity, "the entity type is neither 1 nor 2")
	}
	if r := get(l.replacement); r != "" {
		if id.Replacement, err = directory.ParseNPI(r); err != nil {
			return quarantine(l.replacement, detail(err))
		}
	}
	if org := get(l.otherOrganisation); org != "" {
		id.Others = append(id.Others, directory.OtherName{Type: get(l.otherOrganisationType), Organisation: org})
	}
	if n := capitalName(get(l.otherFirst), get(l.otherMiddle), get(l.otherLast), get(l.otherSuffix), get(l.otherCredential)); !n.IsZero() {
		id.Others = append(id.Others, directory.OtherName{Type: get(l.otherType), Name: n})
	}
	for _, t := range l.taxonomies {
		code := get(t.code)
		if code == "" {
			continue
		}
		state := stateOf(get(t.state))
		number := get(t.licence)
		if slotHoldsSSN(number, state) {
			if id.Kind == directory.Person || holdsSSN(number) {
				return o.reject(directory.Reject{Line: line, Field: l.names[t.licence], Reason: ssnReason})
			}
			number, fields[t.licence] = "", "" // facilities have nine-digit numbers too; ours are not told by them
		}
		tax := directory.Taxonomy{Code: code, State: state, Primary: get(t.primary) == "Y"} // X: the question was not answered
		if number != "" {
			tax.Licence = directory.ParseLicenceNumber(number)
		}
		id.Taxonomies = append(id.Taxonomies, tax)
	}
	a := directory.Address{Line1: get(l.street1), Line2: get(l.street2), City: directory.NameInCapitals(get(l.city)), State: stateOf(get(l.state)), ZIP: zipOf(get(l.zip))}
	if c := get(l.country); a.City != "" && (c == "" || c == "US") {
		s := siteOf(a, phoneOf(get(l.phone)), directory.Origin{Source: "nppes", AsOf: o.rel.AsOf})
		id.Practice = &s
	}
	rec := directory.Record{Key: string(npi), Line: line, Identity: id, Fields: make(map[string]string, 24)}
	for _, i := range l.keep {
		if v := get(i); v != "" {
			rec.Fields[l.names[i]] = v
		}
	}
	return o.record(rec)
}

// nppesValue trims a value and drops the marks by which CMS says that it shows nothing.
func nppesValue(s string) string {
	s = strings.TrimSpace(s)
	switch s {
	case "<UNAVAIL>", "--", "$$$$$$$$$", "********", "_________":
		return ""
	}
	return cleanText(s)
}

// capitalName makes a name of NPPES's columns, which are in capitals and hold credentials in any spelling.
func capitalName(given, middle, family, suffix, credentials string) directory.Name {
	n := directory.Name{Given: directory.NameInCapitals(given), Middle: directory.NameInCapitals(middle), Family: directory.NameInCapitals(family)}
	if n.IsZero() {
		return directory.Name{}
	}
	n.Suffix, _, _ = directory.ParseCredentials(suffix)
	var s string
	s, n.Credentials, n.Other = directory.ParseCredentials(credentials)
	if n.Suffix == "" {
		n.Suffix = s
	}
	return n
}

// detail is what an error of ours says, without its field.
func detail(err error) string {
	var e *directory.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}

package crawler

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"

	"kapdir/directory"
)

// stateList is how one state publishes whom its Medicaid programme excludes. The lists differ in columns
// only, so a state is a row of this table. Columns are found by name; a list with a column that is not
// here is refused, since what is new may say that an exclusion has ended.
type stateList struct {
	source string
	state  directory.State

	last, first, middle, organisation, npi, licence, specialty, reason, began, added, reinstated string
	others                                                                                       []string // kept as evidence and not read
	optional                                                                                     []string

	workbook string // what to do with the workbook that the state publishes
}

var stateLists = []stateList{{
	source: "tx-oig", state: "TX",
	last: "LastName", first: "FirstName", middle: "MidInitial", organisation: "CompanyName", npi: "NPI", licence: "LicenseNumber", specialty: "Occupation",
	reason: "WebComments", began: "StartDate", added: "AddDate", reinstated: "ReinstatedDate", others: []string{"EligibleToReapplyDate", "Waiver"},
	optional: []string{"AddDate", "EligibleToReapplyDate", "Waiver"},
	workbook: `this is the Excel workbook as the state publishes it: open it in a spreadsheet program, save the sheet as "CSV UTF-8 (comma delimited)", and import that file`,
}}

// listDates are how a spreadsheet program writes a date cell into a CSV file in the United States, and
// how other programs do. A year of two digits is not read: it may be of either century.
var listDates = []string{"1/2/2006", "01/02/2006", "2006-01-02", "2006-01-02 15:04:05", "1/2/2006 15:04", "1/2/2006 15:04:05", "2006-01-02T15:04:05"}

// identity returns the columns that name a row from release to release: what changes while an exclusion
// goes on, its end above all, is not among them.
func (l *stateList) identity() []string {
	return []string{l.last, l.first, l.middle, l.organisation, l.npi, l.licence, l.began, l.added}
}

// columns returns every column that the list may have.
func (l *stateList) columns() []string {
	return slices.Concat(l.identity(), []string{l.specialty, l.reason, l.reinstated}, l.others)
}

// openStateList reads the list once before the run begins, so that a file which is cut off, empty or
// spoilt by the spreadsheet program changes nothing.
func openStateList(_ context.Context, m *material, _ Options) (*work, error) {
	i := slices.IndexFunc(stateLists, func(l stateList) bool { return l.source == m.source })
	l, f := &stateLists[i], m.files[0]
	if err := l.plain(f); err != nil {
		return nil, err
	}
	var at map[string]int
	header := func(names []string) (err error) {
		at, err = l.places(f.name, names)
		return err
	}
	n := 0
	err := eachRow(f, header, func(fields []string, line int, _ *rows) error { n++; return l.spoilt(f.name, fields, line, at) }, func(*badRow) error { n++; return nil })
	if err != nil {
		return nil, err
	}
	return &work{asOf: dayInName(f.name), rows: n, read: func(_ context.Context, o *out) error {
		o.file, o.total = f.name, f.size
		return eachRow(f, header, func(fields []string, line int, rs *rows) error {
			o.bytes = func() int64 { return rs.src.n }
			return l.row(fields, line, at, o)
		}, func(b *badRow) error {
			return o.reject(directory.Reject{Line: b.line, Reason: b.reason, Text: scrubText(string(b.text))})
		})
	}}, nil
}

// plain refuses a workbook with what to do about it.
func (l *stateList) plain(f file) error {
	r, err := f.open()
	if err != nil {
		return unreadable(f.name, err)
	}
	defer r.Close()
	head := make([]byte, 8)
	n, _ := io.ReadFull(r, head)
	for _, sign := range []string{"\xd0\xcf\x11\xe0", "PK\x03\x04"} {
		if bytes.HasPrefix(head[:n], []byte(sign)) {
			return invalid(f.name, 0, "", "%s", l.workbook)
		}
	}
	return nil
}

// places finds the columns of a header.
func (l *stateList) places(file string, names []string) (map[string]int, error) {
	at := map[string]int{}
	for i, n := range names {
		n = trimmedName(n)
		if _, twice := at[n]; twice {
			return nil, invalid(file, 1, n, "the column stands twice")
		}
		at[n] = i
	}
	for _, c := range l.columns() {
		if _, ok := at[c]; !ok && !slices.Contains(l.optional, c) {
			return nil, missingColumn(file, l.source, c, names, l.columns()...)
		}
	}
	for _, n := range names {
		if n = trimmedName(n); !slices.Contains(l.columns(), n) {
			return nil, invalid(file, 1, n, "the column is new: the layout has changed, and a person must look before the file is read")
		}
	}
	return at, nil
}

var (
	scientific = regexp.MustCompile(`^\d(\.\d+)?[Ee]\+?\d+$`)
	tooNarrow  = regexp.MustCompile(`^#{2,}$`)
	asFraction = regexp.MustCompile(`^(\d+)\.0$`) // a number cell as some programs write it
)

// spoilt refuses a list whose numbers or dates a spreadsheet program shortened when it was saved: each of
// them would be lost, and with them who is meant.
func (l *stateList) spoilt(file string, fields []string, line int, at map[string]int) error {
	for _, c := range l.columns() {
		i, ok := at[c]
		if !ok {
			continue
		}
		v := strings.TrimSpace(fields[i])
		if tooNarrow.MatchString(v) || (c == l.npi || c == l.licence) && scientific.MatchString(v) {
			return invalid(file, line, c, "the spreadsheet program wrote %s in place of the value: make the column wider and its format a number without decimals, then save the CSV file again", quoted(v))
		}
	}
	return nil
}

// row turns a row into a record.
func (l *stateList) row(fields []string, line int, at map[string]int, o *out) error {
	unheld := map[string]bool{}
	get := func(c string) string {
		i, ok := at[c]
		if !ok || unheld[c] {
			return ""
		}
		v := cleanText(fields[i])
		if strings.EqualFold(v, "N/A") { // how the list writes an empty cell
			return ""
		}
		if c == l.npi || c == l.licence {
			v = asFraction.ReplaceAllString(v, "$1")
		}
		return v
	}
	names := []string{l.last, l.first, l.middle, l.organisation}
	var who []string
	for _, c := range names {
		who = append(who, get(c))
	}
	r := newListRow(o, line, who, get(l.npi), get(l.licence), get(l.specialty), get(l.began))
	for _, c := range l.columns() {
		if v := get(c); !holdsSSN(v) && !((c == l.licence || c == l.npi) && slotHoldsSSN(v, l.state)) {
			continue
		}
		if slices.Contains(names, c) {
			return r.refuse(c, ssnReason)
		}
		unheld[c] = true
		if err := r.without(c, ssnReason, ""); err != nil {
			return err
		}
	}
	x := &directory.ExclusionRecord{Name: listName(get(l.last), get(l.first), get(l.middle)), Organisation: get(l.organisation), Specialty: get(l.specialty), Authority: get(l.reason)}
	if x.Name.Family == "" && x.Organisation == "" {
		return r.refuse(l.last, "the row names neither a person nor a business")
	}
	if n := directory.ParseLicenceNumber(get(l.licence)); n.Key != "" {
		x.Licence, x.LicenceState = n, l.state
	}
	var err error
	if x.Excluded, err = directory.DateIn(get(l.began), listDates...); err != nil {
		if err := r.without(l.began, quoted(get(l.began))+" is not a date of the form MM/DD/YYYY", get(l.began)); err != nil {
			return err
		}
	}
	ended, err := directory.DateIn(get(l.reinstated), listDates...)
	switch {
	case err != nil || unheld[l.reinstated]:
		return r.refuse(l.reinstated, quoted(get(l.reinstated))+" is not a date of the form MM/DD/YYYY, so that nobody can say whether the exclusion has ended")
	case ended != "" && x.Excluded != "" && ended < x.Excluded:
		return r.refuse(l.reinstated, "the reinstatement is dated before the exclusion, so that nobody can say which of them holds")
	case ended <= o.rel.AsOf:
		x.Reinstated = ended
	}
	if x.NPI, err = r.npi(l.npi, get(l.npi)); err != nil {
		return err
	}
	rec := directory.Record{Line: line, Exclusion: x, Fields: make(map[string]string, len(at))}
	for _, c := range l.columns() {
		if v := get(c); v != "" {
			rec.Fields[c] = v
		}
	}
	var key []string
	for _, c := range l.identity() {
		key = append(key, get(c))
	}
	rec.Key = rowKey(key...)
	return o.record(rec)
}

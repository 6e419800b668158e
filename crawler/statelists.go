package crawler

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/xuri/excelize/v2"

	"kapdir/directory"
)

// stateList is how one state publishes whom its Medicaid programme excludes. The lists differ in columns
// only, so a state is a row of this table. Columns are found by their letters and digits; a list with a
// column that is not here is refused, since what is new may say that an exclusion has ended.
//
// Only a column that says that somebody was reinstated ends an exclusion. The end of a period does not: who
// was excluded for five years is still excluded until the state lets them in again.
type stateList struct {
	source string
	state  directory.State

	last, first, middle, suffix, organisation string // a person and a business in columns of their own
	name                                      string // or both in one, see oneName
	surname                                   bool   // in it the surname stands first, without a comma
	also                                      string // further names
	npi                                       string // a number or several
	mixed                                     bool   // other numbers stand among them
	licence, specialty, birth                 string
	began, added, reinstated                  string
	reason                                    []string // on what ground, and what was done

	others   []string          // kept as evidence and not read
	unheld   []string          // neither kept nor read
	optional []string          // need not be there
	renamed  map[string]string // what a column was called before
	sheets   []string          // of a workbook, where the list has several
}

const saveAsCSV = `this is an Excel workbook of the old kind: open it in a spreadsheet program, save the sheet as "CSV UTF-8 (comma delimited)", and import that file`

// stateLists are sorted by source. Where each header was seen stands in data/sources.csv.
var stateLists = []stateList{{
	source: "ca-medi-cal", state: "CA",
	last: "Last Name", first: "First Name", middle: "Middle Name", also: "A/K/A-Also Known As / D/B/A-Doing Business as", npi: "Provider Number", mixed: true,
	licence: "License Number", specialty: "Provider Type", began: "Date of Suspension", reason: []string{"Active Period"}, unheld: []string{"Address(es)"},
}, {
	source: "la-ldh", state: "LA",
	last: "Last Name or Entity Name", first: "First Name", npi: "NPI#", birth: "Birthdate", specialty: "Title or Provider Type", began: "Effective Date",
	reason:   []string{"Type of Exclusion", "Reason for Exclusion", "Reason for Termination"},
	others:   []string{"Affiliated Entity", "Period of Exclusion", "Period of Enrollment Prohibition", "Reinstate", "State and Zip", "Program Office"},
	optional: []string{"Reason for Termination", "Affiliated Entity", "Period of Exclusion", "Period of Enrollment Prohibition", "State and Zip", "Program Office"},
}, {
	source: "ny-omig", state: "NY",
	name: "provider_name", surname: true, npi: "npi_num", licence: "license_num", specialty: "provider_type", began: "exclusion_effective_date", reason: []string{"ACTION_TYPE"},
	optional: []string{"ACTION_TYPE"},
	renamed:  map[string]string{"NPI_Number": "npi_num", "LICENSE_NUMBER": "license_num", "SANCTION_DATE": "exclusion_effective_date"},
}, {
	source: "oh-odm", state: "OH",
	last: "Last Name", first: "First Name", organisation: "Organization Name", npi: "NPI", birth: "DOB", specialty: "Provider Type", began: "Action Date",
	reason: []string{"Status"}, others: []string{"Provider ID", "Date Added", "City", "State", "Zip Code"}, unheld: []string{"Address 1", "Address 2"},
	optional: []string{"Last Name", "First Name", "Organization Name", "DOB", "Provider ID", "Date Added", "City", "State", "Zip Code", "Address 1", "Address 2"},
	sheets:   []string{"Individuals", "Organizations"},
}, {
	source: "pa-dhs", state: "PA",
	last: "NAM_LAST_PROVR", first: "NAM_FIRST_PROVR", middle: "NAM_MIDDLE_PROVR", suffix: "NAM_SUFFIX_PROVR", organisation: "NAM_BUSNS_MP", also: "NAM_PROVR_ALT", npi: "IDN_NPI",
	licence: "LicenseNumber", specialty: "NAM_TITLE_PROVR", began: "BeginDate", added: "ListDate", reason: []string{"Status"},
	others: []string{"ProviderName", "EndDate", "CAO", "IND_CHGD", "DTE_CHANGE_LAST"}, unheld: []string{"NBR_FEIN"}, optional: []string{"NBR_FEIN", "IND_CHGD", "DTE_CHANGE_LAST", "CAO"},
}, {
	source: "tx-oig", state: "TX",
	last: "LastName", first: "FirstName", middle: "MidInitial", organisation: "CompanyName", npi: "NPI", licence: "LicenseNumber", specialty: "Occupation",
	reason: []string{"WebComments"}, began: "StartDate", added: "AddDate", reinstated: "ReinstatedDate", others: []string{"EligibleToReapplyDate", "Waiver"},
	optional: []string{"AddDate", "EligibleToReapplyDate", "Waiver"},
}, {
	source: "wa-hca", state: "WA",
	name: "Name", npi: "NPI or P1", mixed: true, licence: "License", began: "Date of Exclusion", reason: []string{"Action"},
}}

// listDates are how a spreadsheet program writes a date cell into a CSV file in the United States, and
// how other programs do. A year of two digits is not read: it may be of either century.
var listDates = []string{"1/2/2006", "01/02/2006", "2006-01-02", "2006/01/02", "2006-01-02 15:04:05", "1/2/2006 15:04", "1/2/2006 15:04:05", "1/2/2006 3:04:05 PM", "2006-01-02T15:04:05"}

// serialDay is a date as a workbook holds it: the days since 1900.
var serialDay = regexp.MustCompile(`^[1-6]\d{4}(\.\d+)?$`)

// day reads a date of the list; "" for an empty cell.
func (l *stateList) day(v string, cells bool) (directory.Date, error) {
	if cells && serialDay.MatchString(v) {
		if t, err := excelize.ExcelDateToTime(number(v), false); err == nil {
			v = t.Format("2006-01-02")
		}
	}
	return directory.DateIn(v, listDates...)
}

// identity returns the columns that name a row from release to release: what changes while an exclusion
// goes on, its end above all, is not among them.
func (l *stateList) identity() []string {
	return []string{l.last, l.first, l.middle, l.organisation, l.npi, l.licence, l.began, l.added, l.name}
}

// columns returns every column that the list may have and that is kept.
func (l *stateList) columns() []string {
	all := slices.Concat(l.identity(), []string{l.suffix, l.also, l.specialty, l.birth, l.reinstated}, l.reason, l.others)
	return slices.DeleteFunc(all, func(c string) bool { return c == "" })
}

// openStateList reads the list once before the run begins, so that a file which is cut off, empty or
// spoilt by the spreadsheet program changes nothing.
func openStateList(_ context.Context, m *material, _ Options) (*work, error) {
	i := slices.IndexFunc(stateLists, func(l stateList) bool { return l.source == m.source })
	l := &stateLists[i]
	files, err := l.files(m.files[0])
	if err != nil {
		return nil, err
	}
	w := &work{asOf: dayInName(m.files[0].name)}
	places := make([]map[string]int, len(files))
	for i, f := range files {
		header := func(names []string) (err error) {
			places[i], err = l.places(f.name, names)
			return err
		}
		err := eachRow(f, header, func(fields []string, line int, _ *rows) error {
			if strings.TrimSpace(strings.Join(fields, "")) != "" {
				w.rows += max(1, len(l.meant(l.cells(fields, places[i], nil))))
			}
			return l.spoilt(f.name, fields, line, places[i])
		}, func(*badRow) error { w.rows++; return nil })
		if err != nil {
			return nil, err
		}
	}
	w.read = func(_ context.Context, o *out) error {
		for i, f := range files {
			o.file, o.total = f.name, f.size
			err := eachRow(f, func([]string) error { return nil }, func(fields []string, line int, rs *rows) error {
				o.bytes = func() int64 { return rs.src.n }
				return l.row(fields, line, places[i], f.cells, o)
			}, func(b *badRow) error {
				return o.reject(directory.Reject{Line: b.line, Reason: b.reason, Text: scrubText(string(b.text))})
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	return w, nil
}

// files returns the list's tables: the file, or the sheets of a workbook, with what stands in front of the
// header and what divides the columns.
func (l *stateList) files(f file) ([]file, error) {
	head, err := f.head(16 << 10)
	if err != nil {
		return nil, err
	}
	files := []file{f}
	switch {
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, invalid(f.name, 0, "", "%s", saveAsCSV)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		if files, err = sheets(f, l.sheets); err != nil {
			return nil, err
		}
	}
	for i := range files {
		if head, err = files[i].head(16 << 10); err != nil {
			return nil, err
		}
		l.heading(&files[i], head)
	}
	return files, nil
}

// heading finds the header among a file's first lines: some lists have a title or a date in front of it.
// The line that has the most of the list's columns is taken for it.
func (l *stateList) heading(f *file, head []byte) {
	most := 1
	for i, line := range bytes.SplitN(bytes.TrimPrefix(head, []byte("\ufeff")), []byte("\n"), 8) {
		comma := ','
		if bytes.IndexByte(line, '\t') >= 0 && bytes.IndexByte(line, ',') < 0 {
			comma = '\t'
		}
		rs := newRows(f.name, bytes.NewReader(line), comma)
		names, reason := rs.parse(trimBreak(line))
		if reason != "" {
			continue
		}
		n := 0
		for _, c := range l.columns() {
			if slices.ContainsFunc(names, func(name string) bool { return l.column(name) == c }) {
				n++
			}
		}
		if n > most {
			most, f.lead, f.comma = n, i, comma
		}
	}
}

// column returns the list's own name of a column, "" for one that it does not have.
func (l *stateList) column(name string) string {
	name = looseName(name)
	for old, now := range l.renamed {
		if looseName(old) == name {
			return now
		}
	}
	for _, c := range append(l.columns(), l.unheld...) {
		if looseName(c) == name {
			return c
		}
	}
	return ""
}

// places finds the columns of a header.
func (l *stateList) places(file string, names []string) (map[string]int, error) {
	at := map[string]int{}
	unknown := ""
	for i, n := range names {
		c := l.column(n)
		if c == "" {
			if unknown == "" && trimmedName(n) != "" {
				unknown = n
			}
			continue
		}
		if _, twice := at[c]; twice {
			return nil, invalid(file, 1, c, "the column stands twice")
		}
		at[c] = i
	}
	for _, c := range append(l.columns(), l.unheld...) {
		if _, ok := at[c]; !ok && !slices.Contains(l.optional, c) {
			return nil, missingColumn(file, l.source, c, names, l.columns()...)
		}
	}
	if unknown != "" {
		return nil, invalid(file, 1, trimmedName(unknown), "the column is new: the layout has changed, and a person must look before the file is read")
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

// emptyCells are how the lists write that there is nothing: "no record found" is Louisiana's.
var emptyCells = map[string]bool{"n a": true, "nrf": true}

// cells returns what a row says in a column; nothing of those that are not to be held.
func (l *stateList) cells(fields []string, at map[string]int, unheld map[string]bool) func(string) string {
	return func(c string) string {
		i, ok := at[c]
		if !ok || unheld[c] {
			return ""
		}
		v := cleanText(fields[i])
		if emptyCells[directory.Fold(v)] {
			return ""
		}
		if c == l.npi || c == l.licence {
			if v = asFraction.ReplaceAllString(v, "$1"); noneWords[directory.Fold(v)] || directory.Fold(v) == "" {
				return ""
			}
		}
		return v
	}
}

// meant is somebody whom a row may speak of: a name with what identifies it. A row that has several names,
// NPIs or licences speaks of the same person or business under each.
type meant struct {
	name         directory.Name
	organisation string
	npi          directory.NPI
	licence      directory.LicenceNumber
}

// maxMeant bounds what one row may say.
const maxMeant = 40

// meant returns whom a row speaks of; the first is the one it names, and nil is a row that names nobody.
func (l *stateList) meant(get func(string) string) []meant {
	names := l.names(get)
	if len(names) == 0 {
		return nil
	}
	var npis []directory.NPI
	for _, v := range strings.FieldsFunc(get(l.npi), notOfNumber) {
		if n, err := directory.ParseNPI(v); err == nil && !slices.Contains(npis, n) {
			npis = append(npis, n)
		}
	}
	var licences []directory.LicenceNumber
	for _, v := range strings.FieldsFunc(get(l.licence), func(r rune) bool { return r == '/' || r == ',' || r == ';' || r == '|' }) {
		if n := directory.ParseLicenceNumber(v); n.Key != "" {
			licences = append(licences, n)
		}
	}
	first := names[0]
	if len(npis) > 0 {
		first.npi = npis[0]
	}
	if len(licences) > 0 {
		first.licence = licences[0]
	}
	out := []meant{first}
	for _, n := range names[1:] {
		n.npi, n.licence = first.npi, first.licence
		out = append(out, n)
	}
	for i := 1; i < len(npis); i++ {
		m := first
		m.npi = npis[i]
		out = append(out, m)
	}
	for i := 1; i < len(licences); i++ {
		m := first
		m.licence = licences[i]
		out = append(out, m)
	}
	return out[:min(len(out), maxMeant)]
}

// notOfNumber divides a cell of several numbers.
func notOfNumber(r rune) bool {
	return unicode.IsSpace(r) || r == '/' || r == ',' || r == ';' || r == '|' || r == '&'
}

// names returns the names of a row, its own first.
func (l *stateList) names(get func(string) string) []meant {
	var out []meant
	if l.name != "" {
		trade := get(l.specialty)
		for i, part := range namesIn(get(l.name), false) {
			out = append(out, oneName(part, trade, l.surname)...)
			if l.surname && i > 0 { // in which order a further name stands, nobody says
				out = append(out, oneName(part, trade, false)...)
			}
		}
		return out
	}
	middle, suffix, organisations := get(l.middle), get(l.suffix), namesIn(get(l.organisation), true)
	if l.organisation == "" && get(l.first) == "" && middle == "" { // a business stands where surnames do
		organisations = namesIn(get(l.last), true)
	} else {
		for _, last := range namesIn(get(l.last), false) {
			given := namesIn(get(l.first), false)
			if len(given) == 0 {
				given = []string{""}
			}
			for _, first := range given {
				out = append(out, meant{name: rosterName(first, middle, last, suffix)})
			}
		}
	}
	person := len(out) > 0
	for i, part := range organisations {
		if person && i == 0 {
			out[0].organisation = part
			continue
		}
		out = append(out, meant{organisation: part})
	}
	if len(out) == 0 {
		return nil
	}
	for _, part := range namesIn("; "+get(l.also), !person) {
		if person {
			out = append(out, oneName(part, "", false)...)
		} else {
			out = append(out, meant{organisation: part})
		}
	}
	return out
}

var (
	// alsoKnown stands between the names of one cell. A line break of a workbook's cell is a semicolon here.
	alsoKnown = regexp.MustCompile(`(?i)\b(?:a\.?/?k\.?/?a|d\.?/?b\.?/?a|f\.?/?k\.?/?a|also known as|doing business as)\b\.?\s*:?|;`)
	inParens  = regexp.MustCompile(`\(([^()]*)\)?`)
	// ofBusiness are words of a business's name, ofTrade those of a provider type that is one.
	ofBusiness = regexp.MustCompile(`(?i)\d|&|\b(?:inc|corp|corporation|company|co|llc|llp|ltd|lp|pc|p\.c\.|pllc|services?|svcs?|pharmacy|phmcy|pharm|drugs?|clinic|center|centre|hospital|associates|assoc|health|healthcare|care|medical|home|ambulette|transportation|laborator(?:y|ies)|lab|agency|group|products|supply|practice|therapy|institute|foundation|enterprises)\b`)
	ofPerson   = regexp.MustCompile(`(?i)\b(?:owner|president|director|aide|officer|manager|employee|administrator)\b`)
	ofTrade    = regexp.MustCompile(`(?i)\b(?:business|pharmacy|group|practice|center|clinic|laboratory|facility|hospital|agency|office|company|organization)\b`)
	legalForm  = regexp.MustCompile(`(?i)\b(?:inc|corp|corporation|llc|llp|ltd|pllc)\b`)
)

// namesIn divides a cell of several names, the first first. What stands in parentheses is a further name of
// a person, and of a business only behind such a word. Aka is a surname too: at the beginning it divides
// nothing.
func namesIn(s string, business bool) (out []string) {
	var aside []string
	s = inParens.ReplaceAllStringFunc(s, func(p string) string {
		p = strings.Trim(p, "() ")
		if at := alsoKnown.FindStringIndex(p); !business || at != nil && at[0] == 0 {
			aside = append(aside, alsoKnown.Split(p, -1)...)
		}
		return " "
	})
	parts := alsoKnown.Split(s, -1)
	if len(parts) > 1 && strings.TrimSpace(parts[0]) == "" && !strings.HasPrefix(s, ";") {
		parts = []string{s}
	}
	for _, part := range append(parts, aside...) {
		part = strings.Trim(strings.Join(strings.Fields(part), " "), " ,:-")
		if strings.Trim(part, " .") != "" && !emptyCells[directory.Fold(part)] && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}

// oneName reads a name of which the list does not say whether it is a person's. Where the words leave it
// open it is both: a name too many is compared in vain, one too few would clear somebody.
func oneName(s, trade string, surname bool) (out []meant) {
	words := strings.Fields(strings.ReplaceAll(s, ",", " , "))
	if !legalForm.MatchString(s) && len(words) > 1 && !(ofBusiness.MatchString(s) && !strings.Contains(s, ",") && ofTrade.MatchString(trade)) {
		if n := personIn(s, surname); n.Family != "" && n.Given != "" {
			out = append(out, meant{name: n})
		}
	}
	if len(out) == 0 || ofBusiness.MatchString(s) || ofTrade.MatchString(trade) && !ofPerson.MatchString(trade) {
		out = append(out, meant{organisation: s})
	}
	return out
}

// personIn reads "Okafor, Maya N", or "OKAFOR MAYA N MD" where the surname stands first.
func personIn(s string, surname bool) directory.Name {
	last, rest, comma := strings.Cut(s, ",")
	if comma || !surname {
		if _, _, other := directory.ParseCredentials(rest); comma && other != "" {
			given, middle, _ := strings.Cut(strings.TrimSpace(other), " ")
			n := listName(last, strings.Trim(given, ","), strings.Trim(middle, ","))
			if suffix, _, _ := directory.ParseCredentials(rest); suffix != "" {
				n.Suffix = suffix
			}
			return n
		}
		n := directory.ParseName(s)
		return directory.Name{Given: directory.NameInCapitals(n.Given), Middle: directory.NameInCapitals(n.Middle), Family: directory.NameInCapitals(n.Family), Suffix: n.Suffix}
	}
	words := strings.Fields(s)
	suffix := ""
	for len(words) > 2 { // degrees and a suffix stand at the end
		w := words[len(words)-1]
		x, creds, other := directory.ParseCredentials(w)
		if (other != "" || x == "" && len(creds) == 0) && directory.Fold(w) != "pc" && directory.Fold(w) != "p c" {
			break
		}
		if x != "" {
			suffix = x
		}
		words = words[:len(words)-1]
	}
	n := 1
	for n < len(words)-1 && nameParticles[strings.ToLower(words[n-1])] {
		n++
	}
	if len(words) < 2 {
		return directory.Name{}
	}
	x := listName(strings.Join(words[:n], " "), words[n], strings.Join(words[n+1:], " "))
	if suffix != "" {
		x.Suffix = suffix
	}
	return x
}

// nameParticles begin a surname of several words.
var nameParticles = map[string]bool{"de": true, "del": true, "la": true, "las": true, "los": true, "di": true, "da": true, "dos": true, "van": true, "von": true, "der": true, "den": true,
	"el": true, "al": true, "st": true, "st.": true, "san": true, "santa": true, "le": true}

// row turns a row into records: one for each of those it may speak of.
func (l *stateList) row(fields []string, line int, at map[string]int, cells bool, o *out) error {
	if strings.TrimSpace(strings.Join(fields, "")) == "" { // below the last row of a sheet
		return nil
	}
	unheld := map[string]bool{}
	get := l.cells(fields, at, unheld)
	names := []string{l.name, l.last, l.first, l.middle, l.suffix, l.organisation, l.also}
	var who []string
	for _, c := range names {
		who = append(who, get(c))
	}
	named := whoIs(who, "", get(l.npi), get(l.licence), get(l.specialty), get(l.began))
	for _, n := range l.meant(get) { // whom the quarantine must name
		if n.npi != "" && !strings.Contains(named, string(n.npi)) {
			named = strings.TrimSpace(named + " " + string(n.npi))
		}
	}
	r := listRow{o, line, func() string { return named }}
	for _, c := range l.columns() {
		if !l.holdsSSN(c, get(c)) {
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
	all := l.meant(get)
	if len(all) == 0 {
		return r.refuse(slices.Concat([]string{}, strings.Fields(l.name+" "+l.last))[0], "the row names neither a person nor a business")
	}
	x := directory.ExclusionRecord{Specialty: get(l.specialty)}
	for _, c := range l.reason {
		if v := get(c); v != "" {
			x.Authority = strings.TrimPrefix(x.Authority+"; "+v, "; ")
		}
	}
	var err error
	if x.Excluded, err = l.day(get(l.began), cells); err != nil {
		if err := r.without(l.began, quoted(get(l.began))+" is not a date of the form MM/DD/YYYY", get(l.began)); err != nil {
			return err
		}
	}
	if x.Birth, err = l.day(get(l.birth), cells); err != nil {
		if err := r.without(l.birth, "is not a date of the form MM/DD/YYYY", ""); err != nil {
			return err
		}
	}
	if l.reinstated != "" {
		ended, err := l.day(get(l.reinstated), cells)
		switch {
		case err != nil || unheld[l.reinstated]:
			return r.refuse(l.reinstated, quoted(get(l.reinstated))+" is not a date of the form MM/DD/YYYY, so that nobody can say whether the exclusion has ended")
		case ended != "" && x.Excluded != "" && ended < x.Excluded:
			return r.refuse(l.reinstated, "the reinstatement is dated before the exclusion, so that nobody can say which of them holds")
		case ended <= o.rel.AsOf:
			x.Reinstated = ended
		}
	}
	for _, v := range strings.FieldsFunc(get(l.npi), notOfNumber) {
		if l.mixed && !tenDigits.MatchString(v) {
			continue
		}
		if _, err := r.npi(l.npi, v); err != nil {
			return err
		}
	}
	kept := make(map[string]string, len(at))
	for _, c := range l.columns() {
		if v := get(c); v != "" && c != l.birth {
			kept[c] = v
		}
	}
	var key []string
	for _, c := range l.identity()[:8] {
		key = append(key, get(c))
	}
	if l.name != "" {
		key = append(key, get(l.name))
	}
	for i, m := range all {
		y := x
		y.Name, y.Organisation, y.NPI = m.name, m.organisation, m.npi
		if m.licence.Key != "" {
			y.Licence, y.LicenceState = m.licence, l.state
		}
		rec := directory.Record{Key: rowKey(key...), Line: line, Exclusion: &y, Fields: kept}
		if i > 0 {
			rec.Key += "-" + rowKey(m.name.String(), m.organisation, string(m.npi), m.licence.Key)[:12]
		}
		if err := o.record(rec); err != nil {
			return err
		}
	}
	return nil
}

// holdsSSN reports a value of a column that must not be held.
func (l *stateList) holdsSSN(column, v string) bool {
	if holdsSSN(v) {
		return true
	}
	if column != l.licence && column != l.npi {
		return false
	}
	return slotHoldsSSN(v, l.state) || slices.ContainsFunc(strings.FieldsFunc(v, notOfNumber), func(s string) bool { return slotHoldsSSN(s, l.state) })
}

// head returns the beginning of a file.
func (f file) head(n int) ([]byte, error) {
	r, err := f.open()
	if err != nil {
		return nil, unreadable(f.name, err)
	}
	defer r.Close()
	head := make([]byte, n)
	k, err := io.ReadFull(r, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, unreadable(f.name, err)
	}
	return head[:k], nil
}

package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// What stands in the zip as downloaded: the main file of 10 GB from 1 GB, and beside it the files of other
// names, further practice locations and endpoints.
var (
	nppesMain = archive{member: npidata, limit: 64 << 30, want: "npidata_pfile_YYYYMMDD-YYYYMMDD.csv: give the monthly or weekly NPPES zip as downloaded"}
	nppesSide = archive{member: regexp.MustCompile(`(?i)^(othername|pl|endpoint)_pfile_.*\d\.csv$`), limit: 16 << 30}
)

var (
	npidata = regexp.MustCompile(`(?i)^npidata_pfile_(\d{8})-(\d{8})\.csv$`)
	weekly  = 62 * 24 * time.Hour // a file of a shorter span holds changes only
)

// openNPPES looks at the files of one release: the zip as downloaded, or the files out of it. The main
// file of a month is the whole list; that of a week, and the report of deactivated numbers, are changes
// to it. Columns are addressed by name, so both header generations (with Provider Gender Code and with
// Provider Sex Code, with and without Certification Date) and later ones are read.
func openNPPES(_ context.Context, m *material, opts Options) (*work, error) {
	b, err := nppesFiles(m.files)
	if err != nil {
		return nil, err
	}
	if b.report != nil {
		return openDeactivated(*b.report, m, opts)
	}
	f := *b.main
	w := &work{asOf: dayInName(f.name)}
	if d := npidata.FindStringSubmatch(f.name); d != nil {
		from, err1 := time.Parse("20060102", d[1])
		to, err2 := time.Parse("20060102", d[2])
		if err1 != nil || err2 != nil {
			return nil, invalid(f.name, 0, "", "the days in the file's name do not exist")
		}
		w.partial = to.Sub(from) < weekly
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
	l.all = opts.All
	for _, s := range b.sides { // a header that has changed is found before the run begins
		_, _, done, err := openSide(s)
		if err != nil {
			return nil, err
		}
		done()
	}
	t := l.table(f)
	know := func(ctx context.Context, sink Sink) error {
		k, ok := sink.(knower)
		if !ok || l.known != nil {
			return nil
		}
		npis, err := k.NPIs(ctx)
		l.know(npis)
		return err
	}
	if f.sum != nil || len(b.sides) > 0 { // an archive is not inflated twice
		if len(b.sides) > 0 {
			t.study = l.collect
		}
		w.survey = func(ctx context.Context, sink Sink) error {
			if err := know(ctx, sink); err != nil {
				return err
			}
			return t.surveyFile(ctx, hashing(opts, m.size))
		}
	}
	w.read = func(ctx context.Context, o *out) error {
		if err := know(ctx, o.sink); err != nil {
			return err
		}
		l.asOf = o.rel.AsOf
		if len(b.sides) > 0 {
			kept := npiSet(nil)
			for _, n := range t.notes {
				kept = append(kept, uint32(n))
			}
			slices.Sort(kept)
			var err error
			if l.beside, err = readSides(o, b.sides, slices.Compact(kept)); err != nil {
				return err
			}
		}
		return t.read(o)
	}
	return w, nil
}

// knower tells the numbers of the providers that the directory has. Their rows are kept whatever trade
// they name, so that a provider who was deactivated, came back, or changed trade is never left with what
// an older release said.
type knower interface {
	NPIs(context.Context) ([]directory.NPI, error)
}

// bundle is what the files of a release are, by their names in an archive and else by their headers.
type bundle struct {
	main   *file
	report *file // of deactivated numbers
	sides  []file
}

func nppesFiles(files []file) (bundle, error) {
	var b bundle
	take := func(into **file, f file, what string) error {
		if *into != nil {
			return invalid(f.name, 0, "", "there are two %s, %s and %s: give the one to import", what, shorten((*into).name, 80), shorten(f.name, 80))
		}
		*into = &f
		return nil
	}
	for _, f := range files {
		zipped, err := isZip(f)
		if err != nil {
			return b, err
		}
		if !zipped {
			if fileHeader.MatchString(f.name) {
				continue
			}
			_, names, done, err := openRows(f, ',')
			if err != nil {
				return b, err
			}
			done()
			if kindOfSide(names) != nil {
				b.sides = append(b.sides, f)
			} else if err := take(&b.main, f, "main files"); err != nil {
				return b, err
			}
			continue
		}
		report, err := deactivatedIn(f)
		if err != nil {
			return b, err
		}
		if report != nil {
			if err := take(&b.report, *report, "reports of deactivated numbers"); err != nil {
				return b, err
			}
			continue
		}
		main := f
		if _, err := nppesMain.open(&main); err != nil {
			return b, err
		}
		if err := take(&b.main, main, "main files"); err != nil {
			return b, err
		}
		sides, err := nppesSide.find(f)
		if err != nil {
			return b, err
		}
		b.sides = append(b.sides, sides...)
	}
	switch {
	case b.report != nil && (b.main != nil || len(b.sides) > 0):
		return b, invalid(b.report.name, 0, "", "the report of deactivated numbers is a release of its own: import it alone")
	case b.report == nil && b.main == nil && len(b.sides) > 0:
		return b, invalid(b.sides[0].name, 0, "", "this is %s: it goes with the main file npidata_pfile_…, give both or the zip as downloaded", sideName(b.sides[0]))
	case b.report == nil && b.main == nil:
		return b, invalid("nppes", 0, "", "there is no main file npidata_pfile_… among the files")
	}
	return b, nil
}

// fileHeader is a file that CMS puts beside each file: its header once more.
var fileHeader = regexp.MustCompile(`(?i)_fileheader\.csv$`)

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

	all    bool // rows of every trade are kept
	known  map[uint32]bool
	beside *beside
	asOf   directory.Date
}

// nppesLayout finds the columns. A missing one is an error that names it.
func nppesLayout(file string, names []string) (*nppes, error) {
	cols := newColumns(names, trimmedName)
	l := &nppes{file: file, names: names, quotes: 2 * len(names)}
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

// table reads the main file. Most rows of the national file are of trades that the directory does not cover, and
// they are told apart without dividing them into fields.
func (l *nppes) table(f file) *table {
	return &table{file: f, names: l.names, comma: ',', split: l.split, basis: fmt.Sprint(l.all), alike: l.alike,
		beyond: func(p *sorted, line []byte) bool {
			code, ok := l.beyond(line)
			if ok {
				p.beyond++
				p.outside = tallied(p.outside, code, 1)
			}
			return ok
		},
		rows: func() func(*leaf, tableRow) { return l.row }}
}

// collect notes the numbers of the rows that may be kept, so that of the files beside the main one only what belongs to
// them is held.
func (l *nppes) collect() func(*sorted, []string, *noted) bool {
	return func(p *sorted, row []string, _ *noted) bool {
		if npi, err := directory.ParseNPI(nppesValue(row[l.npi])); err == nil {
			p.notes = append(p.notes, uint64(shortNPI(npi)))
		}
		return true
	}
}

// alike writes what the other files say of a row's number.
func (l *nppes) alike(to, line []byte) ([]byte, bool) {
	if l.beside == nil {
		return to, true
	}
	npi, ok := leadingNPI(line)
	if !ok || l.npi != 0 {
		return to, false
	}
	for _, r := range l.beside.of(npi) {
		to = append(append(append(to, r.kind.what...), l.beside.text(r)...), '\n')
	}
	return to, true
}

// npiSet holds numbers in order. Ten digits that begin with 1 or 2 fit into 32 bits.
type npiSet []uint32

func (s npiSet) has(npi uint32) bool {
	_, ok := slices.BinarySearch(s, npi)
	return ok
}

// leadingNPI returns the number at the beginning of a row in which it stands first, quoted.
func leadingNPI(line []byte) (uint32, bool) {
	if len(line) < 12 || line[0] != '"' || line[11] != '"' || line[1] != '1' && line[1] != '2' {
		return 0, false
	}
	n := uint32(0)
	for _, c := range line[1:11] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, true
}

func shortNPI(n directory.NPI) uint32 {
	k, _ := leadingNPI([]byte(`"` + string(n) + `"`))
	return k
}

func (l *nppes) know(npis []directory.NPI) {
	l.known = make(map[uint32]bool, len(npis))
	for _, n := range npis {
		l.known[shortNPI(n)] = true
	}
}

var codeEnd = []byte(`X"`)

// beyond reports, from a cheap look, a row that is whole as CMS writes it (every value quoted), that
// holds taxonomy codes but none of ours, and whose number is of nobody the directory knows. It returns
// the first code. When in doubt it says no, and the row is read in full.
func (l *nppes) beyond(line []byte) (first []byte, ok bool) {
	if l.all || len(line) < 2 || line[0] != '"' || line[len(line)-1] != '"' {
		return nil, false
	}
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
			return nil, false
		}
		if first == nil {
			first = code
		}
	}
	if first == nil || bytes.Count(line, quoteMark) != l.quotes {
		return nil, false
	}
	if len(l.known) > 0 {
		if npi, ok := leadingNPI(line); !ok || l.known[npi] {
			return nil, false
		}
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

// row turns a row's fields into a record. Several rows may be turned at once.
func (l *nppes) row(y *leaf, r tableRow) {
	fields := r.fields
	get := func(i int) string {
		if fields[i] == "" { // most of them are
			return ""
		}
		return nppesValue(fields[i])
	}
	quarantine := func(column int, reason string) {
		y.reject(directory.Reject{Line: r.line, Field: l.names[column], Reason: reason, Text: fields[column]})
	}
	quarantineSSN := func(column int) {
		y.reject(directory.Reject{Line: r.line, Field: l.names[column], Reason: ssnReason})
	}
	npi, err := directory.ParseNPI(get(l.npi))
	if err != nil {
		quarantine(l.npi, detail(err))
		return
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
			quarantine(d.column, detail(err))
			return
		}
	}
	gone := id.Deactivated != "" && id.Reactivated == ""
	if !kept && !l.all && !gone && !l.known[shortNPI(npi)] {
		if first == "" {
			first = "no code"
		}
		y.outside(first)
		return
	}
	for i, v := range fields { // only a row that would be kept is looked at as closely as this
		if !r.clean && holdsSSN(v) {
			quarantineSSN(i)
			return
		}
	}
	switch get(l.entity) {
	case "1":
		id.Kind = directory.Person
		id.Name = capitalName(get(l.first), get(l.middle), get(l.last), get(l.suffix), get(l.credential))
		if id.Name.IsZero() {
			quarantine(l.last, "an individual without a name")
			return
		}
	case "2":
		id.Kind = directory.Organisation
		if id.Organisation = get(l.organisation); id.Organisation == "" {
			quarantine(l.organisation, "an organisation without a name")
			return
		}
	case "":
		if id.Deactivated == "" {
			quarantine(l.entity, "neither an individual nor an organisation, and not deactivated")
			return
		}
	default:
		quarantine(l.entity, "the entity type is neither 1 nor 2")
		return
	}
	if n := get(l.replacement); n != "" {
		if id.Replacement, err = directory.ParseNPI(n); err != nil {
			quarantine(l.replacement, detail(err))
			return
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
				quarantineSSN(t.licence)
				return
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
		s := siteOf(a, phoneOf(get(l.phone)), directory.Origin{Source: "nppes", AsOf: l.asOf})
		id.Practice = &s
	}
	rec := directory.Record{Key: string(npi), Line: r.line, Identity: id, Fields: make(map[string]string, 24)}
	for _, i := range l.keep {
		if v := get(i); v != "" {
			rec.Fields[l.names[i]] = v
		}
	}
	if l.beside != nil {
		if left := l.beside.join(&rec, l.asOf); left != nil {
			y.partly(*left)
		}
	}
	if r.clean {
		y.searched(rec)
	} else {
		y.record(rec)
	}
}

// split divides a row as CMS writes it into its fields: every value quoted, no quotation mark in one, printable
// ASCII alone. ok is false for any other, which is divided with more care.
func (l *nppes) split(s string, _ rune, fields []string, _ int) (ok, ascii bool) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return false, false
	}
	n, from := 0, 1
	for i := 1; i < len(s)-1; i++ {
		switch c := s[i]; {
		case c < ' ' || c > '~':
			return false, false
		case c == '"':
			if i+2 > len(s)-2 || s[i+1] != ',' || s[i+2] != '"' || n == len(fields)-1 {
				return false, false
			}
			fields[n] = s[from:i]
			n, from, i = n+1, i+3, i+2
		}
	}
	fields[n] = s[from : len(s)-1]
	return n == len(fields)-1, true
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

package crawler

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kapdir/directory"
)

// ListingColumn is a column of a file that a partner or a member of staff fills in: a CSV file has them as
// its header, a line of JSON as its names.
type ListingColumn struct {
	Name    string
	Write   string // what may stand there, for the template and for whoever has to correct a value
	Example string // of somebody who is invented
	List    bool   // several values, separated by | (in JSON also an array)
}

// ListingColumns are the columns in the order of the template. Only id, kind and name are needed; an empty
// cell means that nothing is said, never no. The words of a practice are those of domain.md §8, and what
// is written in a cell is read as a page's text is (facts.go).
var ListingColumns = []ListingColumn{
	{Name: "id", Write: "your own number or short name of the row, the same in every file you send; needed. A row whose id begins with # is not read", Example: "# example"},
	{Name: "kind", Write: "person or organisation; needed", Example: "person"},
	{Name: "name", Write: "the name, of a person given name first; needed", Example: "Ada Invented-Example"},
	{Name: "credentials", Write: "the letters behind a person's name, with commas", Example: "LCSW"},
	{Name: "listed_as", Write: "kap (offers ketamine-assisted psychotherapy; also if empty), prescriber (a person who prescribes for others) or clinic (an organisation where others do it)", Example: "kap"},
	{Name: "former", Write: "former names", List: true},
	{Name: "npi", Write: "National Provider Identifier, ten digits", Example: ""},
	{Name: "licences", Write: "title, number and state of each licence: LCSW #12345, Colorado. A supervisor's licence does not belong here", Example: "LCSW #00000000, Colorado", List: true},
	{Name: "training", Write: "programme; level; day completed. Level is attended, modules_complete, certificate or in_programme_register; level and day may be left out", Example: "Polaris Insight Center KAP training; certificate; 2024-05-31", List: true},
	{Name: "prescribers", Write: "who prescribes: self, or a name with NPI or licence: Dr. Elena Example, MD, NPI 1234567893, license DR.00512345 (CO)", Example: "self", List: true},
	{Name: "works_at", Write: "the id or the name of an organisation in the same file", List: true},
	{Name: "site_name", Write: "name of the office"},
	{Name: "site_line1", Write: "street and number of the office, never a home or a mailing address", Example: "1 Example Street"},
	{Name: "site_line2", Write: "suite or floor"},
	{Name: "site_city", Write: "town", Example: "Boulder"},
	{Name: "site_state", Write: "US state or territory, name or two letters", Example: "CO"},
	{Name: "site_zip", Write: "five digits, or nine with a hyphen; format the column as text, or zeros in front are lost", Example: "80302"},
	{Name: "site_phone", Write: "telephone number of the practice, with area code", Example: "(303) 555-0100"},
	{Name: "site2_name", Write: "the same of a second office"},
	{Name: "site2_line1", Write: "the same of a second office"},
	{Name: "site2_line2", Write: "the same of a second office"},
	{Name: "site2_city", Write: "the same of a second office"},
	{Name: "site2_state", Write: "US state or territory, name or two letters"},
	{Name: "site2_zip", Write: "five digits, or nine with a hyphen; format the column as text, or zeros in front are lost"},
	{Name: "site2_phone", Write: "telephone number of the practice, with area code"},
	{Name: "website", Write: "the practice's own web address, beginning with https://", Example: "https://ada.example/"},
	{Name: "url", Write: "the page where you publish this entry, beginning with https://"},
	{Name: "as_of", Write: "the day for which the row was last confirmed: 2026-11-23; empty for the day of the whole file", Example: "2026-11-01"},
	{Name: "preparation", Write: "yes or no, then how much: Yes: 2-3 sessions of 60 minutes", Example: "Yes: 2-3 sessions of 60 minutes"},
	{Name: "medicine", Write: "yes or no, then how much: Yes: 3-6 sessions of 2-3 hours", Example: "yes"},
	{Name: "integration", Write: "yes or no, then how much: Yes: 3-6 sessions of 60 minutes", Example: "yes"},
	vocabularyColumn("route", true, "sublingual_lozenge"),
	vocabularyColumn("setting", true, "therapist_office"),
	vocabularyColumn("model", false, ""),
	vocabularyColumn("presence", false, "in_room"),
	vocabularyColumn("monitoring", true, "blood_pressure | observer"),
	{Name: "vital_signs", Write: "yes or no: measured during the session"},
	{Name: "emergency_plan", Write: "yes or no"},
	{Name: "escort", Write: "yes or no: somebody must take the patient home"},
	vocabularyColumn("screening", true, ""),
	vocabularyColumn("framework", true, "ifs"),
	vocabularyColumn("focus", true, "trauma | depression"),
	vocabularyColumn("population", true, "adult"),
	vocabularyColumn("format", true, "individual"),
	{Name: "price", Write: "component: amount in dollars, with a day if you know it: medicine_session: $650-$850 (as of 2026-09-01). Components: " + strings.Join(directory.Vocabulary["price"], ", "),
		Example: "medicine_session: $650-$850", List: true},
	{Name: "superbill", Write: "yes or no"},
	{Name: "sliding_scale", Write: "yes or no"},
	{Name: "language", Write: "languages by their English names: " + strings.Join(languages, ", "), Example: "english | spanish", List: true},
	vocabularyColumn("access", true, ""),
	{Name: "accepting", Write: "yes, no or waitlist", Example: "yes"},
	{Name: "accepting_as_of", Write: "the day for which that was so: 2026-11-23"},
	{Name: "waitlist", Write: "yes or no"},
	{Name: "telehealth", Write: "yes or no"},
	{Name: "telehealth_in", Write: "US states, names or two letters", List: true},
}

// errorColumn stands in a file of rows that were not taken. It is never read.
const errorColumn = "error"

// withheldCell stands there in place of a value that must not be held. A row that still has one is not taken:
// an empty cell would let it pass without its licence or telephone.
const withheldCell = "(not kept: write anew)"

func vocabularyColumn(name string, list bool, example string) ListingColumn {
	return ListingColumn{Name: name, List: list, Example: example, Write: strings.Join(directory.Vocabulary[name], ", ")}
}

// languages are the languages a partner's file may name.
var languages = []string{"american sign language", "amharic", "arabic", "armenian", "bengali", "bulgarian", "burmese", "cantonese", "croatian", "czech", "danish", "dutch",
	"english", "finnish", "french", "german", "greek", "gujarati", "haitian creole", "hebrew", "hindi", "hmong", "hungarian", "indonesian", "italian", "japanese", "khmer",
	"korean", "lao", "malayalam", "mandarin", "marathi", "navajo", "nepali", "norwegian", "persian", "polish", "portuguese", "punjabi", "romanian", "russian", "samoan",
	"serbian", "somali", "spanish", "swahili", "swedish", "tagalog", "tamil", "telugu", "thai", "tigrinya", "turkish", "ukrainian", "urdu", "vietnamese", "yiddish", "yoruba"}

// spellings are names of columns as people write them who were not given the template.
var spellings = map[string]string{"licenses": "licences", "license": "licences", "programme": "training", "program": "training",
	"sitezipcode": "site_zip", "siteaddress": "site_line1", "languages": "language", "routes": "route", "prices": "price"}

// columnAt returns the place of a column in ListingColumns by a name as it may be written, -1 for none.
func columnAt(name string) int {
	name = looseName(name)
	if own, ok := spellings[name]; ok {
		name = looseName(own)
	}
	return slices.IndexFunc(ListingColumns, func(c ListingColumn) bool { return looseName(c.Name) == name })
}

// partnerWords are the words that a partner's file may use: ours, in any case, with blanks for hyphens.
func partnerWords() words {
	w := words{"answer": {"y": "yes", "n": "no", "true": "yes", "false": "no"}, "language": {"farsi": "persian", "mandarin chinese": "mandarin", "asl": "american sign language"}}
	add := func(table string, ours []string) {
		if w[table] == nil {
			w[table] = map[string]string{}
		}
		for _, o := range ours {
			w[table][foldWord(o)] = o
		}
	}
	for table, ours := range directory.Vocabulary {
		add(table, ours)
	}
	for table, ours := range otherTables {
		add(table, ours)
	}
	add("language", languages)
	return w
}

// RejectedRow is a row of a partner's file that was not taken, as it stood there but for what must not be
// held.
type RejectedRow struct {
	Line  int
	Cells []string // by ListingColumns
	Error string
}

// RowFormat is how a partner's file is written.
type RowFormat struct {
	JSON    bool
	Comma   rune
	Columns []int // of ListingColumns, in the file's order
}

// ListingRows returns the source that reads rows of listings from a partner's file, by the id that the
// partner has in data/sources.csv or in the operator's file. rejected may be nil; it hears of every row that
// was not taken, in order, with the format of the file.
func ListingRows(id string, rejected func(RowFormat, RejectedRow) error) Source {
	return Source{ID: id, Help: "A CSV file with the columns of kapdir import listings --template, or JSON lines with the same names.",
		open: func(ctx context.Context, m *material, opts Options) (*work, error) {
			return openListingRows(m, opts, rejected)
		}}
}

func openListingRows(m *material, opts Options, rejected func(RowFormat, RejectedRow) error) (*work, error) {
	if m.info.Kind != "listing" {
		return nil, directory.Errorf(directory.Invalid, "source", "%s is of the kind %q: rows of listings come from a source of the kind \"listing\"", m.info.ID, m.info.Kind)
	}
	f := m.files[0]
	rs, err := openCells(f)
	if err != nil {
		return nil, err
	}
	rs.close()
	asOf := opts.AsOf
	if asOf == "" {
		asOf = dayInName(f.name)
	}
	if asOf == "" {
		asOf = opts.day()
	}
	return &work{asOf: asOf, read: func(ctx context.Context, o *out) error {
		rs, err := openCells(f)
		if err != nil {
			return err
		}
		defer rs.close()
		o.file, o.bytes = f.name, func() int64 { return rs.rows.src.n }
		p := partner{source: m.source, file: f.name, asOf: asOf, today: directory.At(opts.Now()).Date(), european: rs.format.Comma == ';', lines: map[string]int{},
			recipe: &recipe{Source: m.source, Words: partnerWords(), own: true}, warn: o.opts.Report.warn}
		for {
			cells, line, why, err := rs.next()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if why == "" && strings.HasPrefix(cells[0], "#") {
				continue
			}
			rec, problems := directory.Record{}, []problem{{"", "", why}}
			if why == "" {
				if rec, problems = p.read(cells, line); len(problems) == 0 {
					if err := o.record(rec); err != nil {
						return err
					}
					continue
				}
			}
			row := RejectedRow{Line: line, Cells: cells}
			texts := make([]string, len(problems))
			for i, x := range problems {
				texts[i] = x.text()
			}
			row.Error = scrubReason(strings.Join(texts, "; "))
			for i, c := range cells {
				if textHoldsSSN(c, false) || nineRun.MatchString(directory.PlainDigits(c)) && !strings.HasSuffix(ListingColumns[i].Name, "_zip") {
					row.Cells[i] = withheldCell
				}
			}
			if rejected != nil {
				if err := rejected(rs.format, row); err != nil {
					return err
				}
			}
			if err := o.reject(directory.Reject{Line: line, Field: problems[0].column, Reason: row.Error, Text: strings.Trim(row.Cells[0]+", "+row.Cells[2], ", ")}); err != nil {
				return err
			}
		}
	}}, nil
}

// warn keeps something that a person should look at, though the row went in.
func (r *Report) warn(text string) {
	if r.Warned++; len(r.Warnings) < 50 {
		r.Warnings = append(r.Warnings, text)
	}
}

// namesColumns hold names, in which nine digits have no business.
var namesColumns = []string{"name", "former", "site_name", "site2_name", "site_city", "site2_city"}

// problem is what is wrong with one value.
type problem struct{ column, value, why string }

func (p problem) text() string {
	out := p.why
	if p.value != "" && !strings.Contains(p.why, shorten(p.value, 20)) {
		out = quoted(p.value) + ": " + out
	}
	if i := slices.IndexFunc(ListingColumns, func(c ListingColumn) bool { return c.Name == p.column }); i >= 0 {
		return p.column + ": " + out + " (write: " + shorten(ListingColumns[i].Write, 160) + ")"
	}
	return out
}

// partner reads the rows of one file.
type partner struct {
	source   string
	file     string
	asOf     directory.Date
	today    directory.Date
	european bool // separated by semicolons, as where 3/4 may be the third of April
	recipe   *recipe
	lines    map[string]int // of the ids read
	warn     func(string)
}

var (
	brokenCell = regexp.MustCompile(`^#(?:REF!|N/A|NAME\?|VALUE!|DIV/0!|NULL!|NUM!|SPILL!|#*)$`)
	cutNumber  = regexp.MustCompile(`^[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+$`)
	wholeFloat = regexp.MustCompile(`^[0-9]+\.0$`)
	slashDay   = regexp.MustCompile(`^(\d{1,2})/(\d{1,2})/(\d{4})(?: 0?0:00(?::00)?)?$`)
	dayOfSheet = regexp.MustCompile(`^[1-9]\d{4}$`)
	lineBreaks = strings.NewReplacer("\r\n", " | ", "\n", " | ") // in a cell of several values a line break stands between two
)

// read makes a record of a row. With any problem there is none: a row goes in whole or not at all, so that
// the corrected row says everything.
func (p *partner) read(cells []string, line int) (directory.Record, []problem) {
	d := &draft{recipe: p.recipe, page: p.file, fields: map[string]string{}, asOf: p.asOf}
	var bad []problem
	wrong := func(column, value, why string) { bad = append(bad, problem{column, value, why}) }
	cell := map[string]string{}
	for i, c := range ListingColumns {
		v := cells[i]
		switch {
		case v == "":
			continue
		case v == withheldCell:
			wrong(c.Name, "", "the value was not kept, since it looked like a Social Security number: write what belongs here, or leave it empty")
		case brokenCell.MatchString(v):
			wrong(c.Name, v, "the spreadsheet shows an error in place of a value")
		case v[0] == '=':
			wrong(c.Name, v, "is a formula: save the sheet with its values")
		case cutNumber.MatchString(v):
			wrong(c.Name, v, "the spreadsheet has shortened the number and its last digits are lost: format the column as text and enter it again")
		case len(v) > 4000:
			wrong(c.Name, "", "the value is longer than 4,000 characters")
		case textHoldsSSN(v, slices.Contains(namesColumns, c.Name)):
			wrong(c.Name, "", ssnReason)
		default:
			cell[c.Name] = v
		}
	}
	d.key = cell["id"]
	switch {
	case cells[0] == "":
		wrong("id", "", "is missing")
	case len(d.key) > 100 || strings.Contains(d.key, "#"):
		wrong("id", d.key, "is longer than 100 characters or holds a #")
	case p.lines[d.key] > 0:
		wrong("id", d.key, "stands in line "+itoa(p.lines[d.key])+" already")
	default:
		p.lines[d.key] = line
	}
	switch kind := strings.ToLower(cell["kind"]); kind {
	case "person", "individual":
		d.listing.Kind = directory.Person
	case "organisation", "organization", "clinic", "practice":
		d.listing.Kind = directory.Organisation
	default:
		wrong("kind", kind, "is neither person nor organisation")
	}
	d.listing.ListedAs = directory.ListedAs(strings.ToLower(cell["listed_as"]))
	switch as := d.listing.ListedAs; {
	case as == "":
		d.listing.ListedAs = directory.AsKAP
	case as == directory.AsKAP, as == directory.AsPrescriber && d.listing.Kind != directory.Organisation, as == directory.AsClinic && d.listing.Kind != directory.Person:
	default:
		wrong("listed_as", string(as), "is not one of the words, or does not go with the kind")
	}
	switch name := cell["name"]; {
	case cells[2] == "":
		wrong("name", "", "is missing")
	case d.listing.Kind == directory.Organisation:
		if d.listing.Organisation = name; cell["credentials"] != "" {
			wrong("credentials", cell["credentials"], "an organisation has none: list the people who work there, each in a row of their own")
		}
	case d.listing.Kind == directory.Person && name != "":
		if d.listing.Name = d.personName("name", name, cell["credentials"]); d.listing.Name.Family == "" && len(d.rejects) == 0 {
			wrong("name", name, "no family name can be read")
		}
	}
	for _, column := range []string{"url", "website"} {
		if v := cell[column]; v != "" {
			if u, err := url.Parse(v); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
				wrong(column, v, "is not a web address")
				delete(cell, column)
			}
		}
	}
	d.url = cell["url"]
	day := func(column, v string) directory.Date {
		at, why := p.day(v)
		if why != "" {
			wrong(column, v, why)
		}
		return at
	}
	if v := cell["as_of"]; v != "" {
		if at := day("as_of", v); at != "" {
			d.asOf = at
		}
	}
	split := func(column string) []string {
		var out []string
		for v := range strings.SplitSeq(cell[column], "|") {
			if v = strings.TrimSpace(v); v != "" {
				out = append(out, v)
			}
		}
		return out
	}
	d.former(split("former"))
	if v := cell["npi"]; v != "" {
		if wholeFloat.MatchString(v) {
			v = strings.TrimSuffix(v, ".0")
		}
		d.listing.NPI = d.npi("npi", []string{v})
	}
	for _, prefix := range []string{"site", "site2"} {
		p.zip(cell, prefix, line)
		if site, ok := d.site(prefix, func(part string) string { return cell[prefix+"_"+part] }); ok {
			d.listing.Sites = append(d.listing.Sites, site)
		}
	}
	d.licences(split("licences"))
	for _, v := range split("training") {
		parts := strings.Split(v, ";")
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		for len(parts) < 3 {
			parts = append(parts, "")
		}
		if len(parts) > 3 || parts[0] == "" {
			wrong("training", v, "is not of the form programme; level; day")
			continue
		}
		if parts[2] != "" {
			parts[2] = string(day("training", parts[2]))
		}
		d.training(parts[0], parts[1], parts[2])
	}
	for _, v := range split("prescribers") {
		if who, ok := d.prescriber(v); ok {
			d.listing.Prescribers = append(d.listing.Prescribers, who)
		}
	}
	d.listing.WorksAt = split("works_at")
	if v := cell["website"]; v != "" {
		d.website([]string{v})
	}
	for _, field := range practiceFields {
		if cell[field] == "" {
			continue
		}
		values := []string{cell[field]}
		if c := ListingColumns[columnAt(field)]; c.List {
			values = split(field)
		}
		if field == "accepting_as_of" {
			values[0] = string(day(field, values[0]))
			if values[0] == "" {
				continue
			}
		}
		d.practice(field, values)
	}
	d.finish()
	for _, l := range d.listing.Licences {
		if l.State == "" {
			wrong("licences", strings.TrimSpace(l.Title+" "+l.Number.Shown), "the state that issued the licence is not said, and the offices do not tell it")
		}
	}
	for _, r := range d.rejects {
		column, part, _ := strings.Cut(r.Field, ".")
		if strings.HasPrefix(column, "site") {
			column += "_" + part
		}
		wrong(column, r.Text, r.Reason)
	}
	if d.ssn != "" && !slices.ContainsFunc(bad, func(x problem) bool { return x.why == ssnReason }) {
		wrong(d.ssn, "", ssnReason)
	}
	for column, v := range cell { // as the partner wrote it; of a licence, without what is a supervisor's
		if d.fields[column] == "" && column != "licences" {
			d.fields[column] = v
		}
	}
	return directory.Record{Source: p.source, Key: d.key, Line: line, Fields: d.fields, Listing: &d.listing}, bad
}

// day reads a day as it is documented, or as a spreadsheet of this country writes it. Where the file is of
// another country's spreadsheet, or the day is a spreadsheet's count of days, a person has to say which day
// is meant.
func (p *partner) day(v string) (directory.Date, string) {
	at, err := directory.ParseDate(v)
	if err != nil {
		switch m := slashDay.FindStringSubmatch(v); {
		case m != nil:
			t, err := time.Parse("1/2/2006", m[1]+"/"+m[2]+"/"+m[3])
			if err != nil || p.european {
				return "", "is a day as a spreadsheet shows it, and which number is the month is not clear: format the column as text and write 2026-11-23"
			}
			at = directory.Date(t.Format(time.DateOnly))
		case dayOfSheet.MatchString(v):
			n, _ := strconv.Atoi(v)
			return "", "is a spreadsheet's count of days (perhaps " + time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format(time.DateOnly) + "): format the column as text and write the day"
		default:
			return "", "is not a day of the form 2026-11-23"
		}
	}
	if at > p.today {
		return "", "lies in the future"
	}
	return at, ""
}

// zip gives a ZIP code back the zeros that a spreadsheet has taken from its front, where the state agrees,
// and says so.
func (p *partner) zip(cell map[string]string, prefix string, line int) {
	v := cell[prefix+"_zip"]
	head, tail, _ := strings.Cut(v, "-")
	if len(v) == 7 || len(v) == 8 { // nine digits without a hyphen, of which zeros are lost
		head, tail = v[:len(v)-4], v[len(v)-4:]
	}
	if len(head) != 3 && len(head) != 4 || !allDigits(head) || !allDigits(tail) || tail != "" && len(tail) != 4 {
		return
	}
	full := strings.Repeat("0", 5-len(head)) + head
	place, ok := directory.Tables().PlaceOfZIP(full)
	if state := stateOf(cell[prefix+"_state"]); !ok || !place.Exact || state == "" || place.State != state && place.State != "" {
		return // site says that it is no ZIP code
	}
	if tail != "" {
		full += "-" + tail
	}
	cell[prefix+"_zip"] = full
	p.warn(p.file + ", line " + itoa(line) + ": " + prefix + "_zip: " + quoted(v) + " has lost the zeros at its front and was read as " + full + ": format the column as text")
}

// cellReader reads a partner's file row by row.
type cellReader struct {
	rows   *rows
	format RowFormat
	names  []string // of a CSV file's columns
	at     []int    // of each column in ListingColumns; -1 is not read
	close  func() error
}

// openCells opens a file and holds its header to the columns we know. A column that we do not know refuses
// the file: a misspelt one would be lost in silence.
func openCells(f file) (*cellReader, error) {
	r, err := f.open()
	if err != nil {
		return nil, unreadable(f.name, err)
	}
	head := make([]byte, 8192)
	n, err := io.ReadFull(r, head)
	r.Close()
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, unreadable(f.name, err)
	}
	head = bytes.TrimPrefix(head[:n], []byte("\ufeff"))
	text := bytes.TrimSpace(head)
	if bytes.HasPrefix(text, []byte("[")) {
		return nil, invalid(f.name, 1, "", "this is one JSON array: write one object on each line")
	}
	kind := sniff(head)
	if kind != "" && !bytes.HasPrefix(text, []byte("{")) {
		return nil, invalid(f.name, 0, "", "this is %s: save it as CSV in UTF-8 (in a spreadsheet: Save as, CSV UTF-8)", kind)
	}
	if r, err = f.open(); err != nil {
		return nil, unreadable(f.name, err)
	}
	c := &cellReader{close: r.Close}
	if kind != "" {
		c.format.JSON = true
		for i := range ListingColumns {
			c.format.Columns = append(c.format.Columns, i)
		}
		c.rows = newRows(f.name, r, ',')
		return c, nil
	}
	first, _, _ := bytes.Cut(head, []byte("\n"))
	said := bytes.HasPrefix(bytes.ToLower(first), []byte("sep=")) && len(bytes.TrimSpace(first)) == 5
	if said { // Excel's own first line: sep=;
		c.format.Comma = rune(first[4])
	} else {
		c.format.Comma = ','
		for _, r := range ";\t" {
			if bytes.Count(first, []byte(string(r))) > bytes.Count(first, []byte(string(c.format.Comma))) {
				c.format.Comma = r
			}
		}
	}
	if !strings.ContainsRune(",;\t|", c.format.Comma) {
		r.Close()
		return nil, invalid(f.name, 1, "", "columns are separated by commas, semicolons or tabs, not by %q", c.format.Comma)
	}
	c.rows = newRows(f.name, r, c.format.Comma)
	if said {
		if _, _, err := c.rows.next(); err != nil {
			r.Close()
			return nil, err
		}
	}
	if err := c.header(f.name); err != nil {
		r.Close()
		return nil, err
	}
	return c, nil
}

func (c *cellReader) header(file string) error {
	names, err := c.rows.header()
	if err != nil {
		return err
	}
	c.rows.width = 0 // spreadsheets leave out empty cells at the end of a row, or add some
	c.names = names
	for _, name := range names {
		name = cleanText(name)
		at := columnAt(name)
		switch {
		case name == "" || looseName(name) == errorColumn:
			at = -1
		case at < 0:
			hint := "delete it, or give it the name of one of ours: kapdir import listings --template writes them"
			if k := looksLike(names); k != "" {
				hint = "this looks like " + k
			} else if near := nearestColumn(name); near != "" {
				hint = "perhaps it is " + quoted(near) + "; else delete it"
			}
			return invalid(file, 1, name, "there is no such column: %s", hint)
		case slices.Contains(c.at, at):
			return invalid(file, 1, name, "the column stands here twice: delete one")
		}
		if c.at = append(c.at, at); at >= 0 {
			c.format.Columns = append(c.format.Columns, at)
		}
	}
	for i, want := range []string{"id", "kind", "name"} {
		if !slices.Contains(c.at, i) {
			return invalid(file, 1, want, "the column is missing: write %s", ListingColumns[i].Write)
		}
	}
	return nil
}

// nearestColumn is the column that a misspelt one most likely is.
func nearestColumn(name string) string {
	var own []string
	for _, c := range ListingColumns {
		own = append(own, c.Name)
	}
	return nearest(name, own, nil)
}

// next returns the next row's cells by ListingColumns, cleaned. why says that the row cannot be divided; its
// cells are then a guess for whoever corrects it.
func (c *cellReader) next() (cells []string, line int, why string, err error) {
	for {
		if c.format.JSON {
			cells, line, why, err = c.object()
		} else {
			cells, line, why, err = c.row()
		}
		if err != nil || why != "" || slices.ContainsFunc(cells, func(s string) bool { return s != "" }) {
			return cells, line, why, err
		}
	}
}

func (c *cellReader) row() (cells []string, line int, why string, err error) {
	fields, line, bad, err := c.rows.record()
	if err != nil {
		return nil, line, "", err
	}
	if bad != nil {
		why = bad.reason + ": correct the row in a text editor"
		lenient := csv.NewReader(bytes.NewReader(decode(bad.text)))
		lenient.Comma, lenient.LazyQuotes, lenient.FieldsPerRecord = c.format.Comma, true, -1
		fields, _ = lenient.Read()
	} else if !c.rows.whole && len(fields) < len(c.names) { // else what is missing would count as taken back
		why = "the file ends in this row, after " + itoa(len(fields)) + " of " + itoa(len(c.names)) + " columns: fetch it again if it was cut off, or end the row with a line break"
	}
	cells = make([]string, len(ListingColumns))
	for i, v := range fields {
		if i < len(c.at) && c.at[i] >= 0 && ListingColumns[c.at[i]].List {
			v = lineBreaks.Replace(v)
		}
		v = plainCell(v)
		switch {
		case i < len(c.at) && c.at[i] >= 0:
			cells[c.at[i]] = v
		case v == "" || why != "" || i < len(c.at) && looseName(c.names[i]) == errorColumn:
		case i < len(c.at):
			why = "the value " + quoted(v) + " stands in a column without a name: give the column its name or delete it"
		default:
			why = "the value " + quoted(v) + " stands behind the last column: a comma inside a value needs quotation marks around the value"
		}
	}
	return cells, line, why, nil
}

// object reads a line of JSON. Names are those of the columns, values are texts, numbers, true and false, or
// arrays of them.
func (c *cellReader) object() (cells []string, line int, why string, err error) {
	b, line, err := c.rows.next()
	if err != nil {
		return nil, line, "", err
	}
	cells = make([]string, len(ListingColumns))
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	if len(b) == 0 {
		return cells, line, "", nil
	}
	dec := json.NewDecoder(bytes.NewReader(decode(b)))
	dec.UseNumber()
	var object map[string]any
	err = dec.Decode(&object)
	if err == nil {
		if _, more := dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more stands behind the object")
		}
	}
	if err != nil || object == nil {
		return cells, line, "the line is not one JSON object: correct it in a text editor", nil
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if looseName(name) == errorColumn {
			continue
		}
		at := columnAt(name)
		v, ok := jsonCell(object[name])
		switch {
		case at < 0 && why == "":
			why = "there is no column " + quoted(name) + ": delete it"
			if near := nearestColumn(name); near != "" {
				why += ", or perhaps it is " + quoted(near)
			}
		case at >= 0 && !ok && why == "":
			why = quoted(name) + " holds an object: write a text, a number, true or false, or an array of them"
		case at >= 0 && cells[at] != "" && v != "" && why == "":
			why = "the column " + quoted(ListingColumns[at].Name) + " is given twice"
		case at >= 0 && v != "":
			cells[at] = v
		}
	}
	return cells, line, why, nil
}

func jsonCell(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return plainCell(v), true
	case json.Number:
		return v.String(), true
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v], true
	case []any:
		var parts []string
		for _, x := range v {
			s, ok := jsonCell(x)
			if _, nested := x.([]any); !ok || nested {
				return "", false
			}
			if s != "" {
				parts = append(parts, s)
			}
		}
		return strings.Join(parts, " | "), true
	}
	return "", false
}

// plainCell cleans a value, and takes off the apostrophe that marks a text in a spreadsheet.
func plainCell(v string) string {
	v = cleanText(v)
	if len(v) > 1 && v[0] == '\'' && strings.IndexByte("=+-@0123456789", v[1]) >= 0 {
		return v[1:]
	}
	return v
}

// RowWriter writes rows of listings in the format that ListingRows reads.
type RowWriter struct {
	format RowFormat
	errors bool
	csv    *csv.Writer
	out    io.Writer
}

// NewRowWriter writes the header of a CSV file, with the byte-order mark by which a spreadsheet knows UTF-8.
// With errors there is a last column that says what is wrong.
func NewRowWriter(w io.Writer, format RowFormat, errors bool) (*RowWriter, error) {
	rw := &RowWriter{format: format, errors: errors, out: w}
	if len(rw.format.Columns) == 0 {
		for i := range ListingColumns {
			rw.format.Columns = append(rw.format.Columns, i)
		}
	}
	if format.JSON {
		return rw, nil
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	rw.csv = csv.NewWriter(w)
	rw.csv.UseCRLF = true
	if format.Comma != 0 {
		rw.csv.Comma = format.Comma
	}
	var head []string
	for _, i := range rw.format.Columns {
		head = append(head, ListingColumns[i].Name)
	}
	if errors {
		head = append(head, errorColumn)
	}
	return rw, rw.line(head)
}

func (w *RowWriter) line(fields []string) error {
	if err := w.csv.Write(fields); err != nil {
		return err
	}
	w.csv.Flush()
	return w.csv.Error()
}

// Write writes one row; cells are by ListingColumns.
func (w *RowWriter) Write(cells []string, why string) error {
	if !w.format.JSON {
		var fields []string
		for _, i := range w.format.Columns {
			v := cells[i]
			if v != "" && strings.IndexByte("=+-@", v[0]) >= 0 { // a spreadsheet would calculate it
				v = "'" + v
			}
			fields = append(fields, v)
		}
		if w.errors {
			fields = append(fields, why)
		}
		return w.line(fields)
	}
	var b bytes.Buffer // a map would lose the order of the columns
	b.WriteByte('{')
	add := func(name, v string) {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		for i, s := range []string{name, v} {
			raw, _ := json.Marshal(s)
			b.Write(raw)
			if i == 0 {
				b.WriteByte(':')
			}
		}
	}
	for _, i := range w.format.Columns {
		if cells[i] != "" {
			add(ListingColumns[i].Name, cells[i])
		}
	}
	if w.errors {
		add(errorColumn, why)
	}
	b.WriteString("}\n")
	_, err := w.out.Write(b.Bytes())
	return err
}

// ListingTemplate writes an empty file with two rows that are not read: what may stand in each column, and
// an example of somebody who is invented.
func ListingTemplate(w io.Writer, asJSON bool) error {
	rw, err := NewRowWriter(w, RowFormat{JSON: asJSON}, false)
	if err != nil {
		return err
	}
	help, example := make([]string, len(ListingColumns)), make([]string, len(ListingColumns))
	for i, c := range ListingColumns {
		if help[i] = c.Write; c.List {
			help[i] += "; several with | between them"
		}
		example[i] = c.Example
	}
	help[0] = "# " + help[0]
	if err := rw.Write(help, ""); err != nil {
		return err
	}
	return rw.Write(example, "")
}

// DayInName returns the last day that is written in a file's name, "" if there is none.
func DayInName(name string) directory.Date { return dayInName(name) }

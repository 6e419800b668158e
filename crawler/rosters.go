package crawler

import (
	"context"
	"hash/maphash"
	"slices"
	"strings"

	"kapdir/directory"
)

// roster is how one board publishes its licensees. Boards differ in columns, words and dates only, so
// a board is a row of this table. Completeness (what absence means) stands in data/sources.csv.
type roster struct {
	source string
	state  directory.State
	files  []string // the files that make one release, in lower case; nil: one file of any name

	// The spellings of each column in looseName form. required ones must be there.
	last, first, middle, suffix, number, kind, status, issued, expires, city, zip, link []string
	caseNumber, action, effective, completed                                            []string // one row a discipline case
	flagged                                                                             []string // yes: there is discipline that the row does not explain
	population                                                                          []string // of a nurse's licence
	required                                                                            []string

	padded  bool // its numbers are filled up with zeros to nine digits
	layouts []string
	// types are the board's words for the licence types that are read, with the code of titles.csv that
	// each stands for. It holds every type of this board that titles.csv knows, those that do not count
	// too: of a licence whose type is not read nobody could say that it was not found. The list is explicit
	// because titles.csv also has types that other boards of the state issue.
	types map[string]string
	words map[string]directory.Observed // status words, folded; any other is indeterminate
}

// dateLayouts are those met in exports of Socrata sites and in plain files of boards.
var dateLayouts = []string{"01/02/2006", "2006-01-02", "2006-01-02T15:04:05.000", "2006-01-02T15:04:05", "20060102", "1/2/2006", "01/02/2006 03:04:05 PM"}

var rosters = []roster{
	{
		source: "co-dora", state: "CO",
		last: []string{"lastname"}, first: []string{"firstname"}, middle: []string{"middlename"}, suffix: []string{"suffix"},
		number: []string{"licensenumber"}, kind: []string{"licensetype", "licenseprefix"}, status: []string{"licensestatusdescription", "licensestatus"},
		issued: []string{"licensefirstissuedate"}, expires: []string{"licenseexpirationdate"}, city: []string{"city"}, zip: []string{"mailzipcode", "zipcode", "zip"},
		link: []string{"linktoverifylicense"}, caseNumber: []string{"casenumber"}, action: []string{"programaction"},
		effective: []string{"disciplineeffectivedate"}, completed: []string{"disciplinecompletedate", "disciplinecompleteddate"},
		population: []string{"subcategory", "specialty"},
		required:   []string{"last", "first", "number", "kind", "status", "expires", "case", "action"},
		padded:     true,
		layouts:    dateLayouts,
		types: map[string]string{"LPC": "LPC", "LPCC": "LPCC", "LPP": "LPP", "MFT": "MFT", "MFTC": "MFTC", "CSW": "CSW", "LSW": "LSW", "SWC": "SWC",
			"PSY": "PSY", "PSYC": "PSYC", "DR": "DR", "PA": "PA", "APN": "APN", "RXN": "RXN", "CRNA": "CRNA",
			"RN": "RN", "LAC": "LAC", "NLC": "NLC"},
		words: map[string]directory.Observed{
			"active":                 directory.SeenActive,
			"active with conditions": directory.SeenRestricted, "active conditional": directory.SeenRestricted, "active restricted": directory.SeenRestricted,
			"active on probation": directory.SeenProbation, "active chaperone required": directory.SeenRestricted,
			"revoked": directory.SeenRevoked, "surrendered": directory.SeenSurrendered, "voluntary surrender": directory.SeenSurrendered,
			"suspended": directory.SeenSuspended, "suspended due to child support": directory.SeenSuspended, "summary suspension": directory.SeenSuspended,
			"retired": directory.SeenRetired, "cancelled": directory.SeenInactive, "inactive": directory.SeenInactive,
			"expired": directory.SeenExpired, "expired dissolved": directory.SeenExpired, "beyond 6 years expired": directory.SeenExpired, "expired telehealth only": directory.SeenExpired,
		},
	},
	{
		source: "tx-bhec", state: "TX", files: []string{"lpc.csv", "mft.csv", "psy.csv", "sw.csv"},
		last: []string{"lastnme"}, first: []string{"firstnme"}, middle: []string{"middlenme"}, suffix: []string{"sfxnme"},
		number: []string{"licnbr"}, kind: []string{"rank"}, status: []string{"licstatus"}, issued: []string{"rankefctdte"}, expires: []string{"licexprdte"},
		flagged:  []string{"discplactn"},
		required: []string{"last", "first", "number", "kind", "status", "expires", "flagged"},
		layouts:  dateLayouts,
		types: map[string]string{"LPC": "LPC", "LPCA": "LPCA", "LMFT": "LMFT", "MFT": "LMFT", "LMFTA": "LMFTA", "MFTA": "LMFTA", "LCSW": "LCSW", "LMSW": "LMSW",
			"LMSWAP": "LMSW-AP", "LBSW": "LBSW", "LSSP": "LSSP", "LSP": "LSSP", "PSY": "PSY", "LP": "PSY", "LPA": "LPA", "PLP": "PLP"},
		words: map[string]directory.Observed{
			"active": directory.SeenActive, "inactive": directory.SeenInactive, "expired": directory.SeenExpired, "delinquent": directory.SeenExpired,
			"probated suspended": directory.SeenProbation, "suspended": directory.SeenSuspended,
			"active with conditions": directory.SeenRestricted, "active on probation": directory.SeenProbation, "active chaperone required": directory.SeenRestricted,
		},
	},
}

// columnsOf finds the roster's columns in a header. A required one that is missing is an error.
func (t *roster) columnsOf(file string, names []string) (*rosterColumns, error) {
	cols := newColumns(names, looseName)
	c := &rosterColumns{names: names}
	for _, x := range []struct {
		name      string
		spellings []string
		into      *int
	}{{"last", t.last, &c.last}, {"first", t.first, &c.first}, {"middle", t.middle, &c.middle}, {"suffix", t.suffix, &c.suffix},
		{"number", t.number, &c.number}, {"kind", t.kind, &c.kind}, {"status", t.status, &c.status}, {"issued", t.issued, &c.issued},
		{"expires", t.expires, &c.expires}, {"city", t.city, &c.city}, {"zip", t.zip, &c.zip}, {"link", t.link, &c.link},
		{"case", t.caseNumber, &c.caseNumber}, {"action", t.action, &c.action}, {"effective", t.effective, &c.effective},
		{"completed", t.completed, &c.completed}, {"flagged", t.flagged, &c.flagged}} {
		if *x.into = cols.index(x.spellings...); *x.into >= 0 {
			c.keep = append(c.keep, *x.into)
		} else if slices.Contains(t.required, x.name) {
			return nil, missingColumn(file, t.source, x.spellings[0], names)
		}
	}
	for _, p := range t.population {
		if i := cols.index(p); i >= 0 {
			c.population = append(c.population, i)
			c.keep = append(c.keep, i)
		}
	}
	return c, nil
}

// rosterColumns is the place of each column in one file, -1 for one that it does not have.
type rosterColumns struct {
	names []string
	last, first, middle, suffix, number, kind, status, issued, expires, city, zip, link,
	caseNumber, action, effective, completed, flagged int
	population []int
	keep       []int
}

// openRoster reads the files once before the run begins: that they are whole, and which licences have
// several rows. A board writes one row a discipline case, and the rows of a licence need not stand together;
// knowing the counts, the second pass holds only licences with several rows, and those only until
// their last row was seen. The first pass keeps eight bytes of hash and a count for each licence.
func openRoster(_ context.Context, m *material, _ Options) (*work, error) {
	i := slices.IndexFunc(rosters, func(t roster) bool { return t.source == m.source })
	t := &rosters[i]
	if err := t.complete(m); err != nil {
		return nil, err
	}
	counts := map[uint64]int{}
	seed := maphash.MakeSeed()
	w := &work{}
	covered := false
	for _, f := range m.files {
		if d := dayInName(f.name); d > w.asOf {
			w.asOf = d
		}
		var c *rosterColumns
		err := eachRow(f, func(names []string) (err error) {
			c, err = t.columnsOf(f.name, names)
			return err
		}, func(fields []string, _ int, _ *rows) error {
			if key, ok := t.key(c, fields); ok {
				counts[maphash.String(seed, key)]++
				covered = true
			}
			return nil
		}, nil)
		if err != nil {
			return nil, err
		}
	}
	if !covered {
		return nil, invalid(m.name, 0, "", "no row is of a licence type that the directory covers: the file is not the whole roster")
	}
	w.read = func(_ context.Context, o *out) error {
		waiting := map[string]*licence{}
		for _, f := range m.files {
			if err := t.read(f, o, waiting, func(key string) int { return counts[maphash.String(seed, key)] }); err != nil {
				return err
			}
		}
		keys := make([]string, 0, len(waiting)) // some of their rows were put in quarantine
		for k := range waiting {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			waiting[k].rec.Licence.Standing = directory.SeenIndeterminate // what the missing row says is not known
			if err := waiting[k].put(o); err != nil {
				return err
			}
		}
		return nil
	}
	return w, nil
}

// complete refuses a part of a release that comes in several files: it would replace the other parts.
// A file under another name is taken as all of them in one.
func (t *roster) complete(m *material) error {
	var have []string
	for _, f := range m.files {
		have = append(have, strings.ToLower(f.name))
	}
	part := slices.ContainsFunc(have, func(n string) bool { return slices.Contains(t.files, n) })
	if !part {
		if len(m.files) > 1 {
			return invalid(m.name, 0, "", "the directory holds several files of which none is known: give one file%s", wanted(t.files))
		}
		return nil
	}
	for _, want := range t.files {
		if !slices.Contains(have, want) {
			return invalid(m.name, 0, "", "%s is missing: a release is all of %s, given as their directory, since it replaces the release before", strings.ToUpper(want[:len(want)-4])+".csv", strings.Join(t.files, ", "))
		}
	}
	m.files = slices.DeleteFunc(m.files, func(f file) bool { return !slices.Contains(t.files, strings.ToLower(f.name)) })
	return nil
}

func wanted(files []string) string {
	if len(files) == 0 {
		return ""
	}
	return ", or a directory with " + strings.Join(files, ", ")
}

// boardType reads the licence type. Colorado's APN licence with a psychiatric population in its
// subcategory or specialty is the row APN+PMH of titles.csv.
func (t *roster) boardType(c *rosterColumns, fields []string) (word, code string, ok bool) {
	word = strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToUpper(fields[c.kind]))
	code, ok = t.types[word]
	if code == "APN" {
		for _, i := range c.population {
			if strings.Contains(strings.ToLower(fields[i]), "psych") {
				return word, "APN+PMH", true
			}
		}
	}
	return word, code, ok
}

// key identifies a licence within the source: its number is unique only within state and type.
func (t *roster) key(c *rosterColumns, fields []string) (string, bool) {
	word, _, ok := t.boardType(c, fields)
	n := directory.ParseLicenceNumber(cleanText(fields[c.number]))
	if !ok || n.Key == "" {
		return "", false
	}
	return string(t.state) + ":" + word + ":" + n.Key, true
}

// licence is one licence while its rows are gathered.
type licence struct {
	rec  directory.Record
	rows int
	file string
}

func (t *roster) read(f file, o *out, waiting map[string]*licence, rowsOf func(string) int) error {
	o.file, o.total = f.name, f.size
	var c *rosterColumns
	return eachRow(f, func(names []string) (err error) {
		c, err = t.columnsOf(f.name, names)
		return err
	}, func(fields []string, line int, rs *rows) error {
		o.bytes = func() int64 { return rs.src.n }
		word, _, ok := t.boardType(c, fields)
		if !ok {
			if word == "" {
				return o.reject(directory.Reject{Line: line, Field: c.names[c.kind], Reason: "the row has no licence type"})
			}
			return o.outside(string(t.state) + ":" + shorten(word, 40))
		}
		key, ok := t.key(c, fields)
		if !ok {
			return o.reject(directory.Reject{Line: line, Field: c.names[c.number], Reason: "the row has no licence number", Text: fields[c.number]})
		}
		rec, rej := t.record(c, fields, line, key, o.rel.AsOf)
		if rej != nil {
			return o.reject(*rej)
		}
		if rowsOf(key) == 1 {
			return o.record(*rec)
		}
		l := waiting[key]
		if l == nil {
			l = &licence{rec: *rec, file: f.name}
			waiting[key] = l
		} else {
			l.merge(rec)
		}
		if l.rows++; l.rows < rowsOf(key) {
			return nil
		}
		delete(waiting, key)
		return l.put(o)
	}, func(b *badRow) error {
		return o.reject(directory.Reject{Line: b.line, Reason: b.reason, Text: rowText(b.text)})
	})
}

func (l *licence) put(o *out) error {
	file := o.file
	o.file = l.file
	defer func() { o.file = file }()
	return o.record(l.rec)
}

// merge adds another row of the same licence: its discipline case, and its own standing if that differs.
// Rows that disagree about the standing are for a person.
func (l *licence) merge(r *directory.Record) {
	a, b := l.rec.Licence, r.Licence
	for _, act := range b.Actions {
		if !slices.Contains(a.Actions, act) {
			a.Actions = append(a.Actions, act)
		}
	}
	if a.Words != b.Words || a.Standing != b.Standing || a.Expires != b.Expires {
		if !strings.Contains(a.Words, b.Words) {
			a.Words += " | " + b.Words
		}
		a.Standing = directory.SeenIndeterminate
	}
	for k, v := range r.Fields {
		if have := l.rec.Fields[k]; have == "" {
			l.rec.Fields[k] = v
		} else if !slices.Contains(strings.Split(have, " | "), v) {
			l.rec.Fields[k] = have + " | " + v
		}
	}
}

// record turns a row into a record, or says why it cannot.
func (t *roster) record(c *rosterColumns, fields []string, line int, key string, asOf directory.Date) (*directory.Record, *directory.Reject) {
	for i, v := range fields {
		if holdsSSN(v) {
			return nil, &directory.Reject{Line: line, Field: c.names[i], Reason: ssnReason}
		}
	}
	if n := fields[c.number]; !t.padded && directory.LooksLikeBareSSN(n) || slotSSN.MatchString(n) {
		return nil, &directory.Reject{Line: line, Field: c.names[c.number], Reason: ssnReason}
	}
	get := func(i int) string {
		if i < 0 {
			return ""
		}
		v := cleanText(fields[i])
		if v == "None" || v == "NULL" && i != c.last { // how exports write an empty cell
			return ""
		}
		return v
	}
	reject := func(i int, reason string) *directory.Reject {
		return &directory.Reject{Line: line, Field: c.names[i], Reason: reason, Text: fields[i]}
	}
	_, code, _ := t.boardType(c, fields)
	l := &directory.LicenceRecord{State: t.state, BoardType: code, Number: directory.ParseLicenceNumber(get(c.number)), Words: get(c.status),
		City: directory.NameInCapitals(get(c.city)), ZIP: zipOf(get(c.zip))}
	if l.Name = rosterName(get(c.first), get(c.middle), get(c.last), get(c.suffix)); l.Name.IsZero() {
		return nil, reject(c.last, "the row has no name")
	}
	if l.Words == "" {
		return nil, reject(c.status, "the row has no status")
	}
	for _, d := range []struct {
		column int
		into   *directory.Date
	}{{c.issued, &l.Issued}, {c.expires, &l.Expires}} {
		var err error
		if *d.into, err = directory.DateIn(get(d.column), t.layouts...); err != nil {
			return nil, reject(d.column, "is not a date as this register writes it")
		}
	}
	if a := get(c.action); a != "" || get(c.caseNumber) != "" {
		act := directory.BoardAction{Case: get(c.caseNumber), Action: a}
		for _, d := range []struct {
			column int
			into   *directory.Date
		}{{c.effective, &act.Effective}, {c.completed, &act.Completed}} {
			var err error
			if *d.into, err = directory.DateIn(get(d.column), t.layouts...); err != nil {
				return nil, reject(d.column, "is not a date as this register writes it")
			}
		}
		l.Actions = []directory.BoardAction{act}
	}
	if u := get(c.link); strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		l.Link = u
	}
	l.Standing = t.standing(l.Words, l.Expires, asOf, get(c.flagged))
	rec := &directory.Record{Key: key, Line: line, Licence: l, Fields: make(map[string]string, len(c.keep))}
	for _, i := range c.keep {
		if v := get(i); v != "" {
			rec.Fields[strings.TrimSpace(c.names[i])] = v
		}
	}
	return rec, nil
}

// standing maps the board's own words. Only its clean active word is active, and then only if the
// licence had not expired by the date of the data and no discipline is flagged that the row does not
// explain: each of those is for a person (contracts.md §4).
func (t *roster) standing(words string, expires, asOf directory.Date, flag string) directory.Observed {
	seen, ok := t.words[directory.Fold(words)]
	if !ok {
		return directory.SeenIndeterminate
	}
	if seen == directory.SeenActive {
		if expires != "" && asOf != "" && expires < asOf {
			return directory.SeenIndeterminate
		}
		if f := strings.ToLower(flag); t.flagged != nil && f != "no" && f != "n" {
			return directory.SeenIndeterminate
		}
	}
	return seen
}

func rosterName(first, middle, last, suffix string) directory.Name {
	n := listName(last, first, middle) // boards, too, write a suffix behind the surname
	if s, _, _ := directory.ParseCredentials(suffix); s != "" {
		n.Suffix = s
	}
	return n
}

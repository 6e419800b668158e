package crawler

import (
	"context"
	"hash/maphash"
	"io"
	"slices"
	"strings"

	"kapdir/directory"
)

// rosterColumns is the place of each column in one file, -1 for one that it does not have.
type rosterColumns struct {
	names      []string
	at         [fields]int
	says       []int // of each of the roster's
	flagged    []int
	population []int
	keep       []int // those whose values a record quotes
	kinds      map[string]boardType
}

// boardType is a board's word for a licence type, and the code of titles.csv that it stands for, "" for one
// that is not read.
type boardType struct{ word, code string }

// columnsOf finds the roster's columns in a header. A required one that is missing is an error.
func (t *roster) columnsOf(file string, names []string) (*rosterColumns, error) {
	cols := newColumns(names, looseName)
	c := &rosterColumns{names: names, kinds: map[string]boardType{}}
	every := func(spellings []string) (at []int) {
		for _, s := range spellings {
			if i := cols.index(s); i >= 0 {
				at = append(at, i)
			}
		}
		return at
	}
	for f := range fields {
		c.at[f] = cols.index(t.columns[f]...)
		switch {
		case c.at[f] < 0 && slices.Contains(t.required, f):
			return nil, missingColumn(file, t.source, t.columns[f][0], names)
		case f == fFlagged:
			c.flagged = every(t.columns[f])
			c.keep = append(c.keep, c.flagged...)
		case f == fPopulation:
			c.population = every(t.columns[f])
			c.keep = append(c.keep, c.population...)
		case c.at[f] >= 0 && f != fMark:
			c.keep = append(c.keep, c.at[f])
		}
	}
	for i, s := range t.says {
		c.says = append(c.says, cols.index(s.columns...))
		if c.says[i] >= 0 {
			c.keep = append(c.keep, c.says[i])
		} else if i == 0 {
			return nil, missingColumn(file, t.source, s.columns[0], names)
		}
	}
	slices.Sort(c.keep)
	c.keep = slices.Compact(c.keep)
	return c, nil
}

// eachRow reads a file of a board as the function of that name does: with its separator, without quoting where it has
// none, and with the columns that the roster names where the file has no header.
func (t *roster) eachRow(f file, header func([]string) error, row func([]string, int, *rows) error, bad func(*badRow) error) error {
	comma := t.comma
	if comma == 0 {
		comma = ','
	}
	r, err := f.open()
	if err != nil {
		return unreadable(f.name, err)
	}
	defer r.Close()
	rs := newRows(f.name, r, comma)
	rs.bare = t.bare
	names, err := rs.header()
	if err != nil {
		return err
	}
	if t.headerless != nil && len(names) == len(t.headerless) && names[0] != "" && allDigits(names[0]) {
		rs.again(names)
		names = t.headerless
	}
	if err := header(names); err != nil {
		return err
	}
	for n := 0; ; n++ {
		fields, line, b, err := rs.record()
		if err == io.EOF && n == 0 {
			return invalid(f.name, 0, "", "the file has a header and no rows: an empty list replaces nothing, fetch it again")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case b != nil && b.cut:
			return cutOff(f.name, b)
		case b != nil && bad != nil:
			err = bad(b)
		case b == nil:
			err = row(fields, line, rs)
		}
		if err != nil {
			return err
		}
	}
}

// tally counts the rows of each licence in eight bytes a row. A board writes one row a discipline case, and
// the rows of a licence need not stand together; knowing the counts, a second pass holds only licences
// with several rows, and those only until their last row was seen.
type tally struct {
	seed    maphash.Seed
	hashes  []uint64
	several map[uint64]int
}

func (y *tally) add(key string) { y.hashes = append(y.hashes, maphash.String(y.seed, key)) }

// close keeps the counts above one alone.
func (y *tally) close() {
	slices.Sort(y.hashes)
	y.several = map[uint64]int{}
	for i := 0; i < len(y.hashes); {
		n := 1
		for i+n < len(y.hashes) && y.hashes[i+n] == y.hashes[i] {
			n++
		}
		if n > 1 {
			y.several[y.hashes[i]] = n
		}
		i += n
	}
	y.hashes = nil
}

func (y *tally) rows(key string) int {
	if n := y.several[maphash.String(y.seed, key)]; n > 0 {
		return n
	}
	return 1
}

// openRoster reads the files once before the run begins: that they are whole, and which licences have
// several rows.
func openRoster(_ context.Context, m *material, _ Options) (*work, error) {
	i := slices.IndexFunc(rosters, func(t roster) bool { return t.source == m.source })
	t := &rosters[i]
	if err := t.complete(m); err != nil {
		return nil, err
	}
	count := &tally{seed: maphash.MakeSeed()}
	w := &work{}
	for _, f := range m.files {
		if d := dayInName(f.name); d > w.asOf {
			w.asOf = d
		}
		var c *rosterColumns
		err := t.eachRow(f, func(names []string) (err error) {
			c, err = t.columnsOf(f.name, names)
			return err
		}, func(fields []string, _ int, _ *rows) error {
			if id, what := t.identify(c, fields); what == taken {
				count.add(id.key)
			}
			return nil
		}, nil)
		if err != nil {
			return nil, err
		}
	}
	if len(count.hashes) == 0 {
		return nil, invalid(m.name, 0, "", "no row is of a licence type that the directory covers: the file is not the whole roster")
	}
	count.close()
	w.read = func(_ context.Context, o *out) error {
		waiting := map[string]*licence{}
		for _, f := range m.files {
			if err := t.read(f, o, waiting, count.rows); err != nil {
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
			if err := t.put(waiting[k], o); err != nil {
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

// coverage says whether a row is of a licence that is read, or why not.
type coverage int

const (
	taken      coverage = iota
	typeless            // it has no licence type
	elsewhere           // of a type that the directory does not cover
	business            // of no person
	unclear             // an MD or a DO, and it does not say which
	unlicensed          // an action against somebody who had no licence
	numberless          // it has no licence number
	masked              // its number is partly hidden, and would be another's
)

// licensed is what identifies the licence of a row within the source: its number is unique only within
// state and type.
type licensed struct {
	key, code, word string
	number          directory.LicenceNumber
}

func (t *roster) identify(c *rosterColumns, fields []string) (id licensed, what coverage) {
	kind := t.kindOf(c, fields[c.at[fKind]])
	id.word, id.code = kind.word, kind.code
	switch {
	case kind.word == "":
		return id, typeless
	case kind.code == "":
		return id, elsewhere
	}
	if i := c.at[fBusiness]; i >= 0 && !slices.Contains(t.people, directory.Fold(fields[i])) {
		return id, business
	}
	if id.code == eitherDegree {
		if i := c.at[fDegree]; i >= 0 {
			id.code = degree(fields[i])
		}
		if id.code != "MD" && id.code != "DO" {
			return id, unclear
		}
	}
	raw := cleanText(fields[c.at[fNumber]])
	if strings.Contains(raw, "*") {
		return id, masked
	}
	form := raw
	if t.number != nil && strings.Trim(raw, "0 ") != "" {
		form = t.number(raw, kind.word)
	}
	if id.number = directory.ParseLicenceNumber(form); id.number.Key == "" {
		if t.alone {
			return id, unlicensed
		}
		return id, numberless
	}
	id.number.Raw = raw
	id.key = string(t.state) + ":" + id.code + ":" + id.number.Key
	for _, i := range c.population { // a nurse's licence with the psychiatric population is a row of its own in titles.csv
		if strings.Contains(strings.ToLower(fields[i]), "psych") {
			if _, ok := directory.Tables().Title(t.state, id.code+"+PMH"); ok {
				id.code += "+PMH"
				break
			}
		}
	}
	return id, taken
}

// kindOf reads a board's word for the licence type. A board has a few hundred, which are read once each.
func (t *roster) kindOf(c *rosterColumns, raw string) boardType {
	if k, ok := c.kinds[raw]; ok {
		return k
	}
	word := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToUpper(raw))
	k := boardType{word, t.types[word]}
	if len(c.kinds) < maxOutside {
		c.kinds[strings.Clone(raw)] = k
	}
	return k
}

func degree(s string) string {
	return strings.ToUpper(strings.NewReplacer(".", "", " ", "").Replace(s))
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
	return t.eachRow(f, func(names []string) (err error) {
		c, err = t.columnsOf(f.name, names)
		return err
	}, func(fields []string, line int, rs *rows) error {
		o.bytes = func() int64 { return rs.src.n }
		state := string(t.state) + ":"
		reject := func(f field, reason, text string) error {
			return o.reject(directory.Reject{Line: line, Field: strings.TrimSpace(c.names[c.at[f]]), Reason: reason, Text: text})
		}
		id, what := t.identify(c, fields)
		switch what {
		case typeless:
			return reject(fKind, "the row has no licence type", "")
		case elsewhere:
			return o.outside(state + shorten(id.word, 60))
		case business:
			return o.outside(state + "of no person")
		case unclear:
			return o.outside(state + shorten(id.word, 60) + ", MD or DO not said")
		case unlicensed:
			return o.outside(state + "no licence")
		case numberless:
			return reject(fNumber, "the row has no licence number", fields[c.at[fNumber]])
		case masked:
			return reject(fNumber, "the licence number is masked: whose it is cannot be told", fields[c.at[fNumber]])
		}
		rec, doubts, rej := t.record(c, fields, line, id, o.rel.AsOf)
		if rej != nil {
			return o.reject(*rej)
		}
		for _, d := range doubts {
			if err := o.partly(d); err != nil {
				return err
			}
		}
		n := rowsOf(id.key)
		if n == 1 {
			return t.put(&licence{rec: *rec, file: f.name}, o)
		}
		l := waiting[id.key]
		if l == nil {
			l = &licence{rec: *rec, file: f.name}
			waiting[id.key] = l
		} else {
			l.merge(rec)
		}
		if l.rows++; l.rows < n {
			return nil
		}
		delete(waiting, id.key)
		return t.put(l, o)
	}, func(b *badRow) error {
		return o.reject(directory.Reject{Line: b.line, Reason: b.reason, Text: rowText(b.text)})
	})
}

// put yields a licence of which every row was read. Only now is it known whether a row explains the
// discipline that a flag speaks of; where none does, an active licence is for a person (contracts.md §4).
func (t *roster) put(l *licence, o *out) error {
	x := l.rec.Licence
	if x.Discipline == directory.DisciplineFlagged {
		switch {
		case len(x.Actions) > 0:
			x.Discipline = directory.DisciplineShown
		case x.Standing == directory.SeenActive:
			x.Standing = directory.SeenIndeterminate
		}
	}
	if t.alone && len(x.Actions) == 0 {
		return o.outside(string(t.state) + ":no discipline")
	}
	file := o.file
	o.file = l.file
	defer func() { o.file = file }()
	return o.searched(l.rec)
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
	if b.Discipline == directory.DisciplineFlagged || a.Discipline == directory.DisciplineShown {
		a.Discipline = b.Discipline
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

// record turns a row into a record, or says why it cannot. doubts are values that it leaves out.
func (t *roster) record(c *rosterColumns, row []string, line int, id licensed, asOf directory.Date) (rec *directory.Record, doubts []directory.Reject, rej *directory.Reject) {
	for i, v := range row {
		if holdsSSN(v) {
			return nil, nil, &directory.Reject{Line: line, Field: c.names[i], Reason: ssnReason}
		}
	}
	if n := row[c.at[fNumber]]; !t.padded && directory.LooksLikeBareSSN(n) || slotSSN.MatchString(n) {
		return nil, nil, &directory.Reject{Line: line, Field: c.names[c.at[fNumber]], Reason: ssnReason}
	}
	value := func(i int) string {
		if i < 0 {
			return ""
		}
		v := cleanText(row[i])
		if v == "None" || v == "NULL" && i != c.at[fLast] { // how exports write an empty cell
			return ""
		}
		return v
	}
	get := func(f field) string { return value(c.at[f]) }
	reject := func(i int, reason string) *directory.Reject {
		return &directory.Reject{Line: line, Field: strings.TrimSpace(c.names[i]), Reason: reason, Text: row[i]}
	}
	l := &directory.LicenceRecord{State: t.state, BoardType: id.code, Number: id.number, City: directory.NameInCapitals(get(fCity)), ZIP: zipOf(get(fZIP))}
	if l.Name = t.nameOf(c, get); l.Name.IsZero() {
		return nil, nil, reject(max(c.at[fLast], c.at[fName]), "the row has no name")
	}
	var dates [fields]directory.Date
	for _, f := range [...]field{fIssued, fExpires, fEffective, fCompleted} {
		d, err := directory.DateIn(get(f), t.layouts...)
		if err != nil {
			return nil, nil, reject(c.at[f], "is not a date as this register writes it")
		}
		dates[f] = d
	}
	l.Issued, l.Expires = dates[fIssued], dates[fExpires]
	if l.Issued != "" && asOf != "" && l.Issued > asOf {
		doubts = append(doubts, *reject(c.at[fIssued], "lies behind the day of the data, and was left out"))
		l.Issued = ""
	}
	if len(t.says) > 0 {
		l.Words, l.Standing = t.standing(c, value, l.Expires, asOf)
		if l.Words == "" {
			return nil, nil, reject(c.says[0], "the row has no status")
		}
	}
	if a := get(fAction); a != "" && directory.Fold(a) != "none" || get(fCase) != "" {
		if t.dismissed == nil || !t.dismissed.MatchString(a) {
			l.Actions = []directory.BoardAction{{Case: get(fCase), Action: a, Effective: dates[fEffective], Completed: dates[fCompleted]}}
		}
	}
	l.Discipline = t.discipline(c, value)
	if u := get(fLink); strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		l.Link = u
	}
	rec = &directory.Record{Key: id.key, Line: line, Licence: l, Fields: make(map[string]string, len(c.keep))}
	for _, i := range c.keep {
		if v := value(i); v != "" {
			rec.Fields[strings.TrimSpace(c.names[i])] = v
		}
	}
	return rec, doubts, nil
}

// discipline says what the row lets be seen of board actions beside those that it lists.
func (t *roster) discipline(c *rosterColumns, value func(int) string) directory.Discipline {
	switch {
	case t.alone:
		return directory.DisciplineAlone
	case len(c.flagged) == 0 && c.at[fAction] < 0:
		return directory.DisciplineUnsaid
	}
	d := directory.DisciplineShown
	for _, i := range c.flagged {
		switch v := directory.Fold(value(i)); {
		case slices.Contains(t.clean, v):
		case slices.Contains(t.pending, v):
			d = directory.DisciplineUnsaid
		default:
			return directory.DisciplineFlagged
		}
	}
	return d
}

// standing maps the board's own words. Only its clean active word is active, and then only if the
// licence had not expired by the date of the data: such a row is for a person (contracts.md §4).
func (t *roster) standing(c *rosterColumns, value func(int) string, expires, asOf directory.Date) (words string, seen directory.Observed) {
	unknown := false
	for i, s := range t.says {
		if c.says[i] < 0 {
			continue
		}
		v := value(c.says[i])
		folded := directory.Fold(v)
		if v != "" && !s.quiet && folded != "none" {
			if words != "" {
				words += ", "
			}
			words += v
		}
		if s.fills && seen != silent {
			continue
		}
		o, ok := s.words[folded]
		unknown = unknown || !ok
		seen = together(seen, o)
	}
	switch {
	case unknown, seen == silent:
		seen = directory.SeenIndeterminate
	case seen == directory.SeenActive && expires != "" && asOf != "" && expires < asOf:
		seen = directory.SeenIndeterminate
	}
	return words, seen
}

// together joins what two columns say of one licence. What stands against somebody outweighs the rest; a
// reason explains why a licence is not active; and an active licence that is not active is for a person.
func together(a, b directory.Observed) directory.Observed {
	switch {
	case b == silent, a == b:
		return a
	case a == silent:
		return b
	case weight(a) > 0 || weight(b) > 0:
		if weight(b) > weight(a) {
			return b
		}
		return a
	case a == directory.SeenInactive && b != directory.SeenActive:
		return b
	case b == directory.SeenInactive && a != directory.SeenActive:
		return a
	}
	return directory.SeenIndeterminate
}

// weight orders the words that stand against somebody, and before them those that nobody understands.
func weight(o directory.Observed) int {
	return 1 + slices.Index([]directory.Observed{directory.SeenRestricted, directory.SeenProbation, directory.SeenSuspended, directory.SeenSurrendered, directory.SeenRevoked, directory.SeenIndeterminate}, o)
}

// nameOf reads the name from its columns, from one that holds it whole, or from a first name that holds
// the middle one too.
func (t *roster) nameOf(c *rosterColumns, get func(field) string) directory.Name {
	if c.at[fName] >= 0 {
		return directory.ParseName(directory.NameInCapitals(get(fName)))
	}
	first, middle := get(fFirst), get(fMiddle)
	if c.at[fMiddle] < 0 {
		first, middle, _ = strings.Cut(first, " ")
	}
	return rosterName(first, middle, get(fLast), get(fSuffix))
}

func rosterName(first, middle, last, suffix string) directory.Name {
	n := listName(last, first, middle) // boards, too, write a suffix behind the surname
	if s, _, _ := directory.ParseCredentials(suffix); s != "" {
		n.Suffix = s
	}
	return n
}

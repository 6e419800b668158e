package crawler

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"kapdir/directory"
)

// rosterColumns is the place of each column in one file, -1 for one that it does not have.
type rosterColumns struct {
	names      []string
	keys       []string // the names as a record quotes them
	at         [fields]int
	says       []int // of each of the roster's
	flagged    []int
	population []int
	keep       []int // those whose values a record quotes
	kinds      map[string]boardType
	days       map[string]shortDate
}

// boardType is a board's word for a licence type, and the code of titles.csv that it stands for, "" for one
// that is not read. As is what rows of a type that is not read are counted as.
type boardType struct{ word, code, as string }

// fork returns the same columns for another worker.
func (c *rosterColumns) fork() *rosterColumns {
	mine := *c
	mine.kinds, mine.days = map[string]boardType{}, map[string]shortDate{}
	return &mine
}

// columnsOf finds the roster's columns in a header. A required one that is missing is an error.
func (t *roster) columnsOf(file string, names []string) (*rosterColumns, error) {
	cols := newColumns(names, looseName)
	c := &rosterColumns{names: names, kinds: map[string]boardType{}, days: map[string]shortDate{}}
	for _, n := range names {
		c.keys = append(c.keys, strings.TrimSpace(n))
	}
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

// open finds the columns of a file of a board: those that its header names, or that the roster names where the file
// has none.
func (t *roster) open(f file) (*table, *rosterColumns, error) {
	r, err := f.open()
	if err != nil {
		return nil, nil, unreadable(f.name, err)
	}
	defer r.Close()
	x := &table{file: f, comma: cmp.Or(t.comma, ','), bare: t.bare, piece: listPiece, basis: t.source}
	rs := newRows(f.name, r, x.comma)
	rs.bare = t.bare
	if x.names, err = rs.header(); err != nil {
		return nil, nil, err
	}
	if t.headerless != nil && len(x.names) == len(t.headerless) && x.names[0] != "" && allDigits(x.names[0]) {
		x.names, x.headless = t.headerless, true
	}
	c, err := t.columnsOf(f.name, x.names)
	return x, c, err
}

// tally counts the rows of each licence in eight bytes a row. A board writes one row a discipline case, and
// the rows of a licence need not stand together; knowing the counts, the reading holds only licences
// with several rows, and those only until their last row was seen.
type tally struct {
	seed    maphash.Seed
	several map[uint64]int
}

func (y *tally) hash(key string) uint64 { return maphash.String(y.seed, key) }

// count takes the hashes of all rows, and keeps the counts above one alone.
func (y *tally) count(hashes []uint64) {
	slices.Sort(hashes)
	y.several = map[uint64]int{}
	for i := 0; i < len(hashes); {
		n := 1
		for i+n < len(hashes) && hashes[i+n] == hashes[i] {
			n++
		}
		if n > 1 {
			y.several[hashes[i]] = n
		}
		i += n
	}
}

func (y *tally) rows(key string) int {
	if n := y.several[y.hash(key)]; n > 0 {
		return n
	}
	return 1
}

// openRoster looks at the files. They are read once before the run begins: that they are whole, and which licences
// have several rows.
func openRoster(_ context.Context, m *material, opts Options) (*work, error) {
	i := slices.IndexFunc(rosters, func(t roster) bool { return t.source == m.source })
	t := &rosters[i]
	files, err := t.complete(m)
	if err != nil {
		return nil, err
	}
	y := &tally{seed: maphash.MakeSeed()}
	w := &work{}
	var tables []*table
	var asOf directory.Date // of the run
	for _, f := range files {
		if d := dayInName(f.name); d > w.asOf {
			w.asOf = d
		}
		x, c, err := t.open(f)
		if err != nil {
			return nil, err
		}
		x.study = func() func(*sorted, []string, *noted) bool {
			c := c.fork()
			return func(p *sorted, row []string, m *noted) bool {
				id, what := t.identify(c, row)
				if as := t.outside(id, what); as != "" {
					p.count(as)
					return false
				}
				if what == taken {
					m.key = y.hash(id.key)
					p.notes = append(p.notes, m.key)
					m.days = t.days(c, row)
				}
				return true
			}
		}
		for _, i := range append([]int{c.at[fKind], c.at[fBusiness], c.at[fDegree], c.at[fNumber], c.at[fIssued], c.at[fExpires]}, c.population...) {
			x.studied = max(x.studied, i+1)
		}
		x.again = func(m *noted) (byte, bool) { return then(m.days, asOf), y.several[m.key] == 0 }
		x.rows = func() func(*leaf, tableRow) {
			c := c.fork()
			return func(l *leaf, r tableRow) { t.row(c, r, f.name, y, asOf, l) }
		}
		tables = append(tables, x)
	}
	w.survey = func(ctx context.Context, _ Sink) error {
		var hashes []uint64
		show := hashing(opts, m.size)
		for _, x := range tables {
			if err := x.surveyFile(ctx, show); err != nil {
				return err
			}
			hashes, x.notes = append(hashes, x.notes...), nil
		}
		if len(hashes) == 0 {
			return invalid(m.name, 0, "", "no row is of a licence type that the directory covers: the file is not the whole roster")
		}
		y.count(hashes)
		return nil
	}
	w.read = func(_ context.Context, o *out) error {
		asOf = o.rel.AsOf
		waiting := map[string]*licence{}
		o.part = func(l *licence) error {
			if have := waiting[l.rec.Key]; have != nil {
				have.merge(&l.rec)
				l = have
			} else {
				waiting[l.rec.Key] = l
			}
			if l.rows++; l.rows < y.rows(l.rec.Key) {
				return nil
			}
			delete(waiting, l.rec.Key)
			return t.put(l, o)
		}
		for _, x := range tables {
			if err := x.read(o); err != nil {
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
func (t *roster) complete(m *material) ([]file, error) {
	var have []string
	for _, f := range m.files {
		have = append(have, strings.ToLower(f.name))
	}
	part := slices.ContainsFunc(have, func(n string) bool { return slices.Contains(t.files, n) })
	if !part {
		if len(m.files) > 1 {
			return nil, invalid(m.name, 0, "", "the directory holds several files of which none is known: give one file%s", wanted(t.files))
		}
		return m.files, nil
	}
	for _, want := range t.files {
		if !slices.Contains(have, want) {
			return nil, invalid(m.name, 0, "", "%s is missing: a release is all of %s, given as their directory, since it replaces the release before", strings.ToUpper(want[:len(want)-4])+".csv", strings.Join(t.files, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(m.files), func(f file) bool { return !slices.Contains(t.files, strings.ToLower(f.name)) }), nil
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
	as              string // what a row of another type is counted as
	number          directory.LicenceNumber
}

func (t *roster) identify(c *rosterColumns, fields []string) (id licensed, what coverage) {
	kind := t.kindOf(c, fields[c.at[fKind]])
	id.word, id.code, id.as = kind.word, kind.code, kind.as
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
	k := boardType{word, t.types[word], string(t.state) + ":" + shorten(word, 60)}
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

// row turns a row into a record, or into a part of one.
func (t *roster) row(c *rosterColumns, r tableRow, file string, y *tally, asOf directory.Date, l *leaf) {
	reject := func(f field, reason, text string) {
		l.reject(directory.Reject{Line: r.line, Field: strings.TrimSpace(c.names[c.at[f]]), Reason: reason, Text: text})
	}
	id, what := t.identify(c, r.fields)
	if as := t.outside(id, what); as != "" {
		l.outside(as)
		return
	}
	switch what {
	case typeless:
		reject(fKind, "the row has no licence type", "")
		return
	case numberless:
		reject(fNumber, "the row has no licence number", r.fields[c.at[fNumber]])
		return
	case masked:
		reject(fNumber, "the licence number is masked: whose it is cannot be told", r.fields[c.at[fNumber]])
		return
	}
	several := y.rows(id.key) > 1
	if !several && l.carrying != nil && r.raw != nil {
		var print [16]byte
		print, l.buf = fingerprint(l.buf, l.carrying.basis, r.raw, nil)
		if l.holds(r.line, varied(print, then(t.days(c, r.fields), asOf))) {
			return
		}
	}
	rec, doubts, rej := t.record(c, r, id, asOf)
	if rej != nil {
		l.reject(*rej)
		return
	}
	for _, d := range doubts {
		l.partly(d)
	}
	if several {
		l.steps = append(l.steps, step{part: &licence{rec: *rec, file: file}})
		return
	}
	if t.settle(rec.Licence) {
		l.searched(*rec)
	} else {
		l.outside(string(t.state) + ":no discipline")
	}
}

// days reads from when to when a row says that the licence goes.
func (t *roster) days(c *rosterColumns, row []string) (days [2]shortDate) {
	for k, f := range [...]field{fIssued, fExpires} {
		if i := c.at[f]; i >= 0 && row[i] != "" {
			d, ok := c.days[row[i]]
			if !ok {
				if date, err := directory.DateIn(cleanText(row[i]), t.layouts...); err == nil {
					d = shortened(date)
				}
				if len(c.days) < maxDays {
					c.days[strings.Clone(row[i])] = d
				}
			}
			days[k] = d
		}
	}
	return days
}

// maxDays is how many dates a worker keeps as it has read them: those of a working life.
const maxDays = 1 << 15

func shortened(d directory.Date) shortDate {
	n, _ := strconv.ParseUint(strings.ReplaceAll(string(d), "-", ""), 10, 32)
	return shortDate(n)
}

// then says what the day of the data makes of a row's dates.
func then(days [2]shortDate, asOf directory.Date) (says byte) {
	of := shortened(asOf)
	if days[0] > of {
		says = 1
	}
	if days[1] != 0 && days[1] < of {
		says |= 2
	}
	return says
}

// outside says what a row that is not read is counted as, "" for one that is.
func (t *roster) outside(id licensed, what coverage) string {
	switch what {
	case elsewhere:
		return id.as
	case business:
		return string(t.state) + ":of no person"
	case unclear:
		return id.as + ", MD or DO not said"
	case unlicensed:
		return string(t.state) + ":no licence"
	}
	return ""
}

// settle ends a licence of which every row was read; false is one that is not yielded. Only now is it known whether a
// row explains the discipline that a flag speaks of; where none does, an active licence is for a person
// (contracts.md §4).
func (t *roster) settle(x *directory.LicenceRecord) bool {
	if x.Discipline == directory.DisciplineFlagged {
		switch {
		case len(x.Actions) > 0:
			x.Discipline = directory.DisciplineShown
		case x.Standing == directory.SeenActive:
			x.Standing = directory.SeenIndeterminate
		}
	}
	return !t.alone || len(x.Actions) > 0
}

// put yields a licence that was gathered of several rows.
func (t *roster) put(l *licence, o *out) error {
	if !t.settle(l.rec.Licence) {
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
func (t *roster) record(c *rosterColumns, r tableRow, id licensed, asOf directory.Date) (rec *directory.Record, doubts []directory.Reject, rej *directory.Reject) {
	row, line := r.fields, r.line
	for i, v := range row {
		if !r.clean && holdsSSN(v) {
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
			rec.Fields[c.keys[i]] = v
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
	if suffix != "" {
		if s, _, _ := directory.ParseCredentials(suffix); s != "" {
			n.Suffix = s
		}
	}
	return n
}

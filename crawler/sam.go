package crawler

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// samLayout is one generation of the public extract's header. Generations differ in the entity's numbers
// and in the last column; everything else has kept its name and its order.
type samLayout struct {
	generation string
	entity     []string // between the address and the exclusion
	last       []string // behind NPI
}

// samLayouts are the published generations, the one in use first. A file with any other header is
// refused: the list decides about people, and a column that moved would decide wrongly.
var samLayouts = []samLayout{
	{"V2", []string{"Open Data Flag", "Blank (Deprecated)", "Unique Entity ID"}, []string{"Creation_Date"}},
	{"V2 of 2020", []string{"D&B Open Data Flag", "Unique Entity Identifier (DUNS)", "Unique Entity Identifier (SAM)"}, []string{"Creation_Date"}},
	{"V3", []string{"Open Data Flag", "Unique Entity ID"}, []string{"Creation Date"}},
	{"before V2", []string{"DUNS"}, nil},
}

var (
	samWho = []string{"Classification", "Name", "Prefix", "First", "Middle", "Last", "Suffix", "Address 1", "Address 2", "Address 3", "Address 4", "City", "State / Province",
		"Country", "Zip Code"}
	samWhat = []string{"Exclusion Program", "Excluding Agency", "CT Code", "Exclusion Type", "Additional Comments", "Active Date", "Termination Date", "Record Status",
		"Cross-Reference", "SAM Number", "CAGE", "NPI"}
)

// header returns the columns in order.
func (l samLayout) header() []string { return slices.Concat(samWho, l.entity, samWhat, l.last) }

// samKept are the columns kept as evidence. The street address, the comments (prose about people) and
// the DUNS number (Dun & Bradstreet's own) are not held.
var samKept = []string{"Classification", "Name", "First", "Middle", "Last", "Suffix", "City", "State / Province", "Country", "Zip Code", "Unique Entity ID",
	"Unique Entity Identifier (SAM)", "Exclusion Program", "Excluding Agency", "CT Code", "Exclusion Type", "Active Date", "Termination Date", "Cross-Reference", "SAM Number",
	"CAGE", "NPI", "Creation_Date", "Creation Date"}

// samNamed are the columns that say who it is. A row in which one of them cannot be held cannot be used.
var samNamed = []string{"Name", "First", "Middle", "Last", "Suffix"}

// samNumbers are the columns in which nine bare digits may be a Social Security number.
var samNumbers = []string{"Unique Entity ID", "Unique Entity Identifier (SAM)", "SAM Number", "CAGE", "NPI"}

// samFile is the publisher's name of a release: two digits of the year and the day of the year.
var samFile = regexp.MustCompile(`(?i)^SAM_Exclusions_Public_Extract(?:_V\d)?_(\d{2})(\d{3})(?: ?\(\d+\))?\.(?:zip|csv)$`)

var samArchive = archive{member: regexp.MustCompile(`(?i)^SAM_Exclusions_Public_Extract.*\.csv$`), limit: 4 << 30,
	want: "SAM_Exclusions_Public_Extract_….CSV: give the public extract of exclusions as downloaded"}

// openSAM looks at the public extract, plain or inside its zip, and reads it once before the run begins,
// so that a file which is cut off, empty or of another layout changes nothing.
func openSAM(_ context.Context, m *material, _ Options) (*work, error) {
	f := m.files[0]
	member, err := samArchive.open(&f)
	if err != nil {
		return nil, err
	}
	w := &work{}
	for _, name := range []string{m.files[0].name, member} {
		if w.asOf, err = samDay(name); err != nil {
			return nil, err
		}
		if w.asOf != "" {
			break
		}
	}
	var s *sam
	if w.rows, err = survey(f, func(names []string) (err error) {
		s, err = samColumns(f.name, names)
		return err
	}); err != nil {
		return nil, err
	}
	w.read = func(_ context.Context, o *out) error {
		o.file, o.total = f.name, f.size
		return eachRow(f, func([]string) error { return nil }, func(fields []string, line int, rs *rows) error {
			o.bytes = func() int64 { return rs.src.n }
			return s.row(fields, line, o)
		}, func(b *badRow) error {
			return o.reject(directory.Reject{Line: b.line, Reason: b.reason, Text: samText(b.text)})
		})
	}
	return w, nil
}

// samDay reads the day out of a file's name: 26314 is 10 November 2026. A name of another form says nothing.
func samDay(name string) (directory.Date, error) {
	d := samFile.FindStringSubmatch(name)
	if d == nil {
		return dayInName(name), nil
	}
	t, err := time.Parse("06002", d[1]+d[2])
	if err != nil {
		return "", invalid(name, 0, "", "the file's name says day %s of 20%s, which does not exist: the name was changed, give the date with --as-of and another name", d[2], d[1])
	}
	return directory.Date(t.Format(time.DateOnly)), nil
}

// sam is the place of each column in one file.
type sam struct {
	names []string
	at    map[string]int
	kept  []int
	key   []int
}

// samColumns finds the header's generation. The error of any other header names the first column in
// which it differs from the nearest.
func samColumns(file string, names []string) (*sam, error) {
	trimmed := make([]string, len(names))
	for i, n := range names {
		trimmed[i] = trimmedName(n)
	}
	near, shared := samLayouts[0], -1
	for _, l := range samLayouts {
		h := l.header()
		if slices.Equal(trimmed, h) {
			s := &sam{names: h, at: map[string]int{}}
			for i, n := range h {
				s.at[n] = i
				if slices.Contains(samKept, n) {
					s.kept = append(s.kept, i)
					if n != "Termination Date" { // it may be put off while the exclusion goes on
						s.key = append(s.key, i)
					}
				}
			}
			return s, nil
		}
		n := 0
		for i := range min(len(h), len(trimmed)) {
			if h[i] == trimmed[i] {
				n++
			}
		}
		if n > shared {
			near, shared = l, n
		}
	}
	return nil, sameHeader(file, "sam", trimmed, near.header())
}

// samText is what the quarantine keeps of a row that cannot be divided: the fields in front of the
// address, as far as they can be told apart, and every NPI, so that nobody whom it may name is cleared.
func samText(line []byte) string {
	var keep []string
	for _, n := range tenDigits.FindAllString(string(line), -1) {
		if _, err := directory.ParseNPI(n); err == nil && !slices.Contains(keep, n) {
			keep = append(keep, n)
		}
	}
	fields := strings.SplitN(string(line), `","`, 8)
	for _, f := range fields[:min(len(fields), 7)] {
		if f = strings.Trim(f, "\" \t"); f != "" {
			keep = append(keep, shorten(f, 120))
		}
	}
	return strings.Join(keep, " ")
}

var tenDigits = regexp.MustCompile(`\b[12]\d{9}\b`)

// row turns a row into a record.
func (s *sam) row(fields []string, line int, o *out) error {
	get := func(name string) string {
		if i, ok := s.at[name]; ok {
			return cleanText(fields[i])
		}
		return ""
	}
	var who []string
	for _, c := range samNamed {
		who = append(who, get(c))
	}
	named := whoIs(who, get("NPI"), get("SAM Number"), get("CAGE"), get("Classification"), get("Exclusion Program"))
	r := listRow{o, line, func() string { return named }}
	unheld := map[string]bool{}
	for _, i := range s.kept {
		c := s.names[i]
		if !holdsSSN(fields[i]) && !(slices.Contains(samNumbers, c) && slotHoldsSSN(fields[i], "")) {
			continue
		}
		if slices.Contains(samNamed, c) {
			return r.refuse(c, ssnReason)
		}
		unheld[c] = true
		if err := r.without(c, ssnReason, ""); err != nil {
			return err
		}
	}
	held := func(name string) string {
		if unheld[name] {
			return ""
		}
		return get(name)
	}
	x := &directory.ExclusionRecord{Name: rosterName(get("First"), get("Middle"), get("Last"), get("Suffix"))}
	switch kind := directory.Fold(get("Classification")); kind {
	case "vessel": // a ship is nobody's provider
		return o.outside("Vessel")
	case "individual":
	case "firm", "special entity designation":
		x.Organisation = get("Name")
	default:
		return r.refuse("Classification", quoted(get("Classification"))+" is none of Individual, Firm, Special Entity Designation, Vessel")
	}
	if x.Name.Family == "" && x.Organisation == "" {
		return r.refuse("Last", "the row names neither a person nor an organization")
	}
	if v := get("Record Status"); v != "" && directory.Fold(v) != "active" {
		return r.refuse("Record Status", quoted(v)+" stands where the extract, which has active records only, is blank: a person must look")
	}
	if c := held("Country"); c == "" || c == "USA" { // a province is no state: MD is Moldova's code too
		x.State, x.ZIP = stateOf(held("State / Province")), zipOf(held("Zip Code"))
	}
	x.City = directory.NameInCapitals(held("City"))
	var authority []string
	for _, c := range []string{"Exclusion Program", "Exclusion Type", "Excluding Agency", "CT Code"} {
		if v := held(c); v != "" {
			authority = append(authority, v)
		}
	}
	x.Authority = strings.Join(authority, "; ")
	var err error
	// Most rows of older exclusions have no start: 121 of the 199 in the publisher's sample.
	if x.Excluded, err = directory.DateIn(held("Active Date"), "01/02/2006"); err != nil {
		if err := r.without("Active Date", "is not a date of the form MM/DD/YYYY", held("Active Date")); err != nil {
			return err
		}
	}
	if v := held("Termination Date"); v != "" && directory.Fold(v) != "indefinite" {
		if _, err := directory.DateIn(v, "01/02/2006"); err != nil {
			if err := r.without("Termination Date", "is neither Indefinite nor a date of the form MM/DD/YYYY", v); err != nil {
				return err
			}
			unheld["Termination Date"] = true
		}
	}
	if x.NPI, err = r.npi("NPI", held("NPI")); err != nil {
		return err
	}
	rec := directory.Record{Line: line, Exclusion: x, Fields: make(map[string]string, len(s.kept))}
	for _, i := range s.kept {
		c := s.names[i]
		v := held(c)
		if c == "Zip Code" && x.ZIP != "" {
			v = x.ZIP // nine bare digits are not kept as such
		}
		if v != "" {
			rec.Fields[c] = v
		}
	}
	var key []string
	for _, i := range s.key {
		key = append(key, held(s.names[i]))
	}
	rec.Key = rowKey(key...)
	return o.record(rec)
}

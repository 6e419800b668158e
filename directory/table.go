package directory

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"kapdir/data"
)

// ReferenceTables are the tables of package data, read once. They do not change while the program runs.
type ReferenceTables struct {
	states      map[State]stateRow
	stateByName map[string]State
	sources     map[string]SourceInfo
	taxonomy    map[string]TaxonomyInfo
	titles      map[State]*stateTitles
	programmes  []Programme
	compacts    []compactRow
	rules       []Rule
	authority   []authorityRow
	boundaries  func() []Instant // at which a dated row begins or ends to hold, in order
	places      func() *gazetteer
}

type stateRow struct{ name, zone string }

// SourceInfo is a row of data/sources.csv: who publishes, what it can prove, and on what terms.
type SourceInfo struct {
	ID, Name, Short, Kind string
	Class                 SourceClass
	Jurisdiction          State
	Publisher, URL        string
	LookupURL             string
	NumberURL             string // answers about a number, which stands in it for {number}; "" where no address is known that does
	Completeness          string // full_history, current_and_lapsed, active_only, full_list, n/a
	Licence, Attribution  string
	MayRepublish          string
	Terms                 string // allowed_automated, manual_only, forbidden
	Note                  string
}

// TaxonomyInfo is a row of data/taxonomy.csv: of a code, or of a group of codes by its first four signs and
// a star. A code that is not in the table is outside the directory.
type TaxonomyInfo struct {
	Code, Label string
	Role        string // therapist, prescriber, both, clinic, other
}

// Tables returns the reference tables that ship with the program, with the sources that AddSources added. It
// panics if the embedded files cannot be read, which tests find.
func Tables() *ReferenceTables { return (*tables.Load())() }

var tables atomic.Pointer[func() *ReferenceTables]

func init() { loadTables() } // not where it is declared: the tables name zones, which are found in the tables

func loadTables() {
	load := sync.OnceValue(func() *ReferenceTables {
		t, err := readTables(shipped)
		if err != nil {
			panic(err)
		}
		return t
	})
	tables.Store(&load)
}

// ownSources are an operator's rows of sources.csv, behind those that ship with the program.
var ownSources atomic.Pointer[[]byte]

// AddSources makes an operator's own sources part of the tables, in place of those that an earlier call
// added; none takes them away. The rules that a ledger records hold them like any other source. A program
// calls it before it opens anything; a server calls it again when they have changed.
func AddSources(rows []SourceInfo) error {
	head, _, _ := bytes.Cut(readShipped("sources.csv"), []byte("\n"))
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, s := range rows {
		row := map[string]string{"id": s.ID, "name": s.Name, "short": s.Short, "kind": s.Kind, "class": string(s.Class), "jurisdiction": string(s.Jurisdiction), "publisher": s.Publisher,
			"url": s.URL, "lookup_url": s.LookupURL, "number_url": s.NumberURL, "completeness": s.Completeness, "licence": s.Licence, "attribution": s.Attribution, "may_republish": s.MayRepublish, "terms": s.Terms, "note": s.Note}
		var fields []string
		for _, h := range strings.Split(strings.TrimSpace(string(head)), ",") {
			fields = append(fields, row[h])
		}
		if err := w.Write(fields); err != nil {
			return err
		}
	}
	w.Flush()
	raw := b.Bytes()
	if old := ownSources.Swap(&raw); old == nil && len(raw) == 0 || old != nil && bytes.Equal(*old, raw) {
		return nil
	}
	loadTables()
	loadStandardPolicies()
	return nil
}

// readTables reads the tables of a release. A table that is missing is empty: an older release had fewer.
func readTables(read func(name string) ([]byte, error)) (*ReferenceTables, error) {
	t := &ReferenceTables{states: map[State]stateRow{}, stateByName: map[string]State{}, sources: map[string]SourceInfo{},
		taxonomy: map[string]TaxonomyInfo{}, titles: map[State]*stateTitles{}, places: sync.OnceValue(readPlaces)}
	for _, table := range []struct {
		name string
		row  func(map[string]string)
	}{
		{"states.csv", func(r map[string]string) {
			t.states[State(r["code"])] = stateRow{r["name"], r["zone"]}
			t.stateByName[Fold(r["name"])] = State(r["code"])
		}},
		{"sources.csv", func(r map[string]string) {
			t.sources[r["id"]] = SourceInfo{ID: r["id"], Name: r["name"], Short: r["short"], Kind: r["kind"], Class: SourceClass(r["class"]),
				Jurisdiction: State(r["jurisdiction"]), Publisher: r["publisher"], URL: r["url"], LookupURL: r["lookup_url"], NumberURL: r["number_url"], Completeness: r["completeness"],
				Licence: r["licence"], Attribution: r["attribution"], MayRepublish: r["may_republish"], Terms: r["terms"], Note: r["note"]}
		}},
		{"taxonomy.csv", func(r map[string]string) { t.taxonomy[r["code"]] = TaxonomyInfo{r["code"], r["label"], r["role"]} }},
		{"titles.csv", func(r map[string]string) {
			s := State(r["state"])
			if t.titles[s] == nil {
				t.titles[s] = &stateTitles{map[string]Title{}, map[string]Title{}, map[string][]Title{}}
			}
			t.titles[s].add(Title{State: s, BoardType: r["board_type"], Profession: r["profession"], Name: r["title"],
				Abbreviations: splitList(r["abbreviations"]), Tier: Tier(r["tier"]), Confirmed: r["confirmed"] == "true", SourceURL: r["source_url"], Checked: Date(r["checked"])})
		}},
		{"programmes.csv", func(r map[string]string) {
			p := Programme{ID: r["id"], Name: r["name"], Issuer: r["issuer"], Synonyms: splitList(r["synonyms"]),
				Not: splitList(r["not"]), Register: r["register"]}
			p.folded, p.foldedNot = foldWords(append([]string{p.Name, p.ID}, p.Synonyms...)...), foldWords(p.Not...)
			t.programmes = append(t.programmes, p)
		}},
		{"compacts.csv", func(r map[string]string) {
			t.compacts = append(t.compacts, compactRow{r["compact"], State(r["state"]), r["status"], datedOf(r)})
		}},
		{"rules.csv", func(r map[string]string) {
			t.rules = append(t.rules, Rule{ID: r["rule"], Title: r["title"], After: r["after"], SourceURL: r["source_url"], dated: datedOf(r)})
		}},
		{"np_authority.csv", func(r map[string]string) {
			t.authority = append(t.authority, authorityRow{State(r["state"]), r["role"], r["authority"], datedOf(r)})
		}},
	} {
		if err := eachRow(read, table.name, table.row); err != nil {
			return nil, err
		}
	}
	t.boundaries = sync.OnceValue(t.boundariesOf) // the zones of states are known once these tables are
	return t, nil
}

// Source returns the row of a source id, of a table or of a partner that this process has learned of.
func (t *ReferenceTables) Source(id string) (SourceInfo, bool) {
	if s, ok := t.sources[id]; ok {
		return s, true
	}
	return partner(id)
}

// Sources returns every source, partners among them, sorted by id.
func (t *ReferenceTables) Sources() []SourceInfo {
	out := allPartners()
	for _, s := range t.sources {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

// Taxonomy returns the row of a NUCC code or, failing that, of its group; ok is false for a code that
// the directory does not cover.
func (t *ReferenceTables) Taxonomy(code string) (TaxonomyInfo, bool) {
	if len(code) != 10 {
		return TaxonomyInfo{}, false
	}
	x, ok := t.taxonomy[code]
	if !ok {
		x, ok = t.taxonomy[code[:4]+"*"]
	}
	return x, ok
}

// States returns every state code in order.
func (t *ReferenceTables) States() []State {
	out := make([]State, 0, len(t.states))
	for s := range t.states {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

func splitList(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

// shipped reads a file of package data; of the sources, with those that were added.
func shipped(name string) ([]byte, error) {
	raw, err := fs.ReadFile(data.FS, name)
	if own := ownSources.Load(); err == nil && name == "sources.csv" && own != nil {
		raw = append(slices.Clip(raw), *own...)
	}
	return raw, err
}

func readShipped(name string) []byte {
	raw, err := fs.ReadFile(data.FS, name)
	if err != nil {
		panic(err)
	}
	return raw
}

// readTable reads an embedded CSV file with a header line.
func readTable(name string) []map[string]string {
	var rows []map[string]string
	if err := eachRow(shipped, name, func(r map[string]string) { rows = append(rows, r) }); err != nil {
		panic(err)
	}
	return rows
}

// eachRow calls f for each row of a CSV file with a header line; a file that is not there has none.
func eachRow(read func(string) ([]byte, error), name string, f func(map[string]string)) error {
	raw, err := read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	r := csv.NewReader(bytes.NewReader(raw))
	head, err := r.Read()
	for err == nil {
		var rec []string
		if rec, err = r.Read(); err == nil {
			m := make(map[string]string, len(head))
			for i, h := range head {
				m[h] = rec[i]
			}
			f(m)
		}
	}
	if err != io.EOF {
		return Errorf(Invalid, name, "%s: %w", name, err)
	}
	return nil
}

// gazetteer holds ZIP and town centres.
type gazetteer struct {
	zips   map[string]Place
	prefix map[string]Place   // by the first three digits
	towns  map[string][]Place // by folded name, the one with most ZIPs first
	sizes  map[string]int     // ZIPs of a town, by state, a bar and its folded name
}

func readPlaces() *gazetteer {
	f, err := data.FS.Open("places/zips.csv.gz")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		panic(err)
	}
	r := csv.NewReader(z)
	r.ReuseRecord = true
	if _, err = r.Read(); err != nil {
		panic(err)
	}
	g := &gazetteer{zips: map[string]Place{}, prefix: map[string]Place{}, towns: map[string][]Place{}}
	type sum struct {
		lat, lon float64
		n        int
	}
	area, town := map[string]*sum{}, map[string]*sum{}
	add := func(m map[string]*sum, k string, p Point) {
		s := m[k]
		if s == nil {
			s = &sum{}
			m[k] = s
		}
		s.lat, s.lon, s.n = s.lat+p.Lat, s.lon+p.Lon, s.n+1
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(err)
		}
		lat, err1 := strconv.ParseFloat(rec[1], 64)
		lon, err2 := strconv.ParseFloat(rec[2], 64)
		if err1 != nil || err2 != nil {
			panic("places/zips.csv.gz: bad coordinates of " + rec[0])
		}
		p := Place{ZIP: strings.Clone(rec[0]), City: strings.Clone(rec[3]), State: State(strings.Clone(rec[4])), Point: Point{lat, lon}, Exact: true}
		g.zips[p.ZIP] = p
		add(area, p.ZIP[:3], p.Point)
		if p.City != "" && p.State != "" {
			add(town, string(p.State)+"|"+p.City, p.Point)
		}
	}
	for k, s := range area {
		g.prefix[k] = Place{Point: Point{s.lat / float64(s.n), s.lon / float64(s.n)}}
	}
	count := map[string]int{}
	g.sizes = count
	for k, s := range town {
		st, city, _ := strings.Cut(k, "|")
		f := Fold(city)
		count[st+"|"+f] = s.n
		g.towns[f] = append(g.towns[f], Place{City: city, State: State(st), Point: Point{s.lat / float64(s.n), s.lon / float64(s.n)}, Exact: true})
	}
	for f, ps := range g.towns {
		sort.Slice(ps, func(i, j int) bool {
			a, b := count[string(ps[i].State)+"|"+f], count[string(ps[j].State)+"|"+f]
			if a != b {
				return a > b
			}
			return ps[i].State < ps[j].State
		})
	}
	return g
}

// PlaceOfZIP returns the centre of a five-digit ZIP. A ZIP that is not in the table gives the middle of
// its three-digit area with Exact false; ok is false when that is unknown too.
func (t *ReferenceTables) PlaceOfZIP(zip string) (p Place, ok bool) {
	if len(zip) < 5 {
		return Place{}, false
	}
	g := t.places()
	if p, ok = g.zips[zip[:5]]; ok {
		return p, true
	}
	p, ok = g.prefix[zip[:3]]
	p.ZIP = zip[:5]
	return p, ok
}

// PlaceOfTown returns the centre of a town, as the middle of its ZIPs. With state "" it returns the town
// of that name with the most ZIPs, and others says how many other states have one.
func (t *ReferenceTables) PlaceOfTown(city string, state State) (p Place, others int, ok bool) {
	ps := t.places().towns[Fold(city)]
	for _, p := range ps {
		if state == "" || p.State == state {
			return p, len(ps) - 1, true
		}
	}
	return Place{}, 0, false
}

// TownZIPs returns how many ZIPs a town has, which stands for its size; 0 of one that is not in the table.
func (t *ReferenceTables) TownZIPs(city string, state State) int {
	return t.places().sizes[string(state)+"|"+Fold(city)]
}

// EachTown calls f for every town, in no order.
func (t *ReferenceTables) EachTown(f func(Place)) {
	for _, ps := range t.places().towns {
		for _, p := range ps {
			f(p)
		}
	}
}

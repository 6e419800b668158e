package directory

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// This file makes the labelled set of directory/testdata/matching: invented people, of each a row of a
// board's roster, a row of NPPES and a listing, one of them spoiled in one of the ways of domain.md §9.1,
// and an exclusion list with planted rows and decoys. A label is the number of the person that a record
// was made of; nothing here asks the matcher.
//
//	go test ./directory -run TestMatchingSet -update     writes the set anew
//	go test ./directory -run TestMatchingSet             fails when the committed set is not what this file writes
//
// Names follow the frequencies of the 1990 census (see the README beside the set), so that strangers of
// the same name occur as they do. NPIs begin with 2, as no issued NPI does; telephone numbers lie in
// 555-0100 to 555-0199.

var updateMatching = flag.Bool("update", false, "write the labelled matching set anew instead of comparing it")

const matchingDir = "testdata/matching"

// labelled is a line of the set.
type labelled struct {
	Person int    `json:"person"`          // 0: of nobody else in the set
	Class  string `json:"class"`           // how the person's records were spoiled
	Plant  string `json:"plant,omitempty"` // how an exclusion was written, "" for a decoy
	Record Record `json:"record"`
}

// spoils are the ways of spoiling with the share of people each befalls. The shares were set before the
// first measurement and follow no count of real records: the recall of each class tells more than the sum.
var spoils = []struct {
	class string
	share float64
}{
	{"plain", 0},              // nothing but case, punctuation and leading zeros
	{"nickname", 0.05},        // one source has the short form, drawn from a table that is not ours
	{"maiden_known", 0.03},    // one source has the former name, and one of the two says so
	{"maiden_unknown", 0.01},  // nobody wrote down that the name changed
	{"hyphen", 0.03},          // of a hyphenated name one source has one half
	{"married_hyphen", 0.02},  // one source has the name with the spouse's behind a hyphen
	{"diacritics", 0.03},      // one source dropped the marks
	{"name_typo", 0.025},      // two neighbouring letters swapped in one source
	{"licence_typo", 0.01},    // two neighbouring digits of the licence swapped in one source
	{"npi_typo", 0.005},       // two neighbouring digits of the listing's NPI swapped
	{"npi_0990", 0.005},       // 09 for 90 in the listing's NPI, which the check digit lets pass
	{"wrong_state", 0.01},     // NPPES has the licence under another state
	{"other_taxonomy", 0.02},  // NPPES has the code of another profession beside the number
	{"father_son", 0.02},      // two people of one name, address, telephone and profession: Sr and Jr
	{"namesake", 0.03},        // two strangers of one name in one state
	{"missing", 0.03},         // one field is empty in one source
	{"middle_as_first", 0.02}, // one source has the middle name in front
	{"truncated", 0.01},       // one source cut the family name at 20 letters and the given one at 15
}

// plants are the ways in which an excluded person is written. The first ones are those of the OIG's own
// tips on searching its list: each half of a hyphenated name, former names, nicknames, first letters.
var plants = []string{"first_half", "second_half", "former_name", "nickname", "first_letters", "initial", "exact", "cut_to_column", "marks_dropped",
	"another_state", "with_npi", "respelt", "middle_in_front", "suffix_dropped"}

const (
	matchingPeople = 4000
	plantedEach    = 25
	decoys         = 2500
)

// human is an invented person as they are.
type human struct {
	id                          int
	class                       string
	sex                         string
	given, middle, family, born string // born: the family name before marriage
	suffix                      string
	state                       State
	city, zip, street, phone    string
	title                       Title
	number                      string
	npi                         NPI
	birth                       Date
}

// maker draws people. It is the only source of chance.
type maker struct {
	*rand.Rand
	family, female, male drawer
	nicknames            map[string][]string
	titles               map[State][]Title
	numbers              map[string]int
	npis                 int
	phones               int
}

// drawer draws names by their frequency.
type drawer struct {
	names []string
	upTo  []float64
}

func (d *drawer) add(name string, weight float64) {
	if n := len(d.upTo); n > 0 {
		weight += d.upTo[n-1]
	}
	d.names, d.upTo = append(d.names, name), append(d.upTo, weight)
}

func (d *drawer) draw(r *rand.Rand) string {
	x := r.Float64() * d.upTo[len(d.upTo)-1]
	return d.names[sort.SearchFloat64s(d.upTo, x)]
}

func readRows(name string) [][]string {
	b, err := os.ReadFile(filepath.Join(matchingDir, name))
	if err != nil {
		panic(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		panic(err)
	}
	return rows[1:]
}

// setStates are where the people live, with towns and ZIPs that exist.
var setStates = []struct {
	state State
	share int
	towns []string // city/ZIP
}{
	{"CA", 20, []string{"Los Angeles/90026", "San Diego/92103", "Oakland/94610", "San Francisco/94110", "Sacramento/95816"}},
	{"TX", 15, []string{"Austin/78704", "Houston/77006", "Dallas/75206", "San Antonio/78209"}},
	{"NY", 12, []string{"New York/10011", "Brooklyn/11215", "Ithaca/14850", "Rochester/14607"}},
	{"CO", 12, []string{"Denver/80205", "Boulder/80302", "Fort Collins/80524", "Durango/81301"}},
	{"FL", 10, []string{"Miami/33130", "Orlando/32803", "Tampa/33606"}},
	{"WA", 8, []string{"Seattle/98103", "Spokane/99201", "Bellingham/98225"}},
	{"IL", 8, []string{"Chicago/60614", "Evanston/60201"}},
	{"OR", 6, []string{"Portland/97214", "Eugene/97401"}},
	{"OH", 5, []string{"Columbus/43206", "Cleveland/44113"}},
	{"MA", 4, []string{"Boston/02116", "Northampton/01060"}},
}

var taxonomyOf = map[string][]string{"counselling": {"101YM0800X", "101YP2500X", "101Y00000X"}, "clinical_social_work": {"1041C0700X"},
	"marriage_family": {"106H00000X"}, "psychologist": {"103TC0700X", "103T00000X"}, "physician": {"2084P0800X"},
	"nurse_practitioner": {"363LP0808X", "363L00000X"}, "physician_assistant": {"363A00000X"}}

func newMaker(seed uint64) *maker {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 1128)), nicknames: map[string][]string{}, titles: map[State][]Title{}, numbers: map[string]int{}}
	percent := func(s string) float64 {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			panic(err)
		}
		return f
	}
	covered := 0.0
	for _, r := range readRows("surnames.csv") {
		m.family.add(r[0], percent(r[1]))
		covered += percent(r[1])
	}
	// The rest of the census, tens of thousands of rare names, is made of syllables.
	for i := range 20000 {
		m.family.add(rareName(i), (100-covered)/20000)
	}
	for _, r := range readRows("given.csv") {
		if r[0] == "f" {
			m.female.add(r[1], percent(r[2]))
		} else {
			m.male.add(r[1], percent(r[2]))
		}
	}
	for _, r := range readRows("nicknames.csv") {
		m.nicknames[r[0]] = append(m.nicknames[r[0]], r[1])
	}
	for _, s := range setStates {
		for _, t := range Tables().titles[s.state].byBoardType {
			if len(taxonomyOf[t.Profession]) > 0 && len(t.Abbreviations) > 0 && !strings.Contains(t.BoardType, "+") {
				m.titles[s.state] = append(m.titles[s.state], t)
			}
		}
		slices.SortFunc(m.titles[s.state], func(a, b Title) int { return strings.Compare(a.BoardType, b.BoardType) })
	}
	return m
}

func rareName(i int) string {
	heads := strings.Fields("Bra Cal Dre Fen Gar Hal Jor Kel Lor Mar Nor Pel Quin Ros Sten Tor Ul Ver Wen Yar")
	middles := strings.Fields("ba ber da den fi gan ha ki la len mi na no ra ren si sto ta ti va vo wi za zel mo du ge lu pe ri so tu")
	tails := strings.Fields("ck der ff gh ld ll man n nd nsen rg rth s sch ski son t tt uk vic wicz x ya zzi mer ler ton by den ry")
	i, head := i/len(heads), heads[i%len(heads)]
	return head + middles[i%len(middles)] + tails[i/len(middles)%len(tails)]
}

func (m *maker) chance(p float64) bool { return m.Float64() < p }

func pick[T any](m *maker, from []T) T { return from[m.IntN(len(from))] }

func (m *maker) givenName(sex string) string {
	if sex == "f" {
		return m.female.draw(m.Rand)
	}
	return m.male.draw(m.Rand)
}

// person draws somebody new.
func (m *maker) person(id int) *human {
	h := &human{id: id, class: "plain", sex: pick(m, []string{"f", "f", "f", "m"})} // of therapists three in four are women
	h.given, h.middle, h.family = m.givenName(h.sex), m.givenName(h.sex), m.family.draw(m.Rand)
	for h.middle == h.given {
		h.middle = m.givenName(h.sex)
	}
	n := m.IntN(100)
	for _, s := range setStates {
		if n -= s.share; n < 0 {
			h.state = s.state
			h.city, h.zip, _ = strings.Cut(pick(m, s.towns), "/")
			break
		}
	}
	h.title = pick(m, m.titles[h.state])
	key := string(h.state) + h.title.BoardType
	if m.numbers[key] == 0 {
		m.numbers[key] = 1000 + m.IntN(60000)
	}
	m.numbers[key] += 1 + m.IntN(7) // boards number on, so that a wrong digit is often a colleague's
	h.number = strconv.Itoa(m.numbers[key])
	h.npi = m.newNPI()
	h.street, h.phone = m.office()
	h.birth = Date(fmt.Sprintf("%d-%02d-%02d", 1945+m.IntN(50), 1+m.IntN(12), 1+m.IntN(28)))
	return h
}

func (m *maker) newNPI() NPI {
	m.npis += 1 + m.IntN(400)
	nine := fmt.Sprintf("2%08d", 9000+m.npis)
	return NPI(nine + string(npiCheck(nine)))
}

func (m *maker) office() (street, phone string) {
	m.phones++
	street = fmt.Sprintf("%d %s %s", 10+m.IntN(9000), pick(m, strings.Fields("Alder Larch Foxglove Kestrel Juniper Bluestem Lantern Saltgrass Cinderlea Dovecote")),
		pick(m, []string{"St", "Street", "Ave", "Avenue", "Blvd", "Rd"}))
	if m.chance(0.5) {
		street += fmt.Sprintf(" Suite %d", 100+m.IntN(400))
	}
	return street, fmt.Sprintf("(%d) 555-01%02d", 201+m.phones/100%780, m.phones%100)
}

// people makes everybody in the set: of each a person as they are and the class of what befalls them.
func (m *maker) people(n int) []*human {
	var out []*human
	for len(out) < n {
		h := m.person(len(out) + 1)
		x := m.Float64()
		for _, s := range spoils[1:] {
			if x -= s.share; x < 0 {
				h.class = s.class
				break
			}
		}
		switch h.class {
		case "nickname":
			for len(m.nicknames[strings.ToLower(h.given)]) == 0 {
				h.given = m.givenName(h.sex)
			}
		case "maiden_known", "maiden_unknown":
			h.sex = "f"
			h.given, h.born = m.female.draw(m.Rand), m.family.draw(m.Rand)
		case "hyphen", "married_hyphen":
			h.born = m.family.draw(m.Rand)
			if h.class == "hyphen" {
				h.family = h.born + "-" + h.family
			}
		case "diacritics":
			h.given, h.family = pick(m, marked.given), pick(m, marked.family)
		case "truncated":
			h.family = pick(m, []string{"Featherstonehaughley", "Vandersteenwinkelman"}) + pick(m, []string{"", "-" + m.family.draw(m.Rand)})
			if !strings.Contains(h.family, "-") {
				h.family += pick(m, []string{"son", "mark", "bergen"})
			}
			if m.chance(0.5) {
				h.given = "Maximilianalexander"
			}
		}
		out = append(out, h)
		switch h.class {
		case "father_son":
			son := m.person(len(out) + 1)
			son.class, son.sex, son.given, son.family = h.class, "m", m.male.draw(m.Rand), h.family
			h.sex, h.given, h.middle = "m", son.given, m.male.draw(m.Rand)
			son.middle = h.middle
			son.state, son.city, son.zip, son.street, son.phone = h.state, h.city, h.zip, h.street, h.phone
			h.suffix, son.suffix = "Sr", "Jr"
			if m.chance(0.5) {
				son.title, son.number = h.title, m.nextNumber(h)
			} else {
				son.title = pick(m, m.titles[h.state])
				son.number = m.nextNumber(son)
			}
			out = append(out, son)
		case "namesake":
			other := m.person(len(out) + 1)
			other.class, other.given, other.family = h.class, h.given, h.family
			other.state, other.city, other.zip = h.state, h.city, h.zip
			other.title = pick(m, m.titles[h.state])
			other.number = m.nextNumber(other)
			out = append(out, other)
		}
	}
	return out
}

func (m *maker) nextNumber(h *human) string {
	key := string(h.state) + h.title.BoardType
	m.numbers[key] += 1 + m.IntN(7)
	return strconv.Itoa(m.numbers[key])
}

var marked = struct{ given, family []string }{
	[]string{"José", "María", "Zoë", "Renée", "André", "Sofía", "Björn", "Łucja", "Chloé", "Jesús", "Mónica", "Adrián"},
	[]string{"Núñez", "García", "Muñoz", "Peña", "Ibáñez", "Müller", "Sørensen", "Åkesson", "Dvořák", "Béliveau", "Gonçalves", "O’Brien", "D’Angelo", "Ramírez-Peña", "Çelik"},
}

// swap exchanges two different neighbours of a word, behind its first letter.
func (m *maker) swap(s string) string {
	r := []rune(s)
	for range 20 {
		if len(r) < 3 {
			break
		}
		if i := 1 + m.IntN(len(r)-2); r[i] != r[i+1] {
			r[i], r[i+1] = r[i+1], r[i]
			break
		}
	}
	return string(r)
}

func dropMarks(s string) string {
	return strings.NewReplacer("é", "e", "í", "i", "ë", "e", "ö", "o", "Ł", "L", "ú", "u", "ó", "o", "á", "a", "ñ", "n", "ü", "u", "ø", "o", "Å", "A", "ř", "r", "ç", "c", "Ç", "C",
		"’", "'").Replace(s)
}

func truncate(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n]))
	}
	return s
}

// sources are the three records of a person before they are spoiled and written.
type sources struct {
	roster, nppes, listing Name
	others                 []Name // NPPES's other names
	formerRoster           []Name
	licenceNPPES           string
	stateNPPES             State
	taxonomy               string
	numberListing          string
	npiListing             NPI
	phoneNPPES, streetNPPS string
	phoneListing           string
	streetListing          string
}

func (m *maker) records(h *human) []labelled {
	name := Name{Given: h.given, Middle: h.middle, Family: h.family, Suffix: h.suffix}
	s := sources{roster: name, nppes: name, listing: name, licenceNPPES: h.number, stateNPPES: h.state, numberListing: h.number,
		phoneNPPES: h.phone, phoneListing: h.phone, streetNPPS: h.street, streetListing: h.street}
	s.taxonomy = pick(m, taxonomyOf[h.title.Profession])
	// Whatever befalls them, sources differ in how much of the middle name they hold, whether the listing
	// has an NPI, and whether NPPES still has the practice of today.
	for _, n := range []*Name{&s.roster, &s.nppes, &s.listing} {
		switch x := m.Float64(); {
		case x < 0.4:
			n.Middle = ""
		case x < 0.7:
			n.Middle = n.Middle[:1]
		}
	}
	if m.chance(0.5) {
		s.npiListing = h.npi
	}
	if m.chance(0.3) {
		s.streetNPPS, s.phoneNPPES = m.office()
	}
	either := func(n ...*Name) *Name { return pick(m, n) }
	switch h.class {
	case "nickname":
		either(&s.listing, &s.listing, &s.nppes, &s.roster).Given = titleCase(pick(m, m.nicknames[strings.ToLower(h.given)]))
	case "maiden_known":
		former := name
		former.Family = h.born
		if m.chance(0.5) { // the board knows it by both names, NPPES by the old one
			s.nppes.Family, s.formerRoster = h.born, []Name{former}
		} else { // NPPES has both, the board the old one
			s.roster.Family, s.others = h.born, []Name{former}
		}
	case "maiden_unknown":
		either(&s.nppes, &s.roster).Family = h.born
	case "hyphen":
		one, two, _ := strings.Cut(h.family, "-")
		either(&s.nppes, &s.roster, &s.listing).Family = pick(m, []string{one, two})
		if m.chance(0.3) {
			either(&s.nppes, &s.roster).Family = one + " " + two
		}
	case "married_hyphen":
		either(&s.nppes, &s.roster, &s.listing).Family = h.family + "-" + h.born
	case "diacritics":
		n := either(&s.nppes, &s.roster)
		n.Given, n.Family = dropMarks(n.Given), dropMarks(n.Family)
	case "name_typo":
		if n := either(&s.nppes, &s.roster, &s.listing); m.chance(0.6) {
			n.Family = m.swap(n.Family)
		} else {
			n.Given = m.swap(n.Given)
		}
	case "licence_typo":
		if m.chance(0.5) {
			s.licenceNPPES = m.swap(h.number)
		} else {
			s.numberListing = m.swap(h.number)
		}
	case "npi_typo":
		s.npiListing, _ = ParseNPI(m.swap(string(h.npi))) // what fails its check digit is not imported
	case "npi_0990":
		for range 500000 {
			if i := strings.Index(string(h.npi)[1:], "90"); i >= 0 && i < 7 {
				s.npiListing = h.npi[:i+1] + "09" + h.npi[i+3:]
				break
			}
			h.npi = m.newNPI()
		}
	case "wrong_state":
		for s.stateNPPES == h.state {
			s.stateNPPES = pick(m, setStates).state
		}
	case "other_taxonomy":
		for slices.Contains(taxonomyOf[h.title.Profession], s.taxonomy) {
			s.taxonomy = pick(m, []string{"101YM0800X", "1041C0700X", "106H00000X", "103TC0700X", "363LP0808X"})
		}
	case "father_son":
		if m.chance(0.5) {
			either(&s.nppes, &s.roster, &s.listing).Suffix = ""
		}
		s.streetNPPS, s.phoneNPPES = h.street, h.phone
	case "missing":
		switch m.IntN(5) {
		case 0:
			s.licenceNPPES = ""
		case 1:
			s.phoneNPPES, s.streetNPPS = "", ""
		case 2:
			s.numberListing = ""
		case 3:
			s.npiListing = ""
		case 4:
			s.phoneListing, s.streetListing = "", ""
		}
	case "middle_as_first":
		n := either(&s.nppes, &s.roster, &s.listing)
		n.Given, n.Middle = h.middle, ""
		for _, x := range []*Name{&s.nppes, &s.roster, &s.listing} {
			if x != n {
				x.Middle = h.middle
			}
		}
	case "truncated":
		n := either(&s.nppes, &s.roster)
		n.Family, n.Given = truncate(n.Family, 20), truncate(n.Given, 15)
	}
	capitals := func(n Name) Name { // as an import reads what a register writes in capitals
		return Name{Given: NameInCapitals(strings.ToUpper(n.Given)), Middle: NameInCapitals(strings.ToUpper(n.Middle)), Family: NameInCapitals(strings.ToUpper(n.Family)), Suffix: n.Suffix}
	}
	var former []Name
	for _, n := range s.formerRoster {
		former = append(former, capitals(n))
	}
	roster := Record{Source: "roster", Key: fmt.Sprintf("r%d", h.id), Licence: &LicenceRecord{State: h.state, BoardType: h.title.BoardType,
		Number: ParseLicenceNumber(m.written(h.title, h.number, 0.5)), Name: capitals(s.roster), Former: former, Words: "Active", Standing: SeenActive, City: h.city, ZIP: h.zip}}
	id := &IdentityRecord{NPI: h.npi, Kind: Person, Name: capitals(s.nppes), Taxonomies: []Taxonomy{{Code: s.taxonomy, State: s.stateNPPES, Primary: true}}}
	if s.licenceNPPES != "" {
		id.Taxonomies[0].Licence = ParseLicenceNumber(m.written(h.title, s.licenceNPPES, 0.4))
	}
	for _, n := range s.others {
		id.Others = append(id.Others, OtherName{Type: "1", Name: capitals(n)})
	}
	if s.phoneNPPES != "" {
		id.Practice = &Site{Address: Address{Line1: strings.ToUpper(s.streetNPPS), City: h.city, State: h.state, ZIP: h.zip}, Phone: s.phoneNPPES}
	}
	nppes := Record{Source: "nppes", Key: string(h.npi), Identity: id}
	l := &Listing{Kind: Person, ListedAs: AsKAP, Name: s.listing, NPI: s.npiListing}
	if s.numberListing != "" {
		l.Licences = []ListedLicence{{h.state, h.title.Abbreviations[0], ParseLicenceNumber(m.written(h.title, s.numberListing, 0.3))}}
	}
	site := Site{Address: Address{City: h.city, State: h.state, ZIP: h.zip}}
	if s.phoneListing != "" {
		site.Phone, site.Address.Line1 = s.phoneListing, s.streetListing
	}
	l.Sites = []Site{site}
	listing := Record{Source: "listing", Key: fmt.Sprintf("l%d", h.id), Listing: l}
	return []labelled{{h.id, h.class, "", roster}, {h.id, h.class, "", nppes}, {h.id, h.class, "", listing}}
}

func titleCase(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// written writes a licence number as sources do: with or without the letters of its type and leading zeros.
func (m *maker) written(t Title, number string, letters float64) string {
	if m.chance(0.4) {
		number = strings.Repeat("0", 1+m.IntN(3)) + number
	}
	if m.chance(letters) {
		return t.BoardType + pick(m, []string{".", "-", " ", ""}) + number
	}
	return number
}

// exclude writes a person as the exclusion list has them, in the manner of the plant; false when the person
// has no name of that kind.
func (m *maker) exclude(h *human, plant string) (Record, bool) {
	n := Name{Given: h.given, Middle: h.middle, Family: h.family, Suffix: h.suffix}
	if plant != "middle_in_front" && m.chance(0.5) {
		n.Middle = pick(m, []string{"", n.Middle[:1]})
	}
	x := &ExclusionRecord{City: h.city, State: h.state, ZIP: h.zip, Authority: "1128b4", Excluded: "2019-05-20", Birth: h.birth}
	one, two, compound := strings.Cut(h.family, "-")
	switch plant {
	case "first_half", "second_half":
		if !compound {
			return Record{}, false
		}
		if n.Family = one; plant == "second_half" {
			n.Family = two
		}
	case "former_name":
		if h.class != "maiden_known" {
			return Record{}, false
		}
		n.Family = h.born
	case "nickname":
		nick := m.nicknames[strings.ToLower(h.given)]
		if h.class == "nickname" || len(nick) == 0 {
			return Record{}, false
		}
		n.Given = titleCase(pick(m, nick))
	case "first_letters":
		if len(h.given) < 6 {
			return Record{}, false
		}
		n.Given = h.given[:3+m.IntN(2)]
	case "initial":
		n.Given = h.given[:1]
	case "marks_dropped":
		if h.class != "diacritics" {
			return Record{}, false
		}
		n.Given, n.Family = dropMarks(n.Given), dropMarks(n.Family)
	case "another_state":
		for x.State == h.state {
			x.State = pick(m, setStates).state
		}
	case "with_npi":
		x.NPI = h.npi
	case "respelt":
		f := respell(h.family)
		if f == h.family {
			return Record{}, false
		}
		n.Family = f
	case "middle_in_front":
		n.Given, n.Middle = h.middle, ""
	case "suffix_dropped":
		if h.suffix == "" {
			return Record{}, false
		}
		n.Suffix = ""
	case "cut_to_column":
		if len(h.family) <= 20 && len(h.given) <= 15 {
			return Record{}, false
		}
	}
	n.Family, n.Given = truncate(n.Family, 20), truncate(n.Given, 15)
	x.Name = Name{Given: NameInCapitals(strings.ToUpper(n.Given)), Middle: NameInCapitals(strings.ToUpper(n.Middle)), Family: NameInCapitals(strings.ToUpper(n.Family)), Suffix: n.Suffix}
	return Record{Source: "leie", Exclusion: x}, true
}

// respell writes a family name as one who only heard it would.
func respell(s string) string {
	for _, r := range [][2]string{{"ph", "f"}, {"ie", "ei"}, {"sen", "son"}, {"ck", "k"}, {"ll", "l"}, {"tt", "t"}, {"ss", "s"}, {"ey", "y"}, {"ar", "er"}, {"on", "en"}} {
		if i := strings.Index(s, r[0]); i > 1 {
			return s[:i] + r[1] + s[i+len(r[0]):]
		}
	}
	return s
}

// stranger is a row of the exclusion list about nobody in the set.
func (m *maker) stranger(h *human) Record {
	r, _ := m.exclude(h, "exact")
	if m.chance(0.08) {
		r.Exclusion.NPI = h.npi
	}
	return r
}

// matchingSet makes the whole set.
func matchingSet() []labelled {
	m := newMaker(3)
	people := m.people(matchingPeople)
	var out []labelled
	for _, h := range people {
		out = append(out, m.records(h)...)
	}
	planted := map[int]bool{}
	for _, plant := range plants {
		n := 0
		for _, i := range m.Perm(len(people)) {
			h := people[i]
			if n == plantedEach || planted[h.id] || h.class == "maiden_unknown" || h.class == "name_typo" {
				continue
			}
			if r, ok := m.exclude(h, plant); ok {
				r.Key = fmt.Sprintf("x-%s-%d", plant, n)
				out = append(out, labelled{h.id, h.class, plant, r})
				planted[h.id] = true
				n++
			}
		}
	}
	for i := range decoys {
		h := m.person(0)
		if i%5 == 0 { // a namesake of somebody who is not excluded
			twin := pick(m, people)
			for planted[twin.id] {
				twin = pick(m, people)
			}
			h.given, h.family, h.middle = twin.given, twin.family, twin.middle
		}
		r := m.stranger(h)
		r.Key = fmt.Sprintf("x-decoy-%d", i)
		out = append(out, labelled{0, "decoy", "", r})
	}
	return out
}

// exclusionList makes a list of n strangers, as long as the published one.
func exclusionList(n int) []Record {
	m := newMaker(84)
	m.npis = 50_000_000 // nobody in the set has these
	out := make([]Record, n)
	for i := range out {
		h := m.person(0)
		h.sex = pick(m, []string{"f", "m"})
		out[i] = m.stranger(h)
	}
	return out
}

func setBytes(set []labelled) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, l := range set {
		if err := e.Encode(l); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

const setFile = matchingDir + "/records.jsonl.gz"

// committedSet reads the set as it is committed.
var committedSet = sync.OnceValue(func() []labelled {
	b := readGzip(setFile)
	var out []labelled
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var l labelled
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			panic(err)
		}
		out = append(out, l)
	}
	return out
})

func readGzip(name string) []byte {
	f, err := os.Open(name)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		panic(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	return b
}

func TestMatchingSet(t *testing.T) {
	want := setBytes(matchingSet())
	if *updateMatching {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(setFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d bytes, %d compressed", len(want), b.Len())
	}
	if got := readGzip(setFile); !bytes.Equal(got, want) {
		t.Error("the committed set is not what this file writes; go test ./directory -run TestMatchingSet -update writes it anew")
	}
	count := map[string]int{}
	for _, l := range committedSet() {
		count[l.Plant]++
		if l.Plant == "" {
			count[l.Class]++
		}
		for _, p := range l.Record.Subject().Phones {
			if !strings.Contains(p, ") 555-01") {
				t.Fatalf("%s has the telephone %s", l.Record.Key, p)
			}
		}
		if n := l.Record.Subject().NPI; n != "" && n[0] != '2' {
			t.Fatalf("%s has the NPI %s, which may have been issued", l.Record.Key, n)
		}
	}
	for _, s := range spoils {
		if count[s.class] < 3*10 {
			t.Errorf("only %d records of class %s", count[s.class], s.class)
		}
	}
	for _, p := range plants {
		if count[p] < 10 {
			t.Errorf("only %d planted exclusions of kind %s", count[p], p)
		}
	}
}

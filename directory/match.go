package directory

import (
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// Rung is how surely a record speaks of a provider: the ladder of domain.md §3.3.
type Rung string

// The rungs. Only M5 and M4 join by themselves, and M4 never for adverse facts. What has no identifier
// agreeing stays a candidate for a person, and no public face ever shows it.
const (
	M0 Rung = "M0" // contradiction: another person
	M1 Rung = "M1" // family name and an initial
	M2 Rung = "M2" // full name
	M3 Rung = "M3" // full name and one more fact, or an identifier whose name does not agree
	M4 Rung = "M4" // full name and two of licence number, birth date, practice address or telephone
	M5 Rung = "M5" // same NPI, or same licence of the same state and type, and no contradiction in the name
)

// Match is the answer to whether two descriptions are of one person or organisation.
type Match struct {
	Rung    Rung     `json:"rung"`
	By      []string `json:"by,omitempty"`      // what agreed: npi, licence, family, given, birth, phone, address, organisation …
	Against []string `json:"against,omitempty"` // what contradicted
}

// Identified reports that an identifier agrees: NPI or licence. A match without one is a name match.
func (m Match) Identified() bool {
	return slices.Contains(m.By, "npi") || slices.Contains(m.By, "licence")
}

// Subject is what a record or a provider offers for comparison. What is missing weighs nothing.
type Subject struct {
	Kind          ProviderKind
	Names         []Name // every name ever seen, former ones too
	Organisations []string
	NPI           NPI
	Licences      []LicenceKey
	Birth         Date
	Phones        []string
	Addresses     []Address
	States        []State
}

// LicenceKey identifies a licence: its number is unique only within state and type. Type is the board's
// code or a listing's word; "" is not known.
type LicenceKey struct {
	State  State
	Type   string
	Number LicenceNumber
}

// title returns the licence type from its word or, failing that, from the letters of its number.
func (k LicenceKey) title() (Title, bool) { return k.titleIn(Tables()) }

func (k LicenceKey) titleIn(tables *ReferenceTables) (Title, bool) {
	if t, ok := tables.Title(k.State, k.Type); ok {
		return t, true
	}
	return tables.Title(k.State, k.Number.Prefix())
}

// compare says whether two keys are the same licence for sure, or have the same number at least.
func (k LicenceKey) compare(o LicenceKey) (same, number bool) {
	if k.State != o.State || k.State == "" || k.Number.Digits() == "" || k.Number.Digits() != o.Number.Digits() {
		return false, false
	}
	a, okA := k.title()
	b, okB := o.title()
	switch {
	case okA && okB:
		same = a.Licence() == b.Licence()
		return same, same
	case k.Type != "" && canonicalToken(k.Type) == canonicalToken(o.Type):
		return true, true
	}
	return false, true
}

// Subject returns the record's side of a comparison.
func (r Record) Subject() Subject {
	switch {
	case r.Identity != nil:
		i := r.Identity
		s := Subject{Kind: i.Kind, NPI: i.NPI}
		if !i.Name.IsZero() {
			s.Names = append(s.Names, i.Name)
		}
		if i.Organisation != "" {
			s.Organisations = append(s.Organisations, i.Organisation)
		}
		for _, o := range i.Others {
			if !o.Name.IsZero() {
				s.Names = append(s.Names, o.Name)
			}
			if o.Organisation != "" {
				s.Organisations = append(s.Organisations, o.Organisation)
			}
		}
		for _, t := range i.Taxonomies {
			if t.Licence.Key != "" {
				s.Licences = append(s.Licences, LicenceKey{State: t.State, Number: t.Licence})
			}
		}
		if i.Practice != nil {
			s.addSite(*i.Practice)
		}
		return s
	case r.Licence != nil:
		l := r.Licence
		s := Subject{Kind: Person, Licences: []LicenceKey{{l.State, l.BoardType, l.Number}}, States: []State{l.State}}
		if !l.Name.IsZero() {
			s.Names = append([]Name{l.Name}, l.Former...)
		}
		return s
	case r.Exclusion != nil:
		e := r.Exclusion
		s := Subject{Kind: Person, NPI: e.NPI, Birth: e.Birth}
		if e.Organisation != "" {
			s.Kind = Organisation
			s.Organisations = []string{e.Organisation}
		}
		if !e.Name.IsZero() {
			s.Names = []Name{e.Name}
		}
		if e.State != "" {
			s.States = []State{e.State}
		}
		if e.Licence.Key != "" {
			s.Licences = []LicenceKey{{State: e.LicenceState, Number: e.Licence}}
		}
		return s
	case r.Listing != nil:
		return r.Listing.Subject()
	}
	return Subject{}
}

// Subject returns the listing's side of a comparison.
func (l Listing) Subject() Subject {
	s := Subject{Kind: l.Kind, NPI: l.NPI}
	if !l.Name.IsZero() {
		s.Names = append(s.Names, l.Name)
	}
	s.Names = append(s.Names, l.Former...)
	if l.Organisation != "" && l.Kind == Organisation {
		s.Organisations = []string{l.Organisation}
	}
	for _, x := range l.Licences {
		s.Licences = append(s.Licences, LicenceKey{x.State, x.Title, x.Number})
		s.States = append(s.States, x.State)
	}
	for _, x := range l.Sites {
		s.addSite(x)
	}
	return s
}

// Subject returns the provider's side of a comparison, with the licences of its claims.
func (f CredentialFile) Subject() Subject {
	p := f.Provider
	s := Subject{Kind: p.Kind, NPI: p.NPI}
	if !p.Name.IsZero() {
		s.Names = append(s.Names, p.Name)
	}
	s.Names = append(s.Names, p.Former...)
	if p.Kind == Organisation && p.Organisation != "" {
		s.Organisations = []string{p.Organisation}
	}
	for _, x := range p.Sites {
		s.addSite(x)
	}
	for _, h := range f.Claims {
		if h.Claim.Kind == License {
			s.Licences = append(s.Licences, LicenceKey{h.Claim.Jurisdiction, h.Claim.Title, h.Claim.Number})
			s.States = append(s.States, h.Claim.Jurisdiction)
		}
	}
	return s
}

func (s *Subject) addSite(x Site) {
	if x.Phone != "" {
		s.Phones = append(s.Phones, x.Phone)
	}
	s.Addresses = append(s.Addresses, x.Address)
	if x.Address.State != "" {
		s.States = append(s.States, x.Address.State)
	}
}

// Blocks returns the keys under which the subject is looked up: two descriptions that share none are
// never compared. They cover the NPI, each licence number within its state, each half of a compound
// family name with the initial of the given name and of its formal and short forms, and the folded name
// of an organisation. Sorted, without repeats.
func (s Subject) Blocks() []string {
	var out []string
	if s.NPI != "" {
		out = append(out, "npi:"+string(s.NPI))
	}
	for _, l := range s.Licences {
		if d := l.Number.Digits(); d != "" && l.State != "" {
			out = append(out, "lic:"+string(l.State)+":"+d)
		}
	}
	for _, n := range s.Names {
		for _, fam := range NameTokens(n.Family) {
			for _, g := range givenForms(n.Given) {
				out = append(out, "nam:"+fam+":"+g[:1])
			}
		}
	}
	for _, o := range s.Organisations {
		if f := foldOrganisation(o); f != "" {
			out = append(out, "org:"+f)
		}
	}
	sort.Strings(out)
	return slices.Compact(out)
}

// MatchSubjects compares two descriptions and returns the highest rung that holds.
func MatchSubjects(a, b Subject) Match {
	var m Match
	sameNPI := a.NPI != "" && a.NPI == b.NPI
	if sameNPI {
		m.By = append(m.By, "npi")
	}
	if a.NPI != "" && b.NPI != "" && !sameNPI {
		m.Against = append(m.Against, "npi")
	}
	sameLicence, sameNumber := false, false
	for _, x := range a.Licences {
		for _, y := range b.Licences {
			s, n := x.compare(y)
			sameLicence, sameNumber = sameLicence || s, sameNumber || n
		}
	}
	switch {
	case sameLicence:
		m.By = append(m.By, "licence")
	case sameNumber:
		m.By = append(m.By, "licence_number")
	}
	if a.Birth != "" && b.Birth != "" {
		if a.Birth == b.Birth {
			m.By = append(m.By, "birth")
		} else {
			m.Against = append(m.Against, "birth")
		}
	}
	family, given, name := matchNames(a, b, &m)
	contact := matchContact(a, b, &m)

	corroboration := 0
	if sameLicence || sameNumber {
		corroboration++
	}
	if slices.Contains(m.By, "birth") {
		corroboration++
	}
	if contact {
		corroboration++
	}
	contradicted := slices.Contains(m.Against, "birth") || slices.Contains(m.Against, "suffix") || slices.Contains(m.Against, "npi")
	switch {
	case (sameNPI || sameLicence) && !contradicted && family != no:
		m.Rung = M5
	case sameNPI || sameLicence:
		m.Rung = M3 // an identifier whose name does not agree goes to a person
	case contradicted || family == no:
		m.Rung = M0 // a shared telephone never stands for a person: clinics share one
	case name && family == yes && corroboration >= 2:
		m.Rung = M4
	case name && corroboration >= 1:
		m.Rung = M3
	case name && (family == yes || shareState(a, b)):
		m.Rung = M2
	case family != no && given != no && family != none:
		m.Rung = M1
	default:
		m.Rung = M0
	}
	return m
}

type agreement int

const (
	none    agreement = iota // nothing to compare
	no                       // both known, and they differ
	partial                  // one whole word of a compound
	yes
)

// matchNames compares every name of a with every name of b and keeps the best pair.
// name reports that family and given agree, by alias or initial too.
func matchNames(a, b Subject, m *Match) (family, given agreement, name bool) {
	if len(a.Organisations) > 0 && len(b.Organisations) > 0 {
		for _, x := range a.Organisations {
			for _, y := range b.Organisations {
				if foldOrganisation(x) == foldOrganisation(y) {
					m.By = append(m.By, "organisation")
					return yes, yes, true
				}
			}
		}
		m.Against = append(m.Against, "organisation")
		return no, no, false
	}
	best := -1
	suffixConflict := false
	for _, x := range a.Names {
		for _, y := range b.Names {
			f, g := matchFamily(x.Family, y.Family), matchGiven(x.Given, y.Given)
			score := int(f)*4 + int(g)
			if score > best {
				best, family, given = score, f, g
				suffixConflict = x.Suffix != "" && y.Suffix != "" && x.Suffix != y.Suffix
				if mx, my := Fold(x.Middle), Fold(y.Middle); g >= partial && mx != "" && my != "" && mx[0] != my[0] {
					given = partial
				}
			}
		}
	}
	if best < 0 {
		return none, none, false
	}
	if suffixConflict {
		m.Against = append(m.Against, "suffix")
	}
	switch family {
	case yes, partial:
		m.By = append(m.By, "family")
	case no:
		m.Against = append(m.Against, "family")
	}
	switch given {
	case yes, partial:
		m.By = append(m.By, "given")
	case no:
		m.Against = append(m.Against, "given")
	}
	return family, given, family >= partial && given >= partial
}

func matchFamily(x, y string) agreement {
	tx, ty := NameTokens(x), NameTokens(y)
	if len(tx) == 0 || len(ty) == 0 {
		return none
	}
	if strings.ReplaceAll(Fold(x), " ", "") == strings.ReplaceAll(Fold(y), " ", "") {
		return yes
	}
	for _, t := range tx {
		if len(t) > 1 && slices.Contains(ty, t) {
			return partial
		}
	}
	return no
}

func matchGiven(x, y string) agreement {
	fx, fy := Fold(x), Fold(y)
	if fx == "" || fy == "" {
		return none
	}
	if fx == fy {
		return yes
	}
	for _, f := range givenForms(x) {
		if slices.Contains(givenForms(y), f) {
			return yes
		}
	}
	if len(fx) == 1 && fy[:1] == fx || len(fy) == 1 && fx[:1] == fy {
		return partial
	}
	return no
}

// givenForms returns the folded given name with the formal names it may be short for.
func givenForms(given string) []string {
	f := Fold(given)
	if f == "" {
		return nil
	}
	first, _, _ := strings.Cut(f, " ")
	out := []string{first}
	out = append(out, nicknames()[first]...)
	return out
}

// nicknames maps a short form to the formal names it may stand for: data/nicknames.csv.
var nicknames = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for _, r := range readTable("nicknames.csv") {
		m[r["nickname"]] = append(m[r["nickname"]], r["formal"])
	}
	return m
})

// matchContact compares telephone and street address; either counts as the one fact "practice".
func matchContact(a, b Subject, m *Match) (agrees bool) {
	for _, x := range a.Phones {
		for _, y := range b.Phones {
			if d := digits(x); len(d) >= 10 && d == digits(y) {
				agrees = true
			}
		}
	}
	if agrees {
		m.By = append(m.By, "phone")
	}
	for _, x := range a.Addresses {
		for _, y := range b.Addresses {
			if x.Line1 != "" && foldStreet(x.Line1) == foldStreet(y.Line1) && x.ZIP5() == y.ZIP5() && x.ZIP5() != "" {
				m.By = append(m.By, "address")
				return true
			}
		}
	}
	return agrees
}

func shareState(a, b Subject) bool {
	return slices.ContainsFunc(a.States, func(s State) bool { return slices.Contains(b.States, s) })
}

func digits(s string) string {
	d := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	if len(d) == 11 && d[0] == '1' {
		d = d[1:]
	}
	return d
}

// FormatPhone writes a US telephone number as (303) 555-0142, with " ext. 5" if it has one.
func FormatPhone(s string) (string, error) {
	n, err := phonenumbers.Parse(s, "US")
	if err != nil || n.GetCountryCode() != 1 || len(digits(phonenumbers.GetNationalSignificantNumber(n))) != 10 {
		return "", Errorf(Invalid, "phone", "%q is not a US telephone number of ten digits", s)
	}
	return phonenumbers.Format(n, phonenumbers.NATIONAL), nil
}

var organisationWords = map[string]bool{"llc": true, "inc": true, "pc": true, "pllc": true, "pa": true, "ltd": true, "corp": true, "lp": true, "llp": true, "the": true, "co": true}

// foldOrganisation drops legal forms: "Green Valley Ketamine, LLC" and "GREEN VALLEY KETAMINE" are one.
func foldOrganisation(s string) string {
	words := strings.Fields(Fold(strings.ReplaceAll(s, "&", " and ")))
	words = slices.DeleteFunc(words, func(w string) bool { return organisationWords[w] })
	return strings.Join(words, " ")
}

var streetWords = map[string]string{"street": "st", "avenue": "ave", "boulevard": "blvd", "road": "rd", "drive": "dr", "lane": "ln", "court": "ct", "place": "pl",
	"suite": "ste", "highway": "hwy", "parkway": "pkwy", "north": "n", "south": "s", "east": "e", "west": "w", "floor": "fl", "building": "bldg", "unit": "ste"}

// foldStreet writes the words of a street as USPS Publication 28 abbreviates them.
func foldStreet(s string) string {
	words := strings.Fields(Fold(s))
	for i, w := range words {
		if a, ok := streetWords[w]; ok {
			words[i] = a
		}
	}
	return strings.Join(words, " ")
}

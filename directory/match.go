package directory

import (
	"slices"
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
	M1 Rung = "M1" // a name that is like the other: spelled otherwise, cut short, or half of a compound elsewhere
	M2 Rung = "M2" // the name, by alias or initial too
	M3 Rung = "M3" // the name and one more fact, or an identifier whose name is not explained
	// M4: full name and two of licence number, birth date, practice address or telephone; or the name and a
	// licence number that NPPES has beside a taxonomy of the licence's profession.
	M4 Rung = "M4"
	M5 Rung = "M5" // same NPI, or same licence of the same state and type, and no contradiction in the name
)

// Match is the answer to whether two descriptions are of one person or organisation.
type Match struct {
	Rung Rung `json:"rung"`
	// By is what agreed: npi, licence, licence_number, birth, family, given, organisation, phone, address, area;
	// npi_transposed, which the check digit cannot see, is a hint and proves nothing.
	By []string `json:"by,omitempty"`
	// Against is what contradicted: npi, birth, suffix, kind, family, given, middle, organisation.
	Against []string `json:"against,omitempty"`
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
// code or a listing's word, or the taxonomy code that stands beside the number in NPPES, which tells the
// profession and not the type; "" is not known.
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
				s.Licences = append(s.Licences, LicenceKey{t.State, t.Code, t.Licence})
			}
		}
		if i.Practice != nil {
			s.addSite(*i.Practice)
		}
		for _, p := range i.Places {
			s.addSite(p)
		}
		return s
	case r.Licence != nil:
		l := r.Licence
		s := Subject{Kind: Person, Licences: []LicenceKey{{l.State, l.BoardType, l.Number}}, States: []State{l.State}}
		if !l.Name.IsZero() {
			s.Names = append([]Name{l.Name}, l.Former...)
		}
		s.addTown(Address{City: l.City, State: l.State, ZIP: l.ZIP})
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
		s.addTown(Address{City: e.City, State: e.State, ZIP: e.ZIP})
		return s
	case r.Listing != nil:
		return r.Listing.Subject()
	case r.Delegation != nil:
		return r.Delegation.Delegate.Subject(r.Delegation.State)
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

// addTown adds where somebody is, when no street is told: it weighs among candidates and corroborates nothing.
func (s *Subject) addTown(a Address) {
	if a.ZIP != "" {
		s.Addresses = append(s.Addresses, a)
	}
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

// Blocks returns the keys under which the subject is looked up: see Prepared.Blocks.
func (s Subject) Blocks() []string { return Prepare(s).Blocks() }

// MatchSubjects compares two descriptions and returns the highest rung that holds. Who compares one with
// many prepares them: see Prepared.Match.
func MatchSubjects(a, b Subject) Match { return Prepare(a).Match(Prepare(b)) }

// nicknames maps a short form to the formal names it may stand for: data/nicknames.csv.
var nicknames = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for _, r := range readTable("nicknames.csv") {
		m[r["nickname"]] = append(m[r["nickname"]], r["formal"])
	}
	return m
})

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

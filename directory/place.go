package directory

import (
	"math"
	"strconv"
	"strings"
)

// State is a two-letter USPS code of a state, the District of Columbia or a territory.
type State string

// ParseState reads a code or a name, in any case: "co", "Colorado".
func ParseState(s string) (State, error) {
	if c, ok := FindState(s); ok {
		return c, nil
	}
	return "", Errorf(Invalid, "state", "%q is not a US state or territory", s)
}

// FindState is ParseState for whoever expects that most words are none.
func FindState(s string) (State, bool) {
	t := Tables()
	if code := strings.TrimSpace(s); len(code) <= 4 { // two letters, which may have been longer as small ones
		if up := State(strings.ToUpper(code)); len(up) == 2 {
			if _, ok := t.states[up]; ok {
				return up, true
			}
		}
	}
	c, ok := t.stateByName[Fold(s)]
	return c, ok
}

// Name returns the state's name, or its code if it is not in the table.
func (s State) Name() string {
	if row, ok := Tables().states[s]; ok {
		return row.name
	}
	return string(s)
}

// Point is a place on the earth in decimal degrees.
type Point struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Miles returns the great-circle distance in statute miles.
func (p Point) Miles(q Point) float64 { return p.Center().Miles(q) }

// Center is a point from which many distances are counted.
type Center struct {
	Point
	cos float64
}

// Center returns the point with what every distance from it needs.
func (p Point) Center() Center { return Center{p, math.Cos(p.Lat * (math.Pi / 180))} }

// Miles returns what Point.Miles does.
func (c Center) Miles(q Point) float64 {
	const earth = 3958.7613 // mean radius in miles
	const rad = math.Pi / 180
	lat, lon := math.Sin((q.Lat-c.Lat)*rad/2), math.Sin((q.Lon-c.Lon)*rad/2)
	return 2 * earth * math.Asin(math.Min(1, math.Sqrt(lat*lat+c.cos*math.Cos(q.Lat*rad)*lon*lon)))
}

// Place is a ZIP code's or a town's centre, as a search starts from.
type Place struct {
	ZIP   string `json:"zip,omitempty"`
	City  string `json:"city,omitempty"`
	State State  `json:"state,omitempty"`
	Point Point  `json:"point"`
	Exact bool   `json:"exact"` // false: the ZIP is not in the table and stands for the middle of its three-digit area
}

// String writes the place as a page shows it: Boulder, CO 80302.
func (p Place) String() string {
	s := p.City
	if p.State != "" {
		if s != "" {
			s += ", "
		}
		s += string(p.State)
	}
	if p.ZIP != "" {
		s = strings.TrimSpace(s + " " + p.ZIP)
	}
	return s
}

// Address is where a practice sees people. A mailing address is never put into one.
type Address struct {
	Line1 string `json:"line1,omitempty"`
	Line2 string `json:"line2,omitempty"`
	City  string `json:"city,omitempty"`
	State State  `json:"state,omitempty"`
	ZIP   string `json:"zip,omitempty"` // five digits, or nine with a hyphen
}

// ZIP5 returns the first five digits, "" if there are not five.
func (a Address) ZIP5() string {
	if len(a.ZIP) < 5 {
		return ""
	}
	return a.ZIP[:5]
}

// Words of an address, folded. A home says its flat; business premises say their suite or what they are; the
// doubtful ones stand in either. Street types end the name of a street, whose words say nothing: 12 Hospital Rd.
var (
	wordsOfHomes    = wordSet("apt apartment lot trlr trailer basement bsmt home house residence penthouse ph condo cottage cabin duplex upstairs rear")
	wordsOfPremises = wordSet("ste suite office offices plaza center centre tower towers clinic hospital medical professional dept mall pavilion annex")
	wordsOfEither   = wordSet("unit fl floor flr bldg building room rm level")
	streetTypes     = wordSet("st street rd road ave avenue av blvd boulevard dr drive ln lane ct court cir circle way pl place ter terrace trl trail pkwy parkway hwy highway sq square loop xing crossing path run row aly alley pike")
)

func wordSet(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

// LooksResidential reports an address that may be a home: one with a flat, and one that names no business premises.
// practice says that the source names a practice there; only then are a unit, a floor, a building or a number
// behind # taken for premises, for a flat is written so too. A street alone never is. It errs towards hiding.
func (a Address) LooksResidential(practice bool) bool {
	if a.Line1 == "" {
		return false
	}
	premises, either := false, strings.Contains(a.Line1+a.Line2, "#")
	for part := range strings.SplitSeq(a.Line1+","+a.Line2, ",") {
		words := strings.Fields(Fold(part))
		street := -1 // where the name of the street ends
		for i, w := range words {
			if streetTypes[w] {
				street = i
			}
		}
		for i, w := range words {
			switch {
			case wordsOfHomes[w]:
				return true
			case i < street:
			case wordsOfPremises[w], (w == "floor" || w == "fl" || w == "flr") && highFloor(words, i):
				premises = true
			case wordsOfEither[w]:
				either = true
			}
		}
	}
	return !premises && !(practice && either)
}

// highFloor reports that the floor named there is the fourth or a higher one. A flat is told by its floor in houses of
// two or three; in a higher building by its number.
func highFloor(words []string, i int) bool {
	for _, j := range []int{i + 1, i - 1} {
		if j >= 0 && j < len(words) {
			if n, err := strconv.Atoi(strings.TrimRight(words[j], "stndrh")); err == nil {
				return n > 3
			}
		}
	}
	return false
}

// Site is a place where, or from which, a provider works.
type Site struct {
	Name    string  `json:"name,omitempty"`
	Address Address `json:"address"`
	Point   *Point  `json:"point,omitempty"` // the centre of its ZIP; nil if that is not known
	Phone   string  `json:"phone,omitempty"` // as (303) 555-0142
	Origin  Origin  `json:"origin"`
	// PhoneOrigin says who stated the telephone, where it was another source than that of the place.
	PhoneOrigin Origin `json:"phone_origin,omitzero"`
}

// PublicAddress returns the address of a site of the provider as it may be shown: one that looks like a home only
// as city and ZIP (contracts.md §6). That it is a practice's is said by the site's name, or by a practice's own page.
func (p Provider) PublicAddress(s Site) Address {
	if a := s.Address; a.LooksResidential(s.Name != "" || p.Kind == Organisation) {
		return Address{City: a.City, State: a.State, ZIP: a.ZIP5()}
	}
	return s.Address
}

package directory

import (
	"math"
	"strings"
)

// State is a two-letter USPS code of a state, the District of Columbia or a territory.
type State string

// ParseState reads a code or a name, in any case: "co", "Colorado".
func ParseState(s string) (State, error) {
	t := Tables()
	up := strings.ToUpper(strings.TrimSpace(s))
	if _, ok := t.states[State(up)]; ok {
		return State(up), nil
	}
	if c, ok := t.stateByName[Fold(s)]; ok {
		return c, nil
	}
	return "", Errorf(Invalid, "state", "%q is not a US state or territory", s)
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
func (p Point) Miles(q Point) float64 {
	const earth = 3958.7613 // mean radius in miles
	rad := math.Pi / 180
	dLat, dLon := (q.Lat-p.Lat)*rad, (q.Lon-p.Lon)*rad
	h := math.Sin(dLat/2)*math.Sin(dLat/2) + math.Cos(p.Lat*rad)*math.Cos(q.Lat*rad)*math.Sin(dLon/2)*math.Sin(dLon/2)
	return 2 * earth * math.Asin(math.Min(1, math.Sqrt(h)))
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

// Public returns the address as it may be shown: one that looks like a home only as city and ZIP
// (contracts.md §6).
func (a Address) Public() Address {
	if a.LooksResidential() {
		return Address{City: a.City, State: a.State, ZIP: a.ZIP5()}
	}
	return a
}

// LooksResidential reports an address with an apartment, or a street address with neither a suite nor
// any other word of business premises. It errs towards hiding.
func (a Address) LooksResidential() bool {
	l := " " + Fold(a.Line1+" "+a.Line2) + " "
	if a.Line1 == "" {
		return false
	}
	for _, w := range []string{" apt ", " apartment ", " lot ", " trlr ", " trailer ", " basement ", " home "} {
		if strings.Contains(l, w) {
			return true
		}
	}
	for _, w := range []string{" ste ", " suite ", " unit ", " fl ", " floor ", " bldg ", " building ", " room ", " rm ", " office ", " plaza ", " center ",
		" centre ", " tower ", " clinic ", " hospital ", " medical ", " dept ", " broadway ", " park ", " square ", " main "} {
		if strings.Contains(l, w) {
			return false
		}
	}
	return !strings.Contains(a.Line1+a.Line2, "#")
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

package directory

import (
	"math"
	"slices"
)

// Weight is how much the parts of two descriptions speak for one person, in bits: what is twice as likely
// of one person as of two strangers weighs 1 (I. P. Fellegi and A. B. Sunter, A Theory for Record Linkage,
// JASA 64, 1969). It puts the candidates that a person looks at in order, and decides nothing: see Match.
type Weight struct {
	Total float64      `json:"total"`
	Parts []WeightPart `json:"parts"` // what was compared; what is not known on one side weighs nothing and is left out
}

// WeightPart is what one part of the descriptions adds or takes away.
type WeightPart struct {
	Part string  `json:"part"` // as in the table of chances: family, given part, zip differs
	Bits float64 `json:"bits"`
}

// NameCounts counts how many people bear a name, so that a rare name says more than a common one. The
// zero value knows of nobody and takes every name for an ordinary one. It may be read, not added to, from
// several goroutines.
type NameCounts struct {
	people        int
	family, given map[string]int
}

// Add counts the present name of a person.
func (c *NameCounts) Add(s Subject) {
	if len(s.Names) == 0 {
		return
	}
	if c.family == nil {
		c.family, c.given = map[string]int{}, map[string]int{}
	}
	x, _ := prepareName(s.Names[0])
	c.people++
	c.family[x.family]++
	c.given[x.given]++
}

// unseenFamily and unseenGiven are the share of people with a name of which nothing is known: one in ten
// thousand and one in a thousand. They count as so many people more, so that a name met once in a short
// list is not taken for a rare one.
const (
	unseenFamily = 1e-4
	unseenGiven  = 1e-3
)

func (c *NameCounts) share(of map[string]int, name string, unseen float64) float64 {
	const belief = 1000 // people whose names are taken to be unseen ones, beside those that were counted
	return (float64(of[name]) + belief*unseen) / (float64(c.people) + belief)
}

// odds are the chances that two records of one person (m), and two of strangers (u), agree in this way.
//
// The u of names are counted. The other u are one over the number of values in use: some fifty states, 900
// ZIP areas, 40,000 ZIPs of which towns share most people, a few million telephones. The m are set by hand
// in the range that published linkages report; there are no reviewed pairs of real records here from which
// they could be estimated, and the labelled set is not used, since its errors are of our making.
type odds struct{ m, u float64 }

func (o odds) bits() float64 { return math.Log2(o.m / o.u) }

var chances = map[string]odds{
	"npi": {0.98, 1e-7}, "npi transposed": {0.005, 1e-7}, "npi differs": {0.01, 1},
	"licence": {0.95, 1e-6}, "licence number": {0.9, 1e-4}, // another number is no disagreement: many hold several licences
	"birth": {0.97, 1.0 / 20000}, "birth differs": {0.03, 1},
	"suffix": {0.97, 0.4}, "suffix differs": {0.03, 0.6},
	"middle": {0.9, 0.1}, "middle differs": {0.1, 0.9},
	"phone": {0.6, 1e-6}, "phone differs": {0.4, 1},
	"street": {0.6, 1e-6}, "street differs": {0.4, 1},
	"zip": {0.5, 1e-3}, "zip area": {0.2, 1.0 / 200}, "zip differs": {0.3, 1},
	"state": {0.9, 0.05}, "state differs": {0.1, 0.95},
	"family half": {0.03, 2e-3}, "family alike": {0.02, 1e-3}, "family differs": {0.03, 1},
	"given part": {0.06, 0.08}, "given alike": {0.02, 0.01}, "given differs": {0.02, 0.9},
	"organisation": {0.9, 1e-5}, "organisation differs": {0.1, 1},
}

// The chance that two records of one person agree in the whole family name, or in the given name or a form of it.
const (
	sameFamily = 0.92
	sameGiven  = 0.9
)

// Weigh weighs two descriptions against the names that were counted; counts may be nil. It is the same
// both ways.
func Weigh(a, b Subject, counts *NameCounts) Weight {
	p, o := Prepare(a), Prepare(b)
	var w Weight
	add := func(part string, bits float64) {
		w.Parts = append(w.Parts, WeightPart{part, bits})
		w.Total += bits
	}
	say := func(part string) { add(part, chances[part].bits()) }
	if p.npi != "" && o.npi != "" {
		switch {
		case p.npi == o.npi:
			say("npi")
		case transposedNPI(p.npi, o.npi):
			say("npi transposed")
		default:
			say("npi differs")
		}
	}
	licence := unlike
	for i := range p.licences {
		for j := range o.licences {
			licence = max(licence, p.licences[i].compare(&o.licences[j]))
		}
	}
	switch {
	case licence >= sameProfession:
		say("licence")
	case licence == sameNumber:
		say("licence number")
	}
	either := func(known, agree bool, part string) {
		switch {
		case agree:
			say(part)
		case known:
			say(part + " differs")
		}
	}
	if len(p.organisations) > 0 && len(o.organisations) > 0 {
		either(true, p.matchOrganisations(o) > another, "organisation")
	} else if best, found := p.weighNames(o, counts); found {
		for _, x := range best.Parts {
			add(x.Part, x.Bits)
		}
	}
	either(p.generations != 0 && o.generations != 0, p.generations&o.generations != 0, "suffix")
	either(p.birth != "" && o.birth != "", p.birth != "" && p.birth == o.birth, "birth")
	either(len(p.phones) > 0 && len(o.phones) > 0, share(p.phones, o.phones), "phone")
	either(len(p.streets) > 0 && len(o.streets) > 0, share(p.streets, o.streets), "street")
	x, y := zips(a), zips(b)
	if len(x) > 0 && len(y) > 0 && !share(p.streets, o.streets) {
		switch {
		case share(x, y):
			say("zip")
		case share(areas(x), areas(y)):
			say("zip area")
		default:
			say("zip differs")
		}
	}
	either(len(p.states) > 0 && len(o.states) > 0, share(p.states, o.states), "state")
	return w
}

// weighNames weighs each name of one with each of the other and returns the heaviest pair's parts.
func (p *Prepared) weighNames(o *Prepared, counts *NameCounts) (best Weight, found bool) {
	for i := range p.names {
		for j := range o.names {
			x, y := &p.names[i], &o.names[j]
			var w Weight
			add := func(part string, bits float64) {
				w.Parts = append(w.Parts, WeightPart{part, bits})
				w.Total += bits
			}
			switch matchFamily(x, y, true) {
			case yes:
				u := max(counts.familyShare(x.family), counts.familyShare(y.family))
				add("family", odds{sameFamily, u}.bits())
			case partial:
				u := chances["family half"].u
				for _, part := range x.parts {
					if slices.Contains(y.parts, part) {
						u = max(u, 4*counts.familyShare(part)) // it may stand in either half of either name
					}
				}
				add("family half", odds{chances["family half"].m, u}.bits())
			case sounds, near:
				add("family alike", chances["family alike"].bits()*jaroWinkler(x.family, y.family))
			case no:
				add("family differs", chances["family differs"].bits())
			}
			g := matchGiven(x, y, true)
			switch g {
			case yes:
				u := max(counts.givenShare(x.given), counts.givenShare(y.given))
				add("given", odds{sameGiven, u}.bits())
			case partial:
				add("given part", chances["given part"].bits())
			case near:
				add("given alike", chances["given alike"].bits()*jaroWinkler(x.given, y.given))
			case no:
				add("given differs", chances["given differs"].bits())
			}
			if g >= partial && len(x.middle) > 0 && len(y.middle) > 0 {
				if middleConflict(x, y) {
					add("middle differs", chances["middle differs"].bits())
				} else {
					add("middle", chances["middle"].bits())
				}
			}
			if len(w.Parts) > 0 && (!found || w.Total > best.Total) {
				best, found = w, true
			}
		}
	}
	return best, found
}

func (c *NameCounts) familyShare(name string) float64 {
	if c == nil {
		return unseenFamily
	}
	return c.share(c.family, name, unseenFamily)
}

func (c *NameCounts) givenShare(name string) float64 {
	if c == nil {
		return unseenGiven
	}
	return c.share(c.given, name, unseenGiven)
}

func zips(s Subject) []string {
	var out []string
	for _, a := range s.Addresses {
		if z := a.ZIP5(); z != "" {
			out = append(out, z)
		}
	}
	return out
}

// areas returns the first three digits of each ZIP.
func areas(zips []string) []string {
	out := make([]string, len(zips))
	for i, z := range zips {
		out[i] = z[:3]
	}
	return out
}

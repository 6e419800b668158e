package directory

import (
	"slices"
	"strings"
)

// agreement is how well two parts of a name agree.
type agreement int

const (
	unknown agreement = iota // nothing to compare
	no                       // both known, and they differ
	near                     // one stroke away, or the first letters of the other
	sounds                   // alike to the ear
	partial                  // a whole word of a compound; an initial, or the middle name
	yes
)

// level is how well two names agree as a whole, from nothing to compare upwards.
type level int

const (
	unnamed   level = iota
	another         // they contradict each other
	explained       // no name match, and yet no other person's name where an identifier agrees
	like            // close enough for a person to look
	half            // a part of a compound family name, and the given name
	named           // the family name, and the given name by initial or by the middle name
	full            // the family name, and the given name by alias too
)

// Match compares two descriptions and returns the highest rung that holds. It is the same both ways.
func (p *Prepared) Match(o *Prepared) Match {
	const (
		isNPI = 1 << iota
		isTransposed
		isLicence
		isNumber
		isBirth
		isOrganisation
		isFamily
		isGiven
		isPhone
		isAddress
	)
	const (
		notNPI = 1 << iota
		notBirth
		notSuffix
		notKind
		notOrganisation
		notFamily
		notGiven
		notMiddle
	)
	by, against := 0, 0
	if p.npi != "" && o.npi != "" {
		switch {
		case p.npi == o.npi:
			by |= isNPI
		case transposedNPI(p.npi, o.npi):
			by |= isTransposed
		default:
			against |= notNPI
		}
	}
	licence := unlike
	for i := range p.licences {
		for j := range o.licences {
			licence = max(licence, p.licences[i].compare(&o.licences[j]))
		}
	}
	if p.birth != "" && o.birth != "" {
		if p.birth == o.birth {
			by |= isBirth
		} else {
			against |= notBirth
		}
	}
	identifier := by&isNPI != 0 || licence >= sameProfession

	var l level
	var n nameMatch
	switch {
	case len(p.organisations) > 0 && len(o.organisations) > 0:
		if l = p.matchOrganisations(o); l > another {
			by |= isOrganisation
		} else {
			against |= notOrganisation
		}
	case len(p.names) > 0 && len(o.names) > 0:
		n = p.matchNames(o, identifier)
		l = n.level
		if n.family == no {
			against |= notFamily
		} else if n.family != unknown {
			by |= isFamily
		}
		if n.given == no {
			against |= notGiven
		} else if n.given != unknown {
			by |= isGiven
		}
		if n.middle {
			against |= notMiddle
		}
		if l > another && p.generations != 0 && o.generations != 0 && p.generations&o.generations == 0 {
			against |= notSuffix
		}
	case len(p.organisations) > 0 && len(o.names) > 0 || len(p.names) > 0 && len(o.organisations) > 0:
		against |= notKind // a person's identifier is never an organisation's
	}
	switch {
	case licence == sameLicence:
		by |= isLicence
	case licence != unlike:
		by |= isNumber
	}
	if share(p.phones, o.phones) {
		by |= isPhone
	}
	if share(p.streets, o.streets) {
		by |= isAddress
	}

	facts := 0
	for _, f := range [...]int{isLicence | isNumber, isBirth, isPhone | isAddress} { // a telephone and its address are one fact
		if by&f != 0 {
			facts++
		}
	}
	contradicted := against&(notNPI|notBirth|notSuffix|notKind) != 0
	transposed := by&isTransposed != 0
	var m Match
	switch {
	case by&(isNPI|isLicence) != 0 && !contradicted && l != another:
		m.Rung = M5
	case by&(isNPI|isLicence) != 0:
		m.Rung = M3 // an identifier whose name is not explained goes to a person
	case licence == sameProfession && !contradicted && l > another && n.given >= partial && !transposed:
		m.Rung = M4 // its holder wrote it into NPPES: it is no board's word, and decides nothing that is adverse
	case licence == sameProfession && !contradicted && (n.family >= partial || n.given == yes):
		m.Rung = M3 // the number is probably theirs, and a part of the name agrees
	case contradicted || l <= explained:
		m.Rung = M0 // a shared telephone never stands for a person: clinics share one
	case l == full && facts >= 2 && !transposed:
		m.Rung = M4
	case l >= half && (facts >= 1 || transposed):
		m.Rung = M3
	case l >= named, l == half && share(p.states, o.states), l == like && facts >= 1:
		m.Rung = M2
	default:
		m.Rung = M1
	}
	m.By, m.Against = agreeingSets[by], contradictingSets[against]
	return m
}

// agreeing and contradicting name the bits of a comparison in the order in which Match counts them.
var (
	agreeing      = [...]string{"npi", "npi_transposed", "licence", "licence_number", "birth", "organisation", "family", "given", "phone", "address"}
	contradicting = [...]string{"npi", "birth", "suffix", "kind", "organisation", "family", "given", "middle"}
)

// The words of every set of bits. Matches share them: a screening makes millions.
var agreeingSets, contradictingSets = wordSets(agreeing[:]), wordSets(contradicting[:])

// wordSets lists the words of each set of bits, in their order; none are nil. Whoever appends to one copies it.
func wordSets(names []string) [][]string {
	sets := make([][]string, 1<<len(names))
	for set := range sets {
		for i, w := range names {
			if set&(1<<i) != 0 {
				sets[set] = append(sets[set], w)
			}
		}
		sets[set] = slices.Clip(sets[set])
	}
	return sets
}

// Screen compares a provider with a row of an exclusion list, in either order. It is Match, but for those of
// one family name and one area (the first three digits of a ZIP) whose given names differ and of whom one may
// go by a middle name that no record of the other's writes out: they are M1, by family and area. Such a row
// is easily somebody else's, and only a person can tell; but who is excluded under a middle name is not
// missed. (The tips of the OIG on searching its list ask for every name that somebody may go by.)
func (p *Prepared) Screen(o *Prepared) Match {
	m := p.Match(o)
	if m.Rung != M0 || len(m.By) > 0 && !slices.Equal(m.By, []string{"family"}) || !slices.Equal(m.Against, []string{"given"}) || !share(p.areas, o.areas) {
		return m
	}
	for i := range p.names {
		for j := range o.names {
			x, y := &p.names[i], &o.names[j]
			if matchFamily(x, y, false) >= partial && (mayGoBy(x, y) || mayGoBy(y, x)) {
				return Match{Rung: M1, By: []string{"family", "area"}, Against: m.Against}
			}
		}
	}
	return m
}

// mayGoBy reports that the given name of y may be the middle name of x, of whom none is written out.
func mayGoBy(x, y *preparedName) bool {
	return x.given != "" && x.initial == "" && x.second == "" && y.given != "" &&
		(len(x.middle) == 0 || initialOf(x.middle[0]) == initialOf(y.given))
}

func share[T comparable](a, b []T) bool {
	for i := range a {
		for j := range b {
			if a[i] == b[j] {
				return true
			}
		}
	}
	return false
}

// transposedNPI reports two numbers that differ by one 09 written for 90, which the check digit lets pass.
func transposedNPI(a, b NPI) bool {
	if len(a) != len(b) {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i+1 < len(a) && a[i]+b[i] == '0'+'9' && (a[i] == '0' || a[i] == '9') && a[i] == b[i+1] && b[i] == a[i+1] && a[i+2:] == b[i+2:]
}

// matchOrganisations compares folded names: the same, or one the beginning of the other where the
// exclusion list may have cut it.
func (p *Prepared) matchOrganisations(o *Prepared) level {
	best := another
	for i := range p.organisations {
		for j := range o.organisations {
			x, y := &p.organisations[i], &o.organisations[j]
			switch {
			case x.folded == y.folded:
				return full
			case p.kind != Organisation || o.kind != Organisation || !x.long || !y.long:
			case x.cut && strings.HasPrefix(y.folded, x.folded), y.cut && strings.HasPrefix(x.folded, y.folded):
				best = like
			}
		}
	}
	return best
}

// nameMatch is the best of all pairs of two people's names.
type nameMatch struct {
	level         level
	family, given agreement
	middle        bool // the middle names contradict each other
	initial       bool // the given names begin with one letter
}

// matchNames compares every name of one with every name of the other, former ones too. With an
// identifier, a slip of the pen in the name is no contradiction.
func (p *Prepared) matchNames(o *Prepared, identifier bool) nameMatch {
	var best nameMatch
	score := -1
	for i := range p.names {
		x := &p.names[i]
		for j := range o.names {
			y := &o.names[j]
			n := nameMatch{family: matchFamily(x, y, identifier)}
			if n.family == no && score >= 0 && best.level >= another {
				continue
			}
			n.given = matchGiven(x, y, identifier)
			n.middle = n.given >= partial && middleConflict(x, y)
			n.initial = n.given == yes && initialOf(x.given) == initialOf(y.given)
			n.level = p.levelOf(o, n)
			if s := int(n.level)<<8 | int(n.family)<<4 | int(n.given)<<1; s > score || s == score && best.middle && !n.middle {
				score, best = s, n
			}
		}
	}
	return best
}

func (p *Prepared) levelOf(o *Prepared, n nameMatch) level {
	f, g := n.family, n.given
	switch {
	case f == no || g == no:
		return another
	case f == unknown:
		return unnamed
	case f == yes && g == yes && !n.middle:
		return full
	case f == yes && g >= partial:
		return named
	case f == partial && g >= partial:
		return half
	case f == yes, f == sounds && g == yes && n.initial && share(p.states, o.states):
		return like
	}
	return explained
}

func matchFamily(x, y *preparedName, identifier bool) agreement {
	switch {
	case x.family == "" || y.family == "":
		return unknown
	case x.family == y.family,
		x.cut && strings.HasPrefix(y.family, x.family), y.cut && strings.HasPrefix(x.family, y.family):
		return yes
	case (len(x.parts) > 1 || len(y.parts) > 1) && share(x.parts, y.parts):
		return partial
	case x.sound != "" && x.sound == y.sound && len(x.family) > 3 && len(y.family) > 3 && edits(x.family, y.family) <= 2:
		return sounds
	case identifier && len(x.family) > 4 && len(y.family) > 4 && slipOf(x.family, y.family) != many:
		return near
	}
	return no
}

func matchGiven(x, y *preparedName, identifier bool) agreement {
	switch {
	case x.given == "" || y.given == "":
		return unknown
	case x.initial != "" || y.initial != "":
		if begins(x.initial, y) || begins(y.initial, x) {
			return partial
		}
	case x.given == y.given, share(x.forms, y.forms),
		x.short && strings.HasPrefix(y.joined, x.joined), y.short && strings.HasPrefix(x.joined, y.joined):
		return yes
	}
	switch {
	case byMiddle(x, y), byMiddle(y, x):
		return partial
	case x.initial != "" || y.initial != "":
		return no
	case len(x.given) > 2 && len(y.given) > 2 && (strings.HasPrefix(x.given, y.given) || strings.HasPrefix(y.given, x.given)):
		return near // the first letters, as the exclusion list is searched
	}
	if initialOf(x.given) == initialOf(y.given) && len(x.given) > 2 && len(y.given) > 2 {
		if s := slipOf(x.given, y.given); s == swapped || s == dropped {
			return near // one letter for another makes Mario of Maria
		}
	}
	if identifier && jaroWinkler(x.given, y.given) >= 0.8 {
		return near
	}
	return no
}

// begins reports that the initial is that of the name or of a name that it may be short for.
func begins(initial string, n *preparedName) bool {
	if initial == "" {
		return false
	}
	for _, f := range n.forms {
		if strings.HasPrefix(f, initial) {
			return true
		}
	}
	return false
}

// byMiddle reports that one goes by the middle name of the other: Maria Ana and Ana.
func byMiddle(x, y *preparedName) bool {
	return y.second != "" && x.initial == "" && slices.Contains(x.forms, y.second)
}

// middleConflict reports middle names that are both known and have no initial and no word in common. The
// other's family name as a middle name is none: many keep it there.
func middleConflict(x, y *preparedName) bool {
	if len(x.middle) == 0 || len(y.middle) == 0 {
		return false
	}
	for _, a := range x.middle {
		for _, b := range y.middle {
			if initialOf(a) == initialOf(b) {
				return false
			}
		}
		if slices.Contains(y.parts, a) {
			return false
		}
	}
	for _, b := range y.middle {
		if slices.Contains(x.parts, b) {
			return false
		}
	}
	return true
}

// likeness says how surely two licence keys are one.
type likeness int

const (
	unlike         likeness = iota
	sameNumber              // the number and state agree; the type of one is not known, or is another's by the taxonomy
	sameProfession          // and the taxonomy beside one of them is of the other's profession
	sameLicence             // and the type agrees
)

func (x *preparedLicence) compare(y *preparedLicence) likeness {
	if x.digits != y.digits || x.state != y.state {
		return unlike
	}
	switch {
	case x.code != "" && y.code != "":
		if x.code == y.code {
			return sameLicence
		}
		return unlike
	case x.word != "" && x.word == y.word:
		return sameLicence
	case (x.code != "" || y.code != "") && x.profession != "" && profession(x.profession) == profession(y.profession):
		return sameProfession
	}
	return sameNumber
}

// profession counts a psychiatric nurse practitioner as a nurse practitioner: it is one licence.
func profession(p string) string {
	if p == "psych_np" {
		return "nurse_practitioner"
	}
	return p
}

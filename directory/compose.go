package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Said is what one page of a listing says of a provider, with what its rank among the others goes by.
type Said struct {
	Listing Listing
	Key     string           // of the page within its source
	Mention bool             // the page is another's and names the provider as prescriber
	Since   Date             // the oldest date of its source's data that had the page
	Taken   map[string]int64 // fields that a person took from this page, with the number of the decision
}

// FactRule says how a public fact is chosen when several sources state it.
//
// Nothing is overwritten by a weaker or a later word. The better class of source wins (data/sources.csv: source,
// document, listing, self); within a class what a person has taken, then a page about the provider before one
// that mentions them as prescriber, then the page that its source has had for longest, then the ids of source
// and page. A source may change what it says itself. Each fact keeps who stated it and when.
type FactRule struct {
	Field  string // its name among a provider's Origins; website, sites and prices carry their own
	Choose string // fill: the first that states it; newest: the newest word; all: each adds
	Differ string // when two sources of one class are told to a person as differing; "" never

	has  func(*Listing) bool
	take func(*Provider, *Listing)
	text func(*Listing) string // what is compared, and what a person is told
	near func(a, b *Listing) bool
}

// FactRules is the rule of each fact, in the order in which they are applied.
var FactRules = func() []FactRule {
	rules := []FactRule{
		{Field: "name", Choose: "fill", Differ: "the family name is another, and neither is a former name",
			has: func(l *Listing) bool { return !l.Name.IsZero() }, take: func(p *Provider, l *Listing) { p.Name = l.Name },
			text: func(l *Listing) string { return l.Name.String() }, near: sameFamilyName},
		{Field: "organisation", Choose: "fill", Differ: "an organisation's name is another",
			has: func(l *Listing) bool { return l.Organisation != "" }, take: func(p *Provider, l *Listing) { p.Organisation = l.Organisation },
			text: func(l *Listing) string { return l.Organisation }, near: func(a, b *Listing) bool {
				return a.Kind != Organisation || b.Kind != Organisation || foldOrganisation(a.Organisation) == foldOrganisation(b.Organisation)
			}},
		{Field: "npi", Choose: "fill", Differ: "the number is another",
			has: func(l *Listing) bool { return l.NPI != "" }, take: func(p *Provider, l *Listing) { p.NPI = l.NPI },
			text: func(l *Listing) string { return string(l.NPI) }},
		{Field: "website", Choose: "fill", Differ: "the address is another",
			has: func(l *Listing) bool { return l.Website != "" }, take: func(p *Provider, l *Listing) { p.Website = l.Website },
			text: func(l *Listing) string { return plainAddress(l.Website) }},
	}
	phase := func(field string, of func(*Practice) *Phase) {
		rules = append(rules, FactRule{Field: "practice." + field, Choose: "fill", Differ: "one says yes and the other no",
			has:  func(l *Listing) bool { return *of(&l.Practice) != Phase{} },
			take: func(p *Provider, l *Listing) { *of(&p.Practice) = *of(&l.Practice) },
			text: func(l *Listing) string { return string(of(&l.Practice).Offered) },
			near: func(a, b *Listing) bool {
				x, y := of(&a.Practice).Offered, of(&b.Practice).Offered
				return x == y || x == Unknown || y == Unknown
			}})
	}
	answer := func(field string, of func(*Practice) *Answer) {
		rules = append(rules, FactRule{Field: "practice." + field, Choose: "fill", Differ: "one says yes and the other no",
			has:  func(l *Listing) bool { return *of(&l.Practice) != Unknown },
			take: func(p *Provider, l *Listing) { *of(&p.Practice) = *of(&l.Practice) },
			text: func(l *Listing) string { return string(*of(&l.Practice)) }})
	}
	list := func(field string, of func(*Practice) *[]string) { // one source names more than the other: that is no contradiction
		rules = append(rules, FactRule{Field: "practice." + field, Choose: "fill",
			has:  func(l *Listing) bool { return len(*of(&l.Practice)) > 0 },
			take: func(p *Provider, l *Listing) { *of(&p.Practice) = *of(&l.Practice) }})
	}
	phase("preparation", func(p *Practice) *Phase { return &p.Preparation })
	phase("medicine", func(p *Practice) *Phase { return &p.Medicine })
	phase("integration", func(p *Practice) *Phase { return &p.Integration })
	list("routes", func(p *Practice) *[]string { return &p.Routes })
	list("settings", func(p *Practice) *[]string { return &p.Settings })
	rules = append(rules,
		FactRule{Field: "practice.model", Choose: "fill", Differ: "the model is another", has: func(l *Listing) bool { return l.Practice.Model != "" },
			take: func(p *Provider, l *Listing) { p.Practice.Model = l.Practice.Model }, text: func(l *Listing) string { return l.Practice.Model }},
		FactRule{Field: "practice.presence", Choose: "fill", Differ: "the presence is another", has: func(l *Listing) bool { return l.Practice.Presence != "" },
			take: func(p *Provider, l *Listing) { p.Practice.Presence = l.Practice.Presence }, text: func(l *Listing) string { return string(l.Practice.Presence) }})
	list("monitoring", func(p *Practice) *[]string { return &p.Monitoring })
	answer("vital_signs", func(p *Practice) *Answer { return &p.VitalSigns })
	answer("emergency_plan", func(p *Practice) *Answer { return &p.EmergencyPlan })
	answer("escort", func(p *Practice) *Answer { return &p.Escort })
	list("screening", func(p *Practice) *[]string { return &p.Screening })
	list("frameworks", func(p *Practice) *[]string { return &p.Frameworks })
	list("focus", func(p *Practice) *[]string { return &p.Focus })
	list("populations", func(p *Practice) *[]string { return &p.Populations })
	list("formats", func(p *Practice) *[]string { return &p.Formats })
	rules = append(rules, FactRule{Field: "practice.prices", Choose: "fill", Differ: "the price of one component is another",
		has:  func(l *Listing) bool { return len(l.Practice.Prices) > 0 },
		take: func(p *Provider, l *Listing) { p.Practice.Prices = l.Practice.Prices },
		text: func(l *Listing) string { return priceText(l.Practice.Prices) }, near: samePrices})
	answer("superbill", func(p *Practice) *Answer { return &p.Superbill })
	answer("sliding_scale", func(p *Practice) *Answer { return &p.SlidingScale })
	list("languages", func(p *Practice) *[]string { return &p.Languages })
	list("access", func(p *Practice) *[]string { return &p.Access })
	rules = append(rules, FactRule{Field: "practice.accepting", Choose: "newest", has: func(l *Listing) bool { return l.Practice.Accepting != Unknown },
		take: func(p *Provider, l *Listing) {
			p.Practice.Accepting, p.Practice.AcceptingAsOf, p.Practice.Waitlist = l.Practice.Accepting, l.Practice.AcceptingAsOf, l.Practice.Waitlist
		}})
	answer("telehealth", func(p *Practice) *Answer { return &p.Telehealth })
	return append(rules,
		FactRule{Field: "practice.telehealth_in", Choose: "fill", has: func(l *Listing) bool { return len(l.Practice.TelehealthIn) > 0 },
			take: func(p *Provider, l *Listing) { p.Practice.TelehealthIn = l.Practice.TelehealthIn }},
		FactRule{Field: "listed_as", Choose: "fill", has: func(l *Listing) bool { return l.ListedAs != "" },
			take: func(p *Provider, l *Listing) { p.ListedAs = l.ListedAs }},
		FactRule{Field: "sites", Choose: "all"},
		FactRule{Field: "phone", Choose: "fill", Differ: "the number of one place is another"})
}()

// Difference is a fact that two sources of one class state differently. What is shown stays until a person
// takes the other word or the better source says something else.
type Difference struct {
	Field   string `json:"field"`
	Shown   string `json:"shown"`
	ShownBy Origin `json:"shown_by"`
	Says    string `json:"says"` // the other page
	By      Origin `json:"by"`
	Key     string `json:"-"` // of the other page

	shownKey string
}

// Mark names the difference the same way whichever of the two is shown, so that a person who has decided it
// is not asked again.
func (d Difference) Mark() string {
	sides := []string{d.ShownBy.Source + "\x00" + d.shownKey + "\x00" + d.Shown, d.By.Source + "\x00" + d.Key + "\x00" + d.Says}
	slices.Sort(sides)
	h := sha256.Sum256([]byte(strings.Join(sides, "\x01")))
	return d.Field + "=" + hex.EncodeToString(h[:8])
}

// Compose makes the provider's facts from all that pages say of them, by FactRules, and returns what sources
// of one class state differently. It depends on what is said and not on the order. The id, the affiliations and
// the standing of the provider are the caller's.
func Compose(all []Said) (Provider, []Difference) {
	p := Provider{Origins: map[string]Origin{}}
	if len(all) == 0 {
		return p, nil
	}
	ranked := slices.Clone(all)
	slices.SortFunc(ranked, func(a, b Said) int { return compareSaid(&a, &b, "") })
	p.Kind = ranked[0].Listing.Kind
	var differ []Difference
	for i := range FactRules {
		rule := &FactRules[i]
		if rule.has == nil {
			continue
		}
		var stating []*Said
		for j := range ranked {
			if s := &ranked[j]; rule.has(&s.Listing) && s.Listing.Kind == p.Kind || rule.Field == "organisation" && rule.has(&s.Listing) {
				stating = append(stating, s)
			}
		}
		if rule.Field == "listed_as" { // offering KAP outranks being somebody's prescriber
			if i := slices.IndexFunc(stating, func(s *Said) bool { return s.Listing.ListedAs == AsKAP }); i > 0 {
				stating = stating[i:]
			}
		}
		if len(stating) == 0 {
			continue
		}
		first := slices.MinFunc(stating, func(a, b *Said) int {
			if rule.Choose == "newest" {
				return cmp.Or(cmp.Compare(b.class(), a.class()), cmp.Compare(b.accepting(), a.accepting()), compareSaid(a, b, rule.Field))
			}
			return compareSaid(a, b, rule.Field)
		})
		rule.take(&p, &first.Listing)
		if rule.Field == "website" {
			p.WebOrigin = first.Listing.Origin
		} else {
			p.Origins[rule.Field] = first.Listing.Origin
		}
		for _, s := range stating {
			if rule.Differ != "" && first.rivals(s) && !rule.agree(&first.Listing, &s.Listing) {
				differ = append(differ, Difference{rule.Field, rule.text(&first.Listing), first.Listing.Origin, rule.text(&s.Listing), s.Listing.Origin, s.Key, first.Key})
			}
		}
	}
	for i := range ranked {
		s := &ranked[i]
		if n := s.Listing.Name; !n.IsZero() && FoldName(n) != FoldName(p.Name) {
			p.Former = appendName(p.Former, n) // another spelling finds the person and is not shown
		}
		for _, f := range s.Listing.Former {
			p.Former = appendName(p.Former, f)
		}
	}
	sites, more := composeSites(ranked)
	p.Sites = sites
	return p, append(differ, more...)
}

func (r *FactRule) agree(a, b *Listing) bool {
	if r.near != nil {
		return r.near(a, b)
	}
	return Fold(r.text(a)) == Fold(r.text(b))
}

// compareSaid puts the page whose word on the field counts first. With field "" nothing was taken by a person.
func compareSaid(a, b *Said, field string) int {
	mention := func(s *Said) int {
		if s.Mention {
			return 1
		}
		return 0
	}
	since := func(s *Said) Date { // a page of which nobody knows since when counts as new
		return cmp.Or(s.Since, "9999")
	}
	x, y := &a.Listing.Origin, &b.Listing.Origin
	return cmp.Or(cmp.Compare(b.class(), a.class()), cmp.Compare(b.Taken[field], a.Taken[field]), cmp.Compare(mention(a), mention(b)),
		cmp.Compare(since(a), since(b)), cmp.Compare(x.Source, y.Source), cmp.Compare(a.Key, b.Key))
}

// class is the rank of the source's class.
func (s *Said) class() int {
	if info, ok := Tables().Source(s.Listing.Origin.Source); ok {
		return info.Class.rank()
	}
	return ClassListing.rank()
}

// accepting is how old the word on new patients is.
func (s *Said) accepting() Date {
	return cmp.Or(s.Listing.Practice.AcceptingAsOf, s.Listing.Origin.AsOf)
}

// rivals reports that the other page is another source's and of the same weight.
func (s *Said) rivals(o *Said) bool {
	return s.Listing.Origin.Source != o.Listing.Origin.Source && s.class() == o.class() && s.Mention == o.Mention
}

// composeSites takes every place that a page names once, with the first telephone that is stated for it.
func composeSites(ranked []Said) ([]Site, []Difference) {
	type place struct {
		site Site
		by   []*Said // who states its telephone, the first of rank first
		say  map[*Said]string
	}
	var places []*place
	for i := range ranked {
		s := &ranked[i]
		for _, x := range s.Listing.Sites {
			if x.Origin.Source == "" {
				x.Origin = s.Listing.Origin
			}
			at := slices.IndexFunc(places, func(p *place) bool {
				have := p.site.Address
				return Fold(have.Line1) == Fold(x.Address.Line1) && have.ZIP5() == x.Address.ZIP5() && (have.Line1 != "" || have.ZIP5() != "" || Fold(have.City) == Fold(x.Address.City) && have.State == x.Address.State)
			})
			if at < 0 {
				at = len(places)
				places = append(places, &place{site: x, say: map[*Said]string{}})
			}
			if x.Phone != "" && places[at].say[s] == "" {
				places[at].by = append(places[at].by, s)
				places[at].say[s] = x.Phone
			}
		}
	}
	var sites []Site
	var differ []Difference
	for _, p := range places {
		if len(p.by) > 0 {
			first := slices.MinFunc(p.by, func(a, b *Said) int { return compareSaid(a, b, "phone") })
			p.site.Phone = p.say[first]
			if o := first.Listing.Origin; o != p.site.Origin {
				p.site.PhoneOrigin = o
			}
			for _, s := range p.by {
				if first.rivals(s) && digits(p.say[s]) != digits(p.say[first]) {
					differ = append(differ, Difference{"phone", p.say[first], first.Listing.Origin, p.say[s], s.Listing.Origin, s.Key, first.Key})
				}
			}
		}
		sites = append(sites, p.site)
	}
	return sites, differ
}

func appendName(names []Name, n Name) []Name {
	for _, have := range names {
		if FoldName(have) == FoldName(n) {
			return names
		}
	}
	return append(names, n)
}

// FoldName is the comparison form of a whole name without credentials.
func FoldName(n Name) string { return Fold(n.Given + " " + n.Middle + " " + n.Family + " " + n.Suffix) }

// sameFamilyName reports that two pages give one family name, whole or in part, or that one knows the
// other's as a former one.
func sameFamilyName(a, b *Listing) bool {
	if a.Kind != Person || b.Kind != Person {
		return true
	}
	x, y := Subject{Kind: Person, Names: append([]Name{a.Name}, a.Former...)}, Subject{Kind: Person, Names: append([]Name{b.Name}, b.Former...)}
	return slices.Contains(MatchSubjects(x, y).By, "family")
}

// plainAddress is an address without what does not tell two sites apart.
func plainAddress(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
	return strings.TrimRight(strings.TrimPrefix(s, "www."), "/")
}

func priceText(items []PriceItem) string {
	var out []string
	for _, it := range items {
		out = append(out, fmt.Sprintf("%s %d-%d %s", it.Component, it.MinCents, it.MaxCents, it.Currency))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func samePrices(a, b *Listing) bool {
	for _, x := range a.Practice.Prices {
		for _, y := range b.Practice.Prices {
			if x.Component == y.Component && x.Currency == y.Currency && (x.MinCents != y.MinCents || x.MaxCents != y.MaxCents) {
				return false
			}
		}
	}
	return true
}

package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kapdir/directory"
)

// record is a provider as the change feed and the exports pass it on: what the API tells of them to patients of their
// own state, so that it stays true until a change is numbered. The moment of it stands around it. What comes from a
// source whose terms do not let it be passed on is left out, and the source is named.
type record struct {
	*provider
	AsOf     *struct{}  `json:"as_of,omitempty"` // these four stand around it: the provider's are not written
	At       *struct{}  `json:"at,omitempty"`
	Head     *struct{}  `json:"head,omitempty"`
	Demo     *struct{}  `json:"demo,omitempty"`
	Withheld []withheld `json:"withheld"`
}

// withheld is a source of which something was left out.
type withheld struct {
	Source string `json:"source"`
	Name   string `json:"name"`
}

// recordOf tells the provider as a record; nil if not even their name may be passed on.
func (s *Server) recordOf(f *directory.CredentialFile, m moment) *record {
	m.lasting = true
	p := s.providerOf(f, "", m)
	x := &passer{t: newTeller(f, patientState("", f), m, s.cfg.Policies), left: map[string]bool{}}
	if x.stated(&p); x.anonymous(&p) {
		return nil
	}
	p.Prescribers = slices.DeleteFunc(p.Prescribers, func(l linked) bool {
		other := f.Linked[l.ID]
		return other != nil && !(x.may(other.Provider.Origins["name"].Source) && x.may(other.Provider.Origins["organisation"].Source))
	})
	out := &record{provider: &p, Withheld: []withheld{}}
	for source := range x.left {
		out.Withheld = append(out.Withheld, withheld{source, x.t.sourceName(source)})
	}
	slices.SortFunc(out.Withheld, func(a, b withheld) int { return cmp.Compare(a.Source, b.Source) })
	return out
}

// passer goes through what is told of a provider and leaves out what may not be passed on (may_republish in
// data/sources.csv). Of what a source records, its words, numbers and dates are left out; that it was asked, when, and
// what we make of it is ours to tell.
type passer struct {
	t    teller
	left map[string]bool
}

// may reports whether what the source states may be passed on, and notes it where not. What the program itself says,
// as that nobody could be asked, may.
func (x *passer) may(source string) bool {
	if source == "" || source == programSource {
		return true
	}
	row, ok := x.t.policy.Tables().Source(source)
	if ok && row.MayRepublish == "true" {
		return true
	}
	x.left[source] = true
	return false
}

// programSource is the source of what the program says by itself.
const programSource = "kapdir"

func (x *passer) origin(o *origin) bool { return o == nil || x.may(o.Source) }

// anonymous reports that the name, or the number by which everybody could look it up, may not be passed on.
func (x *passer) anonymous(p *provider) bool {
	return p.Facts.Name == nil && p.Facts.Organisation == nil
}

// keep drops a fact that may not be passed on.
func keep[T any](x *passer, f **fact[T]) {
	if *f != nil && !x.origin((*f).Origin) {
		*f = nil
	}
}

// stated goes through all of it.
func (x *passer) stated(p *provider) {
	f, pr := &p.Facts, &p.Practice
	keep(x, &f.Name)
	keep(x, &f.Organisation)
	keep(x, &f.NPI)
	keep(x, &f.Website)
	keep(x, &f.Languages)
	keep(x, &f.Access)
	keep(x, &f.Superbill)
	keep(x, &f.SlidingScale)
	f.Sites = slices.DeleteFunc(f.Sites, func(s site) bool { return !x.origin(s.Origin) })
	for i := range f.Sites {
		if s := &f.Sites[i]; !x.origin(s.PhoneOrigin) {
			s.Phone, s.PhoneOrigin = "", nil
		}
	}
	f.Affiliations = slices.DeleteFunc(f.Affiliations, func(a affiliation) bool { return !x.origin(a.Origin) })
	f.Prices = slices.DeleteFunc(f.Prices, func(it price) bool { return !x.origin(it.Origin) })
	if f.Accepting != nil && !x.origin(f.Accepting.Origin) {
		f.Accepting = nil
	}
	if f.Telehealth != nil && !x.origin(f.Telehealth.Origin) {
		f.Telehealth = nil
	}
	keep(x, &pr.Preparation)
	keep(x, &pr.Medicine)
	keep(x, &pr.Integration)
	keep(x, &pr.Routes)
	keep(x, &pr.Settings)
	keep(x, &pr.Model)
	keep(x, &pr.Presence)
	keep(x, &pr.Monitoring)
	keep(x, &pr.VitalSigns)
	keep(x, &pr.EmergencyPlan)
	keep(x, &pr.Escort)
	keep(x, &pr.Screening)
	keep(x, &pr.Frameworks)
	keep(x, &pr.Focus)
	keep(x, &pr.Populations)
	keep(x, &pr.Formats)
	pr.Also = slices.DeleteFunc(pr.Also, func(a partStated) bool { return !x.origin(a.Origin) })
	hidden := map[directory.ID]bool{} // claims whose record is not passed on
	for i := range p.Claims {
		if c := &p.Claims[i]; !x.claim(c) {
			hidden[c.ID] = true
		}
	}
	for i := range p.Checks {
		if c := &p.Checks[i]; !x.check(c) && c.Check == directory.CheckLicense {
			p.Licensed = nil
		}
	}
	p.Changes = slices.DeleteFunc(p.Changes, func(c change) bool { return hidden[c.Claim] })
}

// claim leaves out what the record behind a claim says; it reports whether all may be passed on.
func (x *passer) claim(c *claim) bool {
	whole := true
	for i := range c.StatedBy {
		if !x.may(c.StatedBy[i].Source) {
			c.StatedBy[i].URL = ""
			whole = false
		}
	}
	// The number stands in the claim because somebody stated it, or because it is in the record.
	stated := slices.ContainsFunc(c.StatedBy, func(o origin) bool { return x.may(o.Source) })
	if c.basis == nil || x.may(c.basis.Body.Source) {
		if !whole && !stated {
			c.Number = ""
		}
		return true
	}
	if !stated {
		c.Number = ""
	}
	for i := range c.Evidence {
		c.Evidence[i].URL = x.lookup(c.Evidence[i].Source)
	}
	c.Sentence = x.instead(c.Label, []checkSource{{Name: x.t.sourceName(c.basis.Body.Source), AsOf: directory.Date(value(c.AsOf))}})
	return false
}

// check does the same for a check.
func (x *passer) check(c *check) bool {
	whole := true
	for i := range c.Sources {
		if s := &c.Sources[i]; !x.may(s.id) {
			s.URL, whole = x.lookup(s.id), false
		}
	}
	for i := range c.Parts {
		if p := &c.Parts[i]; !x.may(p.source) {
			row := checkSource{Name: x.t.sourceName(p.source)}
			for _, s := range c.Sources {
				if s.id == p.source {
					row = s
				}
			}
			p.Sentence, whole = x.instead(p.Label, []checkSource{row}), false
		}
	}
	if !whole {
		c.Sentence = x.instead(c.Label, c.Sources)
	}
	return whole
}

// lookup is where the source may be asked, for a record's own address is part of the record.
func (x *passer) lookup(source string) string {
	row, _ := x.t.policy.Tables().Source(source)
	return cmp.Or(webAddress(row.LookupURL), webAddress(row.URL))
}

// instead is the sentence in place of one that may not be passed on: what we make of it, who was asked, and as of when.
func (x *passer) instead(label string, sources []checkSource) string {
	var asked []string
	for _, s := range sources {
		words := s.Name
		if s.AsOf != "" {
			words += ", " + s.AsOf.String()
		}
		if !slices.Contains(asked, words) {
			asked = append(asked, words)
		}
	}
	return fmt.Sprintf("%s (%s). What stands there may not be passed on in bulk: it is on the provider's page.", label, strings.Join(asked, "; "))
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

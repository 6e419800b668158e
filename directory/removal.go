package directory

import (
	"slices"
	"strings"
)

// RemovalDays is how many business days staff have to decide about a request (contracts.md §6).
const RemovalDays = 2

// Removal is somebody's request that their listing be removed, or a statement about them corrected. It is
// acknowledged at once and changes nothing by itself. Proven through a contact already on record, or accepted
// by staff, it hides what it asks for on every public face.
type Removal struct {
	ID       ID      `json:"id"`
	Kind     string  `json:"kind"` // removal, correction
	Provider ID      `json:"provider"`
	Claim    ID      `json:"claim,omitempty"`   // of a correction: the statement that is wrong
	Words    string  `json:"words,omitempty"`   // the request in its own words, until it is decided
	Contact  string  `json:"contact,omitempty"` // where the answer goes, until it is decided
	Asked    Instant `json:"asked"`
	Due      Date    `json:"due"`   // the last day on which staff decide
	State    string  `json:"state"` // open, proven, accepted, declined
	Decided  Instant `json:"decided,omitempty"`
	Staff    string  `json:"staff,omitempty"`
	Auth     string  `json:"auth,omitempty"`
	Note     string  `json:"note,omitempty"`
	Event    int64   `json:"event,omitempty"` // the takedown

	// Pages are, of a removal that was just decided, the listings that spoke of them: who keeps copies of
	// pages forgets these. They are not held.
	Pages []PageKey `json:"-"`
}

// PageKey names a listing of a source.
type PageKey struct{ Source, Key string }

// RemovalDecision proves, accepts or declines a request.
type RemovalDecision struct {
	ID    ID
	Do    string // prove, accept, decline, lift
	Staff string // who decides; of prove, who spoke with the provider, "" for a link that was opened
	Auth  string // of prove: telephone_callback, email_link
	// Contact is, of prove, the telephone or the mail address through which the provider was reached. It must be
	// on record already: a telephone of one of their places, or an address at their website's domain.
	Contact string
	Note    string
}

// Reaches reports that a telephone or mail address is on record for the provider: it is the telephone of one of
// their places, or a mailbox at the domain of their website.
func (p Provider) Reaches(contact string) bool {
	if _, domain, ok := strings.Cut(contact, "@"); ok {
		host := plainAddress(p.Website) // one with a path may be a page on somebody else's site
		return host != "" && !strings.Contains(host, "/") && strings.EqualFold(strings.TrimSpace(domain), host)
	}
	d := digits(contact)
	for _, s := range p.Sites {
		if len(d) >= 10 && digits(s.Phone) == d {
			return true
		}
	}
	return false
}

// SuppressionKeys returns by what somebody who was removed is known again: sure are NPI and licences of a known
// type, perhaps is the folded name with the first three digits of each ZIP, which others may share.
func (s Subject) SuppressionKeys() (sure, perhaps []string) {
	p := Prepare(s)
	if p.npi != "" {
		sure = append(sure, "npi:"+string(p.npi))
	}
	for _, l := range p.licences {
		if l.code != "" {
			sure = append(sure, "licence:"+string(l.state)+":"+l.code+":"+l.digits)
		}
	}
	var names []string
	for _, n := range s.Names {
		names = append(names, Fold(n.Given+" "+n.Family))
	}
	for _, o := range s.Organisations {
		names = append(names, foldOrganisation(o))
	}
	for _, n := range names {
		for _, area := range areas(zips(s)) {
			if n != "" {
				perhaps = append(perhaps, "place:"+n+"|"+area)
			}
		}
	}
	slices.Sort(sure)
	slices.Sort(perhaps)
	return slices.Compact(sure), slices.Compact(perhaps)
}

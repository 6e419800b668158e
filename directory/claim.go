package directory

import (
	"cmp"
	"slices"
)

// ClaimKind says what a claim is about. One claim is one atomic fact (domain.md §5.1, contracts.md §3).
type ClaimKind string

// The kinds of claim.
const (
	IdentityNPI       ClaimKind = "identity_npi"
	License           ClaimKind = "license"
	CompactPrivilege  ClaimKind = "compact_privilege"
	DEARegistration   ClaimKind = "dea_registration"
	BoardCert         ClaimKind = "board_cert"
	TrainingCert      ClaimKind = "training_cert"
	Pledge            ClaimKind = "pledge"
	REMSSite          ClaimKind = "rems_site"
	OversightLink     ClaimKind = "oversight_link"
	ProtocolClaim     ClaimKind = "protocol"
	ExclusionScreen   ClaimKind = "exclusion_screen"        // one per list
	DisciplineScreen  ClaimKind = "board_discipline_screen" // one per licence
	ContactClaim      ClaimKind = "contact"
	Availability      ClaimKind = "availability"
	PracticeAgreement ClaimKind = "practice_agreement"
	FileClaim         ClaimKind = "credential_file" // the whole file: decisions, takedown, withdrawal
)

// ClaimKinds lists the kinds in the order a page shows them.
var ClaimKinds = []ClaimKind{License, CompactPrivilege, BoardCert, TrainingCert, Pledge, OversightLink, PracticeAgreement, DEARegistration, REMSSite,
	ProtocolClaim, DisciplineScreen, ExclusionScreen, IdentityNPI, ContactClaim, Availability, FileClaim}

// Claim is one atomic fact somebody asserts about a provider. Its identity is (provider, kind, issuer,
// jurisdiction, title, number key, other); everything known about it is in its events.
type Claim struct {
	ID           ID            `json:"id"`
	Provider     ID            `json:"provider"`
	Kind         ClaimKind     `json:"kind"`
	Issuer       string        `json:"issuer,omitempty"`       // source, board or programme id: who could confirm it
	Jurisdiction State         `json:"jurisdiction,omitempty"` // "" is federal or none
	Title        string        `json:"title,omitempty"`        // of a licence: the board's type code, or the asserter's word
	Number       LicenceNumber `json:"number,omitzero"`
	Other        ID            `json:"other,omitempty"` // of an oversight link: the prescriber; the provider's own id when they prescribe themself, "" when only a name is known, which is then the Title
	Created      Instant       `json:"created"`
}

// Self reports an oversight link of a provider who prescribes and monitors themself: one person may fill
// both roles.
func (c Claim) Self() bool { return c.Kind == OversightLink && c.Other != "" && c.Other == c.Provider }

// History is a claim with all its events in order of their numbers.
type History struct {
	Claim  Claim   `json:"claim"`
	Events []Event `json:"events"`
}

// CredentialFile is everything held about one provider: the facts, the claims with their histories, and
// the files of the prescribers linked to them (whose own Linked is empty).
type CredentialFile struct {
	Provider Provider               `json:"provider"`
	Claims   []History              `json:"claims"`
	Linked   map[ID]*CredentialFile `json:"linked,omitempty"`
}

// states are those in which the provider holds a licence or works, in order and without repeats.
func (f *CredentialFile) states() []State {
	var out []State
	for _, h := range f.Claims {
		if h.Claim.Kind == License || h.Claim.Kind == CompactPrivilege {
			out = append(out, h.Claim.Jurisdiction)
		}
	}
	for _, s := range f.Provider.Sites {
		out = append(out, s.Address.State)
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s State) bool { return s == "" })
}

// SortClaims puts claims in the order in which a page shows them, the same wherever the same claims are.
func SortClaims(claims []History) {
	slices.SortFunc(claims, func(x, y History) int {
		a, b := x.Claim, y.Claim
		return cmp.Or(
			cmp.Compare(slices.Index(ClaimKinds, a.Kind), slices.Index(ClaimKinds, b.Kind)),
			cmp.Compare(a.Jurisdiction, b.Jurisdiction),
			cmp.Compare(a.Title, b.Title),
			cmp.Compare(a.Number.Key, b.Number.Key),
			cmp.Compare(a.Issuer, b.Issuer),
			cmp.Compare(a.Created, b.Created),
			cmp.Compare(a.ID, b.ID),
		)
	})
}

// Others returns the providers whom the claims name beside the one they are about: prescribers of links,
// and physicians of practice agreements.
func (f *CredentialFile) Others() []ID {
	var out []ID
	for _, h := range f.Claims {
		if c := h.Claim; (c.Kind == OversightLink || c.Kind == PracticeAgreement) && c.Other != "" && c.Other != f.Provider.ID && !slices.Contains(out, c.Other) {
			out = append(out, c.Other)
		}
	}
	return out
}

// Link fills Linked with the files of those whom the claims name, and of those whom theirs name in
// practice agreements: all that the checks of the file can rest on. find returns nil for whoever has no
// public page.
func (f *CredentialFile) Link(find func(ID) *CredentialFile) {
	f.Linked = nil
	var add func(of *CredentialFile, deep bool)
	add = func(of *CredentialFile, deep bool) {
		for _, id := range of.Others() {
			other := find(id)
			if other == nil || id == f.Provider.ID || f.Linked[id] != nil {
				continue
			}
			if f.Linked == nil {
				f.Linked = map[ID]*CredentialFile{}
			}
			f.Linked[id] = &CredentialFile{Provider: other.Provider, Claims: other.Claims}
			if deep {
				add(other, false)
			}
		}
	}
	add(f, true)
}

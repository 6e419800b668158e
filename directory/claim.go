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
	Home         ID            `json:"home,omitempty"` // for whom it was made, while that provider is merged into Provider
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

// History is a claim with all its events in order of their numbers. The claims of a merged provider that
// are the same as the survivor's are one history with theirs: Also names them, and each event goes on naming
// the claim that it was recorded for.
type History struct {
	Claim  Claim   `json:"claim"`
	Events []Event `json:"events"`
	Also   []ID    `json:"also,omitempty"`
}

// Holds reports that the history is that of the claim, or of several and the claim is one of them.
func (h History) Holds(claim ID) bool { return h.Claim.ID == claim || slices.Contains(h.Also, claim) }

// Unify makes one history of the claims that are the same since their providers were merged, and puts all
// in order. What a claim says of its own provider it then says of the survivor.
func Unify(claims []History) []History {
	if !slices.ContainsFunc(claims, func(h History) bool { return h.Claim.Home != "" }) {
		SortClaims(claims)
		return claims
	}
	slices.SortFunc(claims, func(x, y History) int { // the survivor's own first, then as they were made
		a, b := x.Claim, y.Claim
		own := func(c Claim) int {
			if c.Home == "" {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(own(a), own(b)), cmp.Compare(a.Created, b.Created), cmp.Compare(a.ID, b.ID))
	})
	var out []History
	for _, h := range claims {
		if c := &h.Claim; c.Home != "" && c.Other == c.Home {
			c.Other = c.Provider
		}
		i := slices.IndexFunc(out, func(o History) bool { return o.Claim.same(h.Claim) })
		if i < 0 {
			out = append(out, h)
			continue
		}
		out[i].Also = append(out[i].Also, h.Claim.ID)
		out[i].Events = append(slices.Clip(out[i].Events), h.Events...)
		slices.SortFunc(out[i].Events, func(a, b Event) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	SortClaims(out)
	return out
}

// same reports that two claims are of one fact: licences are one by state, number and type, however they
// are written.
func (c Claim) same(d Claim) bool {
	if c.Kind != d.Kind || c.Issuer != d.Issuer || c.Jurisdiction != d.Jurisdiction || c.Other != d.Other {
		return false
	}
	if c.Title == d.Title && c.Number.Key == d.Number.Key {
		return true
	}
	if c.Kind != License && c.Kind != DisciplineScreen {
		return false
	}
	key := func(c Claim) Subject { return Subject{Licences: []LicenceKey{{c.Jurisdiction, c.Title, c.Number}}} }
	return slices.Contains(MatchSubjects(key(c), key(d)).By, "licence")
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

// NamedStates are those for whose patients the checks may say something of their own, in order and without repeats:
// the states of the provider's places, of their sessions by video, and of what they or a linked prescriber claim. In
// every other state the checks are alike.
func (f *CredentialFile) NamedStates() []State {
	out := slices.Clone(f.Provider.Practice.TelehealthIn)
	for _, s := range f.Provider.Sites {
		out = append(out, s.Address.State)
	}
	for _, h := range f.Claims {
		out = append(out, h.Claim.Jurisdiction)
	}
	for _, l := range f.Linked {
		if l == nil {
			continue
		}
		for _, h := range l.Claims {
			out = append(out, h.Claim.Jurisdiction)
		}
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
// public page, and of somebody who was merged the survivor's.
func (f *CredentialFile) Link(find func(ID) *CredentialFile) {
	f.Linked = nil
	var add func(of *CredentialFile, deep bool)
	add = func(of *CredentialFile, deep bool) {
		for _, id := range of.Others() {
			other := find(id)
			if other == nil || id == f.Provider.ID || other.Provider.ID == f.Provider.ID || f.Linked[id] != nil {
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

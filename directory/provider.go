package directory

// ProviderKind is a person or an organisation.
type ProviderKind string

// The kinds of provider (NPPES entity types 1 and 2).
const (
	Person       ProviderKind = "person"
	Organisation ProviderKind = "organisation"
)

// ListedAs says why a provider has a public page (contracts.md §1).
type ListedAs string

// A provider is listed because somebody says that they offer KAP, or because they are the named
// prescriber or the clinic of such a provider. Nothing else makes a page.
const (
	AsKAP        ListedAs = "kap"
	AsPrescriber ListedAs = "prescriber"
	AsClinic     ListedAs = "clinic"
)

// Affiliation joins a person to an organisation, as a source states it.
type Affiliation struct {
	Provider ID     `json:"provider"`
	Name     string `json:"name"`
	Role     string `json:"role,omitempty"` // works_at, member
	Origin   Origin `json:"origin"`
}

// Provider is a person or an organisation with a public page: facts with their sources. What is proven
// about them is not here but in the claims of their CredentialFile.
type Provider struct {
	ID           ID                `json:"id"`
	Kind         ProviderKind      `json:"kind"`
	ListedAs     ListedAs          `json:"listed_as"`
	Name         Name              `json:"name"`                   // a person's; zero for an organisation
	Organisation string            `json:"organisation,omitempty"` // an organisation's name
	Former       []Name            `json:"former,omitempty"`       // matched against, never shown (domain.md §3.2)
	NPI          NPI               `json:"npi,omitempty"`
	Sites        []Site            `json:"sites,omitempty"` // the first is the primary in-person site
	Affiliations []Affiliation     `json:"affiliations,omitempty"`
	Website      string            `json:"website,omitempty"`
	WebOrigin    Origin            `json:"website_origin,omitzero"`
	Practice     Practice          `json:"practice"`
	Origins      map[string]Origin `json:"origins,omitempty"` // the source of each other field, by its JSON name
	Claimed      bool              `json:"claimed"`           // the provider has joined; false says so on the page
	Withdrawn    bool              `json:"withdrawn,omitempty"`
	MergedInto   ID                `json:"merged_into,omitempty"`
	Seq          int64             `json:"seq,omitempty"` // the number of its newest change
}

// DisplayName is what a page calls the provider.
func (p Provider) DisplayName() string {
	if p.Kind == Organisation {
		return p.Organisation
	}
	return p.Name.String()
}

// HomeState is the state of the primary in-person site, "" if none is known.
func (p Provider) HomeState() State {
	for _, s := range p.Sites {
		if s.Address.State != "" {
			return s.Address.State
		}
	}
	return ""
}

// Listing is what one page or one row of a listing says about one provider: facts only, no prose.
type Listing struct {
	Kind         ProviderKind       `json:"kind"`
	ListedAs     ListedAs           `json:"listed_as"`
	Name         Name               `json:"name,omitzero"`
	Organisation string             `json:"organisation,omitempty"`
	Former       []Name             `json:"former,omitempty"`
	NPI          NPI                `json:"npi,omitempty"`
	Licences     []ListedLicence    `json:"licences,omitempty"`
	Training     []ListedTraining   `json:"training,omitempty"`
	Prescribers  []ListedPrescriber `json:"prescribers,omitempty"`
	WorksAt      []string           `json:"works_at,omitempty"` // record keys or names of organisations listed by the same source
	Sites        []Site             `json:"sites,omitempty"`
	Website      string             `json:"website,omitempty"`
	Practice     Practice           `json:"practice"`
	Origin       Origin             `json:"origin"`
}

// ListedLicence is a licence as a listing states it.
type ListedLicence struct {
	State  State         `json:"state"`
	Title  string        `json:"title"` // the listing's own word: LCSW, Licensed Psychologist
	Number LicenceNumber `json:"number"`
}

// ListedTraining is a training as a listing states it, in its own words.
type ListedTraining struct {
	Programme string `json:"programme"`
	Level     string `json:"level,omitempty"` // attended, modules_complete, certificate, in_programme_register
	Completed Date   `json:"completed,omitempty"`
}

// ListedPrescriber names who prescribes and monitors, as a therapist's listing states it.
type ListedPrescriber struct {
	Name     Name            `json:"name"`
	NPI      NPI             `json:"npi,omitempty"`
	Self     bool            `json:"self,omitempty"` // the provider prescribes
	Licences []ListedLicence `json:"licences,omitempty"`
	Sites    []Site          `json:"sites,omitempty"`
}

// Compose makes the provider's facts from all that listings say of them, the best source first: each
// field is filled by the first listing that states it, and nothing is overwritten. Origins records who
// stated what. The id, the affiliations and the standing of the provider are the caller's.
func Compose(listings []Listing) Provider {
	p := Provider{Origins: map[string]Origin{}}
	note := func(field string, o Origin) { p.Origins[field] = o }
	for i, l := range listings {
		if i == 0 {
			p.Kind, p.ListedAs = l.Kind, l.ListedAs
		}
		if l.ListedAs == AsKAP { // offering KAP outranks being somebody's prescriber
			p.ListedAs = AsKAP
		}
		if p.Name.IsZero() && !l.Name.IsZero() {
			p.Name = l.Name
			note("name", l.Origin)
		} else if !l.Name.IsZero() && FoldName(l.Name) != FoldName(p.Name) {
			p.Former = appendName(p.Former, l.Name) // another spelling finds the person and is not shown
		}
		if p.Organisation == "" && l.Organisation != "" {
			p.Organisation = l.Organisation
			note("organisation", l.Origin)
		}
		for _, f := range l.Former {
			p.Former = appendName(p.Former, f)
		}
		if p.NPI == "" && l.NPI != "" {
			p.NPI = l.NPI
			note("npi", l.Origin)
		}
		if p.Website == "" && l.Website != "" {
			p.Website, p.WebOrigin = l.Website, l.Origin
		}
		for _, s := range l.Sites {
			p.Sites = appendSite(p.Sites, s, l.Origin)
		}
		fillPractice(&p.Practice, l.Practice, func(field string) { note("practice."+field, l.Origin) })
	}
	return p
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

func appendSite(sites []Site, s Site, o Origin) []Site {
	if s.Origin.Source == "" {
		s.Origin = o
	}
	for i, have := range sites {
		if Fold(have.Address.Line1) == Fold(s.Address.Line1) && have.Address.ZIP5() == s.Address.ZIP5() {
			if have.Phone == "" {
				sites[i].Phone = s.Phone
			}
			return sites
		}
	}
	return append(sites, s)
}

// fillPractice takes from src each field that dst does not have yet.
func fillPractice(dst *Practice, src Practice, took func(field string)) {
	phase := func(name string, d *Phase, s Phase) {
		if *d == (Phase{}) && s != (Phase{}) {
			*d = s
			took(name)
		}
	}
	phase("preparation", &dst.Preparation, src.Preparation)
	phase("medicine", &dst.Medicine, src.Medicine)
	phase("integration", &dst.Integration, src.Integration)
	fill(took, "routes", &dst.Routes, src.Routes)
	fill(took, "settings", &dst.Settings, src.Settings)
	fillOne(took, "model", &dst.Model, src.Model)
	fillOne(took, "presence", &dst.Presence, src.Presence)
	fill(took, "monitoring", &dst.Monitoring, src.Monitoring)
	fillOne(took, "vital_signs", &dst.VitalSigns, src.VitalSigns)
	fillOne(took, "emergency_plan", &dst.EmergencyPlan, src.EmergencyPlan)
	fillOne(took, "escort", &dst.Escort, src.Escort)
	fill(took, "screening", &dst.Screening, src.Screening)
	fill(took, "frameworks", &dst.Frameworks, src.Frameworks)
	fill(took, "focus", &dst.Focus, src.Focus)
	fill(took, "populations", &dst.Populations, src.Populations)
	fill(took, "formats", &dst.Formats, src.Formats)
	fill(took, "prices", &dst.Prices, src.Prices)
	fillOne(took, "superbill", &dst.Superbill, src.Superbill)
	fillOne(took, "sliding_scale", &dst.SlidingScale, src.SlidingScale)
	fill(took, "languages", &dst.Languages, src.Languages)
	fill(took, "access", &dst.Access, src.Access)
	if dst.Accepting == Unknown && src.Accepting != Unknown {
		dst.AcceptingAsOf, dst.Waitlist = src.AcceptingAsOf, src.Waitlist
	}
	fillOne(took, "accepting", &dst.Accepting, src.Accepting)
	fillOne(took, "telehealth", &dst.Telehealth, src.Telehealth)
	fill(took, "telehealth_in", &dst.TelehealthIn, src.TelehealthIn)
}

func fill[T any](took func(string), name string, dst *[]T, src []T) {
	if len(*dst) == 0 && len(src) > 0 {
		*dst = src
		took(name)
	}
}

func fillOne[T ~string](took func(string), name string, dst *T, src T) {
	if *dst == "" && src != "" {
		*dst = src
		took(name)
	}
}

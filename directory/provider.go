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
	Origins      map[string]Origin `json:"origins,omitempty"` // the source of each other field, by its JSON name: see FactRules
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

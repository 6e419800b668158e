package directory

// ProviderRef names a provider in a statement by a person: by its id, by NPI, or by a source's key, in
// that order; demo files cannot know ids, which are made anew in each store.
type ProviderRef struct {
	ID     ID     `json:"id,omitempty"`
	NPI    NPI    `json:"npi,omitempty"`
	Source string `json:"source,omitempty"`
	Key    string `json:"key,omitempty"`
}

// Attestation is what a provider or a prescriber tells us through a contact already proven to be
// theirs, or a document they send. Exactly one of its parts is set. It is evidence of class self, or
// document where a document's hash is given, and never of class source.
type Attestation struct {
	At       Instant     `json:"at"`
	Provider ProviderRef `json:"provider"`
	By       string      `json:"by"`   // provider, prescriber: who speaks
	Auth     string      `json:"auth"` // how they proved who they are: email_link, telephone_callback

	Oversight   *OversightStatement   `json:"oversight,omitempty"`
	Protocol    *ProtocolStatement    `json:"protocol,omitempty"`
	Certificate *CertificateStatement `json:"certificate,omitempty"`
	DEA         *DocumentStatement    `json:"dea,omitempty"`
}

// OversightStatement says that a therapist and a prescriber work together. Self: they are one person.
type OversightStatement struct {
	Prescriber ProviderRef `json:"prescriber"`
	Self       bool        `json:"self,omitempty"`
	From       Date        `json:"from,omitempty"`
	To         Date        `json:"to,omitempty"`
}

// ProtocolStatement is the structured attestation of check 4, with the hash of a protocol or consent
// document if one was sent.
type ProtocolStatement struct {
	Preparation Answer `json:"preparation,omitempty"`
	Presence    Answer `json:"presence,omitempty"`
	Monitoring  Answer `json:"monitoring,omitempty"`
	Emergency   Answer `json:"emergency,omitempty"`
	Integration Answer `json:"integration,omitempty"`
	SHA256      string `json:"sha256,omitempty"`
}

// CertificateStatement is a training certificate that a provider sent.
type CertificateStatement struct {
	Programme string `json:"programme"`
	Level     string `json:"level"` // attended, modules_complete, certificate, in_programme_register
	Completed Date   `json:"completed"`
	SHA256    string `json:"sha256"`
}

// DocumentStatement is a document seen and kept by its hash; a DEA number is never held.
type DocumentStatement struct {
	State   State  `json:"state"`
	Expires Date   `json:"expires"`
	SHA256  string `json:"sha256"`
}

// Decision is a staff member's review of the newest observation of a claim that nobody has settled.
type Decision struct {
	At       Instant     `json:"at"`
	Staff    string      `json:"staff"`
	Auth     string      `json:"auth"`
	Provider ProviderRef `json:"provider"`
	Kind     ClaimKind   `json:"kind"`
	Issuer   string      `json:"issuer,omitempty"`
	State    State       `json:"state,omitempty"`
	Number   string      `json:"number,omitempty"`
	Of       int64       `json:"of,omitempty"`    // the observation's number; 0 is the newest unsettled one
	Decision string      `json:"decision"`        // confirm, clear, return
	Field    string      `json:"field,omitempty"` // of clear: the identifier that differs
	Note     string      `json:"note,omitempty"`
}

// CaseKind says why something needs a person.
type CaseKind string

// The kinds of case, the most harmful first.
const (
	CaseExclusion     CaseKind = "possible_exclusion"
	CaseAdverse       CaseKind = "adverse"
	CaseConflict      CaseKind = "conflict"
	CaseIndeterminate CaseKind = "indeterminate"
	CaseDuplicate     CaseKind = "possible_duplicate"
	CaseFirst         CaseKind = "first_verification"
	CaseChange        CaseKind = "change"
)

// Case is something that a person must look at. It names what to look at and decides nothing.
type Case struct {
	ID       ID       `json:"id"`
	Kind     CaseKind `json:"kind"`
	Provider ID       `json:"provider"`
	Claim    ID       `json:"claim,omitempty"`
	Source   string   `json:"source,omitempty"`
	Key      string   `json:"key,omitempty"` // of the source's record
	Event    int64    `json:"event,omitempty"`
	Match    Match    `json:"match"`
	Opened   Instant  `json:"opened"`
	Closed   Instant  `json:"closed,omitempty"`
}

// Head is the newest number of the store and when it was given. Public is the newest number at which a
// public face could have changed: what nobody outside may notice does not move it.
type Head struct {
	Seq        int64   `json:"seq"`
	RecordedAt Instant `json:"recorded_at"`
	Public     int64   `json:"public"`
}

// Change says that what is known of a provider changed at a number. File is nil when the provider was
// withdrawn or merged: followers drop it.
type Change struct {
	Seq      int64
	Provider ID
	File     *CredentialFile
}

// SourceState says which release of a source is in force.
type SourceState struct {
	Source SourceInfo
	Run    Run // the newest completed run
	Held   int // records held
}

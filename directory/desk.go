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
	Agreement   *AgreementStatement   `json:"agreement,omitempty"`
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

// AgreementStatement says that the provider, a nurse practitioner or a physician assistant, practises in
// the state under an agreement with a physician, with the hash of the document if one was sent.
type AgreementStatement struct {
	Physician ProviderRef `json:"physician"`
	State     State       `json:"state"`
	From      Date        `json:"from,omitempty"`
	To        Date        `json:"to,omitempty"`
	SHA256    string      `json:"sha256,omitempty"`
}

// Decision is a staff member's decision about a case, or their review of the newest observation of a claim
// that nobody has settled. With Case, all that names a claim is left out and Seen is required: a decision
// about something that has moved on since it was looked at is refused.
type Decision struct {
	Case     ID          `json:"case,omitempty"`
	Seen     int64       `json:"seen,omitempty"` // the number that the person was shown: Dossier.Seen
	At       Instant     `json:"at"`
	Staff    string      `json:"staff"`
	Auth     string      `json:"auth"`
	Provider ProviderRef `json:"provider"`
	Kind     ClaimKind   `json:"kind"`
	Issuer   string      `json:"issuer,omitempty"`
	State    State       `json:"state,omitempty"`
	Number   string      `json:"number,omitempty"`
	Of       int64       `json:"of,omitempty"`    // the observation's number; 0 is the newest unsettled one
	Decision string      `json:"decision"`        // confirm, clear, return; of a case without an observation: distinct
	Field    string      `json:"field,omitempty"` // of clear: the identifier that differs
	Note     string      `json:"note,omitempty"`
}

// Act is anything else that a person does about a claim: a dispute, a correction, a void, a withdrawal.
type Act struct {
	Do    Deed    `json:"do"`
	At    Instant `json:"at"`
	Staff string  `json:"staff,omitempty"` // who; "" when the provider opens a dispute through a contact proven to be theirs
	Auth  string  `json:"auth"`
	Claim ID      `json:"claim,omitempty"`
	// Provider names, in place of a claim, the whole file: for a withdrawal and for voiding one.
	Provider ID     `json:"provider,omitempty"`
	Seen     int64  `json:"seen,omitempty"`     // the number of the claim's newest event that the person was shown; 0 only of a claim without any
	Of       int64  `json:"of,omitempty"`       // the event: the dispute, or what is corrected or voided
	Identity bool   `json:"identity,omitempty"` // of a dispute: the record is about somebody else
	Field    string `json:"field,omitempty"`    // of a dispute: what of the claim is wrong
	Note     string `json:"note,omitempty"`     // why; required of all that changes what was said
	To       *Fixed `json:"to,omitempty"`       // of a correction
}

// Fixed is what a corrected statement says, and what that was seen in. What is left empty stays as it was.
type Fixed struct {
	State       Observed `json:"state,omitempty"`
	SourceWords string   `json:"source_words,omitempty"`
	Number      string   `json:"number,omitempty"`
	Name        string   `json:"name,omitempty"`
	Issued      *Date    `json:"issued,omitempty"` // "" takes it away
	Expires     *Date    `json:"expires,omitempty"`
	Level       string   `json:"level,omitempty"`
	Completed   *Date    `json:"completed,omitempty"`
	By          []string `json:"by,omitempty"` // the identifiers that agree after all: npi, licence, birth, name …; makes the match exact

	Method string `json:"method"`        // how it was seen: web, phone, mail, upload
	URL    string `json:"url,omitempty"` // of web: where
	Text   string `json:"text"`          // what was seen or heard, in the source's words
}

// CaseKind says why something needs a person.
type CaseKind string

// The kinds of case, the most harmful first.
const (
	CaseExclusion     CaseKind = "possible_exclusion"
	CaseAdverse       CaseKind = "adverse"
	CaseExpired       CaseKind = "expired" // opened by time: see Standing.Ends
	CaseConflict      CaseKind = "conflict"
	CaseIndeterminate CaseKind = "indeterminate"
	CaseDuplicate     CaseKind = "possible_duplicate"
	CaseFirst         CaseKind = "first_verification"
	CaseChange        CaseKind = "change"
	CaseDispute       CaseKind = "dispute"
	CaseDocument      CaseKind = "reused_document" // bytes that another provider had sent before
	CaseFacts         CaseKind = "facts_differ"
	CaseRemoved       CaseKind = "possible_removed"
	CaseRemoval       CaseKind = "removal_request"
	CaseExpiring      CaseKind = "expiring" // opened by time
)

// CaseKinds lists the kinds in the order in which a person looks at them, with what each means and in how many
// business days it is decided: what is hidden or corrected on request in RemovalDays, all else in DecisionDays. The order
// is that of the harm that waiting does: what stands against somebody whom the public finds, then what a page says that
// may be so no longer, then whom it may be about, then what has left the page already, and last what would only add to it.
var CaseKinds = []struct {
	Kind  CaseKind
	Words string
	Days  int
}{
	{CaseExclusion, "a row of an exclusion list may be about the provider", DecisionDays},
	{CaseAdverse, "a register's answer stands against the provider, or may", DecisionDays},
	{CaseExpired, "what was confirmed ended by its own date, and nobody has looked it up since", DecisionDays},
	{CaseConflict, "an identifier agrees and the name does not, or two sources differ", DecisionDays},
	{CaseIndeterminate, "what the source says is no clear answer", DecisionDays},
	{CaseDocument, "a document stands in the files of two providers", DecisionDays},
	{CaseDuplicate, "two descriptions may be of one person", DecisionDays},
	{CaseChange, "a register's answer differs from the one that was confirmed", DecisionDays},
	{CaseRemoved, "a listing may be of somebody who was removed; it is not listed meanwhile", DecisionDays},
	{CaseRemoval, "somebody asks that a listing be removed or corrected", RemovalDays},
	{CaseDispute, "the provider says that something is wrong", DecisionDays},
	{CaseExpiring, "what was confirmed is about to end by its own date", DecisionDays},
	{CaseFirst, "a register's answer nobody has looked at yet", DecisionDays},
	{CaseFacts, "two sources of one class state a fact differently", DecisionDays},
}

// ByTime reports a kind whose cases time opens: no observation waits for a person, but the register is to be looked up
// anew. Nothing is decided about them; they close when newer evidence makes the answer another.
func (k CaseKind) ByTime() bool { return k == CaseExpired || k == CaseExpiring }

// Words says what the kind means.
func (k CaseKind) Words() string {
	for _, x := range CaseKinds {
		if x.Kind == k {
			return x.Words
		}
	}
	return string(k)
}

// Case is something that a person must look at. It names what to look at and decides nothing.
type Case struct {
	ID       ID       `json:"id"`
	Kind     CaseKind `json:"kind"`
	Provider ID       `json:"provider"`
	Claim    ID       `json:"claim,omitempty"`
	Source   string   `json:"source,omitempty"`
	Key      string   `json:"key,omitempty"`   // of the source's record
	Event    int64    `json:"event,omitempty"` // the observation, dispute or document; 0 of a candidate that only a name or two descriptions make
	Revision int64    `json:"revision"`        // of a case without an event: grows when what it is about changes
	Match    Match    `json:"match"`
	Opened   Instant  `json:"opened"`
	Closed   Instant  `json:"closed,omitempty"`
	Decided  int64    `json:"decided,omitempty"` // the event that closed it, of a case without an event
}

// Head is the newest number of the store and when it was given. Public is the newest number at which a
// public face could have changed: what nobody outside may notice does not move it.
type Head struct {
	Seq        int64   `json:"seq"`
	RecordedAt Instant `json:"recorded_at"`
	Public     int64   `json:"public"`
}

// Change says that what is known of a provider changed at a number. File is nil when the provider was
// withdrawn or merged, or is listed no more: followers drop it.
type Change struct {
	Seq        int64
	Provider   ID
	MergedInto ID // who stands for the provider since then; "" if nobody does
	File       *CredentialFile
}

// ChangePage is a piece of the change feed as one snapshot of the store has it. A follower that goes on from
// Next misses nothing and is told nothing twice, unless it changed again.
type ChangePage struct {
	Head    Head // of the same snapshot
	Changes []Change
	Next    int64 // the number to go on from: of the last change, or, where no more follow, Head.Public
	More    bool  // others follow at once
}

// SourceState says which release of a source is in force.
type SourceState struct {
	Source SourceInfo
	Run    Run // the newest completed run
	Held   int // records held
}

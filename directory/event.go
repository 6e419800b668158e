package directory

import (
	"encoding/json"
	"slices"
)

// EventVersion is the version of the event schema (directory/testdata/event.schema.json).
const EventVersion = 1

// EventType is what happened to a claim.
type EventType string

// The event types of domain.md §5.1.
const (
	Assert       EventType = "assert"        // somebody says it: a listing, the provider, a document
	Observe      EventType = "observe"       // a source was asked, and this is its answer
	Review       EventType = "review"        // a person confirms, clears or returns an observation
	Decide       EventType = "decide"        // a person decides about a whole file
	DisputeOpen  EventType = "dispute_open"  // the provider disputes it
	DisputeClose EventType = "dispute_close" //
	Correct      EventType = "correct"       // replaces the event it supersedes
	Void         EventType = "void"          // the event it supersedes was entered in error
	Takedown     EventType = "takedown"      // withdrawn from every public face
	PolicyChange EventType = "policy_change" // a new policy is in force
)

// EventTypes lists every type.
var EventTypes = []EventType{Assert, Observe, Review, Decide, DisputeOpen, DisputeClose, Correct, Void, Takedown, PolicyChange}

// Observed is the state a source reports for a claim.
type Observed string

// The states of observe.body (domain.md §5.1). Indeterminate is a status word that no table explains:
// a person reads it, and until then it counts as bad news.
const (
	SeenActive        Observed = "active"
	SeenRestricted    Observed = "restricted"
	SeenProbation     Observed = "probation"
	SeenSuspended     Observed = "suspended"
	SeenRevoked       Observed = "revoked"
	SeenSurrendered   Observed = "surrendered"
	SeenInactive      Observed = "inactive"
	SeenRetired       Observed = "retired"
	SeenExpired       Observed = "expired"
	SeenPending       Observed = "pending"
	SeenNotFound      Observed = "not_found"
	SeenUnavailable   Observed = "unavailable"
	SeenClear         Observed = "clear"
	SeenPossible      Observed = "possible"
	SeenExcluded      Observed = "excluded"
	SeenReinstated    Observed = "reinstated"
	SeenIndeterminate Observed = "indeterminate"
)

// Adverse reports a state that stands against the person and that time never clears.
func (o Observed) Adverse() bool {
	switch o {
	case SeenRestricted, SeenProbation, SeenSuspended, SeenRevoked, SeenSurrendered, SeenExcluded:
		return true
	}
	return false
}

// Good reports a state that could lift a claim.
func (o Observed) Good() bool {
	return o == SeenActive || o == SeenClear || o == SeenReinstated
}

// ActorKind is who acts.
type ActorKind string

// The kinds of actor.
const (
	Tool       ActorKind = "tool"
	Staff      ActorKind = "staff"
	ByProvider ActorKind = "provider"
	ByIssuer   ActorKind = "issuer"
)

// Actor is who made an event, and by what proof of who they are.
type Actor struct {
	Kind    ActorKind `json:"kind"`
	ID      string    `json:"id"`                // tool name, staff id, provider id, issuer id
	Version string    `json:"version,omitempty"` // of a tool
	Auth    string    `json:"auth,omitempty"`    // how a person proved who they are
}

// same reports whether two actors are one person.
func (a Actor) same(b Actor) bool { return a.Kind == b.Kind && a.ID == b.ID }

// Event is one immutable entry of the ledger. Seq and RecordedAt are the ledger's to give.
type Event struct {
	V           int       `json:"v"`
	Seq         int64     `json:"seq"`
	RecordedAt  Instant   `json:"recorded_at"`
	PerformedAt Instant   `json:"performed_at"`
	Type        EventType `json:"type"`
	Claim       ID        `json:"claim,omitempty"`
	Actor       Actor     `json:"actor"`
	Evidence    []string  `json:"evidence,omitempty"` // SHA-256 of each
	Policy      string    `json:"policy,omitempty"`
	Reason      []string  `json:"reason,omitempty"`
	Supersedes  int64     `json:"supersedes,omitempty"`
	Body        Body      `json:"body"`
}

// Body is what an event says. Which fields may stand depends on the type; a field that is absent was
// not stated, which is never the same as no.
type Body struct {
	// of assert, observe and correct
	Match        Rung        `json:"match,omitempty"`
	By           []string    `json:"by,omitempty"`      // the identifiers that agreed: npi, licence, name, phone …
	Against      []string    `json:"against,omitempty"` // the identifiers that contradicted
	State        Observed    `json:"state,omitempty"`
	Class        SourceClass `json:"class,omitempty"`
	Source       string      `json:"source,omitempty"`
	SourceAsOf   Date        `json:"source_as_of,omitempty"`
	Release      string      `json:"release,omitempty"`
	SourceWords  string      `json:"source_words,omitempty"`
	Number       string      `json:"number,omitempty"`
	Name         string      `json:"name,omitempty"`
	Issued       Date        `json:"issued,omitempty"`
	Expires      Date        `json:"expires,omitempty"`
	Restrictions []string    `json:"restrictions,omitempty"`
	ActionDate   Date        `json:"action_date,omitempty"`
	Link         string      `json:"link,omitempty"`

	// of training
	Programme string `json:"programme,omitempty"`
	Version   string `json:"version,omitempty"`
	Level     string `json:"level,omitempty"`
	Completed Date   `json:"completed,omitempty"`

	// of oversight
	Side       string `json:"side,omitempty"` // provider, prescriber
	Prescriber ID     `json:"prescriber,omitempty"`
	From       Date   `json:"from,omitempty"`
	To         Date   `json:"to,omitempty"`

	// of protocol
	Preparation Answer `json:"preparation,omitempty"`
	Presence    Answer `json:"presence,omitempty"`
	Monitoring  Answer `json:"monitoring,omitempty"`
	Emergency   Answer `json:"emergency,omitempty"`
	Integration Answer `json:"integration,omitempty"`

	// of review, decide and disputes
	Of       int64  `json:"of,omitempty"`       // the number of the observation it speaks of
	Decision string `json:"decision,omitempty"` // confirm, clear, return; accept, decline, distinct, same, keep, take; identity
	Field    string `json:"field,omitempty"`    // of clear: the identifier that differs
	Note     string `json:"note,omitempty"`     // for staff, never public
	Other    ID     `json:"other,omitempty"`    // of distinct and same: the other provider
}

// Validate checks what an event must have before the ledger takes it.
func (e Event) Validate() error {
	switch {
	case e.V != EventVersion:
		return Errorf(Invalid, "v", "event version %d is not %d", e.V, EventVersion)
	case !slices.Contains(EventTypes, e.Type):
		return Errorf(Invalid, "type", "%q is not an event type", e.Type)
	case e.PerformedAt == "":
		return Errorf(Invalid, "performed_at", "an event says when it was performed")
	case e.Actor.Kind == "" || e.Actor.ID == "":
		return Errorf(Invalid, "actor", "an event says who performed it")
	case e.Claim == "" && e.Type != PolicyChange:
		return Errorf(Invalid, "claim", "an event speaks of a claim")
	case (e.Type == Void || e.Type == Correct) && e.Supersedes == 0:
		return Errorf(Invalid, "supersedes", "%s names the event it replaces", e.Type)
	case e.Type == Review && (e.Body.Of == 0 || !slices.Contains([]string{"confirm", "clear", "return"}, e.Body.Decision)):
		return Errorf(Invalid, "body", "a review names an observation and confirms, clears or returns it")
	case e.Type == Review && e.Body.Decision == "clear" && e.Body.Field == "":
		return Errorf(Invalid, "body.field", "to clear a candidate, name the identifier that differs")
	case (e.Type == Review || e.Type == Decide) && e.Actor.Kind != Staff:
		return Errorf(Refused, "actor", "only a staff member reviews or decides")
	case e.Type == Observe && (e.Body.State == "" || e.Body.Source == ""):
		return Errorf(Invalid, "body", "an observation has a state and a source")
	case e.Type == Observe && len(e.Evidence) == 0 && e.Body.State != SeenUnavailable:
		return Errorf(Invalid, "evidence", "an observation rests on evidence")
	case e.Type == Assert && (e.Body.Class == "" || e.Body.Class == ClassSource):
		return Errorf(Invalid, "body.class", "an assertion is of class self, listing or document")
	}
	return nil
}

// JSON returns the event in the exact form of the ledger and of the audit export: one line.
func (e *Event) JSON() ([]byte, error) { return json.Marshal(e) }

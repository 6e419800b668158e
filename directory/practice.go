package directory

import "slices"

// Answer is yes, no, or not known. The zero value is Unknown: nobody said. It is never taken for no.
type Answer string

// The three answers.
const (
	Unknown Answer = ""
	Yes     Answer = "yes"
	No      Answer = "no"
)

// CareType says what a practice does with ketamine, computed from its phases (domain.md §8).
type CareType string

// The care types. Full KAP stands before infusion by default.
const (
	CareUnknown          CareType = "unknown"
	CareFullKAP          CareType = "full_kap"                // preparation, medicine session with a therapist present, integration
	CareInfusionCheckIns CareType = "infusion_with_check_ins" // medicine with some, but not all, of the therapy around it
	CareInfusionOnly     CareType = "infusion_only"           // medicine without preparation and without integration
)

// CareTypes lists the care types in the order a page shows them.
var CareTypes = []CareType{CareFullKAP, CareInfusionCheckIns, CareInfusionOnly, CareUnknown}

// Origin says which source stated a fact, where, and how old the statement is.
type Origin struct {
	Source string `json:"source"`          // id in data/sources.csv
	URL    string `json:"url,omitempty"`   // the page, if it has one
	AsOf   Date   `json:"as_of,omitempty"` // the source's own date, or the day it was read
}

// Phase is one of the three phases of KAP as a practice offers it. A zero count or length is not known.
type Phase struct {
	Offered     Answer `json:"offered,omitempty"`
	SessionsMin int    `json:"sessions_min,omitempty"`
	SessionsMax int    `json:"sessions_max,omitempty"`
	MinutesMin  int    `json:"minutes_min,omitempty"`
	MinutesMax  int    `json:"minutes_max,omitempty"`
}

// Presence says where the therapist is during the medicine session.
type Presence string

// The kinds of presence; "" is not known.
const (
	PresenceInRoom Presence = "in_room"
	PresenceVideo  Presence = "video"
	PresenceOnSite Presence = "on_site_not_in_room"
	PresenceNone   Presence = "none"
)

// PriceItem is one component of what a course costs, in whole cents.
type PriceItem struct {
	Component string `json:"component"` // intake, prescriber_visit, preparation, medicine_session, integration, medication, package
	MinCents  int64  `json:"min_cents"`
	MaxCents  int64  `json:"max_cents"`
	Currency  string `json:"currency"` // USD
	Origin    Origin `json:"origin"`
}

// Practice is how a provider does ketamine-assisted psychotherapy, as sources state it. An empty list
// or answer means that nobody said, never that it is not so. The words of the lists are those of
// domain.md §8; Vocabulary has them all.
type Practice struct {
	Preparation   Phase       `json:"preparation"`
	Medicine      Phase       `json:"medicine"`
	Integration   Phase       `json:"integration"`
	Routes        []string    `json:"routes,omitempty"`
	Settings      []string    `json:"settings,omitempty"` // home_remote is at home
	Model         string      `json:"model,omitempty"`
	Presence      Presence    `json:"presence,omitempty"`
	Monitoring    []string    `json:"monitoring,omitempty"`
	VitalSigns    Answer      `json:"vital_signs,omitempty"`
	EmergencyPlan Answer      `json:"emergency_plan,omitempty"`
	Escort        Answer      `json:"escort,omitempty"`
	Screening     []string    `json:"screening,omitempty"` // what the practice says it screens for; never used to screen a visitor
	Frameworks    []string    `json:"frameworks,omitempty"`
	Focus         []string    `json:"focus,omitempty"` // what the provider says it works with, not what it treats
	Populations   []string    `json:"populations,omitempty"`
	Formats       []string    `json:"formats,omitempty"`
	Prices        []PriceItem `json:"prices,omitempty"`
	Superbill     Answer      `json:"superbill,omitempty"`
	SlidingScale  Answer      `json:"sliding_scale,omitempty"`
	Languages     []string    `json:"languages,omitempty"` // lower-case English names
	Access        []string    `json:"access,omitempty"`
	Accepting     Answer      `json:"accepting,omitempty"`
	Waitlist      Answer      `json:"waitlist,omitempty"`
	AcceptingAsOf Date        `json:"accepting_as_of,omitempty"`
	Telehealth    Answer      `json:"telehealth,omitempty"`
	TelehealthIn  []State     `json:"telehealth_in,omitempty"` // states named for telehealth; what is allowed there is for check 1 and 3
}

// CareType computes what the practice is from what is stated. Infusion is named only when a source says
// that preparation or integration is not offered, or that nobody is with the patient: silence is unknown.
func (p Practice) CareType() CareType {
	prep, integ := p.Preparation.Offered, p.Integration.Offered
	present := Unknown
	switch p.Presence {
	case PresenceInRoom, PresenceVideo:
		present = Yes
	case PresenceOnSite, PresenceNone:
		present = No
	}
	switch {
	case p.Medicine.Offered == No:
		return CareUnknown
	case prep == Yes && integ == Yes && present != No && p.Medicine.Offered == Yes:
		return CareFullKAP
	case prep == No && integ == No:
		return CareInfusionOnly
	case p.Medicine.Offered == Yes && (prep == No || integ == No || present == No) && (prep == Yes || integ == Yes):
		return CareInfusionCheckIns
	}
	return CareUnknown
}

// SessionPrice returns the range of one medicine session in cents; ok is false when nobody states it.
func (p Practice) SessionPrice() (low, high int64, ok bool) {
	for _, it := range p.Prices {
		if it.Component != "medicine_session" {
			continue
		}
		if !ok || it.MinCents < low {
			low = it.MinCents
		}
		high, ok = max(high, it.MaxCents), true
	}
	return low, high, ok
}

// Vocabulary holds the words each list of a Practice may use, in the order a page shows them.
// Importers map a source's words to these and keep what has no word in quarantine, field by field.
var Vocabulary = map[string][]string{
	"route":      {"sublingual_lozenge", "oral", "intramuscular", "intravenous", "subcutaneous", "intranasal_compounded", "esketamine"},
	"setting":    {"clinic_in_person", "therapist_office", "home_remote", "retreat"},
	"model":      {"single_clinician_dual_role", "in_house_team", "collaborative_external_prescriber", "infusion_clinic_with_therapist"},
	"presence":   {"in_room", "video", "on_site_not_in_room", "none"},
	"monitoring": {"blood_pressure", "heart_rate", "oxygen", "observer", "acls_on_site", "bls_on_site"},
	"screening": {"uncontrolled_hypertension", "cardiovascular", "psychosis", "mania", "pregnancy", "active_substance_use", "raised_intracranial_pressure",
		"liver", "bladder", "interacting_medicines"},
	"framework":  {"act", "ifs", "somatic_experiencing", "psychodynamic", "mindfulness", "emdr", "cbt", "other"},
	"focus":      {"trauma", "depression", "anxiety", "substance_use", "end_of_life", "growth", "other"},
	"population": {"adult", "older_adult", "veteran", "first_responder", "lgbtq", "adolescent"},
	"format":     {"individual", "couple", "group"},
	"access":     {"wheelchair", "asl", "low_sensory", "gender_neutral_restroom", "public_transport"},
	"price":      {"intake", "prescriber_visit", "preparation", "medicine_session", "integration", "medication", "package"},
}

// remote reports that sessions or prescribing happen without both being in one room.
func (p Practice) remote() bool {
	return p.Telehealth == Yes || len(p.TelehealthIn) > 0 || slices.Contains(p.Settings, "home_remote")
}

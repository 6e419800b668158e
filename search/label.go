package search

import (
	"strings"

	"kapdir/directory"
)

// labels holds the words for values that do not read well as they are. Every word of
// directory.Vocabulary has one, which a test holds.
var labels = map[string]map[string]string{
	"": {
		"state": "State", "care": "Kind of care", "check": "Checks", "accepting": "Taking new patients", "focus": "Works with", "framework": "Therapy approach",
		"population": "Works with people who are", "route": "How ketamine is given", "setting": "Setting", "video": "Sessions by video", "payment": "Payment", "format": "Format", "language": "Language",
		"licence": "Profession", "programme": "KAP training", "model": "Model of practice", "presence": "Therapist during the session", "monitoring": "Monitoring",
		"screening": "Screens for", "access": "Accessibility", "price": "Price of",
	},
	"care": {"full_kap": "Full KAP: preparation, session with a therapist, integration", "infusion_with_check_ins": "Infusion with some therapy around it",
		"infusion_only": "Infusion only", "unknown": "Not stated"},
	"accepting": {"yes": "Yes", "waitlist": "Waiting list", "no": "Not at present", "unknown": "Not stated"},
	"route": {"sublingual_lozenge": "Lozenge under the tongue", "oral": "Swallowed", "intramuscular": "Injection into a muscle", "intravenous": "IV infusion",
		"subcutaneous": "Injection under the skin", "intranasal_compounded": "Compounded nasal spray", "esketamine": "Esketamine (Spravato) nasal spray"},
	"video":   {"yes": "Offered", "no": "Not offered"},
	"payment": {"sliding_scale": "Sliding scale", "superbill": "Superbill for an insurer"},
	"setting": {"clinic_in_person": "In person at a clinic", "therapist_office": "In person at a therapist's office", "home_remote": "At home, by video", "retreat": "Retreat"},
	"model": {"single_clinician_dual_role": "One clinician in both roles", "in_house_team": "Therapist and prescriber in one practice",
		"collaborative_external_prescriber": "Therapist with a prescriber elsewhere", "infusion_clinic_with_therapist": "Infusion clinic with a therapist"},
	"presence": {"in_room": "In the room", "video": "By video", "on_site_not_in_room": "On site, not in the room", "none": "Not there"},
	"monitoring": {"blood_pressure": "Blood pressure", "heart_rate": "Heart rate", "oxygen": "Oxygen", "observer": "An observer", "acls_on_site": "Advanced life support on site",
		"bls_on_site": "Basic life support on site"},
	"screening": {"uncontrolled_hypertension": "Uncontrolled high blood pressure", "cardiovascular": "Heart and circulation", "psychosis": "Psychosis", "mania": "Mania",
		"pregnancy": "Pregnancy", "active_substance_use": "Active substance use", "raised_intracranial_pressure": "Raised pressure in the skull", "liver": "Liver",
		"bladder": "Bladder", "interacting_medicines": "Interacting medicines"},
	"framework": {"act": "Acceptance and Commitment Therapy (ACT)", "ifs": "Internal Family Systems (IFS)", "somatic_experiencing": "Somatic Experiencing",
		"psychodynamic": "Psychodynamic", "mindfulness": "Mindfulness", "emdr": "EMDR", "cbt": "Cognitive Behavioral Therapy (CBT)", "other": "Another approach"},
	"focus": {"trauma": "Trauma and PTSD", "depression": "Depression", "anxiety": "Anxiety", "substance_use": "Substance use", "end_of_life": "End of life",
		"growth": "Personal growth", "other": "Something else"},
	"population": {"adult": "Adults", "older_adult": "Older adults", "veteran": "Veterans", "first_responder": "First responders", "lgbtq": "LGBTQ+ people",
		"adolescent": "Adolescents"},
	"format": {"individual": "Individual", "couple": "Couples", "group": "Groups"},
	"access": {"wheelchair": "Wheelchair access", "asl": "American Sign Language", "low_sensory": "Low-sensory space", "gender_neutral_restroom": "Gender-neutral restroom",
		"public_transport": "Near public transport"},
	"price": {"intake": "Intake", "prescriber_visit": "Prescriber visit", "preparation": "Preparation session", "medicine_session": "Medicine session",
		"integration": "Integration session", "medication": "Medication", "package": "Package"},
	"licence": {"clinical_social_work": "Clinical social worker", "counselling": "Counselor", "physician": "Physician", "marriage_family": "Marriage and family therapist",
		"psychologist": "Psychologist", "psychiatrist": "Psychiatrist", "nurse_practitioner": "Nurse practitioner", "psych_np": "Psychiatric nurse practitioner",
		"physician_assistant": "Physician assistant", "nurse": "Nurse", "other": "Another licence"},
}

var checkLabels = map[directory.CheckName]string{
	directory.CheckLicense: "Licence", directory.CheckTraining: "KAP training", directory.CheckOversight: "Medical oversight",
	directory.CheckProtocol: "KAP protocol", directory.CheckRecord: "Record",
}

var resultLabels = map[directory.CheckResult]string{
	directory.ProblemOnRecord: "problem on record", directory.BeingChecked: "being checked", directory.NotMet: "not met", directory.OutOfDate: "out of date",
	directory.NoRecordFound: "no record found", directory.CouldNotCheck: "could not check", directory.NotChecked: "not checked",
	directory.StatedInListing: "stated in a listing", directory.StatedByProvider: "stated by the provider", directory.ShownByDocument: "shown by a document",
	directory.Confirmed: "confirmed",
}

// FacetLabel returns the words for a facet, or for another list of directory.Vocabulary.
func FacetLabel(name string) string { return labels[""][name] }

// Label returns the words for a value of a facet, or of another list of directory.Vocabulary. A value
// nobody has given words to is written with its underscores as blanks.
func Label(facet, value string) string {
	if l, ok := labels[facet][value]; ok {
		return l
	}
	switch facet {
	case "state":
		return directory.State(value).Name()
	case "language":
		return titled(value)
	case "licence":
		if value == strings.ToUpper(value) {
			return value
		}
	case "programme":
		for _, p := range directory.Tables().Programmes() {
			if p.ID == value {
				return p.Name
			}
		}
	case "check":
		name, result, _ := strings.Cut(value, ":")
		if c, ok := checkLabels[directory.CheckName(name)]; ok {
			return c + ": " + resultLabels[directory.CheckResult(result)]
		}
	}
	words := strings.ReplaceAll(value, "_", " ")
	if words == "" {
		return ""
	}
	r := []rune(words)
	return strings.ToUpper(string(r[:1])) + string(r[1:])
}

// titled writes a language's name: haitian creole is Haitian Creole.
func titled(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		r := []rune(w)
		words[i] = strings.ToUpper(string(r[:1])) + string(r[1:])
	}
	return strings.Join(words, " ")
}

// isProfession reports a value of the facet licence that is a profession, not a licence's letters.
func isProfession(v string) bool {
	_, ok := labels["licence"][v]
	return ok
}

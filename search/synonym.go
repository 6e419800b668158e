package search

// synonyms holds what people call a value when they search. They are matched and never shown, and they
// say nothing of what a provider does beyond the value itself.
var synonyms = map[string]map[string]string{
	"framework": {
		"act": "acceptance commitment therapy", "ifs": "internal family systems parts work", "somatic_experiencing": "somatic body",
		"psychodynamic": "psychodynamic psychoanalytic depth", "mindfulness": "mindful meditation mbsr", "emdr": "eye movement desensitization reprocessing",
		"cbt": "cognitive behavioral behavioural therapy",
	},
	"focus": {
		"trauma": "trauma ptsd cptsd posttraumatic traumatic abuse", "depression": "depressed depressive mdd trd", "anxiety": "anxious gad panic worry ocd",
		"substance_use": "addiction alcohol opioid recovery drug sud", "end_of_life": "palliative hospice cancer terminal dying existential grief",
		"growth": "personal spiritual psychospiritual",
	},
	"route": {
		"sublingual_lozenge": "troche rdt lozenges tablet", "oral": "swallowed tablet", "intramuscular": "im injection shot", "intravenous": "iv infusion infusions drip",
		"subcutaneous": "sc subq injection", "intranasal_compounded": "nasal spray nose", "esketamine": "spravato nasal spray",
	},
	"setting":    {"clinic_in_person": "office", "therapist_office": "office person", "home_remote": "at-home", "retreat": "retreats residential"},
	"population": {"adult": "adults", "older_adult": "older senior seniors elderly", "veteran": "veterans military va", "first_responder": "police fire firefighter ems paramedic", "lgbtq": "lgbt gay lesbian bisexual transgender trans queer", "adolescent": "teen teens teenager adolescents youth"},
	"format":     {"couple": "couples marriage relationship", "group": "groups"},
	"access":     {"asl": "american sign language deaf", "wheelchair": "accessible", "low_sensory": "autism sensory"},
	"care":       {"full_kap": "integration preparation", "infusion_with_check_ins": "infusion clinic", "infusion_only": "infusion clinic"},
	"language":   {"spanish": "espanol", "french": "francais", "portuguese": "portugues", "german": "deutsch", "chinese": "mandarin cantonese"},
	"licence": {
		"clinical_social_work": "social work", "counselling": "counsellor counseling lpc", "physician": "doctor md", "marriage_family": "couples family therapy mft",
		"psychologist": "psychology doctor", "psychiatrist": "psychiatry doctor md", "nurse_practitioner": "np nurse", "psych_np": "pmhnp np psychiatry nurse",
		"physician_assistant": "pa associate", "nurse": "rn",
	},
}

package directory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestTitleCollisions holds the letters that mean different things in different states. An empty
// profession is "unknown, never guessed": the state has no such licence, or two that the letters fit.
func TestTitleCollisions(t *testing.T) {
	tables := Tables()
	for _, tt := range []struct {
		letters, profession string
		tier                Tier
		states              []State
	}{
		// ACSW: California's associates write it; elsewhere it is a membership and no licence at all.
		{"ACSW", "clinical_social_work", Supervised, []State{"CA"}},
		{"ACSW", "", "", []State{"CO", "TX", "NY", "OH", "MA"}},

		// LP: psychologist; in New York a psychoanalyst, which is no licence of this directory.
		{"LP", "psychologist", Independent, []State{"TX", "MN", "MI", "KS"}},
		{"LP", "other", NotMH, []State{"NY"}},
		{"LP", "", "", []State{"CO", "CA", "OH"}},

		// LAC: associate counsellor, addiction counsellor or acupuncturist.
		{"LAC", "counselling", Supervised, []State{"AZ", "AR", "NJ"}},
		{"L.A.C.", "counselling", Supervised, []State{"AZ"}},
		{"LAC", "other", NotMH, []State{"CO", "CA"}},
		{"L.Ac.", "other", NotMH, []State{"CA"}},
		{"LAC", "", "", []State{"TX", "NY", "OR"}},

		// LPA: a psychological associate, who is supervised.
		{"LPA", "psychologist", Supervised, []State{"TX", "NC", "AK"}},
		{"LPA", "", "", []State{"CO", "CA"}},

		// LPCC: a candidate in Colorado, the independent licence elsewhere.
		{"LPCC", "counselling", Supervised, []State{"CO"}},
		{"LPCC", "counselling", Independent, []State{"OH", "CA", "KY", "MN", "ND", "NM"}},
		{"LPCC", "", "", []State{"TX", "NY", "FL"}},

		// LPC: the lower tier in four states.
		{"LPC", "counselling", Supervised, []State{"OH", "IL", "KS", "MN"}},
		{"LPC", "counselling", Independent, []State{"CO", "TX", "AZ", "GA", "PA", "OR", "VA", "LA"}},
		{"LPC", "", "", []State{"CA", "NY", "FL", "WA"}},
		{"LCPC", "counselling", Independent, []State{"IL", "MD", "ME", "KS"}},

		// LMHC: the lower tier in New Mexico.
		{"LMHC", "counselling", Supervised, []State{"NM"}},
		{"LMHC", "counselling", Independent, []State{"FL", "NY", "MA", "WA", "IA", "IN"}},
		{"LMHC", "", "", []State{"CO", "TX", "CA"}},

		// LMSW: independent in Michigan only, no clinical licence in Virginia.
		{"LMSW", "clinical_social_work", Independent, []State{"MI"}},
		{"LMSW", "clinical_social_work", Supervised, []State{"TX", "NY", "AZ", "GA", "MD"}},
		{"LMSW", "clinical_social_work", NotMH, []State{"VA"}},
		{"LMSW", "", "", []State{"CO", "CA"}},

		// LCSW: not independent in Massachusetts, Rhode Island and West Virginia, not clinical in Maryland.
		{"LCSW", "clinical_social_work", Supervised, []State{"MA", "RI", "WV"}},
		{"LCSW", "clinical_social_work", NotMH, []State{"MD"}},
		{"LCSW", "clinical_social_work", Independent, []State{"CO", "TX", "CA", "NY", "IL", "VA", "FL", "OR"}},
		{"LCSW", "", "", []State{"OH", "WA", "MN"}},
		{"LICSW", "clinical_social_work", Independent, []State{"MA", "RI", "WA", "MN", "AL", "DC", "NH", "VT", "WV"}},
		{"LCSW-C", "clinical_social_work", Independent, []State{"MD"}},
		{"LCSW-R", "clinical_social_work", Independent, []State{"NY"}},
		{"LISW", "clinical_social_work", Independent, []State{"OH", "IA"}},
		{"LISW", "clinical_social_work", Supervised, []State{"MN"}},
		{"LSCSW", "clinical_social_work", Independent, []State{"KS"}},

		// CMHC and CSW.
		{"CMHC", "counselling", Independent, []State{"UT"}},
		{"CMHC", "", "", []State{"CO", "TX", "NY"}},
		{"CSW", "clinical_social_work", Independent, []State{"CO"}},
		{"CSW", "clinical_social_work", Supervised, []State{"UT", "KY"}},
		{"CSW", "clinical_social_work", NotMH, []State{"WI"}},
		{"CSW", "", "", []State{"TX", "CA"}},
		{"CSW-PIP", "clinical_social_work", Independent, []State{"SD"}},

		// Supervisor letters are the licence itself, and higher, not lower.
		{"LPC-S", "counselling", Independent, []State{"TX"}},
		{"LCSW-S", "clinical_social_work", Independent, []State{"TX"}},
		{"LPCC-S", "counselling", Independent, []State{"OH"}},
		{"LICSW-S", "clinical_social_work", Independent, []State{"AL"}},

		// PA, MD and DO as licence letters; MA is never a licence.
		{"PA", "physician_assistant", PrescriberTier, []State{"TX", "PA", "CO", "MD"}},
		{"PA-C", "physician_assistant", PrescriberTier, []State{"TX", "CA"}},
		{"MD", "physician", PrescriberTier, []State{"MD", "CO", "TX", "NY"}},
		{"DO", "physician", PrescriberTier, []State{"CO", "TX", "OH"}},
		{"MA", "", "", []State{"MA", "CO", "TX"}},
		{"PhD", "", "", []State{"CO", "TX"}},
	} {
		for _, s := range tt.states {
			got, ok := tables.Title(s, tt.letters)
			switch {
			case tt.profession == "" && ok:
				t.Errorf("%s in %s is %s %s, want unknown", tt.letters, s, got.Profession, got.Tier)
			case tt.profession != "" && (got.Profession != tt.profession || got.Tier != tt.tier):
				t.Errorf("%s in %s is %q %q, want %s %s", tt.letters, s, got.Profession, got.Tier, tt.profession, tt.tier)
			}
		}
	}
}

// TestTitleNeedsState holds that no state, no licence.
func TestTitleNeedsState(t *testing.T) {
	for _, s := range []State{"", "XX", "ZZ", "co"} {
		if got, ok := Tables().Title(s, "LCSW"); ok {
			t.Errorf("LCSW in %q is %+v", s, got)
		}
	}
	for _, word := range []string{"", " ", ".", "Therapist", "Psychotherapist", "Licensed", "Counselor", "Life Coach", "Reiki Master"} {
		if got, ok := Tables().Title("CO", word); ok {
			t.Errorf("%q in Colorado is %+v", word, got)
		}
	}
}

// TestTitleEligible holds that letters never make a title eligible: only a confirmed independent row does,
// and every eligible row has a source and a day.
func TestTitleEligible(t *testing.T) {
	letters := []string{"ACSW", "LP", "LAC", "LPA", "LPCC", "LPC", "LMHC", "LMSW", "LCSW", "LICSW", "CMHC", "CSW", "PA", "DO", "MA", "MD", "NP", "PMHNP", "PSY", "LMFT", "RN", "CRNA"}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(Tables().States()).Draw(t, "state")
		title, ok := Tables().Title(s, rapid.SampledFrom(letters).Draw(t, "letters"))
		if !ok {
			return
		}
		if title.State != s {
			t.Fatalf("asked of %s, told of %s", s, title.State)
		}
		if title.Eligible() && (title.Tier != Independent || title.SourceURL == "" || title.Checked == "") {
			t.Fatalf("eligible: %+v", title)
		}
		if title.MayPrescribe() && title.Tier == Independent && title.Profession != "psych_np" && title.Profession != "psychiatrist" {
			t.Fatalf("a prescriber who is a psychotherapist by licence: %+v", title)
		}
	})
	for _, tt := range []struct {
		state State
		word  string
	}{{"CO", "LPCC"}, {"MA", "LCSW"}, {"RI", "LCSW"}, {"NM", "LMHC"}, {"OH", "LPC"}, {"TX", "LPA"}, {"TX", "LMSW"}, {"CO", "MD"}, {"CO", "LAC"}, {"CO", "Psychiatrist"}, {"MD", "LCSW"}} {
		if title, _ := Tables().Title(tt.state, tt.word); title.Eligible() {
			t.Errorf("%s in %s is eligible: %+v", tt.word, tt.state, title)
		}
	}
	for _, tt := range []struct {
		state State
		word  string
	}{{"CO", "LCSW"}, {"CO", "LPC"}, {"CO", "PSY"}, {"CO", "LMFT"}, {"TX", "LPC"}, {"TX", "LPC-S"}, {"TX", "LCSW"}, {"TX", "LMFT"}, {"OH", "LPCC"}, {"NM", "LPCC"}, {"MA", "LICSW"}, {"VA", "LCSW"}} {
		if title, _ := Tables().Title(tt.state, tt.word); !title.Eligible() {
			t.Errorf("%s in %s is not eligible: %+v", tt.word, tt.state, title)
		}
	}
}

// TestNameCollisions holds letters behind a name that are a credential in one place and a state, a
// company or a surname in another: position decides, and where it does not, the letters stay text.
func TestNameCollisions(t *testing.T) {
	for in, want := range map[string]Name{
		// PA: physician assistant, Pennsylvania, Professional Association.
		"Jane Doe, PA":                    {Given: "Jane", Family: "Doe", Credentials: []string{"PA"}},
		"Jane Doe, MPAS, PA-C":            {Given: "Jane", Family: "Doe", Credentials: []string{"MPAS", "PA-C"}},
		"Jane Doe, MS, P.A.":              {Given: "Jane", Family: "Doe", Credentials: []string{"MS", "PA"}},
		"Jane Doe, LCSW, Erie, PA":        {Given: "Jane", Family: "Doe", Credentials: []string{"LCSW"}, Other: "Erie PA"},
		"Jane Doe, LCSW, PA":              {Given: "Jane", Family: "Doe", Credentials: []string{"LCSW"}, Other: "PA"},
		"John Smith, M.D., P.A.":          {Given: "John", Family: "Smith", Credentials: []string{"MD"}, Other: "P.A."},
		"Jane Doe, PhD, P.A.":             {Given: "Jane", Family: "Doe", Credentials: []string{"PhD"}, Other: "P.A."},
		"Jane Doe, MD, PA, FACS":          {Given: "Jane", Family: "Doe", Credentials: []string{"MD", "FACS"}, Other: "PA"},
		"Pa Vang, LMFT":                   {Given: "Pa", Family: "Vang", Credentials: []string{"LMFT"}},
		"Jane Doe, MPAS, PA, CAQ-Psych":   {Given: "Jane", Family: "Doe", Credentials: []string{"MPAS", "PA", "CAQ-PSYCH"}},
		"Jane Doe, Physician Assistant":   {Given: "Jane", Family: "Doe", Other: "Physician Assistant"},
		"Jane Doe, RN, MSN, PMHNP-BC":     {Given: "Jane", Family: "Doe", Credentials: []string{"RN", "MSN", "PMHNP-BC"}},
		"Jane Doe, LCSW, PLLC":            {Given: "Jane", Family: "Doe", Credentials: []string{"LCSW"}, Other: "PLLC"},
		"Jane Doe, LPC, Pittsburgh PA":    {Given: "Jane", Family: "Doe", Credentials: []string{"LPC"}, Other: "Pittsburgh PA"},
		"Jane Doe PA-C":                   {Given: "Jane", Family: "Doe", Credentials: []string{"PA-C"}},
		"Jane Doe, PMHNP, Austin, TX, PA": {Given: "Jane", Family: "Doe", Credentials: []string{"PMHNP"}, Other: "Austin TX PA"},

		// MD: the degree, or Maryland.
		"Jane Doe, MD":                        {Given: "Jane", Family: "Doe", Credentials: []string{"MD"}},
		"Jane Doe, PhD, MD":                   {Given: "Jane", Family: "Doe", Credentials: []string{"PhD", "MD"}},
		"Jane Doe, MD, PhD, MPH":              {Given: "Jane", Family: "Doe", Credentials: []string{"MD", "PhD", "MPH"}},
		"Jane Doe, LCSW-C, Baltimore, MD":     {Given: "Jane", Family: "Doe", Credentials: []string{"LCSW-C"}, Other: "Baltimore MD"},
		"Jane Doe, LCSW-C, MD":                {Given: "Jane", Family: "Doe", Credentials: []string{"LCSW-C"}, Other: "MD"},
		"Jane Doe, M.D., Bethesda, MD":        {Given: "Jane", Family: "Doe", Credentials: []string{"MD"}, Other: "Bethesda MD"},
		"Md Rahman, PsyD":                     {Given: "Md", Family: "Rahman", Credentials: []string{"PsyD"}},
		"Jane Doe, LCPC, LCADC, Columbia, MD": {Given: "Jane", Family: "Doe", Credentials: []string{"LCPC", "LCADC"}, Other: "Columbia MD"},

		// DO and MA: degrees and surnames; MA is Massachusetts too.
		"Linh Do, DO":                {Given: "Linh", Family: "Do", Credentials: []string{"DO"}},
		"Do, Linh, LMFT":             {Given: "Linh", Family: "Do", Credentials: []string{"LMFT"}},
		"LINH T DO":                  {Given: "LINH", Middle: "T", Family: "DO"},
		"LINH T DO, LMFT":            {Given: "LINH", Middle: "T", Family: "DO", Credentials: []string{"LMFT"}},
		"GRACE Y MA":                 {Given: "GRACE", Middle: "Y", Family: "MA"},
		"GRACE Y MA LPC":             {Given: "GRACE", Middle: "Y", Family: "MA", Credentials: []string{"LPC"}},
		"Grace Ma, MA, LPC":          {Given: "Grace", Family: "Ma", Credentials: []string{"MA", "LPC"}},
		"Grace Ma MA":                {Given: "Grace", Family: "Ma", Credentials: []string{"MA"}},
		"Ma, Grace":                  {Given: "Grace", Family: "Ma"},
		"Jane Doe, LICSW, Salem, MA": {Given: "Jane", Family: "Doe", Credentials: []string{"LICSW"}, Other: "Salem MA"},
		"Jane Doe, M.A., LMHC":       {Given: "Jane", Family: "Doe", Credentials: []string{"MA", "LMHC"}},
		"Jane Doe MA LPC":            {Given: "Jane", Family: "Doe", Credentials: []string{"MA", "LPC"}},
		"JANE DOE LCSW":              {Given: "JANE", Family: "DOE", Credentials: []string{"LCSW"}},

		// LP: psychologist, psychoanalyst, or the end of a limited permit.
		"Jane Doe, PhD, LP":        {Given: "Jane", Family: "Doe", Credentials: []string{"PhD", "LP"}},
		"Jane Doe, MHC-LP":         {Given: "Jane", Family: "Doe", Credentials: []string{"MHC-LP"}},
		"Jane Doe, MHC LP":         {Given: "Jane", Family: "Doe", Credentials: []string{"MHC-LP"}},
		"Jane Doe, L.P.":           {Given: "Jane", Family: "Doe", Credentials: []string{"LP"}},
		"Jane Doe, MSW, ACSW":      {Given: "Jane", Family: "Doe", Credentials: []string{"MSW", "ACSW"}},
		"Jane Doe, L.Ac., Dipl.OM": {Given: "Jane", Family: "Doe", Credentials: []string{"LAC"}, Other: "Dipl.OM"},
	} {
		if d := cmp.Diff(want, ParseName(in)); d != "" {
			t.Errorf("ParseName(%q): -want +got\n%s", in, d)
		}
	}
}

// TestProgrammes holds the names that mean a programme, those that only look like one, and the general
// words that no programme owns (data/programmes.csv).
func TestProgrammes(t *testing.T) {
	for words, want := range map[string]string{
		"Ketamine Training Center":                               "ktc",
		"The Ketamine Training Center (KTC)":                     "ktc",
		"KTC":                                                    "ktc",
		"Ketamine Research Foundation":                           "ktc",
		"KRF, Phil Wolfson training":                             "ktc",
		"KAP training with Dr. Phil Wolfson":                     "ktc",
		"IFS and KAP Intensive, Menla 2024":                      "ktc",
		"https://theketaminetrainingcenter.com":                  "ktc",
		"KRIYA Institute":                                        "kriya",
		"KRIYA Conference 2023":                                  "kriya",
		"Polaris":                                                "polaris",
		"Polaris Insight":                                        "polaris",
		"Polaris Insight Center, modules 1 to 5":                 "polaris",
		"training.polarisinsight.com":                            "polaris",
		"Polaris Modules 1–5":                                    "polaris",
		"Polaris/Rainfall KAP Practitioner Training Certificate": "polaris",
		"Certificate of Training in KAP":                         "polaris",
		"Fluence":                                                "fluence",
		"fluencetraining":                                        "fluence",
		"www fluencetraining.com":                                "fluence",
		"Postgraduate Certificate in Ketamine-Assisted Psychotherapy (PC-KAP)": "fluence",
		"PRATI KAP Training (Foundational)":                                    "prati",
		"IPI":                                                                  "ipi",
		"Integrative Psychiatry Institute":                                     "ipi",
		"Psychedelic-Assisted Therapy Provider (PATP), IPI":                    "ipi",
		"CIIS Certificate in Psychedelic-Assisted Therapies and Research":      "ciis",
		"CIIS Certificate in Psychedelic-Assisted Therapies":                   "ciis",
		"CPTR, CIIS": "ciis",
		"Naropa University, Certificate in Psychedelic-Assisted Therapies": "naropa",
		"Naropa psychedelic certificate":                                   "naropa",
		"Psychedelics Today: Vital":                                        "vital",
		"UC Berkeley psychedelic facilitation":                             "bcsp",
		"Changa Institute ketamine course":                                 "changa",
		"Roots to Thrive, KAT Experiential Intensive":                      "roots-to-thrive",
		"PSIP":                  "psi",
		"KAP Guided Externship": "iit-mn",
		"Journey Clinical KAP training, taught by Fluence": "journey-clinical",
		"Sage Institute":            "sage",
		"SoundMind Institute":       "soundmind",
		"Living Medicine Institute": "living-medicine",
		"Onca, three years":         "onca",
		"Temenos Center":            "temenos",
		"Beckley Academy":           "beckley",
		"MAPS MDMA training":        "maps",
		"Board-Certified Psychedelic Practitioner (BCPP)": "bpmt-bcpp",

		// Look-alikes, and what is no programme.
		"Ketamine Research Institute":                           "",
		"Ketamine Research Institute, Sarasota, FL":             "",
		"Ketamine Institute":                                    "",
		"Ketamine Psychotherapy Associates (KPA)":               "",
		"International Psychotherapy Institute (IPI)":           "",
		"Infant-Parent Institute (IPI)":                         "",
		"Kriya Yoga Institute":                                  "",
		"kriya yoga":                                            "",
		"Polaris Project":                                       "",
		"Postpartum Support International (PSI)":                "",
		"Sage Therapeutics":                                     "",
		"Beckley Foundation":                                    "",
		"MA, Naropa University":                                 "",
		"Naropa University, MA in Counseling":                   "",
		"PhD, CIIS":                                             "",
		"CIIS PsyD":                                             "",
		"Certificate in Psychedelic-Assisted Therapies":         "",
		"Psychedelic Facilitation Certificate, Oregon":          "",
		"vital signs":                                           "",
		"training that is vital to safety":                      "",
		"ASKP3 pledge":                                          "",
		"American Psychedelic Practitioners Association (APPA)": "",
		"Ketamine-assisted psychotherapy training":              "",
		"roadmaps":   "",
		"confluence": "",
		"":           "",
	} {
		got, ok := Tables().Programme(words)
		if got.ID != want || ok != (want != "") {
			t.Errorf("Programme(%q) = %q, want %q", words, got.ID, want)
		}
	}
	for _, p := range Tables().Programmes() {
		for _, s := range append([]string{p.Name}, p.Synonyms...) {
			if got, _ := Tables().Programme(s); got.ID != p.ID {
				t.Errorf("%q, a name of %s, means %q", s, p.ID, got.ID)
			}
		}
		for _, n := range p.Not {
			if got, _ := Tables().Programme(n); got.ID == p.ID {
				t.Errorf("%q, a look-alike of %s, means it", n, p.ID)
			}
		}
	}
}

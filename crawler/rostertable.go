package crawler

import (
	"regexp"
	"strings"

	"kapdir/directory"
)

// What was read of these publishers: the headers of all but the Medical Board of Texas, in files of their
// own or of those who read them; the status words of Colorado, Illinois, Washington, Connecticut,
// California and both boards of Texas; Florida's as a public reader of lic_status.dat lists them
// (github.com, read 2026-11-23). Of Illinois 10,000 rows of autumn 2022 were read
// (raw.githubusercontent.com/UIUC-iSchool-DataViz/is445_data, read 2026-11-23). A type's word that was
// not read anywhere is its name in data/titles.csv: where a board writes another one, its rows are
// counted as outside and shown, and nothing is guessed.

// roster is how one board publishes its licensees. Boards differ in columns, words, dates and numbers
// only, so a board is a row of this table. What absence means stands in data/sources.csv.
type roster struct {
	source string
	state  directory.State
	files  []string // the files that make one release, in lower case; nil: one file of any name

	comma      rune     // between fields; 0 is a comma
	bare       bool     // nothing is quoted: a quotation mark is a character like any other
	headerless []string // the columns of a file of this source that has no header

	columns  map[field][]string // the spellings of each column in looseName form; of flagged and population, each column that counts
	required []field
	says     []say // the columns that tell the standing

	// people are the values of the column business, folded, with which a row is of a person.
	people []string
	// clean are the words of the flagged columns, folded, with which there is no board action. Pending ones
	// are of a case that is not decided: an allegation, which is no discipline.
	clean, pending []string
	// dismissed recognises an entry in a list of actions that is none.
	dismissed *regexp.Regexp
	alone     bool // it lists actions and no licences

	padded  bool                             // its numbers are filled up with zeros to nine digits
	number  func(number, kind string) string // makes one form of the forms in which it writes numbers
	layouts []string

	// types are the board's words for the licence types that are read, in capitals without signs, with the
	// code of titles.csv that each stands for. It holds every type of this board that titles.csv knows, those
	// that do not count too: of a licence whose type is not read nobody could say that it was not found. The
	// list is explicit because titles.csv also has types that other boards of the state issue.
	types map[string]string
}

// eitherDegree is the type of a board that writes one word for the licences of physicians with an MD and
// with a DO, which titles.csv tells apart. The column degree says which; a row where it does not is outside.
const eitherDegree = "MD|DO"

// say is a column that tells of the standing, or of a part of it.
type say struct {
	columns []string
	// words are the board's, folded. Any other is indeterminate and goes to a person, and so is one that is
	// listed as such: it was read, and nobody has said which standing it means. silent says nothing.
	words map[string]directory.Observed
	quiet bool // its words are no words for a page
	fills bool // it counts only where the columns before it say nothing
}

const silent directory.Observed = ""

// field is a column that rosters have.
type field int

const (
	fLast field = iota
	fFirst
	fMiddle
	fSuffix
	fName // the whole name, given name first
	fDegree
	fBusiness
	fNumber
	fKind
	fIssued
	fExpires
	fCity
	fZIP
	fLink
	fCase
	fAction
	fEffective
	fCompleted
	fFlagged
	fPopulation // of a nurse's licence
	fMark       // tells the file from another source's, and is not kept
	fields
)

// dateLayouts are those met in exports of Socrata sites and in plain files of boards.
var dateLayouts = []string{"01/02/2006", "2006-01-02", "2006-01-02T15:04:05.000", "2006-01-02T15:04:05", "20060102", "1/2/2006", "01/02/2006 03:04:05 PM"}

// qualified are active licences that are not cleanly so, as several boards write them.
func qualified(words map[string]directory.Observed) map[string]directory.Observed {
	words["active with conditions"] = directory.SeenRestricted
	words["active on probation"] = directory.SeenProbation
	words["active chaperone required"] = directory.SeenRestricted
	return words
}

var rosters = []roster{
	{
		source: "co-dora", state: "CO",
		columns: map[field][]string{fLast: {"lastname"}, fFirst: {"firstname"}, fMiddle: {"middlename"}, fSuffix: {"suffix"},
			fNumber: {"licensenumber"}, fKind: {"licensetype", "licenseprefix"}, fIssued: {"licensefirstissuedate"}, fExpires: {"licenseexpirationdate"},
			fCity: {"city"}, fZIP: {"mailzipcode", "zipcode", "zip"}, fLink: {"linktoverifylicense"}, fCase: {"casenumber"}, fAction: {"programaction"},
			fEffective: {"disciplineeffectivedate"}, fCompleted: {"disciplinecompletedate", "disciplinecompleteddate"}, fPopulation: {"subcategory", "specialty"}},
		required: []field{fLast, fFirst, fNumber, fKind, fExpires, fCase, fAction},
		padded:   true,
		layouts:  dateLayouts,
		types: map[string]string{"LPC": "LPC", "LPCC": "LPCC", "LPP": "LPP", "MFT": "MFT", "MFTC": "MFTC", "CSW": "CSW", "LSW": "LSW", "SWC": "SWC",
			"PSY": "PSY", "PSYC": "PSYC", "DR": "DR", "PA": "PA", "APN": "APN", "RXN": "RXN", "CRNA": "CRNA",
			"RN": "RN", "LAC": "LAC", "NLC": "NLC"},
		says: []say{{columns: []string{"licensestatusdescription", "licensestatus"}, words: qualified(map[string]directory.Observed{
			"active":             directory.SeenActive,
			"active conditional": directory.SeenRestricted, "active restricted": directory.SeenRestricted,
			"revoked": directory.SeenRevoked, "surrendered": directory.SeenSurrendered, "voluntary surrender": directory.SeenSurrendered,
			"suspended": directory.SeenSuspended, "suspended due to child support": directory.SeenSuspended, "summary suspension": directory.SeenSuspended,
			"retired": directory.SeenRetired, "cancelled": directory.SeenInactive, "inactive": directory.SeenInactive,
			"expired": directory.SeenExpired, "expired dissolved": directory.SeenExpired, "beyond 6 years expired": directory.SeenExpired, "expired telehealth only": directory.SeenExpired,
		})}},
	},
	{
		source: "tx-bhec", state: "TX", files: []string{"lpc.csv", "mft.csv", "psy.csv", "sw.csv"},
		columns: map[field][]string{fLast: {"lastnme"}, fFirst: {"firstnme"}, fMiddle: {"middlenme"}, fSuffix: {"sfxnme"}, fNumber: {"licnbr"}, fKind: {"rank"},
			fIssued: {"rankefctdte"}, fExpires: {"licexprdte"}, fFlagged: {"discplactn"}},
		required: []field{fLast, fFirst, fNumber, fKind, fExpires, fFlagged},
		clean:    []string{"no", "n"},
		layouts:  dateLayouts,
		types: map[string]string{"LPC": "LPC", "LPCA": "LPCA", "LMFT": "LMFT", "MFT": "LMFT", "LMFTA": "LMFTA", "MFTA": "LMFTA", "LCSW": "LCSW", "LMSW": "LMSW",
			"LMSWAP": "LMSW-AP", "LBSW": "LBSW", "LSSP": "LSSP", "LSP": "LSSP", "PSY": "PSY", "LP": "PSY", "LPA": "LPA", "PLP": "PLP"},
		says: []say{{columns: []string{"licstatus"}, words: qualified(map[string]directory.Observed{
			"active": directory.SeenActive, "inactive": directory.SeenInactive, "expired": directory.SeenExpired, "delinquent": directory.SeenExpired,
			"probated suspended": directory.SeenProbation, "suspended": directory.SeenSuspended,
		})}},
	},
	{
		// No address, and a birth year, which is not read. ActionTaken says that there was an action, not which.
		source: "wa-doh", state: "WA",
		columns: map[field][]string{fLast: {"lastname"}, fFirst: {"firstname"}, fMiddle: {"middlename"}, fNumber: {"credentialnumber"}, fKind: {"credentialtype"},
			fIssued: {"firstissuedate"}, fExpires: {"expirationdate"}, fFlagged: {"actiontaken"}},
		required: []field{fLast, fFirst, fNumber, fKind, fExpires, fFlagged},
		clean:    []string{"no", "n"},
		pending:  []string{"pending"},
		number:   washingtonNumber,
		layouts:  []string{"20060102", "01/02/2006", "2006-01-02T15:04:05.000"},
		types: map[string]string{"PSYCHOLOGISTLICENSE": "PSY", "PHYSICIANANDSURGEONLICENSE": "MD", "MENTALHEALTHCOUNSELORASSOCIATELICENSE": "LMHCA",
			"SOCIALWORKERASSOCIATEINDEPENDENTCLINICALLICENSE": "LSWAIC", "OSTEOPATHICPHYSICIANANDSURGEONLICENSEINTERSTATEMEDICALLICENSURECOMPACTOP": "DO", // these were read
			"OSTEOPATHICPHYSICIANANDSURGEONLICENSEINTERSTATEMEDICALLICENSURECOMPACT": "DO",
			"OSTEOPATHICPHYSICIANANDSURGEONLICENSE":                                  "DO", "OSTEOPATHICPHYSICIANSURGEONLICENSE": "DO",
			"PHYSICIANANDSURGEONLICENSEINTERSTATEMEDICALLICENSURECOMPACT": "MD",
			"MENTALHEALTHCOUNSELORLICENSE":                                "LMHC", "MARRIAGEANDFAMILYTHERAPISTLICENSE": "LMFT", "MARRIAGEANDFAMILYTHERAPISTASSOCIATELICENSE": "LMFTA",
			"SOCIALWORKERINDEPENDENTCLINICALLICENSE": "LICSW", "SOCIALWORKERADVANCEDLICENSE": "LASW", "SOCIALWORKERASSOCIATEADVANCEDLICENSE": "LSWAA",
			"PHYSICIANASSISTANTLICENSE": "PA", "ADVANCEDREGISTEREDNURSEPRACTITIONERLICENSE": "ARNP", "REGISTEREDNURSELICENSE": "RN"},
		says: []say{{columns: []string{"status"}, words: qualified(map[string]directory.Observed{
			"active": directory.SeenActive, "revoked": directory.SeenRevoked, "suspended": directory.SeenSuspended, "summary suspension": directory.SeenSuspended,
			"surrender": directory.SeenSurrendered, "voluntary surrender": directory.SeenSurrendered, "retired": directory.SeenRetired,
			"expired": directory.SeenExpired, "inactive": directory.SeenInactive,
			"terminated": directory.SeenIndeterminate, // by whom, it does not say
		})}},
	},
	{
		// One row a discipline case, of businesses too. Numbers are partly masked, and some issue dates lie in the
		// next century. The type is the description; license_type is the board.
		source: "il-idfpr", state: "IL",
		columns: map[field][]string{fLast: {"lastname"}, fFirst: {"firstname"}, fMiddle: {"middle"}, fSuffix: {"suffix"}, fDegree: {"suffix"}, fBusiness: {"business"},
			fNumber: {"licensenumber"}, fKind: {"description"}, fIssued: {"originalissuedate"}, fExpires: {"expirationdate"}, fCity: {"city"}, fZIP: {"zip"},
			fCase: {"casenumber"}, fAction: {"action"}, fEffective: {"disciplinestartdate"}, fCompleted: {"disciplineenddate"},
			fFlagged: {"everdisciplined"}, fPopulation: {"specialtyqualifier"}},
		required: []field{fLast, fFirst, fBusiness, fNumber, fKind, fExpires, fCase, fAction, fFlagged},
		people:   []string{"n", "no"},
		clean:    []string{"n", "no"},
		padded:   true,
		layouts:  []string{"01/02/2006", "2006-01-02T15:04:05.000"},
		types: map[string]string{"CLINICALPSYCHOLOGIST": "PSY", "LICENSEDMARRIAGEANDFAMILYTHERAPIST": "LMFT", "ASSOCIATELICENSEDMARRIAGEANDFAMILYTHERAPIST": "ALMFT",
			"LICENSEDPHYSICIANANDSURGEON":  eitherDegree, // these were read
			"LICENSEDCLINICALPSYCHOLOGIST": "PSY", "LICENSEDCLINICALSOCIALWORKER": "LCSW", "LICENSEDSOCIALWORKER": "LSW",
			"LICENSEDCLINICALPROFESSIONALCOUNSELOR": "LCPC", "LICENSEDPROFESSIONALCOUNSELOR": "LPC", "LICENSEDADVANCEDPRACTICEREGISTEREDNURSE": "APRN",
			"ADVANCEDPRACTICEREGISTEREDNURSE": "APRN", "LICENSEDPHYSICIANASSISTANT": "PA", "PHYSICIANASSISTANT": "PA", "REGISTEREDPROFESSIONALNURSE": "RN"},
		says: []say{{columns: []string{"licensestatus"}, words: qualified(map[string]directory.Observed{
			"active": directory.SeenActive, "revoked": directory.SeenRevoked, "suspended": directory.SeenSuspended, "voluntary surrender": directory.SeenSurrendered,
			"not renewed": directory.SeenExpired, "expired": directory.SeenExpired, "expired renewable": directory.SeenExpired, "inactive": directory.SeenInactive,
			"permanent inactive": directory.SeenInactive, "cancelled": directory.SeenInactive, "closed": directory.SeenInactive, "inoperative": directory.SeenInactive,
			"insurance expired": directory.SeenInactive, "change of ownership": directory.SeenInactive, "deceased": directory.SeenInactive,
			// A chaperone is an order of the board, whatever became of the licence.
			"revoked chaperone required": directory.SeenRevoked, "suspended chaperone required": directory.SeenSuspended, "not renewed chaperone required": directory.SeenRestricted,
			"permanent inactive chaperone required": directory.SeenRestricted, "deceased chaperone required": directory.SeenInactive,
			// A licence that the department ended or refused to renew, or that its holder gave up: why, the word does not say.
			"terminated": directory.SeenIndeterminate, "terminated card returned": directory.SeenIndeterminate, "terminated without card": directory.SeenIndeterminate,
			"terminated valid reason": directory.SeenIndeterminate, "non sufficient fund check terminated": directory.SeenIndeterminate,
			"refuse to renew": directory.SeenIndeterminate, "relinquish": directory.SeenIndeterminate, "relinquish chaperone required": directory.SeenIndeterminate,
		})}},
	},
	{
		// The reason beside the status explains an inactive licence, and Active repeats it. It shows no board
		// actions. Physicians are left out: whether the register tells an MD from a DO was not seen.
		source: "ct-elicense", state: "CT",
		columns: map[field][]string{fName: {"name"}, fBusiness: {"type"}, fNumber: {"credentialnumber"}, fKind: {"credential"}, fIssued: {"issuedate"}, fExpires: {"expirationdate"},
			fCity: {"city"}, fZIP: {"zip"}},
		required: []field{fName, fBusiness, fNumber, fKind, fExpires},
		people:   []string{"individual"},
		layouts:  dateLayouts,
		types: map[string]string{"LICENSEDCLINICALSOCIALWORKER": "LCSW", "CLINICALSOCIALWORKER": "LCSW", "MASTERSOCIALWORKER": "LMSW", "LICENSEDMASTERSOCIALWORKER": "LMSW",
			"MARRIAGEANDFAMILYTHERAPIST": "LMFT", "LICENSEDMARRIAGEANDFAMILYTHERAPIST": "LMFT", "MARITALANDFAMILYTHERAPIST": "LMFT",
			"MARRIAGEANDFAMILYTHERAPISTASSOCIATE": "LMFTA", "PROFESSIONALCOUNSELOR": "LPC", "LICENSEDPROFESSIONALCOUNSELOR": "LPC",
			"PROFESSIONALCOUNSELORASSOCIATE": "LPCA", "LICENSEDPROFESSIONALCOUNSELORASSOCIATE": "LPCA", "PSYCHOLOGIST": "PSY",
			"ADVANCEDPRACTICEREGISTEREDNURSE": "APRN", "PHYSICIANASSISTANT": "PA", "REGISTEREDNURSE": "RN"},
		says: []say{
			{columns: []string{"status"}, words: qualified(map[string]directory.Observed{"active": directory.SeenActive, "active in renewal": directory.SeenActive,
				"inactive": directory.SeenInactive, "lapsed": directory.SeenExpired, "closed": directory.SeenInactive, "retired": directory.SeenRetired,
				"denied": directory.SeenIndeterminate})}, // an application, or a renewal
			{columns: []string{"statusreason"}, words: map[string]directory.Observed{"": silent, "current": silent, "active": silent, "accepted": silent, "registered": silent,
				"certification": silent, "certified": silent, "licensed": silent, "permitted": silent, "in renewal": silent,
				"lapsed due to non renewal": directory.SeenExpired}},
			{columns: []string{"active"}, quiet: true, words: map[string]directory.Observed{"": silent, "1": directory.SeenActive, "y": directory.SeenActive, "yes": directory.SeenActive,
				"true": directory.SeenActive, "active": directory.SeenActive, "0": directory.SeenInactive, "n": directory.SeenInactive, "no": directory.SeenInactive,
				"false": directory.SeenInactive, "inactive": directory.SeenInactive}},
		},
	},
	{
		// The Medical Board's list of all licences. What has been read of it are names of its service's columns.
		source: "tx-tmb", state: "TX",
		columns: map[field][]string{fLast: {"lastname"}, fFirst: {"firstname"}, fNumber: {"licensenumber"}, fKind: {"licensetype"}, fExpires: {"licenseexpirationdate"},
			fCity: {"practicecity"}, fZIP: {"practicezip"}, fAction: {"currentboardactiondescription"}, fEffective: {"currentboardactiondate"}, fFlagged: {"disciplinarystatus"}},
		required: []field{fLast, fFirst, fNumber, fKind, fExpires, fAction, fFlagged},
		clean:    []string{"none", "complaint dismissed"},
		layouts:  dateLayouts,
		types:    map[string]string{"PHYSICIANLICENSE": "PHYSICIAN LICENSE", "PHYSICIANASSISTANTLICENSE": "PA", "PHYSICIANASSISTANT": "PA"},
		says: []say{
			{columns: []string{"registrationstatus"}, words: qualified(map[string]directory.Observed{"active": directory.SeenActive})}, // no other word was read
			{columns: []string{"licensestatus"}, words: map[string]directory.Observed{"": silent, "none": silent, "revoked": directory.SeenRevoked, "suspended": directory.SeenSuspended,
				"perm license restricted": directory.SeenRestricted, "automatic licensure cancelled": directory.SeenIndeterminate, "automatic lic canc pending": directory.SeenIndeterminate}},
			{columns: []string{"disciplinarystatus"}, words: map[string]directory.Observed{"": silent, "none": silent, "complaint dismissed": silent, "disp action cleared": silent,
				"suspended by board": directory.SeenSuspended, "temporarily suspended": directory.SeenSuspended, "revoked": directory.SeenRevoked, "revoked by board": directory.SeenRevoked,
				"under board order":  directory.SeenRestricted,
				"cancelled by board": directory.SeenIndeterminate, "filed by board": directory.SeenIndeterminate, "see previous order": directory.SeenIndeterminate}},
			{columns: []string{"currentlylicensed"}, quiet: true, words: map[string]directory.Observed{"": silent, "y": directory.SeenActive, "n": directory.SeenInactive}},
		},
	},
	{
		// One text file a board, with tabs, called .xls. The Medical Board's older layout has the school and the
		// year of graduation, which are not read. Who was revoked is not in it, nor is any action.
		source: "ca-dca", state: "CA",
		comma: '\t', bare: true,
		columns: map[field][]string{fLast: {"orglastname"}, fFirst: {"firstname"}, fMiddle: {"middlename"}, fSuffix: {"suffix"}, fDegree: {"degree"}, fBusiness: {"indivorg"},
			fNumber: {"licensenumber"}, fKind: {"licensetype"}, fIssued: {"originalissuedate"}, fExpires: {"expirationdate"}, fCity: {"city"}, fZIP: {"zip"}},
		required: []field{fLast, fFirst, fBusiness, fNumber, fKind, fExpires},
		people:   []string{"i", "indiv", "individual"},
		layouts:  []string{"01-02-2006", "01/02/2006"},
		types: map[string]string{"LICENSEDMARRIAGEANDFAMILYTHERAPIST": "LMFT", "MARRIAGEANDFAMILYTHERAPIST": "LMFT", "LICENSEDCLINICALSOCIALWORKER": "LCSW",
			"LICENSEDPROFESSIONALCLINICALCOUNSELOR": "LPCC", "ASSOCIATEMARRIAGEANDFAMILYTHERAPIST": "AMFT", "ASSOCIATECLINICALSOCIALWORKER": "ASW",
			"ASSOCIATEPROFESSIONALCLINICALCOUNSELOR": "APCC", "PSYCHOLOGIST": "PSY", "REGISTEREDPSYCHOLOGICALASSOCIATE": "RPA", "PHYSICIANANDSURGEON": "MD",
			"PHYSICIANANDSURGEONA": "MD", "PHYSICIANANDSURGEONC": "MD", "PHYSICIANANDSURGEONG": "MD", "OSTEOPATHICPHYSICIANANDSURGEON": "DO",
			"PHYSICIANASSISTANT": "PA", "NURSEPRACTITIONER": "NP", "REGISTEREDNURSE": "RN"},
		says: []say{{columns: []string{"licensestatus"}, words: map[string]directory.Observed{"current": directory.SeenActive, "active": directory.SeenActive,
			"delinquent": directory.SeenExpired, "expired": directory.SeenExpired, "inactive": directory.SeenInactive, "currentinactive": directory.SeenInactive, "current inactive": directory.SeenInactive,
			"suspension": directory.SeenSuspended, "suspended": directory.SeenSuspended}}},
	},
	{
		// PROF_ALL.txt, whose rows end with one separator more than its header, or lic_status.dat, which has no
		// header: its columns are those of the department's LicenseStatusMetaData.pdf as a public reader of the
		// file lists them. CLEAR is no standing by itself: the second column says whether the licence is used.
		source: "fl-mqa", state: "FL",
		comma: '|', bare: true,
		headerless: []string{"pro_cde", "Rank-Code", "License-Number", "License-Active-Status-Description", "License-Status-Description", "Original-Date", "Expire-Date",
			"Status-Effective-Date", "First-Name", "Middle-Name", "Last-Name", "Administrative-Complaint", "Emergency-Order", "Final-Order", "Multi-State"},
		columns: map[field][]string{fLast: {"lastname"}, fFirst: {"firstname"}, fMiddle: {"middlename"}, fSuffix: {"namesuffix"}, fNumber: {"licensenumber"}, fKind: {"rankcode"},
			fIssued: {"originaldate"}, fExpires: {"expiredate"}, fCity: {"practicelocationaddresscity"}, fZIP: {"practicelocationaddresszipcode"},
			fFlagged: {"boardactionindicator", "emergencyorder", "finalorder"}}, // a complaint is an allegation
		required: []field{fLast, fFirst, fNumber, fKind, fExpires, fFlagged},
		clean:    []string{"n", "no"},
		number:   func(number, kind string) string { return kind + number },
		layouts:  []string{"01/02/2006"},
		types: map[string]string{"ME": "MD", "OS": "DO", "PA": "PA", "SW": "LCSW", "MH": "LMHC", "MT": "LMFT", "PY": "PSY", "APRN": "APRN", "ARNP": "APRN", "RN": "RN",
			"ISW": "RCSWI", "IMT": "RMFTI", "IMH": "RMHCI"},
		says: []say{
			{columns: []string{"licensestatusdescription"}, words: map[string]directory.Observed{"clear": silent, "probation": directory.SeenProbation, "conditional": directory.SeenRestricted,
				"revoked": directory.SeenRevoked, "suspended": directory.SeenSuspended, "disc relinquish": directory.SeenSurrendered, "retired": directory.SeenRetired,
				"deceased": directory.SeenInactive, "delinquent": directory.SeenExpired, "null and void": directory.SeenExpired,
				"obligations": directory.SeenIndeterminate, "vol relinquish": directory.SeenIndeterminate, "military active": directory.SeenIndeterminate,
				"denied": directory.SeenIndeterminate, "denied rnewal": directory.SeenIndeterminate, "expired appl": directory.SeenIndeterminate}},
			{columns: []string{"licenseactivestatusdescription"}, fills: true, words: map[string]directory.Observed{"active": directory.SeenActive, "inactive": directory.SeenInactive}},
		},
	},
	{
		// Actions of the board for professional medical conduct since 1990, and nothing else: who is not in it may
		// or may not have a licence.
		source: "ny-opmc", state: "NY", alone: true,
		columns: map[field][]string{fLast: {"lastname"}, fFirst: {"firstname"}, fMiddle: {"middlename"}, fSuffix: {"namesuffix"}, fNumber: {"licensenumber", "licensenum"},
			fKind: {"licensetype"}, fEffective: {"effectivedate"}, fAction: {"action", "webaction"}, fMark: {"misconductdescription", "webnotes"}},
		required:  []field{fLast, fFirst, fNumber, fKind, fEffective, fAction, fMark},
		dismissed: regexp.MustCompile(`(?i)\brestor(ed|ation)\b|does not constitute a new action|certificate of incorporation|non-disciplinary|^\s*dismiss`),
		layouts:   dateLayouts,
		types:     map[string]string{"MD": "MD", "DO": "DO", "PA": "PA"},
	},
}

// washingtonNumber writes a number of Washington in one form: MD60441019, which it wrote until about 2018,
// is MD.MD.60441019 now, and one given under the physicians' compact, DO.OP.60817760-IMLC, is OP60817760.
func washingtonNumber(number, _ string) string {
	if m := washingtonForm.FindStringSubmatch(strings.ToUpper(number)); m != nil {
		return m[1] + m[2]
	}
	return number
}

var washingtonForm = regexp.MustCompile(`^\s*(?:[A-Z]+\.)?([A-Z]+)\.?([0-9]+)(?:-[A-Z]+)?\s*$`)

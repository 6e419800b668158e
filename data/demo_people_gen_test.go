package data_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kapdir/directory"
)

// ---------------------------------------------------------------------------------------------------
// Where people work

type city struct {
	name  string
	areas []string // telephone area codes
	zips  []string
}

// cities are real towns with real ZIPs; the streets in them are not.
var cities = map[string][]city{
	"CO": {{"Denver", words("303 720"), words("80202 80203 80205 80206 80209 80210 80211 80218")}, {"Boulder", words("303 720"), words("80301 80302 80304 80305")},
		{"Fort Collins", words("970"), words("80521 80524 80525 80526")}, {"Colorado Springs", words("719"), words("80903 80905 80909 80918")},
		{"Golden", words("303"), words("80401 80403")}, {"Durango", words("970"), words("81301")}, {"Longmont", words("303 720"), words("80501 80503")},
		{"Grand Junction", words("970"), words("81501 81506")}, {"Salida", words("719"), words("81201")}},
	"TX": {{"Austin", words("512 737"), words("78701 78702 78703 78704 78731 78745 78756")}, {"Houston", words("713 281 832"), words("77005 77006 77007 77008 77019 77098")},
		{"Dallas", words("214 469 972"), words("75204 75206 75214 75219 75230")}, {"San Antonio", words("210"), words("78205 78209 78212 78216")},
		{"Fort Worth", words("817"), words("76104 76107 76109")}, {"El Paso", words("915"), words("79902 79912")}, {"Plano", words("972 469"), words("75024 75075 75093")},
		{"Lubbock", words("806"), words("79410 79424")}},
	"CA": {{"San Francisco", words("415"), words("94102 94107 94110 94114 94117")}, {"Oakland", words("510"), words("94609 94610 94611")},
		{"Los Angeles", words("213 323"), words("90004 90012 90026 90027")}, {"San Diego", words("619"), words("92101 92103 92104")}, {"Santa Cruz", words("831"),
			words("95060 95062")}},
	"WA": {{"Seattle", words("206"), words("98101 98103 98105 98112 98115")}, {"Bellingham", words("360"), words("98225 98229")}, {"Spokane", words("509"), words("99201 99203")}},
	"NY": {{"New York", words("212 646"), words("10001 10003 10010 10011 10014")}, {"Brooklyn", words("718 347"), words("11201 11205 11215")}, {"Ithaca", words("607"),
		words("14850")},
		{"Rochester", words("585"), words("14607 14610")}},
	"MA": {{"Boston", words("617"), words("02108 02115 02116")}, {"Cambridge", words("617"), words("02138 02139 02140")}, {"Northampton", words("413"), words("01060")},
		{"Worcester", words("508"), words("01605 01609")}},
	"OR": {{"Portland", words("503"), words("97202 97205 97209 97211 97214")}, {"Eugene", words("541"), words("97401 97405")}, {"Ashland", words("541"), words("97520")}},
	"FL": {{"Miami", words("305"), words("33127 33129 33130")}, {"Orlando", words("407"), words("32801 32803 32804")}, {"Gainesville", words("352"),
		words("32601 32605")}, {"Tampa", words("813"), words("33606 33609")}},
	"IL": {{"Chicago", words("312 773"), words("60601 60607 60613 60614")}, {"Evanston", words("847"), words("60201 60202")}, {"Oak Park", words("708"), words("60301 60302")}},
	"OH": {{"Columbus", words("614"), words("43201 43206 43214")}, {"Cleveland", words("216"), words("44106 44113")}, {"Cincinnati", words("513"), words("45202 45208")}},
	"MN": {{"Minneapolis", words("612"), words("55403 55405 55408 55414")}, {"Saint Paul", words("651"), words("55102 55104 55105")}, {"Duluth", words("218"),
		words("55802 55811")}},
	"NM": {{"Santa Fe", words("505"), words("87501 87505")}, {"Albuquerque", words("505"), words("87104 87106 87110")}, {"Taos", words("575"), words("87571")}},
	"AZ": {{"Phoenix", words("602"), words("85004 85012 85013")}, {"Tucson", words("520"), words("85701 85711 85712")}, {"Flagstaff", words("928"), words("86001")}},
	"NC": {{"Asheville", words("828"), words("28801 28803 28804")}, {"Durham", words("919"), words("27701 27705 27707")}, {"Charlotte", words("704"), words("28202 28203 28209")}},
	"MI": {{"Ann Arbor", words("734"), words("48103 48104 48105")}, {"Detroit", words("313"), words("48201 48202 48207")}, {"Grand Rapids", words("616"), words("49503 49506")}},
	"DC": {{"Washington", words("202"), words("20001 20005 20009 20036")}},
}

// demoStates is the order in which people are made.
var demoStates = words("CO TX CA WA NY MA OR FL IL OH MN NM AZ NC MI DC")

var streets = []string{"Alder Mill Rd", "Quillfeather St", "Old Larch Ave", "Tamarind Cross Blvd", "Foxglove Terrace", "Seven Herons Way", "Copperline Dr", "Marrowstone Ave",
	"Juniper Gate Rd", "Saltgrass St", "Lantern Hill Rd", "Wexcombe Ave", "Bluestem Crossing", "Harrowgate Blvd", "Thimbleberry Ln", "Ninebark St", "Cinderlea Ave",
	"Pennyroyal Rd",
	"Kestrel Bend", "Stonecrop Ave", "Wayfarer Blvd", "Millrace Ct", "Dovecote St", "Amberfield Rd"}

// office is a place of practice. Suite is empty where the address looks like a home.
type office struct {
	street, suite, city, state, zip, phone string
}

func (o office) digits() string { return onlyDigits(o.phone) }

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// ---------------------------------------------------------------------------------------------------
// What people are

type trade string

const (
	psychologist    trade = "psychologist"
	socialWorker    trade = "social worker"
	counsellor      trade = "counsellor"
	familyTherapist trade = "family therapist"
	psychNurse      trade = "psychiatric nurse practitioner"
	psychiatrist    trade = "psychiatrist"
	physician       trade = "physician" // of another specialty
	assistant       trade = "physician assistant"
	associate       trade = "associate" // in training under supervision
)

func (t trade) prescribes() bool {
	return t == psychNurse || t == psychiatrist || t == physician || t == assistant
}

// licenceForm is how a licence of a state is called and numbered: # stands for a digit. Board is the
// roster's own type code, in the two states whose rosters are loaded.
type licenceForm struct {
	letters string // behind the name
	long    string // as a page may spell it out
	pattern string
	board   string
}

// licenceForms are the forms of each state: state, trade, letters, long form, number, roster type.
const licenceForms = `
CO | psychologist                   | PSY    | Psychologist                                 | PSY.000####    | PSY
CO | social worker                  | LCSW   | Licensed Clinical Social Worker              | CSW.0992####   | CSW
CO | counsellor                     | LPC    | Licensed Professional Counselor              | LPC.00#####    | LPC
CO | family therapist               | LMFT   | Marriage and Family Therapist                | MFT.000####    | MFT
CO | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | APN.099####    | APN
CO | psychiatrist                   | MD     | Physician                                    | DR.00#####     | DR
CO | physician assistant            | PA-C   | Physician Assistant                          | PA.000####     | PA
CO | associate                      | LPCC   | Licensed Professional Counselor Candidate    | LPCC.002####   | LPCC
TX | psychologist                   | LP     | Licensed Psychologist                        | 3####          | PSY
TX | social worker                  | LCSW   | Licensed Clinical Social Worker              | 5####          | LCSW
TX | counsellor                     | LPC    | Licensed Professional Counselor              | 7####          | LPC
TX | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | 20####         | LMFT
TX | psychiatric nurse practitioner | APRN   | Advanced Practice Registered Nurse           | AP13####       |
TX | psychiatrist                   | MD     | Physician                                    | Q####          |
TX | physician assistant            | PA-C   | Physician Assistant                          | PA1####        |
TX | associate                      | LPC-A  | Licensed Professional Counselor Associate    | 9####          | LPCA
CA | psychologist                   | PSY    | Psychologist                                 | PSY3####       |
CA | social worker                  | LCSW   | Licensed Clinical Social Worker              | LCSW9####      |
CA | counsellor                     | LPCC   | Licensed Professional Clinical Counselor     | LPCC1####      |
CA | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | LMFT13####     |
CA | psychiatric nurse practitioner | PMHNP  | PMHNP                                        | NP9500####     |
CA | psychiatrist                   | MD     | Physician (MD)                               | A19####        |
CA | physician assistant            | PA-C   | Physician Assistant                          | PA6####        |
CA | associate                      | AMFT   | Associate Marriage and Family Therapist      | AMFT14####     |
WA | psychologist                   | PSY    | Psychologist                                 | PY6#######     |
WA | social worker                  | LICSW  | Licensed Independent Clinical Social Worker  | LW6#######     |
WA | counsellor                     | LMHC   | Licensed Mental Health Counselor             | LH6#######     |
WA | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | LF6#######     |
WA | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | AP6#######     |
WA | psychiatrist                   | MD     | Physician (MD)                               | MD6#######     |
WA | physician assistant            | PA-C   | Physician Assistant                          | PA6#######     |
WA | associate                      | LMHCA  | Licensed Mental Health Counselor Associate   | MC6#######     |
NY | psychologist                   | PSY    | Psychologist                                 | 02####         |
NY | social worker                  | LCSW-R | LCSW-R                                       | 08####         |
NY | counsellor                     | LMHC   | Licensed Mental Health Counselor             | 01####         |
NY | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | 00####         |
NY | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | F40####        |
NY | psychiatrist                   | MD     | Physician (MD)                               | 29####         |
NY | physician assistant            | PA-C   | Physician Assistant                          | 03####         |
MA | psychologist                   | PSY    | Psychologist                                 | 1####          |
MA | social worker                  | LICSW  | Licensed Independent Clinical Social Worker  | 12####         |
MA | counsellor                     | LMHC   | Licensed Mental Health Counselor             | 2####          |
MA | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | 4###           |
MA | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | RN23####       |
MA | psychiatrist                   | MD     | Physician (MD)                               | 28####         |
MA | physician assistant            | PA-C   | Physician Assistant                          | PA8###         |
MA | associate                      | LCSW   | Licensed Certified Social Worker             | 22####         |
OR | psychologist                   | PSY    | Psychologist                                 | 3###           |
OR | social worker                  | LCSW   | Licensed Clinical Social Worker              | L1####         |
OR | counsellor                     | LPC    | Licensed Professional Counselor              | C7###          |
OR | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | T2###          |
OR | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | NP10####       |
OR | psychiatrist                   | MD     | Physician (MD)                               | MD20####       |
OR | physician assistant            | PA-C   | Physician Associate                          | PA19####       |
FL | psychologist                   | PSY    | Psychologist                                 | PY1####        |
FL | social worker                  | LCSW   | Licensed Clinical Social Worker              | SW2####        |
FL | counsellor                     | LMHC   | Licensed Mental Health Counselor             | MH2####        |
FL | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | MT4###         |
FL | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | APRN110####    |
FL | psychiatrist                   | MD     | Physician (MD)                               | ME15####       |
FL | physician assistant            | PA-C   | Physician Assistant                          | PA91####       |
IL | psychologist                   | PSY    | Psychologist                                 | 071.01####     |
IL | social worker                  | LCSW   | Licensed Clinical Social Worker              | 149.02####     |
IL | counsellor                     | LCPC   | Licensed Clinical Professional Counselor     | 180.01####     |
IL | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | 166.00####     |
IL | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | 209.02####     |
IL | psychiatrist                   | MD     | Physician (MD)                               | 036.16####     |
IL | physician assistant            | PA-C   | Physician Assistant                          | 085.00####     |
IL | associate                      | LPC    | Licensed Professional Counselor              | 178.01####     |
OH | psychologist                   | PSY    | Psychologist                                 | P.08###        |
OH | social worker                  | LISW   | LISW-S                                       | I.230####      |
OH | counsellor                     | LPCC   | LPCC-S                                       | E.220####      |
OH | family therapist               | IMFT   | IMFT                                         | F.210####      |
OH | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | APRN.CNP.03#### |
OH | psychiatrist                   | MD     | Physician (MD)                               | 35.14####      |
OH | physician assistant            | PA-C   | Physician Assistant                          | 50.00####      |
MN | psychologist                   | LP     | Licensed Psychologist                        | LP6###         |
MN | social worker                  | LICSW  | Licensed Independent Clinical Social Worker  | 2####          |
MN | counsellor                     | LPCC   | Licensed Professional Clinical Counselor     | CC03###        |
MN | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | 3###           |
MN | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | CNP 9###       |
MN | psychiatrist                   | MD     | Physician (MD)                               | 6####          |
MN | physician assistant            | PA-C   | Physician Assistant                          | 1####          |
NM | psychologist                   | PSY    | Psychologist                                 | PSY1###        |
NM | social worker                  | LCSW   | Licensed Clinical Social Worker              | C-1####        |
NM | counsellor                     | LPCC   | LPCC                                         | CCMH02####     |
NM | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | LMFT00####     |
NM | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | CNP-5####      |
NM | psychiatrist                   | MD     | Physician (MD)                               | MD2019-0###    |
NM | physician assistant            | PA-C   | Physician Assistant                          | PA2018-0###    |
AZ | psychologist                   | PSY    | Psychologist                                 | PSY-00####     |
AZ | social worker                  | LCSW   | Licensed Clinical Social Worker              | LCSW-2####     |
AZ | counsellor                     | LPC    | Licensed Professional Counselor              | LPC-2####      |
AZ | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | LMFT-1####     |
AZ | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | RNP27####      |
AZ | psychiatrist                   | MD     | Physician (MD)                               | 6####          |
AZ | physician assistant            | PA-C   | Physician Assistant                          | 8###           |
NC | psychologist                   | HSP-P  | Licensed Psychologist                        | 5###           |
NC | social worker                  | LCSW   | Licensed Clinical Social Worker              | C01####        |
NC | counsellor                     | LCMHC  | Licensed Clinical Mental Health Counselor    | 1####          |
NC | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | 2###           |
NC | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | 501####        |
NC | psychiatrist                   | MD     | Physician (MD)                               | 2018-0####     |
NC | physician assistant            | PA-C   | Physician Assistant                          | 0010-1####     |
MI | psychologist                   | LP     | Licensed Psychologist                        | 6301-01####    |
MI | social worker                  | LMSW   | LMSW                                         | 6801-11####    |
MI | counsellor                     | LPC    | Licensed Professional Counselor              | 6401-22####    |
MI | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | 4101-00####    |
MI | psychiatric nurse practitioner | NP     | NP                                           | 4704-33####    |
MI | psychiatrist                   | MD     | Physician (MD)                               | 4301-50####    |
MI | physician assistant            | PA-C   | Physician Assistant                          | 5601-01####    |
DC | psychologist                   | PSY    | Psychologist                                 | PSY20####      |
DC | social worker                  | LICSW  | Licensed Independent Clinical Social Worker  | LC5008####     |
DC | counsellor                     | LPC    | Licensed Professional Counselor              | PRC20####      |
DC | family therapist               | LMFT   | Licensed Marriage and Family Therapist       | MFT00####      |
DC | psychiatric nurse practitioner | PMHNP  | PMHNP-BC                                     | NP50####       |
DC | psychiatrist                   | MD     | Physician (MD)                               | MD60####       |
DC | physician assistant            | PA-C   | Physician Assistant                          | PA03####       |
`

var licenceFormTable = sync.OnceValue(func() map[string]licenceForm {
	m := map[string]licenceForm{}
	for line := range strings.Lines(strings.TrimSpace(licenceForms)) {
		f := strings.Split(line, "|")
		for i := range f {
			f[i] = strings.TrimSpace(f[i])
		}
		m[f[0]+" "+f[1]] = licenceForm{letters: f[2], long: f[3], pattern: f[4], board: f[5]}
	}
	return m
})

// form returns the licence form of a trade; a physician's licence does not name the specialty.
func form(state string, t trade) licenceForm {
	if t == physician {
		t = psychiatrist
	}
	f, ok := licenceFormTable()[state+" "+string(t)]
	if !ok {
		panic(fmt.Sprintf("no licence form for %s in %s", t, state))
	}
	return f
}

// taxonomies are the NUCC codes of a trade, the most specific first.
var taxonomies = map[trade][]string{
	psychologist: {"103TC0700X", "103T00000X"}, socialWorker: {"1041C0700X", "104100000X"}, counsellor: {"101YP2500X", "101Y00000X"}, familyTherapist: {"106H00000X", "101Y00000X"},
	psychNurse: {"363LP0808X", "363L00000X"}, psychiatrist: {"2084P0800X", "208D00000X"}, physician: {"207Q00000X", "208D00000X"}, assistant: {"363A00000X",
		"363AM0700X"}, associate: {"101Y00000X", "390200000X"},
}

// licence is one licence as its holder writes it on a page and, in Colorado and Texas, as the roster has it.
type licence struct {
	state, word, number             string
	board, status, specialty, roles string
	issued, renewed, expires        string // YYYY-MM-DD
	actions                         []boardAction
	flagged                         bool   // Texas: DISCPL_ACTN
	rosterNumber                    string // when the page has another
	rosterName                      *personName
	absent                          bool // not in the roster
}

type boardAction struct{ number, action, effective, complete string }

// onRoster is the number as the roster has it: digits alone, without the type and its zeros.
func (l *licence) onRoster() string {
	n := l.number
	if l.rosterNumber != "" {
		n = l.rosterNumber
	}
	return strings.TrimLeft(onlyDigits(n), "0")
}

type personName struct{ given, middle, family, suffix string }

func (n personName) String() string {
	return strings.Join(strings.Fields(n.given+" "+n.middle+" "+n.family+" "+n.suffix), " ")
}

type training struct{ words, level, completed string }

// trainings are the recognised programmes of data/programmes.csv in the words that people use for them.
var trainings = []training{
	{"Polaris Insight Center, Modules 1-5", "modules_complete", ""}, {"Polaris/Rainfall KAP Practitioner Training Certificate", "certificate", ""},
	{"training.polarisinsight.com", "attended", ""},
	{"The Ketamine Training Center (KTC)", "attended", ""}, {"KAP training with Phil Wolfson", "attended", ""}, {"Ketamine Research Foundation, KAP intensive",
		"modules_complete", ""}, {"IFS and KAP Intensive", "attended", ""},
	{"PRATI", "attended", ""}, {"Psychedelic Research and Training Institute, KAP Training (Foundational)", "modules_complete", ""}, {"Fluence PC-KAP", "certificate", ""},
	{"Postgraduate Certificate in Ketamine-Assisted Psychotherapy, Fluence", "certificate", ""}, {"Integrative Psychiatry Institute (PATP)", "certificate", ""}, {"IPI",
		"certificate", ""},
	{"CIIS Certificate in Psychedelic-Assisted Therapies and Research", "certificate", ""}, {"Naropa University, Certificate in Psychedelic-Assisted Therapies", "certificate", ""},
	{"Changa Institute ketamine course", "attended", ""}, {"Journey Clinical KAP training", "modules_complete", ""}, {"KRIYA Institute", "attended", ""},
	{"Sage Institute KAP training", "modules_complete", ""},
	{"Vital (Psychedelics Today)", "certificate", ""}, {"UC Berkeley psychedelic facilitation", "certificate", ""}, {"Roots to Thrive, KAT Experiential Intensive", "attended", ""},
	{"Psychedelic Somatic Institute (PSIP)", "modules_complete", ""}, {"Institute for Integrative Therapies, KAP Guided Externship", "modules_complete", ""},
	{"Living Medicine Institute", "certificate", ""},
	{"Onca psychedelic psychotherapy", "certificate", ""},
}

// person is one invented provider. What a page leaves out is empty; what only a register knows has its own field.
type person struct {
	slug string
	personName
	former     string      // a family name of the past, which NPPES still has as other name
	registered *personName // NPPES's name, when the page has another
	sex        string
	trade      trade
	degrees    []string
	letters    []string // behind the name on a page
	npi        string
	showsNPI   bool // at Open Clinics; commonsNPI is for KAP Commons
	commonsNPI bool
	offices    []office
	licences   []*licence
	showsNoLic bool
	trainings  []training
	prescriber *person // who prescribes for this therapist
	namesMD    string  // how the page names the prescriber: full, npi, name
	self       bool    // prescribes for own patients
	supervisor string  // words of an associate's page
	clinic     *clinic
	facts      directory.Practice
	website    string
	asOf       string
	onCommons  bool
	onClinics  bool // as a member of its clinic's page
	medical    bool // listed for the medical role alone: a prescriber
	deactDate  string
	reactDate  string
	specialty  string // of a physician
	enumerated string
	updated    string
	sole       string
	primary2   bool // the primary taxonomy stands in the second slot
}

// clinic is one invented organisation with its people.
type clinic struct {
	slug, name, legal string
	kind              string // team, infusion, checkins, unknown
	office            office
	npi               string
	people            []*person
	facts             directory.Practice
	website           string
	asOf              string
	official          personName
	enumerated        string
	onCommons         bool // has a page at KAP Commons as well
}

// specialCase is a line of data/demo/README.md: what tests and readers can look for.
type specialCase struct{ what, who, where, npi string }

// world is everybody in the demonstration.
type world struct {
	people      []*person
	prescribers []*person // named on therapists' pages, without a page of their own
	clinics     []*clinic
	cases       []specialCase
	special     int // how many of people, from the first, stand for something
	slugs       map[string]*person
	names       map[string]bool
	npis        map[string]bool
	numbers     map[string]bool
	phones      map[string]int
	npiStream   *rand.Rand
	numStream   *rand.Rand
}

func newWorld() *world {
	w := &world{slugs: map[string]*person{}, names: map[string]bool{}, npis: map[string]bool{}, numbers: map[string]bool{}, phones: map[string]int{},
		npiStream: stream("npi"), numStream: stream("licence numbers")}
	w.makePrescribers()
	w.makeSpecialPeople()
	w.special = len(w.people)
	w.makeOrdinaryPeople()
	w.makeClinics()
	w.linkPeople()
	w.listCases()
	return w
}

// newNPI makes a number with a right check digit that begins with 2.
func (w *world) newNPI() string {
	for {
		n := fmt.Sprintf("2%08d", w.npiStream.IntN(100_000_000))
		n += string(npiCheckDigit(n))
		if !w.npis[n] {
			w.npis[n] = true
			return n
		}
	}
}

// npiCheckDigit is the Luhn digit over 80840 and nine digits.
func npiCheckDigit(nine string) byte {
	sum := 24
	for i := range 9 {
		d := int(nine[i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// newNumber fills the pattern with digits that no other licence of the state has.
func (w *world) newNumber(state, pattern string) string {
	for {
		n := strings.Map(func(r rune) rune {
			if r == '#' {
				return rune('0' + w.numStream.IntN(10))
			}
			return r
		}, pattern)
		if k := state + strings.TrimLeft(onlyDigits(n), "0"); !w.numbers[k] {
			w.numbers[k] = true
			return n
		}
	}
}

// newPhone gives the next number of the fictitious hundred in the area.
func (w *world) newPhone(area string) string {
	n := w.phones[area]
	w.phones[area]++
	if n >= 96 { // the last are for people without a page
		panic("no telephone numbers left in " + area)
	}
	return fmt.Sprintf("(%s) 555-01%02d", area, n)
}

// newOffice makes a place of practice in a city of the state; at is its place in the table, -1 for any.
func (w *world) newOffice(r *rand.Rand, state string, at int, home bool) office {
	list := cities[state]
	c := pick(r, list)
	if at >= 0 {
		c = list[at]
	} else if chance(r, 45) {
		c = list[0]
	}
	o := office{city: c.name, state: state, zip: pick(r, c.zips), phone: w.newPhone(pick(r, c.areas))}
	o.street = fmt.Sprintf("%d %s", 100+r.IntN(8900), pick(r, streets))
	if home {
		o.street = fmt.Sprintf("%d %s", 100+r.IntN(8900), pick(r, []string{"Wren Hollow Ct", "Thimbleberry Ln", "Cinderlea Ave", "Kestrel Bend"}))
	} else {
		o.suite = pick(r, []string{"Suite %d", "Suite %d", "Ste %d", "Unit %d", "Floor %d"})
		if strings.HasPrefix(o.suite, "Floor") {
			o.suite = fmt.Sprintf(o.suite, 2+r.IntN(8))
		} else {
			o.suite = fmt.Sprintf(o.suite, 100+r.IntN(500))
		}
	}
	return o
}

// newLicence makes a licence in good standing.
func (w *world) newLicence(r *rand.Rand, state string, t trade) *licence {
	f := form(state, t)
	l := &licence{state: state, word: f.letters, number: w.newNumber(state, f.pattern), board: f.board, status: "Active"}
	if l.word == "PSY" || l.word == "HSP-P" || l.word == "LP" || l.word == "MD" || chance(r, 35) {
		l.word = f.long
	}
	year := 2008 + r.IntN(15)
	l.issued = day(r, year)
	switch {
	case state == "CO" && (t == psychiatrist || t == physician):
		l.expires, l.renewed, l.specialty = "2027-04-30", "2025-04-"+two(1+r.IntN(28)), "Psychiatry"
	case state == "CO" && t == psychNurse:
		l.expires, l.renewed, l.roles, l.specialty = "2027-09-30", "2025-09-"+two(1+r.IntN(28)), "NP", "Psychiatric/Mental Health"
	case state == "CO" && t == assistant:
		l.expires, l.renewed = "2028-01-31", "2026-01-"+two(1+r.IntN(28))
	case state == "CO" && t == associate:
		l.issued, l.expires = "2024-0"+strconv.Itoa(1+r.IntN(9))+"-11", "2028-0"+strconv.Itoa(1+r.IntN(9))+"-11"
	case state == "CO":
		l.expires, l.renewed = "2027-08-31", "2025-08-"+two(1+r.IntN(28))
	case state == "TX":
		l.expires = pick(r, []string{"2027-02-28", "2027-03-31", "2027-05-31", "2027-07-31", "2027-09-30", "2027-11-30", "2028-01-31", "2028-04-30", "2028-08-31"})
	}
	return l
}

func day(r *rand.Rand, year int) string {
	return fmt.Sprintf("%04d-%02d-%02d", year, 1+r.IntN(12), 1+r.IntN(28))
}

func two(n int) string { return fmt.Sprintf("%02d", n) }

// degreesOf gives the letters in front of the licence.
func degreesOf(r *rand.Rand, t trade) []string {
	switch t {
	case psychologist:
		return []string{pick(r, []string{"PhD", "PsyD", "PhD", "PsyD", "EdD"})}
	case socialWorker:
		return []string{"MSW"}
	case counsellor, associate:
		return []string{pick(r, []string{"MA", "MS", "MEd"})}
	case familyTherapist:
		return []string{pick(r, []string{"MA", "MS", "MMFT"})}
	case psychNurse:
		return []string{pick(r, []string{"MSN", "DNP"})}
	case psychiatrist, physician:
		return []string{pick(r, []string{"MD", "MD", "MD", "DO"})}
	}
	return nil
}

// newPerson fills what p leaves open. State and trade must be given; so must the name of a special person.
func (w *world) newPerson(p *person, state string, at int) *person {
	if p.family == "" {
		p.personName, p.sex = w.newName()
	}
	w.names[p.given+" "+p.family] = true
	if p.slug == "" {
		p.slug = slugOf(p.personName.given + " " + p.family + " " + p.suffix)
	}
	for i := 2; w.slugs[p.slug] != nil; i++ {
		p.slug = slugOf(p.personName.given+" "+p.family+" "+p.suffix) + "-" + strconv.Itoa(i)
	}
	w.slugs[p.slug] = p
	r := stream("person " + p.slug)
	if p.sex == "" {
		p.sex = pick(r, []string{"F", "M", "F"})
	}
	if p.degrees == nil {
		p.degrees = degreesOf(r, p.trade)
	}
	if p.offices == nil {
		p.offices = []office{w.newOffice(r, state, at, chance(r, 3))}
	}
	if p.licences == nil {
		p.licences = []*licence{w.newLicence(r, state, p.trade)}
		if p.trade == psychNurse && state == "CO" {
			x := w.newLicence(r, state, psychNurse)
			x.word, x.board, x.number = "RXN", "RXN", w.newNumber("CO", "RXN.010####")
			p.licences = append(p.licences, x)
		}
	}
	for _, l := range p.licences {
		if l.word == "Physician (MD)" && p.degrees[0] == "DO" {
			l.word = "Osteopathic Physician (DO)"
		}
	}
	if p.letters == nil {
		p.letters = w.lettersOf(r, p, state)
	}
	p.npi = w.newNPI()
	p.commonsNPI = chance(r, 68)
	p.showsNPI = chance(r, 75)
	p.asOf = fmt.Sprintf("2026-%02d-%02d", 3+r.IntN(8), 1+r.IntN(28))
	p.enumerated = day(r, 2006+r.IntN(17))
	p.updated = day(r, 2023+r.IntN(3))
	p.sole = pick(r, []string{"Y", "Y", "N", "N", "N", "X"})
	p.primary2 = chance(r, 16)
	if chance(r, 60) {
		p.website = "https://" + strings.ReplaceAll(p.slug, "-", "") + pick(r, []string{"therapy", "psych", "practice", "counseling"}) + ".example/"
	}
	return p
}

// lettersOf writes the credentials as people do: with and without the degree, a board's mark, a membership.
func (w *world) lettersOf(r *rand.Rand, p *person, state string) []string {
	f := form(state, p.trade)
	switch p.trade {
	case psychologist:
		return p.degrees
	case psychiatrist, physician:
		return p.degrees
	case psychNurse:
		return append(slices.Clone(p.degrees), "PMHNP-BC")
	case assistant:
		return []string{"PA-C"}
	}
	out := []string{f.letters}
	if chance(r, 55) {
		out = append(slices.Clone(p.degrees), out...)
	}
	if state == "TX" && p.trade != associate && chance(r, 20) {
		out[len(out)-1] += "-S"
	}
	if chance(r, 8) {
		out = append(out, pick(r, []string{"NCC", "SEP", "CGP", "ACS"}))
	}
	return out
}

// slugOf makes the last part of a page's address.
func slugOf(s string) string {
	return strings.ReplaceAll(directory.Fold(s), " ", "-")
}

// ---------------------------------------------------------------------------------------------------
// Names

type nameList struct {
	weight             int
	women, men, family []string
}

// nameLists are given and family names as they occur together in the USA; each person is a chance pair.
var nameLists = []nameList{
	{30, words("Abigail Bridget Cassandra Delphine Eleanor Frances Gretchen Harriet Imogen Josephine Kathleen Lorraine Meredith Nora Paige Rosalind Sylvia Tabitha Vivian Willa"),
		words("Alistair Bennett Clayton Dashiell Everett Fletcher Graham Harlan Ian Jasper Keith Leland Malcolm Nathan Owen Preston Quentin Russell Spencer Tucker"),
		words("Ashdown Birchall Calloway Dunmore Eastwick Fairweather Garland Hathaway Ingersoll Jessup Kingsbury Langdon Merriweather Northcott Oakley Pemberton Ridgeway Stanhope Thackeray Underhill Vickery Wainwright Yardley Applegate Blackwood Colebrook Drummond Farrow Greenhalgh Holloway")},
	{18, words("Adriana Blanca Catalina Esperanza Graciela Inés Josefina Leticia Mónica Paloma Ramona Susana Xiomara"),
		words("Adrián Benito Cristóbal Esteban Gerardo Héctor Joaquín Lázaro Manuel Octavio Rafael Tomás"),
		words("Aguirre Barrientos Carranza Delgadillo Escamilla Fuentes Guajardo Huizar Ibarra Jaramillo Lozano Montalvo Navarrete Olivas Palomino Quezada Rentería Saldívar Tovar Urrutia Villaseñor Zamora")},
	{13, words("Aaliyah Briana Camille Denise Ebony Felicia Imani Jasmine Keisha Latrice Monique Nia Renita Simone Tamika"),
		words("Andre Byron Curtis Darnell Elijah Isaiah Jerome Lamont Marcus Reginald Terrence Xavier"),
		words("Baptiste Broadnax Chatman Dupree Eubanks Fontenot Gadson Hairston Ivory Jefferson Lattimore Mayfield Nesbitt Pettway Roundtree Singletary Toussaint Venable Whitfield Younger")},
	{10, words("Mei Grace Yuki Hana Jia Lan Min-Ji Sora Wen Xin Aiko Eun"), words("Wei Kenji Jun Hiro Tae Daniel Feng Ming Shin Akira Kevin"),
		words("Chiang Fujimoto Gao Hashimoto Jeong Kwon Liang Matsuda Oh Pak Sakamoto Tsai Uehara Wong Yoon Zhao Cheung Nakagawa")},
	{7, words("Thuy Linh Mai Ngoc Hanh Kim Bao-Tran Lan-Anh"), words("Minh Khoa Duc Bao Tuan Hieu Quang"), words("Bui Dang Doan Huynh Luong Ngo Pham Trinh Vuong Phan Duong")},
	{9, words("Anjali Deepa Kavita Lakshmi Meena Nandini Priti Rekha Sunita Tara Usha"), words("Arjun Dev Gautam Harish Kiran Manoj Nikhil Rohan Sanjay Vikram"),
		words("Bhattacharya Chatterjee Deshmukh Ganguly Iyer Joshi Kulkarni Menon Narayan Pillai Rao Srinivasan Thakur Varma")},
	{9, words("Ariella Dina Irina Katya Leah Miriam Naomi Olga Raisa Shoshana Tova Yelena"), words("Alexei Boris Dov Eitan Gideon Ilya Lev Mikhail Noam Saul Yuri"),
		words("Abramov Belinsky Chernow Dubrovsky Edelstein Fishbein Goldfarb Horowitz Kaminsky Lieberman Mendelsohn Novak Perlmutter Rosenthal Sokolov Teitelbaum Weinstock Zelensky")},
	{6, words("Amira Dalia Farah Jumana Leila Nadia Rania Soraya Yasmin Zaynab"), words("Bassam Faris Hamid Karim Majid Nabil Omar Rashid Tariq Yusuf"),
		words("Abbasi Darwish Farouk Ghorbani Haddad Jafari Khoury Mansour Nazari Qureshi Rahimi Sabbagh Tehrani")},
	{6, words("Astrid Birgit Elke Greta Ingrid Katrin Maren Sigrid Ulla"), words("Anders Bjorn Dieter Erik Gunnar Klaus Lars Niels Soren"),
		words("Bergstrom Dahlquist Eriksen Halvorsen Krueger Lindholm Nyberg Overgaard Schreiber Thorsen Vogel Winkelmann")},
	{3, words("Ayiana Dakota Kaya Leotie Winona"), words("Chayton Elan Hototo Nakai Takoda"), words("Begay Tsosie Yazzie Whitehorse Redcloud Manygoats Blackgoat")},
	{4, words("Adaeze Chiamaka Folake Ifeoma Ngozi Wanjiru"), words("Chidi Emeka Kwame Obinna Tunde"),
		words("Adeyemi Boateng Chukwu Danquah Eze Mensah Nwosu Okonkwo Owusu Tesfaye")},
}

var middles = words("Lee Jay Blair Quinn Reed Noel Dale Jude A B C D E F G H J K L M N P R S T W")

// newName draws a name that nobody has yet.
func (w *world) newName() (personName, string) {
	r := stream("name " + strconv.Itoa(len(w.names)))
	for {
		total := 0
		for _, l := range nameLists {
			total += l.weight
		}
		at := r.IntN(total)
		var l nameList
		for _, l = range nameLists {
			if at -= l.weight; at < 0 {
				break
			}
		}
		n, sex := personName{given: pick(r, l.women), family: pick(r, l.family)}, "F"
		if chance(r, 40) {
			n.given, sex = pick(r, l.men), "M"
		}
		if chance(r, 7) {
			n.family += "-" + pick(r, pick(r, nameLists).family)
		}
		if chance(r, 38) {
			n.middle = pick(r, middles)
		}
		if !w.names[n.given+" "+n.family] {
			return n, sex
		}
	}
}

// ---------------------------------------------------------------------------------------------------
// Prescribers without a page of their own: they are known from the pages of the therapists they work with

func (w *world) makePrescribers() {
	add := func(p *person, state string, more ...string) *person {
		p.medical = true
		w.newPerson(p, state, -1)
		r := stream("prescriber " + p.slug)
		for _, s := range more {
			p.licences = append(p.licences, w.newLicence(r, s, p.trade))
		}
		w.prescribers = append(w.prescribers, p)
		return p
	}
	expired := add(&person{personName: personName{"Ruben", "Elias", "Castellanos-Frye", ""}, sex: "M", trade: psychiatrist, degrees: []string{"DO"}}, "CO")
	expired.licences[0].status, expired.licences[0].expires, expired.licences[0].renewed = "Expired", "2025-04-30", "2023-04-11"
	w.note("prescriber whose Colorado licence is expired; therapists depend on him", expired)
	suspended := add(&person{personName: personName{"Emory", "", "Vasquez-Lund", ""}, sex: "M", trade: psychiatrist, degrees: []string{"MD"}}, "CO")
	suspended.licences[0].status = "Suspended"
	suspended.licences[0].actions = []boardAction{{"2026-3107", "Summary Suspension", "2026-07-20", ""}}
	w.note("prescriber whose Colorado licence is suspended, confirmed by both staff; therapists depend on him", suspended)
	far := add(&person{personName: personName{"Naomi", "Ruth", "Ishikawa-Stone", ""}, sex: "F", trade: psychiatrist, degrees: []string{"MD"}}, "NM", "CO", "AZ")
	w.note("prescriber licensed in three states (NM, CO, AZ)", far)
	for i, s := range words("CO CO CO CO TX TX TX TX CA CA CA WA WA NY NY MA MA OR FL FL IL OH MN AZ NC MI NM DC") {
		r := stream("prescriber of " + s + strconv.Itoa(len(w.prescribers)))
		t := pick(r, []trade{psychiatrist, psychiatrist, psychNurse, physician, assistant})
		p := &person{trade: t}
		if t == physician {
			p.specialty = pick(r, []string{"207Q00000X", "207R00000X", "207P00000X"})
		}
		add(p, s)
		if i%6 == 2 {
			p.onCommons = true // a page of their own, as a prescriber
		}
	}
}

// prescriberFor returns the next working prescriber licensed in the state.
func (w *world) prescriberFor(r *rand.Rand, state string) *person {
	var ok []*person
	for _, p := range w.prescribers {
		if p.licences[0].status == "Active" && slices.ContainsFunc(p.licences, func(l *licence) bool { return l.state == state }) {
			ok = append(ok, p)
		}
	}
	return pick(r, ok)
}

func (w *world) note(what string, p *person) {
	w.cases = append(w.cases, specialCase{what: what, who: p.personName.String(), where: p.slug, npi: p.npi})
}

// ---------------------------------------------------------------------------------------------------
// People who stand for something that the program must get right

func (w *world) makeSpecialPeople() {
	// add makes a person at KAP Commons. The name is "Given Middle Family", with | where the family name begins.
	add := func(what, name, sex string, t trade, state string, at int, set func(p *person)) *person {
		given, family, _ := strings.Cut(name, "|")
		p := &person{sex: sex, trade: t, onCommons: true}
		p.given, p.middle, _ = strings.Cut(strings.TrimSpace(given), " ")
		p.family, p.suffix, _ = strings.Cut(family, ",")
		p.suffix = strings.TrimSpace(p.suffix)
		w.newPerson(p, state, at)
		p.commonsNPI = true
		if set != nil {
			set(p)
		}
		w.people = append(w.people, p)
		if what != "" {
			w.note(what, p)
		}
		return p
	}
	standing := func(status string, change ...func(l *licence)) func(*person) {
		return func(p *person) {
			p.licences[0].status = status
			for _, c := range change {
				c(p.licences[0])
			}
		}
	}
	expires := func(d string) func(l *licence) { return func(l *licence) { l.expires = d } }
	actions := func(a ...boardAction) func(l *licence) { return func(l *licence) { l.actions = a } }

	// Exclusions.
	add("excluded: LEIE names the NPI; confirmed by both staff", "Garrick |Thole", "M", psychologist, "AZ", 1, nil)
	add("LEIE name-only near miss: same first and last name, another state, NPI of zeros, a birth date; nobody has decided", "Marisol |Quintero", "F", counsellor, "TX", 3, nil)
	add("LEIE has one half of the hyphenated surname; a staff member cleared it, naming the birth date", "Anneliese |Brandt-Okafor", "F", socialWorker, "CO", 1, nil)

	// Colorado standings.
	add("Colorado: Active - With Conditions, two discipline rows of one licence, one completed and one open", "Tobias |Wendling", "M", counsellor, "CO", 2,
		standing("Active - With Conditions",
			actions(boardAction{"2019-1184", "Letter of Admonition", "2019-11-04", "2020-11-04"}, boardAction{"2025-4410", "Stipulation - Probation", "2025-12-01", ""})))
	add("Colorado: Revoked", "Maribeth |Kroll", "F", counsellor, "CO", 3, standing("Revoked", expires("2025-08-31"), actions(boardAction{"2024-2290", "Revocation",
		"2025-02-14", ""})))
	add("Colorado: Inactive", "Noor |Al-Hashimi", "F", familyTherapist, "CO", 0, standing("Inactive"))
	add("Colorado: a status word that no table explains (Administrative Hold)", "Petra |Lindgren", "F", psychologist, "CO", 1, standing("Administrative Hold"))
	add("Colorado: Active, but the expiry date had passed when the roster was read", "Desmond |Achebe", "M", counsellor, "CO", 0, standing("Active", expires("2025-08-31")))
	add("Colorado: Expired", "Colleen |Radway", "F", socialWorker, "CO", 5, standing("Expired", expires("2025-08-31")))
	add("the page's Colorado licence number has two digits transposed", "Lucía |Benavides", "F", counsellor, "CO", 3, func(p *person) {
		p.commonsNPI = false
		p.licences[0].number, p.licences[0].rosterNumber = "LPC.0018452", "LPC.0018542"
		w.numbers["CO18452"], w.numbers["CO18542"] = true, true
	})
	twin := func(number string) func(*person) {
		return func(p *person) {
			p.licences[0].number = number
			w.numbers["CO"+strings.TrimLeft(onlyDigits(number), "0")] = true
		}
	}
	add("same Colorado number as Gil Ortega-Platt, another licence type", "Fiona |Marchbanks", "F", counsellor, "CO", 2, twin("LPC.0014417"))
	add("same Colorado number as Fiona Marchbanks, another licence type", "Gil |Ortega-Platt", "M", familyTherapist, "CO", 2, twin("MFT.0014417"))
	add("home in New Mexico, Active at a board that is not loaded; Colorado licence Voluntary Surrender", "Isaac |Feldstein", "M", socialWorker, "NM", 0, func(p *person) {
		l := w.newLicence(stream("surrendered"), "CO", socialWorker)
		l.status, l.expires = "Voluntary Surrender", "2025-08-31"
		l.actions = []boardAction{{"2025-0931", "Voluntary Surrender", "2025-05-30", ""}}
		p.licences = append(p.licences, l)
	})

	// Texas standings.
	add("Texas: Delinquent", "Yesenia |Barragán", "F", socialWorker, "TX", 3, standing("Delinquent", expires("2026-06-30")))
	add("Texas: Probated/Suspended with DISCPL_ACTN Yes", "Clifton |Beaumont", "M", familyTherapist, "TX", 1, standing("Probated/Suspended", func(l *licence) { l.flagged = true }))
	add("Texas: Active with DISCPL_ACTN Yes", "Hollis |Marchetti", "M", psychologist, "TX", 0, standing("Active", func(l *licence) { l.flagged = true }))
	add("Texas: not in the roster, which holds current licensees only", "Renata |Oyelaran", "F", counsellor, "TX", 2, standing("Active", func(l *licence) { l.absent = true }))
	add("Texas: the licence was confirmed on its last day (2026-11-14), and has ended by the demo's now", "Gwendolyn |Pratt", "F", counsellor, "TX", 0, standing("Active", expires("2026-11-14")))
	add("Texas: the licence expires soon (2026-12-15)", "Ezekiel |Marsh", "M", socialWorker, "TX", 1, standing("Active", expires("2026-12-15")))

	// Titles.
	add("a title that no table knows", "Lumen |Ashgrove", "F", counsellor, "NM", 2, func(p *person) {
		p.letters = []string{"LIT"}
		p.licences[0].word, p.licences[0].number = "Licensed Integrative Therapist", "LIT-0042"
	})
	add("the letters LCSW in Massachusetts, where they are not the independent licence", "Hannah |Prudhomme", "F", associate, "MA", 0,
		func(p *person) { p.licences[0].word = "LCSW" })
	add("the letters LPC in Illinois, the lower tier", "Trevor |Baines", "M", associate, "IL", 0, func(p *person) { p.licences[0].word = "LPC" })
	supervised := func(by string) func(*person) { return func(p *person) { p.supervisor = by } }
	add("Colorado candidate (LPCC) under supervision; the page has the supervisor's licence number too", "Jonah |Pfeiffer", "M", associate, "CO", 0,
		supervised("Margit Sorensen, LPC.0009913"))
	add("Texas associate (LPC-A) under supervision", "Kayla |Brightwell", "F", associate, "TX", 0, supervised("Dorothea Lang, LPC-S #70031"))
	add("California associate (AMFT) under supervision", "Mateo |Zúñiga", "M", associate, "CA", 1, supervised("Lorna Whitcombe, LMFT #98432"))
	add("Washington associate (LMHCA) under supervision", "Saoirse |Delaney", "F", associate, "WA", 0, supervised("Ansel Petrov, LMHC #LH60119842"))

	// Training.
	add("look-alike training: Ketamine Research Institute is not the Ketamine Research Foundation", "Brandon |Teague", "M", counsellor, "FL", 1, func(p *person) {
		p.trainings = []training{{"Ketamine Research Institute", "certificate", "2024-05-17"}}
	})
	add("a training programme that no table knows", "Odette |Fairbanks", "F", socialWorker, "OR", 0, func(p *person) {
		p.trainings = []training{{"Inner Compass Ketamine Academy", "certificate", "2025-03-02"}}
	})

	// Names.
	add("listed under her former name; NPPES has the present one, Esparza", "Caroline |Whitlock", "F", socialWorker, "CO", 4, func(p *person) {
		p.former = "Whitlock"
		p.registered = &personName{"Caroline", "", "Esparza", ""}
		p.licences[0].rosterName = p.registered
	})
	add("listed under the present name; NPPES has it with the former one beside it (type 1)", "Ingrid |Tolliver", "F", psychologist, "MN", 0,
		func(p *person) { p.former = "Haugen" })
	add("accents and a hyphen: registers write MINH CHAU NGUYEN", "Minh-Châu |Nguyễn", "F", socialWorker, "CA", 0, nil)
	add("accents", "Zoë |Lindqvist", "F", psychologist, "WA", 0, nil)
	add("accents and a compound family name; the Texas roster writes PENA-LUJAN", "José Ángel |Peña-Luján", "M", counsellor, "TX", 5, nil)
	add("a particle in the family name", "Siobhán |Ó Faoláin", "F", familyTherapist, "MA", 1, nil)
	add("one of two people of this name in Texas: the social worker in San Antonio", "Maria |Hernandez", "F", socialWorker, "TX", 3, nil)
	add("one of two people of this name in Texas: the counselor in Houston", "Maria |Hernandez", "F", counsellor, "TX", 1, nil)
	add("no NPI and no licence on the page; NPPES has two people of the name in California", "Linh |Tran", "F", familyTherapist, "CA", 3, func(p *person) {
		p.commonsNPI,
			p.showsNoLic, p.npi = false, true, ""
	})
	add("no NPI, no licence, no telephone: nothing to check", "Wren |Abernathy", "F", counsellor, "OR", 2, func(p *person) {
		p.commonsNPI, p.showsNoLic, p.npi, p.offices[0].phone = false, true, "", ""
	})

	// Father and son at one address.
	senior := add("father of Walter Haskins Jr, at one address", "Walter |Haskins,Sr", "M", psychiatrist, "TX", 4, nil)
	add("son of Walter Haskins Sr, at one address and telephone", "Walter |Haskins,Jr", "M", counsellor, "TX", 4, func(p *person) { p.offices = senior.offices })

	// NPIs.
	add("the NPI is deactivated in NPPES", "Judith |Kessler-Boyd", "F", socialWorker, "MA", 2, func(p *person) { p.deactDate = "2026-03-16" })
	add("the NPI was deactivated and reactivated: it is active", "Tomás |Arredondo", "M", counsellor, "NM", 1, func(p *person) {
		p.deactDate, p.reactDate = "2019-04-02",
			"2019-06-11"
	})

	// Two pages of one person: both sites list them.
	add("one person on two sites: NPI and licence at KAP Commons, licence and telephone at Open Clinics", "Priya |Raghunathan", "F", familyTherapist, "CO", 0,
		func(p *person) { p.onClinics, p.showsNPI = true, false })
	add("one person on two sites with nothing but name and telephone in common: NPI at KAP Commons, licence at Open Clinics", "Solomon |Abara", "M", counsellor, "TX", 0,
		func(p *person) { p.onClinics, p.showsNPI, p.showsNoLic = true, false, true })

	// Oversight.
	who := func(name string) *person {
		for _, p := range w.prescribers {
			if p.family == name {
				return p
			}
		}
		panic(name)
	}
	by := func(md *person) func(*person) { return func(p *person) { p.prescriber, p.namesMD = md, "full" } }
	add("depends on the prescriber whose Colorado licence is expired", "Henrike |Stadler", "F", psychologist, "CO", 1, by(who("Castellanos-Frye")))
	add("depends on the prescriber whose Colorado licence is expired", "Luther |Gaines", "M", socialWorker, "CO", 3, by(who("Castellanos-Frye")))
	add("depends on the prescriber whose Colorado licence is suspended", "Margaux |Villeneuve", "F", familyTherapist, "CO", 0, by(who("Vasquez-Lund")))
	add("depends on the prescriber whose Colorado licence is suspended", "Dominic |Ferrara", "M", counsellor, "CO", 6, by(who("Vasquez-Lund")))
	add("the prescriber holds no licence in Texas, where the therapist works", "Orrin |Blakely", "M", counsellor, "TX", 5, by(who("Ishikawa-Stone")))
	add("a therapist with everything in order: licence confirmed, certificate, both sides of the oversight, protocol document", "Amara |Whitcomb", "F", psychologist,
		"CO", 0, func(p *person) {
			for _, md := range w.prescribers {
				if l := md.licences[0]; p.prescriber == nil && md.trade == psychiatrist && l.state == "CO" && l.status == "Active" {
					p.prescriber, p.namesMD = md, "full"
				}
			}
			p.asOf = "2026-10-20"
			p.trainings = []training{{"Polaris/Rainfall KAP Practitioner Training Certificate", "certificate", "2024-06-08"}}
		})
	add("a psychiatrist who prescribes and sits with her own patients", "Leila |Farahani", "F", psychiatrist, "CO", 0, func(p *person) { p.self = true })
}

// makeOrdinaryPeople fills the states.
func (w *world) makeOrdinaryPeople() {
	size := map[string]int{"CO": 46, "TX": 50, "CA": 15, "WA": 13, "NY": 14, "MA": 13, "OR": 12, "FL": 12, "IL": 11, "OH": 11, "MN": 10, "NM": 11, "AZ": 10, "NC": 11,
		"MI": 10, "DC": 8}
	for _, s := range demoStates {
		r := stream("people of " + s)
		have := 0
		for _, p := range w.people {
			if p.offices[0].state == s {
				have++
			}
		}
		for ; have < size[s]; have++ {
			t := pick(r, []trade{psychologist, psychologist, socialWorker, socialWorker, socialWorker, counsellor, counsellor, counsellor, familyTherapist,
				familyTherapist, psychNurse, psychiatrist})
			p := w.newPerson(&person{trade: t, onCommons: true}, s, -1)
			p.self = t.prescribes() && chance(r, 85)
			w.people = append(w.people, p)
			if other := w.telehealthState(r, s); other != "" && !t.prescribes() {
				p.licences = append(p.licences, w.newLicence(r, other, t))
			}
		}
	}
}

// telehealthState returns a second state that a person of s may be licensed in, "" for most.
func (w *world) telehealthState(r *rand.Rand, s string) string {
	near := map[string]string{"NM": "CO", "AZ": "CO", "WA": "OR", "OR": "WA", "CA": "CO", "MN": "CO", "NC": "TX", "FL": "TX", "OH": "MI", "IL": "TX", "CO": "NM",
		"TX": "CO", "DC": "NC", "NY": "MA", "MA": "NY", "MI": "OH"}
	if chance(r, 22) {
		return near[s]
	}
	return ""
}

// ---------------------------------------------------------------------------------------------------
// Clinics

var (
	clinicFirst = []string{"Larkspur", "Stillwater", "Ninebark", "Blue Mesa", "Harbor Light", "Silver Birch", "Quiet Canyon", "Lodestar", "Wild Indigo", "Juniper Rise",
		"Open Sky", "Tidewater", "Copper Basin",
		"Evergreen Gate", "Fieldstone", "Morning Heron", "Saltmarsh", "High Prairie", "Mariposa Lane", "Bright Hollow", "Amber Coast", "Three Rivers", "Willow Bend",
		"Northfork", "Lantern", "Clearwell",
		"Sandhill", "Riverbirch", "Moonrise", "Cedar Loop", "Painted Hills", "Thistledown", "Granite Pass", "Cottonwood", "Bluebonnet", "Prickly Pear", "Heartwood",
		"Sagebrush", "Millpond", "Sweetgrass",
		"Kingfisher", "Slate Harbor", "Hawthorn", "Gentle Tide", "Red Willow", "Summit Loop", "Fernhollow", "Goldenrod", "Driftwood", "Starling", "Cloudberry",
		"Long Meadow", "Saffron Hill", "Meadowlark",
		"Birchwater", "Calm Harbor", "Rosefinch", "Timberline Gate", "Clover Point", "Elderflower", "Nightingale Row", "Bayberry", "Snowmelt", "Aspen Lantern",
		"Coral Gate", "Windrow", "Mulberry Court",
		"Owl Creek Bend", "Hazelwood", "Sunfield", "Tern Island", "Greenbriar Loop", "Juneberry", "Flint Ridge", "Pebble Shore", "Yarrow", "Chestnut Row", "Violet Mesa",
		"Riverstone", "Plum Hollow"}
	clinicLast = map[string][]string{
		"team":     {"Ketamine Therapy", "Psychotherapy Collective", "Integrative Psychiatry", "Center for Assisted Psychotherapy"},
		"infusion": {"Infusion Center", "Ketamine Clinic", "Ketamine Infusions"},
		"checkins": {"Ketamine & Wellness", "Mood Clinic", "Ketamine Care"},
		"unknown":  {"Wellness", "Medical Group"},
	}
)

func (w *world) makeClinics() {
	number := map[string]int{"CO": 9, "TX": 9}
	kinds := []string{"team", "infusion", "team", "checkins", "infusion", "team", "unknown", "team", "infusion"}
	taken := map[string]bool{}
	at := 0
	for _, s := range demoStates {
		n := number[s]
		if n == 0 {
			n = 3 + len(s+cities[s][0].name)%2
		}
		for range n {
			w.makeClinic(s, kinds[at%len(kinds)], taken)
			at++
		}
	}
}

func (w *world) makeClinic(state, kind string, taken map[string]bool) {
	r := stream(fmt.Sprintf("clinic %d", len(w.clinics)))
	c := &clinic{kind: kind, office: w.newOffice(r, state, -1, false)}
	first := pick(r, clinicFirst)
	for taken[first] {
		first = pick(r, clinicFirst)
	}
	taken[first] = true
	c.name = first + " " + pick(r, clinicLast[kind])
	c.slug = slugOf(c.name)
	c.legal = c.name + pick(r, []string{" LLC", " PLLC", " PC", " Inc"})
	c.website = "https://" + strings.ReplaceAll(c.slug, "-", "") + ".example/"
	c.asOf = fmt.Sprintf("2026-%02d-%02d", 4+r.IntN(7), 1+r.IntN(28))
	c.enumerated = day(r, 2015+r.IntN(9))
	c.npi = w.newNPI()
	c.official, _ = w.newName()
	w.names[c.official.given+" "+c.official.family] = true
	w.clinics = append(w.clinics, c)

	director := pick(r, []trade{psychiatrist, psychNurse, physician})
	if kind == "infusion" {
		director = pick(r, []trade{physician, physician, psychNurse})
	}
	therapists := 0
	switch kind {
	case "team":
		therapists = 1 + r.IntN(3)
	case "checkins":
		therapists = r.IntN(2)
	}
	hire := func(t trade) *person {
		p := w.newPerson(&person{trade: t, offices: []office{c.office}, clinic: c, onClinics: true}, state, -1)
		if t == physician {
			p.specialty = pick(r, []string{"207L00000X", "207P00000X", "207Q00000X", "207LP2900X"})
		}
		c.people = append(c.people, p)
		w.people = append(w.people, p)
		return p
	}
	lead := hire(director)
	lead.self = kind == "team" && director != physician
	for range therapists {
		p := hire(pick(r, []trade{psychologist, socialWorker, counsellor, familyTherapist}))
		p.prescriber, p.namesMD = lead, "full"
	}
	c.facts = practiceOf(r, c.kind, state, c.asOf)
}

// linkPeople gives therapists their prescriber, some people their clinic, and everybody their practice.
func (w *world) linkPeople() {
	joined := map[string]int{}
	for _, p := range w.people {
		r := stream("practice " + p.slug)
		state := p.offices[0].state
		special := p.prescriber != nil
		if p.onCommons && p.onClinics {
			w.join(p, state)
		}
		if p.onCommons && !p.self && !special && p.clinic == nil && !p.showsNoLic {
			switch n := r.IntN(100); {
			case n < 52:
				p.prescriber, p.namesMD = w.prescriberFor(r, state), pick(r, []string{"full", "full", "full", "npi", "name"})
			case n < 62 && joined[state] < 2 && p.trade != associate:
				joined[state]++
				p.onClinics = true
				w.join(p, state)
			case n < 70:
				p.self = p.trade.prescribes()
			}
		}
		model := "unknown"
		switch {
		case p.clinic != nil:
			model = p.clinic.kind
		case p.self:
			model = "self"
		case p.prescriber != nil:
			model = "collaborative"
		case chance(r, 30):
			model = "infusion partner"
		}
		if p.trainings == nil && (!p.trade.prescribes() || chance(r, 50)) && chance(r, 84) {
			for _, t := range some(r, trainings, 1+r.IntN(2)) {
				t.completed = fmt.Sprintf("%d-%02d-%02d", 2019+r.IntN(7), 1+r.IntN(12), 1+r.IntN(28))
				if chance(r, 25) {
					t.level = ""
				}
				p.trainings = append(p.trainings, t)
			}
		}
		if p.onCommons {
			p.facts = practiceOf(r, model, state, p.asOf)
			if p.facts.Telehealth == directory.Yes {
				p.facts.TelehealthIn = nil
				for _, l := range p.licences {
					if s := directory.State(l.state); !slices.Contains(p.facts.TelehealthIn, s) {
						p.facts.TelehealthIn = append(p.facts.TelehealthIn, s)
					}
				}
			}
		}
	}
	for _, p := range w.people { // a case that must be complete, whatever chance gave
		if p.slug == "amara-whitcomb" {
			p.facts = practiceOf(stream("complete"), "collaborative", "CO", p.asOf)
			p.facts.Preparation = directory.Phase{Offered: directory.Yes, SessionsMin: 2, SessionsMax: 3, MinutesMin: 60, MinutesMax: 60}
			p.facts.Medicine = directory.Phase{Offered: directory.Yes, SessionsMin: 3, SessionsMax: 6, MinutesMin: 120, MinutesMax: 180}
			p.facts.Integration = directory.Phase{Offered: directory.Yes, SessionsMin: 3, SessionsMax: 6, MinutesMin: 60, MinutesMax: 60}
			p.facts.Presence, p.facts.VitalSigns, p.facts.EmergencyPlan = directory.PresenceInRoom, directory.Yes, directory.Yes
		}
	}
}

// join lists the person at a clinic of the state that works as a team.
func (w *world) join(p *person, state string) {
	for _, c := range w.clinics {
		if c.office.state == state && c.kind == "team" && len(c.people) < 6 {
			p.clinic, c.onCommons = c, true
			if p.prescriber == nil && !p.self {
				p.prescriber, p.namesMD = c.people[0], "full"
			}
			c.people = append(c.people, p)
			return
		}
	}
	p.onClinics = false
}

// practiceOf makes what a practice of the model states of itself. Some state everything, some little.
func practiceOf(r *rand.Rand, model, state, asOf string) directory.Practice {
	var f directory.Practice
	f.Accepting = pick(r, []directory.Answer{directory.Yes, directory.Yes, directory.Yes, directory.No, directory.Unknown})
	if f.Accepting == directory.No && chance(r, 55) {
		f.Waitlist = directory.Yes
	}
	if f.Accepting != directory.Unknown {
		f.AcceptingAsOf = directory.Date(asOf)
	}
	f.Focus = some(r, []string{"trauma", "depression", "anxiety", "substance_use", "end_of_life", "growth"}, 1+r.IntN(3))
	if chance(r, 34) {
		f.Languages = append([]string{"english"}, some(r, []string{"spanish", "spanish", "spanish", "spanish", "mandarin", "vietnamese", "korean", "arabic", "portuguese",
			"persian", "hindi", "russian", "french", "haitian creole"}, 1)...)
	}
	full, partly := chance(r, 62), chance(r, 55)
	if model == "unknown" && !chance(r, 25) || !full && !partly {
		return f
	}
	yes := directory.Yes
	phase := func(lo, hi, from, to int) directory.Phase {
		p := directory.Phase{Offered: yes}
		if full {
			p.SessionsMin, p.SessionsMax, p.MinutesMin, p.MinutesMax = lo, hi, from, to
		}
		return p
	}
	no := directory.Phase{Offered: directory.No}
	prep, medicine, integ := phase(1+r.IntN(2), 2+r.IntN(2), 50, 60+30*r.IntN(2)), phase(2+r.IntN(3), 5+r.IntN(3), 90+30*r.IntN(2), 150+30*r.IntN(2)), phase(2+r.IntN(2),
		4+r.IntN(4), 50, 60+30*r.IntN(2))
	switch model {
	case "infusion":
		f.Preparation, f.Medicine, f.Integration = no, phase(6, 6, 40, 60), no
		f.Presence, f.Routes, f.Settings = pick(r, []directory.Presence{directory.PresenceNone, directory.PresenceOnSite}), []string{"intravenous"}, []string{"clinic_in_person"}
	case "checkins", "infusion partner":
		f.Preparation, f.Medicine, f.Integration = prep, phase(4, 6, 40, 60), no
		f.Presence, f.Routes, f.Settings = directory.PresenceOnSite, []string{"intravenous", "intramuscular"}, []string{"clinic_in_person"}
		f.Model = "infusion_clinic_with_therapist"
	case "self":
		f.Preparation, f.Medicine, f.Integration, f.Presence, f.Model = prep, medicine, integ, directory.PresenceInRoom, "single_clinician_dual_role"
		f.Routes, f.Settings = some(r, []string{"sublingual_lozenge", "intramuscular", "intranasal_compounded", "esketamine"}, 1+r.IntN(2)), []string{"clinic_in_person"}
	case "team", "unknown":
		f.Preparation, f.Medicine, f.Integration, f.Presence, f.Model = prep, medicine, integ, directory.PresenceInRoom, "in_house_team"
		f.Routes, f.Settings = some(r, []string{"sublingual_lozenge", "intramuscular", "intravenous", "subcutaneous"}, 1+r.IntN(2)), []string{"clinic_in_person"}
	case "collaborative":
		f.Preparation, f.Medicine, f.Integration, f.Model = prep, medicine, integ, "collaborative_external_prescriber"
		f.Presence, f.Routes, f.Settings = pick(r, []directory.Presence{directory.PresenceInRoom, directory.PresenceInRoom, directory.PresenceVideo}),
			[]string{"sublingual_lozenge"}, []string{"therapist_office"}
		if f.Presence == directory.PresenceVideo {
			f.Settings = []string{"home_remote"}
		} else if chance(r, 30) {
			f.Settings = []string{"therapist_office", "home_remote"}
		} else if chance(r, 8) {
			f.Settings = []string{"therapist_office", "retreat"}
		}
	}
	if !full {
		return f
	}
	f.VitalSigns = pick(r, []directory.Answer{yes, yes, yes, directory.Unknown})
	if f.VitalSigns == yes {
		f.Monitoring = some(r, []string{"blood_pressure", "heart_rate", "oxygen", "observer", "acls_on_site", "bls_on_site"}, 2+r.IntN(3))
	}
	f.EmergencyPlan = pick(r, []directory.Answer{yes, yes, directory.Unknown, directory.No})
	f.Escort = pick(r, []directory.Answer{yes, yes, directory.Unknown})
	f.Screening = some(r, []string{"uncontrolled_hypertension", "cardiovascular", "psychosis", "mania", "pregnancy", "active_substance_use",
		"raised_intracranial_pressure", "liver", "bladder", "interacting_medicines"}, r.IntN(6))
	if model != "infusion" {
		f.Frameworks = some(r, []string{"act", "ifs", "somatic_experiencing", "psychodynamic", "mindfulness", "emdr", "cbt"}, 1+r.IntN(3))
	}
	f.Populations = append([]string{"adult"}, some(r, []string{"older_adult", "veteran", "first_responder", "lgbtq", "adolescent"}, r.IntN(3))...)
	f.Formats = []string{"individual"}
	if model != "infusion" {
		f.Formats = append(f.Formats, some(r, []string{"couple", "group"}, r.IntN(2))...)
	}
	f.Access = some(r, []string{"wheelchair", "low_sensory", "gender_neutral_restroom", "public_transport"}, r.IntN(3))
	if chance(r, 6) {
		f.Access = append([]string{"asl"}, f.Access...)
	}
	atClinic := model == "infusion" || model == "checkins" || model == "infusion partner"
	if !atClinic && (model == "collaborative" || chance(r, 35)) {
		f.Telehealth = pick(r, []directory.Answer{yes, yes, directory.No})
		if f.Telehealth == yes {
			f.TelehealthIn = []directory.State{directory.State(state)}
		}
	}
	if chance(r, 80) {
		low := int64(400+25*r.IntN(33)) * 100
		high := low
		if chance(r, 40) {
			high += int64(50+25*r.IntN(8)) * 100
		}
		high = min(high, 150000)
		low = min(low, high)
		price := func(what string, a, b int64) {
			f.Prices = append(f.Prices, directory.PriceItem{Component: what, MinCents: a, MaxCents: b, Currency: "USD"})
		}
		if chance(r, 40) {
			n := int64(200+25*r.IntN(9)) * 100
			price("intake", n, n)
		}
		price("medicine_session", low, high)
		if chance(r, 40) && model != "infusion" {
			n := int64(150+25*r.IntN(5)) * 100
			price("integration", n, n)
		}
		if chance(r, 12) {
			n := int64(3000+500*r.IntN(9)) * 100
			price("package", n, n)
		}
		f.SlidingScale = pick(r, []directory.Answer{yes, directory.No, directory.Unknown})
		f.Superbill = pick(r, []directory.Answer{yes, yes, directory.No, directory.Unknown})
	}
	return f
}

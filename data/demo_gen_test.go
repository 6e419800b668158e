package data_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"html"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"kapdir/data"
	"kapdir/directory"
)

// This file writes the demonstration, data/demo: the invented people first, then one function for each
// publisher's format. Everything follows from the tables below and a fixed seed; there is no clock.
//
//	go test ./data -run TestDemo -update     writes data/demo anew
//	go test ./data -run TestDemo             fails when a committed file is not what this file writes
//
// Nobody in it exists. NPIs begin with 2, as no issued NPI does; telephone numbers lie in 555-0100 to
// 555-0199; hosts end in .example. demo_rules_test.go proves that on the files, without this file.

var updateDemo = flag.Bool("update", false, "write data/demo anew instead of comparing it")

// demoDir is where the demonstration lies, seen from this package.
const demoDir = "demo"

func TestDemoIsWhatTheGeneratorWrites(t *testing.T) {
	want := newWorld().files()
	if *updateDemo {
		writeDemo(t, want)
		return
	}
	committed := map[string]bool{}
	err := fs.WalkDir(data.FS, demoDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, demoDir+"/")
		committed[name] = true
		got, err := fs.ReadFile(data.FS, path)
		if err != nil {
			return err
		}
		if w, ok := want[name]; !ok {
			t.Errorf("data/demo/%s is not written by the generator", name)
		} else if !bytes.Equal(got, w) {
			t.Errorf("data/demo/%s differs from what the generator writes%s", name, firstDifference(got, w))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		if !committed[name] {
			t.Errorf("data/demo/%s is missing", name)
		}
	}
	if t.Failed() {
		t.Log("go test ./data -run TestDemo -update writes data/demo anew")
	}
}

// writeDemo replaces data/demo by the files.
func writeDemo(t *testing.T, files map[string][]byte) {
	t.Helper()
	var size int
	err := filepath.WalkDir(demoDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if _, ok := files[filepath.ToSlash(strings.TrimPrefix(path, demoDir+string(filepath.Separator)))]; !ok {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range files {
		path := filepath.Join(demoDir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
		size += len(body)
	}
	t.Logf("wrote %d files, %d bytes", len(files), size)
}

func firstDifference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf(", first in line %d", i+1)
		}
	}
	return fmt.Sprintf(": %d lines, not %d", len(g), len(w))
}

// stream returns the random numbers of one purpose. Each purpose has its own, so that a change to one
// person or file does not change the others.
func stream(purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(20261116, h.Sum64()))
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// some picks n different items in the order of the list.
func some[T any](r *rand.Rand, from []T, n int) []T {
	at := r.Perm(len(from))[:min(n, len(from))]
	sort.Ints(at)
	out := make([]T, len(at))
	for i, a := range at {
		out[i] = from[a]
	}
	return out
}

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

func words(s string) []string { return strings.Fields(s) }

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
	add("Texas: the licence expires between the reading and the demo's now (2026-11-14)", "Gwendolyn |Pratt", "F", counsellor, "TX", 0, standing("Active", expires("2026-11-14")))
	add("Texas: the licence expires soon (2026-12-31)", "Ezekiel |Marsh", "M", socialWorker, "TX", 1, standing("Active", expires("2026-12-31")))

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

// ---------------------------------------------------------------------------------------------------
// The files

func (w *world) files() map[string][]byte {
	out := map[string][]byte{
		"nppes/npidata_pfile_20050523-20261108.csv":                      w.nppes(),
		"leie/UPDATED.csv":                                               w.leie(),
		"co-dora/Professional_and_Occupational_Licenses_in_Colorado.csv": w.colorado(),
		"attestations.jsonl":                                             w.attestations(),
		"decisions.jsonl":                                                w.decisions(),
		"manifest.json":                                                  manifest(),
	}
	for name, body := range w.texas() {
		out["tx-bhec/"+name] = body
	}
	for name, body := range w.commons() {
		out["kap-commons/"+name] = body
	}
	for name, body := range w.openClinics() {
		out["open-clinics/"+name] = body
	}
	out["README.md"] = w.readme()
	return out
}

func manifest() []byte {
	return []byte(`{
  "now": "2026-11-16T15:00:00.000Z",
  "note": "Everything here is invented: people, practices, numbers, documents, decisions. No NPI that begins with 2 has been issued; 555-0100 to 555-0199 are nobody's telephones; .example belongs to nobody.",
  "steps": [
    {"source": "kap-commons", "path": "kap-commons", "as_of": "2026-11-02", "read": "2026-11-02T09:00:00.000Z"},
    {"source": "open-clinics", "path": "open-clinics", "as_of": "2026-11-03", "read": "2026-11-03T09:00:00.000Z"},
    {"source": "nppes", "path": "nppes/npidata_pfile_20050523-20261108.csv", "as_of": "2026-11-08", "read": "2026-11-09T09:00:00.000Z"},
    {"source": "co-dora", "path": "co-dora/Professional_and_Occupational_Licenses_in_Colorado.csv", "as_of": "2026-11-09", "read": "2026-11-10T09:00:00.000Z"},
    {"source": "tx-bhec", "path": "tx-bhec", "as_of": "2026-11-10", "read": "2026-11-10T13:00:00.000Z"},
    {"source": "leie", "path": "leie/UPDATED.csv", "as_of": "2026-11-10", "release": "2026-10", "read": "2026-11-11T09:00:00.000Z"},
    {"attestations": "attestations.jsonl"},
    {"decisions": "decisions.jsonl"}
  ]
}
`)
}

// plain drops accents, as the registers do.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(s))
}

func upper(s string) string { return strings.ToUpper(plain(s)) }

// usDate turns 2026-11-09 into 11/09/2026.
func usDate(d string) string {
	if d == "" {
		return ""
	}
	return d[5:7] + "/" + d[8:10] + "/" + d[:4]
}

// registerFamilies are the family names of everybody who is in a register and has no page. They are
// nobody's who has one, so that a register joins to a page only where it is meant to.
var registerFamilies = words("Ackerley Bannock Corliss Deverell Eddowes Fennimore Gisborne Hasleden Inchbald Jellicoe Killigrew Lambourne Maitlis Nethersole Ormonde Pinkney Quarrington Rosewarne Sallinger " +
	"Tredwell Ullathorne Vennor Wolstenholme Yelverton Zouche Brackley Cundall Dossett Entwhistle Frobisher Gathercole Hebblewhite Isherwood Kerrich Lavenham Mudgett Nuttgens Osterley Polwhele " +
	"Rackstraw Stallybrass Thwaites Umfreville Wigglesworth Arkwell Bewick Crabtree Dallimore Elphick Furnival Goodliffe Huckabee Kettleburn Loosemore Marchwood Nancarrow Oddie Penhallow Rumbelow Sowerby")

// stranger is somebody in a register without a page.
func stranger(r *rand.Rand) (personName, string) {
	l := pick(r, nameLists)
	n, sex := personName{given: plain(pick(r, l.women)), family: pick(r, registerFamilies)}, "F"
	if chance(r, 45) {
		n.given, sex = plain(pick(r, l.men)), "M"
	}
	if chance(r, 50) {
		n.middle = pick(r, middles)
	}
	return n, sex
}

// ---------------------------------------------------------------------------------------------------
// NPPES

// nppesColumns are the 330 columns of the main file in order.
func nppesColumns() []string {
	cols := strings.Split("NPI|Entity Type Code|Replacement NPI|Employer Identification Number (EIN)|Provider Organization Name (Legal Business Name)|Provider Last Name (Legal Name)|Provider First Name|"+
		"Provider Middle Name|Provider Name Prefix Text|Provider Name Suffix Text|Provider Credential Text|Provider Other Organization Name|Provider Other Organization Name Type Code|"+
		"Provider Other Last Name|Provider Other First Name|Provider Other Middle Name|Provider Other Name Prefix Text|Provider Other Name Suffix Text|Provider Other Credential Text|"+
		"Provider Other Last Name Type Code|Provider First Line Business Mailing Address|Provider Second Line Business Mailing Address|Provider Business Mailing Address City Name|"+
		"Provider Business Mailing Address State Name|Provider Business Mailing Address Postal Code|Provider Business Mailing Address Country Code (If outside U.S.)|"+
		"Provider Business Mailing Address Telephone Number|Provider Business Mailing Address Fax Number|Provider First Line Business Practice Location Address|"+
		"Provider Second Line Business Practice Location Address|Provider Business Practice Location Address City Name|Provider Business Practice Location Address State Name|"+
		"Provider Business Practice Location Address Postal Code|Provider Business Practice Location Address Country Code (If outside U.S.)|"+
		"Provider Business Practice Location Address Telephone Number|Provider Business Practice Location Address Fax Number|Provider Enumeration Date|Last Update Date|"+
		"NPI Deactivation Reason Code|NPI Deactivation Date|NPI Reactivation Date|Provider Sex Code|Authorized Official Last Name|Authorized Official First Name|"+
		"Authorized Official Middle Name|Authorized Official Title or Position|Authorized Official Telephone Number", "|")
	for i := 1; i <= 15; i++ {
		cols = append(cols, fmt.Sprintf("Healthcare Provider Taxonomy Code_%d", i), fmt.Sprintf("Provider License Number_%d", i),
			fmt.Sprintf("Provider License Number State Code_%d", i), fmt.Sprintf("Healthcare Provider Primary Taxonomy Switch_%d", i))
	}
	for i := 1; i <= 50; i++ {
		cols = append(cols, fmt.Sprintf("Other Provider Identifier_%d", i), fmt.Sprintf("Other Provider Identifier Type Code_%d", i),
			fmt.Sprintf("Other Provider Identifier State_%d", i), fmt.Sprintf("Other Provider Identifier Issuer_%d", i))
	}
	cols = append(cols, "Is Sole Proprietor", "Is Organization Subpart", "Parent Organization LBN", "Parent Organization TIN",
		"Authorized Official Name Prefix Text", "Authorized Official Name Suffix Text", "Authorized Official Credential Text")
	for i := 1; i <= 15; i++ {
		cols = append(cols, fmt.Sprintf("Healthcare Provider Taxonomy Group_%d", i))
	}
	return append(cols, "Certification Date")
}

// nppesRow is a row by column name.
type nppesRow map[string]string

func (w *world) nppes() []byte {
	var rows []nppesRow
	for _, p := range append(slices.Clone(w.prescribers), w.people...) {
		if p.npi != "" {
			rows = append(rows, personRow(p))
		}
	}
	for _, c := range w.clinics {
		if c.npi != "" {
			rows = append(rows, clinicRow(c))
		}
	}
	rows = append(rows, w.unlistedRows()...)
	sort.Slice(rows, func(i, j int) bool { return rows[i]["NPI"] < rows[j]["NPI"] })
	cols := nppesColumns()
	var b bytes.Buffer
	line := func(get func(col string) string) {
		for i, c := range cols {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + strings.ReplaceAll(get(c), `"`, `'`) + `"`)
		}
		b.WriteByte('\n')
	}
	line(func(c string) string { return c })
	for _, r := range rows {
		line(func(c string) string { return r[c] })
	}
	return b.Bytes()
}

// address fills the practice location and a mailing address that must never reach a page.
func (row nppesRow) address(r *rand.Rand, o office) {
	zip := o.zip
	if chance(r, 70) {
		zip += fmt.Sprintf("%04d", 1000+r.IntN(8999))
	}
	set := func(kind, line1, line2, city, state, zip, phone string) {
		row["Provider First Line Business "+kind+" Address"] = line1
		row["Provider Second Line Business "+kind+" Address"] = line2
		row["Provider Business "+kind+" Address City Name"] = upper(city)
		row["Provider Business "+kind+" Address State Name"] = state
		row["Provider Business "+kind+" Address Postal Code"] = zip
		row["Provider Business "+kind+" Address Country Code (If outside U.S.)"] = "US"
		row["Provider Business "+kind+" Address Telephone Number"] = phone
	}
	set("Practice Location", upper(o.street), upper(o.suite), o.city, o.state, zip, o.digits())
	home := pick(r, cities[o.state])
	set("Mailing", fmt.Sprintf("%d NEVER SHOWN MAILING LN", 1+r.IntN(9998)), pick(r, []string{"", "", "APT 4"}), home.name, o.state, pick(r, home.zips), home.areas[0]+"5550199")
	if chance(r, 20) {
		row["Provider Business Practice Location Address Fax Number"] = home.areas[0] + "5550198"
	}
}

// taxonomy fills slot i.
func (row nppesRow) taxonomy(i int, code, number, state, primary string) {
	n := strconv.Itoa(i)
	row["Healthcare Provider Taxonomy Code_"+n] = code
	row["Provider License Number_"+n] = strings.ToUpper(number)
	row["Provider License Number State Code_"+n] = state
	row["Healthcare Provider Primary Taxonomy Switch_"+n] = primary
}

func personRow(p *person) nppesRow {
	r := stream("nppes " + p.slug)
	if p.deactDate != "" && p.reactDate == "" {
		return nppesRow{"NPI": p.npi, "NPI Deactivation Date": usDate(p.deactDate)}
	}
	n := p.personName
	if p.registered != nil {
		n = *p.registered
	}
	row := nppesRow{"NPI": p.npi, "Entity Type Code": "1", "Provider Last Name (Legal Name)": upper(n.family), "Provider First Name": upper(n.given),
		"Provider Middle Name":      upper(n.middle),
		"Provider Enumeration Date": usDate(p.enumerated), "Last Update Date": usDate(p.updated), "Provider Sex Code": p.sex, "Is Sole Proprietor": p.sole,
		"NPI Deactivation Date": usDate(p.deactDate), "NPI Reactivation Date": usDate(p.reactDate)}
	if n.suffix != "" {
		row["Provider Name Suffix Text"] = strings.ToUpper(n.suffix) + "."
	}
	if p.trade == psychiatrist || p.trade == physician || p.trade == psychologist {
		row["Provider Name Prefix Text"] = pick(r, []string{"", "DR."})
	}
	letters := strings.Join(p.letters, ", ")
	if chance(r, 30) {
		letters = strings.ReplaceAll(strings.ReplaceAll(letters, "PhD", "PH.D."), ",", "")
	}
	row["Provider Credential Text"] = fmt.Sprintf("%.20s", strings.ToUpper(letters))
	if p.former != "" {
		row["Provider Other Last Name"], row["Provider Other First Name"], row["Provider Other Last Name Type Code"] = upper(p.former), upper(n.given), "1"
	}
	row.address(r, p.offices[0])
	codes := taxonomies[p.trade]
	if p.specialty != "" {
		codes = []string{p.specialty, "208D00000X"}
	}
	l := p.licences[0]
	other := ""
	if len(p.licences) > 1 {
		other = p.licences[1].state
	}
	number := l.number
	if p.showsNoLic {
		number = ""
	}
	switch {
	case p.primary2:
		row.taxonomy(1, codes[1], "", l.state, "N")
		row.taxonomy(2, codes[0], number, l.state, "Y")
	case chance(r, 4):
		row.taxonomy(1, codes[0], number, l.state, "X")
	default:
		row.taxonomy(1, codes[0], number, l.state, "Y")
	}
	if other != "" && other != l.state {
		row.taxonomy(3, codes[0], p.licences[1].number, other, "N")
	}
	if chance(r, 12) {
		row["Other Provider Identifier_1"], row["Other Provider Identifier Type Code_1"], row["Other Provider Identifier State_1"] = fmt.Sprintf("MCD%05d",
			r.IntN(100000)), "05", l.state
	}
	if p.updated >= "2024" {
		row["Certification Date"] = usDate(p.updated)
	}
	return row
}

func clinicRow(c *clinic) nppesRow {
	r := stream("nppes " + c.slug)
	row := nppesRow{"NPI": c.npi, "Entity Type Code": "2", "Employer Identification Number (EIN)": "<UNAVAIL>", "Provider Organization Name (Legal Business Name)": upper(c.legal),
		"Provider Enumeration Date": usDate(c.enumerated), "Last Update Date": usDate(c.enumerated), "Authorized Official Last Name": upper(c.official.family),
		"Authorized Official First Name": upper(c.official.given), "Authorized Official Title or Position": pick(r, []string{"OWNER", "MANAGING MEMBER", "PRESIDENT"}),
		"Authorized Official Telephone Number": c.office.digits(), "Is Organization Subpart": "N"}
	if chance(r, 35) {
		row["Provider Other Organization Name"], row["Provider Other Organization Name Type Code"] = upper(c.name), "3"
	}
	row.address(r, c.office)
	code := map[string]string{"team": "261QM0850X", "infusion": "261QI0500X", "checkins": "261QM0801X", "unknown": "261QM2500X"}[c.kind]
	row.taxonomy(1, code, "", "", "Y")
	if c.kind == "team" {
		row.taxonomy(2, "193200000X", "", "", "N")
		row["Healthcare Provider Taxonomy Group_2"] = "193200000X MULTI-SPECIALTY GROUP"
	}
	return row
}

// unlistedRows are NPPES rows of people and organisations that no page names: they must make no page.
func (w *world) unlistedRows() []nppesRow {
	r := stream("nppes unlisted")
	outside := []string{"1223G0001X", "122300000X", "225100000X", "111N00000X", "152W00000X", "183500000X"}
	inside := []string{"101YM0800X", "1041C0700X", "103TC0700X", "106H00000X", "2084P0800X", "363LP0808X", "207L00000X", "163WP0808X", "390200000X"}
	var rows []nppesRow
	person := func(n personName, sex, code, state string) nppesRow {
		row := nppesRow{"NPI": w.newNPI(), "Entity Type Code": "1", "Provider Last Name (Legal Name)": upper(n.family), "Provider First Name": upper(n.given),
			"Provider Middle Name":      upper(n.middle),
			"Provider Enumeration Date": usDate(day(r, 2006+r.IntN(17))), "Last Update Date": usDate(day(r, 2023+r.IntN(3))), "Provider Sex Code": sex,
			"Is Sole Proprietor": pick(r, []string{"Y", "N", "X"})}
		c := pick(r, cities[state])
		row.address(r, office{street: fmt.Sprintf("%d %s", 100+r.IntN(8900), pick(r, streets)), suite: fmt.Sprintf("STE %d", 100+r.IntN(400)), city: c.name, state: state,
			zip: pick(r, c.zips), phone: c.areas[0] + "5550197"})
		row.taxonomy(1, code, w.newNumber(state, "7####"), state, "Y")
		rows = append(rows, row)
		return row
	}
	for i := range 50 {
		n, sex := stranger(r)
		codes := inside
		if i%3 == 0 {
			codes = outside
		}
		row := person(n, sex, pick(r, codes), pick(r, demoStates))
		if i%12 == 0 {
			row["Provider Other Last Name"], row["Provider Other First Name"], row["Provider Other Last Name Type Code"] = upper(pick(r, registerFamilies)), upper(n.given), "1"
		}
	}
	for _, middle := range []string{"THI", "K"} {
		person(personName{"Linh", middle, "Tran", ""}, "F", "106H00000X", "CA")
	}
	for i := range 5 {
		c := &clinic{slug: fmt.Sprintf("unlisted-%d", i), legal: pick(r, registerFamilies) + " Family Dental PC", npi: w.newNPI(), kind: "unknown", enumerated: day(r,
			2012), office: w.newOffice(r, pick(r, demoStates), -1, false)}
		c.official, _ = stranger(r)
		row := clinicRow(c)
		row["Healthcare Provider Taxonomy Code_1"] = "1223G0001X"
		rows = append(rows, row)
	}
	for _, d := range []string{"07/08/2014", "02/17/2021", "09/30/2026"} {
		rows = append(rows, nppesRow{"NPI": w.newNPI(), "NPI Deactivation Date": d})
	}
	return rows
}

// ---------------------------------------------------------------------------------------------------
// LEIE

var leieColumns = "LASTNAME,FIRSTNAME,MIDNAME,BUSNAME,GENERAL,SPECIALTY,UPIN,NPI,DOB,ADDRESS,CITY,STATE,ZIP,EXCLTYPE,EXCLDATE,REINDATE,WAIVERDATE,WVRSTATE"

// leieRow is a row before its fields are cut to the list's fixed lengths.
type leieRow struct {
	last, first, middle, business, general, specialty, npi, birth string
	state, kind, date, waiver, waiverState                        string
	street, city, zip                                             string
}

func (w *world) leie() []byte {
	r := stream("leie")
	general := [][2]string{{"IND- LIC HC SERV PRO", "NURSE/NURSES AIDE"}, {"IND- LIC HC SERV PRO", "COUNSELOR"}, {"IND- LIC HC SERV PRO", "SOCIAL WORKER"},
		{"IND- LIC HC SERV PRO", "THERAPIST"},
		{"IND- LIC HC SERV PRO", "PSYCHOLOGY"}, {"PHYSICIAN (MD, DO)", "PSYCHIATRY"}, {"PHYSICIAN (MD, DO)", "FAMILY PRACTICE"}, {"EMPLOYEE - PRIVATE SECTOR", "CLERICAL WORKER"},
		{"INDIVIDUAL (UNAFFILIATED)", "NO SPECIALTY/UNKNOWN"}, {"BUS OWNER/EXEC", "HOME HEALTH AGENCY"}, {"NURSING PROFESSION", "NURSE/NURSES AIDE"}}
	kinds := []string{"1128a1", "1128a1", "1128a1", "1128a2", "1128a3", "1128a4", "1128b1", "1128b3", "1128b4", "1128b4", "1128b4", "1128b4", "1128b5", "1128b7",
		"1128b8", "1128b14", "1128b16", "1128Aa", "1156", "BRCH SA"}
	date := func(from, to int) string {
		return fmt.Sprintf("%04d%02d%02d", from+r.IntN(to-from), 1+r.IntN(12), 1+r.IntN(28))
	}
	var rows []leieRow
	add := func(row leieRow) {
		row.street, row.city = fmt.Sprintf("%d %s", 100+r.IntN(8900), pick(r, streets)), pick(r, words("Brookhollow Farnsworth Elmira Castlebar Windmere Oakridge Fairmount"))
		row.zip = fmt.Sprintf("%05d", 10000+r.IntN(89999))
		rows = append(rows, row)
	}
	for i := range 384 {
		n, _ := stranger(r)
		g := pick(r, general)
		row := leieRow{last: n.family, first: n.given, middle: n.middle, general: g[0], specialty: g[1], birth: date(1940, 1999), state: pick(r,
			words("CO TX CA WA NY MA OR FL IL OH MN NM AZ NC MI DC NV GA PA NJ VA KY TN LA")),
			kind: pick(r, kinds), date: date(2004, 2026)}
		if chance(r, 12) {
			row.npi = w.newNPI()
		}
		switch {
		case i%23 == 0:
			row.last += "-" + pick(r, registerFamilies)
		case i%41 == 0:
			row.last += pick(r, []string{" JR", ", JR", " III", " SR"})
		case i%13 == 0:
			row = leieRow{business: pick(r, registerFamilies) + pick(r, []string{" Home Health Services, Incorporated", " Pharmacy LLC", " Counseling Center, LLC",
				" Sober Living"}), general: "OTHER BUSINESS",
				specialty: pick(r, []string{"HOME HEALTH AGENCY", "PHARMACY", "COUNSELING CENTER", "SOBER HOME"}), npi: row.npi, state: row.state, kind: pick(r,
					[]string{"1128a1", "1128b8", "1128b5"}), date: row.date}
		case i == 50:
			row.last = "NULL"
		case i == 77:
			row.waiver, row.waiverState = "20190412", "TX"
		case i == 210:
			row.waiver, row.waiverState = "20220830", "NM"
		}
		add(row)
		if i%97 == 60 {
			rows = append(rows, rows[len(rows)-1]) // some lines stand twice
		}
	}
	excluded := w.slugs["garrick-thole"]
	add(leieRow{last: "Thole", first: "Garrick", middle: "", general: "IND- LIC HC SERV PRO", specialty: "PSYCHOLOGY", npi: excluded.npi, birth: "19631104", state: "AZ",
		kind: "1128b4", date: "20260619"})
	add(leieRow{last: "Quintero", first: "Marisol", middle: "D", general: "NURSING PROFESSION", specialty: "NURSE/NURSES AIDE", birth: "19710223", state: "NV",
		kind: "1128a3", date: "20180920"})
	add(leieRow{last: "Okafor", first: "Anneliese", general: "EMPLOYEE - PRIVATE SECTOR", specialty: "CLERICAL WORKER", birth: "19580412", state: "GA", kind: "1128a1",
		date: "20130718"})
	sort.SliceStable(rows, func(i, j int) bool {
		return upper(rows[i].last+" "+rows[i].first+rows[i].business) < upper(rows[j].last+" "+rows[j].first+rows[j].business)
	})
	var b bytes.Buffer
	b.WriteString(leieColumns + "\r\n")
	for _, x := range rows {
		npi, waiver := x.npi, x.waiver
		if npi == "" {
			npi = "0000000000"
		}
		if waiver == "" {
			waiver = "00000000"
		}
		fields := []string{cut(x.last, 20), cut(x.first, 15), cut(x.middle, 15), cut(x.business, 30), cut(x.general, 20), cut(x.specialty, 20), "", npi, x.birth,
			upper(x.street), upper(x.city), x.state,
			x.zip, fmt.Sprintf("%-9s", x.kind), x.date, "00000000", waiver, x.waiverState}
		for i, f := range fields {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + f + `"`)
		}
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// cut writes a field as the list does: capitals, cut off at its length.
func cut(s string, n int) string { return strings.TrimSpace(fmt.Sprintf("%.*s", n, upper(s))) }

// ---------------------------------------------------------------------------------------------------
// Colorado

var coloradoColumns = words("lastname firstname middlename suffix entityname city state mailzipcode licensetype subcategory licensenumber licensefirstissuedate licenselastreneweddate licenseexpirationdate " +
	"licensestatusdescription specialty title degrees casenumber programaction disciplineeffectivedate disciplinecompletedate linktoverifylicense linktoviewhealthcareprofile")

func (w *world) colorado() []byte {
	r := stream("colorado")
	var rows [][]string
	add := func(n personName, entity string, o office, l *licence, degrees string) {
		link := fmt.Sprintf("https://colorado-register.example/dora/licensing/Lookup/PrintLicenseDetails.aspx?cred=%d&contact=%d", 100000+r.IntN(900000), 100000+r.IntN(900000))
		profile := ""
		if l.board == "DR" || l.board == "PA" || l.board == "APN" || l.board == "RXN" {
			profile = fmt.Sprintf("https://colorado-register.example/hppp/profile?id=%d", 100000+r.IntN(900000))
		}
		acts := l.actions
		if len(acts) == 0 {
			acts = []boardAction{{}}
		}
		for _, a := range acts {
			rows = append(rows, []string{n.family, n.given, n.middle, n.suffix, entity, o.city, o.state, o.zip, l.board, l.roles, l.onRoster(), usDate(l.issued),
				usDate(l.renewed), usDate(l.expires),
				l.status, l.specialty, "", degrees, a.number, a.action, usDate(a.effective), usDate(a.complete), link, profile})
		}
	}
	for _, p := range append(slices.Clone(w.prescribers), w.people...) {
		for _, l := range p.licences {
			if l.state != "CO" || l.board == "" || l.absent {
				continue
			}
			n := p.personName
			if l.rosterName != nil {
				n = *l.rosterName
			}
			degrees := ""
			if l.board == "DR" {
				degrees = p.degrees[0]
				if p.trade == physician {
					l.specialty = ""
				}
			}
			add(personName{plain(n.given), plain(n.middle), plain(n.family), n.suffix}, "", p.offices[0], l, degrees)
		}
	}
	for i := range 104 {
		n, _ := stranger(r)
		c := pick(r, cities["CO"])
		l := &licence{state: "CO", board: pick(r, words("LPC LPC LPCC CSW MFT PSY NLC LAC RN RN COS PTL DEN CPA")), status: pick(r, []string{"Active", "Active", "Active",
			"Active", "Expired", "Inactive", "Retired", "Cancelled"}),
			issued: day(r, 2004+r.IntN(20)), number: w.newNumber("CO", pick(r, []string{"1####", "99#####", "6####"}))}
		l.expires = "2027-08-31"
		if l.status != "Active" {
			l.expires = fmt.Sprintf("%d-08-31", 2015+2*r.IntN(6))
		}
		switch {
		case i%17 == 0:
			l.actions = []boardAction{{fmt.Sprintf("%d-%04d", 2012+r.IntN(13), r.IntN(10000)), pick(r, []string{"Letter of Admonition", "Stipulation - Probation",
				"Fine"}), day(r, 2014+r.IntN(10)), ""}}
		case i%19 == 0:
			l.board, n = pick(r, words("PDO EC")), personName{}
			add(n, pick(r, registerFamilies)+" Supply Company LLC", office{city: c.name, state: "CO", zip: pick(r, c.zips)}, l, "")
			continue
		}
		add(n, "", office{city: c.name, state: "CO", zip: pick(r, c.zips)}, l, "")
	}
	sort.SliceStable(rows, func(i, j int) bool {
		return strings.Join(rows[i][:3], " ")+rows[i][10] < strings.Join(rows[j][:3], " ")+rows[j][10]
	})
	return csvFile(coloradoColumns, rows)
}

func csvFile(header []string, rows [][]string) []byte {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	_ = c.Write(header)
	_ = c.WriteAll(rows) // a buffer takes everything
	return b.Bytes()
}

// ---------------------------------------------------------------------------------------------------
// Texas

var texasColumns = words("LIC_TYPE RANK LIC_NBR ENTITY_NBR LAST_NME FIRST_NME MIDDLE_NME SFX_NME LIC_STATUS LIC_EXPR_DTE RANK_EFCT_DTE DISCPL_ACTN")

func (w *world) texas() map[string][]byte {
	r := stream("texas")
	file := map[string]string{"PSY": "PSY", "LPA": "PSY", "PLP": "PSY", "LMFT": "MFT", "LMFTA": "MFT", "LPC": "LPC", "LPCA": "LPC", "LCSW": "SW", "LMSW": "SW"}
	code := map[string]string{"PSY": "5201", "MFT": "5301", "LPC": "5401", "SW": "5501"}
	rows := map[string][][]string{}
	add := func(n personName, l *licence) {
		f := file[l.board]
		flag := "No"
		if l.flagged {
			flag = "Yes"
		}
		rows[f] = append(rows[f], []string{code[f], l.board, l.onRoster(), strconv.Itoa(1000000 + r.IntN(900000)), upper(n.family), upper(n.given), upper(n.middle),
			strings.ToUpper(n.suffix), l.status,
			usDate(l.expires), usDate(l.issued), flag})
	}
	for _, p := range append(slices.Clone(w.prescribers), w.people...) {
		for _, l := range p.licences {
			if l.state == "TX" && l.board != "" && !l.absent {
				add(p.personName, l)
			}
		}
	}
	for i := range 96 {
		n, _ := stranger(r)
		l := &licence{board: pick(r, words("LPC LPC LPC LPCA LCSW LCSW LMSW LMFT LMFTA PSY PSY LPA PLP")), status: "Active", issued: day(r, 2006+r.IntN(18)),
			expires: pick(r, []string{"2027-01-31", "2027-06-30", "2027-10-31", "2028-03-31"}),
			number:  w.newNumber("TX", "6####")}
		switch i % 16 {
		case 3:
			l.status, l.expires = "Delinquent", "2026-04-30"
		case 7:
			l.status = "Inactive"
		case 11:
			l.flagged = true
		case 13:
			l.status, l.flagged = pick(r, []string{"Probated/Suspended", "Suspended"}), true
		}
		add(n, l)
	}
	out := map[string][]byte{}
	for _, f := range words("PSY MFT LPC SW") {
		sort.SliceStable(rows[f], func(i, j int) bool { return strings.Join(rows[f][i][4:7], " ") < strings.Join(rows[f][j][4:7], " ") })
		out[f+".csv"] = csvFile(texasColumns, rows[f])
	}
	return out
}

// ---------------------------------------------------------------------------------------------------
// KAP Commons: plain markup

const commonsSite = "https://kap-commons.example"

// commonsWords are the site's words, by field and our word.
var commonsWords = map[string]map[string]string{
	"route": {"sublingual_lozenge": "Lozenge", "oral": "By mouth", "intramuscular": "Intramuscular injection", "intravenous": "IV infusion",
		"subcutaneous":          "Injection under the skin",
		"intranasal_compounded": "Compounded nasal spray", "esketamine": "Spravato"},
	"setting": {"clinic_in_person": "Clinic", "therapist_office": "Therapist's office", "home_remote": "At home, by video", "retreat": "Retreat"},
	"model": {"single_clinician_dual_role": "One clinician in both roles", "in_house_team": "Own medical team", "collaborative_external_prescriber": "With an outside prescriber",
		"infusion_clinic_with_therapist": "Infusion clinic with a therapist"},
	"presence": {"in_room": "Therapist in the room", "video": "Therapist on video", "on_site_not_in_room": "Therapist in the building", "none": "Nobody in the room"},
	"monitoring": {"blood_pressure": "Blood pressure", "heart_rate": "Heart rate", "oxygen": "Oxygen", "observer": "Trained observer", "acls_on_site": "ACLS on site",
		"bls_on_site": "BLS on site"},
	"screening": {"uncontrolled_hypertension": "High blood pressure", "cardiovascular": "Heart disease", "psychosis": "Psychosis", "mania": "Mania",
		"pregnancy":            "Pregnancy or breastfeeding",
		"active_substance_use": "Current substance use", "raised_intracranial_pressure": "Raised pressure in the skull", "liver": "Liver disease", "bladder": "Bladder problems",
		"interacting_medicines": "Interacting medicines"},
	"framework": {"act": "Acceptance and Commitment Therapy", "ifs": "Internal Family Systems", "somatic_experiencing": "Somatic Experiencing",
		"psychodynamic": "Psychodynamic", "mindfulness": "Mindfulness",
		"emdr": "EMDR", "cbt": "Cognitive behavioral therapy"},
	"specialties": {"trauma": "Trauma and PTSD", "depression": "Depression", "anxiety": "Anxiety", "substance_use": "Substance use", "end_of_life": "End of life",
		"growth": "Personal growth"},
	"population": {"adult": "Adults", "older_adult": "Older adults", "veteran": "Veterans", "first_responder": "First responders", "lgbtq": "LGBTQ+", "adolescent": "Teens"},
	"format":     {"individual": "Individual", "couple": "Couples", "group": "Group"},
	"access": {"wheelchair": "Wheelchair accessible", "asl": "American Sign Language", "low_sensory": "Quiet, low light", "gender_neutral_restroom": "Gender-neutral restroom",
		"public_transport": "Near public transport"},
	"price": {"intake": "Intake", "medicine_session": "Medicine session", "integration": "Integration session", "package": "Package"},
	"level": {"attended": "Attended", "modules_complete": "Modules complete", "certificate": "Certificate", "in_programme_register": "In the programme's register"},
	"language": {"english": "English", "spanish": "Spanish", "mandarin": "Mandarin", "vietnamese": "Vietnamese", "korean": "Korean", "arabic": "Arabic",
		"portuguese": "Portuguese", "persian": "Farsi",
		"hindi": "Hindi", "russian": "Russian", "french": "French", "haitian creole": "Haitian Creole"},
}

// mustWord finds the site's word; a missing one is a mistake in this file.
func mustWord(table map[string]map[string]string, field, ours string) string {
	w, ok := table[field][ours]
	if !ok {
		panic(field + ": no word for " + ours)
	}
	return w
}

// page collects markup.
type page struct{ bytes.Buffer }

// line writes a line with every text escaped.
func (b *page) line(format string, texts ...any) {
	for i, t := range texts {
		if s, ok := t.(string); ok {
			texts[i] = html.EscapeString(s)
		}
	}
	fmt.Fprintf(b, format+"\n", texts...)
}

func (b *page) head(title, canonical string) {
	b.line("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>%s</title>\n<link rel=\"canonical\" href=\"%s\">", title, canonical)
}

// commons writes the site's files. A page's file name is its address with hyphens.
func (w *world) commons() map[string][]byte {
	out := map[string][]byte{}
	type card struct{ path, name, letters, phone, place string }
	var cards []card
	for _, p := range append(slices.Clone(w.people), w.prescribers...) {
		if p.onCommons {
			out["profile-"+p.slug+".html"] = commonsProfile(p)
			o := p.offices[0]
			cards = append(cards, card{"/profile/" + p.slug, p.personName.String(), strings.Join(p.letters, ", "), o.phone, fmt.Sprintf("%s, %s %s", o.city, o.state, o.zip)})
		}
	}
	for _, c := range w.clinics {
		if c.onCommons {
			out["clinic-"+c.slug+".html"] = commonsClinic(c)
			cards = append(cards, card{"/clinic/" + c.slug, c.name, "", c.office.phone, fmt.Sprintf("%s, %s %s", c.office.city, c.office.state, c.office.zip)})
		}
	}
	sort.Slice(cards, func(i, j int) bool { return cards[i].path < cards[j].path })
	const perPage = 25
	for n := 1; len(cards) > 0; n++ {
		var b page
		at := commonsSite + "/therapists/"
		if n > 1 {
			at += "?page=" + strconv.Itoa(n)
		}
		b.head(fmt.Sprintf("Therapists, page %d - KAP Commons (invented)", n), at)
		b.line("</head>\n<body>\n<div class=\"results\">")
		k := min(perPage, len(cards))
		for _, c := range cards[:k] {
			b.line(`  <div class="results-row"><a class="profile-title" href="%s">%s</a><div class="profile-subtitle-credentials">%s</div>`+
				`<span class="results-row-phone">%s</span><span class="address">%s</span></div>`, c.path, c.name, c.letters, c.phone, c.place)
		}
		b.line("</div>")
		if cards = cards[k:]; len(cards) > 0 {
			b.line(`<div class="pagination-controls-end"><a class="page-btn" rel="next" href="/therapists/?page=%d">Next</a></div>`, n+1)
		}
		b.line("</body>\n</html>")
		out[fmt.Sprintf("therapists-%d.html", n)] = b.Bytes()
	}
	return out
}

func commonsProfile(p *person) []byte {
	r := stream("commons " + p.slug)
	var b page
	b.head(p.personName.String()+" - KAP Commons (invented)", commonsSite+"/profile/"+p.slug)
	b.line("</head>\n<body>\n<main class=\"profile\">")
	kind := "Therapist"
	switch {
	case p.medical:
		kind = "Prescriber"
	case p.trade.prescribes():
		kind = "Therapist and prescriber"
	}
	b.line(`  <p class="profile-kind">%s</p>`, kind)
	name := p.personName.String()
	if p.trade == psychologist && chance(r, 30) {
		name = "Dr. " + name
	}
	b.line(`  <h1 class="profile-title">%s</h1>`, name)
	b.line(`  <div class="profile-subtitle-credentials">%s</div>`, strings.Join(p.letters, ", "))
	if p.commonsNPI && p.npi != "" {
		b.line(`  <p><span class="profile-npi">NPI %s</span></p>`, p.npi)
	}
	if !p.showsNoLic {
		b.line(`  <ul class="attribute-list license-list">`)
		for i, l := range p.licences {
			by := ""
			if i == 0 && p.supervisor != "" {
				by = ". Supervised by " + p.supervisor
			}
			b.line(`    <li>%s%s</li>`, licenceWords(r, l, i == 0 && by == "" && len(p.licences) == 1 && chance(r, 20)), by)
		}
		b.line(`  </ul>`)
	}
	if p.supervisor != "" {
		b.line(`  <p class="supervision">Supervised by %s</p>`, p.supervisor)
	}
	if len(p.trainings) > 0 {
		b.line(`  <ul class="attribute-list training-list">`)
		for _, t := range p.trainings {
			s := `    <li><span class="programme">` + html.EscapeString(t.words) + `</span>`
			if t.level != "" {
				s += `, <span class="level">` + html.EscapeString(mustWord(commonsWords, "level", t.level)) + `</span>`
			}
			if chance(r, 75) {
				s += `, <time datetime="` + t.completed + `">` + longDate(t.completed) + `</time>`
			}
			b.WriteString(s + "</li>\n")
		}
		b.line(`  </ul>`)
	}
	switch {
	case p.self:
		b.line(`  <div class="medical-oversight"><p class="who">Medical oversight: self</p></div>`)
	case p.prescriber != nil:
		b.line(`  <div class="medical-oversight">`)
		b.line(`    <p class="who">Medical oversight: %s</p>`, prescriberWords(p.prescriber, p.namesMD, p.offices[0].state))
		if p.namesMD == "full" && p.prescriber.clinic == nil && chance(r, 60) {
			commonsSiteOf(&b, "    ", "", p.prescriber.offices[0])
		}
		b.line(`  </div>`)
	}
	for _, o := range p.offices {
		commonsSiteOf(&b, "  ", "", o)
	}
	if p.clinic != nil && p.clinic.onCommons {
		b.line(`  <p>Works at <a class="works-at" href="/clinic/%s">%s</a></p>`, p.clinic.slug, p.clinic.name)
	}
	if p.website != "" {
		b.line(`  <p><a class="website" href="%s">Website</a></p>`, p.website)
	}
	commonsFacts(&b, r, p.facts)
	b.line(`  <p>Last updated <time class="last-updated" datetime="%s">%s</time></p>`, p.asOf, longDate(p.asOf))
	b.line("</main>\n</body>\n</html>")
	return b.Bytes()
}

func commonsClinic(c *clinic) []byte {
	r := stream("commons clinic " + c.slug)
	var b page
	b.head(c.name+" - KAP Commons (invented)", commonsSite+"/clinic/"+c.slug)
	b.line("</head>\n<body>\n<main class=\"profile\">\n  <p class=\"profile-kind\">KAP clinic</p>")
	b.line(`  <h1 class="profile-title">%s</h1>`, c.legal)
	b.line(`  <p><span class="profile-npi">NPI %s</span></p>`, c.npi)
	b.line(`  <div class="medical-oversight"><p class="who">Medical oversight: %s</p></div>`, prescriberWords(c.people[0], "full", c.office.state))
	commonsSiteOf(&b, "  ", c.name, c.office)
	b.line(`  <p><a class="website" href="%s">Website</a></p>`, c.website)
	commonsFacts(&b, r, c.facts)
	b.line(`  <p>Last updated <time class="last-updated" datetime="%s">%s</time></p>`, c.asOf, longDate(c.asOf))
	b.line("</main>\n</body>\n</html>")
	return b.Bytes()
}

// licenceWords writes "LCSW #CSW.09923456, Colorado", the state left out where the address has it.
func licenceWords(r *rand.Rand, l *licence, bare bool) string {
	s := l.word + " #" + l.number
	if l.board == "DR" && chance(r, 30) {
		s = l.number
	}
	if bare {
		return s
	}
	return s + ", " + directory.State(l.state).Name()
}

// prescriberWords writes "Dr. Elena Roth, MD, NPI 2100000175, license DR.00512345 (CO)" or less of it.
func prescriberWords(p *person, how, state string) string {
	s := p.personName.String()
	if p.trade == psychiatrist || p.trade == physician {
		s = "Dr. " + s
	}
	s += ", " + p.letters[len(p.letters)-1]
	if how == "name" {
		return s
	}
	s += ", NPI " + p.npi
	if how == "full" {
		l := p.licences[0]
		for _, x := range p.licences {
			if x.state == state && l.state != state {
				l = x
			}
		}
		s += fmt.Sprintf(", license %s (%s)", l.number, l.state)
	}
	return s
}

func commonsSiteOf(b *page, indent, name string, o office) {
	b.WriteString(indent + "<address class=\"site\">\n")
	if name != "" {
		b.line(indent+`  <span class="site-name">%s</span>`, name)
	}
	b.line(indent+`  <span class="street">%s</span>`, o.street)
	if o.suite != "" {
		b.line(indent+`  <span class="street2">%s</span>`, o.suite)
	}
	b.line(indent+`  <span class="city">%s</span>, <span class="state">%s</span> <span class="zip">%s</span>`, o.city, o.state, o.zip)
	if o.phone != "" {
		b.line(indent+`  <span class="phone">%s</span>`, o.phone)
	}
	b.WriteString(indent + "</address>\n")
}

// commonsFacts writes what the practice says of itself, and nothing for what it does not.
func commonsFacts(b *page, r *rand.Rand, f directory.Practice) {
	if f.Accepting != directory.Unknown {
		s := "Accepting new clients"
		if f.Accepting == directory.No {
			s = "Not accepting new clients"
		}
		if f.Waitlist == directory.Yes {
			s = "Waiting list"
		}
		if chance(r, 70) {
			s += " (as of " + string(f.AcceptingAsOf) + ")"
		}
		b.line(`  <p class="accepting-clients">%s</p>`, s)
	}
	var terms [][3]string
	term := func(label, class, text string) {
		if text != "" {
			terms = append(terms, [3]string{label, class, text})
		}
	}
	answer := func(a directory.Answer) string {
		return map[directory.Answer]string{directory.Yes: "Yes", directory.No: "No"}[a]
	}
	term("Preparation", "preparation", commonsPhase(f.Preparation))
	term("Medicine sessions", "medicine", commonsPhase(f.Medicine))
	term("Integration", "integration", commonsPhase(f.Integration))
	if f.Model != "" {
		term("Model", "model", mustWord(commonsWords, "model", f.Model))
	}
	if f.Presence != "" {
		term("During the medicine session", "presence", mustWord(commonsWords, "presence", string(f.Presence)))
	}
	term("Vital signs taken", "vital-signs", answer(f.VitalSigns))
	term("Written emergency plan", "emergency-plan", answer(f.EmergencyPlan))
	term("Escort home required", "escort", answer(f.Escort))
	term("Telehealth", "telehealth", answer(f.Telehealth))
	term("Sliding scale", "sliding-scale", answer(f.SlidingScale))
	term("Superbill", "superbill", answer(f.Superbill))
	if len(terms) > 0 {
		b.line(`  <dl class="kap">`)
		for _, t := range terms {
			b.line(`    <dt>%s</dt><dd class="%s">%s</dd>`, t[0], t[1], t[2])
		}
		b.line(`  </dl>`)
	}
	list := func(class, field string, items []string) {
		if len(items) == 0 {
			return
		}
		b.WriteString(`  <ul class="attribute-list ` + class + `">`)
		for _, it := range items {
			b.WriteString("<li>" + html.EscapeString(mustWord(commonsWords, field, it)) + "</li>")
		}
		b.WriteString("</ul>\n")
	}
	list("route-list", "route", f.Routes)
	list("setting-list", "setting", f.Settings)
	list("monitoring-list", "monitoring", f.Monitoring)
	list("screening-list", "screening", f.Screening)
	list("framework-list", "framework", f.Frameworks)
	list("specialties-list", "specialties", f.Focus)
	list("population-list", "population", f.Populations)
	list("format-list", "format", f.Formats)
	list("language-list", "language", f.Languages)
	list("access-list", "access", f.Access)
	if len(f.TelehealthIn) > 0 {
		b.WriteString(`  <ul class="attribute-list telehealth-states">`)
		for _, s := range f.TelehealthIn {
			b.WriteString("<li>" + s.Name() + "</li>")
		}
		b.WriteString("</ul>\n")
	}
	if len(f.Prices) > 0 {
		asOf := fmt.Sprintf("2026-%02d-%02d", 1+r.IntN(9), 1+r.IntN(28))
		b.line(`  <ul class="attribute-list fees-list">`)
		for _, it := range f.Prices {
			amount := dollars(it.MinCents)
			if it.MaxCents > it.MinCents {
				amount += "-" + dollars(it.MaxCents)
			}
			when := fmt.Sprintf(" (as of %s)", asOf)
			if chance(r, 20) {
				when = ""
			}
			b.line(`    <li>%s: %s%s</li>`, mustWord(commonsWords, "price", it.Component), amount, when)
		}
		b.line(`  </ul>`)
	}
}

func commonsPhase(p directory.Phase) string {
	switch {
	case p.Offered == directory.No:
		return "Not offered"
	case p.Offered == directory.Unknown:
		return ""
	case p.SessionsMin == 0:
		return "Yes"
	}
	sessions, minutes := rangeWords(p.SessionsMin, p.SessionsMax), rangeWords(p.MinutesMin, p.MinutesMax)+" minutes"
	if p.MinutesMin%60 == 0 && p.MinutesMax%60 == 0 && p.MinutesMin >= 120 {
		minutes = rangeWords(p.MinutesMin/60, p.MinutesMax/60) + " hours"
	}
	return "Yes: " + sessions + " sessions of " + minutes
}

func rangeWords(a, b int) string {
	if a == b {
		return strconv.Itoa(a)
	}
	return fmt.Sprintf("%d-%d", a, b)
}

func dollars(cents int64) string {
	d := cents / 100
	if d >= 1000 {
		return fmt.Sprintf("$%d,%03d", d/1000, d%1000)
	}
	return fmt.Sprintf("$%d", d)
}

func longDate(d string) string {
	t, err := time.Parse(time.DateOnly, d)
	if err != nil {
		panic(err)
	}
	return t.Format("2 January 2006")
}

// ---------------------------------------------------------------------------------------------------
// Open Clinics: JSON-LD

const clinicsSite = "https://open-clinics.example"

// clinicsWords are the site's words where they are not ours.
var clinicsWords = map[string]map[string]string{
	"route": {"sublingual_lozenge": "lozenge", "oral": "oral", "intramuscular": "IM", "intravenous": "IV", "subcutaneous": "SC",
		"intranasal_compounded": "compounded nasal", "esketamine": "esketamine"},
	"setting": {"clinic_in_person": "clinic", "therapist_office": "office", "home_remote": "home", "retreat": "retreat"},
	"model": {"single_clinician_dual_role": "one clinician", "in_house_team": "in-house team", "collaborative_external_prescriber": "outside prescriber",
		"infusion_clinic_with_therapist": "infusion clinic with therapist"},
	"presence":   {"in_room": "in room", "video": "video", "on_site_not_in_room": "on site", "none": "nobody"},
	"monitoring": {"blood_pressure": "blood pressure", "heart_rate": "pulse", "oxygen": "SpO2", "observer": "observer", "acls_on_site": "ACLS", "bls_on_site": "BLS"},
	"screening": {"uncontrolled_hypertension": "hypertension", "cardiovascular": "heart", "psychosis": "psychosis", "mania": "mania", "pregnancy": "pregnancy",
		"active_substance_use":         "substance use",
		"raised_intracranial_pressure": "intracranial pressure", "liver": "liver", "bladder": "bladder", "interacting_medicines": "medicines"},
	"framework":  {"act": "ACT", "ifs": "IFS", "somatic_experiencing": "somatic", "psychodynamic": "psychodynamic", "mindfulness": "mindfulness", "emdr": "EMDR", "cbt": "CBT"},
	"focus":      {"trauma": "PTSD", "depression": "depression", "anxiety": "anxiety", "substance_use": "substance use", "end_of_life": "end of life", "growth": "growth"},
	"population": {"adult": "adults", "older_adult": "older adults", "veteran": "veterans", "first_responder": "first responders", "lgbtq": "LGBTQ", "adolescent": "adolescents"},
	"format":     {"individual": "individual", "couple": "couple", "group": "group"},
	"access":     {"wheelchair": "wheelchair", "asl": "ASL", "low_sensory": "low sensory", "gender_neutral_restroom": "gender-neutral restroom", "public_transport": "transit"},
	"price":      {"intake": "intake", "medicine_session": "medicine session", "integration": "integration", "package": "package"},
	"level":      {"attended": "attended", "modules_complete": "modules", "certificate": "certificate", "in_programme_register": "register"},
	"language": {"english": "en", "spanish": "es", "mandarin": "zh", "vietnamese": "vi", "korean": "Korean", "arabic": "ar", "portuguese": "Portuguese", "persian": "fa",
		"hindi": "hi", "russian": "Russian",
		"french": "fr"},
}

// node is an object of JSON-LD; its keys are written in alphabetical order.
type node = map[string]any

// openClinics writes the site's files: one page for a clinic, and one for each of its people where the
// clinic's page only points to them.
func (w *world) openClinics() map[string][]byte {
	out := map[string][]byte{}
	var links []string
	for i, c := range w.clinics {
		var people map[string][]byte
		out["clinics-"+c.slug+".html"], people = clinicPages(i, c)
		links = append(links, "/clinics/"+c.slug)
		for name, body := range people {
			out[name] = body
			links = append(links, "/"+strings.TrimSuffix(strings.Replace(name, "-", "/", 1), ".html"))
		}
	}
	out["clinics-drip-lounge-example.html"] = notListedClinic()
	links = append(links, "/clinics/drip-lounge-example")
	sort.Strings(links)
	for n := 1; len(links) > 0; n++ {
		var b page
		at := clinicsSite + "/clinics/"
		if n > 1 {
			at += "?page=" + strconv.Itoa(n)
		}
		b.head(fmt.Sprintf("Clinics, page %d - Open Clinics (invented)", n), at)
		b.line("</head>\n<body>\n<ul>")
		k := min(50, len(links))
		for _, l := range links[:k] {
			b.line(`  <li><a class="listing" href="%s">%s</a></li>`, l, l)
		}
		b.line("</ul>")
		if links = links[k:]; len(links) > 0 {
			b.line(`<a rel="next" href="/clinics/?page=%d">More</a>`, n+1)
		}
		b.line("</body>\n</html>")
		out[fmt.Sprintf("index-%d.html", n)] = b.Bytes()
	}
	return out
}

// shape is how a clinic's page is written: the kinds of JSON-LD that are met in practice.
func shape(i int) string { return []string{"graph", "nested", "array", "pages"}[i%4] }

// clinicKey is the record key of the clinic's node, and memberKey that of a person in it.
func clinicKey(c *clinic) string { return "/clinics/" + c.slug + "#clinic" }

func (w *world) memberKey(p *person) string {
	for i, c := range w.clinics {
		if c == p.clinic && shape(i) == "pages" {
			return "/people/" + p.slug
		}
	}
	return "/clinics/" + p.clinic.slug + "#" + p.slug
}

func clinicPages(i int, c *clinic) (clinicPage []byte, people map[string][]byte) {
	how := shape(i)
	r := stream("open clinics " + c.slug)
	address := clinicsSite + "/clinics/" + c.slug
	n := clinicNode(r, how, c, address)
	people = map[string][]byte{}
	var doc any
	switch how {
	case "graph":
		graph := []any{node{"@type": "WebSite", "@id": clinicsSite + "/#site", "name": "Open Clinics"}, node{"@type": "WebPage", "@id": address,
			"dateModified": c.asOf + "T09:00:00-06:00"}, n}
		var refs []any
		for _, p := range c.people {
			refs = append(refs, node{"@id": "#" + p.slug})
			graph = append(graph, memberNode(r, how, p, address, "#"+p.slug))
		}
		n["employee"] = append(refs, node{"@type": "Person", "name": "Robin Frontdesk", "jobTitle": "Front desk"})
		doc = node{"@context": "https://schema.org", "@graph": graph}
	case "nested":
		n["@context"], n["dateModified"] = "http://schema.org", c.asOf
		var members []any
		for _, p := range c.people {
			members = append(members, memberNode(r, how, p, address, address+"#"+p.slug))
		}
		n["employee"] = members
		doc = n
	case "array":
		n["@context"], n["dateModified"] = "https://schema.org/", c.asOf
		all := []any{n}
		for _, p := range c.people {
			m := memberNode(r, how, p, address, address+"#"+p.slug)
			m["@context"], m["dateModified"] = "https://schema.org/", c.asOf
			all = append(all, m)
		}
		doc = all
	case "pages":
		n["@context"], n["dateModified"] = node{"@vocab": "http://schema.org/"}, c.asOf
		for _, p := range c.people {
			at := clinicsSite + "/people/" + p.slug
			m := memberNode(r, how, p, address, at)
			m["@context"], m["dateModified"] = node{"@vocab": "http://schema.org/"}, c.asOf
			people["people-"+p.slug+".html"] = jsonPage(p.personName.String(), at, m)
		}
		doc = n
	}
	return jsonPage(c.name, address, doc), people
}

func jsonPage(title, canonical string, doc any) []byte {
	var j bytes.Buffer
	e := json.NewEncoder(&j)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(doc); err != nil {
		panic(err)
	}
	var b page
	b.head(title+" - Open Clinics (invented)", canonical)
	b.WriteString("<script type=\"application/ld+json\">\n" + j.String() + "</script>\n")
	b.line("</head>\n<body><h1>%s</h1></body>\n</html>", title)
	return b.Bytes()
}

// notListedClinic offers infusions and says nothing of KAP: it must make no listing.
func notListedClinic() []byte {
	at := clinicsSite + "/clinics/drip-lounge-example"
	return jsonPage("Drip Lounge Example", at, node{"@context": "https://schema.org", "@type": "MedicalClinic", "@id": at + "#clinic", "name": "Drip Lounge Example LLC",
		"telephone":        "(303) 555-0196",
		"availableService": node{"@type": "MedicalTherapy", "name": "Vitamin infusion"}, "employee": []any{node{"@type": "Person", "name": "Casey Counter",
			"jobTitle": "Front desk"}}})
}

func postal(o office) node {
	street := o.street
	if o.suite != "" {
		street += ", " + o.suite
	}
	return node{"@type": "PostalAddress", "streetAddress": street, "addressLocality": o.city, "addressRegion": o.state, "postalCode": o.zip}
}

func clinicNode(r *rand.Rand, how string, c *clinic, address string) node {
	types := map[string]any{"graph": []string{"MedicalClinic", "LocalBusiness"}, "nested": "MedicalBusiness", "array": []string{"MedicalBusiness", "MedicalClinic"},
		"pages": "http://schema.org/MedicalClinic"}
	n := node{"@type": types[how], "@id": address + "#clinic", "name": c.legal, "url": c.website, "telephone": c.office.phone, "address": postal(c.office)}
	if how == "nested" {
		o := c.office
		n["address"] = fmt.Sprintf("%s, %s, %s, %s %s", o.street, o.suite, o.city, o.state, o.zip)
	}
	if c.npi != "" {
		if how == "pages" {
			n["usNPI"] = c.npi
		} else {
			n["identifier"] = node{"@type": "PropertyValue", "propertyID": "NPI", "value": c.npi}
		}
	}
	director := c.people[0]
	over := any(node{"@id": address + "#" + director.slug})
	if how == "pages" {
		over = prescriberWords(director, "full", c.office.state)
	}
	factsNode(r, n, c.facts, over)
	return n
}

// memberNode is a person of a clinic: a therapist who offers KAP, or the prescriber.
func memberNode(r *rand.Rand, how string, p *person, address, id string) node {
	n := node{"@type": "Person", "@id": id, "name": p.personName.String() + ", " + strings.Join(p.letters, ", ")}
	if how == "array" {
		n["name"], n["givenName"], n["familyName"], n["honorificSuffix"] = p.personName.String(), p.given, strings.TrimSpace(p.family+" "+p.suffix), strings.Join(p.letters, ", ")
		if p.middle != "" {
			n["additionalName"] = p.middle
		}
	}
	if p.showsNPI && p.npi != "" {
		if how == "nested" {
			n["identifier"] = []any{node{"@type": "PropertyValue", "propertyID": "NPI", "value": p.npi}}
		} else {
			n["usNPI"] = p.npi
		}
	}
	var creds []any
	for i, l := range p.licences {
		words := l.word + " #" + l.number + ", " + directory.State(l.state).Name()
		switch {
		case how == "nested":
			creds = append(creds, words)
		case how == "pages" && i == 0 && len(p.licences) == 1 && len(p.trainings) == 0:
			creds = append(creds, words)
		default:
			number := "identifier"
			kind := "EducationalOccupationalCredential"
			if how == "graph" {
				kind, number = "Certification", "certificationIdentification"
			}
			creds = append(creds, node{"@type": kind, "credentialCategory": "license", "name": l.word, number: l.number, "validIn": node{"@type": "AdministrativeArea",
				"name": directory.State(l.state).Name()}})
		}
	}
	for _, t := range p.trainings {
		x := node{"@type": "EducationalOccupationalCredential", "credentialCategory": "training", "name": t.words, "dateCreated": t.completed}
		if t.level != "" {
			x["educationalLevel"] = mustWord(clinicsWords, "level", t.level)
		}
		creds = append(creds, x)
	}
	n["hasCredential"] = creds
	if len(creds) == 1 && how == "pages" {
		n["hasCredential"] = creds[0]
	}
	n["worksFor"] = node{"@id": address + "#clinic"}
	place := p.clinic.office
	n["workLocation"] = node{"@type": "Place", "telephone": p.offices[0].phone, "address": postal(place)}
	if p.website != "" {
		n["sameAs"] = []string{p.website}
	}
	if p.trade.prescribes() && !p.self && !p.onCommons {
		n["@type"] = "Physician"
		if p.trade == psychNurse {
			n["@type"] = "Person"
		}
		n["jobTitle"] = pick(r, []string{"Medical director", "Prescriber"})
		return n
	}
	var over any
	switch {
	case p.self:
		over = "self"
	case p.prescriber == nil:
	case how == "pages":
		over = prescriberWords(p.prescriber, "full", place.state)
	case p.prescriber.clinic == p.clinic:
		over = node{"@id": address + "#" + p.prescriber.slug}
	default:
		over = prescriberWords(p.prescriber, p.namesMD, place.state)
	}
	f := p.clinic.facts
	f.Prices, f.Access = nil, nil
	if p.onCommons {
		f = p.facts
	}
	factsNode(r, n, f, over)
	return n
}

// factsNode adds what the practice says of itself to the node and its KAP service.
func factsNode(r *rand.Rand, n node, f directory.Practice, oversight any) {
	var props []any
	add := func(id string, value any) {
		props = append(props, node{"@type": "PropertyValue", "propertyID": id, "value": value})
	}
	phase := func(id string, p directory.Phase) {
		switch {
		case p.Offered == directory.No:
			add(id, "no")
		case p.Offered == directory.Yes && p.SessionsMin == 0:
			add(id, "yes")
		case p.Offered == directory.Yes:
			add(id, fmt.Sprintf("yes, %s sessions, %s minutes", rangeWords(p.SessionsMin, p.SessionsMax), rangeWords(p.MinutesMin, p.MinutesMax)))
		}
	}
	list := func(id, field string, items []string) {
		var out []string
		for _, it := range items {
			out = append(out, mustWord(clinicsWords, field, it))
		}
		if len(out) > 0 {
			add(id, out)
		}
	}
	answer := func(id string, a directory.Answer) {
		if a != directory.Unknown {
			add(id, a == directory.Yes)
		}
	}
	phase("preparation", f.Preparation)
	phase("medicine", f.Medicine)
	phase("integration", f.Integration)
	list("route", "route", f.Routes)
	list("setting", "setting", f.Settings)
	if f.Model != "" {
		add("model", mustWord(clinicsWords, "model", f.Model))
	}
	if f.Presence != "" {
		add("presence", mustWord(clinicsWords, "presence", string(f.Presence)))
	}
	list("monitoring", "monitoring", f.Monitoring)
	answer("vitalSigns", f.VitalSigns)
	answer("emergencyPlan", f.EmergencyPlan)
	answer("escort", f.Escort)
	list("screening", "screening", f.Screening)
	list("framework", "framework", f.Frameworks)
	list("focus", "focus", f.Focus)
	list("population", "population", f.Populations)
	list("format", "format", f.Formats)
	answer("superbill", f.Superbill)
	answer("slidingScale", f.SlidingScale)
	answer("waitlist", f.Waitlist)
	if f.AcceptingAsOf != "" {
		add("acceptingAsOf", string(f.AcceptingAsOf))
	}
	answer("telehealth", f.Telehealth)
	if len(f.TelehealthIn) > 0 {
		add("telehealthIn", f.TelehealthIn)
	}
	if oversight != nil {
		add("medicalOversight", oversight)
	}
	service := node{"@type": "MedicalTherapy", "name": pick(r, []string{"Ketamine-assisted psychotherapy", "Ketamine-assisted psychotherapy", "KAP"}), "additionalProperty": props}
	var offers []any
	for _, it := range f.Prices {
		o := node{"@type": "Offer", "name": mustWord(clinicsWords, "price", it.Component), "priceCurrency": "USD", "validFrom": fmt.Sprintf("2026-%02d-01", 1+r.IntN(9))}
		if it.MinCents == it.MaxCents {
			o["price"] = fmt.Sprintf("%d.00", it.MinCents/100)
		} else {
			o["priceSpecification"] = node{"@type": "PriceSpecification", "minPrice": it.MinCents / 100, "maxPrice": strconv.FormatInt(it.MaxCents/100, 10), "priceCurrency": "USD"}
		}
		offers = append(offers, o)
	}
	if offers != nil {
		service["offers"] = offers
	}
	n["availableService"] = service
	if chance(r, 40) {
		n["availableService"] = []any{service}
	}
	switch f.Accepting {
	case directory.Yes:
		n["isAcceptingNewPatients"] = pick(r, []any{true, "true", "https://schema.org/True"})
	case directory.No:
		n["isAcceptingNewPatients"] = pick(r, []any{false, "http://schema.org/False"})
	}
	var langs []any
	for _, l := range f.Languages {
		if w, ok := clinicsWords["language"][l]; ok {
			langs = append(langs, w)
		}
	}
	if langs != nil {
		n["knowsLanguage"] = langs
	}
	var amenities []any
	for _, a := range f.Access {
		amenities = append(amenities, node{"@type": "LocationFeatureSpecification", "name": mustWord(clinicsWords, "access", a), "value": true})
	}
	if amenities != nil {
		n["amenityFeature"] = amenities
	}
}

// ---------------------------------------------------------------------------------------------------
// What people told us, and what staff decided

// ref names the provider as a statement does: by an NPI that a page shows, else by source and key.
func (w *world) ref(p *person) (directory.ProviderRef, bool) {
	named := slices.ContainsFunc(w.people, func(t *person) bool { return t.onCommons && t.prescriber == p && t.namesMD != "name" })
	switch {
	case p.npi != "" && (p.onCommons && p.commonsNPI || p.onClinics && p.showsNPI || named):
		return directory.ProviderRef{NPI: directory.NPI(p.npi)}, true
	case p.onCommons:
		return directory.ProviderRef{Source: "kap-commons", Key: "/profile/" + p.slug}, true
	case p.onClinics:
		return directory.ProviderRef{Source: "open-clinics", Key: w.memberKey(p)}, true
	}
	return directory.ProviderRef{}, false
}

// documentHash is the SHA-256 of invented bytes: the document itself was never written.
func documentHash(of string) string {
	sum := sha256.Sum256([]byte("kapdir demonstration document: " + of))
	return hex.EncodeToString(sum[:])
}

// twoSided are therapists whose prescriber says the same as they do.
func (w *world) twoSided() []*person {
	var out []*person
	more := map[string]int{"CO": 11, "TX": 6, "CA": 2, "WA": 1, "NM": 1, "AZ": 1, "NY": 1}
	for i, p := range w.people {
		if !p.onCommons || p.prescriber == nil || p.namesMD == "name" {
			continue
		}
		always := slices.Contains(words("amara-whitcomb henrike-stadler margaux-villeneuve orrin-blakely"), p.slug)
		if s := p.offices[0].state; always || i >= w.special && more[s] > 0 {
			more[s]--
			out = append(out, p)
		}
	}
	return out
}

func (w *world) attestations() []byte {
	var lines []directory.Attestation
	at := directory.Instant("2026-11-13T08:00:00.000Z")
	say := func(p *person, by string, set func(a *directory.Attestation)) {
		ref, ok := w.ref(p)
		if !ok {
			return
		}
		at = at.Add(3 * time.Minute)
		a := directory.Attestation{At: at, Provider: ref, By: by, Auth: []string{"email_link", "telephone_callback", "email_link"}[len(lines)%3]}
		set(&a)
		lines = append(lines, a)
	}
	oversight := func(p *person, by string) {
		md, ok := w.ref(p.prescriber)
		if !ok {
			return
		}
		began := stream("oversight of " + p.slug) // both sides name the same day
		from := directory.Date(fmt.Sprintf("202%d-0%d-01", 2+began.IntN(4), 1+began.IntN(9)))
		say(p, by, func(a *directory.Attestation) {
			a.Oversight = &directory.OversightStatement{Prescriber: md, From: from}
		})
	}
	pairs := w.twoSided()
	for _, p := range pairs {
		oversight(p, "provider")
		oversight(p, "prescriber")
	}
	one, self := 0, 0
	for _, p := range w.people {
		switch {
		case slices.Contains(pairs, p) || !p.onCommons:
		case p.prescriber != nil && p.namesMD != "name" && one < 10:
			one++
			oversight(p, []string{"provider", "provider", "prescriber"}[one%3])
		case p.self && self < 8:
			self++
			say(p, "provider", func(a *directory.Attestation) { a.Oversight = &directory.OversightStatement{Self: true} })
		}
	}

	r := stream("attestations")
	yes, no := directory.Yes, directory.No
	protocols := 0
	for _, p := range w.people {
		if !p.onCommons || protocols >= 60 || !slices.Contains(pairs, p) && !chance(r, 26) {
			continue
		}
		s := &directory.ProtocolStatement{Preparation: yes, Presence: yes, Monitoring: yes, Emergency: yes, Integration: yes}
		switch {
		case p.slug == "amara-whitcomb":
		case protocols%11 == 10:
			s.Integration = no
		case protocols%13 == 12:
			s.Emergency = no
		case protocols%17 == 16:
			s.Monitoring = directory.Unknown
		}
		if protocols%5 < 2 || p.slug == "amara-whitcomb" {
			s.SHA256 = documentHash("protocol of " + p.slug)
		}
		protocols++
		say(p, "provider", func(a *directory.Attestation) { a.Protocol = s })
	}

	certificates := 0
	for _, p := range w.people {
		if certificates >= 50 || !p.onCommons || len(p.trainings) == 0 || !slices.Contains(pairs, p) && !chance(r, 34) {
			continue
		}
		t := p.trainings[0]
		if t.level == "" {
			t.level = "attended"
		}
		hash := documentHash("certificate of " + p.slug)
		if certificates == 30 || certificates == 41 {
			hash = documentHash("one certificate sent by two people")
			w.noteOnce("sent a certificate whose bytes another provider had sent as well", p)
		}
		certificates++
		say(p, "provider", func(a *directory.Attestation) {
			a.Certificate = &directory.CertificateStatement{Programme: t.words, Level: t.level, Completed: directory.Date(t.completed), SHA256: hash}
		})
	}

	var seen []*person
	for _, p := range pairs {
		md := p.prescriber
		if len(seen) >= 15 || slices.Contains(seen, md) {
			continue
		}
		seen = append(seen, md)
		say(md, "provider", func(a *directory.Attestation) {
			a.DEA = &directory.DocumentStatement{State: directory.State(p.offices[0].state), Expires: directory.Date(fmt.Sprintf("202%d-%02d-28", 7+len(seen)%3,
				1+len(seen)%12)), SHA256: documentHash("DEA certificate of " + md.slug)}
		})
	}
	for _, p := range w.people {
		if p.self && p.onCommons && len(seen) < 18 && (p.slug == "leila-farahani" || chance(r, 30)) {
			seen = append(seen, p)
			say(p, "provider", func(a *directory.Attestation) {
				a.DEA = &directory.DocumentStatement{State: directory.State(p.offices[0].state), Expires: "2028-05-31", SHA256: documentHash("DEA certificate of " + p.slug)}
			})
		}
	}
	return jsonLines(lines)
}

// noteOnce adds a special case when the person does not have it yet.
func (w *world) noteOnce(what string, p *person) {
	if !slices.ContainsFunc(w.cases, func(c specialCase) bool { return c.what == what && c.where == p.slug }) {
		w.note(what, p)
	}
}

func jsonLines[T any](lines []T) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func (w *world) decisions() []byte {
	r := stream("decisions")
	var lines []directory.Decision
	at := directory.Instant("2026-11-14T09:00:00.000Z")
	decide := func(staff string, p *person, d directory.Decision) {
		ref, ok := w.ref(p)
		if !ok {
			panic("no reference to " + p.slug)
		}
		if at = at.Add(4 * time.Minute); at == "2026-11-14T17:00:00.000Z" {
			at = "2026-11-15T09:00:00.000Z"
		}
		d.At, d.Staff, d.Auth, d.Provider = at, staff, "passkey", ref
		lines = append(lines, d)
	}
	staff := words("staff-rowan staff-imani")
	always := map[*person]bool{}
	for _, p := range w.twoSided() {
		always[p], always[p.prescriber] = true, true
	}
	wait := words("marisol-quintero lucia-benavides hollis-marchetti desmond-achebe petra-lindgren solomon-abara caroline-whitlock")
	var pages []byte // a licence that no page states is joined to nobody, so there is nothing to decide about it
	for _, site := range []map[string][]byte{w.commons(), w.openClinics()} {
		for _, page := range site {
			pages = append(pages, page...)
		}
	}
	n := 0
	for _, p := range append(slices.Clone(w.prescribers), w.people...) {
		if _, ok := w.ref(p); !ok || p.showsNoLic || slices.Contains(wait, p.slug) {
			continue
		}
		if !always[p] && !chance(r, 64) {
			continue
		}
		for _, l := range p.licences {
			if l.board == "" || l.absent || l.flagged || l.status != "Active" || l.expires < "2026-11-16" || !bytes.Contains(pages, []byte(l.number)) {
				continue
			}
			decide(staff[n%2], p, directory.Decision{Kind: directory.License, State: directory.State(l.state), Number: l.number, Decision: "confirm"})
			n++
		}
	}
	find := func(slug string) *person { return w.slugs[slug] }
	for _, s := range staff {
		decide(s, find("garrick-thole"), directory.Decision{Kind: directory.ExclusionScreen, Issuer: "leie", Decision: "confirm", Note: "NPI and name agree with the list's row."})
	}
	suspended := find("emory-vasquez-lund")
	for _, s := range staff {
		decide(s, suspended, directory.Decision{Kind: directory.License, State: "CO", Number: suspended.licences[0].number, Decision: "confirm",
			Note: "Summary suspension read at the register's own page."})
	}
	decide("staff-imani", find("anneliese-brandt-okafor"), directory.Decision{Kind: directory.ExclusionScreen, Issuer: "leie", Decision: "clear", Field: "birth",
		Note: "The list's row has another birth date than the provider's document."})
	active := find("hollis-marchetti")
	decide("staff-rowan", active, directory.Decision{Kind: directory.License, State: "TX", Number: active.licences[0].number, Decision: "return",
		Note: "Active with a disciplinary action: ask the council what is in force."})
	return jsonLines(lines)
}

// ---------------------------------------------------------------------------------------------------
// README

// listCases turns each person's slug into the pages they are on.
func (w *world) listCases() {
	w.attestations() // notes the reused certificate
	both, homes := 0, 0
	for _, p := range w.people {
		switch {
		case p.clinic != nil && p.onCommons && p.commonsNPI && p.showsNPI && both < 4:
			both++
			w.noteOnce("on both sites with the NPI, as a member of a clinic", p)
		case p.offices[0].suite == "" && p.onCommons && homes < 4:
			homes++
			w.noteOnce("an address that looks like a home", p)
		}
	}
	for _, p := range w.prescribers {
		if p.onCommons {
			w.noteOnce("a prescriber with a page as such: offers no therapy", p)
		}
	}
}

func (w *world) readme() []byte {
	var b bytes.Buffer
	b.WriteString(`# The demonstration

Everybody and everything in these files is invented: people, practices, addresses, numbers, documents and decisions.
NPIs begin with 2, as no issued NPI does; telephone numbers lie in 555-0100 to 555-0199; hosts end in ` + "`.example`" + `.
The towns and their ZIPs are real, the streets are not. Any likeness of a name to somebody's is chance.

Nothing here is written by hand: ` + "`go test ./data -run TestDemo -update`" + ` writes every file (` + "`demo_gen_test.go`" + `), and
` + "`go test ./data -run TestDemo`" + ` fails when one differs, or breaks a rule (` + "`demo_rules_test.go`" + `).

| file | what it is | as of |
|---|---|---|
| ` + "`kap-commons/`" + ` | the invented listing site KAP Commons, plain markup: list pages, a page for each person and some clinics | 2026-11-02 |
| ` + "`open-clinics/`" + ` | the invented listing site Open Clinics, JSON-LD in four shapes: clinics and their people | 2026-11-03 |
| ` + "`nppes/npidata_pfile_20050523-20261108.csv`" + ` | NPPES's main file, 330 columns; every mailing address is on Never Shown Mailing Ln | 2026-11-08 |
| ` + "`co-dora/Professional_and_Occupational_Licenses_in_Colorado.csv`" + ` | the Colorado roster, a row for each licence and case | 2026-11-09 |
| ` + "`tx-bhec/`" + ` | the four Texas rosters, current licensees only | 2026-11-10 |
| ` + "`leie/UPDATED.csv`" + ` | the federal exclusion list, October 2026 release | 2026-11-10 |
| ` + "`attestations.jsonl`" + ` | what providers and prescribers told us, one object a line | 2026-11-13 |
| ` + "`decisions.jsonl`" + ` | what two invented staff, staff-rowan and staff-imani, decided | 2026-11-14 and 15 |
| ` + "`manifest.json`" + ` | the demonstration's now, and the steps in order | 2026-11-16 |

## Special cases

| who | NPI | where | what |
|---|---|---|---|
`)
	for _, c := range w.cases {
		p := w.slugs[c.where]
		var at []string
		if p.onCommons {
			at = append(at, "kap-commons `/profile/"+p.slug+"`")
		}
		if p.onClinics && p.clinic != nil {
			at = append(at, "open-clinics `"+w.memberKey(p)+"`")
		}
		if len(at) == 0 {
			at = append(at, "named on therapists' pages")
		}
		npi := p.npi
		if npi == "" {
			npi = "none"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.who, npi, strings.Join(at, ", "), c.what)
	}
	b.WriteString("\nTwo more: `open-clinics` `/clinics/drip-lounge-example` offers infusions and says nothing of KAP, so it makes no listing;\n" +
		"and the literal surname NULL stands in the exclusion list.\n\n## Clinics\n\n| clinic | NPI | key at open-clinics | what it states |\n|---|---|---|---|\n")
	what := map[string]string{"team": "an in-house team", "infusion": "infusion only: no preparation, no integration", "checkins": "infusion with check-ins",
		"unknown": "little or nothing"}
	for _, c := range w.clinics {
		text := what[c.kind]
		if c.facts.Medicine.Offered == directory.Unknown {
			text = "nothing of how it works"
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", c.name, c.npi, clinicKey(c), text)
	}
	return b.Bytes()
}

package data_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"go.yaml.in/yaml/v3"

	"kapdir/data"
	"kapdir/directory"
)

// These tests read the committed files of data/demo and nothing of the generator: they prove on every
// row that nobody in it can be taken for somebody, that the files have their publishers' form, and that
// the cases that the program must get right are there (contracts.md §8).

// readDemo returns every file of the demonstration by its path under data/demo.
func readDemo(t *testing.T) map[string][]byte {
	t.Helper()
	if *updateDemo {
		t.Skip("data/demo was just written: run again without -update")
	}
	files := map[string][]byte{}
	err := fs.WalkDir(data.FS, "demo", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(data.FS, p)
		files[strings.TrimPrefix(p, "demo/")] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const (
	nppesFile = "nppes/npidata_pfile_20050523-20261108.csv"
	leieFile  = "leie/UPDATED.csv"
	samFile   = "sam/SAM_Exclusions_Public_Extract_V2_26315.CSV"
	oigFile   = "tx-oig/exclusions.csv"
	doraFile  = "co-dora/Professional_and_Occupational_Licenses_in_Colorado.csv"
)

// ---------------------------------------------------------------------------------------------------
// Nobody can be meant

var (
	tenDigits  = regexp.MustCompile(`\b\d{10}\b`)
	phoneShape = regexp.MustCompile(`(?:\+?1[-. ])?\(?\b(\d{3})\)?[-. ]{1,2}(\d{3})[-. ](\d{4})\b`)
	ssnShape   = regexp.MustCompile(`(^|[^\d-])\d{3}-\d{2}-\d{4}($|[^\d-])`)
	webAddress = regexp.MustCompile(`(?i)\bhttps?://([^/"'\s<>)]+)`)
	mailbox    = regexp.MustCompile(`[\w.+-]+@([\w-]+(?:\.[\w-]+)+)`)
)

// isNPI checks the Luhn digit over 80840 and the number, written out once more on purpose.
func isNPI(s string) bool {
	sum, all := 0, "80840"+s
	for i := range len(all) {
		d := int(all[len(all)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return len(s) == 10 && sum%10 == 0
}

func isFictitiousPhone(ten string) bool { return len(ten) == 10 && strings.HasPrefix(ten[3:], "55501") }

func TestDemoNumbersAreNobodys(t *testing.T) {
	for _, known := range []string{"1234567893"} {
		if !isNPI(known) {
			t.Fatalf("the check of %s is wrong", known)
		}
	}
	npis := 0
	for name, body := range readDemo(t) {
		text := string(body)
		for _, n := range tenDigits.FindAllString(text, -1) {
			switch {
			case isFictitiousPhone(n):
			case n == "0000000000" && name == leieFile: // no NPI, in the list's own way
			case n[0] == '2' && isNPI(n):
				npis++
			default:
				t.Errorf("%s: %s is neither an NPI that begins with 2 nor a telephone number of 555-01xx", name, n)
			}
		}
		for _, m := range phoneShape.FindAllStringSubmatch(text, -1) {
			if !isFictitiousPhone(m[1] + m[2] + m[3]) {
				t.Errorf("%s: telephone number %s is not in 555-0100 to 555-0199", name, m[0])
			}
		}
		if m := ssnShape.FindString(text); m != "" {
			t.Errorf("%s holds a number in the shape of a Social Security number", name)
		}
		for _, m := range webAddress.FindAllStringSubmatch(text, -1) {
			if host := m[1]; host != "schema.org" && !strings.HasSuffix(host, ".example") {
				t.Errorf("%s: host %s does not end in .example", name, host)
			}
		}
		for _, m := range mailbox.FindAllStringSubmatch(text, -1) {
			if !strings.HasSuffix(m[1], ".example") {
				t.Errorf("%s: mailbox at %s does not end in .example", name, m[1])
			}
		}
	}
	if npis < 900 {
		t.Errorf("only %d NPIs found: is the pattern right?", npis)
	}
}

func TestDemoSize(t *testing.T) {
	total := 0
	for _, b := range readDemo(t) {
		total += len(b)
	}
	if total > 4<<20 {
		t.Errorf("data/demo holds %d bytes, more than 4 MB", total)
	}
}

// ---------------------------------------------------------------------------------------------------
// The registers' own form

// table reads a CSV file into rows by column name, strictly.
func table(t *testing.T, body []byte, header []string) []map[string]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(body))
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(all[0], header) {
		t.Fatalf("header is %q", all[0])
	}
	rows := make([]map[string]string, 0, len(all)-1)
	for _, rec := range all[1:] {
		m := make(map[string]string, len(rec))
		for i, v := range rec {
			m[header[i]] = v
		}
		rows = append(rows, m)
	}
	return rows
}

func isDay(layout, s string) bool { _, err := time.Parse(layout, s); return err == nil }

func nppesRows(t *testing.T) []map[string]string {
	t.Helper()
	body := readDemo(t)[nppesFile]
	first, _, _ := bytes.Cut(body, []byte("\n"))
	names, err := csv.NewReader(bytes.NewReader(first)).Read()
	if err != nil {
		t.Fatal(err)
	}
	return table(t, body, names)
}

// nppesHeaderSHA256 is the digest of CMS's 330 column names of 2026, one a line without a last line end.
const nppesHeaderSHA256 = "6a4facfcacc9101f9fb1bda89dcfa31d9e1c7656bb46633ef6c0e066523a4704"

func TestDemoNPPES(t *testing.T) {
	body := readDemo(t)[nppesFile]
	first, _, _ := bytes.Cut(body, []byte("\n"))
	names, err := csv.NewReader(bytes.NewReader(first)).Read()
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256([]byte(strings.Join(names, "\n"))); len(names) != 330 || hex.EncodeToString(sum[:]) != nppesHeaderSHA256 || names[41] != "Provider Sex Code" {
		t.Errorf("the header's %d columns are not those of the current main file", len(names))
	}
	quoted := regexp.MustCompile(`^"[^"]*"(,"[^"]*"){329}$`)
	for i, line := range strings.Split(strings.TrimSuffix(string(body), "\n"), "\n") {
		if !quoted.MatchString(line) {
			t.Errorf("line %d does not quote each of 330 values", i+1)
		}
	}
	rows, npis, count := nppesRows(t), map[string]bool{}, map[string]int{}
	for _, r := range rows {
		npi := r["NPI"]
		if npis[npi] {
			t.Errorf("NPI %s stands twice", npi)
		}
		npis[npi] = true
		for col, v := range r {
			switch {
			case v == "":
			case strings.HasSuffix(col, " Date") && !isDay("01/02/2006", v):
				t.Errorf("%s: %s is %q, no date MM/DD/YYYY", npi, col, v)
			case strings.HasSuffix(col, "Postal Code") && !regexp.MustCompile(`^(\d{5}|\d{9})$`).MatchString(v):
				t.Errorf("%s: %s is %q", npi, col, v)
			case (strings.HasSuffix(col, "Telephone Number") || strings.HasSuffix(col, "Fax Number")) && !isFictitiousPhone(v):
				t.Errorf("%s: %s is %q", npi, col, v)
			case v != strings.ToUpper(v):
				t.Errorf("%s: %s is %q, not in capitals", npi, col, v)
			case strings.HasPrefix(col, "Provider License Number_") && regexp.MustCompile(`^\s*\d{9}\s*$`).MatchString(v):
				t.Errorf("%s: %s holds nine digits alone", npi, col)
			}
		}
		deactivated, reactivated := r["NPI Deactivation Date"] != "", r["NPI Reactivation Date"] != ""
		if deactivated && !reactivated {
			count["deactivated"]++
			for col, v := range r {
				if v != "" && col != "NPI" && col != "NPI Deactivation Date" {
					t.Errorf("deactivated %s: %s is not blank", npi, col)
				}
			}
			continue
		}
		if reactivated {
			count["reactivated"]++
		}
		if a := r["Provider First Line Business Mailing Address"]; !strings.HasSuffix(a, " NEVER SHOWN MAILING LN") {
			t.Errorf("%s: mailing address %q could not be told from a practice's", npi, a)
		}
		switch r["Entity Type Code"] {
		case "1":
			count["people"]++
		case "2":
			count["organisations"]++
			if r["Authorized Official Last Name"] == "" || r["Is Sole Proprietor"] != "" {
				t.Errorf("%s: an organisation has an official and is no sole proprietor", npi)
			}
		default:
			t.Errorf("%s: entity type %q", npi, r["Entity Type Code"])
		}
		primary := 0
		for i := 1; i <= 15; i++ {
			switch r[fmt.Sprintf("Healthcare Provider Primary Taxonomy Switch_%d", i)] {
			case "Y":
				primary++
				if i > 1 {
					count["primary not in slot 1"]++
				}
			case "X":
				count["primary not answered"]++
			}
			if c := r[fmt.Sprintf("Healthcare Provider Taxonomy Code_%d", i)]; c != "" && (len(c) != 10 || c[9] != 'X') {
				t.Errorf("%s: taxonomy %q", npi, c)
			}
		}
		if primary > 1 {
			t.Errorf("%s has %d primary taxonomies", npi, primary)
		}
		if r["Provider Other Last Name Type Code"] == "1" {
			count["former names"]++
		}
		if r["Is Sole Proprietor"] == "X" {
			count["sole proprietor X"]++
		}
		if _, ok := directory.Tables().Taxonomy(r["Healthcare Provider Taxonomy Code_1"]); !ok {
			count["outside the taxonomy table"]++
		}
	}
	for what, least := range map[string]int{"people": 350, "organisations": 60, "deactivated": 4, "reactivated": 1, "primary not in slot 1": 20,
		"primary not answered": 3, "former names": 5,
		"sole proprietor X": 10, "outside the taxonomy table": 10} {
		if count[what] < least {
			t.Errorf("%d rows with %s, want at least %d", count[what], what, least)
		}
	}
}

func TestDemoMailingAddressesAreNowhereElse(t *testing.T) {
	for name, body := range readDemo(t) {
		if name != nppesFile && name != "README.md" && strings.Contains(strings.ToLower(string(body)), "never shown") {
			t.Errorf("%s holds a mailing address of NPPES", name)
		}
	}
}

func leieRows(t *testing.T) []map[string]string {
	t.Helper()
	return table(t, readDemo(t)[leieFile], strings.Split("LASTNAME,FIRSTNAME,MIDNAME,BUSNAME,GENERAL,SPECIALTY,UPIN,NPI,DOB,ADDRESS,CITY,STATE,ZIP,EXCLTYPE,EXCLDATE,REINDATE,WAIVERDATE,WVRSTATE", ","))
}

func TestDemoLEIE(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(string(readDemo(t)[leieFile]), "\r\n"), "\r\n")
	seen, count := map[string]bool{}, map[string]int{}
	for _, l := range lines[1:] {
		if !regexp.MustCompile(`^"[^"]*"(,"[^"]*"){17}$`).MatchString(l) {
			t.Errorf("not 18 quoted fields: %s", l)
		}
		if seen[l] {
			count["repeated lines"]++
		}
		seen[l] = true
	}
	longest := map[string]int{"LASTNAME": 20, "FIRSTNAME": 15, "MIDNAME": 15, "BUSNAME": 30, "GENERAL": 20, "SPECIALTY": 20}
	eight := regexp.MustCompile(`^\d{8}$`)
	for _, r := range leieRows(t) {
		count["rows"]++
		for col, n := range longest {
			if len(r[col]) > n {
				t.Errorf("%s %q is longer than the list has it", col, r[col])
			}
		}
		for _, col := range []string{"EXCLDATE", "REINDATE", "WAIVERDATE"} {
			if !eight.MatchString(r[col]) || r[col] != "00000000" && !isDay("20060102", r[col]) {
				t.Errorf("%s is %q", col, r[col])
			}
		}
		if r["DOB"] != "" && !isDay("20060102", r["DOB"]) {
			t.Errorf("DOB is %q", r["DOB"])
		}
		if len(r["EXCLTYPE"]) != 9 {
			t.Errorf("EXCLTYPE %q has no trailing blanks", r["EXCLTYPE"])
		}
		if r["NPI"] == "0000000000" {
			count["without NPI"]++
		}
		if r["BUSNAME"] != "" {
			count["businesses"]++
			if r["LASTNAME"] != "" || r["DOB"] != "" {
				t.Errorf("business %s has a person's fields", r["BUSNAME"])
			}
		}
		if strings.Contains(r["LASTNAME"], "-") {
			count["hyphens"]++
		}
		if regexp.MustCompile(` (JR|SR|III)$`).MatchString(r["LASTNAME"]) {
			count["suffixes"]++
		}
		if r["LASTNAME"] == "NULL" {
			count["the surname NULL"]++
		}
		if r["WAIVERDATE"] != "00000000" && r["WVRSTATE"] != "" {
			count["waivers"]++
		}
	}
	for what, least := range map[string]int{"rows": 380, "without NPI": 300, "businesses": 15, "hyphens": 8, "suffixes": 5, "the surname NULL": 1, "waivers": 2,
		"repeated lines": 3} {
		if count[what] < least {
			t.Errorf("%s: %d, want at least %d", what, count[what], least)
		}
	}
}

// samRows reads the lines of the public extract that can be divided; the others come as they stand.
func samRows(t *testing.T) (rows []map[string]string, broken []string) {
	t.Helper()
	header := strings.Split("Classification,Name,Prefix,First,Middle,Last,Suffix,Address 1,Address 2,Address 3,Address 4,City,State / Province,Country,Zip Code,Open Data Flag,Blank (Deprecated),Unique Entity ID,"+
		"Exclusion Program,Excluding Agency,CT Code,Exclusion Type,Additional Comments,Active Date,Termination Date,Record Status,Cross-Reference,SAM Number,CAGE,NPI,Creation_Date", ",")
	var good bytes.Buffer
	for _, l := range strings.SplitAfter(string(readDemo(t)[samFile]), "\r\n") {
		if f, err := csv.NewReader(strings.NewReader(l)).Read(); l != "" && (err != nil || len(f) != len(header)) {
			broken = append(broken, l)
			continue
		}
		good.WriteString(l)
	}
	return table(t, good.Bytes(), header), broken
}

func TestDemoSAM(t *testing.T) {
	rows, broken := samRows(t)
	count := map[string]int{"rows that cannot be divided": len(broken)}
	kinds := []string{"Individual", "Firm", "Special Entity Designation", "Vessel"}
	for _, r := range rows {
		count[r["Classification"]]++
		if !slices.Contains(kinds, r["Classification"]) || (r["Classification"] == "Individual") == (r["Last"] == "") || (r["Last"] == "") == (r["Name"] == "") {
			t.Errorf("%q is a %s", r["Name"]+r["Last"], r["Classification"])
		}
		for _, c := range []string{"Active Date", "Termination Date"} {
			if v := r[c]; v != "" && v != "Indefinite" && !isDay("01/02/2006", v) {
				t.Errorf("%s is %q", c, v)
			}
		}
		if !isDay(time.DateOnly, r["Creation_Date"]) || r["Record Status"] != "" || !strings.HasPrefix(r["SAM Number"], "DEMO") {
			t.Errorf("created %q, status %q, number %q", r["Creation_Date"], r["Record Status"], r["SAM Number"])
		}
		for what, is := range map[string]bool{"without a start": r["Active Date"] == "", "with an NPI": r["NPI"] != "", "of HHS": r["Excluding Agency"] == "HHS" && strings.HasPrefix(r["CT Code"], "Z"),
			"with an end": r["Termination Date"] != "Indefinite", "of a province": r["Country"] != "USA", "with nine digits of ZIP": len(r["Zip Code"]) == 9} {
			if is {
				count[what]++
			}
		}
	}
	for what, least := range map[string]int{"Individual": 140, "Firm": 30, "Special Entity Designation": 10, "Vessel": 3, "rows that cannot be divided": 2, "without a start": 40, "with an NPI": 12,
		"of HHS": 50, "with an end": 15, "of a province": 3, "with nine digits of ZIP": 30} {
		if count[what] < least {
			t.Errorf("%s: %d, want at least %d", what, count[what], least)
		}
	}
	if len(rows) > 300 {
		t.Errorf("%d rows: the demonstration must load fast", len(rows))
	}
}

func oigRows(t *testing.T) []map[string]string {
	t.Helper()
	return table(t, readDemo(t)[oigFile], strings.Split("CompanyName,LastName,FirstName,MidInitial,Occupation,LicenseNumber,NPI,StartDate,AddDate,ReinstatedDate,EligibleToReapplyDate,Waiver,WebComments", ","))
}

func TestDemoTexasExclusions(t *testing.T) {
	rows, count, terms := oigRows(t), map[string]int{}, map[string]int{}
	for _, r := range rows {
		who := r["CompanyName"] + r["LastName"] + r["FirstName"] + r["MidInitial"]
		terms[who+r["LicenseNumber"]]++
		if (r["CompanyName"] == "") == (r["LastName"] == "") {
			t.Errorf("%q is neither a person nor a company", who)
		}
		for _, c := range []string{"StartDate", "AddDate", "EligibleToReapplyDate"} {
			if r[c] != "" && !isDay("1/2/2006", r[c]) {
				t.Errorf("%s is %q", c, r[c])
			}
		}
		for what, is := range map[string]bool{"reinstated": isDay("1/2/2006", r["ReinstatedDate"]), "with an NPI": len(r["NPI"]) == 10, "with a licence": r["LicenseNumber"] != "" && r["LicenseNumber"] != "N/A",
			"companies": r["CompanyName"] != "", "N/A": r["LicenseNumber"] == "N/A", "without a start": r["StartDate"] == "", "whose end nobody can read": r["ReinstatedDate"] == "pending",
			"whose NPI is none": r["NPI"] != "" && len(r["NPI"]) != 10} {
			if is {
				count[what]++
			}
		}
	}
	for what, least := range map[string]int{"reinstated": 12, "with an NPI": 8, "with a licence": 60, "companies": 4, "N/A": 4, "without a start": 1, "whose end nobody can read": 1, "whose NPI is none": 1} {
		if count[what] < least {
			t.Errorf("%s: %d, want at least %d", what, count[what], least)
		}
	}
	if !slices.Contains(counts(terms), 2) {
		t.Error("nobody was excluded, reinstated and excluded again")
	}
	if len(rows) > 300 {
		t.Errorf("%d rows: the demonstration must load fast", len(rows))
	}
}

const doraHeader = "lastname,firstname,middlename,suffix,entityname,city,state,mailzipcode,licensetype,subcategory,licensenumber,licensefirstissuedate,licenselastreneweddate,licenseexpirationdate," +
	"licensestatusdescription,specialty,title,degrees,casenumber,programaction,disciplineeffectivedate,disciplinecompletedate,linktoverifylicense,linktoviewhealthcareprofile"

func doraRows(t *testing.T) []map[string]string {
	t.Helper()
	return table(t, readDemo(t)[doraFile], strings.Split(doraHeader, ","))
}

func TestDemoColorado(t *testing.T) {
	status, types, cases := map[string]int{}, map[string]int{}, map[string]int{}
	for _, r := range doraRows(t) {
		for col, v := range r {
			if strings.HasSuffix(col, "date") && v != "" && !isDay("01/02/2006", v) {
				t.Errorf("%s is %q", col, v)
			}
		}
		if (r["lastname"] == "") == (r["entityname"] == "") {
			t.Errorf("licence %s %s is neither a person's nor an entity's", r["licensetype"], r["licensenumber"])
		}
		status[r["licensestatusdescription"]]++
		types[r["licensetype"]]++
		if r["casenumber"] != "" {
			cases[r["licensetype"]+r["licensenumber"]]++
		}
	}
	for _, w := range []string{"Active", "Expired", "Suspended", "Active - With Conditions", "Revoked", "Voluntary Surrender", "Inactive", "Administrative Hold"} {
		if status[w] == 0 {
			t.Errorf("no licence is %q", w)
		}
	}
	if status["Active"] < 80 {
		t.Errorf("only %d licences are active", status["Active"])
	}
	for _, w := range strings.Fields("PSY CSW LPC LPCC MFT DR APN RXN PA RN") {
		if types[w] == 0 {
			t.Errorf("no licence of type %s", w)
		}
	}
	if !slices.Contains(counts(cases), 2) {
		t.Error("no licence has two discipline rows")
	}
}

func counts(m map[string]int) []int {
	var out []int
	for _, n := range m {
		out = append(out, n)
	}
	return out
}

func texasRows(t *testing.T) []map[string]string {
	t.Helper()
	var rows []map[string]string
	for _, f := range strings.Fields("PSY MFT LPC SW") {
		rows = append(rows, table(t, readDemo(t)["tx-bhec/"+f+".csv"],
			strings.Split("LIC_TYPE,RANK,LIC_NBR,ENTITY_NBR,LAST_NME,FIRST_NME,MIDDLE_NME,SFX_NME,LIC_STATUS,LIC_EXPR_DTE,RANK_EFCT_DTE,DISCPL_ACTN", ","))...)
	}
	return rows
}

func TestDemoTexas(t *testing.T) {
	count := map[string]int{}
	for _, r := range texasRows(t) {
		if !isDay("01/02/2006", r["LIC_EXPR_DTE"]) || !isDay("01/02/2006", r["RANK_EFCT_DTE"]) {
			t.Errorf("dates of %s: %q, %q", r["LIC_NBR"], r["LIC_EXPR_DTE"], r["RANK_EFCT_DTE"])
		}
		count[r["LIC_STATUS"]+" "+r["DISCPL_ACTN"]]++
		if _, ok := directory.Tables().Title("TX", r["RANK"]); !ok {
			t.Errorf("rank %s is not in titles.csv", r["RANK"])
		}
	}
	for what, least := range map[string]int{"Active No": 80, "Active Yes": 2, "Delinquent No": 2, "Probated/Suspended Yes": 1} {
		if count[what] < least {
			t.Errorf("%s: %d, want at least %d", what, count[what], least)
		}
	}
}

// ---------------------------------------------------------------------------------------------------
// The listing sites

// listed is what a page says of one provider, as far as these tests ask.
type listed struct {
	source, key, file string
	kind              string
	name, former      string
	npi               string
	licences          []string
	trainings         []string
	oversight         []string
	streets           []string
	states            []string
	phones            []string
	doc               *goquery.Selection
}

func (l listed) person() bool {
	return !strings.Contains(l.key, "/clinic") || strings.Contains(l.key, "#") && !strings.HasSuffix(l.key, "#clinic")
}

// listings parses every page of both sites.
func listings(t *testing.T) []listed {
	t.Helper()
	var out []listed
	for name, body := range readDemo(t) {
		dir, base := path.Split(name)
		if !strings.HasSuffix(base, ".html") {
			continue
		}
		doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		canonical := doc.Find("link[rel=canonical]").AttrOr("href", "")
		u, err := url.Parse(canonical)
		if err != nil || u.Host == "" {
			t.Fatalf("%s says no canonical address", name)
		}
		switch dir {
		case "kap-commons/":
			doc.Find("main.profile").Each(func(_ int, s *goquery.Selection) {
				out = append(out, commonsListing(u, name, s))
			})
		case "open-clinics/":
			out = append(out, clinicsListings(t, u, name, doc)...)
		}
	}
	return out
}

func commonsListing(u *url.URL, file string, s *goquery.Selection) listed {
	texts := func(css string) []string {
		return s.Find(css).Map(func(_ int, x *goquery.Selection) string { return strings.TrimSpace(x.Text()) })
	}
	l := listed{source: "kap-commons", key: u.Path, file: file, kind: strings.TrimSpace(s.Find("p.profile-kind").Text()),
		name:   strings.TrimPrefix(strings.TrimSpace(s.Find("h1.profile-title").Text()), "Dr. "),
		former: s.Find("p.former-name").Text(), npi: strings.TrimPrefix(strings.TrimSpace(s.Find("span.profile-npi").Text()), "NPI "), licences: texts("ul.license-list > li"),
		trainings: texts("ul.training-list > li span.programme"), oversight: texts("div.medical-oversight p.who"), doc: s}
	s.ChildrenFiltered("address.site").Each(func(_ int, a *goquery.Selection) {
		l.states = append(l.states, a.Find(".state").Text())
		l.streets = append(l.streets, strings.TrimSpace(a.Find(".street").Text()+", "+a.Find(".street2").Text()))
		l.phones = append(l.phones, a.Find(".phone").Text())
	})
	return l
}

// clinicsListings walks the JSON-LD of a page and takes what crawler/testdata/README.md calls listed.
func clinicsListings(t *testing.T, u *url.URL, file string, doc *goquery.Document) []listed {
	t.Helper()
	var out []listed
	doc.Find(`script[type="application/ld+json"]`).Each(func(_ int, s *goquery.Selection) {
		var v any
		if err := json.Unmarshal([]byte(s.Text()), &v); err != nil {
			t.Errorf("%s: %v", file, err)
			return
		}
		walk(v, func(n map[string]any) {
			kap := strings.Contains(fmt.Sprint(n["availableService"]), "etamine-assisted psychotherapy") || strings.Contains(fmt.Sprint(n["availableService"]), "name:KAP")
			role, _ := n["jobTitle"].(string)
			if !kap && role != "Prescriber" && role != "Medical director" {
				return
			}
			id, err := u.Parse(fmt.Sprint(n["@id"]))
			if err != nil || n["@id"] == nil {
				t.Errorf("%s: a listed node has no @id", file)
				return
			}
			l := listed{source: "open-clinics", key: id.Path, file: file, kind: role, name: fmt.Sprint(n["name"])}
			if id.Fragment != "" {
				l.key += "#" + id.Fragment
			}
			l.name, _, _ = strings.Cut(l.name, ",")
			all := fmt.Sprint(n["usNPI"], n["identifier"])
			l.npi = tenDigits.FindString(all)
			walk(n["hasCredential"], func(c map[string]any) {
				switch c["credentialCategory"] {
				case "license":
					l.licences = append(l.licences, fmt.Sprint(c["name"], " ", c["identifier"], c["certificationIdentification"]))
				case "training":
					l.trainings = append(l.trainings, fmt.Sprint(c["name"]))
				}
			})
			for _, x := range []any{n["address"], n["workLocation"]} {
				walk(x, func(a map[string]any) {
					if st, ok := a["addressRegion"].(string); ok {
						l.states = append(l.states, st)
						l.streets = append(l.streets, fmt.Sprint(a["streetAddress"]))
					}
				})
				if a, ok := x.(string); ok {
					l.states = append(l.states, regexp.MustCompile(`[A-Z]{2} \d{5}$`).FindString(a)[:2])
				}
			}
			l.phones = phoneShape.FindAllString(fmt.Sprint(n["telephone"], n["workLocation"]), -1)
			out = append(out, l)
		})
	})
	return out
}

// walk calls f for every object in v.
func walk(v any, f func(map[string]any)) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			walk(e, f)
		}
	case map[string]any:
		f(x)
		for k, e := range x {
			if k != "availableService" {
				walk(e, f)
			}
		}
	}
}

func TestDemoListings(t *testing.T) {
	all := listings(t)
	keys, people, byState, site := map[string]bool{}, map[string]string{}, map[string]int{}, map[string]int{}
	for _, l := range all {
		if keys[l.source+l.key] {
			t.Errorf("%s %s stands twice", l.source, l.key)
		}
		keys[l.source+l.key] = true
		site[l.source]++
		if l.source == "open-clinics" && strings.HasSuffix(l.key, "#clinic") {
			site["clinics at open-clinics"]++
		}
		if len(l.states) == 0 {
			t.Errorf("%s %s has no state", l.source, l.key)
			continue
		}
		who := l.npi
		if who == "" {
			who = l.name + " " + l.states[0]
		}
		if people[who] == "" {
			people[who] = l.states[0]
			byState[l.states[0]]++
		}
	}
	if len(people) < 320 || len(byState) < 14 {
		t.Errorf("%d providers in %d states, want at least 320 in 14", len(people), len(byState))
	}
	if byState["CO"] < 60 || byState["TX"] < 60 {
		t.Errorf("%d providers in Colorado and %d in Texas, want at least 60 in each", byState["CO"], byState["TX"])
	}
	if site["kap-commons"] < 230 || site["clinics at open-clinics"] < 60 {
		t.Errorf("%d listings at KAP Commons and %d clinics at Open Clinics", site["kap-commons"], site["clinics at open-clinics"])
	}
	t.Logf("%d listings: %v; %d providers by state: %v", len(all), site, len(people), byState)
}

func TestDemoListPagesReachEveryProfile(t *testing.T) {
	linked, exist := map[string]bool{}, map[string]bool{}
	pages, next := 0, map[string]int{}
	for name, body := range readDemo(t) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		dir := path.Dir(name)
		doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(doc.Find("link[rel=canonical]").AttrOr("href", ""))
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]string{"kap-commons": "kap-commons.example", "open-clinics": "open-clinics.example"}[dir]; u.Host != want {
			t.Errorf("%s says it lives at %s", name, u)
		}
		links := doc.Find("div.results-row a.profile-title, a.listing")
		if links.Length() == 0 {
			exist[dir+u.Path] = true
			continue
		}
		pages++
		next[dir] += doc.Find("div.pagination-controls-end a.page-btn[rel=next], body > a[rel=next]").Length()
		links.Each(func(_ int, a *goquery.Selection) { linked[dir+a.AttrOr("href", "")] = true })
	}
	for p := range exist {
		if !linked[p] {
			t.Errorf("no list page leads to %s", p)
		}
	}
	for p := range linked {
		if !exist[p] {
			t.Errorf("a list page leads to %s, which is not there", p)
		}
	}
	if got := next["kap-commons"] + next["open-clinics"]; got != pages-2 {
		t.Errorf("%d of %d list pages lead on; all but the last of each site must", got, pages)
	}
}

func TestDemoTownsAreReal(t *testing.T) {
	gz, err := data.FS.Open("places/zips.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer gz.Close()
	z, err := gzip.NewReader(gz)
	if err != nil {
		t.Fatal(err)
	}
	places, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	real := map[string]bool{}
	for _, p := range places {
		real[p[3]+", "+p[4]+" "+p[0]] = true
	}
	n, suites := 0, 0
	for _, l := range listings(t) {
		if l.doc == nil {
			continue
		}
		l.doc.Find("address.site").Each(func(_ int, a *goquery.Selection) {
			n++
			at := fmt.Sprintf("%s, %s %s", a.Find(".city").Text(), a.Find(".state").Text(), a.Find(".zip").Text())
			if !real[at] {
				t.Errorf("%s: no such place as %s", l.key, at)
			}
			adr := directory.Address{Line1: a.Find(".street").Text(), Line2: a.Find(".street2").Text()}
			if !adr.LooksResidential(true) {
				suites++
			}
		})
	}
	if n-suites < 3 || n-suites > n/10 {
		t.Errorf("%d of %d addresses look like homes, want a handful", n-suites, n)
	}
}

// recipeWords returns the tables of a site's words.
func recipeWords(t *testing.T, site string) map[string]map[string]string {
	t.Helper()
	raw, err := fs.ReadFile(data.FS, "recipes/"+site+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Words map[string]map[string]string `yaml:"words"`
	}
	if err := yaml.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r.Words
}

func TestDemoWordsAreInTheRecipes(t *testing.T) {
	words := recipeWords(t, "kap-commons")
	lists := map[string]string{"ul.route-list > li": "route", "ul.setting-list > li": "setting", "ul.monitoring-list > li": "monitoring",
		"ul.screening-list > li": "screening", "ul.framework-list > li": "framework",
		"ul.specialties-list > li": "focus", "ul.population-list > li": "population", "ul.format-list > li": "format", "ul.language-list > li": "language",
		"ul.access-list > li": "access",
		"dd.model":            "model", "dd.presence": "presence", "p.profile-kind": "kind", "span.level": "level",
		"dd.vital-signs, dd.emergency-plan, dd.escort, dd.telehealth, dd.sliding-scale, dd.superbill": "answer"}
	used := map[string]map[string]bool{}
	for _, l := range listings(t) {
		if l.doc == nil {
			continue
		}
		for css, field := range lists {
			l.doc.Find(css).Each(func(_ int, s *goquery.Selection) {
				w := strings.TrimSpace(s.Text())
				if _, ok := words[field][w]; !ok {
					t.Errorf("%s: the recipe has no word %q for %s", l.key, w, field)
				}
				if used[field] == nil {
					used[field] = map[string]bool{}
				}
				used[field][w] = true
			})
		}
		l.doc.Find("p.accepting-clients").Each(func(_ int, s *goquery.Selection) {
			if !regexp.MustCompile(`^(Accepting new clients|Not accepting new clients|Waiting list)( \(as of 2026-\d\d-\d\d\))?$`).MatchString(s.Text()) {
				t.Errorf("%s: %q", l.key, s.Text())
			}
		})
		l.doc.Find("ul.fees-list > li").Each(func(_ int, s *goquery.Selection) {
			if !regexp.MustCompile(`^(Intake|Medicine session|Integration session|Package): \$[\d,]+(-\$[\d,]+)?( \(as of 2026-\d\d-\d\d\))?$`).MatchString(s.Text()) {
				t.Errorf("%s: %q", l.key, s.Text())
			}
		})
	}
	for field, least := range map[string]int{"route": 5, "setting": 4, "model": 4, "presence": 3, "monitoring": 6, "screening": 10, "framework": 7, "focus": 6,
		"population": 6, "format": 3, "language": 8, "access": 5, "kind": 4} {
		if len(used[field]) < least {
			t.Errorf("only %d words are used for %s, want at least %d", len(used[field]), field, least)
		}
	}
}

func TestDemoLicenceTitlesAreKnown(t *testing.T) {
	// "WORD #NUMBER, State", the state left out where the address has it, or a number with its letters alone.
	line := regexp.MustCompile(`^(?:(.+) #)?(\S+(?: \d+)?)(?:, ([A-Z][A-Za-z ]+))?$`)
	unknown := map[string]string{}
	for _, l := range listings(t) {
		if l.source != "kap-commons" {
			continue
		}
		for _, text := range l.licences {
			text, _, _ = strings.Cut(text, ". Supervised by ")
			m := line.FindStringSubmatch(text)
			if m == nil {
				t.Errorf("%s: licence %q", l.key, text)
				continue
			}
			state := directory.State(l.states[0])
			if m[3] != "" {
				s, err := directory.ParseState(m[3])
				if err != nil {
					t.Errorf("%s: %v", l.key, err)
				}
				state = s
			}
			word := m[1]
			if word == "" {
				word = directory.ParseLicenceNumber(m[2]).Prefix()
			}
			if _, ok := directory.Tables().Title(state, word); !ok {
				unknown[l.key] = word
			}
		}
	}
	if len(unknown) != 1 || unknown["/profile/lumen-ashgrove"] == "" {
		t.Errorf("licences whose title no table knows, where only one is meant to be: %v", unknown)
	}
}

func TestDemoTrainings(t *testing.T) {
	unknown, known := map[string]string{}, map[string]bool{}
	for _, l := range listings(t) {
		for _, w := range l.trainings {
			if p, ok := directory.Tables().Programme(w); ok {
				known[p.ID] = true
			} else {
				unknown[l.key] = w
			}
		}
	}
	want := map[string]string{"/profile/brandon-teague": "Ketamine Research Institute", "/profile/odette-fairbanks": "Inner Compass Ketamine Academy"}
	for k, v := range want {
		if unknown[k] != v {
			t.Errorf("%s: the training %q should be known to no table", k, v)
		}
		delete(unknown, k)
	}
	if len(unknown) > 0 {
		t.Errorf("trainings that no table knows: %v", unknown)
	}
	if len(known) < 15 {
		t.Errorf("only %d programmes are named", len(known))
	}
}

// ---------------------------------------------------------------------------------------------------
// Special cases

func TestDemoSpecialCases(t *testing.T) {
	byKey := map[string]listed{}
	for _, l := range listings(t) {
		byKey[l.source+l.key] = l
	}
	one := func(t *testing.T, slug string) listed {
		t.Helper()
		l, ok := byKey["kap-commons/profile/"+slug]
		if !ok {
			t.Fatalf("no profile %s", slug)
		}
		return l
	}
	identity := func(t *testing.T, npi string) map[string]string {
		t.Helper()
		for _, r := range nppesRows(t) {
			if r["NPI"] == npi {
				return r
			}
		}
		t.Fatalf("NPPES has no %s", npi)
		return nil
	}
	digits := func(s string) string {
		return strings.TrimLeft(regexp.MustCompile(`\D`).ReplaceAllString(s, ""), "0")
	}
	colorado := func(t *testing.T, slug string) []map[string]string {
		t.Helper()
		l := one(t, slug)
		var out []map[string]string
		for _, r := range doraRows(t) {
			for _, x := range l.licences {
				if digits(x) == r["licensenumber"] && strings.Contains(l.name, r["firstname"]) {
					out = append(out, r)
				}
			}
		}
		return out
	}
	texas := func(t *testing.T, slug string) []map[string]string {
		t.Helper()
		l := one(t, slug)
		var out []map[string]string
		for _, r := range texasRows(t) {
			for _, x := range l.licences {
				if digits(x) == r["LIC_NBR"] && strings.HasPrefix(strings.ToUpper(l.name), r["FIRST_NME"]) {
					out = append(out, r)
				}
			}
		}
		return out
	}
	excluded := func(t *testing.T, last, first string) map[string]string {
		t.Helper()
		for _, r := range leieRows(t) {
			if r["LASTNAME"] == last && r["FIRSTNAME"] == first {
				return r
			}
		}
		t.Fatalf("LEIE has no %s %s", first, last)
		return nil
	}

	t.Run("Garrick Thole is excluded by NPI", func(t *testing.T) {
		if r := excluded(t, "THOLE", "GARRICK"); r["NPI"] != one(t, "garrick-thole").npi || strings.TrimSpace(r["EXCLTYPE"]) != "1128b4" {
			t.Errorf("the list's row is %v", r)
		}
	})
	t.Run("Marisol Quintero is a name-only near miss", func(t *testing.T) {
		r, l := excluded(t, "QUINTERO", "MARISOL"), one(t, "marisol-quintero")
		if r["NPI"] != "0000000000" || r["DOB"] == "" || r["STATE"] == l.states[0] {
			t.Errorf("the list's row is %v", r)
		}
	})
	t.Run("Anneliese Brandt-Okafor has half a surname in the list", func(t *testing.T) {
		one(t, "anneliese-brandt-okafor")
		if r := excluded(t, "OKAFOR", "ANNELIESE"); r["NPI"] != "0000000000" || r["DOB"] == "" {
			t.Errorf("the list's row is %v", r)
		}
	})
	t.Run("nobody else listed has a name of the exclusion list", func(t *testing.T) {
		meant := map[string]bool{"garrick-thole": true, "marisol-quintero": true, "anneliese-brandt-okafor": true}
		names := map[string]bool{}
		for _, r := range leieRows(t) {
			for _, f := range directory.NameTokens(r["LASTNAME"]) {
				names[f+" "+directory.Fold(r["FIRSTNAME"])] = true
			}
		}
		for _, l := range listings(t) {
			n := directory.ParseName(l.name)
			for _, f := range directory.NameTokens(n.Family) {
				if l.person() && names[f+" "+directory.Fold(n.Given)] && !meant[path.Base(l.key)] {
					t.Errorf("%s %s has a name of the list", l.source, l.key)
				}
			}
		}
	})

	for slug, want := range map[string][4]string{ // state, NPI, start, agency of the SAM row
		"frances-ingersoll": {"CO", "its own", "02/03/2026", "OPM"}, "esteban-escamilla": {"CO", "its own", "02/03/2026", "OPM"}, "garrick-thole": {"AZ", "its own", "06/19/2026", "HHS"},
		"adaeze-danquah": {"KY", "", "", "HHS"}} {
		t.Run("SAM: "+slug, func(t *testing.T) {
			l := one(t, slug)
			n := directory.ParseName(l.name)
			if want[1] != "" {
				want[1] = l.npi
			}
			rows, _ := samRows(t)
			rows = slices.DeleteFunc(rows, func(r map[string]string) bool {
				return r["Last"] != strings.ToUpper(n.Family) || r["First"] != strings.ToUpper(n.Given)
			})
			if len(rows) != 1 || rows[0]["State / Province"] != want[0] || rows[0]["NPI"] != want[1] || want[2] != "" && rows[0]["Active Date"] != want[2] || rows[0]["Excluding Agency"] != want[3] {
				t.Errorf("the list says %v", rows)
			}
		})
	}
	for slug, want := range map[string][3]string{ // NPI, licence, end
		"frances-vickery": {"its own", "", ""}, "olga-chernow": {"its own", "", ""}, "winona-yazzie": {"its own", "", "6/14/2022"}, "saul-goldfarb": {"", "its own", ""}, "raisa-kaminsky": {"", "another", ""}} {
		t.Run("Texas list: "+slug, func(t *testing.T) {
			l := one(t, slug)
			n := directory.ParseName(l.name)
			rows := slices.DeleteFunc(oigRows(t), func(r map[string]string) bool { return r["LastName"] != n.Family || r["FirstName"] != n.Given })
			if len(rows) != 1 || (rows[0]["NPI"] == l.npi) != (want[0] != "") || rows[0]["ReinstatedDate"] != want[2] || (rows[0]["LicenseNumber"] != "") != (want[1] != "") {
				t.Fatalf("the list says %v", rows)
			}
			if own := slices.ContainsFunc(texas(t, slug), func(r map[string]string) bool { return r["LIC_NBR"] == rows[0]["LicenseNumber"] }); own != (want[1] == "its own") {
				t.Errorf("the licence number is %s", rows[0]["LicenseNumber"])
			}
		})
	}
	t.Run("nobody else listed has a name of the further lists", func(t *testing.T) {
		meant := words("garrick-thole frances-ingersoll esteban-escamilla adaeze-danquah frances-vickery olga-chernow winona-yazzie saul-goldfarb raisa-kaminsky")
		names := map[string]bool{}
		rows, broken := samRows(t)
		for _, r := range rows {
			for _, f := range directory.NameTokens(r["Last"]) {
				names[f+" "+directory.Fold(r["First"])] = true
			}
		}
		for _, r := range oigRows(t) {
			for _, f := range directory.NameTokens(r["LastName"]) {
				names[f+" "+directory.Fold(r["FirstName"])] = true
			}
		}
		unread := strings.Fields(directory.Fold(strings.Join(broken, " ")))
		for _, l := range listings(t) {
			n := directory.ParseName(l.name)
			for _, f := range directory.NameTokens(n.Family) {
				if l.person() && names[f+" "+directory.Fold(n.Given)] && !slices.Contains(meant, path.Base(l.key)) {
					t.Errorf("%s %s has a name of a list", l.source, l.key)
				}
				if l.person() && slices.Contains(unread, f) {
					t.Errorf("%s %s may be named by a row that cannot be divided", l.source, l.key)
				}
			}
		}
	})

	for slug, want := range map[string]string{"maribeth-kroll": "Revoked", "noor-al-hashimi": "Inactive", "petra-lindgren": "Administrative Hold",
		"colleen-radway": "Expired", "isaac-feldstein": "Voluntary Surrender",
		"tobias-wendling": "Active - With Conditions", "desmond-achebe": "Active", "amara-whitcomb": "Active"} {
		t.Run("Colorado: "+slug+" is "+want, func(t *testing.T) {
			rows := colorado(t, slug)
			if len(rows) == 0 || rows[0]["licensestatusdescription"] != want {
				t.Errorf("the roster says %v", rows)
			}
		})
	}
	t.Run("Tobias Wendling has two discipline rows, one open", func(t *testing.T) {
		rows := colorado(t, "tobias-wendling")
		if len(rows) != 2 || rows[0]["casenumber"] == rows[1]["casenumber"] || (rows[0]["disciplinecompletedate"] == "") == (rows[1]["disciplinecompletedate"] == "") {
			t.Errorf("the roster says %v", rows)
		}
	})
	t.Run("Desmond Achebe is active past his date", func(t *testing.T) {
		if d := colorado(t, "desmond-achebe")[0]["licenseexpirationdate"]; d != "08/31/2025" {
			t.Errorf("it expires on %s", d)
		}
	})
	t.Run("Lucía Benavides's number is mistyped on her page", func(t *testing.T) {
		if rows := colorado(t, "lucia-benavides"); len(rows) != 0 {
			t.Errorf("the number stands in the roster: %v", rows)
		}
		if !slices.ContainsFunc(doraRows(t), func(r map[string]string) bool { return r["lastname"] == "Benavides" && r["firstname"] == "Lucia" }) {
			t.Error("her name is not in the roster")
		}
	})
	t.Run("Fiona Marchbanks and Gil Ortega-Platt share a number", func(t *testing.T) {
		a, b := colorado(t, "fiona-marchbanks"), colorado(t, "gil-ortega-platt")
		if len(a) != 1 || len(b) != 1 || a[0]["licensenumber"] != b[0]["licensenumber"] || a[0]["licensetype"] == b[0]["licensetype"] {
			t.Errorf("the roster says %v and %v", a, b)
		}
	})

	for slug, want := range map[string][3]string{"yesenia-barragan": {"Delinquent", "No", "06/30/2026"}, "clifton-beaumont": {"Probated/Suspended", "Yes", ""},
		"hollis-marchetti": {"Active", "Yes", ""},
		"gwendolyn-pratt":  {"Active", "No", "11/14/2026"}, "ezekiel-marsh": {"Active", "No", "12/15/2026"}} {
		t.Run("Texas: "+slug+" is "+want[0]+" "+want[1], func(t *testing.T) {
			rows := texas(t, slug)
			if len(rows) != 1 || rows[0]["LIC_STATUS"] != want[0] || rows[0]["DISCPL_ACTN"] != want[1] || want[2] != "" && rows[0]["LIC_EXPR_DTE"] != want[2] {
				t.Errorf("the roster says %v", rows)
			}
		})
	}
	t.Run("Renata Oyelaran is not in the Texas roster", func(t *testing.T) {
		if rows := texas(t, "renata-oyelaran"); len(rows) != 0 || len(one(t, "renata-oyelaran").licences) != 1 {
			t.Errorf("the roster says %v", rows)
		}
	})

	for _, slug := range []string{"henrike-stadler", "luther-gaines", "margaux-villeneuve", "dominic-ferrara", "orrin-blakely"} {
		t.Run(slug+" depends on a prescriber who may not", func(t *testing.T) {
			l := one(t, slug)
			number := regexp.MustCompile(`license (\S+) \((..)\)`).FindStringSubmatch(strings.Join(l.oversight, " "))
			if number == nil {
				t.Fatalf("the page names %q", l.oversight)
			}
			want := map[string]string{"henrike-stadler": "Expired", "luther-gaines": "Expired", "margaux-villeneuve": "Suspended", "dominic-ferrara": "Suspended"}[slug]
			if want == "" {
				if number[2] == l.states[0] {
					t.Errorf("the prescriber is licensed in %s", number[2])
				}
				return
			}
			if !slices.ContainsFunc(doraRows(t), func(r map[string]string) bool {
				return r["licensetype"] == "DR" && r["licensenumber"] == digits(number[1]) && r["licensestatusdescription"] == want
			}) {
				t.Errorf("%s is not %s in the roster", number[1], want)
			}
		})
	}
	t.Run("Leila Farahani prescribes herself", func(t *testing.T) {
		if l := one(t, "leila-farahani"); !slices.Contains(l.oversight, "Medical oversight: self") || l.kind != "Therapist and prescriber" {
			t.Errorf("the page says %q %q", l.kind, l.oversight)
		}
	})

	t.Run("Caroline Whitlock is Esparza in NPPES", func(t *testing.T) {
		r := identity(t, one(t, "caroline-whitlock").npi)
		if r["Provider Last Name (Legal Name)"] != "ESPARZA" || r["Provider Other Last Name"] != "WHITLOCK" || r["Provider Other Last Name Type Code"] != "1" {
			t.Errorf("NPPES says %s, formerly %s", r["Provider Last Name (Legal Name)"], r["Provider Other Last Name"])
		}
	})
	t.Run("Ingrid Tolliver was Haugen", func(t *testing.T) {
		if r := identity(t, one(t, "ingrid-tolliver").npi); r["Provider Last Name (Legal Name)"] != "TOLLIVER" || r["Provider Other Last Name"] != "HAUGEN" {
			t.Errorf("NPPES says %v", r["Provider Other Last Name"])
		}
	})
	for slug, want := range map[string]string{"minh-chau-nguyen": "NGUYEN", "jose-pena-lujan": "PENA-LUJAN", "siobhan-o-faolain": "O FAOLAIN", "zoe-lindqvist": "LINDQVIST"} {
		t.Run(slug+" has accents that NPPES has not", func(t *testing.T) {
			l := one(t, slug)
			if r := identity(t, l.npi); r["Provider Last Name (Legal Name)"] != want || strings.ToUpper(l.name) == r["Provider First Name"]+" "+want {
				t.Errorf("%s is %s in NPPES", l.name, r["Provider Last Name (Legal Name)"])
			}
		})
	}
	t.Run("two Maria Hernandez in Texas", func(t *testing.T) {
		a, b := one(t, "maria-hernandez"), one(t, "maria-hernandez-2")
		if a.name != b.name || a.npi == b.npi || a.states[0] != "TX" || b.states[0] != "TX" || len(texas(t, "maria-hernandez")) != 1 || len(texas(t, "maria-hernandez-2")) != 1 {
			t.Errorf("%v, %v", a, b)
		}
	})
	t.Run("Linh Tran has two namesakes in NPPES", func(t *testing.T) {
		l, n := one(t, "linh-tran"), 0
		for _, r := range nppesRows(t) {
			if r["Provider Last Name (Legal Name)"] == "TRAN" && r["Provider First Name"] == "LINH" {
				n++
			}
		}
		if l.npi != "" || len(l.licences) != 0 || n != 2 {
			t.Errorf("NPI %q, %d licences, %d namesakes", l.npi, len(l.licences), n)
		}
	})
	t.Run("Wren Abernathy gives nothing to check", func(t *testing.T) {
		if l := one(t, "wren-abernathy"); l.npi != "" || len(l.licences) != 0 || l.phones[0] != "" {
			t.Errorf("%v", l)
		}
	})
	t.Run("Walter Haskins, father and son, share an address", func(t *testing.T) {
		a, b := one(t, "walter-haskins-sr"), one(t, "walter-haskins-jr")
		if a.streets[0] != b.streets[0] || a.phones[0] != b.phones[0] || a.npi == b.npi || a.name != "Walter Haskins Sr" || b.name != "Walter Haskins Jr" {
			t.Errorf("%v, %v", a, b)
		}
	})
	t.Run("Judith Kessler-Boyd's NPI is deactivated", func(t *testing.T) {
		if r := identity(t, one(t, "judith-kessler-boyd").npi); r["NPI Deactivation Date"] == "" || r["Entity Type Code"] != "" {
			t.Errorf("%s", r["NPI Deactivation Date"])
		}
	})
	t.Run("Tomás Arredondo's NPI was reactivated", func(t *testing.T) {
		if r := identity(t, one(t, "tomas-arredondo").npi); r["NPI Deactivation Date"] == "" || r["NPI Reactivation Date"] == "" || r["Provider First Name"] != "TOMAS" {
			t.Errorf("%s, %s", r["NPI Deactivation Date"], r["NPI Reactivation Date"])
		}
	})
	for slug, want := range map[string]bool{"priya-raghunathan": true, "solomon-abara": false} {
		t.Run(slug+" is on two sites", func(t *testing.T) {
			a := one(t, slug)
			var b listed
			for k, l := range byKey {
				if strings.HasPrefix(k, "open-clinics/") && strings.HasSuffix(k, slug) {
					b = l
				}
			}
			if b.key == "" || a.npi == "" || b.npi != "" || (len(a.licences) > 0) != want || !slices.Contains(b.phones, a.phones[0]) {
				t.Errorf("%q with %v, and %q with NPI %q and %v", a.npi, a.phones, b.key, b.npi, b.phones)
			}
		})
	}
	for _, slug := range []string{"jonah-pfeiffer", "kayla-brightwell", "mateo-zuniga", "saoirse-delaney"} {
		t.Run(slug+" names a supervisor's licence", func(t *testing.T) {
			l := one(t, slug)
			if !regexp.MustCompile(`Supervised by .*\d{4}`).MatchString(l.licences[0]) || !strings.Contains(l.doc.Find("p.supervision").Text(), "Supervised by") {
				t.Errorf("licences %q", l.licences)
			}
		})
	}
	t.Run("lower tiers under letters that elsewhere are not", func(t *testing.T) {
		for slug, s := range map[string]directory.State{"hannah-prudhomme": "MA", "trevor-baines": "IL"} {
			word, _, _ := strings.Cut(one(t, slug).licences[0], " ")
			if title, ok := directory.Tables().Title(s, word); !ok || title.Tier != directory.Supervised {
				t.Errorf("%s: %s in %s is %v", slug, word, s, title.Tier)
			}
		}
	})
	t.Run("a clinic that does not speak of KAP is not listed", func(t *testing.T) {
		if _, ok := readDemo(t)["open-clinics/clinics-drip-lounge-example.html"]; !ok {
			t.Error("its page is missing")
		}
		if _, ok := byKey["open-clinics/clinics/drip-lounge-example#clinic"]; ok {
			t.Error("it counts as a listing")
		}
	})
	t.Run("infusion only", func(t *testing.T) {
		n := 0
		for name, body := range readDemo(t) {
			s := regexp.MustCompile(`\s+`).ReplaceAllString(string(body), "")
			if strings.HasPrefix(name, "open-clinics/") && strings.Contains(s, `"propertyID":"preparation","value":"no"`) && strings.Contains(s,
				`"propertyID":"integration","value":"no"`) {
				n++
			}
		}
		if n < 8 {
			t.Errorf("only %d clinics say that they offer neither preparation nor integration", n)
		}
	})
}

// ---------------------------------------------------------------------------------------------------
// The manifest, attestations and decisions

type demoManifest struct {
	Now   directory.Instant `json:"now"`
	Note  string            `json:"note"`
	Steps []struct {
		Source       string            `json:"source"`
		Path         string            `json:"path"`
		AsOf         directory.Date    `json:"as_of"`
		Release      string            `json:"release"`
		Read         directory.Instant `json:"read"`
		Staff        string            `json:"staff"`
		Attestations string            `json:"attestations"`
		Decisions    string            `json:"decisions"`
	} `json:"steps"`
}

// strictly decodes one JSON value and refuses what the type does not know.
func strictly(t *testing.T, raw []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

func readManifest(t *testing.T) demoManifest {
	t.Helper()
	var m demoManifest
	strictly(t, readDemo(t)["manifest.json"], &m)
	return m
}

func TestDemoManifest(t *testing.T) {
	files, m := readDemo(t), readManifest(t)
	if m.Now != "2026-11-16T15:00:00.000Z" || !strings.Contains(m.Note, "invented") {
		t.Errorf("now is %s, note %q", m.Now, m.Note)
	}
	last := directory.Instant("")
	for i, s := range m.Steps {
		if s.Source == "" {
			if name := s.Staff + s.Attestations + s.Decisions; name == "" || files[name] == nil {
				t.Errorf("step %d names %q", i, name)
			}
			continue
		}
		src, ok := directory.Tables().Source(s.Source)
		if !ok || src.ID == "" {
			t.Errorf("step %d: no source %s", i, s.Source)
		}
		if files[s.Path] == nil && !slices.ContainsFunc(slices.Collect(mapKeys(files)), func(f string) bool { return strings.HasPrefix(f, s.Path+"/") }) {
			t.Errorf("step %d: no file %s", i, s.Path)
		}
		if _, err := directory.ParseDate(string(s.AsOf)); err != nil {
			t.Error(err)
		}
		if at, err := directory.ParseInstant(string(s.Read)); err != nil || at != s.Read || s.Read <= last || s.AsOf.Midnight() > s.Read || s.Read >= m.Now {
			t.Errorf("step %d: read at %s, of data of %s", i, s.Read, s.AsOf)
		}
		last = s.Read
		if s.Source == "leie" && s.Release != "2026-10" {
			t.Errorf("the exclusion list's release is %q", s.Release)
		}
	}
	if len(m.Steps) != 11 {
		t.Errorf("%d steps", len(m.Steps))
	}
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// providerExists reports that a reference speaks of somebody whom the sites name.
func providerExists(t *testing.T) func(directory.ProviderRef) bool {
	t.Helper()
	keys, npis := map[string]bool{}, map[directory.NPI]bool{}
	for _, l := range listings(t) {
		keys[l.source+l.key] = true
		if l.npi != "" {
			npis[directory.NPI(l.npi)] = true
		}
		for _, o := range l.oversight {
			npis[directory.NPI(tenDigits.FindString(o))] = true
		}
	}
	return func(r directory.ProviderRef) bool {
		switch {
		case r.ID != "":
			return false // ids are made anew in each store
		case r.NPI != "":
			_, err := directory.ParseNPI(string(r.NPI))
			return err == nil && npis[r.NPI] && r.Source == "" && r.Key == ""
		}
		return keys[r.Source+r.Key]
	}
}

// lines returns the lines of a file of JSON objects.
func lines(t *testing.T, name string) [][]byte {
	t.Helper()
	body := readDemo(t)[name]
	if !bytes.HasSuffix(body, []byte("\n")) {
		t.Fatalf("%s does not end in a line end", name)
	}
	return bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
}

func lastRead(t *testing.T) (last, now directory.Instant) {
	m := readManifest(t)
	for _, s := range m.Steps {
		last = max(last, s.Read)
	}
	return last, m.Now
}

func TestDemoAttestations(t *testing.T) {
	exists := providerExists(t)
	read, now := lastRead(t)
	hash := regexp.MustCompile(`^[0-9a-f]{64}$`)
	last, count, sides, hashes := read, map[string]int{}, map[string]map[string]bool{}, map[string]int{}
	for _, raw := range lines(t, "attestations.jsonl") {
		var a directory.Attestation
		strictly(t, raw, &a)
		if at, err := directory.ParseInstant(string(a.At)); err != nil || at != a.At || a.At <= last || a.At >= now || a.At.Date() != "2026-11-13" {
			t.Errorf("made at %q: not after %s", a.At, last)
		}
		last = a.At
		if !exists(a.Provider) {
			t.Errorf("nobody is %+v", a.Provider)
		}
		if a.By != "provider" && a.By != "prescriber" || a.Auth != "email_link" && a.Auth != "telephone_callback" {
			t.Errorf("by %q, known by %q", a.By, a.Auth)
		}
		parts, sum := 0, ""
		if o := a.Oversight; o != nil {
			parts++
			count["oversight"]++
			who := fmt.Sprint(a.Provider, o.Prescriber)
			if o.Self {
				count["self"]++
			} else if !exists(o.Prescriber) {
				t.Errorf("no prescriber is %+v", o.Prescriber)
			} else if sides[who] == nil {
				sides[who] = map[string]bool{a.By: true}
			} else {
				sides[who][a.By] = true
			}
		}
		if p := a.Protocol; p != nil {
			parts++
			count["protocol"]++
			if sum = p.SHA256; sum != "" {
				count["protocol document"]++
			}
		}
		if c := a.Certificate; c != nil {
			parts++
			count["certificate"]++
			sum = c.SHA256
			hashes[sum]++
			if !slices.Contains([]string{"attended", "modules_complete", "certificate", "in_programme_register"}, c.Level) || !isDay(time.DateOnly, string(c.Completed)) ||
				c.Completed.Midnight() > now || c.Programme == "" {
				t.Errorf("%+v", c)
			}
			if sum == "" {
				t.Error("a certificate without its hash")
			}
		}
		if d := a.DEA; d != nil {
			parts++
			count["dea"]++
			if sum = d.SHA256; sum == "" || !isDay(time.DateOnly, string(d.Expires)) {
				t.Errorf("%+v", d)
			}
			if _, err := directory.ParseState(string(d.State)); err != nil {
				t.Error(err)
			}
		}
		if sum != "" && !hash.MatchString(sum) {
			t.Errorf("%q is no SHA-256", sum)
		}
		if parts != 1 {
			t.Errorf("%d parts in one statement", parts)
		}
	}
	for _, s := range sides {
		count[fmt.Sprintf("%d sides", len(s))]++
	}
	for what, least := range map[string]int{"2 sides": 20, "1 sides": 5, "self": 3, "protocol": 50, "protocol document": 15, "certificate": 45, "dea": 12} {
		if count[what] < least {
			t.Errorf("%s: %d, want at least %d", what, count[what], least)
		}
	}
	if !slices.Contains(counts(hashes), 2) {
		t.Error("no two people sent the same certificate")
	}
	t.Log(count)
}

func TestDemoDecisions(t *testing.T) {
	exists := providerExists(t)
	read, now := lastRead(t)
	last, count, providers := read, map[string]int{}, map[string]bool{}
	confirmed := map[string]map[string]bool{}
	for _, raw := range lines(t, "decisions.jsonl") {
		var d directory.Decision
		strictly(t, raw, &d)
		if at, err := directory.ParseInstant(string(d.At)); err != nil || at != d.At || d.At <= last || d.At >= now || d.At.Date() < "2026-11-14" || d.At.Date() > "2026-11-15" {
			t.Errorf("made at %q: not after %s", d.At, last)
		}
		last = d.At
		if !exists(d.Provider) {
			t.Errorf("nobody is %+v", d.Provider)
		}
		if d.Staff != "staff-rowan" && d.Staff != "staff-imani" || d.Auth == "" {
			t.Errorf("by %q, known by %q", d.Staff, d.Auth)
		}
		if !slices.Contains([]string{"confirm", "clear", "return"}, d.Decision) || (d.Decision == "clear") != (d.Field != "") {
			t.Errorf("%q, field %q", d.Decision, d.Field)
		}
		if !slices.Contains(directory.ClaimKinds, d.Kind) || d.Kind == directory.License && (d.State != "CO" && d.State != "TX" || d.Number == "") {
			t.Errorf("%s of %s %s", d.Kind, d.State, d.Number)
		}
		count[string(d.Kind)+" "+d.Decision]++
		count[string(d.State)]++
		who := fmt.Sprint(d.Provider)
		providers[who] = true
		if d.Decision == "confirm" {
			k := fmt.Sprint(d.Kind, d.Issuer, d.State, d.Number, who)
			if confirmed[k] == nil {
				confirmed[k] = map[string]bool{}
			}
			confirmed[k][d.Staff] = true
		}
	}
	both := 0
	for _, s := range confirmed {
		if len(s) == 2 {
			both++
		}
	}
	if both != 4 || len(providers) < 60 || count["exclusion_screen confirm"] != 7 || count["exclusion_screen clear"] != 1 || count["license return"] != 1 ||
		count["license confirm"] < 70 || count["CO"] < 30 || count["TX"] < 20 {
		t.Errorf("%d confirmed by both, %d providers, %v", both, len(providers), count)
	}
	for _, l := range listings(t) {
		if l.key == "/profile/marisol-quintero" && slices.Contains(slices.Collect(mapKeys(providers)), fmt.Sprint(directory.ProviderRef{NPI: directory.NPI(l.npi)})) {
			t.Error("somebody decided about the name-only near miss")
		}
	}
	t.Log(len(providers), count)
}

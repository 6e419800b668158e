package crawler

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kapdir/crawler/nppestest"
)

// nppesHeader is the header of the main file: 330 columns now, 329 with another name of column 42 before.
func nppesHeader(old bool) []string { return nppestest.Header(old) }

// The columns that tests speak of, by short names.
var nppesShort = map[string]string{
	"npi": "NPI", "entity": "Entity Type Code", "org": "Provider Organization Name (Legal Business Name)", "last": "Provider Last Name (Legal Name)",
	"first": "Provider First Name", "middle": "Provider Middle Name", "suffix": "Provider Name Suffix Text", "credential": "Provider Credential Text",
	"otherorg": "Provider Other Organization Name", "otherorgtype": "Provider Other Organization Name Type Code", "otherlast": "Provider Other Last Name",
	"otherfirst": "Provider Other First Name", "othertype": "Provider Other Last Name Type Code",
	"mail": "Provider First Line Business Mailing Address", "mailcity": "Provider Business Mailing Address City Name",
	"street": "Provider First Line Business Practice Location Address", "city": "Provider Business Practice Location Address City Name",
	"state": "Provider Business Practice Location Address State Name", "zip": "Provider Business Practice Location Address Postal Code",
	"country": "Provider Business Practice Location Address Country Code (If outside U.S.)",
	"phone":   "Provider Business Practice Location Address Telephone Number", "enumerated": "Provider Enumeration Date", "updated": "Last Update Date",
	"deactivated": "NPI Deactivation Date", "reactivated": "NPI Reactivation Date", "sex": "Provider Sex Code", "gender": "Provider Gender Code",
	"officialphone": "Authorized Official Telephone Number", "code": "Healthcare Provider Taxonomy Code_1", "licence": "Provider License Number_1",
	"licstate": "Provider License Number State Code_1", "primary": "Healthcare Provider Primary Taxonomy Switch_1",
	"code2": "Healthcare Provider Taxonomy Code_2", "licence2": "Provider License Number_2", "licstate2": "Provider License Number State Code_2",
	"primary2": "Healthcare Provider Primary Taxonomy Switch_2", "code15": "Healthcare Provider Taxonomy Code_15", "group": "Healthcare Provider Taxonomy Group_1",
	"ein": "Employer Identification Number (EIN)", "replacement": "Replacement NPI",
}

// row is a valid row of a therapist; each pair of more sets a column.
func nppesRow(header []string, more ...string) string {
	set := map[string]string{"npi": "2000000010", "entity": "1", "last": "OKAFOR", "first": "MAYA", "middle": "N", "credential": "PH.D., L.C.S.W.",
		"mail": "1 HOME LANE", "mailcity": "LYONS", "street": "1200 PEARL STREET STE 4", "city": "BOULDER", "state": "CO", "zip": "803021234", "country": "US",
		"phone": "3035550142", "enumerated": "05/23/2010", "updated": "07/08/2024", "sex": "F", "gender": "F", "officialphone": "3035550100",
		"code": "1041C0700X", "licence": "CSW.09923456", "licstate": "CO", "primary": "Y"}
	return nppesBare(header, append(flatten(set), more...)...)
}

func flatten(m map[string]string) []string {
	var out []string
	for k, v := range m {
		out = append(out, k, v)
	}
	return out
}

// nppesBare is a row of which only the given columns are filled.
func nppesBare(header []string, pairs ...string) string {
	values := make([]string, len(header))
	for i := 0; i < len(pairs); i += 2 {
		if at := slices.Index(header, nppesShort[pairs[i]]); at >= 0 {
			values[at] = pairs[i+1]
		}
	}
	return quoteRow(values)
}

// quoteRow writes a row as CMS does: every value quoted, inner quotation marks as apostrophes.
func quoteRow(values []string) string {
	return `"` + strings.Join(values, `","`) + `"`
}

func nppesFile(rows ...string) string {
	return quoteRow(nppesHeader(false)) + "\n" + strings.Join(rows, "\n") + "\n"
}

// zipOfFiles writes an archive into a temporary directory.
func zipOfFiles(t testing.TB, name string, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, err := z.Create(members[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(members[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

const leieHead = "LASTNAME,FIRSTNAME,MIDNAME,BUSNAME,GENERAL,SPECIALTY,UPIN,NPI,DOB,ADDRESS,CITY,STATE,ZIP,EXCLTYPE,EXCLDATE,REINDATE,WAIVERDATE,WVRSTATE\n"

// leieRow is a valid row; each pair of more sets a column.
func leieRow(more ...string) string {
	set := map[string]string{"LASTNAME": "QUILLFEATHER", "FIRSTNAME": "ROWAN", "MIDNAME": "T", "GENERAL": "IND- LIC HC SERV PRO", "SPECIALTY": "COUNSELOR",
		"NPI": "0000000000", "DOB": "19700102", "ADDRESS": "5 NOWHERE ROAD", "CITY": "DENVER", "STATE": "CO", "ZIP": "80203", "EXCLTYPE": "1128b4",
		"EXCLDATE": "20190320", "REINDATE": "00000000", "WAIVERDATE": "00000000"}
	for i := 0; i < len(more); i += 2 {
		set[more[i]] = more[i+1]
	}
	values := make([]string, len(leieHeader))
	for i, h := range leieHeader {
		values[i] = set[h]
	}
	return quoteRow(values) + "\n"
}

const coHead = "lastname,firstname,middlename,suffix,entityname,city,state,mailzipcode,licensetype,subcategory,licensenumber,licensefirstissuedate,licenselastreneweddate,licenseexpirationdate,licensestatusdescription,specialty,title,degrees,casenumber,programaction,disciplineeffectivedate,disciplinecompletedate,linktoverifylicense,linktoviewhealthcareprofile\n"

// coRow is a valid row of the Colorado register; each pair of more sets a column.
func coRow(more ...string) string {
	set := map[string]string{"lastname": "OKAFOR", "firstname": "MAYA", "city": "BOULDER", "state": "CO", "mailzipcode": "80302", "licensetype": "CSW",
		"licensenumber": "0009923456", "licensefirstissuedate": "03/01/2015", "licenseexpirationdate": "08/31/2027", "licensestatusdescription": "Active",
		"linktoverifylicense": "https://register.example/PrintLicenseDetails.aspx?cred=1"}
	return csvRow(coHead, set, more)
}

const txHead = "LIC_TYPE,RANK,LIC_NBR,ENTITY_NBR,LAST_NME,FIRST_NME,MIDDLE_NME,SFX_NME,LIC_STATUS,LIC_EXPR_DTE,RANK_EFCT_DTE,DISCPL_ACTN\n"

// txRow is a valid row of a Texas list; each pair of more sets a column.
func txRow(more ...string) string {
	set := map[string]string{"LIC_TYPE": "5301", "RANK": "LPC", "LIC_NBR": "70123", "ENTITY_NBR": "1234567", "LAST_NME": "BELL", "FIRST_NME": "TAMSIN",
		"LIC_STATUS": "Active", "LIC_EXPR_DTE": "06/30/2027", "RANK_EFCT_DTE": "02/01/2018", "DISCPL_ACTN": "No"}
	return csvRow(txHead, set, more)
}

func csvRow(head string, set map[string]string, more []string) string {
	for i := 0; i < len(more); i += 2 {
		set[more[i]] = more[i+1]
	}
	var values []string
	for _, h := range strings.Split(strings.TrimSpace(head), ",") {
		v := set[h]
		if strings.ContainsAny(v, ",\"\n") {
			v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
		values = append(values, v)
	}
	return strings.Join(values, ",") + "\n"
}

// txFiles writes the four lists, each with the rows given for it and one row of its own.
func txFiles(t testing.TB, rows map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	own := map[string]string{"LPC": "LPC", "MFT": "LMFT", "PSY": "PSY", "SW": "LCSW"}
	for name, rank := range own {
		text := txHead + rows[name] + txRow("RANK", rank, "LIC_NBR", "9000"+itoa(len(name)))
		if err := os.WriteFile(filepath.Join(dir, name+".csv"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

package crawler

import (
	"archive/zip"
	"bytes"
	"maps"
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

// The headers of the other boards, as their publishers write them.
const (
	waHead  = "CredentialNumber,LastName,FirstName,MiddleName,CredentialType,Status,BirthYear,CEDueDate,FirstIssueDate,LastIssueDate,ExpirationDate,ActionTaken\n"
	ilHead  = "license_type,description,license_number,license_status,business,title,first_name,middle,last_name,prefix,suffix,business_name,businessdba,original_issue_date,effective_date,expiration_date,city,state,zip,county,specialty_qualifier,controlled_substance_schedule,delegated_controlled_substance_schedule,ever_disciplined,lastmodifieddate,case_number,action,discipline_start_date,discipline_end_date,discipline_reason\n"
	ctHead  = "CredentialId,Name,Type,BusinessName,DBA,FullCredentialCode,CredentialType,CredentialNumber,CredentialSubCategory,Credential,Status,StatusReason,Active,IssueDate,EffectiveDate,ExpirationDate,Address,City,State,Zip,RecordRefreshedOn\n"
	caHead  = "Agency Code\tAgency Name\tLicTypeCode\tLicense Type\tLicense Number\tIndiv/Org\tOrg/Last Name\tFirst Name\tMiddle Name\tSuffix\tAddress Line 1\tAddress Line 2\tCity\tCounty\tState\tZip\tCountry\tOriginal Issue Date\tExpiration Date\tLicense Status\n"
	caOld   = "Agency Name\tLicense Type\tSpeciality Code\tLicense Number\tIndiv/Org\tOrg/Last Name\tFirst Name\tMiddle Name\tSuffix\tAddress Line 1\tAddress Line 2\tCity\tCounty\tState\tZip\tCountry\tOriginal Issue Date\tExpiration Date\tSchool\tYear Graduated\tDegree\tLicense Status\n"
	flHead  = "pro_cde|Profession-Name|lic_id|Expire-Date|Original-Date|Rank-Code|License-Number|Status-Effective-Date|Board-Action-Indicator|License-Status-Description|Last-Name|First-Name|Middle-Name|Name-Suffix|Business-Name|License-Active-Status-Description|County|County-Description|Mailing-Address-Line1|Mailing-Address-line2|Mailing-Address-line3|Mailing-Address-City|Mailing-Address-State|Mailing-Address-ZIPcode|Mailing-Address-Area-Code|Mailing-Address-Phone-Number|Mailing-Address-Phone-Extension|Practice-Location-Address-Line1|Practice-Location-Address-line2|Practice-Location-Address-line3|Practice-Location-Address-City|Practice-Location-Address-State|Practice-Location-Address-ZIPcode|Email|Mod-Cdes|Prescribe-Ind|Dispensing-Ind|Birth-Year-Range|Other-License \n"
	nyHead  = "Last Name,First Name,Middle Name,Name Suffix,Address,License Number,License Type,Year of Birth,Effective Date,Action,Misconduct Description,Date Updated\n"
	tmbHead = "license_type,first_name,last_name,license_number,license_status,registration_status,license_expiration_date,disciplinary_status,current_board_action_date,current_board_action_description,degree,specialties,practice_address,practice_city,practice_state,practice_zip,currently_licensed\n"
	// What has been said of the delegation register fixes no header: these are the spellings that are tried first.
	delegationHead = "Physician License Number,Physician Last Name,Physician First Name,Delegate License Type,Delegate License Number,Delegate Last Name,Delegate First Name,Begin Date,End Date\n"
)

// boardRows are a valid row of each board, by its source.
var boardRows = map[string]struct {
	head string
	set  map[string]string
}{
	"wa-doh": {waHead, map[string]string{"CredentialNumber": "PY.PY.60123456", "LastName": "OKAFOR", "FirstName": "MAYA", "MiddleName": "N", "CredentialType": "Psychologist License", "Status": "ACTIVE",
		"BirthYear": "1971", "CEDueDate": "20270831", "FirstIssueDate": "20150301", "LastIssueDate": "20260801", "ExpirationDate": "20270831", "ActionTaken": "No"}},
	"il-idfpr": {ilHead, map[string]string{"license_type": "CLIN PSYCHOLOGIST", "description": "CLINICAL PSYCHOLOGIST", "license_number": "071000545", "license_status": "ACTIVE", "business": "N",
		"first_name": "MAYA", "middle": "N", "last_name": "OKAFOR", "original_issue_date": "03/01/2015", "effective_date": "09/30/2024", "expiration_date": "09/30/2028", "city": "CHICAGO", "state": "IL",
		"zip": "60617", "county": "COOK", "specialty_qualifier": "None", "controlled_substance_schedule": "None", "delegated_controlled_substance_schedule": "None", "ever_disciplined": "N",
		"lastmodifieddate": "09/30/2024", "case_number": "None", "action": "None", "discipline_start_date": "None", "discipline_end_date": "None", "discipline_reason": "None"}},
	"ct-elicense": {ctHead, map[string]string{"CredentialId": "991", "Name": "MAYA N OKAFOR", "Type": "INDIVIDUAL", "FullCredentialCode": "46.003210", "CredentialType": "46", "CredentialNumber": "3210",
		"Credential": "Licensed Clinical Social Worker", "Status": "ACTIVE", "StatusReason": "CURRENT", "Active": "1", "IssueDate": "03/01/2015", "EffectiveDate": "09/01/2025", "ExpirationDate": "08/31/2027",
		"Address": "1 HOME LANE", "City": "HARTFORD", "State": "CT", "Zip": "06103", "RecordRefreshedOn": "11/09/2026"}},
	"ca-dca": {caHead, map[string]string{"Agency Code": "1800", "Agency Name": "Board of Behavioral Sciences", "LicTypeCode": "2001", "License Type": "Licensed Marriage and Family Therapist", "License Number": "46111",
		"Indiv/Org": "I", "Org/Last Name": "OKAFOR", "First Name": "MAYA", "Middle Name": "N", "Address Line 1": "1 HOME LANE", "City": "OAKLAND", "County": "ALAMEDA", "State": "CA", "Zip": "94607", "Country": "UNITED STATES",
		"Original Issue Date": "03-01-2015", "Expiration Date": "08-31-2027", "License Status": "Current"}},
	"fl-mqa": {flHead, map[string]string{"pro_cde": "1501", "Profession-Name": "Medical Doctor", "lic_id": "77", "Expire-Date": "01/31/2028", "Original-Date": "03/01/2015", "Rank-Code": "ME", "License-Number": "12345",
		"Status-Effective-Date": "01/30/2026", "Board-Action-Indicator": "N", "License-Status-Description": "CLEAR", "Last-Name": "OKAFOR", "First-Name": "MAYA", "Middle-Name": "N",
		"License-Active-Status-Description": "Active", "Mailing-Address-Line1": "1 HOME LANE", "Mailing-Address-City": "TAMPA", "Practice-Location-Address-City": "MIAMI", "Practice-Location-Address-ZIPcode": "33101",
		"Email": "maya@example.org", "Birth-Year-Range": "1970-1974"}},
	"ny-opmc": {nyHead, map[string]string{"Last Name": "Okafor", "First Name": "Maya", "Middle Name": "N", "Address": "1 Home Lane", "License Number": "123456", "License Type": "MD", "Year of Birth": "1971",
		"Effective Date": "03/01/2019", "Action": "Censure and reprimand.", "Misconduct Description": "Words about patients.", "Date Updated": "03/02/2019"}},
	"tx-tmb": {tmbHead, map[string]string{"license_type": "Physician License", "first_name": "MAYA N", "last_name": "OKAFOR", "license_number": "T1234", "registration_status": "ACTIVE",
		"license_expiration_date": "2027-10-31T00:00:00.000", "disciplinary_status": "NONE", "practice_city": "AUSTIN", "practice_zip": "78701", "currently_licensed": "Y"}},
	"tx-tmb-delegation": {delegationHead, map[string]string{"Physician License Number": "T1234", "Physician Last Name": "OKAFOR", "Physician First Name": "MAYA", "Delegate License Type": "PA",
		"Delegate License Number": "PA05555", "Delegate Last Name": "BELL", "Delegate First Name": "TAMSIN J", "Begin Date": "03/01/2024"}},
}

// boardRow is a valid row of a board; each pair of more sets a column.
func boardRow(source string, more ...string) string {
	b := boardRows[source]
	return boardRowIn(source, b.head, more...)
}

// boardRowIn is the row under another of the board's headers. Florida ends its rows, and not its header,
// with a separator.
func boardRowIn(source, head string, more ...string) string {
	set := maps.Clone(boardRows[source].set)
	for i := 0; i < len(more); i += 2 {
		set[more[i]] = more[i+1]
	}
	comma := map[string]string{"ca-dca": "\t", "fl-mqa": "|"}[source]
	if comma == "" {
		return csvRow(head, set, nil)
	}
	var values []string
	for _, h := range strings.Split(strings.TrimRight(head, "\r\n"), comma) {
		values = append(values, set[h])
	}
	if source == "fl-mqa" {
		values = append(values, "")
	}
	return strings.Join(values, comma) + "\n"
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

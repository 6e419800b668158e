package data_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
)

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

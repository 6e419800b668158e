package data_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
)

// ---------------------------------------------------------------------------------------------------
// Whom the further exclusion lists name

// planted is somebody with a page who stands in an exclusion list.
type planted struct {
	list, slug string
	by         string // npi; licence: name and licence number; name: nothing but the name
	decided    int    // how many of the two staff confirmed it
	reinstated string
	what       string
}

// planteds are chosen by hand among the people who stand for nothing else.
var planteds = []planted{
	{list: "sam", slug: "garrick-thole", by: "npi", what: "SAM repeats the LEIE exclusion, as it does (agency HHS, CT code Z1); nobody has decided about the repetition"},
	{list: "sam", slug: "frances-ingersoll", by: "npi", decided: 2, what: "excluded: SAM names the NPI, LEIE does not; confirmed by both staff"},
	{list: "sam", slug: "esteban-escamilla", by: "npi", what: "SAM names the NPI; nobody has decided"},
	{list: "sam", slug: "adaeze-danquah", by: "name", what: "SAM name-only near miss: same first and last name, another state; nobody has decided"},
	{list: "tx-oig", slug: "frances-vickery", by: "npi", decided: 2, what: "excluded: the Texas list names the NPI, the federal lists do not; confirmed by both staff"},
	{list: "tx-oig", slug: "olga-chernow", by: "npi", what: "the Texas list names the NPI; nobody has decided"},
	{list: "tx-oig", slug: "winona-yazzie", by: "npi", decided: 1, reinstated: "2022-06-14", what: "the Texas list names the NPI and says that the exclusion has ended (2022-06-14); confirmed by one staff member, as good news may be"},
	{list: "tx-oig", slug: "saul-goldfarb", by: "licence", what: "the Texas list has the name and the licence number, but no licence type and no NPI: a candidate for staff"},
	{list: "tx-oig", slug: "raisa-kaminsky", by: "name", what: "Texas list name-only near miss: a nurse of the same name with another licence number; nobody has decided"},
}

// samFirm is a clinic whose name, without an NPI, stands in SAM for somebody else's firm.
const samFirm = "Yarrow Ketamine Care"

func (w *world) plantedIn(list string) []planted {
	return slices.DeleteFunc(slices.Clone(planteds), func(p planted) bool { return p.list != list })
}

// ---------------------------------------------------------------------------------------------------
// SAM.gov

// samColumns is the header of the public extract, version 2.
var samColumns = strings.Split("Classification|Name|Prefix|First|Middle|Last|Suffix|Address 1|Address 2|Address 3|Address 4|City|State / Province|Country|Zip Code|Open Data Flag|Blank (Deprecated)|"+
	"Unique Entity ID|Exclusion Program|Excluding Agency|CT Code|Exclusion Type|Additional Comments|Active Date|Termination Date|Record Status|Cross-Reference|SAM Number|CAGE|NPI|Creation_Date", "|")

type samRow map[string]string

func (w *world) sam() []byte {
	r := stream("sam")
	var rows []samRow
	add := func(row samRow) samRow {
		row["SAM Number"] = fmt.Sprintf("DEMO%05d", len(rows)+1)
		row["Address 1"], row["City"] = fmt.Sprintf("%d %s", 100+r.IntN(8900), upper(pick(r, streets))), upper(pick(r, words("Brookhollow Farnsworth Elmira Castlebar Windmere Oakridge Fairmount")))
		row["Zip Code"], row["Country"], row["Open Data Flag"] = fmt.Sprintf("%05d", 10000+r.IntN(89999)), "USA", "Y"
		if chance(r, 40) {
			row["Zip Code"] += fmt.Sprintf("%04d", 1000+r.IntN(8999))
		}
		if row["State / Province"] == "" {
			row["State / Province"] = pick(r, words("CO TX CA WA NY MA OR FL IL OH MN NM AZ NC MI DC NV GA PA NJ VA KY TN LA"))
		}
		if row["Excluding Agency"] == "" {
			w.samGround(r, row)
		}
		if row["Termination Date"] == "" {
			row["Termination Date"] = "Indefinite"
			if row["Excluding Agency"] != "HHS" && chance(r, 45) {
				row["Termination Date"] = fmt.Sprintf("%02d/%02d/20%02d", 1+r.IntN(12), 1+r.IntN(28), 27+r.IntN(6))
			}
		}
		began := day(r, 2006+r.IntN(20))
		if row["Creation_Date"] == "" {
			row["Creation_Date"] = began
		}
		if row["Active Date"] == "" && chance(r, 60) { // most old rows have none
			row["Active Date"] = usDate(row["Creation_Date"])
		}
		rows = append(rows, row)
		return row
	}
	person := func(n personName) samRow {
		return samRow{"Classification": "Individual", "First": upper(n.given), "Middle": upper(n.middle), "Last": upper(n.family), "Suffix": strings.ToUpper(n.suffix)}
	}
	for i := range 150 {
		n, _ := stranger(r)
		if i%29 == 7 {
			n.suffix = pick(r, []string{"Jr", "Sr", "III"})
		}
		row := person(n)
		if chance(r, 8) {
			row["NPI"] = w.newNPI()
		}
		if i%23 == 11 {
			row["Prefix"] = "DR"
		}
		if i%37 == 20 {
			row["Cross-Reference"] = "(also " + upper(pick(r, registerFamilies)) + ")"
		}
		add(row)
	}
	for i := range 34 {
		row := samRow{"Classification": "Firm", "Name": upper(pick(r, registerFamilies)) + pick(r, []string{" HOME HEALTH SERVICES, INCORPORATED", " PHARMACY LLC", " COUNSELING CENTER, LLC", " BILLING INC"}),
			"Unique Entity ID": fmt.Sprintf("DEMO%08d", i+1), "CAGE": fmt.Sprintf("DM%03d", i+1)}
		if i%5 == 0 {
			row["NPI"] = w.newNPI()
		}
		add(row)
	}
	for i := range 12 {
		row := add(samRow{"Classification": "Special Entity Designation", "Name": upper(pick(r, registerFamilies)) + " TRADING BUREAU", "Exclusion Program": "Reciprocal", "Excluding Agency": "TREAS-OFAC",
			"CT Code": "03-SDN-01", "Exclusion Type": "Prohibition/Restriction"})
		if i%3 == 0 { // a province abroad whose code is a state's
			row["Country"], row["State / Province"], row["Zip Code"] = "MDA", "MD", ""
		}
	}
	for range 4 {
		add(samRow{"Classification": "Vessel", "Name": "MV " + upper(pick(r, registerFamilies))})
	}
	again := samRow{} // one exclusion with a second address: two lines that differ in nothing that is held
	for k, v := range rows[3] {
		again[k] = v
	}
	again["Address 1"] = "1 " + upper(streets[0])
	rows = append(rows, again)

	hhs := func(row samRow, ct string) samRow {
		row["Exclusion Program"], row["Excluding Agency"], row["CT Code"], row["Exclusion Type"] = "Reciprocal", "HHS", ct, "Prohibition/Restriction"
		return row
	}
	for _, x := range w.plantedIn("sam") {
		p := w.slugs[x.slug]
		row := person(p.personName)
		switch {
		case x.slug == "garrick-thole":
			row = hhs(row, "Z1")
			row["State / Province"], row["Active Date"], row["Creation_Date"] = "AZ", "06/19/2026", "2026-06-22"
		case x.by == "npi":
			row["Exclusion Program"], row["Excluding Agency"], row["CT Code"], row["Exclusion Type"] = "NonProcurement", "OPM", "R", "Ineligible (Proceedings Completed)"
			row["State / Province"], row["Active Date"], row["Creation_Date"], row["Termination Date"] = p.offices[0].state, "02/03/2026", "2026-02-05", "02/02/2029"
		default:
			row = hhs(row, "Z2")
			row["State / Province"], row["Middle"] = "KY", ""
		}
		if x.by == "npi" {
			row["NPI"] = p.npi
		}
		add(row)
	}
	add(samRow{"Classification": "Firm", "Name": upper(samFirm) + " INC", "State / Province": "KY", "Unique Entity ID": "DEMO00000900"})

	sort.SliceStable(rows, func(i, j int) bool {
		return rows[i]["Classification"]+rows[i]["Name"]+rows[i]["Last"]+rows[i]["First"] < rows[j]["Classification"]+rows[j]["Name"]+rows[j]["Last"]+rows[j]["First"]
	})
	var b bytes.Buffer
	line := func(get func(string) string) {
		for i, c := range samColumns {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + get(c) + `"`) // the publisher does not double a quotation mark within a value
		}
		b.WriteString("\r\n")
	}
	line(func(c string) string { return c })
	for i, row := range rows {
		switch i {
		case 40:
			row["Additional Comments"] = `"The person named has been debarred for three years`
		case 170:
			row["Additional Comments"] = `"""` + row["Last"] + `, ` + row["First"] + `"" does business under another name`
		default:
			if i%6 == 0 {
				row["Additional Comments"] = "PII data has been masked from view"
			}
		}
		line(func(c string) string { return row[c] })
	}
	return b.Bytes()
}

// samGround gives a row an agency and a ground as they go together.
func (w *world) samGround(r *rand.Rand, row samRow) {
	g := strings.Split(pick(r, []string{"Reciprocal|HHS|Z1|Prohibition/Restriction", "Reciprocal|HHS|Z1|Prohibition/Restriction", "Reciprocal|HHS|Z2|Prohibition/Restriction",
		"Reciprocal|HHS|Z|Prohibition/Restriction", "Reciprocal|OPM|R|Prohibition/Restriction", "Reciprocal|DLA||Ineligible (Proceedings Completed)",
		"NonProcurement|VA||Ineligible (Proceedings Pending)", "Reciprocal|DOT-FHWA||Voluntary Exclusion"}), "|")
	row["Exclusion Program"], row["Excluding Agency"], row["CT Code"], row["Exclusion Type"] = g[0], g[1], g[2], g[3]
}

// ---------------------------------------------------------------------------------------------------
// Texas

// oigColumns is the workbook's header; the file is the workbook saved as CSV, dates as M/D/YYYY.
var oigColumns = words("CompanyName LastName FirstName MidInitial Occupation LicenseNumber NPI StartDate AddDate ReinstatedDate EligibleToReapplyDate Waiver WebComments")

func (w *world) texasExclusions() []byte {
	r := stream("texas exclusions")
	date := func(iso string) string { // as a spreadsheet program writes it: no zeros in front
		if iso == "" {
			return ""
		}
		var y, m, d int
		fmt.Sscanf(iso, "%d-%d-%d", &y, &m, &d)
		return fmt.Sprintf("%d/%d/%d", m, d, y)
	}
	var rows [][]string
	add := func(company string, n personName, occupation, licence, npi, start, reinstated, why string) {
		added, eligible, initial := start, "", ""
		if start != "" {
			var year, month, d int
			fmt.Sscanf(start, "%d-%d-%d", &year, &month, &d)
			added = start[:8] + two(d+r.IntN(max(1, 29-d)))
			if chance(r, 30) {
				eligible = fmt.Sprintf("%d%s", year+3+r.IntN(8), start[4:])
			}
		}
		if n.middle != "" {
			initial = n.middle[:1]
		}
		rows = append(rows, []string{company, plain(n.family), plain(n.given), initial, occupation, licence, npi, date(start), date(added), date(reinstated), date(eligible), "", why})
	}
	why := func() string {
		return pick(r, []string{"Federal mandated exclusion", "Federal mandated exclusion", "License revoked", "License surrendered", "Board action", "Conviction", "Default on health education loan"})
	}
	jobs := words("Counselor Nurse Nurse Aide Physician Dentist Therapist Pharmacist Attendant Psychologist")
	for i := range 150 {
		n, _ := stranger(r)
		start, licence, npi, back := day(r, 1994+r.IntN(32)), "", "", ""
		if chance(r, 55) {
			licence = fmt.Sprintf("%d", 600000+r.IntN(300000)) // longer than any licence on a page
		}
		if chance(r, 5) {
			npi = w.newNPI()
		}
		if i%9 == 4 { // history: about one in nine has come back
			back = fmt.Sprintf("%04d-%02d-%02d", 2020+r.IntN(6), 1+r.IntN(12), 1+r.IntN(28))
			if back < start {
				start = day(r, 2001)
			}
		}
		switch {
		case i%31 == 12:
			add(pick(r, registerFamilies)+pick(r, []string{" Home Health, Inc.", " Medical Supply LLC", " Transport Services"}), personName{}, "Home Health Agency", "N/A", npi, start, back, why())
		case i == 61: // somebody excluded, taken back and excluded again
			add("", n, "Nurse", "812345", "", "2003-05-06", "2009-01-12", "License revoked")
			add("", n, "Nurse", "812345", "", "2016-08-30", "", "Federal mandated exclusion")
		case i == 77:
			add("", n, pick(r, jobs), licence, npi, "", "", why())
		default:
			add("", n, pick(r, jobs), licence, npi, start, back, why())
		}
	}
	for _, x := range w.plantedIn("tx-oig") {
		p := w.slugs[x.slug]
		npi, licence, job, start := "", "", "Psychologist", "2025-11-20"
		switch x.by {
		case "npi":
			npi = p.npi
		case "licence":
			licence, job = p.licences[0].onRoster(), "Social Worker"
		default:
			licence, job = "745199", "Nurse"
		}
		if x.reinstated != "" {
			start = "2016-03-21"
		}
		add("", p.personName, job, licence, npi, start, x.reinstated, "Board action")
	}
	// Two rows that the list's readers cannot use as they stand.
	n, _ := stranger(r)
	add("", n, "Dentist", "", "12345", "2019-02-11", "", "Board action")
	n, _ = stranger(r)
	add("", n, "Nurse", "", "", "2012-07-02", "", "Board action")
	rows[len(rows)-1][9] = "pending"
	sort.SliceStable(rows, func(i, j int) bool { return strings.Join(rows[i][:4], " ") < strings.Join(rows[j][:4], " ") })
	return csvFile(oigColumns, rows)
}

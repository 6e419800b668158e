package crawler

import (
	"slices"
	"strings"

	"kapdir/directory"
)

// columns addresses a row's fields by the names of its header.
type columns struct {
	names []string
	at    map[string]int
}

func newColumns(names []string, form func(string) string) columns {
	c := columns{names: names, at: make(map[string]int, len(names))}
	for i, n := range names {
		k := form(n)
		if _, twice := c.at[k]; !twice {
			c.at[k] = i
		}
	}
	return c
}

// index returns the place of the first of several spellings that the header has, -1 for none.
func (c columns) index(spellings ...string) int {
	for _, s := range spellings {
		if i, ok := c.at[s]; ok {
			return i
		}
	}
	return -1
}

// trimmedName is how NPPES and LEIE headers are compared: as they are, but for blanks around them.
func trimmedName(s string) string { return strings.TrimSpace(s) }

// looseName is how the boards' headers are compared, whose spelling drifts between a site's export
// and its service: "  License Status Description" and licensestatusdescription are the same column.
func looseName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 32
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

// knownHeaders are columns by which a file that was given to the wrong source is recognised.
var knownHeaders = []struct {
	what    string
	columns []string
}{
	{"the main NPPES file (source nppes)", []string{"npi", "entitytypecode", "providerlastnamelegalname", "healthcareprovidertaxonomycode1", "providerenumerationdate"}},
	{"the NPPES file of other names, which goes with the main file npidata_pfile_… (source nppes)", []string{"npi", "providerotherorganizationname", "providerotherorganizationnametypecode"}},
	{"the NPPES file of practice locations, which goes with the main file npidata_pfile_… (source nppes)", []string{"npi", "providersecondarypracticelocationaddressaddressline1"}},
	{"the NPPES file of endpoints, which goes with the main file npidata_pfile_… (source nppes)", []string{"npi", "endpointtype", "endpoint", "affiliation"}},
	{"the NPPES report of deactivated numbers, which is read as the workbook that is published (source nppes)", []string{"npi", "nppesdeactivationdate"}},
	{"the exclusion list LEIE (source leie)", []string{"lastname", "firstname", "busname", "excltype", "excldate", "wvrstate"}},
	{"the exclusions of SAM.gov (source sam)", []string{"classification", "exclusionprogram", "excludingagency", "cage", "samnumber"}},
	{"the suspended and ineligible list of California (source ca-medi-cal)", []string{"lastname", "providernumber", "dateofsuspension", "activeperiod"}},
	{"the adverse actions list of Louisiana (source la-ldh)", []string{"lastnameorentityname", "typeofexclusion", "reinstate"}},
	{"the exclusion list of New York (source ny-omig)", []string{"providername", "npinum", "licensenum", "exclusioneffectivedate"}},
	{"the precluded providers list of Pennsylvania (source pa-dhs)", []string{"namlastprovr", "nambusnsmp", "idnnpi"}},
	{"the exclusions list of Texas (source tx-oig)", []string{"lastname", "midinitial", "companyname", "licensenumber", "reinstateddate"}},
	{"the Colorado register (source co-dora)", []string{"lastname", "licensetype", "licensenumber", "licensestatusdescription", "programaction", "linktoverifylicense"}},
	{"a Texas list (source tx-bhec)", []string{"lictype", "rank", "licnbr", "lastnme", "licstatus", "discplactn"}},
	{"the Washington register (source wa-doh)", []string{"credentialnumber", "lastname", "credentialtype", "actiontaken", "birthyear"}},
	{"the Illinois register (source il-idfpr)", []string{"licensetype", "licensenumber", "everdisciplined", "businessdba", "lastmodifieddate"}},
	{"the Connecticut register (source ct-elicense)", []string{"credentialid", "fullcredentialcode", "credentialnumber", "statusreason"}},
	{"a California list (source ca-dca)", []string{"agencyname", "licensetype", "licensenumber", "indivorg", "licensestatus"}},
	{"the register of the Texas Medical Board (source tx-tmb)", []string{"licensetype", "licensenumber", "registrationstatus", "disciplinarystatus"}},
	{"the Florida register (source fl-mqa)", []string{"procde", "licid", "rankcode", "licensenumber", "boardactionindicator", "licensestatusdescription"}},
	{"Florida's list of administrative complaints, which is not read: a complaint is an allegation and no action of a board", []string{"respondentname", "licensenumber", "casenumber", "caseactivitytype", "caseactivitydate"}},
	{"the board actions of New York (source ny-opmc)", []string{"lastname", "licensenumber", "yearofbirth", "misconductdescription", "dateupdated"}},
}

// looksLike names the known file whose columns these are, "" for none.
func looksLike(names []string) string {
	have := map[string]bool{}
	for _, n := range names {
		have[looseName(n)] = true
	}
	best, found := "", 0
	for _, k := range knownHeaders {
		n := 0
		for _, c := range k.columns {
			if have[c] {
				n++
			}
		}
		if n == len(k.columns) && n > found {
			best, found = k.what, n
		}
	}
	return best
}

// missingColumn is the error of a header that is not the source's own.
func missingColumn(file, source, column string, names []string, own ...string) error {
	hint := "the header is not that of " + source
	if k := looksLike(names); k != "" && !strings.Contains(k, "(source "+source+")") {
		hint = "this looks like " + k
	} else if near := nearest(column, names, own); near != "" {
		hint = "it has " + quoted(near) + " instead; a renamed column may mean something else now, so the file is refused until a person has looked"
	}
	return invalid(file, 1, column, "the column is missing: %s", hint)
}

// nearest finds the column that a renamed one most likely is, by the letters that they share at the
// beginning and the end. The source's own other columns are not asked.
func nearest(column string, names, own []string) string {
	want := looseName(column)
	best, length := "", 3
	for _, n := range names {
		have := looseName(n)
		short := min(len(have), len(want))
		k, e := 0, 0
		for k < short && have[k] == want[k] {
			k++
		}
		for e < short-k && have[len(have)-1-e] == want[len(want)-1-e] {
			e++
		}
		if have != want && k+e > length && !slices.Contains(own, n) {
			best, length = n, k+e
		}
	}
	return best
}

// quoted is a stranger's text in an error, without what must not be held.
func quoted(s string) string { return `"` + shorten(scrubReason(cleanText(s)), 80) + `"` }

// sameHeader holds a header to the exact columns in their order. The first column that differs is named.
func sameHeader(file, source string, got, want []string) error {
	for i, w := range want {
		if i < len(got) && got[i] == w {
			continue
		}
		if !slices.Contains(got, w) {
			return missingColumn(file, source, w, got, want...)
		}
		return invalid(file, 1, w, "the column stands in another place than in the published layout: the file was edited, or the layout has changed and a person must look")
	}
	if len(got) > len(want) {
		return invalid(file, 1, got[len(want)], "the column is new: the layout has changed, and a person must look before the file is read")
	}
	return nil
}

// openRows opens a plain file and reads its header.
func openRows(f file, comma rune) (*rows, []string, func() error, error) {
	r, err := f.open()
	if err != nil {
		return nil, nil, nil, unreadable(f.name, err)
	}
	rs := newRows(f.name, r, comma)
	for range f.lead {
		if _, _, err := rs.next(); err != nil {
			break // the header is then missing
		}
	}
	names, err := rs.header()
	if err != nil {
		r.Close()
		return nil, nil, nil, err
	}
	return rs, names, r.Close, nil
}

// cutOff is the failure of a file that ends in the middle of a row.
func cutOff(file string, bad *badRow) error {
	return invalid(file, bad.line, "", "the file ends in the middle of this row: it was cut off while it was downloaded or copied, fetch it again")
}

// stateOf reads a state, "" for a province, an army post or anything else that is none.
func stateOf(s string) directory.State {
	if s == "" {
		return ""
	}
	st, err := directory.ParseState(s)
	if err != nil {
		return ""
	}
	return st
}

// zipOf writes a ZIP as 80302 or 80302-1234, "" for what is none.
func zipOf(s string) string {
	d := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
	switch {
	case strings.Trim(s, "0123456789- ") != "":
		return ""
	case len(d) == 5:
		return d
	case len(d) == 9:
		return d[:5] + "-" + d[5:]
	}
	return ""
}

// phoneOf writes a telephone number as directory.FormatPhone does, and "" for what is none. Registers
// write ten digits, which need no parsing.
func phoneOf(s string) string {
	if len(s) == 10 && strings.Trim(s, "0123456789") == "" && s[0] >= '2' && s[3] >= '2' {
		return "(" + s[:3] + ") " + s[3:6] + "-" + s[6:]
	}
	p, err := directory.FormatPhone(s)
	if err != nil {
		return ""
	}
	return p
}

// siteOf places an address by the centre of its ZIP.
func siteOf(a directory.Address, phone string, o directory.Origin) directory.Site {
	s := directory.Site{Address: a, Phone: phone, Origin: o}
	if p, ok := directory.Tables().PlaceOfZIP(a.ZIP5()); ok {
		point := p.Point
		s.Point = &point
	}
	return s
}

package crawler

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// Source is one publisher's kind of input.
type Source struct {
	ID   string
	Help string // which file, and where it is published
	// Replaces says that a release is the whole list, so that what is not in it is gone. Answers of a
	// look-up service are not: each holds only what was asked for.
	Replaces bool
	Listing  bool // pages of a listing site, which may also be read over the network
	open     func(context.Context, *material, Options) (*work, error)
}

// Sources returns every source that can be imported, sorted by id.
func Sources() []Source { return slices.Clone(sources()) }

// Find returns the source of an id. ok is false for an id that cannot be imported.
func Find(id string) (Source, bool) {
	for _, s := range sources() {
		if s.ID == id {
			return s, true
		}
	}
	return Source{}, false
}

func sources() []Source {
	return []Source{
		{ID: "co-dora", Replaces: true, open: openRoster,
			Help: "The CSV export of \"Professional and Occupational Licenses in Colorado\": data.colorado.gov, data set 7s5z-vewr, Export, CSV."},
		{ID: "kap-commons", Replaces: true, Listing: true, open: openListing,
			Help: "Pages of KAP Commons (invented): a directory of saved .html files, one file, or the address of its first list page."},
		{ID: "leie", Replaces: true, open: openLEIE,
			Help: "UPDATED.csv, the whole List of Excluded Individuals/Entities: oig.hhs.gov/exclusions, LEIE downloadable databases. Not the monthly supplements."},
		{ID: "npi-api", open: openNPIAPI,
			Help: "The NPI Registry, npiregistry.cms.hhs.gov/api, version 2.1: what to ask it ('last_name=okafor&state=CO', or an address of the service), a file of NPIs to ask for, one a line, or answers saved as JSON, one file or a directory of them."},
		{ID: "nppes", Replaces: true, open: openNPPES,
			Help: "The monthly or weekly NPPES zip NPPES_Data_Dissemination_….zip as downloaded, or the .csv files out of it, the main one npidata_pfile_… first; or the report of deactivated numbers, .xlsx or its zip: download.cms.gov/nppes."},
		{ID: "open-clinics", Replaces: true, Listing: true, open: openListing,
			Help: "Pages of Open Clinics (invented): a directory of saved .html files, one file, or the address of its first list page."},
		{ID: "sam", Replaces: true, open: openSAM,
			Help: "SAM_Exclusions_Public_Extract_V2_YYDDD.ZIP, the daily public extract of exclusions, or the CSV file in it: sam.gov, Data Services, Exclusions, Public."},
		{ID: "tx-bhec", Replaces: true, open: openRoster,
			Help: "A directory with the four lists LPC.csv, MFT.csv, PSY.csv and SW.csv of the Texas Behavioral Health Executive Council: bhec.texas.gov, Verify a License."},
		{ID: "tx-oig", Replaces: true, open: openStateList,
			Help: "The exclusions list of the Texas HHS Office of Inspector General, the whole workbook (not a search result) saved as a CSV file: oig.hhs.texas.gov, Exclusions."},
	}
}

func sourceIDs() []string {
	var ids []string
	for _, s := range sources() {
		ids = append(ids, s.ID)
	}
	return ids
}

func itoa(n int) string { return strconv.Itoa(n) }

// shorten cuts a stranger's text for an error or a reject, between characters.
func shorten(s string, n int) string {
	r := []rune(strings.ToValidUTF8(s, "\ufffd"))
	if len(r) > n {
		return string(r[:n]) + "…"
	}
	return string(r)
}

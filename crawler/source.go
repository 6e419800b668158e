package crawler

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kapdir/data"
	"kapdir/directory"
)

// Source is one publisher's kind of input.
type Source struct {
	ID   string
	Help string // which file, and where it is published
	// Replaces says that a release is the whole list, so that what is not in it is gone. Answers of a
	// look-up service are not: each holds only what was asked for.
	Replaces bool
	Listing  bool // pages of a listing site, which may also be read over the network
	// Unconfirmed says why nobody can be sure of the format: no header of the publisher's own was seen. Such
	// a source is read only with Options.AcceptUnconfirmed. "" where one was.
	Unconfirmed string
	recipe      *recipe
	open        func(context.Context, *material, Options) (*work, error)
}

// Sources returns every source that can be imported, sorted by id: the registers, the lists, and a listing
// site for each recipe in data/recipes. A recipe that cannot be read is left out, which a test finds.
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

// Info is the source's row of data/sources.csv, or what an operator's recipe says in its place.
func (s Source) Info() directory.SourceInfo {
	if s.recipe != nil {
		return s.recipe.info
	}
	info, _ := directory.Tables().Source(s.ID)
	return info
}

// Start is the first page of a listing site, "" for other sources.
func (s Source) Start() string {
	if s.recipe == nil {
		return ""
	}
	return s.recipe.Start
}

// OwnSources reads an operator's directory of recipes, one .yaml a site: adding a site takes no Go. A
// directory that does not exist holds none. Recipes that cannot be read are left out and told in the error,
// each with its file, line and key; the others are returned beside it.
func OwnSources(dir string) ([]Source, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(filepath.Base(dir), err)
	}
	var out []Source
	var bad []error
	for _, e := range entries {
		if !e.Type().IsRegular() || filepath.Ext(e.Name()) != ".yaml" {
			continue
		}
		s, err := ReadRecipe(filepath.Join(dir, e.Name()))
		if _, ours := Find(s.ID); err == nil && ours {
			err = invalid(e.Name(), 0, "source", "%s is a source of the program itself: give yours another id", s.ID)
		}
		if err != nil {
			bad = append(bad, err)
			continue
		}
		out = append(out, s)
	}
	return out, errors.Join(bad...)
}

// ReadRecipe makes a source of one recipe file.
func ReadRecipe(file string) (Source, error) {
	f, err := os.Open(file)
	if err != nil {
		return Source{}, directory.Errorf(directory.NotFound, "recipe", "there is no recipe %s", filepath.Base(file))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxRecipe+1))
	if err != nil {
		return Source{}, unreadable(filepath.Base(file), err)
	}
	id := strings.TrimSuffix(filepath.Base(file), ".yaml")
	info, _ := directory.Tables().Source(id)
	if strings.HasPrefix(info.Note, "A recipe of the operator's own.") {
		info = directory.SourceInfo{}
	}
	r, err := parseRecipe(filepath.Base(file), id, info, b)
	if err != nil {
		return Source{}, err
	}
	return r.source(), nil
}

// source makes the recipe a source.
func (r *recipe) source() Source {
	return Source{ID: r.Source, Replaces: true, Listing: true, recipe: r, open: openListing,
		Help: "Pages of " + r.info.Name + ": a directory of saved .html files, one file" + map[bool]string{true: ", or the address of its first list page.", false: "; nothing is fetched."}[r.info.Terms == "allowed_automated"]}
}

var sources = sync.OnceValue(func() []Source {
	all := registers()
	names, _ := fs.Glob(data.FS, "recipes/*.yaml") // the pattern is right
	for _, name := range names {
		if r, err := loadRecipe(strings.TrimSuffix(path.Base(name), ".yaml")); err == nil && r.info.ID != "" {
			all = append(all, r.source())
		}
	}
	slices.SortFunc(all, func(a, b Source) int { return strings.Compare(a.ID, b.ID) })
	return all
})

// registers are the sources that are not listing sites.
func registers() []Source {
	return []Source{
		{ID: "ca-dca", Replaces: true, open: openRoster,
			Help: "A licensee list of one board of the California Department of Consumer Affairs, as downloaded: text with tabs, called .xls: dca.ca.gov, Licensee Lists. One board's file at a time."},
		{ID: "ca-medi-cal", Replaces: true, open: openStateList,
			Help: "The Suspended and Ineligible Provider List of Medi-Cal, the CSV file as downloaded, or the workbook: files.medi-cal.ca.gov, References, S&I List."},
		{ID: "co-dora", Replaces: true, open: openRoster,
			Help: "The CSV export of \"Professional and Occupational Licenses in Colorado\": data.colorado.gov, data set 7s5z-vewr, Export, CSV."},
		{ID: "ct-elicense", Replaces: true, open: openRoster,
			Help: "The CSV export of \"State Licenses and Credentials\": data.ct.gov, data set ngch-56tr, Export, CSV."},
		{ID: "fl-mqa", Replaces: true, open: openRoster,
			Help: "PROF_ALL.txt out of PROF_ALL.zip, or lic_status.dat, of the Florida Department of Health: MQA Search Services, Data Download. Not the complaints."},
		{ID: "il-idfpr", Replaces: true, open: openRoster,
			Help: "The CSV export of \"Professional Licensing\": data.illinois.gov, data set pzzh-kp68, Export, CSV."},
		{ID: "la-ldh", Replaces: true, open: openStateList,
			Help: "The Adverse Actions List of the Louisiana Department of Health, \"Download CSV\": adverseactions.ldh.la.gov."},
		{ID: "leie", Replaces: true, open: openLEIE,
			Help: "UPDATED.csv, the whole List of Excluded Individuals/Entities; or, between two of them, a month's exclusions (2610excl.csv) or reinstatements (2610rein.csv): oig.hhs.gov/exclusions, LEIE downloadable databases."},
		{ID: "npi-api", open: openNPIAPI,
			Help: "The NPI Registry, npiregistry.cms.hhs.gov/api, version 2.1: what to ask it ('last_name=okafor&state=CO', or an address of the service), a file of NPIs to ask for, one a line, or answers saved as JSON, one file or a directory of them."},
		{ID: "nppes", Replaces: true, open: openNPPES,
			Help: "The monthly or weekly NPPES zip NPPES_Data_Dissemination_….zip as downloaded, or the .csv files out of it, the main one npidata_pfile_… first; or the report of deactivated numbers, .xlsx or its zip: download.cms.gov/nppes."},
		{ID: "ny-omig", Replaces: true, open: openStateList,
			Help: "The exclusion list of the New York Office of the Medicaid Inspector General, the workbook or the text file as downloaded: omig.ny.gov, Medicaid exclusions."},
		{ID: "ny-opmc", Replaces: true, open: openRoster,
			Help: "The CSV export of \"Professional Medical Conduct Board Actions\": health.data.ny.gov, data set ebmi-8ctw, Export, CSV. Actions alone, no licences."},
		{ID: "oh-odm", Replaces: true, open: openStateList,
			Help: "The exclusion and suspension list of Ohio Medicaid, the workbook as downloaded: medicaid.ohio.gov."},
		{ID: "pa-dhs", Replaces: true, open: openStateList,
			Help: "The Medicheck list of providers precluded from Pennsylvania's Medical Assistance, the whole list as text or CSV: pa.gov, Medicheck."},
		{ID: "sam", Replaces: true, open: openSAM,
			Help: "SAM_Exclusions_Public_Extract_V2_YYDDD.ZIP, the daily public extract of exclusions, or the CSV file in it: sam.gov, Data Services, Exclusions, Public."},
		{ID: "tx-bhec", Replaces: true, open: openRoster,
			Help: "A directory with the four lists LPC.csv, MFT.csv, PSY.csv and SW.csv of the Texas Behavioral Health Executive Council: bhec.texas.gov, Verify a License."},
		{ID: "tx-oig", Replaces: true, open: openStateList,
			Help: "The exclusions list of the Texas HHS Office of Inspector General, the whole workbook (not a search result) saved as a CSV file: oig.hhs.texas.gov, Exclusions."},
		{ID: "tx-tmb", Replaces: true, open: openRoster, Unconfirmed: "its header was not seen, only the names of its columns in the service data.texas.gov",
			Help: "The CSV export of \"All Licenses\" of the Texas Medical Board: data.texas.gov, data set tm3v-pfq9, Export, CSV."},
		{ID: "tx-tmb-delegation", Replaces: true, open: openDelegations, Unconfirmed: "neither its header nor a row was seen, only what it holds",
			Help: "The CSV export of \"Prescriptive Delegation\" of the Texas Medical Board: data.texas.gov, data set 3fg6-5a53, Export, CSV."},
		{ID: "wa-doh", Replaces: true, open: openRoster,
			Help: "The CSV export of \"Health Care Provider Credential Data\": data.wa.gov, data set qxh8-f4bd, Export, CSV."},
		{ID: "wa-hca", Replaces: true, open: openStateList,
			Help: "The provider termination and exclusion list of the Washington Health Care Authority, the workbook as downloaded: hca.wa.gov."},
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

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
	recipe   *recipe
	open     func(context.Context, *material, Options) (*work, error)
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
// directory that does not exist holds none. The first recipe that cannot be read is an error with its file,
// line and key.
func OwnSources(dir string) ([]Source, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(filepath.Base(dir), err)
	}
	var out []Source
	for _, e := range entries {
		if !e.Type().IsRegular() || filepath.Ext(e.Name()) != ".yaml" {
			continue
		}
		s, err := ReadRecipe(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if _, ours := Find(s.ID); ours {
			return nil, invalid(e.Name(), 0, "source", "%s is a source of the program itself: give yours another id", s.ID)
		}
		out = append(out, s)
	}
	return out, nil
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
		{ID: "co-dora", Replaces: true, open: openRoster,
			Help: "The CSV export of \"Professional and Occupational Licenses in Colorado\": data.colorado.gov, data set 7s5z-vewr, Export, CSV."},
		{ID: "leie", Replaces: true, open: openLEIE,
			Help: "UPDATED.csv, the whole List of Excluded Individuals/Entities: oig.hhs.gov/exclusions, LEIE downloadable databases. Not the monthly supplements."},
		{ID: "npi-api", open: openNPIAPI,
			Help: "Answers of the NPI Registry as JSON, version 2.1: one file, or a directory of them: npiregistry.cms.hhs.gov/api."},
		{ID: "nppes", Replaces: true, open: openNPPES,
			Help: "The monthly NPPES file: the zip NPPES_Data_Dissemination_….zip as downloaded, or npidata_pfile_….csv out of it: download.cms.gov/nppes."},
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

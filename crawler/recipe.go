package crawler

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/andybalholm/cascadia"
	"go.yaml.in/yaml/v3"

	"kapdir/data"
	"kapdir/directory"
)

// recipe says how a listing site's pages are read: data/recipes/<source>.yaml, or a file of the operator's
// own directory. data/recipes/README.md explains every key.
type recipe struct {
	Source string   `yaml:"source"`
	Site   *ownSite `yaml:"site"`   // of an operator's own recipe: what data/sources.csv says of the others
	Format string   `yaml:"format"` // markup, or one of graphFormats
	Start  string   `yaml:"start"`
	Follow struct {
		Profiles string `yaml:"profiles"`
		Next     string `yaml:"next"`
	} `yaml:"follow"`
	Listing    string               `yaml:"listing"`
	Key        *selector            `yaml:"key"` // markup: what tells the listings of one page apart, and stays
	Fields     map[string]*selector `yaml:"fields"`
	Properties map[string]string    `yaml:"properties"`
	Words      words                `yaml:"words"`

	own bool // of a partner's file, whose words are ours

	file string
	info directory.SourceInfo
}

// graphFormats are the formats that are read as a graph of schema.org: blocks of JSON-LD, microdata in the
// markup, or whichever of the two a page has.
var graphFormats = map[string]struct{ blocks, items bool }{"json-ld": {blocks: true}, "microdata": {items: true}, "schema.org": {true, true}}

// ownSite is what an operator says of a site of their own: a row of data/sources.csv. A site without a verdict
// on its terms is manual_only, and a verdict names the page of the terms, who read it and when.
type ownSite struct {
	Name         string `yaml:"name"`
	Publisher    string `yaml:"publisher"`
	Licence      string `yaml:"licence"`
	Attribution  string `yaml:"attribution"`
	MayRepublish bool   `yaml:"may_republish"`
	Terms        string `yaml:"terms"`
	TermsURL     string `yaml:"terms_url"`
	TermsRead    string `yaml:"terms_read"`
	ReadBy       string `yaml:"read_by"`
}

// selector finds a field's texts.
type selector struct {
	CSS   string               `yaml:"css"`
	Attr  string               `yaml:"attr"`
	Match string               `yaml:"match"`
	Split string               `yaml:"split"`
	Words string               `yaml:"words"`
	Parts map[string]*selector `yaml:"parts"`
	Value string               `yaml:"value"` // one text for every listing, in place of a node

	pattern *regexp.Regexp
}

// words are tables of a site's words, folded, by the name of the table.
type words map[string]map[string]string

func (w words) find(table, word string) (string, bool) {
	f, ok := w[table][foldWord(word)]
	return f, ok
}

// foldWord is the comparison form of a site's word. Signs that tell two words apart, as the + of LGBTQ+,
// do not occur.
func foldWord(s string) string { return directory.Fold(s) }

// structural are the fields that are not of the practice, with what each needs.
var structural = []string{"kind", "name", "credentials", "former", "npi", "licences", "training", "prescribers", "works_at", "sites", "website", "as_of"}

// partsOf are the parts that a composite field may have.
var partsOf = map[string][]string{
	"licences":    {"title", "number", "state"}, // optional: without parts the node's text is one licence
	"training":    {"programme", "level", "completed"},
	"prescribers": {"who", "address", "name", "line1", "line2", "city", "state", "zip", "phone"},
	"sites":       {"address", "name", "line1", "line2", "city", "state", "zip", "phone"},
}

// practiceFields are the fields of a practice that a recipe may name.
var practiceFields = []string{"preparation", "medicine", "integration", "route", "setting", "model", "presence", "monitoring", "vital_signs", "emergency_plan",
	"escort", "screening", "framework", "focus", "population", "format", "price", "superbill", "sliding_scale", "language", "access", "accepting",
	"accepting_as_of", "waitlist", "telehealth", "telehealth_in"}

// otherTables are the words' tables beside those of directory.Vocabulary, with the words of ours that
// each may give. nil: any.
var otherTables = map[string][]string{
	"kind":      {"person kap", "person prescriber", "organisation kap", "organisation clinic"},
	"answer":    {"yes", "no"},
	"accepting": {"yes", "no", "waitlist"},
	"level":     {"attended", "modules_complete", "certificate", "in_programme_register"},
	"service":   {"kap"},
	"role":      {"prescriber"},
	"language":  nil,
}

// loadRecipe reads the recipe of one of the program's own sites and holds it to what the program knows, so
// that a mistyped field or a word of ours that does not exist is found before a page is read.
func loadRecipe(source string) (*recipe, error) {
	name := "recipes/" + source + ".yaml"
	b, err := fs.ReadFile(data.FS, name)
	if err != nil {
		return nil, directory.Errorf(directory.NotFound, "source", "there is no recipe for %s: a person writes data/%s", source, name)
	}
	info, _ := directory.Tables().Source(source)
	return parseRecipe("data/"+name, source, info, b)
}

// parseRecipe reads a recipe. Its error names the file, the line where it is known, and the key. info is
// the site's row of data/sources.csv; without one the recipe must say what stands there.
func parseRecipe(name, source string, info directory.SourceInfo, b []byte) (*recipe, error) {
	lines := keyLines(b)
	bad := func(field, format string, args ...any) error {
		return invalid(name, lines.of(field), field, format, args...)
	}
	if len(b) > maxRecipe {
		return nil, bad("", "is larger than %d KiB", maxRecipe>>10)
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	r := &recipe{file: name, info: info}
	if err := dec.Decode(r); err != nil {
		return nil, yamlFault(name, err)
	}
	if err := dec.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return nil, bad("", "more stands behind the recipe: one document a file")
	}
	if r.Source != source {
		return nil, bad("source", "is %q, and the file's name says %q", r.Source, source)
	}
	if u, err := url.Parse(r.Start); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, bad("start", "%q is not a web address", shorten(r.Start, 200))
	}
	if err := r.describe(bad); err != nil {
		return nil, err
	}
	folded := words{}
	for table, ws := range r.Words {
		vocabulary, known := directory.Vocabulary[table]
		if other, ok := otherTables[table]; ok {
			vocabulary, known = other, true
		}
		if !known {
			return nil, bad("words."+table, "there is no such table")
		}
		folded[table] = map[string]string{}
		for theirs, ours := range ws {
			if vocabulary != nil && !slices.Contains(vocabulary, ours) {
				return nil, bad("words."+table, "%q is not one of ours: %s", ours, strings.Join(vocabulary, ", "))
			}
			f := foldWord(theirs)
			if f == "" {
				return nil, bad("words."+table, "%q has no letter", theirs)
			}
			if have, twice := folded[table][f]; twice && have != ours {
				return nil, bad("words."+table, "%q is written twice with two meanings", theirs)
			}
			folded[table][f] = ours
		}
	}
	r.Words = folded
	for _, css := range []struct{ field, css string }{{"listing", r.Listing}, {"follow.profiles", r.Follow.Profiles}, {"follow.next", r.Follow.Next}} {
		if css.css != "" {
			if _, err := cascadia.ParseGroup(css.css); err != nil {
				return nil, bad(css.field, "%q is not a CSS selector", css.css)
			}
		}
	}
	switch r.Format {
	case "markup":
		if r.Listing == "" || r.Fields["kind"] == nil || r.Fields["name"] == nil {
			return nil, bad("fields", "a recipe of markup needs listing, fields.kind and fields.name")
		}
	case "json-ld", "microdata", "schema.org":
		if len(r.Words["service"]) == 0 {
			return nil, bad("words.service", "a recipe of schema.org's words needs the names of the service that is KAP")
		}
	default:
		return nil, bad("format", "%q is not markup, json-ld, microdata or schema.org", r.Format)
	}
	names := make([]string, 0, len(r.Fields))
	for f := range r.Fields {
		names = append(names, f)
	}
	sort.Strings(names)
	for _, f := range names {
		if !slices.Contains(structural, f) && !slices.Contains(practiceFields, f) {
			return nil, bad("fields."+f, "there is no such field")
		}
		if err := r.Fields[f].check(f, r, bad); err != nil {
			return nil, err
		}
	}
	if r.Key != nil {
		if err := r.Key.check("key", r, bad); err != nil {
			return nil, err
		}
	}
	for theirs, ours := range r.Properties {
		if ours != "prescribers" && !slices.Contains(practiceFields, ours) {
			return nil, bad("properties."+theirs, "there is no field %q", ours)
		}
	}
	return r, nil
}

func (s *selector) check(field string, r *recipe, bad func(string, string, ...any) error) error {
	at := "fields." + field
	if field == "key" {
		at = "key"
	}
	top, _, part := strings.Cut(field, ".")
	if s == nil || s.CSS == "" && s.Value == "" && !part { // a part without css is the node itself
		return bad(at, "has no css")
	}
	if s.CSS != "" && s.Value != "" {
		return bad(at, "has css and value: either a node says it or the recipe does")
	}
	if s.CSS != "" {
		if _, err := cascadia.ParseGroup(s.CSS); err != nil {
			return bad(at, "%q is not a CSS selector", s.CSS)
		}
	}
	if s.Match != "" {
		p, err := regexp.Compile(s.Match)
		if err != nil {
			return bad(at, "%q is not a regular expression", s.Match)
		}
		s.pattern = p
	}
	if s.Words != "" && r.Words[s.Words] == nil {
		return bad(at, "there is no words table %q", s.Words)
	}
	for _, part := range slices.Sorted(maps.Keys(s.Parts)) {
		if !slices.Contains(partsOf[top], part) || field != top {
			return bad(at, "has no part %q", part)
		}
		if err := s.Parts[part].check(field+"."+part, r, bad); err != nil {
			return err
		}
	}
	if len(partsOf[top]) > 0 && field == top && len(s.Parts) == 0 && top != "licences" {
		return bad(at, "needs parts: %s", strings.Join(partsOf[top], ", "))
	}
	return nil
}

// maxRecipe bounds a recipe's file: the largest of ours has seven kilobytes.
const maxRecipe = 256 << 10

var sourceID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// describe fills the row of an operator's own site. One of the program's own sites has its row in
// data/sources.csv, and a recipe cannot change it.
func (r *recipe) describe(bad func(string, string, ...any) error) error {
	if r.info.ID != "" {
		if r.Site != nil {
			return bad("site", "%s has its row in data/sources.csv, which holds", r.Source)
		}
		return nil
	}
	s := r.Site
	switch {
	case !sourceID.MatchString(r.Source):
		return bad("source", "%q is no id: small letters, digits and hyphens, at most 40", shorten(r.Source, 60))
	case s == nil || strings.TrimSpace(s.Name) == "":
		return bad("site", "a recipe of your own says whose pages these are: site.name, publisher, licence, terms")
	case s.Terms == "":
		s.Terms = "manual_only" // nobody read the terms: a person saves the pages
	case s.Terms == "forbidden":
		return bad("site.terms", "a site that forbids collecting its pages has no recipe")
	case s.Terms != "manual_only" && s.Terms != "allowed_automated":
		return bad("site.terms", "%q is not allowed_automated, manual_only or forbidden", shorten(s.Terms, 60))
	}
	if s.Terms == "allowed_automated" {
		if u, err := url.Parse(s.TermsURL); err != nil || u.Host == "" {
			return bad("site.terms_url", "allowed_automated names the page of the terms that allow it")
		}
		if _, err := directory.ParseDate(s.TermsRead); err != nil {
			return bad("site.terms_read", "allowed_automated says when the terms were read: YYYY-MM-DD")
		}
		if strings.TrimSpace(s.ReadBy) == "" {
			return bad("site.read_by", "allowed_automated says who read the terms")
		}
	}
	note := "A recipe of the operator's own."
	if s.TermsURL != "" {
		note += " Terms " + s.TermsURL + " read " + s.TermsRead + " by " + s.ReadBy + "."
	}
	text := func(s string) string { return shorten(cleanText(s), 200) }
	r.info = directory.SourceInfo{ID: r.Source, Name: text(s.Name), Short: text(s.Name), Kind: "listing", Class: directory.ClassListing, Jurisdiction: "US", Publisher: text(s.Publisher),
		URL: r.Start, Completeness: "n/a", Licence: text(s.Licence), Attribution: text(s.Attribution), MayRepublish: strconv.FormatBool(s.MayRepublish), Terms: s.Terms, Note: text(note)}
	return nil
}

// keyLine holds the lines of a recipe's keys, by their names joined with dots.
type keyLine map[string]int

// keyLines finds the line of every key, as far as the file is YAML at all.
func keyLines(b []byte) keyLine {
	at := keyLine{}
	var doc yaml.Node
	if len(b) > maxRecipe || yaml.Unmarshal(b, &doc) != nil || len(doc.Content) == 0 {
		return at
	}
	var walk func(n *yaml.Node, path string, depth int)
	walk = func(n *yaml.Node, path string, depth int) {
		if n.Kind != yaml.MappingNode || depth > 8 {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			p := strings.TrimPrefix(path+"."+n.Content[i].Value, ".")
			if at[p] == 0 {
				at[p] = n.Content[i].Line
			}
			walk(n.Content[i+1], p, depth+1)
		}
	}
	walk(doc.Content[0], "", 0)
	return at
}

// of returns the line of a key or of the key above it; 0 if there is none. A part's key stands below "parts".
func (k keyLine) of(field string) int {
	if top, part, ok := strings.Cut(strings.TrimPrefix(field, "fields."), "."); ok && k["fields."+top+".parts."+part] > 0 {
		return k["fields."+top+".parts."+part]
	}
	for field != "" {
		if line := k[field]; line > 0 {
			return line
		}
		i := strings.LastIndexByte(field, '.')
		field = field[:max(i, 0)]
	}
	return 0
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)

// yamlFault makes one error of what the YAML reader says: the first line it names, in our form.
func yamlFault(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	var many *yaml.TypeError
	if errors.As(err, &many) && len(many.Errors) > 0 {
		text = many.Errors[0]
	}
	line := 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	field := ""
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		field, text = m[1], "there is no such key"
	}
	return invalid(name, line, field, "%s", shorten(text, 200))
}

var unknownKey = regexp.MustCompile(`^field (\S+) not found in type `)

package crawler

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/andybalholm/cascadia"
	"go.yaml.in/yaml/v3"

	"kapdir/data"
	"kapdir/directory"
)

// recipe says how a listing site's pages are read: data/recipes/<source>.yaml.
type recipe struct {
	Source string `yaml:"source"`
	Format string `yaml:"format"` // markup or json-ld
	Start  string `yaml:"start"`
	Follow struct {
		Profiles string `yaml:"profiles"`
		Next     string `yaml:"next"`
	} `yaml:"follow"`
	Listing    string               `yaml:"listing"`
	Fields     map[string]*selector `yaml:"fields"`
	Properties map[string]string    `yaml:"properties"`
	Words      words                `yaml:"words"`

	own bool // of a partner's file, whose words are ours
}

// selector finds a field's texts.
type selector struct {
	CSS   string               `yaml:"css"`
	Attr  string               `yaml:"attr"`
	Match string               `yaml:"match"`
	Split string               `yaml:"split"`
	Words string               `yaml:"words"`
	Parts map[string]*selector `yaml:"parts"`

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
	"training":    {"programme", "level", "completed"},
	"prescribers": {"who", "name", "line1", "line2", "city", "state", "zip", "phone"},
	"sites":       {"name", "line1", "line2", "city", "state", "zip", "phone"},
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

// loadRecipe reads a site's recipe and holds it to what the program knows, so that a mistyped field or
// a word of ours that does not exist is found before a page is read.
func loadRecipe(source string) (*recipe, error) {
	name := "recipes/" + source + ".yaml"
	b, err := fs.ReadFile(data.FS, name)
	if err != nil {
		return nil, directory.Errorf(directory.NotFound, "source", "there is no recipe for %s: a person writes data/%s", source, name)
	}
	return parseRecipe(name, source, b)
}

func parseRecipe(name, source string, b []byte) (*recipe, error) {
	bad := func(field, format string, args ...any) error { return invalid("data/"+name, 0, field, format, args...) }
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	r := &recipe{}
	if err := dec.Decode(r); err != nil {
		return nil, bad("", "%s", err.Error())
	}
	if err := dec.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return nil, bad("", "more stands behind the recipe: one document a file")
	}
	if r.Source != source {
		return nil, bad("source", "is %q, and the file's name says %q", r.Source, source)
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
	case "json-ld":
		if len(r.Words["service"]) == 0 {
			return nil, bad("words.service", "a recipe of JSON-LD needs the names of the service that is KAP")
		}
	default:
		return nil, bad("format", "%q is neither markup nor json-ld", r.Format)
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
	for theirs, ours := range r.Properties {
		if ours != "prescribers" && !slices.Contains(practiceFields, ours) {
			return nil, bad("properties."+theirs, "there is no field %q", ours)
		}
	}
	return r, nil
}

func (s *selector) check(field string, r *recipe, bad func(string, string, ...any) error) error {
	if s == nil || s.CSS == "" {
		return bad("fields."+field, "has no css")
	}
	if _, err := cascadia.ParseGroup(s.CSS); err != nil {
		return bad("fields."+field, "%q is not a CSS selector", s.CSS)
	}
	if s.Match != "" {
		p, err := regexp.Compile(s.Match)
		if err != nil {
			return bad("fields."+field, "%q is not a regular expression", s.Match)
		}
		s.pattern = p
	}
	if s.Words != "" && r.Words[s.Words] == nil {
		return bad("fields."+field, "there is no words table %q", s.Words)
	}
	top, _, _ := strings.Cut(field, ".")
	for part, p := range s.Parts {
		if !slices.Contains(partsOf[top], part) || field != top {
			return bad("fields."+field, "has no part %q", part)
		}
		if err := p.check(field+"."+part, r, bad); err != nil {
			return err
		}
	}
	if len(partsOf[top]) > 0 && field == top && len(s.Parts) == 0 {
		return bad("fields."+field, "needs parts: %s", strings.Join(partsOf[top], ", "))
	}
	return nil
}

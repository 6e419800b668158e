package data

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	doiForm = regexp.MustCompile(`^10\.\d{4,9}/[-._;()/:A-Za-z0-9]+$`)
	// outcome is what a row may not say in our own words: how it went.
	outcome = regexp.MustCompile(`(?i)\b(effective|efficacy|improve\w*|reduc\w*|better|benefit\w*|safe\w*|respon\w*|remission|helped|worked well|mg|eficaz|efectiv\w*|mejor\w*|redujo|segur\w*|benefici\w*)\b`)
)

// Each study has what a reader needs to find it and to judge it, in both languages, and says when and where it
// was read. Titles are their authors'.
func TestEvidence(t *testing.T) {
	const name = "evidence.csv"
	dois := map[string]bool{}
	for _, r := range readTable(t, name, "id,title,journal,year,kind,participants,studies,measured_en,measured_es,unknown_en,unknown_es,doi,read_on,url_read", "id") {
		filled(t, name, r, "id", "title", "year", "kind", "measured_en", "measured_es", "unknown_en", "unknown_es", "doi", "read_on", "url_read")
		oneOf(t, name, r, "kind", "randomized", "before_after", "records", "review", "theory")
		doi := r.col["doi"]
		if !doiForm.MatchString(doi) || dois[doi] {
			t.Errorf("%s:%d: %q is no DOI, or stands twice", name, r.line, doi)
		}
		dois[doi] = true
		year, err := strconv.Atoi(r.col["year"])
		if err != nil || year < 1970 || r.col["year"] > lastChecked[:4] || !strings.HasSuffix(r.col["id"], "-"+r.col["year"]) {
			t.Errorf("%s:%d: year %q of %s", name, r.line, r.col["year"], r.col["id"])
		}
		if _, err := time.Parse(time.DateOnly, r.col["read_on"]); err != nil || r.col["read_on"] > lastChecked || r.col["read_on"] < r.col["year"] {
			t.Errorf("%s:%d: read_on is %q, want a day up to %s", name, r.line, r.col["read_on"], lastChecked)
		}
		for _, raw := range strings.Split(r.col["url_read"], "|") {
			if u, err := url.Parse(raw); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				t.Errorf("%s:%d: %q is no address", name, r.line, raw)
			}
		}
		for _, c := range []string{"participants", "studies"} {
			if n, err := strconv.Atoi(r.col[c]); r.col[c] != "" && (err != nil || n < 1) {
				t.Errorf("%s:%d: %s is %q", name, r.line, c, r.col[c])
			}
		}
		if counted := r.col["participants"] != "" || r.col["studies"] != ""; counted == (r.col["kind"] == "theory") || (r.col["studies"] != "") != (r.col["kind"] == "review") {
			t.Errorf("%s:%d: a study has its size, a review its number of papers, and a theory neither", name, r.line)
		}
		for _, c := range []string{"measured_en", "measured_es", "unknown_en", "unknown_es"} {
			if w := outcome.FindString(r.col[c]); w != "" {
				t.Errorf("%s:%d: %s says %q: how it went is the paper's to say", name, r.line, c, w)
			}
		}
	}
	if len(dois) < 10 {
		t.Errorf("only %d studies", len(dois))
	}
}

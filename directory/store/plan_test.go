package store

import (
	"regexp"
	"strings"
	"sync"
	"testing"
)

// wholeTables are the statements that may read a large table from one end to the other, by their beginning
// (which ends with a line where it is the whole), each with why.
// All others find what they want by an index: what costs nothing in a test takes a second for 100,000 providers.
var wholeTables = map[string]string{
	"SELECT count(*) FROM":                                         "how much there is, for fsck and kapdir status",
	"SELECT (SELECT count(*) FROM provider":                        "the counts of kapdir status",
	"SELECT sha256, source, class, meta, body FROM evidence ORDER": "fsck and the export read all",
	"SELECT id FROM claim\n":                                       "fsck reads all",
	"SELECT e.seq, e.commitment, e.hash":                           "fsck and the export read all",
	"SELECT seq, 0 AS kind FROM event UNION ALL":                   "fsck reads all",
	"SELECT p.id, p.seq, coalesce(max(c.seq), 0)":                  "fsck reads all",
	"SELECT p.seq FROM event_payload p LEFT JOIN":                  "fsck reads all",
	"SELECT id FROM provider ORDER BY id":                          "fsck and the export read all",
	"SELECT id FROM provider WHERE listed = 1":                     "a screening and the sitemap are of everybody",
	"SELECT p.id, f.doc, p.listed":                                 "the export reads all",
	"SELECT id, provider, home, kind, issuer, jurisdiction, title, number_raw, number_shown, number_key, other, created FROM claim ORDER": "the export reads all",
	"SELECT e.payload, COALESCE":                                         "the export reads all",
	"SELECT meta, body FROM evidence WHERE source <>":                    "the export reads all",
	"SELECT block, provider FROM provider_block":                         "an import of a large file holds them in memory",
	"SELECT sha256, body FROM evidence WHERE source":                     "a removal looks for a person in whatever a source said",
	"SELECT run, file, line, field, reason, text FROM reject WHERE text": "a removal looks for a person in the quarantine",
	"SELECT id FROM provider_facts WHERE doc LIKE":                       "a removal looks for a person in what others state",
	"SELECT run.number, run.source, reject.file":                         "the list of the quarantine, by whatever is asked of it",
	"SELECT c.provider, e.payload FROM claim c":                          "the audit of a day looks for whoever was ever said to be one",
	"SELECT c.id, c.kind, c.provider":                                    "the list of cases with those that are closed",
	"UPDATE provider SET moments":                                        "what time will do is worked out anew for everybody, under other rules",

	"UPDATE event": "tests tamper", "DELETE FROM event": "tests tamper", "UPDATE evidence": "tests tamper", "DELETE FROM evidence": "tests tamper",
	"DELETE FROM claim": "tests tamper", "UPDATE provider_facts": "tests tamper", "UPDATE provider SET seq = seq + 1": "tests tamper",
	"UPDATE source_record SET doc": "tests tamper",
	"SELECT id FROM provider\n":    "tests read all", "SELECT source, key, release": "tests read all", "SELECT block, source, key": "tests read all",
	"SELECT sha256 FROM evidence\n": "tests read all", "SELECT kind, provider, claim, source, key, agreed": "tests read all",
}

// hear gathers the statements of the tests to come.
func hear(t *testing.T) func() []string {
	var mu sync.Mutex
	var order []string
	seen := map[string]bool{}
	space := regexp.MustCompile(`\s+`)
	tell = func(query string) {
		query = space.ReplaceAllString(strings.TrimSpace(query), " ")
		mu.Lock()
		defer mu.Unlock()
		if !seen[query] {
			seen[query] = true
			order = append(order, query)
		}
	}
	t.Cleanup(func() { tell = nil })
	return func() []string {
		tell = nil
		return order
	}
}

var (
	largeTable = regexp.MustCompile(`^SCAN (provider|provider_facts|provider_block|claim|event|event_payload|evidence|source_record|source_block|change|cases|reject|notice|announced|delivery)\b`)
	// The list of cases is read in its order, and whatever else looks among all that are open has an index of its own.
	amongOpen   = regexp.MustCompile(`USING (COVERING )?INDEX cases_(open|queue) \(closed=\?\)`)
	planned     = regexp.MustCompile(`^(SELECT|UPDATE|DELETE|WITH) `)
	scanned     = regexp.MustCompile(`^SCAN ([a-z])\b`)
	placeholder = regexp.MustCompile(`\$\d+`)
)

// testPlans asks SQLite how it would answer each statement.
func testPlans(t *testing.T, s *Store, queries []string) {
	used := map[string]bool{}
	n := 0
	for _, q := range queries {
		if !planned.MatchString(q) {
			continue
		}
		n++
		rows, err := s.writer.Query("EXPLAIN QUERY PLAN " + placeholder.ReplaceAllString(q, "'1'"))
		if err != nil {
			continue // of another schema, or made to fail
		}
		var plan []string
		bad := false
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
			if m := scanned.FindStringSubmatch(detail); m != nil {
				if of := regexp.MustCompile(`(?:FROM|JOIN|,) (\w+) (?:AS )?` + m[1] + `\b`).FindStringSubmatch(q); of != nil {
					detail = "SCAN " + of[1]
				}
			}
			bad = bad || largeTable.MatchString(detail) || amongOpen.MatchString(detail)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if !bad {
			continue
		}
		excused := false
		for start := range wholeTables {
			if strings.HasPrefix(q+"\n", start) {
				used[start], excused = true, true
			}
		}
		if !excused {
			t.Errorf("reads a whole table:\n%s\n\t%s", q, strings.Join(plan, "\n\t"))
		}
	}
	for start, why := range wholeTables {
		if !used[start] {
			t.Errorf("no statement that begins with %q reads a whole table (%s)", start, why)
		}
	}
	if n < 200 {
		t.Errorf("%d statements were heard", n)
	}
}

package data

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
	"unicode/utf8"
)

// lastChecked is the newest day a row may claim to have been checked. Move it
// when rows are confirmed; no test reads the clock.
const lastChecked = "2026-11-29"

// row is one row by column name, with its line for the message.
type row struct {
	line int
	col  map[string]string
}

func (r row) key(columns ...string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = r.col[c]
	}
	return strings.Join(parts, "\x00")
}

// readTable reads a table strictly: the header is exactly columns, each row
// has as many fields, the file is UTF-8 with LF ends, no field has blanks
// around it, and rows are sorted and unique by key.
func readTable(t *testing.T, name, columns string, key ...string) []row {
	t.Helper()
	b, err := FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(b) || bytes.ContainsRune(b, '\r') || bytes.HasPrefix(b, []byte("\ufeff")) || !bytes.HasSuffix(b, []byte("\n")) {
		t.Fatalf("%s: not plain UTF-8 lines", name)
	}
	return parseTable(t, name, bytes.NewReader(b), columns, key...)
}

func parseTable(t *testing.T, name string, in io.Reader, columns string, key ...string) []row {
	t.Helper()
	r := csv.NewReader(in)
	header, err := r.Read()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if got := strings.Join(header, ","); got != columns {
		t.Fatalf("%s: header %q, want %q", name, got, columns)
	}
	var rows []row
	previous := ""
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		line, _ := r.FieldPos(0)
		this := row{line, make(map[string]string, len(fields))}
		for i, f := range fields {
			if f != strings.TrimSpace(f) {
				t.Errorf("%s:%d: blanks around %q", name, line, f)
			}
			this.col[header[i]] = f
		}
		k := this.key(key...)
		if len(rows) > 0 && k <= previous {
			t.Errorf("%s:%d: %q is out of order or twice", name, line, strings.ReplaceAll(k, "\x00", ","))
		}
		previous = k
		rows = append(rows, this)
	}
	if len(rows) == 0 {
		t.Fatalf("%s: no rows", name)
	}
	return rows
}

// oneOf reports a value outside an enumeration.
func oneOf(t *testing.T, name string, r row, column string, allowed ...string) {
	t.Helper()
	if !slices.Contains(allowed, r.col[column]) {
		t.Errorf("%s:%d: %s is %q, want one of %s", name, r.line, column, r.col[column], strings.Join(allowed, ", "))
	}
}

// filled reports columns that must not be empty.
func filled(t *testing.T, name string, r row, columns ...string) {
	t.Helper()
	for _, c := range columns {
		if r.col[c] == "" {
			t.Errorf("%s:%d: no %s", name, r.line, c)
		}
	}
}

// checkedRow holds a row to the rule that a source and the day it was read
// stand together, or neither does.
func checkedRow(t *testing.T, name string, r row, confirmed bool) {
	t.Helper()
	source, checked := r.col["source_url"], r.col["checked"]
	if !confirmed {
		if source != "" || checked != "" {
			t.Errorf("%s:%d: not confirmed, yet has source_url %q and checked %q", name, r.line, source, checked)
		}
		return
	}
	if !strings.HasPrefix(source, "https://") {
		t.Errorf("%s:%d: source_url is %q, want https", name, r.line, source)
	}
	if _, err := time.Parse(time.DateOnly, checked); err != nil || checked > lastChecked {
		t.Errorf("%s:%d: checked is %q, want a day up to %s", name, r.line, checked, lastChecked)
	}
}

// list splits a bar-separated field and reports empty or repeated entries.
func list(t *testing.T, name string, r row, column string) []string {
	t.Helper()
	if r.col[column] == "" {
		return nil
	}
	entries := strings.Split(r.col[column], "|")
	seen := make(map[string]bool)
	for _, e := range entries {
		folded := strings.ToLower(e)
		if e == "" || e != strings.TrimSpace(e) || seen[folded] {
			t.Errorf("%s:%d: %s has a blank or repeated entry %q", name, r.line, column, e)
		}
		seen[folded] = true
	}
	return entries
}

func states(t *testing.T) map[string]bool {
	t.Helper()
	codes := make(map[string]bool)
	for _, r := range readTable(t, "states.csv", "code,name,zone", "code") {
		codes[r.col["code"]] = true
	}
	return codes
}

func TestStates(t *testing.T) {
	rows := readTable(t, "states.csv", "code,name,zone", "code")
	if len(rows) != 56 {
		t.Errorf("%d rows, want 50 states, the District and 5 territories", len(rows))
	}
	zones := make(map[string]string)
	for _, r := range rows {
		filled(t, "states.csv", r, "code", "name", "zone")
		if len(r.col["code"]) != 2 {
			t.Errorf("states.csv:%d: code %q", r.line, r.col["code"])
		}
		if _, err := time.LoadLocation(r.col["zone"]); err != nil {
			t.Errorf("states.csv:%d: %v", r.line, err)
		}
		zones[r.col["code"]] = r.col["zone"]
	}
	// The zone in which the day ends first.
	for code, want := range map[string]string{"TX": "America/Chicago", "FL": "America/New_York", "TN": "America/New_York", "NE": "America/Chicago", "OR": "America/Boise"} {
		if zones[code] != want {
			t.Errorf("%s has zone %s, want %s", code, zones[code], want)
		}
	}
}

func TestSources(t *testing.T) {
	const name = "sources.csv"
	rows := readTable(t, name, "id,name,short,kind,class,jurisdiction,publisher,url,lookup_url,number_url,completeness,licence,attribution,may_republish,terms,note", "id")
	known := states(t)
	ids := make(map[string]bool)
	id := regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	for _, r := range rows {
		filled(t, name, r, "id", "name", "short", "publisher", "licence", "note")
		if !id.MatchString(r.col["id"]) {
			t.Errorf("%s:%d: id %q", name, r.line, r.col["id"])
		}
		ids[r.col["id"]] = true
		oneOf(t, name, r, "kind", "identity", "roster", "exclusion", "listing", "attestation")
		oneOf(t, name, r, "class", "self", "listing", "document", "source")
		oneOf(t, name, r, "completeness", "full_history", "current_and_lapsed", "active_only", "full_list", "n/a")
		oneOf(t, name, r, "may_republish", "true", "false")
		oneOf(t, name, r, "terms", "allowed_automated", "manual_only", "forbidden")
		if j := r.col["jurisdiction"]; j != "US" && !known[j] {
			t.Errorf("%s:%d: jurisdiction %q", name, r.line, j)
		}
		for _, column := range []string{"url", "lookup_url"} {
			if u := r.col[column]; u != "" && !strings.HasPrefix(u, "https://") {
				t.Errorf("%s:%d: %s is %q, want https", name, r.line, column, u)
			}
		}
		if u := r.col["number_url"]; u != "" && (!strings.HasPrefix(u, "https://") || strings.Count(u, "{number}") != 1) {
			t.Errorf("%s:%d: number_url %q, want https and {number} once", name, r.line, u)
		}
		if r.col["kind"] != "attestation" {
			filled(t, name, r, "url")
		}
		if r.col["class"] == "source" {
			filled(t, name, r, "attribution")
			if r.col["completeness"] == "n/a" && !strings.Contains(r.col["note"], "proves nothing") {
				t.Errorf("%s:%d: a source must say what its silence means", name, r.line)
			}
		}
		if strings.Contains(r.col["url"], ".example") && !strings.Contains(r.col["note"], "demonstration only") {
			t.Errorf("%s:%d: an invented site that does not say so", name, r.line)
		}
	}
	for _, want := range []string{"nppes", "npi-api", "leie", "sam", "co-dora", "tx-bhec", "kap-commons", "open-clinics", "provider", "certificate"} {
		if !ids[want] {
			t.Errorf("no source %s", want)
		}
	}
}

func readTitles(t *testing.T) []row {
	t.Helper()
	return readTable(t, "titles.csv", "state,board_type,profession,title,abbreviations,tier,confirmed,source_url,checked,note", "state", "board_type")
}

// dated holds a row of a dated table to its days: what begins, begins before it ends.
func dated(t *testing.T, name string, r row) {
	t.Helper()
	oneOf(t, name, r, "confirmed", "true", "false")
	checkedRow(t, name, r, r.col["confirmed"] == "true")
	for _, c := range []string{"valid_from", "valid_to"} {
		if d := r.col[c]; d != "" {
			if _, err := time.Parse(time.DateOnly, d); err != nil {
				t.Errorf("%s:%d: %s is %q, want a day", name, r.line, c, d)
			}
		}
	}
	if to := r.col["valid_to"]; to != "" && to < r.col["valid_from"] {
		t.Errorf("%s:%d: ends %s before it begins %s", name, r.line, to, r.col["valid_from"])
	}
	if r.col["confirmed"] == "true" || r.col["valid_from"] != "" {
		filled(t, name, r, "note")
	}
}

// overlapping reports two rows of the same key that say different things of one day.
func overlapping(t *testing.T, name string, rows []row, key ...string) {
	t.Helper()
	seen := make(map[string][]row)
	for _, r := range rows {
		k := r.key(key...)
		for _, o := range seen[k] {
			if (o.col["valid_to"] == "" || r.col["valid_from"] <= o.col["valid_to"]) && (r.col["valid_to"] == "" || o.col["valid_from"] <= r.col["valid_to"]) {
				t.Errorf("%s:%d: overlaps line %d", name, r.line, o.line)
			}
		}
		seen[k] = append(seen[k], r)
	}
}

var token = regexp.MustCompile(`^[A-Z0-9]+(-[A-Z0-9]+)*$`)

func TestTitles(t *testing.T) {
	const name = "titles.csv"
	known := states(t)
	boardType := regexp.MustCompile(`^[A-Z]+([- ][A-Z]+)*(\+(PMH|PSYCHIATRY))?$`)
	confirmed := make(map[string]int)
	covered := make(map[string]map[string]bool) // state, then profession with tier
	types := make(map[string]bool)
	for _, r := range readTitles(t) {
		st := r.col["state"]
		if !known[st] {
			t.Errorf("%s:%d: state %q", name, r.line, st)
		}
		if !boardType.MatchString(r.col["board_type"]) {
			t.Errorf("%s:%d: board_type %q", name, r.line, r.col["board_type"])
		}
		filled(t, name, r, "title")
		oneOf(t, name, r, "profession", "psychologist", "psychiatrist", "physician", "clinical_social_work", "counselling", "marriage_family", "psych_np", "nurse_practitioner", "physician_assistant", "nurse", "other")
		oneOf(t, name, r, "tier", "independent", "supervised", "degree_only", "not_mh", "prescriber")
		dated(t, name, r)
		types[r.key("state", "board_type")] = true
		if r.col["confirmed"] == "true" {
			confirmed[st]++
		}
		for _, a := range list(t, name, r, "abbreviations") {
			if !token.MatchString(a) {
				t.Errorf("%s:%d: abbreviation %q", name, r.line, a)
			}
		}
		switch p := r.col["profession"]; p {
		case "physician", "nurse_practitioner", "physician_assistant":
			oneOf(t, name, r, "tier", "prescriber")
		case "psychiatrist":
			// No licence is psychiatry by itself: the row stands for the licence with a certification or a
			// residency beside it, and no word of a listing may reach it.
			licence, _, _ := strings.Cut(r.col["board_type"], "+")
			if !strings.HasSuffix(r.col["board_type"], "+PSYCHIATRY") || !types[r.col["state"]+"\x00"+licence] || r.col["abbreviations"] != "" {
				t.Errorf("%s:%d: a licence that is psychiatry by itself", name, r.line)
			}
			oneOf(t, name, r, "tier", "independent")
		default:
			if r.col["tier"] == "prescriber" {
				t.Errorf("%s:%d: a %s who is a prescriber", name, r.line, p)
			}
		}
		if covered[st] == nil {
			covered[st] = make(map[string]bool)
		}
		covered[st][r.col["profession"]+" "+r.col["tier"]] = true
	}
	if len(covered) != 51 {
		t.Errorf("%d states, want the 50 and the District", len(covered))
	}
	for st, has := range covered {
		for _, want := range []string{
			"psychologist independent", "clinical_social_work independent", "counselling independent", "marriage_family independent",
			"physician prescriber", "physician_assistant prescriber", "nurse_practitioner prescriber", "psych_np independent",
			"psychiatrist independent",
		} {
			if !has[want] {
				t.Errorf("%s has no row for %s", st, want)
			}
		}
	}
	if len(confirmed) < 10 || confirmed["CO"] < 8 || confirmed["TX"] < 11 {
		t.Errorf("confirmed rows by state: %v", confirmed)
	}
}

func TestCompacts(t *testing.T) {
	const name = "compacts.csv"
	known := states(t)
	issuing := make(map[string][]string)
	rows := readTable(t, name, "compact,state,status,valid_from,valid_to,confirmed,source_url,checked,note", "compact", "state", "status")
	for _, r := range rows {
		oneOf(t, name, r, "compact", "psypact", "counseling", "social_work", "imlc", "nlc", "aprn", "pa")
		oneOf(t, name, r, "status", "member", "issuing")
		dated(t, name, r)
		filled(t, name, r, "note")
		if !known[r.col["state"]] {
			t.Errorf("%s:%d: state %q", name, r.line, r.col["state"])
		}
		if r.col["status"] == "issuing" && r.col["confirmed"] == "true" {
			// A privilege may rest on such a row, so it says from when.
			filled(t, name, r, "valid_from")
			issuing[r.col["compact"]] = append(issuing[r.col["compact"]], r.col["state"])
		}
	}
	overlapping(t, name, rows, "compact", "state", "status")
	if got := strings.Join(issuing["counseling"], " "); got != "AZ GA IN LA MN OH" {
		t.Errorf("counselling privileges are issued in %q", got)
	}
	if n := len(issuing["psypact"]); n != 43 {
		t.Errorf("%d jurisdictions accept the psychology compact, want 43", n)
	}
	for _, none := range []string{"social_work", "aprn", "pa"} {
		if len(issuing[none]) > 0 {
			t.Errorf("nobody was read to issue under %s: %v", none, issuing[none])
		}
	}
}

func TestRules(t *testing.T) {
	const name = "rules.csv"
	known := states(t)
	rows := readTable(t, name, "rule,jurisdiction,title,valid_from,valid_to,confirmed,source_url,checked,after,note", "rule", "jurisdiction", "valid_from")
	last := make(map[string]row)
	for _, r := range rows {
		dated(t, name, r)
		filled(t, name, r, "rule", "title", "valid_from", "note")
		if j := r.col["jurisdiction"]; j != "US" && !known[j] {
			t.Errorf("%s:%d: jurisdiction %q", name, r.line, j)
		}
		if r.col["valid_to"] != "" {
			filled(t, name, r, "after") // a rule that ends must leave a sentence behind
		}
		last[r.key("rule", "jurisdiction")] = r
	}
	overlapping(t, name, rows, "rule", "jurisdiction")
	tele := last["tele_prescribing\x00US"]
	if tele.col["confirmed"] != "true" || tele.col["valid_to"] != "2026-12-31" || tele.col["after"] != "The rule on prescribing without an in-person visit may have changed. Ask the provider." {
		t.Errorf("tele-prescribing: %v", tele.col)
	}
}

func TestNPAuthority(t *testing.T) {
	const name = "np_authority.csv"
	known := states(t)
	rows := readTable(t, name, "state,role,authority,valid_from,valid_to,confirmed,source_url,checked,note", "state", "role", "valid_from")
	covered := make(map[string]bool)
	today := make(map[string]string) // what a confirmed row says of lastChecked
	for _, r := range rows {
		dated(t, name, r)
		filled(t, name, r, "note")
		if !known[r.col["state"]] {
			t.Errorf("%s:%d: state %q", name, r.line, r.col["state"])
		}
		switch r.col["role"] {
		case "nurse_practitioner":
			oneOf(t, name, r, "authority", "full", "reduced", "restricted")
		case "physician_assistant":
			oneOf(t, name, r, "authority", "agreement", "none_required")
		default:
			t.Errorf("%s:%d: role %q", name, r.line, r.col["role"])
		}
		covered[r.key("state", "role")] = true
		if r.col["confirmed"] == "true" {
			filled(t, name, r, "valid_from")
			if r.col["valid_from"] <= lastChecked && (r.col["valid_to"] == "" || lastChecked <= r.col["valid_to"]) {
				today[r.col["state"]+" "+r.col["role"]] = r.col["authority"]
			}
		}
	}
	overlapping(t, name, rows, "state", "role")
	if len(covered) != 2*51 {
		t.Errorf("%d of 102 pairs of state and role", len(covered))
	}
	for pair, want := range map[string]string{
		"CO nurse_practitioner": "full", "TX nurse_practitioner": "restricted", "OH nurse_practitioner": "reduced", "NY nurse_practitioner": "full",
		"CA nurse_practitioner": "restricted", "WI nurse_practitioner": "", "TX physician_assistant": "agreement", "CO physician_assistant": "agreement",
	} {
		if today[pair] != want {
			t.Errorf("%s: %q, want %q", pair, today[pair], want)
		}
	}
}

// TestTitleCollisions holds the table to the letters that mean different
// things in different states.
func TestTitleCollisions(t *testing.T) {
	rows := readTitles(t)
	for _, tt := range []struct{ state, letters, profession, tier string }{
		{"TX", "LCSW", "clinical_social_work", "independent"},
		{"CO", "LCSW", "clinical_social_work", "independent"},
		{"MA", "LCSW", "clinical_social_work", "supervised"},
		{"RI", "LCSW", "clinical_social_work", "supervised"},
		{"WV", "LCSW", "clinical_social_work", "supervised"},
		{"MD", "LCSW", "clinical_social_work", "not_mh"},
		{"MD", "LCSW-C", "clinical_social_work", "independent"},
		{"NY", "LCSW-R", "clinical_social_work", "independent"},
		{"CA", "ACSW", "clinical_social_work", "supervised"},
		{"MI", "LMSW", "clinical_social_work", "independent"},
		{"TX", "LMSW", "clinical_social_work", "supervised"},
		{"NY", "LMSW", "clinical_social_work", "supervised"},
		{"VA", "LMSW", "clinical_social_work", "not_mh"},
		{"CO", "CSW", "clinical_social_work", "independent"},
		{"KY", "CSW", "clinical_social_work", "supervised"},
		{"UT", "CSW", "clinical_social_work", "supervised"},
		{"WI", "CSW", "clinical_social_work", "not_mh"},
		{"SD", "CSW-PIP", "clinical_social_work", "independent"},
		{"MN", "LISW", "clinical_social_work", "supervised"},
		{"OH", "LISW", "clinical_social_work", "independent"},
		{"CO", "LPCC", "counselling", "supervised"},
		{"OH", "LPCC", "counselling", "independent"},
		{"CA", "LPCC", "counselling", "independent"},
		{"NM", "LPCC", "counselling", "independent"},
		{"TX", "LPC", "counselling", "independent"},
		{"OH", "LPC", "counselling", "supervised"},
		{"IL", "LPC", "counselling", "supervised"},
		{"KS", "LPC", "counselling", "supervised"},
		{"MN", "LPC", "counselling", "supervised"},
		{"NM", "LMHC", "counselling", "supervised"},
		{"WA", "LMHC", "counselling", "independent"},
		{"FL", "LMHC", "counselling", "independent"},
		{"UT", "CMHC", "counselling", "independent"},
		{"AZ", "LAC", "counselling", "supervised"},
		{"CO", "LAC", "other", "not_mh"},
		{"CA", "LAC", "other", "not_mh"},
		{"KS", "LMFT", "marriage_family", "supervised"},
		{"CO", "LMFT", "marriage_family", "independent"},
		{"OH", "MFT", "marriage_family", "supervised"},
		{"CO", "MFT", "marriage_family", "independent"},
		{"MN", "LP", "psychologist", "independent"},
		{"NY", "LP", "other", "not_mh"},
		{"MI", "LLP", "psychologist", "supervised"},
		{"TX", "LPA", "psychologist", "supervised"},
		{"NC", "LPA", "psychologist", "supervised"},
		{"CO", "MD", "physician", "prescriber"},
		{"CO", "DO", "physician", "prescriber"},
		{"TX", "PA", "physician_assistant", "prescriber"},
		{"PA", "PA", "physician_assistant", "prescriber"},
		{"MD", "MD", "physician", "prescriber"},
	} {
		var got []string
		for _, r := range rows {
			if r.col["state"] == tt.state && slices.Contains(strings.Split(r.col["abbreviations"], "|"), tt.letters) {
				got = append(got, r.col["profession"]+" "+r.col["tier"])
			}
		}
		if want := []string{tt.profession + " " + tt.tier}; !slices.Equal(got, want) {
			t.Errorf("%s in %s: got %q, want %q", tt.letters, tt.state, got, want)
		}
	}
}

func TestSuffixes(t *testing.T) {
	const name = "suffixes.csv"
	meanings := make(map[string][]string) // token, then "kind meaning"
	for _, r := range readTable(t, name, "token,kind,meaning", "token", "kind", "meaning") {
		if spelt := r.col["token"]; !token.MatchString(strings.ToUpper(spelt)) || r.col["kind"] != "degree" && spelt != strings.ToUpper(spelt) {
			t.Errorf("%s:%d: token %q", name, r.line, r.col["token"])
		}
		oneOf(t, name, r, "kind", "degree", "licence", "certification", "membership", "generational")
		filled(t, name, r, "meaning")
		meanings[r.col["token"]] = append(meanings[r.col["token"]], r.col["kind"]+" "+r.col["meaning"])
	}
	for _, r := range readTitles(t) {
		for _, a := range list(t, "titles.csv", r, "abbreviations") {
			if meanings[a] == nil {
				t.Errorf("%s, of titles.csv:%d, is not in %s", a, r.line, name)
			}
		}
	}
	for letters, want := range map[string][]string{
		"ACSW": {"licence Associate Clinical", "membership Academy of Certified"},
		"LP":   {"licence Licensed Psychologist", "licence Licensed Psychoanalyst", "licence Limited permit"},
		"LAC":  {"licence Licensed Associate Counselor", "licence Licensed Addiction Counselor", "licence Licensed Acupuncturist"},
		"LPA":  {"licence Licensed Psychological Associate"},
		"LPCC": {"licence Licensed Professional Clinical Counselor", "licence Licensed Professional Counselor Candidate"},
		"LMHC": {"licence Licensed Mental Health Counselor"},
		"LMSW": {"licence Licensed Master Social Worker", "licence Licensed Master's Social Worker, Clinical (MI)"},
		"LCSW": {"licence Licensed Clinical Social Worker", "licence Licensed Certified Social Worker"},
		"CMHC": {"licence Clinical Mental Health Counselor"},
		"CSW":  {"licence Certified Social Worker", "licence Licensed Clinical Social Worker (CO)"},
		"PA":   {"licence Physician Assistant"},
		"DO":   {"degree Doctor of Osteopathic Medicine", "licence Osteopathic Physician"},
		"MA":   {"degree Master of Arts", "certification Medical Assistant"},
		"MD":   {"degree Doctor of Medicine", "licence Physician"},
	} {
		for _, prefix := range want {
			if !slices.ContainsFunc(meanings[letters], func(m string) bool { return strings.HasPrefix(m, prefix) }) {
				t.Errorf("%s lacks %q; it has %q", letters, prefix, meanings[letters])
			}
		}
	}
}

// What each phrase is read as is tested beside the reader, in package search.
func TestLexicon(t *testing.T) {
	const name = "lexicon.csv"
	said := map[string]bool{}
	for _, r := range readTable(t, name, "kind,value,phrases,near,example,note", "kind", "value", "near", "phrases") {
		filled(t, name, r, "kind", "phrases", "example")
		oneOf(t, name, r, "kind", "access", "accepting", "care", "check", "cue", "everyday", "filler", "focus", "format", "framework", "language", "licence", "optional", "other",
			"payment", "place", "population", "programme", "route", "setting", "state", "unheld", "video")
		for _, p := range list(t, name, r, "phrases") {
			if p != strings.Join(strings.Fields(strings.ToLower(p)), " ") || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz0123456789 ") != "" {
				t.Errorf("%s:%d: the phrase %q is not folded", name, r.line, p)
			}
			if key := p + " beside " + r.col["near"]; said[key] {
				t.Errorf("%s:%d: %q is said twice", name, r.line, p)
			} else {
				said[key] = true
			}
		}
	}
}

func TestProgrammes(t *testing.T) {
	const name = "programmes.csv"
	claimed := make(map[string]string) // folded name or synonym to id
	var rows []row
	for _, r := range readTable(t, name, "id,name,issuer,synonyms,not,levels,register,hours,note,source_url,checked", "id") {
		rows = append(rows, r)
		filled(t, name, r, "id", "name", "issuer", "synonyms", "levels", "note")
		checkedRow(t, name, r, r.col["source_url"] != "")
		levels := list(t, name, r, "levels")
		order := []string{"attended", "modules_complete", "certificate", "in_programme_register"}
		last := -1
		for _, l := range levels {
			i := slices.Index(order, l)
			if i <= last {
				t.Errorf("%s:%d: level %q unknown or out of order", name, r.line, l)
			}
			last = i
		}
		if slices.Contains(levels, "in_programme_register") != (r.col["register"] != "") {
			t.Errorf("%s:%d: a register and its level stand together", name, r.line)
		}
		for _, s := range list(t, name, r, "synonyms") {
			folded := strings.ToLower(s)
			if other, ok := claimed[folded]; ok {
				t.Errorf("%s:%d: %q already means %s", name, r.line, s, other)
			}
			claimed[folded] = r.col["id"]
		}
	}
	for _, r := range rows {
		for _, n := range list(t, name, r, "not") {
			if claimed[strings.ToLower(n)] == r.col["id"] {
				t.Errorf("%s:%d: %q both is and is not the programme", name, r.line, n)
			}
		}
	}
	for _, r := range rows {
		if r.col["id"] == "ktc" && !slices.Contains(list(t, name, r, "not"), "Ketamine Research Institute") {
			t.Error("the Ketamine Research Institute is not told apart from the Foundation")
		}
	}
}

func TestTaxonomy(t *testing.T) {
	const name = "taxonomy.csv"
	code := regexp.MustCompile(`^([0-9A-Z]{9}X|[0-9A-Z]{4}\*)$`)
	for _, r := range readTable(t, name, "code,label,role", "code") {
		if !code.MatchString(r.col["code"]) {
			t.Errorf("%s:%d: code %q", name, r.line, r.col["code"])
		}
		filled(t, name, r, "label")
		oneOf(t, name, r, "role", "therapist", "prescriber", "both", "clinic", "other")
	}
}

func TestNicknames(t *testing.T) {
	const name = "nicknames.csv"
	letters := regexp.MustCompile(`^[a-z]+$`)
	rows := readTable(t, name, "formal,nickname", "formal", "nickname")
	if len(rows) < 350 {
		t.Errorf("%d pairs", len(rows))
	}
	pairs := make(map[string]bool)
	for _, r := range rows {
		if !letters.MatchString(r.col["formal"]) || !letters.MatchString(r.col["nickname"]) || r.col["formal"] == r.col["nickname"] {
			t.Errorf("%s:%d: %q, %q", name, r.line, r.col["formal"], r.col["nickname"])
		}
		pairs[r.key("formal", "nickname")] = true
	}
	for _, want := range []string{"robert\x00bob", "margaret\x00peggy", "william\x00bill", "elizabeth\x00beth"} {
		if !pairs[want] {
			t.Errorf("no pair %q", want)
		}
	}
}

func TestSurnames(t *testing.T) {
	const name = "surnames.csv"
	letters := regexp.MustCompile(`^[a-z]+$`)
	before := ""
	for _, r := range readTable(t, name, "surname", "surname") {
		if s := r.col["surname"]; !letters.MatchString(s) || s <= before {
			t.Errorf("%s:%d: %q behind %q", name, r.line, s, before)
		}
		before = r.col["surname"]
	}
	if before == "" {
		t.Error("no names")
	}
}

func TestPlaces(t *testing.T) {
	const name = "places/zips.csv.gz"
	b, err := FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) > 700_000 {
		t.Errorf("%d bytes, want at most 700,000", len(b))
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		t.Error("the archive carries a time or a name, so it is not reproducible")
	}
	known := states(t)
	zip := regexp.MustCompile(`^\d{5}$`)
	degrees := regexp.MustCompile(`^-?\d+\.\d{4}$`)
	rows := parseTable(t, name, z, "zip,lat,lon,city,state", "zip")
	if len(rows) <= 40_000 {
		t.Errorf("%d codes, want more than 40,000", len(rows))
	}
	seen := make(map[string]int)
	var denver row
	for _, r := range rows {
		if !zip.MatchString(r.col["zip"]) || !degrees.MatchString(r.col["lat"]) || !degrees.MatchString(r.col["lon"]) || !known[r.col["state"]] {
			t.Fatalf("%s:%d: %v", name, r.line, r.col)
		}
		lat, _ := strconv.ParseFloat(r.col["lat"], 64)
		lon, _ := strconv.ParseFloat(r.col["lon"], 64)
		// From American Samoa to the north of Alaska, and from Guam east
		// across the date line to the Virgin Islands.
		if lat < -15 || lat > 72 || (lon > -64 && lon < 144) || lon < -180 || lon > 180 {
			t.Errorf("%s:%d: %v lies outside", name, r.line, r.col)
		}
		seen[r.col["state"]]++
		if r.col["zip"] == "80202" {
			denver = r
		}
	}
	for code := range known {
		if seen[code] == 0 {
			t.Errorf("no ZIP code in %s", code)
		}
	}
	if denver.col["city"] != "Denver" || denver.col["state"] != "CO" {
		t.Errorf("80202 is %v", denver.col)
	}
}

// A border that two states share is one line, and every line is part of an outline.
func TestOutlines(t *testing.T) {
	lines := readTable(t, "map/lines.csv", "line,points", "line")
	pair := regexp.MustCompile(`^-?\d+(\.\d{1,3})?$`)
	for i, r := range lines {
		numbers := strings.Fields(r.col["points"])
		if r.col["line"] != fmt.Sprintf("%03d", i+1) || len(numbers) < 4 || len(numbers)%2 != 0 {
			t.Fatalf("map/lines.csv:%d: %q", r.line, r.col["line"])
		}
		for k, n := range numbers {
			d, err := strconv.ParseFloat(n, 64)
			if err != nil || !pair.MatchString(n) || k%2 == 0 && (d > -65 && d < 172 || d < -180 || d > 180) || k%2 == 1 && (d < 17 || d > 72) {
				t.Errorf("map/lines.csv:%d: %q", r.line, n)
			}
		}
	}
	known, drawn, used := states(t), map[string]bool{}, map[int]int{}
	for _, r := range readTable(t, "map/outlines.csv", "state,part,lines", "state", "part") {
		if !known[r.col["state"]] {
			t.Errorf("map/outlines.csv:%d: %s", r.line, r.col["state"])
		}
		drawn[r.col["state"]] = true
		for _, f := range strings.Fields(r.col["lines"]) {
			n, err := strconv.Atoi(f)
			if err != nil || n == 0 || max(n, -n) > len(lines) {
				t.Fatalf("map/outlines.csv:%d: %q", r.line, f)
			}
			used[max(n, -n)]++
		}
	}
	for i := range lines {
		if used[i+1] < 1 || used[i+1] > 2 {
			t.Errorf("line %d is part of %d outlines", i+1, used[i+1])
		}
	}
	for code := range known {
		if small := slices.Contains([]string{"AS", "GU", "MP", "VI"}, code); small == drawn[code] {
			t.Errorf("%s: drawn %v", code, drawn[code])
		}
	}
}

package web

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"kapdir/directory"
)

func hand(id directory.ID) *directory.CredentialFile {
	claim := directory.Claim{ID: "clm_1", Provider: id, Kind: directory.License, Jurisdiction: "CO", Title: "CSW", Number: directory.ParseLicenceNumber("CSW.1"), Created: "2026-10-01T00:00:00.000Z"}
	e := directory.Event{V: 1, Seq: 1, RecordedAt: "2026-10-01T00:00:00.000Z", PerformedAt: "2026-10-01T00:00:00.000Z", Type: directory.Assert, Claim: "clm_1",
		Actor: directory.Actor{Kind: directory.Tool, ID: "x"}, Body: directory.Body{Class: directory.ClassListing, Source: "kap-commons"}}
	return &directory.CredentialFile{Provider: directory.Provider{ID: id, Kind: directory.Person}, Claims: []directory.History{{Claim: claim, Events: []directory.Event{e}}}}
}

func TestStatesOf(t *testing.T) {
	f := hand("prv_a")
	if got, want := StatesOf(f), []directory.State{"", "CO"}; !slices.Equal(got, want) {
		t.Errorf("nobody knows where they work: %q, want %q", got, want)
	}
	f.Provider.Sites = []directory.Site{{Address: directory.Address{State: "TX"}}, {}, {Address: directory.Address{State: "AZ"}}}
	f.Provider.Practice.TelehealthIn = []directory.State{"WA", "CO"}
	f.Claims = append(f.Claims, directory.History{Claim: directory.Claim{Kind: directory.CompactPrivilege, Jurisdiction: "OH"}},
		directory.History{Claim: directory.Claim{Kind: directory.DEARegistration, Jurisdiction: "NY"}})
	if got, want := StatesOf(f), []directory.State{"AZ", "CO", "OH", "TX", "WA"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestStatementsOfNobody(t *testing.T) {
	ps := directory.StandardPolicies()
	const now = directory.Instant("2026-11-01T00:00:00.000Z")
	if n := len(Statements(hand("prv_a"), nil, now, now, ps)); n != 2 {
		t.Fatalf("%d statements", n)
	}
	for name, change := range map[string]func(*directory.CredentialFile){
		"withdrawn": func(f *directory.CredentialFile) { f.Provider.Withdrawn = true },
		"merged":    func(f *directory.CredentialFile) { f.Provider.MergedInto = "prv_b" },
		"taken down": func(f *directory.CredentialFile) {
			f.Claims = append(f.Claims, directory.History{Claim: directory.Claim{ID: "clm_2", Kind: directory.FileClaim},
				Events: []directory.Event{{V: 1, Seq: 2, RecordedAt: now, PerformedAt: now, Type: directory.Takedown, Claim: "clm_2"}}})
		},
		"not in the directory yet": func(f *directory.CredentialFile) { f.Claims[0].Claim.Created = now.AddDays(1) },
	} {
		f := hand("prv_a")
		change(f)
		if s := Statements(f, nil, now, now, ps); len(s) != 0 || Stated(f, now, now, ps) {
			t.Errorf("%s: %d statements", name, len(s))
		}
	}
}

// A source is called what it was called in the tables that were recorded at the moment of knowledge.
func TestStatementsNameSourcesOfTheirDay(t *testing.T) {
	old := directory.StandardRules()
	old["sources.csv"] = bytes.ReplaceAll(old["sources.csv"], []byte("KAP Commons"), []byte("KAP Oldname"))
	a, err := directory.ParseRules(old, "2026-01-01T00:00:00.000Z")
	if err != nil {
		t.Fatal(err)
	}
	b, err := directory.ParseRules(directory.StandardRules(), "2026-11-01T00:00:00.000Z")
	if err != nil {
		t.Fatal(err)
	}
	ps := append(a, b...)
	says := func(known directory.Instant) string {
		s := Statements(hand("prv_a"), nil, "2026-11-02T00:00:00.000Z", known, ps)
		line, err := s[0].Line()
		if err != nil {
			t.Fatal(err)
		}
		return string(line)
	}
	if s := says("2026-10-31T00:00:00.000Z"); !bytes.Contains([]byte(s), []byte("KAP Oldname")) || bytes.Contains([]byte(s), []byte("KAP Commons")) {
		t.Errorf("before the change: %s", s)
	}
	if s := says("2026-11-01T00:00:00.000Z"); !bytes.Contains([]byte(s), []byte("KAP Commons")) || bytes.Contains([]byte(s), []byte("KAP Oldname")) {
		t.Errorf("after it: %s", s)
	}
}

// A line is one JSON object that says what it is, and holds what Published returns.
func TestStatementLine(t *testing.T) {
	s := Published(hand("prv_a"), "", "2026-11-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z", directory.StandardPolicies())
	line, err := s.Line()
	if err != nil || bytes.Count(line, []byte("\n")) != 1 {
		t.Fatalf("%v: %s", err, line)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(line, &got); err != nil || string(got["record"]) != `"statement"` || string(got["checks_for"]) != "null" {
		t.Errorf("%v: %s", err, line)
	}
	checks, _ := encodeJSON(s.Checks)
	if !bytes.Equal(bytes.TrimSpace(checks), got["checks"]) {
		t.Error("the checks are other bytes than the API's")
	}
}

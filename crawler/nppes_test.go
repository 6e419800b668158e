package crawler

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// importRows imports one NPPES file of the given rows.
func importRows(t *testing.T, header []string, all bool, rows ...string) (*memory, Report) {
	t.Helper()
	text := quoteRow(header) + "\r\n" + strings.Join(rows, "\r\n") + "\r\n"
	m, rep, err := importFile(t, "nppes", write(t, "npidata_pfile_20050523-20261108.csv", text), func(o *Options) { o.All = all })
	if err != nil {
		t.Fatal(err)
	}
	return m, rep
}

func TestNPPESRecord(t *testing.T) {
	for _, old := range []bool{true, false} {
		h := nppesHeader(old)
		if n := len(h); n != map[bool]int{true: 329, false: 330}[old] {
			t.Fatalf("the header has %d columns", n)
		}
		m, _ := importRows(t, h, false, nppesRow(h, "otherlast", "LINDQVIST", "otherfirst", "MAYA", "othertype", "1",
			"code2", "207L00000X", "licence2", "DR-12345", "licstate2", "CO", "primary2", "X", "suffix", "JR."))
		if len(m.records) != 1 {
			t.Fatalf("old %v: %d records, rejects %v", old, len(m.records), m.rejects)
		}
		got := m.records[0]
		zip := got.Identity.Practice.Point
		want := directory.IdentityRecord{
			NPI: "2000000010", Kind: directory.Person,
			Name:   directory.Name{Given: "Maya", Middle: "N", Family: "Okafor", Suffix: "Jr", Credentials: got.Identity.Name.Credentials},
			Others: []directory.OtherName{{Type: "1", Name: directory.Name{Given: "Maya", Family: "Lindqvist"}}},
			Taxonomies: []directory.Taxonomy{{Code: "1041C0700X", Licence: directory.ParseLicenceNumber("CSW.09923456"), State: "CO", Primary: true},
				{Code: "207L00000X", Licence: directory.ParseLicenceNumber("DR-12345"), State: "CO"}},
			Practice: &directory.Site{Address: directory.Address{Line1: "1200 PEARL STREET STE 4", City: "Boulder", State: "CO", ZIP: "80302-1234"},
				Point: zip, Phone: "(303) 555-0142", Origin: directory.Origin{Source: "nppes", AsOf: "2026-11-08"}},
			Enumerated: "2010-05-23", Updated: "2024-07-08",
		}
		if diff := cmp.Diff(want, *got.Identity); diff != "" {
			t.Errorf("old %v (-want +got):\n%s", old, diff)
		}
		if len(got.Identity.Name.Credentials) != 2 || got.Key != "2000000010" || got.Line != 2 || got.Source != "nppes" {
			t.Errorf("credentials %v, key %s, line %d", got.Identity.Name.Credentials, got.Key, got.Line)
		}
		all := asJSON(got)
		for _, leak := range []string{"HOME LANE", "LYONS", "555-0100", "3035550100", "Sex", "Gender", "Mailing", "Authorized"} {
			if strings.Contains(all, leak) {
				t.Errorf("the record holds %q", leak)
			}
		}
	}
}

// TestNPPESRows is the table of traps that single rows hold.
func TestNPPESRows(t *testing.T) {
	h := nppesHeader(false)
	cases := []struct {
		name, row string
		all       bool
		check     func(*directory.IdentityRecord) bool
		reject    string // the field of the reject, or part of its reason
		outside   string
	}{
		{name: "deactivated: all blank but number and day", row: nppesBare(h, "npi", "2000000028", "deactivated", "07/08/2014"),
			check: func(r *directory.IdentityRecord) bool {
				return r.Kind == "" && r.Deactivated == "2014-07-08" && !r.Active()
			}},
		{name: "deactivated and reactivated is active", row: nppesRow(h, "deactivated", "01/14/2015", "reactivated", "02/13/2019"),
			check: func(r *directory.IdentityRecord) bool {
				return r.Active() && r.Reactivated == "2019-02-13" && r.Kind == directory.Person
			}},
		{name: "deactivated and reactivated, of another trade", row: nppesRow(h, "deactivated", "01/14/2015", "reactivated", "02/13/2019", "code", "225100000X"), outside: "225100000X"},
		{name: "primary need not be the first", row: nppesRow(h, "primary", "N", "code2", "101YM0800X", "primary2", "Y"),
			check: func(r *directory.IdentityRecord) bool { return !r.Taxonomies[0].Primary && r.Taxonomies[1].Primary }},
		{name: "X is no primary", row: nppesRow(h, "primary", "X"), check: func(r *directory.IdentityRecord) bool { return !r.Taxonomies[0].Primary }},
		{name: "ours stands in the fifteenth place", row: nppesRow(h, "code", "225100000X", "code15", "103TC0700X"),
			check: func(r *directory.IdentityRecord) bool { return len(r.Taxonomies) == 2 }},
		{name: "another trade", row: nppesRow(h, "code", "225100000X"), outside: "225100000X"},
		{name: "another trade, kept", row: nppesRow(h, "code", "225100000X"), all: true, check: func(r *directory.IdentityRecord) bool { return r.Taxonomies[0].Code == "225100000X" }},
		{name: "a taxonomy group is no taxonomy", row: nppesRow(h, "code", "225100000X", "group", "193400000X SINGLE SPECIALTY GROUP"), outside: "225100000X"},
		{name: "no taxonomy", row: nppesRow(h, "code", "", "licence", "", "licstate", "", "primary", ""), outside: "no code"},
		{name: "organisation", row: nppesBare(h, "npi", "2200000349", "entity", "2", "org", "FRONT RANGE KETAMINE LLC", "ein", "<UNAVAIL>", "otherorg", "FRK", "otherorgtype", "3", "code", "261QM0801X", "primary", "Y"),
			check: func(r *directory.IdentityRecord) bool {
				return r.Kind == directory.Organisation && r.Organisation == "FRONT RANGE KETAMINE LLC" && r.Others[0].Type == "3" && r.Others[0].Organisation == "FRK" && r.Practice == nil
			}},
		{name: "a facility's nine digits are left out", row: nppesBare(h, "npi", "2200000349", "entity", "2", "org", "FRONT RANGE", "code", "261QM0801X", "licence", "100000741", "licstate", "CA"),
			check: func(r *directory.IdentityRecord) bool {
				return r.Taxonomies[0].Licence == directory.LicenceNumber{}
			}},
		{name: "foreign address", row: nppesRow(h, "country", "CA", "state", "ONTARIO", "zip", "K1A0B1"), check: func(r *directory.IdentityRecord) bool { return r.Practice == nil }},
		{name: "an army post is no state", row: nppesRow(h, "state", "AE"), check: func(r *directory.IdentityRecord) bool { return r.Practice.Address.State == "" }},
		{name: "a masked number", row: nppesRow(h, "licence", "$$$$$$$$$"), check: func(r *directory.IdentityRecord) bool {
			return r.Taxonomies[0].Licence == directory.LicenceNumber{}
		}},
		{name: "Illinois issues nine digits", row: nppesRow(h, "licence", "149012345", "licstate", "IL"), check: func(r *directory.IdentityRecord) bool { return r.Taxonomies[0].Licence.Key == "149012345" }},
		{name: "not every nine digits of Illinois", row: nppesRow(h, "licence", "519012345", "licstate", "IL"), reject: ssnReason},
		{name: "nine bare digits in Colorado", row: nppesRow(h, "licence", "900012345"), reject: ssnReason},
		{name: "nine bare digits without a state", row: nppesRow(h, "licence", "900012345", "licstate", ""), reject: ssnReason},
		{name: "hyphens in a licence slot", row: nppesRow(h, "licence", "900-01-2345"), reject: ssnReason},
		{name: "blanks in a licence slot", row: nppesRow(h, "licence", "900 01 2345"), reject: ssnReason},
		{name: "hyphens anywhere", row: nppesRow(h, "street", "CARE OF 900-01-2345"), reject: ssnReason},
		{name: "in a column that is not read", row: nppesRow(h, "mail", "SSN 900-01-2345"), reject: ssnReason},
		{name: "with wide hyphens", row: nppesRow(h, "street", "900–01–2345"), reject: ssnReason},
		{name: "a wrong check digit", row: nppesRow(h, "npi", "2000000011"), reject: "check digit"},
		{name: "a number of another kind", row: nppesRow(h, "npi", "9941339100"), reject: "first digit"},
		{name: "an impossible day", row: nppesRow(h, "enumerated", "02/30/2010"), reject: "Provider Enumeration Date"},
		{name: "a third entity type", row: nppesRow(h, "entity", "3"), reject: "Entity Type Code"},
		{name: "neither type nor deactivated", row: nppesRow(h, "entity", ""), reject: "Entity Type Code"},
		{name: "nobody's name", row: nppesRow(h, "first", "", "middle", "", "last", ""), reject: "without a name"},
		{name: "too few fields", row: nppesRow(h) + `,"MORE"`, reject: "331 fields"},
		{name: "a stray quotation mark", row: strings.Replace(nppesRow(h), "PEARL", `PE"ARL`, 1), reject: "quotation mark"},
	}
	good := nppesRow(h, "npi", "2900001530", "last", "NEXT")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, rep := importRows(t, h, c.all, c.row, good)
			if m.record("2900001530") == nil {
				t.Error("the row behind it was lost")
			}
			for i := range m.records {
				if holdsSSN(asJSON(m.records[i])) || strings.Contains(asJSON(m.records[i]), "900012345") {
					t.Error("a record holds what must not be held")
				}
			}
			switch {
			case c.reject != "":
				if len(m.rejects) != 1 || m.rejects[0].Line != 2 || !strings.Contains(m.rejects[0].Field+" "+m.rejects[0].Reason, c.reject) {
					t.Fatalf("rejects %+v, want %q", m.rejects, c.reject)
				}
				if c.reject == ssnReason && m.rejects[0].Text != "" || strings.Contains(asJSON(m.rejects), "2345") && c.reject == ssnReason {
					t.Errorf("the quarantine keeps the value: %+v", m.rejects)
				}
			case c.outside != "":
				if rep.Outside[c.outside] != 1 || m.outside != 1 || len(m.records) != 1 {
					t.Errorf("outside %v (%d)", rep.Outside, m.outside)
				}
			default:
				if len(m.records) != 2 {
					t.Fatalf("records %d, rejects %+v, outside %v", len(m.records), m.rejects, rep.Outside)
				}
				if !c.check(m.records[0].Identity) {
					t.Errorf("got %s", asJSON(m.records[0].Identity))
				}
			}
		})
	}
}

// TestNPPESFastPath reads the same rows with and without the cheap look.
func TestNPPESFastPath(t *testing.T) {
	h := nppesHeader(false)
	l, err := nppesLayout("x", h)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		row  string
		want bool
	}{
		{nppesRow(h, "code", "225100000X"), true},
		{nppesRow(h, "code", "225100000X", "code15", "103TC0700X"), false},
		{nppesRow(h), false},
		{nppesBare(h, "npi", "2000000028", "deactivated", "07/08/2014"), false},
		{strings.ReplaceAll(nppesRow(h, "code", "225100000X"), `"`, ""), false},
		{nppesRow(h, "code", "225100000X")[:500], false},
		{nppesRow(h, "code", "225100000X") + `,"X"`, false},
		{`"X"`, false},
		{`X"`, false},
		{"", false},
	} {
		if _, got := l.beyond([]byte(c.row)); got != c.want {
			t.Errorf("beyond(%.60s…) = %v, want %v", c.row, got, c.want)
		}
	}
	m, rep := importRows(t, h, false, strings.ReplaceAll(nppesRow(h, "code", "225100000X", "credential", "PT"), `"`, ""), nppesRow(h))
	if len(m.records) != 1 || rep.Outside["225100000X"] != 1 {
		t.Errorf("unquoted row: %d records, %v, %+v", len(m.records), rep.Outside, m.rejects)
	}
}

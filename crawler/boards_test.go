package crawler

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func accept(o *Options) { o.AcceptUnconfirmed = true }

func importBoard(t testing.TB, source string, rows ...string) (*memory, Report) {
	t.Helper()
	return importHeaded(t, source, boardRows[source].head, rows...)
}

func importHeaded(t testing.TB, source, head string, rows ...string) (*memory, Report) {
	t.Helper()
	m, rep, err := importFile(t, source, write(t, "roster_20261109.txt", head+strings.Join(rows, "")), accept)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return m, rep
}

// TestBoards reads one plain row of each board: every part of it, and nothing that must not be carried.
func TestBoards(t *testing.T) {
	maya := directory.Name{Given: "Maya", Middle: "N", Family: "Okafor"}
	number := func(raw, form string) directory.LicenceNumber {
		n := directory.ParseLicenceNumber(form)
		n.Raw = raw
		return n
	}
	for source, want := range map[string]directory.LicenceRecord{
		"wa-doh": {State: "WA", BoardType: "PSY", Number: number("PY.PY.60123456", "PY60123456"), Name: maya, Words: "ACTIVE", Standing: directory.SeenActive, Issued: "2015-03-01", Expires: "2027-08-31"},
		"il-idfpr": {State: "IL", BoardType: "PSY", Number: number("071000545", "071000545"), Name: maya, Words: "ACTIVE", Standing: directory.SeenActive, Issued: "2015-03-01", Expires: "2028-09-30",
			City: "Chicago", ZIP: "60617"},
		"ct-elicense": {State: "CT", BoardType: "LCSW", Number: number("3210", "3210"), Name: maya, Words: "ACTIVE, CURRENT", Standing: directory.SeenActive, Issued: "2015-03-01", Expires: "2027-08-31",
			City: "Hartford", ZIP: "06103", Discipline: directory.DisciplineUnsaid},
		"ca-dca": {State: "CA", BoardType: "LMFT", Number: number("46111", "46111"), Name: maya, Words: "Current", Standing: directory.SeenActive, Issued: "2015-03-01", Expires: "2027-08-31",
			City: "Oakland", ZIP: "94607", Discipline: directory.DisciplineUnsaid},
		"fl-mqa": {State: "FL", BoardType: "MD", Number: number("12345", "ME12345"), Name: maya, Words: "CLEAR, Active", Standing: directory.SeenActive, Issued: "2015-03-01", Expires: "2028-01-31",
			City: "Miami", ZIP: "33101"},
		"ny-opmc": {State: "NY", BoardType: "MD", Number: number("123456", "123456"), Name: maya, Actions: []directory.BoardAction{{Action: "Censure and reprimand.", Effective: "2019-03-01"}},
			Discipline: directory.DisciplineAlone},
		"tx-tmb": {State: "TX", BoardType: "PHYSICIAN LICENSE", Number: number("T1234", "T1234"), Name: maya, Words: "ACTIVE", Standing: directory.SeenActive, Expires: "2027-10-31", City: "Austin", ZIP: "78701"},
	} {
		m, _ := importBoard(t, source, boardRow(source))
		if len(m.records) != 1 || len(m.rejects) != 0 {
			t.Errorf("%s: %d records, rejects %+v", source, len(m.records), m.rejects)
			continue
		}
		if diff := cmp.Diff(want, *m.records[0].Licence); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
		said := asJSON(m.records)
		for _, never := range []string{"1971", "1970-1974", "HOME LANE", "Home Lane", "TAMPA", "example.org", "about patients"} {
			if strings.Contains(said, never) {
				t.Errorf("%s carries %q: %s", source, never, said)
			}
		}
		if m.rel.AsOf != "2026-11-09" || m.rel.Unconfirmed != (source == "tx-tmb") {
			t.Errorf("%s: as of %s, unconfirmed %v", source, m.rel.AsOf, m.rel.Unconfirmed)
		}
	}
}

// TestUnconfirmed refuses what nobody has seen, and marks the release of whoever insists.
func TestUnconfirmed(t *testing.T) {
	for _, source := range []string{"tx-tmb", "tx-tmb-delegation"} {
		path := write(t, "x_20261109.csv", boardRows[source].head+boardRow(source))
		m, _, err := importFile(t, source, path)
		if directory.KindOf(err) != directory.Refused || m.begun != 0 || !strings.Contains(err.Error(), "--accept-unconfirmed") {
			t.Errorf("%s without the option: %v", source, err)
		}
		if m, _, err = importFile(t, source, path, accept); err != nil || !m.rel.Unconfirmed || len(m.records) != 1 {
			t.Errorf("%s with it: %v, %+v", source, err, m.rel)
		}
	}
	m, _, err := importFile(t, "wa-doh", write(t, "x_20261109.csv", waHead+boardRow("wa-doh")), accept)
	if err != nil || m.rel.Unconfirmed {
		t.Errorf("a confirmed source: %v, %+v", err, m.rel)
	}
}

// vocabulary holds every status word that was read of a board, and what it means here. A word under
// SeenIndeterminate was read and is left to a person on purpose.
var vocabulary = map[string]map[directory.Observed][]string{
	"co-dora": {
		directory.SeenActive: {"active"}, directory.SeenRevoked: {"revoked"}, directory.SeenSurrendered: {"surrendered", "voluntary surrender"},
		directory.SeenSuspended: {"suspended", "suspended due to child support", "summary suspension"}, directory.SeenRetired: {"retired"},
		directory.SeenInactive: {"cancelled", "inactive"}, directory.SeenExpired: {"expired", "expired - dissolved", "beyond 6 years expired", "expired - telehealth only"},
		directory.SeenRestricted: {"Active - With Conditions"}, directory.SeenProbation: {"Active On Probation"},
	},
	"ct-elicense": {
		directory.SeenActive: {"active", "active in renewal"}, directory.SeenInactive: {"inactive*", "closed"}, directory.SeenExpired: {"lapsed"}, directory.SeenRetired: {"retired"},
		directory.SeenIndeterminate: {"denied"},
	},
	"il-idfpr": {
		directory.SeenActive: {"active"}, directory.SeenRevoked: {"revoked", "revoked chaperone required"}, directory.SeenSuspended: {"suspended", "suspended chaperone required"},
		directory.SeenSurrendered: {"voluntary surrender"}, directory.SeenExpired: {"not renewed", "expired", "expired-renewable"},
		directory.SeenInactive:   {"cancelled", "deceased", "permanent inactive", "inoperative", "closed", "change of ownership", "inactive", "insurance expired", "deceased chaperone required"},
		directory.SeenRestricted: {"ACTIVE CHAPERONE REQUIRED", "not renewed chaperone required", "permanent inactive chaperone required"},
		directory.SeenIndeterminate: {"terminated", "terminated card returned", "terminated without card", "terminated valid reason", "relinquish", "refuse to renew",
			"non sufficient fund check terminated", "relinquish chaperone required"},
	},
	"wa-doh": {
		directory.SeenActive: {"active"}, directory.SeenSuspended: {"suspended", "summary suspension"}, directory.SeenRevoked: {"revoked"}, directory.SeenSurrendered: {"surrender", "voluntary surrender"},
		directory.SeenRetired: {"retired"}, directory.SeenExpired: {"expired"}, directory.SeenInactive: {"inactive"}, directory.SeenIndeterminate: {"terminated"},
		directory.SeenProbation: {"Active On Probation"}, directory.SeenRestricted: {"ACTIVE WITH CONDITIONS"},
	},
	"ca-dca": {
		directory.SeenActive: {"current", "active"}, directory.SeenSuspended: {"suspension", "suspended"}, directory.SeenInactive: {"currentinactive", "inactive"}, directory.SeenExpired: {"expired", "Delinquent"},
	},
	"tx-bhec": {
		directory.SeenActive: {"Active"}, directory.SeenInactive: {"Inactive"}, directory.SeenExpired: {"Expired", "Delinquent"}, directory.SeenProbation: {"Probated/Suspended"}, directory.SeenSuspended: {"Suspended"},
	},
	"fl-mqa": {
		directory.SeenActive: {"CLEAR"}, directory.SeenRevoked: {"REVOKED"}, directory.SeenInactive: {"DECEASED"}, directory.SeenProbation: {"Probation"}, directory.SeenRestricted: {"Conditional"},
		directory.SeenRetired: {"Retired"}, directory.SeenExpired: {"Delinquent", "Null And Void"}, directory.SeenSuspended: {"Suspended"}, directory.SeenSurrendered: {"Disc Relinquish"},
		directory.SeenIndeterminate: {"Obligations", "Military Active", "Vol Relinquish", "Denied - Rnewal", "Expired Appl", "Denied"},
	},
	"tx-tmb": { // of the column for discipline; the clean ones beside an active registration
		directory.SeenActive: {"NONE", "COMPLAINT DISMISSED"}, directory.SeenSuspended: {"SUSPENDED BY BOARD", "TEMPORARILY SUSPENDED"}, directory.SeenRevoked: {"REVOKED", "REVOKED BY BOARD"},
		directory.SeenRestricted: {"UNDER BOARD ORDER"}, directory.SeenIndeterminate: {"CANCELLED BY BOARD", "FILED BY BOARD", "SEE PREVIOUS ORDER", "DISP. ACTION CLEARED"},
	},
	"tx-tmb, licence": {
		directory.SeenRevoked: {"REVOKED"}, directory.SeenSuspended: {"SUSPENDED"}, directory.SeenRestricted: {"PERM. LICENSE RESTRICTED"},
		directory.SeenIndeterminate: {"AUTOMATIC LICENSURE CANCELLED", "AUTOMATIC LIC (CANC) PENDING"},
	},
}

// statusColumns are those in which the words of the vocabulary stand.
var statusColumns = map[string]string{"co-dora": "licensestatusdescription", "ct-elicense": "Status", "il-idfpr": "license_status", "wa-doh": "Status", "ca-dca": "License Status",
	"tx-bhec": "LIC_STATUS", "fl-mqa": "License-Status-Description", "tx-tmb": "disciplinary_status", "tx-tmb, licence": "license_status"}

// TestVocabulary imports a row with each word. A word that no table explains is for a person.
func TestVocabulary(t *testing.T) {
	for board, words := range vocabulary {
		source, _, _ := strings.Cut(board, ",")
		column := statusColumns[board]
		row := func(word string) string {
			switch source {
			case "co-dora":
				return coHead + coRow(column, word)
			case "tx-bhec":
				return txHead + txRow(column, word)
			case "ct-elicense":
				return ctHead + boardRow(source, column, word, "StatusReason", "", "Active", "")
			case "tx-tmb":
				return tmbHead + boardRow(source, column, word, "currently_licensed", "")
			}
			return boardRows[source].head + boardRow(source, column, word)
		}
		words := byWord(words)
		words["Something New"] = directory.SeenIndeterminate
		for word, want := range words {
			m, _, err := importFile(t, source, write(t, "x_20261109.txt", row(word)), accept)
			if err != nil || len(m.records) != 1 {
				t.Errorf("%s %q: %v, %+v", board, word, err, m.rejects)
				continue
			}
			if got := m.records[0].Licence; got.Standing != want {
				t.Errorf("%s %q is %s, want %s", board, word, got.Standing, want)
			}
		}
	}
}

func byWord(words map[directory.Observed][]string) map[string]directory.Observed {
	out := map[string]directory.Observed{}
	for o, list := range words {
		for _, w := range list {
			out[w] = o
		}
	}
	return out
}

// TestVocabularyIsWhole holds the words to those that were collected of the boards.
func TestVocabularyIsWhole(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(samples(t), "status_vocab.json"))
	if err != nil {
		t.Fatal(err)
	}
	var boards map[string]json.RawMessage
	if err := json.Unmarshal(raw, &boards); err != nil {
		t.Fatal(err)
	}
	for name, ours := range map[string][]string{"CO-DORA": {"co-dora"}, "CT-eLicense": {"ct-elicense"}, "IL-IDFPR": {"il-idfpr"}, "WA-DOH": {"wa-doh"}, "CA-DCA": {"ca-dca"}, "TX-BHEC": {"tx-bhec"},
		"TX-TMB": {"tx-tmb", "tx-tmb, licence"}, "FL-MQA": {"fl-mqa"}} {
		known := map[string]bool{}
		for _, b := range ours {
			for w := range byWord(vocabulary[b]) {
				known[directory.Fold(w)] = true
			}
		}
		var lists map[string]any
		if err := json.Unmarshal(boards[name], &lists); err != nil {
			t.Fatal(err)
		}
		n := 0
		for class, list := range lists {
			if class == "discpl_actn" || class == "active_status" || class == "board_action_indicator" {
				continue // columns of their own
			}
			words, _ := list.([]any)
			for _, w := range words {
				word, _, _ := strings.Cut(w.(string), " (only with reason")
				if n++; !known[directory.Fold(word)] {
					t.Errorf("%s: %q is neither mapped nor left to a person on purpose", name, word)
				}
			}
		}
		if n == 0 {
			t.Errorf("%s has no words", name)
		}
	}
}

// TestBoardRows are the traps of each board, one row at a time: what it is read as, or why it is not.
func TestBoardRows(t *testing.T) {
	const (
		flagged = directory.DisciplineFlagged
		unsaid  = directory.DisciplineUnsaid
		shown   = directory.DisciplineShown
	)
	for _, c := range []struct {
		name, source string
		more         []string
		key          string
		standing     directory.Observed
		discipline   directory.Discipline
	}{
		{"the number of 2018", "wa-doh", []string{"CredentialNumber", "RN60554847", "CredentialType", "Registered Nurse License"}, "WA:RN:RN60554847", directory.SeenActive, shown},
		{"the number of today", "wa-doh", []string{"CredentialNumber", "MD.MD.60441019", "CredentialType", "Physician And Surgeon License"}, "WA:MD:MD60441019", directory.SeenActive, shown},
		{"the same licence in the old form", "wa-doh", []string{"CredentialNumber", "MD60441019", "CredentialType", "Physician And Surgeon License"}, "WA:MD:MD60441019", directory.SeenActive, shown},
		{"a compact's number", "wa-doh", []string{"CredentialNumber", "DO.OP.60817760-IMLC", "CredentialType", "Osteopathic Physician and Surgeon License"}, "WA:DO:OP60817760", directory.SeenActive, shown},
		{"an action that the row does not explain", "wa-doh", []string{"ActionTaken", "Yes"}, "WA:PSY:PY60123456", directory.SeenIndeterminate, flagged},
		{"an action that is not decided", "wa-doh", []string{"ActionTaken", "Pending"}, "WA:PSY:PY60123456", directory.SeenActive, unsaid},
		{"an action that nobody told of", "wa-doh", []string{"ActionTaken", ""}, "WA:PSY:PY60123456", directory.SeenIndeterminate, flagged},
		{"expired when it was read", "wa-doh", []string{"ExpirationDate", "20261108"}, "WA:PSY:PY60123456", directory.SeenIndeterminate, shown},
		{"a suspension, and the flag", "wa-doh", []string{"Status", "SUSPENDED", "ActionTaken", "Yes"}, "WA:PSY:PY60123456", directory.SeenSuspended, flagged},
		{"zeros in front", "il-idfpr", []string{"license_number", "071000545"}, "IL:PSY:71000545", directory.SeenActive, shown},
		{"no zeros in front", "il-idfpr", []string{"license_number", "71000545"}, "IL:PSY:71000545", directory.SeenActive, shown},
		{"disciplined, and no case", "il-idfpr", []string{"ever_disciplined", "Y"}, "IL:PSY:71000545", directory.SeenIndeterminate, flagged},
		{"an MD", "il-idfpr", []string{"description", "LICENSED PHYSICIAN AND SURGEON", "suffix", "MD", "license_number", "036123456"}, "IL:MD:36123456", directory.SeenActive, shown},
		{"a DO", "il-idfpr", []string{"description", "LICENSED PHYSICIAN AND SURGEON", "suffix", "DO", "license_number", "036123456"}, "IL:DO:36123456", directory.SeenActive, shown},
		{"a nurse with the population", "il-idfpr", []string{"description", "ADVANCED PRACTICE REGISTERED NURSE", "specialty_qualifier", "PSYCHIATRIC MENTAL HEALTH", "license_number", "209000001"}, "IL:APRN:209000001", directory.SeenActive, shown},
		{"inactive, with the reason", "ct-elicense", []string{"Status", "INACTIVE", "StatusReason", "LAPSED DUE TO NON-RENEWAL", "Active", "0"}, "CT:LCSW:3210", directory.SeenExpired, unsaid},
		{"inactive, for a reason that nobody knows", "ct-elicense", []string{"Status", "INACTIVE", "StatusReason", "CONSENT ORDER", "Active", "0"}, "CT:LCSW:3210", directory.SeenIndeterminate, unsaid},
		{"active, for a reason that is none", "ct-elicense", []string{"StatusReason", "LAPSED DUE TO NON-RENEWAL"}, "CT:LCSW:3210", directory.SeenIndeterminate, unsaid},
		{"active in renewal", "ct-elicense", []string{"Status", "ACTIVE IN RENEWAL", "StatusReason", "IN RENEWAL"}, "CT:LCSW:3210", directory.SeenActive, unsaid},
		{"active and not active", "ct-elicense", []string{"Active", "0"}, "CT:LCSW:3210", directory.SeenIndeterminate, unsaid},
		{"inactive in both", "ct-elicense", []string{"Status", "INACTIVE", "StatusReason", "", "Active", "No"}, "CT:LCSW:3210", directory.SeenInactive, unsaid},
		{"quotation marks that are none", "ca-dca", []string{"First Name", `MAYA "MAY`, "Address Line 1", `"A" STREET`}, "CA:LMFT:46111", directory.SeenActive, unsaid},
		{"a date with slashes", "ca-dca", []string{"Expiration Date", "08/31/2027"}, "CA:LMFT:46111", directory.SeenActive, unsaid},
		{"clear and inactive", "fl-mqa", []string{"License-Active-Status-Description", "Inactive"}, "FL:MD:ME12345", directory.SeenInactive, shown},
		{"Clear in small letters", "fl-mqa", []string{"License-Status-Description", "Clear"}, "FL:MD:ME12345", directory.SeenActive, shown},
		{"clear alone", "fl-mqa", []string{"License-Active-Status-Description", ""}, "FL:MD:ME12345", directory.SeenIndeterminate, shown},
		{"delinquent, and otherwise in use", "fl-mqa", []string{"License-Status-Description", "Delinquent"}, "FL:MD:ME12345", directory.SeenExpired, shown},
		{"a stray quotation mark", "fl-mqa", []string{"Name-Suffix", `"DE`}, "FL:MD:ME12345", directory.SeenActive, shown},
		{"a board action", "fl-mqa", []string{"Board-Action-Indicator", "Y"}, "FL:MD:ME12345", directory.SeenIndeterminate, flagged},
		{"the rank in the number already", "fl-mqa", []string{"License-Number", "ME12345"}, "FL:MD:ME12345", directory.SeenActive, shown},
		{"under an order", "tx-tmb", []string{"disciplinary_status", "UNDER BOARD ORDER", "current_board_action_description", "PUBLIC REPRIMAND", "current_board_action_date", "2024-03-01T00:00:00.000"}, "TX:PHYSICIAN LICENSE:T1234", directory.SeenRestricted, shown},
		{"an action that was cleared", "tx-tmb", []string{"disciplinary_status", "DISP. ACTION CLEARED"}, "TX:PHYSICIAN LICENSE:T1234", directory.SeenIndeterminate, flagged},
		{"active and not licensed", "tx-tmb", []string{"currently_licensed", "N"}, "TX:PHYSICIAN LICENSE:T1234", directory.SeenIndeterminate, shown},
	} {
		m, _ := importBoard(t, c.source, boardRow(c.source, c.more...))
		if len(m.records) != 1 || len(m.rejects) != 0 {
			t.Errorf("%s, %s: %d records, rejects %+v", c.source, c.name, len(m.records), m.rejects)
			continue
		}
		if r := m.records[0]; r.Key != c.key || r.Licence.Standing != c.standing || r.Licence.Discipline != c.discipline {
			t.Errorf("%s, %s: %s %s %q, want %s %s %q", c.source, c.name, r.Key, r.Licence.Standing, r.Licence.Discipline, c.key, c.standing, c.discipline)
		}
	}
	m, _ := importBoard(t, "il-idfpr", boardRow("il-idfpr", "description", "ADVANCED PRACTICE REGISTERED NURSE", "specialty_qualifier", "PSYCHIATRIC MENTAL HEALTH"))
	if m.records[0].Licence.BoardType != "APRN+PMH" {
		t.Errorf("psychiatric population: %s", m.records[0].Licence.BoardType)
	}
}

// TestBoardOutside are rows that are valid and not read.
func TestBoardOutside(t *testing.T) {
	for _, c := range []struct {
		name, source string
		more         []string
		want         string
	}{
		{"another type", "wa-doh", []string{"CredentialType", "Dentist License"}, "WA:DENTISTLICENSE"},
		{"a business", "il-idfpr", []string{"business", "Y"}, "IL:of no person"},
		{"a licence to prescribe beside the licence", "il-idfpr", []string{"description", "LICENSED PHYSICIAN CONTROLLED SUBSTANCE"}, "IL:LICENSEDPHYSICIANCONTROLLEDSUBSTANCE"},
		{"an MD or a DO", "il-idfpr", []string{"description", "LICENSED PHYSICIAN AND SURGEON"}, "IL:LICENSEDPHYSICIANANDSURGEON, MD or DO not said"},
		{"a business", "ct-elicense", []string{"Type", "BUSINESS"}, "CT:of no person"},
		{"an organisation", "ca-dca", []string{"Indiv/Org", "O"}, "CA:of no person"},
		{"nobody's licence", "ny-opmc", []string{"License Number", "000000"}, "NY:no licence"},
		{"a restoration", "ny-opmc", []string{"Action", "License restored with conditions."}, "NY:no discipline"},
		{"no new action", "ny-opmc", []string{"Action", "Modification order. This does not constitute a new action."}, "NY:no discipline"},
	} {
		number := map[string]string{"wa-doh": "CredentialNumber", "il-idfpr": "license_number", "ct-elicense": "CredentialNumber", "ca-dca": "License Number", "ny-opmc": "License Number"}[c.source]
		m, rep := importBoard(t, c.source, boardRow(c.source), boardRow(c.source, append([]string{number, "999001"}, c.more...)...))
		if len(m.records) != 1 || m.outside != 1 || rep.Outside[c.want] != 1 || len(m.rejects) != 0 {
			t.Errorf("%s, %s: %d records, outside %v, rejects %+v", c.source, c.name, len(m.records), rep.Outside, m.rejects)
		}
	}
}

// TestBoardQuarantine puts a bad row between two good ones.
func TestBoardQuarantine(t *testing.T) {
	two := func(source, column, a, b string) (string, string) {
		return boardRow(source, column, a), boardRow(source, column, b)
	}
	for _, c := range []struct{ name, source, column, bad, field, reason string }{
		{"a masked number", "il-idfpr", "license_number", boardRow("il-idfpr", "license_number", "39*****99"), "license_number", "masked"},
		{"a row too wide", "fl-mqa", "License-Number", strings.TrimSuffix(boardRow("fl-mqa", "License-Number", "8"), "\n") + "x|\n", "", "fields where the header has 39"},
		{"a row too narrow", "fl-mqa", "License-Number", "1501|Medical Doctor|1|\n", "", "4 fields where the header has 39"},
		{"a tab in a name", "ca-dca", "License Number", boardRow("ca-dca", "First Name", "MA\tYA"), "", "21 fields where the header has 20"},
		{"a date as another board writes it", "wa-doh", "CredentialNumber", boardRow("wa-doh", "ExpirationDate", "31.08.2027"), "ExpirationDate", "not a date"},
		{"no number", "fl-mqa", "License-Number", boardRow("fl-mqa", "License-Number", ""), "License-Number", "no licence number"},
		{"a Social Security number", "ca-dca", "License Number", boardRow("ca-dca", "Address Line 1", "900-01-2345"), "Address Line 1", ssnReason},
		{"nine digits", "fl-mqa", "License-Number", boardRow("fl-mqa", "License-Number", "900012345"), "License-Number", ssnReason},
	} {
		a, b := two(c.source, c.column, "41", "42")
		m, _ := importBoard(t, c.source, a, c.bad, b)
		if len(m.records) != 2 || len(m.rejects) != 1 || m.rejects[0].Line != 3 || m.rejects[0].Field != c.field || !strings.Contains(m.rejects[0].Reason, c.reason) {
			t.Errorf("%s, %s: %d records, rejects %+v", c.source, c.name, len(m.records), m.rejects)
		}
	}
}

// TestIllinoisCases merges the discipline of one licence, leaves an impossible date out, and reads the
// names of the site's own export.
func TestIllinoisCases(t *testing.T) {
	m, _ := importBoard(t, "il-idfpr",
		boardRow("il-idfpr", "ever_disciplined", "Y", "case_number", "2011-1", "action", "Reprimand", "discipline_start_date", "01/05/2011", "discipline_end_date", "02/05/2011", "discipline_reason", "words of a person"),
		boardRow("il-idfpr", "license_number", "071000999"),
		boardRow("il-idfpr", "ever_disciplined", "Y", "case_number", "2019-2", "action", "Probation", "discipline_start_date", "03/01/2019"))
	r := m.record("IL:PSY:71000545")
	want := []directory.BoardAction{{Case: "2011-1", Action: "Reprimand", Effective: "2011-01-05", Completed: "2011-02-05"}, {Case: "2019-2", Action: "Probation", Effective: "2019-03-01"}}
	if diff := cmp.Diff(want, r.Licence.Actions); diff != "" || len(m.records) != 2 || r.Licence.Standing != directory.SeenActive || r.Licence.Discipline != directory.DisciplineShown {
		t.Errorf("%d records, %s, %q (-want +got):\n%s", len(m.records), r.Licence.Standing, r.Licence.Discipline, diff)
	}
	if strings.Contains(asJSON(m.records), "words of a person") || strings.Contains(asJSON(m.records), "None") {
		t.Errorf("%s", asJSON(m.records))
	}
	m, _ = importBoard(t, "il-idfpr", boardRow("il-idfpr", "original_issue_date", "09/30/2109"))
	if l := m.records[0].Licence; l.Issued != "" || l.Standing != directory.SeenActive || len(m.rejects) != 1 || !m.rejects[0].Partial || m.rejects[0].Field != "original_issue_date" {
		t.Errorf("issued in 2109: %+v, rejects %+v", l, m.rejects)
	}
	export := strings.NewReplacer("license_type", "License Type", "license_number", "License Number", "license_status", "License Status", "specialty_qualifier", "Specialty/Qualifier", "ever_disciplined", "Ever Disciplined",
		"case_number", "Case Number", "expiration_date", "Expiration Date").Replace(ilHead)
	m, _ = importHeaded(t, "il-idfpr", export, boardRow("il-idfpr"))
	if len(m.records) != 1 || m.records[0].Licence.Standing != directory.SeenActive {
		t.Errorf("the export's header: %+v", m.rejects)
	}
}

// TestCaliforniaHeaders reads both layouts. A number is unique only within its type.
func TestCaliforniaHeaders(t *testing.T) {
	row := boardRowIn("ca-dca", caOld, "License Type", "Physician and Surgeon", "License Number", "A 98765", "School", "A SCHOOL", "Year Graduated", "1999", "Degree", "MD")
	m, _ := importHeaded(t, "ca-dca", caOld, row, boardRowIn("ca-dca", caOld, "License Number", "98765"), boardRowIn("ca-dca", caOld, "License Type", "Licensed Clinical Social Worker", "License Number", "98765"))
	var keys []string
	for _, r := range m.records {
		keys = append(keys, r.Key)
	}
	if diff := cmp.Diff([]string{"CA:MD:A98765", "CA:LMFT:98765", "CA:LCSW:98765"}, keys); diff != "" || strings.Contains(asJSON(m.records), "1999") || strings.Contains(asJSON(m.records), "A SCHOOL") {
		t.Errorf("(-want +got):\n%s%s", diff, asJSON(m.records))
	}
	_, _, err := importFile(t, "ca-dca", write(t, "x_20261109.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"+strings.Repeat("\x00", 600)))
	if err == nil || !strings.Contains(err.Error(), "old Excel workbook") {
		t.Errorf("a workbook that is one: %v", err)
	}
}

// TestFloridaFiles reads the file without a header, and refuses the list of complaints.
func TestFloridaFiles(t *testing.T) {
	rows := "1501|ME|12345|Active|Clear|05/16/1979|02/28/2027|01/30/2025|ALEX||EXAMPLE|Y|N|N|N\n" + // a complaint is an allegation
		"1501|ME|12346|Active|Clear|05/16/1979|02/28/2027|01/30/2025|ALEX||EXAMPLE|N|N|Y|N\n" +
		"1501|ME|12347|Active|Clear|05/16/1979|02/28/2027|01/30/2025|ALEX||EXAMPLE|N|Y|N|N\n" +
		"1501|ME|12348|Active|Probation|05/16/1979|02/28/2027|01/30/2025|ALEX\n" +
		"701|DN|5|Active|Clear|05/16/1979|02/28/2027|01/30/2025|ALEX||EXAMPLE|N|N|N|N\n"
	m, rep, err := importFile(t, "fl-mqa", write(t, "lic_status_20261109.dat", rows))
	if err != nil || len(m.records) != 3 || rep.Outside["FL:DN"] != 1 || len(m.rejects) != 1 || m.rejects[0].Line != 4 {
		t.Fatalf("%v: %d records, outside %v, rejects %+v", err, len(m.records), rep.Outside, m.rejects)
	}
	a, b, e := m.records[0], m.records[1].Licence, m.records[2].Licence
	if a.Line != 1 || a.Key != "FL:MD:ME12345" || a.Licence.Standing != directory.SeenActive || a.Licence.Discipline != directory.DisciplineShown || a.Licence.Issued != "1979-05-16" || a.Licence.Name.Given != "Alex" {
		t.Errorf("%+v %+v", a, a.Licence)
	}
	if strings.Contains(asJSON(a), "Complaint") {
		t.Errorf("the complaint is carried: %s", asJSON(a))
	}
	if b.Discipline != directory.DisciplineFlagged || e.Discipline != directory.DisciplineFlagged || b.Standing != directory.SeenIndeterminate {
		t.Errorf("a final order: %+v, an emergency order: %+v", b, e)
	}
	complaints := "Respondent Name|License Number|Profession|Addr Line 1|Addr Line 2|City|State|Zip|Case Number|Case Activity Type|Case Activity Date|\nEXAMPLE, ALEX|ME12345|Medical Doctor|||||||Administrative Complaint|01/02/2026|\n"
	m, _, err = importFile(t, "fl-mqa", write(t, "dxe004dd_20261109.txt", complaints))
	if err == nil || m.begun != 0 || !strings.Contains(err.Error(), "a complaint is an allegation") {
		t.Errorf("complaints: %v", err)
	}
}

// TestNewYorkActions gathers what is listed of one licence; a restoration beside an action stays for the
// person who reads it, and makes no action of its own.
func TestNewYorkActions(t *testing.T) {
	m, _ := importBoard(t, "ny-opmc", boardRow("ny-opmc", "Action", "Revocation of license.", "Effective Date", "05/06/1994"),
		boardRow("ny-opmc", "Action", "License restored.", "Effective Date", "05/06/2004"), boardRow("ny-opmc", "License Type", "SA"))
	if len(m.records) != 1 || m.outside != 1 {
		t.Fatalf("%d records, %d outside", len(m.records), m.outside)
	}
	r := m.records[0]
	want := []directory.BoardAction{{Action: "Revocation of license.", Effective: "1994-05-06"}}
	if diff := cmp.Diff(want, r.Licence.Actions); diff != "" || r.Fields["Action"] != "Revocation of license. | License restored." || r.Licence.Standing != "" {
		t.Errorf("%+v (-want +got):\n%s", r, diff)
	}
	saw := r.Observations(m.rel, directory.Match{Rung: directory.M5, By: []string{"licence"}})
	if len(saw) != 1 || saw[0].Claim.Kind != directory.DisciplineScreen || saw[0].Body.State != directory.SeenRestricted {
		t.Errorf("it speaks of the licence: %+v", saw)
	}
}

// TestBoardObservations says what each kind of register may say of discipline: one that shows none says nothing.
func TestBoardObservations(t *testing.T) {
	exact := directory.Match{Rung: directory.M5, By: []string{"licence"}}
	for _, c := range []struct {
		source string
		more   []string
		want   []directory.Observed // of the licence, and of the screen
	}{
		{"wa-doh", nil, []directory.Observed{directory.SeenActive, directory.SeenClear}},
		{"wa-doh", []string{"ActionTaken", "Yes"}, []directory.Observed{directory.SeenIndeterminate, directory.SeenIndeterminate}},
		{"wa-doh", []string{"ActionTaken", "Pending"}, []directory.Observed{directory.SeenActive}},
		{"wa-doh", []string{"ActionTaken", "Yes", "Status", "REVOKED"}, []directory.Observed{directory.SeenRevoked, directory.SeenRevoked}},
		{"ca-dca", nil, []directory.Observed{directory.SeenActive}},
		{"ca-dca", []string{"License Status", "Suspended"}, []directory.Observed{directory.SeenSuspended}},
		{"ct-elicense", nil, []directory.Observed{directory.SeenActive}},
		{"fl-mqa", []string{"Board-Action-Indicator", "Y"}, []directory.Observed{directory.SeenIndeterminate, directory.SeenIndeterminate}},
		{"tx-tmb", []string{"disciplinary_status", "SUSPENDED BY BOARD"}, nil},
		{"tx-tmb", nil, []directory.Observed{""}}, // a listing's word has no state
	} {
		m, _ := importBoard(t, c.source, boardRow(c.source, c.more...))
		var got []directory.Observed
		for _, st := range m.records[0].Observations(m.rel, exact) {
			got = append(got, st.Body.State)
			if listed := st.Type == directory.Assert && st.Body.Class == directory.ClassListing; listed != m.rel.Unconfirmed {
				t.Errorf("%s %v: %+v", c.source, c.more, st)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %v: %v, want %v", c.source, c.more, got, c.want)
		}
	}
}

func TestDelegations(t *testing.T) {
	row := func(more ...string) string { return boardRow("tx-tmb-delegation", more...) }
	m, rep := importBoard(t, "tx-tmb-delegation", row(), row("Delegate License Number", "777", "Delegate License Type", "Advanced Practice Registered Nurse", "End Date", "02/01/2025"),
		row("Delegate License Type", "Pharmacist"), row("Delegate License Number", "000"), row("Delegate License Number", "900-01-2345"), row("Begin Date", "soon"))
	if len(m.records) != 2 || rep.Outside["TX:PHARMACIST"] != 1 || len(m.rejects) != 3 {
		t.Fatalf("%d records, outside %v, rejects %+v", len(m.records), rep.Outside, m.rejects)
	}
	want := directory.DelegationRecord{State: "TX", From: "2024-03-01",
		Physician: directory.Licensee{Name: directory.Name{Given: "Maya", Family: "Okafor"}, BoardType: "PHYSICIAN LICENSE", Number: directory.ParseLicenceNumber("T1234")},
		Delegate:  directory.Licensee{Name: directory.Name{Given: "Tamsin", Middle: "J", Family: "Bell"}, BoardType: "PA", Number: directory.ParseLicenceNumber("PA05555")}}
	if diff := cmp.Diff(want, *m.records[0].Delegation); diff != "" || m.records[0].Key != "TX:T1234:PA:PA5555" {
		t.Errorf("%s (-want +got):\n%s", m.records[0].Key, diff)
	}
}

// TestNumbersMatch compares a register's number with the forms in which others write it (formats.md §4).
func TestNumbersMatch(t *testing.T) {
	for _, c := range []struct {
		source string
		more   []string
		title  string
		forms  []string
		other  []string
	}{
		{"wa-doh", []string{"CredentialNumber", "MD.MD.60441019", "CredentialType", "Physician And Surgeon License"}, "MD", []string{"MD60441019", "MD 60441019", "60441019", "MD.MD.60441019"}, []string{"60441018"}},
		{"il-idfpr", []string{"license_number", "071000545"}, "PSY", []string{"071-000545", "71000545", "071000545"}, []string{"71545", "000545"}},
		{"fl-mqa", nil, "MD", []string{"ME12345", "12345", "ME 12345"}, []string{"ME1234"}},
		{"ca-dca", nil, "LMFT", []string{"LMFT 46111", "46111", "#46111"}, []string{"LMFT 4611"}},
	} {
		m, _ := importBoard(t, c.source, boardRow(c.source, c.more...))
		rec := m.records[0]
		for i, form := range append(slices.Clone(c.forms), c.other...) {
			s := directory.Subject{Kind: directory.Person, Names: []directory.Name{{Given: "Maya", Family: "Okafor"}},
				Licences: []directory.LicenceKey{{State: rec.Licence.State, Type: c.title, Number: directory.ParseLicenceNumber(form)}}}
			if match := directory.MatchSubjects(rec.Subject(), s); (match.Rung == directory.M5) != (i < len(c.forms)) {
				t.Errorf("%s %s beside %q: %+v", c.source, rec.Key, form, match)
			}
			s.Names[0].Family = "Quillfeather"
			if match := directory.MatchSubjects(rec.Subject(), s); match.Rung == directory.M5 || match.Rung == directory.M4 {
				t.Errorf("%s beside %q of somebody else: %+v", c.source, form, match)
			}
		}
	}
}

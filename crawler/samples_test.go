package crawler

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kapdir/directory"
)

// samples is the folder of real headers and rows, which is no part of the project: real people's rows are
// not committed. Where it is absent, the tests are skipped, or under KAPDIR_REQUIRE run on invented files
// of the same layout, since CI skips nothing and has no samples.
func samples(t *testing.T) string {
	t.Helper()
	const dir = "../../shared/samples"
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	if os.Getenv("KAPDIR_REQUIRE") == "" {
		t.Skip("the samples are not here")
	}
	return standIn(t)
}

// standIn writes invented files in the layout of the samples.
func standIn(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name, text string) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("headers/header_nppes_npidata.txt", strings.Join(nppesHeader(false), "\n"))
	old := nppesHeader(true)
	numbers := []string{"2000000010", "2000000028", "2000000036", "2100000175", "2200000349", "2300000512", "2400000685", "2500000858", "2600001020", "2700001193"}
	rows := quoteRow(old) + "\n"
	for i, n := range numbers {
		code := "207RC0000X"
		if i == 8 {
			code = "207R00000X"
		}
		rows += nppesRow(old, "npi", n, "code", code) + "\n"
	}
	put("nppes_first10.csv", rows)
	result := api2019[strings.Index(api2019, `{"enumeration_type"`) : len(api2019)-2]
	for i := range 8 {
		var results []string
		for _, n := range numbers[:5] {
			results = append(results, strings.Replace(result, "2000000010", n, 1))
		}
		put("npi_api/answer-"+itoa(i)+".json", `{"result_count":5,"results":[`+strings.Join(results, ",\n")+`]}`)
	}
	put("npi_api/error-1.json", `{"Errors":[{"field":"generic","number":"04","description":"No valid search criteria provided"}]}`)
	put("npi_api/error-2.json", `{"Errors":[{"field":"enumeration_type","number":"09","description":"enumeration_type requires additional search criteria"}]}`)
	put("state_headers/CO_DORA.csv", coHead)
	put("state_headers/TX_BHEC.csv", txHead)
	put("state_headers/WA_DOH.csv", waHead)
	put("state_headers/IL_IDFPR.csv", ilHead)
	put("state_headers/CT_eLicense.csv", ctHead)
	put("state_headers/NY_OPMC.csv", nyHead)
	put("state_headers/CA_DCA.tsv", caHead)
	put("state_headers/FL_MQA_licensure.psv", flHead)
	put("state_headers/FL_MQA_admin_complaints.psv", "Respondent Name|License Number|Profession|Addr Line 1|Addr Line 2|City|State|Zip|Case Number|Case Activity Type|Case Activity Date|\n")
	put("status_vocab.json", `{"CO-DORA":{"dead":["revoked"]},"CT-eLicense":{"active":["active in renewal (only with reason: current)"]},"IL-IDFPR":{"lapsed":["not renewed"]},
		"WA-DOH":{"dead":["surrender"]},"CA-DCA":{"active":["current"]},"TX-BHEC":{"seen":["Probated/Suspended"],"discpl_actn":["Yes"]},
		"TX-TMB":{"not_a_current_sanction":["NONE"]},"FL-MQA":{"license_status":["CLEAR"],"active_status":["Active"]}}`)
	put("state_headers/DE_DPR.csv", "license_no,last_name,first_name,license_type,license_status,expiration_date,disciplinary_action\n")
	rows = samHead(samLayouts[1])
	for i := range 199 {
		n := itoa(i)
		rows += samRowOf(samLayouts[1], samSet("Classification", []string{"Firm", "Special Entity Designation", "Vessel"}[i%3], "First", "", "Middle", "", "Last", "", "Name", "SAMPLE "+n))
	}
	put("sam_first200.csv", rows)
	return dir
}

func TestSampleNPPES(t *testing.T) {
	dir := samples(t)
	m, rep, err := importFile(t, "nppes", filepath.Join(dir, "nppes_first10.csv"))
	if err != nil || len(m.records) != 1 || m.outside != 9 || len(m.rejects) != 0 {
		t.Errorf("%v: %d records, %d outside %v, rejects %+v", err, len(m.records), m.outside, rep.Outside, m.rejects)
	}
	m, _, err = importFile(t, "nppes", filepath.Join(dir, "nppes_first10.csv"), func(o *Options) { o.All = true })
	if err != nil || len(m.records) != 10 || len(m.rejects) != 0 {
		t.Errorf("all: %v: %d records, rejects %+v", err, len(m.records), m.rejects)
	}
	head, err := os.ReadFile(filepath.Join(dir, "headers", "header_nppes_npidata.txt"))
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Split(strings.TrimSpace(string(head)), "\n")
	ours := nppesHeader(false)
	for i := range ours {
		if i >= len(names) || names[i] != ours[i] {
			t.Fatalf("column %d of the fixture is %q, of the publisher %q", i+1, ours[i], names[i])
		}
	}
}

func TestSampleAnswers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(samples(t), "npi_api", "*.json"))
	if err != nil || len(files) < 10 {
		t.Fatal(err, len(files))
	}
	errors, records := 0, 0
	for _, f := range files {
		m, _, err := importFile(t, "npi-api", f, func(o *Options) { o.All = true })
		if err != nil {
			if !strings.Contains(err.Error(), "answered with an error") {
				t.Errorf("%s: %v", f, err)
			}
			errors++
			continue
		}
		if len(m.records) == 0 || len(m.rejects) != 0 {
			t.Errorf("%s: %d records, rejects %+v", f, len(m.records), m.rejects)
		}
		records += len(m.records)
	}
	if errors != 2 || records < 40 {
		t.Errorf("%d error bodies, %d records", errors, records)
	}
}

// TestSampleHeaders finds every header to be its own source's and of no other.
func TestSampleHeaders(t *testing.T) {
	dir := samples(t)
	files, err := filepath.Glob(filepath.Join(dir, "state_headers", "*"))
	if err != nil || len(files) < 8 {
		t.Fatal(err, len(files))
	}
	own := map[string]string{"CO_": "co-dora", "TX_BHEC": "tx-bhec", "WA_": "wa-doh", "IL_": "il-idfpr", "CT_": "ct-elicense", "CA_": "ca-dca", "FL_MQA_licensure": "fl-mqa", "NY_": "ny-opmc"}
	found := 0
	for _, f := range append(files, filepath.Join(dir, "sam_first200.csv")) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b) + "\n"
		sources := []string{"leie", "nppes", "tx-oig", "tx-tmb-delegation"}
		for _, r := range rosters {
			sources = append(sources, r.source)
		}
		for _, source := range sources {
			m, _, err := importFile(t, source, write(t, "x.csv", text), accept)
			if err == nil || m.begun != 0 || directory.KindOf(err) != directory.Invalid {
				t.Errorf("%s as %s: %v", f, source, err)
			}
			good := strings.Contains(err.Error(), "no rows")
			mine := false
			for prefix, s := range own {
				mine = mine || s == source && strings.HasPrefix(filepath.Base(f), prefix)
			}
			if good != mine {
				t.Errorf("%s as %s: %v, want a good header without rows: %v", f, source, err, mine)
			}
			if mine {
				found++
			}
			if strings.Contains(f, "sam_") && source != "ca-dca" && source != "fl-mqa" && !strings.Contains(err.Error(), "SAM.gov") {
				t.Errorf("%s as %s: %v", f, source, err)
			}
		}
	}
	if found < 8 {
		t.Errorf("%d headers are their own source's", found)
	}
}

// TestSampleSAM reads the publisher's own sample: every row but the vessels, in the layout of 2020.
func TestSampleSAM(t *testing.T) {
	m, rep, err := importFile(t, "sam", filepath.Join(samples(t), "sam_first200.csv"))
	if err != nil || len(m.rejects) != 0 || len(m.records)+m.outside > 199 || len(m.records) < 120 || m.outside == 0 || rep.Outside["Vessel"] != m.outside {
		t.Fatalf("%v: %d records, %d outside %v, rejects %d", err, len(m.records), m.outside, rep.Outside, len(m.rejects))
	}
	for _, r := range m.records {
		if x := r.Exclusion; x.Authority == "" || x.Organisation == "" && x.Name.Family == "" {
			t.Errorf("line %d says too little", r.Line)
		}
		for c := range r.Fields {
			if strings.HasPrefix(c, "Address") || strings.Contains(c, "Comments") || strings.Contains(c, "DUNS") {
				t.Errorf("%s is held", c)
			}
		}
	}
	t.Logf("%d records, %d keys, %d outside", len(m.records), len(m.seen), m.outside)
}

// TestRobotsSample runs the cases of the samples' own file, so that none of them is left out of TestRobots.
func TestRobotsSample(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(samples(t), "robots_rfc9309_cases.go.txt"))
	if os.IsNotExist(err) { // the invented samples have none; TestRobots holds the same cases
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseFile(token.NewFileSet(), "cases.go", b, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(x ast.Node) bool {
		lit, ok := x.(*ast.CompositeLit)
		if !ok || len(lit.Elts) != 5 {
			return true
		}
		var text []string
		for _, e := range lit.Elts[:4] {
			if s, ok := e.(*ast.BasicLit); ok {
				v, _ := strconv.Unquote(s.Value)
				text = append(text, v)
			}
		}
		want, ok := lit.Elts[4].(*ast.Ident)
		if !ok || len(text) != 4 {
			return true
		}
		n++
		if got := ParseRobots([]byte(text[1]), text[2]).Allowed(text[3]); strconv.FormatBool(got) != want.Name {
			t.Errorf("%s: %v, want %s", text[0], got, want.Name)
		}
		return true
	})
	if n < 24 {
		t.Errorf("%d cases", n)
	}
}

package crawler

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kapdir/directory"
)

// fuzzed imports bytes that a fuzzer made up, and holds what comes of it to what must always be true: no
// panic, output no larger than the input allows, and no number shaped like a Social Security number in
// any record, reject or error.
func fuzzed(t *testing.T, source, name string, data []byte, all bool) {
	t.Helper()
	src, _ := Find(source)
	fuzzedBy(t, src, name, data, all)
}

func fuzzedBy(t *testing.T, src Source, name string, data []byte, all bool) {
	t.Helper()
	if len(data) == 0 {
		return
	}
	fuzzedFiles(t, src, all, fuzzFile{name, data})
}

type fuzzFile struct {
	name string
	data []byte
}

func fuzzedFiles(t *testing.T, src Source, all bool, files ...fuzzFile) {
	t.Helper()
	source := src.ID
	m := &material{source: source, recipe: src.recipe, info: src.Info(), name: files[0].name}
	var data []byte
	for _, f := range files {
		m.files = append(m.files, plainFile(f.name, f.data))
		data = append(data, f.data...)
	}
	m.size = int64(len(data))
	o := Options{Now: day, All: all}.complete()
	w, err := src.open(context.Background(), m, o)
	sink := &memory{}
	if err == nil && w.survey != nil {
		err = w.survey(context.Background(), sink)
	}
	if err == nil {
		x := &out{ctx: context.Background(), sink: sink, run: "run_1", rel: directory.Release{Source: source, AsOf: "2026-11-23"}, opts: o}
		if err = w.read(context.Background(), x); err == nil {
			err = x.flush()
		}
	}
	said := asJSON(sink.records) + asJSON(sink.rejects)
	if err != nil {
		said += err.Error()
	}
	if directory.LooksLikeSSN(said) {
		t.Errorf("what must not be held came through: %.2000s", said)
	}
	if n := len(sink.records) + len(sink.rejects); n > len(data)+100 {
		t.Errorf("%d records and rejects from %d bytes", n, len(data))
	}
	if len(said) > 200*len(data)+200_000 {
		t.Errorf("%d bytes of output from %d", len(said), len(data))
	}
	for _, r := range sink.records {
		parts := 0
		for _, set := range []bool{r.Identity != nil, r.Licence != nil, r.Exclusion != nil, r.Listing != nil, r.Delegation != nil} {
			if set {
				parts++
			}
		}
		if parts != 1 || r.Key == "" || r.Source != source {
			t.Errorf("a record with %d parts, key %q, source %q", parts, r.Key, r.Source)
		}
	}
}

func FuzzNPPES(f *testing.F) {
	h := nppesHeader(false)
	for _, rows := range []string{nppesFile(nppesRow(h)), nppesFile(nppesRow(h, "street", "900-01-2345"), nppesRow(h, "licence", "900012345")),
		nppesFile(nppesBare(h, "npi", "2000000028", "deactivated", "07/08/2014")), nppesFile(nppesRow(h)[:500]), nppesFile(nppesRow(h, "code", "225100000X")), "PK\x03\x04", ""} {
		f.Add([]byte(rows))
	}
	head := quoteRow(h) + "\n"
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, "nppes", "npidata_pfile_20050523-20261108.csv", data, true)
		fuzzed(t, "nppes", "npidata_pfile_20050523-20261108.csv", append([]byte(head), data...), false)
	})
}

func FuzzNPIAPI(f *testing.F) {
	for _, s := range []string{api2019, api2026, `{"Errors":[{"field":"generic","number":"04","description":"No valid search criteria provided"}]}`, `{"results":[{}]}`, `{"results":[1,null,"x"]}`,
		strings.Replace(api2019, "PEARL", "900-01-2345", 1), `{"Errors":[{"field":"900-01-2345","description":"900-01-2345"}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, "npi-api", "answer.json", data, true) })
}

func FuzzLEIE(f *testing.F) {
	for _, s := range []string{leieRow(), leieRow("REINDATE", "20261020"), leieRow("LASTNAME", "HATCHETT, JR"), leieRow("UPIN", "900-01-2345"), "\"a\nb\",", leieRow()[:40], "\xff\xd1\n", "900-01-2345\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, "leie", "UPDATED.csv", data, false)
		fuzzed(t, "leie", "UPDATED.csv", append([]byte(leieHead), data...), false)
		fuzzed(t, "leie", "2610rein.csv", append([]byte(leieHead), data...), false)
	})
}

func FuzzSAM(f *testing.F) {
	for _, s := range []string{samRow(), samRow("Cross-Reference", "900-01-2345"), samRow("NPI", "900012345"), samRow("Last", "900-01-2345"), samRow("Classification", "Firm", "Name", "A"),
		samRow()[:90], strings.Replace(samRow(), "PROSE", `"PROSE`, 1), "\"a\nb\",", "\xff\xd1\n", "900-01-2345\n",
		"900-01-234\xbb\xaa5\n"} { // bytes that are no text stand between the digits
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, "sam", samName, data, false)
		for _, l := range samLayouts {
			fuzzed(t, "sam", samName, append([]byte(samHead(l)), data...), false)
		}
	})
}

func FuzzStateList(f *testing.F) {
	for _, s := range []string{oigRow(), oigRow("ReinstatedDate", "4/1/2021"), oigRow("WebComments", "900-01-2345"), oigRow("LicenseNumber", "900012345"), oigRow("NPI", "2E+09"),
		oigRow()[:30], "\"a\nb\",", "\xff\xd1\n", "900-01-2345\n", "\xd0\xcf\x11\xe0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, "tx-oig", "x.csv", data, false)
		fuzzed(t, "tx-oig", "x.csv", append([]byte(oigHead), data...), false)
	})
}

// FuzzStateLists reads the lists of the other states, whose cells hold several names and numbers.
func FuzzStateLists(f *testing.F) {
	for _, s := range []string{`Quillfeather,Rowan,T,aka: Wren Finch; Lark,x,Counselor,"A1, A2","2000000010, 00A874530",3/20/2019,Indefinitely effective`,
		"Rowan,Quillfeather (aka Lark),1/2/1970 12:00:00 AM,,Counselor,2000000010,State,Fraud,5 years,3/20/2019 12:00:00 AM,,LA", "QUILLFEATHER ROWAN T MD,2000000010,Physician,00136045,03/20/2019",
		"LARK WREN A/K/A Robin,,Owner,,", "AKA,,,,", "((((a)(", "x d/b/a 900-01-2345,,,,", "x,900012345/2000000010,,,", ";;;,,,,"} {
		f.Add([]byte(s))
	}
	heads := map[string]string{"ca-medi-cal": mediCalHead, "la-ldh": laHead, "ny-omig": omigHead, "pa-dhs": paHead,
		"oh-odm": "Last Name,First Name,Organization Name,DOB,NPI,Provider Type,Action Date,Status\n", "wa-hca": "Name,NPI or P1,License,Date of Exclusion,Action\n"}
	f.Fuzz(func(t *testing.T, data []byte) {
		for source, head := range heads {
			fuzzed(t, source, "x.csv", append([]byte(head), data...), false)
		}
		fuzzed(t, "ny-omig", "x.csv", data, false)
		fuzzed(t, "ny-omig", "x.txt", append([]byte(nyText), data...), false)
	})
}

// FuzzWorkbook reads what calls itself a workbook.
func FuzzWorkbook(f *testing.F) {
	b, err := os.ReadFile(book(f, "x.xlsx", "Individuals", [][]any{{"Last Name", "First Name", "NPI", "Provider Type", "Action Date", "Status"}, {"Lark", "Wren", 2000000010, "", 43544, "Excluded"}},
		"Organizations", [][]any{{"Organization Name", "NPI", "Provider Type", "Action Date", "Status"}, {"Sample", "", "", 43544, "Excluded"}}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 100_000 {
			return
		}
		fuzzed(t, "oh-odm", "x.xlsx", append([]byte("PK\x03\x04"), bytes.TrimPrefix(data, []byte("PK\x03\x04"))...), false)
	})
}

func FuzzRoster(f *testing.F) {
	for _, s := range []string{coRow(), txRow(), coRow("casenumber", "1", "programaction", "x") + coRow(), coRow("entityname", "900-01-2345"), txRow("LIC_NBR", "900012345"), "900-01-2345\n", coRow("licensestatusdescription", "Active\nx")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, "co-dora", "x.csv", append([]byte(coHead), data...), false)
		fuzzed(t, "tx-bhec", "x.csv", append([]byte(txHead), data...), false)
		fuzzed(t, "co-dora", "x.csv", data, false)
	})
}

// FuzzBoards gives each board's file whatever comes behind its header.
func FuzzBoards(f *testing.F) {
	for source := range boardRows {
		f.Add([]byte(boardRow(source)))
		f.Add([]byte(boardRow(source) + boardRow(source)[1:]))
	}
	for _, s := range []string{boardRow("il-idfpr", "license_number", "39*****99"), boardRow("wa-doh", "CredentialNumber", "DO.OP.60817760-IMLC"), boardRow("ny-opmc", "License Number", "000000"),
		boardRow("fl-mqa", "Name-Suffix", "\"DE"), boardRow("ca-dca", "First Name", "900-01-2345"), boardRow("fl-mqa", "License-Number", "900012345"), "|\t,\n", "\xff\xd1\n", "900-01-2345\n",
		"1501|ME|12345|Active|Clear|05/16/1979|02/28/2027|01/30/2025|ALEX||EXAMPLE|Y|N|N|N\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for source, b := range boardRows {
			fuzzed(t, source, "x.csv", append([]byte(b.head), data...), false)
		}
		fuzzed(t, "ca-dca", "x.xls", append([]byte(caOld), data...), false)
		fuzzed(t, "fl-mqa", "lic_status.dat", data, false)
	})
}

func FuzzListing(f *testing.F) {
	seeds, err := filepath.Glob("testdata/kap-commons/*.html")
	if err != nil || len(seeds) == 0 {
		f.Fatal(err)
	}
	for _, s := range seeds {
		b, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(profile("#46111", "#900-01-2345")))
	f.Add([]byte(profile("Lozenge", "900-01-<b>2345</b>")))
	f.Fuzz(func(t *testing.T, data []byte) { fuzzed(t, "kap-commons", "x.html", data, false) })
}

func FuzzJSONLD(f *testing.F) {
	seeds, err := filepath.Glob("testdata/open-clinics/*.html")
	if err != nil || len(seeds) == 0 {
		f.Fatal(err)
	}
	for _, s := range seeds {
		b, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		_, block, _ := strings.Cut(string(b), `<script type="application/ld+json">`)
		block, _, _ = strings.Cut(block, "</script>")
		f.Add([]byte(block))
	}
	for _, s := range []string{`{"@type":"Person","name":"Ana Ruiz","availableService":"KAP","@id":"#a","worksFor":{"@id":"#a"},"employee":{"@id":"#a"}}`,
		`{"@type":"Person","name":"900-01-2345","availableService":"KAP"}`, `{"@type":"Person","name":"Ana Ruiz","availableService":"KAP","address":"900-01-2345"}`,
		`{"@type":"Person","name":"A B","availableService":"KAP","identifier":"NPI 900-01-2345"}`, `[[[[]]]]`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzed(t, "open-clinics", "x.html", []byte(graphPage(string(data))), false)
	})
}

func FuzzMicrodata(f *testing.F) {
	b, err := os.ReadFile("testdata/own/pages/microdata.html")
	if err != nil {
		f.Fatal(err)
	}
	src := invented(f, "item-clinic")
	const head = `<link rel="canonical" href="https://item-clinic.example/x">`
	f.Add(b)
	for _, s := range []string{`<p itemscope itemtype="http://schema.org/Person"><b itemprop="name">Ana Ruiz</b><b itemprop="availableService">Ketamine-assisted psychotherapy</b><b itemprop="telephone">900-01-2345</b>`,
		`<p id=a itemscope itemref="a b"><b id=b itemprop=x itemscope itemref="a">`, `<p itemscope itemprop>`, `<script type="application/ld+json">{}</script>`} {
		f.Add([]byte(head + s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzedBy(t, src, "x.html", data, false)
		fuzzedBy(t, src, "x.html", append([]byte(head), data...), false)
	})
}

// FuzzCards reads lists whose cards and tables may stand in each other, and shows them to a person.
func FuzzCards(f *testing.F) {
	own := map[string]Source{}
	for id, pages := range map[string][]string{"therapist-cards": {"cards-1", "cards-2"}, "old-tables": {"tables"}} {
		own[id] = invented(f, id)
		for _, p := range pages {
			b, err := os.ReadFile("testdata/own/pages/" + p + ".html")
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, src := range own {
			fuzzedBy(t, src, "x.html", data, false)
			p, err := parsePage("x.html", data, "text/html")
			if err == nil {
				err = p.settle(src.recipe.host(), src.recipe.host())
			}
			x := &checking{r: src.recipe, in: &Inspection{}, day: "2026-11-23", matched: map[string]bool{}, words: map[[2]string]*UnknownWord{}, now: map[string]*knownPage{}}
			x.page("x.html", p, err)
			x.judge()
			if said := asJSON(x.in); directory.LooksLikeSSN(said) || len(said) > 400*len(data)+400_000 {
				t.Errorf("%d bytes shown of %d: %.2000s", len(said), len(data), said)
			}
		}
	})
}

// FuzzRecipe reads whatever somebody took for a recipe. One that is read can be used.
func FuzzRecipe(f *testing.F) {
	seeds, err := filepath.Glob("testdata/own/*.yaml")
	if err != nil || len(seeds) == 0 {
		f.Fatal(err)
	}
	for _, s := range append(seeds, "../data/recipes/kap-commons.yaml") {
		b, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n"))
	page, err := os.ReadFile("testdata/own/pages/cards-1.html")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseRecipe("x.yaml", "x", directory.SourceInfo{ID: "x", Kind: "listing", Terms: "manual_only"}, append([]byte("source: x\n"), data...))
		if _, own := parseRecipe("x.yaml", "therapist-cards", directory.SourceInfo{}, data); own != nil && (!strings.HasPrefix(own.Error(), "x.yaml") || len(own.Error()) > 1000) {
			t.Errorf("the error does not name the file, or says too much: %.2000s", own)
		}
		if err != nil {
			return
		}
		src := r.source()
		fuzzedBy(t, src, "x.html", append([]byte(`<link rel="canonical" href="`+r.Start+`">`), page...), false)
	})
}

func FuzzRobots(f *testing.F) {
	for _, s := range []string{"User-agent: *\nDisallow: /a*b$\nAllow: /%62\n", "User-agent: kapdir\nDisallow: /", "\xef\xbb\xbf", "Disallow: *$*$"} {
		f.Add([]byte(s), "/a/b?c=%zz")
	}
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		if len(path) > 2000 {
			return
		}
		r := ParseRobots(body, "kapdir/1.0")
		if again := ParseRobots(body, "KAPDIR"); r.Allowed(path) != again.Allowed(path) || !r.Allowed("/robots.txt") {
			t.Error("the answer changes, or robots.txt is forbidden")
		}
		if u, err := url.Parse(path); err == nil {
			r.Allowed(u.RequestURI())
		}
		if robotsForm(robotsForm(path)) != robotsForm(path) {
			t.Errorf("robotsForm(%q) is not stable", path)
		}
	})
}

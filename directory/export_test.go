package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

// aHistory is an export as somebody may write it by hand.
const aHistory = `{"record":"claim","claim":{"id":"clm_00000000000000000000000001","provider":"prv_ana","kind":"license","jurisdiction":"CO","title":"CSW","number":"CSW.09923456"}}

{"v":1,"seq":2,"recorded_at":"2026-10-02T09:00:00.000Z","performed_at":"2026-10-02T09:00:00.000Z","type":"review","claim":"clm_00000000000000000000000001","actor":{"kind":"staff","id":"rowan"},"body":{"of":1,"decision":"confirm"}}
{"v":1,"seq":1,"recorded_at":"2026-10-01T09:00:00.000Z","performed_at":"2026-10-01T09:00:00.000Z","type":"observe","claim":"clm_00000000000000000000000001","actor":{"kind":"tool","id":"hand"},"evidence":["abababababababababababababababababababababababababababababababab"],"body":{"match":"M5","by":["licence","family"],"state":"active","source":"co-dora","source_as_of":"2026-09-30","expires":"2027-08-31"}}
`

func TestExportByHand(t *testing.T) {
	x, err := ReadExport(strings.NewReader(aHistory), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Files) != 1 || !x.Public("prv_ana") || len(x.Policies) == 0 {
		t.Fatalf("%d files, %d policies", len(x.Files), len(x.Policies))
	}
	at, known := x.Moment()
	if at != "2026-10-02T09:00:00.000Z" || known != at {
		t.Errorf("the moment is %s, %s", at, known)
	}
	f := x.File("prv_ana")
	if n := f.Claims[0].Claim.Number; n != ParseLicenceNumber("CSW.09923456") {
		t.Errorf("number %+v", n)
	}
	s := StandingOf(f.Claims[0], at, known, x.Policies)
	if s.Status != StatusVerified || !slices.Equal(s.Because, []int64{1, 2}) || s.AsOf == nil || *s.AsOf != "2026-09-30" {
		t.Errorf("%+v", s)
	}
	if s := StandingOf(f.Claims[0], at, "2026-10-01T09:00:00.000Z", x.Policies); s.Status != StatusNone || !slices.Equal(s.Pending, []int64{1}) || s.ValidUntil != nil {
		t.Errorf("before the review: %+v", s)
	}
}

// change replaces words of the history by hand.
func changeHistory(old, fresh string) string {
	if !strings.Contains(aHistory, old) {
		panic(old)
	}
	return strings.Replace(aHistory, old, fresh, 1)
}

func TestExportErrorsNameLineAndField(t *testing.T) {
	const header = `{"record":"export","export":{"schema":"kapdir.export/1"}}` + "\n"
	for name, c := range map[string]struct{ text, line, field string }{
		"unknown field of an event":  {changeHistory(`"v":1,`, `"v":1,"verdict":"good",`), "line 3", "verdict"},
		"unknown field of a body":    {changeHistory(`"of":1`, `"of":1,"mood":"x"`), "line 3", "mood"},
		"unknown field of a claim":   {changeHistory(`"title":`, `"titel":`), "line 1", "titel"},
		"unknown field of a number":  {changeHistory(`"CSW.09923456"`, `{"raw":"1","colour":"red"}`), "line 1", "colour"},
		"a field in capitals":        {changeHistory(`"seq":2`, `"Seq":2`), "line 3", "Seq"},
		"a field twice":              {changeHistory(`"seq":2`, `"seq":2,"seq":3`), "line 3", "seq"},
		"a field of another type":    {changeHistory(`"seq":2`, `"seq":"2"`), "line 3", "seq"},
		"a number twice":             {changeHistory(`"seq":2`, `"seq":1`), "line 4", "seq"},
		"no such claim":              {changeHistory(`"id":"clm_00000000000000000000000001"`, `"id":"clm_other"`), "line 4", "claim"},
		"no such kind":               {changeHistory(`"license"`, `"licence"`), "line 1", "claim.kind"},
		"no such state of a claim":   {changeHistory(`"active"`, `"activ"`), "line 4", "body.state"},
		"no such rung":               {changeHistory(`"M5"`, `"M6"`), "line 4", "body.match"},
		"a day that is none":         {changeHistory(`2027-08-31`, `2027-08-32`), "line 4", "body.expires"},
		"a moment that is none":      {changeHistory(`"performed_at":"2026-10-01T09:00:00.000Z"`, `"performed_at":"2026-10-01"`), "line 4", "performed_at"},
		"a review by a tool":         {changeHistory(`"kind":"staff"`, `"kind":"tool"`), "line 3", "actor"},
		"a state that is none":       {changeHistory(`"CO"`, `"Colorado"`), "line 1", "claim.jurisdiction"},
		"no kind of line":            {header + `{"record":"poem"}`, "line 2", "record"},
		"a line under another name":  {header + `{"record":"claim","provider":{"id":"a"}}`, "line 2", "provider"},
		"another schema":             {`{"record":"export","export":{"schema":"kapdir.export/9"}}`, "line 1", "export.schema"},
		"two headers":                {header + header, "line 2", "export"},
		"no JSON":                    {header + `{"record":`, "line 2", ""},
		"a list":                     {header + `[]`, "line 2", ""},
		"not UTF-8":                  {header + "{\"record\":\"\xff\"}", "line 2", ""},
		"two objects in a line":      {header + `{"record":"claim"} {}`, "line 2", ""},
		"evidence of another hash":   {header + `{"record":"evidence","evidence":{"sha256":"` + strings.Repeat("ab", 32) + `","text":"x"}}`, "line 2", "evidence.sha256"},
		"rules of another hash":      {header + `{"record":"rules","rules":{"file":"titles.csv","sha256":"` + strings.Repeat("ab", 32) + `","text":"x"}}`, "line 2", "rules.sha256"},
		"rules that cannot be read":  {header + `{"record":"rules","rules":{"file":"policies/v9.yaml","text":"version: v9"}}`, "", "rules"},
		"a provider twice":           {header + `{"record":"provider","provider":{"id":"a"}}` + "\n" + `{"record":"provider","provider":{"id":"a"}}`, "line 3", "provider.id"},
		"an identifier with a slash": {header + `{"record":"provider","provider":{"id":"../a"}}`, "line 2", "provider.id"},
	} {
		_, err := ReadExport(strings.NewReader(c.text), nil)
		var e *Error
		if !errors.As(err, &e) || e.Kind != Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(err.Error(), c.line) || e.Field != c.field {
			t.Errorf("%s: field %q, %v", name, e.Field, err)
		}
	}
	if _, err := ReadExport(iotest.ErrReader(errors.New("the disk")), nil); KindOf(err) != Unavailable {
		t.Errorf("what could not be read: %v", err)
	}
	if _, err := ReadExport(strings.NewReader(strings.Repeat("x", mostExportLine+10)), nil); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Errorf("a line without end: %v", err)
	}
}

func exportSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("testdata/export.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fits(t testing.TB, s *jsonschema.Schema, line string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// The schema and the reader agree about the history by hand and about what is wrong with it.
func TestExportSchemaAndReaderAgree(t *testing.T) {
	s := exportSchema(t)
	for _, line := range strings.Split(strings.TrimSpace(aHistory), "\n") {
		if line == "" {
			continue
		}
		if err := fits(t, s, line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		// Each value in turn becomes another one: what the schema refuses the reader refuses too.
		var doc map[string]any
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			t.Fatal(err)
		}
		n := 0
		each(doc, func(put func(any)) {
			for _, v := range []any{nil, 7.5, -1.0, "zzz", true, []any{}, []any{map[string]any{}}, map[string]any{"zzz": 1}} {
				put(v)
				raw, _ := json.Marshal(doc)
				if fits(t, s, string(raw)) == nil {
					continue
				}
				if v == nil || reflect.DeepEqual(v, "zzz") || reflect.DeepEqual(v, []any{}) {
					continue // null is absent to the reader, and it takes any plain word for an identifier or a hash
				}
				n++
				whole := strings.Replace(aHistory, line, string(raw), 1)
				if _, err := ReadExport(strings.NewReader(whole), nil); err == nil {
					t.Errorf("the schema refuses, and the reader takes: %s", raw)
				}
			}
		})
		if n < 10 {
			t.Errorf("only %d of %s were refused", n, line)
		}
	}
	for _, word := range []string{"state", "match", "decision", "expires", "source_as_of", "performed_at", "recorded_at", "type", "kind"} {
		for _, line := range strings.Split(aHistory, "\n") {
			var doc map[string]any
			if json.Unmarshal([]byte(line), &doc) != nil {
				continue
			}
			eachField(doc, word, func(put func(any)) {
				put("zzz")
				raw, _ := json.Marshal(doc)
				if fits(t, s, string(raw)) == nil {
					t.Errorf("the schema takes %s", raw)
				}
				if _, err := ReadExport(strings.NewReader(strings.Replace(aHistory, line, string(raw), 1)), nil); err == nil {
					t.Errorf("the reader takes %s", raw)
				}
			})
		}
	}
}

// each calls f for every value in a document, with a way to replace it, and puts it back.
func each(doc any, f func(put func(any))) {
	switch d := doc.(type) {
	case map[string]any:
		for k, v := range d {
			f(func(x any) { d[k] = x })
			d[k] = v
			each(v, f)
		}
	case []any:
		for i, v := range d {
			f(func(x any) { d[i] = x })
			d[i] = v
			each(v, f)
		}
	}
}

func eachField(doc map[string]any, name string, f func(put func(any))) {
	for k, v := range doc {
		if k == name {
			f(func(x any) { doc[k] = x })
			doc[k] = v
		}
		if m, ok := v.(map[string]any); ok {
			eachField(m, name, f)
		}
	}
}

// Every field of a type that an export holds stands in the schema, and no other.
func TestExportSchemaIsTheTypes(t *testing.T) {
	var schema struct {
		Defs map[string]struct {
			Properties map[string]any
		} `json:"$defs"`
	}
	if err := json.Unmarshal(ExportSchemaJSON, &schema); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"export": ExportHeader{}, "rules": ExportRules{}, "provider": ExportProvider{}, "claim": Claim{}, "evidence": ExportEvidence{}, "run": Run{},
		"origin": Origin{}, "phase": Phase{}} {
		var have, want []string
		for k := range schema.Defs[name].Properties {
			have = append(have, k)
		}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && tag != "body" {
				want = append(want, tag)
			}
		}
		slices.Sort(have)
		slices.Sort(want)
		if !slices.Equal(have, want) {
			t.Errorf("%s: schema %v, type %v", name, have, want)
		}
	}
	var kinds []string
	for _, k := range ClaimKinds {
		kinds = append(kinds, string(k))
	}
	enum := schema.Defs["claim"].Properties["kind"].(map[string]any)["enum"].([]any)
	for i, k := range enum {
		if i >= len(kinds) || k != kinds[i] {
			t.Errorf("kinds: schema %v, Go %v", enum, kinds)
			break
		}
	}
}

// drawFiles makes the files of a few providers with random histories, some linked to others.
func drawFiles(t *rapid.T) []*CredentialFile {
	ids := []ID{"prv_a", "prv_b", "prv_c"}
	seq := int64(0)
	var files []*CredentialFile
	for n, id := range ids {
		f := &CredentialFile{Provider: Provider{ID: id, Kind: Person, Name: Name{Given: "Ana", Family: "Ruiz" + string(id)}, ListedAs: AsKAP}}
		if rapid.Bool().Draw(t, "site") {
			f.Provider.Sites = []Site{{Address: Address{Line1: "12 Elm Street", City: "Denver", State: "CO", ZIP: "80202"}}}
		}
		if rapid.Bool().Draw(t, "telehealth") {
			f.Provider.Practice.TelehealthIn = []State{"TX"}
		}
		for i, kind := range []ClaimKind{License, OversightLink, ExclusionScreen, TrainingCert, ProtocolClaim, DEARegistration} {
			if !rapid.Bool().Draw(t, "claim") {
				continue
			}
			h, _ := drawHistory(rapidDice(t), 14)
			h.Claim.ID, h.Claim.Provider, h.Claim.Kind = ID(fmt.Sprintf("clm_%d%d", n, i)), id, kind
			switch kind {
			case OversightLink:
				h.Claim.Other, h.Claim.Title, h.Claim.Number, h.Claim.Jurisdiction = rapid.SampledFrom(ids).Draw(t, "other"), "", LicenceNumber{}, ""
			case ExclusionScreen:
				h.Claim.Issuer, h.Claim.Number, h.Claim.Jurisdiction = "leie", LicenceNumber{}, ""
			case DEARegistration:
				h.Claim.Number = LicenceNumber{}
			}
			base := seq
			for j := range h.Events {
				e := &h.Events[j]
				e.Seq, e.Claim = e.Seq+base, h.Claim.ID
				if e.Body.Of > 0 {
					e.Body.Of += base
				}
				if e.Supersedes > 0 {
					e.Supersedes += base
				}
				if e.Type == Observe && e.Body.Source == "co-dora" && kind == ExclusionScreen {
					e.Body.Source = "leie"
				}
				seq++
			}
			f.Claims = append(f.Claims, h)
		}
		SortClaims(f.Claims)
		files = append(files, f)
	}
	return files
}

// writeFiles writes files as an export does; public says who has a page.
func writeFiles(t testing.TB, files []*CredentialFile, public func(ID) bool) []byte {
	var b bytes.Buffer
	w := NewExportWriter(&b)
	w.Header(ExportHeader{ExportedAt: noon})
	w.Rules("2026-01-01T00:00:00.000Z", StandardRules(), nil)
	for _, f := range files {
		w.Provider(ExportProvider{Provider: f.Provider, Public: public(f.Provider.ID)})
		for _, h := range f.Claims {
			w.Claim(h.Claim)
			for _, e := range h.Events {
				raw, err := e.JSON()
				if err != nil {
					t.Fatal(err)
				}
				w.Event(raw, h.Claim.Kind)
			}
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What an export was made of and what is read from it give the same answers at any moment.
func TestExportRoundTrip(t *testing.T) {
	standard := StandardPolicies()
	rapid.Check(t, func(rt *rapid.T) {
		files := drawFiles(rt)
		hidden := rapid.SampledFrom([]ID{"", "", "prv_b"}).Draw(rt, "hidden")
		public := func(id ID) bool { return id != hidden }
		for _, f := range files {
			f.Link(func(id ID) *CredentialFile {
				for _, o := range files {
					if o.Provider.ID == id && public(id) {
						return o
					}
				}
				return nil
			})
		}
		raw := writeFiles(t, files, public)
		x, err := ReadExport(bytes.NewReader(raw), nil)
		if err != nil {
			rt.Fatal(err)
		}
		at, k := drawInstant(rt, "t"), drawInstant(rt, "k")
		y := rapid.SampledFrom([]State{"CO", "TX", ""}).Draw(rt, "y")
		for _, f := range files {
			got := x.File(f.Provider.ID)
			if got == nil || x.Public(f.Provider.ID) != public(f.Provider.ID) {
				rt.Fatalf("%s is lost, or shown", f.Provider.ID)
			}
			tell := func(f *CredentialFile, ps Policies) string {
				out, _ := json.Marshal(Checks(f, y, at, k, ps))
				for _, h := range f.Claims {
					s, _ := json.Marshal(StandingOf(h, at, k, ps))
					out = append(out, s...)
				}
				return string(out)
			}
			if a, b := tell(f, standard), tell(got, x.Policies); a != b {
				rt.Fatalf("before\n%s\nafter\n%s", a, b)
			}
		}
		// A line at random goes: what is read is an error or another export, never a fault of the program.
		lines := bytes.SplitAfter(raw, []byte("\n"))
		i := rapid.IntRange(0, len(lines)-1).Draw(rt, "line")
		_, _ = ReadExport(bytes.NewReader(bytes.Join(append(slices.Clone(lines[:i]), lines[i+1:]...), nil)), nil)
	})
}

func TestExportWithholds(t *testing.T) {
	var b bytes.Buffer
	w := NewExportWriter(&b)
	claim := Claim{ID: "clm_00000000000000000000000001", Provider: "prv_a", Kind: DEARegistration, Jurisdiction: "CO", Number: ParseLicenceNumber("AP5836727")}
	licence := Claim{ID: "clm_00000000000000000000000002", Provider: "prv_a", Kind: License, Jurisdiction: "CO", Title: "PA", Number: ParseLicenceNumber("PA5836727")}
	w.Header(ExportHeader{})
	w.Provider(ExportProvider{Provider: Provider{ID: "prv_a", Kind: Person, Name: Name{Given: "Ana", Family: "Ruiz"}, Former: []Name{{Given: "Ana", Family: "Maidenname"}},
		Sites: []Site{{Address: Address{Line1: "12 Elmhome Street", City: "Denver", State: "CO", ZIP: "80202-1234"}}}}, Public: true})
	w.Provider(ExportProvider{Provider: Provider{ID: "prv_gone", Kind: Person, Name: Name{Given: "Gone", Family: "Forgotten"}, Withdrawn: true}})
	w.Claim(claim)
	w.Claim(licence)
	event := func(c Claim, seq int64, body Body) {
		raw, _ := (&Event{V: 1, Seq: seq, RecordedAt: noon, PerformedAt: noon, Type: Assert, Claim: c.ID, Actor: machine, Body: body}).JSON()
		w.Event(raw, c.Kind)
	}
	event(claim, 1, Body{Class: ClassDocument, Number: "AP5836727", SourceWords: "DEA BB1388568", Restrictions: []string{"F91234563"}})
	event(licence, 2, Body{Class: ClassListing, Number: "PA5836727", Note: "she said born on 3/4/1961, SSN 123-45-6789, DEA ap5836727"})
	event(licence, 3, Body{Class: ClassListing, SourceWords: "Case 987–65–4321 closed"}) // with dashes
	text := `{"key":"x","record":{"birth":"1961-03-04","dob": 19610304},"words":"born March 4, 1961; licence PA5836727, registration bb1388568; 123-45-6789 321-54-9876"}`
	e := Evidence{SHA256: hexSum(text), MediaType: "application/json", Source: "leie", Class: ClassSource, Method: "bulk", RetrievedAt: noon, RetrievedBy: "x", Body: []byte(text)}
	out := w.Evidence(e, "")
	w.Evidence(Evidence{SHA256: hexSum("z"), Class: ClassSource, Body: []byte("z")}, WithheldWithdrawn)
	w.Evidence(Evidence{SHA256: strings.Repeat("cd", 32), Class: ClassSource, Body: []byte("\xff\xfe")}, "")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, secret := range []string{"AP5836727", "ap5836727", "BB1388568", "bb1388568", "F91234563", "123-45-6789", "321-54-9876", "4321", "1961", "Maidenname", "Elmhome", "Forgotten", `"z"`} {
		if strings.Contains(got, secret) {
			t.Errorf("the export holds %s:\n%s", secret, got)
		}
	}
	for _, kept := range []string{"PA5836727", "80202", "prv_gone", "she said", "licence PA5836727"} {
		if !strings.Contains(got, kept) {
			t.Errorf("the export lost %s", kept)
		}
	}
	if !slices.Contains(out.Withheld, WithheldBirth) || !slices.Contains(out.Withheld, WithheldDEA) || !slices.Contains(out.Withheld, WithheldSSN) {
		t.Errorf("withheld %v", out.Withheld)
	}
	if x, err := ReadExport(&b, nil); err != nil || x.Public("prv_gone") {
		t.Errorf("it cannot be read, or shows the withdrawn: %v", err)
	}
	s := exportSchema(t)
	for _, line := range strings.Split(strings.TrimSpace(got), "\n") {
		if err := fits(t, s, line); err != nil {
			t.Errorf("%s\n%v", line, err)
		}
	}
}

// What only looks like one of them stays.
func TestWithholdKeepsTheRest(t *testing.T) {
	for _, s := range []string{"2026-11-23", "(303) 555-0142", "+1-303-555-0142", "2026-3107 Summary Suspension", "AB1234567", "https://example.org/a/123-456-7890", strings.Repeat("ab12345678", 7),
		"018f3c2a-1234-7abc-8def-123456789012", "Reborn in 2019", "adobe 2019-01-01", "licensed 2019-01-01"} {
		if got, what := withhold(s, nil); got != s {
			t.Errorf("%q became %q: %v", s, got, what)
		}
	}
	for _, n := range []string{"AP5836727", "BB1388568", "F91234563"} {
		if !IsDEANumber(n) {
			t.Errorf("%s has a right check digit", n)
		}
	}
}

func FuzzReadExport(f *testing.F) {
	f.Add([]byte(aHistory))
	f.Add([]byte(`{"record":"export","export":{"schema":"kapdir.export/1","exported_at":"2026-11-23T09:00:00.000Z"}}` + "\n" + `{"record":"provider","provider":{"id":"a","name":"Ana Ruiz","merged_into":"b"}}`))
	f.Add([]byte(`{"record":"evidence","evidence":{"sha256":"x","text":"\"}","withheld":["ssn"]}}`))
	f.Add([]byte(`{"record":"rules","rules":{"file":"policies/v1.yaml","text":"version: a\nvalid_from: b\nkinds: {}"}}` + "\n" + `{"record":"rules","rules":{"file":"titles.csv","text":"state,board_type\n\"CO"}}`))
	f.Add([]byte("{\"\\\"\":[{\"a\":{},\"a\":1}]}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := ReadExport(bytes.NewReader(raw), nil)
		if err != nil {
			if KindOf(err) != Invalid {
				t.Fatalf("not said to be invalid: %v", err)
			}
			return
		}
		at, known := x.Moment()
		for _, file := range x.Files {
			Checks(file, file.Provider.HomeState(), at, known, x.Policies)
			for _, h := range file.Claims {
				StandingOf(h, at, known, x.Policies)
			}
		}
	})
}

// drawInstant is any hour of two years.
func drawInstant(t *rapid.T, name string) Instant {
	return At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 800*24).Draw(t, name)) * time.Hour))
}

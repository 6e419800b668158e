package crawler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"kapdir/directory"
)

// maxAnswer bounds one answer of the NPI Registry: 200 results are under 1 MiB.
const maxAnswer = 16 << 20

// apiResult is one result of the NPI Registry, version 2.1, in both of its shapes: of 2019 (number and
// epochs as integers, gender) and of 2026 (as strings, sex). What is not named here is not read: neither
// sex, nor mailing addresses, nor the authorised official, nor other identifiers, nor endpoints.
type apiResult struct {
	Number          flexible `json:"number"`
	EnumerationType string   `json:"enumeration_type"`
	CreatedEpoch    flexible `json:"created_epoch"`
	UpdatedEpoch    flexible `json:"last_updated_epoch"`
	Basic           struct {
		FirstName        string `json:"first_name"`
		LastName         string `json:"last_name"`
		MiddleName       string `json:"middle_name"`
		NameSuffix       string `json:"name_suffix"`
		Credential       string `json:"credential"`
		OrganizationName string `json:"organization_name"`
		EnumerationDate  string `json:"enumeration_date"`
		LastUpdated      string `json:"last_updated"`
		DeactivationDate string `json:"deactivation_date"`
		ReactivationDate string `json:"reactivation_date"`
		Status           string `json:"status"`
	} `json:"basic"`
	Addresses  []apiAddress `json:"addresses"`
	Places     []apiAddress `json:"practiceLocations"`
	Taxonomies []struct {
		Code    string `json:"code"`
		License string `json:"license"` // null is ""
		State   string `json:"state"`
		Primary bool   `json:"primary"`
	} `json:"taxonomies"`
	OtherNames []struct {
		Type         string `json:"type"`
		Code         string `json:"code"`
		Organization string `json:"organization_name"`
		FirstName    string `json:"first_name"`
		MiddleName   string `json:"middle_name"`
		LastName     string `json:"last_name"`
		Suffix       string `json:"suffix"`
		Credential   string `json:"credential"`
	} `json:"other_names"`
}

type apiAddress struct {
	Purpose   string `json:"address_purpose"`
	Country   string `json:"country_code"`
	Line1     string `json:"address_1"`
	Line2     string `json:"address_2"`
	City      string `json:"city"`
	State     string `json:"state"`
	Postal    string `json:"postal_code"`
	Telephone string `json:"telephone_number"`
}

// flexible is a number or a string of one.
type flexible string

func (f *flexible) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*f = flexible(strings.TrimSpace(s))
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return errors.New("neither a number nor a string")
	}
	*f = flexible(n)
	return nil
}

// day reads an epoch of seconds or of milliseconds: what would lie beyond the year 5000 in seconds is
// milliseconds.
func (f flexible) day() directory.Date {
	n, err := strconv.ParseInt(string(f), 10, 64)
	if err != nil || n <= 0 {
		return ""
	}
	if n > 95_000_000_000 {
		n /= 1000
	}
	return directory.Date(time.Unix(n, 0).UTC().Format(time.DateOnly))
}

// answer is one file: results, each with its own line.
type answer struct {
	file    file
	results []json.RawMessage
	lines   []int

	refused       bool // the registry answered with an error, in field and reason
	field, reason string
}

// openNPIAPI reads the answers. They are small, so all of them are parsed before the run begins. An error
// body, which the service sends with status 200, fails the import in its own words if it is all there is,
// and is a reject among several answers.
func openNPIAPI(_ context.Context, m *material, opts Options) (*work, error) {
	var answers []answer
	var errs []directory.Reject
	n := 0
	for _, f := range m.files {
		a, err := readAnswer(f)
		if a.refused && len(m.files) > 1 { // of several answers, one that is an error is quarantined alone
			errs = append(errs, directory.Reject{File: f.name, Field: a.field, Reason: a.reason})
			continue
		}
		if err != nil {
			return nil, err
		}
		if f.asked != "" && len(a.results) == 0 {
			errs = append(errs, directory.Reject{File: f.name, Field: "number", Reason: "the registry has nobody with the number " + f.asked})
		}
		n += len(a.results)
		answers = append(answers, a)
	}
	if n == 0 {
		return nil, invalid(m.name, 0, "results", "the answer holds no result: nobody was found for that query, and nothing is to be imported")
	}
	w := &work{asOf: dayInName(m.name)}
	w.read = func(_ context.Context, o *out) error {
		var done int64
		for _, e := range errs {
			if err := o.reject(e); err != nil {
				return err
			}
		}
		for _, a := range answers {
			o.file = a.file.name
			for i, raw := range a.results {
				o.bytes = func() int64 { return done }
				if err := apiRow(raw, a.lines[i], o, opts.All || a.file.asked != ""); err != nil {
					return err
				}
			}
			done += a.file.size
		}
		return nil
	}
	return w, nil
}

// readAnswer parses the envelope of one file and takes each result as it stands.
func readAnswer(f file) (answer, error) {
	a := answer{file: f}
	if f.size > maxAnswer {
		return a, invalid(f.name, 0, "", "the file is larger than %d MiB, which no answer of the registry is", maxAnswer>>20)
	}
	r, err := f.open()
	if err != nil {
		return a, unreadable(f.name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil {
		return a, unreadable(f.name, err)
	}
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if len(b) == 0 || len(b) > maxAnswer {
		return a, invalid(f.name, 0, "", "the file is empty or larger than %d MiB", maxAnswer>>20)
	}
	if kind := sniff(b); kind != "" && kind != "JSON" {
		return a, invalid(f.name, 0, "", "this is %s, not an answer of the NPI Registry", kind)
	}
	var env struct {
		Errors []struct {
			Field       string   `json:"field"`
			Number      flexible `json:"number"`
			Description string   `json:"description"`
		} `json:"Errors"`
		Results *[]json.RawMessage `json:"results"`
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	if err := dec.Decode(&env); err != nil {
		at := dec.InputOffset()
		var se *json.SyntaxError
		if errors.As(err, &se) {
			at = se.Offset
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return a, invalid(f.name, lineAt(b, int64(len(b))), "", "the JSON breaks off: the file was cut off, fetch it again")
		}
		return a, invalid(f.name, lineAt(b, at), "", "the JSON cannot be read: %s", shorten(err.Error(), 200))
	}
	if _, err := dec.Token(); err != io.EOF {
		return a, invalid(f.name, lineAt(b, dec.InputOffset()), "", "more stands behind the answer: save one answer a file")
	}
	if len(env.Errors) > 0 {
		e := env.Errors[0]
		a.refused, a.field = true, scrubReason(shorten(e.Field, 80))
		a.reason = "the registry answered with an error and no data: " + scrubReason(e.Description)
		return a, invalid(f.name, 0, a.field, "the registry answered with an error and no data: %q (number %s). Ask again with other search terms", scrubReason(e.Description), scrubReason(shorten(string(e.Number), 10)))
	}
	if env.Results == nil {
		return a, invalid(f.name, 0, "results", "this is JSON, but not an answer of the NPI Registry version 2.1")
	}
	a.results = *env.Results
	// The lines of the results, for the quarantine: each is searched behind the one before.
	a.lines = make([]int, len(a.results))
	from, line := 0, 1
	for i, raw := range a.results {
		at := bytes.Index(b[from:], raw)
		if at < 0 {
			break
		}
		line += bytes.Count(b[from:from+at], []byte{'\n'})
		a.lines[i] = line
		line += bytes.Count(raw, []byte{'\n'})
		from += at + len(raw)
	}
	return a, nil
}

func lineAt(b []byte, offset int64) int {
	return 1 + bytes.Count(b[:min(int(max(offset, 0)), len(b))], []byte{'\n'})
}

// otherNameTypes are NPPES's codes of the words that the service uses.
var otherNameTypes = map[string]string{"former name": "1", "professional name": "2", "doing business as": "3", "former legal business name": "4", "other name": "5"}

// apiRow turns a result into a record, or rejects it alone.
func apiRow(raw json.RawMessage, line int, o *out, all bool) error {
	quarantine := func(field, reason, text string) error {
		return o.reject(directory.Reject{Line: line, Field: field, Reason: reason, Text: text})
	}
	var r apiResult
	if err := json.Unmarshal(raw, &r); err != nil {
		field := ""
		var te *json.UnmarshalTypeError
		if errors.As(err, &te) {
			field = te.Field
		}
		return quarantine(field, "the result has another shape than version 2.1 of the service", "")
	}
	npi, err := directory.ParseNPI(string(r.Number))
	if err != nil {
		return quarantine("number", detail(err), string(r.Number))
	}
	kept := false
	first := "no code"
	for i, t := range r.Taxonomies {
		if i == 0 {
			first = shorten(t.Code, 20)
		}
		_, ok := directory.Tables().Taxonomy(t.Code)
		kept = kept || ok
	}
	id := &directory.IdentityRecord{NPI: npi}
	b := r.Basic
	for _, d := range []struct {
		field, value string
		into         *directory.Date
	}{{"basic.enumeration_date", b.EnumerationDate, &id.Enumerated}, {"basic.last_updated", b.LastUpdated, &id.Updated},
		{"basic.deactivation_date", b.DeactivationDate, &id.Deactivated}, {"basic.reactivation_date", b.ReactivationDate, &id.Reactivated}} {
		if *d.into, err = directory.DateIn(nppesValue(d.value), time.DateOnly, "01/02/2006"); err != nil {
			return quarantine(d.field, detail(err), d.value)
		}
	}
	if id.Enumerated == "" {
		id.Enumerated = r.CreatedEpoch.day()
	}
	if id.Updated == "" {
		id.Updated = r.UpdatedEpoch.day()
	}
	if !kept && !all && (id.Deactivated == "" || id.Reactivated != "") {
		return o.outside(first)
	}
	if holdsSSN(string(raw)) {
		return quarantine("", ssnReason, "")
	}
	rec := directory.Record{Key: string(npi), Line: line, Identity: id, Fields: map[string]string{"number": string(npi)}}
	note := func(field, value string) string {
		v := nppesValue(value)
		if v != "" {
			rec.Fields[field] = v
		}
		return v
	}
	note("enumeration_type", r.EnumerationType)
	switch r.EnumerationType {
	case "NPI-1":
		id.Kind = directory.Person
		id.Name = capitalName(note("basic.first_name", b.FirstName), note("basic.middle_name", b.MiddleName), note("basic.last_name", b.LastName),
			note("basic.name_suffix", b.NameSuffix), note("basic.credential", b.Credential))
		if id.Name.IsZero() {
			return quarantine("basic.last_name", "an individual without a name", "")
		}
	case "NPI-2":
		id.Kind = directory.Organisation
		if id.Organisation = note("basic.organization_name", b.OrganizationName); id.Organisation == "" {
			return quarantine("basic.organization_name", "an organisation without a name", "")
		}
	case "":
		if id.Deactivated == "" {
			return quarantine("enumeration_type", "neither an individual nor an organisation, and not deactivated", "")
		}
	default:
		return quarantine("enumeration_type", "the enumeration type is neither NPI-1 nor NPI-2", r.EnumerationType)
	}
	note("basic.status", b.Status)
	note("basic.enumeration_date", b.EnumerationDate)
	note("basic.last_updated", b.LastUpdated)
	note("basic.deactivation_date", b.DeactivationDate)
	note("basic.reactivation_date", b.ReactivationDate)
	for i, t := range r.Taxonomies {
		code := nppesValue(t.Code)
		if code == "" || i >= 15 {
			continue
		}
		p := "taxonomies." + itoa(i) + "."
		state := stateOf(nppesValue(t.State))
		number := nppesValue(t.License)
		if slotHoldsSSN(number, state) {
			if id.Kind == directory.Person {
				return quarantine(p+"license", ssnReason, "")
			}
			number = ""
		}
		tax := directory.Taxonomy{Code: code, State: state, Primary: t.Primary}
		if number != "" {
			tax.Licence = directory.ParseLicenceNumber(number)
			rec.Fields[p+"license"] = number
		}
		rec.Fields[p+"code"] = code
		note(p+"state", t.State)
		id.Taxonomies = append(id.Taxonomies, tax)
	}
	for i, n := range r.OtherNames {
		if i >= 20 {
			break
		}
		p := "other_names." + itoa(i) + "."
		kind := otherNameTypes[strings.ToLower(nppesValue(n.Type))]
		if kind == "" {
			kind = nppesValue(n.Code)
		}
		other := directory.OtherName{Type: kind, Organisation: note(p+"organization_name", n.Organization),
			Name: capitalName(note(p+"first_name", n.FirstName), note(p+"middle_name", n.MiddleName), note(p+"last_name", n.LastName), nppesValue(n.Suffix), nppesValue(n.Credential))}
		if other.Organisation != "" || !other.Name.IsZero() {
			id.Others = append(id.Others, other)
		}
	}
	for _, a := range r.Addresses {
		if a.Purpose != "LOCATION" || id.Practice != nil || nppesValue(a.City) == "" {
			continue
		}
		addr := directory.Address{Line1: note("location.address_1", a.Line1), Line2: note("location.address_2", a.Line2),
			City: directory.NameInCapitals(note("location.city", a.City)), State: stateOf(note("location.state", a.State)), ZIP: zipOf(note("location.postal_code", a.Postal))}
		if addr.State == "" && a.Country != "US" && a.Country != "" {
			continue
		}
		s := siteOf(addr, phoneOf(note("location.telephone_number", a.Telephone)), directory.Origin{Source: "npi-api", AsOf: o.rel.AsOf})
		id.Practice = &s
	}
	for _, a := range r.Places {
		if len(id.Places) >= mostPlaces {
			break
		}
		if a.Purpose == "MAILING" {
			continue
		}
		site, ok := placeOf(nppesValue(a.Line1), nppesValue(a.Line2), nppesValue(a.City), nppesValue(a.State), nppesValue(a.Postal), nppesValue(a.Country), nppesValue(a.Telephone), "",
			directory.Origin{Source: "npi-api", AsOf: o.rel.AsOf})
		if !ok || id.Practice != nil && samePlace(site, *id.Practice) || slices.ContainsFunc(id.Places, func(s directory.Site) bool { return samePlace(s, site) }) {
			continue
		}
		id.Places = append(id.Places, site)
		p := "practiceLocations." + itoa(len(id.Places)-1) + "."
		for field, value := range map[string]string{"address_1": a.Line1, "address_2": a.Line2, "city": a.City, "state": a.State, "postal_code": a.Postal, "telephone_number": a.Telephone} {
			note(p+field, value)
		}
	}
	return o.record(rec)
}

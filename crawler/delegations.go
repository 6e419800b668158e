package crawler

import (
	"context"
	"strings"

	"kapdir/directory"
)

// The Texas Medical Board's register of prescriptive delegation: which physician delegates prescribing to
// which physician assistant or advanced practice nurse (data.texas.gov, data set 3fg6-5a53; its abstract
// was read in the catalogue, catalog.data.gov, on 2026-11-23). Its header was not seen: the spellings are
// those that the board's other data set suggests, the source is unconfirmed, and what it says counts as a
// listing's word until somebody has held a file.
var delegationColumns = []struct {
	name      string
	spellings []string
	required  bool
}{
	{"physician's licence number", []string{"physicianlicensenumber", "delegatingphysicianlicensenumber", "supervisingphysicianlicensenumber"}, true},
	{"physician's last name", []string{"physicianlastname", "delegatingphysicianlastname", "supervisingphysicianlastname"}, true},
	{"physician's first name", []string{"physicianfirstname", "delegatingphysicianfirstname", "supervisingphysicianfirstname"}, true},
	{"delegate's licence type", []string{"delegatelicensetype", "delegatetype", "licensetype"}, true},
	{"delegate's licence number", []string{"delegatelicensenumber", "licensenumber"}, true},
	{"delegate's last name", []string{"delegatelastname", "lastname"}, true},
	{"delegate's first name", []string{"delegatefirstname", "firstname"}, true},
	{"begin", []string{"delegationbegindate", "delegationstartdate", "begindate", "startdate", "effectivedate"}, false},
	{"end", []string{"delegationenddate", "enddate", "terminationdate"}, false},
}

const (
	dPhysician = iota
	dPhysicianLast
	dPhysicianFirst
	dType
	dDelegate
	dDelegateLast
	dDelegateFirst
	dBegin
	dEnd
)

// delegates are the words for those to whom Texas lets a physician delegate, with their codes of titles.csv.
var delegates = map[string]string{"PA": "PA", "PHYSICIANASSISTANT": "PA", "PHYSICIANASSISTANTLICENSE": "PA", "APRN": "APRN", "APN": "APRN", "NP": "APRN",
	"ADVANCEDPRACTICEREGISTEREDNURSE": "APRN", "ADVANCEDPRACTICENURSE": "APRN", "NURSEPRACTITIONER": "APRN"}

func openDelegations(_ context.Context, m *material, _ Options) (*work, error) {
	f := m.files[0]
	at := make([]int, len(delegationColumns))
	header := func(names []string) error {
		cols := newColumns(names, looseName)
		for i, c := range delegationColumns {
			if at[i] = cols.index(c.spellings...); at[i] < 0 && c.required {
				return missingColumn(f.name, m.source, c.spellings[0], names)
			}
		}
		return nil
	}
	if err := eachRow(f, header, nil, nil); err != nil {
		return nil, err
	}
	return &work{asOf: dayInName(f.name), read: func(_ context.Context, o *out) error {
		o.file, o.total = f.name, f.size
		return eachRow(f, header, func(fields []string, line int, rs *rows) error {
			o.bytes = func() int64 { return rs.src.n }
			return delegation(fields, line, at, o)
		}, func(b *badRow) error {
			return o.reject(directory.Reject{Line: b.line, Reason: b.reason, Text: rowText(b.text)})
		})
	}}, nil
}

func delegation(fields []string, line int, at []int, o *out) error {
	get := func(i int) string {
		if at[i] < 0 {
			return ""
		}
		return cleanText(fields[at[i]])
	}
	reject := func(i int, reason string) error {
		return o.reject(directory.Reject{Line: line, Field: delegationColumns[i].name, Reason: reason, Text: get(i)})
	}
	for _, v := range fields {
		if holdsSSN(v) {
			return o.reject(directory.Reject{Line: line, Reason: ssnReason})
		}
	}
	word := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(get(dType)))
	code, ok := delegates[word]
	if !ok {
		return o.outside("TX:" + shorten(word, 60))
	}
	first := func(s string) (given, middle string) { given, middle, _ = strings.Cut(s, " "); return given, middle }
	party := func(number, last, given int, code string) directory.Licensee {
		g, m := first(get(given))
		return directory.Licensee{Name: listName(get(last), g, m), BoardType: code, Number: directory.ParseLicenceNumber(get(number))}
	}
	d := directory.DelegationRecord{State: "TX", Physician: party(dPhysician, dPhysicianLast, dPhysicianFirst, "PHYSICIAN LICENSE"),
		Delegate: party(dDelegate, dDelegateLast, dDelegateFirst, code)}
	for _, i := range []int{dPhysician, dDelegate} {
		switch {
		case slotHoldsSSN(get(i), "TX"):
			return o.reject(directory.Reject{Line: line, Field: delegationColumns[i].name, Reason: ssnReason})
		case directory.ParseLicenceNumber(get(i)).Key == "":
			return reject(i, "the row has no licence number")
		}
	}
	for _, x := range []struct {
		column int
		into   *directory.Date
	}{{dBegin, &d.From}, {dEnd, &d.To}} {
		var err error
		if *x.into, err = directory.DateIn(get(x.column), dateLayouts...); err != nil {
			return reject(x.column, "is not a date as this register writes it")
		}
	}
	rec := directory.Record{Key: "TX:" + d.Physician.Number.Key + ":" + code + ":" + d.Delegate.Number.Key, Line: line, Delegation: &d, Fields: map[string]string{}}
	for i, c := range delegationColumns {
		if v := get(i); v != "" {
			rec.Fields[c.name] = v
		}
	}
	return o.record(rec)
}

package directory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// LookUp is what a person found, or did not find, when they looked a claim up in a source: a row of a worksheet that was
// filled in.
type LookUp struct {
	Line     int       `json:"line"` // of the file, from 1
	Source   string    `json:"source"`
	Provider ID        `json:"provider"`
	Claim    ID        `json:"claim,omitempty"`
	Kind     ClaimKind `json:"kind"`
	Revision int64     `json:"revision"` // of the claim when the worksheet was written

	At           Instant `json:"at"`
	LookedAt     string  `json:"looked_at"` // as it was written, with the time zone
	By           string  `json:"looked_by,omitempty"`
	Found        string  `json:"found"` // yes, no, could_not_look
	Words        string  `json:"status_words,omitempty"`
	Number       string  `json:"number,omitempty"`
	Name         string  `json:"name_shown,omitempty"`
	Expires      Date    `json:"expires,omitempty"`
	Issued       Date    `json:"issued,omitempty"` // of an exclusion: since when
	Restrictions string  `json:"restrictions,omitempty"`
	SourceAsOf   Date    `json:"source_as_of,omitempty"`
	Note         string  `json:"note,omitempty"`

	Case  ID                `json:"-"` // at whose page it was written down; what was filed with it is evidence too
	Cells map[string]string `json:"-"` // of the row, by column
}

// SheetWrong is a row that was not taken: where, and why.
type SheetWrong struct {
	Line   int               `json:"line"`
	Field  string            `json:"field,omitempty"`
	Reason string            `json:"reason"`
	Cells  map[string]string `json:"-"` // without what must not be held
}

// FilledSheet is a worksheet that came back.
type FilledSheet struct {
	Rows  []LookUp
	Wrong []SheetWrong
	Empty int // rows in which nothing was filled in
}

// Limits of a worksheet that comes back.
const (
	SheetMost     = 512 << 10 // bytes
	SheetMostRows = 2000
	cellMost      = 1000 // bytes
)

// The columns of a worksheet, in order: those that say which claim is meant, which come back as they are; those that
// only tell; and those that a person fills in.
var (
	sheetKeys  = []string{"source", "provider", "claim", "kind", "revision"}
	sheetTells = []string{"name", "title", "licence_number", "state", "search_for", "due", "why", "last_said", "last_said_on", "open_case", "register"}
	sheetFills = []string{"looked_at", "looked_by", "found", "status_words", "number", "name_shown", "expires", "issued", "restrictions", "source_as_of", "note"}
)

// SheetColumns are the columns of a worksheet, in their order. It does not change but by adding behind the last.
func SheetColumns() []string { return slices.Concat(sheetKeys, sheetTells, sheetFills) }

// bom tells spreadsheets that the file is UTF-8.
const bom = "\ufeff"

// Write writes the rows as CSV for a spreadsheet: UTF-8 with its mark, lines that end with CR and LF, nothing that is
// taken for a formula, and numbers as text, so that leading zeros stay.
func (w Worksheet) Write(out io.Writer) error {
	if _, err := io.WriteString(out, bom); err != nil {
		return err
	}
	c := csv.NewWriter(out)
	c.UseCRLF = true
	if err := c.Write(SheetColumns()); err != nil {
		return err
	}
	for _, r := range w.Rows {
		row := []string{w.Source, string(r.Provider), string(r.Claim), string(r.Kind), strconv.FormatInt(r.Revision, 10),
			r.Name, r.Title, asText(r.Number), string(r.Jurisdiction), strings.Join(r.SearchFor, "; "), string(r.Due.Date()), string(r.Why), strings.TrimSpace(string(r.Said) + " " + r.Words), string(r.SaidAt),
			string(r.Case), r.URL}
		row[9] = asText(row[9])
		if err := c.Write(PlainCells(append(row, make([]string, len(sheetFills))...))); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// asText marks digits alone as text, which a spreadsheet would else make a number of.
func asText(s string) string {
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return "'" + s
	}
	return s
}

// WriteWrong writes rows that were not taken as CSV like a worksheet, behind them the line that each had, the column
// and what is wrong: corrected there, the file is brought in as it is.
func WriteWrong(out io.Writer, wrong []SheetWrong) error {
	if _, err := io.WriteString(out, bom); err != nil {
		return err
	}
	c := csv.NewWriter(out)
	c.UseCRLF = true
	columns := SheetColumns()
	if err := c.Write(append(slices.Clone(columns), "line", "field", "error")); err != nil {
		return err
	}
	for _, x := range wrong {
		row := make([]string, 0, len(columns)+3)
		for _, name := range columns {
			row = append(row, x.Cells[name])
		}
		for i, name := range columns {
			if name == "licence_number" || name == "number" || name == "search_for" {
				row[i] = asText(row[i])
			}
		}
		if err := c.Write(PlainCells(append(row, strconv.Itoa(x.Line), x.Field, x.Reason))); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// ReadSheet reads a worksheet that was filled in. A row goes in whole or not at all; what is wrong with one says
// nothing of the others. The error is of the file: too large, no CSV, or a column is missing.
func ReadSheet(raw []byte) (FilledSheet, error) {
	var out FilledSheet
	switch {
	case len(raw) > SheetMost:
		return out, Errorf(Invalid, "file", "the file has more than %d KB: bring it in in parts", SheetMost>>10)
	case len(bytes.TrimSpace(raw)) == 0:
		return out, Errorf(Invalid, "file", "the file is empty")
	case bytes.IndexByte(raw, 0) >= 0 || !utf8.Valid(raw):
		return out, Errorf(Invalid, "file", "the file is no text in UTF-8: save it as CSV UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte(bom))))
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if err != nil {
		return out, Errorf(Invalid, "file", "the file is no CSV: %w", err)
	}
	at := map[string]int{}
	for i, name := range head {
		name = strings.TrimSpace(name)
		if _, twice := at[name]; twice && slices.Contains(SheetColumns(), name) {
			return out, Errorf(Invalid, name, "the column %s is there twice", name)
		}
		at[name] = i
	}
	for _, name := range slices.Concat(sheetKeys, sheetFills) {
		if _, ok := at[name]; !ok {
			return out, Errorf(Invalid, name, "the column %s is missing: is it a worksheet as CSV with commas, as it was exported?", name)
		}
	}
	for n := 0; ; n++ {
		row, err := r.Read()
		var bad *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case n >= SheetMostRows:
			return out, Errorf(Invalid, "file", "the file has more than %d rows: bring it in in parts", SheetMostRows)
		case errors.As(err, &bad):
			out.Wrong = append(out.Wrong, SheetWrong{Line: bad.StartLine, Reason: "the row cannot be read: " + bad.Err.Error()})
			continue
		case err != nil:
			return out, Errorf(Invalid, "file", "%w", err)
		}
		line, _ := r.FieldPos(0)
		cells := make(map[string]string, len(at))
		blank := true
		for name, i := range at {
			if i < len(row) {
				cells[name] = strings.TrimSpace(row[i])
				blank = blank && (cells[name] == "" || !slices.Contains(sheetFills, name))
			}
		}
		if len(row) > len(head) && strings.Join(row[len(head):], "") != "" {
			out.Wrong = append(out.Wrong, SheetWrong{Line: line, Reason: "the row has more cells than the header: a comma in a cell needs quotation marks", Cells: withoutSSN(cells)})
			continue
		}
		if blank {
			out.Empty++
			continue
		}
		x, wrong := readLookUp(cells)
		if wrong != nil {
			wrong.Line, wrong.Cells = line, withoutSSN(cells)
			out.Wrong = append(out.Wrong, *wrong)
			continue
		}
		x.Line = line
		out.Rows = append(out.Rows, x)
	}
}

// withoutSSN leaves out cells that must not be held.
func withoutSSN(cells map[string]string) map[string]string {
	out := make(map[string]string, len(cells))
	for k, v := range cells {
		if !LooksLikeSSN(v) && !(slices.Contains(sheetFills, k) && LooksLikeBareSSN(strings.TrimPrefix(v, "'"))) {
			out[k] = v
		}
	}
	return out
}

// LookUp is what somebody found who looked the claim of the case up: cells are what a worksheet's row would have, by the
// names of its columns, of those that a person fills in. seen is the number of the dossier that they looked at. What a
// worksheet would refuse is Invalid.
func (d Dossier) LookUp(seen int64, cells map[string]string) (LookUp, error) {
	if d.Claim == nil || !d.Case.Kind.ByTime() {
		return LookUp{}, Errorf(Invalid, "case", "a look-up is written down at the page of what has ended, or is about to; all else comes by a worksheet")
	}
	row := map[string]string{"source": d.Case.Source, "provider": string(d.Provider.ID), "claim": string(d.Claim.ID), "kind": string(d.Claim.Kind), "revision": strconv.FormatInt(seen, 10)}
	for _, name := range sheetFills {
		row[name] = cells[name]
	}
	x, wrong := readLookUp(row)
	x.Line, x.Case = 1, d.Case.ID
	if wrong != nil {
		return x, Errorf(Invalid, wrong.Field, "%s", wrong.Reason)
	}
	return x, nil
}

// Refused is why nothing was recorded of the look-up, nil if something was.
func (o LookUpOutcome) Refused() error {
	switch {
	case o.Became == BecameRecorded:
		return nil
	case o.Became == BecameAlready:
		return Errorf(Conflict, "found", "that is on record already (event %d)", o.Event)
	case o.Field == "revision":
		return Errorf(Conflict, "seen", "%s", o.Reason)
	case o.Became == BecameWrong:
		return Errorf(Invalid, o.Field, "%s", o.Reason)
	}
	return Errorf(Refused, "found", "%s", o.Reason)
}

// readLookUp reads the cells of a row.
func readLookUp(cells map[string]string) (LookUp, *SheetWrong) {
	x := LookUp{Source: cells["source"], Kind: ClaimKind(cells["kind"]), Cells: cells}
	var wrong *SheetWrong
	bad := func(field, format string, args ...any) {
		if wrong == nil {
			wrong = &SheetWrong{Field: field, Reason: fmt.Sprintf(format, args...)}
		}
	}
	for _, name := range slices.Concat(sheetKeys, sheetFills) {
		if LooksLikeSSN(cells[name]) {
			bad(name, "what looks like a Social Security number must not be held")
		}
	}
	fill := func(name string) string {
		v := cells[name]
		if len(v) > cellMost {
			bad(name, "more than %d bytes are too many", cellMost)
			return ""
		}
		if rest, marked := strings.CutPrefix(v, "'"); marked { // as text, as we write it ourselves
			v = rest
		} else if v != "" && strings.ContainsRune("=+-@", rune(v[0])) {
			bad(name, "a cell that begins with %q is a formula to a spreadsheet: write words", v[:1])
		}
		if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == '\ufffd' }) {
			bad(name, "it has signs that are no text")
		}
		return strings.Join(strings.Fields(v), " ")
	}
	var err error
	if x.Provider, err = ParseID(ProviderPrefix, cells["provider"]); err != nil {
		bad("provider", "%q is no provider: leave the column as it was exported", short(cells["provider"]))
	}
	if cells["claim"] != "" {
		if x.Claim, err = ParseID(ClaimPrefix, cells["claim"]); err != nil {
			bad("claim", "%q is no claim: leave the column as it was exported", short(cells["claim"]))
		}
	}
	if x.Revision, err = strconv.ParseInt(cells["revision"], 10, 64); err != nil || x.Revision < 0 {
		bad("revision", "%q is no revision: leave the column as it was exported", short(cells["revision"]))
	}
	x.LookedAt, x.By, x.Found, x.Words = fill("looked_at"), fill("looked_by"), strings.ToLower(fill("found")), fill("status_words")
	x.Number, x.Name, x.Restrictions, x.Note = fill("number"), fill("name_shown"), fill("restrictions"), fill("note")
	if x.At, err = ParseLookedAt(x.LookedAt); err != nil {
		bad("looked_at", "%q is no time with a zone: write 2026-11-29 14:05 -07:00, or 2026-11-29 14:05 America/Denver", short(x.LookedAt))
	}
	for _, d := range []struct {
		name string
		to   *Date
	}{{"expires", &x.Expires}, {"issued", &x.Issued}, {"source_as_of", &x.SourceAsOf}} {
		v := fill(d.name)
		if *d.to, err = DateIn(v, time.DateOnly, "1/2/2006"); err != nil {
			bad(d.name, "%q is no day: write 2027-08-31, or as in the United States 8/31/2027", short(v))
		} else if _, _, _, ok := d.to.civil(); *d.to != "" && !ok {
			bad(d.name, "%q is no day: write 2027-08-31", short(v))
		}
	}
	said := x.Words + x.Number + x.Name + string(x.Expires+x.Issued) + x.Restrictions
	switch x.Found {
	case "yes":
		if x.Name == "" {
			bad("name_shown", "copy the name that the source shows: it is compared with the provider's")
		}
		if x.Words == "" && x.Kind != ExclusionScreen {
			bad("status_words", "copy the status in the source's own words")
		}
		if x.Number == "" && x.Kind != ExclusionScreen {
			bad("number", "copy the number that the source shows: a name alone is never a match")
		}
	case "no", "could_not_look":
		if said != "" {
			bad("found", "%s, and yet something was copied from a record: found is yes if there is one", x.Found)
		}
		if x.Found == "no" && x.Kind == ExclusionScreen && x.SourceAsOf == "" {
			bad("source_as_of", "say of which day the list is that was searched: it says so on its page")
		}
	default:
		bad("found", "%q is neither yes nor no nor could_not_look", short(x.Found))
	}
	return x, wrong
}

func short(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// ParseLookedAt reads a time that says its zone: an offset such as -07:00, Z, or a place such as America/Denver.
func ParseLookedAt(s string) (Instant, error) {
	s = strings.TrimSpace(s)
	day, rest, ok := strings.Cut(strings.Replace(s, "T", " ", 1), " ")
	if !ok {
		return "", Errorf(Invalid, "looked_at", "%q says no time of day", short(s))
	}
	for _, l := range []string{"15:04Z07:00", "15:04 Z07:00", "15:04:05Z07:00", "15:04:05 Z07:00", "15:04 -0700", "15:04:05 -0700"} {
		if t, err := time.Parse(time.DateOnly+" "+l, day+" "+rest); err == nil {
			return At(t), nil
		}
	}
	clock, zone, ok := strings.Cut(rest, " ")
	if ok && strings.Contains(zone, "/") {
		if place, err := time.LoadLocation(zone); err == nil {
			for _, l := range []string{"15:04", "15:04:05"} {
				if t, err := time.ParseInLocation(time.DateOnly+" "+l, day+" "+clock, place); err == nil {
					return At(t), nil
				}
			}
		}
	}
	return "", Errorf(Invalid, "looked_at", "%q is no time with a zone", short(s))
}

// Became says what bringing in a look-up does, or did.
type Became string

// What becomes of a look-up.
const (
	BecameRecorded Became = "recorded" // an observation was appended
	BecameAlready  Became = "already"  // it had been brought in before
	BecameLeft     Became = "left"     // nothing follows from it, and nothing was appended
	BecameWrong    Became = "wrong"    // it was not taken
)

// LookUpOutcome is what became of a look-up.
type LookUpOutcome struct {
	Line     int       `json:"line"`
	Provider ID        `json:"provider"`
	Name     string    `json:"name,omitempty"`
	Claim    ID        `json:"claim,omitempty"`
	What     string    `json:"what,omitempty"`
	Found    string    `json:"found"`
	Became   Became    `json:"became"`
	Field    string    `json:"field,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Says     Observed  `json:"says,omitempty"`   // what was observed
	Match    Match     `json:"match,omitzero"`   // of the record with the provider
	Before   string    `json:"before,omitempty"` // the claim's standing in words
	After    string    `json:"after,omitempty"`
	Waits    bool      `json:"waits,omitempty"` // for a person at the desk
	Event    int64     `json:"event,omitempty"`
	Case     ID        `json:"case,omitempty"`
	Kind     ClaimKind `json:"kind,omitempty"`
}

// NotTaken are the rows that were not taken: those that could not be read, and those whose outcome says so. They are in
// order of their lines.
func (f FilledSheet) NotTaken(outcomes []LookUpOutcome) []SheetWrong {
	out := slices.Clone(f.Wrong)
	for _, o := range outcomes {
		i := slices.IndexFunc(f.Rows, func(x LookUp) bool { return x.Line == o.Line })
		if o.Became == BecameWrong && i >= 0 {
			out = append(out, SheetWrong{Line: o.Line, Field: o.Field, Reason: o.Reason, Cells: withoutSSN(f.Rows[i].Cells)})
		}
	}
	slices.SortStableFunc(out, func(a, b SheetWrong) int { return a.Line - b.Line })
	return out
}

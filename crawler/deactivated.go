package crawler

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"kapdir/directory"
)

// deactivatedReport is the workbook in its zip: NPPES Deactivated NPI Report 20250414.xlsx.
var deactivatedReport = archive{member: regexp.MustCompile(`(?i)deactivated.*\.xlsx$`), limit: maxWorkbook}

// A report of 330,000 numbers is 5 MB packed and some 35 MB unpacked.
const (
	maxWorkbook = 64 << 20
	maxReport   = 512 << 20
	maxInMemory = 64 << 20 // of a part of the workbook; a larger one goes to a temporary file
)

// deactivatedIn returns the report that a zip is or holds, nil for neither.
func deactivatedIn(f file) (*file, error) {
	zr, z, err := directoryOf(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	if slices.ContainsFunc(zr.File, func(e *zip.File) bool { return path.Clean(e.Name) == "xl/workbook.xml" }) {
		return &f, nil
	}
	found, err := deactivatedReport.find(f)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if len(found) > 1 {
		return nil, invalid(f.name, 0, "", "the archive holds two reports, %s and %s: give the one to import", shorten(found[0].name, 80), shorten(found[1].name, 80))
	}
	return &found[0], nil
}

const (
	deactivatedNPI = "NPI"
	deactivatedDay = "NPPES Deactivation Date"
)

// openDeactivated looks at the report of deactivated numbers: a title line, then the header, then a
// number and a day in each row. Its rows are the same records as the deactivated rows of the main file,
// and changes to it: the report has every deactivated number and nobody else.
func openDeactivated(f file, m *material, opts Options) (*work, error) {
	w := &work{asOf: dayInName(f.name), partial: true}
	if w.asOf == "" {
		w.asOf = dayInName(m.name)
	}
	if w.asOf == "" && opts.AsOf == "" {
		return nil, directory.Errorf(directory.Invalid, "as_of", "%s: the name of the report tells no day, and which changes come first depends on it: say it with --as-of YYYY-MM-DD", f.name)
	}
	first := true
	if err := eachDeactivated(f, func(int, string, string) error { first = false; return errEnough }); err != nil && err != errEnough {
		return nil, err
	}
	if first {
		return nil, invalid(f.name, 0, "", "the report has a header and no rows: fetch it again")
	}
	w.read = func(ctx context.Context, o *out) error {
		o.file, o.total = f.name, 0
		return eachDeactivated(f, func(line int, npi, day string) error {
			if line&4095 == 0 {
				if err := o.pause(); err != nil {
					return err
				}
			}
			return deactivatedRow(line, npi, day, o)
		})
	}
	return w, nil
}

var errEnough = io.EOF

func deactivatedRow(line int, number, day string, o *out) error {
	npi, err := directory.ParseNPI(number)
	if err != nil {
		return o.reject(directory.Reject{Line: line, Field: deactivatedNPI, Reason: detail(err), Text: number})
	}
	d, err := directory.DateIn(day, "01/02/2006", "1/2/2006", time.DateOnly)
	if err == nil && d == "" {
		err = directory.Errorf(directory.Invalid, deactivatedDay, "the day of the deactivation is missing")
	}
	if err != nil {
		return o.reject(directory.Reject{Line: line, Field: deactivatedDay, Reason: detail(err), Text: day})
	}
	// As the main file has it, so that the same number is the same record in both.
	return o.record(directory.Record{Key: string(npi), Line: line, Identity: &directory.IdentityRecord{NPI: npi, Deactivated: d},
		Fields: map[string]string{"NPI": string(npi), "NPI Deactivation Date": string(d[5:7] + "/" + d[8:10] + "/" + d[:4])}})
}

// eachDeactivated streams the rows of the report.
func eachDeactivated(f file, row func(line int, npi, day string) error) error {
	r, err := f.open()
	if err != nil {
		return unreadable(f.name, err)
	}
	packed, err := io.ReadAll(io.LimitReader(r, maxWorkbook+1))
	r.Close()
	if err != nil {
		return readFailure(f.name, 1, err)
	}
	if len(packed) > maxWorkbook {
		return invalid(f.name, 0, "", "the workbook is larger than %d MiB, which the report never is", maxWorkbook>>20)
	}
	book, err := excelize.OpenReader(bytes.NewReader(packed), excelize.Options{RawCellValue: true, UnzipSizeLimit: maxReport, UnzipXMLSizeLimit: maxInMemory})
	if err != nil {
		return &directory.Error{Kind: directory.Invalid, Op: f.name, Detail: "the workbook is damaged or was cut off while it was downloaded: fetch it again", Cause: err}
	}
	defer book.Close()
	var seen []string
	for _, sheet := range book.GetSheetList() {
		rows, err := book.Rows(sheet)
		if err != nil {
			return invalid(f.name, 0, "", "a sheet of the workbook cannot be read: %s", shorten(err.Error(), 100))
		}
		found, err := deactivatedSheet(f.name, rows, row, &seen)
		rows.Close()
		if found || err != nil {
			return err
		}
	}
	return invalid(f.name, 2, deactivatedNPI, "the workbook has no sheet with the columns %q and %q behind its title: it has %s", deactivatedNPI, deactivatedDay, quoted(strings.Join(seen, ", ")))
}

// deactivatedSheet reads a sheet whose header stands in one of its first lines.
func deactivatedSheet(file string, rows *excelize.Rows, row func(int, string, string) error, seen *[]string) (found bool, err error) {
	npi, day := -1, -1
	for line := 1; rows.Next(); line++ {
		cells, err := rows.Columns()
		if err != nil {
			return found, invalid(file, line, "", "the row cannot be read: %s", shorten(err.Error(), 100))
		}
		if !found {
			if line > 5 {
				return false, nil
			}
			npi, day = slices.IndexFunc(cells, named(deactivatedNPI)), slices.IndexFunc(cells, named(deactivatedDay))
			if found = npi >= 0 && day >= 0; !found && len(*seen) < 20 {
				*seen = append(*seen, cells...)
			}
			continue
		}
		at := func(i int) string {
			if i < len(cells) {
				return strings.TrimSpace(cells[i])
			}
			return ""
		}
		if at(npi) == "" && at(day) == "" {
			continue
		}
		if err := row(line, wholeNumber(at(npi)), workbookDay(at(day))); err != nil {
			return true, err
		}
	}
	return found, rows.Error()
}

func named(column string) func(string) bool {
	return func(s string) bool { return looseName(s) == looseName(column) }
}

// wholeNumber writes a number that a cell holds as such: 1.23456789E9.
func wholeNumber(s string) string {
	if !strings.ContainsAny(s, ".eE") {
		return s
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil && x > 0 && x < 1e15 && x == float64(int64(x)) {
		return strconv.FormatInt(int64(x), 10)
	}
	return s
}

// workbookDay writes a day that a cell holds as a number of days since 1900.
func workbookDay(s string) string {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || x < 1 || x > 200_000 {
		return s
	}
	t, err := excelize.ExcelDateToTime(x, false)
	if err != nil {
		return s
	}
	return t.Format(time.DateOnly)
}

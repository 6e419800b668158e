package crawler

import (
	"bytes"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// A workbook is unpacked into memory, so that both what it unpacks to and what its sheets hold are bounded.
const (
	maxUnpacked = 256 << 20
	maxSheet    = 64 << 20
)

// sheets reads tables of an Excel workbook (.xlsx): those named, or the first. Each comes as a file of
// comma-separated text with the values that the cells hold, not as they are shown, so that a column which
// is too narrow or a format of two-digit years loses nothing. Dates are the days since 1900.
func sheets(f file, want []string) ([]file, error) {
	damaged := func(err error) error {
		return invalid(f.name, 0, "", "the workbook cannot be read (%s): fetch it again, or save the sheet as CSV and import that file", shorten(err.Error(), 80))
	}
	r, err := f.open()
	if err != nil {
		return nil, unreadable(f.name, err)
	}
	defer r.Close()
	book, err := excelize.OpenReader(r, excelize.Options{RawCellValue: true, UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked})
	if err != nil {
		return nil, damaged(err)
	}
	defer book.Close()
	if p, err := book.GetWorkbookProps(); err == nil && p.Date1904 != nil && *p.Date1904 {
		return nil, invalid(f.name, 0, "", "the workbook counts its dates from 1904: save the sheet as CSV and import that file")
	}
	have := book.GetSheetList()
	if len(want) == 0 {
		want = have[:min(1, len(have))]
	}
	var out []file
	for _, name := range want {
		if !slices.Contains(have, name) {
			return nil, invalid(f.name, 0, name, "the sheet is missing: the layout has changed, and a person must look before the file is read")
		}
		text, err := sheet(book, name)
		if err != nil {
			return nil, damaged(err)
		}
		if len(text) > maxSheet {
			return nil, invalid(f.name, 0, name, "the sheet holds more than %d MiB", maxSheet>>20)
		}
		x := file{name: f.name, size: int64(len(text)), cells: true, open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }}
		if len(want) > 1 {
			x.name += " (" + name + ")"
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, invalid(f.name, 0, "", "the workbook has no sheet")
	}
	return out, nil
}

// sheet writes a sheet as text. Line breaks of a cell become semicolons; a row is as wide as the widest
// before it, since a workbook leaves empty cells at the end of a row out.
func sheet(book *excelize.File, name string) ([]byte, error) {
	rows, err := book.Rows(name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	width := 0
	for rows.Next() && b.Len() <= maxSheet {
		cells, err := rows.Columns()
		if err != nil {
			return nil, err
		}
		blank := true
		for i, v := range cells {
			cells[i] = cellText(v)
			blank = blank && cells[i] == ""
		}
		if blank {
			cells = nil
		}
		width = max(width, len(cells))
		for len(cells) < width && !blank {
			cells = append(cells, "")
		}
		if err := w.Write(cells); err != nil {
			return nil, err
		}
	}
	w.Flush()
	if err := rows.Error(); err != nil {
		return nil, err
	}
	return b.Bytes(), w.Error()
}

// cellText writes a cell's value; a whole number that a workbook holds as 1.234567893E9 is written out.
func cellText(v string) string {
	if scientific.MatchString(v) {
		if x := number(v); x == math.Trunc(x) && x < 1e15 {
			return strconv.FormatFloat(x, 'f', 0, 64)
		}
	}
	return strings.TrimSpace(strings.NewReplacer("\r\n", "; ", "\n", "; ", "\r", "; ").Replace(v))
}

func number(v string) float64 {
	x, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return math.NaN()
	}
	return x
}

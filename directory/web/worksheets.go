package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Sheets is the power to see what is due at which source, and to bring in what was found there.
type Sheets interface {
	Worksheets(ctx context.Context, ask directory.SheetAsk) (directory.Worksheets, error)
	BringIn(ctx context.Context, staff, auth string, rows []directory.LookUp, dryRun bool) ([]directory.LookUpOutcome, error)
}

// A worksheet comes back in a form, once as a file to be looked at and once more as what was looked at. How large that
// may be, and how long it may take: a transaction for each row, behind an import.
const (
	sheetBody  = 2*directory.SheetMost + 64<<10
	sheetTime  = time.Minute
	rowsOnPage = 50
)

var sheetsPath = regexp.MustCompile(`^/staff/worksheets$`)

// The words for why something is due, and for why it stands on no worksheet.
var (
	dueWords = map[directory.LookWhy]string{
		directory.WhyNever: "never looked up", directory.WhySecond: "second search, on another day", directory.WhyNoAnswer: "no answer the last time",
		directory.WhyRecheck: "time to look again", directory.WhyReturned: "returned by a reviewer",
	}
	sheetLeftWords = map[string]string{
		"desk":         "An answer waits for a decision: see the cases.",
		"no_number":    "There is no number to look it up by: the provider has to state it.",
		"no_source":    "No policy approves a source that could be asked.",
		"actions_only": "Only a list of board actions could be asked, and that somebody is not on it proves nothing.",
		"asked":        "No register says it: the provider, their prescriber or the programme is asked.",
		"whole_file":   "The whole file is to be decided about again.",
	}
	readWords = map[string]string{
		"loaded":    "The program reads the release that is loaded, at the next kapdir verify.",
		"importing": "A release is being imported.",
		"import":    "It waits for an import: the source may be read by a program, and no release that answers is loaded.",
	}
	becameWords = map[directory.Became]string{directory.BecameRecorded: "recorded", directory.BecameAlready: "brought in before", directory.BecameLeft: "nothing follows", directory.BecameWrong: "not taken"}
)

type sheetsPage struct {
	staffPage
	W directory.Worksheets
	Brings,
	Program, Left bool
	Wrong string
}

// ReadWords says how the program reads a source, in a template.
func (p sheetsPage) ReadWords(why string) string { return readWords[why] }

// LeftWords says why something is on no worksheet.
func (p sheetsPage) LeftWords(why string) string { return sheetLeftWords[why] }

// KindWords names a kind of claim.
func (p sheetsPage) KindWords(k directory.ClaimKind) string { return spaced(string(k)) }

// staffWorksheets answers GET /staff/worksheets: what is due, by source.
func (s *Server) staffWorksheets(c *fiber.Ctx, who *staffSession) error {
	return s.showSheets(c, who, "")
}

func (s *Server) showSheets(c *fiber.Ctx, who *staffSession, wrong string) error {
	ctx, cancel := s.deadline(auditDeadline)
	defer cancel()
	w, err := s.cfg.Desk.Worksheets(ctx, directory.SheetAsk{Until: s.now().AddDays(90)})
	if err != nil {
		return err
	}
	return s.sendStaff(c, "worksheets", sheetsPage{staffPage: s.staffPage(c, who, "Worksheets"), W: w, Brings: slices.Contains(deciders, who.Role), Wrong: wrong})
}

type sheetPage struct {
	staffPage
	Sheet   directory.Worksheet
	Info    directory.SourceInfo
	Read    []directory.ProgramReads
	Rows    []sheetLine
	Total   int
	Shown   int
	States  []directory.State
	State   directory.State
	Until   directory.Date
	Today   directory.Date
	CSV     string
	Absence string
	Brings  bool
}

type sheetLine struct {
	directory.SheetRow
	Why     string
	Overdue bool
	Said    string
	Link    string
}

// ReadWords says how the program reads a source, in a template.
func (p sheetPage) ReadWords(why string) string { return readWords[why] }

// absence says what it means that a source has no record, by how complete it is.
var absence = map[string]string{
	"full_history":       "It keeps licences that have ended: no record is said after searches on two days.",
	"current_and_lapsed": "It shows current and lapsed licences, and not who was revoked: no record is said after searches on two days, and never means revoked.",
	"active_only":        "It shows active licences alone: no record is said after searches on two days, and never means revoked.",
	"full_list":          "It lists who is excluded: no record is the good answer, once somebody else has confirmed the search.",
	"n/a":                "That it has no record means nothing.",
}

// staffWorksheet answers GET /staff/worksheets/:source: the look-ups at one source; csv=1 takes them as CSV.
func (s *Server) staffWorksheet(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(auditDeadline)
	defer cancel()
	id := strings.Clone(c.Params("source"))
	info, known := directory.Tables().Source(id)
	if !known {
		return directory.NotFound
	}
	q := queryOf(c)
	now := s.now()
	p := sheetPage{Info: info, State: directory.State(q.Get("state")), Today: now.Date(), Absence: absence[info.Completeness], Brings: slices.Contains(deciders, who.Role)}
	until := now.AddDays(30)
	if v := q.Get("until"); v != "" {
		d, err := directory.ParseDate(v)
		if err != nil {
			return directory.Errorf(directory.Invalid, "until", "%q is no day: write it as 2026-11-23", v)
		}
		until = directory.Instant(string(d) + "T23:59:59.999Z")
	}
	ask := directory.SheetAsk{Until: until, Source: id, State: p.State, Most: rowsOnPage}
	if q.Get("csv") != "" {
		ask.Most = 0
	}
	w, err := s.cfg.Desk.Worksheets(ctx, ask)
	if err != nil {
		return err
	}
	p.Until = w.Until.Date()
	for _, r := range w.Program {
		if r.Source == id {
			p.Read = append(p.Read, r)
		}
	}
	p.Sheet = directory.Worksheet{Source: id, Name: info.Name}
	if i := slices.IndexFunc(w.Sheets, func(x directory.Worksheet) bool { return x.Source == id }); i >= 0 {
		p.Sheet = w.Sheets[i]
	}
	p.States = p.Sheet.States
	if q.Get("csv") != "" {
		var b bytes.Buffer
		if err := p.Sheet.Write(&b); err != nil {
			return err
		}
		c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="kapdir-worksheet-%s-%s.csv"`, id, p.Today))
		return s.send(c, "text/csv; charset=utf-8", b.Bytes())
	}
	take := url.Values{"csv": {"1"}, "until": {string(p.Until)}}
	if p.State != "" {
		take.Set("state", string(p.State))
	}
	p.CSV = "/staff/worksheets/" + id + "?" + take.Encode()
	p.Total = p.Sheet.Total
	for _, r := range p.Sheet.Rows {
		l := sheetLine{SheetRow: r, Why: cmp.Or(dueWords[r.Why], spaced(string(r.Why))), Overdue: r.Due <= w.At, Link: webAddress(r.URL)}
		if r.SaidAt != "" {
			l.Said = spaced(string(r.Said))
			if r.Words != "" {
				l.Said = r.Words + " (" + l.Said + ")"
			}
		}
		p.Rows = append(p.Rows, l)
	}
	p.Shown = len(p.Rows)
	p.staffPage = s.staffPage(c, who, "Worksheet: "+info.Name)
	return s.sendStaff(c, "worksheet", p)
}

type broughtPage struct {
	staffPage
	Preview  bool
	Lines    []broughtLine
	Count    map[string]int
	Empty    int
	Text     string // what was looked at, to be brought in
	HasWrong bool
}

type broughtLine struct {
	directory.LookUpOutcome
	Words string
	Moves bool
}

// staffBringIn answers POST /staff/worksheets: a worksheet that was filled in is looked at, brought in, or gives back
// the rows that were not taken.
func (s *Server) staffBringIn(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(sheetTime)
	defer cancel()
	raw, do, err := sheetForm(c)
	if err != nil {
		return err
	}
	sheet, err := directory.ReadSheet(raw)
	var outcomes []directory.LookUpOutcome
	if err == nil {
		outcomes, err = s.cfg.Desk.BringIn(ctx, who.Name, "session by "+who.How, sheet.Rows, do != "apply")
	}
	var de *directory.Error
	switch {
	case errors.As(err, &de) && statuses[de.Kind] < 500:
		c.Status(statuses[de.Kind])
		return s.showSheets(c, who, capital(de.Detail)+".")
	case err != nil:
		return err
	}
	wrong := sheet.NotTaken(outcomes)
	if do == "rejects" {
		var b bytes.Buffer
		if err := directory.WriteWrong(&b, wrong); err != nil {
			return err
		}
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="kapdir-worksheet.rejects.csv"`)
		return s.send(c, "text/csv; charset=utf-8", b.Bytes())
	}
	p := broughtPage{Preview: do != "apply", Count: map[string]int{}, Empty: sheet.Empty, Text: string(raw), HasWrong: len(wrong) > 0}
	for _, w := range sheet.Wrong {
		outcomes = append(outcomes, directory.LookUpOutcome{Line: w.Line, Name: w.Cells["name"], Became: directory.BecameWrong, Field: w.Field, Reason: w.Reason})
	}
	slices.SortStableFunc(outcomes, func(a, b directory.LookUpOutcome) int { return cmp.Compare(a.Line, b.Line) })
	for _, o := range outcomes {
		p.Count[string(o.Became)]++
		p.Lines = append(p.Lines, broughtLine{o, becameWords[o.Became], o.Before != o.After})
	}
	title := "Worksheet brought in"
	if p.Preview {
		title = "Before it is brought in"
	}
	p.staffPage = s.staffPage(c, who, title)
	return s.sendStaff(c, "brought", p)
}

// sheetForm reads the form that a worksheet comes in.
func sheetForm(c *fiber.Ctx) (raw []byte, do string, err error) {
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		return nil, "", fiber.ErrUnsupportedMediaType
	}
	form := multipart.NewReader(bytes.NewReader(c.Body()), params["boundary"])
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return raw, do, nil
		}
		if err != nil {
			return nil, "", directory.Invalid
		}
		b, err := io.ReadAll(io.LimitReader(part, sheetBody))
		if err != nil {
			return nil, "", directory.Invalid
		}
		switch part.FormName() {
		case "file", "text":
			raw = b
		case "do":
			do = string(b)
		}
	}
}

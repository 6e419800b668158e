package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"regexp"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
)

// paperBody is the largest body of a form with a document in it; and how long it may take to come.
const (
	paperBody = directory.PaperMost + 64<<10
	paperTime = time.Minute
)

var papersPath = regexp.MustCompile(`^/staff/cases/cas_[0-9a-z]{26}/papers$`)

// roomForPapers lets the forms that carry documents and worksheets be larger than every other; only for whoever sends
// the cookie of a session, which the handler then looks at.
func roomForPapers(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	path, _, _ := bytes.Cut(h.RequestURI(), []byte("?"))
	switch {
	case !h.IsPost() || !bearsSession(h):
	case papersPath.Match(path):
		c.MaxRequestBodySize, c.ReadTimeout = paperBody, paperTime
	case sheetsPath.Match(path):
		c.MaxRequestBodySize, c.ReadTimeout = sheetBody, sheetTime
	}
	return c
}

// staffPapers answers POST /staff/cases/:id/papers: a document is filed as evidence of the case.
func (s *Server) staffPapers(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(paperTime)
	defer cancel()
	id, err := directory.ParseID(directory.CasePrefix, strings.Clone(c.Params("id")))
	if err != nil {
		return directory.NotFound
	}
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm {
		return fiber.ErrUnsupportedMediaType
	}
	form := multipart.NewReader(bytes.NewReader(c.Body()), params["boundary"])
	fields := map[string]string{}
	var raw []byte
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return directory.Invalid
		}
		b, err := io.ReadAll(io.LimitReader(part, directory.PaperMost+1))
		if err != nil {
			return directory.Invalid
		}
		if part.FormName() == "file" {
			raw = b
		} else if len(b) < 4096 {
			fields[part.FormName()] = string(b)
		}
	}
	if fields["looked"] != "1" {
		err = directory.Errorf(directory.Invalid, "looked", "look at it first, and say that it is no document of the National Practitioner Data Bank and shows no Social Security number")
	} else {
		_, err = s.cfg.Desk.FilePaper(ctx, id, who.Name, strings.TrimSpace(fields["note"]), raw)
	}
	return s.filed(c, who, id, fields["from"], err)
}

// staffContact answers POST /staff/cases/:id/contact: a call or a mail is kept as evidence of the case.
func (s *Server) staffContact(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	id, form, err := caseForm(c)
	if err != nil {
		return err
	}
	x := directory.ContactCheck{Case: id, Staff: who.Name, Method: form.Get("method"), SpokeTo: form.Get("spoke_to"), Contact: form.Get("contact"), From: form.Get("number_from"), Said: form.Get("said")}
	if held := strings.TrimSpace(form.Get("held")); held != "" {
		at, wrong := time.Parse("2006-01-02T15:04", held)
		if wrong != nil {
			return s.filed(c, who, id, form.Get("from"), directory.Errorf(directory.Invalid, "held", "%q is no time: write it as 2026-11-23T15:30, in UTC", held))
		}
		x.At = directory.At(at)
	}
	_, err = s.cfg.Desk.Contact(ctx, x)
	return s.filed(c, who, id, form.Get("from"), err)
}

// filed leads back to the case, or shows it with what was wrong.
func (s *Server) filed(c *fiber.Ctx, who *staffSession, id directory.ID, from string, err error) error {
	var de *directory.Error
	switch {
	case err == nil:
		return seeOther(c, caseURL(id, from, done{told: "filed", was: id}))
	case !errors.As(err, &de) || statuses[de.Kind] >= 500 || de.Kind == directory.NotFound:
		return err
	}
	c.Status(statuses[de.Kind])
	return s.showCase(c, who, id, casePage{From: from, Wrong: capital(de.Detail) + "."})
}

// sandbox is the policy of what somebody else made: it runs nothing, loads nothing, and is of no origin.
const sandbox = "sandbox; default-src 'none'; img-src 'self'; style-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

type paperPage struct {
	staffPage
	P    directory.Paper
	Size string
}

// staffPaper answers GET /staff/papers/:sha: a document in its frame.
func (s *Server) staffPaper(c *fiber.Ctx, who *staffSession) error {
	p, _, err := s.paper(c)
	if err != nil {
		return err
	}
	c.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	return s.sendStaff(c, "paper", paperPage{s.staffPage(c, who, "Document"), p, fmt.Sprintf("%d KB", (p.Size+1023)/1024)})
}

// staffPaperShown answers GET /staff/papers/:sha/shown: what stands in the frame. A picture is itself; of all else the
// words that can be read of it, as words.
func (s *Server) staffPaperShown(c *fiber.Ctx, _ *staffSession) error {
	p, raw, err := s.paper(c)
	if err != nil {
		return err
	}
	c.Set("Content-Security-Policy", sandbox)
	c.Set("X-Frame-Options", "SAMEORIGIN")
	if strings.HasPrefix(p.MediaType, "image/") {
		return s.send(c, p.MediaType, raw)
	}
	return s.send(c, fiber.MIMETextPlainCharsetUTF8, []byte(p.Words))
}

// staffPaperFile answers GET /staff/papers/:sha/file: the bytes, to be saved and opened elsewhere.
func (s *Server) staffPaperFile(c *fiber.Ctx, _ *staffSession) error {
	p, raw, err := s.paper(c)
	if err != nil {
		return err
	}
	ext := map[string]string{"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg", "message/rfc822": "eml"}[p.MediaType]
	c.Set("Content-Security-Policy", sandbox)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+p.SHA256[:12]+`.`+ext+`"`)
	return s.send(c, p.MediaType, raw)
}

var paperName = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (s *Server) paper(c *fiber.Ctx) (directory.Paper, []byte, error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	sum := strings.Clone(c.Params("sha"))
	if !paperName.MatchString(sum) {
		return directory.Paper{}, nil, directory.NotFound
	}
	return s.cfg.Desk.Paper(ctx, sum)
}

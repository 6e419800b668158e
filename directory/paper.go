package directory

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/jpeg" // the kinds of picture that are taken
	_ "image/png"
	"io"
	"math/bits"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/corona10/goimagehash"
	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/text/unicode/norm"
)

// Paper is a document that staff file as evidence: what its bytes are, never what its name says.
type Paper struct {
	SHA256    string  `json:"sha256"`
	MediaType string  `json:"media_type"` // application/pdf, image/png, image/jpeg, message/rfc822
	Size      int     `json:"size"`
	Look      string  `json:"look,omitempty"` // of a picture: its perceptual hash, in hexadecimal
	Filed     Instant `json:"filed"`
	Staff     string  `json:"staff"` // who filed it first
	Words     string  `json:"words"` // what can be read of it without showing it; "" of a picture
}

// Bounds of a paper.
const (
	PaperMost   = 5 << 20  // bytes
	pixelsMost  = 40 << 20 // of a picture
	paperDepth  = 6        // parts within parts of a message
	wordsMost   = 64 << 10
	inflateMost = 16 << 20 // of all streams of a PDF together
)

// ReadPaper says what the bytes are. Other kinds than PDF, PNG, JPEG and e-mail are refused, as is whatever is
// larger than PaperMost, cannot be read as what it begins like, holds what looks like a Social Security number
// in its words, or comes from the National Practitioner Data Bank, whose documents must not be held. Words in
// pictures, and in PDFs whose fonts hide them, are not read: whoever files such a thing has to look.
func ReadPaper(raw []byte) (Paper, error) {
	p := Paper{Size: len(raw)}
	switch {
	case len(raw) == 0:
		return p, Errorf(Invalid, "file", "choose a file: this one is empty")
	case len(raw) > PaperMost:
		return p, Errorf(Invalid, "file", "the file is larger than %d MB", PaperMost>>20)
	}
	sum := sha256.Sum256(raw)
	p.SHA256 = hex.EncodeToString(sum[:])
	kind := mimetype.Detect(raw)
	switch {
	case kind.Is("application/pdf"):
		p.MediaType, p.Words = "application/pdf", pdfWords(raw)
		if !bytes.HasPrefix(bytes.TrimLeft(raw[:min(len(raw), 1024)], "\x00\t\n\f\r "), []byte("%PDF-")) || !bytes.Contains(raw[max(0, len(raw)-2048):], []byte("%%EOF")) {
			return p, Errorf(Invalid, "file", "the file begins like a PDF and is not whole")
		}
	case kind.Is("image/png"), kind.Is("image/jpeg"):
		p.MediaType = "image/png"
		if kind.Is("image/jpeg") {
			p.MediaType = "image/jpeg"
		}
		size, format, err := image.DecodeConfig(bytes.NewReader(raw))
		if err != nil || "image/"+format != p.MediaType || size.Width <= 0 || size.Height <= 0 || size.Width*size.Height > pixelsMost {
			return p, Errorf(Invalid, "file", "the picture cannot be read, or has more than %d million dots", pixelsMost>>20)
		}
		img, _, err := image.Decode(bytes.NewReader(raw))
		if err != nil {
			return p, Errorf(Invalid, "file", "the picture cannot be read to its end")
		}
		look, err := goimagehash.PerceptionHash(img)
		if err != nil {
			return p, Errorf(Invalid, "file", "the picture cannot be compared with others")
		}
		p.Look = fmt.Sprintf("%016x", look.GetHash())
	case kind.Is("text/plain"), kind.Is("message/rfc822"), strings.HasPrefix(kind.String(), "text/"):
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			return p, noPaper
		}
		if _, err := m.Header.AddressList("From"); err != nil || m.Header.Get("Date") == "" {
			return p, noPaper
		}
		p.MediaType = "message/rfc822"
		var b strings.Builder
		for _, h := range []string{"From", "To", "Date", "Subject"} {
			if v := m.Header.Get(h); v != "" {
				if d, err := new(mime.WordDecoder).DecodeHeader(v); err == nil {
					v = d
				}
				fmt.Fprintf(&b, "%s: %s\n", h, v)
			}
		}
		b.WriteByte('\n')
		if err := mailWords(&b, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0); err != nil {
			return p, err
		}
		p.Words = b.String()
	default:
		return p, noPaper
	}
	p.Words = strings.ReplaceAll(strings.ToValidUTF8(p.Words, "\uFFFD"), "\x00", "")
	if err := checkWords(p.Words); err != nil {
		return p, err
	}
	if len(p.Words) > wordsMost {
		p.Words = strings.ToValidUTF8(p.Words[:wordsMost], "")
	}
	return p, nil
}

var noPaper = &Error{Kind: Invalid, Field: "file", Detail: "that is no PDF, PNG, JPEG or e-mail (.eml), whatever its name says"}

var dataBank = regexp.MustCompile(`nationalpractitionerdatabank|npdbselfquery|npdbreport|npdbhrsagov|databankcontrolnumber`)

// checkWords refuses what must not be held.
func checkWords(words string) error {
	var letters strings.Builder
	for _, r := range norm.NFKC.String(words) {
		if unicode.IsLetter(r) {
			letters.WriteRune(unicode.ToLower(r))
		}
	}
	switch {
	case dataBank.MatchString(letters.String()):
		return Errorf(Refused, "file", "documents of the National Practitioner Data Bank must not be held: nothing of it was kept")
	case LooksLikeSSN(words):
		return Errorf(Refused, "file", "it holds what looks like a Social Security number: black it out, and file it then. Nothing of it was kept")
	}
	return nil
}

// mailWords reads the parts of a message that hold words.
func mailWords(b *strings.Builder, kind, coding string, body io.Reader, depth int) error {
	media, params, err := mime.ParseMediaType(kind)
	if err != nil {
		media = "text/plain"
	}
	switch strings.ToLower(strings.TrimSpace(coding)) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	if strings.HasPrefix(media, "multipart/") {
		if depth >= paperDepth {
			return Errorf(Invalid, "file", "the message has parts within parts without end")
		}
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return Errorf(Invalid, "file", "a part of the message cannot be read")
			}
			if err := mailWords(b, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part, depth+1); err != nil {
				return err
			}
		}
	}
	raw, err := io.ReadAll(io.LimitReader(body, PaperMost))
	if err != nil {
		return Errorf(Invalid, "file", "a part of the message cannot be read")
	}
	switch {
	case media == "text/html":
		b.WriteString(tags.ReplaceAllString(string(raw), " "))
	case strings.HasPrefix(media, "text/"):
		b.Write(raw)
	case mimetype.Detect(raw).Is("application/pdf"):
		fmt.Fprintf(b, "\n[%s] %s", media, pdfWords(raw))
	default:
		fmt.Fprintf(b, "\n[%s, %d bytes, not shown]", media, len(raw))
	}
	b.WriteByte('\n')
	return nil
}

var tags = regexp.MustCompile(`(?is)<(style|script)\b.*?</(style|script)>|<[^>]*>`)

var streams = regexp.MustCompile(`stream\r?\n`)

// pdfWords gathers the words that the pages of a PDF write in plain strings. It reads no fonts: a page whose font
// numbers its letters otherwise gives nothing. What it finds is for refusing and for a first look, never a fact.
func pdfWords(raw []byte) string {
	var b strings.Builder
	left := int64(inflateMost)
	for _, at := range streams.FindAllIndex(raw, 4096) {
		z, err := zlib.NewReader(bytes.NewReader(raw[at[1]:]))
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(io.LimitReader(z, left)) // what could be read of a broken stream counts
		if left -= int64(len(text)); left <= 0 {
			break
		}
		pdfStrings(&b, text)
	}
	pdfStrings(&b, raw)
	return b.String()
}

// pdfStrings writes what stands in parentheses, where most of it can be printed.
func pdfStrings(b *strings.Builder, text []byte) {
	for i := 0; i < len(text) && b.Len() < 4*wordsMost; i++ {
		switch text[i] {
		case '(':
			start, deep := i+1, 1
			for i++; i < len(text) && deep > 0 && i-start < 4096; i++ {
				switch text[i] {
				case '\\':
					i++
				case '(':
					deep++
				case ')':
					deep--
				}
			}
			if deep > 0 {
				i = start
				continue
			}
			i--
			if s := text[start:i]; printable(s) {
				b.Write(s)
			}
		case 'T': // a line or a text ends: Td, TD, T*, ET
			if i+1 < len(text) && (text[i+1] == 'd' || text[i+1] == 'D' || text[i+1] == '*' || i > 0 && text[i-1] == 'E') && b.Len() > 0 {
				b.WriteByte('\n')
			}
		}
	}
}

func printable(s []byte) bool {
	n := 0
	for _, c := range s {
		if c >= ' ' && c < 0x7f || c >= 0xa0 {
			n++
		}
	}
	return n*10 >= len(s)*9
}

// nearLook is how many of the 64 bits of the hashes of two pictures may differ that are nearly one.
const nearLook = 4

// Alike reports that two pictures, by their Looks, are nearly the same.
func Alike(a, b string) bool {
	x, errX := strconv.ParseUint(a, 16, 64)
	y, errY := strconv.ParseUint(b, 16, 64)
	return errX == nil && errY == nil && bits.OnesCount64(x^y) <= nearLook
}

// ContactCheck is a telephone call or a mail by which something was asked: with whom, when, and where the number
// or address came from, which must not be the one that the provider gave for it.
type ContactCheck struct {
	Case    ID      `json:"case"`
	At      Instant `json:"at"`
	Staff   string  `json:"staff"`
	Method  string  `json:"method"` // phone, mail
	SpokeTo string  `json:"spoke_to"`
	Contact string  `json:"contact"` // the number that was called, or the address
	From    string  `json:"from"`    // where that came from
	Said    string  `json:"said"`    // what was said, in their words
}

// Validate checks what a contact must say.
func (c ContactCheck) Validate() error {
	for field, v := range map[string]string{"spoke_to": c.SpokeTo, "contact": c.Contact, "from": c.From, "said": c.Said} {
		switch {
		case strings.TrimSpace(v) == "":
			return Errorf(Invalid, field, "say who was spoken to, at which number or address, where that came from, and what was said")
		case len(v) > 4000:
			return Errorf(Invalid, field, "that is too long")
		case LooksLikeSSN(v):
			return Errorf(Refused, field, "what looks like a Social Security number must not be held")
		}
	}
	switch c.Method {
	case "phone":
		if len(digits(c.Contact)) < 10 {
			return Errorf(Invalid, "contact", "%q is no telephone number of ten digits", c.Contact)
		}
	case "mail":
		if _, err := mail.ParseAddress(c.Contact); err != nil {
			return Errorf(Invalid, "contact", "%q is no mail address", c.Contact)
		}
	default:
		return Errorf(Invalid, "method", "it was by phone or by mail, not by %q", c.Method)
	}
	return nil
}

// Filed is a piece of evidence that staff added to a case: a paper or a contact.
type Filed struct {
	At       Instant       `json:"at"`
	Staff    string        `json:"staff"`
	Evidence string        `json:"evidence"` // the hash of its record
	Note     string        `json:"note,omitempty"`
	Paper    *Paper        `json:"paper,omitempty"`
	Contact  *ContactCheck `json:"contact,omitempty"`
}

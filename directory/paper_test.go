package directory

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

func pdfOf(text string) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	fmt.Fprintf(w, "BT /F1 12 Tf (%s) Tj ET", text)
	w.Close()
	return []byte("%PDF-1.4\n1 0 obj<</Filter/FlateDecode>>stream\n" + z.String() + "\nendstream endobj\ntrailer<<>>\n%%EOF\n")
}

func mailOf(body string) []byte {
	return []byte("From: Clerk <clerk@board.example>\r\nTo: desk@kapdir.example\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\nSubject: Licence\r\n" + body)
}

func pngOf() []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 40)))
	return b.Bytes()
}

// What a paper is is told by its bytes; what must not be held is refused.
func TestReadPaper(t *testing.T) {
	var jpg bytes.Buffer
	_ = jpeg.Encode(&jpg, image.NewGray(image.Rect(0, 0, 40, 40)), nil)
	html := "<!doctype html><script>alert(1)</script>"
	for _, x := range []struct {
		name string
		raw  []byte
		want string
		kind ErrorKind
	}{
		{"a PDF", pdfOf("The licence is active."), "application/pdf", ""},
		{"a PNG", pngOf(), "image/png", ""},
		{"a JPEG", jpg.Bytes(), "image/jpeg", ""},
		{"a mail", mailOf("\r\nIt is active.\r\n"), "message/rfc822", ""},
		{"a mail in parts", mailOf("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>Active</p>\r\n--x--\r\n"), "message/rfc822", ""},
		{"nothing", nil, "", Invalid},
		{"words", []byte("The licence is active."), "", Invalid},
		{"a page", []byte(html), "", Invalid},
		{"a page called a mail", []byte("From: x\r\n\r\n" + html), "", Invalid},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), "", Invalid},
		{"a program", []byte("MZ\x90\x00" + strings.Repeat("\x00", 200)), "", Invalid},
		{"ZIP", []byte("PK\x03\x04" + strings.Repeat("\x00", 200)), "", Invalid},
		{"GIF", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "", Invalid},
		{"half a PDF", pdfOf("x")[:60], "", Invalid},
		{"half a PNG", pngOf()[:50], "", Invalid},
		{"too much", bytes.Repeat([]byte("x"), PaperMost+1), "", Invalid},
		{"the data bank in a PDF", pdfOf("National Practitioner Data Bank: self-query response"), "", Refused},
		{"the data bank in a mail", mailOf("\r\nYour NPDB Self-Query is ready.\r\n"), "", Refused},
		{"the data bank in a part", mailOf("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\nTmF0aW9uYWwgUHJhY3RpdGlvbmVyIERhdGEgQmFuaw==\r\n--x--\r\n"), "", Refused},
		{"an SSN in a PDF", pdfOf("SSN 219-09-9999"), "", Refused},
		{"an SSN in a mail", mailOf("\r\n219\u201109\u20119999\r\n"), "", Refused},
	} {
		p, err := ReadPaper(x.raw)
		if KindOf(err) != x.kind || err == nil && p.MediaType != x.want {
			t.Errorf("%s: %q, %v", x.name, p.MediaType, err)
		}
		if err != nil && strings.Contains(err.Error(), "219") {
			t.Errorf("%s: the error quotes it: %v", x.name, err)
		}
	}
	if p, _ := ReadPaper(pdfOf("The licence is active.")); !strings.Contains(p.Words, "The licence is active.") {
		t.Errorf("words of a PDF: %q", p.Words)
	}
}

// Whatever comes, the check ends, never panics, and lets only the four kinds through.
func FuzzReadPaper(f *testing.F) {
	for _, seed := range [][]byte{pdfOf("x"), pngOf(), mailOf("\r\nx"), mailOf("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n--x--"), []byte("<html>"), []byte("\xff\xd8\xff\xe0"), []byte("%PDF-1.4 ((( %%EOF")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := ReadPaper(raw)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Kind != Invalid && e.Kind != Refused {
				t.Fatalf("%v", err)
			}
			return
		}
		magic := map[string]string{"application/pdf": "%PDF-", "image/png": "\x89PNG\r\n\x1a\n", "image/jpeg": "\xff\xd8\xff", "message/rfc822": "from:"}
		begin, ok := magic[p.MediaType]
		if !ok || p.MediaType != "message/rfc822" && !bytes.Contains(raw[:min(len(raw), 1024)], []byte(begin)) ||
			p.MediaType == "message/rfc822" && !strings.Contains(strings.ToLower(string(raw)), begin) {
			t.Fatalf("%q is taken for %s", raw[:min(len(raw), 40)], p.MediaType)
		}
		if LooksLikeSSN(p.Words) {
			t.Fatal("the words hold an SSN")
		}
	})
}

package web

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"kapdir/directory"
)

func (d *deskTrial) upload(who, path string, raw []byte, fields ...string) reply {
	d.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	f, _ := w.CreateFormFile("file", "../../evil.html")
	_, _ = f.Write(raw)
	w.Close()
	req := httptest.NewRequest(http.MethodPost, path, &b)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Cookie", sessionCookie+"="+who)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := d.s.App().Test(req, 20_000)
	if err != nil && strings.Contains(err.Error(), "body size exceeds") { // the connection is answered with 413 and closed
		return reply{Response: &http.Response{StatusCode: http.StatusRequestEntityTooLarge}}
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return read(d.t, res)
}

// A document is filed, shown in a frame that can do nothing, and never as anything but what its bytes are.
func TestDeskPapers(t *testing.T) {
	d := newTrial(t)
	x := d.first(directory.CaseFirst)
	path := "/staff/cases/" + string(x.Case.ID)
	var scan bytes.Buffer
	_ = png.Encode(&scan, image.NewGray(image.Rect(0, 0, 60, 60)))
	big := append(bytes.Clone(scan.Bytes()), make([]byte, 300<<10)...)
	for _, c := range []struct {
		name, who string
		raw       []byte
		fields    []string
		want      int
	}{
		{"without a token", "rowan", big, []string{"looked", "1"}, 403},
		{"by a viewer", "vera", big, []string{"token", tokenOf("vera"), "looked", "1"}, 403},
		{"without having looked", "rowan", big, []string{"token", tokenOf("rowan")}, 400},
		{"a page", "rowan", []byte("<html><script>alert(1)</script></html>"), []string{"token", tokenOf("rowan"), "looked", "1"}, 400},
		{"of the data bank", "rowan", []byte("From: a@b.example\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\nNational Practitioner Data Bank\r\n"), []string{"token", tokenOf("rowan"), "looked", "1"}, 403},
		{"a large picture", "rowan", big, []string{"token", tokenOf("rowan"), "looked", "1", "note", "the letter"}, 303},
	} {
		if r := d.upload(c.who, path+"/papers", c.raw, c.fields...); r.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %s", c.name, r.StatusCode, c.want, text(d.page(r).Find(".wrong").Text()))
		}
	}
	if r := d.upload("rowan", path+"/papers", make([]byte, paperBody+1), "token", tokenOf("rowan"), "looked", "1"); r.StatusCode != 413 {
		t.Errorf("too much: %d", r.StatusCode)
	}
	if r := d.upload("rowan", path, big, "token", tokenOf("rowan")); r.StatusCode != 413 {
		t.Errorf("much to another address: %d", r.StatusCode)
	}
	for method, contact := range map[string]string{"phone": "at the desk", "mail": "the clerk", "letter": "303 555 0100"} {
		if r := d.post("rowan", path+"/contact", url.Values{"method": {method}, "spoke_to": {"The clerk"}, "contact": {contact}, "number_from": {"the board's page"}, "said": {"It is active."}}); r.StatusCode == 303 {
			t.Errorf("%s to %q was taken", method, contact)
		}
	}
	if r := d.post("rowan", path+"/contact", url.Values{"method": {"phone"}, "spoke_to": {"The clerk"}, "contact": {"303 555 0100"}, "number_from": {"the board's page"}, "said": {"It is <b>active</b>."}, "held": {"2026-11-02T15:30"}}); r.StatusCode != 303 {
		t.Errorf("a call: %d", r.StatusCode)
	}
	for _, held := range []string{"yesterday", "2031-01-01T10:00"} { // neither a time nor one that has come
		if r := d.post("rowan", path+"/contact", url.Values{"method": {"phone"}, "spoke_to": {"The clerk"}, "contact": {"303 555 0100"}, "number_from": {"the board's page"}, "said": {"It is."}, "held": {held}}); r.StatusCode != 400 {
			t.Errorf("a call held %s: %d", held, r.StatusCode)
		}
	}
	doc := d.page(d.get("rowan", path))
	href, _ := doc.Find(".filed a").Attr("href")
	if doc.Find(".filed li").Length() != 2 || !strings.HasPrefix(href, "/staff/papers/") || !strings.Contains(doc.Find(".filed").Text(), "It is <b>active</b>.") || !strings.Contains(doc.Find(".filed").Text(), "2 Nov 2026, 15:30") {
		t.Fatalf("filed: %s", text(doc.Find(".filed").Text()))
	}
	page := d.get("rowan", href)
	if frame := d.page(page).Find("iframe"); frame.Length() != 1 || frame.AttrOr("sandbox", "x") != "" || page.StatusCode != 200 {
		t.Errorf("the page of the document: %d", page.StatusCode)
	}
	shown := d.get("vera", href+"/shown")
	if csp := shown.Header.Get("Content-Security-Policy"); shown.StatusCode != 200 || shown.Header.Get("Content-Type") != "image/png" || !strings.HasPrefix(csp, "sandbox; default-src 'none'") ||
		shown.Header.Get("X-Content-Type-Options") != "nosniff" || shown.body != string(big) || !strings.Contains(shown.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("what stands in the frame: %d %v", shown.StatusCode, shown.Header)
	}
	if r := d.get("rowan", href+"/file"); !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the file: %v", r.Header)
	}
	for _, p := range []string{href, href + "/shown", href + "/file"} {
		if r := get(t, d.s, p); r.StatusCode != 303 {
			t.Errorf("anybody gets %s: %d", p, r.StatusCode)
		}
	}
}

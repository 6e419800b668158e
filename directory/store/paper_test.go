package store

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
)

// picture draws dark places on paper, as a scan has; shade makes it a little lighter.
func picture(seed, shade int) image.Image {
	img := image.NewGray(image.Rect(0, 0, 160, 200))
	for y := range 200 {
		for x := range 160 {
			v := 250.0
			for k := range 5 {
				cx, cy := float64((seed*53+k*71)%160), float64((seed*97+k*43)%200)
				v -= 200 * math.Exp(-((float64(x)-cx)*(float64(x)-cx)+(float64(y)-cy)*(float64(y)-cy))/float64(200+seed*k*37))
			}
			img.SetGray(x, y, color.Gray{Y: uint8(max(0, min(255, v+float64(shade))))})
		}
	}
	return img
}

func asPNG(img image.Image) []byte { var b bytes.Buffer; _ = png.Encode(&b, img); return b.Bytes() }
func asJPEG(img image.Image) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 80})
	return b.Bytes()
}

// testPapers files documents and calls: stored once, part of the decision, noticed when another provider has the
// same or nearly the same, and gone with whoever is removed.
func testPapers(t *testing.T, c Config) {
	c.SuppressionKey = []byte(strings.Repeat("k", 32))
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	one, claim := x.person(directory.SeenActive, false)
	two, _ := x.person(directory.SeenActive, false)
	three, _ := x.person(directory.SeenActive, false)
	q, q2, q3 := x.theCase(one), x.theCase(two), x.theCase(three)
	scan := asPNG(picture(1, 0))
	f := must(s.FilePaper(ctx, q.ID, "kim", "the board's letter", scan))
	if f.Paper == nil || f.Paper.MediaType != "image/png" || f.Paper.Look == "" {
		t.Fatalf("filed %+v", f)
	}
	if again := must(s.FilePaper(ctx, q.ID, "kim", "", scan)); again.Evidence != f.Evidence {
		t.Error("filed twice for one case")
	}
	for what, err := range map[string]error{
		"nobody files":        second(s.FilePaper(ctx, q.ID, "stranger", "", scan)),
		"no case":             second(s.FilePaper(ctx, "cas_none", "kim", "", scan)),
		"a program":           second(s.FilePaper(ctx, q.ID, "kim", "", []byte("\x7fELF\x02\x01\x01"+strings.Repeat("\x00", 99)))),
		"a call without a":    second(s.Contact(ctx, directory.ContactCheck{Case: q.ID, Staff: "kim", Method: "phone", SpokeTo: "The clerk", Contact: "303 555 0100", Said: "Active."})),
		"a call with an SSN":  second(s.Contact(ctx, directory.ContactCheck{Case: q.ID, Staff: "kim", Method: "phone", SpokeTo: "x", Contact: "y", From: "z", Said: "219-09-9999"})),
		"a note with an SSN":  second(s.FilePaper(ctx, q.ID, "kim", "219-09-9999", asPNG(picture(9, 0)))),
		"a call by carrier p": second(s.Contact(ctx, directory.ContactCheck{Case: q.ID, Staff: "kim", Method: "pigeon", SpokeTo: "x", Contact: "y", From: "z", Said: "w"})),
	} {
		if err == nil {
			t.Errorf("%s was let through", what)
		}
	}
	call := must(s.Contact(ctx, directory.ContactCheck{Case: q.ID, Staff: "kim", Method: "phone", SpokeTo: "The clerk of the board", Contact: "303 555 0100", From: "the board's own page", Said: "Active, no action."}))
	d := must(s.Dossier(ctx, q.ID, ""))
	if len(d.Filed) != 2 || d.Filed[1].Contact.SpokeTo != "The clerk of the board" {
		t.Errorf("filed: %+v", d.Filed)
	}
	e := x.must(x.decide("kim", "confirm", q.Case, x.claim(claim).Seen))
	if !slices.Contains(e.Evidence, f.Evidence) || !slices.Contains(e.Evidence, call.Evidence) {
		t.Errorf("the decision rests on %v", e.Evidence)
	}
	// The same bytes for another, and the same picture a little lighter as JPEG for a third.
	must(s.FilePaper(ctx, q2.ID, "kim", "", scan))
	near := must(s.FilePaper(ctx, q3.ID, "kim", "", asJPEG(picture(1, 12))))
	if must(s.FilePaper(ctx, q3.ID, "kim", "", asPNG(picture(4, 0)))); !directory.Alike(near.Paper.Look, f.Paper.Look) {
		t.Errorf("looks %s and %s", near.Paper.Look, f.Paper.Look)
	}
	for _, id := range []directory.ID{two, three} {
		k := x.caseOf(id, directory.CaseDocument)
		d := must(s.Dossier(ctx, k.ID, "kim"))
		if !slices.ContainsFunc(d.Others, func(o directory.Other) bool { return o.ID == one }) || len(d.Choices) != 2 || !d.Waits {
			t.Errorf("the case of the same paper: %+v, %+v", d.Others, d.Choices)
		}
		if _, err := x.decide("kim", "confirm", k.Case, k.Revision); !errors.Is(err, directory.Refused) {
			t.Errorf("confirming a paper: %v", err)
		}
		x.must(x.decide("kim", map[bool]string{true: "keep", false: "distinct"}[id == two], k.Case, k.Revision))
		if _, err := x.decide("pat", "keep", k.Case, k.Revision); !errors.Is(err, directory.Conflict) {
			t.Errorf("deciding it twice: %v", err)
		}
	}
	var n int
	if err := s.reader.QueryRow(`SELECT count(*) FROM paper`).Scan(&n); err != nil || n != 3 {
		t.Errorf("%d papers are held, %v", n, err)
	}
	p, raw, err := s.Paper(ctx, f.Paper.SHA256)
	if err != nil || !bytes.Equal(raw, scan) || p.Staff != "kim" {
		t.Errorf("the paper: %+v, %v", p, err)
	}
	whole(t, s)
	// Whoever is removed takes what only they had with them.
	r := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: three, Words: "x", Contact: "y"}))
	if _, err := s.DecideRemoval(ctx, directory.RemovalDecision{ID: r.ID, Do: "accept", Staff: "lee", Auth: "test", Note: "asked"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Paper(ctx, near.Paper.SHA256); !errors.Is(err, directory.NotFound) {
		t.Errorf("the paper of who was removed: %v", err)
	}
	if _, _, err := s.Paper(ctx, f.Paper.SHA256); err != nil {
		t.Errorf("the paper of the others: %v", err)
	}
	whole(t, s)
}

package web

import (
	"strconv"
	"strings"

	"kapdir/directory"
)

// The pictures of the guide are drawn from words: data/guide/LANGUAGE/pictures.json says what stands in them, this
// file where, and templates/guide.html with which strokes. They are as wide as a small phone, so that nothing in
// them is smaller than the text around.

// picture is what stands in a picture.
type picture struct {
	Title string
	Items []pictureItem
	Note  []string
	Lanes []pictureLane
}

type pictureLane struct {
	Head  string
	Items []pictureItem
}

type pictureItem struct {
	Head   string
	Lines  []string
	Icon   string                // of a step
	Result directory.CheckResult // of a check that falls
}

// drawing is a picture with the places of its parts, in units of a pixel on a phone.
type drawing struct {
	Title, Words  string // what a reader hears
	Width, Height int
	Items         []drawn
	Heads         []drawnLine
	Note          []drawnLine
	NoteTop       int
}

// drawn is one part of a picture: a box from Top, as high as Height, with text in it.
type drawn struct {
	N           int
	X, Top      int
	Height, Mid int
	Head        drawnLine
	Lines       []drawnLine
	Icon        string
	Result      directory.CheckResult
	Tone        string
	Last        bool // of its lane
}

type drawnLine struct {
	X, Y int
	Text string
}

// Sizes of the pictures.
const (
	pictureWidth = 328 // a screen of 360 pixels without its margins
	lineHeight   = 20
	headHeight   = 23
)

// draw places the parts of a picture. The limits of a licence's check stand in its words.
func (p picture) draw(name string, limits directory.KindPolicy) *drawing {
	fill := strings.NewReplacer("{recheck}", strconv.Itoa(limits.Recheck), "{stale}", strconv.Itoa(limits.Stale)).Replace
	d := &drawing{Title: p.Title, Width: pictureWidth}
	var said []string
	y := 2
	place := func(it pictureItem, x, textX, gap int) *drawn {
		b := drawn{N: len(d.Items) + 1, X: x, Top: y, Height: headHeight + lineHeight*len(it.Lines) + 18, Icon: it.Icon, Result: it.Result, Tone: tone(it.Result)}
		b.Mid = b.Top + b.Height/2
		b.Head = drawnLine{textX, b.Top + 26, fill(it.Head)}
		for i, line := range it.Lines {
			b.Lines = append(b.Lines, drawnLine{textX, b.Head.Y + headHeight - 2 + i*lineHeight, fill(line)})
		}
		said = append(said, strings.TrimRight(b.Head.Text, ".")+": "+fill(strings.Join(it.Lines, " ")))
		y += b.Height + gap
		d.Items = append(d.Items, b)
		return &d.Items[len(d.Items)-1]
	}
	switch name {
	case "phases":
		for i, it := range p.Items {
			place(it, 1, 20, 30).Last = i == len(p.Items)-1
		}
	case "steps":
		for i, it := range p.Items {
			b := place(it, 0, 56, 0)
			b.Last = i == len(p.Items)-1
			said[len(said)-1] = strconv.Itoa(b.N) + ". " + said[len(said)-1]
		}
	case "fall":
		for _, lane := range p.Lanes {
			y += 22
			d.Heads = append(d.Heads, drawnLine{1, y - 4, lane.Head})
			said = append(said, lane.Head+".")
			y += 8
			for i, it := range lane.Items {
				place(it, 1+i*16, 45+i*16, 12).Last = i == len(lane.Items)-1
			}
		}
	}
	d.NoteTop = y
	for i, line := range p.Note {
		d.Note = append(d.Note, drawnLine{44, y + 8 + i*lineHeight, line})
	}
	y += len(p.Note) * lineHeight
	said = append(said, strings.Join(p.Note, " "))
	d.Height = y + 4
	d.Words = strings.TrimSpace(strings.Join(said, " "))
	return d
}

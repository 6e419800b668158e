package web

import (
	"slices"
	"strings"
	"unicode/utf8"

	"kapdir/directory"
)

// teamPicture is who does the therapy and who prescribes, with their licences by state, as lines of a drawing that
// the template writes as SVG. It says in shapes what the check on medical oversight and the credentials say in
// words, and Text says it in words for who does not see it.
type teamPicture struct {
	Title, Text   string
	Width, Height int
	Boxes         []teamBox
	Links         []teamBond
}

// teamBox is a person or practice.
type teamBox struct {
	X, Y, W, H int
	Empty      bool // nobody is known
	Lines      []teamLine
}

// teamLine is a text in a box, from its left edge.
type teamLine struct {
	X, Y   int
	Class  string
	Text   string
	Result directory.CheckResult // whose shape stands before it; "" without one
	IconY  int
}

// IconX is where a line's shape begins.
func (l teamLine) IconX() int { return l.X - 24 }

// teamBond joins two boxes: how firmly is known is how the line is drawn.
type teamBond struct {
	X, Y1, Y2 int
	Class     string // firm: a source or a document says so; told: somebody says so; none: nobody
	Label     teamLine
}

// linkedLicence is a licence of a linked prescriber.
type linkedLicence struct {
	State  directory.State       `json:"state"`
	Title  string                `json:"title,omitempty"`
	Label  string                `json:"label"`
	Result directory.CheckResult `json:"result"`
}

// Measures of the drawing, in its own units: it is drawn for a narrow screen, and is no larger on a wide one.
const (
	teamWidth     = 328
	teamEdge      = 14
	teamStep      = 21
	teamGap       = 58 // between two boxes
	lettersInLine = 39
	mostLicences  = 4
	mostDrawn     = 3 // prescribers
)

// team draws the oversight of the provider; nil where there is nothing to draw.
func (l *lang) team(p *provider) *teamPicture {
	if p.ListedAs == directory.AsPrescriber && len(p.Prescribers) == 0 {
		return nil
	}
	check := p.check(directory.CheckOversight)
	d := &teamPicture{Title: l.t("team.title", "Name", p.Name), Width: teamWidth}
	var said []string
	y := 1
	add := func(role, name string, link *linked, licences []linkedLicence, empty bool) {
		b := teamBox{X: 1, Y: y, W: teamWidth - 2, Empty: empty}
		at := y + teamEdge + 10
		put := func(class, text string, r directory.CheckResult) {
			x := b.X + teamEdge
			if r != "" {
				x += 24
			}
			for _, part := range broken(text, lettersInLine-(x-b.X-teamEdge)/7) {
				b.Lines = append(b.Lines, teamLine{X: x, Y: at, Class: class, Text: part, Result: r, IconY: at - 14})
				r = ""
				at += teamStep
			}
		}
		put("role", role, "")
		if name != "" {
			put("name", name, "")
		}
		words := role
		if name != "" {
			words += ": " + name
		}
		if link != nil { // one of several: how well this one is known
			put("bond", link.Label, link.Result)
			words += ". " + l.t("team.link", "Label", link.Label)
		}
		if !empty {
			if len(licences) == 0 {
				put("lic", l.t("team.no_licence"), directory.NotChecked)
				words += ". " + l.t("team.no_licence")
			}
			for i, x := range licences {
				if i == mostLicences {
					more := l.t("team.more", "Count", len(licences)-i)
					put("lic", more, "")
					words += "; " + more
					break
				}
				put("lic", l.state(x.State)+": "+x.Label, x.Result)
				words += "; " + l.t("team.licence", "State", x.State, "Label", x.Label)
			}
		}
		b.H = at - y - teamStep + teamEdge + 4
		y += b.H
		d.Boxes = append(d.Boxes, b)
		said = append(said, words+".")
	}
	join := func(label string, r directory.CheckResult) {
		class := "none"
		switch r {
		case directory.Confirmed, directory.ShownByDocument:
			class = "firm"
		case directory.StatedByProvider, directory.StatedInListing, directory.BeingChecked, directory.OutOfDate, directory.ProblemOnRecord, directory.NotMet:
			class = "told"
		}
		d.Links = append(d.Links, teamBond{X: 34, Y1: y, Y2: y + teamGap, Class: class, Label: teamLine{X: 70, Y: y + teamGap/2 + 5, Class: "bond", Text: label, Result: r, IconY: y + teamGap/2 - 9}})
		y += teamGap
		said = append(said, l.t("team.link", "Label", label))
	}
	role := "team.therapist"
	switch {
	case p.Kind == directory.Organisation:
		role = "team.practice"
	case p.Self:
		role = "team.both"
	case p.ListedAs == directory.AsPrescriber:
		role = "team.prescriber"
	}
	add(l.t(role), p.Name, nil, l.ownLicences(p), false)
	if !p.Self {
		switch {
		case len(p.Prescribers) == 0:
			join(check.Label, check.Result)
			add(l.t("team.prescriber"), l.prescribes(p), nil, nil, true)
		default:
			for i := range p.Prescribers[:min(mostDrawn, len(p.Prescribers))] {
				x := &p.Prescribers[i]
				name, link := strings.Join(append([]string{x.Name}, x.Credentials...), ", "), x
				switch {
				case len(p.Prescribers) == 1:
					join(check.Label, check.Result)
					link = nil
				case i == 0:
					join(l.t("team.best", "Label", check.Label), check.Result)
				default:
					y += teamEdge
				}
				add(l.t("team.prescriber"), name, link, x.Licences, false)
			}
		}
	}
	d.Height, d.Text = y+1, strings.Join(said, " ")
	return d
}

// ownLicences are the provider's, as the page lists them.
func (l *lang) ownLicences(p *provider) (out []linkedLicence) {
	for _, c := range p.Claims {
		if c.Kind == directory.License || c.Kind == directory.CompactPrivilege {
			out = append(out, linkedLicence{c.Jurisdiction, c.Title, c.Label, c.result})
		}
	}
	return onePerState(out)
}

// onePerState leaves out what says the same of the same state again.
func onePerState(list []linkedLicence) []linkedLicence {
	out := []linkedLicence{}
	for _, x := range list {
		if !slices.ContainsFunc(out, func(y linkedLicence) bool { return y.State == x.State && y.Label == x.Label }) {
			out = append(out, x)
		}
	}
	return out
}

// broken breaks a text between words into lines of at most n letters; a longer word stands alone.
func broken(text string, n int) (out []string) {
	now := ""
	for _, w := range strings.Fields(text) {
		switch {
		case now == "":
			now = w
		case utf8.RuneCountInString(now)+1+utf8.RuneCountInString(w) <= n:
			now += " " + w
		default:
			out, now = append(out, now), w
		}
	}
	return append(out, now)
}

package web

import (
	"context"
	"slices"
	"strings"

	"kapdir/directory"
)

// preview is what public pages would say after something is done, where that is another thing than they say now.
type preview struct {
	Known bool // it was worked out: without pages, nothing that the public reads changes
	Pages []pagePreview
	More  int // others who name one of these people, and of whom nothing is told here
}

// pagePreview is the page of one provider.
type pagePreview struct {
	ID    directory.ID
	Name  string
	Own   bool   // of the provider of the case
	Gone  string // what becomes of a page that is no more
	Came  bool   // there is none yet
	Lines []publicLine
}

// publicLine is a sentence of a public page.
type publicLine struct{ Key, Title, Now, After string }

// lines are the five checks, the facts and the claims of a public page, as it words them; none when there is no page.
func (s *Server) lines(f *directory.CredentialFile, at, known directory.Instant) (out []publicLine) {
	if f == nil || !Stated(f, at, known, s.cfg.Policies) {
		return nil
	}
	said, words := Published(f, "", at, known, s.cfg.Policies), WordsOf(f, at, known, s.cfg.Policies)
	for _, x := range said.Checks {
		out = append(out, publicLine{Key: string(x.Check), Title: x.Title, Now: x.Label + ". " + x.Sentence})
	}
	for _, x := range s.factLines(f, at, known) {
		if x.Now != "" {
			out = append(out, x)
		}
	}
	for _, x := range said.Claims {
		title := string(x.Kind)
		for _, h := range f.Claims {
			if h.Claim.ID == x.ID {
				title = words.Claim(h.Claim)
			}
		}
		out = append(out, publicLine{Key: string(x.ID), Title: title, Now: x.Label + ". " + x.Sentence})
	}
	return out
}

// factLines are what a page says of who somebody is and where.
func (s *Server) factLines(f *directory.CredentialFile, at, known directory.Instant) []publicLine {
	w := s.factsOf(f, moment{at: at, known: known, now: at, lang: english})
	text := func(x *fact[string]) string {
		if x == nil {
			return ""
		}
		return x.Value
	}
	var places, phones []string
	for _, x := range w.Sites {
		places = append(places, strings.Join(strings.Fields(strings.Join([]string{x.Line1, x.Line2, x.City, string(x.State), x.ZIP}, " ")), " "))
		if x.Phone != "" && !slices.Contains(phones, x.Phone) {
			phones = append(phones, x.Phone)
		}
	}
	return []publicLine{{Key: "name", Title: "Name", Now: f.Provider.DisplayName()}, {Key: "npi", Title: "NPI", Now: text(w.NPI)}, {Key: "website", Title: "Website", Now: text(w.Website)},
		{Key: "places", Title: "Places", Now: strings.Join(places, "; ")}, {Key: "phones", Title: "Telephone", Now: strings.Join(phones, "; ")}}
}

// changed are the lines that would be others.
func changed(now, after []publicLine) (out []publicLine) {
	for _, x := range after {
		i := slices.IndexFunc(now, func(y publicLine) bool { return y.Key == x.Key })
		if i < 0 {
			out = append(out, publicLine{x.Key, x.Title, "Not shown.", x.Now})
		} else if now[i].Now != x.Now {
			out = append(out, publicLine{x.Key, x.Title, now[i].Now, x.Now})
		}
	}
	for _, x := range now {
		if !slices.ContainsFunc(after, func(y publicLine) bool { return y.Key == x.Key }) {
			out = append(out, publicLine{x.Key, x.Title, x.Now, "Not shown any more."})
		}
	}
	return out
}

// foreseen tells what is foreseen of each page. own is the provider of the case.
func (s *Server) foreseen(x directory.Foreseen, own directory.ID, at, known directory.Instant) preview {
	out := preview{Known: true, More: x.More}
	name := func(id directory.ID) string {
		for _, f := range x.People {
			if f.ID == id && f.After != nil {
				return f.After.Provider.DisplayName()
			}
		}
		return string(id)
	}
	for _, f := range x.People {
		p := pagePreview{ID: f.ID, Own: f.ID == own}
		now, after := s.lines(f.Now, at, known), s.lines(f.After, x.At, x.Known)
		switch {
		case len(now) == 0 && len(after) == 0:
			continue
		case len(after) == 0 && f.MergedAfter != "":
			p.Gone = "No page of their own any more: it leads to that of " + name(f.MergedAfter) + "."
		case len(after) == 0:
			p.Gone = "There is no public page any more."
		default:
			p.Came = len(now) == 0
			if p.Lines = changed(now, after); len(p.Lines) == 0 {
				continue
			}
		}
		if f.After != nil {
			p.Name = f.After.Provider.DisplayName()
		} else {
			p.Name = f.Now.Provider.DisplayName()
		}
		out.Pages = append(out.Pages, p)
	}
	return out
}

// previewer works out the previews of one case's page.
type previewer struct {
	s     *Server
	ctx   context.Context
	d     directory.Dossier
	who   string
	rests map[directory.ID][]publicLine // of others, as they are now; see rest
	busy  bool                          // somebody else writes: the page waits for them once
}

// of is what would become of public pages if the choice were made. What is one event is derived from the file with it;
// all else the store rehearses, and where somebody else is writing there is no preview yet.
func (p *previewer) of(x directory.Choice) preview {
	d := p.d
	wish := directory.Wish{Case: d.Case.ID, Provider: d.Provider.ID, Do: x.Decision, Of: x.Of, Staff: p.who, Field: "licence", Hurry: true}
	switch {
	case x.Refused != "" || x.Decision == "correct" || x.Decision == directory.LookAnew:
		return preview{}
	case x.Event != nil && d.Claim != nil:
		return p.file(d.File.With(d.Claim.ID, *x.Event, d.At, d.Known), x.After != d.Status)
	case x.Decision == "withdraw_file":
		return p.file(nil, true)
	case x.Foreseen != nil:
		return p.s.foreseen(*x.Foreseen, d.Provider.ID, d.At, d.Known)
	case x.Rehearsed(d.Case.Kind):
		if p.busy {
			return preview{}
		}
		f, err := p.s.cfg.Desk.Foresee(p.ctx, wish)
		if err != nil {
			p.busy = directory.KindOf(err) == directory.Unavailable
			return preview{}
		}
		return p.s.foreseen(f, d.Provider.ID, d.At, d.Known)
	}
	return preview{Known: true} // it closes a case, and no page hears of it
}

// file is what follows from another file of the provider, nil from none; moved is that their claim's answer is another.
func (p *previewer) file(after *directory.CredentialFile, moved bool) preview {
	d := p.d
	out := p.s.foreseen(directory.Foreseen{At: d.At, Known: d.Known, People: []directory.ForeseenFile{{ID: d.Provider.ID, Now: d.File, After: after}}}, d.Provider.ID, d.At, d.Known)
	if len(out.Pages) == 0 && !moved {
		return out
	}
	for _, f := range d.Rest {
		now, ok := p.rests[f.Provider.ID]
		if !ok {
			now = p.s.lines(f, d.At, d.Known)
			p.rests[f.Provider.ID] = now
		}
		if lines := changed(now, p.s.lines(f.Resting(d.Provider.ID, after), d.At, d.Known)); len(lines) > 0 {
			out.Pages = append(out.Pages, pagePreview{ID: f.Provider.ID, Name: f.Provider.DisplayName(), Lines: lines})
		}
	}
	out.More = d.Resting - len(d.Rest)
	return out
}

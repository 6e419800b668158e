package web

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// casesShown is how many cases the page of a provider lists.
const casesShown = 100

// providerID is the provider of the address.
func providerID(c *fiber.Ctx) (directory.ID, error) {
	id, err := directory.ParseID(directory.ProviderPrefix, strings.Clone(c.Params("id")))
	if err != nil {
		return "", directory.NotFound
	}
	return id, nil
}

// staffProvider answers GET /staff/providers/:id: a provider as the desk knows them, whoever is hidden or merged too.
func (s *Server) staffProvider(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	id, err := providerID(c)
	if err != nil {
		return err
	}
	var p casePage
	if told := deedWords[queryOf(c).Get("told")].told; told != "" {
		p.Told = told
	}
	return s.showProvider(ctx, c, who, id, p)
}

func (s *Server) showProvider(ctx context.Context, c *fiber.Ctx, who *staffSession, id directory.ID, p casePage) error {
	d, err := s.cfg.Desk.AtDesk(ctx, id, who.Name)
	if err != nil {
		return err
	}
	list, err := s.cfg.Desk.List(ctx, directory.CaseFilter{Provider: id, All: true, Limit: casesShown}, false)
	if err != nil {
		return err
	}
	for i, q := range list.Cases {
		if q.About != nil {
			list.Cases[i].What = s.claimWords(*q.About)
		}
	}
	p.staffPage = s.staffPage(c, who, d.Provider.DisplayName())
	p.D, p.Cases, p.Decides, p.Action = d, list.Cases, slices.Contains(deciders, who.Role), "/staff/providers/"+string(id)
	p.deeds(ctx, s, d, who.Name)
	return s.sendStaff(c, "provider", p)
}

// staffProviderAct answers POST /staff/providers/:id: they are hidden, shown again, or parted from somebody.
func (s *Server) staffProviderAct(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	id, err := providerID(c)
	if err != nil {
		return err
	}
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	d, err := s.cfg.Desk.AtDesk(ctx, id, who.Name)
	if err != nil {
		return err
	}
	a := directory.Act{Staff: who.Name, Auth: "session by " + who.How, Note: strings.TrimSpace(form.Get("note"))}
	_, _ = fmt.Sscan(form.Get("seen"), &a.Seen)
	_, _ = fmt.Sscan(form.Get("of"), &a.Of)
	p := casePage{Note: a.Note, Sent: form}
	do, asked := form.Get("do"), form.Get("preview")
	switch {
	case asked != "" && slices.Contains(fileDeeds, asked):
		var f directory.Foreseen
		if f, err = s.cfg.Desk.Foresee(ctx, directory.Wish{Provider: id, Do: asked, Of: a.Of, Staff: who.Name}); err == nil {
			p.Asked, p.AskedOf, p.Foreseen = asked, a.Of, s.foreseen(f, id, d.At, d.Known)
			return s.showProvider(ctx, c, who, id, p)
		}
	case !slices.Contains(fileDeeds, do):
		err = directory.Errorf(directory.Invalid, "do", "that is nothing that can be done about a provider")
	default:
		err = s.actOnFile(ctx, a, d, do, form)
	}
	var de *directory.Error
	switch {
	case err == nil:
		return seeOther(c, "/staff/providers/"+string(id)+"?told="+do)
	case !errors.As(err, &de) || statuses[de.Kind] >= 500 || de.Kind == directory.NotFound:
		return err
	}
	p.Wrong = capital(de.Detail) + "."
	c.Status(statuses[de.Kind])
	return s.showProvider(ctx, c, who, id, p)
}

package web

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"github.com/emersion/go-vcard"
	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// contactCard answers GET /providers/:id.vcf: name, places, telephones and website as the page shows them, as a
// card (RFC 6350). Each has its source and day in a note. The mailing address is not among them, and an address
// that could be a home is a town and a ZIP code.
func (s *Server) contactCard(c *fiber.Ctx) error {
	id, err := directory.ParseID(directory.ProviderPrefix, strings.Clone(c.Params("id")))
	if err != nil {
		return directory.NotFound
	}
	p, err := s.providerAsked(c, id, ask{})
	var moved *mergedInto
	if errors.As(err, &moved) {
		c.Set(fiber.HeaderLocation, moved.location(langOf(c).To("/providers/"), "")+".vcf")
		c.Set(fiber.HeaderCacheControl, "no-store")
		c.Status(http.StatusPermanentRedirect)
		return nil
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+string(p.ID)+`.vcf"`)
	c.Set("X-Robots-Tag", "noindex")
	return s.sendCached(c, "text/vcard; charset=utf-8", p, func() ([]byte, error) { return langOf(c).card(p, s.base) })
}

// card writes the contact of a provider.
func (l *lang) card(p *provider, base string) ([]byte, error) {
	card := vcard.Card{}
	put := func(field, value string, params ...string) {
		f := &vcard.Field{Value: plainLine(value), Params: vcard.Params{}}
		for i := 0; i+1 < len(params); i += 2 {
			f.Params.Set(params[i], params[i+1])
		}
		card.Add(field, f)
	}
	put(vcard.FieldVersion, "4.0")
	put(vcard.FieldProductID, "-//Kapdir//Kapdir//EN")
	card.SetKind(vcard.KindIndividual)
	if p.Kind == directory.Organisation {
		card.SetKind(vcard.KindOrganization)
	}
	put(vcard.FieldFormattedName, p.Name)
	put(vcard.FieldSource, base+l.To(p.URL))
	put(vcard.FieldRevision, p.AsOf.Date().Midnight().Time().UTC().Format("20060102T150405Z"))
	if o := p.Facts.Organisation; o != nil {
		put(vcard.FieldOrganization, o.Value)
	}
	if w := p.Facts.Website; w != nil {
		put(vcard.FieldURL, w.Value)
		put(vcard.FieldNote, l.t("card.website", "Origin", l.cited(w.Origin)))
	}
	for _, x := range p.Facts.Sites {
		if x.City != "" || x.Line1 != "" {
			card.AddAddress(&vcard.Address{Field: &vcard.Field{Params: vcard.Params{"TYPE": {"work"}}}, ExtendedAddress: plainLine(x.Line2), StreetAddress: plainLine(x.Line1),
				Locality: plainLine(x.City), Region: plainLine(string(x.State)), PostalCode: plainLine(x.ZIP), Country: "US"})
			put(vcard.FieldNote, l.t("card.place", "Place", x.City, "Origin", l.cited(x.Origin)))
		}
		if x.Phone != "" {
			put(vcard.FieldTelephone, x.Phone, "TYPE", "work")
			from := x.PhoneOrigin
			if from == nil {
				from = x.Origin
			}
			put(vcard.FieldNote, l.t("card.telephone", "Number", x.Phone, "Origin", l.cited(from)))
		}
	}
	put(vcard.FieldNote, p.Standing)
	var b bytes.Buffer
	if err := vcard.NewEncoder(&b).Encode(card); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// cited names an origin with its day.
func (l *lang) cited(o *origin) string {
	switch {
	case o == nil:
		return l.t("unstated")
	case o.AsOf == "":
		return o.Name
	}
	return o.Name + ", " + l.date(o.AsOf)
}

// plainLine takes out what would end a line or a part of a value.
func plainLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ';':
			return ','
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			return ' '
		}
		return r
	}, s)
}

package web

import (
	"context"
	"strings"
	"testing"

	"github.com/emersion/go-vcard"

	"kapdir/directory"
)

// The card has what the page shows, each with where it is from, and nothing that the page hides.
func TestContactCard(t *testing.T) {
	id := idOf(t, "Amara Whitcomb")
	s := demoServer(t)
	p := decode[provider](t, get(t, s, api(id)))
	for _, l := range languages {
		page := dom(t, get(t, s, l.To(pageOf(id))))
		link := page.Find(`a[href$=".vcf"]`).AttrOr("href", "")
		r := get(t, s, link)
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/vcard") || r.Header.Get("ETag") == "" {
			t.Fatalf("%s: %d %s", link, r.StatusCode, r.Header.Get("Content-Type"))
		}
		card, err := vcard.NewDecoder(strings.NewReader(r.body)).Decode()
		if err != nil {
			t.Fatal(err)
		}
		site := p.Facts.Sites[0]
		if card.Value(vcard.FieldVersion) != "4.0" || card.Value(vcard.FieldFormattedName) != p.Name || card.Value(vcard.FieldTelephone) != site.Phone || card.Value(vcard.FieldURL) != p.Facts.Website.Value ||
			card.Kind() != vcard.KindIndividual || card.Value(vcard.FieldSource) != "https://kapdir.example"+l.To(p.URL) {
			t.Errorf("%s", r.body)
		}
		if a := card.Address(); a == nil || a.StreetAddress != site.Line1 || a.Locality != site.City || a.PostalCode != site.ZIP {
			t.Errorf("the address is %+v, the page has %+v", a, site)
		}
		if notes := strings.Join(card.Values(vcard.FieldNote), "\n"); !strings.Contains(notes, site.Origin.Name) || !strings.Contains(notes, l.date(site.Origin.AsOf)) || !strings.Contains(notes, p.Facts.Website.Origin.Name) {
			t.Errorf("the sources are %q", notes)
		}
	}
	home := "12 Elm Hollow Ln"
	hidden := demoServer(t, func(c *Config) {
		real := c.Reader
		c.Reader = altered{Reader: real, file: func(id directory.ID) (*directory.CredentialFile, error) {
			f, err := real.File(context.Background(), id)
			if err != nil {
				return f, err
			}
			copied := *f
			copied.Provider.Sites = []directory.Site{{Name: "Evil\r\nTEL:+1", Address: directory.Address{Line1: home, City: "Denver;\nNOTE:x", State: "CO", ZIP: "80209-1234"}, Phone: "(303) 555-0100\r\nX-EVIL:1"}}
			copied.Provider.Website = "https://example.org/a,b"
			return &copied, nil
		}}
	})
	r := get(t, hidden, pageOf(id)+".vcf")
	card, err := vcard.NewDecoder(strings.NewReader(r.body)).Decode()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.body, home) || strings.Contains(r.body, "1234") || card.Address().Locality != "Denver, NOTE:x" || len(card["X-EVIL"]) > 0 || len(card[vcard.FieldTelephone]) != 1 {
		t.Errorf("%s", r.body)
	}
	for _, target := range []string{"/providers/prv_00000000000000000000000000.vcf", "/providers/.vcf", "/providers/x.vcf", pageOf(id) + ".vcf.vcf", pageOf(id) + ".VCF"} {
		if r := get(t, s, target); r.StatusCode != 404 {
			t.Errorf("%s: %d", target, r.StatusCode)
		}
	}
}

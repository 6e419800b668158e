package web

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// What machines read beside the pages: which of them there are, how to search, and what a page says in
// schema.org's words. None of it says more than a page does.

// robots answers GET /robots.txt. A demonstration asks to be left out of every index: its people are invented.
func (s *Server) robots(c *fiber.Ctx) error {
	body := "User-agent: *\nDisallow: /api/\nDisallow: /*?\n\nSitemap: " + s.base + "/sitemap.xml\n"
	if s.cfg.Demo != nil {
		body = "User-agent: *\nDisallow: /\n"
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	return s.send(c, fiber.MIMETextPlainCharsetUTF8, []byte(body))
}

// mapSize is how many providers one sitemap holds. Each has a page in every language, and a sitemap may
// name 50,000.
const mapSize = 20_000

// unmapped are pages that search engines are not led to: what a person fills in or puts together.
var unmapped = []string{"/compare", "/cost"}

type siteMap struct {
	XMLName xml.Name  `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	URLs    []siteURL `xml:"url"`
}

type siteIndex struct {
	XMLName xml.Name  `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
	Maps    []siteURL `xml:"sitemap"`
}

type siteURL struct {
	Loc string `xml:"loc"`
}

// sitemap answers GET /sitemap.xml: every page there is, or, where those are too many for one file, the files.
func (s *Server) sitemap(c *fiber.Ctx) error {
	ids, err := s.listed(c)
	if err != nil {
		return err
	}
	if len(ids) <= mapSize {
		return s.sendXML(c, s.mapOf(append(s.fixedPages(), providerURLs(ids)...)))
	}
	index := siteIndex{Maps: []siteURL{{s.base + "/sitemaps/0"}}}
	for i := range (len(ids) + mapSize - 1) / mapSize {
		index.Maps = append(index.Maps, siteURL{s.base + "/sitemaps/" + strconv.Itoa(i+1)})
	}
	return s.sendXML(c, index)
}

// sitemapPart answers GET /sitemaps/:part: 0 has the pages that are no provider's, the others a piece of those.
func (s *Server) sitemapPart(c *fiber.Ctx) error {
	part, err := strconv.Atoi(c.Params("part"))
	if err != nil || part < 0 || strconv.Itoa(part) != c.Params("part") {
		return directory.NotFound
	}
	if part == 0 {
		c.Set(fiber.HeaderCacheControl, "public, max-age=60")
		return s.sendXML(c, s.mapOf(s.fixedPages()))
	}
	ids, err := s.listed(c)
	if err != nil {
		return err
	}
	if (part-1)*mapSize >= len(ids) {
		return directory.NotFound
	}
	return s.sendXML(c, s.mapOf(providerURLs(ids[(part-1)*mapSize:min(part*mapSize, len(ids))])))
}

// listed reads who has a page. It is a long list, so it waits with the heavy questions.
func (s *Server) listed(c *fiber.Ctx) ([]directory.ID, error) {
	leave, err := s.lanes.take(s.clientAddress(c.Context()), true)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	c.Set(fiber.HeaderCacheControl, "public, max-age=60") // whoever is removed is gone from it in a minute
	return s.cfg.Reader.Listed(ctx)
}

func (s *Server) fixedPages() []string {
	out := slices.Clone(guidePaths)
	for _, p := range s.shown {
		if !strings.Contains(p, ":") && !slices.Contains(unmapped, p) {
			out = append(out, p)
		}
	}
	return out
}

func providerURLs(ids []directory.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = providerURL(id)
	}
	return out
}

func (s *Server) mapOf(paths []string) siteMap {
	var m siteMap
	for _, p := range paths {
		for _, l := range languages {
			m.URLs = append(m.URLs, siteURL{s.base + l.To(p)})
		}
	}
	return m
}

func (s *Server) sendXML(c *fiber.Ctx, v any) error {
	raw, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	return s.send(c, fiber.MIMEApplicationXMLCharsetUTF8, append([]byte(xml.Header), raw...))
}

// openSearch answers GET /opensearch.xml, and the same in Spanish: by it a browser offers a search from its
// address bar.
func (s *Server) openSearch(l *lang) fiber.Handler {
	type address struct {
		Type     string `xml:"type,attr"`
		Template string `xml:"template,attr"`
	}
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
		raw, err := xml.Marshal(struct {
			XMLName     xml.Name `xml:"http://a9.com/-/spec/opensearch/1.1/ OpenSearchDescription"`
			ShortName   string
			Description string
			Language    string
			Encoding    string  `xml:"InputEncoding"`
			URL         address `xml:"Url"`
		}{ShortName: "Kapdir", Description: l.t("search.title"), Language: l.Code, Encoding: "UTF-8",
			URL: address{fiber.MIMETextHTML, s.base + l.To("/") + "?q={searchTerms}"}})
		if err != nil {
			return err
		}
		return s.send(c, openSearchType, append([]byte(xml.Header), raw...))
	}
}

const openSearchType = "application/opensearchdescription+xml; charset=utf-8"

// ldNode is a thing in schema.org's words, as JSON-LD.
type ldNode struct {
	Context    string     `json:"@context,omitempty"`
	Type       string     `json:"@type"`
	ID         string     `json:"@id,omitempty"`
	Name       string     `json:"name,omitempty"`
	URL        string     `json:"url,omitempty"`
	SameAs     string     `json:"sameAs,omitempty"`
	Telephone  string     `json:"telephone,omitempty"`
	Identifier *ldValue   `json:"identifier,omitempty"`
	Address    *ldAddress `json:"address,omitempty"`
	Locations  []ldNode   `json:"location,omitempty"`
	WorksAt    []ldNode   `json:"workLocation,omitempty"`
	Credential []ldNode   `json:"hasCredential,omitempty"`
	Category   string     `json:"credentialCategory,omitempty"`
	By         *ldNode    `json:"recognizedBy,omitempty"`
	In         *ldNode    `json:"validIn,omitempty"`
}

type ldValue struct {
	Type  string `json:"@type"`
	Name  string `json:"propertyID"`
	Value string `json:"value"`
}

type ldAddress struct {
	Type    string          `json:"@type"`
	Street  string          `json:"streetAddress,omitempty"`
	City    string          `json:"addressLocality,omitempty"`
	State   directory.State `json:"addressRegion,omitempty"`
	ZIP     string          `json:"postalCode,omitempty"`
	Country string          `json:"addressCountry"`
}

// linkedData says of a provider what the page says: who and where, and of credentials only those that a
// register confirmed and that nothing stands against. What is stated, being checked, out of date or refuted
// is left out, for JSON-LD has no word for it; there are no ratings, and never will be.
func linkedData(p *provider, address string) *ldNode {
	n := &ldNode{Context: "https://schema.org", Type: "Person", ID: address, URL: address, Name: p.Name}
	if p.Kind == directory.Organisation {
		n.Type = "Organization"
	}
	if w := p.Facts.Website; w != nil {
		n.SameAs = w.Value
	}
	for _, c := range p.Claims {
		if c.Kind == directory.IdentityNPI && c.result == directory.Confirmed && c.Number != "" {
			n.Identifier = &ldValue{"PropertyValue", "NPI", c.Number}
		}
	}
	for _, site := range p.Facts.Sites {
		place := ldNode{Type: "Place", Name: site.Name, Telephone: site.Phone,
			Address: &ldAddress{"PostalAddress", strings.TrimSpace(site.Line1 + " " + site.Line2), site.City, site.State, site.ZIP, "US"}}
		if n.Type == "Person" {
			n.WorksAt = append(n.WorksAt, place)
		} else {
			n.Locations = append(n.Locations, place)
		}
	}
	for _, c := range p.Checks {
		if c.Result == directory.ProblemOnRecord {
			return n
		}
	}
	for _, c := range p.Claims {
		if c.result != directory.Confirmed || c.Kind != directory.License && c.Kind != directory.BoardCert && c.Kind != directory.TrainingCert {
			continue
		}
		x := ldNode{Type: "EducationalOccupationalCredential", Name: c.Title, Category: c.KindLabel}
		if c.Number != "" {
			x.Identifier = &ldValue{"PropertyValue", c.KindLabel, c.Number}
		}
		if c.Issuer != "" {
			x.By = &ldNode{Type: "Organization", Name: c.Issuer}
		}
		if c.Jurisdiction != "" {
			x.In = &ldNode{Type: "AdministrativeArea", Name: c.Jurisdiction.Name()}
		}
		n.Credential = append(n.Credential, x)
	}
	return n
}

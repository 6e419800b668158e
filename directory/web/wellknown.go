package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// link is a link of a linkset (RFC 9264 §4.2).
type link struct {
	Href string `json:"href"`
	Type string `json:"type,omitempty"`
}

// apiCatalog answers GET /.well-known/api-catalog: where our API is, and what describes it (RFC 9727).
func (s *Server) apiCatalog(c *fiber.Ctx) error {
	const self = "/.well-known/api-catalog"
	api := s.base + "/api/v1"
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	c.Set(fiber.HeaderLink, "<"+s.base+self+`>; rel="api-catalog"`) // which is all that HEAD is asked for
	return s.sendJSON(c, `application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"`, map[string]any{"linkset": []map[string]any{
		{"anchor": s.base + self, "item": []link{{Href: api}}},
		{"anchor": api,
			"service-desc":     []link{{s.base + "/openapi.yaml", "application/yaml"}},
			"service-doc":      []link{{s.base + "/docs/api", "text/html"}, {s.base + "/partners", "text/html"}},
			"status":           []link{{s.base + "/readyz", "application/json"}},
			"terms-of-service": []link{{s.base + "/partners#terms", "text/html"}},
			"deprecation":      []link{{s.base + "/partners#deprecation", "text/html"}}}}})
}

// securityFor is for how long a reader of security.txt may believe it. RFC 9116 §2.5.5 asks for less than a year.
const securityFor = 180

// securityText answers GET /.well-known/security.txt (RFC 9116). It must name somebody to write to: where nobody is set
// up there is none. By the day of our clock it is good for half a year more.
func (s *Server) securityText(c *fiber.Ctx) error {
	if s.cfg.Contact == "" {
		return directory.NotFound
	}
	contact := s.cfg.Contact
	if !strings.Contains(contact, ":") {
		contact = "mailto:" + contact
	}
	expires := s.staffNow().Date().Midnight().AddDays(securityFor).Time().UTC().Format(time.RFC3339)
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	return s.send(c, fiber.MIMETextPlainCharsetUTF8, fmt.Appendf(nil, "Contact: %s\nExpires: %s\nPreferred-Languages: en, es\nCanonical: %s/.well-known/security.txt\n", contact, expires, s.base))
}

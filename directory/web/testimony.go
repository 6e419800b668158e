package web

import (
	"cmp"
	"slices"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// credentialsAnswer is every claim of a provider that has a public answer, with what each rests on.
type credentialsAnswer struct {
	ID          directory.ID       `json:"id"`
	Name        string             `json:"name"`
	URL         string             `json:"url"`
	ChecksFor   *directory.State   `json:"checks_for"`
	Credentials []credential       `json:"credentials"`
	ValidUntil  *directory.Instant `json:"valid_until"`
	AsOf        directory.Instant  `json:"as_of"`
	At          *directory.Instant `json:"at,omitempty"`
	Head        int64              `json:"head"`
	Demo        *demo              `json:"demo"`
}

// credential is a claim with who says what of it.
type credential struct {
	claim
	Testimony []testimony `json:"testimony"` // the one that decides first; none where a person is looking at the claim
}

// testimony is what one source says of a claim. Words, dates of issue and end and restrictions are told of the one that
// decides: what else was said is not in force, and nobody has looked at its words.
type testimony struct {
	Source       string                `json:"source"`
	Name         string                `json:"name"`
	By           directory.SourceClass `json:"by"` // how strong its word is: source, document, listing, self
	Decides      bool                  `json:"decides"`
	Words        string                `json:"words,omitempty"`
	Restrictions []string              `json:"restrictions,omitempty"`
	Issued       directory.Date        `json:"issued,omitempty"`
	Expires      directory.Date        `json:"expires,omitempty"`
	Completed    directory.Date        `json:"completed,omitempty"` // of a training
	Release      string                `json:"release,omitempty"`
	AsOf         directory.Date        `json:"as_of"`   // of the source's own data, or when it was said
	SeenOn       directory.Date        `json:"seen_on"` // when we saw it
	URL          string                `json:"url,omitempty"`
	Evidence     []string              `json:"evidence"` // SHA-256 of what we hold of it, which is never served
}

// apiCredentials answers GET /api/v1/providers/:id/credentials.
func (s *Server) apiCredentials(c *fiber.Ctx) error {
	id, err := directory.ParseID(directory.ProviderPrefix, c.Params("id"))
	if err != nil {
		return directory.NotFound
	}
	a, bad := parse(rawQuery(c), credentialsParams, false)
	if len(bad) > 0 {
		return bad
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	f, m, err := s.file(ctx, c, id, a)
	if err != nil {
		return s.moved(c, err, "/credentials")
	}
	out := s.credentialsOf(m.public(f, s.cfg.Policies), a.State, m)
	still := *out
	still.AsOf, still.Head = directory.Instant(out.AsOf.Date()), 0
	return s.sendTagged(c, fiber.MIMEApplicationJSONCharsetUTF8, still, ageOf(out.ValidUntil, out.AsOf, m.asked), func() ([]byte, error) { return encodeJSON(out) })
}

func (s *Server) credentialsOf(f *directory.CredentialFile, y directory.State, m moment) *credentialsAnswer {
	p := &f.Provider
	y = patientState(y, f)
	out := &credentialsAnswer{ID: p.ID, Name: p.DisplayName(), URL: providerURL(p.ID), ChecksFor: maybe(y), Credentials: []credential{}, AsOf: m.at, Head: m.head, Demo: s.demo()}
	if m.asked {
		out.At = &m.at
	}
	t := newTeller(f, y, m, s.cfg.Policies)
	for _, c := range claimsOf(f, y, m, s.cfg.Policies) {
		if c.ValidUntil != nil && (out.ValidUntil == nil || *c.ValidUntil < *out.ValidUntil) {
			out.ValidUntil = c.ValidUntil
		}
		x := credential{claim: c, Testimony: []testimony{}}
		if c.basis != nil && c.basis.Body.State != directory.SeenUnavailable { // where nobody could be asked, nobody says anything
			i := slices.IndexFunc(f.Claims, func(h directory.History) bool { return h.Claim.ID == c.ID })
			x.Testimony = t.testimonies(f.Claims[i], c, m)
		}
		out.Credentials = append(out.Credentials, x)
	}
	return out
}

// testimonies tells who says what of a claim: the one it rests on, and then whoever else states it.
func (t teller) testimonies(h directory.History, c claim, m moment) []testimony {
	b := c.basis.Body
	first := t.testimony(c.basis)
	first.Decides, first.Words, first.Restrictions, first.Issued, first.Expires, first.Completed = true, b.SourceWords, b.Restrictions, b.Issued, b.Expires, b.Completed
	out := []testimony{first}
	for _, e := range h.StatedBy(m.at, m.known) {
		if e.Seq != c.basis.Seq {
			out = append(out, t.testimony(&e))
		}
	}
	return out
}

func (t teller) testimony(e *directory.Event) testimony {
	b := &e.Body
	class := b.Class
	if e.Type == directory.Assert {
		class = e.Carries() // a document with a fault shows nothing
	} else if row, ok := t.policy.Tables().Source(b.Source); ok {
		class = cmp.Or(class, row.Class)
	}
	return testimony{Source: b.Source, Name: t.sourceName(b.Source), By: cmp.Or(class, directory.ClassSource), Release: b.Release, AsOf: cmp.Or(b.SourceAsOf, e.PerformedAt.Date()),
		SeenOn: e.PerformedAt.Date(), URL: webAddress(b.Link), Evidence: append([]string{}, e.Evidence...)}
}

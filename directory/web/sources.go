package web

import (
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// source is what the public is told of a source. The page and the API are two renderings of it.
//
// Of an exclusion list neither the number of its rows nor the day on which it was read is told: both would
// show that a row was added, and so that somebody's name is being looked at (contracts.md §4).
type source struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Kind         string          `json:"kind"`
	Class        string          `json:"class"`
	Jurisdiction directory.State `json:"jurisdiction"`
	Publisher    string          `json:"publisher"`
	URL          *string         `json:"url"`
	Lookup       *string         `json:"lookup_url"`
	Licence      string          `json:"licence"`
	Attribution  string          `json:"attribution"`
	Republish    bool            `json:"may_republish"`
	Terms        string          `json:"terms"`
	TermsWords   string          `json:"terms_words"`
	Completeness string          `json:"completeness"`
	Silence      string          `json:"silence"`
	Loaded       bool            `json:"loaded"`
	Release      *string         `json:"release"`
	AsOf         *directory.Date `json:"as_of"`
	Imported     *directory.Date `json:"imported"`
	Rows         *int            `json:"rows"`
	NextDue      *directory.Date `json:"next_due"`
	Overdue      bool            `json:"overdue"`
}

// sourcesAnswer is the answer of /api/v1/sources.
type sourcesAnswer struct {
	Sources []source `json:"sources"`
	Demo    *demo    `json:"demo"`
}

// silence says what it means that a source does not have somebody, by its completeness. Of what is no list
// at all, it says nothing.
func (l *lang) silence(info directory.SourceInfo) string {
	if words, ok := l.has("silence." + info.Completeness); ok {
		return words
	}
	if info.Kind == "listing" {
		return l.t("silence.listing")
	}
	return l.t("silence.none")
}

// sources reads what the public is told of every source, and for how long it holds.
func (s *Server) sources(l *lang) (*sourcesAnswer, time.Duration, error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	states, err := s.cfg.Reader.Sources(ctx)
	if err != nil {
		return nil, 0, err
	}
	now := s.now()
	policy := s.cfg.Policies.InForce(now, now)
	age := longestCache
	out := &sourcesAnswer{Sources: []source{}, Demo: s.demo()}
	for _, st := range states {
		i := st.Source
		x := source{ID: i.ID, Name: i.Name, Kind: i.Kind, Class: string(i.Class), Jurisdiction: i.Jurisdiction, Publisher: l.named("table."+i.Publisher, i.Publisher), URL: maybe(webAddress(i.URL)), Lookup: maybe(webAddress(i.LookupURL)),
			Licence: l.named("table."+i.Licence, i.Licence), Attribution: i.Attribution, Republish: i.MayRepublish == "true", Terms: i.Terms, TermsWords: l.t("terms." + i.Terms), Completeness: i.Completeness, Silence: l.silence(i),
			Loaded: st.Run.Number > 0}
		if rel := st.Run.Release; x.Loaded {
			x.Release, x.AsOf = maybe(rel.Name), maybe(rel.AsOf)
			if i.Kind != "exclusion" {
				x.Imported, x.Rows = maybe(st.Run.Ended.Date()), &st.Held
			}
			if due, _ := policy.ReleaseDue(i.ID, rel.AsOf); due != "" {
				x.NextDue, x.Overdue = maybe(due.Date()), due <= now
				if !x.Overdue {
					age = min(age, due.Time().Sub(now.Time()))
				}
			}
		}
		out.Sources = append(out.Sources, x)
	}
	return out, age, nil
}

// apiSources answers GET /api/v1/sources.
func (s *Server) apiSources(c *fiber.Ctx) error {
	if _, bad := parse(rawQuery(c), nil, false); len(bad) > 0 {
		return bad
	}
	answer, age, err := s.sources(langOf(c))
	if err != nil {
		return err
	}
	return s.sendTagged(c, fiber.MIMEApplicationJSONCharsetUTF8, answer, age, func() ([]byte, error) { return encodeJSON(answer) })
}

// sourcesView is the page on what the directory rests on.
type sourcesView struct {
	page
	Answer *sourcesAnswer
}

// sourcesPage answers GET /sources.
func (s *Server) sourcesPage(c *fiber.Ctx) error {
	answer, age, err := s.sources(langOf(c))
	if err != nil {
		return err
	}
	slices.SortStableFunc(answer.Sources, func(a, b source) int { // what was never imported stands last
		switch {
		case a.Loaded == b.Loaded:
			return 0
		case a.Loaded:
			return -1
		}
		return 1
	})
	v := sourcesView{page: s.page(c, langOf(c).t("sources.title"), "/sources"), Answer: answer}
	v.Canonical = v.Path
	c.Set(fiber.HeaderCacheControl, "public, max-age="+strconv.Itoa(int(age/time.Second)))
	return s.sendPage(c, "sources", v)
}

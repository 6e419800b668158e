package web

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
	"kapdir/search"
)

// openAPIDocument is the contract of the API, written by hand. A test holds it to the routes and the
// answers to it.
//
//go:embed openapi.yaml
var openAPIDocument []byte

// apiSearch answers GET /api/v1/providers.
func (s *Server) apiSearch(c *fiber.Ctx) error {
	raw := rawQuery(c)
	if kept := s.kept(keyOf(c)); kept != nil {
		return s.sendKept(c.Context(), kept)
	}
	a, bad := parse(raw, apiSearchParams, false)
	if len(bad) > 0 {
		return bad
	}
	first := a
	first.Cursor = ""
	whole := searchRoute + first.encode() // one way to write all that ask the same, and what every page of it begins with
	key := whole
	if a.Cursor != "" {
		key = nextOf(whole, a.Cursor)
	}
	if kept := s.kept(key); kept != nil {
		s.answers.put(keyOf(c), kept)
		return s.sendKept(c.Context(), kept)
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	answer, err := s.search(ctx, c, a)
	if err != nil {
		return err
	}
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	if *room, err = answer.append((*room)[:0]); err != nil {
		return err
	}
	kept := &keptAnswer{span: answer.span, head: answer.Head, contentType: fiber.MIMEApplicationJSONCharsetUTF8, body: *room, route: visitOf(c).route, quota: s.door.anybody}
	kept.link = `<` + strings.TrimSuffix(whole, "?") + `>; rel="first"`
	if answer.Next != nil {
		kept.link = `<` + nextOf(whole, *answer.Next) + `>; rel="next", ` + kept.link
	}
	if s.answers.takes(kept) {
		kept.body = bytes.Clone(kept.body)
		s.answers.put(key, kept)
		return s.sendKept(c.Context(), kept)
	}
	if err = s.sendKept(c.Context(), kept); err == nil && kept.zip.Load() == nil {
		*room = c.Response().SwapBody(*room) // which is used again before this is sent
	}
	return err
}

// nextOf is the address of the page that goes on at the cursor, whose letters need no escaping.
func nextOf(whole, cursor string) string {
	if strings.HasSuffix(whole, "?") {
		return whole + "cursor=" + cursor
	}
	return whole + "&cursor=" + cursor
}

// rooms are buffers in which answers are written.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

const searchRoute = "/api/v1/providers?"

// search asks the index which providers, and the store what they are, within one lane and one deadline.
func (s *Server) search(ctx context.Context, c *fiber.Ctx, a ask) (*searchAnswer, error) {
	read := search.Read(ctx, s.cfg.Search, a.reading(), a.Text)
	leave, err := s.lanes.take(s.clientAddress(c.Context()), a.heavy(read))
	if err != nil {
		return nil, err
	}
	defer leave()
	head, err := s.heads.look(ctx)
	if err != nil {
		return nil, err
	}
	l := langOf(c)
	m, err := s.moment(head, a, l)
	if err != nil {
		return nil, err
	}
	found, err := s.searchIndex(ctx, a, read)
	if err != nil {
		return nil, err
	}
	q := found.Query
	if q.Near == nil && a.Miles != 0 && a.Miles != defaultMiles && a.NearText == "" {
		return nil, badParams{wrong("radius", "bad.radius.words")}
	}
	out := &searchAnswer{Query: echo(a, q), reading: reading{Understood: []understood{}}, Total: found.Total, Results: []result{}, Next: maybe(found.Next),
		AsOf: m.at, Head: m.head, ChecksFor: maybe(found.ChecksFor), Ranking: l.t("ranking." + cmp.Or(a.Sort, relevance)), Demo: s.demo(), Plain: found.Plain, facets: found.Facets, near: q.Near}
	if out.rows, err = s.rows(ctx, &found.Result, q.Near, m); err != nil {
		return nil, err
	}
	out.Total -= len(found.Hits) - len(out.rows) // withdrawn since the index was written
	out.read(found, l)
	if inDanger(a.Text) {
		out.Notice = &crisisNotice
	}
	out.span = today(m.now)
	out.ends(m.now.Add(keptFor))
	out.ends(found.Until)
	for _, r := range out.rows {
		out.until = min(out.until, r.until)
	}
	if found.Plain || found.Hurried || found.Seq < m.head || out.Notice != nil {
		out.span = span{} // the next may be told more, and who is in need is remembered nowhere
	}
	return out, nil
}

// rows tells the providers found, less who was withdrawn since the index was written. What is kept of one is
// used if the index is as new as the store: the number of the provider's newest change is then the index's.
func (s *Server) rows(ctx context.Context, found *search.Result, near *directory.Place, m moment) ([]row, error) {
	hits, y := found.Hits, found.ChecksFor
	rows := make([]row, len(hits))
	var missing []directory.ID
	current := found.Seq >= m.head && !found.Plain && !m.asked
	now := milli(m.now)
	for i, h := range hits {
		r := &rows[i]
		r.needs = [2]int{h.Needs, found.Needs}
		if h.Miles != nil {
			miles := math.Round(*h.Miles*10) / 10
			r.miles = &miles
		}
		if r.explain = reasons(h.Stands); i > 0 && slices.Equal(h.Why, hits[i-1].Why) {
			r.why = rows[i-1].why
		} else {
			r.why = m.lang.why(h.Why)
		}
		if current {
			if l, ok := s.rowsKept.GetIfPresent(listedKey{h.ID, y, m.lang}); ok && l.seq == h.Seq && l.holds(now) {
				r.listed = l
				continue
			}
		}
		missing = append(missing, h.ID)
	}
	var files []*directory.CredentialFile
	if len(missing) > 0 {
		var err error
		if files, err = s.cfg.Reader.Files(ctx, missing); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		l, err := s.newListed(m.public(f, s.cfg.Policies), y, m)
		if err != nil {
			return nil, err
		}
		for i, h := range hits {
			if h.ID != f.Provider.ID {
				continue
			}
			rows[i].listed = l
			if current && l.seq == h.Seq && l.from < l.until {
				s.rowsKept.Set(listedKey{h.ID, y, m.lang}, l)
			}
		}
	}
	rows = slices.DeleteFunc(rows, func(r row) bool { return r.listed == nil })
	for i := range rows {
		if rows[i].miles != nil && near != nil {
			var err error
			if rows[i].listed, err = rows[i].at(near); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

func (s *Server) searchIndex(ctx context.Context, a ask, read search.Reading) (search.Answered, error) {
	if a.At == "" { // one about the past has the page's deadline, and the index's own
		patience := searchDeadline
		if end, ok := ctx.Deadline(); ok {
			patience = min(patience, time.Until(end))
		}
		var cancel context.CancelFunc
		ctx, cancel = s.deadline(patience)
		defer cancel()
	}
	return search.AnswerRead(ctx, s.cfg.Search, a.query(), a.reading(), read)
}

// echo repeats the question as it was understood.
func echo(a ask, q search.Query) queryEcho {
	e := queryEcho{At: maybe(a.At), Q: a.Text, State: q.State, Telehealth: q.Telehealth, CanSee: q.CanSee, Filters: q.Filters, PriceMax: int(q.PriceMaxCents / 100), Sort: q.Sort, Limit: q.Limit}
	if q.Near != nil {
		e.Near = &placeEcho{q.Near.String(), q.Near.ZIP, q.Near.City, q.Near.State, q.Near.Exact, a.NearOthers}
		e.Radius = int(q.Miles)
	}
	return e
}

// apiProvider answers GET /api/v1/providers/:id.
func (s *Server) apiProvider(c *fiber.Ctx) error {
	key := ""
	if visitOf(c).key != nil || len(c.Request().Header.Peek(fiber.HeaderAuthorization)) == 0 { // staff are told more than is kept
		key = keyOf(c)
		if kept := s.kept(key); kept != nil {
			return s.sendKept(c.Context(), kept)
		}
	}
	vary(c, fiber.HeaderAuthorization) // who has a key is told more
	p, err := s.provider(c)
	if err != nil {
		return s.moved(c, err, "")
	}
	if p.Staff != nil {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, p)
	}
	return s.sendCached(c, fiber.MIMEApplicationJSONCharsetUTF8, p, func() ([]byte, error) {
		body, err := encodeJSON(p)
		if err == nil && key != "" && p.At == nil {
			a := &keptAnswer{span: today(p.AsOf), head: p.Head, contentType: fiber.MIMEApplicationJSONCharsetUTF8, body: body, tag: bytes.Clone(c.Response().Header.Peek(fiber.HeaderETag)), lasts: milli(p.AsOf.AddDays(1)),
				route: visitOf(c).route, quota: s.door.anybody}
			a.ends(p.AsOf.Add(keptFor))
			if p.ValidUntil != nil {
				a.ends(*p.ValidUntil)
				a.lasts = milli(*p.ValidUntil)
			}
			s.answers.put(key, a)
		}
		return body, err
	})
}

// moved leads on to who stands for a merged provider, to the same thing beneath; any other error it returns.
func (s *Server) moved(c *fiber.Ctx, err error, beneath string) error {
	var moved *mergedInto
	if !errors.As(err, &moved) {
		return err
	}
	to := moved.location("/api/v1/providers/", "") + beneath
	if moved.query != "" {
		to += "?" + moved.query
	}
	c.Set(fiber.HeaderLocation, to)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(http.StatusPermanentRedirect)
	return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, struct {
		ID         directory.ID `json:"id"`
		MergedInto directory.ID `json:"merged_into"`
	}{moved.from, moved.to})
}

// mergedInto says that a provider goes on under another id.
type mergedInto struct {
	from, to directory.ID
	query    string
}

func (*mergedInto) Error() string { return "merged into another provider" }

func (m *mergedInto) location(path, query string) string {
	to := path + string(m.to)
	if query != "" {
		to += "?" + query
	}
	return to
}

// provider reads the provider that the path names. An id that is none, or nobody's, is not found.
func (s *Server) provider(c *fiber.Ctx) (*provider, error) {
	id, err := directory.ParseID(directory.ProviderPrefix, strings.Clone(c.Params("id")))
	if err != nil {
		return nil, directory.NotFound
	}
	a, bad := parse(rawQuery(c), providerParams, visitOf(c).kind == html)
	if len(bad) > 0 {
		return nil, bad
	}
	return s.providerAsked(c, id, a)
}

// providerAsked reads a provider for a question that was read already.
func (s *Server) providerAsked(c *fiber.Ctx, id directory.ID, a ask) (*provider, error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	key, err := s.staffKey(ctx, c, a)
	if err != nil {
		return nil, err
	}
	f, m, err := s.file(ctx, c, id, a)
	if err != nil {
		return nil, err
	}
	if key == "" {
		p := s.providerOf(m.public(f, s.cfg.Policies), a.State, m)
		return &p, s.dropWithdrawn(ctx, &p)
	}
	p := s.providerOf(f, a.State, m)
	p.Staff = staffViewOf(f, patientState(a.State, f), m, s.cfg.Policies)
	p.Staff.Key = key
	return &p, nil
}

// file reads the file of a provider, and the moment a question asks for. Somebody who goes on under another id is
// mergedInto, and somebody who was withdrawn is Gone.
func (s *Server) file(ctx context.Context, c *fiber.Ctx, id directory.ID, a ask) (*directory.CredentialFile, moment, error) {
	head, err := s.cfg.Reader.Head(ctx)
	if err != nil {
		return nil, moment{}, err
	}
	m, err := s.moment(head, a, langOf(c))
	if err != nil {
		return nil, m, err
	}
	f, err := s.cfg.Reader.File(ctx, id)
	if f != nil && f.Provider.MergedInto != "" {
		to, err := directory.ParseID(directory.ProviderPrefix, string(f.Provider.MergedInto))
		if err != nil {
			return nil, m, directory.Internal
		}
		return nil, m, &mergedInto{id, to, a.encode()}
	}
	switch {
	case err != nil:
		return nil, m, err
	case f == nil:
		return nil, m, directory.Internal
	case f.Provider.Withdrawn, s.takenDown(f, moment{now: m.now, known: head.RecordedAt}):
		return nil, m, directory.Gone
	}
	return f, m, nil
}

// dropWithdrawn leaves out who is named as a place of work and has no page any more: nobody is named after that. A
// removal takes it from the facts as well; this holds whatever was removed before it did.
func (s *Server) dropWithdrawn(ctx context.Context, p *provider) error {
	var ids []directory.ID
	for _, a := range p.Facts.Affiliations {
		if a.ID != "" {
			ids = append(ids, a.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	files, err := s.cfg.Reader.Files(ctx, ids)
	if err != nil {
		return err
	}
	p.Facts.Affiliations = slices.DeleteFunc(p.Facts.Affiliations, func(a affiliation) bool {
		return a.ID != "" && !slices.ContainsFunc(files, func(f *directory.CredentialFile) bool { return f.Provider.ID == a.ID })
	})
	return nil
}

// suggestion is one way to complete what was typed.
type suggestion struct {
	Kind  string `json:"kind"`
	Text  string `json:"text"`
	Value string `json:"value"`
	Count int    `json:"count"`
}

// apiSuggest answers GET /api/v1/suggest.
func (s *Server) apiSuggest(c *fiber.Ctx) error {
	a, bad := parse(rawQuery(c), suggestParams, false)
	if len(bad) == 0 && a.Text == "" {
		bad = badParams{wrong("q", "bad.q.needed")}
	}
	if len(bad) > 0 {
		return bad
	}
	if a.Limit == 0 {
		a.Limit = maxSuggestion
	}
	leave, err := s.lanes.take(s.clientAddress(c.Context()), false)
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := s.deadline(searchDeadline)
	defer cancel()
	found, err := s.cfg.Search.Suggest(ctx, a.Text, a.Limit)
	if err != nil {
		return err
	}
	if found, err = s.suggestedIn(ctx, languageOf(a.Lang), a.Text, found); err != nil {
		return err
	}
	out := struct {
		Suggestions []suggestion `json:"suggestions"`
	}{[]suggestion{}}
	for _, x := range found[:min(len(found), a.Limit)] {
		out.Suggestions = append(out.Suggestions, suggestion{x.Kind, x.Text, x.Value, x.Count})
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, out)
}

// suggestedIn puts suggestions into the words of a language, and adds those whose words in it begin as the text does;
// package search knows the English ones.
func (s *Server) suggestedIn(ctx context.Context, l *lang, text string, found []search.Suggestion) ([]search.Suggestion, error) {
	if l == english {
		return found, nil
	}
	typed, known := directory.Fold(text), found
	found = nil
	for kind, values := range map[string][]string{search.KindState: words(directory.Tables().States()), search.KindFocus: directory.Vocabulary["focus"], search.KindFramework: directory.Vocabulary["framework"]} {
		for _, v := range values {
			is := func(x search.Suggestion) bool { return x.Kind == kind && x.Value == v }
			own := l.suggestion(kind, v)
			if i := slices.IndexFunc(known, is); i >= 0 {
				known[i].Text = own
				continue
			}
			if v == "other" || own == search.Label(kind, v) || len([]rune(typed)) < 2 || !strings.Contains(" "+directory.Fold(own), " "+typed) {
				continue
			}
			same, err := s.cfg.Search.Suggest(ctx, search.Label(kind, v), maxSuggestion) // for how many there are
			if err != nil {
				return nil, err
			}
			if i := slices.IndexFunc(same, is); i >= 0 {
				same[i].Text = own
				found = append(found, same[i])
			}
		}
	}
	slices.SortFunc(found, func(a, b search.Suggestion) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Text, b.Text)) })
	return append(found, known...), nil
}

// suggestion names a value that can be suggested.
func (l *lang) suggestion(kind, value string) string {
	if kind == search.KindState {
		return l.state(directory.State(value))
	}
	return l.value(kind, value)
}

// openAPI answers GET /openapi.yaml.
func (s *Server) openAPI(c *fiber.Ctx) error {
	return s.sendTagged(c, "application/yaml; charset=utf-8", sha256.Sum256(openAPIDocument), longestCache, func() ([]byte, error) { return openAPIDocument, nil })
}

// livez answers GET /livez: the process can answer.
func (s *Server) livez(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, map[string]string{"status": "ok"})
}

// readiness is the answer of /readyz.
type readiness struct {
	Status  string `json:"status"`  // ready, unavailable
	Store   string `json:"store"`   // reachable, unreachable
	Index   string `json:"index"`   // ready, building
	Plain   bool   `json:"plain"`   // searches are answered without the index
	Version string `json:"version"` // of the program
}

// readyz answers GET /readyz: whether the store can be read, and how the index stands. A building index
// is ready enough: searches are answered plainly. It waits in no lane.
func (s *Server) readyz(c *fiber.Ctx) error {
	ctx, cancel := s.deadline(searchDeadline)
	defer cancel()
	r := readiness{Status: "ready", Store: "reachable", Version: s.cfg.Version}
	if _, err := s.cfg.Reader.Head(ctx); err != nil {
		r.Status, r.Store = "unavailable", "unreachable"
		c.Status(http.StatusServiceUnavailable)
		c.Set(fiber.HeaderRetryAfter, "2")
	}
	index := s.cfg.Search.Status(ctx)
	r.Index, r.Plain = index.State, index.Plain
	c.Set(fiber.HeaderCacheControl, "no-store")
	return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, r)
}

package web

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// Partners show our answers on pages of their own, by an embed: a question, or a provider, under an id that is no
// secret. One answer has two forms, a page for a frame, which runs no script, and JSON, which embed.js draws. What is
// said in them are the sentences of a page. These are the only answers that another site may frame or read from a
// browser without having asked for a key, and only the origins of the embed's partner may.

// embedScript draws an embed in a page of a partner. The sheet of the framed form is put into it at start.
//
//go:embed embed/embed.js
var embedScript string

// embedScriptLimit is how large the script may be as it is served uncompressed, in bytes.
const embedScriptLimit = 10_000

// loadEmbedScript makes the script as it is served: without its comments, and with its sheet.
func loadEmbedScript() (asset, error) {
	css, err := staticFiles.ReadFile("static/embed.css")
	if err != nil {
		return asset{}, err
	}
	var sheet []string
	for _, line := range strings.Split(string(css), "\n") {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "/*") {
			sheet = append(sheet, line)
		}
	}
	var lines []string
	for _, line := range strings.Split(embedScript, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			lines = append(lines, line)
		}
	}
	quoted, err := json.Marshal(strings.Join(sheet, ""))
	if err != nil {
		return asset{}, err
	}
	whole := strings.Replace(strings.Join(lines, "\n"), `/*CSS*/""`, string(quoted), 1)
	if len(whole) >= embedScriptLimit || strings.Contains(whole, "/*CSS*/") {
		return asset{}, fmt.Errorf("web: embed.js has %d bytes, and must stay below %d", len(whole), embedScriptLimit)
	}
	z, err := gzipped([]byte(whole))
	return asset{assetTypes[".js"], []byte(whole), z, tagOf([]byte(whole))}, err
}

// sendEmbedScript answers GET /embed.js. Its name is the same for ever, since it stands in partners' pages.
func (s *Server) sendEmbedScript(c *fiber.Ctx) error {
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	c.Set(fiber.HeaderCacheControl, "public, max-age=3600")
	return s.sendAsset(c, s.embedScript)
}

// embedParams choose the look of an embed for one page; without them it is as it was made.
var embedParams = []param{{name: "theme", read: func(a *ask, v string) told {
	if !slices.Contains(directory.EmbedThemes, v) {
		return say("bad.theme")
	}
	a.Theme = v
	return told{}
}}, suggestParams[1]}

// CheckEmbedQuery reports what is wrong with the question of an embed of results; nil is nothing.
func CheckEmbedQuery(query string) error {
	_, bad := parseEmbedQuery(query)
	if len(bad) > 0 {
		return directory.Errorf(directory.Invalid, "query", "%s: %s", bad[0].Parameter, strings.TrimSuffix(bad[0].Detail, "."))
	}
	return nil
}

// parseEmbedQuery reads the question of an embed: one of now, from its beginning.
func parseEmbedQuery(query string) (ask, badParams) {
	a, bad := parse(query, searchParams, true)
	if a.At != "" {
		bad = append(bad, wrong("at", "bad.embed"))
	}
	if a.Cursor != "" {
		bad = append(bad, wrong("cursor", "bad.embed"))
	}
	return a, bad
}

// embedAsked is an embed, whose it is, and how it is to look.
type embedAsked struct {
	directory.Embed
	of directory.Integrator
}

// embedOf reads the embed that the path names. From then on the request's language is the embed's.
func (s *Server) embedOf(c *fiber.Ctx) (e embedAsked, err error) {
	id, err := directory.ParseID(directory.EmbedPrefix, strings.Clone(c.Params("id")))
	if err != nil || s.cfg.Integrators == nil {
		return e, directory.NotFound
	}
	a, bad := parse(rawQuery(c), embedParams, false)
	if len(bad) > 0 {
		return e, bad
	}
	if a.Lang != "" {
		visitOf(c).lang = languageOf(a.Lang)
	}
	if e, err = s.embed(id); err != nil {
		return e, err
	}
	if a.Theme != "" {
		e.Doc.Theme = a.Theme
	}
	if a.Lang != "" {
		e.Doc.Language = a.Lang
	}
	visitOf(c).lang = languageOf(e.Doc.Language)
	return e, nil
}

func (s *Server) embed(id directory.ID) (e embedAsked, err error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	e.Embed, e.of, err = s.cfg.Integrators.Embed(ctx, id)
	return e, err
}

// embedAnswer is what an embed shows: the JSON of embed.js, and what the framed page renders.
type embedAnswer struct {
	ID        directory.ID        `json:"embed"`
	Kind      directory.EmbedKind `json:"kind"`
	Language  string              `json:"language"`
	Theme     string              `json:"theme"`
	Title     string              `json:"title"`
	Found     string              `json:"found,omitempty"` // of results: how many there are
	Total     *int                `json:"total"`
	URL       string              `json:"url"` // of the same on our pages
	Providers []embedProvider     `json:"providers"`
	ChecksFor *directory.State    `json:"checks_for"`
	AsOf      directory.Instant   `json:"as_of"`
	Head      int64               `json:"head"`
	Until     *directory.Instant  `json:"valid_until"` // the first at which something of it changes by itself
	Dated     string              `json:"dated"`       // as of when, in words
	Ranking   string              `json:"ranking,omitempty"`
	Terms     string              `json:"terms"`
	Notice    []embedNotice       `json:"notice,omitempty"`
	Demo      string              `json:"demo,omitempty"`
	Words     embedWords          `json:"words"`

	plain bool // not everything could be looked at: nobody may keep it
}

// embedProvider is one provider of an embed, with the checks exactly as the API writes them.
type embedProvider struct {
	ID     directory.ID `json:"id"`
	Name   string       `json:"name"`
	URL    string       `json:"url"`
	About  string       `json:"about"`
	Checks []embedCheck `json:"checks"`
}

type embedCheck struct {
	check
	Tone  string        `json:"tone"`
	Say   bool          `json:"say"`   // a list of results says the sentence as well, which is else for a provider's own embed
	From  []embedSource `json:"from"`  // the sources with their dates
	Dated string        `json:"dated"` // until when it holds, in words
}

type embedSource struct {
	Words string `json:"words"`
	URL   string `json:"url,omitempty"`
}

type embedNotice struct {
	Language string `json:"language"`
	Text     string `json:"text"`
}

// embedWords are what the script says by itself.
type embedWords struct {
	Out   string `json:"out"`
	Again string `json:"again"`
	Fell  string `json:"fell"`
	Down  string `json:"down"`
	Look  string `json:"look"`
	Tab   string `json:"tab"`
}

// answerEmbed asks what the embed shows. Whose it is changes nothing of the answer.
func (s *Server) answerEmbed(c *fiber.Ctx, e embedAsked) (*embedAnswer, error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	l := languageOf(e.Doc.Language)
	out := &embedAnswer{ID: e.ID, Kind: e.Kind, Language: l.Code, Theme: e.Doc.Theme, Providers: []embedProvider{}, Terms: l.t("embed.terms"),
		Words: embedWords{l.t("result.out_of_date"), l.t("embed.again"), l.t("embed.fell"), l.t("embed.down"), l.t("embed.look"), l.t("embed.tab")}}
	if s.cfg.Demo != nil {
		out.Demo = l.t("embed.demo", "When", l.moment(s.cfg.Demo.Now))
	}
	var err error
	if e.Kind == directory.EmbedProvider {
		err = s.embedProvider(c, e, out)
	} else {
		err = s.embedResults(ctx, c, e, out)
	}
	if err != nil {
		return nil, err
	}
	out.Dated = l.t("embed.as_of", "Moment", l.moment(out.AsOf))
	for _, p := range out.Providers {
		for _, x := range p.Checks {
			if x.ValidUntil != nil && (out.Until == nil || *x.ValidUntil < *out.Until) {
				out.Until = x.ValidUntil
			}
		}
	}
	return out, nil
}

func (s *Server) embedResults(ctx context.Context, c *fiber.Ctx, e embedAsked, out *embedAnswer) error {
	a, bad := parseEmbedQuery(e.Doc.Query)
	if len(bad) > 0 { // it was made when it could be asked
		return directory.Errorf(directory.Gone, "embed", "the question of %s can be asked no more", e.ID)
	}
	found, err := s.search(ctx, c, a)
	if err != nil {
		return err
	}
	l := languageOf(e.Doc.Language)
	out.Title, out.Total, out.ChecksFor, out.Ranking, out.AsOf, out.Head = l.t("embed.results"), &found.Total, found.ChecksFor, found.Ranking, found.AsOf, found.Head
	out.plain = found.span == span{}
	out.Found = l.t("providers", "Count", found.Total)
	if len(found.rows) < found.Total {
		out.Found += l.t("embed.first", "N", len(found.rows))
	}
	out.URL = s.base + l.To("/")
	if q := a.encode(); q != "" {
		out.URL += "?" + q
	}
	if found.Notice != nil {
		out.Notice = []embedNotice{{"en", found.Notice.English}, {"es", found.Notice.Spanish}}
		if l == spanish {
			slices.Reverse(out.Notice)
		}
	}
	for _, r := range found.rows {
		place := ""
		if p := r.result.Place; p != nil {
			place = cityOf(p.City, p.State)
		}
		p := embedProvider{ID: r.result.ID, Name: r.result.Name, URL: s.base + l.To(r.result.URL), Checks: l.embedChecks(r.result.Checks)}
		p.About = aboutOf(strings.Join(r.result.Credentials, ", "), place, r.result.Care.Label)
		out.Providers = append(out.Providers, p)
	}
	return nil
}

func (s *Server) embedProvider(c *fiber.Ctx, e embedAsked, out *embedAnswer) error {
	l := languageOf(e.Doc.Language)
	p, err := s.providerAsked(c, e.Doc.Provider, ask{})
	var moved *mergedInto
	if errors.As(err, &moved) { // the embed goes on with whoever has the file now
		p, err = s.providerAsked(c, moved.to, ask{})
	}
	if errors.As(err, &moved) {
		return directory.Internal
	}
	if err != nil {
		return err
	}
	place := ""
	if len(p.Facts.Sites) > 0 {
		place = cityOf(p.Facts.Sites[0].City, p.Facts.Sites[0].State)
	}
	out.Title, out.ChecksFor, out.AsOf, out.Head = l.t("embed.checks"), p.ChecksFor, p.AsOf, p.Head
	if p.ChecksFor != nil {
		out.Title = l.t("card.checks_for", "State", *p.ChecksFor)
	}
	out.URL = s.base + l.To(p.URL)
	shown := embedProvider{ID: p.ID, Name: p.Name, URL: out.URL, Checks: l.embedChecks(p.Checks)}
	shown.About = aboutOf(strings.Join(p.Credentials, ", "), place, p.Practice.Care.Label)
	out.Providers = append(out.Providers, shown)
	return nil
}

func cityOf(city string, state directory.State) string {
	return strings.Trim(city+", "+string(state), ", ")
}

func aboutOf(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// embedChecks dates each check by itself: one may hold for a day, and the next for a year.
func (l *lang) embedChecks(list []check) []embedCheck {
	out := make([]embedCheck, len(list))
	for i, x := range list {
		x.Parts = nil // a page of ours has them
		e := embedCheck{check: x, Tone: tone(x.Result), From: []embedSource{},
			Say: x.Result == directory.ProblemOnRecord || len(x.Sources) == 0 || x.Check == directory.CheckRecord && x.Result == directory.NotChecked}
		for _, src := range x.Sources {
			words := src.Name
			if src.AsOf != "" {
				words += ", " + l.date(src.AsOf)
			}
			e.From = append(e.From, embedSource{words, src.URL})
		}
		switch {
		case x.ValidUntil != nil && x.Result == directory.Confirmed:
			e.Dated = l.t("embed.until.confirmed", "Moment", l.moment(*x.ValidUntil))
		case x.ValidUntil != nil:
			e.Dated = l.t("embed.until", "Moment", l.moment(*x.ValidUntil))
		default:
			e.Dated = l.t("embed.undated")
		}
		out[i] = e
	}
	return out
}

// lasts is what a cache may do with the answer: keep it for a minute, and never past the date of anything in it.
func (a *embedAnswer) lasts() string {
	age := longestCache
	if a.Until != nil {
		age = min(age, a.Until.Time().Sub(a.AsOf.Time()))
	}
	if age < time.Second || a.plain || a.Notice != nil {
		return "no-store"
	}
	return "public, max-age=" + strconv.Itoa(int(age/time.Second)) + ", must-revalidate"
}

// embedFrame is the framed page.
type embedFrame struct {
	*embedAnswer
	OEmbed  string
	Problem *problem // instead of an answer
	Again   bool     // it is worth to ask again
}

// A framed page asks by itself again: soon if we could not look, else when the first date in it passes, and once a day.
// A browser does that without a script (Refresh, https://html.spec.whatwg.org/#pragma-directives).
const (
	embedAgain = 10 * time.Second
	embedDaily = 24 * time.Hour
)

// again is when a frame that shows the answer asks anew.
func (a *embedAnswer) again() time.Duration {
	wait := embedDaily
	if a.Until != nil {
		wait = min(wait, a.Until.Time().Sub(a.AsOf.Time())+time.Second)
	}
	return max(wait, 2*time.Second)
}

func refresh(c *fiber.Ctx, wait time.Duration) { c.Set("Refresh", strconv.Itoa(int(wait/time.Second))) }

// embedPage answers GET /embed/:id: a page for a frame, without any script.
func (s *Server) embedPage(c *fiber.Ctx) error {
	e, err := s.embedOf(c)
	if err != nil {
		return err
	}
	v := embedFrame{OEmbed: s.base + "/oembed?format=json&url=" + url.QueryEscape(s.embedURL(e.ID))}
	if v.embedAnswer, err = s.answerEmbed(c, e); err != nil {
		p := s.problemOf(err, newRequestID(), langOf(c))
		s.logFailure(visitOf(c).route, p, err)
		v.Problem = &p
		v.embedAnswer = &embedAnswer{ID: e.ID, Language: e.Doc.Language, Theme: e.Doc.Theme, Title: p.Title}
		c.Status(p.Status)
		c.Set(fiber.HeaderCacheControl, "no-store")
		if v.Again = p.Status == http.StatusServiceUnavailable; v.Again {
			c.Set(fiber.HeaderRetryAfter, "2")
			refresh(c, embedAgain)
		}
	} else {
		c.Set(fiber.HeaderCacheControl, v.lasts())
		refresh(c, v.again())
	}
	body, err := s.pages.part(langOf(c), "builder", "embed.html", v)
	if err != nil {
		return err
	}
	mayFrame(c, e.of.Origins)
	c.Set("X-Robots-Tag", "noindex")
	return s.send(c, fiber.MIMETextHTMLCharsetUTF8, []byte(body))
}

// mayFrame lets the sites put the answer into a frame, and nobody else. X-Frame-Options has no word for that, and
// where it stands beside frame-ancestors it is not looked at, or refuses them all.
func mayFrame(c *fiber.Ctx, origins []directory.WebOrigin) {
	who := "'none'"
	if len(origins) > 0 {
		who = strings.Join(words(origins), " ")
	}
	c.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "+who)
	c.Response().Header.Del("X-Frame-Options")
	c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	c.Set("Cross-Origin-Embedder-Policy", "require-corp") // so that a page that asks this of its frames may have it
}

// embedURL is the address of an embed for a frame.
func (s *Server) embedURL(id directory.ID) string { return s.base + "/embed/" + string(id) }

// embedJSON answers GET /embed/:id.json, which embed.js draws. A browser says whose page asks: only the partner's own
// may. A program that is no page says nothing, and is told what everybody may know.
func (s *Server) embedJSON(c *fiber.Ctx) error {
	c.Response().Header.SetCanonical(nameVary, []byte(fiber.HeaderAcceptEncoding+", "+fiber.HeaderOrigin))
	q := s.door.embeds
	got := take(q.tally, s.clientAddress(c.Context()), q.most)
	sayLimit(&c.Response().Header, q.name, q.policy, got)
	if !got.ok {
		return tooMany{got.seconds()}
	}
	e, err := s.embedOf(c)
	if err != nil {
		return err
	}
	if origin := c.Request().Header.Peek(fiber.HeaderOrigin); len(origin) > 0 {
		if !slices.Contains(e.of.Origins, directory.WebOrigin(origin)) {
			return directory.Errorf(directory.Refused, "origin", "the site is none of the partner's")
		}
		c.Response().Header.SetBytesV(fiber.HeaderAccessControlAllowOrigin, origin)
		c.Set(fiber.HeaderAccessControlExposeHeaders, "Age, "+exposed)
	}
	a, err := s.answerEmbed(c, e)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, a.lasts())
	return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, a)
}

// ownEmbed is an embed as its partner sees it.
type ownEmbed struct {
	ID       directory.ID        `json:"id"`
	Name     string              `json:"name"`
	Kind     directory.EmbedKind `json:"kind"`
	Query    *string             `json:"query"`    // of results
	Provider *directory.ID       `json:"provider"` // of a provider
	Theme    string              `json:"theme"`
	Language string              `json:"language"`
	URL      string              `json:"url"`
	Created  directory.Instant   `json:"created_at"`
	Ended    *directory.Instant  `json:"ended_at"`
}

// apiEmbeds answers GET /api/v1/embeds: the key's partner's own.
func (s *Server) apiEmbeds(c *fiber.Ctx) error {
	if _, bad := parse(rawQuery(c), nil, false); len(bad) > 0 {
		return bad
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	list, err := s.cfg.Integrators.Embeds(ctx, integratorOf(c))
	if err != nil {
		return err
	}
	out := struct {
		Embeds []ownEmbed `json:"embeds"`
	}{[]ownEmbed{}}
	for _, e := range list {
		x := ownEmbed{e.ID, e.Name, e.Kind, nil, maybe(e.Doc.Provider), e.Doc.Theme, e.Doc.Language, s.embedURL(e.ID), e.Created, maybe(e.Ended)}
		if e.Kind == directory.EmbedResults {
			x.Query = &e.Doc.Query
		}
		out.Embeds = append(out.Embeds, x)
	}
	return s.own(c, http.StatusOK, out)
}

// oEmbedAnswer is what oEmbed 1.0 (https://oembed.com) calls rich.
type oEmbedAnswer struct {
	Version      string `json:"version"`
	Type         string `json:"type"`
	Title        string `json:"title"`
	HTML         string `json:"html"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	CacheAge     int    `json:"cache_age"`
	ProviderName string `json:"provider_name"`
	ProviderURL  string `json:"provider_url"`
}

// Sizes of a frame, in CSS pixels.
const (
	frameWidth, frameHeight = 600, 560
	leastFrame              = 160
)

// oEmbedQuestion is what oEmbed 1.0 §2.2 lets a site ask.
type oEmbedQuestion struct {
	url, format   string
	width, height int // at most; 0 is any
}

func (q *oEmbedQuestion) params() []param {
	return []param{
		{name: "url", read: func(_ *ask, v string) told { q.url = v; return told{} }},
		{name: "format", read: func(_ *ask, v string) told { q.format = v; return told{} }},
		{name: "maxwidth", read: readNumber("bad.frame", leastFrame, 10_000, func(_ *ask, n int) { q.width = n })},
		{name: "maxheight", read: readNumber("bad.frame", leastFrame, 10_000, func(_ *ask, n int) { q.height = n })},
	}
}

// oEmbed answers GET /oembed. What can be embedded is an embed, named by the address of its framed form: a page of a
// provider belongs to nobody, and so nobody's page could frame it.
func (s *Server) oEmbed(c *fiber.Ctx) error {
	var q oEmbedQuestion
	_, bad := parse(rawQuery(c), q.params(), false)
	if len(bad) == 0 && q.url == "" {
		bad = badParams{wrong("url", "bad.url.needed")}
	}
	switch {
	case len(bad) > 0:
		return bad
	case q.format != "" && q.format != "json": // xml, or what nobody knows
		return fiber.NewError(http.StatusNotImplemented)
	}
	id, look, err := embedAddress(s.base, q.url)
	if err == nil && s.cfg.Integrators == nil {
		err = noEmbed
	}
	if err != nil {
		return err
	}
	e, err := s.embed(id)
	if err != nil {
		return err
	}
	out := oEmbedAnswer{Version: "1.0", Type: "rich", Width: frameWidth, Height: frameHeight, CacheAge: 3600, ProviderName: "Kapdir", ProviderURL: s.base + "/"}
	if q.width > 0 {
		out.Width = min(out.Width, q.width)
	}
	if q.height > 0 {
		out.Height = min(out.Height, q.height)
	}
	snippet := s.snippetOf(e, look.Theme, look.Lang, "")
	snippet.Width, snippet.Height = strconv.Itoa(out.Width), strconv.Itoa(out.Height)
	out.Title, out.HTML = snippet.Title, snippet.frame("")
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, out)
}

// noEmbed is the error of an address that names no embed of ours: 404, as oEmbed 1.0 §2.3.2 has it.
var noEmbed = elsewhere(wrong("url", "bad.url.none"))

// embedAddress reads the address of an embed's framed form, with the look that it asks for; base is where people reach us.
func embedAddress(base, address string) (id directory.ID, look ask, err error) {
	address, query, _ := strings.Cut(address, "?")
	name, ours := strings.CutPrefix(address, base+"/embed/")
	if id, err = directory.ParseID(directory.EmbedPrefix, name); !ours || err != nil {
		return "", look, noEmbed
	}
	look, bad := parse(query, embedParams, false)
	if len(bad) > 0 { // the frame would refuse it as well
		return "", look, badParams{wrong("url", "bad.url.look")}
	}
	return id, look, nil
}

// snippet is what a partner copies.
type snippet struct {
	ID                               directory.ID
	Base, Title, Theme, Lang, Accent string
	Width, Height                    string
	given                            url.Values // what differs from how the embed was made
}

// snippetOf makes the snippet of an embed; theme and language that are not given are the embed's own.
func (s *Server) snippetOf(e embedAsked, theme, language, accent string) snippet {
	x := snippet{ID: e.ID, Base: s.base, Theme: theme, Lang: language, Accent: accent, Width: "100%", Height: strconv.Itoa(frameHeight), given: url.Values{}}
	if theme != "" {
		x.given.Set("theme", theme)
	}
	if language == "" {
		language = e.Doc.Language
	} else {
		x.given.Set("lang", language)
	}
	l := languageOf(language)
	x.Title = l.t("embed.results") + " – Kapdir"
	if e.Kind == directory.EmbedProvider {
		x.Title = l.t("embed.checks") + " – Kapdir"
	}
	return x
}

// frame is the frame by itself: it runs nothing, and what a reader opens from it opens by itself.
func (x snippet) frame(mark string) string {
	src := x.Base + "/embed/" + string(x.ID)
	if q := x.given.Encode(); q != "" {
		src += "?" + q
	}
	return fmt.Sprintf(`<iframe %ssrc="%s" title="%s" width="%s" height="%s" loading="lazy" referrerpolicy="no-referrer" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>`,
		mark, template.HTMLEscapeString(src), template.HTMLEscapeString(x.Title), x.Width, x.Height)
}

// Frame is the form without a script.
func (x snippet) Frame() string { return x.frame("") }

// Script is the form with one. Its frame is for whoever cannot run it, and gives way to it.
func (x snippet) Script() string {
	more := ""
	for _, p := range [][2]string{{"theme", x.Theme}, {"lang", x.Lang}, {"accent", x.Accent}} {
		if p[1] != "" {
			more += fmt.Sprintf(` data-%s="%s"`, p[0], template.HTMLEscapeString(p[1]))
		}
	}
	return x.frame(`data-kapdir="`+string(x.ID)+`" `) + "\n" + fmt.Sprintf(`<script src="%s/embed.js" data-embed="%s"%s referrerpolicy="no-referrer" async></script>`, template.HTMLEscapeString(x.Base), x.ID, more)
}

package web

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// What a partner's developer reads: /partners, from nothing to live results, and /partners/embed, which writes what to
// paste. Neither holds a key, or says whose an embed is.

// partnerFiles are the text of /partners, which is in English alone, and the samples that it shows: each language has a
// folder, and each file in it is a program that can be run as it stands.
//
//go:embed partners/partners.md partners/samples
var partnerFiles embed.FS

// sampleLanguages are the folders of samples, in the order of the page.
var sampleLanguages = []struct{ Dir, Name string }{{"curl", "curl"}, {"go", "Go"}, {"python", "Python"}, {"javascript", "JavaScript"}}

// sampleGroup are the samples of one language.
type sampleGroup struct {
	ID, Name string
	Samples  []sample
}

type sample struct{ ID, Name, Text string }

// loadPartners reads the page; base stands in it wherever an address of ours does, and anybody how often one may ask in a
// minute without a key.
func loadPartners(base string, anybody int) (*guidePage, []sampleGroup, error) {
	raw, err := partnerFiles.ReadFile("partners/partners.md")
	if err != nil {
		return nil, nil, err
	}
	p, err := parseGuide([]byte(strings.NewReplacer("%BASE%", base, "%ANYBODY%", strconv.Itoa(anybody)).Replace(string(raw))))
	if err != nil {
		return nil, nil, fmt.Errorf("web: partners.md: %w", err)
	}
	p.Path = "/partners"
	var groups []sampleGroup
	for _, l := range sampleLanguages {
		dir := "partners/samples/" + l.Dir
		files, err := partnerFiles.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		slices.SortFunc(files, func(a, b fs.DirEntry) int { // as one begins
			return cmp.Or(cmp.Compare(boolRank(!strings.HasPrefix(a.Name(), "search.")), boolRank(!strings.HasPrefix(b.Name(), "search."))), strings.Compare(a.Name(), b.Name()))
		})
		g := sampleGroup{ID: "sample-" + l.Dir, Name: l.Name}
		for _, f := range files {
			text, err := partnerFiles.ReadFile(path.Join(dir, f.Name()))
			if err != nil {
				return nil, nil, err
			}
			shown := strings.TrimPrefix(string(text), "//go:build ignore\n") // which keeps our own build from it
			g.Samples = append(g.Samples, sample{"file-" + l.Dir + "-" + strings.TrimSuffix(f.Name(), path.Ext(f.Name())), f.Name(), strings.TrimSpace(shown)})
		}
		groups = append(groups, g)
	}
	return p, groups, nil
}

type developersView struct {
	page
	Guide   *guidePage
	Samples []sampleGroup
	Scopes  any // what a key may do: directory.Scopes
}

// Demonstrated are the commands by which whoever runs a demonstration gives themself a key and an embed.
func (developersView) Demonstrated() string {
	return `kapdir partner add mine "My clinic" --origin http://localhost:8000 --state .kapdir/demo
kapdir partner key add mine "my site" --scopes read,credentials,changes,export,hooks,embeds --state .kapdir/demo
kapdir partner embed add mine "near us" --query "state=CO&care=full_kap" --state .kapdir/demo`
}

// partnersPage answers GET /partners.
func (s *Server) partnersPage(c *fiber.Ctx) error {
	v := developersView{page: s.page(c, s.partners.Title, "/partners"), Guide: s.partners, Samples: s.samples, Scopes: directory.Scopes}
	v.Canonical, v.Description = "/partners", s.partners.Description
	c.Set(fiber.HeaderCacheControl, "public, max-age=60")
	return s.sendPage(c, "partners", v)
}

var accentForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// builderParams are the fields of the form.
var builderParams = []param{
	{name: "embed", read: func(a *ask, v string) told {
		a.Text = strings.TrimSpace(v)
		if _, err := directory.ParseID(directory.EmbedPrefix, a.Text); err != nil {
			return say("bad.embed.id")
		}
		return told{}
	}},
	embedParams[0], embedParams[1],
	{name: "accent", read: func(a *ask, v string) told {
		a.Accent = strings.ToLower(strings.TrimSpace(v))
		if !accentForm.MatchString(a.Accent) {
			return say("bad.accent")
		}
		return told{}
	}},
}

type builderView struct {
	page
	Ask     ask
	Wrong   map[string]string
	Themes  []labelled
	Tongues []*lang
	Snippet *snippet      // nil until there is an embed
	Preview template.HTML // of the form without a script, which gives way to the other
	Failed  *problem      // instead of a preview
}

// embedBuilder answers GET /partners/embed: it writes what a partner puts into a page, and shows how it will look.
func (s *Server) embedBuilder(c *fiber.Ctx) error {
	l := langOf(c)
	a, bad := parse(rawQuery(c), builderParams, true)
	v := builderView{page: s.page(c, l.t("builder.title"), "/partners/embed"), Ask: a, Wrong: map[string]string{}, Tongues: languages}
	v.Description = l.t("builder.lead")
	for _, t := range directory.EmbedThemes {
		v.Themes = append(v.Themes, labelled{t, l.t("builder.theme." + t)})
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if rawQuery(c) == "" {
		v.Canonical = "/partners/embed"
	}
	if len(bad) == 0 && a.Text != "" {
		e, err := embedAsked{}, error(directory.NotFound)
		if s.cfg.Integrators != nil {
			e, err = s.embed(directory.ID(a.Text))
		}
		switch {
		case errors.Is(err, directory.NotFound) || errors.Is(err, directory.Gone):
			bad = badParams{wrong("embed", "bad.embed.none")}
		case err != nil:
			return err
		default:
			if err := s.preview(c, &v, e); err != nil {
				return err
			}
		}
	}
	for _, e := range bad {
		v.Wrong[e.Parameter] = e.in(l).Detail
	}
	if len(bad) > 0 {
		c.Status(fiber.StatusBadRequest)
	}
	return s.sendPage(c, "builder", v)
}

func (s *Server) preview(c *fiber.Ctx, v *builderView, e embedAsked) error {
	x := s.snippetOf(e, v.Ask.Theme, v.Ask.Lang, v.Ask.Accent)
	v.Snippet = &x
	if v.Ask.Theme != "" {
		e.Doc.Theme = v.Ask.Theme
	}
	if v.Ask.Lang != "" {
		e.Doc.Language = v.Ask.Lang
	}
	own, l := langOf(c), languageOf(e.Doc.Language)
	visitOf(c).lang = l // in whose words the embed is
	answer, err := s.answerEmbed(c, e)
	visitOf(c).lang = own
	if err != nil {
		p := s.problemOf(err, newRequestID(), own)
		if p.Status >= 500 && !errors.Is(err, busy) {
			return err
		}
		v.Failed = &p
		return nil
	}
	v.Preview, err = s.pages.part(l, "builder", "embed", answer)
	return err
}

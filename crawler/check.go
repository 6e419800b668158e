package crawler

import (
	"context"
	"net/url"
	"slices"
	"sort"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"kapdir/directory"
)

// Inspection is what a recipe makes of pages, told field by field to whoever writes recipes.
type Inspection struct {
	Source   string        `json:"source"`
	Name     string        `json:"name"`
	Terms    string        `json:"terms"`
	Recipe   string        `json:"recipe"` // its file
	Pages    []CheckedPage `json:"pages"`
	Unknown  []UnknownWord `json:"unknown,omitempty"` // words in no table of the recipe, the most frequent first
	Never    []string      `json:"never,omitempty"`   // fields of the recipe that matched nothing on any page
	Yield    Yield         `json:"yield"`
	Before   Yield         `json:"before,omitzero"` // of the last import, as far as it is remembered
	Warnings []string      `json:"warnings,omitempty"`
}

// CheckedPage is one page.
type CheckedPage struct {
	Page     string             `json:"page"` // its file, or the path of its address
	URL      string             `json:"url,omitempty"`
	Error    string             `json:"error,omitempty"` // it could not be read
	Listings []CheckedListing   `json:"listings,omitempty"`
	Rejects  []directory.Reject `json:"rejects,omitempty"` // blocks that could not be read
	Profiles int                `json:"profiles"`          // links that follow.profiles finds
	Next     int                `json:"next"`              // links that follow.next finds
}

// CheckedListing is one listing, taken or not.
type CheckedListing struct {
	Key     string             `json:"key"`
	Taken   bool               `json:"taken"`
	Listing *directory.Listing `json:"listing,omitempty"`
	Matches []Match            `json:"matches,omitempty"`
	Rejects []directory.Reject `json:"rejects,omitempty"` // fields that were not taken, and why
}

// Match is a node that a field's selector found.
type Match struct {
	Field string `json:"field"`
	Path  string `json:"path"` // CSS path of the node; of JSON-LD, the block and the JSON pointer in it
	Text  string `json:"text"` // of what was matched, scrubbed
}

// UnknownWord is a word of a site that the recipe's table does not have.
type UnknownWord struct {
	Table string `json:"table"`
	Word  string `json:"word"`
	Times int    `json:"times"`
	Page  string `json:"page"` // the first on which it stands
}

// Check reads saved pages, or one page from the network under the same rules as an import, and tells what
// the recipe makes of them. Nothing is stored. In the input's absence the site's first page is asked for,
// and with it the first profiles to which it leads.
func Check(ctx context.Context, src Source, in Input, opts Options) (*Inspection, error) {
	opts = opts.complete()
	if src.recipe == nil {
		return nil, directory.Errorf(directory.Invalid, "recipe", "%s is not a listing site", src.ID)
	}
	info := src.Info()
	if info.Terms == "forbidden" {
		return nil, directory.Errorf(directory.Refused, "source", "the terms of %s forbid collecting its pages", info.Name)
	}
	x := &checking{r: src.recipe, in: &Inspection{Source: src.ID, Name: info.Name, Terms: info.Terms, Recipe: src.recipe.file}, before: opts.Cache.load(src.ID), day: opts.day(),
		matched: map[string]bool{}, words: map[[2]string]*UnknownWord{}, now: map[string]*knownPage{}}
	var err error
	if in.URL != "" {
		err = x.fetch(ctx, &material{source: src.ID, recipe: src.recipe, info: info}, in, opts)
	} else {
		err = x.files(src, in)
	}
	if err != nil {
		return nil, err
	}
	x.judge()
	return x.in, nil
}

type checking struct {
	r       *recipe
	in      *Inspection
	before  map[string]*knownPage
	now     map[string]*knownPage
	day     directory.Date
	matched map[string]bool
	words   map[[2]string]*UnknownWord
}

func (x *checking) files(src Source, in Input) error {
	m, err := gather(context.Background(), src, src.Info(), in, Options{}.complete())
	if err != nil {
		return err
	}
	for _, f := range m.files {
		p, err := savedPage(f, x.r)
		x.page(f.name, p, err)
	}
	return nil
}

// checkProfiles is how many profiles are read behind a list page.
const checkProfiles = 5

func (x *checking) fetch(ctx context.Context, m *material, in Input, opts Options) error {
	f, start, err := newFetcher(ctx, m, in, opts)
	if err != nil {
		return err
	}
	queue := []*url.URL{start}
	for i := 0; i < len(queue); i++ {
		u := queue[i]
		if !f.robots.Allowed(u.RequestURI()) {
			x.page(u.Path, nil, refusedByRobots(u))
			continue
		}
		got, err := f.fetch(ctx, u, nil)
		if ctx.Err() != nil || i == 0 && err != nil {
			return err
		}
		var p *page
		if err == nil {
			p, err = got.page(pathKey(u), x.r)
		}
		if i == 0 && err == nil {
			for _, to := range p.links(x.r.Follow.Profiles) {
				if len(queue) <= checkProfiles && !slices.ContainsFunc(queue, func(q *url.URL) bool { return q.String() == to.String() }) {
					queue = append(queue, to)
				}
			}
		}
		x.page(u.Path, p, err)
	}
	return nil
}

// page tells one page.
func (x *checking) page(name string, p *page, err error) {
	c := CheckedPage{Page: name}
	if err != nil {
		c.Error = scrubReason(detail(err))
		x.in.Pages = append(x.in.Pages, c)
		return
	}
	c.URL = p.url.String()
	c.Profiles, c.Next = len(p.links(x.r.Follow.Profiles)), len(p.links(x.r.Follow.Next))
	p.traced = true
	drafts, asides := readPage(x.r, p, x.day)
	c.Rejects = scrubbed(asides)
	rd := newReading()
	known := &knownPage{Key: pathKey(p.url), URL: c.URL}
	for _, d := range drafts {
		at := len(rd.found)
		l := CheckedListing{Key: d.key, Taken: rd.take(d)}
		if l.Taken {
			known.Listings = append(known.Listings, d.known())
			l.Listing = &d.listing
		}
		for _, f := range rd.found[at:] {
			l.Rejects = scrubbed(f.rejects)
		}
		if d.ssn == "" && d.trace != nil {
			l.Matches = *d.trace
		}
		for _, m := range l.Matches {
			x.matched[m.Field] = true
		}
		for f := range d.fields {
			x.matched[f] = true
		}
		for _, w := range d.unknown {
			if x.words[[2]string{w.Table, w.Word}] == nil {
				x.words[[2]string{w.Table, w.Word}] = &UnknownWord{Table: w.Table, Word: w.Word, Page: name}
			}
			x.words[[2]string{w.Table, w.Word}].Times++
		}
		c.Listings = append(c.Listings, l)
	}
	x.now[known.Key] = known
	x.in.Pages = append(x.in.Pages, c)
}

func scrubbed(list []directory.Reject) []directory.Reject {
	out := slices.Clone(list)
	for i := range out {
		out[i].Text, out[i].Reason = scrubText(out[i].Text), scrubReason(out[i].Reason)
	}
	return out
}

// judge compares the pages with the last import, and gathers what a person would have to mend.
func (x *checking) judge() {
	for _, w := range x.words {
		x.in.Unknown = append(x.in.Unknown, *w)
	}
	sort.Slice(x.in.Unknown, func(i, j int) bool {
		a, b := x.in.Unknown[i], x.in.Unknown[j]
		return a.Times > b.Times || a.Times == b.Times && (a.Table < b.Table || a.Table == b.Table && a.Word < b.Word)
	})
	for f := range x.r.Fields {
		if !x.matched[f] {
			x.in.Never = append(x.in.Never, f)
		}
	}
	sort.Strings(x.in.Never)
	warn := func(s ...string) { x.in.Warnings = append(x.in.Warnings, strings.Join(s, "")) }
	x.in.Yield, x.in.Before = yieldOf(x.now), Yield{}
	same := map[string]*knownPage{}
	read := 0
	for _, p := range x.in.Pages {
		if p.Error != "" {
			warn(p.Page, ": could not be read: ", p.Error)
		}
		for _, l := range p.Listings {
			if !l.Taken {
				warn(p.Page, ": a listing was not taken", firstReason(l.Rejects))
			}
		}
	}
	for key, p := range x.now {
		read += len(p.Listings)
		if old := x.before[key]; old != nil {
			same[key] = old
			if len(p.Listings) < len(old.Listings) {
				warn(p.URL, ": ", itoa(len(p.Listings)), " listings, and ", itoa(len(old.Listings)), " at the last import")
			}
		}
	}
	if len(x.before) > 0 {
		x.in.Before = yieldOf(same)
		now := yieldOf(keysIn(x.now, same))
		for f, n := range x.in.Before.Fields {
			if now.Fields[f] < n {
				warn("field ", f, ": found in ", itoa(now.Fields[f]), " listings, and in ", itoa(n), " at the last import")
			}
		}
	}
	if read == 0 && !slices.ContainsFunc(x.in.Pages, func(p CheckedPage) bool { return p.Profiles > 0 }) {
		warn("nothing was found: neither a listing nor a link to one")
	}
	sort.Strings(x.in.Warnings)
}

func firstReason(rs []directory.Reject) string {
	if len(rs) == 0 {
		return ""
	}
	return ": " + rs[0].Field + ": " + rs[0].Reason
}

func keysIn(pages, of map[string]*knownPage) map[string]*knownPage {
	out := map[string]*knownPage{}
	for k, p := range pages {
		if of[k] != nil {
			out[k] = p
		}
	}
	return out
}

// saw notes a match for whoever looks at the recipe. The licence of a supervisor is somebody else's, here too.
func (d *draft) saw(field string, s *goquery.Selection, text string) {
	if d.trace == nil || field == "" || len(*d.trace) >= 500 {
		return
	}
	if field == "licences" {
		text = supervisor.ReplaceAllString(text, "")
	}
	*d.trace = append(*d.trace, Match{Field: field, Path: cssPath(s.Nodes[0]), Text: scrubText(text)})
}

// cssPath is a selector of one node: main.profile > ul.license-list > li:nth-of-type(2).
func cssPath(n *html.Node) string {
	var parts []string
	for ; n != nil && n.Type == html.ElementNode && len(parts) < 8; n = n.Parent {
		part := n.Data
		id, class := "", ""
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				id = a.Val
			case "class":
				class = strings.Join(strings.Fields(a.Val), ".")
			}
		}
		if id != "" && !strings.ContainsAny(id, " \t\n") {
			parts = append(parts, shorten(part+"#"+id, 80))
			break
		}
		if class != "" {
			part += "." + class
		}
		before, after := 1, 0
		for s := n.PrevSibling; s != nil; s = s.PrevSibling {
			if s.Type == html.ElementNode && s.Data == n.Data {
				before++
			}
		}
		for s := n.NextSibling; s != nil && after == 0; s = s.NextSibling {
			if s.Type == html.ElementNode && s.Data == n.Data {
				after++
			}
		}
		part = shorten(part, 80)
		if before > 1 || after > 0 {
			part += ":nth-of-type(" + itoa(before) + ")"
		}
		parts = append(parts, part)
		if n.Data == "body" {
			break
		}
	}
	slices.Reverse(parts)
	return cleanText(strings.Join(parts, " > "))
}

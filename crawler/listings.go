package crawler

import (
	"context"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"kapdir/directory"
)

// reading is what was read of a listing site's pages: small beside the pages, so that all of it is
// known before the run begins.
type reading struct {
	found   []found
	rejects []directory.Reject // pages that could not be read
	pages   int
	keys    map[string]string // of the listings found: key → content
}

// found is one listing with the fields of it that could not be taken.
type found struct {
	rec     directory.Record
	rejects []directory.Reject
}

// aside puts a whole page in quarantine.
func (rd *reading) aside(name string, err error) {
	field := ""
	if e, ok := err.(*directory.Error); ok {
		field = e.Field
	}
	rd.rejects = append(rd.rejects, directory.Reject{File: name, Field: field, Reason: detail(err)})
}

func newReading() *reading { return &reading{keys: map[string]string{}} }

// openListing reads saved pages, or takes those that were fetched.
func openListing(ctx context.Context, m *material, opts Options) (*work, error) {
	rd := m.read
	if rd == nil {
		rd = newReading()
		m.site = opts.Cache.compare(m.source, false, opts.AcceptChanged)
		if err := rd.saved(ctx, m.files, m.recipe, m.site, opts.day()); err != nil {
			return nil, err
		}
	}
	opts.Report.Pages = rd.pages
	if len(rd.found) == 0 {
		why := "its markup may have changed, or these are other pages"
		if len(rd.rejects) > 0 {
			why = rd.rejects[0].File + ": " + rd.rejects[0].Reason
		}
		return nil, invalid(m.name, 0, "", "no listing of %s was found in %d pages: %s", m.info.Name, rd.pages+len(rd.rejects), why)
	}
	opts.Report.Yield, opts.Report.Before = yieldOf(m.site.now), yieldOf(m.site.before)
	changed := m.site.settle(m.name, len(m.lost) == 0)
	opts.Report.Fates = m.site.fates
	return &work{asOf: opts.day(), done: m.site.commit, read: func(_ context.Context, o *out) error {
		o.bytes = func() int64 { return m.size }
		for _, x := range rd.rejects {
			if err := o.reject(x); err != nil {
				return err
			}
		}
		if changed != nil { // the listings of the last import stay in force
			return changed
		}
		for _, f := range rd.found {
			yield := o.partly
			if f.rec.Listing == nil {
				yield = o.reject
			}
			for _, x := range f.rejects {
				if err := yield(x); err != nil {
					return err
				}
			}
			if f.rec.Listing == nil {
				continue
			}
			o.file = pageOf(f)
			if err := o.record(f.rec); err != nil {
				return err
			}
		}
		if len(m.lost) > 0 {
			return directory.Errorf(directory.Unavailable, "url", "%d pages of %s could not be had, so the site was not read whole and the listings of the last import stay in force; the first: %s", len(m.lost), m.name, m.lost[0])
		}
		return o.gone(m.site.gone())
	}}, nil
}

func pageOf(f found) string { return f.rec.Listing.Origin.URL }

// readPage reads the listings of one page.
func readPage(r *recipe, p *page, asOf directory.Date) (drafts []*draft, asides []directory.Reject) {
	if r.Format != "markup" {
		return readGraph(r, p, asOf)
	}
	return readMarkup(r, p, asOf), nil
}

// add takes what was read of one page, and returns what is remembered of its listings.
func (rd *reading) add(drafts []*draft, asides []directory.Reject) []knownListing {
	rd.pages++
	rd.rejects = append(rd.rejects, asides...)
	var known []knownListing
	for _, d := range drafts {
		if rd.take(d) {
			known = append(known, d.known())
		}
	}
	return known
}

// take keeps a listing. One that holds what must not be held, or that stands on two pages with two
// contents, goes to quarantine whole. It reports whether the listing was taken.
func (rd *reading) take(d *draft) bool {
	if d.ssn == "" {
		if f, holds := fieldsHoldSSN(d.fields); holds {
			d.ssn = f
		}
	}
	if d.ssn != "" {
		rd.found = append(rd.found, found{rejects: []directory.Reject{{File: d.page, Field: d.ssn, Reason: ssnReason}}})
		return false
	}
	if d.listing.Kind == "" { // its field was refused: without it there is no listing
		rd.found = append(rd.found, found{rejects: d.rejects})
		return false
	}
	d.finish()
	rec := directory.Record{Source: d.recipe.Source, Key: d.key, Fields: d.fields, Listing: &d.listing}
	if have, twice := rd.keys[rec.Key]; twice {
		if have != rec.Hash() {
			rd.found = append(rd.found, found{rejects: []directory.Reject{{File: d.page, Reason: "the listing " + rec.Key + " stands on two pages that differ; the first was taken"}}})
		}
		return false
	}
	rd.keys[rec.Key] = rec.Hash()
	rd.found = append(rd.found, found{rec: rec, rejects: d.rejects})
	return true
}

// readMarkup reads the listings that a recipe's selectors find. Only the nodes that a field names are
// read: no biography, photograph or testimonial. Where listings stand inside each other, as in tables that
// hold tables, each has the nodes that are not of a listing inside it; one that only wraps others is none.
func readMarkup(r *recipe, p *page, asOf directory.Date) []*draft {
	p.doc.Find("script, style, template, noscript").Remove()
	var drafts []*draft
	nodes := p.doc.Find(r.Listing)
	if nodes.Length() > maxListings {
		nodes = nodes.Slice(0, maxListings)
	}
	inside := map[*html.Node]bool{}
	for _, n := range nodes.Nodes {
		inside[n] = true
	}
	wraps := map[*html.Node]bool{}
	for _, n := range nodes.Nodes {
		for up := n.Parent; up != nil && !wraps[up]; up = up.Parent {
			wraps[up] = true
		}
	}
	nodes.Each(func(i int, s *goquery.Selection) {
		d := newDraft(r, p, asOf)
		d.key = pathKey(p.url)
		if wraps[s.Nodes[0]] {
			d.within = inside
			if len(d.hits(r.Fields["name"], s)) == 0 {
				return
			}
		}
		if holdsSSN(cleanText(s.Text())) {
			d.ssn = "page"
			drafts = append(drafts, d)
			return
		}
		d.markup(s)
		d.key = d.keyOf(s, nodes.Length() > 1)
		drafts = append(drafts, d)
	})
	return drafts
}

// maxListings of a page are read.
const maxListings = 500

// keyOf is what names a listing from import to import: what the recipe says, which is a link's path or a
// text; else the page's path, with the node's id, or its name, where the page holds several.
func (d *draft) keyOf(s *goquery.Selection, several bool) string {
	if sel := d.recipe.Key; sel != nil {
		if v := d.texts("", sel, s); len(v) > 0 {
			if u, err := d.base.Parse(v[0]); err == nil && sel.Attr == "href" && strings.EqualFold(u.Host, d.base.Host) {
				return pathKey(u)
			}
			return "#" + shorten(v[0], 100)
		}
	}
	if !several {
		return d.key
	}
	id, _ := s.Attr("id")
	if id == "" {
		id = slug(d.listing.Name.String() + " " + d.listing.Organisation)
	}
	return d.key + "#" + shorten(id, 100)
}

// markup takes the fields of one listing.
func (d *draft) markup(s *goquery.Selection) {
	f := d.recipe.Fields
	of := func(field string) []string { return d.texts(field, f[field], s) }
	first := func(field string) string {
		if v := d.note(field, of(field)); len(v) > 0 {
			return v[0]
		}
		return ""
	}
	if v := first("as_of"); v != "" {
		if day := d.day("as_of", v); day != "" && day <= d.asOf {
			d.asOf = day
		} else if day != "" {
			d.refuse("as_of", v, "%q lies in the future", v)
		}
	}
	kind := first("kind")
	word, ok := d.word("kind", "kind", kind) // without it the listing cannot be taken
	if !ok {
		return
	}
	k, as, _ := strings.Cut(word, " ")
	name := first("name")
	if name == "" {
		d.refuse("name", "", "the listing has no name")
		return
	}
	licences := of("licences")
	if sel := f["licences"]; sel != nil && len(sel.Parts) > 0 {
		licences = nil
		d.each(s, "licences", func(part func(string) string) {
			licences = append(licences, strings.Join(nonEmpty(part("title"), part("number"), part("state")), ", "))
		})
	}
	if k == "organisation" {
		d.listing.Organisation = name
	} else if why := notOnePerson(name, licences); why != "" {
		d.refuse("name", name, "%s", why)
		return
	} else if d.listing.Name = d.personName("name", name, first("credentials")); d.listing.Name.IsZero() {
		return
	}
	d.listing.Kind = directory.ProviderKind(k)
	d.listing.ListedAs = directory.ListedAs(as)
	d.former(of("former"))
	d.listing.NPI = d.npi("npi", of("npi"))
	d.each(s, "sites", func(part func(string) string) {
		if site, ok := d.site("sites", part); ok {
			d.listing.Sites = append(d.listing.Sites, site)
		}
	})
	d.licences(licences)
	d.each(s, "training", func(part func(string) string) {
		d.training(part("programme"), part("level"), part("completed"))
	})
	d.each(s, "prescribers", func(part func(string) string) {
		p, ok := d.prescriber(part("who"))
		if !ok {
			return
		}
		if site, ok := d.site("prescribers", part); ok {
			p.Sites = append(p.Sites, site)
		}
		d.listing.Prescribers = append(d.listing.Prescribers, p)
	})
	for _, href := range d.note("works_at", of("works_at")) {
		if u, err := d.base.Parse(href); err == nil && strings.EqualFold(u.Host, d.base.Host) {
			d.listing.WorksAt = append(d.listing.WorksAt, pathKey(u))
		} else {
			d.refuse("works_at", href, "%q is not a page of the same site", href)
		}
	}
	d.website(of("website"))
	for _, field := range practiceFields {
		if v := of(field); len(v) > 0 {
			d.practice(field, v)
		}
	}
}

// each calls take for each node of a composite field, with a reader of its parts.
func (d *draft) each(s *goquery.Selection, field string, take func(part func(string) string)) {
	sel := d.recipe.Fields[field]
	if sel == nil {
		return
	}
	for _, h := range d.hits(sel, s) {
		parts := map[string]string{}
		var seen []string
		for _, name := range partsOf[field] {
			if p := sel.Parts[name]; p != nil {
				if v := d.texts(field+"."+name, p, h.node); len(v) > 0 {
					parts[name] = shorten(cleanText(v[0]), maxValueText)
					seen = append(seen, parts[name])
				}
			}
		}
		if whole := parts["address"]; whole != "" {
			splitAddress(whole, parts)
		}
		if len(seen) > 0 {
			d.note(field, []string{strings.Join(seen, "; ")})
			take(func(name string) string { return parts[name] })
		}
	}
}

// hit is a node that a selector found, with its text, or an attribute of it.
type hit struct {
	node *goquery.Selection
	text string
}

// hits are the nodes that a selector finds in s, without those of a listing inside this one.
func (d *draft) hits(sel *selector, s *goquery.Selection) []hit {
	if sel == nil {
		return nil
	}
	if sel.Value != "" {
		return []hit{{s, sel.Value}}
	}
	var out []hit
	nodes := s
	if sel.CSS != "" {
		nodes = s.Find(sel.CSS)
	}
	nodes.EachWithBreak(func(_ int, n *goquery.Selection) bool {
		for up := n.Nodes[0]; up != nil && up != s.Nodes[0]; up = up.Parent {
			if d.within[up] {
				return true
			}
		}
		h := hit{node: n}
		if sel.Attr != "" {
			h.text, _ = n.Attr(sel.Attr)
			h.text = cleanText(h.text)
		} else {
			h.text = nodeText(n.Nodes[0], d.within)
		}
		out = append(out, h)
		return len(out) < maxValues
	})
	return out
}

// texts are what a field's selector reads: the nodes' texts, cut and matched as the recipe says.
func (d *draft) texts(field string, sel *selector, s *goquery.Selection) []string {
	var out []string
	for _, h := range d.hits(sel, s) {
		texts := []string{h.text}
		if sel.Split != "" {
			texts = strings.Split(h.text, sel.Split)
		}
		if strings.HasSuffix(field, ".address") { // its lines are its parts
			texts[0] = strings.ReplaceAll(strings.ReplaceAll(texts[0], ",\n", ", "), "\n", ", ")
		}
		for _, t := range texts {
			t = cleanText(t)
			if sel.pattern != nil {
				m := sel.pattern.FindStringSubmatch(t)
				if m == nil {
					continue
				}
				t = m[len(m)-1]
			}
			if t = strings.TrimSpace(t); t != "" {
				out = append(out, t)
				d.saw(field, h.node, t)
			}
		}
	}
	return out
}

// nodeText is a node's text with a line for each that a browser would show apart: two cells of a table, or
// two lines of an address, are not one word. What belongs to a listing inside is left out.
func nodeText(n *html.Node, without map[*html.Node]bool) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			switch {
			case b.Len() > maxNodeText:
				return
			case c.Type == html.TextNode:
				b.WriteString(strings.Map(blankBreak, c.Data))
			case c.Type == html.ElementNode && !without[c]:
				apart := !inline[c.DataAtom]
				if apart {
					b.WriteByte('\n')
				}
				walk(c)
				if apart {
					b.WriteByte('\n')
				}
			}
		}
	}
	walk(n) // the parser nests at most 512 elements
	var lines []string
	for line := range strings.SplitSeq(b.String(), "\n") {
		if line = cleanText(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// blankBreak makes a blank of what breaks a line in the file and not on the page.
func blankBreak(r rune) rune {
	if r == '\n' || r == '\r' {
		return ' '
	}
	return r
}

// maxNodeText is how much of a node's text is looked at: far more than a fact has.
const maxNodeText = 64 << 10

// inline are the elements that do not break a line of text.
var inline = map[atom.Atom]bool{atom.A: true, atom.Abbr: true, atom.B: true, atom.Bdi: true, atom.Bdo: true, atom.Cite: true, atom.Code: true, atom.Data: true, atom.Em: true,
	atom.Font: true, atom.I: true, atom.Ins: true, atom.Mark: true, atom.Q: true, atom.S: true, atom.Small: true, atom.Span: true, atom.Strong: true, atom.Sub: true,
	atom.Sup: true, atom.Time: true, atom.Tt: true, atom.U: true, atom.Var: true, atom.Wbr: true}

// slug is a name as the last part of a key.
func slug(s string) string { return strings.ReplaceAll(directory.Fold(s), " ", "-") }

package crawler

import (
	"context"
	"strings"

	"github.com/PuerkitoBio/goquery"

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
		m.site = opts.Cache.compare(m.source, false)
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
	if opts.AcceptChanged {
		changed = nil
	}
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
// read: no biography, photograph or testimonial.
func readMarkup(r *recipe, p *page, asOf directory.Date) []*draft {
	p.doc.Find("script, style, template, noscript").Remove()
	var drafts []*draft
	nodes := p.doc.Find(r.Listing)
	nodes.EachWithBreak(func(i int, s *goquery.Selection) bool {
		d := newDraft(r, p, asOf)
		d.key = pathKey(p.url)
		if holdsSSN(cleanText(s.Text())) {
			d.ssn = "page"
			drafts = append(drafts, d)
			return true
		}
		d.markup(s)
		if nodes.Length() > 1 {
			id, _ := s.Attr("id")
			if id == "" {
				id = slug(d.listing.Name.String() + " " + d.listing.Organisation)
			}
			d.key += "#" + shorten(id, 100)
		}
		drafts = append(drafts, d)
		return i < 200
	})
	return drafts
}

// markup takes the fields of one listing.
func (d *draft) markup(s *goquery.Selection) {
	f := d.recipe.Fields
	first := func(field string) string {
		if v := d.note(field, f[field].values(s)); len(v) > 0 {
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
	word, ok := d.recipe.Words.find("kind", kind)
	if !ok {
		d.refuse("kind", kind, "the site's word %q is not in the recipe's table \"kind\", so that the listing cannot be taken", kind)
		return
	}
	k, as, _ := strings.Cut(word, " ")
	name := first("name")
	if name == "" {
		d.refuse("name", "", "the listing has no name")
		return
	}
	if k == "organisation" {
		d.listing.Organisation = name
	} else if d.listing.Name = d.personName("name", name, first("credentials")); d.listing.Name.IsZero() {
		return
	}
	d.listing.Kind = directory.ProviderKind(k)
	d.listing.ListedAs = directory.ListedAs(as)
	d.former(f["former"].values(s))
	d.listing.NPI = d.npi("npi", f["npi"].values(s))
	d.each(s, "sites", func(part func(string) string) {
		if site, ok := d.site("sites", part); ok {
			d.listing.Sites = append(d.listing.Sites, site)
		}
	})
	d.licences(f["licences"].values(s))
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
	for _, href := range d.note("works_at", f["works_at"].values(s)) {
		if u, err := d.base.Parse(href); err == nil && strings.EqualFold(u.Host, d.base.Host) {
			d.listing.WorksAt = append(d.listing.WorksAt, pathKey(u))
		} else {
			d.refuse("works_at", href, "%q is not a page of the same site", href)
		}
	}
	d.website(f["website"].values(s))
	for _, field := range practiceFields {
		if sel := f[field]; sel != nil {
			if v := sel.values(s); len(v) > 0 {
				d.practice(field, v)
			}
		}
	}
}

// each calls take for each node of a composite field, with a reader of its parts.
func (d *draft) each(s *goquery.Selection, field string, take func(part func(string) string)) {
	sel := d.recipe.Fields[field]
	if sel == nil {
		return
	}
	s.Find(sel.CSS).EachWithBreak(func(i int, node *goquery.Selection) bool {
		parts := map[string]string{}
		var seen []string
		for _, name := range partsOf[field] {
			if p := sel.Parts[name]; p != nil {
				if v := p.values(node); len(v) > 0 {
					parts[name] = shorten(cleanText(v[0]), maxValueText)
					seen = append(seen, parts[name])
				}
			}
		}
		if len(seen) > 0 {
			d.note(field, []string{strings.Join(seen, "; ")})
			take(func(name string) string { return parts[name] })
		}
		return i < maxValues
	})
}

// values returns the texts, or an attribute, of the nodes that a selector finds in s.
func (sel *selector) values(s *goquery.Selection) []string {
	if sel == nil {
		return nil
	}
	var out []string
	s.Find(sel.CSS).EachWithBreak(func(_ int, n *goquery.Selection) bool {
		text := ""
		if sel.Attr != "" {
			text, _ = n.Attr(sel.Attr)
		} else {
			text = n.Text()
		}
		text = cleanText(text)
		texts := []string{text}
		if sel.Split != "" {
			texts = strings.Split(text, sel.Split)
		}
		for _, t := range texts {
			if sel.pattern != nil {
				m := sel.pattern.FindStringSubmatch(t)
				if m == nil {
					continue
				}
				t = m[len(m)-1]
			}
			if t = strings.TrimSpace(t); t != "" {
				out = append(out, t)
			}
		}
		return len(out) < maxValues
	})
	return out
}

// slug is a name as the last part of a key.
func slug(s string) string { return strings.ReplaceAll(directory.Fold(s), " ", "-") }

package crawler

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/charmap"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

const (
	maxPage  = safehttp.MaxBody // of a saved page too: x/net/html takes many times a page's size
	maxDepth = 400              // list pages behind each other
)

// page is a parsed page of a listing site.
type page struct {
	name string   // of the file, or the path of the address
	url  *url.URL // where it lives: its canonical address
	base *url.URL // what its links are relative to: where it was fetched from, else where it lives
	doc  *goquery.Document

	traced bool // somebody wants to see what each field matched
}

// parsePage decodes and parses a page. x/net/html refuses nesting beyond 512 elements, which is a page
// passed over.
func parsePage(name string, body []byte, contentType string) (*page, error) {
	if len(body) > maxPage {
		return nil, invalid(name, 0, "", "the page is larger than %d MiB", maxPage>>20)
	}
	r := decoded(body, contentType)
	root, err := html.Parse(r)
	if err != nil {
		return nil, invalid(name, 0, "", "the page cannot be parsed: %s", shorten(err.Error(), 100))
	}
	return &page{name: name, doc: goquery.NewDocumentFromNode(root)}, nil
}

// decoded reads a page as text. Pages often say a charset that is not theirs, and a wrong one changes
// names without a trace: bytes that are well-formed UTF-8 beyond ASCII are UTF-8 whatever the page says, and
// in a page that says UTF-8 a byte that is not stands for what it is in windows-1252.
func decoded(body []byte, contentType string) io.Reader {
	enc, name, stated := charset.DetermineEncoding(body, contentType)
	valid := utf8.Valid(body)
	switch {
	case valid && !ascii(body), valid && !stated:
		return bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff")))
	case name == "utf-8" && !valid:
		return bytes.NewReader(mended(body))
	}
	return enc.NewDecoder().Reader(bytes.NewReader(body))
}

// mended is UTF-8 with every byte that is none read as windows-1252.
func mended(body []byte) []byte {
	out := make([]byte, 0, len(body)+len(body)/8)
	for len(body) > 0 {
		r, n := utf8.DecodeRune(body)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(body[0])
		}
		out = utf8.AppendRune(out, r)
		body = body[n:]
	}
	return out
}

func ascii(body []byte) bool {
	return !slices.ContainsFunc(body, func(c byte) bool { return c >= 0x80 })
}

// settle finds where the page lives. It must be a page of the site's own host; fetched is where it was
// fetched from, nil for a saved file.
func (p *page) settle(site, fetched *url.URL) error {
	href, _ := p.doc.Find("link[rel=canonical]").First().Attr("href")
	href = strings.TrimSpace(href)
	if href == "" && fetched != nil {
		p.url, p.base = fetched, fetched
		return nil
	}
	if href == "" {
		return invalid(p.name, 0, "canonical", "the page does not say where it lives: <link rel=\"canonical\"> is missing")
	}
	base := site
	if fetched != nil {
		base = fetched
	}
	u, err := base.Parse(href)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || len(href) > 2000 {
		return invalid(p.name, 0, "canonical", "%s is not a web address", quoted(href))
	}
	if !strings.EqualFold(u.Host, site.Host) {
		return invalid(p.name, 0, "canonical", "the page is one of %s, not of %s", shorten(u.Host, 100), site.Host)
	}
	u.Fragment = ""
	p.url, p.base = u, base
	if fetched == nil {
		p.base = u
	}
	return nil
}

// links returns the addresses a selector leads to, on the same host and without fragments.
func (p *page) links(css string) []*url.URL {
	if css == "" {
		return nil
	}
	var out []*url.URL
	p.doc.Find(css).EachWithBreak(func(_ int, s *goquery.Selection) bool {
		href, _ := s.Attr("href")
		u, err := p.base.Parse(strings.TrimSpace(href))
		if err == nil && len(href) <= 2000 && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, p.base.Host) && u.User == nil {
			u.Fragment = ""
			out = append(out, u)
		}
		return len(out) < 1000
	})
	return out
}

// host is the host of the recipe's site.
func (r *recipe) host() *url.URL {
	u, _ := url.Parse(r.Start) // parseRecipe looked at it
	return u
}

// saved reads the pages that a person saved. A page that cannot be read is put aside alone.
func (rd *reading) saved(ctx context.Context, files []file, r *recipe, site *recrawl, asOf directory.Date) error {
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := savedPage(f, r)
		switch {
		case err == nil:
			drafts, asides := readPage(r, p, asOf)
			site.found(site.keep(pathKey(p.url), p.url, false, nil, asOf), rd.add(drafts, asides))
		case directory.KindOf(err) == directory.Unavailable:
			return err
		default:
			rd.aside(f.name, err)
		}
	}
	return nil
}

// savedPage reads a page from a file.
func savedPage(f file, r *recipe) (*page, error) {
	if f.size > maxPage {
		return nil, invalid(f.name, 0, "", "the page is larger than %d MiB", maxPage>>20)
	}
	in, err := f.open()
	if err != nil {
		return nil, unreadable(f.name, err)
	}
	body, err := io.ReadAll(io.LimitReader(in, maxPage+1))
	in.Close()
	if err != nil {
		return nil, unreadable(f.name, err)
	}
	if kind := sniff(body); kind != "" && !strings.HasPrefix(kind, "a page of HTML") {
		return nil, invalid(f.name, 0, "", "this is %s, not a page", kind)
	}
	p, err := parsePage(f.name, body, "text/html")
	if err == nil {
		err = p.settle(r.host(), nil)
	}
	return p, err
}

// crawl reads a site from a list page on: its next pages and the profiles they lead to, on the same host,
// one request at a time, at the site's pace, as far as its robots.txt allows. Pages are read into
// listings at once, so that only those are held.
func crawl(ctx context.Context, m *material, in Input, opts Options) error {
	f, start, err := newFetcher(ctx, m, in, opts)
	if err != nil {
		return err
	}
	type step struct {
		u     *url.URL
		list  bool
		depth int
	}
	queue := []step{{start, true, 0}}
	seen := map[string]bool{start.String(): true}
	rd := newReading()
	m.read, m.url, m.name = rd, start.String(), start.Host
	m.site = opts.Cache.compare(m.source, true, opts.AcceptChanged)
	var sums [][]byte
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if rd.pages >= opts.MaxPages {
			m.lost = append(m.lost, "more than "+itoa(opts.MaxPages)+" pages: the site is larger than this import may read")
			break
		}
		if opts.Progress != nil {
			opts.Progress(Progress{Stage: "fetching", File: s.u.Path, Read: int64(rd.pages), Total: int64(rd.pages + len(queue) + 1)})
		}
		v, err := f.visit(ctx, m.site, s.u, s.list)
		if ctx.Err() != nil {
			return &directory.Error{Kind: directory.Unavailable, Op: start.Host, Detail: "the import was stopped", Cause: ctx.Err()}
		}
		if err != nil {
			if s.u == start {
				return err
			}
			if directory.KindOf(err) == directory.Unavailable {
				m.lost = append(m.lost, s.u.Path+": "+detail(err))
			} else {
				rd.aside(s.u.Path, err)
			}
			if errors.Is(err, errRobots) {
				opts.Report.Refused = append(opts.Report.Refused, s.u.Path)
			}
			continue
		}
		sum := sha256.Sum256(v.body)
		sums = append(sums, sum[:])
		m.size += int64(len(v.body))
		m.site.found(v.key, rd.add(v.drafts, v.asides))
		if !s.list {
			continue
		}
		add := func(u *url.URL, list bool) {
			if k := u.String(); !seen[k] && len(seen) < 20*opts.MaxPages {
				seen[k] = true
				queue = append(queue, step{u, list, s.depth + 1})
			}
		}
		for _, u := range v.page.links(m.recipe.Follow.Profiles) {
			add(u, false)
		}
		if s.depth < maxDepth {
			for _, u := range v.page.links(m.recipe.Follow.Next) {
				add(u, true)
			}
		}
	}
	m.sha = hashOf(sums)
	return nil
}

// day is the day of the run's data, for a page that has no date of its own.
func (o Options) day() directory.Date {
	if o.AsOf != "" {
		return o.AsOf
	}
	return directory.At(o.Now()).Date()
}

// pathKey is an address's path in one spelling: no dots, no slash at the end.
func pathKey(u *url.URL) string {
	p := path.Clean("/" + u.EscapedPath())
	if u.RawQuery != "" {
		p += "?" + u.RawQuery
	}
	return shorten(p, 500)
}

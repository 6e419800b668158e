package crawler

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
	"golang.org/x/time/rate"

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
}

// parsePage decodes and parses a page. x/net/html refuses nesting beyond 512 elements, which is a page
// passed over.
func parsePage(name string, body []byte, contentType string) (*page, error) {
	var r io.Reader = bytes.NewReader(body)
	if enc, _, stated := charset.DetermineEncoding(body, contentType); stated || !utf8.Valid(body) {
		r = enc.NewDecoder().Reader(r)
	}
	root, err := html.Parse(r)
	if err != nil {
		return nil, invalid(name, 0, "", "the page cannot be parsed: %s", shorten(err.Error(), 100))
	}
	return &page{name: name, doc: goquery.NewDocumentFromNode(root)}, nil
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

// saved reads the pages that a person saved. A page that cannot be read is put aside alone.
func (rd *reading) saved(ctx context.Context, files []file, r *recipe, asOf directory.Date) error {
	site, err := url.Parse(r.Start)
	if err != nil || site.Host == "" {
		return invalid("data/recipes/"+r.Source+".yaml", 0, "start", "is not a web address")
	}
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.size > maxPage {
			rd.aside(f.name, invalid(f.name, 0, "", "the page is larger than %d MiB", maxPage>>20))
			continue
		}
		in, err := f.open()
		if err != nil {
			return unreadable(f.name, err)
		}
		body, err := io.ReadAll(io.LimitReader(in, maxPage+1))
		in.Close()
		if err != nil {
			return unreadable(f.name, err)
		}
		if kind := sniff(body); kind != "" && !strings.HasPrefix(kind, "a page of HTML") {
			rd.aside(f.name, invalid(f.name, 0, "", "this is %s, not a page", kind))
			continue
		}
		p, err := parsePage(f.name, body, "text/html")
		if err == nil {
			err = p.settle(site, nil)
		}
		if err != nil {
			rd.aside(f.name, err)
			continue
		}
		rd.page(r, p, asOf)
	}
	return nil
}

// crawl reads a site from a list page on: its next pages and the profiles they lead to, on the same host,
// one request at a time, at the site's pace, as far as its robots.txt allows. Pages are read into
// listings at once, so that only those are held.
func crawl(ctx context.Context, m *material, in Input, opts Options) error {
	if in.Client == nil {
		return directory.Errorf(directory.Internal, "input", "a web address needs a client")
	}
	r, err := loadRecipe(m.source)
	if err != nil {
		return err
	}
	site, err := url.Parse(r.Start)
	if err != nil {
		return err
	}
	start, err := in.Client.Check(in.URL)
	if err != nil {
		return err
	}
	if !strings.EqualFold(start.Host, site.Host) {
		return directory.Errorf(directory.Refused, "input", "%s is not a page of %s, whose terms are %q for %s alone", start.Host, m.info.Name, m.info.Terms, site.Host)
	}
	start.Fragment = ""
	robots := fetchRobots(ctx, in.Client, start)
	if !robots.Allowed(start.RequestURI()) {
		if robots.deny {
			return directory.Errorf(directory.Unavailable, "url", "the robots.txt of %s could not be had, so nothing of it is read: try again later", start.Host)
		}
		return errRobots(start)
	}
	type step struct {
		u     *url.URL
		list  bool
		depth int
	}
	asOf := opts.day()
	pace := rate.NewLimiter(opts.Pace, 1)
	queue := []step{{start, true, 0}}
	seen := map[string]bool{start.String(): true}
	var sums [][]byte
	rd := &reading{keys: map[string]string{}}
	m.read, m.url, m.name = rd, start.String(), start.Host
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		if rd.pages >= opts.MaxPages {
			m.lost = append(m.lost, "more than "+itoa(opts.MaxPages)+" pages: the site is larger than this import may read")
			break
		}
		if !robots.Allowed(s.u.RequestURI()) {
			opts.Report.Refused = append(opts.Report.Refused, s.u.Path)
			rd.aside(s.u.Path, errRobots(s.u))
			continue
		}
		if opts.Progress != nil {
			opts.Progress(Progress{Stage: "fetching", File: s.u.Path, Read: int64(rd.pages), Total: int64(rd.pages + len(queue) + 1)})
		}
		body, final, kind, err := fetchPage(ctx, in.Client, pace, s.u, robots)
		if err != nil {
			if ctx.Err() != nil {
				return &directory.Error{Kind: directory.Unavailable, Op: start.Host, Detail: "the import was stopped", Cause: ctx.Err()}
			}
			if s.u == start {
				return err
			}
			switch directory.KindOf(err) {
			case directory.Unavailable:
				m.lost = append(m.lost, s.u.Path+": "+detail(err))
			default:
				rd.aside(s.u.Path, err)
			}
			continue
		}
		sum := sha256.Sum256(body)
		sums = append(sums, sum[:])
		m.size += int64(len(body))
		p, err := parsePage(s.u.Path, body, kind)
		if err == nil {
			err = p.settle(site, final)
		}
		if err != nil {
			rd.aside(s.u.Path, err)
			continue
		}
		rd.page(r, p, asOf)
		if !s.list {
			continue
		}
		add := func(u *url.URL, list bool) {
			if k := u.String(); !seen[k] && len(seen) < 20*opts.MaxPages {
				seen[k] = true
				queue = append(queue, step{u, list, s.depth + 1})
			}
		}
		for _, u := range p.links(r.Follow.Profiles) {
			add(u, false)
		}
		if s.depth < maxDepth {
			for _, u := range p.links(r.Follow.Next) {
				add(u, true)
			}
		}
	}
	if len(sums) == 0 {
		return directory.Errorf(directory.Unavailable, "url", "no page of %s could be read", start.Host)
	}
	m.sha = hashOf(sums)
	return nil
}

// fetchPage reads one page, once more if the server failed. A redirect may not leave the host, and is
// asked of robots.txt like any other address.
func fetchPage(ctx context.Context, c *safehttp.Client, pace *rate.Limiter, u *url.URL, robots Robots) (body []byte, final *url.URL, kind string, err error) {
	for range 2 {
		if err = pace.Wait(ctx); err != nil {
			return nil, nil, "", err
		}
		var res *safehttp.Response
		res, err = c.Do(ctx, safehttp.Request{URL: u.String(), Header: http.Header{"Accept": {"text/html, application/xhtml+xml"}}, OnRedirect: func(to *url.URL) error {
			if !strings.EqualFold(to.Host, u.Host) {
				return directory.Errorf(directory.Refused, "url", "the page leads away to %s", shorten(to.Host, 100))
			}
			if !robots.Allowed(to.RequestURI()) {
				return errRobots(to)
			}
			return nil
		}})
		switch {
		case err != nil && directory.KindOf(err) != directory.Unavailable:
			return nil, nil, "", err
		case err != nil:
			continue
		case res.Status == http.StatusNotFound || res.Status == http.StatusGone:
			return nil, nil, "", directory.Errorf(directory.NotFound, "url", "the site has no such page any more")
		case res.Status < 200 || res.Status >= 300:
			err = directory.Errorf(directory.Unavailable, "url", "the site answered with status %d", res.Status)
			continue
		}
		kind = res.Header.Get("Content-Type")
		if k := strings.ToLower(kind); k != "" && !strings.Contains(k, "html") {
			return nil, nil, "", directory.Errorf(directory.Invalid, "url", "this is %s, not a page", quoted(kind))
		}
		return res.Body, res.URL, kind, nil
	}
	return nil, nil, "", err
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

package crawler

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// How long a site may keep us waiting. RFC 9110 §10.2.3 gives Retry-After no upper bound, and Crawl-delay is
// in no standard; a site that asks for more is left alone until the next import.
const (
	maxTries      = 3
	firstBackOff  = 5 * time.Second // doubled at each further try
	maxRetryAfter = 2 * time.Minute
	maxCrawlDelay = time.Minute
	maxFailed     = 5 // pages one after the other, and the site counts as down
)

// fetcher asks one site for its pages: one at a time, at its pace, waiting where it asks for that.
type fetcher struct {
	client *safehttp.Client
	recipe *recipe
	robots Robots
	pace   *rate.Limiter
	opts   Options
	failed int   // pages one after the other that could not be had
	busy   error // the site is down or asked to be left alone: nothing more is asked of it
}

// newFetcher asks for the host's robots.txt and looks at the first page's address. A site is called only
// under a verdict that allows it, and only on the host that the verdict is about.
func newFetcher(ctx context.Context, m *material, in Input, opts Options) (*fetcher, *url.URL, error) {
	if in.Client == nil {
		return nil, nil, directory.Errorf(directory.Internal, "input", "a web address needs a client")
	}
	if m.info.Terms != "allowed_automated" {
		return nil, nil, directory.Errorf(directory.Refused, "source", "the terms of %s are %q: its pages may be read only from files that a person saved", m.info.Name, m.info.Terms)
	}
	start, err := in.Client.Check(in.URL)
	if err != nil {
		return nil, nil, err
	}
	if host := m.recipe.host().Host; !strings.EqualFold(start.Host, host) {
		return nil, nil, directory.Errorf(directory.Refused, "input", "%s is not a page of %s, whose terms are %q for %s alone", start.Host, m.info.Name, m.info.Terms, host)
	}
	start.Fragment = ""
	f := &fetcher{client: in.Client, recipe: m.recipe, opts: opts, robots: fetchRobots(ctx, in.Client, start)}
	if !f.robots.Allowed(start.RequestURI()) {
		if f.robots.deny {
			return nil, nil, directory.Errorf(directory.Unavailable, "url", "the robots.txt of %s could not be had, so nothing of it is read: try again later", start.Host)
		}
		return nil, nil, refusedByRobots(start)
	}
	if f.robots.Delay > maxCrawlDelay {
		return nil, nil, directory.Errorf(directory.Refused, "url", "the robots.txt of %s asks for %s between two pages; at most %s are waited, so a person saves its pages", start.Host, f.robots.Delay, maxCrawlDelay)
	}
	pace := opts.Pace
	if d := f.robots.Delay; d > 0 {
		pace = min(pace, rate.Every(d))
	}
	f.pace = rate.NewLimiter(pace, 1)
	return f, start, nil
}

// visited is a page that was read: as it is now, or its former copy.
type visited struct {
	key    string
	body   []byte
	page   *page
	drafts []*draft
	asides []directory.Reject
}

// visit reads one page. Where it cannot be had or read now and was read at the last import, its former copy
// stands for it, with the day on which it was last seen. NotFound is a page that the site took away.
func (f *fetcher) visit(ctx context.Context, site *recrawl, u *url.URL, list bool) (*visited, error) {
	key := pathKey(u)
	v := &visited{key: key}
	if !f.robots.Allowed(u.RequestURI()) {
		err := refusedByRobots(u)
		site.tell(key, u, FateRefused, detail(err))
		return nil, err
	}
	got, err := f.fetch(ctx, u, site.copyOf(key))
	if f.failed++; directory.KindOf(err) != directory.Unavailable {
		f.failed = 0
	} else if f.failed >= maxFailed && f.busy == nil {
		f.busy = directory.Errorf(directory.Unavailable, "url", "%d pages one after the other could not be had, and nothing more was asked of %s", f.failed, u.Host)
	}
	if err == nil {
		v.page, err = got.page(key, f.recipe)
	}
	if err == nil {
		v.body = got.body
		v.drafts, v.asides = readPage(f.recipe, v.page, f.opts.day())
		if !site.had(key) || holdsListing(v.drafts) || site.accept && pathKey(got.final) == key {
			site.keep(key, u, list, got, f.opts.day())
			return v, nil
		}
		if err = directory.Errorf(directory.Invalid, "listing", "the page reads, and no listing is found in it any more: its markup may have changed"); pathKey(got.final) != key {
			err = directory.Errorf(directory.NotFound, "url", "the page leads to %s", shorten(got.final.Path, 200))
		}
	}
	if directory.KindOf(err) == directory.NotFound {
		site.tell(key, u, FateGone, detail(err))
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, err
	}
	fate := FateLost
	if directory.KindOf(err) == directory.Invalid {
		fate = FateChanged
	}
	site.tell(key, u, fate, detail(err))
	old := site.copyOf(key)
	if old == nil {
		return nil, err
	}
	p, failed := old.sent.page(key, f.recipe)
	if failed != nil {
		return nil, err
	}
	v.body, v.page = old.sent.body, p
	v.drafts, v.asides = readPage(f.recipe, p, old.known.Seen)
	site.carry(key)
	return v, nil
}

// sent is a page as a site sent it.
type sent struct {
	body           []byte
	final          *url.URL // after redirects
	kind           string   // its content type
	etag, modified string   // its validators
	same           bool     // the site said that the copy we have is still the page
}

func (a *sent) page(name string, r *recipe) (*page, error) {
	p, err := parsePage(name, a.body, a.kind)
	if err == nil {
		err = p.settle(r.host(), a.final)
	}
	return p, err
}

// fetch asks for one page, again if the server failed or asked for patience, and only for what is new if we
// have a copy. A redirect may not leave the host, and is asked of robots.txt like any other address.
func (f *fetcher) fetch(ctx context.Context, u *url.URL, have *pageCopy) (*sent, error) {
	if f.busy != nil {
		return nil, f.busy
	}
	header := http.Header{"Accept": {"text/html, application/xhtml+xml"}}
	if have != nil && have.known.ETag != "" {
		header.Set("If-None-Match", have.known.ETag)
	}
	if have != nil && have.known.Modified != "" {
		header.Set("If-Modified-Since", have.known.Modified)
	}
	var err error
	for try := range maxTries {
		if err := f.pace.Wait(ctx); err != nil {
			return nil, err
		}
		var res *safehttp.Response
		res, err = f.client.Do(ctx, safehttp.Request{URL: u.String(), Header: header, OnRedirect: func(to *url.URL) error {
			if !strings.EqualFold(to.Host, u.Host) {
				return directory.Errorf(directory.Refused, "url", "the page leads away to %s", shorten(to.Host, 100))
			}
			if !f.robots.Allowed(to.RequestURI()) {
				return refusedByRobots(to)
			}
			return nil
		}})
		if err != nil && (directory.KindOf(err) != directory.Unavailable || ctx.Err() != nil) {
			return nil, err
		}
		wait := firstBackOff << try
		if err == nil {
			switch st := res.Status; {
			case st == http.StatusNotFound || st == http.StatusGone:
				return nil, directory.Errorf(directory.NotFound, "url", "the site has no such page any more")
			case st == http.StatusNotModified && have != nil:
				a := have.sent
				a.same = true
				return &a, nil
			case st >= 200 && st < 300:
				kind := res.Header.Get("Content-Type")
				if k := strings.ToLower(kind); k != "" && !strings.Contains(k, "html") {
					return nil, directory.Errorf(directory.Invalid, "url", "this is %s, not a page", quoted(kind))
				}
				return &sent{body: res.Body, final: res.URL, kind: kind, etag: shorten(res.Header.Get("ETag"), 500), modified: shorten(res.Header.Get("Last-Modified"), 100)}, nil
			case st < 500 && st != http.StatusTooManyRequests && st != http.StatusRequestTimeout: // asking again changes nothing
				return nil, directory.Errorf(directory.Unavailable, "url", "the site answered with status %d", st)
			}
			err = directory.Errorf(directory.Unavailable, "url", "the site answered with status %d", res.Status)
			if asked, ok := retryAfter(res.Header.Get("Retry-After"), f.opts.Now()); ok {
				if wait = asked; wait > maxRetryAfter {
					f.busy = directory.Errorf(directory.Unavailable, "url", "%s asks to be left alone for %s, which is longer than an import waits", u.Host, wait.Round(time.Second))
					return nil, f.busy
				}
			}
		}
		if try < maxTries-1 {
			if err := f.opts.sleep(ctx, wait); err != nil {
				return nil, err
			}
		}
	}
	return nil, err
}

// retryAfter reads the header's two forms (RFC 9110 §10.2.3): seconds, or a date. ok is false for anything
// else, so that what cannot be read is waited for as if it were not there.
func retryAfter(v string, now time.Time) (wait time.Duration, ok bool) {
	v = strings.TrimSpace(v)
	if v != "" && allDigits(v) {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil { // more than 68 years
			n = 1 << 31
		}
		return time.Duration(n) * time.Second, true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	return max(0, at.Sub(now)), true
}

// errRobots marks what a page's host asks us not to read.
var errRobots = errors.New("refused by robots.txt")

func refusedByRobots(u *url.URL) error {
	return &directory.Error{Kind: directory.Refused, Field: "url", Cause: errRobots,
		Detail: "robots.txt of " + shorten(u.Host, 100) + " asks crawlers not to read " + shorten(u.Path, 200)}
}

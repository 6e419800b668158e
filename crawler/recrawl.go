package crawler

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"kapdir/directory"
)

// A Fate is what became of a listing, or a page, of the last import, where it did not read as before.
type Fate struct {
	What    string   `json:"what"`              // one of the words below
	Page    string   `json:"page"`              // its address
	Listing string   `json:"listing,omitempty"` // its key
	Why     string   `json:"why,omitempty"`
	Fields  []string `json:"fields,omitempty"` // that were read before and are not now
	Before  string   `json:"before,omitempty"`
	After   string   `json:"after,omitempty"`
}

// The fates. A page is gone only when the site says so; one that could not be had, or that reads and holds
// nothing any more, is not: what was read of it before stays.
const (
	FateGone        = "gone"        // 404, 410, or a redirect to a page that does not hold it
	FateUnlinked    = "unlinked"    // nothing leads to it any more, while the rest of the site reads
	FateLeft        = "left"        // its page reads, and names others
	FateLost        = "lost"        // could not be had this time
	FateChanged     = "changed"     // its page reads, and nothing is found in it: the markup may have changed
	FateRefused     = "refused"     // robots.txt asks us not to read it now
	FateFewer       = "fewer"       // fields that were found before are not there
	FateRenamed     = "renamed"     // the same listing has another name
	FateCredentials = "credentials" // the same listing has other credentials
)

// Yield is how much an import of a listing site found.
type Yield struct {
	Pages    int            `json:"pages"`
	Listings int            `json:"listings"`
	Fields   map[string]int `json:"fields,omitempty"` // listings in which the field was found
}

// A change of so many, and of so large a share, is a change of the site and not of people.
const (
	fewChanges  = 3
	changeShare = 0.5
)

// maxFates bounds a report.
const maxFates = 2000

// recrawl compares a site with what is remembered of its last import.
type recrawl struct {
	cache   *Cache
	source  string
	accept  bool // a person has looked at what the site yields now
	whole   bool // the site is read over the network, from list to list, and not from the files that somebody saved
	before  map[string]*knownPage
	now     map[string]*knownPage
	fates   []Fate
	carried map[string]bool // pages whose former copy stands for them
	why     map[string]Fate // pages that could not be read now, by key
	left    []directory.Departure
	failed  error // of writing the pages kept
}

// compare begins an import of a site.
func (c *Cache) compare(source string, whole, accept bool) *recrawl {
	return &recrawl{cache: c, source: source, whole: whole, accept: accept, before: c.load(source), now: map[string]*knownPage{}, carried: map[string]bool{}, why: map[string]Fate{}}
}

// had reports a page on which listings were read at the last import.
func (r *recrawl) had(key string) bool {
	p := r.before[key]
	return p != nil && len(p.Listings) > 0
}

// copyOf is the former copy of a page, nil if none is kept.
func (r *recrawl) copyOf(key string) *pageCopy {
	p := r.before[key]
	if p == nil {
		return nil
	}
	body, ok := r.cache.body(r.source, p)
	final, err := url.Parse(p.Final)
	if !ok || err != nil {
		return nil
	}
	return &pageCopy{p, sent{body: body, final: final, kind: p.Type, etag: p.ETag, modified: p.Modified}}
}

// keep remembers a page that was read, and returns its key. got is nil for a saved file, whose bytes the
// person has.
func (r *recrawl) keep(key string, u *url.URL, list bool, got *sent, day directory.Date) string {
	if r.now[key] != nil { // a page that was saved twice
		return key
	}
	p := &knownPage{Key: key, URL: u.String(), List: list, Seen: day}
	r.now[key] = p
	if got == nil || r.cache == nil {
		return key
	}
	p.Final, p.Type, p.ETag, p.Modified = got.final.String(), got.kind, got.etag, got.modified
	if old := r.before[key]; got.same && old != nil { // 30 days count from when the bytes came
		p.Received, p.Body = old.Received, old.Body
		return key
	}
	name, err := r.cache.put(r.source, got.body)
	if err != nil && r.failed == nil {
		r.failed = err
	}
	p.Body, p.Received = name, directory.At(r.cache.now())
	return key
}

// carry remembers a page as it was.
func (r *recrawl) carry(key string) {
	p := *r.before[key]
	p.Listings = nil
	r.now[key] = &p
	r.carried[key] = true
}

// found remembers the listings that were read of a page.
func (r *recrawl) found(key string, listings []knownListing) {
	r.now[key].Listings = append(r.now[key].Listings, listings...)
}

// tell says of a page that was known, or that the site leads to, why it was not read.
func (r *recrawl) tell(key string, u *url.URL, fate, why string) {
	f := Fate{What: fate, Page: u.String(), Why: why}
	r.why[key] = f
	if r.before[key] == nil {
		r.add(f)
	}
}

func (r *recrawl) add(f Fate) {
	if len(r.fates) < maxFates {
		r.fates = append(r.fates, f)
	}
}

// settle tells what became of each listing of the last import. complete is false if pages could not be had:
// then nothing is unlinked. The error is a change of the site's markup or order, which a person looks at
// before anybody is taken out.
func (r *recrawl) settle(name string, complete bool) error {
	now := map[string]knownListing{}
	for key, p := range r.now {
		if !r.carried[key] {
			for _, l := range p.Listings {
				now[l.Key] = l
			}
		}
	}
	known, changed, gone := 0, 0, 0
	had, lost := map[string]int{}, map[string]int{}
	for _, key := range slices.Sorted(maps.Keys(r.before)) {
		p := r.before[key]
		fate, unread := r.why[key]
		_, seen := r.now[key]
		if !unread && !seen {
			if !r.whole || !complete { // not looked at: it stays as it is known
				r.now[key] = p
				continue
			}
			fate = Fate{What: FateUnlinked, Page: p.URL, Why: "nothing on the site leads to the page any more"}
		}
		if len(p.Listings) == 0 && unread {
			r.add(fate)
		}
		for _, l := range p.Listings {
			known++
			x, here := now[l.Key]
			f := fate
			f.Listing = l.Key
			switch {
			case here:
				var fields []string
				for _, field := range l.Fields {
					had[field]++
					if !slices.Contains(x.Fields, field) {
						lost[field]++
						fields = append(fields, field)
					}
				}
				f.Page = p.URL
				if len(fields) > 0 {
					r.add(Fate{What: FateFewer, Page: p.URL, Listing: l.Key, Fields: fields})
				}
				if x.Name != l.Name {
					r.add(Fate{What: FateRenamed, Page: p.URL, Listing: l.Key, Before: l.Name, After: x.Name})
				}
				if x.Credentials != l.Credentials {
					r.add(Fate{What: FateCredentials, Page: p.URL, Listing: l.Key, Before: l.Credentials, After: x.Credentials})
				}
				continue
			case seen && !r.carried[key] && len(r.now[key].Listings) == 0 && !r.accept:
				f = Fate{What: FateChanged, Page: p.URL, Listing: l.Key, Why: "the page reads, and no listing is found in it any more"}
			case seen && !r.carried[key]:
				f = Fate{What: FateLeft, Page: p.URL, Listing: l.Key, Why: "its page names others"}
			}
			switch f.What {
			case FateGone:
				r.left = append(r.left, directory.Departure{Key: l.Key, URL: p.URL, Why: directory.GonePage})
				gone++
			case FateUnlinked:
				r.left = append(r.left, directory.Departure{Key: l.Key, URL: p.URL, Why: directory.GoneLink})
				gone++
			case FateLeft:
				r.left = append(r.left, directory.Departure{Key: l.Key, URL: p.URL, Why: directory.GoneListing})
				gone++
			case FateChanged:
				changed++
			}
			r.add(f)
		}
		if seen && !r.accept && !r.carried[key] && len(p.Listings) > 0 && len(r.now[key].Listings) == 0 {
			r.now[key].Listings = p.Listings // remembered until it reads again, or the site takes it away
		}
		if unread && fate.What != FateGone && !seen { // as it was known, without a copy
			r.now[key] = p
		}
	}
	if r.accept {
		return nil
	}
	many := func(n, of int) bool { return n >= fewChanges && float64(n) >= changeShare*float64(of) }
	refused := func(field, format string, args ...any) error {
		return invalid(name, 0, field, format+": the site has changed, so nothing was taken and the listings of the last import stay in force. Look with kapdir crawl check, mend the recipe, or import with --accept-changed", args...)
	}
	if many(changed, known) {
		return refused("listing", "%d of the %d listings known from the last import are on pages in which no listing is found any more", changed, known)
	}
	worst := ""
	for _, field := range slices.Sorted(maps.Keys(lost)) {
		if many(lost[field], had[field]) && (worst == "" || lost[field] > lost[worst]) {
			worst = field
		}
	}
	if worst != "" {
		return refused(worst, "%d of the %d listings that had the field at the last import have lost it", lost[worst], had[worst])
	}
	if many(gone, known) {
		return refused("follow", "%d of the %d listings known from the last import are gone at once", gone, known)
	}
	return nil
}

// gone are the listings that the site took away.
func (r *recrawl) gone() []directory.Departure { return r.left }

// commit remembers this import, once it is in force.
func (r *recrawl) commit() error {
	if r.failed != nil {
		return r.failed
	}
	if r.cache == nil {
		return nil
	}
	return r.cache.save(r.source, r.now)
}

func yieldOf(pages map[string]*knownPage) Yield {
	y := Yield{Pages: len(pages), Fields: map[string]int{}}
	for _, p := range pages {
		y.Listings += len(p.Listings)
		for _, l := range p.Listings {
			for _, f := range l.Fields {
				y.Fields[f]++
			}
		}
	}
	return y
}

// known is what is remembered of a listing.
func (d *draft) known() knownListing {
	name := d.listing.Organisation
	if name == "" {
		name = d.listing.Name.String()
	}
	var creds []string
	creds = append(creds, d.listing.Name.Credentials...)
	for _, l := range d.listing.Licences {
		creds = append(creds, strings.Join(strings.Fields(string(l.State)+" "+l.Title+" "+l.Number.Shown), " "))
	}
	return knownListing{Key: d.key, Name: name, Credentials: strings.Join(creds, ", "), Fields: slices.Sorted(maps.Keys(d.fields))}
}

// holdsListing reports drafts of which one is a listing.
func holdsListing(drafts []*draft) bool {
	return slices.ContainsFunc(drafts, func(d *draft) bool { return d.listing.Kind != "" || d.ssn != "" })
}

package crawler

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// keepPages is how long a whole page is kept (contracts.md §6).
const keepPages = 30 * 24 * time.Hour

// Cache remembers a listing site between imports, in the private part of the state directory: DIR/<source>/
// holds pages.json, which says of each page its validators and what was read of it, and the pages themselves,
// named by their hashes, for 30 days. So a page that has not changed is not sent again, a page that cannot be
// had for a week does not take anybody out of the directory, and a changed markup is noticed. Nothing in it
// is served, and all of it may be deleted at any time: then the next import asks for every page.
//
// A nil Cache remembers nothing. A Cache is used by one import of a source at a time, which the store's lock
// sees to.
type Cache struct {
	dir  string
	now  func() time.Time
	look bool
}

// OpenCache uses a directory, which is made when the first import needs it.
func OpenCache(dir string, now func() time.Time) *Cache { return &Cache{dir: dir, now: now} }

// Looking returns the same cache, which then changes nothing: for a dry run.
func (c *Cache) Looking() *Cache { return &Cache{dir: c.dir, now: c.now, look: true} }

// knownPage is what is remembered of a page.
type knownPage struct {
	Key      string            `json:"key"`
	URL      string            `json:"url"`
	Final    string            `json:"final,omitempty"` // after redirects
	Type     string            `json:"type,omitempty"`
	ETag     string            `json:"etag,omitempty"`
	Modified string            `json:"modified,omitempty"`
	Received directory.Instant `json:"received,omitempty"` // when its bytes came
	Seen     directory.Date    `json:"seen"`               // when it was last sent, or said to be the same
	Body     string            `json:"body,omitempty"`     // the hash of its bytes, while they are kept
	List     bool              `json:"list,omitempty"`
	Listings []knownListing    `json:"listings,omitempty"`
}

// knownListing is what is remembered of a listing: enough to tell what changed.
type knownListing struct {
	Key         string   `json:"key"`
	Name        string   `json:"name"`
	Credentials string   `json:"credentials,omitempty"`
	Fields      []string `json:"fields"` // that were found
}

// pageCopy is a former page with its bytes.
type pageCopy struct {
	known *knownPage
	sent  sent
}

func (c *Cache) site(source string) string { return filepath.Join(c.dir, source) }

// load reads what is remembered of a site. What cannot be read is not remembered.
func (c *Cache) load(source string) map[string]*knownPage {
	pages := map[string]*knownPage{}
	if c == nil {
		return pages
	}
	b, err := os.ReadFile(filepath.Join(c.site(source), "pages.json"))
	var list []*knownPage
	if err != nil || json.Unmarshal(b, &list) != nil {
		return pages
	}
	for _, p := range list {
		if p != nil && p.Key != "" {
			pages[p.Key] = p
		}
	}
	return pages
}

// body reads a page that is kept. ok is false if it is too old, not there, or not what was written.
func (c *Cache) body(source string, p *knownPage) (body []byte, ok bool) {
	if c == nil || p.Body == "" || c.old(p) {
		return nil, false
	}
	body, err := os.ReadFile(filepath.Join(c.site(source), filepath.Base(p.Body)+".html"))
	if err != nil || bodyName(body) != p.Body {
		return nil, false
	}
	return body, true
}

func (c *Cache) old(p *knownPage) bool {
	return p.Received == "" || c.now().Sub(p.Received.Time()) >= keepPages
}

// put writes a page's bytes and returns their name, "" if nothing is kept.
func (c *Cache) put(source string, body []byte) (string, error) {
	if c == nil || c.look {
		return "", nil
	}
	name := bodyName(body)
	return name, c.write(source, name+".html", body)
}

func bodyName(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// write puts a file in its place whole.
func (c *Cache) write(source, name string, body []byte) error {
	dir := c.site(source)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return unreadable("the pages kept of "+source, err)
	}
	f, err := os.CreateTemp(dir, "new-*") // mode 0600
	if err == nil {
		_, err = f.Write(body)
		err = errors.Join(err, f.Close())
		if err == nil {
			err = os.Rename(f.Name(), filepath.Join(dir, name))
		}
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}
	if err != nil {
		return unreadable("the pages kept of "+source, err)
	}
	return nil
}

// save remembers the pages of an import that came into force, and deletes what no page needs any more.
func (c *Cache) save(source string, pages map[string]*knownPage) error {
	if c == nil || c.look {
		return nil
	}
	list := make([]*knownPage, 0, len(pages))
	for _, p := range pages {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *knownPage) int { return strings.Compare(a.Key, b.Key) })
	b, err := json.MarshalIndent(list, "", " ")
	if err != nil {
		return err
	}
	if err := c.write(source, "pages.json", b); err != nil {
		return err
	}
	return c.sweep(source, list)
}

// Sweep deletes every page that was kept for 30 days, of all sites. Whoever runs for long calls it daily;
// every import of a site calls it for that site.
func (c *Cache) Sweep() error {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable("the pages kept", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		var list []*knownPage
		for _, p := range c.load(e.Name()) {
			list = append(list, p)
		}
		err = errors.Join(err, c.sweep(e.Name(), list))
	}
	return err
}

// sweep deletes the files of a site but those of the pages that are young enough. A file that an import is
// writing just now is younger than an hour.
func (c *Cache) sweep(source string, pages []*knownPage) error {
	keep := map[string]bool{"pages.json": true}
	for _, p := range pages {
		if p.Body != "" && !c.old(p) {
			keep[p.Body+".html"] = true
		}
	}
	entries, err := os.ReadDir(c.site(source))
	if err != nil {
		return unreadable("the pages kept of "+source, err)
	}
	for _, e := range entries {
		if keep[e.Name()] || !e.Type().IsRegular() {
			continue
		}
		if len(pages) == 0 || !youngFile(e) {
			err = errors.Join(err, os.Remove(filepath.Join(c.site(source), e.Name())))
		}
	}
	return err
}

// youngFile reports a file that may belong to an import that is going on. Files' times are the machine's,
// not those of a clock that stands.
func youngFile(e fs.DirEntry) bool {
	st, err := e.Info()
	return err == nil && time.Since(st.ModTime()) < time.Hour
}

// Forget deletes what is remembered of a listing and the pages on which it stood: for a removal that was
// accepted.
func (c *Cache) Forget(source, listing string) error {
	pages := c.load(source)
	found := false
	for key, p := range pages {
		if slices.ContainsFunc(p.Listings, func(l knownListing) bool { return l.Key == listing }) {
			if p.Body != "" {
				if err := os.Remove(filepath.Join(c.site(source), p.Body+".html")); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return unreadable("the pages kept of "+source, err)
				}
			}
			delete(pages, key)
			found = true
		}
	}
	if !found {
		return nil
	}
	return c.save(source, pages)
}

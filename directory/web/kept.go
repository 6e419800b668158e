package web

import (
	"bytes"
	"context"
	"html/template"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/maypok86/otter/v2"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
	"kapdir/search"
)

// Two things are kept in memory so that an answer need not be worked out again: whole answers, to searches and about
// one provider, and what a list tells of one provider. Neither outlives what it says: an answer ends with the next
// number at which a public face could have changed, and both end with the first result of a check that changes by
// itself. Nothing of it is written down anywhere, and what answers a search says no-store: others may not keep what
// somebody searched for.

const (
	keptAnswers = 32 << 20 // bytes of whole answers
	keptListed  = 64 << 20 // bytes of what lists tell of providers
	keptFor     = time.Minute
	headFor     = 20 * time.Millisecond
)

// heads is the newest number of the store, which is looked up at most every 20 ms. One looks, and who comes
// meanwhile waits for the answer.
type heads struct {
	reader Reader
	turn   chan struct{}
	last   atomic.Pointer[seenHead]
	wrote  atomic.Int64 // how often somebody wrote by this server
}

type seenHead struct {
	directory.Head
	at time.Time // by the machine's clock: it says how old the look is, and nothing of what is true
}

func newHeads(r Reader) *heads { return &heads{reader: r, turn: make(chan struct{}, 1)} }

func (h *heads) fresh() (directory.Head, bool) {
	if x := h.last.Load(); x != nil && time.Since(x.at) < headFor {
		return x.Head, true
	}
	return directory.Head{}, false
}

func (h *heads) look(ctx context.Context) (directory.Head, error) {
	if x, ok := h.fresh(); ok {
		return x, nil
	}
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return directory.Head{}, ctx.Err()
	}
	if x, ok := h.fresh(); ok {
		return x, nil
	}
	at, wrote := time.Now(), h.wrote.Load()
	x, err := h.reader.Head(ctx)
	if err == nil && wrote == h.wrote.Load() {
		h.last.Store(&seenHead{x, at})
	}
	return x, err
}

// forget is for whoever has written by this server: what they did shows at once.
func (h *heads) forget() {
	h.wrote.Add(1)
	h.last.Store(nil)
}

// span is how long something worked out holds: from a moment to before another, in Unix milliseconds.
type span struct{ from, until int64 }

func (s span) holds(now int64) bool { return s.from <= now && now < s.until }

func milli(i directory.Instant) int64 { return i.Time().UnixMilli() }

// today is the rest of the day: some words go by days of the calendar.
func today(now directory.Instant) span {
	return span{milli(now), milli(now.Date().Midnight().AddDays(1))}
}

// ends cuts the span at the moment; "" is never.
func (s *span) ends(at directory.Instant) {
	if at != "" {
		s.until = min(s.until, milli(at))
	}
}

// keptAnswer is an answer as it was sent.
type keptAnswer struct {
	span
	head        int64 // Head.Public
	contentType string
	body        []byte
	link        string
	noindex     bool
	route       string                 // the pattern, for the log; "" where only its handler may send it
	quota       *quota                 // of whoever asks for it without a key; nil where nobody counts
	tag         []byte                 // of an answer that others may keep too; nil of one that they may not
	lasts       int64                  // and until when, in Unix milliseconds
	zip         atomic.Pointer[[]byte] // for who takes it gzipped; made when the first asks
}

// answers holds them by path and question; nil holds none.
type answers struct {
	cache *otter.Cache[string, *keptAnswer]
}

func newAnswers(most int64) (*answers, error) {
	if most < 0 {
		return nil, nil
	}
	c, err := otter.New(&otter.Options[string, *keptAnswer]{MaximumWeight: uint64(most), Weigher: func(k string, a *keptAnswer) uint32 {
		return uint32(len(k) + len(a.body)*3/2 + 256) // with its gzipped form
	}})
	return &answers{c}, err
}

// takes reports that the answer would be held.
func (x *answers) takes(a *keptAnswer) bool { return x != nil && a.from < a.until }

func (x *answers) put(key string, a *keptAnswer) {
	if x.takes(a) {
		x.cache.Set(key, a)
	}
}

// keyOf is the key of whatever a request asks for: its target as it was written.
func keyOf(c *fiber.Ctx) string { return string(c.Context().RequestURI()) }

// quick answers what is asked for most, an answer that is kept, for somebody without a key, and reports that it did. It
// says no more and no less than guard, admit and the handler together, whose way through Fiber costs as much as sending
// the answer does. Whatever is not that simple it leaves to them.
func (s *Server) quick(rc *fasthttp.RequestCtx) (answered bool) {
	if s.answers == nil || !rc.IsGet() {
		return false
	}
	started := time.Now()
	defer func() { // fasthttp catches none: the whole program would end
		if r := recover(); r != nil {
			s.logPanic("(kept)", r)
			rc.Response.Reset()
			answered = false
		}
	}()
	a, ok := s.answers.cache.GetIfPresent(string(rc.RequestURI()))
	if !ok || a.route == "" || !s.holds(a) {
		return false
	}
	for _, name := range slowHeaders {
		if len(rc.Request.Header.PeekBytes(name)) > 0 {
			return false
		}
	}
	h := &rc.Response.Header
	s.fresh.CopyTo(h)
	if a.quota != nil {
		got := take(a.quota.tally, s.clientAddress(rc), a.quota.most)
		if !got.ok { // which took nothing
			return false
		}
		h.SetCanonical(nameVary, valueVaryAPI)
		sayLimit(h, a.quota.name, a.quota.policy, got)
	}
	if err := s.sendKept(rc, a); err != nil {
		rc.Response.Reset()
		return false
	}
	s.requests.count(requestLine{a.route, fiber.MethodGet, rc.Response.StatusCode(), bucket(time.Since(started))})
	return true
}

// slowHeaders are of requests that are not simple.
var slowHeaders = [][]byte{[]byte(fiber.HeaderAuthorization), []byte(fiber.HeaderOrigin), []byte(fiber.HeaderContentEncoding)}

// kept returns the answer that is kept under the key, if it still holds.
func (s *Server) kept(key string) *keptAnswer {
	if s.answers == nil {
		return nil
	}
	if a, ok := s.answers.cache.GetIfPresent(key); ok && s.holds(a) {
		return a
	}
	return nil
}

// holds reports that the answer is still true. If nobody has looked at the store within 20 ms, it looks; one that cannot
// be asked lets nothing hold, and whoever asks it next tells of that.
func (s *Server) holds(a *keptAnswer) bool {
	head, ok := s.heads.fresh()
	if !ok {
		ctx, cancel := s.deadline(pageDeadline)
		defer cancel()
		var err error
		if head, err = s.heads.look(ctx); err != nil {
			return false
		}
	}
	return a.head == head.Public && a.span.holds(s.cfg.Now().UnixMilli())
}

// Names and values of headers as they are sent.
var (
	nameCacheControl, valueNoStore = []byte(fiber.HeaderCacheControl), []byte("no-store")
	nameETag                       = []byte(fiber.HeaderETag)
	nameVary, valueVary            = []byte(fiber.HeaderVary), []byte(fiber.HeaderAcceptEncoding)
)

// cacheable is Server.cacheable of what is kept.
func (a *keptAnswer) cacheable(rc *fasthttp.RequestCtx, now int64) (held bool) {
	h := &rc.Response.Header
	h.SetCanonical(nameETag, a.tag)
	var room [48]byte
	age := max(0, min(longestCache, time.Duration(a.lasts-now)*time.Millisecond))
	h.SetCanonical(nameCacheControl, strconv.AppendInt(append(room[:0], "public, max-age="...), int64(age/time.Second), 10))
	asked := rc.Request.Header.Peek(fiber.HeaderIfNoneMatch)
	return len(asked) > 0 && matches(string(asked), string(a.tag))
}

// sendKept sends an answer that is kept, or could be.
func (s *Server) sendKept(rc *fasthttp.RequestCtx, a *keptAnswer) error {
	h := &rc.Response.Header
	if a.tag == nil {
		h.SetCanonical(nameCacheControl, valueNoStore)
	} else if a.cacheable(rc, s.cfg.Now().UnixMilli()) {
		rc.Response.ResetBody()
		rc.SetStatusCode(fiber.StatusNotModified)
		return nil
	}
	if len(h.Peek(fiber.HeaderVary)) == 0 { // the API has said more
		h.SetCanonical(nameVary, valueVary)
	}
	h.SetContentType(a.contentType)
	if a.link != "" {
		h.Set(fiber.HeaderLink, a.link)
	}
	if a.noindex {
		h.Set("X-Robots-Tag", "noindex")
	}
	if len(a.body) < gzipFrom || !acceptsGzip(rc) {
		rc.Response.SetBodyRaw(a.body)
		return nil
	}
	z := a.zip.Load()
	if z == nil {
		b, err := gzipped(a.body)
		if err != nil {
			return err
		}
		z = &b
		a.zip.Store(z)
	}
	h.Set(fiber.HeaderContentEncoding, "gzip")
	rc.Response.SetBodyRaw(*z)
	return nil
}

// listed is what a list tells of one provider to patients of one state.
type listed struct {
	span
	seq    int64  // the provider's newest change
	result result // without miles and why
	json   []byte
	miles  int // where in json the two go: after the name of the field
	why    int
}

type listedKey struct {
	id    directory.ID
	state directory.State // "" is each provider's own
	lang  *lang
}

// newListed tells a provider, and works out until when that holds.
func (s *Server) newListed(f *directory.CredentialFile, y directory.State, m moment) (*listed, error) {
	l := &listed{span: today(m.now), seq: f.Provider.Seq, result: s.resultOf(f, y, m)}
	for _, c := range l.result.Checks {
		if c.ValidUntil != nil {
			l.ends(*c.ValidUntil)
		}
	}
	l.result.checkList = sync.OnceValues(func() (template.HTML, error) { return s.pages.part(m.lang, "search", "card-checks", &l.result) })
	return l, l.encode()
}

// at is the same with the place of the site that is nearest: the one from which the miles are counted.
func (l *listed) at(near *directory.Place) (*listed, error) {
	nearest := siteShown(l.result.sites, near, "")
	i := slices.IndexFunc(l.result.sites, func(x directory.Site) bool { return x.Point == nearest })
	if nearest == nil || i <= 0 {
		return l, nil
	}
	out := *l
	out.result.Place = siteOf(l.result.sites[i])
	return &out, out.encode()
}

func (l *listed) encode() error {
	raw, err := encodeJSON(l.result)
	if err != nil {
		return err
	}
	l.json = bytes.TrimSuffix(raw, []byte("\n"))
	// A quotation mark inside of a string stands behind a backslash, so that these are no part of one.
	l.miles = bytes.Index(l.json, []byte(`"miles":null,`)) + len(`"miles":`)
	l.why = bytes.Index(l.json, []byte(`"why":[],`)) + len(`"why":`)
	return nil
}

func newListedCache() (*otter.Cache[listedKey, *listed], error) {
	return otter.New(&otter.Options[listedKey, *listed]{MaximumWeight: keptListed, Weigher: func(_ listedKey, l *listed) uint32 {
		return uint32(4*len(l.json)) + 1024 // the list of checks for the page is as long again
	}})
}

// row is one result: what is told of the provider, and how this search found it.
type row struct {
	*listed
	miles   *float64
	why     []string
	explain []reason
	needs   [2]int // stated, of
}

// reasons tells why a result stands where it does, for the API.
func reasons(list []search.Reason) []reason {
	var out []reason
	for _, x := range list {
		r := reason{Part: x.Part, Words: x.Words}
		if x.Of > 0 {
			r.Points, r.Of = &x.Points, &x.Of
		}
		out = append(out, r)
	}
	return out
}

// whole is the row as one value.
func (r row) whole() result {
	out := r.result
	out.Miles, out.Why, out.Explain, out.needs, out.ofNeeds = r.miles, r.why, r.explain, r.needs[0], r.needs[1]
	return out
}

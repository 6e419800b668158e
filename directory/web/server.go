// Package web shows the directory: pages that work without JavaScript, and a JSON API that gives the
// same answers. A handler parses, asks and renders; what a page says and what its JSON says are two
// renderings of one answer (wire.go), and every sentence about a credential is made in phrase.go,
// and of what changed in changes.go.
//
// The faces of this package are public. They hold a Reader, which cannot change anything, and Requests, which
// can hand in that something is wrong and no more; they set no cookie, ask no third party for anything, and no
// log of theirs holds what somebody searched for or whose page they read.
package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/maypok86/otter/v2"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
	"kapdir/search"
)

// Reader is the power that public pages have over the store: to look. An error of Kind NotFound or Gone
// is an answer; every other error means that we could not look.
type Reader interface {
	File(ctx context.Context, id directory.ID) (*directory.CredentialFile, error)
	Files(ctx context.Context, ids []directory.ID) ([]*directory.CredentialFile, error)
	Head(ctx context.Context) (directory.Head, error)
	Sources(ctx context.Context) ([]directory.SourceState, error)
	EachFile(ctx context.Context, f func(*directory.CredentialFile) error) error
	Listed(ctx context.Context) ([]directory.ID, error) // in order
	// ChangePage returns who changed since a number, at most limit of them, as one snapshot has it.
	ChangePage(ctx context.Context, after int64, limit int) (directory.ChangePage, error)
	// TakenBack reports whether since a number anything was taken back that public faces had shown.
	TakenBack(ctx context.Context, after int64) (bool, error)
}

// Searcher answers which providers; what is said of them comes from the Reader.
type Searcher interface {
	search.Engine
	Suggest(ctx context.Context, text string, limit int) ([]search.Suggestion, error)
	Status(ctx context.Context) search.Status
}

// Requests is the one power that the public faces have beyond looking: to hand in a request for removal or
// correction. It changes nothing else, and the same request again is the one there is.
type Requests interface {
	RequestRemoval(ctx context.Context, q directory.Removal) (directory.Removal, error)
}

// Keys knows the keys of staff. A wrong secret, a key that nobody has and one that was disabled are one
// answer, ok false, and take the same time; an error means that we could not look.
type Keys interface {
	StaffKey(ctx context.Context, id directory.ID, secret string) (name string, ok bool, err error)
}

// DemoInfo marks a demonstration: every page says that its people are invented and shows its clock.
type DemoInfo struct {
	Now  directory.Instant // where the demonstration's clock stands
	Note string            // what else is to be known of it, for the page of sources and the API; or ""
}

// Config is what a Server needs. Reader, Search and Policies must be set.
type Config struct {
	Reader   Reader
	Search   Searcher
	Policies directory.Policies
	Keys     Keys     // of staff, who may ask what was known at an earlier moment; nil: nobody may
	Requests Requests // takes in requests for removal or correction; nil: there is no form for them
	SignIn   SignIn   // knows who is signed in at the desk; nil: there is no desk
	Desk     Desk     // what staff look at and decide; needed with SignIn
	// Integrators knows who uses our API; nil: anybody may ask for the little that needs no key, and nobody for more.
	Integrators Integrators

	BaseURL  string           // https://kapdir.example: absolute links are built from it, never from a request
	Now      func() time.Time // the one clock; time.Now if nil
	StaffNow func() time.Time // by which staff are signed in, where that of a demonstration stands; Now if nil
	Demo     *DemoInfo        // nil outside a demonstration
	// DemoStaff are codes with which somebody signs in at the desk of a demonstration, with their names.
	DemoStaff map[string]string
	Contact   string // mail address for corrections and removals; "" says that none is set up

	// KeepAnswers bounds the memory for whole answers, in bytes: 0 is 32 MB, and less than 0 keeps none.
	KeepAnswers int64
	// Exports is the folder in which exports lie and RunExports writes; "" gives out none.
	Exports string
	// Background is the turn of RunExports among what else the server does that nobody waits for.
	Background *directory.Background

	// AnonymousPerMinute is how often one address may ask the API in a minute without a key, and five times as often for
	// suggestions: 0 is 60.
	AnonymousPerMinute int

	TrustedProxies []string // addresses or prefixes whose X-Forwarded-For counts; none by default
	Log            *slog.Logger
	Version        string
}

// Limits of reliability.md §4.1 and §5.
const (
	bodyLimit       = 64 << 10
	headLimit       = 8 << 10
	readTimeout     = 5 * time.Second
	writeTimeout    = 10 * time.Second
	idleTimeout     = 30 * time.Second
	concurrency     = 512
	connsPerAddress = 64
	maxConns        = 400 // held at once; below concurrency, so that nobody is turned away in fasthttp's words

	pageDeadline   = 2 * time.Second
	searchDeadline = 300 * time.Millisecond
	shutdownGrace  = 10 * time.Second
)

// Server is the public face of the directory. It is safe for concurrent use.
type Server struct {
	cfg       Config
	base      string // BaseURL without a slash at its end
	https     bool
	proxies   []netip.Prefix
	app       *fiber.App
	pages     *pages
	assets    *assets
	lanes     *lanes
	guides    map[*lang]*guide
	partners  *guidePage
	samples   []sampleGroup
	count     *counter
	shown     []string // patterns of the pages, in English
	posts     []string // patterns of the addresses that take more than a question
	machines  []string // patterns outside of /api/ whose problems are documents
	desk      deskParts
	forms     *forms
	headers   [][2][]byte
	fresh     fasthttp.ResponseHeader // an answer's before anybody has set anything
	requests  *requestLog
	heads     *heads
	news      *news
	feedTurn  chan struct{}
	edition   string
	reference *reference
	exports   *exports
	answers   *answers
	look      string // of templates, messages and assets
	rowsKept  *otter.Cache[listedKey, *listed]
	door      apiDoor

	embedScript asset
	log         *slog.Logger
}

// New makes a Server. It fails when the configuration lacks something, and when a template or an asset
// is missing or does not parse.
func New(cfg Config) (*Server, error) {
	switch {
	case cfg.Reader == nil || cfg.Search == nil:
		return nil, errors.New("web: a Reader and a Search are needed")
	case cfg.SignIn != nil && cfg.Desk == nil:
		return nil, errors.New("web: whoever signs in needs a Desk")
	case len(cfg.Policies) == 0:
		return nil, errors.New("web: no policies")
	case len(cfg.DemoStaff) > 0 && cfg.Demo == nil:
		return nil, errors.New("web: codes that sign in without a password are for a demonstration alone")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.StaffNow == nil {
		cfg.StaffNow = cfg.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		if err := checkBuild(info); err != nil {
			return nil, err
		}
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("web: BaseURL must be an address such as https://kapdir.example")
	}
	s := &Server{cfg: cfg, base: strings.TrimRight(cfg.BaseURL, "/"), https: base.Scheme == "https", log: cfg.Log, lanes: newLanes(), forms: newForms(), door: newAPIDoor(cfg)}
	s.requests = &requestLog{log: cfg.Log}
	s.headers = s.everyAnswer()
	s.fresh.SetNoDefaultContentType(true) // as the server's answers have it: see DisableDefaultContentType
	for _, x := range s.headers {
		s.fresh.SetCanonical(x[0], x[1])
	}
	if s.proxies, err = parseProxies(cfg.TrustedProxies); err != nil {
		return nil, err
	}
	s.heads = newHeads(cfg.Reader)
	s.news, s.feedTurn, s.edition = newNews(s.heads), make(chan struct{}, feedSlots), editionOf(cfg.Version)
	s.exports = newExports(cfg.Exports)
	if s.answers, err = newAnswers(cmp.Or(cfg.KeepAnswers, keptAnswers)); err != nil {
		return nil, err
	}
	if s.rowsKept, err = newListedCache(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.look, err = lookOf(); err != nil {
		return nil, err
	}
	if s.pages, err = parsePages(s.assets); err != nil {
		return nil, err
	}
	if s.desk.pages, err = parseStaffPages(s.assets); err != nil {
		return nil, err
	}
	if s.reference, err = theReference(); err != nil {
		return nil, err
	}
	if s.guides, err = loadGuides(); err != nil {
		return nil, err
	}
	if s.partners, s.samples, err = loadPartners(s.base, s.door.anybody.most); err != nil {
		return nil, err
	}
	if s.embedScript, err = loadEmbedScript(); err != nil {
		return nil, err
	}
	s.count = &counter{count: s.countNow, every: countEvery}
	directory.Tables().PlaceOfZIP("00501") // reads the places now, not at somebody's search
	s.app = fiber.New(fiber.Config{
		AppName:                   "kapdir",
		Immutable:                 true, // and strings are copied where they come in: params.go
		StrictRouting:             true,
		CaseSensitive:             true,
		BodyLimit:                 bodyLimit,
		ReadBufferSize:            headLimit,
		ReadTimeout:               readTimeout,
		WriteTimeout:              writeTimeout,
		IdleTimeout:               idleTimeout,
		Concurrency:               concurrency,
		Network:                   fiber.NetworkTCP,
		ErrorHandler:              s.unread,
		EnableTrustedProxyCheck:   true, // without it Fiber believes everybody; clientAddress reads the rest
		TrustedProxies:            cfg.TrustedProxies,
		DisableStartupMessage:     true,
		DisableDefaultContentType: true,
	})
	s.app.Use(s.guard)
	s.routes()
	if cfg.SignIn != nil {
		if err := s.staff(staffRoutes); err != nil {
			return nil, err
		}
	}
	s.harden(s.app.Server())
	return s, nil
}

// checkBuild refuses a program that was built with a fasthttp that lets requests be smuggled and answers
// be split (reliability.md §4.2). Fiber itself would be content with one.
func checkBuild(info *debug.BuildInfo) error {
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		if d.Path == "github.com/valyala/fasthttp" && !newEnough(d.Version) {
			return errors.New("web: this program was built with fasthttp " + d.Version + "; v1.77.0 or later is needed")
		}
	}
	return nil
}

func newEnough(version string) bool {
	var major, minor int
	_, err := fmt.Sscanf(version, "v%d.%d.", &major, &minor)
	return err == nil && (major > 1 || major == 1 && minor >= 77)
}

// routes is every route there is.
func (s *Server) routes() {
	s.show("/", s.searchPage)
	s.show("/providers/:id.vcf", s.contactCard) // before the page, whose pattern would take it
	s.show("/providers/:id", s.providerPage)
	s.show("/providers/:id/cost", s.costPage)
	s.show("/cost", s.costPage)
	s.show("/compare", s.comparePage)
	s.show("/guide", s.guideIndex)
	s.show("/guide/:page", s.guidePage)
	s.show("/about/:page", s.guidePage)
	s.show(reportPattern, s.reportPage)
	if s.cfg.Requests != nil {
		s.take(reportPattern, s.takeReport)
	}
	s.show("/sources", s.sourcesPage)
	s.show("/docs/api", s.referencePage)
	s.show("/partners", s.partnersPage)
	s.show("/partners/embed", s.embedBuilder)
	s.get(spanish.prefix, html, s.spanishHome)

	s.api("/api/v1/providers", directory.ScopeRead, s.door.anybody, s.apiSearch)
	s.api("/api/v1/providers/:id", directory.ScopeRead, s.door.anybody, s.apiProvider)
	s.api("/api/v1/providers/:id/credentials", directory.ScopeCredentials, nil, s.apiCredentials)
	s.api("/api/v1/suggest", directory.ScopeRead, s.door.typing, s.apiSuggest)
	s.api("/api/v1/sources", directory.ScopeRead, s.door.anybody, s.apiSources)
	s.api("/api/v1/embeds", directory.ScopeEmbeds, nil, s.apiEmbeds)
	s.api("/api/v1/statistics", directory.ScopeRead, s.door.anybody, s.apiStatistics)
	s.api("/api/v1/changes", directory.ScopeChanges, nil, s.apiChanges)
	s.api("/api/v1/exports", directory.ScopeExport, nil, s.apiExports)
	s.api("/api/v1/exports/:seq/manifest.json", directory.ScopeExport, nil, s.apiExportFile(manifestName))
	s.api("/api/v1/exports/:seq/:file", directory.ScopeExport, nil, s.apiExportFile(""))
	s.hookRoutes()
	s.get("/openapi.yaml", data, s.openAPI)

	s.get("/embed.js", html, s.sendEmbedScript)
	s.get("/embed/:id.json", data, s.embedJSON) // before the page, whose pattern would take it
	s.get("/embed/:id", html, s.embedPage)
	s.get("/oembed", data, s.oEmbed)

	s.get("/livez", data, s.livez)
	s.get("/readyz", data, s.readyz)
	s.get("/robots.txt", html, s.robots)
	s.get("/.well-known/api-catalog", data, s.apiCatalog)
	s.get("/.well-known/security.txt", html, s.securityText)
	s.get("/sitemap.xml", html, s.sitemap)
	s.get("/sitemaps/:part", html, s.sitemapPart)
	s.get("/opensearch.xml", html, s.openSearch(english))
	s.get("/opensearch.es.xml", html, s.openSearch(spanish))
	s.get("/assets/:name", html, s.asset)
}

// harden sets what Fiber's configuration has no name for.
func (s *Server) harden(srv *fasthttp.Server) {
	if len(s.proxies) == 0 { // behind a proxy every connection has one address
		srv.MaxConnsPerIP = connsPerAddress
	}
	srv.CloseOnShutdown = true
	srv.HeaderReceived = s.perRequest
	srv.SecureErrorLogMessage = true // its error texts quote requests; Fiber's logger drops them, and these would too
	srv.DisablePreParseMultipartForm = true
	srv.NoDefaultServerHeader = true
	next := s.app.Handler()
	srv.Handler = func(rc *fasthttp.RequestCtx) {
		if watch != nil {
			defer watch(rc)
		}
		// Fiber answers a method it does not know by itself, in its own words and without our headers. What a browser
		// asks before a page elsewhere may send a key is answered by guard as well.
		if !rc.IsGet() && !rc.IsHead() && !rc.IsPost() {
			c := s.app.AcquireCtx(rc)
			defer s.app.ReleaseCtx(c)
			_ = s.guard(c)
			return
		}
		if !s.quick(rc) {
			next(rc)
		}
	}
}

// watch is, while tests run, handed every answer, to hold it to openapi.yaml.
var watch func(*fasthttp.RequestCtx)

// App returns the Fiber application, for tests and for whoever mounts it.
func (s *Server) App() *fiber.App { return s.app }

// Listen opens a listener on addr, for IPv4 and IPv6, that outlives a shortage of descriptors and holds
// no more than 400 connections at once: the next wait in the system's queue.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return patient(l, maxConns), nil
}

// Serve answers requests on l until ctx is done, then lets those under way finish, for ten seconds at
// most. It returns nil after such an end, and closes l in any case.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	p, ok := l.(*patientListener)
	if !ok {
		p = patient(l, maxConns)
	}
	p.log.Store(s.log)
	p.told, s.app.Server().ConnState = true, p.state
	l = p
	ended := make(chan error, 1)
	go func() { ended <- s.app.Listener(l) }()
	select {
	case err := <-ended:
		_ = l.Close()
		return err
	case <-ctx.Done():
	}
	s.news.stop()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	err := s.app.ShutdownWithContext(stop)
	_ = l.Close()
	select {
	case <-ended:
	case <-stop.Done():
	}
	s.requests.write()
	return err
}

// now is the moment a request is answered for. It is taken once in each request.
func (s *Server) now() directory.Instant { return directory.At(s.cfg.Now()) }

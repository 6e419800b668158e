package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
)

//go:embed templates/*.html templates/staff/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// pages are the parsed templates, one set for each page and language.
type pages struct {
	sets map[pageKey]*template.Template
}

type pageKey struct {
	lang *lang
	name string
}

// pageNames are the pages there must be; each has its template, and a missing one fails the start.
var pageNames = []string{"search", "provider", "guide", "guides", "sources", "problem", "report", "cost", "compare", "partners", "builder", "reference"}

func parsePages(a *assets) (*pages, error) {
	p := &pages{map[pageKey]*template.Template{}}
	for _, l := range languages {
		for _, name := range pageNames {
			t, err := template.New("layout.html").Option("missingkey=error").Funcs(functions(a, l)).
				ParseFS(templateFiles, "templates/layout.html", "templates/parts.html", "templates/embed.html", "templates/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("web: page %s: %w", name, err)
			}
			if t.Lookup("main") == nil || t.Lookup("title") == nil {
				return nil, fmt.Errorf("web: page %s defines no main or no title", name)
			}
			p.sets[pageKey{l, name}] = t
		}
	}
	return p, nil
}

func (p *pages) render(l *lang, name string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := p.sets[pageKey{l, name}].Execute(&b, data); err != nil {
		return nil, fmt.Errorf("page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// part renders a piece of a page that is kept by itself.
func (p *pages) part(l *lang, page, name string, data any) (template.HTML, error) {
	var b strings.Builder
	if err := p.sets[pageKey{l, page}].ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("page %s: %w", page, err)
	}
	return template.HTML(b.String()), nil // #nosec G203: the template has escaped it
}

// functions are what templates may call, in the words of a language. They format and decide nothing.
func functions(a *assets, l *lang) template.FuncMap {
	return template.FuncMap{
		"t": l.t, "marked": l.marked, "to": l.To, "date": l.say, "state": l.say, "yesno": l.answer,
		"lang":      func() *lang { return l },
		"languages": func() []*lang { return languages },
		"asset":     func(name string) string { return a.paths[name] },
		"integrity": func(name string) string { return a.sums[name] },
		"day":       func(i any) string { return l.date(instant(i).Date()) },
		"moment":    func(i any) string { return l.moment(instant(i)) },
		"join":      strings.Join,
		"short": func(sum string) string {
			if len(sum) > 12 {
				return sum[:12]
			}
			return sum
		},
		"external": func(address string) bool { return strings.HasPrefix(address, "https://") },
		"host": func(address string) string {
			address = strings.TrimPrefix(strings.TrimPrefix(address, "https://"), "http://")
			return strings.TrimSuffix(strings.TrimPrefix(address, "www."), "/")
		},
		"tel": func(phone string) string {
			return strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' || r == '+' {
					return r
				}
				return -1
			}, phone)
		},
		"add":     func(a, b int) int { return a + b },
		"overdue": func(due *directory.Instant, at directory.Instant) bool { return due.Date() < at.Date() }, // by the day, as the tag of a page
		"also": func(row map[string]any) []partStated { // of a row that has any
			list, _ := row["Also"].([]partStated)
			return list
		},
		"phase":      l.phase,
		"placedBy":   l.placedBy,
		"offers":     l.offers,
		"rangeOf":    l.prices,
		"tone":       tone,
		"resultOf":   func(c claim) directory.CheckResult { return c.result },
		"capital":    capital,
		"quotedList": func(words []string) string { return "“" + strings.Join(words, "”, “") + "”" },
		"dict": func(pairs ...any) map[string]any {
			m := map[string]any{}
			for i := 0; i+1 < len(pairs); i += 2 {
				m[pairs[i].(string)] = pairs[i+1]
			}
			return m
		},
	}
}

func instant(i any) directory.Instant {
	if p, ok := i.(*directory.Instant); ok {
		return *p
	}
	return i.(directory.Instant)
}

// tone groups results by how much they say: it chooses the colour, never the words or the shape.
func tone(r directory.CheckResult) string {
	switch r {
	case directory.Confirmed:
		return "good"
	case directory.ShownByDocument:
		return "some"
	case directory.ProblemOnRecord:
		return "bad"
	case directory.BeingChecked, directory.NotMet, directory.OutOfDate:
		return "care"
	}
	return "none"
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func money(cents int64) string {
	s := "$" + thousands(int(cents/100))
	if c := cents % 100; c != 0 {
		s += fmt.Sprintf(".%02d", c)
	}
	return s
}

// prices writes a range of prices.
func (l *lang) prices(low, high int64) string {
	if low == high {
		return money(low)
	}
	return l.t("range", "Low", money(low), "High", money(high))
}

// phase tells a phase: Yes: 2 to 3 sessions of 60 minutes.
func (l *lang) phase(f *fact[phase]) string {
	if f == nil || f.Value.Offered == directory.Unknown && f.Value.SessionsMax == 0 && f.Value.MinutesMax == 0 {
		return l.t("unstated")
	}
	p := f.Value
	if p.Offered == directory.No {
		return l.t("phase.no")
	}
	between := func(low, high int, unit string) string {
		n := strconv.Itoa(max(low, high))
		switch {
		case high == 0 && low == 0:
			return ""
		case low == 0:
			n = l.t("range.up_to", "High", n)
		case low != high && high != 0:
			n = l.t("range", "Low", strconv.Itoa(low), "High", n)
		}
		return l.t(unit, "Count", max(low, high), "Number", n)
	}
	sessions, minutes := between(p.SessionsMin, p.SessionsMax, "phase.sessions"), between(p.MinutesMin, p.MinutesMax, "phase.minutes")
	switch {
	case sessions != "" && minutes != "":
		return l.t("phase.both", "Sessions", sessions, "Minutes", minutes)
	case sessions != "":
		return l.t("phase.some", "Sessions", sessions)
	case minutes != "":
		return l.t("phase.long", "Minutes", minutes)
	}
	return l.t("answer.yes")
}

// assets are the static files by the hashed names under which they are served. Nothing else is.
type assets struct {
	files map[string]asset  // by hashed name
	paths map[string]string // by plain name: /assets/kapdir.0123456789ab.css
	sums  map[string]string // subresource integrity by plain name
}

type asset struct {
	contentType string
	plain, gzip []byte
	etag        string
}

var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png"}

func loadAssets() (*assets, error) {
	a := &assets{map[string]asset{}, map[string]string{}, map[string]string{}}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		kind, ok := assetTypes[path.Ext(e.Name())]
		if !ok {
			return nil, fmt.Errorf("web: static/%s is of a kind that is not served", e.Name())
		}
		raw, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(raw)
		short := strings.Trim(tagOf(raw), `"`)
		hashed := strings.TrimSuffix(e.Name(), path.Ext(e.Name())) + "." + short + path.Ext(e.Name())
		var z bytes.Buffer
		w, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
		if _, err := w.Write(raw); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		a.files[hashed] = asset{kind, raw, z.Bytes(), tagOf(raw)}
		a.paths[e.Name()] = "/assets/" + hashed
		a.sums[e.Name()] = "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	}
	for _, need := range []string{"kapdir.css", "kapdir.js", "cost.js", "docs.css", "docs.js", "staff.css", "staff.js", "embed.css", "icon.svg", "card.png"} {
		if a.paths[need] == "" {
			return nil, fmt.Errorf("web: static/%s is missing", need)
		}
	}
	return a, nil
}

// tagOf is the validator of bytes that stay as they are.
func tagOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return `"` + hex.EncodeToString(sum[:6]) + `"`
}

// asset answers GET /assets/:name. A name holds the hash of the bytes, so it never changes its meaning.
func (s *Server) asset(c *fiber.Ctx) error {
	a, ok := s.assets.files[c.Params("name")]
	if !ok {
		return directory.NotFound
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	if strings.HasPrefix(c.Params("name"), "embed.") { // a frame that is of no origin loads it
		c.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	return s.sendAsset(c, a)
}

func (s *Server) sendAsset(c *fiber.Ctx, a asset) error {
	c.Set(fiber.HeaderETag, a.etag)
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	if matches(c.Get(fiber.HeaderIfNoneMatch), a.etag) {
		return notModified(c)
	}
	c.Set(fiber.HeaderContentType, a.contentType)
	if acceptsGzip(c.Context()) {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(a.gzip)
	}
	return c.Send(a.plain)
}

func notModified(c *fiber.Ctx) error {
	c.Response().ResetBody()
	c.Status(http.StatusNotModified)
	return nil
}

// matches reports that If-None-Match names the tag, compared weakly.
func matches(header, tag string) bool {
	for _, t := range strings.Split(header, ",") {
		if t = strings.TrimSpace(t); t == "*" || t != "" && strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

func acceptsGzip(rc *fasthttp.RequestCtx) bool {
	for e := range strings.SplitSeq(string(rc.Request.Header.Peek(fiber.HeaderAcceptEncoding)), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(e), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight := strings.ReplaceAll(q, " ", "")
			return weight != "q=0" && weight != "q=0.0" && weight != "q=0.00" && weight != "q=0.000"
		}
	}
	return false
}

var gzips = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, 4)
	return w
}}

const gzipFrom = 1024 // bytes; smaller answers are sent as they are

// send sends a body that is whole already, gzipped for who takes it.
func (s *Server) send(c *fiber.Ctx, contentType string, body []byte) error {
	c.Set(fiber.HeaderContentType, contentType)
	vary(c, fiber.HeaderAcceptEncoding)
	if len(body) < gzipFrom || !acceptsGzip(c.Context()) {
		return c.Send(body)
	}
	z, err := gzipped(body)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentEncoding, "gzip")
	return c.Send(z)
}

func gzipped(body []byte) ([]byte, error) {
	var z bytes.Buffer
	w := gzips.Get().(*gzip.Writer)
	defer gzips.Put(w)
	w.Reset(&z)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return z.Bytes(), nil
}

func vary(c *fiber.Ctx, name string) {
	if have := string(c.Response().Header.Peek(fiber.HeaderVary)); have == "" {
		c.Set(fiber.HeaderVary, name)
	} else if !strings.Contains(have, name) {
		c.Set(fiber.HeaderVary, have+", "+name)
	}
}

// encodeJSON writes v without escaping that HTML would need: it is never part of a page.
func encodeJSON(v any) ([]byte, error) { return appendJSON(nil, v) }

// appendJSON writes v behind b as encodeJSON does.
func appendJSON(b []byte, v any) ([]byte, error) {
	e := json.NewEncoder((*appended)(&b))
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b, err
}

// appended takes what is written to it behind what it holds.
type appended []byte

func (a *appended) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

func (s *Server) sendJSON(c *fiber.Ctx, contentType string, v any) error {
	body, err := encodeJSON(v)
	if err != nil {
		return err
	}
	return s.send(c, contentType, body)
}

const longestCache = 60 * time.Second

// lookOf is the sum of all that pages are made with: a page that another program made is not this one's.
func lookOf() (string, error) {
	h := sha256.New()
	for _, files := range []fs.FS{templateFiles, messageFiles, staticFiles} {
		err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := fs.ReadFile(files, name)
			h.Write(raw)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sendCached sends a provider's answer with its validator. The tag is of what is said, not of when it
// was said, so it does not move when nothing public moved; body is made only when it is needed.
func (s *Server) sendCached(c *fiber.Ctx, contentType string, p *provider, body func() ([]byte, error)) error {
	still := *p
	still.AsOf, still.Head = directory.Instant(p.AsOf.Date()), 0
	return s.sendTagged(c, contentType, still, ageOf(p.ValidUntil, p.AsOf, p.At != nil), body)
}

// ageOf is for how long an answer may be kept that is true until a moment. One for the past ends with what becomes
// known, which may be at any moment.
func ageOf(until *directory.Instant, asOf directory.Instant, past bool) time.Duration {
	if until == nil || past {
		return longestCache
	}
	return max(0, min(longestCache, until.Time().Sub(asOf.Time())))
}

// sendTagged sends a public answer that may be kept for so long, with the sum of what is said in it as its tag. body is
// made only when whoever asks does not hold it already.
func (s *Server) sendTagged(c *fiber.Ctx, contentType string, said any, age time.Duration, body func() ([]byte, error)) error {
	raw, err := encodeJSON(said)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append(raw, contentType+langOf(c).Code+s.cfg.Version+s.look...))
	if s.cacheable(c, `W/"`+hex.EncodeToString(sum[:12])+`"`, age) {
		return notModified(c)
	}
	b, err := body()
	if err != nil {
		return err
	}
	return s.send(c, contentType, b)
}

// cacheable says that an answer may be kept for so long, and by which tag it is known. held is that whoever asks has it.
func (s *Server) cacheable(c *fiber.Ctx, tag string, age time.Duration) (held bool) {
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "public, max-age="+strconv.Itoa(int(age/time.Second)))
	vary(c, fiber.HeaderAcceptEncoding)
	return matches(c.Get(fiber.HeaderIfNoneMatch), tag)
}

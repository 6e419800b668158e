package crawler

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// TestHostileSite crawls a site of which one page is an attack. The other listings are read, the page is
// named, nothing that may not be called is called, and neither memory nor time is the page's to choose.
func TestHostileSite(t *testing.T) {
	private, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer private.Close()
	var knocked atomic.Int64
	go func() {
		for {
			c, err := private.Accept()
			if err != nil {
				return
			}
			knocked.Add(1)
			n, _ := io.Copy(io.Discard, c)
			knocked.Add(n)
		}
	}()
	zeros := make([]byte, 1<<20)
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 500 {
		_, _ = z.Write(zeros)
	}
	z.Close()
	endless := func(w http.ResponseWriter, r *http.Request, chunk []byte, pause time.Duration) {
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
			if pause > 0 {
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(pause):
				}
			}
		}
	}
	nested := bytes.Repeat([]byte("<div><b><p>"), 50_000_000/11)
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	page := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, text) }
	}
	_, p, _ := net.SplitHostPort(private.Addr().String())
	for _, c := range []struct {
		name string
		bad  http.HandlerFunc
		want string // one of these is said of the page; "" for a page that is read
	}{
		{"an endless body", func(w http.ResponseWriter, r *http.Request) { endless(w, r, []byte("<p>x"), 0) }, "larger than"},
		{"an endless body of headings", func(w http.ResponseWriter, r *http.Request) {
			endless(w, r, bytes.Repeat([]byte("<h1>x</h1>"), 1000), 0)
		}, "larger than"},
		{"a gzip bomb", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, "larger than"},
		{"a gzip bomb in a gzip", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip, gzip")
			_, _ = w.Write(bomb.Bytes())
		}, "encoded as"},
		{"a redirect to 127.0.0.2", redirect("http://127.0.0.2:" + p + "/"), "leads away"},
		{"a redirect to 127.0.0.1", redirect("http://127.0.0.1:" + p + "/"), "leads away"},
		{"a redirect to 169.254.169.254", redirect("http://169.254.169.254/latest/meta-data/"), "leads away"},
		{"a redirect to its own name on another port", redirect("http://kap-commons.example:" + p + "/"), "leads away"},
		{"a redirect loop", redirect("/bad"), "redirects"},
		{"a redirect to a file", redirect("file:///etc/passwd"), "not a web address"},
		{"a slow drip", func(w http.ResponseWriter, r *http.Request) { endless(w, r, []byte("x"), 50*time.Millisecond) }, "in time"},
		{"silence", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "in time"},
		{"huge headers", func(w http.ResponseWriter, r *http.Request) {
			for i := range 200 {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 1000))
			}
		}, "could not be reached"},
		{"50 MB of nested tags", func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(nested)
		}, "larger than|in time"},
		{"nested tags under the size of a page", page(strings.Repeat("<div>", maxPage/5)), "parsed"},
		{"open formatting under the size of a page", page(strings.Repeat("<b><i><p>", maxPage/9)), ""},
		{"unclosed tables", page(strings.Repeat("<table><tr><td>", maxPage/15)), "parsed"},
		{"a million siblings", page(profile("<dl>", strings.Repeat("<a>", 600_000)+"<dl>")), ""},
		{"a JSON-LD of brackets", page(`<link rel="canonical" href="https://kap-commons.example/bad"><script type="application/ld+json">` + strings.Repeat("[", 1_000_000) + "</script>"), ""},
		{"no page", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/zip")
			fmt.Fprint(w, "PK")
		}, "not a page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/therapists/":
					fmt.Fprint(w, `<div class="results-row"><a class="profile-title" href="/bad">x</a><a class="profile-title" href="/profile/ana-ruiz">x</a></div>`)
				case "/profile/ana-ruiz":
					fmt.Fprint(w, profile("", ""))
				case "/bad":
					c.bad(w, r)
				default:
					w.WriteHeader(404)
				}
			}))
			defer srv.Close()
			u, _ := url.Parse(srv.URL)
			port, _ := strconv.ParseUint(u.Port(), 10, 16)
			other, _ := strconv.ParseUint(p, 10, 16)
			client := safehttp.New(safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowPorts: []uint16{uint16(port), uint16(other)},
				Dial: map[string]string{"kap-commons.example": u.Host}, HeaderTimeout: 300 * time.Millisecond, TotalTimeout: 1500 * time.Millisecond})
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			m, rep, err := crawlSite(client, startPage)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if m.record("/profile/ana-ruiz") == nil {
				t.Errorf("the other listing was lost: %v", err)
			}
			said := asJSON(m.rejects) + asJSON(rep.Fates)
			if err != nil {
				said += err.Error()
			}
			if !slices.ContainsFunc(strings.Split(c.want, "|"), func(w string) bool { return strings.Contains(said, w) }) {
				t.Errorf("%s, want %q", said, c.want)
			}
			if took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 700 {
				t.Errorf("allocated %d MiB", used)
			}
			if held := int64(after.HeapSys-before.HeapSys) >> 20; after.HeapSys > before.HeapSys && held > 500 {
				t.Errorf("the heap grew by %d MiB", held)
			}
		})
	}
	if n := knocked.Load(); n != 0 {
		t.Errorf("a private server was reached: %d", n)
	}
}

// TestHostileRobots reads nothing of a site whose robots.txt cannot be had.
func TestHostileRobots(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"500":     func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
		"503":     func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
		"silence": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/robots.txt", http.StatusFound)
		},
		"a loop": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/robots.txt", http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			var pages atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/robots.txt" {
					answer(w, r)
					return
				}
				pages.Add(1)
			}))
			defer srv.Close()
			u, _ := url.Parse(srv.URL)
			port, _ := strconv.ParseUint(u.Port(), 10, 16)
			client := safehttp.New(safehttp.Config{AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, AllowPorts: []uint16{uint16(port)},
				Dial: map[string]string{"kap-commons.example": u.Host}, HeaderTimeout: 300 * time.Millisecond, TotalTimeout: time.Second})
			m, _, err := crawlSite(client, startPage)
			if directory.KindOf(err) != directory.Unavailable || m.begun != 0 || pages.Load() != 0 {
				t.Errorf("%v, begun %d, %d pages asked for", err, m.begun, pages.Load())
			}
		})
	}
}

// TestCharsets reads names whatever charset a page or its server says it has. A wrong one loses no row and
// changes no name.
func TestCharsets(t *testing.T) {
	const name = "Zoë Núñez-O’Hara"
	latin := func(s string) string {
		out, err := charmap.Windows1252.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	text := func(said string) string {
		return strings.Replace(profile("Ana Ruiz", name), `<meta charset="utf-8">`, said, 1)
	}
	for _, c := range []struct{ name, body, header string }{
		{"UTF-8, said", text(`<meta charset="utf-8">`), ""},
		{"UTF-8, said by the server alone", text(""), "text/html; charset=utf-8"},
		{"UTF-8, not said", text(""), ""},
		{"windows-1252, said", latin(text(`<meta charset="windows-1252">`)), ""},
		{"windows-1252, said to be UTF-8", latin(text(`<meta charset="utf-8">`)), ""},
		{"windows-1252, said to be UTF-8 by the server", latin(text("")), "text/html; charset=UTF-8"},
		{"UTF-8, said to be windows-1252", text(`<meta charset="windows-1252">`), ""},
		{"UTF-8, said to be ISO-8859-1 by the server", text(""), "text/html; charset=iso-8859-1"},
		{"UTF-8 with one bad byte elsewhere", strings.Replace(text(`<meta charset="utf-8">`), "1 Main Street", "1 Main \xe9 Street", 1), ""},
		{"UTF-8 with a byte-order mark", "\ufeff" + text(""), "text/html; charset=windows-1252"},
		{"a charset that nobody knows", text(`<meta charset="x-kap">`), "text/html; charset=x-kap"},
	} {
		p, err := parsePage("x.html", []byte(c.body), c.header)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		src, _ := Find("kap-commons")
		if err := p.settle(src.recipe.host(), nil); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		drafts, _ := readPage(src.recipe, p, "2026-11-01")
		if len(drafts) != 1 || drafts[0].listing.Name.String() != name {
			t.Errorf("%s: %q", c.name, drafts[0].listing.Name.String())
		}
	}
	// In a whole crawl: four pages, each with another lie.
	s, client := newSite(t)
	s.pages["/profile/ana-ruiz"] = latin(text(`<meta charset="utf-8">`)) // the server says utf-8 as well
	m, _, err := crawlSite(client, startPage)
	if err != nil || m.record("/profile/ana-ruiz") == nil || m.record("/profile/ana-ruiz").Listing.Name.String() != name {
		t.Errorf("%v", err)
	}
}

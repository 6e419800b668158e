package main

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axeSource is axe-core as .ci/run fetches it (MPL-2.0, no part of the program), without which the test is
// skipped, or fails where it is required.
func axeSource(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", ".ci", "out", "axe", "package", "axe.min.js"))
	if err != nil {
		if os.Getenv("KAPDIR_REQUIRE") != "" {
			t.Fatal("axe-core is needed: .ci/run fetches it")
		}
		t.Skip("axe-core is not here: .ci/run fetches it")
	}
	return string(raw)
}

// axeRun tells what axe-core's rules of WCAG 2.2, levels A and AA, find on the page.
const axeRun = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}).then((r) =>
	r.violations.map((v) => v.id + ": " + v.help + "\n    " + v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + " (" + n.any.concat(n.all, n.none).map((c) => c.message).join("; ").slice(0, 240) + ")").join("\n    ")).join("\n"))`

// axe-core's rules of WCAG 2.2, levels A and AA, find nothing on any page: in both languages, on a phone by day and at
// a desk by night, with everything unfolded.
func TestBrowserAxe(t *testing.T) {
	source := axeSource(t)
	s := start(t, "demo", "--state", t.TempDir())
	var sitemap struct {
		URLs []struct {
			Loc string `xml:"loc"`
		} `xml:"url"`
	}
	_, body, _ := s.get(t, "/sitemap.xml")
	if err := xml.Unmarshal([]byte(body), &sitemap); err != nil {
		t.Fatal(err)
	}
	var paths []string
	providers := 0
	for _, u := range sitemap.URLs {
		at, err := url.Parse(u.Loc)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(at.Path, "/providers/") {
			if providers++; providers%201 != 1 { // five of a thousand and four
				continue
			}
		}
		paths = append(paths, at.Path)
	}
	paths = append(paths, "/?near=Denver,+CO&q=trauma", "/es/?state=TX&check=license:confirmed", "/?near=nowhere", "/?q=zzzzqqqq", "/es/?q=suicide", "/no/such/page", "/?state=CO&at=2026-11-01")
	for _, p := range paths {
		if strings.Contains(p, "/providers/") {
			paths = append(paths, p+"?state=TX&at=2026-11-01")
			break
		}
	}
	for _, look := range []struct {
		width  int64
		scheme string
	}{{360, "light"}, {1280, "dark"}} {
		t.Run(fmt.Sprintf("%d px, %s", look.width, look.scheme), func(t *testing.T) {
			v := visit(t, s.url, look.width, true)
			call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
			for _, path := range paths {
				v.do(chromedp.Navigate(s.url + path))
				js[bool](v, source+`; for (const d of document.querySelectorAll("details")) d.open = true; true`)
				if found := js[string](v, axeRun); found != "" {
					t.Errorf("%s\n%s", path, found)
				}
				if js[bool](v, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
					wide := js[string](v, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".hidden, .past, svg")).slice(-3).map((e) => e.outerHTML.slice(0, 120)).join("\n")`)
					t.Errorf("%s scrolls sideways:\n%s", path, wide)
				}
			}
			v.alone()
		})
	}
}

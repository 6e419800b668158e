package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/chromedp"
)

// Every page of the guide, in both languages, fits a phone and a desk: nothing scrolls sideways, no picture has text
// below 14 pixels or outside of it, and a line of running text has about 65 signs.
func TestBrowserGuide(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	var paths []string
	for _, index := range []string{"/guide", "/es/guide"} {
		res, err := http.Get(s.url + index)
		if err != nil {
			t.Fatal(err)
		}
		d, err := goquery.NewDocumentFromReader(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, index)
		d.Find("main .card a").Each(func(_ int, e *goquery.Selection) { paths = append(paths, e.AttrOr("href", "")) })
	}
	if len(paths) < 20 {
		t.Fatalf("only %d pages: %v", len(paths), paths)
	}
	const probe = `(() => {
		const out = [];
		if (document.documentElement.scrollWidth > document.documentElement.clientWidth) out.push('scrolls sideways');
		const tops = new Set([...document.querySelectorAll('header nav li')].map((x) => Math.round(x.getBoundingClientRect().top)));
		if (tops.size !== 1) out.push('the navigation has ' + tops.size + ' lines');
		const text = document.querySelector('.guide');
		if (text) {
			const r = text.getBoundingClientRect(), right = document.documentElement.clientWidth - r.right;
			if (Math.abs(r.left - right) > 2) out.push('the text stands ' + r.left.toFixed() + ' px from the left and ' + right.toFixed() + ' from the right');
		}
		for (const t of document.querySelectorAll('.picture text')) {
			const svg = t.ownerSVGElement, scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
			const size = parseFloat(getComputedStyle(t).fontSize) * scale, box = t.getBBox();
			if (size < 14) out.push(t.textContent + ' has ' + size.toFixed(1) + ' px');
			if (box.x < 0 || box.x + box.width > svg.viewBox.baseVal.width) out.push(t.textContent + ' lies outside');
		}
		for (const p of document.querySelectorAll('.guide > p')) {
			const c = document.createElement('canvas').getContext('2d');
			c.font = getComputedStyle(p).font;
			const signs = p.clientWidth / (c.measureText(p.textContent).width / p.textContent.length);
			if (signs > 75) out.push('a line of ' + signs.toFixed(0) + ' signs');
		}
		return out.join('; ');
	})()`
	for _, width := range []int64{360, 1280} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			ctx := browser(t)
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
				t.Fatal(err)
			}
			pictures := 0
			for _, path := range paths {
				if err := chromedp.Do(ctx, chromedp.Navigate(s.url+path)); err != nil {
					t.Fatal(err)
				}
				wrong, err := chromedp.Run(ctx, chromedp.Evaluate[string](probe))
				if err != nil {
					t.Fatal(err)
				}
				if wrong != "" {
					t.Errorf("%s: %s", path, wrong)
				}
				n, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll('main .picture svg').length`))
				if err != nil {
					t.Fatal(err)
				}
				pictures += n
			}
			if pictures < 6 {
				t.Errorf("only %d pictures were seen on %s", pictures, strings.Join(paths, " "))
			}
		})
	}
	t.Run("the reference is tried in place", func(t *testing.T) { tryReference(t, s.url) })
}

// tryReference sends a form of the reference: with a script the answer comes beneath it, without one it is led to.
func tryReference(t *testing.T, at string) {
	v := visit(t, at, 360, true)
	v.do(chromedp.Navigate(at + "/docs/api"))
	const send = `(async () => {
		const form = document.querySelector('form[data-path="%s"]');
		form.closest("details").open = true;
		form.requestSubmit();
		for (let i = 0; i < 400; i++) {
			await new Promise((r) => setTimeout(r, 25));
			const text = form.querySelector("pre").textContent;
			if (text) return location.pathname + " " + form.querySelector("[role=status]").textContent + "\n" + text.slice(0, 3000);
		}
		return "nothing came";
	})()`
	for path, want := range map[string][]string{"/api/v1/providers/{id}": {"/docs/api 200", "ETag: ", `"id": "prv_`, `"claimed":`}, "/api/v1/changes": {"/docs/api 401", "application/problem+json", `"status": 401`}} {
		got := js[string](v, fmt.Sprintf(send, path))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: the answer beneath the form lacks %q:\n%.600s", path, w, got)
			}
		}
	}
	v.alone()
	v = visit(t, at, 1280, false)
	v.do(chromedp.Navigate(at + "/docs/api"))
	v.do(chromedp.Submit(chromedp.CSS(`form[data-path="/api/v1/sources"]`)))
	for range 200 {
		if where, err := chromedp.Run(v.ctx, chromedp.Location()); err == nil && strings.HasSuffix(where, "/api/v1/sources") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("without a script the form leads nowhere")
}

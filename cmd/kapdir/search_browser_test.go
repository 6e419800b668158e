package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// visitor is a person at a browser: what they do, and what the browser asked for meanwhile.
type visitor struct {
	t       testing.TB
	ctx     context.Context
	mu      sync.Mutex
	foreign []string // requests to anybody but origin
	loads   int      // pages that were loaded
	presses int      // keys, where a test counts them
}

func visit(t *testing.T, origin string, width int64, script bool) *visitor {
	t.Helper()
	v := &visitor{t: t, ctx: browser(t)}
	v.do(chromedp.EmulateViewport(width, 900))
	if err := chromedp.Listen(v.ctx, func(ev any) {
		v.mu.Lock()
		defer v.mu.Unlock()
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			if !strings.HasPrefix(e.Request.URL, origin+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
				v.foreign = append(v.foreign, e.Request.URL)
			}
			if e.Type == network.ResourceTypeDocument {
				v.loads++
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !script {
		call(v, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	return v
}

func call[P, R any](v *visitor, command cdp.Command[P, R], params P) {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, command, params); err != nil {
		v.t.Fatal(err)
	}
}

func (v *visitor) do(steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if err := chromedp.Do(v.ctx, steps...); err != nil {
		v.t.Fatal(err)
	}
}

// press focuses an element, or keeps the focus where selector is "", and presses keys.
func (v *visitor) press(selector, keys string) {
	v.t.Helper()
	if selector != "" {
		v.do(chromedp.Focus(chromedp.CSS(selector)))
	}
	v.do(chromedp.KeyEvent(keys))
}

func (v *visitor) text(selector string) string {
	v.t.Helper()
	s, err := chromedp.Run(v.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		v.t.Fatalf("%s: %v", selector, err)
	}
	return strings.Join(strings.Fields(s), " ")
}

// js evaluates an expression past the page's policy; it works where the page itself may run no script.
func js[T any](v *visitor, expression string) T {
	v.t.Helper()
	x, err := chromedp.Run(v.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		v.t.Fatalf("%s: %v", expression, err)
	}
	return x
}

// until waits until an expression is true: of a page that is being replaced it may fail for a while.
func (v *visitor) until(expression string) {
	v.t.Helper()
	for range 300 {
		ok, err := chromedp.Run(v.ctx, chromedp.Evaluate[bool](expression))
		if err == nil && ok {
			return
		}
		time.Sleep(30 * time.Millisecond)
	}
	at, _ := chromedp.Run(v.ctx, chromedp.Location())
	v.t.Fatalf("never true at %s: %s", at, expression)
}

func (v *visitor) alone() {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.foreign) > 0 {
		v.t.Errorf("requests to others: %v", v.foreign)
	}
}

func (v *visitor) loaded() int { v.mu.Lock(); defer v.mu.Unlock(); return v.loads }

// A person searches, filters, walks the map by keyboard and goes back: on a phone and at a desk, with a script
// and without.
func TestBrowserSearch(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	for _, width := range []int64{360, 1280} {
		for _, script := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d px, script %v", width, script), func(t *testing.T) {
				v := visit(t, s.url, width, script)
				v.do(chromedp.Navigate(s.url + "/"))
				all := v.text("#results")
				if script {
					js[bool](v, `window.kept = true`)
				}
				unfold := func(selector string) {
					t.Helper()
					if !js[bool](v, `document.querySelector('`+selector+` > :not(summary)').checkVisibility()`) {
						v.press(selector+" > summary", kb.Enter)
					}
					v.until(`document.querySelector('` + selector + ` > :not(summary)').checkVisibility()`)
				}
				if v.text("h1"); width == 360 && js[bool](v, `document.querySelector('.map').open`) {
					t.Error("on a phone the map stands open before anybody asks for it")
				} else if width == 1280 && !js[bool](v, `document.querySelector(".map svg").checkVisibility()`) {
					t.Error("at a desk the map has to be opened")
				}

				// Filter, by keyboard.
				unfold(".filters")
				v.press(`input[name=care][value=full_kap]`, " ")
				if !script {
					v.press(`.apply button`, kb.Enter)
				}
				filtered := `location.search === "?care=full_kap"`
				if !script {
					filtered = `location.search.includes("care=full_kap")` // a form sends its empty fields too
				}
				v.until(filtered + ` && document.querySelector("#results") && document.querySelector("#results").textContent !== ` + fmt.Sprintf("%q", all))
				fewer := v.text("#results")
				if script {
					if !js[bool](v, `document.activeElement.matches("input[name=care][value=full_kap]") && document.activeElement.checked`) {
						t.Error("the focus left the filter")
					}
					if said := js[string](v, `document.querySelector("body > [role=status]").textContent`); strings.Join(strings.Fields(said), " ") != fewer {
						t.Errorf("the live region says %q, the heading %q", said, fewer)
					}
				}

				// A state of the map, by keyboard: Tab leads from the skip link to the first of them.
				unfold(".map")
				v.press(".map .past a", kb.Tab)
				v.until(`document.activeElement.closest(".map svg") !== null`)
				label := js[string](v, `document.activeElement.getAttribute("aria-label")`)
				name, count, _ := strings.Cut(label, ": ")
				v.press("", kb.Enter)
				v.until(`location.search.includes("state=") && document.querySelectorAll(".map .pin").length > 0`)
				if got := v.text("#results"); got != count {
					t.Errorf("%s leads to %q", label, got)
				}
				if !strings.Contains(js[string](v, `document.querySelector(".map svg").getAttribute("aria-label")`), name) {
					t.Errorf("the map is not of %s", name)
				}

				// A pin leads to its card, and marks it.
				unfold(".map")
				to := js[string](v, `document.querySelector(".map .pin").getAttribute("href")`)
				if script {
					js[bool](v, `document.querySelector(".map .pin").focus(), true`)
					v.until(`document.querySelector("article.on [id='` + to[1:] + `']") !== null`)
				}
				js[bool](v, `document.querySelector(".map .pin").focus(), true`)
				v.press("", kb.Enter)
				v.until(`location.hash === "` + to + `" && document.querySelector("h3:target") !== null`)

				// Back, over the pin and the state and the filter.
				loads := v.loaded()
				js[bool](v, `history.go(-1), true`)
				v.until(`location.hash === ""`)
				js[bool](v, `history.go(-1), true`)
				v.until(filtered + ` && document.querySelector("#results").textContent.trim() === ` + fmt.Sprintf("%q", fewer))
				js[bool](v, `history.go(-1), true`)
				v.until(`location.search === "" && document.querySelector("#results").textContent.trim() === ` + fmt.Sprintf("%q", all))
				if script {
					if !js[bool](v, `window.kept === true`) || v.loaded() != loads || loads != 1 {
						t.Errorf("%d pages were loaded, %d of them on the way back", v.loaded(), v.loaded()-loads)
					}
					js[bool](v, `history.go(1), true`)
					v.until(filtered + ` && document.querySelector("input[name=care][value=full_kap]").checked`)
				} else if v.loaded() < 3 {
					t.Errorf("only %d pages were loaded", v.loaded())
				}

				// The words, and the next page.
				v.do(chromedp.Navigate(s.url + "/?near=Denver,+CO"))
				v.press("#f-q", "trauma"+kb.Enter)
				v.until(`location.search.includes("q=trauma") && document.querySelector("#f-q").value === "trauma" && document.querySelector(".reading") !== null`)
				v.do(chromedp.Navigate(s.url + "/es/?state=TX"))
				first := v.text("ol.cards h3")
				v.press(`.paging a[rel=next]`, kb.Enter)
				v.until(`location.search.includes("cursor=") && location.pathname === "/es/" && document.querySelector("ol.cards h3").textContent.trim() !== ` + fmt.Sprintf("%q", first))
				if js[bool](v, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
					t.Error("the page scrolls sideways")
				}
				v.alone()
			})
		}
	}
}

// Nothing moves while a page comes in.
func TestBrowserLayoutIsStill(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	for _, width := range []int64{360, 1280} {
		v := visit(t, s.url, width, true)
		for _, path := range []string{"/", "/?near=Denver,+CO", "/?state=TX"} {
			v.do(chromedp.Navigate(s.url + path))
			moved := js[struct {
				Sum  float64
				What []string
			}](v, `new Promise((done) => {
				let sum = 0, what = [];
				new PerformanceObserver((l) => {
					for (const e of l.getEntries()) {
						sum += e.value;
						for (const s of e.sources) what.push((s.node?.outerHTML || s.node?.textContent || "").slice(0, 80) + " " + JSON.stringify(s.previousRect) + " " + JSON.stringify(s.currentRect));
					}
				}).observe({type: "layout-shift", buffered: true});
				setTimeout(() => done({Sum: sum, What: what}), 500);
			})`)
			if moved.Sum > 0.05 { // up to 0.1 counts as good; on a busy machine a page may be painted in two parts
				t.Errorf("%s at %d px shifts by %.3f: %v", path, width, moved.Sum, moved.What)
			}
		}
		v.alone()
	}
}

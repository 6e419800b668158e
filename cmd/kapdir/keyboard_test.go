package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tab presses Tab until what has the focus matches the selector. On the way whatever has the focus must be in sight
// and show that it has it.
func (v *visitor) tab(selector string) {
	v.t.Helper()
	const look = `(() => {
		const e = document.activeElement;
		if (!e || e === document.body) return "nothing";
		if (e.matches(%q)) return "there";
		const r = e.getBoundingClientRect(), s = getComputedStyle(e);
		const p = getComputedStyle(e.querySelector("path, circle") || e);
		const name = e.outerHTML.slice(0, 120);
		if (r.width < 2 || r.height < 2 || r.bottom < 0 || r.top > innerHeight || r.right < 0 || r.left > innerWidth) return "out of sight: " + name;
		if (s.outlineStyle === "none" && !e.matches("main, [tabindex='-1']") && !e.closest("svg")) return "unmarked: " + name;
		if (e.closest("svg") && s.outlineStyle === "none" && p.strokeWidth === "0px") return "unmarked: " + name;
		return "";
	})()`
	nothing := 0
	for range 500 {
		v.do(chromedp.KeyEvent(kb.Tab))
		switch at := js[string](v, fmt.Sprintf(look, selector)); at {
		case "there":
			return
		case "nothing":
			if nothing++; nothing > 3 {
				v.t.Fatalf("no way by Tab to %s", selector)
			}
		case "":
		default:
			v.t.Errorf("on the way to %s: %s", selector, at)
		}
	}
	v.t.Fatalf("%s is more than 500 steps away", selector)
}

// keys presses keys where the focus is.
func (v *visitor) keys(keys string) { v.t.Helper(); v.do(chromedp.KeyEvent(keys)) }

// A person without a mouse searches, filters, takes a state and a pin of the map, compares, looks at what is known,
// adds up a course and reports a mistake: by Tab, Enter, Space and typing alone, on a phone and at a desk, with a
// script and without. Nothing is asked of anybody else, and no page scrolls sideways.
func TestEveryWayByKeyboard(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	for _, width := range []int64{360, 1280} {
		for _, script := range []bool{true, false} {
			name := fmt.Sprintf("%d px, script %v", width, script)
			t.Run(name, func(t *testing.T) {
				v := visit(t, s.url, width, script)
				call(v, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
				call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
				page := func(what string) {
					t.Helper()
					if js[bool](v, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
						t.Errorf("%s scrolls sideways", what)
					}
					if png, err := chromedp.Run(v.ctx, chromedp.FullScreenshot(90)); err == nil {
						keep(t, strings.ReplaceAll(fmt.Sprintf("%s-%d-script-%v.png", what, width, script), " ", "-"), png)
					}
				}
				unfold := func(selector string) {
					t.Helper()
					v.tab(selector + " > summary")
					if !js[bool](v, `document.activeElement.parentElement.open || document.activeElement.nextElementSibling.checkVisibility()`) {
						v.keys(kb.Enter)
					}
					v.until(`document.querySelector('` + selector + ` > :not(summary)').checkVisibility()`)
				}
				results := func() string { t.Helper(); return v.text("#results") }

				// Search: the first Tab offers to skip what stands on every page.
				v.do(chromedp.Navigate(s.url + "/"))
				all := results()
				v.tab(".skip")
				v.keys(kb.Enter)
				v.tab("#f-q")
				v.keys("trauma" + kb.Enter)
				v.until(`location.search.includes("q=trauma") && document.querySelector("#results").textContent.trim() !== ` + fmt.Sprintf("%q", all))
				found := results()

				// Filter.
				unfold(".filters")
				v.tab(`input[name=care][value=full_kap]`)
				v.keys(" ")
				if !script {
					v.tab(".apply button")
					v.keys(kb.Enter)
				}
				v.until(`location.search.includes("care=full_kap") && document.querySelector("#results").textContent.trim() !== ` + fmt.Sprintf("%q", found))
				page("search")

				// Map: a state, and of it a pin, which leads to a card.
				v.do(chromedp.Navigate(s.url + "/"))
				unfold(".map")
				v.tab(`.map svg a[aria-label^="Colorado"]`)
				count := strings.TrimPrefix(js[string](v, `document.activeElement.getAttribute("aria-label")`), "Colorado: ")
				v.keys(kb.Enter)
				v.until(`location.search.includes("state=CO") && document.querySelectorAll(".map .pin").length > 0`)
				if results() != count {
					t.Errorf("the map says %q, the list %q", count, results())
				}
				if !js[bool](v, `document.querySelector(".map svg").checkVisibility()`) {
					unfold(".map")
				}
				v.tab(".map .pin")
				v.keys(kb.Enter)
				v.until(`location.hash.startsWith("#n-prv_") && document.querySelector("h3:target") !== null`)
				page("map")

				// Compare two of them.
				v.do(chromedp.Navigate(s.url + "/?state=CO"))
				for _, n := range []string{"1", "2"} {
					v.tab(`.cards > li:nth-child(` + n + `) input[name="ids"]`)
					v.keys(" ")
				}
				v.tab("#compare button")
				v.keys(kb.Enter)
				v.until(`location.pathname === "/compare" && document.querySelectorAll("table.compare thead th").length === 2`)
				page("compare")
				if !js[bool](v, `[...document.querySelectorAll("table.compare thead th")].every((e) => e.getBoundingClientRect().right <= innerWidth)`) {
					t.Error("two providers do not stand side by side in sight")
				}
				v.tab(".sideways") // the table can be moved by the arrow keys
				if js[bool](v, `document.querySelector(".sideways").scrollWidth > document.querySelector(".sideways").clientWidth`) {
					v.keys(kb.ArrowRight)
					v.until(`document.querySelector(".sideways").scrollLeft > 0`)
				}
				v.tab("table.compare thead th a")
				v.keys(kb.Enter)
				v.until(`location.pathname.startsWith("/providers/") && document.querySelector("[data-glance=cost] a.more") !== null`)
				provider := js[string](v, `location.pathname`)
				page("provider")

				// Cost.
				v.tab("[data-glance=cost] a.more")
				v.keys(kb.Enter)
				v.until(`location.pathname.endsWith("/cost") && document.querySelector("#o-total") !== null`)
				v.tab("#f-other")
				v.keys("1")
				v.tab("#f-other_low")
				v.keys("123.45")
				v.tab("#f-other_high")
				v.keys(kb.Backspace) // Tab selects what stands in a field
				if !script {         // which adds as one types
					v.tab(".cost-go button")
					v.keys(kb.Enter)
				}
				v.until(`document.querySelector("#o-other").textContent === "1 × $123.45 = $123.45"`)
				if asked := js[bool](v, `location.search.includes("other_low")`); asked == script {
					t.Errorf("with a script %v the sum was asked of the server: %v", script, asked)
				}
				page("cost")

				// Report.
				v.do(chromedp.Navigate(s.url + provider))
				v.tab(`a[href$="/report"]`)
				v.keys(kb.Enter)
				v.until(`document.querySelector("#f-about") !== null`)
				v.tab("#f-about")
				v.keys("The whole page")
				time.Sleep(50 * time.Millisecond)
				v.tab("#f-words")
				v.keys("I have moved away (" + name + ").")
				v.tab(".report button")
				v.keys(kb.Enter)
				v.until(`document.querySelector(".done code")?.textContent.startsWith("cas_")`)
				page("report")
				v.alone()
			})
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// costFields are those of the form of the cost page.
var costFields = []string{"preparation", "preparation_low", "preparation_high", "medicine", "medicine_low", "medicine_high", "integration", "integration_low", "integration_high",
	"visits", "visits_low", "visits_high", "other", "other_low", "other_high", "share"}

// costCase draws what somebody may type: mostly numbers, now and then something else.
func costCase() map[string]string {
	out := map[string]string{}
	for _, f := range costFields {
		out[f] = ""
		pick := func(odd ...string) string {
			if rand.IntN(40) == 0 {
				return odd[rand.IntN(len(odd))]
			}
			return ""
		}
		switch {
		case f == "share":
			out[f] = fmt.Sprint(rand.IntN(101))
			if x := pick("101", "-1", "x", "12.5", " 7 %"); x != "" {
				out[f] = x
			}
		case strings.Contains(f, "_"):
			switch rand.IntN(4) {
			case 0:
				out[f] = fmt.Sprint(rand.IntN(100_000))
			case 1:
				out[f] = fmt.Sprintf("%d.%02d", rand.IntN(2000), rand.IntN(100))
			case 2:
				out[f] = fmt.Sprintf("$%d,%03d.%d", rand.IntN(9)+1, rand.IntN(1000), rand.IntN(10))
			}
			if x := pick("-5", "1.234", "1e3", "100000.01", ".5", "١٢"); x != "" {
				out[f] = x
			}
		default:
			out[f] = fmt.Sprint(rand.IntN(100))
			if x := pick("", "100", "1.5", "-1", "x", "007"); x != "" {
				out[f] = x
			}
		}
	}
	return out
}

// The page and its script come to the same sums, and while the script adds nothing is asked of anybody.
func TestCostInTheBrowserIsThatOfTheServer(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	ctx := browser(t)
	var mu sync.Mutex
	var asked []string
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, page := range []string{"/cost", "/es/cost"} {
		must(chromedp.Do(ctx, chromedp.Navigate(s.url+page)))
		must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#o-total"))))
		chromedp.Listen(ctx, func(ev any) {
			if e, ok := ev.(*network.EventRequestWillBeSent); ok {
				mu.Lock()
				asked = append(asked, e.Request.URL)
				mu.Unlock()
			}
		})
		mu.Lock()
		asked = nil
		mu.Unlock()
		var cases []map[string]string
		for range 40 {
			cases = append(cases, costCase())
		}
		raw, err := json.Marshal(cases)
		must(err)
		got, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(`+string(raw)+`.map((c) => {
			const form = document.getElementById("cost");
			for (const [k, v] of Object.entries(c)) form.elements.namedItem(k).value = v;
			form.dispatchEvent(new Event("input", { bubbles: true }));
			form.requestSubmit();
			return Object.fromEntries([...form.parentNode.querySelectorAll("output")].map((o) => [o.id, o.textContent]));
		}))`))
		must(err)
		var inPage []map[string]string
		must(json.Unmarshal([]byte(got), &inPage))
		mu.Lock()
		if len(asked) > 0 {
			t.Errorf("while the page added, it asked for %v", asked)
		}
		mu.Unlock()
		bad := 0
		for i, c := range cases {
			q := url.Values{}
			for k, v := range c {
				q.Set(k, v)
			}
			resp, err := s.client.Get(s.url + page + "?" + q.Encode())
			must(err)
			d, err := goquery.NewDocumentFromReader(resp.Body)
			_ = resp.Body.Close()
			must(err)
			if resp.StatusCode == http.StatusBadRequest {
				bad++
			}
			want := map[string]string{}
			for _, o := range d.Find("output").EachIter() {
				want[o.AttrOr("id", "")] = o.Text()
			}
			if len(want) != 8 {
				t.Fatalf("%d lines", len(want))
			}
			if d := cmp.Diff(want, inPage[i]); d != "" {
				t.Fatalf("%v: the script differs (-server +script):\n%s", c, d)
			}
		}
		if bad == len(cases) {
			t.Errorf("all cases were wrong: nothing was added")
		}
	}
	if strings.Contains(s.log.String(), "medicine") {
		t.Error("the log holds what was asked")
	}
}

// A person compares two providers, adds up a course and reports a mistake: on a phone and on a desk, with
// JavaScript and without, and nothing is asked of anybody else.
func TestPatientsWays(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	for _, c := range []struct {
		name   string
		width  int64
		script bool
	}{{"phone", 360, true}, {"desk", 1280, true}, {"phone without JavaScript", 360, false}} {
		t.Run(c.name, func(t *testing.T) {
			ctx := browser(t)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(chromedp.Do(ctx, chromedp.EmulateViewport(c.width, 900)))
			var mu sync.Mutex
			var foreign []string
			chromedp.Listen(ctx, func(ev any) {
				if e, ok := ev.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(e.Request.URL, s.url) && !strings.HasPrefix(e.Request.URL, "data:") {
					mu.Lock()
					foreign = append(foreign, e.Request.URL)
					mu.Unlock()
				}
			})
			if !c.script {
				_, err := chromedp.Run(ctx, func(ctx context.Context, tg *chromedp.Target) (chromedp.Void, error) {
					_, err := cdp.Call(ctx, tg, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
					return chromedp.Void{}, err
				})
				must(err)
			}
			arrived := func(part string) {
				t.Helper()
				for range 200 {
					at, err := chromedp.Run(ctx, chromedp.Location())
					must(err)
					if strings.Contains(at, part) {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
				t.Fatalf("no page with %q came", part)
			}
			narrow := func(page string) {
				t.Helper()
				if c.script {
					wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
					must(err)
					if wide {
						t.Errorf("%s scrolls sideways at %d px", page, c.width)
					}
				}
				if png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100)); err == nil {
					keep(t, strings.ReplaceAll(page+"-"+c.name, " ", "-")+".png", png)
				}
			}
			must(chromedp.Do(ctx, chromedp.Navigate(s.url+"/?state=CO")))
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("main article"))))
			for _, n := range []string{"1", "2"} {
				must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`.cards li:nth-child(`+n+`) input[name="ids"]`))))
			}
			must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`#compare button`))))
			arrived("/compare?")
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("table.compare thead th:nth-child(3) a"))))
			narrow("compare")
			must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS("table.compare thead th a"))))
			arrived("/providers/")
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(`[data-glance="cost"] a`))))
			must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`[data-glance="cost"] a.more`))))
			arrived("/cost")
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#f-other_low"))))
			must(chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#f-other_low"), "123.45")))
			must(chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#f-other"), "1")))
			if !c.script {
				must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#cost button"))))
				arrived("other_low=123.45")
			}
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#o-other"))))
			line, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("#o-other")))
			must(err)
			if line != "1 × $123.45 = $123.45" {
				t.Errorf("the line is %q", line)
			}
			narrow("cost")
			must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".crumb a"))))
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(`a[href$="/report"]`))))
			must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`a[href$="/report"]`))))
			arrived("/report")
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS("#f-about"))))
			must(chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#f-about"), "The whole page")))
			must(chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#f-words"), "I have moved away ("+c.name+").")))
			must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(".report button"))))
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(".done code"))))
			number, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(".done code")))
			must(err)
			if !strings.HasPrefix(number, "cas_") {
				t.Errorf("the request has the number %q", number)
			}
			narrow("report")
			mu.Lock()
			defer mu.Unlock()
			if len(foreign) > 0 {
				t.Errorf("requests to others: %v", foreign)
			}
		})
	}
}

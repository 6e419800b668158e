package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/PuerkitoBio/goquery"
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

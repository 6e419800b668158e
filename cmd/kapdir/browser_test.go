package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// browser opens headless Chromium, without which the test is skipped, or fails where it is required.
func browser(t testing.TB) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("KAPDIR_REQUIRE") != "" {
			t.Fatal("Chromium is needed: install the package chromium")
		}
		t.Skip("Chromium is not here")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// A person loads the search page, searches, applies a filter and opens a provider; with JavaScript and
// without, on a phone and on a desk, and nothing is asked of anybody else.
func TestBrowser(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	for _, c := range []struct {
		name   string
		width  int64
		script bool
	}{{"phone", 360, true}, {"desk", 1280, true}, {"without JavaScript", 360, false}} {
		t.Run(c.name, func(t *testing.T) {
			ctx := browser(t)
			var mu sync.Mutex
			var foreign, failed []string
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(chromedp.Do(ctx, chromedp.EmulateViewport(c.width, 900)))
			chromedp.Listen(ctx, func(ev any) {
				mu.Lock()
				defer mu.Unlock()
				switch e := ev.(type) {
				case *network.EventRequestWillBeSent:
					if !strings.HasPrefix(e.Request.URL, s.url) && !strings.HasPrefix(e.Request.URL, "data:") {
						foreign = append(foreign, e.Request.URL)
					}
				case *network.EventResponseReceived:
					if e.Response.Status >= 400 {
						failed = append(failed, e.Response.URL)
					}
				}
			})
			if !c.script {
				_, err := chromedp.Run(ctx, func(ctx context.Context, tg *chromedp.Target) (chromedp.Void, error) {
					_, err := cdp.Call(ctx, tg, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
					return chromedp.Void{}, err
				})
				must(err)
			}
			// A form that was sent leaves the old page in place until the new one comes: its nodes must not be taken.
			arrived := func(parts ...string) {
				t.Helper()
				for range 200 {
					at, err := chromedp.Run(ctx, chromedp.Location())
					must(err)
					if slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(at, p) }) {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
				t.Fatalf("no page with %v came", parts)
			}
			must(chromedp.Do(ctx, chromedp.Navigate(s.url+"/")))
			must(chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(`input[name="near"]`), "Boulder, CO")))
			must(chromedp.Do(ctx, chromedp.Submit(chromedp.CSS(`input[name="near"]`))))
			arrived("near=Boulder")
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(`main article`))))
			all, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main h2")))
			must(err)

			// Filters fold on a phone: open them, tick one, apply.
			_, err = chromedp.Run(ctx, chromedp.SetAttributeValue(chromedp.CSS(`details`), "open", ""))
			must(err)
			must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`input[name="check"][value="license:confirmed"], input[name="care"][value="full_kap"]`))))
			must(chromedp.Do(ctx, chromedp.Submit(chromedp.CSS(`input[name="near"]`))))
			arrived("check=", "care=")
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(`main article`))))
			at, err := chromedp.Run(ctx, chromedp.Location())
			must(err)
			if !strings.Contains(at, "check=") && !strings.Contains(at, "care=") {
				t.Errorf("the filter is not in the address: %s", at)
			}
			fewer, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main h2")))
			must(err)
			if fewer == all {
				t.Errorf("the filter changed nothing: %q", fewer)
			}
			name, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(`main article a[href^="/providers/"]`)))
			must(err)
			must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(`main article a[href^="/providers/"]`))))
			arrived("/providers/")
			must(chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(`h1`))))
			h1, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("h1")))
			must(err)
			if !strings.Contains(h1, strings.TrimSpace(name)) {
				t.Errorf("the link says %q, the page %q", name, h1)
			}
			if c.script {
				wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
				must(err)
				if wide {
					t.Errorf("the provider page scrolls sideways at %d px", c.width)
				}
				cookies, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.cookie`))
				must(err)
				if cookies != "" {
					t.Errorf("cookies: %s", cookies)
				}
			}
			if png, err := chromedp.Run(ctx, chromedp.FullScreenshot(90)); err == nil {
				keep(t, strings.ReplaceAll(c.name, " ", "-")+".png", png)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(foreign) > 0 {
				t.Errorf("requests to others: %v", foreign)
			}
			if len(failed) > 0 {
				t.Errorf("answers that failed: %v", failed)
			}
		})
	}
}

// keep leaves a picture in the ignored folder of CI, if there is one.
func keep(t testing.TB, name string, png []byte) {
	dir := filepath.Join("..", "..", ".ci", "out")
	if _, err := os.Stat(dir); err == nil {
		if err := os.WriteFile(filepath.Join(dir, name), png, 0o600); err != nil {
			t.Log(err)
		}
	}
}

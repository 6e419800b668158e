package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// BenchmarkPaint tells when the largest thing of a page is painted on a slow phone: a processor four times
// slower, 1.6 Mbit/s, 150 ms to the server, nothing cached.
//
//	go test ./cmd/kapdir -run '^$' -bench Paint -benchtime 9x
func BenchmarkPaint(b *testing.B) {
	s := start(b, "demo", "--state", b.TempDir())
	_, body, _ := s.get(b, "/sitemap.xml")
	at := strings.Index(string(body), "/providers/prv_")
	provider := string(body)[at : at+len("/providers/prv_")+26]
	for _, page := range []struct{ name, path string }{{"search", "/"}, {"near", "/?near=Denver,+CO"}, {"provider", provider}} {
		b.Run(page.name, func(b *testing.B) {
			v := &visitor{t: b, ctx: browser(b)}
			v.do(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
			call(v, network.Enable, network.EnableParams{})
			call(v, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
			call(v, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 4})
			const rate = 1.6e6 / 8
			call(v, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
				MatchedNetworkConditions: []*network.Conditions{{Latency: 150, DownloadThroughput: rate, UploadThroughput: rate}}})
			var times []float64
			for range b.N {
				v.do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.url+page.path))
				times = append(times, js[float64](v, `new Promise((done) => { let last = 0; new PerformanceObserver((l) => { for (const e of l.getEntries()) last = e.startTime; }).observe({type: "largest-contentful-paint", buffered: true}); setTimeout(() => done(last), 800); })`))
			}
			slices.Sort(times)
			b.ReportMetric(times[len(times)/2], "median-ms")
			b.ReportMetric(times[len(times)-1], "worst-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

package web

import (
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"

	"pgregory.net/rapid"
)

func TestMoneyIsRead(t *testing.T) {
	for in, want := range map[string]int64{"": 0, "350": 35000, "350.5": 35050, "350.05": 35005, "$1,500": 150000, " 0.01 ": 1, "100000": 10000000, "007": 700} {
		if got, ok := readMoney(in); !ok || got != want {
			t.Errorf("%q is %d, %v; want %d", in, got, ok, want)
		}
	}
	for _, in := range []string{"x", "-1", "1.234", "100000.01", "1e3", "٣", "1.", ".5", "1000000"} {
		if got, ok := readMoney(in); ok {
			t.Errorf("%q was read as %d", in, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.Int64Range(0, maxDollars*100).Draw(t, "cents")
		if got, ok := readMoney(dollars(c)); !ok || got != c {
			t.Fatalf("%d is written %q and read as %d", c, dollars(c), got)
		}
		if got, ok := readMoney(money(c)); !ok || got != c {
			t.Fatalf("%d is written %q and read as %d", c, money(c), got)
		}
	})
}

// The sums are those of the numbers given, line by line, and no number is lost between them.
func TestCostAdds(t *testing.T) {
	s := demoServer(t)
	q := url.Values{"preparation": {"2"}, "preparation_low": {"150"}, "preparation_high": {"200.50"}, "medicine": {"4"}, "medicine_low": {"1500"}, "medicine_high": {"500"}, "integration": {"3"}, "integration_low": {"$175"},
		"visits": {"2"}, "other": {"1"}, "other_low": {"99.99"}, "share": {"33"}}
	for _, l := range languages {
		path := l.To("/cost?" + q.Encode())
		r := get(t, s, path)
		d := dom(t, r)
		wellMade(t, path, d)
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
		to := func(low, high string) string { return l.t("range", "Low", low, "High", high) }
		for id, want := range map[string]string{
			"preparation": "2 × " + to("$150", "$200.50") + " = " + to("$300", "$401"),
			"medicine":    "4 × " + to("$500", "$1,500") + " = " + to("$2,000", "$6,000"),
			"integration": "3 × $175 = $525",
			"visits":      l.t("cost.unpriced"),
			"other":       "1 × $99.99 = $99.99",
			"sum":         to("$2,924.99", "$7,025.99"),
			"back":        "33% × " + to("$825", "$926") + " = " + to("$272.25", "$305.58"),
			"total":       to("$2,652.74", "$6,720.41") + " " + l.t("cost.plus"),
		} {
			if got := text(d.Find("#o-" + id).Text()); got != want {
				t.Errorf("%s: %s is %q, want %q", path, id, got, want)
			}
		}
		for _, usual := range []string{to("$500", "$1,500"), to("$3,000", "$10,000"), to("$400", "$800")} {
			if !strings.Contains(text(d.Find(".cost-sum").Text()), usual) {
				t.Errorf("%s lacks what is usual: %s", path, usual)
			}
		}
		if to := d.Find("header a.tongue").AttrOr("href", ""); strings.Contains(to, "?") {
			t.Errorf("the link to the other language carries the numbers: %s", to)
		}
	}
	for name, bad := range map[string]string{"medicine": "x", "medicine_low": "-5", "visits_high": "1.234", "share": "101", "preparation": "100"} {
		r := get(t, s, "/cost?"+url.Values{"medicine_low": {"500"}, name: {bad}}.Encode())
		d := dom(t, r)
		if r.StatusCode != 400 || d.Find("#f-"+name+"[aria-invalid=true]").Length() != 1 || d.Find(`#errors a[href="#f-`+name+`"]`).Length() != 1 || text(d.Find("#o-total").Text()) != "–" || d.Find("#f-"+name).AttrOr("value", "") != bad {
			t.Errorf("%s=%s: %d, total %q", name, bad, r.StatusCode, d.Find("#o-total").Text())
		}
	}
}

// A provider's page begins with what is stated of them, and invents no price.
func TestCostOfAProvider(t *testing.T) {
	s := demoServer(t)
	id := idOf(t, "Amara Whitcomb")
	p := decode[provider](t, get(t, s, api(id)))
	d := dom(t, get(t, s, pageOf(id)+"/cost"))
	low, high := bounds(p.pricesOf("medicine_session"))
	if d.Find("#f-medicine_low").AttrOr("value", "") != dollars(low) || d.Find("#f-medicine_high").AttrOr("value", "") != dollars(high) || d.Find("#f-medicine").AttrOr("value", "") != plain(p.Practice.Medicine.Value.SessionsMax) {
		t.Error("the form does not begin with what is stated")
	}
	if len(p.pricesOf("integration")) == 0 && d.Find("#f-integration_low").AttrOr("value", "x") != "" {
		t.Error("a price that nobody states stands in the form")
	}
}

// A package holds the sessions, so that nothing else that is stated is added to it: the sum is the package's price, as at a
// glance.
func TestCostOfAPackage(t *testing.T) {
	s := demoServer(t)
	found := 0
	for _, id := range everybody(t) {
		p := decode[provider](t, get(t, s, api(id)))
		list := p.pricesOf("package")
		if len(list) == 0 {
			continue
		}
		found++
		low, high := bounds(list)
		if said := text(dom(t, get(t, s, pageOf(id)+"/cost")).Find("main").Text()); !strings.Contains(said, "1 × "+english.prices(low, high)+" = "+english.prices(low, high)) {
			t.Errorf("%s: the package of %s is not the sum: %s", id, english.prices(low, high), said)
		}
		d := dom(t, get(t, s, pageOf(id)+"/cost"))
		if got := d.Find("#f-medicine").AttrOr("value", ""); got != "0" {
			t.Errorf("%s: %s medicine sessions beside a package", id, got)
		}
	}
	if found == 0 {
		t.Error("nobody states a package: the test tests nothing")
	}
}

// Every number that stands in the form at first says whose it is: an example of ours, what is stated, the most of a
// stated range that the glance tells whole, or that it is in the package. What is not counted says so, and is no sum.
func TestCostSaysWhoseTheNumbersAre(t *testing.T) {
	s := demoServer(t)
	ranges, examples, packed := 0, 0, 0
	for _, l := range languages {
		hint := func(d *goquery.Document, key string) string { return text(d.Find("#h-" + key).Text()) }
		d := dom(t, get(t, s, l.To("/cost")))
		for key, n := range exampleCounts {
			want := l.t("cost.count.example")
			if key == "medicine" {
				want = l.t("cost.count.usual")
			}
			if hint(d, key) != want || d.Find("#f-"+key).AttrOr("value", "") != plain(n) || !strings.Contains(d.Find("#f-"+key).AttrOr("aria-describedby", ""), "h-"+key) {
				t.Errorf("%s: %s of %s is said to be %q", l.Code, d.Find("#f-"+key).AttrOr("value", ""), key, hint(d, key))
			}
		}
		for _, id := range everybody(t) {
			p := decode[provider](t, get(t, s, api(id)))
			d := dom(t, get(t, s, l.To(pageOf(id)+"/cost")))
			if sum := text(d.Find(".sums").First().Text()); strings.Contains(sum, "0 × ") {
				t.Errorf("%s: %s", id, sum)
			}
			m, got, count := p.Practice.Medicine, hint(d, "medicine"), d.Find("#f-medicine").AttrOr("value", "")
			switch {
			case len(p.pricesOf("package")) > 0:
				packed++
				if got != l.t("cost.count.package") || count != "0" || text(d.Find("#o-medicine").Text()) != l.t("cost.none") {
					t.Errorf("%s: beside a package %s: %q", id, count, got)
				}
			case m != nil && m.Value.SessionsMax > m.Value.SessionsMin && m.Value.SessionsMin > 0:
				ranges++
				number := plainRange(l, m.Value.SessionsMin, m.Value.SessionsMax)
				if got != l.t("cost.count.most", "Number", number) || count != plain(m.Value.SessionsMax) {
					t.Errorf("%s: of %s is said %s: %q", id, number, count, got)
				}
				if glance := text(dom(t, get(t, s, l.To(pageOf(id)))).Find("[data-glance=cost]").Text()); len(p.pricesOf("medicine_session")) > 0 && !strings.Contains(glance, number) {
					t.Errorf("%s: at a glance %q, in the form %q", id, glance, got)
				}
			case m == nil || m.Value.SessionsMax == 0 && m.Value.Offered != directory.No:
				examples++
				if got != l.t("cost.count.example") {
					t.Errorf("%s: nobody states %s sessions, and the form says %q", id, count, got)
				}
			}
		}
	}
	if ranges == 0 || examples == 0 || packed == 0 {
		t.Errorf("%d ranges, %d examples, %d packages: the test tests nothing", ranges, examples, packed)
	}
}

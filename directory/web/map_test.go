package web

import (
	"math"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

func mapOf(t testing.TB, s *Server, target string) (*goquery.Document, *goquery.Selection) {
	t.Helper()
	d := dom(t, get(t, s, target))
	m := d.Find("details.map svg").First()
	if m.Length() == 0 {
		t.Fatalf("%s has no map", target)
	}
	return d, m
}

// The map of the country says of each state what the API counts, and each link leads to as many.
func TestCountryMap(t *testing.T) {
	s := demoServer(t)
	for _, target := range []string{"/", "/?care=full_kap&accepting=yes", "/?telehealth=CO", "/?q=trauma", "/?check=license:confirmed&sort=price"} {
		d, m := mapOf(t, s, target)
		answer := decode[searchAnswer](t, get(t, s, "/api/v1/providers"+strings.TrimPrefix(target, "/")))
		counts := map[string]int{}
		for _, v := range answer.Facets["state"] {
			counts[v.Value] = v.Count
		}
		seen := 0
		path := 0
		m.Find("path").Each(func(_ int, e *goquery.Selection) { path += len(e.AttrOr("d", "")) })
		if path > 25_000 {
			t.Errorf("%s: %d bytes of path data", target, path)
		}
		d.Find("details.map a[href*='state=']").Each(func(_ int, e *goquery.Selection) {
			u, err := url.Parse(e.AttrOr("href", ""))
			if err != nil {
				t.Fatal(err)
			}
			code := u.Query().Get("state")
			n := counts[code]
			seen++
			name := e.AttrOr("aria-label", text(e.Text()))
			want := directory.State(code).Name() + ": " + strconv.Itoa(n) + " provider"
			if n != 1 {
				want += "s"
			}
			if n == 0 || name != want && name != text(e.Find("text.aside").Text())+", "+want {
				t.Errorf("%s: %q, want %q", target, name, want)
			}
			if e.Find("text").Length() > 0 && !strings.HasSuffix(text(e.Find("text").Text()), strconv.Itoa(n)) {
				t.Errorf("%s: %s is written as %q", target, code, e.Find("text").Text())
			}
			for k, v := range map[string]string{"care": "full_kap", "q": "trauma"} {
				if strings.Contains(target, k+"="+v) && u.Query().Get(k) != v {
					t.Errorf("%s: the link of %s loses %s", target, code, k)
				}
			}
			if seen%4 == 0 { // each leads to as many
				if got := decode[searchAnswer](t, get(t, s, "/api/v1/providers?"+u.RawQuery)); got.Total != n {
					t.Errorf("%s: %s leads to %d, says %d", target, u, got.Total, n)
				}
			}
		})
		if seen != len(counts) || seen == 0 {
			t.Errorf("%s: %d states have a link, %d have results", target, seen, len(counts))
		}
	}
}

// A shade is never the only sign, and the steps hold every number once.
func TestMapSteps(t *testing.T) {
	for range 500 {
		counts := map[string]int{}
		for i := range rand.IntN(20) {
			counts[strconv.Itoa(i)] = rand.IntN(1 << rand.IntN(16))
		}
		steps := mapSteps(counts)
		for name, n := range counts {
			in := 0
			for _, s := range steps {
				if s.Low <= n && n <= s.High {
					in++
				}
			}
			if (n > 0) != (in == 1) {
				t.Fatalf("%s has %d, which lies in %d of %v", name, n, in, steps)
			}
		}
		if len(steps) > 4 {
			t.Fatalf("%v", steps)
		}
	}
}

var pinNumber = regexp.MustCompile(`^(\d+): (.+?)(?:, [\d.]+ miles away)?$`)

// The pins of a page are its results by number, each a link to its card, where it belongs and beside no other.
func TestPins(t *testing.T) {
	s := demoServer(t)
	for _, target := range []string{"/?near=Boulder,+CO", "/?near=80302&radius=5", "/?near=Austin,+TX&radius=250&sort=price", "/?state=CO", "/?state=TX&care=full_kap", "/?state=DC", "/?near=Kansas+City,+MO&radius=500", "/?q=therapist+in+Denver"} {
		d, m := mapOf(t, s, target)
		cards := d.Find("ol.cards article")
		type at struct{ x, y float64 }
		var pins []at
		m.Find("a.pin").Each(func(_ int, e *goquery.Selection) {
			parts := pinNumber.FindStringSubmatch(e.AttrOr("aria-label", ""))
			if parts == nil {
				t.Fatalf("%s: a pin is called %q", target, e.AttrOr("aria-label", ""))
			}
			n, _ := strconv.Atoi(parts[1])
			card := cards.Eq(n - 1)
			h := card.Find("h3")
			if "#"+h.AttrOr("id", "") != e.AttrOr("href", "") || text(h.Find("a").First().Text()) != parts[2] || text(e.Find("text").Text()) != parts[1] {
				t.Errorf("%s: pin %s leads to %s; card %d is %s %q", target, e.AttrOr("aria-label", ""), e.AttrOr("href", ""), n, h.AttrOr("id", ""), text(h.Text()))
			}
			if card.AttrOr("data-n", "") != parts[1] || text(card.Find(".pin-number").Text()) != parts[1] {
				t.Errorf("%s: card %d has no number", target, n)
			}
			x, _ := strconv.ParseFloat(e.Find("circle").AttrOr("cx", ""), 64)
			y, _ := strconv.ParseFloat(e.Find("circle").AttrOr("cy", ""), 64)
			for _, o := range pins {
				if math.Hypot(o.x-x, o.y-y) < 2*pinSize-1 {
					t.Errorf("%s: pin %d covers another", target, n)
				}
			}
			pins = append(pins, at{x, y})
		})
		if unplaced := cards.Length() - len(pins); (unplaced > 0) != strings.Contains(text(d.Find(".map .hint").Text()), "no place on this map") {
			t.Errorf("%s: %d of %d results have a pin, and the page says %q", target, len(pins), cards.Length(), text(d.Find(".map .hint").Text()))
		}
		if cards.Filter("[data-n]").Length() != len(pins) {
			t.Errorf("%s: %d cards have a number, %d pins stand", target, cards.Filter("[data-n]").Length(), len(pins))
		}
		if (strings.Contains(target, "near=") || strings.Contains(target, "Denver")) != (m.Find("circle.reach").Length() == 1) {
			t.Errorf("%s: %d circles", target, m.Find("circle.reach").Length())
		}
	}
}

// On the map of a place every distance from it is true, so the circle is the radius.
func TestDistancesFromThePlaceAreTrue(t *testing.T) {
	for range 2000 {
		centre := directory.Point{Lat: 18 + 50*rand.Float64(), Lon: -170 + 105*rand.Float64()}
		p := directory.Point{Lat: centre.Lat + 14*(rand.Float64()-.5), Lon: centre.Lon + 20*(rand.Float64()-.5)}
		at := around(centre)(p)
		if got, want := math.Hypot(at.x, at.y)*earthRadius, centre.Miles(p); math.Abs(got-want) > 1e-6*want+1e-3 {
			t.Fatalf("%v from %v: %v miles on the map, %v on the earth", p, centre, got, want)
		}
		if p.Lat > centre.Lat+1 && math.Abs(p.Lon-centre.Lon) < 1 && at.y > 0 || p.Lon > centre.Lon+1 && at.x < 0 {
			t.Fatalf("%v from %v lies at %v", p, centre, at)
		}
	}
}

// Albers' projection keeps areas: a small square anywhere has the area that it has on the earth.
func TestAlbersKeepsAreas(t *testing.T) {
	for range 2000 {
		south := 5 + 50*rand.Float64()
		at := albers(south, south+16, directory.Point{Lat: south + 8, Lon: -96})
		lat, lon := south+16*rand.Float64(), -130+60*rand.Float64()
		const d = 0.01
		square := []spot{at(directory.Point{Lat: lat, Lon: lon}), at(directory.Point{Lat: lat + d, Lon: lon}), at(directory.Point{Lat: lat + d, Lon: lon + d}), at(directory.Point{Lat: lat, Lon: lon + d})}
		want := (math.Sin((lat+d)*radians) - math.Sin(lat*radians)) * d * radians
		if got := area(square); math.Abs(got-want) > 1e-4*want {
			t.Fatalf("at %v, %v: %v, want %v", lat, lon, got, want)
		}
	}
}

// What is clipped lies in the box, and has the area that the ring and the box share.
func TestClip(t *testing.T) {
	b := box{0, 0, 10, 10}
	for range 500 {
		var ring []spot // around a middle, by angle, so that it does not cross itself
		middle := spot{14*rand.Float64() - 2, 14*rand.Float64() - 2}
		n := 3 + rand.IntN(8)
		for i := range n {
			r := 1 + 9*rand.Float64()
			turn := 2 * math.Pi * float64(i) / float64(n)
			ring = append(ring, spot{middle.x + r*math.Cos(turn), middle.y + r*math.Sin(turn)})
		}
		got := b.clip(ring)
		for _, s := range got {
			if !b.grown(1e-9).holds(s) {
				t.Fatalf("%v lies outside", s)
			}
		}
		const fine = 200
		shared := 0
		for i := range fine {
			for k := range fine {
				s := spot{(float64(i) + .5) * 10 / fine, (float64(k) + .5) * 10 / fine}
				in := false
				for j, p := range ring {
					q := ring[(j+1)%n]
					if p.y > s.y != (q.y > s.y) && s.x < (q.x-p.x)*(s.y-p.y)/(q.y-p.y)+p.x {
						in = !in
					}
				}
				if in {
					shared++
				}
			}
		}
		if want := float64(shared) / fine / fine * 100; math.Abs(area(got)-want) > 1 {
			t.Fatalf("%v clipped to %v: area %v, want %v", ring, got, area(got), want)
		}
	}
}

// Every state is drawn inside the frame, with its number on it, and none is lost to rounding.
func TestCountryIsWhole(t *testing.T) {
	number := regexp.MustCompile(`^M\d+ \d+(l[-\d ]+z|z)`)
	for _, a := range country() {
		if !number.MatchString(a.Path) {
			t.Errorf("%s is drawn as %.40q", a.State, a.Path)
		}
		if a.X < 0 || a.X > countryWidth || a.Y < 0 || a.Y > countryHeight {
			t.Errorf("%s has its number at %d, %d", a.State, a.X, a.Y)
		}
	}
	if n := len(country()); n != 52 {
		t.Errorf("%d states", n)
	}
}

package web

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestAssetsAreSmall(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	for plain, hashed := range a.paths {
		f := a.files[strings.TrimPrefix(hashed, "/assets/")]
		limit := map[string]int{"kapdir.js": 8 << 10, "cost.js": 4 << 10, "docs.css": 4 << 10, "docs.js": 4 << 10, "staff.css": 16 << 10, "staff.js": 4 << 10, "desk.js": 4 << 10, "desk.css": 8 << 10, "kapdir.css": 36 << 10, "embed.css": 4 << 10, "icon.svg": 2 << 10, "card.png": 40 << 10}[plain]
		if limit == 0 || len(f.plain) > limit {
			t.Errorf("%s has %d bytes, at most %d", plain, len(f.plain), limit)
		}
		for _, foreign := range []string{"http://", "https://", "@import", "url("} {
			if strings.Contains(strings.ReplaceAll(string(f.plain), "http://www.w3.org/2000/svg", ""), foreign) {
				t.Errorf("%s asks for something elsewhere: %s", plain, foreign)
			}
		}
	}
}

// The colours of text on what it stands on reach 4.5 to 1, and those of edges and shapes 3 to 1 (WCAG 2.2
// AA), by day and by night.
func TestContrast(t *testing.T) {
	css, err := staticFiles.ReadFile("static/kapdir.css")
	if err != nil {
		t.Fatal(err)
	}
	day, rest, ok := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("no dark colours")
	}
	night, _, _ := strings.Cut(rest, "*, *::before")
	for name, part := range map[string]string{"light": day, "dark": night} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(part, -1) {
			colours[m[1]] = m[2]
		}
		check := func(fg, bg string, least float64) {
			if colours[fg] == "" || colours[bg] == "" {
				t.Errorf("%s: --%s or --%s is missing", name, fg, bg)
				return
			}
			if got := contrast(colours[fg], colours[bg]); got < least {
				t.Errorf("%s: --%s on --%s has %.2f to 1, at least %.1f is needed", name, fg, bg, got, least)
			}
		}
		for _, bg := range []string{"paper", "sheet", "band"} {
			for _, fg := range []string{"ink", "soft", "accent"} {
				check(fg, bg, 4.5)
			}
			check("edge", bg, 3)
		}
		check("accent-ink", "accent", 4.5)
		check("ink", "accent-wash", 4.5)
		for _, tone := range []string{"good", "some", "care", "bad", "none"} {
			check(tone, tone+"-wash", 4.5)
			check(tone, "sheet", 4.5)
			check(tone, "paper", 3)
			check("ink", tone+"-wash", 4.5)
		}
		check("soft", "bad-wash", 4.5)
		check("accent", "bad-wash", 4.5)
	}
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + .05) / (math.Min(x, y) + .05)
}

func luminance(hex string) float64 {
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		c := float64(n) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

package directory

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// An instant is read as package time reads it, whatever stands in it.
func TestInstantIsReadAsByPackageTime(t *testing.T) {
	for _, i := range []Instant{"", "2026-02-29T00:00:00.000Z", "2024-02-29T23:59:59.999Z", "0000-01-01T00:00:00.000Z", "2026-11-31T00:00:00.000Z", "2026-11-30T24:00:00.000Z", "2026-11-30T00:00:60.000Z", "2026-13-01T00:00:00.000Z", "2026-00-10T00:00:00.000Z", "2026-01-00T00:00:00.000Z"} {
		if want, _ := time.Parse(InstantFormat, string(i)); i.Time() != want {
			t.Errorf("%q is %v, not %v", i, i.Time(), want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(At(time.UnixMilli(rapid.Int64Range(-1<<45, 1<<47).Draw(t, "milli"))))
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("0123456789-:.,TZ +x")).Draw(t, "sign")
		}
		i := Instant(b)
		if want, _ := time.Parse(InstantFormat, string(i)); i.Time() != want {
			t.Fatalf("%q is %v, not %v", i, i.Time(), want)
		}
	})
}

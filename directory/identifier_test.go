package directory

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseNPI(t *testing.T) {
	for _, c := range []struct {
		in string
		ok bool
	}{
		{"1234567893", true}, {"1003310905", true}, {"1003357849", true}, {"1770626038", true}, {" 1234567893 ", true},
		{"1234567890", false}, {"1234567894", false}, {"0000000000", false}, {"0608337260", false},
		{"9941339100", false}, // passes Luhn, begins with 9
		{"123456789", false}, {"12345678931", false}, {"", false}, {"12345678x3", false},
	} {
		if _, err := ParseNPI(c.in); (err == nil) != c.ok {
			t.Errorf("ParseNPI(%q): %v, want ok=%v", c.in, err, c.ok)
		}
	}
}

// Luhn finds every single mistyped digit; it cannot see 09 written for 90, and the documentation says so.
func TestNPIFindsEverySingleTypo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nine := rapid.StringMatching(`[12][0-9]{8}`).Draw(t, "nine")
		npi := nine + string(npiCheck(nine))
		if _, err := ParseNPI(npi); err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, 9).Draw(t, "at")
		d := rapid.ByteRange('0', '9').Filter(func(b byte) bool { return b != npi[i] }).Draw(t, "digit")
		if _, err := ParseNPI(npi[:i] + string(d) + npi[i+1:]); err == nil {
			t.Fatalf("%s with digit %d made %c passes", npi, i, d)
		}
	})
	for _, npi := range []string{"1090000005", "1900000005"} {
		if _, err := ParseNPI(npi); err != nil {
			t.Errorf("%s: %v", npi, err)
		}
	}
}

func TestParseLicenceNumber(t *testing.T) {
	for _, c := range []struct{ raw, shown, key, digits string }{
		{"CSW.09923456", "CSW.09923456", "CSW9923456", "9923456"},
		{"009923456", "009923456", "9923456", "9923456"},
		{"MD60441019", "MD60441019", "MD60441019", "60441019"},
		{"MD.MD.60441019", "MD.MD.60441019", "MD60441019", "60441019"},
		{" LMFT  46111 ", "LMFT 46111", "LMFT46111", "46111"},
		{"DO.OP.60817760-IMLC", "DO.OP.60817760-IMLC", "DOOP60817760IMLC", "60817760IMLC"},
		{"000000", "000000", "", ""},
		{"", "", "", ""},
		{"n/a", "n/a", "", ""},
		{"ＬＰＣ １２３", "LPC 123", "LPC123", "123"},
	} {
		n := ParseLicenceNumber(c.raw)
		if n.Raw != c.raw || n.Shown != c.shown || n.Key != c.key || n.Digits() != c.digits {
			t.Errorf("ParseLicenceNumber(%q) = %+v, digits %q; want shown %q key %q digits %q", c.raw, n, n.Digits(), c.shown, c.key, c.digits)
		}
	}
}

func TestLooksLikeSSN(t *testing.T) {
	for text, want := range map[string]bool{
		"123-45-6789": true, "SSN 123-45-6789.": true, "x123-45-6789": true, "9\x00\x0000-01-2345": true, "900–01–2345": true, "９００-01-2345": true, "900-\u200b01-2345": true, "900-01\xff-2345": true,
		"it is 123-45-6789\f2 of 3": true, "page 1\f123-45-6789": true, "123-45-6789\x000": true, "123-45-6789\f7–9": true, "１２３-45-6789\f2": true,
		"123-45-67890": false, "1123-45-6789": false, "303-555-0142": false, "2026-11-23": false, "CSW.09923456": false, "": false,
	} {
		if got := LooksLikeSSN(text); got != want {
			t.Errorf("LooksLikeSSN(%q) = %v", text, got)
		}
	}
	if !LooksLikeBareSSN(" 123456789 ") || LooksLikeBareSSN("12345678") || LooksLikeBareSSN("A123456789") {
		t.Error("LooksLikeBareSSN")
	}
}

func TestIDs(t *testing.T) {
	at := Instant("2026-11-16T15:00:00.000Z")
	seen := map[ID]bool{}
	for range 1000 {
		id := NewID(ProviderPrefix, at)
		if seen[id] {
			t.Fatal("an id came twice")
		}
		seen[id] = true
		if _, err := ParseID(ProviderPrefix, strings.ToUpper(string(id))); err != nil {
			t.Fatal(err)
		}
		if len(id) != 30 {
			t.Fatalf("%s has %d characters", id, len(id))
		}
	}
	if a, b := NewID(ClaimPrefix, at), NewID(ClaimPrefix, at.AddDays(1)); a >= b {
		t.Errorf("ids of a later day sort later: %s, %s", a, b)
	}
	for _, bad := range []string{"", "prv_", "prv_123", "clm_01j00000000000000000000000", "prv_01j0000000000000000000000i"} {
		if _, err := ParseID(ProviderPrefix, bad); err == nil {
			t.Errorf("ParseID(%q) passed", bad)
		}
	}
}

// A register's "never" must not become an instant that sorts before every other.
func TestEndOfTheLastDay(t *testing.T) {
	for _, x := range []struct {
		day  Date
		zone State
		want Instant
	}{
		{"9999-12-31", "TX", "9999-12-31T23:59:59.999Z"},
		{"9999-12-30", "TX", "9999-12-31T06:00:00.000Z"},
		{"2026-12-31", "CO", "2027-01-01T07:00:00.000Z"},
		{"2026-02-30", "CO", ""},
	} {
		if got := x.day.EndIn(x.zone.Zone()); got != x.want {
			t.Errorf("%s in %s ends %q, want %q", x.day, x.zone, got, x.want)
		}
	}
}

package directory

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
	_ "time/tzdata" // licences expire by the issuer's clock, on machines that carry no zone files
)

// InstantFormat is how an instant is written everywhere: fixed width, always UTC, so that text order
// is time order in both databases.
const InstantFormat = "2006-01-02T15:04:05.000Z"

// Instant is a moment in UTC to the millisecond, written in InstantFormat. The zero value is "" and
// stands for "never" or "not known", as the field says.
type Instant string

// At makes the Instant of t.
func At(t time.Time) Instant {
	if t.IsZero() {
		return ""
	}
	return Instant(t.UTC().Format(InstantFormat))
}

// ParseInstant reads InstantFormat, RFC 3339, or a date, which means its first moment in UTC.
func ParseInstant(s string) (Instant, error) {
	for _, layout := range []string{InstantFormat, time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return At(t), nil
		}
	}
	return "", Errorf(Invalid, "", "%q is not a moment: write 2026-11-23 or 2026-11-23T09:00:00Z", s)
}

// Time returns the moment, or the zero time for "".
func (i Instant) Time() time.Time {
	if t, ok := i.time(); ok {
		return t
	}
	t, _ := time.Parse(InstantFormat, string(i))
	return t
}

// time reads what At wrote, without looking at the format again; ok is false for anything else.
func (i Instant) time() (t time.Time, ok bool) {
	if len(i) != len(InstantFormat) || i[10] != 'T' || i[13] != ':' || i[16] != ':' || i[19] != '.' || i[23] != 'Z' {
		return t, false
	}
	year, month, day, ok := Date(i[:10]).civil()
	number := func(from, to int) (n int) {
		for _, c := range []byte(i[from:to]) {
			ok = ok && c >= '0' && c <= '9'
			n = n*10 + int(c-'0')
		}
		return n
	}
	hour, minute, second, milli := number(11, 13), number(14, 16), number(17, 19), number(20, 23)
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return t, false
	}
	t = time.Date(year, month, day, hour, minute, second, milli*1e6, time.UTC)
	return t, t.Day() == day && t.Month() == month
}

// Add returns the instant d later; "" stays "".
func (i Instant) Add(d time.Duration) Instant {
	if i == "" {
		return ""
	}
	return At(i.Time().Add(d))
}

// AddDays returns the instant n days of 24 hours later; "" stays "". In UTC every day has 24 hours, so the
// time of day stays as it is written.
func (i Instant) AddDays(n int) Instant {
	y, m, d, ok := i.Date().civil()
	if !ok || len(i) != len(InstantFormat) {
		return i.Add(time.Duration(n) * 24 * time.Hour)
	}
	y, m, d = time.Date(y, m, d+n, 0, 0, 0, 0, time.UTC).Date()
	b := []byte(i)
	for _, part := range []struct{ at, n int }{{0, y / 1000}, {1, y / 100}, {2, y / 10}, {3, y}, {5, int(m) / 10}, {6, int(m)}, {8, d / 10}, {9, d}} {
		b[part.at] = '0' + byte(part.n%10)
	}
	return Instant(b)
}

// Date returns the UTC calendar day of the instant.
func (i Instant) Date() Date {
	if len(i) < 10 {
		return ""
	}
	return Date(i[:10])
}

// earliest returns the earlier of two instants, where "" means never.
func earliest(a, b Instant) Instant {
	if a == "" || (b != "" && b < a) {
		return b
	}
	return a
}

// Date is a calendar day, YYYY-MM-DD, in the place of whoever issued it. "" means not known.
type Date string

// ParseDate reads a YYYY-MM-DD day that exists.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", Errorf(Invalid, "", "%q is not a date of the form YYYY-MM-DD", s)
	}
	return Date(s), nil
}

// DateIn reads s in one of the layouts of package time, in the order given. An empty s gives "" and no error.
func DateIn(s string, layouts ...string) (Date, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	for _, l := range layouts {
		if d, ok := plainDate(s, l); ok {
			return d, nil
		}
		if t, err := time.Parse(l, s); err == nil {
			return Date(t.Format(time.DateOnly)), nil
		}
	}
	return "", Errorf(Invalid, "", "%q is not a date of the form %s", s, strings.Join(layouts, " or "))
}

// plainDate reads a date in one of the layouts in which registers write millions. ok is false for any other, and for
// what is none.
func plainDate(s, layout string) (d Date, ok bool) {
	switch {
	case layout == "01/02/2006" && len(s) == 10 && s[2] == '/' && s[5] == '/':
		d = Date(s[6:] + "-" + s[:2] + "-" + s[3:5])
	case layout == "20060102" && len(s) == 8:
		d = Date(s[:4] + "-" + s[4:6] + "-" + s[6:])
	case layout == time.DateOnly:
		d = Date(s)
	default:
		return "", false
	}
	_, month, day, ok := d.civil()
	return d, ok && month >= 1 && month <= 12 && day >= 1 && day <= 28 // the calendar decides about the others
}

// civil takes the day apart without a look at the calendar; ok is false if it is not of the form YYYY-MM-DD.
func (d Date) civil() (year int, month time.Month, day int, ok bool) {
	if len(d) != 10 || d[4] != '-' || d[7] != '-' {
		return 0, 0, 0, false
	}
	var n [10]int
	for i := range n {
		if i != 4 && i != 7 {
			if n[i] = int(d[i]) - '0'; n[i] < 0 || n[i] > 9 {
				return 0, 0, 0, false
			}
		}
	}
	return n[0]*1000 + n[1]*100 + n[2]*10 + n[3], time.Month(n[5]*10 + n[6]), n[8]*10 + n[9], true
}

// Midnight returns the first moment of the day in UTC, "" for "".
func (d Date) Midnight() Instant {
	if d == "" {
		return ""
	}
	return Instant(d + "T00:00:00.000Z")
}

// EndIn returns the first moment after the day in the zone: what is good through a date stops being
// good then. "" stays "".
func (d Date) EndIn(zone *time.Location) Instant {
	year, month, day, ok := d.civil()
	if !ok {
		return ""
	}
	if t := time.Date(year, month, day, 12, 0, 0, 0, time.UTC); t.Day() != day || t.Month() != month { // no such day
		return ""
	}
	end := time.Date(year, month, day+1, 0, 0, 0, 0, zone)
	if end.UTC().Year() > 9999 { // a register's "never": an instant has four digits of a year
		return "9999-12-31T23:59:59.999Z"
	}
	return At(end)
}

// String writes the day as a page shows it: 23 Nov 2026.
func (d Date) String() string {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return string(d)
	}
	return t.Format("2 Jan 2006")
}

// ID is a public identifier: a prefix that says what it names, and 26 lower-case Crockford base-32
// characters of a UUIDv7. It is never derived from an NPI or a name, and never used again.
type ID string

// The prefixes of an ID.
const (
	ProviderPrefix = "prv_"
	ClaimPrefix    = "clm_"
	CasePrefix     = "cas_"
	RunPrefix      = "run_"
)

const crockfordSigns = "0123456789abcdefghjkmnpqrstvwxyz"

var crockford = base32.NewEncoding(crockfordSigns).WithPadding(base32.NoPadding)

// NewID makes an ID whose time part is at.
func NewID(prefix string, at Instant) ID {
	var b [17]byte // 16 bytes of UUID after one of zeros: 26 characters hold 130 bits
	u := b[1:]
	_, _ = rand.Read(u) // never fails: crypto/rand ends the program instead
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.Time().UnixMilli()))
	copy(u, ms[2:])
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return ID(prefix + crockford.EncodeToString(b[:])[2:]) // 17 bytes are 28 characters; the first two are zero
}

// ParseID reads an ID of the prefix. Upper case is accepted and folded.
func ParseID(prefix, s string) (ID, error) {
	low := strings.ToLower(s)
	rest, ok := strings.CutPrefix(low, prefix)
	if ok && len(rest) == 26 && strings.Trim(rest, crockfordSigns) == "" {
		return ID(low), nil
	}
	return "", Errorf(Invalid, "id", "%q is not an identifier of the form %s…", s, prefix)
}

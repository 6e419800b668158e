package web

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// What a course of sessions costs. The sums are whole cents. static/cost.js does the same in the browser, where
// nothing of it leaves the page; without it the form asks our own server, which keeps none of it. A test holds the
// two to each other.

// cents is a range of money.
type cents struct{ low, high int64 }

// Low and High are for templates.
func (c cents) Low() int64  { return c.low }
func (c cents) High() int64 { return c.high }

// What is usual in the United States, in cents (domain.md §8).
var (
	typicalSession  = cents{500_00, 1_500_00}
	typicalCourse   = cents{3_000_00, 10_000_00}
	typicalInfusion = cents{400_00, 800_00} // of one, without therapy
)

// Limits of the form.
const (
	maxCount   = 99
	maxDollars = 100_000
)

// costRows are the parts of a course, with the components of a listing's prices that fill them in.
// An insurer may pay back a share of the therapy, not of the medicine.
var costRows = []struct {
	key        string
	components []string
	therapy    bool
}{
	{"preparation", []string{"preparation"}, true},
	{"medicine", []string{"medicine_session"}, false},
	{"integration", []string{"integration"}, true},
	{"visits", []string{"prescriber_visit"}, false},
	{"other", []string{"package", "intake", "medication"}, false},
}

// costView is the page on which to add up a course.
type costView struct {
	page
	P       *provider // nil: of no provider in particular
	Rows    []costRow
	Share   string // per cent of the therapy that an insurer pays back, as it was written
	Sum     string
	Back    string
	Total   string
	Typical []costTypical
	Errors  []fieldError
	Wrong   map[string]bool
	Stated  []price
}

// costRow is one part: what was written, and the sum.
type costRow struct {
	Key, Label       string
	Hint             string // whose the number is that stands there at first
	Count, Low, High string
	Line             string // 3 × $500 = $1,500
	Therapy          bool
}

type costTypical struct {
	Key, Label string
	Price      cents
}

// costPage answers GET /cost and GET /providers/:id/cost.
func (s *Server) costPage(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	l := langOf(c)
	v := costView{page: s.page(c, l.t("cost.title"), "/cost"), Wrong: map[string]bool{}}
	q, err := url.ParseQuery(rawQuery(c))
	if err != nil {
		return directory.Invalid
	}
	asked := len(q) > 0
	if !asked {
		v.Canonical = "/cost"
	} else {
		c.Set("X-Robots-Tag", "noindex")
	}
	v.Here = "/cost" // the other language does not learn the numbers
	if c.Params("id") != "" {
		id, err := directory.ParseID(directory.ProviderPrefix, strings.Clone(c.Params("id")))
		if err != nil {
			return directory.NotFound
		}
		p, err := s.providerAsked(c, id, ask{})
		var moved *mergedInto
		if errors.As(err, &moved) {
			c.Set(fiber.HeaderLocation, moved.location(l.To("/providers/"), "")+"/cost")
			c.Status(http.StatusPermanentRedirect)
			return nil
		}
		if err != nil {
			return err
		}
		c.Set("X-Robots-Tag", "noindex")
		v.P, v.Stated, v.Canonical, v.Here, v.Path = p, p.Facts.Prices, "", p.URL+"/cost", ""
		v.Title = l.t("cost.title.of", "Name", p.Name)
	}
	for _, r := range costRows {
		row := costRow{Key: r.key, Label: l.t("cost." + r.key), Therapy: r.therapy}
		if asked {
			row.Count, row.Low, row.High = q.Get(r.key), q.Get(r.key+"_low"), q.Get(r.key+"_high")
		} else {
			row.fill(l, v.P, r.components)
		}
		v.Rows = append(v.Rows, row)
	}
	v.Share = q.Get("share")
	v.Typical = []costTypical{{"session", l.t("cost.typical.session"), typicalSession}, {"course", l.t("cost.typical.course"), typicalCourse}, {"infusion", l.t("cost.typical.infusion"), typicalInfusion}}
	v.add(l)
	if len(v.Errors) > 0 {
		c.Status(http.StatusBadRequest)
	}
	return s.sendPage(c, "cost", v)
}

// exampleCounts are how many of each the form begins with where nobody states it. They are examples, and the page
// says so.
var exampleCounts = map[string]int{"preparation": 2, "medicine": 4, "integration": 4, "visits": 2}

// fill writes what is stated of the provider, or an example, and says which it is.
func (r *costRow) fill(l *lang, p *provider, components []string) {
	if n := exampleCounts[r.Key]; n > 0 {
		r.Count, r.Hint = strconv.Itoa(n), l.t("cost.count.example")
	}
	if p == nil {
		if r.Key == "medicine" {
			r.Low, r.High, r.Hint = dollars(typicalSession.low), dollars(typicalSession.high), l.t("cost.count.usual")
		}
		return
	}
	stated := func(n int, hint string) { r.Count, r.Hint = strconv.Itoa(n), hint }
	if len(p.pricesOf("package")) > 0 { // it holds the sessions: what is stated of them is not added to it
		if !slices.Contains(components, "package") {
			stated(0, l.t("cost.count.package"))
			return
		}
		components = []string{"package"}
	}
	phases := map[string]*fact[phase]{"preparation": p.Practice.Preparation, "medicine": p.Practice.Medicine, "integration": p.Practice.Integration}
	switch f := phases[r.Key]; {
	case f != nil && f.Value.SessionsMax > 0 && f.Value.SessionsMin > 0 && f.Value.SessionsMin < f.Value.SessionsMax:
		stated(f.Value.SessionsMax, l.t("cost.count.most", "Number", plainRange(l, f.Value.SessionsMin, f.Value.SessionsMax)))
	case f != nil && f.Value.SessionsMax > 0:
		stated(f.Value.SessionsMax, l.t("cost.count.stated"))
	case slices.Equal(p.Practice.answers(r.Key), []directory.Answer{directory.No}), f != nil && f.Value.Offered == directory.No && r.Key == "medicine":
		stated(0, l.t("cost.count.no"))
	}
	var low, high int64
	for _, component := range components {
		if list := p.pricesOf(component); len(list) > 0 {
			a, b := bounds(list)
			low, high = low+a, high+b
		}
	}
	if high > 0 {
		r.Low, r.High = dollars(low), dollars(high)
		if r.Count == "" {
			r.Count = "1"
		}
	}
}

// dollars writes cents as a field of the form takes them.
func dollars(c int64) string {
	out := strconv.FormatInt(c/100, 10)
	if c%100 != 0 {
		out += "." + strconv.FormatInt(c%100+100, 10)[1:]
	}
	return out
}

var (
	countForm = regexp.MustCompile(`^[0-9]{1,2}$`)
	moneyForm = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,2})?$`)
	shareForm = regexp.MustCompile(`^(100|[0-9]{1,2})$`)
	loose     = strings.NewReplacer("$", "", ",", "", " ", "", "%", "")
)

// readMoney reads dollars and cents as cents. An empty field is nothing.
func readMoney(s string) (int64, bool) {
	if s = loose.Replace(s); s == "" {
		return 0, true
	}
	if !moneyForm.MatchString(s) {
		return 0, false
	}
	whole, part, _ := strings.Cut(s, ".")
	n, _ := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	return n, n <= maxDollars*100
}

func readCount(s string, form *regexp.Regexp) (int64, bool) {
	if s = loose.Replace(s); s == "" {
		return 0, true
	}
	if !form.MatchString(s) {
		return 0, false
	}
	n, _ := strconv.ParseInt(s, 10, 64)
	return n, true
}

// add does the sums and writes each line.
func (v *costView) add(l *lang) {
	const none = "–"
	var sum, therapy cents
	more := "" // for what has no price
	wrong := func(field, label, key string) {
		v.Errors, v.Wrong[field] = append(v.Errors, fieldError{field, label, l.t(key)}), true
	}
	for i := range v.Rows {
		r := &v.Rows[i]
		n, ok := readCount(r.Count, countForm)
		low, okLow := readMoney(r.Low)
		high, okHigh := readMoney(r.High)
		if !ok {
			wrong(r.Key, r.Label, "cost.bad.count")
		}
		if !okLow {
			wrong(r.Key+"_low", r.Label, "cost.bad.price")
		}
		if !okHigh {
			wrong(r.Key+"_high", r.Label, "cost.bad.price")
		}
		if !ok || !okLow || !okHigh {
			r.Line = none
			continue
		}
		if loose.Replace(r.Low+r.High) == "" && n > 0 {
			r.Line, more = l.t("cost.unpriced"), " "+l.t("cost.plus")
			continue
		}
		if loose.Replace(r.High) == "" { // one price
			high = low
		}
		if loose.Replace(r.Low) == "" {
			low = high
		}
		low, high = min(low, high), max(low, high)
		if n == 0 {
			r.Line = l.t("cost.none")
			continue
		}
		part := cents{n * low, n * high}
		r.Line = strconv.FormatInt(n, 10) + " × " + l.prices(low, high) + " = " + l.prices(part.low, part.high)
		sum.low, sum.high = sum.low+part.low, sum.high+part.high
		if r.Therapy {
			therapy.low, therapy.high = therapy.low+part.low, therapy.high+part.high
		}
	}
	share, ok := readCount(v.Share, shareForm)
	if !ok {
		wrong("share", l.t("cost.share"), "cost.bad.share")
	}
	if len(v.Errors) > 0 {
		v.Sum, v.Back, v.Total = none, none, none
		return
	}
	back := cents{therapy.low * share / 100, therapy.high * share / 100} // whole cents, the rest is not paid back
	v.Sum = l.prices(sum.low, sum.high)
	v.Back = strconv.FormatInt(share, 10) + "% × " + l.prices(therapy.low, therapy.high) + " = " + l.prices(back.low, back.high)
	v.Total = l.prices(sum.low-back.low, sum.high-back.high) + more
}

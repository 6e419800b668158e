package crawler

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"kapdir/directory"
)

// The bounds of one listing: what is more is no listing, or somebody is trying what we hold.
const (
	maxValues    = 60  // values of one field
	maxValueText = 400 // characters of one value
)

// draft is a listing while its fields are taken from a page, with the text of the matched nodes as
// evidence and the fields that could not be taken.
type draft struct {
	recipe  *recipe
	page    string // base name or path of the page, for the quarantine
	url     string
	base    *url.URL
	key     string
	listing directory.Listing
	fields  map[string]string
	rejects []directory.Reject
	asOf    directory.Date // of the page, or the day it was read
	ssn     string         // the field that holds what must not be held

	within  map[*html.Node]bool // the listings of the page, where one stands inside this one
	unknown []UnknownWord       // of the site, in no table of the recipe
	trace   *[]Match            // of a recipe that is being looked at: what each field matched
}

func newDraft(r *recipe, p *page, asOf directory.Date) *draft {
	d := &draft{recipe: r, page: p.name, url: p.url.String(), base: p.base, fields: map[string]string{}, asOf: asOf}
	if p.traced {
		d.trace = &[]Match{}
	}
	return d
}

// note keeps the matched text as evidence. Values come back cleaned, shortened and without empty ones.
func (d *draft) note(field string, values []string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		switch v = cleanText(v); {
		case v == "" || len(out) == maxValues:
		case utf8.RuneCountInString(v) > maxValueText: // a biography, in a node that somebody took for a fact
			d.refuse(field, "", "a text of %d characters is no fact; nothing of it was kept", utf8.RuneCountInString(v))
		default:
			out = append(out, v)
		}
	}
	if len(out) > 0 {
		text := strings.Join(out, " | ")
		if have := d.fields[field]; have != "" && have != text {
			text = have + " | " + text
		}
		d.fields[field] = shorten(text, 4000)
		if holdsSSN(text) && d.ssn == "" {
			d.ssn = field
		}
	}
	return out
}

// refuse puts one field's value aside; the rest of the listing goes in.
func (d *draft) refuse(field, value, reason string, args ...any) {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = shorten(s, 120)
		}
	}
	d.rejects = append(d.rejects, directory.Reject{File: d.page, Field: field, Reason: detail(directory.Errorf(directory.Invalid, "", reason, args...)), Text: value})
}

// word maps the site's word to ours, by the recipe's table.
func (d *draft) word(field, table, value string) (string, bool) {
	w, ok := d.recipe.Words.find(table, value)
	switch {
	case ok:
	case d.recipe.own:
		d.refuse(field, value, "%q is not one of the words", value)
	default:
		d.unknown = append(d.unknown, UnknownWord{Table: table, Word: shorten(scrubText(value), 120)})
		d.refuse(field, value, "the site's word %q is not in the recipe's table %q", value, table)
	}
	return w, ok
}

func (d *draft) answer(field string, values []string) directory.Answer {
	for _, v := range values {
		if w, ok := d.word(field, "answer", v); ok {
			return directory.Answer(w)
		}
	}
	return directory.Unknown
}

func (d *draft) words(field, table string, values []string) []string {
	var out []string
	for _, v := range values {
		if w, ok := d.word(field, table, v); ok && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// practiceTables are the fields that are lists or words of the vocabulary, with their table in the recipe.
var practiceTables = map[string]string{"route": "route", "setting": "setting", "model": "model", "presence": "presence", "monitoring": "monitoring",
	"screening": "screening", "framework": "framework", "focus": "focus", "population": "population", "format": "format", "language": "language", "access": "access"}

// practice takes one field of the practice from its texts. It reports false for a field it does not know.
func (d *draft) practice(field string, values []string) bool {
	p := &d.listing.Practice
	values = d.note(field, values)
	one := func(ws []string) string {
		if len(ws) > 1 {
			d.refuse(field, strings.Join(values, " | "), "several answers where there can be one")
			return ""
		}
		if len(ws) == 0 {
			return ""
		}
		return ws[0]
	}
	add := func(list *[]string) {
		for _, w := range d.words(field, practiceTables[field], values) {
			if !slices.Contains(*list, w) {
				*list = append(*list, w)
			}
		}
	}
	switch field {
	case "preparation":
		d.phase(field, &p.Preparation, values)
	case "medicine":
		d.phase(field, &p.Medicine, values)
	case "integration":
		d.phase(field, &p.Integration, values)
	case "route":
		add(&p.Routes)
	case "setting":
		add(&p.Settings)
	case "model":
		p.Model = one(d.words(field, field, values))
	case "presence":
		p.Presence = directory.Presence(one(d.words(field, field, values)))
	case "monitoring":
		add(&p.Monitoring)
	case "vital_signs":
		p.VitalSigns = d.answer(field, values)
	case "emergency_plan":
		p.EmergencyPlan = d.answer(field, values)
	case "escort":
		p.Escort = d.answer(field, values)
	case "screening":
		add(&p.Screening)
	case "framework":
		add(&p.Frameworks)
	case "focus":
		add(&p.Focus)
	case "population":
		add(&p.Populations)
	case "format":
		add(&p.Formats)
	case "language":
		add(&p.Languages)
	case "access":
		add(&p.Access)
	case "price":
		for _, v := range values {
			d.price(v)
		}
	case "superbill":
		p.Superbill = d.answer(field, values)
	case "sliding_scale":
		p.SlidingScale = d.answer(field, values)
	case "accepting":
		d.accepting(values)
	case "accepting_as_of":
		for _, v := range values {
			p.AcceptingAsOf = d.day(field, v)
		}
	case "waitlist":
		p.Waitlist = d.answer(field, values)
	case "telehealth":
		p.Telehealth = d.answer(field, values)
	case "telehealth_in":
		for _, v := range values {
			if s := stateOf(v); s == "" {
				d.refuse(field, v, "%q is not a US state or territory", v)
			} else if !slices.Contains(p.TelehealthIn, s) {
				p.TelehealthIn = append(p.TelehealthIn, s)
			}
		}
	default:
		return false
	}
	return true
}

var (
	sessionCount  = regexp.MustCompile(`(?i)(\d{1,3})(?:\s*(?:-|–|to)\s*(\d{1,3}))?\s+sessions?\b`)
	sessionLength = regexp.MustCompile(`(?i)(\d{1,3}(?:\.\d)?)(?:\s*(?:-|–|to)\s*(\d{1,3}(?:\.\d)?))?\s*(minutes?|mins?|hours?|hrs?)\b`)
)

// phase reads "Yes: 2-3 sessions of 60 minutes": a word of the table "answer", then numbers if there are.
func (d *draft) phase(field string, p *directory.Phase, values []string) {
	for _, v := range values {
		word := v
		if i := strings.IndexAny(v, ":,;("); i >= 0 {
			word = v[:i]
		}
		w, ok := d.word(field, "answer", word)
		if !ok {
			continue
		}
		p.Offered = directory.Answer(w)
		if m := sessionCount.FindStringSubmatch(v); m != nil {
			p.SessionsMin, p.SessionsMax = span(m[1], m[2], 1)
		}
		if m := sessionLength.FindStringSubmatch(v); m != nil {
			unit := 1.0
			if strings.HasPrefix(strings.ToLower(m[3]), "h") {
				unit = 60
			}
			p.MinutesMin, p.MinutesMax = span(m[1], m[2], unit)
		}
		if p.SessionsMin > p.SessionsMax || p.MinutesMin > p.MinutesMax || p.MinutesMax > 24*60 {
			d.refuse(field, v, "the numbers of %q do not make sense", v)
			*p = directory.Phase{Offered: p.Offered}
		}
	}
}

func span(low, high string, unit float64) (int, int) {
	a, _ := strconv.ParseFloat(low, 64)
	b := a
	if high != "" {
		b, _ = strconv.ParseFloat(high, 64)
	}
	return int(a * unit), int(b * unit)
}

var (
	asOfText  = regexp.MustCompile(`(?i)\(?\s*as of\s+(\d{4}-\d{2}-\d{2})\s*\)?`)
	moneySpan = regexp.MustCompile(`^\$\s*(\d{1,3}(?:,\d{3})*|\d{1,6})(\.\d{2})?(?:\s*(?:-|–|to)\s*\$?\s*(\d{1,3}(?:,\d{3})*|\d{1,6})(\.\d{2})?)?$`)
)

// price reads "Medicine session: $650-$850 (as of 2026-09-01)" into whole cents.
func (d *draft) price(v string) {
	as, rest := d.asOf, v
	if m := asOfText.FindStringSubmatch(v); m != nil {
		if as = d.day("price", m[1]); as == "" {
			return
		}
		rest = strings.Replace(v, m[0], "", 1)
	}
	name, amount, ok := strings.Cut(rest, ":")
	if !ok {
		d.refuse("price", v, "%q is not of the form \"component: $amount\"", v)
		return
	}
	m := moneySpan.FindStringSubmatch(strings.TrimSpace(amount))
	if m == nil {
		d.refuse("price", v, "%q is not an amount in dollars", strings.TrimSpace(amount))
		return
	}
	low := cents(m[1], m[2])
	high := low
	if m[3] != "" {
		high = cents(m[3], m[4])
	}
	d.addPrice(v, strings.TrimSpace(name), low, high, as)
}

func (d *draft) addPrice(text, name string, low, high int64, as directory.Date) {
	component, ok := d.word("price", "price", name)
	if !ok {
		return
	}
	if low > high || high > 10_000_000 {
		d.refuse("price", text, "the amounts of %q do not make sense", text)
		return
	}
	d.listing.Practice.Prices = append(d.listing.Practice.Prices, directory.PriceItem{Component: component, MinCents: low, MaxCents: high, Currency: "USD",
		Origin: directory.Origin{Source: d.recipe.Source, URL: d.url, AsOf: as}})
}

func cents(dollars, fraction string) int64 {
	n, _ := strconv.ParseInt(strings.ReplaceAll(dollars, ",", ""), 10, 64)
	c, _ := strconv.ParseInt(strings.TrimPrefix(fraction, "."), 10, 64)
	return n*100 + c
}

// accepting reads "Accepting new clients (as of 2026-10-15)". A waiting list is no to now and yes to later.
func (d *draft) accepting(values []string) {
	p := &d.listing.Practice
	for _, v := range values {
		rest := v
		if m := asOfText.FindStringSubmatch(v); m != nil {
			p.AcceptingAsOf = d.day("accepting", m[1])
			rest = strings.Replace(v, m[0], "", 1)
		}
		w, ok := d.word("accepting", "accepting", rest)
		switch {
		case !ok:
			p.AcceptingAsOf = ""
			continue
		case w == "waitlist":
			p.Accepting, p.Waitlist = directory.No, directory.Yes
		default:
			p.Accepting = directory.Answer(w)
		}
	}
	if p.Accepting != directory.Unknown && p.AcceptingAsOf == "" {
		p.AcceptingAsOf = d.asOf
	}
}

// day reads a day, or the day of an instant. One in the future of the run is not taken.
func (d *draft) day(field, v string) directory.Date {
	day, err := directory.ParseDate(v[:min(10, len(v))])
	if err != nil {
		d.refuse(field, v, "%q is not a day of the form YYYY-MM-DD", v)
		return ""
	}
	return day
}

func (d *draft) npi(field string, values []string) directory.NPI {
	for _, v := range d.note(field, values) {
		n, err := directory.ParseNPI(v)
		if err != nil {
			d.refuse(field, v, "%s", detail(err))
			continue
		}
		return n
	}
	return ""
}

// personName joins a name and its credentials and parses them. A name of mixed scripts is for a person.
func (d *draft) personName(field, name, credentials string) directory.Name {
	if name == "" {
		return directory.Name{}
	}
	if mixesScripts(name) {
		d.refuse(field, name, "the name mixes scripts whose letters look alike: a person must read it")
		return directory.Name{}
	}
	name = plainName(name)
	if credentials != "" {
		name += ", " + credentials
	}
	return directory.ParseName(name)
}

var (
	pronouns  = regexp.MustCompile(`(?i)\s*[(\[]\s*(?:she|he|they|ze|xe|any)\b[^)\]]{0,30}[)\]]`)
	nameRules = regexp.MustCompile(`\s+[|•·]\s+|\s+[-–—]\s+`)
	spelled   = regexp.MustCompile(`,[^,()]{3,80}\(([A-Z][A-Za-z.\-]{1,9})\)`)
)

// plainName writes a name as a site has it in the form that is read: "Ana Ruiz (she/her) | LMFT" is
// "Ana Ruiz, LMFT", and "Ana Ruiz, Licensed Professional Counselor (LPC)" is "Ana Ruiz, LPC".
func plainName(s string) string {
	s = pronouns.ReplaceAllString(s, "")
	s = nameRules.ReplaceAllString(s, ", ")
	return spelled.ReplaceAllString(s, ", $1")
}

// organisationWords end the names of practices, and no person's.
var organisationWords = regexp.MustCompile(`(?i)\b(?:L\.?L\.?C|P\.?L\.?L\.?C|Inc|Corp|Ltd|clinics?|cent(?:er|re)s?|institute|collective|associates|wellness|group|services|counseling|therapy|psychotherapy|psychiatry|health|partners|foundation)\.?\s*$`)

// mostTitles is how many kinds of licence one person's card names at most; a card with more is that of a
// practice, or of a form whose every box somebody ticked.
const mostTitles = 5

// notOnePerson says why a card cannot be one person's, "" if it can.
func notOnePerson(name string, licences []string) string {
	if head, _, _ := strings.Cut(plainName(name), ","); organisationWords.MatchString(name) || organisationWords.MatchString(head) {
		return "the name reads as an organisation's, and the page says that it is a person: somebody must read it"
	}
	titles := map[string]bool{}
	for _, v := range licences {
		for _, part := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ';' || r == '|' || r == '/' }) {
			if l, err := parseLicence(part); err == nil && l.Title != "" {
				titles[directory.Fold(l.Title)] = true
			}
		}
	}
	if len(titles) > mostTitles {
		return "the card names " + strconv.Itoa(len(titles)) + " kinds of licence, which no one person holds: somebody must read it"
	}
	return ""
}

var formerly = regexp.MustCompile(`(?i)^\(?\s*(?:formerly|previously|née|nee|born|f/k/a|fka)\b[\s:]*`)

func (d *draft) former(values []string) {
	for _, v := range d.note("former", values) {
		n := d.personName("former", strings.Trim(formerly.ReplaceAllString(v, ""), "() "), "")
		if n.Given == "" && n.Family != "" {
			n.Given = d.listing.Name.Given // "formerly Lindqvist"
		}
		if !n.IsZero() {
			n.Credentials, n.Other = nil, ""
			d.listing.Former = append(d.listing.Former, n)
		}
	}
}

// website takes the first address with http or https.
func (d *draft) website(values []string) {
	for _, v := range d.note("website", values) {
		u, err := url.Parse(v)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			d.refuse("website", v, "%q is not a web address", v)
			continue
		}
		if d.listing.Website == "" {
			d.listing.Website = u.String()
		}
	}
}

// site makes a site from its parts; a part that cannot be read is left out and reported.
func (d *draft) site(field string, part func(string) string) (directory.Site, bool) {
	a := directory.Address{Line1: part("line1"), Line2: part("line2"), City: part("city")}
	if s := part("state"); s != "" {
		if a.State = stateOf(s); a.State == "" {
			d.refuse(field+".state", s, "%q is not a US state or territory", s)
		}
	}
	if z := part("zip"); z != "" {
		if a.ZIP = zipOf(z); a.ZIP == "" {
			d.refuse(field+".zip", z, "%q is not a ZIP code", z)
		}
	}
	phone := ""
	if t := part("phone"); t != "" {
		var err error
		if phone, err = directory.FormatPhone(t); err != nil {
			d.refuse(field+".phone", t, "%s", detail(err))
			phone = ""
		}
	}
	if a == (directory.Address{}) && phone == "" {
		return directory.Site{}, false
	}
	s := siteOf(a, phone, directory.Origin{Source: d.recipe.Source, URL: d.url, AsOf: d.asOf})
	s.Name = part("name")
	return s, true
}

// homeState is the state in which all the listing's sites are, "" if they differ or none is known.
func (d *draft) homeState() directory.State {
	var s directory.State
	for _, site := range d.listing.Sites {
		switch st := site.Address.State; {
		case st == "":
		case s == "":
			s = st
		case s != st:
			return ""
		}
	}
	return s
}

// licences reads a listing's licence strings. An organisation has none: the fifteen types on a clinic's
// card are those of its people.
func (d *draft) licences(values []string) {
	own := make([]string, len(values))
	for i, v := range values { // a supervisor's licence is somebody else's, in the evidence too
		own[i] = supervisor.ReplaceAllString(cleanText(v), "")
	}
	for _, v := range d.note("licences", own) {
		if d.listing.Kind == directory.Organisation {
			d.refuse("licences", v, "an organisation holds no clinical licence: the licence is that of somebody there")
			continue
		}
		d.addLicence("licences", v)
	}
}

func (d *draft) addLicence(field, v string) {
	l, err := parseLicence(v)
	if err != nil {
		d.refuse(field, v, "%s", detail(err))
		return
	}
	if l == (directory.ListedLicence{}) {
		return
	}
	if slotHoldsSSN(l.Number.Raw, l.State) {
		d.ssn = field
		return
	}
	d.listing.Licences = append(d.listing.Licences, l)
}

var (
	supervisor   = regexp.MustCompile(`(?i)[\s.,;(]*\b(?:clinically\s+)?supervis(?:ed|ion|or)\b.*$`)
	numberSign   = regexp.MustCompile(`(?:#|(?i:\bno\.?|\bnumber|\bnum\.?)\s*:?)\s*([A-Za-z]{0,6}[.\- ]?\d[\dA-Za-z.\-]*)`)
	numberBare   = regexp.MustCompile(`(?:^|[\s:(])([A-Za-z]{1,6}[.\-]?\d{3,}[\dA-Za-z.\-]*|\d{3,}[\dA-Za-z.\-]*)`)
	inBrackets   = regexp.MustCompile(`\(([^()]*)\)`)
	licenceWords = regexp.MustCompile(`(?i)^(?:state\s+)?(?:license|licence|lic)\b\.?\s*(?:#|:)?\s*|\s*\b(?:license|licence|lic)\b\.?\s*(?:number|no\.?|#)?\s*:?\s*$`)
)

// parseLicence reads a licence as a site writes it: "LMFT #46111", "Licensed LMFT #124458",
// "LMFT #98432, California", "CSW.09923456", "license DR.00512345 (CO)", "Registered Associate MFT (AMFT #143409)".
// What follows "supervised by" is another person's licence and is never read. The state is stated by its
// name, or by its code behind the number; letters before the number are a title and never a state, as
// PA, MD or MA. A text without a licence gives the zero value.
func parseLicence(text string) (directory.ListedLicence, error) {
	text = strings.TrimSpace(supervisor.ReplaceAllString(cleanText(text), ""))
	if text == "" {
		return directory.ListedLicence{}, nil
	}
	loc := numberSign.FindStringSubmatchIndex(text)
	if loc == nil {
		loc = numberBare.FindStringSubmatchIndex(text)
	} else if numberSign.MatchString(text[loc[1]:]) {
		return directory.ListedLicence{}, directory.Errorf(directory.Invalid, "", "several licence numbers in one line: whose or which is not clear")
	}
	var l directory.ListedLicence
	before, after := text, ""
	if loc != nil {
		l.Number = directory.ParseLicenceNumber(strings.TrimRight(text[loc[2]:loc[3]], ".-"))
		before, after = text[:loc[0]], text[loc[3]:]
		if i := strings.LastIndex(before, "("); i >= 0 && !strings.Contains(before[i:], ")") {
			before, after = before[i+1:], strings.TrimLeft(after, ") ")
		}
		if l.State = stateIn(after, true); l.State == "" {
			l.State = stateIn(before, false)
		}
	} else if i := strings.LastIndex(text, ","); i >= 0 && stateIn(text[i:], true) != "" {
		before, l.State = text[:i], stateIn(text[i:], true)
	} else if m := inBrackets.FindStringSubmatchIndex(text); m != nil && stateIn(text[m[2]:m[3]], true) != "" {
		before, l.State = text[:m[0]], stateIn(text[m[2]:m[3]], true)
	} else {
		l.State = stateIn(text, false)
	}
	title := strings.Trim(licenceWords.ReplaceAllString(before, ""), " ,:;#-(")
	if l.State != "" {
		if rest, ok := cutFold(title, l.State.Name()); ok {
			title = strings.Trim(rest, " ,:;")
		}
	}
	if rest, ok := strings.CutPrefix(title, "Licensed "); ok && rest == strings.ToUpper(rest) {
		title = rest // "Licensed LMFT"
	}
	if title == "" {
		title = l.Number.Prefix() // "CSW.09923456"
	}
	l.Title = title
	if l.Title == "" && l.Number.Key == "" {
		return directory.ListedLicence{}, directory.Errorf(directory.Invalid, "", "neither a licence title nor a number can be read")
	}
	return l, nil
}

// cutFold removes a state's name from the front of a title: "Colorado LCSW".
func cutFold(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) && s[len(prefix)] == ' ' {
		return s[len(prefix)+1:], true
	}
	return s, false
}

// stateIn finds a state in the words around a licence number: a name anywhere, a code only where no
// title can stand. Two different states are none.
func stateIn(s string, codes bool) directory.State {
	var found directory.State
	folded := " " + directory.Fold(s) + " "
	for _, st := range directory.Tables().States() {
		name := " " + directory.Fold(st.Name()) + " "
		if strings.Contains(folded, name) && !(st == "VA" && strings.Contains(folded, " west virginia ")) && !(st == "WA" && strings.Contains(folded, " washington dc ")) {
			if found != "" {
				return ""
			}
			found = st
		}
	}
	if found != "" || !codes {
		return found
	}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '(' || r == ')' || r == ';' || r == '.' }) {
		if len(w) == 2 && w == strings.ToUpper(w) {
			if st := stateOf(w); st != "" {
				if found != "" && found != st {
					return ""
				}
				found = st
			}
		}
	}
	return found
}

var (
	npiText      = regexp.MustCompile(`(?i)\bNPI\b\s*(?:#|:|no\.?|number)?\s*(\d{10})\b`)
	licenceStart = regexp.MustCompile(`(?i)[,;]?\s*\blicen[sc]es?\b`)
)

// prescriber reads "Dr. Elena Roth, MD, NPI 2100000175, license DR.00512345 (CO)" or "self".
func (d *draft) prescriber(who string) (directory.ListedPrescriber, bool) {
	switch directory.Fold(who) {
	case "self", "the provider", "own":
		return directory.ListedPrescriber{Self: true, Name: d.listing.Name, NPI: d.listing.NPI}, true
	}
	var p directory.ListedPrescriber
	end := len(who)
	if m := npiText.FindStringSubmatchIndex(who); m != nil {
		n, err := directory.ParseNPI(who[m[2]:m[3]])
		if err != nil {
			d.refuse("prescribers", who, "%s", detail(err))
		}
		p.NPI = n
		end = min(end, m[0])
	}
	if starts := licenceStart.FindAllStringIndex(who, -1); starts != nil {
		end = min(end, starts[0][0])
		for i, s := range starts {
			to := len(who)
			if i+1 < len(starts) {
				to = starts[i+1][0]
			}
			text := npiText.ReplaceAllString(who[s[1]:to], "")
			l, err := parseLicence(strings.Trim(text, " ,;:"))
			if err != nil {
				d.refuse("prescribers", who, "%s", detail(err))
				continue
			}
			if slotHoldsSSN(l.Number.Raw, l.State) {
				d.ssn = "prescribers"
				continue
			}
			p.Licences = append(p.Licences, l)
		}
	}
	p.Name = d.personName("prescribers", strings.Trim(who[:end], " ,;"), "")
	if !capital(p.Name.Given) || !capital(p.Name.Family) || len(strings.Fields(p.Name.String())) > 6 { // "named at intake", "our medical team decides"
		d.refuse("prescribers", who, "no prescriber is named")
		return p, false
	}
	return p, true
}

// capital reports a word that begins as a name does.
func capital(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r)
}

// training takes a programme in the listing's own words; which programme it is, is decided elsewhere.
func (d *draft) training(programme, level, completed string) {
	if programme == "" {
		return
	}
	t := directory.ListedTraining{Programme: programme}
	if level != "" {
		t.Level, _ = d.word("training.level", "level", level)
	}
	if completed != "" {
		t.Completed = d.day("training.completed", completed)
	}
	d.listing.Training = append(d.listing.Training, t)
}

// finish fills what depends on the whole listing: the state of a licence that names none is that of the
// listing's sites if they are all in one state.
func (d *draft) finish() {
	home := d.homeState()
	for i := range d.listing.Licences {
		if d.listing.Licences[i].State == "" {
			d.listing.Licences[i].State = home
		}
	}
	d.listing.Origin = directory.Origin{Source: d.recipe.Source, URL: d.url, AsOf: d.asOf}
}

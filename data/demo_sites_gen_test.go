package data_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"kapdir/directory"
)

// ---------------------------------------------------------------------------------------------------
// KAP Commons: plain markup

const commonsSite = "https://kap-commons.example"

// commonsWords are the site's words, by field and our word.
var commonsWords = map[string]map[string]string{
	"route": {"sublingual_lozenge": "Lozenge", "oral": "By mouth", "intramuscular": "Intramuscular injection", "intravenous": "IV infusion",
		"subcutaneous":          "Injection under the skin",
		"intranasal_compounded": "Compounded nasal spray", "esketamine": "Spravato"},
	"setting": {"clinic_in_person": "Clinic", "therapist_office": "Therapist's office", "home_remote": "At home, by video", "retreat": "Retreat"},
	"model": {"single_clinician_dual_role": "One clinician in both roles", "in_house_team": "Own medical team", "collaborative_external_prescriber": "With an outside prescriber",
		"infusion_clinic_with_therapist": "Infusion clinic with a therapist"},
	"presence": {"in_room": "Therapist in the room", "video": "Therapist on video", "on_site_not_in_room": "Therapist in the building", "none": "Nobody in the room"},
	"monitoring": {"blood_pressure": "Blood pressure", "heart_rate": "Heart rate", "oxygen": "Oxygen", "observer": "Trained observer", "acls_on_site": "ACLS on site",
		"bls_on_site": "BLS on site"},
	"screening": {"uncontrolled_hypertension": "High blood pressure", "cardiovascular": "Heart disease", "psychosis": "Psychosis", "mania": "Mania",
		"pregnancy":            "Pregnancy or breastfeeding",
		"active_substance_use": "Current substance use", "raised_intracranial_pressure": "Raised pressure in the skull", "liver": "Liver disease", "bladder": "Bladder problems",
		"interacting_medicines": "Interacting medicines"},
	"framework": {"act": "Acceptance and Commitment Therapy", "ifs": "Internal Family Systems", "somatic_experiencing": "Somatic Experiencing",
		"psychodynamic": "Psychodynamic", "mindfulness": "Mindfulness",
		"emdr": "EMDR", "cbt": "Cognitive behavioral therapy"},
	"specialties": {"trauma": "Trauma and PTSD", "depression": "Depression", "anxiety": "Anxiety", "substance_use": "Substance use", "end_of_life": "End of life",
		"growth": "Personal growth"},
	"population": {"adult": "Adults", "older_adult": "Older adults", "veteran": "Veterans", "first_responder": "First responders", "lgbtq": "LGBTQ+", "adolescent": "Teens"},
	"format":     {"individual": "Individual", "couple": "Couples", "group": "Group"},
	"access": {"wheelchair": "Wheelchair accessible", "asl": "American Sign Language", "low_sensory": "Quiet, low light", "gender_neutral_restroom": "Gender-neutral restroom",
		"public_transport": "Near public transport"},
	"price": {"intake": "Intake", "medicine_session": "Medicine session", "integration": "Integration session", "package": "Package"},
	"level": {"attended": "Attended", "modules_complete": "Modules complete", "certificate": "Certificate", "in_programme_register": "In the programme's register"},
	"language": {"english": "English", "spanish": "Spanish", "mandarin": "Mandarin", "vietnamese": "Vietnamese", "korean": "Korean", "arabic": "Arabic",
		"portuguese": "Portuguese", "persian": "Farsi",
		"hindi": "Hindi", "russian": "Russian", "french": "French", "haitian creole": "Haitian Creole"},
}

// mustWord finds the site's word; a missing one is a mistake in this file.
func mustWord(table map[string]map[string]string, field, ours string) string {
	w, ok := table[field][ours]
	if !ok {
		panic(field + ": no word for " + ours)
	}
	return w
}

// page collects markup.
type page struct{ bytes.Buffer }

// line writes a line with every text escaped.
func (b *page) line(format string, texts ...any) {
	for i, t := range texts {
		if s, ok := t.(string); ok {
			texts[i] = html.EscapeString(s)
		}
	}
	fmt.Fprintf(b, format+"\n", texts...)
}

func (b *page) head(title, canonical string) {
	b.line("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>%s</title>\n<link rel=\"canonical\" href=\"%s\">", title, canonical)
}

// commons writes the site's files. A page's file name is its address with hyphens.
func (w *world) commons() map[string][]byte {
	out := map[string][]byte{}
	type card struct{ path, name, letters, phone, place string }
	var cards []card
	for _, p := range append(slices.Clone(w.people), w.prescribers...) {
		if p.onCommons {
			out["profile-"+p.slug+".html"] = commonsProfile(p)
			o := p.offices[0]
			cards = append(cards, card{"/profile/" + p.slug, p.personName.String(), strings.Join(p.letters, ", "), o.phone, fmt.Sprintf("%s, %s %s", o.city, o.state, o.zip)})
		}
	}
	for _, c := range w.clinics {
		if c.onCommons {
			out["clinic-"+c.slug+".html"] = commonsClinic(c)
			cards = append(cards, card{"/clinic/" + c.slug, c.name, "", c.office.phone, fmt.Sprintf("%s, %s %s", c.office.city, c.office.state, c.office.zip)})
		}
	}
	sort.Slice(cards, func(i, j int) bool { return cards[i].path < cards[j].path })
	const perPage = 25
	for n := 1; len(cards) > 0; n++ {
		var b page
		at := commonsSite + "/therapists/"
		if n > 1 {
			at += "?page=" + strconv.Itoa(n)
		}
		b.head(fmt.Sprintf("Therapists, page %d - KAP Commons (invented)", n), at)
		b.line("</head>\n<body>\n<div class=\"results\">")
		k := min(perPage, len(cards))
		for _, c := range cards[:k] {
			b.line(`  <div class="results-row"><a class="profile-title" href="%s">%s</a><div class="profile-subtitle-credentials">%s</div>`+
				`<span class="results-row-phone">%s</span><span class="address">%s</span></div>`, c.path, c.name, c.letters, c.phone, c.place)
		}
		b.line("</div>")
		if cards = cards[k:]; len(cards) > 0 {
			b.line(`<div class="pagination-controls-end"><a class="page-btn" rel="next" href="/therapists/?page=%d">Next</a></div>`, n+1)
		}
		b.line("</body>\n</html>")
		out[fmt.Sprintf("therapists-%d.html", n)] = b.Bytes()
	}
	return out
}

func commonsProfile(p *person) []byte {
	r := stream("commons " + p.slug)
	var b page
	b.head(p.personName.String()+" - KAP Commons (invented)", commonsSite+"/profile/"+p.slug)
	b.line("</head>\n<body>\n<main class=\"profile\">")
	kind := "Therapist"
	switch {
	case p.medical:
		kind = "Prescriber"
	case p.trade.prescribes():
		kind = "Therapist and prescriber"
	}
	b.line(`  <p class="profile-kind">%s</p>`, kind)
	name := p.personName.String()
	if p.trade == psychologist && chance(r, 30) {
		name = "Dr. " + name
	}
	b.line(`  <h1 class="profile-title">%s</h1>`, name)
	b.line(`  <div class="profile-subtitle-credentials">%s</div>`, strings.Join(p.letters, ", "))
	if p.commonsNPI && p.npi != "" {
		b.line(`  <p><span class="profile-npi">NPI %s</span></p>`, p.npi)
	}
	if !p.showsNoLic {
		b.line(`  <ul class="attribute-list license-list">`)
		for i, l := range p.licences {
			by := ""
			if i == 0 && p.supervisor != "" {
				by = ". Supervised by " + p.supervisor
			}
			b.line(`    <li>%s%s</li>`, licenceWords(r, l, i == 0 && by == "" && len(p.licences) == 1 && chance(r, 20)), by)
		}
		b.line(`  </ul>`)
	}
	if p.supervisor != "" {
		b.line(`  <p class="supervision">Supervised by %s</p>`, p.supervisor)
	}
	if len(p.trainings) > 0 {
		b.line(`  <ul class="attribute-list training-list">`)
		for _, t := range p.trainings {
			s := `    <li><span class="programme">` + html.EscapeString(t.words) + `</span>`
			if t.level != "" {
				s += `, <span class="level">` + html.EscapeString(mustWord(commonsWords, "level", t.level)) + `</span>`
			}
			if chance(r, 75) {
				s += `, <time datetime="` + t.completed + `">` + longDate(t.completed) + `</time>`
			}
			b.WriteString(s + "</li>\n")
		}
		b.line(`  </ul>`)
	}
	switch {
	case p.self:
		b.line(`  <div class="medical-oversight"><p class="who">Medical oversight: self</p></div>`)
	case p.prescriber != nil:
		b.line(`  <div class="medical-oversight">`)
		b.line(`    <p class="who">Medical oversight: %s</p>`, prescriberWords(p.prescriber, p.namesMD, p.offices[0].state))
		if p.namesMD == "full" && p.prescriber.clinic == nil && chance(r, 60) {
			commonsSiteOf(&b, "    ", "", p.prescriber.offices[0])
		}
		b.line(`  </div>`)
	}
	for _, o := range p.offices {
		commonsSiteOf(&b, "  ", "", o)
	}
	if p.clinic != nil && p.clinic.onCommons {
		b.line(`  <p>Works at <a class="works-at" href="/clinic/%s">%s</a></p>`, p.clinic.slug, p.clinic.name)
	}
	if p.website != "" {
		b.line(`  <p><a class="website" href="%s">Website</a></p>`, p.website)
	}
	commonsFacts(&b, r, p.facts)
	b.line(`  <p>Last updated <time class="last-updated" datetime="%s">%s</time></p>`, p.asOf, longDate(p.asOf))
	b.line("</main>\n</body>\n</html>")
	return b.Bytes()
}

func commonsClinic(c *clinic) []byte {
	r := stream("commons clinic " + c.slug)
	var b page
	b.head(c.name+" - KAP Commons (invented)", commonsSite+"/clinic/"+c.slug)
	b.line("</head>\n<body>\n<main class=\"profile\">\n  <p class=\"profile-kind\">KAP clinic</p>")
	b.line(`  <h1 class="profile-title">%s</h1>`, c.legal)
	b.line(`  <p><span class="profile-npi">NPI %s</span></p>`, c.npi)
	b.line(`  <div class="medical-oversight"><p class="who">Medical oversight: %s</p></div>`, prescriberWords(c.people[0], "full", c.office.state))
	commonsSiteOf(&b, "  ", c.name, c.office)
	b.line(`  <p><a class="website" href="%s">Website</a></p>`, c.website)
	commonsFacts(&b, r, c.facts)
	b.line(`  <p>Last updated <time class="last-updated" datetime="%s">%s</time></p>`, c.asOf, longDate(c.asOf))
	b.line("</main>\n</body>\n</html>")
	return b.Bytes()
}

// licenceWords writes "LCSW #CSW.09923456, Colorado", the state left out where the address has it.
func licenceWords(r *rand.Rand, l *licence, bare bool) string {
	s := l.word + " #" + l.number
	if l.board == "DR" && chance(r, 30) {
		s = l.number
	}
	if bare {
		return s
	}
	return s + ", " + directory.State(l.state).Name()
}

// prescriberWords writes "Dr. Elena Roth, MD, NPI 2100000175, license DR.00512345 (CO)" or less of it.
func prescriberWords(p *person, how, state string) string {
	s := p.personName.String()
	if p.trade == psychiatrist || p.trade == physician {
		s = "Dr. " + s
	}
	s += ", " + p.letters[len(p.letters)-1]
	if how == "name" {
		return s
	}
	s += ", NPI " + p.npi
	if how == "full" {
		l := p.licences[0]
		for _, x := range p.licences {
			if x.state == state && l.state != state {
				l = x
			}
		}
		s += fmt.Sprintf(", license %s (%s)", l.number, l.state)
	}
	return s
}

func commonsSiteOf(b *page, indent, name string, o office) {
	b.WriteString(indent + "<address class=\"site\">\n")
	if name != "" {
		b.line(indent+`  <span class="site-name">%s</span>`, name)
	}
	b.line(indent+`  <span class="street">%s</span>`, o.street)
	if o.suite != "" {
		b.line(indent+`  <span class="street2">%s</span>`, o.suite)
	}
	b.line(indent+`  <span class="city">%s</span>, <span class="state">%s</span> <span class="zip">%s</span>`, o.city, o.state, o.zip)
	if o.phone != "" {
		b.line(indent+`  <span class="phone">%s</span>`, o.phone)
	}
	b.WriteString(indent + "</address>\n")
}

// commonsFacts writes what the practice says of itself, and nothing for what it does not.
func commonsFacts(b *page, r *rand.Rand, f directory.Practice) {
	if f.Accepting != directory.Unknown {
		s := "Accepting new clients"
		if f.Accepting == directory.No {
			s = "Not accepting new clients"
		}
		if f.Waitlist == directory.Yes {
			s = "Waiting list"
		}
		if chance(r, 70) {
			s += " (as of " + string(f.AcceptingAsOf) + ")"
		}
		b.line(`  <p class="accepting-clients">%s</p>`, s)
	}
	var terms [][3]string
	term := func(label, class, text string) {
		if text != "" {
			terms = append(terms, [3]string{label, class, text})
		}
	}
	answer := func(a directory.Answer) string {
		return map[directory.Answer]string{directory.Yes: "Yes", directory.No: "No"}[a]
	}
	term("Preparation", "preparation", commonsPhase(f.Preparation))
	term("Medicine sessions", "medicine", commonsPhase(f.Medicine))
	term("Integration", "integration", commonsPhase(f.Integration))
	if f.Model != "" {
		term("Model", "model", mustWord(commonsWords, "model", f.Model))
	}
	if f.Presence != "" {
		term("During the medicine session", "presence", mustWord(commonsWords, "presence", string(f.Presence)))
	}
	term("Vital signs taken", "vital-signs", answer(f.VitalSigns))
	term("Written emergency plan", "emergency-plan", answer(f.EmergencyPlan))
	term("Escort home required", "escort", answer(f.Escort))
	term("Telehealth", "telehealth", answer(f.Telehealth))
	term("Sliding scale", "sliding-scale", answer(f.SlidingScale))
	term("Superbill", "superbill", answer(f.Superbill))
	if len(terms) > 0 {
		b.line(`  <dl class="kap">`)
		for _, t := range terms {
			b.line(`    <dt>%s</dt><dd class="%s">%s</dd>`, t[0], t[1], t[2])
		}
		b.line(`  </dl>`)
	}
	list := func(class, field string, items []string) {
		if len(items) == 0 {
			return
		}
		b.WriteString(`  <ul class="attribute-list ` + class + `">`)
		for _, it := range items {
			b.WriteString("<li>" + html.EscapeString(mustWord(commonsWords, field, it)) + "</li>")
		}
		b.WriteString("</ul>\n")
	}
	list("route-list", "route", f.Routes)
	list("setting-list", "setting", f.Settings)
	list("monitoring-list", "monitoring", f.Monitoring)
	list("screening-list", "screening", f.Screening)
	list("framework-list", "framework", f.Frameworks)
	list("specialties-list", "specialties", f.Focus)
	list("population-list", "population", f.Populations)
	list("format-list", "format", f.Formats)
	list("language-list", "language", f.Languages)
	list("access-list", "access", f.Access)
	if len(f.TelehealthIn) > 0 {
		b.WriteString(`  <ul class="attribute-list telehealth-states">`)
		for _, s := range f.TelehealthIn {
			b.WriteString("<li>" + s.Name() + "</li>")
		}
		b.WriteString("</ul>\n")
	}
	if len(f.Prices) > 0 {
		asOf := fmt.Sprintf("2026-%02d-%02d", 1+r.IntN(9), 1+r.IntN(28))
		b.line(`  <ul class="attribute-list fees-list">`)
		for _, it := range f.Prices {
			amount := dollars(it.MinCents)
			if it.MaxCents > it.MinCents {
				amount += "-" + dollars(it.MaxCents)
			}
			when := fmt.Sprintf(" (as of %s)", asOf)
			if chance(r, 20) {
				when = ""
			}
			b.line(`    <li>%s: %s%s</li>`, mustWord(commonsWords, "price", it.Component), amount, when)
		}
		b.line(`  </ul>`)
	}
}

func commonsPhase(p directory.Phase) string {
	switch {
	case p.Offered == directory.No:
		return "Not offered"
	case p.Offered == directory.Unknown:
		return ""
	case p.SessionsMin == 0:
		return "Yes"
	}
	sessions, minutes := rangeWords(p.SessionsMin, p.SessionsMax), rangeWords(p.MinutesMin, p.MinutesMax)+" minutes"
	if p.MinutesMin%60 == 0 && p.MinutesMax%60 == 0 && p.MinutesMin >= 120 {
		minutes = rangeWords(p.MinutesMin/60, p.MinutesMax/60) + " hours"
	}
	return "Yes: " + sessions + " sessions of " + minutes
}

func rangeWords(a, b int) string {
	if a == b {
		return strconv.Itoa(a)
	}
	return fmt.Sprintf("%d-%d", a, b)
}

func dollars(cents int64) string {
	d := cents / 100
	if d >= 1000 {
		return fmt.Sprintf("$%d,%03d", d/1000, d%1000)
	}
	return fmt.Sprintf("$%d", d)
}

func longDate(d string) string {
	t, err := time.Parse(time.DateOnly, d)
	if err != nil {
		panic(err)
	}
	return t.Format("2 January 2006")
}

// ---------------------------------------------------------------------------------------------------
// Open Clinics: JSON-LD

const clinicsSite = "https://open-clinics.example"

// clinicsWords are the site's words where they are not ours.
var clinicsWords = map[string]map[string]string{
	"route": {"sublingual_lozenge": "lozenge", "oral": "oral", "intramuscular": "IM", "intravenous": "IV", "subcutaneous": "SC",
		"intranasal_compounded": "compounded nasal", "esketamine": "esketamine"},
	"setting": {"clinic_in_person": "clinic", "therapist_office": "office", "home_remote": "home", "retreat": "retreat"},
	"model": {"single_clinician_dual_role": "one clinician", "in_house_team": "in-house team", "collaborative_external_prescriber": "outside prescriber",
		"infusion_clinic_with_therapist": "infusion clinic with therapist"},
	"presence":   {"in_room": "in room", "video": "video", "on_site_not_in_room": "on site", "none": "nobody"},
	"monitoring": {"blood_pressure": "blood pressure", "heart_rate": "pulse", "oxygen": "SpO2", "observer": "observer", "acls_on_site": "ACLS", "bls_on_site": "BLS"},
	"screening": {"uncontrolled_hypertension": "hypertension", "cardiovascular": "heart", "psychosis": "psychosis", "mania": "mania", "pregnancy": "pregnancy",
		"active_substance_use":         "substance use",
		"raised_intracranial_pressure": "intracranial pressure", "liver": "liver", "bladder": "bladder", "interacting_medicines": "medicines"},
	"framework":  {"act": "ACT", "ifs": "IFS", "somatic_experiencing": "somatic", "psychodynamic": "psychodynamic", "mindfulness": "mindfulness", "emdr": "EMDR", "cbt": "CBT"},
	"focus":      {"trauma": "PTSD", "depression": "depression", "anxiety": "anxiety", "substance_use": "substance use", "end_of_life": "end of life", "growth": "growth"},
	"population": {"adult": "adults", "older_adult": "older adults", "veteran": "veterans", "first_responder": "first responders", "lgbtq": "LGBTQ", "adolescent": "adolescents"},
	"format":     {"individual": "individual", "couple": "couple", "group": "group"},
	"access":     {"wheelchair": "wheelchair", "asl": "ASL", "low_sensory": "low sensory", "gender_neutral_restroom": "gender-neutral restroom", "public_transport": "transit"},
	"price":      {"intake": "intake", "medicine_session": "medicine session", "integration": "integration", "package": "package"},
	"level":      {"attended": "attended", "modules_complete": "modules", "certificate": "certificate", "in_programme_register": "register"},
	"language": {"english": "en", "spanish": "es", "mandarin": "zh", "vietnamese": "vi", "korean": "Korean", "arabic": "ar", "portuguese": "Portuguese", "persian": "fa",
		"hindi": "hi", "russian": "Russian",
		"french": "fr"},
}

// node is an object of JSON-LD; its keys are written in alphabetical order.
type node = map[string]any

// openClinics writes the site's files: one page for a clinic, and one for each of its people where the
// clinic's page only points to them.
func (w *world) openClinics() map[string][]byte {
	out := map[string][]byte{}
	var links []string
	for i, c := range w.clinics {
		var people map[string][]byte
		out["clinics-"+c.slug+".html"], people = clinicPages(i, c)
		links = append(links, "/clinics/"+c.slug)
		for name, body := range people {
			out[name] = body
			links = append(links, "/"+strings.TrimSuffix(strings.Replace(name, "-", "/", 1), ".html"))
		}
	}
	out["clinics-drip-lounge-example.html"] = notListedClinic()
	links = append(links, "/clinics/drip-lounge-example")
	sort.Strings(links)
	for n := 1; len(links) > 0; n++ {
		var b page
		at := clinicsSite + "/clinics/"
		if n > 1 {
			at += "?page=" + strconv.Itoa(n)
		}
		b.head(fmt.Sprintf("Clinics, page %d - Open Clinics (invented)", n), at)
		b.line("</head>\n<body>\n<ul>")
		k := min(50, len(links))
		for _, l := range links[:k] {
			b.line(`  <li><a class="listing" href="%s">%s</a></li>`, l, l)
		}
		b.line("</ul>")
		if links = links[k:]; len(links) > 0 {
			b.line(`<a rel="next" href="/clinics/?page=%d">More</a>`, n+1)
		}
		b.line("</body>\n</html>")
		out[fmt.Sprintf("index-%d.html", n)] = b.Bytes()
	}
	return out
}

// shape is how a clinic's page is written: the kinds of JSON-LD that are met in practice.
func shape(i int) string { return []string{"graph", "nested", "array", "pages"}[i%4] }

// clinicKey is the record key of the clinic's node, and memberKey that of a person in it.
func clinicKey(c *clinic) string { return "/clinics/" + c.slug + "#clinic" }

func (w *world) memberKey(p *person) string {
	for i, c := range w.clinics {
		if c == p.clinic && shape(i) == "pages" {
			return "/people/" + p.slug
		}
	}
	return "/clinics/" + p.clinic.slug + "#" + p.slug
}

func clinicPages(i int, c *clinic) (clinicPage []byte, people map[string][]byte) {
	how := shape(i)
	r := stream("open clinics " + c.slug)
	address := clinicsSite + "/clinics/" + c.slug
	n := clinicNode(r, how, c, address)
	people = map[string][]byte{}
	var doc any
	switch how {
	case "graph":
		graph := []any{node{"@type": "WebSite", "@id": clinicsSite + "/#site", "name": "Open Clinics"}, node{"@type": "WebPage", "@id": address,
			"dateModified": c.asOf + "T09:00:00-06:00"}, n}
		var refs []any
		for _, p := range c.people {
			refs = append(refs, node{"@id": "#" + p.slug})
			graph = append(graph, memberNode(r, how, p, address, "#"+p.slug))
		}
		n["employee"] = append(refs, node{"@type": "Person", "name": "Robin Frontdesk", "jobTitle": "Front desk"})
		doc = node{"@context": "https://schema.org", "@graph": graph}
	case "nested":
		n["@context"], n["dateModified"] = "http://schema.org", c.asOf
		var members []any
		for _, p := range c.people {
			members = append(members, memberNode(r, how, p, address, address+"#"+p.slug))
		}
		n["employee"] = members
		doc = n
	case "array":
		n["@context"], n["dateModified"] = "https://schema.org/", c.asOf
		all := []any{n}
		for _, p := range c.people {
			m := memberNode(r, how, p, address, address+"#"+p.slug)
			m["@context"], m["dateModified"] = "https://schema.org/", c.asOf
			all = append(all, m)
		}
		doc = all
	case "pages":
		n["@context"], n["dateModified"] = node{"@vocab": "http://schema.org/"}, c.asOf
		for _, p := range c.people {
			at := clinicsSite + "/people/" + p.slug
			m := memberNode(r, how, p, address, at)
			m["@context"], m["dateModified"] = node{"@vocab": "http://schema.org/"}, c.asOf
			people["people-"+p.slug+".html"] = jsonPage(p.personName.String(), at, m)
		}
		doc = n
	}
	return jsonPage(c.name, address, doc), people
}

func jsonPage(title, canonical string, doc any) []byte {
	var j bytes.Buffer
	e := json.NewEncoder(&j)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(doc); err != nil {
		panic(err)
	}
	var b page
	b.head(title+" - Open Clinics (invented)", canonical)
	b.WriteString("<script type=\"application/ld+json\">\n" + j.String() + "</script>\n")
	b.line("</head>\n<body><h1>%s</h1></body>\n</html>", title)
	return b.Bytes()
}

// notListedClinic offers infusions and says nothing of KAP: it must make no listing.
func notListedClinic() []byte {
	at := clinicsSite + "/clinics/drip-lounge-example"
	return jsonPage("Drip Lounge Example", at, node{"@context": "https://schema.org", "@type": "MedicalClinic", "@id": at + "#clinic", "name": "Drip Lounge Example LLC",
		"telephone":        "(303) 555-0196",
		"availableService": node{"@type": "MedicalTherapy", "name": "Vitamin infusion"}, "employee": []any{node{"@type": "Person", "name": "Casey Counter",
			"jobTitle": "Front desk"}}})
}

func postal(o office) node {
	street := o.street
	if o.suite != "" {
		street += ", " + o.suite
	}
	return node{"@type": "PostalAddress", "streetAddress": street, "addressLocality": o.city, "addressRegion": o.state, "postalCode": o.zip}
}

func clinicNode(r *rand.Rand, how string, c *clinic, address string) node {
	types := map[string]any{"graph": []string{"MedicalClinic", "LocalBusiness"}, "nested": "MedicalBusiness", "array": []string{"MedicalBusiness", "MedicalClinic"},
		"pages": "http://schema.org/MedicalClinic"}
	n := node{"@type": types[how], "@id": address + "#clinic", "name": c.legal, "url": c.website, "telephone": c.office.phone, "address": postal(c.office)}
	if how == "nested" {
		o := c.office
		n["address"] = fmt.Sprintf("%s, %s, %s, %s %s", o.street, o.suite, o.city, o.state, o.zip)
	}
	if c.npi != "" {
		if how == "pages" {
			n["usNPI"] = c.npi
		} else {
			n["identifier"] = node{"@type": "PropertyValue", "propertyID": "NPI", "value": c.npi}
		}
	}
	director := c.people[0]
	over := any(node{"@id": address + "#" + director.slug})
	if how == "pages" {
		over = prescriberWords(director, "full", c.office.state)
	}
	factsNode(r, n, c.facts, over)
	return n
}

// memberNode is a person of a clinic: a therapist who offers KAP, or the prescriber.
func memberNode(r *rand.Rand, how string, p *person, address, id string) node {
	n := node{"@type": "Person", "@id": id, "name": p.personName.String() + ", " + strings.Join(p.letters, ", ")}
	if how == "array" {
		n["name"], n["givenName"], n["familyName"], n["honorificSuffix"] = p.personName.String(), p.given, strings.TrimSpace(p.family+" "+p.suffix), strings.Join(p.letters, ", ")
		if p.middle != "" {
			n["additionalName"] = p.middle
		}
	}
	if p.showsNPI && p.npi != "" {
		if how == "nested" {
			n["identifier"] = []any{node{"@type": "PropertyValue", "propertyID": "NPI", "value": p.npi}}
		} else {
			n["usNPI"] = p.npi
		}
	}
	var creds []any
	for i, l := range p.licences {
		words := l.word + " #" + l.number + ", " + directory.State(l.state).Name()
		switch {
		case how == "nested":
			creds = append(creds, words)
		case how == "pages" && i == 0 && len(p.licences) == 1 && len(p.trainings) == 0:
			creds = append(creds, words)
		default:
			number := "identifier"
			kind := "EducationalOccupationalCredential"
			if how == "graph" {
				kind, number = "Certification", "certificationIdentification"
			}
			creds = append(creds, node{"@type": kind, "credentialCategory": "license", "name": l.word, number: l.number, "validIn": node{"@type": "AdministrativeArea",
				"name": directory.State(l.state).Name()}})
		}
	}
	for _, t := range p.trainings {
		x := node{"@type": "EducationalOccupationalCredential", "credentialCategory": "training", "name": t.words, "dateCreated": t.completed}
		if t.level != "" {
			x["educationalLevel"] = mustWord(clinicsWords, "level", t.level)
		}
		creds = append(creds, x)
	}
	n["hasCredential"] = creds
	if len(creds) == 1 && how == "pages" {
		n["hasCredential"] = creds[0]
	}
	n["worksFor"] = node{"@id": address + "#clinic"}
	place := p.clinic.office
	n["workLocation"] = node{"@type": "Place", "telephone": p.offices[0].phone, "address": postal(place)}
	if p.website != "" {
		n["sameAs"] = []string{p.website}
	}
	if p.trade.prescribes() && !p.self && !p.onCommons {
		n["@type"] = "Physician"
		if p.trade == psychNurse {
			n["@type"] = "Person"
		}
		n["jobTitle"] = pick(r, []string{"Medical director", "Prescriber"})
		return n
	}
	var over any
	switch {
	case p.self:
		over = "self"
	case p.prescriber == nil:
	case how == "pages":
		over = prescriberWords(p.prescriber, "full", place.state)
	case p.prescriber.clinic == p.clinic:
		over = node{"@id": address + "#" + p.prescriber.slug}
	default:
		over = prescriberWords(p.prescriber, p.namesMD, place.state)
	}
	f := p.clinic.facts
	f.Prices, f.Access = nil, nil
	if p.onCommons {
		f = p.facts
	}
	factsNode(r, n, f, over)
	return n
}

// factsNode adds what the practice says of itself to the node and its KAP service.
func factsNode(r *rand.Rand, n node, f directory.Practice, oversight any) {
	var props []any
	add := func(id string, value any) {
		props = append(props, node{"@type": "PropertyValue", "propertyID": id, "value": value})
	}
	phase := func(id string, p directory.Phase) {
		switch {
		case p.Offered == directory.No:
			add(id, "no")
		case p.Offered == directory.Yes && p.SessionsMin == 0:
			add(id, "yes")
		case p.Offered == directory.Yes:
			add(id, fmt.Sprintf("yes, %s sessions, %s minutes", rangeWords(p.SessionsMin, p.SessionsMax), rangeWords(p.MinutesMin, p.MinutesMax)))
		}
	}
	list := func(id, field string, items []string) {
		var out []string
		for _, it := range items {
			out = append(out, mustWord(clinicsWords, field, it))
		}
		if len(out) > 0 {
			add(id, out)
		}
	}
	answer := func(id string, a directory.Answer) {
		if a != directory.Unknown {
			add(id, a == directory.Yes)
		}
	}
	phase("preparation", f.Preparation)
	phase("medicine", f.Medicine)
	phase("integration", f.Integration)
	list("route", "route", f.Routes)
	list("setting", "setting", f.Settings)
	if f.Model != "" {
		add("model", mustWord(clinicsWords, "model", f.Model))
	}
	if f.Presence != "" {
		add("presence", mustWord(clinicsWords, "presence", string(f.Presence)))
	}
	list("monitoring", "monitoring", f.Monitoring)
	answer("vitalSigns", f.VitalSigns)
	answer("emergencyPlan", f.EmergencyPlan)
	answer("escort", f.Escort)
	list("screening", "screening", f.Screening)
	list("framework", "framework", f.Frameworks)
	list("focus", "focus", f.Focus)
	list("population", "population", f.Populations)
	list("format", "format", f.Formats)
	answer("superbill", f.Superbill)
	answer("slidingScale", f.SlidingScale)
	answer("waitlist", f.Waitlist)
	if f.AcceptingAsOf != "" {
		add("acceptingAsOf", string(f.AcceptingAsOf))
	}
	answer("telehealth", f.Telehealth)
	if len(f.TelehealthIn) > 0 {
		add("telehealthIn", f.TelehealthIn)
	}
	if oversight != nil {
		add("medicalOversight", oversight)
	}
	service := node{"@type": "MedicalTherapy", "name": pick(r, []string{"Ketamine-assisted psychotherapy", "Ketamine-assisted psychotherapy", "KAP"}), "additionalProperty": props}
	var offers []any
	for _, it := range f.Prices {
		o := node{"@type": "Offer", "name": mustWord(clinicsWords, "price", it.Component), "priceCurrency": "USD", "validFrom": fmt.Sprintf("2026-%02d-01", 1+r.IntN(9))}
		if it.MinCents == it.MaxCents {
			o["price"] = fmt.Sprintf("%d.00", it.MinCents/100)
		} else {
			o["priceSpecification"] = node{"@type": "PriceSpecification", "minPrice": it.MinCents / 100, "maxPrice": strconv.FormatInt(it.MaxCents/100, 10), "priceCurrency": "USD"}
		}
		offers = append(offers, o)
	}
	if offers != nil {
		service["offers"] = offers
	}
	n["availableService"] = service
	if chance(r, 40) {
		n["availableService"] = []any{service}
	}
	switch f.Accepting {
	case directory.Yes:
		n["isAcceptingNewPatients"] = pick(r, []any{true, "true", "https://schema.org/True"})
	case directory.No:
		n["isAcceptingNewPatients"] = pick(r, []any{false, "http://schema.org/False"})
	}
	var langs []any
	for _, l := range f.Languages {
		if w, ok := clinicsWords["language"][l]; ok {
			langs = append(langs, w)
		}
	}
	if langs != nil {
		n["knowsLanguage"] = langs
	}
	var amenities []any
	for _, a := range f.Access {
		amenities = append(amenities, node{"@type": "LocationFeatureSpecification", "name": mustWord(clinicsWords, "access", a), "value": true})
	}
	if amenities != nil {
		n["amenityFeature"] = amenities
	}
}

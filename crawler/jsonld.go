package crawler

import (
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

const (
	maxGraphDepth = 40
	maxGraphNodes = 5000
)

// node is an object of a page's JSON-LD or microdata with the keys of schema.org bare: "schema:name" and
// "http://schema.org/name" are name.
type node map[string]any

// whereKey is where an object stands in its page: no name of a vocabulary has a blank.
const whereKey = " where"

// graph is what a page's JSON-LD or microdata says. It is walked as it stands: no context is fetched, since that would
// let a page choose whom we call.
type graph struct {
	recipe *recipe
	page   *page
	asOf   directory.Date
	order  []node
	byID   map[string]node
	parent map[int]int    // a person or organisation → the organisation it stands under
	orgs   map[int]string // the key of each listed organisation
	place  map[string]int // id → place in order of the node that defines it
	works  map[int][]int  // person → the organisations on the page that they work at
}

// readGraph reads the listings of a page's JSON-LD blocks, or of its microdata. A block that is no JSON is
// put aside alone.
func readGraph(r *recipe, p *page, asOf directory.Date) (drafts []*draft, asides []directory.Reject) {
	format := graphFormats[r.Format]
	if format.blocks {
		g := newGraph(r, p, asOf)
		asides = g.blocks()
		drafts = g.listings()
	}
	if format.items && len(drafts) == 0 {
		g := newGraph(r, p, asOf)
		for _, item := range items(p) {
			g.walk(item, -1, "", "", 0)
		}
		drafts = g.listings()
	}
	return drafts, asides
}

func newGraph(r *recipe, p *page, asOf directory.Date) *graph {
	return &graph{recipe: r, page: p, asOf: asOf, byID: map[string]node{}, parent: map[int]int{}, orgs: map[int]string{}, place: map[string]int{}, works: map[int][]int{}}
}

// blocks walks the page's blocks of JSON-LD.
func (g *graph) blocks() (asides []directory.Reject) {
	g.page.doc.Find(`script[type]`).Each(func(i int, s *goquery.Selection) {
		kind, _ := s.Attr("type")
		if !strings.Contains(strings.ToLower(kind), "ld+json") {
			return
		}
		text := strings.TrimSpace(s.Text())
		text = strings.TrimSuffix(strings.TrimPrefix(text, "<!--"), "-->")
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			asides = append(asides, directory.Reject{File: g.page.name, Field: "script " + itoa(i+1), Reason: "the JSON-LD cannot be read: " + shorten(err.Error(), 100)})
			return
		}
		where := ""
		if g.page.traced {
			where = "script " + itoa(i+1) + " "
		}
		g.walk(v, -1, "", where, 0)
	})
	return asides
}

// walk gathers every object that has a type or an id, in the order of the page.
func (g *graph) walk(v any, under int, property, where string, depth int) {
	if depth > maxGraphDepth || len(g.order) >= maxGraphNodes {
		return
	}
	switch v := v.(type) {
	case []any:
		for i, x := range v {
			g.walk(x, under, property, g.pointer(where, itoa(i)), depth+1)
		}
	case map[string]any:
		n := bare(v)
		if ctx, ok := n["@context"]; ok && !schemaOrg(ctx) {
			return
		}
		if n[whereKey] == nil && where != "" {
			n[whereKey] = where
		}
		at := len(g.order)
		g.order = append(g.order, n)
		if id := g.resolve(text(n["@id"])); id != "" {
			if have := g.byID[id]; len(have) < len(n) {
				g.byID[id] = n
				g.place[id] = at
			}
		}
		if under >= 0 && slices.Contains(membership, property) {
			g.parent[at] = under
		}
		keys := make([]string, 0, len(n))
		for k := range n {
			if k != "@context" && k != whereKey && !slices.Contains(notMain, k) {
				keys = append(keys, k)
			}
		}
		slices.Sort(keys)
		for _, k := range keys {
			g.walk(n[k], at, k, g.pointer(where, k), depth+1)
		}
	}
}

// pointer is the JSON pointer of a part, for somebody who looks at the recipe.
func (g *graph) pointer(where, part string) string {
	if !g.page.traced || where == "" {
		return ""
	}
	return shorten(where, 300) + "/" + shorten(part, 100)
}

// membership are the properties under which an organisation's people stand, notMain those that name
// somebody who is not what the page is about.
var (
	membership = []string{"employee", "employees", "member", "members", "founder", "founders", "physician", "department", "subOrganization"}
	notMain    = []string{"author", "publisher", "creator", "editor", "review", "aggregateRating", "recognizedBy", "issuedBy", "sponsor", "funder", "alumniOf", "image", "logo", "photo"}
)

// bare takes the vocabulary's name off an object's keys.
func bare(m map[string]any) node {
	n := make(node, len(m))
	for k, v := range m {
		n[bareTerm(k)] = v
	}
	return n
}

func bareTerm(k string) string {
	for _, p := range []string{"https://schema.org/", "http://schema.org/", "https://www.schema.org/", "http://www.schema.org/", "schema:"} {
		if rest, ok := strings.CutPrefix(k, p); ok {
			return rest
		}
	}
	return k
}

// schemaOrg reports a context that is schema.org's, in one of the forms met.
func schemaOrg(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, "schema.org")
	case []any:
		return slices.ContainsFunc(v, schemaOrg)
	case map[string]any:
		for _, x := range v {
			if s, ok := x.(string); ok && strings.Contains(s, "schema.org") {
				return true
			}
		}
	}
	return false
}

// text is a value as one line: a string, a number, a boolean, or the name or value of an object.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return cleanText(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		n := bare(v)
		for _, k := range []string{"name", "@value", "value"} {
			if s, ok := n[k].(string); ok {
				return cleanText(s)
			}
		}
	case []any:
		if len(v) > 0 {
			if _, nested := v[0].([]any); !nested {
				return text(v[0])
			}
		}
	}
	return ""
}

// list is a value as a list: nil, one or several.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v[:min(len(v), maxValues)]
	}
	return []any{v}
}

func texts(v any) []string {
	var out []string
	for _, x := range list(v) {
		s := text(x)
		if _, bool := x.(bool); !bool {
			s = bareTerm(s)
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// resolve writes an @id as an absolute address on the page's own host, "" for none.
func (g *graph) resolve(id string) string {
	if id == "" || len(id) > 1000 {
		return ""
	}
	u, err := g.page.url.Parse(id)
	if err != nil {
		return ""
	}
	return u.String()
}

// deref follows a reference by @id to where the page defines it.
func (g *graph) deref(v any) (node, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	n := bare(m)
	if id := g.resolve(text(n["@id"])); id != "" {
		if full := g.byID[id]; len(full) > len(n) {
			return full, true
		}
	}
	return n, true
}

func types(n node) []string {
	var out []string
	for _, t := range list(n["@type"]) {
		if s, ok := t.(string); ok {
			out = append(out, bareTerm(s))
		}
	}
	return out
}

var (
	personTypes = []string{"Person", "IndividualPhysician", "Physician"}
	placeTypes  = []string{"MedicalClinic", "MedicalBusiness", "MedicalOrganization", "PhysiciansOffice", "ProfessionalService", "LocalBusiness", "Psychiatric", "HealthAndBeautyBusiness"}
)

// kindOf tells a person from an organisation. Physician is both in the vocabulary: it is a person
// unless the node also says that it is a place.
func kindOf(n node) directory.ProviderKind {
	ts := types(n)
	has := func(set []string) bool {
		return slices.ContainsFunc(ts, func(t string) bool { return slices.Contains(set, t) })
	}
	switch {
	case slices.Contains(ts, "Person") || slices.Contains(ts, "IndividualPhysician"):
		return directory.Person
	case has(placeTypes):
		return directory.Organisation
	case has(personTypes):
		return directory.Person
	}
	return ""
}

// listings decides who is listed, and why, and reads them. Nobody is listed for standing on a page:
// somebody must say that they offer KAP, or prescribe for those who do, or employ them.
func (g *graph) listings() []*draft {
	as := map[int]directory.ListedAs{}
	definer := func(i int) bool { // a reference is not the node itself
		id := g.resolve(text(g.order[i]["@id"]))
		return id == "" || g.place[id] == i
	}
	for i, n := range g.order {
		if kindOf(n) == "" || !definer(i) {
			continue
		}
		switch {
		case g.offersKAP(n):
			as[i] = directory.AsKAP
		case kindOf(n) == directory.Person && g.role(n):
			as[i] = directory.AsPrescriber
		}
	}
	for i, n := range g.order { // whom a listed one names for medical oversight
		if as[i] != directory.AsKAP {
			continue
		}
		for _, v := range g.property(n, "prescribers") {
			if m, ok := v.(map[string]any); ok {
				if at, ok := g.place[g.resolve(text(bare(m)["@id"]))]; ok && as[at] == "" && kindOf(g.order[at]) == directory.Person {
					as[at] = directory.AsPrescriber
				}
			}
		}
	}
	works := func(i, at int) {
		if i != at && !slices.Contains(g.works[i], at) {
			g.works[i] = append(g.works[i], at)
		}
	}
	for i, n := range g.order {
		if at, ok := g.parent[i]; ok {
			works(g.defined(i), at)
		}
		for _, k := range []string{"worksFor", "practicesAt", "memberOf", "affiliation"} {
			for _, v := range list(n[k]) {
				if m, ok := v.(map[string]any); ok {
					if at, ok := g.place[g.resolve(text(bare(m)["@id"]))]; ok {
						works(i, at)
					}
				}
			}
		}
	}
	for i := range g.order {
		if as[i] == "" || kindOf(g.order[i]) != directory.Person {
			continue
		}
		for _, at := range g.works[i] {
			if as[at] == "" && kindOf(g.order[at]) == directory.Organisation && text(g.order[at]["name"]) != "" {
				as[at] = directory.AsClinic
			}
		}
	}
	several := len(as) > 1
	for i, n := range g.order {
		if as[i] != "" && kindOf(n) == directory.Organisation {
			g.orgs[i] = g.key(n, several)
		}
	}
	var drafts []*draft
	for i, n := range g.order {
		if as[i] == "" || len(drafts) >= 500 {
			continue
		}
		d := newDraft(g.recipe, g.page, g.asOf)
		d.key = g.key(n, several)
		if g.nodeHoldsSSN(n) {
			d.ssn = d.key
			drafts = append(drafts, d)
			continue
		}
		g.read(d, n, as[i], g.works[i])
		if d.trace != nil {
			where, _ := n[whereKey].(string)
			for _, f := range slices.Sorted(maps.Keys(d.fields)) {
				*d.trace = append(*d.trace, Match{Field: f, Path: cleanText(where), Text: scrubText(d.fields[f])})
			}
		}
		drafts = append(drafts, d)
	}
	return drafts
}

// defined is the place of the node that a reference at i stands for.
func (g *graph) defined(i int) int {
	if at, ok := g.place[g.resolve(text(g.order[i]["@id"]))]; ok {
		return at
	}
	return i
}

// nodeHoldsSSN looks at the whole node as the page has it, prose included: a listing beside such a number
// is for a person. People who stand inside an organisation are looked at by themselves.
func (g *graph) nodeHoldsSSN(n node) bool {
	own := make(node, len(n))
	for k, v := range n {
		if !slices.Contains(membership, k) {
			own[k] = v
		}
	}
	b, err := json.Marshal(own)
	return err != nil || holdsSSN(string(b))
}

// key is stable from release to release: the path of the node's @id and its fragment, else the page's
// path, with the name where the page holds several.
func (g *graph) key(n node, several bool) string {
	if id := g.resolve(text(n["@id"])); id != "" {
		if u, err := url.Parse(id); err == nil && strings.EqualFold(u.Host, g.page.url.Host) {
			frag := u.Fragment
			u.Fragment = ""
			if frag != "" {
				frag = "#" + shorten(frag, 100)
			}
			return pathKey(u) + frag
		}
	}
	if several {
		return pathKey(g.page.url) + "#" + slug(shorten(text(n["name"])+text(n["familyName"]), 100))
	}
	return pathKey(g.page.url)
}

// offersKAP reports a node that says so itself.
func (g *graph) offersKAP(n node) bool { return len(g.kapServices(n)) > 0 }

// kapServices returns the services of a node that are called KAP in the recipe's words; a service that is
// only a name has no properties.
func (g *graph) kapServices(n node) []node {
	var out []node
	for _, k := range []string{"availableService", "makesOffer", "hasOfferCatalog"} {
		for _, v := range list(n[k]) {
			if s, ok := v.(string); ok {
				if _, kap := g.recipe.Words.find("service", s); kap {
					out = append(out, node{})
				}
				continue
			}
			s, ok := g.deref(v)
			if !ok {
				continue
			}
			if item, ok := g.deref(s["itemOffered"]); ok && k != "availableService" {
				s = item
			}
			if _, kap := g.recipe.Words.find("service", text(s["name"])); kap {
				out = append(out, s)
			}
		}
	}
	return out
}

// role reports a job title of people who are listed for the medical role alone.
func (g *graph) role(n node) bool {
	for _, t := range append(texts(n["jobTitle"]), texts(n["hasOccupation"])...) {
		if w, ok := g.recipe.Words.find("role", t); ok && w == "prescriber" {
			return true
		}
	}
	return false
}

// property returns the values of one of our fields from additionalProperty of the node and of its KAP
// services, by the recipe's table of names.
func (g *graph) property(n node, field string) []any {
	var out []any
	for _, m := range append([]node{n}, g.kapServices(n)...) {
		for _, v := range list(m["additionalProperty"]) {
			p, ok := g.deref(v)
			if !ok {
				continue
			}
			name := text(p["propertyID"])
			if name == "" {
				name = text(p["name"])
			}
			if f, ok := g.recipe.Properties[bareTerm(name)]; ok && f == field {
				out = append(out, list(p["value"])...)
			}
		}
	}
	return out
}

// read takes the fields of one node.
func (g *graph) read(d *draft, n node, as directory.ListedAs, employers []int) {
	for _, v := range []any{n["dateModified"], g.pageDate()} {
		if s := text(v); s != "" {
			d.note("dateModified", []string{s})
			if day := d.day("dateModified", s); day != "" && day <= d.asOf {
				d.asOf = day
				break
			}
		}
	}
	kind := kindOf(n)
	name := text(n["name"])
	if name != "" {
		d.note("name", []string{name})
	}
	if kind == directory.Organisation {
		if d.listing.Organisation = shorten(name, maxValueText); name == "" {
			d.refuse("name", "", "the organisation has no name")
			return
		}
	} else if d.listing.Name = g.person(d, n); d.listing.Name.IsZero() {
		if len(d.rejects) == 0 {
			d.refuse("name", "", "the person has no name")
		}
		return
	}
	d.listing.Kind, d.listing.ListedAs = kind, as
	if kind == directory.Person {
		d.former(texts(n["alternateName"]))
	}
	d.listing.NPI = g.npi(d, "npi", n)
	d.listing.Sites = g.sites(d, n, employers)
	g.credentials(d, n)
	for _, at := range employers {
		key := g.orgs[at]
		if key == "" {
			key = shorten(text(g.order[at]["name"]), 200)
		}
		if key != "" && !slices.Contains(d.listing.WorksAt, key) {
			d.listing.WorksAt = append(d.listing.WorksAt, key)
		}
	}
	for _, k := range []string{"worksFor", "practicesAt", "memberOf"} { // named without being on the page
		for _, v := range list(n[k]) {
			if m, ok := v.(map[string]any); ok {
				if _, here := g.place[g.resolve(text(bare(m)["@id"]))]; here {
					continue
				}
			}
			if s := text(v); s != "" && !slices.Contains(d.listing.WorksAt, s) {
				d.listing.WorksAt = append(d.listing.WorksAt, shorten(s, 200))
			}
		}
	}
	if len(d.listing.WorksAt) > 0 {
		d.note("worksFor", d.listing.WorksAt)
	}
	g.website(d, n)
	g.prescribers(d, n)
	g.practiceOf(d, n)
}

// pageDate is the date of the page's WebPage node.
func (g *graph) pageDate() any {
	for _, n := range g.order {
		if slices.Contains(types(n), "WebPage") || slices.Contains(types(n), "ProfilePage") {
			return n["dateModified"]
		}
	}
	return nil
}

// person reads a name from its parts if both are given, else from name.
func (g *graph) person(d *draft, n node) directory.Name {
	creds := strings.Join(texts(n["honorificSuffix"]), ", ")
	given, family := text(n["givenName"]), text(n["familyName"])
	if given == "" || family == "" {
		return d.personName("name", shorten(text(n["name"]), 200), creds)
	}
	for _, s := range []string{given, family} {
		if mixesScripts(s) {
			d.refuse("name", s, "the name mixes scripts whose letters look alike: a person must read it")
			return directory.Name{}
		}
	}
	whole := directory.ParseName(shorten(text(n["name"]), 200))
	d.note("name", []string{strings.Join(strings.Fields(given+" "+text(n["additionalName"])+" "+family), " ") + " " + creds})
	out := directory.Name{Given: shorten(given, 100), Middle: shorten(text(n["additionalName"]), 100), Family: shorten(family, 100), Suffix: whole.Suffix}
	var suffix string
	suffix, out.Credentials, out.Other = directory.ParseCredentials(creds)
	if suffix != "" {
		out.Suffix = suffix
	}
	for _, c := range whole.Credentials {
		if !slices.Contains(out.Credentials, c) {
			out.Credentials = append(out.Credentials, c)
		}
	}
	return out
}

func (g *graph) npi(d *draft, field string, n node) directory.NPI {
	vs := texts(n["usNPI"])
	for _, v := range list(n["identifier"]) {
		switch v := v.(type) {
		case string:
			if m := npiText.FindStringSubmatch(v); m != nil {
				vs = append(vs, m[1])
			}
		case map[string]any:
			p := bare(v)
			if strings.EqualFold(text(p["propertyID"]), "NPI") || strings.EqualFold(text(p["name"]), "NPI") {
				vs = append(vs, text(p["value"]))
			}
		}
	}
	return d.npi(field, vs)
}

// sites reads where somebody works: workLocation or location, else the node's own address, else the
// address of the organisation on the page that they work at.
func (g *graph) sites(d *draft, n node, employers []int) []directory.Site {
	var out []directory.Site
	add := func(place node, name string) {
		if s, ok := g.site(d, place, name); ok {
			out = append(out, s)
		}
	}
	for _, k := range []string{"workLocation", "location"} {
		for _, v := range list(n[k]) {
			if p, ok := g.deref(v); ok && p["address"] != nil {
				add(p, text(p["name"]))
			}
		}
	}
	if n["address"] != nil && (len(out) == 0 || kindOf(n) == directory.Organisation) {
		add(n, "")
	}
	if len(out) == 0 {
		for _, at := range employers {
			if org := g.order[at]; org["address"] != nil {
				add(org, text(org["name"]))
			}
		}
	}
	return out
}

func (g *graph) site(d *draft, place node, name string) (directory.Site, bool) {
	parts := map[string]string{"name": shorten(name, 200), "phone": text(place["telephone"])}
	addr := place["address"]
	if l := list(addr); len(l) > 0 {
		addr = l[0]
	}
	switch a := addr.(type) {
	case string:
		splitAddress(cleanText(a), parts)
	case map[string]any:
		p, _ := g.deref(a)
		if c := text(p["addressCountry"]); c != "" && !slices.Contains([]string{"us", "usa", "united states", "united states of america"}, directory.Fold(c)) {
			d.refuse("address", c, "%q is not the United States", c)
			return directory.Site{}, false
		}
		parts["line1"], parts["city"], parts["state"], parts["zip"] = text(p["streetAddress"]), text(p["addressLocality"]), text(p["addressRegion"]), text(p["postalCode"])
		if line1, line2, ok := strings.Cut(parts["line1"], ", "); ok {
			parts["line1"], parts["line2"] = line1, line2
		}
	}
	for k, v := range parts {
		parts[k] = shorten(v, maxValueText)
	}
	d.note("address", []string{strings.Join(nonEmpty(parts["name"], parts["line1"], parts["line2"], parts["city"], parts["state"], parts["zip"], parts["phone"]), "; ")})
	s, ok := d.site("address", func(k string) string { return parts[k] })
	if ok && s.Point == nil {
		s.Point = g.point(d, place)
	}
	return s, ok
}

// splitAddress reads "14 Elm Street, Suite 5, Portland, OR 97205".
func splitAddress(s string, parts map[string]string) {
	fields := strings.Split(s, ",")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	last := strings.Fields(fields[len(fields)-1])
	if len(last) > 0 && zipOf(last[len(last)-1]) != "" {
		parts["zip"] = last[len(last)-1]
		last = last[:len(last)-1]
	}
	parts["state"] = strings.Join(last, " ")
	if len(fields) > 1 {
		parts["city"] = fields[len(fields)-2]
	}
	if len(fields) > 2 {
		parts["line1"] = fields[0]
		parts["line2"] = strings.Join(fields[1:len(fields)-2], ", ")
	}
}

// point reads geo, whose numbers sites also write as strings, to about a mile: where there is no ZIP.
func (g *graph) point(d *draft, place node) *directory.Point {
	geo, ok := g.deref(place["geo"])
	if !ok {
		return nil
	}
	lat, err1 := strconv.ParseFloat(text(geo["latitude"]), 64)
	lon, err2 := strconv.ParseFloat(text(geo["longitude"]), 64)
	if err1 != nil || err2 != nil || lat < -15 || lat > 72 || math.Abs(lon) > 180 || math.IsNaN(lat) || math.IsNaN(lon) {
		d.refuse("geo", text(geo["latitude"])+" "+text(geo["longitude"]), "is not a place in the United States")
		return nil
	}
	return &directory.Point{Lat: math.Round(lat*100) / 100, Lon: math.Round(lon*100) / 100}
}

// credentials reads hasCredential: licences and trainings, as strings or objects.
func (g *graph) credentials(d *draft, n node) {
	for _, v := range list(n["hasCredential"]) {
		if s, ok := v.(string); ok {
			d.licences([]string{s})
			continue
		}
		c, ok := g.deref(v)
		if !ok {
			continue
		}
		category := directory.Fold(text(c["credentialCategory"]))
		number := text(c["certificationIdentification"])
		if number == "" {
			number = text(c["identifier"])
		}
		name := text(c["name"])
		switch {
		case strings.Contains(category, "licen") || category == "" && number != "":
			d.note("licences", []string{strings.Join(nonEmpty(name, number, text(c["validIn"])), ", ")})
			if d.listing.Kind == directory.Organisation {
				d.refuse("licences", name, "an organisation holds no clinical licence: the licence is that of somebody there")
				continue
			}
			l := directory.ListedLicence{Title: shorten(name, 100), State: stateOf(text(c["validIn"]))}
			if number != "" {
				l.Number = directory.ParseLicenceNumber(shorten(number, 40))
			}
			if slotHoldsSSN(number, l.State) {
				d.ssn = "licences"
				return
			}
			if l.Title == "" {
				l.Title = l.Number.Prefix()
			}
			if l.Title == "" && l.Number.Key == "" {
				d.refuse("licences", name, "neither a licence title nor a number can be read")
				continue
			}
			d.listing.Licences = append(d.listing.Licences, l)
		case strings.Contains(category, "train") || strings.Contains(category, "certificate") || strings.Contains(category, "course"):
			d.note("training", []string{strings.Join(nonEmpty(name, text(c["educationalLevel"]), text(c["dateCreated"])), "; ")})
			if name == "" {
				name = text(c["recognizedBy"])
			}
			d.training(shorten(name, 200), text(c["educationalLevel"]), text(c["dateCreated"]))
		case category == "degree":
		default:
			d.refuse("credentials", name, "a credential of the category %q is neither a licence nor a training", category)
		}
	}
}

// website is the first address of url or sameAs on another host than the page's.
func (g *graph) website(d *draft, n node) {
	for _, v := range append(texts(n["url"]), texts(n["sameAs"])...) {
		if u, err := url.Parse(v); err == nil && u.Host != "" && !strings.EqualFold(u.Host, g.page.url.Host) {
			d.website([]string{v})
			return
		}
	}
}

// prescribers reads who prescribes: a reference to a person on the page, a sentence, or "self".
func (g *graph) prescribers(d *draft, n node) {
	for _, v := range g.property(n, "prescribers") {
		m, ok := v.(map[string]any)
		if !ok {
			for _, s := range d.note("prescribers", texts(v)) {
				if p, ok := d.prescriber(s); ok {
					d.listing.Prescribers = append(d.listing.Prescribers, p)
				}
			}
			continue
		}
		at, here := g.place[g.resolve(text(bare(m)["@id"]))]
		if !here || kindOf(g.order[at]) != directory.Person {
			d.refuse("prescribers", text(bare(m)["@id"]), "the prescriber named by @id is not on the page")
			continue
		}
		who := g.order[at]
		other := newDraft(g.recipe, g.page, d.asOf)
		p := directory.ListedPrescriber{Name: g.person(other, who), NPI: g.npi(other, "npi", who)}
		if p.Name.IsZero() {
			d.refuse("prescribers", text(who["name"]), "the prescriber named by @id has no name")
			continue
		}
		other.listing.Kind = directory.Person
		g.credentials(other, who)
		p.Sites = g.sites(other, who, g.works[at])
		p.Licences = other.listing.Licences
		if other.ssn != "" {
			d.ssn = "prescribers"
			return
		}
		d.note("prescribers", []string{strings.Join(nonEmpty(text(who["name"]), string(p.NPI), other.fields["licences"]), ", ")})
		d.listing.Prescribers = append(d.listing.Prescribers, p)
	}
}

// practiceOf reads how KAP is done: the recipe's properties, and the few things schema.org has words for.
func (g *graph) practiceOf(d *draft, n node) {
	for _, field := range practiceFields {
		if vs := g.property(n, field); len(vs) > 0 {
			var values []string
			for _, v := range vs {
				values = append(values, texts(v)...)
			}
			d.practice(field, values)
		}
	}
	if vs := append(texts(n["knowsLanguage"]), texts(n["availableLanguage"])...); len(vs) > 0 {
		d.practice("language", vs)
	}
	var access []string
	for _, v := range list(n["amenityFeature"]) {
		if f, ok := g.deref(v); ok && strings.EqualFold(bareTerm(text(f["value"])), "true") {
			access = append(access, text(f["name"]))
		}
	}
	if len(access) > 0 {
		d.practice("access", access)
	}
	if vs := texts(n["isAcceptingNewPatients"]); len(vs) > 0 {
		d.note("isAcceptingNewPatients", vs)
		d.listing.Practice.Accepting = d.answer("isAcceptingNewPatients", vs)
		if d.listing.Practice.Accepting != directory.Unknown && d.listing.Practice.AcceptingAsOf == "" {
			d.listing.Practice.AcceptingAsOf = d.asOf
		}
	}
	offers := append(list(n["makesOffer"]), list(n["offers"])...)
	for _, s := range g.kapServices(n) {
		offers = append(offers, list(s["offers"])...)
	}
	for _, v := range offers {
		if o, ok := g.deref(v); ok {
			g.offer(d, o)
		}
	}
}

// offer reads a price: a number of dollars as a number or a string.
func (g *graph) offer(d *draft, o node) {
	name := text(o["name"])
	if name == "" {
		name = text(o["itemOffered"])
	}
	if _, kap := g.recipe.Words.find("service", name); kap && o["price"] == nil && o["priceSpecification"] == nil {
		return // that KAP is offered, without a price
	}
	low, high, currency := text(o["price"]), "", text(o["priceCurrency"])
	if spec, ok := g.deref(o["priceSpecification"]); ok {
		if low == "" {
			low = text(spec["price"])
		}
		if low == "" {
			low, high = text(spec["minPrice"]), text(spec["maxPrice"])
		}
		if currency == "" {
			currency = text(spec["priceCurrency"])
		}
	}
	if high == "" {
		high = low
	}
	line := strings.Join(nonEmpty(name+":", low, high, currency, text(o["validFrom"])), " ")
	if len(d.note("price", []string{line})) == 0 {
		return
	}
	a, okA := dollars(low)
	b, okB := dollars(high)
	if !okA || !okB || currency != "USD" {
		d.refuse("price", line, "%q is not an amount in US dollars", line)
		return
	}
	as := d.asOf
	if v := text(o["validFrom"]); v != "" {
		if as = d.day("price", v); as == "" {
			return
		}
	}
	d.addPrice(line, name, a, b, as)
}

// dollars reads "700.00", "700" or 700 into whole cents.
func dollars(s string) (int64, bool) {
	m := moneySpan.FindStringSubmatch("$" + strings.TrimPrefix(s, "$"))
	if m == nil || m[3] != "" {
		return 0, false
	}
	return cents(m[1], m[2]), true
}

func nonEmpty(ss ...string) []string {
	return slices.DeleteFunc(ss, func(s string) bool { return s == "" })
}

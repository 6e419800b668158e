package search

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"io"
	"math"
	"slices"
	"strings"
	"sync"

	"kapdir/data"
	"kapdir/directory"
)

// field numbers the text fields of a document.
type field int

const (
	fieldName       field = iota
	fieldFormer           // former names and nicknames: they find the person and are never shown
	fieldOrg              // organisation, affiliations, names of sites
	fieldCredential       // letters behind the name, licence types, licence numbers, NPI
	fieldPlace            // city, state and ZIP of each site
	fieldProgramme        // training
	fieldWords            // approach, focus, route and so on, with what people call them
	fields
)

var fieldNames = [fields]string{"name", "former", "organisation", "credential", "place", "programme", "words"}

// fieldWeights say how much a word counts by where it stands. A match counts once, however often and
// beside however few other words it stands: stuffing a profile with words moves nobody up.
var fieldWeights = [fields]float64{10, 8, 7, 5, 5, 4, 3}

// document is what the index holds of one provider: the answer to which, never to what. It does not
// change once made.
type document struct {
	id   directory.ID
	seq  int64
	at   directory.Instant // the moment for which the checks were worked out
	hash string            // of everything below

	text       [fields][]string // words, sorted, each once
	values     [facets][]int32  // by the lexicon, but for the checks
	telehealth []directory.State
	points     []directory.Point
	price      int64 // the lowest of a medicine session in cents; -1 is not stated
	care       directory.CareType
	checks     []stateChecks // one for each state that matters, and for home and elsewhere
	until      int64         // when the first result changes by itself; 0 is never
	checked    int32         // the newest day of a check at home, in days since 1970; 0 is never

	display string   // the name as shown, for suggestions
	towns   []string // of the sites, as a place is written: Boulder, CO
}

// home and elsewhere stand for a state among a document's checks: home is that of the provider's primary
// site, elsewhere every state in which the file names nothing.
const (
	home      directory.State = "~"
	elsewhere                 = directory.Elsewhere
)

// stateChecks holds the results of the five checks for patients of one state, in the order of
// directory.CheckNames, and the moment in Unix milliseconds up to which each is good; 0 is for good.
type stateChecks struct {
	state   directory.State
	results [5]uint8 // places in directory.CheckResults
	until   [5]int64
}

func millis(i directory.Instant) int64 {
	if i == "" {
		return 0
	}
	return i.Time().UnixMilli()
}

// known is the K of every document: all that the feed gave. An instant of our own clock could leave out
// what was recorded between reading it and reading the feed, and no later number would bring it back.
const known directory.Instant = "9999-12-31T23:59:59.999Z"

// maker makes documents of credential files.
type maker struct {
	policies directory.Policies
	lexicon  *lexicon
}

// hidden reports a provider who is on no public face: dropped, merged, withdrawn, or taken down. The feed
// says so by leaving the file out; a file that says so itself is believed too.
func (m maker) hidden(c directory.Change, t directory.Instant) bool {
	if c.File == nil || c.File.Provider.Withdrawn || c.File.Provider.MergedInto != "" {
		return true
	}
	for _, h := range c.File.Claims {
		if h.Claim.Kind == directory.FileClaim && directory.Derive(h, t, known, m.policies).Status == directory.StatusWithdrawn {
			return true
		}
	}
	return false
}

// document derives what is searchable of the file at t.
func (m maker) document(c directory.Change, t directory.Instant) *document {
	f := c.File
	p := &f.Provider
	d := &document{id: c.Provider, seq: c.Seq, at: t, price: -1, care: p.Practice.CareType(), display: p.DisplayName()}
	if low, _, ok := p.Practice.SessionPrice(); ok {
		d.price = low
	}
	var states []directory.State
	for _, s := range p.Sites {
		states = appendState(states, s.Address.State)
		if t := (directory.Place{City: s.Address.City, State: s.Address.State}).String(); t != "" && !slices.Contains(d.towns, t) {
			d.towns = append(d.towns, t)
		}
		if s.Point != nil {
			d.points = append(d.points, *s.Point)
		}
	}
	for _, s := range p.Practice.TelehealthIn {
		d.telehealth = appendState(d.telehealth, s)
		states = appendState(states, s)
	}
	slices.Sort(d.telehealth)

	licences, programmes := m.claimed(f, t)
	m.fillText(d, f, licences, programmes)
	m.fillValues(d, f, states, licences, programmes)
	m.fillChecks(d, f, t)
	d.hash = d.sum(m.lexicon)
	return d
}

func appendState(list []directory.State, s directory.State) []directory.State {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// licence is a licence held, with its type if the table knows it.
type licence struct {
	directory.Claim
	title directory.Title
	known bool
}

// training is a programme named, with its row if it is a recognised one.
type training struct {
	directory.Claim
	programme directory.Programme
	known     bool
}

// claimed returns the licences and trainings that a public face names: none that was withdrawn, that
// rests on nothing settled, or of which the register has no record.
func (m maker) claimed(f *directory.CredentialFile, t directory.Instant) (licences []licence, trainings []training) {
	for _, h := range f.Claims {
		if h.Claim.Kind != directory.License && h.Claim.Kind != directory.TrainingCert {
			continue
		}
		switch directory.Derive(h, t, known, m.policies).Status {
		case directory.StatusNone, directory.StatusWithdrawn, directory.StatusNotFound:
			continue
		case directory.StatusAdverse:
			if h.Claim.Kind == directory.TrainingCert {
				continue
			}
		}
		if h.Claim.Kind == directory.License {
			title, ok := directory.Tables().Title(h.Claim.Jurisdiction, h.Claim.Title)
			if !ok {
				title, ok = directory.Tables().Title(h.Claim.Jurisdiction, h.Claim.Number.Prefix())
			}
			licences = append(licences, licence{h.Claim, title, ok})
			continue
		}
		x := training{Claim: h.Claim}
		for _, p := range directory.Tables().Programmes() {
			if p.ID == h.Claim.Issuer {
				x.programme, x.known = p, true
			}
		}
		trainings = append(trainings, x)
	}
	return licences, trainings
}

// wordOfPractices stands among the words of every organisation, and of no person.
const wordOfPractices = "practice"

// fillText gathers the words by which the provider is found.
func (m maker) fillText(d *document, f *directory.CredentialFile, licences []licence, trainings []training) {
	p := &f.Provider
	add := func(to field, texts ...string) {
		for _, s := range texts {
			d.text[to] = append(d.text[to], tokens(s)...)
		}
	}
	addName := func(to field, n directory.Name) {
		for _, part := range []string{n.Given, n.Middle, n.Family} {
			for _, w := range directory.NameTokens(part) {
				d.text[to] = append(d.text[to], shorten(w))
			}
			if strings.ContainsAny(part, "'’‘`") { // O'Neil is found as oneil, o neil and neil
				add(to, strings.NewReplacer("'", " ", "’", " ", "‘", " ", "`", " ").Replace(part))
			}
		}
		add(to, n.Suffix)
		for _, w := range tokens(n.Given) {
			add(fieldFormer, nicknames()[w]...)
		}
	}
	if p.Kind == directory.Organisation {
		add(fieldName, p.Organisation)
	} else {
		addName(fieldName, p.Name)
		add(fieldOrg, p.Organisation)
	}
	for _, n := range p.Former {
		addName(fieldFormer, n)
	}
	for _, a := range p.Affiliations {
		add(fieldOrg, a.Name)
	}
	for _, s := range p.Sites {
		add(fieldOrg, s.Name)
		add(fieldPlace, s.Address.City, string(s.Address.State), s.Address.State.Name(), s.Address.ZIP5())
	}
	add(fieldCredential, p.Name.Credentials...)
	add(fieldCredential, string(p.NPI))
	for _, l := range licences {
		add(fieldCredential, l.Number.Shown, l.Number.Key, l.Number.Digits())
		if !l.known {
			add(fieldCredential, l.Claim.Title)
			continue
		}
		add(fieldCredential, l.title.Name)
		add(fieldCredential, l.title.Abbreviations...)
		add(fieldCredential, labels["licence"][l.title.Profession], synonyms["licence"][l.title.Profession])
	}
	for _, t := range trainings {
		add(fieldProgramme, t.Claim.Title)
		if t.known {
			add(fieldProgramme, t.programme.ID, t.programme.Name, t.programme.Issuer)
			add(fieldProgramme, t.programme.Synonyms...)
		}
	}

	add(fieldWords, "ketamine kap provider")
	if p.ListedAs == directory.AsKAP {
		add(fieldWords, "assisted psychotherapy psychotherapist therapy therapist psychedelic")
	}
	if p.Kind == directory.Organisation {
		add(fieldWords, "clinic", wordOfPractices, "center")
	}
	pr := &p.Practice
	for _, x := range []struct {
		list  string
		words []string
	}{{"framework", pr.Frameworks}, {"focus", pr.Focus}, {"route", pr.Routes}, {"setting", pr.Settings}, {"population", pr.Populations},
		{"format", pr.Formats}, {"access", pr.Access}, {"care", []string{string(d.care)}}, {"model", []string{pr.Model}}} {
		for _, w := range x.words {
			if w != "" && w != "other" && w != "unknown" {
				add(fieldWords, strings.ReplaceAll(w, "_", " "), synonyms[x.list][w])
			}
		}
	}
	for _, l := range pr.Languages {
		add(fieldWords, l, synonyms["language"][directory.Fold(l)])
	}
	if pr.Telehealth == directory.Yes || len(pr.TelehealthIn) > 0 {
		add(fieldWords, "telehealth online virtual video remote")
	}
	for _, s := range pr.TelehealthIn {
		add(fieldWords, string(s), s.Name())
	}
	for i := range d.text {
		slices.Sort(d.text[i])
		d.text[i] = slices.Clip(slices.Compact(d.text[i]))
	}
}

// fillValues sets the values of the facets, the checks aside.
func (m maker) fillValues(d *document, f *directory.CredentialFile, states []directory.State, licences []licence, trainings []training) {
	add := func(to facet, values ...string) {
		for _, v := range values {
			if v != "" {
				d.values[to] = append(d.values[to], m.lexicon.add(to, v))
			}
		}
	}
	pr := &f.Provider.Practice
	for _, s := range states {
		add(facetState, string(s))
	}
	add(facetCare, string(d.care))
	add(facetAccepting, accepting(pr))
	add(facetFocus, pr.Focus...)
	add(facetFramework, pr.Frameworks...)
	add(facetPopulation, pr.Populations...)
	add(facetRoute, pr.Routes...)
	add(facetSetting, pr.Settings...)
	switch {
	case pr.Telehealth == directory.Yes || len(pr.TelehealthIn) > 0:
		add(facetVideo, "yes")
	case pr.Telehealth == directory.No:
		add(facetVideo, "no")
	}
	for i, a := range []directory.Answer{pr.SlidingScale, pr.Superbill} {
		if a == directory.Yes {
			add(facetPayment, paymentValues[i])
		}
	}
	add(facetAccess, pr.Access...)
	add(facetFormat, pr.Formats...)
	add(facetLanguage, pr.Languages...)
	for _, l := range licences {
		if l.known {
			add(facetLicence, l.title.Profession)
			add(facetLicence, l.title.Abbreviations...)
		}
	}
	for _, t := range trainings {
		if t.known {
			add(facetProgramme, t.programme.ID)
		}
	}
	for i := range d.values {
		slices.Sort(d.values[i])
		d.values[i] = slices.Clip(slices.Compact(d.values[i]))
	}
}

func accepting(p *directory.Practice) string {
	switch {
	case p.Accepting == directory.Yes:
		return acceptingYes
	case p.Waitlist == directory.Yes:
		return acceptingWaitlist
	case p.Accepting == directory.No:
		return acceptingNo
	}
	return acceptingUnknown
}

// fillChecks works out the five checks for every state that the file or a linked prescriber's names.
func (m maker) fillChecks(d *document, f *directory.CredentialFile, t directory.Instant) {
	add := func(as, y directory.State) {
		c := stateChecks{state: as}
		for i, x := range directory.Checks(f, y, t, known, m.policies) {
			c.results[i], c.until[i] = uint8(x.Result.Rank()), millis(x.ValidUntil)
			if u := c.until[i]; u != 0 && (d.until == 0 || u < d.until) {
				d.until = u
			}
			if as == home && x.AsOf != "" {
				d.checked = max(d.checked, int32(x.AsOf.Midnight().Time().Unix()/86400))
			}
		}
		d.checks = append(d.checks, c)
	}
	for _, s := range f.NamedStates() {
		add(s, s)
	}
	add(home, f.Provider.HomeState())
	add(elsewhere, elsewhere)
}

// sum identifies what the document holds, its number aside.
func (d *document) sum(l *lexicon) string {
	b := make([]byte, 0, 2048)
	text := func(words ...string) { // how many, and each with its length: no two documents are written alike
		b = binary.AppendUvarint(b, uint64(len(words)))
		for _, w := range words {
			b = append(binary.AppendUvarint(b, uint64(len(w))), w...)
		}
	}
	number := func(ns ...int64) {
		for _, n := range ns {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		}
	}
	text(string(d.id), string(d.care), d.display)
	number(d.price, d.until, int64(d.checked), int64(len(d.telehealth)), int64(len(d.points)))
	for _, s := range d.telehealth {
		text(string(s))
	}
	for _, p := range d.points {
		number(int64(math.Float64bits(p.Lat)), int64(math.Float64bits(p.Lon)))
	}
	for _, words := range d.text {
		text(words...)
	}
	for f := range facets {
		words := l.spell(d.values[f])
		slices.Sort(words)
		text(words...)
	}
	for _, c := range d.checks {
		text(string(c.state))
		b = append(b, c.results[:]...)
		number(c.until[:]...)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}

// nicknames gives for a folded given name the others it may go by, from data/nicknames.csv, both ways.
var nicknames = sync.OnceValue(func() map[string][]string {
	f, err := data.FS.Open("nicknames.csv")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	m := map[string][]string{}
	for first := true; ; first = false {
		row, err := r.Read()
		if err == io.EOF {
			return m
		}
		if err != nil {
			panic("nicknames.csv: " + err.Error())
		}
		if first || len(row) < 2 {
			continue
		}
		formal, nick := directory.Fold(row[0]), directory.Fold(row[1])
		m[formal] = append(m[formal], nick)
		m[nick] = append(m[nick], formal)
	}
})

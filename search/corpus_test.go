package search

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kapdir/directory"
)

// noon is when every test takes place.
var noon = time.Date(2026, 11, 16, 15, 0, 0, 0, time.UTC)

// fakeFeed is a store's feed in memory.
type fakeFeed struct {
	mu    sync.Mutex
	seq   int64
	last  map[directory.ID]directory.Change
	fails error
	reads int
	read  func() // before each page, where set
}

func newFeed(files ...*directory.CredentialFile) *fakeFeed {
	f := &fakeFeed{last: map[directory.ID]directory.Change{}}
	for _, x := range files {
		f.put(x)
	}
	return f
}

func (f *fakeFeed) put(x *directory.CredentialFile) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	x.Provider.Seq = f.seq
	f.last[x.Provider.ID] = directory.Change{Seq: f.seq, Provider: x.Provider.ID, File: x}
}

func (f *fakeFeed) drop(id directory.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seq++
	f.last[id] = directory.Change{Seq: f.seq, Provider: id}
}

func (f *fakeFeed) files() []*directory.CredentialFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*directory.CredentialFile
	for _, c := range f.last {
		if c.File != nil {
			out = append(out, c.File)
		}
	}
	slices.SortFunc(out, func(a, b *directory.CredentialFile) int { return cmp.Compare(a.Provider.ID, b.Provider.ID) })
	return out
}

func (f *fakeFeed) Head(context.Context) (directory.Head, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return directory.Head{Seq: f.seq, RecordedAt: directory.At(noon), Public: f.seq}, f.fails
}

func (f *fakeFeed) Changes(_ context.Context, after int64, limit int) ([]directory.Change, error) {
	if f.read != nil {
		f.read()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.fails != nil {
		return nil, f.fails
	}
	var out []directory.Change
	for _, c := range f.last {
		if c.Seq > after {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b directory.Change) int { return cmp.Compare(a.Seq, b.Seq) })
	return out[:min(limit, len(out))], nil
}

// pid makes a provider's id of a number, so that a failing test names it.
func pid(n int) directory.ID {
	return directory.ID(fmt.Sprintf("%s%026d", directory.ProviderPrefix, n))
}

// edit changes one thing of a file.
type edit func(*directory.CredentialFile)

// someone makes a person's file: offering KAP, with nothing else known.
func someone(n int, name string, edits ...edit) *directory.CredentialFile {
	f := &directory.CredentialFile{Provider: directory.Provider{ID: pid(n), Kind: directory.Person, ListedAs: directory.AsKAP, Name: directory.ParseName(name)},
		Linked: map[directory.ID]*directory.CredentialFile{}}
	for _, e := range edits {
		e(f)
	}
	return f
}

func organisation(name string) edit {
	return func(f *directory.CredentialFile) {
		f.Provider.Kind, f.Provider.Name, f.Provider.Organisation = directory.Organisation, directory.Name{}, name
	}
}

func former(names ...string) edit {
	return func(f *directory.CredentialFile) {
		for _, n := range names {
			f.Provider.Former = append(f.Provider.Former, directory.ParseName(n))
		}
	}
}

// in gives a site in the middle of a town.
func in(city string, s directory.State) edit {
	return func(f *directory.CredentialFile) {
		p, _, ok := directory.Tables().PlaceOfTown(city, s)
		if !ok {
			panic("no town " + city)
		}
		f.Provider.Sites = append(f.Provider.Sites, directory.Site{Address: directory.Address{City: city, State: s}, Point: &p.Point})
	}
}

func practice(change func(*directory.Practice)) edit {
	return func(f *directory.CredentialFile) { change(&f.Provider.Practice) }
}

var fullKAP = practice(func(p *directory.Practice) {
	p.Preparation.Offered, p.Medicine.Offered, p.Integration.Offered, p.Presence = directory.Yes, directory.Yes, directory.Yes, directory.PresenceInRoom
})

var infusionOnly = practice(func(p *directory.Practice) {
	p.Preparation.Offered, p.Medicine.Offered, p.Integration.Offered, p.Presence = directory.No, directory.Yes, directory.No, directory.PresenceNone
	p.Routes = []string{"intravenous"}
})

func focus(words ...string) edit {
	return practice(func(p *directory.Practice) { p.Focus = append(p.Focus, words...) })
}

func price(cents int64) edit {
	return practice(func(p *directory.Practice) {
		p.Prices = append(p.Prices, directory.PriceItem{Component: "medicine_session", MinCents: cents, MaxCents: cents, Currency: "USD"})
	})
}

func telehealth(states ...directory.State) edit {
	return practice(func(p *directory.Practice) {
		p.Telehealth, p.TelehealthIn = directory.Yes, append(p.TelehealthIn, states...)
	})
}

var seqOfEvents int64

// claim adds a claim and its events, which need neither number nor time.
func claim(c directory.Claim, events ...directory.Event) edit {
	return func(f *directory.CredentialFile) {
		c.Provider = f.Provider.ID
		seqOfEvents++
		c.ID = directory.ID(fmt.Sprintf("%s%026d", directory.ClaimPrefix, seqOfEvents))
		var seen int64
		history := directory.History{Claim: c}
		for _, e := range events {
			seqOfEvents++
			e.V, e.Seq, e.Claim, e.RecordedAt = directory.EventVersion, seqOfEvents, c.ID, "2026-11-10T12:00:00.000Z"
			e.PerformedAt = e.RecordedAt
			if e.Actor.ID == "" {
				e.Actor = directory.Actor{Kind: directory.Tool, ID: "crawler", Version: "1"}
			}
			switch e.Type {
			case directory.Observe:
				seen = e.Seq
			case directory.Review:
				e.Body.Of = seen
			}
			history.Events = append(history.Events, e)
		}
		f.Claims = append(f.Claims, history)
	}
}

func observed(source string, s directory.Observed, expires directory.Date) directory.Event {
	return directory.Event{Type: directory.Observe, Evidence: []string{"e"}, Body: directory.Body{State: s, Expires: expires, Match: directory.M5,
		By: []string{"licence", "family"}, Source: source, SourceAsOf: "2026-11-09"}}
}

func confirmedBy(staff string) directory.Event {
	return directory.Event{Type: directory.Review, Actor: directory.Actor{Kind: directory.Staff, ID: staff}, Body: directory.Body{Decision: "confirm"}}
}

func asserted(class directory.SourceClass, b directory.Body) directory.Event {
	b.Class = class
	return directory.Event{Type: directory.Assert, Body: b}
}

func licenceClaim(s directory.State, title, number string) directory.Claim {
	return directory.Claim{Kind: directory.License, Jurisdiction: s, Title: title, Number: directory.ParseLicenceNumber(number)}
}

// licensed gives a confirmed Colorado licence.
func licensed(title, number string, expires directory.Date) edit {
	return claim(licenceClaim("CO", title, number), observed("co-dora", directory.SeenActive, expires), confirmedBy("rowan"))
}

// suspended gives a licence that stands against the person.
func suspended(title, number string) edit {
	return claim(licenceClaim("CO", title, number), observed("co-dora", directory.SeenSuspended, "2028-08-31"), confirmedBy("rowan"), confirmedBy("imani"))
}

// overseen links a prescriber who is licensed in Colorado. Both sides say so, and the DEA registration was
// seen; or one side alone says it.
func overseen(n int, shown bool) edit {
	return func(f *directory.CredentialFile) {
		doctor := someone(n, "Dana Prescott, MD", licensed("DR", fmt.Sprint(n), "2027-08-31"))
		says := []directory.Event{asserted(directory.ClassSelf, directory.Body{Side: "provider"})}
		if shown {
			says = append(says, asserted(directory.ClassSelf, directory.Body{Side: "prescriber"}))
			claim(directory.Claim{Kind: directory.DEARegistration, Jurisdiction: "CO"}, asserted(directory.ClassDocument, directory.Body{Expires: "2027-08-31"}))(doctor)
		}
		f.Linked[doctor.Provider.ID] = doctor
		claim(directory.Claim{Kind: directory.OversightLink, Other: doctor.Provider.ID}, says...)(f)
	}
}

func trained(words string) edit {
	return claim(directory.TrainingClaim(words), asserted(directory.ClassListing, directory.Body{Programme: words, Level: "certificate"}))
}

// bench holds an index over a feed and a clock.
type bench struct {
	t    testing.TB
	dir  string
	feed *fakeFeed
	now  time.Time
	x    *Index
}

func (b *bench) config() Config {
	return Config{Dir: b.dir, Feed: b.feed, Policies: directory.StandardPolicies(), Now: func() time.Time { return b.now },
		Log: slog.New(slog.DiscardHandler)}
}

// open opens the index again, as a new process would.
func (b *bench) open() *Index {
	b.t.Helper()
	if b.x != nil {
		if err := b.x.Close(); err != nil {
			b.t.Fatal(err)
		}
	}
	x, err := Open(context.Background(), b.config())
	if err != nil {
		b.t.Fatal(err)
	}
	x.patience = time.Minute
	b.x = x
	return x
}

func (b *bench) sync() {
	b.t.Helper()
	if _, err := b.x.Sync(context.Background()); err != nil {
		b.t.Fatal(err)
	}
}

// newBench opens an index over the files and builds it.
func newBench(t testing.TB, files ...*directory.CredentialFile) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), feed: newFeed(files...), now: noon}
	b.open()
	t.Cleanup(func() {
		if err := b.x.Close(); err != nil {
			t.Error(err)
		}
	})
	b.sync()
	return b
}

func (b *bench) search(q Query) Result {
	b.t.Helper()
	r, err := b.x.Search(context.Background(), q)
	if err != nil {
		b.t.Fatalf("Search(%s): %v", q, err)
	}
	return r
}

func ids(r Result) []directory.ID {
	out := []directory.ID{}
	for _, h := range r.Hits {
		out = append(out, h.ID)
	}
	return out
}

func numbered(ns ...int) []directory.ID {
	out := []directory.ID{}
	for _, n := range ns {
		out = append(out, pid(n))
	}
	return out
}

// random names and places of a corpus
var (
	givens   = strings.Fields("Ana José Robert Katherine Łukasz Siân Bob Kate Zoë Miguel Priya Amara Dwayne Hannah Noor Tobias William Elizabeth Björk Renée")
	families = strings.Fields("Ruiz O'Neil García-López Smith Nguyen Müller Okafor Van-Dyke Lindqvist Castañeda D'Angelo Kowalski Østergaard Johnson Johnston Begay Tran Boulder Denver")
	homes    = []struct {
		city  string
		state directory.State
	}{{"Boulder", "CO"}, {"Denver", "CO"}, {"Fort Collins", "CO"}, {"Colorado Springs", "CO"}, {"Durango", "CO"}, {"Grand Junction", "CO"},
		{"Santa Fe", "NM"}, {"Taos", "NM"}, {"Farmington", "NM"}, {"Austin", "TX"}, {"El Paso", "TX"}, {"Houston", "TX"}, {"Oakland", "CA"}, {"Cheyenne", "WY"}}
	coTitles = []string{"CSW", "LPC", "MFT", "PSY", "DR", "PA", "SWC", "LAC"}
)

// randomFile draws a provider. Much of the corpus is alike, so that orders tie and facets overlap.
func randomFile(r *rand.Rand, n int) *directory.CredentialFile {
	pick := func(list []string, most int) []string {
		var out []string
		for range r.IntN(most + 1) {
			if w := list[r.IntN(len(list))]; !slices.Contains(out, w) {
				out = append(out, w)
			}
		}
		return out
	}
	answer := func() directory.Answer {
		return []directory.Answer{directory.Unknown, directory.Yes, directory.No, directory.Yes}[r.IntN(4)]
	}
	name := givens[r.IntN(len(givens))] + " " + families[r.IntN(len(families))] + ", LCSW"
	f := someone(n, name)
	if r.IntN(6) == 0 {
		organisation(families[r.IntN(len(families))] + " Ketamine Wellness")(f)
	}
	if r.IntN(5) == 0 {
		former(givens[r.IntN(len(givens))] + " " + families[r.IntN(len(families))])(f)
	}
	for range r.IntN(3) {
		h := homes[r.IntN(len(homes))]
		in(h.city, h.state)(f)
		p := f.Provider.Sites[len(f.Provider.Sites)-1].Point
		if r.IntN(8) == 0 {
			f.Provider.Sites[len(f.Provider.Sites)-1].Point = nil
		} else if r.IntN(2) == 0 {
			*p = directory.Point{Lat: p.Lat + r.Float64()/4, Lon: p.Lon - r.Float64()/4}
		}
	}
	if r.IntN(4) == 0 {
		f.Provider.Affiliations = append(f.Provider.Affiliations, directory.Affiliation{Name: "Aspen " + families[r.IntN(len(families))] + " Clinic"})
	}
	p := &f.Provider.Practice
	p.Preparation.Offered, p.Medicine.Offered, p.Integration.Offered = answer(), answer(), answer()
	p.Presence = []directory.Presence{"", directory.PresenceInRoom, directory.PresenceVideo, directory.PresenceNone}[r.IntN(4)]
	p.Routes, p.Settings = pick(directory.Vocabulary["route"], 2), pick(directory.Vocabulary["setting"], 2)
	p.Frameworks, p.Focus = pick(directory.Vocabulary["framework"], 3), pick(directory.Vocabulary["focus"], 3)
	p.Populations, p.Formats = pick(directory.Vocabulary["population"], 2), pick(directory.Vocabulary["format"], 2)
	p.Languages = pick([]string{"english", "spanish", "haitian creole", "navajo"}, 2)
	p.Accepting, p.Waitlist, p.SlidingScale, p.Superbill = answer(), answer(), answer(), answer()
	p.Access = pick(directory.Vocabulary["access"], 1)
	if r.IntN(2) == 0 {
		price(int64(r.IntN(12)) * 10000)(f)
	}
	if r.IntN(3) == 0 {
		telehealth([]directory.State{"CO", "NM", "WY", "CA"}[r.IntN(4)])(f)
	}
	number := fmt.Sprintf("%05d", 10000+n)
	title := coTitles[r.IntN(len(coTitles))]
	switch r.IntN(8) {
	case 0, 1:
		licensed(title, number, []directory.Date{"2026-11-20", "2027-08-31", "2028-08-31"}[r.IntN(3)])(f)
	case 2:
		suspended(title, number)(f)
	case 3:
		claim(licenceClaim("CO", title, number), asserted(directory.ClassListing, directory.Body{Number: number}))(f)
	case 4:
		claim(licenceClaim("TX", "LPC", number), asserted(directory.ClassSelf, directory.Body{Number: number}))(f)
	case 5:
		claim(licenceClaim("CO", title, number), observed("co-dora", directory.SeenActive, "2027-01-31"))(f)
	}
	if r.IntN(2) == 0 {
		trained([]string{"Polaris", "PRATI KAP", "Fluence", "a weekend in the mountains"}[r.IntN(4)])(f)
	}
	if r.IntN(3) == 0 {
		claim(directory.Claim{Kind: directory.ProtocolClaim}, asserted(directory.ClassSelf, directory.Body{Preparation: answer(), Presence: directory.Yes,
			Monitoring: directory.Yes, Emergency: answer(), Integration: directory.Yes}))(f)
	}
	if r.IntN(4) == 0 {
		overseen(900000+n, r.IntN(2) == 0)(f)
	}
	return f
}

func corpus(seed uint64, n int) []*directory.CredentialFile {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]*directory.CredentialFile, n)
	for i := range out {
		out[i] = randomFile(r, i+1)
	}
	return out
}

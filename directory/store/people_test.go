package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kapdir/directory"
)

// page makes a listing of a source with the NPI of a person.
func page(source, key, who string, npi directory.NPI, change func(*directory.Listing)) directory.Record {
	return from(source, listing(key, who, func(l *directory.Listing) {
		l.NPI = npi
		if change != nil {
			change(l)
		}
	}))
}

func whole1(rel directory.Release) directory.Release { rel.Whole = true; return rel }

// testFacts: what several sources state, who stated it, and what happens when they differ.
func testFacts(t *testing.T, c Config) {
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	commons := func(site string) directory.Record {
		return page("kap-commons", "ana", "Ana Ruiz, LCSW", anaNPI, func(l *directory.Listing) {
			l.Website, l.Sites = site, []directory.Site{denver("")}
			l.Licences = []directory.ListedLicence{licence("CO", "LCSW", "CSW.00012345")}
		})
	}
	clinics := func(n int) directory.Record {
		return page("open-clinics", "a-ruiz", "Ana Ruiz", anaNPI, func(l *directory.Listing) {
			l.Website, l.Sites = "https://other.example/", []directory.Site{denver("(303) 555-0142")}
			l.Licences = []directory.ListedLicence{licence("CO", "LCSW", "CSW.00012345")}
			l.Practice.Languages = []string{"english", "spanish"}[:n]
		})
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), commons("https://ana.example/"))
	load(t, s, edition("open-clinics", "1", "2026-11-21"), clinics(1))
	f := find(t, s, "Ana Ruiz")
	p := f.Provider
	if p.Website != "https://ana.example/" || p.WebOrigin.Source != "kap-commons" || p.Origins["practice.languages"].Source != "open-clinics" {
		t.Errorf("filled %q of %+v, languages of %+v", p.Website, p.WebOrigin, p.Origins["practice.languages"])
	}
	if len(p.Sites) != 1 || p.Sites[0].Origin.Source != "kap-commons" || p.Sites[0].Phone == "" || p.Sites[0].PhoneOrigin.Source != "open-clinics" {
		t.Errorf("the place and its telephone: %+v", p.Sites)
	}
	for _, h := range f.Claims {
		if h.Claim.Kind == directory.License {
			if by := h.StatedBy(s.now(), knownAt(t, s)); len(by) != 2 || by[0].Body.Source != "kap-commons" || by[1].Body.Source != "open-clinics" {
				t.Errorf("the licence is stated by %+v", by)
			}
		}
	}
	q := x.caseOf(p.ID, directory.CaseFacts)
	if !slices.Equal(q.Match.Against, []string{"website"}) || q.Source != "open-clinics" {
		t.Errorf("case %+v", q)
	}
	// Another import of the same difference is no other case, and no news of the one there is.
	load(t, s, edition("open-clinics", "2", "2026-11-22"), clinics(2))
	if again := x.caseOf(p.ID, directory.CaseFacts); again.Case.ID != q.Case.ID || again.Revision != q.Revision {
		t.Errorf("the same difference again: %+v", again)
	}
	d := must(s.Dossier(ctx, q.Case.ID, "kim"))
	if len(d.Differs) != 1 || d.Differs[0].Says != "other.example" || len(d.Choices) != 2 {
		t.Errorf("dossier %+v %+v", d.Differs, d.Choices)
	}
	e := x.must(x.decide("kim", "take", q.Case, q.Revision))
	if p = find(t, s, "Ana Ruiz").Provider; p.Website != "https://other.example/" || p.WebOrigin.Source != "open-clinics" {
		t.Errorf("taken, and shown is %q", p.Website)
	}
	whole(t, s)
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: p.ID, Limit: 9, Kind: directory.CaseFacts}); n != 0 {
		t.Error("what was decided is asked again")
	}
	// The other side says something else again: that was not decided.
	load(t, s, edition("kap-commons", "2", "2026-11-22"), commons("https://third.example/"))
	if q = x.caseOf(p.ID, directory.CaseFacts); q.Source != "kap-commons" {
		t.Errorf("a new word of the other side: %+v", q)
	}
	// Voided, the first word counts again.
	x.must(s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: p.ID, Of: e.Seq, Seen: fileSeen(t, s, p.ID), Note: "n"}))
	if p = find(t, s, "Ana Ruiz").Provider; p.Website != "https://third.example/" {
		t.Errorf("voided, and shown is %q", p.Website)
	}
	// They agree: nothing is left to decide.
	load(t, s, edition("kap-commons", "3", "2026-11-23"), commons("http://www.other.example"))
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: p.ID, Limit: 9}); n != 0 {
		t.Error("two sources agree and a case waits")
	}
	whole(t, s)
}

// fileSeen is the number of the newest event about the whole file.
func fileSeen(t testing.TB, s *Store, id directory.ID) int64 {
	t.Helper()
	for _, f := range must(s.ClaimFiles(ctx, id)) {
		if f.Claim.Kind == directory.FileClaim {
			return f.Seen
		}
	}
	return 0
}

// facts writes the public files without ids and numbers, and without who was told what when.
func facts(t testing.TB, s *Store) string {
	t.Helper()
	var out []string
	if err := s.EachFile(ctx, func(f *directory.CredentialFile) error {
		p := f.Provider
		p.ID, p.Seq = "", 0
		b, err := json.Marshal(p)
		out = append(out, string(b))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// testFactOrder: the same releases in another order give the same facts. The order of two releases of one source
// with one date is not free: the later import counts.
func testFactOrder(t *testing.T, fresh func(testing.TB) Config) {
	checkTimes(t, "15", func(rt *rapid.T) {
		type release struct {
			rel     directory.Release
			records []directory.Record
		}
		var all []release
		sites := []string{"", "https://a.example", "https://b.example"}
		phones := []string{"", "(303) 555-0101", "(303) 555-0102"}
		for i, source := range []string{"kap-commons", "open-clinics"} {
			for day := range rapid.IntRange(1, 3).Draw(rt, "releases") {
				r := release{rel: edition(source, fmt.Sprint(day), directory.Date(fmt.Sprintf("2026-11-%02d", 10+2*day+i)))}
				for k, npi := range []directory.NPI{anaNPI, danNPI} {
					who := []string{"Ana Ruiz", "Dan Poole"}[k]
					r.records = append(r.records, page(source, fmt.Sprint("p", k), rapid.SampledFrom([]string{who, who + ", LPC", who + ", PhD"}).Draw(rt, "name"), npi, func(l *directory.Listing) {
						l.Origin.AsOf = r.rel.AsOf
						l.Website = rapid.SampledFrom(sites).Draw(rt, "site")
						l.Sites = []directory.Site{denver(rapid.SampledFrom(phones).Draw(rt, "phone"))}
						l.Practice.Preparation.Offered = rapid.SampledFrom([]directory.Answer{"", directory.Yes, directory.No}).Draw(rt, "preparation")
						l.Practice.Accepting = rapid.SampledFrom([]directory.Answer{"", directory.Yes, directory.No}).Draw(rt, "accepting")
					}))
				}
				all = append(all, r)
			}
		}
		shown := func(order []release) string {
			s := open(t, fresh(t))
			defer s.Close()
			for _, r := range order {
				load(t, s, r.rel, slices.Clone(r.records)...)
			}
			whole(t, s)
			return facts(t, s)
		}
		want := shown(all)
		if got := shown(rapid.Permutation(all).Draw(rt, "order")); got != want {
			rt.Fatalf("another order, other facts (-first +second):\n%s", cmp.Diff(want, got))
		}
	})
}

// export is the audit export read back, with what it says of a provider.
func exported(t testing.TB, s *Store) *directory.Export {
	t.Helper()
	var b bytes.Buffer
	if err := s.View(ctx, func(v *View) error { _, err := v.Export(&b, ExportOptions{}); return err }); err != nil {
		t.Fatal(err)
	}
	x, err := directory.ReadExport(&b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// sameExport holds the export to the store: the same checks and standings for everybody public.
func sameExport(t testing.TB, s *Store) {
	t.Helper()
	x := exported(t, s)
	if err := s.EachFile(ctx, func(f *directory.CredentialFile) error {
		got := x.File(f.Provider.ID)
		if got == nil {
			t.Fatalf("%s is missing in the export", f.Provider.ID)
		}
		said := func(f *directory.CredentialFile) string {
			var b strings.Builder
			b.WriteString(publicChecks(t, s, f))
			for _, h := range f.Claims {
				fmt.Fprintln(&b, h.Claim.ID, h.Also, h.Claim.Words(), directory.Derive(h, s.now(), knownAt(t, s), s.config.Policies))
			}
			return b.String()
		}
		if a, b := said(f), said(got); stripPointers(a) != stripPointers(b) {
			t.Fatalf("the export says something else (-store +export):\n%s", cmp.Diff(a, b))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func stripPointers(s string) string {
	var out []string
	for _, f := range strings.Fields(s) {
		if !strings.Contains(f, "0x") {
			out = append(out, f)
		}
	}
	return strings.Join(out, " ")
}

func testMerge(t *testing.T, c Config) {
	clock := newClock()
	c.Now = clock.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), cara(), ben())
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("x", "Far Away", ""))
	twin := func() directory.Record {
		return from("open-clinics", listing("cara-s", "Cara Smith", func(l *directory.Listing) {
			l.Sites = []directory.Site{{Address: directory.Address{Line1: "9 Elm St Ste 1", City: "Boulder", State: "CO", ZIP: "80302"}}}
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.0007777")}
			l.Website = "https://cara.example/"
		}))
	}
	clock.set(noon.Add(time.Minute)) // so that the first is the older id
	load(t, s, edition("open-clinics", "1", "2026-11-20"), twin())
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("LPC", "7777", "Cara Smith", "Active", directory.SeenActive, "2027-08-31"))
	ids := map[bool]directory.ID{} // whether it has the licence
	must0(t, s.EachFile(ctx, func(f *directory.CredentialFile) error {
		if f.Provider.DisplayName() == "Cara Smith" {
			ids[slices.ContainsFunc(f.Claims, func(h directory.History) bool { return h.Claim.Kind == directory.License })] = f.Provider.ID
		}
		return nil
	}))
	a, b := ids[false], ids[true]
	before := [2]string{shownOf(t, s, a), shownOf(t, s, b)}
	q := x.caseOf(a, directory.CaseDuplicate)
	x.must(x.decide("kim", "same", q.Case, q.Revision))
	if _, err := x.decide("noor", "same", q.Case, q.Revision+1); !errors.Is(err, directory.Invalid) {
		t.Errorf("a revision nobody saw: %v", err)
	}
	events := rowCounts(t, s)["event"]
	e := x.must(x.decide("noor", "same", q.Case, q.Revision))
	whole(t, s)
	f := must(s.File(ctx, a))
	if gone, err := s.File(ctx, b); !errors.Is(err, directory.Gone) || gone == nil || gone.Provider.MergedInto != a {
		t.Errorf("the merged one: %+v, %v", gone, err)
	}
	if f.Provider.Website != "https://cara.example/" || f.Provider.WebOrigin.Source != "open-clinics" || len(f.Provider.Sites) != 2 {
		t.Errorf("the facts of both: %+v", f.Provider)
	}
	for _, h := range f.Claims { // the statement rests on events of both
		if h.Claim.Kind == directory.ExclusionScreen && h.Claim.Issuer == "leie" && (len(h.Also) != 1 || len(h.Events) < 2) {
			t.Errorf("the screens of both: %+v", h)
		}
		if h.Claim.Kind == directory.License && (h.Claim.Home != b || h.Claim.Provider != a) {
			t.Errorf("the licence of the other: %+v", h.Claim)
		}
	}
	if n := rowCounts(t, s)["event"]; n < events+1 {
		t.Errorf("%d events became %d", events, n)
	}
	sameExport(t, s)
	changes := must(s.Changes(ctx, 0, 100))
	if i := slices.IndexFunc(changes, func(c directory.Change) bool { return c.Provider == b }); i < 0 || changes[i].File != nil {
		t.Error("followers do not hear that the other has gone")
	}
	// Later imports of both listings follow the decision.
	load(t, s, edition("kap-commons", "2", "2026-11-21"), cara(), ben())
	load(t, s, edition("open-clinics", "2", "2026-11-21"), twin())
	if must(s.File(ctx, a)).Provider.Website == "" {
		t.Error("the listing of the merged one is not theirs any more")
	}
	if _, err := s.File(ctx, b); !errors.Is(err, directory.Gone) {
		t.Errorf("an import brought the merged one back: %v", err)
	}
	// Unmerged by an approver with a reason, each is as before.
	void := directory.Act{Do: directory.Voiding, Staff: "kim", Auth: "test", Provider: a, Of: e.Seq, Seen: fileSeen(t, s, a), Note: "two people after all"}
	if _, err := s.Act(ctx, void); !errors.Is(err, directory.Refused) {
		t.Errorf("a verifier unmerged: %v", err)
	}
	void.Staff = "lee"
	x.must(s.Act(ctx, void))
	whole(t, s)
	if after := [2]string{shownOf(t, s, a), shownOf(t, s, b)}; after != before {
		t.Errorf("unmerged (-before +after):\n%s", cmp.Diff(before, after))
	}
	sameExport(t, s)
	// What was said before they were parted joins them no more: two people say so anew.
	clock.set(noon.Add(2 * time.Minute))
	q = x.caseOf(a, directory.CaseDuplicate)
	x.must(x.decide("noor", "same", q.Case, q.Revision))
	if _, err := s.File(ctx, b); err != nil {
		t.Errorf("one person alone has joined two again: %v", err)
	}
	// Told to be two, they are not proposed again.
	q = x.caseOf(a, directory.CaseDuplicate)
	x.must(x.decide("lee", "distinct", q.Case, q.Revision))
	load(t, s, edition("kap-commons", "3", "2026-11-22"), cara(), ben())
	load(t, s, edition("open-clinics", "3", "2026-11-22"), twin())
	if _, n, _ := s.Queue(ctx, CaseFilter{Limit: 9, Kind: directory.CaseDuplicate}); n != 0 {
		t.Errorf("%d pairs are proposed again", n)
	}
	whole(t, s)
}

// shownOf is all that a public face says of a provider, but for numbers.
func shownOf(t testing.TB, s *Store, id directory.ID) string {
	t.Helper()
	f := must(s.File(ctx, id))
	p := f.Provider
	p.Seq = 0
	doc, _ := json.MarshalIndent(p, "", " ")
	var claims []string
	for _, h := range f.Claims {
		if h.Claim.Kind != directory.FileClaim {
			st := directory.Derive(h, s.now(), knownAt(t, s), s.config.Policies)
			claims = append(claims, fmt.Sprint(h.Claim, st.Status, st.Reasons, st.Because, st.ValidUntil))
		}
	}
	return string(doc) + "\n" + strings.Join(claims, "\n") + "\n" + publicChecks(t, s, f)
}

func must0(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// checkTimes checks a property whose every run takes stores of its own, unless the flag says how often.
func checkTimes(t *testing.T, times string, property func(*rapid.T)) {
	t.Helper()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(times)
		defer f.Value.Set(f.DefValue)
	}
	rapid.Check(t, property)
}

// testMergeSequences merges, unmerges and imports at random: no event is lost, the store is whole, whoever is
// merged into nobody answers, and with everything taken back each has their own page again.
func testMergeSequences(t *testing.T, fresh func(testing.TB) Config) {
	checkTimes(t, "12", func(rt *rapid.T) {
		clock := newClock()
		conf := fresh(t)
		conf.Now = clock.now
		s := open(t, conf)
		defer s.Close()
		hire(t, s)
		pages := map[string][]directory.Record{}
		for i := range 3 {
			source := []string{"kap-commons", "open-clinics", "kap-commons"}[i]
			pages[source] = append(pages[source], from(source, listing(fmt.Sprint("s", i), "Cara Smith", func(l *directory.Listing) {
				l.Sites = []directory.Site{{Address: directory.Address{Line1: fmt.Sprintf("%d Elm St Ste 1", i), City: "Denver", State: "CO", ZIP: "80202"}}}
				l.Licences = []directory.ListedLicence{licence("CO", "LPC", fmt.Sprintf("LPC.000777%d", i))}
			})))
		}
		n := 0
		imported := func() {
			for _, source := range []string{"kap-commons", "open-clinics"} {
				n++
				load(t, s, edition(source, fmt.Sprint(n), directory.At(clock.now()).Date()), slices.Clone(pages[source])...)
			}
		}
		imported()
		load(t, s, edition("co-dora", "1", "2026-11-01"), roster("LPC", "7770", "Cara Smith", "Active", directory.SeenActive, "2027-08-31"),
			roster("LPC", "7772", "Cara Smith", "Revoked", directory.SeenRevoked, "2027-08-31"))
		load(t, s, edition("leie", "1", "2026-10-31"), exclusion("x", "Far Away", ""))
		public := func() (ids []directory.ID) {
			must0(t, s.EachFile(ctx, func(f *directory.CredentialFile) error { ids = append(ids, f.Provider.ID); return nil }))
			return ids
		}
		all := public()
		if len(all) != 3 {
			rt.Fatalf("%d providers", len(all))
		}
		want := map[directory.ID]string{}
		for _, id := range all {
			p := must(s.File(ctx, id)).Provider
			p.Seq = 0
			b, _ := json.Marshal(p)
			want[id] = string(b)
		}
		events := rowCounts(t, s)["event"]
		type joined struct{ of int64 }
		var stack []joined
		unmerge := func(j joined) {
			var claim directory.ID
			must0(t, s.reader.QueryRow(`SELECT claim FROM event_payload WHERE seq = $1`, j.of).Scan(&claim))
			var owner directory.ID
			must0(t, s.reader.QueryRow(`SELECT provider FROM claim WHERE id = $1`, claim).Scan(&owner))
			_, err := s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: owner, Of: j.of, Seen: fileSeen(t, s, owner), Note: "n"})
			must0(t, err)
		}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			clock.set(clock.now().Add(time.Hour))
			switch rapid.SampledFrom([]string{"merge", "merge", "unmerge", "import", "screen"}).Draw(rt, "step") {
			case "merge":
				list, _, err := s.Queue(ctx, CaseFilter{Limit: 9, Kind: directory.CaseDuplicate})
				must0(t, err)
				if len(list) == 0 {
					continue
				}
				q := rapid.SampledFrom(list).Draw(rt, "case")
				before := len(public())
				for _, who := range rapid.SampledFrom([][]string{{"kim", "noor"}, {"pat", "kim"}, {"noor", "pat"}}).Draw(rt, "people") {
					e, err := s.Decide(ctx, directory.Decision{Case: q.Case.ID, Seen: q.Revision, Staff: who, Auth: "test", Decision: "same"})
					if err != nil {
						if !errors.Is(err, directory.Refused) && !errors.Is(err, directory.Conflict) {
							rt.Fatal(err)
						}
						break
					}
					if len(public()) < before { // an earlier word may have been the first of the two
						stack = append(stack, joined{e.Seq})
						break
					}
				}
			case "unmerge":
				if len(stack) > 0 {
					i := rapid.IntRange(0, len(stack)-1).Draw(rt, "which")
					unmerge(stack[i])
					stack = slices.Delete(stack, i, i+1)
				}
			case "import":
				imported()
			case "screen":
				n++
				load(t, s, edition("leie", fmt.Sprint(n), directory.At(clock.now()).Date(), fmt.Sprint(n)), exclusion("x", "Far Away", ""))
			}
			whole(t, s)
			sameExport(t, s)
			if now := rowCounts(t, s)["event"]; now < events {
				rt.Fatalf("%d events became %d", events, now)
			} else {
				events = now
			}
			if got := len(public()); got != 3-len(stack) {
				rt.Fatalf("%d are public after %d merges", got, len(stack))
			}
		}
		for len(stack) > 0 {
			unmerge(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
		}
		whole(t, s)
		for _, id := range all {
			p := must(s.File(ctx, id)).Provider
			p.Seq = 0
			b, _ := json.Marshal(p)
			var x, y directory.Provider
			_, _ = json.Unmarshal([]byte(want[id]), &x), json.Unmarshal(b, &y)
			if len(x.Sites) != len(y.Sites) || x.Sites[0].Address != y.Sites[0].Address || x.DisplayName() != y.DisplayName() {
				rt.Fatalf("%s is not as before (-before +after):\n%s", id, cmp.Diff(want[id], string(b)))
			}
		}
	})
}

// testReread: what becomes of a page that is read again.
func testReread(t *testing.T, c Config) {
	s := open(t, c)
	person := func(key, who string, change func(*directory.Listing)) directory.Record {
		return listing(key, who, func(l *directory.Listing) {
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.000"+key)}
			if change != nil {
				change(l)
			}
		})
	}
	trained := func(l *directory.Listing) {
		l.Training = []directory.ListedTraining{{Programme: "Polaris Insight Center", Level: "certificate"}}
	}
	load(t, s, whole1(edition("kap-commons", "1", "2026-11-18")), person("1001", "Ann One", trained), person("1002", "Bob Two", trained), person("1003", "Cy Three", nil), person("1004", "Di Four", nil))
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("LPC", "1002", "Bob Two", "Active", directory.SeenActive, "2027-08-31"))
	bob := find(t, s, "Bob Two").Provider.ID
	ann := find(t, s, "Ann One").Provider.ID
	said := func(id directory.ID, kind directory.ClaimKind) directory.Status {
		for _, f := range must(s.ClaimFiles(ctx, id)) {
			if f.Claim.Kind == kind {
				return f.Status
			}
		}
		return "no claim"
	}
	if said(ann, directory.TrainingCert) != directory.StatusListed {
		t.Fatalf("before: %s", said(ann, directory.TrainingCert))
	}
	events := rowCounts(t, s)["event"]
	// Ann's page no longer states the training and has another licence; Bob's page is gone; Cy is renamed; Di's
	// page shows somebody else.
	load(t, s, whole1(edition("kap-commons", "2", "2026-11-20")), person("1001", "Ann One", func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("CO", "LCSW", "CSW.0002001")}
	}), person("1003", "Cy Three-Hill", nil), listing("1004", "Zed Quill", nil))
	whole(t, s)
	if got := said(ann, directory.TrainingCert); got != directory.StatusNone {
		t.Errorf("a training that the page no longer states is %q", got)
	}
	if got := said(ann, directory.License); got != directory.StatusNone && got != directory.StatusListed {
		t.Errorf("licences of a page that states another: %q", got)
	}
	states := map[string]directory.Status{}
	for _, f := range must(s.ClaimFiles(ctx, ann)) {
		if f.Claim.Kind == directory.License {
			states[f.Claim.Title] = f.Status
		}
	}
	if len(states) != 2 || states["CSW"] == states["LPC"] {
		t.Errorf("the licence it states and the one it stated: %v", states)
	}
	if _, err := s.File(ctx, bob); !errors.Is(err, directory.NotFound) {
		t.Errorf("who is in no listing any more has a page: %v", err)
	}
	if !slices.ContainsFunc(must(s.ClaimFiles(ctx, bob)), func(f directory.ClaimFile) bool { return f.Claim.Kind == directory.License && len(f.History) == 3 }) {
		t.Error("who is in no listing any more has lost their history")
	}
	if lookup(t, s, "Di Four") != nil || lookup(t, s, "Zed Quill") == nil {
		t.Error("a page that shows somebody else")
	}
	if lookup(t, s, "Cy Three-Hill") == nil {
		t.Error("a person renamed on the same page is lost")
	}
	words := map[string]int{}
	must0(t, s.View(ctx, func(v *View) error {
		return v.EachChange("", "", func(e directory.Event, _ directory.ID, kind directory.ClaimKind) error {
			if kind == directory.FileClaim {
				words[string(e.Body.State)+" "+e.Body.Number+" "+e.Body.Name]++
			}
			return nil
		})
	}))
	if words["not_found 1002 "] != 1 || words["not_found 1004 "] != 1 || words[" 1003 Cy Three-Hill"] != 1 || len(words) != 3 {
		t.Errorf("events about files: %v", words)
	}
	if n := rowCounts(t, s)["event"]; n <= events {
		t.Error("nothing was appended")
	}
	// What was true on the day before still is for that day.
	for _, h := range must(s.File(ctx, ann)).Claims {
		if h.Claim.Kind == directory.TrainingCert && len(h.StatedBy(s.now(), knownAt(t, s))) != 0 {
			t.Error("it is still said to be stated")
		}
	}
	// Back again: the same id, and compared with what was loaded meanwhile.
	load(t, s, edition("co-dora", "2", "2026-11-15"), roster("LPC", "1002", "Bob Two", "Revoked", directory.SeenRevoked, "2027-08-31"))
	load(t, s, whole1(edition("kap-commons", "3", "2026-11-21")), person("1001", "Ann One", trained), person("1002", "Bob Two", trained), person("1003", "Cy Three-Hill", nil), listing("1004", "Zed Quill", nil))
	whole(t, s)
	if f := find(t, s, "Bob Two"); f.Provider.ID != bob || said(bob, directory.License) != directory.StatusUnderReview {
		t.Errorf("back as %s, the licence is %s", f.Provider.ID, said(bob, directory.License))
	}
	if said(ann, directory.TrainingCert) != directory.StatusListed {
		t.Error("a training that is stated again does not count")
	}
	// A reading that is no whole one, one with rows put aside, one of less than half, and an older one drop nobody.
	before := len(must(s.Changes(ctx, 0, 100)))
	load(t, s, edition("kap-commons", "4", "2026-11-22"), person("1001", "Ann One", trained))
	load(t, s, whole1(edition("kap-commons", "5", "2026-11-22")), person("1001", "Ann One", trained))
	run := must(s.Begin(ctx, whole1(edition("kap-commons", "6", "2026-11-22"))))
	_, err := s.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{withSource(person("1001", "Ann One", trained)), withSource(person("1003", "Cy Three-Hill", nil))},
		Rejects: []directory.Reject{{File: "2", Reason: "cannot be read"}}})
	must0(t, err)
	_, err = s.End(ctx, run.ID, nil)
	must0(t, err)
	load(t, s, whole1(edition("kap-commons", "7", "2026-11-19")), person("1001", "Ann One", trained), person("1003", "Cy Three-Hill", nil))
	if last := must(s.Runs(ctx, 1))[0]; last.Counts.Changed != 0 || last.Counts.Unchanged != 2 {
		t.Errorf("an older reading of the same content: %+v", last.Counts)
	}
	for _, who := range []string{"Ann One", "Bob Two", "Cy Three-Hill", "Zed Quill"} {
		if lookup(t, s, who) == nil {
			t.Errorf("%s was dropped", who)
		}
	}
	_ = before
	whole(t, s)
}

// testPreviewOfListings holds a dry run of listings to what the import does: an older reading changes nothing, and
// whoever was removed stays out.
func testPreviewOfListings(t *testing.T, c Config) {
	if c.Dir == "" {
		c.SuppressionKey = []byte("a key that the environment gives!")
	}
	s := open(t, c)
	hire(t, s)
	ann := page("kap-commons", "1001", "Ann One", anaNPI, nil)
	bob := func(street string) directory.Record {
		return page("kap-commons", "1002", "Bob Two", "", func(l *directory.Listing) {
			l.Sites = []directory.Site{{Address: directory.Address{Line1: street, City: "Denver", State: "CO", ZIP: "80202"}}}
		})
	}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ann, bob("1 Elm St Ste 1"))
	q := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: find(t, s, "Ann One").Provider.ID}))
	must(s.DecideRemoval(ctx, directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "lee", Auth: "test"}))
	for _, day := range []directory.Date{"2026-11-10", "2026-11-22"} {
		batch := directory.Batch{Records: []directory.Record{withSource(ann), withSource(bob("2 Oak St Ste 9"))}}
		rel := edition("kap-commons", string(day), day)
		p := s.Preview()
		dry := must(p.Begin(ctx, rel))
		must(p.Put(ctx, dry.ID, batch))
		dry = must(p.End(ctx, dry.ID, nil))
		done := must(s.Begin(ctx, rel))
		must(s.Put(ctx, done.ID, batch))
		done = must(s.End(ctx, done.ID, nil))
		if d := cmp.Diff(done.Counts, dry.Counts); d != "" {
			t.Errorf("of %s the dry run counts otherwise (-import +dry):\n%s", day, d)
		}
		if want := (directory.Counts{Read: 2, Outside: 1, Unchanged: 1}); day == "2026-11-10" && done.Counts != want {
			t.Errorf("an older reading: %+v", done.Counts)
		}
	}
}

// testDeparted lets a site say which of its listings it took away: those go, and nobody else who is absent.
func testDeparted(t *testing.T, c Config) {
	s := open(t, c)
	people := []directory.Record{page("kap-commons", "1001", "Ann One", "", nil), page("kap-commons", "1002", "Bob Two", "", nil), page("kap-commons", "1003", "Cy Three", "", nil)}
	load(t, s, edition("kap-commons", "1", "2026-11-18"), people...)
	bob := find(t, s, "Bob Two").Provider.ID
	run := must(s.Begin(ctx, edition("kap-commons", "2", "2026-11-20")))
	gone := []directory.Departure{{Key: "1002", URL: "https://kap-commons.example/1002", Why: directory.GonePage}, {Key: "nobody", Why: directory.GoneLink}}
	if _, err := s.Put(ctx, run.ID, directory.Batch{Records: withSources(people[:1]), Gone: gone, Rejects: []directory.Reject{{File: "/x", Reason: "unreadable"}}}); err != nil {
		t.Fatal(err)
	}
	run = must(s.End(ctx, run.ID, nil))
	if run.Counts.Removed != 1 {
		t.Errorf("removed %d", run.Counts.Removed)
	}
	if lookup(t, s, "Bob Two") != nil {
		t.Error("a listing that its site took away is still listed")
	}
	find(t, s, "Ann One")
	find(t, s, "Cy Three") // absent is not gone
	load(t, s, edition("kap-commons", "3", "2026-11-21"), people...)
	if back := find(t, s, "Bob Two").Provider.ID; back != bob {
		t.Errorf("came back as %s, was %s", back, bob)
	}
	whole(t, s)
}

func withSources(list []directory.Record) (out []directory.Record) {
	for _, r := range list {
		out = append(out, withSource(r))
	}
	return out
}

func withSource(r directory.Record) directory.Record { r.Source = "kap-commons"; return r }

const planted = "Wilhelmina Quackenbush-Thorne"

// testRemoval: a request changes nothing, proven or accepted it hides, destroys and keeps out.
func testRemoval(t *testing.T, c Config) {
	dir := t.TempDir()
	if c.DSN == "" {
		dir = c.Dir
	}
	c.Dir = dir
	s := open(t, c)
	hire(t, s)
	wilma := func(key string, change func(*directory.Listing)) directory.Record {
		return listing(key, planted+", LPC", func(l *directory.Listing) {
			l.NPI = mariaNPI
			l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.0008888")}
			l.Sites = []directory.Site{denver("(303) 555-0188")}
			l.Website = "https://wilhelmina-quackenbush.example/"
			if change != nil {
				change(l)
			}
		})
	}
	therapist := func() directory.Record {
		return listing("tess", "Tess Therapist", func(l *directory.Listing) {
			l.Prescribers = []directory.ListedPrescriber{{Name: name(planted), NPI: mariaNPI}}
			l.Training = []directory.ListedTraining{{Programme: "Fluence", Level: "attended"}}
		})
	}
	first := edition("kap-commons", "1", "2026-11-18")
	load(t, s, first, wilma("w-quackenbush", nil), therapist(), ben())
	load(t, s, edition("open-clinics", "1", "2026-11-19"), from("open-clinics", wilma("wilhelmina", nil)))
	load(t, s, edition("leie", "2026-10", "2026-10-31"), exclusion("x", "Far Away", ""))
	aside := must(s.Begin(ctx, edition("open-clinics", "2", "2026-11-19"))) // quarantined rows that name them, as somebody else spells it
	_, err := s.Put(ctx, aside.ID, directory.Batch{Rejects: []directory.Reject{{File: "p", Line: 2, Reason: "no ZIP code", Text: "w, " + strings.ToUpper(strings.ReplaceAll(planted, "a", "á"))}}})
	must0(t, err)
	_, err = s.End(ctx, aside.ID, nil)
	must0(t, err)
	f := find(t, s, planted)
	id := f.Provider.ID
	must(s.Attest(ctx, directory.Attestation{Provider: directory.ProviderRef{ID: id}, By: "provider", Auth: "email_link", Protocol: &directory.ProtocolStatement{Preparation: directory.Yes}}))
	shown, head := shownOf(t, s, id), must(s.Head(ctx))
	q := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: id, Words: planted + " wants to go", Contact: "w@elsewhere.example"}))
	if again := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: id, Words: planted + " wants to go", Contact: "w@elsewhere.example"})); again.ID != q.ID {
		t.Error("the same request twice")
	}
	if q.Due != "2026-11-25" || q.State != "open" || shownOf(t, s, id) != shown || must(s.Head(ctx)) != head {
		t.Errorf("a request changes something, or is due on %s", q.Due)
	}
	list, n, err := s.Queue(ctx, CaseFilter{Kind: directory.CaseRemoval, Limit: 9})
	if err != nil || n != 1 || list[0].Need.Due != q.Due {
		t.Errorf("the queue: %+v, %v", list, err)
	}
	try := func(do, staff, contact string) error {
		d := directory.RemovalDecision{ID: q.ID, Do: do, Staff: staff, Auth: "local", Contact: contact, Note: "n"}
		if do == "prove" {
			d.Auth = "telephone_callback"
		}
		_, err := s.DecideRemoval(ctx, d)
		return err
	}
	for _, x := range []struct{ do, staff, contact string }{{"accept", "kim", ""}, {"accept", "", ""}, {"accept", "nobody", ""}, {"prove", "", "(303) 555-9999"}, {"prove", "", "w@elsewhere.example"},
		{"prove", "kim", ""}, {"decline", "", ""}} {
		if err := try(x.do, x.staff, x.contact); !errors.Is(err, directory.Refused) {
			t.Errorf("%s by %q through %q: %v", x.do, x.staff, x.contact, err)
		}
	}
	if shownOf(t, s, id) != shown {
		t.Error("what was refused changed something")
	}
	must0(t, try("prove", "", "303.555.0188"))
	whole(t, s)
	if _, err := s.File(ctx, id); !errors.Is(err, directory.Gone) {
		t.Errorf("after the removal: %v", err)
	}
	for _, ch := range must(s.Changes(ctx, 0, 100)) {
		if ch.Provider == id && ch.File != nil {
			t.Error("followers still get the file")
		}
	}
	if info, err := os.Stat(filepath.Join(dir, suppressionFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret: %v, %v", info, err)
	}
	if r := must(s.Fsck(ctx, nil)); r.Removed == 0 {
		t.Error("no payload was destroyed")
	}
	sameExport(t, s)
	nowhere(t, s, dir, c.DSN)
	// Every listing of theirs again, and a new one, bring nobody back.
	load(t, s, edition("kap-commons", "2", "2026-11-20"), wilma("w-quackenbush", nil), therapist(), ben())
	load(t, s, edition("open-clinics", "2", "2026-11-20"), from("open-clinics", wilma("other-page", func(l *directory.Listing) { l.NPI = "" })), from("open-clinics", wilma("third", func(l *directory.Listing) { l.Licences, l.Sites = nil, nil })))
	whole(t, s)
	if lookup(t, s, planted) != nil {
		t.Error("an import brought them back")
	}
	nowhere(t, s, dir, c.DSN)
	// By name and place alone it may be somebody else: a person looks, and nothing is listed meanwhile.
	namesake := func(key string) directory.Record {
		return from("open-clinics", listing(key, planted, func(l *directory.Listing) { l.Sites = []directory.Site{denver("")} }))
	}
	load(t, s, edition("open-clinics", "3", "2026-11-21"), namesake("n1"), namesake("n2"))
	list, n, err = s.Queue(ctx, CaseFilter{Kind: directory.CaseRemoved, Limit: 9})
	if err != nil || n != 2 || lookup(t, s, planted) != nil {
		t.Fatalf("a namesake: %d cases, %v, listed %v", n, err, lookup(t, s, planted))
	}
	if d := must(s.Dossier(ctx, list[0].Case.ID, "")); len(d.Choices) != 2 || !d.Waits {
		t.Errorf("dossier %+v", d)
	}
	slices.SortFunc(list, func(a, b directory.Queued) int { return strings.Compare(a.Key, b.Key) })
	x := &trial{t: t, s: s}
	x.must(x.decide("kim", "same", list[0].Case, list[0].Revision))
	x.must(x.decide("kim", "distinct", list[1].Case, list[1].Revision))
	load(t, s, edition("open-clinics", "4", "2026-11-22"), namesake("n1"), namesake("n2"))
	whole(t, s)
	if f := find(t, s, planted); f.Provider.ID == id {
		t.Error("a namesake has the id of the one who was removed")
	}
	if _, n, _ := s.Queue(ctx, CaseFilter{Kind: directory.CaseRemoved, Limit: 9}); n != 0 {
		t.Error("what was decided is asked again")
	}
	// Without the secret nobody is let back in.
	key := must(os.ReadFile(filepath.Join(dir, suppressionFile)))
	must0(t, os.Remove(filepath.Join(dir, suppressionFile)))
	run := must(s.Begin(ctx, edition("kap-commons", "9", "2026-11-23")))
	_, err = s.Put(ctx, run.ID, directory.Batch{Records: []directory.Record{withSource(ben())}})
	if !errors.Is(err, directory.Refused) {
		t.Errorf("an import without the secret: %v", err)
	}
	must(s.End(ctx, run.ID, err))
	must0(t, os.WriteFile(filepath.Join(dir, suppressionFile), key, 0o600))
	// What was destroyed cannot be undone; that they stay away can.
	void := directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: id, Of: must(s.Removals(ctx, false))[0].Event, Seen: fileSeen(t, s, id), Note: "n"}
	if _, err := s.Act(ctx, void); !errors.Is(err, directory.Refused) {
		t.Errorf("voiding a removal: %v", err)
	}
	if _, err := s.DecideRemoval(ctx, directory.RemovalDecision{ID: q.ID, Do: "lift", Staff: "lee", Auth: "local", Note: "asked to be listed again"}); err != nil {
		t.Error(err)
	}
	load(t, s, edition("kap-commons", "10", "2026-11-23"), wilma("w-quackenbush", nil), ben())
	if _, err := s.File(ctx, id); !errors.Is(err, directory.Gone) {
		t.Errorf("the old id after lifting: %v", err)
	}
	whole(t, s)
}

// nowhere looks for the name in every table and, of SQLite, in every file.
func nowhere(t testing.TB, s *Store, dir, dsn string) {
	t.Helper()
	words := []string{"Quackenbush", "quackenbush", "QU\u00c1CKENBUSH", "Wilhelmina", "wilhelmina", "555-0188", "0008888", string(mariaNPI)}
	if dsn == "" {
		must0(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			for _, w := range words {
				if i := bytes.Index(b, []byte(w)); i >= 0 {
					t.Errorf("%s still holds %q: …%q…", filepath.Base(path), w, b[max(0, i-80):min(len(b), i+80)])
				}
			}
			return err
		}))
		return
	}
	for _, q := range []string{`SELECT payload FROM event_payload`, `SELECT meta || body FROM evidence`, `SELECT doc || subject FROM provider_facts`, `SELECT doc || key FROM source_record`,
		`SELECT block || key FROM source_block`, `SELECT block FROM provider_block`, `SELECT number_raw || title FROM claim`, `SELECT key || agreed FROM cases`, `SELECT key || doc FROM page`,
		`SELECT words || contact || note FROM removal`, `SELECT text FROM reject`, `SELECT kept FROM merge_record`} {
		rows, err := s.reader.QueryContext(context.Background(), q)
		must0(t, err)
		for rows.Next() {
			var text string
			must0(t, rows.Scan(&text))
			for _, w := range words {
				if strings.Contains(text, w) {
					t.Errorf("%s: %q in %s", q, w, text)
				}
			}
		}
		must0(t, rows.Close())
	}
}

// A practice that is removed is no fact of whoever works there any more, which everybody hears of; and it is none
// after the next import, which still says so.
func testRemovalOfPractice(t *testing.T, c Config) {
	c.SuppressionKey = []byte("a key that the environment gives!")
	s := open(t, c)
	hire(t, s)
	load(t, s, edition("kap-commons", "1", "2026-11-18"), ana(), ben(), clinic())
	practice, who := find(t, s, "Boulder Ketamine Clinic, LLC").Provider.ID, find(t, s, "Ana Ruiz").Provider
	if len(who.Affiliations) != 1 || who.Affiliations[0].Provider != practice {
		t.Fatalf("%+v", who.Affiliations)
	}
	head := must(s.Head(ctx))
	q := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: practice}))
	must(s.DecideRemoval(ctx, directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "lee", Auth: "test"}))
	told := false
	for _, ch := range must(s.Changes(ctx, head.Seq, 100)) {
		told = told || ch.Provider == who.ID && ch.File != nil && len(ch.File.Provider.Affiliations) == 0
	}
	if after := must(s.Head(ctx)); !told || after.Public <= head.Public {
		t.Errorf("nobody hears that %s does not work there: %+v, before %+v", who.ID, after, head)
	}
	load(t, s, edition("kap-commons", "2", "2026-11-20"), ana(), ben(), clinic())
	if p := find(t, s, "Ana Ruiz").Provider; len(p.Affiliations) != 0 {
		t.Errorf("an import brings the practice back: %+v", p.Affiliations)
	}
	whole(t, s)
}

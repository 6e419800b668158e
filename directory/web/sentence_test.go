package web

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kapdir/directory"
)

var update = flag.Bool("update", false, "write the golden files anew")

// neverSaid are the words of domain.md §5.7 that no sentence about a credential may use in our voice. What
// somebody else said stands in quotation marks and is theirs.
var neverSaid = []string{"safe", "safer", "safely", "safety", "trusted", "trustworthy", "approve", "approved", "approval", "certified by us", "recommend", "recommended",
	"recommendation", "best", "qualified to treat", "effective", "effectiveness", "verified", "verify", "cure", "cures", "heal", "heals", "guarantee", "guaranteed", "proven", "mg"}

var (
	neverSaidForm = regexp.MustCompile(`(?i)\b(` + strings.Join(neverSaid, "|") + `)\b`)
	quotedForm    = regexp.MustCompile(`“[^”]*”`)
)

// wrongWord returns a word that a sentence must not say in our voice; names are those of people and of recognised programmes.
func wrongWord(text string, names ...string) string {
	text = quotedForm.ReplaceAllString(text, "")
	for _, n := range names {
		if n != "" {
			text = strings.ReplaceAll(text, n, "")
		}
	}
	return neverSaidForm.FindString(text)
}

// One sentence for each kind of claim and status, as it reads.
func TestGoldenSentences(t *testing.T) {
	tl := testTeller(english)
	class := map[directory.Status]directory.SourceClass{directory.StatusDocumented: directory.ClassDocument, directory.StatusListed: directory.ClassListing, directory.StatusSelfReported: directory.ClassSelf}
	sources := map[directory.SourceClass]string{directory.ClassDocument: "certificate", directory.ClassListing: "kap-commons", directory.ClassSelf: "provider"}
	registers := map[directory.ClaimKind]string{directory.IdentityNPI: "nppes", directory.ExclusionScreen: "leie"}
	reasons := map[directory.Status][]string{directory.StatusCouldNotCheck: {"SRC_NO_REGISTER"}, directory.StatusUnderReview: {directory.ReasonReviewPending}}
	var b strings.Builder
	b.WriteString("# What is said of a claim, by kind and status (phrase.go, in the wording of domain.md §5.7).\n# go test ./directory/web -run GoldenSentences -update writes it anew.\n")
	for _, kind := range directory.ClaimKinds {
		if kind == directory.FileClaim { // says nothing
			continue
		}
		c := directory.Claim{Kind: kind, Provider: testSelf}
		body := directory.Body{SourceWords: "Active", Expires: "2027-08-31"}
		switch kind {
		case directory.License, directory.DisciplineScreen:
			c.Jurisdiction, c.Title, c.Number = "CO", "CSW", directory.ParseLicenceNumber("CSW.09923456")
		case directory.CompactPrivilege:
			c.Jurisdiction, c.Issuer, c.Title, c.Number = "CO", "counseling", "Privilege to Practice", directory.ParseLicenceNumber("CC.12345")
		case directory.BoardCert:
			c.Title = "Psychiatry"
		case directory.TrainingCert:
			c = directory.TrainingClaim("Polaris Insight")
			body.Level, body.Completed, body.Programme = "certificate", "2025-05-01", "Polaris Insight"
		case directory.Pledge:
			c.Title = "ASKP3 pledge"
		case directory.OversightLink, directory.PracticeAgreement:
			c.Other = testOther
		case directory.DEARegistration:
			c.Jurisdiction = "CO"
		case directory.ProtocolClaim:
			body = directory.Body{Preparation: directory.Yes, Presence: directory.Yes, Monitoring: directory.Yes, Emergency: directory.No}
		case directory.ExclusionScreen:
			c.Issuer, body = "leie", directory.Body{Release: "2026-10", State: directory.SeenClear}
		case directory.IdentityNPI:
			c.Number = directory.ParseLicenceNumber("1234567893")
		}
		for _, status := range []directory.Status{directory.StatusVerified, directory.StatusExpiring, directory.StatusStale, directory.StatusExpired, directory.StatusInactive,
			directory.StatusAdverse, directory.StatusUnderReview, directory.StatusNotFound, directory.StatusCouldNotCheck, directory.StatusDocumented, directory.StatusListed, directory.StatusSelfReported} {
			b1 := body
			switch status {
			case directory.StatusExpiring:
				b1.Expires = "2026-12-13"
			case directory.StatusExpired:
				b1.Expires = "2026-08-31"
			case directory.StatusInactive:
				b1.SourceWords, b1.Expires, b1.State = "Inactive", "", directory.SeenInactive
			case directory.StatusAdverse:
				b1.SourceWords, b1.ActionDate, b1.State = "Suspended", "2026-03-04", directory.SeenSuspended
			}
			from := directory.ClassSource
			b1.Source = "co-dora"
			if r := registers[kind]; r != "" {
				b1.Source = r
			}
			if cl := class[status]; cl != "" {
				from, b1.Source = cl, sources[cl]
			}
			s := standingOf(status, from, b1, reasons[status]...)
			s.Because = []int64{7, 9}
			said := tl.standing(c, s, subject{})
			if !slices.Equal(said.because, s.Because) {
				t.Errorf("%s, %s cites %v", kind, status, said.because)
			}
			if w := wrongWord(said.text); w != "" {
				t.Errorf("%s, %s says %q: %s", kind, status, w, said.text)
			}
			fmt.Fprintf(&b, "%s | %s | %s\n", kind, status, said.text)
		}
	}
	path := filepath.Join("testdata", "sentences.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("sentences (-golden +now):\n%s", d)
	}
}

// citing holds every sentence about the file to I6: it cites an event unless it says that something is not
// held, what it cites had happened and was known, and it uses no word that is never said.
func citing(f *directory.CredentialFile, y directory.State, m moment, policies directory.Policies) (n int, err error) {
	events := map[int64]directory.Event{}
	names := []string{f.Provider.DisplayName()}
	for _, of := range append([]*directory.CredentialFile{f}, linkedFiles(f)...) {
		names = append(names, of.Provider.DisplayName())
		for _, h := range of.Claims {
			for _, e := range h.Events {
				events[e.Seq] = e
			}
			if h.Claim.Kind == directory.OversightLink && h.Claim.Other == "" {
				names = append(names, h.Claim.Title) // a prescriber of whom only the name is known
			}
		}
	}
	for _, p := range directory.Tables().Programmes() {
		names = append(names, p.Name, p.Issuer)
	}
	holds := func(what string, s sentence, missing bool) error {
		if n++; s.text == "" {
			return fmt.Errorf("%s: no sentence", what)
		}
		if !missing && len(s.because) == 0 {
			return fmt.Errorf("%s cites nothing: %s", what, s.text)
		}
		for _, seq := range s.because {
			e, ok := events[seq]
			if !ok || e.RecordedAt > m.known || e.PerformedAt > m.at && e.Type != directory.Correct {
				return fmt.Errorf("%s cites event %d, which had not happened or was not known: %s", what, seq, s.text)
			}
		}
		if w := wrongWord(s.text, names...); w != "" {
			return fmt.Errorf("%s says %q: %s", what, w, s.text)
		}
		return nil
	}
	t := newTeller(f, y, m, policies)
	for _, c := range directory.Checks(f, y, m.at, m.known, policies) {
		if err := holds("check "+string(c.Check)+" "+string(c.Result), t.check(c), c.Result == directory.NotChecked); err != nil {
			return n, err
		}
		for _, p := range c.Parts {
			s := t.part(p)
			if err := holds("part "+string(p.What), s, p.Standing.Basis == nil && p.Standing.Status != directory.StatusUnderReview); err != nil {
				return n, err
			}
			if len(s.because) == 0 && s.text != t.missing(p) {
				return n, fmt.Errorf("part %s cites nothing and is no sentence of what is missing: %s", p.What, s.text)
			}
		}
	}
	for _, h := range f.Claims {
		st := directory.Derive(h, m.at, m.known, policies)
		if _, ok := t.claim(h.Claim, st); ok {
			if err := holds("claim "+string(h.Claim.Kind)+" "+string(st.Status), t.standing(h.Claim, st, subject{}), false); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func linkedFiles(f *directory.CredentialFile) (out []*directory.CredentialFile) {
	for _, l := range f.Linked {
		out = append(out, l)
	}
	return out
}

// I6 over the whole demonstration, at several moments.
func TestEverySentenceOfTheDemonstrationCites(t *testing.T) {
	w := demoWorld(t)
	policies := directory.StandardPolicies()
	n := 0
	err := w.store.EachFile(t.Context(), func(f *directory.CredentialFile) error {
		for i, at := range []directory.Instant{w.now.AddDays(-7), w.now, w.now.AddDays(400)} {
			y := []directory.State{f.Provider.HomeState(), f.Provider.HomeState(), "TX"}[i]
			k, err := citing(f, y, moment{at: at, known: "2030-01-01T00:00:00.000Z", now: at}, policies)
			if n += k; err != nil {
				return fmt.Errorf("%s at %s: %w", f.Provider.DisplayName(), at, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d sentences", n)
}

// I6 over histories made up: all kinds of claim and event, and words of others that nobody of ours would say.
func TestEverySentenceOfAnyHistoryCites(t *testing.T) {
	policies := directory.StandardPolicies()
	tempting := []string{"Active", "Approved", "Best and safest", "verified” and approved “by all", "Trusted\nprovider", "25 mg", ""}
	states := []directory.Observed{directory.SeenActive, directory.SeenActive, directory.SeenSuspended, directory.SeenProbation, directory.SeenExpired, directory.SeenInactive, directory.SeenNotFound,
		directory.SeenUnavailable, directory.SeenClear, directory.SeenPossible, directory.SeenExcluded, directory.SeenReinstated, directory.SeenIndeterminate}
	total := 0
	rapid.Check(t, func(t *rapid.T) {
		seq := int64(0)
		word := func(name string) string { return rapid.SampledFrom(tempting).Draw(t, name) }
		history := func(owner, other directory.ID) directory.History {
			c := directory.Claim{ID: directory.ID(fmt.Sprintf("clm_%d", seq+1)), Provider: owner, Kind: rapid.SampledFrom(directory.ClaimKinds[:len(directory.ClaimKinds)-1]).Draw(t, "kind"),
				Jurisdiction: "CO", Title: rapid.SampledFrom(append([]string{"CSW", "LCSW", "DR", "PSY"}, tempting...)).Draw(t, "title"), Number: directory.ParseLicenceNumber("CSW.1234")}
			switch c.Kind {
			case directory.OversightLink, directory.PracticeAgreement:
				c.Other, c.Title = rapid.SampledFrom([]directory.ID{other, owner, "", "prv_gone"}).Draw(t, "other"), "Elena Roth"
			case directory.ExclusionScreen:
				c.Issuer = rapid.SampledFrom([]string{"leie", "sam"}).Draw(t, "list")
			case directory.TrainingCert:
				x := directory.TrainingClaim(rapid.SampledFrom(append([]string{"Polaris Insight"}, tempting...)).Draw(t, "programme"))
				c.Issuer, c.Title = x.Issuer, x.Title
			}
			source := map[directory.ClaimKind]string{directory.IdentityNPI: "nppes", directory.ExclusionScreen: c.Issuer}[c.Kind]
			if source == "" {
				source = "co-dora"
			}
			h := directory.History{Claim: c}
			day := 0
			for range rapid.IntRange(0, 7).Draw(t, "events") {
				seq++
				day += rapid.IntRange(0, 60).Draw(t, "days")
				at := directory.At(time.Date(2026, 1, 1+day, 15, 0, 0, 0, time.UTC))
				e := directory.Event{V: 1, Seq: seq, RecordedAt: at, PerformedAt: at, Claim: c.ID, Actor: directory.Actor{Kind: directory.Tool, ID: "kapdir"}, Evidence: []string{"e"}}
				b := directory.Body{Source: source, SourceAsOf: at.Date(), SourceWords: word("words"), Restrictions: []string{word("restriction")}, Programme: word("stated programme"),
					Expires: rapid.SampledFrom([]directory.Date{"", "2026-06-30", "2027-08-31"}).Draw(t, "expires"), Level: rapid.SampledFrom([]string{"", "attended", "certificate"}).Draw(t, "level"),
					Side: rapid.SampledFrom([]string{"", "provider", "prescriber"}).Draw(t, "side"), Preparation: directory.Yes, Integration: rapid.SampledFrom([]directory.Answer{directory.Yes, directory.No, directory.Unknown}).Draw(t, "integration")}
				of := int64(rapid.IntRange(1, int(seq)).Draw(t, "of"))
				switch rapid.IntRange(0, 9).Draw(t, "what") {
				case 0, 1, 2:
					e.Type, b.Class, b.Source = directory.Assert, rapid.SampledFrom([]directory.SourceClass{directory.ClassSelf, directory.ClassListing, directory.ClassDocument}).Draw(t, "class"), "kap-commons"
				case 3, 4, 5:
					e.Type, b.State, b.Match = directory.Observe, rapid.SampledFrom(states).Draw(t, "state"), rapid.SampledFrom([]directory.Rung{directory.M5, directory.M5, directory.M4, directory.M2}).Draw(t, "rung")
					b.By = []string{"family", "given"}
					if b.Match == directory.M5 {
						b.By = append(b.By, "licence")
					}
				case 6, 7:
					e.Type, e.Actor = directory.Review, directory.Actor{Kind: directory.Staff, ID: rapid.SampledFrom([]string{"staff-a", "staff-b"}).Draw(t, "who")}
					b = directory.Body{Of: of, Decision: rapid.SampledFrom([]string{"confirm", "confirm", "clear", "return"}).Draw(t, "decision"), Field: "birth", Note: "approved"}
				case 8:
					e.Type, e.Supersedes, b = directory.Void, of, directory.Body{}
				case 9:
					e.Type, b = directory.DisputeOpen, directory.Body{Decision: rapid.SampledFrom([]string{"identity", ""}).Draw(t, "dispute")}
				}
				e.Body = b
				h.Events = append(h.Events, e)
			}
			return h
		}
		file := func(id, other directory.ID, name string) *directory.CredentialFile {
			f := &directory.CredentialFile{Provider: directory.Provider{ID: id, Kind: directory.Person, Name: directory.ParseName(name),
				Practice: directory.Practice{Routes: rapid.SampledFrom([][]string{nil, {"esketamine"}}).Draw(t, "routes")}}}
			for range rapid.IntRange(0, 6).Draw(t, "claims") {
				f.Claims = append(f.Claims, history(id, other))
			}
			return f
		}
		f := file(testSelf, testOther, "Maya Okafor")
		f.Linked = map[directory.ID]*directory.CredentialFile{testOther: file(testOther, testSelf, "Elena Roth")}
		at := directory.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 800*24).Draw(t, "at")) * time.Hour))
		known := directory.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 800*24).Draw(t, "known")) * time.Hour))
		n, err := citing(f, rapid.SampledFrom([]directory.State{"CO", "TX", ""}).Draw(t, "state"), moment{at: at, known: known, now: at}, policies)
		if total += n; err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d sentences", total)
}

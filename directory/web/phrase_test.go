package web

import (
	"cmp"
	"regexp"
	"strings"
	"testing"

	"kapdir/directory"
)

// forbidden are the words of domain.md §5.7 that no face may use, and their kin: no judgement, no
// outcome, no dose.
var forbidden = regexp.MustCompile(`(?i)\b(safe|safer|safely|safety|trusted|trustworthy|approved|recommend\w*|best|effective\w*|certified by us|qualified to treat|` +
	`verified provider|cures?|heals?|heal|guarantee\w*|proven|top[- ]rated|success rate|works for|stars?|[0-9]/5|\d+(\.\d+)?\s?mg|mg/kg)\b`)

// allowedPhrases use such a word to say the opposite, or are the one sentence that must be said.
var allowedPhrases = strings.NewReplacer("Ketamine is not FDA-approved for psychiatric disorders", "", "there are no stars", "")

const testNow = directory.Instant("2026-11-23T15:00:00.000Z")

var (
	testSelf  = directory.ID("prv_00000000000000000000000001")
	testOther = directory.ID("prv_00000000000000000000000002")
)

func testTeller(l *lang) teller {
	self := directory.Provider{ID: testSelf, Kind: directory.Person, Name: directory.Name{Given: "Maya", Family: "Okafor"}}
	other := directory.Provider{ID: testOther, Kind: directory.Person, Name: directory.Name{Given: "Elena", Family: "Roth"}}
	return teller{lang: l, file: &directory.CredentialFile{Provider: self, Linked: map[directory.ID]*directory.CredentialFile{testOther: {Provider: other}}},
		at: testNow, policy: directory.StandardPolicies().InForce(testNow, testNow), state: "CO"}
}

func coloradoLicence() directory.Claim {
	return directory.Claim{Kind: directory.License, Provider: testSelf, Jurisdiction: "CO", Title: "CSW", Number: directory.ParseLicenceNumber("CSW.09923456")}
}

func standingOf(status directory.Status, class directory.SourceClass, b directory.Body, reasons ...string) directory.Standing {
	return directory.Standing{Status: status, Class: class, Reasons: reasons, CheckedAt: "2026-11-12T09:00:00.000Z", AsOf: "2026-11-12",
		Basis: &directory.Event{PerformedAt: "2026-11-12T09:00:00.000Z", Body: b}}
}

// The sentences of domain.md §5.7, word for word.
func TestSentences(t *testing.T) {
	tl := testTeller(english)
	licence := coloradoLicence()
	register := directory.Body{Source: "co-dora", SourceWords: "Active", Expires: "2027-08-31"}
	change := func(b directory.Body, f func(*directory.Body)) directory.Body { f(&b); return b }
	training := directory.TrainingClaim("Polaris Insight")
	leie := directory.Claim{Kind: directory.ExclusionScreen, Issuer: "leie"}
	link := directory.Claim{Kind: directory.OversightLink, Provider: testSelf, Other: testOther}
	stale := standingOf(directory.StatusStale, directory.ClassSource, register)
	stale.CheckedAt, stale.AsOf = "2026-07-02T10:00:00.000Z", "2026-07-02"
	both := standingOf(directory.StatusSelfReported, directory.ClassSelf, directory.Body{Source: "provider"})
	both.Sides = []string{"prescriber", "provider"}
	one := standingOf(directory.StatusSelfReported, directory.ClassSelf, directory.Body{Source: "provider"})
	one.Sides = []string{"provider"}
	for _, x := range []struct {
		name  string
		claim directory.Claim
		s     directory.Standing
		want  string
	}{
		{"verified", licence, standingOf(directory.StatusVerified, directory.ClassSource, register),
			"Colorado lists licence CSW.09923456 (Licensed Clinical Social Worker) as “Active”, expires 31 Aug 2027. We checked the Colorado register on 12 Nov 2026."},
		{"verified, older data", licence, standingOf(directory.StatusVerified, directory.ClassSource, change(register, func(b *directory.Body) { b.SourceAsOf = "2026-11-10" })),
			"Colorado lists licence CSW.09923456 (Licensed Clinical Social Worker) as “Active”, expires 31 Aug 2027. We checked the Colorado register on 12 Nov 2026, in its data of 10 Nov 2026."},
		{"expiring", licence, standingOf(directory.StatusExpiring, directory.ClassSource, change(register, func(b *directory.Body) { b.Expires = "2026-12-13" })),
			"Colorado lists licence CSW.09923456 (Licensed Clinical Social Worker) as “Active”, expires 13 Dec 2026, in 20 days. We checked the Colorado register on 12 Nov 2026."},
		{"expires today", licence, standingOf(directory.StatusExpiring, directory.ClassSource, change(register, func(b *directory.Body) { b.Expires = "2026-11-23" })),
			"Colorado lists licence CSW.09923456 (Licensed Clinical Social Worker) as “Active”, expires 23 Nov 2026, which is today. We checked the Colorado register on 12 Nov 2026."},
		{"expired", licence, standingOf(directory.StatusExpired, directory.ClassSource, change(register, func(b *directory.Body) { b.Expires = "2026-08-31" })),
			"Colorado lists licence CSW.09923456 (Licensed Clinical Social Worker), and its last day was 31 Aug 2026. We checked the Colorado register on 12 Nov 2026."},
		{"stale", licence, stale,
			"The Colorado register listed licence CSW.09923456 (Licensed Clinical Social Worker) as “Active”. We last checked on 2 Jul 2026, more than 90 days ago. Check the register yourself."},
		{"inactive", licence, standingOf(directory.StatusInactive, directory.ClassSource, directory.Body{Source: "co-dora", SourceWords: "Inactive"}),
			"Colorado lists licence CSW.09923456 (Licensed Clinical Social Worker) as “Inactive”. We checked the Colorado register on 12 Nov 2026."},
		{"not found", licence, standingOf(directory.StatusNotFound, directory.ClassSource, directory.Body{Source: "co-dora"}, directory.ReasonNoRecord),
			"We searched the Colorado register on 12 Nov 2026 by name and number and found no record. Names and numbers can differ, so this does not mean the person is not licensed."},
		{"could not", licence, standingOf(directory.StatusCouldNotCheck, directory.ClassSource, directory.Body{Source: "co-dora"}, "SRC_NO_REGISTER"),
			"We have no register of Colorado to look this up in."},
		{"could not, of a training", training, standingOf(directory.StatusCouldNotCheck, directory.ClassSource, directory.Body{Source: "kapdir"}, "SRC_NO_REGISTER"),
			"There is no public register for this."},
		{"not found among current and lapsed licences", licence, standingOf(directory.StatusNotFound, directory.ClassSource, directory.Body{Source: "ca-dca"}, directory.ReasonNoRecord),
			"We searched the California register, which lists current and lapsed licences and leaves out those that were revoked or given up, on 12 Nov 2026 by name and number and found no record. Names and numbers can differ, so this does not mean the person is not licensed."},
		{"not found among current licences", licence, standingOf(directory.StatusNotFound, directory.ClassSource, directory.Body{Source: "tx-bhec"}, directory.ReasonNoRecord),
			"We searched the Texas register, which lists current licences only, on 12 Nov 2026 by name and number and found no record. Names and numbers can differ, so this does not mean the person is not licensed."},
		{"no answer", licence, standingOf(directory.StatusCouldNotCheck, directory.ClassSource, directory.Body{Source: "co-dora"}, directory.ReasonUnavailable),
			"We could not look this up in the Colorado register on 12 Nov 2026."},
		{"adverse", licence, standingOf(directory.StatusAdverse, directory.ClassSource, directory.Body{Source: "co-dora", SourceWords: "Suspended", ActionDate: "2026-03-04"}),
			"The Colorado register shows a public board action dated 4 Mar 2026 on licence CSW.09923456 (Licensed Clinical Social Worker), in its own words “Suspended”. Read the board's own record. We checked the Colorado register on 12 Nov 2026."},
		{"under review", licence, standingOf(directory.StatusUnderReview, directory.ClassSource, directory.Body{Source: "co-dora", SourceWords: "Suspended"}, directory.ReasonReviewReturned),
			"We are re-checking this."},
		{"listed", licence, standingOf(directory.StatusListed, directory.ClassListing, directory.Body{Source: "kap-commons", SourceWords: "LCSW"}),
			"KAP Commons lists licence CSW.09923456 (Licensed Clinical Social Worker) in Colorado; we have not confirmed it."},
		{"documented", training, standingOf(directory.StatusDocumented, directory.ClassDocument, directory.Body{Source: "certificate", Level: "certificate", Completed: "2024-05-12"}),
			"The provider sent a certificate from Polaris Insight Center and Rainfall Medicine (Polaris/Rainfall KAP Practitioner Training Certificate) dated 12 May 2024. The programme has not confirmed it to us."},
		{"screen clear", leie, standingOf(directory.StatusVerified, directory.ClassSource, directory.Body{Source: "leie", State: directory.SeenClear, Release: "2026-10", SourceAsOf: "2026-11-10"}),
			"No match on the federal exclusion list (LEIE) of October 2026."},
		{"excluded", leie, standingOf(directory.StatusAdverse, directory.ClassSource, directory.Body{Source: "leie", SourceWords: "1128b4", ActionDate: "2019-06-20", Release: "2026-10"}),
			"The federal exclusion list (LEIE) of October 2026 shows an exclusion dated 20 Jun 2019. Read the list's own record. We checked the federal exclusion list (LEIE) on 12 Nov 2026."},
		{"both sides", link, both, "Provider and prescriber, Elena Roth, both told us that they work together, the later of them on 12 Nov 2026."},
		{"one side", link, one, "The provider told us on 12 Nov 2026 that Elena Roth prescribes and monitors. The prescriber has not confirmed it to us."},
		{"link listed", link, standingOf(directory.StatusListed, directory.ClassListing, directory.Body{Source: "kap-commons", Name: "Dr. Elena Roth"}),
			"KAP Commons lists Elena Roth as the prescriber; we have not confirmed it."},
		{"link to one withdrawn", directory.Claim{Kind: directory.OversightLink, Provider: testSelf, Other: "prv_00000000000000000000000009"},
			standingOf(directory.StatusListed, directory.ClassListing, directory.Body{Source: "kap-commons", Name: "Somebody Withdrawn"}),
			"KAP Commons lists somebody without a page here as the prescriber; we have not confirmed it."},
		{"only a name", directory.Claim{Kind: directory.OversightLink, Provider: testSelf, Title: "Elena Roth"}, standingOf(directory.StatusListed, directory.ClassListing, directory.Body{Source: "kap-commons"}),
			"KAP Commons names Elena Roth as the prescriber, with neither NPI nor licence number; we do not know who it is."},
		{"self", directory.Claim{Kind: directory.OversightLink, Provider: testSelf, Other: testSelf}, both, "The provider told us on 12 Nov 2026 that they prescribe and monitor as well."},
		{"self, listed", directory.Claim{Kind: directory.OversightLink, Provider: testSelf, Other: testSelf}, standingOf(directory.StatusListed, directory.ClassListing, directory.Body{Source: "kap-commons"}),
			"KAP Commons lists the provider as prescribing and monitoring as well; we have not confirmed it."},
		{"disputed", licence, standingOf(directory.StatusVerified, directory.ClassSource, register, directory.ReasonExactID, directory.ReasonDisputeOpen),
			"Colorado lists licence CSW.09923456 (Licensed Clinical Social Worker) as “Active”, expires 31 Aug 2027. We checked the Colorado register on 12 Nov 2026. The provider disputes this."},
		{"nothing", licence, directory.Standing{Candidate: true, Pending: []int64{7}}, ""},
	} {
		if got := tl.standing(x.claim, x.s, subject{}).text; got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", x.name, got, x.want)
		}
	}
}

// Every kind of claim in every status, class and seen state gives a sentence that ends as one, has none of the forbidden
// words, and never a DEA number.
func TestEverySentenceIsClean(t *testing.T) {
	for _, l := range languages {
		everySentenceIsClean(t, testTeller(l))
	}
}

// praise are the Spanish words that no sentence may use, as forbidden has the English ones.
var praise = regexp.MustCompile(`(?i)(^|[^\pL])(segur[oa]s?|confiables?|de confianza|aprobad[oa]s?|certificad[oa] por nosotros|recomend\pL*|mejor(es)?|calificad[oa]s?|eficaz|eficaces|efectiv[oa]s?|verificad[oa]s?|garantiza\pL*|cura|curan|sana|sanan|mg)([^\pL]|$)`)

func everySentenceIsClean(t *testing.T, tl teller) {
	statuses := []directory.Status{directory.StatusUnderReview, directory.StatusAdverse, directory.StatusExpired, directory.StatusInactive, directory.StatusStale,
		directory.StatusExpiring, directory.StatusVerified, directory.StatusNotFound, directory.StatusCouldNotCheck, directory.StatusDocumented, directory.StatusListed, directory.StatusSelfReported}
	classes := []directory.SourceClass{directory.ClassSelf, directory.ClassListing, directory.ClassDocument, directory.ClassSource}
	seen := []directory.Observed{"", directory.SeenActive, directory.SeenReinstated, directory.SeenClear, directory.SeenSuspended, directory.SeenExcluded, directory.SeenIndeterminate}
	const dea = "BR1234563"
	n := 0
	for _, kind := range directory.ClaimKinds {
		for _, status := range statuses {
			for _, class := range classes {
				for _, state := range seen {
					for _, who := range []subject{{}, {true, "Elena Roth"}, {prescriber: true}} {
						for _, source := range []string{"co-dora", "leie", "nppes", "kap-commons", "provider", "certificate", "no-such-source"} {
							c := directory.Claim{Kind: kind, Provider: testSelf, Jurisdiction: "CO", Title: "CSW", Number: directory.ParseLicenceNumber("CSW.1"), Issuer: "polaris", Other: testOther}
							if kind == directory.DEARegistration {
								c.Number = directory.ParseLicenceNumber(dea)
							}
							b := directory.Body{Source: source, State: state, SourceWords: "Words of theirs", Expires: "2026-12-01", ActionDate: "2026-01-02", Level: "attended", Number: c.Number.Shown}
							got := tl.standing(c, standingOf(status, class, b), who).text
							n++
							if got == "" || !strings.HasSuffix(got, ".") || strings.Contains(got, "..") || strings.Contains(got, "  ") || strings.Contains(got, "%!") {
								t.Fatalf("%s %s %s: no sentence: %q", kind, status, class, got)
							}
							if w := cmp.Or(forbidden.FindString(got), praise.FindString(got)); w != "" {
								t.Fatalf("%s %s %s says %q: %s", kind, status, class, w, got)
							}
							if strings.Contains(got, dea) {
								t.Fatalf("a DEA number is shown: %s", got)
							}
							if status == directory.StatusUnderReview && got != tl.t("say.review") {
								t.Fatalf("under review says more: %s", got)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d sentences", n)
}

// Every result of every check has a label, a meaning and a title; so has every status.
func TestEveryResultHasWords(t *testing.T) {
	for _, l := range languages {
		need := func(key string) {
			if words, ok := l.has(key); !ok || forbidden.MatchString(words) || praise.MatchString(words) {
				t.Errorf("%s: %s is %q", l.Code, key, words)
			}
		}
		for _, c := range directory.CheckNames {
			need("check." + string(c))
			need("asks." + string(c))
			for _, r := range directory.CheckResults {
				need("result." + string(r))
				need("means." + string(r))
				for _, words := range []string{l.labelOf(c, r), l.meaningOf(directory.Check{Check: c, Result: r}), l.meaningOf(directory.Check{Check: c, Result: r, Reasons: []string{directory.ReasonTitleUnknown}})} {
					if words == "" || forbidden.MatchString(words) || praise.MatchString(words) {
						t.Errorf("%s: %s %s: %q", l.Code, c, r, words)
					}
				}
			}
		}
		for s := range statusResult {
			need("status." + string(s))
		}
		for _, k := range directory.ClaimKinds {
			need("kind." + string(k))
		}
		for _, code := range []int{400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 429, 431, 500, 503} {
			need(problemKey(code))
			need(problemKey(code) + ".detail")
		}
	}
	for _, r := range directory.CheckResults {
		if !strings.Contains(iconNames(t), `id="i-`+string(r)+`"`) {
			t.Errorf("%s has no shape", r)
		}
	}
}

func iconNames(t *testing.T) string {
	t.Helper()
	b, err := templateFiles.ReadFile("templates/parts.html")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDangerWords(t *testing.T) {
	for _, x := range []struct {
		text string
		want bool
	}{
		{"suicidal ideation 94607", true}, {"SUICIDE", true}, {"I want to kill myself", true}, {"kill-myself", true}, {"end my life", true}, {"i don't want to live", true},
		{"self-harm", true}, {"no reason to live", true}, {"overdose help", true}, {"am I in danger?", true}, {"quiero morir", true}, {"quitarme la vida", true},
		{"Autolesión", true}, {"hacerme daño", true}, {"estoy en peligro", true}, {"pensamientos suicidas", true}, {"suicidio", true},
		{"", false}, {"depression", false}, {"PTSD veteran Boulder", false}, {"Dr. Killmer", false}, {"emergency plan", false}, {"end of life", false},
		{"muerte digna", false}, {"dangerfield", false}, {"911 Main Street", true}, {"lifeline of hope", false},
	} {
		if got := inDanger(x.text); got != x.want {
			t.Errorf("%q: %v", x.text, got)
		}
	}
	for _, w := range dangerWords {
		if bare := strings.TrimSuffix(w, "*"); bare != directory.Fold(bare) {
			t.Errorf("%q is not folded and can never be found", w)
		}
	}
}

func TestNoSourceOfWhatCouldNotBeChecked(t *testing.T) {
	list := testTeller(english).addSource(nil, standingOf(directory.StatusVerified, directory.ClassSource, directory.Body{State: directory.SeenActive, Source: "co-dora"}))
	list = testTeller(english).addSource(list, standingOf(directory.StatusCouldNotCheck, directory.ClassSource, directory.Body{State: directory.SeenUnavailable, Source: "kapdir"}, "SRC_NO_REGISTER"))
	if len(list) != 1 || list[0].Name != "Colorado register" {
		t.Errorf("sources %+v", list)
	}
}

func TestDecisionAboutARow(t *testing.T) {
	e := directory.Event{Type: directory.Decide, Body: directory.Body{Decision: string(directory.Same), Source: "blue-lake"}}
	if got := EventWords(e); got != "Decides about a row of blue-lake: same." {
		t.Errorf("got %q", got)
	}
}

package web

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

var updateGlance = flag.Bool("update-glance", false, "write the questions and answers of testdata/glance.golden anew")

// kinds are ten providers of the demonstration who differ in what is known of them.
func kinds(t *testing.T) []directory.ID {
	t.Helper()
	var files []provider
	s := demoServer(t)
	for _, id := range everybody(t) {
		files = append(files, decode[provider](t, get(t, s, api(id)))) // all of them: which come first differs
	}
	result := func(name directory.CheckName, r directory.CheckResult) func(p *provider) bool {
		return func(p *provider) bool { return p.check(name).Result == r }
	}
	var out []directory.ID
	for i, is := range []func(p *provider) bool{
		func(p *provider) bool {
			return p.Licensed != nil && len(p.Prescribers) > 0 && p.check(directory.CheckOversight).Result == directory.ShownByDocument && len(p.Facts.Prices) > 0
		},
		result(directory.CheckLicense, directory.ProblemOnRecord),
		result(directory.CheckLicense, directory.BeingChecked),
		result(directory.CheckLicense, directory.OutOfDate),
		result(directory.CheckLicense, directory.StatedInListing),
		result(directory.CheckLicense, directory.NotMet),
		func(p *provider) bool { return p.Kind == directory.Organisation },
		func(p *provider) bool { return p.ListedAs == directory.AsPrescriber },
		func(p *provider) bool { return p.Self },
		func(p *provider) bool {
			return p.Kind == directory.Person && p.ListedAs == directory.AsKAP && len(p.Facts.Prices) == 0 && len(p.Prescribers) == 0
		},
	} {
		slices.SortFunc(files, func(a, b provider) int { return strings.Compare(a.Name, b.Name) })
		at := slices.IndexFunc(files, func(p provider) bool { return is(&p) && !slices.Contains(out, p.ID) })
		if at < 0 {
			t.Fatalf("no provider is of kind %d", i)
		}
		out = append(out, files[at].ID)
	}
	return out
}

// words are those of a page from the name on, with the number at which each element of the glance ends.
func wordsBelow(d *goquery.Document, until *goquery.Selection) int {
	n, done := 0, false
	var walk func(*goquery.Selection)
	walk = func(e *goquery.Selection) {
		for _, c := range e.Contents().EachIter() {
			switch {
			case done:
				return
			case goquery.NodeName(c) == "#text":
				n += len(strings.Fields(c.Text()))
			case c.HasClass("hidden"):
			default:
				walk(c)
			}
			done = done || c.Get(0) == until.Get(0)
		}
	}
	for _, e := range d.Find("h1").NextAll().EachIter() {
		walk(e)
	}
	return n
}

// A reader who knows nothing of credentialing finds six answers within 200 words below the name, or one heading
// away, and each is what the check or fact below it says.
func TestSixAnswers(t *testing.T) {
	s := demoServer(t)
	var golden strings.Builder
	for _, id := range kinds(t) {
		for _, l := range languages {
			path := l.To(pageOf(id))
			d := dom(t, get(t, s, path))
			p := decode[provider](t, get(t, s, api(id)))
			golden.WriteString("# " + p.Name + " (" + l.Code + ", " + string(p.Kind) + ", " + string(p.ListedAs) + ")\n")
			rows := d.Find("section.glance [data-glance]")
			if rows.Length() != 6 {
				t.Fatalf("%s: %d questions", path, rows.Length())
			}
			if d.Find("h1").NextAll().Find("h2").First().AttrOr("id", "") != "h-glance" {
				t.Errorf("%s: another heading stands before the answers", path)
			}
			if n := wordsBelow(d, rows.Last()); n > 200 && d.Find(".who .alert").Length() == 0 {
				t.Errorf("%s: the last answer ends at word %d", path, n)
			}
			for i, row := range rows.EachIter() {
				question, answer := text(row.Find("dt").Text()), row.Find("dd").Clone()
				answer.Find(".more").Remove()
				if question == "" || text(answer.Text()) == "" {
					t.Errorf("%s: question %d %q has no answer", path, i, question)
				}
				golden.WriteString(question + "\n    " + text(answer.Text()) + "\n")
				if to, ok := row.Find("a.more").Attr("href"); ok && strings.HasPrefix(to, "#") && d.Find(to).Length() != 1 {
					t.Errorf("%s: %q leads to %s, which is not there", path, question, to)
				}
			}
			for key, name := range map[string]directory.CheckName{"license": directory.CheckLicense, "prescriber": directory.CheckOversight} {
				if got, want := text(rows.Filter("[data-glance="+key+"]").Find(".verdict").Text()), text(d.Find("#c-"+string(name)+" .verdict").First().Text()); got != want {
					t.Errorf("%s: the glance says %q of %s, the check %q", path, got, name, want)
				}
			}
			if p.check(directory.CheckLicense).Result != directory.Confirmed && p.Licensed != nil {
				t.Errorf("%s: a day of issue stands without a licence that is confirmed", path)
			}
			wellMade(t, path, d)
		}
	}
	file := filepath.Join("testdata", "glance.golden")
	if *updateGlance {
		if err := os.WriteFile(file, []byte(golden.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), golden.String()); d != "" {
		t.Errorf("questions and answers differ; -update-glance writes them anew (-want +got):\n%s", d)
	}
}

// A question is asked exactly where its fact stands nowhere on the page.
func TestQuestionsAreOfTheUnknown(t *testing.T) {
	full := &provider{Kind: directory.Person, Prescribers: []linked{{}}, Checks: []check{{Check: directory.CheckLicense, Result: directory.Confirmed},
		{Check: directory.CheckTraining, Result: directory.ShownByDocument}, {Check: directory.CheckOversight, Result: directory.Confirmed}, {Check: directory.CheckRecord, Result: directory.Confirmed}}}
	phases := &fact[phase]{Value: phase{Offered: directory.Yes, SessionsMax: 3, MinutesMax: 60}}
	list, one, no := &fact[[]labelled]{}, &fact[labelled]{}, &fact[yesNo]{Value: directory.No}
	full.Practice = practice{Preparation: phases, Medicine: phases, Integration: phases, Presence: one, VitalSigns: no, EmergencyPlan: no, Routes: list, Settings: list, Screening: list, Escort: no}
	full.Facts = facts{Superbill: no, Accepting: &accepting{}, Access: list, Languages: list, Prices: []price{{Component: labelled{Value: "package"}}}}
	if got := english.open(full); len(got) > 0 {
		t.Errorf("of whom everything is known is asked %v", got)
	}
	nobody := &provider{Kind: directory.Person}
	asked := english.open(nobody)
	if len(asked) != len(openQuestions)-2 { // nobody prescribes, so nobody confirms it
		t.Errorf("of whom nothing is known is asked %d of %d", len(asked), len(openQuestions))
	}
	for _, l := range languages {
		seen := map[string]bool{}
		for _, q := range l.open(nobody) {
			if q.Ask == "" || q.Fact == "" || strings.Contains(q.Ask, "ask.") || seen[q.Ask] || !strings.HasSuffix(q.Ask, "?") {
				t.Errorf("%s: %+v", l.Code, q)
			}
			seen[q.Ask] = true
		}
	}
	full.Practice.VitalSigns = nil
	if got := english.open(full); len(got) != 1 || got[0].Fact != english.t("unknown.vital_signs") {
		t.Errorf("without vital signs: %v", got)
	}
}

package web

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
)

// told is the history of a licence, with what each event adds to it.
func toldOf(t *testing.T, l *lang, at directory.Instant, events ...directory.Event) []string {
	t.Helper()
	c := coloradoLicence()
	c.ID = "clm_1"
	for i := range events {
		events[i].V, events[i].Seq, events[i].Claim, events[i].RecordedAt = 1, int64(i+1), c.ID, events[i].PerformedAt
		if events[i].Actor.ID == "" {
			events[i].Actor = directory.Actor{Kind: directory.Tool, ID: "kapdir"}
		}
	}
	f := &directory.CredentialFile{Provider: directory.Provider{ID: testSelf, Kind: directory.Person}, Claims: []directory.History{{Claim: c, Events: events}}}
	m := moment{at: at, known: at, now: at, lang: l}
	policies := directory.StandardPolicies()
	out := []string{}
	for _, x := range changesOf(f, claimsOf(f, "CO", m, policies), "CO", m, policies) {
		out = append(out, x.Sentence)
	}
	return out
}

func on(day string) directory.Instant { return directory.Instant(day + "T15:00:00.000Z") }

func seen(day string, state directory.Observed, words string, expires directory.Date, rung directory.Rung) directory.Event {
	return directory.Event{Type: directory.Observe, PerformedAt: on(day), Evidence: []string{"e"}, Body: directory.Body{Source: "co-dora", SourceAsOf: directory.Date(day), State: state,
		SourceWords: words, Expires: expires, Match: rung, By: []string{"licence", "family"}}}
}

func reviewed(day, who string, of int64, decision string) directory.Event {
	return directory.Event{Type: directory.Review, PerformedAt: on(day), Actor: directory.Actor{Kind: directory.Staff, ID: who}, Body: directory.Body{Of: of, Decision: decision, Field: "birth"}}
}

// What changed is told on the day on which it was said, once, and only if it is settled.
func TestChanges(t *testing.T) {
	confirmed := []directory.Event{seen("2026-03-02", directory.SeenActive, "Active", "2026-05-11", directory.M5), reviewed("2026-03-03", "staff-a", 1, "confirm")}
	first := "On 2 Mar 2026, the Colorado register listed licence CSW.09923456 (Licensed Clinical Social Worker) in Colorado as “Active”, with 11 May 2026 as its last day."
	with := func(more ...directory.Event) []directory.Event { return append(slices.Clone(confirmed), more...) }
	for _, x := range []struct {
		name   string
		at     string
		events []directory.Event
		want   []string
	}{
		{"once looked at", "2026-03-20", with(), []string{first}},
		{"the same again is no news", "2026-04-20", with(seen("2026-04-02", directory.SeenActive, "Active", "2026-05-11", directory.M5)), []string{first}},
		{"its last day passes", "2026-05-20", with(), []string{"On 12 May 2026, the last day of licence CSW.09923456 (Licensed Clinical Social Worker) in Colorado had passed.", first}},
		{"the register says expired", "2026-05-20", with(seen("2026-05-10", directory.SeenExpired, "Expired", "2026-05-09", directory.M5), reviewed("2026-05-10", "staff-a", 3, "confirm")),
			[]string{"On 10 May 2026, the Colorado register listed licence CSW.09923456 (Licensed Clinical Social Worker) in Colorado as “Expired”, with 9 May 2026 as its last day.", first}},
		{"a board's action that two found", "2026-04-20", with(seen("2026-04-02", directory.SeenSuspended, "Suspended", "2026-05-11", directory.M5), reviewed("2026-04-03", "staff-a", 3, "confirm"), reviewed("2026-04-03", "staff-b", 3, "confirm")),
			[]string{"On 2 Apr 2026, the Colorado register showed a public action on licence CSW.09923456 (Licensed Clinical Social Worker) in Colorado, in its own words “Suspended”. Read its own record.", first}},
		{"what waits for a person, and all before", "2026-04-20", with(seen("2026-04-02", directory.SeenSuspended, "Suspended", "2026-05-11", directory.M5)), nil},
		{"what one of two found", "2026-04-20", with(seen("2026-04-02", directory.SeenSuspended, "Suspended", "2026-05-11", directory.M5), reviewed("2026-04-03", "staff-a", 3, "confirm")), nil},
		{"a wrong person", "2026-04-20", with(seen("2026-04-02", directory.SeenSuspended, "Suspended", "2026-05-11", directory.M5), reviewed("2026-04-03", "staff-a", 3, "clear")), []string{first}},
		{"a name alone", "2026-04-20", with(directory.Event{Type: directory.Observe, PerformedAt: on("2026-04-02"), Evidence: []string{"e"}, Body: directory.Body{Source: "co-dora", State: directory.SeenSuspended, SourceWords: "Suspended", Match: directory.M2, By: []string{"family", "given"}}}), []string{first}},
		{"what was voided", "2026-04-20", with(seen("2026-04-02", directory.SeenSuspended, "Suspended", "2026-05-11", directory.M5), reviewed("2026-04-03", "staff-a", 3, "confirm"), reviewed("2026-04-03", "staff-b", 3, "confirm"),
			directory.Event{Type: directory.Void, PerformedAt: on("2026-04-05"), Supersedes: 3, Actor: directory.Actor{Kind: directory.Staff, ID: "staff-a"}}), []string{first}},
		{"what was taken down", "2026-04-20", with(directory.Event{Type: directory.Takedown, PerformedAt: on("2026-04-05"), Actor: directory.Actor{Kind: directory.Staff, ID: "staff-a"}}), nil},
	} {
		got := toldOf(t, english, on(x.at), slices.Clone(x.events)...)
		if !slices.Equal(got, x.want) && len(got)+len(x.want) > 0 {
			t.Errorf("%s:\n got %s\nwant %s", x.name, strings.Join(got, "\n     "), strings.Join(x.want, "\n     "))
		}
	}
	if got := toldOf(t, spanish, on("2026-03-20"), confirmed...); len(got) != 1 || !strings.HasPrefix(got[0], "El 2 de marzo de 2026, en el registro de Colorado figuraba la licencia CSW.09923456") {
		t.Errorf("in Spanish: %q", got)
	}
}

// Whatever is told of anybody in the demonstration is what the public answer of that day says, and clean.
func TestChangesAreWhatWasSaid(t *testing.T) {
	s := demoServer(t)
	total := 0
	for i, id := range everybody(t) {
		if i%7 > 0 {
			continue
		}
		p := decode[provider](t, get(t, s, api(id)))
		at := p.AsOf.Date()
		for i, x := range p.Changes {
			total++
			if x.Date > at || i > 0 && x.Date > p.Changes[i-1].Date {
				t.Errorf("%s: out of order: %+v", id, x)
			}
			c := slices.IndexFunc(p.Claims, func(c claim) bool { return c.ID == x.Claim })
			if c < 0 || p.Claims[c].Status == directory.StatusUnderReview || x.Status == directory.StatusUnderReview || x.Status == directory.StatusWithdrawn || x.Status == directory.StatusNone {
				t.Errorf("%s: of no claim that is public: %+v", id, x)
			}
			if w := forbidden.FindString(allowedPhrases.Replace(x.Sentence)); w != "" || strings.Contains(x.Sentence, "  ") || !strings.HasSuffix(x.Sentence, ".") {
				t.Errorf("%s: %q has %q", id, x.Sentence, w)
			}
		}
	}
	if total < 50 {
		t.Errorf("only %d changes were told", total)
	}
}

// The drawing says what the check and the credentials say, and in words for who does not see it.
func TestTeamPicture(t *testing.T) {
	w, s := demoWorld(t), demoServer(t)
	head, err := w.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	resultOf := func(list []check, name directory.CheckName) directory.CheckResult {
		return list[slices.IndexFunc(list, func(c check) bool { return c.Check == name })].Result
	}
	drawn, alone, several, differ := 0, 0, 0, false
	for i, id := range everybody(t) {
		p := decode[provider](t, get(t, s, api(id)))
		if i%9 > 0 && len(p.Prescribers) < 2 {
			continue
		}
		if len(p.Prescribers) > 1 { // of each, how well this link is known: as if it were the only one
			several++
			f, err := w.store.File(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range p.Prescribers {
				one := *f
				one.Claims = slices.DeleteFunc(slices.Clone(f.Claims), func(h directory.History) bool {
					return h.Claim.Kind == directory.OversightLink && h.Claim.Other != x.ID
				})
				if want := Published(&one, "", w.now, max(w.now, head.RecordedAt), directory.StandardPolicies()); x.Result != resultOf(want.Checks, directory.CheckOversight) {
					t.Errorf("%s: with %s alone the check is %s, and the picture says %s", id, x.Name, resultOf(want.Checks, directory.CheckOversight), x.Result)
				}
				if differ = differ || x.Result != p.Prescribers[0].Result; !strings.Contains(text(dom(t, get(t, s, pageOf(id))).Find("svg.team desc").Text()), x.Label) {
					t.Errorf("%s: the picture does not say %q of %s", id, x.Label, x.Name)
				}
			}
		}
		for _, l := range languages {
			d := dom(t, get(t, s, l.To(pageOf(id))))
			p := d.Find("svg.team")
			if p.Length() == 0 {
				if !strings.Contains(d.Find(".who .lead").Text(), l.t("provider.as.prescriber")) {
					t.Errorf("%s: nothing is drawn", id)
				}
				continue
			}
			drawn++
			said := text(p.Find("desc").Text())
			if p.AttrOr("role", "") != "img" || text(p.Find("title").Text()) == "" {
				t.Errorf("%s: the drawing has no name", id)
			}
			if v := text(d.Find("#c-oversight .verdict").First().Text()); p.Find("line").Length() > 0 && !strings.Contains(said, v) {
				t.Errorf("%s: the words %q lack %q", id, said, v)
			} else if p.Find("line").Length() == 0 {
				alone++
			}
			var shown strings.Builder
			for _, e := range p.Find("text").EachIter() {
				shown.WriteString(e.Text() + " ")
				if n := len([]rune(e.Text())); n > lettersInLine+14 {
					t.Errorf("%s: %q is too long for its line", id, e.Text())
				}
			}
			for _, who := range d.Find("#h-prescribers").Parent().Find("a").EachIter() {
				if n := d.Find("#h-prescribers").Parent().Find("a").Length(); n <= mostDrawn && (!strings.Contains(said, text(who.Text())) || !strings.Contains(text(shown.String()), text(who.Text()))) {
					t.Errorf("%s: %s is not drawn: %s", id, who.Text(), shown.String())
				}
			}
		}
	}
	t.Logf("%d with several prescribers, differing: %v", several, differ)
	if drawn < 40 || alone == 0 || several == 0 {
		t.Errorf("%d were drawn, %d of them without a prescriber beside", drawn, alone)
	}
	for _, x := range []struct {
		text string
		n    int
		want []string
	}{{"", 5, []string{""}}, {"a b c", 3, []string{"a b", "c"}}, {"abcdefgh i", 3, []string{"abcdefgh", "i"}}} {
		if got := broken(x.text, x.n); fmt.Sprint(got) != fmt.Sprint(x.want) {
			t.Errorf("broken(%q, %d) = %q", x.text, x.n, got)
		}
	}
	if b, err := json.Marshal(onePerState(nil)); err != nil || string(b) != "[]" {
		t.Errorf("no licences are %s", b)
	}
}

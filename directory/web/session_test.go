package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

// said is what the store holds of a part of a session: an answer, and whose.
type said struct {
	answer directory.Answer
	source string
}

// saidOfSessions reads what may be shown of the five parts from the listing's facts and from the protocol claim,
// by the store's own rules alone.
func saidOfSessions(f *directory.CredentialFile, now, known directory.Instant, policies directory.Policies) map[string][]said {
	out := map[string][]said{}
	add := func(part string, a directory.Answer, source string) {
		if a != directory.Unknown {
			out[part] = append(out[part], said{a, source})
		}
	}
	pr, from := f.Provider.Practice, func(field string) string { return f.Provider.Origins["practice."+field].Source }
	for part, x := range map[string]directory.Phase{"preparation": pr.Preparation, "integration": pr.Integration} {
		if x.Offered == directory.Unknown && x.SessionsMax+x.MinutesMax > 0 {
			x.Offered = directory.Yes
		}
		add(part, x.Offered, from(part))
	}
	add("vital_signs", pr.VitalSigns, from("vital_signs"))
	add("emergency_plan", pr.EmergencyPlan, from("emergency_plan"))
	add("presence", map[directory.Presence]directory.Answer{directory.PresenceInRoom: directory.Yes, directory.PresenceVideo: directory.Yes,
		directory.PresenceOnSite: directory.No, directory.PresenceNone: directory.No}[pr.Presence], from("presence"))
	for _, h := range f.Claims {
		if st := directory.Derive(h, now, known, policies); h.Claim.Kind != directory.ProtocolClaim || !st.Shown() {
			continue
		}
		for _, e := range h.StatedBy(now, known) {
			b := e.Body
			add("preparation", b.Preparation, b.Source)
			add("integration", b.Integration, b.Source)
			add("presence", b.Presence, b.Source)
			add("vital_signs", b.Monitoring, b.Source)
			add("emergency_plan", b.Emergency, b.Source)
		}
	}
	return out
}

// Of nobody in the demonstration is a part of a session called unknown that a source states, and where two sources
// say different things both stand there with their names: on the page, in both languages, and in the comparison.
func TestNothingStatedIsCalledUnknown(t *testing.T) {
	w, s := demoWorld(t), demoServer(t)
	head, err := w.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	filled, contrary := 0, 0
	if err := w.store.EachFile(t.Context(), func(f *directory.CredentialFile) error {
		id := f.Provider.ID
		for _, l := range languages {
			d := dom(t, get(t, s, l.To(pageOf(id))))
			c := dom(t, get(t, s, l.To("/compare?ids="+string(id))))
			var asked []string
			for _, e := range d.Find(".asking li").EachIter() {
				asked = append(asked, text(e.Text()))
			}
			unknown := text(d.Find("[data-glance=unknown] dd").Text())
			row := func(part string) string {
				for _, e := range d.Find("#h-practice ~ dl .row").EachIter() {
					if text(e.Find("dt").Text()) == l.t("fact."+part) {
						return text(e.Find("dd").Text())
					}
				}
				t.Fatalf("%s has no row of %s", id, part)
				return ""
			}
			cell := func(part string) string {
				for _, e := range c.Find("table.compare tr").EachIter() {
					if text(e.Find("th").Text()) == l.t("fact."+part) {
						return text(e.Find("td").Text())
					}
				}
				t.Fatalf("%s has no row of %s to compare", id, part)
				return ""
			}
			all := saidOfSessions(f, w.now, max(w.now, head.RecordedAt), directory.StandardPolicies())
			for _, part := range []string{"preparation", "integration", "presence", "vital_signs", "emergency_plan"} {
				list := all[part]
				both := slices.ContainsFunc(list, func(x said) bool { return x.answer == directory.Yes }) && slices.ContainsFunc(list, func(x said) bool { return x.answer == directory.No })
				told, compared := row(part), cell(part)
				open := slices.Contains(asked, l.t("ask."+part))
				fact := l.t("unknown." + part)
				switch {
				case len(list) == 0:
					if told != l.t("unstated") && part != "vital_signs" || !open && part != "vital_signs" { // which a list of what is watched may tell
						t.Errorf("%s %s: nobody states %s, and the page says %q, asked: %v", l.Code, id, part, told, open)
					}
				case both:
					contrary++
					if !open || !strings.Contains(told, l.t("fact.differs")) || !strings.Contains(compared, l.t("fact.differs")) {
						t.Errorf("%s %s: sources disagree about %s, and the page says %q, the comparison %q, asked: %v", l.Code, id, part, told, compared, open)
					}
				default:
					if open || strings.Contains(unknown, fact) && strings.Contains(strings.ToLower(unknown), "; "+fact+";") {
						t.Errorf("%s %s: %s is called unknown, and %v", l.Code, id, part, list)
					}
					if strings.Contains(told, l.t("unstated")) || strings.Contains(compared, l.t("unstated")) {
						t.Errorf("%s %s: %s is called not stated: %q, %q; and %v", l.Code, id, part, told, compared, list)
					}
					if from := f.Provider.Origins["practice."+part]; from.Source == "" {
						filled++
					}
				}
				for _, x := range list {
					if both && (!strings.Contains(told, l.sourceName(x.source)) || !strings.Contains(compared, l.sourceName(x.source))) && !repeated(list, x) {
						t.Errorf("%s %s: %s states %s of %s, which the page does not show: %q, %q", l.Code, id, x.source, x.answer, part, told, compared)
					}
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("in two languages: %d facts that the protocol alone states, %d of which sources disagree", filled, contrary)
	if filled < 40 || contrary < 10 {
		t.Error("the demonstration has too few of them to test anything")
	}
}

// A card in the list, and a column beside others, say what is not met, so that "Full KAP" above "Not met" misleads
// nobody; and where the provider's own word or paper contradicts the kind of care of the listing, that it does.
func TestCardsSayWhatIsNotMet(t *testing.T) {
	s := demoServer(t)
	notMet, contrary := 0, 0
	for _, id := range everybody(t) {
		p := decode[provider](t, get(t, s, api(id)))
		differs := p.Practice.CareDiffers()
		if !differs && !slices.ContainsFunc(p.Checks, func(c check) bool { return c.Result == directory.NotMet }) || notMet > 30 && !differs {
			continue
		}
		for _, l := range languages {
			d := dom(t, get(t, s, l.To("/compare?ids="+string(id))))
			table := text(d.Find("table.compare").Text())
			var card *goquery.Selection
			for _, x := range dom(t, get(t, s, l.To("/?q="+url.QueryEscape(p.Name)))).Find(".cards article").EachIter() {
				if x.AttrOr("aria-labelledby", "") == "n-"+string(id) {
					card = x
				}
			}
			if card == nil {
				t.Fatalf("%s is not found by name", p.Name)
			}
			if got := card.Find(".brief .differs").Length() == 1; got != differs {
				t.Errorf("%s %s: the card says that sources disagree: %v, want %v", l.Code, id, got, differs)
			}
			if differs {
				contrary++
			}
			for _, c := range p.Checks {
				if c.Result != directory.NotMet {
					continue
				}
				notMet++
				said := ""
				for _, x := range card.Find(".check").EachIter() {
					if text(x.Find("strong").First().Text()) == l.t("check."+string(c.Check)) {
						said = text(x.Find(".sentence").Text())
					}
				}
				if said == "" || l == english && !strings.Contains(text(c.Sentence), said) || !strings.Contains(table, said) {
					t.Errorf("%s %s: %s is not met, and the card says %q of it: %s, %s", l.Code, id, c.Check, said, c.Sentence, table)
				}
			}
		}
	}
	if notMet < 20 || contrary < 4 {
		t.Errorf("only %d checks that are not met and %d kinds of care in doubt were looked at", notMet, contrary)
	}
}

// repeated reports that another source says the same, which is then shown in its place.
func repeated(list []said, x said) bool {
	return slices.ContainsFunc(list, func(y said) bool { return y.answer == x.answer && y.source != x.source })
}

// What a person is looking at, what was withdrawn and a document with a fault add nothing to the facts.
func TestSessionsShowWhatMayBeShown(t *testing.T) {
	w, s := demoWorld(t), demoServer(t)
	now := w.now
	event := func(n int64, kind directory.EventType, class directory.SourceClass, source string, b directory.Body) directory.Event {
		b.Class, b.Source = class, source
		return directory.Event{V: directory.EventVersion, Seq: n, Type: kind, RecordedAt: now, PerformedAt: now.AddDays(-int(10 - n)), Actor: directory.Actor{Kind: directory.ByProvider, ID: "x"}, Body: b}
	}
	self := event(1, directory.Assert, directory.ClassSelf, "provider", directory.Body{Emergency: directory.Yes, Presence: directory.No})
	for name, x := range map[string]struct {
		events []directory.Event
		want   []partStated
	}{
		"the provider's word": {[]directory.Event{self}, []partStated{{Part: "presence", Value: directory.No, Differs: true}, {Part: "emergency_plan", Value: directory.Yes}}},
		"a document with a fault": {[]directory.Event{self, func() directory.Event {
			e := event(2, directory.Assert, directory.ClassDocument, "document", directory.Body{Emergency: directory.No})
			e.Reason = []string{"DOC_UNREADABLE"}
			return e
		}()}, []partStated{{Part: "presence", Value: directory.No, Differs: true}, {Part: "emergency_plan", Value: directory.Yes}}},
		"withdrawn":  {[]directory.Event{self, {V: directory.EventVersion, Seq: 2, Type: directory.Takedown, RecordedAt: now, PerformedAt: now.AddDays(-1), Actor: directory.Actor{Kind: directory.Staff, ID: "y"}}}, []partStated{}},
		"taken back": {[]directory.Event{self, event(2, directory.Assert, directory.ClassSelf, "provider", directory.Body{State: directory.SeenNotFound})}, []partStated{}},
		"long ago": {[]directory.Event{func() directory.Event { e := self; e.PerformedAt = now.AddDays(-3000); return e }()},
			[]partStated{{Part: "presence", Value: directory.No, Differs: true, aging: aging{OutDated: true}}, {Part: "emergency_plan", Value: directory.Yes, aging: aging{OutDated: true}}}},
	} {
		f := &directory.CredentialFile{Provider: directory.Provider{Practice: directory.Practice{Presence: directory.PresenceInRoom}},
			Claims: []directory.History{{Claim: directory.Claim{Kind: directory.ProtocolClaim}, Events: x.events}}}
		p := english.practice(&f.Provider)
		s.also(&p, f, moment{at: now, known: now, now: now, lang: english})
		got := p.Also
		for i := range got {
			if got[i].Origin == nil || got[i].Origin.AsOf == "" || got[i].Origin.Source != "provider" {
				t.Errorf("%s: without its source: %+v", name, got[i].Origin)
			}
			if got[i].Said == nil || *got[i].Said != got[i].OutDated || got[i].From == "" {
				t.Errorf("%s: %+v", name, got[i].aging)
			}
			got[i].Origin, got[i].aging = nil, aging{OutDated: got[i].OutDated}
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: %+v, want %+v", name, got, x.want)
		}
	}
}

package web

import (
	"slices"
	"strings"

	"kapdir/directory"
)

// What stands at the top of a provider's page: six questions that everybody has, answered by the same checks and
// facts that stand below, in their own labels. Nothing here is worked out anew, so that nothing says more.

// glance is one question with its answer.
type glance struct {
	Key      string // license, who, since, prescriber, cost, unknown
	Question string
	Answer   string
	Result   directory.CheckResult // of the check that answers; "" without one
	Label    string                // the check's
	People   []linked              // who prescribes
	Href     string                // where the whole answer stands
	Link     string
}

// openQuestion is something that nobody has stated or confirmed about a provider, or of which sources state
// different things, with what to ask them.
type openQuestion struct{ Fact, Ask string }

// openQuestions are the facts that may be unknown, those first that matter most. unknown looks at what the page
// shows. Each has two messages: unknown.KEY names it, ask.KEY is the question.
var openQuestions = []struct {
	key     string
	unknown func(p *provider) bool
}{
	{"license", func(p *provider) bool { return p.Kind == directory.Person && !p.settled(directory.CheckLicense) }},
	{"prescriber", func(p *provider) bool {
		return p.ListedAs != directory.AsPrescriber && !p.Self && !p.names() && !p.settled(directory.CheckOversight)
	}},
	{"oversight", func(p *provider) bool { return p.names() && !p.Self && !p.settled(directory.CheckOversight) }},
	{"prescribing", func(p *provider) bool { return p.Self && !p.settled(directory.CheckOversight) }},
	{"training", func(p *provider) bool { return p.Kind == directory.Person && !p.settled(directory.CheckTraining) }},
	{"record", func(p *provider) bool { return !p.settled(directory.CheckRecord) }},
	{"presence", func(p *provider) bool { return len(p.Practice.answers("presence")) == 0 }},
	{"vital_signs", func(p *provider) bool { return len(p.Practice.answers("vital_signs")) == 0 }},
	{"emergency_plan", func(p *provider) bool { return len(p.Practice.answers("emergency_plan")) == 0 }},
	{"session_price", func(p *provider) bool {
		return len(p.pricesOf("medicine_session")) == 0 && len(p.pricesOf("package")) == 0
	}},
	{"course", func(p *provider) bool {
		return p.Practice.Medicine == nil || p.Practice.Medicine.Value.SessionsMax == 0
	}},
	{"other_prices", func(p *provider) bool {
		return len(p.pricesOf("package")) == 0 && (len(p.pricesOf("prescriber_visit"))+len(p.pricesOf("intake")) == 0 || len(p.pricesOf("preparation")) == 0 || len(p.pricesOf("integration")) == 0)
	}},
	{"superbill", func(p *provider) bool { return p.Facts.Superbill == nil }},
	{"preparation", func(p *provider) bool { return len(p.Practice.answers("preparation")) == 0 }},
	{"integration", func(p *provider) bool { return len(p.Practice.answers("integration")) == 0 }},
	{"length", func(p *provider) bool { return p.Practice.Medicine == nil || p.Practice.Medicine.Value.MinutesMax == 0 }},
	{"routes", func(p *provider) bool { return p.Practice.Routes == nil }},
	{"settings", func(p *provider) bool { return p.Practice.Settings == nil }},
	{"screening", func(p *provider) bool { return p.Practice.Screening == nil }},
	{"escort", func(p *provider) bool { return p.Practice.Escort == nil }},
	{"accepting", func(p *provider) bool { return p.Facts.Accepting == nil || p.Facts.Accepting.OutDated }},
	{"access", func(p *provider) bool { return p.Facts.Access == nil }},
	{"languages", func(p *provider) bool { return p.Facts.Languages == nil }},
}

func unsaid(f *fact[phase]) bool {
	return f == nil || f.Value.Offered == directory.Unknown && f.Value.SessionsMax == 0 && f.Value.MinutesMax == 0
}

// Infusion reports a provider of whom sources say that ketamine is given without all of the therapy around it.
func (p *provider) Infusion() bool {
	switch directory.CareType(p.Practice.Care.Value) {
	case directory.CareInfusionOnly, directory.CareInfusionCheckIns:
		return true
	}
	return false
}

// offers says below the name what the provider is listed as. Whoever is listed here and, by the same listing, gives
// infusions without the therapy is not said to offer it: it is the first thing that a patient reads.
func (l *lang) offers(p *provider) string {
	switch {
	case p.ListedAs == directory.AsPrescriber:
		return l.t("provider.as.prescriber")
	case p.ListedAs == directory.AsClinic:
		return l.t("provider.as.clinic")
	case !p.Infusion():
		return l.t("provider.as.listing")
	case p.At != nil: // how sessions are run is kept only as it is today
		return l.t("provider.as.ketamine")
	case p.Practice.CareDiffers():
		return l.t("provider.as.differs")
	case p.Practice.Care.Value == string(directory.CareInfusionOnly):
		return l.t("provider.as.infusion")
	}
	return l.t("provider.as.check_ins")
}

// check is the one of that name.
func (p *provider) check(name directory.CheckName) check {
	if i := slices.IndexFunc(p.Checks, func(c check) bool { return c.Check == name }); i >= 0 {
		return p.Checks[i]
	}
	return check{Check: name, Result: directory.NotChecked}
}

// settled reports a check that was answered by more than somebody's word, whether for the provider or against.
func (p *provider) settled(name directory.CheckName) bool {
	switch p.check(name).Result {
	case directory.Confirmed, directory.ShownByDocument, directory.ProblemOnRecord, directory.NotMet:
		return true
	}
	return false
}

// names reports that somebody else is named as the prescriber.
func (p *provider) names() bool {
	return len(p.Prescribers) > 0 || !p.Self && slices.ContainsFunc(p.Claims, func(c claim) bool {
		return c.Kind == directory.OversightLink && c.Status != directory.StatusUnderReview
	})
}

func (p *provider) pricesOf(component string) []price {
	var out []price
	for _, x := range p.Facts.Prices {
		if x.Component.Value == component {
			out = append(out, x)
		}
	}
	return out
}

// open lists what is not known about the provider, and of what two sources say different things.
func (l *lang) open(p *provider) []openQuestion {
	var out []openQuestion
	for _, q := range openQuestions {
		switch fact := l.t("unknown." + q.key); {
		case q.unknown(p):
			out = append(out, openQuestion{fact, l.t("ask." + q.key)})
		case p.Practice.differs(q.key):
			out = append(out, openQuestion{l.t("unknown.differs", "Fact", fact), l.t("ask." + q.key)})
		}
	}
	return out
}

// glances answers the six questions. For a moment that has passed there are four: prices and how sessions are run
// are kept only as they are today.
func (l *lang) glances(p *provider, open []openQuestion) []glance {
	license, oversight := p.check(directory.CheckLicense), p.check(directory.CheckOversight)
	out := []glance{l.licensed(p, license), l.whoSays(p, license), l.sinceWhen(p, license),
		{Key: "prescriber", Question: l.t("glance.prescriber"), Answer: l.prescribes(p), Result: oversight.Result, Label: oversight.Label, People: p.Prescribers,
			Href: "#c-" + string(directory.CheckOversight), Link: l.t("glance.why")}}
	if p.At != nil {
		return out
	}
	return append(out, glance{Key: "cost", Question: l.t("glance.cost"), Answer: l.course(p), Href: p.URL + "/cost", Link: l.t("glance.add_up")}, l.notKnown(open))
}

func (l *lang) licensed(p *provider, c check) glance {
	g := glance{Key: "license", Question: l.t("glance.license"), Result: c.Result, Label: c.Label, Href: "#c-" + string(c.Check), Link: l.t("glance.why")}
	if p.ChecksFor != nil {
		g.Question = l.t("glance.license.in", "State", *p.ChecksFor)
	}
	return g
}

// whoSays names whose word the answer about the licence is.
func (l *lang) whoSays(p *provider, c check) glance {
	g := glance{Key: "who", Question: l.t("glance.who")}
	var names []string
	for _, s := range c.Sources {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	switch said := strings.Join(names[:min(2, len(names))], ", "); {
	case c.Result == directory.BeingChecked:
		g.Answer = l.t("glance.who.review")
	case said == "" && p.Kind == directory.Organisation && c.Result == directory.NotChecked:
		g.Answer = l.t("glance.who.practice")
	case said == "":
		g.Answer = l.t("glance.who.nobody")
	case c.Result == directory.StatedInListing:
		g.Answer = l.t("glance.who.listing", "Names", said)
	case c.Result == directory.StatedByProvider, c.Result == directory.ShownByDocument:
		g.Answer = l.t("glance.who.provider")
	default:
		g.Answer = said
	}
	return g
}

// sinceWhen tells since when the licence is held, if its register states it, and of which day the answer is.
func (l *lang) sinceWhen(p *provider, c check) glance {
	g := glance{Key: "since", Question: l.t("glance.since")}
	switch {
	case c.AsOf == nil || c.Result == directory.BeingChecked:
		g.Answer = l.t("glance.since.unknown")
	case p.Licensed != nil:
		g.Answer = l.t("glance.since.issued", "Issued", *p.Licensed, "Date", *c.AsOf)
	default:
		g.Answer = l.t("glance.since.as_of", "Date", *c.AsOf)
	}
	return g
}

// prescribes tells who prescribes where it is nobody with a page of their own.
func (l *lang) prescribes(p *provider) string {
	switch {
	case len(p.Prescribers) > 0:
		return ""
	case p.Self:
		return l.t("glance.prescriber.self")
	case p.ListedAs == directory.AsPrescriber:
		return l.t("glance.prescriber.is")
	case p.names():
		return l.t("glance.prescriber.named")
	}
	return l.t("glance.prescriber.nobody")
}

// course tells what is stated of the price of a course, and what follows from it by one multiplication.
func (l *lang) course(p *provider) string {
	if list := p.pricesOf("package"); len(list) > 0 {
		low, high := bounds(list)
		return l.t("glance.cost.package", "Price", l.prices(low, high)) + l.saidBy(list)
	}
	list := p.pricesOf("medicine_session")
	switch {
	case len(list) > 0:
	case p.Practice.Care.Value == string(directory.CareInfusionOnly):
		return l.t("glance.cost.none.infusion", "Typical", l.prices(typicalInfusion.low, typicalInfusion.high))
	default:
		return l.t("glance.cost.none", "Typical", l.prices(typicalCourse.low, typicalCourse.high))
	}
	low, high := bounds(list)
	if m := p.Practice.Medicine; m != nil && m.Value.SessionsMax > 0 {
		least := m.Value.SessionsMin
		if least == 0 {
			least = m.Value.SessionsMax
		}
		n := plainRange(l, least, m.Value.SessionsMax)
		return l.t("glance.cost.sessions", "Price", l.prices(low, high), "Count", m.Value.SessionsMax, "Number", n,
			"Sum", l.prices(low*int64(least), high*int64(m.Value.SessionsMax))) + l.saidBy(list)
	}
	return l.t("glance.cost.session", "Price", l.prices(low, high)) + l.saidBy(list)
}

func (l *lang) saidBy(list []price) string {
	o := list[0].Origin
	if o == nil {
		return ""
	}
	if o.AsOf == "" {
		return " " + l.t("glance.cost.by", "Name", o.Name)
	}
	return " " + l.t("glance.cost.by_on", "Name", o.Name, "Date", o.AsOf)
}

func bounds(list []price) (low, high int64) {
	low, high = list[0].MinCents, list[0].MaxCents
	for _, x := range list[1:] {
		low, high = min(low, x.MinCents), max(high, x.MaxCents)
	}
	return low, high
}

func plainRange(l *lang, low, high int) string {
	if low == high {
		return thousands(low)
	}
	return l.t("range", "Low", thousands(low), "High", thousands(high))
}

// notKnown names the first of what is not known, and how much more there is.
func (l *lang) notKnown(open []openQuestion) glance {
	g := glance{Key: "unknown", Question: l.t("glance.unknown"), Href: "#h-ask", Link: l.t("glance.ask")}
	const most = 3
	var names []string
	for _, q := range open[:min(most, len(open))] {
		names = append(names, q.Fact)
	}
	switch more := len(open) - len(names); {
	case len(open) == 0:
		g.Answer, g.Href = l.t("glance.unknown.nothing"), ""
	case more > 0:
		g.Answer = capital(l.t("glance.unknown.more", "Names", strings.Join(names, "; "), "Count", more))
	default:
		g.Answer = capital(strings.Join(names, "; ")) + "."
	}
	return g
}

package web

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// mostCompared is how many stand side by side.
const mostCompared = 4

// compareView is the page of several providers side by side. The address holds all of its state.
type compareView struct {
	page
	Columns []compareColumn
	Rows    []compareRow
	State   directory.State
	States  stateOptions
	IDs     string
	Q       string
	Found   []compareFound
	Looked  bool
	TooMany bool
	Gone    int // chosen, and no longer listed
	Full    bool
}

// compareColumn is one provider: what the page and the API say.
type compareColumn struct {
	P      *provider
	Place  string
	Number string // a licence or the NPI, where another column has the same name
	Remove string // the comparison without them
}

// compareRow is one thing compared. A cell stands for each column.
type compareRow struct {
	Group string // begins a group of rows
	Name  string
	Cells []compareCell
}

type compareCell struct {
	Text    string
	Silent  bool // nobody said
	Result  directory.CheckResult
	Origin  *origin
	Beside  []partStated // what else is stated of it
	Against string       // see check.Against
	// CareDiffers says that sources state different things of what the kind of care goes by.
	CareDiffers bool
}

type compareFound struct {
	Name, Place, Href string
	ID                directory.ID
	Twin              bool // somebody else there has the same name and place
}

// comparePage answers GET /compare.
func (s *Server) comparePage(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Robots-Tag", "noindex")
	q, err := url.ParseQuery(rawQuery(c))
	if err != nil {
		return directory.Invalid
	}
	l := langOf(c)
	v := compareView{page: s.page(c, l.t("compare.title"), "/compare"), Q: strings.TrimSpace(q.Get("q"))}
	if st := directory.State(q.Get("state")); st != "" && slices.Contains(directory.Tables().States(), st) {
		v.State = st
	}
	var ids []directory.ID
	for _, list := range q["ids"] {
		for raw := range strings.SplitSeq(list, ",") {
			id, err := directory.ParseID(directory.ProviderPrefix, strings.TrimSpace(raw))
			if err != nil || slices.Contains(ids, id) {
				continue
			}
			if len(ids) == mostCompared {
				v.TooMany = true
				break
			}
			ids = append(ids, id)
		}
	}
	for i := 0; i < len(ids); i++ {
		p, err := s.providerAsked(c, ids[i], ask{State: v.State})
		var moved *mergedInto
		switch kind := directory.KindOf(err); {
		case errors.As(err, &moved) && !slices.Contains(ids, moved.to):
			ids[i] = moved.to
			i--
		case moved != nil || kind == directory.NotFound || kind == directory.Gone:
			ids = slices.Delete(ids, i, i+1)
			v.Gone++
			i--
		case err != nil:
			return err
		default:
			v.Columns = append(v.Columns, compareColumn{P: p, Place: placeOf(p)})
		}
	}
	for i := range v.Columns {
		v.Columns[i].Remove = compareHref(slices.Delete(slices.Clone(ids), i, i+1), v.State)
		for j, other := range v.Columns {
			if p := v.Columns[i].P; j != i && other.P.Name == p.Name {
				v.Columns[i].Number = l.numberOf(p)
			}
		}
	}
	v.IDs, v.Full, v.States = joinIDs(ids), len(ids) == mostCompared, l.states(nil)
	v.Here = compareHref(ids, v.State)
	if len(v.Columns) > 0 {
		v.Rows = l.compared(v.Columns)
	}
	if v.Q != "" && !v.Full {
		if err := s.findToCompare(c, &v, ids); err != nil {
			return err
		}
	}
	return s.sendPage(c, "compare", v)
}

// findToCompare looks for providers to put beside the others, by the words of a search.
func (s *Server) findToCompare(c *fiber.Ctx, v *compareView, ids []directory.ID) error {
	if inDanger(v.Q) {
		v.Notice = &crisisNotice
	}
	v.Looked = true
	a, bad := parse(url.Values{"q": {v.Q}, "limit": {"8"}}.Encode(), searchParams, true)
	if len(bad) > 0 { // nobody is called that
		return nil
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	answer, err := s.search(ctx, c, a)
	if err != nil && directory.KindOf(err) != directory.Invalid {
		return err
	}
	if answer == nil {
		return nil
	}
	answer.fill()
	for _, r := range answer.Results {
		if slices.Contains(ids, r.ID) {
			continue
		}
		f := compareFound{ID: r.ID, Name: r.Name, Href: compareHref(append(slices.Clone(ids), r.ID), v.State)}
		if r.Place != nil {
			f.Place = strings.Trim(r.Place.City+", "+string(r.Place.State), ", ")
		}
		f.Name = strings.Join(append([]string{f.Name}, r.Credentials...), ", ")
		for i, other := range v.Found {
			if other.Name == f.Name && other.Place == f.Place {
				v.Found[i].Twin, f.Twin = true, true
			}
		}
		v.Found = append(v.Found, f)
	}
	return nil
}

// numberOf is a number that tells the provider from a namesake: a licence's, the NPI, or that of the page.
func (l *lang) numberOf(p *provider) string {
	for _, c := range p.Claims {
		if c.Kind == directory.License && c.Number != "" {
			return l.t("compare.licence", "Number", c.Number, "State", c.Jurisdiction)
		}
	}
	if p.Facts.NPI != nil {
		return "NPI " + p.Facts.NPI.Value
	}
	return string(p.ID)
}

func placeOf(p *provider) string {
	if len(p.Facts.Sites) == 0 {
		return ""
	}
	x := p.Facts.Sites[0]
	return strings.Trim(x.City+", "+string(x.State), ", ")
}

func joinIDs(ids []directory.ID) string {
	return strings.Join(words(ids), ",")
}

func compareHref(ids []directory.ID, state directory.State) string {
	if len(ids) == 0 {
		return "/compare"
	}
	out := "/compare?ids=" + joinIDs(ids)
	if state != "" {
		out += "&state=" + string(state)
	}
	return out
}

// compared makes the rows. Whatever nobody said of any of them is left out of how sessions are run, and said once
// in the row of what is not known.
func (l *lang) compared(columns []compareColumn) []compareRow {
	var out []compareRow
	row := func(name string, cell func(p *provider) compareCell) {
		r := compareRow{Name: name}
		for _, c := range columns {
			r.Cells = append(r.Cells, cell(c.P))
		}
		out = append(out, r)
	}
	group := func(name string, from int) {
		if from < len(out) {
			out[from].Group = name
		}
	}
	silent := compareCell{Silent: true, Text: l.t("unstated")}

	row(l.t("compare.state"), func(p *provider) compareCell {
		if p.ChecksFor == nil {
			return silent
		}
		return compareCell{Text: l.state(*p.ChecksFor)}
	})
	for _, name := range directory.CheckNames {
		row(l.t("check."+string(name)), func(p *provider) compareCell {
			c := p.check(name)
			cell := compareCell{Text: c.Label, Result: c.Result}
			if c.Result == directory.NotMet {
				cell.Against = c.against
			}
			if len(c.Sources) > 0 {
				cell.Origin = &origin{Name: c.Sources[0].Name, AsOf: c.Sources[0].AsOf}
			}
			return cell
		})
	}
	row(l.t("glance.since"), func(p *provider) compareCell {
		return compareCell{Text: l.sinceWhen(p, p.check(directory.CheckLicense)).Answer}
	})
	row(l.t("glance.prescriber"), func(p *provider) compareCell {
		var names []string
		for _, x := range p.Prescribers {
			if !slices.Contains(names, x.Name) {
				names = append(names, x.Name)
			}
		}
		if len(names) > 0 {
			return compareCell{Text: strings.Join(names, "; ")}
		}
		return compareCell{Text: l.prescribes(p)}
	})
	group(l.t("five_checks"), 0)

	at := len(out)
	for _, component := range directory.Vocabulary["price"] {
		if !slices.ContainsFunc(columns, func(c compareColumn) bool { return len(c.P.pricesOf(component)) > 0 }) {
			continue
		}
		row(l.value("price", component), func(p *provider) compareCell {
			list := p.pricesOf(component)
			if len(list) == 0 {
				return silent
			}
			low, high := bounds(list)
			return compareCell{Text: l.prices(low, high), Origin: list[0].Origin}
		})
	}
	row(l.t("glance.cost"), func(p *provider) compareCell { return compareCell{Text: l.course(p)} })
	row(l.t("fact.superbill"), func(p *provider) compareCell { return l.answered(p.Facts.Superbill) })
	row(l.t("fact.sliding_scale"), func(p *provider) compareCell { return l.answered(p.Facts.SlidingScale) })
	group(l.t("provider.cost"), at)

	at = len(out)
	row(l.t("fact.care"), func(p *provider) compareCell {
		if p.Practice.Care.Value == string(directory.CareUnknown) {
			return silent
		}
		return compareCell{Text: p.Practice.Care.Label, CareDiffers: p.Practice.CareDiffers()}
	})
	session := func(field string, cell func(p *practice) compareCell) {
		row(l.t("fact."+field), func(p *provider) compareCell {
			c := cell(&p.Practice)
			if c.Beside = p.Practice.Beside(field); c.Silent && len(c.Beside) > 0 {
				c.Text, c.Silent = "", false
			}
			return c
		})
	}
	phased := func(f *fact[phase]) compareCell {
		if unsaid(f) {
			return silent
		}
		return compareCell{Text: l.phase(f), Origin: f.Origin}
	}
	session("preparation", func(p *practice) compareCell { return phased(p.Preparation) })
	session("medicine", func(p *practice) compareCell { return phased(p.Medicine) })
	session("integration", func(p *practice) compareCell { return phased(p.Integration) })
	session("presence", func(p *practice) compareCell {
		if p.Presence == nil {
			return silent
		}
		return compareCell{Text: p.Presence.Value.Label, Origin: p.Presence.Origin}
	})
	session("vital_signs", func(p *practice) compareCell { return l.answered(p.VitalSigns) })
	session("emergency_plan", func(p *practice) compareCell { return l.answered(p.EmergencyPlan) })
	row(l.t("fact.routes"), func(p *provider) compareCell { return l.listOf(p.Practice.Routes) })
	row(l.t("fact.settings"), func(p *provider) compareCell { return l.listOf(p.Practice.Settings) })
	row(l.t("fact.frameworks"), func(p *provider) compareCell { return l.listOf(p.Practice.Frameworks) })
	row(l.t("fact.formats"), func(p *provider) compareCell { return l.listOf(p.Practice.Formats) })
	group(l.t("provider.practice"), at)

	at = len(out)
	row(l.t("fact.accepting"), func(p *provider) compareCell {
		a := p.Facts.Accepting
		if a == nil {
			return silent
		}
		cell := compareCell{Text: a.Label}
		if a.AsOf != "" {
			cell.Origin = &origin{AsOf: a.AsOf}
			if a.Origin != nil {
				cell.Origin.Name = a.Origin.Name
			}
		}
		if a.OutDated {
			cell.Text += l.t("fact.may_be_old")
		}
		return cell
	})
	row(l.t("fact.video"), func(p *provider) compareCell {
		if p.Facts.Telehealth == nil {
			return silent
		}
		return compareCell{Text: l.answer(p.Facts.Telehealth.Value), Origin: p.Facts.Telehealth.Origin}
	})
	row(l.t("fact.languages"), func(p *provider) compareCell { return l.listOf(p.Facts.Languages) })
	row(l.t("fact.access"), func(p *provider) compareCell { return l.listOf(p.Facts.Access) })
	row(l.t("glance.unknown"), func(p *provider) compareCell { return compareCell{Text: l.notKnown(l.open(p)).Answer} })
	group(l.t("compare.more"), at)
	return out
}

func (l *lang) answered(f *fact[yesNo]) compareCell {
	if f == nil {
		return compareCell{Silent: true, Text: l.t("unstated")}
	}
	return compareCell{Text: l.answer(f.Value), Origin: f.Origin}
}

func (l *lang) listOf(f *fact[[]labelled]) compareCell {
	if f == nil || len(f.Value) == 0 {
		return compareCell{Silent: true, Text: l.t("unstated")}
	}
	var names []string
	for _, x := range f.Value {
		names = append(names, cmp.Or(x.Label, x.Value))
	}
	return compareCell{Text: strings.Join(names, ", "), Origin: f.Origin}
}

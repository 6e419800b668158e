package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) dueCommand() *cobra.Command {
	var days int
	var by string
	cmd := &cobra.Command{
		Use:   "due",
		Short: "List what falls due, and what will change by itself",
		Long: `List, day by day for the next days, which claims have to be looked at again and by whom, and which
answers change by themselves if nothing is done: a licence expires, its window before that opens, an
answer goes out of date, a rule of law ends. Beside them: observations that a reviewer returned, the
age of open cases, and releases of sources that are getting too old. Nothing is changed.`,
		Example: `  kapdir due
  kapdir due --days 90 --for person --json`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if days < 0 || days > 3660 {
				return usageError{fmt.Errorf("--days: between 0 and 3660, not %d", days)}
			}
			if !slices.Contains([]string{"", string(directory.ByPerson), string(directory.ByProgram)}, by) {
				return usageError{fmt.Errorf("--for: person or program, not %q", by)}
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			ans, err := a.ahead(st, days, directory.Looker(by))
			if err != nil {
				return err
			}
			return a.answer(ans, ans.write)
		},
	}
	cmd.Flags().IntVar(&days, "days", 30, "how many days ahead")
	cmd.Flags().StringVar(&by, "for", "", "only what is due with a person, or with the program")
	return cmd
}

// outlook is the answer of due. Its lists are in order of time.
type outlook struct {
	From    directory.Instant `json:"from"`
	Until   directory.Instant `json:"until"`
	Policy  string            `json:"policy"`
	For     directory.Looker  `json:"for,omitempty"`
	Read    int               `json:"providers"`
	Due     []dueItem         `json:"due"`
	Changes []changeItem      `json:"changes,omitempty"` // of claims and of checks for the home state
	Sources []releaseAge      `json:"sources"`           // whose newest loaded release is or will be too old, or that are not loaded
	Cases   []caseAge         `json:"cases,omitempty"`
	Totals  map[string]int    `json:"totals"`
}

// dueItem is a claim that has to be looked at. At is before From when it is overdue.
type dueItem struct {
	At       directory.Instant   `json:"at"`
	By       directory.Looker    `json:"by"`
	Why      directory.LookWhy   `json:"why"`
	Provider directory.ID        `json:"provider"`
	Name     string              `json:"name"`
	Claim    directory.ID        `json:"claim,omitempty"`
	Kind     directory.ClaimKind `json:"kind"`
	What     string              `json:"what"`
	Status   directory.Status    `json:"status,omitempty"`
}

// changeItem is an answer that changes with no new event. Exactly one of Claim and Check is set.
type changeItem struct {
	At       directory.Instant   `json:"at"`
	Why      directory.TurnWhy   `json:"why"`
	Provider directory.ID        `json:"provider"`
	Name     string              `json:"name"`
	Claim    directory.ID        `json:"claim,omitempty"`
	Kind     directory.ClaimKind `json:"kind,omitempty"`
	What     string              `json:"what,omitempty"`
	Check    directory.CheckName `json:"check,omitempty"`
	State    directory.State     `json:"state,omitempty"` // of a check: for whom
	From     string              `json:"from"`
	To       string              `json:"to"`
	Falls    bool                `json:"falls,omitempty"` // of a check: its result gets worse
}

// caseAge is how long cases of a kind have been open.
type caseAge struct {
	store.CaseAge
	Days int `json:"days"`
}

// ahead looks days ahead. With by, only looks of that kind are told, and what changes by itself is left to
// the other question.
func (a *app) ahead(st *store.Store, days int, by directory.Looker) (outlook, error) {
	head, err := st.Head(a.ctx)
	if err != nil {
		return outlook{}, err
	}
	now := directory.At(a.clock()())
	known := max(now, head.RecordedAt)
	policies := st.Policies()
	x := outlook{From: now, Until: now.AddDays(days), Policy: policies.InForce(now, known).Version, For: by, Totals: map[string]int{}, Due: []dueItem{}}
	show, done := a.counter("due")
	totals, err := st.Counts(a.ctx)
	if err != nil {
		return x, err
	}
	err = st.EachFile(a.ctx, func(f *directory.CredentialFile) error {
		x.Read++
		x.add(f, known, policies)
		if x.Read%200 == 0 {
			show("providers", x.Read, totals.Providers)
		}
		return nil
	})
	done()
	if err != nil {
		return x, err
	}
	slices.SortFunc(x.Due, func(p, q dueItem) int {
		return cmp.Or(cmp.Compare(p.At, q.At), cmp.Compare(p.By, q.By), cmp.Compare(p.Kind, q.Kind), cmp.Compare(p.Name, q.Name), cmp.Compare(p.Provider, q.Provider), cmp.Compare(p.What, q.What))
	})
	slices.SortFunc(x.Changes, func(p, q changeItem) int {
		return cmp.Or(cmp.Compare(p.At, q.At), cmp.Compare(p.Check, q.Check), cmp.Compare(p.Kind, q.Kind), cmp.Compare(p.Name, q.Name), cmp.Compare(p.Provider, q.Provider), cmp.Compare(p.What, q.What))
	})
	releases, err := a.releases(st, now)
	if err != nil {
		return x, err
	}
	for _, r := range releases {
		if r.Due || r.Renew != "" && r.Renew <= x.Until {
			x.Sources = append(x.Sources, r)
		}
	}
	cases, err := st.CaseAges(a.ctx)
	if err != nil {
		return x, err
	}
	for _, c := range cases {
		x.Cases = append(x.Cases, caseAge{c, int(now.Time().Sub(c.Oldest.Time()).Hours() / 24)})
	}
	x.total()
	return x, nil
}

// add tells what one file holds of it.
func (x *outlook) add(f *directory.CredentialFile, known directory.Instant, policies directory.Policies) {
	name := f.Provider.DisplayName()
	for _, l := range f.Looks(x.From, known, policies) {
		if l.At <= x.Until && (x.For == "" || x.For == l.By) {
			c := l.History.Claim
			x.Due = append(x.Due, dueItem{l.At, l.By, l.Why, f.Provider.ID, name, c.ID, c.Kind, claimWords(c), l.Standing.Status})
		}
	}
	if x.For != "" {
		return
	}
	for _, h := range f.Claims {
		s := directory.Derive(h, x.From, known, policies)
		for _, t := range directory.ClaimTurns(h, s, x.From, x.Until, known, policies) {
			c := t.Claim
			x.Changes = append(x.Changes, changeItem{At: t.At, Why: t.Why, Provider: f.Provider.ID, Name: name, Claim: c.ID, Kind: c.Kind, What: claimWords(*c), From: t.From, To: t.To})
		}
	}
	for _, t := range directory.CheckTurns(f, x.From, x.Until, known, policies) {
		x.Changes = append(x.Changes, changeItem{At: t.At, Why: t.Why, Provider: f.Provider.ID, Name: name, Check: t.Check, State: f.Provider.HomeState(), From: t.From, To: t.To, Falls: t.Falls()})
	}
}

func (x *outlook) total() {
	for _, d := range x.Due {
		x.Totals["due "+string(d.By)]++
		if d.At <= x.From {
			x.Totals["due already"]++
		}
		if d.Why == directory.WhyReturned {
			x.Totals["returned"]++
		}
	}
	for _, c := range x.Changes {
		switch {
		case c.Check == "":
			x.Totals["claims change"]++
		case c.Falls:
			x.Totals["checks fall"]++
		default:
			x.Totals["checks change otherwise"]++
		}
	}
	x.Totals["sources"] = len(x.Sources)
	for _, c := range x.Cases {
		x.Totals["open cases"] += c.Open
	}
}

// The words for why something is due and for why an answer changes.
var (
	lookWords = map[directory.LookWhy]string{
		directory.WhyNever: "never looked up", directory.WhySecond: "second search", directory.WhyNoAnswer: "no answer the last time",
		directory.WhyRecheck: "time to look again", directory.WhyNoNumber: "no number to look it up by", directory.WhyReview: "waits for a reviewer",
		directory.WhyReturned: "returned by a reviewer", directory.WhyDispute: "disputed", directory.WhyConflict: "sources differ",
		directory.WhyFile: "whole file",
	}
	turnWords = map[directory.TurnWhy]string{
		directory.TurnExpires: "its last day ends", directory.TurnExpiring: "it expires soon", directory.TurnStale: "the last look is too long ago",
		directory.TurnSide: "one side's statement is too old", directory.TurnPolicy: "another policy comes into force",
		directory.TurnLaw: "a rule of law ends or begins", directory.TurnAhead: "recorded ahead of its day",
	}
)

// write tells the outlook day by day: what is alike on a day stands in one line with its number and the
// first names. --json has every line.
func (x outlook) write(w io.Writer) {
	fmt.Fprintf(w, "From %s to %s, by policy %s.\n", x.From.Date(), x.Until.Date(), x.Policy)
	days := map[directory.Date]*dayLines{}
	day := func(at directory.Instant) *dayLines {
		d := at.Date()
		if at <= x.From {
			d = "" // overdue stands first
		}
		if days[d] == nil {
			days[d] = &dayLines{groups: map[string]*group{}}
		}
		return days[d]
	}
	for _, d := range x.Due {
		day(d.At).add(fmt.Sprintf("due with %s: %s, %s", article(d.By), d.Kind, cmp.Or(lookWords[d.Why], string(d.Why))), d.Name)
	}
	for _, c := range x.Changes {
		what := string(c.Kind)
		if c.Check != "" {
			what = "check " + string(c.Check)
			if c.Falls {
				what += " falls"
			}
		}
		day(c.At).add(fmt.Sprintf("%s %s: %s → %s, %s", at(c), what, cmp.Or(c.From, "nothing"), cmp.Or(c.To, "nothing"), cmp.Or(turnWords[c.Why], string(c.Why))), c.Name)
	}
	order := make([]directory.Date, 0, len(days))
	for d := range days {
		order = append(order, d)
	}
	slices.Sort(order)
	for _, d := range order {
		if d == "" {
			fmt.Fprintln(w, "\nDue already")
		} else {
			fmt.Fprintf(w, "\n%s\n", d)
		}
		days[d].write(w)
	}
	if len(x.Sources) > 0 {
		fmt.Fprintln(w, "\nSources")
	}
	for _, s := range x.Sources {
		switch {
		case !s.Loaded:
			fmt.Fprintf(w, "  %s is not loaded\n", s.Source)
		case s.Due:
			fmt.Fprintf(w, "  %s: release %s, data of %s, is %d days old: a newer one is wanted since %s\n", s.Source, s.Release, s.AsOf, s.Days, s.Renew.Date())
		default:
			fmt.Fprintf(w, "  %s: release %s, data of %s: a newer one is wanted from %s, answers go out of date from %s\n", s.Source, s.Release, s.AsOf, s.Renew.Date(), s.Stale.Date())
		}
	}
	if len(x.Cases) > 0 {
		fmt.Fprintln(w, "\nOpen cases")
	}
	for _, c := range x.Cases {
		fmt.Fprintf(w, "  %4d  %s, the oldest open for %d days\n", c.Open, c.Kind, c.Days)
	}
	fmt.Fprintf(w, "\n%d providers: %d due with the program, %d with a person, %d of them already", x.Read, x.Totals["due program"], x.Totals["due person"], x.Totals["due already"])
	if x.For == "" {
		fmt.Fprintf(w, "; %d claims change by themselves, and with them %d checks fall and %d change otherwise", x.Totals["claims change"], x.Totals["checks fall"], x.Totals["checks change otherwise"])
	}
	fmt.Fprintln(w, ".")
}

// at is the exact time of a change within its day.
func at(c changeItem) string { return string(c.At[11:16]) + " UTC" }

func article(by directory.Looker) string {
	if by == directory.ByProgram {
		return "the program"
	}
	return "a person"
}

// dayLines are the lines of a day in the order in which they first came.
type dayLines struct {
	order  []string
	groups map[string]*group
}

// group is what is alike on a day.
type group struct {
	n     int
	names []string // the first
}

func (d *dayLines) add(line, name string) {
	g := d.groups[line]
	if g == nil {
		g = &group{}
		d.groups[line] = g
		d.order = append(d.order, line)
	}
	if g.n++; len(g.names) < 3 && !slices.Contains(g.names, name) {
		g.names = append(g.names, name)
	}
}

func (d *dayLines) write(w io.Writer) {
	for _, line := range d.order {
		g := d.groups[line]
		names := strings.Join(g.names, ", ")
		if g.n > len(g.names) {
			names += ", …"
		}
		fmt.Fprintf(w, "  %5d  %s (%s)\n", g.n, line, names)
	}
}

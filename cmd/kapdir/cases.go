package main

import (
	"cmp"
	"fmt"
	"io"
	"sort"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) casesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cases",
		Short: "List, look at and decide what waits for a person",
		Long: `A case is something a person must look at: a register's answer that nobody has reviewed, a row of an
exclusion list that may be about a provider, two descriptions that may be of one person. Until then
nobody's answer gets better by it; bad news lowers an answer at once.

How it goes:
  1. kapdir cases list                what waits, the most harmful first
  2. kapdir cases show CASE           what is claimed beside what the source says, and what each decision would do
  3. kapdir cases decide CASE …       with the number that show gave: if anything came in between, look again

Kinds:
` + kindsHelp(),
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.casesListCommand(), a.casesShowCommand(), a.casesDecideCommand(), a.casesLookCommand(), a.casesUnmergeCommand())
	return cmd
}

func kindsHelp() string {
	var b strings.Builder
	for _, k := range directory.CaseKinds {
		fmt.Fprintf(&b, "  %-19s %s\n", k.Kind, k.Words)
	}
	return b.String()
}

func (a *app) casesListCommand() *cobra.Command {
	var kind, provider string
	var all bool
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what waits, the most harmful first and the oldest first within it",
		Long: `List what waits for a person, the most harmful first and the oldest first within it. NEEDS says how many
people must still confirm it; DUE is the last day to look again at what was returned, counted in days
from Monday to Friday.

Kinds:
` + kindsHelp(),
		Example: `  kapdir cases list
  kapdir cases list --kind adverse --json
  kapdir cases list --provider prv_… --all`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			f := store.CaseFilter{Kind: directory.CaseKind(kind), All: all, Limit: limit}
			if kind != "" && f.Kind.Words() == kind {
				return usageError{fmt.Errorf("%q is not a kind of case:\n%s", kind, kindsHelp())}
			}
			if provider != "" {
				id, err := directory.ParseID(directory.ProviderPrefix, provider)
				if err != nil {
					return usageError{err}
				}
				f.Provider = id
			}
			if limit < 1 {
				return usageError{fmt.Errorf("--limit: at least 1")}
			}
			return a.listCases(f)
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "only cases of this kind")
	cmd.Flags().StringVar(&provider, "provider", "", "only cases about this provider, prv_…")
	cmd.Flags().BoolVar(&all, "all", false, "closed cases too, and those of withdrawn providers")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many")
	return cmd
}

// casesAnswer is the answer of cases list.
type casesAnswer struct {
	Total int                `json:"total"`
	Cases []directory.Queued `json:"cases"`
}

func (a *app) listCases(f store.CaseFilter) error {
	st, err := a.lookAtStore()
	if err != nil {
		return err
	}
	defer st.Close()
	ans := casesAnswer{Cases: []directory.Queued{}}
	list, total, err := st.Queue(a.ctx, f)
	if err != nil {
		return err
	}
	ans.Total, ans.Cases = total, append(ans.Cases, list...)
	now := directory.At(a.clock()())
	return a.answer(ans, func(w io.Writer) {
		if total == 0 {
			fmt.Fprintln(w, "Nothing waits.")
			return
		}
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(t, "CASE\tKIND\tAGE\tPROVIDER\tWHAT\tSOURCE\tNEEDS\tDUE")
		for _, c := range ans.Cases {
			due := "-"
			if c.Need.Due != "" {
				due = string(c.Need.Due)
			}
			if c.Why != "" {
				c.What += ", " + c.Why
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, c.Kind, age(c.Opened, now), c.Name, c.What, c.Source, needs(c), due)
		}
		_ = t.Flush()
		if n := total - len(ans.Cases); n > 0 {
			fmt.Fprintf(w, "and %d more: --limit %d\n", n, total)
		}
	})
}

// age is how long something has waited.
func age(since, now directory.Instant) string {
	switch days := int(now.Time().Sub(since.Time()).Hours() / 24); {
	case days < 1:
		return "today"
	case days == 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", days)
	}
}

func needs(c directory.Queued) string {
	switch n := c.Need; {
	case c.Closed != "":
		return "closed " + string(c.Closed.Date())
	case n.Withdrawn:
		return "withdrawn"
	case !c.Waits:
		return "nothing"
	case n.Approver && len(n.Given) > 0:
		return "an approver after " + directory.AllOf(n.Given)
	case n.Approvals == 1 && len(n.Given) > 0:
		return "1 more after " + directory.AllOf(n.Given)
	case n.Returned != "":
		return fmt.Sprintf("%d, returned by %s", n.Approvals, n.Returned)
	default:
		return fmt.Sprint(n.Approvals)
	}
}

func (a *app) casesShowCommand() *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "show CASE",
		Short: "Show everything that a decision needs",
		Long: `Show a case: the provider, the claim with its history, what is claimed beside what the source says field by
field, the source's own row, and what each decision would do at this moment, with its command. With --as
it says what you may not do, and who may.

This is for staff alone: it may show a birth date or a name that no public face shows.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			id, err := directory.ParseID(directory.CasePrefix, argv[0])
			if err != nil {
				return usageError{err}
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			d, err := st.Dossier(a.ctx, id, as)
			if err != nil {
				return err
			}
			return a.answer(d, func(w io.Writer) { writeDossier(w, d, as) })
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "your name as a staff member")
	return cmd
}

// writeDossier writes a case for somebody who decides at a terminal.
func writeDossier(w io.Writer, d directory.Dossier, as string) {
	c := d.Case
	fmt.Fprintf(w, "%s  %s: %s\n", c.ID, c.Kind, cmp.Or(d.Why, c.Kind.Words()))
	if c.Kind == directory.CaseRemoval {
		fmt.Fprintln(w, "kapdir removal answers it")
	}
	fmt.Fprintf(w, "opened %s", c.Opened.Date())
	switch {
	case c.Closed != "":
		fmt.Fprintf(w, ", closed %s", c.Closed.Date())
	case !d.Waits:
		fmt.Fprint(w, ", waits for nobody any more")
	case d.Need.Returned != "":
		fmt.Fprintf(w, ", returned by %s, to be looked at again by %s", d.Need.Returned, d.Need.Due)
	}
	fmt.Fprint(w, "\n\n")

	p := d.Provider
	fmt.Fprintf(w, "PROVIDER  %s  %s\n", p.DisplayName(), p.ID)
	if p.NPI != "" {
		fmt.Fprintf(w, "  NPI %s\n", p.NPI)
	}
	for _, f := range p.Former {
		fmt.Fprintf(w, "  also known as %s\n", f)
	}
	for _, s := range p.Sites {
		x := s.Address
		fmt.Fprintf(w, "  %s\n", strings.Join(strings.Fields(strings.Join([]string{x.Line1, x.City, string(x.State), x.ZIP, s.Phone}, " ")), " "))
	}
	if p.Website != "" {
		fmt.Fprintf(w, "  %s\n", p.Website)
	}
	for _, o := range d.Others {
		fmt.Fprintf(w, "  the same row may speak of, or was sent by, %s  %s\n", o.Name, o.ID)
	}
	if d.Claim != nil {
		fmt.Fprintf(w, "\nCLAIM  %s  %s\n  now: %s\n", d.Claim.Words(), d.Claim.ID, d.Now)
		if e := d.Ends; e != nil {
			ends := map[bool]string{true: "ended", false: "ends"}[c.Kind == directory.CaseExpired]
			fmt.Fprintf(w, "  it %s on %s, says %s, looked at on %s; public pages have said so since %s\n", ends, e.Day, e.Source, e.Looked.Date(), e.Since.Date())
			if e.Newer > 0 {
				fmt.Fprintf(w, "  what was read since, event %d, waits for somebody else to confirm it, in a case of its own: kapdir cases list --provider %s\n", e.Newer, p.ID)
			}
		}
		fmt.Fprintln(w, "\nHISTORY")
		for _, e := range d.History {
			gone := ""
			if e.Gone {
				gone = "  (does not count any more)"
			}
			mark := " "
			if e.Seq == c.Event {
				mark = ">"
			}
			fmt.Fprintf(w, "%s %6d  %s  %s%s\n", mark, e.Seq, e.At.Date(), e.Words, gone)
		}
	}
	if c.Match.Rung != "" {
		fmt.Fprintf(w, "\nMATCH  %s\n", c.Match.Words())
	}
	if len(d.Differs) > 0 {
		fmt.Fprintln(w)
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(t, "FACT\tSHOWN\tFROM\tTHIS PAGE SAYS")
		for _, x := range d.Differs {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", x.Field, x.Shown, x.ShownBy.Source, x.Says)
		}
		_ = t.Flush()
	}
	if len(d.Compared) > 0 {
		fmt.Fprintln(w)
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		source := c.Source
		if source == "" {
			source = "the source"
		}
		fmt.Fprintf(t, "FIELD\tCLAIMED OR LISTED\t%s SAYS\t\n", strings.ToUpper(source))
		for _, x := range d.Compared {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", x.Field, dash(x.Ours), dash(x.Theirs), x.Agree)
		}
		_ = t.Flush()
	}
	if r := d.Row; r != nil {
		fmt.Fprintf(w, "\nTHE SOURCE'S OWN ROW  %s %s %s", r.Source, r.Release, r.Key)
		if r.Line > 0 {
			fmt.Fprintf(w, ", line %d", r.Line)
		}
		if r.Evidence != "" {
			fmt.Fprintf(w, "\n  evidence %s", r.Evidence)
		}
		fmt.Fprintln(w)
		var keys []string
		for k := range r.Fields {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			if v := r.Fields[k]; v != "" {
				fmt.Fprintf(w, "  %s: %s\n", k, v)
			}
		}
		if r.Text != "" {
			fmt.Fprintf(w, "  %s\n", r.Text)
		}
	}
	if len(d.Choices) == 0 {
		return
	}
	fmt.Fprint(w, "\nWHAT YOU CAN DO")
	if n := d.Need; n.Approvals > 0 {
		people := "1 person must still decide"
		if n.Approvals > 1 {
			people = fmt.Sprintf("%d people must still decide", n.Approvals)
		}
		if len(n.Given) > 0 {
			people += ", after " + directory.AllOf(n.Given)
		}
		fmt.Fprintf(w, "  (%s: %s)", people, whoNext(n))
	}
	fmt.Fprintln(w)
	if as == "" {
		as = "NAME"
	}
	for _, x := range d.Choices {
		if x.Refused != "" {
			if x.Try != "" {
				x.Refused += ": " + x.Try
			}
			fmt.Fprintf(w, "  %-9s not possible: %s\n", x.Decision, x.Refused)
			continue
		}
		fmt.Fprintf(w, "  %-9s %s\n            %s\n", x.Decision, x.Effect, decideCommand(d, x.Decision, as))
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// decideCommand is the command line of a decision.
func decideCommand(d directory.Dossier, decision, as string) string {
	switch look := fmt.Sprintf("kapdir cases look %s --as %s --seen %d", d.Case.ID, as, d.Seen); decision {
	case directory.LookAnew:
		return look + ` --found yes --words "ACTIVE" --number … --name … --expires …`
	case directory.CouldNotLook:
		return look + ` --found could_not_look --note "WHY"`
	}
	line := fmt.Sprintf("kapdir cases decide %s %s --as %s --seen %d", d.Case.ID, decision, as, d.Seen)
	switch directory.Deed(decision) {
	case directory.Clear:
		if d.Case.Kind == directory.CaseDocument {
			break
		}
		line += " --field WHICH_DIFFERS"
	case directory.Same:
		if d.Case.Kind != directory.CaseDuplicate && d.Case.Kind != directory.CaseRemoved {
			line += " --field WHICH_AGREES"
		}
	case directory.Confirm:
		return line
	}
	return line + ` --note "WHY"`
}

func (a *app) casesDecideCommand() *cobra.Command {
	var d directory.Decision
	cmd := &cobra.Command{
		Use:   "decide CASE DECISION --as NAME --seen N",
		Short: "Decide a case",
		Long: `Decide a case. Look at it first: kapdir cases show CASE gives the number for --seen. If anything about it
was recorded since, the decision is refused and says what came in between.

Decisions about what a source says:
  confirm   it is about this provider, and says what it says
  clear     it is about somebody else: --field names the identifier that differs (birth, npi, licence, name)
  return    it cannot be decided yet: --note says what is missing
Decisions about two descriptions, where no identifier agrees:
  distinct  two different people
  same      one: of two pages two people say so, one at least an approver, and the older id then stands for
            both. Of a register's row one person does: --field names the identifier that agrees (npi, licence),
            and what shows it was filed with the case at the desk
Decisions about facts that two sources state differently:
  keep      what is shown stays
  take      what this page says is shown from now on
Decisions about a dispute:
  accept    the provider may well be right that it is about somebody else (an approver)
  decline   there is nothing in it
  close     the dispute is over

What stands against a provider takes two different people, one at least an approver: two who confirm it, or
one who read it out of the source and one who confirms it. Nobody reviews what they entered themself. Each decision stays in the ledger with your name.`,
		Example: `  kapdir cases decide cas_… confirm --as rowan --seen 812
  kapdir cases decide cas_… clear --as imani --seen 812 --field birth --note "The list has another birth date."`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, argv []string) error {
			id, err := directory.ParseID(directory.CasePrefix, argv[0])
			if err != nil {
				return usageError{err}
			}
			if d.Staff == "" {
				return usageError{fmt.Errorf("--as: say who you are; kapdir staff list names the staff")}
			}
			d.Case, d.Decision, d.Auth = id, argv[1], localAuth
			return a.decideCase(d)
		},
	}
	cmd.Flags().StringVar(&d.Staff, "as", "", "your name as a staff member")
	cmd.Flags().Int64Var(&d.Seen, "seen", 0, "the number that kapdir cases show gave")
	cmd.Flags().StringVar(&d.Field, "field", "", "of clear and distinct: the identifier that differs; of same: the one that agrees")
	cmd.Flags().StringVar(&d.Note, "note", "", "why, for those who look later; no public face shows it")
	return cmd
}

func (a *app) casesLookCommand() *cobra.Command {
	var as, at string
	var seen int64
	cells := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "look CASE --as NAME --seen N --found yes|no|could_not_look",
		Short: "Write down what a register says now of what has ended",
		Long: `Write down what the register says now of what has ended by its own date, or is about to: a case of the kind
expired or expiring. Look at the case first: kapdir cases show CASE gives the number for --seen, and the register's address.

  yes             there is a record: copy its status, its number and its name as they stand there, and when it expires
  no              a search by the number and by every name found none
  could_not_look  the register could not be asked: --note says why. Nothing that the public reads changes

It is an observation by you, by the same rules as a worksheet (kapdir worksheets): bad news lowers the answer at once, good
news waits for somebody else to confirm it. The case closes by itself once the answer is another.`,
		Example: `  kapdir cases look cas_… --as rowan --seen 812 --found yes --words ACTIVE --number LPC.0012345 --name "Ana Ruiz" --expires 2028-08-31
  kapdir cases look cas_… --as rowan --seen 812 --found could_not_look --note "The site is down."`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			id, err := directory.ParseID(directory.CasePrefix, argv[0])
			if err != nil {
				return usageError{err}
			}
			if as == "" {
				return usageError{fmt.Errorf("--as: say who you are; kapdir staff list names the staff")}
			}
			row := map[string]string{"looked_at": cmp.Or(at, string(directory.At(a.clock()())))}
			for name, v := range cells {
				row[name] = *v
			}
			if row["found"] == "could_not_look" && row["note"] == "" {
				return usageError{fmt.Errorf("--note: say why it could not be looked up")}
			}
			return a.lookAnew(id, as, seen, row)
		},
	}
	f := cmd.Flags()
	f.StringVar(&as, "as", "", "your name as a staff member")
	f.Int64Var(&seen, "seen", 0, "the number that kapdir cases show gave")
	f.StringVar(&at, "at", "", "when you looked, with the time zone: 2026-11-29 14:05 -07:00 (default: now)")
	for flag, x := range map[string][2]string{"found": {"found", "yes, no or could_not_look"}, "words": {"status_words", "the status, in the register's words"}, "number": {"number", "the number, as the register shows it"},
		"name": {"name_shown", "the name, as the register shows it"}, "expires": {"expires", "when it expires"}, "restrictions": {"restrictions", "board actions, as it shows them; none, if it says so"},
		"data-of": {"source_as_of", "the day of its data, if it says one"}, "note": {"note", "anything else, for those who look later"}} {
		cells[x[0]] = new(string)
		f.StringVar(cells[x[0]], flag, "", x[1])
	}
	return cmd
}

// looked is the answer of a look-up at a case: what became of it, and how the case stands now.
type looked struct {
	directory.LookUpOutcome
	Closed bool   `json:"closed"`
	Now    string `json:"now"`
}

func (a *app) lookAnew(id directory.ID, as string, seen int64, cells map[string]string) error {
	return a.atDesk(func(st *store.Store) error {
		d, err := st.Dossier(a.ctx, id, as)
		if err != nil {
			return err
		}
		l, err := d.LookUp(seen, cells)
		if err != nil {
			return err
		}
		out, err := st.BringIn(a.ctx, as, localAuth, []directory.LookUp{l}, false)
		if err != nil {
			return err
		}
		if err := out[0].Refused(); err != nil {
			return err
		}
		if d, err = st.Dossier(a.ctx, id, ""); err != nil {
			return err
		}
		ans := looked{out[0], d.Case.Closed != "", d.Now}
		return a.answer(ans, func(w io.Writer) {
			fmt.Fprintf(w, "Recorded as event %d. The claim is now %s.\n", ans.Event, ans.Now)
			switch {
			case ans.Closed:
				fmt.Fprintln(w, "The case is closed.")
			case ans.Waits:
				fmt.Fprintln(w, "The case stays open until somebody else confirms it.")
			default:
				fmt.Fprintln(w, "The case stays open.")
			}
			if ans.Case != "" {
				fmt.Fprintf(w, "Case %s waits for somebody to confirm it.\n", ans.Case)
			}
		})
	})
}

// decided is the answer of a decision: the event, and how the case and the claim stand now.
type decided struct {
	Event  directory.Event `json:"event"`
	Closed bool            `json:"closed"`
	Now    string          `json:"now,omitempty"`
	Need   directory.Need  `json:"need"`
}

func (a *app) decideCase(d directory.Decision) error {
	return a.atDesk(func(st *store.Store) error {
		var e directory.Event
		var err error
		switch do := directory.Deed(d.Decision); do {
		case directory.AcceptDispute, directory.DeclineDispute, directory.CloseDispute:
			var at directory.Dossier
			if at, err = st.Dossier(a.ctx, d.Case, ""); err != nil {
				return err
			}
			if at.Case.Kind != directory.CaseDispute {
				return directory.Errorf(directory.Invalid, "decision", "%s is no dispute: it is confirmed, cleared or returned, or said to be about two people", d.Case)
			}
			if d.Seen == 0 {
				return directory.Errorf(directory.Invalid, "seen", "say what you looked at: kapdir cases show %s gives the number", d.Case)
			}
			e, err = st.Act(a.ctx, directory.Act{Do: do, Staff: d.Staff, Auth: d.Auth, Claim: at.Case.Claim, Of: at.Case.Event, Seen: d.Seen, Note: d.Note})
		default:
			e, err = st.Decide(a.ctx, d)
		}
		if err != nil {
			return err
		}
		after, err := st.Dossier(a.ctx, d.Case, "")
		if err != nil {
			return err
		}
		ans := decided{Event: e, Closed: after.Case.Closed != "", Now: after.Now, Need: after.Need}
		return a.answer(ans, func(w io.Writer) {
			fmt.Fprintf(w, "Recorded as event %d: %s.\n", e.Seq, e.Words())
			if ans.Now != "" {
				fmt.Fprintf(w, "The claim is now %s.\n", ans.Now)
			}
			switch {
			case ans.Closed:
				fmt.Fprintln(w, "The case is closed.")
			case ans.Need.Approvals > 0:
				fmt.Fprintf(w, "The case stays open: %d more, from %s.\n", ans.Need.Approvals, whoNext(ans.Need))
			}
		})
	})
}

// whoNext names who could give the next approval, and if nobody can, what to do about it: of a small desk
// everybody may have had a part already.
func whoNext(n directory.Need) string {
	switch {
	case len(n.From) > 0:
		return directory.OneOf(n.From)
	case n.Approver:
		return "an approver who has had no part in it, and there is none: kapdir staff add NAME approver"
	}
	return "somebody who has had no part in it, and there is nobody: kapdir staff add NAME verifier"
}

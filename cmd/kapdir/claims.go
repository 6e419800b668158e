package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) claimsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "claims",
		Short: "Look at claims, and correct, void, dispute or withdraw",
		Long: `A claim is one fact about a provider; everything known about it is a list of events that is only added
to. Nothing is ever edited: a correction takes the place of an event, a void takes one out, and both
stand in the history with who did it and why.

  kapdir claims show PROVIDER     the claims of a provider, with their numbers
  kapdir claims show CLAIM        one claim with its history
Every change names what you looked at (--seen, which show gives) and why (--note). If anything was
recorded since you looked, it is refused and says what.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.claimsShowCommand(), a.claimsCorrectCommand(),
		a.claimsActCommand("void CLAIM|PROVIDER --of N", "Take out an event that was entered in error",
			`Take out an event that was entered in error: an observation, a review, a correction, a dispute, a
withdrawal. What it had replaced or settled stands again as before. Voiding what stands against a
provider, or a withdrawal, needs an approver. With a provider's id it is about the whole file.`, directory.Voiding, true),
		a.claimsActCommand("dispute CLAIM", "Open a dispute on a provider's behalf",
			`Open a dispute on the provider's behalf: they say that the claim is wrong (--field names what of it), or
with --identity that the record is about somebody else. A dispute hides nothing and opens a case; one
about identity has the claim under review until it is closed.`, directory.OpenDispute, false),
		a.claimsActCommand("accept CLAIM --of N", "Find a dispute about identity plausible", "Find the dispute of that number plausible: the record may well be about somebody else. Needs an approver, and not whoever opened it.",
			directory.AcceptDispute, true),
		a.claimsActCommand("decline CLAIM --of N", "Find a dispute about identity not plausible", "Find the dispute of that number not plausible. It stays open until it is closed.", directory.DeclineDispute, true),
		a.claimsActCommand("close CLAIM --of N", "Close a dispute", "Close the dispute of that number: it is over, whatever came of it.", directory.CloseDispute, true),
		a.claimsActCommand("withdraw CLAIM|PROVIDER", "Withdraw a claim, or a provider's whole file, from every public face",
			`Withdraw a claim, or with a provider's id the whole file, from every public face and for every moment. The
provider's page then says that the listing was withdrawn (410). Needs an approver; kapdir claims void
takes it back.`, directory.Withdrawal, false))
	return cmd
}

// target reads the claim or the provider that an act names.
func target(s string, act *directory.Act) (err error) {
	if strings.HasPrefix(strings.ToLower(s), directory.ProviderPrefix) {
		act.Provider, err = directory.ParseID(directory.ProviderPrefix, s)
	} else if act.Claim, err = directory.ParseID(directory.ClaimPrefix, s); err != nil {
		err = fmt.Errorf("%q names neither a claim (clm_…) nor a provider (prv_…): kapdir show with an NPI or SOURCE:KEY gives the provider's id", s)
	}
	if err != nil {
		return usageError{err}
	}
	return nil
}

func (a *app) claimsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show CLAIM|PROVIDER",
		Short: "Show a claim with its history, or the claims of a provider",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			var x directory.Act
			if err := target(argv[0], &x); err != nil {
				return err
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			files, err := st.ClaimFiles(a.ctx, x.Claim+x.Provider)
			if err != nil {
				return err
			}
			return a.answer(files, func(w io.Writer) {
				if x.Provider != "" {
					writeClaims(w, files)
					return
				}
				for _, f := range files {
					writeClaim(w, f)
				}
			})
		},
	}
}

func writeClaims(w io.Writer, files []directory.ClaimFile) {
	if len(files) > 0 {
		fmt.Fprint(w, files[0].Provider)
		if files[0].Withdrawn {
			fmt.Fprint(w, "  (withdrawn)")
		}
		fmt.Fprintln(w)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "CLAIM\tWHAT\tNOW\tSEEN\tWAITS")
	for _, f := range files {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", f.Claim.ID, f.Claim.Words(), f.Now, f.Seen, eventNumbers(f.Pending, f.Disputes))
	}
	_ = t.Flush()
}

func eventNumbers(lists ...[]int64) string {
	var out []string
	for _, l := range lists {
		for _, n := range l {
			out = append(out, fmt.Sprint(n))
		}
	}
	return dash(strings.Join(out, " "))
}

func writeClaim(w io.Writer, f directory.ClaimFile) {
	fmt.Fprintf(w, "%s  %s  of %s (%s)\n  now: %s\n\n", f.Claim.ID, f.Claim.Words(), f.Provider, f.Claim.Provider, f.Now)
	for _, e := range f.History {
		gone := ""
		if e.Gone {
			gone = "  (does not count any more)"
		}
		fmt.Fprintf(w, "%8d  %s  %s%s\n", e.Seq, e.At.Date(), e.Words, gone)
	}
	fmt.Fprintf(w, "\nTo act on it: --seen %d\n", f.Seen)
}

// claimsActCommand makes the command of an act. With of it is about an event of the claim.
func (a *app) claimsActCommand(use, short, long string, do directory.Deed, of bool) *cobra.Command {
	x := directory.Act{Do: do}
	cmd := &cobra.Command{
		Use: use + " --as NAME --seen N --note WHY", Short: short, Long: long,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error { return a.act(x, argv[0]) },
	}
	actFlags(cmd, &x, of)
	if do == directory.OpenDispute {
		cmd.Flags().BoolVar(&x.Identity, "identity", false, "the provider says that the record is about somebody else")
		cmd.Flags().StringVar(&x.Field, "field", "", "what of the claim is said to be wrong")
	}
	return cmd
}

func actFlags(cmd *cobra.Command, x *directory.Act, of bool) {
	cmd.Flags().StringVar(&x.Staff, "as", "", "your name as a staff member")
	cmd.Flags().Int64Var(&x.Seen, "seen", 0, "the number that kapdir claims show gave")
	cmd.Flags().StringVar(&x.Note, "note", "", "why; no public face shows it")
	if of {
		cmd.Flags().Int64Var(&x.Of, "of", 0, "the number of the event")
	}
}

func (a *app) act(x directory.Act, what string) error {
	if err := target(what, &x); err != nil {
		return err
	}
	if x.Staff == "" {
		return usageError{fmt.Errorf("--as: say who you are; kapdir staff list names the staff")}
	}
	x.Auth = localAuth
	return a.atDesk(func(st *store.Store) error {
		e, err := st.Act(a.ctx, x)
		if err != nil {
			return err
		}
		after, err := st.ClaimFiles(a.ctx, e.Claim)
		if err != nil {
			return err
		}
		ans := decided{Event: e, Now: after[0].Now}
		return a.answer(ans, func(w io.Writer) {
			fmt.Fprintf(w, "Recorded as event %d: %s.\nThe claim is now %s.\n", e.Seq, e.Words(), ans.Now)
		})
	})
}

func (a *app) claimsCorrectCommand() *cobra.Command {
	x := directory.Act{Do: directory.Correction, To: &directory.Fixed{}}
	var state, issued, expires, completed string
	cmd := &cobra.Command{
		Use:   "correct CLAIM --of N --as NAME --seen N --note WHY --method HOW --text WORDS",
		Short: "Put right what was read or entered wrongly",
		Long: `Put another statement in the place of an event: what the source really says, or who the record is really
about. What you leave out stays as it was; a date can be taken away with none. A correction rests on
evidence: how it was seen (--method web, phone, mail or upload), where (--url), and the source's words
(--text). A corrected observation waits for somebody else to confirm it. Correcting what stands against a
provider needs an approver.

States: ` + statesHelp(),
		Example: `  kapdir claims correct clm_… --of 812 --standing probation --method web --url https://board.example/123 \
      --text "Probation until 2027" --as imani --seen 815 --note "The word was in no table."`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			x.To.State = directory.Observed(state)
			for _, d := range []struct {
				flag, text string
				to         **directory.Date
			}{{"issued", issued, &x.To.Issued}, {"expires", expires, &x.To.Expires}, {"completed", completed, &x.To.Completed}} {
				switch d.text {
				case "":
				case "none":
					*d.to = new(directory.Date)
				default:
					day, err := directory.ParseDate(d.text)
					if err != nil {
						return usageError{fmt.Errorf("--%s: %w, or none", d.flag, err)}
					}
					*d.to = &day
				}
			}
			return a.act(x, argv[0])
		},
	}
	actFlags(cmd, &x, true)
	f := cmd.Flags()
	f.StringVar(&state, "standing", "", "what the source says of it: one of the states above")
	f.StringVar(&x.To.SourceWords, "words", "", "in its own words")
	f.StringVar(&x.To.Number, "number", "", "the number it gives")
	f.StringVar(&x.To.Name, "name", "", "the name it gives")
	f.StringVar(&issued, "issued", "", "YYYY-MM-DD, or none")
	f.StringVar(&expires, "expires", "", "YYYY-MM-DD, or none")
	f.StringVar(&x.To.Level, "level", "", "of a training: attended, modules_complete, certificate, in_programme_register")
	f.StringVar(&completed, "completed", "", "of a training: YYYY-MM-DD, or none")
	f.StringSliceVar(&x.To.By, "by", nil, "the identifiers that agree after all, with npi or licence among them; the match is then exact")
	f.StringVar(&x.To.Method, "method", "", "how it was seen: web, phone, mail, upload")
	f.StringVar(&x.To.URL, "url", "", "where, of web")
	f.StringVar(&x.To.Text, "text", "", "what was seen or heard, in the source's words")
	return cmd
}

func statesHelp() string {
	var out []string
	for _, s := range directory.Readable {
		out = append(out, string(s))
	}
	return strings.Join(out, ", ") + "."
}

package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) removalCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "removal",
		Short: "Take in, prove, accept or decline requests for removal or correction",
		Long: `Anybody may ask that a listing be removed, or that a statement about them be corrected. A request is
acknowledged at once and changes nothing by itself. Proven through a contact that is on record already,
or accepted by an approver, it hides what it asks for on every public face. Staff decide within two
business days.

A removal destroys what is held about the person, keeps them from being listed again by any later
import, and cannot be undone; kapdir removal lift lets a later import list them anew. The secret with
which removed people are known again is the file suppression.key in the state directory, or
KAPDIR_SUPPRESSION_KEY: keep it with the backups, for without it no listing is imported.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.removalRequestCommand(), a.removalListCommand(),
		a.removalDecideCommand("prove", "Prove a request through a contact on record",
			`Prove a request: the provider confirmed it when you called the telephone of one of their places
(--auth telephone_callback), or by a link sent to a mailbox at the domain of their website
(--auth email_link). --contact is that telephone or mailbox. It takes effect at once.`),
		a.removalDecideCommand("accept", "Accept a request that could not be proven", "Accept a request. It takes effect at once. Needs an approver."),
		a.removalDecideCommand("decline", "Decline a request", "Decline a request. --note says why."),
		a.removalDecideCommand("lift", "Let a later import list a removed person again", `Let a later import list somebody again who was removed. What was destroyed stays so: they get another id.
Needs an approver, and --note says why.`))
	return cmd
}

func (a *app) removalRequestCommand() *cobra.Command {
	var q directory.Removal
	var claim string
	cmd := &cobra.Command{
		Use:     "request PROVIDER",
		Short:   "Take a request in",
		Example: "  kapdir removal request prv_…\n  kapdir removal request prv_… --claim clm_… --words \"I moved\" --contact me@practice.example",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) (err error) {
			if q.Provider, err = directory.ParseID(directory.ProviderPrefix, argv[0]); err != nil {
				return usageError{err}
			}
			q.Kind = "removal"
			if claim != "" {
				q.Kind = "correction"
				if q.Claim, err = directory.ParseID(directory.ClaimPrefix, claim); err != nil {
					return usageError{err}
				}
			}
			return a.atDesk(func(st *store.Store) error {
				got, err := st.RequestRemoval(a.ctx, q)
				if err != nil {
					return err
				}
				return a.answer(got, func(w io.Writer) {
					fmt.Fprintf(w, "Received as %s. Nothing has changed yet: staff decide by %s, or a contact on record proves it.\n", got.ID, got.Due)
				})
			})
		},
	}
	cmd.Flags().StringVar(&claim, "claim", "", "the statement that is to be corrected; without it the whole listing is to be removed")
	cmd.Flags().StringVar(&q.Words, "words", "", "the request in its own words; emptied when it is decided")
	cmd.Flags().StringVar(&q.Contact, "contact", "", "where the answer goes; emptied when it is decided")
	return cmd
}

func (a *app) removalListCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List requests, the oldest first",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			list, err := st.Removals(a.ctx, !all)
			if err != nil {
				return err
			}
			list = append([]directory.Removal{}, list...)
			return a.answer(list, func(w io.Writer) {
				if len(list) == 0 {
					fmt.Fprintln(w, "No request waits.")
					return
				}
				t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
				fmt.Fprintln(t, "REQUEST\tKIND\tPROVIDER\tSTATEMENT\tASKED\tDUE\tSTATE\tBY\tWORDS, THEN NOTE")
				for _, x := range list {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.Kind, x.Provider, dash(string(x.Claim)), x.Asked.Date(), x.Due, x.State, dash(x.Staff), dash(strings.Join(strings.Fields(cmp.Or(x.Words, x.Note)), " ")))
				}
				_ = t.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "decided ones too")
	return cmd
}

func (a *app) removalDecideCommand(do, short, long string) *cobra.Command {
	d := directory.RemovalDecision{Do: do, Auth: localAuth}
	cmd := &cobra.Command{
		Use: do + " REQUEST --as NAME", Short: short, Long: long,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) (err error) {
			if d.ID, err = directory.ParseID(directory.CasePrefix, argv[0]); err != nil {
				return usageError{err}
			}
			if d.Staff == "" {
				return usageError{fmt.Errorf("--as: say who you are; kapdir staff list names the staff")}
			}
			return a.atDesk(func(st *store.Store) error {
				got, err := st.DecideRemoval(a.ctx, d)
				if err != nil {
					return err
				}
				for _, p := range got.Pages {
					if err := a.pagesKept(false).Forget(p.Source, p.Key); err != nil {
						return err
					}
				}
				return a.answer(got, func(w io.Writer) {
					switch {
					case do == "lift":
						fmt.Fprintln(w, "Lifted: the next import may list them again, under another id.")
					case got.State == "declined":
						fmt.Fprintln(w, "Declined. Nothing has changed.")
					case got.Kind == "correction":
						fmt.Fprintf(w, "The statement is off every public face (event %d). State what is right with kapdir claims correct, or by the next import.\n", got.Event)
					default:
						fmt.Fprintf(w, "Removed (event %d). A running server follows within a second; what was held is destroyed, and no import brings it back.\n", got.Event)
					}
				})
			})
		},
	}
	cmd.Flags().StringVar(&d.Staff, "as", "", "your name as a staff member")
	cmd.Flags().StringVar(&d.Note, "note", "", "why, for those who look later; do not name the person")
	if do == "prove" {
		cmd.Flags().StringVar(&d.Contact, "contact", "", "the telephone or mailbox through which the provider confirmed it")
		cmd.Flags().StringVar(&d.Auth, "auth", "telephone_callback", "how: telephone_callback or email_link")
	}
	return cmd
}

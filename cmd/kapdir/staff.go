package main

import (
	"fmt"
	"io"
	"os/user"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
)

// localAuth is how whoever uses these commands has proved who they are: they can read and write the state
// directory.
const localAuth = "local"

func (a *app) staffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "staff",
		Short: "Say who decides about cases",
		Long: `Only staff decide: what a register says counts once a person has looked. Everybody who decides has a
name of their own, which stands beside each of their decisions for good. A name is never given to
somebody else, and nobody is deleted: whoever leaves is disabled.

Roles:
` + rolesHelp() + `
Nobody reviews their own observation, and two different people confirm what stands against a provider,
one of them at least an approver. A staff member who changes who decides is an admin. So a desk needs two people, and one approver; and a third person, with
a second approver, where one approver has corrected what a register says into what stands against a
provider, for that too is then an observation of their own.`,
		Example: `  kapdir staff add rowan verifier
  kapdir staff add imani approver
  kapdir staff add noor admin
  kapdir staff list --changes
  kapdir staff disable rowan --as noor`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var as string
	by := func(c *cobra.Command) *cobra.Command {
		c.Flags().StringVar(&as, "as", "", "the staff member who does it; without, the account at this terminal is noted")
		return c
	}
	changes := false
	list := &cobra.Command{
		Use:   "list",
		Short: "List who decides, and with --changes who was added or disabled, when and by whom",
		Args:  args(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return a.listStaff(changes) },
	}
	list.Flags().BoolVar(&changes, "changes", false, "every change of staff, the oldest first")
	cmd.AddCommand(by(&cobra.Command{
		Use:   "add NAME ROLE",
		Short: "Let somebody decide, or give them another role, or let them decide again",
		Long:  "Let somebody decide. Somebody who is there already gets the role, and may decide again.\n\nRoles:\n" + rolesHelp(),
		Args:  args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			return a.changeStaff(as, directory.StaffChange{Name: argv[0], Do: "add", Role: directory.Role(argv[1])})
		},
	}), list, by(&cobra.Command{
		Use:   "disable NAME",
		Short: "Let somebody decide no more; what they decided stays",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			return a.changeStaff(as, directory.StaffChange{Name: argv[0], Do: "disable"})
		},
	}), a.staffKeyCommand())
	return cmd
}

func rolesHelp() string {
	var b strings.Builder
	for _, r := range directory.Roles {
		fmt.Fprintf(&b, "  %-9s %s\n", r.Role, r.May)
	}
	return b.String()
}

// atDesk opens the store for something that is done at the desk.
func (a *app) atDesk(do func(*store.Store) error) error {
	st, err := a.openStore(a.clock())
	if err != nil {
		return err
	}
	defer st.Close()
	return do(st)
}

func (a *app) changeStaff(as string, c directory.StaffChange) error {
	return a.atDesk(func(st *store.Store) error {
		all, err := st.Staff(a.ctx)
		if err != nil {
			return err
		}
		c.Auth = localAuth
		if c.By = as; as == "" {
			c.By = "account at the terminal"
			if u, err := user.Current(); err == nil && u.Username != "" {
				c.By = "account " + u.Username
			}
		} else if !active(all, as) {
			return directory.Errorf(directory.Refused, "as", "%q is nobody who decides: kapdir staff list names them", as)
		}
		m, err := st.ChangeStaff(a.ctx, c)
		if err != nil {
			return err
		}
		if all, err = st.Staff(a.ctx); err != nil {
			return err
		}
		return a.answer(m, func(w io.Writer) {
			if c.Do == "disable" {
				fmt.Fprintf(w, "%s decides no more. What they decided stays.\n", m.Name)
			} else {
				does := "decides"
				if !m.Role.May(directory.Confirm, directory.Ordinary) {
					does = "is here"
				}
				fmt.Fprintf(w, "%s %s as %s.\n", m.Name, does, m.Role)
			}
			people, approvers := 0, 0
			for _, x := range all {
				if x.Disabled == "" && x.Role.May(directory.Confirm, directory.Ordinary) {
					people++
					if x.Role == directory.Approver {
						approvers++
					}
				}
			}
			if people < 2 || approvers < 1 {
				fmt.Fprintf(w, "Findings against a provider need two people, one of them an approver; there are %d, of whom %d approvers.\n", people, approvers)
			}
		})
	})
}

func active(all []directory.StaffMember, name string) bool {
	for _, m := range all {
		if m.Name == name && m.Disabled == "" {
			return true
		}
	}
	return false
}

// staffAnswer is the answer of staff list.
type staffAnswer struct {
	Staff   []directory.StaffMember `json:"staff"`
	Changes []directory.StaffChange `json:"changes,omitempty"`
}

func (a *app) listStaff(changes bool) error {
	st, err := a.lookAtStore()
	if err != nil {
		return err
	}
	defer st.Close()
	ans := staffAnswer{Staff: []directory.StaffMember{}}
	all, err := st.Staff(a.ctx)
	if err != nil {
		return err
	}
	ans.Staff = append(ans.Staff, all...)
	if changes {
		if ans.Changes, err = st.StaffChanges(a.ctx); err != nil {
			return err
		}
	}
	return a.answer(ans, func(w io.Writer) {
		if len(ans.Staff) == 0 {
			fmt.Fprintln(w, "Nobody decides yet. Add somebody: kapdir staff add NAME verifier")
			return
		}
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(t, "NAME\tROLE\tADDED\tDISABLED")
		for _, m := range ans.Staff {
			disabled := "-"
			if m.Disabled != "" {
				disabled = string(m.Disabled.Date())
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", m.Name, m.Role, m.Added.Date(), disabled)
		}
		_ = t.Flush()
		if changes {
			fmt.Fprintln(w)
			fmt.Fprintln(t, "WHEN\tCHANGE\tWHO\tROLE\tBY")
			for _, c := range ans.Changes {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s (%s)\n", c.At, c.Do, c.Name, c.Role, c.By, c.Auth)
			}
			_ = t.Flush()
		}
	})
}

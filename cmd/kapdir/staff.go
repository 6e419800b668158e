package main

import (
	"fmt"
	"io"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

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
  kapdir staff invite rowan
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
	}), by(&cobra.Command{
		Use:   "invite NAME",
		Short: "Make a code with which somebody enrols at the desk",
		Long: `Make a code with which the person says, in a browser, what they sign in with at the desk: a passkey, or a password
and the codes of an app. It is good once and for three days; the store keeps only a hash of it. What they signed in with
before ends when they use it.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error { return a.invite(as, argv[0], false) },
	}), by(&cobra.Command{
		Use:   "reset NAME",
		Short: "End all that somebody signs in with, and make a code to enrol anew",
		Long: `End all that the person signs in with, at once: password, codes, passkeys, sessions at the desk, keys of the API. Make a
code with which they enrol anew. For whoever has lost what they sign in with, or fears that somebody else has it.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error { return a.invite(as, argv[0], true) },
	}), a.staffKeyCommand())
	return cmd
}

// byWhom returns who does it: the staff member of the name, who must be an admin, or the account at this terminal.
func (a *app) byWhom(st *store.Store, as string) (string, error) {
	if as == "" {
		if u, err := user.Current(); err == nil && u.Username != "" {
			return "account " + u.Username, nil
		}
		return "account at the terminal", nil
	}
	all, err := st.Staff(a.ctx)
	for _, m := range all {
		if m.Name == as && m.Disabled == "" && m.Role == directory.Admin {
			return as, err
		}
	}
	if err == nil && active(all, as) {
		err = directory.Errorf(directory.Refused, "as", "%s is no admin, and only an admin lets somebody in", as)
	} else if err == nil {
		err = directory.Errorf(directory.Refused, "as", "%q is nobody who decides: kapdir staff list names them", as)
	}
	return "", err
}

// invited is the answer of staff invite and staff reset.
type invited struct {
	Name    string            `json:"name"`
	Code    string            `json:"code"`
	Expires directory.Instant `json:"expires"`
	Enrol   string            `json:"enrol"` // the address at which it is used
}

func (a *app) invite(as, name string, reset bool) error {
	return a.atDesk(func(st *store.Store) error {
		by, err := a.byWhom(st, as)
		if err != nil {
			return err
		}
		x := invited{Name: name, Enrol: a.cfg.baseURL() + "/staff/enrol"}
		if x.Code, x.Expires, err = st.Invite(a.ctx, name, reset, by, directory.At(a.signInClock()())); err != nil {
			return err
		}
		return a.answer(x, func(w io.Writer) {
			fmt.Fprintln(w, x.Code)
			fmt.Fprintf(a.err, "The code of %s, shown this once. It is good once, until %s, at %s\n", name, x.Expires, x.Enrol)
		})
	})
}

// signInClock is the clock by which people sign in: the real one also where that of a demonstration stands, for the
// codes of an app go by it; one that --now sets stands here too.
func (a *app) signInClock() func() time.Time {
	if a.cfg.Now == "" {
		return time.Now
	}
	return a.clock()
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
		var err error
		c.Auth = localAuth
		if c.By, err = a.byWhom(st, as); err != nil {
			return err
		}
		m, err := st.ChangeStaff(a.ctx, c)
		if err != nil {
			return err
		}
		all, err := st.Staff(a.ctx)
		if err != nil {
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
				fmt.Fprintf(w, "%s %s as %s. To sign in at the desk: kapdir staff invite %s\n", m.Name, does, m.Role, m.Name)
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

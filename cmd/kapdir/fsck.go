package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/search"
)

// checkup is the answer of fsck.
type checkup struct {
	Store store.FsckReport    `json:"store"`
	Index *search.AuditReport `json:"index,omitempty"`
	// Behind is how far the index is behind the store, which is no fault: the next start catches up.
	Behind int64  `json:"index_behind,omitempty"`
	Held   string `json:"index_held,omitempty"` // who has the index open, so that it was not looked at
	Clean  bool   `json:"clean"`
}

func (a *app) fsckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "fsck",
		Short: "Check the ledger, the evidence, every derived answer and the index",
		Long: `Check that the event chain is whole and says what its payloads say, that every piece of evidence has
its hash, that every answer can be derived again, and that the index agrees with the store. The first
bad row is named. Exit status 1 if anything is wrong. Nothing is repaired: the index is read as it lies,
and the server's next start builds a damaged one anew. An index that was never built is nothing wrong,
and one that a running server has open is left to that server's own audit.`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			var c checkup
			if c.Store, err = st.Fsck(a.ctx, nil); err != nil {
				return err
			}
			c.Clean = len(c.Store.Faults) == 0
			report, status, err := search.Inspect(a.ctx, a.searchConfig(st))
			switch {
			case kindIs(err, directory.Conflict):
				c.Held = err.Error()
			case err != nil:
				return err
			default:
				c.Index, c.Behind = &report, status.Behind
				c.Clean = c.Clean && report.OK()
			}
			if !c.Clean {
				a.exit = exitFailed
			}
			return a.answer(c, func(w io.Writer) {
				s := c.Store
				fmt.Fprintf(w, "store: %d events, %d pieces of evidence, %d claims of %d providers, %d faults\n", s.Events, s.Evidence, s.Claims, s.Providers, len(s.Faults))
				for _, f := range s.Faults {
					fmt.Fprintf(w, "  %s\n", f)
				}
				switch x := c.Index; {
				case x == nil:
					fmt.Fprintf(w, "index: not looked at: %s\n", c.Held)
				case x.Plain:
					fmt.Fprintln(w, "index: there is none yet; the next start of the server builds one")
				default:
					fmt.Fprintf(w, "index: %d documents compared, %d missing, %d too many, %d different\n", x.Checked, len(x.Missing), len(x.Extra), len(x.Changed))
					if x.Damage != "" {
						fmt.Fprintf(w, "  %s\n", x.Damage)
					}
					if c.Behind > 0 {
						fmt.Fprintf(w, "  %d behind the store, which the next start of the server makes up\n", c.Behind)
					}
				}
				if c.Clean {
					fmt.Fprintln(w, "clean")
				}
			})
		},
	}
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"kapdir/directory"
)

// casesUnmergeCommand takes a merge back: the decision that made one provider of two is voided.
func (a *app) casesUnmergeCommand() *cobra.Command {
	x := directory.Act{Do: directory.Voiding}
	cmd := &cobra.Command{
		Use:   "unmerge PROVIDER --of N --as NAME --seen N --note WHY",
		Short: "Give two providers their own pages again",
		Long: `Take back that two descriptions are of one provider: PROVIDER is the survivor, --of the number of the
decision, which kapdir claims show PROVIDER and the claim about the whole file give. Each gets their own
id, listings and claims back. What came in meanwhile goes to whom it matches better. The case then
waits again, and what was said before joins them no more: say distinct, and the two are not proposed again.
Needs an approver.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			if _, err := directory.ParseID(directory.ProviderPrefix, argv[0]); err != nil {
				return usageError{fmt.Errorf("name the provider who stands for both: %w", err)}
			}
			return a.act(x, argv[0])
		},
	}
	actFlags(cmd, &x, true)
	return cmd
}

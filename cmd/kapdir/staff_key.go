package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
)

// staffKeyCommand makes, lists and disables the keys with which staff ask the API.
func (a *app) staffKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key NAME",
		Short: "Make a key with which a staff member asks the API",
		Long: `Make a key with which the staff member asks the API what was known at an earlier moment, and what an
answer rests on: GET /api/v1/providers/{id}?known=2026-03-03 with the header Authorization: Bearer KEY.
The key is shown this once; the store keeps only a hash of its secret. Keep it where passwords are kept. Whoever is disabled loses their keys.`,
		Example: "  kapdir staff key imani\n  kapdir staff key list\n  kapdir staff key disable key_0t4226zr07h84yxqc6vjzhw56g",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			st, err := a.openStore(a.clock())
			if err != nil {
				return err
			}
			defer st.Close()
			key, info, err := st.AddStaffKey(a.ctx, argv[0])
			if err != nil {
				return err
			}
			return a.answer(struct {
				store.StaffKeyInfo
				Key string `json:"key"`
			}{info, key}, func(w io.Writer) {
				fmt.Fprintln(w, key)
				fmt.Fprintf(a.err, "This is the key of %s. It is shown this once.\n", info.Name)
			})
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "list",
		Short: "List the keys, without their secrets",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			keys, err := st.StaffKeys(a.ctx)
			if err != nil {
				return err
			}
			return a.answer(keys, func(w io.Writer) {
				for _, k := range keys {
					used := "never used"
					if k.LastUsed != "" {
						used = "last used on " + k.LastUsed.String()
					}
					if k.Disabled != "" {
						used += ", disabled on " + k.Disabled.Date().String()
					}
					fmt.Fprintf(w, "%s  %s, made on %s, %s\n", k.ID, k.Name, k.Created.Date(), used)
				}
			})
		},
	}, &cobra.Command{
		Use:   "disable KEY",
		Short: "End a key, from now on and for good",
		Args:  args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			id, err := directory.ParseID(directory.KeyPrefix, argv[0])
			if err != nil {
				return usageError{fmt.Errorf("a key is named by its first part, key_…, without the secret")}
			}
			st, err := a.openStore(a.clock())
			if err != nil {
				return err
			}
			defer st.Close()
			if err := st.DisableStaffKey(a.ctx, id); err != nil {
				return err
			}
			return a.answer(map[string]directory.ID{"disabled": id}, func(w io.Writer) { fmt.Fprintf(w, "%s is disabled.\n", id) })
		},
	})
	return cmd
}

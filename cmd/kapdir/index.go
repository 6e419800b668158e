package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/search"
)

func (a *app) indexCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "index",
		Short: "Look at the search index, or build it anew",
		Long: `The index is made from the store and can be thrown away at any time: the server builds a new one
beside the old and swaps them.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "status",
		Short: "Say what the index holds and how far behind the store it is",
		Long: `Say what the index holds and how far behind the store it is. The index is read as it lies and nothing of
it changes. Exit status 1 if it is damaged or does not agree with the store. While a server has it open,
that server's /readyz says how it stands.`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.onIndex(nil) },
	}, &cobra.Command{
		Use:   "rebuild",
		Short: "Build a new index from the store",
		Long:  "Build a new index from the store. A running server is asked to do it, and goes on answering meanwhile.",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return a.onIndex(func(index *search.Index) error {
				return index.Rebuild(a.ctx, func(done, total int) {
					if !a.cfg.Quiet && !a.cfg.JSON && done == total {
						fmt.Fprintf(a.err, "%d of %d documents\n", done, total)
					}
				})
			})
		},
	})
	return cmd
}

// indexAnswer is what the index commands answer: how the index stands, or who has it.
type indexAnswer struct {
	search.Status
	Audit  *search.AuditReport `json:"audit,omitempty"` // how what status found compares with the store
	HeldBy string              `json:"held_by,omitempty"`
	Asked  bool                `json:"asked,omitempty"` // the holder was asked to build a new one
}

// searchConfig says where the index lives and what it follows.
func (a *app) searchConfig(st *store.Store) search.Config {
	return search.Config{Dir: a.cfg.indexDir(), Feed: st, Policies: st.Policies(), Now: a.clock(), Log: a.log()}
}

// onIndex does something with the index, if there is something to do, and says how it stands; with nothing
// to do the index is read as it lies and not changed. While a server has it, that server is asked instead.
func (a *app) onIndex(do func(*search.Index) error) error {
	st, err := a.lookAtStore()
	if err != nil {
		return err
	}
	defer st.Close()
	var ans indexAnswer
	if do == nil {
		var report search.AuditReport
		if report, ans.Status, err = search.Inspect(a.ctx, a.searchConfig(st)); err == nil {
			ans.Audit = &report
			if !report.OK() {
				a.exit = exitFailed
			}
		}
	} else {
		ans.Status, err = a.work(st, do)
	}
	switch {
	case kindIs(err, directory.Conflict):
		ans.Status, ans.HeldBy = search.Status{}, err.Error()
		if do != nil {
			if err := st.RequestRebuild(a.ctx); err != nil {
				return err
			}
			ans.Asked = true
		}
	case err != nil:
		return err
	}
	return a.answer(ans, func(w io.Writer) {
		switch {
		case ans.Asked:
			fmt.Fprintf(w, "%s; it was asked to build a new index and goes on answering meanwhile.\n", ans.HeldBy)
		case ans.HeldBy != "":
			fmt.Fprintf(w, "%s; ask its /readyz.\n", ans.HeldBy)
		case ans.Audit != nil && !ans.Audit.OK():
			x := ans.Audit
			fmt.Fprintf(w, "not to be relied on: %d documents missing, %d too many, %d different; the next start of the server builds another.\n", len(x.Missing), len(x.Extra), len(x.Changed))
			if x.Damage != "" {
				fmt.Fprintf(w, "  %s\n", x.Damage)
			}
		case ans.Plain:
			fmt.Fprintf(w, "no index to rely on; the next start of the server builds one. The store is at number %d.\n", ans.Head)
		default:
			fmt.Fprintf(w, "%s: %d documents at number %d, %d behind the store, mapping version %d\n", ans.State, ans.Documents, ans.Cursor, ans.Behind, ans.Mapping)
		}
	})
}

// work opens the index, does something with it, and returns how it then stands.
func (a *app) work(st *store.Store, do func(*search.Index) error) (search.Status, error) {
	index, err := search.Open(a.ctx, a.searchConfig(st))
	if err != nil {
		return search.Status{}, err
	}
	defer index.Close()
	if err := do(index); err != nil {
		return search.Status{}, err
	}
	return index.Status(a.ctx), nil
}

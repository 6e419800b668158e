package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kapdir/directory"
)

func (a *app) runsCommand() *cobra.Command {
	var source string
	var limit int
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List the imports that were made, the newest first",
		Long: `List the imports that were made, the newest first: of what, how long they took, what became of every row,
and of one that failed why. The same bytes a second time make no run. A run that was cut off is "interrupted"
once its source is imported again.`,
		Example: "  kapdir runs\n  kapdir runs --source leie --limit 3 --json",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			if err := knownSource(source); err != nil {
				return err
			}
			runs, err := st.RunsOf(a.ctx, source, limit)
			if err != nil {
				return err
			}
			rows := make([]runRow, len(runs))
			for i, r := range runs {
				rows[i] = runRow{Run: r, Seconds: lasted(r).Seconds()}
			}
			return a.answer(rows, func(w io.Writer) { writeRuns(w, runs) })
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "of this source alone")
	cmd.Flags().IntVar(&limit, "limit", 50, "so many; 0 is all")
	return cmd
}

type runRow struct {
	directory.Run
	Seconds float64 `json:"seconds"` // how long it took; 0 of one that has not ended
}

// knownSource refuses a source that nobody knows, which would otherwise read as one of which nothing is held.
func knownSource(id string) error {
	if _, ok := directory.Tables().Source(id); id != "" && !ok {
		return usageError{fmt.Errorf("%q is no source: kapdir sources lists them", id)}
	}
	return nil
}

func lasted(r directory.Run) time.Duration {
	if r.Ended == "" {
		return 0
	}
	return r.Ended.Time().Sub(r.Started.Time())
}

func writeRuns(w io.Writer, runs []directory.Run) {
	if len(runs) == 0 {
		fmt.Fprintln(w, "Nothing was imported yet: kapdir import --help lists what can be.")
		return
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "RUN\tSOURCE\tFILE\tDATA OF\tBEGUN\tTOOK\tOUTCOME\tREAD\tADDED\tCHANGED\tUNCHANGED\tREMOVED\tREJECTED\tOUTSIDE\tMATCHED\tEVENTS")
	for _, r := range runs {
		c, took := r.Counts, "-"
		if r.Ended != "" {
			took = lasted(r).Round(100 * time.Millisecond).String()
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", r.Number, r.Release.Source, cmp.Or(r.Release.File, "-"), r.Release.AsOf, minute(r.Started), took, r.Outcome,
			c.Read, c.Added, c.Changed, c.Unchanged, c.Removed, c.Rejected+c.Fields, c.Outside, r.Matched, r.Events)
	}
	_ = t.Flush()
	for _, r := range runs {
		if r.Error != "" {
			fmt.Fprintf(w, "run %d: %s\n", r.Number, strings.TrimSpace(r.Error))
		}
	}
}

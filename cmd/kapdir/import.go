package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"kapdir/crawler"
	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

func (a *app) importCommand() *cobra.Command {
	var all, dryRun, whole bool
	var asOf, release string
	cmd := &cobra.Command{
		Use:   "import SOURCE FILE…",
		Short: "Import a publisher's files",
		Long: `Import the files of a source, in the publisher's own format. The rows that can be read go in; the
others are kept in quarantine with file, line, field and reason, and the exit status is 3. A file
whose header, size or encoding cannot be right is refused as a whole and changes nothing. The same
bytes a second time change nothing. An import that was cut off is simply run again.

Sources:
` + sourceHelp(),
		Example: `  kapdir import nppes NPPES_Data_Dissemination_November_2026.zip
  kapdir import leie UPDATED.csv --as-of 2026-11-10 --release 2026-10
  kapdir import co-dora roster.csv --as-of 2026-11-09 --dry-run --json`,
		Args: args(cobra.MinimumNArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			src, ok := crawler.Find(argv[0])
			if !ok {
				return usageError{fmt.Errorf("%q is not a source; the sources are %s", argv[0], strings.Join(sourceIDs(), ", "))}
			}
			day, err := directory.ParseDate(asOf)
			if asOf != "" && err != nil {
				return usageError{fmt.Errorf("--as-of: %w", err)}
			}
			return a.importFiles(src, argv[1:], crawler.Options{All: all, AsOf: day, Release: release, Whole: whole}, dryRun)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "nppes, npi-api: keep rows outside the taxonomy table too, as reference records")
	cmd.Flags().BoolVar(&whole, "whole", false, "listings: the files are all that the site holds, so that who is in none of them has gone from it")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change, and change nothing")
	cmd.Flags().StringVar(&asOf, "as-of", "", "how old the source's own data are, if the file's name does not say: YYYY-MM-DD")
	cmd.Flags().StringVar(&release, "release", "", "the publisher's name of the release, if the file does not say: 2026-10")
	return cmd
}

func sourceHelp() string {
	var b strings.Builder
	for _, s := range crawler.Sources() {
		fmt.Fprintf(&b, "  %-13s %s\n", s.ID, s.Help)
	}
	return b.String()
}

func sourceIDs() []string {
	var ids []string
	for _, s := range crawler.Sources() {
		ids = append(ids, s.ID)
	}
	return ids
}

// imported is the answer of an import.
type imported struct {
	Source  string             `json:"source"`
	DryRun  bool               `json:"dry_run,omitempty"`
	Run     directory.Run      `json:"run"`
	Outside []outsideCode      `json:"outside,omitempty"` // the most frequent first
	Rejects []directory.Reject `json:"rejects,omitempty"`
	Error   string             `json:"error,omitempty"`
}

type outsideCode struct {
	Code string `json:"code"`
	Rows int    `json:"rows"`
}

func (a *app) importFiles(src crawler.Source, paths []string, opts crawler.Options, dryRun bool) error {
	st, err := a.openStore(a.cfg.clock())
	if err != nil {
		return err
	}
	defer st.Close()
	var sink crawler.Sink = st
	if dryRun {
		sink = st.Preview()
	}
	client := safehttp.New(safehttp.Config{Version: version, Contact: a.cfg.Contact})
	opts.Now, opts.Report = a.cfg.clock(), &crawler.Report{}
	bar := a.progress(src.ID)
	opts.Progress = bar.show
	run, failure := crawler.Run(a.ctx, src, crawler.InputAt(paths[0], client, paths[1:]...), sink, opts)
	bar.done()
	ans := imported{Source: src.ID, DryRun: dryRun, Run: run}
	if run.Already { // what the earlier import did is not what this one does
		ans.Run.Counts, ans.Run.Matched, ans.Run.Events = directory.Counts{}, 0, 0
	}
	if failure != nil {
		if a.cfg.JSON {
			ans.Error = failure.Error()
			_ = a.answer(ans, nil)
		}
		return failure
	}
	for _, c := range opts.Report.Top(10) {
		ans.Outside = append(ans.Outside, outsideCode{c, opts.Report.Outside[c]})
	}
	if run.Counts.Rejected+run.Counts.Fields > 0 && !run.Already {
		a.exit = exitRejected
		if !dryRun {
			if ans.Rejects, err = st.Rejects(a.ctx, run.ID, 20); err != nil {
				return err
			}
		}
	}
	return a.answer(ans, ans.write)
}

// write says in a few lines what an import did.
func (x imported) write(w io.Writer) {
	c, r := x.Run.Counts, x.Run
	if r.Already {
		fmt.Fprintf(w, "%s: %s was already imported as run %d on %s; nothing to do.\n", x.Source, r.Release.File, r.Number, r.Ended.Date())
		return
	}
	if x.DryRun {
		fmt.Fprintf(w, "%s: a dry run of %s; nothing was changed.\n", x.Source, r.Release.File)
	} else {
		fmt.Fprintf(w, "%s: run %d of %s, data of %s.\n", x.Source, r.Number, r.Release.File, r.Release.AsOf)
	}
	fmt.Fprintf(w, "  read       %8d\n  added      %8d\n  changed    %8d\n  unchanged  %8d\n  rejected   %8d\n  outside    %8d\n", c.Read, c.Added, c.Changed, c.Unchanged, c.Rejected, c.Outside)
	if c.Fields > 0 {
		fmt.Fprintf(w, "  left out   %8d single fields of rows that went in\n", c.Fields)
	}
	if c.Removed > 0 {
		fmt.Fprintf(w, "  removed    %8d\n", c.Removed)
	}
	if !x.DryRun {
		fmt.Fprintf(w, "  matched    %8d\n  events     %8d\n", r.Matched, r.Events)
	}
	if len(x.Outside) > 0 {
		fmt.Fprintf(w, "  outside the tables, by type:")
		for _, o := range x.Outside {
			fmt.Fprintf(w, " %s (%d)", o.Code, o.Rows)
		}
		fmt.Fprintln(w)
	}
	for _, j := range x.Rejects {
		where := j.File
		if j.Line > 0 {
			where = fmt.Sprintf("%s:%d", j.File, j.Line)
		}
		if j.Field != "" {
			where += ": " + j.Field
		}
		fmt.Fprintf(w, "  quarantined %s: %s\n", where, j.Reason)
	}
	if n := c.Rejected + c.Fields - len(x.Rejects); n > 0 && len(x.Rejects) > 0 {
		fmt.Fprintf(w, "  and %d more in quarantine\n", n)
	}
}

// brief says in one line what an import did.
func (x imported) brief(w io.Writer) {
	c := x.Run.Counts
	if x.Run.Already {
		fmt.Fprintf(w, "%-13s already imported as run %d\n", x.Source, x.Run.Number)
		return
	}
	fmt.Fprintf(w, "%-13s %5d read, %5d added, %4d rejected, %4d outside, %5d matched, %5d events\n", x.Source, c.Read, c.Added, c.Rejected, c.Outside, x.Run.Matched, x.Run.Events)
}

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"kapdir/crawler"
	"kapdir/crawler/safehttp"
	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) importCommand() *cobra.Command {
	var all, dryRun, unconfirmed, smaller, changed, whole, again bool
	var asOf, release string
	var show int
	cmd := &cobra.Command{
		Use:   "import SOURCE FILE…",
		Short: "Import a publisher's files",
		Long: `Import the files of a source, in the publisher's own format. The rows that can be read go in; the
others are kept in quarantine with file, line, field and reason, and the exit status is 3. A file
whose header, size or encoding cannot be right is refused as a whole and changes nothing. The same
bytes a second time change nothing. An import that was cut off is simply run again. What was imported is
told by kapdir runs, what could not be by kapdir quarantine.

Sources:
` + sourceHelp(),
		Example: `  kapdir import nppes NPPES_Data_Dissemination_November_2026.zip
  kapdir import npi-api 'last_name=okafor&state=CO'
  kapdir import leie UPDATED.csv --as-of 2026-11-10 --release 2026-10
  kapdir import co-dora roster.csv --as-of 2026-11-09 --dry-run --json`,
		Args: args(cobra.MinimumNArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			src, ok := a.findSource(argv[0])
			if !ok {
				return usageError{fmt.Errorf("%q is not a source; the sources are %s", argv[0], strings.Join(sourceIDs(), ", "))}
			}
			day, err := directory.ParseDate(asOf)
			if asOf != "" && err != nil {
				return usageError{fmt.Errorf("--as-of: %w", err)}
			}
			return a.importFiles(src, argv[1:], crawler.Options{All: all, AsOf: day, Release: release, Whole: whole, Again: again,
				AcceptUnconfirmed: unconfirmed, AcceptSmaller: smaller, AcceptChanged: changed}, dryRun, show)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "nppes, npi-api: keep rows outside the taxonomy table too, as reference records")
	cmd.Flags().BoolVar(&whole, "whole", false, "listings: the files are all that the site holds, so that who is in none of them has gone from it")
	cmd.Flags().BoolVar(&again, "again", false, "read bytes once more that were imported before: with another --as-of, or because what was made of them is damaged")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what would change, and change nothing")
	cmd.Flags().BoolVar(&unconfirmed, "accept-unconfirmed", false, "read a source whose format is not confirmed by a file of its publisher")
	cmd.Flags().BoolVar(&smaller, "accept-smaller", false, "let an exclusion list replace one that is much longer")
	cmd.Flags().IntVar(&show, "show", 10, "with --dry-run: rows of each kind of change to show")
	cmd.Flags().BoolVar(&changed, "accept-changed", false, "a listing site whose pages have changed: take what it yields now, after a look with kapdir crawl check")
	cmd.Flags().StringVar(&asOf, "as-of", "", "how old the source's own data are, if the file's name does not say: YYYY-MM-DD")
	cmd.Flags().StringVar(&release, "release", "", "the publisher's name of the release, if the file does not say: 2026-10")
	cmd.AddCommand(a.importListingsCommand(), a.importAllCommand())
	return cmd
}

func sourceHelp() string {
	var b strings.Builder
	for _, s := range crawler.Sources() {
		fmt.Fprintf(&b, "  %-17s %s\n", s.ID, s.Help)
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
	Source      string             `json:"source"`
	DryRun      bool               `json:"dry_run,omitempty"`
	Run         directory.Run      `json:"run"`
	Diff        *store.Diff        `json:"diff,omitempty"`    // of a dry run
	Outside     []outsideCode      `json:"outside,omitempty"` // the most frequent first
	Larger      []string           `json:"larger,omitempty"`  // queries with more answers than the service gives
	Fates       []crawler.Fate     `json:"fates,omitempty"`   // of a listing site: what does not read as at the last import
	Rejects     []directory.Reject `json:"rejects,omitempty"`
	Rows        []rowError         `json:"rows,omitempty"` // of a partner's file: the first rows that were not taken
	RejectsFile string             `json:"rejects_file,omitempty"`
	Warnings    []string           `json:"warnings,omitempty"`
	Warned      int                `json:"warned,omitempty"`
	Error       string             `json:"error,omitempty"`
}

type outsideCode struct {
	Code string `json:"code"`
	Rows int    `json:"rows"`
}

func (a *app) importFiles(src crawler.Source, paths []string, opts crawler.Options, dryRun bool, show int) error {
	st, err := a.openStore(a.clock())
	if err != nil {
		return err
	}
	defer st.Close()
	ans, err := a.importInto(st, src, paths, opts, dryRun, show)
	return a.tell(ans, err)
}

// tell prints what an import did; of one that failed, what there is to say beside the error.
func (a *app) tell(ans imported, failure error) error {
	if ans.rejected() > 0 {
		a.exit = exitRejected
	}
	if failure == nil {
		return a.answer(ans, ans.write)
	}
	if ans.Error = failure.Error(); a.cfg.JSON {
		_ = a.answer(ans, nil)
	} else {
		ans.writeRows(a.err)
	}
	return failure
}

// rejected counts what the import put in quarantine.
func (x imported) rejected() int {
	if x.Run.Already {
		return 0
	}
	return x.Run.Counts.Rejected + x.Run.Counts.Fields
}

// importInto imports files of one source, or says what that would do.
func (a *app) importInto(st *store.Store, src crawler.Source, paths []string, opts crawler.Options, dryRun bool, show int) (imported, error) {
	ans := imported{Source: src.ID, DryRun: dryRun}
	var sink crawler.Sink = st
	var preview *store.Preview
	if dryRun {
		preview = st.Preview()
		preview.Show = show
		sink = preview
	}
	client := safehttp.New(safehttp.Config{Version: version, Contact: a.cfg.Contact})
	opts.Now, opts.Report = a.clock(), &crawler.Report{}
	if src.Listing {
		opts.Cache = a.pagesKept(dryRun)
	}
	bar := a.progress(src.ID)
	opts.Progress = bar.show
	run, failure := crawler.Run(a.ctx, src, crawler.InputAt(paths[0], client, paths[1:]...), sink, opts)
	bar.done()
	ans.Run, ans.Warnings, ans.Warned = run, opts.Report.Warnings, opts.Report.Warned
	if run.Already { // what the earlier import did is not what this one does
		ans.Run.Counts, ans.Run.Matched, ans.Run.Events = directory.Counts{}, 0, 0
	}
	ans.Fates = opts.Report.Fates
	if failure != nil {
		return ans, failure
	}
	if preview != nil {
		diff := preview.Diff()
		ans.Diff = &diff
	}
	ans.Larger = opts.Report.Larger
	for _, c := range opts.Report.Top(10) {
		ans.Outside = append(ans.Outside, outsideCode{c, opts.Report.Outside[c]})
	}
	var err error
	if ans.rejected() > 0 && !dryRun {
		ans.Rejects, err = st.Rejects(a.ctx, run.ID, 20)
	}
	return ans, err
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
	for _, q := range x.Larger {
		fmt.Fprintf(w, "  %s has more answers than the 1,200 that the service gives: ask by state, city or postal code\n", q)
	}
	if x.Diff != nil {
		writeDiff(w, *x.Diff, c)
	}
	writeFates(w, x.Fates)
	for _, j := range x.Rejects {
		fmt.Fprintf(w, "  quarantined %s: %s\n", place(j), j.Reason)
	}
	if n := c.Rejected + c.Fields - len(x.Rejects); n > 0 && len(x.Rejects) > 0 {
		fmt.Fprintf(w, "  and %d more in quarantine: kapdir quarantine show %d\n", n, r.Number)
	}
	x.writeRows(w)
}

// writeRows says which rows of a partner's file were not taken, and what was mended.
func (x imported) writeRows(w io.Writer) {
	for _, t := range x.Warnings {
		fmt.Fprintf(w, "  note: %s\n", t)
	}
	if n := x.Warned - len(x.Warnings); n > 0 {
		fmt.Fprintf(w, "  and %d more notes\n", n)
	}
	for _, e := range x.Rows {
		fmt.Fprintf(w, "  line %d was not taken: %s\n", e.Line, e.Error)
	}
	if n := x.Run.Counts.Rejected - len(x.Rows); n > 0 && len(x.Rows) > 0 {
		fmt.Fprintf(w, "  and %d more rows\n", n)
	}
	if x.RejectsFile != "" {
		fmt.Fprintf(w, "  The rows that were not taken are in %s: correct them there and import that file.\n", x.RejectsFile)
	}
}

// place is where a quarantined row or value stood.
func place(j directory.Reject) string {
	where := j.File
	if j.Line > 0 {
		where = fmt.Sprintf("%s:%d", j.File, j.Line)
	}
	if j.Field != "" {
		where += ": " + j.Field
	}
	return where
}

// writeDiff shows the first rows of each kind of change, and how many there are of each.
func writeDiff(w io.Writer, d store.Diff, c directory.Counts) {
	for _, part := range []struct {
		sign, what string
		rows       []store.DiffRow
		all        int
	}{{"+", "would be added", d.Added, c.Added}, {"~", "would change", d.Changed, c.Changed}, {"-", "would be removed", d.Removed, c.Removed}} {
		if part.all == 0 {
			continue
		}
		fmt.Fprintf(w, "\n  %d %s\n", part.all, part.what)
		for _, r := range part.rows {
			fmt.Fprintf(w, "  %s %s", part.sign, r.Key)
			if r.Name != "" {
				fmt.Fprintf(w, "  %s", r.Name)
			}
			if r.Line > 0 {
				fmt.Fprintf(w, "  (line %d)", r.Line)
			}
			fmt.Fprintln(w)
			for _, f := range r.Fields {
				if f.Hidden {
					fmt.Fprintf(w, "      %s: changes, and is not shown\n", f.Field)
				} else {
					fmt.Fprintf(w, "      %s: %q -> %q\n", f.Field, f.Old, f.New)
				}
			}
		}
		if n := part.all - len(part.rows); n > 0 {
			fmt.Fprintf(w, "    and %d more\n", n)
		}
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

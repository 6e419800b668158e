package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) worksheetsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worksheets",
		Short: "What is due by source, for people who look it up by hand",
		Long: `Some registers may be asked by people alone. A worksheet lists what falls due at one of them by policy, so
that one visit serves many providers: export it as CSV, fill in what you find, and bring it in.

A look-up counts as an observation by you: good news waits for somebody else's review, bad news lowers an
answer at once, "no record" needs searches on two days, and "could not look" proves nothing. The same
works at the desk, at /staff/worksheets.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.worksheetsListCommand(), a.worksheetsExportCommand(), a.worksheetsImportCommand())
	return cmd
}

func (a *app) worksheetsListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Count what is due in the next 90 days, by source, and what is on no worksheet",
		Example: "  kapdir worksheets list --json",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			w, err := a.worksheets(90, "")
			if err != nil {
				return err
			}
			return a.answer(w, func(out io.Writer) {
				t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
				fmt.Fprintln(t, "OVERDUE\t7 DAYS\t30 DAYS\t90 DAYS\tFOR\tWHAT")
				line := func(c directory.SheetCount, who, what string) {
					fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%s\t%s\n", c.Overdue, c.In7, c.In30, c.In90, who, what)
				}
				for _, x := range w.Sheets {
					line(x.Counts, "a person", x.Source)
				}
				for _, x := range w.Program {
					line(x.Counts, "the program", x.Source+": "+sheetWhy[x.Why])
				}
				for _, x := range w.Left {
					line(x.Counts, "-", string(x.Kind)+": "+sheetWhy[x.Why])
				}
				_ = t.Flush()
			})
		},
	}
}

// sheetWhy says why something is for the program, or on no worksheet.
var sheetWhy = map[string]string{
	"loaded": "reads what is loaded, see kapdir verify", "importing": "is being imported", "import": "waits for an import",
	"desk": "waits for a decision, see kapdir cases", "no_number": "the provider has to state a number", "no_source": "no approved source", "actions_only": "a list of actions proves nothing by silence",
	"asked": "the provider, prescriber or programme is asked", "whole_file": "the whole file is decided about again",
}

// worksheets reads what is due in the next days.
func (a *app) worksheets(days int, source string) (directory.Worksheets, error) {
	st, err := a.lookAtStore()
	if err != nil {
		return directory.Worksheets{}, err
	}
	defer st.Close()
	return st.Worksheets(a.ctx, directory.SheetAsk{Until: directory.At(a.clock()()).AddDays(days), Source: source})
}

func (a *app) worksheetsExportCommand() *cobra.Command {
	var out string
	var days int
	cmd := &cobra.Command{
		Use:     "export SOURCE",
		Short:   "Write the worksheet of a source as CSV",
		Long:    `Write what falls due at a source in the next days as CSV, to be filled in. The columns behind "register" are yours; leave the others as they are. The page of a worksheet at the desk says what goes into each.`,
		Example: "  kapdir worksheets export ca-dca --out ca-dca.csv",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			if days < 0 || days > 3660 {
				return usageError{fmt.Errorf("--days: between 0 and 3660, not %d", days)}
			}
			w, err := a.worksheets(days, argv[0])
			if err != nil {
				return err
			}
			sheet := directory.Worksheet{Source: argv[0], Rows: []directory.SheetRow{}}
			for _, x := range w.Sheets {
				if x.Source == argv[0] {
					sheet = x
				}
			}
			if out == "" {
				if a.cfg.JSON {
					return a.answer(sheet, nil)
				}
				return sheet.Write(a.out)
			}
			f, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if errors.Is(err, fs.ErrExist) {
				return directory.Errorf(directory.Conflict, "out", "%s is there already: name another file with --out", out)
			}
			if err != nil {
				return directory.Errorf(directory.Refused, "out", "%w", err)
			}
			if err := errors.Join(sheet.Write(f), f.Close()); err != nil {
				return err
			}
			return a.answer(struct {
				Source string `json:"source"`
				File   string `json:"file"`
				Rows   int    `json:"rows"`
			}{sheet.Source, out, len(sheet.Rows)}, func(w io.Writer) { fmt.Fprintf(w, "%d rows of %s in %s.\n", len(sheet.Rows), sheet.Source, out) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the file to write; standard output if empty")
	cmd.Flags().IntVar(&days, "days", 30, "how many days ahead")
	return cmd
}

func (a *app) worksheetsImportCommand() *cobra.Command {
	var as, rejects string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring in a worksheet that was filled in",
		Long: `Bring in a worksheet that was filled in. A row goes in whole or not at all; those that are not taken are
written to FILE.rejects.csv (or --rejects) with line, column and reason, to be corrected there and brought in
as they are. A row whose claim has gone on since the worksheet was written is not taken: export it anew. The
same file again appends nothing.`,
		Example: `  kapdir worksheets import ca-dca.csv --as rowan --dry-run
  kapdir worksheets import ca-dca.csv --as rowan`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			if as == "" {
				return usageError{fmt.Errorf("--as: say who you are; kapdir staff list names the staff")}
			}
			return a.bringIn(argv[0], as, rejects, dryRun)
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "your name as a staff member")
	cmd.Flags().StringVar(&rejects, "rejects", "", "where rows that were not taken are written; beside the file if empty")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what each row would do, and change nothing")
	return cmd
}

// broughtIn is the answer of worksheets import.
type broughtIn struct {
	DryRun  bool                      `json:"dry_run,omitempty"`
	Counts  map[directory.Became]int  `json:"counts"`
	Empty   int                       `json:"empty"` // rows that are not filled in
	Rows    []directory.LookUpOutcome `json:"rows"`
	Wrong   []directory.SheetWrong    `json:"wrong,omitempty"`
	Rejects string                    `json:"rejects_file,omitempty"`
}

func (a *app) bringIn(file, as, rejects string, dryRun bool) error {
	f, err := os.Open(file)
	if err != nil {
		return directory.Errorf(directory.NotFound, "file", "%w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, directory.SheetMost+1))
	f.Close()
	if err != nil {
		return directory.Errorf(directory.Refused, "file", "%w", err)
	}
	if rejects != "" {
		if _, err := os.Lstat(rejects); !errors.Is(err, fs.ErrNotExist) {
			return directory.Errorf(directory.Conflict, "rejects", "%s is there already: name another file with --rejects", rejects)
		}
	}
	sheet, err := directory.ReadSheet(raw)
	if err != nil {
		return err
	}
	open := a.lookAtStore
	if !dryRun {
		open = func() (*store.Store, error) { return a.openStore(a.clock()) }
	}
	st, err := open()
	if err != nil {
		return err
	}
	defer st.Close()
	rows, failure := st.BringIn(a.ctx, as, localAuth, sheet.Rows, dryRun)
	if failure != nil && len(rows) == 0 {
		return failure
	}
	ans := broughtIn{DryRun: dryRun, Counts: map[directory.Became]int{}, Empty: sheet.Empty, Rows: rows, Wrong: sheet.NotTaken(rows)}
	for _, r := range rows {
		ans.Counts[r.Became]++
	}
	ans.Counts[directory.BecameWrong] = len(ans.Wrong)
	if len(ans.Wrong) > 0 {
		a.exit = exitRejected
		if !dryRun || rejects != "" {
			if ans.Rejects = rejects; rejects == "" {
				ans.Rejects = free(file, false)
			}
			out, err := os.OpenFile(ans.Rejects, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return directory.Errorf(directory.Refused, "rejects", "the rows that were not taken cannot be written: %w; name another place with --rejects", err)
			}
			if err := errors.Join(directory.WriteWrong(out, ans.Wrong), out.Close()); err != nil {
				return err
			}
		}
	}
	return errors.Join(a.answer(ans, ans.write), failure)
}

func (x broughtIn) write(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "LINE\tABOUT\tBECAME\tTHE CLAIM")
	for _, r := range x.Rows {
		if r.Became == directory.BecameWrong {
			continue
		}
		became := string(r.Became)
		if r.Says != "" {
			became += " " + string(r.Says)
		}
		if r.Waits {
			became += ", waits for a person"
		}
		if r.Case != "" {
			became += " " + string(r.Case)
		}
		moves := "stays " + r.After
		if r.Before != r.After {
			moves = r.Before + " → " + r.After
		}
		if r.After == "" {
			moves = r.Reason
		}
		fmt.Fprintf(t, "%d\t%s, %s\t%s\t%s\n", r.Line, r.Name, r.What, became, moves)
	}
	for _, r := range x.Wrong {
		fmt.Fprintf(t, "%d\t%s\tnot taken\t%s\n", r.Line, r.Cells["name"], strings.TrimSpace(r.Field+" "+r.Reason))
	}
	_ = t.Flush()
	did := "Recorded"
	if x.DryRun {
		did = "A dry run. Would record"
	}
	fmt.Fprintf(w, "%s %d, brought in before %d, nothing follows of %d, not taken %d, not filled in %d.\n", did, x.Counts[directory.BecameRecorded], x.Counts[directory.BecameAlready],
		x.Counts[directory.BecameLeft], x.Counts[directory.BecameWrong], x.Empty)
	if x.Rejects != "" {
		fmt.Fprintf(w, "What was not taken is in %s.\n", x.Rejects)
	}
}

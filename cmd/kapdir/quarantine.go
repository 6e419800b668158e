package main

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kapdir/crawler"
	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) quarantineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "quarantine",
		Short: "Look at the rows that imports could not take, and try them again",
		Args:  args(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.quarantineListCommand(), a.quarantineShowCommand(), a.quarantineRetryCommand())
	return cmd
}

func (a *app) quarantineListCommand() *cobra.Command {
	var of store.QuarantineOf
	var reason string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Count what is in quarantine, by run, field and reason",
		Long: `Count what is in quarantine, by run, source, field and reason, the newest run first. Values within reasons are
left out, so that like reasons stand together. A row stands under the run that could not take it; a later run
may have taken it since.`,
		Example: "  kapdir quarantine list\n  kapdir quarantine list --source leie --reason quotation",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			if err := knownSource(of.Source); err != nil {
				return err
			}
			groups := []quarantineGroup{}
			at := map[quarantineGroup]int{}
			err = st.EachQuarantined(a.ctx, of, func(q store.Quarantined) error {
				if !strings.Contains(strings.ToLower(q.Reason), strings.ToLower(reason)) {
					return nil
				}
				k := quarantineGroup{Run: q.Run, Source: q.Source, Field: q.Field, Reason: alike(q.Reason)}
				i, ok := at[k]
				if !ok {
					i = len(groups)
					at[k], groups = i, append(groups, k)
				}
				groups[i].Rows++
				return nil
			})
			if err != nil {
				return err
			}
			slices.SortStableFunc(groups, func(x, y quarantineGroup) int { return cmp.Or(cmp.Compare(y.Run, x.Run), cmp.Compare(y.Rows, x.Rows)) })
			return a.answer(groups, func(w io.Writer) {
				if len(groups) == 0 {
					fmt.Fprintln(w, "Nothing is in quarantine.")
					return
				}
				t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
				fmt.Fprintln(t, "RUN\tSOURCE\tROWS\tFIELD\tREASON")
				for _, g := range groups {
					fmt.Fprintf(t, "%d\t%s\t%d\t%s\t%s\n", g.Run, g.Source, g.Rows, cmp.Or(g.Field, "-"), g.Reason)
				}
				_ = t.Flush()
				fmt.Fprintln(w, "kapdir quarantine show RUN shows the rows.")
			})
		},
	}
	cmd.Flags().Int64Var(&of.Run, "run", 0, "of this run alone")
	cmd.Flags().StringVar(&of.Source, "source", "", "of this source alone")
	cmd.Flags().StringVar(&reason, "reason", "", "whose reason holds these words")
	return cmd
}

// quarantineGroup are the rows of one run that have one reason.
type quarantineGroup struct {
	Run    int64  `json:"run"`
	Source string `json:"source"`
	Rows   int    `json:"rows"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

var valueInReason = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\d+`)

// alike is a reason without the values in it.
func alike(reason string) string { return valueInReason.ReplaceAllString(reason, "…") }

func (a *app) quarantineShowCommand() *cobra.Command {
	var of store.QuarantineOf
	var limit int
	cmd := &cobra.Command{
		Use:   "show RUN [LINE]",
		Short: "Show quarantined rows of a run: file, line, field, reason, and the text as far as it may be held",
		Example: `  kapdir quarantine show 12
  kapdir quarantine show 12 4711`,
		Args: args(cobra.RangeArgs(1, 2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			var err error
			if of.Run, err = runNumber(argv[0]); err != nil {
				return err
			}
			if len(argv) > 1 {
				if of.Line, err = strconv.Atoi(argv[1]); err != nil || of.Line < 1 {
					return usageError{fmt.Errorf("%q is no line: a number from 1", argv[1])}
				}
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			if _, err := st.Run(a.ctx, of.Run); err != nil {
				return err
			}
			rows, all := []store.Quarantined{}, 0
			if err := st.EachQuarantined(a.ctx, of, func(q store.Quarantined) error {
				if all++; limit == 0 || len(rows) < limit {
					rows = append(rows, q)
				}
				return nil
			}); err != nil {
				return err
			}
			return a.answer(rows, func(w io.Writer) {
				for _, q := range rows {
					fmt.Fprintf(w, "%s\n  %s\n", place(q.Reject), q.Reason)
					if q.Text != "" {
						fmt.Fprintf(w, "  held: %s\n", q.Text)
					} else {
						fmt.Fprintln(w, "  nothing of its text is held")
					}
				}
				switch {
				case all == 0:
					fmt.Fprintf(w, "Nothing of run %d is in quarantine here.\n", of.Run)
				case all > len(rows):
					fmt.Fprintf(w, "and %d more: --limit 0 shows all\n", all-len(rows))
				}
			})
		},
	}
	cmd.Flags().StringVar(&of.File, "file", "", "of this file alone, where a run has several")
	cmd.Flags().IntVar(&limit, "limit", 50, "so many; 0 is all")
	return cmd
}

// runNumber reads 12, or run 12 as it is printed.
func runNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "run "), 10, 64)
	if err != nil || n < 1 {
		return 0, usageError{fmt.Errorf("%q is no run: kapdir runs lists their numbers", s)}
	}
	return n, nil
}

func (a *app) quarantineRetryCommand() *cobra.Command {
	var show int
	cmd := &cobra.Command{
		Use:   "retry RUN FILE…",
		Short: "Import the file of a run again with this program, and say which quarantined rows went in",
		Long: `Import the file of a run again, the same bytes or a corrected copy, with the present program and with the
date, name and options that the run had; "already imported" does not keep it back. The rows that went in then
are found unchanged and are not written again. It is a run of its own, and its quarantine is what could still
not be taken.

Of the same bytes it says line by line which quarantined rows went in now. A corrected file may have other
lines: then only the counts are compared. A file that a newer release has replaced is refused, for it would
undo that release.`,
		Example: "  kapdir quarantine retry 12 UPDATED.csv",
		Args:    args(cobra.MinimumNArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			n, err := runNumber(argv[0])
			if err != nil {
				return err
			}
			return a.retry(n, argv[1:], show)
		},
	}
	cmd.Flags().IntVar(&show, "show", 20, "rows to show of those that went in, and of those that did not")
	return cmd
}

// retried is the answer of quarantine retry.
type retried struct {
	Of        int64              `json:"of"`
	Import    imported           `json:"import"`
	Before    int                `json:"before"` // in quarantine of the run
	After     int                `json:"after"`  // of this one
	SameBytes bool               `json:"same_bytes"`
	WentIn    int                `json:"went_in"` // of the same bytes
	Rows      []directory.Reject `json:"rows,omitempty"`
	Still     []directory.Reject `json:"still,omitempty"`
}

func (a *app) retry(number int64, paths []string, show int) error {
	st, err := a.openStore(a.clock())
	if err != nil {
		return err
	}
	defer st.Close()
	run, err := st.Run(a.ctx, number)
	if err != nil {
		return err
	}
	rel := run.Release
	info, known := directory.Tables().Source(rel.Source)
	if !known {
		return directory.Errorf(directory.NotFound, "source", "%s, which run %d imported, is no source any more", rel.Source, number)
	}
	newer, err := st.RunsOf(a.ctx, rel.Source, 0)
	if err != nil {
		return err
	}
	for _, r := range newer {
		replaced := info.Kind != "listing" || r.Release.AsOf > rel.AsOf // of listings, what was said on the same day may stand in two files
		if replaced && r.Outcome == "done" && r.Number > number && r.Release.SHA256 != rel.SHA256 {
			return directory.Errorf(directory.Conflict, "run", "run %d has brought a newer release of %s into force (%s), which the file of run %d could undo: retry run %d with its own file", r.Number, rel.Source, r.Release.Name, number, r.Number)
		}
	}
	before, err := st.Rejects(a.ctx, run.ID, 1<<30)
	if err != nil {
		return err
	}
	opts := crawler.Options{All: rel.All, AsOf: rel.AsOf, Release: rel.Name, Again: true}
	var ans imported
	if src, ok := a.findSource(rel.Source); ok && !(src.Listing && rowsFile(paths[0])) {
		ans, err = a.importInto(st, src, paths, opts, false, 0)
	} else {
		ans, err = a.importRows(st, listingsImport{file: paths[0], source: rel.Source, opts: opts})
	}
	if err != nil {
		return a.tell(ans, err)
	}
	after, err := st.Rejects(a.ctx, ans.Run.ID, 1<<30)
	if err != nil {
		return err
	}
	x := retried{Of: number, Import: ans, Before: len(before), After: len(after), SameBytes: ans.Run.Release.SHA256 == rel.SHA256}
	x.Import.Rejects = nil
	x.Still = after[:min(show, len(after))]
	if x.SameBytes {
		type spot struct {
			file  string
			line  int
			field string
		}
		still := map[spot]bool{}
		for _, j := range after {
			still[spot{j.File, j.Line, ""}] = true
			still[spot{j.File, j.Line, j.Field}] = true
		}
		for _, j := range before {
			at := spot{j.File, j.Line, j.Field}
			if j.Line > 0 {
				at.field = ""
			}
			if still[at] {
				continue
			}
			if x.WentIn++; len(x.Rows) < show {
				x.Rows = append(x.Rows, j)
			}
		}
	}
	if x.After > 0 {
		a.exit = exitRejected
	}
	return a.answer(x, x.write)
}

// rowsFile reports a file of rows of listings, as against pages of a site.
func rowsFile(path string) bool {
	ext := strings.ToLower(path[strings.LastIndexByte(path, '.')+1:])
	return slices.Contains([]string{"csv", "tsv", "txt", "jsonl", "ndjson", "json"}, ext)
}

func (x retried) write(w io.Writer) {
	c := x.Import.Run.Counts
	fmt.Fprintf(w, "%s: run %d imported the file of run %d again: %d added, %d changed, %d unchanged.\n", x.Import.Source, x.Import.Run.Number, x.Of, c.Added, c.Changed, c.Unchanged)
	if x.SameBytes {
		fmt.Fprintf(w, "  of %d in quarantine %d went in now, %d did not\n", x.Before, x.WentIn, x.After)
	} else {
		fmt.Fprintf(w, "  the file is another one than that of run %d: %d were in quarantine then, %d are now\n", x.Of, x.Before, x.After)
	}
	for _, j := range x.Rows {
		fmt.Fprintf(w, "  in now   %s: %s\n", place(j), j.Reason)
	}
	for _, j := range x.Still {
		fmt.Fprintf(w, "  not yet  %s: %s\n", place(j), j.Reason)
	}
	x.Import.writeRows(w)
}

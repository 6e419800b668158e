package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"kapdir/crawler"
	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) importListingsCommand() *cobra.Command {
	var x listingsImport
	var asOf string
	cmd := &cobra.Command{
		Use:   "listings FILE",
		Short: "Import rows of listings from a partner or from staff: CSV or JSON lines",
		Long: `Import a file of listings that a partner sent or a member of staff wrote, as CSV or as JSON lines with
the same names. --template writes an empty one, with a word on each column and an example that is not read.

A row goes in whole or not at all. Rows that cannot be taken are told with line, column, value and what to
write, kept in quarantine, and written to FILE.rejects.csv (or --rejects) in the same format with the column
"error": correct them there and import that file as it is. Its column "error" is not read.

The partner is a source of the kind listing in data/sources.csv, or one that is described under "partners" in
the operator's file (--from; kapdir import all --template shows how). Rows of an earlier file that this one
does not have stay: a partner's file adds and corrects.`,
		Example: `  kapdir import listings --template > listings.csv
  kapdir import listings blue-lake-2026-11-20.csv --source blue-lake --from sources.yaml
  kapdir import listings blue-lake-2026-11-20.rejects.csv --source blue-lake`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			if x.template != "" {
				if x.template != "csv" && x.template != "jsonl" {
					return usageError{fmt.Errorf("--template is csv or jsonl, not %q", x.template)}
				}
				return crawler.ListingTemplate(a.out, x.template == "jsonl")
			}
			if len(argv) == 0 || x.source == "" {
				return usageError{errors.New("name the file and whose it is: kapdir import listings FILE --source PARTNER")}
			}
			day, err := directory.ParseDate(asOf)
			if asOf != "" && err != nil {
				return usageError{fmt.Errorf("--as-of: %w", err)}
			}
			x.file, x.opts.AsOf = argv[0], day
			return a.importListings(x)
		},
	}
	cmd.Flags().StringVar(&x.source, "source", "", "whose file it is")
	cmd.Flags().StringVar(&x.from, "from", "", "the operator's file that describes the partner, if data/sources.csv does not")
	cmd.Flags().StringVar(&x.template, "template", "", "write an empty file in this format, csv or jsonl, and stop")
	cmd.Flags().Lookup("template").NoOptDefVal = "csv"
	cmd.Flags().StringVar(&x.rejects, "rejects", "", "where rows that were not taken are written; beside the file if empty")
	cmd.Flags().BoolVar(&x.dryRun, "dry-run", false, "say what would change, and change nothing")
	cmd.Flags().IntVar(&x.show, "show", 10, "with --dry-run: rows of each kind of change to show")
	cmd.Flags().StringVar(&asOf, "as-of", "", "how old the rows are, where they and the file's name do not say: YYYY-MM-DD")
	cmd.Flags().StringVar(&x.opts.Release, "release", "", "the partner's name of this edition; the day if empty")
	return cmd
}

// listingsImport is what import listings was asked.
type listingsImport struct {
	file, source, from, template, rejects string
	dryRun                                bool
	show                                  int
	opts                                  crawler.Options
}

func (a *app) importListings(x listingsImport) error {
	st, err := a.openStore(a.clock())
	if err != nil {
		return err
	}
	defer st.Close()
	if x.from != "" {
		file, err := a.readSourcesFile(x.from)
		if err != nil {
			return err
		}
		if err := a.learn(st, file.Partners, x.dryRun); err != nil {
			return err
		}
	}
	ans, err := a.importRows(st, x)
	return a.tell(ans, err)
}

// learn makes the partners of an operator's file known, and keeps them unless nothing is to be changed.
func (a *app) learn(st *store.Store, partners []directory.SourceInfo, dryRun bool) error {
	if dryRun {
		directory.LearnPartners(partners)
		return nil
	}
	for _, p := range partners {
		if err := st.AddPartner(a.ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// importRows imports one file of rows of listings.
func (a *app) importRows(st *store.Store, x listingsImport) (imported, error) {
	info, known := directory.Tables().Source(x.source)
	switch {
	case !known:
		return imported{Source: x.source}, directory.Errorf(directory.NotFound, "source", "no partner %q is known: describe them under \"partners\" in a file such as kapdir import all --template writes, "+
			"with licence, attribution and what they allow, and name the file with --from", x.source)
	case info.Kind != "listing":
		return imported{Source: x.source}, directory.Errorf(directory.Invalid, "source", "%s is of the kind %q and sends no rows of listings: kapdir import %s FILE reads its own format", info.ID, info.Kind, info.ID)
	}
	out := &rejectsFile{path: x.rejects, beside: x.file, write: x.rejects != "" || !x.dryRun}
	if err := out.check(); err != nil {
		return imported{Source: x.source}, err
	}
	ans, err := a.importInto(st, crawler.ListingRows(x.source, out.row), []string{x.file}, x.opts, x.dryRun, x.show)
	if ended := out.close(); err == nil {
		err = ended
	}
	if ans.Run.Already {
		return ans, err
	}
	ans.Rows, ans.RejectsFile = out.first, out.path
	ans.Rejects = nil // the rows above are the same, each with the whole of what is wrong
	return ans, err
}

// rejectsFile is where rows that were not taken are written. It is made with the first of them, for its owner
// alone, and never in the place of another file.
type rejectsFile struct {
	path, beside string
	write        bool
	first        []rowError
	file         *os.File
	buffer       *bufio.Writer
	rows         *crawler.RowWriter
}

// rowError is a row that was not taken.
type rowError struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

func (r *rejectsFile) check() error {
	if r.path == "" {
		return nil
	}
	if _, err := os.Lstat(r.path); !errors.Is(err, fs.ErrNotExist) {
		return directory.Errorf(directory.Conflict, "rejects", "%s is there already: name another file with --rejects", r.path)
	}
	return nil
}

var rejectsEnd = regexp.MustCompile(`\.rejects(-\d+)?$`)

// free is the first name beside the file that nothing has yet.
func free(beside string, asJSON bool) string {
	ext := filepath.Ext(beside)
	stem := rejectsEnd.ReplaceAllString(strings.TrimSuffix(beside, ext), "") + ".rejects"
	if ext = ".csv"; asJSON {
		ext = ".jsonl"
	}
	path := stem + ext
	for n := 2; ; n++ {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || n == 1000 {
			return path
		}
		path = fmt.Sprintf("%s-%d%s", stem, n, ext)
	}
}

func (r *rejectsFile) row(format crawler.RowFormat, x crawler.RejectedRow) error {
	if len(r.first) < 20 {
		r.first = append(r.first, rowError{x.Line, x.Error})
	}
	if !r.write {
		return nil
	}
	if r.rows == nil {
		if r.path == "" {
			r.path = free(r.beside, format.JSON)
		}
		var err error
		if r.file, err = os.OpenFile(r.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return directory.Errorf(directory.Refused, "rejects", "the rows that were not taken cannot be written beside the file: %w; name another place with --rejects", err)
		}
		r.buffer = bufio.NewWriter(r.file)
		if r.rows, err = crawler.NewRowWriter(r.buffer, format, true); err != nil {
			return err
		}
	}
	return r.rows.Write(x.Cells, x.Error)
}

func (r *rejectsFile) close() error {
	if r.file == nil {
		r.path = ""
		return nil
	}
	return errors.Join(r.buffer.Flush(), r.file.Close())
}

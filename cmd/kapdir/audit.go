package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/web"
)

func (a *app) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Export the ledger, derive every answer from an export again, and write what an auditor asks for",
		Long: `What kapdir shows is computed from a ledger of dated events; these commands let anybody who may see
the ledger compute it again, for any day, without this installation.

  kapdir audit export ledger.jsonl             claims, evidence, events, policies and titles
  kapdir audit derive ledger.jsonl             every statement that was published when it was written
  kapdir audit derive ledger.jsonl --at 2026-10-01 --known 2026-10-01
                                               what was shown on 1 October 2026
  kapdir audit derive ledger.jsonl --at 2026-10-01
                                               what is now known to have been true then
  kapdir audit statements --at 2026-10-01      the same from the store, byte for byte
  kapdir audit schema                          the form of an export
  kapdir audit pack --sample 30 --seed 2026-Q4 DIR
                                               the files of 30 providers drawn at random
  kapdir audit check DIR                       that such a pack is whole and follows from its events

All of it is for staff and auditors: it shows what no public page does.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.auditExportCommand(), a.auditDeriveCommand(), a.auditStatementsCommand(), a.auditSchemaCommand(), a.auditPackCommand(), a.auditCheckCommand())
	return cmd
}

func (a *app) auditExportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export FILE",
		Short: "Write claims, evidence, events, policies and titles as JSON lines",
		Long: `Write everything from which what was shown on any day can be computed again: claims, evidence, events,
every recorded release of policies, titles and the other tables, imports, and the facts of providers. It is
one snapshot of the store, written to a file beside FILE that takes its name when it is whole, readable for
its owner alone. FILE - is standard output, which must not be a terminal.

The form is kapdir.export/1: one JSON object a line, described by 'kapdir audit schema'. Social Security
numbers, DEA numbers and birth dates are never in it; where one was left out the line says so. Nor are
former names, addresses that look like homes, or the facts and the evidence of whoever was withdrawn.`,
		Example: "  kapdir audit export ledger.jsonl\n  kapdir audit export - | zstd > ledger.jsonl.zst",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			var out struct {
				File string `json:"file"`
				store.Exported
			}
			out.File = argv[0]
			write := func(w io.Writer) error {
				show, done := a.counter("export")
				defer done()
				return st.View(a.ctx, func(v *store.View) error {
					out.Exported, err = v.Export(w, store.ExportOptions{Program: "kapdir " + version, Progress: show})
					return err
				})
			}
			summary := func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d providers, %d claims, %d events, %d pieces of evidence, %d releases of the rules, %d imports, up to number %d\n",
					out.File, out.Providers, out.Claims, out.Events, out.Evidence, out.Rules, out.Runs, out.Head.Seq)
				if out.Removed > 0 {
					fmt.Fprintf(w, "%d events are no more: what they said was removed\n", out.Removed)
				}
				for _, what := range keys(out.Withheld) {
					fmt.Fprintf(w, "withheld: %s, %d times\n", what, out.Withheld[what])
				}
			}
			if argv[0] == "-" {
				if f, ok := a.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
					return directory.Errorf(directory.Refused, "", "an export holds what only staff may see, and is not written to a terminal: name a file")
				}
				if err := write(a.out); err != nil {
					return err
				}
				summary(a.err)
				return nil
			}
			if err := writeWhole(argv[0], write); err != nil {
				return err
			}
			return a.answer(out, summary)
		},
	}
}

// question is what derive and statements are asked.
type question struct {
	at, known       string
	state, provider string
	claims          bool
	atI, knownI     directory.Instant
	states          []directory.State
}

func (q *question) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.at, "at", "", "T: answer for this moment; a date is its first moment in UTC")
	f.StringVar(&q.known, "known", "", "K: with what was recorded by this moment")
	f.StringVar(&q.state, "checks-for", "", "a patient's state, such as CO; without it every state that matters for the provider")
	f.StringVar(&q.provider, "provider", "", "of this provider alone")
	f.BoolVar(&q.claims, "claims", false, "after a provider's statements, the standing of each claim as well")
}

// read reads the flags; def is the moment that holds where none is given.
func (q *question) read(at, known directory.Instant) error {
	q.atI, q.knownI = at, known
	for _, x := range []struct {
		flag, text string
		to         *directory.Instant
	}{{"--at", q.at, &q.atI}, {"--known", q.known, &q.knownI}} {
		if x.text != "" {
			i, err := directory.ParseInstant(x.text)
			if err != nil {
				return usageError{fmt.Errorf("%s: %w", x.flag, err)}
			}
			*x.to = i
		}
	}
	if q.state != "" {
		y, err := directory.ParseState(q.state)
		if err != nil {
			return usageError{fmt.Errorf("--checks-for: %w", err)}
		}
		q.states = []directory.State{y}
	}
	return nil
}

// answer writes what is said of a file, and what its claims are worth.
func (q *question) answer(w io.Writer, f *directory.CredentialFile, said bool, policies directory.Policies) error {
	if q.provider != "" && q.provider != string(f.Provider.ID) {
		return nil
	}
	if said {
		for _, s := range web.Statements(f, q.states, q.atI, q.knownI, policies) {
			line, err := s.Line()
			if err == nil {
				_, err = w.Write(line)
			}
			if err != nil {
				return err
			}
		}
	}
	if !q.claims {
		return nil
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, h := range f.Claims {
		if err := e.Encode(directory.StandingOf(h, q.atI, q.knownI, policies)); err != nil {
			return err
		}
	}
	return nil
}

// The form of the answer, which derive and statements share.
const answerForm = `One JSON object a line, in order of provider. A line of the record statement is what the public faces
say of one provider to a patient of one state: checks and claims in the very bytes of the API. There is one
for each state in which the provider holds a licence or a privilege, has a site, or names for telehealth,
and one for the state of their first site, "checks_for": null if there is none. Whoever was withdrawn has
none. With --claims each claim follows with the record standing: its status, reasons, the numbers of the
events it rests on, when the answer changes by itself, and what waits for a person.

T (--at) is the day of which something is said, K (--known) the day by which it had to be recorded. Both
take a date, which is its first moment in UTC, or a moment such as 2026-11-23T09:00:00Z.`

func (a *app) auditDeriveCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "derive EXPORT",
		Short: "Derive every published statement from an export alone",
		Long: `Derive from an export, and from nothing else, what was published: no state directory and no store is
looked at. EXPORT - is standard input. Without --at and --known the answers are those of the moment the
export was written, or at which its newest event was recorded.

An export may be written by hand, or by another program: 'kapdir audit schema' describes it. Only claims
and events are needed, a licence number may be plain text, and without rules those of this program hold. A
line that cannot be read is named with the field at fault, and nothing is derived.

` + answerForm,
		Example: `  kapdir audit derive ledger.jsonl --at 2026-10-01 --known 2026-10-01
  kapdir audit derive history.jsonl --claims --at 2026-11-23 --known 2026-11-23`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			in := io.Reader(os.Stdin)
			if argv[0] != "-" {
				f, err := os.Open(argv[0])
				if err != nil {
					return directory.Errorf(directory.NotFound, "", "the export cannot be read: %w", err)
				}
				defer f.Close()
				in = f
			}
			x, err := directory.ReadExport(in, nil)
			if err != nil {
				return err
			}
			if err := q.read(x.Moment()); err != nil {
				return err
			}
			if q.atI == "" {
				return directory.Errorf(directory.Invalid, "", "the export says neither when it was written nor holds an event: say --at and --known")
			}
			if id := directory.ID(q.provider); id != "" {
				switch {
				case x.File(id) == nil:
					return directory.Errorf(directory.NotFound, "", "the export holds no provider %s", id)
				case x.Linked(id):
					return directory.Errorf(directory.Refused, "", "%s is in this export only because the claims of others name them: it does not hold all that a statement about them rests on", id)
				}
			}
			w := bufio.NewWriter(a.out)
			for _, f := range x.Files {
				if err := q.answer(w, f, x.Public(f.Provider.ID) && !x.Linked(f.Provider.ID), x.Policies); err != nil {
					return err
				}
			}
			return w.Flush()
		},
	}
	q.register(cmd)
	cmd.Flags().StringVar(&q.state, "state", "", "the same as --checks-for: this command needs no state directory")
	return cmd
}

func (a *app) auditStatementsCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "statements",
		Short: "Write what is published, or was on any day, from the store",
		Long: `Write from the store, in one snapshot of it, what 'kapdir audit derive' writes from an export of it: the
same bytes. Without --at and --known the answers are those of now.

` + answerForm,
		Example: "  kapdir audit statements --at 2026-10-01 --known 2026-10-01 > then.jsonl",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if err := q.read("", ""); err != nil { // before the store is opened
				return err
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			w := bufio.NewWriter(a.out)
			found := q.provider == ""
			err = st.View(a.ctx, func(v *store.View) error {
				if err := q.read(v.Moment()); err != nil {
					return err
				}
				return v.EachFile(func(f *directory.CredentialFile, public bool) error {
					found = found || q.provider == string(f.Provider.ID)
					return q.answer(w, f, public, v.Policies())
				})
			})
			if err != nil {
				return err
			}
			if !found {
				return directory.Errorf(directory.NotFound, "", "there is no provider %s", q.provider)
			}
			return w.Flush()
		},
	}
	q.register(cmd)
	return cmd
}

func (a *app) auditSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [export|event]",
		Short: "Print the schemas of an export",
		Long: `Print the JSON Schemas (2020-12) of an export: of any line of it (export.schema.json), and of the lines
that are events (event.schema.json), to which the first refers. Without an argument both are printed, in one
object by their file names; with one, that one as it is.`,
		Example:   "  kapdir audit schema export > export.schema.json\n  kapdir audit schema event > event.schema.json",
		Args:      args(cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs)),
		ValidArgs: []string{"export", "event"},
		RunE: func(_ *cobra.Command, argv []string) error {
			if len(argv) == 1 {
				raw := directory.ExportSchemaJSON
				if argv[0] == "event" {
					raw = directory.EventSchemaJSON
				}
				_, err := a.out.Write(raw)
				return err
			}
			_, err := fmt.Fprintf(a.out, "{\"export.schema.json\": %s,\n\"event.schema.json\": %s}\n", strings.TrimSpace(string(directory.ExportSchemaJSON)), strings.TrimSpace(string(directory.EventSchemaJSON)))
			return err
		},
	}
}

// counter shows how far a piece of work is: a bar on a terminal, a plain line every ten seconds elsewhere,
// nothing with --quiet or --json.
func (a *app) counter(name string) (show func(part string, done, total int), finish func()) {
	if a.cfg.Quiet || a.cfg.JSON {
		return func(string, int, int) {}, func() {}
	}
	f, ok := a.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		last := time.Now()
		return func(part string, done, total int) {
			if time.Since(last) >= 10*time.Second {
				last = time.Now()
				fmt.Fprintf(a.err, "%s: %s, %d of %d\n", name, part, done, total)
			}
		}, func() {}
	}
	var bar *progressbar.ProgressBar
	return func(part string, done, total int) {
			if bar == nil {
				bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(a.err), progressbar.OptionThrottle(100*time.Millisecond),
					progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
			}
			bar.Describe(name + " " + part)
			_ = bar.Set(done)
		}, func() {
			if bar != nil {
				_ = bar.Finish()
			}
		}
}

// writeWhole writes a file that only its owner can read. It takes its name when it is whole: whoever is
// interrupted leaves what was there.
func writeWhole(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".kapdir-*") // with mode 0600
	if err != nil {
		return directory.Errorf(directory.Refused, "", "%s cannot be written: %w", path, err)
	}
	defer os.Remove(f.Name()) // once it has its name there is nothing to remove
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return directory.Errorf(directory.Refused, "", "%s cannot be written: %w", path, err)
	}
	return nil
}

// keys returns the keys of a map in order.
func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

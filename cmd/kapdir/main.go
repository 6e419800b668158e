// Command kapdir is an open directory of people who offer ketamine-assisted psychotherapy in the USA,
// and the verifier of what they claim. Run kapdir --help for its commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"kapdir/crawler"
	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// version is the program's version, which evidence and events name.
const version = "0.1.0"

// The exit statuses. A script may rely on them.
const (
	exitDone     = 0 // done
	exitFailed   = 1 // refused, or failed: nothing was changed, or the message says what was
	exitUsage    = 2 // the command line is wrong
	exitRejected = 3 // done, with rows in quarantine
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	app := &app{ctx: ctx, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, back: standBack}
	code := app.run(os.Args[1:])
	stop()
	os.Exit(code)
}

// run is the whole program without the process around it: it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return (&app{ctx: ctx, out: stdout, err: stderr, getenv: os.Getenv}).run(args)
}

func (a *app) run(args []string) int {
	ctx, stderr := a.ctx, a.err
	root := a.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return a.exit
	}
	var usage usageError
	if errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command") {
		fmt.Fprintf(stderr, "kapdir: %v\nRun 'kapdir --help' for how to use it.\n", err)
		return exitUsage
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted; run the same command again, nothing is lost and nothing is doubled")
	}
	fmt.Fprintf(stderr, "kapdir: %v\n", err)
	return exitFailed
}

// usageError is a wrong command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// app holds what the subcommands share.
type app struct {
	ctx       context.Context
	out, err  io.Writer
	getenv    func(string) string
	cfg       Config
	own       []crawler.Source // of the operator's own recipes
	keepRules bool             // one of those recipes cannot be read: the rules stay as they were recorded last
	stands    standing         // the demonstration's clock, once its store is open
	exit      int
	back      func() // lets servers on the same machine go first; nil in tests

	hookClient *safehttp.Client // what calls webhooks, in tests; the program's own when nil
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "kapdir",
		Short: "An open directory of ketamine-assisted psychotherapy, with every badge computed from dated evidence",
		Long: `kapdir collects provider listings, licence rosters, exclusion lists and the national NPI registry,
matches them, computes five checks for each provider from dated evidence, and serves a search page
and a JSON API.

Try it with people who are invented:  kapdir demo

Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 done with rows in quarantine.`,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	a.cfg.register(root.PersistentFlags(), a.getenv)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := a.cfg.check(); err != nil {
			return usageError{err}
		}
		for c := cmd; c.HasParent(); c = c.Parent() {
			if a.back != nil && longWork[c.Name()] && c.Parent() == root {
				a.back()
			}
		}
		return a.ownRecipes()
	}
	root.AddCommand(a.demoCommand(), a.benchCommand(), a.importCommand(), a.crawlCommand(), a.serveCommand(), a.indexCommand(), a.exportCommand(), a.sourcesCommand(), a.showCommand(), a.verifyCommand(), a.dueCommand(), a.fsckCommand(), a.auditCommand(),
		a.staffCommand(), a.partnerCommand(), a.getCommand(), a.casesCommand(), a.worksheetsCommand(), a.claimsCommand(), a.removalCommand(), a.runsCommand(), a.quarantineCommand())
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

// longWork are the commands that may take minutes beside a running server.
var longWork = map[string]bool{"import": true, "crawl": true, "verify": true, "export": true, "index": true, "fsck": true, "audit": true}

// args wraps cobra's argument checks so that a wrong number of arguments exits with status 2.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, argv []string) error {
		if err := check(cmd, argv); err != nil {
			return usageError{fmt.Errorf("%w\nUsage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}

// kindIs reports an error of the kind.
func kindIs(err error, kind directory.ErrorKind) bool { return directory.KindOf(err) == kind }

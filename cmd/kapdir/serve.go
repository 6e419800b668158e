package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/deliver"
	"kapdir/directory/store"
	"kapdir/directory/web"
	"kapdir/search"
)

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the search page and the JSON API",
		Long: `Serve the search page and the JSON API from the state directory. The server follows what other
commands import within a second. While the index is being built, search is answered from the store,
and the page says so. End it with Ctrl-C or SIGTERM: requests under way are finished.`,
		Example: "  kapdir serve --addr localhost:8080\n  kapdir serve --dsn postgres://kapdir@db/kapdir --base-url https://directory.example",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			ln, err := web.Listen(a.cfg.Addr)
			if err != nil {
				return err
			}
			st, err := a.openStore(a.clock())
			if err != nil {
				_ = ln.Close()
				return err
			}
			defer st.Close()
			fmt.Fprintf(a.err, "configuration %s\n", a.cfg.dump())
			demo, err := a.demoHeld(st)
			if err != nil {
				_ = ln.Close()
				return err
			}
			return a.serve(ln, st, demo, a.clock(), nil)
		},
	}
	a.cfg.registerServer(cmd.Flags(), a.getenv)
	return cmd
}

// serve answers on ln until the program is told to end. demoStaff are codes with which to sign in at the desk of a
// demonstration.
func (a *app) serve(ln net.Listener, st *store.Store, demo *web.DemoInfo, now func() time.Time, demoStaff map[string]string) error {
	log := slog.New(slog.NewJSONHandler(a.err, nil))
	if host, port, err := net.SplitHostPort(a.cfg.Addr); err == nil && port == "0" { // the system chose the port
		_, port, _ = net.SplitHostPort(ln.Addr().String())
		a.cfg.Addr = net.JoinHostPort(host, port)
	}
	giveHeapRoom()
	background := directory.NewBackground()
	index, err := search.Open(a.ctx, search.Config{Dir: a.cfg.indexDir(), Feed: st, Files: st.Files, Policies: st.Policies(), Now: now, Log: log, Background: background})
	if err != nil {
		_ = ln.Close()
		return err
	}
	defer index.Close()
	srv, err := web.New(web.Config{Reader: st, Search: index, Policies: st.Policies(), Keys: st, Requests: st, SignIn: st, Desk: st, Integrators: st, AnonymousPerMinute: a.cfg.Anyone, StaffNow: a.signInClock(), DemoStaff: demoStaff, BaseURL: a.cfg.baseURL(), Now: now, Demo: demo,
		TrustedProxies: a.cfg.proxies(), Contact: a.cfg.Contact, Log: log, Version: version, Exports: a.cfg.exportsDir(), Background: background})
	if err != nil {
		_ = ln.Close()
		return err
	}
	if _, err := touchDue(a.ctx, st, now); err != nil { // what time has changed while nobody served
		_ = ln.Close()
		return err
	}
	if _, err := index.Sync(a.ctx); err != nil && !kindIs(err, directory.Unavailable) {
		log.Warn("the index is built while the server answers from the store", "error", err)
	}
	ctx, stop := context.WithCancel(a.ctx)
	defer stop()
	go guard(log, "index", func() error { return index.Run(ctx) })
	go guard(log, "watch", func() error { return a.watch(ctx, st, index, now) })
	go guard(log, "pages", func() error { return a.sweepPages(ctx) })
	go guard(log, "usage", func() error { return writeUsage(ctx, srv, usageEvery) })
	go guard(log, "recipes", func() error { return a.followRecipes(ctx) })
	go guard(log, "worksheets", func() error { return gatherSheets(ctx, st, background) })
	go guard(log, "exports", func() error { return srv.RunExports(ctx, exportEvery, st.ExportRequested) })
	hooks := deliver.New(deliver.Config{Store: st, Client: a.webhookClient(), Now: a.signInClock(), BaseURL: a.cfg.baseURL(), Demo: demo != nil, Log: log, Holder: holder(), Background: background})
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		guard(log, "webhooks", func() error { return hooks.Run(ctx) })
	}()
	fmt.Fprintf(a.out, "kapdir is at %s (Ctrl-C ends it)\n", a.cfg.baseURL())
	for _, code := range slices.SortedFunc(maps.Keys(demoStaff), func(x, y string) int { return strings.Compare(demoStaff[x], demoStaff[y]) }) {
		fmt.Fprintf(a.out, "  the desk as %s: %s/staff/sign-in#%s\n", demoStaff[code], a.cfg.baseURL(), code)
	}
	err = srv.Serve(ctx, ln)
	stop()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	select { // what became of the calls under way is kept
	case <-delivered:
	case <-last.Done():
	}
	if err := srv.WriteUsage(last); err != nil {
		log.Error("how often keys asked last could not be written", "error", err)
	}
	if a.ctx.Err() != nil {
		log.Info("ended, as asked")
	}
	return err
}

// sheetsEvery is how often a server looks who is new on the worksheets.
const sheetsEvery = 5 * time.Second

// gatherSheets keeps what worksheets are made from at hand until ctx is done.
func gatherSheets(ctx context.Context, st *store.Store, background *directory.Background) error {
	for {
		more := false
		err := background.Do(ctx, func() (err error) {
			more, err = st.GatherSheets(ctx)
			return err
		})
		if err == nil && !more {
			err = directory.Pause(ctx, sheetsEvery)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// usageEvery is how often it is written how often keys asked: what is lost with a process that dies is no more.
const usageEvery = time.Minute

// writeUsage writes how often keys asked, again and again until ctx is done.
func writeUsage(ctx context.Context, srv *web.Server, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := srv.WriteUsage(ctx); err != nil {
				return err
			}
		}
	}
}

// touchDue numbers a change for everybody of whom an answer has changed by time alone, and returns how many
// that were. Each step is short, so that whoever writes meanwhile need not wait for all of it.
func touchDue(ctx context.Context, st *store.Store, now func() time.Time) (n int, err error) {
	const step = 500
	for {
		m, err := st.TouchDue(ctx, directory.At(now()), step)
		n += m
		if err != nil || m < step {
			return n, err
		}
	}
}

// watch does what time asks for: it numbers a change when an answer has changed by itself, and starts a
// rebuild that another command has asked for. It looks several times a second, which costs three short reads,
// and at the very moment at which the next answer changes. Of several servers, the one that then gets the
// lease does the work.
func (a *app) watch(ctx context.Context, st *store.Store, index *search.Index, now func() time.Time) error {
	const pause = 250 * time.Millisecond
	var awaited directory.Instant // the moment that was last waited for
	built := a.rebuilt()          // a removal that nobody served asks for one too: what is deleted lies in old segments until then
	for {
		next, err := st.NextDue(ctx)
		if err != nil {
			return err
		}
		if next != "" && next <= directory.At(now()) {
			held, err := st.AcquireLease(ctx, "clock", holder(), 15*time.Second)
			if err != nil {
				return err
			}
			if held {
				if _, err := touchDue(ctx, st, now); err != nil {
					return err
				}
				if err := index.Follow(ctx); err != nil { // searches need not wait for the index to look by itself
					return err
				}
			}
		}
		if err := st.LearnPartners(ctx); err != nil { // whom another command has added
			return err
		}
		asked, err := st.RebuildRequested(ctx)
		if err != nil {
			return err
		}
		if asked > built {
			if err := index.Rebuild(ctx, nil); err != nil {
				return err
			}
			built = asked
			if err := os.WriteFile(a.rebuiltFile(), []byte(strconv.FormatInt(built, 10)), 0o600); err != nil {
				return err
			}
		}
		wait := pause
		if left := next.Time().Sub(now()) + time.Millisecond; next != awaited && left > 0 && left < wait { // once for each: a clock that stands never reaches it
			wait, awaited = left, next
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// holder names this process among those that could hold a lease.
func holder() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// rebuiltFile holds how many requests for a rebuild the index of this state directory has followed.
func (a *app) rebuiltFile() string { return filepath.Join(a.cfg.State, "index.rebuilt") }

func (a *app) rebuilt() int64 {
	b, _ := os.ReadFile(a.rebuiltFile()) // without it none was followed
	n, _ := strconv.ParseInt(string(b), 10, 64)
	return n
}

// guard runs f again, a moment later, whenever it fails or panics: nothing in the background may end the server.
func guard(log interface{ Error(string, ...any) }, name string, f func() error) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("panic: %v", p)
				}
			}()
			return f()
		}()
		if err == nil || errors.Is(err, context.Canceled) {
			return
		}
		log.Error("background work failed; it is tried again", "work", name, "error", err)
		time.Sleep(wait)
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kapdir/crawler"
	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// ownRecipes makes the operator's own recipes sources beside those of the program. One that cannot be read is
// told and stops nothing else, neither an exclusion list nor a removal: the rules stay as they were recorded
// last, so that its site is still known by its name, and only its own import has to wait.
func (a *app) ownRecipes() error {
	own, err := crawler.OwnSources(a.cfg.recipesDir())
	if err != nil {
		fmt.Fprintf(a.err, "kapdir: %v\nkapdir: until that is mended, the site cannot be imported\n", err)
		a.keepRules = true
	}
	a.own = own
	return addSources(own)
}

// followRecipes makes the operator's own recipes that change while a server runs known to it, within a second:
// what another command imports by them is named as it is. With one that cannot be read those stay that were known.
func (a *app) followRecipes(ctx context.Context) error {
	dir := a.cfg.recipesDir()
	known := recipesState(dir)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
		now := recipesState(dir)
		if now == known {
			continue
		}
		known = now
		own, err := crawler.OwnSources(dir)
		if err != nil {
			return err
		}
		if err := addSources(own); err != nil {
			return err
		}
	}
}

// recipesState tells one state of a directory of recipes from another.
func recipesState(dir string) string {
	var b strings.Builder
	entries, _ := os.ReadDir(dir) // one that is not there has no recipe
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			fmt.Fprintln(&b, e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

func addSources(own []crawler.Source) error {
	var rows []directory.SourceInfo
	for _, s := range own {
		rows = append(rows, s.Info())
	}
	return directory.AddSources(rows)
}

// findSource returns a source of the program or of the operator's own recipes.
func (a *app) findSource(id string) (crawler.Source, bool) {
	for _, s := range a.own {
		if s.ID == id {
			return s, true
		}
	}
	return crawler.Find(id)
}

// pagesKept is what is remembered of listing sites between imports. A dry run looks at it alone.
func (a *app) pagesKept(dryRun bool) *crawler.Cache {
	c := crawler.OpenCache(a.cfg.pagesDir(), a.clock())
	if dryRun {
		return c.Looking()
	}
	return c
}

// sweepPages deletes whole pages when their 30 days are over, at the start and then every hour, also where
// nothing is imported any more.
func (a *app) sweepPages(ctx context.Context) error {
	for {
		if err := a.pagesKept(false).Sweep(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Hour):
		}
	}
}

func (a *app) crawlCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "crawl",
		Short: "Look at listing sites and the recipes by which they are read",
		Long: `A listing site is read by a recipe: a YAML file of selectors and of the site's words, which takes no Go
to write. The program's own are in data/recipes; yours go into --recipes, one file a site, each with what
you found in the site's terms. Pages are imported with kapdir import SITE FILE…, or from the site itself
with kapdir import SITE https://… where its terms allow that.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.crawlListCommand(), a.crawlCheckCommand())
	return cmd
}

func (a *app) crawlListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the listing sites that have a recipe",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			type row struct {
				ID    string `json:"id"`
				Name  string `json:"name"`
				Terms string `json:"terms"`
				Start string `json:"start"`
				Own   bool   `json:"own"`
			}
			var rows []row
			for _, s := range append(crawler.Sources(), a.own...) {
				if s.Listing && s.Start() != "" {
					_, shipped := crawler.Find(s.ID)
					rows = append(rows, row{s.ID, s.Info().Name, s.Info().Terms, s.Start(), !shipped})
				}
			}
			slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.ID, b.ID) })
			return a.answer(rows, func(w io.Writer) {
				t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
				fmt.Fprintln(t, "SITE\tTERMS\tRECIPE\tSTART\tNAME")
				for _, r := range rows {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.ID, r.Terms, map[bool]string{true: "yours", false: "shipped"}[r.Own], r.Start, r.Name)
				}
				_ = t.Flush()
			})
		},
	}
}

func (a *app) crawlCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check RECIPE [FILE|URL]",
		Short: "Show what a recipe makes of pages, field by field",
		Long: `Show what a recipe takes from saved pages, or from a page of the site where its terms allow that: for
each field the node that was matched and its text, what was not taken and why, words that no table of the
recipe has, fields that matched nothing, and what is less than at the last import. Nothing is stored.

RECIPE is a site's id or a recipe's file. Without FILE or URL the site's first page is asked for, and the
first profiles behind it. Exit status 3 says that something is less than it was or was not taken.`,
		Example: "  kapdir crawl check kap-commons saved-pages/\n  kapdir crawl check my-site.yaml profile.html --json",
		Args:    args(cobra.RangeArgs(1, 2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			src, err := a.recipe(argv[0])
			if err != nil {
				return err
			}
			at := src.Start()
			if len(argv) == 2 {
				at = argv[1]
			}
			client := safehttp.New(safehttp.Config{Version: version, Contact: a.cfg.Contact})
			x, err := crawler.Check(a.ctx, src, crawler.InputAt(at, client), crawler.Options{Now: a.clock(), Cache: a.pagesKept(true)})
			if err != nil {
				return err
			}
			if len(x.Warnings)+len(x.Unknown) > 0 {
				a.exit = exitRejected
			}
			return a.answer(x, func(w io.Writer) { writeInspection(w, x) })
		},
	}
}

// recipe finds a recipe by its file or its site's id.
func (a *app) recipe(arg string) (crawler.Source, error) {
	if strings.HasSuffix(arg, ".yaml") || strings.ContainsRune(arg, os.PathSeparator) {
		return crawler.ReadRecipe(arg)
	}
	src, ok := a.findSource(arg)
	if !ok || !src.Listing {
		return src, usageError{fmt.Errorf("%q is neither a listing site (kapdir crawl list) nor a recipe's file", arg)}
	}
	return src, nil
}

func writeInspection(w io.Writer, x *crawler.Inspection) {
	fmt.Fprintf(w, "%s: %s, terms %s, recipe %s\n", x.Source, x.Name, x.Terms, x.Recipe)
	for _, p := range x.Pages {
		fmt.Fprintf(w, "\n%s", p.Page)
		if p.URL != "" {
			fmt.Fprintf(w, "  (%s)", p.URL)
		}
		fmt.Fprintln(w)
		if p.Error != "" {
			fmt.Fprintf(w, "  could not be read: %s\n", p.Error)
			continue
		}
		fmt.Fprintf(w, "  %d listings, %d links to profiles, %d to a next page\n", len(p.Listings), p.Profiles, p.Next)
		for _, j := range p.Rejects {
			fmt.Fprintf(w, "  not read: %s: %s\n", j.Field, j.Reason)
		}
		for _, l := range p.Listings {
			what := "not taken"
			if l.Taken {
				what = fmt.Sprintf("%s, listed as %s", l.Listing.Kind, l.Listing.ListedAs)
			}
			fmt.Fprintf(w, "\n  %s  (%s)\n", l.Key, what)
			t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
			for _, m := range l.Matches {
				fmt.Fprintf(t, "    %s\t%s\t%s\n", m.Field, m.Text, m.Path)
			}
			_ = t.Flush()
			for _, j := range l.Rejects {
				fmt.Fprintf(w, "    not taken: %s: %s\n", j.Field, j.Reason)
			}
		}
	}
	fmt.Fprintf(w, "\n%d listings on %d pages", x.Yield.Listings, x.Yield.Pages)
	if x.Before.Pages > 0 {
		fmt.Fprintf(w, "; on the same pages at the last import %d", x.Before.Listings)
	}
	fmt.Fprintln(w)
	for _, u := range x.Unknown {
		fmt.Fprintf(w, "not in the table %q: %q, %d times, first on %s\n", u.Table, u.Word, u.Times, u.Page)
	}
	if len(x.Never) > 0 {
		fmt.Fprintf(w, "matched nothing on these pages: %s\n", strings.Join(x.Never, ", "))
	}
	for _, s := range x.Warnings {
		fmt.Fprintf(w, "warning: %s\n", s)
	}
}

// writeFates says what of a listing site does not read as at its last import.
func writeFates(w io.Writer, fates []crawler.Fate) {
	for i, f := range fates {
		if i == 20 {
			fmt.Fprintf(w, "  and %d more that do not read as at the last import: --json has all\n", len(fates)-i)
			return
		}
		said := f.Why
		switch {
		case len(f.Fields) > 0:
			said = strings.Join(f.Fields, ", ")
		case f.Before != "" || f.After != "":
			said = fmt.Sprintf("%q, before %q", f.After, f.Before)
		}
		fmt.Fprintf(w, "  %s %s: %s\n", f.What, orPage(f), said)
	}
}

func orPage(f crawler.Fate) string {
	if f.Listing != "" {
		return f.Listing
	}
	return f.Page
}

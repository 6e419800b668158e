package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
)

func (a *app) verifyCommand() *cobra.Command {
	var o store.VerifyOptions
	var provider string
	var history bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Look up what is due in the sources that are loaded",
		Long: `Look up every claim whose time has come by the policy, in the releases of the sources that are
loaded, and record what was done. Nothing is fetched: where the answer is as old as the newest release,
load a newer one with kapdir import, then verify again.

What a source lists and nobody observed yet is observed as an import does. A licence that a register
does not list, by number and by every name, becomes "no record found" after searches on two days; one
that was confirmed before goes to a person. A source that cannot be asked is recorded with its reason.
What needs a person is counted, and kapdir due --for person lists it. A second run on the same day
appends nothing, and one that was cut off is simply run again.`,
		Example: `  kapdir verify --dry-run
  kapdir verify --provider prv_06f7… --all
  kapdir verify --history`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if history {
				return a.verifyHistory()
			}
			if provider != "" {
				id, err := directory.ParseID(directory.ProviderPrefix, provider)
				if err != nil {
					return usageError{fmt.Errorf("--provider: %w", err)}
				}
				o.Provider = id
			}
			return a.verify(o)
		},
	}
	cmd.Flags().BoolVar(&o.DryRun, "dry-run", false, "say what would be done, and change nothing")
	cmd.Flags().BoolVar(&o.All, "all", false, "look up what is not due too")
	cmd.Flags().StringVar(&provider, "provider", "", "look up this provider alone: prv_…")
	cmd.Flags().BoolVar(&history, "history", false, "list the verifications that were made, the newest first")
	return cmd
}

// verified is the answer of verify.
type verified struct {
	DryRun       bool                   `json:"dry_run,omitempty"`
	Verification directory.Verification `json:"verification"`
	Sources      []releaseAge           `json:"sources"`
	Person       []store.VerifyItem     `json:"person,omitempty"` // looked up, and only a person can tell
	Error        string                 `json:"error,omitempty"`
}

// releaseAge is how old the loaded release of an approved source is, and when a newer one is wanted.
type releaseAge struct {
	Source  string            `json:"source"`
	Name    string            `json:"name"`
	Loaded  bool              `json:"loaded"`
	Release string            `json:"release,omitempty"`
	AsOf    directory.Date    `json:"as_of,omitempty"`
	Days    int               `json:"days,omitempty"`
	Renew   directory.Instant `json:"renew_at,omitempty"` // a newer release is wanted from then on
	Stale   directory.Instant `json:"stale_at,omitempty"` // the first answers that rest on it go out of date
	Due     bool              `json:"due"`                // now
}

// releases returns how old the loaded releases of the approved sources are, in order of their ids.
func (a *app) releases(st *store.Store, now directory.Instant) ([]releaseAge, error) {
	held, err := st.Sources(a.ctx)
	if err != nil {
		return nil, err
	}
	p := st.Policies().InForce(now, now)
	var out []releaseAge
	for _, h := range held {
		if !slices.ContainsFunc(p.Approved, func(x directory.ApprovedSource) bool { return x.Source == h.Source.ID }) {
			continue
		}
		x := releaseAge{Source: h.Source.ID, Name: h.Source.Short, Due: true}
		if rel := h.Run.Release; h.Run.Number > 0 {
			x.Loaded, x.Release, x.AsOf = true, rel.Name, rel.AsOf
			x.Days = int(now.Time().Sub(rel.AsOf.Midnight().Time()).Hours() / 24)
			x.Renew, x.Stale = p.ReleaseDue(h.Source.ID, rel.AsOf)
			x.Due = x.Renew != "" && x.Renew <= now
		}
		out = append(out, x)
	}
	return out, nil
}

func (a *app) verify(o store.VerifyOptions) error {
	open := func() (*store.Store, error) { return a.openStore(a.clock()) }
	if o.DryRun {
		open = a.lookAtStore
	}
	st, err := open()
	if err != nil {
		return err
	}
	defer st.Close()
	show, done := a.counter("verify")
	o.Progress = func(n, total int) { show("providers", n, total) }
	report, failure := st.Verify(a.ctx, o)
	done()
	ans := verified{DryRun: o.DryRun, Verification: report.Verification, Person: report.Items}
	if failure != nil {
		if a.cfg.JSON {
			ans.Error = failure.Error()
			_ = a.answer(ans, nil)
		}
		return failure
	}
	if ans.Sources, err = a.releases(st, directory.At(a.clock()())); err != nil {
		return err
	}
	return a.answer(ans, ans.write)
}

// The words for what happened, beside the reason codes.
var verifyWords = map[string]string{
	directory.ReasonUnavailable: "an approved source is not loaded, or its last import failed",
	directory.ReasonNoRegister:  "no register is known",
	directory.ReasonTermsForbid: "the register's terms forbid it",
	directory.ReasonRestricted:  "the register is not public",
	directory.ReasonNotApproved: "no policy approves the register",
	"other_number":              "the register has the name under another number",
	"unread_row":                "a row that could not be read may be theirs",
	"unknown_title":             "which licence type it is is not known",
	"contradicted":              "the record contradicts what is known of the provider",
	"documented":                "a document shows it, and no source can be asked",
	"importing":                 "the source is being imported",
	"review_pending":            "a record waits for a reviewer",
	"searched_today":            "searched today already",
	"same_release":              "searched in this release already: load a newer one",
	"with_licence":              "part of the licence's own record",
}

// write says in a few lines what a verification did.
func (x verified) write(w io.Writer) {
	v := x.Verification
	if x.DryRun {
		fmt.Fprintf(w, "A dry run by policy %s; nothing was changed.\n", v.Policy)
	} else {
		fmt.Fprintf(w, "Verification %d by policy %s.\n", v.Number, v.Policy)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	row := func(n int, what string) { fmt.Fprintf(t, "%d\t %s\n", n, what) }
	row(v.Providers, "providers read")
	row(v.Due, "claims were due")
	row(v.Current, "as in the newest loaded release")
	row(v.Observed, "observed")
	row(v.NotFound, "searched, and no record found")
	for _, m := range []struct {
		of   map[string]int
		what string
	}{{v.CouldNotCheck, "could not be checked: "}, {v.ForPerson, "looked up, for a person: "}, {v.Skipped, "left: "}} {
		for _, k := range mostFirst(m.of) {
			row(m.of[k], m.what+cmp.Or(verifyWords[k], k))
		}
	}
	row(v.Events, "events appended")
	_ = t.Flush()
	if len(v.Waiting) > 0 {
		n := 0
		var parts []string
		for _, k := range mostFirst(v.Waiting) {
			n += v.Waiting[k]
			parts = append(parts, fmt.Sprintf("%s %d", k, v.Waiting[k]))
		}
		fmt.Fprintf(w, "Due with a person: %d claims (%s). kapdir due --for person lists them.\n", n, strings.Join(parts, ", "))
	}
	for _, s := range x.Sources {
		switch {
		case !s.Loaded:
			fmt.Fprintf(w, "%s is not loaded.\n", s.Source)
		case s.Due:
			fmt.Fprintf(w, "%s: the newest loaded release, %s, is %d days old: load a newer one.\n", s.Source, s.Release, s.Days)
		}
	}
	for i, p := range x.Person {
		if i == 20 {
			fmt.Fprintf(w, "  and %d more for a person; --json has them\n", len(x.Person)-i)
			break
		}
		fmt.Fprintf(w, "  %s %s, %s: %s\n", p.Provider, p.Name, claimWords(p.Claim), cmp.Or(verifyWords[p.Why], p.Why))
	}
}

// mostFirst returns the keys, the greatest number first and equal ones in order.
func mostFirst(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
	return keys
}

// claimWords names a claim for staff: license CO LPC LPC.0005551.
func claimWords(c directory.Claim) string {
	parts := []string{string(c.Kind), string(c.Jurisdiction), c.Title, c.Number.Shown}
	if c.Kind == directory.ExclusionScreen || c.Title == "" {
		parts = append(parts, c.Issuer)
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func (a *app) verifyHistory() error {
	st, err := a.lookAtStore()
	if err != nil {
		return err
	}
	defer st.Close()
	runs, err := st.Verifications(a.ctx, 50)
	if err != nil {
		return err
	}
	return a.answer(runs, func(w io.Writer) {
		if len(runs) == 0 {
			fmt.Fprintln(w, "No verification was made yet.")
			return
		}
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		fmt.Fprintln(t, "RUN\tSTARTED\tOUTCOME\tPOLICY\tDUE\tCURRENT\tOBSERVED\tNOT FOUND\tCOULD NOT\tPERSON\tLEFT\tEVENTS")
		for _, v := range runs {
			fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", v.Number, v.Started, v.Outcome, v.Policy, v.Due, v.Current, v.Observed, v.NotFound,
				sum(v.CouldNotCheck), sum(v.ForPerson), sum(v.Skipped), v.Events)
		}
		_ = t.Flush()
	})
}

func sum(m map[string]int) (n int) {
	for _, x := range m {
		n += x
	}
	return n
}

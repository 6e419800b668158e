package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/web"
)

// partnerCommand is about organisations that use the API: integrators, as the code calls them.
func (a *app) partnerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "partner",
		Short: "Let an organisation use the API: its keys, its sites, its embeds, its webhooks",
		Long: `Let an organisation use the API. A partner has keys with which its programs ask, the origins of sites whose pages
may ask and show embeds, embeds, and webhooks. Each change stands in the audit of staff, with who made it and when. (Partners
who send listings are sources: kapdir import listings.)

Scopes of a key:
` + scopesHelp(),
		Example: `  kapdir partner add acme "Acme Health" --contact dev@acme.example --origin https://www.acme.example
  kapdir partner key add acme "their site" --scopes read,changes
  kapdir partner key rotate acme key_0t4226zr07h84yxqc6vjzhw56g --overlap 14
  kapdir partner embed add acme "near you" --query "state=CA&care=full_kap"
  kapdir partner hook add acme https://acme.example/kapdir
  kapdir partner usage acme
  kapdir partner end acme`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	x := partnerChange{app: a}
	add := x.command("add ID NAME", "Add a partner", cobra.ExactArgs(2), x.add)
	add.Long = "Add a partner. Its id is a short word of small letters, digits and hyphens, such as acme; it is never given to somebody else."
	add.Flags().StringVar(&x.contact, "contact", "", "whom to write to about it; staff alone see it")
	add.Flags().StringArrayVar(&x.origins, "origin", nil, "a site whose pages may ask and show embeds, such as https://www.acme.example; may be given again")
	origins := x.command("origins PARTNER [ORIGIN]...", "Say which sites' pages may ask and show embeds, in place of those so far", cobra.MinimumNArgs(1), x.setOrigins)
	origins.Long = `Say which sites' pages may ask and show embeds, in place of those so far. An origin is scheme, host and port, as a browser
writes it: https://www.acme.example. http://localhost, with a port, is for a page that somebody builds on their own machine.`
	origins.Flags().BoolVar(&x.none, "none", false, "no site at all")
	cmd.AddCommand(add, a.partnerListCommand(), a.partnerShowCommand(), origins,
		x.command("end PARTNER", "End a partner for good, with all its keys, embeds and webhooks, at once", cobra.ExactArgs(1), x.end),
		a.partnerKeyCommand(), a.partnerEmbedCommand(), a.partnerHookCommand(), a.partnerUsageCommand())
	return cmd
}

func scopesHelp() string {
	var b strings.Builder
	for _, s := range directory.Scopes {
		fmt.Fprintf(&b, "  %-12s %s\n", s.Scope, s.May)
	}
	return b.String()
}

// partnerChange is a change about a partner, and what its flags say.
type partnerChange struct {
	*app
	as, contact string
	origins     []string
	none        bool

	scopes, expires string
	perMinute       int
	overlap         int // days

	query, provider, theme, language string
}

// command is a command that changes something in the store, for the staff member or the account that does it.
func (x *partnerChange) command(use, short string, n cobra.PositionalArgs, do func(st *store.Store, argv []string, by string, at directory.Instant) error) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: args(n), RunE: func(_ *cobra.Command, argv []string) error {
		return x.atDesk(func(st *store.Store) error {
			by, err := x.byWhom(st, x.as)
			if err != nil {
				return err
			}
			return do(st, argv, by, directory.At(x.signInClock()()))
		})
	}}
	cmd.Flags().StringVar(&x.as, "as", "", "the admin who does it; without, the account at this terminal is noted")
	return cmd
}

func parseOrigins(list []string) (out []directory.WebOrigin, err error) {
	for _, s := range list {
		o, err := directory.ParseWebOrigin(s)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

func (x *partnerChange) add(st *store.Store, argv []string, by string, at directory.Instant) error {
	origins, err := parseOrigins(x.origins)
	if err != nil {
		return err
	}
	got, err := st.AddIntegrator(x.ctx, directory.Integrator{ID: directory.IntegratorID(argv[0]), Name: argv[1], Contact: x.contact, Origins: origins}, by, at)
	if err != nil {
		return err
	}
	return x.answer(got, func(w io.Writer) {
		fmt.Fprintf(w, "%s is a partner. For a key: kapdir partner key add %s NAME\n", got.ID, got.ID)
	})
}

func (x *partnerChange) setOrigins(st *store.Store, argv []string, by string, at directory.Instant) error {
	if (len(argv) == 1) != x.none {
		return usageError{fmt.Errorf("name the origins, or say --none; kapdir partner show %s has those so far", argv[0])}
	}
	origins, err := parseOrigins(argv[1:])
	if err != nil {
		return err
	}
	got, err := st.SetOrigins(x.ctx, directory.IntegratorID(argv[0]), origins, by, at)
	if err != nil {
		return err
	}
	return x.answer(got, func(w io.Writer) { fmt.Fprintf(w, "Pages that may ask for %s: %s\n", got.ID, originsText(got.Origins)) })
}

func originsText(list []directory.WebOrigin) string {
	if len(list) == 0 {
		return "none"
	}
	var out []string
	for _, o := range list {
		out = append(out, string(o))
	}
	return strings.Join(out, " ")
}

func (x *partnerChange) end(st *store.Store, argv []string, by string, at directory.Instant) error {
	got, err := st.EndIntegrator(x.ctx, directory.IntegratorID(argv[0]), by, at)
	if err != nil {
		return err
	}
	return x.answer(got, func(w io.Writer) {
		fmt.Fprintf(w, "%s is a partner no more. No key of theirs is good, no embed of theirs shows anything, and no webhook of theirs is called.\n", got.ID)
	})
}

func (a *app) partnerListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List the partners", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		st, err := a.lookAtStore()
		if err != nil {
			return err
		}
		defer st.Close()
		all, err := st.Integrators(a.ctx)
		if err != nil {
			return err
		}
		return a.answer(all, func(w io.Writer) {
			if len(all) == 0 {
				fmt.Fprintln(w, `There is no partner yet. Add one: kapdir partner add ID "NAME"`)
				return
			}
			t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
			fmt.Fprintln(t, "ID\tNAME\tSTATE\tSINCE\tORIGINS")
			for _, x := range all {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", x.ID, x.Name, x.State, x.Created.Date(), originsText(x.Origins))
			}
			_ = t.Flush()
		})
	}}
}

// partnerShown is the answer of partner show.
type partnerShown struct {
	directory.Integrator
	Keys   []directory.APIKey   `json:"keys"`
	Embeds []directory.Embed    `json:"embeds"`
	Hooks  []directory.Hook     `json:"hooks"`
	Acts   []directory.StaffAct `json:"acts"` // the newest first
}

// ofPartner looks at a partner that there is, or was.
func (a *app) ofPartner(id string, look func(*store.Store, directory.Integrator) error) error {
	st, err := a.lookAtStore()
	if err != nil {
		return err
	}
	defer st.Close()
	x, err := st.Integrator(a.ctx, directory.IntegratorID(id))
	if err != nil {
		return err
	}
	return look(st, x)
}

func (a *app) partnerShowCommand() *cobra.Command {
	return &cobra.Command{Use: "show PARTNER", Short: "Show a partner: keys, sites, embeds, webhooks, and what was done about it", Args: args(cobra.ExactArgs(1)), RunE: func(_ *cobra.Command, argv []string) error {
		return a.ofPartner(argv[0], func(st *store.Store, x directory.Integrator) error {
			out := partnerShown{Integrator: x}
			var err error
			if out.Keys, err = st.APIKeys(a.ctx, x.ID); err != nil {
				return err
			}
			if out.Embeds, err = st.Embeds(a.ctx, x.ID); err != nil {
				return err
			}
			if out.Hooks, err = st.Hooks(a.ctx, x.ID); err != nil {
				return err
			}
			if out.Acts, err = st.StaffAudit(a.ctx, x.ID.About(), 100); err != nil {
				return err
			}
			return a.answer(out, func(w io.Writer) {
				fmt.Fprintf(w, "%s  %s\n%s since %s, added by %s\n", x.ID, x.Name, x.State, x.Created.Date(), x.CreatedBy)
				if x.Contact != "" {
					fmt.Fprintf(w, "Contact: %s\n", x.Contact)
				}
				fmt.Fprintf(w, "Origins: %s\n\n", originsText(x.Origins))
				a.writeKeys(w, out.Keys)
				fmt.Fprintln(w)
				writeEmbeds(w, out.Embeds)
				fmt.Fprintln(w)
				writeHooks(w, out.Hooks)
				fmt.Fprintln(w)
				t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
				fmt.Fprintln(t, "WHEN\tBY\tWHAT")
				for _, act := range out.Acts {
					fmt.Fprintf(t, "%s\t%s\t%s: %s\n", act.At, act.By, act.Act, act.Detail)
				}
				_ = t.Flush()
			})
		})
	}}
}

func (a *app) partnerKeyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "key", Short: "Make, rotate and end a partner's keys", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	x := partnerChange{app: a}
	add := x.command("add PARTNER NAME", "Make a key", cobra.ExactArgs(2), x.addKey)
	add.Long = `Make a key with which the partner's programs ask the API, in the header Authorization: Bearer KEY. It is shown this once;
the store keeps only a hash of its secret. NAME says what it is for.

Scopes:
` + scopesHelp()
	add.Flags().StringVar(&x.scopes, "scopes", "read", "what it has a right to, separated by commas")
	add.Flags().IntVar(&x.perMinute, "per-minute", directory.KeyPerMinute, fmt.Sprintf("requests that it may make in a minute, at most %d", directory.MostPerMinute))
	expires(add.Flags(), &x.expires)
	rotate := x.command("rotate PARTNER KEY", "Make a key with the same rights in place of one", cobra.ExactArgs(2), x.rotateKey)
	rotate.Long = `Make a key with the same name, rights and limit in place of one, good for as long again. The old one stays good for the
overlap, so that programs can be changed one after another; kapdir partner key end ends it sooner.`
	rotate.Flags().IntVar(&x.overlap, "overlap", days(directory.KeyOverlap), fmt.Sprintf("days for which the old key stays good, at most %d", days(directory.MostKeyOverlap)))
	cmd.AddCommand(add, rotate,
		x.command("end PARTNER KEY", "End a key at once: a server refuses it within a second", cobra.ExactArgs(2), x.endKey),
		&cobra.Command{Use: "list PARTNER", Short: "List a partner's keys, without their secrets", Args: args(cobra.ExactArgs(1)), RunE: func(_ *cobra.Command, argv []string) error {
			return a.ofPartner(argv[0], func(st *store.Store, x directory.Integrator) error {
				keys, err := st.APIKeys(a.ctx, x.ID)
				if err != nil {
					return err
				}
				return a.answer(keys, func(w io.Writer) { a.writeKeys(w, keys) })
			})
		}})
	return cmd
}

func days(d time.Duration) int { return int(d / (24 * time.Hour)) }

func expires(f *pflag.FlagSet, p *string) {
	f.StringVar(p, "expires", "", fmt.Sprintf("the day on which it runs out, such as 2027-06-30, or never; in %d days if empty", days(directory.KeyLife)))
}

// keyShown is the answer of the commands that make a key.
type keyShown struct {
	directory.APIKey
	Key string `json:"key"`
}

func (x *partnerChange) addKey(st *store.Store, argv []string, by string, at directory.Instant) error {
	k := directory.APIKey{Name: argv[1], PerMinute: x.perMinute, Expires: at.Add(directory.KeyLife)}
	var err error
	if k.Scopes, err = directory.ParseScopes(x.scopes); err != nil {
		return err
	}
	if x.perMinute == 0 { // which the store takes for what is usual
		k.PerMinute = -1
	}
	switch x.expires {
	case "":
	case "never":
		k.Expires = ""
	default:
		if k.Expires, err = directory.ParseInstant(x.expires); err != nil {
			return err
		}
	}
	text, k, err := st.AddAPIKey(x.ctx, directory.IntegratorID(argv[0]), k, by, at)
	if err != nil {
		return err
	}
	return x.showKey(text, k, "")
}

func (x *partnerChange) showKey(text string, k directory.APIKey, more string) error {
	return x.answer(keyShown{k, text}, func(w io.Writer) {
		until := "until it is ended"
		if k.Expires != "" {
			until = "until " + string(k.Expires)
		}
		fmt.Fprintln(w, text)
		fmt.Fprintf(x.err, "This is the key %s of %s. It is shown this once, and good %s.%s\n", k.ID, k.Integrator, until, more)
	})
}

// keyID reads the id of a key, which is what is before the secret.
func keyID(s string) (directory.ID, error) {
	id, err := directory.ParseID(directory.KeyPrefix, s)
	if err != nil {
		return "", usageError{fmt.Errorf("a key is named by its id, key_…, which kapdir partner key list has")}
	}
	return id, nil
}

func (x *partnerChange) rotateKey(st *store.Store, argv []string, by string, at directory.Instant) error {
	id, err := keyID(argv[1])
	if err != nil {
		return err
	}
	overlap := time.Duration(x.overlap) * 24 * time.Hour
	text, k, err := st.RotateAPIKey(x.ctx, directory.IntegratorID(argv[0]), id, overlap, by, at)
	if err != nil {
		return err
	}
	return x.showKey(text, k, fmt.Sprintf(" %s is good until %s.", id, at.Add(overlap)))
}

func (x *partnerChange) endKey(st *store.Store, argv []string, by string, at directory.Instant) error {
	id, err := keyID(argv[1])
	if err != nil {
		return err
	}
	k, err := st.EndAPIKey(x.ctx, directory.IntegratorID(argv[0]), id, by, at)
	if err != nil {
		return err
	}
	return x.answer(k, func(w io.Writer) { fmt.Fprintf(w, "%s is ended.\n", k.ID) })
}

func (a *app) writeKeys(w io.Writer, keys []directory.APIKey) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "KEY\tNAME\tSTATE\tSCOPES\tA MINUTE\tMADE\tGOOD UNTIL\tLAST USED")
	at := directory.At(a.signInClock()())
	for _, k := range keys {
		until := k.Until()
		if until == "" {
			until = "-"
		}
		used := k.LastDay
		if used == "" {
			used = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", k.ID, k.Name, k.State(at), directory.JoinScopes(k.Scopes), k.PerMinute, string(k.Created.Date()), string(until), string(used))
	}
	_ = t.Flush()
}

func (a *app) partnerEmbedCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "embed", Short: "Make and end a partner's embeds", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	x := partnerChange{app: a}
	add := x.command("add PARTNER NAME", "Make an embed: what a search finds, or the checks of one provider", cobra.ExactArgs(2), x.addEmbed)
	add.Flags().StringVar(&x.query, "query", "", `what it shows, as the search page writes it behind its question mark: "state=CA&care=full_kap"; everybody if empty`)
	add.Flags().StringVar(&x.provider, "provider", "", "the provider whose checks it shows, prv_…, instead of results")
	add.Flags().StringVar(&x.theme, "theme", directory.EmbedThemes[0], directory.OneOf(directory.EmbedThemes))
	add.Flags().StringVar(&x.language, "language", directory.EmbedLanguages[0], directory.OneOf(directory.EmbedLanguages))
	cmd.AddCommand(add, x.command("end PARTNER EMBED", "End an embed: it shows nothing from then on", cobra.ExactArgs(2), x.endEmbed),
		&cobra.Command{Use: "list PARTNER", Short: "List a partner's embeds", Args: args(cobra.ExactArgs(1)), RunE: func(_ *cobra.Command, argv []string) error {
			return a.ofPartner(argv[0], func(st *store.Store, x directory.Integrator) error {
				list, err := st.Embeds(a.ctx, x.ID)
				if err != nil {
					return err
				}
				return a.answer(list, func(w io.Writer) { writeEmbeds(w, list) })
			})
		}})
	return cmd
}

func (x *partnerChange) addEmbed(st *store.Store, argv []string, by string, at directory.Instant) error {
	e := directory.Embed{Name: argv[1], Kind: directory.EmbedResults, Doc: directory.EmbedDoc{Query: strings.TrimPrefix(x.query, "?"), Theme: x.theme, Language: x.language}}
	if x.provider != "" {
		id, err := directory.ParseID(directory.ProviderPrefix, x.provider)
		if err != nil {
			return err
		}
		e.Kind, e.Doc.Provider = directory.EmbedProvider, id
	}
	if err := web.CheckEmbedQuery(e.Doc.Query); err != nil { // what it cannot ask it could never show
		return err
	}
	e, err := st.AddEmbed(x.ctx, directory.IntegratorID(argv[0]), e, by, at)
	if err != nil {
		return err
	}
	return x.answer(e, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s\nWhat to put into a page: %s/partners/embed?embed=%s\n", e.ID, e, strings.TrimRight(x.cfg.baseURL(), "/"), e.ID)
	})
}

func (x *partnerChange) endEmbed(st *store.Store, argv []string, by string, at directory.Instant) error {
	id, err := directory.ParseID(directory.EmbedPrefix, argv[1])
	if err != nil {
		return err
	}
	if err := st.EndEmbed(x.ctx, directory.IntegratorID(argv[0]), id, by, at); err != nil {
		return err
	}
	return x.answer(map[string]directory.ID{"ended": id}, func(w io.Writer) { fmt.Fprintf(w, "%s shows nothing any more.\n", id) })
}

func writeEmbeds(w io.Writer, list []directory.Embed) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "EMBED\tNAME\tSHOWS\tTHEME\tLANGUAGE\tMADE\tENDED")
	for _, e := range list {
		ended := "-"
		if e.Ended != "" {
			ended = string(e.Ended.Date())
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, e.Name, e, e.Doc.Theme, e.Doc.Language, string(e.Created.Date()), ended)
	}
	_ = t.Flush()
}

func (a *app) partnerUsageCommand() *cobra.Command {
	back := 30
	cmd := &cobra.Command{Use: "usage PARTNER", Short: "Show how often a partner's keys asked, by day and route",
		Long: `Show how often a partner's keys asked, by day (UTC) and route. Nothing else of a request is kept: not what was asked, not for
whom, not from where. A running server writes its counts each minute.`,
		Args: args(cobra.ExactArgs(1)), RunE: func(_ *cobra.Command, argv []string) error {
			return a.ofPartner(argv[0], func(st *store.Store, x directory.Integrator) error {
				to := directory.At(a.signInClock()())
				list, err := st.KeyUsage(a.ctx, x.ID, to.AddDays(1-back).Date(), to.Date())
				if err != nil {
					return err
				}
				return a.answer(list, func(w io.Writer) {
					t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
					fmt.Fprintln(t, "DAY\tKEY\tROUTE\tREQUESTS\tREFUSED")
					for _, u := range list {
						fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\n", string(u.Day), u.Key, u.Route, u.Count, u.Refused)
					}
					_ = t.Flush()
				})
			})
		}}
	cmd.Flags().IntVar(&back, "days", back, "for how many days back")
	return cmd
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
	"kapdir/directory/deliver"
	"kapdir/directory/store"
)

// webhookClient is what calls webhooks: the guarded client with as long as a receiver has to answer.
func (a *app) webhookClient() *safehttp.Client {
	if a.hookClient != nil {
		return a.hookClient
	}
	return safehttp.New(safehttp.Config{Version: version, Contact: a.cfg.BaseURL, HeaderTimeout: deliver.Timeout, TotalTimeout: deliver.Timeout})
}

// partnerHookCommand makes, tests, replays and ends the webhooks of partners.
func (a *app) partnerHookCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hook",
		Short: "Webhooks: call a partner's server when what is said of a provider changes",
		Long: `Call a partner's server with each change of what the directory says: a provider is listed, is removed, or a check
has another result, by a source's word or by time alone. Calls are signed as Standard Webhooks asks; a running
server (kapdir serve) makes them, one after the other, in the order of their numbers.

A call that is not answered with 2xx within ` + deliver.Timeout.String() + ` is made again, for more than a day: after 5 s, 30 s, 5 min, 30 min,
2 h, 5 h, 8 h and 9 h, each up to a fifth longer. By then the webhook is failing, and tried twice a day; nothing
else comes before that call was taken. After 30 days, or when the receiver answers 410, it is stopped; replay
starts it again. A notice may come twice, with the same webhook-id.`,
		Example: `  kapdir partner hook add acme https://acme.example/kapdir
  kapdir partner hook test acme whk_0t4226zr07h84yxqc6vjzhw56g
  kapdir partner hook log acme whk_0t4226zr07h84yxqc6vjzhw56g
  kapdir partner hook replay acme whk_0t4226zr07h84yxqc6vjzhw56g 0`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var as, types string
	by := func(c *cobra.Command) *cobra.Command {
		c.Flags().StringVar(&as, "as", "", "the staff member who does it; without, the account at this terminal is noted")
		return c
	}
	// change runs f as whoever does it, with the store open to be written.
	change := func(f func(st *store.Store, by string, at directory.Instant) error) error {
		st, err := a.openStore(a.clock())
		if err != nil {
			return err
		}
		defer st.Close()
		by, err := a.byWhom(st, as)
		if err != nil {
			return err
		}
		return f(st, by, directory.At(a.signInClock()()))
	}
	named := func(argv []string) (directory.IntegratorID, directory.ID, error) {
		partner, err := directory.ParseIntegratorID(argv[0])
		if err != nil {
			return "", "", usageError{err}
		}
		id, err := directory.ParseID(directory.HookPrefix, argv[1])
		if err != nil {
			return "", "", usageError{fmt.Errorf("a webhook is named by its id, %s…: kapdir partner hook list names them", directory.HookPrefix)}
		}
		return partner, id, nil
	}

	add := by(&cobra.Command{
		Use:   "add PARTNER URL",
		Short: "Make a webhook and show its secret, this once",
		Long: `Make a webhook of the partner for the address, which begins with https://. It is called with what changes from now
on; kapdir partner hook replay brings what was before. Its secret is shown this once: with it the partner's server
proves that a call is ours. The store keeps it encrypted under a key from suppression.key.`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			partner, err := directory.ParseIntegratorID(argv[0])
			if err != nil {
				return usageError{err}
			}
			list, err := directory.ParseNoticeTypes(types)
			if err != nil {
				return usageError{err}
			}
			return change(func(st *store.Store, by string, at directory.Instant) error {
				secret, h, err := st.AddHook(a.ctx, partner, directory.Hook{URL: argv[1], Types: list}, by, at)
				if err != nil {
					return err
				}
				return a.answerSecret(secret, h)
			})
		},
	})
	add.Flags().StringVar(&types, "types", "", "what it is called for, with spaces between; without, everything: "+directory.JoinNoticeTypes(directory.NoticeTypes))

	list := &cobra.Command{
		Use:   "list [PARTNER]",
		Short: "List webhooks: a partner's, those too that ended, or everybody's that are called",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			var hooks []directory.Hook
			if len(argv) == 1 {
				x, err := st.Integrator(a.ctx, directory.IntegratorID(argv[0]))
				if err != nil {
					return err
				}
				hooks, err = st.Hooks(a.ctx, x.ID)
				if err != nil {
					return err
				}
			} else if hooks, err = st.AllHooks(a.ctx); err != nil {
				return err
			}
			return a.answer(hooks, func(w io.Writer) {
				for _, h := range hooks {
					tellHook(w, h)
				}
			})
		},
	}
	show := &cobra.Command{
		Use:   "show PARTNER HOOK",
		Short: "Show how a webhook stands",
		Args:  args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			partner, id, err := named(argv)
			if err != nil {
				return err
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			h, err := st.Hook(a.ctx, partner, id)
			if err != nil {
				return err
			}
			return a.answer(h, func(w io.Writer) {
				tellHook(w, h)
				fmt.Fprintf(w, "  called for %s; is at number %d\n", directory.JoinNoticeTypes(h.Types), h.Cursor)
				if h.Taken != "" {
					fmt.Fprintf(w, "  a notice was last taken at %s\n", h.Taken)
				}
				if h.Next != "" {
					fmt.Fprintf(w, "  the next was tried %d times since %s, and is tried again at %s\n", h.Attempts, h.Since, h.Next)
				}
				if h.OldSecret != "" {
					fmt.Fprintf(w, "  its former secret signs until %s\n", h.OldSecret)
				}
			})
		},
	}
	overlap := directory.HookOverlap
	rotate := by(&cobra.Command{
		Use:   "rotate PARTNER HOOK",
		Short: "Give a webhook another secret; both sign for a while",
		Args:  args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			partner, id, err := named(argv)
			if err != nil {
				return err
			}
			return change(func(st *store.Store, by string, at directory.Instant) error {
				secret, h, err := st.RotateHook(a.ctx, partner, id, overlap, by, at)
				if err != nil {
					return err
				}
				return a.answerSecret(secret, h)
			})
		},
	})
	rotate.Flags().DurationVar(&overlap, "overlap", overlap, "for how long the former secret signs as well; 0s ends it at once")

	wait := 15 * time.Second
	test := by(&cobra.Command{
		Use:   "test PARTNER HOOK",
		Short: "Send a test to a webhook, and say what became of it",
		Long: `Send a test to the webhook, beside the order of what it is called with otherwise. A running server (kapdir serve)
sends it; this command waits for what becomes of it.`,
		Args: args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			partner, id, err := named(argv)
			if err != nil {
				return err
			}
			return change(func(st *store.Store, by string, at directory.Instant) error {
				notice, err := st.TestHook(a.ctx, partner, id, by, at)
				if err != nil {
					return err
				}
				for end := time.Now().Add(wait); ; {
					log, err := st.HookLog(a.ctx, partner, id, 0, 20)
					if err != nil {
						return err
					}
					for _, d := range log {
						if d.Notice == notice {
							return a.answer(d, func(w io.Writer) { tellDelivery(w, d) })
						}
					}
					if time.Now().After(end) {
						return directory.Errorf(directory.Unavailable, "", "%s waits: no server has sent it within %s. Is kapdir serve running? It sends it when it starts", notice, wait)
					}
					select {
					case <-a.ctx.Done():
						return a.ctx.Err()
					case <-time.After(100 * time.Millisecond):
					}
				}
			})
		},
	})
	test.Flags().DurationVar(&wait, "wait", wait, "how long to wait for what becomes of it")

	replay := by(&cobra.Command{
		Use:   "replay PARTNER HOOK NUMBER",
		Short: "Call a webhook again from a number on, or pass over what it does not take",
		Long: `Go on with the notice of the number, or the next there is: 0 brings everything that is held. With a number greater than
that of a notice that the receiver does not take, that notice is passed over. It starts a webhook that was stopped.`,
		Args: args(cobra.ExactArgs(3)),
		RunE: func(_ *cobra.Command, argv []string) error {
			partner, id, err := named(argv)
			if err != nil {
				return err
			}
			number, err := strconv.ParseInt(argv[2], 10, 64)
			if err != nil || number < 0 {
				return usageError{fmt.Errorf("%q is no number of a notice: write 0 for everything, or a number of the log", argv[2])}
			}
			return change(func(st *store.Store, by string, at directory.Instant) error {
				h, err := st.ReplayHook(a.ctx, partner, id, number, by, at)
				if err != nil {
					return err
				}
				return a.answer(h, func(w io.Writer) { fmt.Fprintf(w, "%s goes on with number %d.\n", h.ID, number) })
			})
		},
	})
	var before int64
	limit := 50
	log := &cobra.Command{
		Use:   "log PARTNER HOOK",
		Short: "List the calls of the last 30 days, the newest first",
		Args:  args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			partner, id, err := named(argv)
			if err != nil {
				return err
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			list, err := st.HookLog(a.ctx, partner, id, before, limit)
			if err != nil {
				return err
			}
			return a.answer(list, func(w io.Writer) {
				for _, d := range list {
					tellDelivery(w, d)
				}
			})
		},
	}
	log.Flags().IntVar(&limit, "limit", limit, "how many")
	log.Flags().Int64Var(&before, "before", 0, "those before this one, by the number at the start of a line")
	end := by(&cobra.Command{
		Use:   "end PARTNER HOOK",
		Short: "End a webhook for good; its secret is destroyed",
		Args:  args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			partner, id, err := named(argv)
			if err != nil {
				return err
			}
			return change(func(st *store.Store, by string, at directory.Instant) error {
				h, err := st.EndHook(a.ctx, partner, id, by, at)
				if err != nil {
					return err
				}
				return a.answer(h, func(w io.Writer) { fmt.Fprintf(w, "%s has ended.\n", h.ID) })
			})
		},
	})
	cmd.AddCommand(add, list, show, rotate, test, replay, log, end)
	return cmd
}

// answerSecret shows the secret of a webhook, alone on standard output, for whoever pipes it to where it is kept.
func (a *app) answerSecret(secret string, h directory.Hook) error {
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		return err
	}
	out["secret"] = secret
	return a.answer(out, func(w io.Writer) {
		fmt.Fprintln(w, secret)
		fmt.Fprintf(a.err, "This is the secret of %s, %s. It is shown this once.\n", h.ID, h.URL)
		if h.OldSecret != "" {
			fmt.Fprintf(a.err, "The former one signs beside it until %s.\n", h.OldSecret)
		}
	})
}

func tellHook(w io.Writer, h directory.Hook) {
	line := []string{string(h.ID), string(h.Integrator), h.URL, string(h.State)}
	if h.Why != "" {
		line = append(line, h.Why)
	}
	if h.Ended != "" {
		line = append(line, h.Ended.Date().String())
	}
	fmt.Fprintln(w, strings.Join(line, "  "))
}

func tellDelivery(w io.Writer, d directory.Delivery) {
	fmt.Fprintf(w, "%d  %s  %s  %s", d.Number, d.At, d.Notice, d.Type)
	if d.Change != 0 {
		fmt.Fprintf(w, "  number %d", d.Change)
	}
	fmt.Fprintf(w, "  attempt %d: %s", d.Attempt, d.Outcome)
	if d.Status != 0 {
		fmt.Fprintf(w, ", answered %d in %d ms", d.Status, d.Took)
	} else if d.Why != "" {
		fmt.Fprintf(w, ", %s", d.Why)
	}
	if d.Next != "" {
		fmt.Fprintf(w, "; again at %s", d.Next)
	}
	fmt.Fprintln(w)
}

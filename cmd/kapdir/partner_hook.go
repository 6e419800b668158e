package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
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
		Short: "Make, test, replay and end a partner's webhooks",
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
	x := hookChange{partnerChange: partnerChange{app: a}}
	add := x.command("add PARTNER URL", "Make a webhook and show its secret, this once", cobra.ExactArgs(2), x.add)
	add.Long = `Make a webhook of the partner for the address, which begins with https://. It is called with what changes from now
on; kapdir partner hook replay brings what was before. Its secret is shown this once: with it the partner's server
proves that a call is ours. The store keeps it encrypted under a key from suppression.key.`
	add.Flags().StringVar(&x.types, "types", "", "what it is called for, with spaces between; everything if empty: "+directory.JoinNoticeTypes(directory.NoticeTypes))
	rotate := x.command("rotate PARTNER HOOK", "Give a webhook another secret; both sign for a while", cobra.ExactArgs(2), x.rotate)
	rotate.Flags().IntVar(&x.overlap, "overlap", days(directory.HookOverlap), fmt.Sprintf("days for which the former secret signs as well, at most %d", days(directory.MostHookOverlap)))
	test := x.command("test PARTNER HOOK", "Send a test to a webhook, and say what became of it", cobra.ExactArgs(2), x.test)
	test.Long = `Send a test to the webhook, beside the order of what it is called with otherwise. A running server (kapdir serve)
sends it; this command waits for what becomes of it.`
	test.Flags().DurationVar(&x.wait, "wait", 15*time.Second, "how long to wait for what becomes of it")
	replay := x.command("replay PARTNER HOOK NUMBER", "Call a webhook again from a number on, or pass over what it does not take", cobra.ExactArgs(3), x.replay)
	replay.Long = `Go on with the notice of the number, or the next there is: 0 brings everything that is held. With a number greater than
that of a notice that the receiver does not take, that notice is passed over. It starts a webhook that was stopped.`
	log := &cobra.Command{
		Use:   "log PARTNER HOOK",
		Short: "List the calls of the last 30 days, the newest first",
		Args:  args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			return a.ofPartner(argv[0], func(st *store.Store, p directory.Integrator) error {
				id, err := hookID(argv[1])
				if err != nil {
					return err
				}
				list, err := st.HookLog(a.ctx, p.ID, id, x.before, x.limit)
				if err != nil {
					return err
				}
				return a.answer(list, func(w io.Writer) { writeDeliveries(w, list) })
			})
		},
	}
	log.Flags().IntVar(&x.limit, "limit", 50, "how many")
	log.Flags().Int64Var(&x.before, "before", 0, "those before this line of the log")
	cmd.AddCommand(add, &cobra.Command{
		Use:   "list [PARTNER]",
		Short: "List a partner's webhooks, or everybody's that have not ended",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			if len(argv) == 1 {
				return a.ofPartner(argv[0], func(st *store.Store, p directory.Integrator) error {
					list, err := st.Hooks(a.ctx, p.ID)
					if err != nil {
						return err
					}
					return a.answer(list, func(w io.Writer) { writeHooks(w, list) })
				})
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			list, err := st.AllHooks(a.ctx)
			if err != nil {
				return err
			}
			return a.answer(list, func(w io.Writer) { writeHooks(w, list) })
		},
	}, &cobra.Command{
		Use:   "show PARTNER HOOK",
		Short: "Show how a webhook stands",
		Args:  args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, argv []string) error {
			return a.ofPartner(argv[0], func(st *store.Store, p directory.Integrator) error {
				id, err := hookID(argv[1])
				if err != nil {
					return err
				}
				h, err := st.Hook(a.ctx, p.ID, id)
				if err != nil {
					return err
				}
				return a.answer(h, func(w io.Writer) { tellHook(w, h) })
			})
		},
	}, rotate, test, replay, log,
		x.command("end PARTNER HOOK", "End a webhook for good; its secret is destroyed", cobra.ExactArgs(2), x.end))
	return cmd
}

// hookChange is a change about a webhook, and what its flags say.
type hookChange struct {
	partnerChange
	types  string
	wait   time.Duration
	limit  int
	before int64
}

func hookID(s string) (directory.ID, error) {
	id, err := directory.ParseID(directory.HookPrefix, s)
	if err != nil {
		return "", usageError{fmt.Errorf("a webhook is named by its id, %s…, which kapdir partner hook list has", directory.HookPrefix)}
	}
	return id, nil
}

func (x *hookChange) add(st *store.Store, argv []string, by string, at directory.Instant) error {
	types, err := directory.ParseNoticeTypes(x.types)
	if err != nil {
		return err
	}
	secret, h, err := st.AddHook(x.ctx, directory.IntegratorID(argv[0]), directory.Hook{URL: argv[1], Types: types}, by, at)
	if err != nil {
		return err
	}
	return x.showSecret(secret, h)
}

func (x *hookChange) rotate(st *store.Store, argv []string, by string, at directory.Instant) error {
	id, err := hookID(argv[1])
	if err != nil {
		return err
	}
	secret, h, err := st.RotateHook(x.ctx, directory.IntegratorID(argv[0]), id, time.Duration(x.overlap)*24*time.Hour, by, at)
	if err != nil {
		return err
	}
	return x.showSecret(secret, h)
}

// hookShown is the answer of the commands that make a secret.
type hookShown struct {
	directory.Hook
	Secret string `json:"secret"`
}

func (x *hookChange) showSecret(secret string, h directory.Hook) error {
	return x.answer(hookShown{h, secret}, func(w io.Writer) {
		fmt.Fprintln(w, secret)
		fmt.Fprintf(x.err, "This is the secret of %s of %s, %s. It is shown this once.\n", h.ID, h.Integrator, h.URL)
		if h.OldSecret != "" {
			fmt.Fprintf(x.err, "The former one signs beside it until %s.\n", h.OldSecret)
		}
	})
}

func (x *hookChange) test(st *store.Store, argv []string, by string, at directory.Instant) error {
	partner := directory.IntegratorID(argv[0])
	id, err := hookID(argv[1])
	if err != nil {
		return err
	}
	notice, err := st.TestHook(x.ctx, partner, id, by, at)
	if err != nil {
		return err
	}
	for end := time.Now().Add(x.wait); ; {
		log, err := st.HookLog(x.ctx, partner, id, 0, 20)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(log, func(d directory.Delivery) bool { return d.Notice == notice }); i >= 0 {
			return x.answer(log[i], func(w io.Writer) { writeDeliveries(w, log[i:i+1]) })
		}
		if time.Now().After(end) {
			return directory.Errorf(directory.Unavailable, "", "%s waits: no server has sent it within %s. Is kapdir serve running? It sends it when it starts", notice, x.wait)
		}
		select {
		case <-x.ctx.Done():
			return x.ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (x *hookChange) replay(st *store.Store, argv []string, by string, at directory.Instant) error {
	id, err := hookID(argv[1])
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(argv[2], 10, 64)
	if err != nil || number < 0 {
		return usageError{fmt.Errorf("%q is no number of a notice: write 0 for everything, or a number of the log", argv[2])}
	}
	h, err := st.ReplayHook(x.ctx, directory.IntegratorID(argv[0]), id, number, by, at)
	if err != nil {
		return err
	}
	return x.answer(h, func(w io.Writer) { fmt.Fprintf(w, "%s goes on with number %d.\n", h.ID, number) })
}

func (x *hookChange) end(st *store.Store, argv []string, by string, at directory.Instant) error {
	id, err := hookID(argv[1])
	if err != nil {
		return err
	}
	h, err := st.EndHook(x.ctx, directory.IntegratorID(argv[0]), id, by, at)
	if err != nil {
		return err
	}
	return x.answer(h, func(w io.Writer) { fmt.Fprintf(w, "%s is ended.\n", h.ID) })
}

func writeHooks(w io.Writer, list []directory.Hook) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "WEBHOOK\tPARTNER\tCALLS\tSTATE\tMADE\tLAST TAKEN\tWHY")
	for _, h := range list {
		taken := "-"
		if h.Taken != "" {
			taken = string(h.Taken)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", h.ID, h.Integrator, h.URL, h.State, string(h.Created.Date()), taken, h.Why)
	}
	_ = t.Flush()
}

func tellHook(w io.Writer, h directory.Hook) {
	fmt.Fprintf(w, "%s of %s calls %s for %s\n%s since %s, made by %s; is at number %d\n", h.ID, h.Integrator, h.URL, directory.JoinNoticeTypes(h.Types), h.State, h.Created.Date(), h.CreatedBy, h.Cursor)
	if h.Why != "" {
		fmt.Fprintf(w, "Why: %s\n", h.Why)
	}
	if h.Taken != "" {
		fmt.Fprintf(w, "A notice was last taken at %s.\n", h.Taken)
	}
	if h.Next != "" {
		fmt.Fprintf(w, "The next was tried %d times since %s, and is tried again at %s.\n", h.Attempts, h.Since, h.Next)
	}
	if h.OldSecret != "" {
		fmt.Fprintf(w, "Its former secret signs until %s.\n", h.OldSecret)
	}
}

func writeDeliveries(w io.Writer, list []directory.Delivery) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "LINE\tWHEN\tNOTICE\tTYPE\tNUMBER\tATTEMPT\tOUTCOME\tANSWER\tTOOK\tAGAIN AT")
	for _, d := range list {
		number, answer, next := "-", d.Why, "-"
		if d.Change != 0 {
			number = fmt.Sprint(d.Change)
		}
		if d.Status != 0 && answer == "" {
			answer = fmt.Sprint("answered ", d.Status)
		}
		if d.Next != "" {
			next = string(d.Next)
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%d ms\t%s\n", d.Number, d.At, d.Notice, d.Type, number, d.Attempt, d.Outcome, answer, d.Took, next)
	}
	_ = t.Flush()
}

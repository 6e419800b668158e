package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/web"
)

// showQuestion is what show is asked.
type showQuestion struct {
	at, known, checksFor string
	history              bool
}

func (a *app) showCommand() *cobra.Command {
	var q showQuestion
	cmd := &cobra.Command{
		Use:   "show PROVIDER",
		Short: "Show what a provider's checks and claims are worth, at any moment, and what they rest on",
		Long: `Show the five checks of a provider and each claim with its status, its reasons, the sentence that the
public reads, the numbers of the events it rests on, and until when the answer holds if nothing new is
recorded.

PROVIDER is an id (prv_…), an NPI, or a source and its key for the provider, with a colon between them.

--at asks what was true at a moment, --known what had been recorded by a moment; each is now if it is not
given. Both the same is what was shown then. A day means its first moment in UTC. --history tells the
events instead, each with its three clocks: when it was performed, how old the source's data were, and
when it was recorded.`,
		Example: "  kapdir show 1234567893\n  kapdir show kap-commons:/profile/amara-whitcomb --at 2026-03-03\n  kapdir show prv_0t4226zr07h84yxqc6vjzhw56g --at 2026-03-03 --known 2026-03-03\n  kapdir show 1234567893 --history",
		Args:    args(cobra.ExactArgs(1)),
		RunE:    func(_ *cobra.Command, argv []string) error { return a.show(argv[0], q) },
	}
	f := cmd.Flags()
	f.StringVar(&q.at, "at", "", "true then: a day or a moment, such as 2026-03-03 or 2026-03-03T09:00:00Z")
	f.StringVar(&q.known, "known", "", "known then: a day or a moment")
	f.StringVar(&q.checksFor, "checks-for", "", "the patient's state; without it, the provider's own") // --state is the directory
	f.BoolVar(&q.history, "history", false, "tell the events of each claim")
	return cmd
}

// refOf reads what names a provider on the command line.
func refOf(text string) (directory.ProviderRef, error) {
	if strings.HasPrefix(strings.ToLower(text), directory.ProviderPrefix) {
		id, err := directory.ParseID(directory.ProviderPrefix, text)
		return directory.ProviderRef{ID: id}, err
	}
	if source, key, ok := strings.Cut(text, ":"); ok && source != "" && key != "" {
		if _, known := directory.Tables().Source(source); !known {
			return directory.ProviderRef{}, fmt.Errorf("%q is no source: kapdir sources lists them", source)
		}
		return directory.ProviderRef{Source: source, Key: key}, nil
	}
	npi, err := directory.ParseNPI(text)
	if err != nil {
		return directory.ProviderRef{}, fmt.Errorf("%q names no provider: give an id (prv_…), an NPI, or SOURCE:KEY", text)
	}
	return directory.ProviderRef{NPI: npi}, nil
}

func (a *app) show(who string, q showQuestion) error {
	ref, err := refOf(who)
	if err != nil {
		return usageError{err}
	}
	var at, known directory.Instant
	for _, x := range []struct {
		flag, text string
		to         *directory.Instant
	}{{"--at", q.at, &at}, {"--known", q.known, &known}} {
		if x.text == "" {
			continue
		}
		if *x.to, err = directory.ParseInstant(x.text); err != nil || *x.to == "" {
			return usageError{fmt.Errorf("%s %s: write a day, which means its first moment in UTC, or a moment: 2026-03-03 or 2026-03-03T09:00:00Z", x.flag, x.text)}
		}
	}
	var state directory.State
	if q.checksFor != "" {
		if state, err = directory.ParseState(q.checksFor); err != nil {
			return usageError{fmt.Errorf("--checks-for: %w", err)}
		}
	}
	st, err := a.lookAtStore()
	if err != nil {
		return err
	}
	defer st.Close()
	now := directory.At(a.clock()())
	head, err := st.Head(a.ctx)
	if err != nil {
		return err
	}
	id, err := st.Find(a.ctx, ref)
	if err != nil {
		return err
	}
	f, err := st.File(a.ctx, id)
	if err != nil {
		return err
	}
	at, known = cmp.Or(at, now), cmp.Or(known, max(now, head.RecordedAt))
	if q.history {
		return a.showHistory(f, at, known)
	}
	ans := web.Accounted(f, state, at, known, st.Policies())
	return a.answer(ans, func(w io.Writer) {
		heading(w, f)
		fmt.Fprintf(w, "true at %s, known by %s, policy %s\n", momentText(at), momentText(known), ans.Staff.Policy)
		if at > now {
			fmt.Fprintln(w, "That lies in the future: it is what will be said if nothing else becomes known.")
		}
		fmt.Fprint(w, "\nChecks")
		if ans.ChecksFor != nil {
			fmt.Fprintf(w, " for a patient in %s", ans.ChecksFor.Name())
		}
		fmt.Fprintln(w)
		for i, c := range ans.Checks {
			fmt.Fprintf(w, "  %s: %s (%s)\n    %s\n", c.Title, c.Label, c.Result, c.Sentence)
			details(w, ans.Staff.Checks[i].Reasons, ans.Staff.Checks[i].Because, nil, c.ValidUntil, c.NextDue)
		}
		for i, c := range ans.Staff.Claims {
			if i == 0 || ans.Staff.Claims[i-1].Provider != c.Provider {
				if c.Provider == f.Provider.ID {
					fmt.Fprint(w, "\nClaims\n")
				} else {
					fmt.Fprintf(w, "\nClaims of %s, %s\n", f.Linked[c.Provider].Provider.DisplayName(), c.Provider)
				}
			}
			fmt.Fprintf(w, "  %s: %s\n", strings.Join(words(string(c.Kind), string(c.Jurisdiction), c.Title, c.Number, c.Issuer, string(c.Other)), " "), cmp.Or(string(c.Status), "nothing that counts"))
			if c.Sentence != "" {
				fmt.Fprintf(w, "    %s\n", c.Sentence)
			}
			if c.Candidate {
				fmt.Fprintln(w, "    A hit by name alone waits for a person. It is on no public face.")
			}
			details(w, c.Reasons, c.Because, c.Pending, c.ValidUntil, c.NextDue)
		}
	})
}

func heading(w io.Writer, f *directory.CredentialFile) {
	p := f.Provider
	fmt.Fprintln(w, strings.Join(words(append([]string{p.DisplayName()}, p.Name.Credentials...)...), ", ")+"  "+string(p.ID))
}

// words leaves out what is empty.
func words(list ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
}

// details writes what an answer rests on and when it changes or is looked at again.
func details(w io.Writer, reasons []string, because, pending []int64, until, due *directory.Instant) {
	var out []string
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+" "+value)
		}
	}
	add("reasons", strings.Join(reasons, ", "))
	add("because of events", numbers(because))
	add("waiting for a review: events", numbers(pending))
	if until != nil {
		add("valid until", momentText(*until))
	}
	if due != nil {
		add("next look due", momentText(*due))
	}
	if len(out) > 0 {
		fmt.Fprintf(w, "    %s\n", strings.Join(out, "; "))
	}
}

func numbers(list []int64) string {
	out := make([]string, len(list))
	for i, n := range list {
		out[i] = fmt.Sprint(n)
	}
	return strings.Join(out, ", ")
}

func momentText(i directory.Instant) string { return i.Time().Format("2006-01-02 15:04:05.000 UTC") }

// told is an event in words, beside the event itself.
type told struct {
	directory.Event
	Words string `json:"words"`
}

// toldClaim is a claim with its events in words.
type toldClaim struct {
	directory.Claim
	Events []told `json:"events"`
}

// showHistory tells the events that count for a moment as known at another.
func (a *app) showHistory(f *directory.CredentialFile, at, known directory.Instant) error {
	claims := []toldClaim{}
	for _, h := range f.Claims {
		c := toldClaim{Claim: h.Claim, Events: []told{}}
		for _, e := range h.Events {
			if e.RecordedAt <= known && e.PerformedAt <= at {
				c.Events = append(c.Events, told{e, web.EventWords(e)})
			}
		}
		if len(c.Events) > 0 {
			claims = append(claims, c)
		}
	}
	return a.answer(struct {
		Provider directory.ID      `json:"provider"`
		At       directory.Instant `json:"at"`
		Known    directory.Instant `json:"known"`
		Claims   []toldClaim       `json:"claims"`
	}{f.Provider.ID, at, known, claims}, func(w io.Writer) {
		heading(w, f)
		fmt.Fprintf(w, "performed by %s, recorded by %s\n", momentText(at), momentText(known))
		for _, c := range claims {
			fmt.Fprintf(w, "\n%s  %s\n", strings.Join(words(string(c.Kind), string(c.Jurisdiction), c.Title, c.Number.Shown, c.Issuer, string(c.Other)), " "), c.ID)
			for _, e := range c.Events {
				fmt.Fprintf(w, "  event %d, %s by %s\n    performed %s", e.Seq, e.Type, strings.Join(words(string(e.Actor.Kind), e.Actor.ID, e.Actor.Version, e.Actor.Auth), " "), momentText(e.PerformedAt))
				if d := e.Body.SourceAsOf; d != "" {
					fmt.Fprintf(w, "; source's data of %s", string(d))
				}
				fmt.Fprintf(w, "; recorded %s\n    %s\n", momentText(e.RecordedAt), e.Words)
				if len(e.Evidence) > 0 {
					fmt.Fprintf(w, "    evidence %s\n", strings.Join(e.Evidence, ", "))
				}
			}
		}
	})
}

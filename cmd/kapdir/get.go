package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// The bounds of a call of kapdir get.
const (
	getHeader  = 45 * time.Second // more than the longest wait for a change
	getTotal   = 2 * time.Minute
	getBody    = 64 << 20        // a page of 200 changes tells 200 providers whole
	getTries   = 5               // of one question that is answered with 429 or 503
	getLongest = 2 * time.Minute // that Retry-After is obeyed
)

// getter asks a directory that runs elsewhere, over its API.
type getter struct {
	*app
	server, keyFile string

	base    string // scheme and host
	key     string
	client  *safehttp.Client
	patient bool // a server that cannot be reached is tried again
}

func (a *app) getCommand() *cobra.Command {
	g := &getter{app: a}
	cmd := &cobra.Command{
		Use:   "get",
		Short: "Ask a directory that runs elsewhere, over its API",
		Long: `Ask a directory that runs elsewhere, over its API, which its /openapi.yaml describes.

--server names it. A key is read from the variable KAPDIR_KEY or from the file of --key-file, and never from an argument, which
others on the machine could see; it goes over https, and over http to this machine alone. Search, providers, sources and
statistics need no key. With --json the server's own bytes are printed. When a server asks to wait, it is obeyed, a few times.`,
		Example: `  export KAPDIR_SERVER=https://directory.example
  kapdir get search "ketamine therapist near Boulder" --care full_kap
  kapdir get provider prv_… --at 2026-01-31
  kapdir get export copy
  kapdir get changes --after 7709 --follow --state-file copy/at.json --json`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// In place of the root's: nothing here looks at a state directory.
		PersistentPreRunE: func(*cobra.Command, []string) error { return g.open() },
	}
	text := textFlag(cmd.PersistentFlags(), a.getenv)
	text(&g.server, "server", "", "the directory to ask, such as https://directory.example")
	text(&g.keyFile, "key-file", "", "file with the key, instead of the variable KAPDIR_KEY")
	cmd.AddCommand(g.searchCommand(), g.providerCommand(), g.credentialsCommand(), g.sourcesCommand(), g.statisticsCommand(), g.changesCommand(), g.exportCommand())
	return cmd
}

// open reads where and by whose key to ask. Whoever types the address of a server may mean one on their own machine or in
// their own house, so any address is dialled; no answer leads to another server.
func (g *getter) open() error {
	if g.server == "" {
		return usageError{errors.New("which directory? Name it with --server or KAPDIR_SERVER, such as https://directory.example")}
	}
	u, err := url.Parse(g.server)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/" || u.Scheme != "https" && u.Scheme != "http" {
		return usageError{fmt.Errorf("--server: %q is not an address such as https://directory.example", g.server)}
	}
	g.base = u.Scheme + "://" + u.Host
	g.key = g.getenv("KAPDIR_KEY")
	if g.keyFile != "" {
		raw, err := os.ReadFile(g.keyFile)
		if err != nil {
			return fmt.Errorf("--key-file: %w", err)
		}
		g.key = string(raw)
	}
	g.key = strings.TrimSpace(g.key)
	if strings.ContainsFunc(g.key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return usageError{errors.New("the key is not one line of letters, digits and signs: is it the right file?")}
	}
	if g.key != "" && u.Scheme == "http" && !thisMachine(u.Hostname()) {
		return usageError{fmt.Errorf("a key is not sent over http, where others could read it: write https://%s", u.Host)}
	}
	c := safehttp.Config{Version: version, HeaderTimeout: getHeader, TotalTimeout: getTotal, MaxBody: getBody,
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
	if p, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
		c.AllowPorts = []uint16{uint16(p)}
	}
	g.client = safehttp.New(c)
	return nil
}

func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// ask makes one call, and again as often as the server asks for patience. What it returns is 2xx.
func (g *getter) ask(path string, query url.Values, header map[string][]string) (*safehttp.Response, error) {
	r := safehttp.Request{URL: g.base + path, Header: map[string][]string{}, OnRedirect: func(u *url.URL) error {
		if u.Scheme+"://"+u.Host != g.base {
			return directory.Errorf(directory.Refused, "", "%s leads to another server, %s, which is not asked", g.base, u.Host)
		}
		return nil
	}}
	if len(query) > 0 {
		r.URL += "?" + query.Encode()
	}
	for k, v := range header {
		r.Header[k] = v
	}
	if g.key != "" {
		r.Header["Authorization"] = []string{"Bearer " + g.key}
	}
	for try := 1; ; try++ {
		res, err := g.client.Do(g.ctx, r)
		wait := time.Second << (try - 1)
		switch {
		case err != nil:
			if g.ctx.Err() != nil {
				return nil, g.ctx.Err()
			}
			if !kindIs(err, directory.Unavailable) || !g.patient || try == getTries {
				return nil, err
			}
		case res.Status/100 == 2:
			return res, nil
		default:
			p := problemOf(res)
			asked := retryAfter(res.Header.Get("Retry-After"), time.Now())
			if res.Status != 429 && res.Status != 503 || try == getTries || asked > getLongest {
				return nil, p.told(asked)
			}
			err, wait = p, max(asked, wait)
		}
		if !g.cfg.Quiet {
			fmt.Fprintf(g.err, "%v; asking again in %s\n", err, wait)
		}
		if err := directory.Pause(g.ctx, wait); err != nil {
			return nil, err
		}
	}
}

// retryAfter reads the header (RFC 9110 §10.2.3): seconds or a date. 0 if there is none.
func retryAfter(header string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// apiProblem is an answer that is none: a problem as RFC 9457 has it.
type apiProblem struct {
	status  int
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	Request string `json:"request_id"`
	Errors  []struct {
		Parameter string `json:"parameter"`
		Detail    string `json:"detail"`
	} `json:"errors"`
	hint string
}

func problemOf(res *safehttp.Response) *apiProblem {
	p := &apiProblem{status: res.Status}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(res.Body, p) != nil {
		*p = apiProblem{status: res.Status, Title: "this is no answer of a kapdir", hint: "is --server right?"}
	}
	return p
}

func (p *apiProblem) Error() string {
	s := fmt.Sprintf("the server answered %d: %s", p.status, plain(p.Title))
	if p.Detail != "" && len(p.Errors) == 0 {
		s += ". " + plain(p.Detail)
	}
	for _, e := range p.Errors {
		s += fmt.Sprintf("\n  %s: %s", plain(e.Parameter), plain(e.Detail))
	}
	if p.hint != "" {
		s += "\nWhat to do: " + p.hint
	}
	if p.Request != "" && p.status >= 500 {
		s += "\nIf it goes on, tell whoever runs the directory: request " + plain(p.Request)
	}
	return s
}

// told is the problem with what to do next.
func (p *apiProblem) told(asked time.Duration) error {
	switch p.status {
	case 400:
		return usageError{p}
	case 401:
		p.hint = "set KAPDIR_KEY, or --key-file, to a key that is in force; whoever runs the directory makes keys"
	case 403:
		p.hint = "ask whoever runs the directory to give your key the scope that this needs"
	case 404:
		if p.hint == "" {
			p.hint = "check the id"
		}
	case 410:
		p.hint = "take down what you show of it"
	case 429, 503:
		p.hint = "ask again later"
		if asked > 0 {
			p.hint = fmt.Sprintf("ask again in %s", asked)
		}
	}
	return p
}

// get asks and prints: the server's bytes with --json, else what text makes of them.
func (g *getter) get(path string, query url.Values, v any, text func(w io.Writer)) error {
	res, err := g.ask(path, query, nil)
	if err != nil {
		return err
	}
	if g.cfg.JSON {
		_, err := g.out.Write(res.Body)
		return err
	}
	if err := json.Unmarshal(res.Body, v); err != nil {
		return fmt.Errorf("%s%s answered with something else than kapdir's JSON: %w", g.base, path, err)
	}
	t := tabwriter.NewWriter(g.out, 0, 8, 2, ' ', 0)
	text(t)
	return t.Flush()
}

// plain is what a server wrote, safe for a terminal: on one line and without what would steer it.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// dated is a date, or the day of a moment; "-" if there is none.
func dated(s *string) string {
	if s == nil || *s == "" {
		return "-"
	}
	day, _, _ := strings.Cut(*s, "T")
	return plain(day)
}

// datesOf tells when something was so, and until when it holds, as far as there are dates.
func datesOf(asOf, until *string) string {
	s := ""
	if asOf != nil {
		s = " As of " + dated(asOf) + "."
	}
	if until != nil {
		s += " Holds until " + dated(until) + "."
	}
	return s
}

// gotDemo stands in answers about people who are invented.
type gotDemo struct {
	Demo *struct{ Note string } `json:"demo"`
}

func (d gotDemo) tell(w io.Writer) {
	if d.Demo != nil {
		fmt.Fprintf(w, "\nA demonstration. %s\n", plain(d.Demo.Note))
	}
}

// gotCheck is one of the five checks.
type gotCheck struct {
	Title, Label, Sentence string
	AsOf                   *string `json:"as_of"`
	ValidUntil             *string `json:"valid_until"`
}

// gotPerson is who stands in a list and on a page.
type gotPerson struct {
	ID, Name    string
	Credentials []string
	Place       *struct{ City, State string }
	ChecksFor   *string `json:"checks_for"`
	Checks      []gotCheck
}

func (p gotPerson) tell(w io.Writer) {
	name := strings.Join(append([]string{p.Name}, p.Credentials...), ", ")
	if p.Place != nil && p.Place.City != "" {
		name += "  " + p.Place.City + ", " + p.Place.State
	}
	fmt.Fprintf(w, "%s  %s\n", plain(name), plain(p.ID))
}

// searchParams are the parameters of a search beside its words, each a flag; the server says what each takes.
var searchParams = []struct {
	name string
	many bool
	help string
}{
	{"state", false, "the patient's state: a two-letter code or a name"},
	{"near", false, `a ZIP code, or a town with its state: "Boulder, CO"`},
	{"radius", false, "miles from there"},
	{"telehealth", false, "a state into which sessions by video are stated"},
	{"can_see", false, "a state in which therapist and prescriber are each shown to be licensed"},
	{"care", true, "full_kap, infusion_with_check_ins, infusion_only or unknown"},
	{"accepting", true, "yes, no, waitlist or unknown"},
	{"check", true, "a check and its result, such as license:confirmed"},
	{"setting", true, "where the medicine session takes place"},
	{"video", true, "yes or no: sessions by video are stated"},
	{"route", true, "how the medicine is taken"},
	{"framework", true, "the approach of the therapy"},
	{"focus", true, "what the provider says it works with"},
	{"population", true, "whom the provider says it works with"},
	{"format", true, "individual, couple or group"},
	{"payment", true, "sliding_scale or superbill"},
	{"access", true, "what is stated of access"},
	{"language", true, "a language's English name in lower case"},
	{"licence", true, "a profession, or the letters of a licence"},
	{"programme", true, "a training programme's id"},
	{"price_max", false, "whole dollars that a medicine session may cost"},
	{"lift", true, "a key of understood that is neither filter nor words"},
	{"words", true, "a key of understood that is searched for as words"},
	{"sort", false, "relevance, distance, price or checked"},
	{"limit", false, "results on a page, up to 50"},
	{"cursor", false, "goes on behind a page: its next"},
	{"at", false, "what is known now of how it was then: a day or a moment"},
	{"explain", false, "true: why each stands where it does (with --json)"},
	{"facets", true, "the facets to count, or none (with --json); without it, all"},
}

func (g *getter) searchCommand() *cobra.Command {
	single, many := map[string]*string{}, map[string]*[]string{}
	cmd := &cobra.Command{
		Use:   "search [WORDS...]",
		Short: "Search for providers, each with its five checks and their dates",
		RunE: func(cmd *cobra.Command, argv []string) error {
			q := url.Values{}
			if len(argv) > 0 {
				q.Set("q", strings.Join(argv, " "))
			}
			for _, p := range searchParams {
				switch {
				case !cmd.Flags().Changed(flagName(p.name)):
				case p.many:
					q[p.name] = *many[p.name]
				default:
					q.Set(p.name, *single[p.name])
				}
			}
			var got struct {
				gotDemo
				Total   int
				Results []gotPerson
				Next    *string
				AsOf    string `json:"as_of"`
				Ranking string
				Notice  *struct{ En string }
				Advice  []struct {
					Label string
					Count int
				}
			}
			return g.get("/api/v1/providers", q, &got, func(w io.Writer) {
				if got.Notice != nil {
					fmt.Fprintf(w, "%s\n\n", plain(got.Notice.En))
				}
				fmt.Fprintf(w, "%d found. Checks are those of %s. %s\n", got.Total, plain(got.AsOf), plain(got.Ranking))
				for _, x := range got.Advice {
					fmt.Fprintf(w, "Without %s: %d\n", plain(x.Label), x.Count)
				}
				for _, p := range got.Results {
					fmt.Fprintln(w)
					p.tell(w)
					for _, c := range p.Checks {
						fmt.Fprintf(w, "  %s\t%s\tas of %s\tholds until %s\n", plain(c.Title), plain(c.Label), dated(c.AsOf), dated(c.ValidUntil))
					}
				}
				if got.Next != nil {
					fmt.Fprintf(w, "\nMore: the same with --cursor %s\n", plain(*got.Next))
				}
				got.tell(w)
			})
		},
	}
	for _, p := range searchParams {
		if p.many {
			many[p.name] = cmd.Flags().StringArray(flagName(p.name), nil, p.help+"; may be given again")
		} else {
			single[p.name] = cmd.Flags().String(flagName(p.name), "", p.help)
		}
	}
	return cmd
}

func flagName(param string) string { return strings.ReplaceAll(param, "_", "-") }

// ofProvider makes a command that asks about one provider.
func (g *getter) ofProvider(use, short, path string, text func(path string, q url.Values) error) *cobra.Command {
	var state, at string
	cmd := &cobra.Command{Use: use + " ID", Short: short, Args: args(cobra.ExactArgs(1)), RunE: func(_ *cobra.Command, argv []string) error {
		id, err := directory.ParseID(directory.ProviderPrefix, argv[0])
		if err != nil {
			return usageError{err}
		}
		q := url.Values{}
		if state != "" {
			q.Set("state", state)
		}
		if at != "" {
			q.Set("at", at)
		}
		return text("/api/v1/providers/"+string(id)+path, q)
	}}
	cmd.Flags().StringVar(&state, "state", "", "the patient's state; the provider's own if empty")
	cmd.Flags().StringVar(&at, "at", "", "what is known now of how it was then: a day or a moment")
	return cmd
}

func (g *getter) providerCommand() *cobra.Command {
	return g.ofProvider("provider", "Show a provider's five checks, each with its sentence, its date and until when it holds", "", func(path string, q url.Values) error {
		var got struct {
			gotDemo
			gotPerson
			Standing string
			AsOf     string `json:"as_of"`
		}
		return g.get(path, q, &got, func(w io.Writer) {
			got.gotPerson.tell(w)
			fmt.Fprintf(w, "%s\nThe checks are for patients of %s and those of %s.\n", plain(got.Standing), dated(got.ChecksFor), plain(got.AsOf))
			for _, c := range got.Checks {
				fmt.Fprintf(w, "\n%s: %s.%s\n  %s\n", plain(c.Title), plain(c.Label), datesOf(c.AsOf, c.ValidUntil), plain(c.Sentence))
			}
			got.gotDemo.tell(w)
		})
	})
}

func (g *getter) credentialsCommand() *cobra.Command {
	return g.ofProvider("credentials", "Show a provider's credentials, and who says what of each", "/credentials", func(path string, q url.Values) error {
		var got struct {
			gotDemo
			gotPerson
			AsOf  string `json:"as_of"`
			Creds []struct {
				Kind     string `json:"kind_label"`
				Label    string
				Sentence string
				AsOf     *string `json:"as_of"`
				Until    *string `json:"valid_until"`
				Says     []struct {
					Name, By, Words string
					Decides         bool
					AsOf            *string `json:"as_of"`
				} `json:"testimony"`
			} `json:"credentials"`
		}
		return g.get(path, q, &got, func(w io.Writer) {
			got.gotPerson.tell(w)
			fmt.Fprintf(w, "As it was at %s.\n", plain(got.AsOf))
			for _, c := range got.Creds {
				fmt.Fprintf(w, "\n%s: %s.%s\n  %s\n", plain(c.Kind), plain(c.Label), datesOf(c.AsOf, c.Until), plain(c.Sentence))
				for _, s := range c.Says {
					words, decides := "", ""
					if s.Words != "" {
						words = "“" + s.Words + "”"
					}
					if s.Decides {
						decides = "decides"
					}
					fmt.Fprintf(w, "  %s\t(%s)\t%s\t%s\t%s\n", plain(s.Name), plain(s.By), dated(s.AsOf), decides, plain(words))
				}
			}
			got.gotDemo.tell(w)
		})
	})
}

func (g *getter) sourcesCommand() *cobra.Command {
	return &cobra.Command{Use: "sources", Short: "List the sources and how fresh each is", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		var got struct {
			gotDemo
			Sources []struct {
				ID, Name string
				Loaded   bool
				Overdue  bool
				Release  *string
				AsOf     *string `json:"as_of"`
				NextDue  *string `json:"next_due"`
			}
		}
		return g.get("/api/v1/sources", nil, &got, func(w io.Writer) {
			fmt.Fprintln(w, "SOURCE\tRELEASE\tAS OF\tNEXT DUE\tNAME")
			for _, s := range got.Sources {
				release, due := "not loaded", dated(s.NextDue)
				if s.Loaded {
					release = dated(s.Release)
				}
				if s.Overdue {
					due += " (overdue)"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", plain(s.ID), release, dated(s.AsOf), due, plain(s.Name))
			}
			got.tell(w)
		})
	}}
}

func (g *getter) statisticsCommand() *cobra.Command {
	return &cobra.Command{Use: "statistics", Short: "Show how much was checked, and how long ago", Args: args(cobra.NoArgs), RunE: func(*cobra.Command, []string) error {
		var got struct {
			gotDemo
			AsOf      string `json:"as_of"`
			Providers int
			Said      int  `json:"statements"`
			Asked     int  `json:"looked_up"`
			Month     int  `json:"within_30_days"`
			Quarter   int  `json:"within_90_days"`
			Median    *int `json:"median_age_days"`
			Disputes  int  `json:"open_disputes"`
			Mended    int  `json:"corrections"`
			Checks    []struct {
				Check                        string
				Good, Bad, Stated, Old, Open int
			}
		}
		return g.get("/api/v1/statistics", nil, &got, func(w io.Writer) {
			fmt.Fprintf(w, "Counted at %s: %d providers, %d statements about credentials. A source or a document answers %d of them:\n%d of those within 30 days, %d within 90", plain(got.AsOf), got.Providers, got.Said, got.Asked, got.Month, got.Quarter)
			if got.Median != nil {
				fmt.Fprintf(w, "; half are at most %d days old", *got.Median)
			}
			fmt.Fprintf(w, ". Open disputes: %d. Corrections: %d.\n\n", got.Disputes, got.Mended)
			fmt.Fprintln(w, "CHECK\tCONFIRMED OR DOCUMENT\tPROBLEM OR NOT MET\tSTATED ALONE\tOUT OF DATE\tNOT KNOWN YET")
			for _, c := range got.Checks {
				fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\n", plain(c.Check), c.Good, c.Bad, c.Stated, c.Old, c.Open)
			}
			got.tell(w)
		})
	}}
}

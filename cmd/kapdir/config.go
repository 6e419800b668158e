package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kapdir/crawler"
	"kapdir/directory"
	"kapdir/directory/store"
)

// Where a directory is held unless --state says otherwise, and the demonstration.
const (
	defaultState = ".kapdir"
	demoDefault  = ".kapdir/demo"
)

// Config is everything the program can be told. Every flag has an environment variable, KAPDIR_ and the
// flag's name in capitals; the flag wins. Only this package reads either.
type Config struct {
	State    string `json:"state"`              // directory of database, index and private files
	DSN      string `json:"dsn,omitempty"`      // PostgreSQL; "" is SQLite in State
	Addr     string `json:"addr"`               // of the server
	BaseURL  string `json:"base_url,omitempty"` // of links; "" is http:// and Addr
	Proxies  string `json:"trusted_proxies,omitempty"`
	Anyone   int    `json:"anonymous_per_minute"` // requests of one address to the API, without a key
	Contact  string `json:"contact,omitempty"`    // where corrections go, and whom a crawled site can reach
	Recipes  string `json:"recipes,omitempty"`    // directory of the operator's own recipes; "" is recipes in State
	Now      string `json:"now,omitempty"`        // a clock that stands; "" is the real one
	Suppress string `json:"-"`                    // secret of removals, from the environment alone; "" is suppression.key in State
	JSON     bool   `json:"-"`
	Quiet    bool   `json:"-"`
}

func (c *Config) register(f *pflag.FlagSet, getenv func(string) string) {
	text := textFlag(f, getenv)
	text(&c.State, "state", defaultState, "directory of the database, the index and private files")
	text(&c.DSN, "dsn", "", "PostgreSQL address, postgres://…, instead of SQLite in the state directory")
	text(&c.Recipes, "recipes", "", "directory of your own recipes of listing sites; recipes in the state directory if empty")
	text(&c.Now, "now", "", "a clock that stands at this moment, such as 2026-11-23T09:00:00Z, instead of the real one")
	c.Suppress = getenv("KAPDIR_SUPPRESSION_KEY")
	f.BoolVar(&c.JSON, "json", false, "answer in JSON")
	f.BoolVar(&c.Quiet, "quiet", false, "no progress")
}

// registerServer adds the flags of the commands that serve.
func (c *Config) registerServer(f *pflag.FlagSet, getenv func(string) string) {
	text := textFlag(f, getenv)
	text(&c.Addr, "addr", "localhost:8080", "address to serve on, HOST:PORT")
	text(&c.BaseURL, "base-url", "", "address under which people reach the server, for links; http:// and --addr if empty")
	text(&c.Proxies, "trusted-proxies", "", "addresses or networks of proxies whose forwarded headers count, separated by commas")
	number(f, getenv, &c.Anyone, "anonymous-per-minute", 60, "how often one address may ask the API in a minute without a key, and five times as often for suggestions")
	text(&c.Contact, "contact", "", "mail address for corrections and removals, shown on every page")
}

// textFlag returns a function that adds a flag whose default an environment variable may set.
func textFlag(f *pflag.FlagSet, getenv func(string) string) func(p *string, name, def, help string) {
	return func(p *string, name, def, help string) {
		env := "KAPDIR_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if v := getenv(env); v != "" {
			def = v
		}
		f.StringVar(p, name, def, help+" ("+env+")")
	}
}

// number adds a flag like textFlag's for a whole number. A variable that is none is left to check to refuse.
func number(f *pflag.FlagSet, getenv func(string) string, p *int, name string, def int, help string) {
	env := "KAPDIR_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if v := getenv(env); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			n = -1
		}
		def = n
	}
	f.IntVar(p, name, def, help+" ("+env+")")
}

func (c *Config) check() error {
	if c.Anyone < 0 || c.Anyone > 1_000_000 {
		return fmt.Errorf("--anonymous-per-minute: write a number from 1 to 1000000")
	}
	if c.Now != "" {
		if _, err := directory.ParseInstant(c.Now); err != nil {
			return fmt.Errorf("--now: %w", err)
		}
	}
	if c.Suppress != "" && len(c.Suppress) < 32 {
		return fmt.Errorf("KAPDIR_SUPPRESSION_KEY: a secret has at least 32 characters")
	}
	if c.DSN != "" && !strings.HasPrefix(c.DSN, "postgres://") && !strings.HasPrefix(c.DSN, "postgresql://") {
		return fmt.Errorf("--dsn: a PostgreSQL address begins with postgres://")
	}
	if c.BaseURL != "" {
		if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("--base-url: %q is not an address such as https://directory.example", c.BaseURL)
		}
	}
	return nil
}

// dump writes the configuration as JSON, without secrets.
func (c Config) dump() string {
	if c.DSN != "" {
		if u, err := url.Parse(c.DSN); err == nil {
			c.DSN = u.Redacted()
		} else {
			c.DSN = "(unreadable)"
		}
	}
	raw, _ := json.Marshal(c)
	return string(raw)
}

// clock returns the program's clock: one that stands at --now, or where the demonstration stands in a store
// that holds it, so that what is done at a terminal is seen by its server; else the real one.
func (a *app) clock() func() time.Time {
	if a.cfg.Now == "" {
		return a.stands.or(time.Now)
	}
	at, _ := directory.ParseInstant(a.cfg.Now)
	return func() time.Time { return at.Time() }
}

func (c Config) baseURL() string {
	if c.BaseURL != "" {
		return strings.TrimRight(c.BaseURL, "/")
	}
	return "http://" + c.Addr
}

func (c Config) proxies() []string {
	return strings.FieldsFunc(c.Proxies, func(r rune) bool { return r == ',' || r == ' ' })
}

func (c Config) recipesDir() string {
	if c.Recipes != "" {
		return c.Recipes
	}
	return filepath.Join(c.State, "recipes")
}

// pagesDir is the private part of the state directory in which pages of listing sites are kept for 30 days.
func (c Config) pagesDir() string { return filepath.Join(c.State, "pages") }

func (c Config) indexDir() string { return filepath.Join(c.State, "index") }

// openStore opens the store of the state directory, which is made if it is missing, and records the rules
// that this program brings if they are new to it.
func (a *app) openStore(now func() time.Time) (*store.Store, error) { return a.storeWith(now, false) }

// lookAtStore is openStore for commands that only look: the rules stay as they were recorded last.
// There must be one: an empty directory would answer that nobody is listed and nothing waits.
func (a *app) lookAtStore() (*store.Store, error) {
	if _, err := os.Stat(filepath.Join(a.cfg.State, "kapdir.db")); a.cfg.DSN == "" && errors.Is(err, os.ErrNotExist) {
		return nil, directory.Errorf(directory.NotFound, "state", "%s holds no directory of providers: name its state directory with --state (the demonstration's is %s), or begin one with kapdir import or kapdir demo",
			a.cfg.State, demoDefault)
	}
	return a.storeWith(a.clock(), true)
}

func (a *app) storeWith(now func() time.Time, keepRules bool) (*store.Store, error) {
	if err := os.MkdirAll(a.cfg.State, 0o700); err != nil {
		return nil, directory.Errorf(directory.Refused, "", "the state directory cannot be made: %w; name another with --state", err)
	}
	st, err := store.Open(a.ctx, store.Config{Dir: a.cfg.State, DSN: a.cfg.DSN, Now: now, KeepRules: keepRules || a.keepRules, SuppressionKey: []byte(a.cfg.Suppress), Standing: crawler.Standing,
		Tool: directory.Actor{Kind: directory.Tool, ID: "kapdir", Version: version}})
	if err != nil {
		return nil, err
	}
	demo, err := a.demoHeld(st)
	if err != nil {
		st.Close()
		return nil, err
	}
	if demo != nil {
		a.stands.set(demo.Now)
	}
	return st, nil
}

// log is the program's log: what it does, never what anybody searched for.
func (a *app) log() *slog.Logger {
	return slog.New(slog.NewJSONHandler(a.err, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// answer writes v as JSON if --json asks for it, else calls text.
func (a *app) answer(v any, text func(w io.Writer)) error {
	if !a.cfg.JSON {
		text(a.out)
		return nil
	}
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"kapdir/crawler"
	"kapdir/data"
	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/web"
)

// manifest is data/demo/manifest.json: what the demonstration loads, in which order, and when its clock stands.
type manifest struct {
	Now   directory.Instant `json:"now"`
	Note  string            `json:"note"`
	Steps []demoStep        `json:"steps"`
}

// demoStep is a source's files, or who decides, or the statements of providers or of staff.
type demoStep struct {
	Source       string            `json:"source,omitempty"`
	Path         string            `json:"path,omitempty"`
	AsOf         directory.Date    `json:"as_of,omitempty"`
	Release      string            `json:"release,omitempty"`
	Read         directory.Instant `json:"read,omitempty"`
	Staff        string            `json:"staff,omitempty"`
	Attestations string            `json:"attestations,omitempty"`
	Decisions    string            `json:"decisions,omitempty"`
}

// begins is when the first of its files was read.
func (m manifest) begins() directory.Instant {
	at := m.Now
	for _, s := range m.Steps {
		if s.Read != "" {
			at = min(at, s.Read)
		}
	}
	return at
}

func readManifest() (manifest, error) {
	var m manifest
	raw, err := fs.ReadFile(data.FS, "demo/manifest.json")
	if err == nil {
		err = strict(raw, &m)
	}
	if err != nil {
		return m, fmt.Errorf("demo/manifest.json: %w", err)
	}
	return m, nil
}

func strict(raw []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

func (a *app) demoCommand() *cobra.Command {
	var state string // its own: a flag's default is written when it is added, and the others keep theirs
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Load people who are invented and serve them",
		Long: `Load the demonstration, provider listings, licence rosters, an exclusion list and the NPI registry in
their publishers' formats, and serve it. Every person in it is invented, and every page says so. Its
clock stands at the day of its data unless --now says otherwise. A second start changes nothing. It prints an
address for each of its staff, with which to sign in at their desk as them: two people decide what one may not.

The demonstration lives in a state directory of its own, .kapdir/demo, unless --state names another.`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			a.cfg.State = state
			ln, err := web.Listen(a.cfg.Addr) // before the work, so that an address in use is heard of at once
			if err != nil {
				return err
			}
			m, err := readManifest()
			if err != nil {
				_ = ln.Close()
				return err
			}
			clock := &standing{}
			clock.set(m.begins()) // the ledger's own clock starts with its data: what was known when is part of the demonstration
			st, err := a.openStore(clock.or(time.Now))
			if err != nil {
				_ = ln.Close()
				return err
			}
			defer st.Close()
			if err := a.loadDemo(st, m, clock); err != nil {
				_ = ln.Close()
				return err
			}
			info := &web.DemoInfo{Now: m.Now, Note: m.Note}
			if a.cfg.Now != "" {
				info.Now, _ = directory.ParseInstant(a.cfg.Now)
			}
			clock.set(info.Now)
			codes, err := a.demoCodes(st)
			if err != nil {
				_ = ln.Close()
				return err
			}
			return a.serve(ln, st, info, clock.or(time.Now), codes)
		},
	}
	textFlag(cmd.Flags(), a.getenv)(&state, "state", demoDefault, "directory of the demonstration's database, index and private files")
	a.cfg.registerServer(cmd.Flags(), a.getenv)
	return cmd
}

// demoCodes makes a code for each person of the demonstration who decides, with which whoever reads them here signs
// in at its desk, as often as they like, until it ends. They are held in no store, and whoever was signed in with those
// of another time is so no more.
func (a *app) demoCodes(st *store.Store) (map[string]string, error) {
	all, err := st.Staff(a.ctx)
	if err != nil {
		return nil, err
	}
	codes := map[string]string{}
	for _, m := range all {
		if m.Disabled == "" {
			if _, err := st.EndSessions(a.ctx, m.Name, "", "kapdir demo", directory.At(a.signInClock()())); err != nil {
				return nil, err
			}
			codes[rand.Text()] = m.Name
		}
	}
	return codes, nil
}

// standing is a clock that stands where it was put last.
type standing struct{ at atomic.Pointer[time.Time] }

func (c *standing) set(i directory.Instant) { t := i.Time(); c.at.Store(&t) }

// or returns the clock as a function; as long as it was put nowhere, it is the other one.
func (c *standing) or(other func() time.Time) func() time.Time {
	return func() time.Time {
		if t := c.at.Load(); t != nil {
			return *t
		}
		return other()
	}
}

// loadDemo imports every step of the manifest through the same sink and desk as real data.
func (a *app) loadDemo(st *store.Store, m manifest, clock *standing) error {
	clock.set(m.Now)
	if demo, err := a.demoHeld(st); err != nil {
		return err
	} else if runs, err := st.Runs(a.ctx, 1); err != nil {
		return err
	} else if len(runs) > 0 && demo == nil {
		return directory.Errorf(directory.Refused, "", "%s holds real data, and the demonstration's invented people must not be mixed with it: name another directory with --state", a.cfg.State)
	}
	files, err := os.MkdirTemp("", "kapdir-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(files)
	if err := unpack(files); err != nil {
		return err
	}
	for _, step := range m.Steps {
		switch {
		case step.Source != "":
			src, ok := crawler.Find(step.Source)
			if !ok {
				return fmt.Errorf("demo/manifest.json: %q is not a source", step.Source)
			}
			clock.set(step.Read)
			bar := a.progress(step.Source)
			run, err := crawler.Run(a.ctx, src, crawler.InputAt(filepath.Join(files, filepath.FromSlash(step.Path)), nil), st,
				crawler.Options{AsOf: step.AsOf, Release: step.Release, Now: clock.or(time.Now), Progress: bar.show})
			bar.done()
			if err != nil {
				return err
			}
			if !a.cfg.JSON {
				imported{Source: step.Source, Run: run}.brief(a.err)
			}
		case step.Staff != "":
			err = eachLine(step.Staff, func(x directory.StaffChange) error {
				clock.set(x.At)
				_, err := st.ChangeStaff(a.ctx, x)
				return err
			})
		case step.Attestations != "":
			err = eachLine(step.Attestations, func(x directory.Attestation) error {
				clock.set(x.At)
				_, err := st.Attest(a.ctx, x)
				return err
			})
		case step.Decisions != "":
			err = eachLine(step.Decisions, func(x directory.Decision) error {
				clock.set(x.At)
				_, err := st.Decide(a.ctx, x)
				return err
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// demoHeld says whether the store holds the demonstration: an import of one of its listing sites was begun.
func (a *app) demoHeld(st *store.Store) (*web.DemoInfo, error) {
	m, err := readManifest()
	if err != nil {
		return nil, err
	}
	runs, err := st.Runs(a.ctx, 10_000)
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		info, _ := directory.Tables().Source(r.Release.Source)
		if info.Kind == "listing" && slices.ContainsFunc(m.Steps, func(s demoStep) bool { return s.Source == info.ID }) {
			return &web.DemoInfo{Now: m.Now, Note: m.Note}, nil
		}
	}
	return nil, nil
}

// unpack writes the embedded source files to a directory, where an import can read them like any others.
func unpack(dir string) error {
	return fs.WalkDir(data.FS, "demo", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(data.FS, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name[len("demo/"):]))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		return os.WriteFile(to, raw, 0o600)
	})
}

// eachLine calls f with every line of an embedded JSON-lines file, strictly read.
func eachLine[T any](name string, f func(T) error) error {
	raw, err := fs.ReadFile(data.FS, path.Join("demo", name))
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var x T
		if err := strict(lines.Bytes(), &x); err != nil {
			return fmt.Errorf("demo/%s:%d: %w", name, n, err)
		}
		if err := f(x); err != nil {
			return fmt.Errorf("demo/%s:%d: %w", name, n, err)
		}
	}
	return lines.Err()
}

package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kapdir/crawler"
	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/search"
)

// The tests run against the demonstration: its files are read by the real importers into a real store,
// and a real index answers. It is loaded once.
const demoDir = "../../data/demo"

type world struct {
	store *store.Store
	index *search.Index
	now   directory.Instant
}

var (
	loadOnce sync.Once
	loaded   world
	loadErr  error
	loadDir  string
)

func TestMain(m *testing.M) {
	c, err := theContract()
	if err != nil {
		fmt.Fprintf(os.Stderr, "openapi.yaml cannot be held to: %v\n", err)
		os.Exit(1)
	}
	watch = c.observe
	code := m.Run()
	for _, b := range c.broken {
		fmt.Fprintf(os.Stderr, "--- FAIL: against openapi.yaml: %s\n", b)
		code = max(code, 1)
	}
	if loaded.index != nil {
		_ = loaded.index.Close()
	}
	if loaded.store != nil {
		_ = loaded.store.Close()
	}
	if deskDir != "" {
		_ = os.RemoveAll(deskDir)
	}
	if loadDir != "" {
		_ = os.RemoveAll(loadDir)
	}
	os.Exit(code)
}

// demoWorld returns the demonstration. It is shared: nobody may write to its store.
func demoWorld(t testing.TB) world {
	t.Helper()
	loadOnce.Do(func() {
		if loadDir, loadErr = os.MkdirTemp("", "kapdir-web-"); loadErr == nil {
			loaded, _, loadErr = loadDemo(loadDir)
		}
	})
	if loadErr != nil {
		t.Fatalf("the demonstration does not load: %v", loadErr)
	}
	if len(notTaken) > 0 {
		t.Fatalf("%d lines of the demonstration were refused: %s", len(notTaken), notTaken[0])
	}
	return loaded
}

// loadDemo loads the demonstration into a directory. Its clock stands until it is set.
func loadDemo(dir string) (w world, set func(directory.Instant), err error) {
	ctx := context.Background()
	c := &demoClock{}
	if w.store, w.now, err = loadSteps(store.Config{Dir: filepath.Join(dir, "state")}, c, nil); err != nil {
		return w, c.set, err
	}
	w.index, err = search.Open(ctx, search.Config{Dir: filepath.Join(dir, "index"), Feed: w.store, Files: w.store.Files, Now: c.now, Log: quiet()})
	if err == nil {
		err = w.index.Rebuild(ctx, nil)
	}
	return w, c.set, err
}

// demoClock stands until it is set.
type demoClock struct{ at atomic.Pointer[time.Time] }

func (c *demoClock) now() time.Time          { return *c.at.Load() }
func (c *demoClock) set(i directory.Instant) { x := i.Time(); c.at.Store(&x) }

// loadSteps opens a store, tells of it, and loads the demonstration into it.
func loadSteps(cfg store.Config, c *demoClock, opened func(*store.Store)) (st *store.Store, now directory.Instant, err error) {
	ctx := context.Background()
	set := c.set
	var manifest struct {
		Now   directory.Instant
		Steps []struct {
			Source, Path, Release, Staff, Attestations, Decisions string
			AsOf                                                  directory.Date `json:"as_of"`
			Read                                                  directory.Instant
		}
	}
	raw, err := os.ReadFile(filepath.Join(demoDir, "manifest.json"))
	if err == nil {
		err = json.Unmarshal(raw, &manifest)
	}
	if err != nil {
		return nil, "", err
	}
	set(manifest.Now)
	cfg.Now = c.now
	if st, err = store.Open(ctx, cfg); err != nil {
		return nil, "", err
	}
	if opened != nil {
		opened(st)
	}
	for _, s := range manifest.Steps {
		switch {
		case s.Source != "":
			set(s.Read)
			for _, src := range crawler.Sources() {
				if src.ID == s.Source {
					_, err = crawler.Run(ctx, src, crawler.InputAt(filepath.Join(demoDir, filepath.FromSlash(s.Path)), nil), st,
						crawler.Options{AsOf: s.AsOf, Release: s.Release, Now: c.now})
				}
			}
		case s.Staff != "":
			err = eachLine(s.Staff, func(x directory.StaffChange) error {
				set(x.At)
				_, err := st.ChangeStaff(ctx, x)
				return err
			})
		case s.Attestations != "":
			err = eachLine(s.Attestations, func(a directory.Attestation) error {
				set(a.At)
				_, err := st.Attest(ctx, a)
				return err
			})
		case s.Decisions != "":
			err = eachLine(s.Decisions, func(d directory.Decision) error {
				set(d.At)
				_, err := st.Decide(ctx, d)
				return err
			})
		}
		if err != nil {
			return st, "", fmt.Errorf("%+v: %w", s, err)
		}
	}
	set(manifest.Now)
	return st, manifest.Now, nil
}

func eachLine[T any](name string, f func(T) error) error {
	file, err := os.Open(filepath.Join(demoDir, name))
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return err
		}
		if err := f(v); err != nil {
			notTaken = append(notTaken, fmt.Sprintf("%s: %s: %v", name, lines.Text(), err))
		}
	}
	return lines.Err()
}

// notTaken are lines of the demonstration that the store refused; there must be none.
var notTaken []string

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// demoServer serves the demonstration; change may alter its configuration.
func demoServer(t testing.TB, change ...func(*Config)) *Server {
	t.Helper()
	w := demoWorld(t)
	cfg := Config{Desk: w.store, Reader: w.store, Search: w.index, Policies: directory.StandardPolicies(), BaseURL: "https://kapdir.example",
		Now: func() time.Time { return w.now.Time() }, Demo: &DemoInfo{Now: w.now, Note: "No NPI that begins with 2 was ever issued."},
		Contact: "corrections@kapdir.example", Log: quiet(), Version: "test", AnonymousPerMinute: 1 << 30}
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answer is a response read whole.
type reply struct {
	*http.Response
	body string
}

func get(t testing.TB, s *Server, path string, headers ...string) reply {
	t.Helper()
	return do(t, s, http.MethodGet, path, headers...)
}

func do(t testing.TB, s *Server, method, path string, headers ...string) reply {
	t.Helper()
	req := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.App().Test(req, 20_000)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return read(t, res)
}

func read(t testing.TB, res *http.Response) reply {
	t.Helper()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{res, string(b)}
}

func decode[T any](t testing.TB, r reply) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%d %s: %v", r.StatusCode, r.body, err)
	}
	return v
}

// idOf finds the demonstration's person of the name.
func idOf(t testing.TB, name string) directory.ID {
	t.Helper()
	w := demoWorld(t)
	var id directory.ID
	err := w.store.EachFile(context.Background(), func(f *directory.CredentialFile) error {
		if f.Provider.DisplayName() == name {
			id = f.Provider.ID
		}
		return nil
	})
	if err != nil || id == "" {
		t.Fatalf("nobody is called %s (%v)", name, err)
	}
	return id
}

// everybody returns the ids of all public providers.
func everybody(t testing.TB) []directory.ID {
	t.Helper()
	var ids []directory.ID
	err := demoWorld(t).store.EachFile(context.Background(), func(f *directory.CredentialFile) error {
		ids = append(ids, f.Provider.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func pageOf(id directory.ID) string { return "/providers/" + string(id) }

func api(id directory.ID) string { return "/api/v1" + pageOf(id) }

// text returns s without blanks at its ends and with one for many.
func text(s string) string { return strings.Join(strings.Fields(s), " ") }

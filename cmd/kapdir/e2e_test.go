package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
	"kapdir/directory/store"
)

// binary is the program as its users get it, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kapdir-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "kapdir")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	_ = os.RemoveAll(demoState) // of loadedOnce; nothing if no test asked for it
	os.Exit(code)
}

// program returns a command of the built program, with nothing of the environment that could lead it astray.
func program(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "KAPDIR_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "KAPDIR_ANONYMOUS_PER_MINUTE=1000000") // a test asks as often as it likes
	return cmd
}

// kapdir runs the program to its end and returns what it printed and its exit status.
func kapdir(t testing.TB, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := program(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// server is a running program.
type server struct {
	cmd    *exec.Cmd
	url    string
	ready  time.Duration // from start to the first answered page
	log    *lockedBuffer
	client *http.Client
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

var isAt = regexp.MustCompile(`kapdir is at (http://\S+)`)

// start runs a serving command on a free port and waits for its first page.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	cmd := program(t, append(args, "--addr", "localhost:0")...)
	s := &server{cmd: cmd, log: &lockedBuffer{}, client: &http.Client{Timeout: 10 * time.Second}}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(t) })
	for time.Since(begun) < 2*time.Minute {
		if m := isAt.FindStringSubmatch(s.log.String()); m != nil {
			s.url = m[1]
			if resp, err := s.client.Get(s.url + "/"); err == nil {
				_ = resp.Body.Close()
				s.ready = time.Since(begun)
				return s
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("no page after two minutes:\n%s", s.log)
	return nil
}

// stop ends the server as an operator would, and checks that it ends well.
func (s *server) stop(t testing.TB) {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("the server ended with %v:\n%s", err, s.log)
		}
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		t.Error("the server did not end within 30 s of an interrupt")
	}
}

// get fetches a path and returns the status, the body and the headers.
func (s *server) get(t testing.TB, path string) (int, []byte, http.Header) {
	t.Helper()
	resp, err := s.client.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body, resp.Header
}

func (s *server) page(t testing.TB, path string) *goquery.Document {
	t.Helper()
	status, body, _ := s.get(t, path)
	if status != http.StatusOK {
		t.Fatalf("%s: %d\n%s", path, status, body)
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// json fetches a path and reads it into v.
func (s *server) json(t testing.TB, path string, v any) {
	t.Helper()
	status, body, _ := s.get(t, path)
	if status != http.StatusOK {
		t.Fatalf("%s: %d\n%s", path, status, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, body)
	}
}

// answer is the search answer of the API as far as the tests read it.
type answer struct {
	Total   int
	Results []result
	Facets  map[string][]struct {
		Value, Label string
		Count        int
	}
	Next      string
	Head      int64
	ChecksFor string `json:"checks_for"`
	Demo      any
	Plain     bool
}

type result struct {
	ID     string
	Name   string
	Checks []check
}

type check struct {
	Check, Result, Sentence string
	Reasons                 []string
	Sources                 []struct{ Name, URL string }
}

// all pages through a search to its end.
func (s *server) all(t testing.TB, query string) (out []result) {
	t.Helper()
	next := ""
	for {
		var a answer
		path := "/api/v1/providers?limit=50" + query
		if next != "" {
			path += "&cursor=" + next
		}
		s.json(t, path, &a)
		out = append(out, a.Results...)
		if a.Next == "" || len(a.Results) == 0 {
			return out
		}
		next = a.Next
	}
}

// normal writes a store down without what may differ between two runs of the same imports: ids, numbers
// and recording times. Two stores that hold the same truth are equal line by line.
func normal(t testing.TB, dir string) []string {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{Dir: dir, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	names := map[directory.ID]string{}
	var files []*directory.CredentialFile
	if err := st.EachFile(context.Background(), func(f *directory.CredentialFile) error {
		names[f.Provider.ID] = f.Provider.DisplayName() + " " + string(f.Provider.NPI)
		files = append(files, f)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range files {
		p := f.Provider
		who := names[p.ID]
		p.ID, p.Seq = "", 0
		for i, a := range p.Affiliations {
			p.Affiliations[i].Provider = directory.ID(names[a.Provider])
		}
		raw, _ := json.Marshal(p)
		lines = append(lines, who+" facts "+string(raw))
		for _, h := range f.Claims {
			c := h.Claim
			c.Other, c.ID, c.Provider, c.Created = directory.ID(names[c.Other]), "", "", ""
			key, _ := json.Marshal(c)
			var events []string
			number := map[int64]int{}
			for i, e := range h.Events {
				number[e.Seq] = i + 1
				e.Seq, e.RecordedAt, e.Claim = 0, "", ""
				e.Body.Of, e.Supersedes = int64(number[e.Body.Of]), int64(number[e.Supersedes])
				e.Body.Prescriber = directory.ID(names[e.Body.Prescriber])
				if name, ok := names[directory.ID(e.Actor.ID)]; ok {
					e.Actor.ID = name
				}
				raw, _ := json.Marshal(e)
				events = append(events, string(raw))
			}
			for i, e := range events {
				lines = append(lines, fmt.Sprintf("%s claim %s event %d %s", who, key, i+1, e))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

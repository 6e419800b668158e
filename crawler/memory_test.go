package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
)

// memory is a sink that keeps what it is given.
type memory struct {
	rel     directory.Release
	begun   int
	ended   int
	failure error
	already bool
	largest int
	records []directory.Record
	rejects []directory.Reject
	outside int
	gone    []directory.Departure
	seen    map[string]string
	held    directory.Held
}

func (m *memory) Held(context.Context, directory.Release) (directory.Held, error) { return m.held, nil }

func (m *memory) Begin(_ context.Context, rel directory.Release) (directory.Run, error) {
	m.begun++
	m.rel = rel
	return directory.Run{ID: "run_1", Number: 1, Release: rel, Already: m.already}, nil
}

func (m *memory) Put(_ context.Context, _ directory.ID, b directory.Batch) (directory.Counts, error) {
	if m.seen == nil {
		m.seen = map[string]string{}
	}
	m.largest = max(m.largest, len(b.Records))
	c := directory.Counts{Rejected: len(b.Rejects), Outside: b.Outside}
	for _, r := range b.Records {
		switch h, ok := m.seen[r.Key]; {
		case !ok:
			c.Added++
		case h == r.Hash():
			c.Unchanged++
			continue
		default:
			c.Changed++
		}
		m.seen[r.Key] = r.Hash()
		m.records = append(m.records, r)
	}
	c.Read = c.Added + c.Changed + c.Unchanged + c.Rejected + c.Outside
	m.rejects = append(m.rejects, b.Rejects...)
	m.outside += b.Outside
	m.gone = append(m.gone, b.Gone...)
	return c, nil
}

func (m *memory) End(_ context.Context, _ directory.ID, failure error) (directory.Run, error) {
	m.ended++
	m.failure = failure
	out := "done"
	if failure != nil {
		out = "failed"
	}
	return directory.Run{ID: "run_1", Number: 1, Release: m.rel, Outcome: out}, nil
}

func (m *memory) record(key string) *directory.Record {
	for i := range m.records {
		if m.records[i].Key == key {
			return &m.records[i]
		}
	}
	return nil
}

// day is the clock of the tests.
func day() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// importFile runs one import and returns what came in, and the run's error.
func importFile(t testing.TB, source, path string, opts ...func(*Options)) (*memory, Report, error) {
	t.Helper()
	src, ok := Find(source)
	if !ok {
		t.Fatalf("no source %s", source)
	}
	o := Options{Now: day}
	var rep Report
	o.Report = &rep
	for _, f := range opts {
		f(&o)
	}
	m := &memory{}
	_, err := Run(context.Background(), src, Input{Path: path}, m, o)
	var undated *directory.Error
	if errors.As(err, &undated) && undated.Field == "as_of" && strings.Contains(undated.Detail, "does not say") { // a list or roster in a file without a date
		o.AsOf = directory.At(day()).Date()
		_, err = Run(context.Background(), src, Input{Path: path}, m, o)
	}
	return m, rep, err
}

// write puts a file into a temporary directory.
func write(t testing.TB, name, content string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func asJSON(v any) string {
	b, _ := json.MarshalIndent(v, "", " ")
	return string(b)
}

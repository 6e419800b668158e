package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

// exportOf writes an export of the store that a server reads.
func exportOf(t testing.TB, s *Server, dir string) *Manifest {
	t.Helper()
	m, err := WriteExport(t.Context(), s.cfg, dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// unpacked reads a file of an export and holds it to the manifest.
func unpacked(t testing.TB, raw []byte, f ManifestFile) []byte {
	t.Helper()
	sum := sha256.Sum256(raw)
	if int64(len(raw)) != f.Bytes || hex.EncodeToString(sum[:]) != f.SHA256 {
		t.Fatalf("%s: %d bytes with the sum %x; the manifest says %d and %s", f.Name, len(raw), sum, f.Bytes, f.SHA256)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil || int64(len(b)) != f.Unpacked {
		t.Fatalf("%s: %d bytes of %d: %v", f.Name, len(b), f.Unpacked, err)
	}
	return b
}

// begun is a follower who begins with an export.
func begun(t testing.TB, dir string, m *Manifest) *disk {
	t.Helper()
	d := &disk{held: map[directory.ID]string{}, next: m.Seq}
	for _, f := range m.Files {
		if !strings.HasSuffix(f.Name, ".jsonl.gz") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, strconv.FormatInt(m.Seq, 10), f.Name))
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.SplitAfter(unpacked(t, raw, f), []byte("\n"))
		for _, line := range lines[:len(lines)-1] {
			var c toldChange
			if f.Name == "providers.jsonl.gz" {
				c.Provider = bytes.TrimSuffix(line, []byte("\n"))
				err = json.Unmarshal(line, &struct{ ID *directory.ID }{&c.ID})
			} else {
				err = json.Unmarshal(line, &c)
			}
			if err != nil || d.held[c.ID] != "" {
				t.Fatalf("%s: %s: %v", f.Name, line, err)
			}
			d.held[c.ID] = c.state()
		}
		if len(lines)-1 != f.Rows {
			t.Errorf("%s: %d lines, and the manifest says %d", f.Name, len(lines)-1, f.Rows)
		}
	}
	return d
}

// An export is what the server says at its number, and the change feed goes on from there: whoever begins with it and
// follows, killed now and then, has what whoever follows from the beginning has. It is written while people change.
func TestExportAndFeedAreTheServer(t *testing.T) {
	d := newTrial(t)
	d.s = demoServer(t, keyed, func(c *Config) { c.Reader = d.store })
	dir := t.TempDir()
	m := exportOf(t, d.s, dir)
	head, err := d.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	follower := begun(t, dir, m)
	if diff := cmp.Diff(whole(t, d.s), follower, cmp.AllowUnexported(disk{})); diff != "" || m.Seq != head.Public {
		t.Fatalf("export %d, head %d (-feed +export):\n%.2000s", m.Seq, head.Public, diff)
	}
	r := rand.New(rand.NewPCG(3, 4))
	remove := func(id directory.ID) {
		q, err := d.store.RequestRemoval(t.Context(), directory.Removal{Kind: "removal", Provider: id})
		if err == nil {
			_, err = d.store.DecideRemoval(t.Context(), directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "imani", Auth: "test", Note: "asked"})
		}
		if err != nil {
			t.Error(err)
		}
	}
	ids, err := d.store.Listed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// A second one while people go, half of whom the exporter has gathered already.
	done := make(chan bool)
	go func() {
		defer close(done)
		for i := 0; i < 40; i += 8 {
			remove(ids[i])
			remove(ids[len(ids)-1-i])
		}
	}()
	second := exportOf(t, d.s, dir)
	<-done
	for _, start := range []*disk{follower, begun(t, dir, second)} {
		for {
			if err := start.follow(d.s, r, 30, 1+r.IntN(30), func() bool { return true }); err == nil {
				break
			} else if err != errKilled {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(whole(t, d.s), start, cmp.AllowUnexported(disk{})); diff != "" {
			t.Errorf("from an export (-feed +followed):\n%.2000s", diff)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, unfinished+"*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v %v", left, err)
	}
}

// Nothing stands in an export that no public face shows, or that a source's terms do not let be passed on; and no cell
// of its tables is a formula.
func TestExportHoldsWhatMayBePassedOn(t *testing.T) {
	s := demoServer(t, func(c *Config) { c.Reader = planted{c.Reader} })
	dir := t.TempDir()
	m := exportOf(t, s, dir)
	files := map[string][]byte{}
	for _, f := range m.Files {
		raw, err := os.ReadFile(filepath.Join(dir, strconv.FormatInt(m.Seq, 10), f.Name))
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = unpacked(t, raw, f)
	}
	if len(files) != 4 || m.Providers != len(everybody(t)) || m.Changes != fmt.Sprintf("/api/v1/changes?after=%d", m.Seq) || m.Demo == nil || !strings.Contains(m.Terms, "no consumer report") {
		t.Errorf("%+v", m)
	}
	for _, x := range m.Sources {
		if row, _ := directory.Tables().Source(x.ID); x.Licence != row.Licence || x.Attribution != row.Attribution || x.Republish != (row.MayRepublish == "true") {
			t.Errorf("source %+v", x)
		}
	}
	secret, shown := 0, 0
	for name, text := range files {
		for _, x := range []string{formerName, homeStreet, deaNumber} {
			if bytes.Contains(text, []byte(x)) {
				t.Errorf("%s holds %q", name, x)
			}
			secret++
		}
		if name != "others.jsonl.gz" && bytes.Contains(text, []byte("=HYPERLINK")) {
			shown++
		}
	}
	if secret != 12 || shown < 2 {
		t.Errorf("%d looked for, %d files with what looks like a formula: the test tests too little", secret, shown)
	}
	for name, columns := range map[string][]string{"providers.csv.gz": providerColumns, "credentials.csv.gz": credentialColumns} {
		if bytes.Count(files[name], []byte("\n")) != bytes.Count(files[name], []byte("\r\n")) {
			t.Errorf("%s: lines do not end as RFC 4180 has it", name)
		}
		rows, err := csv.NewReader(bytes.NewReader(files[name])).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(rows[0], columns) {
			t.Errorf("%s: columns %v", name, rows[0])
		}
		ids := map[string]bool{}
		for _, row := range rows[1:] {
			ids[row[0]] = true
			for i, x := range row {
				if x != "" && strings.ContainsRune("=+-@\t\r", rune(x[0])) {
					t.Errorf("%s: %s: %q", name, columns[i], x)
				}
			}
		}
		if len(ids) != m.Providers {
			t.Errorf("%s tells of %d", name, len(ids))
		}
	}
	again := exportOf(t, s, t.TempDir()) // the same again
	if diff := cmp.Diff(m, again); diff != "" {
		t.Errorf("the same written again is another:\n%s", diff)
	}
}

// planted is the demonstration's store in which everybody has a former name, a place that looks like a home, a number
// of the DEA, and a website and a place whose names are formulas.
type planted struct{ Reader }

const formerName, homeStreet, deaNumber = "Formerly Quincewood", "1177 Hideaway Loop Apt 3", "FQ7654329"

func (p planted) ChangePage(ctx context.Context, after int64, limit int) (directory.ChangePage, error) {
	page, err := p.Reader.ChangePage(ctx, after, limit)
	for i, ch := range page.Changes {
		if ch.File == nil {
			continue
		}
		f := *ch.File
		f.Provider.Former = append(slices.Clone(f.Provider.Former), directory.Name{Given: "Formerly", Family: "Quincewood"})
		home := directory.Site{Name: `=HYPERLINK("https://evil.test")`, Address: directory.Address{Line1: homeStreet, City: "Denver", State: "CO", ZIP: "80202"}, Origin: directory.Origin{Source: "kap-commons"}}
		f.Provider.Sites = append([]directory.Site{home}, f.Provider.Sites...)
		f.Claims = slices.Clone(f.Claims)
		for j, h := range f.Claims {
			if h.Claim.Kind == directory.DEARegistration {
				f.Claims[j].Claim.Number = directory.ParseLicenceNumber(deaNumber)
			}
			if h.Claim.Kind == directory.License {
				f.Claims[j].Claim.Title = "=HYPERLINK(1)"
			}
		}
		page.Changes[i].File = &f
	}
	return page, err
}

func TestCells(t *testing.T) {
	for in, want := range map[string]string{"": "", "Boulder": "Boulder", "=1+1": "'=1+1", "+1 303": "'+1 303", "-2": "'-2", "@x": "'@x", "\t=1": "' =1", " =1": "' =1", "'x": "''x", "a=b": "a=b", "＝1": "'＝1", "a\r\nb": "a  b", "O'Neill": "O'Neill"} {
		if got := cell(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// exporting serves an export of the demonstration.
func exporting(t *testing.T) (*Server, *Manifest, string) {
	t.Helper()
	dir := t.TempDir()
	m := exportOf(t, demoServer(t), dir)
	return demoServer(t, keyed, func(c *Config) { c.Exports = dir }), m, dir
}

// A download that is cut off goes on where it was, by Range and the tag; what was asked for in vain is said.
func TestExportsAreFetchedInParts(t *testing.T) {
	s, m, dir := exporting(t)
	list := decode[exportsAnswer](t, kget(t, s, "/api/v1/exports"))
	if len(list.Exports) != 1 || list.Exports[0].Seq != m.Seq || list.Exports[0].Providers != m.Providers {
		t.Fatalf("%+v", list)
	}
	r := kget(t, s, list.Exports[0].Manifest)
	if got := decode[Manifest](t, r); r.StatusCode != 200 || cmp.Diff(*m, got) != "" {
		t.Errorf("the manifest: %d %s", r.StatusCode, cmp.Diff(*m, got))
	}
	for _, f := range m.Files {
		raw, err := os.ReadFile(filepath.Join(dir, strconv.FormatInt(m.Seq, 10), f.Name))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		full := kget(t, s, f.URL)
		tag := full.Header.Get("ETag")
		if full.StatusCode != 200 || full.body != string(raw) || strings.HasPrefix(tag, "W/") || len(tag) < 34 || full.Header.Get("Accept-Ranges") != "bytes" || full.Header.Get("Content-Type") != "application/gzip" ||
			full.Header.Get("Content-Encoding") != "" || full.Header.Get("Repr-Digest") != "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":" || full.Header.Get("Cache-Control") != "public, max-age=60" {
			t.Fatalf("%s: %d, %d bytes, %v", f.Name, full.StatusCode, len(full.body), full.Header)
		}
		head := do(t, s, http.MethodHead, f.URL, withKey...)
		if head.StatusCode != 200 || head.body != "" || head.Header.Get("Content-Length") != strconv.Itoa(len(raw)) || head.Header.Get("ETag") != tag {
			t.Errorf("%s: HEAD %d %v", f.Name, head.StatusCode, head.Header)
		}
		if again := kget(t, s, f.URL, "If-None-Match", tag); again.StatusCode != 304 || again.body != "" {
			t.Errorf("%s: %d with its tag", f.Name, again.StatusCode)
		}
		n := len(raw)
		for _, x := range []struct {
			header, ifRange string
			from, to        int // -1 is the whole
			status          int
		}{
			{"bytes=0-9", "", 0, 10, 206}, {"bytes=10-", tag, 10, n, 206}, {"bytes=-7", "", n - 7, n, 206}, {"bytes=5-" + strconv.Itoa(n+100), "", 5, n, 206}, {"bytes=0-0", tag, 0, 1, 206},
			{"bytes=-" + strconv.Itoa(n+5), "", 0, n, 206}, {"bytes=10-", `"another"`, 0, -1, 200}, {"bytes=10-", "W/" + tag, 0, -1, 200}, {"bytes=0-1,4-5", "", 0, -1, 200}, {"lines=1-2", "", 0, -1, 200}, {"bytes=x", "", 0, -1, 200}, {"bytes=9-3", "", 0, -1, 200},
			{"bytes=" + strconv.Itoa(n) + "-", "", 0, 0, 416}, {"bytes=99999999999999999999-", "", 0, 0, 416}, {"bytes=-0", "", 0, 0, 416},
		} {
			headers := []string{"Range", x.header}
			if x.ifRange != "" {
				headers = append(headers, "If-Range", x.ifRange)
			}
			got := kget(t, s, f.URL, headers...)
			if got.StatusCode != x.status {
				t.Errorf("%s, %s: %d, want %d", f.Name, x.header, got.StatusCode, x.status)
				continue
			}
			switch {
			case x.status == 416:
				if got.Header.Get("Content-Range") != fmt.Sprintf("bytes */%d", n) || decode[problem](t, got).Status != 416 || got.Header.Get("ETag") != "" {
					t.Errorf("%s, %s: %v", f.Name, x.header, got.Header)
				}
			case x.to < 0:
				if got.body != string(raw) || got.Header.Get("Content-Range") != "" {
					t.Errorf("%s, %s: not the whole", f.Name, x.header)
				}
			default:
				if got.body != string(raw[x.from:x.to]) || got.Header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", x.from, x.to-1, n) || got.Header.Get("Content-Length") != strconv.Itoa(x.to-x.from) || got.Header.Get("ETag") != tag {
					t.Errorf("%s, %s: %d bytes, %v", f.Name, x.header, len(got.body), got.Header)
				}
			}
		}
		// Cut off at random, put together again.
		var held []byte
		r := rand.New(rand.NewPCG(5, 6))
		for len(held) < n {
			part := kget(t, s, f.URL, "Range", fmt.Sprintf("bytes=%d-", len(held)), "If-Range", tag)
			held = append(held, part.body[:1+r.IntN(len(part.body))]...)
		}
		unpacked(t, held, f)
	}
	for _, path := range []string{"/api/v1/exports/1/manifest.json", "/api/v1/exports/x/manifest.json", fmt.Sprintf("/api/v1/exports/0%d/manifest.json", m.Seq), fmt.Sprintf("/api/v1/exports/%d/spool", m.Seq), fmt.Sprintf("/api/v1/exports/%d/..%%2f%d%%2fmanifest.json", m.Seq, m.Seq), fmt.Sprintf("/api/v1/exports/%d/", m.Seq), fmt.Sprintf("/api/v1/exports/%d", m.Seq)} {
		if r := kget(t, s, path); r.StatusCode != 404 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if r := kget(t, s, list.Exports[0].Manifest+"?x=1"); r.StatusCode != 400 {
		t.Errorf("a parameter: %d", r.StatusCode)
	}
	for range exportSlots {
		s.exports.slots <- struct{}{}
	}
	if r := kget(t, s, m.Files[0].URL); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("with every slot taken: %d", r.StatusCode)
	}
	for range exportSlots {
		<-s.exports.slots
	}
	if len(s.exports.slots) != 0 {
		t.Errorf("%d slots are still taken", len(s.exports.slots))
	}
}

// Whoever is removed is in no export that is given out from that moment on, and another is written; the newest few are
// kept; one is written when it is asked for, and what was left unfinished goes.
func TestExportsAreTakenBack(t *testing.T) {
	d := newTrial(t)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, unfinished+"crashed", "export"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := demoServer(t, keyed, func(c *Config) { c.Reader, c.Exports = d.store, dir })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.RunExports(ctx, time.Hour, d.store.ExportRequested) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	wait := func(what string, f func([]exportInfo) bool) []exportInfo {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			list := decode[exportsAnswer](t, kget(t, s, "/api/v1/exports")).Exports
			if f(list) {
				return list
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v", what, list)
			}
		}
	}
	first := wait("the first", func(l []exportInfo) bool { return len(l) == 1 })[0]
	ids, err := d.store.Listed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	url := decode[Manifest](t, kget(t, s, first.Manifest)).Files[0].URL
	if r := kget(t, s, url); r.StatusCode != 200 {
		t.Fatalf("%s: %d", url, r.StatusCode)
	}
	q, err := d.store.RequestRemoval(t.Context(), directory.Removal{Kind: "removal", Provider: ids[0]})
	if err == nil {
		_, err = d.store.DecideRemoval(t.Context(), directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "imani", Auth: "test", Note: "asked"})
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * headFor)
	for _, path := range []string{first.Manifest, url} {
		if r := kget(t, s, path); r.StatusCode != 404 {
			t.Errorf("%s after a removal: %d", path, r.StatusCode)
		}
	}
	second := wait("another", func(l []exportInfo) bool { return len(l) == 1 && l[0].Seq > first.Seq })[0]
	if _, err := os.Stat(filepath.Join(dir, strconv.FormatInt(first.Seq, 10))); !os.IsNotExist(err) {
		t.Errorf("what was taken back lies there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, unfinished+"crashed")); !os.IsNotExist(err) {
		t.Errorf("what was never finished lies there: %v", err)
	}
	lines := unpackedURL(t, s, second, 0)
	if bytes.Contains(lines, []byte(ids[0])) || !bytes.Contains(lines, []byte(ids[1])) {
		t.Error("the new export has whom it must not have, or lacks whom it must have")
	}
	if others := unpackedURL(t, s, second, 3); !bytes.Contains(others, []byte(`"id":"`+string(ids[0])+`","removed":true`)) {
		t.Errorf("without a word of who was removed: %s", others)
	}
	// By another process: a server that starts anew gives out what is there, but not what was taken back meanwhile.
	if list := decode[exportsAnswer](t, kget(t, demoServer(t, keyed, func(c *Config) { c.Reader, c.Exports = d.store, dir }), "/api/v1/exports")).Exports; len(list) != 1 || list[0] != second {
		t.Errorf("a server that starts anew gives out %+v", list)
	}
	if q, err = d.store.RequestRemoval(t.Context(), directory.Removal{Kind: "removal", Provider: ids[1]}); err == nil {
		_, err = d.store.DecideRemoval(t.Context(), directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "imani", Auth: "test", Note: "asked"})
	}
	if err != nil {
		t.Fatal(err)
	}
	if list := decode[exportsAnswer](t, kget(t, demoServer(t, keyed, func(c *Config) { c.Reader, c.Exports = d.store, dir }), "/api/v1/exports")).Exports; slices.ContainsFunc(list, func(e exportInfo) bool { return e.Seq == second.Seq }) {
		t.Errorf("a server that starts anew gives out what was taken back: %+v", list)
	}
}

// What is being sent breaks off when the export is taken back.
func TestDownloadsBreakOff(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	var gone atomic.Bool
	left := 0
	d := &download{file: file, part: strings.NewReader("somebody"), gone: &gone, leave: func() { left++ }}
	b := make([]byte, 4)
	if n, err := d.Read(b); n != 4 || err != nil {
		t.Errorf("before: %d, %v", n, err)
	}
	gone.Store(true)
	if n, err := d.Read(b); n != 0 || err != io.ErrUnexpectedEOF {
		t.Errorf("after: %d, %v", n, err)
	}
	if err := d.Close(); err != nil || left != 1 {
		t.Errorf("Close: %v, left %d times", err, left)
	}
}

func unpackedURL(t *testing.T, s *Server, e exportInfo, file int) []byte {
	t.Helper()
	f := decode[Manifest](t, kget(t, s, e.Manifest)).Files[file]
	return unpacked(t, []byte(kget(t, s, f.URL).body), f)
}

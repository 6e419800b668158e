package crawler

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// maxFiles bounds a directory of saved pages.
const maxFiles = 5000

// material is the input of one run: its files with the hash of their bytes, or the pages fetched.
type material struct {
	source string
	recipe *recipe // of a listing site
	info   directory.SourceInfo
	files  []file
	read   *reading // of a listing site read over the network
	lost   []string // pages that could not be had, nor a former copy of them: the release is not whole
	site   *recrawl // how a listing site compares with its last import
	sha    string   // of the bytes; of several files, of their hashes in the order of the names
	size   int64
	name   string // base name only: a path may name a person or a machine
	url    string
}

// file is one file of the input. open may be called again for another pass.
type file struct {
	name string
	size int64
	open func() (io.ReadCloser, error)
	path string
	sum  *sum // of the bytes of an input's own file

	comma rune   // between the columns; a comma if it is 0
	lead  int    // lines in front of the header
	cells bool   // a sheet of a workbook: dates are numbers
	asked string // of an answer: the number that was asked for
}

// sum is the hash of a file's bytes, once they were read, and what the file was before.
type sum struct {
	of []byte
	st os.FileInfo
}

// gather finds the files of an input, or fetches its pages.
func gather(ctx context.Context, src Source, info directory.SourceInfo, in Input, opts Options) (*material, error) {
	m := &material{source: src.ID, recipe: src.recipe, info: info}
	if src.ID == "npi-api" {
		questions, ok, err := registryQuestions(in)
		if err != nil {
			return nil, err
		}
		if ok {
			if info.Terms != "allowed_automated" {
				return nil, directory.Errorf(directory.Refused, "source", "the terms of %s are %q: it may not be asked by a program", info.Name, info.Terms)
			}
			return m, askRegistry(ctx, m, in, questions, opts)
		}
	}
	if in.URL != "" {
		if !src.Listing {
			return nil, directory.Errorf(directory.Invalid, "input", "%s is not fetched by this program: download the file and give its path. %s", src.ID, src.Help)
		}
		if info.Terms != "allowed_automated" {
			return nil, directory.Errorf(directory.Refused, "source", "the terms of %s are %q: its pages may be read only from files that a person saved", info.Name, info.Terms)
		}
		return m, crawl(ctx, m, in, opts)
	}
	paths, err := inputPaths(src, in.Path)
	if err != nil {
		return nil, err
	}
	if len(in.More) > 0 && fileKind(src) == "" {
		return nil, directory.Errorf(directory.Invalid, "input", "%s is read from one file at a time. %s", src.ID, src.Help)
	}
	for _, p := range in.More {
		more, err := inputPaths(src, p)
		if err != nil {
			return nil, err
		}
		paths = append(paths, more...)
	}
	m.name = filepath.Base(filepath.Clean(in.Path))
	if abs, err := filepath.Abs(in.Path); err == nil {
		m.name = filepath.Base(abs)
	}
	for _, p := range paths {
		st, err := os.Stat(p)
		if err != nil {
			return nil, unreadable(filepath.Base(p), err)
		}
		if st.Size() == 0 {
			return nil, invalid(filepath.Base(p), 0, "", "the file is empty: fetch it again")
		}
		m.files = append(m.files, file{name: filepath.Base(p), size: st.Size(), path: p, sum: &sum{st: st}, open: func() (io.ReadCloser, error) { return os.Open(p) }})
		m.size += st.Size()
	}
	return m, nil
}

// inputPaths returns the files of a path: the file itself, or the directory's files of the source's
// kind in order of their names. A directory inside it is not entered.
func inputPaths(src Source, path string) ([]string, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, directory.Errorf(directory.NotFound, "input", "there is no file %s", path)
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !st.IsDir() {
		if !st.Mode().IsRegular() {
			return nil, directory.Errorf(directory.Invalid, "input", "%s is no plain file", path)
		}
		return []string{path}, nil
	}
	want := fileKind(src)
	if want == "" {
		return nil, directory.Errorf(directory.Invalid, "input", "%s is a directory; %s is read from one file. %s", path, src.ID, src.Help)
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, unreadable(path, err)
	}
	var paths []string
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if e.Type().IsRegular() && (ext == want || want == ".html" && ext == ".htm") {
			paths = append(paths, filepath.Join(path, e.Name()))
		}
	}
	if len(paths) == 0 {
		return nil, directory.Errorf(directory.Invalid, "input", "%s holds no %s file. %s", path, want, src.Help)
	}
	if len(paths) > maxFiles {
		return nil, directory.Errorf(directory.Invalid, "input", "%s holds %d files; at most %d are read at once", path, len(paths), maxFiles)
	}
	return paths, nil
}

// fileKind returns the ending of the files of a source that publishes many at once, or "".
func fileKind(src Source) string {
	if src.Listing {
		return ".html"
	}
	return map[string]string{"npi-api": ".json", "nppes": ".csv", "tx-bhec": ".csv"}[src.ID]
}

// hash reads every file that was not hashed while it was surveyed.
func (m *material) hash(ctx context.Context, opts Options) error {
	if m.sha != "" { // pages, or answers
		return nil
	}
	var sums [][]byte
	var done int64
	show := hashing(opts, m.size)
	buf := make([]byte, 256<<10)
	for _, f := range m.files {
		if f.sum.of == nil {
			tap, end := f.tap()
			r, err := f.open()
			if err != nil {
				return unreadable(f.name, err)
			}
			for read := int64(0); err != io.EOF; {
				var n int
				n, err = r.Read(buf)
				tap(buf[:n])
				read += int64(n)
				if err == nil {
					err = ctx.Err()
				}
				if err != nil && err != io.EOF {
					r.Close()
					return unreadable(f.name, err)
				}
				show(f.name, done+read)
			}
			r.Close()
			if err := end(); err != nil {
				return err
			}
		}
		done += f.size
		sums = append(sums, f.sum.of)
	}
	m.sha = hashOf(sums)
	return nil
}

// tap returns what hashes the file's bytes, given all of them in their order, and what is called when they were. A
// file that is longer or shorter than it was, or whose bytes are not those that were hashed before, is refused.
func (f file) tap() (write func([]byte), end func() error) {
	if f.sum == nil {
		return nil, func() error { return nil }
	}
	h, n := sha256.New(), int64(0)
	return func(b []byte) {
			h.Write(b)
			n += int64(len(b))
		}, func() error {
			of := h.Sum(nil)
			if n != f.size || f.sum.of != nil && !bytes.Equal(f.sum.of, of) {
				return changed(f.name)
			}
			f.sum.of = of
			return nil
		}
}

// hashing shows how far the reading before a run is.
func hashing(opts Options, total int64) func(name string, read int64) {
	var told time.Time
	return func(name string, read int64) {
		if opts.Progress == nil {
			return
		}
		if now := opts.tick(); now.Sub(told) >= 100*time.Millisecond {
			told = now
			opts.Progress(Progress{Stage: "hashing", File: name, Read: read, Total: total})
		}
	}
}

// same refuses files that were written to since the import began.
func (m *material) same() error {
	for _, f := range m.files {
		if f.sum == nil {
			continue
		}
		if st, err := os.Stat(f.path); err != nil || !os.SameFile(st, f.sum.st) || st.Size() != f.size || !st.ModTime().Equal(f.sum.st.ModTime()) {
			return changed(f.name)
		}
	}
	return nil
}

// hashOf is the hash of one file's bytes, or of the sorted hashes of several.
func hashOf(sums [][]byte) string {
	if len(sums) == 1 {
		return hex.EncodeToString(sums[0])
	}
	slices.SortFunc(sums, func(a, b []byte) int { return strings.Compare(string(a), string(b)) })
	h := sha256.New()
	for _, s := range sums {
		h.Write(s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// counted counts what is read through it.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

var nameDay = regexp.MustCompile(`(?:^|[^0-9])(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?:[^0-9]|$)`)

// dayInName returns the last day that a publisher wrote into a file's name, "" if there is none.
func dayInName(name string) directory.Date {
	day := directory.Date("")
	for at := 0; at < len(name); {
		loc := nameDay.FindStringSubmatchIndex(name[at:])
		if loc == nil {
			break
		}
		d, err := directory.ParseDate(name[at+loc[2]:at+loc[3]] + "-" + name[at+loc[4]:at+loc[5]] + "-" + name[at+loc[6]:at+loc[7]])
		if err == nil {
			day = d
		}
		at += loc[7] // the sign after one day may stand before the next
	}
	return day
}

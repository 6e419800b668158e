package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kapdir/directory"
)

// getIdle is between two questions of a follower who does not let the server hold them.
const getIdle = 5 * time.Second

// getPart is how much of a file of an export is asked for at once.
const getPart = 4 << 20

// followed is what a follower keeps in its file: how far it is, and of which directory that is a number.
type followed struct {
	Server  string `json:"server"`
	Next    int64  `json:"next"`
	Edition string `json:"edition"`
}

func (g *getter) changesCommand() *cobra.Command {
	var after int64
	var follow bool
	var wait, limit int
	var file string
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "List who changed since a number, and follow the changes",
		Long: `List who changed since a number: of each the newest state, once. Begin with 0, or with the number of an export. With --json each page
is a line, the server's own bytes, with the providers whole.

--follow goes on and waits for what comes, until it is interrupted. --state-file keeps how far it is, after each page that was printed
whole: a follower that is killed goes on from there, and prints a page twice rather than not at all. Drop whoever is removed or merged.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if wait < 0 || wait > 30 {
				return usageError{errors.New("--wait: write 0 to 30 seconds")}
			}
			at := followed{Server: g.base, Next: after}
			if file != "" {
				if err := at.read(file); err != nil {
					return err
				}
			} else if !cmd.Flags().Changed("after") {
				return usageError{errors.New("since which number? --after 0 begins")}
			}
			g.patient = follow
			for {
				q := url.Values{"after": {strconv.FormatInt(at.Next, 10)}}
				if cmd.Flags().Changed("limit") {
					q.Set("limit", strconv.Itoa(limit))
				}
				if follow && wait > 0 {
					q.Set("wait", strconv.Itoa(wait))
				}
				more, err := g.page(q, &at)
				if follow && g.ctx.Err() != nil {
					return nil // whoever follows ends it
				}
				if err != nil {
					return err
				}
				if file != "" {
					if err := at.write(file); err != nil {
						return err
					}
				}
				if !more && !follow {
					return nil
				}
				if !more && wait == 0 {
					if directory.Pause(g.ctx, getIdle) != nil {
						return nil
					}
				}
			}
		},
	}
	cmd.Flags().Int64Var(&after, "after", 0, "the number to go on from: the newest of what you hold")
	cmd.Flags().BoolVar(&follow, "follow", false, "go on, and wait for what comes")
	cmd.Flags().IntVar(&wait, "wait", 30, "with --follow, for how many seconds a question may be held; 0 asks again and again")
	cmd.Flags().IntVar(&limit, "limit", 100, "changes on a page, up to 200")
	cmd.Flags().StringVar(&file, "state-file", "", "file that keeps the number; where it is there already, it goes before --after")
	return cmd
}

// page prints the changes behind at and moves it to the page's end. more: others follow at once.
func (g *getter) page(q url.Values, at *followed) (more bool, err error) {
	res, err := g.ask("/api/v1/changes", q, nil)
	if err != nil {
		return false, err
	}
	var got struct {
		Changes []struct {
			Seq        int64
			ID         string
			Removed    bool
			MergedInto string `json:"merged_into"`
			Withheld   bool
			Provider   *gotPerson
		}
		Next    *int64
		More    bool
		Edition string
	}
	if err := json.Unmarshal(res.Body, &got); err != nil || got.Next == nil || *got.Next < at.Next {
		return false, fmt.Errorf("%s/api/v1/changes answered with something else than a page of changes", g.base)
	}
	if at.Edition != "" && at.Edition != got.Edition {
		fmt.Fprintln(g.err, "The directory says the same in other words since it was last asked: what you hold stays true. To have its new words, begin anew with --after 0.")
	}
	if g.cfg.JSON {
		if len(got.Changes) > 0 {
			_, err = g.out.Write(append(bytes.TrimRight(res.Body, "\n"), '\n'))
		}
	} else {
		var b strings.Builder
		for _, c := range got.Changes {
			what := "changed "
			switch {
			case c.Removed:
				what = "removed "
			case c.Withheld:
				what = "withheld"
			case c.MergedInto != "":
				what = "merged into " + plain(c.MergedInto)
			}
			name := ""
			if c.Provider != nil {
				name = plain(c.Provider.Name)
			}
			fmt.Fprintf(&b, "%9d  %s  %s  %s\n", c.Seq, plain(c.ID), what, name)
		}
		_, err = io.WriteString(g.out, b.String())
	}
	at.Next, at.Edition = *got.Next, got.Edition
	return got.More, err
}

// read takes the number of an earlier follower, if there was one.
func (f *followed) read(file string) error {
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var was followed
	if err := json.Unmarshal(raw, &was); err != nil || was.Next < 0 || was.Server == "" {
		return fmt.Errorf("%s does not hold the number of a follower: name another --state-file", file)
	}
	if was.Server != f.Server {
		return fmt.Errorf("%s holds a number of %s, which means nothing at %s: name another --state-file", file, was.Server, f.Server)
	}
	*f = was
	return nil
}

func (f *followed) write(file string) error {
	return writeWhole(file, func(w io.Writer) error { return json.NewEncoder(w).Encode(f) })
}

// exportFile is a file of an export as its manifest names it.
type exportFile struct {
	Name   string
	Bytes  int64
	SHA256 string
}

func (g *getter) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export DIR",
		Short: "Fetch the newest export of everything public into a directory",
		Long: `Fetch the newest export of everything public into a folder of DIR that has its number. A file gets its name when its SHA-256 is
the manifest's, and manifest.json is written last: where it is, all is there. Whatever was cut off goes on where it was when the
command is run again.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			g.patient = true
			for again := 0; ; again++ {
				err := g.fetchExport(argv[0])
				if errors.Is(err, errTaken) && again < 3 {
					fmt.Fprintln(g.err, "The export was taken back meanwhile; fetching the one in its place.")
					continue
				}
				return err
			}
		},
	}
}

// errTaken is that an export is given out no more, because something in it was taken back.
var errTaken = errors.New("the export is given out no more")

func (g *getter) fetchExport(dir string) error {
	res, err := g.ask("/api/v1/exports", nil, nil)
	if err != nil {
		return err
	}
	var list struct {
		Exports []struct {
			Seq      int64
			Manifest string
		}
	}
	if err := json.Unmarshal(res.Body, &list); err != nil {
		return fmt.Errorf("%s/api/v1/exports answered with something else than kapdir's JSON: %w", g.base, err)
	}
	if len(list.Exports) == 0 {
		return directory.Errorf(directory.Unavailable, "", "no export is there yet: one is being written. Run this again in a minute")
	}
	newest := list.Exports[0]
	if newest.Seq <= 0 || path.Base(newest.Manifest) != "manifest.json" || !strings.HasPrefix(newest.Manifest, "/api/") {
		return fmt.Errorf("%s names an export in a way that this program does not know", g.base)
	}
	dir = filepath.Join(dir, strconv.FormatInt(newest.Seq, 10))
	if res, err = g.ask(newest.Manifest, nil, nil); err != nil {
		return g.taken(dir, nil, err)
	}
	var m struct {
		Seq   int64
		AsOf  string `json:"as_of"`
		Files []exportFile
	}
	if err := json.Unmarshal(res.Body, &m); err != nil || m.Seq != newest.Seq || len(m.Files) == 0 {
		return fmt.Errorf("%s%s is no manifest of this export", g.base, newest.Manifest)
	}
	for _, f := range m.Files { // a server may not name a file of ours elsewhere
		if !exportName(f.Name) || f.Bytes < 0 || len(f.SHA256) != 2*sha256.Size {
			return fmt.Errorf("the manifest names a file %q, which is not taken", plain(f.Name))
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := g.fetchFile(dir, path.Dir(newest.Manifest), f); err != nil {
			return g.taken(dir, m.Files, err)
		}
		if !g.cfg.Quiet {
			fmt.Fprintf(g.err, "%s: %d bytes, as the manifest says\n", f.Name, f.Bytes)
		}
	}
	if err := writeWhole(filepath.Join(dir, "manifest.json"), func(w io.Writer) error { _, err := w.Write(res.Body); return err }); err != nil {
		return err
	}
	if g.cfg.JSON {
		_, err := g.out.Write(res.Body)
		return err
	}
	fmt.Fprintf(g.out, "Export %d, of %s, is whole in %s.\nTo go on from it: kapdir get changes --after %d --follow\n", m.Seq, plain(m.AsOf), dir, m.Seq)
	return nil
}

// exportName reports a plain name that is neither hidden nor one that this program gives by itself.
func exportName(s string) bool {
	return s != "" && s[0] != '.' && s != "manifest.json" && !strings.HasSuffix(s, ".part") &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}

// taken says of an export that is not there any more that it was taken back, and drops what was fetched of it.
func (g *getter) taken(dir string, files []exportFile, err error) error {
	var p *apiProblem
	if !errors.As(err, &p) || p.status != 404 {
		return err
	}
	for _, f := range files {
		_ = os.Remove(filepath.Join(dir, f.Name))
		_ = os.Remove(filepath.Join(dir, f.Name+".part"))
	}
	_ = os.Remove(filepath.Join(dir, "manifest.json"))
	_ = os.Remove(dir) // if nothing else is in it
	return fmt.Errorf("%w: %w", errTaken, p)
}

// fetchFile fetches a file part by part, behind what an earlier run has of it.
func (g *getter) fetchFile(dir, from string, f exportFile) error {
	name := filepath.Join(dir, f.Name)
	if whole, err := os.Open(name); err == nil {
		sum := sha256.New()
		_, err := io.Copy(sum, whole)
		if err := errors.Join(err, whole.Close()); err != nil {
			return err
		}
		if hex.EncodeToString(sum.Sum(nil)) == f.SHA256 {
			return nil
		}
	}
	for range 2 { // what an earlier run left may be of something else: then once more from the beginning
		sum, err := g.fetchParts(name+".part", from+"/"+f.Name, f.Bytes)
		if err != nil {
			return err
		}
		if sum == f.SHA256 {
			return os.Rename(name+".part", name)
		}
		if err := os.Remove(name + ".part"); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s%s/%s is not what its manifest says, by its SHA-256: nothing of it was kept", g.base, from, f.Name)
}

// fetchParts completes a file that has size bytes in the end, and returns its SHA-256 in hex.
func (g *getter) fetchParts(name, from string, size int64) (string, error) {
	out, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer out.Close()
	sum := sha256.New()
	have, err := io.Copy(sum, out)
	if err != nil {
		return "", err
	}
	tag := ""
	for have < size {
		header := map[string][]string{"Range": {fmt.Sprintf("bytes=%d-%d", have, min(have+getPart, size)-1)}}
		if tag != "" {
			header["If-Range"] = []string{tag}
		}
		res, err := g.ask(from, nil, header)
		if err != nil {
			return "", err
		}
		switch {
		case res.Status == 206 && strings.HasPrefix(res.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", have)):
		case res.Status == 200: // the whole: the file is another, or no parts are sent
			sum.Reset()
			have = 0
			if _, err := out.Seek(0, io.SeekStart); err != nil {
				return "", err
			}
			if err := out.Truncate(0); err != nil {
				return "", err
			}
		default:
			return "", fmt.Errorf("%s%s was answered with another part than the one asked for", g.base, from)
		}
		if len(res.Body) == 0 || have+int64(len(res.Body)) > size {
			return "", fmt.Errorf("%s%s has another size than its manifest says", g.base, from)
		}
		if _, err := out.Write(res.Body); err != nil {
			return "", err
		}
		_, _ = sum.Write(res.Body)
		have, tag = have+int64(len(res.Body)), res.Header.Get("Etag")
	}
	return hex.EncodeToString(sum.Sum(nil)), out.Sync()
}

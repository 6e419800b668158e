package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"kapdir/crawler"
	"kapdir/directory"
	"kapdir/directory/store"
)

// sourcesTemplate documents the operator's file by being one.
//
//go:embed sources.yaml
var sourcesTemplate string

func (a *app) importAllCommand() *cobra.Command {
	var from string
	var template, dryRun bool
	var show int
	cmd := &cobra.Command{
		Use:   "all",
		Short: "Import every source that is due, by the operator's file",
		Long: `Import every source of the operator's file that is due: whose last completed run is longer ago than its
"every" says. What is not due is skipped, a source that fails does not keep the others from being imported, and
a table at the end says what became of each. Run it daily, by cron or a timer; one that was cut off is simply
run again, and takes up each file where it stopped.

Exit status: 0 all that was due is imported, 1 a source failed, 2 wrong usage, 3 imported with rows in quarantine.`,
		Example: `  kapdir import all --template > sources.yaml
  kapdir import all --from sources.yaml --dry-run
  kapdir import all --from sources.yaml --quiet --json`,
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if template {
				_, err := io.WriteString(a.out, sourcesTemplate)
				return err
			}
			if from == "" {
				return usageError{errors.New("--from names the operator's file; --template writes one to begin with")}
			}
			return a.importAll(from, dryRun, show)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the operator's file: which source, where, how often")
	cmd.Flags().BoolVar(&template, "template", false, "write a file to begin with, and stop")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "say what is due and what would change, and change nothing")
	cmd.Flags().IntVar(&show, "show", 10, "with --dry-run: rows of each kind of change to show")
	return cmd
}

// sourcesFile is the operator's file: which sources there are beside those that ship with the program, and
// what is imported from where, how often. sources.yaml says what each key means.
type sourcesFile struct {
	Partners []directory.SourceInfo
	Sources  []sourceEntry
}

// sourceEntry is one thing to import.
type sourceEntry struct {
	Source  string `yaml:"source"`
	Where   string `yaml:"where"`
	Every   string `yaml:"every"`
	Take    string `yaml:"take"` // newest or all, of several files that fit
	Options struct {
		AsOf    string `yaml:"as_of"`
		Release string `yaml:"release"`
		All     bool   `yaml:"all"`
		Rows    bool   `yaml:"rows"` // of a listing site: the file has rows, not pages
	} `yaml:"options"`

	every interval
	asOf  directory.Date
	rows  bool
}

// readSourcesFile reads the operator's file and holds it to what the program knows, before anything is
// imported. Paths in it are taken from where it lies.
func (a *app) readSourcesFile(path string) (sourcesFile, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return sourcesFile{}, directory.Errorf(directory.NotFound, "from", "the operator's file cannot be read: %w; kapdir import all --template writes one to begin with", err)
	}
	return a.parseSourcesFile(filepath.Base(path), filepath.Dir(path), raw)
}

func (a *app) parseSourcesFile(name, dir string, raw []byte) (sourcesFile, error) {
	var out sourcesFile
	var in struct {
		Partners []struct {
			ID, Name, Short, Publisher, URL, Licence, Attribution, Terms, Note string
			Class                                                              directory.SourceClass
			Republish                                                          *bool `yaml:"may_republish"`
		} `yaml:"partners"`
		Sources []sourceEntry `yaml:"sources"`
	}
	wrong := func(format string, args ...any) (sourcesFile, error) {
		return sourcesFile{}, directory.Errorf(directory.Invalid, "from", name+": "+format, args...)
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		return wrong("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	for _, p := range in.Partners {
		x := directory.SourceInfo{ID: p.ID, Name: p.Name, Short: p.Short, Class: p.Class, Publisher: p.Publisher, URL: p.URL, Licence: p.Licence,
			Attribution: p.Attribution, Terms: p.Terms, Note: p.Note}
		if p.Republish != nil {
			x.MayRepublish = fmt.Sprint(*p.Republish)
		}
		x, err := directory.CheckPartner(x)
		if err != nil {
			return wrong("partners: %w", err)
		}
		if slices.ContainsFunc(out.Partners, func(y directory.SourceInfo) bool { return y.ID == x.ID }) {
			return wrong("partners: %s stands there twice", x.ID)
		}
		out.Partners = append(out.Partners, x)
	}
	for i, e := range in.Sources {
		_, partner := directory.Tables().Source(e.Source)
		partner = partner || slices.ContainsFunc(out.Partners, func(p directory.SourceInfo) bool { return p.ID == e.Source })
		src, known := a.findSource(e.Source)
		e.rows = !known || src.Listing && e.Options.Rows
		var err error
		switch {
		case e.Source == "" || e.Where == "" || e.Every == "":
			return wrong("sources, entry %d: source, where and every are needed", i+1)
		case !known && !partner:
			return wrong("sources, entry %d: %q is neither a source (kapdir import --help lists them) nor described under partners", i+1, e.Source)
		case e.Take != "" && e.Take != "newest" && e.Take != "all":
			return wrong("sources, entry %d: take is newest or all, not %q", i+1, e.Take)
		}
		if e.every, err = parseInterval(e.Every); err != nil {
			return wrong("sources, entry %d: every: %w", i+1, err)
		}
		if e.Options.AsOf != "" {
			if e.asOf, err = directory.ParseDate(e.Options.AsOf); err != nil {
				return wrong("sources, entry %d: as_of: %w", i+1, err)
			}
		}
		if !isURL(e.Where) && !filepath.IsAbs(e.Where) {
			e.Where = filepath.Join(dir, e.Where)
		}
		if _, err := filepath.Match(e.Where, "x"); err != nil {
			return wrong("sources, entry %d: where: %q is no pattern of file names", i+1, e.Where)
		}
		out.Sources = append(out.Sources, e)
	}
	if len(out.Sources)+len(out.Partners) == 0 {
		return wrong("names no source and no partner: kapdir import all --template writes a file to begin with")
	}
	return out, nil
}

func isURL(s string) bool { return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") }

// interval is how often a source is imported.
type interval struct {
	months, days int
	hours        time.Duration
}

func parseInterval(s string) (interval, error) {
	switch s {
	case "hourly":
		return interval{hours: time.Hour}, nil
	case "daily":
		return interval{days: 1}, nil
	case "weekly":
		return interval{days: 7}, nil
	case "monthly":
		return interval{months: 1}, nil
	}
	n, unit := 0, ""
	if k, err := fmt.Sscanf(s, "%d%s", &n, &unit); err == nil && k == 2 && n > 0 && n <= 1000 {
		switch unit {
		case "h":
			return interval{hours: time.Duration(n) * time.Hour}, nil
		case "d":
			return interval{days: n}, nil
		}
	}
	return interval{}, fmt.Errorf("%q is not one of hourly, daily, weekly, monthly, 24h, 7d", s)
}

// after returns when a source is due that was imported at t. A month after 31 January is 28 February.
func (v interval) after(t directory.Instant) directory.Instant {
	at := t.Time()
	if v.months > 0 {
		day := at.Day()
		at = at.AddDate(0, v.months, 1-day) // the first of that month
		last := at.AddDate(0, 1, -1).Day()
		at = at.AddDate(0, 0, min(day, last)-1)
	}
	return directory.At(at.AddDate(0, 0, v.days).Add(v.hours))
}

// files returns what an entry's pattern fits, in the order in which it is imported: by the day in the name,
// else by when the file was written. Of several, the newest alone unless all are asked for.
func (e sourceEntry) files() ([]string, error) {
	if isURL(e.Where) {
		return []string{e.Where}, nil
	}
	names, err := filepath.Glob(e.Where)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, directory.Errorf(directory.NotFound, "where", "no file fits %s: fetch it, or correct the operator's file", e.Where)
	}
	type dated struct {
		path string
		day  directory.Date
		mod  time.Time
	}
	var all []dated
	for _, n := range names {
		info, err := os.Stat(n)
		if err != nil {
			return nil, directory.Errorf(directory.Unavailable, "where", "%s cannot be read: %w", filepath.Base(n), err)
		}
		if ext := filepath.Ext(n); e.rows && rejectsEnd.MatchString(strings.TrimSuffix(n, ext)) {
			continue // rows that wait to be corrected
		}
		d := dated{n, crawler.DayInName(filepath.Base(n)), info.ModTime()}
		if d.day == "" {
			d.day = directory.At(d.mod).Date()
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b dated) int {
		return cmp.Or(strings.Compare(string(a.day), string(b.day)), a.mod.Compare(b.mod), strings.Compare(a.path, b.path))
	})
	if e.Take != "all" && len(all) > 1 {
		all = all[len(all)-1:]
	}
	names = nil
	for _, d := range all {
		names = append(names, d.path)
	}
	return names, nil
}

// last returns the newest completed run of the entry: of its source, and where several entries have the same
// source, of a file that this one's pattern fits.
func (e sourceEntry) last(runs []directory.Run, shared bool) (directory.Run, bool) {
	for _, r := range runs {
		if r.Release.Source != e.Source || r.Outcome != "done" {
			continue
		}
		if fits, _ := filepath.Match(filepath.Base(e.Where), r.Release.File); shared && !fits && r.Release.URL != e.Where {
			continue
		}
		return r, true
	}
	return directory.Run{}, false
}

// allImported is the answer of import all.
type allImported struct {
	DryRun  bool         `json:"dry_run,omitempty"`
	Sources []entryState `json:"sources"`
	Failed  int          `json:"failed"`
}

// entryState is what became of one entry, or of one file of it.
type entryState struct {
	Source  string            `json:"source"`
	File    string            `json:"file,omitempty"`
	State   string            `json:"state"` // imported, already, skipped, failed; due in a dry run
	Last    directory.Instant `json:"last,omitempty"`
	NextDue directory.Instant `json:"next_due,omitempty"`
	Import  *imported         `json:"import,omitempty"`
	Error   string            `json:"error,omitempty"`
}

func (a *app) importAll(from string, dryRun bool, show int) error {
	file, err := a.readSourcesFile(from)
	if err != nil {
		return err
	}
	st, err := a.openStore(a.clock())
	if err != nil {
		return err
	}
	defer st.Close()
	if err := a.learn(st, file.Partners, dryRun); err != nil {
		return err
	}
	ans := allImported{DryRun: dryRun, Sources: []entryState{}}
	now := directory.At(a.clock()())
	known, err := st.RunsOf(a.ctx, "", 0)
	if err != nil {
		return err
	}
	entries := map[string]int{}
	for _, e := range file.Sources {
		entries[e.Source]++
	}
	for _, e := range file.Sources { // what is due is settled before anything is imported
		x := entryState{Source: e.Source, File: filepath.Base(e.Where)}
		if last, ok := e.last(known, entries[e.Source] > 1); ok {
			x.Last, x.NextDue = last.Ended, e.every.after(last.Ended)
		}
		if x.NextDue > now {
			x.State = "skipped"
			ans.Sources = append(ans.Sources, x)
			continue
		}
		for _, y := range a.importEntry(st, e, x, known, dryRun, show) {
			if y.State == "failed" {
				ans.Failed++
			}
			if y.Import != nil && y.Import.rejected() > 0 {
				a.exit = exitRejected
			}
			if y.State == "imported" || y.State == "already" {
				y.NextDue = e.every.after(cmp.Or(y.Import.Run.Ended, now))
			}
			ans.Sources = append(ans.Sources, y)
		}
		if a.ctx.Err() != nil {
			return a.ctx.Err()
		}
	}
	if err := a.answer(ans, ans.write); err != nil {
		return err
	}
	if ans.Failed > 0 {
		return fmt.Errorf("%d of %d could not be imported; what is said below the table tells why, and the next run tries them again", ans.Failed, len(ans.Sources))
	}
	return nil
}

// importEntry imports what an entry names. One file that fails ends the entry: those behind it may be changes
// to it. Where all files that fit are taken, each is taken once: an old one never comes back over a newer one.
func (a *app) importEntry(st *store.Store, e sourceEntry, x entryState, runs []directory.Run, dryRun bool, show int) []entryState {
	failed := func(x entryState, err error) entryState {
		x.State, x.Error = "failed", err.Error()
		return x
	}
	paths, err := e.files()
	if err == nil && len(paths) == 0 {
		err = directory.Errorf(directory.NotFound, "where", "no file fits %s", e.Where)
	}
	if err != nil {
		return []entryState{failed(x, err)}
	}
	var out []entryState
	for _, path := range paths {
		x.File = filepath.Base(path)
		if i := slices.IndexFunc(runs, func(r directory.Run) bool {
			info, err := os.Stat(path)
			return r.Release.Source == e.Source && r.Outcome == "done" && r.Release.File == x.File && err == nil && r.Release.Size == info.Size() &&
				(!e.rows || hasBytes(path, r.Release.SHA256))
		}); i >= 0 && e.Take == "all" {
			y := x
			y.State, y.Import = "already", &imported{Source: e.Source, Run: directory.Run{ID: runs[i].ID, Number: runs[i].Number, Release: runs[i].Release, Already: true}}
			out = append(out, y)
			continue
		}
		opts := crawler.Options{AsOf: e.asOf, Release: e.Options.Release, All: e.Options.All}
		var ans imported
		if e.rows {
			ans, err = a.importRows(st, listingsImport{file: path, source: e.Source, dryRun: dryRun, show: show, opts: opts})
		} else {
			src, _ := a.findSource(e.Source)
			ans, err = a.importInto(st, src, []string{path}, opts, dryRun, show)
		}
		y := x
		y.Import = &ans
		switch {
		case err != nil:
			return append(out, failed(y, err))
		case ans.Run.Already:
			y.State = "already"
		case dryRun:
			y.State = "due"
		default:
			y.State = "imported"
		}
		out = append(out, y)
	}
	return out
}

// hasBytes reports that a file holds what was imported: a partner's correction may be as long as what it corrects.
func hasBytes(path, sum string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return err == nil && hex.EncodeToString(h.Sum(nil)) == sum
}

func (x allImported) write(w io.Writer) {
	for _, s := range x.Sources {
		switch {
		case s.Import == nil || s.State == "already" || s.State == "failed":
		case x.DryRun:
			s.Import.write(w)
			fmt.Fprintln(w)
		default:
			s.Import.writeRows(w)
		}
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "SOURCE\tFILE\tSTATE\tREAD\tADDED\tCHANGED\tREMOVED\tREJECTED\tNEXT DUE")
	for _, s := range x.Sources {
		fmt.Fprintf(t, "%s\t%s\t%s\t", s.Source, s.File, s.State)
		if i := s.Import; i != nil && s.State != "already" {
			c := i.Run.Counts
			fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t", c.Read, c.Added, c.Changed, c.Removed, c.Rejected+c.Fields)
		} else {
			fmt.Fprint(t, "-\t-\t-\t-\t-\t")
		}
		fmt.Fprintln(t, cmp.Or(minute(s.NextDue), "now"))
	}
	_ = t.Flush()
	for _, s := range x.Sources {
		if s.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", s.Source, s.Error)
		}
	}
}

// minute is a moment as a table has room for it.
func minute(i directory.Instant) string {
	if i == "" {
		return ""
	}
	return i.Time().Format("2006-01-02 15:04Z")
}

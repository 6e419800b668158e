package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/web"
)

// packSchema names the form of an audit pack.
const packSchema = "kapdir.pack/1"

// packManifest is manifest.json of a pack: how it was made, and the hash of each of its files.
type packManifest struct {
	Schema    string            `json:"schema"`
	Program   string            `json:"program"`
	MadeAt    directory.Instant `json:"made_at"`
	At        directory.Instant `json:"at"`
	Known     directory.Instant `json:"known"`
	From      directory.Instant `json:"from,omitempty"`
	To        directory.Instant `json:"to,omitempty"`
	Head      directory.Head    `json:"head"`
	Policy    string            `json:"policy"`
	Universe  int               `json:"universe"`
	Sample    *packSample       `json:"sample,omitempty"` // how the providers were drawn; absent when they were named
	Providers []directory.ID    `json:"providers"`
	Withheld  map[string]int    `json:"withheld,omitempty"`
	Files     []packedFile      `json:"files"`
}

type packSample struct {
	Method string `json:"method"`
	Seed   string `json:"seed"`
	Asked  int    `json:"asked"`
	Drawn  int    `json:"drawn"`
}

type packedFile struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// packOrder is what the command was asked.
type packOrder struct {
	who      []string
	sample   int
	seed     string
	from, to directory.Instant
}

func (a *app) auditPackCommand() *cobra.Command {
	var o packOrder
	var from, to string
	cmd := &cobra.Command{
		Use:   "pack [PROVIDER...] DIR",
		Short: "Write what an auditor asks for about some providers",
		Long: `Write into DIR, which must be empty or not there yet, what an auditor asks for: for each provider a page to
read and print, tables, evidence and the statements published; for the whole the universe, the sample and
how to draw it again, policies, sources, imports, and every change in the period. PROVIDER is an identifier
or an NPI; --sample draws providers at random instead, by the hashes of seed and identifier, so that anybody
with the universe draws the same.

Everything about the providers is worked out from DIR/export.jsonl, as whoever receives the pack can do:

  kapdir audit check DIR                      hashes, sample and statements
  kapdir audit derive DIR/export.jsonl        every statement, also for another day

Files are readable for their owner alone. Social Security numbers, DEA numbers and birth dates are in none.
--from and --to bound what is listed as changed, decided and monitored; with --to everything stands as it
was shown at the end of that day.`,
		Example: "  kapdir audit pack --sample 30 --seed 2026-Q4 --from 2026-07-01 --to 2026-09-30 audit-2026-q3\n  kapdir audit pack 1234567893 one-file",
		Args:    args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, argv []string) error {
			dir := argv[len(argv)-1]
			o.who = argv[:len(argv)-1]
			var err error
			switch {
			case o.sample < 0 || cmd.Flags().Changed("sample") && o.sample == 0:
				return usageError{errors.New("--sample: at least one provider is drawn")}
			case o.sample > 0 && len(o.who) > 0:
				return usageError{errors.New("name providers or draw them with --sample, not both")}
			case o.sample == 0 && len(o.who) == 0:
				return usageError{fmt.Errorf("name a provider, or draw some with --sample\nUsage: %s", cmd.UseLine())}
			case o.sample > 0 && o.seed == "":
				return usageError{errors.New("--sample needs a --seed, any words: whoever knows them can draw the same sample")}
			}
			if o.from, err = periodEnd("--from", from, false); err != nil {
				return err
			}
			if o.to, err = periodEnd("--to", to, true); err != nil {
				return err
			}
			if o.to != "" && o.to < o.from {
				return usageError{errors.New("--to lies before --from")}
			}
			if err := emptyDir(dir); err != nil {
				return err
			}
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			m, err := a.pack(st, dir, o)
			if err != nil {
				return err
			}
			return a.answer(m, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d providers of %d, as of %s, %d files\n", dir, len(m.Providers), m.Universe, m.At, len(m.Files)+1)
				for _, what := range keys(m.Withheld) {
					fmt.Fprintf(w, "withheld: %s, %d times\n", what, m.Withheld[what])
				}
				if raw, err := os.ReadFile(filepath.Join(dir, "manifest.json")); err == nil {
					fmt.Fprintf(w, "SHA-256 of manifest.json, which names all others: %x\nStart with %s\n", sha256.Sum256(raw), filepath.Join(dir, "README.md"))
				}
			})
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.sample, "sample", 0, "draw this many providers at random")
	f.StringVar(&o.seed, "seed", "", "any words that the sample is drawn with")
	f.StringVar(&from, "from", "", "list what was recorded from this day or moment on")
	f.StringVar(&to, "to", "", "list what was recorded through this day or moment, and show everything as it was then")
	return cmd
}

// periodEnd reads a day or a moment; a day that ends a period is taken to its last millisecond.
func periodEnd(flag, text string, last bool) (directory.Instant, error) {
	if text == "" {
		return "", nil
	}
	i, err := directory.ParseInstant(text)
	if err != nil {
		return "", usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	if _, err := directory.ParseDate(text); err == nil && last {
		i = i.AddDays(1).Add(-time.Millisecond)
	}
	return i, nil
}

// emptyDir makes the directory for its owner alone, or takes one that is empty.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return directory.Errorf(directory.Refused, "", "%s cannot be made: %w", dir, err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return directory.Errorf(directory.Refused, "", "%s cannot be read: %w", dir, err)
	}
	if len(list) > 0 {
		return directory.Errorf(directory.Refused, "", "%s is not empty: an audit pack goes into a directory of its own", dir)
	}
	return os.Chmod(dir, 0o700)
}

// packer writes the files of a pack and remembers them.
type packer struct {
	dir      string
	manifest packManifest
}

// file writes one file of the pack.
func (p *packer) file(name string, body []byte) error {
	full := filepath.Join(p.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(full, body, 0o600); err != nil {
		return err
	}
	p.manifest.Files = append(p.manifest.Files, packedFile{name, hexOf(body), int64(len(body))})
	return nil
}

// stream writes one file of the pack as it comes.
func (p *packer) stream(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(filepath.Join(p.dir, filepath.FromSlash(name)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	n := &counting{w: io.MultiWriter(f, h)}
	if err := errors.Join(write(n), f.Close()); err != nil {
		return err
	}
	p.manifest.Files = append(p.manifest.Files, packedFile{name, hex.EncodeToString(h.Sum(nil)), n.n})
	return nil
}

type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// table writes a CSV file. What a spreadsheet would take for a formula is marked as text.
func (p *packer) table(name string, rows [][]string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, r := range rows {
		if err := w.Write(directory.PlainCells(r)); err != nil {
			return err
		}
	}
	w.Flush()
	return p.file(name, b.Bytes())
}

func hexOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// actor is somebody who acted in the period, as the events name them.
type actorRow struct {
	who         string
	kind        directory.ActorKind
	n           int
	reviews     int
	first, last directory.Instant
}

func (a *app) pack(st *store.Store, dir string, o packOrder) (packManifest, error) {
	p := &packer{dir: dir}
	m := &p.manifest
	var chosen []directory.ID
	var policies directory.Policies
	var published map[directory.ID][]byte
	evidence := map[string]directory.ExportEvidence{}
	actors := map[string]*actorRow{}
	var runs []directory.Run
	err := st.View(a.ctx, func(v *store.View) error {
		at, known := v.Moment()
		if o.to != "" && o.to < at {
			at, known = o.to, o.to
		}
		policies = v.Policies()
		*m = packManifest{Schema: packSchema, Program: "kapdir " + version, MadeAt: v.Now, At: at, Known: known, From: o.from, To: o.to, Head: v.Head,
			Policy: policies.InForce(at, known).Version}
		universe := [][]string{{"provider", "name", "kind", "listed_as", "state", "npi"}}
		var ids []directory.ID
		names := map[directory.ID][]string{}
		err := v.EachFile(func(f *directory.CredentialFile, public bool) error {
			if public && web.Stated(f, at, known, policies) {
				pr := &f.Provider
				row := []string{string(pr.ID), directory.Withhold(pr.DisplayName()), string(pr.Kind), string(pr.ListedAs), string(pr.HomeState()), string(pr.NPI)}
				universe, ids = append(universe, row), append(ids, pr.ID)
				names[pr.ID] = row
			}
			return nil
		})
		if err != nil {
			return err
		}
		m.Universe = len(ids)
		if chosen, err = choose(v, o, ids); err != nil {
			return err
		}
		sample := [][]string{{"rank", "provider", "name", "key"}}
		for i, id := range chosen {
			key := ""
			if o.sample > 0 {
				key = directory.SampleKey(o.seed, id)
			}
			sample = append(sample, []string{strconv.Itoa(i + 1), string(id), names[id][1], key})
		}
		if o.sample > 0 {
			m.Sample = &packSample{directory.SampleMethod, o.seed, o.sample, len(chosen)}
		}
		m.Providers = chosen
		if err := cmp.Or(p.table("universe.csv", universe), p.table("sample.csv", sample)); err != nil {
			return err
		}
		err = p.stream("export.jsonl", func(w io.Writer) error {
			out, err := v.Export(w, store.ExportOptions{Program: m.Program, Only: chosen, Evidence: func(e directory.ExportEvidence) error {
				evidence[e.SHA256] = e
				return nil
			}})
			m.Withheld = out.Withheld
			return err
		})
		if err != nil {
			return err
		}
		if published, err = publishedBy(v, chosen, at, known); err != nil {
			return err
		}
		if runs, err = v.Runs(); err != nil {
			return err
		}
		return p.stream("modifications.csv", func(w io.Writer) error { return modifications(v, w, o, actors) })
	})
	if err != nil {
		return *m, err
	}

	// From here on everything comes from the export, as it does for whoever receives the pack.
	raw, err := os.Open(filepath.Join(dir, "export.jsonl"))
	if err != nil {
		return *m, err
	}
	defer raw.Close()
	x, err := directory.ReadExport(raw, nil)
	if err != nil {
		return *m, err
	}
	for _, id := range chosen {
		f := x.File(id)
		if f == nil {
			return *m, directory.Errorf(directory.Internal, "", "the export lacks %s", id)
		}
		if err := p.provider(x, f, evidence); err != nil {
			return *m, err
		}
		if again, err := statementsOf(x, f, m.At, m.Known); err != nil || !bytes.Equal(again, published[id]) {
			return *m, cmp.Or(err, error(directory.Errorf(directory.Internal, "", "what the export of %s gives is not what is published: this is a fault of the program, or something published had to be withheld", id)))
		}
	}
	if err := p.programme(x, runs, actors); err != nil {
		return *m, err
	}
	if err := p.file("README.md", readme(*m, x, runs, actors)); err != nil {
		return *m, err
	}
	slices.SortFunc(m.Files, func(a, b packedFile) int { return strings.Compare(a.Path, b.Path) })
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return *m, err
	}
	return *m, os.WriteFile(filepath.Join(dir, "manifest.json"), append(body, '\n'), 0o600)
}

// choose returns the providers of the pack: those drawn, or those named, in that order.
func choose(v *store.View, o packOrder, universe []directory.ID) ([]directory.ID, error) {
	if o.sample > 0 {
		if len(universe) == 0 {
			return nil, directory.Errorf(directory.NotFound, "", "there is no provider to draw from")
		}
		return directory.Draw(universe, o.seed, o.sample), nil
	}
	var out []directory.ID
	for _, word := range o.who {
		found, err := v.Find(word)
		if err != nil {
			return nil, err
		}
		public := slices.DeleteFunc(slices.Clone(found), func(id directory.ID) bool { return !slices.Contains(universe, id) })
		switch {
		case len(found) == 0:
			return nil, directory.Errorf(directory.NotFound, "", "there is no provider %q: name an identifier or an NPI", word)
		case len(public) == 0:
			return nil, directory.Errorf(directory.Gone, "", "%s has no public page at that moment: it was withdrawn, merged, or not listed yet", word)
		case len(public) > 1:
			return nil, directory.Errorf(directory.Conflict, "", "%s is the NPI of several providers: name one of %v", word, public)
		}
		if !slices.Contains(out, public[0]) {
			out = append(out, public[0])
		}
	}
	return out, nil
}

// publishedBy derives from the store what the pack derives from its export.
func publishedBy(v *store.View, ids []directory.ID, at, known directory.Instant) (map[directory.ID][]byte, error) {
	files, err := v.Files(ids)
	if err != nil {
		return nil, err
	}
	out := map[directory.ID][]byte{}
	for _, f := range files {
		var b bytes.Buffer
		q := question{atI: at, knownI: known}
		if err := q.answer(&b, f, true, v.Policies()); err != nil {
			return nil, err
		}
		out[f.Provider.ID] = b.Bytes()
	}
	return out, nil
}

// statementsOf derives the statements of a provider from an export.
func statementsOf(x *directory.Export, f *directory.CredentialFile, at, known directory.Instant) ([]byte, error) {
	var b bytes.Buffer
	q := question{atI: at, knownI: known}
	err := q.answer(&b, f, true, x.Policies)
	return b.Bytes(), err
}

// modifications writes a row for every event of the period, of whichever provider: that it was, and who made
// it, and not what it says.
func modifications(v *store.View, w io.Writer, o packOrder, actors map[string]*actorRow) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"event", "recorded_at", "performed_at", "provider", "claim", "kind", "type", "actor", "supersedes", "reason"}); err != nil {
		return err
	}
	err := v.EachChange(o.from, o.to, func(e directory.Event, provider directory.ID, kind directory.ClaimKind) error {
		by := directory.Withhold(who(e.Actor))
		if e.Actor.Kind != directory.ByProvider { // who of us acted: staff, tools, issuers
			act := actors[by]
			if act == nil {
				act = &actorRow{who: by, kind: e.Actor.Kind, first: e.RecordedAt}
				actors[by] = act
			}
			act.n, act.last = act.n+1, e.RecordedAt
			if e.Type == directory.Review || e.Type == directory.Decide {
				act.reviews++
			}
		}
		return out.Write(directory.PlainCells([]string{seqText(e.Seq), string(e.RecordedAt), string(e.PerformedAt), string(provider), string(e.Claim), string(kind), string(e.Type), by, seqText(e.Supersedes), strings.Join(e.Reason, " ")}))
	})
	out.Flush()
	return cmp.Or(err, out.Error())
}

// provider writes the folder of one provider.
func (p *packer) provider(x *directory.Export, f *directory.CredentialFile, evidence map[string]directory.ExportEvidence) error {
	m := &p.manifest
	folder := "providers/" + string(f.Provider.ID) + "/"
	d := dossierOf(x, f, evidence, m.At, m.Known, m.From, m.To)
	var page bytes.Buffer
	if err := d.page(&page); err != nil {
		return err
	}
	statements, err := statementsOf(x, f, m.At, m.Known)
	if err != nil {
		return err
	}
	if err := cmp.Or(p.file(folder+"file.html", page.Bytes()), p.table(folder+"elements.csv", d.elements()), p.table(folder+"decisions.csv", d.decisions()),
		p.table(folder+"changes.csv", d.changes()), p.table(folder+"monitoring.csv", d.monitoring()), p.table(folder+"adverse.csv", d.adverse()),
		p.file(folder+"statements.jsonl", statements)); err != nil {
		return err
	}
	cited := map[string]bool{}
	for _, h := range f.Claims {
		for _, e := range h.Events {
			for _, sum := range e.Evidence {
				cited[sum] = true
			}
		}
	}
	for _, sum := range keys(cited) {
		e, ok := evidence[sum]
		if !ok || len(sum) != 64 {
			continue
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := cmp.Or(enc.Encode(e), p.file(folder+"evidence/"+sum+".json", b.Bytes())); err != nil {
			return err
		}
	}
	return nil
}

// programme writes the tables about the whole: policies, approved sources, releases of the rules, imports, and who acted.
func (p *packer) programme(x *directory.Export, runs []directory.Run, actors map[string]*actorRow) error {
	limits := [][]string{{"policy", "valid_from", "kind", "recheck_days", "stale_after_days", "expiring_days", "second_person"}}
	approved := [][]string{{"policy", "source", "kinds", "jurisdiction", "name", "publisher", "url"}}
	for _, pol := range x.Policies {
		for _, kind := range directory.ClaimKinds {
			k := pol.Kinds[kind]
			limits = append(limits, []string{pol.Version, string(pol.ValidFrom), string(kind), limitOf(k.Recheck), limitOf(k.Stale), limitOf(k.Expiring), strings.Join(k.SecondPerson, " ")})
		}
		for _, s := range pol.Approved {
			var kinds []string
			for _, k := range s.Kinds {
				kinds = append(kinds, string(k))
			}
			info, _ := pol.Tables().Source(s.Source)
			approved = append(approved, []string{pol.Version, s.Source, strings.Join(kinds, " "), string(s.Jurisdiction), info.Name, info.Publisher, info.URL})
		}
	}
	rules := [][]string{{"recorded_at", "file", "sha256"}}
	for _, r := range x.Rules {
		rules = append(rules, []string{string(r.RecordedAt), r.File, r.SHA256})
	}
	imports := [][]string{{"run", "source", "release", "source_as_of", "started", "ended", "outcome", "file", "sha256", "read", "rejected", "matched", "events"}}
	for _, r := range runs {
		imports = append(imports, []string{seqText(r.Number), r.Release.Source, r.Release.Name, string(r.Release.AsOf), string(r.Started), string(r.Ended), r.Outcome, r.Release.File, r.Release.SHA256,
			strconv.Itoa(r.Counts.Read), strconv.Itoa(r.Counts.Rejected), strconv.Itoa(r.Matched), strconv.Itoa(r.Events)})
	}
	people := [][]string{{"actor", "kind", "events", "decisions", "first", "last"}}
	for _, k := range keys(actors) {
		act := actors[k]
		people = append(people, []string{act.who, string(act.kind), strconv.Itoa(act.n), strconv.Itoa(act.reviews), string(act.first), string(act.last)})
	}
	return cmp.Or(p.table("policies.csv", limits), p.table("approved_sources.csv", approved), p.table("rules.csv", rules), p.table("imports.csv", imports), p.table("actors.csv", people))
}

// readme says what is in the pack and how it was made.
func readme(m packManifest, x *directory.Export, runs []directory.Run, actors map[string]*actorRow) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Audit pack")
	line("")
	line("%d of %d providers, as they stood on %s, with what was recorded by %s. Made on %s by %s, with the store at number %d.", len(m.Providers), m.Universe, m.At, m.Known, m.MadeAt, m.Program, m.Head.Seq)
	if m.From != "" || m.To != "" {
		line("Changes, decisions and monitoring are those recorded %s%s.", when("from ", m.From), when(" to ", m.To))
	}
	line("")
	line("For staff and auditors. The answer is no consumer report and may not be used for employment, insurance or credit decisions.")
	line("")
	line("## What is here")
	line("")
	for _, row := range [][2]string{
		{"`providers/ID/file.html`", "one provider to read and print: in short, day by day, elements, adverse items, decisions, monitoring, changes"},
		{"`providers/ID/elements.csv`", "each element with source, dates, verifier, result, decision, age at the decision in days against the policy's limit, verdict"},
		{"`providers/ID/decisions.csv`", "who decided what and when, and the decision before with the gap in days"},
		{"`providers/ID/changes.csv`", "every change to any element: what, when, who, why, and what it made of the element"},
		{"`providers/ID/monitoring.csv`", "every answer of a source, with the release and its own date, and the import that brought it"},
		{"`providers/ID/adverse.csv`", "adverse and possible adverse items. Notices to practitioners are not recorded by this program"},
		{"`providers/ID/statements.jsonl`", "what was published, for each patient state, in the bytes of the API"},
		{"`providers/ID/evidence/`", "what was seen, by the SHA-256 of its text"},
		{"`universe.csv`, `sample.csv`", "who could be drawn, and who was"},
		{"`modifications.csv`", "every event of the period, of all providers: when, by whom, about which claim"},
		{"`policies.csv`, `approved_sources.csv`, `rules.csv`", "the policies in force by date, whose answer counts as the issuer's, and each recorded release of the rules and titles with its hashes"},
		{"`imports.csv`, `actors.csv`", "every import of a source, and which staff and tools acted in the period"},
		{"`export.jsonl`", "the ledger of these providers and of whom their claims name: everything above about them follows from it"},
		{"`manifest.json`", "how the pack was made, and the SHA-256 of each file"},
	} {
		line("- %s: %s", row[0], row[1])
	}
	line("")
	line("## To check it")
	line("")
	line("`kapdir audit check DIR` compares every hash, draws the sample again, and derives every statement from `export.jsonl` again. `kapdir audit derive DIR/export.jsonl --at DAY --known DAY` does so for any other day; `kapdir audit schema` describes the file.")
	line("")
	line("## How the providers were chosen")
	line("")
	if s := m.Sample; s != nil {
		line("At random: %d drawn (%d asked for) of a universe of %d, with the seed `%s`.", s.Drawn, s.Asked, m.Universe, strings.ReplaceAll(s.Seed, "`", "'"))
		line("")
		line("The universe is every provider with a public page at the moment above. For each, take the SHA-256 of the seed, one line feed, and the provider's identifier (UTF-8, hexadecimal); order by it; take the first %d. With common tools:", s.Asked)
		line("")
		line("    tail -n +2 universe.csv | cut -d, -f1 | while read -r id; do")
		line("      printf '%%s  %%s\\n' \"$(printf '%%s\\n%%s' %s \"$id\" | sha256sum | cut -c1-64)\" \"$id\"", shellQuoted(s.Seed))
		line("    done | LC_ALL=C sort | head -n %d", s.Asked)
	} else {
		line("They were named. The universe, from which they could have been drawn, has %d.", m.Universe)
	}
	line("")
	line("## Policies")
	line("")
	for _, p := range x.Policies {
		line("- %s, valid from %s", p.Version, p.ValidFrom)
	}
	line("")
	line("In force at the moment above: %s. A policy is never edited once released; the past keeps the one then in force.", m.Policy)
	line("")
	line("## Titles")
	line("")
	n := 0
	for _, r := range x.Rules {
		if r.File == "titles.csv" {
			line("- recorded %s, SHA-256 `%s`", r.RecordedAt, r.SHA256)
			n++
		}
	}
	if n == 0 {
		line("Those that ship with the program.")
	}
	line("")
	line("## Who may act")
	line("")
	line("The people and tools that acted in the period, by the ledger; `actors.csv` has their dates.")
	line("")
	for _, k := range keys(actors) {
		line("- %s: %d events, of which %d decisions", actors[k].who, actors[k].n, actors[k].reviews)
	}
	line("")
	line("## What is not here")
	line("")
	line("Social Security numbers, DEA numbers, birth dates, former names, street addresses that look like homes. Facts such as addresses and names are those of the day on which the pack was made: they are not kept by date. Notices to practitioners are not recorded.")
	if len(m.Withheld) > 0 {
		line("")
		for _, what := range keys(m.Withheld) {
			line("- withheld from `export.jsonl`: %s, %d times", what, m.Withheld[what])
		}
	}
	return b.Bytes()
}

func when(word string, i directory.Instant) string {
	if i == "" {
		return ""
	}
	return word + string(i)
}

// shellQuoted writes a word as a shell takes it literally.
func shellQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func (a *app) auditCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIR",
		Short: "Check that an audit pack is whole and follows from its events",
		Long: `Compare every file of an audit pack with its hash in manifest.json, see that none is missing and none was
added, draw the sample again from universe.csv and the seed, compare each piece of evidence with the hash it
is named by, and derive every statement from export.jsonl again. Exit status 1 if anything differs. Neither
state directory nor store is needed. Keep the hash of manifest.json itself, which was printed when the pack
was made, somewhere else: whoever can change all files can change the manifest too.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			r, err := checkPack(argv[0])
			if err != nil {
				return err
			}
			if len(r.Faults) > 0 {
				a.exit = exitFailed
			}
			return a.answer(r, func(w io.Writer) {
				fmt.Fprintf(w, "%d files, %d statements of %d providers\n", r.Files, r.Statements, r.Providers)
				for _, f := range r.Faults {
					fmt.Fprintf(w, "  %s\n", f)
				}
				if len(r.Faults) == 0 {
					fmt.Fprintln(w, "every hash, the sample and every statement agree")
				}
				fmt.Fprintf(w, "SHA-256 of manifest.json: %s\n", r.Manifest)
			})
		},
	}
}

// packReport is what check found.
type packReport struct {
	Files      int      `json:"files"`
	Providers  int      `json:"providers"`
	Statements int      `json:"statements"`
	Manifest   string   `json:"manifest_sha256"`
	Faults     []string `json:"faults"`
}

func checkPack(dir string) (packReport, error) {
	r := packReport{Faults: []string{}}
	fault := func(format string, args ...any) { r.Faults = append(r.Faults, fmt.Sprintf(format, args...)) }
	root, err := os.OpenRoot(dir) // whatever the manifest says, nothing outside is read
	if err != nil {
		return r, directory.Errorf(directory.NotFound, "", "%s cannot be read: %w", dir, err)
	}
	defer root.Close()
	raw, err := root.ReadFile("manifest.json")
	if err != nil {
		return r, directory.Errorf(directory.NotFound, "", "%s is no audit pack: it has no manifest.json", dir)
	}
	r.Manifest = hexOf(raw)
	var m packManifest
	if err := strict(raw, &m); err != nil || m.Schema != packSchema {
		return r, directory.Errorf(directory.Invalid, "", "manifest.json has not the form %s: %v", packSchema, err)
	}
	named := map[string]bool{"manifest.json": true}
	for _, f := range m.Files {
		named[f.Path] = true
		r.Files++
		sum, err := hashFile(root, f.Path)
		switch {
		case err != nil:
			fault("%s cannot be read: %v", f.Path, err)
		case sum != f.SHA256:
			fault("%s has another hash than in the manifest", f.Path)
		}
	}
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !named[name] {
			fault("%s was added", name)
		}
		return err
	})
	if err != nil {
		return r, err
	}
	for _, f := range checkSample(root, m) {
		fault("%s", f)
	}
	export, err := root.Open("export.jsonl")
	if err != nil {
		fault("export.jsonl cannot be read: %v", err)
		return r, nil
	}
	defer export.Close()
	texts := map[string]string{}
	x, err := directory.ReadExport(export, func(e directory.ExportEvidence) error {
		texts[e.SHA256] = e.Text
		return nil
	})
	if err != nil {
		fault("export.jsonl: %v", err)
		return r, nil
	}
	for _, id := range m.Providers {
		r.Providers++
		folder := "providers/" + string(id) + "/"
		f := x.File(id)
		if f == nil || !x.Public(id) || x.Linked(id) {
			fault("export.jsonl does not hold %s", id)
			continue
		}
		want, err := root.ReadFile(folder + "statements.jsonl")
		if err != nil {
			fault("%sstatements.jsonl cannot be read: %v", folder, err)
			continue
		}
		got, err := statementsOf(x, f, m.At, m.Known)
		if err != nil {
			return r, err
		}
		r.Statements += bytes.Count(got, []byte("\n"))
		if !bytes.Equal(got, want) {
			fault("%sstatements.jsonl is not what follows from export.jsonl", folder)
		}
		for sum := range named {
			if dir, name := path.Split(sum); dir == folder+"evidence/" {
				checkEvidence(root, sum, strings.TrimSuffix(name, ".json"), texts, fault)
			}
		}
	}
	slices.Sort(r.Faults)
	return r, nil
}

func hashFile(root *os.Root, name string) (string, error) {
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), err
}

// checkEvidence compares a piece of evidence with the hash it is named by, and with the export's.
func checkEvidence(root *os.Root, file, sum string, texts map[string]string, fault func(string, ...any)) {
	raw, err := root.ReadFile(filepath.FromSlash(file))
	if err != nil {
		return // said already
	}
	var e directory.ExportEvidence
	switch err := json.Unmarshal(raw, &e); {
	case err != nil:
		fault("%s cannot be read: %v", file, err)
	case e.SHA256 != sum, len(e.Withheld) == 0 && hexOf([]byte(e.Text)) != sum:
		fault("%s is not the evidence of that hash", file)
	case texts[sum] != e.Text:
		fault("%s is not the evidence of the export", file)
	}
}

// checkSample draws the sample again.
func checkSample(root *os.Root, m packManifest) (faults []string) {
	column := func(name string, n int) (ids []directory.ID) {
		raw, err := root.ReadFile(name)
		if err != nil {
			return nil
		}
		rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		if err != nil || len(rows) == 0 {
			faults = append(faults, fmt.Sprintf("%s cannot be read: %v", name, err))
			return nil
		}
		for _, r := range rows[1:] {
			if n < len(r) {
				ids = append(ids, directory.ID(r[n]))
			}
		}
		return ids
	}
	universe, sample := column("universe.csv", 0), column("sample.csv", 1)
	if len(universe) != m.Universe {
		faults = append(faults, fmt.Sprintf("universe.csv has %d providers, the manifest says %d", len(universe), m.Universe))
	}
	if !slices.Equal(sample, m.Providers) {
		faults = append(faults, "sample.csv and the manifest name other providers")
	}
	switch s := m.Sample; {
	case s == nil:
	case s.Method != directory.SampleMethod:
		faults = append(faults, fmt.Sprintf("the sample was drawn by %q, which this program does not know", s.Method))
	case !slices.Equal(directory.Draw(universe, s.Seed, s.Asked), m.Providers):
		faults = append(faults, "the seed draws another sample from universe.csv")
	}
	return faults
}

package data_test

import (
	"bytes"
	"flag"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"kapdir/data"
)

// This file writes the demonstration, data/demo: the invented people first, then one function for each
// publisher's format. Everything follows from the tables below and a fixed seed; there is no clock.
//
//	go test ./data -run TestDemo -update     writes data/demo anew
//	go test ./data -run TestDemo             fails when a committed file is not what this file writes
//
// Nobody in it exists. NPIs begin with 2, as no issued NPI does; telephone numbers lie in 555-0100 to
// 555-0199; hosts end in .example. demo_rules_test.go proves that on the files, without this file.

var updateDemo = flag.Bool("update", false, "write data/demo anew instead of comparing it")

// demoDir is where the demonstration lies, seen from this package.
const demoDir = "demo"

func TestDemoIsWhatTheGeneratorWrites(t *testing.T) {
	want := newWorld().files()
	if *updateDemo {
		writeDemo(t, want)
		return
	}
	committed := map[string]bool{}
	err := fs.WalkDir(data.FS, demoDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, demoDir+"/")
		committed[name] = true
		got, err := fs.ReadFile(data.FS, path)
		if err != nil {
			return err
		}
		if w, ok := want[name]; !ok {
			t.Errorf("data/demo/%s is not written by the generator", name)
		} else if !bytes.Equal(got, w) {
			t.Errorf("data/demo/%s differs from what the generator writes%s", name, firstDifference(got, w))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		if !committed[name] {
			t.Errorf("data/demo/%s is missing", name)
		}
	}
	if t.Failed() {
		t.Log("go test ./data -run TestDemo -update writes data/demo anew")
	}
}

// writeDemo replaces data/demo by the files.
func writeDemo(t *testing.T, files map[string][]byte) {
	t.Helper()
	var size int
	err := filepath.WalkDir(demoDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if _, ok := files[filepath.ToSlash(strings.TrimPrefix(path, demoDir+string(filepath.Separator)))]; !ok {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range files {
		path := filepath.Join(demoDir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			t.Fatal(err)
		}
		size += len(body)
	}
	t.Logf("wrote %d files, %d bytes", len(files), size)
}

func firstDifference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf(", first in line %d", i+1)
		}
	}
	return fmt.Sprintf(": %d lines, not %d", len(g), len(w))
}

// stream returns the random numbers of one purpose. Each purpose has its own, so that a change to one
// person or file does not change the others.
func stream(purpose string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(20261116, h.Sum64()))
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// some picks n different items in the order of the list.
func some[T any](r *rand.Rand, from []T, n int) []T {
	at := r.Perm(len(from))[:min(n, len(from))]
	sort.Ints(at)
	out := make([]T, len(at))
	for i, a := range at {
		out[i] = from[a]
	}
	return out
}

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

func words(s string) []string { return strings.Fields(s) }

// ---------------------------------------------------------------------------------------------------
// The files

func (w *world) files() map[string][]byte {
	out := map[string][]byte{
		"nppes/npidata_pfile_20050523-20261108.csv":                      w.nppes(),
		"leie/UPDATED.csv":                                               w.leie(),
		"co-dora/Professional_and_Occupational_Licenses_in_Colorado.csv": w.colorado(),
		"sam/SAM_Exclusions_Public_Extract_V2_26315.CSV":                 w.sam(),
		"tx-oig/exclusions.csv":                                          w.texasExclusions(),
		"attestations.jsonl":                                             w.attestations(),
		"decisions.jsonl":                                                w.decisions(),
		"staff.jsonl":                                                    staff(),
		"manifest.json":                                                  manifest(),
	}
	for name, body := range w.texas() {
		out["tx-bhec/"+name] = body
	}
	for name, body := range w.commons() {
		out["kap-commons/"+name] = body
	}
	for name, body := range w.openClinics() {
		out["open-clinics/"+name] = body
	}
	out["README.md"] = w.readme()
	return out
}

func manifest() []byte {
	return []byte(`{
  "now": "2026-11-16T15:00:00.000Z",
  "note": "Everything here is invented: people, practices, numbers, documents, decisions. No NPI that begins with 2 has been issued; 555-0100 to 555-0199 are nobody's telephones; .example belongs to nobody.",
  "steps": [
    {"source": "kap-commons", "path": "kap-commons", "as_of": "2026-11-02", "read": "2026-11-02T09:00:00.000Z"},
    {"source": "open-clinics", "path": "open-clinics", "as_of": "2026-11-03", "read": "2026-11-03T09:00:00.000Z"},
    {"source": "nppes", "path": "nppes/npidata_pfile_20050523-20261108.csv", "as_of": "2026-11-08", "read": "2026-11-09T09:00:00.000Z"},
    {"source": "co-dora", "path": "co-dora/Professional_and_Occupational_Licenses_in_Colorado.csv", "as_of": "2026-11-09", "read": "2026-11-10T09:00:00.000Z"},
    {"source": "tx-bhec", "path": "tx-bhec", "as_of": "2026-11-10", "read": "2026-11-10T13:00:00.000Z"},
    {"source": "leie", "path": "leie/UPDATED.csv", "as_of": "2026-11-10", "release": "2026-10", "read": "2026-11-11T09:00:00.000Z"},
    {"source": "sam", "path": "sam/SAM_Exclusions_Public_Extract_V2_26315.CSV", "as_of": "2026-11-11", "read": "2026-11-12T09:00:00.000Z"},
    {"source": "tx-oig", "path": "tx-oig/exclusions.csv", "as_of": "2026-11-05", "read": "2026-11-12T13:00:00.000Z"},
    {"attestations": "attestations.jsonl"},
    {"staff": "staff.jsonl"},
    {"decisions": "decisions.jsonl"}
  ]
}
`)
}

// plain drops accents, as the registers do.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(s))
}

func upper(s string) string { return strings.ToUpper(plain(s)) }

// usDate turns 2026-11-09 into 11/09/2026.
func usDate(d string) string {
	if d == "" {
		return ""
	}
	return d[5:7] + "/" + d[8:10] + "/" + d[:4]
}

// registerFamilies are the family names of everybody who is in a register and has no page. They are
// nobody's who has one, so that a register joins to a page only where it is meant to.
var registerFamilies = words("Ackerley Bannock Corliss Deverell Eddowes Fennimore Gisborne Hasleden Inchbald Jellicoe Killigrew Lambourne Maitlis Nethersole Ormonde Pinkney Quarrington Rosewarne Sallinger " +
	"Tredwell Ullathorne Vennor Wolstenholme Yelverton Zouche Brackley Cundall Dossett Entwhistle Frobisher Gathercole Hebblewhite Isherwood Kerrich Lavenham Mudgett Nuttgens Osterley Polwhele " +
	"Rackstraw Stallybrass Thwaites Umfreville Wigglesworth Arkwell Bewick Crabtree Dallimore Elphick Furnival Goodliffe Huckabee Kettleburn Loosemore Marchwood Nancarrow Oddie Penhallow Rumbelow Sowerby")

// stranger is somebody in a register without a page.
func stranger(r *rand.Rand) (personName, string) {
	l := pick(r, nameLists)
	n, sex := personName{given: plain(pick(r, l.women)), family: pick(r, registerFamilies)}, "F"
	if chance(r, 45) {
		n.given, sex = plain(pick(r, l.men)), "M"
	}
	if chance(r, 50) {
		n.middle = pick(r, middles)
	}
	return n, sex
}

package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The import rules of the architecture, as a deny-list: who may not import what. storebench, searchbench
// and webbench stand beside the packages that may: the databases, bleve and Fiber by themselves, that kapdir bench
// measures the program beside.
var denied = []struct {
	what   []string // prefixes of import paths
	except []string // the packages of ours that may
}{
	{[]string{"database/sql", "modernc.org/sqlite", "github.com/jackc/pgx", "github.com/pressly/goose"}, []string{"kapdir/directory/store", "kapdir/directory/store/storetest", "kapdir/directory/store/storebench"}},
	{[]string{"github.com/blevesearch/", "github.com/RoaringBitmap/"}, []string{"kapdir/search", "kapdir/search/searchbench"}},
	{[]string{"github.com/gofiber/", "github.com/valyala/fasthttp"}, []string{"kapdir/directory/web", "kapdir/directory/web/webbench"}},
	{[]string{"net/http"}, []string{"kapdir/crawler", "kapdir/crawler/safehttp", "kapdir/directory/web", "kapdir/directory/deliver"}},
	{[]string{"kapdir/directory/store"}, []string{"kapdir/cmd/kapdir", "kapdir/directory/store/storetest"}},
	{[]string{"kapdir/search"}, []string{"kapdir/cmd/kapdir", "kapdir/directory/web", "kapdir/search/searchbench"}},
	{[]string{"kapdir/crawler"}, []string{"kapdir/cmd/kapdir", "kapdir/crawler"}},
	{[]string{"kapdir/directory/web"}, []string{"kapdir/cmd/kapdir"}},
	{[]string{"kapdir/cmd/"}, nil},
}

// The packages of the nouns know neither the file system nor the process.
var pure = []string{"kapdir/directory", "kapdir/data"}

func TestImportRules(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "kapdir/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	under := func(path, prefix string) bool {
		return path == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(path, strings.TrimSuffix(prefix, "/")+"/")
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		for _, imp := range p.Imports {
			for _, d := range denied {
				hit := slices.ContainsFunc(d.what, func(w string) bool { return under(imp, w) })
				if imp == "kapdir/crawler/safehttp" && under("kapdir/crawler", d.what[0]) {
					hit = false // anyone who calls out uses it
				}
				if hit && !slices.Contains(d.except, p.ImportPath) {
					t.Errorf("%s imports %s, which only %v may", p.ImportPath, imp, d.except)
				}
			}
			if slices.Contains(pure, p.ImportPath) && (imp == "os" || imp == "os/exec" || imp == "net" || imp == "syscall") {
				t.Errorf("%s imports %s: the nouns know no machine", p.ImportPath, imp)
			}
		}
	}
}

// The top level is the user's: nothing else stands there but dot-files.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "-C", "../..", "ls-files").Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"cmd", "directory", "search", "crawler", "data", "go.mod", "go.sum", "README.md"}
	for _, f := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		top, _, _ := strings.Cut(f, "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(allowed, top) {
			t.Errorf("%s stands at the top level", top)
		}
	}
}

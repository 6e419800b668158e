package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRemovalHidesEverywhere removes somebody while a server runs: within a minute no face shows them.
func TestRemovalHidesEverywhere(t *testing.T) {
	state := loaded(t, nil)
	run := func(args ...string) string {
		t.Helper()
		out, errs, status := kapdir(t, append(args, "--state", state, "--now", demoNow)...)
		if status != 0 {
			t.Fatalf("%v: %d\n%s", args, status, errs)
		}
		return out
	}
	run("staff", "add", "robin", "approver")
	for _, site := range []string{"kap-commons", "open-clinics"} {
		run("import", site, filepath.Join("..", "..", "data", "demo", site))
	}
	remembered := func(name string) (files []string) {
		_ = filepath.WalkDir(filepath.Join(state, "pages"), func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				if b, err := os.ReadFile(path); err == nil && strings.Contains(string(b), name) {
					files = append(files, e.Name())
				}
			}
			return nil
		})
		return files
	}
	s := start(t, "serve", "--state", state, "--now", demoNow)
	var who result
	for _, r := range s.all(t, "") {
		if who.ID == "" || len(r.Name) > len(who.Name) {
			who = r
		}
	}
	path := "/providers/" + who.ID
	found := func() (faces []string) {
		for _, p := range []string{path, "/api/v1" + path} {
			if status, _, _ := s.get(t, p); status != http.StatusGone {
				faces = append(faces, fmt.Sprintf("%s: %d", p, status))
			}
		}
		for _, p := range []string{"/?q=" + url.QueryEscape(who.Name), "/sitemap.xml"} {
			if _, body, _ := s.get(t, p); strings.Contains(string(body), who.ID) {
				faces = append(faces, p)
			}
		}
		for _, r := range s.all(t, "") {
			if r.ID == who.ID {
				faces = append(faces, "search")
			}
		}
		return faces
	}
	var q struct{ ID, Due string }
	if err := json.Unmarshal([]byte(run("removal", "request", who.ID, "--json")), &q); err != nil || q.Due == "" {
		t.Fatalf("%+v, %v", q, err)
	}
	if faces := found(); len(faces) < 3 {
		t.Fatalf("a request alone hid somebody: %v", faces)
	}
	if len(remembered(who.Name)) == 0 {
		t.Errorf("nothing is remembered of the pages of %s, so that nothing can be forgotten", who.Name)
	}
	run("removal", "accept", q.ID, "--as", "robin")
	if files := remembered(who.Name); len(files) > 0 {
		t.Errorf("copies of pages still name them: %v", files)
	}
	begun := time.Now()
	for {
		faces := found()
		if len(faces) == 0 {
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("after a minute still on %v", faces)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("hidden on every face after %s", time.Since(begun).Round(time.Millisecond))
	if status, _, _ := s.get(t, path); status != http.StatusGone {
		t.Errorf("the page answers %d", status)
	}
	// Of a practice no face has the name, and nobody who worked there is found by it.
	practice, people := "", []string(nil)
	for _, r := range s.all(t, "") {
		_, body, _ := s.get(t, "/api/v1/providers/"+r.ID)
		var p struct {
			Facts struct{ Affiliations []struct{ ID, Name string } }
		}
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatal(err)
		}
		for _, a := range p.Facts.Affiliations {
			if practice == "" {
				practice = a.ID
			}
			if a.ID == practice {
				people = append(people, r.ID)
			}
		}
	}
	if len(people) == 0 {
		t.Fatal("nobody works at a practice that is listed")
	}
	_, body, _ := s.get(t, "/api/v1/providers/"+practice)
	if err := json.Unmarshal(body, &who); err != nil {
		t.Fatal(err)
	}
	byName := func() (out []string) {
		for _, r := range s.all(t, "&q="+url.QueryEscape(strconv.Quote(who.Name))) {
			if slices.Contains(people, r.ID) {
				out = append(out, r.ID)
			}
		}
		for _, id := range people {
			if _, body, _ := s.get(t, "/providers/"+id); strings.Contains(string(body), practice) {
				out = append(out, "the page of "+id)
			}
		}
		return out
	}
	if len(byName()) < 2*len(people) {
		t.Fatalf("%s is not found on or by all of %v: %v", who.Name, people, byName())
	}
	if err := json.Unmarshal([]byte(run("removal", "request", practice, "--json")), &q); err != nil {
		t.Fatal(err)
	}
	run("removal", "accept", q.ID, "--as", "robin")
	for begun = time.Now(); len(byName()) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("after a minute %s is still found: %v", who.Name, byName())
		}
	}
	run("fsck")
	if out := run("removal", "list", "--all"); !strings.Contains(out, "accepted") {
		t.Errorf("removal list:\n%s", out)
	}
}

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// A form that is sent twice to a running server is one request, which staff find, and which changes nothing.
func TestReportReachesStaff(t *testing.T) {
	state := t.TempDir()
	s := start(t, "demo", "--state", state)
	who := s.all(t, "")[0]
	path := "/providers/" + who.ID
	_, before, _ := s.get(t, "/api/v1"+path)
	_, body, _ := s.get(t, path+"/report")
	d, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"about": {"removal"}, "words": {"I have moved away."}, "contact": {"me@practice.example"}, "token": {d.Find("input[name=token]").AttrOr("value", "")}}
	var answers [2]string
	for i := range answers {
		resp, err := s.client.PostForm(s.url+path+"/report", form)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%d %v %s", resp.StatusCode, err, b)
		}
		d, err := goquery.NewDocumentFromReader(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		answers[i] = d.Find("main code").Text()
	}
	out, errs, status := kapdir(t, "removal", "list", "--json", "--state", state, "--now", demoNow)
	var list []struct{ ID, Kind, Provider, Words, State string }
	if err := json.Unmarshal([]byte(out), &list); status != 0 || err != nil {
		t.Fatalf("%d %v\n%s%s", status, err, out, errs)
	}
	if len(list) != 1 || list[0].ID != answers[0] || answers[0] != answers[1] || list[0].Provider != who.ID || list[0].Kind != "removal" || list[0].Words != "I have moved away." || list[0].State != "open" {
		t.Errorf("staff find %+v, the answers were %v", list, answers)
	}
	if _, after, _ := s.get(t, "/api/v1"+path); string(after) != string(before) {
		t.Errorf("a request changed what is said:\n%s\n%s", before, after)
	}
	for _, leak := range []string{who.ID, "moved away", "practice.example"} {
		if strings.Contains(s.log.String(), leak) {
			t.Errorf("the log holds %q", leak)
		}
	}
}

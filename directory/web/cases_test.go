package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/search"
)

// deskTrial is a demonstration of its own, which a test may write to, and a desk at which people sit.
type deskTrial struct {
	world
	s   *Server
	t   *testing.T
	dir string
}

var deskPeople = map[string]directory.Role{"vera": directory.Viewer, "rowan": directory.Verifier, "pat": directory.Verifier, "imani": directory.Approver, "adan": directory.Admin}

// deskDir holds the demonstration that each desk begins with a copy of.
var deskDir string

var deskDemo = sync.OnceValues(func() (now directory.Instant, err error) {
	if deskDir, err = os.MkdirTemp("", "kapdir-desk-"); err != nil {
		return "", err
	}
	w, _, err := loadDemo(deskDir)
	if err != nil {
		return "", err
	}
	return w.now, errors.Join(w.index.Close(), w.store.Close())
})

func newTrial(t *testing.T) *deskTrial {
	t.Helper()
	var w world
	dir, err := t.TempDir(), error(nil)
	if w.now, err = deskDemo(); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(deskDir)); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return w.now.Time() }
	if w.store, err = store.Open(context.Background(), store.Config{Dir: filepath.Join(dir, "state"), Now: clock, Standing: active}); err != nil {
		t.Fatal(err)
	}
	if w.index, err = search.Open(context.Background(), search.Config{Dir: filepath.Join(dir, "index"), Feed: w.store, Files: w.store.Files, Now: clock, Log: quiet()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.index.Close(); w.store.Close() })
	sessions := oneSession{held: map[string]directory.StaffSession{}}
	for name, role := range deskPeople {
		if _, err := w.store.ChangeStaff(context.Background(), directory.StaffChange{Name: name, Do: "add", Role: role, By: "test", Auth: "test"}); err != nil {
			t.Fatal(err)
		}
		sessions.held[name] = directory.StaffSession{ID: "ses_" + directory.ID(name), Name: name, Role: role, How: "test", Started: w.now, Seen: w.now, Proved: w.now}
	}
	s := demoServer(t, func(c *Config) {
		c.Reader, c.Search, c.Desk, c.SignIn = w.store, w.index, w.store, sessions
		c.StaffNow = c.Now
	})
	return &deskTrial{w, s, t, dir}
}

func (d *deskTrial) get(who, path string) reply {
	d.t.Helper()
	return get(d.t, d.s, path, "Cookie", sessionCookie+"="+who)
}

func (d *deskTrial) post(who, path string, form url.Values) reply {
	d.t.Helper()
	form.Set("token", tokenOf(who))
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Cookie", sessionCookie+"="+who)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := d.s.App().Test(req, 20_000)
	if err != nil {
		d.t.Fatal(err)
	}
	return read(d.t, res)
}

func (d *deskTrial) page(r reply) *goquery.Document {
	d.t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(r.body))
	if err != nil {
		d.t.Fatal(err)
	}
	return doc
}

// first returns the first case of the kind that waits, with its dossier.
func (d *deskTrial) first(kind directory.CaseKind) directory.Dossier {
	d.t.Helper()
	l, err := d.store.List(context.Background(), directory.CaseFilter{Kind: kind, Limit: 1}, false)
	if err != nil || len(l.Cases) == 0 {
		d.t.Fatalf("no case of the kind %s: %v", kind, err)
	}
	return d.dossier(l.Cases[0].ID)
}

func (d *deskTrial) dossier(id directory.ID) directory.Dossier {
	d.t.Helper()
	x, err := d.store.Dossier(context.Background(), id, "")
	if err != nil {
		d.t.Fatal(err)
	}
	return x
}

// The list shows what waits with its counts; every filter's address leaves what its count says; a view is kept.
func TestDeskList(t *testing.T) {
	d := newTrial(t)
	doc := d.page(d.get("rowan", "/staff/cases"))
	if n := doc.Find("a[data-row]").Length(); n == 0 {
		t.Fatal("nothing waits in the demonstration")
	}
	checked := 0
	doc.Find(".facets .chips a").Each(func(_ int, a *goquery.Selection) {
		href, _ := a.Attr("href")
		r := d.get("rowan", href)
		total := text(d.page(r).Find(".bar strong").First().Text())
		if want := text(a.Find("span").Text()); r.StatusCode != 200 || total != want {
			t.Errorf("%s: status %d, %s wait, its count says %s", href, r.StatusCode, total, want)
		}
		checked++
	})
	if checked < 10 {
		t.Errorf("%d filters", checked)
	}
	if r := d.post("rowan", "/staff/views", url.Values{"name": {"first ones"}, "query": {"kind=first_verification&after=x&evil=1"}}); r.StatusCode != 303 {
		t.Errorf("saving a view: %d %s", r.StatusCode, r.body)
	}
	if href, _ := d.page(d.get("rowan", "/staff/cases")).Find(`.facets a:contains("first ones")`).Attr("href"); href != "/staff/cases?kind=first_verification" {
		t.Errorf("the view leads to %q", href)
	}
	if strings.Contains(d.get("pat", "/staff/cases").body, "first ones") {
		t.Error("somebody else sees the view")
	}
	// Who only looks is offered nothing to do.
	if doc := d.page(d.get("vera", "/staff/cases")); doc.Find(`form[action="/staff/next"]`).Length() > 0 {
		t.Error("a viewer is offered the next case")
	}
	for _, who := range []string{"vera", "adan"} {
		if r := d.post(who, "/staff/next", url.Values{}); r.StatusCode != 403 {
			t.Errorf("%s takes the next case: %d", who, r.StatusCode)
		}
	}
}

// What a page says that the public will read after each deed is what the public then reads, to the letter: on the
// provider's page, on those of others whose checks rest on it, and on pages that come and go.
func TestDeskPreviewIsTrue(t *testing.T) {
	d := newTrial(t)
	kinds := []directory.CaseKind{directory.CaseFirst, directory.CaseAdverse, directory.CaseExclusion, directory.CaseIndeterminate, directory.CaseDocument}
	for i, kind := range kinds {
		l, err := d.store.List(context.Background(), directory.CaseFilter{Kind: kind, Limit: 4}, false)
		if err != nil {
			t.Fatal(err)
		}
		for j, q := range l.Cases {
			d.foretold(q.ID, "imani", []string{"confirm", "clear", "void", "dispute_identity", "withdraw"}[(i+j)%5], nil)
		}
	}
	// Somebody on whom the checks of others rest: what is said of those is foretold too.
	others := 0
	all, err := d.store.List(context.Background(), directory.CaseFilter{Limit: 1000}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range all.Cases {
		if x := d.dossier(q.ID); others < 3 && x.Waits && len(x.Rest) > 0 && x.Claim != nil && x.Claim.Kind == directory.License {
			_, moved := d.foretold(q.ID, "imani", []string{"confirm", "dispute_identity", "withdraw"}[others], nil)
			others++
			t.Logf("%s: %d other pages", q.Kind, moved)
		}
	}
	if others == 0 {
		t.Error("nobody has a case on whom others rest")
	}
	// A correction, as it is filled in, and what it comes to once somebody else has confirmed it.
	corrected := 0
	for _, q := range all.Cases {
		if x := d.dossier(q.ID); x.Waits && q.Kind == directory.CaseAdverse && x.Claim.Kind == directory.License && corrected == 0 {
			d.foretold(q.ID, "imani", "correct", url.Values{"state": {"active"}, "expires": {"2027-08-31"}, "method": {"phone"}, "text": {"The clerk read it out."}})
			open, err := d.store.List(context.Background(), directory.CaseFilter{Provider: q.Provider, Limit: 50}, false)
			if err != nil {
				t.Fatal(err)
			}
			for _, now := range open.Cases { // it is a first look now
				if now.Claim == q.Claim {
					pages, _ := d.foretold(now.ID, "rowan", "confirm", nil)
					corrected += pages
				}
			}
		}
	}
	if corrected == 0 {
		t.Error("no correction that was confirmed changed a page")
	}
	// A candidate with a number that agrees is of somebody else: the list is searched again.
	cleared := 0
	for _, q := range all.Cases {
		if x := d.dossier(q.ID); q.Kind == directory.CaseExclusion && x.Waits && q.Match.Identified() {
			pages, _ := d.foretold(q.ID, "imani", "clear", nil)
			cleared += pages
		}
	}
	if cleared == 0 {
		t.Error("no exclusion that was cleared changed a page")
	}
	// Two pages of one: nothing at first, then one of them; and each their own again.
	for _, q := range all.Cases {
		x := d.dossier(q.ID)
		if q.Kind != directory.CaseDuplicate || !x.Waits || x.Need.Approvals != 2 {
			continue
		}
		d.foretold(q.ID, "rowan", "same", nil)
		if pages, _ := d.foretold(q.ID, "imani", "same", nil); pages < 2 {
			t.Errorf("two were joined and %d pages changed", pages)
		}
		merged := d.dossier(q.ID)
		if len(merged.Merged) != 1 {
			merged = d.dossier(d.first(directory.CaseFirst).Case.ID)
		}
		if len(merged.Merged) == 1 {
			if pages, _ := d.foretold(q.ID, "imani", "unmerge", nil); pages < 2 {
				t.Errorf("two were parted and %d pages changed", pages)
			}
		} else {
			t.Errorf("the case of the joined has no way back")
		}
		break
	}
	// The whole page, by the desk and on request.
	for i, q := range all.Cases {
		if x := d.dossier(q.ID); i > 20 && x.Waits && len(x.Rest) > 0 {
			d.foretold(q.ID, "imani", "withdraw_file", nil)
			break
		}
	}
	for _, kind := range []string{"removal", "correction"} {
		var x directory.Dossier
		left, err := d.store.List(context.Background(), directory.CaseFilter{Kind: directory.CaseFirst, Limit: 1000}, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range left.Cases {
			if x = d.dossier(q.ID); x.Waits && x.Claim != nil && x.Claim.Kind == directory.License && x.Status == directory.StatusListed {
				break
			}
		}
		r := directory.Removal{Kind: kind, Provider: x.Provider.ID, Words: "please", Contact: "me@elsewhere.example"}
		if kind == "correction" {
			r.Claim = x.Claim.ID
		}
		q, err := d.store.RequestRemoval(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		if pages, _ := d.foretold(q.ID, "imani", "accept_request", nil); pages == 0 {
			t.Errorf("a %s was accepted and no page changed", kind)
		}
	}
}

// foretold does a deed about a case as somebody, and holds what its page had foretold against what the API says then.
// It returns how many pages changed, and how many of those were others'.
func (d *deskTrial) foretold(id directory.ID, who, do string, more url.Values) (pages, others int) {
	d.t.Helper()
	t, path := d.t, "/staff/cases/"+string(id)
	x := d.dossier(id)
	defer func() { t.Logf("%s of %s: %d pages changed, %d of others", do, x.Case.Kind, pages, others) }()
	label := fmt.Sprintf("%s of %s (%s)", do, x.Case.Kind, x.Provider.DisplayName())
	find := func(doc *goquery.Document) *goquery.Selection {
		return doc.Find(fmt.Sprintf(`details.deed form:has(button[name="do"][value="%s"])`, do)).First()
	}
	form := find(d.page(d.get(who, path)))
	if form.Length() == 0 {
		return 0, 0 // this deed is not for them
	}
	values := url.Values{"do": {do}, "then": {"stay"}, "note": {"a reason"}, "field": {"licence"}}
	for k, v := range more {
		values[k] = v
	}
	for _, name := range []string{"seen", "of", "claim"} {
		v, _ := form.Find(`input[name="` + name + `"]`).Attr("value")
		values.Set(name, v)
	}
	if do == "correct" || do == directory.LookAnew {
		values.Set("preview", do)
		r := d.post(who, path, values)
		if form = find(d.page(r)); r.StatusCode != 200 || form.Length() == 0 || form.Find(`textarea[name=text]`).Text() != values.Get("text") ||
			form.Find(`input[name=name_shown]`).AttrOr("value", "") != values.Get("name_shown") {
			t.Fatalf("%s: asking what the public would read: %d %s", label, r.StatusCode, text(d.page(r).Find(".wrong").Text()))
		}
		values.Del("preview")
	}
	if form.Find(".preview, [data-same]").Length() == 0 {
		t.Errorf("%s: it is not told what the public would read", label)
		return 0, 0
	}
	second := strings.Contains(form.Find(".preview").Text(), "a second person has said so")
	said, gone := map[directory.ID]map[string]string{}, map[directory.ID]string{}
	form.Find("[data-page]").Each(func(_ int, s *goquery.Selection) {
		page := directory.ID(s.AttrOr("data-page", ""))
		if gone[page] = text(s.Find(".gone").Text()); gone[page] == "" {
			delete(gone, page)
		}
		said[page] = map[string]string{}
		s.Find("[data-line]").Each(func(_ int, l *goquery.Selection) { said[page][l.AttrOr("data-line", "")] = text(l.Find("ins").Text()) })
	})
	about := []directory.ID{x.Provider.ID}
	for _, f := range x.Rest {
		about = append(about, f.Provider.ID)
	}
	for _, o := range x.Others {
		about = append(about, o.ID)
	}
	for page := range said {
		if !slices.Contains(about, page) {
			about = append(about, page)
		}
	}
	before := map[directory.ID]map[string]string{}
	for _, page := range about {
		before[page] = d.publicLines(page)
	}
	if r := d.post(who, path, values); r.StatusCode != 303 {
		t.Errorf("%s: %d %s", label, r.StatusCode, text(d.page(r).Find(".wrong").Text()))
		return 0, 0
	}
	for _, page := range about {
		after := d.publicLines(page)
		if second { // as long as one has said so nothing changes
			if fmt.Sprint(after) != fmt.Sprint(before[page]) {
				t.Errorf("%s: one person changed the page of %s", label, page)
			}
			continue
		}
		if after == nil || before[page] == nil && gone[page] != "" {
			if gone[page] == "" && before[page] != nil {
				t.Errorf("%s: there is no page of %s any more, and nobody said so", label, page)
			} else if before[page] != nil {
				pages++
			}
			continue
		}
		if gone[page] != "" {
			t.Errorf("%s: the page of %s was to go and is there", label, page)
		}
		moved := false
		keys := map[string]bool{}
		for _, m := range []map[string]string{before[page], after} {
			for k := range m {
				keys[k] = true
			}
		}
		for k := range keys {
			now := after[k]
			if now == "" {
				now = "Not shown any more."
			}
			switch want, ok := said[page][k]; {
			case ok && want != now:
				t.Errorf("%s: %s of %s\nforetold %s\nbecame   %s", label, k, page, want, now)
			case !ok && before[page][k] != after[k]:
				t.Errorf("%s: %s of %s\nnot foretold: %s\nbecame        %s", label, k, page, before[page][k], now)
			case ok:
				moved = true
			}
		}
		if len(said[page]) > 0 != moved {
			t.Errorf("%s: of %s it was foretold %v", label, page, said[page])
		}
		if moved {
			pages++
			if page != x.Provider.ID {
				others++
			}
		}
	}
	return pages, others
}

// publicLines asks the API, which is what the public reads; nil is that there is no page.
func (d *deskTrial) publicLines(id directory.ID) map[string]string {
	r := get(d.t, d.s, api(id))
	if r.StatusCode != 200 {
		return nil
	}
	type said struct{ Label, Sentence string }
	type value struct{ Value string }
	p := decode[struct {
		Name   string
		Checks []struct {
			said
			Check string
		}
		Claims []struct {
			said
			ID directory.ID
		}
		Facts struct {
			NPI, Website *value
			Sites        []struct{ Line1, Line2, City, State, ZIP, Phone string }
		}
	}](d.t, r)
	out := map[string]string{"name": p.Name}
	for _, c := range p.Checks {
		out[c.Check] = text(c.Label + ". " + c.Sentence)
	}
	for _, c := range p.Claims {
		out[string(c.ID)] = text(c.Label + ". " + c.Sentence)
	}
	for k, v := range map[string]*value{"npi": p.Facts.NPI, "website": p.Facts.Website} {
		if v != nil {
			out[k] = v.Value
		}
	}
	var places, phones []string
	for _, x := range p.Facts.Sites {
		places = append(places, text(strings.Join([]string{x.Line1, x.Line2, x.City, x.State, x.ZIP}, " ")))
		if x.Phone != "" && !slices.Contains(phones, x.Phone) {
			phones = append(phones, x.Phone)
		}
	}
	for k, v := range map[string][]string{"places": places, "phones": phones} {
		if len(v) > 0 {
			out[k] = strings.Join(v, "; ")
		}
	}
	return out
}

// What has moved on is refused with what happened meanwhile; what somebody else works is refused with who; what
// needs two people is not done by one; what asks for a reason is not done without.
func TestDeskRefusals(t *testing.T) {
	d := newTrial(t)
	x := d.first(directory.CaseFirst)
	path := "/staff/cases/" + string(x.Case.ID)
	decide := func(who, do string, seen int64, more ...string) reply {
		v := url.Values{"do": {do}, "seen": {fmt.Sprint(seen)}, "then": {"stay"}}
		for i := 0; i+1 < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return d.post(who, path, v)
	}
	if r := decide("rowan", "return", x.Seen); r.StatusCode != 400 || !strings.Contains(r.body, "Say why") {
		t.Errorf("without a reason: %d", r.StatusCode)
	}
	if r := decide("rowan", "clear", x.Seen, "note", "x"); r.StatusCode != 400 || !strings.Contains(r.body, "identifier that differs") {
		t.Errorf("clear without a field: %d", r.StatusCode)
	}
	if r := decide("pat", "could_not", x.Seen, "note", "the register was down"); r.StatusCode != 303 {
		t.Fatalf("could not check: %d %s", r.StatusCode, r.body)
	}
	for _, note := range []string{" \t ", strings.Repeat("x", mostNote+1)} {
		if r := decide("rowan", "return", x.Seen, "note", note); r.StatusCode == 303 {
			t.Errorf("%.10q is a reason", note)
		}
	}
	r := decide("rowan", "confirm", x.Seen, "note", "my own words")
	wrong := d.page(r).Find(".wrong")
	if r.StatusCode != 409 || !strings.Contains(wrong.Text(), "What came since you looked") || !strings.Contains(wrong.Find("li").Text(), "pat returned") || !strings.Contains(r.body, "my own words") {
		t.Errorf("stale: %d %s", r.StatusCode, text(wrong.Text()))
	}
	if r := d.post("rowan", path+"/hold", url.Values{"do": {"take"}}); r.StatusCode != 303 {
		t.Fatalf("take: %d", r.StatusCode)
	}
	seen := d.dossier(x.Case.ID).Seen
	if r := decide("pat", "confirm", seen); r.StatusCode != 409 || !strings.Contains(r.body, "This case is rowan&#39;s") {
		t.Errorf("somebody else's: %d", r.StatusCode)
	}
	if r := d.post("pat", path+"/hold", url.Values{"do": {"take"}}); r.StatusCode != 409 {
		t.Errorf("taking what is taken: %d", r.StatusCode)
	}
	if r := d.post("pat", path+"/hold", url.Values{"do": {"take_over"}}); r.StatusCode != 303 {
		t.Errorf("taking over: %d", r.StatusCode)
	}
	if r := decide("pat", "confirm", seen); r.StatusCode != 303 {
		t.Errorf("after taking over: %d %s", r.StatusCode, text(d.page(r).Find(".wrong").Text()))
	}
	if x := d.dossier(x.Case.ID); x.Case.Closed == "" || len(x.Handed) != 2 || x.Handed[1].Do != "take_over" {
		t.Errorf("the case: closed %q, %+v", x.Case.Closed, x.Handed)
	}
	// Two people.
	adverse, err := d.store.List(context.Background(), directory.CaseFilter{Kind: directory.CaseAdverse, Limit: 1000}, false)
	if err != nil {
		t.Fatal(err)
	}
	twice := slices.IndexFunc(adverse.Cases, func(q directory.Queued) bool {
		x = d.dossier(q.ID)
		return x.Claim != nil && len(x.Need.Given) == 0 && x.Need.Approvals == 2
	})
	if twice < 0 {
		t.Fatal("no adverse case needs two people")
	}
	path = "/staff/cases/" + string(x.Case.ID)
	if r := decide("rowan", "confirm", x.Seen); r.StatusCode != 303 {
		t.Fatalf("first of two: %d", r.StatusCode)
	}
	now := d.dossier(x.Case.ID)
	if now.Status == directory.StatusAdverse || !now.Waits {
		t.Errorf("one person's word: %s", now.Now)
	}
	for who, want := range map[string]int{"rowan": 409, "pat": 403, "vera": 403} {
		if r := decide(who, "confirm", now.Seen); r.StatusCode != want {
			t.Errorf("%s second: %d, want %d", who, r.StatusCode, want)
		}
	}
	if r := decide("imani", "confirm", now.Seen); r.StatusCode != 303 || d.dossier(x.Case.ID).Status != directory.StatusAdverse {
		t.Errorf("second person: %d, %s", r.StatusCode, d.dossier(x.Case.ID).Now)
	}
}

// active knows one word of a register.
func active(_, words string, _, _ directory.Date) directory.Observed {
	if words == "Active" {
		return directory.SeenActive
	}
	return directory.SeenIndeterminate
}

// What has ended, or is about to, says when, by whom and since when, and is looked up anew: what the page says the public
// will read is what they read.
func TestDeskLookAnew(t *testing.T) {
	d := newTrial(t)
	if _, err := d.store.TouchDue(t.Context(), d.now, 100); err != nil {
		t.Fatal(err)
	}
	ended, soon := d.first(directory.CaseExpired), d.first(directory.CaseExpiring)
	for _, x := range []struct {
		d    directory.Dossier
		says string
	}{{ended, "It ended on 14 Nov 2026, says the Texas register, looked at on 10 Nov 2026 with data of 10 Nov 2026. The public page has said so since 15 Nov 2026."}, {soon, "It ends on 15 Dec 2026, says the Texas register, looked at on 10 Nov 2026 with data of 10 Nov 2026. The public page has said so since 14 Nov 2026."}} {
		doc := d.page(d.get("rowan", "/staff/cases/"+string(x.d.Case.ID)))
		says := text(doc.Find("#ends").Text())
		if !strings.HasPrefix(says, x.says) {
			t.Errorf("%s: %q", x.d.Case.Kind, says)
		}
		if href := doc.Find("#ends a").AttrOr("href", ""); href != "/staff/worksheets/tx-bhec" {
			t.Errorf("the worksheet of its source: %q", href)
		}
		if doc.Find(".lookups a").Length() == 0 || doc.Find("#ends").Length() != 1 {
			t.Error("no link to the register")
		}
		d.inWords(x.d.Case.Kind, doc)
	}
	send := func(who string, x directory.Dossier, form url.Values) reply {
		t.Helper()
		form.Set("seen", fmt.Sprint(x.Seen))
		form.Set("then", "stay")
		return d.post(who, "/staff/cases/"+string(x.Case.ID), form)
	}
	for what, r := range map[string]reply{
		"a viewer":               send("vera", soon, url.Values{"do": {"look_up"}, "found": {"no"}}),
		"could not, and not why": send("rowan", soon, url.Values{"do": {"could_not_look"}, "note": {" "}}),
		"a record of nothing":    send("rowan", soon, url.Values{"do": {"look_up"}, "found": {"yes"}}),
		"another number":         send("rowan", soon, url.Values{"do": {"look_up"}, "found": {"yes"}, "status_words": {"Active"}, "number": {"1"}, "name_shown": {"Ezekiel Marsh"}}),
		"a decision":             send("imani", soon, url.Values{"do": {"confirm"}}),
		"of another kind":        send("rowan", d.first(directory.CaseFirst), url.Values{"do": {"look_up"}, "found": {"no"}}),
		"a number that it never had": d.post("rowan", "/staff/cases/"+string(soon.Case.ID), url.Values{"do": {"look_up"}, "found": {"no"},
			"seen": {"1"}}),
	} {
		if r.StatusCode != 400 && r.StatusCode != 403 && r.StatusCode != 409 {
			t.Errorf("%s: %d", what, r.StatusCode)
		}
	}
	if d.dossier(soon.Case.ID).Seen != soon.Seen {
		t.Fatal("what was refused was recorded")
	}
	if pages, _ := d.foretold(soon.Case.ID, "rowan", directory.CouldNotLook, nil); pages != 0 {
		t.Error("an attempt changes what the public reads")
	}
	if x := d.dossier(soon.Case.ID); x.Need.Returned != "rowan" || !x.Waits {
		t.Errorf("after an attempt: %+v", x.Need)
	}
	// Renewed: the case waits, and says that it was looked up since, and that somebody else confirms it.
	if d.page(d.get("imani", "/staff/cases/"+string(soon.Case.ID))).Find("#newer").Length() != 0 {
		t.Error("before anybody looked the page says that somebody did")
	}
	if r := send("rowan", d.dossier(soon.Case.ID), url.Values{"do": {"look_up"}, "found": {"yes"}, "status_words": {"Active"}, "number": {soon.Claim.Number.Shown},
		"name_shown": {soon.Provider.DisplayName()}, "expires": {"2028-12-31"}, "restrictions": {"none"}}); r.StatusCode != 303 {
		t.Fatalf("a renewal: %d", r.StatusCode)
	}
	doc := d.page(d.get("imani", "/staff/cases/"+string(soon.Case.ID)))
	all := d.dossier(soon.Case.ID).History
	newest := all[len(all)-1]
	if says := text(doc.Find("#newer").Text()); !strings.Contains(says, fmt.Sprintf("event %d", newest.Seq)) || !strings.Contains(text(doc.Find(".history").Text()), "expires 31 Dec 2028") {
		t.Errorf("after it was looked up the page says %q", says)
	}
	if pages, _ := d.foretold(soon.Case.ID, "imani", directory.LookAnew, url.Values{"found": {"no"}, "name_shown": {""}}); pages != 1 {
		t.Error("that nothing was found changes no page")
	}
	if pages, _ := d.foretold(ended.Case.ID, "imani", directory.LookAnew, url.Values{"found": {"yes"}, "status_words": {"Delinquent"}, "number": {ended.Claim.Number.Shown}, "name_shown": {ended.Provider.DisplayName()}}); pages != 1 {
		t.Error("that it has lapsed changes no page")
	}
	for _, x := range []directory.Dossier{soon, ended} {
		if after := d.dossier(x.Case.ID); after.Case.Closed == "" || after.Ends != nil {
			t.Errorf("%s is open still: %+v", x.Case.Kind, after.Now)
		}
	}
	// What the search did not find any more says so in the list.
	list := text(d.page(d.get("rowan", "/staff/cases?kind=change")).Find("tbody").Text())
	if !strings.Contains(list, "no longer in the register") {
		t.Errorf("the list says %q", list)
	}
}

// Every kind of case of the demonstration has a page that offers what the store says can be done, and no more.
func TestDeskOffersWhatIsPossible(t *testing.T) {
	d := newTrial(t)
	l, err := d.store.List(context.Background(), directory.CaseFilter{Limit: 1000}, false)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[directory.CaseKind]int{}
	for _, q := range l.Cases {
		if kinds[q.Kind]++; kinds[q.Kind] > 3 {
			continue
		}
		for _, who := range []string{"rowan", "imani", "vera"} {
			r := d.get(who, "/staff/cases/"+string(q.ID))
			doc := d.page(r)
			if r.StatusCode != 200 || !strings.Contains(r.Header.Get("Cache-Control"), "no-store") {
				t.Fatalf("%s %s: %d", q.Kind, q.ID, r.StatusCode)
			}
			x, err := d.store.Dossier(context.Background(), q.ID, who)
			if err != nil {
				t.Fatal(err)
			}
			var can, offered []string
			for _, c := range append(slices.Clone(x.Choices), x.Acts...) {
				if c.Refused == "" && who != "vera" {
					can = append(can, c.Decision)
				}
			}
			doc.Find("details.deed button[name=do]").Each(func(_ int, b *goquery.Selection) {
				if v, _ := b.Attr("value"); v != "ask" && v != "could_not" {
					offered = append(offered, v)
				}
			})
			if !slices.Equal(can, offered) {
				t.Errorf("%s for %s: can %v, offered %v", q.Kind, who, can, offered)
			}
			d.inWords(q.Kind, doc)
			keys := map[string]bool{}
			doc.Find("[data-key]").Each(func(_ int, e *goquery.Selection) {
				k, _ := e.Attr("data-key")
				if keys[k] {
					t.Errorf("%s for %s: the key %s twice", q.Kind, who, k)
				}
				keys[k] = true
			})
		}
	}
	t.Logf("kinds: %v", kinds)
}

var (
	aCode    = regexp.MustCompile(`\b[A-Z]{2,}_[A-Z_]+\b|\bM[0-5]\b|\b[a-z]+_[a-z_]+\b`)
	aCommand = regexp.MustCompile(`\bkapdir [a-z]+`)
)

// inWords holds a page of the desk to words: no command of the program, no code and no source's id stands in what it says
// itself. What a source says, and names of rows, stay as they are.
func (d *deskTrial) inWords(what any, doc *goquery.Document) {
	d.t.Helper()
	main := doc.Find("main").Clone()
	main.Find("code, pre, dl.row, script, q, blockquote, .compared td").Remove()
	said := text(main.Text())
	for _, re := range []*regexp.Regexp{aCode, aCommand} {
		for _, found := range re.FindAllString(said, -1) {
			if !strings.HasPrefix(found, "prv_") && !strings.HasPrefix(found, "cas_") && !strings.HasPrefix(found, "clm_") {
				d.t.Errorf("%v: the page says %q", what, found)
			}
		}
	}
	for _, x := range directory.Tables().Sources() {
		if strings.Contains(x.ID, "-") && strings.Contains(said, x.ID) {
			d.t.Errorf("%v: the page calls a source %s", what, x.ID)
		}
	}
}

// Every reason that the program gives has words for the desk.
func TestCodeWords(t *testing.T) {
	files, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	code, n := regexp.MustCompile(`"((?:LIC|SRC|REV|EXCL|MATCH|DOC|DISPUTE|PSV|EXP|JUR)_[A-Z_]+)"`), 0
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(b), -1) {
			if n++; codeWords[m[1]] == "" && m[1] != "LIC_" {
				t.Errorf("%s: %s has no words", f, m[1])
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d reasons were found", n)
	}
	for in, want := range map[string]string{
		"under review [REV_PENDING DISPUTE_OPEN]": "under review (waits for a person; disputed)",
		"match M4 by licence_number and family":   "match corroborated by licence number and family",
		"[nothing] TAKEDOWN M52":                  "[nothing] TAKEDOWN M52",
	} {
		if got := plainWords(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if f, ok := fieldsOf(`{"b": {"c_d": "x", "e": ""}, "a": [1, "y"], "n": null}`); !ok || fmt.Sprint(f) != "[{a 1 1} {a 2 y} {b c d x}]" {
		t.Errorf("fields %v %v", f, ok)
	}
	if _, ok := fieldsOf("words { of a page }"); ok {
		t.Error("words are no document of ours")
	}
}

// A register is asked about the very number where an address is known that takes it.
func TestLookups(t *testing.T) {
	for _, x := range []struct {
		source, number, link string
		want                 []string
	}{
		{"co-dora", "12106", "https://apps2.colorado.gov/x?1", []string{"https://apps2.colorado.gov/x?1", "https://data.colorado.gov/resource/7s5z-vewr.json?licensenumber=12106", "https://apps2.colorado.gov/dora/licensing/lookup/licenselookup.aspx"}},
		{"wa-doh", "MD.MD.60441019", "", []string{"https://data.wa.gov/resource/qxh8-f4bd.json?credentialnumber=MD.MD.60441019", "https://fortress.wa.gov/doh/providercredentialsearch/"}},
		{"co-dora", "1&x=2 3", "javascript:alert(1)", []string{"https://data.colorado.gov/resource/7s5z-vewr.json?licensenumber=1%26x%3D2+3", "https://apps2.colorado.gov/dora/licensing/lookup/licenselookup.aspx"}},
		{"nppes", "1234567893", "", []string{"https://npiregistry.cms.hhs.gov/provider-view/1234567893", "https://npiregistry.cms.hhs.gov/"}},
		{"tx-bhec", "36981", "", []string{"https://bhec.texas.gov/verify-a-license/"}}, // no address is known that takes a number
		{"leie", "", "", []string{"https://exclusions.oig.hhs.gov/"}},
		{"kap-commons", "1", "", nil},
	} {
		var got []string
		for _, l := range lookups(directory.Dossier{Case: directory.Case{Source: x.source}, Row: &directory.SourceRow{Number: x.number, Link: x.link}}) {
			got = append(got, l.URL)
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s %s: %q, want %q", x.source, x.number, got, x.want)
		}
	}
}

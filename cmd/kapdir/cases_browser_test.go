package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"kapdir/directory"
)

// sit opens a browser of their own for somebody and signs them in at the desk of the demonstration.
func sit(t *testing.T, s *server, who string, width int64) *visitor {
	t.Helper()
	m := regexp.MustCompile(`the desk as ` + regexp.QuoteMeta(who) + `[^:]*: \S+(/staff/sign-in#\S+)`).FindStringSubmatch(s.log.String())
	if m == nil {
		t.Fatalf("the demonstration names no way to the desk for %s", who)
	}
	v := visit(t, s.url, width, true)
	v.do(chromedp.Navigate(s.url + m[1]))
	v.until(`location.pathname === "/staff" || document.querySelector("form[action='/staff/sign-in'] button") !== null`)
	if js[string](v, `location.pathname`) != "/staff" {
		js[bool](v, `document.querySelector("form[action='/staff/sign-in'] button").click(); true`)
	}
	v.until(`location.pathname === "/staff"`)
	return v
}

// key presses one key where the focus is, as somebody at a keyboard does, and counts it.
func (v *visitor) key(keys ...string) {
	v.t.Helper()
	for _, k := range keys {
		v.presses++
		if k == "\r" {
			v.do(chromedp.KeyEvent(k))
			continue
		}
		// The letter alone: what a page takes as a key is typed nowhere, as with a real keyboard.
		call(v, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "rawKeyDown", Key: k})
		call(v, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: "keyUp", Key: k})
	}
}

// write types words where the focus is, and counts them as no key.
func (v *visitor) write(words string) { v.t.Helper(); v.do(chromedp.KeyEvent(words)) }

// open goes to a case's page by its address; from is the list that is gone on with.
func (v *visitor) open(id directory.ID, from string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.origin() + "/staff/cases/" + string(id) + "?from=" + from))
	v.until(`document.querySelector("#decide") !== null`)
}

func (v *visitor) origin() string { return js[string](v, `location.origin`) }

// arrive waits for another page than the one of the case.
func (v *visitor) leave(id directory.ID) {
	v.t.Helper()
	v.until(fmt.Sprintf(`document.readyState === "complete" && !location.pathname.endsWith(%q)`, id))
}

// Cases of ten kinds are decided by keyboard alone: of every kind that the demonstration has and of two that people bring
// about here, each by another deed; what the public reads follows within two seconds.
func TestBrowserDeskByKeyboard(t *testing.T) {
	state := t.TempDir()
	s := start(t, "demo", "--state", state)
	list := func(kind directory.CaseKind) []directory.Queued {
		t.Helper()
		return asked[casesAnswer](t, "cases", "list", "--state", state, "--now", demoNow, "--kind", string(kind), "--limit", "200").Cases
	}
	show := func(id directory.ID) directory.Dossier {
		t.Helper()
		return asked[directory.Dossier](t, "cases", "show", string(id), "--state", state, "--now", demoNow)
	}
	// A request and a dispute, by those who may.
	var about directory.Queued
	for _, q := range list(directory.CaseFirst) {
		if q.Claim != "" {
			about = q
		}
	}
	must(t, "removal", "request", string(about.Provider), "--state", state, "--now", demoNow, "--words", "Please take my page down.", "--contact", "me@elsewhere.example")
	seen := show(about.ID).Seen
	must(t, "claims", "dispute", string(about.Claim), "--state", state, "--now", demoNow, "--as", "staff-rowan", "--seen", fmt.Sprint(seen), "--identity", "--note", "They say that it is another person of their name.")

	kinds := map[directory.CaseKind]bool{}
	rowan, imani := sit(t, s, "staff-rowan", 1280), sit(t, s, "staff-imani", 1280)
	took := map[directory.ID]bool{}
	pick := func(kind directory.CaseKind, ok func(directory.Dossier) bool) directory.Dossier {
		t.Helper()
		for _, q := range list(kind) {
			if took[q.ID] {
				continue
			}
			if d := show(q.ID); d.Hold == nil && d.Waits && ok(d) {
				took[q.ID] = true
				return d
			}
		}
		t.Fatalf("no case of the kind %s fits", kind)
		return directory.Dossier{}
	}
	choice := func(deed string) func(directory.Dossier) bool {
		return func(d directory.Dossier) bool {
			return slices.ContainsFunc(append(slices.Clone(d.Choices), d.Acts...), func(c directory.Choice) bool { return c.Decision == deed && c.Refused == "" })
		}
	}
	for _, x := range []struct {
		kind  directory.CaseKind
		who   *visitor
		deed  string
		fits  func(directory.Dossier) bool
		do    func(*visitor)
		done  func(directory.Dossier) bool
		press int // at most so many keys; 0 is not counted
	}{
		{directory.CaseFirst, rowan, "confirm a clean licence", func(d directory.Dossier) bool {
			return choice("confirm")(d) && d.Need.Approvals == 1 && d.Case.Match.Rung == directory.M5
		},
			func(v *visitor) { v.key("c", "\r") }, func(d directory.Dossier) bool { return d.Case.Closed != "" }, 3},
		{directory.CaseFirst, rowan, "return", choice("return"), func(v *visitor) { v.key("r"); v.write("The date cannot be read."); v.send() },
			func(d directory.Dossier) bool { return d.Need.Returned == "staff-rowan" }, 0},
		{directory.CaseFirst, rowan, "could not check", choice("return"), func(v *visitor) { v.key("u"); v.write("The register was down."); v.send() },
			func(d directory.Dossier) bool {
				return strings.Contains(last(d), "Could not check: The register was down.")
			}, 0},
		{directory.CaseIndeterminate, imani, "clear", choice("clear"), func(v *visitor) { v.key("x"); v.write("\t"); v.write("Another board."); v.send() },
			func(d directory.Dossier) bool { return d.Case.Closed != "" && strings.Contains(last(d), "cleared") }, 0},
		{directory.CaseIndeterminate, imani, "hide the claim", choice("withdraw"), func(v *visitor) { v.key("w"); v.write("Asked for by the board."); v.send() },
			func(d directory.Dossier) bool { return d.Status == directory.StatusWithdrawn }, 0},
		{directory.CaseDuplicate, rowan, "two people", choice("distinct"), func(v *visitor) { v.key("d"); v.write("Other town, other licence."); v.send() },
			func(d directory.Dossier) bool { return d.Case.Closed != "" }, 0},
		{directory.CaseExclusion, rowan, "somebody else", choice("clear"), func(v *visitor) { v.key("x"); v.write("\t"); v.write("Born thirty years apart."); v.send() },
			func(d directory.Dossier) bool { return d.Case.Closed != "" }, 0},
		{directory.CaseDocument, imani, "not theirs", choice("confirm"), func(v *visitor) { v.key("c", "\r") },
			func(d directory.Dossier) bool { return d.Case.Closed != "" }, 0},
		{directory.CaseDispute, imani, "accept the dispute", choice("accept"), func(v *visitor) { v.key("a"); v.write("Another birth year."); v.send() },
			func(d directory.Dossier) bool { return strings.Contains(last(d), "accepted the dispute") }, 0},
		{directory.CaseExpired, rowan, "write down that it has lapsed", choice(directory.LookAnew), func(v *visitor) {
			v.key("a")
			for _, cell := range []string{"Delinquent", "74494", "Gwendolyn Pratt", "2026-11-14"} {
				v.write("\t" + cell)
			}
			v.send()
		}, func(d directory.Dossier) bool { // bad news lowers at once, and is a case of its own
			return d.Case.Closed != "" && d.Status == directory.StatusUnderReview && strings.Contains(last(d), "Delinquent")
		}, 0},
		{directory.CaseExpiring, imani, "could not check", choice(directory.CouldNotLook), func(v *visitor) { v.key("u"); v.write("The council's site was down."); v.send() },
			func(d directory.Dossier) bool {
				return d.Need.Returned == "staff-imani" && d.Case.Closed == "" && d.Status == directory.StatusExpiring
			}, 0},
		{directory.CaseRemoval, imani, "hide on request", choice("accept_request"), func(v *visitor) { v.key("h"); v.write("They called from the clinic."); v.send() },
			func(d directory.Dossier) bool { return d.Case.Closed != "" }, 0},
	} {
		d := pick(x.kind, x.fits)
		v := x.who
		kinds[x.kind] = true
		from := emptyList
		if x.press > 0 {
			from = "kind%3Dfirst_verification"
		}
		v.open(d.Case.ID, from)
		v.presses = 0
		x.do(v)
		v.leave(d.Case.ID)
		if x.press > 0 {
			if at := js[string](v, `location.pathname`); v.presses > x.press || !strings.HasPrefix(at, "/staff/cases/cas_") {
				t.Errorf("%s of %s: %d key presses led to %s", x.deed, x.kind, v.presses, at)
			}
		}
		if x.kind == directory.CaseRemoval { // nothing is held of whom that was any more
			if code, _, _ := s.get(t, "/providers/"+string(d.Provider.ID)); code != 410 {
				t.Errorf("the page of who was hidden answers %d", code)
			}
			continue
		}
		if after := show(d.Case.ID); !x.done(after) {
			t.Errorf("%s of %s: %s", x.deed, x.kind, last(after))
		}
	}
	// What stands against somebody needs two, and the public hears of it at once.
	d := pick(directory.CaseAdverse, func(d directory.Dossier) bool {
		return choice("confirm")(d) && d.Need.Approvals == 2 && d.Claim != nil && d.Claim.Kind == directory.License
	})
	public := func() string {
		_, body, _ := s.get(t, "/api/v1/providers/"+string(d.Provider.ID))
		return standingOf(t, body, d.Claim.ID)
	}
	before := public()
	rowan.open(d.Case.ID, emptyList)
	rowan.key("c", "\r")
	rowan.leave(d.Case.ID)
	if now := public(); now != before || now == "adverse" {
		t.Errorf("after one person the public reads %q, before %q", now, before)
	}
	rowan.open(d.Case.ID, emptyList)
	if js[bool](rowan, `document.querySelector("details.deed button[value=confirm]") !== null`) {
		t.Error("the same person is offered to be the second")
	}
	imani.open(d.Case.ID, emptyList)
	for _, fold := range []string{"s", "i", "j"} { // opened by mistake, each is left by Esc, and the keys are there again
		imani.key(fold)
		imani.until(`document.querySelector("details[data-key='` + fold + `'][open]")?.contains(document.activeElement)`)
		imani.key("Escape")
		imani.until(`!document.querySelector("details[data-key='` + fold + `']").open && document.activeElement.tagName === "SUMMARY"`)
	}
	imani.key("c", "\r")
	imani.leave(d.Case.ID)
	decided := time.Now()
	for public() != "adverse" {
		if time.Since(decided) > 2*time.Second {
			t.Fatalf("two seconds after the second person the public reads %q", public())
		}
		time.Sleep(50 * time.Millisecond)
	}
	if _, body, _ := s.get(t, "/providers/"+string(d.Provider.ID)); !strings.Contains(string(body), "shows") {
		t.Error("the page says nothing of it")
	}
	kinds[d.Case.Kind] = true
	if len(kinds) != 10 {
		t.Errorf("cases of %d kinds were decided: %v", len(kinds), kinds)
	}
	worksheetByHand(t, s, state, rowan)
	rowan.open(d.Case.ID, emptyList)
	// The keys are told by the page.
	rowan.key("?")
	rowan.until(`document.querySelector("dialog#keys[open]") !== null`)
	rowan.alone()
	imani.alone()
}

// asked is what a command of the program answers as JSON.
func asked[T any](t *testing.T, args ...string) (out T) {
	t.Helper()
	text, errs, status := inside(t, append(args, "--json")...)
	if status != exitDone {
		t.Fatalf("%v: %d %s", args, status, errs)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// send sends the form that the focus is in.
func (v *visitor) send() {
	v.t.Helper()
	js[bool](v, `(() => { const e = new KeyboardEvent("keydown", {key: "Enter", ctrlKey: true, bubbles: true, cancelable: true}); document.activeElement.dispatchEvent(e); return true })()`)
}

func last(d directory.Dossier) string {
	if len(d.History) == 0 {
		return ""
	}
	return d.History[len(d.History)-1].Words
}

func standingOf(t *testing.T, body []byte, claim directory.ID) string {
	t.Helper()
	var p struct {
		Claims []struct{ ID, Status string }
	}
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Claims {
		if c.ID == string(claim) {
			return c.Status
		}
	}
	return ""
}

// Two browsers race for one case and for one decision: one has it, the other is told.
func TestBrowserDeskRace(t *testing.T) {
	s := start(t, "demo", "--state", t.TempDir())
	a, b := sit(t, s, "staff-rowan", 1280), sit(t, s, "staff-imani", 1280)
	for _, v := range []*visitor{a, b} {
		v.do(chromedp.Navigate(s.url + "/staff/cases?kind=first_verification&holder=-"))
		v.until(`document.querySelectorAll("a[data-row]").length > 3`)
	}
	id := js[string](a, `document.querySelectorAll("a[data-row]")[3].getAttribute("href").match(/cas_[0-9a-z]+/)[0]`)
	for _, v := range []*visitor{a, b} {
		v.open(directory.ID(id), emptyList)
	}
	race := func(selector string) (won, lost *visitor) {
		t.Helper()
		done := make(chan struct{}, 2)
		for _, v := range []*visitor{a, b} {
			go func() {
				js[bool](v, `window.before = true; document.querySelector("`+selector+`").click(); true`)
				done <- struct{}{}
			}()
		}
		<-done
		<-done
		for _, v := range []*visitor{a, b} {
			v.until(`window.before === undefined && document.readyState === "complete"`)
		}
		told := func(v *visitor) bool { return js[bool](v, `document.querySelector(".wrong[role=alert]") !== null`) }
		switch x, y := told(a), told(b); {
		case x && !y:
			return b, a
		case y && !x:
			return a, b
		default:
			t.Fatalf("told: %v and %v", x, y)
			return nil, nil
		}
	}
	won, lost := race(`button[value=take]`)
	if says := lost.text(".wrong"); !strings.Contains(says, "This case is ") || !strings.Contains(js[string](won, `document.querySelector(".hold").textContent`), "yours") {
		t.Errorf("the other is told %q", says)
	}
	// The decision: whose case it is gives it back, and both decide.
	js[bool](won, `document.querySelector("button[value=release]").click(); true`)
	won.until(`document.querySelector("button[value=take]") !== null`)
	for _, v := range []*visitor{a, b} {
		v.open(directory.ID(id), emptyList)
	}
	_, lost = race(`button[value=confirm]`)
	if says := lost.text(".wrong"); !strings.Contains(says, "Not recorded") || !strings.Contains(says, "confirmed") {
		t.Errorf("the other is told %q", says)
	}
}

// The pages of the desk are as clean as the public ones, and fit a phone.
func TestBrowserDeskAxe(t *testing.T) {
	source := axeSource(t)
	s := start(t, "demo", "--state", t.TempDir())
	const run = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}).then((r) =>
		r.violations.map((v) => v.id + ": " + v.help + "\n    " + v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + " (" + n.any.concat(n.all, n.none).map((c) => c.message).join("; ").slice(0, 240) + ")").join("\n    ")).join("\n"))`
	for _, look := range []struct {
		width  int64
		scheme string
	}{{360, "light"}, {1280, "dark"}} {
		v := sit(t, s, "staff-imani", look.width)
		call(v, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
		paths := []string{"/staff/cases", "/staff/cases?kind=adverse&late=1"}
		for _, kind := range []string{"adverse", "first_verification", "indeterminate", "possible_duplicate", "possible_exclusion", "reused_document", "expired", "expiring"} {
			v.do(chromedp.Navigate(s.url + "/staff/cases?kind=" + kind))
			if href := js[string](v, `document.querySelector("a[data-row]")?.getAttribute("href") ?? ""`); href != "" {
				paths = append(paths, href)
			}
		}
		if len(paths) < 10 {
			t.Errorf("only %v", paths)
		}
		v.do(chromedp.Navigate(s.url + paths[len(paths)-1]))
		paths = append(paths, js[string](v, `document.querySelector("a[href^='/staff/providers/']").getAttribute("href")`))
		clean := func(path string) {
			js[bool](v, source+`; for (const d of document.querySelectorAll("details")) { d.removeAttribute("name"); d.open = true; } true`)
			if found := js[string](v, run); found != "" {
				t.Errorf("%s at %d px\n%s", path, look.width, found)
			}
			if js[bool](v, `document.documentElement.scrollWidth > document.documentElement.clientWidth`) {
				t.Errorf("%s scrolls sideways at %d px", path, look.width)
			}
		}
		for _, path := range append(paths, deskPages...) {
			v.do(chromedp.Navigate(s.url + path))
			clean(path)
		}
		rows, _, _ := v.someLookUps()
		v.uploadSheet(rows)
		clean("what a worksheet would do")
		v.alone()
	}
}

// emptyList is a list without cases, so that nothing is taken after a decision.
const emptyList = "state%3DGU"

// deskPages are pages of the desk beside those of cases.
var deskPages = []string{"/staff", "/staff/audit", "/staff/audit/monitoring?month=2026-11", "/staff/audit/integrity?seed=x&sample=5", "/staff/audit/member?name=staff-rowan", "/staff/metrics",
	"/staff/worksheets", "/staff/worksheets/ca-dca", "/staff/worksheets/co-dora"}

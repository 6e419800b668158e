package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/store/storetest"
)

// allKeys knows one key, which may do everything as often as it likes.
type allKeys struct{ Integrators }

func (allKeys) APIKey(_ context.Context, id directory.ID, _ string, _ directory.Instant) (directory.APIKey, directory.Integrator, bool, error) {
	k := directory.APIKey{ID: id, Integrator: "test", PerMinute: 1 << 30}
	for _, x := range directory.Scopes {
		k.Scopes = append(k.Scopes, x.Scope)
	}
	return k, directory.Integrator{ID: "test"}, true, nil
}

func (allKeys) RegisteredOrigins(context.Context) (map[directory.WebOrigin][]directory.IntegratorID, error) {
	return nil, nil
}

// keyed makes a server that knows anyKey.
func keyed(c *Config) { c.Integrators = allKeys{} }

// anyKey is a key as one is written.
var anyKey = "kap_live_" + strings.Repeat("0", 26) + "_" + strings.Repeat("0", 52)

// withKey are the headers of a request with it.
var withKey = []string{"Authorization", "Bearer " + anyKey}

// kget asks with the key.
func kget(t testing.TB, s *Server, path string, headers ...string) reply {
	t.Helper()
	return get(t, s, path, append(slices.Clone(headers), withKey...)...)
}

// toldChange is a change as a follower reads it.
type toldChange struct {
	Seq        int64           `json:"seq"`
	ID         directory.ID    `json:"id"`
	Removed    bool            `json:"removed"`
	MergedInto directory.ID    `json:"merged_into"`
	Withheld   bool            `json:"withheld"`
	Provider   json.RawMessage `json:"provider"`
}

// state is what a follower writes down of it: everything but the number.
func (c toldChange) state() string {
	return fmt.Sprintf("removed %v merged into %q withheld %v %s", c.Removed, c.MergedInto, c.Withheld, c.Provider)
}

type toldPage struct {
	Changes []toldChange
	Next    int64
	More    bool
	Head    int64
}

// disk is what a follower has written down: it survives whatever happens to the follower.
type disk struct {
	held map[directory.ID]string
	next int64
}

var errKilled = errors.New("killed")

// follow goes on from what is on the disk until it has all there is and enough says so, or until its life is over:
// so many steps, each of them one thing written down or one page of at most so many asked for. It applies a page before it notes its
// next, so that whatever is lost is told again.
func (d *disk) follow(s *Server, r *rand.Rand, most, life int, enough func() bool) error {
	step := func() error {
		if life--; life == 0 {
			return errKilled
		}
		return nil
	}
	for {
		target := fmt.Sprintf("/api/v1/changes?after=%d&limit=%d", d.next, 1+r.IntN(most))
		if r.IntN(8) > 0 && !enough() {
			target += "&wait=1"
		}
		if err := step(); err != nil {
			return err
		}
		over := enough() // before the page is read
		page, err := fetchPage(s, target)
		if err != nil {
			return err
		}
		last := d.next
		for _, c := range page.Changes {
			if c.Seq <= last || c.Seq > page.Head {
				return fmt.Errorf("%s: number %d after %d, head %d", target, c.Seq, last, page.Head)
			}
			last = c.Seq
			if err := step(); err != nil {
				return err
			}
			d.held[c.ID] = c.state()
		}
		if page.Next < last || page.More != (page.Next < page.Head) {
			return fmt.Errorf("%s: next %d, more %v, last %d, head %d", target, page.Next, page.More, last, page.Head)
		}
		if err := step(); err != nil {
			return err
		}
		d.next = page.Next
		if over && !page.More {
			return nil
		}
	}
}

func fetchPage(s *Server, target string) (page toldPage, err error) {
	req := httptest.NewRequest(http.MethodGet, target, nil)
	req.Header.Set("Authorization", "Bearer "+anyKey)
	res, err := s.App().Test(req, 60_000)
	if err != nil {
		return page, err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "" {
		return page, errKilled // whoever is told to come back later is no better off than one who was killed
	}
	if res.StatusCode != http.StatusOK {
		return page, fmt.Errorf("%s: %d", target, res.StatusCode)
	}
	return page, json.NewDecoder(res.Body).Decode(&page)
}

// whole is what a follower has who begins now and is never disturbed.
func whole(t *testing.T, s *Server) *disk {
	t.Helper()
	d := &disk{held: map[directory.ID]string{}}
	if err := d.follow(s, rand.New(rand.NewPCG(1, 1)), maxChangePage, -1, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	return d
}

// A follower is killed at random, a hundred times and more, while the demonstration is loaded, while time passes and
// while people are removed and merged: it ends with exactly what the server says, on both databases.
func TestFollowerKilledAtRandom(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		testFollower(t, store.Config{Dir: t.TempDir()})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		testFollower(t, store.Config{DSN: storetest.Postgres(t)})
	})
}

func testFollower(t *testing.T, cfg store.Config) {
	const wanted = 100
	cfg.SuppressionKey = bytes.Repeat([]byte{7}, 32)
	clock := &demoClock{}
	opened := make(chan *store.Store, 1)
	loaded := make(chan error, 1)
	go func() {
		st, _, err := loadSteps(cfg, clock, func(st *store.Store) { opened <- st })
		if err != nil && st == nil {
			close(opened)
		}
		loaded <- err
	}()
	st := <-opened
	if st == nil {
		t.Fatal(<-loaded)
	}
	defer st.Close()
	s := demoServer(t, keyed, func(c *Config) { c.Reader, c.Now, c.Policies = st, clock.now, st.Policies() })
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	d, kills := &disk{held: map[directory.ID]string{}}, 0
	// live follows until it has all that there is once done is closed, killed again and again on the way.
	live := func(done <-chan struct{}, most int) {
		t.Helper()
		enough := func() bool {
			select {
			case <-done:
				return true
			default:
				return false
			}
		}
		for {
			life := 1 + r.IntN(most)
			err := d.follow(s, r, 1+life/2, life, enough)
			if err == nil {
				return
			}
			if !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			kills++
		}
	}
	closed := func() <-chan struct{} { c := make(chan struct{}); close(c); return c }
	done := make(chan struct{})
	go func() {
		if err := <-loaded; err != nil {
			t.Error(err)
		}
		close(done)
	}()
	live(done, 60)
	agree := func(when string) {
		t.Helper()
		fresh := whole(t, s)
		if diff := cmp.Diff(fresh.held, d.held); diff != "" || d.next != fresh.next {
			t.Fatalf("%s: at %d, and whoever begins now at %d (-fresh +followed):\n%.2000s", when, d.next, fresh.next, diff)
		}
		listed, err := st.Listed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for id, says := range d.held {
			there := slices.Contains(listed, id)
			if there != strings.HasPrefix(says, `removed false merged into "" withheld false {`) {
				t.Errorf("%s: %s is listed: %v, and the follower holds %.100s", when, id, there, says)
			}
			if there {
				shown++
			}
		}
		if shown != len(listed) {
			t.Errorf("%s: %d held of %d", when, shown, len(listed))
		}
	}
	pass := func(days int) { // as the server's own watch does
		t.Helper()
		now := directory.At(clock.now()).AddDays(days)
		clock.set(now)
		for {
			n, err := st.TouchDue(t.Context(), now, 100)
			if err != nil {
				t.Fatal(err)
			}
			if n < 100 {
				break
			}
		}
	}
	pass(0)
	live(closed(), 60)
	agree("loaded")
	if len(d.held) < 500 {
		t.Fatalf("%d people", len(d.held))
	}
	for _, days := range []int{120} {
		pass(days)
		before := d.next
		live(closed(), 100)
		if d.next == before {
			t.Errorf("in %d days nothing changed", days)
		}
		agree(fmt.Sprintf("%d days later", days))
	}
	for kills < wanted*9/10 { // what is left until there were enough of them
		pass(1)
		d.next = max(0, d.next-int64(r.IntN(400))) // as one does who goes back to an older number
		live(closed(), 12)
	}
	// Removals: of a practice and of a prescriber others name, and of somebody else; and a merge.
	var gone []directory.ID
	for _, name := range []string{"Keisha Reed Singletary", "Amara Whitcomb", "Boulder Ketamine Clinic"} {
		if id := idIn(t, st, name); id != "" {
			q, err := st.RequestRemoval(t.Context(), directory.Removal{Kind: "removal", Provider: id})
			if err == nil {
				_, err = st.DecideRemoval(t.Context(), directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "staff-imani", Auth: "test", Note: "asked"})
			}
			if err != nil {
				t.Fatal(err)
			}
			gone = append(gone, id)
		}
	}
	merged := mergeTwo(t, st)
	for { // and the rest
		live(closed(), 12)
		if kills >= wanted {
			break
		}
		d.next = max(0, d.next-int64(r.IntN(400)))
	}
	agree("removed and merged")
	if len(gone) < 2 || merged == "" {
		t.Errorf("%d were removed, and merged was %q: the test tests too little", len(gone), merged)
	}
	for _, id := range gone {
		if got := d.held[id]; got != `removed true merged into "" withheld false ` {
			t.Errorf("%s was removed, and the follower holds %.200s", id, got)
		}
	}
	if merged != "" && !strings.Contains(d.held[merged], `removed false merged into "prv_`) {
		t.Errorf("the merged one: %.200s", d.held[merged])
	}
	t.Logf("killed %d times; %d people, number %d", kills, len(d.held), d.next)
}

func idIn(t *testing.T, st *store.Store, name string) (id directory.ID) {
	t.Helper()
	if err := st.EachFile(t.Context(), func(f *directory.CredentialFile) error {
		if strings.HasPrefix(f.Provider.DisplayName(), name) {
			id = f.Provider.ID
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return id
}

// mergeTwo merges two of whom a case says that they may be one, and returns the one who goes.
func mergeTwo(t *testing.T, st *store.Store) (merged directory.ID) {
	t.Helper()
	cases, err := st.Cases(t.Context(), true, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Kind != directory.CaseDuplicate {
			continue
		}
		var err error
		for _, who := range []string{"staff-rowan", "staff-imani"} {
			var file directory.Dossier
			if file, err = st.Dossier(t.Context(), c.ID, who); err == nil {
				_, err = st.Decide(t.Context(), directory.Decision{Case: c.ID, Seen: file.Seen, Staff: who, Auth: "test", Decision: "same", Note: "one person"})
			}
		}
		if err != nil {
			t.Logf("case %s: %v", c.ID, err)
			continue
		}
		page, err := st.ChangePage(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, ch := range page.Changes {
			if ch.MergedInto != "" {
				return ch.Provider
			}
		}
	}
	return ""
}

// waited asks for what comes after the number and tells how long that took.
func waited(t testing.TB, url string, after int64, seconds int) (page toldPage, took time.Duration, err error) {
	begun := time.Now()
	req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/api/v1/changes?after=%d&wait=%d", url, after, seconds), nil)
	if err != nil {
		return page, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+anyKey)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return page, time.Since(begun), err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return page, time.Since(begun), fmt.Errorf("status %d", res.StatusCode)
	}
	err = json.NewDecoder(res.Body).Decode(&page)
	return page, time.Since(begun), err
}

// served serves a demonstration that may be written to, and returns what ends it.
func served(t *testing.T) (d *deskTrial, url string, stop func() time.Duration) {
	d = newTrial(t)
	d.s = demoServer(t, keyed, func(c *Config) { c.Reader, c.Search = d.store, d.index })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.s.Serve(ctx, l) }()
	var once sync.Once
	var took time.Duration
	stop = func() time.Duration {
		once.Do(func() {
			begun := time.Now()
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Serve: %v", err)
			}
			took = time.Since(begun)
		})
		return took
	}
	t.Cleanup(func() { stop() })
	return d, "http://" + l.Addr().String(), stop
}

// Whoever waits is told within a tenth of a second of a commit, of another process too; whoever waits in vain is
// answered when the time is over; there is room for so many; and all are let go when the server stops.
func TestChangesAreWaitedFor(t *testing.T) {
	d, url, stop := served(t)
	head, err := d.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if page, took, err := waited(t, url, head.Public, 1); err != nil || len(page.Changes) != 0 || page.Next != head.Public || took < 900*time.Millisecond || took > 3*time.Second {
		t.Errorf("in vain: %v, %d changes, next %d, %s", err, len(page.Changes), page.Next, took)
	}
	if page, took, err := waited(t, url, head.Public-1, 20); err != nil || len(page.Changes) != 1 || took > 2*time.Second {
		t.Errorf("what is there already: %v, %d changes, %s", err, len(page.Changes), took)
	}
	// A store of its own, as another process has: nothing in this one tells of what it writes.
	other, err := store.Open(t.Context(), store.Config{Dir: filepath.Join(d.dir, "state"), Now: func() time.Time { return d.now.Time() }})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ids, err := d.store.Listed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var quickest time.Duration
	for i, st := range []*store.Store{d.store, other, other} {
		told := make(chan time.Time, 1)
		go func() {
			page, _, err := waited(t, url, head.Public, 20)
			if err != nil || len(page.Changes) == 0 || !slices.ContainsFunc(page.Changes, func(c toldChange) bool { return c.ID == ids[i] }) {
				t.Errorf("%d: %v, %d changes", i, err, len(page.Changes))
			}
			told <- time.Now()
		}()
		time.Sleep(150 * time.Millisecond) // it waits by now
		q, err := st.RequestRemoval(t.Context(), directory.Removal{Kind: "removal", Provider: ids[i]})
		if err != nil {
			t.Fatal(err)
		}
		var committed time.Time
		done := make(chan error, 1)
		go func() {
			_, err := st.DecideRemoval(t.Context(), directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "imani", Auth: "test", Note: "asked"})
			done <- err
		}()
		for {
			h, err := other.Head(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if h.Public > head.Public {
				committed, head = time.Now(), h
				break
			}
			time.Sleep(time.Millisecond)
		}
		took := (<-told).Sub(committed)
		if quickest == 0 || took < quickest {
			quickest = took
		}
		t.Logf("told %s after the commit", took.Round(time.Millisecond))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if quickest > 200*time.Millisecond { // the machine may be busy with other tests
		t.Errorf("told %s after the commit at best", quickest)
	}

	// Room for so many of one address, and their end.
	var wg sync.WaitGroup
	results := make(chan error, waitersEach)
	for range waitersEach {
		wg.Go(func() {
			_, _, err := waited(t, url, head.Public, 30)
			results <- err
		})
	}
	deadline := time.Now().Add(5 * time.Second)
	for {
		d.s.news.mu.Lock()
		n := d.s.news.waiting
		d.s.news.mu.Unlock()
		if n == waitersEach {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d wait", n)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if _, took, err := waited(t, url, head.Public, 30); err == nil || !strings.Contains(err.Error(), "503") || took > 2*time.Second {
		t.Errorf("one too many: %v after %s", err, took)
	}
	if _, _, err := waited(t, url, head.Public, 0); err != nil {
		t.Errorf("whoever does not wait: %v", err)
	}
	if took := stop(); took > 3*time.Second {
		t.Errorf("the server needed %s to stop", took)
	}
	wg.Wait()
	for range waitersEach {
		if err := <-results; err != nil {
			t.Errorf("one who waited when the server stopped: %v", err)
		}
	}
	if n := len(d.s.news.clients) + d.s.news.waiting; n != 0 {
		t.Errorf("%d are still counted", n)
	}
}

func TestChangesParameters(t *testing.T) {
	s := demoServer(t, keyed)
	head, err := demoWorld(t).store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for query, parameter := range map[string]string{
		"after=-1": "after", "after=x": "after", "after=01": "after", "after=99999999999999999999": "after", "after=": "after", "after=1&after=2": "after",
		"after=" + strconv.FormatInt(head.Public+1, 10): "after", "after=9007199254740991&wait=30": "after",
		"limit=0": "limit", "limit=201": "limit", "wait=31": "wait", "wait=-1": "wait", "since=1": "since",
	} {
		begun := time.Now()
		r := get(t, s, "/api/v1/changes?"+query, withKey...)
		p := decode[problem](t, r)
		if r.StatusCode != 400 || len(p.Errors) != 1 || p.Errors[0].Parameter != parameter || time.Since(begun) > 5*time.Second {
			t.Errorf("%s: %d %+v", query, r.StatusCode, p.Errors)
		}
	}
	r := get(t, s, "/api/v1/changes?limit=3", withKey...)
	page := decode[toldPage](t, r)
	if len(page.Changes) != 3 || !page.More || page.Head != head.Public || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d changes, %+v", len(page.Changes), r.Header)
	}
	if want := fmt.Sprintf(`</api/v1/changes?after=%d&limit=3>; rel="next", </api/v1/changes?after=0&limit=3>; rel="first"`, page.Next); r.Header.Get("Link") != want {
		t.Errorf("Link: %s", r.Header.Get("Link"))
	}
	if again := get(t, s, "/api/v1/changes?limit=3&after=0", withKey...); again.body != r.body {
		t.Error("the same page again says something else")
	}
}

// What a record leaves out because a source may not be passed on is nowhere in it, and the rest is what the
// provider's own JSON says.
func TestRecordsLeaveOutWhatMayNotBePassedOn(t *testing.T) {
	w := demoWorld(t)
	s := demoServer(t)
	plain := 0
	held := 0
	for _, id := range everybody(t) {
		f, err := w.store.File(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		h, err := w.store.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := moment{at: w.now, known: max(w.now, h.RecordedAt), now: w.now, lang: english, lasting: true}
		whole, rec := s.providerOf(f, "", m), s.recordOf(f, m)
		if rec == nil {
			t.Errorf("%s is withheld whole", id)
			continue
		}
		a, err1 := json.Marshal(whole)
		b, err2 := json.Marshal(rec)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		var x, y map[string]any
		if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
			t.Fatal(err)
		}
		for _, gone := range []string{"as_of", "head", "demo"} {
			if _, ok := y[gone]; ok || x[gone] == nil {
				t.Errorf("%s: %s stands in the record: %v", id, gone, ok)
			}
			delete(x, gone)
		}
		delete(y, "withheld")
		if len(rec.Withheld) == 0 {
			if diff := cmp.Diff(x, y); diff != "" {
				t.Errorf("%s: nothing was left out, and the record differs:\n%s", id, diff)
			}
			plain++
			continue
		}
		held++
		for _, c := range rec.Claims {
			if c.basis != nil && c.basis.Body.Source == "certificate" && (!strings.Contains(c.Sentence, "may not be passed on") || c.Title != "" && strings.Contains(c.Sentence, c.Title)) {
				t.Errorf("%s: %s", id, c.Sentence)
			}
		}
		for i, c := range rec.Checks {
			if c.Result != whole.Checks[i].Result || value(c.ValidUntil) != value(whole.Checks[i].ValidUntil) || value(c.AsOf) != value(whole.Checks[i].AsOf) {
				t.Errorf("%s: the check %s is another", id, c.Check)
			}
		}
		if strings.Contains(string(b), "The provider sent a") {
			at := strings.Index(string(b), "The provider sent a")
			t.Errorf("%s: what a document says is passed on: %.400s", id, b[max(0, at-300):])
		}
	}
	if plain < 300 || held < 50 {
		t.Errorf("%d with nothing left out and %d with something: the test tests too little", plain, held)
	}
}

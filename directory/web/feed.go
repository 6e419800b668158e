package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// The change feed tells who changed since a number, newest state and all: whoever follows it holds what the server
// says. It is read by itself or waited for; one snapshot of the store makes each page.

const (
	maxChangePage = 200
	changePage    = 100
	maxWait       = 30 // seconds
	waitLook      = 40 * time.Millisecond
	maxWaiters    = 96 // of the 400 connections that are held at once
	waitersEach   = 8  // of one address
	feedSlots     = 2
	lastNumber    = 1<<53 - 1 // that a number of JavaScript holds
)

// feedParams are the parameters of the change feed.
var feedParams = []param{
	{name: "after", read: readNumber("bad.after", 0, lastNumber, func(a *ask, n int) { a.After = int64(n) })},
	{name: "limit", read: readNumber("bad.limit.changes", 1, maxChangePage, func(a *ask, n int) { a.Limit = n })},
	{name: "wait", read: readNumber("bad.wait", 0, maxWait, func(a *ask, n int) { a.Wait = n })},
}

// changesAnswer is a page of the feed.
type changesAnswer struct {
	Changes []feedChange      `json:"changes"`
	Next    int64             `json:"next"` // the number to go on from
	More    bool              `json:"more"` // others follow at once
	Head    int64             `json:"head"`
	AsOf    directory.Instant `json:"as_of"` // the moment of which the records are true
	Edition string            `json:"edition"`
	Demo    *demo             `json:"demo"`
}

// feedChange is one change. Of the last four one is set.
type feedChange struct {
	Seq        int64        `json:"seq"`
	ID         directory.ID `json:"id"`
	Removed    bool         `json:"removed,omitempty"`
	MergedInto directory.ID `json:"merged_into,omitempty"`
	Withheld   bool         `json:"withheld,omitempty"` // is listed, and may not be passed on
	Provider   *record      `json:"provider,omitempty"`
}

// apiChanges answers GET /api/v1/changes.
func (s *Server) apiChanges(c *fiber.Ctx) error {
	a, bad := parse(rawQuery(c), feedParams, false)
	if len(bad) > 0 {
		return bad
	}
	if a.Limit == 0 {
		a.Limit = changePage
	}
	if a.Wait > 0 {
		if err := s.news.wait(s.clientAddress(c.Context()), a.After, time.Duration(a.Wait)*time.Second); err != nil {
			return err
		}
	}
	key := "/api/v1/changes?after=" + strconv.FormatInt(a.After, 10) + "&limit=" + strconv.Itoa(a.Limit)
	if kept := s.kept(key); kept != nil {
		return s.sendKept(c.Context(), kept)
	}
	ctx, cancel := s.deadline(feedDeadline)
	defer cancel()
	select { // one works a page out, and whoever asked for the same finds it then
	case s.feedTurn <- struct{}{}:
		defer func() { <-s.feedTurn }()
	case <-ctx.Done():
		return busy
	}
	if kept := s.kept(key); kept != nil {
		return s.sendKept(c.Context(), kept)
	}
	page, err := s.cfg.Reader.ChangePage(ctx, a.After, a.Limit)
	if err != nil {
		return err
	}
	if a.After > page.Head.Public {
		return badParams{wrong("after", "bad.after.none")}
	}
	answer, kept := s.changesOf(page)
	if kept.body, err = encodeJSON(answer); err != nil {
		return err
	}
	limit := ""
	if a.Limit != changePage {
		limit = "&limit=" + strconv.Itoa(a.Limit)
	}
	kept.link = `</api/v1/changes?after=` + strconv.FormatInt(answer.Next, 10) + limit + `>; rel="next", </api/v1/changes?after=0` + limit + `>; rel="first"`
	if len(kept.body) < mostKeptPage {
		s.answers.put(key, kept)
	}
	return s.sendKept(c.Context(), kept)
}

// mostKeptPage bounds the pages that are kept: those are for the many who wait for the same change, and not to push
// searches out of memory.
const mostKeptPage = 1 << 20

// feedDeadline bounds the work of a page, which may tell 200 providers whole.
const feedDeadline = 10 * time.Second

// changesOf tells a page of the store's feed, and how long that holds. The moment is taken after the snapshot: nothing
// that the snapshot holds lies in its future.
func (s *Server) changesOf(page directory.ChangePage) (*changesAnswer, *keptAnswer) {
	now := s.now()
	m := moment{at: now, known: max(now, page.Head.RecordedAt), now: now, head: page.Head.Public, lang: english, lasting: true}
	kept := &keptAnswer{span: span{milli(now), milli(now.Add(keptFor))}, head: page.Head.Public, contentType: fiber.MIMEApplicationJSONCharsetUTF8}
	out := &changesAnswer{Changes: make([]feedChange, len(page.Changes)), Next: page.Next, More: page.More, Head: page.Head.Public, AsOf: now, Edition: s.edition, Demo: s.demo()}
	for i, ch := range page.Changes {
		out.Changes[i] = s.changedOf(ch, m)
		if r := out.Changes[i].Provider; r != nil && r.ValidUntil != nil {
			kept.ends(*r.ValidUntil)
		}
	}
	return out, kept
}

// changedOf tells one change: the provider as a record, or that there is none any more.
func (s *Server) changedOf(ch directory.Change, m moment) feedChange {
	out := feedChange{Seq: ch.Seq, ID: ch.Provider}
	switch {
	case ch.MergedInto != "":
		out.MergedInto = ch.MergedInto
	case ch.File == nil || s.takenDown(ch.File, m):
		out.Removed = true
	default:
		out.Provider = s.recordOf(ch.File, m)
		out.Withheld = out.Provider == nil
	}
	return out
}

// takenDown reports a file that a takedown hides as a whole, whoever reads it and for whatever moment.
func (s *Server) takenDown(f *directory.CredentialFile, m moment) bool {
	return slices.ContainsFunc(f.Claims, func(h directory.History) bool {
		return h.Claim.Kind == directory.FileClaim && directory.Derive(h, m.now, max(m.now, m.known), s.cfg.Policies).Status == directory.StatusWithdrawn
	})
}

// editionOf names the words in which the program tells things: with other words, what a follower holds is told
// differently though nothing has changed.
func editionOf(version string) string {
	raw, _ := messageFiles.ReadFile("messages/" + english.Code + ".json")
	sum := sha256.Sum256(append([]byte(version+"\n"), raw...))
	return hex.EncodeToString(sum[:6])
}

// news is for those who wait for a number. Each looks by itself; the store is asked once for all of them (heads).
type news struct {
	heads *heads
	ended chan struct{} // closed when the server stops

	mu      sync.Mutex
	waiting int
	clients map[netip.Addr]int
	stopped sync.Once
}

func newNews(h *heads) *news {
	return &news{heads: h, ended: make(chan struct{}), clients: map[netip.Addr]int{}}
}

// stop ends every wait.
func (n *news) stop() { n.stopped.Do(func() { close(n.ended) }) }

// wait returns when a public face has heard of a number beyond the one given, when the time is over, or when the
// server stops. Where too many wait already it is busy. A store that does not answer ends the wait with its error.
func (n *news) wait(client netip.Addr, after int64, atMost time.Duration) error {
	if !n.enter(client) {
		return busy
	}
	defer n.leave(client)
	over := time.NewTimer(atMost)
	defer over.Stop()
	look := time.NewTicker(waitLook)
	defer look.Stop()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), pageDeadline)
		head, err := n.heads.look(ctx)
		cancel()
		if err != nil || head.Public > after {
			return err
		}
		if head.Public < after { // a number that nobody has given is told at once
			return nil
		}
		select {
		case <-look.C:
		case <-over.C:
			return nil
		case <-n.ended:
			return nil
		}
	}
}

func (n *news) enter(client netip.Addr) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting >= maxWaiters || n.clients[client] >= waitersEach {
		return false
	}
	n.waiting++
	n.clients[client]++
	return true
}

func (n *news) leave(client netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting--
	if n.clients[client]--; n.clients[client] <= 0 {
		delete(n.clients, client)
	}
}

package web

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// accuracy is what the directory knows about its own gaps: counted from the public files, with the rules of
// the public pages, at one moment. What a page does not show of a provider is not in it either.
type accuracy struct {
	At        directory.Instant `json:"as_of"`
	Providers int               `json:"providers"`

	Statements int  `json:"statements"`      // things said of a provider's credentials
	LookedUp   int  `json:"looked_up"`       // of these, answered by a source or a document
	Within30   int  `json:"within_30_days"`  // of these, not older than 30 days
	Within90   int  `json:"within_90_days"`  //
	MedianAge  *int `json:"median_age_days"` // in days, of what was looked up; nil when nothing was

	Disputes    int `json:"open_disputes"`       // open
	Corrections int `json:"corrections"`         // records that staff replaced or took back
	Lately      int `json:"corrections_90_days"` // of these, in the last 90 days

	Checks []checkCount `json:"checks"`
}

// checkCount tells how many providers have which answer to one check.
type checkCount struct {
	Check  directory.CheckName `json:"check"`
	Good   int                 `json:"good"`   // confirmed, or shown by a document
	Bad    int                 `json:"bad"`    // a problem on record, not met, or no record found
	Stated int                 `json:"stated"` // by the provider or a listing, and by nobody else
	Old    int                 `json:"old"`    // out of date
	Open   int                 `json:"open"`   // not checked, could not be checked, or being checked
}

// apiStatistics answers GET /api/v1/statistics: the counts of the accuracy page. While the first is under way it is
// busy.
func (s *Server) apiStatistics(c *fiber.Ctx) error {
	if _, bad := parse(rawQuery(c), nil, false); len(bad) > 0 {
		return bad
	}
	a, err := s.count.get()
	if err != nil {
		return err
	}
	if a == nil {
		return busy
	}
	out := struct {
		*accuracy
		Demo *demo `json:"demo"`
	}{a, s.demo()}
	return s.sendTagged(c, fiber.MIMEApplicationJSONCharsetUTF8, out, longestCache, func() ([]byte, error) { return encodeJSON(out) })
}

// Share returns a part of the statements in per cent, rounded down: 100 is all, and nothing less.
func (a *accuracy) Share(part int) int {
	if a.Statements == 0 {
		return 0
	}
	return part * 100 / a.Statements
}

// countAccuracy counts everything at the moment.
func countAccuracy(ctx context.Context, r Reader, m moment, policies directory.Policies) (*accuracy, error) {
	a := &accuracy{At: m.at}
	for _, n := range directory.CheckNames {
		a.Checks = append(a.Checks, checkCount{Check: n})
	}
	var ages []int
	today, lately := m.at.Date(), m.at.AddDays(-90)
	err := r.EachFile(ctx, func(f *directory.CredentialFile) error {
		a.Providers++
		for i, c := range directory.Checks(f, f.Provider.HomeState(), m.at, m.known, policies) {
			x := &a.Checks[i]
			switch c.Result {
			case directory.Confirmed, directory.ShownByDocument:
				x.Good++
			case directory.ProblemOnRecord, directory.NotMet, directory.NoRecordFound:
				x.Bad++
			case directory.StatedByProvider, directory.StatedInListing:
				x.Stated++
			case directory.OutOfDate:
				x.Old++
			default:
				x.Open++
			}
		}
		t := newTeller(f, f.Provider.HomeState(), m, policies)
		for _, h := range f.Claims {
			st := directory.Derive(h, m.at, m.known, policies)
			c, ok := t.claim(h.Claim, st)
			if !ok || h.Claim.Kind == directory.ContactClaim || h.Claim.Kind == directory.Availability {
				continue // where somebody can be reached is no credential
			}
			a.Statements++
			if c.AsOf != nil && lookedUp(st) {
				age := max(0, days(*c.AsOf, today))
				ages = append(ages, age)
				if age <= 30 {
					a.Within30++
				}
				if age <= 90 {
					a.Within90++
				}
			}
			a.Disputes += len(h.Disputed(m.at, m.known))
			for _, e := range h.Events {
				if (e.Type == directory.Correct || e.Type == directory.Void) && e.RecordedAt <= m.known {
					a.Corrections++
					if e.RecordedAt > lately {
						a.Lately++
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if a.LookedUp = len(ages); a.LookedUp > 0 {
		slices.Sort(ages)
		median := ages[(len(ages)-1)/2]
		a.MedianAge = &median
	}
	return a, nil
}

// lookedUp tells that a source or a document has answered: not the provider, not a listing, and not nobody.
func lookedUp(s directory.Standing) bool {
	return s.Shown() && (s.Class == directory.ClassDocument || s.Class == directory.ClassSource) && s.Basis.Body.State != directory.SeenUnavailable
}

// days is how many days lie between two dates.
func days(from, to directory.Date) int {
	return int(to.Midnight().Time().Sub(from.Midnight().Time()) / (24 * time.Hour))
}

// counter keeps the newest count. Counting reads every file, so it is done at most once in a while and by one at
// a time, and nobody waits long for it.
type counter struct {
	count func(context.Context) (*accuracy, error)
	every time.Duration // between two counts, at least; and fifty times as long as the last one took

	mu      sync.Mutex
	last    *accuracy
	err     error         // of the newest count, if it failed
	next    time.Time     // by the machine's own clock: a demonstration's stands still
	running chan struct{} // closed when the count under way ends; nil when there is none
}

const (
	countEvery    = 5 * time.Minute
	countDeadline = 10 * time.Minute
	countWait     = time.Second
)

// get returns the newest count, and starts another when it is time. While one is under way it waits for a
// second and then returns the one before: nil if there was none. A count that failed leaves the one before it
// in place, which tells its own moment; an error is returned where there is none.
func (c *counter) get() (*accuracy, error) {
	c.mu.Lock()
	if c.running == nil && !time.Now().Before(c.next) {
		c.running = make(chan struct{})
		go c.run(c.running)
	}
	running := c.running
	c.mu.Unlock()
	if running != nil {
		wait := time.NewTimer(countWait)
		defer wait.Stop()
		select {
		case <-running:
		case <-wait.C:
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil && c.err != nil {
		return nil, c.err
	}
	return c.last, nil
}

func (c *counter) run(done chan struct{}) {
	defer close(done)
	started := time.Now()
	a, err := c.once()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.err = nil, err
	if err != nil {
		c.next = time.Now().Add(countWait) // soon again: whoever asks wants to know
		return
	}
	c.last, c.next = a, time.Now().Add(max(c.every, 50*time.Since(started)))
}

// once counts once. It runs outside of any request, where nothing else catches a panic.
func (c *counter) once() (a *accuracy, err error) {
	defer func() {
		if r := recover(); r != nil {
			a, err = nil, errPanic
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), countDeadline)
	defer cancel()
	return c.count(ctx)
}

// countNow counts what is public now, with all that is known.
func (s *Server) countNow(ctx context.Context) (*accuracy, error) {
	h, err := s.cfg.Reader.Head(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now()
	return countAccuracy(ctx, s.cfg.Reader, moment{at: now, known: max(now, h.RecordedAt), now: now}, s.cfg.Policies)
}

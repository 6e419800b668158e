// Package deliver calls the webhooks of partners. Of several servers one does it at a time: it makes the notices of
// what changed, and brings to each webhook the next one that it has not taken, signed as Standard Webhooks asks
// (https://www.standardwebhooks.com). Another webhook never waits for a slow one.
//
// A notice that was taken is noted afterwards, so whoever receives may get one twice, with the same id, and none is lost
// whenever this process ends. One webhook gets one notice at a time, so they come in the order of their numbers.
package deliver

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// Store is what is kept of notices and webhooks. It is the store's; package deliver knows no database.
type Store interface {
	AcquireLeaseAt(ctx context.Context, name, holder string, at directory.Instant, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, name, holder string) error
	NoticesDue(ctx context.Context, at directory.Instant) (bool, error)
	Announce(ctx context.Context, limit int) (read, made int, err error)
	DueHooks(ctx context.Context, at directory.Instant) ([]directory.ID, error)
	Dispatch(ctx context.Context, hook directory.ID, at directory.Instant) (*directory.Dispatch, error)
	Delivered(ctx context.Context, d directory.Dispatch, out directory.Delivery, jitter float64) error
	SweepNotices(ctx context.Context, at directory.Instant) error
}

// Timeout is how long a receiver has to answer; MostAnswer how much of the answer is read, which nobody looks at.
const (
	Timeout    = 10 * time.Second
	MostAnswer = 4 << 10
)

// Config says who delivers. Store, Client and Now are required.
type Config struct {
	Store  Store
	Client *safehttp.Client // with Timeout in all
	Now    func() time.Time // the clock of the world: receivers refuse what was signed long ago
	// BaseURL is where people reach the server, without a slash at the end.
	BaseURL string
	Demo    bool // all providers are invented: each notice says so
	Log     *slog.Logger
	Holder  string         // names this process among those that could deliver
	Jitter  func() float64 // from 0 to 1; random when nil
	Pause   time.Duration  // between looks when there is nothing to do; half a second when 0
	// Background is the turn of making notices: after an import there is much to look at.
	Background *directory.Background
}

// Deliverer calls webhooks.
type Deliverer struct {
	c      Config
	mu     sync.Mutex
	called map[directory.ID]bool // webhooks that are being called
	slots  chan struct{}
	wait   sync.WaitGroup
	swept  directory.Instant
}

const (
	lease     = "notices"
	leaseTime = 30 * time.Second
	step      = 50  // providers whose notices are made together
	mostCalls = 32  // webhooks that are called at one time
	inARow    = 100 // notices that a webhook gets before it is looked at anew
)

// New makes a deliverer.
func New(c Config) *Deliverer {
	if c.Jitter == nil {
		c.Jitter = rand.Float64
	}
	if c.Pause == 0 {
		c.Pause = 500 * time.Millisecond
	}
	return &Deliverer{c: c, called: map[directory.ID]bool{}, slots: make(chan struct{}, mostCalls)}
}

// Run delivers until the context ends; calls that are under way end with it, and are made again by whoever comes next.
// An error is the store's: Run can be called again.
func (d *Deliverer) Run(ctx context.Context) error {
	if err := d.run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

func (d *Deliverer) run(ctx context.Context) error {
	var calls context.Context
	var stop context.CancelFunc
	begin := func() { calls, stop = context.WithCancel(ctx) }
	end := func() { stop(); d.wait.Wait() }
	begin()
	defer func() {
		end()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = d.c.Store.ReleaseLease(ctx, lease, d.c.Holder) // or it runs out
	}()
	var renew directory.Instant // when the lease is to be asked for again
	held := false
	for ctx.Err() == nil {
		at := d.now()
		due, err := d.c.Store.NoticesDue(ctx, at)
		if err != nil {
			return err
		}
		due = due || d.sweepDue(at)
		if due && at >= renew {
			if held, err = d.c.Store.AcquireLeaseAt(ctx, lease, d.c.Holder, at, leaseTime); err != nil {
				return err
			}
			renew = at.Add(leaseTime / 3)
			if !held { // somebody else has it, so whatever we have begun is theirs too
				end()
				begin()
			}
		}
		wait := d.c.Pause
		if due && held {
			more, err := d.Step(calls)
			if err != nil {
				return err
			}
			if more {
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

func (d *Deliverer) sweepDue(at directory.Instant) bool {
	return d.swept == "" || d.swept.Add(time.Hour) <= at
}

// Step makes the next notices and begins to call every webhook that something waits for and that is not being called.
// more says that changes are left to be read.
func (d *Deliverer) Step(ctx context.Context) (more bool, err error) {
	read := 0
	err = d.c.Background.Do(ctx, func() (err error) {
		read, _, err = d.c.Store.Announce(ctx, step)
		return err
	})
	if err != nil {
		return false, err
	}
	at := d.now()
	due, err := d.c.Store.DueHooks(ctx, at)
	if err != nil {
		return false, err
	}
	for _, id := range due {
		if !d.take(id) {
			continue
		}
		d.wait.Add(1)
		go func() {
			defer d.wait.Done()
			defer d.leave(id)
			defer func() {
				if p := recover(); p != nil {
					d.c.Log.Error("calling a webhook failed", "hook", id, "panic", p)
				}
			}()
			d.slots <- struct{}{}
			defer func() { <-d.slots }()
			for range inARow {
				if called, err := d.Call(ctx, id); err != nil || !called {
					if err != nil && ctx.Err() == nil {
						d.c.Log.Error("calling a webhook failed", "hook", id, "error", err)
					}
					return
				}
			}
		}()
	}
	if d.sweepDue(at) {
		if err := d.c.Store.SweepNotices(ctx, at); err != nil {
			return false, err
		}
		d.swept = at
	}
	return read == step, nil
}

// Wait returns when no webhook is being called.
func (d *Deliverer) Wait() { d.wait.Wait() }

func (d *Deliverer) take(id directory.ID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.called[id] {
		return false
	}
	d.called[id] = true
	return true
}

func (d *Deliverer) leave(id directory.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.called, id)
}

func (d *Deliverer) now() directory.Instant { return directory.At(d.c.Now()) }

// Call brings the webhook what it is to get next, and keeps what became of it. called is false when there was nothing,
// and when its receiver did not take it.
func (d *Deliverer) Call(ctx context.Context, id directory.ID) (called bool, err error) {
	x, err := d.c.Store.Dispatch(ctx, id, d.now())
	if err != nil || x == nil {
		return false, err
	}
	at := d.c.Now()
	out, err := d.send(ctx, *x, at)
	if err != nil {
		return false, err
	}
	out.At, out.Took = directory.At(at), max(0, d.c.Now().Sub(at).Milliseconds())
	// What came of it is kept also when we are asked to end: else it is brought once more.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return out.Outcome == directory.OutcomeTaken, d.c.Store.Delivered(keep, *x, out, d.c.Jitter())
}

// send makes the call. An error means that nothing is known of it: it was we who ended.
func (d *Deliverer) send(ctx context.Context, x directory.Dispatch, at time.Time) (out directory.Delivery, err error) {
	body, err := d.Body(x.Notice)
	if err != nil {
		return out, err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if err := Sign(header, x.Secrets, x.Notice.ID, at, body); err != nil {
		return out, err
	}
	if !strings.HasPrefix(x.URL, "https://") {
		out.Outcome, out.Why = directory.OutcomeRefused, "only https is called"
		return out, nil
	}
	res, err := d.c.Client.Do(ctx, safehttp.Request{Method: http.MethodPost, URL: x.URL, Header: header, Body: body, NoRedirect: true, Truncate: MostAnswer})
	switch kind := directory.KindOf(err); {
	case err != nil && ctx.Err() != nil:
		return out, ctx.Err()
	case kind == directory.Refused || kind == directory.Invalid:
		out.Outcome, out.Why = directory.OutcomeRefused, "the name leads to an address that is not public, where we do not call"
	case err != nil:
		out.Outcome, out.Why = directory.OutcomeFailed, unheard(err)
	case res.Status >= 200 && res.Status < 300:
		out.Outcome = directory.OutcomeTaken
	case res.Status == http.StatusGone:
		out.Outcome, out.Why = directory.OutcomeGone, "answered 410"
	case res.Status >= 300 && res.Status < 400:
		out.Outcome, out.Why = directory.OutcomeFailed, "answered "+strconv.Itoa(res.Status)+": a redirect is not followed"
	default:
		out.Outcome, out.Why = directory.OutcomeFailed, "answered "+strconv.Itoa(res.Status)
	}
	if res != nil {
		out.Status = res.Status
	}
	return out, nil
}

// unheard says, to whoever runs the receiver, why no answer came. Nothing of the error's own text is in it.
func unheard(err error) string {
	var cert *tls.CertificateVerificationError
	var alert tls.AlertError
	var plain tls.RecordHeaderError
	var name *net.DNSError
	switch {
	case strings.Contains(err.Error(), "in time"):
		return "no answer in " + Timeout.String()
	case errors.As(err, &cert):
		return "no answer: its certificate is not good for the name"
	case errors.As(err, &alert), errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return "no answer: TLS came to nothing"
	case errors.As(err, &name) && name.IsNotFound:
		return "no answer: the name leads nowhere"
	case errors.As(err, &name):
		return "no answer: the name could not be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no answer: nobody listens at port 443"
	}
	return "no answer: the connection broke"
}

// Sign adds the headers of Standard Webhooks: the id, the moment, and a signature with each secret.
func Sign(h http.Header, secrets []string, id directory.ID, at time.Time, body []byte) error {
	var signatures []string
	for _, s := range secrets {
		w, err := standardwebhooks.NewWebhook(s)
		if err != nil {
			return directory.Errorf(directory.Internal, "", "a secret of a webhook is none")
		}
		sig, err := w.Sign(string(id), at, body)
		if err != nil {
			return err
		}
		signatures = append(signatures, sig)
	}
	if len(signatures) == 0 {
		return directory.Errorf(directory.Internal, "", "a webhook has no secret to sign with")
	}
	h.Set(standardwebhooks.HeaderWebhookID, string(id))
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}

// The shapes of a notice on the wire. openapi.yaml describes them.
type (
	wireNotice struct {
		Type      directory.NoticeType `json:"type"`
		Timestamp directory.Instant    `json:"timestamp"`
		Data      any                  `json:"data"`
	}
	wireTest struct {
		ID   directory.ID `json:"id"`
		Demo bool         `json:"demo"`
	}
	wireData struct {
		ID         directory.ID  `json:"id"`
		Number     int64         `json:"number"`
		Provider   directory.ID  `json:"provider"`
		URL        string        `json:"url"`
		Previous   *wirePrevious `json:"previous"`
		MergedInto *directory.ID `json:"merged_into,omitempty"`
		Changes    []wireChange  `json:"changes,omitzero"`
		Demo       bool          `json:"demo"`
	}
	wirePrevious struct {
		Number    int64             `json:"number"`
		Timestamp directory.Instant `json:"timestamp"`
	}
	wireChange struct {
		State      *directory.State       `json:"state"`
		Check      directory.CheckName    `json:"check"`
		From       *directory.CheckResult `json:"from"`
		To         directory.CheckResult  `json:"to"`
		AsOf       *directory.Date        `json:"as_of"`
		ValidUntil *directory.Instant     `json:"valid_until"`
	}
)

// Body writes a notice as it is sent.
func (d *Deliverer) Body(n directory.Notice) ([]byte, error) {
	out := wireNotice{Type: n.Type, Timestamp: n.At}
	if n.Type == directory.NoticeTest {
		out.Data = wireTest{n.ID, d.c.Demo}
		return json.Marshal(out)
	}
	data := wireData{ID: n.ID, Number: n.Number, Provider: n.Provider, URL: d.c.BaseURL + "/api/v1/providers/" + string(n.Provider), MergedInto: maybe(n.MergedInto), Demo: d.c.Demo}
	if n.Previous != nil {
		data.Previous = &wirePrevious{n.Previous.Number, n.Previous.At}
	}
	if n.Type == directory.NoticeStatus {
		data.Changes = []wireChange{}
	}
	for _, x := range n.Changes {
		w := wireChange{Check: x.Check, From: maybe(x.From), To: x.To, AsOf: maybe(x.AsOf), ValidUntil: maybe(x.ValidUntil)}
		if x.State != directory.Elsewhere {
			w.State = maybe(x.State)
		}
		data.Changes = append(data.Changes, w)
	}
	out.Data = data
	return json.Marshal(out)
}

// maybe returns nil for the zero value.
func maybe[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

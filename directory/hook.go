package directory

import (
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// HookPrefix begins the id of a webhook.
const HookPrefix = "whk_"

// HookState says whether a webhook is called.
type HookState string

// The states of a webhook.
const (
	HookActive  HookState = "active"
	HookFailing HookState = "failing" // a notice was not taken for more than a day; it is tried on, seldom
	HookStopped HookState = "stopped" // its receiver answered 410, or took nothing for HookPatience; a replay starts it again
	HookEnded   HookState = "ended"   // for good
)

// Hook is an address of an integrator's that we call with each notice, one after the other. Its secrets are not in it.
type Hook struct {
	ID         ID           `json:"id"`
	Integrator IntegratorID `json:"partner"`
	URL        string       `json:"url"`
	Types      []NoticeType `json:"types"`
	State      HookState    `json:"state"`
	Why        string       `json:"why,omitempty"` // of a state that is not active: in words
	Cursor     int64        `json:"number"`        // of the newest notice that is done with: the next has a greater one
	Attempts   int          `json:"attempts"`      // at the notice at hand that failed
	Since      Instant      `json:"failing_since,omitempty"`
	Next       Instant      `json:"next_attempt,omitempty"` // of the notice at hand, if it failed
	Taken      Instant      `json:"last_taken,omitempty"`   // when the receiver last took a notice of the order
	OldSecret  Instant      `json:"former_secret_until,omitempty"`
	Created    Instant      `json:"created_at"`
	CreatedBy  string       `json:"created_by"`
	Ended      Instant      `json:"ended_at,omitempty"`
}

// Limits of webhooks.
const (
	MostHooks       = 10 // that an integrator has at one time
	HookOverlap     = 24 * time.Hour
	MostHookOverlap = 30 * 24 * time.Hour
	HookPatience    = 30 * 24 * time.Hour // after which a receiver that took nothing, and was tried for as long as makes a webhook failing, is called no more
	LogDays         = 30                  // for which it is kept what became of each attempt
	MostLogged      = 5000                // attempts that are kept of one webhook
	NoticeDays      = 400                 // for which notices are kept; the newest of each provider for longer
)

// Validate checks what a webhook must say.
func (h Hook) Validate() error {
	if _, err := ParseHookURL(h.URL); err != nil {
		return err
	}
	if types, err := ParseNoticeTypes(JoinNoticeTypes(h.Types)); err != nil {
		return err
	} else if len(types) != len(h.Types) {
		return Errorf(Invalid, "types", "name at least one type, each once")
	}
	return nil
}

// ParseHookURL reads the address of a webhook: https, a host name, and a path. Where the name leads is looked at when
// it is called, each time anew.
func ParseHookURL(s string) (string, error) {
	bad := func(why string) (string, error) {
		return "", Errorf(Invalid, "url", "%q is no address of a webhook: %s; write https://clinic.example/kapdir", s, why)
	}
	if len(s) > 500 {
		return "", Errorf(Invalid, "url", "the address of a webhook has at most 500 characters")
	}
	u, err := url.Parse(s)
	if err != nil || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return bad("it is no address, or holds what must be written in %")
	}
	host := strings.ToLower(u.Hostname())
	_, isAddress := netip.ParseAddr(host)
	switch {
	case u.Scheme != "https":
		return bad("it must begin with https://")
	case u.User != nil:
		return bad("a name and password in it would stand in our lists: the signature says that we call")
	case u.Fragment != "" || strings.Contains(s, "#"):
		return bad("what follows # is never sent")
	case u.Port() != "" && u.Port() != "443" || strings.HasSuffix(u.Host, ":"):
		return bad("only port 443 is called")
	case isAddress == nil || !hostName.MatchString(host) || len(host) > 253:
		return bad("the host must be a name with a dot, in ASCII")
	case LooksLikeSSN(s):
		return bad("it holds what looks like a Social Security number")
	}
	u.Host = host
	return u.String(), nil
}

// hookWaits is how long a notice waits after each attempt that failed. Together they are more than a day; after the
// last the webhook is failing, and hookSeldom stands between attempts.
var hookWaits = []time.Duration{5 * time.Second, 30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 8 * time.Hour, 9 * time.Hour}

const hookSeldom = 12 * time.Hour

// HookWait says how long to wait after the attempt of that number failed, the first being 1, and whether the webhook is
// failing by then. jitter is from 0 to 1 and lengthens the wait by up to a fifth, so that receivers that came down
// together are not called together.
func HookWait(attempt int, jitter float64) (wait time.Duration, failing bool) {
	wait = hookSeldom
	if failing = attempt > len(hookWaits); !failing {
		wait = hookWaits[attempt-1]
	}
	return wait + time.Duration(jitter*float64(wait)/5), failing
}

// Dispatch is a notice on its way to a webhook.
type Dispatch struct {
	Hook    ID
	URL     string
	Secrets []string // whsec_…, the newest first; each signs
	After   int64    // the webhook's number when it was taken up
	Attempt int      // the first is 1
	Notice  Notice
}

// The outcomes of an attempt.
const (
	OutcomeTaken   = "taken"   // answered with 2xx
	OutcomeFailed  = "failed"  // answered with anything else, or not at all
	OutcomeRefused = "refused" // the address leads where we do not call
	OutcomeGone    = "gone"    // answered with 410: the webhook is called no more
)

// Delivery is one attempt to bring a notice to a webhook.
type Delivery struct {
	Number  int64      `json:"attempt_number"` // of the webhook's log: the newest has the greatest
	Notice  ID         `json:"id"`
	Change  int64      `json:"number"` // of the notice; 0 of a test
	Type    NoticeType `json:"type"`
	Attempt int        `json:"attempt"`
	At      Instant    `json:"at"`
	Took    int64      `json:"took_ms"`
	Status  int        `json:"status,omitempty"` // that the receiver answered with; 0 if it did not answer
	Outcome string     `json:"outcome"`
	Why     string     `json:"why,omitempty"`
	Next    Instant    `json:"next_attempt,omitempty"`
}

package web

import (
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"kapdir/directory"
)

// Guessing at a password is slowed down so that it cannot be used to keep somebody else out. Failures are counted by
// where they come from, by whom they are about, and by both; who signs in from a device that they signed in from
// before is counted by that device alone. Passkeys cannot be guessed and are not counted.
const (
	guessWindow    = 15 * time.Minute
	guessesSource  = 20     // from one address, whomever they are about
	guessesAccount = 50     // about one person, from devices that are not known
	guessesFree    = 4      // of one address about one person, or of a known device, before it has to wait
	guessPause     = 15     // seconds to wait then; twice as long after each further failure
	guessesHeld    = 50_000 // counters in memory; when they are full, devices that are not known wait
)

// guesses counts failures. An address is kept as a hash with a salt of the window, and both are forgotten when the
// window ends, whether anybody comes or not.
type guesses struct {
	mu    sync.Mutex
	salt  [32]byte
	began directory.Instant
	held  map[[sha256.Size]byte]failures
	told  int // failures that the audit was told of
}

type failures struct {
	n    int
	last directory.Instant
}

// trier is who tries to sign in: an address, about a name, from a device that was known for that name or not.
type trier struct {
	source netip.Addr
	name   string
	device string // "" is not known
}

// counters are those that count the trier's failures, each with how many are free and whether it pauses or shuts.
func (g *guesses) counters(t trier) []counted {
	if t.device != "" {
		return []counted{{g.key("device", t.name, []byte(t.device)), guessesFree, false}}
	}
	a := t.source.AsSlice()
	out := []counted{{g.key("source", "", a), guessesSource, true}, {g.key("pair", t.name, a), guessesFree, false}}
	if t.name != "" { // what is about nobody shuts nobody else out
		out = append(out, counted{g.key("account", t.name, nil), guessesAccount, true})
	}
	return out
}

type counted struct {
	key   [sha256.Size]byte
	free  int
	shuts bool
}

func (g *guesses) key(kind, name string, who []byte) [sha256.Size]byte {
	return sha256.Sum256([]byte(string(g.salt[:]) + kind + "\x00" + name + "\x00" + string(who)))
}

// wait says for how long the trier has to wait before they may try; 0 is not at all.
func (g *guesses) wait(t trier, at directory.Instant) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(at)
	end := g.began.Add(guessWindow).Time().Sub(at.Time())
	if t.device == "" && len(g.held) >= guessesHeld {
		return end
	}
	var longest time.Duration
	for _, c := range g.counters(t) {
		f := g.held[c.key]
		switch {
		case f.n < c.free:
		case c.shuts:
			longest = max(longest, end)
		default:
			pause := time.Duration(guessPause) * time.Second << min(f.n-c.free, 10)
			longest = max(longest, min(pause-at.Time().Sub(f.last.Time()), end))
		}
	}
	return longest
}

// failed counts a failure, and reports that the audit has room for it: somebody who guesses for days must not fill
// the store.
func (g *guesses) failed(t trier, at directory.Instant) (tell bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn(at)
	for _, c := range g.counters(t) {
		f := g.held[c.key]
		g.held[c.key] = failures{f.n + 1, at}
	}
	g.told++
	return g.told <= 200
}

// turn begins a window where the last has ended.
func (g *guesses) turn(at directory.Instant) {
	if g.held != nil && at < g.began.Add(guessWindow) && at >= g.began {
		return
	}
	g.held, g.began, g.told = map[[sha256.Size]byte]failures{}, at, 0
	_, _ = rand.Read(g.salt[:]) // never fails: crypto/rand ends the program instead
	began := at
	time.AfterFunc(guessWindow, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.began == began {
			g.held, g.salt = nil, [32]byte{}
		}
	})
}

package directory

import "time"

// How long somebody stays signed in at the desk.
const (
	SessionIdle  = 15 * time.Minute // without doing anything
	SessionMost  = 8 * time.Hour    // in all
	SessionProof = 10 * time.Minute // for what asks them to prove anew who they are
)

// SessionsEach is how often somebody may be signed in at once: with one more, the one that began first ends.
const SessionsEach = 5

// StaffSession is that somebody is signed in at the desk. Whoever holds its secret is them; the secret itself is
// held nowhere, and ID, by which a list names the session, does not tell it.
type StaffSession struct {
	ID      ID      `json:"id"`
	Name    string  `json:"name"`
	Role    Role    `json:"role"`    // that they have now, not when they signed in
	How     string  `json:"how"`     // what they proved it with: password and code, passkey, demo
	Started Instant `json:"started"` // when they signed in
	Seen    Instant `json:"seen"`    // when they last did something, to the minute
	Proved  Instant `json:"proved"`  // when they last proved who they are
}

// Live reports that the session has neither run out nor been idle for too long.
func (s StaffSession) Live(at Instant) bool {
	return at < s.Started.Add(SessionMost) && at < s.Seen.Add(SessionIdle)
}

// Recent reports that they proved who they are a short while ago.
func (s StaffSession) Recent(at Instant) bool { return at < s.Proved.Add(SessionProof) }

// StaffAct is something that concerns how staff sign in, as the audit keeps it: no secret, no address.
type StaffAct struct {
	At     Instant `json:"at"`
	Name   string  `json:"name,omitempty"` // about whom; "" is nobody that is known
	Act    string  `json:"act"`
	Detail string  `json:"detail,omitempty"`
	By     string  `json:"by,omitempty"` // who did it; "" is nobody that is known
}

// InviteLife is for how long a code is good that lets somebody in.
const InviteLife = 72 * time.Hour

// StaffLogin is what a staff member signs in with.
type StaffLogin struct {
	Name     string
	Password string // as argon2id writes it, with its parameters; "" is none
	TOTP     string // the secret of their codes, in base 32; "" is none
	Step     int64  // of the last code that they used: it and those before are used up
	Passkeys []Passkey
}

// Passkey is the public half of a key with which somebody signs in.
type Passkey struct {
	ID      string  // as the authenticator names it, base64url
	Label   string  // as the person calls it
	Doc     string  // key, counter and flags, as the web layer writes them
	Created Instant // when it was added
	Used    Date    // when it was last used; "" is never
}

package web

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"sort"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"github.com/boombuler/barcode/qr"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"kapdir/directory"
)

// What staff prove who they are with: a password together with the code of an app, or a passkey that has asked
// for their finger or PIN. Either is two factors.

// Passwords go with a second factor, for which NIST 800-63B asks for eight characters; we ask for more, and for
// nothing else than that few people have it.
const (
	passwordLeast = 12  // characters
	passwordMost  = 256 // characters
)

// argon is what OWASP advises where memory is 19 MB a hash: 55 ms of one of our cores.
var argon = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// hashing is how many passwords are worked on at once; whoever comes from a device that is known has a place of
// their own, so that guessing elsewhere does not keep them out.
type hashing struct{ all, known chan struct{} }

const hashWait = 2 * time.Second

func newHashing() hashing { return hashing{make(chan struct{}, 2), make(chan struct{}, 1)} }

func (h hashing) enter(known bool) (leave func(), err error) {
	lane := h.all
	if known {
		lane = h.known
	}
	timer := time.NewTimer(hashWait)
	defer timer.Stop()
	select {
	case lane <- struct{}{}:
		return func() { <-lane }, nil
	case <-timer.C:
		return nil, busy
	}
}

// noPassword is the hash of a password that nobody has: it costs as much to find that somebody is not there.
var noPassword = sync.OnceValue(func() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	hash, err := argon2id.CreateHash(string(b), argon)
	if err != nil {
		panic(err) // only from an empty source of random numbers
	}
	return hash
})

// badPassword says what is wrong with a new password, in a sentence; "" is nothing. What it consists of is
// nobody's business; that many others have it, or that it is the person's name, is.
func badPassword(password, name string) string {
	plain := strings.ToLower(password)
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return "The password holds something that is no character."
	case n < passwordLeast:
		return fmt.Sprintf("A password has at least %d characters. Several words are easy to remember, and hard to guess.", passwordLeast)
	case n > passwordMost:
		return fmt.Sprintf("A password has at most %d characters.", passwordMost)
	case commonPassword(plain):
		return "Many people have this password, so it is among the first that others try. Choose another."
	case repeats(plain), utf8.RuneCountInString(ownPart(plain, name)) < 6:
		return "This password is easy to guess. Choose another."
	}
	return ""
}

// commonHashes are the first five bytes of the SHA-256 of passwords that many people have, in order: the 6,000 most
// frequent ones of leaks, and of the next 43,000 those with ten characters or more (data/NOTICE.md). They are kept as
// hashes because nobody wants to read them.
//
//go:embed passwords.bin
var commonHashes string

// commonPassword reports that many people have the password, or a word of it with nothing but digits and signs
// around it, or twice. It is given in small letters.
func commonPassword(plain string) bool {
	core := strings.TrimFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) })
	half := plain[:len(plain)/2]
	if half+half != plain {
		half = plain
	}
	for _, p := range []string{plain, core, half} {
		sum := sha256.Sum256([]byte(p))
		const each = 5
		n := len(commonHashes) / each
		i := sort.Search(n, func(i int) bool { return commonHashes[i*each:(i+1)*each] >= string(sum[:each]) })
		if i < n && commonHashes[i*each:(i+1)*each] == string(sum[:each]) {
			return true
		}
	}
	return false
}

// ourWords are words that somebody who guesses at passwords of this desk would try first.
var ourWords = []string{"kapdir", "ketamine", "psychotherapy", "psychotherapist", "therapist", "therapy", "credentialing", "credential", "verification", "verifier", "approver", "viewer", "admin",
	"directory", "provider", "license", "licence", "staff", "desk", "password", "passwort", "secret", "welcome"}

// ownPart is what is left of a password without those words, the person's name and all that is no letter.
func ownPart(plain, name string) string {
	for _, w := range append([]string{strings.ToLower(name)}, ourWords...) {
		plain = strings.ReplaceAll(plain, w, "")
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || r > unicode.MaxASCII {
			return r
		}
		return -1
	}, plain)
}

// repeats reports that a text is little more than a short piece of it over and over, or a row of neighbours.
func repeats(s string) bool {
	r := []rune(s)
	for k := 1; k <= 4 && k < len(r); k++ {
		same := 0
		for i := k; i < len(r); i++ {
			if r[i] == r[i-k] {
				same++
			}
		}
		if same >= len(r)-k-1 {
			return true
		}
	}
	up, down := 0, 0
	for i := 1; i < len(r); i++ {
		switch r[i] - r[i-1] {
		case 1:
			up++
		case -1:
			down++
		}
	}
	return max(up, down) >= len(r)-2
}

// Codes of an app (RFC 6238): six digits, a new one every thirty seconds. One is good for the step before and
// after, since clocks differ, and never twice.
const (
	codePeriod = 30
	codeSkew   = 1
)

// newTOTP makes the secret of somebody's codes.
func newTOTP() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// codeStep returns the step of which the code is; ok is false when it is of none that counts. It takes as long
// whatever the code is.
func codeStep(secret, code string, at directory.Instant) (step int64, ok bool) {
	code = strings.ReplaceAll(code, " ", "")
	now := at.Time().Unix() / codePeriod
	for s := now - codeSkew; s <= now+codeSkew; s++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

// totpAddress is what an app reads from the picture.
func totpAddress(name, secret, host string) string {
	q := url.Values{"secret": {secret}, "issuer": {"Kapdir " + host}}
	return "otpauth://totp/" + url.PathEscape("Kapdir "+host+":"+name) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// qrCode is a picture that a camera reads, as SVG drawing: the side in modules with the quiet zone, and the path.
type qrCode struct {
	Side int
	Path string
}

func newQR(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrCode{}, err
	}
	const quiet = 4
	n := code.Bounds().Dx()
	var b strings.Builder
	for y := range n {
		for x := 0; x < n; x++ {
			dark := 0
			for x+dark < n {
				if r, _, _, _ := code.At(x+dark, y).RGBA(); r != 0 {
					break
				}
				dark++
			}
			if dark > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, dark, dark)
				x += dark
			}
		}
	}
	return qrCode{n + 2*quiet, b.String()}, nil
}

// Passkeys. What was asked of a browser is not kept here: it goes to the browser and back, signed, and what was
// signed once the store takes no second time.
const ceremonyLife = 5 * time.Minute

// newPasskeys returns the maker of ceremonies for the address; nil where browsers know no passkeys: at an address
// that is no name.
func newPasskeys(base *url.URL) (*webauthn.WebAuthn, error) {
	host := base.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || base.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return nil, nil
	}
	return webauthn.New(&webauthn.Config{RPID: host, RPDisplayName: "Kapdir desk", RPOrigins: []string{base.Scheme + "://" + base.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired}})
}

// keyHolder is a staff member as the library sees them.
type keyHolder struct {
	name string
	keys []webauthn.Credential
}

func holderOf(name string, keys []directory.Passkey) (keyHolder, error) {
	h := keyHolder{name: name}
	for _, k := range keys {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(k.Doc), &c); err != nil {
			return h, fmt.Errorf("web: a passkey of the store cannot be read: %w", err)
		}
		h.keys = append(h.keys, c)
	}
	return h, nil
}

// WebAuthnID is the same for a name, and is no name: an authenticator shows it to nobody.
func (h keyHolder) WebAuthnID() []byte {
	sum := sha256.Sum256([]byte("kapdir staff\x00" + h.name))
	return sum[:]
}

// WebAuthnName is what an authenticator shows beside the passkey.
func (h keyHolder) WebAuthnName() string { return h.name }

// WebAuthnDisplayName is the same.
func (h keyHolder) WebAuthnDisplayName() string { return h.name }

// WebAuthnCredentials are the passkeys that the person has.
func (h keyHolder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// ceremony is what goes to the browser: what to ask the authenticator, and our own note of it, signed.
type ceremony struct {
	Options any    `json:"options"`
	State   string `json:"state"`
}

// noted signs what was asked, for one purpose, until it runs out.
func (d *deskParts) noted(purpose string, session *webauthn.SessionData, at directory.Instant) (string, error) {
	raw, err := json.Marshal(session)
	if err != nil {
		return "", err
	}
	return d.sign(purpose, raw, at)
}

// asked reads a note of ours back. The library compares its end with the real clock, so ours is the one in the note.
func (d *deskParts) asked(purpose, state string, at directory.Instant) (s webauthn.SessionData, err error) {
	raw, err := d.signed(purpose, state, at, ceremonyLife)
	if err == nil {
		err = json.Unmarshal(raw, &s)
		s.Expires = time.Time{}
	}
	return s, err
}

// sign writes a text of ours that goes to a browser and comes back, with the moment at which it went.
func (d *deskParts) sign(purpose string, text []byte, at directory.Instant) (string, error) {
	key, err := d.key()
	if err != nil {
		return "", err
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(at.Time().Unix()))
	b = append(b, text...)
	return base64.RawURLEncoding.EncodeToString(append(macOf(key, purpose, b), b...)), nil
}

var errNotOurs = directory.Errorf(directory.Refused, "", "that took too long, or did not come from here: begin again")

func (d *deskParts) signed(purpose, text string, at directory.Instant, life time.Duration) ([]byte, error) {
	key, err := d.key()
	if err != nil {
		return nil, err
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < sha256.Size+8 || !hmac.Equal(b[:sha256.Size], macOf(key, purpose, b[sha256.Size:])) {
		return nil, errNotOurs
	}
	b = b[sha256.Size:]
	if age := at.Time().Sub(time.Unix(int64(binary.BigEndian.Uint64(b)), 0)); age < -time.Minute || age > life {
		return nil, errNotOurs
	}
	return b[8:], nil
}

func macOf(key []byte, purpose string, text []byte) []byte {
	m := hmac.New(sha256.New, key)
	_ = binary.Write(m, binary.BigEndian, uint32(len(purpose)))
	m.Write([]byte(purpose))
	m.Write(text)
	return m.Sum(nil)
}

// beginPasskey asks a browser for a new passkey of the person.
func (s *Server) beginPasskey(ctx context.Context, name, purpose string) (*ceremony, error) {
	if s.desk.passkeys == nil {
		return nil, noPasskeys
	}
	l, err := s.cfg.SignIn.Login(ctx, name)
	if err != nil {
		return nil, err
	}
	h, err := holderOf(name, l.Passkeys)
	if err != nil {
		return nil, err
	}
	var have []protocol.CredentialDescriptor
	for _, c := range h.keys {
		have = append(have, c.Descriptor())
	}
	options, session, err := s.desk.passkeys.BeginRegistration(h, webauthn.WithExclusions(have))
	if err != nil {
		return nil, err
	}
	state, err := s.desk.noted(purpose, session, s.staffNow())
	return &ceremony{options, state}, err
}

var noPasskeys = directory.Errorf(directory.Refused, "", "passkeys need an address that is a name, and https or localhost: this one has none")

// newPasskey reads the passkey that the browser made.
func (s *Server) newPasskey(name, purpose, state, answer, label string) (k directory.Passkey, err error) {
	if s.desk.passkeys == nil {
		return k, noPasskeys
	}
	at := s.staffNow()
	session, err := s.desk.asked(purpose, state, at)
	if err != nil {
		return k, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return k, badPasskey(err)
	}
	c, err := s.desk.passkeys.CreateCredential(keyHolder{name: name}, session, parsed)
	if err != nil {
		return k, badPasskey(err)
	}
	doc, err := json.Marshal(c)
	return directory.Passkey{ID: base64.RawURLEncoding.EncodeToString(c.ID), Label: label, Doc: string(doc)}, err
}

func badPasskey(err error) error {
	return &directory.Error{Kind: directory.Refused, Detail: "the passkey was not accepted", Cause: err}
}

// askPasskey asks a browser for any passkey that it has for us.
func (s *Server) askPasskey(purpose string) (*ceremony, error) {
	if s.desk.passkeys == nil {
		return nil, noPasskeys
	}
	options, session, err := s.desk.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, err
	}
	state, err := s.desk.noted(purpose, session, s.staffNow())
	return &ceremony{options, state}, err
}

// provenByPasskey returns whose passkey signed what was asked; ok is false when nobody's did, or when it was signed
// before. An error means that we could not look.
func (s *Server) provenByPasskey(ctx context.Context, purpose, state, answer string) (name string, ok bool, err error) {
	if s.desk.passkeys == nil {
		return "", false, noPasskeys
	}
	at := s.staffNow()
	session, err := s.desk.asked(purpose, state, at)
	if errors.Is(err, errNotOurs) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return "", false, nil
	}
	var looking error
	user, c, err := s.desk.passkeys.ValidatePasskeyLogin(func(raw, _ []byte) (webauthn.User, error) {
		name, err := s.cfg.SignIn.PasskeyOwner(ctx, base64.RawURLEncoding.EncodeToString(raw))
		if err == nil && name == "" {
			return nil, errors.New("nobody's passkey")
		}
		var l directory.StaffLogin
		if err == nil {
			l, err = s.cfg.SignIn.Login(ctx, name)
		}
		if err != nil {
			looking = err
			return nil, err
		}
		return holderOf(name, l.Passkeys)
	}, session, parsed)
	if looking != nil {
		return "", false, looking
	}
	if err != nil || !c.Flags.UserVerified || c.Authenticator.CloneWarning {
		return "", false, nil
	}
	doc, err := json.Marshal(c)
	if err != nil {
		return "", false, err
	}
	ok, err = s.cfg.SignIn.UsePasskey(ctx, base64.RawURLEncoding.EncodeToString(c.ID), string(doc), session.Challenge, at)
	return user.WebAuthnName(), ok, err
}

// provenByCode returns whether the person has the password and the code of the moment. It takes as long for somebody
// who is not there.
func (s *Server) provenByCode(ctx context.Context, name, password, code string, known bool) (ok bool, err error) {
	l, err := s.cfg.SignIn.Login(ctx, name)
	if err != nil {
		return false, err
	}
	hash, secret := l.Password, l.TOTP
	there := hash != "" && secret != ""
	if !there {
		hash, secret = noPassword(), "AAAAAAAAAAAAAAAA"
	}
	leave, err := s.desk.hashing.enter(known)
	if err != nil {
		return false, err
	}
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	leave()
	if err != nil {
		return false, fmt.Errorf("web: a password of the store cannot be read: %w", err)
	}
	step, good := codeStep(secret, code, s.staffNow())
	if !there || !same || !good {
		return false, nil
	}
	return s.cfg.SignIn.UseCode(ctx, l.Name, step)
}

// hasPassword reports that it is the person's password: whoever changes it knows it.
func (s *Server) hasPassword(ctx context.Context, name, password string) (bool, error) {
	l, err := s.cfg.SignIn.Login(ctx, name)
	if err != nil || l.Password == "" {
		return false, err
	}
	leave, err := s.desk.hashing.enter(true)
	if err != nil {
		return false, err
	}
	defer leave()
	return argon2id.ComparePasswordAndHash(password, l.Password)
}

// hashPassword hashes a new password.
func (s *Server) hashPassword(password string) (string, error) {
	leave, err := s.desk.hashing.enter(false)
	if err != nil {
		return "", err
	}
	defer leave()
	return argon2id.CreateHash(password, argon)
}

package directory

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Whoever uses our API and shows our answers elsewhere is an Integrator. Pages and documents call them a partner;
// that word is taken in this program by the sources of listings (partner.go).

// IntegratorID names an integrator: small letters, digits and hyphens, beginning with a letter.
type IntegratorID string

// ParseIntegratorID reads the name of an integrator.
func ParseIntegratorID(s string) (IntegratorID, error) {
	if !partnerID.MatchString(s) {
		return "", Errorf(Invalid, "partner", "%q is no id of a partner: 2 to 41 small letters, digits and hyphens, beginning with a letter", s)
	}
	return IntegratorID(s), nil
}

// About is under which name the trace of staff holds what was done about the integrator. No staff member has such
// a name.
func (id IntegratorID) About() string { return "partner:" + string(id) }

// IntegratorState says whether an integrator still uses our API.
type IntegratorState string

// The states of an integrator.
const (
	IntegratorActive IntegratorState = "active"
	IntegratorEnded  IntegratorState = "ended" // for good: no key of theirs is good, no embed is shown, no page of theirs may ask
)

// Integrator is an organisation that uses our API.
type Integrator struct {
	ID        IntegratorID    `json:"id"`
	Name      string          `json:"name"`
	Contact   string          `json:"contact,omitempty"` // whom to write to; for staff alone
	Origins   []WebOrigin     `json:"origins"`           // sites whose pages may ask us and show our embeds; in the order given
	State     IntegratorState `json:"state"`
	Created   Instant         `json:"created_at"`
	CreatedBy string          `json:"created_by"`
}

// MostOrigins is how many sites an integrator may name.
const MostOrigins = 20

// Validate checks what an integrator must say.
func (x Integrator) Validate() error {
	if _, err := ParseIntegratorID(string(x.ID)); err != nil {
		return err
	}
	if err := checkLine("name", "what the partner is called", x.Name, 1, 100); err != nil {
		return err
	}
	if err := checkLine("contact", "whom to write to", x.Contact, 0, 200); err != nil {
		return err
	}
	if x.State != IntegratorActive && x.State != IntegratorEnded {
		return Errorf(Invalid, "state", "a partner is active or ended, not %q", x.State)
	}
	return checkOrigins(x.Origins)
}

func checkOrigins(list []WebOrigin) error {
	if len(list) > MostOrigins {
		return Errorf(Invalid, "origins", "%d origins: a partner has %d at most", len(list), MostOrigins)
	}
	for i, o := range list {
		if p, err := ParseWebOrigin(string(o)); err != nil {
			return err
		} else if p != o || slices.Contains(list[:i], o) {
			return Errorf(Invalid, "origins", "%q is not in the form in which a browser sends it, or stands there twice", o)
		}
	}
	return nil
}

// checkLine holds what people type into a field of one line.
func checkLine(field, write, s string, least, most int) error {
	n := utf8.RuneCountInString(s)
	switch {
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || n > most || strings.TrimSpace(s) != s:
		return Errorf(Invalid, field, "write %s in one line of at most %d characters, without space around it", write, most)
	case n < least:
		return Errorf(Invalid, field, "write %s", write)
	case LooksLikeSSN(s):
		return Errorf(Refused, field, "what looks like a Social Security number must not be held")
	}
	return nil
}

// WebOrigin is a site whose pages may ask us: scheme, host and port, as a browser writes them in the header Origin
// (RFC 6454 §6.2): https://clinic.example, without a slash at the end.
type WebOrigin string

// ParseWebOrigin reads an origin: https, a host name, a port where it is not 443, and no more. A page on a developer's own
// machine may be http://localhost, with a port.
func ParseWebOrigin(s string) (WebOrigin, error) {
	bad := func(why string) (WebOrigin, error) {
		return "", Errorf(Invalid, "origins", "%q is no origin: %s; write https://clinic.example", s, why)
	}
	if len(s) > 255 {
		return "", Errorf(Invalid, "origins", "an origin has at most 255 characters")
	}
	u, err := url.Parse(s)
	if err != nil {
		return bad("it is no address")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	local := host == "localhost"
	switch {
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" || strings.ContainsAny(s, "#?"):
		return bad("it is scheme, host and port alone")
	case u.Scheme == "http" && !local:
		return bad("it must be https, but for http://localhost while somebody builds a page")
	case u.Scheme != "https" && u.Scheme != "http":
		return bad("it must begin with https://")
	case !local && !hostName.MatchString(host) || len(host) > 253:
		return bad("the host must be a name with a dot, as the browser sends it, in ASCII")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return bad("the host is an address, and not a name")
	}
	out := u.Scheme + "://" + host
	if strings.HasSuffix(u.Host, ":") {
		return bad("a port is missing after the colon")
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return bad("the port is no number from 1 to 65535")
		}
		if u.Scheme == "https" && n != 443 || u.Scheme == "http" && n != 80 {
			out += ":" + port
		}
	}
	return WebOrigin(out), nil
}

// hostName is a name of the DNS with a dot, in the form that browsers send: of any other script as xn--.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Scope is something that a key has the right to.
type Scope string

// The scopes of a key.
const (
	ScopeRead        Scope = "read"
	ScopeCredentials Scope = "credentials"
	ScopeChanges     Scope = "changes"
	ScopeExport      Scope = "export"
	ScopeHooks       Scope = "hooks"
	ScopeEmbeds      Scope = "embeds"
)

// Scopes is every scope there is, with what it gives a right to, in the order in which pages and commands list them.
var Scopes = []struct {
	Scope Scope
	May   string
}{
	{ScopeRead, "search, suggestions, providers, sources and statistics"},
	{ScopeCredentials, "credentials with their evidence"},
	{ScopeChanges, "the feed of what changed"},
	{ScopeExport, "bulk files of all that is public"},
	{ScopeHooks, "their own webhooks: to read, test and replay them"},
	{ScopeEmbeds, "their own embeds: to read them"},
}

// ParseScope reads the word of a scope.
func ParseScope(s string) (Scope, error) {
	var all []string
	for _, x := range Scopes {
		if string(x.Scope) == s {
			return x.Scope, nil
		}
		all = append(all, string(x.Scope))
	}
	return "", Errorf(Invalid, "scopes", "%q is no scope: write %s", s, OneOf(all))
}

// ParseScopes reads scopes with a space or comma between them. They come back once each, in the order of Scopes.
func ParseScopes(s string) ([]Scope, error) {
	var asked []Scope
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		x, err := ParseScope(w)
		if err != nil {
			return nil, err
		}
		asked = append(asked, x)
	}
	var out []Scope
	for _, x := range Scopes {
		if slices.Contains(asked, x.Scope) {
			out = append(out, x.Scope)
		}
	}
	return out, nil
}

// JoinScopes writes scopes as ParseScopes reads them.
func JoinScopes(list []Scope) string {
	var b strings.Builder
	for i, x := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(x))
	}
	return b.String()
}

// The prefixes of the ids of keys, those of staff among them, and of embeds (contracts.md §2).
const (
	KeyPrefix   = "key_"
	EmbedPrefix = "emb_"
)

// Limits of keys.
const (
	KeyPerMinute   = 600  // requests a minute, where nothing else is said
	MostPerMinute  = 6000 // that a key may be given
	KeyOverlap     = 7 * 24 * time.Hour
	MostKeyOverlap = 30 * 24 * time.Hour
	KeyLife        = 365 * 24 * time.Hour // where nothing else is said
	MostKeyLife    = 2 * 365 * 24 * time.Hour
)

// APIKey is with what an integrator asks our API. Its secret is held nowhere.
type APIKey struct {
	ID         ID           `json:"id"`
	Integrator IntegratorID `json:"partner"`
	Name       string       `json:"name"` // what it is for, as the integrator calls it
	Scopes     []Scope      `json:"scopes"`
	PerMinute  int          `json:"per_minute"`
	Created    Instant      `json:"created_at"`
	CreatedBy  string       `json:"created_by"`
	Expires    Instant      `json:"expires_at,omitempty"`
	ReplacedBy ID           `json:"replaced_by,omitempty"`
	Ended      Instant      `json:"ended_at,omitempty"` // from then on it is nobody's; of one that was replaced it may be to come
	LastDay    Date         `json:"last_day,omitempty"` // of use, by the day alone
}

// Live reports that the key is good at the moment, as far as it goes by the key.
func (k APIKey) Live(at Instant) bool {
	return (k.Expires == "" || at < k.Expires) && (k.Ended == "" || at < k.Ended)
}

// Until is when the key stops being good, as far as that is known; "" is not foreseen.
func (k APIKey) Until() Instant { return earliest(k.Expires, k.Ended) }

// State says in a word what becomes of the key: active, replaced while it is still good, expired or ended.
func (k APIKey) State(at Instant) string {
	switch {
	case k.Ended != "" && at >= k.Ended:
		return "ended"
	case k.Expires != "" && at >= k.Expires:
		return "expired"
	case k.ReplacedBy != "":
		return "replaced"
	}
	return "active"
}

// May reports that the key has the right.
func (k APIKey) May(s Scope) bool { return slices.Contains(k.Scopes, s) }

// Validate checks what a key must say.
func (k APIKey) Validate() error {
	if _, err := ParseID(KeyPrefix, string(k.ID)); err != nil {
		return err
	}
	if _, err := ParseIntegratorID(string(k.Integrator)); err != nil {
		return err
	}
	if err := checkLine("name", "what the key is for", k.Name, 1, 100); err != nil {
		return err
	}
	if len(k.Scopes) == 0 {
		return Errorf(Invalid, "scopes", "a key without a scope has no right to anything: write at least read")
	}
	if kept, err := ParseScopes(JoinScopes(k.Scopes)); err != nil {
		return err
	} else if !slices.Equal(kept, k.Scopes) {
		return Errorf(Invalid, "scopes", "a scope stands there twice, or not in its place")
	}
	switch {
	case k.PerMinute < 1 || k.PerMinute > MostPerMinute:
		return Errorf(Invalid, "per_minute", "a key has a limit of 1 to %d requests a minute", MostPerMinute)
	case k.Expires != "" && k.Expires <= k.Created:
		return Errorf(Invalid, "expires", "a key must not have run out before it is made")
	case k.Expires != "" && k.Expires > k.Created.Add(MostKeyLife):
		return Errorf(Invalid, "expires", "a key is good for at most %d days", MostKeyLife/(24*time.Hour))
	}
	return nil
}

// keyStart begins what a developer writes down, so that whoever scans for secrets that were left lying about knows it.
const keyStart = "kap_live_"

// NewKeySecret makes 256 random bits as text of small letters and digits.
func NewKeySecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return crockford.EncodeToString(b)
}

// keySecretLen is how long such a text is.
var keySecretLen = crockford.EncodedLen(32)

// KeyText writes a key as it is shown once: kap_live_, its id without the prefix, and its secret.
func KeyText(id ID, secret string) string {
	return keyStart + strings.TrimPrefix(string(id), KeyPrefix) + "_" + secret
}

// ParseKeyText reads what KeyText writes. The error never repeats what was given, for it may hold a secret.
func ParseKeyText(s string) (id ID, secret string, err error) {
	rest, ok := strings.CutPrefix(s, keyStart)
	if ok && len(rest) == 26+1+keySecretLen && rest[26] == '_' {
		if id, err := ParseID(KeyPrefix, KeyPrefix+rest[:26]); err == nil && string(id[len(KeyPrefix):]) == rest[:26] && strings.Trim(rest[27:], crockfordSigns) == "" {
			return id, rest[27:], nil
		}
	}
	return "", "", Errorf(Invalid, "authorization", "that is no key: it has the form %s…_…", keyStart)
}

// KeyUsage is how often a key asked on a day: by the pattern of the route, and nothing of what was asked.
type KeyUsage struct {
	Key     ID     `json:"key"`
	Day     Date   `json:"day"`
	Route   string `json:"route"`
	Count   int64  `json:"count"`   // of all requests
	Refused int64  `json:"refused"` // of those that were too many, or that the key had no right to
}

// EmbedKind says what an embed shows.
type EmbedKind string

// The kinds of embeds.
const (
	EmbedResults  EmbedKind = "results"  // whoever a search finds
	EmbedProvider EmbedKind = "provider" // the checks of one provider
)

// Embed is what an integrator shows of us on pages of its own. Its id is no secret: it stands in that page.
type Embed struct {
	ID         ID           `json:"id"`
	Integrator IntegratorID `json:"partner"`
	Name       string       `json:"name"`
	Kind       EmbedKind    `json:"kind"`
	Doc        EmbedDoc     `json:"doc"`
	Created    Instant      `json:"created_at"`
	CreatedBy  string       `json:"created_by"`
	Ended      Instant      `json:"ended_at,omitempty"`
}

// EmbedDoc is what an embed shows, and how.
type EmbedDoc struct {
	Query    string `json:"query,omitempty"`    // of results: the question as the search page writes it behind its ?
	Provider ID     `json:"provider,omitempty"` // of a provider
	Theme    string `json:"theme"`              // auto (as the reader's browser asks), light, dark
	Language string `json:"language"`           // en, es
}

// EmbedThemes and EmbedLanguages are what an embed can be given; the first is meant where nothing is said.
var (
	EmbedThemes    = []string{"auto", "light", "dark"}
	EmbedLanguages = []string{"en", "es"}
)

// Validate checks what an embed must say. Whether a question can be asked is for the web layer to say.
func (e Embed) Validate() error {
	if _, err := ParseID(EmbedPrefix, string(e.ID)); err != nil {
		return err
	}
	if _, err := ParseIntegratorID(string(e.Integrator)); err != nil {
		return err
	}
	if err := checkLine("name", "what the embed is called", e.Name, 1, 100); err != nil {
		return err
	}
	if err := checkLine("query", "a question as the search page writes it", e.Doc.Query, 0, 1000); err != nil {
		return err
	}
	_, badProvider := ParseID(ProviderPrefix, string(e.Doc.Provider))
	switch {
	case e.Kind != EmbedResults && e.Kind != EmbedProvider:
		return Errorf(Invalid, "kind", "an embed shows results or a provider, not %q", e.Kind)
	case e.Kind == EmbedResults && e.Doc.Provider != "":
		return Errorf(Invalid, "provider", "an embed of results names no provider")
	case e.Kind == EmbedProvider && badProvider != nil:
		return badProvider
	case e.Kind == EmbedProvider && e.Doc.Query != "":
		return Errorf(Invalid, "query", "an embed of one provider asks no question")
	case !slices.Contains(EmbedThemes, e.Doc.Theme):
		return Errorf(Invalid, "theme", "%q is no theme: write %s", e.Doc.Theme, OneOf(EmbedThemes))
	case !slices.Contains(EmbedLanguages, e.Doc.Language):
		return Errorf(Invalid, "language", "%q is no language of ours: write %s", e.Doc.Language, OneOf(EmbedLanguages))
	}
	return nil
}

// String writes what an embed shows in a line.
func (e Embed) String() string {
	if e.Kind == EmbedProvider {
		return fmt.Sprintf("%s %s", e.Kind, e.Doc.Provider)
	}
	if e.Doc.Query == "" {
		return "results of everybody"
	}
	return fmt.Sprintf("%s of ?%s", e.Kind, e.Doc.Query)
}

package store

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kapdir/directory"
)

// Integrators, their keys and embeds. What is one's own is asked for with whose it is, and the statement itself looks
// for both, so that no caller can forget to compare: what is another's is not there. Each change stands in the trace of
// staff, under IntegratorID.About, in the transaction that makes it.

// keepUsage is for how many days it is kept how often a key asked.
const keepUsage = 400

// mayChange refuses a change by a staff member who is no admin. Who holds the state directory is no staff member.
func (w *work) mayChange(by string) error {
	if by == "" || directory.LooksLikeSSN(by) {
		return directory.Errorf(directory.Invalid, "by", "a change says who made it")
	}
	all, err := w.staff()
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.Name == by && (m.Role != directory.Admin || m.Disabled != "") {
			return directory.Errorf(directory.Refused, "by", "%s is no admin, and only an admin changes what partners may do", by)
		}
	}
	return nil
}

// changeIntegrator runs f in a transaction in which the integrator is there and active, and by may change it. f returns
// what the trace says.
func (s *Store) changeIntegrator(ctx context.Context, op string, id directory.IntegratorID, by string, at directory.Instant, f func(*work, *directory.Integrator) (act, detail string, err error)) error {
	return s.write(ctx, op+" "+string(id), func(w *work) error {
		if err := w.mayChange(by); err != nil {
			return err
		}
		x, err := w.integrator(id)
		if err != nil {
			return err
		}
		if x.State != directory.IntegratorActive {
			return directory.Errorf(directory.Conflict, "partner", "%s is a partner no more", id)
		}
		act, detail, err := f(w, &x)
		if err != nil || act == "" {
			return err
		}
		return w.audit(directory.StaffAct{At: at, Name: id.About(), Act: act, Detail: detail, By: by})
	})
}

// AddIntegrator adds an integrator, active from now on; by says who does it. An id that is there already, of one
// that ended too, is a Conflict: an id is never given to somebody else.
func (s *Store) AddIntegrator(ctx context.Context, x directory.Integrator, by string, at directory.Instant) (directory.Integrator, error) {
	x.State, x.Created, x.CreatedBy = directory.IntegratorActive, at, by
	if x.Origins == nil {
		x.Origins = []directory.WebOrigin{}
	}
	err := s.write(ctx, "store.AddIntegrator "+string(x.ID), func(w *work) error {
		if err := x.Validate(); err != nil {
			return err
		}
		if err := w.mayChange(by); err != nil {
			return err
		}
		n, err := w.exec(`INSERT INTO integrator (id, name, contact, origins, state, created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
			x.ID, clean(x.Name), clean(x.Contact), marshalOrigins(x.Origins), x.State, x.Created, clean(by))
		if err == nil && n == 0 {
			err = directory.Errorf(directory.Conflict, "id", "there is a partner %s already, or was: kapdir partner list names them all", x.ID)
		}
		if err != nil {
			return err
		}
		return w.audit(directory.StaffAct{At: at, Name: x.ID.About(), Act: "partner added", Detail: fmt.Sprintf("%s; origins %s", x.Name, joinOrigins(x.Origins)), By: by})
	})
	if err != nil {
		return directory.Integrator{}, err
	}
	return x, nil
}

func marshalOrigins(list []directory.WebOrigin) string {
	b, _ := json.Marshal(append([]directory.WebOrigin{}, list...)) // strings can always be written
	return string(b)
}

func joinOrigins(list []directory.WebOrigin) string {
	if len(list) == 0 {
		return "none"
	}
	var out []string
	for _, o := range list {
		out = append(out, string(o))
	}
	return strings.Join(out, " ")
}

const integratorColumns = `i.id, i.name, i.contact, i.origins, i.state, i.created_at, i.created_by`

// integratorInto returns where the columns go, and what reads the origins once they are there.
func integratorInto(x *directory.Integrator) (dst []any, done func() error) {
	origins := new(string)
	return []any{&x.ID, &x.Name, &x.Contact, origins, &x.State, &x.Created, &x.CreatedBy}, func() error {
		x.Origins = []directory.WebOrigin{}
		if err := json.Unmarshal([]byte(*origins), &x.Origins); err != nil {
			return directory.Errorf(directory.Internal, "origins", "the origins of %s cannot be read: %w", x.ID, err)
		}
		return nil
	}
}

func (t *tx) integrator(id directory.IntegratorID) (x directory.Integrator, err error) {
	dst, done := integratorInto(&x)
	found, err := t.one(`SELECT `+integratorColumns+` FROM integrator i WHERE i.id = $1`, []any{id}, dst...)
	if err == nil && !found {
		err = directory.Errorf(directory.NotFound, "partner", "there is no partner %q: kapdir partner list names them all", id)
	}
	if err != nil {
		return directory.Integrator{}, err
	}
	return x, done()
}

// Integrator returns the integrator, also one that ended; NotFound when there is none.
func (s *Store) Integrator(ctx context.Context, id directory.IntegratorID) (x directory.Integrator, err error) {
	err = s.read(ctx, "store.Integrator "+string(id), func(t *tx) error {
		x, err = t.integrator(id)
		return err
	})
	return x, err
}

// Integrators lists every integrator there is or was, by id. It is for staff.
func (s *Store) Integrators(ctx context.Context) ([]directory.Integrator, error) {
	out := []directory.Integrator{}
	err := s.read(ctx, "store.Integrators", func(t *tx) error {
		return t.each(`SELECT `+integratorColumns+` FROM integrator i ORDER BY i.id`, nil, func(r *sql.Rows) error {
			var x directory.Integrator
			dst, done := integratorInto(&x)
			if err := r.Scan(dst...); err != nil {
				return err
			}
			if err := done(); err != nil {
				return err
			}
			out = append(out, x)
			return nil
		})
	})
	return out, err
}

// RegisteredOrigins returns the sites whose pages may ask us, of all who are active, each with whose it is. Several may
// name one.
func (s *Store) RegisteredOrigins(ctx context.Context) (map[directory.WebOrigin][]directory.IntegratorID, error) {
	all, err := s.Integrators(ctx)
	if err != nil {
		return nil, err
	}
	out := map[directory.WebOrigin][]directory.IntegratorID{}
	for _, x := range all {
		if x.State != directory.IntegratorActive {
			continue
		}
		for _, o := range x.Origins {
			out[o] = append(out[o], x.ID)
		}
	}
	return out, nil
}

// SetOrigins says which sites' pages may ask us for the integrator, in place of those so far.
func (s *Store) SetOrigins(ctx context.Context, id directory.IntegratorID, origins []directory.WebOrigin, by string, at directory.Instant) (out directory.Integrator, err error) {
	err = s.changeIntegrator(ctx, "store.SetOrigins", id, by, at, func(w *work, x *directory.Integrator) (string, string, error) {
		was := joinOrigins(x.Origins)
		x.Origins = append([]directory.WebOrigin{}, origins...)
		out = *x
		if err := x.Validate(); err != nil {
			return "", "", err
		}
		if joinOrigins(x.Origins) == was {
			return "", "", nil
		}
		_, err := w.exec(`UPDATE integrator SET origins = $2 WHERE id = $1`, id, marshalOrigins(x.Origins))
		return "origins changed", fmt.Sprintf("%s; before: %s", joinOrigins(x.Origins), was), err
	})
	if err != nil {
		return directory.Integrator{}, err
	}
	return out, nil
}

// EndIntegrator ends the integrator for good, and with it every key, embed and webhook of theirs, at once.
func (s *Store) EndIntegrator(ctx context.Context, id directory.IntegratorID, by string, at directory.Instant) (out directory.Integrator, err error) {
	err = s.changeIntegrator(ctx, "store.EndIntegrator", id, by, at, func(w *work, x *directory.Integrator) (string, string, error) {
		x.State = directory.IntegratorEnded
		out = *x
		if _, err := w.exec(`UPDATE integrator SET state = $2 WHERE id = $1`, id, x.State); err != nil {
			return "", "", err
		}
		keys, err := w.exec(`UPDATE api_key SET ended_at = $2 WHERE integrator = $1 AND (ended_at = '' OR ended_at > $2)`, id, at)
		if err != nil {
			return "", "", err
		}
		embeds, err := w.exec(`UPDATE embed SET ended_at = $2 WHERE integrator = $1 AND ended_at = ''`, id, at)
		if err != nil {
			return "", "", err
		}
		hooks, err := w.exec(`UPDATE hook SET state = 'ended', why = '', secret = '', former = '', former_until = '', next_at = '', test = '', ended_at = $2 WHERE integrator = $1 AND state <> 'ended'`, id, at)
		return "partner ended", fmt.Sprintf("with %d keys, %d embeds and %d webhooks", keys, embeds, hooks), err
	})
	if err != nil {
		return directory.Integrator{}, err
	}
	return out, nil
}

// AddAPIKey makes a key of the integrator and returns its text: the one time that it can be read. Of k the name, the
// scopes, the limit and the expiry are taken; a limit of 0 is KeyPerMinute.
func (s *Store) AddAPIKey(ctx context.Context, id directory.IntegratorID, k directory.APIKey, by string, at directory.Instant) (text string, out directory.APIKey, err error) {
	err = s.changeIntegrator(ctx, "store.AddAPIKey", id, by, at, func(w *work, x *directory.Integrator) (string, string, error) {
		out = directory.APIKey{ID: directory.NewID(directory.KeyPrefix, at), Integrator: id, Name: k.Name, Scopes: k.Scopes, PerMinute: k.PerMinute, Created: at, CreatedBy: by, Expires: k.Expires}
		if out.PerMinute == 0 {
			out.PerMinute = directory.KeyPerMinute
		}
		if out.Scopes, err = directory.ParseScopes(directory.JoinScopes(k.Scopes)); err != nil {
			return "", "", err
		}
		text, err = w.insertAPIKey(out)
		return "key added", keyDetail(out), err
	})
	if err != nil {
		return "", directory.APIKey{}, err
	}
	return text, out, nil
}

func (w *work) insertAPIKey(k directory.APIKey) (text string, err error) {
	if err := k.Validate(); err != nil {
		return "", err
	}
	secret := directory.NewKeySecret()
	return directory.KeyText(k.ID, secret), w.insert(`INSERT INTO api_key (id, integrator, name, hash, scopes, per_minute, created_at, created_by, expires_at, replaced_by, ended_at, last_day)`,
		[][]any{{k.ID, k.Integrator, clean(k.Name), secretSum(secret), directory.JoinScopes(k.Scopes), k.PerMinute, k.Created, clean(k.CreatedBy), k.Expires, "", "", ""}}, "")
}

func keyDetail(k directory.APIKey) string {
	end := "no expiry"
	if k.Expires != "" {
		end = "until " + string(k.Expires)
	}
	return fmt.Sprintf("%s %s: %s; %d a minute; %s", k.ID, k.Name, directory.JoinScopes(k.Scopes), k.PerMinute, end)
}

const keyColumns = `k.id, k.integrator, k.name, k.scopes, k.per_minute, k.created_at, k.created_by, k.expires_at, k.replaced_by, k.ended_at, k.last_day`

func keyInto(k *directory.APIKey) (dst []any, done func() error) {
	scopes := new(string)
	return []any{&k.ID, &k.Integrator, &k.Name, scopes, &k.PerMinute, &k.Created, &k.CreatedBy, &k.Expires, &k.ReplacedBy, &k.Ended, &k.LastDay}, func() (err error) {
		k.Scopes, err = directory.ParseScopes(*scopes)
		return err
	}
}

func (t *tx) apiKey(integrator directory.IntegratorID, id directory.ID) (k directory.APIKey, err error) {
	dst, done := keyInto(&k)
	found, err := t.one(`SELECT `+keyColumns+` FROM api_key k WHERE k.id = $1 AND k.integrator = $2`, []any{id, integrator}, dst...)
	if err == nil && !found {
		err = directory.Errorf(directory.NotFound, "key", "%s has no key %s", integrator, id)
	}
	if err != nil {
		return directory.APIKey{}, err
	}
	return k, done()
}

// APIKeys lists the keys of the integrator, those too that ended, the oldest first.
func (s *Store) APIKeys(ctx context.Context, id directory.IntegratorID) ([]directory.APIKey, error) {
	out := []directory.APIKey{}
	err := s.read(ctx, "store.APIKeys "+string(id), func(t *tx) error {
		return t.each(`SELECT `+keyColumns+` FROM api_key k WHERE k.integrator = $1 ORDER BY k.created_at, k.id`, []any{id}, func(r *sql.Rows) error {
			var k directory.APIKey
			dst, done := keyInto(&k)
			if err := r.Scan(dst...); err != nil {
				return err
			}
			if err := done(); err != nil {
				return err
			}
			out = append(out, k)
			return nil
		})
	})
	return out, err
}

// RotateAPIKey makes a key with the same name and rights and returns its text: the one time that it can be read. The old
// one is good for the overlap beside it, and no longer. The new one is good for as long as the old one was given.
func (s *Store) RotateAPIKey(ctx context.Context, integrator directory.IntegratorID, id directory.ID, overlap time.Duration, by string, at directory.Instant) (text string, out directory.APIKey, err error) {
	err = s.changeIntegrator(ctx, "store.RotateAPIKey", integrator, by, at, func(w *work, x *directory.Integrator) (string, string, error) {
		old, err := w.apiKey(integrator, id)
		switch {
		case err != nil:
			return "", "", err
		case overlap < 0 || overlap > directory.MostKeyOverlap:
			return "", "", directory.Errorf(directory.Invalid, "overlap", "the old key stays good for 0 to %d days", directory.MostKeyOverlap/(24*time.Hour))
		case !old.Live(at):
			return "", "", directory.Errorf(directory.Conflict, "key", "%s is good no more: add a new key", id)
		case old.ReplacedBy != "":
			return "", "", directory.Errorf(directory.Conflict, "key", "%s was replaced by %s already", id, old.ReplacedBy)
		}
		out = old
		out.ID, out.Created, out.CreatedBy, out.LastDay = directory.NewID(directory.KeyPrefix, at), at, by, ""
		if old.Expires != "" {
			out.Expires = at.Add(old.Expires.Time().Sub(old.Created.Time()))
		}
		if text, err = w.insertAPIKey(out); err != nil {
			return "", "", err
		}
		until := at.Add(overlap)
		if _, err := w.exec(`UPDATE api_key SET replaced_by = $3, ended_at = $4 WHERE id = $1 AND integrator = $2`, id, integrator, out.ID, until); err != nil {
			return "", "", err
		}
		return "key rotated", fmt.Sprintf("%s is replaced by %s and good until %s", id, keyDetail(out), until), nil
	})
	if err != nil {
		return "", directory.APIKey{}, err
	}
	return text, out, nil
}

// EndAPIKey ends a key of the integrator at once. One that ended already is a Conflict.
func (s *Store) EndAPIKey(ctx context.Context, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant) (out directory.APIKey, err error) {
	err = s.changeIntegrator(ctx, "store.EndAPIKey", integrator, by, at, func(w *work, x *directory.Integrator) (string, string, error) {
		if out, err = w.apiKey(integrator, id); err != nil {
			return "", "", err
		}
		if out.Ended != "" && out.Ended <= at {
			return "", "", directory.Errorf(directory.Conflict, "key", "%s ended at %s", id, out.Ended)
		}
		out.Ended = at
		_, err := w.exec(`UPDATE api_key SET ended_at = $3 WHERE id = $1 AND integrator = $2`, id, integrator, at)
		return "key ended", fmt.Sprintf("%s %s", id, out.Name), err
	})
	if err != nil {
		return directory.APIKey{}, err
	}
	return out, nil
}

// APIKey returns the key that has the secret, and whose it is. A wrong secret, a key that nobody has, one that ended or
// ran out, and one of an integrator that ended, are one answer, ok false; an error means that we could not look.
func (s *Store) APIKey(ctx context.Context, id directory.ID, secret string, at directory.Instant) (k directory.APIKey, x directory.Integrator, ok bool, err error) {
	sum := noSum
	err = s.read(ctx, "store.APIKey", func(t *tx) error {
		keyDst, keyDone := keyInto(&k)
		dst, done := integratorInto(&x)
		found, err := t.one(`SELECT k.hash, `+keyColumns+`, `+integratorColumns+` FROM api_key k JOIN integrator i ON i.id = k.integrator WHERE k.id = $1`,
			[]any{id}, append(append([]any{&sum}, keyDst...), dst...)...)
		if err != nil || !found {
			return err
		}
		if err := keyDone(); err != nil {
			return err
		}
		return done()
	})
	if err != nil {
		return directory.APIKey{}, directory.Integrator{}, false, err
	}
	same := subtle.ConstantTimeCompare([]byte(sum), []byte(secretSum(secret))) == 1
	if !same || !k.Live(at) || x.State != directory.IntegratorActive {
		return directory.APIKey{}, directory.Integrator{}, false, nil
	}
	return k, x, true, nil
}

// AddKeyUsage adds to what is counted of keys, and notes the last day on which each was used. Counts of more than 400 days
// ago are forgotten.
func (s *Store) AddKeyUsage(ctx context.Context, list []directory.KeyUsage) error {
	if len(list) == 0 {
		return nil
	}
	return s.write(ctx, "store.AddKeyUsage", func(w *work) error {
		newest := directory.Date("")
		for _, u := range list {
			// One of a key that is not there is counted for nobody.
			if _, err := w.exec(`INSERT INTO api_usage (key, day, route, count, refused) SELECT k.id, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($5 AS BIGINT) FROM api_key k WHERE k.id = $1
				ON CONFLICT (key, day, route) DO UPDATE SET count = api_usage.count + excluded.count, refused = api_usage.refused + excluded.refused`,
				u.Key, u.Day, clean(u.Route), u.Count, u.Refused); err != nil {
				return err
			}
			if _, err := w.exec(`UPDATE api_key SET last_day = $2 WHERE id = $1 AND last_day < $2`, u.Key, u.Day); err != nil {
				return err
			}
			newest = max(newest, u.Day)
		}
		_, err := w.exec(`DELETE FROM api_usage WHERE day < $1`, newest.Midnight().AddDays(-keepUsage).Date())
		return err
	})
}

// KeyUsage returns how often each key of the integrator asked, from one day to another, both included: by day, the newest
// first, then by key and route.
func (s *Store) KeyUsage(ctx context.Context, id directory.IntegratorID, from, to directory.Date) ([]directory.KeyUsage, error) {
	out := []directory.KeyUsage{}
	err := s.read(ctx, "store.KeyUsage "+string(id), func(t *tx) error {
		return t.each(`SELECT u.key, u.day, u.route, u.count, u.refused FROM api_usage u JOIN api_key k ON k.id = u.key WHERE k.integrator = $1 AND u.day >= $2 AND u.day <= $3
			ORDER BY u.day DESC, u.key, u.route`, []any{id, from, to}, func(r *sql.Rows) error {
			var u directory.KeyUsage
			err := r.Scan(&u.Key, &u.Day, &u.Route, &u.Count, &u.Refused)
			out = append(out, u)
			return err
		})
	})
	return out, err
}

// AddEmbed makes an embed of the integrator. Of e the name, the kind and the doc are taken; a theme and a language that
// are not given are the first there is.
func (s *Store) AddEmbed(ctx context.Context, id directory.IntegratorID, e directory.Embed, by string, at directory.Instant) (out directory.Embed, err error) {
	err = s.changeIntegrator(ctx, "store.AddEmbed", id, by, at, func(w *work, x *directory.Integrator) (string, string, error) {
		out = directory.Embed{ID: directory.NewID(directory.EmbedPrefix, at), Integrator: id, Name: e.Name, Kind: e.Kind, Doc: e.Doc, Created: at, CreatedBy: by}
		if out.Doc.Theme == "" {
			out.Doc.Theme = directory.EmbedThemes[0]
		}
		if out.Doc.Language == "" {
			out.Doc.Language = directory.EmbedLanguages[0]
		}
		if err := out.Validate(); err != nil {
			return "", "", err
		}
		if out.Kind == directory.EmbedProvider {
			var withdrawn int64
			found, err := w.one(`SELECT withdrawn FROM provider WHERE id = $1`, []any{out.Doc.Provider}, &withdrawn)
			if err == nil && (!found || withdrawn != 0) {
				err = directory.Errorf(directory.NotFound, "provider", "there is no provider %s", out.Doc.Provider)
			}
			if err != nil {
				return "", "", err
			}
		}
		doc, err := json.Marshal(out.Doc)
		if err != nil {
			return "", "", err
		}
		return "embed added", fmt.Sprintf("%s %s", out.ID, out.Name), w.insert(`INSERT INTO embed (id, integrator, name, kind, doc, created_at, created_by, ended_at)`,
			[][]any{{out.ID, out.Integrator, clean(out.Name), out.Kind, clean(string(doc)), out.Created, clean(by), ""}}, "")
	})
	if err != nil {
		return directory.Embed{}, err
	}
	return out, nil
}

const embedColumns = `e.id, e.integrator, e.name, e.kind, e.doc, e.created_at, e.created_by, e.ended_at`

func embedInto(e *directory.Embed) (dst []any, done func() error) {
	doc := new(string)
	return []any{&e.ID, &e.Integrator, &e.Name, &e.Kind, doc, &e.Created, &e.CreatedBy, &e.Ended}, func() error {
		if err := json.Unmarshal([]byte(*doc), &e.Doc); err != nil {
			return directory.Errorf(directory.Internal, "doc", "what %s shows cannot be read: %w", e.ID, err)
		}
		return nil
	}
}

// Embed returns an embed for whoever has its id, which is no secret, and whose it is. NotFound when there is none, Gone
// when it or its integrator ended.
func (s *Store) Embed(ctx context.Context, id directory.ID) (e directory.Embed, x directory.Integrator, err error) {
	err = s.read(ctx, "store.Embed "+string(id), func(t *tx) error {
		embedDst, embedDone := embedInto(&e)
		dst, done := integratorInto(&x)
		found, err := t.one(`SELECT `+embedColumns+`, `+integratorColumns+` FROM embed e JOIN integrator i ON i.id = e.integrator WHERE e.id = $1`, []any{id}, append(embedDst, dst...)...)
		switch {
		case err != nil:
			return err
		case !found:
			return directory.Errorf(directory.NotFound, "embed", "there is no embed %s", id)
		case e.Ended != "" || x.State != directory.IntegratorActive:
			return directory.Errorf(directory.Gone, "embed", "the embed %s is shown no more", id)
		}
		if err := embedDone(); err != nil {
			return err
		}
		return done()
	})
	if err != nil {
		return directory.Embed{}, directory.Integrator{}, err
	}
	return e, x, nil
}

// Embeds lists the embeds of the integrator, those too that ended, the oldest first.
func (s *Store) Embeds(ctx context.Context, id directory.IntegratorID) ([]directory.Embed, error) {
	out := []directory.Embed{}
	err := s.read(ctx, "store.Embeds "+string(id), func(t *tx) error {
		return t.each(`SELECT `+embedColumns+` FROM embed e WHERE e.integrator = $1 ORDER BY e.created_at, e.id`, []any{id}, func(r *sql.Rows) error {
			var e directory.Embed
			dst, done := embedInto(&e)
			if err := r.Scan(dst...); err != nil {
				return err
			}
			if err := done(); err != nil {
				return err
			}
			out = append(out, e)
			return nil
		})
	})
	return out, err
}

// EndEmbed ends an embed of the integrator: it shows nothing from then on. One that ended already is a Conflict.
func (s *Store) EndEmbed(ctx context.Context, integrator directory.IntegratorID, id directory.ID, by string, at directory.Instant) error {
	return s.changeIntegrator(ctx, "store.EndEmbed", integrator, by, at, func(w *work, x *directory.Integrator) (string, string, error) {
		var name, ended string
		found, err := w.one(`SELECT name, ended_at FROM embed WHERE id = $1 AND integrator = $2`, []any{id, integrator}, &name, &ended)
		switch {
		case err != nil:
			return "", "", err
		case !found:
			return "", "", directory.Errorf(directory.NotFound, "embed", "%s has no embed %s", integrator, id)
		case ended != "":
			return "", "", directory.Errorf(directory.Conflict, "embed", "%s ended at %s", id, ended)
		}
		_, err = w.exec(`UPDATE embed SET ended_at = $3 WHERE id = $1 AND integrator = $2`, id, integrator, at)
		return "embed ended", fmt.Sprintf("%s %s", id, name), err
	})
}

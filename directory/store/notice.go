package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"kapdir/directory"
)

// Notices are made of the changes, in the order of their numbers, by whoever has the lease of it: what public faces say
// of a provider now is compared with what was last announced of them. What was announced, the notices and how far the
// changes were read are written in one transaction, so that nothing is announced twice or passed over, whenever the
// process ends. Of two processes that try at once, one writes nothing.

// noticer is the follower that makes notices.
const noticer = "notices"

// Announce reads on in the changes, at most limit providers, and makes the notices that come of them. read counts the
// providers that it looked at, made the notices: with none read there is nothing left to announce.
func (s *Store) Announce(ctx context.Context, limit int) (read, made int, err error) {
	a := announcement{policies: s.config.Policies}
	err = s.read(ctx, "store.Announce", func(t *tx) error { return a.look(t, s.now(), limit) })
	if err != nil || a.cursor == a.from {
		return 0, 0, err
	}
	err = s.write(ctx, "store.Announce", func(w *work) error {
		var at int64
		if _, err := w.one(`SELECT seq FROM follower WHERE name = $1`, []any{noticer}, &at); err != nil {
			return err
		}
		if at != a.from { // another process was quicker
			a.notices = nil
			return nil
		}
		if _, err := w.exec(`INSERT INTO follower (name, seq) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`, noticer, a.cursor); err != nil {
			return err
		}
		if err := w.insert(`INSERT INTO notice (seq, id, type, provider, at, known, previous, previous_at, previous_known, merged_into, changes)`, a.notices, ""); err != nil {
			return err
		}
		return w.insert(`INSERT INTO announced (provider, seq, at, known, listed, doc)`, a.told,
			`ON CONFLICT (provider) DO UPDATE SET seq = excluded.seq, at = excluded.at, known = excluded.known, listed = excluded.listed, doc = excluded.doc`)
	})
	if err != nil {
		return 0, 0, err
	}
	return a.read, len(a.notices), nil
}

// announcement is what one step of Announce found.
type announcement struct {
	policies      directory.Policies
	from, cursor  int64
	read          int
	notices, told [][]any
}

// announced is what was last told of a provider.
type announced struct {
	directory.NoticeRef
	listed bool
	told   string
}

func (a *announcement) look(t *tx, now directory.Instant, limit int) error {
	if _, err := t.one(`SELECT seq FROM follower WHERE name = $1`, []any{noticer}, &a.from); err != nil {
		return err
	}
	a.cursor = a.from
	head, err := t.head()
	if err != nil || head.Public <= a.from {
		return err
	}
	// Of several changes of a provider the newest stands for all: whoever reads it sees what they made together.
	var ids []directory.ID
	seqs := map[directory.ID]int64{}
	err = t.each(`SELECT c.seq, c.provider FROM change c JOIN provider p ON p.id = c.provider AND p.seq = c.seq WHERE c.seq > $1 ORDER BY c.seq LIMIT $2`, []any{a.from, limit}, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&a.cursor, &id)
		ids, seqs[id] = append(ids, id), a.cursor
		return err
	})
	if err != nil {
		return err
	}
	if a.read = len(ids); a.read < limit {
		a.cursor = head.Public
	}
	files, err := t.publicFiles(ids)
	if err != nil {
		return err
	}
	public := make(map[directory.ID]*directory.CredentialFile, len(files))
	known := max(now, head.RecordedAt)
	for _, f := range files {
		if !hiddenWhole(f, now, known, a.policies) {
			public[f.Provider.ID] = f
		}
	}
	before, err := t.announced(ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		n := directory.Notice{ID: directory.NewID(directory.NoticePrefix, now), Number: seqs[id], Provider: id, At: now, Known: known}
		was := before[id]
		if was.Number != 0 {
			n.Previous = &was.NoticeRef
		}
		var telling directory.Telling
		if f := public[id]; f != nil {
			var checks map[directory.State][]directory.Check
			telling, checks = directory.Tell(f, now, known, a.policies)
			if n.Type = directory.NoticeListed; was.listed {
				n.Type = directory.NoticeStatus
				told, err := directory.ParseTelling(was.told)
				if err != nil {
					return err
				}
				if n.Changes = telling.Since(told, checks); len(n.Changes) == 0 {
					continue
				}
				n.Changes = n.Tellable(f, now, known, a.policies) // of what was taken back, not even that it was told
			}
		} else if was.listed {
			n.Type = directory.NoticeRemoved
			if n.MergedInto, err = t.goesOn(id); err != nil {
				return err
			}
		} else {
			continue
		}
		if err := a.add(n, telling); err != nil {
			return err
		}
	}
	return nil
}

// hiddenWhole reports that a takedown hides the whole file (see the provider's page).
func hiddenWhole(f *directory.CredentialFile, now, known directory.Instant, policies directory.Policies) bool {
	for _, h := range f.Claims {
		if h.Claim.Kind == directory.FileClaim && directory.Derive(h, now, known, policies).Status == directory.StatusWithdrawn {
			return true
		}
	}
	return false
}

func (a *announcement) add(n directory.Notice, t directory.Telling) error {
	var previous directory.NoticeRef
	if n.Previous != nil {
		previous = *n.Previous
	}
	changes := ""
	if len(n.Changes) > 0 {
		b, err := json.Marshal(n.Changes)
		if err != nil {
			return err
		}
		changes = string(b)
	}
	a.notices = append(a.notices, []any{n.Number, n.ID, n.Type, n.Provider, n.At, n.Known, previous.Number, previous.At, previous.Known, n.MergedInto, changes})
	a.told = append(a.told, []any{n.Provider, n.Number, n.At, n.Known, truth(t != nil), t.String()})
	return nil
}

func (t *tx) announced(ids []directory.ID) (map[directory.ID]announced, error) {
	out := map[directory.ID]announced{}
	err := t.eachIn(`SELECT provider, seq, at, known, listed, doc FROM announced WHERE provider IN (%s)`, nil, texts(ids), func(r *sql.Rows) error {
		var id directory.ID
		var x announced
		var listed int64
		err := r.Scan(&id, &x.Number, &x.At, &x.Known, &listed, &x.told)
		x.listed = listed != 0
		out[id] = x
		return err
	})
	return out, err
}

// goesOn returns under which id a provider goes on who was merged; "" of anybody else, and where nobody may see
// the survivor.
func (t *tx) goesOn(id directory.ID) (directory.ID, error) {
	into, err := t.survivor(id)
	if err != nil || into == id {
		return "", err
	}
	held, err := t.providers([]directory.ID{into})
	if h := held[into]; err != nil || h == nil || !h.public() {
		return "", err
	}
	return into, nil
}

const noticeColumns = `seq, id, type, provider, at, known, previous, previous_at, previous_known, merged_into, changes`

func scanNotice(r *sql.Rows) (n directory.Notice, err error) {
	var previous directory.NoticeRef
	var changes string
	if err := r.Scan(&n.Number, &n.ID, &n.Type, &n.Provider, &n.At, &n.Known, &previous.Number, &previous.At, &previous.Known, &n.MergedInto, &changes); err != nil {
		return n, err
	}
	if previous.Number != 0 {
		n.Previous = &previous
	}
	if changes != "" {
		err = decode(changes, &n.Changes)
	}
	return n, err
}

// tellable leaves of what a notice tells what may be told now.
func (s *Store) tellable(t *tx, n *directory.Notice) error {
	if len(n.Changes) == 0 {
		return nil
	}
	files, err := t.publicFiles([]directory.ID{n.Provider})
	if err != nil {
		return err
	}
	head, err := t.head()
	if err != nil {
		return err
	}
	now := s.now()
	known := max(now, head.RecordedAt)
	var f *directory.CredentialFile
	if len(files) == 1 && !hiddenWhole(files[0], now, known, s.config.Policies) {
		f = files[0]
	}
	n.Changes = n.Tellable(f, now, known, s.config.Policies)
	return nil
}

// unannounce destroys what was told of the providers: what is left says that there was something to tell.
func (w *work) unannounce(ids []directory.ID) error {
	if err := w.execIn(`UPDATE notice SET changes = '' WHERE provider IN (%s)`, nil, texts(ids)); err != nil {
		return err
	}
	return w.execIn(`UPDATE announced SET doc = '' WHERE provider IN (%s)`, nil, texts(ids))
}

package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"

	"kapdir/directory"
)

// File returns everything held about a provider with a public page, with the files of linked
// prescribers. A withdrawn provider is Gone; so is a merged one, whose file then holds nothing but
// MergedInto, the survivor. Any other id is NotFound.
func (s *Store) File(ctx context.Context, id directory.ID) (*directory.CredentialFile, error) {
	op := "store.File " + string(id)
	var out *directory.CredentialFile
	err := s.read(ctx, op, func(t *tx) error {
		held, err := t.load([]directory.ID{id})
		if err != nil {
			return err
		}
		h := held[id]
		switch {
		case h == nil:
			return directory.Errorf(directory.NotFound, "id", "there is no provider %s", id)
		case h.file.Provider.MergedInto != "":
			into, err := t.survivor(id)
			if err != nil {
				return err
			}
			out = &directory.CredentialFile{Provider: directory.Provider{ID: id, MergedInto: into}}
			return directory.Errorf(directory.Gone, "id", "%s was merged into %s", id, into)
		case h.file.Provider.Withdrawn:
			return directory.Errorf(directory.Gone, "id", "%s was withdrawn", id)
		case !h.public():
			return directory.Errorf(directory.NotFound, "id", "there is no provider %s", id)
		}
		out = &h.file
		return t.link([]*directory.CredentialFile{out})
	})
	return out, err
}

// Files returns the public files of the ids in the order asked for, with the files of linked
// prescribers; an id without a public file is left out, and one asked for twice is answered once. The
// files may be shared with other callers: they are to be read and not changed.
func (s *Store) Files(ctx context.Context, ids []directory.ID) ([]*directory.CredentialFile, error) {
	var out []*directory.CredentialFile
	err := s.read(ctx, "store.Files", func(t *tx) error {
		head, err := t.head()
		if err != nil {
			return err
		}
		found, missing := s.files.get(head.Seq, ids)
		if len(missing) > 0 {
			read, err := t.publicFiles(missing)
			if err != nil {
				return err
			}
			s.files.put(head.Seq, read)
			for _, f := range read {
				found[f.Provider.ID] = f
			}
		}
		for _, id := range ids {
			if f := found[id]; f != nil {
				out = append(out, f)
				delete(found, id)
			}
		}
		return nil
	})
	return out, err
}

// fileCache keeps the files read last, as long as nothing at all was written: whatever changes a file
// takes a number from head, in any process. So what it gives is what the tables hold.
type fileCache struct {
	mu    sync.Mutex
	seq   int64
	files map[directory.ID]*directory.CredentialFile
}

// mostFiles bounds the memory of the cache; a full one begins anew.
const mostFiles = 4096

// get returns the files that are known at the number, and the ids of which nothing is known.
func (c *fileCache) get(seq int64, ids []directory.ID) (found map[directory.ID]*directory.CredentialFile, missing []directory.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found = make(map[directory.ID]*directory.CredentialFile, len(ids))
	for _, id := range ids {
		if f := c.files[id]; f != nil && c.seq == seq {
			found[id] = f
		} else {
			missing = append(missing, id)
		}
	}
	return found, missing
}

func (c *fileCache) put(seq int64, files []*directory.CredentialFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seq < c.seq { // another reader has seen more
		return
	}
	if seq > c.seq || len(c.files)+len(files) > mostFiles {
		c.seq, c.files = seq, map[directory.ID]*directory.CredentialFile{}
	}
	for _, f := range files {
		c.files[f.Provider.ID] = f
	}
}

// EachFile calls f for every public file, in order of id, in pages: a provider that changes meanwhile is
// seen as it was or as it is. It ends with the first error of f.
func (s *Store) EachFile(ctx context.Context, f func(*directory.CredentialFile) error) error {
	after := ""
	for {
		var page []*directory.CredentialFile
		last := after
		err := s.read(ctx, "store.EachFile", func(t *tx) error {
			var ids []directory.ID
			err := t.each(`SELECT id FROM provider WHERE id > $1 ORDER BY id LIMIT 200`, []any{after}, func(r *sql.Rows) error {
				var id directory.ID
				err := r.Scan(&id)
				ids, last = append(ids, id), string(id)
				return err
			})
			if err != nil {
				return err
			}
			page, err = t.publicFiles(ids)
			return err
		})
		if err != nil {
			return err
		}
		for _, file := range page {
			if err := f(file); err != nil {
				return err
			}
		}
		if last == after {
			return nil
		}
		after = last
	}
}

// Listed returns the ids of all providers with a public page, in order.
func (s *Store) Listed(ctx context.Context) ([]directory.ID, error) {
	var out []directory.ID
	err := s.read(ctx, "store.Listed", func(t *tx) error {
		return t.each(`SELECT id FROM provider WHERE listed = 1 AND withdrawn = 0 AND merged_into = '' ORDER BY id`, nil, func(r *sql.Rows) error {
			var id directory.ID
			err := r.Scan(&id)
			out = append(out, id)
			return err
		})
	})
	return out, err
}

// Changes returns the providers whose newest number is greater than after, by that number, at most
// limit of them. The File of one that is withdrawn, merged or no longer public is nil.
func (s *Store) Changes(ctx context.Context, after int64, limit int) ([]directory.Change, error) {
	page, err := s.ChangePage(ctx, after, limit)
	return page.Changes, err
}

// ChangePage returns the same with the head of the same snapshot and the number to go on from. It names nobody
// who never had a public page.
func (s *Store) ChangePage(ctx context.Context, after int64, limit int) (directory.ChangePage, error) {
	var page directory.ChangePage
	err := s.read(ctx, "store.ChangePage", func(t *tx) (err error) {
		if page.Head, err = t.head(); err != nil {
			return err
		}
		var ids []directory.ID
		err = t.each(`SELECT seq, id, merged_into FROM provider WHERE seq > $1 ORDER BY seq LIMIT $2`, []any{after, limit + 1}, func(r *sql.Rows) error {
			var c directory.Change
			err := r.Scan(&c.Seq, &c.Provider, &c.MergedInto)
			page.Changes, ids = append(page.Changes, c), append(ids, c.Provider)
			return err
		})
		if err != nil {
			return err
		}
		if page.Next = max(after, page.Head.Public); len(ids) > limit {
			page.Changes, ids, page.More = page.Changes[:limit], ids[:limit], true
			page.Next = page.Changes[limit-1].Seq
		}
		files, err := t.publicFiles(ids)
		if err != nil {
			return err
		}
		at := make(map[directory.ID]int, len(ids))
		for i, id := range ids {
			at[id] = i
		}
		for _, f := range files {
			page.Changes[at[f.Provider.ID]].File = f
		}
		return nil
	})
	return page, err
}

// TakenBack reports whether, since a number, anything was taken back that public faces had shown: somebody was
// withdrawn or removed, two were merged or parted, a statement was voided or corrected, or a person found that a record
// is of somebody else. A copy of what was public before then must not be shown any more (contracts.md §6).
func (s *Store) TakenBack(ctx context.Context, after int64) (bool, error) {
	found := false
	err := s.read(ctx, "store.TakenBack", func(t *tx) error {
		reviewed := false
		err := t.each(`SELECT DISTINCT why FROM change WHERE seq > $1`, []any{after}, func(r *sql.Rows) error {
			var why string
			err := r.Scan(&why)
			switch why {
			case string(directory.Takedown), string(directory.Void), string(directory.Correct), "removal", "merged", "unmerged":
				found = true
			case string(directory.Review):
				reviewed = true
			}
			return err
		})
		if err != nil || found || !reviewed {
			return err
		}
		return t.each(`SELECT payload FROM event_payload WHERE seq > $1 AND claim IN (SELECT c.id FROM claim c JOIN change g ON g.provider = c.provider
			WHERE g.seq > $1 AND g.why = 'review')`, []any{after}, func(r *sql.Rows) error {
			var payload string
			if err := r.Scan(&payload); err != nil || payload == "" {
				return err
			}
			var e directory.Event
			err := decode(payload, &e)
			found = found || e.Type == directory.Review && e.Body.Decision == "clear"
			return err
		})
	})
	return found, err
}

// Head returns the newest number, when it was given, and the newest at which a public face could have
// changed. A moment of knowledge is never earlier than Head.RecordedAt.
func (s *Store) Head(ctx context.Context) (directory.Head, error) {
	var h directory.Head
	err := s.glance(ctx, "store.Head", func(t *tx) (err error) {
		h, err = t.head()
		return err
	})
	return h, err
}

// stored is a provider's file as it lies in the tables.
type stored struct {
	file    directory.CredentialFile
	doc     string // the JSON as stored
	listed  bool
	until   directory.Instant
	moments string // as in the table; see the type

	described string // as in the table: what the provider is compared by
}

// public reports whether the provider has a public page.
func (h *stored) public() bool {
	p := &h.file.Provider
	return h.listed && !p.Withdrawn && p.MergedInto == ""
}

// load reads providers with their claims and events; those that are not there are missing from the map.
func (t *tx) load(ids []directory.ID) (map[directory.ID]*stored, error) {
	out, err := t.providers(ids)
	if err != nil || len(out) == 0 {
		return out, err
	}
	var claims []string
	owner := map[directory.ID]*directory.History{}
	err = t.claims(keysOf(out), ``, nil, func(c directory.Claim) {
		h := out[c.Provider]
		h.file.Claims = append(h.file.Claims, directory.History{Claim: c})
		claims = append(claims, string(c.ID))
	})
	if err != nil {
		return nil, err
	}
	for _, h := range out {
		for i := range h.file.Claims {
			owner[h.file.Claims[i].Claim.ID] = &h.file.Claims[i]
		}
	}
	if err := t.events(claims, func(claim directory.ID) *directory.History { return owner[claim] }); err != nil {
		return nil, err
	}
	for _, h := range out {
		h.file.Claims = directory.Unify(h.file.Claims)
	}
	return out, nil
}

// events reads the events of claims, by their numbers, into the histories.
func (t *tx) events(claims []string, of func(directory.ID) *directory.History) error {
	type row struct {
		claim   directory.ID
		payload string
	}
	rows, err := rowsOnce(t, `SELECT claim, payload FROM event_payload WHERE claim IN (%s) ORDER BY seq`, claims, func(r *sql.Rows) (x row, err error) {
		err = r.Scan(&x.claim, &x.payload)
		return x, err
	})
	for _, x := range rows {
		if err == nil {
			err = addEvent(of(x.claim), x.payload)
		}
	}
	return err
}

// addEvent adds an event as the table holds it to the history of its claim.
func addEvent(h *directory.History, payload string) error {
	h.Events = append(h.Events, directory.Event{})
	if err := decode(payload, &h.Events[len(h.Events)-1]); err != nil {
		return directory.Errorf(directory.Internal, "", "an event of claim %s cannot be read: run kapdir fsck: %w", h.Claim.ID, err)
	}
	return nil
}

// providers reads providers alone.
func (t *tx) providers(ids []directory.ID) (map[directory.ID]*stored, error) {
	type row struct {
		stored                 // but for the file
		id, merged             directory.ID
		listed, withdrawn, seq int64
	}
	out := make(map[directory.ID]*stored, len(ids))
	rows, err := rowsOnce(t, `SELECT p.id, f.doc, p.listed, p.withdrawn, p.merged_into, p.seq, p.valid_until, p.moments, f.subject
		FROM provider p JOIN provider_facts f ON f.id = p.id WHERE p.id IN (%s)`, texts(ids), func(r *sql.Rows) (x row, err error) {
		err = r.Scan(&x.id, &x.doc, &x.listed, &x.withdrawn, &x.merged, &x.seq, &x.until, &x.moments, &x.described)
		return x, err
	})
	for _, x := range rows {
		h := x.stored
		p := &h.file.Provider
		if err := decode(h.doc, p); err != nil {
			return out, directory.Errorf(directory.Internal, "", "provider %s cannot be read: run kapdir fsck: %w", x.id, err)
		}
		p.ID, p.Withdrawn, p.MergedInto, p.Seq = x.id, x.withdrawn != 0, x.merged, x.seq
		h.listed = x.listed != 0
		out[x.id] = &h
	}
	return out, err
}

const claimColumns = `id, provider, home, kind, issuer, jurisdiction, title, number_raw, number_shown, number_key, other, created`

// scanClaim reads the columns of a claim and those that follow them.
func scanClaim(r *sql.Rows, more ...any) (c directory.Claim, err error) {
	err = r.Scan(append([]any{&c.ID, &c.Provider, &c.Home, &c.Kind, &c.Issuer, &c.Jurisdiction, &c.Title, &c.Number.Raw, &c.Number.Shown, &c.Number.Key, &c.Other, &c.Created}, more...)...)
	if c.Home == c.Provider {
		c.Home = ""
	}
	return c, err
}

// claims calls f for each claim of the providers that fulfils the condition, which is SQL; "" is all.
func (t *tx) claims(providers []directory.ID, condition string, args []any, f func(directory.Claim)) error {
	if condition == "" {
		rows, err := rowsOnce(t, `SELECT `+claimColumns+` FROM claim WHERE provider IN (%s)`, texts(providers), func(r *sql.Rows) (directory.Claim, error) { return scanClaim(r) })
		for _, c := range rows {
			f(c)
		}
		return err
	}
	return t.eachIn(`SELECT `+claimColumns+` FROM claim WHERE provider IN (%s) `+condition, args, texts(providers), func(r *sql.Rows) error {
		c, err := scanClaim(r)
		f(c)
		return err
	})
}

// publicFiles reads the public files among ids, in their order, with linked prescribers.
func (t *tx) publicFiles(ids []directory.ID) ([]*directory.CredentialFile, error) {
	held, err := t.load(ids)
	if err != nil {
		return nil, err
	}
	out := make([]*directory.CredentialFile, 0, len(held))
	for _, id := range ids {
		if h := held[id]; h != nil && h.public() {
			out = append(out, &h.file)
			delete(held, id) // an id asked for twice is answered once
		}
	}
	return out, t.link(out)
}

// link adds the files of those whom the claims name, and of those whom theirs name in agreements.
func (t *tx) link(files []*directory.CredentialFile) error {
	held := map[directory.ID]*stored{}
	next := files
	for range 2 {
		var ids []directory.ID
		for _, f := range next {
			for _, id := range f.Others() {
				if held[id] == nil && !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
		if len(ids) == 0 {
			break
		}
		slices.Sort(ids)
		more, err := t.load(ids)
		if err != nil {
			return err
		}
		into := map[directory.ID]directory.ID{} // of those who were merged
		for id, h := range more {
			if h.file.Provider.MergedInto == "" {
				continue
			}
			if into[id], err = t.survivor(id); err != nil {
				return err
			}
			if more[into[id]] == nil && held[into[id]] == nil {
				survivors, err := t.load([]directory.ID{into[id]})
				if err != nil {
					return err
				}
				maps.Copy(more, survivors)
			}
		}
		next = nil
		for id, h := range more {
			held[id] = h
			next = append(next, &h.file)
		}
		for id, survivor := range into {
			held[id] = held[survivor]
		}
	}
	for _, f := range files {
		f.Link(func(id directory.ID) *directory.CredentialFile {
			if h := held[id]; h != nil && h.public() {
				return &h.file
			}
			return nil
		})
	}
	return nil
}

func (t *tx) head() (directory.Head, error) {
	return once(t, "head", func() (h directory.Head, err error) {
		var ms int64
		found, err := t.one(`SELECT seq, recorded_ms, public_seq FROM head`, nil, &h.Seq, &ms, &h.Public)
		if err == nil && !found {
			err = directory.Errorf(directory.Internal, "", "the head of the store is missing: run kapdir fsck")
		}
		h.RecordedAt = instant(ms)
		return h, err
	})
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

func keysOf[V any](m map[directory.ID]V) []directory.ID {
	out := make([]directory.ID, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

package store

import (
	"context"
	"database/sql"
	"slices"

	"kapdir/directory"
)

// Past returns a provider's file as it was known at a moment, with those linked as they were then, whoever has been
// withdrawn, merged or parted since: for an auditor. Facts are those of today, which are not kept by date. Without a
// moment it is that of now.
func (s *Store) Past(ctx context.Context, id directory.ID, known directory.Instant) (out directory.Past, err error) {
	err = s.read(ctx, "store.Past", func(t *tx) error {
		p := past{t: t, s: s, known: known, files: map[directory.ID]*pastFile{}}
		f, err := p.file(id)
		if err != nil {
			return err
		}
		if f == nil {
			return notFoundOr(nil, "provider", id)
		}
		out = directory.Past{File: &f.file, Listed: f.listed, MergedInto: f.into, Parts: f.parts}
		var n int
		if _, err := t.one(`SELECT count(*) FROM removal WHERE provider = $1 AND kind = 'removal' AND state IN ('proven', 'accepted')`, []any{id}, &n); err != nil {
			return err
		}
		out.Destroyed = n > 0
		var failed error
		find := func(id directory.ID) *directory.CredentialFile {
			f, err := p.file(id)
			if err == nil && f != nil && f.into != "" {
				f, err = p.file(f.into)
			}
			if err != nil {
				failed = err
			}
			if f == nil || !f.listed || f.withdrawn {
				return nil
			}
			return &f.file
		}
		out.File.Link(find)
		return failed
	})
	return out, err
}

// past reads files as they were known at a moment.
type past struct {
	t     *tx
	s     *Store
	known directory.Instant
	files map[directory.ID]*pastFile
	pairs [][2]directory.ID // of whom somebody said that they are one; nil is not read yet
}

type pastFile struct {
	file      directory.CredentialFile
	listed    bool
	withdrawn bool
	into      directory.ID   // who stood for them
	parts     []directory.ID // for whom besides they stood
}

// file returns the file of a provider, nil if there is none of that id.
func (p *past) file(id directory.ID) (*pastFile, error) {
	if f, ok := p.files[id]; ok {
		return f, nil
	}
	cluster, err := p.cluster(id)
	if err != nil {
		return nil, err
	}
	held, err := p.t.providers(slices.Clone(cluster))
	if err != nil || held[id] == nil {
		return nil, err
	}
	made := map[directory.ID][]directory.Claim{} // by whom they were made for
	var claims []string
	err = p.t.claims(cluster, ``, nil, func(c directory.Claim) {
		home := c.Provider
		if c.Home != "" {
			home = c.Home
		}
		made[home] = append(made[home], c)
		claims = append(claims, string(c.ID))
	})
	if err != nil {
		return nil, err
	}
	events := map[directory.ID]*directory.History{}
	for _, c := range claims {
		events[directory.ID(c)] = &directory.History{}
	}
	if err := p.t.events(claims, func(claim directory.ID) *directory.History { return events[claim] }); err != nil {
		return nil, err
	}
	root := joined(cluster, made, events, p.known)
	for _, of := range cluster {
		if held[of] == nil {
			continue
		}
		f := &pastFile{file: held[of].file, listed: held[of].listed}
		f.file.Provider.Withdrawn, f.file.Provider.MergedInto = false, ""
		if root[of] != of {
			f.into = root[of]
		}
		for _, from := range cluster {
			if f.into != "" && from != of || f.into == "" && root[from] != of { // whoever is merged keeps their own, to be told of
				continue
			}
			if from != of {
				f.parts = append(f.parts, from)
			}
			for _, c := range made[from] {
				if c.Created > p.known && p.known != "" {
					continue
				}
				if c.Provider, c.Home = of, ""; from != of {
					c.Home = from
				}
				f.file.Claims = append(f.file.Claims, directory.History{Claim: c, Events: events[c.ID].Events})
			}
		}
		f.file.Claims = directory.Unify(f.file.Claims)
		at := p.known
		for _, h := range f.file.Claims {
			if h.Claim.Kind == directory.FileClaim && directory.Derive(h, at, at, p.s.config.Policies).Status == directory.StatusWithdrawn {
				f.withdrawn = true
			}
		}
		p.files[of] = f
	}
	return p.files[id], nil
}

// cluster returns everybody with whom the provider is one, or was.
func (p *past) cluster(id directory.ID) ([]directory.ID, error) {
	if p.pairs == nil {
		p.pairs = [][2]directory.ID{}
		err := p.t.each(`SELECT c.provider, e.payload FROM claim c JOIN event_payload e ON e.claim = c.id
			WHERE c.kind = 'credential_file' AND e.payload LIKE '%"decision":"same"%'`, nil, func(r *sql.Rows) error {
			var owner directory.ID
			var payload string
			var e directory.Event
			if err := r.Scan(&owner, &payload); err != nil {
				return err
			}
			if err := decode(payload, &e); err != nil {
				return err
			}
			if e.Type == directory.Decide && e.Body.Decision == string(directory.Same) && e.Body.Other != "" {
				p.pairs = append(p.pairs, [2]directory.ID{owner, e.Body.Other})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	all := []directory.ID{id}
	add := func(id directory.ID) {
		if !slices.Contains(all, id) {
			all = append(all, id)
		}
	}
	for i := 0; i < len(all); i++ {
		of := all[i]
		root, err := p.t.survivor(of)
		if err != nil {
			return nil, err
		}
		add(root)
		merged, err := p.t.withMerged([]directory.ID{of})
		if err != nil {
			return nil, err
		}
		for _, x := range merged {
			add(x)
		}
		for _, pair := range p.pairs {
			if pair[0] == of || pair[1] == of {
				add(pair[0])
				add(pair[1])
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// joined says of each of a cluster who stood for them, by what had been decided by the moment: two people who say that
// two are one join them, and whoever takes one of the words back parts them: see pairOf.
func joined(cluster []directory.ID, made map[directory.ID][]directory.Claim, events map[directory.ID]*directory.History, known directory.Instant) map[directory.ID]directory.ID {
	type word struct {
		directory.Event
		home directory.ID // in whose file it stands
	}
	var words []word
	parted := map[string]int64{} // by the row that was decided about: since when words count
	row := func(e directory.Event) string { return e.Body.Source + "\x00" + e.Body.Number }
	for home, claims := range made {
		for _, c := range claims {
			if c.Kind != directory.FileClaim {
				continue
			}
			h := *events[c.ID]
			for _, e := range h.InEffect("9999", known) {
				if e.Type == directory.Decide {
					words = append(words, word{e, home})
				}
			}
			for _, e := range h.Events {
				if of := h.Event(e.Supersedes); e.Type == directory.Void && e.RecordedAt <= known && of != nil && of.Body.Decision == string(directory.Same) {
					parted[row(*of)] = max(parted[row(*of)], e.Seq)
				}
			}
		}
	}
	slices.SortFunc(words, func(a, b word) int { return int(a.Seq - b.Seq) })
	type said struct {
		by   []string
		pair []directory.ID
	}
	about := map[string]*said{}
	for _, w := range words {
		key := row(w.Event)
		switch {
		case w.Seq < parted[key]:
		case w.Body.Decision == string(directory.Distinct):
			delete(about, key)
		case w.Body.Decision == string(directory.Same) && w.Body.Other != "":
			x := about[key]
			if x == nil {
				x = &said{}
				about[key] = x
			}
			if !slices.Contains(x.by, w.Actor.ID) {
				x.by = append(x.by, w.Actor.ID)
			}
			for _, id := range []directory.ID{w.home, w.Body.Other} { // the second word stands in the survivor's file
				if !slices.Contains(x.pair, id) && len(x.pair) < 2 {
					x.pair = append(x.pair, id)
				}
			}
		}
	}
	root := map[directory.ID]directory.ID{}
	for _, id := range cluster {
		root[id] = id
	}
	for again := true; again; {
		again = false
		for _, x := range about {
			if len(x.by) < 2 || len(x.pair) < 2 {
				continue
			}
			a, b := x.pair[0], x.pair[1]
			if low := min(root[a], root[b]); root[a] != low || root[b] != low {
				root[a], root[b], again = low, low, true
			}
		}
	}
	return root
}

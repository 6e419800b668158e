package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"kapdir/directory"
)

// importListings writes records that make public pages: each is joined to the provider it speaks of, or
// makes one.
func (w *work) importListings(rel directory.Release, rows []*row, before map[string]*row) error {
	var blocks []string
	for _, r := range rows {
		if r.kind != "listing" {
			return directory.Errorf(directory.Invalid, "record", "a listing source brings listings alone: %s is a %s", r.key, r.kind)
		}
		blocks = append(blocks, cleaned(r.subject.Blocks())...)
		for _, x := range r.record.Listing.Prescribers {
			blocks = append(blocks, cleaned(directory.Listing{Kind: directory.Person, Name: x.Name, NPI: x.NPI, Licences: x.Licences}.Subject().Blocks())...)
		}
	}
	known, err := w.around(blocks, false)
	if err != nil {
		return err
	}
	for _, r := range rows {
		old := before[r.key]
		if old != nil && old.provider != "" {
			run, err := w.runNumber(old.run)
			if err != nil {
				return err
			}
			if rel.AsOf < run.Release.AsOf { // an older reading never undoes a newer one; it says since when there is the page
				if old.hash != r.hash { // the same content counts as unchanged anyway
					w.older++
				}
				if err := w.noteSince(r, rel); err != nil {
					return err
				}
				h, err := w.holdOne(old.provider)
				if err != nil {
					return err
				}
				if err := w.recompose(h); err != nil {
					return err
				}
				continue
			}
		}
		fewer, err := w.redact(r)
		if err != nil {
			return err
		}
		held, err := w.withheld(r, old)
		if err != nil {
			return err
		}
		if held {
			continue
		}
		said, err := w.saidBefore(old)
		if err != nil {
			return err
		}
		h, err := w.list(r, rel, old, known)
		if err != nil {
			return err
		}
		now, err := w.assert(h, r, rel, known)
		if err != nil {
			return err
		}
		if err := w.takeBack(r, rel, said, h, now); err != nil {
			return err
		}
		if fewer {
			if err := w.dropMentions(r.source, r.key, len(r.record.Listing.Prescribers), r, rel, r.evidence); err != nil {
				return err
			}
		}
	}
	return nil
}

// list writes one listing, joined to its provider, and composes the provider's facts anew.
func (w *work) list(r *row, rel directory.Release, old *row, known *neighbours) (*holding, error) {
	h, duplicates, err := w.place(r, old, known)
	if err != nil {
		return nil, err
	}
	was := r.provider
	if err := w.noteSince(r, rel); err != nil {
		return nil, err
	}
	r.provider, r.rung = h.id(), directory.M5                 // the page is theirs; how it was found is in the case
	if old == nil || old.hash != r.hash || r.evidence == "" { // the same page again is no more evidence than before
		r.evidence = w.keep(w.recordEvidence(r, rel))
	}
	if err := w.writeRows([]*row{r}, map[string]*row{r.key: old}); err != nil {
		return nil, err
	}
	if w.back == r {
		w.speaks(h, r, rel, r.evidence, "", r.record.Listing.Name)
	}
	for _, c := range duplicates {
		w.openCase(directory.Case{Kind: directory.CaseDuplicate, Provider: c.id, Source: r.source, Key: r.key, Match: c.match}, nil)
	}
	if was != "" && was != h.id() {
		left, err := w.holdOne(was)
		if err != nil {
			return nil, err
		}
		if err := w.recompose(left); err != nil {
			return nil, err
		}
	}
	return h, w.recompose(h)
}

// place finds the provider a listing speaks of: the one it spoke of before, also before the page had gone, or
// the one whom it matches for sure, or a new one. What may be a duplicate of the new one is returned for a person to see.
func (w *work) place(r *row, old *row, known *neighbours) (*holding, []candidate, error) {
	subject := r.record.Subject()
	if old != nil && old.provider != "" {
		// A page whose address now shows somebody else no longer speaks of the provider.
		if m := directory.MatchSubjects(subject, old.record.Subject()); m.Rung != directory.M0 {
			h, err := w.holdOne(old.provider)
			return h, nil, err
		}
	}
	if old == nil {
		h, err := w.returned(r, subject)
		if h != nil || err != nil {
			return h, nil, err
		}
	}
	found := w.candidates(subject, known, false)
	of := func(id directory.ID) directory.Subject {
		if h := w.held[id]; h != nil {
			return h.subject()
		}
		return known.subjects[id]
	}
	var sure, perhaps []candidate
	for _, c := range found {
		switch c.match.Rung {
		case directory.M5, directory.M4:
			sure = append(sure, c)
		case directory.M3:
			perhaps = append(perhaps, c)
		case directory.M2:
			if shareState(subject, of(c.id)) {
				perhaps = append(perhaps, c)
			}
		}
	}
	if len(sure) == 1 || len(sure) > 1 && better(sure[0], sure[1]) {
		h, err := w.holdOne(sure[0].id)
		return h, nil, err
	}
	id := directory.NewID(directory.ProviderPrefix, w.now)
	h := &holding{made: true}
	h.file.Provider.ID = id
	h.listed = true
	w.held[id] = h
	w.order = append(w.order, h)
	// The screens are there from the start, so that a claim's being there says nothing about the answer.
	for _, list := range w.s.config.Policies.InForce(w.now, w.now).AllScreens() {
		w.claim(h, directory.Claim{Kind: directory.ExclusionScreen, Issuer: list})
	}
	return h, append(sure, likeliest(subject, perhaps, of)...), nil
}

// better reports that one sure match is surer than the next: by its rung, or by more identifiers.
func better(a, b candidate) bool {
	return a.match.Rung != b.match.Rung || len(a.match.By) > len(b.match.By)
}

func shareState(a, b directory.Subject) bool {
	return slices.ContainsFunc(a.States, func(s directory.State) bool { return slices.Contains(b.States, s) })
}

// prescriberKey is the key of what a page says of the n-th prescriber it names.
func prescriberKey(key string, n int) string { return fmt.Sprintf("%s#prescriber-%d", key, n) }

// ofPrescriber reports such a key.
func ofPrescriber(key string) bool { return strings.Contains(key, "#prescriber-") }

// assert appends what a listing claims that it did not claim before, and returns the claims that it states.
func (w *work) assert(h *holding, r *row, rel directory.Release, known *neighbours) (now []directory.ID, err error) {
	n := 0
	for _, st := range r.record.Listing.Assertions() {
		if st.Self {
			st.Claim.Other, st.Body.Prescriber = h.id(), h.id()
		}
		if st.Prescriber != nil {
			n++
			prescriber, err := w.prescriber(r, rel, prescriberKey(r.key, n), *st.Prescriber, known)
			if err != nil {
				return nil, err
			}
			if prescriber == nil {
				continue // nothing in the words says who it is
			}
			st.Claim.Other, st.Body.Prescriber = prescriber.id(), prescriber.id()
		}
		i := w.claim(h, st.Claim)
		now = append(now, h.file.Claims[i].Claim.ID)
		if stated(h.file.Claims[i].Events, st.Body) {
			continue
		}
		w.append(h, i, directory.Event{Type: st.Type, PerformedAt: w.now, Actor: w.s.config.Tool, Evidence: []string{r.evidence}, Body: st.Body}, true)
	}
	return now, nil
}

// stated reports that the newest assertion of the same source and class says the same.
func stated(events []directory.Event, b directory.Body) bool {
	for _, e := range slices.Backward(events) {
		if e.Type == directory.Assert && e.Body.Source == b.Source && e.Body.Class == b.Class {
			return sameBody(e.Body, b)
		}
	}
	return false
}

// prescriber writes what a page says of a prescriber as a listing of its own, and returns the provider it
// speaks of; nil when it names nobody.
func (w *work) prescriber(of *row, rel directory.Release, key string, x directory.ListedPrescriber, known *neighbours) (*holding, error) {
	if x.Name.IsZero() && x.NPI == "" && len(x.Licences) == 0 {
		return nil, nil
	}
	listing := directory.Listing{Kind: directory.Person, ListedAs: directory.AsPrescriber, Name: x.Name, NPI: x.NPI, Licences: x.Licences, Sites: x.Sites,
		Origin: of.record.Listing.Origin}
	r, err := prepare(directory.Record{Source: of.source, Key: key, Line: of.line, Listing: &listing}, rel, of.run)
	if err != nil {
		return nil, err
	}
	held, err := w.heads(r.source, []string{r.key})
	if err != nil {
		return nil, err
	}
	old := held[r.key]
	if old != nil {
		r.provider, r.evidence = old.provider, old.evidence
	}
	if held, err := w.withheld(r, old); held || err != nil {
		return nil, err
	}
	said, err := w.saidBefore(old)
	if err != nil {
		return nil, err
	}
	h, err := w.list(r, rel, old, known)
	if err != nil {
		return nil, err
	}
	now, err := w.assert(h, r, rel, known)
	if err != nil {
		return nil, err
	}
	return h, w.takeBack(r, rel, said, h, now)
}

// recompose makes the provider's facts anew from every listing and NPPES record that speaks of them. Of whom
// no listing speaks any more keeps facts and history, and loses the public page (contracts.md §1); a listing
// that speaks of them again gives it back. What sources of one class state differently opens a case.
func (w *work) recompose(h *holding) error {
	rows, err := w.rows(`WHERE provider <> '' AND provider IN (%s) AND kind IN ('listing', 'identity')`, nil, []string{string(h.id())})
	if err != nil {
		return err
	}
	npi := h.subject().NPI
	h.identities, h.prepared = nil, nil
	slices.SortFunc(rows, func(a, b *row) int { return cmp.Or(strings.Compare(a.source, b.source), strings.Compare(a.key, b.key)) })
	for _, r := range rows {
		if r.kind == "identity" {
			h.identities = append(h.identities, linkedIdentity{r.record, r.rung})
		}
	}
	if h.subject().NPI != npi { // an import that holds them in memory is to hear of it
		h.change("facts")
	}
	since, err := w.sinces([]directory.ID{h.id()})
	if err != nil {
		return err
	}
	next, differ, ok := compose(h, rows, since)
	if listed := ok || h.file.Provider.Claimed || h.file.Provider.MergedInto != ""; listed != h.listed {
		h.listed = listed
		h.change("listed")
		h.matched = "" // who comes back is compared with all that was loaded meanwhile
	}
	if !ok {
		return nil
	}
	if err := w.differ(h, differ); err != nil {
		return err
	}
	if next.Affiliations, err = w.affiliations(rows); err != nil {
		return err
	}
	before, err := document(h.file.Provider)
	if err != nil {
		return err
	}
	after, err := document(next)
	if err != nil {
		return err
	}
	h.file.Provider, h.prepared = next, nil
	if after != before {
		h.change("facts")
	}
	for _, b := range cleaned(h.ready().Blocks()) {
		if !slices.Contains(w.byBlock[b], h.id()) {
			w.byBlock[b] = append(w.byBlock[b], h.id())
		}
	}
	return nil
}

// compose makes a provider's facts from the rows that speak of them, in order of source and key, and from what
// people took of them. It keeps what no listing says: the id, whether they have joined, and their number. ok is
// false when no listing is among the rows.
func compose(h *holding, rows []*row, since map[keptRow]directory.Date) (next directory.Provider, differ []directory.Difference, ok bool) {
	p := h.file.Provider
	taken := h.taken()
	var all []directory.Said
	for _, r := range rows {
		if r.kind == "listing" {
			k := keptRow{r.source, r.key}
			all = append(all, directory.Said{Listing: *r.record.Listing, Key: r.key, Mention: ofPrescriber(r.key), Since: since[k], Taken: taken[k]})
		}
	}
	if len(all) == 0 {
		return p, nil, false
	}
	next, differ = directory.Compose(all)
	next.ID, next.Claimed, next.Withdrawn, next.MergedInto, next.Seq = p.ID, p.Claimed, p.Withdrawn, p.MergedInto, p.Seq
	for _, r := range rows {
		if r.kind == "identity" && next.Kind == directory.Person {
			i := r.record.Identity
			if r.rung == directory.M5 && slices.ContainsFunc(i.Others, func(o directory.OtherName) bool { return o.Type == "1" && sameName(o.Name, next.Name) }) {
				// The listing still has the name that the registry calls former: people are shown by the one they use now.
				was := next.Name
				next.Name = i.Name
				next.Name.Credentials, next.Name.Other = was.Credentials, was.Other
				next.Origins["name"] = directory.Origin{Source: r.source, AsOf: i.Updated}
				next.Former = formerName(next, was)
			}
			next.Former = formerName(next, i.Name)
			for _, o := range i.Others {
				next.Former = formerName(next, o.Name)
			}
		}
	}
	sites := slices.Clone(next.Sites)
	for i := range sites {
		sites[i].Point = nil
		if place, ok := directory.Tables().PlaceOfZIP(sites[i].Address.ZIP5()); ok {
			point := place.Point
			sites[i].Point = &point
		}
	}
	next.Sites = sites
	return next, differ, true
}

// sameName compares given and family name; middle names come and go.
func sameName(a, b directory.Name) bool {
	return directory.Fold(a.Given) == directory.Fold(b.Given) && directory.Fold(a.Family) == directory.Fold(b.Family)
}

// formerName adds a name to match against, unless the provider is known by it already.
func formerName(p directory.Provider, n directory.Name) []directory.Name {
	folded := directory.FoldName(n)
	if n.IsZero() || folded == directory.FoldName(p.Name) ||
		slices.ContainsFunc(p.Former, func(have directory.Name) bool { return directory.FoldName(have) == folded }) {
		return p.Former
	}
	return append(slices.Clip(p.Former), n)
}

// affiliations resolves where the listings say that somebody works: a key of the same source, or the name
// of one organisation that it lists.
func (w *work) affiliations(rows []*row) ([]directory.Affiliation, error) {
	var out []directory.Affiliation
	for _, r := range rows {
		if r.kind != "listing" {
			continue
		}
		for _, place := range r.record.Listing.WorksAt {
			found, err := w.rows(`WHERE source = $1 AND key IN (%s) AND kind = 'listing'`, []any{r.source}, []string{clean(place)})
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				blocks := directory.Subject{Organisations: []string{place}}.Blocks()
				if found, err = w.rowsOf(blocks, r.source); err != nil {
					return nil, err
				}
			}
			who := map[directory.ID]*row{}
			for _, f := range found {
				if f.provider != "" && f.record.Listing != nil && f.record.Listing.Kind == directory.Organisation {
					who[f.provider] = f
				}
			}
			if len(who) != 1 {
				continue // nobody, or nobody knows which
			}
			for id, f := range who {
				a := directory.Affiliation{Provider: id, Name: f.record.Listing.Organisation, Role: "works_at", Origin: r.record.Listing.Origin}
				if !slices.ContainsFunc(out, func(have directory.Affiliation) bool { return have.Provider == id }) {
					out = append(out, a)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b directory.Affiliation) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// placesOfWork resolves the places of work of every listing of the source: the organisation may come
// after the person.
func (s *Store) placesOfWork(ctx context.Context, op string, o *openRun) error {
	after := ""
	for {
		n := 0
		done := o.run
		err := s.writeBehind(ctx, op, func(w *work) error {
			var keys []string
			err := w.each(`SELECT key FROM source_block WHERE block = $1 AND source = $2 AND key > $3 ORDER BY key LIMIT $4`,
				[]any{worksBlock, o.run.Release.Source, after, s.first}, func(r *sql.Rows) error {
					var key string
					err := r.Scan(&key)
					keys = append(keys, key)
					return err
				})
			if n = len(keys); err != nil || n == 0 {
				return err
			}
			rows, err := w.rows(`WHERE source = $1 AND key IN (%s)`, []any{o.run.Release.Source}, keys)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if r.provider == "" {
					continue
				}
				h, err := w.holdOne(r.provider)
				if err != nil {
					return err
				}
				if err := w.recompose(h); err != nil {
					return err
				}
			}
			after = keys[n-1]
			done.Events += len(w.events)
			return w.updateRun(done)
		})
		if err != nil || n == 0 {
			return err
		}
		o.run = done
		s.committed()
	}
}

// listingsOf reads what speaks of a provider, in order of source and key.
func (t *tx) listingsOf(ids []directory.ID) (map[directory.ID][]*row, error) {
	out := map[directory.ID][]*row{}
	err := t.eachIn(`SELECT provider, source, key, kind, rung, doc FROM source_record WHERE provider <> '' AND provider IN (%s) AND kind IN ('listing', 'identity')`,
		nil, texts(ids), func(s *sql.Rows) error {
			r := &row{}
			if err := s.Scan(&r.provider, &r.source, &r.key, &r.kind, &r.rung, &r.doc); err != nil {
				return err
			}
			if err := decode(r.doc, &r.record); err != nil {
				return err
			}
			out[r.provider] = append(out[r.provider], r)
			return nil
		})
	for _, rows := range out {
		slices.SortFunc(rows, func(a, b *row) int { return cmp.Or(strings.Compare(a.source, b.source), strings.Compare(a.key, b.key)) })
	}
	return out, err
}

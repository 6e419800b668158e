package store

import (
	"database/sql"
	"encoding/json"
	"slices"

	"kapdir/directory"
)

// keptRow names a row of a source.
type keptRow struct{ Source, Key string }

// kept is what a merge notes, so that it can be taken back exactly: whose rows and cases were whose.
type kept struct {
	Rows  []keptRow      `json:"rows,omitempty"`  // that spoke of the merged provider
	Own   []keptRow      `json:"own,omitempty"`   // that spoke of the survivor
	Cases []directory.ID `json:"cases,omitempty"` // about the merged provider
	Said  []int64        `json:"said,omitempty"`  // the decisions before the one that merged them
}

// survivor follows merges from a provider to the one who stands for them now.
func (t *tx) survivor(id directory.ID) (directory.ID, error) {
	for range 100 {
		var into directory.ID
		if _, err := t.one(`SELECT merged_into FROM provider WHERE id = $1`, []any{id}, &into); err != nil || into == "" {
			return id, err
		}
		id = into
	}
	return id, directory.Errorf(directory.Internal, "", "%s is merged in a circle: run kapdir fsck", id)
}

// withMerged returns the providers and whoever was merged into them.
func (t *tx) withMerged(ids []directory.ID) ([]directory.ID, error) {
	all := slices.Clone(ids)
	for next := ids; len(next) > 0; {
		merged, err := rowsOnce(t, `SELECT merged FROM merge_record WHERE survivor IN (%s) ORDER BY merged`, texts(next), func(r *sql.Rows) (id directory.ID, err error) {
			err = r.Scan(&id)
			return id, err
		})
		if err != nil {
			return nil, err
		}
		next = nil
		for _, id := range merged {
			if !slices.Contains(all, id) {
				all, next = append(all, id), append(next, id)
			}
		}
	}
	return all, nil
}

// rowsAbout names the rows that speak of a provider, pages that have gone among them.
func (t *tx) rowsAbout(id directory.ID) (out []keptRow, err error) {
	err = t.each(`SELECT source, key FROM source_record WHERE provider <> '' AND provider = $1 UNION SELECT source, key FROM page WHERE provider <> '' AND provider = $1
		ORDER BY 1, 2`, []any{id}, func(r *sql.Rows) error {
		var k keptRow
		err := r.Scan(&k.Source, &k.Key)
		out = append(out, k)
		return err
	})
	return out, err
}

// merge makes one provider of two: the older id stands for both. Claims and events keep their ids and stand in
// the survivor's file; claims that are the same become one history (directory.Unify). Nothing may have been
// appended to either in the same work before. It returns the survivor.
func (w *work) merge(a, b directory.ID, said []int64) (*holding, error) {
	into, from := min(a, b), max(a, b) // an id begins with its time
	k := kept{Said: said}
	var err error
	if k.Rows, err = w.rowsAbout(from); err != nil {
		return nil, err
	}
	if k.Own, err = w.rowsAbout(into); err != nil {
		return nil, err
	}
	err = w.each(`SELECT id FROM cases WHERE provider = $1 AND claim = '' ORDER BY id`, []any{from}, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		k.Cases = append(k.Cases, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	doc, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	if _, err := w.exec(`INSERT INTO merge_record (merged, survivor, event, kept) VALUES ($1, $2, 0, $3)`, from, into, string(doc)); err != nil {
		return nil, err
	}
	for _, q := range []string{
		`UPDATE claim SET provider = $2 WHERE provider = $1`,
		`UPDATE source_record SET provider = $2 WHERE provider <> '' AND provider = $1`,
		`UPDATE page SET provider = $2 WHERE provider <> '' AND provider = $1`,
		`UPDATE cases SET provider = $2 WHERE provider = $1 AND NOT EXISTS (SELECT 1 FROM cases o WHERE o.provider = $2 AND o.kind = cases.kind
			AND o.claim = cases.claim AND o.source = cases.source AND o.key = cases.key)`,
	} {
		if _, err := w.exec(q, from, into); err != nil {
			return nil, err
		}
	}
	return w.parted(into, from, into)
}

// mergedBy finds whom a decision merged, with the number of the last decision about it; "" is nobody.
func (t *tx) mergedBy(decision int64) (merged directory.ID, last int64, err error) {
	err = t.each(`SELECT merged, event, kept FROM merge_record`, nil, func(r *sql.Rows) error {
		var id directory.ID
		var event int64
		var doc string
		var k kept
		if err := r.Scan(&id, &event, &doc); err != nil {
			return err
		}
		err := decode(doc, &k)
		if event == decision || slices.Contains(k.Said, decision) {
			merged, last = id, event
		}
		return err
	})
	return merged, last, err
}

// unmerge gives a merged provider back what was theirs. A listing that came meanwhile goes to whom it matches
// better, and what else came is matched again. It returns the one who is their own again.
func (w *work) unmerge(merged directory.ID) (*holding, error) {
	var next directory.ID
	var doc string
	found, err := w.one(`SELECT survivor, kept FROM merge_record WHERE merged = $1`, []any{merged}, &next, &doc)
	if err == nil && !found {
		err = directory.Errorf(directory.Conflict, "provider", "%s is merged into nobody", merged)
	}
	if err != nil {
		return nil, err
	}
	root, err := w.survivor(merged)
	if err != nil {
		return nil, err
	}
	var k kept
	if err := decode(doc, &k); err != nil {
		return nil, err
	}
	theirs, err := w.withMerged([]directory.ID{merged})
	if err != nil {
		return nil, err
	}
	if _, err := w.exec(`DELETE FROM merge_record WHERE merged = $1`, merged); err != nil {
		return nil, err
	}
	if err := w.execIn(`UPDATE claim SET provider = $1 WHERE home IN (%s)`, []any{merged}, texts(theirs)); err != nil {
		return nil, err
	}
	if err := w.execIn(`UPDATE cases SET provider = $1 WHERE provider = $2 AND claim IN (SELECT id FROM claim WHERE home IN (%s))`, []any{merged, root}, texts(theirs)); err != nil {
		return nil, err
	}
	if err := w.execIn(`UPDATE cases SET provider = $1 WHERE provider = $2 AND id IN (%s)`, []any{merged, root}, texts(k.Cases)); err != nil {
		return nil, err
	}
	for _, r := range k.Rows {
		for _, table := range []string{`source_record`, `page`} {
			if _, err := w.exec(`UPDATE `+table+` SET provider = $1 WHERE source = $3 AND key = $4 AND provider = $2`, merged, root, r.Source, r.Key); err != nil {
				return nil, err
			}
		}
	}
	if err := w.partNew(merged, root, k); err != nil {
		return nil, err
	}
	return w.parted(merged, merged, "", root)
}

// partNew parts the rows that came while two were one.
func (w *work) partNew(merged, root directory.ID, k kept) error {
	about, err := w.rowsAbout(root)
	if err != nil {
		return err
	}
	known := append(slices.Clone(k.Own), k.Rows...) // and what others brought who were merged into the same one
	err = w.each(`SELECT kept FROM merge_record`, nil, func(r *sql.Rows) error {
		var doc string
		var other kept
		if err := r.Scan(&doc); err != nil {
			return err
		}
		err := decode(doc, &other)
		known = append(known, other.Rows...)
		return err
	})
	if err != nil {
		return err
	}
	about = slices.DeleteFunc(about, func(r keptRow) bool { return slices.Contains(known, r) })
	if len(about) == 0 {
		return nil
	}
	subjects := map[directory.ID]directory.Subject{}
	for _, id := range []directory.ID{merged, root} {
		rows, err := w.rows(`WHERE provider <> '' AND provider IN (%s) AND kind IN ('listing', 'identity')`, nil, []string{string(id)})
		if err != nil {
			return err
		}
		var s directory.Subject
		for _, r := range rows {
			if slices.Contains(about, keptRow{r.source, r.key}) {
				continue
			}
			x := r.record.Subject()
			s.Kind, s.NPI = x.Kind, max(s.NPI, x.NPI)
			s.Names, s.Organisations = append(s.Names, x.Names...), append(s.Organisations, x.Organisations...)
			s.Licences, s.Phones = append(s.Licences, x.Licences...), append(s.Phones, x.Phones...)
			s.Addresses, s.States = append(s.Addresses, x.Addresses...), append(s.States, x.States...)
		}
		subjects[id] = s
	}
	for _, k := range about {
		rows, err := w.rows(`WHERE source = $1 AND key IN (%s)`, []any{k.Source}, []string{k.Key})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.kind != "listing" { // matched again with both
				if _, err := w.exec(`UPDATE source_record SET provider = '', rung = '' WHERE source = $1 AND key = $2`, r.source, r.key); err != nil {
					return err
				}
				continue
			}
			theirs, others := directory.MatchSubjects(r.record.Subject(), subjects[merged]), directory.MatchSubjects(r.record.Subject(), subjects[root])
			if theirs.Rung > others.Rung || theirs.Rung == others.Rung && len(theirs.By) > len(others.By) {
				if _, err := w.exec(`UPDATE source_record SET provider = $3 WHERE source = $1 AND key = $2`, r.source, r.key, merged); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// parted reads providers anew whose files a merge has joined or parted, and lets everybody hear of it. into is
// where from is merged now.
func (w *work) parted(answer, from, into directory.ID, others ...directory.ID) (*holding, error) {
	ids := append([]directory.ID{answer, from}, others...)
	for _, id := range ids {
		if h := w.held[id]; h != nil {
			if slices.ContainsFunc(w.events, func(n *newEvent) bool { return n.h == h }) {
				return nil, directory.Errorf(directory.Internal, "", "%s is merged in the midst of other work", id)
			}
			delete(w.held, id)
			w.order = slices.DeleteFunc(w.order, func(o *holding) bool { return o == h })
		}
	}
	held, err := w.hold(ids)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		h := held[id]
		h.lasts, h.matched = nil, ""
		if id == from {
			h.file.Provider.MergedInto = into
		}
		if into == "" {
			h.change("unmerged")
		} else {
			h.change("merged")
		}
		if err := w.recompose(h); err != nil {
			return nil, err
		}
	}
	return held[answer], nil
}

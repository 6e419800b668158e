package store

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"

	"kapdir/directory"
)

// A page of a listing that is read again may show the same person with other statements, the person under
// another name, somebody else, or be gone. What a page no longer states is taken back by an assertion with the
// state not_found; that a page speaks of a provider under another name, no longer, or again, is asserted of the
// claim about their whole file, with the page's key as number.

// noteSince remembers the oldest date of its source's data with which a page was imported.
func (w *work) noteSince(r *row, rel directory.Release) error {
	_, err := w.exec(`INSERT INTO page (source, key, since, provider, gone, doc) VALUES ($1, $2, $3, '', '', '')
		ON CONFLICT (source, key) DO UPDATE SET since = CASE WHEN page.since <> '' AND page.since < excluded.since THEN page.since ELSE excluded.since END`,
		r.source, r.key, rel.AsOf)
	return err
}

// sinces returns since when there is each page that speaks of the providers.
func (t *tx) sinces(ids []directory.ID) (map[keptRow]directory.Date, error) {
	out := map[keptRow]directory.Date{}
	err := t.eachIn(`SELECT p.source, p.key, p.since FROM page p JOIN source_record r ON r.source = p.source AND r.key = p.key WHERE r.provider <> '' AND r.provider IN (%s)`,
		nil, texts(ids), func(r *sql.Rows) error {
			var k keptRow
			var since directory.Date
			err := r.Scan(&k.Source, &k.Key, &since)
			out[k] = since
			return err
		})
	return out, err
}

// returned finds the provider of whom a page spoke before it was gone, nil if there is none or it shows
// somebody else now.
func (w *work) returned(r *row, subject directory.Subject) (*holding, error) {
	var id directory.ID
	var doc string
	found, err := w.one(`SELECT provider, doc FROM page WHERE source = $1 AND key = $2 AND gone <> '' AND provider <> ''`, []any{r.source, r.key}, &id, &doc)
	if err != nil || !found {
		return nil, err
	}
	if _, err := w.exec(`UPDATE page SET provider = '', gone = '', doc = '' WHERE source = $1 AND key = $2`, r.source, r.key); err != nil {
		return nil, err
	}
	var was directory.Record
	if err := decode(doc, &was); err != nil {
		return nil, err
	}
	if directory.MatchSubjects(subject, was.Subject()).Rung == directory.M0 {
		return nil, nil
	}
	w.back = r
	return w.holdOne(id)
}

// saidBefore is what a page said when it was read last: of whom, and which of their claims it stated.
type saidBefore struct {
	row    *row
	claims []directory.Claim
}

// saidBefore reads what the page said. A prescriber that it named is known by the row of what it said of them.
func (w *work) saidBefore(old *row) (*saidBefore, error) {
	if old == nil || old.provider == "" || old.record.Listing == nil {
		return nil, nil
	}
	out := &saidBefore{row: old}
	n := 0
	for _, st := range old.record.Listing.Assertions() {
		if st.Self {
			st.Claim.Other = old.provider
		}
		if st.Prescriber != nil {
			n++
			var who directory.ID
			found, err := w.one(`SELECT provider FROM source_record WHERE source = $1 AND key = $2`, []any{old.source, prescriberKey(old.key, n)}, &who)
			if err != nil {
				return nil, err
			}
			if !found || who == "" {
				continue
			}
			st.Claim.Other = who
		}
		out.claims = append(out.claims, st.Claim)
	}
	return out, nil
}

// takeBack appends that a page no longer states what it said before. r is the page as it is now, now the claims
// that it states of h; of another page of the source that still states the same nothing is taken back.
func (w *work) takeBack(r *row, rel directory.Release, said *saidBefore, h *holding, now []directory.ID) error {
	if said == nil || said.row.hash == r.hash && said.row.provider == h.id() {
		return nil
	}
	was := h
	if said.row.provider != h.id() {
		var err error
		if was, err = w.holdOne(said.row.provider); err != nil {
			return err
		}
		now = nil
	}
	if err := w.silence(was, r, rel, said.claims, now, r.evidence); err != nil {
		return err
	}
	listing, before := r.record.Listing, said.row.record.Listing
	switch {
	case was != h:
		w.speaks(was, r, rel, r.evidence, directory.SeenNotFound, directory.Name{})
	case directory.FoldName(listing.Name) != directory.FoldName(before.Name):
		w.speaks(h, r, rel, r.evidence, "", listing.Name)
	}
	n := len(listing.Prescribers) // who is not named any more
	return w.dropMentions(r.source, r.key, n, r, rel, r.evidence)
}

// silence takes back the claims among was that are not among now, unless another page of the source states them.
func (w *work) silence(h *holding, r *row, rel directory.Release, was []directory.Claim, now []directory.ID, evidence string) error {
	var others []*row
	for _, c := range was {
		i := h.find(c)
		if i < 0 || slices.ContainsFunc(now, h.file.Claims[i].Holds) {
			continue
		}
		hist := &h.file.Claims[i]
		var last *directory.Event
		for j := range hist.Events {
			if e := &hist.Events[j]; e.Type == directory.Assert && e.Body.Source == r.source && e.Body.Class == directory.ClassListing {
				last = e
			}
		}
		if last == nil || last.Body.State == directory.SeenNotFound {
			continue
		}
		if others == nil {
			var err error
			if others, err = w.rows(`WHERE source = $1 AND kind = 'listing' AND provider <> '' AND provider IN (%s)`, []any{r.source}, []string{string(h.id())}); err != nil {
				return err
			}
		}
		if slices.ContainsFunc(others, func(o *row) bool {
			return o.key != r.key && slices.ContainsFunc(o.record.Listing.Assertions(), func(st directory.Statement) bool {
				return st.Prescriber == nil && h.find(st.Claim) == i
			})
		}) {
			continue
		}
		body := directory.Body{Class: directory.ClassListing, Source: r.source, SourceAsOf: rel.AsOf, Link: last.Body.Link, State: directory.SeenNotFound}
		w.append(h, i, directory.Event{Type: directory.Assert, PerformedAt: w.now, Actor: w.s.config.Tool, Evidence: []string{evidence}, Body: body}, true)
	}
	return nil
}

// speaks appends that a page speaks of the provider under a name, or with the state not_found that it does not
// any more.
func (w *work) speaks(h *holding, r *row, rel directory.Release, evidence string, state directory.Observed, name directory.Name) {
	i := w.claim(h, directory.Claim{Kind: directory.FileClaim})
	body := directory.Body{Class: directory.ClassListing, Source: r.source, SourceAsOf: rel.AsOf, Number: r.key, State: state, Name: name.String()}
	w.append(h, i, directory.Event{Type: directory.Assert, PerformedAt: w.now, Actor: w.s.config.Tool, Evidence: []string{evidence}, Body: body}, false)
}

// dropMentions takes away what a page said of prescribers whom it names no longer: those after the n-th.
func (w *work) dropMentions(source, key string, n int, r *row, rel directory.Release, evidence string) error {
	var keys []string
	for i := n + 1; ; i++ {
		k := prescriberKey(key, i)
		var one int
		found, err := w.one(`SELECT 1 FROM source_record WHERE source = $1 AND key = $2`, []any{source, k}, &one)
		if err != nil {
			return err
		}
		if !found {
			break
		}
		keys = append(keys, k)
	}
	return w.drop(source, keys, rel, evidence)
}

// drop takes pages away that have gone: what they stated is taken back, and whom nobody lists any more loses the
// public page and keeps everything else. Coming back, a page finds whom it spoke of.
func (w *work) drop(source string, keys []string, rel directory.Release, evidence string) error {
	if len(keys) == 0 {
		return nil
	}
	rows, err := w.rows(`WHERE source = $1 AND key IN (%s)`, []any{source}, keys)
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b *row) int { return strings.Compare(a.key, b.key) })
	var said []*saidBefore
	for _, r := range rows {
		x, err := w.saidBefore(r)
		if err != nil {
			return err
		}
		if said = append(said, x); x == nil {
			continue
		}
		_, err = w.exec(`INSERT INTO page (source, key, since, provider, gone, doc) VALUES ($1, $2, $3, $4, $3, $5)
			ON CONFLICT (source, key) DO UPDATE SET provider = excluded.provider, gone = excluded.gone, doc = excluded.doc`, r.source, r.key, rel.AsOf, r.provider, r.doc)
		if err != nil {
			return err
		}
	}
	for _, q := range []string{`DELETE FROM source_block WHERE source = $1 AND key IN (%s)`, `DELETE FROM source_record WHERE source = $1 AND key IN (%s)`} {
		if err := w.execIn(q, []any{source}, keys); err != nil {
			return err
		}
	}
	for i, r := range rows {
		if said[i] == nil {
			continue
		}
		h, err := w.holdOne(r.provider)
		if err != nil {
			return err
		}
		if err := w.silence(h, r, rel, said[i].claims, nil, evidence); err != nil {
			return err
		}
		w.speaks(h, r, rel, evidence, directory.SeenNotFound, directory.Name{})
		if err := w.recompose(h); err != nil {
			return err
		}
		if err := w.dropMentions(r.source, r.key, 0, r, rel, evidence); err != nil {
			return err
		}
	}
	return nil
}

// fewest is the share of the pages held that a whole reading must carry for the others to count as gone: where
// most of a site is missing at once, it is rather the recipe or the site that has changed.
const fewest = 0.5

// removeGone drops the pages of the source that have gone: those of which the site itself said so, and, where
// the run read the site whole, those that it did not find. A run older than what is held drops nothing; one with
// rows in quarantine, or that found less than half, drops only what the site said.
func (s *Store) removeGone(ctx context.Context, op string, o *openRun) error {
	rel := o.run.Release
	const missing = `FROM source_record WHERE source = $1 AND kind = 'listing' AND run < $2 AND key NOT LIKE '%#prescriber-%'`
	whole := rel.Whole && o.run.Counts.Rejected == 0
	err := s.read(ctx, op, func(t *tx) error {
		var held, lost, newer int
		args := []any{rel.Source, o.run.Number}
		if _, err := t.one(`SELECT count(*) FROM source_record WHERE source = $1 AND kind = 'listing' AND key NOT LIKE '%#prescriber-%'`, args[:1], &held); err != nil {
			return err
		}
		if _, err := t.one(`SELECT count(*) `+missing, args, &lost); err != nil {
			return err
		}
		if _, err := t.one(`SELECT count(*) FROM run WHERE source = $1 AND outcome = 'done' AND as_of > $2`, []any{rel.Source, rel.AsOf}, &newer); err != nil {
			return err
		}
		whole = whole && newer == 0 && float64(held-lost) >= fewest*float64(held)
		if newer > 0 {
			o.gone = nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	for gone := range slices.Chunk(o.gone, s.first) {
		keys := make([]string, len(gone))
		for i, g := range gone {
			keys[i] = clean(g.Key)
		}
		if _, err := s.dropPages(ctx, op, o, gone, func(w *work) (held []string, err error) {
			err = w.eachIn(`SELECT key FROM source_record WHERE source = $1 AND kind = 'listing' AND run + 0 < $2 AND key IN (%s) ORDER BY key`, []any{rel.Source, o.run.Number}, keys, keysInto(&held))
			return held, err
		}); err != nil {
			return err
		}
	}
	for more := whole; more; {
		if more, err = s.dropPages(ctx, op, o, nil, func(w *work) (held []string, err error) {
			err = w.each(`SELECT key `+missing+` ORDER BY key LIMIT $3`, []any{rel.Source, o.run.Number, s.first}, keysInto(&held))
			return held, err
		}); err != nil {
			return err
		}
	}
	return nil
}

func keysInto(list *[]string) func(*sql.Rows) error {
	return func(r *sql.Rows) error {
		var key string
		err := r.Scan(&key)
		*list = append(*list, key)
		return err
	}
}

// dropPages drops a piece of a run's pages in one transaction, and reports whether there were any. gone is what
// the site said of them, if it said anything.
func (s *Store) dropPages(ctx context.Context, op string, o *openRun, gone []directory.Departure, which func(*work) ([]string, error)) (any bool, err error) {
	done := o.run
	err = s.writeBehind(ctx, op, func(w *work) error {
		keys, err := which(w)
		if any = len(keys) > 0; err != nil || !any {
			return err
		}
		rel := o.run.Release
		evidence := w.keep(w.evidenceOf(rel, struct {
			Source     string                `json:"source"`
			Release    string                `json:"release"`
			AsOf       directory.Date        `json:"as_of"`
			FileSHA256 string                `json:"file_sha256"`
			Searched   int                   `json:"rows_searched"`
			Gone       []directory.Departure `json:"gone,omitempty"`
		}{rel.Source, rel.Name, rel.AsOf, rel.SHA256, o.run.Counts.Added + o.run.Counts.Changed + o.run.Counts.Unchanged, gone}))
		if err := w.drop(rel.Source, keys, rel, evidence); err != nil {
			return err
		}
		done.Counts.Removed += len(keys)
		done.Events += len(w.events)
		if err := w.settle(); err != nil {
			return err
		}
		return w.updateRun(done)
	})
	if err == nil && any {
		o.run = done
		s.committed()
	}
	return any, err
}

// taken returns what people took of each page, by field, with the number of the decision.
func (h *holding) taken() map[keptRow]map[string]int64 {
	out := map[keptRow]map[string]int64{}
	for _, e := range h.differences() {
		if e.Body.Decision != string(directory.Take) {
			continue
		}
		k := keptRow{e.Body.Source, e.Body.Number}
		if out[k] == nil {
			out[k] = map[string]int64{}
		}
		for field := range strings.SplitSeq(e.Body.Field, " ") {
			out[k][field] = max(out[k][field], cmp.Or(e.Seq, math.MaxInt64)) // one without a number is being made
		}
	}
	return out
}

// differences returns the decisions about what sources state differently.
func (h *holding) differences() []directory.Event {
	i := h.find(directory.Claim{Kind: directory.FileClaim})
	if i < 0 {
		return nil
	}
	var out []directory.Event
	for _, e := range h.file.Claims[i].InEffect("9999", "9999") {
		if d := e.Body.Decision; e.Type == directory.Decide && (d == string(directory.Keep) || d == string(directory.Take)) {
			out = append(out, e)
		}
	}
	return out
}

// undecided leaves out of the differences what a person has decided.
func (h *holding) undecided(all []directory.Difference) []directory.Difference {
	if len(all) == 0 {
		return nil
	}
	var marks []string
	for _, e := range h.differences() {
		marks = append(marks, strings.Fields(e.Body.SourceWords)...)
	}
	return slices.DeleteFunc(all, func(d directory.Difference) bool { return slices.Contains(marks, d.Mark()) })
}

// differ opens a case for each page that says something else than what is shown, and closes those that have
// come to nothing.
func (w *work) differ(h *holding, all []directory.Difference) error {
	var pages []keptRow
	marks, fields := map[keptRow][]string{}, map[keptRow][]string{}
	for _, d := range h.undecided(all) {
		k := keptRow{d.By.Source, d.Key}
		if !slices.Contains(pages, k) {
			pages = append(pages, k)
		}
		marks[k] = append(marks[k], d.Mark())
		if !slices.Contains(fields[k], d.Field) {
			fields[k] = append(fields[k], d.Field)
		}
	}
	for _, k := range pages {
		slices.Sort(marks[k])
		w.cases = append(w.cases, newCase{directory.Case{Kind: directory.CaseFacts, Provider: h.id(), Source: k.Source, Key: k.Key,
			Match: directory.Match{Rung: directory.M5, Against: fields[k]}}, nil, digest([]byte(strings.Join(marks[k], " ")))})
	}
	if h.made {
		return nil
	}
	var done []string
	err := w.each(`SELECT id, source, key FROM cases WHERE provider = $1 AND kind = $2 AND closed = ''`, []any{h.id(), directory.CaseFacts}, func(r *sql.Rows) error {
		var id string
		var k keptRow
		err := r.Scan(&id, &k.Source, &k.Key)
		if !slices.Contains(pages, k) {
			done = append(done, id)
		}
		return err
	})
	if err != nil || len(done) == 0 {
		return err
	}
	return w.execIn(`UPDATE cases SET closed = $1 WHERE id IN (%s)`, []any{w.now}, done)
}

// differencesOf returns what the page of a case says differently from what is shown, and nobody has decided.
func (t *tx) differencesOf(h *holding, c directory.Case) ([]directory.Difference, error) {
	listings, err := t.listingsOf([]directory.ID{h.id()})
	if err != nil {
		return nil, err
	}
	since, err := t.sinces([]directory.ID{h.id()})
	if err != nil {
		return nil, err
	}
	_, all, _ := compose(h, listings[h.id()], since)
	return slices.DeleteFunc(h.undecided(all), func(d directory.Difference) bool { return d.By.Source != c.Source || d.Key != c.Key }), nil
}

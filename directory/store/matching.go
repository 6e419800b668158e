package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"kapdir/directory"
)

// candidate is a provider whom a record may speak of.
type candidate struct {
	id    directory.ID
	match directory.Match
}

// A block of a name that more than mostAlike providers share says nothing about any of them, and a listing is
// not compared with all of them; identifiers are compared however many share them, and so is whatever a register
// says against somebody. Of providers who may be the one of a new page, a person is shown the mostShown likeliest.
const (
	mostAlike = 1000
	mostShown = 10
)

// byName reports a block of a name, which more people share than a mistake or two.
func byName(block string) bool {
	return !strings.HasPrefix(block, "npi:") && !strings.HasPrefix(block, "lic:")
}

// candidates compares a listing or a delegate with the providers that share a block with it, and returns
// those that are not another person, the best first. known holds the providers of the blocks.
// Only a listing may speak of a provider who is not public: it must not bring a withdrawn one back under
// another id.
func (w *work) candidates(subject directory.Subject, known *neighbours, publicOnly bool) []candidate {
	p := directory.Prepare(subject)
	return w.among(p, p.Blocks(), known, publicOnly)
}

// among compares a prepared subject with the providers of the blocks.
func (w *work) among(p *directory.Prepared, blocks []string, known *neighbours, publicOnly bool) []candidate {
	var out []candidate
	var seen map[directory.ID]bool
	for _, b := range blocks {
		b = clean(b)
		there, here := known.byBlock[b], w.byBlock[b]
		if !known.all && byName(b) && len(there)+len(here) > mostAlike {
			continue
		}
		for _, list := range [...][]directory.ID{there, here} {
			for _, id := range list {
				if seen[id] {
					continue
				}
				if seen == nil {
					seen = map[directory.ID]bool{}
				}
				seen[id] = true
				other, ok := known.prepared[id]
				public := known.public[id]
				if h := w.held[id]; h != nil {
					other, ok, public = h.ready(), h.file.Provider.MergedInto == "", h.public()
				}
				if !ok || publicOnly && !public {
					continue
				}
				if m := p.Match(other); m.Rung != directory.M0 {
					out = append(out, candidate{id, m})
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.match.Rung, a.match.Rung), cmp.Compare(len(b.match.By), len(a.match.By)), cmp.Compare(a.id, b.id))
	})
	return out
}

// likeliest puts candidates of equal rung in the order of their weight and returns the first of them; of a
// great many, those that come first as they stand are weighed.
func likeliest(subject directory.Subject, all []candidate, of func(directory.ID) directory.Subject) []candidate {
	if len(all) <= mostShown {
		return all
	}
	all = all[:min(len(all), 5*mostShown)]
	bits := make(map[directory.ID]float64, len(all))
	for _, c := range all {
		bits[c.id] = directory.Weigh(subject, of(c.id), nil).Total
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.match.Rung, a.match.Rung), cmp.Compare(bits[b.id], bits[a.id]))
	})
	return all[:mostShown]
}

// neighbours are the providers that share a block with any record of a batch.
type neighbours struct {
	byBlock  map[string][]directory.ID
	subjects map[directory.ID]directory.Subject
	prepared map[directory.ID]*directory.Prepared // of subjects
	public   map[directory.ID]bool
	all      bool // whoever shares a name is among them, also where more than mostAlike do
}

func newNeighbours() *neighbours {
	return &neighbours{byBlock: map[string][]directory.ID{}, subjects: map[directory.ID]directory.Subject{},
		prepared: map[directory.ID]*directory.Prepared{}, public: map[directory.ID]bool{}}
}

// neighbours reads the providers of the blocks: their facts, licences and NPPES records alone.
func (t *tx) neighbours(blocks []string, all bool) (*neighbours, error) {
	n := newNeighbours()
	n.all = all
	slices.Sort(blocks)
	blocks = slices.Compact(blocks)
	err := t.eachIn(`SELECT block, provider FROM provider_block WHERE block IN (%s)`, nil, blocks, func(r *sql.Rows) error {
		var block string
		var id directory.ID
		err := r.Scan(&block, &id)
		n.byBlock[block] = append(n.byBlock[block], id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, n.read(t, blocks)
}

// read reads the subjects of the providers of the blocks that are not there yet.
func (n *neighbours) read(t *tx, blocks []string) error {
	missing := map[directory.ID]bool{}
	for _, b := range blocks {
		ids := n.byBlock[b]
		if !n.all && byName(b) && len(ids) > mostAlike {
			continue
		}
		for _, id := range ids {
			if n.prepared[id] == nil {
				missing[id] = true
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	ids := keysOf(missing)
	held, err := t.withLicences(ids)
	if err != nil {
		return err
	}
	linked, err := t.identities(ids)
	if err != nil {
		return err
	}
	for id, h := range held {
		if h.file.Provider.MergedInto == "" {
			n.put(id, withIdentity(h.file.Subject(), linked[id]), h.public())
		}
	}
	return nil
}

func (n *neighbours) put(id directory.ID, s directory.Subject, public bool) {
	n.subjects[id], n.prepared[id], n.public[id] = s, directory.Prepare(s), public
}

// around returns the providers of the blocks, from memory in a long run. It is asked before the work writes
// anything: what it reads stays when the work is undone.
func (w *work) around(blocks []string, all bool) (*neighbours, error) {
	if w.near == nil {
		return w.neighbours(blocks, all)
	}
	w.near.all = all
	return &w.near.neighbours, w.near.read(w.tx, blocks)
}

// vicinity holds the blocks of every provider in memory for the length of a run, and the subjects of those
// who were compared: some 100 bytes a block. It is kept up with what others write by the numbers they take.
type vicinity struct {
	neighbours
	blocks map[directory.ID][]string
	head   int64 // the newest number that it knows of
}

// vicinity reads the blocks of every provider.
func (s *Store) vicinity(ctx context.Context, op string) (*vicinity, error) {
	v := &vicinity{neighbours: *newNeighbours(), blocks: map[directory.ID][]string{}}
	err := s.read(ctx, op, func(t *tx) error {
		head, err := t.head()
		if err != nil {
			return err
		}
		v.head = head.Seq
		return t.each(`SELECT block, provider FROM provider_block`, nil, v.scan)
	})
	return v, err
}

func (v *vicinity) scan(r *sql.Rows) error {
	var block string
	var id directory.ID
	err := r.Scan(&block, &id)
	v.byBlock[block] = append(v.byBlock[block], id)
	v.blocks[id] = append(v.blocks[id], block)
	return err
}

// follow learns what others have written since: whatever makes another subject of a provider takes a number,
// for an event of theirs or for the change that public faces hear of (recompose). The transaction lets no
// other writer in, so that nothing comes after it.
func (v *vicinity) follow(t *tx) error {
	head, err := t.head()
	if err != nil || head.Seq == v.head {
		return err
	}
	ids, err := t.spokenOf(v.head, head.Seq)
	if err != nil {
		return err
	}
	for _, id := range ids {
		v.forget(id)
	}
	v.head = head.Seq
	return t.eachIn(`SELECT block, provider FROM provider_block WHERE provider IN (%s)`, nil, texts(ids), v.scan)
}

func (v *vicinity) forget(id directory.ID) {
	for _, b := range v.blocks[id] {
		v.byBlock[b] = slices.DeleteFunc(v.byBlock[b], func(x directory.ID) bool { return x == id })
	}
	delete(v.blocks, id)
	delete(v.subjects, id)
	delete(v.prepared, id)
	delete(v.public, id)
}

// learn takes over what a work has committed.
func (v *vicinity) learn(w *work) {
	v.head = max(v.head, w.ended)
	for _, h := range w.order {
		id, now := h.id(), cleaned(slices.Clone(h.blocks))
		slices.Sort(now)
		slices.Sort(v.blocks[id])
		if !slices.Equal(v.blocks[id], now) {
			v.forget(id)
			for _, b := range now {
				v.byBlock[b] = append(v.byBlock[b], id)
			}
			v.blocks[id] = now
		}
		delete(v.subjects, id)
		delete(v.prepared, id)
		delete(v.public, id)
		if h.file.Provider.MergedInto == "" {
			v.put(id, h.subject(), h.public())
		}
	}
}

// relate attaches a record that can prove something to the providers it speaks of (domain.md §3.3): an
// exact match and, for good news, a corroborated one joins; an identifier whose name does not agree is
// observed and goes to a person; a name alone is never evidence.
func (w *work) relate(r *row, rel directory.Release, found []candidate) error {
	exact := len(found) > 0 && found[0].match.Rung == directory.M5
	corroborated := 0
	for _, c := range found {
		if c.match.Rung == directory.M4 {
			corroborated++
		}
	}
	r.provider, r.rung = "", ""
	for _, c := range found {
		m := c.match
		switch {
		case m.Rung == directory.M5, m.Identified():
			h, err := w.holdOne(c.id)
			if err != nil {
				return err
			}
			if m.Rung == directory.M5 {
				w.join(r, c)
			}
			w.observe(h, r, rel, m, r.record.Observations(rel, m))
			if rel.Unconfirmed && r.record.Adverse() { // it proves nothing, and a person looks all the same
				w.openCase(directory.Case{Kind: directory.CaseAdverse, Provider: c.id, Source: r.source, Key: r.key, Match: m}, nil)
			}
		case m.Rung == directory.M4 && exact: // the record is another's
		case m.Rung == directory.M4 && corroborated > 1:
			w.openCase(directory.Case{Kind: directory.CaseDuplicate, Provider: c.id, Source: r.source, Key: r.key, Match: m}, nil)
		case m.Rung == directory.M4:
			h, err := w.holdOne(c.id)
			if err != nil {
				return err
			}
			w.join(r, c)
			var good []directory.Statement
			for _, st := range r.record.Observations(rel, m) {
				if joins(st) {
					good = append(good, st)
					continue
				}
				w.openCase(directory.Case{Kind: caseKind(st.Claim.Kind, st.Body, true), Provider: c.id, Source: r.source, Key: r.key, Match: m}, nil)
			}
			w.observe(h, r, rel, m, good)
		case m.Rung != directory.M1 && adverse(r.record.Observations(rel, m)):
			w.openCase(directory.Case{Kind: directory.CaseAdverse, Provider: c.id, Source: r.source, Key: r.key, Match: m}, nil)
		}
	}
	return nil
}

// joins reports a statement that a corroborated match may carry: good news, or a listing's word.
func joins(st directory.Statement) bool { return st.Type == directory.Assert || st.Body.State.Good() }

// said reports that the statement is on record already.
func said(events []directory.Event, st directory.Statement) bool {
	if st.Type == directory.Assert {
		return stated(events, st.Body)
	}
	return known(events, st.Body)
}

func adverse(statements []directory.Statement) bool {
	return slices.ContainsFunc(statements, func(s directory.Statement) bool { return s.Body.State.Adverse() })
}

// join links the record to the provider unless it is linked to one more surely.
func (w *work) join(r *row, c candidate) {
	if r.provider == "" || c.match.Rung > r.rung {
		r.provider, r.rung = c.id, c.match.Rung
	}
}

func (w *work) holdOne(id directory.ID) (*holding, error) {
	held, err := w.hold([]directory.ID{id})
	if err != nil {
		return nil, err
	}
	if held[id] == nil {
		return nil, directory.Errorf(directory.Internal, "", "provider %s has blocks and no row: run kapdir fsck", id)
	}
	return held[id], nil
}

// observe appends the statements that are not known yet, each resting on the record as evidence.
func (w *work) observe(h *holding, r *row, rel directory.Release, m directory.Match, statements []directory.Statement) {
	licence := -1 // a discipline screen is of the licence that the record was joined to
	for _, st := range statements {
		c := st.Claim
		if c.Kind == directory.DisciplineScreen && licence >= 0 {
			of := h.file.Claims[licence].Claim
			c.Title, c.Number = of.Title, of.Number
		}
		i := w.claim(h, c)
		if c.Kind == directory.License {
			licence = i
		}
		if said(h.file.Claims[i].Events, st) {
			continue
		}
		r.evidence = w.keep(w.recordEvidence(r, rel))
		e := directory.Event{Type: st.Type, PerformedAt: w.now, Actor: w.s.config.Tool, Evidence: []string{r.evidence}, Body: st.Body}
		visible := m.Rung == directory.M5 || m.Rung == directory.M4 || m.Identified()
		n := w.append(h, i, e, visible)
		n.source, n.key = r.source, r.key
		n.judge = visible && st.Type == directory.Observe && !(c.Kind == directory.DisciplineScreen && st.Body.State == directory.SeenClear) // the licence's case stands for both
	}
}

// known reports that the newest observation of the same source and release says the same.
func known(events []directory.Event, b directory.Body) bool {
	for _, e := range slices.Backward(events) {
		if e.Type == directory.Observe && e.Body.Source == b.Source && e.Body.Release == b.Release {
			return sameAnswer(e.Body, b)
		}
	}
	return false
}

// sameAnswer compares what two observations say and how surely. By what else the same rung was reached
// does not matter: another telephone number is no news.
func sameAnswer(a, b directory.Body) bool {
	if matchOf(a).Identified() != matchOf(b).Identified() {
		return false
	}
	return sameBody(a, b)
}

// sameBody compares two bodies but for the identifiers that agreed, the link, and how old the source was.
func sameBody(a, b directory.Body) bool {
	for _, x := range []*directory.Body{&a, &b} {
		x.By, x.Against, x.Link, x.SourceAsOf = nil, nil, "", ""
	}
	ja, _ := json.Marshal(a) // a body of strings always marshals
	jb, _ := json.Marshal(b)
	return string(ja) == string(jb)
}

// settle brings the providers of the work into agreement with everything that is loaded: one who is new,
// or of whom more is known than before, is compared with every row that shares a block. What is found
// may tell more of them, so it goes on until nothing new comes.
func (w *work) settle() error {
	for range 5 {
		again := false
		for i := 0; i < len(w.order); i++ {
			h := w.order[i]
			if !h.public() {
				continue
			}
			subject := h.subject()
			now := describe(subject)
			if now == h.matched {
				continue
			}
			h.matched, again = now, true
			w.rematched = append(w.rematched, h.id())
			if err := w.rematch(h, subject, ""); err != nil {
				return err
			}
		}
		if !again {
			return nil
		}
	}
	return nil
}

// rematch compares a provider with every loaded row that shares a block with them; with a source, with those of
// it alone, and no list screens them.
func (w *work) rematch(h *holding, subject directory.Subject, source string) error {
	p := directory.Prepare(subject)
	found, err := w.rowsUnder(p.ScreenBlocks(), source)
	if err != nil {
		return err
	}
	more := false
	for _, r := range found {
		if r.kind == "delegation" {
			if err := w.delegatedLater(r); err != nil {
				return err
			}
			continue
		}
		if r.kind != "identity" && r.kind != "licence" {
			continue
		}
		m := directory.Prepare(r.record.Subject()).Match(p)
		if m.Rung == directory.M0 {
			continue
		}
		other := candidate{r.provider, directory.Match{Rung: r.rung}}
		all := []candidate{{h.id(), m}}
		if r.provider != "" && r.provider != h.id() {
			if m.Rung == directory.M4 && r.rung == directory.M5 {
				continue // the record is another's
			}
			if m.Rung == directory.M4 { // two are equally sure: a person says who it is
				w.openCase(directory.Case{Kind: directory.CaseDuplicate, Provider: h.id(), Source: r.source, Key: r.key, Match: m}, nil)
				continue
			}
		}
		run, err := w.runNumber(r.run)
		if err != nil {
			return err
		}
		before := *r
		if err := w.relate(r, run.Release, all); err != nil {
			return err
		}
		if other.id != "" && other.id != h.id() && (r.provider == "" || other.match.Rung >= r.rung) {
			r.provider, r.rung = other.id, other.match.Rung // they have it more surely
		}
		if r.provider != before.provider || r.rung != before.rung || r.evidence != before.evidence || r.ahead {
			if err := w.relink(r); err != nil {
				return err
			}
			more = more || r.kind == "identity"
		}
	}
	if more {
		if err := w.recompose(h); err != nil {
			return err
		}
	}
	if source != "" {
		return nil
	}
	lists, err := w.quietLists()
	if err != nil {
		return err
	}
	for _, list := range lists {
		var rows []*row
		for _, r := range found {
			if r.source == list.Release.Source {
				rows = append(rows, r)
			}
		}
		if err := w.screen(h, list, rows); err != nil {
			return err
		}
	}
	return nil
}

// delegated observes of the delegate that a physician delegates prescribing to them. Both must have a page
// already, and each is known by the licence for sure: a register makes nobody a page, and a name is nobody.
func (w *work) delegated(r *row, rel directory.Release, known *neighbours) error {
	d := r.record.Delegation
	exact := func(l directory.Licensee) *candidate {
		found := w.candidates(l.Subject(d.State), known, true)
		if len(found) == 0 || found[0].match.Rung != directory.M5 || len(found) > 1 && found[1].match.Rung == directory.M5 {
			return nil
		}
		return &found[0]
	}
	delegate, physician := exact(d.Delegate), exact(d.Physician)
	r.provider, r.rung = "", ""
	if delegate == nil {
		return nil
	}
	w.join(r, *delegate)
	if physician == nil || physician.id == delegate.id {
		return nil
	}
	h, err := w.holdOne(delegate.id)
	if err != nil {
		return err
	}
	statements := r.record.Observations(rel, delegate.match)
	for i := range statements {
		statements[i].Claim.Other, statements[i].Body.Prescriber = physician.id, physician.id
	}
	w.observe(h, r, rel, delegate.match, statements)
	return nil
}

// delegatedLater does so for a row that was loaded before one of the two had a page.
func (w *work) delegatedLater(r *row) error {
	run, err := w.runNumber(r.run)
	if err != nil {
		return err
	}
	d, before := r.record.Delegation, *r
	known, err := w.neighbours(append(cleaned(d.Delegate.Subject(d.State).Blocks()), cleaned(d.Physician.Subject(d.State).Blocks())...), false)
	if err != nil {
		return err
	}
	if err := w.delegated(r, run.Release, known); err != nil || r.provider == before.provider && r.evidence == before.evidence && !r.ahead {
		return err
	}
	return w.relink(r)
}

// quietLists returns the exclusion lists in force of which no newer run has begun: only such a list can
// answer for a provider who arrives now.
func (w *work) quietLists() ([]directory.Run, error) {
	if w.asked {
		return w.lists, nil
	}
	w.asked = true
	runs, err := w.runs(`WHERE number IN (SELECT MAX(number) FROM run GROUP BY source) AND outcome = 'done'`)
	if err != nil {
		return nil, err
	}
	for _, info := range directory.Tables().Sources() {
		i := slices.IndexFunc(runs, func(r directory.Run) bool { return r.Release.Source == info.ID })
		if info.Kind == "exclusion" && i >= 0 {
			w.lists = append(w.lists, runs[i])
		}
	}
	return w.lists, nil
}

func (w *work) runNumber(n int64) (directory.Run, error) {
	if r, ok := w.numbers[n]; ok {
		return r, nil
	}
	r, found, err := w.runOne(`WHERE number = $1`, n)
	if err == nil && !found {
		err = directory.Errorf(directory.Internal, "", "run %d is missing: run kapdir fsck", n)
	}
	w.numbers[n] = r
	return r, err
}

// screen writes down what a completed release of an exclusion list says of a provider: one observation
// for the provider and release, unless the answer has changed since. rows are those that share a block.
//
// A candidate whom a person has cleared is not raised again by the same row of a later release.
//
// A provider who may stand in a row of the release that could not be read gets no answer from it: the
// screen has not finished.
func (w *work) screen(h *holding, list directory.Run, rows []*row) error {
	rel := list.Release
	none := directory.ScreenClear(rel)
	i := w.claim(h, none.Claim)
	type hit struct {
		row   *row
		match directory.Match
		body  *directory.Body
		grade int
	}
	var hits []hit
	p := h.ready()
	for _, r := range counting(rows, list) {
		var m directory.Match
		if r.met != nil {
			m = *r.met
		} else {
			m = directory.Prepare(r.record.Subject()).Screen(p)
		}
		if m.Rung == directory.M0 {
			continue
		}
		said := r.record.Observations(rel, m)
		for j := range said {
			body, grade := &said[j].Body, 1
			switch {
			case m.Rung == directory.M5:
				grade = 3
			case m.Identified():
				grade = 2
			}
			if !cleared(h.file.Claims[i].Events, *body) {
				hits = append(hits, hit{r, m, body, grade})
			}
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		if good := b.body.State.Good(); a.body.State.Good() != good { // that one exclusion has ended hides no other
			if good {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.grade, a.grade), cmp.Compare(b.match.Rung, a.match.Rung), cmp.Compare(a.row.key, b.row.key))
	})
	st, visible := none, true
	var evidence []string
	var rests []directory.Evidence // what the evidence is
	if len(hits) > 0 {
		best := hits[0]
		st.Body, visible = *best.body, best.grade > 1
		for _, x := range hits {
			if x.grade == best.grade {
				e := w.recordEvidence(x.row, rel)
				x.row.evidence = digest(e.Body)
				evidence, rests = append(evidence, x.row.evidence), append(rests, e)
			}
		}
	}
	if known(h.file.Claims[i].Events, st.Body) {
		return nil
	}
	if len(hits) == 0 {
		unread, err := w.unreadOf(list)
		if err != nil {
			return err
		}
		if unread.mayHold(h.subject()) {
			return nil
		}
		evidence = []string{w.searched(list)}
	}
	for _, e := range rests {
		w.keep(e)
	}
	e := directory.Event{Type: st.Type, PerformedAt: w.now, Actor: w.s.config.Tool, Evidence: evidence, Body: st.Body}
	n := w.append(h, i, e, visible)
	if len(hits) > 0 {
		best := hits[0]
		w.matched++
		w.openCase(directory.Case{Kind: directory.CaseExclusion, Provider: h.id(), Claim: h.file.Claims[i].Claim.ID, Source: best.row.source,
			Key: best.row.key, Match: best.match}, n)
	}
	return nil
}

// unread is what stands in the rows of a release that are in quarantine.
type unread struct {
	words map[string]bool // folded; NPIs among them
	blank bool            // of one row nothing was kept, so that it may speak of anybody
}

// unreadOf reads the quarantine of a run, once in a work.
func (w *work) unreadOf(list directory.Run) (*unread, error) {
	if u := w.unread[list.ID]; u != nil {
		return u, nil
	}
	u, err := w.tx.unreadOf(list)
	w.unread[list.ID] = u
	return u, err
}

// unreadOf reads the quarantine of a run and of those that it adds to.
func (t *tx) unreadOf(run directory.Run) (*unread, error) {
	u := &unread{words: map[string]bool{}}
	err := t.each(`SELECT text FROM reject WHERE run IN (SELECT id FROM run WHERE source = $1 AND number >= $2 AND (outcome = 'done' OR number = $3))`,
		[]any{run.Release.Source, run.First(), run.Number}, func(r *sql.Rows) error {
			var text string
			err := r.Scan(&text)
			words := strings.Fields(directory.Fold(text))
			u.blank = u.blank || len(words) == 0
			for _, x := range words {
				u.words[x] = true
			}
			return err
		})
	return u, err
}

// mayHold reports that a row that could not be read may speak of the subject: its NPI stands in one, a
// word of a family name, or every word of an organisation's name.
func (u *unread) mayHold(s directory.Subject) bool {
	if u.blank || s.NPI != "" && u.words[string(s.NPI)] {
		return true
	}
	has := func(word string) bool { return u.words[word] }
	for _, n := range s.Names {
		if slices.ContainsFunc(directory.NameTokens(n.Family), has) {
			return true
		}
	}
	for _, o := range s.Organisations {
		words := strings.Fields(directory.Fold(o))
		if len(words) > 0 && !slices.ContainsFunc(words, func(x string) bool { return !has(x) }) {
			return true
		}
	}
	return false
}

// cleared reports that a person has cleared a candidate that said just the same.
func cleared(events []directory.Event, b directory.Body) bool {
	b.Release = ""
	return slices.ContainsFunc(events, func(e directory.Event) bool {
		said := e.Body
		said.Release = ""
		return e.Type == directory.Observe && lastReview(events, e.Seq) == "clear" && sameAnswer(said, b)
	})
}

// lastReview returns the newest decision about an observation, "" when there is none.
func lastReview(events []directory.Event, of int64) string {
	for _, e := range slices.Backward(events) {
		if e.Type == directory.Review && e.Body.Of == of && of != 0 {
			return e.Body.Decision
		}
	}
	return ""
}

// searched keeps the evidence that a clear screen rests on and returns its name.
func (w *work) searched(list directory.Run) string {
	name, ok := w.clear[list.ID]
	if !ok {
		name = w.keep(w.screenEvidence(list))
		w.clear[list.ID] = name
	}
	return name
}

// screenEvidence is what a clear screen rests on: one for each release of a list.
func (w *work) screenEvidence(list directory.Run) directory.Evidence {
	rel, n := list.Release, list.Counts
	return w.evidenceOf(rel, struct {
		Source     string         `json:"source"`
		Release    string         `json:"release"`
		AsOf       directory.Date `json:"as_of"`
		FileSHA256 string         `json:"file_sha256"`
		Searched   int            `json:"rows_searched"`
		AddsTo     int64          `json:"adds_to_run,omitempty"` // whose rows were searched too
	}{rel.Source, rel.Name, rel.AsOf, rel.SHA256, n.Added + n.Changed + n.Unchanged, list.Base})
}

package store

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"kapdir/directory"
)

// decideCandidate decides about a case that has no observation: a row of a source that may speak of the
// provider, two descriptions of perhaps one person, or what two sources state differently. The decision is kept
// as an event of the provider's file, with the row as evidence. That two are different people shows on no
// public face; that they are one joins them once two people have said so.
func (w *work) decideCandidate(c directory.Case, h *holding, d directory.Decision, done func(*newEvent), out *directory.Event) error {
	rows, err := w.recordsOf(c.Source, []string{c.Key})
	if err != nil {
		return err
	}
	o, err := w.office()
	if err != nil {
		return err
	}
	if i := h.find(directory.Claim{Kind: directory.FileClaim}); i >= 0 {
		for _, e := range h.file.Claims[i].Events {
			if e.Type == directory.Decide && e.Actor.ID == d.Staff && e.PerformedAt == d.At && e.Body.Decision == d.Decision && e.Body.Note == clean(d.Note) &&
				e.Body.Source == c.Source && e.Body.Number == c.Key && (e.Seq == c.Decided || c.Closed == "" && d.Decision == string(directory.Same)) {
				*out = e
				return nil
			}
		}
	}
	if c.Closed != "" {
		who := "it was closed on " + string(c.Closed.Date())
		if i := h.find(directory.Claim{Kind: directory.FileClaim}); i >= 0 {
			if e := h.file.Claims[i].Event(c.Decided); e != nil {
				who = fmt.Sprintf("%s (event %d)", e.Words(), e.Seq)
			}
		}
		return directory.Errorf(directory.Conflict, "case", "the case is closed: %s", who)
	}
	m, err := o.member(d.Staff)
	if err != nil {
		return err
	}
	if err := w.leftTo(d.Staff, c.ID, "", ""); err != nil {
		return err
	}
	pair, err := w.pairOf(c, h)
	if err != nil {
		return err
	}
	if err := o.candidate(m, c, directory.Deed(d.Decision), pair); err != nil {
		return err
	}
	names := slices.Contains([]directory.CaseKind{directory.CaseDuplicate, directory.CaseRemoved}, c.Kind) || d.Decision != string(directory.Same) || d.Field == "npi" || d.Field == "licence"
	switch {
	case !names:
		return directory.Errorf(directory.Invalid, "field", "say which identifier agrees: npi or licence")
	case d.Seen > c.Revision:
		return directory.Errorf(directory.Invalid, "seen", "the case has no revision %d, it is at %d", d.Seen, c.Revision).Try("give the number that kapdir cases show %s shows", c.ID)
	case d.Seen < c.Revision:
		return directory.Errorf(directory.Conflict, "seen", "since you looked, what %s says in %s has changed; look again", c.Source, c.Key).Try("kapdir cases show %s", c.ID)
	case len(rows) == 0 && d.Decision != string(directory.Distinct):
		return gone(c)
	}
	body := directory.Body{Decision: d.Decision, Source: c.Source, Number: c.Key, Match: c.Match.Rung,
		By: c.Match.By, Against: c.Match.Against, Field: clean(d.Field), Note: clean(d.Note)}
	added, err := w.addedTo(c.ID)
	if err != nil {
		return err
	}
	evidence := added
	if len(rows) > 0 {
		run, err := w.runNumber(rows[0].run)
		if err != nil {
			return err
		}
		body.Release, evidence = run.Release.Name, append([]string{w.keep(w.recordEvidence(rows[0], run.Release))}, added...)
	}
	closes := true
	switch deed := directory.Deed(d.Decision); {
	case deed == directory.Same && (c.Kind != directory.CaseDuplicate || pair.alone):
		if err := w.theirs(h, c, rows[0], d, added); err != nil {
			return err
		}
	case deed == directory.Same:
		body.Other = pair.other
		if closes = len(pair.given) > 0; closes { // the second person joins them
			if h, err = w.merge(h.id(), pair.other, pair.said); err != nil {
				return err
			}
		}
	case deed == directory.Distinct:
		body.Other = pair.other
	default:
		differ, err := w.differencesOf(h, c)
		if err != nil {
			return err
		}
		if len(differ) == 0 {
			return directory.Errorf(directory.Conflict, "case", "the sources differ no longer: nothing is left to decide")
		}
		var fields, marks []string
		for _, x := range differ {
			marks = append(marks, x.Mark())
			if !slices.Contains(fields, x.Field) {
				fields = append(fields, x.Field)
			}
		}
		body.Field, body.SourceWords, body.Match, body.By, body.Against = strings.Join(fields, " "), strings.Join(marks, " "), "", nil, nil
	}
	file := w.claim(h, directory.Claim{Kind: directory.FileClaim})
	if h.file.Claims[file].Claim.Home != "" && d.Decision == string(directory.Same) { // the survivor's own, which stays with them
		h.prepared = nil
		h.file.Claims = append(h.file.Claims, directory.History{Claim: directory.Claim{ID: directory.NewID(directory.ClaimPrefix, w.now), Provider: h.id(),
			Kind: directory.FileClaim, Created: w.now}})
		file = len(h.file.Claims) - 1
	}
	n := w.append(h, file, directory.Event{Type: directory.Decide, PerformedAt: d.At, Actor: directory.Actor{Kind: directory.Staff, ID: d.Staff, Auth: d.Auth},
		Evidence: evidence, Body: body}, false)
	if d.Decision == string(directory.Take) {
		if err := w.recompose(h); err != nil {
			return err
		}
	}
	done(n)
	tell := w.then
	w.then = func() error {
		if !closes {
			pair.given = append(pair.given, d.Staff)
			work, needs := desk{office: o}.needOf(c, nil, pair).Work()
			if _, err := w.exec(`UPDATE cases SET work = $2, needs = $3 WHERE id = $1`, c.ID, work, needs); err != nil {
				return err
			}
			return tell()
		}
		if body.Other != "" && d.Decision == string(directory.Same) {
			if _, err := w.exec(`UPDATE merge_record SET event = $1 WHERE event = 0`, n.event().Seq); err != nil {
				return err
			}
		}
		if body.Other != "" && d.Decision == string(directory.Same) { // nor do their other rows resemble anybody else now
			_, err := w.exec(`UPDATE cases SET closed = $1, decided = $2 WHERE provider = $3 AND kind = $4 AND claim = '' AND closed = '' AND EXISTS
				(SELECT 1 FROM source_record r WHERE r.source = cases.source AND r.key = cases.key AND r.provider = cases.provider)`,
				w.now, n.event().Seq, h.id(), directory.CaseDuplicate)
			if err != nil {
				return err
			}
		}
		_, err := w.exec(`UPDATE cases SET closed = $1, decided = $2 WHERE source = $4 AND key = $5 AND claim = '' AND closed = '' AND (provider = $3 OR id = $6)`,
			w.now, n.event().Seq, c.Provider, c.Source, c.Key, c.ID)
		if err != nil {
			return err
		}
		return tell()
	}
	return w.settle()
}

// gone is why nothing but distinct can be said of a row that its source has no more.
func gone(c directory.Case) *directory.Error {
	return directory.Errorf(directory.Conflict, "case", "%s no longer has the row %s: say that it is somebody else, which closes the case", c.Source, c.Key)
}

// theirs writes down that a row of a register is about the provider. What a corroborated match carries it carries like
// any other; all else is an observation by the person who found out which identifier agrees, and stands open to
// review like one.
func (w *work) theirs(h *holding, c directory.Case, r *row, d directory.Decision, added []string) error {
	run, err := w.runNumber(r.run)
	if err != nil {
		return err
	}
	if c.Kind == directory.CaseDuplicate {
		if err := w.relate(r, run.Release, []candidate{{h.id(), c.Match}}); err != nil {
			return err
		}
		return w.relink(r)
	}
	rel := run.Release
	rel.Unconfirmed = false // a person read it
	m := directory.Match{Rung: directory.M5, By: []string{d.Field}}
	for _, by := range c.Match.By {
		if by != d.Field && by != "licence_number" {
			m.By = append(m.By, by)
		}
	}
	from := len(w.events)
	w.observe(h, r, rel, m, r.record.Observations(rel, m))
	if len(w.events) == from {
		return directory.Errorf(directory.Conflict, "case", "that is on record already: say that it is somebody else, which closes the case")
	}
	for _, n := range w.events[from:] {
		e := n.event()
		e.PerformedAt, e.Actor, e.Evidence = d.At, directory.Actor{Kind: directory.Staff, ID: d.Staff, Auth: d.Auth}, append(slices.Clip(e.Evidence), added...)
	}
	w.join(r, candidate{h.id(), m})
	return w.relink(r)
}

// pair is two descriptions that may be of one, and who has said that they are.
type pair struct {
	other directory.ID // "" when the case does not name exactly one
	alone bool         // the row is of a register, and of everybody else whom it resembles it was said that it is not theirs
	given []string
	said  []int64 // their decisions
	filed bool    // evidence was added to the case
	gone  bool    // the source has the row no more
}

// pairOf finds the other provider of a case about two descriptions: the one of whom the row speaks, or about whom
// the same case is open.
func (t *tx) pairOf(c directory.Case, h *holding) (p pair, err error) {
	if c.Claim == "" {
		added, err := t.addedTo(c.ID)
		if p.filed = len(added) > 0; err != nil {
			return p, err
		}
	}
	if c.Kind != directory.CaseDuplicate {
		return p, nil
	}
	var others []directory.ID
	err = t.each(`SELECT provider FROM source_record WHERE source = $1 AND key = $2 AND provider <> '' UNION
		SELECT provider FROM cases WHERE source = $1 AND key = $2 AND kind = $3 AND closed = '' ORDER BY 1`, []any{c.Source, c.Key, directory.CaseDuplicate}, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		if id != h.id() {
			others = append(others, id)
		}
		return err
	})
	if err != nil {
		return p, err
	}
	var speaks directory.ID // of whom the row speaks counts before whom it only resembles
	var kind string
	if _, err := t.one(`SELECT provider, kind FROM source_record WHERE source = $1 AND key = $2`, []any{c.Source, c.Key}, &speaks, &kind); err != nil {
		return p, err
	}
	if speaks != "" && speaks != h.id() {
		others = []directory.ID{speaks}
	}
	held, err := t.providers(others)
	if err != nil {
		return p, err
	}
	others = slices.DeleteFunc(others, func(id directory.ID) bool { return held[id] == nil || !held[id].public() })
	p.alone = len(others) == 0 && speaks == "" && (kind == "licence" || kind == "identity")
	if len(others) == 1 {
		p.other = others[0]
	}
	if i := h.find(directory.Claim{Kind: directory.FileClaim}); i >= 0 && p.other != "" {
		hist := &h.file.Claims[i]
		var parted int64 // whoever takes one of the words back that joined two parts them: two people say so anew
		for _, e := range hist.Events {
			if e.Type != directory.Void {
				continue
			}
			if of := hist.Event(e.Supersedes); of != nil && of.Body.Decision == string(directory.Same) && of.Body.Source == c.Source && of.Body.Number == c.Key {
				parted = max(parted, e.Seq)
			}
		}
		for _, e := range hist.InEffect("9999", "9999") {
			switch {
			case e.Type != directory.Decide || e.Body.Source != c.Source || e.Body.Number != c.Key || e.Body.Other != p.other || e.Seq < parted:
			case e.Body.Decision == string(directory.Same):
				p.given, p.said = append(p.given, e.Actor.ID), append(p.said, e.Seq)
			case e.Body.Decision == string(directory.Distinct):
				p.given, p.said = nil, nil
			}
		}
	}
	return p, nil
}

// candidate refuses what cannot be decided about a case without an observation.
func (o office) candidate(m directory.StaffMember, c directory.Case, d directory.Deed, p pair) error {
	about := []directory.Deed{directory.Distinct, directory.Same}
	switch c.Kind {
	case directory.CaseFacts:
		about = []directory.Deed{directory.Keep, directory.Take}
	case directory.CaseDocument:
		about = []directory.Deed{directory.Keep, directory.Distinct}
	}
	switch {
	case !slices.Contains(about, d) && c.Kind == directory.CaseFacts:
		return directory.Errorf(directory.Refused, "decision", "the sources differ: keep what is shown, or take what this page says")
	case p.gone && d != directory.Distinct && c.Kind != directory.CaseRemoved && c.Kind != directory.CaseDocument:
		return gone(c)
	case d == directory.Same && c.Kind != directory.CaseDuplicate && c.Kind != directory.CaseRemoved && !p.filed:
		return directory.Errorf(directory.Refused, "decision", "a match of %s identifies nobody. Find out which identifier agrees, and file what shows it with this case: a document, a call or a mail. "+
			"Or once a listing states the number, the row joins by itself. If it is somebody else, say so", c.Match.Words()).Try("kapdir cases decide CASE distinct")
	case !slices.Contains(about, d):
		return directory.Errorf(directory.Refused, "decision", "nothing was observed, so there is nothing to %s: say whether it is about them or about somebody else", d).Try("kapdir cases decide CASE same, or distinct")
	case d == directory.Same && c.Kind == directory.CaseDuplicate && p.other == "" && !p.alone:
		return directory.Errorf(directory.Refused, "decision", "the row may be of several, or of nobody with a page: say of those whom it is not that it is somebody else").Try("kapdir cases decide CASE distinct")
	case m.Name == "":
		return nil
	}
	if err := o.may(m, d, directory.Ordinary); err != nil || d != directory.Same || c.Kind != directory.CaseDuplicate || p.alone {
		return err
	}
	switch {
	case slices.Contains(p.given, m.Name):
		return directory.Errorf(directory.Conflict, "staff", "%s has said so already: a second person makes one of the two: %s", m.Name, directory.OneOf(o.without(p.given, directory.Verifier, directory.Approver)))
	case len(p.given) > 0 && m.Role != directory.Approver && !o.anyOf(p.given, directory.Approver):
		return directory.Errorf(directory.Refused, "staff", "one of the two who make one provider of two must be an approver, and %s is a %s like %s: ask %s", m.Name, m.Role,
			directory.AllOf(p.given), directory.OneOf(o.without(p.given, directory.Approver)))
	}
	return nil
}

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
	switch {
	case d.Seen > c.Revision:
		return directory.Errorf(directory.Invalid, "seen", "the case has no revision %d, it is at %d: give the number that kapdir cases show %s shows", d.Seen, c.Revision, c.ID)
	case d.Seen < c.Revision:
		return directory.Errorf(directory.Conflict, "seen", "since you looked, what %s says in %s has changed; look again: kapdir cases show %s", c.Source, c.Key, c.ID)
	case len(rows) == 0:
		return directory.Errorf(directory.Conflict, "case", "%s no longer has the row %s: nothing is left to decide", c.Source, c.Key)
	}
	run, err := w.runNumber(rows[0].run)
	if err != nil {
		return err
	}
	body := directory.Body{Decision: d.Decision, Source: c.Source, Release: run.Release.Name, Number: c.Key, Match: c.Match.Rung,
		By: c.Match.By, Against: c.Match.Against, Field: clean(d.Field), Note: clean(d.Note)}
	closes := true
	switch deed := directory.Deed(d.Decision); {
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
	added, err := w.addedTo(c.ID)
	if err != nil {
		return err
	}
	evidence := append([]string{w.keep(w.recordEvidence(rows[0], run.Release))}, added...)
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
			needs := directory.Approver
			if m.Role == directory.Approver {
				needs = directory.Verifier
			}
			if _, err := w.exec(`UPDATE cases SET work = $2, needs = $3 WHERE id = $1`, c.ID, directory.WorkSecond, needs); err != nil {
				return err
			}
			return tell()
		}
		if d.Decision == string(directory.Same) {
			if _, err := w.exec(`UPDATE merge_record SET event = $1 WHERE event = 0`, n.event().Seq); err != nil {
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

// pair is two descriptions that may be of one, and who has said that they are.
type pair struct {
	other directory.ID // "" when the case does not name exactly one
	given []string
	said  []int64 // their decisions
	o     office
}

// pairOf finds the other provider of a case about two descriptions: the one of whom the row speaks, or about whom
// there is the same case.
func (t *tx) pairOf(c directory.Case, h *holding) (p pair, err error) {
	if p.o, err = t.office(); err != nil || c.Kind != directory.CaseDuplicate {
		return p, err
	}
	var others []directory.ID
	err = t.each(`SELECT provider FROM source_record WHERE source = $1 AND key = $2 AND provider <> '' UNION
		SELECT provider FROM cases WHERE source = $1 AND key = $2 AND kind = $3 ORDER BY 1`, []any{c.Source, c.Key, directory.CaseDuplicate}, func(r *sql.Rows) error {
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
	if _, err := t.one(`SELECT provider FROM source_record WHERE source = $1 AND key = $2`, []any{c.Source, c.Key}, &speaks); err != nil {
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
	about := []directory.Deed{directory.Distinct}
	switch c.Kind {
	case directory.CaseDuplicate, directory.CaseRemoved:
		about = append(about, directory.Same)
	case directory.CaseFacts:
		about = []directory.Deed{directory.Keep, directory.Take}
	case directory.CaseDocument:
		about = []directory.Deed{directory.Keep, directory.Distinct}
	}
	switch {
	case !slices.Contains(about, d) && c.Kind == directory.CaseFacts:
		return directory.Errorf(directory.Refused, "decision", "the sources differ: keep what is shown, or take what this page says")
	case !slices.Contains(about, d):
		return directory.Errorf(directory.Refused, "decision", "a name alone identifies nobody, so there is nothing to %s. "+
			"Ask the provider for the number that would tell: once a listing states it, the row joins by itself. If it is somebody else, say distinct", d)
	case d == directory.Same && c.Kind == directory.CaseDuplicate && p.other == "":
		return directory.Errorf(directory.Refused, "decision", "the row may be of several, or of nobody with a page: say distinct of those whom it is not")
	case m.Name == "":
		return nil
	}
	if err := o.may(m, d, directory.Ordinary); err != nil || d != directory.Same || c.Kind != directory.CaseDuplicate {
		return err
	}
	switch {
	case slices.Contains(p.given, m.Name):
		return directory.Errorf(directory.Conflict, "staff", "%s has said so already: a second person makes one of the two: %s", m.Name, directory.OneOf(o.without(p.given, directory.Verifier, directory.Approver)))
	case len(p.given) > 0 && m.Role != directory.Approver && !slices.ContainsFunc(p.given, func(name string) bool { return slices.Contains(o.with(directory.Approver), name) }):
		return directory.Errorf(directory.Refused, "staff", "one of the two who make one provider of two must be an approver, and %s is a %s like %s: ask %s", m.Name, m.Role,
			directory.AllOf(p.given), directory.OneOf(o.without(p.given, directory.Approver)))
	}
	return nil
}

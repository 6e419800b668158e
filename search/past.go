package search

import (
	"context"
	"time"

	"kapdir/directory"
)

// A query about the past works the checks of everybody who could be found or counted out anew, from their
// files: the index holds them for now alone. So it is bounded in number and in time, and one that asks for
// more is refused rather than answered in part.
const (
	mostPast = 2000
	pastTime = 1500 * time.Millisecond
)

// lookBack fills the evaluation with the checks at the query's moment. Too many providers is an Invalid error
// about at.
func (x *Index) lookBack(ctx context.Context, e *evaluation, s *snapshot, hits []hit) error {
	switch {
	case x.cfg.Files == nil:
		return directory.Errorf(directory.Invalid, "at", "this index answers for now alone")
	case e.q.At > directory.At(x.cfg.Now()):
		return directory.Errorf(directory.Invalid, "at", "a moment that has not come has no answer")
	}
	docs := s.byID
	if len(e.words.terms) > 0 {
		docs = nil
		for _, h := range hits {
			docs = append(docs, h.doc)
		}
	}
	var ids []directory.ID
	places := map[directory.ID]uint32{}
	for _, doc := range docs {
		if _, _, ok := e.fits(s, doc); !ok || !e.inReach(s, doc) {
			continue
		}
		places[s.ids[doc]] = doc
		if ids = append(ids, s.ids[doc]); len(ids) > mostPast {
			return directory.Errorf(directory.Invalid, "at", "the checks of at most %d providers can be worked out for a moment of the past: say more of what you look for", mostPast)
		}
	}
	e.past = make(map[uint32]*checksEntry, len(ids))
	const page = 200
	for len(ids) > 0 {
		files, err := x.cfg.Files(ctx, ids[:min(page, len(ids))])
		if err != nil {
			return err
		}
		ids = ids[min(page, len(ids)):]
		for _, f := range files {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			e.past[places[f.Provider.ID]] = x.maker.checksAt(f.WithoutCleared(known, x.maker.policies), e.y, e.q.At)
		}
	}
	return nil
}

// checksAt works out the checks for patients of the state, "" for the provider's own, at a moment.
func (m maker) checksAt(f *directory.CredentialFile, y directory.State, t directory.Instant) *checksEntry {
	if y == "" {
		y = f.Provider.HomeState()
	}
	var c stateChecks
	for i, x := range directory.Checks(f, y, t, known, m.policies) {
		c.results[i] = uint8(x.Result.Rank())
	}
	return c.entry()
}

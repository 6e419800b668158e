package web

import (
	"cmp"
	"slices"

	"kapdir/directory"
)

// How a session is run is stated in two ways: a listing names it among its facts, and the claim of a protocol says
// yes or no of five parts of it, by the provider's own word or by their document. Facts are one source's, chosen by
// directory.FactRules; what the claim says stands beside them, so that a page never calls unknown what somebody
// stated, and never hides that two say different things.

// sessionParts are the five parts, in a page's order: the field of the practice that tells the same, what the claim
// says of it, and what the listing says.
var sessionParts = []struct {
	field string
	claim func(b *directory.Body) directory.Answer
	fact  func(p *practice) (directory.Answer, *origin)
}{
	{"preparation", func(b *directory.Body) directory.Answer { return b.Preparation }, func(p *practice) (directory.Answer, *origin) { return offered(p.Preparation) }},
	{"integration", func(b *directory.Body) directory.Answer { return b.Integration }, func(p *practice) (directory.Answer, *origin) { return offered(p.Integration) }},
	{"presence", func(b *directory.Body) directory.Answer { return b.Presence }, func(p *practice) (directory.Answer, *origin) {
		if p.Presence == nil {
			return directory.Unknown, nil
		}
		switch directory.Presence(p.Presence.Value.Value) {
		case directory.PresenceInRoom, directory.PresenceVideo:
			return directory.Yes, p.Presence.Origin
		}
		return directory.No, p.Presence.Origin
	}},
	{"vital_signs", func(b *directory.Body) directory.Answer { return b.Monitoring }, func(p *practice) (directory.Answer, *origin) {
		if p.VitalSigns == nil && p.Monitoring != nil && slices.ContainsFunc(p.Monitoring.Value, func(x labelled) bool {
			return slices.Contains([]string{"blood_pressure", "heart_rate", "oxygen"}, x.Value)
		}) {
			return directory.Yes, p.Monitoring.Origin
		}
		return given(p.VitalSigns)
	}},
	{"emergency_plan", func(b *directory.Body) directory.Answer { return b.Emergency }, func(p *practice) (directory.Answer, *origin) { return given(p.EmergencyPlan) }},
}

func given(f *fact[yesNo]) (directory.Answer, *origin) {
	if f == nil {
		return directory.Unknown, nil
	}
	return f.Value, f.Origin
}

// offered is whether a phase is offered: whoever states sessions of it offers it.
func offered(f *fact[phase]) (directory.Answer, *origin) {
	switch {
	case unsaid(f):
		return directory.Unknown, nil
	case f.Value.Offered == directory.Unknown:
		return directory.Yes, f.Origin
	}
	return f.Value.Offered, f.Origin
}

// partStated is what somebody states of a part of a session beside the practice's own field for it.
type partStated struct {
	Part    string           `json:"part"` // the field
	Value   directory.Answer `json:"value"`
	Origin  *origin          `json:"origin"`
	Differs bool             `json:"differs"` // from what another source states of the part
	aging
}

// also adds to the practice what the claims of a protocol say of the five parts: of each part and answer the best
// class's newest word, and what only repeats the listing's own field not at all. What a person is looking at, and
// what was withdrawn, says nothing; a document that has a fault is nobody's word beside the provider's own. Like
// the practice, it is told as it is now.
func (s *Server) also(w *practice, f *directory.CredentialFile, m moment) {
	w.Also = []partStated{}
	stale := s.cfg.Policies.InForce(m.now, m.now).Kinds[directory.ProtocolClaim].Stale
	for _, h := range f.Claims {
		if h.Claim.Kind != directory.ProtocolClaim || !directory.Derive(h, m.now, m.known, s.cfg.Policies).Shown() {
			continue
		}
		said := slices.DeleteFunc(h.StatedBy(m.now, m.known), func(e directory.Event) bool { return e.Carries() != e.Body.Class })
		for _, part := range sessionParts {
			listed, by := part.fact(w)
			for i := range said {
				e := &said[i]
				x := partStated{Part: part.field, Value: part.claim(&e.Body), Origin: &origin{Source: e.Body.Source, Name: m.lang.sourceName(e.Body.Source), URL: webAddress(e.Body.Link),
					AsOf: cmp.Or(e.Body.SourceAsOf, e.PerformedAt.Date())}}
				x.aging = m.aging(x.Origin.AsOf, stale)
				again := slices.ContainsFunc(w.Also, func(y partStated) bool { return y.Part == x.Part && y.Value == x.Value })
				if x.Value == directory.Unknown || again || x.Value == listed && (by == nil || by.Source == x.Origin.Source || e.Body.Class == directory.ClassListing) {
					continue
				}
				w.Also = append(w.Also, x)
			}
		}
	}
	for i := range w.Also {
		w.Also[i].Differs = w.differs(w.Also[i].Part)
	}
}

// answers are the answers that are stated of a part of a session, each once.
func (p *practice) answers(field string) (out []directory.Answer) {
	for _, part := range sessionParts {
		if a, _ := part.fact(p); part.field == field && a != directory.Unknown {
			out = append(out, a)
		}
	}
	for _, x := range p.Also {
		if x.Part == field && !slices.Contains(out, x.Value) {
			out = append(out, x.Value)
		}
	}
	return out
}

// Differs reports that sources state different things of the part.
func (p *practice) differs(field string) bool { return len(p.answers(field)) > 1 }

// Beside are the statements beside the practice's own field.
func (p practice) Beside(field string) (out []partStated) {
	for _, x := range p.Also {
		if x.Part == field {
			out = append(out, x)
		}
	}
	return out
}

// CareDiffers reports that sources state different things of a part by which the kind of care goes.
func (p practice) CareDiffers() bool {
	return p.Care.Value != string(directory.CareUnknown) && (p.differs("preparation") || p.differs("integration") || p.differs("presence"))
}

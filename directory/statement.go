package directory

import (
	"slices"
	"strings"
)

// Statement is a claim with what a record says of it, before the store gives them their identity.
type Statement struct {
	Claim Claim // without ID, Provider and Created
	Type  EventType
	Body  Body
	// Prescriber names the other side of an oversight link by an NPI or a licence, which the store
	// resolves to a provider. It is nil for every other kind, for a provider who prescribes themself
	// (Self), and for a prescriber of whom only a name is stated: a name makes nobody a page.
	Prescriber *ListedPrescriber
	Self       bool
}

// Assertions returns what a listing claims about its provider, as assertions of class listing. A claim
// stands for each licence, training, oversight link, the protocol and the contact facts it states.
func (l Listing) Assertions() []Statement {
	var out []Statement
	say := func(c Claim, b Body) *Statement {
		b.Class, b.Source, b.SourceAsOf, b.Link = ClassListing, l.Origin.Source, l.Origin.AsOf, l.Origin.URL
		out = append(out, Statement{Claim: c, Type: Assert, Body: b})
		return &out[len(out)-1]
	}
	if l.NPI != "" {
		say(Claim{Kind: IdentityNPI, Number: ParseLicenceNumber(string(l.NPI))}, Body{Number: string(l.NPI)})
	}
	for _, x := range l.Licences {
		say(x.claim(), Body{Number: x.Number.Shown, SourceWords: x.Title})
	}
	for _, x := range l.Training {
		say(TrainingClaim(x.Programme), Body{Programme: x.Programme, Level: x.Level, Completed: x.Completed})
	}
	for i := range l.Prescribers {
		p := &l.Prescribers[i]
		s := say(Claim{Kind: OversightLink}, Body{Side: "provider", Name: p.Name.String()})
		switch {
		case p.Self:
			s.Self = true
		case p.identified():
			s.Prescriber = p
		default:
			s.Claim.Title = p.Name.String()
		}
	}
	if b, ok := l.Practice.protocol(); ok {
		say(Claim{Kind: ProtocolClaim}, b)
	}
	if l.Website != "" || slices.ContainsFunc(l.Sites, func(s Site) bool { return s.Phone != "" }) {
		say(Claim{Kind: ContactClaim}, Body{})
	}
	if l.Practice.Accepting != Unknown {
		say(Claim{Kind: Availability}, Body{SourceWords: string(l.Practice.Accepting)})
	}
	return out
}

// identified reports that the page says by what the prescriber can be known: an NPI or a licence number.
func (p ListedPrescriber) identified() bool {
	return p.NPI != "" || slices.ContainsFunc(p.Licences, func(l ListedLicence) bool { return l.Number.Key != "" })
}

// claim gives the licence its identity: the board's own type code where the title is known.
func (x ListedLicence) claim() Claim {
	c := Claim{Kind: License, Jurisdiction: x.State, Title: x.Title, Number: x.Number}
	if t, ok := (LicenceKey{x.State, x.Title, x.Number}).title(); ok {
		c.Title = t.BoardType
	}
	return c
}

// TrainingClaim gives a training its identity: the recognised programme, or the words themselves.
func TrainingClaim(words string) Claim {
	if p, ok := Tables().Programme(words); ok {
		return Claim{Kind: TrainingCert, Issuer: p.ID, Title: p.Name}
	}
	return Claim{Kind: TrainingCert, Title: strings.Join(strings.Fields(words), " ")}
}

// protocol returns what the practice states of the four parts of check 4; ok is false if it states none.
func (p Practice) protocol() (Body, bool) {
	b := Body{Preparation: p.Preparation.Offered, Integration: p.Integration.Offered, Monitoring: p.VitalSigns, Emergency: p.EmergencyPlan}
	switch p.Presence {
	case PresenceInRoom, PresenceVideo:
		b.Presence = Yes
	case PresenceOnSite, PresenceNone:
		b.Presence = No
	}
	return b, b.Preparation != Unknown || b.Presence != Unknown || b.Monitoring != Unknown || b.Emergency != Unknown || b.Integration != Unknown
}

// Observations returns what a record of a source that can prove something says about the provider it
// was matched to. An exclusion list's clear answer comes from the completed run: see ScreenClear. A register
// whose format is not confirmed proves nothing: see stated.
func (r Record) Observations(rel Release, m Match) []Statement {
	if rel.Unconfirmed && (r.Licence != nil || r.Delegation != nil) {
		return r.stated(rel, m)
	}
	base := Body{Match: m.Rung, By: m.By, Against: m.Against, Source: r.Source, SourceAsOf: rel.AsOf, Release: rel.Name}
	see := func(c Claim, b Body) Statement { return Statement{Claim: c, Type: Observe, Body: b} }
	switch {
	case r.Identity != nil:
		b := base
		b.Number, b.Name = string(r.Identity.NPI), r.Identity.Name.String()
		b.State, b.SourceWords = SeenActive, "active"
		if !r.Identity.Active() {
			b.State, b.SourceWords, b.ActionDate = SeenInactive, "deactivated", r.Identity.Deactivated
		}
		return []Statement{see(Claim{Kind: IdentityNPI, Number: ParseLicenceNumber(string(r.Identity.NPI))}, b)}
	case r.Licence != nil:
		l := r.Licence
		b := base
		b.State, b.SourceWords, b.Number, b.Name = l.Standing, l.Words, l.Number.Shown, l.Name.String()
		b.Issued, b.Expires, b.Link = l.Issued, l.Expires, l.Link
		c := Claim{Kind: License, Jurisdiction: l.State, Title: l.BoardType, Number: l.Number}
		if l.Discipline == DisciplineUnsaid {
			return []Statement{see(c, b)}
		}
		d := base
		d.Number, d.Name, d.Link, d.State = b.Number, b.Name, l.Link, SeenClear
		for _, a := range l.Actions {
			words := strings.TrimSpace(a.Case + " " + a.Action)
			d.Restrictions = append(d.Restrictions, words)
			if a.Effective > d.ActionDate {
				d.ActionDate = a.Effective
			}
			switch {
			case a.Completed == "":
				d.State = SeenRestricted
			case d.State == SeenClear:
				d.State = SeenReinstated // every action is completed: a person looks before it counts as good
			}
		}
		switch {
		case l.Standing.Adverse() && d.State == SeenClear:
			d.State, d.SourceWords = l.Standing, l.Words
		case l.Discipline == DisciplineFlagged && len(l.Actions) == 0:
			d.State, d.SourceWords = SeenIndeterminate, l.Words
		}
		b.Restrictions, b.ActionDate = d.Restrictions, d.ActionDate
		screen := Claim{Kind: DisciplineScreen, Issuer: r.Source, Jurisdiction: l.State, Title: l.BoardType, Number: l.Number}
		if l.Discipline == DisciplineAlone {
			return []Statement{see(screen, d)}
		}
		return []Statement{see(c, b), see(screen, d)}
	case r.Delegation != nil:
		x := r.Delegation
		b := base
		b.State, b.SourceWords, b.Number, b.Name, b.From, b.To = SeenActive, "prescriptive delegation", x.Delegate.Number.Shown, x.Delegate.Name.String(), x.From, x.To
		if x.To != "" && rel.AsOf != "" && x.To < rel.AsOf {
			b.State = SeenExpired
		}
		st := see(Claim{Kind: OversightLink}, b)
		st.Prescriber = &ListedPrescriber{Name: x.Physician.Name, Licences: []ListedLicence{{Title: x.Physician.BoardType, State: x.State, Number: x.Physician.Number}}}
		return []Statement{st}
	case r.Exclusion != nil:
		e := r.Exclusion
		if e.Reinstated != "" && !m.Identified() { // a name on a row that excludes nobody any more is no candidate
			return nil
		}
		b := base
		b.State, b.SourceWords, b.ActionDate, b.Name = SeenPossible, e.Authority, e.Excluded, e.Name.String()
		if e.Organisation != "" {
			b.Name = e.Organisation
		}
		if m.Identified() && m.Rung == M5 {
			b.State = SeenExcluded
		}
		if e.Reinstated != "" {
			b.State, b.ActionDate = SeenReinstated, e.Reinstated
		}
		return []Statement{see(Claim{Kind: ExclusionScreen, Issuer: r.Source}, b)}
	}
	return nil
}

// stated is what a register whose format is not confirmed says: that it lists a licence, or that two work
// together, as a listing would. What it says against somebody it does not say at all here; the caller
// opens a case for a person, and a match that is not sure says nothing.
func (r Record) stated(rel Release, m Match) []Statement {
	if m.Rung != M5 && m.Rung != M4 {
		return nil
	}
	rel.Unconfirmed = false
	var out []Statement
	for _, st := range r.Observations(rel, m) {
		if st.Body.State == SeenActive && (st.Claim.Kind == License || st.Claim.Kind == OversightLink) {
			b := st.Body
			st.Type, st.Body = Assert, Body{Class: ClassListing, Source: b.Source, SourceAsOf: b.SourceAsOf, SourceWords: b.SourceWords, Number: b.Number, Name: b.Name, From: b.From, To: b.To}
			if st.Claim.Kind == OversightLink {
				st.Body.Side = "provider"
			}
			out = append(out, st)
		}
	}
	return out
}

// Adverse reports a row that says something against whom it is of.
func (r Record) Adverse() bool {
	return r.Licence != nil && (r.Licence.Standing.Adverse() || len(r.Licence.Actions) > 0)
}

// ScreenClear returns the observation that a completed release of an exclusion list holds neither an
// identifier nor a name of the provider. The caller may say so only when the run completed, passed its
// size and header checks, and every name and identifier held was searched (contracts.md §4).
func ScreenClear(rel Release) Statement {
	return Statement{Claim: Claim{Kind: ExclusionScreen, Issuer: rel.Source}, Type: Observe,
		Body: Body{State: SeenClear, Match: M5, Source: rel.Source, SourceAsOf: rel.AsOf, Release: rel.Name}}
}

package web

import (
	"slices"

	"kapdir/directory"
)

// StatesOf returns the patient states for which something of its own is said of a provider, in order: those
// of their licences and privileges, of their sites, those that they name for telehealth, and the one that a
// patient is taken to be in who names none, which is "" if nobody knows where the provider works.
func StatesOf(f *directory.CredentialFile) []directory.State {
	out := []directory.State{f.Provider.HomeState()}
	for _, h := range f.Claims {
		if k := h.Claim.Kind; (k == directory.License || k == directory.CompactPrivilege) && h.Claim.Jurisdiction != "" {
			out = append(out, h.Claim.Jurisdiction)
		}
	}
	for _, s := range f.Provider.Sites {
		if s.Address.State != "" {
			out = append(out, s.Address.State)
		}
	}
	out = append(out, f.Provider.Practice.TelehealthIn...)
	slices.Sort(out)
	return slices.Compact(out)
}

// Statements returns what is said of a public provider to a patient of each of the states; without states,
// of those of StatesOf. There is none of a provider who was withdrawn, whatever the moment; of a file that
// was taken down, once that is known; and of whom nothing was recorded yet at known.
func Statements(f *directory.CredentialFile, states []directory.State, at, known directory.Instant, policies directory.Policies) []Statement {
	if !Stated(f, at, known, policies) {
		return nil
	}
	if len(states) == 0 {
		states = StatesOf(f)
	}
	out := make([]Statement, 0, len(states))
	for _, y := range states {
		out = append(out, Published(f, y, at, known, policies))
	}
	return out
}

// recorded reports that the provider was in the directory at known: a claim of theirs was made by then.
func recorded(f *directory.CredentialFile, known directory.Instant) bool {
	return len(f.Claims) == 0 || slices.ContainsFunc(f.Claims, func(h directory.History) bool { return h.Claim.Created <= known })
}

// takenDown reports a takedown of the whole file.
func takenDown(f *directory.CredentialFile, at, known directory.Instant, policies directory.Policies) bool {
	return slices.ContainsFunc(f.Claims, func(h directory.History) bool {
		return h.Claim.Kind == directory.FileClaim && directory.Derive(h, at, known, policies).Status == directory.StatusWithdrawn
	})
}

// Line writes the statement as a line of JSON, in the same bytes as the API writes its checks and claims.
func (s Statement) Line() ([]byte, error) {
	return encodeJSON(struct {
		Record string `json:"record"`
		Statement
	}{"statement", s})
}

// Stated reports that something was said of a public provider at the moment, as known then: see Statements.
func Stated(f *directory.CredentialFile, at, known directory.Instant, policies directory.Policies) bool {
	return !f.Provider.Withdrawn && f.Provider.MergedInto == "" && recorded(f, known) && !takenDown(f, at, known, policies)
}

// Words names what stands in a file in the words of the public faces.
type Words struct{ t teller }

// WordsOf returns the words for a file, with the names of the tables in force.
func WordsOf(f *directory.CredentialFile, at, known directory.Instant, policies directory.Policies) Words {
	return Words{newTeller(f, f.Provider.HomeState(), moment{at: at, known: known}, policies)}
}

// Source is a source's name: Colorado register.
func (w Words) Source(id string) string { return w.t.sourceName(id) }

// Status is what a claim is worth, in a word or two.
func (w Words) Status(c directory.Claim, s directory.Standing) string {
	if label := english.statusLabel(c, s); label != "" {
		return label
	}
	if s.Status == directory.StatusWithdrawn {
		return "Withdrawn"
	}
	return "Nothing that counts"
}

// Claim names what a claim is about: Licence CSW.0992 (Licensed Clinical Social Worker), Colorado.
func (w Words) Claim(c directory.Claim) string {
	switch c.Kind {
	case directory.License, directory.CompactPrivilege:
		return capital(w.t.licence(c)) + ", " + c.Jurisdiction.Name()
	case directory.DisciplineScreen:
		return "Board actions on " + w.t.licence(c) + ", " + c.Jurisdiction.Name()
	case directory.ExclusionScreen:
		return "Exclusion list: " + w.t.sourceName(c.Issuer)
	case directory.TrainingCert:
		return "KAP training: " + w.t.programmeName(c)
	case directory.OversightLink:
		if c.Other == "" {
			return "Prescriber: " + c.Title
		}
		return "Prescriber: " + w.t.prescriber(c)
	case directory.IdentityNPI:
		return "National provider number " + c.Number.Shown
	case directory.BoardCert, directory.Pledge:
		return english.t("kind."+string(c.Kind)) + ": " + c.Title
	}
	if c.Jurisdiction != "" {
		return english.t("kind."+string(c.Kind)) + ", " + c.Jurisdiction.Name()
	}
	return english.t("kind." + string(c.Kind))
}

package web

import (
	"cmp"
	"slices"

	"kapdir/directory"
)

// change is something that a source, a document or somebody said of a provider, on the day on which it was said:
// it differs from what was said before.
type change struct {
	Date     directory.Date        `json:"date"`
	Claim    directory.ID          `json:"claim"`
	Status   directory.Status      `json:"status"`
	Sentence string                `json:"sentence"`
	Result   directory.CheckResult `json:"-"` // whose shape stands beside it
}

// mostChanges bounds what a page tells; the newest are told.
const mostChanges = 40

// changesOf tells how what is said of each claim came to be, the newest first: what Derive answers for each
// moment up to m with what is known now, settled statements only. What was voided is in no answer; what is
// withdrawn, waits for a person, or rests on nothing that counts is left out whole, for all of its past.
func changesOf(f *directory.CredentialFile, claims []claim, y directory.State, m moment, policies directory.Policies) []change {
	f = f.WithoutCleared(m.known, policies)
	out := []change{}
	for _, h := range f.Claims {
		i := slices.IndexFunc(claims, func(c claim) bool { return c.ID == h.Claim.ID })
		if i < 0 || claims[i].Status == directory.StatusUnderReview || h.Claim.Kind == directory.ContactClaim || h.Claim.Kind == directory.Availability {
			continue
		}
		out = append(out, changesOfClaim(f, h, y, m, policies)...)
	}
	slices.SortStableFunc(out, func(a, b change) int { return cmp.Or(cmp.Compare(b.Date, a.Date), cmp.Compare(a.Claim, b.Claim)) })
	return out[:min(len(out), mostChanges)]
}

func changesOfClaim(f *directory.CredentialFile, h directory.History, y directory.State, m moment, policies directory.Policies) (out []change) {
	var at directory.Instant
	for _, e := range h.Events {
		if at == "" || e.PerformedAt < at {
			at = e.PerformedAt
		}
	}
	type said struct {
		status  directory.Status
		state   directory.Observed
		source  string
		words   string
		expires directory.Date
	}
	var last said
	const most = 400 // answers; a history of thirty years of monthly looks
	for range most {
		if at == "" || at > m.at {
			break
		}
		s := directory.Derive(h, at, m.known, policies)
		if s.Shown() {
			b := s.Basis.Body
			now := said{s.Status, b.State, b.Source, b.SourceWords, b.Expires}
			if now.status == directory.StatusExpiring { // that a day comes nearer is no news
				now.status = directory.StatusVerified
			}
			if now != last {
				then := m
				then.at = at
				t := newTeller(f, y, then, policies)
				if words := t.happened(h.Claim, s); words != "" {
					day := s.CheckedAt.Date()
					if last.status != now.status && (s.Status == directory.StatusStale || s.Status == directory.StatusExpired && b.State != directory.SeenExpired) {
						day = at.Date() // nobody looked: time did it
					}
					out = append(out, change{day, h.Claim.ID, s.Status, t.t("changes.on", "Date", day, "What", words), statusResult[s.Status]})
				}
				last = now
			}
		}
		at = s.ValidUntil
	}
	return out
}

// happened tells a standing as news, for the end of a sentence that begins with the day.
func (t teller) happened(c directory.Claim, s directory.Standing) string {
	b := s.Basis.Body
	what := t.noun(c, b)
	register := t.the(b.Source)
	screen := c.Kind == directory.ExclusionScreen || c.Kind == directory.DisciplineScreen
	switch {
	case s.Status == directory.StatusStale && s.Class != directory.ClassSource:
		return t.t("change.stale.said", "Source", register, "What", t.about(c, b))
	case s.Status == directory.StatusStale:
		return t.t("change.stale", "What", t.about(c, b))
	case s.Status == directory.StatusNotFound:
		return t.t("change.not_found", "Register", register, "What", t.about(c, b))
	case s.Status == directory.StatusCouldNotCheck:
		return t.t("change.could_not_check", "What", t.about(c, b))
	case s.Class != directory.ClassSource && s.Status == directory.StatusExpired:
		return t.t("change.ended", "What", t.about(c, b))
	case s.Class == directory.ClassSelf:
		return t.t("change.self", "What", t.about(c, b))
	case s.Class == directory.ClassDocument:
		return t.t("change.document", "What", t.about(c, b))
	case s.Class == directory.ClassListing:
		return t.t("change.listing", "Source", register, "What", t.about(c, b))
	case s.Status == directory.StatusAdverse && c.Kind == directory.ExclusionScreen:
		return t.t("change.exclusion", "Register", register)
	case s.Status == directory.StatusAdverse:
		return t.t("change.action", "Register", register, "What", t.about(c, b), "Words", t.words(b))
	case screen && b.State == directory.SeenReinstated && c.Kind == directory.ExclusionScreen:
		return t.t("change.reinstated", "Register", register)
	case screen && b.State == directory.SeenReinstated:
		return t.t("change.action.past", "Register", register, "What", t.licence(c))
	case c.Kind == directory.ExclusionScreen && s.Status == directory.StatusVerified:
		return t.t("change.no_match", "Register", register)
	case c.Kind == directory.DisciplineScreen && s.Status == directory.StatusVerified:
		return t.t("change.no_action", "Register", register, "What", t.licence(c))
	case s.Status == directory.StatusExpired && b.State != directory.SeenExpired:
		return t.t("change.ended", "What", t.about(c, b))
	case c.Kind == directory.TrainingCert:
		return t.t("change.training", "Programme", t.programmeName(c))
	case c.Kind == directory.OversightLink:
		return t.t("change.oversight", "Register", register, "Name", t.prescriber(c))
	case b.SourceWords == "" && (s.Status == directory.StatusExpired || s.Status == directory.StatusInactive):
		return t.t("change.listed", "Register", register, "What", what, "As", t.t("say.as", "Words", t.statusLabel(c, s)), "Expires", "")
	}
	return t.t("change.listed", "Register", register, "What", what, "As", t.as(b.SourceWords), "Expires", t.until(b))
}

func (t teller) until(b directory.Body) string {
	if b.Expires == "" {
		return ""
	}
	return t.t("change.until", "Date", b.Expires)
}

// about names a claim for the middle of a sentence, whatever it is of.
func (t teller) about(c directory.Claim, b directory.Body) string {
	if c.Kind == directory.ExclusionScreen {
		return t.the(c.Issuer)
	}
	return t.noun(c, b)
}

package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kapdir/directory"
)

// Every sentence that a public face says about a check or a credential is put together in this file, of the
// messages of a language and in the wording of domain.md §5.7. A sentence says who lists what in which words,
// and when we looked; it never says what to make of it. What a result means in general stands under means.

// sentence is what is said of a check or a credential, with the numbers of the events that it rests on.
// What rests on no event says that something is not held, and of that alone. The numbers are for staff and
// the audit: a number tells when something was recorded, and a gap that something else was.
type sentence struct {
	text    string
	because []int64 // ascending
}

// telling gathers sentences, each once, and what they rest on.
type telling struct {
	said    []string
	because []int64
}

func (x *telling) add(s sentence) {
	if s.text == "" {
		return
	}
	x.because = append(x.because, s.because...)
	if !slices.Contains(x.said, s.text) {
		x.said = append(x.said, s.text)
	}
}

func (x telling) sentence() sentence {
	slices.Sort(x.because)
	return sentence{strings.Join(x.said, " "), slices.Compact(x.because)}
}

// labelOf is a result's label for a check: who confirms differs.
func (l *lang) labelOf(name directory.CheckName, r directory.CheckResult) string {
	if r == directory.Confirmed {
		switch name {
		case directory.CheckTraining:
			return l.t("result.confirmed.training")
		case directory.CheckRecord:
			return l.t("result.confirmed.record")
		}
	}
	return l.t("result." + string(r))
}

// unanswered reports a check for which something is held that does not answer it: a protocol of which
// parts are not stated, a licence of another field, a programme that nobody knows.
func unanswered(c directory.Check) bool {
	return c.Result == directory.NotChecked && c.Check != directory.CheckRecord && c.Check != directory.CheckOversight && len(c.Parts) > 0 && c.Parts[0].Standing.Shown()
}

// checkLabel is the words beside the shape of a check.
func (l *lang) checkLabel(c directory.Check) string {
	switch {
	case unanswered(c) && c.Check == directory.CheckProtocol:
		return l.t("result.not_checked.protocol")
	case unanswered(c):
		return l.t("result.not_checked.unanswered")
	}
	return l.labelOf(c.Check, c.Result)
}

// meaningOf is what a check's result means.
func (l *lang) meaningOf(c directory.Check) string {
	switch name, r := c.Check, c.Result; {
	case ofPractice(c):
		return l.t("means.practice")
	case unanswered(c):
		return l.t("means.unanswered")
	case r == directory.BeingChecked && slices.Contains(c.Reasons, directory.ReasonTitleUnknown):
		return l.t("means.title_unknown")
	case name == directory.CheckProtocol && r == directory.ShownByDocument:
		return l.t("means.shown_by_document.protocol")
	case name == directory.CheckOversight && r == directory.ShownByDocument:
		return l.t("means.shown_by_document.oversight")
	case name == directory.CheckOversight && r == directory.NotChecked && slices.ContainsFunc(c.Parts, func(p directory.Part) bool { return p.Standing.Shown() }):
		return l.t("means.not_checked.oversight")
	case name == directory.CheckRecord && r == directory.NotChecked:
		return l.t("means.not_checked.record")
	case name == directory.CheckRecord && r == directory.Confirmed:
		return l.t("means.confirmed.record")
	}
	return l.t("means." + string(c.Result))
}

// ofPractice reports a check of what a person holds, which a practice as such does not.
func ofPractice(c directory.Check) bool {
	return c.Organisation && c.Result == directory.NotChecked && (c.Check == directory.CheckLicense || c.Check == directory.CheckTraining)
}

// publicReasons are the reason codes that a public face may give (contracts.md §4). What tells of a
// review, a candidate or a source's internal trouble is not among them.
var publicReasons = map[string]bool{
	directory.ReasonReviewPending: true, directory.ReasonDisputeOpen: true, directory.ReasonNoRecord: true, directory.ReasonUnavailable: true,
	"SRC_RESTRICTED": true, "SRC_TERMS_FORBID": true, "SRC_NO_REGISTER": true, directory.ReasonTooOld: true, directory.ReasonExpiresSoon: true,
	directory.ReasonExpired: true, directory.ReasonExactID: true, directory.ReasonCorroborated: true, directory.ReasonExcluded: true,
	directory.ReasonReinstated: true, "LIC_RESTRICTED": true, "LIC_PROBATION": true, "LIC_SUSPENDED": true, "LIC_REVOKED": true,
	"LIC_SURRENDERED": true, "LIC_INACTIVE": true, "LIC_EXPIRED": true, "LIC_PENDING": true, directory.ReasonJurisdiction: true, directory.ReasonTitleUnknown: true,
	directory.ReasonSupervised: true, directory.ReasonNotMH: true, directory.ReasonProgramUnknown: true, directory.ReasonAttendanceOnly: true,
	directory.ReasonOneSided: true, directory.ReasonPrescriberLapsed: true, directory.ReasonStateGap: true, directory.ReasonDEAUnseen: true,
	directory.ReasonNoPreparation: true, directory.ReasonNoPresence: true, directory.ReasonNoMonitoring: true, directory.ReasonNoEmergency: true,
	directory.ReasonNoIntegration: true, directory.ReasonPrescriberUnseen: true, directory.ReasonAgreementMissing: true, directory.ReasonREMSUnseen: true,
	directory.ReasonRuleLapsed: true,
}

func onlyPublic(reasons []string) []string {
	out := []string{}
	for _, r := range reasons {
		if publicReasons[r] && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// teller says things about one provider at one moment, in a language.
type teller struct {
	*lang
	file   *directory.CredentialFile
	at     directory.Instant
	policy directory.Policy
	state  directory.State // the patient's

	lasting bool // as of a moment
}

func newTeller(f *directory.CredentialFile, y directory.State, m moment, policies directory.Policies) teller {
	return teller{cmp.Or(m.lang, english), f, m.at, policies.InForce(m.at, m.known), y, m.lasting}
}

// says returns a message as a sentence, which begins with a capital whatever its first word is.
func (t teller) says(key string, args ...any) string { return capital(t.t(key, args...)) }

// check tells a check's sentence: its parts, those that decide first. Check 5 has many parts, and names
// what is missing and what stands against the provider before it says what was clear.
func (t teller) check(c directory.Check) sentence {
	var out telling
	if c.Check == directory.CheckRecord {
		return t.record(c)
	}
	parts := c.Parts
	if c.Check == directory.CheckOversight && c.Result != directory.ProblemOnRecord { // first who it is, then their licence
		parts = slices.Clone(parts)
		slices.SortStableFunc(parts, func(a, b directory.Part) int {
			return boolRank(a.What != directory.OversightLink) - boolRank(b.What != directory.OversightLink)
		})
	}
	for _, p := range parts {
		out.add(t.part(p))
	}
	if slices.Contains(c.Reasons, directory.ReasonRuleLapsed) {
		if rule, lapsed := t.policy.Tables().Lapsed(directory.TelePrescribing, t.at); lapsed {
			out.add(sentence{text: t.named("rule."+rule.ID, rule.After)})
		}
	}
	return out.sentence()
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (t teller) record(c directory.Check) sentence {
	var out telling
	var missing []string
	for _, p := range c.Parts {
		switch {
		case p.Result != c.Result:
		case p.Result == directory.NotChecked && !p.Standing.Shown():
			if what := t.missingWhat(p); !slices.Contains(missing, what) {
				missing = append(missing, what)
			}
		default:
			out.add(t.part(p))
		}
	}
	const most = 3
	if n := len(out.said); n > most {
		out.said = append(out.said[:most], t.t("say.more", "Total", n))
	}
	if len(missing) > 0 {
		out.add(sentence{text: t.t("say.missing", "What", strings.Join(missing, "; "))})
	}
	if c.Result != directory.Confirmed {
		for _, p := range c.Parts {
			if p.What == directory.ExclusionScreen && p.Result == directory.Confirmed {
				out.add(t.part(p))
			}
		}
	}
	return out.sentence()
}

// part tells one part of a check.
func (t teller) part(p directory.Part) sentence {
	if p.Standing.Status == directory.StatusUnderReview {
		return sentence{t.t("say.review"), p.Standing.Because}
	}
	if !p.Standing.Shown() {
		return sentence{text: t.missing(p)}
	}
	out := t.standing(*p.Claim, p.Standing, t.whose(p.Provider))
	switch {
	case slices.Contains(p.Reasons, directory.ReasonTitleUnknown):
		out.text += " " + t.t("say.title_unknown", "State", p.Claim.Jurisdiction)
	case slices.Contains(p.Reasons, directory.ReasonSupervised):
		out.text += " " + t.t("say.supervised", "State", p.Claim.Jurisdiction)
	case slices.Contains(p.Reasons, directory.ReasonNotMH):
		out.text += " " + t.t("say.not_mh")
	case slices.Contains(p.Reasons, directory.ReasonProgramUnknown):
		out.text += " " + t.t("say.programme_unknown")
	case slices.Contains(p.Reasons, directory.ReasonDEAUnseen):
		out.text += " " + t.t("say.dea_unseen", "State", t.stateName())
	}
	return out
}

func (t teller) stateName() string {
	if t.state == "" {
		return t.t("say.state_unknown")
	}
	return t.lang.state(t.state)
}

// subject is of whom a sentence speaks: the provider, or a linked prescriber by name if they have a page.
type subject struct {
	prescriber bool
	name       string
}

func (t teller) whose(id directory.ID) subject {
	if id == "" || id == t.file.Provider.ID {
		return subject{}
	}
	if f := t.file.Linked[id]; f != nil {
		return subject{true, f.Provider.DisplayName()}
	}
	return subject{prescriber: true}
}

func (t teller) who(w subject) string {
	if w.prescriber {
		return t.t("who.prescriber")
	}
	return t.t("who.provider")
}

// of puts a prescriber's name before a sentence about the prescriber.
func (t teller) of(w subject, sentence string) string {
	switch {
	case !w.prescriber:
		return sentence
	case w.name == "":
		return t.t("say.of_prescriber", "Sentence", sentence)
	}
	return t.t("say.of_prescriber.named", "Name", w.name, "Sentence", sentence)
}

// missing tells what is not there.
func (t teller) missing(p directory.Part) string {
	practice := t.file.Provider.Kind == directory.Organisation && (p.Provider == "" || p.Provider == t.file.Provider.ID)
	switch p.What {
	case directory.License, directory.CompactPrivilege:
		switch {
		case practice && len(p.Reasons) == 0:
			return t.t("missing.license.practice")
		case slices.Contains(p.Reasons, directory.ReasonJurisdiction) && t.state == "":
			return t.t("missing.license.choose")
		case slices.Contains(p.Reasons, directory.ReasonJurisdiction):
			return t.t("missing.license.elsewhere", "State", t.stateName())
		case slices.Contains(p.Reasons, directory.ReasonPrescriberUnseen):
			return t.t("missing.license.unseen")
		case slices.Contains(p.Reasons, directory.ReasonStateGap):
			return t.of(t.whose(p.Provider), t.t("missing.license.prescribe", "State", t.stateName()))
		case t.state == "":
			return t.t("missing.license.where")
		}
		return t.t("missing.license", "State", t.stateName())
	case directory.TrainingCert:
		if practice {
			return t.t("missing.training.practice")
		}
		return t.t("missing.training")
	case directory.OversightLink:
		return t.t("missing.oversight")
	case directory.PracticeAgreement:
		return t.of(t.whose(p.Provider), t.t("missing.agreement", "State", t.stateName()))
	case directory.REMSSite:
		return t.t("missing.rems")
	case directory.ProtocolClaim:
		return t.t("missing.protocol")
	}
	return t.says("missing.other", "What", t.missingWhat(p))
}

// missingWhat names what has not been looked at.
func (t teller) missingWhat(p directory.Part) string {
	switch p.What {
	case directory.License, directory.CompactPrivilege:
		if p.Claim != nil {
			return t.licence(*p.Claim)
		}
		return t.t("what.license")
	case directory.TrainingCert:
		if p.Claim != nil {
			return t.t("noun.training", "Title", programmeTitle(*p.Claim))
		}
		return t.t("what.training")
	case directory.DisciplineScreen:
		if p.Claim != nil {
			return t.t("noun.discipline", "Licence", t.licence(*p.Claim))
		}
		return t.t("what.discipline")
	case directory.ExclusionScreen:
		return t.the(p.List)
	}
	return t.t("kind." + string(p.What))
}

// licence names a licence: licence CSW.0992 (Licensed Clinical Social Worker).
func (t teller) licence(c directory.Claim) string {
	s := t.t("noun.license")
	if c.Kind == directory.CompactPrivilege {
		s = t.t("noun.compact_privilege")
	}
	if c.Number.Shown != "" {
		s += " " + c.Number.Shown
	}
	if title := t.titleWords(c); title != "" {
		s += " (" + title + ")"
	}
	return s
}

// titleWords is a licence type as a sentence says it: in full, with its profession in a language that the
// title is not in; or, where no table knows it, in the words of whoever stated it, and marked as theirs.
func (t teller) titleWords(c directory.Claim) string {
	for _, name := range []string{c.Title, c.Number.Prefix()} {
		if row, ok := t.policy.Tables().Title(c.Jurisdiction, name); ok {
			if p, ok := t.has("profession." + string(row.Profession)); ok {
				return row.Name + ", " + p
			}
			return row.Name
		}
	}
	return quoted(t.titleOf(c))
}

// titleOf is a licence type in full.
func (t teller) titleOf(c directory.Claim) string {
	for _, name := range []string{c.Title, c.Number.Prefix()} {
		if row, ok := t.policy.Tables().Title(c.Jurisdiction, name); ok {
			return row.Name
		}
	}
	if c.Title == c.Number.Prefix() {
		return ""
	}
	return c.Title
}

// the is a source as a sentence says it: the Colorado register, KAP Commons. Names are those of the release
// of the tables that the answer is computed with, so that what was said can be said again.
func (t teller) the(source string) string { return t.source(t.policy.Tables(), source) }

// sourceName is a source as a list of sources says it: Colorado register.
func (t teller) sourceName(source string) string { return t.listed(t.policy.Tables(), source) }

// sourceName names the source of a provider's facts, which are told as they are now.
func (l *lang) sourceName(source string) string { return l.listed(directory.Tables(), source) }

// listed is a source without the article that it has in a sentence.
func (l *lang) listed(tables *directory.ReferenceTables, source string) string {
	name := l.source(tables, source)
	for article := range strings.SplitSeq(l.t("articles"), "|") {
		if rest, ok := strings.CutPrefix(name, article); ok {
			return capital(rest)
		}
	}
	return capital(name)
}

func (l *lang) source(tables *directory.ReferenceTables, source string) string {
	row, ok := tables.Source(source)
	if !ok {
		return l.t("unlisted")
	}
	switch row.Kind {
	case "roster", "identity", "exclusion":
		row.Short = "the " + row.Short
	}
	return l.named("source."+source, row.Short)
}

// capital raises the first letter of a sentence.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || r == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// quoted sets words of others in quotation marks, which nothing within them can close.
func quoted(words string) string {
	if words = strings.TrimSpace(inner.Replace(words)); words == "" {
		return ""
	}
	return "“" + words + "”"
}

var inner = strings.NewReplacer("“", "‘", "”", "’", "\n", " ", "\r", " ")

// looked says when we looked, and how old the source's own data were if they were older.
func (t teller) looked(s directory.Standing) string {
	b, on := s.Basis.Body, s.CheckedAt.Date()
	if d := b.SourceAsOf; d != "" && d < on {
		return t.t("say.looked.data", "Register", t.the(b.Source), "Date", on, "Data", d)
	}
	return t.t("say.looked", "Register", t.the(b.Source), "Date", on)
}

// standing tells a claim in the safe wording. It is what a credential on a provider's page says.
func (t teller) standing(c directory.Claim, s directory.Standing, who subject) sentence {
	if s.Status == directory.StatusUnderReview {
		return sentence{t.t("say.review"), s.Because}
	}
	if !s.Shown() {
		return sentence{}
	}
	text := ""
	switch {
	case s.Status == directory.StatusNotFound:
		text = t.notFound(c, s)
	case s.Status == directory.StatusCouldNotCheck:
		text = t.couldNot(c, s)
	case s.Class == directory.ClassSource && s.Status == directory.StatusStale:
		text = t.of(who, t.stale(c, s))
	case s.Class == directory.ClassSource:
		text = t.of(who, t.fromSource(c, s))
	default:
		text = t.asserted(c, s, who)
	}
	switch {
	case !slices.Contains(s.Reasons, directory.ReasonDisputeOpen):
	case s.Disputant == directory.Staff:
		text += " " + t.t("say.disputed")
	default:
		text += " " + t.says("say.disputes", "Who", t.who(who))
	}
	return sentence{text, s.Because}
}

// fromSource tells what a register or list says.
func (t teller) fromSource(c directory.Claim, s directory.Standing) string {
	b, register := s.Basis.Body, t.the(s.Basis.Body.Source)
	licence := c.Kind == directory.License || c.Kind == directory.CompactPrivilege
	ended := s.Status == directory.StatusExpired || s.Status == directory.StatusInactive
	who, what := register, t.noun(c, b)
	if licence { // it is the state that lists it
		who, what = t.lang.state(c.Jurisdiction), t.licence(c)
	}
	said := ""
	switch last := cmp.Or(b.Expires, b.To); {
	case c.Kind == directory.ExclusionScreen:
		switch {
		case s.Status == directory.StatusAdverse:
			said = t.says("say.exclusion", "Register", register, "Edition", t.edition(s), "Dated", t.dated(b.ActionDate))
		case b.State == directory.SeenReinstated:
			said = t.says("say.reinstated", "Register", register, "Dated", t.dated(b.ActionDate))
		case ended: // an entry that is no exclusion, and no clear search either
			said = t.says("say.entry", "Register", register, "Edition", t.edition(s), "As", t.as(b.SourceWords))
		default:
			return t.says("say.no_match", "Register", register, "Edition", t.edition(s))
		}
	case s.Status == directory.StatusAdverse && (licence || c.Kind == directory.DisciplineScreen):
		said = t.says("say.board_action", "Register", register, "Dated", t.dated(b.ActionDate), "What", t.licence(c), "Words", t.words(b))
	case s.Status == directory.StatusAdverse:
		said = t.says("say.action", "Register", register, "Dated", t.dated(b.ActionDate), "What", what, "Words", t.words(b))
	case c.Kind == directory.IdentityNPI:
		key := "say.npi"
		if s.Status != directory.StatusVerified && s.Status != directory.StatusExpiring {
			key = "say.npi.ended"
		}
		return t.says(key, "Register", register, "Number", c.Number.Shown) + " " + t.looked(s) + " " + t.t("say.npi.standing")
	case ended && last != "" && s.Status == directory.StatusExpired:
		said = t.says("say.lists.last", "Who", who, "What", what, "Date", last)
	case ended:
		said = t.says("say.lists", "Who", who, "What", what, "As", t.as(b.SourceWords), "Expires", "")
	case c.Kind == directory.DisciplineScreen && b.State == directory.SeenReinstated:
		said = t.says("say.board_action.past", "Register", register, "Dated", t.dated(b.ActionDate), "What", t.licence(c))
	case c.Kind == directory.DisciplineScreen:
		said = t.says("say.board_action.none", "Register", register, "What", t.licence(c))
	case c.Kind == directory.TrainingCert:
		said = t.says("say.training", "Programme", t.programmeName(c), "Level", t.level(b))
	case c.Kind == directory.OversightLink:
		said = t.says("say.oversight.source", "Register", register, "Name", t.prescriber(c))
	default:
		said = t.says("say.lists", "Who", who, "What", what, "As", t.as(b.SourceWords), "Expires", t.expires(c, s))
	}
	return said + " " + t.looked(s)
}

// words quotes a public action and adds nothing to it.
func (t teller) words(b directory.Body) string {
	words := b.SourceWords
	if len(b.Restrictions) > 0 {
		words = strings.Join(b.Restrictions, "; ")
	}
	if q := quoted(words); q != "" {
		return t.t("say.words", "Words", q)
	}
	return ""
}

// stale tells what was said when we last looked, and how long ago that is.
func (t teller) stale(c directory.Claim, s directory.Standing) string {
	b, register := s.Basis.Body, t.the(s.Basis.Body.Source)
	reinstated := b.State == directory.SeenReinstated
	said := ""
	switch {
	case c.Kind == directory.License || c.Kind == directory.CompactPrivilege:
		said = t.says("say.listed", "Register", register, "What", t.licence(c), "As", t.as(b.SourceWords))
	case c.Kind == directory.DisciplineScreen && reinstated:
		said = t.says("say.showed.past", "Register", register, "Dated", t.dated(b.ActionDate), "What", t.licence(c))
	case c.Kind == directory.DisciplineScreen:
		said = t.says("say.showed.none", "Register", register, "What", t.licence(c))
	case c.Kind == directory.ExclusionScreen && reinstated:
		said = t.says("say.showed.reinstated", "Register", register, "Edition", t.edition(s), "Dated", t.dated(b.ActionDate))
	case c.Kind == directory.ExclusionScreen:
		said = t.says("say.showed.no_match", "Register", register, "Edition", t.edition(s))
	default:
		said = t.says("say.listed", "Register", register, "What", t.noun(c, b), "As", "")
	}
	when, data := s.CheckedAt.Date(), ""
	if s.AsOf != "" && s.AsOf < when {
		data = t.t("say.last_checked.data", "Date", s.AsOf)
	}
	return said + " " + t.t("say.last_checked", "Date", when, "Data", data, "Ago", t.ago(c.Kind))
}

// ago says after how many days such a claim no longer counts.
func (t teller) ago(kind directory.ClaimKind) string {
	if days := t.policy.Kinds[kind].Stale; days > 0 {
		return t.t("say.ago", "Days", days)
	}
	return ""
}

func (t teller) notFound(c directory.Claim, s directory.Standing) string {
	b, covers := s.Basis.Body, ""
	if source, ok := t.policy.Tables().Source(b.Source); ok { // what a register leaves out matters to whoever looked in it in vain
		covers, _ = t.has("covers." + source.Completeness)
	}
	that := t.t("not_found.other")
	switch c.Kind {
	case directory.License, directory.CompactPrivilege:
		that = t.t("not_found.license")
	case directory.TrainingCert:
		that = t.t("not_found.training")
	}
	return t.t("say.not_found", "Register", t.the(b.Source), "Covers", covers, "Date", s.CheckedAt.Date(), "That", that)
}

// couldNot says why nothing could be looked up: which is not that nothing was found.
func (t teller) couldNot(c directory.Claim, s directory.Standing) string {
	for _, r := range s.Reasons {
		switch r {
		case "SRC_NO_REGISTER":
			switch c.Kind {
			case directory.License, directory.CompactPrivilege, directory.DisciplineScreen: // a board has one: it is we who do not
				return t.t("could_not.no_register.state", "State", c.Jurisdiction)
			}
			return t.t("could_not.no_register")
		case "SRC_RESTRICTED":
			return t.t("could_not.restricted")
		case "SRC_TERMS_FORBID":
			return t.t("could_not.terms")
		}
	}
	return t.t("could_not", "Register", t.the(s.Basis.Body.Source), "Date", s.CheckedAt.Date())
}

// asserted tells what a listing, the provider or a document says.
func (t teller) asserted(c directory.Claim, s directory.Standing, w subject) string {
	b, who, on := s.Basis.Body, t.who(w), s.CheckedAt.Date()
	out := ""
	switch attended := c.Kind == directory.TrainingCert && b.Level == "attended"; {
	case c.Kind == directory.OversightLink:
		out = t.oversight(c, s)
	case c.Kind == directory.ProtocolClaim:
		out = t.protocol(s)
	case s.Class == directory.ClassDocument && attended:
		out = t.says("say.document.attended", "Who", who, "Programme", t.programmeName(c), "Dated", t.dated(b.Completed))
	case s.Class == directory.ClassDocument && c.Kind == directory.TrainingCert:
		out = t.says("say.document.certificate", "Who", who, "Programme", t.programmeName(c), "Dated", t.dated(b.Completed))
	case s.Class == directory.ClassDocument:
		until := ""
		if b.Expires != "" {
			until = t.t("say.until", "Date", b.Expires)
		}
		out = t.says("say.document", "Who", who, "What", t.noun(c, b), "Until", until)
	case s.Class == directory.ClassSelf:
		out = t.says("say.told", "Who", who, "Date", on, "What", t.noun(c, b))
	default:
		out = t.of(w, t.says("say.listing", "Register", t.the(b.Source), "What", t.noun(c, b)))
	}
	if c.Kind == directory.TrainingCert && b.Level == "attended" {
		out += " " + t.t("say.attendance")
	}
	switch last := cmp.Or(b.Expires, b.To); {
	case s.Status == directory.StatusExpired && last != "":
		out += " " + t.t("say.last_day", "Date", last)
	case s.Status == directory.StatusStale:
		out += " " + t.t("say.said_on", "Date", s.AsOf, "Ago", t.ago(c.Kind))
	}
	return out
}

// oversight tells who says that somebody prescribes and monitors.
func (t teller) oversight(c directory.Claim, s directory.Standing) string {
	listing, on, name := t.the(s.Basis.Body.Source), s.CheckedAt.Date(), t.prescriber(c)
	self := c.Self()
	switch {
	case s.Class == directory.ClassListing && c.Other == "":
		return t.says("say.oversight.name", "Register", listing, "Name", cmp.Or(c.Title, t.t("somebody")))
	case s.Class == directory.ClassListing && self:
		return t.says("say.oversight.listing.self", "Register", listing)
	case s.Class == directory.ClassListing:
		return t.says("say.oversight.listing", "Register", listing, "Name", name)
	case s.Class == directory.ClassDocument:
		return t.t("say.oversight.document", "Name", name)
	case self:
		return t.t("say.oversight.self", "Date", on)
	case slices.Contains(s.Sides, "provider") && slices.Contains(s.Sides, "prescriber"):
		return t.t("say.oversight.both", "Name", name, "Date", on)
	case slices.Contains(s.Sides, "prescriber"):
		return t.says("say.oversight.prescriber", "Name", name, "Date", on)
	}
	return t.t("say.oversight.provider", "Name", name, "Date", on)
}

// prescriber names the other side of a link. Whoever has no page any more has no name here, whatever the
// listing says.
func (t teller) prescriber(c directory.Claim) string {
	if c.Self() {
		return t.file.Provider.DisplayName()
	}
	if f := t.file.Linked[c.Other]; f != nil && !f.Provider.Withdrawn {
		return f.Provider.DisplayName()
	}
	return t.t("somebody.no_page")
}

// protocol tells what is stated of the parts of a session, and what is not.
func (t teller) protocol(s directory.Standing) string {
	b, on := s.Basis.Body, s.CheckedAt.Date()
	yes, no, silent := t.partsOf(b)
	out := ""
	switch s.Class {
	case directory.ClassDocument:
		out = t.t("say.protocol.document", "Date", on)
	case directory.ClassSelf:
		out = t.t("say.protocol.told", "Date", on)
	default:
		out = t.says("say.protocol.listing", "Register", t.the(b.Source))
	}
	if len(no) > 0 {
		out += " " + t.t("say.protocol.no", "Parts", strings.Join(no, ", "))
	}
	if len(yes) > 0 {
		out += " " + t.t("say.protocol.yes", "Parts", strings.Join(yes, ", "))
	}
	if len(silent) > 0 {
		out += " " + t.t("say.protocol.silent", "Parts", strings.Join(silent, ", "))
	}
	return out
}

// partsOf names the five parts of a session by what is stated of them.
func (t teller) partsOf(b directory.Body) (yes, no, silent []string) {
	for _, x := range []struct {
		answer directory.Answer
		part   string
	}{{b.Preparation, "preparation"}, {b.Presence, "presence"}, {b.Monitoring, "monitoring"}, {b.Emergency, "emergency"}, {b.Integration, "integration"}} {
		words := t.t("protocol." + x.part)
		switch x.answer {
		case directory.Yes:
			yes = append(yes, words)
		case directory.No:
			no = append(no, words)
		default:
			silent = append(silent, words)
		}
	}
	return yes, no, silent
}

// against tells briefly what stands against the provider in a check that is not met, or in which a problem is on
// record; "" of any other. A list says it beside the result, so that nobody must guess what is not met.
func (t teller) against(c directory.Check, sentence string) string {
	switch {
	case c.Result == directory.NotMet && c.Check == directory.CheckProtocol && len(c.Parts) > 0 && c.Parts[0].Standing.Shown():
		if _, no, _ := t.partsOf(c.Parts[0].Standing.Basis.Body); len(no) > 0 {
			return t.t("say.protocol.no", "Parts", strings.Join(no, ", "))
		}
		return sentence
	case c.Result == directory.NotMet, c.Result == directory.ProblemOnRecord:
		return sentence
	}
	return ""
}

// noun names what a claim is about, for the middle of a sentence.
func (t teller) noun(c directory.Claim, b directory.Body) string {
	switch c.Kind {
	case directory.License, directory.CompactPrivilege:
		return t.t("noun.license.in", "Licence", t.licence(c), "State", c.Jurisdiction)
	case directory.IdentityNPI:
		return t.t("noun.npi", "Number", c.Number.Shown)
	case directory.TrainingCert:
		if c.Issuer == "" && b.Programme != "" {
			return t.t("noun.training.words", "Words", quoted(b.Programme)) + t.level(b)
		}
		return t.t("noun.training", "Title", programmeTitle(c)) + t.level(b)
	case directory.DEARegistration: // the number is never shown, and never held
		if c.Jurisdiction == "" {
			return t.t("noun.dea")
		}
		return t.t("noun.dea.in", "State", c.Jurisdiction)
	case directory.OversightLink:
		return t.t("noun.oversight", "Name", t.prescriber(c))
	case directory.DisciplineScreen:
		return t.t("noun.discipline", "Licence", t.licence(c))
	case directory.BoardCert:
		return t.t("noun.board_cert", "Title", quoted(c.Title))
	case directory.Pledge:
		return t.t("noun.pledge", "Title", quoted(c.Title))
	}
	if words, ok := t.has("noun." + string(c.Kind)); ok {
		return words
	}
	return strings.ToLower(t.t("kind." + string(c.Kind)))
}

// expires is the last day, and how far off it is when it comes soon.
func (t teller) expires(c directory.Claim, s directory.Standing) string {
	day, soon := s.Basis.Body.Expires, ""
	if day == "" {
		return ""
	}
	last, err1 := time.Parse(time.DateOnly, string(day))
	today, err2 := time.Parse(time.DateOnly, t.at.Time().In(c.Jurisdiction.Zone()).Format(time.DateOnly))
	if s.Status == directory.StatusExpiring && !t.lasting && err1 == nil && err2 == nil {
		if n := int(last.Sub(today).Hours() / 24); n <= 0 {
			soon = t.t("say.expires.today")
		} else {
			soon = t.t("say.expires.soon", "Count", n)
		}
	}
	return t.t("say.expires", "Date", day, "Soon", soon)
}

func (t teller) as(words string) string {
	if q := quoted(words); q != "" {
		return t.t("say.as", "Words", q)
	}
	return ""
}

func (t teller) dated(d directory.Date) string {
	if d == "" {
		return ""
	}
	return t.t("say.dated", "Date", d)
}

// edition is the month of a list, of October 2026, if the list's own name for its release says it. The
// date of the data alone does not: a list of October is published in November.
func (t teller) edition(s directory.Standing) string {
	if at, err := time.Parse("2006-01", s.Basis.Body.Release); err == nil {
		return t.t("edition.month", "Month", t.t("month_long."+strconv.Itoa(int(at.Month()))), "Year", strconv.Itoa(at.Year()))
	}
	if d := s.Basis.Body.SourceAsOf; d != "" {
		return t.t("edition.data", "Date", d)
	}
	return ""
}

// programmeName is a recognised programme's name, or the words it was claimed with.
func (t teller) programmeName(c directory.Claim) string {
	for _, p := range t.policy.Tables().Programmes() {
		if p.ID == c.Issuer {
			return p.Issuer + " (" + p.Name + ")"
		}
	}
	return quoted(c.Title)
}

// programmeTitle is a training as it is claimed: by the name of a recognised programme, else in the words of
// whoever claims it.
func programmeTitle(c directory.Claim) string {
	if c.Issuer != "" {
		return c.Title
	}
	return quoted(c.Title)
}

// level says how far a training went, and when it ended.
func (t teller) level(b directory.Body) string {
	out := ""
	if words, ok := t.has("level." + b.Level); ok {
		out = ", " + words
	}
	if b.Completed != "" {
		out += ", " + t.date(b.Completed)
	}
	return out
}

// statusResult is the check result whose shape stands beside a credential.
var statusResult = map[directory.Status]directory.CheckResult{
	directory.StatusVerified:      directory.Confirmed,
	directory.StatusExpiring:      directory.Confirmed,
	directory.StatusDocumented:    directory.ShownByDocument,
	directory.StatusSelfReported:  directory.StatedByProvider,
	directory.StatusListed:        directory.StatedInListing,
	directory.StatusAdverse:       directory.ProblemOnRecord,
	directory.StatusUnderReview:   directory.BeingChecked,
	directory.StatusExpired:       directory.NotMet,
	directory.StatusInactive:      directory.NotMet,
	directory.StatusStale:         directory.OutOfDate,
	directory.StatusNotFound:      directory.NoRecordFound,
	directory.StatusCouldNotCheck: directory.CouldNotCheck,
}

// statusLabel is a credential's label: a screen that was searched and clear has confirmed nothing.
func (l *lang) statusLabel(c directory.Claim, s directory.Standing) string {
	if s.Status == directory.StatusVerified || s.Status == directory.StatusExpiring {
		switch c.Kind {
		case directory.ExclusionScreen:
			return l.t("status.no_match")
		case directory.DisciplineScreen:
			if s.Basis != nil && s.Basis.Body.State == directory.SeenReinstated {
				return l.t("status.past_action")
			}
			return l.t("status.no_action")
		case directory.TrainingCert:
			return l.t("result.confirmed.training")
		}
	}
	label, _ := l.has("status." + string(s.Status))
	return label
}

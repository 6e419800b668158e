package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kapdir/directory"
)

// Every sentence that a public face says about a check or a credential is made in this file, in the
// wording of domain.md §5.7. A sentence says who lists what in which words, and when we looked; it
// never says what to make of it. What a result means in general stands in meanings, once.

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

// underReview is all that is said of what a person is looking at.
const underReview = "We are re-checking this."

// checkTitles name the five checks for a patient.
var checkTitles = map[directory.CheckName]string{
	directory.CheckLicense:   "Licensed mental-health professional",
	directory.CheckTraining:  "Training in KAP",
	directory.CheckOversight: "Medical oversight",
	directory.CheckProtocol:  "How sessions are run",
	directory.CheckRecord:    "Whole record",
}

// checkAsks says what each check asks.
var checkAsks = map[directory.CheckName]string{
	directory.CheckLicense:   "Does a state register list a licence to practise psychotherapy independently, in the patient's state?",
	directory.CheckTraining:  "Does a recognised programme confirm training in ketamine-assisted psychotherapy?",
	directory.CheckOversight: "Is there a physician, nurse practitioner or physician assistant, licensed in the patient's state, who prescribes and monitors?",
	directory.CheckProtocol:  "Is there preparation, a therapist present in the medicine session, watching of vital signs with an emergency plan, and integration?",
	directory.CheckRecord:    "Have all licences held anywhere, the training, board actions and the federal exclusion lists been looked at, and lately?",
}

// resultLabels are the words beside a check's shape.
var resultLabels = map[directory.CheckResult]string{
	directory.Confirmed:        "Confirmed with the register",
	directory.ShownByDocument:  "Shown by a document",
	directory.StatedByProvider: "Stated by the provider",
	directory.StatedInListing:  "Stated in a listing, not checked",
	directory.NotChecked:       "Not checked yet",
	directory.CouldNotCheck:    "Could not check",
	directory.NoRecordFound:    "No record found",
	directory.OutOfDate:        "Out of date",
	directory.NotMet:           "Not met",
	directory.BeingChecked:     "Being checked",
	directory.ProblemOnRecord:  "Problem on record",
}

// meanings says what a result means, whatever it is about.
var meanings = map[directory.CheckResult]string{
	directory.Confirmed:        "Whoever issued it says the same, as of the date given. It can change after that date.",
	directory.ShownByDocument:  "We have seen a document. Whoever issued it has not confirmed it to us.",
	directory.StatedByProvider: "The provider says so. Nobody else has confirmed it.",
	directory.StatedInListing:  "A public listing says so. Nobody has compared it with the issuer.",
	directory.NotChecked:       "Nobody has looked at this yet. That says nothing for or against the provider.",
	directory.CouldNotCheck:    "There was no way for us to look this up. That says nothing for or against the provider.",
	directory.NoRecordFound:    "We searched and found nothing. Names and numbers can differ, so this proves nothing by itself.",
	directory.OutOfDate:        "Our last look is too long ago to count. Look at the register yourself, or come back later.",
	directory.NotMet:           "What we found does not meet this check.",
	directory.BeingChecked:     "Somebody is looking at this. Until that is done, we say nothing about it, good or bad.",
	directory.ProblemOnRecord:  "A public register or list shows something against the provider. Read its own record.",
}

// labelOf is a result's label for a check: who confirms differs.
func labelOf(name directory.CheckName, r directory.CheckResult) string {
	if r == directory.Confirmed {
		switch name {
		case directory.CheckTraining:
			return "Confirmed with the programme"
		case directory.CheckRecord:
			return "Confirmed with registers and lists"
		}
	}
	return resultLabels[r]
}

// unanswered reports a check for which something is held that does not answer it: a protocol of which
// parts are not stated, a licence of another field, a programme that nobody knows.
func unanswered(c directory.Check) bool {
	return c.Result == directory.NotChecked && c.Check != directory.CheckRecord && c.Check != directory.CheckOversight && len(c.Parts) > 0 && shown(c.Parts[0].Standing)
}

// checkLabel is the words beside the shape of a check.
func checkLabel(c directory.Check) string {
	if unanswered(c) {
		if c.Check == directory.CheckProtocol {
			return "Not fully stated"
		}
		return "Not answered by what we hold"
	}
	return labelOf(c.Check, c.Result)
}

// meaningOf is what a check's result means.
func meaningOf(c directory.Check) string {
	switch name, r := c.Check, c.Result; {
	case ofPractice(c):
		return "This is asked of people, not of practices. It says nothing for or against the practice."
	case unanswered(c):
		return "What is stated does not answer this check. That says nothing for or against the provider."
	case r == directory.BeingChecked && slices.Contains(c.Reasons, directory.ReasonTitleUnknown):
		return "We have yet to confirm what this type of licence allows in that state. Until then we cannot say whether the check is met."
	case name == directory.CheckProtocol && r == directory.ShownByDocument:
		return "The provider sent us a written protocol or consent form. No register exists for this, so a document is the most that anybody can show."
	case name == directory.CheckOversight && r == directory.ShownByDocument:
		return "Both sides told us so, and we have seen a document. Nobody else has confirmed it to us."
	case name == directory.CheckRecord && r == directory.NotChecked:
		return "At least one part has not been looked at yet; it is named above. That says nothing for or against the provider."
	case name == directory.CheckRecord && r == directory.Confirmed:
		return "Every licence, the training, board actions and exclusion lists were looked at, and nothing stands against the provider as of the date given."
	}
	return meanings[c.Result]
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

// shown reports that a standing may be spoken of with its basis: it has one, and no person is still
// looking at it.
func shown(s directory.Standing) bool {
	return s.Basis != nil && s.Status != directory.StatusUnderReview && s.Status != directory.StatusWithdrawn && s.Status != directory.StatusNone
}

// teller says things about one provider at one moment.
type teller struct {
	file   *directory.CredentialFile
	at     directory.Instant
	policy directory.Policy
	state  directory.State // the patient's
}

func newTeller(f *directory.CredentialFile, y directory.State, m moment, policies directory.Policies) teller {
	return teller{f, m.at, policies.InForce(m.at, m.known), y}
}

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
			out.add(sentence{text: rule.After})
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
		case p.Result == directory.NotChecked && !shown(p.Standing):
			if what := t.missingWhat(p); !slices.Contains(missing, what) {
				missing = append(missing, what)
			}
		default:
			out.add(t.part(p))
		}
	}
	const most = 3
	if n := len(out.said); n > most {
		out.said = append(out.said[:most], fmt.Sprintf("There is more of the same: %d parts in all.", n))
	}
	if len(missing) > 0 {
		out.add(sentence{text: "Not looked at yet: " + strings.Join(missing, "; ") + "."})
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
		return sentence{underReview, p.Standing.Because}
	}
	if !shown(p.Standing) {
		return sentence{text: t.missing(p)}
	}
	out := t.standing(*p.Claim, p.Standing, t.whose(p.Provider))
	switch {
	case slices.Contains(p.Reasons, directory.ReasonTitleUnknown):
		out.text += " We have not confirmed yet what this licence type allows in " + p.Claim.Jurisdiction.Name() + "."
	case slices.Contains(p.Reasons, directory.ReasonSupervised):
		out.text += " In " + p.Claim.Jurisdiction.Name() + " this licence type is for practice under supervision."
	case slices.Contains(p.Reasons, directory.ReasonNotMH):
		out.text += " This licence type alone does not show training as a mental-health professional."
	case slices.Contains(p.Reasons, directory.ReasonProgramUnknown):
		out.text += " This programme is not on our list of recognised programmes, so nothing follows from it here."
	case slices.Contains(p.Reasons, directory.ReasonDEAUnseen):
		out.text += " We have seen no document of a federal registration to prescribe (DEA) for " + t.stateName() + "."
	}
	return out
}

func (t teller) stateName() string {
	if t.state == "" {
		return "the patient's state"
	}
	return t.state.Name()
}

// subject is of whom a sentence speaks.
type subject struct {
	noun string // provider, prescriber
	name string // of a linked prescriber
}

func (t teller) whose(id directory.ID) subject {
	if id != "" && id != t.file.Provider.ID {
		if f := t.file.Linked[id]; f != nil {
			return subject{"prescriber", f.Provider.DisplayName()}
		}
		return subject{noun: "prescriber"}
	}
	return subject{noun: "provider"}
}

// of puts a prescriber's name before a sentence about the prescriber.
func (w subject) of(sentence string) string {
	if w.noun != "prescriber" {
		return sentence
	}
	if w.name == "" {
		return "The prescriber: " + sentence
	}
	return "The prescriber, " + w.name + ": " + sentence
}

// missing tells what is not there.
func (t teller) missing(p directory.Part) string {
	practice := t.file.Provider.Kind == directory.Organisation && (p.Provider == "" || p.Provider == t.file.Provider.ID)
	switch p.What {
	case directory.License, directory.CompactPrivilege:
		switch {
		case practice && len(p.Reasons) == 0:
			return "A practice as such holds no licence to practise psychotherapy: look at the people who work there."
		case slices.Contains(p.Reasons, directory.ReasonJurisdiction) && t.state == "":
			return "We hold a licence, and do not know in which state the provider works. Choose the patient’s state."
		case slices.Contains(p.Reasons, directory.ReasonJurisdiction):
			return "We hold a licence for another state, and none for " + t.stateName() + "."
		case slices.Contains(p.Reasons, directory.ReasonPrescriberUnseen):
			return "So no licence of the prescriber could be looked up."
		case slices.Contains(p.Reasons, directory.ReasonStateGap):
			return t.whose(p.Provider).of("we hold no licence to prescribe in " + t.stateName() + ".")
		case t.state == "":
			return "We do not know for which state to look."
		}
		return "We hold no licence for " + t.stateName() + "."
	case directory.TrainingCert:
		if practice {
			return "A practice as such is not trained: look at the people who work there."
		}
		return "We hold no training in ketamine-assisted psychotherapy."
	case directory.OversightLink:
		return "We hold no prescriber for this provider."
	case directory.PracticeAgreement:
		return t.whose(p.Provider).of("we hold no agreement with a physician for " + t.stateName() + ", and have not confirmed that the state asks for none.")
	case directory.REMSSite:
		return "Esketamine is given only at enrolled sites, and we hold no enrolment."
	case directory.ProtocolClaim:
		return "We hold no statement of how sessions are run."
	}
	return capital(t.missingWhat(p)) + " has not been looked at yet."
}

// missingWhat names what has not been looked at.
func (t teller) missingWhat(p directory.Part) string {
	switch p.What {
	case directory.License, directory.CompactPrivilege:
		if p.Claim != nil {
			return t.licence(*p.Claim)
		}
		return "any licence"
	case directory.TrainingCert:
		if p.Claim != nil {
			return "training: " + programmeTitle(*p.Claim)
		}
		return "training in ketamine-assisted psychotherapy"
	case directory.DisciplineScreen:
		if p.Claim != nil {
			return "board actions on " + t.licence(*p.Claim)
		}
		return "board actions"
	case directory.ExclusionScreen:
		return t.the(p.List)
	}
	return kindLabels[p.What]
}

// licence names a licence: licence CSW.0992 (Licensed Clinical Social Worker) of Colorado.
func (t teller) licence(c directory.Claim) string {
	s := "licence"
	if c.Kind == directory.CompactPrivilege {
		s = "compact privilege"
	}
	if c.Number.Shown != "" {
		s += " " + c.Number.Shown
	}
	if title := t.titleWords(c); title != "" {
		s += " (" + title + ")"
	}
	return s
}

// titleWords is a licence type as a sentence says it: in full, or, where no table knows it, in the words of
// whoever stated it, and marked as theirs.
func (t teller) titleWords(c directory.Claim) string {
	title := t.titleOf(c)
	if title != c.Title {
		return title
	}
	if _, ok := t.policy.Tables().Title(c.Jurisdiction, c.Title); ok {
		return title
	}
	return quoted(title)
}

// titleOf is a licence type in full.
func (t teller) titleOf(c directory.Claim) string {
	if row, ok := t.policy.Tables().Title(c.Jurisdiction, c.Title); ok {
		return row.Name
	}
	if row, ok := t.policy.Tables().Title(c.Jurisdiction, c.Number.Prefix()); ok {
		return row.Name
	}
	if c.Title == c.Number.Prefix() {
		return ""
	}
	return c.Title
}

// the is a source as a sentence says it: the Colorado register, KAP Commons. Names are those of the release
// of the tables that the answer is computed with, so that what was said can be said again.
func (t teller) the(source string) string { return the(t.policy.Tables(), source) }

// sourceName is a source as a list of sources says it: Colorado register.
func (t teller) sourceName(source string) string { return nameOf(t.policy.Tables(), source) }

// sourceName names the source of a provider's facts, which are told as they are now.
func sourceName(source string) string { return nameOf(directory.Tables(), source) }

func nameOf(tables *directory.ReferenceTables, source string) string {
	return capital(strings.TrimPrefix(the(tables, source), "the "))
}

func the(tables *directory.ReferenceTables, source string) string {
	row, ok := tables.Source(source)
	switch {
	case !ok:
		return "a source that we no longer list"
	case row.Kind == "roster", row.Kind == "identity", row.Kind == "exclusion":
		return "the " + row.Short
	}
	return row.Short
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
	b := s.Basis
	out := "We checked " + t.the(b.Body.Source) + " on " + s.CheckedAt.Date().String()
	if d := b.Body.SourceAsOf; d != "" && d < s.CheckedAt.Date() {
		out += ", in its data of " + d.String()
	}
	return out + "."
}

// standing tells a claim in the safe wording. It is what a credential on a provider's page says.
func (t teller) standing(c directory.Claim, s directory.Standing, who subject) sentence {
	if s.Status == directory.StatusUnderReview {
		return sentence{underReview, s.Because}
	}
	if !shown(s) {
		return sentence{}
	}
	text := ""
	switch {
	case s.Status == directory.StatusNotFound:
		text = t.notFound(c, s)
	case s.Status == directory.StatusCouldNotCheck:
		text = t.couldNot(c, s)
	case s.Class == directory.ClassSource:
		text = who.of(t.fromSource(c, s))
	default:
		text = t.asserted(c, s, who)
	}
	if slices.Contains(s.Reasons, directory.ReasonDisputeOpen) {
		text += " The " + who.noun + " disputes this."
	}
	return sentence{text, s.Because}
}

// fromSource tells what a register or list says.
func (t teller) fromSource(c directory.Claim, s directory.Standing) string {
	b := s.Basis.Body
	register := t.the(b.Source)
	licence := c.Kind == directory.License || c.Kind == directory.CompactPrivilege || c.Kind == directory.DisciplineScreen
	switch {
	case s.Status == directory.StatusStale:
		return t.stale(c, s)
	case c.Kind == directory.ExclusionScreen: // has words of its own for each
	case s.Status == directory.StatusAdverse && licence:
		return capital(register) + t.action(s, "board action", t.licence(c)) + " " + t.looked(s)
	case s.Status == directory.StatusAdverse:
		return capital(register) + t.action(s, "action", t.noun(c, b)) + " " + t.looked(s)
	case (s.Status == directory.StatusExpired || s.Status == directory.StatusInactive) && c.Kind != directory.IdentityNPI:
		lists := capital(register) + " lists " + t.noun(c, b)
		if c.Kind == directory.License || c.Kind == directory.CompactPrivilege {
			lists = c.Jurisdiction.Name() + " lists " + t.licence(c)
		}
		if last := cmp.Or(b.Expires, b.To); last != "" && s.Status == directory.StatusExpired {
			return lists + ", and its last day was " + last.String() + ". " + t.looked(s)
		}
		return lists + as(b.SourceWords) + ". " + t.looked(s)
	}
	switch c.Kind {
	case directory.License, directory.CompactPrivilege:
		return c.Jurisdiction.Name() + " lists " + t.licence(c) + as(b.SourceWords) + t.expires(c, s) + ". " + t.looked(s)
	case directory.DisciplineScreen:
		if b.State == directory.SeenReinstated {
			return capital(register) + " shows a past public board action" + dated(b.ActionDate) + " on " + t.licence(c) + ", which it lists as completed. Read the board's own record. " + t.looked(s)
		}
		return capital(register) + " shows no public board action on " + t.licence(c) + ". " + t.looked(s)
	case directory.ExclusionScreen:
		switch {
		case s.Status == directory.StatusAdverse:
			return capital(register) + edition(s) + " shows an exclusion" + dated(b.ActionDate) + ". Read the list's own record. " + t.looked(s)
		case b.State == directory.SeenReinstated:
			return capital(register) + " shows a reinstatement" + dated(b.ActionDate) + ". Read the list's own record. " + t.looked(s)
		case s.Status == directory.StatusExpired, s.Status == directory.StatusInactive: // an entry that is no exclusion, and no clear search either
			return capital(register) + edition(s) + " shows an entry" + as(b.SourceWords) + ". Read the list's own record. " + t.looked(s)
		}
		return "No match on " + register + edition(s) + "."
	case directory.IdentityNPI:
		word := " as active"
		if s.Status != directory.StatusVerified && s.Status != directory.StatusExpiring {
			word = " as no longer active"
		}
		return capital(register) + " lists NPI " + c.Number.Shown + word + ". " + t.looked(s) + " The registry says who somebody is, and nothing about their standing."
	case directory.TrainingCert:
		return capital(t.programmeName(c)) + " confirmed to us" + levelWords(b) + ". " + t.looked(s)
	case directory.OversightLink:
		return capital(register) + " lists " + t.prescriber(c) + " as the one who prescribes and monitors. " + t.looked(s)
	}
	return capital(register) + " lists " + t.noun(c, b) + as(b.SourceWords) + t.expires(c, s) + ". " + t.looked(s)
}

// action quotes a public action on a licence or another credential and adds nothing to it.
func (t teller) action(s directory.Standing, action, on string) string {
	b := s.Basis.Body
	out := " shows a public " + action + dated(b.ActionDate) + " on " + on
	words := b.SourceWords
	if len(b.Restrictions) > 0 {
		words = strings.Join(b.Restrictions, "; ")
	}
	if q := quoted(words); q != "" {
		out += ", in its own words " + q
	}
	if action != "board action" {
		return out + ". Read its own record."
	}
	return out + ". Read the board's own record."
}

// stale tells what was said when we last looked, and how long ago that is.
func (t teller) stale(c directory.Claim, s directory.Standing) string {
	b := s.Basis.Body
	register := t.the(b.Source)
	when := s.CheckedAt.Date()
	out := ""
	switch reinstated := b.State == directory.SeenReinstated; c.Kind {
	case directory.License, directory.CompactPrivilege:
		out = capital(register) + " listed " + t.licence(c) + as(b.SourceWords) + "."
	case directory.DisciplineScreen:
		out = capital(register) + " showed no public board action on " + t.licence(c) + "."
		if reinstated {
			out = capital(register) + " showed a past public board action" + dated(b.ActionDate) + " on " + t.licence(c) + ", which it listed as completed."
		}
	case directory.ExclusionScreen:
		if reinstated {
			out = capital(register) + edition(s) + " showed a reinstatement" + dated(b.ActionDate) + "."
			break
		}
		out = "There was no match on " + register + edition(s) + "."
	case directory.IdentityNPI:
		out = capital(register) + " listed NPI " + c.Number.Shown + "."
	default:
		out = capital(register) + " listed " + t.noun(c, b) + "."
	}
	out += " We last checked on " + when.String()
	if s.AsOf != "" && s.AsOf < when {
		out += ", in data of " + s.AsOf.String()
	}
	if days := t.policy.Kinds[c.Kind].Stale; days > 0 {
		out += fmt.Sprintf(", more than %d days ago", days)
	}
	return out + ". Check the register yourself."
}

// covers says what a register leaves out, for whoever looked in it in vain (domain.md §5.7). A register of
// every licence there ever was leaves out none.
var covers = map[string]string{
	"active_only":        ", which lists current licences only,",
	"current_and_lapsed": ", which lists current and lapsed licences and leaves out those that were revoked or given up,",
}

func (t teller) notFound(c directory.Claim, s directory.Standing) string {
	register := t.the(s.Basis.Body.Source)
	if source, ok := t.policy.Tables().Source(s.Basis.Body.Source); ok {
		register += covers[source.Completeness]
	}
	out := "We searched " + register + " on " + s.CheckedAt.Date().String() + " by name and number and found no record. Names and numbers can differ, so this does not mean "
	switch c.Kind {
	case directory.License, directory.CompactPrivilege:
		return out + "the person is not licensed."
	case directory.TrainingCert:
		return out + "the person was not trained."
	}
	return out + "there is none."
}

// couldNot says why nothing could be looked up: which is not that nothing was found.
func (t teller) couldNot(c directory.Claim, s directory.Standing) string {
	for _, r := range s.Reasons {
		switch r {
		case "SRC_NO_REGISTER":
			switch c.Kind {
			case directory.License, directory.CompactPrivilege, directory.DisciplineScreen: // a board has one: it is we who do not
				return "We have no register of " + c.Jurisdiction.Name() + " to look this up in."
			}
			return "There is no public register for this."
		case "SRC_RESTRICTED":
			return "The register for this is not open to the public."
		case "SRC_TERMS_FORBID":
			return "The register's terms do not allow us to look this up."
		}
	}
	return "We could not look this up in " + t.the(s.Basis.Body.Source) + " on " + s.CheckedAt.Date().String() + "."
}

// asserted tells what a listing, the provider or a document says.
func (t teller) asserted(c directory.Claim, s directory.Standing, who subject) string {
	b := s.Basis.Body
	out, source := "", t.the(b.Source)
	on := s.CheckedAt.Date().String()
	switch {
	case c.Kind == directory.OversightLink:
		out = t.oversight(c, s)
	case c.Kind == directory.ProtocolClaim:
		out = t.protocol(s)
	case s.Class == directory.ClassDocument && c.Kind == directory.TrainingCert:
		what := " sent a certificate from "
		if b.Level == "attended" {
			what = " sent a document from "
		}
		out = "The " + who.noun + what + t.programmeName(c) + dated(b.Completed) + ". The programme has not confirmed it to us."
	case s.Class == directory.ClassDocument:
		out = "The " + who.noun + " sent a document of " + t.noun(c, b) + t.lastDay(b) + ". Whoever issued it has not confirmed it to us."
	case s.Class == directory.ClassSelf:
		out = "The " + who.noun + " told us on " + on + " of " + t.noun(c, b) + "; we have not confirmed it."
	default:
		out = who.of(capital(source) + " lists " + t.noun(c, b) + "; we have not confirmed it.")
	}
	if c.Kind == directory.TrainingCert && b.Level == "attended" {
		out += " It speaks of attendance, which is less than a certificate."
	}
	switch s.Status {
	case directory.StatusExpired:
		last := b.Expires
		if last == "" {
			last = b.To
		}
		if last != "" {
			out += " Its last day was " + last.String() + "."
		}
	case directory.StatusStale:
		out += " That was said on " + s.AsOf.String()
		if days := t.policy.Kinds[c.Kind].Stale; days > 0 {
			out += fmt.Sprintf(", more than %d days ago", days)
		}
		out += "."
	}
	return out
}

// oversight tells who says that somebody prescribes and monitors.
func (t teller) oversight(c directory.Claim, s directory.Standing) string {
	b := s.Basis.Body
	on := s.CheckedAt.Date().String()
	self := c.Self()
	switch {
	case s.Class == directory.ClassListing && c.Other == "":
		return capital(t.the(b.Source)) + " names " + cmp.Or(c.Title, "somebody") + " as the prescriber, with neither NPI nor licence number; we do not know who it is."
	case s.Class == directory.ClassListing && self:
		return capital(t.the(b.Source)) + " lists the provider as prescribing and monitoring as well; we have not confirmed it."
	case s.Class == directory.ClassListing:
		return capital(t.the(b.Source)) + " lists " + t.prescriber(c) + " as the prescriber; we have not confirmed it."
	case s.Class == directory.ClassDocument:
		return "The provider sent a document that names " + t.prescriber(c) + " as the prescriber. The prescriber has not confirmed it to us."
	case self:
		return "The provider told us on " + on + " that they prescribe and monitor as well."
	case slices.Contains(s.Sides, "provider") && slices.Contains(s.Sides, "prescriber"):
		return "Provider and prescriber, " + t.prescriber(c) + ", both told us that they work together, the later of them on " + on + "."
	case slices.Contains(s.Sides, "prescriber"):
		return capital(t.prescriber(c)) + " told us on " + on + " that they prescribe and monitor for this provider. The provider has not confirmed it to us."
	}
	return "The provider told us on " + on + " that " + t.prescriber(c) + " prescribes and monitors. The prescriber has not confirmed it to us."
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
	return "somebody without a page here"
}

// protocol tells what is stated of the parts of a session, and what is not.
func (t teller) protocol(s directory.Standing) string {
	b := s.Basis.Body
	var yes, no, silent []string
	for _, x := range []struct {
		answer directory.Answer
		words  string
	}{{b.Preparation, "preparation"}, {b.Presence, "a therapist present in the medicine session"}, {b.Monitoring, "vital signs watched"},
		{b.Emergency, "an emergency plan"}, {b.Integration, "integration"}} {
		switch x.answer {
		case directory.Yes:
			yes = append(yes, x.words)
		case directory.No:
			no = append(no, x.words)
		default:
			silent = append(silent, x.words)
		}
	}
	var out []string
	switch s.Class {
	case directory.ClassDocument:
		out = append(out, "The provider sent a written protocol or consent form on "+s.CheckedAt.Date().String()+".")
	case directory.ClassSelf:
		out = append(out, "The provider told us on "+s.CheckedAt.Date().String()+" how sessions are run; we have not confirmed it.")
	default:
		out = append(out, capital(t.the(b.Source))+" lists how sessions are run; we have not confirmed it.")
	}
	if len(no) > 0 {
		out = append(out, "Stated as not offered: "+strings.Join(no, ", ")+".")
	}
	if len(yes) > 0 {
		out = append(out, "Stated as offered: "+strings.Join(yes, ", ")+".")
	}
	if len(silent) > 0 {
		out = append(out, "Not stated: "+strings.Join(silent, ", ")+".")
	}
	return strings.Join(out, " ")
}

// noun names what a claim is about, for the middle of a sentence.
func (t teller) noun(c directory.Claim, b directory.Body) string {
	switch c.Kind {
	case directory.License, directory.CompactPrivilege:
		return t.licence(c) + " in " + c.Jurisdiction.Name()
	case directory.IdentityNPI:
		return "NPI " + c.Number.Shown
	case directory.TrainingCert:
		out := "training: " + programmeTitle(c)
		if c.Issuer == "" && b.Programme != "" {
			out = "training, in its words " + quoted(b.Programme)
		}
		return out + levelWords(b)
	case directory.DEARegistration: // the number is never shown, and never held
		if c.Jurisdiction == "" {
			return "a federal registration to prescribe (DEA)"
		}
		return "a federal registration to prescribe (DEA) for " + c.Jurisdiction.Name()
	case directory.OversightLink:
		return t.prescriber(c) + " as the one who prescribes and monitors"
	case directory.DisciplineScreen:
		return "board actions on " + t.licence(c)
	case directory.ExclusionScreen:
		return "a search of an exclusion list"
	case directory.BoardCert:
		return "board certification: " + quoted(c.Title)
	case directory.Pledge:
		return "a pledge: " + quoted(c.Title)
	case directory.REMSSite:
		return "a site enrolled to give esketamine"
	case directory.PracticeAgreement:
		return "a practice agreement between therapist and prescriber"
	case directory.ContactClaim:
		return "a telephone number or website"
	case directory.Availability:
		return "whether new patients are taken"
	}
	return strings.ToLower(kindLabels[c.Kind])
}

// expires is the last day, and how far off it is when it comes soon.
func (t teller) expires(c directory.Claim, s directory.Standing) string {
	day := s.Basis.Body.Expires
	if day == "" {
		return ""
	}
	out := ", expires " + day.String()
	if s.Status != directory.StatusExpiring {
		return out
	}
	last, err1 := time.Parse(time.DateOnly, string(day))
	today, err2 := time.Parse(time.DateOnly, t.at.Time().In(c.Jurisdiction.Zone()).Format(time.DateOnly))
	if err1 != nil || err2 != nil {
		return out
	}
	switch n := int(last.Sub(today).Hours() / 24); {
	case n <= 0:
		return out + ", which is today"
	case n == 1:
		return out + ", in 1 day"
	default:
		return out + fmt.Sprintf(", in %d days", n)
	}
}

func (t teller) lastDay(b directory.Body) string {
	if b.Expires == "" {
		return ""
	}
	return ", good through " + b.Expires.String()
}

func as(words string) string {
	if q := quoted(words); q != "" {
		return " as " + q
	}
	return ""
}

func dated(d directory.Date) string {
	if d == "" {
		return ""
	}
	return " dated " + d.String()
}

// edition is the month of a list, of October 2026, if the list's own name for its release says it. The
// date of the data alone does not: a list of October is published in November.
func edition(s directory.Standing) string {
	if at, err := time.Parse("2006-01", s.Basis.Body.Release); err == nil {
		return " of " + at.Format("January 2006")
	}
	if d := s.Basis.Body.SourceAsOf; d != "" {
		return " in its data of " + d.String()
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

// levelWords says how far a training went, and when it ended.
func levelWords(b directory.Body) string {
	var parts []string
	switch b.Level {
	case "attended":
		parts = append(parts, "attended")
	case "modules_complete":
		parts = append(parts, "all modules completed")
	case "certificate":
		parts = append(parts, "certificate")
	case "in_programme_register":
		parts = append(parts, "listed in the programme's register")
	}
	if b.Completed != "" {
		parts = append(parts, b.Completed.String())
	}
	if len(parts) == 0 {
		return ""
	}
	return ", " + strings.Join(parts, ", ")
}

// kindLabels name the kinds of claim.
var kindLabels = map[directory.ClaimKind]string{
	directory.License:           "Licence",
	directory.CompactPrivilege:  "Compact privilege",
	directory.BoardCert:         "Board certification",
	directory.TrainingCert:      "KAP training",
	directory.Pledge:            "Pledge",
	directory.OversightLink:     "Prescriber",
	directory.PracticeAgreement: "Practice agreement",
	directory.DEARegistration:   "Federal registration to prescribe",
	directory.REMSSite:          "Esketamine site",
	directory.ProtocolClaim:     "How sessions are run",
	directory.DisciplineScreen:  "Board actions",
	directory.ExclusionScreen:   "Exclusion list",
	directory.IdentityNPI:       "National provider number",
	directory.ContactClaim:      "Contact",
	directory.Availability:      "New patients",
	directory.FileClaim:         "Whole file",
}

// statusLabels are the words beside a credential.
var statusLabels = map[directory.Status]string{
	directory.StatusVerified:      "Confirmed with the register",
	directory.StatusExpiring:      "Confirmed, ends soon",
	directory.StatusDocumented:    "Shown by a document",
	directory.StatusSelfReported:  "Stated by the provider",
	directory.StatusListed:        "Stated in a listing, not checked",
	directory.StatusAdverse:       "Problem on record",
	directory.StatusUnderReview:   "Being checked",
	directory.StatusExpired:       "Past its last day",
	directory.StatusInactive:      "Not in use, says the register",
	directory.StatusStale:         "Out of date",
	directory.StatusNotFound:      "No record found",
	directory.StatusCouldNotCheck: "Could not check",
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
func statusLabel(c directory.Claim, s directory.Standing) string {
	if s.Status == directory.StatusVerified || s.Status == directory.StatusExpiring {
		switch c.Kind {
		case directory.ExclusionScreen:
			return "Searched, no match"
		case directory.DisciplineScreen:
			if s.Basis != nil && s.Basis.Body.State == directory.SeenReinstated {
				return "Past action on record, completed"
			}
			return "Searched, no action shown"
		case directory.TrainingCert:
			return "Confirmed with the programme"
		}
	}
	return statusLabels[s.Status]
}

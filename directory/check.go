package directory

import (
	"cmp"
	"slices"
	"strings"
)

// CheckName names one of the five checks of domain.md §5.6.
type CheckName string

// The five checks, in the order a page shows them when nothing stands against the provider.
const (
	CheckLicense   CheckName = "license"
	CheckTraining  CheckName = "training"
	CheckOversight CheckName = "oversight"
	CheckProtocol  CheckName = "protocol"
	CheckRecord    CheckName = "record"
)

// CheckNames lists the five checks.
var CheckNames = []CheckName{CheckLicense, CheckTraining, CheckOversight, CheckProtocol, CheckRecord}

// CheckResult is the outcome of a check.
type CheckResult string

// The results, the worst first: across required parts the worst wins, within "any of" the best
// (contracts.md §4).
const (
	ProblemOnRecord  CheckResult = "problem_on_record"
	BeingChecked     CheckResult = "being_checked"
	NotMet           CheckResult = "not_met"
	OutOfDate        CheckResult = "out_of_date"
	NoRecordFound    CheckResult = "no_record_found"
	CouldNotCheck    CheckResult = "could_not_check"
	NotChecked       CheckResult = "not_checked"
	StatedInListing  CheckResult = "stated_in_listing"
	StatedByProvider CheckResult = "stated_by_provider"
	ShownByDocument  CheckResult = "shown_by_document"
	Confirmed        CheckResult = "confirmed"
)

// CheckResults lists the results, the worst first.
var CheckResults = []CheckResult{ProblemOnRecord, BeingChecked, NotMet, OutOfDate, NoRecordFound, CouldNotCheck, NotChecked,
	StatedInListing, StatedByProvider, ShownByDocument, Confirmed}

// Rank orders results: 0 is the worst.
func (r CheckResult) Rank() int { return ranks[r] }

var ranks = func() map[CheckResult]int {
	out := make(map[CheckResult]int, len(CheckResults))
	for i, r := range CheckResults {
		out[r] = i
	}
	return out
}()

// Reason codes that checks give beside those of Derive.
const (
	ReasonJurisdiction     = "JUR_MISMATCH"
	ReasonTitleUnknown     = "LIC_TITLE_UNKNOWN"
	ReasonSupervised       = "LIC_SUPERVISED_TIER"
	ReasonNotMH            = "LIC_NOT_MH"
	ReasonProgramUnknown   = "DOC_PROGRAM_UNKNOWN"
	ReasonAttendanceOnly   = "DOC_ATTENDANCE_ONLY"
	ReasonOneSided         = "OVR_ONE_SIDED"
	ReasonPrescriberLapsed = "OVR_PRESCRIBER_LAPSED"
	ReasonStateGap         = "OVR_STATE_GAP"
	ReasonPrescriberUnseen = "OVR_PRESCRIBER_UNKNOWN" // only a name is stated, or they have no page any more
	ReasonDEAUnseen        = "OVR_DEA_UNSEEN"
	ReasonAgreementMissing = "OVR_AGREEMENT_MISSING"
	ReasonREMSUnseen       = "OVR_REMS_UNSEEN" // esketamine is given, and no enrolled site is on file
	ReasonRuleLapsed       = "OVR_RULE_LAPSED" // the rule on prescribing without an in-person visit has run out
	ReasonNoPreparation    = "PROTO_NO_PREP"
	ReasonNoPresence       = "PROTO_NO_PRESENCE"
	ReasonNoMonitoring     = "PROTO_NO_MONITORING"
	ReasonNoEmergency      = "PROTO_NO_EMERGENCY"
	ReasonNoIntegration    = "PROTO_NO_INTEGRATION"
)

// Part is one thing a check rests on: a claim with its standing, or a thing that is missing.
type Part struct {
	What     ClaimKind
	Claim    *Claim // nil when nobody claims it
	Provider ID     // whose claim it is: the provider's own, or a linked prescriber's
	List     string // of an exclusion screen: the source's id
	Standing Standing
	Result   CheckResult
	Reasons  []string
}

// Check is one of the five checks for one provider and one patient state at one moment. Its strength is
// that of its weakest required part, its date that of its oldest, its next look that of its earliest.
type Check struct {
	Check      CheckName
	Result     CheckResult
	Reasons    []string
	AsOf       Date    // of the oldest part; "" when nothing was checked
	ValidUntil Instant // the first moment at which the result, its reasons or its parts change by themselves; "" never
	NextDue    Instant
	Parts      []Part // required parts and, of "any of", the one that counted; the worst first
	State      State  // the patient state Y

	Organisation bool // the file is an organisation's: what only a person can hold stays not_checked
}

// Checks computes the five checks of the file for a patient in state y, true at t, as known at k.
// They come in the order of CheckNames. With y "" the checks that depend on a state are not_checked.
func Checks(f *CredentialFile, y State, t, k Instant, policies Policies) []Check {
	b := newBench(f, y, t, k, policies)
	checks := make([]Check, 0, len(CheckNames))
	for _, work := range []func(*bench) Check{(*bench).license, (*bench).training, (*bench).oversight, (*bench).protocol, (*bench).record} {
		c := b.lasting(work)
		c.State, c.Organisation = y, f.Provider.Kind == Organisation
		checks = append(checks, c)
	}
	return checks
}

// ProblemsFirst orders checks as a page shows them: a problem on record before everything else.
func ProblemsFirst(checks []Check) []Check {
	out := slices.Clone(checks)
	slices.SortStableFunc(out, func(a, b Check) int {
		return cmp.Compare(boolRank(a.Result != ProblemOnRecord), boolRank(b.Result != ProblemOnRecord))
	})
	return out
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// bench holds the question while its five answers are worked out.
type bench struct {
	file     *CredentialFile
	y        State
	t, k     Instant
	policies Policies
	policy   Policy // in force
	tables   *ReferenceTables
	derived  map[*History]*Standing
	next     Instant // the first moment at which something that the check looked at changes
}

func newBench(f *CredentialFile, y State, t, k Instant, policies Policies) *bench {
	policy := policies.InForce(t, k)
	return &bench{f, y, t, k, policies, policy, policy.Tables(), make(map[*History]*Standing, len(f.Claims)+4), ""}
}

// lasting works a check out and finds how long it holds: to the first moment at which something that it
// looked at changes, and with it the check.
func (b *bench) lasting(work func(*bench) Check) Check {
	b.next = ""
	c := work(b)
	c.ValidUntil = b.next
	for c.ValidUntil != "" && !slices.ContainsFunc(c.Parts, func(p Part) bool { return p.Standing.ValidUntil == c.ValidUntil }) {
		later := newBench(b.file, b.y, c.ValidUntil, b.k, b.policies)
		if !sameCheck(c, work(later)) {
			break
		}
		c.ValidUntil = later.next
	}
	return c
}

func sameCheck(a, b Check) bool {
	return a.Result == b.Result && slices.Equal(a.Reasons, b.Reasons) && slices.EqualFunc(a.Parts, b.Parts, func(p, q Part) bool {
		return p.What == q.What && (p.Claim == nil) == (q.Claim == nil) && (p.Claim == nil || *p.Claim == *q.Claim) && p.Provider == q.Provider && p.List == q.List && p.Result == q.Result &&
			slices.Equal(p.Reasons, q.Reasons) && sameAnswer(p.Standing, q.Standing)
	})
}

// changes notes that the check may change at a moment.
func (b *bench) changes(at Instant) { b.next = earliest(b.next, at) }

// standing derives a claim, once, and notes when it changes.
func (b *bench) standing(h *History) *Standing {
	s := b.derived[h]
	if s == nil {
		derived := Derive(*h, b.t, b.k, b.policies)
		s = &derived
		b.derived[h] = s
	}
	b.changes(s.ValidUntil)
	b.changes(s.Appears)
	return s
}

// result maps a claim's status to a check's result (contracts.md §4).
func (s *Standing) result() CheckResult {
	switch s.Status {
	case StatusVerified, StatusExpiring:
		return Confirmed
	case StatusDocumented:
		return ShownByDocument
	case StatusSelfReported:
		return StatedByProvider
	case StatusListed:
		return StatedInListing
	case StatusAdverse:
		return ProblemOnRecord
	case StatusUnderReview:
		return BeingChecked
	case StatusExpired, StatusInactive:
		return NotMet
	case StatusStale:
		return OutOfDate
	case StatusNotFound:
		return NoRecordFound
	case StatusCouldNotCheck:
		return CouldNotCheck
	}
	return NotChecked // no claim, withdrawn, or an unknown fact
}

// parts returns what is held of a kind, each claim a part, if its standing is among those that are asked
// for. A claim of which nothing is in effect that may be spoken of is not there: what was withdrawn or
// voided, and what a name-only candidate alone speaks of.
func (b *bench) parts(owner *CredentialFile, kind ClaimKind, only ...CheckResult) []Part {
	var out []Part
	for i := range owner.Claims {
		h := &owner.Claims[i]
		if h.Claim.Kind != kind {
			continue
		}
		if s := b.standing(h); s.Held && (len(only) == 0 || slices.Contains(only, s.result())) {
			out = append(out, Part{What: kind, Claim: &h.Claim, Provider: owner.Provider.ID, Standing: *s, Result: s.result(), Reasons: publicReasons(s)})
		}
	}
	return out
}

// Shown reports that a standing may be spoken of with its basis: it has one, and no person is still
// looking at it.
func (s Standing) Shown() bool {
	return s.Basis != nil && s.Status != StatusUnderReview && s.Status != StatusWithdrawn && s.Status != StatusNone
}

// ShownDates are the date of the check's oldest part and the earliest next look, of the parts that may be spoken of:
// what a person is looking at gives no date away. Each is "" where there is none.
func (c Check) ShownDates() (asOf Date, due Instant) {
	for _, p := range c.Parts {
		if !p.Standing.Shown() {
			continue
		}
		if d := p.Standing.AsOf; d != "" && (asOf == "" || d < asOf) {
			asOf = d
		}
		due = earliest(due, p.Standing.NextDue)
	}
	return asOf, due
}

// publicReasons leaves of an answer under review only that it is (contracts.md §4).
func publicReasons(s *Standing) []string {
	if s.Status == StatusUnderReview {
		return []string{ReasonReviewPending}
	}
	return slices.Clip(s.Reasons) // whoever appends to it gets one of their own
}

func missing(kind ClaimKind, reasons ...string) Part {
	return Part{What: kind, Result: NotChecked, Reasons: reasons}
}

// best returns the choice whose weakest part is the best; the earlier one of equals.
func best(choices [][]Part) ([]Part, bool) {
	if len(choices) == 0 {
		return nil, false
	}
	top := choices[0]
	for _, parts := range choices[1:] {
		if weakest(parts) > weakest(top) {
			top = parts
		}
	}
	return top, true
}

// bestOf returns the part with the best result; the earlier one of equals.
func bestOf(parts []Part) (Part, bool) {
	if len(parts) == 0 {
		return Part{}, false
	}
	return slices.MaxFunc(parts, func(a, b Part) int { return cmp.Compare(a.Result.Rank(), b.Result.Rank()) }), true
}

// weakest is the rank of the worst of the parts.
func weakest(parts []Part) int {
	rank := Confirmed.Rank()
	for _, p := range parts {
		rank = min(rank, p.Result.Rank())
	}
	return rank
}

// weigh makes a check of required parts: the worst wins.
func weigh(name CheckName, parts ...Part) Check {
	c := Check{Check: name, Result: Confirmed}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(a.Result.Rank(), b.Result.Rank()) })
	c.Parts = parts
	if len(parts) == 0 {
		c.Result = NotChecked
		return c
	}
	c.Result = parts[0].Result
	for _, p := range parts {
		if p.Result == c.Result {
			for _, r := range p.Reasons {
				c.Reasons = appendOnce(c.Reasons, r)
			}
		}
		c.NextDue = earliest(c.NextDue, p.Standing.NextDue)
		if d := p.Standing.AsOf; d != "" && (c.AsOf == "" || d < c.AsOf) {
			c.AsOf = d
		}
	}
	return c
}

// adverseLicences returns the licences, of any state, that stand against the person.
func (b *bench) adverseLicences(f *CredentialFile) []Part {
	return append(b.parts(f, License, ProblemOnRecord), b.parts(f, CompactPrivilege, ProblemOnRecord)...)
}

// license is check 1: a licensed mental-health professional. One eligible, independent licence in Y is
// enough; an adverse licence in any state outweighs it.
func (b *bench) license() Check {
	if bad := b.adverseLicences(b.file); len(bad) > 0 {
		return weigh(CheckLicense, bad...)
	}
	var choices [][]Part
	elsewhere := false
	for _, p := range append(b.parts(b.file, License), b.parts(b.file, CompactPrivilege)...) {
		switch {
		case p.Claim.Jurisdiction != b.y:
			elsewhere = true
		case p.What == License:
			choices = append(choices, b.byTitle(p))
		default:
			choices = append(choices, b.byCompact(p))
		}
	}
	if parts, ok := best(choices); ok {
		return weigh(CheckLicense, parts...)
	}
	if elsewhere {
		return weigh(CheckLicense, missing(License, ReasonJurisdiction))
	}
	return weigh(CheckLicense, missing(License))
}

// byTitle weighs what the licence type allows (data/titles.csv): a type that nobody has confirmed is
// being checked, a supervised one does not meet the check, one of another field says nothing of it.
//
// A physician's licence is psychiatry only together with a board certification in it (domain.md §4), and is
// then as good as the weaker of the two.
func (b *bench) byTitle(p Part) []Part {
	var cert []Part
	t, ok := b.title(p.Claim)
	if ok && t.Profession == "physician" {
		if c, found := b.psychiatry(); found {
			t, ok = b.tables.Title(p.Claim.Jurisdiction, t.BoardType+"+PSYCHIATRY")
			cert = []Part{c}
		}
	}
	tier := p
	switch {
	case !ok || !t.Confirmed:
		tier.Result, tier.Reasons = BeingChecked, []string{ReasonTitleUnknown}
	case t.Tier == Independent:
	case t.Tier == Supervised:
		tier.Result, tier.Reasons = NotMet, []string{ReasonSupervised}
	default:
		tier.Result, tier.Reasons = NotChecked, []string{ReasonNotMH}
	}
	if tier.Result.Rank() < p.Result.Rank() {
		p = tier
	}
	return append(cert, p)
}

// title is the licence type of a claim, by the tables known at k.
func (b *bench) title(c *Claim) (Title, bool) {
	return LicenceKey{c.Jurisdiction, c.Title, c.Number}.titleIn(b.tables)
}

// psychiatry is the best board certification in psychiatry that somebody holds or shows.
func (b *bench) psychiatry() (Part, bool) {
	return bestOf(slices.DeleteFunc(b.parts(b.file, BoardCert), func(p Part) bool { return !strings.Contains(Fold(p.Claim.Title), "psychiatr") }))
}

// byCompact weighs a privilege to practise in Y under a compact, which counts only where the compact is
// confirmed to issue privileges both in Y and in a state whose independent licence the person holds
// (domain.md §2.4), and is as good as the weaker of the two. Nothing follows from a state's membership.
func (b *bench) byCompact(p Part) []Part {
	compact := p.Claim.Issuer
	b.changes(b.tables.compactChanges(compact, b.t))
	home, ok := bestOf(slices.DeleteFunc(b.parts(b.file, License), func(l Part) bool {
		title, known := b.title(l.Claim)
		return !known || !title.Eligible() || l.Claim.Jurisdiction == b.y || !b.tables.CompactIssues(compact, l.Claim.Jurisdiction, b.t)
	}))
	if ok && b.tables.CompactIssues(compact, b.y, b.t) {
		return []Part{p, home}
	}
	if p.Result.Rank() > NotChecked.Rank() {
		p.Result, p.Reasons = NotChecked, []string{ReasonJurisdiction}
	}
	return []Part{p}
}

// training is check 2: specialised KAP training at a recognised programme.
func (b *bench) training() Check {
	parts := b.parts(b.file, TrainingCert)
	for i := range parts {
		p := &parts[i]
		if !b.tables.recognises(p.Claim.Issuer) && p.Result.Rank() > NotChecked.Rank() {
			p.Result, p.Reasons = NotChecked, []string{ReasonProgramUnknown}
		}
		if e := p.Standing.Basis; e != nil && e.Body.Level == "attended" && p.Result.Rank() > StatedInListing.Rank() {
			p.Reasons = appendOnce(p.Reasons, ReasonAttendanceOnly)
		}
	}
	if p, ok := bestOf(parts); ok {
		return weigh(CheckTraining, p)
	}
	return weigh(CheckTraining, missing(TrainingCert))
}

// oversight is check 3: a physician, NP or PA who prescribes and monitors, with a licence in Y. The best
// link counts; each link is as good as the worst of the link itself, the prescriber's licence, and what
// else the state or the medicine asks for.
func (b *bench) oversight() Check {
	var choices [][]Part
	for _, p := range b.parts(b.file, OversightLink) {
		prescriber := b.file.Linked[p.Claim.Other] // nil when only a name is stated
		if p.Claim.Self() {
			prescriber = b.file
		}
		parts := b.link(p, prescriber)
		if prescriber == nil {
			parts = append(parts, missing(License, ReasonPrescriberUnseen))
		} else {
			parts = append(parts, b.mayPrescribe(prescriber)...)
			parts = append(parts, b.remsSite(prescriber)...)
			for _, screen := range b.parts(prescriber, ExclusionScreen, ProblemOnRecord, BeingChecked) {
				screen.List = screen.Claim.Issuer
				parts = append(parts, screen)
			}
		}
		choices = append(choices, parts)
	}
	parts, ok := best(choices)
	if !ok {
		return weigh(CheckOversight, missing(OversightLink))
	}
	c := weigh(CheckOversight, parts...)
	if b.file.Provider.Practice.remote() {
		b.changes(b.tables.ruleChanges(TelePrescribing, b.t))
		if _, lapsed := b.tables.Lapsed(TelePrescribing, b.t); lapsed {
			c.Reasons = appendOnce(c.Reasons, ReasonRuleLapsed)
		}
	}
	return c
}

// link is the working relation itself: a record of the issuer's carries it, or both sides told us and
// the prescriber's DEA registration was seen, which is then a part as well. A document from one of them is
// no more than that side's word.
func (b *bench) link(p Part, prescriber *CredentialFile) []Part {
	if p.Standing.Class == ClassSource || p.Result.Rank() < StatedByProvider.Rank() {
		return []Part{p}
	}
	p.Result = StatedByProvider
	if !p.Claim.Self() && len(p.Standing.Sides) < 2 {
		p.Reasons = appendOnce(p.Reasons, ReasonOneSided)
		return []Part{p}
	}
	if prescriber != nil {
		dea, ok := bestOf(slices.DeleteFunc(b.parts(prescriber, DEARegistration), func(p Part) bool { return p.Claim.Jurisdiction != b.y }))
		if ok && dea.Result.Rank() >= ShownByDocument.Rank() {
			p.Result = ShownByDocument
			return []Part{p, dea}
		}
	}
	p.Reasons = appendOnce(p.Reasons, ReasonDEAUnseen)
	return []Part{p}
}

// mayPrescribe is the best licence in Y with which somebody may prescribe, and what the state asks for
// beside it; an adverse licence of any state outweighs it.
func (b *bench) mayPrescribe(f *CredentialFile) []Part {
	if bad := b.adverseLicences(f); len(bad) > 0 {
		return bad[:1]
	}
	var choices [][]Part
	for _, p := range b.licencesOf(f, Title.MayPrescribe) {
		choices = append(choices, append([]Part{p}, b.agreement(f, p)...))
	}
	if parts, ok := best(choices); ok {
		return parts
	}
	p := missing(License, ReasonStateGap)
	p.Provider = f.Provider.ID
	return []Part{p}
}

// licencesOf returns the licences in Y of the types that are asked for, and of those types that nobody has
// confirmed, which are being checked.
func (b *bench) licencesOf(f *CredentialFile, asked func(Title) bool) []Part {
	var out []Part
	for _, p := range b.parts(f, License) {
		if p.Claim.Jurisdiction != b.y {
			continue
		}
		t, ok := b.title(p.Claim)
		switch {
		case !ok || !t.Confirmed:
			if p.Result.Rank() > BeingChecked.Rank() {
				p.Result, p.Reasons = BeingChecked, []string{ReasonTitleUnknown}
			}
		case !asked(t):
			continue
		case p.Result == NotMet || p.Result == OutOfDate:
			p.Reasons = append([]string{ReasonPrescriberLapsed}, p.Reasons...)
		}
		out = append(out, p)
	}
	return out
}

// agreement asks for the practice agreement that some states want of a nurse practitioner or a physician
// assistant: it must be on file for Y, with the licence of the physician it names. Where nobody has
// confirmed what the state asks, nothing is assumed in the prescriber's favour.
func (b *bench) agreement(prescriber *CredentialFile, licence Part) []Part {
	title, _ := b.title(licence.Claim)
	role := ""
	switch title.Profession {
	case "nurse_practitioner", "psych_np":
		role = "nurse_practitioner"
	case "physician_assistant":
		role = "physician_assistant"
	default:
		return nil
	}
	b.changes(b.tables.authorityChanges(b.y, role, b.t))
	if a := b.tables.Authority(b.y, role, b.t); a == "full" || a == "none_required" {
		return nil
	}
	var choices [][]Part
	for _, p := range b.parts(prescriber, PracticeAgreement) {
		if p.Claim.Jurisdiction == b.y {
			choices = append(choices, []Part{p, b.physician(p.Claim.Other)})
		}
	}
	if parts, ok := best(choices); ok {
		return parts
	}
	p := missing(PracticeAgreement, ReasonAgreementMissing)
	p.Provider = prescriber.Provider.ID
	return []Part{p}
}

// physician is the licence in Y of the physician whom a practice agreement names.
func (b *bench) physician(id ID) Part {
	f := b.file.Linked[id]
	if id != "" && id == b.file.Provider.ID {
		f = b.file
	}
	if f == nil {
		return missing(License, ReasonPrescriberUnseen)
	}
	if bad := b.adverseLicences(f); len(bad) > 0 {
		return bad[0]
	}
	p, ok := bestOf(b.licencesOf(f, func(t Title) bool { return t.Profession == "physician" || t.Profession == "psychiatrist" }))
	if !ok {
		p = missing(License, ReasonStateGap)
		p.Provider = id
	}
	return p
}

// remsSite asks, of whoever gives esketamine, for the enrolled site: its programme certifies the place and
// never the clinician.
func (b *bench) remsSite(prescriber *CredentialFile) []Part {
	if !slices.Contains(b.file.Provider.Practice.Routes, "esketamine") {
		return nil
	}
	parts := b.parts(b.file, REMSSite)
	if prescriber != b.file {
		parts = append(parts, b.parts(prescriber, REMSSite)...)
	}
	if p, ok := bestOf(parts); ok {
		return []Part{p}
	}
	return []Part{missing(REMSSite, ReasonREMSUnseen)}
}

// protocol is check 4: preparation, a therapist present in the medicine session, vital signs watched
// with an emergency plan, and integration. There is no primary source, so a document is its ceiling.
func (b *bench) protocol() Check {
	var parts []Part
	for _, p := range b.parts(b.file, ProtocolClaim) {
		if p.Standing.Basis == nil {
			continue
		}
		body := p.Standing.Basis.Body
		var no []string
		unknown := false
		for _, x := range []struct {
			is     Answer
			reason string
		}{{body.Preparation, ReasonNoPreparation}, {body.Presence, ReasonNoPresence}, {body.Monitoring, ReasonNoMonitoring},
			{body.Emergency, ReasonNoEmergency}, {body.Integration, ReasonNoIntegration}} {
			switch x.is {
			case No:
				no = append(no, x.reason)
			case Unknown:
				unknown = true
			}
		}
		switch {
		case p.Result.Rank() <= NotMet.Rank():
		case len(no) > 0: // which does not become better by being old
			p.Result, p.Reasons = NotMet, no
		case p.Result == OutOfDate:
		case unknown && p.Result.Rank() > NotChecked.Rank():
			p.Result = NotChecked
		case p.Result == Confirmed:
			p.Result = ShownByDocument
		}
		parts = append(parts, p)
	}
	if p, ok := bestOf(parts); ok {
		return weigh(CheckProtocol, p)
	}
	return weigh(CheckProtocol, missing(ProtocolClaim))
}

// record is check 5: credentials verified, disciplinary history included. Every licence held anywhere,
// the training, a discipline screen per licence, and each exclusion list of the policy. What another
// screen found against the person is a part as well.
func (b *bench) record() Check {
	parts := make([]Part, 0, 8)
	licences, discipline := b.parts(b.file, License), b.parts(b.file, DisciplineScreen)
	for _, p := range licences {
		screen := missing(DisciplineScreen)
		screen.Claim = &Claim{Kind: DisciplineScreen, Jurisdiction: p.Claim.Jurisdiction, Title: p.Claim.Title, Number: p.Claim.Number}
		for i := range discipline {
			d := &discipline[i]
			if d.Claim.Jurisdiction == p.Claim.Jurisdiction && d.Claim.Title == p.Claim.Title && d.Claim.Number.Digits() == p.Claim.Number.Digits() {
				if screen.Provider == "" || d.Result.Rank() < screen.Result.Rank() {
					screen = *d
				}
			}
		}
		parts = append(parts, p, screen)
	}
	if len(licences) == 0 {
		parts = append(parts, missing(License))
	}
	training := b.training()
	parts = append(parts, training.Parts...)
	exclusions := b.parts(b.file, ExclusionScreen)
	lists := b.policy.ScreensFor(b.file.states())
	for _, list := range lists {
		screen := missing(ExclusionScreen)
		if i := slices.IndexFunc(exclusions, func(p Part) bool { return p.Claim.Issuer == list }); i >= 0 {
			screen = exclusions[i]
		}
		screen.List = list
		parts = append(parts, screen)
	}
	for _, screens := range [][]Part{b.parts(b.file, CompactPrivilege), discipline, exclusions} {
		for i := range screens {
			p := &screens[i]
			if p.Result != ProblemOnRecord && p.Result != BeingChecked || slices.ContainsFunc(parts, func(q Part) bool { return q.Claim == p.Claim }) {
				continue
			}
			if p.What == ExclusionScreen {
				p.List = p.Claim.Issuer
			}
			parts = append(parts, *p)
		}
	}
	b.changes(b.policies.nextPolicy(b.t, b.k)) // which may ask for other lists
	return weigh(CheckRecord, parts...)
}

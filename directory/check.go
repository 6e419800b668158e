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
func (r CheckResult) Rank() int { return slices.Index(CheckResults, r) }

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
	b := bench{f, y, t, k, policies, policies.InForce(t, k), map[ID]Standing{}, new(Instant)}
	var checks []Check
	for _, check := range []func() Check{b.license, b.training, b.oversight, b.protocol, b.record} {
		*b.idle = ""
		c := check()
		c.State, c.Organisation, c.ValidUntil = y, f.Provider.Kind == Organisation, earliest(c.ValidUntil, *b.idle)
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
	derived  map[ID]Standing
	idle     *Instant // when a claim of which nothing counts yet may come to count by itself
}

func (b bench) standing(h History) Standing {
	s, ok := b.derived[h.Claim.ID]
	if !ok || h.Claim.ID == "" {
		s = Derive(h, b.t, b.k, b.policies)
		b.derived[h.Claim.ID] = s
	}
	return s
}

// result maps a claim's status to a check's result (contracts.md §4).
func (s Standing) result() CheckResult {
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

func (b bench) part(owner *CredentialFile, h History) Part {
	s := b.standing(h)
	return Part{What: h.Claim.Kind, Claim: &h.Claim, Provider: owner.Provider.ID, Standing: s, Result: s.result(), Reasons: publicReasons(s)}
}

// publicReasons leaves of an answer under review only that it is (contracts.md §4).
func publicReasons(s Standing) []string {
	if s.Status == StatusUnderReview {
		return []string{ReasonReviewPending}
	}
	return slices.Clone(s.Reasons)
}

func missing(kind ClaimKind, reasons ...string) Part {
	return Part{What: kind, Result: NotChecked, Reasons: reasons}
}

func of(f *CredentialFile, kind ClaimKind) []History {
	var out []History
	for _, h := range f.Claims {
		if h.Claim.Kind == kind {
			out = append(out, h)
		}
	}
	return out
}

// held returns the claims of the kind of which something counts. One that was withdrawn, or of which nothing
// counts at that moment, is as if nobody had made it: no check names it or is decided by it.
func (b bench) held(f *CredentialFile, kind ClaimKind) []History {
	var out []History
	for _, h := range of(f, kind) {
		if s := b.standing(h); s.Status == StatusNone || s.Status == StatusWithdrawn {
			*b.idle = earliest(*b.idle, s.ValidUntil)
			continue
		}
		out = append(out, h)
	}
	return out
}

// best returns the part with the best result; the earlier one of equals.
func best(parts []Part) (Part, bool) {
	if len(parts) == 0 {
		return Part{}, false
	}
	top := parts[0]
	for _, p := range parts[1:] {
		if p.Result.Rank() > top.Result.Rank() {
			top = p
		}
	}
	return top, true
}

// weigh makes a check of required parts: the worst wins.
func weigh(name CheckName, parts ...Part) Check {
	c := Check{Check: name, Result: Confirmed}
	parts = slices.Clone(parts)
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
		c.ValidUntil = earliest(c.ValidUntil, p.Standing.ValidUntil)
		c.NextDue = earliest(c.NextDue, p.Standing.NextDue)
		if d := p.Standing.AsOf; d != "" && (c.AsOf == "" || d < c.AsOf) {
			c.AsOf = d
		}
	}
	return c
}

// adverseLicences returns the licences, of any state, that stand against the person.
func (b bench) adverseLicences(f *CredentialFile) []Part {
	var out []Part
	for _, kind := range []ClaimKind{License, CompactPrivilege} {
		for _, h := range b.held(f, kind) {
			if p := b.part(f, h); p.Result == ProblemOnRecord {
				out = append(out, p)
			}
		}
	}
	return out
}

// license is check 1: a licensed mental-health professional. One eligible, independent licence in Y is
// enough; an adverse licence in any state outweighs it.
func (b bench) license() Check {
	if bad := b.adverseLicences(b.file); len(bad) > 0 {
		return weigh(CheckLicense, bad...)
	}
	var parts []Part
	elsewhere := false
	for _, kind := range []ClaimKind{License, CompactPrivilege} {
		for _, h := range b.held(b.file, kind) {
			if h.Claim.Jurisdiction != b.y {
				elsewhere = true
				continue
			}
			p := b.part(b.file, h)
			if kind == License {
				p = b.byTitle(p, h.Claim)
			} else {
				p = b.byCompact(p, h.Claim)
			}
			parts = append(parts, p)
		}
	}
	if p, ok := best(parts); ok {
		c := weigh(CheckLicense, p)
		if p.What == CompactPrivilege {
			c.ValidUntil = earliest(c.ValidUntil, b.policy.Tables().compactChanges(p.Claim.Issuer, b.t))
		}
		return c
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
func (b bench) byTitle(p Part, c Claim) Part {
	t, ok := b.title(c)
	if ok && t.Profession == "physician" {
		if cert, found := b.psychiatry(); found {
			if t, ok = b.policy.Tables().Title(c.Jurisdiction, t.BoardType+"+PSYCHIATRY"); cert.Result.Rank() < p.Result.Rank() {
				p.Result, p.Reasons = cert.Result, cert.Reasons
			}
		}
	}
	tier := p
	switch {
	case !ok || !t.Confirmed:
		tier.Result, tier.Reasons = BeingChecked, []string{ReasonTitleUnknown}
	case t.Tier == Independent:
		return p
	case t.Tier == Supervised:
		tier.Result, tier.Reasons = NotMet, []string{ReasonSupervised}
	default:
		tier.Result, tier.Reasons = NotChecked, []string{ReasonNotMH}
	}
	if p.Result.Rank() <= tier.Result.Rank() {
		return p
	}
	return tier
}

// title is the licence type of a claim, by the tables known at k.
func (b bench) title(c Claim) (Title, bool) {
	return LicenceKey{c.Jurisdiction, c.Title, c.Number}.titleIn(b.policy.Tables())
}

// psychiatry is the best board certification in psychiatry that somebody holds or shows.
func (b bench) psychiatry() (Part, bool) {
	var parts []Part
	for _, h := range b.held(b.file, BoardCert) {
		if strings.Contains(Fold(h.Claim.Title), "psychiatr") {
			parts = append(parts, b.part(b.file, h))
		}
	}
	return best(parts)
}

// byCompact weighs a privilege to practise in Y under a compact, which counts only where the compact is
// confirmed to issue privileges both in Y and in a state whose independent licence the person holds
// (domain.md §2.4). Nothing follows from a state's membership.
func (b bench) byCompact(p Part, c Claim) Part {
	if p.Result != Confirmed {
		return p
	}
	tables := b.policy.Tables()
	home := slices.ContainsFunc(b.held(b.file, License), func(h History) bool {
		title, ok := b.title(h.Claim)
		return ok && title.Eligible() && h.Claim.Jurisdiction != b.y && b.standing(h).result() == Confirmed && tables.CompactIssues(c.Issuer, h.Claim.Jurisdiction, b.t)
	})
	if !home || !tables.CompactIssues(c.Issuer, b.y, b.t) {
		p.Result, p.Reasons = NotChecked, []string{ReasonJurisdiction}
	}
	return p
}

// training is check 2: specialised KAP training at a recognised programme.
func (b bench) training() Check {
	var parts []Part
	for _, h := range b.held(b.file, TrainingCert) {
		p := b.part(b.file, h)
		if h.Claim.Issuer == "" && p.Result.Rank() > NotChecked.Rank() {
			p.Result, p.Reasons = NotChecked, []string{ReasonProgramUnknown}
		}
		if e := p.Standing.Basis; e != nil && e.Body.Level == "attended" && p.Result.Rank() > StatedInListing.Rank() {
			p.Reasons = appendOnce(p.Reasons, ReasonAttendanceOnly)
		}
		parts = append(parts, p)
	}
	if p, ok := best(parts); ok {
		return weigh(CheckTraining, p)
	}
	return weigh(CheckTraining, missing(TrainingCert))
}

// oversight is check 3: a physician, NP or PA who prescribes and monitors, with a licence in Y. The best
// link counts; each link is as good as the worse of the link itself and the prescriber's licence.
func (b bench) oversight() Check {
	var bestCheck *Check
	for _, h := range b.held(b.file, OversightLink) {
		prescriber := b.file.Linked[h.Claim.Other] // nil when only a name is stated
		if h.Claim.Self() {
			prescriber = b.file
		}
		parts := []Part{b.link(h, prescriber)}
		var until Instant // when the law changes by its own date
		if prescriber == nil {
			parts = append(parts, missing(License, ReasonPrescriberUnseen))
		} else {
			licence := b.prescriberLicence(prescriber)
			parts = append(parts, licence)
			agreement, changes := b.agreement(prescriber, licence)
			parts = append(parts, agreement...)
			until = earliest(until, changes)
			parts = append(parts, b.remsSite(prescriber)...)
			for _, s := range b.held(prescriber, ExclusionScreen) {
				if p := b.part(prescriber, s); p.Result == ProblemOnRecord || p.Result == BeingChecked {
					p.List = s.Claim.Issuer
					parts = append(parts, p)
				}
			}
		}
		c := weigh(CheckOversight, parts...)
		c.ValidUntil = earliest(c.ValidUntil, until)
		if tables := b.policy.Tables(); b.file.Provider.Practice.remote() {
			c.ValidUntil = earliest(c.ValidUntil, tables.ruleChanges(TelePrescribing, b.t))
			if _, lapsed := tables.Lapsed(TelePrescribing, b.t); lapsed {
				c.Reasons = appendOnce(c.Reasons, ReasonRuleLapsed)
			}
		}
		if bestCheck == nil || c.Result.Rank() > bestCheck.Result.Rank() {
			bestCheck = &c
		}
	}
	if bestCheck == nil {
		return weigh(CheckOversight, missing(OversightLink))
	}
	return *bestCheck
}

// link is the working relation itself: a record of the issuer's carries it, or both sides told us and
// the prescriber's DEA registration was seen, or one side did, or a listing says so.
func (b bench) link(h History, prescriber *CredentialFile) Part {
	p := b.part(b.file, h)
	if p.Standing.Class != ClassSelf || p.Result != StatedByProvider {
		return p
	}
	switch {
	case !h.Claim.Self() && len(p.Standing.Sides) < 2:
		p.Reasons = appendOnce(p.Reasons, ReasonOneSided)
	case prescriber == nil || !b.deaSeen(prescriber):
		p.Reasons = appendOnce(p.Reasons, ReasonDEAUnseen)
	default:
		p.Result = ShownByDocument
	}
	return p
}

func (b bench) deaSeen(prescriber *CredentialFile) bool {
	for _, h := range b.held(prescriber, DEARegistration) {
		if h.Claim.Jurisdiction == b.y && b.standing(h).result().Rank() >= ShownByDocument.Rank() {
			return true
		}
	}
	return false
}

// prescriberLicence is the best licence in Y with which the prescriber may prescribe; an adverse one
// of any state outweighs it.
func (b bench) prescriberLicence(f *CredentialFile) Part {
	if bad := b.adverseLicences(f); len(bad) > 0 {
		return bad[0]
	}
	var parts []Part
	for _, h := range b.held(f, License) {
		if h.Claim.Jurisdiction != b.y {
			continue
		}
		p := b.part(f, h)
		t, ok := b.title(h.Claim)
		switch {
		case !ok || !t.Confirmed:
			if p.Result.Rank() > BeingChecked.Rank() {
				p.Result, p.Reasons = BeingChecked, []string{ReasonTitleUnknown}
			}
		case !t.MayPrescribe():
			continue
		case p.Result == NotMet || p.Result == OutOfDate:
			p.Reasons = append([]string{ReasonPrescriberLapsed}, p.Reasons...)
		}
		parts = append(parts, p)
	}
	if p, ok := best(parts); ok {
		return p
	}
	p := missing(License, ReasonStateGap)
	p.Provider = f.Provider.ID
	return p
}

// agreement asks for the practice agreement that some states want of a nurse practitioner or a physician
// assistant: it must be on file for Y, with the licence of the physician it names. Where nobody has
// confirmed what the state asks, nothing is assumed in the prescriber's favour.
// changes is when the table of what states ask changes next.
func (b bench) agreement(prescriber *CredentialFile, licence Part) (parts []Part, changes Instant) {
	if licence.Claim == nil || licence.Result.Rank() <= BeingChecked.Rank() {
		return nil, ""
	}
	title, _ := b.title(*licence.Claim)
	role := ""
	switch title.Profession {
	case "nurse_practitioner", "psych_np":
		role = "nurse_practitioner"
	case "physician_assistant":
		role = "physician_assistant"
	default:
		return nil, ""
	}
	tables := b.policy.Tables()
	changes = tables.authorityChanges(b.y, role, b.t)
	if a := tables.Authority(b.y, role, b.t); a == "full" || a == "none_required" {
		return nil, changes
	}
	for _, h := range b.held(prescriber, PracticeAgreement) {
		if h.Claim.Jurisdiction != b.y {
			continue
		}
		pair := []Part{b.part(prescriber, h), missing(License, ReasonPrescriberUnseen)}
		if physician := b.file.Linked[h.Claim.Other]; physician != nil {
			pair[1] = b.prescriberLicence(physician)
		}
		if parts == nil || weakest(pair) > weakest(parts) {
			parts = pair
		}
	}
	if parts == nil {
		p := missing(PracticeAgreement, ReasonAgreementMissing)
		p.Provider = prescriber.Provider.ID
		parts = []Part{p}
	}
	return parts, changes
}

// weakest is the rank of the worst of the parts.
func weakest(parts []Part) int {
	rank := Confirmed.Rank()
	for _, p := range parts {
		rank = min(rank, p.Result.Rank())
	}
	return rank
}

// remsSite asks, of whoever gives esketamine, for the enrolled site: its programme certifies the place and
// never the clinician.
func (b bench) remsSite(prescriber *CredentialFile) []Part {
	if !slices.Contains(b.file.Provider.Practice.Routes, "esketamine") {
		return nil
	}
	var parts []Part
	for _, f := range []*CredentialFile{b.file, prescriber} {
		for _, h := range b.held(f, REMSSite) {
			parts = append(parts, b.part(f, h))
		}
	}
	if p, ok := best(parts); ok {
		return []Part{p}
	}
	return []Part{missing(REMSSite, ReasonREMSUnseen)}
}

// protocol is check 4: preparation, a therapist present in the medicine session, vital signs watched
// with an emergency plan, and integration. There is no primary source, so a document is its ceiling.
func (b bench) protocol() Check {
	claims := b.held(b.file, ProtocolClaim)
	var parts []Part
	for _, h := range claims {
		p := b.part(b.file, h)
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
		case p.Result.Rank() <= NotMet.Rank(), p.Result == OutOfDate:
		case len(no) > 0:
			p.Result, p.Reasons = NotMet, no
		case unknown:
			p.Result = NotChecked
		case p.Result == Confirmed:
			p.Result = ShownByDocument
		}
		parts = append(parts, p)
	}
	if p, ok := best(parts); ok {
		return weigh(CheckProtocol, p)
	}
	return weigh(CheckProtocol, missing(ProtocolClaim))
}

// record is check 5: credentials verified, disciplinary history included. Every licence held anywhere,
// the training, a discipline screen per licence, and each exclusion list of the policy.
func (b bench) record() Check {
	var parts []Part
	licences := b.held(b.file, License)
	for _, h := range licences {
		parts = append(parts, b.part(b.file, h))
		screen := missing(DisciplineScreen)
		screen.Claim = &Claim{Kind: DisciplineScreen, Jurisdiction: h.Claim.Jurisdiction, Title: h.Claim.Title, Number: h.Claim.Number}
		for _, d := range b.held(b.file, DisciplineScreen) {
			if d.Claim.Jurisdiction == h.Claim.Jurisdiction && d.Claim.Title == h.Claim.Title && d.Claim.Number.Digits() == h.Claim.Number.Digits() {
				screen = b.part(b.file, d)
			}
		}
		parts = append(parts, screen)
	}
	if len(licences) == 0 {
		parts = append(parts, missing(License))
	}
	training := b.training()
	parts = append(parts, training.Parts...)
	for _, list := range b.policy.ScreensFor(b.file.states()) {
		screen := missing(ExclusionScreen)
		for _, h := range b.held(b.file, ExclusionScreen) {
			if h.Claim.Issuer == list {
				screen = b.part(b.file, h)
			}
		}
		screen.List = list
		parts = append(parts, screen)
	}
	c := weigh(CheckRecord, parts...)
	for at := b.policies.nextPolicy(b.t, b.k); at != ""; at = b.policies.nextPolicy(at, b.k) {
		if !slices.Equal(b.policies.InForce(at, b.k).ScreensFor(b.file.states()), b.policy.ScreensFor(b.file.states())) {
			c.ValidUntil = earliest(c.ValidUntil, at)
			break
		}
	}
	return c
}

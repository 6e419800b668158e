package directory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Dossier is a case with everything a person needs to decide it. It is for staff alone: it holds what no
// public face shows.
type Dossier struct {
	Case     Case         `json:"case"`
	Seen     int64        `json:"seen"`  // to be given with the decision: what came after it the person has not seen
	Waits    bool         `json:"waits"` // for a decision; false when it was closed or has resolved itself
	Provider Provider     `json:"provider"`
	Claim    *Claim       `json:"claim,omitempty"` // nil of a case without an observation
	Status   Status       `json:"status,omitempty"`
	Now      string       `json:"now,omitempty"` // what the claim is worth at this moment, in words
	History  []Told       `json:"history"`
	Why      string       `json:"why,omitempty"`  // of what is no clear answer: why it is none; of a record that is not there: that it is not
	Ends     *Ended       `json:"ends,omitempty"` // of a case that time opened, while it waits
	Compared []Compared   `json:"compared"`
	Row      *SourceRow   `json:"row,omitempty"`
	Others   []Other      `json:"others,omitempty"`  // whom the row speaks of besides
	Differs  []Difference `json:"differs,omitempty"` // of facts_differ: what is shown and what the page says
	Need     Need         `json:"need"`
	Choices  []Choice     `json:"choices"`
	Due      Date         `json:"due,omitempty"`
	Hold     *Hold        `json:"hold,omitempty"` // whose the case is at this moment
	Handed   []Handing    `json:"handed,omitempty"`
	Filed    []Filed      `json:"filed,omitempty"`   // evidence that staff added
	Linked   []Other      `json:"linked,omitempty"`  // prescribers, and whom they prescribe for
	Removal  *Removal     `json:"removal,omitempty"` // of removal_request: what is asked
	Acts     []Choice     `json:"acts,omitempty"`    // what else can be done about the claim or the file
	Merged   []Merge      `json:"merged,omitempty"`  // who is one with the provider, so that it can be taken back

	File      *CredentialFile   `json:"-"` // the provider's, with those linked: what a public page is made from
	Rest      []*CredentialFile `json:"-"` // public files of others, whose checks rest on this provider too: at most MostResting
	Resting   int               `json:"-"` // how many there are
	At, Known Instant           `json:"-"` // the moment of all this
}

// Past is a provider's file as it was known at a moment: see Store.Past.
type Past struct {
	File       *CredentialFile
	Listed     bool // a listing speaks of them today; on which days one did is not kept
	MergedInto ID   // who stood for them then
	Parts      []ID // for whom besides they stood then
	Destroyed  bool // what was held of them was destroyed on request, and can be told no more
}

// MostResting is of how many others a dossier holds the files whose checks rest on the provider of its case.
const MostResting = 8

// Wish is something that might be done about a case, or with no case about a provider.
type Wish struct {
	Case     ID
	Provider ID     // without a case
	Do       string // as Choice.Decision says it
	Of       int64  // of an act: the event
	Staff    string
	Field    string
	To       *Fixed  // of a correction
	Look     *LookUp // of LookAnew
	Hurry    bool    // rather no answer than waiting for somebody else who writes
}

// Foreseen is what would be known if a wish were done: the files from which public pages would be made. Nothing is
// done.
type Foreseen struct {
	At, Known Instant // of the files as they would be
	People    []ForeseenFile
	More      int // others whose checks rest on these, and of whom nothing is told
}

// ForeseenFile is one provider's public file now and then; nil where there is no public page.
type ForeseenFile struct {
	ID          ID
	Now, After  *CredentialFile
	MergedAfter ID // of whom After is nil: into whom they were merged
}

// Merge is that somebody is one with the provider: the decision that made them so.
type Merge struct {
	ID    ID    `json:"id"`
	Event int64 `json:"event"`
	Claim ID    `json:"claim"` // in which the decision stands
	Seen  int64 `json:"seen"`  // the number of the newest event of that claim
}

// Told is an event in words.
type Told struct {
	Seq   int64   `json:"seq"`
	At    Instant `json:"at"` // when it was performed
	Words string  `json:"words"`
	Gone  bool    `json:"gone,omitempty"` // voided, or another stands in its place
	Event Event   `json:"-"`
}

// Compared is one field: what the provider's listing or claim says beside what the source says.
type Compared struct {
	Field  string `json:"field"`
	Ours   string `json:"ours,omitempty"`
	Theirs string `json:"theirs,omitempty"`
	Agree  string `json:"agree,omitempty"` // same, in part, differs; "" when one of the two says nothing that can be compared
}

// SourceRow is what the source itself says, as it is kept.
type SourceRow struct {
	Source   string            `json:"source"`
	Release  string            `json:"release,omitempty"`
	Key      string            `json:"key"`
	Number   string            `json:"number,omitempty"` // under which the source holds it
	Link     string            `json:"link,omitempty"`   // to the source's own page of it, as the source gives it
	Line     int               `json:"line,omitempty"`
	Evidence string            `json:"evidence,omitempty"` // its SHA-256
	Fields   map[string]string `json:"fields,omitempty"`
	Text     string            `json:"text,omitempty"` // of evidence that has no fields
}

// Other is another provider whom a case is about as well.
type Other struct {
	ID   ID     `json:"id"`
	Name string `json:"name"`
	As   string `json:"as,omitempty"` // of somebody linked: prescriber; therapist or practice, who name the provider as theirs
}

// Need is what a case still asks for before it is settled.
type Need struct {
	Approvals int      `json:"approvals"`           // people still needed
	Given     []string `json:"given,omitempty"`     // who has said so already
	Approver  bool     `json:"approver"`            // the next of them must be an approver
	From      []string `json:"from,omitempty"`      // who could give the next
	Due       Date     `json:"due,omitempty"`       // of a returned observation: the last day to look again
	Returned  string   `json:"returned,omitempty"`  // by whom
	Withdrawn bool     `json:"withdrawn,omitempty"` // the provider is on no public face, so nothing is asked for
}

// Work says how far a case is that asks for this, and whose turn it is: only an approver's, or anybody's who decides.
func (n Need) Work() (Work, Role) {
	work, role := WorkNew, Verifier
	switch {
	case n.Returned != "":
		work = WorkReturned
	case len(n.Given) > 0:
		work = WorkSecond
	}
	if n.Approver {
		role = Approver
	}
	return work, role
}

// Choice is a decision that can be made about a case, and what it would do at this moment.
type Choice struct {
	Decision string `json:"decision"`
	Effect   string `json:"effect"`
	After    Status `json:"after,omitempty"`
	Refused  string `json:"refused,omitempty"` // why it cannot be made now
	Try      string `json:"try,omitempty"`     // with which command somebody at a terminal goes on

	Of    int64  `json:"of,omitempty"` // of an act: the event
	Event *Event `json:"-"`            // what it would append to the claim, for With; nil when it appends nothing to it

	// Foreseen is what public pages would be made from after it, where it is about the provider's whole file and nothing need
	// be written to know; nil elsewhere: see Store.Foresee.
	Foreseen *Foreseen `json:"-"`
}

// Rehearsed reports a choice of which only the rules themselves know what becomes of public pages, if it is more than an
// event of one claim.
func (x Choice) Rehearsed(kind CaseKind) bool {
	switch x.Decision {
	case "same", "clear", "take", "prove", "accept_request", "unmerge", "restore_file":
		return true
	}
	return x.Decision == "distinct" && kind == CaseRemoved
}

// The choices about what ended by its own date, or is about to: see CaseKind.ByTime. Whoever may return an observation
// may do both. They are done by Store.BringIn, with a LookUp that names the case.
const (
	LookAnew     = "look_up"        // what the register says now is written down
	CouldNotLook = "could_not_look" // it could not be asked
)

// Ended says by what an answer has ended, or is about to.
type Ended struct {
	Day    Date    `json:"day"`             // the last on which it holds
	Source string  `json:"source"`          // which gave the day
	Looked Instant `json:"looked"`          // when somebody or the program looked there last
	AsOf   Date    `json:"as_of,omitempty"` // of what day the source's own data were then
	Since  Instant `json:"since"`           // since when public pages say so, as far as is known today
	Newer  int64   `json:"newer,omitempty"` // the event of what was read since, if it waits for somebody to confirm it
}

// EndedAt says by what the claim has ended at t as known at k, or is about to; nil where time opens no case about it.
func (h History) EndedAt(t, k Instant, policies Policies) *Ended {
	st := Derive(h, t, k, policies)
	kind := st.Ends()
	if kind == "" {
		return nil
	}
	b := st.Basis.Body
	out := &Ended{Day: cmp.Or(b.Expires, b.To), Source: b.Source, Looked: st.Basis.PerformedAt, AsOf: b.SourceAsOf}
	for _, n := range st.Pending {
		if n > st.Basis.Seq {
			out.Newer = max(out.Newer, n)
		}
	}
	// It has been said since the first of the moments from which on it was said at every one.
	end := expiryEnd(h.Claim, st.Basis)
	moments := []Instant{t, end, end.AddDays(-policies.InForce(t, k).Kinds[h.Claim.Kind].Expiring)}
	for _, e := range h.inEffect(t, k) {
		moments = append(moments, e.PerformedAt)
	}
	slices.Sort(moments)
	for _, at := range slices.Backward(moments) {
		if at > t {
			continue
		}
		if Derive(h, at, k, policies).Ends() != kind {
			break
		}
		out.Since = at
	}
	return out
}

// Missing says of an observation that a search found no record: that it is there no longer, where a record was. "" is
// that it is no such observation.
func (h History) Missing(e Event, t, k Instant) string {
	if e.Type != Observe || e.Body.State != SeenNotFound {
		return ""
	}
	for _, o := range h.inEffect(t, k) {
		if o.Type == Observe && o.Seq < e.Seq && o.Identifies() && o.Body.State != SeenNotFound && o.Body.State != SeenUnavailable {
			return "no longer in the register"
		}
	}
	return "not in the register"
}

// Queued is a line of the list of cases.
type Queued struct {
	Case
	Name  string `json:"name"` // the provider's
	What  string `json:"what"`
	Why   string `json:"why,omitempty"` // of a record that is not there: that it is not
	About *Claim `json:"-"`             // nil of a case that is about no claim
	Need  Need   `json:"need"`
	Waits bool   `json:"waits"`
	Due   Date   `json:"due,omitempty"`
	Late  bool   `json:"late,omitempty"` // its last day has passed
	State State  `json:"state,omitempty"`
	Work  Work   `json:"work,omitempty"`
	Hold  *Hold  `json:"hold,omitempty"` // whose it is at this moment
}

// InEffect returns the events that count at t as known at k, in order of their numbers: what was voided or
// corrected is gone, and a correction has the type and the time of what it corrects.
func (h History) InEffect(t, k Instant) []Event {
	var out []Event
	for _, e := range h.inEffect(t, k) {
		out = append(out, *e)
	}
	return out
}

func (h History) inEffect(t, k Instant) []*Event { return countsAt(inEffect(h.Events, k), t) }

// Newest is the number of the newest event of the claim, 0 if it has none.
func (h History) Newest() int64 {
	var n int64
	for _, e := range h.Events {
		n = max(n, e.Seq)
	}
	return n
}

// Identifies reports an observation that a person may confirm: an identifier agrees, or it is a search that
// found nothing or got no answer. A name alone is never confirmed.
func (e Event) Identifies() bool {
	o := newObservation(&e)
	return o.visible
}

// Occasion is what a deed about the event, as it stands in effect, is about: one that an identifier ties to
// the provider and that stands, or may stand, against them; or any other.
func (e Event) Occasion() Occasion {
	switch s := e.Body.State; {
	case e.Type == Takedown:
		return TakenDown
	case e.Type == Decide && e.Body.Decision == string(Same):
		return Merged
	case e.Type == Observe && e.Identifies() && (s.Adverse() || s == SeenPossible || s == SeenIndeterminate):
		return Against
	}
	return Ordinary
}

// Approvals returns how many people must stand behind the observation of that number, and who does: whoever
// confirmed it, and of what stands against somebody whoever read it out of the source. It counts as Derive does:
// nobody twice, and nobody who confirmed before it was cleared or returned.
func (h History) Approvals(of int64, t, k Instant, policies Policies) (need int, given []string) {
	o, need := h.heard(of, t, k, policies)
	return need, people(o.confirms)
}

// Clearances returns who has cleared the observation of that number since it was last confirmed. What enough
// people found against somebody takes as many to clear.
func (h History) Clearances(of int64, t, k Instant, policies Policies) []string {
	o, _ := h.heard(of, t, k, policies)
	return people(o.clears)
}

// Settles reports that the observation of that number waits for nobody any more once enough people have confirmed
// it. What stands against somebody, or takes the place of what does, settles by an exact match alone: confirming
// anything less would leave it waiting for ever.
func (h History) Settles(of int64, t, k Instant, policies Policies) bool {
	if e := h.Event(of); e == nil || e.Body.Match == M5 || e.Body.State.Good() {
		return true
	}
	for _, who := range []string{"?1", "?2"} { // nobody's names
		h = h.With(Event{Type: Review, Actor: Actor{Kind: Staff, ID: who}, Body: Body{Of: of, Decision: string(Confirm)}}, t, k)
	}
	return !slices.Contains(Derive(h, t, k, policies).Pending, of)
}

// heard is the observation of that number with what its reviews made of it, and how many people settle it.
func (h History) heard(of int64, t, k Instant, policies Policies) (o observation, need int) {
	events := h.inEffect(t, k)
	for _, e := range events {
		if e.Seq == of {
			o = newObservation(e)
			return o, o.hearAll(events, h.Claim.Kind, policies.InForce(t, k))
		}
	}
	return o, 1
}

func people(list []Actor) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.ID)
	}
	return out
}

// LastReview returns the newest review in effect of the observation of that number, nil if there is none.
func (h History) LastReview(of int64, t, k Instant) *Event {
	events := h.inEffect(t, k)
	for _, e := range slices.Backward(events) {
		if e.Type == Review && e.Body.Of == of {
			return e
		}
	}
	return nil
}

// Disputed returns the disputes that are open at t as known at k.
func (h History) Disputed(t, k Instant) []Event {
	events := h.inEffect(t, k)
	var out []Event
	for _, e := range events {
		if e.Type == DisputeOpen && !closed(events, e) {
			out = append(out, *e)
		}
	}
	return out
}

// With is the history as it would be at t, as known at k, if the event were the next.
func (h History) With(e Event, t, k Instant) History {
	e.V, e.Claim, e.Seq, e.RecordedAt = EventVersion, h.Claim.ID, h.Newest()+1, k
	if e.PerformedAt == "" {
		e.PerformedAt = t
	}
	h.Events = append(slices.Clip(h.Events), e)
	return h
}

// Foresee derives the claim as it would stand at t if the event were the next.
func (h History) Foresee(e Event, t, k Instant, policies Policies) Standing {
	return Derive(h.With(e, t, k), t, k, policies)
}

// With is the file as it would be if the event were the next of the claim: what is then said of the provider is
// made from it as from any file.
func (f *CredentialFile) With(claim ID, e Event, t, k Instant) *CredentialFile {
	out := *f
	out.Claims = slices.Clone(f.Claims)
	for i, h := range out.Claims {
		if h.Holds(claim) {
			out.Claims[i] = h.With(e, t, k)
		}
	}
	return &out
}

// Resting is the file as it would be if the file of somebody whom its checks rest on were another; nil is that they
// have no public page.
func (f *CredentialFile) Resting(on ID, other *CredentialFile) *CredentialFile {
	out := *f
	out.Link(func(id ID) *CredentialFile {
		if l := f.Linked[id]; l == nil || l.Provider.ID != on {
			return l
		}
		return other
	})
	return &out
}

// AddBusinessDays returns the day n business days later: days from Monday to Friday that are no federal
// holiday. An unreadable day gives "".
func (d Date) AddBusinessDays(n int) Date {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return ""
	}
	for n > 0 {
		t = t.AddDate(0, 0, 1)
		if w := t.Weekday(); w != time.Saturday && w != time.Sunday && !Date(t.Format(time.DateOnly)).Holiday() {
			n--
		}
	}
	return Date(t.Format(time.DateOnly))
}

// Words says what a claim is worth, for staff.
func (s Standing) Words() string {
	text := strings.ReplaceAll(string(s.Status), "_", " ")
	if s.Status == StatusNone {
		text = "nothing known that counts"
	}
	if s.Status != StatusNone && s.Class != "" && s.Class != ClassSource {
		text += " (" + string(s.Class) + ")"
	}
	if s.ValidUntil != "" {
		text += " until " + s.ValidUntil.Date().String()
	}
	if len(s.Reasons) > 0 {
		text += " [" + strings.Join(s.Reasons, " ") + "]"
	}
	return text
}

// Words says what a claim is about, for staff.
func (c Claim) Words() string {
	parts := []string{strings.ReplaceAll(string(c.Kind), "_", " ")}
	for _, p := range []string{string(c.Jurisdiction), c.Title, c.Number.Shown, c.Issuer} {
		if p != "" && !slices.Contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " ")
}

// Tell puts the events of a claim into words, by their numbers.
func (h History) Tell(t, k Instant) []Told {
	now := h.inEffect(t, k)
	out := make([]Told, 0, len(h.Events))
	for _, e := range h.Events {
		in := slices.ContainsFunc(now, func(x *Event) bool { return x.Seq == e.Seq })
		out = append(out, Told{Seq: e.Seq, At: e.PerformedAt, Words: e.Words(), Gone: !in && e.Type != Void && e.PerformedAt <= t, Event: e})
	}
	return out
}

// Words says what happened, for staff.
func (e Event) Words() string { return e.WordsWith(func(source string) string { return source }) }

// WordsWith says what happened, with sources named by a function.
func (e Event) WordsWith(source func(id string) string) string {
	who, b := e.Actor.ID, e.Body
	switch e.Actor.Kind {
	case ByProvider:
		who = "the provider or prescriber (" + e.Actor.Auth + ")"
	case Tool:
		who = e.Actor.ID
	}
	because := ""
	if b.Note != "" {
		because = ": " + b.Note
	}
	switch e.Type {
	case Assert:
		if b.State == SeenNotFound {
			return fmt.Sprintf("%s (%s) no longer states it%s", source(b.Source), b.Class, release(b))
		}
		return strings.TrimSuffix(fmt.Sprintf("%s (%s) states %s", source(b.Source), b.Class, b.said()), " ") + reasons(e.Reason)
	case Observe:
		return fmt.Sprintf("%s%s says %s%s", source(b.Source), release(b), b.said(), b.matched())
	case Review:
		done := map[string]string{"confirm": "confirmed", "clear": "cleared", "return": "returned"}[b.Decision]
		if b.Field != "" {
			because = " (" + b.Field + " differs)" + because
		}
		return fmt.Sprintf("%s %s event %d%s", who, done, b.Of, because)
	case Decide:
		switch b.Decision {
		case "accept":
			return fmt.Sprintf("%s accepted the dispute of event %d as plausible%s", who, b.Of, because)
		case "decline":
			return fmt.Sprintf("%s found the dispute of event %d not plausible%s", who, b.Of, because)
		}
		return fmt.Sprintf("%s decided %s about %s %s%s", who, b.Decision, source(b.Source), b.Number, because)
	case DisputeOpen:
		what := "disputes it"
		if b.Decision == "identity" {
			what = "says that it is about somebody else"
		}
		if b.Field != "" {
			what += " (" + b.Field + ")"
		}
		return who + " " + what + because
	case DisputeClose:
		return fmt.Sprintf("%s closed the dispute of event %d%s", who, b.Of, because)
	case Correct:
		return fmt.Sprintf("%s corrected event %d: it says %s%s", who, e.Supersedes, b.said(), because)
	case Void:
		return fmt.Sprintf("%s voided event %d, entered in error%s", who, e.Supersedes, because)
	case Takedown:
		return who + " withdrew it from every public face" + because
	}
	return who + " " + string(e.Type) + because
}

func reasons(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return " [" + strings.Join(list, " ") + "]"
}

func release(b Body) string {
	text := ""
	if b.Release != "" {
		text = " " + b.Release
	}
	if b.SourceAsOf != "" {
		text += ", data of " + b.SourceAsOf.String()
	}
	if text == "" {
		return ""
	}
	return " (" + strings.TrimPrefix(strings.TrimPrefix(text, ","), " ") + ")"
}

// said is what the body states, field by field.
func (b Body) said() string {
	var out []string
	say := func(name, value string) {
		if value != "" {
			out = append(out, strings.TrimSpace(name+" "+value))
		}
	}
	switch {
	case b.State != "" && b.SourceWords != "" && !strings.EqualFold(b.SourceWords, string(b.State)):
		out = append(out, fmt.Sprintf("%s, in its words %q", b.State, b.SourceWords))
	case b.State != "":
		out = append(out, string(b.State))
	case b.SourceWords != "":
		out = append(out, fmt.Sprintf("%q", b.SourceWords))
	}
	say("number", b.Number)
	say("name", b.Name)
	say("issued", b.Issued.String())
	say("expires", b.Expires.String())
	say("restrictions:", strings.Join(b.Restrictions, "; "))
	say("action of", b.ActionDate.String())
	say("programme", b.Programme)
	say("level", b.Level)
	say("completed", b.Completed.String())
	say("side", b.Side)
	say("from", b.From.String())
	say("to", b.To.String())
	for _, x := range []struct {
		name string
		is   Answer
	}{{"preparation", b.Preparation}, {"presence", b.Presence}, {"monitoring", b.Monitoring}, {"emergency plan", b.Emergency}, {"integration", b.Integration}} {
		say(x.name, string(x.is))
	}
	if len(out) == 0 {
		return "it"
	}
	return strings.Join(out, ", ")
}

func (b Body) matched() string {
	if b.Match == "" || len(b.By)+len(b.Against) == 0 {
		return ""
	}
	return "; match " + Match{b.Match, b.By, b.Against}.Words()
}

// Words says how surely two descriptions are of one, and by what.
func (m Match) Words() string {
	text := string(m.Rung)
	if len(m.By) > 0 {
		text += " by " + AllOf(m.By)
	}
	if len(m.Against) > 0 {
		text += ", against it " + AllOf(m.Against)
	}
	return text
}

// Compare sets what is known of the provider and their claim beside what a source says: the body of its
// observation, and its own row. Each may be nil; shown is what the claim's answer rests on today.
func Compare(f *CredentialFile, c *Claim, shown, body *Body, rec *Record) []Compared {
	var out []Compared
	say := func(field, ours, theirs, agree string) {
		if ours == "" && theirs == "" {
			return
		}
		if ours == "" || theirs == "" {
			agree = ""
		}
		out = append(out, Compared{field, ours, theirs, agree})
	}
	add := func(field, ours, theirs string, agree bool) {
		say(field, ours, theirs, map[bool]string{true: agreeSame, false: agreeDiffers}[agree])
	}
	plain := func(field, ours, theirs string) { add(field, ours, theirs, Fold(ours) == Fold(theirs)) }

	p := f.Provider
	us := f.Subject()
	var them Subject
	if rec != nil {
		them = rec.Subject()
	}
	names := func(list []Name) (text string) {
		var all []string
		for _, n := range list {
			all = append(all, n.String())
		}
		return strings.Join(all, "; ")
	}
	theirName := names(them.Names)
	if theirName == "" && len(them.Organisations) == 0 && body != nil {
		theirName = body.Name
	}
	sameName := slices.ContainsFunc(us.Names, func(a Name) bool {
		return slices.ContainsFunc(append(slices.Clone(them.Names), ParseName(theirName)), func(b Name) bool {
			return Fold(a.Given) == Fold(b.Given) && Fold(a.Family) == Fold(b.Family)
		})
	})
	add("name", names(us.Names), theirName, sameName)
	plain("organisation", p.Organisation, strings.Join(them.Organisations, "; "))
	plain("npi", string(p.NPI), string(them.NPI))
	plain("birth", "", string(them.Birth))

	var mine, theirs []LicenceKey
	if c != nil && c.Number.Shown != "" && c.Kind != IdentityNPI {
		mine = []LicenceKey{{c.Jurisdiction, c.Title, c.Number}}
	} else if rec != nil {
		mine = us.Licences
	}
	theirs = them.Licences
	keys := func(list []LicenceKey) string {
		var all []string
		for _, k := range list {
			all = append(all, strings.Join(strings.Fields(string(k.State)+" "+k.Type+" "+k.Number.Shown), " "))
		}
		return strings.Join(all, "; ")
	}
	say("licence", keys(mine), keys(theirs), sameLicences(mine, theirs))
	if body != nil {
		if shown == nil {
			shown = &Body{}
		}
		if len(theirs) == 0 && c != nil && c.Kind != IdentityNPI {
			add("number", c.Number.Shown, body.Number, c.Number.Key == ParseLicenceNumber(body.Number).Key)
		}
		status := func(b *Body) string {
			if b.SourceWords == "" || b.State == "" {
				return string(b.State)
			}
			return fmt.Sprintf("%s (%s)", b.State, b.SourceWords)
		}
		add("status", status(shown), status(body), shown.State == body.State)
		plain("issued", string(shown.Issued), string(body.Issued))
		plain("expires", string(shown.Expires), string(body.Expires))
		plain("restrictions", strings.Join(shown.Restrictions, "; "), strings.Join(body.Restrictions, "; "))
		plain("action date", string(shown.ActionDate), string(body.ActionDate))
		plain("programme", shown.Programme, body.Programme)
		plain("level", shown.Level, body.Level)
		plain("completed", string(shown.Completed), string(body.Completed))
	}
	var here, there []Address
	phones := them.Phones
	for _, x := range p.Sites {
		here = append(here, x.Address)
	}
	switch {
	case rec == nil:
	case rec.Exclusion != nil:
		there = []Address{{City: rec.Exclusion.City, State: rec.Exclusion.State, ZIP: rec.Exclusion.ZIP}}
	case rec.Licence != nil:
		there = []Address{{City: rec.Licence.City, State: rec.Licence.State, ZIP: rec.Licence.ZIP}}
	default:
		there = them.Addresses
	}
	say("place", townsOf(here), townsOf(there), sameTowns(here, there))
	if len(phones) > 0 {
		add("telephone", strings.Join(us.Phones, "; "), strings.Join(phones, "; "), slices.ContainsFunc(phones, func(x string) bool { return slices.Contains(us.Phones, x) }))
	}
	if rec != nil && rec.Exclusion != nil {
		x := rec.Exclusion
		plain("specialty", "", x.Specialty)
		plain("ground", "", x.Authority)
		plain("excluded on", "", string(x.Excluded))
		plain("reinstated on", "", string(x.Reinstated))
	}
	return out
}

// The words of Compared.Agree.
const (
	agreeSame    = "same"
	agreePartly  = "in part"
	agreeDiffers = "differs"
)

// sameLicences compares licences of the same state. A number beside a type that cannot be compared with the other's,
// such as the taxonomy code of NPPES, agrees in part.
func sameLicences(mine, theirs []LicenceKey) string {
	agree := ""
	for _, a := range mine {
		for _, b := range theirs {
			if a.State != "" && b.State != "" && a.State != b.State {
				continue // somebody may be licensed in both
			}
			by := MatchSubjects(Subject{Licences: []LicenceKey{a}}, Subject{Licences: []LicenceKey{b}}).By
			switch {
			case slices.Contains(by, "licence"):
				return agreeSame
			case slices.Contains(by, "licence_number"), a.Number.Key != "" && a.Number.Key == b.Number.Key:
				agree = agreePartly
			case agree == "":
				agree = agreeDiffers
			}
		}
	}
	return agree
}

// Unclear says why what a source says is no clear answer; rec is its row, nil where that is not at hand.
func Unclear(b Body, rec *Record) string {
	switch {
	case rec != nil && rec.Licence != nil && rec.Licence.Discipline == DisciplineFlagged && len(rec.Licence.Actions) == 0:
		return "the register says that there is, or was, a board action, and its row does not say which"
	case strings.Contains(b.SourceWords, " | "):
		return "rows of the register about the same licence say different things"
	case b.Expires != "" && b.SourceAsOf != "" && b.Expires < b.SourceAsOf:
		return "the register calls it active, and it had expired by the day of the register's data"
	}
	return "nobody has said yet what the source's words mean"
}

// townsOf lists towns, each once.
func townsOf(list []Address) string {
	var all []string
	for _, a := range list {
		if t := strings.Join(strings.Fields(a.City+" "+string(a.State)+" "+a.ZIP5()), " "); t != "" && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return strings.Join(all, "; ")
}

// sameTowns compares the nearest two towns: by ZIP code where both have one, else by name; a state, or a town's name, alone
// agrees in part.
func sameTowns(here, there []Address) string {
	best := ""
	for _, a := range here {
		for _, b := range there {
			state := a.State == b.State || a.State == "" || b.State == ""
			zips, cities := a.ZIP5() != "" && b.ZIP5() != "", a.City != "" && b.City != ""
			switch {
			case zips && a.ZIP5() == b.ZIP5(), !zips && cities && state && Fold(a.City) == Fold(b.City):
				return agreeSame
			case cities && state && Fold(a.City) == Fold(b.City), !zips && !cities && a.State != "" && a.State == b.State:
				best = agreePartly
			case best == "" && (a.State != "" && b.State != "" || zips || cities):
				best = agreeDiffers
			}
		}
	}
	return best
}

// ClaimFile is a claim as staff see it.
type ClaimFile struct {
	Claim     Claim   `json:"claim"`
	Provider  string  `json:"provider"` // the name
	Withdrawn bool    `json:"withdrawn,omitempty"`
	Seen      int64   `json:"seen"` // to be given with an act
	Status    Status  `json:"status,omitempty"`
	Now       string  `json:"now"`
	Pending   []int64 `json:"pending,omitempty"` // observations that wait for a person
	Disputes  []int64 `json:"disputes,omitempty"`
	History   []Told  `json:"history"`
}

// Superseded says of each event that counts no more as known at k which event voided it or stands in its place.
func (h History) Superseded(k Instant) map[int64]int64 {
	out, stands := map[int64]int64{}, map[int64]int64{} // stands: the correction of what was first made
	origin := func(e *Event) int64 {
		if e.Type == Correct {
			e = originOf(h.Events, e)
		}
		return e.Seq
	}
	events := slices.Clone(h.Events)
	slices.SortFunc(events, func(a, b Event) int { return bySeq(&b, &a) })
	for _, e := range events { // the newest first: what takes back may itself be taken back
		switch {
		case e.RecordedAt > k || out[e.Seq] != 0:
		case e.Type == Void && out[e.Supersedes] == 0:
			out[e.Supersedes] = e.Seq
		case e.Type == Correct && stands[origin(&e)] == 0:
			stands[origin(&e)] = e.Seq
		}
	}
	for _, e := range events {
		if by := stands[origin(&e)]; by != 0 && by != e.Seq && out[e.Seq] == 0 && e.RecordedAt <= k {
			out[e.Seq] = by
		}
	}
	return out
}

// Event returns the event of that number, nil if the claim has none.
func (h History) Event(seq int64) *Event {
	for i := range h.Events {
		if h.Events[i].Seq == seq {
			return &h.Events[i]
		}
	}
	return nil
}

// OccasionOf says what a deed about the event of that number is about: an answer that stands against the
// provider, what enough people found against them, or what was decided or changed about either.
func (h History) OccasionOf(seq int64, t, k Instant, policies Policies) Occasion {
	for range len(h.Events) + 1 {
		e := h.Event(seq)
		if e == nil {
			return Ordinary
		}
		said := *e
		if e.Type == Correct {
			said.Type = originOf(h.Events, e).Type
		}
		if on := said.Occasion(); on != Ordinary {
			if o, need := h.heard(seq, t, k, policies); o.Event != nil && need > 1 && o.adverse() && len(o.confirms) >= need {
				return Found
			}
			return on
		}
		switch {
		case e.Supersedes != 0:
			seq = e.Supersedes
		case e.Type == Review:
			seq = e.Body.Of
		default:
			return Ordinary
		}
	}
	return Ordinary
}

// Readable are the states that a person can read out of a source.
var Readable = []Observed{SeenActive, SeenRestricted, SeenProbation, SeenSuspended, SeenRevoked, SeenSurrendered, SeenInactive, SeenRetired, SeenExpired,
	SeenPending, SeenNotFound, SeenClear, SeenExcluded, SeenReinstated}

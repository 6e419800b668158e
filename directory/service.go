package directory

import "time"

// Holiday reports that the United States government does not work on the day: the eleven holidays of
// 5 U.S.C. 6103(a), on the Friday before where they fall on a Saturday (6103(b)) and on the Monday after
// where they fall on a Sunday (Executive Order 11582). An unreadable day is none.
func (d Date) Holiday() bool {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return false
	}
	switch t.Weekday() {
	case time.Saturday, time.Sunday:
		return false // the day that is kept instead is another
	case time.Friday:
		return holiday(t) || holiday(t.AddDate(0, 0, 1))
	case time.Monday:
		return holiday(t) || holiday(t.AddDate(0, 0, -1))
	}
	return holiday(t)
}

// holidays are those of a date, and of the n-th such weekday of a month; the last one is -1.
var (
	fixedDays = map[string]bool{"01-01": true, "06-19": true, "07-04": true, "11-11": true, "12-25": true}
	nthDays   = []struct {
		month time.Month
		day   time.Weekday
		n     int
	}{
		{time.January, time.Monday, 3},    // Birthday of Martin Luther King, Jr.
		{time.February, time.Monday, 3},   // Washington's Birthday
		{time.May, time.Monday, -1},       // Memorial Day
		{time.September, time.Monday, 1},  // Labor Day
		{time.October, time.Monday, 2},    // Columbus Day
		{time.November, time.Thursday, 4}, // Thanksgiving Day
	}
)

func holiday(t time.Time) bool {
	if fixedDays[t.Format("01-02")] {
		return t.Format("01-02") != "06-19" || t.Year() >= 2021
	}
	for _, h := range nthDays {
		if t.Month() != h.month || t.Weekday() != h.day {
			continue
		}
		if h.n > 0 && (t.Day()-1)/7+1 == h.n || h.n < 0 && t.AddDate(0, 0, 7).Month() != h.month {
			return true
		}
	}
	return false
}

// Due is the last day on which a case of the kind that was opened on the day is decided: see CaseKinds.
func (k CaseKind) Due(opened Date) Date {
	days := DecisionDays
	for _, x := range CaseKinds {
		if x.Kind == k {
			days = x.Days
		}
	}
	return opened.AddBusinessDays(days)
}

// DecisionDays is how many business days there are to decide a case that hides or corrects nothing.
const DecisionDays = 10

// Work is how far a case is.
type Work string

// The states of work of a case that waits.
const (
	WorkNew      Work = "new"      // nobody has decided about it
	WorkReturned Work = "returned" // somebody sent it back: it is to be looked at again
	WorkSecond   Work = "second"   // one person has decided, and another must
)

// Works lists the states of work.
var Works = []Work{WorkNew, WorkReturned, WorkSecond}

// Hold says whose a case is for a time: who has taken it, or to whom it was given. Until then a decision by
// somebody else is refused, unless they take it over, which is recorded.
type Hold struct {
	Case  ID      `json:"case"`
	Staff string  `json:"staff"`
	By    string  `json:"by"` // who gave it to them; themselves, when they took it
	Since Instant `json:"since"`
	Until Instant `json:"until"` // it runs out when nothing was done for so long
}

// Given reports that somebody else gave the case to whom it is: that does not run out.
func (h Hold) Given() bool { return h.By != h.Staff }

// HoldTime is how long a case that was taken stays with whoever took it and does nothing about it.
const HoldTime = 30 * time.Minute

// Handing is one step of who works a case: taken, taken over, given, given back.
type Handing struct {
	Number int64   `json:"number"`
	At     Instant `json:"at"`
	Case   ID      `json:"case"`
	Do     string  `json:"do"`    // take, take_over, assign, release
	Staff  string  `json:"staff"` // who did it
	To     string  `json:"to,omitempty"`
	From   string  `json:"from,omitempty"` // of take_over and assign: from whom
	Note   string  `json:"note,omitempty"`
}

// DeskAct is something that somebody did at the desk besides what stands in the ledger as an event: who works a case, a
// document or a contact that was filed, a request that was answered.
type DeskAct struct {
	At       Instant  `json:"at"`
	Staff    string   `json:"staff"`
	Do       string   `json:"do"` // take, take_over, assign, release; paper, phone, mail; proven, accepted, declined; same, distinct
	Case     ID       `json:"case"`
	Kind     CaseKind `json:"kind,omitempty"` // "" where the case is held no more
	Provider ID       `json:"provider,omitempty"`
	To       string   `json:"to,omitempty"`       // of assign: to whom
	From     string   `json:"from,omitempty"`     // of take_over and assign: from whom
	Evidence string   `json:"evidence,omitempty"` // of what was filed: the hash of its record
	Note     string   `json:"note,omitempty"`
}

// Words says what was done, for staff.
func (a DeskAct) Words() string {
	out := map[string]string{"take": "took the case", "take_over": "took the case over from " + a.From, "assign": "gave the case to " + a.To, "release": "gave the case back",
		"paper": "filed a document", "phone": "wrote a call down", "mail": "wrote a mail down", "proven": "hid what was asked about, proven by a contact on record",
		"accepted": "accepted the request", "declined": "declined the request", "same": "said that it is whoever was removed", "distinct": "said that it is somebody else than whoever was removed"}[a.Do]
	if a.Note != "" {
		out += ": " + a.Note
	}
	return out
}

// View is a list of cases that a staff member has given a name.
type View struct {
	Name  string `json:"name"`
	Query string `json:"query"` // the filters, as an address carries them
}

// CaseFilter says which cases are listed; what is left empty filters nothing.
type CaseFilter struct {
	Kind     CaseKind
	Provider ID
	Source   string
	State    State // of the claim, else of the provider
	Work     Work
	Needs    Role   // who at least decides next
	Holder   string // whose it is at this moment; Nobody for those that are free
	Late     bool   // only those whose last day has passed
	All      bool   // closed ones too, and those of withdrawn providers

	After string // the Next of the page before
	Limit int
}

// Nobody is the Holder of cases that are free.
const Nobody = "-"

// CaseList is a page of the list of cases, with how many there are by what they can be filtered by.
type CaseList struct {
	Cases  []Queued `json:"cases"`
	Total  int      `json:"total"`          // of what the filter leaves, beyond this page too
	Next   string   `json:"next,omitempty"` // the After of the next page; "" when this is the last
	Counts []Count  `json:"counts,omitempty"`
}

// Count is how many cases wait that have the value, counted under every other filter.
type Count struct {
	By    string `json:"by"` // kind, work, holder, late, source, state, needs
	Value string `json:"value"`
	N     int    `json:"n"`
}

// Asks names what a deed must be given with it: note is why it is done, field the identifier that differs. What
// only says what a source says, and agrees, needs no reason.
func (d Deed) Asks() []string {
	switch d {
	case Confirm:
		return nil
	case Clear:
		return []string{"field", "note"}
	}
	return []string{"note"}
}

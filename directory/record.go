package directory

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"
)

// Release names one edition of a source: the file or page that an import reads.
type Release struct {
	Source string  `json:"source"`        // id in data/sources.csv
	Name   string  `json:"name"`          // the publisher's own name for it, or the day: 2026-10, 20261108
	AsOf   Date    `json:"as_of"`         // how old the source's own data are
	SHA256 string  `json:"sha256"`        // of the bytes read, hexadecimal
	File   string  `json:"file"`          // base name only; a path may name a person or a machine
	URL    string  `json:"url,omitempty"` // where it was fetched from
	Size   int64   `json:"size"`
	Read   Instant `json:"read"`          // when it was read
	All    bool    `json:"all,omitempty"` // rows outside the taxonomy table are kept too

	// Partial says that the release holds changes alone: what it does not carry stays as it was. It adds to
	// the whole release in force.
	Partial bool `json:"partial,omitempty"`

	// Unconfirmed says that the format was read from what others say of it, since no header of the
	// publisher's own was seen. What such a release says counts as a listing's word and never as a source's.
	Unconfirmed bool `json:"unconfirmed,omitempty"`

	// Again says that bytes which were imported before are to be read once more, by a program that may read
	// them better. It is of the attempt, not of the release, and is not kept.
	Again bool `json:"-"`

	// Whole says that the release of a listing holds every page of the site: whom it does not carry has gone
	// from it. Other kinds of source replace what they held by every release that is not partial.
	Whole bool `json:"whole,omitempty"`
}

// Record is one row or page of a source: our words beside the source's own. Exactly one of its
// parts is set.
type Record struct {
	Source string            `json:"source"`
	Key    string            `json:"key"`              // stable within the source from release to release
	Line   int               `json:"line"`             // of the row in its file, from 1; 0 for a page
	Fields map[string]string `json:"fields,omitempty"` // the source's own columns that may be held, scrubbed; as evidence they are quoted

	Identity  *IdentityRecord  `json:"identity,omitempty"`
	Licence   *LicenceRecord   `json:"licence,omitempty"`
	Exclusion *ExclusionRecord `json:"exclusion,omitempty"`
	Listing   *Listing         `json:"listing,omitempty"`

	Delegation *DelegationRecord `json:"delegation,omitempty"`

	// Fingerprint is of the bytes from which the record was read; zero where nobody took it. It is of the
	// reading, not of what the record says, and is no part of its content.
	Fingerprint [16]byte `json:"-"`
}

// IdentityRecord is a row of NPPES: who exists, by NPI. It is never evidence of good standing, and the
// licence numbers in it are self-reported.
type IdentityRecord struct {
	NPI          NPI          `json:"npi"`
	Kind         ProviderKind `json:"kind,omitempty"` // "" for a deactivated row, which holds nothing else
	Name         Name         `json:"name,omitzero"`
	Organisation string       `json:"organisation,omitempty"`
	Others       []OtherName  `json:"others,omitempty"`
	Taxonomies   []Taxonomy   `json:"taxonomies,omitempty"`
	Practice     *Site        `json:"practice,omitempty"` // the practice location; the mailing address is not read
	Places       []Site       `json:"places,omitempty"`   // further practice locations
	Enumerated   Date         `json:"enumerated,omitempty"`
	Updated      Date         `json:"updated,omitempty"`
	Deactivated  Date         `json:"deactivated,omitempty"`
	Reactivated  Date         `json:"reactivated,omitempty"` // a row with both is active
	Replacement  NPI          `json:"replacement,omitempty"`
}

// Active reports that the NPI was not deactivated, or was reactivated since.
func (r IdentityRecord) Active() bool { return r.Deactivated == "" || r.Reactivated != "" }

// OtherName is another name NPPES holds: type 1 former, 2 professional, 3 doing business as, 4 former legal, 5 other.
type OtherName struct {
	Type         string `json:"type"`
	Name         Name   `json:"name,omitzero"`
	Organisation string `json:"organisation,omitempty"`
}

// Taxonomy is one of up to fifteen NUCC codes of an NPPES row with the licence number reported beside it.
type Taxonomy struct {
	Code    string        `json:"code"`
	Licence LicenceNumber `json:"licence,omitzero"`
	State   State         `json:"state,omitempty"`
	Primary bool          `json:"primary,omitempty"`
}

// LicenceRecord is a row of a licensing board's roster.
type LicenceRecord struct {
	State     State         `json:"state"`
	BoardType string        `json:"board_type"` // the board's own type code, as in data/titles.csv
	Number    LicenceNumber `json:"number"`
	Name      Name          `json:"name,omitzero"`
	Former    []Name        `json:"former,omitempty"`
	Words     string        `json:"words"` // the status in the board's own words
	Standing  Observed      `json:"standing"`
	Issued    Date          `json:"issued,omitempty"`
	Expires   Date          `json:"expires,omitempty"`
	Actions   []BoardAction `json:"actions,omitempty"`
	City      string        `json:"city,omitempty"`
	ZIP       string        `json:"zip,omitempty"`
	Link      string        `json:"link,omitempty"` // to the register's own page of this licence
	// Discipline says what the register shows of board actions beside those in Actions.
	Discipline Discipline `json:"discipline,omitempty"`
}

// Discipline is what a register lets be seen of public board actions.
type Discipline string

// Without a word, Actions are all that there are, and none are none.
const (
	DisciplineShown   Discipline = ""
	DisciplineFlagged Discipline = "flagged" // there is or was one, and the row does not say which: a person looks it up
	DisciplineUnsaid  Discipline = "unsaid"  // the register shows none of anybody, or has a case that is not decided: nothing follows
	DisciplineAlone   Discipline = "alone"   // the row is of an action and says nothing of the licence's standing
)

// DelegationRecord is a row of a board's register of physicians who delegate prescribing.
type DelegationRecord struct {
	State     State    `json:"state"`
	Physician Licensee `json:"physician"`
	Delegate  Licensee `json:"delegate"` // a nurse practitioner or physician assistant
	From      Date     `json:"from,omitempty"`
	To        Date     `json:"to,omitempty"`
}

// Licensee is somebody as a register of another matter names them: by a name and a licence.
type Licensee struct {
	Name      Name          `json:"name,omitzero"`
	BoardType string        `json:"board_type"` // as in data/titles.csv
	Number    LicenceNumber `json:"number"`
}

// Subject returns the licensee's side of a comparison.
func (l Licensee) Subject(state State) Subject {
	s := Subject{Kind: Person, Licences: []LicenceKey{{state, l.BoardType, l.Number}}, States: []State{state}}
	if !l.Name.IsZero() {
		s.Names = []Name{l.Name}
	}
	return s
}

// BoardAction is a public disciplinary action in the board's own words.
type BoardAction struct {
	Case      string `json:"case,omitempty"`
	Action    string `json:"action"`
	Effective Date   `json:"effective,omitempty"`
	Completed Date   `json:"completed,omitempty"`
}

// ExclusionRecord is a row of an exclusion list. Birth is used to tell people apart and is never published.
type ExclusionRecord struct {
	Name         Name   `json:"name,omitzero"`
	Organisation string `json:"organisation,omitempty"`
	NPI          NPI    `json:"npi,omitempty"`
	Birth        Date   `json:"birth,omitempty"`
	City         string `json:"city,omitempty"`
	State        State  `json:"state,omitempty"`
	ZIP          string `json:"zip,omitempty"`
	Specialty    string `json:"specialty,omitempty"`
	Authority    string `json:"authority"` // the legal ground in the list's own code: 1128b4
	Excluded     Date   `json:"excluded"`
	Reinstated   Date   `json:"reinstated,omitempty"`
	Ends         string `json:"ends,omitempty"` // of a reinstatement published by itself: the key of the exclusion that it ends
	Waiver       Date   `json:"waiver,omitempty"`
	WaiverState  State  `json:"waiver_state,omitempty"`

	// A state's list may give a licence number: it is unique only within the state and a type that the
	// list does not say, so that it supports a name and never identifies by itself.
	Licence      LicenceNumber `json:"licence,omitzero"`
	LicenceState State         `json:"licence_state,omitempty"`
}

// Hash identifies the record's content: equal hashes mean that nothing changed. The line does not count.
func (r Record) Hash() string {
	keys := make([]string, 0, len(r.Fields))
	for k := range r.Fields {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	h := sha256.New()
	for _, k := range keys {
		h.Write([]byte(k))
		h.Write([]byte{0})
		h.Write([]byte(r.Fields[k]))
		h.Write([]byte{1})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Reject is a row that could not be taken, kept in quarantine with its reason. Text holds the row only
// when nothing in it must not be held.
type Reject struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	Text   string `json:"text,omitempty"`
	// Partial: the row itself went in, without this field.
	Partial bool `json:"partial,omitempty"`
}

// Batch is what an import hands to the store at a time: at most 500 records.
type Batch struct {
	Records []Record
	Rejects []Reject
	Outside int // valid rows of types the directory does not cover, which are not kept

	// Gone are the listings that a site itself took away. A listing that is only absent is not gone: its page
	// may not have been had.
	Gone []Departure
}

// Departure is a listing that stood on a site at its last import and does not now.
type Departure struct {
	Key string `json:"key"`
	URL string `json:"url"` // of the page on which it stood
	Why string `json:"why"` // one of the words GonePage, GoneLink, GoneListing
}

// The ways in which a site takes a listing away.
const (
	GonePage    = "page"    // its page answers that it is not there, or leads elsewhere
	GoneLink    = "link"    // nothing on the site leads to its page any more, while the rest reads as before
	GoneListing = "listing" // its page is there and names others
)

// Counts is what an import did. Read = Added + Changed + Unchanged + Rejected + Outside.
type Counts struct {
	Read      int `json:"read"`
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Rejected  int `json:"rejected"`
	Outside   int `json:"outside"` // valid, but of a taxonomy or licence type that the directory does not cover
	Removed   int `json:"removed"` // in the release before, not in this one
	Fields    int `json:"fields"`  // values kept in quarantine whose rows went in
}

// Add adds the counts of d.
func (c *Counts) Add(d Counts) {
	c.Read += d.Read
	c.Added += d.Added
	c.Changed += d.Changed
	c.Unchanged += d.Unchanged
	c.Rejected += d.Rejected
	c.Outside += d.Outside
	c.Removed += d.Removed
	c.Fields += d.Fields
}

// Run is one import and what became of it. A run leaves a row even when it fails.
type Run struct {
	ID      ID      `json:"id"`
	Number  int64   `json:"number"` // counts up from 1; "already imported as run N" names it
	Release Release `json:"release"`
	Started Instant `json:"started"`
	Ended   Instant `json:"ended,omitempty"`
	Outcome string  `json:"outcome"` // running, done, failed, interrupted
	Error   string  `json:"error,omitempty"`
	Counts  Counts  `json:"counts"`
	Matched int     `json:"matched"`           // records joined to a provider
	Events  int     `json:"events"`            // events appended
	Already bool    `json:"already,omitempty"` // the bytes were imported before, as this run: nothing was done
	Base    int64   `json:"base,omitempty"`    // of a partial release: the number of the whole run that it adds to
}

// Held is what of a source is in force when a release of it is about to be imported.
type Held struct {
	Found   bool
	Newest  Run  // of all that are in force
	Whole   Run  // the whole release: Newest, or what Newest adds to
	Already bool // the bytes of the release were imported before
}

// First returns the number of the oldest run whose records are in force together with this one's: its own,
// or that of the whole release to which a partial one adds.
func (r Run) First() int64 {
	if r.Base > 0 {
		return r.Base
	}
	return r.Number
}

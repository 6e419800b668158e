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
}

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

// First returns the number of the oldest run whose records are in force together with this one's: its own,
// or that of the whole release to which a partial one adds.
func (r Run) First() int64 {
	if r.Base > 0 {
		return r.Base
	}
	return r.Number
}

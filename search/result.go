package search

import "kapdir/directory"

// Result answers a query: which providers, in what order, and how the choice divides. What is known of a
// provider is not in it: whoever shows a hit asks the store.
type Result struct {
	Hits   []Hit
	Total  int     // all providers that match, not only those of this page
	Facets []Facet // counted over all of them; a facet with a value chosen is counted as if none were
	Next   string  // the cursor of the next page, "" on the last
	Needs  int     // how many needs were chosen, where they are several of one facet: whoever states more of them stands before; else 0

	Plain      bool              // answered without the index, which is being built
	Seq        int64             // the store's number up to which changes are in the answer
	Until      directory.Instant // when the first check of anybody in the index changes by itself; "" is never
	ChecksFor  directory.State   // the patient state Y of check filters and order; "" is each provider's own
	Understood Understood
}

// Hit is one provider found.
type Hit struct {
	ID    directory.ID
	Seq   int64    // the number of the provider's newest change in the index
	Miles *float64 // to the nearest site; nil without a place, or when no site's place is known
	Score float64  // of the words alone: how weighty the places are in which they stand
	Why   []string // where the words were found: name, place, …; empty without words
	Needs int      // how many of Result.Needs the provider states
	// Stands says with Query.Explain why it stands where it does, the weightiest part first.
	Stands []Reason
}

// Reason is one part of why a hit stands where it does.
type Reason struct {
	Part   string  // order, record, words, care, needs, checks, near, checked
	Words  string  // for people
	Points float64 // that the part brings; less is better for none of them
	Of     float64 // the most that it can bring; 0: the part has no points, it orders by itself
}

// Facet is one way to divide the providers found.
type Facet struct {
	Name   string // a name of FilterNames, or state
	Label  string
	Values []FacetValue // in the order in which a page shows them
}

// FacetValue is one value of a facet with how many providers choosing it, beside what else is chosen, gives.
type FacetValue struct {
	*FacetName
	Count    int
	Selected bool
}

// FacetName is a value of a facet with the words for it. All answers have the same one, which must not be changed.
type FacetName struct {
	Value string
	Label string // in English
	JSON  string // both, as members of an object: "value":"co","label":"Colorado"
}

// Understood says what was made of the words of a query.
type Understood struct {
	Terms   []string // the words searched for, folded
	Ignored []string // small words left out
	Fuzzy   []string // of Terms: those of which close spellings count too
	Prefix  string   // of Terms: the one that also stands for longer words, or ""
}

// Suggestion is a way to complete what a visitor has typed.
type Suggestion struct {
	Kind  string // name, place, state, focus, programme, framework
	Text  string // as shown
	Value string // what to search for: a provider id, "Boulder, CO", a state code, or a filter's value
	Count int    // providers it leads to: of a town, those with a site within 50 miles; 0 may be unknown
}

// Status says how the index stands.
type Status struct {
	State     string `json:"state"`   // ready, building; of an index not in use also none, damaged
	Mapping   int    `json:"mapping"` // version of the mapping this program writes
	Cursor    int64  `json:"cursor"`  // the store's number up to which changes are searchable
	Documents int    `json:"documents"`
	Head      int64  `json:"head"`   // the store's newest number; 0 when the store did not answer
	Behind    int64  `json:"behind"` // Head less Cursor
	Plain     bool   `json:"plain"`  // searches are answered without the index
}

// AuditReport says how every document of the index compares with the feed.
type AuditReport struct {
	Checked int            `json:"checked"`           // providers compared
	Missing []directory.ID `json:"missing,omitempty"` // in the feed, not in the index
	Extra   []directory.ID `json:"extra,omitempty"`   // in the index, not in the feed
	Changed []directory.ID `json:"changed,omitempty"` // number or content differ
	Damage  string         `json:"damage,omitempty"`  // what else is wrong with the index; "" is nothing
	Plain   bool           `json:"plain"`             // there was no index to look at
}

// OK reports that the index says exactly what the feed says.
func (r AuditReport) OK() bool {
	return len(r.Missing) == 0 && len(r.Extra) == 0 && len(r.Changed) == 0 && r.Damage == ""
}

package store

import (
	"unsafe"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient is what encoding/json takes too: names in any case, twice, and what is not UTF-8.
var lenient = json.JoinOptions(json.MatchCaseInsensitiveNames(true), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// decode reads what a column holds as JSON. The library is what the standard library's encoding/json/v2 is
// made of; it takes a third of the time of encoding/json, and reading is most of what a page or a screening
// does (measured: an event 3.6 µs in place of 10.9, a subject 4.8 in place of 11.2). What is written is written
// with encoding/json, since the bytes of events are under the chain of hashes.
func decode(text string, into any) error {
	// The decoder only reads: its strings are copies.
	return json.Unmarshal(unsafe.Slice(unsafe.StringData(text), len(text)), into, lenient)
}

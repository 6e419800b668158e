package directory

import "slices"

// SourceClass is the strength of evidence: self < listing < document < source.
type SourceClass string

// The classes. Source is the issuer, its agent or a designated equivalent that stands on the
// approved-source list for that kind and jurisdiction on that day; only it can prove a claim.
const (
	ClassSelf     SourceClass = "self"
	ClassListing  SourceClass = "listing"
	ClassDocument SourceClass = "document"
	ClassSource   SourceClass = "source"
)

// rank is the place on the ladder, the weakest first.
func (c SourceClass) rank() int {
	return slices.Index([]SourceClass{ClassSelf, ClassListing, ClassDocument, ClassSource}, c)
}

// Evidence is what was seen, kept for good. It is immutable; its name is the SHA-256 of Body.
type Evidence struct {
	SHA256      string      `json:"sha256"` // hexadecimal, of Body
	MediaType   string      `json:"media_type"`
	Source      string      `json:"source"`
	Class       SourceClass `json:"class"`
	Method      string      `json:"method"` // bulk, web, api, upload, phone, mail; manual is a look-up by a person, of a worksheet
	URL         string      `json:"url,omitempty"`
	File        string      `json:"file,omitempty"`
	FileSHA256  string      `json:"file_sha256,omitempty"` // of the whole file or page
	RetrievedAt Instant     `json:"retrieved_at"`
	RetrievedBy string      `json:"retrieved_by"` // a person, or tool@version
	SourceAsOf  Date        `json:"source_as_of,omitempty"`
	Redactions  []string    `json:"redactions,omitempty"` // columns and patterns left out before the write
	Body        []byte      `json:"body,omitempty"`       // the matched row's scrubbed columns, or the matched nodes' text
}

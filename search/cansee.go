package search

import (
	"slices"

	"kapdir/directory"
)

// The two checks that say who may see a patient in a state: of the therapist's licence, and of the
// prescriber's as part of medical oversight.
var (
	checkOfLicence   = slices.Index(directory.CheckNames, directory.CheckLicense)
	checkOfOversight = slices.Index(directory.CheckNames, directory.CheckOversight)
)

// maySee reports that therapist and prescriber are each shown by evidence to be licensed in the state of the
// checks. What somebody merely states is not evidence, and neither is a result whose time has passed; that it
// is not shown does not mean that it is not so.
func (e *evaluation) maySee(s *snapshot, c *checksEntry) bool {
	for _, check := range [...]int{checkOfLicence, checkOfOversight} {
		if r, ok := e.result(s, c, check); !ok || int(r) < directory.ShownByDocument.Rank() {
			return false
		}
	}
	return true
}

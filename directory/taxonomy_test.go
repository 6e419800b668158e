package directory

import "testing"

// TestTaxonomy reads the table as NPPES's codes are held against it.
func TestTaxonomy(t *testing.T) {
	for code, role := range map[string]string{
		"1041C0700X": "therapist", "101YA0400X": "therapist", "103TC2200X": "therapist", "106H00000X": "therapist",
		"363LF0000X": "prescriber", "363LP0808X": "both", "363AS0400X": "prescriber", "364SP0808X": "both", "364SA2200X": "prescriber",
		"2084P0800X": "both", "2084P0805X": "prescriber", "207LP2900X": "prescriber", "207QA0401X": "prescriber", "208VP0014X": "prescriber", "207RA0401X": "prescriber",
		"207RC0000X": "", "207X00000X": "", "2085R0202X": "", "208600000X": "", "225100000X": "", "163W00000X": "", "363L": "", "363L*": "", "": "", "2084": "",
	} {
		x, ok := Tables().Taxonomy(code)
		if ok != (role != "") || x.Role != role {
			t.Errorf("Taxonomy(%q) = %+v, %v; want the role %q", code, x, ok, role)
		}
	}
}

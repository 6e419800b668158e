package directory

import "testing"

// What may be a home is not shown, unless the source names a practice there and something of the address speaks of
// premises.
func TestAddressesOfHomesAreNotShown(t *testing.T) {
	for _, c := range []struct {
		line1, line2 string
		shown, named bool // to everybody: where the source names no practice, and where it does
	}{
		{"", "", true, true},
		{"1125 Pennyroyal Rd", "Suite 133", true, true},
		{"1125 Pennyroyal Rd Ste 133", "", true, true},
		{"Boulder Medical Center, 2750 Broadway", "", true, true},
		{"1 Hospital Plaza", "", true, true},
		{"1125 Pennyroyal Rd", "Office 2, #4", true, true},
		{"412 Main St", "", false, false},
		{"2750 Broadway", "", false, false},
		{"12 Park Sq", "", false, false},
		{"12 Hospital Rd", "", false, false},
		{"45 Center St", "", false, false},
		{"1200 Medical Center Dr", "", false, false},
		{"412 Main St", "#4", false, true},
		{"412 Main St #4", "", false, true},
		{"412 Main St", "Unit 5", false, true},
		{"412 Main St", "Fl 2", false, true},
		{"412 Main St", "3rd Floor", false, true},
		{"412 Main St", "Floor 7", true, true},
		{"412 Main St", "12th Floor", true, true},
		{"412 Main St", "Bldg 3 Unit 5", false, true},
		{"412 Main St", "Apt 4", false, false},
		{"412 Main St", "Apt #4", false, false},
		{"Apt 4, 412 Main St", "", false, false},
		{"Apt 4 412 Main St", "", false, false},
		{"412 Main St", "Apt 4, Suite B", false, false},
		{"412 Main St", "Bldg 3 Apt 5", false, false},
		{"412 Main St", "Basement", false, false},
		{"412 Main St", "Penthouse", false, false},
		{"412 Home Office Rd", "", false, false},
	} {
		s := Site{Address: Address{Line1: c.line1, Line2: c.line2, City: "Boulder", State: "CO", ZIP: "80302-1234"}}
		named := s
		named.Name = "Fieldstone Therapy"
		person, practice := Provider{Kind: Person}, Provider{Kind: Organisation}
		for _, x := range []struct {
			what string
			a    Address
			want bool
		}{{"a person's", person.PublicAddress(s), c.shown}, {"a person's at a practice", person.PublicAddress(named), c.named}, {"a practice's", practice.PublicAddress(s), c.named}} {
			want := s.Address
			if !x.want {
				want = Address{City: "Boulder", State: "CO", ZIP: "80302"}
			}
			if x.a != want {
				t.Errorf("%s %q %q is shown as %+v", x.what, c.line1, c.line2, x.a)
			}
		}
	}
}

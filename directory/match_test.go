package directory

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func subject(name string, f ...func(*Subject)) Subject {
	s := Subject{Kind: Person, Names: []Name{ParseName(name)}, States: []State{"CO"}}
	for _, g := range f {
		g(&s)
	}
	return s
}

func npi(n NPI) func(*Subject)      { return func(s *Subject) { s.NPI = n } }
func born(d Date) func(*Subject)    { return func(s *Subject) { s.Birth = d } }
func phone(p string) func(*Subject) { return func(s *Subject) { s.Phones = append(s.Phones, p) } }
func former(n string) func(*Subject) {
	return func(s *Subject) { s.Names = append(s.Names, ParseName(n)) }
}
func licensed(st State, typ, number string) func(*Subject) {
	return func(s *Subject) { s.Licences = append(s.Licences, LicenceKey{st, typ, ParseLicenceNumber(number)}) }
}
func at(line, zip string) func(*Subject) {
	return func(s *Subject) { s.Addresses = append(s.Addresses, Address{Line1: line, ZIP: zip}) }
}

func TestMatchLadder(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b Subject
		want Rung
	}{
		{"same NPI and name", subject("Ana Ruiz", npi("2000000001")), subject("Ana Ruiz", npi("2000000001")), M5},
		{"same NPI, nickname", subject("Bob Lane", npi("2000000001")), subject("Robert Lane", npi("2000000001")), M5},
		{"same NPI, half of a compound name", subject("Ana Ruiz-Vega", npi("2000000001")), subject("Ana Vega", npi("2000000001")), M5},
		{"same NPI, a former name explains it", subject("Ana Ruiz", npi("2000000001"), former("Ana Vega")), subject("Ana Vega", npi("2000000001")), M5},
		{"same NPI, a name nothing explains", subject("Ana Ruiz", npi("2000000001")), subject("Ana Holt", npi("2000000001")), M3},
		{"same NPI, Jr and Sr", subject("Jon Holt Jr", npi("2000000001")), subject("Jon Holt Sr", npi("2000000001")), M3},
		{"same licence, board code and suffix", subject("Ana Ruiz", licensed("CO", "LCSW", "CSW.09923456")), subject("RUIZ, ANA", licensed("CO", "CSW", "009923456")), M5},
		{"a licence with its population", subject("Ana Ruiz", licensed("CO", "APN", "APN.0998950")), subject("Ana Ruiz", licensed("CO", "APN+PMH", "998950")), M5},
		{"same number, another type", subject("Ana Ruiz", licensed("CO", "LCSW", "9923456")), subject("Ana Ruiz", licensed("CO", "LPC", "9923456")), M2},
		{"same number, another state", subject("Ana Ruiz", licensed("CO", "LPC", "123456")), subject("Ana Ruiz", licensed("TX", "LPC", "123456")), M2},
		{"two NPIs", subject("Ana Ruiz", npi("2000000001")), subject("Ana Ruiz", npi("2000000002")), M0},
		{"birth dates differ", subject("Ana Ruiz", born("1970-01-01")), subject("Ana Ruiz", born("1980-01-01")), M0},
		{"name, number of an unknown type, telephone", subject("Ana Ruiz", licensed("CO", "", "9923456"), phone("303-555-0142")), subject("Ana Ruiz", licensed("CO", "LCSW", "9923456"), phone("(303) 555-0142")), M4},
		{"name and telephone", subject("Ana Ruiz", phone("303-555-0142")), subject("Ana Ruiz", phone("1 303 555 0142")), M3},
		{"name and address", subject("Ana Ruiz", at("12 Main Street Suite 4", "80302")), subject("Ana Ruiz", at("12 MAIN ST STE 4", "80302-1234")), M3},
		{"telephone alone", subject("Ana Ruiz", phone("303-555-0142")), subject("Mo Lang", phone("303-555-0142")), M0},
		{"name alone", subject("Ana Ruiz"), subject("Ana Ruiz"), M2},
		{"José without his accent", subject("José Núñez"), subject("Jose Nunez"), M2},
		{"family and initial", subject("Ana Ruiz"), subject("A Ruiz"), M2},
		{"family name alone", subject("Ana Ruiz"), subject("Maria Ruiz"), M0},
		{"Maria and Mario", subject("Maria Ruiz"), subject("Mario Ruiz"), M0},
		{"father and son", subject("Jon Holt Jr"), subject("Jon Holt Sr"), M0},
		{"nothing to compare", Subject{}, Subject{}, M0},
	} {
		got := MatchSubjects(c.a, c.b)
		if got.Rung != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
		if back := MatchSubjects(c.b, c.a); back.Rung != got.Rung {
			t.Errorf("%s: %s one way, %s the other", c.name, got.Rung, back.Rung)
		}
		if got.Rung != M0 && !slices.ContainsFunc(c.a.Blocks(), func(k string) bool { return slices.Contains(c.b.Blocks(), k) }) {
			t.Errorf("%s: they share no block: %v, %v", c.name, c.a.Blocks(), c.b.Blocks())
		}
	}
}

// A name alone never joins, whatever the names are.
func TestNameAloneNeverJoins(t *testing.T) {
	names := []string{"Ana Ruiz", "Bob Lane", "Robert Lane", "José Núñez", "Ana Ruiz-Vega", "Jon Holt Jr"}
	rapid.Check(t, func(t *rapid.T) {
		a, b := subject(rapid.SampledFrom(names).Draw(t, "a")), subject(rapid.SampledFrom(names).Draw(t, "b"))
		if m := MatchSubjects(a, b); m.Rung == M5 || m.Rung == M4 || m.Identified() {
			t.Fatalf("%+v", m)
		}
	})
}

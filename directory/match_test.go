package directory

import (
	"maps"
	"slices"
	"strings"
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
		{"same licence, a given name nothing explains", subject("Ana Ruiz", licensed("CO", "LPC", "123456")), subject("Miguel Ruiz", licensed("CO", "LPC", "123456")), M3},
		{"same NPI, one letter slipped", subject("Ana Petersen", npi("2000000001")), subject("Ana Peterson", npi("2000000001")), M5},
		{"NPI with 09 for 90, and the licence", subject("Ana Ruiz", npi("1090000005"), licensed("CO", "LPC", "123456")), subject("Ana Ruiz", npi("1900000005"), licensed("CO", "LPC", "123456")), M5},
		{"NPI with 09 for 90", subject("Ana Ruiz", npi("1090000005")), subject("Ana Ruiz", npi("1900000005")), M3},
		{"NPI with 09 for 90, licence number and telephone", subject("Ana Ruiz", npi("1090000005"), licensed("CO", "", "123456"), phone("303-555-0142")),
			subject("Ana Ruiz", npi("1900000005"), licensed("CO", "LPC", "123456"), phone("303-555-0142")), M3},
		{"NPI with 09 for 90, another name", subject("Ana Ruiz", npi("1090000005")), subject("Mo Lang", npi("1900000005")), M0},
		{"number beside the profession's taxonomy", subject("Ana Ruiz", licensed("CO", "LCSW", "9923456")), subject("Ana M Ruiz", licensed("CO", "1041C0700X", "9923456")), M4},
		{"number beside the profession's taxonomy, half of the name", subject("Ana Ruiz-Vega", licensed("CO", "LCSW", "9923456")), subject("Ana Vega", licensed("CO", "1041C0700X", "9923456")), M4},
		{"number beside the profession's taxonomy, another family name", subject("Ana Ruiz", licensed("CO", "LCSW", "9923456")), subject("Ana Holt", licensed("CO", "1041C0700X", "9923456")), M3},
		{"number beside the profession's taxonomy, a stranger", subject("Ana Ruiz", licensed("CO", "LCSW", "9923456")), subject("Mo Lang", licensed("CO", "1041C0700X", "9923456")), M0},
		{"number beside another taxonomy", subject("Ana Ruiz", licensed("CO", "LCSW", "9923456")), subject("Ana Ruiz", licensed("CO", "103TC0700X", "9923456")), M3},
		{"middle names differ", subject("Ana Maria Ruiz", licensed("CO", "", "9923456"), phone("303-555-0142")), subject("Ana Louise Ruiz", licensed("CO", "LCSW", "9923456"), phone("303-555-0142")), M3},
		{"the maiden name in the middle", subject("Ana Ruiz Holt"), subject("Ana Louise Ruiz"), M0},
		{"half of a compound name in the state", subject("Ana Ruiz-Vega"), subject("Ana Vega"), M2},
		{"half of a compound name and the telephone", subject("Ana Ruiz-Vega", phone("303-555-0142")), subject("Ana Vega", phone("303-555-0142")), M3},
		{"nothing but a particle in common", subject("Ana de la Cruz"), subject("Ana de la Rosa"), M0},
		{"half of a hyphenated name that is a particle elsewhere", subject("Ana Le-Nguyen"), subject("Ana Le"), M2},
		{"a blank for the apostrophe", subject("Ana O'Neil"), Subject{Names: []Name{{Given: "Ana", Family: "O Neil"}}}, M2},
		{"the middle name in front", subject("Maria Ana Ruiz"), subject("Ana Ruiz"), M2},
		{"spelled otherwise", subject("Ana Petersen"), subject("Ana Peterson"), M1},
		{"spelled otherwise, and a nickname of another initial", subject("Bob Petersen"), subject("Robert Peterson"), M0}, // they would share no block
		{"first letters", subject("Christopher Ruiz"), subject("Chr Ruiz"), M1},
		{"a letter left out", subject("Philip Ruiz"), subject("Phillip Ruiz"), M1},
		{"no given name", subject("Ana Ruiz"), subject("Ruiz"), M1},
		{"cut at the column's width", subject("Maximilianalexander Featherstonehaughley-Ruiz"), subject("Maximilianalexa Featherstonehaughley"), M2},
		{"Jr and II", subject("Jon Holt Jr"), subject("Jon Holt II"), M2},
		{"Jr in one of three names", subject("Jon Holt", former("Jon Holt Jr")), subject("Jon Holt", former("Jon Holt Sr")), M0},
		{"the suffix in the column of the family name", subject("Jon Holt Jr"), Subject{Names: []Name{{Given: "Jon", Family: "Holt, Sr"}}}, M0},
		{"a person's NPI on an organisation", subject("Ana Ruiz", npi("2000000001")), Subject{Kind: Organisation, Organisations: []string{"Ruiz Therapy LLC"}, NPI: "2000000001"}, M3},
		{"an organisation without its legal form", Subject{Kind: Organisation, Organisations: []string{"Green Valley Ketamine, LLC"}}, Subject{Kind: Organisation, Organisations: []string{"GREEN VALLEY KETAMINE"}}, M2},
		{"an organisation cut at the column's width", Subject{Kind: Organisation, Organisations: []string{"Green Valley Ketamine Wellness Center"}},
			Subject{Kind: Organisation, Organisations: []string{"GREEN VALLEY KETAMINE WELLNESS"}}, M1},
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

// personDrawn draws a subject out of few words, so that two have much in common and little of it for sure.
func personDrawn(t *rapid.T, label string, identifiers bool) Subject {
	from := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	s := Subject{Kind: Person}
	for range rapid.IntRange(0, 2).Draw(t, label+" names") {
		n := Name{Given: from("Ana", "Robert", "Bob", "Rob", "R", "A", "Maria", "Mario", "Mari", "Philip", "Phillip", "José", "Maximilianalexander", "Maximilianalexa", "李", "Ana Maria", ""),
			Middle: from("", "", "Ana", "M", "Ruiz", "Robert", "李"), Suffix: from("", "", "Jr", "Sr", "II"),
			Family: from("Ruiz", "Ruiz-Vega", "Vega", "de la Cruz", "Cruz", "de la Rosa", "Petersen", "Peterson", "Petresen", "O'Neil", "O Neil", "Le-Vega", "Le", "Holt Jr", "Ruíz",
				"Featherstonehaughley", "Featherstonehaughley-Ruiz", "Featherstonehaughle", "Montgomery-Carrington", "Montgomery-Carringto", "李", "")}
		s.Names = append(s.Names, n)
	}
	if from("no", "no", "no", "yes") == "yes" {
		s.Organisations = []string{from("Green Valley Ketamine Wellness Center", "GREEN VALLEY KETAMINE WELLNESS", "Ruiz Therapy", "Ruiz Therapy, LLC")}
		s.Kind = rapid.SampledFrom([]ProviderKind{Person, Organisation, ""}).Draw(t, label+" kind")
	}
	for range rapid.IntRange(0, 2).Draw(t, label+" states") {
		s.States = append(s.States, State(from("CO", "TX")))
	}
	if identifiers {
		s.NPI = NPI(from("", "1090000005", "1900000005", "2000000001"))
		s.Birth = Date(from("", "", "1970-01-01", "1980-01-01"))
		for range rapid.IntRange(0, 2).Draw(t, label+" licences") {
			s.Licences = append(s.Licences, LicenceKey{State(from("CO", "TX")), from("", "LPC", "LCSW", "101YM0800X", "Wizard"), ParseLicenceNumber(from("123", "00123", "LPC.123", "456", ""))})
		}
		if from("no", "yes") == "yes" {
			s.Phones = []string{from("303-555-0142", "(303) 555-0143")}
		}
		if from("no", "yes") == "yes" {
			s.Addresses = []Address{{Line1: from("12 Main St", "12 Main Street"), ZIP: from("80302", "80303-1234")}}
		}
	}
	return s
}

// The answer is the same both ways, and whoever is not another person is met.
func TestMatchBothWaysAndMet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			a, b := Prepare(personDrawn(t, "a", true)), Prepare(personDrawn(t, "b", true))
			m, back := a.Match(b), b.Match(a)
			if m.Rung != back.Rung || m.Identified() != back.Identified() {
				t.Fatalf("%+v one way, %+v the other", m, back)
			}
			if m.Rung != M0 && !share(a.Blocks(), b.Blocks()) {
				t.Fatalf("%+v, and they share no block: %q, %q", m, a.Blocks(), b.Blocks())
			}
		}
	})
}

// Where one of the two tells no birth date, as no provider does, a number is in whatever joins them: a store that
// looks a record up by its numbers alone misses nothing that the record could prove. Nor does it by a name without
// its sound, where no street or telephone is told beside it, as in a roster.
func TestSureMatchesShareANumber(t *testing.T) {
	of := func(blocks []string, kinds ...string) []string {
		return slices.DeleteFunc(slices.Clone(blocks), func(b string) bool { return !slices.Contains(kinds, b[:4]) })
	}
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			x, y := personDrawn(t, "a", true), personDrawn(t, "b", true)
			x.Birth = ""
			a, b := Prepare(x), Prepare(y)
			if m := a.Match(b); (m.Rung >= M4 || m.Identified()) && !share(of(a.Blocks(), "npi:", "lic:"), of(b.Blocks(), "npi:", "lic:")) {
				t.Fatalf("%+v, and they share no number: %q, %q", m, a.Blocks(), b.Blocks())
			}
			x.Phones, x.Addresses, x.Organisations = nil, nil, nil
			y.Organisations = nil
			a, b = Prepare(x), Prepare(y)
			if m := a.Match(b); m.Rung >= M2 && !share(of(a.Blocks(), "npi:", "lic:", "nam:"), of(b.Blocks(), "npi:", "lic:", "nam:")) {
				t.Fatalf("%+v, and they share no name: %q, %q", m, a.Blocks(), b.Blocks())
			}
		}
	})
}

// What is not known contradicts nothing: without a field there is no contradiction that was not there with it.
func TestMissingContradictsNothing(t *testing.T) {
	blanks := map[string]func(*Subject){
		"npi": func(s *Subject) { s.NPI = "" }, "birth": func(s *Subject) { s.Birth = "" },
		"phone": func(s *Subject) { s.Phones = nil }, "address": func(s *Subject) { s.Addresses = nil }, "state": func(s *Subject) { s.States = nil },
		"suffix": func(s *Subject) {
			for i := range s.Names {
				s.Names[i].Suffix, s.Names[i].Family = "", strings.TrimSuffix(s.Names[i].Family, " Jr")
			}
		},
		"names": func(s *Subject) { s.Names = nil }, "organisations": func(s *Subject) { s.Organisations = nil },
	}
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			a, b := personDrawn(t, "a", true), personDrawn(t, "b", true)
			with := MatchSubjects(a, b)
			what := rapid.SampledFrom(slices.Sorted(maps.Keys(blanks))).Draw(t, "blank")
			less := b
			less.Names = slices.Clone(b.Names)
			blanks[what](&less)
			without := MatchSubjects(a, less)
			for _, x := range without.Against {
				// An identifier that agrees excuses a slip in the name; the other name of a subject that has both
				// kinds is looked at only when there is no organisation's; and what has lost one kind is of the other.
				if slices.Contains(with.Against, x) || what == "npi" && slices.Contains(with.By, "npi") ||
					(what == "organisations" || what == "names") && (len(b.Organisations) > 0 || len(a.Organisations) > 0) {
					continue
				}
				t.Fatalf("without %s of b: %s is against it\nwith %+v\nwithout %+v\n%+v\n%+v", what, x, with, without, a, b)
			}
		}
	})
}

// A name alone never joins, whatever the names are.
func TestNameAloneNeverJoins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			a, b := personDrawn(t, "a", false), personDrawn(t, "b", false)
			if m := MatchSubjects(a, b); m.Rung >= M3 || m.Identified() {
				t.Fatalf("%+v", m)
			}
		}
	})
}

// TestScreen: who may go by a middle name that nobody writes out is a candidate among their own area's rows
// of an exclusion list, and in no other comparison.
func TestScreen(t *testing.T) {
	near := at("", "80302")
	for _, c := range []struct {
		name string
		a, b Subject
		want Rung
	}{
		{"a middle name that no record writes out", subject("Ana Ruiz", near), subject("Maria Ruiz", near), M1},
		{"another ZIP of the area", subject("Ana Ruiz", near), subject("Maria Ruiz", at("", "80399")), M1},
		{"half of a compound name", subject("Ana Ruiz-Vega", near), subject("Maria Vega", near), M1},
		{"the initial of the middle name agrees", subject("Ana M Ruiz", near), subject("Maria B Ruiz", near), M1},
		{"another area", subject("Ana Ruiz", near), subject("Maria Ruiz", at("", "80202")), M0},
		{"no area", subject("Ana Ruiz", near), subject("Maria Ruiz"), M0},
		{"another family", subject("Ana Ruiz", near), subject("Maria Holt", near), M0},
		{"both middle names are written out", subject("Ana Lynn Ruiz", near), subject("Maria Beth Ruiz", near), M0},
		{"the initials of both are others", subject("Ana L Ruiz", near), subject("Maria B Ruiz", near), M0},
		{"birth dates differ", subject("Ana Ruiz", near, born("1970-01-01")), subject("Maria Ruiz", near, born("1980-01-01")), M0},
		{"two NPIs", subject("Ana Ruiz", near, npi("2000000001")), subject("Maria Ruiz", near, npi("2000000002")), M0},
		{"the middle name is written out", subject("Ana Maria Ruiz", near), subject("Maria Ruiz", near), M2}, // as Match has it
	} {
		a, b := Prepare(c.a), Prepare(c.b)
		if got, back := a.Screen(b), b.Screen(a); got.Rung != c.want || back.Rung != c.want {
			t.Errorf("%s: %s and %s, want %s", c.name, got.Rung, back.Rung, c.want)
		}
		if c.want != M0 && !share(a.ScreenBlocks(), b.ScreenBlocks()) {
			t.Errorf("%s: they share no block and are never compared", c.name)
		}
		if m := a.Match(b); c.want == M1 && m.Rung != M0 {
			t.Errorf("%s: %+v outside of a screening", c.name, m)
		}
	}
}

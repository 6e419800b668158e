package search

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func TestCanSeeIsEvidenceOfBothLicences(t *testing.T) {
	b := newBench(t,
		someone(1, "Ana Ruiz", in("Taos", "NM"), licensed("CSW", "1", "2026-11-20"), overseen(101, true)), // an office elsewhere is no matter
		someone(2, "Bo Tran", in("Boulder", "CO"), licensed("CSW", "2", "2028-08-31"), overseen(102, false)),
		someone(3, "Cy Diaz", in("Boulder", "CO"), licensed("CSW", "3", "2028-08-31")),
		someone(4, "Di Moss", in("Boulder", "CO"), telehealth("CO"), overseen(104, true)),
		someone(5, "Ed Poe", in("Boulder", "CO"), suspended("CSW", "5"), overseen(105, true)),
		someone(6, "Flo Lane", in("Boulder", "CO"), claim(licenceClaim("CO", "CSW", "6"), asserted(directory.ClassListing, directory.Body{Number: "6"})), overseen(106, true)),
		someone(7, "Gus Roe", licensed("CSW", "7", "2028-08-31"), overseen(107, true)),
	)
	for _, c := range []struct {
		q    Query
		want []directory.ID
	}{
		{Query{CanSee: "CO"}, numbered(1, 7)},
		{Query{CanSee: "NM"}, numbered()}, // an office there is no licence there
		{Query{CanSee: "CO", State: "NM"}, numbered(1)},
		{Query{CanSee: "CO", Filters: map[string][]string{"check": {"training:confirmed"}}}, numbered()},
	} {
		r := b.search(c.q)
		if d := cmp.Diff(c.want, ids(r)); d != "" || r.ChecksFor != c.q.CanSee {
			t.Errorf("%s, checks for %s (-want +got):\n%s", c.q, r.ChecksFor, d)
		}
	}
	b.now = directory.Date("2026-11-20").EndIn(directory.State("CO").Zone()).Time() // nothing has been read since
	if d := cmp.Diff(numbered(7), ids(b.search(Query{CanSee: "CO"}))); d != "" {
		t.Errorf("once a licence has ended (-want +got):\n%s", d)
	}
}

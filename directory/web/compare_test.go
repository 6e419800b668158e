package web

import (
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"kapdir/directory"
)

// Each column says what the provider's own page says, and every cell has its headers.
func TestCompare(t *testing.T) {
	s := demoServer(t)
	var ids []string
	for _, id := range kinds(t)[:4] {
		ids = append(ids, string(id))
	}
	for _, l := range languages {
		path := l.To("/compare?ids=" + strings.Join(ids, ","))
		r := get(t, s, path)
		d := dom(t, r)
		wellMade(t, path, d)
		if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("X-Robots-Tag") != "noindex" {
			t.Errorf("%s: %v", path, r.Header)
		}
		region := d.Find(`[role=region][tabindex="0"]`)
		if region.Find("table.compare").Length() != 1 || text(d.Find("#"+region.AttrOr("aria-labelledby", "")).Text()) == "" {
			t.Error("the table has no region that can be scrolled by keys, or no name")
		}
		if n := d.Find("thead th[scope=col]").Length(); n != 4 {
			t.Fatalf("%d columns", n)
		}
		rows := map[string]*goquery.Selection{}
		for _, row := range d.Find("tbody tr:not(.group)").EachIter() {
			if row.Find("th[scope=row]").Length() != 1 || row.Find("td").Length() != 4 {
				t.Errorf("a row of %d cells: %s", row.Find("td").Length(), text(row.Text()))
			}
			rows[text(row.Find("th").Text())] = row.Find("td")
		}
		for i, id := range ids {
			page := dom(t, get(t, s, l.To("/providers/"+id)))
			for _, name := range directory.CheckNames {
				cell := rows[l.t("check."+string(name))]
				if got, want := text(cell.Eq(i).Find(".verdict").Text()), text(page.Find("#c-"+string(name)+" .verdict").First().Text()); got != want {
					t.Errorf("%s: %s is %q in the comparison and %q on the page", id, name, got, want)
				}
			}
			for _, key := range []string{"cost", "since"} {
				answer := page.Find("[data-glance=" + key + "] dd").Clone()
				answer.Find(".more").Remove()
				if got, want := text(rows[l.t("glance."+key)].Eq(i).Text()), text(answer.Text()); got != want {
					t.Errorf("%s: %s is %q in the comparison and %q on the page", id, key, got, want)
				}
			}
			less := d.Find("thead a.drop").Eq(i).AttrOr("href", "")
			if strings.Contains(less, id) || strings.Count(less, "prv_") != 3 || get(t, s, less).StatusCode != 200 {
				t.Errorf("without %s: %s", id, less)
			}
		}
	}
	amara := string(idOf(t, "Amara Whitcomb"))
	for _, x := range []struct {
		target  string
		columns int
		said    string
	}{
		{"/compare", 0, "Whom do you want to compare"},
		{"/compare?ids=" + ids[0] + "&ids=" + ids[1] + "&ids=" + ids[0], 2, "2 providers"},
		{"/compare?ids=" + strings.Join(ids, ",") + "," + amara, 4, "Only four fit"},
		{"/compare?ids=" + ids[0] + ",prv_00000000000000000000000000,nonsense", 1, "no longer listed"},
		{"/compare?ids=<script>&state=XX&q=", 0, "Whom do you want"},
		{"/compare?ids=" + amara + "&state=TX", 1, "Texas"},
		{"/compare?ids=" + ids[0] + "&q=Amara+Whitcomb", 1, "Add Amara Whitcomb"},
		{"/compare?ids=" + amara + "&q=zzzzqqqq", 1, "Nobody found"},
		{"/compare?q=suicide", 0, "988"},
	} {
		r := get(t, s, x.target)
		d := dom(t, r)
		if r.StatusCode != 200 || d.Find("thead th").Length() != x.columns || !strings.Contains(text(d.Find("main").Text()), x.said) {
			t.Errorf("%s: %d, %d columns: %.300s", x.target, r.StatusCode, d.Find("thead th").Length(), text(d.Find("main").Text()))
		}
	}
	if d := dom(t, get(t, s, "/?state=CO")); d.Find(`article input[name=ids][form=compare]`).Length() != d.Find("article.card").Length() || d.Find("form#compare[action='/compare'] button").Length() != 1 {
		t.Error("the results cannot be chosen for a comparison")
	}
	if d := dom(t, get(t, s, "/providers/"+amara)); d.Find(`a[href="/compare?ids=`+amara+`"]`).Length() != 1 {
		t.Error("no link leads from the page to a comparison")
	}
}

// Two of one name are told apart by a number, and found with their id where even the place is the same.
func TestCompareNamesakes(t *testing.T) {
	w := demoWorld(t)
	a, b := everybody(t)[0], everybody(t)[1]
	name := directory.Name{Given: "Jo", Family: "Same"}
	s := with(t, altered{file: func(id directory.ID) (*directory.CredentialFile, error) {
		f, err := w.store.File(t.Context(), id)
		if err != nil {
			return nil, err
		}
		same := *f
		same.Provider.Kind, same.Provider.Name = directory.Person, name
		return &same, nil
	}})
	for _, l := range languages {
		d := dom(t, get(t, s, l.To("/compare?ids="+string(a)+","+string(b))))
		numbers := d.Find("thead .number")
		if numbers.Length() != 2 || numbers.First().Text() == numbers.Last().Text() || text(numbers.First().Text()) == "" {
			t.Errorf("%s: namesakes are told apart by %q", l.Code, numbers.Text())
		}
		if region := d.Find("[role=region]"); d.Find("#"+region.AttrOr("aria-describedby", "none")).Length() != 1 {
			t.Errorf("%s: nothing says that the table moves", l.Code)
		}
		if alone := dom(t, get(t, s, l.To("/compare?ids="+string(a)))); alone.Find("thead .number").Length() != 0 || alone.Find("#h-slide").Length() != 0 {
			t.Errorf("%s: one alone has a number, or a table to be moved", l.Code)
		}
	}
}

// What is stated in a comparison says who states it and when.
func TestComparisonNamesSources(t *testing.T) {
	s := demoServer(t)
	rows := 0
	for _, id := range kinds(t) {
		p := decode[provider](t, get(t, s, api(id)))
		for _, r := range english.compared([]compareColumn{{P: &p}}) {
			if key := r.Name; slices.ContainsFunc([]string{"preparation", "medicine", "integration", "presence", "vital_signs", "emergency_plan", "routes", "settings", "frameworks", "formats", "superbill", "sliding_scale", "video", "languages", "access"},
				func(f string) bool { return english.t("fact."+f) == key }) {
				rows++
				if c := r.Cells[0]; !c.Silent && c.Origin == nil && len(c.Beside) == 0 {
					t.Errorf("%s: nobody is named for %s: %+v", id, r.Name, c)
				}
			}
		}
	}
	if rows < 100 {
		t.Errorf("%d rows were seen", rows)
	}
}

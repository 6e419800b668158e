package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"kapdir/directory"
)

// The map beside the list is a drawing made here: the states' outlines, and numbered pins. The list says all
// that it says, and says it in words; the map asks nobody for anything.

// mapView is the map of an answer: of the country with a number in each state, or of a place or a state with
// a pin for each result of the page.
type mapView struct {
	Label    string
	Width    int
	Height   int
	Areas    []mapArea
	Towns    []mapTown
	Steps    []mapStep
	Circle   *mapCircle
	Pins     []mapPin
	Others   []choice // states that have no outline here
	Unplaced int      // results of the page without a pin
	Whole    string   // from a state: the search in all of them
}

// mapArea is a state on the map.
type mapArea struct {
	State directory.State
	Path  string
	Href  string // the search narrowed to it; "" of a state without results
	Label string // its name, and how many results it has
	Step  int    // how dark it is drawn: 0 without results, then from 1
	Own   bool   // the search is in it
	Text  string // what is written into it, or beside it
	X, Y  int
	Aside *mapAside // the text stands beside it, in the sea
}

// mapAside leads from a state that is too small to be written into to its text.
type mapAside struct{ FromX, FromY, ToX, ToY, TextX int } // the text ends at TextX

// mapTown is a town to find one's way by.
type mapTown struct {
	Name  string
	X, Y  int
	Right bool // the name stands left of its point
}

type mapStep struct{ Step, Low, High int }

type mapCircle struct{ X, Y, R int }

// mapPin is a result on the map. It stands at the middle of a ZIP code; where several would cover each other
// they are moved apart, and a line leads to where they belong.
type mapPin struct {
	ID           directory.ID
	Number       int
	X, Y         int
	TrueX, TrueY int
	Moved        bool
	Label        string
}

const (
	countryWidth, countryHeight = 985, 610
	areaSize                    = 480 // of the map of a place, which is square
	pinSize                     = 13  // the radius of a pin
)

// country is the map of all states: the 48 by Albers' projection with the usual parallels, the others beneath
// in projections of their own, each drawn to fill its frame.
var country = sync.OnceValue(func() []mapArea {
	parts := []struct {
		states []directory.State // none: all that no other part has
		at     projection
		frame  box
	}{
		{[]directory.State{"AK"}, albers(55, 65, directory.Point{Lat: 50, Lon: -154}), box{0, 450, 225, 606}},
		{[]directory.State{"HI"}, albers(8, 18, directory.Point{Lat: 13, Lon: -157}), box{230, 525, 335, 600}},
		{[]directory.State{"PR"}, albers(8, 18, directory.Point{Lat: 13, Lon: -66}), box{850, 560, 940, 600}},
		{nil, albers(29.5, 45.5, directory.Point{Lat: 37.5, Lon: -96}), box{5, 5, 955, 605}},
	}
	apart := func(s directory.State) bool { return s == "AK" || s == "HI" || s == "PR" }
	var out []mapArea
	for _, part := range parts {
		var all []spot
		rings := map[directory.State][][]spot{}
		var order []directory.State
		for _, r := range outlines() {
			if len(part.states) > 0 != apart(r.state) || apart(r.state) && part.states[0] != r.state {
				continue
			}
			if rings[r.state] == nil {
				order = append(order, r.state)
			}
			var spots []spot
			for _, p := range r.points {
				spots = append(spots, part.at(p))
			}
			rings[r.state] = append(rings[r.state], spots)
			all = append(all, spots...)
		}
		move := boxOf(all).into(part.frame)
		for _, state := range order {
			a := mapArea{State: state}
			for i, spots := range rings[state] {
				for k := range spots {
					spots[k] = move(spots[k])
				}
				if i == 0 || area(spots) >= 6 {
					a.Path += draw(spots)
				}
			}
			at := labelSpot(state, rings[state][0])
			a.X, a.Y = int(math.Round(at.x)), int(math.Round(at.y))
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b mapArea) int {
		return cmp.Compare(a.State, b.State)
	})
	// From north to south in the sea: the states that are too small to be written into.
	for i, state := range []directory.State{"VT", "NH", "MA", "RI", "CT", "NJ", "DE", "MD", "DC"} {
		k := slices.IndexFunc(out, func(a mapArea) bool { return a.State == state })
		a := &out[k]
		a.Aside = &mapAside{a.X, a.Y, 893, 246 + 31*i, countryWidth - 2}
	}
	return out
})

// labelSpot is where a state's number is written: its middle, unless that lies in a corner of it.
func labelSpot(state directory.State, ring []spot) spot {
	at := weight(ring)
	if by, ok := map[directory.State]spot{"FL": {18, 0}, "LA": {-12, 4}, "MI": {8, 10}, "ID": {0, 18}, "CA": {-6, 6}, "HI": {-6, 0}, "WV": {-4, 4}, "NY": {4, 0}, "VA": {10, 2}, "KY": {6, 2}}[state]; ok {
		at.x, at.y = at.x+by.x, at.y+by.y
	}
	return at
}

// mapSteps are the ranges of numbers that are drawn alike: the highest, and three that double up to it.
func mapSteps(counts map[string]int) []mapStep {
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	var out []mapStep
	low := 1
	for _, part := range []int{8, 4, 2, 1} {
		if high := most / part; high >= low {
			out = append(out, mapStep{len(out) + 1, low, high})
			low = high + 1
		}
	}
	return out
}

// countryMap is the map of an answer that no place narrows. It is nil where nobody was found.
func (v *searchView) countryMap(l *lang, counts map[string]int) *mapView {
	m := &mapView{Label: l.t("map.country"), Width: countryWidth, Height: countryHeight, Steps: mapSteps(counts)}
	if len(m.Steps) == 0 {
		return nil
	}
	to := func(state directory.State) string {
		a := v.Ask
		a.State, a.Cursor = state, ""
		return "/?" + a.encode()
	}
	for _, a := range country() {
		n := counts[string(a.State)]
		a.Label = l.t("map.state", "State", a.State, "Count", n)
		if n > 0 {
			a.Href, a.Text = to(a.State), strconv.Itoa(n)
			a.Step = 1 + slices.IndexFunc(m.Steps, func(s mapStep) bool { return n <= s.High })
			if a.Aside != nil {
				a.Text = string(a.State) + " " + a.Text
				a.Label = a.Text + ", " + a.Label // what is seen is part of the name, for who speaks to the browser
			}
		} else {
			a.Aside = nil
		}
		m.Areas = append(m.Areas, a)
	}
	// What can be chosen comes last: it is drawn above its neighbours, and its frame is whole.
	slices.SortStableFunc(m.Areas, func(a, b mapArea) int { return min(a.Step, 1) - min(b.Step, 1) })
	for _, s := range v.States {
		if s.Count > 0 && !slices.ContainsFunc(m.Areas, func(a mapArea) bool { return a.State == s.Code }) {
			m.Others = append(m.Others, choice{l.t("map.state", "State", s.Code, "Count", s.Count), to(s.Code)})
		}
	}
	return m
}

// placeMap is the map of an answer around a place, or in a state.
func (v *searchView) placeMap(l *lang) *mapView {
	answer := v.Answer
	m := &mapView{Width: areaSize, Height: areaSize}
	frame := box{0, 0, areaSize, areaSize}
	var at projection
	var move func(spot) spot
	if near := answer.near; near != nil {
		m.Label = l.t("map.place", "Count", answer.Query.Radius, "Place", answer.Query.Near.Place)
		at = around(near.Point)
		const r = areaSize/2 - 24
		k := r / (float64(max(answer.Query.Radius, 1)) / earthRadius)
		move = func(s spot) spot { return spot{areaSize/2 + s.x*k, areaSize/2 + s.y*k} }
		m.Circle = &mapCircle{areaSize / 2, areaSize / 2, r}
	} else {
		state := answer.Query.State
		var low, high directory.Point
		for i, r := range outlines() {
			if r.state == state {
				low, high = r.low, r.high
				if state == "HI" { // its northwestern islands are far away, and nobody practises there
					low.Lon = max(low.Lon, -160.5)
				}
				for _, other := range outlines()[i:] {
					if other.state == state && state != "AK" && state != "HI" {
						low = directory.Point{Lat: min(low.Lat, other.low.Lat), Lon: min(low.Lon, other.low.Lon)}
						high = directory.Point{Lat: max(high.Lat, other.high.Lat), Lon: max(high.Lon, other.high.Lon)}
					}
				}
				break
			}
		}
		if low == high {
			return nil
		}
		m.Label = l.t("map.in_state", "State", state)
		at = around(directory.Point{Lat: (low.Lat + high.Lat) / 2, Lon: (low.Lon + high.Lon) / 2})
		var edge []spot
		for i := range 9 { // the middle of an edge may lie further out than its ends
			lat, lon := low.Lat+(high.Lat-low.Lat)*float64(i)/8, low.Lon+(high.Lon-low.Lon)*float64(i)/8
			edge = append(edge, at(directory.Point{Lat: lat, Lon: low.Lon}), at(directory.Point{Lat: lat, Lon: high.Lon}),
				at(directory.Point{Lat: low.Lat, Lon: lon}), at(directory.Point{Lat: high.Lat, Lon: lon}))
		}
		move = boxOf(edge).into(frame.grown(-20))
		if v.Ask.State != "" {
			m.Whole = "/?" + v.Ask.without("state", "").encode()
		}
	}
	m.around(answer.Query.State, at, move, frame)
	m.pin(l, answer, at, move, frame)
	m.towns(at, move, frame)
	return m
}

const earthRadius = 3958.7613 // miles, as directory.Point.Miles has it

// around draws what of the states lies within the frame, with the name of each that has room for it.
func (m *mapView) around(own directory.State, at projection, move func(spot) spot, frame box) {
	edges := frame.grown(20)
	for _, r := range outlines() {
		corners := []spot{}
		for _, p := range []directory.Point{r.low, r.high, {Lat: r.low.Lat, Lon: r.high.Lon}, {Lat: r.high.Lat, Lon: r.low.Lon}} {
			corners = append(corners, move(at(p)))
		}
		// The sides of the box around a ring are bent on the map, by less than a sixth of their length here.
		if b := boxOf(corners); !b.grown(max(b.right-b.left, b.bottom-b.top) / 6).meets(edges) {
			continue
		}
		spots := make([]spot, len(r.points))
		for i, p := range r.points {
			spots[i] = move(at(p))
		}
		if spots = edges.clip(spots); len(spots) < 3 {
			continue
		}
		path := draw(spots)
		if path == "" {
			continue
		}
		k := slices.IndexFunc(m.Areas, func(a mapArea) bool { return a.State == r.state })
		if k >= 0 {
			m.Areas[k].Path += path
			continue
		}
		a := mapArea{State: r.state, Path: path, Own: r.state == own}
		if seen := frame.grown(-14).clip(spots); len(seen) > 2 && area(seen) > 1500 {
			if s := weight(seen); frame.grown(-14).holds(s) && (m.Circle == nil || math.Hypot(s.x-areaSize/2, s.y-areaSize/2) > 50) {
				a.Text, a.X, a.Y = string(r.state), int(math.Round(s.x)), int(math.Round(s.y))
			}
		}
		m.Areas = append(m.Areas, a)
	}
}

// pin puts the results of the page on the map, in their order.
func (m *mapView) pin(l *lang, answer *searchAnswer, at projection, move func(spot) spot, frame box) {
	inner := frame.grown(-pinSize - 2)
	var taken []spot
	if m.Circle != nil {
		taken = append(taken, spot{float64(m.Circle.X), float64(m.Circle.Y)}) // the place itself stays to be seen
	}
	free := func(s spot) bool {
		return inner.holds(s) && !slices.ContainsFunc(taken, func(o spot) bool { return math.Hypot(s.x-o.x, s.y-o.y) < 2*pinSize+1 })
	}
	for i, r := range answer.Results {
		point := siteShown(r.sites, answer.near, answer.Query.State)
		if point == nil || !frame.holds(move(at(*point))) {
			m.Unplaced++
			continue
		}
		home := move(at(*point))
		s := home
		for step := 1; !free(s) && step < 400; step++ { // outwards on a spiral
			turn := 2.4 * float64(step)
			far := 5 * math.Sqrt(float64(step)) * 1.6
			s = spot{home.x + far*math.Cos(turn), home.y + far*math.Sin(turn)}
		}
		taken = append(taken, s)
		p := mapPin{ID: r.ID, Number: i + 1, X: int(math.Round(s.x)), Y: int(math.Round(s.y)), TrueX: int(math.Round(home.x)), TrueY: int(math.Round(home.y))}
		p.Moved = math.Hypot(s.x-home.x, s.y-home.y) > 2
		p.Label = l.t("map.pin", "Number", p.Number, "Name", r.Name)
		if r.Miles != nil {
			p.Label = l.t("map.pin.miles", "Number", p.Number, "Name", r.Name, "Miles", r.Miles)
		}
		m.Pins = append(m.Pins, p)
	}
}

// largeTowns are those of which a map names a few, the largest first.
var largeTowns = sync.OnceValue(func() []directory.Place {
	tables := directory.Tables()
	size := func(p directory.Place) int { return tables.TownZIPs(p.City, p.State) }
	var out []directory.Place
	tables.EachTown(func(p directory.Place) {
		if size(p) > 1 {
			out = append(out, p)
		}
	})
	slices.SortFunc(out, func(a, b directory.Place) int {
		return cmp.Or(size(b)-size(a), cmp.Compare(a.City, b.City), cmp.Compare(a.State, b.State))
	})
	return out
})

// towns names the largest towns that lie within the frame and have room beside the pins and each other.
func (m *mapView) towns(at projection, move func(spot) spot, frame box) {
	const most, letter, line = 8, 9.3, 19 // as on a phone, where the letters have 17 px of 480
	var taken []box
	square := func(x, y int, r float64) box {
		return box{float64(x) - r, float64(y) - r, float64(x) + r, float64(y) + r}
	}
	for _, p := range m.Pins {
		taken = append(taken, square(p.X, p.Y, pinSize))
	}
	if m.Circle != nil {
		taken = append(taken, square(m.Circle.X, m.Circle.Y, 8))
	}
	for _, a := range m.Areas {
		if a.Text != "" {
			taken = append(taken, square(a.X, a.Y, 12))
		}
	}
	edges := frame.grown(-4)
	for _, town := range largeTowns() {
		if len(m.Towns) == most {
			return
		}
		s := move(at(town.Point))
		if !edges.holds(s) {
			continue
		}
		long := letter*float64(utf8.RuneCountInString(town.City)) + 8
		for _, b := range []box{{s.x - 3, s.y - line/2, s.x + long, s.y + line/2}, {s.x - long, s.y - line/2, s.x + 3, s.y + line/2}} {
			if edges.holds(spot{b.left, b.top}) && edges.holds(spot{b.right, b.bottom}) && !slices.ContainsFunc(taken, b.grown(2).meets) {
				taken = append(taken, b)
				m.Towns = append(m.Towns, mapTown{town.City, int(math.Round(s.x)), int(math.Round(s.y)), b.left < s.x-4})
				break
			}
		}
	}
}

// Number returns the number of a result on the map, or 0. A page without a map has nobody on it.
func (m *mapView) Number(id directory.ID) int {
	if m != nil {
		for _, p := range m.Pins {
			if p.ID == id {
				return p.Number
			}
		}
	}
	return 0
}

// siteShown is where a result is drawn: its site that is nearest to the place asked for, or else the first in
// the state. It is nil where no site's place is known.
func siteShown(sites []directory.Site, near *directory.Place, state directory.State) *directory.Point {
	var best *directory.Point
	for _, s := range sites {
		switch {
		case s.Point == nil:
		case near != nil && (best == nil || near.Point.Miles(*s.Point) < near.Point.Miles(*best)), near == nil && best == nil && s.Address.State == state:
			best = s.Point
		}
	}
	return best
}

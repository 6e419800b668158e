package search

import (
	"math"
	"slices"

	"kapdir/directory"
)

const earthMiles = 3958.7613 // as directory.Point.Miles has it

// site is a point of a provider, with the same place on a ball of radius 1: how far apart two such places
// are in a straight line tells which is nearer without a sine. That is rough by less than slack; whatever it does
// not decide is asked of Point.Miles, which is what a page shows.
type site struct {
	point   directory.Point
	x, y, z float32
	doc     uint32
}

const slack = 2e-7 // of the radius of the earth: a few feet

func newSite(p directory.Point, doc uint32) site {
	x, y, z := onBall(p)
	return site{p, float32(x), float32(y), float32(z), doc}
}

func onBall(p directory.Point) (x, y, z float64) {
	lat, lon := p.Lat*math.Pi/180, p.Lon*math.Pi/180
	return math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)
}

// from is where distances count from.
type from struct {
	point   directory.Center
	x, y, z float64
}

func newFrom(p directory.Point) from {
	x, y, z := onBall(p)
	return from{p.Center(), x, y, z}
}

// square is that of the straight line to the site, of the earth's radius; the line is rough by less than slack, in 32 bits too.
func (f *from) square(x, y, z float32) float64 {
	dx, dy, dz := f.x-float64(x), f.y-float64(y), f.z-float64(z)
	return dx*dx + dy*dy + dz*dz
}

// chordOf is the straight line over so many miles.
func chordOf(miles float64) float64 { return 2 * math.Sin(math.Min(math.Pi, miles/earthMiles)/2) }

// grid finds sites by cells of half a degree. Those that came after it was made stand at the end of the
// list and are read one by one; soon it is made anew.
type grid struct {
	made   int        // sites in the cells
	starts []int32    // by cell, in list
	list   []gridSite // by cell: what a search reads stands in one stretch of memory
}

// gridSite is a site in a cell.
type gridSite struct {
	x, y, z float32
	doc     uint32 // with the bit several, if the provider has others too
}

const several = 1 << 31

func (x *gridSite) of() (doc uint32, others bool) { return x.doc &^ several, x.doc&several != 0 }

const (
	gridRows, gridColumns = 360, 720
	gridCell              = 0.5 // degrees
)

func cellOf(p directory.Point) (row, column int) {
	row = min(max(int((p.Lat+90)/gridCell), 0), gridRows-1)
	column = min(max(int((p.Lon+180)/gridCell), 0), gridColumns-1)
	return row, column
}

// inGrid is a site as the grid holds it. The sites of a provider stand beside each other.
func inGrid(sites []site, i int) gridSite {
	s := &sites[i]
	out := gridSite{s.x, s.y, s.z, s.doc}
	if i > 0 && sites[i-1].doc == s.doc || i+1 < len(sites) && sites[i+1].doc == s.doc {
		out.doc |= several
	}
	return out
}

// grown returns a grid for the longer list of sites: the same one while few are new.
func (g *grid) grown(sites []site) *grid {
	if n := len(sites) - g.made; g.starts != nil && n <= max(512, g.made/64) {
		return g
	}
	out := &grid{made: len(sites), starts: make([]int32, gridRows*gridColumns+1), list: make([]gridSite, len(sites))}
	for i := range sites {
		r, c := cellOf(sites[i].point)
		out.starts[r*gridColumns+c+1]++
	}
	for i := 1; i < len(out.starts); i++ {
		out.starts[i] += out.starts[i-1]
	}
	at := slices.Clone(out.starts)
	for i := range sites {
		r, c := cellOf(sites[i].point)
		out.list[at[r*gridColumns+c]] = inGrid(sites, i)
		at[r*gridColumns+c]++
	}
	return out
}

// nearDoc is a provider with the square of the straight line to the nearest site; -1 is not worked out.
type nearDoc struct {
	doc    uint32
	square float32
}

// nearby puts into the list, in place of what is in it, the living with a site within so many miles, exactly, each once.
func (s *snapshot) nearby(f *from, miles float64, out []nearDoc) []nearDoc {
	g := s.grid
	reach := chordOf(miles)
	near, far := square(reach-slack), square(reach+slack)
	out = out[:0]
	var often []uint32 // who has several sites may come several times
	look := func(list []gridSite) {
		for i := range list {
			x := &list[i]
			square := f.square(x.x, x.y, x.z)
			if square > far {
				continue
			}
			doc, others := x.of()
			if s.alive != nil && !s.alive.has(doc) ||
				square >= near && !slices.ContainsFunc(s.hasSites(doc), func(x site) bool { return f.point.Miles(x.point) <= miles }) {
				continue
			}
			if others {
				often = append(often, doc)
			} else {
				out = append(out, nearDoc{doc, float32(square)})
			}
		}
	}
	degrees := miles/earthMiles*180/math.Pi + 1e-6
	low, _ := cellOf(directory.Point{Lat: f.point.Lat - degrees})
	high, _ := cellOf(directory.Point{Lat: f.point.Lat + degrees})
	// Meridians come together towards the poles: at the row of the circle farthest from the equator a degree of
	// longitude is shortest.
	wide := 180.0
	if top := math.Abs(f.point.Lat) + degrees; top < 89 {
		if s := math.Sin(miles/earthMiles/2) / math.Cos(top*math.Pi/180); s < 1 {
			wide = 2*math.Asin(s)*180/math.Pi + 1e-6
		}
	}
	row := func(r, c1, c2 int) {
		if c1 > c2 || g.starts == nil {
			return
		}
		list := g.list[g.starts[r*gridColumns+c1]:g.starts[r*gridColumns+c2+1]]
		out = slices.Grow(out, len(list)/2)
		look(list)
	}
	for r := low; r <= high; r++ {
		left, right := f.point.Lon-wide, f.point.Lon+wide
		if right-left >= 360-2*gridCell {
			row(r, 0, gridColumns-1)
			continue
		}
		_, c1 := cellOf(directory.Point{Lon: left})
		_, c2 := cellOf(directory.Point{Lon: right})
		switch {
		case left < -180:
			_, c := cellOf(directory.Point{Lon: left + 360})
			row(r, 0, c2)
			row(r, max(c, c2+1), gridColumns-1)
		case right > 180:
			_, c := cellOf(directory.Point{Lon: right - 360})
			row(r, 0, min(c, c1-1))
			row(r, c1, gridColumns-1)
		default:
			row(r, c1, c2)
		}
	}
	for i := g.made; i < len(s.sites); i++ {
		look([]gridSite{inGrid(s.sites, i)})
	}
	slices.Sort(often)
	for _, doc := range slices.Compact(often) {
		out = append(out, nearDoc{doc, -1})
	}
	return out
}

// square is that of a number that is not negative: a circle smaller than slack has nothing surely inside.
func square(x float64) float64 { return max(x, 0) * max(x, 0) }

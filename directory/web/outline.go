package web

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	shipped "kapdir/data"
	"kapdir/directory"
)

// ring is one closed outline of a state: its mainland, or an island.
type ring struct {
	state  directory.State
	points []directory.Point
	low    directory.Point // the south-western corner of the box around it, and the north-eastern
	high   directory.Point
}

// outlines are the rings of the states that are drawn, a state's largest first.
var outlines = sync.OnceValue(func() []ring {
	out, err := readOutlines(shipped.FS)
	if err != nil {
		panic(err) // the files are part of the program
	}
	return out
})

// readOutlines puts the rings together from the lines that they share.
func readOutlines(files fs.FS) ([]ring, error) {
	table := func(name string) ([][]string, error) {
		f, err := files.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil || len(rows) < 2 {
			return nil, fmt.Errorf("web: %s cannot be read: %w", name, err)
		}
		return rows[1:], nil
	}
	rows, err := table("map/lines.csv")
	if err != nil {
		return nil, err
	}
	lines := make([][]directory.Point, len(rows))
	for i, row := range rows {
		numbers := strings.Fields(row[1])
		if row[0] != fmt.Sprintf("%03d", i+1) || len(numbers) < 4 || len(numbers)%2 != 0 {
			return nil, fmt.Errorf("web: map/lines.csv: line %s", row[0])
		}
		for k := 0; k < len(numbers); k += 2 {
			lon, err1 := strconv.ParseFloat(numbers[k], 64)
			lat, err2 := strconv.ParseFloat(numbers[k+1], 64)
			if err1 != nil || err2 != nil {
				return nil, fmt.Errorf("web: map/lines.csv: a point of line %s", row[0])
			}
			lines[i] = append(lines[i], directory.Point{Lat: lat, Lon: lon})
		}
	}
	if rows, err = table("map/outlines.csv"); err != nil {
		return nil, err
	}
	var out []ring
	for _, row := range rows {
		state, err := directory.ParseState(row[0])
		if err != nil {
			return nil, err
		}
		r := ring{state: state}
		for _, n := range strings.Fields(row[2]) {
			i, err := strconv.Atoi(n)
			if err != nil || i == 0 || max(i, -i) > len(lines) {
				return nil, fmt.Errorf("web: map/outlines.csv: line %s of %s", n, state)
			}
			line := lines[max(i, -i)-1]
			if i < 0 {
				line = slices.Clone(line)
				slices.Reverse(line)
			}
			if len(r.points) > 0 && r.points[len(r.points)-1] != line[0] {
				return nil, fmt.Errorf("web: map/outlines.csv: an outline of %s has a gap", state)
			}
			r.points = append(r.points, line[min(len(r.points), 1):]...) // where one ends the next begins
		}
		if len(r.points) < 4 || r.points[0] != r.points[len(r.points)-1] {
			return nil, fmt.Errorf("web: map/outlines.csv: an outline of %s is not closed", state)
		}
		r.points = r.points[1:]
		r.low, r.high = r.points[0], r.points[0]
		for _, p := range r.points {
			r.low = directory.Point{Lat: min(r.low.Lat, p.Lat), Lon: min(r.low.Lon, p.Lon)}
			r.high = directory.Point{Lat: max(r.high.Lat, p.Lat), Lon: max(r.high.Lon, p.Lon)}
		}
		out = append(out, r)
	}
	return out, nil
}

// spot is a place on a map: x to the right, y down.
type spot struct{ x, y float64 }

// projection puts a point of the earth on a plane, in radii of the earth.
type projection func(directory.Point) spot

const radians = math.Pi / 180

// albers is the conic projection that keeps areas, true along two parallels (Snyder 1987, chapter 14), with
// the sphere in place of the ellipsoid.
func albers(south, north float64, origin directory.Point) projection {
	s1, s2 := math.Sin(south*radians), math.Sin(north*radians)
	n := (s1 + s2) / 2
	c := 1 - s1*s1 + 2*n*s1
	radius := func(lat float64) float64 { return math.Sqrt(c-2*n*math.Sin(lat*radians)) / n }
	middle := radius(origin.Lat)
	return func(p directory.Point) spot {
		turn := n * math.Remainder(p.Lon-origin.Lon, 360) * radians // across the date line as well
		r := radius(p.Lat)
		return spot{r * math.Sin(turn), r*math.Cos(turn) - middle}
	}
}

// around is the projection in which distances from a point are true in every direction (Snyder 1987, chapter 25).
func around(centre directory.Point) projection {
	s0, c0 := math.Sincos(centre.Lat * radians)
	return func(p directory.Point) spot {
		s, c := math.Sincos(p.Lat * radians)
		dx, dy := math.Sincos(math.Remainder(p.Lon-centre.Lon, 360) * radians)
		angle := math.Acos(max(-1, min(1, s0*s+c0*c*dy)))
		k := 1.0
		if angle > 1e-9 {
			k = angle / math.Sin(angle)
		}
		return spot{k * c * dx, -k * (c0*s - s0*c*dy)}
	}
}

// box is a rectangle of a map.
type box struct{ left, top, right, bottom float64 }

func boxOf(spots []spot) box {
	b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, s := range spots {
		b = box{min(b.left, s.x), min(b.top, s.y), max(b.right, s.x), max(b.bottom, s.y)}
	}
	return b
}

func (b box) grown(by float64) box { return box{b.left - by, b.top - by, b.right + by, b.bottom + by} }

func (b box) holds(s spot) bool {
	return s.x >= b.left && s.x <= b.right && s.y >= b.top && s.y <= b.bottom
}

func (b box) meets(o box) bool {
	return b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom
}

func (b box) middle() spot { return spot{(b.left + b.right) / 2, (b.top + b.bottom) / 2} }

// into returns how what lies in b is moved and scaled to fill the frame without being stretched.
func (b box) into(frame box) func(spot) spot {
	k := min((frame.right-frame.left)/(b.right-b.left), (frame.bottom-frame.top)/(b.bottom-b.top))
	from, to := b.middle(), frame.middle()
	return func(s spot) spot { return spot{to.x + (s.x-from.x)*k, to.y + (s.y-from.y)*k} }
}

// clip cuts a ring at the edges of a box (Sutherland and Hodgman 1974). What is cut off is closed along the
// edges, which therefore lie outside of what is shown.
func (b box) clip(in []spot) []spot {
	for side := range 4 {
		inside := func(s spot) float64 {
			return [4]float64{s.x - b.left, b.right - s.x, s.y - b.top, b.bottom - s.y}[side]
		}
		var out []spot
		for i, s := range in {
			before := in[(i+len(in)-1)%len(in)]
			a, z := inside(before), inside(s)
			if a >= 0 != (z >= 0) {
				k := a / (a - z)
				out = append(out, spot{before.x + (s.x-before.x)*k, before.y + (s.y-before.y)*k})
			}
			if z >= 0 {
				out = append(out, s)
			}
		}
		in = out
	}
	return in
}

// area is what a ring encloses.
func area(ring []spot) float64 {
	sum := 0.0
	for i, s := range ring {
		before := ring[(i+len(ring)-1)%len(ring)]
		sum += before.x*s.y - s.x*before.y
	}
	return math.Abs(sum) / 2
}

// weight is the point in which a ring would be balanced.
func weight(ring []spot) spot {
	var x, y, sum float64
	for i, s := range ring {
		before := ring[(i+len(ring)-1)%len(ring)]
		cross := before.x*s.y - s.x*before.y
		x, y, sum = x+(before.x+s.x)*cross, y+(before.y+s.y)*cross, sum+cross
	}
	if math.Abs(sum) < 1e-9 {
		return boxOf(ring).middle()
	}
	return spot{x / (3 * sum), y / (3 * sum)}
}

// draw writes a ring as path data in whole units. Points that share a unit are one, so neighbours, which
// share their points, stay neighbours. It returns "" for a ring in which nothing is left to see.
func draw(ring []spot) string {
	type unit struct{ x, y int }
	var units []unit
	for _, s := range ring {
		u := unit{int(math.Round(s.x)), int(math.Round(s.y))}
		if len(units) == 0 || units[len(units)-1] != u {
			units = append(units, u)
		}
	}
	for len(units) > 1 && units[0] == units[len(units)-1] {
		units = units[:len(units)-1]
	}
	if len(units) < 3 {
		return ""
	}
	b := []byte{'M'}
	b = strconv.AppendInt(b, int64(units[0].x), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(units[0].y), 10)
	for i, u := range units[1:] {
		dx, dy := u.x-units[i].x, u.y-units[i].y
		if i == 0 {
			b = append(b, 'l')
		} else if dx >= 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(dx), 10)
		if dy >= 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(dy), 10)
	}
	return string(append(b, 'z'))
}

// Outlines writes data/map/lines.csv and data/map/outlines.csv, the outlines of the states.
//
// It reads the Census Bureau's cartographic boundaries of 2017 in the form in which the package us-atlas
// passes them on, fetched beforehand with the ordinary client and unpacked anywhere outside the repository:
//
//	npm pack us-atlas@3.0.1
//	tar -xzf us-atlas-3.0.1.tgz --one-top-level=us-atlas
//	go run ./outlines -states us-atlas/package/states-10m.json -out ../../data/map
//
// A border that two states share is one line, so that both keep it alike. Islands smaller than leastIsland
// are left out unless they are all that a state has; of each line the points are left out that change its
// course by less than leastTurn. The small territories are left out. The same input gives the same bytes.
package main

import (
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	leastIsland = 60.0 // square kilometres
	leastTurn   = 20.0 // square kilometres of the triangle that a point makes with its neighbours
)

// codes are the states that are drawn, by the number that the Census Bureau gives them.
var codes = map[string]string{"01": "AL", "02": "AK", "04": "AZ", "05": "AR", "06": "CA", "08": "CO", "09": "CT", "10": "DE", "11": "DC", "12": "FL", "13": "GA",
	"15": "HI", "16": "ID", "17": "IL", "18": "IN", "19": "IA", "20": "KS", "21": "KY", "22": "LA", "23": "ME", "24": "MD", "25": "MA", "26": "MI", "27": "MN",
	"28": "MS", "29": "MO", "30": "MT", "31": "NE", "32": "NV", "33": "NH", "34": "NJ", "35": "NM", "36": "NY", "37": "NC", "38": "ND", "39": "OH", "40": "OK",
	"41": "OR", "42": "PA", "44": "RI", "45": "SC", "46": "SD", "47": "TN", "48": "TX", "49": "UT", "50": "VT", "51": "VA", "53": "WA", "54": "WV", "55": "WI",
	"56": "WY", "72": "PR"}

type topology struct {
	Transform struct{ Scale, Translate [2]float64 }
	Arcs      [][][2]float64
	Objects   struct {
		States struct {
			Geometries []struct {
				ID   string
				Type string
				Arcs json.RawMessage
			}
		}
	}
}

type point struct{ lon, lat float64 }

func main() {
	log.SetFlags(0)
	states := flag.String("states", "", "path of us-atlas' states-10m.json")
	out := flag.String("out", "", "folder to write to")
	flag.Parse()
	if *states == "" || *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*states, *out); err != nil {
		log.Fatal(err)
	}
}

func run(states, out string) error {
	raw, err := os.ReadFile(states)
	if err != nil {
		return err
	}
	var t topology
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	lines := make([][]point, len(t.Arcs))
	for i, arc := range t.Arcs {
		var x, y float64
		for _, d := range arc {
			x, y = x+d[0], y+d[1]
			lines[i] = append(lines[i], point{x*t.Transform.Scale[0] + t.Transform.Translate[0], y*t.Transform.Scale[1] + t.Transform.Translate[1]})
		}
	}
	type ring struct {
		state string
		arcs  []int
		area  float64
	}
	var rings []ring
	for _, g := range t.Objects.States.Geometries {
		state, ok := codes[g.ID]
		if !ok {
			continue
		}
		var polygons [][][]int
		if g.Type == "Polygon" {
			polygons = make([][][]int, 1)
			err = json.Unmarshal(g.Arcs, &polygons[0])
		} else {
			err = json.Unmarshal(g.Arcs, &polygons)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", state, err)
		}
		most := 0.0
		var own []ring
		for _, p := range polygons {
			for _, arcs := range p {
				for i := 1; i < len(arcs); i++ { // forth and back again is nowhere
					if arcs[i] == ^arcs[i-1] {
						arcs = slices.Delete(arcs, i-1, i+1)
						i = 0
					}
				}
				r := ring{state, arcs, size(follow(lines, arcs))}
				most = max(most, r.area)
				own = append(own, r)
			}
		}
		for _, r := range own {
			if r.area >= leastIsland || r.area == most {
				rings = append(rings, r)
			}
		}
	}
	slices.SortStableFunc(rings, func(a, b ring) int {
		if c := strings.Compare(a.state, b.state); c != 0 {
			return c
		}
		return int(math.Copysign(1, b.area-a.area))
	})
	number := map[int]int{} // of an arc: its line, from 1 in the order of use
	var order []int
	outlines := [][]string{{"state", "part", "lines"}}
	parts := map[string]int{}
	for _, r := range rings {
		parts[r.state]++
		var list []string
		for _, a := range r.arcs {
			i := a
			if a < 0 {
				i = ^a
			}
			if number[i] == 0 {
				order = append(order, i)
				number[i] = len(order)
			}
			sign := ""
			if a < 0 {
				sign = "-"
			}
			list = append(list, fmt.Sprintf("%s%03d", sign, number[i]))
		}
		outlines = append(outlines, []string{r.state, fmt.Sprintf("%02d", parts[r.state]), strings.Join(list, " ")})
	}
	table := [][]string{{"line", "points"}}
	points := 0
	for n, i := range order {
		var b strings.Builder
		for k, p := range thin(lines[i]) {
			if k > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "%s %s", degrees(p.lon), degrees(p.lat))
			points++
		}
		table = append(table, []string{fmt.Sprintf("%03d", n+1), b.String()})
	}
	log.Printf("%d lines, %d points, %d outlines", len(order), points, len(rings))
	if err := write(filepath.Join(out, "lines.csv"), table); err != nil {
		return err
	}
	return write(filepath.Join(out, "outlines.csv"), outlines)
}

func degrees(d float64) string {
	return strconv.FormatFloat(math.Round(d*1000)/1000, 'f', -1, 64)
}

func write(path string, rows [][]string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return f.Close()
}

// follow puts the lines of a ring one behind the other. A number below zero is a line walked backwards.
func follow(lines [][]point, arcs []int) []point {
	var out []point
	for _, a := range arcs {
		if a >= 0 {
			out = append(out, lines[a]...)
			continue
		}
		back := slices.Clone(lines[^a])
		slices.Reverse(back)
		out = append(out, back...)
	}
	return out
}

// kilometres puts a point on a plane whose x is true at the latitude of the middle.
func kilometres(p point, middle float64) (x, y float64) {
	const degree = 111.2
	return p.lon * degree * math.Cos(middle*math.Pi/180), p.lat * degree
}

func size(ring []point) float64 {
	sum := 0.0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		px, py := kilometres(p, ring[0].lat)
		qx, qy := kilometres(q, ring[0].lat)
		sum += px*qy - qx*py
	}
	return math.Abs(sum) / 2
}

// thin leaves out, one after the other, the point of a line that matters least: the one that makes the
// smallest triangle with its neighbours (Visvalingam and Whyatt 1993). The ends stay.
func thin(line []point) []point {
	line = slices.Clone(line)
	for len(line) > 2 {
		least, at := math.Inf(1), 0
		for i := 1; i+1 < len(line); i++ {
			if s := size(line[i-1 : i+2]); s < least {
				least, at = s, i
			}
		}
		if least >= leastTurn || line[0] == line[len(line)-1] && len(line) <= 5 {
			break
		}
		line = slices.Delete(line, at, at+1)
	}
	return line
}

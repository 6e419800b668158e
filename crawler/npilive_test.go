package crawler

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

const registryHost = "npiregistry.cms.hhs.gov"

// registry is a service of the NPI Registry's kind, of so many invented people of each family name.
type registry struct {
	people map[string]int
	asked  []url.Values
	agent  string
	answer func(w http.ResponseWriter, call int) bool // in place of the service; false: as always
}

func (s *registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.asked, s.agent = append(s.asked, q), r.UserAgent()
	if s.answer != nil && s.answer(w, len(s.asked)) {
		return
	}
	limit, _ := strconv.Atoi(q.Get("limit"))
	skip, _ := strconv.Atoi(q.Get("skip"))
	if q.Get("version") != "2.1" || limit > 200 || skip > 1000 || r.URL.Path != "/api/" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if q.Get("state") != "" && len(q) == 4 {
		fmt.Fprint(w, `{"Errors":[{"field":"state","number":"09","description":"state requires additional search criteria"}]}`)
		return
	}
	var results []string
	result := api2026[strings.Index(api2026, `{"enumeration_type"`) : len(api2026)-2]
	if n := q.Get("number"); n == "2000000010" || n == "2000000028" {
		results = append(results, strings.NewReplacer("2000000010", n, "1041C0700X", "207X00000X").Replace(result)) // a surgeon
	}
	for i := skip; i < min(skip+limit, s.people[q.Get("last_name")]); i++ {
		results = append(results, strings.Replace(result, "2000000010", npiOf(i), 1))
	}
	fmt.Fprintf(w, `{"result_count":%d,"results":[%s]}`, len(results), strings.Join(results, ","))
}

func npiOf(i int) string {
	for c := range 10 {
		if n, err := directory.ParseNPI(fmt.Sprintf("21%07d%d", i, c)); err == nil {
			return string(n)
		}
	}
	return ""
}

// ask imports a question put to the service, with as little pace as a test may have.
func ask(t *testing.T, s *registry, in Input) (*memory, *Report, error) {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	u, _ := url.Parse(srv.URL)
	port, _ := strconv.ParseUint(u.Port(), 10, 16)
	in.Client = safehttp.New(safehttp.Config{Version: "test", AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		AllowPorts: []uint16{uint16(port)}, Dial: map[string]string{registryHost: u.Host}, TotalTimeout: 5 * time.Second})
	src, _ := Find("npi-api")
	info, _ := directory.Tables().Source("npi-api")
	info.URL = "http://" + registryHost + "/api/" // the test's server has no certificate
	rep := &Report{}
	opts := Options{Now: day, Pace: rate.Inf, Report: rep}.complete()
	m, err := gather(context.Background(), src, info, in, opts)
	if err != nil {
		return &memory{}, rep, err
	}
	w, err := src.open(context.Background(), m, opts)
	if err != nil {
		return &memory{}, rep, err
	}
	sink := &memory{}
	o := &out{ctx: context.Background(), sink: sink, opts: opts, rel: directory.Release{Source: "npi-api", AsOf: "2026-11-23", SHA256: m.sha, URL: m.url, File: m.name}}
	sink.rel = o.rel
	if err := w.read(context.Background(), o); err != nil {
		return sink, rep, err
	}
	return sink, rep, o.flush()
}

func TestAskRegistry(t *testing.T) {
	for _, c := range []struct {
		name          string
		in            Input
		calls, people int
		larger        bool
	}{
		{"one page", Input{Path: "last_name=few&state=CO"}, 1, 3, false},
		{"a whole page, and an empty one", Input{Path: "last_name=page"}, 2, 200, false},
		{"several pages", Input{URL: "http://" + registryHost + "/api/?version=2.1&last_name=some&limit=10&skip=400"}, 3, 450, false},
		{"as many as the service gives", Input{Path: "last_name=most"}, 6, 1200, true},
		{"more than the service gives", Input{Path: "last_name=many"}, 6, 1200, true},
	} {
		s := &registry{people: map[string]int{"few": 3, "page": 200, "some": 450, "most": 1200, "many": 5000}}
		m, rep, err := ask(t, s, c.in)
		if err != nil || len(m.records) != c.people || len(s.asked) != c.calls || len(rep.Larger) > 0 != c.larger {
			t.Errorf("%s: %v: %d records of %d calls, larger %v", c.name, err, len(m.records), len(s.asked), rep.Larger)
			continue
		}
		for i, q := range s.asked {
			if q.Get("skip") != itoa(200*i) || q.Get("limit") != "200" {
				t.Errorf("%s: call %d asked %v", c.name, i, q)
			}
		}
		if !strings.HasPrefix(s.agent, "kapdir/test") || m.rel.File != registryHost || strings.Contains(m.rel.URL, "last_name") || len(m.rel.SHA256) != 64 {
			t.Errorf("%s: agent %q, release %+v", c.name, s.agent, m.rel)
		}
	}

	// Numbers: kept whatever their trade, since a person asked for them; who is unknown is said.
	s := &registry{}
	m, _, err := ask(t, s, Input{Path: write(t, "numbers.txt", "# our prescribers\n2000000010\n\n2000000028  # again\n2000000010\n2000000036\n")})
	if err != nil || len(m.records) != 2 || len(s.asked) != 3 || len(m.rejects) != 1 || !strings.Contains(m.rejects[0].Reason, "2000000036") {
		t.Errorf("numbers: %v, %d records, %d calls, rejects %+v", err, len(m.records), len(s.asked), m.rejects)
	}
	if r := m.record("2000000010"); r == nil || r.Identity.Taxonomies[0].Code != "207X00000X" {
		t.Errorf("the surgeon is not held: %s", asJSON(m.records))
	}

	// A server that is busy is asked again; one that asks to be left alone for long is left alone.
	s = &registry{people: map[string]int{"few": 3}, answer: func(w http.ResponseWriter, call int) bool {
		if call == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return call == 1
	}}
	start := time.Now()
	if m, _, err := ask(t, s, Input{Path: "last_name=few"}); err != nil || len(m.records) != 3 || len(s.asked) != 2 || time.Since(start) < time.Second {
		t.Errorf("busy once: %v, %d records after %d calls and %v", err, len(m.records), len(s.asked), time.Since(start))
	}
	for _, c := range []struct {
		name string
		in   Input
		call func(http.ResponseWriter)
		kind directory.ErrorKind
		want string
	}{
		{"left alone", Input{Path: "last_name=few"}, func(w http.ResponseWriter) { w.Header().Set("Retry-After", "3600"); w.WriteHeader(503) }, directory.Unavailable, "3600 seconds"},
		{"broken", Input{Path: "last_name=few"}, func(w http.ResponseWriter) { w.WriteHeader(500) }, directory.Unavailable, "status 500"},
		{"refused", Input{Path: "last_name=few"}, func(w http.ResponseWriter) { w.WriteHeader(403) }, directory.Unavailable, "status 403"},
		{"a page", Input{Path: "last_name=few"}, func(w http.ResponseWriter) { fmt.Fprint(w, "<html>busy</html>") }, directory.Invalid, "HTML"},
		{"half an answer", Input{Path: "last_name=few"}, func(w http.ResponseWriter) { fmt.Fprint(w, api2026[:200]) }, directory.Invalid, "breaks off"},
		{"led away", Input{Path: "last_name=few"}, func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://elsewhere.example/")
			w.WriteHeader(302)
		}, directory.Refused, "elsewhere"},
		{"led inside", Input{Path: "last_name=few"}, func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(302)
		}, directory.Refused, ""},
		{"an error with status 200", Input{Path: "state=CO"}, nil, directory.Invalid, "requires additional search criteria"},
		{"nobody", Input{Path: "last_name=nobody"}, nil, directory.Invalid, "nobody was found"},
		{"another service", Input{URL: "http://elsewhere.example/api/?last_name=few"}, nil, directory.Refused, "is not the service"},
		{"another path", Input{URL: "http://" + registryHost + "/x/?last_name=few"}, nil, directory.Refused, "is not the service"},
		{"an older version", Input{Path: "version=2.0&last_name=few"}, nil, directory.Invalid, "2.1"},
		{"a term there is not", Input{Path: "surname=few"}, nil, directory.Invalid, "surname"},
		{"nothing asked", Input{URL: "http://" + registryHost + "/api/?version=2.1&limit=5"}, nil, directory.Invalid, "asks for nothing"},
		{"a wrong number", Input{Path: write(t, "n.txt", "2000000010\n2000000011\n")}, nil, directory.Invalid, "line 2"},
		{"a file that is not there", Input{Path: filepath.Join(t.TempDir(), "numbers.txt")}, nil, directory.NotFound, "there is no file"},
	} {
		s := &registry{people: map[string]int{"few": 3}}
		if c.call != nil {
			s.answer = func(w http.ResponseWriter, _ int) bool { c.call(w); return true }
		}
		m, _, err := ask(t, s, c.in)
		if err == nil || directory.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) || len(m.records) != 0 {
			t.Errorf("%s: %v (%s), %d records", c.name, err, directory.KindOf(err), len(m.records))
		}
		if len(s.asked) > 3 {
			t.Errorf("%s: asked %d times", c.name, len(s.asked))
		}
	}
	many := "2000000010\n" + strings.Repeat("2000000028\n", 2)
	for i := range maxNumbers {
		many += npiOf(i) + "\n"
	}
	if _, _, err := ask(t, &registry{}, Input{Path: write(t, "n.txt", many)}); err == nil || !strings.Contains(err.Error(), "give the NPPES file") {
		t.Errorf("too many numbers: %v", err)
	}
}

// TestNPIAPIPlaces reads further practice locations, and never a mailing address among them.
func TestNPIAPIPlaces(t *testing.T) {
	body := strings.Replace(api2026, `"practiceLocations":[]`, `"practiceLocations":[{"address_type":"DOM","address_1":"9 SECOND STREET","address_2":"","city":"DENVER","state":"CO","postal_code":"802031234","country_code":"US","telephone_number":"303-555-0143","fax_number":"303-555-0144"},
{"address_1":"1 HOME LANE","address_purpose":"MAILING","city":"LYONS","state":"CO","postal_code":"80540","country_code":"US"},{"address_1":"1 X","city":"UTRECHT","state":null,"country_code":"NL"}]`, 1)
	m, _, err := importFile(t, "npi-api", write(t, "answer.json", body))
	if err != nil || len(m.records) != 1 {
		t.Fatal(err, m.rejects)
	}
	p := m.records[0].Identity.Places
	if len(p) != 1 || p[0].Address.ZIP != "80203-1234" || p[0].Phone != "(303) 555-0143" || p[0].Origin.Source != "npi-api" {
		t.Errorf("places %s", asJSON(p))
	}
	if s := asJSON(m.records); strings.Contains(s, "HOME LANE") || strings.Contains(s, "0144") {
		t.Errorf("the record holds too much: %s", s)
	}
}

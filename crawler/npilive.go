package crawler

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// The NPI Registry answers at most 200 results a call and lets 1,000 be skipped, so that 1,200 of a query
// can be had: npiregistry.cms.hhs.gov/api-page, version 2.1.
const (
	registryPage = 200
	registrySkip = 1000
)

// maxNumbers bounds a file of numbers: at one call a second it is three quarters of an hour.
const maxNumbers = 2500

// maxPatience is the longest that a Retry-After is waited for.
const maxPatience = 2 * time.Minute

// registryTerms are what a query may ask for. How many results a call brings is ours to say.
var registryTerms = []string{"number", "enumeration_type", "taxonomy_description", "name_purpose", "first_name", "use_first_name_alias", "last_name", "organization_name",
	"address_purpose", "city", "state", "postal_code", "country_code"}

// registryQuestions reads what is to be asked: an address of the service with its query, the query alone
// (last_name=okafor&state=CO), or a file of numbers, one a line. ok is false for files of answers.
func registryQuestions(in Input) (questions []url.Values, ok bool, err error) {
	query := in.Path
	if in.URL != "" {
		u, err := url.Parse(in.URL)
		if err != nil {
			return nil, true, directory.Errorf(directory.Invalid, "url", "is not a web address")
		}
		query = u.RawQuery
	} else if st, err := os.Stat(in.Path); err == nil {
		if !st.Mode().IsRegular() || st.Size() > maxNumbers*32 {
			return nil, false, nil
		}
		b, err := os.ReadFile(in.Path)
		if err != nil {
			return nil, false, unreadable("the file of numbers", err)
		}
		return numbersIn(b)
	} else if !strings.Contains(in.Path, "=") {
		return nil, false, nil
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, true, directory.Errorf(directory.Invalid, "query", "the query cannot be read: write it as last_name=okafor&state=CO")
	}
	for _, ours := range []string{"limit", "skip", "pretty"} {
		q.Del(ours)
	}
	if v := q.Get("version"); v != "" && v != "2.1" {
		return nil, true, directory.Errorf(directory.Invalid, "version", "only version 2.1 of the service is read, not %s", quoted(v))
	}
	q.Del("version")
	for term := range q {
		if !slices.Contains(registryTerms, term) {
			return nil, true, directory.Errorf(directory.Invalid, "query", "%s is nothing that the service can be asked for: %s", quoted(term), strings.Join(registryTerms, ", "))
		}
	}
	if len(q) == 0 {
		return nil, true, directory.Errorf(directory.Invalid, "query", "the query asks for nothing: write it as last_name=okafor&state=CO")
	}
	return []url.Values{q}, true, nil
}

// numbersIn reads a file of numbers. A blank line and what follows a # say nothing.
func numbersIn(b []byte) (questions []url.Values, ok bool, err error) {
	seen := map[directory.NPI]bool{}
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		npi, err := directory.ParseNPI(text)
		if err != nil {
			if len(questions) == 0 && !(len(text) <= 12 && allDigits(text)) {
				return nil, false, nil // no file of numbers
			}
			return nil, true, invalid("the file of numbers", n, "number", "%s", detail(err))
		}
		if !seen[npi] {
			seen[npi] = true
			questions = append(questions, url.Values{"number": {string(npi)}})
		}
	}
	if len(questions) > maxNumbers {
		return nil, true, invalid("the file of numbers", 0, "number", "%d numbers: at most %d are asked for at once, for more give the NPPES file", len(questions), maxNumbers)
	}
	return questions, len(questions) > 0, nil
}

// askRegistry puts the questions to the service, one call at a time at its pace, and keeps the answers as
// if they had been saved to files.
func askRegistry(ctx context.Context, m *material, in Input, questions []url.Values, opts Options) error {
	if in.Client == nil {
		return directory.Errorf(directory.Internal, "input", "a web address needs a client")
	}
	at := m.info.URL
	if in.URL != "" {
		at = in.URL
	}
	base, err := in.Client.Check(at)
	if err != nil {
		return err
	}
	if own, err := url.Parse(m.info.URL); err != nil || !strings.EqualFold(base.Hostname(), own.Hostname()) || strings.Trim(base.Path, "/") != strings.Trim(own.Path, "/") {
		return directory.Errorf(directory.Refused, "url", "%s is not the service of %s", shorten(base.Host+base.Path, 100), m.info.Name)
	}
	base.RawQuery, base.Fragment = "", ""
	m.name, m.url = base.Hostname(), base.String() // a query may name a person
	pace := rate.NewLimiter(opts.Pace, 1)
	var sums [][]byte
	for i, q := range questions {
		for skip := 0; skip <= registrySkip; skip += registryPage {
			if opts.Progress != nil {
				opts.Progress(Progress{Stage: "fetching", File: base.Host, Read: int64(len(sums)), Total: int64(len(sums) + len(questions) - i)})
			}
			u := *base
			u.RawQuery = "version=2.1&limit=" + itoa(registryPage) + "&skip=" + itoa(skip) + "&" + q.Encode()
			body, err := callRegistry(ctx, in.Client, pace, &u)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(body)
			sums = append(sums, sum[:])
			m.size += int64(len(body))
			f := file{name: "answer-" + itoa(len(sums)) + ".json", size: int64(len(body)), asked: q.Get("number"), open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }}
			m.files = append(m.files, f)
			a, err := readAnswer(f)
			if a.refused {
				break
			}
			if err != nil {
				return err
			}
			if len(a.results) < registryPage {
				break
			}
			if skip == registrySkip {
				opts.Report.Larger = append(opts.Report.Larger, shorten(q.Encode(), 200))
			}
		}
	}
	m.sha = hashOf(sums)
	return nil
}

// callRegistry makes one call, and again after a failure of the server or when it asks to wait.
func callRegistry(ctx context.Context, c *safehttp.Client, pace *rate.Limiter, u *url.URL) ([]byte, error) {
	var err error
	for try := range 3 {
		if err := pace.Wait(ctx); err != nil {
			return nil, &directory.Error{Kind: directory.Unavailable, Op: u.Host, Detail: "the import was stopped", Cause: err}
		}
		var res *safehttp.Response
		res, err = c.Do(ctx, safehttp.Request{URL: u.String(), Header: http.Header{"Accept": {"application/json"}}, OnRedirect: func(to *url.URL) error {
			if !strings.EqualFold(to.Host, u.Host) {
				return directory.Errorf(directory.Refused, "url", "the service leads away to %s", shorten(to.Host, 100))
			}
			return nil
		}})
		switch {
		case err != nil && directory.KindOf(err) != directory.Unavailable:
			return nil, err
		case err != nil:
			continue
		case res.Status == http.StatusOK:
			return res.Body, nil
		}
		err = directory.Errorf(directory.Unavailable, "url", "the service answered with status %d", res.Status)
		if res.Status < 500 && res.Status != http.StatusTooManyRequests {
			return nil, err
		}
		if s, wrong := strconv.Atoi(res.Header.Get("Retry-After")); wrong == nil && s > 0 {
			wait := time.Duration(s) * time.Second
			if wait > maxPatience {
				return nil, directory.Errorf(directory.Unavailable, "url", "the service asks to be left alone for %d seconds: try again then", s)
			}
			if try < 2 {
				select {
				case <-ctx.Done():
				case <-time.After(wait):
				}
			}
		}
	}
	return nil, err
}

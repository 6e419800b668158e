// Package safehttp is the guarded HTTP client: whoever calls out of this program uses it, so that no
// address a stranger chose can reach a private machine, fill the memory or hold a worker for long.
//
// Every connection is checked by its real address when it is dialled (code.dny.dev/ssrf), also after
// a redirect and after a name was looked up again. No proxy is read from the environment. Only http and
// https on ports 80 and 443 are called, no address may carry a user name, headers end at 64 KiB, a body
// at 2 MiB after it was inflated here, and a call is over after 6 seconds in all.
package safehttp

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"

	"kapdir/directory"
)

// The bounds of a call. They follow the experiments of reliability.md §6.
const (
	MaxBody       = 2 << 20
	MaxHeader     = 64 << 10
	MaxRedirects  = 5
	HeaderTimeout = 3 * time.Second
	TotalTimeout  = 6 * time.Second
)

// Config says who calls. The zero value is a working client without a contact address.
type Config struct {
	Version string // of the program, for the User-Agent
	Contact string // an http(s) address where an operator can be reached, for the User-Agent

	// AllowPrefixes and AllowPorts open the guard for a test's own server, 127.0.0.0/8 on its port say.
	AllowPrefixes []netip.Prefix
	AllowPorts    []uint16
	// Roots are who may vouch for a server's name; nil is the system's. A test's own server has one of its own.
	Roots *x509.CertPool
	// Dial sends a host to an address, "kap-commons.example" to "127.0.0.1:41234", in place of asking
	// for its name. The guard looks at that address as at any other.
	Dial map[string]string
	// Resolver asks for names; nil is the system's. Whatever it answers, the guard looks at the address that
	// is dialled, so that a name that leads elsewhere the second time leads nowhere.
	Resolver *net.Resolver

	HeaderTimeout time.Duration // 0: HeaderTimeout
	TotalTimeout  time.Duration // 0: TotalTimeout
	MaxBody       int64         // 0: MaxBody
}

// Client calls other people's servers. It is safe for concurrent use.
type Client struct {
	http  http.Client
	agent string
	ports []uint16
	total time.Duration
	body  int64
}

// Request is one call. Only URL is needed.
type Request struct {
	Method     string // GET if empty
	URL        string
	Header     http.Header
	Body       []byte
	NoRedirect bool                 // answer a redirect as it is: a webhook's receiver may not send us elsewhere
	OnRedirect func(*url.URL) error // asked before each redirect is followed; an error ends the call
	Truncate   int64                // take at most so many bytes and drop the rest, instead of refusing a larger body
}

// Response is a whole answer. URL is where it came from in the end.
type Response struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   []byte
}

// New makes a client.
func New(c Config) *Client {
	ports := append([]uint16{80, 443}, c.AllowPorts...)
	opts := []ssrf.Option{ssrf.WithPorts(ports...)}
	var v4, v6 []netip.Prefix
	for _, p := range c.AllowPrefixes {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	opts = append(opts, ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	guard := ssrf.New(opts...)
	header, total, body := c.HeaderTimeout, c.TotalTimeout, c.MaxBody
	if header == 0 {
		header = HeaderTimeout
	}
	if total == 0 {
		total = TotalTimeout
	}
	if body == 0 {
		body = MaxBody
	}
	dialer := &net.Dialer{Timeout: header, Control: guard.Safe, Resolver: c.Resolver}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, err := net.SplitHostPort(address); err == nil && c.Dial[host] != "" {
			address = c.Dial[host]
		}
		return dialer.DialContext(ctx, network, address)
	}
	agent := "kapdir/" + orWord(c.Version, "dev")
	if c.Contact != "" {
		agent += " (+" + c.Contact + ")"
	}
	cl := &Client{agent: agent, ports: ports, total: total, body: body}
	cl.http = http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would dial for us, past the guard
			DialContext:            dial,
			TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    header,
			ResponseHeaderTimeout:  header,
			MaxResponseHeaderBytes: MaxHeader,
			DisableCompression:     true, // inflated below, under the cap
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        30 * time.Second,
		},
		CheckRedirect: cl.redirect,
	}
	return cl
}

// UserAgent is what the client calls itself: kapdir/VERSION (+contact).
func (c *Client) UserAgent() string { return c.agent }

// Get reads a page.
func (c *Client) Get(ctx context.Context, address string) (*Response, error) {
	return c.Do(ctx, Request{URL: address})
}

type requestKey struct{}

// Do makes the call. A status of any kind is an answer, not an error. An address that may not be
// called gives Refused; a server that did not answer in time or within the bounds gives Unavailable.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	u, err := c.Check(r.URL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.total)
	defer cancel()
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(context.WithValue(ctx, requestKey{}, &r), method, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, &directory.Error{Kind: directory.Invalid, Field: "url", Detail: "the address cannot be called", Cause: err}
	}
	for k, v := range r.Header {
		req.Header[http.CanonicalHeaderKey(k)] = slices.Clone(v)
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept-Encoding", "gzip")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, failure(u, err)
	}
	defer res.Body.Close()
	body, err := c.read(res, r.Truncate)
	if err != nil {
		return nil, failure(u, err)
	}
	return &Response{URL: res.Request.URL, Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// Check reports whether an address may be called as it is written, before any name is looked up.
func (c *Client) Check(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		return nil, directory.Errorf(directory.Invalid, "url", "%q is not a web address", cut(address))
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, directory.Errorf(directory.Refused, "url", "%q is not called: only http and https are", cut(u.Scheme))
	}
	if u.User != nil {
		return nil, directory.Errorf(directory.Refused, "url", "an address with a user name in it is not called")
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || !slices.Contains(c.ports, uint16(n)) {
			return nil, directory.Errorf(directory.Refused, "url", "port %s is not called: only 80 and 443 are", cut(p))
		}
	}
	return u, nil
}

// redirect looks at each hop as at a first address; the dial guard then sees the machine itself.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	r, _ := req.Context().Value(requestKey{}).(*Request)
	if r != nil && r.NoRedirect {
		return http.ErrUseLastResponse
	}
	if len(via) > MaxRedirects {
		return directory.Errorf(directory.Unavailable, "url", "more than %d redirects", MaxRedirects)
	}
	if _, err := c.Check(req.URL.String()); err != nil {
		return err
	}
	if r != nil && r.OnRedirect != nil {
		return r.OnRedirect(req.URL)
	}
	return nil
}

// read takes the body, inflated here so that a bomb ends at the cap.
func (c *Client) read(res *http.Response, truncate int64) ([]byte, error) {
	limit := c.body
	if truncate > 0 {
		limit = truncate
	} else if res.ContentLength > limit {
		return nil, directory.Errorf(directory.Unavailable, "url", "the answer is larger than %d bytes", limit)
	}
	var body io.Reader = io.LimitReader(res.Body, c.body+1)
	switch enc := strings.ToLower(strings.TrimSpace(strings.Join(res.Header.Values("Content-Encoding"), ","))); enc {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, directory.Errorf(directory.Unavailable, "url", "the answer says that it is gzip and is not")
		}
		body = z
	default: // "gzip, gzip" is how a small answer becomes a huge one
		return nil, directory.Errorf(directory.Unavailable, "url", "the answer is encoded as %q, which is not read", cut(enc))
	}
	b, err := io.ReadAll(io.LimitReader(body, limit+1))
	if int64(len(b)) > limit {
		if truncate > 0 {
			return b[:limit], nil
		}
		return nil, directory.Errorf(directory.Unavailable, "url", "the answer is larger than %d bytes", limit)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// failure says whether we may not call, or could not reach.
func failure(u *url.URL, err error) error {
	var own *directory.Error
	if errors.As(err, &own) {
		return own
	}
	if errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedPort) || errors.Is(err, ssrf.ErrProhibitedNetwork) {
		return &directory.Error{Kind: directory.Refused, Field: "url", Detail: cut(u.Host) + " leads to an address that is not called", Cause: err}
	}
	if errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
		return &directory.Error{Kind: directory.Unavailable, Field: "url", Detail: cut(u.Host) + " did not answer in time", Cause: err}
	}
	return &directory.Error{Kind: directory.Unavailable, Field: "url", Detail: cut(u.Host) + " could not be reached", Cause: err}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// cut keeps what a stranger wrote short in an error.
func cut(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}

func orWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

package crawler

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kapdir/crawler/safehttp"
)

// maxRobots is how much of a robots.txt is parsed (RFC 9309 §2.5: at least 500 KiB).
const maxRobots = 500 << 10

// Robots are the rules of one host for one crawler: RFC 9309.
type Robots struct {
	Delay time.Duration // between two pages, where the file asks for one; in no standard, and obeyed

	rules []robotsRule
	deny  bool // the file could not be had because of the server: nothing may be read (§2.3.1.4)
}

type robotsRule struct {
	pattern string
	allow   bool
}

// AllowAll is the answer of a host without a robots.txt; DenyAll that of one whose robots.txt could not
// be had because the server failed.
var (
	AllowAll = Robots{}
	DenyAll  = Robots{deny: true}
)

// ParseRobots reads a robots.txt for an agent, "KapBot/1.0 (+https://…)". It never fails: lines that
// are no rules are passed over, so that a page of HTML in place of the file forbids nothing.
func ParseRobots(body []byte, agent string) Robots {
	if len(body) > maxRobots {
		body = body[:maxRobots]
	}
	text := strings.TrimPrefix(string(body), "\ufeff")
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	own := strings.ToLower(productToken(agent))
	var ours, others Robots
	var mine, star, named, grouped bool // grouped: the last line of the group so far was a user-agent
	for _, line := range lines {
		line, _, _ = strings.Cut(line, "#")
		field, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(field)) {
		case "user-agent":
			if !grouped { // a rule stood before: a new group begins
				mine, star = false, false
			}
			grouped = true
			if value == "*" {
				star = true
			} else if t := strings.ToLower(productToken(value)); t != "" && t == own {
				mine, named = true, true
			}
		case "allow", "disallow":
			grouped = false
			if value == "" || !mine && !star { // an empty rule matches nothing; rules before any agent are nobody's
				continue
			}
			rule := robotsRule{pattern: robotsForm(value), allow: strings.EqualFold(strings.TrimSpace(field), "allow")}
			if mine {
				ours.rules = append(ours.rules, rule)
			}
			if star {
				others.rules = append(others.rules, rule)
			}
		case "crawl-delay": // as any line that is no rule, it ends no group
			d := crawlDelay(value)
			if mine {
				ours.Delay = max(ours.Delay, d)
			}
			if star {
				others.Delay = max(others.Delay, d)
			}
		}
	}
	if named {
		return ours
	}
	return others
}

// crawlDelay reads seconds, "5" or "0.5"; anything else asks for nothing.
func crawlDelay(v string) time.Duration {
	s, err := strconv.ParseFloat(v, 64)
	if err != nil || !(s > 0) {
		return 0
	}
	return time.Duration(min(s, 1e6) * float64(time.Second))
}

// Allowed reports whether a path with its query may be read. The longest rule decides, and of two
// equally long ones the one that allows.
func (r Robots) Allowed(pathAndQuery string) bool {
	if pathAndQuery == "/robots.txt" {
		return true
	}
	if r.deny {
		return false
	}
	p := robotsForm(pathAndQuery)
	length, allow := -1, true
	for _, rule := range r.rules {
		if n := len(rule.pattern); (n > length || n == length && rule.allow) && robotsMatch(rule.pattern, p) {
			length, allow = n, rule.allow
		}
	}
	return allow
}

// productToken is the leading run of letters, hyphens and underscores of an agent's name (§2.2.1).
func productToken(agent string) string {
	agent = strings.TrimSpace(agent)
	i := strings.IndexFunc(agent, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
	})
	if i < 0 {
		return agent
	}
	return agent[:i]
}

// robotsForm writes a path in one way: unreserved characters bare, everything beyond ASCII and every
// other escape as %XX in capitals, so that /foo/%62ar is /foo/bar and ツ is %E3%83%84 (§2.2.2).
func robotsForm(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			d := byte(unhex(s[i+1])<<4 | unhex(s[i+2]))
			if d >= 'a' && d <= 'z' || d >= 'A' && d <= 'Z' || d >= '0' && d <= '9' || strings.IndexByte("-._~", d) >= 0 {
				b.WriteByte(d)
			} else {
				b.WriteByte('%')
				b.WriteByte(hex[d>>4])
				b.WriteByte(hex[d&15])
			}
			i += 2
			continue
		}
		if c >= 0x80 || c == '%' { // a percent sign that begins no code is one itself
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// robotsMatch matches from the start of the path; * stands for anything and a last $ for the end. It
// goes back to the last star only, so that a hostile pattern costs at most its length times the path's.
func robotsMatch(pattern, path string) bool {
	anchored := strings.HasSuffix(pattern, "$")
	if anchored {
		pattern = pattern[:len(pattern)-1]
	}
	p, s, star, from := 0, 0, -1, 0
	for {
		if p == len(pattern) && (!anchored || s == len(path)) {
			return true
		}
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, s
			p++
		case p < len(pattern) && s < len(path) && pattern[p] == path[s]:
			p++
			s++
		case star >= 0 && from < len(path):
			from++
			p, s = star+1, from
		default:
			return false
		}
	}
}

// fetchRobots asks a host for its rules: a client error means that there are none, a failing or silent
// server that nothing may be read (RFC 9309 §2.3.1).
func fetchRobots(ctx context.Context, c *safehttp.Client, host *url.URL) Robots {
	u := url.URL{Scheme: host.Scheme, Host: host.Host, Path: "/robots.txt"}
	res, err := c.Do(ctx, safehttp.Request{URL: u.String(), Truncate: maxRobots})
	switch {
	case err != nil:
		return DenyAll
	case res.Status >= 200 && res.Status < 300:
		return ParseRobots(res.Body, c.UserAgent())
	case res.Status >= 400 && res.Status < 500:
		return AllowAll
	}
	return DenyAll
}

package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"kapdir/directory"
)

// What pages say stands in messages, a file for each language, and nowhere else. The language of a page is
// that of its address: English at the old paths, Spanish beneath /es. No cookie and no header chooses it. The
// API speaks English.
//
//go:embed messages/*.json
var messageFiles embed.FS

// lang is a language of the pages: its messages, and how it writes what stands in them.
type lang struct {
	Code     string // en, es
	Name     string // in itself: Español
	prefix   string // before every path of a page: "", /es
	tag      language.Tag
	messages map[string]message
}

var (
	english = newLang("en", "English", "")
	spanish = newLang("es", "Español", "/es")

	languages = []*lang{english, spanish}
)

// message is one message in its plural forms; most have the form for every number alone.
type message struct {
	other phrase
	forms map[plural.Form]phrase
}

// phrase is a message's text, cut where arguments go in and where marks stand.
type phrase []piece

type piece struct {
	text string
	arg  string // the argument's name
	cut  bool   // a mark: a bracket around words that a page links or sets off
}

// pieceForm finds what is not plain text in a message: {{.Name}}, and the marks [ and ].
var pieceForm = regexp.MustCompile(`\{\{\.([A-Z][A-Za-z]*)\}\}|[][]`)

func parsePhrase(s string) (phrase, error) {
	var p phrase
	end := 0
	for _, at := range pieceForm.FindAllStringSubmatchIndex(s, -1) {
		if at[0] > end {
			p = append(p, piece{text: s[end:at[0]]})
		}
		if end = at[1]; at[2] >= 0 {
			p = append(p, piece{arg: s[at[2]:at[3]]})
		} else {
			p = append(p, piece{cut: true})
		}
	}
	if end < len(s) {
		p = append(p, piece{text: s[end:]})
	}
	for _, x := range p {
		if strings.Contains(x.text, "{{") || strings.Contains(x.text, "}}") {
			return nil, fmt.Errorf("web: message %q holds more than {{.Name}}", s)
		}
	}
	return p, nil
}

// newLang reads the messages of a language. The files are part of the program, so one that cannot be read is
// a fault of the build.
func newLang(code, name, prefix string) *lang {
	l := &lang{Code: code, Name: name, prefix: prefix, tag: language.MustParse(code), messages: map[string]message{}}
	path := "messages/" + code + ".json"
	raw, err := messageFiles.ReadFile(path)
	if err != nil {
		panic(err)
	}
	file, err := i18n.ParseMessageFileBytes(raw, path, map[string]i18n.UnmarshalFunc{"json": json.Unmarshal})
	if err != nil {
		panic(err)
	}
	for _, m := range file.Messages {
		var x message
		if x.other, err = parsePhrase(m.Other); err != nil {
			panic(err)
		}
		for form, s := range map[plural.Form]string{plural.Zero: m.Zero, plural.One: m.One, plural.Two: m.Two, plural.Few: m.Few, plural.Many: m.Many} {
			if s == "" {
				continue
			}
			if x.forms == nil {
				x.forms = map[plural.Form]phrase{}
			}
			if x.forms[form], err = parsePhrase(s); err != nil {
				panic(err)
			}
		}
		l.messages[m.ID] = x
	}
	return l
}

// t returns a message with its arguments, which are names and values in turn. Numbers, dates, states and the
// like are written as the language writes them; the plural goes by the argument Count. A key that no file has
// stands for itself: tests hold that there is none.
func (l *lang) t(key string, args ...any) string {
	m, ok := l.messages[key]
	if !ok {
		return strings.Clone(key) // so that a key put together on the way here needs no memory
	}
	p := m.form(l, args)
	if len(p) == 1 && p[0].arg == "" {
		return p[0].text
	}
	var b strings.Builder
	size := 32 * len(args) / 2
	for _, x := range p {
		size += len(x.text)
	}
	b.Grow(size)
	for _, x := range p {
		b.WriteString(x.text)
		if x.arg != "" {
			b.WriteString(l.say(argument(args, x.arg)))
		}
	}
	return b.String()
}

// marked returns a message cut at its marks: what stands before the first bracket, within it, behind it, and
// so on. So a template links words of a sentence, and the sentence holds no markup.
func (l *lang) marked(key string, args ...any) []string {
	out := []string{""}
	for _, x := range l.messages[key].form(l, args) {
		switch {
		case x.cut:
			out = append(out, "")
		case x.arg != "":
			out[len(out)-1] += l.say(argument(args, x.arg))
		default:
			out[len(out)-1] += x.text
		}
	}
	return out
}

// has returns the message of a key that not every language needs to have.
func (l *lang) has(key string, args ...any) (string, bool) {
	if _, ok := l.messages[key]; !ok {
		return "", false
	}
	return l.t(key, args...), true
}

// named returns the message of a key, or, in a language that has none, the words of a table.
func (l *lang) named(key, table string, args ...any) string {
	if words, ok := l.has(key, args...); ok {
		return words
	}
	return table
}

func (m message) form(l *lang, args []any) phrase {
	if m.forms == nil {
		return m.other
	}
	n := 0
	switch c := argument(args, "Count").(type) {
	case int:
		n = c
	case *int:
		n = *c
	}
	if p, ok := m.forms[plural.Cardinal.MatchPlural(l.tag, n, 0, 0, 0, 0)]; ok {
		return p
	}
	return m.other
}

func argument(args []any, name string) any {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1]
		}
	}
	return nil
}

// say writes a value as the language does.
func (l *lang) say(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int:
		return thousands(v)
	case *int:
		return thousands(*v)
	case *float64:
		return strconv.FormatFloat(*v, 'f', -1, 64)
	case directory.Date:
		return l.date(v)
	case *directory.Date:
		return l.date(*v)
	case directory.State:
		return l.state(v)
	case *directory.State:
		return l.state(*v)
	}
	return fmt.Sprint(v)
}

// date writes a date: 12 May 2026, 12 de mayo de 2026.
func (l *lang) date(d directory.Date) string {
	t := d.Midnight().Time()
	if t.IsZero() {
		return string(d)
	}
	return l.t("date", "Day", t.Day(), "Month", l.month(int(t.Month())), "Year", strconv.Itoa(t.Year()))
}

func (l *lang) month(m int) string { return l.t("month." + strconv.Itoa(m)) }

// moment writes an instant to the minute.
func (l *lang) moment(i directory.Instant) string {
	return l.date(i.Date()) + i.Time().Format(", 15:04 UTC")
}

// state is a state's name, as the tables have it unless the language has one of its own.
func (l *lang) state(s directory.State) string {
	return l.named("state."+string(s), s.Name())
}

// answer says yes, no, or that nobody said.
func (l *lang) answer(a directory.Answer) string {
	switch a {
	case directory.Yes:
		return l.t("answer.yes")
	case directory.No:
		return l.t("answer.no")
	}
	return l.t("unstated")
}

// To returns the path of a page in the language.
func (l *lang) To(path string) string { return l.prefix + path }

// languageOf returns the language of a code, and English of any other.
func languageOf(code string) *lang {
	for _, l := range languages {
		if l.Code == code {
			return l
		}
	}
	return english
}

// langOf returns the language of a request: its route's, or, where no route matched, that of its path.
func langOf(c *fiber.Ctx) *lang {
	if l := visitOf(c).lang; l != nil {
		return l
	}
	for _, l := range languages {
		if l.prefix != "" && strings.HasPrefix(c.Path()+"/", l.prefix+"/") {
			return l
		}
	}
	return english
}

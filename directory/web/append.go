package web

import (
	"bytes"
	"slices"
	"strconv"

	"kapdir/search"
)

// The answer to a search is written here member by member, as encoding/json would write it, with the rows as they are
// kept: that took longer than the search itself. A test holds the two to each other.

// object writes one object, or several within one another. What is rare or deep is encoding/json's.
type object struct {
	b   []byte
	err error
}

func (o *object) name(name string) {
	if last := o.b[len(o.b)-1]; last != '{' && last != '[' {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), `":`...)
}

func (o *object) open(name string) {
	o.name(name)
	o.b = append(o.b, '{')
}

func (o *object) close() { o.b = append(o.b, '}') }

func (o *object) text(name, v string) {
	o.name(name)
	o.b = appendString(o.b, v)
}

func (o *object) number(name string, n int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, n, 10)
}

func (o *object) flag(name string, v bool) {
	o.name(name)
	o.b = strconv.AppendBool(o.b, v)
}

func (o *object) texts(name string, list []string) {
	o.name(name)
	o.b = appendStrings(o.b, list)
}

func (o *object) value(name string, v any) {
	o.name(name)
	b, err := appendJSON(o.b, v)
	if err != nil {
		o.err = err
		return
	}
	o.b = b[:len(b)-1]
}

// textIf, numberIf, flagIf and textsIf leave out what is empty.
func (o *object) textIf(name, v string) {
	if v != "" {
		o.text(name, v)
	}
}

func (o *object) numberIf(name string, n int) {
	if n != 0 {
		o.number(name, int64(n))
	}
}

func (o *object) flagIf(name string, v bool) {
	if v {
		o.flag(name, v)
	}
}

func (o *object) textsIf(name string, list []string) {
	if len(list) > 0 {
		o.texts(name, list)
	}
}

// textOrNull writes null for nil.
func textOrNull[T ~string](o *object, name string, v *T) {
	if v == nil {
		o.name(name)
		o.b = append(o.b, "null"...)
		return
	}
	o.text(name, string(*v))
}

func (a *searchAnswer) append(b []byte) ([]byte, error) {
	o := &object{b: append(b, '{')}
	a.Query.write(o)
	a.reading.write(o)
	o.number("total", int64(a.Total))
	o.name("results")
	o.b = append(o.b, '[')
	for i, r := range a.rows {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		r.write(o)
	}
	o.b = append(o.b, ']')
	o.open("facets")
	for _, name := range facetsByName {
		for i := range a.facets {
			if f := &a.facets[i]; f.Name == name {
				o.name(name)
				o.b = appendValues(o.b, f.Values)
			}
		}
	}
	o.close()
	textOrNull(o, "next", a.Next)
	o.text("as_of", string(a.AsOf))
	o.number("head", a.Head)
	textOrNull(o, "checks_for", a.ChecksFor)
	o.text("ranking", a.Ranking)
	if a.Demo != nil {
		o.value("demo", a.Demo)
	} else {
		textOrNull[string](o, "demo", nil)
	}
	o.flagIf("plain", a.Plain)
	if a.Notice != nil {
		o.value("notice", a.Notice)
	}
	o.close()
	return append(o.b, '\n'), o.err
}

func (q *queryEcho) write(o *object) {
	o.open("query")
	if q.At != nil {
		o.text("at", string(*q.At))
	}
	o.textIf("q", q.Q)
	o.textIf("state", string(q.State))
	if near := q.Near; near != nil {
		o.open("near")
		o.text("place", near.Place)
		o.textIf("zip", near.ZIP)
		o.textIf("city", near.City)
		o.textIf("state", string(near.State))
		o.flag("exact", near.Exact)
		o.numberIf("others", near.Others)
		o.close()
	}
	o.numberIf("radius", q.Radius)
	o.textIf("telehealth", string(q.Telehealth))
	o.textIf("can_see", string(q.CanSee))
	if len(q.Filters) > 0 {
		o.open("filters")
		for _, name := range facetsByName {
			if values, ok := q.Filters[name]; ok {
				o.texts(name, values)
			}
		}
		o.close()
	}
	o.numberIf("price_max", q.PriceMax)
	o.text("sort", q.Sort)
	o.number("limit", int64(q.Limit))
	o.close()
}

func (r *reading) write(o *object) {
	o.name("understood")
	o.b = append(o.b, '[')
	for i := range r.Understood {
		u := &r.Understood[i]
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = append(o.b, '{')
		o.number("start", int64(u.Start))
		o.number("end", int64(u.End))
		o.text("text", u.Text)
		o.text("kind", u.Kind)
		o.texts("values", u.Values)
		o.text("key", u.Key)
		o.text("label", u.Label)
		o.textIf("note", u.Note)
		o.flag("filter", u.Filter)
		o.flagIf("fixed", u.Fixed)
		o.textIf("off", u.Off)
		o.close()
	}
	o.b = append(o.b, ']')
	o.textIf("words", r.Words)
	o.flagIf("ask_place", r.AskPlace)
	o.textsIf("left_out", r.LeftOut)
	o.flagIf("too_many", r.TooMany)
	if r.Meant != nil {
		o.value("meant", r.Meant)
	}
	o.textIf("instead", r.Instead)
	if len(r.DidMean) > 0 {
		o.value("did_you_mean", r.DidMean)
	}
	if len(r.Advice) > 0 {
		o.value("advice", r.Advice)
	}
	o.numberIf("unproven", r.Unproven)
}

func (r *row) write(o *object) {
	b := append(o.b, r.json[:r.listed.miles]...)
	if r.miles != nil {
		b = strconv.AppendFloat(b, *r.miles, 'f', -1, 64)
	} else {
		b = append(b, "null"...)
	}
	o.b = appendStrings(append(b, r.json[r.listed.miles+len("null"):r.listed.why]...), r.why)
	if r.explain != nil {
		o.value("explain", r.explain)
	}
	o.b = append(o.b, r.json[r.listed.why+len("[]"):]...)
}

// facetsByName are the names of all facets in the order in which encoding/json writes them.
var facetsByName = func() []string {
	names := append([]string{"state"}, search.FilterNames...)
	slices.Sort(names)
	return names
}()

func appendValues(b []byte, list []search.FacetValue) []byte {
	b = append(b, '[')
	for i := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '{'), list[i].JSON...), `,"count":`...)
		b = append(strconv.AppendInt(b, int64(list[i].Count), 10), '}')
	}
	return append(b, ']')
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

// appendString writes a string as encodeJSON does.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			raw, err := encodeJSON(s)
			if err != nil { // no string cannot be written
				return append(b, `""`...)
			}
			return append(b, bytes.TrimSuffix(raw, []byte("\n"))...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

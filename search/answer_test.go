package search

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kapdir/directory"
)

func (b *bench) answer(q Query, text string) Answered {
	b.t.Helper()
	a, err := Answer(context.Background(), b.x, q, Options{}, text)
	if err != nil {
		b.t.Fatalf("%q: %v", text, err)
	}
	return a
}

func answerBench(t *testing.T) *bench {
	return newBench(t,
		someone(1, "Stephen Kowalski", in("Denver", "CO"), fullKAP, focus("trauma"), price(60000)),
		someone(2, "Katherine Lindholm", former("Katherine Abernathy"), in("Boulder", "CO"), fullKAP, focus("depression"), price(120000)),
		someone(3, "Grace Hope", in("Taos", "NM"), focus("trauma"), telehealth("CO")),
		someone(4, "Ana Ruiz", in("Denver", "CO"), focus("trauma"), licensed("CSW", "CSW.09923", "2028-08-31"), overseen(104, true)),
		someone(5, "Bo Ruis", in("Denver", "CO"), focus("trauma")),
		someone(6, "", organisation("Healing Harbor"), in("Denver", "CO"), infusionOnly),
	)
}

// Exact words first; then near spellings, which never stand above an exact one and are said; then the sound of a
// name; then what nobody has is left out, which is said too.
func TestAnswersMendWhatFindsNobody(t *testing.T) {
	b := answerBench(t)
	for _, c := range []struct {
		text  string
		want  []directory.ID
		check func(Answered) bool
	}{
		{"ruiz", numbered(4), func(a Answered) bool { return a.Meant == nil && len(a.DidMean) == 0 }}, // Ruis does not flood in
		{"ruizz", numbered(4), func(a Answered) bool {
			return slices.Contains(a.Hits[0].Why, closeSpelling) && len(a.DidMean) == 2 && a.DidMean[0].To == "ruiz" && a.DidMean[0].Count == 1
		}},
		{"kowalsky", numbered(1), func(a Answered) bool {
			return cmp.Equal(a.DidMean, []Meaning{{"kowalski", "kowalsky", "kowalski", 1}}) && a.Meant == nil
		}},
		{"cowalski", numbered(1), func(a Answered) bool { return a.Meant != nil && a.Meant.To == "kowalski" && a.Instead == "kowalski" }}, // the sound
		{"steve kowalski", numbered(1), func(a Answered) bool { return a.Meant == nil }},                                                  // a nickname
		{"katie abernathy", numbered(2), func(a Answered) bool { return a.Meant == nil && len(a.DidMean) == 0 }},
		{"Dmitri Kowalski", numbered(1), func(a Answered) bool { return a.Meant != nil && a.Meant.To == "Kowalski" && a.Instead == "Kowalski" }},
		{"Ana Kowalsky", numbered(1), func(a Answered) bool { return a.Total == 1 }},
		{"Grace Hope", numbered(3), nil},
		{"trauma denver zzyzx", numbered(1, 4, 5), func(a Answered) bool {
			return slices.Equal(a.LeftOut, []string{"zzyzx"}) && a.Instead == "trauma denver"
		}},
		{"Ana Zzyzxa", numbered(), func(a Answered) bool { return len(a.LeftOut) == 0 }}, // a name is looked for, and nobody else
		{"zzyzx", numbered(), func(a Answered) bool { return len(a.LeftOut) == 0 && len(a.Lift) == 0 && a.Meant == nil }},
		{"healing harbor lozenge", numbered(), func(a Answered) bool {
			return cmp.Equal(a.Lift, []Lift{{"route:sublingual_lozenge", "Lozenge under the tongue", 1, "", ""}})
		}},
		{"is Dr Hope licensed", numbered(3), func(a Answered) bool { return slices.Equal(a.Hits[0].Why, []string{"name"}) }},
		{"ruiz infusion", numbered(), nil},
		{"healing denver", numbered(6), nil},
	} {
		a := b.answer(Query{}, c.text)
		if d := cmp.Diff(c.want, ids(a.Result)); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, d)
		} else if c.check != nil && !c.check(a) {
			t.Errorf("%q: meant %+v, did mean %+v, left out %q, lift %+v, instead %q", c.text, a.Meant, a.DidMean, a.LeftOut, a.Lift, a.Instead)
		}
		if a.Instead != "" { // the pages that follow are those of the text that it names
			if d := cmp.Diff(ids(b.answer(Query{}, a.Instead).Result), ids(a.Result)); d != "" || a.Next != "" {
				t.Errorf("%q is not answered as %q", c.text, a.Instead)
			}
		}
	}
}

// A name of before finds the person, and nothing that is answered has it unless the visitor typed it.
func TestNoAnswerNamesAFormerName(t *testing.T) {
	b := answerBench(t)
	for _, text := range []string{"abernathi", "abernethy", "katherine abernatby", "abarnathee", "abernathy denver", "Abernath"} {
		a := b.answer(Query{}, text)
		a.Reading, a.Query, a.Understood = Reading{}, Query{}, Understood{} // the visitor's own words
		a.asked = Query{}
		out, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(out)), "abernathy") && text != "abernathy denver" {
			t.Errorf("%q: a former name shows: %s", text, out)
		}
	}
}

// What to lift is counted by searching, and there is nothing where nothing helps.
func TestAdviceIsCounted(t *testing.T) {
	b := answerBench(t)
	a := b.answer(Query{}, "depression near denver under 900 dollars within 40 miles")
	if a.Total != 0 {
		t.Fatalf("%d found", a.Total)
	}
	want := []Lift{{"focus:depression", "Depression, as stated by the provider", 1, "", ""}, {"price_max:900", "Medicine session up to $900", 1, "", ""}}
	if d := cmp.Diff(want, a.Lift); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, l := range a.Lift {
		got, err := Answer(context.Background(), b.x, Query{}, Options{Lifted: []string{l.Key}}, a.Reading.Text)
		if err != nil || got.Total != l.Count {
			t.Errorf("without %s: %d, said %d", l.Key, got.Total, l.Count)
		}
	}
	// Where no one part is enough two are named, and what is said of them holds.
	a = b.answer(Query{}, "oral depression near denver under 900 dollars within 40 miles")
	if a.Total != 0 || len(a.Lift) == 0 {
		t.Fatalf("%d found, lift %+v", a.Total, a.Lift)
	}
	for _, l := range a.Lift {
		got, err := Answer(context.Background(), b.x, Query{}, Options{Lifted: []string{l.Key, l.Also}}, a.Reading.Text)
		if l.Also == "" || err != nil || got.Total != l.Count {
			t.Errorf("without %s and %q: %d, said %d", l.Key, l.Also, got.Total, l.Count)
		}
	}
	a = b.answer(Query{Filters: map[string][]string{"route": {"oral"}}, PriceMaxCents: 1}, "")
	if len(a.Lift) != 0 {
		t.Errorf("lifting one of two that both find nobody: %+v", a.Lift)
	}
	a = b.answer(Query{Filters: map[string][]string{"route": {"oral"}}}, "trauma")
	if want := []Lift{{"route", "How ketamine is given", 4, "", ""}}; !cmp.Equal(a.Lift, want) {
		t.Errorf("a filter chosen beside the words: %+v", a.Lift)
	}
}

func TestWhoCanSeeMeTellsWhoIsNotShown(t *testing.T) {
	b := answerBench(t)
	a := b.answer(Query{}, "who can see me in Colorado for trauma")
	if d := cmp.Diff(numbered(4), ids(a.Result)); d != "" || a.Unproven != 3 || a.ChecksFor != "CO" {
		t.Errorf("unproven %d, checks for %s (-want +got):\n%s", a.Unproven, a.ChecksFor, d)
	}
}

// A licence that nobody is shown to have is lifted for whoever is in that state, and for nobody elsewhere.
func TestCanSeeIsLiftedToItsState(t *testing.T) {
	b := answerBench(t)
	for _, c := range []struct {
		text string
		q    Query
		key  string
	}{
		{"who can see me in New Mexico", Query{}, "can_see:NM"},
		{"", Query{CanSee: "NM"}, "can_see"},
	} {
		a := b.answer(c.q, c.text)
		i := slices.IndexFunc(a.Lift, func(l Lift) bool { return l.Key == c.key })
		if a.Total != 0 || i < 0 || a.Lift[i].State != "NM" || a.Lift[i].Count != 1 {
			t.Fatalf("%q: %d found, lift %+v", c.text, a.Total, a.Lift)
		}
		got, err := Answer(context.Background(), b.x, Query{State: "NM"}, Options{Lifted: []string{c.key}}, c.text)
		if err != nil || got.Total != 1 {
			t.Errorf("%q without it: %d (%v)", c.text, got.Total, err)
		}
	}
}

// A long story is answered by what was understood of it.
func TestReplaceWords(t *testing.T) {
	for _, c := range []struct{ text, from, to, want string }{
		{"depression ress in Denver", "ress", "", "depression  in Denver"},
		{"depression press Denver", "press", "", "depression  Denver"},
		{"Dr. Kathrýn Smyth, please", "kathryn smyth", "catherine smith", "Dr. catherine smith, please"},
		{"O’Neil-Ruiz near 80302", "80302", "80301", "O’Neil-Ruiz near 80301"},
		{"nothing of it", "ress", "x", "nothing of it"},
		{"", "a", "b", ""},
	} {
		if got := ReplaceWords(c.text, c.from, c.to); got != c.want {
			t.Errorf("%q, %q for %q: %q, want %q", c.text, c.to, c.from, got, c.want)
		}
	}
}

func TestALongStoryIsNotRefused(t *testing.T) {
	b := answerBench(t)
	a := b.answer(Query{}, "trauma denver bravo charlie foxtrot golf juliett kilo quebec romeo sierra tango uniform whiskey xray yankee zulu")
	if a.Total != 3 || len(a.LeftOut) < 12 || !a.TooMany {
		t.Errorf("%d found, left out %q", a.Total, a.LeftOut)
	}
	const many = "zbravo zcharlie zfoxtrot zgolf zjuliett zkilo zquebec zromeo zsierra ztango zuniform zwhiskey zxray"
	if _, err := Answer(context.Background(), b.x, Query{}, Options{}, many); directory.KindOf(err) != directory.Invalid {
		t.Errorf("words that are too many: %v", err)
	}
}

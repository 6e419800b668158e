package search

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// read writes what a text was read as: the pieces, and the words that are left.
func read(text string, o Options) string {
	r := Understand(text, o)
	var out []string
	for _, p := range r.Pieces {
		out = append(out, p.Key())
	}
	if r.AskPlace {
		out = append(out, "?place")
	}
	if r.Rest != "" {
		out = append(out, "“"+r.Rest+"”")
	}
	return strings.Join(out, " ")
}

// someNames stands for the names of a directory.
func someNames(w string) bool {
	return slices.Contains(strings.Fields("ana ruiz grace hope leroy washington georgia maddox austin whitfield may ma linh do charlotte brandt denver castillo greif "+
		"german torres sage winterbourne polaris jensen katherine virginia woods paris"), w)
}

// Every phrase of the lexicon is read as its row says, alone or beside what it asks for, and every example holds
// it.
func TestLexicon(t *testing.T) {
	read := func(text, kind string, values []string) bool {
		x := newReader(text, Options{})
		x.read()
		switch kind {
		case kindFiller, kindOther:
			return len(x.pieces) == 0
		case kindEveryday:
			return !slices.ContainsFunc(x.pieces, func(p Piece) bool { return p.Kind == "near" })
		case kindCue:
			switch values[0] {
			case "me":
				return x.askPlace
			case "can_see":
				return len(x.canSee) > 0
			}
			return len(x.pieces) == 0
		}
		return slices.ContainsFunc(x.pieces, func(p Piece) bool {
			switch kind {
			case kindUnheld, kindOptional:
				return p.Kind == kind
			case "place":
				return p.Kind == "near" && p.Place.String() == values[0]
			}
			return p.Kind == kind && slices.Equal(p.Values, values)
		})
	}
	for _, row := range readLexicon() {
		for _, phrase := range row.phrases {
			if got := strings.Join(tokens(phrase), " "); got != phrase {
				t.Errorf("%q is not folded: %q", phrase, got)
			}
			var texts []string
			for _, w := range row.near {
				switch w {
				case "CAPS":
					texts = append(texts, "kap "+strings.ToUpper(phrase)+" kap")
				case "CUE":
					texts = append(texts, "near "+phrase+" kap")
				default:
					texts = append(texts, phrase+" "+w)
				}
			}
			if len(row.near) == 0 {
				texts = []string{phrase, "so " + phrase}
			} else if read(phrase, row.kind, row.values) {
				t.Errorf("%s %q is read without what it asks for", row.kind, phrase)
			}
			for _, text := range texts {
				if !read(text, row.kind, row.values) {
					t.Errorf("%q is not read as %s %s", text, row.kind, row.values)
				}
			}
		}
		if !read(row.example, row.kind, row.values) && row.kind != kindFiller && row.kind != kindCue {
			t.Errorf("the example %q is not read as %s %s", row.example, row.kind, row.values)
		}
		// What is a filter is one that a query takes.
		if f, ok := facetByName[row.kind]; ok && f != facetState {
			if err := validFilter(row.kind, row.values); err != nil {
				t.Errorf("%s %s: %v", row.kind, row.values, err)
			}
		}
	}
}

func TestUnderstand(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"ketamine therapist for ptsd near Boulder who takes lozenges, under $900, telehealth ok",
			"focus:trauma near:Boulder, CO route:sublingual_lozenge price_max:900 optional:telehealth ok"},
		{"ketamin theripist for ptds near bolder", "focus:trauma near:Boulder, CO"},
		// What everybody says is no small town's name, unless something marks it as one.
		{"will it hurt", "unheld:will it hurt"},
		{"i need hope", "name:hope “hope”"}, // of somebody here
		{"i need comfort", "“comfort”"},
		{"therapist with wisdom", "“wisdom”"},
		{"near hope", "near:Hope, AR"},
		{"therapist in Hope", "near:Hope, AR"},
		{"hurt, va", "near:Hurt, VA"},
		{"Comfort", "near:Comfort, NC"},
		{"comfort", "“comfort”"},
		{"special k", ""},
		{"special k for depression", "focus:depression"},
		{"art therapy", "unheld:art therapy"},
		{"troches by mail no therapist", "route:sublingual_lozenge unheld:by mail care:infusion_only"},
		{"ocd", "focus:anxiety"},
		{"live in Indiana but can travel to Chicago", "unheld:in indiana near:Chicago, IL"},
		{"in ohio, willing to drive to indiana", "unheld:in ohio state:IN"},
		// Places.
		{"80302", "near:80302"},
		{"within 30 miles of Taos, NM", "miles:30 near:Taos, NM"},
		{"a 25 mile radius of 87501", "miles:25 near:87501"},
		{"50 km from denver", "miles:31 near:Denver, CO"},
		{"near me", "?place"},
		{"near me 80302", "near:80302"},
		{"in or near Boulder", "near:Boulder, CO"},
		{"columbus oh or nearby", "near:Columbus, OH"},
		{"Washington", "state:WA"},
		{"washington dc", "near:Washington, DC"},
		{"Leroy Washington", "name:Leroy Washington “Leroy Washington”"},
		{"seattle washington", "near:Seattle, WA"},
		{"georgia maddox", "name:georgia maddox “georgia maddox”"},
		{"therapist in georgia", "state:GA"},
		{"virginia", "state:VA"},
		{"virginia beach", "near:Virginia Beach, VA"},
		{"Austin Whitfield", "name:Austin Whitfield “Austin Whitfield”"},
		{"austin", "near:Austin, TX"},
		{"Grace Hope", "name:Grace Hope “Grace Hope”"},
		{"portland or", "near:Portland, OR"},
		{"portland or online", "near:Portland, OR optional:or online"},
		{"portland or seattle", "near:Portland, OR unheld:seattle"},
		{"help me find someone in portland, me", "near:Portland, ME"},
		{"indianapolis in person", "near:Indianapolis, IN setting:clinic_in_person|therapist_office"},
		{"hi, depression in ohio", "focus:depression state:OH"},
		{"depression OH", "focus:depression state:OH"},
		{"ok I need help", ""},
		{"therapist named Jackson in Denver", "name:Jackson near:Denver, CO “Jackson”"},
		{"licensed in California and Oregon", "can_see:CA unheld:oregon"},
		{"under $1.2k", "price_max:1200"},
		{"50 miles", "miles:50 ?place"},
		{"kansas city", "near:Kansas City, MO"},
		{"new york", "state:NY"},
		{"new york, ny", "near:New York, NY"},
		{"May Ma", "name:May Ma “May Ma”"},
		{"therapist in MA", "state:MA"},
		{"boston ma", "near:Boston, MA"},
		{"PA in Denver", "licence:physician_assistant near:Denver, CO"},
		{"trauma PA", "focus:trauma state:PA"},
		{"pittsburgh pa", "near:Pittsburgh, PA"},
		{"MD in Boston", "licence:MD near:Boston, MA"},
		{"baltimore md", "near:Baltimore, MD"},
		{"denver castillo", "name:denver castillo “denver castillo”"},
		{"denver", "near:Denver, CO"},
		// Who may see me.
		{"who can see me in Ohio", "can_see:OH"},
		{"telehealth ohio", "telehealth:OH state:OH"},
		{"online therapist denver", "telehealth:CO state:CO"},
		{"who can see me by video in Ohio", "can_see:OH telehealth:OH"},
		{"licensed in New Mexico", "can_see:NM"},
		{"licensed professional counselor in New Mexico", "licence:counselling state:NM"},
		{"video sessions", "video:yes"},
		{"in person only", "setting:clinic_in_person|therapist_office"},
		// Frameworks, medicines, trainings.
		{"ACT", "framework:act"},
		{"act therapy", "framework:act"},
		{"people who act out", ""},
		{"IFS and EMDR", "framework:ifs framework:emdr"},
		{"parts work", "framework:ifs"},
		{"Spravato nasal spray", "route:esketamine"},
		{"ketamine nasal spray", "route:intranasal_compounded"},
		{"IM or IV", "route:intramuscular route:intravenous"},
		{"polaris", "programme:polaris"},
		{"Polaris Jensen", "name:Polaris Jensen “Polaris Jensen”"},
		{"kriya yoga", "“kriya yoga”"},
		{"sage trained", "programme:sage"},
		{"Sage Winterbourne", "name:Sage Winterbourne “Sage Winterbourne”"},
		{"German Torres", "name:German Torres “German Torres”"},
		{"german speaking", "language:german"},
		{"Linh Do, LMFT", "name:Linh Do “Linh Do”"},
		{"LMFT in Oakland", "licence:LMFT near:Oakland, CA"},
		// Prices.
		{"under 900", "price_max:900"},
		{"$500-1500", "price_max:1500"},
		{"$500 to $1,500 per session", "price_max:1500"},
		{"less than 1k", "price_max:1000"},
		{"under 18", "population:adolescent"},
		{"less than 3 years", ""},
		{"between 400 and 700 dollars", "price_max:700"},
		{"650 or less", "price_max:650"},
		{"menos de 800 dólares", "price_max:800"},
		{"under 30 miles from 80302", "miles:30 near:80302"},
		{"from $500 to $900", "price_max:900"},
		{"over $2000", "unheld:over 2000"},
		{"more than 1,500 dollars a session", "unheld:more than 1500 dollars"},
		{"$800 or more in Denver", "unheld:800 or more near:Denver, CO"},
		{"$800+", "unheld:800"},
		{"from $500", "unheld:from 500"},
		{"más de $900", "unheld:mas de 900"},
		{"over 65", "population:older_adult"},
		{"over 20 years of experience", ""},
		{"more than 30 miles from 80302", "miles:30 near:80302"},
		{"$0", "unheld:0"},
		{"under $0", "unheld:under 0"},
		{"5 stars", "unheld:5 stars"},
		{"open saturday", "unheld:open saturday"},
		{"abierto los sábados en Denver", "unheld:abierto los sabados near:Denver, CO"},
		{"sliding scale or superbill", "payment:sliding_scale payment:superbill"},
		// Numbers.
		{"1234567893", "npi:1234567893 “1234567893”"},
		{"NPI 1234567893", "npi:1234567893 “1234567893”"},
		{"1234567890", "“1234567890”"},
		{"CSW.0009923", "number:CSW.0009923 “CSW.0009923”"},
		{"license 99231", "number:99231 “99231”"},
		// What the directory does not hold.
		{"takes aetna", "unheld:aetna"},
		{"best therapist", "unheld:best"},
		// Spanish.
		{"psicólogo que hable español en Chicago", "licence:psychologist language:spanish near:Chicago, IL"},
		{"busco ayuda con la depresión cerca de Albuquerque", "focus:depression near:Albuquerque, NM"},
		{"terapia en línea en Texas", "telehealth:TX state:TX"},
		// What was found by queries that nobody here had seen.
		{"im scared of needles", "route:sublingual_lozenge|oral|intranasal_compounded|esketamine"},
		{"therapist of color philadelphia", "unheld:therapist of color near:Philadelphia, PA"},
		{"within 30 miles of Bend", "miles:30 near:Bend, OR"},
		{"City of Industry, CA", "near:City Of Industry, CA"},
		{"nr 80302", "near:80302"},
		{"license nr 80302", "number:80302 “80302”"},
		{"LMFT 98765", "number:98765 “98765”"},
		{"LMFT 80302", "licence:LMFT near:80302"},
		{"north jersey", "state:NJ"},
		{"Jersey City", "near:Jersey City, NJ"},
		{"jersey shore", "near:Jersey Shore, PA"},
		{"in western Mass", "state:MA"},
		{"northern california trauma", "state:CA focus:trauma"},
		{"north Denver", "near:Denver, CO"},
		{"north dakota", "state:ND"},
		{"west hollywood", "near:West Hollywood, CA"},
		{"in Spanish Fork", "near:Spanish Fork, UT"},
		{"in Long Island City", "near:Long Island City, NY"},
		{"in costa rica", "unheld:costa rica"},
		{"kid 17 years old", "population:adolescent"},
		{"my mom is 74 and depressed", "population:older_adult focus:depression"},
		{"seventy two years old", "population:older_adult"},
		{"mi hijo tiene 16 años", "population:adolescent"},
		{"depressed for 16 years", "focus:depression"},
		{"is 70 minutes too far", ""},
		{"cant afford more than 300", "price_max:300"},
		{"no puedo pagar más de 400 dólares", "price_max:400"},
		{"six hundred dollars or less", "price_max:600"},
		{"under twelve hundred", "price_max:1200"},
		{"menos de quinientos dólares", "price_max:500"},
		{"a hundred times better", "“hundred better”"},
		{"no quiero clinica de infusion", "unheld:clinica de infusion"},
		{"can i drink alcohol before ketamine", "unheld:can i drink alcohol"},
		{"ketamine dealer", "unheld:ketamine dealer"},
		{"whats their dea number", "unheld:dea number"},
		{"how many mg to die", "unheld:mg to die"},
		{"trauma, group not required", "focus:trauma unheld:group"},
		{"telehealth isnt needed in denver", "unheld:telehealth near:Denver, CO"},
		{"telehealth is not necessary, denver", "unheld:telehealth near:Denver, CO"},
		{"trauma por video no es necesario", "focus:trauma unheld:por video"},
		{"no necesito video en austin", "unheld:video near:Austin, TX"},
		{"no clinics in Denver", "near:Denver, CO"},
		{"zoom sessions are fine, Kentucky", "optional:zoom sessions state:KY"},
		{"zoom sessions Kentucky", "telehealth:KY state:KY"},
		{"prescriber who works with an LPC in Idaho", "licence:physician|psychiatrist|nurse_practitioner|psych_np|physician_assistant unheld:lpc state:ID"},
		{"I'm an LMFT looking for a psychiatrist", "unheld:lmft licence:psychiatrist"},
		{"my psychiatrist sent me", "unheld:psychiatrist"},
		{"psych NP for ketamine scripts", "licence:psych_np"},
		{"MD or DO", "licence:MD licence:DO"},
		{"PA ketamine Philadelphia", "near:Philadelphia, PA"},
		{"ACT MA", "framework:act state:MA"},
		{"can a therapist in california see me if i live in nevada", "unheld:in california can_see:NV"},
		{"Sue Anderson was Susan Clark", "name:Sue Anderson name:Susan Clark “Sue Anderson Susan Clark”"},
		{"Joy Black", "name:Joy Black “Joy Black”"},
		{"black therapist", "unheld:black therapist"},
		{"Dr. Gay", "name:Gay “Gay”"},
		{"gay therapist", "population:lgbtq"},
		{"Dr. Price", "name:Price “Price”"},
		{"price", ""},
		{"Maria Weeks", "name:Maria Weeks “Maria Weeks”"},
		{"two weeks", ""},
		{"Iris Park psychologist", "name:Iris Park licence:psychologist “Iris Park”"},
		{"LosAngeles trauma", "near:Los Angeles, CA focus:trauma"},
		{"sanfrancisco", "near:San Francisco, CA"},
		{"in newmexico", "state:NM"},
		{"near oakland or sf", "near:Oakland, CA unheld:sf"},
		{"i have about 400", "price_max:400"},
		{"Jennifr Martines", "“Jennifr Martines”"},
		{"martinez", "“martinez”"}, // and not marines
		{"sycologist", "licence:psychologist"},
		{"blooming", "“blooming”"}, // and not booking
		// Names keep their spelling.
		{"greif", "name:greif “greif”"},
		{"dr ana ruiz", "name:ana ruiz “ana ruiz”"},
	} {
		if d := cmp.Diff(c.want, read(c.text, Options{Known: someNames})); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, d)
		}
	}
}

func TestWhatWasReadCanBeTakenBack(t *testing.T) {
	const text = "trauma washington under 900"
	for _, c := range []struct {
		o    Options
		rest string
		q    string
	}{
		{Options{}, "", `state:WA focus:"trauma" price_max:90000`},
		{Options{Lifted: []string{"state:WA"}}, "", `focus:"trauma" price_max:90000`},
		{Options{Words: []string{"state:WA"}}, "washington", `q:"washington" focus:"trauma" price_max:90000`},
		{Options{Words: []string{AllWords}}, text, `q:"trauma washington under 900"`},
		{Options{Lifted: []string{"focus:anxiety", "", "x"}}, "", `state:WA focus:"trauma" price_max:90000`},
	} {
		r := Understand(text, c.o)
		if got := r.Apply(Query{}).String(); r.Rest != c.rest || got != c.q {
			t.Errorf("%+v: rest %q, query %s", c.o, r.Rest, got)
		}
	}
	// What was chosen beside the words stands.
	r := Understand(text, Options{})
	if got := r.Apply(Query{State: "CO", PriceMaxCents: 5000, Filters: map[string][]string{"focus": {"anxiety"}}}).String(); got != `state:CO focus:"anxiety" focus:"trauma" price_max:5000` {
		t.Errorf("beside what was chosen: %s", got)
	}
}

func TestSpansAreThoseOfTheText(t *testing.T) {
	text := "¿Depresión cerca de Albuquerque, NM?"
	r := Understand(text, Options{})
	runes := []rune(text)
	for _, p := range r.Pieces {
		if got := string(runes[p.Start:p.End]); got != p.Words {
			t.Errorf("%s: %q, want %q", p.Key(), got, p.Words)
		}
	}
	if len(r.Pieces) != 2 || r.Pieces[1].Words != "cerca de Albuquerque, NM" {
		t.Errorf("pieces: %+v", r.Pieces)
	}
}

// Of two towns of a size that are as near to a word, the same is meant in every process.
func TestTownsAreInOneOrder(t *testing.T) {
	for first, list := range vocabulary().towns {
		for i := 1; i < len(list); i++ {
			if a, b := list[i-1], list[i]; a.zips < b.zips || a.zips == b.zips && a.word >= b.word {
				t.Fatalf("%c: %v before %v", first, a, b)
			}
		}
	}
}

func FuzzUnderstand(f *testing.F) {
	for _, row := range readLexicon() {
		f.Add(row.example, row.kind)
	}
	f.Add("$500-1500 within 30 mi of 80302-1234, CSW.0009923 or Portland, OR", "near:80302")
	f.Add("dr ana \"<b>\" ruiz", "name:x")
	f.Add("PA MA ACT OR IN ME HI IL DE LA CO", "all")
	f.Fuzz(func(t *testing.T, text, key string) {
		o := Options{Lifted: []string{key}, Words: []string{key}, Known: someNames}
		r := Understand(text, o)
		if d := cmp.Diff(r, Understand(text, o), cmp.AllowUnexported(Piece{})); d != "" {
			t.Fatalf("two readings differ: %s", d)
		}
		runes := []rune(text)
		for _, p := range r.Pieces {
			if p.Start < 0 || p.End > len(runes) || p.Start >= p.End || string(runes[p.Start:p.End]) != p.Words {
				t.Fatalf("%s has the span %d to %d of %d", p.Key(), p.Start, p.End, len(runes))
			}
			if strings.ContainsAny(p.Key(), "<>\"`\n") || len(p.Values) == 0 || p.Values[0] == "" {
				t.Fatalf("the key %q cannot stand in an address", p.Key())
			}
			if p.Label == "" || p.Kind == "" {
				t.Fatalf("a piece without words for people: %+v", p)
			}
		}
		if utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxTold {
			q := r.Apply(Query{})
			if q.Text = ""; q.Validate() != nil {
				t.Fatalf("%q makes a query that is refused: %v", text, q.Validate())
			}
		}
		if utf8.RuneCountInString(r.Rest) > max(maxTold, utf8.RuneCountInString(text)) {
			t.Fatal("the rest is longer than the text")
		}
	})
}

func BenchmarkUnderstand(b *testing.B) {
	vocabulary()
	for _, text := range []string{"trauma therapist boulder", "ketamin theripist for ptds near bolder who takes lozenges, under $900, telehealth ok"} {
		b.Run(text[:6], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Understand(text, Options{Known: someNames})
			}
		})
	}
}

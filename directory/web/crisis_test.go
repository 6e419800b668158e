package web

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kapdir/search"
)

// Forty that must show the notice and forty that must not, in both languages.
func TestCrisisWords(t *testing.T) {
	must := []string{
		"suicide", "I am suicidal", "suicidal thoughts help", "sucidal and scared", "I want to kill myself", "thinking of killing myself", "I want to end my life", "I want to end it all tonight",
		"i want to die", "i wanna die", "I wish I was dead", "everyone would be better off dead than with me", "they'd be better off without me", "I don't want to live anymore",
		"i dont want to be here anymore", "I don't want to wake up", "no reason to live", "life is not worth living", "tired of living", "self-harm", "my daughter is cutting herself, self harm help",
		"I keep hurting myself", "I took too many pills", "overdose", "kms", "unalive myself", "am I in danger?", "I'm not safe right now", "he is going to kill me", "my son says he wants to die",
		"quiero morir", "me quiero morir ya", "no quiero vivir", "pienso en el suicidio", "voy a quitarme la vida", "me voy a matar", "quiero matarme", "quiero hacerme daño", "tomé una sobredosis", "estoy en peligro",
		"cansada de vivir", "pensamientos suicidas", "trauma therapist denver, I want to die", "suicide loss and now I want to die too",
		"I have the pills in front of me", "he has a gun and says he will use it on himself", "I bought a rope", "life isn't worth living anymore", "no le veo sentido a seguir viviendo",
		"my teenage son has been cutting himself", "she cuts herself and won't stop", "I have nothing to live for", "I just want it all to stop", "mi hija se corta los brazos", "ya no aguanto más", "i dont wanna be here",
		"how much ketamine is lethal", "how many mg to die", "lethal dose ketamine", "thinking about ending things", "I can't do this any more", "cuál es la dosis letal",
	}
	not := []string{
		"suicide loss grief counsellor", "grief therapist for suicide loss survivors", "I lost my brother to suicide", "my wife died by suicide, grief support", "bereaved by suicide",
		"killing it at work but anxious", "dying to try ketamine", "end-of-life anxiety", "dying of cancer", "fear of death", "death doula", "terminal cancer", "to die for views",
		"911 dispatcher ptsd", "first responder trauma", "session under 988", "988 dollars a session", "dangerfield", "Danger Mouse counseling", "lifeline of hope", "nothing has worked for my depression",
		"dead end job", "deadline stress", "cut the price", "cutting edge clinic", "shot or lozenge", "Dr. Killian", "Kilmer", "harmony counseling", "overdose prevention training", "existential crisis", "midlife crisis",
		"a life worth living dbt", "cutting costs", "who would be better for me", "sleep problems forever", "gun owner veteran ptsd", "rope course retreat", "tired of my job", "quiero vivir mejor", "pastillas de ketamina", "kill two birds with one stone",
		"I want to stop drinking", "jump off point for healing", "hang out in Denver", "pain is killing me",
		"duelo por suicidio", "pérdida por suicidio", "miedo a morir", "muerte digna", "cuidados al final de la vida", "muero por probar la ketamina", "mata atlántica", "terapia de pareja en crisis",
	}
	for _, text := range must {
		if !inDanger(text) {
			t.Errorf("%q does not show the notice", text)
		}
	}
	for _, text := range not {
		if inDanger(text) {
			t.Errorf("%q shows the notice", text)
		}
	}
	if len(must) < 40 || len(not) < 20 {
		t.Errorf("%d and %d", len(must), len(not))
	}
}

// A phrase of danger is found wherever it stands as whole words, and the beginning of a word at the beginning of any.
func TestDangerStandsAnywhere(t *testing.T) {
	var words []string
	for _, w := range dangerWords {
		words = append(words, strings.Fields(strings.TrimSuffix(w, "*"))...)
	}
	rapid.Check(t, func(t *rapid.T) {
		var text []string
		for range rapid.IntRange(0, 6).Draw(t, "pieces") {
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				text = append(text, strings.TrimSuffix(rapid.SampledFrom(dangerWords).Draw(t, "phrase"), "*"))
			default:
				text = append(text, rapid.SampledFrom([]string{"", "", "un", "s"}).Draw(t, "before")+rapid.SampledFrom(words).Draw(t, "word")+rapid.SampledFrom([]string{"", "", "al", "s"}).Draw(t, "behind"))
			}
		}
		folded := " " + strings.Join(text, " ") + " "
		want := slices.ContainsFunc(dangerWords, func(w string) bool {
			stem, begins := strings.CutSuffix(w, "*")
			return begins && strings.Contains(folded, " "+stem) || !begins && strings.Contains(folded, " "+w+" ")
		})
		if dangerous(folded) != want {
			t.Fatalf("%q: %v", folded, !want)
		}
	})
}

// TestWordsOfDangerAskForNothing: whatever shows the notice is neither somebody's name, nor a place, nor a word
// that finds nobody.
func TestWordsOfDangerAskForNothing(t *testing.T) {
	for _, w := range dangerWords {
		if strings.HasSuffix(w, "*") {
			continue
		}
		r := search.Understand(w, search.Options{})
		for _, p := range r.Pieces {
			if p.Kind != "unheld" {
				t.Errorf("%q is read as %s", w, p.Label)
			}
		}
		if r.Rest != "" {
			t.Errorf("%q leaves %q to search for", w, r.Rest)
		}
	}
}

// Who is in need is told where help is, and not what the directory lacks.
func TestNeedIsNotAnsweredWithALack(t *testing.T) {
	s := demoServer(t)
	for target, lack := range map[string]string{"/?q=want+to+die": "asks for nothing here", "/es/?q=quiero+morir": "no pide nada aquí"} {
		d := dom(t, get(t, s, target))
		said := text(d.Find("main").Text())
		if !strings.Contains(said, "988") || strings.Contains(said, lack) || d.Find(".how li").Length() > 0 {
			t.Errorf("%s: %s", target, said[:min(600, len(said))])
		}
	}
}

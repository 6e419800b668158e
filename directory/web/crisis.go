package web

import (
	"regexp"
	"slices"
	"strings"

	"kapdir/directory"
)

// crisisNotice stands above the results when the words of a search speak of suicide or of danger
// (contracts.md §6), in both languages whichever is asked. That a search had such words is not logged.
var crisisNotice = notice{
	Kind:    "crisis",
	English: english.t("notice.crisis"),
	Spanish: spanish.t("notice.crisis"),
}

// dangerWords are words and phrases, folded, that call for the notice wherever they stand as whole
// words; one that ends in * stands for all words that begin so. A notice too many does no harm.
var dangerWords = []string{
	"suicid*", "sucid*", "suicde*", "suiside*", "suisid*", "suacid*", "kill myself", "kil myself", "killing myself", "kill me", "kill himself", "kill herself", "kill themselves", "killing himself", "killing herself", "kill my self", "hurt himself", "hurt herself", "hurting himself", "hurting herself", "shoot himself", "shoot herself", "hang himself", "hang herself", "wants to end it", "want to end it", "quiere matarse", "se quiere matar", "matarse", "feel like dying", "hurt my self", "end my life", "ending my life", "ended my life",
	"end it all", "ending it all", "end it tonight", "ending it", "take my own life", "taking my own life", "take my life", "want to die", "wanna die", "wants to die",
	"ready to die", "rather be dead", "wish i was dead", "wish i were dead", "wish i was never born", "better off dead", "better off without me", "do not want to live", "dont want to live",
	"doesnt want to live", "not want to be here anymore", "dont want to be here", "dont want to be alive", "dont want to wake up", "dont want to exist", "no reason to live", "no point in living",
	"not worth living", "tired of living", "tired of being alive", "cant go on anymore", "cant go on like this", "cant do this anymore",
	"self harm", "self harming", "self harms", "selfharm", "self injury", "hurt myself", "hurting myself", "harm myself", "harming myself", "cut myself", "cutting myself", "hang myself", "shoot myself", "jump off a bridge",
	"overdose", "overdosing", "overdosed", "took too many pills", "kms", "unalive", "in danger", "immediate danger", "danger to myself", "danger to others", "not safe right now", "im not safe",
	"going to kill me", "trying to kill me", "going to hurt me", "hurt someone", "kill someone", "kill him", "kill her", "kill them", "he hits me", "she hits me", "beats me", "in crisis", "psychiatric emergency", "911", "988",
	"cutting himself", "cutting herself", "cutting themselves", "cuts himself", "cuts herself", "cuts themselves", "cuts myself", "harm himself", "harm herself", "harm themselves", "harming himself", "harming herself",
	"hurt themselves", "hurts himself", "hurts herself", "hurts themselves", "shoot themselves", "hanging myself", "hanging himself", "hanging herself", "drown myself", "slit my wrists", "slit my wrist",
	"slit her wrists", "slit his wrists", "off myself", "end myself", "ending myself", "end his life", "end her life", "end their life", "end their lives", "take his own life", "take her own life", "take their own life",
	"use it on himself", "use it on herself", "use it on myself", "pills in front of me", "have the pills", "took all my pills", "take all my pills", "bought a rope", "have a rope", "noose", "has a gun",
	"have a gun", "gun to my head", "gun to his head", "gun to her head", "jump off the roof", "jump off the bridge", "jump off the building", "jump off a roof", "jump off a building", "jump in front of", "drive off a bridge", "drive off the road", "isnt worth living", "aint worth living", "no longer worth living",
	"wanting to die", "wish to die", "would rather die", "hope i die", "hope i dont wake up", "never wake up", "go to sleep and not wake up", "do not want to be here", "do not want to be alive", "dont wanna be here",
	"dont wanna live", "dont wanna be alive", "dont wanna wake up", "no longer want to live", "no longer want to be here", "no longer wants to live", "doesnt want to be here", "doesnt want to be alive", "doesnt wanna live",
	"cant live like this", "cant live anymore", "cant keep living", "dont want to go on", "better if i was gone", "better if i were gone", "better if i wasnt here", "better off if i was dead", "want to disappear forever",
	"want it to be over", "want it all to be over", "want it all to stop", "sleep forever", "nothing to live for", "no will to live", "lost the will to live", "lost my will to live", "whats the point of living",
	"no point in going on", "point of living", "give up on life", "giving up on life", "done with life", "tired of life", "sick of living", "sick of life", "hate being alive", "hate living", "planning to kill",
	"wants to kill", "want to kill", "hit me last night", "chokes me", "choked me", "strangled me", "voices telling me to",
	"lethal", "lethal dose", "fatal dose", "deadly dose", "mg to die", "much to die", "many to die", "enough to die", "dose to die", "ending things", "cant do this any more", "cant go on any more",
	"suicidio", "suicida", "suicidarme", "suicidarse", "matarme", "me quiero matar", "me voy a matar", "quitarme la vida", "quitarse la vida", "acabar con mi vida", "acabar con todo", "terminar con mi vida", "terminar con todo",
	"quiero morir", "quiero morirme", "quiere morir", "quiere morirse", "me quiero morir", "ganas de morir", "sin ganas de vivir", "no quiero vivir", "no quiero seguir viviendo", "no quiero estar aqui", "no quiero despertar",
	"mejor muerto", "mejor muerta", "no vale la pena vivir", "cansado de vivir", "cansada de vivir", "hacerme dano", "hacerse dano", "lastimarme", "cortarme", "me corto", "autolesion*", "sobredosis", "en peligro", "peligro inmediato",
	"me quiere matar", "me va a matar", "me pega", "me golpea", "en crisis", "emergencia psiquiatrica",
	"no le veo sentido a la vida", "no le veo sentido a seguir", "no tiene sentido vivir", "no tiene sentido seguir viviendo", "para que vivir", "para que seguir viviendo", "mejor sin mi", "quisiera morir",
	"quisiera morirme", "deseo morir", "deseos de morir", "prefiero morir", "preferiria morir", "se quiere morir", "se va a matar", "quiere quitarse", "quiero desaparecer", "ya no aguanto mas", "ya no puedo mas",
	"se corta", "cortandose", "cortandome", "cortarse", "se lastima", "lastimarse", "muchas pastillas", "todas las pastillas", "tengo un arma", "tiene un arma", "tiene una pistola", "tengo una pistola", "acabar con su vida",
	"terminar con su vida", "no quiero estar viva", "no quiero estar vivo", "cansado de la vida", "cansada de la vida", "no quiere vivir", "nada por que vivir", "letal", "dosis letal", "dosis mortal", "para morir",
}

// harmless are folded phrases with words of danger that speak of none: of a loss, of a calling, of a way to
// say something. They are taken out before the words are looked at, so that whatever else stands beside them
// still counts.
var harmless = regexp.MustCompile(` (` + strings.Join([]string{
	`suicide (loss|losses|bereavement|grief|survivors|prevention|widow|widower)( \w+)?`, `suicid(e|al) loss`, `los(t|ing|s of) (\w+ ){0,3}to suicide`, `died by suicide`, `after (a|my|his|her) (\w+ )?suicide`,
	`bereaved by suicide`, `suicide of my \w+`, `perdida por suicidio`, `duelo por (un )?suicidio`, `prevencion del suicidio`, `se suicido`,
	`911 (dispatcher|dispatchers|operator|operators|responder|responders)`, `(under|below|max|up to|less than|menos de|hasta) (911|988)`, `(911|988) (dollars|or less|dolares|a session)`,
	`kill me softly`, `overdose (prevention|survivor|loss|reversal)( \w+)?`, `(lost|loss of) (\w+ ){0,3}(to|from) an overdose`, `midlife in crisis`, `marriage in crisis`, `matrimonio en crisis`, `pareja en crisis`,
}, "|") + `) `)

// inDanger reports that a search has words of suicide or immediate danger.
func inDanger(text string) bool {
	folded := " " + directory.Fold(text) + " "
	return dangerous(folded) && dangerous(harmless.ReplaceAllString(folded, " ")) // each of the harmless has such a word
}

// dangerBy has dangerWords by their first word, each with a blank behind it, and the beginnings of words apart.
var dangerBy, dangerStems = func() (by map[string][]string, stems []string) {
	by = map[string][]string{}
	for _, w := range dangerWords {
		if stem, ok := strings.CutSuffix(w, "*"); ok {
			stems = append(stems, stem)
			continue
		}
		first, _, _ := strings.Cut(w, " ")
		by[first] = append(by[first], w+" ")
	}
	return by, stems
}()

// dangerous looks at every word of a folded text that has one blank before each word and behind the last.
func dangerous(folded string) bool {
	for at := 1; at < len(folded); {
		rest := folded[at:]
		begins := func(w string) bool { return strings.HasPrefix(rest, w) }
		end := strings.IndexByte(rest, ' ')
		if slices.ContainsFunc(dangerBy[rest[:end]], begins) || slices.ContainsFunc(dangerStems, begins) {
			return true
		}
		at += end + 1
	}
	return false
}

package web

import (
	"strings"

	"kapdir/directory"
)

// crisisNotice stands above the results when the words of a search speak of suicide or of danger
// (contracts.md §6). That a search had such words is not logged.
var crisisNotice = notice{
	Kind: "crisis",
	English: "If you are thinking about suicide, or are in danger, you can talk with somebody now: call or text 988, or chat at 988lifeline.org. " +
		"It is free and open day and night. If a life is in danger right now, call 911.",
	Spanish: "Si está pensando en el suicidio o está en peligro, puede hablar con alguien ahora: llame al 988 y oprima 2, envíe AYUDA al 988, " +
		"o escriba en 988lifeline.org. Es gratis, a toda hora. Si una vida corre peligro ahora mismo, llame al 911.",
}

// dangerWords are words and phrases, folded, that call for the notice wherever they stand as whole
// words; one that ends in * stands for all words that begin so. A notice too many does no harm.
var dangerWords = []string{
	"suicid*", "kill myself", "killing myself", "end my life", "ending my life", "end it all", "take my own life", "taking my own life",
	"want to die", "wanna die", "wish i was dead", "wish i were dead", "better off dead", "do not want to live", "dont want to live", "no reason to live",
	"self harm", "self harming", "selfharm", "hurt myself", "hurting myself", "harm myself", "cut myself", "cutting myself", "overdose", "overdosing", "overdosed",
	"kms", "unalive", "in danger", "immediate danger", "danger to myself", "danger to others", "in crisis", "911", "988",
	"suicidio", "suicida", "matarme", "me quiero matar", "quitarme la vida", "acabar con mi vida", "terminar con mi vida", "quiero morir", "quiero morirme",
	"no quiero vivir", "no quiero seguir viviendo", "hacerme dano", "lastimarme", "cortarme", "autolesion*", "sobredosis", "en peligro", "peligro inmediato",
	"en crisis",
}

// inDanger reports that a search has words of suicide or immediate danger.
func inDanger(text string) bool {
	folded := " " + directory.Fold(text) + " "
	for _, w := range dangerWords {
		if stem, ok := strings.CutSuffix(w, "*"); ok {
			if strings.Contains(folded, " "+stem) {
				return true
			}
		} else if strings.Contains(folded, " "+w+" ") {
			return true
		}
	}
	return false
}

package web

import (
	"fmt"
	"slices"
	"strings"

	"kapdir/directory"
)

// EventWords tells staff what an event says, in a sentence. Words of others stand in quotation marks. It is
// no public sentence: those are made in phrase.go, from what events are worth together.
func EventWords(e directory.Event) string {
	b := e.Body
	var out string
	switch e.Type {
	case directory.Assert:
		out = assertedWords(b)
	case directory.Observe:
		out = observedWords(b)
	case directory.Review:
		out = map[string]string{"confirm": "Confirms", "clear": "Clears, as of somebody else,", "return": "Returns for another look"}[b.Decision]
		out += fmt.Sprintf(" what event %d says", b.Of)
		if b.Field != "" {
			out += ": " + b.Field + " differs"
		}
	case directory.Decide:
		out = fmt.Sprintf("Decides about event %d: %s", b.Of, b.Decision)
		if b.Of == 0 { // about two descriptions, or what two sources state
			out = fmt.Sprintf("Decides about a row of %s: %s", b.Source, b.Decision)
		}
	case directory.DisputeOpen:
		out = "The provider disputes it"
		if b.Decision != "" {
			out += ": " + b.Decision
		}
	case directory.DisputeClose:
		out = fmt.Sprintf("Closes the dispute of event %d", b.Of)
	case directory.Correct:
		what := assertedWords(b)
		if b.State != "" {
			what = observedWords(b)
		}
		out = fmt.Sprintf("Replaces event %d. %s", e.Supersedes, what)
	case directory.Void:
		out = fmt.Sprintf("Event %d was entered in error", e.Supersedes)
	case directory.Takedown:
		out = "Withdrawn from every public face"
	case directory.PolicyChange:
		out = "New rules are in force: policy " + b.Version
	}
	out += "."
	if len(e.Reason) > 0 {
		out += " Reasons: " + strings.Join(e.Reason, ", ") + "."
	}
	if b.Note != "" {
		out += " Note: " + quoted(b.Note) + "."
	}
	return out
}

// observedWords tells what a source answered, and how it was matched.
func observedWords(b directory.Body) string {
	out := capital(english.source(directory.Tables(), b.Source)) + " says " + strings.ReplaceAll(string(b.State), "_", " ")
	if b.SourceWords != "" {
		out += ", in its own words " + quoted(b.SourceWords)
	}
	out += bodyWords(b)
	if b.Match != "" {
		out += "; matched " + string(b.Match)
		if len(b.By) > 0 {
			out += " by " + strings.Join(b.By, ", ")
		}
		if len(b.Against) > 0 {
			out += ", against " + strings.Join(b.Against, ", ")
		}
	}
	return out
}

// assertedWords tells what somebody states.
func assertedWords(b directory.Body) string {
	who := map[directory.SourceClass]string{directory.ClassSelf: "They themself state it", directory.ClassDocument: "A document shows it"}[b.Class]
	if who == "" {
		who = capital(english.source(directory.Tables(), b.Source)) + " states it"
	}
	if b.SourceWords != "" {
		who += ", in the words " + quoted(b.SourceWords)
	}
	return who + bodyWords(b)
}

// bodyWords tells the particulars that are stated, in one order.
func bodyWords(b directory.Body) string {
	var out []string
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+" "+value)
		}
	}
	add("number", b.Number)
	add("name", quoted(b.Name))
	add("issued", b.Issued.String())
	add("expires", b.Expires.String())
	add("restrictions", quoted(strings.Join(b.Restrictions, "; ")))
	add("action of", b.ActionDate.String())
	add("programme", quoted(b.Programme))
	add("version", b.Version)
	add("level", strings.ReplaceAll(b.Level, "_", " "))
	add("completed", b.Completed.String())
	add("by the side of the", b.Side)
	add("prescriber", string(b.Prescriber))
	add("from", b.From.String())
	add("to", b.To.String())
	for _, x := range []struct {
		name   string
		answer directory.Answer
	}{{"preparation", b.Preparation}, {"presence", b.Presence}, {"monitoring", b.Monitoring}, {"emergency plan", b.Emergency}, {"integration", b.Integration}} {
		if x.answer != directory.Unknown {
			add(x.name, string(x.answer))
		}
	}
	add("release", b.Release)
	if out = slices.DeleteFunc(out, func(s string) bool { return s == "" }); len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}

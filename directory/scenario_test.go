package directory

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the golden files and the labelled matching set anew instead of comparing them")

// The golden scenarios: testdata/scenarios/NAME.jsonl is a history in the form of the audit export, and
// NAME.golden asks about it and holds the answers. In a golden file
//
//	# text                       is the description,
//	claim ID                     asks what the claim is worth,
//	checks PROVIDER STATE        asks for the five checks for a patient in the state,
//	check NAME PROVIDER STATE    asks for one of them with what it rests on,
//
// and below each stands a table whose first two columns ask: true at that moment, known at that other one;
// now is with all that the history holds. All the rest is computed, and written anew with -update. Whoever
// accepts a golden file has compared each answer with domain.md §5 by hand: it is the specification.
func TestScenarios(t *testing.T) {
	names, err := filepath.Glob("testdata/scenarios/*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatal("no scenarios")
	}
	event := jsonschema.NewCompiler().MustCompile("testdata/event.schema.json")
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".jsonl"), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
				if err != nil {
					t.Fatalf("line %d: %v", i+1, err)
				}
				if _, other := v.(map[string]any)["record"]; !other {
					if err := event.Validate(v); err != nil {
						t.Errorf("line %d: %v", i+1, err)
					}
				}
			}
			x, err := ReadExport(bytes.NewReader(raw), nil)
			if err != nil {
				t.Fatal(err)
			}
			file := strings.TrimSuffix(name, ".jsonl") + ".golden"
			golden, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := scenario(x, string(golden))
			if err != nil {
				t.Fatal(err)
			}
			if got == string(golden) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			was, is := strings.Split(string(golden), "\n"), strings.Split(got, "\n")
			for i := range max(len(was), len(is)) {
				if i >= len(was) || i >= len(is) || was[i] != is[i] {
					t.Errorf("line %d:\n  golden %s\n  now    %s", i+1, lineAt(was, i), lineAt(is, i))
				}
			}
		})
	}
}

func lineAt(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// scenario answers the questions of a golden file, and returns it with the answers.
func scenario(x *Export, golden string) (string, error) {
	var out strings.Builder
	var ask []string
	var table [][]string
	flush := func() {
		if len(table) > 0 {
			out.WriteString(aligned(append([][]string{headings(ask)}, table...)))
		}
		table = nil
	}
	for _, line := range strings.Split(strings.TrimSuffix(golden, "\n"), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) > 0 && words[0] == "T":
		case len(words) > 1 && words[0][0] == '2' && ask != nil:
			t, err := ParseInstant(words[0])
			if err != nil {
				return "", err
			}
			k := forever
			if words[1] != "now" {
				if k, err = ParseInstant(words[1]); err != nil {
					return "", err
				}
			}
			row, err := answerTo(x, ask, t, k)
			if err != nil {
				return "", err
			}
			table = append(table, append(words[:2:2], row...))
		default:
			flush()
			ask = nil
			if len(words) > 1 && (words[0] == "claim" || words[0] == "checks" || words[0] == "check") {
				ask = words
			}
			out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	flush()
	return out.String(), nil
}

func headings(ask []string) []string {
	switch ask[0] {
	case "claim":
		return []string{"T", "K", "status", "reasons", "because", "as_of", "next_due", "valid_until"}
	case "check":
		return []string{"T", "K", "result", "reasons", "as_of", "next_due", "valid_until", "parts"}
	}
	return []string{"T", "K", "license", "training", "oversight", "protocol", "record"}
}

// answerTo answers one question.
func answerTo(x *Export, ask []string, t, k Instant) ([]string, error) {
	dash := func(s string) string { return cmp.Or(s, "-") }
	if ask[0] == "claim" {
		for _, f := range x.Files {
			for _, h := range f.Claims {
				if h.Claim.ID == ID(ask[1]) {
					s := Derive(h, t, k, x.Policies)
					return []string{cmp.Or(string(s.Status), "nothing"), dash(strings.Join(s.Reasons, ",")), numbers(s.Because), dash(string(s.AsOf)),
						dash(string(s.NextDue)), dash(string(s.ValidUntil))}, nil
				}
			}
		}
		return nil, fmt.Errorf("no claim %s", ask[1])
	}
	provider, state := ask[len(ask)-2], ask[len(ask)-1]
	i := slices.IndexFunc(x.Files, func(f *CredentialFile) bool { return f.Provider.ID == ID(provider) })
	if i < 0 {
		return nil, fmt.Errorf("no provider %s", provider)
	}
	var row []string
	for _, c := range Checks(x.Files[i], State(state), t, k, x.Policies) {
		if ask[0] == "checks" {
			row = append(row, string(c.Result))
		} else if string(c.Check) == ask[1] {
			var parts []string
			for _, p := range c.Parts {
				what := string(p.What)
				if p.List != "" {
					what += ":" + p.List
				}
				parts = append(parts, fmt.Sprintf("%s=%s(%s)", what, p.Result, numbers(p.Standing.Because)))
			}
			row = []string{string(c.Result), dash(strings.Join(c.Reasons, ",")), dash(string(c.AsOf)), dash(string(c.NextDue)), dash(string(c.ValidUntil)), dash(strings.Join(parts, " "))}
		}
	}
	if row == nil {
		return nil, fmt.Errorf("no check %s", ask[1])
	}
	return row, nil
}

func numbers(seqs []int64) string {
	raw, _ := json.Marshal(seqs)
	return cmp.Or(strings.Trim(string(raw), "[]nul"), "-")
}

// aligned writes a table in columns.
func aligned(rows [][]string) string {
	var out strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			width := 0
			for _, r := range rows {
				width = max(width, len(r[i]))
			}
			line += fmt.Sprintf("%-*s  ", width, cell)
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

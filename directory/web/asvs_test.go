package web

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kapdir/directory"
)

// The table of what OWASP's Application Security Verification Standard 5.0.0 asks at levels 1 and 2 in its chapters on
// validation (V2), authentication (V6), sessions (V7) and authorization (V8) is whole, says why where something does
// not apply or is not met as it stands, and names tests that there are.
func TestASVS(t *testing.T) {
	tests := map[string]bool{}
	for _, dir := range []string{".", "../store", "../../cmd/kapdir"} {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`).FindAllSubmatch(raw, -1) {
				tests[string(m[1])] = true
			}
		}
	}
	f, err := os.Open("testdata/asvs.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	count, last := map[string]int{}, ""
	for _, r := range rows[1:] {
		number, level, asks, holds, how, test := r[0], r[1], r[2], r[3], r[4], r[5]
		m := regexp.MustCompile(`^(V[2678]\.\d)\.(\d+)$`).FindStringSubmatch(number)
		if m == nil || number == last || level != "1" && level != "2" || asks == "" {
			t.Errorf("the row of %q cannot be read", number)
			continue
		}
		last = number
		count[m[1]]++
		switch holds {
		case "yes":
			if !tests[test] {
				t.Errorf("%s: there is no test %q", number, test)
			}
		case "partly":
			if !tests[test] || how == "" {
				t.Errorf("%s: no test %q, or nothing is said of what is missing", number, test)
			}
		case "no":
			if test != "" || how == "" {
				t.Errorf("%s does not apply: it says why, and names no test", number)
			}
		default:
			t.Errorf("%s holds %q", number, holds)
		}
	}
	// As the standard's own table counts them at the two levels.
	want := map[string]int{"V2.1": 3, "V2.2": 3, "V2.3": 4, "V2.4": 1, "V6.1": 3, "V6.2": 12, "V6.3": 4, "V6.4": 4, "V6.5": 5, "V6.6": 3, "V6.8": 4,
		"V7.1": 3, "V7.2": 4, "V7.3": 2, "V7.4": 5, "V7.5": 2, "V7.6": 2, "V8.1": 2, "V8.2": 3, "V8.3": 1, "V8.4": 1}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("rows by section %v, want %v", count, want)
	}
}

// What the README says of the desk is what the program does: each limit stands there as a number.
func TestDeskIsDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(raw), "## The staff desk\n")
	if !found {
		t.Fatal("the README has no section on the desk")
	}
	text, _, _ = strings.Cut(text, "\n## ")
	text = strings.Join(strings.Fields(text), " ")
	for _, says := range []string{
		fmt.Sprintf("after %d minutes without use", int(directory.SessionIdle.Minutes())), fmt.Sprintf("after %d hours", int(directory.SessionMost.Hours())),
		fmt.Sprintf("within %d minutes", int(directory.SessionProof.Minutes())), fmt.Sprintf("%d sessions", directory.SessionsEach), fmt.Sprintf("for %d hours", int(directory.InviteLife.Hours())),
		fmt.Sprintf("%d characters", passwordLeast), fmt.Sprintf("%d failures from one address", guessesSource), fmt.Sprintf("%d about one person", guessesAccount),
		fmt.Sprintf("after %d failures", guessesFree), fmt.Sprintf("%d seconds", guessPause), fmt.Sprintf("%d minutes", int(guessWindow.Minutes())), "passkey", "password", "kapdir staff invite", "kapdir staff reset",
	} {
		if !strings.Contains(text, says) {
			t.Errorf("the README's section does not say %q", says)
		}
	}
	for _, r := range directory.Roles {
		if !strings.Contains(text, string(r.Role)) {
			t.Errorf("the README's section does not name the role %s", r.Role)
		}
	}
}

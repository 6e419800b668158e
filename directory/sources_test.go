package directory

import (
	"strings"
	"testing"
)

// TestAddSources makes an operator's site a source everywhere, the rules that a ledger records among them,
// and takes it away again whole.
func TestAddSources(t *testing.T) {
	before := len(Tables().Sources())
	rules := string(StandardRules()["sources.csv"])
	t.Cleanup(func() { _ = AddSources(nil) })
	own := SourceInfo{ID: "own-site", Name: `Own, "quoted" site`, Short: "Own site", Kind: "listing", Class: ClassListing, Jurisdiction: "US", Publisher: "somebody", URL: "https://own.example/",
		Completeness: "n/a", Licence: "l", Attribution: "a", MayRepublish: "false", Terms: "manual_only", Note: "n"}
	if err := AddSources([]SourceInfo{own}); err != nil {
		t.Fatal(err)
	}
	if got, ok := Tables().Source("own-site"); !ok || got != own || len(Tables().Sources()) != before+1 {
		t.Errorf("%+v, %d sources", got, len(Tables().Sources()))
	}
	if s := string(StandardRules()["sources.csv"]); !strings.HasPrefix(s, rules) || !strings.Contains(s, "own-site") {
		t.Error("the rules that are recorded do not hold the source")
	}
	if got, ok := StandardPolicies()[0].Tables().Source("own-site"); !ok || got != own {
		t.Errorf("the tables of the policies: %+v", got)
	}
	if err := AddSources(nil); err != nil || len(Tables().Sources()) != before || string(StandardRules()["sources.csv"]) != rules {
		t.Errorf("taken away: %v, %d sources", err, len(Tables().Sources()))
	}
}

package directory

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// partners are the sources that the operator of a directory has added to those of data/sources.csv. They are
// listings and nothing else, so that no check rests on the row of one: of a partner it says who they are and
// on what terms their file may be used.
var partners atomic.Pointer[map[string]SourceInfo]

// LearnPartners makes partners known to this process, beside those it knows already.
func LearnPartners(infos []SourceInfo) {
	for {
		was := partners.Load()
		next := map[string]SourceInfo{}
		if was != nil {
			next = maps.Clone(*was)
		}
		for _, x := range infos {
			next[x.ID] = x
		}
		if partners.CompareAndSwap(was, &next) {
			return
		}
	}
}

func partner(id string) (SourceInfo, bool) {
	if all := partners.Load(); all != nil {
		x, ok := (*all)[id]
		return x, ok
	}
	return SourceInfo{}, false
}

func allPartners() []SourceInfo {
	if all := partners.Load(); all != nil {
		return slices.Collect(maps.Values(*all))
	}
	return nil
}

var partnerID = regexp.MustCompile(`^[a-z][a-z0-9-]{1,40}$`)

// CheckPartner holds what an operator writes of a partner to what a source must say, and returns it whole.
// The error names the field and what to write.
func CheckPartner(x SourceInfo) (SourceInfo, error) {
	if !partnerID.MatchString(x.ID) {
		return x, Errorf(Invalid, "id", "%q is no id of a partner: small letters, digits and hyphens, beginning with a letter", x.ID)
	}
	if _, shipped := Tables().sources[x.ID]; shipped {
		return x, Errorf(Invalid, "id", "%q is a source of data/sources.csv already: give the partner another id", x.ID)
	}
	if x.Class == "" {
		x.Class = ClassListing
	}
	if x.Jurisdiction == "" {
		x.Jurisdiction = "US"
	}
	if x.Short == "" {
		x.Short = x.Name
	}
	x.Kind, x.Completeness = "listing", "n/a"
	for _, f := range []struct{ name, value, write string }{
		{"name", x.Name, "what the partner is called"},
		{"publisher", x.Publisher, "who sends the file"},
		{"licence", x.Licence, "on what terms the partner gives the data, in words"},
		{"attribution", x.Attribution, "how the partner wants to be named"},
	} {
		if strings.TrimSpace(f.value) == "" {
			return x, Errorf(Invalid, f.name, "partner %s: write %s", x.ID, f.write)
		}
	}
	switch {
	case x.Class != ClassListing:
		return x, Errorf(Invalid, "class", "partner %s: class %q: a partner's file is a listing and proves nothing by itself: write listing", x.ID, x.Class)
	case x.MayRepublish != "true" && x.MayRepublish != "false":
		return x, Errorf(Invalid, "may_republish", "partner %s: write true or false, as the partner has agreed", x.ID)
	case !slices.Contains([]string{"allowed_automated", "manual_only", "forbidden"}, x.Terms):
		return x, Errorf(Invalid, "terms", "partner %s: write allowed_automated, manual_only or forbidden", x.ID)
	case x.URL != "" && !strings.HasPrefix(x.URL, "https://"):
		return x, Errorf(Invalid, "url", "partner %s: %q does not begin with https://", x.ID, x.URL)
	}
	return x, nil
}

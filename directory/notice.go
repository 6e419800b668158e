package directory

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Elsewhere stands, where results are held for each state, for every state in which a file names nothing.
const Elsewhere State = "-"

// NoticePrefix begins the id of a notice.
const NoticePrefix = "evt_"

// NoticeType says what a notice announces.
type NoticeType string

// The types of notices.
const (
	NoticeListed  NoticeType = "provider.listed"         // the provider has a public page from now on
	NoticeRemoved NoticeType = "provider.removed"        // they have none any more; nobody is told why
	NoticeStatus  NoticeType = "provider.status_changed" // the result of a check changed
	NoticeTest    NoticeType = "test"                    // somebody asked for it: it goes to one webhook, beside the order of the others
)

// NoticeTypes lists what a webhook can ask for.
var NoticeTypes = []NoticeType{NoticeListed, NoticeRemoved, NoticeStatus}

// ParseNoticeTypes reads types with a space or comma between them. They come back once each, in the order of
// NoticeTypes; of an empty text all of them.
func ParseNoticeTypes(s string) ([]NoticeType, error) {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
	if len(words) == 0 {
		return slices.Clone(NoticeTypes), nil
	}
	var out []NoticeType
	for _, w := range words {
		if !slices.Contains(NoticeTypes, NoticeType(w)) {
			return nil, Errorf(Invalid, "types", "%q is no type: write %s", w, OneOf(texts(NoticeTypes)))
		}
	}
	for _, t := range NoticeTypes {
		if slices.Contains(words, string(t)) {
			out = append(out, t)
		}
	}
	return out, nil
}

// JoinNoticeTypes writes types as ParseNoticeTypes reads them.
func JoinNoticeTypes(list []NoticeType) string { return strings.Join(texts(list), " ") }

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// Notice announces that the public answer about a provider changed. It is made once, and keeps its id and its number
// for ever. Number is that of the change of which it was made: notices stand in its order, with gaps.
type Notice struct {
	ID         ID
	Number     int64
	Type       NoticeType
	Provider   ID
	At, Known  Instant       // when it was made, and what was known then
	Previous   *NoticeRef    // of the notice about this provider before it; nil if there was none
	MergedInto ID            // of a removal: under which id the provider goes on, if they do
	Changes    []CheckChange // of NoticeStatus alone
}

// NoticeRef is a notice's number, with when it was made and what was known then.
type NoticeRef struct {
	Number    int64
	At, Known Instant
}

// CheckChange says that one check of one state has another result. State Elsewhere is every state in which the
// provider names nothing.
type CheckChange struct {
	State      State       `json:"s"`
	Check      CheckName   `json:"c"`
	From       CheckResult `json:"f,omitempty"` // "": what was told before is told no more
	To         CheckResult `json:"t"`
	AsOf       Date        `json:"d,omitempty"`
	ValidUntil Instant     `json:"u,omitempty"`
}

// Telling is what public faces say of a provider: for each state that the file names, and for Elsewhere, the five
// results in the order of CheckNames.
type Telling map[State][]CheckResult

// Tell returns what public faces say of the file at t, as known at k, and the checks themselves.
func Tell(f *CredentialFile, t, k Instant, policies Policies) (Telling, map[State][]Check) {
	told, checks := Telling{}, map[State][]Check{}
	for _, y := range append(f.NamedStates(), Elsewhere) {
		checks[y] = Checks(f, y, t, k, policies)
		for _, c := range checks[y] {
			told[y] = append(told[y], c.Result)
		}
	}
	return told, checks
}

// String writes a telling as ParseTelling reads it: a line for each state.
func (t Telling) String() string {
	var b strings.Builder
	for _, y := range slices.Sorted(maps.Keys(t)) {
		b.WriteString(string(y))
		for _, r := range t[y] {
			b.WriteByte(' ')
			b.WriteString(string(r))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// ParseTelling reads what String writes.
func ParseTelling(s string) (Telling, error) {
	t := Telling{}
	for line := range strings.Lines(s) {
		words := strings.Fields(line)
		if len(words) != 1+len(CheckNames) {
			return nil, Errorf(Internal, "", "%q is not what was announced of a provider", line)
		}
		for _, w := range words[1:] {
			if _, ok := ranks[CheckResult(w)]; !ok {
				return nil, Errorf(Internal, "", "%q is no result", w)
			}
			t[State(words[0])] = append(t[State(words[0])], CheckResult(w))
		}
	}
	return t, nil
}

// of returns the results for a state, which are those of Elsewhere where none are held for it.
func (t Telling) of(y State) []CheckResult {
	if r := t[y]; r != nil {
		return r
	}
	return t[Elsewhere]
}

// Since returns what the checks say differently than what was told before: by state, Elsewhere last, and by check.
func (t Telling) Since(before Telling, checks map[State][]Check) []CheckChange {
	states := slices.Collect(maps.Keys(t))
	for y := range before {
		if t[y] == nil {
			states = append(states, y)
		}
	}
	slices.SortFunc(states, func(a, b State) int {
		return cmp.Or(cmp.Compare(boolRank(a == Elsewhere), boolRank(b == Elsewhere)), cmp.Compare(a, b))
	})
	var out []CheckChange
	for _, y := range states {
		was, is, by := before.of(y), t.of(y), checks[y]
		if by == nil {
			by = checks[Elsewhere]
		}
		for i, name := range CheckNames {
			if len(was) == len(is) && was[i] == is[i] {
				continue
			}
			x := CheckChange{State: y, Check: name, To: is[i], ValidUntil: by[i].ValidUntil}
			x.AsOf, _ = by[i].ShownDates()
			if len(was) == len(is) {
				x.From = was[i]
			}
			out = append(out, x)
		}
	}
	return out
}

// Tellable returns of the changes of a notice what public faces may still say at t, as known at k: f is the
// provider's file now, nil if they have no page. What was taken back since, what a person now looks at, and what
// rested on either, is on no public face for any moment (contracts.md §6). A change whose result is such a thing is left
// out, and where only what was told before is one, From is "". A result that is said today may be said anyway.
func (n Notice) Tellable(f *CredentialFile, t, k Instant, policies Policies) []CheckChange {
	if f == nil {
		return nil
	}
	type moment struct {
		state State
		at    Instant
		known Instant
	}
	var spoken *CredentialFile // with nothing in it that may not be spoken of
	held := map[moment][]Check{}
	may := func(y State, check int, r CheckResult, at, known Instant) bool {
		says := func(f *CredentialFile, at, known Instant) bool {
			m := moment{y, at, known}
			if held[m] == nil {
				held[m] = Checks(f, y, at, known, policies)
			}
			return held[m][check].Result == r
		}
		if says(f, t, k) {
			return true
		}
		if spoken == nil {
			spoken = f.spoken(t, k, policies)
		}
		return says(spoken, at, known)
	}
	var out []CheckChange
	for _, x := range n.Changes {
		i := slices.Index(CheckNames, x.Check)
		if i < 0 || !may(x.State, i, x.To, n.At, n.Known) {
			continue
		}
		if x.From != "" && (n.Previous == nil || !may(x.State, i, x.From, n.Previous.At, n.Previous.Known)) {
			x.From = ""
		}
		out = append(out, x)
	}
	return out
}

// spoken returns the file with nothing but what may be spoken of at t, as known at k, whatever moment is spoken of:
// nothing that was voided, replaced by a correction or cleared, and of what was taken down or waits for a person nothing
// at all. So of the linked files.
func (f *CredentialFile) spoken(t, k Instant, policies Policies) *CredentialFile {
	out := *f.WithoutCleared(k, policies)
	out.Claims = slices.Clone(out.Claims)
	for i, h := range f.Claims {
		if s := Derive(h, t, k, policies).Status; s == StatusUnderReview || s == StatusWithdrawn {
			out.Claims[i].Events = nil
			continue
		}
		var events []Event
		for _, e := range inEffect(out.Claims[i].Events, k) {
			events = append(events, *e)
		}
		out.Claims[i].Events = events
	}
	if out.Linked != nil {
		linked := make(map[ID]*CredentialFile, len(out.Linked))
		for id, other := range out.Linked {
			if linked[id] = other; other != nil {
				linked[id] = other.spoken(t, k, policies)
			}
		}
		out.Linked = linked
	}
	return &out
}

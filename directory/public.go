package directory

import "slices"

// WithoutCleared returns the file without the observations that a person has cleared, by k, as speaking of
// somebody else, and without the reviews of them; so for the linked files. Public faces use it for a
// moment that has passed: at a moment between observation and review, Derive rightly says that somebody was
// looking, and a wrong person's material is on no public face for any moment (contracts.md §6). At any
// moment after the review it changes no answer. The file itself is not changed; without anything to leave
// out it is returned as it is.
func (f *CredentialFile) WithoutCleared(k Instant) *CredentialFile {
	out := f
	for i, h := range f.Claims {
		events := withoutCleared(h.Events, k)
		if len(events) == len(h.Events) {
			continue
		}
		if out == f {
			changed := *f
			changed.Claims = slices.Clone(f.Claims)
			out = &changed
		}
		out.Claims[i].Events = events
	}
	copied := false
	for id, other := range f.Linked {
		if other == nil {
			continue
		}
		if less := other.WithoutCleared(k); less != other {
			if out == f {
				changed := *f
				out = &changed
			}
			if !copied {
				out.Linked, copied = cloneLinked(f.Linked), true
			}
			out.Linked[id] = less
		}
	}
	return out
}

func cloneLinked(m map[ID]*CredentialFile) map[ID]*CredentialFile {
	out := make(map[ID]*CredentialFile, len(m))
	for id, f := range m {
		out[id] = f
	}
	return out
}

// withoutCleared leaves out what is cleared, with all that it corrected.
func withoutCleared(all []Event, k Instant) []Event {
	if !slices.ContainsFunc(all, func(e Event) bool { return e.Type == Review && e.Body.Decision == "clear" }) {
		return all
	}
	gone, observed := map[int64]bool{}, map[int64]bool{}
	for _, e := range inEffect(all, k) {
		switch {
		case e.Type == Observe:
			observed[e.Seq] = true
		case e.Type == Review && e.Body.Decision == "clear" && observed[e.Body.Of]:
			gone[e.Body.Of] = true
		case e.Type == Review && e.Body.Decision == "confirm":
			delete(gone, e.Body.Of)
		}
	}
	if len(gone) == 0 {
		return all
	}
	for i := len(all) - 1; i >= 0; i-- { // a correction brings back nothing that it replaced
		if e := all[i]; e.Type == Correct && gone[e.Seq] {
			gone[e.Supersedes] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(e Event) bool { return gone[e.Seq] || e.Type == Review && gone[e.Body.Of] })
}

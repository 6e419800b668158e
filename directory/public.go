package directory

import "slices"

// WithoutCleared returns the file without the observations that a person has cleared, by k, as speaking of
// somebody else, and without the reviews of them; so for the linked files. Public faces use it for a
// moment that has passed: at a moment between observation and review, Derive rightly says that somebody was
// looking, and a wrong person's material is on no public face for any moment (contracts.md §6). What is
// cleared is what Derive takes as cleared under the policy in force at k: two people's word against somebody
// is not cleared by one. At any moment after the review it changes no answer. The file itself is not changed;
// without anything to leave out it is returned as it is.
func (f *CredentialFile) WithoutCleared(k Instant, policies Policies) *CredentialFile {
	out := f
	for i, h := range f.Claims {
		events := withoutCleared(h, k, policies)
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
		if less := other.WithoutCleared(k, policies); less != other {
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
func withoutCleared(h History, k Instant, policies Policies) []Event {
	all := h.Events
	if !slices.ContainsFunc(all, func(e Event) bool { return e.Type == Review && e.Body.Decision == "clear" }) {
		return all
	}
	gone, cleared := map[int64]bool{}, map[int64]bool{} // gone: by the number of what was first made
	known, policy := inEffect(all, k), policies.InForce(k, k)
	for _, e := range known {
		if o := newObservation(e); e.Type == Observe && o.heardCleared(known, h.Claim.Kind, policy) {
			cleared[e.Seq], gone[originOf(all, find(all, e.Seq)).Seq] = true, true
		}
	}
	for _, e := range known {
		if e.Type == Review && cleared[e.Body.Of] {
			gone[originOf(all, find(all, e.Seq)).Seq] = true
		}
	}
	// A correction brings back nothing that it replaced, and is not left behind by it.
	return slices.DeleteFunc(slices.Clone(all), func(e Event) bool { return gone[originOf(all, &e).Seq] })
}
